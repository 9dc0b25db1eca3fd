//! Subscription: `object[index]`, its assignment and deletion, and slices.

use super::error::*;
use super::payload::*;
use super::types::{Type, class, class_name, class_of};
use super::{big_range, call, isinstance, iterate, mapping, operator, special, text};
use crate::source::name;
use crate::text::string;
use crate::value::descriptor::{BigRange, GenericAlias, MappingProxy, Union};
use crate::value::*;

/// `object[index]`
#[inline]
pub fn get_item(object: &Value, index: &Value) -> Res {
    match (object, index) {
        (Value::List(list), Value::Int(i)) => {
            let items = list.items.borrow();
            match place(*i, items.len()) {
                Some(place) => Ok(items[place].clone()),
                None => Err(index_error("list index out of range")),
            }
        }
        (Value::Dict(dict), _) => mapping::dict_require(dict, index),
        (Value::Tuple(tuple), Value::Int(i)) => match place(*i, tuple.items.len()) {
            Some(place) => Ok(tuple.items[place].clone()),
            None => Err(index_error("tuple index out of range")),
        },
        _ => get_rest(object, index),
    }
}

/// The place of an index that may count from the end.
#[inline]
pub fn place(index: i64, len: usize) -> Option<usize> {
    let place = if index < 0 {
        index.wrapping_add(len as i64)
    } else {
        index
    };
    // A negative number becomes huge.
    ((place as u64) < len as u64).then_some(place as usize)
}

fn get_rest(object: &Value, index: &Value) -> Res {
    if special::is_possible(object) {
        if let Some(result) = special::call(object, name::GETITEM, std::slice::from_ref(index)) {
            return result;
        }
        if let Value::Class(class) = object {
            return class_item(object, class, index);
        }
    }
    match plain(object) {
        Value::Dict(dict) => match mapping::dict_get(dict, index)? {
            Some(value) => Ok(value),
            None => match special::call(object, name::MISSING, std::slice::from_ref(index)) {
                Some(result) => result,
                None => Err(key_error(index)),
            },
        },
        Value::List(list) => {
            if let Some(slice) = as_slice(index) {
                let (bounds, items) = {
                    let bounds = bounds(slice)?;
                    (bounds, list.items.borrow())
                };
                let cut = bounds.clamp(items.len());
                return Ok(Value::list(picked(&items, cut)));
            }
            let i = sequence_index(index, "list", object)?;
            list.items
                .borrow()
                .get(place(i, list.len()).unwrap_or(usize::MAX))
                .cloned()
                .ok_or_else(|| index_error("list index out of range"))
        }
        Value::Tuple(tuple) => {
            if let Some(slice) = as_slice(index) {
                let cut = bounds(slice)?.clamp(tuple.items.len());
                if cut.is_whole(tuple.items.len()) {
                    return Ok(plain(object).clone());
                }
                return Ok(Value::tuple(picked(&tuple.items, cut)));
            }
            let i = sequence_index(index, "tuple", object)?;
            match place(i, tuple.items.len()) {
                Some(place) => Ok(tuple.items[place].clone()),
                None => Err(index_error("tuple index out of range")),
            }
        }
        Value::Str(text) => str_item(text, object, index),
        Value::Bytes(_) | Value::ByteArray(_) => {
            let kind = if matches!(plain(object), Value::Bytes(_)) {
                "byte"
            } else {
                "bytearray"
            };
            if let Some(slice) = as_slice(index) {
                let bounds = bounds(slice)?;
                let cut = with_bytes(object, |bytes| {
                    let cut = bounds.clamp(bytes.len());
                    cut.places().map(|place| bytes[place]).collect::<Vec<u8>>()
                });
                return Ok(operator::collection::same_kind_of_bytes(
                    object,
                    cut.unwrap_or_default(),
                ));
            }
            let i = sequence_index(index, kind, object)?;
            let found = with_bytes(object, |bytes| place(i, bytes.len()).map(|place| bytes[place])).flatten();
            match found {
                Some(byte) => Ok(Value::Int(i64::from(byte))),
                None if kind == "byte" => Err(index_error("index out of range")),
                None => Err(index_error("bytearray index out of range")),
            }
        }
        Value::Range(range) => range_item(range, object, index),
        other => {
            if let Some(proxy) = other.opaque::<MappingProxy>() {
                return get_item(&proxy.0, index);
            }
            if let Some(range) = other.opaque::<BigRange>() {
                return range.item(index);
            }
            if let Some(alias) = other.opaque::<GenericAlias>() {
                return isinstance::substitute(object, alias, index);
            }
            if let Some(union) = other.opaque::<Union>() {
                return isinstance::substitute_in_union(object, &union.args, index);
            }
            Err(not_subscriptable(object))
        }
    }
}

#[cold]
fn not_subscriptable(object: &Value) -> Raised {
    let raised = type_error(format!("'{}' object is not subscriptable", class_name(object)));
    match object {
        Value::Function(_) | Value::Method(_) | Value::Native(_) => {
            raised.help("a function is called with (), [] is for items")
        }
        Value::Generator(g) if g.kind == GeneratorKind::Coroutine => {
            raised.help("a coroutine must be awaited before its result can be used")
        }
        Value::Set(_) => raised.help("a set has no order; sorted(…) or list(…) gives something to index"),
        _ => raised,
    }
}

/// `Class[args]`
fn class_item(object: &Value, of: &Ref<Class>, args: &Value) -> Res {
    if let Some(found) = of.lookup(name::CLASS_GETITEM)
        && !found.is_none()
    {
        let bound = super::attribute::bind_to_class(&found, of)?;
        // Called on the class even where it was written without @classmethod, as Python does.
        return match &bound {
            Value::Function(_) => call::call(&bound, &[object.clone(), args.clone()]),
            _ => call::call(&bound, std::slice::from_ref(args)),
        };
    }
    if of.is(&class(Type::Class)) {
        return Ok(isinstance::generic_alias(object, args));
    }
    Err(type_error(format!("type '{}' is not subscriptable", of.name())))
}

/// An index of a sequence as a number.
fn sequence_index(index_value: &Value, kind: &str, _object: &Value) -> Res<i64> {
    if let Value::Int(i) = index_value {
        return Ok(*i);
    }
    if !has_index(index_value) {
        return Err(type_error(format!(
            "{kind} indices must be integers or slices, not {}",
            class_name(index_value)
        )));
    }
    index_or(index_value, || index_error(too_wide(index_value)))
}

fn str_item(text: &Ref<Str>, object: &Value, index_value: &Value) -> Res {
    if let Some(slice) = as_slice(index_value) {
        let cut = bounds(slice)?.clamp(text.chars);
        if cut.is_whole(text.chars) {
            return Ok(plain(object).clone());
        }
        if cut.count == 0 {
            return Ok(Value::from(""));
        }
        if cut.step == 1 {
            let range = string::slice(&text.text, cut.start, cut.start + cut.count, text.is_ascii());
            return Ok(Value::from(&text.text[range]));
        }
        return Ok(Value::from(string::slice_steps(
            &text.text,
            cut.start,
            cut.step,
            cut.count,
            text.is_ascii(),
        )));
    }
    let i = match index_value {
        Value::Int(i) => *i,
        _ if !has_index(index_value) => {
            return Err(type_error(format!(
                "string indices must be integers, not '{}'",
                class_name(index_value)
            )));
        }
        _ => index_or(index_value, || index_error(too_wide(index_value)))?,
    };
    match place(i, text.chars).and_then(|place| string::char_at(&text.text, place, text.is_ascii())) {
        Some(c) => Ok(Value::from(c)),
        None => Err(index_error("string index out of range")),
    }
}

fn range_item(range: &Range, object: &Value, index_value: &Value) -> Res {
    let len = range.len();
    if as_slice(index_value).is_some()
        && let Some(range) = big_range::of(plain(object))
    {
        return range.item(index_value);
    }
    let i = match sequence_index(index_value, "range", object) {
        Err(raised) if matches(&raised, Type::IndexError) => {
            drop(raised.take());
            return match big_range::of(plain(object)) {
                Some(range) => range.item(index_value),
                None => Err(index_error("range object index out of range")),
            };
        }
        result => result?,
    };
    let at = if i < 0 {
        i128::from(i) + i128::from(len)
    } else {
        i128::from(i)
    };
    if at < 0 || at >= i128::from(len) {
        return Err(index_error("range object index out of range"));
    }
    Ok(Value::Int(
        (i128::from(range.start) + at * i128::from(range.step)) as i64,
    ))
}

/// A slice's three numbers, before they meet a length.
#[derive(Clone, Copy)]
pub struct Bounds {
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
}

/// A slice of a sequence of known length: `count` places from `start`, `step` apart.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub start: usize,
    /// Where it ends, exclusive: -1 if it runs backwards through the first place.
    pub stop: i64,
    pub step: i64,
    pub count: usize,
}

/// Evaluates a slice's parts; huge numbers are clamped.
pub fn bounds(slice: &Slice) -> Res<Bounds> {
    let step = bound(&slice.step)?.unwrap_or(1);
    if step == 0 {
        return Err(value_error("slice step cannot be zero"));
    }
    Ok(Bounds {
        start: bound(&slice.start)?,
        stop: bound(&slice.stop)?,
        step: step.max(-i64::MAX),
    })
}

impl Bounds {
    /// The places of a sequence of this length (Python docs, "slice.indices").
    pub fn clamp(self, len: usize) -> Cut {
        let (start, stop, _) = self.indices(len);
        let count = if self.step > 0 && start < stop {
            ((stop - start - 1) / self.step + 1) as usize
        } else if self.step < 0 && start > stop {
            ((start - stop - 1) / -self.step + 1) as usize
        } else {
            0
        };
        Cut {
            start: start.max(0) as usize,
            stop,
            step: self.step,
            count,
        }
    }

    /// Start, stop and step for `slice.indices(len)`.
    pub fn indices(self, len: usize) -> (i64, i64, i64) {
        let len = len as i64;
        let (lowest, highest) = if self.step < 0 { (-1, len - 1) } else { (0, len) };
        let clamp = |n: i64| {
            let n = if n < 0 { n.saturating_add(len) } else { n };
            n.clamp(lowest, highest)
        };
        let start = self
            .start
            .map_or(if self.step < 0 { highest } else { lowest }, clamp);
        let stop = self
            .stop
            .map_or(if self.step < 0 { lowest } else { highest }, clamp);
        (start, stop, self.step)
    }
}

impl Cut {
    /// The places, in order.
    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..self.count as i64).map(move |i| (self.start as i64 + i * self.step) as usize)
    }

    fn is_whole(self, len: usize) -> bool {
        self.step == 1 && self.start == 0 && self.count == len
    }
}

fn picked(items: &[Value], cut: Cut) -> Vec<Value> {
    if cut.step == 1 {
        return items[cut.start.min(items.len())..cut.start.min(items.len()) + cut.count].to_vec();
    }
    cut.places().map(|place| items[place].clone()).collect()
}

/// `object[index] = value`
pub fn set_item(object: &Value, index: &Value, value: Value) -> Res<()> {
    match (object, index) {
        (Value::List(list), Value::Int(i)) => return set_list_item(list, *i, value),
        (Value::Dict(dict), _) => return mapping::dict_set(dict, index, value),
        _ => {}
    }
    if special::is_possible(object)
        && let Some(result) = special::call(object, name::SETITEM, &[index.clone(), value.clone()])
    {
        return result.map(drop);
    }
    set_item_plain(object, index, value)
}

/// `object[index] = value` of the built-in type that the object is or inherits from.
pub fn set_item_plain(object: &Value, index: &Value, value: Value) -> Res<()> {
    match plain(object) {
        Value::Dict(dict) => mapping::dict_set(dict, index, value),
        Value::List(list) => match as_slice(index) {
            Some(slice) => set_slice(list, slice, Some(&value)),
            None => set_list_item(list, sequence_index(index, "list", object)?, value),
        },
        Value::ByteArray(bytes) => {
            if let Some(slice) = as_slice(index) {
                let bounds = bounds(slice)?;
                let new = match bytes_of(&value) {
                    Some(new) => new,
                    None if is_number(&value) || as_str(&value).is_some() => {
                        return Err(type_error(
                            "can assign only bytes, buffers, or iterables of ints in range(0, 256)",
                        ));
                    }
                    None => {
                        let made = call::call(&class(Type::ByteArray).into(), &[value])?;
                        bytes_of(&made).unwrap_or_default()
                    }
                };
                // No bytes in the place of any slice remove it, also of one with steps.
                if new.is_empty() {
                    return del_item_plain(object, index);
                }
                let mut bytes = bytes.0.borrow_mut();
                let cut = bounds.clamp(bytes.len());
                return splice(&mut bytes, cut, new, "bytes").map(drop);
            }
            let i = sequence_index(index, "bytearray", object)?;
            let byte = byte_value(&value)?;
            let mut bytes = bytes.0.borrow_mut();
            match place(i, bytes.len()) {
                Some(place) => {
                    bytes[place] = byte;
                    Ok(())
                }
                None => Err(index_error("bytearray index out of range")),
            }
        }
        _ => Err(type_error(format!(
            "'{}' object does not support item assignment",
            class_name(object)
        ))),
    }
}

fn set_list_item(list: &Ref<List>, index: i64, value: Value) -> Res<()> {
    let mut items = list.items.borrow_mut();
    let Some(place) = place(index, items.len()) else {
        return Err(index_error("list assignment index out of range"));
    };
    let old = std::mem::replace(&mut items[place], value);
    drop(items);
    drop(old);
    Ok(())
}

/// Whether it is a number or says which one it stands for.
fn is_number(value: &Value) -> bool {
    let says = |name| special::find(value, name).is_some();
    matches!(
        plain(value),
        Value::Int(_) | Value::Bool(_) | Value::Big(_) | Value::Float(_)
    ) || [name::INDEX, name::INT, name::FLOAT].into_iter().any(says)
}

const BYTE_RANGE: &str = "byte must be in range(0, 256)";

/// One byte of a bytearray, from an int.
pub fn byte_value(value: &Value) -> Res<u8> {
    u8::try_from(clamped(&index(value)?)).map_err(|_| value_error(BYTE_RANGE))
}

/// Bytes from an iterable of ints; `out_of_range` is what is said of one that is no byte.
pub fn byte_values(value: &Value, out_of_range: &str) -> Res<Vec<u8>> {
    let mut bytes = Vec::new();
    iterate::for_each(value, |item| {
        bytes.push(u8::try_from(clamped(&index(&item)?)).map_err(|_| value_error(out_of_range))?);
        Ok(())
    })?;
    Ok(bytes)
}

/// `list[slice] = value`, or with none `del list[slice]`.
fn set_slice(list: &Ref<List>, slice: &Slice, value: Option<&Value>) -> Res<()> {
    let bounds = bounds(slice)?;
    let new = match value {
        Some(value @ (Value::List(_) | Value::Tuple(_))) => Some(iterate::collect(value)?),
        Some(value) => {
            let iterator = iterate::iter_or(value, || "must assign iterable to extended slice".to_string())?;
            Some(iterate::collect(&iterator)?)
        }
        None => None,
    };
    let mut items = list.items.borrow_mut();
    let cut = bounds.clamp(items.len());
    let old = match new {
        Some(new) => splice(&mut items, cut, new, "sequence"),
        None => Ok(take_places(&mut items, cut)),
    };
    drop(items);
    old.map(sequence::drop_last_first)
}

/// Puts `new` in the place of a slice; gives what was there, to be dropped without a borrow.
fn splice<T>(items: &mut Vec<T>, cut: Cut, new: Vec<T>, kind: &str) -> Res<Vec<T>> {
    if cut.step == 1 {
        let start = cut.start.min(items.len());
        return Ok(items.splice(start..start + cut.count, new).collect());
    }
    if new.len() != cut.count {
        return Err(value_error(format!(
            "attempt to assign {kind} of size {} to extended slice of size {}",
            new.len(),
            cut.count
        )));
    }
    Ok(cut
        .places()
        .zip(new)
        .map(|(place, item)| std::mem::replace(&mut items[place], item))
        .collect())
}

/// Takes out the places of a slice.
fn take_places<T>(items: &mut Vec<T>, cut: Cut) -> Vec<T> {
    if cut.step == 1 {
        let start = cut.start.min(items.len());
        return items.drain(start..start + cut.count).collect();
    }
    let gone: rustc_hash::FxHashSet<usize> = cut.places().collect();
    let (mut kept, mut taken) = (Vec::with_capacity(items.len()), Vec::new());
    for (place, item) in std::mem::take(items).into_iter().enumerate() {
        if gone.contains(&place) {
            taken.push(item)
        } else {
            kept.push(item)
        }
    }
    *items = kept;
    taken
}

/// `del object[index]`
pub fn del_item(object: &Value, index: &Value) -> Res<()> {
    if special::is_possible(object)
        && let Some(result) = special::call(object, name::DELITEM, std::slice::from_ref(index))
    {
        return result.map(drop);
    }
    del_item_plain(object, index)
}

/// `del object[index]` of the built-in type that the object is or inherits from.
pub fn del_item_plain(object: &Value, index: &Value) -> Res<()> {
    match plain(object) {
        Value::Dict(dict) => match mapping::dict_remove(dict, index)? {
            Some(old) => {
                drop(old);
                Ok(())
            }
            None => Err(key_error(index)),
        },
        Value::List(list) => {
            if let Some(slice) = as_slice(index) {
                return set_slice(list, slice, None);
            }
            let i = sequence_index(index, "list", object)?;
            let mut items = list.items.borrow_mut();
            let Some(place) = place(i, items.len()) else {
                return Err(index_error("list assignment index out of range"));
            };
            let old = items.remove(place);
            drop(items);
            drop(old);
            Ok(())
        }
        Value::ByteArray(bytes) => {
            if let Some(slice) = as_slice(index) {
                let bounds = bounds(slice)?;
                let mut bytes = bytes.0.borrow_mut();
                let cut = bounds.clamp(bytes.len());
                take_places(&mut bytes, cut);
                return Ok(());
            }
            let i = sequence_index(index, "bytearray", object)?;
            let mut bytes = bytes.0.borrow_mut();
            match place(i, bytes.len()) {
                Some(place) => {
                    bytes.remove(place);
                    Ok(())
                }
                None => Err(index_error("bytearray index out of range")),
            }
        }
        _ => {
            // CPython words it by whether the type has the slots of sequences: all but plain built-in ones have.
            let class = class_of(object);
            let is_plain = !class.is_script
                && matches!(&*class.module.borrow(), Value::Str(module) if &*module.text == "builtins")
                && class.lookup(name::CONTAINS).is_none();
            let cannot = if is_plain || !has_index(index) {
                "does not"
            } else {
                "doesn't"
            };
            Err(type_error(format!(
                "'{}' object {cannot} support item deletion",
                class_name(object)
            )))
        }
    }
}

/// A slice value.
pub fn new_slice(start: Value, stop: Value, step: Value) -> Value {
    Ref::new(Slice { start, stop, step }).into()
}

/// The text of a slice as `repr` shows it.
pub fn slice_repr(slice: &Slice) -> Res<String> {
    Ok(format!(
        "slice({}, {}, {})",
        text::repr(&slice.start)?,
        text::repr(&slice.stop)?,
        text::repr(&slice.step)?
    ))
}
