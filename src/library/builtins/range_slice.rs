//! `range` and `slice`.

use super::{member, method, readonly, static_method};
use crate::interp::big_range;
use crate::interp::error::*;
use crate::interp::operator;
use crate::interp::payload::*;
use crate::interp::{iterate, special, subscript};
use crate::source::name;
use crate::value::descriptor::BigRange;
use crate::value::iterator::IteratorState;
use crate::value::*;
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

fn this(args: &[Value]) -> Res<BigRange> {
    big_range::of(&args[0]).ok_or_else(|| wrong_self("range", "range", &args[0]))
}

fn number(value: &Value) -> Res<BigInt> {
    Ok(as_bigint(&index(value)?).unwrap_or_default())
}

fn new_range(args: &[Value]) -> Res {
    let (start, stop, step) = match (&args[2], &args[3]) {
        (Value::Unset, _) => {
            if let Value::Int(stop) = &args[1] {
                return Ok(Ref::new(Range {
                    start: 0,
                    stop: *stop,
                    step: 1,
                })
                .into());
            }
            (BigInt::ZERO, number(&args[1])?, BigInt::from(1))
        }
        (stop, Value::Unset) => (number(&args[1])?, number(stop)?, BigInt::from(1)),
        (stop, step) => (number(&args[1])?, number(stop)?, number(step)?),
    };
    if step.is_zero() {
        return Err(value_error("range() arg 3 must not be zero"));
    }
    Ok(big_range::make(start, stop, step))
}

/// An int that is found by what it is, without asking it for each number.
fn number_of(value: &Value) -> Option<BigInt> {
    match special::find(value, name::EQ) {
        Some(_) => None,
        None => as_bigint(value),
    }
}

pub const RANGE: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, start, stop=None, step=1, /)",
        "A sequence of integers from start to stop by step.",
        new_range,
    ),
    readonly("start"),
    member("start", "The first number.", |args| {
        Ok(Value::from(this(args)?.start))
    }),
    readonly("stop"),
    member("stop", "The number before which it ends.", |args| {
        Ok(Value::from(this(args)?.stop))
    }),
    readonly("step"),
    member("step", "The distance between numbers.", |args| {
        Ok(Value::from(this(args)?.step))
    }),
    method(
        "index",
        "(self, value, /)",
        "Return the index of value.",
        |args| {
            let range = this(args)?;
            if let Some(n) = number_of(&args[1]) {
                if let Some(place) = range.place(&n) {
                    return Ok(Value::from(place));
                }
            } else {
                for (place, item) in iterate::collect(&args[0])?.iter().enumerate() {
                    if operator::equal(item, &args[1])? {
                        return Ok(Value::from(place));
                    }
                }
                return Err(value_error("sequence.index(x): x not in sequence"));
            }
            Err(value_error(format!(
                "{} is not in range",
                crate::interp::text::repr(&args[1])?
            )))
        },
    ),
    method(
        "count",
        "(self, value, /)",
        "Return number of occurrences of value.",
        |args| {
            let range = this(args)?;
            match number_of(&args[1]) {
                Some(n) => Ok(Value::Int(range.place(&n).is_some() as i64)),
                None => {
                    let mut count = 0;
                    iterate::for_each(&args[0], |item| {
                        count += i64::from(operator::equal(&item, &args[1])?);
                        Ok(())
                    })?;
                    Ok(Value::Int(count))
                }
            }
        },
    ),
    method(
        "__reduce__",
        "(self, /)",
        "What copying makes the object of.",
        |args| {
            let range = this(args)?;
            let parts = [range.start, range.stop, range.step].map(Value::from);
            let of = crate::interp::types::class_of(&args[0]);
            Ok(Value::tuple([of.into(), Value::tuple(parts)]))
        },
    ),
    method(
        "__reversed__",
        "(self, /)",
        "Return a reverse iterator.",
        |args| {
            if let Some(range) = as_range(&args[0])
                && let Some(step) = range.step.checked_neg()
            {
                let last = i128::from(range.start) + (i128::from(range.len()) - 1) * i128::from(range.step);
                let state = IteratorState::Range {
                    next: last as i64,
                    left: range.len(),
                    step,
                };
                return Ok(NativeIterator::value("range_iterator", state));
            }
            Ok(this(args)?.iter(true))
        },
    ),
];

fn this_slice(args: &[Value]) -> Res<&Ref<Slice>> {
    as_slice(&args[0]).ok_or_else(|| wrong_self("slice", "slice", &args[0]))
}

fn given(value: &Value) -> Value {
    match value {
        Value::Unset => Value::None,
        value => value.clone(),
    }
}

pub const SLICE: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, start, stop=None, step=None, /)",
        "Create a slice object.",
        |args| {
            Ok(match &args[2] {
                Value::Unset => subscript::new_slice(Value::None, args[1].clone(), Value::None),
                stop => subscript::new_slice(args[1].clone(), stop.clone(), given(&args[3])),
            })
        },
    ),
    readonly("start"),
    member("start", "Where it begins.", |args| {
        Ok(this_slice(args)?.start.clone())
    }),
    readonly("stop"),
    member("stop", "Where it ends.", |args| {
        Ok(this_slice(args)?.stop.clone())
    }),
    readonly("step"),
    member("step", "The distance between places.", |args| {
        Ok(this_slice(args)?.step.clone())
    }),
    method(
        "indices",
        "(self, object, /)",
        "Start, stop and step for a sequence of this length.",
        |args| {
            let len = number(&args[1])?;
            if len.is_negative() {
                return Err(value_error("length should not be negative"));
            }
            let indices = big_range::indices(this_slice(args)?, &len)?;
            Ok(Value::tuple(indices.map(Value::from)))
        },
    ),
];
