//! `__new__` and `replace` of dates, times and moments.

use super::fields::{self, Fields, clock_us, kept};
use super::{DAY, check_date, check_time, class_argument, int32, is_ours, iso, part, stamp, to_ordinal};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::class_of;
use crate::interp::{attribute, call, import};
use crate::library::asyncio::natives;
use crate::source::Symbol;
use crate::value::*;
use smallvec::SmallVec;
use std::ops::Range;

/// The methods, by the class that they are of and the name under which `datetime` imports them.
const METHODS: [(&str, &str, &[&[NativeDef]]); 4] = [
    (
        "datetime.date",
        "date",
        &[DATE, fields::OF_DATES, stamp::OF_DATES],
    ),
    ("datetime.time", "time", &[TIME, fields::OF_TIMES]),
    (
        "datetime.datetime",
        "datetime",
        &[MOMENT, fields::OF_MOMENTS, stamp::OF_MOMENTS],
    ),
    ("datetime.timedelta", "timedelta", &[part::OF_SPANS]),
];

/// `new_date`, `replace_date` and so on.
pub fn names() -> Vec<(Symbol, Value)> {
    let of = |(owner, suffix, tables): (&'static str, &str, &'static [&'static [NativeDef]])| {
        let named = move |def: &NativeDef| {
            let verb = def.name.trim_matches('_');
            (
                Symbol::new(&format!("{verb}_{suffix}")),
                Native::of(def, owner).into(),
            )
        };
        tables.iter().copied().flatten().map(named).collect::<Vec<_>>()
    };
    METHODS.into_iter().flat_map(of).collect()
}

const DATE: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, year=None, month=None, day=None, *more, **unknown)" "A day." new_date;
    Method Plain "replace" "(self, year=None, month=None, day=None)" "The same date but for the fields given."
        |args| replace(args, 0..3);
    ClassMethod Plain "fromisoformat" "(cls, text, /)" "The date that a text in ISO 8601 gives."
        |args| {
            let [year, month, day] = read(&args[1], iso::date)?;
            make(&args[0], [year, month, day, 0, 0, 0, 0], 0, Value::None, 0..3)
        };
};

const TIME: &[NativeDef] = natives! {
    Static Plain "__new__"
        "(cls, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *more, fold=0, **unknown)"
        "A time of day." new_time;
    Method Plain "replace"
        "(self, hour=None, minute=None, second=None, microsecond=None, tzinfo=None, *, fold=None)"
        "The same time but for the fields given." |args| replace(args, 3..7);
    ClassMethod Plain "fromisoformat" "(cls, text, /)" "The time that a text in ISO 8601 gives."
        |args| {
            let iso::Time { clock: [hour, minute, second, us], offset } = read(&args[1], |mut text| {
                if let ['T', rest @ ..] = text {
                    text = rest;
                }
                iso::time(text)
            })?;
            make(&args[0], [0, 0, 0, hour, minute, second, us], 0, fixed_zone(offset)?, 3..7)
        };
};

const MOMENT: &[NativeDef] = natives! {
    Static Plain "__new__"
        "(cls, year=None, month=None, day=None, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *more, \
         fold=0, **unknown)"
        "A date and a time of day." new_moment;
    Method Plain "replace"
        "(self, year=None, month=None, day=None, hour=None, minute=None, second=None, microsecond=None, \
         tzinfo=None, *, fold=None)"
        "The same moment but for the fields given." |args| replace(args, 0..7);
    ClassMethod Plain "fromisoformat" "(cls, text, /)"
        "The moment that a text in ISO 8601 gives; any character may stand between date and time."
        |args| {
            let ([year, month, day], time) = read(&args[1], iso::moment)?;
            let iso::Time { clock: [hour, minute, second, us], offset } = time;
            let numbers = [year, month, day, hour, minute, second, us];
            make(&args[0], numbers, 0, fixed_zone(offset)?, 0..7)
        };
};

/// Fields as a copy is made from, if the first argument is so many bytes of which one, without its highest bit,
/// lies in a range; the bit is the fold. A zone may follow.
fn state<const N: usize>(args: &[Value], place: usize, range: Range<u8>) -> Option<([i64; N], i64, Value)> {
    let Value::Bytes(state) = &args[1] else {
        return None;
    };
    let fields: &[u8; N] = (&*state.0).try_into().ok()?;
    let is_alone = args[3..].iter().all(|arg| match arg {
        Value::Tuple(more) => more.items.is_empty(),
        Value::Dict(unknown) => unknown.is_empty(),
        arg => arg.is_unset(),
    });
    if !is_alone || !range.contains(&(fields[place] & 0x7f)) {
        return None;
    }
    let mut numbers = fields.map(i64::from);
    let fold = numbers[place] >> 7;
    numbers[place] &= 0x7f;
    Some((numbers, fold, args[2].clone()))
}

fn check_state_zone(zone: &Value) -> Res<()> {
    match checked_zone(zone.clone()) {
        Ok(_) => Ok(()),
        Err(raised) => {
            drop(raised.take());
            Err(type_error("bad tzinfo state arg"))
        }
    }
}

fn new_date(args: &[Value]) -> Res {
    if let Some(([high, low, month, day], 0, Value::Unset)) = state(args, 2, 1..13) {
        let numbers = [high << 8 | low, month, day, 0, 0, 0, 0];
        return built(class_argument(&args[0])?, numbers, 0, Value::None, &(0..3));
    }
    let day = day_of(&args[1..4])?;
    refuse_more("3 arguments", 3, &args[4], &args[5])?;
    let [year, month, day] = numbers(day)?;
    built(
        class_argument(&args[0])?,
        [year, month, day, 0, 0, 0, 0],
        0,
        Value::None,
        &(0..3),
    )
}

fn new_time(args: &[Value]) -> Res {
    if let Some(([hour, minute, second, a, b, c], fold, zone)) = state(args, 0, 0..24) {
        check_state_zone(&zone)?;
        let numbers = [0, 0, 0, hour, minute, second, a << 16 | b << 8 | c];
        return built(class_argument(&args[0])?, numbers, fold, zone, &(3..7));
    }
    refuse_more("5 positional arguments", 5, &args[6], &args[8])?;
    let [hour, minute, second, us, fold] = numbers([&args[1], &args[2], &args[3], &args[4], &args[7]])?;
    let numbers = [0, 0, 0, hour, minute, second, us];
    built(class_argument(&args[0])?, numbers, fold, args[5].clone(), &(3..7))
}

fn new_moment(args: &[Value]) -> Res {
    if let Some(([high, low, month, day, hour, minute, second, a, b, c], fold, zone)) = state(args, 2, 1..13)
    {
        check_state_zone(&zone)?;
        let numbers = [
            high << 8 | low,
            month,
            day,
            hour,
            minute,
            second,
            a << 16 | b << 8 | c,
        ];
        return built(class_argument(&args[0])?, numbers, fold, zone, &(0..7));
    }
    let [year, month, day] = day_of(&args[1..4])?;
    refuse_more("8 positional arguments", 8, &args[9], &args[11])?;
    let clock = [&args[4], &args[5], &args[6], &args[7], &args[10]];
    let [year, month, day, hour, minute, second, us, fold] =
        numbers([year, month, day, clock[0], clock[1], clock[2], clock[3], clock[4]])?;
    let numbers = [year, month, day, hour, minute, second, us];
    built(class_argument(&args[0])?, numbers, fold, args[8].clone(), &(0..7))
}

/// A date, time or moment of a class of ours, by which of the numbers it has; they are checked here.
fn built(of: &Ref<Class>, numbers: [i64; 7], fold: i64, zone: Value, has: &Range<usize>) -> Res {
    let [year, month, day, hour, minute, second, us] = numbers;
    let clock = [hour, minute, second, us];
    if has.start == 0 {
        check_date([year, month, day])?;
    }
    let number = || to_ordinal(year, month, day);
    if has.end == 3 {
        return Ok(fields::date(of, number()));
    }
    check_time(clock, fold)?;
    let zone = checked_zone(zone)?;
    let day = if has.start == 0 { number() } else { 0 };
    Ok(fields::timed(of, (day * DAY + clock_us(clock)) << 1 | fold, zone))
}

/// The same in any class; another than ours is called with the fields.
pub fn make(of: &Value, numbers: [i64; 7], fold: i64, zone: Value, has: Range<usize>) -> Res {
    if let Some(ours) = as_class(of).filter(|class| is_ours(class)) {
        return built(ours, numbers, fold, zone, &has);
    }
    let mut args = numbers[has.clone()]
        .iter()
        .copied()
        .map(Value::Int)
        .collect::<Vec<_>>();
    if has.end == 7 {
        args.push(zone);
    }
    let fold = (fold != 0).then(|| (Symbol::new("fold"), Value::Int(fold)));
    call::call_kw(of, &args, fold.as_slice())
}

/// What a text in ISO 8601 says.
fn read<T>(text: &Value, parse: impl Fn(&[char]) -> Option<T>) -> Res<T> {
    let Some(own) = text_of(text) else {
        return Err(type_error("fromisoformat: argument must be str"));
    };
    let chars: SmallVec<[char; 32]> = own.chars().collect();
    match parse(&chars) {
        Some(found) => Ok(found),
        None => Err(value_error(format!(
            "Invalid isoformat string: {}",
            crate::interp::text::repr(text)?
        ))),
    }
}

/// The zone of an offset that was read: its sign, seconds and microseconds.
fn fixed_zone(offset: Option<[i64; 3]>) -> Res {
    let Some(offset) = offset else {
        return Ok(Value::None);
    };
    let fixed = attribute::get(&import::by_name("_datetime_zone")?, Symbol::new("fixed_zone"))?;
    call::call(&fixed, &[Value::tuple(offset.map(Value::Int))])
}

/// Arguments as ints of 32 bits, 0 where none was given.
fn numbers<const N: usize>(args: [&Value; N]) -> Res<[i64; N]> {
    let mut numbers = [0; N];
    for (number, arg) in numbers.iter_mut().zip(args) {
        if !arg.is_unset() {
            *number = int32(arg)?.into();
        }
    }
    Ok(numbers)
}

/// Year, month and day, all of which must be there.
fn day_of(args: &[Value]) -> Res<[&Value; 3]> {
    let [year, month, day] = args else {
        return Err(type_error("function missing required argument 'year' (pos 1)"));
    };
    for (place, name) in ["year", "month", "day"].into_iter().enumerate() {
        if args[place].is_unset() {
            args[..place]
                .iter()
                .try_for_each(|before| int32(before).map(drop))?;
            return Err(type_error(format!(
                "function missing required argument '{name}' (pos {})",
                place + 1
            )));
        }
        index(&args[place])?;
    }
    Ok([year, month, day])
}

/// Refuses arguments beyond those that a constructor takes.
fn refuse_more(most: &str, count: usize, more: &Value, unknown: &Value) -> Res<()> {
    let more = as_tuple(more).map_or(0, |more| more.items.len());
    let unknown = as_dict(unknown).map_or_else(Vec::new, |unknown| unknown.symbol_entries());
    if more > 0 {
        let given = count + more + unknown.len();
        return Err(type_error(format!(
            "function takes at most {most} ({given} given)"
        )));
    }
    match unknown.first() {
        Some((name, _)) => Err(type_error(format!(
            "this function got an unexpected keyword argument '{name}'"
        ))),
        None => Ok(()),
    }
}

/// A tzinfo argument.
pub fn checked_zone(zone: Value) -> Res {
    if matches!(zone, Value::None | Value::Unset) {
        return Ok(Value::None);
    }
    let check = attribute::get(&import::by_name("_datetime_zone")?, Symbol::new("check_zone"))?;
    call::call(&check, std::slice::from_ref(&zone))?;
    Ok(zone)
}

/// The object with some of its fields changed. `args` are itself, its numbers and, of all but dates, its
/// zone and fold.
fn replace(args: &[Value], has: Range<usize>) -> Res {
    let Fields {
        numbers: mut all,
        mut zone,
        mut fold,
    } = kept(&args[0])?.fields();
    let of = class_of(&args[0]);
    let (given, rest) = args[1..].split_at(has.len());
    for (number, given) in all[has.clone()].iter_mut().zip(given) {
        if !given.is_unset() {
            *number = int32(given)?.into();
        }
    }
    if let [new_zone, new_fold] = rest {
        if !new_zone.is_unset() {
            zone = new_zone.clone();
        }
        if !new_fold.is_unset() {
            fold = int32(new_fold)?.into();
        }
    }
    make(&of.into(), all, fold, zone, has)
}
