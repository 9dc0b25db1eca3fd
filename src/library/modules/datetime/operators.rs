//! Sums, differences and comparisons of dates, times, moments and spans, and what makes one from another.
//!
//! Always true: what comes of a date or moment is of its own class, a span is a plain timedelta, and
//! what a method does not know it leaves to the other side.

use super::fields::{self, Kept, Reading, kept, timed};
use super::{DAY, SECOND, date_in, moment_in, span_in, span_of};
use crate::code::CompareOp;
use crate::interp::error::*;
use crate::interp::operator::order::satisfies;
use crate::interp::payload::*;
use crate::interp::types::class_of;
use crate::interp::{attribute, operator};
use crate::library::builtins::function;
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
    fn signature(self) -> &'static str {
        use Operator::*;
        match self {
            Neg | Pos | Abs | Truth | Hash => "(self, /)",
            _ => "(self, value, /)",
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

/// What an operand is.
enum Operand {
    /// The number of a day.
    Date(i64),
    Time(Reading),
    Moment(Reading),
    /// Microseconds.
    Span(i128),
}

impl Classes {
    /// Which of the four classes a class is or comes from.
    fn home(&self, class: &Ref<Class>) -> Option<&Ref<Class>> {
        // A moment is a date, too, so it is looked for first.
        let homes = [&self.datetime, &self.timedelta, &self.date, &self.time];
        let own = homes.iter().find(|home| class.is(home));
        own.or_else(|| homes.iter().find(|home| class.is_subclass(home)))
            .copied()
    }

    fn operand(&self, value: &Value) -> Option<Operand> {
        let Value::Instance(instance) = value else {
            return None;
        };
        let is_span = self.home(&instance.class.borrow())?.is(&self.timedelta);
        if is_span {
            return span_of(value).map(Operand::Span);
        }
        Some(match Kept::of(value)? {
            Kept::Date(number) => Operand::Date(number),
            Kept::Time(reading) => Operand::Time(reading),
            Kept::Moment(reading) => Operand::Moment(reading),
        })
    }

    fn operate(&self, operator: Operator, this: &Value, other: &Value) -> Res {
        use Operand::*;
        let (Some(a), Some(b)) = (self.operand(this), self.operand(other)) else {
            return Ok(Value::NotImplemented);
        };
        let days = |span: i128| span.div_euclid(DAY.into()) as i64;
        let moved =
            |from: Reading, by: i128| moment_in(&class_of(this), i128::from(from.us()) + by, from.zone);
        let answer = |op, order| Ok(Value::bool(satisfies(op, Some(order))));
        match (operator, a, b) {
            (Operator::Add, Span(a), Span(b)) => self.span(a + b),
            (Operator::Sub, Span(a), Span(b)) => self.span(a - b),
            (Operator::SubFrom, Span(a), Span(b)) => self.span(b - a),
            (Operator::Add, Date(a), Span(b)) => date_in(&class_of(this), a + days(b)),
            (Operator::Sub, Date(a), Span(b)) => date_in(&class_of(this), a - days(b)),
            (Operator::Sub, Date(a), Date(b)) => self.span(i128::from(a - b) * i128::from(DAY)),
            (Operator::Add, Moment(a), Span(b)) => moved(a, b),
            (Operator::Sub, Moment(a), Span(b)) => moved(a, -b),
            (Operator::Sub, Moment(a), Moment(b)) => self.difference(this, other, &a, &b),
            (Operator::Compare(op), Span(a), Span(b)) => answer(op, a.cmp(&b)),
            (Operator::Compare(op), Date(a), Date(b)) => answer(op, a.cmp(&b)),
            (Operator::Compare(op), Moment(a), Moment(b)) | (Operator::Compare(op), Time(a), Time(b)) => {
                self.compare(op, this, other, &a, &b)
            }
            _ => Ok(Value::NotImplemented),
        }
    }

    fn operate_alone(&self, operator: Operator, this: &Value) -> Res {
        let operand = self.operand(this);
        match (operator, &operand) {
            (Operator::Neg, Some(Operand::Span(us))) => self.span(-us),
            (Operator::Pos, Some(Operand::Span(us))) => self.span(*us),
            (Operator::Abs, Some(Operand::Span(us))) => self.span(us.abs()),
            (Operator::Truth, Some(Operand::Span(us))) => Ok(Value::bool(*us != 0)),
            (_, Some(operand)) => self.hash(this, operand),
            (_, None) => attribute::get(this, name::US), // which fails
        }
    }

    /// The hash of what makes two of them equal.
    fn hash(&self, this: &Value, operand: &Operand) -> Res {
        let key = match operand {
            Operand::Span(us) => {
                let (day, second) = (i128::from(DAY), i128::from(SECOND));
                let parts = [
                    us.div_euclid(day),
                    us.rem_euclid(day) / second,
                    us.rem_euclid(second),
                ];
                Value::tuple(parts.map(|n| Value::Int(n as i64)))
            }
            Operand::Date(number) => Value::Int(*number),
            Operand::Moment(reading) | Operand::Time(reading) => {
                let ahead = match reading.zone {
                    Value::None => None,
                    _ => self.offset(&self.unfolded(this, reading))?,
                };
                // Naive ones equal no others.
                Value::Int((reading.us() - ahead.unwrap_or(0) as i64) << 1 | i64::from(ahead.is_none()))
            }
        };
        operator::hash(&key).map(Value::Int)
    }

    /// A time or moment with fold=0.
    fn unfolded(&self, value: &Value, reading: &Reading) -> Value {
        match self.home(&class_of(value)) {
            Some(home) if reading.fold() != 0 => timed(home, reading.at & !1, reading.zone.clone()),
            _ => value.clone(),
        }
    }

    fn span(&self, us: i128) -> Res {
        span_in(&self.timedelta, us)
    }

    /// How far a time or moment's zone is ahead of UTC, if it says so.
    fn offset(&self, value: &Value) -> Res<Option<i128>> {
        Ok(span_of(&fields::utc_offset(value)?))
    }

    /// Both as microseconds of one clock, with the first one's offset from UTC; none if only one side has one.
    fn together(
        &self,
        this: &Value,
        other: &Value,
        a: &Reading,
        b: &Reading,
    ) -> Res<Option<(i128, i128, Option<i128>)>> {
        let [us, its] = [a.us(), b.us()].map(i128::from);
        if a.zone.is(&b.zone) {
            return Ok(Some((us, its, None)));
        }
        Ok(match (self.offset(this)?, self.offset(other)?) {
            (None, None) => Some((us, its, None)),
            (Some(ahead), Some(its_ahead)) => Some((us - ahead, its - its_ahead, Some(ahead))),
            _ => None,
        })
    }

    fn difference(&self, this: &Value, other: &Value, a: &Reading, b: &Reading) -> Res {
        match self.together(this, other, a, b)? {
            Some((us, its, _)) => self.span(us - its),
            None => Err(type_error(
                "can't subtract offset-naive and offset-aware datetimes",
            )),
        }
    }

    fn compare(&self, op: CompareOp, this: &Value, other: &Value, a: &Reading, b: &Reading) -> Res {
        let is_equality = matches!(op, CompareOp::Eq | CompareOp::NotEq);
        let Some((us, its, ahead)) = self.together(this, other, a, b)? else {
            return match (is_equality, self.home(&class_of(this))) {
                (true, _) | (_, None) => Ok(Value::bool(op == CompareOp::NotEq)),
                (false, Some(home)) => Err(type_error(format!(
                    "can't compare offset-naive and offset-aware {}s",
                    home.name()
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
        let Some(Operand::Moment(reading)) = self.operand(value) else {
            return Ok(false);
        };
        let twin = timed(&self.datetime, reading.at ^ 1, reading.zone);
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

type Body = Rc<dyn Fn(&[Value]) -> Res>;

fn give(
    class: &Ref<Class>,
    owner: &'static str,
    name: &str,
    signature: &'static str,
    doc: &'static str,
    body: Body,
) {
    let native = Native {
        name: Symbol::new(name),
        signature: Signature::new(signature),
        doc,
        role: NativeRole::Method,
        body: NativeBody::Closure(body),
        owner,
        module: None,
    };
    class.set(native.name, Ref::new(native).into());
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
    let give_operators = |class: &Ref<Class>, owner, operators: &[(&str, &'static str, Operator)]| {
        for &(name, doc, operator) in operators {
            let classes = classes.clone();
            let body = move |args: &[Value]| match args {
                [this] => classes.operate_alone(operator, this),
                args => classes.operate(operator, &args[0], &args[1]),
            };
            give(class, owner, name, operator.signature(), doc, Rc::new(body));
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
        give(
            &classes.datetime,
            "datetime.datetime",
            name,
            "(self, /)",
            doc,
            Rc::new(body),
        );
    }
    Ok(Value::None)
}

pub const GIVE_METHODS: NativeDef = function(
    "give_methods",
    "(date, time, datetime, timedelta, /)",
    "Give the classes their sums, differences and comparisons, and what they make of each other.",
    give_methods,
);
