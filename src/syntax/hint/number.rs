//! Malformed numbers.

use super::Stuck;
use crate::source::Span;
use crate::syntax::error::SyntaxError;
use crate::syntax::token::TokenKind;

impl Stuck<'_> {
    pub(super) fn malformed_number(&self) -> Option<SyntaxError> {
        // The grammar may have got stuck at the number or behind its last good digit.
        let back = match self.before(1) {
            "+" | "-" => 2, // of an exponent
            _ => 1,
        };
        let numbers = [self.line.at, self.line.at.saturating_sub(back)];
        let at = numbers
            .into_iter()
            .find(|&at| self.line.kind(at) == TokenKind::Number)?;
        let word = self.line.word(at);
        let (message, offset) = number_fault(word)?;
        let start = self.line.span(at).start as usize + offset;
        let help = match message.ends_with("invalid decimal literal") {
            true => {
                "a name cannot begin with a digit; a number holds digits, single '_', '.' and an exponent"
            }
            false => "the digits after the prefix must fit its base",
        };
        Some(SyntaxError::new(message, Span::new(start, start + 1)).help(help))
    }
}

/// What is wrong with a number's text, and at which of its characters.
fn number_fault(text: &str) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let (kind, mut n, radix): (usize, usize, u32) = match bytes {
        [b'0', b'x' | b'X', ..] => (0, 2, 16),
        [b'0', b'o' | b'O', ..] => (1, 2, 8),
        [b'0', b'b' | b'B', ..] => (2, 2, 2),
        _ => (3, 0, 10),
    };
    let name = ["hexadecimal", "octal", "binary", "decimal"][kind];
    let digit = |at: usize| bytes.get(at).is_some_and(|&b| (b as char).is_digit(radix));
    let digits = |n: &mut usize| {
        loop {
            if digit(*n) || (bytes.get(*n) == Some(&b'_') && digit(*n + 1)) {
                *n += 1;
            } else {
                return;
            }
        }
    };
    digits(&mut n);
    if kind == 3 {
        if bytes.get(n) == Some(&b'.') && bytes.get(n + 1) != Some(&b'_') {
            n += 1;
            digits(&mut n);
        }
        if matches!(bytes.get(n), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(n + 1), Some(b'+' | b'-')));
            if digit(n + 1 + sign) {
                n += 1 + sign;
                digits(&mut n);
            }
        }
    }
    let keywords = ["and", "else", "for", "if", "in", "is", "not", "or"];
    if text
        .get(n..)
        .is_some_and(|rest| keywords.iter().any(|word| rest.starts_with(word)))
    {
        return None;
    }
    if kind == 3 && bytes.get(n) == Some(&b'.') {
        return None;
    }
    let next = *bytes
        .get(n)
        .or(if n <= 2 && kind < 3 { Some(&0) } else { None })?;
    let after = bytes.get(n + 1).copied().unwrap_or(0);
    if matches!(kind, 1 | 2) && next == b'_' && after.is_ascii_digit() {
        return Some((
            format!("invalid digit '{}' in {name} literal", after as char),
            n + 1,
        ));
    }
    if matches!(kind, 1 | 2) && next.is_ascii_digit() {
        return Some((format!("invalid digit '{}' in {name} literal", next as char), n));
    }
    // An underscore has been read before its digit is missed.
    Some((
        format!("invalid {name} literal"),
        if next == b'_' { n } else { n.saturating_sub(1) },
    ))
}
