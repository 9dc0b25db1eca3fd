//! `set` and `frozenset`.

use super::int::check_class;
use super::{method, static_method};
use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::iterate;
use crate::interp::mapping::{self, SetTable, as_set_table};
use crate::interp::operator::{self, collection, order};
use crate::interp::payload::*;
use crate::interp::types::{Type, class};
use crate::value::*;

fn this<'a>(args: &'a [Value], method: &str) -> Res<&'a SetTable> {
    as_set_table(&args[0]).ok_or_else(|| wrong_self(method, "set", &args[0]))
}

/// Only a set can change.
fn changeable<'a>(args: &'a [Value], method: &str) -> Res<&'a SetTable> {
    as_set(&args[0])
        .map(|set| &set.table)
        .ok_or_else(|| wrong_self(method, "set", &args[0]))
}

/// The first item of an iterable that is as asked for; what comes after it is not looked at.
fn first_key(items: &Value, is_wanted: impl Fn(&Value) -> Res<bool>) -> Res<Option<Value>> {
    let iterator = iterate::iter(items)?;
    while let Some(key) = iterate::next(&iterator)? {
        if is_wanted(&key)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// A new table with the keys of an iterable, laid out as CPython's `set(iterable)` does.
fn collect_set(other: &Value) -> Res<table::set::Set<Value>> {
    let table = SetTable::default();
    collection::fill(&table, other)?;
    Ok(table.into_inner())
}

/// A set of the same built-in type.
fn same_kind(args: &[Value], table: table::set::Set<Value>) -> Value {
    match plain(&args[0]) {
        Value::FrozenSet(_) => mapping::new_frozenset(table),
        _ => mapping::new_set(table),
    }
}

fn others(args: &[Value]) -> Vec<Value> {
    as_tuple(&args[1])
        .map(|others| others.items.to_vec())
        .unwrap_or_default()
}

fn union(args: &[Value]) -> Res {
    let result = SetTable::new(this(args, "union")?.borrow().copy());
    for other in others(args) {
        collection::fill(&result, &other)?;
    }
    Ok(same_kind(args, result.into_inner()))
}

/// The keys of a set that an iterable has too, in the order of the iterable; once there are all of them
/// it is not gone through further, as in CPython.
fn common_keys(set: &SetTable, items: &Value) -> Res<SetTable> {
    let common = SetTable::default();
    first_key(items, |key| {
        let hash = operator::hash(key)?;
        let is_common = mapping::set_position(set, hash, key)?.is_some();
        if is_common {
            mapping::set_add_hashed(&common, hash, key)?;
        }
        Ok(is_common && common.borrow().len() >= set.borrow().len())
    })?;
    Ok(common)
}

fn intersection_of(args: &[Value], method: &str) -> Res<table::set::Set<Value>> {
    let set = this(args, method)?;
    let mut result: Option<SetTable> = None;
    for other in others(args) {
        let left = result.as_ref().unwrap_or(set);
        let common = match as_set_table(&other) {
            Some(right) => SetTable::new(collection::intersection(left, right)?),
            None => common_keys(left, &other)?,
        };
        result = Some(common);
    }
    Ok(match result {
        Some(result) => result.into_inner(),
        None => set.borrow().copy(),
    })
}

fn remove_all(set: &SetTable, other: &Value) -> Res<()> {
    if as_set_table(other).is_some_and(|other| std::ptr::eq(other, set)) {
        let old = set.borrow_mut().take();
        drop(old);
        return Ok(());
    }
    iterate::for_each(other, |key| mapping::set_remove(set, &key).map(drop))?;
    set.borrow_mut().drop_dummies();
    Ok(())
}

fn difference(args: &[Value]) -> Res {
    let set = this(args, "difference")?;
    let mut others = others(args).into_iter();
    let result = match others.next() {
        Some(first) => without(set, &first)?,
        None => SetTable::new(set.borrow().copy()),
    };
    others.try_for_each(|other| remove_all(&result, &other))?;
    Ok(same_kind(args, result.into_inner()))
}

/// A new set of the keys that are not in another iterable. A larger dict is asked for each key.
fn without(set: &SetTable, other: &Value) -> Res<SetTable> {
    if let Some(other) = as_set_table(other) {
        return collection::difference(set, other).map(SetTable::new);
    }
    if let Value::Dict(dict) = other
        && set.borrow().len() >> 2 <= dict.len()
    {
        let result = SetTable::default();
        for (hash, key) in mapping::set_keys_hashed(set) {
            if mapping::dict_get_hashed(dict, hash, &key)?.is_none() {
                mapping::set_add_hashed(&result, hash, &key)?;
            }
        }
        return Ok(result);
    }
    let result = SetTable::new(set.borrow().copy());
    remove_all(&result, other)?;
    Ok(result)
}

fn replace(set: &SetTable, new: table::set::Set<Value>) {
    let old = std::mem::replace(&mut *set.borrow_mut(), new);
    drop(old);
}

pub const COMMON: &[NativeDef] = &[
    method("copy", "(self, /)", "Return a shallow copy of a set.", |args| {
        if let Value::FrozenSet(_) = &args[0] {
            return Ok(args[0].clone());
        }
        Ok(same_kind(args, this(args, "copy")?.borrow().copy()))
    }),
    method(
        "union",
        "(self, /, *others)",
        "Return a new set with elements from the set and all others.",
        union,
    ),
    method(
        "intersection",
        "(self, /, *others)",
        "Return a new set with elements common to the set and all others.",
        |args| Ok(same_kind(args, intersection_of(args, "intersection")?)),
    ),
    method(
        "difference",
        "(self, /, *others)",
        "Return a new set with elements in the set that are not in the others.",
        difference,
    ),
    method(
        "symmetric_difference",
        "(self, other, /)",
        "Return a new set with elements in either the set or other but not both.",
        |args| {
            let set = this(args, "symmetric_difference")?;
            let result = SetTable::new(collect_set(&args[1])?);
            collection::toggle(&result, set)?;
            Ok(same_kind(args, result.into_inner()))
        },
    ),
    method(
        "issubset",
        "(self, other, /)",
        "Report whether another set contains this set.",
        |args| {
            let set = this(args, "issubset")?;
            if let Some(other) = as_set_table(&args[1]) {
                let is_small = set.borrow().len() <= other.borrow().len();
                return Ok(Value::bool(is_small && order::is_subset(set, other)?));
            }
            let common = common_keys(set, &args[1])?;
            Ok(Value::bool(common.borrow().len() == set.borrow().len()))
        },
    ),
    method(
        "issuperset",
        "(self, other, /)",
        "Report whether this set contains another set.",
        |args| {
            let set = this(args, "issuperset")?;
            match as_set_table(&args[1]) {
                Some(other) => order::is_subset(other, set).map(Value::bool),
                None => first_key(&args[1], |key| Ok(!mapping::set_contains(set, key)?))
                    .map(|found| Value::bool(found.is_none())),
            }
        },
    ),
    method(
        "isdisjoint",
        "(self, other, /)",
        "Return True if two sets have a null intersection.",
        |args| {
            let set = this(args, "isdisjoint")?;
            let is_own = !matches!(args[1], Value::Instance(_));
            if let Some(other) = mapping::as_set_table(&args[1]).filter(|_| is_own) {
                return collection::are_disjoint(set, other).map(Value::bool);
            }
            let shared = first_key(&args[1], |key| mapping::set_contains(set, key))?;
            Ok(Value::bool(shared.is_none()))
        },
    ),
];

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Build an unordered collection of unique elements.",
        |args| {
            check_class(&args[0], Type::Set)?;
            Ok(wrap(
                &args[0],
                Type::Set,
                mapping::new_set(table::set::Set::new()),
            ))
        },
    ),
    method("__init__", "(self, iterable=(), /)", "Initialize self.", |args| {
        let set = changeable(args, "__init__")?;
        replace(set, table::set::Set::new());
        if !args[1].is_unset() {
            collection::fill(set, &args[1])?;
        }
        Ok(Value::None)
    }),
    method("add", "(self, object, /)", "Add an element to a set.", |args| {
        mapping::set_add(changeable(args, "add")?, &args[1])?;
        Ok(Value::None)
    }),
    method(
        "discard",
        "(self, object, /)",
        "Remove an element from a set if it is a member.",
        |args| {
            mapping::set_remove(changeable(args, "discard")?, &collection::frozen_key(&args[1])?)?;
            Ok(Value::None)
        },
    ),
    method(
        "remove",
        "(self, object, /)",
        "Remove an element from a set; it must be a member.",
        |args| match mapping::set_remove(changeable(args, "remove")?, &collection::frozen_key(&args[1])?)? {
            true => Ok(Value::None),
            false => Err(key_error(&args[1])),
        },
    ),
    method(
        "pop",
        "(self, /)",
        "Remove and return an arbitrary set element.",
        |args| {
            let taken = changeable(args, "pop")?.borrow_mut().pop();
            taken.ok_or_else(|| key_error(&Value::from("pop from an empty set")))
        },
    ),
    method(
        "clear",
        "(self, /)",
        "Remove all elements from this set.",
        |args| {
            let old = changeable(args, "clear")?.borrow_mut().take();
            drop(old);
            Ok(Value::None)
        },
    ),
    method(
        "update",
        "(self, /, *others)",
        "Update the set, adding elements from all others.",
        |args| {
            let set = changeable(args, "update")?;
            for other in others(args) {
                collection::fill(set, &other)?;
            }
            Ok(Value::None)
        },
    ),
    method(
        "intersection_update",
        "(self, /, *others)",
        "Keep only elements found in the set and all others.",
        |args| {
            let set = changeable(args, "intersection_update")?;
            replace(set, intersection_of(args, "intersection_update")?);
            Ok(Value::None)
        },
    ),
    method(
        "difference_update",
        "(self, /, *others)",
        "Remove all elements found in the others.",
        |args| {
            let set = changeable(args, "difference_update")?;
            for other in others(args) {
                remove_all(set, &other)?;
            }
            Ok(Value::None)
        },
    ),
    method(
        "symmetric_difference_update",
        "(self, other, /)",
        "Keep only elements found in either set, but not in both.",
        |args| {
            let set = changeable(args, "symmetric_difference_update")?;
            let collected;
            let other = match as_set_table(&args[1]) {
                Some(other) => other,
                None => {
                    collected = SetTable::new(collect_set(&args[1])?);
                    &collected
                }
            };
            collection::change_set(BinaryOp::BitXor, set, other)?;
            Ok(Value::None)
        },
    ),
];

pub const FROZEN: &[NativeDef] = &[static_method(
    "__new__",
    "(cls, iterable=(), /)",
    "Build an immutable unordered collection of unique elements.",
    |args| {
        check_class(&args[0], Type::FrozenSet)?;
        let is_exact = as_class(&args[0]).is_some_and(|of| of.is(&class(Type::FrozenSet)));
        if let (Value::FrozenSet(_), true) = (&args[1], is_exact) {
            return Ok(args[1].clone());
        }
        let table = match &args[1] {
            Value::Unset => table::set::Set::new(),
            other => collect_set(other)?,
        };
        Ok(wrap(&args[0], Type::FrozenSet, mapping::new_frozenset(table)))
    },
)];
