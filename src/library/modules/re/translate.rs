//! Python's pattern syntax, parsed and written again in the syntax of `fancy_regex`.
//!
//! Always true: what is written depends on no flag but `(?i)`; groups stand in the order of their
//! numbers and are written without their names.

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
    };
    let (text, _) = parser.alternatives(Scope::default())?;
    if parser.peek().is_some() {
        return Err(parser.mistake("unbalanced parenthesis", 0));
    }
    if let Some(&(group, place)) = parser.ahead.iter().find(|(g, _)| *g > parser.groups.len()) {
        return Err(Mistake { message: format!("invalid group reference {group}"), place });
    }
    let text = if parser.flags & IGNORECASE != 0 { format!("(?i:{text})") } else { text };
    Ok(Translation { text, flags: parser.flags, groups: parser.groups })
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

/// A character that stands for itself.
fn literal(code: u32, out: &mut String) {
    match char::from_u32(code) {
        Some(c) if c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() => out.push(c),
        Some(_) => out.push_str(&format!("\\x{{{code:X}}}")),
        // A lone surrogate: no text holds it.
        None => out.push_str("[^\\s\\S]"),
    }
}

/// The escapes that stand for one character.
fn simple_escape(letter: char) -> Option<u32> {
    Some(match letter {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        '\\' => 92,
        _ => return None,
    })
}

/// `\d` and the like inside a class; the class is nested where it is a negation.
fn category(letter: char, ascii: bool) -> Option<&'static str> {
    Some(match (letter, ascii) {
        ('d', false) => r"\p{Nd}",
        ('d', true) => "0-9",
        ('D', false) => r"\P{Nd}",
        ('D', true) => "[^0-9]",
        ('s', false) => r"\s\x{1C}-\x{1F}",
        ('s', true) => r"\x{9}-\x{D}\x{20}",
        ('S', false) => r"[^\s\x{1C}-\x{1F}]",
        ('S', true) => r"[^\x{9}-\x{D}\x{20}]",
        ('w', false) => r"\p{L}\p{N}_",
        ('w', true) => "a-zA-Z0-9_",
        ('W', false) => r"[^\p{L}\p{N}_]",
        ('W', true) => "[^a-zA-Z0-9_]",
        _ => return None,
    })
}

/// One member of a class in brackets.
enum Member {
    Code(u32),
    Category(&'static str),
}

impl Parser<'_> {
    fn mistake(&self, message: impl Into<String>, back: usize) -> Mistake {
        Mistake { message: message.into(), place: self.at.saturating_sub(back) }
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
                    let text = if self.effective(scope) & DOTALL != 0 { "(?s:.)" } else { r"[^\n]" };
                    items.push(plain(text.to_string(), 1));
                }
                '^' => {
                    let text = if self.effective(scope) & MULTILINE != 0 { "(?m:^)" } else { r"\A" };
                    items.push(place(text));
                }
                '$' => {
                    let text = if self.effective(scope) & MULTILINE != 0 { "(?m:$)" } else { r"(?=\n?\z)" };
                    items.push(place(text));
                }
                '(' => {
                    if let Some(item) = self.group(scope, is_first && items.is_empty())? {
                        items.push(item);
                    }
                }
                c => {
                    let mut text = String::new();
                    literal(c as u32, &mut text);
                    items.push(plain(text, 1));
                }
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
                let high = if self.accept(',') { digits(self) } else { low.clone() };
                let is_empty = self.at == here;
                if is_empty || !self.accept('}') {
                    self.at = here;
                    items.push(plain("\\x{7B}".to_string(), 1));
                    return Ok(());
                }
                let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n < u32::MAX);
                let too_large = || self.mistake("the repetition number is too large", self.at - here);
                let min = if low.is_empty() { 0 } else { number(&low).ok_or_else(too_large)? };
                let max = if high.is_empty() { None } else { Some(number(&high).ok_or_else(too_large)?) };
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
            max.map_or(if item.width.1 == 0 { 0 } else { u64::MAX }, |max| item.width.1.saturating_mul(u64::from(max))),
        );
        let text = std::mem::take(&mut item.text);
        item.text = if self.accept('?') {
            format!("{text}{count}?")
        } else if self.accept('+') {
            format!("(?>{text}{count})")
        } else {
            format!("{text}{count}")
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
            let text = if members.starts_with('[') { members.to_string() } else { format!("[{members}]") };
            return Ok(plain(text, 1));
        }
        const BOUNDARY: &str = r"(?:(?<=[a-zA-Z0-9_])(?![a-zA-Z0-9_])|(?<![a-zA-Z0-9_])(?=[a-zA-Z0-9_]))";
        const NO_BOUNDARY: &str = r"(?:(?<=[a-zA-Z0-9_])(?=[a-zA-Z0-9_])|(?<![a-zA-Z0-9_])(?![a-zA-Z0-9_]))";
        let code = match c {
            'A' => return Ok(place(r"\A")),
            'Z' => return Ok(place(r"\z")),
            'b' => return Ok(place(if ascii { BOUNDARY } else { r"\b" })),
            'B' => return Ok(place(if ascii { NO_BOUNDARY } else { r"\B" })),
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
                        let mut text = String::new();
                        literal(self.octal(&digits)?, &mut text);
                        return Ok(plain(text, 1));
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
        let mut text = String::new();
        literal(code, &mut text);
        Ok(plain(text, 1))
    }

    /// `\1`, `(?P=name)`
    fn reference(&self, group: usize, back: usize) -> Parsed<Item> {
        let Some(width) = self.widths[group - 1] else {
            return Err(self.mistake("cannot refer to an open group", back));
        };
        self.check_lookbehind(group)?;
        Ok(Item { text: format!("(?:\\{group})"), kind: Kind::Plain, width })
    }

    fn check_lookbehind(&self, group: usize) -> Parsed<()> {
        match self.lookbehind {
            Some(before) if group > before => {
                Err(self.mistake("cannot refer to group defined in the same lookbehind subpattern", 0))
            }
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
        let mut text = String::from(if self.accept('^') { "[^" } else { "[" });
        let mut is_first = true;
        let unterminated = |p: &Self| p.mistake("unterminated character set", p.at - here);
        loop {
            let start = self.at;
            let member = match self.take() {
                None => return Err(unterminated(self)),
                Some(']') if !is_first => break,
                Some('\\') => self.member_escape(scope)?,
                Some(c) => Member::Code(c as u32),
            };
            is_first = false;
            if self.peek() != Some('-') {
                push_member(member, &mut text);
                continue;
            }
            let dash = self.at;
            self.at += 1;
            let end = match self.take() {
                None => return Err(unterminated(self)),
                Some(']') => {
                    push_member(member, &mut text);
                    push_member(Member::Code('-' as u32), &mut text);
                    break;
                }
                Some('\\') => self.member_escape(scope)?,
                Some(c) => Member::Code(c as u32),
            };
            match (member, end) {
                (Member::Code(low), Member::Code(high)) if low <= high => {
                    push_range(low, high, &mut text);
                }
                _ => {
                    let shown = |range: std::ops::Range<usize>| self.chars[range].iter().collect::<String>();
                    let message = format!("bad character range {}-{}", shown(start..dash), shown(dash + 1..self.at));
                    return Err(self.mistake(message, self.at - start));
                }
            }
        }
        text.push(']');
        Ok(plain(text, 1))
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

    fn check_name(&self, name: &str, back: usize) -> Parsed<()> {
        if string::is_identifier(name) && (self.is_text || name.is_ascii()) {
            return Ok(());
        }
        let message = format!("bad character in group name {}", string::repr(name));
        Err(self.mistake(message, name.chars().count() + back))
    }

    fn group_named(&self, name: &str) -> Parsed<usize> {
        let found = self.groups.iter().position(|group| group.name.as_deref() == Some(name));
        found.map(|i| i + 1).ok_or_else(|| {
            let back = name.chars().count() + 1;
            self.mistake(format!("unknown group name {}", string::repr(name)), back)
        })
    }

    fn end_group(&mut self, start: usize) -> Parsed<()> {
        if self.accept(')') {
            return Ok(());
        }
        Err(self.mistake("missing ), unterminated subpattern", self.at - start))
    }

    /// What `(` begins; none for comments and flags.
    fn group(&mut self, scope: Scope, can_set_flags: bool) -> Parsed<Option<Item>> {
        let start = self.at - 1;
        let end = |p: &Self| p.mistake("unexpected end of pattern", 0);
        if !self.accept('?') {
            return self.capture(scope, start, None).map(Some);
        }
        let c = self.take().ok_or_else(|| end(self))?;
        match c {
            'P' => match self.take().ok_or_else(|| end(self))? {
                '<' => {
                    let name = self.until('>', "group name")?;
                    self.check_name(&name, 1)?;
                    if let Some(old) = self.groups.iter().position(|g| g.name.as_deref() == Some(name.as_str())) {
                        let message = format!(
                            "redefinition of group name {} as group {}; was group {}",
                            string::repr(&name),
                            self.groups.len() + 1,
                            old + 1
                        );
                        return Err(self.mistake(message, name.chars().count() + 1));
                    }
                    self.capture(scope, start, Some(name)).map(Some)
                }
                '=' => {
                    let name = self.until(')', "group name")?;
                    self.check_name(&name, 1)?;
                    let group = self.group_named(&name)?;
                    self.reference(group, name.chars().count() + 1).map(Some)
                }
                c => Err(self.mistake(format!("unknown extension ?P{c}"), 3)),
            },
            ':' => self.wrapped("(?:", scope, start).map(Some),
            '>' => self.wrapped("(?>", scope, start).map(Some),
            '#' => loop {
                match self.take() {
                    None => return Err(self.mistake("missing ), unterminated comment", self.at - start)),
                    Some(')') => return Ok(None),
                    Some(_) => {}
                }
            },
            '=' | '!' => {
                let opening = if c == '=' { "(?=" } else { "(?!" };
                let item = self.wrapped(opening, scope, start)?;
                Ok(Some(Item { width: (0, 0), ..item }))
            }
            '<' => {
                let c = self.take().ok_or_else(|| end(self))?;
                let opening = match c {
                    '=' => "(?<=",
                    '!' => "(?<!",
                    c => return Err(self.mistake(format!("unknown extension ?<{c}"), 3)),
                };
                let outer = self.lookbehind;
                self.lookbehind = outer.or(Some(self.groups.len()));
                let item = self.wrapped(opening, scope, start)?;
                self.lookbehind = outer;
                if item.width.0 != item.width.1 {
                    return Err(Mistake {
                        message: "look-behind requires fixed-width pattern".to_string(),
                        place: usize::MAX,
                    });
                }
                Ok(Some(Item { width: (0, 0), ..item }))
            }
            '(' => self.condition(scope, start).map(Some),
            c if c == '-' || flag(c).is_some() => {
                let Some(inner) = self.flags(c, scope)? else {
                    if !can_set_flags {
                        return Err(self.mistake(
                            "global flags not at the start of the expression",
                            self.at - start,
                        ));
                    }
                    return Ok(None);
                };
                let is_ignoring = |scope: Scope| self.effective(scope) & IGNORECASE != 0;
                let opening = match (is_ignoring(scope), is_ignoring(inner)) {
                    (false, true) => "(?i:",
                    (true, false) => "(?-i:",
                    _ => "(?:",
                };
                self.wrapped(opening, inner, start).map(Some)
            }
            c => Err(self.mistake(format!("unknown extension ?{c}"), 2)),
        }
    }

    fn wrapped(&mut self, opening: &str, scope: Scope, start: usize) -> Parsed<Item> {
        let (inner, width) = self.alternatives(scope)?;
        self.end_group(start)?;
        Ok(Item { text: format!("{opening}{inner})"), kind: Kind::Plain, width })
    }

    fn capture(&mut self, scope: Scope, start: usize, name: Option<String>) -> Parsed<Item> {
        let index = self.groups.len();
        self.groups.push(Group { name, closing: usize::MAX });
        self.widths.push(None);
        let item = self.wrapped("(", scope, start)?;
        self.widths[index] = Some(item.width);
        self.groups[index].closing = self.closed;
        self.closed += 1;
        Ok(item)
    }

    /// `(?(group)yes|no)`
    fn condition(&mut self, scope: Scope, start: usize) -> Parsed<Item> {
        let name = self.until(')', "group name")?;
        let back = name.chars().count() + 1;
        let group = if name.bytes().all(|b| b.is_ascii_digit()) {
            let group: usize = name.parse().unwrap_or(usize::MAX);
            if group == 0 {
                return Err(self.mistake("bad group number", back));
            }
            if group > 1 << 30 {
                return Err(self.mistake(format!("invalid group reference {name}"), back));
            }
            self.ahead.push((group, self.at - back));
            group
        } else {
            self.check_name(&name, 1)?;
            self.group_named(&name)?
        };
        self.check_lookbehind(group)?;
        let (yes, width) = self.sequence(scope, false)?;
        let (mut no, mut other) = (String::new(), (0, 0));
        if self.accept('|') {
            (no, other) = self.sequence(scope, false)?;
            if self.peek() == Some('|') {
                return Err(self.mistake("conditional backref with more than two branches", 0));
            }
        }
        self.end_group(start)?;
        let width = (width.0.min(other.0), width.1.max(other.1));
        Ok(Item { text: format!("(?({group}){yes}|{no})"), kind: Kind::Plain, width })
    }

    /// Flags after `(?`: of a group (`i-s:`), or of the whole pattern (`i)`), which gives none.
    fn flags(&mut self, first: char, scope: Scope) -> Parsed<Option<Scope>> {
        let (mut on, mut off) = (0, 0);
        let mut c = first;
        if c != '-' {
            loop {
                let one = flag(c).unwrap_or(0);
                if self.is_text && c == 'L' {
                    return Err(self.mistake("bad inline flags: cannot use 'L' flag with a str pattern", 0));
                }
                if !self.is_text && c == 'u' {
                    return Err(self.mistake("bad inline flags: cannot use 'u' flag with a bytes pattern", 0));
                }
                on |= one;
                if one & KINDS != 0 && on & KINDS != one {
                    return Err(self.mistake("bad inline flags: flags 'a', 'u' and 'L' are incompatible", 0));
                }
                c = self.next_flag("missing -, : or )")?;
                if matches!(c, ')' | '-' | ':') {
                    break;
                }
                self.check_flag(c, "missing -, : or )")?;
            }
        }
        if c == ')' {
            self.flags |= on;
            return Ok(None);
        }
        if on & GLOBAL != 0 {
            return Err(self.mistake("bad inline flags: cannot turn on global flag", 1));
        }
        if c == '-' {
            c = self.next_flag("missing flag")?;
            self.check_flag(c, "missing flag")?;
            loop {
                let one = flag(c).unwrap_or(0);
                if one & KINDS != 0 {
                    return Err(self.mistake("bad inline flags: cannot turn off flags 'a', 'u' and 'L'", 0));
                }
                off |= one;
                c = self.next_flag("missing :")?;
                if c == ':' {
                    break;
                }
                self.check_flag(c, "missing :")?;
            }
        }
        if on & off != 0 {
            return Err(self.mistake("bad inline flags: flag turned on and off", 1));
        }
        // Of the kinds of text, one takes the place of another.
        let replaced = if on & KINDS != 0 { KINDS & !on } else { 0 };
        Ok(Some(Scope { on: (scope.on & !off & !replaced) | on, off: (scope.off & !on) | off | replaced }))
    }

    fn next_flag(&mut self, missing: &str) -> Parsed<char> {
        self.take().ok_or_else(|| self.mistake(missing, 0))
    }

    fn check_flag(&self, c: char, missing: &str) -> Parsed<()> {
        match flag(c) {
            Some(_) => Ok(()),
            None if c.is_alphabetic() => Err(self.mistake("unknown flag", 1)),
            None => Err(self.mistake(missing, 1)),
        }
    }
}

fn plain(text: String, width: u64) -> Item {
    Item { text, kind: Kind::Plain, width: (width, width) }
}

fn place(text: &str) -> Item {
    Item { text: text.to_string(), kind: Kind::Place, width: (0, 0) }
}

fn push_member(member: Member, out: &mut String) {
    match member {
        Member::Code(code) => push_range(code, code, out),
        Member::Category(members) => out.push_str(members),
    }
}

/// A range of a class, without the surrogates that no text holds.
fn push_range(low: u32, high: u32, out: &mut String) {
    let mut push = |low: u32, high: u32| {
        if low == high {
            out.push_str(&format!("\\x{{{low:X}}}"));
        } else if low < high {
            out.push_str(&format!("\\x{{{low:X}}}-\\x{{{high:X}}}"));
        }
    };
    if high < 0xd800 || low > 0xdfff {
        return push(low, high);
    }
    if low < 0xd800 {
        push(low, 0xd7ff);
    }
    if high > 0xdfff {
        push(0xe000, high);
    }
}
