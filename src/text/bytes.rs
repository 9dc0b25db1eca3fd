//! The methods of bytes and bytearray (Python docs, "Bytes and Bytearray Operations"), on byte slices.
//!
//! Always true: letters, digits and white space are ASCII's; every other byte is none of them.

use super::string::Side;
use memchr::memmem;
use std::ops::Range;

/// White space: space, tab, line feed, carriage return, vertical tab, form feed.
#[inline]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

// ---- repr and hex

/// `repr(bytes)`
pub fn repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut text = String::with_capacity(bytes.len() + 3);
    text.push('b');
    text.push(quote as char);
    for &byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            _ if byte == quote => text.extend(['\\', byte as char]),
            b' '..=b'~' => text.push(byte as char),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push(quote as char);
    text
}

/// `bytes.hex(separator, group)`: a separator every `group` bytes, counted from the right, from the left if
/// `group` is negative.
pub fn hex(bytes: &[u8], separator: Option<char>, group: i64) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let every = usize::try_from(group.unsigned_abs()).unwrap_or(usize::MAX);
    let mut text = String::with_capacity(bytes.len() * 2);
    for (place, byte) in bytes.iter().enumerate() {
        if let Some(separator) = separator
            && place > 0
            && every > 0
            && (if group > 0 { bytes.len() - place } else { place }).is_multiple_of(every)
        {
            text.push(separator);
        }
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// `bytes.fromhex(text)`; the error is a ValueError's message.
pub fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let wrong = |place: usize| {
        Err(format!(
            "non-hexadecimal number found in fromhex() arg at position {place}"
        ))
    };
    // What is not ASCII is told first; positions are code points.
    if let Some(place) = text.chars().position(|c| !c.is_ascii()) {
        return wrong(place);
    }
    let digits: Vec<(usize, char)> = text.chars().enumerate().collect();
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut rest = digits.as_slice();
    loop {
        while let [(_, c), after @ ..] = rest
            && is_space(*c as u8)
        {
            rest = after;
        }
        let [(place, high), after @ ..] = rest else {
            return Ok(bytes);
        };
        let Some(high) = high.to_digit(16) else {
            return wrong(*place);
        };
        let Some(low) = after.first().and_then(|(_, low)| low.to_digit(16)) else {
            return wrong(place + 1);
        };
        bytes.push((high * 16 + low) as u8);
        rest = &after[1..];
    }
}

// ---- searching; places are within the whole slice

/// `find` within a range.
pub fn find(bytes: &[u8], part: &[u8], range: Range<usize>) -> Option<usize> {
    memmem::find(&bytes[range.clone()], part).map(|place| place + range.start)
}

/// `rfind` within a range.
pub fn rfind(bytes: &[u8], part: &[u8], range: Range<usize>) -> Option<usize> {
    memmem::rfind(&bytes[range.clone()], part).map(|place| place + range.start)
}

/// `count` within a range: without overlaps; the empty part is between all bytes.
pub fn count(bytes: &[u8], part: &[u8], range: Range<usize>) -> usize {
    if part.is_empty() {
        range.len() + 1
    } else {
        memmem::find_iter(&bytes[range], part).count()
    }
}

/// The range of `[start:end]`; `None` if it is inverted.
pub fn bounds(length: usize, start: Option<i64>, end: Option<i64>) -> Option<Range<usize>> {
    let (start, end) = super::string::clamp(start, end, length);
    (start <= end).then_some(start..end)
}

/// `startswith` within [`bounds`].
pub fn starts_with(bytes: &[u8], part: &[u8], range: Option<Range<usize>>) -> bool {
    range.is_some_and(|range| bytes[range].starts_with(part))
}

/// `endswith` within [`bounds`].
pub fn ends_with(bytes: &[u8], part: &[u8], range: Option<Range<usize>>) -> bool {
    range.is_some_and(|range| bytes[range].ends_with(part))
}

/// `removeprefix`
pub fn remove_prefix<'a>(bytes: &'a [u8], prefix: &[u8]) -> &'a [u8] {
    bytes.strip_prefix(prefix).unwrap_or(bytes)
}

/// `removesuffix`
pub fn remove_suffix<'a>(bytes: &'a [u8], suffix: &[u8]) -> &'a [u8] {
    bytes.strip_suffix(suffix).unwrap_or(bytes)
}

/// `partition`: before and after; `None` if the separator, which is not empty, is not there.
pub fn partition<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = memmem::find(bytes, separator)?;
    Some((&bytes[..place], &bytes[place + separator.len()..]))
}

/// `rpartition`, likewise from the right.
pub fn rpartition<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = memmem::rfind(bytes, separator)?;
    Some((&bytes[..place], &bytes[place + separator.len()..]))
}

/// `replace(old, new, count)`; `None` replaces all.
pub fn replace(bytes: &[u8], old: &[u8], new: &[u8], count: Option<usize>) -> Vec<u8> {
    let most = count.unwrap_or(usize::MAX);
    let mut whole = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    if old.is_empty() {
        for (place, byte) in bytes.iter().enumerate() {
            if place < most {
                whole.extend_from_slice(new);
            }
            whole.push(*byte);
        }
        if bytes.len() < most {
            whole.extend_from_slice(new);
        }
        return whole;
    }
    for place in memmem::find_iter(bytes, old).take(most) {
        whole.extend_from_slice(&bytes[copied..place]);
        whole.extend_from_slice(new);
        copied = place + old.len();
    }
    whole.extend_from_slice(&bytes[copied..]);
    whole
}

// ---- splitting

/// `split(separator, most)`; the separator is not empty.
pub fn split<'a>(bytes: &'a [u8], separator: &[u8], most: Option<usize>) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while most.is_none_or(|most| pieces.len() < most)
        && let Some((piece, after)) = partition(rest, separator)
    {
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// `rsplit(separator, most)`
pub fn rsplit<'a>(bytes: &'a [u8], separator: &[u8], most: Option<usize>) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while most.is_none_or(|most| pieces.len() < most)
        && let Some((before, piece)) = rpartition(rest, separator)
    {
        pieces.push(piece);
        rest = before;
    }
    pieces.push(rest);
    pieces.reverse();
    pieces
}

/// `split(None, most)`
pub fn split_space(bytes: &[u8], most: Option<usize>) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = strip(bytes, None, Side::Left);
    while !rest.is_empty() {
        if most.is_some_and(|most| pieces.len() == most) {
            pieces.push(rest);
            break;
        }
        let end = rest.iter().position(|byte| is_space(*byte)).unwrap_or(rest.len());
        pieces.push(&rest[..end]);
        rest = strip(&rest[end..], None, Side::Left);
    }
    pieces
}

/// `rsplit(None, most)`
pub fn rsplit_space(bytes: &[u8], most: Option<usize>) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = strip(bytes, None, Side::Right);
    while !rest.is_empty() {
        if most.is_some_and(|most| pieces.len() == most) {
            pieces.push(rest);
            break;
        }
        let start = rest
            .iter()
            .rposition(|byte| is_space(*byte))
            .map_or(0, |place| place + 1);
        pieces.push(&rest[start..]);
        rest = strip(&rest[..start], None, Side::Right);
    }
    pieces.reverse();
    pieces
}

/// `splitlines(keep_ends)`: at `\n`, `\r` and `\r\n` only.
pub fn split_lines(bytes: &[u8], keep_ends: bool) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            lines.push(rest);
            break;
        };
        let next = end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        lines.push(&rest[..if keep_ends { next } else { end }]);
        rest = &rest[next..];
    }
    lines
}

/// `strip`, `lstrip`, `rstrip`: white space, or any of the bytes of `set`.
pub fn strip<'a>(bytes: &'a [u8], set: Option<&[u8]>, side: Side) -> &'a [u8] {
    let is_in = |byte: &u8| set.map_or(is_space(*byte), |set| set.contains(byte));
    let mut rest = bytes;
    if side != Side::Right {
        while rest.first().is_some_and(is_in) {
            rest = &rest[1..];
        }
    }
    if side != Side::Left {
        while rest.last().is_some_and(is_in) {
            rest = &rest[..rest.len() - 1];
        }
    }
    rest
}

// ---- filling

fn filled(bytes: &[u8], left: usize, right: usize, fill: u8) -> Vec<u8> {
    let mut whole = Vec::with_capacity(bytes.len() + left + right);
    whole.resize(left, fill);
    whole.extend_from_slice(bytes);
    whole.resize(whole.len() + right, fill);
    whole
}

fn missing(bytes: &[u8], width: i64) -> usize {
    usize::try_from(width).unwrap_or(0).saturating_sub(bytes.len())
}

/// `center(width, fill)`
pub fn center(bytes: &[u8], width: i64, fill: u8) -> Vec<u8> {
    let missing = missing(bytes, width);
    let left = missing / 2 + (missing & width as usize & 1);
    filled(bytes, left, missing - left, fill)
}

/// `ljust(width, fill)`
pub fn ljust(bytes: &[u8], width: i64, fill: u8) -> Vec<u8> {
    filled(bytes, 0, missing(bytes, width), fill)
}

/// `rjust(width, fill)`
pub fn rjust(bytes: &[u8], width: i64, fill: u8) -> Vec<u8> {
    filled(bytes, missing(bytes, width), 0, fill)
}

/// `zfill(width)`
pub fn zfill(bytes: &[u8], width: i64) -> Vec<u8> {
    let signs = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut whole = bytes[..signs].to_vec();
    whole.extend(filled(&bytes[signs..], missing(bytes, width), 0, b'0'));
    whole
}

/// `expandtabs(size)`
pub fn expand_tabs(bytes: &[u8], size: i64) -> Vec<u8> {
    let size = usize::try_from(size).unwrap_or(0);
    let mut whole = Vec::with_capacity(bytes.len());
    let mut column = 0;
    for &byte in bytes {
        match byte {
            b'\t' if size == 0 => {}
            b'\t' => {
                let spaces = size - column % size;
                whole.resize(whole.len() + spaces, b' ');
                column += spaces;
            }
            _ => {
                column = if matches!(byte, b'\n' | b'\r') {
                    0
                } else {
                    column + 1
                };
                whole.push(byte);
            }
        }
    }
    whole
}

// ---- questions

fn all(bytes: &[u8], is_in: impl Fn(&u8) -> bool) -> bool {
    !bytes.is_empty() && bytes.iter().all(is_in)
}

/// `isalnum`
pub fn is_alnum(bytes: &[u8]) -> bool {
    all(bytes, u8::is_ascii_alphanumeric)
}

/// `isalpha`
pub fn is_alpha(bytes: &[u8]) -> bool {
    all(bytes, u8::is_ascii_alphabetic)
}

/// `isdigit`
pub fn is_digit(bytes: &[u8]) -> bool {
    all(bytes, u8::is_ascii_digit)
}

/// `isspace`
pub fn is_all_space(bytes: &[u8]) -> bool {
    all(bytes, |byte| is_space(*byte))
}

/// `islower`
pub fn is_lower(bytes: &[u8]) -> bool {
    !bytes.iter().any(u8::is_ascii_uppercase) && bytes.iter().any(u8::is_ascii_lowercase)
}

/// `isupper`
pub fn is_upper(bytes: &[u8]) -> bool {
    !bytes.iter().any(u8::is_ascii_lowercase) && bytes.iter().any(u8::is_ascii_uppercase)
}

/// `istitle`
pub fn is_title(bytes: &[u8]) -> bool {
    let mut after_letter = false;
    let mut any = false;
    for byte in bytes {
        if (byte.is_ascii_uppercase() && after_letter) || (byte.is_ascii_lowercase() && !after_letter) {
            return false;
        }
        after_letter = byte.is_ascii_alphabetic();
        any |= after_letter;
    }
    any
}

// ---- case and translation

/// `capitalize`
pub fn capitalize(bytes: &[u8]) -> Vec<u8> {
    let mut whole = bytes.to_ascii_lowercase();
    if let Some(first) = whole.first_mut() {
        first.make_ascii_uppercase();
    }
    whole
}

/// `title`
pub fn title(bytes: &[u8]) -> Vec<u8> {
    let mut after_letter = false;
    let one = |byte: &u8| {
        let changed = if after_letter {
            byte.to_ascii_lowercase()
        } else {
            byte.to_ascii_uppercase()
        };
        after_letter = byte.is_ascii_alphabetic();
        changed
    };
    bytes.iter().map(one).collect()
}

/// `swapcase`
pub fn swapcase(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| {
            if byte.is_ascii_alphabetic() {
                byte ^ 0x20
            } else {
                *byte
            }
        })
        .collect()
}

/// `translate(table, delete)`: `None` for the table leaves bytes as they are.
pub fn translate(bytes: &[u8], table: Option<&[u8; 256]>, delete: &[u8]) -> Vec<u8> {
    let kept = bytes.iter().filter(|byte| !delete.contains(byte));
    kept.map(|byte| table.map_or(*byte, |table| table[usize::from(*byte)]))
        .collect()
}

/// `maketrans(from, to)`; `None` if their lengths differ.
pub fn make_translation(from: &[u8], to: &[u8]) -> Option<[u8; 256]> {
    let mut table: [u8; 256] = std::array::from_fn(|byte| byte as u8);
    if from.len() != to.len() {
        return None;
    }
    for (from, to) in from.iter().zip(to) {
        table[usize::from(*from)] = *to;
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_and_hex_are_pythons() {
        assert_eq!(repr(b"it's\x00\xff\n"), "b\"it's\\x00\\xff\\n\"");
        assert_eq!(hex(b"abcde", Some('-'), 2), "61-6263-6465");
        assert_eq!(hex(b"abcde", Some('-'), -2), "6162-6364-65");
        assert_eq!(from_hex(" 12 fF\n"), Ok(vec![0x12, 0xFF]));
        assert!(from_hex("1").unwrap_err().ends_with("position 1"));
    }

    #[test]
    fn methods_know_ascii_only() {
        assert_eq!(split_space(b" a\x1cb c ", None), [&b"a\x1cb"[..], b"c"]);
        assert_eq!(split_lines(b"a\r\nb\x0bc", true), [&b"a\r\n"[..], b"b\x0bc"]);
        assert_eq!(replace(b"abc", b"", b"-", Some(2)), b"-a-bc");
        assert_eq!(title(b"they're"), b"They'Re");
        assert_eq!(zfill(b"-5", 4), b"-005");
    }
}
