//! What dates, times and moments keep, taken apart into the fields that scripts see and as text.

use super::{DAY, SECOND, from_ordinal, instance};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{class_name, class_of};
use crate::interp::{attribute, call, import, text};
use crate::library::asyncio::natives;
use crate::library::builtins::wrong_argument;
use crate::source::{Symbol, name};
use crate::value::*;

/// A date, time or moment as it is kept.
pub enum Kept {
    /// The number of a day.
    Date(i64),
    Time(Reading),
    Moment(Reading),
}

/// What a clock shows, since midnight or since day 0, and its zone.
pub struct Reading {
    /// Twice the microseconds, plus the fold.
    pub at: i64,
    pub zone: Value,
}

impl Reading {
    pub fn us(&self) -> i64 {
        self.at >> 1
    }

    pub fn fold(&self) -> i64 {
        self.at & 1
    }
}

/// All that a date, time or moment can have: a date has midnight, a time no day.
pub struct Fields {
    /// Year, month, day, hour, minute, second, microsecond.
    pub numbers: [i64; 7],
    pub zone: Value,
    pub fold: i64,
}

impl Kept {
    pub fn of(value: &Value) -> Option<Kept> {
        let Value::Instance(instance) = value else {
            return None;
        };
        let at = as_small(&instance.slot(name::AT)?)?;
        let Some(zone) = instance.slot(name::ZONE) else {
            return Some(Kept::Date(at));
        };
        // The first day has the number 1, so no moment is less than a day after day 0.
        let reading = Reading { at, zone };
        Some(match reading.us() < DAY {
            true => Kept::Time(reading),
            false => Kept::Moment(reading),
        })
    }

    pub fn fields(self) -> Fields {
        match self {
            Kept::Date(number) => Fields {
                numbers: civil_at(number * DAY),
                zone: Value::None,
                fold: 0,
            },
            Kept::Time(reading) | Kept::Moment(reading) => Fields {
                numbers: civil_at(reading.us()),
                fold: reading.fold(),
                zone: reading.zone,
            },
        }
    }
}

/// Year, month, day, hour, minute, second and microsecond, so many microseconds after day 0.
pub fn civil_at(us: i64) -> [i64; 7] {
    let (year, month, day) = from_ordinal(us.div_euclid(DAY));
    let [hour, minute, second, us] = clock_at(us.rem_euclid(DAY));
    [year, month, day, hour, minute, second, us]
}

pub fn clock_at(us: i64) -> [i64; 4] {
    let (seconds, us) = (us / SECOND, us % SECOND);
    [seconds / 3600, seconds / 60 % 60, seconds % 60, us]
}

/// Microseconds since midnight.
pub fn clock_us([hour, minute, second, us]: [i64; 4]) -> i64 {
    ((hour * 60 + minute) * 60 + second) * SECOND + us
}

pub fn date(of: &Ref<Class>, number: i64) -> Value {
    instance(of, name::AT, Value::Int(number))
}

/// A time or moment; `at` is twice its microseconds plus the fold.
pub fn timed(of: &Ref<Class>, at: i64, zone: Value) -> Value {
    let shape = of.root_shape.with(name::AT).with(name::ZONE);
    Ref::new(Instance::filled(of.clone(), shape, [Value::Int(at), zone])).into()
}

/// What an object of ours keeps.
pub fn kept(value: &Value) -> Res<Kept> {
    Kept::of(value).ok_or_else(|| match attribute::get(value, name::AT) {
        Err(raised) => raised,
        Ok(_) => type_error(format!("a date or time is needed, not {}", class_name(value))),
    })
}

/// How far a zone is ahead of UTC at a moment, or for None: a timedelta or None.
pub fn offset(zone: &Value, moment: &Value) -> Res {
    if zone.is_none() {
        return Ok(Value::None);
    }
    // A `timezone` has one offset.
    if let Value::Instance(fixed) = zone
        && let Some(offset) = fixed.slot(name::OFFSET)
        && is_span(&offset)
    {
        return Ok(offset);
    }
    let ask = attribute::get(&import::by_name("_datetime_zone")?, Symbol::new("ask"))?;
    call::call(&ask, &[zone.clone(), Value::from("utcoffset"), moment.clone()])
}

fn is_span(value: &Value) -> bool {
    super::span_of(value).is_some()
}

fn all_fields(args: &[Value]) -> Res {
    let kept = kept(&args[0])?;
    let shown = match kept {
        Kept::Date(_) => 0..3,
        Kept::Time(_) => 3..9,
        Kept::Moment(_) => 0..9,
    };
    let Fields { numbers, zone, fold } = kept.fields();
    let mut all = numbers.map(Value::Int).to_vec();
    all.extend([zone, Value::Int(fold)]);
    Ok(Value::tuple(all[shown].to_vec()))
}

fn date_text([year, month, day, ..]: [i64; 7]) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time of day, down to the part that `timespec` names.
fn clock_text([.., hour, minute, second, us]: [i64; 7], timespec: &str) -> Res<String> {
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

/// A moment as text, but for its offset.
fn moment_text(args: &[Value]) -> Res {
    let numbers = kept(&args[0])?.fields().numbers;
    let sep = match &args[1] {
        Value::Str(sep) if sep.chars == 1 => sep,
        sep => {
            return Err(wrong_argument(
                "isoformat() argument 1",
                "a unicode character",
                sep,
            ));
        }
    };
    let timespec =
        text_of(&args[2]).ok_or_else(|| wrong_argument("isoformat() argument 2", "str", &args[2]))?;
    let clock = clock_text(numbers, timespec)?;
    Ok(Value::from(format!("{}{}{clock}", date_text(numbers), sep.text)))
}

pub const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "fields" "(value, /)" "Return the fields of a date, time or moment." all_fields;
    Function Plain "is_moment" "(value, /)" "Return whether it is a moment."
        |args| Ok(Value::bool(matches!(Kept::of(&args[0]), Some(Kept::Moment(_)))));
    Function Plain "moment" "(value, /)" "Return the microseconds since day 0 of a moment, by the clock."
        |args| match kept(&args[0])? {
            Kept::Date(number) => Ok(Value::Int(number * DAY)),
            Kept::Time(reading) | Kept::Moment(reading) => Ok(Value::Int(reading.us())),
        };
    Function Plain "clock_text" "(value, timespec, /)"
        "Return a time of day, down to the part that timespec names." |args| {
        let numbers = kept(&args[0])?.fields().numbers;
        Ok(clock_text(numbers, text_arg(&args[1], "timespec")?)?.into())
    };
    Function Plain "moment_text" "(value, sep, timespec, /)" "Return a moment as text, but for its offset."
        moment_text;
};

/// What messages and reprs call a class.
pub fn shown(of: &Class) -> String {
    let is_built_in = as_str(&of.module.borrow()).is_some_and(|module| module.text == "datetime");
    format!("{}{}", if is_built_in { "datetime." } else { "" }, of.name())
}

/// A date, time or moment as the call that makes it, without the last parts that are 0.
pub fn repr(args: &[Value]) -> Res {
    let kept = kept(&args[0])?;
    let (first, last, is_moment) = match kept {
        Kept::Date(_) => (0, 3, false),
        Kept::Time(_) => (3, 5, false),
        Kept::Moment(_) => (0, 5, true),
    };
    let Fields { numbers, zone, fold } = kept.fields();
    let last = match numbers[5..] {
        [.., us] if last > 3 && us != 0 => 7,
        [second, _] if last > 3 && second != 0 => 6,
        _ => last,
    };
    let mut out = shown(&class_of(&args[0]));
    for (i, number) in numbers[first..last].iter().enumerate() {
        out += &format!("{}{number}", if i == 0 { "(" } else { ", " });
    }
    let fold = if fold == 0 { "" } else { ", fold=1" };
    let zone = match zone.given() {
        Some(zone) => format!(", tzinfo={}", text::repr(zone)?),
        None => String::new(),
    };
    let (a, b) = if is_moment { (fold, &*zone) } else { (&*zone, fold) };
    Ok(format!("{out}{a}{b})").into())
}

/// What dates do, and moments as dates.
pub const OF_DATES: &[NativeDef] = natives! {
    Method Plain "__repr__" "(self, /)" "Return repr(self)." repr;
    Method Plain "toordinal" "(self, /)" "The day's number, 1 for January 1 of year 1."
        |args| day_number(args).map(Value::Int);
    Method Plain "weekday" "(self, /)" "The day of the week, 0 for Monday."
        |args| Ok(Value::Int((day_number(args)? - 1).rem_euclid(7)));
    Method Plain "isoweekday" "(self, /)" "The day of the week, 1 for Monday."
        |args| Ok(Value::Int((day_number(args)? - 1).rem_euclid(7) + 1));
    Method Plain "isoformat" "(self, /)" "The date as YYYY-MM-DD."
        |args| Ok(date_text(kept(&args[0])?.fields().numbers).into());
};

fn day_number(args: &[Value]) -> Res<i64> {
    Ok(match kept(&args[0])? {
        Kept::Date(number) => number,
        Kept::Time(reading) | Kept::Moment(reading) => reading.us().div_euclid(DAY),
    })
}

/// What times do.
pub const OF_TIMES: &[NativeDef] = natives! {
    Method Plain "__repr__" "(self, /)" "Return repr(self)." repr;
    Method Plain "utcoffset" "(self, /)" "How far the time zone is ahead of UTC, or None."
        |args| utc_offset(&args[0]);
};

/// What moments do.
pub const OF_MOMENTS: &[NativeDef] = natives! {
    Method Plain "__repr__" "(self, /)" "Return repr(self)." repr;
    Method Plain "utcoffset" "(self, /)" "How far the time zone is ahead of UTC, or None."
        |args| utc_offset(&args[0]);
};

/// How far the zone of a time or moment is ahead of UTC: a timedelta or None.
pub fn utc_offset(value: &Value) -> Res {
    match kept(value)? {
        Kept::Date(_) => Ok(Value::None),
        Kept::Time(reading) => offset(&reading.zone, &Value::None),
        Kept::Moment(reading) => offset(&reading.zone, value),
    }
}
