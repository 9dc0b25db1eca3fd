//! Numbers and strings: from their text to their value.

use super::expression::expr;
use super::{Builder, Built, fail};
use crate::source::Span;
use crate::syntax::ast::{Constant, Expr, ExprKind, FStringPart};
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::{Pair, Rule};
use num_bigint::BigInt;
use std::rc::Rc;

/// CPython's limit on the digits of a decimal integer; it bounds the time to convert one.
const MAX_DIGITS: usize = 4_300;

impl Builder<'_> {
    pub(super) fn number(&self, pair: &Pair) -> Built<Expr> {
        let span = self.span(pair);
        let text: String = pair.as_str().chars().filter(|&c| c != '_').collect();
        let lower = text.to_ascii_lowercase();
        let constant = match lower.as_bytes() {
            [b'0', b'x', ..] => integer(&lower[2..], 16),
            [b'0', b'o', ..] => integer(&lower[2..], 8),
            [b'0', b'b', ..] => integer(&lower[2..], 2),
            [.., b'j'] => {
                let help = "aio has no complex numbers; keep the two parts as floats";
                return Err(Box::new(SyntaxError::outside("complex numbers are", help, span)));
            }
            bytes if bytes.iter().any(|b| matches!(b, b'.' | b'e')) => {
                lower.parse().ok().map(Constant::Float)
            }
            bytes => {
                if bytes[0] == b'0' && bytes.iter().any(|&b| b != b'0') {
                    let zeros = bytes.iter().take_while(|&&b| b == b'0').count();
                    let message = "leading zeros in decimal integer literals are not permitted; \
                                   use an 0o prefix for octal integers";
                    let start = span.start as usize;
                    let error = SyntaxError::new(message, Span::new(start, start + zeros))
                        .help("remove the zeros, or write 0o… for an octal number");
                    return Err(Box::new(error));
                }
                if bytes.len() > MAX_DIGITS {
                    let message = format!(
                        "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion: value has {} \
                         digits; use sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal \
                         for huge integer literals to avoid decimal conversion limits.",
                        bytes.len()
                    );
                    return fail(message, span);
                }
                integer(&lower, 10)
            }
        };
        // `1if x else 2`: only a keyword can follow so closely.
        let next = self.text.as_bytes().get(span.end as usize);
        if next.is_some_and(u8::is_ascii_alphabetic) {
            let kind = match lower.as_bytes() {
                [b'0', b'x', ..] => "hexadecimal",
                [b'0', b'o', ..] => "octal",
                [b'0', b'b', ..] => "binary",
                _ => "decimal",
            };
            self.warn(format!("invalid {kind} literal"), span);
        }
        match constant {
            Some(constant) => Ok(expr(ExprKind::Constant(constant), span)),
            None => fail("invalid decimal literal", span),
        }
    }

    /// Adjacent strings: one constant, or one f-string if any of them is formatted.
    pub(super) fn strings(&self, pair: Pair) -> Built<Expr> {
        let span = self.span(&pair);
        let mut bytes: Option<Vec<u8>> = None;
        let mut parts: Vec<FStringPart> = Vec::new();
        let mut text = String::new();
        let mut formatted = false;
        for (i, part) in pair.into_inner().enumerate() {
            if part.as_rule() != Rule::string {
                formatted = true;
                if bytes.is_some() {
                    return fail("cannot mix bytes and nonbytes literals", span);
                }
                self.fstring(part, &mut text, &mut parts)?;
                continue;
            }
            let literal = Literal::new(&part);
            if i > 0 && literal.bytes != bytes.is_some() {
                return fail("cannot mix bytes and nonbytes literals", span);
            }
            if literal.bytes {
                self.decode_bytes(&literal, bytes.get_or_insert_default())?;
            } else {
                let place = self.span(&part);
                self.decode(literal.body, literal.raw, false, place, &mut text)?;
            }
        }
        let kind = match bytes {
            Some(bytes) => ExprKind::Constant(Constant::Bytes(bytes.into())),
            None if formatted => {
                flush(&mut text, &mut parts);
                ExprKind::FString(parts)
            }
            None => ExprKind::Constant(Constant::Str(text.into())),
        };
        Ok(expr(kind, span))
    }

    /// Append the text that a literal's body stands for. `braces`: `{{` stands for `{`.
    pub(super) fn decode(
        &self,
        body: &str,
        raw: bool,
        braces: bool,
        place: Span,
        out: &mut String,
    ) -> Built<()> {
        let special = |b: u8| matches!(b, b'\\' | b'\r') || (braces && matches!(b, b'{' | b'}'));
        let bytes = body.as_bytes();
        let mut at = 0;
        loop {
            let run = bytes[at..]
                .iter()
                .position(|&b| special(b))
                .map_or(bytes.len(), |n| at + n);
            out.push_str(&body[at..run]);
            at = run;
            match bytes.get(at) {
                None => return Ok(()),
                Some(b'\r') => {
                    out.push('\n');
                    at += if bytes.get(at + 1) == Some(&b'\n') { 2 } else { 1 };
                }
                Some(b'\\') if raw => {
                    out.push('\\');
                    at += 1;
                }
                Some(b'\\') => at = self.escape(body, at, place, out)?,
                // A doubled brace; the grammar lets no single one through.
                Some(&brace) => {
                    out.push(brace as char);
                    at += if bytes.get(at + 1) == Some(&brace) { 2 } else { 1 };
                }
            }
        }
    }

    /// Decode the escape at `at`; the offset behind it.
    fn escape(&self, body: &str, at: usize, place: Span, out: &mut String) -> Built<usize> {
        let bytes = body.as_bytes();
        let letter = bytes.get(at + 1).copied().unwrap_or(0);
        let simple = match letter {
            b'\n' => None,
            b'\r' => return Ok(at + if bytes.get(at + 2) == Some(&b'\n') { 3 } else { 2 }),
            b'\\' => Some('\\'),
            b'\'' => Some('\''),
            b'"' => Some('"'),
            b'a' => Some('\u{7}'),
            b'b' => Some('\u{8}'),
            b'f' => Some('\u{c}'),
            b'n' => Some('\n'),
            b'r' => Some('\r'),
            b't' => Some('\t'),
            b'v' => Some('\u{b}'),
            b'0'..=b'7' => {
                let (value, end) = octal(bytes, at + 1);
                self.check_octal(value, place);
                out.extend(char::from_u32(value));
                return Ok(end);
            }
            b'x' => return self.code_escape(body, at, 2, "truncated \\xXX escape", place, out),
            b'u' => return self.code_escape(body, at, 4, "truncated \\uXXXX escape", place, out),
            b'U' => return self.code_escape(body, at, 8, "truncated \\UXXXXXXXX escape", place, out),
            b'N' => return self.named_escape(body, at, place, out),
            // Unknown escapes stay as they are.
            _ => {
                self.warn_escape(body, at, place);
                out.push('\\');
                return Ok(at + 1);
            }
        };
        out.extend(simple);
        Ok(at + 2)
    }

    #[cold]
    fn warn_escape(&self, body: &str, at: usize, place: Span) {
        if let Some(letter) = body[at + 1..].chars().next() {
            self.warn(format!("invalid escape sequence '\\{letter}'"), place);
        }
    }

    /// An octal escape reaches from 0 to 0o377.
    fn check_octal(&self, value: u32, place: Span) {
        if value > 0o377 {
            self.warn(format!("invalid octal escape sequence '\\{value:o}'"), place);
        }
    }

    fn decode_bytes(&self, literal: &Literal, out: &mut Vec<u8>) -> Built<()> {
        let bytes = literal.body.as_bytes();
        if !bytes.is_ascii() {
            let error = SyntaxError::new("bytes can only contain ASCII literal characters", literal.place)
                .help("write the bytes as \\x escapes, or encode a string: \"…\".encode()");
            return Err(Box::new(error));
        }
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if byte == b'\r' {
                out.push(b'\n');
                at += if bytes.get(at + 1) == Some(&b'\n') { 2 } else { 1 };
                continue;
            }
            if byte != b'\\' || literal.raw {
                out.push(byte);
                at += 1;
                continue;
            }
            let letter = bytes.get(at + 1).copied().unwrap_or(0);
            let value = match letter {
                b'\n' => None,
                b'\r' => {
                    at += if bytes.get(at + 2) == Some(&b'\n') { 3 } else { 2 };
                    continue;
                }
                b'\\' | b'\'' | b'"' => Some(letter),
                b'a' => Some(7),
                b'b' => Some(8),
                b'f' => Some(12),
                b'n' => Some(b'\n'),
                b'r' => Some(b'\r'),
                b't' => Some(b'\t'),
                b'v' => Some(11),
                b'0'..=b'7' => {
                    let (value, end) = octal(bytes, at + 1);
                    self.check_octal(value, literal.place);
                    out.push(value as u8);
                    at = end;
                    continue;
                }
                b'x' => {
                    let digits = literal.body.get(at + 2..at + 4);
                    let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
                        let message = format!("(value error) invalid \\x escape at position {at}");
                        return fail(message, literal.place);
                    };
                    out.push(value);
                    at += 4;
                    continue;
                }
                _ => {
                    self.warn_escape(literal.body, at, literal.place);
                    out.push(b'\\');
                    at += 1;
                    continue;
                }
            };
            out.extend(value);
            at += 2;
        }
        Ok(())
    }

    fn code_escape(
        &self,
        body: &str,
        at: usize,
        digits: usize,
        truncated: &str,
        place: Span,
        out: &mut String,
    ) -> Built<usize> {
        let start = at + 2;
        let rest = &body.as_bytes()[start..];
        let found = rest
            .iter()
            .take(digits)
            .take_while(|b| b.is_ascii_hexdigit())
            .count();
        if found < digits {
            return unicode_error(body, at, start + found, truncated, place);
        }
        let value = u32::from_str_radix(&body[start..start + digits], 16).unwrap_or(u32::MAX);
        match char::from_u32(value) {
            Some(c) => out.push(c),
            None if value <= 0x10ffff => {
                let help = "text in aio is Unicode; write the whole character, like '\\U0001F600'";
                let span = place;
                return Err(Box::new(SyntaxError::outside(
                    "surrogate escapes like '\\ud800' are",
                    help,
                    span,
                )));
            }
            None => return unicode_error(body, at, start + digits, "illegal Unicode character", place),
        }
        Ok(start + digits)
    }

    fn named_escape(&self, body: &str, at: usize, place: Span, out: &mut String) -> Built<usize> {
        let malformed = "malformed \\N character escape";
        let Some(rest) = body[at + 2..].strip_prefix('{') else {
            return unicode_error(body, at, at + 2, malformed, place);
        };
        let length = match rest.find('}') {
            Some(0) => return unicode_error(body, at, at + 3, malformed, place),
            Some(length) => length,
            None => return unicode_error(body, at, body.len(), malformed, place),
        };
        let end = at + 3 + length + 1;
        match unicode_names2::character(&rest[..length]) {
            Some(c) => {
                out.push(c);
                Ok(end)
            }
            None => unicode_error(body, at, end, "unknown Unicode character name", place),
        }
    }
}

/// Move collected text to the parts.
pub(super) fn flush(text: &mut String, parts: &mut Vec<FStringPart>) {
    if !text.is_empty() {
        parts.push(FStringPart::Text(Rc::from(text.as_str())));
        text.clear();
    }
}

/// One plain literal, taken apart.
struct Literal<'t> {
    raw: bool,
    bytes: bool,
    body: &'t str,
    place: Span,
}

impl<'t> Literal<'t> {
    fn new(pair: &Pair<'t>) -> Literal<'t> {
        let text = pair.as_str();
        let quote = text.find(['"', '\'']).unwrap_or(0);
        let (prefix, quoted) = text.split_at(quote);
        let width = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") {
            3
        } else {
            1
        };
        Literal {
            raw: prefix.contains(['r', 'R']),
            bytes: prefix.contains(['b', 'B']),
            body: quoted.get(width..quoted.len() - width).unwrap_or(""),
            place: Span::new(pair.as_span().start(), pair.as_span().end()),
        }
    }
}

/// Up to three octal digits: their value and the offset behind them.
fn octal(bytes: &[u8], at: usize) -> (u32, usize) {
    let mut value = 0;
    let mut end = at;
    while end < at + 3
        && let Some(&digit @ b'0'..=b'7') = bytes.get(end)
    {
        value = value * 8 + u32::from(digit - b'0');
        end += 1;
    }
    (value, end)
}

fn integer(digits: &str, radix: u32) -> Option<Constant> {
    if let Ok(small) = i64::from_str_radix(digits, radix) {
        return Some(Constant::Int(small));
    }
    BigInt::parse_bytes(digits.as_bytes(), radix).map(Constant::BigInt)
}

/// CPython's words; its positions count a character beyond ASCII as the ten of its escape.
#[cold]
fn unicode_error<T>(body: &str, from: usize, to: usize, reason: &str, place: Span) -> Built<T> {
    let offset = |at: usize| -> usize {
        let text = body.get(..at).unwrap_or(body);
        text.chars().map(|c| if c.is_ascii() { 1 } else { 10 }).sum()
    };
    let (from, to) = (offset(from), offset(to).saturating_sub(1));
    let message =
        format!("(unicode error) 'unicodeescape' codec can't decode bytes in position {from}-{to}: {reason}");
    let error = SyntaxError::new(message, place)
        .help("write '\\\\' for a backslash itself, or make it a raw string: r\"…\"");
    Err(Box::new(error))
}

#[cfg(test)]
mod tests {
    use crate::source::Source;
    use crate::syntax::ast::{Constant, ExprKind, StmtKind};
    use crate::syntax::parse;

    fn constant(text: &str) -> Constant {
        let module = parse(&Source::new("t", text)).expect(text);
        match &module.body[0].kind {
            StmtKind::Expr(value) => match &value.kind {
                ExprKind::Constant(constant) => constant.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn message(text: &str) -> String {
        parse(&Source::new("t", text)).expect_err(text).message
    }

    #[test]
    fn numbers() {
        assert_eq!(constant("1_000"), Constant::Int(1000));
        assert_eq!(constant("0XfF"), Constant::Int(255));
        assert_eq!(constant("1_0.0_1e+1_0"), Constant::Float(10.01e10));
        assert!(matches!(constant("9223372036854775808"), Constant::BigInt(_)));
        assert!(message("012").starts_with("leading zeros in decimal integer literals"));
        assert_eq!(message("1j"), "complex numbers are not part of aio");
        assert_eq!(message("1__0"), "invalid decimal literal");
        assert_eq!(message("0b12"), "invalid digit '2' in binary literal");
    }

    #[test]
    fn strings() {
        let text = |text: &str| match constant(text) {
            Constant::Str(text) => text.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text(r"'\x41\u00e9\N{BULLET}\101\d' r'\n' 'b'"), "Aé•A\\d\\nb");
        assert_eq!(text("'''a\r\nb\\\r\nc'''"), "a\nbc");
        assert_eq!(
            constant(r"b'\xff\n' rb'\n'"),
            Constant::Bytes(b"\xff\n\\n"[..].into())
        );
        assert_eq!(message("b'a' 'b'"), "cannot mix bytes and nonbytes literals");
        assert_eq!(
            message(r"'é\x4'"),
            "(unicode error) 'unicodeescape' codec can't decode bytes in position 10-12: truncated \\xXX escape"
        );
        assert_eq!(
            message(r"'\ud800'"),
            "surrogate escapes like '\\ud800' are not part of aio"
        );
    }
}
