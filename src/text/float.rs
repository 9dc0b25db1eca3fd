//! Floats as text and back, digit for digit as CPython writes and reads them.
//!
//! Always true: every conversion is correctly rounded, ties to even; nothing here depends on a locale.
//! The exact digits come from the standard library, whose `{:e}` is the shortest text that reads back as
//! the same float and whose `{:.Ne}` rounds the exact value; what is ours is the layout of the digits.

use super::int::Int;
use super::unicode;
use num_bigint::BigInt;
use num_traits::{One, Zero};
use std::cell::Cell;

/// No finite float has more significant digits than this, so more precision only adds zeros.
const EXACT_DIGITS: usize = 767;
/// Nor more digits after the point than this.
const EXACT_PLACES: usize = 1074;

/// How digits are laid out (Python docs, "Format Specification Mini-Language", float types).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `e`: one digit, a point, `precision` digits, an exponent.
    Exponent,
    /// `f`: `precision` digits after the point.
    Fixed,
    /// `g`: `precision` significant digits, as `f` or `e` by size.
    General,
    /// `repr`: the shortest digits that read back as the same float.
    Shortest,
}

/// Details of [`digits`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// `#`: keep the point and, for `g`, trailing zeros.
    pub alternate: bool,
    /// Add `.0` to what would look like an int.
    pub point_zero: bool,
    /// `E` and `INF` for `e` and `inf`.
    pub upper: bool,
}

/// `repr(value)`.
pub fn repr(value: f64) -> String {
    // Most floats that scripts print are whole and small.
    if value.abs() < 1e15 && value.trunc() == value && (value != 0.0 || value.is_sign_positive()) {
        return format!("{}.0", value as i64);
    }
    let text = digits(
        value.abs(),
        Layout::Shortest,
        0,
        Style {
            point_zero: true,
            ..Style::default()
        },
    );
    if value.is_sign_negative() && !value.is_nan() {
        format!("-{text}")
    } else {
        text
    }
}

/// The text of a value without its sign.
pub fn digits(value: f64, layout: Layout, precision: usize, style: Style) -> String {
    let value = value.abs();
    if !value.is_finite() {
        let text = if value.is_nan() { "nan" } else { "inf" };
        return if style.upper {
            text.to_uppercase()
        } else {
            text.to_string()
        };
    }
    let mut text = match layout {
        Layout::Fixed => fixed(value, precision),
        Layout::Exponent => {
            let (digits, exponent) = significant(value, precision.saturating_add(1));
            lay_out(&digits, exponent, true)
        }
        Layout::General => {
            let precision = precision.max(1);
            let (mut digits, exponent) = significant(value, precision);
            if !style.alternate {
                digits.truncate(digits.trim_end_matches('0').len().max(1));
            }
            let limit = precision as i64 - i64::from(style.point_zero);
            lay_out(&digits, exponent, exponent < -4 || i64::from(exponent) >= limit)
        }
        Layout::Shortest => {
            let (digits, exponent) = shortest(value);
            lay_out(&digits, exponent, !(-4..16).contains(&exponent))
        }
    };
    if style.alternate || style.point_zero {
        let has_exponent = text.find('e');
        if !text.contains('.') && (style.alternate || has_exponent.is_none()) {
            let zero = if style.point_zero && has_exponent.is_none() {
                ".0"
            } else {
                "."
            };
            text.insert_str(has_exponent.unwrap_or(text.len()), zero);
        }
    }
    if style.upper {
        text.make_ascii_uppercase();
    }
    text
}

/// `value` with `places` digits after the point; `value` is finite and not negative.
fn fixed(value: f64, places: usize) -> String {
    if let Some(text) = fixed_in_words(value, places) {
        return text;
    }
    let exact = places.min(EXACT_PLACES);
    let mut text = format!("{value:.exact$}");
    text.extend(std::iter::repeat_n('0', places - exact));
    text
}

/// The same if machine words can hold all of it, as they mostly can: std has no quick way for a value whose
/// decimals end early, such as 1.25.
fn fixed_in_words(value: f64, places: usize) -> Option<String> {
    const MOST_PLACES: usize = 19; // 53 bits, times so many tens, are less than 128
    let (mantissa, power) = mantissa_exponent(value);
    if places > MOST_PLACES || !(-126..=0).contains(&power) {
        return None;
    }
    let scaled = u128::from(mantissa) * 10u128.pow(places as u32);
    let shift = power.unsigned_abs();
    let whole = u64::try_from(scaled >> shift).ok()?;
    let twice_rest = (scaled - (u128::from(whole) << shift)) << 1;
    let unit = 1u128 << shift;
    let is_up = twice_rest > unit || twice_rest == unit && whole % 2 == 1;
    let mut text = format!("{:0width$}", whole + u64::from(is_up), width = places + 1);
    if places > 0 {
        text.insert(text.len() - places, '.');
    }
    Some(text)
}

/// `count` significant digits, correctly rounded, and the decimal exponent of the first.
fn significant(value: f64, count: usize) -> (String, i32) {
    let exact = (count - 1).min(EXACT_DIGITS);
    let (mut digits, exponent) = split_exponent(&format!("{value:.exact$e}"));
    digits.extend(std::iter::repeat_n('0', count - 1 - exact));
    (digits, exponent)
}

/// The shortest digits that read back as `value`, and the decimal exponent of the first.
fn shortest(value: f64) -> (String, i32) {
    let (digits, exponent) = split_exponent(&format!("{value:e}"));
    // A fraction of n bits has n decimal places. If one place less was enough, that place was a 5 and the
    // digits before it were as near above as below: std goes up, Python to the even digit.
    let (mantissa, power) = mantissa_exponent(value);
    let places = -(power + mantissa.trailing_zeros() as i32);
    if value != 0.0 && places > 1 && digits.len() as i32 - 1 - exponent == places - 1 {
        let even = format!("{value:.*e}", digits.len() - 1);
        // Below a power of two floats lie closer, and the lower digits may not read back.
        if even.parse() == Ok(value) {
            return split_exponent(&even);
        }
    }
    (digits, exponent)
}

/// `"1.25e-7"` is `("125", -7)`.
fn split_exponent(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// Sets the point, or an exponent of at least two digits.
fn lay_out(digits: &str, exponent: i32, scientific: bool) -> String {
    if scientific {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{first}{point}{rest}e{sign}{:02}", exponent.unsigned_abs());
    }
    let mut text = String::with_capacity(digits.len() + 24);
    if exponent < 0 {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', exponent.unsigned_abs() as usize - 1));
        text.push_str(digits);
        return text;
    }
    let whole = exponent as usize + 1;
    if digits.len() > whole {
        text.push_str(&digits[..whole]);
        text.push('.');
        text.push_str(&digits[whole..]);
    } else {
        text.push_str(digits);
        text.extend(std::iter::repeat_n('0', whole - digits.len()));
    }
    text
}

/// The value of a text that `float()` accepts, or `None` (Python docs, "float": white space around it,
/// underscores between digits, digits of any script, `inf`, `infinity` and `nan` in any case).
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim_matches(unicode::is_number_space);
    if text.is_ascii() && !text.contains('_') {
        return parse_ascii(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match unicode::decimal(c) {
            Some(digit) => plain.push((b'0' + digit) as char),
            None if c.is_ascii() => plain.push(c),
            None => return None,
        }
    }
    let bytes = plain.as_bytes();
    let is_digit = |place: Option<usize>| place.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let well_placed = |place: usize| is_digit(place.checked_sub(1)) && is_digit(Some(place + 1));
    if !plain.match_indices('_').all(|(place, _)| well_placed(place)) {
        return None;
    }
    parse_ascii(&plain.replace('_', ""))
}

/// Rust reads the same floats as Python, so only words need a look.
fn parse_ascii(text: &str) -> Option<f64> {
    let x: f64 = text.parse().ok()?;
    Some(if x.is_nan() { new_nan().copysign(x) } else { x })
}

/// A nan unlike all before it. Floats are identical if their bits are, and each `float("nan")` is
/// an object of its own: it is equal to none, but a list that holds it has it.
fn new_nan() -> f64 {
    NANS.set((NANS.get() + 1) % (1 << 51));
    f64::from_bits(f64::NAN.to_bits() | NANS.get())
}

thread_local! {
    static NANS: Cell<u64> = const { Cell::new(0) };
}

/// Why a float has no exact int.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFinite {
    Infinity,
    Nan,
}

impl NotFinite {
    fn check(value: f64) -> Result<(), Self> {
        if value.is_nan() {
            Err(Self::Nan)
        } else if value.is_infinite() {
            Err(Self::Infinity)
        } else {
            Ok(())
        }
    }

    /// CPython's message for `int(value)`; an OverflowError for infinity, a ValueError for nan.
    pub fn to_integer(self) -> &'static str {
        match self {
            Self::Infinity => "cannot convert float infinity to integer",
            Self::Nan => "cannot convert float NaN to integer",
        }
    }

    /// CPython's message for `value.as_integer_ratio()`; the same exceptions.
    pub fn to_ratio(self) -> &'static str {
        match self {
            Self::Infinity => "cannot convert Infinity to integer ratio",
            Self::Nan => "cannot convert NaN to integer ratio",
        }
    }
}

/// The int before the point: `int(value)`.
pub fn to_int(value: f64) -> Result<Int, NotFinite> {
    NotFinite::check(value)?;
    if value.abs() < 9.0e18 {
        return Ok(Int::Small(value as i64));
    }
    let (mantissa, exponent) = mantissa_exponent(value.abs());
    let whole = BigInt::from(mantissa) << exponent;
    Ok(Int::from(if value < 0.0 { -whole } else { whole }))
}

/// `round(value)`: the nearest int, ties to even.
pub fn round_to_int(value: f64) -> Result<Int, NotFinite> {
    to_int(value.round_ties_even())
}

/// `value == mantissa * 2**exponent` for a finite value that is not negative.
fn mantissa_exponent(value: f64) -> (u64, i32) {
    let bits = value.to_bits() & !(1 << 63);
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) as i32 {
        0 => (fraction, -1074),
        biased => (fraction | (1 << 52), biased - 1075),
    }
}

/// `value.as_integer_ratio()`: a fraction in lowest terms.
pub fn as_integer_ratio(value: f64) -> Result<(Int, Int), NotFinite> {
    NotFinite::check(value)?;
    if value == 0.0 {
        return Ok((Int::Small(0), Int::Small(1)));
    }
    let (mut mantissa, mut exponent) = mantissa_exponent(value.abs());
    exponent += mantissa.trailing_zeros() as i32;
    mantissa >>= mantissa.trailing_zeros();
    let (mut above, mut below) = (BigInt::from(mantissa), BigInt::one());
    if exponent > 0 {
        above <<= exponent;
    } else {
        below <<= -exponent;
    }
    Ok((
        Int::from(if value < 0.0 { -above } else { above }),
        Int::from(below),
    ))
}

/// `round(value, places)`; `None` is CPython's OverflowError "rounded value too large to represent".
pub fn round(value: f64, places: i64) -> Option<f64> {
    if !value.is_finite() || value == 0.0 || places > 323 {
        return Some(value);
    }
    if places < -308 {
        return Some(0.0 * value);
    }
    let rounded = if places >= 0 {
        fixed(value.abs(), places as usize)
            .parse()
            .unwrap_or(f64::INFINITY)
    } else {
        round_tens(value.abs(), places.unsigned_abs() as i32)
    };
    rounded.is_finite().then(|| rounded.copysign(value))
}

/// Rounds to a multiple of ten to the `tens`.
fn round_tens(value: f64, tens: i32) -> f64 {
    let (digits, exponent) = significant(value, EXACT_DIGITS + 1);
    let kept = exponent + 1 - tens;
    if kept < 0 {
        return 0.0;
    }
    let (head, tail) = digits.split_at(kept as usize);
    let is_odd = head.bytes().last().is_some_and(|digit| digit % 2 == 1);
    let is_tie = tail.starts_with('5') && tail[1..].bytes().all(|digit| digit == b'0');
    let up = tail.as_bytes()[0] >= b'5' && (!is_tie || is_odd);
    let head = head.parse::<BigInt>().unwrap_or_default() + u8::from(up);
    format!("{head}e{tens}").parse().unwrap_or(f64::INFINITY)
}

/// `value.hex()`.
pub fn hex(value: f64) -> String {
    let sign = if value.is_sign_negative() && !value.is_nan() {
        "-"
    } else {
        ""
    };
    if !value.is_finite() {
        return repr(value);
    }
    if value == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let bits = value.to_bits();
    let (lead, exponent) = match (bits >> 52) as i32 & 0x7FF {
        0 => (0, -1022),
        biased => (1, biased - 1023),
    };
    format!("{sign}0x{lead}.{:013x}p{exponent:+}", bits & ((1 << 52) - 1))
}

/// Why `float.fromhex` refused: a ValueError and an OverflowError.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HexError {
    Invalid,
    TooLarge,
}

impl HexError {
    /// CPython's words.
    pub fn message(self) -> &'static str {
        match self {
            Self::Invalid => "invalid hexadecimal floating-point string",
            Self::TooLarge => "hexadecimal value too large to represent as a float",
        }
    }
}

/// `float.fromhex(text)`.
pub fn from_hex(text: &str) -> Result<f64, HexError> {
    let text = text
        .trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b')
        .to_ascii_lowercase();
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, &text[..]),
    };
    let signed = |value: f64| if negative { -value } else { value };
    match rest {
        "inf" | "infinity" => return Ok(signed(f64::INFINITY)),
        "nan" => return Ok(signed(f64::NAN)),
        _ => {}
    }
    let rest = rest.strip_prefix("0x").unwrap_or(rest);
    let (mantissa, exponent) = match rest.split_once('p') {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or(HexError::Invalid)?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(HexError::Invalid);
    }
    let exponent = exponent.saturating_sub(4 * fraction.len() as i64);
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(signed(0.0));
    }
    let mantissa = BigInt::parse_bytes(digits.as_bytes(), 16).ok_or(HexError::Invalid)?;
    let value = scale(&mantissa, exponent);
    if value.is_infinite() {
        Err(HexError::TooLarge)
    } else {
        Ok(signed(value))
    }
}

/// A decimal exponent with an optional sign, cut off far outside any float's range.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40);
    Some(if text.starts_with('-') { -size } else { size })
}

/// `mantissa * 2**exponent` correctly rounded, infinite when too large; `mantissa` is positive.
pub(super) fn scale(mantissa: &BigInt, exponent: i64) -> f64 {
    if mantissa.is_zero() {
        return 0.0;
    }
    let bits = mantissa.bits() as i64;
    let top = bits + exponent; // the value is in [2**(top-1), 2**top)
    if top > 1024 {
        return f64::INFINITY;
    }
    if top < -1074 {
        return 0.0;
    }
    // Keep as many bits as the float at that size has, then round the rest half to even.
    let unit = (top - 53).max(-1074);
    let drop = unit - exponent;
    let kept = if drop <= 0 {
        mantissa << (-drop) as u64
    } else {
        let kept: BigInt = mantissa >> drop as u64;
        let zeros = mantissa.trailing_zeros().unwrap_or(0) as i64;
        let half_set = mantissa.bit(drop as u64 - 1);
        let up = half_set && (zeros < drop - 1 || kept.bit(0));
        kept + u8::from(up)
    };
    let kept = kept.iter_u64_digits().next().unwrap_or(0) as f64;
    // Two steps, since 2**unit alone may be below the smallest normal float: both are exact.
    let half = unit / 2;
    kept * power_of_two(half) * power_of_two(unit - half)
}

fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_is_pythons() {
        let expected = [
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (-0.0, "-0.0"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
            (5e-324, "5e-324"),
        ];
        for (value, text) in expected {
            assert_eq!(repr(value), text);
        }
    }

    #[test]
    fn round_ties_by_the_exact_value() {
        assert_eq!(round(2.675, 2), Some(2.67));
        assert_eq!(round(0.5, 0), Some(0.0));
        assert_eq!(round(25.0, -1), Some(20.0));
        assert_eq!(round(f64::MAX, -308), None);
    }

    #[test]
    fn parsing_accepts_what_float_accepts() {
        assert_eq!(parse(" 1_000.5e-1\n"), Some(100.05));
        assert_eq!(parse("\u{0663}.5"), Some(3.5));
        assert_eq!(parse("-Infinity"), Some(f64::NEG_INFINITY));
        for text in ["", "1__0", "_1", "1_", "1e", ".", "0x1", "1 2", "infi"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn fixed_is_the_same_in_words() {
        let halves = [1.25, 0.125, 2.5, 0.5, 1e15 + 0.5, 0.1, 2.675, 99.995, 1e-5, 4.35];
        let spread = (1..2000u64).map(|n| f64::from_bits(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 2));
        for value in halves.into_iter().chain(spread) {
            for places in [0, 1, 2, 3, 6, 10, 19] {
                if let Some(text) = fixed_in_words(value, places) {
                    assert_eq!(text, format!("{value:.places$}"));
                }
            }
        }
    }

    #[test]
    fn hex_reads_back() {
        assert_eq!(hex(0.1), "0x1.999999999999ap-4");
        assert_eq!(from_hex("0x1.999999999999ap-4"), Ok(0.1));
        assert_eq!(from_hex("-0x.8p0"), Ok(-0.5));
        assert_eq!(from_hex("0x1p1024"), Err(HexError::TooLarge));
    }
}
