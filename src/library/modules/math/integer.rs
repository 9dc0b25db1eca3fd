//! Functions of ints: divisors, roots, ways to choose.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::library::builtins::function;
use crate::text::int;
use crate::value::*;
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

fn big(value: &Value) -> Res<BigInt> {
    let n = index(value)?;
    Ok(as_bigint(&n).unwrap_or_default())
}

/// Combines all arguments, each an int; most are small.
fn fold(
    args: &Value,
    first: i64,
    combine_small: fn(i64, i64) -> Option<i64>,
    combine: fn(&BigInt, &BigInt) -> BigInt,
) -> Res {
    let all = as_tuple(args).map_or(&[][..], |all| &all.items[..]);
    let small = all.iter().try_fold(first, |result, arg| match arg {
        Value::Int(n) => combine_small(result, *n),
        _ => None,
    });
    if let Some(small) = small {
        return Ok(Value::Int(small));
    }
    let mut result = BigInt::from(first);
    for arg in as_tuple(args).map(|t| t.items.to_vec()).unwrap_or_default() {
        result = combine(&result, &big(&arg)?);
    }
    Ok(Value::from(result.abs()))
}

/// The product of the numbers from `low` to `high`, both included.
fn product(low: u64, high: u64) -> BigUint {
    if high < low {
        return BigUint::one();
    }
    if high - low < 16 {
        return (low..=high).map(BigUint::from).product();
    }
    let middle = low + (high - low) / 2;
    product(low, middle) * product(middle + 1, high)
}

/// The greatest number whose factorial is a machine int.
const MOST_SMALL: i64 = 20;

fn factorial(args: &[Value]) -> Res {
    if let Value::Int(n @ 0..=MOST_SMALL) = args[0] {
        return Ok(Value::Int((2..=n).product()));
    }
    let n = big(&args[0])?;
    if n.is_negative() {
        return Err(value_error("factorial() not defined for negative values"));
    }
    match n.to_i64() {
        Some(n) => Ok(Value::from(BigInt::from(product(2, n as u64)))),
        None => Err(overflow_error(format!(
            "factorial() argument should not exceed {}",
            i64::MAX
        ))),
    }
}

fn isqrt(args: &[Value]) -> Res {
    if let Value::Int(n) = &args[0]
        && let Some(root) = n.checked_isqrt()
    {
        return Ok(Value::Int(root));
    }
    int::isqrt(&big(&args[0])?)
        .map(Value::from)
        .ok_or_else(|| value_error("isqrt() argument must be nonnegative"))
}

/// `n` and `k` of a choice, both not negative.
fn counts(args: &[Value]) -> Res<(BigInt, BigInt)> {
    let (n, k) = (big(&args[0])?, big(&args[1])?);
    for (name, value) in [("n", &n), ("k", &k)] {
        if value.is_negative() {
            return Err(value_error(format!("{name} must be a non-negative integer")));
        }
    }
    Ok((n, k))
}

/// `n * (n-1) * … ` with `k` factors.
fn falling(n: &BigInt, k: u64) -> BigInt {
    if let Some(n) = n.to_u64()
        && n < u64::MAX
    {
        return if k > n {
            BigInt::zero()
        } else {
            product(n - k + 1, n).into()
        };
    }
    (0..k).map(|i| n - i).product()
}

fn perm(args: &[Value]) -> Res {
    if args[1].given().is_none() {
        return factorial(args);
    }
    let (n, k) = counts(args)?;
    if n < k {
        return Ok(Value::Int(0));
    }
    match k.to_i64() {
        Some(k) => Ok(Value::from(falling(&n, k as u64))),
        None => Err(overflow_error(format!("k must not exceed {}", i64::MAX))),
    }
}

/// The ways to choose, if the numbers stay small.
fn small_comb(n: i64, k: i64) -> Option<i64> {
    if k < 0 || n < k {
        return None;
    }
    // Each product has its divisor among its factors.
    (0..k.min(n - k)).try_fold(1i64, |ways, i| Some(ways.checked_mul(n - i)? / (i + 1)))
}

fn comb(args: &[Value]) -> Res {
    if let [Value::Int(n), Value::Int(k)] = args
        && let Some(ways) = small_comb(*n, *k)
    {
        return Ok(Value::Int(ways));
    }
    let (n, k) = counts(args)?;
    if n < k {
        return Ok(Value::Int(0));
    }
    let fewer = (&n - &k).min(k);
    match fewer.to_i64() {
        Some(k) => Ok(Value::from(
            falling(&n, k as u64) / BigInt::from_biguint(Sign::Plus, product(2, k as u64)),
        )),
        None => Err(overflow_error(format!(
            "min(n - k, k) must not exceed {}",
            i64::MAX
        ))),
    }
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "comb",
        "(n, k, /)",
        "Return the number of ways to choose k of n items, in any order.",
        comb,
    ),
    function(
        "factorial",
        "(n, /)",
        "Return the product of the numbers from 1 to n.",
        factorial,
    ),
    function(
        "gcd",
        "(*integers)",
        "Return the greatest common divisor.",
        |args| {
            // The least int has no opposite.
            let gcd = |a: i64, b: i64| i64::try_from(a.unsigned_abs().gcd(&b.unsigned_abs())).ok();
            fold(&args[0], 0, gcd, |a, b| a.gcd(b))
        },
    ),
    function(
        "isqrt",
        "(n, /)",
        "Return the whole part of the square root of n.",
        isqrt,
    ),
    function(
        "lcm",
        "(*integers)",
        "Return the least common multiple.",
        |args| {
            let lcm = |a: i64, b: i64| match (a, b) {
                (0, _) | (_, 0) => Some(0),
                (a, b) => (a / a.gcd(&b)).checked_mul(b)?.checked_abs(),
            };
            fold(&args[0], 1, lcm, |a, b| a.lcm(b))
        },
    ),
    function(
        "perm",
        "(n, k=None, /)",
        "Return the number of ways to choose k of n items in order.",
        perm,
    ),
];
