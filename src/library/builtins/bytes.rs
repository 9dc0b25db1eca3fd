//! The methods that `bytes` and `bytearray` share with `str`.

use super::bytes_make::{bytes_like, this};
use super::str::{limit, width};
use super::{method, wrong_argument};
use crate::interp::error::*;
use crate::interp::operator::{self, collection::same_kind_of_bytes};
use crate::interp::payload::*;
use crate::interp::types::class_name;
use crate::text::bytes;
use crate::text::string::Side;
use crate::value::*;
use std::ops::Range;

/// Where a part is found within a range.
type Search = fn(&[u8], &[u8], Range<usize>) -> Option<usize>;
/// Whether a part stands at one end of a range.
type Test = fn(&[u8], &[u8], Option<Range<usize>>) -> bool;
/// Cuts at a separator, so often at most.
type Split = for<'a> fn(&'a [u8], &[u8], Option<usize>) -> Vec<&'a [u8]>;
/// What stands before and after a separator.
type Partition = for<'a> fn(&'a [u8], &[u8]) -> Option<(&'a [u8], &'a [u8])>;

/// What `find` looks for: bytes, or one byte given as an int.
fn wanted(value: &Value) -> Res<Vec<u8>> {
    if let Some(part) = bytes_of(value) {
        return Ok(part);
    }
    if !has_index(value) {
        return Err(type_error(format!(
            "argument should be integer or bytes-like object, not '{}'",
            class_name(value)
        )));
    }
    u8::try_from(clamped(&index(value)?))
        .map(|byte| vec![byte])
        .map_err(|_| value_error("byte must be in range(0, 256)"))
}

fn range(bytes: &[u8], args: &[Value]) -> Res<Option<Range<usize>>> {
    Ok(bytes::bounds(bytes.len(), bound(&args[2])?, bound(&args[3])?))
}

fn search(args: &[Value], method: &str, how: Search) -> Res<Option<usize>> {
    let bytes = this(args, method)?;
    let range = range(&bytes, args)?;
    let part = wanted(&args[1])?;
    Ok(range.and_then(|range| how(&bytes, &part, range)))
}

fn find_or_minus_one(found: Option<usize>) -> Res {
    Ok(found.map_or(Value::Int(-1), Value::from))
}

fn find_or_error(found: Option<usize>) -> Res {
    found
        .map(Value::from)
        .ok_or_else(|| value_error("subsection not found"))
}

fn starts_or_ends(args: &[Value], method: &str, how: Test) -> Res {
    let bytes = this(args, method)?;
    let range = range(&bytes, args)?;
    if let Some(part) = bytes_of(&args[1]) {
        return Ok(Value::bool(how(&bytes, &part, range)));
    }
    let Some(options) = as_tuple(&args[1]) else {
        return Err(type_error(format!(
            "{method} first arg must be bytes or a tuple of bytes, not {}",
            class_name(&args[1])
        )));
    };
    for option in &options.items {
        if how(&bytes, &bytes_like(option)?, range.clone()) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn pieces(args: &[Value], parts: Vec<&[u8]>) -> Value {
    Value::list(
        parts
            .into_iter()
            .map(|part| same_kind_of_bytes(&args[0], part.to_vec()))
            .collect(),
    )
}

fn split(
    args: &[Value],
    method: &str,
    at_space: fn(&[u8], Option<usize>) -> Vec<&[u8]>,
    at_separator: Split,
) -> Res {
    let bytes = this(args, method)?;
    let most = limit(&args[2])?;
    match args[1].given() {
        None => Ok(pieces(args, at_space(&bytes, most))),
        Some(separator) => {
            let separator = bytes_like(separator)?;
            if separator.is_empty() {
                return Err(value_error("empty separator"));
            }
            Ok(pieces(args, at_separator(&bytes, &separator, most)))
        }
    }
}

fn partition(args: &[Value], method: &str, how: Partition, whole_first: bool) -> Res {
    let bytes = this(args, method)?;
    let separator = bytes_like(&args[1])?;
    if separator.is_empty() {
        return Err(value_error("empty separator"));
    }
    let of = |part: &[u8]| same_kind_of_bytes(&args[0], part.to_vec());
    Ok(Value::tuple(match how(&bytes, &separator) {
        Some((before, after)) => [of(before), of(&separator), of(after)],
        None => {
            let whole = match plain(&args[0]) {
                Value::ByteArray(_) => of(&bytes),
                _ => args[0].clone(),
            };
            if whole_first {
                [whole, of(b""), of(b"")]
            } else {
                [of(b""), of(b""), whole]
            }
        }
    }))
}

fn strip(args: &[Value], method: &str, side: Side) -> Res {
    let bytes = this(args, method)?;
    let set = args[1].given().map(bytes_like).transpose()?;
    Ok(same_kind_of_bytes(
        &args[0],
        bytes::strip(&bytes, set.as_deref(), side).to_vec(),
    ))
}

fn fill(args: &[Value], method: &str, how: fn(&[u8], i64, u8) -> Vec<u8>) -> Res {
    let bytes = this(args, method)?;
    let width = width(&args[1])?;
    let fill = match &args[2] {
        Value::Unset => b' ',
        given => match bytes_of(given).as_deref() {
            Some([byte]) => *byte,
            _ => {
                let argument = format!("{method}() argument 2");
                return Err(wrong_argument(&argument, "a byte string of length 1", given));
            }
        },
    };
    Ok(same_kind_of_bytes(&args[0], how(&bytes, width, fill)))
}

fn question(args: &[Value], method: &str, how: fn(&[u8]) -> bool) -> Res {
    this(args, method).map(|bytes| Value::bool(how(&bytes)))
}

fn change(args: &[Value], method: &str, how: fn(&[u8]) -> Vec<u8>) -> Res {
    this(args, method).map(|bytes| same_kind_of_bytes(&args[0], how(&bytes)))
}

fn translate(args: &[Value]) -> Res {
    let bytes = this(args, "translate")?;
    let table = match args[1].given() {
        None => None,
        Some(table) => match <[u8; 256]>::try_from(bytes_like(table)?) {
            Ok(table) => Some(table),
            Err(_) => return Err(value_error("translation table must be 256 characters long")),
        },
    };
    let delete = match &args[2] {
        Value::Unset => Vec::new(),
        delete => bytes_like(delete)?,
    };
    Ok(same_kind_of_bytes(
        &args[0],
        bytes::translate(&bytes, table.as_ref(), &delete),
    ))
}

const ONE: &str = "(self, /)";
const FIND: &str = "(self, sub, start=None, end=None, /)";
const STARTS: &str = "(self, prefix, start=None, end=None, /)";
const SPLIT: &str = "(self, /, sep=None, maxsplit=-1)";
const FILL: &str = "(self, width, fillchar=b' ', /)";
const STRIP: &str = "(self, bytes=None, /)";

pub const METHODS: &[NativeDef] = &[
    method(
        "find",
        FIND,
        "Return the lowest index where sub is found, or -1.",
        |args| find_or_minus_one(search(args, "find", bytes::find)?),
    ),
    method(
        "rfind",
        FIND,
        "Return the highest index where sub is found, or -1.",
        |args| find_or_minus_one(search(args, "rfind", bytes::rfind)?),
    ),
    method(
        "index",
        FIND,
        "Like find, but raises ValueError if sub is not found.",
        |args| find_or_error(search(args, "index", bytes::find)?),
    ),
    method(
        "rindex",
        FIND,
        "Like rfind, but raises ValueError if sub is not found.",
        |args| find_or_error(search(args, "rindex", bytes::rfind)?),
    ),
    method(
        "count",
        FIND,
        "Return the number of non-overlapping occurrences of sub.",
        |args| {
            let bytes = this(args, "count")?;
            let range = range(&bytes, args)?;
            let part = wanted(&args[1])?;
            Ok(Value::from(
                range.map_or(0, |range| bytes::count(&bytes, &part, range)),
            ))
        },
    ),
    method(
        "startswith",
        STARTS,
        "Return True if the bytes start with the prefix.",
        |args| starts_or_ends(args, "startswith", bytes::starts_with),
    ),
    method(
        "endswith",
        STARTS,
        "Return True if the bytes end with the suffix.",
        |args| starts_or_ends(args, "endswith", bytes::ends_with),
    ),
    method(
        "split",
        SPLIT,
        "Return a list of the sections, using sep as the delimiter.",
        |args| split(args, "split", bytes::split_space, bytes::split),
    ),
    method(
        "rsplit",
        SPLIT,
        "Like split, but splitting from the end.",
        |args| split(args, "rsplit", bytes::rsplit_space, bytes::rsplit),
    ),
    method(
        "splitlines",
        "(self, /, keepends=False)",
        "Return a list of the lines.",
        |args| {
            let bytes = this(args, "splitlines")?;
            let keep = !args[1].is_unset() && operator::truth(&args[1])?;
            Ok(pieces(args, bytes::split_lines(&bytes, keep)))
        },
    ),
    method(
        "partition",
        "(self, sep, /)",
        "Split at the first sep: (before, sep, after).",
        |args| partition(args, "partition", bytes::partition, true),
    ),
    method(
        "rpartition",
        "(self, sep, /)",
        "Split at the last sep: (before, sep, after).",
        |args| partition(args, "rpartition", bytes::rpartition, false),
    ),
    method(
        "strip",
        STRIP,
        "Strip leading and trailing bytes contained in the argument.",
        |args| strip(args, "strip", Side::Both),
    ),
    method(
        "lstrip",
        STRIP,
        "Strip leading bytes contained in the argument.",
        |args| strip(args, "lstrip", Side::Left),
    ),
    method(
        "rstrip",
        STRIP,
        "Strip trailing bytes contained in the argument.",
        |args| strip(args, "rstrip", Side::Right),
    ),
    method(
        "removeprefix",
        "(self, prefix, /)",
        "Return bytes with the prefix removed if present.",
        |args| {
            let bytes = this(args, "removeprefix")?;
            Ok(same_kind_of_bytes(
                &args[0],
                bytes::remove_prefix(&bytes, &bytes_like(&args[1])?).to_vec(),
            ))
        },
    ),
    method(
        "removesuffix",
        "(self, suffix, /)",
        "Return bytes with the suffix removed if present.",
        |args| {
            let bytes = this(args, "removesuffix")?;
            Ok(same_kind_of_bytes(
                &args[0],
                bytes::remove_suffix(&bytes, &bytes_like(&args[1])?).to_vec(),
            ))
        },
    ),
    method(
        "replace",
        "(self, old, new, count=-1, /)",
        "Return a copy with all occurrences of old replaced by new.",
        |args| {
            let bytes = this(args, "replace")?;
            let (old, new) = (bytes_like(&args[1])?, bytes_like(&args[2])?);
            let most = limit(&args[3])?;
            let places = most.unwrap_or(usize::MAX).min(bytes.len() / old.len().max(1) + 1);
            if new.len().saturating_mul(places) > super::str::WIDEST as usize {
                return Err(raise_empty(crate::interp::types::Type::MemoryError));
            }
            Ok(same_kind_of_bytes(
                &args[0],
                bytes::replace(&bytes, &old, &new, most),
            ))
        },
    ),
    method(
        "translate",
        "(self, table, /, delete=b'')",
        "Return a copy with each byte mapped by the table.",
        translate,
    ),
    method("center", FILL, "Return centered bytes of length width.", |args| {
        fill(args, "center", bytes::center)
    }),
    method(
        "ljust",
        FILL,
        "Return left-justified bytes of length width.",
        |args| fill(args, "ljust", bytes::ljust),
    ),
    method(
        "rjust",
        FILL,
        "Return right-justified bytes of length width.",
        |args| fill(args, "rjust", bytes::rjust),
    ),
    method(
        "zfill",
        "(self, width, /)",
        "Pad numeric bytes with zeros on the left.",
        |args| {
            Ok(same_kind_of_bytes(
                &args[0],
                bytes::zfill(&this(args, "zfill")?, width(&args[1])?),
            ))
        },
    ),
    method(
        "expandtabs",
        "(self, /, tabsize=8)",
        "Return a copy where all tab characters are expanded.",
        |args| {
            let size = if args[1].is_unset() { 8 } else { width(&args[1])? };
            let bytes = this(args, "expandtabs")?;
            let tabs = bytes.iter().filter(|&&b| b == b'\t').count() as i64;
            if tabs.saturating_mul(size) > super::str::WIDEST {
                return Err(raise_empty(crate::interp::types::Type::MemoryError));
            }
            Ok(same_kind_of_bytes(&args[0], bytes::expand_tabs(&bytes, size)))
        },
    ),
    method("lower", ONE, "Return a copy converted to lowercase.", |args| {
        change(args, "lower", <[u8]>::to_ascii_lowercase)
    }),
    method("upper", ONE, "Return a copy converted to uppercase.", |args| {
        change(args, "upper", <[u8]>::to_ascii_uppercase)
    }),
    method("capitalize", ONE, "Return a capitalized copy.", |args| {
        change(args, "capitalize", bytes::capitalize)
    }),
    method("title", ONE, "Return a titlecased copy.", |args| {
        change(args, "title", bytes::title)
    }),
    method(
        "swapcase",
        ONE,
        "Return a copy with uppercase and lowercase exchanged.",
        |args| change(args, "swapcase", bytes::swapcase),
    ),
    method(
        "isalnum",
        ONE,
        "Return True if all bytes are alphanumeric ASCII.",
        |args| question(args, "isalnum", bytes::is_alnum),
    ),
    method(
        "isalpha",
        ONE,
        "Return True if all bytes are alphabetic ASCII.",
        |args| question(args, "isalpha", bytes::is_alpha),
    ),
    method("isascii", ONE, "Return True if all bytes are ASCII.", |args| {
        question(args, "isascii", <[u8]>::is_ascii)
    }),
    method(
        "isdigit",
        ONE,
        "Return True if all bytes are ASCII digits.",
        |args| question(args, "isdigit", bytes::is_digit),
    ),
    method(
        "islower",
        ONE,
        "Return True if the letters are lowercase.",
        |args| question(args, "islower", bytes::is_lower),
    ),
    method(
        "isspace",
        ONE,
        "Return True if all bytes are whitespace.",
        |args| question(args, "isspace", bytes::is_all_space),
    ),
    method(
        "istitle",
        ONE,
        "Return True if the bytes are titlecased.",
        |args| question(args, "istitle", bytes::is_title),
    ),
    method(
        "isupper",
        ONE,
        "Return True if the letters are uppercase.",
        |args| question(args, "isupper", bytes::is_upper),
    ),
];
