//! `math`: functions of real numbers, and of ints of any size.

mod gamma;
mod integer;
mod sum;

pub use gamma::log_gamma;

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::class_name;
use crate::interp::{iterate, special};
use crate::library::builtins::function;
use crate::source::{Symbol, name};
use crate::text::float;
use crate::value::*;
use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

// The C library's own, so that every digit is what CPython gives on the same machine; std has
// none of these, or works them out by other formulas.
// SAFETY: their signatures are those of <math.h>; they read nothing but their arguments.
unsafe extern "C" {
    safe fn acosh(x: f64) -> f64;
    safe fn asinh(x: f64) -> f64;
    safe fn atanh(x: f64) -> f64;
    safe fn erf(x: f64) -> f64;
    safe fn erfc(x: f64) -> f64;
    safe fn ldexp(x: f64, exponent: i32) -> f64;
    /// The system's; the one of Rust's own library, called `cbrt`, differs in the last digit.
    #[cfg(target_env = "gnu")]
    safe fn cbrtf64(x: f64) -> f64;
}

#[cold]
fn domain_error() -> Raised {
    value_error("math domain error")
}

#[cold]
fn range_error() -> Raised {
    overflow_error("math range error")
}

#[cfg(not(target_env = "gnu"))]
fn cbrtf64(x: f64) -> f64 {
    x.cbrt()
}

/// A function's value, or the error that a result out of nothing means: NaN from a number is a
/// domain error, infinity from a finite number an overflow (`can_overflow`) or a domain error.
fn checked(f: fn(f64) -> f64, can_overflow: bool, value: &Value) -> Res {
    let x = real(value)?;
    let y = f(x);
    if y.is_nan() && !x.is_nan() {
        return Err(domain_error());
    }
    if y.is_infinite() && x.is_finite() {
        return Err(if can_overflow {
            range_error()
        } else {
            domain_error()
        });
    }
    Ok(Value::float(y))
}

/// A float's fraction in [0.5, 1) and its power of two.
pub fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (x, shift) = if x.abs() < f64::MIN_POSITIVE {
        (x * (1u64 << 54) as f64, 54)
    } else {
        (x, 0)
    };
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022 - shift;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent)
}

/// A positive int as a fraction in [0.5, 1) and a power of two, rounded half to even.
fn big_frexp(n: &BigInt) -> (f64, f64) {
    let bits = n.bits();
    if bits <= 64 {
        let (fraction, exponent) = frexp(n.to_f64().unwrap_or(0.0));
        return (fraction, f64::from(exponent));
    }
    let shift = bits - 64;
    let top: BigInt = n >> shift;
    let mut top = top.to_u64().unwrap_or(u64::MAX);
    if n.trailing_zeros().is_some_and(|zeros| zeros < shift) {
        top |= 1;
    }
    let (fraction, exponent) = frexp(top as f64);
    (fraction, f64::from(exponent) + shift as f64)
}

/// A logarithm of a float or of an int of any size.
fn logarithm(log: fn(f64) -> f64, value: &Value) -> Res<f64> {
    let x = match plain(value) {
        Value::Big(big) if big.0.sign() == Sign::Minus => return Err(domain_error()),
        Value::Big(big) => match crate::text::int::to_f64(&big.0) {
            Some(x) => x,
            None => {
                let (fraction, exponent) = big_frexp(&big.0);
                return Ok(log(fraction) + log(2.0) * exponent);
            }
        },
        _ => real(value)?,
    };
    if x <= 0.0 {
        return Err(domain_error());
    }
    Ok(log(x))
}

fn log(args: &[Value]) -> Res {
    let numerator = logarithm(f64::ln, &args[0])?;
    if args[1].is_unset() {
        return Ok(Value::float(numerator));
    }
    let denominator = logarithm(f64::ln, &args[1])?;
    if denominator == 0.0 {
        return Err(zero_division("float division by zero"));
    }
    Ok(Value::float(numerator / denominator))
}

/// `math.floor`, `math.ceil`: by the value's own method, else of the value as a float.
fn rounded(value: &Value, method: Symbol, round: fn(f64) -> f64) -> Res {
    if as_float(value).is_none() || matches!(value, Value::Instance(_)) {
        if let Some(result) = special::call(value, method, &[]) {
            return result;
        }
        if let Some(n) = as_int(value) {
            return Ok(Value::from(n));
        }
    }
    whole(round(real(value)?))
}

fn whole(x: f64) -> Res {
    float::to_int(x).map(Value::from).map_err(|e| match e {
        float::NotFinite::Nan => value_error(e.to_integer()),
        float::NotFinite::Infinity => overflow_error(e.to_integer()),
    })
}

fn trunc(args: &[Value]) -> Res {
    if let Some(result) = special::call(&args[0], name::TRUNC, &[]) {
        return result;
    }
    if let Some(n) = as_int(&args[0]) {
        return Ok(Value::from(n));
    }
    match as_float(&args[0]) {
        Some(x) => whole(x),
        None => Err(type_error(format!(
            "type {} doesn't define __trunc__ method",
            class_name(&args[0])
        ))),
    }
}

fn pow(args: &[Value]) -> Res {
    let (x, y) = (real(&args[0])?, real(&args[1])?);
    let result = x.powf(y);
    if x.is_finite() && y.is_finite() {
        if result.is_nan() || (result.is_infinite() && x == 0.0) {
            return Err(domain_error());
        }
        if result.is_infinite() {
            return Err(range_error());
        }
    }
    Ok(Value::float(result))
}

fn fmod(args: &[Value]) -> Res {
    let (x, y) = (real(&args[0])?, real(&args[1])?);
    let result = x % y;
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(domain_error());
    }
    Ok(Value::float(result))
}

/// IEEE 754 remainder: from the nearest multiple, ties to the even one.
fn remainder(args: &[Value]) -> Res {
    let (x, y) = (real(&args[0])?, real(&args[1])?);
    if x.is_nan() || y.is_nan() {
        return Ok(Value::float(f64::NAN));
    }
    if x.is_infinite() || y == 0.0 {
        return Err(domain_error());
    }
    if y.is_infinite() {
        return Ok(Value::float(x));
    }
    let (whole, part) = (x.abs(), y.abs());
    let rest = whole % part;
    let complement = part - rest;
    let result = if rest < complement {
        rest
    } else if rest > complement {
        -complement
    } else {
        rest - 2.0 * ((0.5 * (whole - rest)) % part)
    };
    Ok(Value::float(1f64.copysign(x) * result))
}

fn scaled(args: &[Value]) -> Res {
    let x = real(&args[0])?;
    if !matches!(plain(&args[1]), Value::Int(_) | Value::Big(_) | Value::Bool(_)) {
        return Err(type_error("Expected an int as second argument to ldexp."));
    }
    let exponent = clamped(&index(&args[1])?).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
    let result = ldexp(x, exponent);
    if result.is_infinite() && x.is_finite() {
        return Err(range_error());
    }
    Ok(Value::float(result))
}

fn fma(args: &[Value]) -> Res {
    let (x, y, z) = (real(&args[0])?, real(&args[1])?, real(&args[2])?);
    let result = x.mul_add(y, z);
    if result.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
        return Err(value_error("invalid operation in fma"));
    }
    if result.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
        return Err(overflow_error("overflow in fma"));
    }
    Ok(Value::float(result))
}

fn is_close(args: &[Value]) -> Res {
    let (a, b) = (real(&args[0])?, real(&args[1])?);
    let tolerance = |value: &Value, default| {
        if value.is_unset() {
            Ok(default)
        } else {
            real(value)
        }
    };
    let (relative, absolute) = (tolerance(&args[2], 1e-9)?, tolerance(&args[3], 0.0)?);
    if relative < 0.0 || absolute < 0.0 {
        return Err(value_error("tolerances must be non-negative"));
    }
    if a == b {
        return Ok(Value::TRUE);
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(Value::FALSE);
    }
    let distance = (b - a).abs();
    let is_near =
        distance <= (relative * b).abs() || distance <= (relative * a).abs() || distance <= absolute;
    Ok(Value::bool(is_near))
}

fn next_after(args: &[Value]) -> Res {
    const SIGN: u64 = 1 << 63;
    let (x, y) = (real(&args[0])?, real(&args[1])?);
    let steps = match args[2].given() {
        None => 1,
        Some(steps) => match &index(steps)? {
            Value::Int(n) if *n < 0 => return Err(value_error("steps must be a non-negative integer")),
            Value::Int(n) => *n as u64,
            Value::Big(big) if big.0.sign() == Sign::Minus => {
                return Err(value_error("steps must be a non-negative integer"));
            }
            _ => u64::MAX,
        },
    };
    if steps == 0 || x.is_nan() {
        return Ok(Value::float(x));
    }
    if y.is_nan() || x == y {
        return Ok(Value::float(y));
    }
    if args[2].given().is_none() && x.abs() == f64::from_bits(1) && y.abs() < x.abs() {
        // A single step, which is C's, ends on the zero of its own side.
        return Ok(Value::float(0f64.copysign(x)));
    }
    let (from, to) = (x.to_bits(), y.to_bits());
    let (a, b) = (from & !SIGN, to & !SIGN);
    let bits = if (from ^ to) & SIGN != 0 {
        // The way leads through zero.
        if a + b <= steps {
            to
        } else if a < steps {
            (to & SIGN) | (steps - a)
        } else {
            from - steps
        }
    } else if a > b {
        if a - b >= steps { from - steps } else { to }
    } else if b - a >= steps {
        from + steps
    } else {
        to
    };
    Ok(Value::float(f64::from_bits(bits)))
}

fn ulp(args: &[Value]) -> Res {
    let x = real(&args[0])?.abs();
    Ok(Value::float(if !x.is_finite() {
        x
    } else if x == f64::MAX {
        x - x.next_down()
    } else {
        x.next_up() - x
    }))
}

fn split(args: &[Value]) -> Res {
    let x = real(&args[0])?;
    let (fraction, whole) = if x.is_infinite() {
        (0f64.copysign(x), x)
    } else {
        (x.fract(), x.trunc())
    };
    Ok(Value::tuple([
        Value::float(fraction.copysign(x)),
        Value::float(whole),
    ]))
}

fn norm(args: &[Value]) -> Res {
    let mut sides = Vec::new();
    for side in iterate::collect(&args[0])? {
        sides.push(real(&side)?.abs());
    }
    Ok(Value::float(sum::norm(sides)))
}

fn distance(args: &[Value]) -> Res {
    let point = |value: &Value| match value {
        Value::Tuple(point) => Ok(point.items.to_vec()),
        other => iterate::collect(other),
    };
    let (p, q) = (point(&args[0])?, point(&args[1])?);
    if p.len() != q.len() {
        return Err(value_error("both points must have the same number of dimensions"));
    }
    let mut sides = Vec::with_capacity(p.len());
    for (a, b) in p.iter().zip(&q) {
        sides.push((real(a)? - real(b)?).abs());
    }
    Ok(Value::float(sum::norm(sides)))
}

/// A function without errors of its own.
fn simple(f: fn(f64) -> f64, value: &Value) -> Res {
    Ok(Value::float(f(real(value)?)))
}

const ONE: &str = "(x, /)";
const TWO: &str = "(x, y, /)";

const REAL: &[NativeDef] = &[
    function("acos", ONE, "Return the arc cosine of x, in radians.", |a| {
        checked(f64::acos, false, &a[0])
    }),
    function("acosh", ONE, "Return the inverse hyperbolic cosine of x.", |a| {
        checked(|x| acosh(x), false, &a[0])
    }),
    function("asin", ONE, "Return the arc sine of x, in radians.", |a| {
        checked(f64::asin, false, &a[0])
    }),
    function("asinh", ONE, "Return the inverse hyperbolic sine of x.", |a| {
        checked(|x| asinh(x), false, &a[0])
    }),
    function("atan", ONE, "Return the arc tangent of x, in radians.", |a| {
        checked(f64::atan, false, &a[0])
    }),
    function(
        "atan2",
        "(y, x, /)",
        "Return the arc tangent of y/x, in the right quadrant.",
        |a| Ok(Value::float(real(&a[0])?.atan2(real(&a[1])?))),
    ),
    function("atanh", ONE, "Return the inverse hyperbolic tangent of x.", |a| {
        checked(|x| atanh(x), false, &a[0])
    }),
    function("cbrt", ONE, "Return the cube root of x.", |a| {
        checked(|x| cbrtf64(x), false, &a[0])
    }),
    function(
        "ceil",
        ONE,
        "Return the smallest integer that is at least x.",
        |a| rounded(&a[0], name::CEIL, f64::ceil),
    ),
    function("copysign", TWO, "Return x with the sign of y.", |a| {
        Ok(Value::float(real(&a[0])?.copysign(real(&a[1])?)))
    }),
    function("cos", ONE, "Return the cosine of x radians.", |a| {
        checked(f64::cos, false, &a[0])
    }),
    function("cosh", ONE, "Return the hyperbolic cosine of x.", |a| {
        checked(f64::cosh, true, &a[0])
    }),
    function("degrees", ONE, "Convert x from radians to degrees.", |a| {
        simple(|x| x * (180.0 / std::f64::consts::PI), &a[0])
    }),
    function(
        "dist",
        "(p, q, /)",
        "Return the distance between two points.",
        distance,
    ),
    function("erf", ONE, "Return the error function at x.", |a| {
        checked(|x| erf(x), false, &a[0])
    }),
    function("erfc", ONE, "Return 1 minus the error function at x.", |a| {
        checked(|x| erfc(x), false, &a[0])
    }),
    function("exp", ONE, "Return e raised to the power of x.", |a| {
        checked(f64::exp, true, &a[0])
    }),
    function("exp2", ONE, "Return 2 raised to the power of x.", |a| {
        checked(f64::exp2, true, &a[0])
    }),
    function("expm1", ONE, "Return exp(x)-1, exact also near 0.", |a| {
        checked(f64::exp_m1, true, &a[0])
    }),
    function("fabs", ONE, "Return the absolute value of x as a float.", |a| {
        simple(f64::abs, &a[0])
    }),
    function(
        "floor",
        ONE,
        "Return the largest integer that is at most x.",
        |a| rounded(&a[0], name::FLOOR, f64::floor),
    ),
    function("fma", "(x, y, z, /)", "Return x*y+z, rounded once.", fma),
    function(
        "fmod",
        TWO,
        "Return the remainder of x/y with the sign of x.",
        fmod,
    ),
    function(
        "frexp",
        ONE,
        "Return the fraction and the power of two of x.",
        |a| {
            let (fraction, exponent) = frexp(real(&a[0])?);
            Ok(Value::tuple([
                Value::float(fraction),
                Value::Int(i64::from(exponent)),
            ]))
        },
    ),
    function("gamma", ONE, "Return the gamma function at x.", |a| {
        gamma::gamma(real(&a[0])?).map(Value::float)
    }),
    function("hypot", "(*coordinates)", "Return the length of a vector.", norm),
    function(
        "isclose",
        "(a, b, *, rel_tol=1e-09, abs_tol=0.0)",
        "Tell whether two numbers are close to each other.",
        is_close,
    ),
    function(
        "isfinite",
        ONE,
        "Tell whether x is neither infinite nor NaN.",
        |a| Ok(Value::bool(real(&a[0])?.is_finite())),
    ),
    function("isinf", ONE, "Tell whether x is an infinity.", |a| {
        Ok(Value::bool(real(&a[0])?.is_infinite()))
    }),
    function("isnan", ONE, "Tell whether x is not a number.", |a| {
        Ok(Value::bool(real(&a[0])?.is_nan()))
    }),
    function(
        "ldexp",
        "(x, i, /)",
        "Return x times 2 to the power of i.",
        scaled,
    ),
    function(
        "lgamma",
        ONE,
        "Return the logarithm of the absolute gamma function at x.",
        |a| gamma::log_gamma(real(&a[0])?).map(Value::float),
    ),
    function(
        "log",
        "(x, base=e, /)",
        "Return the logarithm of x, to base e if none is given.",
        log,
    ),
    function("log10", ONE, "Return the base 10 logarithm of x.", |a| {
        logarithm(f64::log10, &a[0]).map(Value::float)
    }),
    function(
        "log1p",
        ONE,
        "Return the logarithm of 1+x, exact also near 0.",
        |a| checked(f64::ln_1p, false, &a[0]),
    ),
    function("log2", ONE, "Return the base 2 logarithm of x.", |a| {
        logarithm(f64::log2, &a[0]).map(Value::float)
    }),
    function(
        "modf",
        ONE,
        "Return the fractional and the whole part of x.",
        split,
    ),
    function(
        "nextafter",
        "(x, y, /, *, steps=None)",
        "Return the float some steps after x towards y.",
        next_after,
    ),
    function("pow", TWO, "Return x raised to the power of y, as a float.", pow),
    function("radians", ONE, "Convert x from degrees to radians.", |a| {
        simple(|x| x * (std::f64::consts::PI / 180.0), &a[0])
    }),
    function(
        "remainder",
        TWO,
        "Return the difference of x and the nearest multiple of y.",
        remainder,
    ),
    function("sin", ONE, "Return the sine of x radians.", |a| {
        checked(f64::sin, false, &a[0])
    }),
    function("sinh", ONE, "Return the hyperbolic sine of x.", |a| {
        checked(f64::sinh, true, &a[0])
    }),
    function("sqrt", ONE, "Return the square root of x.", |a| {
        checked(f64::sqrt, false, &a[0])
    }),
    function("tan", ONE, "Return the tangent of x radians.", |a| {
        checked(f64::tan, false, &a[0])
    }),
    function("tanh", ONE, "Return the hyperbolic tangent of x.", |a| {
        checked(f64::tanh, false, &a[0])
    }),
    function("trunc", ONE, "Return x without its fractional part.", trunc),
    function(
        "ulp",
        ONE,
        "Return the value of the least significant bit of x.",
        ulp,
    ),
];

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("math", &[REAL, integer::FUNCTIONS, sum::FUNCTIONS]);
    for (name, value) in [
        ("pi", std::f64::consts::PI),
        ("e", std::f64::consts::E),
        ("tau", std::f64::consts::TAU),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ] {
        names.push((Symbol::new(name), Value::float(value)));
    }
    names
}
