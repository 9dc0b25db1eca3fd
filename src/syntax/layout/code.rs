//! Code between line ends: words, brackets, and what must not stand there.

use super::character::{is_printable, lookalike};
use super::{FILLER, MAX_BRACKETS, Mode, Open, Scan, Scanner, is_word};
use crate::source::Span;
use crate::syntax::error::SyntaxError;

impl Scanner<'_> {
    /// Scan code until the mode changes or the text ends.
    pub(super) fn code(&mut self) -> Scan {
        while self.mode == Mode::Code && self.pos < self.src.len() {
            let byte = self.src[self.pos];
            match byte {
                b' ' => self.pos += 1,
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | 0x80.. => self.word()?,
                b'\t' | FILLER => {
                    self.out[self.pos] = b' ';
                    self.pos += 1;
                }
                b'\n' | b'\r' => {
                    let length = self.line_end(self.pos);
                    if self.open.is_empty() {
                        self.out[self.pos..self.pos + length].fill(b' ');
                        self.out[self.pos + length - 1] = b'\n';
                        self.pos += length;
                        self.end_line();
                        self.line_start()?;
                    } else {
                        self.out[self.pos..self.pos + length].fill(b' ');
                        self.pos += length;
                    }
                }
                b'#' => self.comment(b' '),
                b'\\' => self.joining(b' ')?,
                b'"' | b'\'' => self.string(self.pos)?,
                b'(' | b'[' | b'{' => {
                    self.last = byte;
                    self.open_bracket(byte, false, false)?;
                }
                b')' | b']' | b'}' => {
                    self.last = byte;
                    self.close_bracket(byte)?;
                }
                b':' => {
                    self.last = byte;
                    self.pos += 1;
                    self.colon();
                }
                0x01..=0x1f | 0x7f => {
                    let message = format!("invalid non-printable character U+{byte:04X}");
                    return self.fault(SyntaxError::new(message, Span::new(self.pos, self.pos + 1)));
                }
                _ => {
                    self.last = byte;
                    self.pos += 1;
                }
            }
        }
        Ok(())
    }

    /// A colon closes a lambda head, or a field's expression.
    fn colon(&mut self) {
        match self.open.last_mut() {
            Some(open) if open.field => {
                self.open_lambdas -= open.lambdas;
                open.lambdas = 0;
                self.mode = Mode::Spec;
            }
            Some(open) if open.lambdas > 0 => {
                open.lambdas -= 1;
                self.open_lambdas -= 1;
            }
            Some(_) => {}
            None if self.lambdas > 0 => {
                self.lambdas -= 1;
                self.open_lambdas -= 1;
            }
            None => {}
        }
    }

    fn check_depth(&self) -> Scan {
        if self.open.len() + self.open_lambdas >= MAX_BRACKETS {
            let error = SyntaxError::new("too many nested parentheses", Span::new(self.pos, self.pos + 1));
            return self.fault(error);
        }
        Ok(())
    }

    pub(super) fn open_bracket(&mut self, byte: u8, field: bool, from_spec: bool) -> Scan {
        self.check_depth()?;
        self.open.push(Open {
            byte,
            at: self.pos,
            field,
            from_spec,
            lambdas: 0,
        });
        self.pos += 1;
        Ok(())
    }

    pub(super) fn close_bracket(&mut self, byte: u8) -> Scan {
        let here = Span::new(self.pos, self.pos + 1);
        let close = byte as char;
        let Some(open) = self.open.last() else {
            let error = SyntaxError::new(format!("unmatched '{close}'"), here)
                .help("no bracket is open here; remove it, or add the opening one");
            return self.fault(error);
        };
        let matches = matches!((open.byte, byte), (b'(', b')') | (b'[', b']') | (b'{', b'}'));
        if !matches {
            if open.field {
                return self.fault(SyntaxError::new(format!("f-string: unmatched '{close}'"), here));
            }
            let opened = open.byte as char;
            let mut message =
                format!("closing parenthesis '{close}' does not match opening parenthesis '{opened}'");
            let (line, opened_line) = (self.line_number(self.pos), self.line_number(open.at));
            if line != opened_line {
                message.push_str(&format!(" on line {opened_line}"));
            }
            let label = Span::new(open.at, open.at + 1);
            let error = SyntaxError::new(message, here).label(label, format!("'{opened}' was opened here"));
            return self.fault(error);
        }
        self.open_lambdas -= open.lambdas;
        if open.field {
            self.mode = if open.from_spec { Mode::Spec } else { Mode::Text };
            if let Some(fstring) = self.fstrings.last_mut() {
                fstring.fields -= 1;
            }
        }
        self.open.pop();
        self.pos += 1;
        Ok(())
    }

    /// A name, keyword, number, or the prefix of a string.
    fn word(&mut self) -> Scan {
        let begin = self.pos;
        let mut end = begin + 1;
        let mut ascii = self.src[begin] < 0x80;
        while end < self.src.len() && is_word(self.src[end]) {
            ascii &= self.src[end] < 0x80;
            end += 1;
        }
        if !ascii {
            self.check_name(begin, end)?;
        }
        self.pos = end;
        self.last = self.src[end - 1];
        if end - begin == 6 && &self.src[begin..end] == b"lambda" {
            self.check_depth()?;
            self.open_lambdas += 1;
            match self.open.last_mut() {
                Some(open) => open.lambdas += 1,
                None => self.lambdas += 1,
            }
        } else if end - begin <= 2 && matches!(self.byte(end), b'"' | b'\'') {
            let mut prefix = [0, 0];
            prefix[..end - begin].copy_from_slice(&self.src[begin..end]);
            prefix.make_ascii_lowercase();
            if matches!(
                &prefix,
                b"r\0" | b"u\0" | b"b\0" | b"br" | b"rb" | b"f\0" | b"fr" | b"rf"
            ) {
                self.string(begin)?;
            }
        }
        Ok(())
    }

    /// Refuse the characters that no name may hold.
    #[cold]
    fn check_name(&self, begin: usize, end: usize) -> Scan {
        let text = &self.text[begin..end];
        for (i, c) in text.char_indices() {
            let number = text.as_bytes()[0].is_ascii_digit();
            let start = i == 0 || (number && !c.is_ascii());
            let valid = match c {
                '_' | '0'..='9' | 'a'..='z' | 'A'..='Z' => true,
                _ if start => unicode_ident::is_xid_start(c),
                _ => unicode_ident::is_xid_continue(c),
            };
            if valid {
                continue;
            }
            let span = Span::new(begin + i, begin + i + c.len_utf8());
            let code = format!("U+{:04X}", c as u32);
            let error = if is_printable(c) {
                SyntaxError::new(format!("invalid character '{c}' ({code})"), span)
            } else {
                SyntaxError::new(format!("invalid non-printable character {code}"), span)
            };
            return self.fault(match lookalike(c) {
                Some(plain) => error.help(format!("write the plain {plain} instead")),
                None => error,
            });
        }
        Ok(())
    }
}
