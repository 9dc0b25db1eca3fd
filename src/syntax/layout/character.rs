//! Characters that are refused: whether they show, and what was probably meant.

/// Python's `str.isprintable`, near enough for an error message.
pub(super) fn is_printable(c: char) -> bool {
    let invisible = matches!(c as u32,
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e
        | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xe0000..=0x10ffff);
    !invisible && !c.is_control() && !c.is_whitespace()
}

/// What a typographic character was probably meant to be.
pub(super) fn lookalike(c: char) -> Option<&'static str> {
    Some(match c {
        '“' | '”' | '„' | '«' | '»' => "quote '\"'",
        '‘' | '’' | '‚' => "quote \"'\"",
        '–' | '—' | '−' => "minus '-'",
        '×' | '·' => "times sign '*'",
        '÷' => "slash '/'",
        '≤' => "operator '<='",
        '≥' => "operator '>='",
        '≠' => "operator '!='",
        '，' => "comma ','",
        '：' => "colon ':'",
        '（' | '）' => "bracket",
        '\u{a0}' | '\u{2009}' | '\u{3000}' | '\u{200b}' | '\u{feff}' => "space",
        _ => return None,
    })
}
