//! Slips in an f-string's replacement fields.

use super::Stuck;
use crate::syntax::error::SyntaxError;

impl Stuck<'_> {
    /// A replacement field without an expression.
    pub(super) fn field_start(&self) -> Option<SyntaxError> {
        let brace = self.line.field?;
        if matches!(self.before(1), "*" | ".") && brace + 2 == self.line.at {
            let star = self.line.span(self.line.at - 1);
            return Some(SyntaxError::new(
                "f-string: expecting a valid expression after '{'",
                star,
            ));
        }
        if brace + 1 != self.line.at {
            return None;
        }
        let help = "a replacement field holds an expression: '{value}'; write '{{' for a brace";
        let error = match self.found() {
            sign @ ("}" | "!" | ":" | "=") => SyntaxError::new(
                format!("f-string: valid expression required before '{sign}'"),
                self.at,
            ),
            ":=" => SyntaxError::new("f-string: valid expression required before ':'", self.at),
            "!=" => SyntaxError::new("f-string: valid expression required before '!'", self.at),
            _ => SyntaxError::new("f-string: expecting a valid expression after '{'", self.at),
        };
        Some(error.help(help))
    }

    /// A replacement field whose expression is followed by something else.
    pub(super) fn field_end(&self) -> Option<SyntaxError> {
        let brace = self.line.field?;
        let at = self.line.at;
        if self.before(1) == "!" {
            return Some(match self.found() {
                "}" | ":" => SyntaxError::new("f-string: missing conversion character", self.at),
                _ => SyntaxError::new("f-string: invalid conversion character", self.at),
            });
        }
        if self.found() == "}" && self.before(1) == ":" && self.line.word(brace + 1) == "lambda" {
            let message = "f-string: lambda expressions are not allowed without parentheses";
            return Some(SyntaxError::new(message, self.line.span(brace + 1)));
        }
        if at > brace + 2 && self.before(2) == "!" {
            return Some(SyntaxError::new("f-string: expecting ':' or '}'", self.at));
        }
        if self.before(1) == "=" {
            return Some(SyntaxError::new(
                "f-string: expecting '!', or ':', or '}'",
                self.at,
            ));
        }
        Some(self.beyond_value(brace))
    }

    /// What is said of a replacement field whose value does not go on. CPython takes as much as is an
    /// expression, outside brackets that are still open.
    pub(super) fn beyond_value(&self, brace: usize) -> SyntaxError {
        let at = self.line.at;
        let end = self.line.open.iter().find(|&&open| open > brace);
        let end = end.map_or(at, |&open| open);
        let Some(end) = (brace + 2..=end).rev().find(|&i| self.line.ends_operand(i - 1)) else {
            let message = "f-string: expecting a valid expression after '{'";
            return SyntaxError::new(message, self.line.span(brace + 1));
        };
        let message = "f-string: expecting '=', or '!', or ':', or '}'";
        let error = SyntaxError::new(message, self.line.span(end));
        match end == at {
            true => error.help("close the replacement field with '}'"),
            false => error.help("the expression is not complete"),
        }
    }
}
