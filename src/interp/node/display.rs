//! List, tuple, set and dict displays.

use super::*;
use crate::code::Element;
use crate::interp::error::{matches, type_error};
use crate::interp::operator::collection;
use crate::interp::types::{Type, class_name};
use crate::interp::{iterate, mapping};

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
                        if iterate::speaks_of_iteration(&value) {
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
        // What stands before the first star is added together, what follows as it comes; so is all if
        // there is much of it.
        let nodes = &self.0.nodes;
        let first_star = nodes.iter().position(|(_, is_star, _)| *is_star);
        let together = match nodes.len() > TOGETHER {
            true => 0,
            false => first_star.unwrap_or(nodes.len()),
        };
        let (before, after) = nodes.split_at(together);
        let mut together = Vec::with_capacity(before.len());
        for (node, ..) in before {
            together.push(node.eval(frame)?);
        }
        together.iter().try_for_each(add)?;
        for (node, is_star, span) in after {
            let value = node.eval(frame)?;
            match is_star {
                true => collection::fill(&set.table, &value).at(*span)?,
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

/// As many values CPython puts on its stack before it makes a container of them.
const TOGETHER: usize = 30;

struct DictDisplay {
    parts: Box<[DictPart]>,
    span: Span,
}

enum DictPart {
    Pairs(Pairs),
    Unpack(NodeBox),
}

/// Pairs without a `**` between them.
struct Pairs {
    pairs: Box<[(NodeBox, NodeBox)]>,
    /// Nobody can see when the keys are hashed.
    is_plain: bool,
}

impl Pairs {
    fn of(pairs: Vec<(&Tree, NodeBox, NodeBox)>) -> DictPart {
        let is_constant = |(key, ..): &(&Tree, NodeBox, NodeBox)| matches!(key.kind, TreeKind::Constant(_));
        DictPart::Pairs(Pairs {
            is_plain: pairs.len() < 2 || pairs.iter().all(is_constant),
            pairs: pairs.into_iter().map(|(_, key, value)| (key, value)).collect(),
        })
    }

    /// As in CPython, all are evaluated before the first key is hashed, unless there are many.
    fn add_to(&self, dict: &Dict, frame: &mut Frame, span: Span) -> Res<()> {
        if self.is_plain || self.pairs.len() * 2 > TOGETHER {
            for (key, value) in &self.pairs {
                let key = key.eval(frame)?;
                let value = value.eval(frame)?;
                mapping::dict_set(dict, &key, value).at(span)?;
            }
            return Ok(());
        }
        let mut together = Vec::with_capacity(self.pairs.len());
        for (key, value) in &self.pairs {
            let key = key.eval(frame)?;
            together.push((key, value.eval(frame)?));
        }
        for (key, value) in together {
            mapping::dict_set(dict, &key, value).at(span)?;
        }
        Ok(())
    }
}

impl Node for DictDisplay {
    fn eval(&self, frame: &mut Frame) -> Res {
        let dict = Ref::new(Dict::default());
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                // Behind others they become a dict of their own, which is then merged.
                DictPart::Pairs(pairs) if at > 0 && !pairs.is_plain => {
                    let own = Dict::default();
                    pairs.add_to(&own, frame, self.span)?;
                    mapping::dict_merge(&dict, &own).at(self.span)?;
                }
                DictPart::Pairs(pairs) => pairs.add_to(&dict, frame, self.span)?,
                DictPart::Unpack(value) => {
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
    let not_a_mapping = || type_error(format!("'{}' object is not a mapping", class_name(value)));
    let merged = match mapping::whole_dict(value) {
        Some(other) => mapping::dict_merge(dict, other),
        None => match collection::keys_of(value) {
            Ok(Some(keys)) => collection::add_items(dict, value, &keys),
            Ok(None) => return Err(not_a_mapping()),
            Err(raised) => Err(raised),
        },
    };
    // CPython takes any AttributeError for the one that there is no `keys`.
    merged.map_err(|raised| match matches(&raised, Type::AttributeError) {
        true => {
            drop(raised.take());
            not_a_mapping()
        }
        false => raised,
    })
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
        let mut parts = Vec::new();
        let mut pairs = Vec::new();
        for (key, value) in items {
            let node = self.node(value);
            match key {
                Some(key) => {
                    pairs.push((key, self.node(key), node));
                    // Longer ones are put in in turn, so many at a time.
                    if pairs.len() * 2 > TOGETHER + 2 {
                        parts.push(Pairs::of(std::mem::take(&mut pairs)));
                    }
                }
                None => {
                    parts.push(Pairs::of(std::mem::take(&mut pairs)));
                    parts.push(DictPart::Unpack(node));
                }
            }
        }
        parts.push(Pairs::of(pairs));
        Box::new(DictDisplay {
            parts: parts.into(),
            span,
        })
    }
}
