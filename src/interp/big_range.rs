//! Ranges whose numbers do not fit 64 bits: rare, so everything is done the plain way.

use super::error::*;
use super::payload::{as_bigint, as_slice, has_index, index};
use super::types::{Type, class, class_name};
use crate::value::descriptor::BigRange;
use crate::value::*;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::cell::RefCell;

/// A range of any numbers: the small form if they fit.
pub fn make(start: BigInt, stop: BigInt, step: BigInt) -> Value {
    match (start.to_i64(), stop.to_i64(), step.to_i64()) {
        (Some(start), Some(stop), Some(step)) => Ref::new(Range { start, stop, step }).into(),
        _ => Opaque::value(class(Type::Range), BigRange { start, stop, step }),
    }
}

/// The big form of any range.
pub fn of(value: &Value) -> Option<BigRange> {
    match value {
        Value::Range(range) => Some(BigRange {
            start: range.start.into(),
            stop: range.stop.into(),
            step: range.step.into(),
        }),
        other => other.opaque::<BigRange>().map(|range| BigRange {
            start: range.start.clone(),
            stop: range.stop.clone(),
            step: range.step.clone(),
        }),
    }
}

impl BigRange {
    /// How many numbers it has.
    pub fn len(&self) -> BigInt {
        let span = if self.step.is_positive() {
            &self.stop - &self.start
        } else {
            &self.start - &self.stop
        };
        if !span.is_positive() {
            return BigInt::zero();
        }
        (span - BigInt::one()) / self.step.abs() + BigInt::one()
    }

    pub fn is_empty(&self) -> bool {
        self.len().is_zero()
    }

    /// The place of a number in it.
    pub fn place(&self, n: &BigInt) -> Option<BigInt> {
        let (place, rest) = (n - &self.start).div_mod_floor(&self.step);
        (rest.is_zero() && !place.is_negative() && place < self.len()).then_some(place)
    }

    /// What equal ranges have in common: length, first number, step.
    pub fn key(&self) -> (BigInt, BigInt, BigInt) {
        let len = self.len();
        match len.to_u8() {
            Some(0) => (len, BigInt::zero(), BigInt::zero()),
            Some(1) => (len, self.start.clone(), BigInt::zero()),
            _ => (len, self.start.clone(), self.step.clone()),
        }
    }

    pub fn equals(&self, other: &BigRange) -> bool {
        self.key() == other.key()
    }

    pub fn repr(&self) -> String {
        let (start, stop, step) = (&self.start, &self.stop, &self.step);
        if step.is_one() {
            format!("range({start}, {stop})")
        } else {
            format!("range({start}, {stop}, {step})")
        }
    }

    /// An iterator over it, backwards if `reversed`.
    pub fn iter(&self, reversed: bool) -> Value {
        let (start, step) = match reversed {
            false => (self.start.clone(), self.step.clone()),
            true => (
                &self.start + (self.len() - BigInt::one()) * &self.step,
                -&self.step,
            ),
        };
        let state = RefCell::new((start, self.len()));
        NativeIterator::from_fn("longrange_iterator", move || {
            let mut state = state.borrow_mut();
            if !state.1.is_positive() {
                return Ok(None);
            }
            let next = &state.0 + &step;
            let item = std::mem::replace(&mut state.0, next);
            state.1 -= 1;
            Ok(Some(Value::from(item)))
        })
    }

    /// `range[index]`
    pub fn item(&self, at: &Value) -> Res {
        if let Some(slice) = as_slice(at) {
            return self.slice(slice);
        }
        if !has_index(at) {
            return Err(type_error(format!(
                "range indices must be integers or slices, not {}",
                class_name(at)
            )));
        }
        let mut place = as_bigint(&index(at)?).unwrap_or_default();
        let len = self.len();
        if place.is_negative() {
            place += &len;
        }
        if place.is_negative() || place >= len {
            return Err(index_error("range object index out of range"));
        }
        Ok(Value::from(&self.start + place * &self.step))
    }

    fn slice(&self, slice: &Slice) -> Res {
        let [start, stop, step] = indices(slice, &self.len())?;
        Ok(make(
            &self.start + start * &self.step,
            &self.start + stop * &self.step,
            &self.step * step,
        ))
    }
}

/// Start, stop and step of a slice of something of that length.
pub fn indices(slice: &Slice, len: &BigInt) -> Res<[BigInt; 3]> {
    let part = |value: &Value| match value {
        Value::None => Ok(None),
        value if has_index(value) => Ok(as_bigint(&index(value)?)),
        _ => Err(type_error(
            "slice indices must be integers or None or have an __index__ method",
        )),
    };
    let step = part(&slice.step)?.unwrap_or_else(BigInt::one);
    if step.is_zero() {
        return Err(value_error("slice step cannot be zero"));
    }
    let (lowest, highest) = match step.is_negative() {
        true => (-BigInt::one(), len - BigInt::one()),
        false => (BigInt::zero(), len.clone()),
    };
    let clamp = |n: BigInt| {
        let n = if n.is_negative() { n + len } else { n };
        n.clamp(lowest.clone(), highest.clone())
    };
    let (first, last) = if step.is_negative() {
        (&highest, &lowest)
    } else {
        (&lowest, &highest)
    };
    let start = part(&slice.start)?.map_or_else(|| first.clone(), clamp);
    let stop = part(&slice.stop)?.map_or_else(|| last.clone(), clamp);
    Ok([start, stop, step])
}
