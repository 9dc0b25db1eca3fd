//! List, tuple, set and dict displays.

use super::*;
use crate::code::Element;
use crate::interp::error::type_error;
use crate::interp::operator::collection;
use crate::interp::types::class_name;
use crate::interp::{iterate, mapping};
use crate::source::name;

struct Items {
    nodes: Box<[(NodeBox, bool, Span)]>,
    has_star: bool,
}

impl Items {
    #[inline(always)]
    fn eval(&self, frame: &mut Frame) -> Res<Vec<Value>> {
        let mut values = Vec::with_capacity(self.nodes.len());
        if !self.has_star {
            for (node, ..) in &self.nodes {
                values.push(node.eval(frame)?);
            }
            return Ok(values);
        }
        for (node, is_star, span) in &self.nodes {
            let value = node.eval(frame)?;
            if *is_star {
                let more = iterate::collect(&value)
                    .map_err(|raised| {
                        let iterable = crate::interp::call::special(&value, name::ITER).is_some()
                            || crate::interp::call::special(&value, name::GETITEM).is_some();
                        if iterable {
                            return raised;
                        }
                        let _ = raised.take();
                        type_error(format!(
                            "Value after * must be an iterable, not {}",
                            class_name(&value)
                        ))
                    })
                    .at(*span)?;
                values.extend(more);
            } else {
                values.push(value);
            }
        }
        Ok(values)
    }
}

struct TupleDisplay(Items);

impl Node for TupleDisplay {
    fn eval(&self, frame: &mut Frame) -> Res {
        self.0.eval(frame).map(Value::tuple)
    }
}

struct ListDisplay(Items);

impl Node for ListDisplay {
    fn eval(&self, frame: &mut Frame) -> Res {
        self.0.eval(frame).map(Value::list)
    }
}

struct SetDisplay(Items, Span);

impl Node for SetDisplay {
    fn eval(&self, frame: &mut Frame) -> Res {
        let set = Ref::new(Set::default());
        let add = |item: &Value| mapping::set_add(&set.table, item).at(self.1).map(|_| ());
        // What stands before the first star is added together, what follows as it comes.
        let first_star = self.0.nodes.iter().position(|(_, is_star, _)| *is_star);
        let (before, after) = self.0.nodes.split_at(first_star.unwrap_or(self.0.nodes.len()));
        let mut together = Vec::with_capacity(before.len());
        for (node, ..) in before {
            together.push(node.eval(frame)?);
        }
        together.iter().try_for_each(add)?;
        for (node, is_star, span) in after {
            let value = node.eval(frame)?;
            match is_star {
                true => iterate::collect(&value).at(*span)?.iter().try_for_each(add)?,
                false => add(&value)?,
            }
        }
        Ok(set.into())
    }
}

/// A set display of constants only, three or more: CPython keeps those as a frozenset and merges it into
/// a new set, which shows in the order of the items.
struct ConstantSet(Ref<Set>);

impl Node for ConstantSet {
    fn eval(&self, _: &mut Frame) -> Res {
        let set = Ref::new(Set::default());
        set.table.borrow_mut().merge_into_empty(&self.0.table.borrow());
        Ok(set.into())
    }
}

fn set_of(values: &[Value]) -> Res<Ref<Set>> {
    let set = Ref::new(Set::default());
    for value in values {
        mapping::set_add(&set.table, value)?;
    }
    Ok(set)
}

/// The constants that all items are, if they are: a tuple of constants is one, too.
fn constants(items: &[Element]) -> Option<Vec<Value>> {
    items
        .iter()
        .map(|item| match item {
            Element::One(tree) => match &tree.kind {
                TreeKind::Constant(c) => Some(constant_value(c)),
                TreeKind::Tuple(items) => constants(items).map(Value::tuple),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

struct DictDisplay {
    items: Box<[(Option<NodeBox>, NodeBox)]>,
    span: Span,
}

impl Node for DictDisplay {
    fn eval(&self, frame: &mut Frame) -> Res {
        let dict = Ref::new(Dict::default());
        for (key, value) in &self.items {
            match key {
                Some(key) => {
                    let key = key.eval(frame)?;
                    let value = value.eval(frame)?;
                    mapping::dict_set(&dict, &key, value).at(self.span)?;
                }
                None => {
                    let value = value.eval(frame)?;
                    unpack_into(&dict, &value).at(self.span)?;
                }
            }
        }
        Ok(dict.into())
    }
}

/// `{**value}`
fn unpack_into(dict: &Ref<Dict>, value: &Value) -> Res<()> {
    if let Some(other) = mapping::whole_dict(value) {
        return mapping::dict_merge(dict, other);
    }
    let Some(keys) = collection::keys_of(value)? else {
        return Err(type_error(format!(
            "'{}' object is not a mapping",
            class_name(value)
        )));
    };
    collection::add_items(dict, value, &keys)
}

impl Builder<'_> {
    fn items(&self, items: &[Element], span: Span) -> Items {
        let nodes: Box<[_]> = items
            .iter()
            .map(|item| match item {
                Element::One(tree) => (self.node(tree), false, tree.span),
                Element::Star(tree) => (self.node(tree), true, span),
            })
            .collect();
        let has_star = nodes.iter().any(|(_, star, _)| *star);
        Items { nodes, has_star }
    }

    pub fn tuple(&self, items: &[Element], span: Span) -> NodeBox {
        match constants(items) {
            Some(values) => Box::new(super::name::Const(Value::tuple(values))),
            None => Box::new(TupleDisplay(self.items(items, span))),
        }
    }

    pub fn list(&self, items: &[Element], span: Span) -> NodeBox {
        Box::new(ListDisplay(self.items(items, span)))
    }

    pub fn set(&self, items: &[Element], span: Span) -> NodeBox {
        if items.len() >= 3
            && let Some(values) = constants(items)
        {
            // CPython makes the frozenset of the constants, and again when it merges equal constants.
            if let Ok(set) = set_of(&values)
                && let Ok(set) = set_of(&iterate::collect(&set.into()).unwrap_or_default())
            {
                return Box::new(ConstantSet(set));
            }
        }
        Box::new(SetDisplay(self.items(items, span), span))
    }

    pub fn dict(&self, items: &[(Option<Tree>, Tree)], span: Span) -> NodeBox {
        let items = items
            .iter()
            .map(|(key, value)| (key.as_ref().map(|k| self.node(k)), self.node(value)))
            .collect();
        Box::new(DictDisplay { items, span })
    }
}
