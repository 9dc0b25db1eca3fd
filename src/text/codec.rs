//! Text to bytes and back (Python docs, "Standard Encodings" and "Error Handlers").
//!
//! Always true: text holds no lone surrogates, so the UTF encodings never fail to encode; the handlers that
//! would make some (`surrogateescape`, `surrogatepass`) fail as `strict` does when decoding.

use super::codec_escape;
use super::string::push_escape;

/// The encodings there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Sig,
    Ascii,
    Latin1,
    /// Latin-1 with letters and signs where that has control characters.
    Cp1252,
    Utf16(Order),
    Utf32(Order),
    /// As in the source of a string literal.
    UnicodeEscape,
}

/// The order of bytes; `Marked` writes a mark and little-endian, and reads what a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Marked,
    Little,
    Big,
}

impl Encoding {
    /// The encoding of a name or alias, in any case and with `-`, `_` or space; otherwise a LookupError
    /// "unknown encoding: NAME".
    pub fn named(name: &str) -> Option<Self> {
        let plain: String = name.to_ascii_lowercase().replace(['_', ' '], "-");
        Some(match plain.as_str() {
            "utf-8" | "utf8" | "u8" | "utf" | "cp65001" => Self::Utf8,
            "utf-8-sig" | "utf8-sig" => Self::Utf8Sig,
            "ascii" | "us-ascii" | "646" | "us" | "iso646-us" | "ansi-x3.4-1968" => Self::Ascii,
            "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819"
            | "iso-ir-100" => Self::Latin1,
            "cp1252" | "1252" | "windows-1252" => Self::Cp1252,
            "unicode-escape" | "unicodeescape" => Self::UnicodeEscape,
            "utf-16" | "utf16" | "u16" => Self::Utf16(Order::Marked),
            "utf-16-le" | "utf-16le" | "utf16-le" | "unicodelittleunmarked" => Self::Utf16(Order::Little),
            "utf-16-be" | "utf-16be" | "utf16-be" | "unicodebigunmarked" => Self::Utf16(Order::Big),
            "utf-32" | "utf32" | "u32" => Self::Utf32(Order::Marked),
            "utf-32-le" | "utf-32le" | "utf32-le" => Self::Utf32(Order::Little),
            "utf-32-be" | "utf-32be" | "utf32-be" => Self::Utf32(Order::Big),
            _ => return None,
        })
    }
}

/// Why a conversion failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodecError {
    /// The arguments of the UnicodeDecodeError or UnicodeEncodeError; places are bytes or code points.
    Unicode {
        encoding: &'static str,
        start: usize,
        end: usize,
        reason: &'static str,
    },
    /// A LookupError "unknown error handler name 'NAME'": only found out when there is an error.
    UnknownHandler,
}

/// `str()` of a UnicodeDecodeError.
pub fn decode_message(encoding: &str, object: &[u8], start: usize, end: usize, reason: &str) -> String {
    match object.get(start) {
        Some(byte) if end == start + 1 => {
            format!("'{encoding}' codec can't decode byte 0x{byte:02x} in position {start}: {reason}")
        }
        _ => {
            let last = end as i64 - 1;
            format!("'{encoding}' codec can't decode bytes in position {start}-{last}: {reason}")
        }
    }
}

/// `str()` of a UnicodeEncodeError.
pub fn encode_message(encoding: &str, object: &str, start: usize, end: usize, reason: &str) -> String {
    match object.chars().nth(start) {
        Some(c) if end == start + 1 => {
            let mut escaped = String::new();
            push_escape(&mut escaped, c as u32);
            format!("'{encoding}' codec can't encode character '{escaped}' in position {start}: {reason}")
        }
        _ => {
            let last = end as i64 - 1;
            format!("'{encoding}' codec can't encode characters in position {start}-{last}: {reason}")
        }
    }
}

/// `bytes.decode(encoding, handler)`
pub fn decode(bytes: &[u8], encoding: Encoding, handler: &str) -> Result<String, CodecError> {
    match encoding {
        Encoding::Utf8 => decode_utf8(bytes, handler),
        Encoding::Utf8Sig => {
            let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            decode_utf8(rest, handler)
        }
        Encoding::Latin1 => Ok(bytes.iter().map(|byte| *byte as char).collect()),
        Encoding::Ascii => {
            let mut text = String::with_capacity(bytes.len());
            for (place, byte) in bytes.iter().enumerate() {
                if byte.is_ascii() {
                    text.push(*byte as char);
                } else {
                    let slip = Slip {
                        encoding: "ascii",
                        start: place,
                        end: place + 1,
                        reason: "ordinal not in range(128)",
                    };
                    slip.decode(&mut text, bytes, handler)?;
                }
            }
            Ok(text)
        }
        Encoding::Cp1252 => decode_cp1252(bytes, handler),
        Encoding::UnicodeEscape => codec_escape::decode(bytes, handler),
        Encoding::Utf16(order) => decode_units::<2>(bytes, order, handler),
        Encoding::Utf32(order) => decode_units::<4>(bytes, order, handler),
    }
}

/// What cannot be converted, and where.
pub(super) struct Slip {
    pub encoding: &'static str,
    pub start: usize,
    pub end: usize,
    pub reason: &'static str,
}

impl Slip {
    fn error(&self) -> CodecError {
        let Self {
            encoding,
            start,
            end,
            reason,
        } = *self;
        CodecError::Unicode {
            encoding,
            start,
            end,
            reason,
        }
    }

    /// Appends what the handler makes of the bytes.
    pub fn decode(&self, text: &mut String, bytes: &[u8], handler: &str) -> Result<(), CodecError> {
        match handler {
            "strict" | "surrogateescape" | "surrogatepass" => return Err(self.error()),
            "ignore" => {}
            "replace" => text.push(char::REPLACEMENT_CHARACTER),
            "backslashreplace" => {
                bytes[self.start..self.end]
                    .iter()
                    .for_each(|byte| push_escape(text, u32::from(*byte)));
            }
            _ => return Err(CodecError::UnknownHandler),
        }
        Ok(())
    }

    /// Appends what the handler makes of the characters.
    fn encode(&self, bytes: &mut Vec<u8>, part: &str, handler: &str) -> Result<(), CodecError> {
        match handler {
            "strict" | "surrogateescape" | "surrogatepass" => return Err(self.error()),
            "ignore" => {}
            "replace" => bytes.extend(part.chars().map(|_| b'?')),
            "backslashreplace" => {
                let mut escaped = String::new();
                part.chars().for_each(|c| push_escape(&mut escaped, c as u32));
                bytes.extend_from_slice(escaped.as_bytes());
            }
            "namereplace" => {
                let mut escaped = String::new();
                part.chars().for_each(|c| match unicode_names2::name(c) {
                    Some(name) => escaped.push_str(&format!("\\N{{{name}}}")),
                    None => push_escape(&mut escaped, c as u32),
                });
                bytes.extend_from_slice(escaped.as_bytes());
            }
            "xmlcharrefreplace" => {
                part.chars()
                    .for_each(|c| bytes.extend_from_slice(format!("&#{};", c as u32).as_bytes()));
            }
            _ => return Err(CodecError::UnknownHandler),
        }
        Ok(())
    }
}

fn decode_utf8(bytes: &[u8], handler: &str) -> Result<String, CodecError> {
    let mut text = String::new();
    let mut place = 0;
    loop {
        match std::str::from_utf8(&bytes[place..]) {
            Ok(rest) if text.is_empty() => return Ok(rest.to_string()),
            Ok(rest) => {
                text.push_str(rest);
                return Ok(text);
            }
            Err(found) => {
                let start = place + found.valid_up_to();
                text.push_str(std::str::from_utf8(&bytes[place..start]).unwrap_or_default());
                let end = found.error_len().map_or(bytes.len(), |length| start + length);
                let reason = match (found.error_len(), bytes[start]) {
                    (None, _) => "unexpected end of data",
                    (_, 0x80..0xC2 | 0xF5..) => "invalid start byte",
                    _ => "invalid continuation byte",
                };
                Slip {
                    encoding: "utf-8",
                    start,
                    end,
                    reason,
                }
                .decode(&mut text, bytes, handler)?;
                place = end;
            }
        }
    }
}

/// UTF-16 with `WIDTH` 2, UTF-32 with 4.
fn decode_units<const WIDTH: usize>(bytes: &[u8], order: Order, handler: &str) -> Result<String, CodecError> {
    let mut place = 0;
    let mut little = order != Order::Big;
    if order == Order::Marked {
        let mark = if WIDTH == 2 {
            &[0xFF, 0xFE][..]
        } else {
            &[0xFF, 0xFE, 0, 0]
        };
        if bytes.starts_with(mark) {
            place = WIDTH;
        } else if bytes.len() >= WIDTH && bytes[..WIDTH].iter().rev().eq(mark) {
            (place, little) = (WIDTH, false);
        }
    }
    let unit = |place: usize| -> Option<u32> {
        let unit = bytes.get(place..place + WIDTH)?;
        let shift = |value: u32, byte: &u8| (value << 8) | u32::from(*byte);
        Some(if little {
            unit.iter().rev().fold(0, shift)
        } else {
            unit.iter().fold(0, shift)
        })
    };
    let encoding = match (WIDTH, little) {
        (2, true) => "utf-16-le",
        (2, false) => "utf-16-be",
        (_, true) => "utf-32-le",
        (_, false) => "utf-32-be",
    };
    let mut text = String::with_capacity(bytes.len() / WIDTH);
    while place < bytes.len() {
        let (end, reason) = match (unit(place), WIDTH) {
            (None, _) => (bytes.len(), "truncated data"),
            (Some(high @ 0xD800..0xDC00), 2) => match unit(place + 2) {
                Some(low @ 0xDC00..0xE000) => {
                    let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    text.extend(char::from_u32(code));
                    place += 4;
                    continue;
                }
                Some(_) => (place + 2, "illegal UTF-16 surrogate"),
                None => (bytes.len(), "unexpected end of data"),
            },
            (Some(code), _) => match char::from_u32(code) {
                Some(c) => {
                    text.push(c);
                    place += WIDTH;
                    continue;
                }
                None if WIDTH == 2 => (place + 2, "illegal encoding"),
                None if code < 0x110000 => (
                    place + 4,
                    "code point in surrogate code point range(0xd800, 0xe000)",
                ),
                None => (place + 4, "code point not in range(0x110000)"),
            },
        };
        Slip {
            encoding,
            start: place,
            end,
            reason,
        }
        .decode(&mut text, bytes, handler)?;
        place = end;
    }
    Ok(text)
}

/// `str.encode(encoding, handler)`
pub fn encode(text: &str, encoding: Encoding, handler: &str) -> Result<Vec<u8>, CodecError> {
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Utf8Sig => Ok([b"\xef\xbb\xbf", text.as_bytes()].concat()),
        Encoding::Ascii => {
            let byte = |c| u8::try_from(c).ok().filter(u8::is_ascii);
            encode_narrow(text, byte, "ascii", "ordinal not in range(128)", handler)
        }
        Encoding::Latin1 => {
            let byte = |c| u8::try_from(c).ok();
            encode_narrow(text, byte, "latin-1", "ordinal not in range(256)", handler)
        }
        Encoding::Cp1252 => encode_narrow(text, cp1252_byte, "charmap", UNDEFINED, handler),
        Encoding::UnicodeEscape => Ok(codec_escape::encode(text)),
        Encoding::Utf16(order) => {
            let mark = (order == Order::Marked).then_some(0xFEFF);
            let units = mark.into_iter().chain(text.encode_utf16());
            Ok(units
                .flat_map(|unit| {
                    if order == Order::Big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect())
        }
        Encoding::Utf32(order) => {
            let mark = (order == Order::Marked).then_some(0xFEFF);
            let units = mark.into_iter().chain(text.chars().map(u32::from));
            Ok(units
                .flat_map(|unit| {
                    if order == Order::Big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect())
        }
    }
}

/// Code page 1252 from 0x80 to 0x9F; `\0` where it has no character.
const CP1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“',
    '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

const UNDEFINED: &str = "character maps to <undefined>";

fn decode_cp1252(bytes: &[u8], handler: &str) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    for (place, byte) in bytes.iter().enumerate() {
        match byte {
            0x80..0xA0 if CP1252[usize::from(byte - 0x80)] == '\0' => Slip {
                encoding: "charmap",
                start: place,
                end: place + 1,
                reason: UNDEFINED,
            }
            .decode(&mut text, bytes, handler)?,
            0x80..0xA0 => text.push(CP1252[usize::from(byte - 0x80)]),
            _ => text.push(*byte as char),
        }
    }
    Ok(text)
}

fn cp1252_byte(c: char) -> Option<u8> {
    match c {
        '\0'..='\x7F' | '\u{A0}'..='\u{FF}' => u8::try_from(c).ok(),
        _ => CP1252
            .iter()
            .position(|other| *other == c)
            .map(|index| 0x80 + index as u8),
    }
}

/// An encoding of some characters, one byte each.
fn encode_narrow(
    text: &str,
    byte: impl Fn(char) -> Option<u8>,
    encoding: &'static str,
    reason: &'static str,
    handler: &str,
) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut index = 0;
    while let Some(c) = rest.chars().next() {
        if let Some(byte) = byte(c) {
            bytes.push(byte);
            rest = &rest[c.len_utf8()..];
            index += 1;
            continue;
        }
        // A run of characters is one error.
        let end = rest.find(|c: char| byte(c).is_some()).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let count = part.chars().count();
        Slip {
            encoding,
            start: index,
            end: index + count,
            reason,
        }
        .encode(&mut bytes, part, handler)?;
        (rest, index) = (after, index + count);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_place_and_reason() {
        let slip = |bytes: &[u8]| match decode(bytes, Encoding::Utf8, "strict") {
            Err(CodecError::Unicode {
                start, end, reason, ..
            }) => (start, end, reason),
            other => panic!("no error: {other:?}"),
        };
        assert_eq!(slip(b"a\xff"), (1, 2, "invalid start byte"));
        assert_eq!(slip(b"\xe2\x82"), (0, 2, "unexpected end of data"));
        assert_eq!(slip(b"\xe2\x82A"), (0, 2, "invalid continuation byte"));
        assert_eq!(
            encode_message("ascii", "a\u{e9}", 1, 2, "ordinal not in range(128)"),
            "'ascii' codec can't encode character '\\xe9' in position 1: ordinal not in range(128)"
        );
    }

    #[test]
    fn handlers_go_on() {
        assert_eq!(
            decode(b"a\xffb", Encoding::Utf8, "replace"),
            Ok("a\u{fffd}b".to_string())
        );
        assert_eq!(
            decode(b"a\xffb", Encoding::Ascii, "backslashreplace"),
            Ok("a\\xffb".to_string())
        );
        assert_eq!(
            encode("é€", Encoding::Ascii, "xmlcharrefreplace"),
            Ok(b"&#233;&#8364;".to_vec())
        );
        assert_eq!(
            encode("é", Encoding::Ascii, "nonsense"),
            Err(CodecError::UnknownHandler)
        );
    }

    #[test]
    fn wide_encodings_read_back() {
        for name in ["utf-16", "UTF_16_BE", "utf-32", "utf-32-le"] {
            let encoding = Encoding::named(name).unwrap();
            let bytes = encode("a😀", encoding, "strict").unwrap();
            assert_eq!(decode(&bytes, encoding, "strict"), Ok("a😀".to_string()));
        }
    }
}
