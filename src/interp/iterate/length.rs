//! How many items there are, or are to come.

use super::*;

/// `len(value)`
pub fn length(value: &Value) -> Res<usize> {
    if special::is_possible(value)
        && let Some(result) = special::call(value, name::LEN, &[])
    {
        let result = index(&result?)?;
        let len = index_or(&result, || overflow_error(too_wide(&result)))?;
        return usize::try_from(len).map_err(|_| value_error("__len__() should return >= 0"));
    }
    Ok(match plain(value) {
        Value::Str(text) => text.chars,
        Value::List(list) => list.len(),
        Value::Tuple(tuple) => tuple.items.len(),
        Value::Dict(dict) => dict.len(),
        Value::Set(set) => set.table.borrow().len(),
        Value::FrozenSet(set) => set.table.borrow().len(),
        Value::Bytes(bytes) => bytes.0.len(),
        Value::ByteArray(bytes) => bytes.0.borrow().len(),
        Value::Range(range) => {
            if range.len() > i64::MAX as u64 {
                return Err(overflow_error("Python int too large to convert to C ssize_t"));
            }
            range.len() as usize
        }
        other => {
            if let Some(view) = other.opaque::<DictView>() {
                view.dict.len()
            } else if let Some(proxy) = other.opaque::<MappingProxy>() {
                return length(&proxy.0);
            } else if let Some(range) = other.opaque::<BigRange>() {
                return usize::try_from(range.len())
                    .ok()
                    .filter(|&len| i64::try_from(len).is_ok())
                    .ok_or_else(|| overflow_error("Python int too large to convert to C ssize_t"));
            } else {
                return Err(type_error(format!(
                    "object of type '{}' has no len()",
                    class_name(value)
                )));
            }
        }
    })
}

/// Whether `len()` works on it.
pub fn has_length(value: &Value) -> bool {
    match plain(value) {
        Value::Str(_)
        | Value::List(_)
        | Value::Tuple(_)
        | Value::Dict(_)
        | Value::Set(_)
        | Value::FrozenSet(_)
        | Value::Bytes(_)
        | Value::ByteArray(_)
        | Value::Range(_) => true,
        other => {
            other.opaque::<DictView>().is_some()
                || other.opaque::<MappingProxy>().is_some()
                || special::find(value, name::LEN).is_some()
        }
    }
}

/// A guess at how many items are to come, 0 if nothing is known.
pub fn length_hint(value: &Value) -> Res<usize> {
    Ok(told_length(value)?.unwrap_or(0))
}

/// How many items are to come, as far as the value tells: none if it does not.
pub fn told_length(value: &Value) -> Res<Option<usize>> {
    if has_length(value) {
        match length(value) {
            // An object may have a `__len__` and no length.
            Err(raised) if matches(&raised, Type::TypeError) => drop(raised.take()),
            known => return known.map(Some),
        }
    }
    if let Value::Iterator(iterator) = value {
        let (sequence, at, reversed) = match &*iterator.state.borrow() {
            IteratorState::Sequence { object, index } if has_length(object) => {
                (object.clone(), *index, false)
            }
            IteratorState::Backwards { object, left } => (object.clone(), *left as i64, true),
            _ => (Value::Unset, 0, false),
        };
        if !sequence.is_unset() {
            let len = length(&sequence)? as i64;
            let left = match reversed {
                true if len < at => 0,
                true => at,
                false => len - at,
            };
            return Ok(Some(usize::try_from(left).unwrap_or(0)));
        }
        return Ok(Some(match &*iterator.state.borrow() {
            IteratorState::List(list, at) => list.len().saturating_sub(*at),
            IteratorState::ListReversed(list, left) => {
                if *left <= list.len() {
                    *left
                } else {
                    0
                }
            }
            IteratorState::Tuple(tuple, at) => tuple.items.len().saturating_sub(*at),
            IteratorState::Range { left, .. } => usize::try_from(*left).unwrap_or(usize::MAX),
            IteratorState::Items(items) => items.len(),
            IteratorState::Repeat { left: Some(left), .. } => usize::try_from(*left).unwrap_or(0),
            IteratorState::Native(items) => return Ok(items.items().left()),
            IteratorState::Str(text, at) => text.text[*at..].chars().count(),
            IteratorState::Bytes(bytes, at) => bytes.0.len().saturating_sub(*at),
            IteratorState::Dict(walk) if walk.dict.len() == walk.len => walk.left,
            IteratorState::Dict(_) => 0,
            IteratorState::Set { set, position, len } => mapping::as_set_table(set)
                .map(|table| table.borrow())
                .filter(|table| table.len() == *len)
                .map_or(0, |table| table.count_from(*position)),
            _ => return Ok(None),
        }));
    }
    let hint = match special::try_call(value, name::LENGTH_HINT, &[]) {
        Err(raised) if matches(&raised, Type::TypeError) => {
            drop(raised.take());
            return Ok(None);
        }
        hint => hint?,
    };
    match hint {
        Some(hint) => match plain(&hint) {
            Value::Int(n) => {
                let hint =
                    usize::try_from(*n).map_err(|_| value_error("__length_hint__() should return >= 0"));
                hint.map(Some)
            }
            _ => Err(type_error(format!(
                "__length_hint__ must be an integer, not {}",
                class_name(&hint)
            ))),
        },
        None => Ok(None),
    }
}
