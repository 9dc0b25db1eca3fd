//! Sums, differences and comparisons of dates, times, moments and spans, and what makes one from another.
//!
//! Always true: what comes of a date or moment is of its own class, a span is a plain timedelta, and
//! what a method does not know it leaves to the other side.

use super::fields::{self, Kept, kept, timed};
use super::{DAY, SECOND, construct, date_in, instance, is_ours, moment_in, span_in, span_of};
use crate::code::CompareOp;
use crate::interp::error::*;
use crate::interp::operator::order::satisfies;
use crate::interp::payload::*;
use crate::interp::types::class_of;
use crate::interp::{attribute, operator};
use crate::library::builtins::{function, wrong_argument};
use crate::source::{Symbol, name};
use crate::value::*;
use std::rc::Rc;

struct Classes {
    date: Ref<Class>,
    time: Ref<Class>,
    datetime: Ref<Class>,
    timedelta: Ref<Class>,
}

#[derive(Clone, Copy)]
enum Operator {
    /// Alone: `-self` and the like.
    Neg,
    Pos,
    Abs,
    Truth,
    Hash,
    Add,
    Sub,
    /// `other - self`
    SubFrom,
    Compare(CompareOp),
}

const COMPARISONS: [(&str, &str, Operator); 6] = [
    ("__eq__", "Return self==value.", Operator::Compare(CompareOp::Eq)),
    (
        "__ne__",
        "Return self!=value.",
        Operator::Compare(CompareOp::NotEq),
    ),
    ("__lt__", "Return self<value.", Operator::Compare(CompareOp::Lt)),
    ("__le__", "Return self<=value.", Operator::Compare(CompareOp::LtE)),
    ("__gt__", "Return self>value.", Operator::Compare(CompareOp::Gt)),
    ("__ge__", "Return self>=value.", Operator::Compare(CompareOp::GtE)),
];

impl Operator {
    /// Whether it has no other operand.
    fn is_alone(self) -> bool {
        use Operator::*;
        matches!(self, Neg | Pos | Abs | Truth | Hash)
    }

    fn signature(self) -> &'static str {
        match self.is_alone() {
            true => "(self, /)",
            false => "(self, value, /)",
        }
    }
}

/// What times of day do not have.
const ARITHMETIC: [(&str, &str, Operator); 4] = [
    ("__add__", "Return self+value.", Operator::Add),
    ("__radd__", "Return value+self.", Operator::Add),
    ("__sub__", "Return self-value.", Operator::Sub),
    ("__rsub__", "Return value-self.", Operator::SubFrom),
];

const HASH: [(&str, &str, Operator); 1] = [("__hash__", "Return hash(self).", Operator::Hash)];

/// What only spans have.
const OF_SPANS: [(&str, &str, Operator); 4] = [
    ("__neg__", "-self", Operator::Neg),
    ("__pos__", "+self", Operator::Pos),
    ("__abs__", "abs(self)", Operator::Abs),
    ("__bool__", "True if self else False", Operator::Truth),
];

/// What an operand is; the operators read from it no more than they need.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Date,
    Time,
    Moment,
    Span,
}

/// What stands in the slot of a date, time or moment.
#[inline]
fn at(value: &Value) -> Res<i64> {
    match value {
        Value::Instance(instance) => instance
            .small_slot(name::AT)
            .ok_or_else(|| not_made(value, name::AT)),
        value => Err(not_made(value, name::AT)),
    }
}

/// Microseconds by the clock of a time or moment.
#[inline]
fn us(value: &Value) -> Res<i64> {
    Ok(at(value)? >> 1)
}

#[inline]
fn zone(value: &Value) -> Value {
    match value {
        Value::Instance(instance) => instance.slot(name::ZONE).unwrap_or(Value::None),
        _ => Value::None,
    }
}

/// Whether two times or moments have the same zone, or both none.
#[inline]
fn is_in_zone_of(this: &Value, other: &Value) -> bool {
    match (this, other) {
        (Value::Instance(this), Value::Instance(other)) => this.shares_slot(other, name::ZONE),
        _ => false,
    }
}

#[inline]
fn span(value: &Value) -> Res<i128> {
    span_of(value).ok_or_else(|| not_made(value, name::US))
}

/// The microseconds of a span that is not very long.
#[inline]
fn small_us(value: &Value) -> Option<i64> {
    match value {
        Value::Instance(span) => span.small_slot(name::US),
        _ => None,
    }
}

/// The error for an object that was never filled.
#[cold]
fn not_made(value: &Value, slot: Symbol) -> Raised {
    attribute::no_attribute(value, slot)
}

#[cold]
pub fn mixed_difference() -> Raised {
    type_error("can't subtract offset-naive and offset-aware datetimes")
}

/// The whole days of a span, and the microseconds of the day that is left.
fn days_and_rest(value: &Value) -> Res<(i64, i64)> {
    if let Some(us) = small_us(value) {
        return Ok((us.div_euclid(DAY), us.rem_euclid(DAY)));
    }
    let (us, day) = (span(value)?, i128::from(DAY));
    Ok((us.div_euclid(day) as i64, us.rem_euclid(day) as i64))
}

/// A moment so many microseconds later.
fn moved(moment: &Value, by: i128) -> Res {
    moment_in(&class_of(moment), i128::from(us(moment)?) + by, zone(moment))
}

impl Classes {
    /// Which of the four classes an object's class is or comes from.
    #[inline]
    fn kind(&self, value: &Value) -> Option<Kind> {
        let Value::Instance(instance) = value else {
            return None;
        };
        let class = instance.class.borrow();
        if class.is(&self.timedelta) {
            Some(Kind::Span)
        } else if class.is(&self.datetime) {
            Some(Kind::Moment)
        } else if class.is(&self.date) {
            Some(Kind::Date)
        } else if class.is(&self.time) {
            Some(Kind::Time)
        } else {
            self.inherited_kind(&class)
        }
    }

    fn inherited_kind(&self, class: &Ref<Class>) -> Option<Kind> {
        // A moment is a date, too, so it is looked for first.
        [Kind::Moment, Kind::Span, Kind::Date, Kind::Time]
            .into_iter()
            .find(|&kind| class.is_subclass(self.home(kind)))
    }

    fn home(&self, kind: Kind) -> &Ref<Class> {
        match kind {
            Kind::Date => &self.date,
            Kind::Time => &self.time,
            Kind::Moment => &self.datetime,
            Kind::Span => &self.timedelta,
        }
    }

    fn operate(&self, operator: Operator, this: &Value, other: &Value) -> Res {
        use self::Kind::{Date, Moment, Span, Time};
        let (Some(a), Some(b)) = (self.kind(this), self.kind(other)) else {
            return Ok(Value::NotImplemented);
        };
        if (a, b) == (Span, Span)
            && let (Some(x), Some(y)) = (small_us(this), small_us(other))
            && let Some(result) = self.small_spans(operator, x, y)
        {
            return Ok(result);
        }
        match (operator, a, b) {
            (Operator::Compare(op), Moment, Moment) | (Operator::Compare(op), Time, Time) => {
                self.compare(op, this, other)
            }
            (Operator::Compare(op), Date, Date) => {
                Ok(Value::bool(satisfies(op, Some(at(this)?.cmp(&at(other)?)))))
            }
            (Operator::Compare(op), Span, Span) => {
                Ok(Value::bool(satisfies(op, Some(span(this)?.cmp(&span(other)?)))))
            }
            (Operator::Add, Span, Span) => self.span(span(this)? + span(other)?),
            (Operator::Sub, Span, Span) => self.span(span(this)? - span(other)?),
            (Operator::SubFrom, Span, Span) => self.span(span(other)? - span(this)?),
            (Operator::Add, Date, Span) => date_in(&class_of(this), at(this)? + days_and_rest(other)?.0),
            (Operator::Sub, Date, Span) => date_in(&class_of(this), at(this)? - days_and_rest(other)?.0),
            (Operator::Sub, Date, Date) => self.span(i128::from(at(this)? - at(other)?) * i128::from(DAY)),
            (Operator::Add, Moment, Span) => moved(this, span(other)?),
            (Operator::Sub, Moment, Span) => moved(this, -span(other)?),
            (Operator::Sub, Moment, Moment) => self.difference(this, other),
            _ => Ok(Value::NotImplemented),
        }
    }

    /// What comes of two spans without the need of long numbers.
    fn small_spans(&self, operator: Operator, x: i64, y: i64) -> Option<Value> {
        let us = match operator {
            Operator::Compare(op) => return Some(Value::bool(satisfies(op, Some(x.cmp(&y))))),
            Operator::Add => x.checked_add(y)?,
            Operator::Sub => x.checked_sub(y)?,
            Operator::SubFrom => y.checked_sub(x)?,
            _ => return None,
        };
        Some(instance(&self.timedelta, name::US, Value::Int(us)))
    }

    fn operate_alone(&self, operator: Operator, this: &Value) -> Res {
        match (operator, self.kind(this)) {
            (Operator::Neg, _) => self.span(-span(this)?),
            (Operator::Pos, _) => self.span(span(this)?),
            (Operator::Abs, _) => self.span(span(this)?.abs()),
            (Operator::Truth, _) => Ok(Value::bool(span(this)? != 0)),
            (_, Some(kind)) => self.hash(this, kind),
            (_, None) => attribute::get(this, name::US), // which fails
        }
    }

    /// The hash of what makes two of them equal.
    fn hash(&self, this: &Value, kind: Kind) -> Res {
        let key = match kind {
            Kind::Span => {
                let (days, rest) = days_and_rest(this)?;
                let mut hasher = table::hash::TupleHasher::default();
                for part in [days, rest / SECOND, rest % SECOND] {
                    hasher.add(table::hash::int(part));
                }
                return Ok(Value::Int(hasher.finish()));
            }
            Kind::Date => Value::Int(at(this)?),
            Kind::Moment | Kind::Time => {
                let ahead = match zone(this) {
                    Value::None => None,
                    zone => {
                        let fold = at(this)? & 1;
                        let unfolded = timed(self.home(kind), at(this)? - fold, zone);
                        self.offset(if fold == 0 { this } else { &unfolded })?
                    }
                };
                // Naive ones equal no others.
                Value::Int((us(this)? - ahead.unwrap_or(0) as i64) << 1 | i64::from(ahead.is_none()))
            }
        };
        operator::hash(&key).map(Value::Int)
    }

    fn span(&self, us: i128) -> Res {
        span_in(&self.timedelta, us)
    }

    /// How far a time or moment's zone is ahead of UTC, if it says so.
    fn offset(&self, value: &Value) -> Res<Option<i128>> {
        Ok(span_of(&fields::utc_offset(value)?))
    }

    /// Both as microseconds of one clock, with the first one's offset from UTC; none if only one side has one.
    fn together(&self, this: &Value, other: &Value) -> Res<Option<(i128, i128, Option<i128>)>> {
        let [us, its] = [us(this)?, us(other)?].map(i128::from);
        Ok(match (self.offset(this)?, self.offset(other)?) {
            (None, None) => Some((us, its, None)),
            (Some(ahead), Some(its_ahead)) => Some((us - ahead, its - its_ahead, Some(ahead))),
            _ => None,
        })
    }

    fn difference(&self, this: &Value, other: &Value) -> Res {
        if is_in_zone_of(this, other) {
            return self.span(i128::from(us(this)? - us(other)?));
        }
        match self.together(this, other)? {
            Some((us, its, _)) => self.span(us - its),
            None => Err(mixed_difference()),
        }
    }

    fn compare(&self, op: CompareOp, this: &Value, other: &Value) -> Res {
        if is_in_zone_of(this, other) {
            return Ok(Value::bool(satisfies(op, Some(us(this)?.cmp(&us(other)?)))));
        }
        let is_equality = matches!(op, CompareOp::Eq | CompareOp::NotEq);
        let Some((us, its, ahead)) = self.together(this, other)? else {
            return match (is_equality, self.kind(this)) {
                (true, _) | (_, None) => Ok(Value::bool(op == CompareOp::NotEq)),
                (false, Some(kind)) => Err(type_error(format!(
                    "can't compare offset-naive and offset-aware {}s",
                    self.home(kind).name()
                ))),
            };
        };
        // What reads the same twice equals nothing in another zone.
        let is_unequal = is_equality
            && us == its
            && ahead.is_some()
            && (self.is_ambiguous(this)? || self.is_ambiguous(other)?);
        Ok(Value::bool(match is_unequal {
            true => op == CompareOp::NotEq,
            false => satisfies(op, Some(us.cmp(&its))),
        }))
    }

    /// Whether a moment's offset would be another with the other fold.
    fn is_ambiguous(&self, value: &Value) -> Res<bool> {
        if self.kind(value) != Some(Kind::Moment) {
            return Ok(false);
        }
        let twin = timed(&self.datetime, at(value)? ^ 1, zone(value));
        Ok(self.offset(&twin)? != self.offset(value)?)
    }

    /// A moment's date.
    fn date(&self, moment: &Value) -> Res {
        Ok(match kept(moment)? {
            Kept::Moment(reading) => fields::date(&self.date, reading.us().div_euclid(DAY)),
            _ => Value::None,
        })
    }

    /// A moment's time of day, with or without its zone.
    fn time(&self, moment: &Value, is_zoned: bool) -> Res {
        Ok(match kept(moment)? {
            Kept::Moment(reading) => {
                let at = reading.us().rem_euclid(DAY) << 1 | reading.fold();
                let zone = if is_zoned { reading.zone } else { Value::None };
                timed(&self.time, at, zone)
            }
            _ => Value::None,
        })
    }
}

impl Classes {
    /// A date and a time as one moment of a class, in the time's zone or another one.
    fn combine(&self, args: &[Value]) -> Res {
        let [of, date, time, zone] = args else {
            return Ok(Value::NotImplemented);
        };
        let wrong = |place, wanted| {
            let words = format!("combine() argument {place}");
            wrong_argument(&words, wanted, &args[place])
        };
        let number = match self.kind(date).map(|_| kept(date)).transpose()? {
            Some(Kept::Date(number)) => number,
            Some(Kept::Moment(reading)) => reading.us().div_euclid(DAY),
            _ => return Err(wrong(1, "datetime.date")),
        };
        let Some(Kept::Time(reading)) = self.kind(time).map(|_| kept(time)).transpose()? else {
            return Err(wrong(2, "datetime.time"));
        };
        let zone = match zone {
            Value::Unset => reading.zone.clone(),
            zone => construct::checked_zone(zone.clone())?,
        };
        let us = number * DAY + reading.us();
        match as_class(of).filter(|of| is_ours(of)) {
            Some(of) => Ok(timed(of, us << 1 | reading.fold(), zone)),
            None => construct::make(of, fields::civil_at(us), reading.fold(), zone, 0..7),
        }
    }
}

type Part = fn(&Classes, &Value) -> Res;

/// What moments give of themselves.
const PARTS: [(&str, &str, Part); 3] = [
    ("date", "The date.", Classes::date),
    (
        "time",
        "The time of day, without the time zone.",
        |classes, moment| classes.time(moment, false),
    ),
    (
        "timetz",
        "The time of day, with the time zone.",
        |classes, moment| classes.time(moment, true),
    ),
];

/// Gives a class a method that knows the other classes.
fn give(class: &Ref<Class>, owner: &'static str, def: NativeDef) {
    let native = Native::of(&def, owner);
    class.set(native.name, native.into());
}

/// Gives the classes their operators, and what needs to know the other classes.
fn give_methods(args: &[Value]) -> Res {
    let [Some(date), Some(time), Some(datetime), Some(timedelta)] =
        [0, 1, 2, 3].map(|place| as_class(&args[place]).cloned())
    else {
        return Err(type_error("four classes are needed"));
    };
    let classes = Rc::new(Classes {
        date,
        time,
        datetime,
        timedelta,
    });
    let give_operators = |class: &Ref<Class>, owner, operators: &[(&'static str, &'static str, Operator)]| {
        for &(name, doc, operator) in operators {
            let classes = classes.clone();
            let body = match operator.is_alone() {
                true => NativeBody::Closure(Rc::new(move |args: &[Value]| {
                    classes.operate_alone(operator, &args[0])
                })),
                false => NativeBody::Pair(Rc::new(move |this: &Value, other: &Value| {
                    classes.operate(operator, this, other)
                })),
            };
            let def = NativeDef {
                name,
                signature: operator.signature(),
                doc,
                role: NativeRole::Method,
                body,
                module: None,
            };
            give(class, owner, def);
        }
    };
    give_operators(&classes.time, "datetime.time", &COMPARISONS);
    give_operators(&classes.time, "datetime.time", &HASH);
    give_operators(&classes.timedelta, "datetime.timedelta", &OF_SPANS);
    for (class, owner) in [
        (&classes.date, "datetime.date"),
        (&classes.datetime, "datetime.datetime"),
        (&classes.timedelta, "datetime.timedelta"),
    ] {
        give_operators(class, owner, &COMPARISONS);
        give_operators(class, owner, &HASH);
        give_operators(class, owner, &ARITHMETIC);
    }
    for (name, doc, part) in PARTS {
        let classes_of_part = classes.clone();
        let body = move |args: &[Value]| part(&classes_of_part, &args[0]);
        let def = NativeDef {
            name,
            signature: "(self, /)",
            doc,
            role: NativeRole::Method,
            body: NativeBody::Closure(Rc::new(body)),
            module: None,
        };
        give(&classes.datetime, "datetime.datetime", def);
    }
    let combining = classes.clone();
    let combine = NativeDef {
        name: "combine",
        signature: "(cls, date, time, tzinfo=None)",
        doc: "A date and a time as one moment, in the time's zone unless another one is given.",
        role: NativeRole::ClassMethod,
        body: NativeBody::Closure(Rc::new(move |args: &[Value]| combining.combine(args))),
        module: None,
    };
    give(&classes.datetime, "datetime.datetime", combine);
    Ok(Value::None)
}

pub const GIVE_METHODS: NativeDef = function(
    "give_methods",
    "(date, time, datetime, timedelta, /)",
    "Give the classes their sums, differences and comparisons, and what they make of each other.",
    give_methods,
);
