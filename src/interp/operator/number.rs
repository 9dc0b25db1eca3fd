//! Arithmetic and order of ints, bools and floats.
//!
//! Always true: an int never overflows, it grows; an int meets a float as the nearest float in
//! arithmetic and exactly in comparisons.

use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::payload::big_to_f64;
use crate::interp::types::{Type, class};
use crate::text::int::{self, DivisionError};
use crate::value::*;
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};
use std::cmp::Ordering;

/// An int that would take more bits than this is refused: it would fill the memory.
const MOST_BITS: u64 = 1 << 33;

/// A number as operators see it.
#[derive(Clone, Copy)]
pub enum Number<'a> {
    Small(i64),
    Big(&'a BigInt),
    Float(f64),
}

/// The value as a number; none for every other type.
#[inline]
pub fn number(value: &Value) -> Option<Number<'_>> {
    Some(match value {
        Value::Int(n) => Number::Small(*n),
        Value::Bool(b) => Number::Small(b.get() as i64),
        Value::Float(x) => Number::Float(x.get()),
        Value::Big(big) => Number::Big(&big.0),
        _ => return None,
    })
}

impl Number<'_> {
    fn to_big(self) -> BigInt {
        match self {
            Number::Small(n) => BigInt::from(n),
            Number::Big(n) => n.clone(),
            Number::Float(_) => unreachable!("floats are handled before ints"),
        }
    }

    fn to_f64(self) -> Res<f64> {
        match self {
            Number::Small(n) => Ok(n as f64),
            Number::Big(n) => big_to_f64(n),
            Number::Float(x) => Ok(x),
        }
    }
}

/// `a op b` if both are numbers and the operator is defined for them.
#[inline]
pub fn binary(op: BinaryOp, a: &Value, b: &Value) -> Option<Res> {
    let (x, y) = (number(a)?, number(b)?);
    match (x, y) {
        (Number::Small(x), Number::Small(y)) => {
            if let (Value::Bool(_), Value::Bool(_)) = (a, b) {
                match op {
                    BinaryOp::BitAnd => return Some(Ok(Value::bool(x & y != 0))),
                    BinaryOp::BitOr => return Some(Ok(Value::bool(x | y != 0))),
                    BinaryOp::BitXor => return Some(Ok(Value::bool(x ^ y != 0))),
                    _ => {}
                }
            }
            small(op, x, y)
        }
        (Number::Float(x), Number::Float(y)) => float(op, x, y),
        (Number::Float(_), _) | (_, Number::Float(_)) => {
            if matches!(
                op,
                BinaryOp::LeftShift
                    | BinaryOp::RightShift
                    | BinaryOp::BitAnd
                    | BinaryOp::BitOr
                    | BinaryOp::BitXor
                    | BinaryOp::MatMul
            ) {
                return None;
            }
            let (x, y) = match (x.to_f64(), y.to_f64()) {
                (Ok(x), Ok(y)) => (x, y),
                (Err(raised), _) | (_, Err(raised)) => return Some(Err(raised)),
            };
            float(op, x, y)
        }
        _ => big(op, &x.to_big(), &y.to_big()),
    }
}

/// `a op b` for machine ints.
#[inline]
pub fn small(op: BinaryOp, a: i64, b: i64) -> Option<Res> {
    let done = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::BitAnd => Some(a & b),
        BinaryOp::BitOr => Some(a | b),
        BinaryOp::BitXor => Some(a ^ b),
        BinaryOp::FloorDiv if b != 0 => int::floor_div_small(a, b),
        BinaryOp::Mod if b != 0 => int::floor_mod_small(a, b),
        BinaryOp::Div => {
            return Some(match int::true_divide_small(a, b) {
                Some(quotient) => Ok(Value::float(quotient)),
                None => Err(zero_division(DivisionError::Zero.message())),
            });
        }
        BinaryOp::RightShift if b >= 0 => Some(if b >= 64 { a >> 63 } else { a >> b }),
        BinaryOp::LeftShift if (0..63).contains(&b) => {
            let shifted = a << b;
            (shifted >> b == a).then_some(shifted)
        }
        BinaryOp::Pow if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        BinaryOp::MatMul => return None,
        _ => None,
    };
    match done {
        Some(n) => Some(Ok(Value::Int(n))),
        None => big(op, &BigInt::from(a), &BigInt::from(b)),
    }
}

/// `a op b` for ints of any size.
#[cold]
fn big(op: BinaryOp, a: &BigInt, b: &BigInt) -> Option<Res> {
    Some(match op {
        BinaryOp::Add => Ok(Value::from(a + b)),
        BinaryOp::Sub => Ok(Value::from(a - b)),
        BinaryOp::Mul => Ok(Value::from(a * b)),
        BinaryOp::BitAnd => Ok(Value::from(a & b)),
        BinaryOp::BitOr => Ok(Value::from(a | b)),
        BinaryOp::BitXor => Ok(Value::from(a ^ b)),
        BinaryOp::Div => match int::true_divide(a, b) {
            Ok(quotient) => Ok(Value::float(quotient)),
            Err(DivisionError::Zero) => Err(zero_division(DivisionError::Zero.message())),
            Err(error) => Err(overflow_error(error.message())),
        },
        BinaryOp::FloorDiv => match int::div_mod(a, b) {
            Some((quotient, _)) => Ok(Value::from(quotient)),
            None => Err(zero_division("integer division or modulo by zero")),
        },
        BinaryOp::Mod => match int::div_mod(a, b) {
            Some((_, rest)) => Ok(Value::from(rest)),
            None => Err(zero_division("integer modulo by zero")),
        },
        BinaryOp::LeftShift => shift_left(a, b),
        BinaryOp::RightShift => match b.to_u64() {
            _ if b.is_negative() => Err(value_error("negative shift count")),
            Some(count) => Ok(Value::from(a >> count)),
            None => Ok(Value::Int(if a.is_negative() { -1 } else { 0 })),
        },
        BinaryOp::Pow => pow(a, b),
        BinaryOp::MatMul => return None,
    })
}

fn shift_left(a: &BigInt, b: &BigInt) -> Res {
    if b.is_negative() {
        return Err(value_error("negative shift count"));
    }
    if a.is_zero() {
        return Ok(Value::Int(0));
    }
    match b.to_u64() {
        Some(count) if a.bits().saturating_add(count) <= MOST_BITS => Ok(Value::from(a << count)),
        // CPython could count the digits of these, 30 bits each and 4 bytes wide.
        _ if b / 30 <= BigInt::from(i64::MAX / 4) => Err(raise_empty(Type::MemoryError)),
        _ => Err(overflow_error("too many digits in integer")),
    }
}

/// `a ** b` for ints: a float if the exponent is negative.
fn pow(a: &BigInt, b: &BigInt) -> Res {
    if b.is_negative() {
        return float_pow(big_to_f64(a)?, big_to_f64(b)?);
    }
    if a.bits() <= 1 {
        // 0, 1 and -1 to any power.
        let is_odd = b.bit(0);
        return Ok(match a.to_i64() {
            Some(0) => Value::Int(b.is_zero() as i64),
            Some(-1) if !is_odd => Value::Int(1),
            Some(n) => Value::Int(n),
            None => unreachable!("one bit fits"),
        });
    }
    match b.to_u64() {
        Some(exponent) if a.bits().saturating_mul(exponent) <= MOST_BITS => {
            Ok(Value::from(int::pow(a, exponent)))
        }
        _ => Err(raise_empty(Type::MemoryError)),
    }
}

/// `a op b` for floats.
#[inline]
pub fn float(op: BinaryOp, a: f64, b: f64) -> Option<Res> {
    Some(Ok(Value::float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div if b != 0.0 => a / b,
        BinaryOp::Div => return Some(Err(zero_division("float division by zero"))),
        BinaryOp::FloorDiv if b != 0.0 => float_div_mod(a, b).0,
        BinaryOp::FloorDiv => return Some(Err(zero_division("float floor division by zero"))),
        BinaryOp::Mod if b != 0.0 => float_div_mod(a, b).1,
        BinaryOp::Mod => return Some(Err(zero_division("float modulo by zero"))),
        BinaryOp::Pow => return Some(float_pow(a, b)),
        BinaryOp::LeftShift
        | BinaryOp::RightShift
        | BinaryOp::BitAnd
        | BinaryOp::BitOr
        | BinaryOp::BitXor
        | BinaryOp::MatMul => return None,
    })))
}

/// The floor of the quotient, and the remainder with the sign of `b`, which is not 0.
pub fn float_div_mod(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    let floor = if quotient == 0.0 {
        0f64.copysign(a / b)
    } else {
        // The quotient is almost a whole number; rounding may have put it just below.
        let floor = quotient.floor();
        if quotient - floor > 0.5 {
            floor + 1.0
        } else {
            floor
        }
    };
    (floor, rest)
}

pub fn float_pow(a: f64, b: f64) -> Res {
    if a == 0.0 && b < 0.0 && b.is_finite() {
        return Err(zero_division("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 {
        return Err(
            value_error("negative number cannot be raised to a fractional power")
                .help("Python gives a complex number here; complex numbers are not part of aio"),
        );
    }
    let power = a.powf(b);
    if power.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(out_of_range());
    }
    Ok(Value::float(power))
}

/// The OverflowError of a float function whose result is too large.
#[cold]
pub fn out_of_range() -> Raised {
    let args = vec![Value::Int(34), Value::from("Numerical result out of range")];
    Raised::new(Exception::new(class(Type::OverflowError), args))
}

/// `divmod(a, b)` if both are numbers.
pub fn div_mod(a: &Value, b: &Value) -> Option<Res> {
    let (x, y) = (number(a)?, number(b)?);
    if let (Number::Small(x), Number::Small(y)) = (x, y)
        && y != 0
        && let (Some(quotient), Some(rest)) = (int::floor_div_small(x, y), int::floor_mod_small(x, y))
    {
        return Some(Ok(Value::tuple([Value::Int(quotient), Value::Int(rest)])));
    }
    if let (Number::Float(_), _) | (_, Number::Float(_)) = (x, y) {
        return Some(match (x.to_f64(), y.to_f64()) {
            (Ok(_), Ok(0.0)) => Err(zero_division("float divmod()")),
            (Ok(x), Ok(y)) => {
                let (quotient, rest) = float_div_mod(x, y);
                Ok(Value::tuple([Value::float(quotient), Value::float(rest)]))
            }
            (Err(raised), _) | (_, Err(raised)) => Err(raised),
        });
    }
    Some(match int::div_mod(&x.to_big(), &y.to_big()) {
        Some((quotient, rest)) => Ok(Value::tuple([Value::from(quotient), Value::from(rest)])),
        None => Err(zero_division("integer division or modulo by zero")),
    })
}

/// `-value`, `+value`, `~value` of numbers.
pub fn unary(op: crate::code::UnaryOp, value: &Value) -> Option<Res> {
    use crate::code::UnaryOp;
    Some(Ok(match (op, number(value)?) {
        (UnaryOp::Neg, Number::Small(n)) => n
            .checked_neg()
            .map_or_else(|| Value::from(-BigInt::from(n)), Value::Int),
        (UnaryOp::Neg, Number::Big(n)) => Value::from(-n),
        (UnaryOp::Neg, Number::Float(x)) => Value::float(-x),
        (UnaryOp::Pos, Number::Small(n)) => Value::Int(n),
        (UnaryOp::Pos, _) => value.clone(),
        (UnaryOp::Invert, Number::Small(n)) => Value::Int(!n),
        (UnaryOp::Invert, Number::Big(n)) => Value::from(!n),
        (UnaryOp::Invert, Number::Float(_)) | (UnaryOp::Not, _) => return None,
    }))
}

/// `abs(value)` of numbers.
pub fn abs(value: &Value) -> Option<Value> {
    Some(match number(value)? {
        Number::Small(n) => n
            .checked_abs()
            .map_or_else(|| Value::from(BigInt::from(n).abs()), Value::Int),
        Number::Big(n) => Value::from(n.abs()),
        Number::Float(x) => Value::float(x.abs()),
    })
}

/// How two numbers compare: `Some(None)` if one is nan, none if one is no number.
#[inline]
pub fn order(a: &Value, b: &Value) -> Option<Option<Ordering>> {
    Some(match (number(a)?, number(b)?) {
        (Number::Small(a), Number::Small(b)) => Some(a.cmp(&b)),
        (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b),
        (Number::Small(a), Number::Float(b)) => small_float_order(a, b),
        (Number::Float(a), Number::Small(b)) => small_float_order(b, a).map(Ordering::reverse),
        (Number::Big(a), Number::Big(b)) => Some(a.cmp(b)),
        (Number::Big(a), Number::Float(b)) => int::compare_f64(a, b),
        (Number::Float(a), Number::Big(b)) => int::compare_f64(b, a).map(Ordering::reverse),
        // A big int lies beyond every machine int.
        (Number::Big(a), Number::Small(_)) => Some(if a.is_negative() {
            Ordering::Less
        } else {
            Ordering::Greater
        }),
        (Number::Small(_), Number::Big(b)) => Some(if b.is_negative() {
            Ordering::Greater
        } else {
            Ordering::Less
        }),
    })
}

fn small_float_order(a: i64, b: f64) -> Option<Ordering> {
    if a.unsigned_abs() < 1 << 53 {
        return (a as f64).partial_cmp(&b);
    }
    if b.is_nan() {
        return None;
    }
    if b >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if b < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    // In this range the whole part fits; an int this large equals no float with a fraction.
    let whole = b.trunc() as i64;
    Some(
        a.cmp(&whole)
            .then_with(|| 0.0.partial_cmp(&b.fract()).unwrap_or(Ordering::Equal)),
    )
}

/// Whether two numbers are equal; none if one is no number.
#[inline]
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    order(a, b).map(|order| order == Some(Ordering::Equal))
}

/// `pow(base, exponent, modulus)` of machine ints, for an exponent and a modulus that are not
/// negative.
pub fn small_pow_mod(base: i64, exponent: i64, modulus: i64) -> Option<i64> {
    if exponent < 0 || modulus <= 0 {
        return None;
    }
    let size = modulus as u128;
    let mut power = base.rem_euclid(modulus) as u128;
    let mut result = 1 % size;
    let mut left = exponent;
    while left > 0 {
        if left & 1 == 1 {
            result = result * power % size;
        }
        power = power * power % size;
        left >>= 1;
    }
    Some(result as i64)
}

/// The error for a modulus beside a float.
#[cold]
pub fn no_modulus() -> Raised {
    type_error("pow() 3rd argument not allowed unless all arguments are integers")
}

/// `pow(base, exponent, modulus)` of ints.
pub fn pow_mod(base: &BigInt, exponent: &BigInt, modulus: &BigInt) -> Res {
    if modulus.is_zero() {
        return Err(value_error("pow() 3rd argument cannot be 0"));
    }
    match int::pow_mod(base, exponent, modulus) {
        Ok(power) => Ok(Value::from(power)),
        Err(error) => Err(value_error(error.message())),
    }
}
