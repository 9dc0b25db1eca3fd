//! Reports with source excerpts: one shape for syntax errors, warnings and runtime reports.
//!
//! The only file that knows miette. Words and places come in; text goes out.

use crate::source::{Source, Span};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};
use std::fmt;
use std::rc::Rc;

/// How bad it is; decides the mark and the colour of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
    Advice,
}

/// A report about places in one source.
#[derive(Clone)]
pub struct Diagnostic {
    pub severity: Severity,
    /// The headline: `SyntaxError: '(' was never closed`.
    pub title: String,
    source: Rc<Source>,
    /// The first is the place itself, the others explain it.
    labels: Vec<(Span, String)>,
    help: Option<String>,
    notes: Vec<String>,
}

impl Diagnostic {
    pub fn new(severity: Severity, title: impl Into<String>, source: &Rc<Source>) -> Diagnostic {
        Diagnostic {
            severity,
            title: title.into(),
            source: source.clone(),
            labels: Vec::new(),
            help: None,
            notes: Vec::new(),
        }
    }

    /// Mark a place; an empty text only underlines it.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push((span, text.into()));
        self
    }

    /// What to do about it. A second help is added as a line of its own.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        let text = text.into();
        self.help = Some(match self.help.take() {
            Some(first) => format!("{first}\n{text}"),
            None => text,
        });
        self
    }

    /// A line below the report.
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// The report as text of at most `width` columns, ending with a newline. The title is not broken: it can
    /// be searched for as CPython says it.
    pub fn render(&self, color: bool, width: usize) -> String {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let longest = self.title.lines().map(|line| line.chars().count()).max();
        let title = TITLE_MARGIN + longest.unwrap_or(0);
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width.max(20).max(title))
            .with_links(false)
            .with_context_lines(1)
            .without_cause_chain();
        let mut out = String::new();
        if handler.render_report(&mut out, &Report::new(self)).is_err() {
            out.clone_from(&self.title);
        }
        let mut out: String = out.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        for note in &self.notes {
            out.push_str("  note: ");
            out.push_str(note);
            out.push('\n');
        }
        out
    }
}

/// The columns that miette keeps beside a title: its mark and the margin.
const TITLE_MARGIN: usize = 6;

/// The view of a diagnostic that miette reads.
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    text: NamedSource<String>,
}

impl<'a> Report<'a> {
    fn new(diagnostic: &'a Diagnostic) -> Report<'a> {
        let source = &diagnostic.source;
        Report {
            diagnostic,
            text: NamedSource::new(&source.name, source.text.clone()),
        }
    }

    /// A span that lies within the text, on character boundaries.
    fn clamp(&self, span: Span) -> (usize, usize) {
        let text = &self.diagnostic.source.text;
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(span.start as usize);
        let end = floor(span.end as usize).max(start);
        (start, end - start)
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.diagnostic.title)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.diagnostic.title)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        // miette cannot show a place in no text at all.
        if self.diagnostic.source.text.is_empty() || self.diagnostic.labels.is_empty() {
            return None;
        }
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.diagnostic.labels.is_empty() {
            return None;
        }
        Some(Box::new(self.diagnostic.labels.iter().enumerate().map(
            |(i, (span, text))| {
                let (start, length) = self.clamp(*span);
                let text = (!text.is_empty()).then(|| text.clone());
                if i == 0 {
                    LabeledSpan::new_primary_with_span(text, (start, length))
                } else {
                    LabeledSpan::new(text, start, length)
                }
            },
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_title_place_and_help() {
        let source = Source::new("a.aio", "x = (1,\ny = 2\n");
        let report = Diagnostic::new(Severity::Error, "SyntaxError: '(' was never closed", &source)
            .label(Span::new(4, 5), "opened here")
            .help("add the closing bracket")
            .note("while reading a.aio");
        let text = report.render(false, 80);
        for part in [
            "'(' was never closed",
            "a.aio:1:5",
            "opened here",
            "help: add the",
            "note: while reading",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn places_outside_the_text_do_no_harm() {
        for text in ["", "é", "x\n"] {
            let source = Source::new("a.aio", text);
            let report = Diagnostic::new(Severity::Warning, "title", &source).label(Span::new(1, 99), "here");
            assert!(report.render(true, 0).contains("title"));
        }
    }
}
