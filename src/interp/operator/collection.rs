//! Operators of strings, lists, tuples, bytes, sets, dicts and type forms.

use super::percent;
use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::mapping::{self, SetTable, as_set_table};
use crate::interp::payload::*;
use crate::interp::special;
use crate::interp::types::{Type, class_name, class_of};
use crate::interp::{attribute, call, isinstance, iterate, subscript};
use crate::source::name;
use crate::value::descriptor::{DictView, GenericAlias, Union};
use crate::value::iterator::DictPart;
use crate::value::*;

/// No sequence may be longer than this: it would fill the memory.
const MOST_ITEMS: usize = 1 << 31;

/// Sets, dicts, views, type unions and `%`: what Python does before it looks at sequences.
pub fn binary(op: BinaryOp, a: &Value, b: &Value) -> Option<Res> {
    match (op, a, b) {
        (BinaryOp::Mod, Value::Str(template), _) => Some(percent::format(&template.text, b).map(Value::from)),
        (BinaryOp::Mod, Value::Bytes(_) | Value::ByteArray(_), _) => Some(percent::format_bytes(a, b)),
        (
            BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::Sub | BinaryOp::BitXor,
            Value::Set(_) | Value::FrozenSet(_),
            Value::Set(_) | Value::FrozenSet(_),
        ) => {
            let (x, y) = (as_set_table(a)?, as_set_table(b)?);
            let result = match op {
                BinaryOp::BitOr => union(x, y),
                BinaryOp::BitAnd => intersection(x, y),
                BinaryOp::Sub => difference(x, y),
                _ => symmetric_difference(x, y),
            };
            Some(result.map(|table| same_kind_of_set(a, table)))
        }
        (BinaryOp::BitOr, Value::Dict(x), Value::Dict(y)) => {
            let merged = Ref::new(mapping::dict_copy(x));
            Some(mapping::dict_merge(&merged, y).map(|()| merged.into()))
        }
        (BinaryOp::BitOr, _, _) if is_type_form(a) && is_type_form(b) && !(a.is_none() && b.is_none()) => {
            Some(isinstance::union(a, b))
        }
        (BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::Sub | BinaryOp::BitXor, _, _)
            if is_set_view(a) || is_set_view(b) =>
        {
            // An object that is no iterable may still know what to do with a view.
            if [a, b]
                .iter()
                .any(|v| special::is_possible(v) && !iterate::is_iterable(v))
            {
                return None;
            }
            Some(views(op, a, b))
        }
        _ => None,
    }
}

/// What a class of a script makes of the operators of the built-in one that it derives from, where
/// that is something else.
pub fn of_class(op: BinaryOp, a: &Value, b: &Value) -> Option<Res> {
    let is_number = |name| is_sequence(plain(a)) && special::find(a, name).is_some();
    match (op, plain(a), plain(b)) {
        // Those that iterate in a way of their own are read as any mapping.
        (BinaryOp::BitOr, Value::Dict(_), Value::Dict(_))
            if [a, b].iter().any(|dict| mapping::whole_dict(dict).is_none()) =>
        {
            let merged = mapping::new_dict();
            let updated = update_dict(&merged, a).and_then(|()| update_dict(&merged, b));
            Some(updated.map(|()| merged.into()))
        }
        // With a reflected method it has a number's operators, which come first.
        (BinaryOp::Add, _, _) if is_number(name::RADD) => sequence(op, a, b).transpose(),
        (BinaryOp::Mul, _, _) if is_number(name::RMUL) => sequence(op, a, b).transpose(),
        _ => None,
    }
}

fn is_type_form(value: &Value) -> bool {
    matches!(value, Value::None | Value::Class(_))
        || value.opaque::<GenericAlias>().is_some()
        || value.opaque::<Union>().is_some()
}

fn is_set_view(value: &Value) -> bool {
    value
        .opaque::<DictView>()
        .is_some_and(|view| view.part != DictPart::Values)
}

fn set_of(items: &Value) -> Res<SetTable> {
    if let Some(table) = as_set_table(items) {
        return Ok(SetTable::new(table.borrow().copy()));
    }
    let table = SetTable::default();
    match items.opaque::<DictView>() {
        Some(view) if view.part == DictPart::Keys => fill(&table, &view.dict.clone().into())?,
        _ => fill(&table, items)?,
    }
    Ok(table)
}

/// Set operators of dict views, in CPython's order of insertion.
fn views(op: BinaryOp, a: &Value, b: &Value) -> Res {
    if op == BinaryOp::BitAnd {
        return view_intersection(a, b);
    }
    let result = set_of(a)?;
    match op {
        BinaryOp::BitOr => fill(&result, b)?,
        BinaryOp::Sub => {
            iterate::for_each(b, |key| mapping::set_remove(&result, &key).map(drop))?;
            result.borrow_mut().drop_dummies();
        }
        _ => match as_set_table(b) {
            Some(other) => toggle(&result, other)?,
            None => {
                let other = SetTable::default();
                fill(&other, b)?;
                toggle(&result, &other)?;
            }
        },
    }
    Ok(mapping::new_set(result.into_inner()))
}

fn view_intersection(a: &Value, b: &Value) -> Res {
    let (mut view, mut other) = if is_set_view(a) { (a, b) } else { (b, a) };
    let len = iterate::length(view)?;
    let is_larger = |value: &Value| -> Res<bool> { Ok(iterate::length(value)? > len) };
    let result = SetTable::default();
    // Walked is the smaller one, if both tell their size.
    if let Some(set) = as_set_table(other)
        && (is_larger(other)? || iterate::length(other)? == len)
    {
        iterate::for_each(view, |key| {
            let hash = super::hash(&key)?;
            if mapping::set_position(set, hash, &key)?.is_some() {
                mapping::set_add_hashed(&result, hash, &key)?;
            }
            Ok(())
        })?;
        return Ok(mapping::new_set(result.into_inner()));
    }
    if is_set_view(other) && is_larger(other)? {
        (view, other) = (other, view);
    }
    iterate::for_each(other, |key| {
        if super::contains(view, &key)? {
            mapping::set_add(&result, &key)?;
        }
        Ok(())
    })?;
    Ok(mapping::new_set(result.into_inner()))
}

fn same_kind_of_set(like: &Value, table: table::set::Set<Value>) -> Value {
    match like {
        Value::FrozenSet(_) => mapping::new_frozenset(table),
        _ => mapping::new_set(table),
    }
}

/// Adds all keys of another set, as `|=` does.
pub fn merge(set: &SetTable, other: &SetTable) -> Res<()> {
    if std::ptr::eq(set, other) || other.borrow().is_empty() {
        return Ok(());
    }
    if set.borrow().is_pristine() {
        set.borrow_mut().merge_into_empty(&other.borrow());
        return Ok(());
    }
    set.borrow_mut().presize(other.borrow().len());
    for (hash, key) in mapping::set_keys_hashed(other) {
        mapping::set_add_hashed(set, hash, &key)?;
    }
    Ok(())
}

/// Adds the keys of any iterable. Room for those of a dict is made at once.
pub fn fill(set: &SetTable, other: &Value) -> Res<()> {
    if let Some(other) = as_set_table(other) {
        return merge(set, other);
    }
    if let Value::Dict(dict) = other {
        set.borrow_mut().presize(dict.len());
        for (hash, key, _) in mapping::entries_hashed(dict) {
            mapping::set_add_hashed(set, hash, &key)?;
        }
        return Ok(());
    }
    iterate::for_each(other, |key| mapping::set_add(set, &key).map(drop))
}

pub fn union(a: &SetTable, b: &SetTable) -> Res<table::set::Set<Value>> {
    let result = SetTable::new(a.borrow().copy());
    merge(&result, b)?;
    Ok(result.into_inner())
}

pub fn intersection(a: &SetTable, b: &SetTable) -> Res<table::set::Set<Value>> {
    if std::ptr::eq(a, b) {
        return Ok(a.borrow().copy());
    }
    let (walked, other) = smaller_first(a, b);
    let result = SetTable::default();
    for (hash, key) in mapping::set_keys_hashed(walked) {
        if mapping::set_position(other, hash, &key)?.is_some() {
            mapping::set_add_hashed(&result, hash, &key)?;
        }
    }
    Ok(result.into_inner())
}

/// The smaller one is walked, so that order and cost are CPython's.
fn smaller_first<'a>(a: &'a SetTable, b: &'a SetTable) -> (&'a SetTable, &'a SetTable) {
    if b.borrow().len() > a.borrow().len() {
        (a, b)
    } else {
        (b, a)
    }
}

/// Whether no key is in both.
pub fn are_disjoint(a: &SetTable, b: &SetTable) -> Res<bool> {
    if std::ptr::eq(a, b) {
        return Ok(a.borrow().is_empty());
    }
    let (walked, other) = smaller_first(a, b);
    for (hash, key) in mapping::set_keys_hashed(walked) {
        if mapping::set_position(other, hash, &key)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

pub fn difference(a: &SetTable, b: &SetTable) -> Res<table::set::Set<Value>> {
    // CPython copies and removes if the other set is much smaller; the order can differ.
    if a.borrow().len() >> 2 > b.borrow().len() {
        let result = SetTable::new(a.borrow().copy());
        for (hash, key) in mapping::set_keys_hashed(b) {
            mapping::set_remove_hashed(&result, hash, &key)?;
        }
        result.borrow_mut().drop_dummies();
        return Ok(result.into_inner());
    }
    let result = SetTable::default();
    for (hash, key) in mapping::set_keys_hashed(a) {
        if mapping::set_position(b, hash, &key)?.is_none() {
            mapping::set_add_hashed(&result, hash, &key)?;
        }
    }
    Ok(result.into_inner())
}

pub fn symmetric_difference(a: &SetTable, b: &SetTable) -> Res<table::set::Set<Value>> {
    // CPython's order: a copy of the right operand, changed by the keys of the left.
    let result = SetTable::new(b.borrow().copy());
    toggle(&result, a)?;
    Ok(result.into_inner())
}

/// Removes the keys of `other` that are there and adds those that are not.
pub fn toggle(set: &SetTable, other: &SetTable) -> Res<()> {
    for (hash, key) in mapping::set_keys_hashed(other) {
        if !mapping::set_remove_hashed(set, hash, &key)? {
            mapping::set_add_hashed(set, hash, &key)?;
        }
    }
    Ok(())
}

/// `key in set`; a set as key is looked for as the frozenset that equals it.
pub fn set_has(table: &SetTable, key: &Value) -> Res<bool> {
    mapping::set_contains(table, &frozen_key(key)?)
}

/// The key itself, or the frozenset that equals it if it is a set.
pub fn frozen_key(key: &Value) -> Res<Value> {
    match plain(key) {
        Value::Set(set) if special::find(key, name::HASH).is_none_or(|hash| hash.is_none()) => {
            Ok(mapping::new_frozenset(set.table.borrow().copy()))
        }
        _ => Ok(key.clone()),
    }
}

/// Whether it changes in place only after what numbers do has been tried. Classes of scripts add to
/// themselves as numbers do.
pub fn changes_as_sequence(op: BinaryOp, value: &Value) -> bool {
    let sequence = match op {
        BinaryOp::Add => value,
        BinaryOp::Mul => plain(value),
        _ => return false,
    };
    matches!(sequence, Value::List(_) | Value::ByteArray(_))
}

/// Concatenation and repetition; none if neither operand is a sequence for this operator.
pub fn sequence(op: BinaryOp, a: &Value, b: &Value) -> Res<Option<Value>> {
    // A class with a method of its own for it has been asked, and leaves nothing else to do.
    let is_plain = |value: &Value, name| special::find(value, name).is_none();
    match op {
        BinaryOp::Add if is_plain(a, name::ADD) => concat(a, b),
        BinaryOp::Mul if is_sequence(plain(a)) && is_plain(a, name::MUL) => {
            // With a reflected method, a class multiplies as numbers do, and calls its base by name.
            if !is_plain(a, name::RMUL) && !has_index(b) {
                index(b)?;
            }
            repeat(plain(a), b).map(Some)
        }
        BinaryOp::Mul if is_sequence(plain(b)) && is_plain(b, name::RMUL) => repeat(plain(b), a).map(Some),
        _ => Ok(None),
    }
}

/// Whether a value that cannot be repeated has items, or might have, as every object of a script.
pub fn holds_items(value: &Value) -> bool {
    match plain(value) {
        Value::Dict(_) | Value::Set(_) | Value::FrozenSet(_) | Value::Range(_) => true,
        Value::Exception(_) => class_of(value).is_script,
        plain => matches!(value, Value::Instance(_)) && !is_sequence(plain),
    }
}

/// Whether it is a sequence by what it is made of, not by a special method of a script.
fn is_sequence(value: &Value) -> bool {
    matches!(
        value,
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Bytes(_) | Value::ByteArray(_)
    )
}

fn concat(left: &Value, b: &Value) -> Res<Option<Value>> {
    let a = plain(left);
    let cannot = |kind: &str| {
        Err(type_error(format!(
            "can only concatenate {kind} (not \"{}\") to {kind}",
            class_name(b)
        )))
    };
    match (a, plain(b)) {
        (Value::Str(x), Value::Str(y)) => Ok(Some(Str::joined(x, y).into())),
        (Value::Str(_), _) => cannot("str"),
        (Value::List(x), Value::List(y)) => {
            let (x, y) = (x.items.borrow(), y.items.borrow());
            let mut items = Vec::with_capacity(x.len() + y.len());
            items.extend_from_slice(&x);
            items.extend_from_slice(&y);
            Ok(Some(Value::list(items)))
        }
        (Value::List(_), _) => cannot("list"),
        (Value::Tuple(x), Value::Tuple(y)) => {
            let mut items = Vec::with_capacity(x.items.len() + y.items.len());
            items.extend_from_slice(&x.items);
            items.extend_from_slice(&y.items);
            Ok(Some(Value::tuple(items)))
        }
        (Value::Tuple(_), _) => cannot("tuple"),
        (Value::Bytes(_) | Value::ByteArray(_), _) => {
            let joined = with_bytes(a, |x| with_bytes(b, |y| [x, y].concat())).flatten();
            match joined {
                Some(bytes) => Ok(Some(same_kind_of_bytes(a, bytes))),
                None => Err(type_error(format!(
                    "can't concat {} to {}",
                    class_name(b),
                    class_name(left)
                ))),
            }
        }
        _ => Ok(None),
    }
}

/// Bytes of the same type as another value.
pub fn same_kind_of_bytes(like: &Value, bytes: Vec<u8>) -> Value {
    match plain(like) {
        Value::ByteArray(_) => Ref::new(ByteArray(bytes.into())).into(),
        _ => Ref::new(Bytes(bytes.into())).into(),
    }
}

/// How often to repeat, and the length that gives; checked against the memory.
fn times(len: usize, count: &Value) -> Res<usize> {
    if !has_index(count) {
        return Err(type_error(format!(
            "can't multiply sequence by non-int of type '{}'",
            class_name(count)
        )));
    }
    let count = index_or(count, || overflow_error(too_wide(count)))?.max(0) as usize;
    match len.checked_mul(count) {
        Some(total) if total <= MOST_ITEMS => Ok(count),
        _ => Err(raise_empty(Type::MemoryError)),
    }
}

/// A length that no machine int can tell is an error of its own.
fn check_overflow(len: usize, count: &Value, message: &str) -> Res<()> {
    match as_small(count) {
        Some(count)
            if count > 0
                && len
                    .checked_mul(count as usize)
                    .is_none_or(|n| n > isize::MAX as usize) =>
        {
            Err(overflow_error(message))
        }
        _ => Ok(()),
    }
}

fn repeat(sequence: &Value, count: &Value) -> Res {
    Ok(match sequence {
        Value::Str(text) => {
            check_overflow(text.chars, count, "repeated string is too long")?;
            Value::from(str::repeat(&text.text, times(text.text.len(), count)?))
        }
        Value::List(list) => {
            let count = times(list.len(), count)?;
            Value::list(repeated(&list.items.borrow(), count))
        }
        Value::Tuple(tuple) => {
            let count = times(tuple.items.len(), count)?;
            if count == 1 {
                return Ok(sequence.clone());
            }
            Value::tuple(repeated(&tuple.items, count))
        }
        _ => {
            let bytes = bytes_of(sequence).unwrap_or_default();
            let count = times(bytes.len(), count)?;
            same_kind_of_bytes(sequence, bytes.repeat(count))
        }
    })
}

fn repeated(items: &[Value], count: usize) -> Vec<Value> {
    let mut all = Vec::with_capacity(items.len() * count);
    for _ in 0..count {
        all.extend_from_slice(items);
    }
    all
}

/// `a op= b` for types that change in place; false if the type has no such form.
pub fn change(op: BinaryOp, a: &Value, b: &Value) -> Res<bool> {
    match (op, plain(a)) {
        (BinaryOp::Add, Value::List(list)) => {
            extend(list, b)?;
            Ok(true)
        }
        (BinaryOp::Mul, Value::List(list)) => {
            let count = times(list.len(), b)?;
            let items = repeated(&list.items.borrow(), count);
            let old = std::mem::replace(&mut *list.items.borrow_mut(), items);
            sequence::drop_last_first(old);
            Ok(true)
        }
        (BinaryOp::Add, Value::ByteArray(bytes)) => match bytes_of(b) {
            Some(more) => {
                bytes.0.borrow_mut().extend(more);
                Ok(true)
            }
            None => Err(type_error(format!(
                "can't concat {} to {}",
                class_name(b),
                class_name(a)
            ))),
        },
        (BinaryOp::Mul, Value::ByteArray(bytes)) => {
            let count = times(bytes.0.borrow().len(), b)?;
            let repeated = bytes.0.borrow().repeat(count);
            *bytes.0.borrow_mut() = repeated;
            Ok(true)
        }
        (BinaryOp::BitOr, Value::Dict(dict)) => {
            update_dict(dict, b)?;
            Ok(true)
        }
        (BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::Sub | BinaryOp::BitXor, Value::Set(set)) => {
            let Some(other) = as_set_table(b) else {
                return Ok(false);
            };
            change_set(op, &set.table, other)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// `set op= other`
pub fn change_set(op: BinaryOp, set: &SetTable, other: &SetTable) -> Res<()> {
    match op {
        BinaryOp::BitOr => merge(set, other),
        BinaryOp::BitAnd => {
            let kept = intersection(set, other)?;
            let old = std::mem::replace(&mut *set.borrow_mut(), kept);
            drop(old);
            Ok(())
        }
        BinaryOp::Sub if std::ptr::eq(set, other) => {
            let old = set.borrow_mut().take();
            drop(old);
            Ok(())
        }
        BinaryOp::Sub => {
            for (hash, key) in mapping::set_keys_hashed(other) {
                mapping::set_remove_hashed(set, hash, &key)?;
            }
            set.borrow_mut().drop_dummies();
            Ok(())
        }
        _ if std::ptr::eq(set, other) => {
            let old = set.borrow_mut().take();
            drop(old);
            Ok(())
        }
        _ => toggle(set, other),
    }
}

/// `list.extend(items)`
pub fn extend(list: &Ref<List>, items: &Value) -> Res<()> {
    match items {
        Value::List(_)
        | Value::Tuple(_)
        | Value::Range(_)
        | Value::Str(_)
        | Value::Dict(_)
        | Value::Set(_) => {
            let items = iterate::collect(items)?;
            list.items.borrow_mut().extend(items);
            Ok(())
        }
        own if as_list(own).is_some_and(|own| own.is(list)) => {
            let items = list.items.borrow().clone();
            list.items.borrow_mut().extend(items);
            Ok(())
        }
        Value::Instance(_) => {
            let iterator = iterate::iter(items)?;
            iterate::ask_length(items, &iterator)?;
            while let Some(item) = iterate::next(&iterator)? {
                list.push(item);
            }
            Ok(())
        }
        // Items arrive one by one: the iterator may look at the list, or fail half-way.
        _ => iterate::for_each(items, |item| {
            list.push(item);
            Ok(())
        }),
    }
}

/// The keys of a mapping that is no dict, as they are now: reading an item may change them. None for
/// what has no `keys`.
pub fn keys_of(mapping: &Value) -> Res<Option<Vec<Value>>> {
    let Some(keys) = attribute::find(mapping, name::KEYS)? else {
        return Ok(None);
    };
    let keys = call::call(&keys, &[])?;
    if !iterate::is_iterable(&keys) {
        let (kind, got) = (class_name(mapping), class_name(&keys));
        return Err(type_error(format!(
            "{kind}.keys() returned a non-iterable (type {got})"
        )));
    }
    iterate::collect(&keys).map(Some)
}

/// Adds what a mapping has under each of its keys.
pub fn add_items(dict: &Dict, mapping: &Value, keys: &[Value]) -> Res<()> {
    keys.iter().try_for_each(|key| {
        let value = subscript::get_item(mapping, key)?;
        mapping::dict_set(dict, key, value)
    })
}

/// `dict.update(other)` for a mapping or an iterable of pairs.
pub fn update_dict(dict: &Ref<Dict>, other: &Value) -> Res<()> {
    if let Some(plain) = mapping::whole_dict(other) {
        return mapping::dict_merge(dict, plain);
    }
    if !matches!(other, Value::List(_) | Value::Tuple(_))
        && let Some(keys) = keys_of(other)?
    {
        return add_items(dict, other, &keys);
    }
    let mut position = 0;
    iterate::for_each(other, |pair| {
        if !iterate::is_iterable(&pair) {
            return Err(type_error(format!(
                "cannot convert dictionary update sequence element #{position} to a sequence"
            )));
        }
        let pair = match &pair {
            Value::Instance(_) => iterate::collect(&iterate::iter(&pair)?)?,
            plain => iterate::collect(plain)?,
        };
        let [key, value] = pair.as_slice() else {
            return Err(value_error(format!(
                "dictionary update sequence element #{position} has length {}; 2 is required",
                pair.len()
            )));
        };
        position += 1;
        mapping::dict_set(dict, key, value.clone())
    })
}
