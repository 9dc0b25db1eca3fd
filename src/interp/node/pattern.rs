//! `match` patterns (PEP 634).

use super::name::Store;
use super::*;
use crate::code::{Pattern, PatternKind};
use crate::interp::error::{key_error, type_error, value_error};
use crate::interp::operator::collection;
use crate::interp::types::{Type, class, class_of};
use crate::interp::{attribute, call, isinstance, iterate, mapping, special, subscript, text};
use crate::source::{Symbol, name};

struct Match {
    subject: u32,
    pattern: PatternNode,
}

impl Node for Match {
    fn eval(&self, frame: &mut Frame) -> Res {
        let subject = frame.local(self.subject).clone();
        // Names are bound only if the whole pattern matches.
        let mut bound = Vec::new();
        if !self.pattern.matches(frame, &subject, &mut bound)? {
            return Ok(Value::FALSE);
        }
        for (store, value) in bound {
            store.store(frame, value)?;
        }
        Ok(Value::TRUE)
    }
}

enum PatternNode {
    Value(NodeBox, Span),
    Singleton(Value),
    Wildcard,
    Capture(Option<Box<PatternNode>>, Store),
    Or(Box<[PatternNode]>),
    Sequence {
        patterns: Box<[PatternNode]>,
        star: Option<usize>,
        span: Span,
    },
    Star(Option<Store>),
    Mapping {
        keys: Box<[NodeBox]>,
        patterns: Box<[PatternNode]>,
        rest: Option<Store>,
        span: Span,
    },
    Class {
        cls: NodeBox,
        patterns: Box<[PatternNode]>,
        keywords: Box<[(Symbol, PatternNode)]>,
        span: Span,
    },
}

type Bound<'p> = Vec<(&'p Store, Value)>;

impl PatternNode {
    fn matches<'p>(&'p self, frame: &mut Frame, subject: &Value, bound: &mut Bound<'p>) -> Res<bool> {
        match self {
            PatternNode::Value(node, span) => {
                let value = node.eval(frame)?;
                operator::equal(subject, &value).at(*span)
            }
            PatternNode::Singleton(value) => Ok(subject.is(value)),
            PatternNode::Wildcard => Ok(true),
            PatternNode::Capture(pattern, store) => {
                if let Some(pattern) = pattern
                    && !pattern.matches(frame, subject, bound)?
                {
                    return Ok(false);
                }
                bound.push((store, subject.clone()));
                Ok(true)
            }
            PatternNode::Or(patterns) => {
                for pattern in patterns {
                    let before = bound.len();
                    if pattern.matches(frame, subject, bound)? {
                        return Ok(true);
                    }
                    bound.truncate(before);
                }
                Ok(false)
            }
            PatternNode::Sequence { patterns, star, span } => {
                sequence(frame, subject, patterns, *star, bound).at(*span)
            }
            PatternNode::Star(_) => Ok(true),
            PatternNode::Mapping {
                keys,
                patterns,
                rest,
                span,
            } => mapping_pattern(frame, subject, keys, patterns, rest.as_ref(), bound).at(*span),
            PatternNode::Class {
                cls,
                patterns,
                keywords,
                span,
            } => {
                let cls = cls.eval(frame)?;
                class_pattern(frame, subject, &cls, patterns, keywords, bound).at(*span)
            }
        }
    }
}

fn sequence<'p>(
    frame: &mut Frame,
    subject: &Value,
    patterns: &'p [PatternNode],
    star: Option<usize>,
    bound: &mut Bound<'p>,
) -> Res<bool> {
    let items = match subject {
        Value::List(list) => list.items.borrow().clone(),
        Value::Tuple(tuple) => tuple.items.to_vec(),
        Value::Range(_) => iterate::collect(subject)?,
        Value::Instance(i) => match &i.payload {
            Value::List(_) | Value::Tuple(_) if !has_own_items(subject) => iterate::collect(subject)?,
            Value::Dict(_) => return Ok(false),
            payload if is_sequence(payload) || is_registered(subject, "Sequence") => {
                return own_sequence(frame, subject, patterns, star, bound);
            }
            _ => return Ok(false),
        },
        Value::Opaque(o) if o.class.name() == "deque" => iterate::collect(subject)?,
        _ => return Ok(false),
    };
    match fits(items.len(), patterns, star) {
        true => match_items(frame, &items, patterns, star, bound),
        false => Ok(false),
    }
}

/// Whether a sequence of this length has an item for each pattern.
fn fits(len: usize, patterns: &[PatternNode], star: Option<usize>) -> bool {
    match star {
        Some(_) => len >= patterns.len() - 1,
        None => len == patterns.len(),
    }
}

/// Matches items of the right number, of which a star takes those in its place.
fn match_items<'p>(
    frame: &mut Frame,
    items: &[Value],
    patterns: &'p [PatternNode],
    star: Option<usize>,
    bound: &mut Bound<'p>,
) -> Res<bool> {
    let star = star.unwrap_or(patterns.len());
    let (before, rest) = items.split_at(star);
    if !match_each(frame, before, patterns, bound)? {
        return Ok(false);
    }
    let after = patterns.get(star + 1..).unwrap_or_default();
    let (middle, rest) = rest.split_at(rest.len() - after.len());
    if let Some(PatternNode::Star(Some(store))) = patterns.get(star) {
        bound.push((store, Value::list(middle.to_vec())));
    }
    match_each(frame, rest, after, bound)
}

/// Matches one item by each pattern.
fn match_each<'p>(
    frame: &mut Frame,
    items: &[Value],
    patterns: &'p [PatternNode],
    bound: &mut Bound<'p>,
) -> Res<bool> {
    for (pattern, item) in patterns.iter().zip(items) {
        if !pattern.matches(frame, item, bound)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A sequence that says itself what its items are, asked in CPython's way: for no item if no pattern
/// looks at any, beside a `*_` for single ones by their index, else for all by iteration.
fn own_sequence<'p>(
    frame: &mut Frame,
    subject: &Value,
    patterns: &'p [PatternNode],
    star: Option<usize>,
    bound: &mut Bound<'p>,
) -> Res<bool> {
    let takes_any = star.is_some() && patterns.len() == 1;
    if !takes_any && !fits(iterate::length(subject)?, patterns, star) {
        return Ok(false);
    }
    let looks = |pattern: &PatternNode| !matches!(pattern, PatternNode::Wildcard | PatternNode::Star(None));
    if !patterns.iter().any(looks) {
        return Ok(true);
    }
    let Some(star) = star else {
        let items = exactly(subject, patterns.len())?;
        return match_items(frame, &items, patterns, None, bound);
    };
    if let PatternNode::Star(Some(_)) = patterns[star] {
        let items = iterate::collect(&iterate::iter(subject)?)?;
        let least = patterns.len() - 1;
        if items.len() < least {
            let got = items.len();
            let message = format!("not enough values to unpack (expected at least {least}, got {got})");
            return Err(value_error(message));
        }
        return match_items(frame, &items, patterns, Some(star), bound);
    }
    for (i, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| looks(pattern)) {
        let index = match i < star {
            true => i as i64,
            false => iterate::length(subject)? as i64 - (patterns.len() - i) as i64,
        };
        let item = subscript::get_item(subject, &Value::Int(index))?;
        if !pattern.matches(frame, &item, bound)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// So many items by iteration, no more and no less.
fn exactly(subject: &Value, count: usize) -> Res<Vec<Value>> {
    let iterator = iterate::iter(subject)?;
    let mut items = Vec::with_capacity(count);
    while items.len() < count {
        match iterate::next(&iterator)? {
            Some(item) => items.push(item),
            None => {
                let got = items.len();
                let message = format!("not enough values to unpack (expected {count}, got {got})");
                return Err(value_error(message));
            }
        }
    }
    if iterate::next(&iterator)?.is_some() {
        let message = format!("too many values to unpack (expected {count})");
        return Err(value_error(message));
    }
    Ok(items)
}

/// Whether the value's class inherits from the abstract class of that name, or was registered with it.
fn is_registered(subject: &Value, abstract_class: &str) -> bool {
    let kind = class_of(subject).lookup(Symbol::new("_abc_kind"));
    matches!(&kind, Some(Value::Str(kind)) if *kind.text == *abstract_class)
}

fn is_sequence(payload: &Value) -> bool {
    matches!(payload, Value::List(_) | Value::Tuple(_))
}

/// Whether a subclass of a list or tuple says itself what its items are.
fn has_own_items(subject: &Value) -> bool {
    [name::ITER, name::LEN, name::GETITEM]
        .into_iter()
        .any(|name| special::find(subject, name).is_some())
}

fn has_own_get(subject: &Value) -> bool {
    let get = class_of(subject).lookup(Symbol::new("get"));
    !matches!(&get, Some(Value::Native(native)) if native.owner == "dict")
}

fn mapping_pattern<'p>(
    frame: &mut Frame,
    subject: &Value,
    keys: &[NodeBox],
    patterns: &'p [PatternNode],
    rest: Option<&'p Store>,
    bound: &mut Bound<'p>,
) -> Res<bool> {
    let dict = match subject {
        Value::Dict(dict) => Some(Ref::clone(dict)),
        Value::Instance(i) => match &i.payload {
            // A `get` of its own is asked.
            Value::Dict(_) if has_own_get(subject) => None,
            Value::Dict(dict) => Some(Ref::clone(dict)),
            Value::List(_) | Value::Tuple(_) => return Ok(false),
            _ if is_registered(subject, "Mapping") => None,
            _ => return Ok(false),
        },
        Value::Opaque(o) if o.class.name() == "mappingproxy" => None,
        _ => return Ok(false),
    };
    if !keys.is_empty() && iterate::length(subject)? < keys.len() {
        return Ok(false);
    }
    let mut seen: Vec<Value> = Vec::with_capacity(keys.len());
    let mut values = Vec::with_capacity(keys.len());
    let absent: Value = Ref::new(Instance::new(class(Type::Object), Value::Unset)).into();
    for key in keys {
        let key = key.eval(frame)?;
        for other in &seen {
            if operator::equal(other, &key)? {
                let key = text::repr(&key)?;
                return Err(value_error(format!(
                    "mapping pattern checks duplicate key ({key})"
                )));
            }
        }
        // `get`, so that no value is made for a key that is not there.
        let found = match &dict {
            Some(dict) => mapping::dict_get(dict, &key)?,
            None => {
                let get = attribute::get(subject, Symbol::new("get"))?;
                let found = call::call(&get, &[key.clone(), absent.clone()])?;
                (!found.is(&absent)).then_some(found)
            }
        };
        let Some(value) = found else { return Ok(false) };
        seen.push(key);
        values.push(value);
    }
    for (value, pattern) in values.iter().zip(patterns) {
        if !pattern.matches(frame, value, bound)? {
            return Ok(false);
        }
    }
    if let Some(rest) = rest {
        let left = Ref::new(Dict::default());
        let entries = match &dict {
            Some(dict) => mapping::entries(dict),
            None => {
                collection::update_dict(&left, subject)?;
                Vec::new()
            }
        };
        for (key, value) in entries {
            mapping::dict_set(&left, &key, value)?;
        }
        for key in &seen {
            if mapping::dict_remove(&left, key)?.is_none() {
                return Err(key_error(key));
            }
        }
        bound.push((rest, left.into()));
    }
    Ok(true)
}

fn class_pattern<'p>(
    frame: &mut Frame,
    subject: &Value,
    cls: &Value,
    patterns: &'p [PatternNode],
    keywords: &'p [(Symbol, PatternNode)],
    bound: &mut Bound<'p>,
) -> Res<bool> {
    let Value::Class(wanted) = cls else {
        return Err(type_error("called match pattern must be a class"));
    };
    if !isinstance::is_instance(subject, cls)? {
        return Ok(false);
    }
    // All attributes are asked for before any is matched, none of them twice.
    let mut found: Vec<(Option<Symbol>, Value, &PatternNode)> =
        Vec::with_capacity(patterns.len() + keywords.len());
    let twice = |attr: Symbol| {
        type_error(format!(
            "{}() got multiple sub-patterns for attribute '{attr}'",
            wanted.name()
        ))
    };
    if !patterns.is_empty() {
        // These match themselves with one positional pattern.
        let own = [
            Type::Bool,
            Type::ByteArray,
            Type::Bytes,
            Type::Dict,
            Type::Float,
            Type::FrozenSet,
            Type::Int,
            Type::List,
            Type::Set,
            Type::Str,
            Type::Tuple,
        ];
        let match_args = attribute::find(cls, name::MATCH_ARGS)?;
        let matches_itself = match_args.is_none() && own.iter().any(|&t| wanted.is_subclass(&class(t)));
        if matches_itself {
            if patterns.len() > 1 {
                return Err(type_error(format!(
                    "{}() accepts 1 positional sub-pattern ({} given)",
                    wanted.name(),
                    patterns.len()
                )));
            }
            found.push((None, subject.clone(), &patterns[0]));
        } else {
            let names = match &match_args {
                Some(Value::Tuple(names)) => names.items.to_vec(),
                None => Vec::new(),
                Some(other) => {
                    return Err(type_error(format!(
                        "{}.__match_args__ must be a tuple (got {})",
                        wanted.name(),
                        class_of(other).name()
                    )));
                }
            };
            if names.len() < patterns.len() {
                let s = if names.len() == 1 { "" } else { "s" };
                return Err(type_error(format!(
                    "{}() accepts {} positional sub-pattern{s} ({} given)",
                    crate::interp::types::shown_name(wanted),
                    names.len(),
                    patterns.len()
                )));
            }
            for (attr, pattern) in names.iter().zip(patterns) {
                let Value::Str(attr) = attr else {
                    return Err(type_error(format!(
                        "__match_args__ elements must be strings (got {})",
                        class_of(attr).name()
                    )));
                };
                let attr = attr.symbol();
                if found.iter().any(|(other, ..)| *other == Some(attr)) {
                    return Err(twice(attr));
                }
                let Some(value) = attribute::find(subject, attr)? else {
                    return Ok(false);
                };
                found.push((Some(attr), value, pattern));
            }
        }
    }
    for (attr, pattern) in keywords {
        if found.iter().any(|(other, ..)| *other == Some(*attr)) {
            return Err(twice(*attr));
        }
        let Some(value) = attribute::find(subject, *attr)? else {
            return Ok(false);
        };
        found.push((Some(*attr), value, pattern));
    }
    for (_, value, pattern) in found {
        if !pattern.matches(frame, &value, bound)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Builder<'_> {
    pub fn match_pattern(&self, subject: u32, pattern: &Pattern) -> NodeBox {
        Box::new(Match {
            subject,
            pattern: self.pattern(pattern),
        })
    }

    fn patterns(&self, patterns: &[Pattern]) -> Box<[PatternNode]> {
        patterns.iter().map(|p| self.pattern(p)).collect()
    }

    fn pattern(&self, pattern: &Pattern) -> PatternNode {
        let span = pattern.span;
        let store = |place: &Option<Place>| place.map(|p| self.store(p, span));
        match &pattern.kind {
            PatternKind::Value(tree) => PatternNode::Value(self.node(tree), span),
            PatternKind::Singleton(constant) => PatternNode::Singleton(constant_value(constant)),
            PatternKind::Wildcard => PatternNode::Wildcard,
            PatternKind::Capture { pattern, place } => PatternNode::Capture(
                pattern.as_ref().map(|p| Box::new(self.pattern(p))),
                self.store(*place, span),
            ),
            PatternKind::Or(patterns) => PatternNode::Or(self.patterns(patterns)),
            PatternKind::Sequence { patterns, star } => PatternNode::Sequence {
                patterns: self.patterns(patterns),
                star: star.map(|s| s as usize),
                span,
            },
            PatternKind::Star(place) => PatternNode::Star(store(place)),
            PatternKind::Mapping { keys, patterns, rest } => PatternNode::Mapping {
                keys: self.nodes(keys),
                patterns: self.patterns(patterns),
                rest: store(rest),
                span,
            },
            PatternKind::Class {
                cls,
                patterns,
                keywords,
            } => PatternNode::Class {
                cls: self.node(cls),
                patterns: self.patterns(patterns),
                keywords: keywords.iter().map(|(n, p)| (*n, self.pattern(p))).collect(),
                span,
            },
        }
    }
}
