//! f-strings: text and replacement fields.

use super::literal::flush;
use super::{Builder, Built, fail, need};
use crate::source::Span;
use crate::syntax::ast::{Conversion, Expr, FStringField, FStringPart};
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::{Pair, Rule};
use std::rc::Rc;

impl Builder<'_> {
    /// Append an f-string's parts; `text` collects what is not yet followed by a field.
    pub(super) fn fstring(&self, pair: Pair, text: &mut String, parts: &mut Vec<FStringPart>) -> Built<()> {
        let whole = pair.as_str();
        let quoted = whole.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let triple = quoted.starts_with("\"\"\"") || quoted.starts_with("'''");
        self.fstring_parts(pair, triple, text, parts)
    }

    fn fstring_parts(
        &self,
        pair: Pair,
        triple: bool,
        text: &mut String,
        parts: &mut Vec<FStringPart>,
    ) -> Built<()> {
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::text => self.decode(part.as_str(), false, true, place, text)?,
                Rule::raw_text => self.decode(part.as_str(), true, true, place, text)?,
                Rule::spec_text | Rule::raw_spec_text => {
                    let raw = part.as_rule() == Rule::raw_spec_text;
                    // A spec between single quotes ends at its line; the rest is the layout pass' filler.
                    let spec = if triple {
                        part.as_str()
                    } else {
                        part.as_str().trim_end_matches('\n')
                    };
                    self.decode(spec, raw, false, place, text)?;
                }
                _ => {
                    flush(text, parts);
                    parts.push(FStringPart::Field(Box::new(self.field(part, triple)?)));
                }
            }
        }
        Ok(())
    }

    fn field(&self, pair: Pair, triple: bool) -> Built<FStringField> {
        let span = self.span(&pair);
        let start = pair.as_span().start();
        let brace = Span::new(start, start + 1);
        let mut pairs = pair.into_inner();
        let value = need(pairs.next(), brace)?;
        refuse_lambda(&value)?;
        let value: Expr = self.value(value)?;
        let mut field = FStringField {
            value,
            debug_text: None,
            conversion: None,
            spec: None,
            span,
        };
        for part in pairs {
            match part.as_rule() {
                Rule::debug => {
                    field.debug_text = Some(self.shown_text(start + 1, part.as_span().end()));
                }
                Rule::conversion => field.conversion = Some(self.conversion(part)?),
                _ => {
                    let (mut text, mut parts) = (String::new(), Vec::new());
                    self.fstring_parts(part, triple, &mut text, &mut parts)?;
                    flush(&mut text, &mut parts);
                    field.spec = Some(parts);
                }
            }
        }
        // `{x=}` shows the representation unless it is told otherwise.
        if field.debug_text.is_some() && field.conversion.is_none() && field.spec.is_none() {
            field.conversion = Some(Conversion::Repr);
        }
        Ok(field)
    }

    /// What `{value=}` shows of its own text: all but comments.
    fn shown_text(&self, start: usize, end: usize) -> Rc<str> {
        let mut shown = String::new();
        let mut in_comment = false;
        for (i, c) in self.source.slice(Span::new(start, end)).char_indices() {
            // The layout pass has blanked comments, so a `#` that is left stands in a string.
            let blanked = self.text.as_bytes().get(start + i) == Some(&b' ');
            in_comment = (in_comment || (c == '#' && blanked)) && !matches!(c, '\n' | '\r');
            if !in_comment {
                shown.push(c);
            }
        }
        shown.into()
    }

    fn conversion(&self, pair: Pair) -> Built<Conversion> {
        let start = pair.as_span().start();
        let name = need(pair.into_inner().next(), Span::new(start, start + 1))?;
        let span = self.span(&name);
        if span.start as usize != start + 1 {
            let message = "f-string: conversion type must come right after the exclamanation mark";
            return fail(message, Span::new(start, span.end as usize));
        }
        match name.as_str() {
            "s" => Ok(Conversion::Str),
            "r" => Ok(Conversion::Repr),
            "a" => Ok(Conversion::Ascii),
            other => {
                let message =
                    format!("f-string: invalid conversion character '{other}': expected 's', 'r', or 'a'");
                Err(Box::new(SyntaxError::new(message, span)))
            }
        }
    }
}

/// A colon ends a field's expression, so a lambda needs parentheses there.
fn refuse_lambda(value: &Pair) -> Built<()> {
    let items = value
        .clone()
        .into_inner()
        .filter(|item| item.as_rule() == Rule::expr);
    match items
        .flat_map(|item| item.into_inner())
        .find(|part| part.as_rule() == Rule::lambda_head)
    {
        Some(head) => {
            let start = head.as_span().start();
            let message = "f-string: lambda expressions are not allowed without parentheses";
            fail(message, Span::new(start, start + "lambda".len()))
        }
        None => Ok(()),
    }
}
