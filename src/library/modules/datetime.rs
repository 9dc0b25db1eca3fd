//! `_datetime`: the calendar, and what dates, moments and spans are made of.
//!
//! Always true: a date keeps a tuple of year, month and day in its slot `_fields`; a moment one of
//! these, hour, minute, second, microsecond, zone and fold; a span keeps its microseconds in `_us`.

mod construct;
mod iso;
mod operators;

use super::time::{civil_from_days, days_from_civil};
use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{attribute, call, operator};
use crate::library::builtins::function;
use crate::source::{Symbol, name};
use crate::value::*;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

/// The number of 1970-01-01, counted from 1 for January 1 of year 1.
const DAY_OF_1970: i64 = 719_163;
const LAST_YEAR: i64 = 9999;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

fn to_ordinal(year: i64, month: i64, day: i64) -> i64 {
    days_from_civil(year, month, day) + DAY_OF_1970
}

fn from_ordinal(number: i64) -> (i64, i64, i64) {
    civil_from_days(number - DAY_OF_1970)
}

/// The year, month and day of a day's number, if there is such a date.
fn date_at(number: i64) -> Option<[Value; 3]> {
    let (year, month, day) = from_ordinal(number);
    (1..=LAST_YEAR)
        .contains(&year)
        .then(|| [year, month, day].map(Value::Int))
}

/// All fields but the fold of the moment so many microseconds after day 0, if there is one.
fn moment_at(us: i64, zone: Value) -> Option<[Value; 8]> {
    let [year, month, day] = date_at(us.div_euclid(DAY))?;
    let us = us.rem_euclid(DAY);
    let (minutes, second) = (us / (60 * SECOND), us / SECOND % 60);
    let clock = [minutes / 60, minutes % 60, second, us % SECOND];
    let [hour, minute, second, us] = clock.map(Value::Int);
    Some([year, month, day, hour, minute, second, us, zone])
}

/// The int in a place of a tuple of fields.
fn part(fields: &[Value], place: usize) -> i64 {
    fields.get(place).and_then(as_small).unwrap_or(0)
}

fn ordinal_of(fields: &[Value]) -> i64 {
    to_ordinal(part(fields, 0), part(fields, 1), part(fields, 2))
}

/// Microseconds since midnight; `fields` begin with the hour.
fn clock_of(fields: &[Value]) -> i64 {
    ((part(fields, 0) * 60 + part(fields, 1)) * 60 + part(fields, 2)) * SECOND + part(fields, 3)
}

/// Microseconds since day 0, by the clock.
fn moment_of(fields: &[Value]) -> i64 {
    ordinal_of(fields) * DAY + clock_of(fields.get(3..).unwrap_or_default())
}

fn fields(value: &Value) -> Res<&[Value]> {
    match as_tuple(value) {
        Some(tuple) => Ok(&tuple.items),
        None => Err(wrong_argument_kind(value)),
    }
}

#[cold]
fn wrong_argument_kind(value: &Value) -> Raised {
    type_error(format!("fields must be tuple, not {}", class_name(value)))
}

/// An instance of a class of ours, with what it is made of.
fn instance(of: &Ref<Class>, slot: Symbol, value: Value) -> Value {
    let instance = Instance::new(of.clone(), Value::Unset);
    instance.set_slot(slot, value);
    Ref::new(instance).into()
}

/// What an object of ours is made of.
fn made_of(value: &Value, slot: Symbol) -> Res {
    let own = match value {
        Value::Instance(instance) => instance.slot(slot),
        _ => None,
    };
    match own {
        Some(own) => Ok(own),
        None => attribute::get(value, slot), // which fails
    }
}

/// A class argument whose objects have no layout of their own.
fn class_argument(value: &Value) -> Res<&Ref<Class>> {
    match as_class(value) {
        Some(of) if of.layout == Layout::Object => Ok(of),
        _ => Err(wrong_argument_kind(value)),
    }
}

/// Whether objects of a class are made of fields that are known to be good; the others are made by a call.
fn is_ours(class: &Class) -> bool {
    matches!(class.own(name::NEW), Some(Value::Native(_)))
}

/// The date of a day's number, in a class.
fn date_in(of: &Ref<Class>, number: i64) -> Res {
    let fields = date_at(number).ok_or_else(out_of_range)?;
    match is_ours(of) {
        true => Ok(instance(of, name::FIELDS, Value::tuple(fields))),
        false => call::call(&of.clone().into(), &fields),
    }
}

/// The moment so many microseconds after day 0, in a class.
fn moment_in(of: &Ref<Class>, us: i128, zone: Value) -> Res {
    let fields = i64::try_from(us).ok().and_then(|us| moment_at(us, zone));
    let fields = fields.ok_or_else(out_of_range)?;
    if !is_ours(of) {
        return call::call(&of.clone().into(), &fields);
    }
    let [year, month, day, hour, minute, second, us, zone] = fields;
    let fields = [year, month, day, hour, minute, second, us, zone, Value::Int(0)];
    Ok(instance(of, name::FIELDS, Value::tuple(fields)))
}

/// A span of so many microseconds, in a class.
fn span_in(of: &Ref<Class>, us: i128) -> Res {
    const LONGEST_DAYS: i128 = 999_999_999;
    let days = us.div_euclid(DAY.into());
    if i32::try_from(days).is_err() {
        return Err(overflow_error("Python int too large to convert to C int"));
    }
    if days.abs() > LONGEST_DAYS {
        return Err(overflow_error(format!(
            "days={days}; must have magnitude <= {LONGEST_DAYS}"
        )));
    }
    let us = match i64::try_from(us) {
        Ok(us) => Value::Int(us),
        Err(_) => BigInt::from(us).into(),
    };
    Ok(instance(of, name::US, us))
}

/// An argument that must be an int of 32 bits.
fn int32(value: &Value) -> Res<i64> {
    let value = match value {
        Value::Int(n) => *n,
        value => match index(value)? {
            Value::Int(n) => n,
            _ => return Err(overflow_error("Python int too large to convert to C long")),
        },
    };
    match i32::try_from(value) {
        Ok(n) => Ok(i64::from(n)),
        Err(_) if value > 0 => Err(overflow_error("signed integer is greater than maximum")),
        Err(_) => Err(overflow_error("signed integer is less than minimum")),
    }
}

/// The arguments as ints of 32 bits.
fn int32s<const N: usize>(args: &[Value]) -> Res<[i64; N]> {
    let mut numbers = [0; N];
    for (number, arg) in numbers.iter_mut().zip(args) {
        *number = int32(arg)?;
    }
    Ok(numbers)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    days_from_civil(year + month / 12, month % 12 + 1, 1) - days_from_civil(year, month, 1)
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

/// What is left of a span's microseconds after a division and a remainder: how its parts are read.
fn span_part(args: &[Value]) -> Res {
    let [divisor, modulus] = [args[0].clone(), args[1].clone()];
    Ok(Native::closure("part", "(self, /)", move |args| {
        let us = made_of(&args[0], name::US)?;
        let parts = operator::binary(BinaryOp::FloorDiv, &us, &divisor)?;
        match modulus.given() {
            Some(modulus) => operator::binary(BinaryOp::Mod, &parts, modulus),
            None => Ok(parts),
        }
    }))
}

fn field_part(args: &[Value]) -> Res {
    let place = small(&args[0])?.max(0) as usize;
    Ok(Native::closure("part", "(self, /)", move |args| {
        let found = made_of(&args[0], name::FIELDS)?;
        Ok(fields(&found)?.get(place).cloned().unwrap_or_default())
    }))
}

fn date_text(fields: &[Value]) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        part(fields, 0),
        part(fields, 1),
        part(fields, 2)
    )
}

/// A time of day, down to the part that `timespec` names; `fields` begin with the hour.
fn clock_text(fields: &[Value], timespec: &str) -> Res<String> {
    let [hour, minute, second, us] = [0, 1, 2, 3].map(|place| part(fields, place));
    Ok(match timespec {
        "auto" if us == 0 => format!("{hour:02}:{minute:02}:{second:02}"),
        "auto" | "microseconds" => format!("{hour:02}:{minute:02}:{second:02}.{us:06}"),
        "hours" => format!("{hour:02}"),
        "minutes" => format!("{hour:02}:{minute:02}"),
        "seconds" => format!("{hour:02}:{minute:02}:{second:02}"),
        "milliseconds" => format!("{hour:02}:{minute:02}:{second:02}.{:03}", us / 1000),
        _ => return Err(value_error("Unknown timespec value")),
    })
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
        |args| int32(&args[0]).map(Value::Int),
    ),
    function(
        "make",
        "(cls, fields, /)",
        "Return an object of these fields, which are known to be good.",
        |args| Ok(instance(class_argument(&args[0])?, name::FIELDS, args[1].clone())),
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
        "span_part",
        "(divisor, modulus, /)",
        "Return a function that gives a part of a span.",
        span_part,
    ),
    function(
        "field_part",
        "(place, /)",
        "Return a function that gives one of the fields.",
        field_part,
    ),
    function(
        "ordinal",
        "(fields, /)",
        "Return the number of a date's day.",
        |args| Ok(ordinal_of(fields(&args[0])?).into()),
    ),
    function(
        "moment",
        "(fields, /)",
        "Return the microseconds since day 0 of a moment, by the clock.",
        |args| Ok(moment_of(fields(&args[0])?).into()),
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
    function(
        "date_text",
        "(fields, /)",
        "Return a date as YYYY-MM-DD.",
        |args| Ok(date_text(fields(&args[0])?).into()),
    ),
    function(
        "clock_text",
        "(fields, timespec, /)",
        "Return a time of day, down to the part that timespec names.",
        |args| Ok(clock_text(fields(&args[0])?, text_arg(&args[1], "timespec")?)?.into()),
    ),
    function(
        "moment_text",
        "(fields, sep, timespec, /)",
        "Return a moment as text, but for its offset.",
        construct::moment_text,
    ),
    operators::GIVE_OPERATORS,
];

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_datetime", &[FUNCTIONS, iso::FUNCTIONS]);
    names.extend(construct::names());
    names
}
