//! The tokens of a laid-out text, for messages only: `hint` reads them around a failure.

use super::parse::is_keyword;
use crate::source::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Name,
    Keyword,
    Number,
    /// A plain string, or an f-string as a whole when looked at from outside.
    String,
    /// Everything else that is one: operators, brackets, stray characters.
    Operator,
    Newline,
}

#[derive(Debug, Clone, Copy)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// The tokens of the logical line around an offset, without what stands inside f-strings that end
/// before it or begin after it.
pub struct Line<'t> {
    text: &'t str,
    pub tokens: Vec<Token>,
    /// Index of the token at the offset; its last one is always the newline.
    pub at: usize,
    /// The brackets open there, outermost first: indices of their tokens.
    pub open: Vec<usize>,
    /// If the offset stands in an f-string's replacement field, that field's `{`.
    pub field: Option<usize>,
    /// The innermost such `{` around it, however many brackets stand between.
    pub outer_field: Option<usize>,
}

const OPERATORS: [&str; 25] = [
    "...", "**=", "//=", ">>=", "<<=", "->", ":=", "==", "!=", "<=", ">=", "**", "//", "<<", ">>", "+=",
    "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "<>",
];

impl<'t> Line<'t> {
    /// Read the line that holds `offset`.
    pub fn around(text: &'t str, offset: usize) -> Line<'t> {
        let mut lexer = Lexer {
            text,
            pos: 0,
            tokens: Vec::new(),
        };
        let mut fields = Vec::new();
        let offset = offset.min(text.len());
        while lexer.pos < text.len() {
            let newline = lexer.next(offset, &mut fields);
            if !newline {
                continue;
            }
            if lexer.pos > offset {
                break;
            }
            lexer.tokens.clear();
            fields.clear();
        }
        let mut tokens = lexer.tokens;
        let end = Span::new(text.len(), text.len());
        if tokens.last().is_none_or(|token| token.kind != TokenKind::Newline) {
            tokens.push(Token {
                kind: TokenKind::Newline,
                span: end,
            });
        }
        let at = tokens
            .iter()
            .position(|token| token.span.end as usize > offset)
            .unwrap_or(tokens.len() - 1);
        let mut line = Line {
            text,
            tokens,
            at,
            open: Vec::new(),
            field: None,
            outer_field: None,
        };
        for i in 0..at {
            match line.word(i) {
                "(" | "[" | "{" => line.open.push(i),
                ")" | "]" | "}" => {
                    line.open.pop();
                }
                _ => {}
            }
        }
        let is_field = |i: &usize| fields.contains(&line.tokens[*i].span.start);
        line.field = line.open.last().copied().filter(is_field);
        line.outer_field = line.open.iter().copied().rfind(is_field);
        line
    }

    /// The text of a token; empty past the line's ends.
    pub fn word(&self, i: usize) -> &'t str {
        let Some(token) = self.tokens.get(i) else {
            return "";
        };
        if token.kind == TokenKind::Newline {
            return "";
        }
        &self.text[token.span.start as usize..token.span.end as usize]
    }

    pub fn kind(&self, i: usize) -> TokenKind {
        self.tokens.get(i).map_or(TokenKind::Newline, |token| token.kind)
    }

    pub fn span(&self, i: usize) -> Span {
        self.tokens
            .get(i.min(self.tokens.len() - 1))
            .map_or(Span::default(), |token| token.span)
    }

    /// Whether an operand can end with this token.
    pub fn ends_operand(&self, i: usize) -> bool {
        match self.kind(i) {
            TokenKind::Name | TokenKind::Number | TokenKind::String => true,
            _ => matches!(self.word(i), ")" | "]" | "}" | "..."),
        }
    }

    /// Whether an operand can begin with this token.
    pub fn starts_operand(&self, i: usize) -> bool {
        match self.kind(i) {
            TokenKind::Name | TokenKind::Number | TokenKind::String => true,
            TokenKind::Keyword => match self.word(i) {
                "lambda" => self.kind(i + 1) == TokenKind::Name || self.word(i + 1) == ":",
                "not" | "await" => self.starts_operand(i + 1),
                _ => false,
            },
            _ => matches!(self.word(i), "(" | "[" | "{" | "..." | "~"),
        }
    }

    /// The place of a token's last character.
    pub fn last_char(&self, i: usize) -> Span {
        let end = self.span(i).end as usize;
        let last = self.word(i).chars().next_back().map_or(0, char::len_utf8);
        Span::new(end - last, end)
    }

    /// The token where the expression that ends before token `end` begins. `stop` says which
    /// tokens of the same bracket level stand before it.
    pub fn expression_start(&self, end: usize, stop: impl Fn(&str) -> bool) -> usize {
        let mut depth = 0;
        let mut start = end;
        while start > 0 {
            match self.word(start - 1) {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" if depth == 0 => break,
                "(" | "[" | "{" => depth -= 1,
                word if depth == 0 && stop(word) => break,
                _ => {}
            }
            start -= 1;
        }
        start
    }
}

struct Lexer<'t> {
    text: &'t str,
    pos: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token {
            kind,
            span: Span::new(start, self.pos),
        });
    }

    /// Read one token; true if it was the end of a logical line. `fields` collects the opening
    /// braces of replacement fields around `offset`.
    fn next(&mut self, offset: usize, fields: &mut Vec<u32>) -> bool {
        let rest = &self.text[self.pos..];
        let start = self.pos;
        let Some(first) = rest.chars().next() else {
            return true;
        };
        match first {
            ' ' | '\t' | '\u{0c}' => {
                self.pos += 1;
            }
            '\n' => {
                self.pos += 1;
                self.push(TokenKind::Newline, start);
                return true;
            }
            '"' | '\'' => self.string(start, false, offset, fields),
            '0'..='9' => self.number(rest),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(rest),
            c if c.is_alphanumeric() || c == '_' || !c.is_ascii() => {
                let length = rest
                    .bytes()
                    .position(|b| !(b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80));
                let word = &rest[..length.unwrap_or(rest.len())];
                self.pos += word.len();
                let prefix = word.to_ascii_lowercase();
                let quoted = self.text[self.pos..].starts_with(['"', '\'']);
                if quoted && matches!(prefix.as_str(), "r" | "u" | "b" | "br" | "rb" | "f" | "fr" | "rf") {
                    self.string(start, prefix.contains('f'), offset, fields);
                } else {
                    self.push(
                        if is_keyword(word) {
                            TokenKind::Keyword
                        } else {
                            TokenKind::Name
                        },
                        start,
                    );
                }
            }
            _ => {
                let operator = OPERATORS.iter().find(|op| rest.starts_with(**op));
                self.pos += operator.map_or(first.len_utf8(), |op| op.len());
                self.push(TokenKind::Operator, start);
            }
        }
        false
    }

    /// A run of what could belong to a number, malformed or not: up to a second point.
    fn number(&mut self, rest: &str) {
        let bytes = rest.as_bytes();
        let hex = bytes.get(1).is_some_and(|b| matches!(b, b'x' | b'X'));
        let mut n = 0;
        while let Some(&b) = bytes.get(n) {
            let sign = matches!(b, b'+' | b'-')
                && !hex
                && n > 0
                && matches!(bytes[n - 1], b'e' | b'E')
                && bytes.get(n + 1).is_some_and(u8::is_ascii_digit)
                && bytes[..n - 1]
                    .iter()
                    .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'_'));
            let second_point = b == b'.' && bytes[..n].contains(&b'.');
            if !(b.is_ascii_alphanumeric() || b == b'_' || b == b'.' || sign) || second_point {
                break;
            }
            n += 1;
        }
        let start = self.pos;
        self.pos += n;
        self.push(TokenKind::Number, start);
    }

    /// A string. An f-string around `offset` is entered: only what stands in its fields counts.
    fn string(&mut self, start: usize, formatted: bool, offset: usize, fields: &mut Vec<u32>) {
        let outside = self.tokens.len();
        let bytes = self.text.as_bytes();
        let quote = bytes[self.pos];
        let triple = bytes[self.pos..].starts_with(&[quote; 3]);
        let width = if triple { 3 } else { 1 };
        let ends = |at: usize| bytes[at] == quote && (!triple || bytes[at..].starts_with(&[quote; 3]));
        self.pos += width;
        // Whether each open field has reached its spec, innermost last.
        let mut specs: Vec<bool> = Vec::new();
        while self.pos < bytes.len() {
            let in_spec = specs.last() == Some(&true);
            match bytes[self.pos] {
                b'\\' => {
                    self.pos += if formatted && matches!(bytes.get(self.pos + 1), Some(b'{' | b'}')) {
                        1
                    } else {
                        2
                    }
                }
                b'{' if formatted && (in_spec || bytes.get(self.pos + 1) != Some(&b'{')) => {
                    let brace = self.pos;
                    self.pos += 1;
                    self.push(TokenKind::Operator, brace);
                    fields.push(brace as u32);
                    specs.push(false);
                    self.field(offset, fields, &mut specs);
                }
                b'{' if formatted => self.pos += 2,
                b'}' if formatted && in_spec => {
                    let brace = self.pos;
                    self.pos += 1;
                    self.push(TokenKind::Operator, brace);
                    specs.pop();
                }
                _ if ends(self.pos) => {
                    self.pos += width;
                    break;
                }
                _ => self.pos += 1,
            }
        }
        self.pos = self.pos.min(bytes.len());
        while !self.text.is_char_boundary(self.pos) {
            self.pos += 1;
        }
        // Seen from outside, an f-string is one token.
        let inside = start < offset && offset < self.pos && formatted && self.tokens.len() > outside;
        if !inside {
            self.tokens.truncate(outside);
            self.push(TokenKind::String, start);
        }
    }

    /// The code of a replacement field, up to its `}` or its spec.
    fn field(&mut self, offset: usize, fields: &mut Vec<u32>, specs: &mut Vec<bool>) {
        let mut depth = 0;
        while self.pos < self.text.len() {
            if depth == 0 && self.text.as_bytes()[self.pos] == b':' {
                self.pos += 1;
                self.push(TokenKind::Operator, self.pos - 1);
                if let Some(spec) = specs.last_mut() {
                    *spec = true;
                }
                return;
            }
            let before = self.tokens.len();
            self.next(offset, fields);
            if self.tokens.len() == before {
                continue;
            }
            let last = self.tokens[self.tokens.len() - 1].span;
            match &self.text[last.start as usize..last.end as usize] {
                "(" | "[" | "{" => depth += 1,
                "}" if depth == 0 => {
                    specs.pop();
                    return;
                }
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
        }
    }
}
