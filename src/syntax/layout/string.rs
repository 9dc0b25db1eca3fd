//! Strings and f-strings: where they end, and where an f-string's code stands.

use super::{FILLER, FString, MAX_FIELDS, MAX_FSTRINGS, Mode, Scan, Scanner};
use crate::source::Span;
use crate::syntax::error::SyntaxError;

impl Scanner<'_> {
    /// A string literal; `self.pos` is at its quote, `begin` at its prefix.
    pub(super) fn string(&mut self, begin: usize) -> Scan {
        let quote = self.src[self.pos];
        let prefix = &self.src[begin..self.pos];
        let has = |letter: u8| prefix.iter().any(|b| b.eq_ignore_ascii_case(&letter));
        let (raw, formatted) = (has(b'r'), has(b'f'));
        let triple = self.byte(self.pos + 1) == quote && self.byte(self.pos + 2) == quote;
        self.last = quote;
        self.pos += if triple { 3 } else { 1 };
        if formatted {
            if self.fstrings.len() >= MAX_FSTRINGS {
                let error = SyntaxError::new("too many nested f-strings", Span::new(begin, self.pos));
                return self.fault(error);
            }
            self.fstrings.push(FString {
                start: begin,
                quote,
                triple,
                raw,
                fields: 0,
            });
            self.mode = Mode::Text;
            return Ok(());
        }
        loop {
            match self.byte(self.pos) {
                b'\\' => {
                    self.pos += 1;
                    self.pos += self.line_end(self.pos).max(1);
                }
                b if b == quote => {
                    if !triple {
                        self.pos += 1;
                        return Ok(());
                    }
                    if self.byte(self.pos + 1) == quote && self.byte(self.pos + 2) == quote {
                        self.pos += 3;
                        return Ok(());
                    }
                    self.pos += 1;
                }
                b'\n' | b'\r' if !triple => return self.unterminated(begin, quote, triple),
                _ if self.pos >= self.src.len() => return self.unterminated(begin, quote, triple),
                _ => self.pos += 1,
            }
        }
    }

    #[cold]
    fn unterminated(&mut self, begin: usize, quote: u8, triple: bool) -> Scan {
        let here = Span::new(
            begin,
            self.pos.min(self.src.len()).min(self.line_end_after(begin)),
        );
        if let Some(outer) = self.fstrings.last()
            && outer.quote == quote
            && outer.triple == triple
        {
            // The quote was meant to end the f-string around this field.
            return self.fault(
                SyntaxError::new("f-string: expecting '}'", Span::new(begin, begin + 1))
                    .help("close the replacement field with '}' before the string ends"),
            );
        }
        let at_end = self.pos >= self.src.len();
        // After the last newline stands no line of its own.
        let last = self.pos.min(self.src.len()) - usize::from(at_end && self.src.ends_with(b"\n"));
        let line = self.line_number(last);
        if triple {
            let message = format!("unterminated triple-quoted string literal (detected at line {line})");
            let error = SyntaxError::new(message, here).help("close the string with three quotes");
            return self.fault(error.incomplete());
        }
        let escaped = [b'\\', quote];
        let text = &self.src[begin..here.end as usize];
        let perhaps = match text.windows(2).any(|pair| pair == escaped) {
            true => "; perhaps you escaped the end quote?",
            false => "",
        };
        let follows_word = begin > 0 && self.src[begin - 1].is_ascii_alphanumeric();
        let help = match follows_word {
            true => {
                "a quote within a text ends it: put the other kind of quote around the text, or a '\\' before"
            }
            false => "close the string on its own line, or use triple quotes for several lines",
        };
        let mut error = SyntaxError::new(
            format!("unterminated string literal (detected at line {line}){perhaps}"),
            here,
        )
        .help(help);
        // A backslash as the very last character asks for another line.
        error.incomplete = at_end && self.line_number(begin) != self.line_number(self.pos);
        self.fault(error)
    }

    fn line_end_after(&self, at: usize) -> usize {
        self.src[at..]
            .iter()
            .position(|&b| matches!(b, b'\n' | b'\r'))
            .map_or(self.src.len(), |n| at + n)
    }

    /// Scan an f-string's text, or the spec of one of its fields.
    pub(super) fn fstring_text(&mut self, in_spec: bool) -> Scan {
        let Some(FString {
            start,
            quote,
            triple,
            raw,
            ..
        }) = self.fstrings.last().map(|f| FString { start: f.start, ..*f })
        else {
            self.mode = Mode::Code;
            return Ok(());
        };
        loop {
            let byte = self.byte(self.pos);
            match byte {
                b'{' => {
                    if !in_spec && self.byte(self.pos + 1) == b'{' {
                        self.pos += 2;
                        continue;
                    }
                    if let Some(fstring) = self.fstrings.last_mut() {
                        fstring.fields += 1;
                        if fstring.fields > MAX_FIELDS {
                            let here = Span::new(self.pos, self.pos + 1);
                            return self
                                .fault(SyntaxError::new("f-string: expressions nested too deeply", here));
                        }
                    }
                    self.mode = Mode::Code;
                    return self.open_bracket(byte, true, in_spec);
                }
                b'}' if in_spec => {
                    self.mode = Mode::Code;
                    return self.close_bracket(byte);
                }
                b'}' => {
                    if self.byte(self.pos + 1) != b'}' {
                        let here = Span::new(self.pos, self.pos + 1);
                        let error = SyntaxError::new("f-string: single '}' is not allowed", here)
                            .help("write '}}' for a brace in the text");
                        return self.fault(error);
                    }
                    self.pos += 2;
                }
                b'\\' => self.fstring_backslash(raw),
                b if b == quote => {
                    let ends =
                        !triple || (self.byte(self.pos + 1) == quote && self.byte(self.pos + 2) == quote);
                    if !ends {
                        self.pos += 1;
                        continue;
                    }
                    if in_spec {
                        let here = Span::new(self.pos, self.pos + 1);
                        let error = SyntaxError::new("f-string: expecting '}', or format specs", here)
                            .help("close the replacement field with '}' before the string ends");
                        return self.fault(error);
                    }
                    self.pos += if triple { 3 } else { 1 };
                    self.fstrings.pop();
                    self.mode = Mode::Code;
                    self.last = quote;
                    return Ok(());
                }
                b'\n' | b'\r' if !triple && in_spec => return self.spec_line_end(),
                b'\n' | b'\r' if !triple => return self.unterminated_fstring(start, triple),
                _ if self.pos >= self.src.len() => return self.unterminated_fstring(start, triple),
                _ => self.pos += 1,
            }
        }
    }

    /// An escape; a brace after a backslash stays a brace.
    fn fstring_backslash(&mut self, raw: bool) {
        self.pos += 1;
        match self.byte(self.pos) {
            b'{' | b'}' => {}
            b'N' if !raw && self.byte(self.pos + 1) == b'{' => {
                let rest = &self.src[self.pos..];
                let end = rest
                    .iter()
                    .position(|&b| matches!(b, b'}' | b'\n' | b'"' | b'\''));
                match end {
                    Some(n) if rest[n] == b'}' => self.pos += n + 1,
                    Some(n) => self.pos += n,
                    None => self.pos = self.src.len(),
                }
            }
            _ => self.pos += self.line_end(self.pos).max(1),
        }
    }

    /// CPython ends a spec at a newline if the f-string has single quotes; only `}` may follow.
    /// The gap is filled with newlines, which such a spec cannot otherwise hold.
    fn spec_line_end(&mut self) -> Scan {
        let begin = self.pos;
        loop {
            match self.byte(self.pos) {
                b' ' | b'\t' | FILLER | b'\n' | b'\r' => self.pos += 1,
                b'#' => self.comment(b'\n'),
                b'}' => break,
                _ => {
                    let here = self.token_here();
                    return self.fault(SyntaxError::new("f-string: expecting '}'", here));
                }
            }
        }
        self.out[begin..self.pos].fill(b'\n');
        Ok(())
    }

    #[cold]
    fn unterminated_fstring(&mut self, start: usize, triple: bool) -> Scan {
        let at_end = self.pos >= self.src.len();
        let last = self.pos.min(self.src.len()) - usize::from(at_end && self.src.ends_with(b"\n"));
        let line = self.line_number(last);
        let here = Span::new(
            start,
            self.line_end_after(start).min(self.pos.min(self.src.len())),
        );
        if triple {
            let message = format!("unterminated triple-quoted f-string literal (detected at line {line})");
            let error = SyntaxError::new(message, here).help("close the string with three quotes");
            return self.fault(error.incomplete());
        }
        let message = format!("unterminated f-string literal (detected at line {line})");
        let mut error = SyntaxError::new(message, here)
            .help("close the string on its own line, or use triple quotes for several lines");
        error.incomplete = at_end && self.line_number(start) != self.line_number(self.pos);
        self.fault(error)
    }
}
