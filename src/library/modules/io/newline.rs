//! Newlines: where lines end, and which kinds were seen.

use crate::value::*;
use memchr::{memchr, memchr2, memmem};

/// How a stream of text takes newlines: the argument `newline`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// None: every kind of newline is read as `\n`.
    Translated,
    /// `""`: every kind ends a line and stays as it is.
    Universal,
    /// The one that ends a line; `\n` is written as it.
    Fixed(&'static str),
}

impl Mode {
    pub fn of(newline: Option<&str>) -> Option<Mode> {
        Some(match newline {
            None => Mode::Translated,
            Some("") => Mode::Universal,
            Some("\n") => Mode::Fixed("\n"),
            Some("\r") => Mode::Fixed("\r"),
            Some("\r\n") => Mode::Fixed("\r\n"),
            Some(_) => return None,
        })
    }

    pub fn value(self) -> Value {
        match self {
            Mode::Translated => Value::None,
            Mode::Universal => Value::from(""),
            Mode::Fixed(newline) => Value::from(newline),
        }
    }

    /// How many bytes the line has with which the text begins; none if it does not end.
    pub fn line(self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        match self {
            Mode::Translated | Mode::Fixed("\n") => memchr(b'\n', bytes).map(|end| end + 1),
            Mode::Fixed(newline) => memmem::find(bytes, newline.as_bytes()).map(|end| end + newline.len()),
            Mode::Universal => {
                let end = memchr2(b'\n', b'\r', bytes)?;
                match (bytes[end], bytes.get(end + 1)) {
                    (b'\n', _) => Some(end + 1),
                    (_, Some(b'\n')) => Some(end + 2),
                    (_, Some(_)) => Some(end + 1),
                    // A newline may follow.
                    (_, None) => None,
                }
            }
        }
    }
}

/// Kinds of newline that were seen, as bits.
pub fn kinds(text: &str) -> u8 {
    let bytes = text.as_bytes();
    let count = |kind: u8| memchr::memchr_iter(kind, bytes).count();
    if memchr(b'\r', bytes).is_none() {
        return u8::from(memchr(b'\n', bytes).is_some());
    }
    let both = memmem::find_iter(bytes, b"\r\n").count();
    u8::from(count(b'\n') > both) | u8::from(count(b'\r') > both) << 1 | u8::from(both > 0) << 2
}

/// What the attribute `newlines` shows of such bits.
pub fn shown(kinds: i64) -> Value {
    let each = [(2, "\r"), (1, "\n"), (4, "\r\n")];
    let seen: Vec<Value> = each
        .iter()
        .filter(|(bit, _)| kinds & bit != 0)
        .map(|(_, kind)| Value::from(*kind))
        .collect();
    match seen.as_slice() {
        [] => Value::None,
        [one] => one.clone(),
        _ => Value::tuple(seen),
    }
}
