//! `_io`: what `io` needs that cannot be written in aio, or is used much: streams in memory.

mod byte_memory;
mod newline;
mod text_memory;

use crate::interp::attribute::attrs_of;
use crate::interp::error::*;
use crate::interp::mapping;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_name};
use crate::library::builtins::{function, str_make};
use crate::source::Symbol;
use crate::text::codec::{Encoding, Order};
use crate::text::string;
use crate::value::*;

/// How many bytes at the end of a chunk are the beginning of a character.
fn unfinished(bytes: &[u8], encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Sig => (1..=bytes.len().min(3))
            .find(|&n| {
                let tail = &bytes[bytes.len() - n..];
                std::str::from_utf8(tail).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
            })
            .unwrap_or(0),
        Encoding::Ascii | Encoding::Latin1 | Encoding::Cp1252 | Encoding::UnicodeEscape => 0,
        Encoding::Utf16(order) => {
            let odd = bytes.len() % 2;
            let whole = &bytes[..bytes.len() - odd];
            let high = match whole {
                [.., a, b] => {
                    if order == Order::Big {
                        *a
                    } else {
                        *b
                    }
                }
                _ => 0,
            };
            odd + if (0xD8..0xDC).contains(&high) { 2 } else { 0 }
        }
        Encoding::Utf32(_) => bytes.len() % 4,
    }
}

/// Decodes a chunk of a longer text: gives the text, and how many of the bytes it was made of.
fn decode(args: &[Value]) -> Res {
    let [data, name, errors, is_last] = args else {
        return Ok(Value::None);
    };
    let Some(mut bytes) = bytes_of(data) else {
        return Err(type_error(format!(
            "a bytes-like object is required, not '{}'",
            class_name(data)
        )));
    };
    let Some(encoding) = text_of(name).and_then(Encoding::named) else {
        return Err(raise(
            Type::LookupError,
            format!("unknown encoding: {}", text_of(name).unwrap_or("")),
        ));
    };
    let whole = bytes.len();
    if !matches!(is_last, Value::Bool(last) if last.get()) {
        bytes.truncate(whole - unfinished(&bytes, encoding));
    }
    let object = if bytes.len() == whole && as_bytes(data).is_some() {
        data.clone()
    } else {
        Ref::new(Bytes(bytes.as_slice().into())).into()
    };
    let text = str_make::decode(&bytes, &object, name, errors, "decode")?;
    Ok(Value::tuple([Value::from(text), Value::from(bytes.len())]))
}

/// A size argument: none for all there is.
fn size(size: &Value) -> Res<Option<usize>> {
    match size.given() {
        None => Ok(None),
        Some(size) => Ok(usize::try_from(index(size)?).ok()),
    }
}

fn index(size: &Value) -> Res<i64> {
    if has_index(size) {
        return small(size);
    }
    Err(type_error(format!(
        "argument should be integer or None, not '{}'",
        class_name(size)
    )))
}

/// `__new__` of a stream: it is empty until `__init__` fills it.
fn new<T: 'static>(args: &[Value], data: T) -> Res {
    match as_class(&args[0]) {
        Some(of) => Ok(Opaque::value(of.clone(), data)),
        None => Err(type_error(format!(
            "object.__new__(X): X is not a type object ({})",
            class_name(&args[0])
        ))),
    }
}

/// A copy of the attributes that a script gave a stream; None if there are none.
fn attributes(stream: &Value) -> Value {
    match attrs_of(stream) {
        Some(attrs) if !attrs.is_empty() => mapping::dict_of_symbols(attrs.entries()),
        _ => Value::None,
    }
}

fn set_attributes(stream: &Value, given: &Value) -> Res {
    if let (Some(attrs), Some(given)) = (attrs_of(stream), as_dict(given)) {
        mapping::dict_merge(&attrs.dict(), given)?;
    }
    Ok(Value::None)
}

#[cold]
fn wrong_state(class: &str, parts: usize, given: &Value) -> Raised {
    type_error(format!(
        "{class}.__setstate__ argument should be {parts}-tuple, got {}",
        class_name(given)
    ))
}

/// Makes a class of streams that is built in count as one that is written in aio.
fn adopt(args: &[Value]) -> Res {
    if let (Some(stream), Some(parent)) = (as_class(&args[0]), as_class(&args[1]))
        && !stream.is_script
        && parent.is_script
        && !parent.is_subclass(stream)
    {
        stream.rebase(vec![parent.clone()], parent.linear());
        stream.list();
    }
    Ok(Value::None)
}

const FUNCTIONS: &[NativeDef] = &[
    function(
        "decode",
        "(data, encoding, errors, is_last, /)",
        "Return the text of some bytes, and how many of them it was made of.",
        decode,
    ),
    function(
        "adopt",
        "(stream, parent, /)",
        "Make a built-in class of streams a subclass.",
        adopt,
    ),
    function(
        "line_end",
        "(text, start, newline, /)",
        "Return where the line ends that begins at start; 0 if it does not.",
        line_end,
    ),
    function(
        "newline_kinds",
        "(text, /)",
        "Return which kinds of newline are in a text, as bits.",
        |args| Ok(Value::Int(newline::kinds(text_of(&args[0]).unwrap_or("")).into())),
    ),
    function(
        "newlines",
        "(kinds, /)",
        "Return such bits as the attribute newlines shows them.",
        |args| Ok(newline::shown(small(&args[0])?)),
    ),
];

fn line_end(args: &[Value]) -> Res {
    let (Some(text), Some(mode)) = (
        as_str(&args[0]),
        newline::Mode::of(args[2].given().and_then(text_of)),
    ) else {
        return Err(type_error("a str and a newline are required"));
    };
    let (is_ascii, start) = (text.is_ascii(), size(&args[1])?.unwrap_or(0));
    let rest = &text.text[string::byte_of(&text.text, start, is_ascii)..];
    let length = mode.line(rest).map(|end| string::length(&rest[..end], is_ascii));
    Ok(Value::from(length.map_or(0, |length| start + length)))
}

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_io", &[FUNCTIONS]);
    names.push((Symbol::new("StringIO"), text_memory::class().into()));
    names.push((Symbol::new("BytesIO"), byte_memory::class().into()));
    names
}
