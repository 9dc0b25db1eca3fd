//! Ints, floats and text written by a format spec.

use super::spec::{Align, FormatSpec, Grouping, Sign};
use super::{FormatError, WIDEST};
use crate::text::float::{self, Layout, Style};
use crate::text::int::{self, Int};

/// `format(value, spec)` for an int or bool (Python docs, integer presentation types); `class` names the
/// object's class in messages.
pub fn format_int(value: &Int, spec: &FormatSpec, class: &str) -> Result<String, FormatError> {
    let kind = spec.kind.unwrap_or('d');
    if matches!(kind, 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') {
        let value = value
            .to_f64()
            .ok_or(FormatError::Overflow("int too large to convert to float"))?;
        return format_float(value, spec, class);
    }
    let base = match kind {
        'd' | 'n' | 'c' => 10,
        'b' => 2,
        'o' => 8,
        'x' | 'X' => 16,
        other => return Err(FormatSpec::unknown_kind(other, class)),
    };
    if spec.precision.is_some() {
        return refuse("Precision not allowed in integer format specifier");
    }
    if spec.z {
        return refuse("Negative zero coercion (z) not allowed in integer format specifier");
    }
    if kind == 'c' {
        return format_code_point(value, spec);
    }
    let text = if base == 10 {
        int::to_decimal(value).ok_or_else(|| FormatError::Value(int::too_long_to_write()))?
    } else {
        int::to_base(value, base, "")
    };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let upper;
    let (digits, prefix) = match (kind, spec.alternate) {
        ('X', alternate) => {
            upper = digits.to_ascii_uppercase();
            (&*upper, if alternate { "0X" } else { "" })
        }
        ('b', true) => (digits, "0b"),
        ('o', true) => (digits, "0o"),
        ('x', true) => (digits, "0x"),
        _ => (digits, ""),
    };
    let every = if base == 10 { 3 } else { 4 };
    assemble(
        spec,
        Parts {
            negative: value.is_negative(),
            prefix,
            digits,
            rest: "",
            every,
        },
    )
}

fn refuse(message: &str) -> Result<String, FormatError> {
    Err(FormatError::Value(message.to_string()))
}

/// Type `c`: the character of that code point.
fn format_code_point(value: &Int, spec: &FormatSpec) -> Result<String, FormatError> {
    if spec.sign.is_some() {
        return refuse("Sign not allowed with integer format specifier 'c'");
    }
    if spec.alternate {
        return refuse("Alternate form (#) not allowed with integer format specifier 'c'");
    }
    if matches!(value, Int::Big(_)) {
        return Err(FormatError::Overflow("Python int too large to convert to C long"));
    }
    let c = code_point(value).ok_or(FormatError::Overflow("%c arg not in range(0x110000)"))?;
    pad(c.encode_utf8(&mut [0; 4]), spec, Align::Right)
}

/// The character of a code point; a lone surrogate, which our text cannot hold, becomes U+FFFD.
pub(super) fn code_point(value: &Int) -> Option<char> {
    match value {
        Int::Small(value @ 0..=0x10_FFFF) => {
            Some(char::from_u32(*value as u32).unwrap_or(char::REPLACEMENT_CHARACTER))
        }
        _ => None,
    }
}

/// `format(value, spec)` for a float (Python docs, float presentation types).
pub fn format_float(value: f64, spec: &FormatSpec, class: &str) -> Result<String, FormatError> {
    let mut style = Style {
        alternate: spec.alternate,
        ..Style::default()
    };
    let mut precision = spec.precision.unwrap_or(6);
    let mut shown = value;
    // CPython takes a character 0 for none.
    let kind = spec.kind.filter(|&kind| kind != '\0');
    let layout = match kind {
        None if spec.precision.is_none() => {
            style.point_zero = true;
            Layout::Shortest
        }
        None => {
            style.point_zero = true;
            Layout::General
        }
        Some('e' | 'E') => Layout::Exponent,
        Some('f' | 'F') => Layout::Fixed,
        Some('g' | 'G' | 'n') => Layout::General,
        Some('%') => {
            shown *= 100.0;
            Layout::Fixed
        }
        Some(other) => return Err(FormatSpec::unknown_kind(other, class)),
    };
    if precision > i32::MAX as usize {
        return refuse("precision too big");
    }
    if layout == Layout::General {
        precision = precision.max(1);
    }
    style.upper = matches!(spec.kind, Some('E' | 'F' | 'G'));
    let text = float::digits(shown, layout, precision, style);
    let negative = shown.is_sign_negative() && !shown.is_nan();
    let is_zero = || {
        let mantissa = text.split(['e', 'E']).next().unwrap_or("");
        shown.is_finite() && mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.'))
    };
    let negative = negative && !(spec.z && is_zero());
    let whole = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(whole);
    if spec.kind == Some('%') {
        let rest = format!("{rest}%");
        return assemble(
            spec,
            Parts {
                negative,
                prefix: "",
                digits,
                rest: &rest,
                every: 3,
            },
        );
    }
    assemble(
        spec,
        Parts {
            negative,
            prefix: "",
            digits,
            rest,
            every: 3,
        },
    )
}

/// A number ready to be laid out: `-0x` `12` `.5e+3`.
struct Parts<'a> {
    negative: bool,
    prefix: &'a str,
    /// The digits before the point, which may be grouped; none for `inf` and `nan`.
    digits: &'a str,
    rest: &'a str,
    /// How many digits make a group.
    every: usize,
}

fn assemble(spec: &FormatSpec, parts: Parts) -> Result<String, FormatError> {
    if spec.width > WIDEST {
        return Err(FormatError::Memory);
    }
    let sign = match (parts.negative, spec.sign) {
        (true, _) => "-",
        (false, Some(Sign::Plus)) => "+",
        (false, Some(Sign::Space)) => " ",
        (false, _) => "",
    };
    let align = spec.align.unwrap_or(Align::Right);
    let around = sign.len() + parts.prefix.len() + parts.rest.len();
    let grouped;
    let digits = match spec.grouping {
        Some(grouping) if !parts.digits.is_empty() => {
            // Zeros that fill up to the width are grouped like digits.
            let zeros = spec.fill == '0' && align == Align::Inside;
            let least = if zeros {
                spec.width.saturating_sub(around)
            } else {
                0
            };
            grouped = group(parts.digits, grouping, parts.every, least);
            &*grouped
        }
        _ => parts.digits,
    };
    let missing = spec.width.saturating_sub(around + digits.len());
    let (left, inside, right) = match align {
        Align::Left => (0, 0, missing),
        Align::Right => (missing, 0, 0),
        Align::Center => (missing / 2, 0, missing - missing / 2),
        Align::Inside => (0, missing, 0),
    };
    let mut text = String::with_capacity(around + digits.len() + missing * spec.fill.len_utf8());
    push_fill(&mut text, spec.fill, left);
    text.push_str(sign);
    text.push_str(parts.prefix);
    push_fill(&mut text, spec.fill, inside);
    text.push_str(digits);
    text.push_str(parts.rest);
    push_fill(&mut text, spec.fill, right);
    Ok(text)
}

fn push_fill(text: &mut String, fill: char, count: usize) {
    text.extend(std::iter::repeat_n(fill, count));
}

/// Separates the digits into groups, with leading zeros until it is `least` wide. A separator never
/// leads, so the result may be one wider.
fn group(digits: &str, grouping: Grouping, every: usize, least: usize) -> String {
    let width = |count: usize| count + (count - 1) / every;
    let mut count = digits.len().max(least / (every + 1) * every);
    while width(count) < least {
        count += 1;
    }
    let zeros = std::iter::repeat_n('0', count - digits.len());
    let mut text = String::with_capacity(width(count));
    for (place, digit) in zeros.chain(digits.chars()).enumerate() {
        if place > 0 && (count - place).is_multiple_of(every) {
            text.push(grouping.symbol());
        }
        text.push(digit);
    }
    text
}

/// `format(text, spec)` for a str; `class` names the object's class in messages.
pub fn format_str(text: &str, spec: &FormatSpec, class: &str) -> Result<String, FormatError> {
    if let Some(other) = spec.kind.filter(|kind| *kind != 's') {
        return Err(FormatSpec::unknown_kind(other, class));
    }
    match spec.sign {
        Some(Sign::Space) => return refuse("Space not allowed in string format specifier"),
        Some(_) => return refuse("Sign not allowed in string format specifier"),
        None => {}
    }
    if spec.z {
        return refuse("Negative zero coercion (z) not allowed in string format specifier");
    }
    if spec.alternate {
        return refuse("Alternate form (#) not allowed in string format specifier");
    }
    if spec.align == Some(Align::Inside) {
        return refuse("'=' alignment not allowed in string format specifier");
    }
    let text = spec.precision.map_or(text, |precision| truncate(text, precision));
    pad(text, spec, Align::Left)
}

/// The first `count` characters.
pub(super) fn truncate(text: &str, count: usize) -> &str {
    if text.len() <= count {
        return text;
    }
    text.char_indices()
        .nth(count)
        .map_or(text, |(end, _)| &text[..end])
}

/// Fills up to the width; `Inside` pads a text on its left.
fn pad(text: &str, spec: &FormatSpec, default: Align) -> Result<String, FormatError> {
    if spec.width > WIDEST {
        return Err(FormatError::Memory);
    }
    if spec.width == 0 {
        return Ok(text.to_string());
    }
    let length = if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    };
    let missing = spec.width.saturating_sub(length);
    let left = match spec.align.unwrap_or(default) {
        Align::Left => 0,
        Align::Right | Align::Inside => missing,
        Align::Center => missing / 2,
    };
    let mut padded = String::with_capacity(text.len() + missing * spec.fill.len_utf8());
    push_fill(&mut padded, spec.fill, left);
    padded.push_str(text);
    push_fill(&mut padded, spec.fill, missing - left);
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::super::spec::Family;
    use super::*;

    fn int(value: i64, spec: &str) -> String {
        format_int(
            &Int::Small(value),
            &FormatSpec::parse(spec, Family::Int, "int").unwrap(),
            "int",
        )
        .unwrap()
    }

    fn float(value: f64, spec: &str) -> String {
        format_float(
            value,
            &FormatSpec::parse(spec, Family::Float, "float").unwrap(),
            "float",
        )
        .unwrap()
    }

    #[test]
    fn ints_are_written_in_every_base() {
        assert_eq!(int(-42, "06d"), "-00042");
        assert_eq!(int(255, "#_x"), "0xff");
        assert_eq!(int(1_234_567, "_b"), "1_0010_1101_0110_1000_0111");
        assert_eq!(int(1234, "06,"), "01,234");
        assert_eq!(int(123, "04,"), "0,123");
        assert_eq!(int(97, "05c"), "0000a");
    }

    #[test]
    fn floats_are_written_in_every_layout() {
        assert_eq!(float(3.15159, ".2f"), "3.15");
        assert_eq!(float(1234.5, "020,.2f"), "0,000,000,001,234.50");
        assert_eq!(float(-0.001, "z.1f"), "0.0");
        assert_eq!(float(1e16, ""), "1e+16");
        assert_eq!(float(f64::INFINITY, "010,"), "0000000inf");
        assert_eq!(float(0.25, ".1%"), "25.0%");
    }

    #[test]
    fn texts_are_cut_and_filled() {
        let spec = FormatSpec::parse("*^7.3", Family::Str, "str").unwrap();
        assert_eq!(format_str("äöüß", &spec, "str"), Ok("**äöü**".to_string()));
    }
}
