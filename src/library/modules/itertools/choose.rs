//! Iterators over the ways to choose from items.
//!
//! Always true: a pool is taken whole when the iterator is made; the next choice is worked out
//! from the indices of the one before.

use super::{Tool, size, tool};
use crate::interp::error::*;
use crate::interp::iterate;
use crate::interp::payload::*;
use crate::value::*;
use std::cell::RefCell;

pub const TOOLS: &[Tool] = &[
    tool!(
        "itertools.combinations",
        "(cls, iterable, r)",
        "Make an iterator of the choices of r items, in order.",
        |args| {
            let (pool, r) = (
                iterate::collect(&args[1])?,
                size(&args[2], "r must be non-negative")?,
            );
            let first = (r <= pool.len()).then(|| (0..r).collect());
            let n = pool.len();
            Ok(choices("itertools.combinations", pool, first, move |indices| {
                let Some(i) = (0..r).rev().find(|&i| indices[i] != i + n - r) else {
                    return false;
                };
                indices[i] += 1;
                (i + 1..r).for_each(|j| indices[j] = indices[j - 1] + 1);
                true
            }))
        },
    ),
    tool!(
        "itertools.combinations_with_replacement",
        "(cls, iterable, r)",
        "Make an iterator of the choices of r items, each any number of times.",
        |args| {
            let (pool, r) = (
                iterate::collect(&args[1])?,
                size(&args[2], "r must be non-negative")?,
            );
            let n = pool.len();
            let first = (n > 0 || r == 0).then(|| vec![0; r]);
            Ok(choices(
                "itertools.combinations_with_replacement",
                pool,
                first,
                move |indices| {
                    let Some(i) = (0..r).rev().find(|&i| indices[i] + 1 != n) else {
                        return false;
                    };
                    let next = indices[i] + 1;
                    indices[i..].fill(next);
                    true
                },
            ))
        },
    ),
    tool!(
        "itertools.permutations",
        "(cls, iterable, r=None)",
        "Make an iterator of the orders of r items.",
        permutations,
    ),
    tool!(
        "itertools.product",
        "(cls, /, *iterables, repeat=1)",
        "Make an iterator of the choices of one item from each iterable.",
        product,
    ),
];

/// An iterator of tuples of the pool's items, from the first indices on; `advance` makes the next
/// indices of the ones before.
fn choices(
    name: &'static str,
    pool: Vec<Value>,
    first: Option<Vec<usize>>,
    advance: impl Fn(&mut [usize]) -> bool + Clone + 'static,
) -> Value {
    let state = RefCell::new((first, true));
    NativeIterator::from_fn(name, move || {
        let mut state = state.borrow_mut();
        let (Some(indices), is_first) = &mut *state else {
            return Ok(None);
        };
        if !std::mem::take(is_first) && !advance(indices) {
            return Ok(None);
        }
        Ok(Some(Value::tuple(
            indices.iter().map(|&i| pool[i].clone()).collect::<Vec<_>>(),
        )))
    })
}

fn permutations(args: &[Value]) -> Res {
    let pool = iterate::collect(&args[1])?;
    let n = pool.len();
    let r = match args[2].given() {
        None => n,
        Some(r) if as_int(r).is_none() => return Err(type_error("Expected int as r")),
        Some(r) => size(r, "r must be non-negative")?,
    };
    let first = (r <= n).then(|| (0..n).collect::<Vec<_>>());
    let cycles: RefCell<Vec<usize>> = RefCell::new((0..r.min(n)).map(|i| n - i).collect());
    let state = RefCell::new((first, true));
    Ok(NativeIterator::from_fn("itertools.permutations", move || {
        let mut state = state.borrow_mut();
        let (Some(indices), is_first) = &mut *state else {
            return Ok(None);
        };
        if !std::mem::take(is_first) {
            let mut cycles = cycles.borrow_mut();
            let mut turned = false;
            for i in (0..r).rev() {
                cycles[i] -= 1;
                if cycles[i] == 0 {
                    indices[i..].rotate_left(1);
                    cycles[i] = n - i;
                } else {
                    indices.swap(i, n - cycles[i]);
                    turned = true;
                    break;
                }
            }
            if !turned {
                return Ok(None);
            }
        }
        Ok(Some(Value::tuple(
            indices[..r].iter().map(|&i| pool[i].clone()).collect::<Vec<_>>(),
        )))
    }))
}

fn product(args: &[Value]) -> Res {
    let repeat = match &args[2] {
        Value::Unset => 1,
        value => size(value, "repeat argument cannot be negative")?,
    };
    let mut once = Vec::new();
    for iterable in iterate::collect(&args[1])? {
        once.push(iterate::collect(&iterable)?);
    }
    if repeat.saturating_mul(once.len()) > 1 << 24 {
        return Err(overflow_error("repeat argument too large"));
    }
    let pools: Vec<Vec<Value>> = (0..repeat).flat_map(|_| once.iter().cloned()).collect();
    let first = pools
        .iter()
        .all(|pool| !pool.is_empty())
        .then(|| vec![0usize; pools.len()]);
    let state = RefCell::new((first, true));
    Ok(NativeIterator::from_fn("itertools.product", move || {
        let mut state = state.borrow_mut();
        let (Some(indices), is_first) = &mut *state else {
            return Ok(None);
        };
        if !std::mem::take(is_first) {
            let Some(i) = (0..pools.len()).rev().find(|&i| indices[i] + 1 < pools[i].len()) else {
                return Ok(None);
            };
            indices[i] += 1;
            indices[i + 1..].fill(0);
        }
        Ok(Some(Value::tuple(
            indices
                .iter()
                .zip(&pools)
                .map(|(&i, pool)| pool[i].clone())
                .collect::<Vec<_>>(),
        )))
    }))
}
