//! Targets that nothing can be bound to.

use super::Stuck;
use crate::source::Span;
use crate::syntax::build;
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::parse_file;

impl Stuck<'_> {
    /// `a.b := 1`
    pub(super) fn walrus_target(&self) -> Option<SyntaxError> {
        if self.found() != ":=" || !self.line.open.is_empty() || !self.line.starts_operand(self.line.at + 1) {
            return None;
        }
        let statement = self
            .line
            .expression_start(self.line.at, |word| matches!(word, ";" | "=" | ","));
        if statement > 0 && self.line.word(statement - 1) == "=" {
            return None;
        }
        let is_header = matches!(self.line.word(statement), "if" | "elif" | "while" | "@");
        let start = statement + usize::from(is_header);
        let target = Span::new(
            self.line.span(start).start as usize,
            self.line.span(self.line.at.checked_sub(1)?).end as usize,
        );
        let what = self.describe(target)?;
        let is_plain = start + 1 == self.line.at && what == "name";
        let is_value = !is_plain && what != "yield expression" && what != "starred";
        let message = format!("cannot use assignment expressions with {what}");
        is_value.then(|| SyntaxError::new(message, target))
    }

    /// `for f(): …`: the target is wrong before `in` is missing.
    pub(super) fn for_target(&self) -> Option<SyntaxError> {
        let head = usize::from(self.line.word(0) == "async");
        let is_target = |i: usize| self.line.word(i) != "in";
        if self.first() != "for" || !self.line.open.is_empty() || !(head..self.line.at).all(is_target) {
            return None;
        }
        let start = self.line.span(head).start as usize;
        let end = self.line.span(self.line.at.checked_sub(1)?).end as usize;
        let text = format!("{} in 0: 0\n", self.text.get(start..end)?);
        let mut error = build::build(self.source, &text, parse_file(&text).ok()?).err()?;
        error.span = Span::new(start + error.span.start as usize, start + error.span.end as usize);
        Some(error)
    }
}
