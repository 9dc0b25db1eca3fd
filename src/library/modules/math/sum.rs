//! Sums and products that do not lose digits on the way.

use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::{iterate, operator};
use crate::library::builtins::function;
use crate::value::*;

/// A number as a sum of a float and what rounding took from it.
#[derive(Clone, Copy)]
struct Double {
    high: f64,
    low: f64,
}

/// `a + b` exactly.
fn add(a: f64, b: f64) -> Double {
    let high = a + b;
    let z = high - a;
    Double {
        high,
        low: (a - (high - z)) + (b - z),
    }
}

/// `a + b` exactly, for `a` not smaller than `b`.
fn add_ordered(a: f64, b: f64) -> Double {
    let high = a + b;
    Double {
        high,
        low: (a - high) + b,
    }
}

/// `a * b` exactly.
fn multiply(a: f64, b: f64) -> Double {
    let high = a * b;
    Double {
        high,
        low: a.mul_add(b, -high),
    }
}

/// The length of a vector whose components are not negative; nearly always rounded correctly.
pub fn norm(mut sides: Vec<f64>) -> f64 {
    let largest = sides.iter().copied().fold(0.0, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    if sides.iter().any(|s| s.is_nan()) {
        return f64::NAN;
    }
    if largest == 0.0 || sides.len() <= 1 {
        return largest;
    }
    let exponent = super::frexp(largest).1;
    if exponent < -1023 {
        sides.iter_mut().for_each(|s| *s /= f64::MIN_POSITIVE);
        return f64::MIN_POSITIVE * norm(sides);
    }
    let scale = super::ldexp(1.0, -exponent);
    let (mut sum, mut products, mut sums) = (1.0, 0.0, 0.0);
    let mut take = |product: Double| {
        let next = add_ordered(sum, product.high);
        sum = next.high;
        products += product.low;
        sums += next.low;
        sum - 1.0 + (products + sums)
    };
    let mut total = 0.0;
    for side in sides {
        let side = side * scale;
        total = take(multiply(side, side));
    }
    let root = total.sqrt();
    let rest = take(multiply(-root, root));
    (root + rest / (2.0 * root)) / scale
}

/// The exact sum of floats, rounded once (Shewchuk's partial sums).
fn fsum(args: &[Value]) -> Res {
    let mut partials: Vec<f64> = Vec::new();
    let (mut special_sum, mut infinite_sum) = (0.0, 0.0);
    iterate::for_each(&args[0], |item| {
        let first = real(&item)?;
        let mut x = first;
        let mut kept = 0;
        for i in 0..partials.len() {
            let mut y = partials[i];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        partials.truncate(kept);
        if x == 0.0 {
            return Ok(());
        }
        if x.is_finite() {
            partials.push(x);
            return Ok(());
        }
        if first.is_finite() {
            return Err(overflow_error("intermediate overflow in fsum"));
        }
        if first.is_infinite() {
            infinite_sum += first;
        }
        special_sum += first;
        partials.clear();
        Ok(())
    })?;
    if special_sum != 0.0 {
        if f64::is_nan(infinite_sum) {
            return Err(value_error("-inf + inf in fsum"));
        }
        return Ok(Value::float(special_sum));
    }
    let Some(mut high) = partials.pop() else {
        return Ok(Value::float(0.0));
    };
    let mut low = 0.0;
    while let Some(y) = partials.pop() {
        let x = high;
        high = x + y;
        low = y - (high - x);
        if low != 0.0 {
            break;
        }
    }
    // Half an ulp is rounded to even by all that is left, not by the last two alone.
    if let Some(&next) = partials.last()
        && ((low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0))
    {
        let y = low * 2.0;
        let x = high + y;
        if y == x - high {
            high = x;
        }
    }
    Ok(Value::float(high))
}

/// A sum of products as three floats.
#[derive(Clone, Copy, Default)]
struct Triple {
    high: f64,
    low: f64,
    tiny: f64,
}

impl Triple {
    fn plus_product(self, a: f64, b: f64) -> Triple {
        let product = multiply(a, b);
        let sum = add(self.high, product.high);
        let first = add(self.low, product.low);
        let second = add(first.high, sum.low);
        Triple {
            high: sum.high,
            low: second.high,
            tiny: self.tiny + first.low + second.low,
        }
    }

    fn value(self) -> f64 {
        let last = add(self.low, self.high);
        self.tiny + last.low + last.high
    }
}

/// What a sum of products has come to: by machine ints as long as they last, then by floats, then
/// by any objects' operators.
enum Running {
    Ints(i64),
    Floats(Triple),
    Any,
}

/// A pair with at least one float, as floats.
fn float_pair(a: &Value, b: &Value) -> Option<(f64, f64)> {
    let number = |v: &Value| match v {
        Value::Float(x) => Some(x.get()),
        Value::Int(n) => Some(*n as f64),
        Value::Bool(b) => Some(f64::from(b.get())),
        Value::Big(big) => crate::text::int::to_f64(&big.0),
        _ => None,
    };
    if !matches!(a, Value::Float(_)) && !matches!(b, Value::Float(_)) {
        return None;
    }
    Some((number(a)?, number(b)?))
}

fn sumprod(args: &[Value]) -> Res {
    let (p, q) = (iterate::iter(&args[0])?, iterate::iter(&args[1])?);
    let mut total = Value::Int(0);
    let mut running = Running::Ints(0);
    let mut floats_over = false;
    loop {
        let pair = match (iterate::next(&p)?, iterate::next(&q)?) {
            (Some(a), Some(b)) => Some((a, b)),
            (None, None) => None,
            _ => return Err(value_error("Inputs are not the same length")),
        };
        if let Running::Ints(sum) = running {
            if let Some((Value::Int(a), Value::Int(b))) = &pair
                && let Some(next) = a.checked_mul(*b).and_then(|product| sum.checked_add(product))
            {
                running = Running::Ints(next);
                continue;
            }
            total = operator::binary(BinaryOp::Add, &total, &Value::Int(sum))?;
            running = Running::Floats(Triple::default());
        }
        if let Running::Floats(sum) = running {
            if let Some((a, b)) = &pair
                && let Some((a, b)) = float_pair(a, b)
                && let next = sum.plus_product(a, b)
                && next.high.is_finite()
            {
                running = Running::Floats(next);
                floats_over = true;
                continue;
            }
            if floats_over {
                total = operator::binary(BinaryOp::Add, &total, &Value::float(sum.value()))?;
            }
            running = Running::Any;
        }
        let Some((a, b)) = pair else { return Ok(total) };
        let product = operator::binary(BinaryOp::Mul, &a, &b)?;
        total = operator::binary(BinaryOp::Add, &total, &product)?;
    }
}

fn product(args: &[Value]) -> Res {
    let mut result = if args[1].is_unset() {
        Value::Int(1)
    } else {
        args[1].clone()
    };
    iterate::for_each(&args[0], |item| {
        result = operator::binary(BinaryOp::Mul, &result, &item)?;
        Ok(())
    })?;
    Ok(result)
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "fsum",
        "(seq, /)",
        "Return the sum of floats without loss of digits on the way.",
        fsum,
    ),
    function(
        "prod",
        "(iterable, /, *, start=1)",
        "Return the product of all items.",
        product,
    ),
    function(
        "sumprod",
        "(p, q, /)",
        "Return the sum of the products of items side by side.",
        sumprod,
    ),
];
