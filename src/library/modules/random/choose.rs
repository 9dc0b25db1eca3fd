//! Random ints, and random items of sequences.

use super::{below, big_below, unit};
use crate::code::{BinaryOp, CompareOp};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::{call, iterate, operator, subscript, text};
use crate::library::builtins::method;
use crate::source::{Symbol, name};
use crate::value::*;
use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// An int from 0 to below `n`, of any size.
fn any_below(this: &Value, n: &BigInt) -> Res<BigInt> {
    match n.to_u64() {
        Some(n) => Ok(BigInt::from(below(this, n)?)),
        None => Ok(BigInt::from_biguint(Sign::Plus, big_below(this, n.magnitude())?)),
    }
}

fn big(value: &Value) -> Res<BigInt> {
    Ok(as_bigint(&index(value)?).unwrap_or_default())
}

fn randrange(args: &[Value]) -> Res {
    let start = big(&args[1])?;
    if args[2].given().is_none() {
        if !args[3].is_unset() {
            return Err(type_error("Missing a non-None stop argument"));
        }
        if !start.is_positive() {
            return Err(value_error("empty range for randrange()"));
        }
        return any_below(&args[0], &start).map(Value::from);
    }
    let width = big(&args[2])? - &start;
    let step = if args[3].is_unset() {
        BigInt::one()
    } else {
        big(&args[3])?
    };
    let (from, to) = (text::str(&args[1])?, text::str(&args[2])?);
    if step.is_one() {
        if !width.is_positive() {
            return Err(value_error(format!("empty range in randrange({from}, {to})")));
        }
        return Ok(Value::from(start + any_below(&args[0], &width)?));
    }
    if step.is_zero() {
        return Err(value_error("zero step for randrange()"));
    }
    let rounded: BigInt = if step.is_positive() {
        width + &step - 1
    } else {
        width + &step + 1
    };
    let count = rounded.div_floor(&step);
    if !count.is_positive() {
        return Err(value_error(format!(
            "empty range in randrange({from}, {to}, {})",
            text::str(&args[3])?
        )));
    }
    Ok(Value::from(start + step * any_below(&args[0], &count)?))
}

fn randint(args: &[Value]) -> Res {
    let stop = operator::binary(BinaryOp::Add, &args[2], &Value::Int(1))?;
    randrange(&[args[0].clone(), args[1].clone(), stop, Value::Unset])
}

fn choice(args: &[Value]) -> Res {
    let len = iterate::length(&args[1])?;
    if len == 0 {
        return Err(index_error("Cannot choose from an empty sequence"));
    }
    subscript::get_item(&args[1], &Value::from(below(&args[0], len as u64)? as usize))
}

fn shuffle(args: &[Value]) -> Res {
    for i in (1..iterate::length(&args[1])?).rev() {
        let (i, j) = (
            Value::from(i),
            Value::from(below(&args[0], i as u64 + 1)? as usize),
        );
        let (a, b) = (
            subscript::get_item(&args[1], &i)?,
            subscript::get_item(&args[1], &j)?,
        );
        subscript::set_item(&args[1], &i, b)?;
        subscript::set_item(&args[1], &j, a)?;
    }
    Ok(Value::None)
}

/// Whether a value can be sampled: a sequence, not a set or a mapping.
fn is_sequence(value: &Value) -> bool {
    match plain(value) {
        Value::List(_)
        | Value::Tuple(_)
        | Value::Str(_)
        | Value::Range(_)
        | Value::Bytes(_)
        | Value::ByteArray(_) => true,
        Value::Dict(_) | Value::Set(_) | Value::FrozenSet(_) => false,
        _ => {
            call::special(value, name::GETITEM).is_some()
                && call::special(value, name::LEN).is_some()
                && call::special(value, Symbol::new("keys")).is_none()
        }
    }
}

/// The places of `k` different items of `n`.
fn sampled(this: &Value, n: usize, k: &Value) -> Res<Vec<usize>> {
    operator::compare(CompareOp::LtE, &Value::Int(0), k)?;
    let k = small(k)?;
    if k < 0 || k as usize > n {
        return Err(value_error("Sample larger than population or is negative"));
    }
    let k = k as usize;
    let mut chosen = Vec::with_capacity(k);
    let mut set_size = 21.0;
    if k > 5 {
        set_size += 4f64.powf(((k as f64 * 3.0).ln() / 4f64.ln()).ceil());
    }
    if n as f64 <= set_size {
        let mut pool: Vec<usize> = (0..n).collect();
        for i in 0..k {
            let j = below(this, (n - i) as u64)? as usize;
            chosen.push(pool[j]);
            pool[j] = pool[n - i - 1];
        }
    } else {
        let mut taken = rustc_hash::FxHashSet::default();
        for _ in 0..k {
            let place = loop {
                let j = below(this, n as u64)? as usize;
                if taken.insert(j) {
                    break j;
                }
            };
            chosen.push(place);
        }
    }
    Ok(chosen)
}

/// The sums of the first items, of the first two, and so on.
fn running_totals(values: &Value) -> Res<Vec<Value>> {
    let mut totals: Vec<Value> = Vec::new();
    iterate::for_each(values, |item| {
        let next = match totals.last() {
            Some(before) => operator::binary(BinaryOp::Add, before, &item)?,
            None => item,
        };
        totals.push(next);
        Ok(())
    })?;
    Ok(totals)
}

/// Where a value would stand to the right of all that are equal to it.
fn place_right(totals: &[Value], value: &Value, high: usize) -> Res<usize> {
    let (mut low, mut high) = (0, high);
    while low < high {
        let middle = (low + high) / 2;
        if operator::less(value, &totals[middle])? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

fn sample(args: &[Value]) -> Res {
    let [this, population, k, counts] = args else {
        return Ok(Value::None);
    };
    if !is_sequence(population) {
        return Err(type_error(
            "Population must be a sequence.  For dicts or sets, use sorted(d).",
        ));
    }
    let n = iterate::length(population)?;
    let mut places = Vec::new();
    if let Some(counts) = counts.given() {
        let mut totals = running_totals(counts)?;
        if totals.len() != n {
            return Err(value_error("The number of counts does not match the population"));
        }
        let total = totals.pop().unwrap_or(Value::Int(0));
        if as_int(&total).is_none() {
            return Err(type_error("Counts must be integers"));
        }
        let total = match usize::try_from(small(&total)?) {
            Ok(total) if total > 0 => total,
            _ => return Err(value_error("Total of counts must be greater than zero")),
        };
        for place in sampled(this, total, k)? {
            places.push(place_right(&totals, &Value::from(place), totals.len())?);
        }
    } else {
        places = sampled(this, n, k)?;
    }
    let items: Res<Vec<Value>> = places
        .into_iter()
        .map(|place| subscript::get_item(population, &Value::from(place)))
        .collect();
    items.map(Value::list)
}

fn choices(args: &[Value]) -> Res {
    let [this, population, weights, cumulative, k] = args else {
        return Ok(Value::None);
    };
    let n = iterate::length(population)?;
    let k = if k.is_unset() { 1 } else { small(k)? };
    let item = |place: usize| subscript::get_item(population, &Value::from(place));
    let mut chosen = Vec::new();
    let totals = match (weights.given(), cumulative.given()) {
        (None, None) => {
            for _ in 0..k {
                chosen.push(item((unit(this)? * n as f64) as usize)?);
            }
            return Ok(Value::list(chosen));
        }
        (Some(_), Some(_)) => return Err(type_error("Cannot specify both weights and cumulative weights")),
        (Some(weights), None) if as_int(weights).is_some() => {
            return Err(type_error(format!(
                "The number of choices must be a keyword argument: k={}",
                text::repr(weights)?
            )));
        }
        (Some(weights), None) => running_totals(weights)?,
        (None, Some(totals)) => iterate::collect(totals)?,
    };
    if totals.len() != n {
        return Err(value_error("The number of weights does not match the population"));
    }
    let Some(total) = totals.last() else {
        return Err(index_error("list index out of range"));
    };
    let total = super::distribution::plus(total, 0.0)?;
    if total <= 0.0 {
        return Err(value_error("Total of weights must be greater than zero"));
    }
    if !total.is_finite() {
        return Err(value_error("Total of weights must be finite"));
    }
    for _ in 0..k {
        let mark = Value::float(unit(this)? * total);
        chosen.push(item(place_right(&totals, &mark, n - 1)?)?);
    }
    Ok(Value::list(chosen))
}

fn randbytes(args: &[Value]) -> Res {
    let n =
        usize::try_from(small(&args[1])?).map_err(|_| value_error("number of bits must be non-negative"))?;
    if n == 0 {
        return Ok(Ref::new(Bytes([].into())).into());
    }
    let mut bytes = super::given_bits(&args[0], n as u64 * 8)?.to_bytes_le();
    bytes.resize(n, 0);
    Ok(Ref::new(Bytes(bytes.into())).into())
}

fn binomial(args: &[Value]) -> Res {
    if !args[1].is_unset() {
        operator::compare(CompareOp::Lt, &args[1], &Value::Int(0))?;
    }
    let n = if args[1].is_unset() { 1 } else { small(&args[1])? };
    let p = if args[2].is_unset() { 0.5 } else { real(&args[2])? };
    if n < 0 {
        return Err(value_error("n must be non-negative"));
    }
    if !(0.0..=1.0).contains(&p) {
        return Err(value_error("p must be in the range 0.0 <= p <= 1.0"));
    }
    super::distribution::binomial(&args[0], n, p).map(Value::Int)
}

pub const METHODS: &[NativeDef] = &[
    method(
        "randrange",
        "(self, start, stop=None, step=1)",
        "Return a random item of a range.",
        randrange,
    ),
    method(
        "randint",
        "(self, a, b)",
        "Return an int from a to b, both included.",
        randint,
    ),
    method(
        "choice",
        "(self, seq)",
        "Return a random item of a sequence.",
        choice,
    ),
    method(
        "shuffle",
        "(self, x)",
        "Bring a list into a random order.",
        shuffle,
    ),
    method(
        "sample",
        "(self, population, k, *, counts=None)",
        "Return k different items of a sequence.",
        sample,
    ),
    method(
        "choices",
        "(self, population, weights=None, *, cum_weights=None, k=1)",
        "Return k items of a sequence, each chosen from all of them.",
        choices,
    ),
    method("randbytes", "(self, n)", "Return n random bytes.", randbytes),
    method(
        "binomialvariate",
        "(self, n=1, p=0.5)",
        "Return how many of n tries succeed.",
        binomial,
    ),
];
