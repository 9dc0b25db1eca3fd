//! The attributes in which dates, times, moments and spans show their parts, and spans as text.

use super::fields::{Kept, clock_at, kept, shown};
use super::{DAY, SECOND, class_argument, span_of};
use crate::interp::attribute;
use crate::interp::payload::*;
use crate::interp::types::class_of;
use crate::library::asyncio::natives;
use crate::library::builtins::function;
use crate::source::{Symbol, name};
use crate::value::*;
use std::rc::Rc;

/// The fields of a moment, in their order.
const FIELDS: [(&str, &str); 9] = [
    ("year", "The year, from 1 to 9999."),
    ("month", "The month, from 1 to 12."),
    ("day", "The day of the month, from 1."),
    ("hour", "The hour, from 0 to 23."),
    ("minute", "The minute, from 0 to 59."),
    ("second", "The second, from 0 to 59."),
    ("microsecond", "The microsecond, from 0 to 999999."),
    ("tzinfo", "The time zone, or None."),
    (
        "fold",
        "1 for the second of two readings of a clock that are the same, else 0.",
    ),
];

/// The parts of a span.
const SPAN_PARTS: [(&str, &str); 3] = [
    ("days", "Whole days; all the rest is not negative."),
    ("seconds", "Seconds beside the days, from 0 to 86399."),
    (
        "microseconds",
        "Microseconds beside the seconds, from 0 to 999999.",
    ),
];

fn field(value: &Value, place: usize) -> Res {
    Ok(match (place, kept(value)?) {
        (7, Kept::Time(reading) | Kept::Moment(reading)) => reading.zone,
        (8, Kept::Time(reading) | Kept::Moment(reading)) => Value::Int(reading.fold()),
        (3..=6, Kept::Time(reading) | Kept::Moment(reading)) => {
            Value::Int(clock_at(reading.us().rem_euclid(DAY))[place - 3])
        }
        (_, kept) => {
            let number = kept.fields().numbers.get(place).copied();
            number.map_or(Value::None, Value::Int)
        }
    })
}

/// Days, seconds and microseconds of a span.
fn span_parts(span: &Value) -> Res<[i64; 3]> {
    let Some(us) = span_of(span) else {
        return Err(attribute::no_attribute(span, name::US));
    };
    let (day, second) = (i128::from(DAY), i128::from(SECOND));
    let rest = us.rem_euclid(day);
    let parts = [us.div_euclid(day), rest / second, rest % second];
    Ok(parts.map(|part| part as i64))
}

/// Gives a class the attributes for some of the parts.
fn give_parts(args: &[Value]) -> Res {
    let class = class_argument(&args[0])?;
    let owner = Symbol::new(&format!("datetime.{}", class.name())).text();
    let give = |role, (name, doc): (&str, &'static str), body: Rc<dyn Fn(&[Value]) -> Res>| {
        let native = Native {
            name: Symbol::new(name),
            signature: Signature::new("(self, /)"),
            doc,
            role,
            body: NativeBody::Closure(body),
            owner,
            module: None,
        };
        class.set(native.name, Ref::new(native).into());
    };
    let (Some(first), Some(end)) = (as_small(&args[1]), as_small(&args[2])) else {
        for (place, part) in SPAN_PARTS.into_iter().enumerate() {
            let body = move |args: &[Value]| Ok(Value::Int(span_parts(&args[0])?[place]));
            give(NativeRole::Member, part, Rc::new(body));
        }
        return Ok(Value::None);
    };
    for (place, part) in FIELDS.into_iter().enumerate() {
        if (first..end).contains(&(place as i64)) {
            let body = move |args: &[Value]| field(&args[0], place);
            give(NativeRole::Getter, part, Rc::new(body));
        }
    }
    Ok(Value::None)
}

pub const GIVE_PARTS: NativeDef = function(
    "give_parts",
    "(cls, first=None, end=None, /)",
    "Give a class the attributes for those of the nine fields, or for the parts of a span.",
    give_parts,
);

/// What spans do.
pub const OF_SPANS: &[NativeDef] = natives! {
    Method Plain "__str__" "(self, /)" "Return str(self)." |args| span_text(&args[0]).map(Value::from);
    Method Plain "__repr__" "(self, /)" "Return repr(self)." |args| {
        let parts = span_parts(&args[0])?;
        let parts = SPAN_PARTS.iter().zip(parts).filter(|(_, number)| *number != 0);
        let parts: Vec<_> = parts.map(|((name, _), number)| format!("{name}={number}")).collect();
        let parts = if parts.is_empty() { "0".to_string() } else { parts.join(", ") };
        Ok(format!("{}({parts})", shown(&class_of(&args[0]))).into())
    };
};

fn span_text(span: &Value) -> Res<String> {
    let [days, seconds, us] = span_parts(span)?;
    let mut text = match days {
        0 => String::new(),
        days => format!("{days} day{}, ", if days.abs() == 1 { "" } else { "s" }),
    };
    text += &format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if us != 0 {
        text += &format!(".{us:06}");
    }
    Ok(text)
}
