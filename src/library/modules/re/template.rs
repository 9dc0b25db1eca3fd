//! Replacement templates: text with `\1` and `\g<name>` in it.

use super::mistake;
use super::pattern::Pattern;
use super::translate::Mistake;
use crate::interp::error::*;
use crate::interp::types::class_name;
use crate::text::string;
use crate::value::*;

enum Piece {
    Text(String),
    Group(usize),
}

pub struct Template(Vec<Piece>);

impl Template {
    pub fn parse(template: &Value, pattern: &Pattern) -> Res<Template> {
        let Some((chars, is_text)) = super::characters(template) else {
            return Err(type_error(format!(
                "decoding to str: need a bytes-like object, {} found",
                class_name(template)
            )));
        };
        if is_text != pattern.is_text {
            let (wanted, given) = if pattern.is_text {
                ("str", "bytes")
            } else {
                ("a bytes-like object,", "str")
            };
            let instance = if pattern.is_text { " instance," } else { "" };
            return Err(type_error(format!(
                "sequence item 0: expected {wanted}{instance} {given} found"
            )));
        }
        let mut reader = Reader {
            chars: &chars,
            at: 0,
            pattern,
            pieces: Vec::new(),
            text: String::new(),
        };
        match reader.read() {
            Ok(()) => {
                reader.end_text();
                Ok(Template(reader.pieces))
            }
            Err(Wrong::Template(wrong)) => Err(mistake(wrong, &chars, template)),
            Err(Wrong::Name(message)) => Err(index_error(message)),
        }
    }

    /// Appends the template with the groups of a match; a group that did not match is empty.
    pub fn expand(&self, source: &str, places: &[Option<(usize, usize)>], out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(group) => {
                    if let Some((start, end)) = places.get(*group).copied().flatten() {
                        out.push_str(&source[start..end]);
                    }
                }
            }
        }
    }
}

enum Wrong {
    Template(Mistake),
    /// A group name that the pattern does not have.
    Name(String),
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    pattern: &'a Pattern,
    pieces: Vec<Piece>,
    text: String,
}

impl Reader<'_> {
    fn wrong(&self, message: impl Into<String>, back: usize) -> Wrong {
        Wrong::Template(Mistake {
            message: message.into(),
            place: self.at.saturating_sub(back),
        })
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn accept(&mut self, test: impl Fn(char) -> bool) -> Option<char> {
        let c = self.peek().filter(|&c| test(c))?;
        self.at += 1;
        Some(c)
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }

    fn group(&mut self, group: usize, back: usize) -> Result<(), Wrong> {
        if group > self.pattern.groups.len() {
            return Err(self.wrong(format!("invalid group reference {group}"), back));
        }
        self.end_text();
        self.pieces.push(Piece::Group(group));
        Ok(())
    }

    fn read(&mut self) -> Result<(), Wrong> {
        while let Some(c) = self.peek() {
            self.at += 1;
            if c != '\\' {
                self.text.push(c);
                continue;
            }
            let Some(c) = self.peek() else {
                return Err(self.wrong("bad escape (end of pattern)", 1));
            };
            self.at += 1;
            match c {
                'g' => self.named()?,
                '0'..='9' => self.number(c)?,
                'a' => self.text.push('\x07'),
                'b' => self.text.push('\x08'),
                'f' => self.text.push('\x0c'),
                'n' => self.text.push('\n'),
                'r' => self.text.push('\r'),
                't' => self.text.push('\t'),
                'v' => self.text.push('\x0b'),
                '\\' => self.text.push('\\'),
                c if c.is_ascii_alphabetic() => return Err(self.wrong(format!("bad escape \\{c}"), 2)),
                c => self.text.extend(['\\', c]),
            }
        }
        Ok(())
    }

    /// `\1`, or an octal number.
    fn number(&mut self, first: char) -> Result<(), Wrong> {
        let is_octal = |c: char| ('0'..='7').contains(&c);
        let mut digits = first.to_string();
        if first == '0' {
            while digits.len() < 3
                && let Some(c) = self.accept(is_octal)
            {
                digits.push(c);
            }
            let code = u32::from_str_radix(&digits, 8).unwrap_or(0) & 0xff;
            self.text.extend(char::from_u32(code));
            return Ok(());
        }
        if let Some(second) = self.accept(|c| c.is_ascii_digit()) {
            digits.push(second);
            if is_octal(first)
                && is_octal(second)
                && let Some(third) = self.accept(is_octal)
            {
                digits.push(third);
                let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
                if code > 0o377 {
                    let message = format!("octal escape value \\{digits} outside of range 0-0o377");
                    return Err(self.wrong(message, digits.len() + 1));
                }
                self.text.extend(char::from_u32(code));
                return Ok(());
            }
        }
        self.group(digits.parse().unwrap_or(usize::MAX), digits.len())
    }

    /// `\g<name>` or `\g<1>`
    fn named(&mut self) -> Result<(), Wrong> {
        if self.accept(|c| c == '<').is_none() {
            return Err(self.wrong("missing <", 0));
        }
        let start = self.at;
        let mut name = String::new();
        loop {
            match self.peek() {
                None if name.is_empty() => return Err(self.wrong("missing group name", 0)),
                None => return Err(self.wrong("missing >, unterminated name", self.at - start)),
                Some('>') => break,
                Some(c) => name.push(c),
            }
            self.at += 1;
        }
        self.at += 1;
        if name.is_empty() {
            return Err(self.wrong("missing group name", 1));
        }
        let back = self.at - start;
        if name.bytes().all(|b| b.is_ascii_digit()) {
            return self.group(name.parse().unwrap_or(usize::MAX), back);
        }
        if !string::is_identifier(&name) {
            return Err(self.wrong(
                format!("bad character in group name {}", string::repr(&name)),
                back,
            ));
        }
        let found = self
            .pattern
            .groups
            .iter()
            .position(|group| group.name.as_deref() == Some(name.as_str()));
        match found {
            Some(i) => self.group(i + 1, back),
            None => Err(Wrong::Name(format!("unknown group name {}", string::repr(&name)))),
        }
    }
}
