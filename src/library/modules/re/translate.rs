//! Python's pattern syntax, parsed and written again in the syntax of `fancy_regex`.
//!
//! Always true: what is written depends on no flag but `(?i)`; groups stand in the order of their
//! numbers and are written without their names.

mod group;

use super::character::{Member, category, literal, push_member, push_range, simple_escape};
use crate::text::string;

pub const IGNORECASE: u32 = 2;
pub const LOCALE: u32 = 4;
pub const MULTILINE: u32 = 8;
pub const DOTALL: u32 = 16;
pub const UNICODE: u32 = 32;
pub const VERBOSE: u32 = 64;
pub const ASCII: u32 = 256;
const GLOBAL: u32 = 128;
const KINDS: u32 = ASCII | LOCALE | UNICODE;

/// What is wrong with a repetition that cannot be counted: no error of patterns, but an OverflowError.
pub const TOO_LARGE: &str = "the repetition number is too large";

/// What is wrong with a pattern (or a template), and at which character.
pub struct Mistake {
    pub message: String,
    pub place: usize,
}

/// A pattern in the engine's syntax.
pub struct Translation {
    pub text: String,
    pub flags: u32,
    pub groups: Vec<Group>,
    /// What may be meant otherwise in a later Python.
    pub doubts: Vec<String>,
}

pub struct Group {
    pub name: Option<String>,
    /// When it is closed, among all groups: what `lastindex` goes by.
    pub closing: usize,
}

/// The fewest and the most characters that something matches.
type Width = (u64, u64);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// `^`, `\b`: cannot be repeated.
    Place,
    Repeated,
}

struct Item {
    text: String,
    kind: Kind,
    width: Width,
}

/// Flags that a group turns on and off for what is in it.
#[derive(Clone, Copy, Default)]
struct Scope {
    on: u32,
    off: u32,
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    is_text: bool,
    flags: u32,
    groups: Vec<Group>,
    widths: Vec<Option<Width>>,
    closed: usize,
    /// How many groups there were where the outermost lookbehind began.
    lookbehind: Option<usize>,
    /// Groups that conditions name before they are there, with the place.
    ahead: Vec<(usize, usize)>,
    depth: usize,
    doubts: Vec<String>,
}

type Parsed<T> = Result<T, Mistake>;

/// Translates a pattern (of bytes: each a character).
pub fn translate(pattern: &[char], flags: u32, is_text: bool) -> Parsed<Translation> {
    let mut parser = Parser {
        chars: pattern,
        at: 0,
        is_text,
        flags,
        groups: Vec::new(),
        widths: Vec::new(),
        closed: 0,
        lookbehind: None,
        ahead: Vec::new(),
        depth: 0,
        doubts: Vec::new(),
    };
    let (text, _) = parser.alternatives(Scope::default())?;
    if parser.peek().is_some() {
        return Err(parser.mistake("unbalanced parenthesis", 0));
    }
    if let Some(&(group, place)) = parser.ahead.iter().find(|(g, _)| *g > parser.groups.len()) {
        return Err(Mistake {
            message: format!("invalid group reference {group}"),
            place,
        });
    }
    let text = if parser.is_ignoring(Scope::default()) {
        format!("(?i:{text})")
    } else {
        text
    };
    Ok(Translation {
        text,
        flags: parser.flags,
        groups: parser.groups,
        doubts: parser.doubts,
    })
}

/// The name of a flag's letter.
fn flag(letter: char) -> Option<u32> {
    Some(match letter {
        'i' => IGNORECASE,
        'L' => LOCALE,
        'm' => MULTILINE,
        's' => DOTALL,
        'x' => VERBOSE,
        'a' => ASCII,
        'u' => UNICODE,
        _ => return None,
    })
}

impl Parser<'_> {
    fn mistake(&self, message: impl Into<String>, back: usize) -> Mistake {
        Mistake {
            message: message.into(),
            place: self.at.saturating_sub(back),
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn take_while(&mut self, most: usize, test: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.at - start < most && self.peek().is_some_and(&test) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    /// The character after a backslash.
    fn escaped(&mut self) -> Parsed<char> {
        self.take().ok_or_else(|| Mistake {
            message: "bad escape (end of pattern)".to_string(),
            place: self.chars.len() - 1,
        })
    }

    fn effective(&self, scope: Scope) -> u32 {
        (self.flags | scope.on) & !scope.off
    }

    fn is_ascii(&self, scope: Scope) -> bool {
        !self.is_text || self.effective(scope) & ASCII != 0
    }

    /// Whether the engine ignores case: by the rules of Unicode, so not where only ASCII has cases.
    fn is_ignoring(&self, scope: Scope) -> bool {
        self.effective(scope) & IGNORECASE != 0 && !self.is_ascii(scope)
    }

    /// Whether letters of ASCII, and they alone, are written in both their cases.
    fn is_folding(&self, scope: Scope) -> bool {
        self.effective(scope) & IGNORECASE != 0 && self.is_ascii(scope)
    }

    fn literal(&self, code: u32, scope: Scope) -> Item {
        let mut text = String::new();
        match char::from_u32(code) {
            Some(c) if c.is_ascii_alphabetic() && self.is_folding(scope) => {
                text = format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase());
            }
            _ => literal(code, &mut text),
        }
        plain(text, 1)
    }

    /// `branch|branch|…`
    fn alternatives(&mut self, scope: Scope) -> Parsed<(String, Width)> {
        self.depth += 1;
        if self.depth > 200 {
            return Err(self.mistake("pattern is nested too deeply", 0));
        }
        let is_first = self.at == 0;
        let (mut text, mut width) = self.sequence(scope, is_first)?;
        while self.accept('|') {
            let (branch, other) = self.sequence(scope, false)?;
            text.push('|');
            text.push_str(&branch);
            width = (width.0.min(other.0), width.1.max(other.1));
        }
        self.depth -= 1;
        Ok((text, width))
    }

    /// Items up to `|`, `)` or the end.
    fn sequence(&mut self, scope: Scope, is_first: bool) -> Parsed<(String, Width)> {
        let mut items: Vec<Item> = Vec::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '|' | ')')) {
            self.at += 1;
            if self.effective(scope) & VERBOSE != 0 {
                if c.is_ascii_whitespace() || c == '\x0b' {
                    continue;
                }
                if c == '#' {
                    while self.take().is_some_and(|c| c != '\n') {}
                    continue;
                }
            }
            match c {
                '\\' => {
                    let item = self.escape(scope)?;
                    items.push(item);
                }
                '[' => {
                    let item = self.class(scope)?;
                    items.push(item);
                }
                '?' | '*' | '+' | '{' => self.repeat(c, &mut items)?,
                '.' => {
                    let text = if self.effective(scope) & DOTALL != 0 {
                        "(?s:.)"
                    } else {
                        r"[^\n]"
                    };
                    items.push(plain(text.to_string(), 1));
                }
                '^' => {
                    let text = if self.effective(scope) & MULTILINE != 0 {
                        "(?m:^)"
                    } else {
                        r"\A"
                    };
                    items.push(place(text));
                }
                '$' => {
                    let text = if self.effective(scope) & MULTILINE != 0 {
                        "(?m:$)"
                    } else {
                        r"(?=\n?\z)"
                    };
                    items.push(place(text));
                }
                '(' => {
                    if let Some(item) = self.group(scope, is_first && items.is_empty())? {
                        items.push(item);
                    }
                }
                c => items.push(self.literal(c as u32, scope)),
            }
        }
        let width = items.iter().fold((0u64, 0u64), |w, item| {
            (w.0.saturating_add(item.width.0), w.1.saturating_add(item.width.1))
        });
        Ok((items.iter().map(|item| item.text.as_str()).collect(), width))
    }

    /// `*`, `+`, `?`, `{m,n}` after an item.
    fn repeat(&mut self, c: char, items: &mut Vec<Item>) -> Parsed<()> {
        let here = self.at;
        let (min, max) = match c {
            '?' => (0, Some(1)),
            '*' => (0, None),
            '+' => (1, None),
            _ => {
                let digits = |p: &mut Self| p.take_while(usize::MAX, |c| c.is_ascii_digit());
                let low = digits(self);
                let high = if self.accept(',') {
                    digits(self)
                } else {
                    low.clone()
                };
                let is_empty = self.at == here;
                if is_empty || !self.accept('}') {
                    self.at = here;
                    items.push(plain("\\x{7B}".to_string(), 1));
                    return Ok(());
                }
                let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n < u32::MAX);
                let too_large = || self.mistake(TOO_LARGE, self.at - here);
                let min = if low.is_empty() {
                    0
                } else {
                    number(&low).ok_or_else(too_large)?
                };
                let max = if high.is_empty() {
                    None
                } else {
                    Some(number(&high).ok_or_else(too_large)?)
                };
                if max.is_some_and(|max| max < min) {
                    return Err(self.mistake("min repeat greater than max repeat", self.at - here));
                }
                (min, max)
            }
        };
        let back = self.at - here + 1;
        let Some(item) = items.last_mut().filter(|item| item.kind != Kind::Place) else {
            return Err(self.mistake("nothing to repeat", back));
        };
        if item.kind == Kind::Repeated {
            return Err(self.mistake("multiple repeat", back));
        }
        let count = match (min, max) {
            (0, None) => "*".to_string(),
            (1, None) => "+".to_string(),
            (0, Some(1)) => "?".to_string(),
            (min, None) => format!("{{{min},}}"),
            (min, Some(max)) if min == max => format!("{{{min}}}"),
            (min, Some(max)) => format!("{{{min},{max}}}"),
        };
        let width = (
            item.width.0.saturating_mul(u64::from(min)),
            max.map_or(if item.width.1 == 0 { 0 } else { u64::MAX }, |max| {
                item.width.1.saturating_mul(u64::from(max))
            }),
        );
        let text = std::mem::take(&mut item.text);
        let is_lone_group = text.starts_with('(') && !text.starts_with("(?") && !text[1..].contains('(');
        let ends_empty = is_lone_group && item.width.0 == 0;
        let manner = self.peek().filter(|c| matches!(c, '?' | '+'));
        self.at += usize::from(manner.is_some());
        item.text = match manner {
            // The engine repeats nothing that has no width: once is as good as often.
            _ if item.width.1 == 0 => match (min, manner) {
                _ if max == Some(0) => format!("(?:(?!){text}|)"),
                (0, Some('?')) => format!("(?:|{text})"),
                (0, _) => format!("(?:{text}|)"),
                _ => text,
            },
            Some('?') => format!("{text}{count}?"),
            Some(_) => format!("(?>{text}{count})"),
            // A group that may match nothing does so last, and holds that then.
            None if max.is_none() && min < 2 && ends_empty => format!("(?:{}*{text}", &text[1..]),
            None => format!("{text}{count}"),
        };
        if let Some(item) = items.last_mut() {
            item.kind = Kind::Repeated;
            item.width = width;
        }
        Ok(())
    }

    /// The number of an escape with so many hexadecimal digits.
    fn hexadecimal(&mut self, letter: char, digits: usize) -> Parsed<u32> {
        let text = self.take_while(digits, |c| c.is_ascii_hexdigit());
        if text.len() != digits {
            let back = text.len() + 2;
            return Err(self.mistake(format!("incomplete escape \\{letter}{text}"), back));
        }
        u32::from_str_radix(&text, 16)
            .ok()
            .filter(|&code| code < 0x11_0000)
            .ok_or_else(|| self.mistake(format!("bad escape \\{letter}{text}"), text.len() + 2))
    }

    /// `\N{NAME}`
    fn named_character(&mut self) -> Parsed<u32> {
        if !self.accept('{') {
            return Err(self.mistake("missing {", 0));
        }
        let name = self.until('}', "character name")?;
        unicode_names2::character(&name).map(|c| c as u32).ok_or_else(|| {
            let back = name.chars().count() + 4;
            self.mistake(format!("undefined character name {}", string::repr(&name)), back)
        })
    }

    /// An escape that means one character, inside a class or outside.
    fn character_escape(&mut self, c: char) -> Parsed<u32> {
        match c {
            'x' => self.hexadecimal('x', 2),
            'u' if self.is_text => self.hexadecimal('u', 4),
            'U' if self.is_text => self.hexadecimal('U', 8),
            'N' if self.is_text => self.named_character(),
            c if c.is_ascii_alphabetic() => Err(self.mistake(format!("bad escape \\{c}"), 2)),
            c => Ok(c as u32),
        }
    }

    fn octal(&self, digits: &str) -> Parsed<u32> {
        let code = u32::from_str_radix(digits, 8).unwrap_or(u32::MAX);
        if code > 0o377 {
            let message = format!("octal escape value \\{digits} outside of range 0-0o377");
            return Err(self.mistake(message, digits.len() + 1));
        }
        Ok(code)
    }

    /// What a backslash begins outside a class.
    fn escape(&mut self, scope: Scope) -> Parsed<Item> {
        let c = self.escaped()?;
        let ascii = self.is_ascii(scope);
        if let Some(members) = category(c, ascii) {
            let text = if members.starts_with('[') {
                members.to_string()
            } else {
                format!("[{members}]")
            };
            return Ok(plain(text, 1));
        }
        const BOUNDARY: &str = r"(?:(?<=[a-zA-Z0-9_])(?![a-zA-Z0-9_])|(?<![a-zA-Z0-9_])(?=[a-zA-Z0-9_]))";
        // An empty text has no place that is not a boundary.
        const NO_BOUNDARY: &str =
            r"(?:(?!\A\z)(?:(?<=[a-zA-Z0-9_])(?=[a-zA-Z0-9_])|(?<![a-zA-Z0-9_])(?![a-zA-Z0-9_])))";
        let code = match c {
            'A' => return Ok(place(r"\A")),
            'Z' => return Ok(place(r"\z")),
            'b' => return Ok(place(if ascii { BOUNDARY } else { r"\b" })),
            'B' => return Ok(place(if ascii { NO_BOUNDARY } else { r"(?:(?!\A\z)\B)" })),
            '0' => {
                let more = self.take_while(2, |c| ('0'..='7').contains(&c));
                self.octal(&format!("0{more}"))?
            }
            '1'..='9' => {
                let mut digits = c.to_string();
                if let Some(next) = self.peek().filter(char::is_ascii_digit) {
                    self.at += 1;
                    digits.push(next);
                    let is_octal = |c: char| ('0'..='7').contains(&c);
                    if is_octal(c)
                        && is_octal(next)
                        && let Some(third) = self.peek().filter(|&c| is_octal(c))
                    {
                        self.at += 1;
                        digits.push(third);
                        return Ok(self.literal(self.octal(&digits)?, scope));
                    }
                }
                let group: usize = digits.parse().unwrap_or(usize::MAX);
                if group > self.groups.len() {
                    return Err(self.mistake(format!("invalid group reference {group}"), digits.len()));
                }
                return self.reference(group, digits.len() + 1);
            }
            c => match simple_escape(c) {
                Some(code) => code,
                None => self.character_escape(c)?,
            },
        };
        Ok(self.literal(code, scope))
    }

    /// `\1`, `(?P=name)`
    fn reference(&self, group: usize, back: usize) -> Parsed<Item> {
        let Some(width) = self.widths[group - 1] else {
            return Err(self.mistake("cannot refer to an open group", back));
        };
        self.check_lookbehind(group)?;
        Ok(Item {
            text: format!("(?:\\{group})"),
            kind: Kind::Plain,
            width,
        })
    }

    fn check_lookbehind(&self, group: usize) -> Parsed<()> {
        match self.lookbehind {
            Some(before) if group > before => Err(self.mistake(
                "cannot refer to group defined in the same lookbehind subpattern",
                0,
            )),
            _ => Ok(()),
        }
    }

    fn member_escape(&mut self, scope: Scope) -> Parsed<Member> {
        let c = self.escaped()?;
        if let Some(code) = simple_escape(c) {
            return Ok(Member::Code(code));
        }
        if let Some(members) = category(c, self.is_ascii(scope)) {
            return Ok(Member::Category(members));
        }
        if ('0'..='7').contains(&c) {
            let more = self.take_while(2, |c| ('0'..='7').contains(&c));
            return self.octal(&format!("{c}{more}")).map(Member::Code);
        }
        if c.is_ascii_digit() {
            return Err(self.mistake(format!("bad escape \\{c}"), 2));
        }
        self.character_escape(c).map(Member::Code)
    }

    /// `[…]`
    fn class(&mut self, scope: Scope) -> Parsed<Item> {
        let here = self.at - 1;
        if self.peek() == Some('[') {
            self.doubts
                .push(format!("Possible nested set at position {}", self.at));
        }
        let mut text = String::from(if self.accept('^') { "[^" } else { "[" });
        let folds = self.is_folding(scope);
        let mut is_first = true;
        let unterminated = |p: &Self| p.mistake("unterminated character set", p.at - here);
        loop {
            let start = self.at;
            let member = match self.take() {
                None => return Err(unterminated(self)),
                Some(']') if !is_first => break,
                Some('\\') => self.member_escape(scope)?,
                Some(c) => {
                    if !is_first && self.peek() == Some(c) {
                        self.doubt_operator(c, start);
                    }
                    Member::Code(c as u32)
                }
            };
            is_first = false;
            if self.peek() != Some('-') {
                push_member(member, folds, &mut text);
                continue;
            }
            let dash = self.at;
            self.at += 1;
            let end = match self.take() {
                None => return Err(unterminated(self)),
                Some(']') => {
                    push_member(member, folds, &mut text);
                    push_member(Member::Code('-' as u32), folds, &mut text);
                    break;
                }
                Some('\\') => self.member_escape(scope)?,
                Some(c) => {
                    if c == '-' {
                        self.doubt_operator(c, dash);
                    }
                    Member::Code(c as u32)
                }
            };
            match (member, end) {
                (Member::Code(low), Member::Code(high)) if low <= high => {
                    push_range(low, high, folds, &mut text);
                }
                _ => {
                    let shown = |range: std::ops::Range<usize>| self.chars[range].iter().collect::<String>();
                    let message = format!(
                        "bad character range {}-{}",
                        shown(start..dash),
                        shown(dash + 1..self.at)
                    );
                    return Err(self.mistake(message, self.at - start));
                }
            }
        }
        text.push(']');
        Ok(plain(text, 1))
    }

    /// A doubled sign in a class may become an operator on sets.
    fn doubt_operator(&mut self, sign: char, place: usize) {
        let operation = match sign {
            '-' => "difference",
            '&' => "intersection",
            '~' => "symmetric difference",
            '|' => "union",
            _ => return,
        };
        self.doubts
            .push(format!("Possible set {operation} at position {place}"));
    }

    fn until(&mut self, end: char, what: &str) -> Parsed<String> {
        let start = self.at;
        while let Some(c) = self.take() {
            if c == end {
                let name: String = self.chars[start..self.at - 1].iter().collect();
                if name.is_empty() {
                    return Err(self.mistake(format!("missing {what}"), 1));
                }
                return Ok(name);
            }
        }
        if start == self.at {
            return Err(self.mistake(format!("missing {what}"), 0));
        }
        Err(self.mistake(format!("missing {end}, unterminated name"), self.at - start))
    }
}

fn plain(text: String, width: u64) -> Item {
    Item {
        text,
        kind: Kind::Plain,
        width: (width, width),
    }
}

fn place(text: &str) -> Item {
    Item {
        text: text.to_string(),
        kind: Kind::Place,
        width: (0, 0),
    }
}
