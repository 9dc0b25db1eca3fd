//! The layout pass: one scan that turns Python's layout into text a context-free grammar can read.
//!
//! Always true: the laid-out text has the length of the source plus one final newline, and every
//! token keeps its offset. Comments, joinings, tabs and line ends inside brackets become spaces,
//! blank lines become filler, and indentation becomes one tab a level (see `aio.pest`).
//! What only a scan can see is found here: indentation, brackets, ends of strings, characters,
//! and the nesting limits that keep every later pass on its stack.

mod character;
mod code;
mod string;

use super::error::{Extent, SyntaxError, SyntaxErrorKind};
use crate::source::Span;

/// Fills blank lines and the start of indentation; the grammar skips it with newlines.
const FILLER: u8 = 0x0c;
/// CPython's limits.
const MAX_BRACKETS: usize = 200;
const MAX_INDENTS: usize = 99;
const MAX_FSTRINGS: usize = 149;
const MAX_FIELDS: usize = 3;

/// A text laid out for the grammar, up to the first fault if there is one.
pub struct Layout {
    pub text: String,
    pub fault: Option<Fault>,
    /// The last statement's line is indented: a prompt waits for an empty line.
    pub ends_indented: bool,
}

/// The first thing the scan found wrong.
pub struct Fault {
    pub error: SyntaxError,
    /// A grammar error before this offset is the earlier one and wins.
    pub yields_before: usize,
    /// It is a bracket that was never closed.
    pub unclosed: bool,
    /// It stands in a replacement field or right behind one.
    pub in_field: bool,
}

/// An open bracket.
struct Open {
    byte: u8,
    at: usize,
    /// A replacement field of the innermost f-string; `from_spec` if it stands in a format spec.
    field: bool,
    from_spec: bool,
    /// Lambda heads inside that still wait for their colon.
    lambdas: usize,
}

/// An f-string whose end has not been seen.
struct FString {
    start: usize,
    quote: u8,
    triple: bool,
    raw: bool,
    fields: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Code,
    /// Between an f-string's quotes.
    Text,
    /// After the colon of a replacement field.
    Spec,
}

/// A logical line that ended with `:` and wants a block.
struct Header {
    /// `'if' statement`; none if the line starts with no block word (the grammar refuses it).
    what: Option<&'static str>,
    at: usize,
}

struct Scanner<'a> {
    text: &'a str,
    src: &'a [u8],
    out: Vec<u8>,
    pos: usize,
    mode: Mode,
    open: Vec<Open>,
    fstrings: Vec<FString>,
    /// Columns of each open block: tabs to multiples of 8, and tabs as 1.
    indents: Vec<(usize, usize)>,
    header: Option<Header>,
    /// Lambda heads outside brackets.
    lambdas: usize,
    open_lambdas: usize,
    /// The first token of the logical line, and the last byte of its last token.
    first: usize,
    last: u8,
}

type Scan = Result<(), Box<Fault>>;

/// Lay a text out for the grammar.
pub fn lay_out(text: &str) -> Layout {
    let mut scanner = Scanner {
        text,
        src: text.as_bytes(),
        out: text.as_bytes().to_vec(),
        pos: 0,
        mode: Mode::Code,
        open: Vec::new(),
        fstrings: Vec::new(),
        indents: Vec::new(),
        header: None,
        lambdas: 0,
        open_lambdas: 0,
        first: 0,
        last: 0,
    };
    let fault = scanner.run().err().map(|fault| *fault);
    let ends_indented = scanner.src.get(scanner.first).is_some() && !scanner.indents.is_empty();
    let mut out = scanner.out;
    if let Some(fault) = &fault
        && fault.yields_before < scanner.pos
    {
        // Only the lines before the fault's own can hold an earlier error, and the field it stands in.
        out.truncate(match fault.in_field {
            true => fault.error.span.start as usize,
            false => fault.yields_before,
        });
    }
    out.push(b'\n');
    // Whole characters are replaced byte for byte, so the text stays UTF-8; a fault may have
    // stopped within a character, which the lossy reading repairs.
    let text = String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
    Layout {
        text,
        fault,
        ends_indented,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// What CPython calls the statement that a block header starts.
fn block_name(word: &str, after: &str) -> Option<&'static str> {
    Some(match word {
        "if" => "'if' statement",
        "elif" => "'elif' statement",
        "else" => "'else' statement",
        "for" => "'for' statement",
        "while" => "'while' statement",
        "with" => "'with' statement",
        "try" => "'try' statement",
        "except" if after.trim_start().starts_with('*') => "'except*' statement",
        "except" => "'except' statement",
        "finally" => "'finally' statement",
        "match" => "'match' statement",
        "case" => "'case' statement",
        "def" => "function definition",
        "class" => "class definition",
        "async" => {
            let after = after.trim_start();
            let end = after.bytes().position(|b| !is_word(b)).unwrap_or(after.len());
            return match &after[..end] {
                word @ ("def" | "for" | "with") => block_name(word, ""),
                _ => None,
            };
        }
        _ => return None,
    })
}

impl<'a> Scanner<'a> {
    fn run(&mut self) -> Scan {
        if let Some(at) = self.src.iter().position(|&b| b == 0) {
            let error = SyntaxError::new("source code cannot contain null bytes", Span::new(at, at + 1));
            return Err(Box::new(Fault {
                error,
                yields_before: 0,
                unclosed: false,
                in_field: false,
            }));
        }
        if self.src.starts_with("\u{feff}".as_bytes()) {
            self.out[..3].fill(FILLER);
            self.pos = 3;
        }
        self.line_start()?;
        loop {
            match self.mode {
                Mode::Code => self.code()?,
                Mode::Text => self.fstring_text(false)?,
                Mode::Spec => self.fstring_text(true)?,
            }
            if self.pos >= self.src.len() && self.mode == Mode::Code {
                break;
            }
        }
        if let Some(open) = self.open.last() {
            let at = open.at;
            let message = format!("'{}' was never closed", open.byte as char);
            let line_end = self.src[at..]
                .iter()
                .position(|&b| b == b'\n')
                .map_or(self.src.len(), |n| at + n);
            let help = match open.byte == b'{' && self.begins_block(at) {
                true => "a block begins with ':' and is indented; it needs no braces",
                false => "add the closing bracket, or remove this one",
            };
            let error = SyntaxError::new(message, Span::new(at, at + 1))
                .extent(Extent::Bracket)
                .help(help)
                .incomplete();
            return Err(Box::new(Fault {
                error,
                yields_before: line_end,
                unclosed: true,
                in_field: false,
            }));
        }
        if self.last == b':' && self.header.is_none() {
            self.end_line();
        }
        self.block_missing(self.src.len()).map_err(|mut fault| {
            fault.error.incomplete = true;
            fault
        })
    }

    fn byte(&self, at: usize) -> u8 {
        self.src.get(at).copied().unwrap_or(0)
    }

    /// Whether what opens here ends the line of a header, as a block does in other languages.
    fn begins_block(&self, at: usize) -> bool {
        let start = self.src[..at]
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |n| n + 1);
        let before = self.src[start..at].trim_ascii();
        let mut after = self.src[at + 1..]
            .iter()
            .take_while(|&&b| !matches!(b, b'\n' | b'\r'));
        let headers: [&[u8]; 8] = [
            b"if", b"else", b"for", b"while", b"def", b"class", b"try", b"async",
        ];
        after.all(u8::is_ascii_whitespace)
            && headers.iter().any(|header| {
                let rest = before.strip_prefix(*header);
                rest.is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphanumeric))
            })
    }

    /// How many bytes a line end takes here: `\n`, `\r\n` or a lone `\r`; 0 if there is none.
    fn line_end(&self, at: usize) -> usize {
        match (self.byte(at), self.byte(at + 1)) {
            (b'\r', b'\n') => 2,
            (b'\n' | b'\r', _) => 1,
            _ => 0,
        }
    }

    /// A token error: the grammar is asked only about the lines before.
    fn fault<T>(&self, mut error: SyntaxError) -> Result<T, Box<Fault>> {
        let at = (error.span.start as usize).min(self.src.len());
        let line = self.src[..at]
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |n| n + 1);
        if error.extent == Extent::Span {
            error.extent = Extent::Point;
        }
        Err(Box::new(Fault {
            error,
            yields_before: line,
            unclosed: false,
            in_field: !self.fstrings.is_empty(),
        }))
    }

    fn line_number(&self, at: usize) -> usize {
        let before = &self.src[..at.min(self.src.len())];
        1 + before
            .iter()
            .enumerate()
            .filter(|&(i, &b)| b == b'\n' || (b == b'\r' && self.byte(i + 1) != b'\n'))
            .count()
    }

    // Lines

    /// The end of a logical line: notes whether a block must follow.
    fn end_line(&mut self) {
        self.lambdas = 0;
        self.open_lambdas = 0;
        if self.last == b':' {
            let line = &self.text[self.first..];
            let end = line.bytes().position(|b| !is_word(b)).unwrap_or(line.len());
            self.header = Some(Header {
                what: block_name(&line[..end], &line[end..]),
                at: self.first,
            });
        }
        self.last = 0;
    }

    /// Skip blank lines, then measure and rewrite the indentation of the next logical line.
    fn line_start(&mut self) -> Scan {
        loop {
            let begin = self.pos;
            let (mut column, mut alternate) = (0, 0);
            let mut joined = None;
            loop {
                match self.byte(self.pos) {
                    b' ' => {
                        column += 1;
                        alternate += 1;
                    }
                    b'\t' => {
                        column = (column / 8 + 1) * 8;
                        alternate += 1;
                    }
                    FILLER => (column, alternate) = (0, 0),
                    b'\\' => {
                        // Python takes the indentation from before the first joining.
                        joined = joined.or((column > 0).then_some((column, alternate)));
                        self.joining(FILLER)?;
                        continue;
                    }
                    _ => break,
                }
                self.pos += 1;
            }
            (column, alternate) = joined.unwrap_or((column, alternate));
            self.out[begin..self.pos].fill(FILLER);
            if self.byte(self.pos) == b'#' {
                self.comment(FILLER);
            }
            let newline = self.line_end(self.pos);
            if newline > 0 {
                self.out[self.pos..self.pos + newline].fill(b'\n');
                self.pos += newline;
                continue;
            }
            if self.pos >= self.src.len() {
                return Ok(());
            }
            self.first = self.pos;
            self.indent(column, alternate)?;
            let level = self.indents.len();
            self.out[self.pos - level..self.pos].fill(b'\t');
            return Ok(());
        }
    }

    /// Compare a line's columns with the open blocks', as CPython does.
    fn indent(&mut self, column: usize, alternate: usize) -> Scan {
        let (top, top_alternate) = self.indents.last().copied().unwrap_or((0, 0));
        let token = self.token_here();
        if column == top {
            if alternate != top_alternate {
                return self.indent_fault(tab_error(token));
            }
        } else if column > top {
            if self.indents.len() >= MAX_INDENTS {
                let error = SyntaxError::new("too many levels of indentation", token);
                return self.indent_fault(error.kind(SyntaxErrorKind::Indentation));
            }
            if alternate <= top_alternate {
                return self.indent_fault(tab_error(token));
            }
            if self.header.take().is_none() {
                let error = SyntaxError::new("unexpected indent", token)
                    .kind(SyntaxErrorKind::Indentation)
                    .extent(Extent::Indentation)
                    .help("this line is indented deeper than the one before, but no block starts there");
                return self.indent_fault(error);
            }
            self.indents.push((column, alternate));
            return Ok(());
        } else {
            while self.indents.last().is_some_and(|&(c, _)| c > column) {
                self.indents.pop();
            }
            let (top, top_alternate) = self.indents.last().copied().unwrap_or((0, 0));
            if column != top {
                let error = SyntaxError::new("unindent does not match any outer indentation level", token)
                    .kind(SyntaxErrorKind::Indentation)
                    .help("indent this line exactly as the block it belongs to");
                return self.indent_fault(error);
            }
            if alternate != top_alternate {
                return self.indent_fault(tab_error(token));
            }
        }
        self.block_missing(self.pos)
    }

    /// Complain if a header waits for its block and none came.
    fn block_missing(&mut self, at: usize) -> Scan {
        let Some(Header {
            what: Some(what),
            at: header,
        }) = self.header.take()
        else {
            return Ok(());
        };
        let line = self.line_number(header);
        let message = format!("expected an indented block after {what} on line {line}");
        let span = if at < self.src.len() {
            self.token_here()
        } else {
            let end = self.text.trim_end().len();
            Span::new(end, end)
        };
        let word = Span::new(
            header,
            header + what.trim_start_matches('\'').find('\'').unwrap_or(1),
        );
        let mut error = SyntaxError::new(message, span)
            .kind(SyntaxErrorKind::Indentation)
            .help("indent the lines of the block, or write 'pass' if it is to be empty");
        if span.start as usize > header {
            error = error.label(word, "this needs a block");
        }
        self.indent_fault(error)
    }

    fn indent_fault(&self, error: SyntaxError) -> Scan {
        let mut at = self.pos.min(self.src.len());
        while at > 0 && !matches!(self.src[at - 1], b'\n' | b'\r') {
            at -= 1;
        }
        Err(Box::new(Fault {
            error,
            yields_before: at,
            unclosed: false,
            in_field: !self.fstrings.is_empty(),
        }))
    }

    /// The word or character at the current place.
    fn token_here(&self) -> Span {
        let rest = self.text.get(self.pos..).unwrap_or("");
        let length = rest.bytes().position(|b| !is_word(b)).unwrap_or(rest.len());
        let length = if length == 0 {
            rest.chars().next().map_or(0, char::len_utf8)
        } else {
            length
        };
        Span::new(self.pos, self.pos + length)
    }

    /// `\` and a line end: joins two lines.
    fn joining(&mut self, fill: u8) -> Scan {
        let newline = self.line_end(self.pos + 1);
        let here = Span::new(self.pos, self.pos + 1);
        if newline == 0 {
            if self.pos + 1 >= self.src.len() {
                return self.fault(SyntaxError::new("unexpected EOF while parsing", here).incomplete());
            }
            let next = self.text[self.pos + 1..].chars().next().map_or(1, char::len_utf8);
            let span = Span::new(self.pos + 1, self.pos + 1 + next);
            let error = SyntaxError::new("unexpected character after line continuation character", span)
                .help("a '\\' joins lines only as the very last character of its line");
            return self.fault(error);
        }
        self.out[self.pos..self.pos + 1 + newline].fill(fill);
        self.pos += 1 + newline;
        if self.pos >= self.src.len() {
            return self.fault(SyntaxError::new("unexpected EOF while parsing", here).incomplete());
        }
        Ok(())
    }

    fn comment(&mut self, fill: u8) {
        let begin = self.pos;
        while self.pos < self.src.len() && !matches!(self.src[self.pos], b'\n' | b'\r') {
            self.pos += 1;
        }
        self.out[begin..self.pos].fill(fill);
    }
}

#[cold]
fn tab_error(span: Span) -> SyntaxError {
    SyntaxError::new("inconsistent use of tabs and spaces in indentation", span)
        .kind(SyntaxErrorKind::Tab)
        .help("indent with spaces only; this line looks aligned only if a tab is 8 wide")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_keeps_its_offset() {
        let text = "\u{feff}if x:  # why\r\n  y = (1,\n\t2)\r\n\n    # é\n  z\\\n  .a\n";
        let layout = lay_out(text);
        assert!(layout.fault.is_none());
        assert_eq!(layout.text.len(), text.len() + 1);
        for token in ["if x:", "y = (1,", "2)", "z", ".a"] {
            assert_eq!(layout.text.find(token), text.find(token), "{token}");
        }
        assert!(layout.text.contains('\t') && !layout.text.contains(['#', '\r', '\\']));
    }

    #[test]
    fn indentation_becomes_one_tab_a_level() {
        let layout = lay_out("if x:\n        if y:\n          z\n        else: w\nv\n");
        let lines: Vec<&str> = layout
            .text
            .lines()
            .map(|line| line.trim_matches('\u{0c}'))
            .collect();
        assert_eq!(lines[..5], ["if x:", "\tif y:", "\t\tz", "\telse: w", "v"]);
    }

    #[test]
    fn only_the_scan_sees_these() {
        let fault = |text: &str| {
            let error = lay_out(text).fault.map(|fault| fault.error);
            error
                .map(|error| format!("{}: {}", error.class_name(), error.message))
                .unwrap_or_default()
        };
        assert_eq!(fault("  x\n"), "IndentationError: unexpected indent");
        assert_eq!(
            fault("def f():\nx\n"),
            "IndentationError: expected an indented block after function definition on line 1"
        );
        assert_eq!(
            fault("if x:\n\ty\n        z\n"),
            "TabError: inconsistent use of tabs and spaces in indentation"
        );
        assert_eq!(fault("x = (1,\n"), "SyntaxError: '(' was never closed");
        assert_eq!(
            fault("x = (1,\n]\n"),
            "SyntaxError: closing parenthesis ']' does not match opening parenthesis '(' on line 1"
        );
        assert_eq!(
            fault("x = 'a\n"),
            "SyntaxError: unterminated string literal (detected at line 1)"
        );
        assert_eq!(fault("f'{x'\n"), "SyntaxError: f-string: expecting '}'");
        assert_eq!(fault("x = “a”\n"), "SyntaxError: invalid character '“' (U+201C)");
        assert_eq!(
            fault(&"(".repeat(201)),
            "SyntaxError: too many nested parentheses"
        );
        assert_eq!(
            fault("f'{{}}' f'{x:{y}}' f\"{'\\n'.join(a[\"b\"])}\" rf'\\{x}'\n"),
            ""
        );
    }
}
