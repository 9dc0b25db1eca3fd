//! Random floats of many distributions, by the methods that CPython uses, number for number.

use super::{this, unit};
use crate::code::{BinaryOp, CompareOp};
use crate::interp::error::*;
use crate::interp::operator;
use crate::interp::payload::*;
use crate::library::builtins::method;
use crate::library::modules::math::log_gamma;
use crate::value::*;
use std::f64::consts::{E, PI, TAU};

/// A float argument, or what it is by default.
fn arg(value: &Value, default: f64) -> Res<f64> {
    if value.is_unset() {
        Ok(default)
    } else {
        real(value)
    }
}

/// Whether formulas can go on with floats.
fn is_number(value: &Value) -> bool {
    matches!(
        plain(value),
        Value::Float(_) | Value::Int(_) | Value::Bool(_) | Value::Big(_)
    )
}

/// `a + x`: the sum, or the error that the operator has for what is no number.
pub fn plus(a: &Value, x: f64) -> Res<f64> {
    if !is_number(a) {
        operator::binary(BinaryOp::Add, a, &Value::float(x))?;
    }
    Ok(real(a)? + x)
}

/// `x * a` or `x / a`, in the same way.
fn scaled(op: BinaryOp, x: f64, a: &Value) -> Res<f64> {
    if !is_number(a) {
        operator::binary(op, &Value::float(x), a)?;
    }
    let a = real(a)?;
    Ok(if op == BinaryOp::Mul { x * a } else { x / a })
}

/// A parameter of a distribution that has to be above 0.
fn shape(value: &Value) -> Res<f64> {
    if !is_number(value) {
        operator::compare(CompareOp::LtE, value, &Value::float(0.0))?;
    }
    real(value)
}

fn float(x: f64) -> Res {
    Ok(Value::float(x))
}

fn triangular(args: &[Value]) -> Res {
    let (mut low, mut high) = (arg(&args[1], 0.0)?, arg(&args[2], 1.0)?);
    let mut u = unit(&args[0])?;
    let mut c = match args[3].given() {
        None => 0.5,
        Some(_) if high == low => return Ok(args[1].given().cloned().unwrap_or_else(|| Value::float(0.0))),
        Some(mode) => (real(mode)? - low) / (high - low),
    };
    if u > c {
        (u, c, low, high) = (1.0 - u, 1.0 - c, high, low);
    }
    float(low + (high - low) * (u * c).sqrt())
}

fn normal(args: &[Value]) -> Res<f64> {
    let this = &args[0];
    let magic = 4.0 * (-0.5f64).exp() / 2f64.sqrt();
    loop {
        let u1 = unit(this)?;
        let u2 = 1.0 - unit(this)?;
        let z = magic * (u1 - 0.5) / u2;
        if z * z / 4.0 <= -u2.ln() {
            return around(z, args);
        }
    }
}

/// A value of the normal distribution that a call asks for: `mu + z * sigma`.
fn around(z: f64, args: &[Value]) -> Res<f64> {
    let z = match &args[2] {
        Value::Unset => z,
        sigma => scaled(BinaryOp::Mul, z, sigma)?,
    };
    match &args[1] {
        Value::Unset => Ok(z),
        mu => plus(mu, z),
    }
}

fn gauss(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    let z = match generator.spare.take() {
        Some(z) => z,
        None => {
            let angle = unit(&args[0])? * TAU;
            let radius = (-2.0 * (1.0 - unit(&args[0])?).ln()).sqrt();
            generator.spare.set(Some(angle.sin() * radius));
            angle.cos() * radius
        }
    };
    float(around(z, args)?)
}

fn exponential(args: &[Value]) -> Res {
    let x = -(1.0 - unit(&args[0])?).ln();
    match &args[1] {
        Value::Unset => float(x),
        rate if is_number(rate) && real(rate)? == 0.0 => Err(zero_division("float division by zero")),
        rate => float(scaled(BinaryOp::Div, x, rate)?),
    }
}

fn von_mises(args: &[Value]) -> Res {
    let (mu, kappa) = (real(&args[1])?, real(&args[2])?);
    if kappa <= 1e-6 {
        return float(TAU * unit(&args[0])?);
    }
    let s = 0.5 / kappa;
    let r = s + (1.0 + s * s).sqrt();
    let z = loop {
        let z = (PI * unit(&args[0])?).cos();
        let d = z / (r + z);
        let u = unit(&args[0])?;
        if u < 1.0 - d * d || u <= (1.0 - d) * d.exp() {
            break z;
        }
    };
    let q = 1.0 / r;
    let f = (q + z) / (1.0 + q * z);
    let turn = if unit(&args[0])? > 0.5 {
        mu + f.acos()
    } else {
        mu - f.acos()
    };
    // Python's %: the result has the sign of the divisor.
    let rest = turn % TAU;
    float(if rest < 0.0 { rest + TAU } else { rest })
}

fn gamma(this: &Value, alpha: f64, beta: f64) -> Res<f64> {
    if alpha <= 0.0 || beta <= 0.0 {
        return Err(value_error("gammavariate: alpha and beta must be > 0.0"));
    }
    if alpha > 1.0 {
        let inverse = (2.0 * alpha - 1.0).sqrt();
        let (b, c) = (alpha - 4f64.ln(), alpha + inverse);
        loop {
            let u1 = unit(this)?;
            if !(u1 > 1e-7 && u1 < 0.9999999) {
                continue;
            }
            let u2 = 1.0 - unit(this)?;
            let v = (u1 / (1.0 - u1)).ln() / inverse;
            let x = alpha * v.exp();
            let z = u1 * u1 * u2;
            let r = b + c * v - x;
            if r + (1.0 + 4.5f64.ln()) - 4.5 * z >= 0.0 || r >= z.ln() {
                return Ok(x * beta);
            }
        }
    }
    if alpha == 1.0 {
        return Ok(-(1.0 - unit(this)?).ln() * beta);
    }
    loop {
        let b = (E + alpha) / E;
        let p = b * unit(this)?;
        let x = if p <= 1.0 {
            p.powf(1.0 / alpha)
        } else {
            -((b - p) / alpha).ln()
        };
        let u = unit(this)?;
        if if p > 1.0 {
            u <= x.powf(alpha - 1.0)
        } else {
            u <= (-x).exp()
        } {
            return Ok(x * beta);
        }
    }
}

fn beta(args: &[Value]) -> Res {
    let y = gamma(&args[0], shape(&args[1])?, 1.0)?;
    if y == 0.0 {
        return float(0.0);
    }
    float(y / (y + gamma(&args[0], shape(&args[2])?, 1.0)?))
}

/// How many of `n` tries succeed, each with probability `p`.
pub fn binomial(this: &Value, n: i64, p: f64) -> Res<i64> {
    if p == 0.0 {
        return Ok(0);
    }
    if p == 1.0 {
        return Ok(n);
    }
    if n == 1 {
        return Ok(i64::from(unit(this)? < p));
    }
    if p > 0.5 {
        return Ok(n - binomial(this, n, 1.0 - p)?);
    }
    let size = n as f64;
    if size * p < 10.0 {
        // The geometric method: how many tries until the next success.
        let (mut x, mut y) = (0, 0i64);
        let c = (1.0 - p).log2();
        if c == 0.0 {
            return Ok(x);
        }
        loop {
            y = y
                .saturating_add((unit(this)?.log2() / c).floor() as i64)
                .saturating_add(1);
            if y > n {
                return Ok(x);
            }
            x += 1;
        }
    }
    // BTRS: transformed rejection with squeeze (Hörmann 1993).
    let spread = (size * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let c = size * p + 0.5;
    let vr = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * spread;
    let lpq = (p / (1.0 - p)).ln();
    let mode = ((size + 1.0) * p).floor();
    let h = log_gamma(mode + 1.0)? + log_gamma(size - mode + 1.0)?;
    loop {
        let u = unit(this)? - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + c).floor();
        if k < 0.0 || k > size {
            continue;
        }
        let v = unit(this)?;
        if us >= 0.07 && v <= vr {
            return Ok(k as i64);
        }
        let v = v * (alpha / (a / (us * us) + b));
        if v.ln() <= h - log_gamma(k + 1.0)? - log_gamma(size - k + 1.0)? + (k - mode) * lpq {
            return Ok(k as i64);
        }
    }
}

const NORMAL: &str = "(self, mu=0.0, sigma=1.0)";

pub const METHODS: &[NativeDef] = &[
    method(
        "uniform",
        "(self, a, b)",
        "Return a float between a and b.",
        |args| {
            if !(is_number(&args[1]) && is_number(&args[2])) {
                operator::binary(BinaryOp::Sub, &args[2], &args[1])?;
            }
            let (a, b) = (real(&args[1])?, real(&args[2])?);
            float(a + (b - a) * unit(&args[0])?)
        },
    ),
    method(
        "triangular",
        "(self, low=0.0, high=1.0, mode=None)",
        "Return a float of a triangular distribution.",
        triangular,
    ),
    method(
        "normalvariate",
        NORMAL,
        "Return a float of a normal distribution.",
        |args| float(normal(args)?),
    ),
    method(
        "gauss",
        NORMAL,
        "Return a float of a normal distribution, in a quicker way.",
        gauss,
    ),
    method(
        "lognormvariate",
        "(self, mu, sigma)",
        "Return a float whose logarithm is normally distributed.",
        |args| float(normal(args)?.exp()),
    ),
    method(
        "expovariate",
        "(self, lambd=1.0)",
        "Return a float of an exponential distribution.",
        exponential,
    ),
    method(
        "vonmisesvariate",
        "(self, mu, kappa)",
        "Return a random angle.",
        von_mises,
    ),
    method(
        "gammavariate",
        "(self, alpha, beta)",
        "Return a float of a gamma distribution.",
        |args| float(gamma(&args[0], shape(&args[1])?, shape(&args[2])?)?),
    ),
    method(
        "betavariate",
        "(self, alpha, beta)",
        "Return a float of a beta distribution.",
        beta,
    ),
    method(
        "paretovariate",
        "(self, alpha)",
        "Return a float of a Pareto distribution.",
        |args| float((1.0 - unit(&args[0])?).powf(-1.0 / real(&args[1])?)),
    ),
    method(
        "weibullvariate",
        "(self, alpha, beta)",
        "Return a float of a Weibull distribution.",
        |args| {
            let u = 1.0 - unit(&args[0])?;
            float(real(&args[1])? * (-u.ln()).powf(1.0 / real(&args[2])?))
        },
    ),
];
