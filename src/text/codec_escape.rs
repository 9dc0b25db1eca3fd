//! The encoding `unicode_escape`: text as the ASCII source of a string literal, without its quotes.

use super::codec::{CodecError, Slip};
use super::string::push_escape;

/// What an escape sequence stands for.
enum Escape {
    Char(char),
    /// A backslash at the end of a line.
    Nothing,
    /// Not an escape: the backslash stands for itself.
    Plain,
    /// Why it is none, and how many bytes are wrong.
    Wrong(&'static str, usize),
}

/// Bytes that are no part of an escape are read as Latin-1.
pub fn decode(bytes: &[u8], handler: &str) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(&byte) = bytes.get(place) {
        if byte != b'\\' {
            text.push(byte as char);
            place += 1;
            continue;
        }
        let (escape, length) = read(&bytes[place..]);
        match escape {
            Escape::Char(c) => text.push(c),
            Escape::Nothing => {}
            Escape::Plain => text.push('\\'),
            Escape::Wrong(reason, length) => Slip {
                encoding: "unicodeescape",
                start: place,
                end: place + length,
                reason,
            }
            .decode(&mut text, bytes, handler)?,
        }
        place += length;
    }
    Ok(text)
}

/// The escape that begins here, and how many bytes it takes.
fn read(rest: &[u8]) -> (Escape, usize) {
    let wrong = |reason, length| (Escape::Wrong(reason, length), length);
    let simple = match rest.get(1) {
        None => return wrong("\\ at end of string", 1),
        Some(b'\n') => return (Escape::Nothing, 2),
        Some(b'x') => return hex(rest, 2, "truncated \\xXX escape"),
        Some(b'u') => return hex(rest, 4, "truncated \\uXXXX escape"),
        Some(b'U') => return hex(rest, 8, "truncated \\UXXXXXXXX escape"),
        Some(b'N') => return named(rest),
        Some(b'0'..=b'7') => {
            let digits = rest[1..].iter().take(3).take_while(|d| matches!(d, b'0'..=b'7'));
            let length = digits.clone().count();
            let code = digits.fold(0, |code, digit| code * 8 + u32::from(digit - b'0'));
            return (
                char::from_u32(code).map_or(Escape::Plain, Escape::Char),
                1 + length,
            );
        }
        Some(b'a') => '\x07',
        Some(b'b') => '\x08',
        Some(b'f') => '\x0c',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'v') => '\x0b',
        Some(quote @ (b'\\' | b'\'' | b'"')) => *quote as char,
        Some(_) => return (Escape::Plain, 1),
    };
    (Escape::Char(simple), 2)
}

fn hex(rest: &[u8], count: usize, truncated: &'static str) -> (Escape, usize) {
    let digits = rest[2..].iter().take(count);
    let digits: String = digits
        .take_while(|d| d.is_ascii_hexdigit())
        .map(|d| *d as char)
        .collect();
    let length = 2 + digits.len();
    if digits.len() < count {
        return (Escape::Wrong(truncated, length), length);
    }
    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
    let escape = code.map_or(Escape::Wrong("illegal Unicode character", length), Escape::Char);
    (escape, length)
}

fn named(rest: &[u8]) -> (Escape, usize) {
    let closing = rest.iter().position(|byte| *byte == b'}');
    let Some(closing) = closing.filter(|closing| rest[2] == b'{' && *closing > 3) else {
        let length = closing.unwrap_or(rest.len());
        let length = if rest.get(2) == Some(&b'{') { length } else { 2 };
        return (Escape::Wrong("malformed \\N character escape", length), length);
    };
    let name = String::from_utf8_lossy(&rest[3..closing]);
    let wrong = Escape::Wrong("unknown Unicode character name", closing + 1);
    (
        unicode_names2::character(&name).map_or(wrong, Escape::Char),
        closing + 1,
    )
}

pub fn encode(text: &str) -> Vec<u8> {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\\' => escaped.push_str("\\\\"),
            ' '..='~' => escaped.push(c),
            _ => push_escape(&mut escaped, c as u32),
        }
    }
    escaped.into_bytes()
}
