//! What Python knows of a code point: its classes and its cases beyond those of Rust's std.
//!
//! Always true: classes are those of Unicode 15.1, as in CPython 3.13. Case mapping is std's, which may
//! know a few letters more.

use super::unicode_tables::{FOLD, RUNS, TITLE};

const ALPHA: u8 = 1;
const DECIMAL: u8 = 1 << 1;
const DIGIT: u8 = 1 << 2;
const NUMERIC: u8 = 1 << 3;
const SPACE: u8 = 1 << 4;
const PRINTABLE: u8 = 1 << 5;
const IDENTIFIER_START: u8 = 1 << 6;
const IDENTIFIER: u8 = 1 << 7;

/// The place in `RUNS` of the run that holds a code point.
fn run(c: char) -> usize {
    RUNS.partition_point(|entry| entry >> 8 <= c as u32) - 1
}

/// The flags of a code point.
#[inline]
fn flags(c: char) -> u8 {
    RUNS[run(c)] as u8
}

/// `str.isalpha` of one code point: any letter.
#[inline]
pub fn is_alpha(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphabetic()
    } else {
        flags(c) & ALPHA != 0
    }
}

/// `str.isdecimal` of one code point.
pub fn is_decimal(c: char) -> bool {
    flags(c) & DECIMAL != 0
}

/// `str.isdigit` of one code point.
pub fn is_digit(c: char) -> bool {
    flags(c) & DIGIT != 0
}

/// `str.isnumeric` of one code point.
pub fn is_numeric(c: char) -> bool {
    flags(c) & NUMERIC != 0
}

/// `str.isalnum` of one code point.
pub fn is_alnum(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric()
    } else {
        flags(c) & (ALPHA | DECIMAL | DIGIT | NUMERIC) != 0
    }
}

/// `str.isspace` of one code point: also the four separators of ASCII, unlike Rust's white space.
#[inline]
pub fn is_space(c: char) -> bool {
    if c.is_ascii() {
        matches!(c, ' ' | '\t'..='\r' | '\x1c'..='\x1f')
    } else {
        flags(c) & SPACE != 0
    }
}

/// White space that `int()` and `float()` pass over: not the separators of ASCII.
pub fn is_number_space(c: char) -> bool {
    if c.is_ascii() {
        matches!(c, ' ' | '\t'..='\r')
    } else {
        is_space(c)
    }
}

/// Upper case; letters newer than Unicode 15.1 are none.
#[inline]
pub fn is_upper(c: char) -> bool {
    c.is_uppercase() && is_printable(c)
}

/// Lower case; letters newer than Unicode 15.1 are none.
#[inline]
pub fn is_lower(c: char) -> bool {
    (c.is_lowercase() && is_printable(c)) || c == 'ʕ' // a letter without case since Unicode 16
}

/// `str.isprintable` of one code point: `repr` leaves it as it is.
#[inline]
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        matches!(c, ' '..='~')
    } else {
        flags(c) & PRINTABLE != 0
    }
}

/// Whether a name may begin with it.
pub fn is_identifier_start(c: char) -> bool {
    flags(c) & IDENTIFIER_START != 0
}

/// Whether a name may go on with it.
pub fn is_identifier(c: char) -> bool {
    flags(c) & IDENTIFIER != 0
}

/// The value of a decimal digit of any script.
#[inline]
pub fn decimal(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let found = RUNS[run(c)];
    if found as u8 & DECIMAL == 0 {
        return None;
    }
    // Decimals come in tens from zero to nine.
    Some(((c as u32 - (found >> 8)) % 10) as u8)
}

fn exception(table: &'static [(u32, &'static str)], c: char) -> Option<&'static str> {
    let place = table.binary_search_by_key(&(c as u32), |entry| entry.0).ok()?;
    Some(table[place].1)
}

/// Whether it is in title case: neither upper nor lower, such as `ǅ`.
pub fn is_title(c: char) -> bool {
    // Those letters are their own title case, but have a lower case.
    !c.is_ascii()
        && exception(&TITLE, c).is_some_and(|own| own.chars().eq([c]))
        && !c.is_uppercase()
        && !c.is_lowercase()
}

/// Appends the title case: upper case but for ligatures and digraphs.
pub fn push_title(text: &mut String, c: char) {
    match exception(&TITLE, c) {
        Some(title) if !c.is_ascii() => text.push_str(title),
        _ => text.extend(c.to_uppercase()),
    }
}

/// Appends the form in which caseless matching compares.
pub fn push_fold(text: &mut String, c: char) {
    match exception(&FOLD, c) {
        Some(folded) if !c.is_ascii() => text.push_str(folded),
        _ => text.extend(c.to_lowercase()),
    }
}
