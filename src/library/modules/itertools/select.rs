//! Iterators that pass on some of the items of others.

use super::{Tool, tool};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::{call, iterate, operator};
use crate::value::*;
use std::cell::{Cell, RefCell};

pub const TOOLS: &[Tool] = &[
    tool!(
        "itertools.compress",
        "(cls, data, selectors)",
        "Make an iterator of the items whose selector is true.",
        compress,
    ),
    tool!(
        "itertools.dropwhile",
        "(cls, predicate, iterable, /)",
        "Make an iterator that begins where the predicate fails.",
        drop_while,
    ),
    tool!(
        "itertools.filterfalse",
        "(cls, function, iterable, /)",
        "Make an iterator of the items for which the function is false.",
        filter_false,
    ),
    tool!(
        "itertools.islice",
        "(cls, iterable, /, *bounds)",
        "Make an iterator of a slice of an iterable.",
        islice,
    ),
    tool!(
        "itertools.pairwise",
        "(cls, iterable, /)",
        "Make an iterator of overlapping pairs.",
        pairwise,
    ),
    tool!(
        "itertools.starmap",
        "(cls, function, iterable, /)",
        "Make an iterator that calls the function with each item's items.",
        starmap,
    ),
    tool!(
        "itertools.takewhile",
        "(cls, predicate, iterable, /)",
        "Make an iterator that ends where the predicate fails.",
        take_while,
    ),
    tool!(
        "itertools.zip_longest",
        "(cls, /, *iterables, fillvalue=None)",
        "Make an iterator of tuples, until the longest iterable ends.",
        zip_longest,
    ),
];

/// Whether a predicate holds for an item.
fn holds(predicate: &Value, item: &Value) -> Res<bool> {
    operator::truth(&call::call(predicate, std::slice::from_ref(item))?)
}

fn compress(args: &[Value]) -> Res {
    let (data, selectors) = (iterate::iter(&args[1])?, iterate::iter(&args[2])?);
    Ok(NativeIterator::from_fn("itertools.compress", move || {
        loop {
            let (Some(item), Some(selector)) = (iterate::next(&data)?, iterate::next(&selectors)?) else {
                return Ok(None);
            };
            if operator::truth(&selector)? {
                return Ok(Some(item));
            }
        }
    }))
}

fn drop_while(args: &[Value]) -> Res {
    let (predicate, iterator) = (args[1].clone(), iterate::iter(&args[2])?);
    let begun = Cell::new(false);
    Ok(NativeIterator::from_fn("itertools.dropwhile", move || {
        loop {
            let Some(item) = iterate::next(&iterator)? else {
                return Ok(None);
            };
            if begun.get() || !holds(&predicate, &item)? {
                begun.set(true);
                return Ok(Some(item));
            }
        }
    }))
}

fn take_while(args: &[Value]) -> Res {
    let (predicate, iterator) = (args[1].clone(), iterate::iter(&args[2])?);
    Ok(NativeIterator::from_fn(
        "itertools.takewhile",
        move || match iterate::next(&iterator)? {
            Some(item) if holds(&predicate, &item)? => Ok(Some(item)),
            _ => Ok(None),
        },
    ))
}

fn filter_false(args: &[Value]) -> Res {
    let (function, iterator) = (args[1].given().cloned(), iterate::iter(&args[2])?);
    Ok(NativeIterator::from_fn("itertools.filterfalse", move || {
        loop {
            let Some(item) = iterate::next(&iterator)? else {
                return Ok(None);
            };
            let found = match &function {
                Some(function) => holds(function, &item)?,
                None => operator::truth(&item)?,
            };
            if !found {
                return Ok(Some(item));
            }
        }
    }))
}

fn starmap(args: &[Value]) -> Res {
    let (function, iterator) = (args[1].clone(), iterate::iter(&args[2])?);
    Ok(NativeIterator::from_fn("itertools.starmap", move || {
        let Some(items) = iterate::next(&iterator)? else {
            return Ok(None);
        };
        match &items {
            Value::Tuple(items) => call::call(&function, &items.items),
            items => call::call(&function, &iterate::collect(items)?),
        }
        .map(Some)
    }))
}

fn pairwise(args: &[Value]) -> Res {
    let iterator = iterate::iter(&args[1])?;
    let before: RefCell<Option<Value>> = RefCell::new(None);
    Ok(NativeIterator::single("itertools.pairwise", move || {
        let known = before.borrow().clone();
        let first = match known {
            Some(first) => first,
            None => match iterate::next(&iterator)? {
                Some(first) => {
                    let old = before.replace(Some(first.clone()));
                    drop(old);
                    first
                }
                None => return Ok(None),
            },
        };
        let Some(second) = iterate::next(&iterator)? else {
            return Ok(None);
        };
        let old = before.replace(Some(second.clone()));
        drop(old);
        Ok(Some(Value::tuple([first, second])))
    }))
}

/// A bound of a slice: not negative, or none.
fn slice_bound(value: &Value, message: &str) -> Res<Option<usize>> {
    if value.given().is_none() {
        return Ok(None);
    }
    match index(value) {
        Ok(Value::Int(n)) if n >= 0 => Ok(Some(n as usize)),
        Ok(_) => Err(value_error(message)),
        Err(raised) => {
            drop(raised.take());
            Err(value_error(message))
        }
    }
}

fn islice(args: &[Value]) -> Res {
    const INDICES: &str = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    const STOP: &str = "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    let stop_bound = |stop: &Value| {
        // CPython sees -1, its sign of an error, before it looks at the places.
        let is_place = matches!(stop, Value::Int(n) if *n < -1);
        slice_bound(stop, if is_place { INDICES } else { STOP })
    };
    let bounds = as_tuple(&args[2]).map(|t| t.items.to_vec()).unwrap_or_default();
    let (start, stop, step) = match bounds.as_slice() {
        [] => return Err(type_error("islice expected at least 2 arguments, got 1")),
        [stop] => (0, stop_bound(stop)?, 1),
        [start, stop, rest @ ..] if rest.len() < 2 => {
            // A bad stop is told of before a bad start.
            let stop = stop_bound(stop)?;
            let start = slice_bound(start, INDICES)?.unwrap_or(0);
            const STEP: &str = "Step for islice() must be a positive integer or None.";
            let step = match rest.first() {
                Some(step) => slice_bound(step, STEP)?.unwrap_or(1),
                None => 1,
            };
            if step == 0 {
                return Err(value_error(STEP));
            }
            (start, stop, step)
        }
        more => {
            return Err(type_error(format!(
                "islice expected at most 4 arguments, got {}",
                more.len() + 1
            )));
        }
    };
    let iterator = iterate::iter(&args[1])?;
    let (count, next) = (Cell::new(0), Cell::new(start));
    Ok(NativeIterator::from_fn("itertools.islice", move || {
        while count.get() < next.get() {
            if iterate::next(&iterator)?.is_none() {
                return Ok(None);
            }
            count.set(count.get() + 1);
        }
        if stop.is_some_and(|stop| count.get() >= stop) {
            return Ok(None);
        }
        let item = iterate::next(&iterator)?;
        count.set(count.get() + 1);
        let after = next.get().saturating_add(step);
        next.set(stop.map_or(after, |stop| after.min(stop)));
        Ok(item)
    }))
}

fn zip_longest(args: &[Value]) -> Res {
    let fill = if args[2].is_unset() {
        Value::None
    } else {
        args[2].clone()
    };
    let mut iterators = Vec::new();
    for iterable in iterate::collect(&args[1])? {
        iterators.push(Some(iterate::iter(&iterable)?));
    }
    let left = Cell::new(iterators.len());
    let iterators = RefCell::new(iterators);
    Ok(NativeIterator::from_fn("itertools.zip_longest", move || {
        if left.get() == 0 {
            return Ok(None);
        }
        let count = iterators.borrow().len();
        let mut row = Vec::with_capacity(count);
        for i in 0..count {
            let iterator = iterators.borrow()[i].clone();
            let item = match &iterator {
                Some(iterator) => iterate::next(iterator)?,
                None => None,
            };
            if item.is_none() && iterator.is_some() {
                left.set(left.get() - 1);
                if left.get() == 0 {
                    return Ok(None);
                }
                let old = iterators.borrow_mut()[i].take();
                drop(old);
            }
            row.push(item.unwrap_or_else(|| fill.clone()));
        }
        Ok(Some(Value::tuple(row)))
    }))
}
