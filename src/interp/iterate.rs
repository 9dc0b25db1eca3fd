//! Iteration: making iterators, advancing them, and taking whole iterables apart.
//!
//! Always true: an iterator's state is not borrowed while script code runs; an iterator that has
//! ended stays ended and holds nothing.

mod length;

use super::error::*;
use super::payload::*;
use super::special;
use super::types::{Type, class_name, class_of};
use super::{call, machine, mapping, stack, subscript};
use crate::source::name;
use crate::value::descriptor::{BigRange, DictView, GenericAlias, MappingProxy};
use crate::value::iterator::{DictPart, DictWalk, IteratorState};
use crate::value::*;
pub use length::{has_length, length, length_hint, told_length};
use std::cell::Cell;

#[cold]
pub fn not_iterable(value: &Value) -> Raised {
    let raised = type_error(format!("'{}' object is not iterable", class_name(value)));
    match value {
        Value::Generator(g) if g.kind == GeneratorKind::Coroutine => {
            raised.help("a coroutine must be awaited before its result can be looped over")
        }
        Value::Generator(g) if g.kind == GeneratorKind::AsyncGenerator => {
            raised.help("an async generator is looped over with `async for`")
        }
        Value::Int(_) => raised.help("to count up to a number, loop over range(number)"),
        _ => raised,
    }
}

/// `iter(value)`
pub fn iter(value: &Value) -> Res {
    match value {
        Value::Iterator(_) => return Ok(value.clone()),
        Value::Generator(generator)
            if matches!(
                generator.kind,
                GeneratorKind::Generator | GeneratorKind::Awaitable(_)
            ) =>
        {
            return Ok(value.clone());
        }
        Value::Instance(_) | Value::Opaque(_) | Value::Class(_) | Value::Exception(_) | Value::Future(_) => {
            match special::find(value, name::ITER) {
                Some(Value::None) => return Err(not_iterable(value)),
                Some(_) => {
                    let Some(made) = special::call(value, name::ITER, &[]) else {
                        return Err(not_iterable(value));
                    };
                    let made = made?;
                    if !is_iterator(&made) {
                        return Err(type_error(format!(
                            "iter() returned non-iterator of type '{}'",
                            class_name(&made)
                        )));
                    }
                    return Ok(made);
                }
                None => {}
            }
        }
        _ => {}
    }
    if let Value::Iterator(_) = plain(value) {
        return Ok(value.clone());
    }
    if let Some(iterator) = iter_plain(plain(value)) {
        return Ok(iterator);
    }
    if let Some(proxy) = value.opaque::<MappingProxy>() {
        return iter(&proxy.0);
    }
    if is_indexed(value) {
        let state = IteratorState::Sequence {
            object: value.clone(),
            index: 0,
        };
        return Ok(NativeIterator::value("iterator", state));
    }
    Err(not_iterable(value))
}

/// `iter(value)` for those who have words of their own for what cannot be iterated.
pub fn iter_or(value: &Value, words: impl FnOnce() -> String) -> Res {
    match iter(value) {
        Err(raised) if matches(&raised, Type::TypeError) => {
            drop(raised.take());
            Err(type_error(words()))
        }
        made => made,
    }
}

/// The items that `join` joins.
pub fn joined(items: &Value) -> Res<Vec<Value>> {
    match items {
        Value::List(_) | Value::Tuple(_) => collect(items),
        other => {
            let iterator = iter_or(other, || "can only join an iterable".to_string())?;
            collect(&iterator)
        }
    }
}

/// The iterator of a value of a built-in type.
fn iter_plain(value: &Value) -> Option<Value> {
    Some(match value {
        Value::List(list) => NativeIterator::value("list_iterator", IteratorState::List(Ref::clone(list), 0)),
        Value::Tuple(tuple) => {
            NativeIterator::value("tuple_iterator", IteratorState::Tuple(Ref::clone(tuple), 0))
        }
        Value::Str(text) => {
            let name = if text.is_ascii() {
                "str_ascii_iterator"
            } else {
                "str_iterator"
            };
            NativeIterator::value(name, IteratorState::Str(Ref::clone(text), 0))
        }
        Value::Range(range) => {
            let state = IteratorState::Range {
                next: range.start,
                left: range.len(),
                step: range.step,
            };
            NativeIterator::value("range_iterator", state)
        }
        Value::Dict(dict) => dict_iter(dict, DictPart::Keys, false),
        Value::Set(_) | Value::FrozenSet(_) => {
            let len = mapping::as_set_table(value)?.borrow().len();
            let state = IteratorState::Set {
                set: value.clone(),
                position: 0,
                len,
            };
            NativeIterator::value("set_iterator", state)
        }
        Value::Bytes(bytes) => {
            NativeIterator::value("bytes_iterator", IteratorState::Bytes(Ref::clone(bytes), 0))
        }
        Value::ByteArray(_) => {
            let state = IteratorState::Sequence {
                object: value.clone(),
                index: 0,
            };
            NativeIterator::value("bytearray_iterator", state)
        }
        Value::Opaque(_) => {
            if let Some(view) = value.opaque::<DictView>() {
                view_iter(view, false)
            } else if let Some(range) = value.opaque::<BigRange>() {
                range.iter(false)
            } else {
                let mut alias = value.opaque::<GenericAlias>()?.clone();
                alias.is_starred = true;
                let starred = Opaque::value(super::types::class(Type::GenericAlias), alias);
                NativeIterator::from_items("generic_alias_iterator", vec![starred])
            }
        }
        _ => return None,
    })
}

/// An iterator over a dict's keys, values or items, forwards or backwards.
pub fn dict_iter(dict: &Ref<Dict>, what: DictPart, reversed: bool) -> Value {
    let name = match (what, reversed) {
        (DictPart::Keys, false) => "dict_keyiterator",
        (DictPart::Values, false) => "dict_valueiterator",
        (DictPart::Items, false) => "dict_itemiterator",
        (DictPart::Keys, true) => "dict_reversekeyiterator",
        (DictPart::Values, true) => "dict_reversevalueiterator",
        (DictPart::Items, true) => "dict_reverseitemiterator",
    };
    let position = if reversed { dict.table.borrow().end() } else { 0 };
    let walk = DictWalk {
        dict: dict.clone(),
        position,
        len: dict.len(),
        left: dict.len(),
        what,
        reversed,
    };
    NativeIterator::value(name, IteratorState::Dict(walk))
}

/// An iterator over a view of a dict.
pub fn view_iter(view: &DictView, reversed: bool) -> Value {
    match view.ordered {
        false => dict_iter(&view.dict, view.part, reversed),
        true => ordered_iter(&view.dict, view.part, reversed),
    }
}

/// An iterator over an OrderedDict, which minds a change of the order too: that adds an entry.
pub fn ordered_iter(dict: &Ref<Dict>, what: DictPart, reversed: bool) -> Value {
    let state = |dict: &Ref<Dict>| (dict.len(), dict.table.borrow().end());
    let (dict, inner, left) = (
        dict.clone(),
        dict_iter(dict, what, reversed),
        Cell::new(dict.len()),
    );
    let before = state(&dict);
    NativeIterator::from_fn("odict_iterator", move || {
        let Some(after) = left.get().checked_sub(1) else {
            return Ok(None);
        };
        if state(&dict) != before {
            return Err(runtime_error("OrderedDict mutated during iteration"));
        }
        left.set(after);
        next(&inner)
    })
}

/// Whether `next()` works on it.
pub fn is_iterator(value: &Value) -> bool {
    match plain(value) {
        Value::Iterator(_) => true,
        Value::Generator(generator) => {
            matches!(
                generator.kind,
                GeneratorKind::Generator | GeneratorKind::Awaitable(_)
            )
        }
        _ => special::find(value, name::NEXT).is_some(),
    }
}

/// Whether `iter()` works on it.
pub fn is_iterable(value: &Value) -> bool {
    match plain(value) {
        Value::List(_)
        | Value::Tuple(_)
        | Value::Str(_)
        | Value::Range(_)
        | Value::Dict(_)
        | Value::Set(_)
        | Value::FrozenSet(_)
        | Value::Bytes(_)
        | Value::ByteArray(_)
        | Value::Iterator(_) => return true,
        Value::Generator(generator) => return generator.kind == GeneratorKind::Generator,
        other
            if other.opaque::<DictView>().is_some()
                || other.opaque::<MappingProxy>().is_some()
                || other.opaque::<BigRange>().is_some() =>
        {
            return true;
        }
        _ => {}
    }
    match special::find(value, name::ITER) {
        Some(found) => !found.is_none(),
        None => is_indexed(value),
    }
}

/// Whether it can be looped over by index. What a built-in class finds by key is no sequence.
fn is_indexed(value: &Value) -> bool {
    class_of(value).is_script && special::find(value, name::GETITEM).is_some()
}

/// The next item; none at the end.
#[inline(always)]
pub fn next(iterator: &Value) -> Res<Option<Value>> {
    match iterator {
        // Most loops count (benchmark: sched/async_gen).
        Value::Iterator(iterator) => {
            let number = iterator.state.borrow_mut().next_number();
            match number {
                Some(number) => Ok(Some(Value::Int(number))),
                None => native_next(iterator),
            }
        }
        Value::Generator(generator)
            if matches!(
                generator.kind,
                GeneratorKind::Generator | GeneratorKind::Awaitable(_)
            ) =>
        {
            machine::next(generator)
        }
        other => other_next(other),
    }
}

/// What a loop over two variables takes.
pub enum Step {
    Pair(Value, Value),
    Item(Value),
    End,
}

/// The next item for two variables: in two parts if the iterator makes pairs.
pub fn next_for_two(iterator: &Value) -> Res<Step> {
    if let Value::Iterator(native) = iterator
        && let Some(pair) = native_pair(native)
    {
        return Ok(match pair? {
            Some([first, second]) => Step::Pair(first, second),
            None => Step::End,
        });
    }
    Ok(match next(iterator)? {
        Some(item) => Step::Item(item),
        None => Step::End,
    })
}

/// The next pair of an iterator all of whose items are pairs.
fn native_pair(iterator: &Ref<NativeIterator>) -> Option<Res<Option<[Value; 2]>>> {
    let mut state = iterator.state.borrow_mut();
    let pair = match &mut *state {
        IteratorState::Native(items) => {
            let items = items.clone();
            drop(state);
            return items
                .items()
                .pairs()
                .map(|pairs| called(iterator, pairs.next_pair()));
        }
        IteratorState::Dict(walk) if walk.what == DictPart::Items => {
            walk.next_entry(|key, value| [key.clone(), value.clone()])
        }
        _ => return None,
    };
    drop(state);
    Some(match pair {
        Ok(None) => {
            end(iterator);
            Ok(None)
        }
        Ok(pair) => Ok(pair),
        Err(message) => Err(runtime_error(message)),
    })
}

/// Iterators over iterators may be many.
#[inline]
fn check_depth() -> Res<()> {
    stack::check_native(" while iterating")
}

/// What a step of Rust code that makes items has given.
fn called<T>(iterator: &Ref<NativeIterator>, made: Res<Option<T>>) -> Res<Option<T>> {
    match made {
        Ok(None) => {
            end(iterator);
            Ok(None)
        }
        // A function that raises StopIteration ends whoever loops, but not the iterator.
        Err(raised) if matches(&raised, Type::StopIteration) => {
            drop(raised.take());
            Ok(None)
        }
        made => made,
    }
}

fn other_next(iterator: &Value) -> Res<Option<Value>> {
    match special::call(iterator, name::NEXT, &[]) {
        Some(result) => until_stop(result),
        None => match plain(iterator) {
            Value::Iterator(iterator) => native_next(iterator),
            _ => Err(type_error(format!(
                "'{}' object is not an iterator",
                class_name(iterator)
            ))),
        },
    }
}

/// What a step of a native iterator needs beyond its own state.
enum Beyond {
    Item(Option<Value>),
    /// No item, now and for ever, but the state is kept.
    Stay,
    Call(iterator::NextItem),
    GetItem(Value, i64),
    Raise(&'static str),
}

#[inline(never)]
fn native_next(iterator: &Ref<NativeIterator>) -> Res<Option<Value>> {
    let mut state = iterator.state.borrow_mut();
    // What most loops go over.
    let item = match &mut *state {
        IteratorState::List(list, index) => list.get(*index).inspect(|_| *index += 1),
        IteratorState::Tuple(tuple, index) => tuple.items.get(*index).cloned().inspect(|_| *index += 1),
        _ => None,
    };
    if item.is_some() {
        return Ok(item);
    }
    let beyond = advance(&mut state);
    drop(state);
    settle(iterator, beyond)
}

/// All items that are left.
fn drain(iterator: &Ref<NativeIterator>, items: &mut Vec<Value>) -> Res<()> {
    loop {
        let mut state = iterator.state.borrow_mut();
        let beyond = loop {
            match advance(&mut state) {
                Beyond::Item(Some(item)) => items.push(item),
                beyond => break beyond,
            }
        };
        drop(state);
        let beyond = match beyond {
            Beyond::Call(code) => match check_depth().and_then(|()| code.items().all(items)) {
                Ok(()) => Beyond::Item(None),
                Err(raised) if matches(&raised, Type::StopIteration) => {
                    drop(raised.take());
                    Beyond::Stay
                }
                Err(raised) => return Err(raised),
            },
            beyond => beyond,
        };
        match settle(iterator, beyond)? {
            Some(item) => items.push(item),
            None => return Ok(()),
        }
    }
}

/// All items that an iterator still has, put at the end of a list.
pub fn take_all(iterator: &Value, items: &mut Vec<Value>) -> Res<()> {
    if let Value::Iterator(iterator) = iterator {
        return drain(iterator, items);
    }
    while let Some(item) = next(iterator)? {
        items.push(item);
    }
    Ok(())
}

/// The next item, after a step that said what it needs.
fn settle(iterator: &Ref<NativeIterator>, beyond: Beyond) -> Res<Option<Value>> {
    match beyond {
        Beyond::Item(Some(item)) => Ok(Some(item)),
        Beyond::Item(None) => {
            end(iterator);
            Ok(None)
        }
        Beyond::Stay => Ok(None),
        Beyond::Raise(message) => Err(runtime_error(message)),
        Beyond::Call(items) => {
            check_depth()?;
            called(iterator, items.next())
        }
        Beyond::GetItem(object, index) => {
            let item = subscript::get_item(&object, &Value::Int(index));
            let mut state = iterator.state.borrow_mut();
            let is_backwards = match &mut *state {
                IteratorState::Backwards { left, .. } => {
                    *left = index as usize;
                    true
                }
                _ => false,
            };
            drop(state);
            match item {
                Ok(item) => Ok(Some(item)),
                Err(raised)
                    if matches(&raised, Type::IndexError) || matches(&raised, Type::StopIteration) =>
                {
                    drop(raised.take());
                    end(iterator);
                    Ok(None)
                }
                Err(raised) => {
                    if is_backwards {
                        end(iterator);
                    }
                    Err(raised)
                }
            }
        }
    }
}

/// Lets go of what an iterator held; dropped when nothing is borrowed.
fn end(iterator: &Ref<NativeIterator>) {
    let old = std::mem::replace(&mut *iterator.state.borrow_mut(), IteratorState::Done);
    drop(old);
}

#[inline]
fn advance(state: &mut IteratorState) -> Beyond {
    Beyond::Item(match state {
        IteratorState::Done => None,
        IteratorState::List(list, index) => {
            let item = list.get(*index);
            *index += 1;
            item
        }
        IteratorState::ListReversed(list, index) => match index.checked_sub(1) {
            Some(before) => {
                *index = before;
                list.get(before)
            }
            None => None,
        },
        IteratorState::Tuple(tuple, index) => {
            let item = tuple.items.get(*index).cloned();
            *index += 1;
            item
        }
        range @ IteratorState::Range { .. } => range.next_number().map(Value::Int),
        IteratorState::Str(text, offset) => text.text[*offset..].chars().next().map(|c| {
            *offset += c.len_utf8();
            Value::from(c)
        }),
        IteratorState::Bytes(bytes, index) => {
            let item = bytes.0.get(*index).map(|&byte| Value::Int(i64::from(byte)));
            *index += 1;
            item
        }
        IteratorState::Dict(walk) => {
            let what = walk.what;
            let item = walk.next_entry(|key, value| match what {
                DictPart::Keys => key.clone(),
                DictPart::Values => value.clone(),
                DictPart::Items => Value::tuple([key.clone(), value.clone()]),
            });
            match item {
                Ok(item) => item,
                Err(message) => return Beyond::Raise(message),
            }
        }
        IteratorState::Set { set, position, len } => match mapping::as_set_table(set) {
            Some(table) => {
                let table = table.borrow();
                if table.len() != *len {
                    *len = usize::MAX;
                    return Beyond::Raise("Set changed size during iteration");
                }
                table.next_from(*position).map(|(place, _, key)| {
                    *position = place + 1;
                    key.clone()
                })
            }
            None => None,
        },
        // It stays when none are left, as it still shows itself.
        IteratorState::Repeat { object, left } => match left {
            Some(0) => return Beyond::Stay,
            Some(left) => {
                *left -= 1;
                Some(object.clone())
            }
            None => Some(object.clone()),
        },
        IteratorState::Sequence { object, index } => {
            let at = *index;
            *index += 1;
            return Beyond::GetItem(object.clone(), at);
        }
        IteratorState::Backwards { object, left } => match left.checked_sub(1) {
            Some(before) => return Beyond::GetItem(object.clone(), before as i64),
            None => None,
        },
        IteratorState::Native(items) => return Beyond::Call(items.clone()),
        IteratorState::Items(items) => items.next(),
    })
}

/// All items of an iterable.
pub fn collect(value: &Value) -> Res<Vec<Value>> {
    match value {
        Value::List(list) => return Ok(list.items.borrow().clone()),
        Value::Tuple(tuple) => return Ok(tuple.items.to_vec()),
        Value::Range(range) => {
            if range.len() > 1 << 31 {
                return Err(raise_empty(Type::MemoryError));
            }
            let mut next = range.start;
            let count = range.len();
            return Ok((0..count)
                .map(|_| {
                    let item = Value::Int(next);
                    next = next.wrapping_add(range.step);
                    item
                })
                .collect());
        }
        Value::Str(text) => return Ok(text.text.chars().map(Value::from).collect()),
        Value::Bytes(bytes) => return Ok(bytes.0.iter().map(|&byte| Value::Int(i64::from(byte))).collect()),
        Value::Dict(dict) => return Ok(dict.table.borrow().iter().map(|(key, _)| key.clone()).collect()),
        Value::Set(set) => return Ok(mapping::set_keys(&set.table)),
        Value::FrozenSet(set) => return Ok(mapping::set_keys(&set.table)),
        Value::Opaque(_) => {
            if let Some(view) = value.opaque::<DictView>() {
                let table = view.dict.table.borrow();
                return Ok(match view.part {
                    DictPart::Keys => table.iter().map(|(key, _)| key.clone()).collect(),
                    DictPart::Values => table.iter().map(|(_, value)| value.clone()).collect(),
                    DictPart::Items => table
                        .iter()
                        .map(|(key, value)| Value::tuple([key.clone(), value.clone()]))
                        .collect(),
                });
            }
        }
        _ => {}
    }
    let iterator = iter(value)?;
    let hint = ask_length(value, &iterator)?;
    let mut items = Vec::with_capacity(hint.min(1 << 16));
    take_all(&iterator, &mut items)?;
    Ok(items)
}

/// A guess at how many items there are where a script can see that CPython asks for it before the
/// first item; else 0.
pub fn ask_length(value: &Value, iterator: &Value) -> Res<usize> {
    match (value, iterator) {
        (Value::Instance(_), _) => length_hint(value),
        (Value::Iterator(_), Value::Iterator(walker)) => match &*walker.state.borrow() {
            IteratorState::Sequence { .. } | IteratorState::Backwards { .. } => length_hint(value),
            _ => Ok(0),
        },
        _ => Ok(0),
    }
}

/// Does something with each item.
pub fn for_each(value: &Value, mut each: impl FnMut(Value) -> Res<()>) -> Res<()> {
    if let Value::List(list) = value {
        let mut i = 0;
        while let Some(item) = list.get(i) {
            each(item)?;
            i += 1;
        }
        return Ok(());
    }
    let iterator = iter(value)?;
    while let Some(item) = next(&iterator)? {
        each(item)?;
    }
    Ok(())
}

/// The items for `a, b = value`: exactly `count` of them.
pub fn unpack(value: &Value, count: usize) -> Res<Vec<Value>> {
    let items = match value {
        Value::List(list) => list.items.borrow().clone(),
        Value::Tuple(tuple) => tuple.items.to_vec(),
        _ => {
            let iterator = unpack_iter(value)?;
            let mut items = Vec::with_capacity(count);
            // One more tells whether there are too many.
            while items.len() <= count
                && let Some(item) = next(&iterator)?
            {
                items.push(item);
            }
            items
        }
    };
    if items.len() < count {
        return Err(value_error(format!(
            "not enough values to unpack (expected {count}, got {})",
            items.len()
        )));
    }
    if items.len() > count {
        return Err(value_error(format!(
            "too many values to unpack (expected {count})"
        )));
    }
    Ok(items)
}

/// Whether its class says anything about iteration, be it that there is none.
pub fn speaks_of_iteration(value: &Value) -> bool {
    let class = class_of(value);
    [name::ITER, name::GETITEM]
        .into_iter()
        .any(|name| class.lookup(name).is_some())
}

fn unpack_iter(value: &Value) -> Res {
    if !is_iterable(value) && !speaks_of_iteration(value) {
        return Err(type_error(format!(
            "cannot unpack non-iterable {} object",
            class_name(value)
        )));
    }
    iter(value)
}

/// The items for `a, *b, c = value`: `before` items, the list of the starred one, `after` items.
pub fn unpack_star(value: &Value, before: usize, after: usize) -> Res<Vec<Value>> {
    let mut items = match value {
        Value::List(_) | Value::Tuple(_) => collect(value)?,
        _ => {
            let iterator = unpack_iter(value)?;
            let mut items = Vec::with_capacity(before);
            while items.len() < before
                && let Some(item) = next(&iterator)?
            {
                items.push(item);
            }
            // How many are left is only asked once the first ones are there.
            if items.len() == before {
                items.append(&mut collect(&iterator)?);
            }
            items
        }
    };
    let least = before + after;
    if items.len() < least {
        return Err(value_error(format!(
            "not enough values to unpack (expected at least {least}, got {})",
            items.len()
        )));
    }
    let tail = items.split_off(items.len() - after);
    let middle = items.split_off(before);
    items.push(Value::list(middle));
    items.extend(tail);
    Ok(items)
}

/// An iterator over what a callable gives until it gives the sentinel: `iter(f, sentinel)`.
pub fn call_iter(callable: &Value, sentinel: &Value) -> Value {
    let (callable, sentinel) = (callable.clone(), sentinel.clone());
    // The callable may go through the iterator itself, and end it.
    let ended = Cell::new(false);
    NativeIterator::from_fn("callable_iterator", move || {
        match until_stop(call::call(&callable, &[]))? {
            _ if ended.get() => Ok(None),
            Some(value) if !super::operator::same_or_equal(&sentinel, &value)? => Ok(Some(value)),
            _ => {
                ended.set(true);
                Ok(None)
            }
        }
    })
}
