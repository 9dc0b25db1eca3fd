//! Reports with source excerpts: one shape for syntax errors, warnings and runtime reports.
//!
//! The only file that knows miette. Words and places come in; text goes out.

use crate::source::{Source, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceSpan,
    SpanContents,
};
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
    excerpt: Excerpt<'a>,
}

impl<'a> Report<'a> {
    fn new(diagnostic: &'a Diagnostic) -> Report<'a> {
        let places = diagnostic.labels.iter().map(|(span, _)| span.start as usize);
        Report {
            diagnostic,
            excerpt: Excerpt::new(&diagnostic.source, places.collect()),
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
        (start, end)
    }
}

/// A source as it is shown: of lines that are too long to read, only what is around a place.
struct Excerpt<'a> {
    name: &'a str,
    text: String,
    lines: Vec<Line>,
}

/// Of a line longer than this, so many bytes are shown, some of them before the place.
const SHOWN: usize = 240;
const SHOWN_BEFORE: usize = 80;

/// Where a line begins in the source, which part of it is shown, and where in the excerpt.
struct Line {
    start: usize,
    part: std::ops::Range<usize>,
    at: usize,
    /// So many characters before that part are left out.
    left_out: usize,
}

impl<'a> Excerpt<'a> {
    /// The excerpt for some places in the text.
    fn new(source: &'a Source, places: Vec<usize>) -> Excerpt<'a> {
        let mut excerpt = Excerpt {
            name: &source.name,
            text: String::new(),
            lines: Vec::new(),
        };
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            let whole = start..end;
            let part = match end - start > SHOWN {
                true => {
                    let place = places.iter().find(|place| whole.contains(place));
                    let from = place.map_or(start, |place| place.saturating_sub(SHOWN_BEFORE).max(start));
                    let from = source.text.floor_char_boundary(from);
                    from..source.text.floor_char_boundary((from + SHOWN).min(end))
                }
                false => whole,
            };
            let left_out = source.text[start..part.start].chars().count();
            if left_out > 0 {
                excerpt.text.push('…');
            }
            excerpt.lines.push(Line {
                start,
                part: part.clone(),
                at: excerpt.text.len(),
                left_out,
            });
            excerpt.text.push_str(&source.text[part.clone()]);
            if part.end < end {
                excerpt.text.push('…');
            }
            excerpt.text.push_str(&line[end - start..]);
            start += line.len();
        }
        excerpt
    }

    /// Where a place of the source is in the excerpt.
    fn place(&self, place: usize) -> usize {
        let after = self.lines.partition_point(|line| line.start <= place);
        let Some(line) = after.checked_sub(1).map(|index| &self.lines[index]) else {
            return 0;
        };
        let is_last = after == self.lines.len();
        match place > line.part.end && is_last && line.part.start == line.start {
            true => self.text.len(), // behind the last line's end
            false => line.at + place.clamp(line.part.start, line.part.end) - line.part.start,
        }
    }
}

impl miette::SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.read_span(span, lines_before, lines_after)?;
        // What begins with the line, as what stands around a place does, has column 0. The column of
        // a place is told in characters.
        let column = match self.lines.get(read.line()) {
            Some(line) if read.column() > 0 => {
                let before = self.text.get(line.at..read.span().offset());
                line.left_out + before.map_or(0, |text| text.chars().count())
            }
            _ => 0,
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.to_owned(),
            read.data(),
            *read.span(),
            read.line(),
            column,
            read.line_count(),
        )))
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
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.diagnostic.labels.is_empty() {
            return None;
        }
        Some(Box::new(self.diagnostic.labels.iter().enumerate().map(
            |(i, (span, text))| {
                let (start, end) = self.clamp(*span);
                let (start, end) = (self.excerpt.place(start), self.excerpt.place(end));
                let length = end - start;
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
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("x = 1\ny = [{}", "1234, ".repeat(2_000));
        let source = Source::new("a.aio", text);
        for (start, column) in [(10, "2:5"), (6_000, "2:5995"), (12_008, "2:12003")] {
            let report = Diagnostic::new(Severity::Error, "title", &source);
            let text = report
                .label(Span::new(start, start + 3), "here")
                .render(false, 80);
            assert!(text.contains(&format!("a.aio:{column}]")), "{text}");
            let longest = text.lines().map(|line| line.chars().count()).max();
            assert!(longest < Some(SHOWN + 20), "{text}");
        }
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let source = Source::new("a.aio", "é = 'ü' + x\n");
        let report = Diagnostic::new(Severity::Error, "title", &source).label(Span::new(12, 13), "here");
        assert!(report.render(false, 80).contains("a.aio:1:11]"));
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
