//! Words that would be right in another place, or with a word before them.

use super::Stuck;
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::is_keyword;
use crate::syntax::token::TokenKind;

impl Stuck<'_> {
    /// `with lock f:`, `if a: if b:`, `await def f():`
    pub(super) fn misplaced(&self) -> Option<SyntaxError> {
        if self.line.outer_field.is_some() {
            return None;
        }
        let help = self.block_on_the_line().or_else(|| self.missing_word())?;
        Some(SyntaxError::new("invalid syntax", self.at).help(help))
    }

    /// `x = a b`
    pub(super) fn missing_operator(&self) -> Option<SyntaxError> {
        let before = self.line.at.checked_sub(1)?;
        let (found, previous) = (self.found(), self.before(1));
        let is_beside = self.line.outer_field.is_none()
            && self.line.open.is_empty()
            && self.line.starts_operand(self.line.at)
            && self.line.ends_operand(before);
        let is_first = before == 0 && self.line.kind(0) == TokenKind::Name;
        let help = match is_first {
            _ if !is_beside || is_keyword(found) => return None,
            _ if found.starts_with('.') => "a name stands behind a '.'".into(),
            true => format!("a call has parentheses: '{previous}({found})'"),
            false if matches!(previous, "pass" | "break" | "continue") => {
                format!("nothing stands behind '{previous}'")
            }
            false if self.first() == "for" && (0..before).all(|i| self.line.word(i) != "in") => {
                format!("'in' is missing before '{found}'")
            }
            false if self.first() == "raise" && before == 1 => {
                format!("what an error says stands in parentheses: '{previous}({found})'")
            }
            false => format!("an operator or a ',' is missing before '{found}'"),
        };
        Some(SyntaxError::new("invalid syntax", self.at).help(help))
    }

    /// A header where only simple statements may stand: behind a colon or a semicolon.
    fn block_on_the_line(&self) -> Option<String> {
        let found = self.found();
        let begins = matches!(
            found,
            "if" | "for" | "while" | "try" | "with" | "def" | "class" | "async"
        );
        let goes_on = matches!(found, "else" | "elif" | "except" | "finally");
        let is_own = |word: &str| match word {
            ":" => self.in_body() && !self.lambda_before(1),
            word => word == ";",
        };
        let is_misplaced = self.line.open.is_empty()
            && ((begins && is_own(self.before(1)))
                || (goes_on && self.line.at > 0 && self.in_body() && !self.has_question()));
        is_misplaced.then(|| format!("'{found}' stands on a line of its own"))
    }

    /// Whether an `if` behind the header's colon may be waiting for its `else`.
    fn has_question(&self) -> bool {
        let body = self.line.expression_start(self.line.at, |word| word == ":");
        (body..self.line.at).any(|i| self.line.word(i) == "if")
    }

    fn missing_word(&self) -> Option<String> {
        let (first, found, previous) = (self.first(), self.found(), self.before(1));
        let next = self.line.word(self.line.at + 1);
        let is_name = self.line.kind(self.line.at) == TokenKind::Name;
        let is_outside = self.line.open.is_empty();
        let follows_operand = self.line.at > 0 && self.line.ends_operand(self.line.at - 1);
        Some(match (first, found) {
            ("with", _) if is_name && is_outside && follows_operand && matches!(next, ":" | ",") => {
                format!("'as' stands before the name: 'as {found}'")
            }
            ("except", _) if is_name && is_outside && follows_operand && next == ":" => {
                format!("'as' stands before the name: 'as {found}'")
            }
            ("default", _) if self.line.at == 0 && next == ":" && self.failure.expects("case") => {
                "what fits everything else is 'case _:'".into()
            }
            ("include" | "using" | "require" | "use", _) if self.line.at == 1 && is_name => {
                format!("write 'import {found}'")
            }
            ("from", "import") if self.line.at == 1 => {
                "from where: 'from module import name'? A whole module is taken by 'import module'".into()
            }
            ("@", "def" | "class" | "async") => {
                format!("the decorator has a line of its own, above '{found}'")
            }
            ("if" | "elif" | "while" | "for" | "with" | "class", ":")
                if self.bracket() == "(" && follows_operand =>
            {
                "a ')' is missing before the ':'".into()
            }
            ("def" | "class", ":")
                if self.line.open.len() == 1
                    && self.bracket() == "("
                    && matches!(self.before(1), "(" | ",")
                    && self.line.kind(self.line.at + 1) == TokenKind::Newline =>
            {
                "a ')' is missing before the ':'".into()
            }
            ("def", _) if is_name && follows_operand && self.bracket() == "(" && !self.in_body() => {
                format!("put a ',' between the parameters '{previous}' and '{found}'")
            }
            (_, "def") if previous == "await" => "write 'async def'".into(),
            (_, "for") if matches!(previous, "[" | "(" | "{") => {
                "what it gives comes first: '[x for x in items]'".into()
            }
            (_, "]") if previous == "[" => "an index, a key or a slice stands between the brackets".into(),
            (_, "=") if matches!(previous, "+" | "-" | "*" | "/" | "%" | "|" | "&") && is_outside => {
                format!("without a space: '{previous}='")
            }
            (_, word) if is_keyword(word) && next == "=" && self.bracket() == "(" => {
                format!("'{word}' is a keyword and cannot be a name")
            }
            _ => return None,
        })
    }
}
