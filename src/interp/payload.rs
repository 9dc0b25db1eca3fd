//! Values of built-in types, found in themselves or in an instance of a script class that inherits
//! from the type; and numbers as natives want them.

use super::error::*;
use super::report::deprecated;
use super::special;
use super::types::{Type, class, class_name};
use crate::source::name;
use crate::text::int::Int;
use crate::value::*;
use num_bigint::BigInt;

/// The value of a built-in type that an instance of a subclass carries; any other value itself.
#[inline(always)]
pub fn plain(value: &Value) -> &Value {
    match value {
        Value::Instance(instance) if !instance.payload.is_unset() => &instance.payload,
        value => value,
    }
}

macro_rules! payloads {
    ($($name:ident $kind:ident $type:ident;)*) => {
        $(
            #[inline]
            pub fn $name(value: &Value) -> Option<&Ref<$type>> {
                match plain(value) {
                    Value::$kind(object) => Some(object),
                    _ => None,
                }
            }
        )*
    };
}

payloads! {
    as_str Str Str;
    as_bytes Bytes Bytes;
    as_bytearray ByteArray ByteArray;
    as_list List List;
    as_tuple Tuple Tuple;
    as_dict Dict Dict;
    as_set Set Set;
    as_frozenset FrozenSet FrozenSet;
    as_range Range Range;
    as_slice Slice Slice;
    as_exception Exception Exception;
    as_class Class Class;
    as_generator Generator Generator;
    as_function Function Function;
}

/// The text of a str.
pub fn text_of(value: &Value) -> Option<&str> {
    as_str(value).map(|str| &*str.text)
}

/// A copy of the bytes of a bytes or bytearray.
pub fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match plain(value) {
        Value::Bytes(bytes) => Some(bytes.0.to_vec()),
        Value::ByteArray(bytes) => Some(bytes.0.borrow().clone()),
        _ => None,
    }
}

/// Works on the bytes of a bytes or bytearray. `work` must not run script code.
pub fn with_bytes<T>(value: &Value, work: impl FnOnce(&[u8]) -> T) -> Option<T> {
    match plain(value) {
        Value::Bytes(bytes) => Some(work(&bytes.0)),
        Value::ByteArray(bytes) => Some(work(&bytes.0.borrow())),
        _ => None,
    }
}

/// A machine int: a small int or a bool.
#[inline]
pub fn as_small(value: &Value) -> Option<i64> {
    match plain(value) {
        Value::Int(n) => Some(*n),
        Value::Bool(b) => Some(b.get() as i64),
        _ => None,
    }
}

/// An int of any size, or a bool.
pub fn as_int(value: &Value) -> Option<Int> {
    match plain(value) {
        Value::Int(n) => Some(Int::Small(*n)),
        Value::Bool(b) => Some(Int::Small(b.get() as i64)),
        Value::Big(big) => Some(Int::Big(big.0.clone())),
        _ => None,
    }
}

pub fn as_bigint(value: &Value) -> Option<BigInt> {
    as_int(value).map(|n| n.to_big())
}

impl From<Int> for Value {
    fn from(n: Int) -> Value {
        match n {
            Int::Small(n) => Value::Int(n),
            Int::Big(n) => Value::from(n),
        }
    }
}

/// A float.
pub fn as_float(value: &Value) -> Option<f64> {
    match plain(value) {
        Value::Float(x) => Some(x.get()),
        _ => None,
    }
}

/// Warns if a method that gives a number gave one of a type derived from the number's.
pub fn warn_of_derived(method: &str, number: &str, result: &Value) -> Res<()> {
    if matches!(result, Value::Int(_) | Value::Big(_) | Value::Float(_)) {
        return Ok(());
    }
    deprecated(&format!(
        "{method} returned non-{number} (type {}).  The ability to return an instance of a strict subclass of \
         {number} is deprecated, and may be removed in a future version of Python.",
        class_name(result)
    ))
}

/// A value as an int by way of `__index__`, as an exact int.
pub fn index(value: &Value) -> Res {
    match plain(value) {
        Value::Int(n) => return Ok(Value::Int(*n)),
        Value::Bool(b) => return Ok(Value::Int(b.get() as i64)),
        big @ Value::Big(_) => return Ok(big.clone()),
        _ => {}
    }
    match special::call(value, name::INDEX, &[]) {
        Some(result) => {
            let result = result?;
            match plain(&result) {
                Value::Int(n) => warn_of_derived("__index__", "int", &result).map(|()| Value::Int(*n)),
                Value::Bool(b) => {
                    warn_of_derived("__index__", "int", &result).map(|()| Value::Int(b.get() as i64))
                }
                big @ Value::Big(_) => warn_of_derived("__index__", "int", &result).map(|()| big.clone()),
                _ => Err(type_error(format!(
                    "__index__ returned non-int (type {})",
                    class_name(&result)
                ))),
            }
        }
        None => Err(type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            class_name(value)
        ))),
    }
}

/// Whether [`index`] can work at all.
pub fn has_index(value: &Value) -> bool {
    matches!(plain(value), Value::Int(_) | Value::Bool(_) | Value::Big(_))
        || special::find(value, name::INDEX).is_some()
}

/// What is said of an object that stands for an int beyond the sizes of memory.
pub fn too_wide(value: &Value) -> String {
    format!("cannot fit '{}' into an index-sized integer", class_name(value))
}

/// A value as a machine int by way of `__index__`; the exception if it does not fit.
pub fn index_or(value: &Value, too_large: impl FnOnce() -> Raised) -> Res<i64> {
    match index(value)? {
        Value::Int(n) => Ok(n),
        _ => Err(too_large()),
    }
}

/// An argument that must be an int of the machine's size.
pub fn small(value: &Value) -> Res<i64> {
    if let Value::Int(n) = value {
        return Ok(*n);
    }
    index_or(value, || {
        overflow_error("Python int too large to convert to C ssize_t")
    })
}

/// An argument that must be an int of 32 bits.
pub fn int32(value: &Value) -> Res<i32> {
    let number = match value {
        Value::Int(number) => *number,
        value => index_or(value, || {
            overflow_error("Python int too large to convert to C long")
        })?,
    };
    i32::try_from(number).map_err(|_| {
        overflow_error(match number > 0 {
            true => "signed integer is greater than maximum",
            false => "signed integer is less than minimum",
        })
    })
}

/// A start or end argument of `find`, `index` and the like: none if not given, clamped if huge.
pub fn bound(value: &Value) -> Res<Option<i64>> {
    match value {
        Value::Unset | Value::None => Ok(None),
        Value::Int(n) => Ok(Some(*n)),
        value if has_index(value) => Ok(Some(clamped(&index(value)?))),
        _ => Err(type_error(
            "slice indices must be integers or None or have an __index__ method",
        )),
    }
}

/// An int clamped to machine size.
pub fn clamped(n: &Value) -> i64 {
    match n {
        Value::Int(n) => *n,
        Value::Big(big) if big.0.sign() == num_bigint::Sign::Minus => i64::MIN,
        _ => i64::MAX,
    }
}

/// A value as a float: a float, or by `__float__`, an int, or by `__index__`.
pub fn real(value: &Value) -> Res<f64> {
    if let Some(x) = as_float(value) {
        return Ok(x);
    }
    if let Some(x) = real_by_method(value)? {
        return Ok(x);
    }
    match plain(value) {
        Value::Int(n) => return Ok(*n as f64),
        Value::Bool(b) => return Ok(f64::from(b.get())),
        Value::Big(big) => return big_to_f64(&big.0),
        _ => {}
    }
    if special::find(value, name::INDEX).is_some() {
        return real(&index(value)?);
    }
    Err(type_error(format!(
        "must be real number, not {}",
        class_name(value)
    )))
}

/// What a class's own `__float__` says.
pub fn real_by_method(value: &Value) -> Res<Option<f64>> {
    let Some(result) = special::call(value, name::FLOAT, &[]) else {
        return Ok(None);
    };
    let result = result?;
    match as_float(&result) {
        Some(x) => {
            warn_of_derived(&format!("{}.__float__", class_name(value)), "float", &result)?;
            Ok(Some(x))
        }
        None => Err(type_error(format!(
            "{}.__float__ returned non-float (type {})",
            class_name(value),
            class_name(&result)
        ))),
    }
}

/// The nearest float of a big int.
pub fn big_to_f64(n: &BigInt) -> Res<f64> {
    crate::text::int::to_f64(n).ok_or_else(|| overflow_error("int too large to convert to float"))
}

/// The value as the class's own: itself for the built-in class, else wrapped in an instance.
pub fn wrap(of: &Value, exact: Type, value: Value) -> Value {
    match as_class(of) {
        Some(of) if !of.is(&class(exact)) => Ref::new(Instance::new(of.clone(), value)).into(),
        _ => value,
    }
}

/// What a built-in `__new__` made, as an instance of the class it was called with if a script made
/// that one.
pub fn made_for(of: &Value, value: Value) -> Value {
    match as_class(of) {
        Some(of) if of.is_script => Ref::new(Instance::new(of.clone(), value)).into(),
        _ => value,
    }
}

/// A text argument, or the error that the named function gives for anything else.
pub fn text_arg<'a>(value: &'a Value, function: &str) -> Res<&'a str> {
    text_of(value).ok_or_else(|| {
        type_error(format!(
            "{function} argument must be str, not {}",
            class_name(value)
        ))
    })
}

/// The error of a method that was given the wrong kind of `self`.
#[cold]
pub fn wrong_self(method: &str, wanted: &str, this: &Value) -> Raised {
    type_error(format!(
        "descriptor '{method}' for '{wanted}' objects doesn't apply to a '{}' object",
        class_name(this)
    ))
}
