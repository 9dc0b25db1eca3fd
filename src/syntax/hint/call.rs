//! Slips in parameters and arguments.

use super::{Stuck, is_constant};
use crate::syntax::error::SyntaxError;
use crate::syntax::token::TokenKind;

impl Stuck<'_> {
    /// The open bracket around the token found holds the parameters of a `def`.
    fn in_parameters(&self) -> bool {
        self.first() == "def" && self.line.open.len() == 1
    }

    /// The token after the `lambda` whose parameters the token found stands among.
    fn lambda_parameters(&self) -> Option<usize> {
        let start = self
            .line
            .expression_start(self.line.at, |word| matches!(word, "lambda" | ":"));
        let lambda = start.checked_sub(1)?;
        (self.line.word(lambda) == "lambda").then_some(start)
    }

    /// `def f((a, b))`, `lambda x, (y, z): …`
    pub(super) fn parenthesized_parameters(&self) -> Option<SyntaxError> {
        let at = self.line.at;
        let close = (at..self.line.tokens.len()).find(|&i| self.line.word(i) == ")")?;
        let is_name = |i: usize| self.line.kind(i) == TokenKind::Name && !is_constant(self.line.word(i));
        let names = |i: usize| is_name(i) || self.line.word(i) == ",";
        if self.found() != "(" || close <= at + 1 || !(at + 1..close).all(names) {
            return None;
        }
        let (what, start) = match self.lambda_parameters() {
            Some(start) => ("Lambda expression parameters", start),
            None if self.in_parameters() => ("Function parameters", *self.line.open.first()? + 1),
            None => return None,
        };
        let is_plain = (start..at).all(|i| !matches!(self.line.word(i), "*" | "**" | "/"));
        let follows = start == at || self.before(1) == ",";
        let error = SyntaxError::new(format!("{what} cannot be parenthesized"), self.at);
        (is_plain && follows).then(|| error.help("take one parameter and unpack it inside"))
    }

    /// `def f(a, /*, b)`
    pub(super) fn slash_and_star(&self) -> Option<SyntaxError> {
        let is_it =
            self.found() == "*" && self.before(1) == "/" && matches!(self.before(2), "," | "(" | "lambda");
        let among_parameters = self.in_parameters() || self.lambda_parameters().is_some();
        (is_it && among_parameters).then(|| SyntaxError::new("expected comma between / and *", self.at))
    }

    /// `f(a=)`, `def f(a=)`, `{a:}`
    pub(super) fn missing_value(&self) -> Option<SyntaxError> {
        let sign = self.line.at.checked_sub(1)?;
        let in_parameters = self.in_parameters();
        let in_lambda = self.lambda_parameters().is_some();
        if self.in_pattern() {
            return None;
        }
        let begins = sign < 2 || matches!(self.line.word(sign - 2), "(" | ",");
        match (self.line.word(sign), self.found(), self.bracket()) {
            ("=", ")" | ",", _) if in_lambda || in_parameters => {
                let start = self
                    .line
                    .expression_start(sign, |word| matches!(word, "," | "lambda"));
                let message = match self.line.word(start) {
                    "*" => "var-positional argument cannot have default value",
                    "**" => "var-keyword argument cannot have default value",
                    _ => "expected default value expression",
                };
                Some(SyntaxError::new(message, self.line.span(sign)))
            }
            ("=", ")" | ",", "(") if begins && self.line.kind(sign.checked_sub(1)?) == TokenKind::Name => {
                let name = self.line.span(sign - 1);
                let error = SyntaxError::new(
                    "expected argument value expression",
                    name.to(self.line.span(sign)),
                );
                Some(error.help("a value belongs after the '='"))
            }
            ("=", _, "(") if !in_parameters && self.line.ends_operand(sign.checked_sub(1)?) => {
                let start = self
                    .line
                    .expression_start(sign, |word| matches!(word, "," | ":" | "=" | "lambda"));
                if start >= sign || (start + 1 == sign && self.line.kind(start) == TokenKind::Name) {
                    return None;
                }
                let message = "expression cannot contain assignment, perhaps you meant \"==\"?";
                Some(SyntaxError::new(
                    message,
                    self.line.span(start).to(self.line.span(sign)),
                ))
            }
            (":", "}" | ",", "{") if !self.in_field() => {
                let message = "expression expected after dictionary key and ':'";
                Some(SyntaxError::new(message, self.line.span(sign)))
            }
            (":", "*", "{") if !self.in_field() => {
                let message = "cannot use a starred expression in a dictionary value";
                Some(SyntaxError::new(message, self.at))
            }
            _ => None,
        }
    }

    /// `f(a=x for x in y)`
    pub(super) fn keyword_generator(&self) -> Option<SyntaxError> {
        if !matches!(self.found(), "for" | "async") || self.bracket() != "(" {
            return None;
        }
        let value = self
            .line
            .expression_start(self.line.at, |word| matches!(word, "=" | ","));
        let name = value.checked_sub(2)?;
        if self.line.word(value - 1) != "=" || self.line.kind(name) != TokenKind::Name {
            return None;
        }
        let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
        let place = self.line.span(name).to(self.line.span(value - 1));
        Some(SyntaxError::new(message, place).help("put parentheses around the generator expression"))
    }

    /// A `*argument` of a call or an index with a slip somewhere inside.
    pub(super) fn star_argument(&self) -> Option<SyntaxError> {
        if self.in_parameters() {
            return None;
        }
        let is_alone = self.before(1) == "*" && self.line.open.last() == self.line.at.checked_sub(2).as_ref();
        if is_alone && matches!(self.found(), ")" | "]" | "}") {
            return Some(SyntaxError::new("Invalid star expression", self.at));
        }
        let mut end = self.line.at;
        let mut inside = self.before(1) == "*";
        for &open in self.line.open.iter().rev() {
            let start = self.line.expression_start(end, |word| word == ",");
            let applied = self.line.word(open) != "{" && open > 0 && self.line.ends_operand(open - 1);
            if applied && inside && self.line.word(start) == "*" {
                return Some(SyntaxError::new("Invalid star expression", self.at));
            }
            (end, inside) = (open, true);
        }
        None
    }

    /// `(**a)`
    pub(super) fn double_star_group(&self) -> Option<SyntaxError> {
        let open = self.line.at.checked_sub(1)?;
        let is_group = self.line.word(open) == "(" && (open == 0 || !self.line.ends_operand(open - 1));
        if self.found() != "**" || !is_group || self.in_parameters() {
            return None;
        }
        let mut depth = 0;
        let inside = (self.line.at + 1..self.line.tokens.len()).take_while(|&i| {
            match self.line.word(i) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            depth >= 0 && (depth > 0 || self.line.word(i) != ",")
        });
        let close = self.line.at + 1 + inside.count();
        let message = "cannot use double starred expression here";
        (self.line.word(close) == ")").then(|| SyntaxError::new(message, self.at))
    }

    /// `f(*args=x)`
    pub(super) fn unpacking_assigned(&self) -> Option<SyntaxError> {
        if self.found() != "=" || self.bracket() != "(" || self.in_parameters() {
            return None;
        }
        let start = self.line.expression_start(self.line.at, |word| word == ",");
        let what = match self.line.word(start) {
            "*" => "iterable",
            "**" => "keyword",
            _ => return None,
        };
        let message = format!("cannot assign to {what} argument unpacking");
        Some(SyntaxError::new(message, self.since(start)))
    }
}
