//! Sorting: `list.sort`, `sorted`.
//!
//! Always true: the list is empty while its items are compared, so a script that looks at it finds
//! nothing, and one that changes it is told; the first exception ends the sort and leaves the
//! items in some order, all of them there.

mod merge;

use crate::interp::call;
use crate::interp::error::*;
use crate::interp::mapping::quick_equal;
use crate::interp::operator;
use crate::interp::special;
use crate::source::name;
use crate::value::*;
use merge::merge_sort;
use std::cmp::Ordering;

/// `list.sort(key=key, reverse=reverse)`
pub fn sort_list(list: &Ref<List>, key: Option<&Value>, reverse: bool) -> Res<()> {
    let mut items = std::mem::take(&mut *list.items.borrow_mut());
    let result = sort(&mut items, key, reverse);
    let found = std::mem::replace(&mut *list.items.borrow_mut(), items);
    result?;
    // What was added and taken out again has left room.
    if found.capacity() > 0 {
        drop(found);
        return Err(value_error("list modified during sort"));
    }
    Ok(())
}

/// Sorts values, stably.
pub fn sort(items: &mut Vec<Value>, key: Option<&Value>, reverse: bool) -> Res<()> {
    let Some(key) = key else {
        return sort_by_themselves(items, reverse);
    };
    let mut keyed = Vec::with_capacity(items.len());
    for item in items.iter() {
        keyed.push((call::call(key, std::slice::from_ref(item))?, item.clone()));
    }
    let result = sort_pairs(&mut keyed, reverse);
    // The keys are dropped only when the items are in their new order.
    let (keys, sorted): (Vec<Value>, Vec<Value>) = keyed.into_iter().unzip();
    *items = sorted;
    drop(keys);
    result
}

fn sort_by_themselves(items: &mut [Value], reverse: bool) -> Res<()> {
    match kind_of(items.iter()) {
        Kind::Ints => stable(items, reverse, |a, b| int(a).cmp(&int(b))),
        Kind::Strs => stable(items, reverse, |a, b| text(a).cmp(text(b))),
        Kind::Floats => stable(items, reverse, |a, b| {
            float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal)
        }),
        Kind::Mixed => return sort_mixed(items, reverse, |item| item),
    }
    Ok(())
}

/// Sorts pairs by what is first in them, stably.
pub fn sort_pairs(pairs: &mut [(Value, Value)], reverse: bool) -> Res<()> {
    match kind_of(pairs.iter().map(|(key, _)| key)) {
        Kind::Ints => stable(pairs, reverse, |a, b| int(&a.0).cmp(&int(&b.0))),
        Kind::Strs => stable(pairs, reverse, |a, b| text(&a.0).cmp(text(&b.0))),
        Kind::Floats => {
            stable(pairs, reverse, |a, b| {
                float(&a.0).partial_cmp(&float(&b.0)).unwrap_or(Ordering::Equal)
            });
        }
        Kind::Mixed => return sort_mixed(pairs, reverse, |pair| &pair.0),
    }
    Ok(())
}

/// What all the keys are, if they are of one simple kind.
enum Kind {
    Ints,
    Strs,
    /// Without nan, which has no place in an order.
    Floats,
    Mixed,
}

fn kind_of<'a>(keys: impl Iterator<Item = &'a Value> + Clone) -> Kind {
    if keys.clone().all(|k| matches!(k, Value::Int(_))) {
        Kind::Ints
    } else if keys.clone().all(|k| matches!(k, Value::Str(_))) {
        Kind::Strs
    } else if keys
        .clone()
        .all(|k| matches!(k, Value::Float(x) if !x.get().is_nan()))
    {
        Kind::Floats
    } else {
        Kind::Mixed
    }
}

fn int(value: &Value) -> i64 {
    if let Value::Int(n) = value { *n } else { 0 }
}

fn float(value: &Value) -> f64 {
    if let Value::Float(x) = value { x.get() } else { 0.0 }
}

fn text(value: &Value) -> &str {
    if let Value::Str(text) = value {
        &text.text
    } else {
        ""
    }
}

/// Equal items keep their order, also in reverse.
fn stable<T>(items: &mut [T], reverse: bool, mut compare: impl FnMut(&T, &T) -> Ordering) {
    if reverse {
        items.sort_by(|a, b| compare(b, a));
    } else {
        items.sort_by(compare);
    }
}

/// Sorts by Python's `<`, asked only that way round and in CPython's order. The first exception ends
/// it and leaves all the items there.
fn sort_mixed<T: Clone>(items: &mut [T], reverse: bool, key: impl Fn(&T) -> &Value) -> Res<()> {
    if reverse {
        items.reverse();
    }
    let method = common_less(items.iter().map(&key));
    let result = match &method {
        Some(method) => merge_sort(items, &|a, b| less_by(method, key(a), key(b))),
        None => merge_sort(items, &|a, b| less(key(a), key(b))),
    };
    if reverse {
        items.reverse();
    }
    result
}

/// The `__lt__` of objects that are all of one class: it is found once.
fn common_less<'a>(mut keys: impl Iterator<Item = &'a Value>) -> Option<Value> {
    let first = keys.next()?;
    let Value::Instance(instance) = first else {
        return None;
    };
    let class = instance.class();
    let is_same = |key: &Value| matches!(key, Value::Instance(key) if key.class.borrow().is(&class));
    match keys.all(is_same) {
        true => special::find(first, name::LT),
        false => None,
    }
}

/// `a < b` by a method of their class, as long as they are of it.
fn less_by(method: &Value, a: &Value, b: &Value) -> Res<bool> {
    match call::call_unbound(method, a, std::slice::from_ref(b))? {
        Value::Bool(answer) => Ok(answer.get()),
        Value::NotImplemented => operator::less(a, b),
        answer => operator::truth(&answer),
    }
}

/// `a < b`; tuples are compared here as far as that needs no script.
fn less(a: &Value, b: &Value) -> Res<bool> {
    if let (Value::Tuple(x), Value::Tuple(y)) = (a, b) {
        for (i, j) in x.items.iter().zip(&y.items) {
            match quick_equal(i, j) {
                Some(true) => {}
                Some(false) => return operator::less(i, j),
                None => return operator::less(a, b),
            }
        }
        return Ok(x.items.len() < y.items.len());
    }
    operator::less(a, b)
}
