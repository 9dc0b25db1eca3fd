//! `_io`: what `io` needs that cannot be written in aio.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_name};
use crate::library::builtins::{function, str_make};
use crate::source::Symbol;
use crate::text::codec::{Encoding, Order};
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

/// Makes a class of streams that is built in count as one that is written in aio.
fn adopt(args: &[Value]) -> Res {
    if let (Some(stream), Some(parent)) = (as_class(&args[0]), as_class(&args[1]))
        && !stream.is_script
        && parent.is_script
        && !parent.is_subclass(stream)
    {
        *stream.mro.borrow_mut() = parent.linear();
        // Whoever has looked something up forgets it.
        stream.set(Symbol::new("__module__"), Value::from("_io"));
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
];

pub fn module() -> Vec<(Symbol, Value)> {
    super::functions("_io", &[FUNCTIONS])
}
