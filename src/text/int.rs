//! Ints of any size: as text and back, and the arithmetic whose results Python defines exactly.
//!
//! Always true: an [`Int`] that fits 64 bits is `Small`, so equal ints are equal in form.

use super::{float, unicode};
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{Num, One, Signed, ToPrimitive, Zero};
use std::cell::Cell;
use std::cmp::Ordering;

/// An int: 64 bits inline, or a bignum that does not fit them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Int {
    Small(i64),
    Big(BigInt),
}

impl From<BigInt> for Int {
    fn from(value: BigInt) -> Self {
        value.to_i64().map_or(Self::Big(value), Self::Small)
    }
}

impl From<i64> for Int {
    fn from(value: i64) -> Self {
        Self::Small(value)
    }
}

impl Int {
    /// The same int as a bignum.
    pub fn to_big(&self) -> BigInt {
        match self {
            Self::Small(value) => BigInt::from(*value),
            Self::Big(value) => value.clone(),
        }
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        match self {
            Self::Small(value) => *value < 0,
            Self::Big(value) => value.is_negative(),
        }
    }

    /// The nearest float, or `None` if it is beyond the largest.
    pub fn to_f64(&self) -> Option<f64> {
        match self {
            Self::Small(value) => Some(*value as f64),
            Self::Big(value) => to_f64(value),
        }
    }
}

/// The most decimal digits that `int()` and `str()` convert (`sys.get_int_max_str_digits()`), to begin with.
pub const MAX_DIGITS: usize = 4300;

thread_local! {
    static LIMIT: Cell<usize> = const { Cell::new(MAX_DIGITS) };
}

/// The most decimal digits that are converted now; 0 if any number is.
pub fn limit() -> usize {
    LIMIT.get()
}

pub fn set_limit(digits: usize) {
    LIMIT.set(digits);
}

fn is_too_long(digits: usize) -> bool {
    LIMIT.get() > 0 && digits > LIMIT.get()
}

/// The message of the ValueError when `str()` would give more digits than [`limit`].
pub fn too_long_to_write() -> String {
    format!(
        "Exceeds the limit ({} digits) for integer string conversion; use sys.set_int_max_str_digits() to \
         increase the limit",
        limit()
    )
}

/// How many characters of a text that is no int its error shows.
const MOST_SHOWN: usize = 200;

/// Why a text is no int. All are ValueErrors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// Not digits of the base: the caller words it with the repr of what it was given.
    Invalid,
    /// More digits than [`limit`] in a base that is no power of two.
    TooLong { digits: usize },
    /// The base is neither 0 nor 2 to 36.
    Base,
}

impl ParseError {
    /// CPython's message; `repr` is the repr of the argument.
    pub fn message(&self, base: u32, repr: &str) -> String {
        match self {
            Self::Invalid => {
                let repr: String = repr.chars().take(MOST_SHOWN).collect();
                format!("invalid literal for int() with base {base}: {repr}")
            }
            Self::TooLong { digits } => format!(
                "Exceeds the limit ({} digits) for integer string conversion: value has {digits} \
                 digits; use sys.set_int_max_str_digits() to increase the limit",
                limit()
            ),
            Self::Base => "int() base must be >= 2 and <= 36, or 0".to_string(),
        }
    }
}

/// `int(text, base)` (Python docs, "int"): white space around it, a sign, the base's own prefix, single
/// underscores between digits, digits of any script; base 0 reads the text as a literal.
pub fn parse(text: &str, base: u32) -> Result<Int, ParseError> {
    if base == 10
        && text.len() < 19
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(value) = text.parse()
    {
        return Ok(Int::Small(value));
    }
    if base != 0 && !(2..=36).contains(&base) {
        return Err(ParseError::Base);
    }
    let text = text.trim_matches(unicode::is_number_space);
    let plain: String = text
        .chars()
        .map(|c| {
            unicode::decimal(c)
                .map_or(c, |digit| (b'0' + digit) as char)
                .to_ascii_lowercase()
        })
        .collect();
    let (negative, rest) = match plain.as_bytes().first() {
        Some(b'-') => (true, &plain[1..]),
        Some(b'+') => (false, &plain[1..]),
        _ => (false, &plain[..]),
    };
    let prefix = match rest.as_bytes() {
        [b'0', b'x', ..] => Some(16),
        [b'0', b'o', ..] => Some(8),
        [b'0', b'b', ..] => Some(2),
        _ => None,
    };
    let (base, rest, zeros_only) = match (base, prefix) {
        (0, Some(base)) => (base, &rest[2..], false),
        // A literal may not begin with 0 unless it is zero.
        (0, None) => (10, rest, rest.starts_with('0')),
        (given, Some(base)) if given == base => (base, &rest[2..], false),
        (given, _) => (given, rest, false),
    };
    let had_prefix = prefix == Some(base) && rest.len() + 2 <= plain.len() && !plain.ends_with(['x', 'o']);
    let rest = if had_prefix {
        rest.strip_prefix('_').unwrap_or(rest)
    } else {
        rest
    };
    let is_digit = |byte: u8| (byte as char).is_digit(base);
    let mut after_digit = false;
    for byte in rest.bytes() {
        let fits = is_digit(byte) || (byte == b'_' && after_digit);
        if !fits {
            return Err(ParseError::Invalid);
        }
        after_digit = byte != b'_';
    }
    if !after_digit {
        return Err(ParseError::Invalid);
    }
    let digits = if rest.contains('_') {
        rest.replace('_', "")
    } else {
        rest.to_string()
    };
    if zeros_only && digits.bytes().any(|digit| digit != b'0') {
        return Err(ParseError::Invalid);
    }
    if is_too_long(digits.len()) && !base.is_power_of_two() {
        return Err(ParseError::TooLong { digits: digits.len() });
    }
    let value = match i64::from_str_radix(&digits, base) {
        Ok(value) => return Ok(Int::Small(if negative { -value } else { value })),
        Err(_) => BigInt::from_str_radix(&digits, base).map_err(|_| ParseError::Invalid)?,
    };
    Ok(Int::from(if negative { -value } else { value }))
}

/// `str(value)`; `None` if that has more digits than [`limit`] ([`too_long_to_write`]).
pub fn to_decimal(value: &Int) -> Option<String> {
    match value {
        Int::Small(value) => Some(value.to_string()),
        Int::Big(value) => {
            // Ten bits are more than three digits: what is certainly too long needs no conversion.
            if limit() > 0 && value.bits() > (limit() as u64 + 4) * 10 / 3 {
                return None;
            }
            let text = value.to_string();
            (!is_too_long(text.trim_start_matches('-').len())).then_some(text)
        }
    }
}

/// `bin`, `oct`, `hex` and the format types `b`, `o`, `x`: the sign, `prefix` and digits in lower case.
pub fn to_base(value: &Int, base: u32, prefix: &str) -> String {
    match value {
        Int::Small(value) => {
            let sign = if *value < 0 { "-" } else { "" };
            let size = value.unsigned_abs();
            match base {
                2 => format!("{sign}{prefix}{size:b}"),
                8 => format!("{sign}{prefix}{size:o}"),
                16 => format!("{sign}{prefix}{size:x}"),
                _ => format!("{sign}{prefix}{}", BigInt::from(size).to_str_radix(base)),
            }
        }
        Int::Big(value) => {
            let sign = if value.is_negative() { "-" } else { "" };
            format!("{sign}{prefix}{}", value.magnitude().to_str_radix(base))
        }
    }
}

/// The nearest float, ties to even; `None` if it overflows ("int too large to convert to float").
pub fn to_f64(value: &BigInt) -> Option<f64> {
    let size = float::scale(&BigInt::from(value.magnitude().clone()), 0);
    size.is_finite()
        .then_some(if value.is_negative() { -size } else { size })
}

/// Compares an int with a float exactly; `None` for nan.
pub fn compare_f64(value: &BigInt, other: f64) -> Option<Ordering> {
    if other.is_nan() {
        return None;
    }
    match float::to_int(other) {
        Err(_) => Some(if other > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        }),
        Ok(whole) => {
            let fraction = other.fract().partial_cmp(&0.0)?.reverse();
            Some(value.cmp(&whole.to_big()).then(fraction))
        }
    }
}

/// Why a division has no result: a ZeroDivisionError and an OverflowError.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DivisionError {
    Zero,
    Overflow,
}

impl DivisionError {
    /// CPython's message for `/`.
    pub fn message(self) -> &'static str {
        match self {
            Self::Zero => "division by zero",
            Self::Overflow => "integer division result too large for a float",
        }
    }
}

/// `a / b`, correctly rounded even where neither is exact as a float.
pub fn true_divide(a: &BigInt, b: &BigInt) -> Result<f64, DivisionError> {
    if b.is_zero() {
        return Err(DivisionError::Zero);
    }
    let negative = a.is_negative() != b.is_negative();
    let (a, b) = (a.magnitude(), b.magnitude());
    if a.is_zero() {
        return Ok(if negative { -0.0 } else { 0.0 });
    }
    // Scale so that the quotient has 66 bits or more, note any remainder in its last bit, round once.
    let shift = (b.bits() as i64 - a.bits() as i64 + 66).max(-(a.bits() as i64));
    let (quotient, remainder) = if shift >= 0 {
        (a << shift as u64).div_rem(b)
    } else {
        a.div_rem(&(b << (-shift) as u64))
    };
    let quotient = (quotient << 1u32) + u8::from(!remainder.is_zero());
    let size = float::scale(&BigInt::from(quotient), -shift - 1);
    if size.is_infinite() {
        return Err(DivisionError::Overflow);
    }
    Ok(if negative { -size } else { size })
}

/// `a / b` for small ints; `None` if `b` is zero.
#[inline]
pub fn true_divide_small(a: i64, b: i64) -> Option<f64> {
    const EXACT: u64 = 1 << 53;
    if b == 0 {
        return None;
    }
    if a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT {
        return Some(a as f64 / b as f64);
    }
    true_divide(&BigInt::from(a), &BigInt::from(b)).ok()
}

/// `a // b` and `a % b`: rounded towards minus infinity, the remainder with the sign of `b`; `None` if `b`
/// is zero.
pub fn div_mod(a: &BigInt, b: &BigInt) -> Option<(BigInt, BigInt)> {
    (!b.is_zero()).then(|| a.div_mod_floor(b))
}

/// `a // b` for small ints; `None` if `b` is zero or the result is 2**63.
#[inline]
pub fn floor_div_small(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if (a % b != 0) && ((a < 0) != (b < 0)) {
        quotient - 1
    } else {
        quotient
    })
}

/// `a % b` for small ints; `None` if `b` is zero.
#[inline]
pub fn floor_mod_small(a: i64, b: i64) -> Option<i64> {
    if b == 0 {
        return None;
    }
    let remainder = a.wrapping_rem(b);
    Some(if remainder != 0 && ((remainder < 0) != (b < 0)) {
        remainder + b
    } else {
        remainder
    })
}

/// Why `pow(a, b, m)` has no result. Both are ValueErrors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowError {
    ZeroModulus,
    NotInvertible,
}

impl PowError {
    /// CPython's words.
    pub fn message(self) -> &'static str {
        match self {
            Self::ZeroModulus => "pow() 3rd argument cannot be 0",
            Self::NotInvertible => "base is not invertible for the given modulus",
        }
    }
}

/// `base ** exponent` for an exponent that is not negative.
pub fn pow(base: &BigInt, exponent: u64) -> BigInt {
    num_traits::Pow::pow(base, exponent)
}

/// `pow(base, exponent, modulus)`: the result has the sign of the modulus; a negative exponent takes the
/// inverse.
pub fn pow_mod(base: &BigInt, exponent: &BigInt, modulus: &BigInt) -> Result<BigInt, PowError> {
    if modulus.is_zero() {
        return Err(PowError::ZeroModulus);
    }
    if modulus.magnitude().is_one() {
        return Ok(BigInt::zero());
    }
    let size = modulus.abs();
    let (mut base, mut exponent) = (base.mod_floor(&size), exponent.clone());
    if exponent.is_negative() {
        let found = base.extended_gcd(&size);
        if !found.gcd.is_one() {
            return Err(PowError::NotInvertible);
        }
        base = found.x.mod_floor(&size);
        exponent = -exponent;
    }
    Ok(base.modpow(&exponent, &size).mod_floor(modulus))
}

/// `math.isqrt(value)`: `None` if it is negative.
pub fn isqrt(value: &BigInt) -> Option<BigInt> {
    (!value.is_negative()).then(|| value.sqrt())
}

/// `math.gcd(a, b)`.
pub fn gcd(a: &BigInt, b: &BigInt) -> BigInt {
    a.gcd(b)
}

/// `round(value, -tens)`: the nearest multiple of ten to the `tens`, ties to even.
pub fn round_tens(value: &Int, tens: u32) -> Int {
    let value = value.to_big();
    // Rounding away more digits than there are gives 0; a margin of one keeps 10**tens small.
    if f64::from(tens) > value.bits() as f64 * 0.302 + 2.0 {
        return Int::Small(0);
    }
    let unit = pow(&BigInt::from(10), u64::from(tens));
    let (quotient, remainder) = value.div_mod_floor(&unit);
    let up = match (remainder * 2u8).cmp(&unit) {
        Ordering::Less => false,
        Ordering::Equal => quotient.is_odd(),
        Ordering::Greater => true,
    };
    Int::from((quotient + u8::from(up)) * unit)
}

/// Why `int.to_bytes` refused. Both are OverflowErrors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BytesError {
    TooBig,
    Negative,
}

impl BytesError {
    /// CPython's words.
    pub fn message(self) -> &'static str {
        match self {
            Self::TooBig => "int too big to convert",
            Self::Negative => "can't convert negative int to unsigned",
        }
    }
}

/// `value.to_bytes(length, "little", signed=signed)`; the caller reverses for "big".
pub fn to_bytes(value: &BigInt, length: usize, signed: bool) -> Result<Vec<u8>, BytesError> {
    if value.is_negative() && !signed {
        return Err(BytesError::Negative);
    }
    let mut bytes = if signed {
        value.to_signed_bytes_le()
    } else {
        value.magnitude().to_bytes_le()
    };
    if value.is_zero() {
        bytes.clear();
    }
    if bytes.len() > length {
        return Err(BytesError::TooBig);
    }
    bytes.resize(length, if value.is_negative() { 0xFF } else { 0 });
    Ok(bytes)
}

/// `int.from_bytes(bytes, "little", signed=signed)`.
pub fn from_bytes(bytes: &[u8], signed: bool) -> Int {
    Int::from(if signed {
        BigInt::from_signed_bytes_le(bytes)
    } else {
        BigInt::from_bytes_le(Sign::Plus, bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_accepts_what_int_accepts() {
        assert_eq!(parse(" -0x_Ff ", 16), Ok(Int::Small(-255)));
        assert_eq!(parse("0b101", 0), Ok(Int::Small(5)));
        assert_eq!(parse("00_0", 0), Ok(Int::Small(0)));
        assert_eq!(parse("\u{0661}\u{0662}", 10), Ok(Int::Small(12)));
        assert_eq!(parse("-9223372036854775808", 10), Ok(Int::Small(i64::MIN)));
        for (text, base) in [
            ("", 10),
            ("1__0", 10),
            ("_1", 10),
            ("1_", 10),
            ("012", 0),
            ("0x", 16),
            ("- 1", 10),
        ] {
            assert_eq!(parse(text, base), Err(ParseError::Invalid), "{text}");
        }
        assert_eq!(parse("1", 37), Err(ParseError::Base));
    }

    #[test]
    fn division_is_rounded_once() {
        let big = pow(&BigInt::from(10), 400);
        assert_eq!(true_divide(&(&big + 1), &big), Ok(1.0));
        assert_eq!(true_divide(&big, &BigInt::from(3)), Err(DivisionError::Overflow));
        assert_eq!(true_divide_small(i64::MAX, 3), Some(3.074_457_345_618_258_6e18));
        assert_eq!(
            (floor_div_small(-7, 2), floor_mod_small(-7, 2)),
            (Some(-4), Some(1))
        );
    }

    #[test]
    fn pow_with_a_modulus_knows_inverses() {
        let of = |a: i64, b: i64, m: i64| pow_mod(&a.into(), &b.into(), &m.into());
        assert_eq!(of(38, -1, 97), Ok(23.into()));
        assert_eq!(of(3, 5, -7), Ok((-2).into()));
        assert_eq!(of(2, -1, 4), Err(PowError::NotInvertible));
    }
}
