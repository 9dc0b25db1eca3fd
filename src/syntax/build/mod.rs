//! Pairs to tree: what the grammar has read becomes [`ast`](super::ast), checked as it is built.
//!
//! Always true: recursion goes only into brackets, blocks, f-strings and counted operators, so its
//! depth is bounded by the layout pass' limits and [`MAX_PREFIX`]; a left-leaning chain is built in
//! a loop and is at most [`MAX_CHAIN`] deep, so that whoever walks or drops the tree can recurse.

mod call;
mod expression;
mod fstring;
mod literal;
mod parameter;
mod pattern;
mod statement;
mod target;

use super::ast::{Module, Stmt, StmtKind};
use super::error::SyntaxError;
use super::parse::{Pair, Rule};
use super::warning::SyntaxWarning;
use crate::source::{Source, Span, Symbol};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use unicode_normalization::{UnicodeNormalization, is_nfkc};

/// Prefix and right-associative operators on the way from the root to a leaf.
const MAX_PREFIX: usize = 1_000;
/// Operators, calls, attributes and subscripts that lean to the left, on that way.
const MAX_CHAIN: usize = 5_000;

type Built<T> = Result<T, Box<SyntaxError>>;

/// What CPython calls the expression that a piece of laid-out text is, if it is one that stands
/// alone as a statement.
pub fn describe(source: &Source, text: &str, file: Pair) -> Option<&'static str> {
    let module = build(source, text, file).ok()?;
    match &module.body[..] {
        [
            Stmt {
                kind: StmtKind::Expr(value),
                ..
            },
        ] => Some(target::describe(value)),
        _ => None,
    }
}

/// Build the tree of a parsed file. `text` is the laid-out text that `file` came from.
pub fn build(source: &Source, text: &str, file: Pair) -> Result<Module, SyntaxError> {
    let builder = Builder {
        source,
        text,
        prefix: Cell::new(0),
        chain: Cell::new(0),
        warnings: RefCell::new(Vec::new()),
    };
    builder.module(file).map_err(|error| *error)
}

struct Builder<'s> {
    source: &'s Source,
    text: &'s str,
    /// How deep the expression being built stands, in [`MAX_PREFIX`]'s and [`MAX_CHAIN`]'s terms.
    prefix: Cell<usize>,
    chain: Cell<usize>,
    /// What can only be seen in the text, not in the tree.
    warnings: RefCell<Vec<SyntaxWarning>>,
}

impl Builder<'_> {
    /// A node's place without the blanks that its last token has swallowed.
    fn span(&self, pair: &Pair) -> Span {
        let start = pair.as_span().start();
        Span::new(
            start,
            start + pair.as_str().trim_end_matches([' ', '\n', '\u{0c}']).len(),
        )
    }

    /// The interned name of a `name` node; names that look alike by NFKC are one.
    fn symbol(&self, name: &Pair) -> Symbol {
        Symbol::new(&normalized(name.as_str()))
    }

    /// A name that is bound: not one of the three constants.
    fn bound_name(&self, name: &Pair) -> Built<Symbol> {
        let text = name.as_str();
        if is_constant(text) {
            let error = SyntaxError::new("invalid syntax", self.span(name));
            return Err(Box::new(
                error.help(format!("'{text}' is a constant and cannot be bound")),
            ));
        }
        Ok(self.symbol(name))
    }
}

/// One warning a token.
impl Builder<'_> {
    #[cold]
    fn warn(&self, message: String, span: Span) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.last().is_none_or(|last| last.span != span) {
            warnings.push(SyntaxWarning { message, span });
        }
    }
}

fn is_constant(name: &str) -> bool {
    matches!(name, "None" | "True" | "False")
}

fn normalized(name: &str) -> Cow<'_, str> {
    if name.is_ascii() || is_nfkc(name) {
        name.into()
    } else {
        name.nfkc().collect::<String>().into()
    }
}

#[cold]
fn fail<T>(message: impl Into<String>, span: Span) -> Built<T> {
    Err(Box::new(SyntaxError::new(message, span)))
}

/// The same with a word on what to do.
fn fail_with<T>(message: impl Into<String>, span: Span, help: &str) -> Built<T> {
    Err(Box::new(SyntaxError::new(message, span).help(help)))
}

/// A node that the grammar cannot produce here.
#[cold]
fn unexpected<T>(pair: &Pair) -> Built<T> {
    let span = pair.as_span();
    fail(
        format!("invalid syntax ({:?})", pair.as_rule()),
        Span::new(span.start(), span.end()),
    )
}

/// Whether a node is there at all; the grammar has made sure, so this never shows.
fn need<'t>(pair: Option<Pair<'t>>, parent: Span) -> Built<Pair<'t>> {
    match pair {
        Some(pair) => Ok(pair),
        None => fail("invalid syntax", parent),
    }
}

/// The place of a one-character token.
fn token(pair: &Pair) -> Span {
    let start = pair.as_span().start();
    Span::new(start, start + 1)
}

fn is(pair: Option<&Pair>, rule: Rule) -> bool {
    pair.is_some_and(|pair| pair.as_rule() == rule)
}
