//! What stands between parentheses: groups, assertions, conditions, flags.

use super::{GLOBAL, Group, Item, KINDS, Kind, Mistake, Parsed, Parser, Scope, flag};
use crate::text::string;

impl Parser<'_> {
    fn check_name(&self, name: &str, back: usize) -> Parsed<()> {
        if string::is_identifier(name) && (self.is_text || name.is_ascii()) {
            return Ok(());
        }
        let shown = if self.is_text {
            string::repr(name)
        } else {
            string::ascii(name)
        };
        let message = format!("bad character in group name {shown}");
        Err(self.mistake(message, name.chars().count() + back))
    }

    fn group_named(&self, name: &str) -> Parsed<usize> {
        let found = self
            .groups
            .iter()
            .position(|group| group.name.as_deref() == Some(name));
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
    pub(super) fn group(&mut self, scope: Scope, can_set_flags: bool) -> Parsed<Option<Item>> {
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
                    if let Some(old) = self
                        .groups
                        .iter()
                        .position(|g| g.name.as_deref() == Some(name.as_str()))
                    {
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
                Ok(Some(Item {
                    width: (0, 0),
                    ..item
                }))
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
                Ok(Some(Item {
                    width: (0, 0),
                    ..item
                }))
            }
            '(' => self.condition(scope, start).map(Some),
            c if c == '-' || flag(c).is_some() => {
                let Some(inner) = self.flags(c, scope)? else {
                    if !can_set_flags {
                        return Err(
                            self.mistake("global flags not at the start of the expression", self.at - start)
                        );
                    }
                    return Ok(None);
                };
                let opening = match (self.is_ignoring(scope), self.is_ignoring(inner)) {
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
        Ok(Item {
            text: format!("{opening}{inner})"),
            kind: Kind::Plain,
            width,
        })
    }

    fn capture(&mut self, scope: Scope, start: usize, name: Option<String>) -> Parsed<Item> {
        let index = self.groups.len();
        self.groups.push(Group {
            name,
            closing: usize::MAX,
        });
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
        Ok(Item {
            text: format!("(?({group}){yes}|{no})"),
            kind: Kind::Plain,
            width,
        })
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
        Ok(Some(Scope {
            on: (scope.on & !off & !replaced) | on,
            off: (scope.off & !on) | off | replaced,
        }))
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
