//! The methods of `str` that search, split, strip, fill and change case.

use super::{method, wrong_argument};
use crate::interp::error::*;
use crate::interp::operator;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_name};
use crate::text::string::{self, Side};
use crate::value::*;
use std::ops::Range;

/// No text may be filled to more than this.
pub const WIDEST: i64 = 1 << 31;

fn this<'a>(args: &'a [Value], method: &str) -> Res<&'a Ref<Str>> {
    as_str(&args[0]).ok_or_else(|| wrong_self(method, "str", &args[0]))
}

/// A str argument, named by its place in the error.
fn part<'a>(args: &'a [Value], place: usize, method: &str) -> Res<&'a str> {
    match text_of(&args[place]) {
        Some(text) => Ok(text),
        None => Err(wrong_argument(
            &format!("{method}() argument {place}"),
            "str",
            &args[place],
        )),
    }
}

/// The byte range of the optional `start` and `end` arguments.
fn range(text: &Str, args: &[Value]) -> Res<Option<Range<usize>>> {
    Ok(string::bounds(
        &text.text,
        bound(&args[2])?,
        bound(&args[3])?,
        text.is_ascii(),
    ))
}

/// `find` and its kin: the index of a part, by one of two searches.
fn search(
    args: &[Value],
    method: &str,
    how: fn(&str, &str, Range<usize>) -> Option<usize>,
) -> Res<Option<usize>> {
    let text = this(args, method)?;
    let part = part(args, 1, method)?;
    let found = range(text, args)?.and_then(|range| how(&text.text, part, range));
    Ok(found.map(|byte| string::index_of(&text.text, byte, text.is_ascii())))
}

fn find_or_minus_one(found: Option<usize>) -> Res {
    Ok(found.map_or(Value::Int(-1), Value::from))
}

fn find_or_error(found: Option<usize>) -> Res {
    found
        .map(Value::from)
        .ok_or_else(|| value_error("substring not found"))
}

fn starts_or_ends(args: &[Value], method: &str, how: fn(&str, &str, Option<Range<usize>>) -> bool) -> Res {
    let text = this(args, method)?;
    let range = range(text, args)?;
    if let Some(part) = text_of(&args[1]) {
        return Ok(Value::bool(how(&text.text, part, range)));
    }
    let Some(options) = as_tuple(&args[1]) else {
        return Err(type_error(format!(
            "{method} first arg must be str or a tuple of str, not {}",
            class_name(&args[1])
        )));
    };
    for option in &options.items {
        let Some(part) = text_of(option) else {
            return Err(type_error(format!(
                "tuple for {method} must only contain str, not {}",
                class_name(option)
            )));
        };
        if how(&text.text, part, range.clone()) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

/// `-1` and below mean without limit.
pub fn limit(value: &Value) -> Res<Option<usize>> {
    match value {
        Value::Unset => Ok(None),
        value => Ok(usize::try_from(small(value)?).ok()),
    }
}

fn strs(parts: Vec<&str>) -> Value {
    Value::list(parts.into_iter().map(Value::from).collect())
}

fn split(
    args: &[Value],
    method: &str,
    at_space: fn(&str, Option<usize>) -> Vec<&str>,
    at_separator: for<'a> fn(&'a str, &str, Option<usize>) -> Vec<&'a str>,
) -> Res {
    let text = this(args, method)?;
    let most = limit(&args[2])?;
    match args[1].given() {
        None => Ok(strs(at_space(&text.text, most))),
        Some(separator) => match text_of(separator) {
            Some("") => Err(value_error("empty separator")),
            Some(separator) => Ok(strs(at_separator(&text.text, separator, most))),
            None => Err(type_error(format!(
                "must be str or None, not {}",
                class_name(separator)
            ))),
        },
    }
}

fn strip(args: &[Value], method: &str, side: Side) -> Res {
    let text = this(args, method)?;
    let set = match args[1].given() {
        None => None,
        Some(set) => match text_of(set) {
            Some(set) => Some(set),
            None => return Err(type_error(format!("{method} arg must be None or str"))),
        },
    };
    let stripped = string::strip(&text.text, set, side);
    if stripped.len() == text.text.len() {
        return Ok(plain(&args[0]).clone());
    }
    Ok(Value::from(stripped))
}

fn separator(args: &[Value]) -> Res<&str> {
    match text_of(&args[1]) {
        Some("") => Err(value_error("empty separator")),
        Some(separator) => Ok(separator),
        None => Err(type_error(format!("must be str, not {}", class_name(&args[1])))),
    }
}

/// A width argument, small enough to fill.
pub fn width(value: &Value) -> Res<i64> {
    let width = small(value)?;
    if width > WIDEST {
        return Err(raise_empty(Type::MemoryError));
    }
    Ok(width)
}

fn fill(args: &[Value], method: &str, how: fn(&str, i64, char) -> String) -> Res {
    let text = this(args, method)?;
    let width = width(&args[1])?;
    let fill = match &args[2] {
        Value::Unset => ' ',
        given => match text_of(given).map(|text| (text.chars().next(), text.chars().nth(1))) {
            Some((Some(c), None)) => c,
            Some(_) => {
                return Err(type_error(
                    "The fill character must be exactly one character long",
                ));
            }
            None => {
                return Err(type_error(format!(
                    "The fill character must be a unicode character, not {}",
                    class_name(given)
                )));
            }
        },
    };
    Ok(Value::from(how(&text.text, width, fill)))
}

fn question(args: &[Value], method: &str, how: fn(&str) -> bool) -> Res {
    this(args, method).map(|text| Value::bool(how(&text.text)))
}

fn change(args: &[Value], method: &str, how: fn(&str) -> String) -> Res {
    this(args, method).map(|text| Value::from(how(&text.text)))
}

fn replace(args: &[Value]) -> Res {
    let text = this(args, "replace")?;
    let (old, new) = (part(args, 1, "replace")?, part(args, 2, "replace")?);
    let most = limit(&args[3])?;
    // The largest result stands between all characters.
    let most_places = most
        .unwrap_or(usize::MAX)
        .min(text.text.len() / old.len().max(1) + 1);
    if new.len().saturating_mul(most_places) > WIDEST as usize {
        return Err(raise_empty(Type::MemoryError));
    }
    Ok(Value::from(string::replace(&text.text, old, new, most)))
}

const ONE: &str = "(self, /)";
const FIND: &str = "(self, sub, start=None, end=None, /)";
const STARTS: &str = "(self, prefix, start=None, end=None, /)";
const SPLIT: &str = "(self, /, sep=None, maxsplit=-1)";
const FILL: &str = "(self, width, fillchar=' ', /)";
const STRIP: &str = "(self, chars=None, /)";

pub const METHODS: &[NativeDef] = &[
    method(
        "find",
        FIND,
        "Return the lowest index where substring sub is found, or -1.",
        |args| find_or_minus_one(search(args, "find", string::find)?),
    ),
    method(
        "rfind",
        FIND,
        "Return the highest index where substring sub is found, or -1.",
        |args| find_or_minus_one(search(args, "rfind", string::rfind)?),
    ),
    method(
        "index",
        FIND,
        "Like find, but raises ValueError if sub is not found.",
        |args| find_or_error(search(args, "index", string::find)?),
    ),
    method(
        "rindex",
        FIND,
        "Like rfind, but raises ValueError if sub is not found.",
        |args| find_or_error(search(args, "rindex", string::rfind)?),
    ),
    method(
        "count",
        FIND,
        "Return the number of non-overlapping occurrences of substring sub.",
        |args| {
            let text = this(args, "count")?;
            let part = part(args, 1, "count")?;
            Ok(Value::from(
                range(text, args)?.map_or(0, |range| string::count(&text.text, part, range)),
            ))
        },
    ),
    method(
        "startswith",
        STARTS,
        "Return True if the string starts with the prefix.",
        |args| starts_or_ends(args, "startswith", string::starts_with),
    ),
    method(
        "endswith",
        STARTS,
        "Return True if the string ends with the suffix.",
        |args| starts_or_ends(args, "endswith", string::ends_with),
    ),
    method(
        "split",
        SPLIT,
        "Return a list of the substrings, using sep as the separator.",
        |args| split(args, "split", string::split_space, string::split),
    ),
    method(
        "rsplit",
        SPLIT,
        "Like split, but splitting from the end.",
        |args| split(args, "rsplit", string::rsplit_space, string::rsplit),
    ),
    method(
        "splitlines",
        "(self, /, keepends=False)",
        "Return a list of the lines, breaking at line boundaries.",
        |args| {
            let text = this(args, "splitlines")?;
            let keep = !args[1].is_unset() && operator::truth(&args[1])?;
            Ok(strs(string::split_lines(&text.text, keep)))
        },
    ),
    method(
        "partition",
        "(self, sep, /)",
        "Split at the first sep: (before, sep, after).",
        |args| {
            let text = this(args, "partition")?;
            let separator = separator(args)?;
            Ok(Value::tuple(match string::partition(&text.text, separator) {
                Some((before, after)) => [Value::from(before), args[1].clone(), Value::from(after)],
                None => [args[0].clone(), Value::from(""), Value::from("")],
            }))
        },
    ),
    method(
        "rpartition",
        "(self, sep, /)",
        "Split at the last sep: (before, sep, after).",
        |args| {
            let text = this(args, "rpartition")?;
            let separator = separator(args)?;
            Ok(Value::tuple(match string::rpartition(&text.text, separator) {
                Some((before, after)) => [Value::from(before), args[1].clone(), Value::from(after)],
                None => [Value::from(""), Value::from(""), args[0].clone()],
            }))
        },
    ),
    method(
        "strip",
        STRIP,
        "Return a copy without leading and trailing whitespace or chars.",
        |args| strip(args, "strip", Side::Both),
    ),
    method(
        "lstrip",
        STRIP,
        "Return a copy without leading whitespace or chars.",
        |args| strip(args, "lstrip", Side::Left),
    ),
    method(
        "rstrip",
        STRIP,
        "Return a copy without trailing whitespace or chars.",
        |args| strip(args, "rstrip", Side::Right),
    ),
    method(
        "removeprefix",
        "(self, prefix, /)",
        "Return a str with the prefix removed if present.",
        |args| {
            let text = this(args, "removeprefix")?;
            match text_of(&args[1]) {
                Some(prefix) => Ok(Value::from(string::remove_prefix(&text.text, prefix))),
                None => Err(wrong_argument("removeprefix()", "str", &args[1])),
            }
        },
    ),
    method(
        "removesuffix",
        "(self, suffix, /)",
        "Return a str with the suffix removed if present.",
        |args| {
            let text = this(args, "removesuffix")?;
            match text_of(&args[1]) {
                Some(suffix) => Ok(Value::from(string::remove_suffix(&text.text, suffix))),
                None => Err(wrong_argument("removesuffix()", "str", &args[1])),
            }
        },
    ),
    method(
        "replace",
        "(self, old, new, /, count=-1)",
        "Return a copy with all occurrences of old replaced by new.",
        replace,
    ),
    method(
        "center",
        FILL,
        "Return a centered string of length width.",
        |args| fill(args, "center", string::center),
    ),
    method(
        "ljust",
        FILL,
        "Return a left-justified string of length width.",
        |args| fill(args, "ljust", string::ljust),
    ),
    method(
        "rjust",
        FILL,
        "Return a right-justified string of length width.",
        |args| fill(args, "rjust", string::rjust),
    ),
    method(
        "zfill",
        "(self, width, /)",
        "Pad a numeric string with zeros on the left.",
        |args| {
            Ok(Value::from(string::zfill(
                &this(args, "zfill")?.text,
                width(&args[1])?,
            )))
        },
    ),
    method(
        "expandtabs",
        "(self, /, tabsize=8)",
        "Return a copy where all tab characters are expanded.",
        |args| {
            let size = if args[1].is_unset() { 8 } else { width(&args[1])? };
            if i32::try_from(size).is_err() {
                return Err(overflow_error("Python int too large to convert to C int"));
            }
            let text = this(args, "expandtabs")?;
            let tabs = text.text.matches('\t').count() as i64;
            if tabs.saturating_mul(size) > WIDEST {
                return Err(raise_empty(Type::MemoryError));
            }
            Ok(Value::from(string::expand_tabs(&text.text, size)))
        },
    ),
    method("lower", ONE, "Return a copy converted to lowercase.", |args| {
        change(args, "lower", string::lower)
    }),
    method("upper", ONE, "Return a copy converted to uppercase.", |args| {
        change(args, "upper", string::upper)
    }),
    method(
        "casefold",
        ONE,
        "Return a version suitable for caseless comparisons.",
        |args| change(args, "casefold", string::casefold),
    ),
    method(
        "capitalize",
        ONE,
        "Return a capitalized version of the string.",
        |args| change(args, "capitalize", string::capitalize),
    ),
    method(
        "title",
        ONE,
        "Return a version where each word is titlecased.",
        |args| change(args, "title", string::title),
    ),
    method(
        "swapcase",
        ONE,
        "Convert uppercase to lowercase and lowercase to uppercase.",
        |args| change(args, "swapcase", string::swapcase),
    ),
    method(
        "isalnum",
        ONE,
        "Return True if all characters are alphanumeric.",
        |args| question(args, "isalnum", string::is_alnum),
    ),
    method(
        "isalpha",
        ONE,
        "Return True if all characters are alphabetic.",
        |args| question(args, "isalpha", string::is_alpha),
    ),
    method(
        "isascii",
        ONE,
        "Return True if all characters are ASCII.",
        |args| question(args, "isascii", str::is_ascii),
    ),
    method(
        "isdecimal",
        ONE,
        "Return True if all characters are decimal digits.",
        |args| question(args, "isdecimal", string::is_decimal),
    ),
    method(
        "isdigit",
        ONE,
        "Return True if all characters are digits.",
        |args| question(args, "isdigit", string::is_digit),
    ),
    method(
        "isidentifier",
        ONE,
        "Return True if the string is a valid identifier.",
        |args| question(args, "isidentifier", string::is_identifier),
    ),
    method(
        "islower",
        ONE,
        "Return True if the string is lowercase.",
        |args| question(args, "islower", string::is_lower),
    ),
    method(
        "isnumeric",
        ONE,
        "Return True if all characters are numeric.",
        |args| question(args, "isnumeric", string::is_numeric),
    ),
    method(
        "isprintable",
        ONE,
        "Return True if all characters are printable.",
        |args| question(args, "isprintable", string::is_all_printable),
    ),
    method(
        "isspace",
        ONE,
        "Return True if all characters are whitespace.",
        |args| question(args, "isspace", string::is_all_space),
    ),
    method(
        "istitle",
        ONE,
        "Return True if the string is titlecased.",
        |args| question(args, "istitle", string::is_title),
    ),
    method(
        "isupper",
        ONE,
        "Return True if the string is uppercase.",
        |args| question(args, "isupper", string::is_upper),
    ),
];
