//! `str(…)`, `encode`, `format`, `join`, `translate`: what makes text of other values.

use super::int::check_class;
use super::{method, static_method, template, wrong_argument};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{iterate, mapping, subscript, text};
use crate::source::name;
use crate::text::codec::{self, CodecError, Encoding};
use crate::text::string::{self, Translation};
use crate::value::*;

fn encoding_name<'a>(value: &'a Value, function: &str) -> Res<&'a str> {
    match value {
        Value::Unset => Ok("utf-8"),
        value => text_of(value).ok_or_else(|| wrong_name("encoding", function, value)),
    }
}

/// The error for an encoding or a handler that is no str; `str` itself tells the class, also of None.
#[cold]
fn wrong_name(parameter: &str, function: &str, value: &Value) -> Raised {
    match function {
        "str" => type_error(format!(
            "str() argument '{parameter}' must be str, not {}",
            class_name(value)
        )),
        _ => wrong_argument(&format!("{function}() argument '{parameter}'"), "str", value),
    }
}

/// Checks the types of the arguments `encoding` and `errors`.
pub fn check_names(encoding: &Value, errors: &Value, function: &str) -> Res<()> {
    encoding_name(encoding, function)?;
    handler(errors, function).map(|_| ())
}

/// The encoding that an argument names; UTF-8 if it is not given.
pub fn encoding(value: &Value, function: &str) -> Res<Encoding> {
    let name = encoding_name(value, function)?;
    match Encoding::named(name) {
        Some(encoding) => Ok(encoding),
        None if name.contains('\0') => Err(value_error("embedded null character")),
        None => Err(raise(Type::LookupError, unknown_encoding(name, function))),
    }
}

/// Codecs of CPython's that are not between text and bytes, under the names they have there.
const NO_TEXT: &[&str] = &[
    "base64",
    "base64_codec",
    "base_64",
    "bz2",
    "bz2_codec",
    "hex",
    "hex_codec",
    "quopri",
    "quopri_codec",
    "quoted_printable",
    "rot13",
    "rot_13",
    "uu",
    "uu_codec",
    "zip",
    "zlib",
    "zlib_codec",
];

fn unknown_encoding(name: &str, function: &str) -> String {
    let plain = name.to_ascii_lowercase().replace(['-', ' '], "_");
    if !NO_TEXT.contains(&plain.as_str()) {
        return format!("unknown encoding: {name}");
    }
    let act = if function == "encode" { "encode" } else { "decode" };
    format!("'{name}' is not a text encoding; use codecs.{act}() to handle arbitrary codecs")
}

/// The error handler that an argument names.
pub fn handler<'a>(value: &'a Value, function: &str) -> Res<&'a str> {
    match value {
        Value::Unset => Ok("strict"),
        value => text_of(value).ok_or_else(|| wrong_name("errors", function, value)),
    }
}

/// The exception of a failed conversion.
#[cold]
pub fn codec_error(error: CodecError, object: &Value, handler: &str, id: Type) -> Raised {
    match error {
        CodecError::UnknownHandler
            if id == Type::UnicodeDecodeError && matches!(handler, "xmlcharrefreplace" | "namereplace") =>
        {
            type_error("don't know how to handle UnicodeDecodeError in error callback")
        }
        CodecError::UnknownHandler => raise(
            Type::LookupError,
            format!("unknown error handler name '{handler}'"),
        ),
        CodecError::Unicode {
            encoding,
            start,
            end,
            reason,
        } => {
            let parts = [
                Value::from(encoding),
                object.clone(),
                Value::from(start),
                Value::from(end),
                Value::from(reason),
            ];
            let exception = Exception::new(class(id), parts.to_vec());
            let names = [name::ENCODING, name::OBJECT, name::START, name::END, name::REASON];
            for (name, part) in names.into_iter().zip(parts) {
                exception.parts.set(name, part);
            }
            Raised::new(exception)
        }
    }
}

/// `bytes.decode(encoding, errors)`
pub fn decode(
    bytes: &[u8],
    object: &Value,
    encoding_name: &Value,
    errors: &Value,
    function: &str,
) -> Res<String> {
    self::encoding_name(encoding_name, function)?;
    let handler = handler(errors, function)?;
    // Of no bytes there is nothing to be decoded, in whatever encoding.
    if bytes.is_empty() {
        return Ok(String::new());
    }
    let encoding = encoding(encoding_name, function)?;
    codec::decode(bytes, encoding, handler)
        .map_err(|error| codec_error(error, object, handler, Type::UnicodeDecodeError))
}

/// `str.encode(encoding, errors)`
pub fn encode(value: &Value, encoding_name: &Value, errors: &Value, function: &str) -> Res<Vec<u8>> {
    self::encoding_name(encoding_name, function)?;
    let handler = handler(errors, function)?;
    let encoding = encoding(encoding_name, function)?;
    let Some(text) = text_of(value) else {
        return Err(wrong_self("encode", "str", value));
    };
    codec::encode(text, encoding, handler)
        .map_err(|error| codec_error(error, value, handler, Type::UnicodeEncodeError))
}

fn new(args: &[Value]) -> Res {
    let [of, object, encoding, errors] = args else {
        return Ok(Value::from(""));
    };
    check_class(of, Type::Str)?;
    let text = if encoding.is_unset() && errors.is_unset() {
        match object {
            Value::Unset => Value::from(""),
            object => text::str_value(object)?,
        }
    } else {
        check_names(encoding, errors, "str")?;
        match bytes_of(object) {
            Some(bytes) => Value::from(decode(&bytes, object, encoding, errors, "str")?),
            None if object.is_unset() => Value::from(""),
            None if as_str(object).is_some() => return Err(type_error("decoding str is not supported")),
            None => {
                return Err(type_error(format!(
                    "decoding to str: need a bytes-like object, {} found",
                    class_name(object)
                )));
            }
        }
    };
    Ok(wrap(of, Type::Str, text))
}

fn join(args: &[Value]) -> Res {
    let Some(separator) = text_of(&args[0]) else {
        return Err(wrong_self("join", "str", &args[0]));
    };
    let items = iterate::joined(&args[1])?;
    if let [Value::Str(one)] = items.as_slice() {
        return Ok(Ref::clone(one).into());
    }
    let mut size = separator.len() * items.len().saturating_sub(1);
    for (i, item) in items.iter().enumerate() {
        match text_of(item) {
            Some(text) => size += text.len(),
            None => {
                return Err(type_error(format!(
                    "sequence item {i}: expected str instance, {} found",
                    class_name(item)
                )));
            }
        }
    }
    let mut whole = String::with_capacity(size);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            whole.push_str(separator);
        }
        whole.push_str(text_of(item).unwrap_or(""));
    }
    Ok(Value::from(whole))
}

/// The character with a number that a table gave.
fn table_char(n: i64) -> Res<char> {
    u32::try_from(n)
        .ok()
        .and_then(char::from_u32)
        .ok_or_else(|| value_error("character mapping must be in range(0x110000)"))
}

/// What a translation table says of a character.
fn look_up(table: &Value, c: char) -> Res<Translation> {
    let key = Value::Int(i64::from(c as u32));
    let found = match table {
        Value::Dict(dict) => match mapping::dict_get(dict, &key)? {
            Some(found) => found,
            None => return Ok(Translation::Keep),
        },
        _ => match subscript::get_item(table, &key) {
            Err(raised) if matches(&raised, Type::LookupError) => {
                drop(raised.take());
                return Ok(Translation::Keep);
            }
            found => found?,
        },
    };
    match plain(&found) {
        Value::None => Ok(Translation::Delete),
        Value::Int(n) => table_char(*n).map(Translation::Char),
        Value::Str(text) => {
            let mut chars = text.text.chars();
            Ok(match (chars.next(), chars.next()) {
                (Some(c), None) => Translation::Char(c),
                _ => Translation::Text(text.text.to_string()),
            })
        }
        _ => Err(type_error("character mapping must return integer, None or str")),
    }
}

fn translate(args: &[Value]) -> Res {
    let Some(text) = text_of(&args[0]) else {
        return Err(wrong_self("translate", "str", &args[0]));
    };
    let lookup = |c: char| look_up(&args[1], c);
    // Scripts can count the questions: of ASCII texts, each character is asked for once.
    let (begun, made_of) = match &args[1] {
        Value::Dict(_) => string::translate_ascii(text, lookup)?,
        _ if text.is_ascii() => string::translate_ascii(text, lookup)?,
        _ => (String::with_capacity(text.len()), 0),
    };
    string::translate(&text[made_of..], begun, lookup).map(Value::from)
}

fn make_translation(args: &[Value]) -> Res {
    let table = mapping::new_dict();
    let set = |c: char, value: Value| mapping::dict_set(&table, &Value::Int(i64::from(c as u32)), value);
    if args[1].is_unset() {
        let Value::Dict(given) = &args[0] else {
            return Err(type_error(
                "if you give only one argument to maketrans it must be a dict",
            ));
        };
        for (key, value) in mapping::entries(given) {
            match plain(&key) {
                Value::Int(_) => mapping::dict_set(&table, &key, value)?,
                Value::Str(text) => {
                    let mut chars = text.text.chars();
                    match (chars.next(), chars.next()) {
                        (Some(c), None) => set(c, value)?,
                        _ => return Err(value_error("string keys in translate table must be of length 1")),
                    }
                }
                _ => return Err(type_error("keys in translate table must be strings or integers")),
            }
        }
        return Ok(table.into());
    }
    let part = |i: usize| {
        text_of(&args[i])
            .ok_or_else(|| wrong_argument(&format!("maketrans() argument {}", i + 1), "str", &args[i]))
    };
    part(1)?;
    if !args[2].is_unset() {
        part(2)?;
    }
    let Some(from) = text_of(&args[0]) else {
        return Err(type_error(
            "first maketrans argument must be a string if there is a second argument",
        ));
    };
    let to = part(1)?;
    if from.chars().count() != to.chars().count() {
        return Err(value_error(
            "the first two maketrans arguments must have equal length",
        ));
    }
    for (c, other) in from.chars().zip(to.chars()) {
        set(c, Value::Int(i64::from(other as u32)))?;
    }
    if !args[2].is_unset() {
        for c in part(2)?.chars() {
            set(c, Value::None)?;
        }
    }
    Ok(table.into())
}

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, object='', encoding='utf-8', errors='strict')",
        "Create a new string object from the given object.",
        new,
    ),
    method("__str__", "(self, /)", "Return str(self).", |args| {
        match as_str(&args[0]) {
            Some(text) => Ok(text.clone().into()),
            None => Err(wrong_self("__str__", "str", &args[0])),
        }
    }),
    method(
        "encode",
        "(self, encoding='utf-8', errors='strict')",
        "Encode the string using the codec registered for encoding.",
        |args| {
            let bytes = encode(&args[0], &args[1], &args[2], "encode")?;
            Ok(Ref::new(Bytes(bytes.into())).into())
        },
    ),
    method(
        "join",
        "(self, iterable, /)",
        "Concatenate any number of strings.",
        join,
    ),
    method(
        "format",
        "(self, /, *args, **kwargs)",
        "Return a formatted version of the string, using substitutions from args and kwargs.",
        |args| match text_of(&args[0]) {
            Some(text) => template::format(text, &args[1], &args[2]).map(Value::from),
            None => Err(wrong_self("format", "str", &args[0])),
        },
    ),
    method(
        "format_map",
        "(self, mapping, /)",
        "Return a formatted version of the string, using substitutions from mapping.",
        |args| match text_of(&args[0]) {
            Some(text) => template::format_map(text, &args[1]).map(Value::from),
            None => Err(wrong_self("format_map", "str", &args[0])),
        },
    ),
    method(
        "translate",
        "(self, table, /)",
        "Replace each character using the given translation table.",
        translate,
    ),
    static_method(
        "maketrans",
        "(x, y=None, z=None, /)",
        "Return a translation table usable for str.translate().",
        make_translation,
    ),
    method(
        "__getnewargs__",
        "(self, /)",
        "What copying calls the class with.",
        |args| Ok(Value::tuple([text::str_value(plain(&args[0]))?])),
    ),
];
