//! `_datetime`: the calendar, and what dates, moments and spans are made of.
//!
//! Always true: a date keeps the number of its day in its slot `_at`; times and moments keep there
//! twice their microseconds by the clock (since midnight, or since day 0) plus the fold, and their
//! zone in `_zone`; a span keeps its microseconds in `_us`.

mod construct;
mod fields;
mod iso;
mod operators;
mod part;
mod stamp;

use super::time::{civil_from_days, days_from_civil};
use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{call, operator};
use crate::library::builtins::function;
use crate::source::{Symbol, name};
use crate::value::*;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

/// The number of 1970-01-01, counted from 1 for January 1 of year 1.
const DAY_OF_1970: i64 = 719_163;
const LAST_YEAR: i64 = 9999;
/// The numbers of all days that there are.
const DAYS: std::ops::RangeInclusive<i64> = 1..=3_652_059;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

fn to_ordinal(year: i64, month: i64, day: i64) -> i64 {
    days_from_civil(year, month, day) + DAY_OF_1970
}

fn from_ordinal(number: i64) -> (i64, i64, i64) {
    civil_from_days(number - DAY_OF_1970)
}

/// An instance of a class of ours, with what it is made of.
fn instance(of: &Ref<Class>, slot: Symbol, value: Value) -> Value {
    let shape = of.root_shape.with(slot);
    Ref::new(Instance::filled(of.clone(), shape, [value])).into()
}

/// The microseconds of a span.
#[inline]
fn span_of(value: &Value) -> Option<i128> {
    let Value::Instance(span) = value else {
        return None;
    };
    match span.small_slot(name::US) {
        Some(us) => Some(us.into()),
        None => long_span(span),
    }
}

#[cold]
fn long_span(span: &Instance) -> Option<i128> {
    as_bigint(&span.slot(name::US)?)?.to_i128()
}

/// A class argument whose objects have no layout of their own.
fn class_argument(value: &Value) -> Res<&Ref<Class>> {
    match as_class(value) {
        Some(of) if of.layout == Layout::Object => Ok(of),
        _ => Err(type_error(format!(
            "__new__(X): X is not a type object ({})",
            class_name(value)
        ))),
    }
}

/// Whether objects of a class are made of fields that are known to be good; the others are made by a call.
fn is_ours(class: &Class) -> bool {
    matches!(class.dict.borrow().get(&name::NEW), Some(Value::Native(_)))
}

/// The date of a day's number, in a class.
fn date_in(of: &Ref<Class>, number: i64) -> Res {
    if !DAYS.contains(&number) {
        return Err(out_of_range());
    }
    match is_ours(of) {
        true => Ok(fields::date(of, number)),
        false => {
            let (year, month, day) = from_ordinal(number);
            call::call(&of.clone().into(), &[year, month, day].map(Value::Int))
        }
    }
}

/// The moment so many microseconds after day 0, in a class.
fn moment_in(of: &Ref<Class>, us: i128, zone: Value) -> Res {
    let us = i64::try_from(us).map_err(|_| out_of_range())?;
    if !DAYS.contains(&us.div_euclid(DAY)) {
        return Err(out_of_range());
    }
    if is_ours(of) {
        return Ok(fields::timed(of, us << 1, zone));
    }
    let mut args = fields::civil_at(us).map(Value::Int).to_vec();
    args.push(zone);
    call::call(&of.clone().into(), &args)
}

/// A span of so many microseconds, in a class.
fn span_in(of: &Ref<Class>, us: i128) -> Res {
    const LONGEST_DAYS: i128 = 999_999_999;
    // What has 64 bits is never too long.
    if let Ok(us) = i64::try_from(us) {
        return Ok(instance(of, name::US, Value::Int(us)));
    }
    let days = us.div_euclid(DAY.into());
    if i32::try_from(days).is_err() {
        return Err(overflow_error("Python int too large to convert to C int"));
    }
    if days.abs() > LONGEST_DAYS {
        return Err(overflow_error(format!(
            "days={days}; must have magnitude <= {LONGEST_DAYS}"
        )));
    }
    Ok(instance(of, name::US, BigInt::from(us).into()))
}

/// The arguments as ints of 32 bits.
fn int32s<const N: usize>(args: &[Value]) -> Res<[i64; N]> {
    let mut numbers = [0; N];
    for (number, arg) in numbers.iter_mut().zip(args) {
        *number = int32(arg)?.into();
    }
    Ok(numbers)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn check_date([year, month, day]: [i64; 3]) -> Res<()> {
    if !(1..=LAST_YEAR).contains(&year) {
        return Err(value_error(format!("year {year} is out of range")));
    }
    if !(1..=12).contains(&month) {
        return Err(value_error("month must be in 1..12"));
    }
    if !(1..=days_in_month(year, month)).contains(&day) {
        return Err(value_error("day is out of range for month"));
    }
    Ok(())
}

fn check_time(clock: [i64; 4], fold: i64) -> Res<()> {
    const LAST: [(&str, i64); 4] = [
        ("hour", 23),
        ("minute", 59),
        ("second", 59),
        ("microsecond", SECOND - 1),
    ];
    for ((name, last), value) in LAST.into_iter().zip(clock) {
        if !(0..=last).contains(&value) {
            return Err(value_error(format!("{name} must be in 0..{last}")));
        }
    }
    match fold {
        0 | 1 => Ok(()),
        _ => Err(value_error("fold must be either 0 or 1")),
    }
}

/// The parts of a span and their lengths in microseconds, in the order in which they are added up.
const UNITS: [(&str, usize, i64); 7] = [
    ("microseconds", 2, 1),
    ("milliseconds", 3, 1000),
    ("seconds", 1, SECOND),
    ("minutes", 4, 60 * SECOND),
    ("hours", 5, 3600 * SECOND),
    ("days", 0, DAY),
    ("weeks", 6, 7 * DAY),
];

/// The microseconds of a span of some days, seconds and so on; a half goes to the even one.
fn span(args: &[Value]) -> Res {
    let mut whole = Value::Int(0);
    let mut rest = 0.0;
    let mut add = |amount: &Value, unit: i64| {
        let part = operator::binary(BinaryOp::Mul, amount, &Value::Int(unit))?;
        whole = operator::binary(BinaryOp::Add, &whole, &part)?;
        Ok(())
    };
    let int = |x: f64| call::call(&class(Type::Int).into(), &[Value::float(x)]);
    for (name, place, unit) in UNITS {
        match plain(&args[place]) {
            Value::Int(0) => {}
            amount @ (Value::Int(_) | Value::Bool(_) | Value::Big(_)) => add(amount, unit)?,
            Value::Float(amount) => {
                let amount = amount.get();
                add(&int(amount.trunc())?, unit)?;
                let part = amount.fract() * unit as f64;
                add(&int(part.trunc())?, 1)?;
                rest += part.fract();
            }
            _ => {
                return Err(type_error(format!(
                    "unsupported type for timedelta {name} component: {}",
                    class_name(&args[place])
                )));
            }
        }
    }
    if rest != 0.0 {
        let below = rest.floor();
        add(&int(below)?, 1)?;
        let over = rest - below;
        let is_odd = operator::binary(BinaryOp::Mod, &whole, &Value::Int(2))?.is(&Value::Int(1));
        let up = over > 0.5 || (over == 0.5 && is_odd);
        whole = operator::binary(BinaryOp::Add, &whole, &Value::Int(i64::from(up)))?;
    }
    Ok(whole)
}

/// An ordinal or a microsecond count as a number that can be reckoned with.
fn reckonable(value: &Value) -> Res<i64> {
    let number = index_or(value, || overflow_error("date value out of range"))?;
    match number.unsigned_abs() < 1 << 60 {
        true => Ok(number),
        false => Err(overflow_error("date value out of range")),
    }
}

fn reckonables<const N: usize>(args: &[Value]) -> Res<[i64; N]> {
    let mut numbers = [0; N];
    for (number, arg) in numbers.iter_mut().zip(args) {
        *number = reckonable(arg)?;
    }
    Ok(numbers)
}

fn out_of_range() -> Raised {
    overflow_error("date value out of range")
}

const YMD: &str = "(year, month, day, /)";

const FUNCTIONS: &[NativeDef] = &[
    function(
        "to_ordinal",
        YMD,
        "Return the number of a day, 1 for January 1 of year 1.",
        |args| {
            let [year, month, day] = reckonables(args)?;
            Ok(to_ordinal(year, month, day).into())
        },
    ),
    function(
        "from_ordinal",
        "(number, /)",
        "Return the year, month and day of a day's number.",
        |args| {
            let (year, month, day) = from_ordinal(reckonable(&args[0])?);
            Ok(Value::tuple([year, month, day].map(Value::Int)))
        },
    ),
    function(
        "day_of_year",
        YMD,
        "Return a day's number in its year, from 1.",
        |args| {
            let [year, month, day] = int32s(args)?;
            Ok((days_from_civil(year, month, day) - days_from_civil(year, 1, 0)).into())
        },
    ),
    function(
        "int32",
        "(value, /)",
        "Return an argument that must be an int of 32 bits.",
        |args| int32(&args[0]).map(|number| Value::Int(number.into())),
    ),
    function(
        "make_span",
        "(cls, us, /)",
        "Return a span of so many microseconds.",
        |args| {
            let us = as_bigint(&args[1]).and_then(|us| us.to_i128());
            span_in(class_argument(&args[0])?, us.unwrap_or(i128::MAX))
        },
    ),
    function(
        "span",
        "(days, seconds, microseconds, milliseconds, minutes, hours, weeks, /)",
        "Return the microseconds of a span.",
        span,
    ),
    function(
        "date_in",
        "(cls, number, /)",
        "Return the date of a day's number.",
        |args| date_in(class_argument(&args[0])?, reckonable(&args[1])?),
    ),
    function(
        "moment_in",
        "(cls, us, zone, /)",
        "Return the moment so many microseconds after day 0.",
        |args| {
            moment_in(
                class_argument(&args[0])?,
                reckonable(&args[1])?.into(),
                args[2].clone(),
            )
        },
    ),
    operators::GIVE_METHODS,
    part::GIVE_PARTS,
];

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_datetime", &[FUNCTIONS, iso::FUNCTIONS, fields::FUNCTIONS]);
    names.extend(construct::names());
    names
}
