//! What `strftime` makes of a time: the directives of the C library, with its flags and widths.

use super::{DAYS, Fields, MONTHS};

/// One directive: `%`, flags, a width, a modifier and a letter.
struct Directive<'a> {
    /// All of it, as it is written.
    whole: &'a str,
    flags: &'a str,
    width: usize,
    modifier: &'a str,
    letter: char,
}

/// No text is filled up further than this.
const WIDEST: usize = 1 << 16;

impl<'a> Directive<'a> {
    /// The directive that a text begins with, if it does.
    fn read(text: &'a str) -> Option<Directive<'a>> {
        let after = text.strip_prefix('%')?;
        let rest = after.trim_start_matches(['-', '_', '0', '^', '#']);
        let flags = &after[..after.len() - rest.len()];
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let width = rest[..rest.len() - after.len()].parse().unwrap_or(0);
        // `%E` and `%O` alone are letters.
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '%';
        let modified = after
            .strip_prefix(['E', 'O'])
            .filter(|rest| rest.starts_with(is_letter));
        let rest = modified.unwrap_or(after);
        let letter = rest.chars().next().filter(|c| is_letter(*c))?;
        Some(Directive {
            whole: &text[..text.len() - rest.len() + 1],
            flags,
            width: WIDEST.min(width),
            modifier: &after[..after.len() - rest.len()],
            letter,
        })
    }

    fn number(&self, number: i64, least: usize, fill: char) -> String {
        let mut fill = Some(fill);
        for flag in self.flags.chars() {
            match flag {
                '-' => fill = None,
                '_' => fill = Some(' '),
                '0' => fill = Some('0'),
                _ => {}
            }
        }
        let least = if fill.is_some() { least } else { 0 };
        right(&number.to_string(), self.width.max(least), fill.unwrap_or(' '))
    }

    fn text(&self, text: &str) -> String {
        let has = |flag: char| self.flags.contains(flag);
        let text = match self.letter {
            'p' if has('#') => text.to_lowercase(),
            'a' | 'A' | 'b' | 'B' | 'h' if has('#') => text.to_uppercase(),
            letter if has('^') && letter != 'P' => text.to_uppercase(),
            _ => text.to_string(),
        };
        right(&text, self.width, if has('0') { '0' } else { ' ' })
    }

    /// One that takes neither flags nor anything else.
    fn bare(&self, text: &str) -> String {
        let is_bare = self.whole.len() == 2;
        (if is_bare { text } else { self.whole }).to_string()
    }
}

fn right(text: &str, width: usize, fill: char) -> String {
    let missing = width.saturating_sub(text.len());
    let mut whole: String = std::iter::repeat_n(fill, missing).collect();
    whole.push_str(text);
    whole
}

impl Fields {
    /// The time in a format; unknown directives stay as they are.
    pub fn format(&self, format: &str) -> String {
        let mut out = String::with_capacity(format.len() * 2);
        let mut rest = format;
        while let Some(place) = rest.find('%') {
            out.push_str(&rest[..place]);
            rest = &rest[place..];
            match Directive::read(rest) {
                Some(directive) => {
                    out.push_str(&self.directive(&directive));
                    rest = &rest[directive.whole.len()..];
                }
                None => {
                    out.push('%');
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(rest);
        out
    }

    fn directive(&self, of: &Directive) -> String {
        if of.modifier == "E" && !"cCxXyY".contains(of.letter) {
            return of.whole.to_string();
        }
        let name = |names: &[&'static str], i: i64| *names.get(i as usize).unwrap_or(&"?");
        let (day, month) = (name(&DAYS, self.weekday), name(&MONTHS, self.month - 1));
        let is_morning = self.hour < 12;
        let hour12 = (self.hour + 11) % 12 + 1;
        let week = |first_weekday: i64| (self.yearday + 6 - (self.weekday - first_weekday).rem_euclid(7)) / 7;
        match of.letter {
            'a' => of.text(&day[..day.len().min(3)]),
            'A' => of.text(day),
            'b' | 'h' => of.text(&month[..month.len().min(3)]),
            'B' => of.text(month),
            'c' => of.text(&self.format("%a %b %e %H:%M:%S %Y")),
            'C' => of.number(self.year.div_euclid(100), 1, '0'),
            'd' => of.number(self.day, 2, '0'),
            'D' | 'x' => of.text(&self.format("%m/%d/%y")),
            'e' => of.number(self.day, 2, ' '),
            'F' => of.text(&self.format("%Y-%m-%d")),
            'g' => of.number(self.iso_week().0.rem_euclid(100), 2, '0'),
            'G' => of.number(self.iso_week().0, 1, '0'),
            'H' => of.number(self.hour, 2, '0'),
            'I' => of.number(hour12, 2, '0'),
            'j' => of.number(self.yearday, 3, '0'),
            'k' => of.number(self.hour, 2, ' '),
            'l' => of.number(hour12, 2, ' '),
            'm' => of.number(self.month, 2, '0'),
            'M' => of.number(self.minute, 2, '0'),
            'n' => of.text("\n"),
            'p' => of.text(if is_morning { "AM" } else { "PM" }),
            'P' => of.text(if is_morning { "am" } else { "pm" }),
            'r' => of.text(&self.format("%I:%M:%S %p")),
            'R' => of.text(&self.format("%H:%M")),
            's' => of.number(self.timestamp(), 1, '0'),
            'S' => of.number(self.second, 2, '0'),
            't' => of.text("\t"),
            'T' | 'X' => of.text(&self.format("%H:%M:%S")),
            'u' => of.number(self.weekday + 1, 1, '0'),
            'U' => of.number(week(6), 2, '0'),
            'V' => of.number(self.iso_week().1, 2, '0'),
            'w' => of.number((self.weekday + 1) % 7, 1, '0'),
            'W' => of.number(week(0), 2, '0'),
            'y' => of.number(self.year.rem_euclid(100), 2, '0'),
            'Y' => of.number(self.year, 1, '0'),
            'z' => of.bare("+0000"),
            'Z' => of.bare(&self.zone),
            '%' => of.text("%"),
            _ => of.whole.to_string(),
        }
    }
}
