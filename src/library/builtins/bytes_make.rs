//! `bytes(…)` and `bytearray(…)`, hex, decoding, and what changes a bytearray.

use super::int::check_class;
use super::{class_method, method, static_method, str_make, wrong_argument};
use crate::interp::error::*;
use crate::interp::operator::collection::same_kind_of_bytes;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{call, iterate, special, subscript};
use crate::source::name;
use crate::text::bytes;
use crate::value::*;

/// What `bytes(…)` and `bytearray(…)` make of their arguments.
fn content(source: &Value, encoding: &Value, errors: &Value, function: &str) -> Res<Vec<u8>> {
    if !encoding.is_unset() || !errors.is_unset() {
        str_make::check_names(encoding, errors, function)?;
        if as_str(source).is_none() {
            return Err(type_error(if encoding.is_unset() {
                "errors without a string argument"
            } else {
                "encoding without a string argument"
            }));
        }
        if encoding.is_unset() {
            return Err(type_error("string argument without an encoding"));
        }
        return str_make::encode(source, encoding, errors, function);
    }
    if source.is_unset() {
        return Ok(Vec::new());
    }
    if function == "bytes"
        && let Some(own) = by_method(source)?
    {
        return Ok(own);
    }
    if as_str(source).is_some() {
        return Err(type_error("string argument without an encoding"));
    }
    let has_bytes = function == "bytes" && matches!(plain(source), Value::Bytes(_));
    if let Some(bytes) = bytes_of(source).filter(|_| has_bytes || !has_index(source)) {
        return Ok(bytes);
    }
    if has_index(source) {
        let count = index_or(source, || overflow_error(too_wide(source)));
        match count {
            // What fails to be a count by its type may still be an iterable.
            Err(raised) if matches(&raised, Type::TypeError) => drop(raised.take()),
            count => {
                let count = usize::try_from(count?).map_err(|_| value_error("negative count"))?;
                if count > 1 << 31 {
                    return Err(raise_empty(Type::MemoryError));
                }
                return Ok(vec![0; count]);
            }
        }
    }
    of_items(source, function)
}

/// What an object's `__bytes__` says, if it has one.
fn by_method(source: &Value) -> Res<Option<Vec<u8>>> {
    let Some(result) = special::call(source, name::BYTES, &[]) else {
        return Ok(None);
    };
    let result = result?;
    bytes_of(&result).map(Some).ok_or_else(|| {
        type_error(format!(
            "__bytes__ returned non-bytes (type {})",
            class_name(&result)
        ))
    })
}

/// The bytes that an iterable of ints gives.
fn of_items(source: &Value, function: &str) -> Res<Vec<u8>> {
    let items = iterate::iter_or(source, || {
        format!("cannot convert '{}' object to {function}", class_name(source))
    })?;
    let one = if function == "bytes" { "bytes" } else { "byte" };
    if function == "bytes" {
        iterate::ask_length(source, &items)?;
    }
    subscript::byte_values(&items, &format!("{one} must be in range(0, 256)"))
}

/// The bytes that an object is or gives: no count of them, and no text.
pub fn of_object(source: &Value) -> Res<Vec<u8>> {
    if let Some(own) = by_method(source)? {
        return Ok(own);
    }
    match bytes_of(source) {
        Some(bytes) => Ok(bytes),
        None if as_str(source).is_some() => Err(type_error(format!(
            "cannot convert '{}' object to bytes",
            class_name(source)
        ))),
        None => of_items(source, "bytes"),
    }
}

/// The bytes of `self`.
pub fn this(args: &[Value], method: &str) -> Res<Vec<u8>> {
    bytes_of(&args[0]).ok_or_else(|| wrong_self(method, "bytes", &args[0]))
}

/// A bytes-like argument.
pub fn bytes_like(value: &Value) -> Res<Vec<u8>> {
    bytes_of(value).ok_or_else(|| {
        type_error(format!(
            "a bytes-like object is required, not '{}'",
            class_name(value)
        ))
    })
}

fn hex(args: &[Value]) -> Res {
    let group = match &args[2] {
        Value::Unset => 1,
        group => small(group)?,
    };
    let separator = match &args[1] {
        Value::Unset => None,
        separator if iterate::length(separator)? != 1 => return Err(value_error("sep must be length 1.")),
        separator => {
            let only = match (text_of(separator), bytes_of(separator)) {
                (Some(text), _) => text.chars().next(),
                (None, Some(bytes)) => bytes.first().map(|&b| b as char),
                (None, None) => return Err(type_error("sep must be str or bytes.")),
            };
            match only {
                Some(c) if !c.is_ascii() => return Err(value_error("sep must be ASCII.")),
                only => only,
            }
        }
    };
    Ok(Value::from(bytes::hex(&this(args, "hex")?, separator, group)))
}

fn from_hex(args: &[Value]) -> Res {
    let Some(text) = text_of(&args[1]) else {
        return Err(wrong_argument("fromhex()", "str", &args[1]));
    };
    let made: Value = Ref::new(Bytes(bytes::from_hex(text).map_err(value_error)?.into())).into();
    match as_class(&args[0]) {
        Some(of) if !of.is(&class(Type::Bytes)) => call::call(&args[0], &[made]),
        _ => Ok(made),
    }
}

fn join(args: &[Value]) -> Res {
    let separator = this(args, "join")?;
    let items = iterate::joined(&args[1])?;
    let mut whole = Vec::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            whole.extend_from_slice(&separator);
        }
        let is_added = with_bytes(item, |bytes| whole.extend_from_slice(bytes)).is_some();
        if !is_added {
            return Err(type_error(format!(
                "sequence item {i}: expected a bytes-like object, {} found",
                class_name(item)
            )));
        }
    }
    Ok(same_kind_of_bytes(&args[0], whole))
}

fn make_translation(args: &[Value]) -> Res {
    let (from, to) = (bytes_like(&args[0])?, bytes_like(&args[1])?);
    match bytes::make_translation(&from, &to) {
        Some(table) => Ok(Ref::new(Bytes(table.to_vec().into())).into()),
        None => Err(value_error("maketrans arguments must have same length")),
    }
}

fn array<'a>(args: &'a [Value], method: &str) -> Res<&'a Ref<ByteArray>> {
    as_bytearray(&args[0]).ok_or_else(|| wrong_self(method, "bytearray", &args[0]))
}

pub const COMMON: &[NativeDef] = &[
    method(
        "hex",
        "(self, /, sep=None, bytes_per_sep=1)",
        "Create a string of hexadecimal numbers.",
        hex,
    ),
    class_method(
        "fromhex",
        "(cls, string, /)",
        "Create bytes from a string of hexadecimal numbers.",
        from_hex,
    ),
    method(
        "decode",
        "(self, /, encoding='utf-8', errors='strict')",
        "Decode the bytes using the codec.",
        |args| {
            let bytes = this(args, "decode")?;
            str_make::decode(&bytes, &args[0], &args[1], &args[2], "decode").map(Value::from)
        },
    ),
    method(
        "join",
        "(self, iterable_of_bytes, /)",
        "Concatenate any number of bytes objects.",
        join,
    ),
    static_method(
        "maketrans",
        "(frm, to, /)",
        "Return a translation table usable for translate().",
        make_translation,
    ),
];

pub const BYTES: &[NativeDef] = &[
    method(
        "__getnewargs__",
        "(self, /)",
        "What making a copy takes.",
        |args| Ok(Value::tuple([plain(&args[0]).clone()])),
    ),
    static_method(
        "__new__",
        "(cls, source=b'', encoding=None, errors=None)",
        "Construct an immutable array of bytes.",
        |args| {
            check_class(&args[0], Type::Bytes)?;
            if let (Value::Bytes(_), Value::Unset, Value::Unset) = (&args[1], &args[2], &args[3])
                && as_class(&args[0]).is_some_and(|of| of.is(&class(Type::Bytes)))
            {
                return Ok(args[1].clone());
            }
            let content = content(&args[1], &args[2], &args[3], "bytes")?;
            Ok(wrap(
                &args[0],
                Type::Bytes,
                Ref::new(Bytes(content.into())).into(),
            ))
        },
    ),
    method(
        "__bytes__",
        "(self, /)",
        "Convert this value to exact type bytes.",
        |args| Ok(Ref::new(Bytes(this(args, "__bytes__")?.into())).into()),
    ),
];

pub const BYTEARRAY: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Construct a mutable bytearray object.",
        |args| {
            check_class(&args[0], Type::ByteArray)?;
            Ok(wrap(
                &args[0],
                Type::ByteArray,
                Ref::new(ByteArray(Vec::new().into())).into(),
            ))
        },
    ),
    method(
        "__init__",
        "(self, source=b'', encoding=None, errors=None)",
        "Initialize self.",
        |args| {
            let content = content(&args[1], &args[2], &args[3], "bytearray")?;
            *array(args, "__init__")?.0.borrow_mut() = content;
            Ok(Value::None)
        },
    ),
    method(
        "append",
        "(self, item, /)",
        "Append a single item to the end of the bytearray.",
        |args| {
            let byte = subscript::byte_value(&args[1])?;
            array(args, "append")?.0.borrow_mut().push(byte);
            Ok(Value::None)
        },
    ),
    method(
        "extend",
        "(self, iterable_of_ints, /)",
        "Append all the items to the end of the bytearray.",
        |args| {
            let more = match bytes_of(&args[1]) {
                Some(bytes) => bytes,
                None if as_str(&args[1]).is_some() => {
                    return Err(type_error("expected iterable of integers; got: 'str'"));
                }
                None if !iterate::is_iterable(&args[1]) => {
                    return Err(type_error(format!(
                        "can't extend bytearray with {}",
                        class_name(&args[1])
                    )));
                }
                None => {
                    let mut bytes = Vec::new();
                    iterate::for_each(&args[1], |item| {
                        bytes.push(subscript::byte_value(&item)?);
                        Ok(())
                    })?;
                    bytes
                }
            };
            array(args, "extend")?.0.borrow_mut().extend(more);
            Ok(Value::None)
        },
    ),
    method(
        "insert",
        "(self, index, item, /)",
        "Insert a single item before the given index.",
        |args| {
            let at = small(&args[1])?;
            let byte = subscript::byte_value(&args[2])?;
            let mut bytes = array(args, "insert")?.0.borrow_mut();
            let len = bytes.len() as i64;
            let at = if at < 0 {
                (at.saturating_add(len)).max(0)
            } else {
                at.min(len)
            };
            bytes.insert(at as usize, byte);
            Ok(Value::None)
        },
    ),
    method(
        "pop",
        "(self, index=-1, /)",
        "Remove and return a single item.",
        |args| {
            let at = if args[1].is_unset() { -1 } else { small(&args[1])? };
            let mut bytes = array(args, "pop")?.0.borrow_mut();
            if bytes.is_empty() {
                return Err(index_error("pop from empty bytearray"));
            }
            match subscript::place(at, bytes.len()) {
                Some(place) => Ok(Value::Int(i64::from(bytes.remove(place)))),
                None => Err(index_error("pop index out of range")),
            }
        },
    ),
    method(
        "remove",
        "(self, value, /)",
        "Remove the first occurrence of a value.",
        |args| {
            let byte = subscript::byte_value(&args[1])?;
            let mut bytes = array(args, "remove")?.0.borrow_mut();
            match bytes.iter().position(|&b| b == byte) {
                Some(place) => {
                    bytes.remove(place);
                    Ok(Value::None)
                }
                None => Err(value_error("value not found in bytearray")),
            }
        },
    ),
    method(
        "reverse",
        "(self, /)",
        "Reverse the order of the values in place.",
        |args| {
            array(args, "reverse")?.0.borrow_mut().reverse();
            Ok(Value::None)
        },
    ),
    method("clear", "(self, /)", "Remove all items.", |args| {
        array(args, "clear")?.0.borrow_mut().clear();
        Ok(Value::None)
    }),
    method("copy", "(self, /)", "Return a copy.", |args| {
        let copy = array(args, "copy")?.0.borrow().clone();
        Ok(Ref::new(ByteArray(copy.into())).into())
    }),
];
