//! What is wrong with a text, and where.

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Source, Span};
use std::rc::Rc;

/// Which of Python's classes a syntax error belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxErrorKind {
    Syntax,
    Indentation,
    Tab,
}

/// What CPython knows of the place of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Where it begins and ends.
    Span,
    /// Only where it begins: the tokenizer has not read on.
    Point,
    /// Where a bracket stands that was never closed.
    Bracket,
    /// The column before it: an indentation is a token without a place.
    Indentation,
}

/// A text that is no program: Python's words, the place, and our help.
#[derive(Debug, Clone)]
pub struct SyntaxError {
    pub kind: SyntaxErrorKind,
    /// In CPython 3.13's words where it has any.
    pub message: String,
    pub span: Span,
    pub extent: Extent,
    /// What the writer probably meant.
    pub help: Option<String>,
    /// Other places that explain this one: `'(' was opened here`.
    pub labels: Vec<(Span, String)>,
    /// More text could still make it right; the prompt goes on reading.
    pub incomplete: bool,
}

impl SyntaxError {
    pub fn new(message: impl Into<String>, span: Span) -> SyntaxError {
        SyntaxError {
            kind: SyntaxErrorKind::Syntax,
            message: message.into(),
            span,
            extent: Extent::Span,
            help: None,
            labels: Vec::new(),
            incomplete: false,
        }
    }

    /// A construct that is Python but not aio; `instead` says what to write.
    pub fn outside(what: &str, instead: &str, span: Span) -> SyntaxError {
        SyntaxError::new(format!("{what} not part of aio"), span).help(instead)
    }

    pub fn kind(mut self, kind: SyntaxErrorKind) -> SyntaxError {
        self.kind = kind;
        self
    }

    pub fn extent(mut self, extent: Extent) -> SyntaxError {
        self.extent = extent;
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> SyntaxError {
        self.help = Some(help.into());
        self
    }

    pub fn label(mut self, span: Span, text: impl Into<String>) -> SyntaxError {
        self.labels.push((span, text.into()));
        self
    }

    pub fn incomplete(mut self) -> SyntaxError {
        self.incomplete = true;
        self
    }

    /// The name of the Python class.
    pub fn class_name(&self) -> &'static str {
        match self.kind {
            SyntaxErrorKind::Syntax => "SyntaxError",
            SyntaxErrorKind::Indentation => "IndentationError",
            SyntaxErrorKind::Tab => "TabError",
        }
    }

    /// What a script sees as `lineno`, `offset`, `text`, `end_lineno` and `end_offset`.
    pub fn place(&self, source: &Source) -> (u32, i64, String, u32, i64) {
        let span = match self.span.start == self.span.end {
            true => line_end(source, self.span.start as usize),
            false => self.span,
        };
        let (line, column) = source.position(span.start);
        let (end_line, end_column) = source.position(span.end);
        let offset = i64::from(column) + 1;
        let mut text = source.line_text(line).to_owned();
        if self.extent != Extent::Point {
            text.push('\n');
        }
        match self.extent {
            // The line's end is its last column.
            Extent::Span if end_column == 0 => (line, offset, text, line, offset + 1),
            Extent::Span => (line, offset, text, end_line, i64::from(end_column) + 1),
            Extent::Point => (line, offset, text, line, offset),
            Extent::Bracket => (line, offset, text, line, 0),
            Extent::Indentation => (line, offset - 1, text, line, -1),
        }
    }

    /// The error over its source, ready to render.
    pub fn diagnostic(&self, source: &Rc<Source>) -> Diagnostic {
        let title = format!("{}: {}", self.class_name(), self.message);
        let mut diagnostic = Diagnostic::new(Severity::Error, title, source);
        // An empty first label only marks the place: the title has said what is wrong.
        diagnostic = diagnostic.label(self.span, "");
        for (span, text) in &self.labels {
            diagnostic = diagnostic.label(*span, text.as_str());
        }
        if let Some(help) = &self.help {
            diagnostic = diagnostic.help(help.as_str());
        }
        diagnostic
    }
}

/// The end of a line as CPython has it: a token behind blanks that begins with any comment.
fn line_end(source: &Source, from: usize) -> Span {
    let rest = source.text.get(from..).unwrap_or("");
    let blank = rest.trim_start_matches([' ', '\t', '\u{0c}']);
    let start = from + rest.len() - blank.len();
    let comment = match blank.starts_with('#') {
        true => blank.find(['\n', '\r']).unwrap_or(blank.len()),
        false => 1,
    };
    Span::new(start, start + comment)
}
