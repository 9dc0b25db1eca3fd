//! Format specs: `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`.
//!
//! The rules are those of the Python docs, "Format Specification Mini-Language".

use super::FormatError;
use crate::text::unicode;

/// Where the padding goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// `<`
    Left,
    /// `>`
    Right,
    /// `^`
    Center,
    /// `=`: between the sign or prefix and the digits.
    Inside,
}

/// What stands before a number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `-`: nothing.
    Minus,
    /// `+`
    Plus,
    /// A space.
    Space,
}

/// The separator between groups of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// `,`
    Comma,
    /// `_`: every three digits, every four in bases 2, 8 and 16.
    Underscore,
}

impl Grouping {
    pub(super) fn symbol(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Underscore => '_',
        }
    }
}

/// Which defaults a spec takes from the class it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Int,
    Float,
    Str,
}

/// A format spec taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatSpec {
    /// What padding is made of.
    pub fill: char,
    /// `None` is the default of the class: left for text, right for numbers.
    pub align: Option<Align>,
    pub sign: Option<Sign>,
    /// `z`: a zero that is negative after rounding loses its sign.
    pub z: bool,
    /// `#`
    pub alternate: bool,
    /// The width was written with a leading `0`.
    pub zero: bool,
    pub width: usize,
    pub grouping: Option<Grouping>,
    pub precision: Option<usize>,
    /// The type letter, if there is one.
    pub kind: Option<char>,
}

impl Default for FormatSpec {
    fn default() -> Self {
        Self {
            fill: ' ',
            align: None,
            sign: None,
            z: false,
            alternate: false,
            zero: false,
            width: 0,
            grouping: None,
            precision: None,
            kind: None,
        }
    }
}

impl FormatSpec {
    /// Reads a spec for an object of `class`; the error is a ValueError's message.
    pub fn parse(text: &str, family: Family, class: &str) -> Result<Self, String> {
        let mut spec = Self::default();
        let mut rest = text;
        let mut fill_given = false;
        let mut chars = text.chars();
        let (first, second) = (chars.next(), chars.next());
        if let (Some(fill), Some(align)) = (first, second.and_then(align)) {
            (spec.fill, spec.align, fill_given) = (fill, Some(align), true);
            rest = &rest[fill.len_utf8() + 1..];
        } else if let Some(align) = first.and_then(align) {
            spec.align = Some(align);
            rest = &rest[1..];
        }
        spec.sign = match rest.as_bytes().first() {
            Some(b'+') => Some(Sign::Plus),
            Some(b'-') => Some(Sign::Minus),
            Some(b' ') => Some(Sign::Space),
            _ => None,
        };
        rest = &rest[usize::from(spec.sign.is_some())..];
        spec.z = take(&mut rest, 'z');
        spec.alternate = take(&mut rest, '#');
        if !fill_given && take(&mut rest, '0') {
            (spec.fill, spec.zero) = ('0', true);
            if spec.align.is_none() && family != Family::Str {
                spec.align = Some(Align::Inside);
            }
        }
        spec.width = take_number(&mut rest)?.unwrap_or(0);
        if take(&mut rest, ',') {
            spec.grouping = Some(Grouping::Comma);
        }
        if take(&mut rest, '_') {
            if spec.grouping.is_some() {
                return Err(both_groupings());
            }
            spec.grouping = Some(Grouping::Underscore);
        }
        if rest.starts_with(',') && spec.grouping == Some(Grouping::Underscore) {
            return Err(both_groupings());
        }
        if take(&mut rest, '.') {
            spec.precision = take_number(&mut rest)?;
            if spec.precision.is_none() {
                return Err("Format specifier missing precision".to_string());
            }
        }
        let mut kinds = rest.chars();
        spec.kind = kinds.next();
        if kinds.next().is_some() {
            return Err(format!(
                "Invalid format specifier '{text}' for object of type '{class}'"
            ));
        }
        spec.check_grouping(family)?;
        Ok(spec)
    }

    /// Grouping is for numbers in positional notation.
    fn check_grouping(&self, family: Family) -> Result<(), String> {
        let Some(grouping) = self.grouping else {
            return Ok(());
        };
        let kind = self.kind.unwrap_or(if family == Family::Str { 's' } else { 'd' });
        match kind {
            'd' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' => Ok(()),
            'b' | 'o' | 'x' | 'X' if grouping == Grouping::Underscore => Ok(()),
            other => Err(format!(
                "Cannot specify '{}' with '{}'.",
                grouping.symbol(),
                shown(other)
            )),
        }
    }

    /// Whether it asks for nothing: the text is that of `str()`.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The error for a type letter the class does not know.
    pub(super) fn unknown_kind(kind: char, class: &str) -> FormatError {
        FormatError::Value(format!(
            "Unknown format code '{}' for object of type '{class}'",
            shown(kind)
        ))
    }
}

fn both_groupings() -> String {
    "Cannot specify both ',' and '_'.".to_string()
}

/// A character as CPython quotes it in these messages.
pub(super) fn shown(c: char) -> String {
    if matches!(c, '!'..='\x7f') {
        c.to_string()
    } else {
        format!("\\x{:x}", c as u32)
    }
}

fn align(c: char) -> Option<Align> {
    match c {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Center),
        '=' => Some(Align::Inside),
        _ => None,
    }
}

fn take(rest: &mut &str, c: char) -> bool {
    let after = rest.strip_prefix(c);
    *rest = after.unwrap_or(rest);
    after.is_some()
}

/// A number in digits of any script, if one stands here.
fn take_number(rest: &mut &str) -> Result<Option<usize>, String> {
    let mut number: Option<usize> = None;
    while let Some(c) = rest.chars().next()
        && let Some(digit) = unicode::decimal(c)
    {
        number = Some(append_digit(number.unwrap_or(0), digit)?);
        *rest = &rest[c.len_utf8()..];
    }
    Ok(number)
}

/// `number * 10 + digit` within a signed 64-bit int.
pub(super) fn append_digit(number: usize, digit: u8) -> Result<usize, String> {
    let longer = number
        .checked_mul(10)
        .and_then(|tens| tens.checked_add(usize::from(digit)));
    longer
        .filter(|number| i64::try_from(*number).is_ok())
        .ok_or_else(|| "Too many decimal digits in format string".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read() {
        let spec = FormatSpec::parse("*^+z#012_.3f", Family::Float, "float").unwrap();
        assert_eq!(
            (spec.fill, spec.align, spec.sign),
            ('*', Some(Align::Center), Some(Sign::Plus))
        );
        assert_eq!((spec.z, spec.alternate, spec.width), (true, true, 12));
        assert_eq!(
            (spec.grouping, spec.precision),
            (Some(Grouping::Underscore), Some(3))
        );
        assert_eq!(spec.kind, Some('f'));
    }

    #[test]
    fn slips_are_told_in_cpythons_words() {
        let told = |text| FormatSpec::parse(text, Family::Int, "int").unwrap_err();
        assert_eq!(
            told("yy"),
            "Invalid format specifier 'yy' for object of type 'int'"
        );
        assert_eq!(told(",_"), "Cannot specify both ',' and '_'.");
        assert_eq!(told(",x"), "Cannot specify ',' with 'x'.");
        assert_eq!(told("."), "Format specifier missing precision");
    }
}
