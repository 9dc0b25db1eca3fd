//! Characters and classes of characters in the engine's syntax.

/// A character that stands for itself.
pub fn literal(code: u32, out: &mut String) {
    match char::from_u32(code) {
        Some(c) if c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() => out.push(c),
        Some(_) => out.push_str(&format!("\\x{{{code:X}}}")),
        // A lone surrogate: no text holds it.
        None => out.push_str("[^\\s\\S]"),
    }
}

/// The escapes that stand for one character.
pub fn simple_escape(letter: char) -> Option<u32> {
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
pub fn category(letter: char, ascii: bool) -> Option<&'static str> {
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
pub enum Member {
    Code(u32),
    Category(&'static str),
}

pub fn push_member(member: Member, folds: bool, out: &mut String) {
    match member {
        Member::Code(code) => push_range(code, code, folds, out),
        Member::Category(members) => out.push_str(members),
    }
}

/// A range of a class, without the surrogates that no text holds; `folds` adds the other case of
/// the letters of ASCII in it.
pub fn push_range(low: u32, high: u32, folds: bool, out: &mut String) {
    let mut push = |low: u32, high: u32| {
        if low == high {
            out.push_str(&format!("\\x{{{low:X}}}"));
        } else if low < high {
            out.push_str(&format!("\\x{{{low:X}}}-\\x{{{high:X}}}"));
        }
    };
    if folds {
        push(low.max('A' as u32) + 32, high.min('Z' as u32) + 32);
        push(low.max('a' as u32) - 32, high.min('z' as u32) - 32);
    }
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
