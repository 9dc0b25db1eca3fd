//! Looking up, adding and removing keys of dicts and sets.
//!
//! Always true: no borrow of a table is held while keys are compared by script code; a script that
//! changes the table in the middle of a lookup makes the lookup begin again; what is taken out of
//! a table is dropped after the borrow has ended.

use super::error::{key_error, runtime_error};
use super::operator::{hash, same_or_equal};
use super::payload::as_dict;
use super::special;
use crate::source::{Symbol, name};
use crate::value::*;

/// Whether two keys are equal, if that can be told without running script code.
#[inline]
pub fn quick_equal(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Some(***a == ***b),
        (Value::Int(a), Value::Int(b)) => Some(a == b),
        _ => quick_equal_rest(a, b),
    }
}

fn quick_equal_rest(a: &Value, b: &Value) -> Option<bool> {
    if a.is(b) {
        return Some(true);
    }
    let is_simple = |v: &Value| {
        matches!(
            v,
            Value::None
                | Value::Bool(_)
                | Value::Int(_)
                | Value::Float(_)
                | Value::Big(_)
                | Value::Str(_)
                | Value::Bytes(_)
                | Value::Function(_)
                | Value::Native(_)
                | Value::Ellipsis
        )
    };
    match (a, b) {
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.0 == b.0),
        (Value::Big(a), Value::Big(b)) => Some(a.0 == b.0),
        (Value::Tuple(a), Value::Tuple(b)) => {
            if a.items.len() != b.items.len() {
                return Some(false);
            }
            for (a, b) in a.items.iter().zip(&b.items) {
                match quick_equal(a, b) {
                    Some(true) => {}
                    Some(false) => return Some(false),
                    None => return None,
                }
            }
            Some(true)
        }
        (a, b) if is_simple(a) && is_simple(b) => Some(super::operator::number::equal(a, b).unwrap_or(false)),
        _ => None,
    }
}

/// The position of a key in a dict's table.
pub fn dict_position(dict: &Dict, hash: i64, key: &Value) -> Res<Option<usize>> {
    {
        let mut unsure = false;
        let found = dict
            .table
            .borrow()
            .find(hash, |known| match quick_equal(known, key) {
                Some(answer) => answer,
                None => {
                    unsure = true;
                    true
                }
            });
        if !unsure {
            return Ok(found);
        }
    }
    'anew: loop {
        let (version, mut probe) = {
            let table = dict.table.borrow();
            (table.version(), table.probe(hash))
        };
        loop {
            let candidate = {
                let table = dict.table.borrow();
                table
                    .step(&mut probe)
                    .and_then(|place| Some((place, table.entry(place)?.0.clone())))
            };
            let Some((place, known)) = candidate else {
                return Ok(None);
            };
            let is_equal = same_or_equal(&known, key)?;
            drop(known);
            if dict.table.borrow().version() != version {
                continue 'anew;
            }
            if is_equal {
                return Ok(Some(place));
            }
        }
    }
}

/// The position of a key in a set's table.
pub fn set_position(table: &SetTable, hash: i64, key: &Value) -> Res<Option<usize>> {
    {
        let mut unsure = false;
        let found = table.borrow().find(hash, |known| match quick_equal(known, key) {
            Some(answer) => answer,
            None => {
                unsure = true;
                true
            }
        });
        if !unsure {
            return Ok(found);
        }
    }
    'anew: loop {
        let (version, mut probe) = {
            let table = table.borrow();
            (table.version(), table.probe(hash))
        };
        loop {
            let candidate = {
                let table = table.borrow();
                table
                    .step(&mut probe)
                    .and_then(|place| Some((place, table.key(place)?.clone())))
            };
            let Some((place, known)) = candidate else {
                return Ok(None);
            };
            let is_equal = same_or_equal(&known, key)?;
            drop(known);
            if table.borrow().version() != version {
                continue 'anew;
            }
            if is_equal {
                return Ok(Some(place));
            }
        }
    }
}

/// The table of a set or frozenset.
pub type SetTable = std::cell::RefCell<table::set::Set<Value>>;

/// `dict.get(key)`
#[inline]
pub fn dict_get(dict: &Dict, key: &Value) -> Res<Option<Value>> {
    dict_get_hashed(dict, hash(key)?, key)
}

/// `dict.get(key)` for a key whose hash is known.
pub fn dict_get_hashed(dict: &Dict, hash: i64, key: &Value) -> Res<Option<Value>> {
    let Some(place) = dict_position(dict, hash, key)? else {
        return Ok(None);
    };
    Ok(dict.table.borrow().entry(place).map(|(_, value)| value.clone()))
}

pub fn dict_contains(dict: &Dict, key: &Value) -> Res<bool> {
    Ok(dict_position(dict, hash(key)?, key)?.is_some())
}

/// `dict[key]`, or KeyError.
pub fn dict_require(dict: &Dict, key: &Value) -> Res {
    dict_get(dict, key)?.ok_or_else(|| key_error(key))
}

/// `dict[key] = value`
#[inline]
pub fn dict_set(dict: &Dict, key: &Value, value: Value) -> Res<()> {
    dict_set_hashed(dict, hash(key)?, key, value)
}

pub fn dict_set_hashed(dict: &Dict, hash: i64, key: &Value, value: Value) -> Res<()> {
    match dict_position(dict, hash, key)? {
        Some(place) => {
            let mut table = dict.table.borrow_mut();
            let old = table.value_mut(place).map(|old| std::mem::replace(old, value));
            drop(table);
            drop(old);
        }
        None => {
            dict.table.borrow_mut().insert_new(hash, key.clone(), value);
        }
    }
    Ok(())
}

/// The value of a key, which is set to this one if it is not there: one search for both.
pub fn dict_set_default(dict: &Dict, hash: i64, key: &Value, value: Value) -> Res {
    if let Some(place) = dict_position(dict, hash, key)?
        && let Some((_, known)) = dict.table.borrow().entry(place)
    {
        return Ok(known.clone());
    }
    dict.table
        .borrow_mut()
        .insert_new(hash, key.clone(), value.clone());
    Ok(value)
}

/// Takes out a key; gives its value.
pub fn dict_remove(dict: &Dict, key: &Value) -> Res<Option<Value>> {
    let Some(place) = dict_position(dict, hash(key)?, key)? else {
        return Ok(None);
    };
    let taken = dict.table.borrow_mut().remove_entry(place);
    Ok(taken.map(|(_, value)| value))
}

/// Moves the entry at a position to the end; gives its new position.
pub fn dict_to_end(dict: &Dict, place: usize) -> usize {
    let mut table = dict.table.borrow_mut();
    if place + 1 == table.end() {
        return place;
    }
    let hash = table.hash_at(place);
    match (hash, table.remove_entry(place)) {
        (Some(hash), Some((key, value))) => table.insert_new(hash, key, value),
        _ => place,
    }
}

/// Moves the entry at a position to the start; gives its new position.
pub fn dict_to_start(dict: &Dict, place: usize) -> usize {
    let mut table = dict.table.borrow_mut();
    let hash = table.hash_at(place);
    match (hash, table.remove_entry(place)) {
        (Some(hash), Some((key, value))) => table.insert_first(hash, key, value),
        _ => place,
    }
}

/// The entry at a position or after it, and where to go on.
pub fn dict_next(dict: &Dict, position: usize) -> Option<(usize, Value, Value)> {
    let table = dict.table.borrow();
    table
        .next_from(position)
        .map(|(place, key, value)| (place + 1, key.clone(), value.clone()))
}

/// Everything in a dict, as it is now.
pub fn entries(dict: &Dict) -> Vec<(Value, Value)> {
    dict.table
        .borrow()
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

pub fn entries_hashed(dict: &Dict) -> Vec<(i64, Value, Value)> {
    dict.table
        .borrow()
        .iter_hashed()
        .map(|(hash, key, value)| (hash, key.clone(), value.clone()))
        .collect()
}

/// The dict whose items may be taken without asking it: a subclass that iterates in its own way is
/// asked for its keys and values.
pub fn whole_dict(value: &Value) -> Option<&Ref<Dict>> {
    as_dict(value).filter(|_| special::find(value, name::ITER).is_none())
}

/// A copy of a dict.
pub fn dict_copy(dict: &Dict) -> Dict {
    Dict {
        table: std::cell::RefCell::new(dict.table.borrow().clone()),
    }
}

/// Adds all entries of another dict, replacing what is there.
pub fn dict_merge(dict: &Dict, other: &Dict) -> Res<()> {
    if std::ptr::eq(dict, other) {
        return Ok(());
    }
    if dict.table.borrow().is_empty() {
        let copy = other.table.borrow().clone();
        let old = std::mem::replace(&mut *dict.table.borrow_mut(), copy);
        drop(old);
        return Ok(());
    }
    let count = other.table.borrow().len();
    for (hash, key, value) in entries_hashed(other) {
        dict_set_hashed(dict, hash, &key, value)?;
        // A key's `__eq__` is code of the script.
        if other.table.borrow().len() != count {
            return Err(runtime_error("dict mutated during update"));
        }
    }
    Ok(())
}

/// A dict of names and values: keyword arguments, namespaces.
pub fn dict_of_symbols(entries: impl IntoIterator<Item = (Symbol, Value)>) -> Value {
    let dict = Dict::default();
    for (name, value) in entries {
        dict.set_symbol(name, value);
    }
    Ref::new(dict).into()
}

pub fn set_contains(table: &SetTable, key: &Value) -> Res<bool> {
    Ok(set_position(table, hash(key)?, key)?.is_some())
}

/// Adds a key; true if it was not there.
pub fn set_add(table: &SetTable, key: &Value) -> Res<bool> {
    set_add_hashed(table, hash(key)?, key)
}

pub fn set_add_hashed(table: &SetTable, hash: i64, key: &Value) -> Res<bool> {
    if set_position(table, hash, key)?.is_some() {
        return Ok(false);
    }
    table.borrow_mut().insert_new(hash, key.clone());
    Ok(true)
}

/// Takes out a key; false if it is not there.
pub fn set_remove(table: &SetTable, key: &Value) -> Res<bool> {
    set_remove_hashed(table, hash(key)?, key)
}

pub fn set_remove_hashed(table: &SetTable, hash: i64, key: &Value) -> Res<bool> {
    let Some(place) = set_position(table, hash, key)? else {
        return Ok(false);
    };
    let taken = table.borrow_mut().remove(place);
    drop(taken);
    Ok(true)
}

/// All keys of a set, as it is now.
pub fn set_keys(table: &SetTable) -> Vec<Value> {
    let table = table.borrow();
    let mut keys = Vec::with_capacity(table.len());
    keys.extend(table.iter().cloned());
    keys
}

pub fn set_keys_hashed(table: &SetTable) -> Vec<(i64, Value)> {
    table
        .borrow()
        .iter_hashed()
        .map(|(hash, key)| (hash, key.clone()))
        .collect()
}

/// The table of a set or frozenset, or of an instance of a class that inherits from one.
pub fn as_set_table(value: &Value) -> Option<&SetTable> {
    match super::payload::plain(value) {
        Value::Set(set) => Some(&set.table),
        Value::FrozenSet(set) => Some(&set.table),
        _ => None,
    }
}

/// A new set with these keys.
pub fn set_of(keys: impl IntoIterator<Item = Value>) -> Res<table::set::Set<Value>> {
    let table = SetTable::default();
    for key in keys {
        set_add(&table, &key)?;
    }
    Ok(table.into_inner())
}

pub fn new_set(table: table::set::Set<Value>) -> Value {
    Ref::new(Set { table: table.into() }).into()
}

pub fn new_frozenset(table: table::set::Set<Value>) -> Value {
    Ref::new(FrozenSet {
        table: table.into(),
        hash: std::cell::Cell::new(0),
    })
    .into()
}

pub fn new_dict() -> Ref<Dict> {
    Ref::new(Dict::default())
}
