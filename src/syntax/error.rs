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

/// A text that is no program: Python's words, the place, and our help.
#[derive(Debug, Clone)]
pub struct SyntaxError {
    pub kind: SyntaxErrorKind,
    /// In CPython 3.13's words where it has any.
    pub message: String,
    pub span: Span,
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
