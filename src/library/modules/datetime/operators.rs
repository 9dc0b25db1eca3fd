//! Sums, differences and comparisons of dates, times, moments and spans.
//!
//! Always true: what comes of a date or moment is of its own class, a span is a plain timedelta, and
//! what a method does not know it leaves to the other side.

use super::{
    DAY, SECOND, clock_of, date_in, instance, made_of, moment_in, moment_of, ordinal_of, part, span_in,
};
use crate::code::CompareOp;
use crate::interp::error::*;
use crate::interp::operator::order::satisfies;
use crate::interp::payload::*;
use crate::interp::types::class_of;
use crate::interp::{call, operator};
use crate::library::builtins::function;
use crate::source::{Symbol, name};
use crate::value::*;
use num_traits::ToPrimitive;
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

/// Microseconds by the clock, since midnight or since day 0, and the zone.
struct Reading {
    us: i64,
    zone: Value,
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
        let home = self.home(&instance.class.borrow())?;
        if home.is(&self.timedelta) {
            return Some(Operand::Span(match instance.slot(name::US)? {
                Value::Int(us) => us.into(),
                us => as_bigint(&us)?.to_i128()?,
            }));
        }
        let fields = instance.slot(name::FIELDS)?;
        let fields = &as_tuple(&fields)?.items;
        let reading = |us, zone: usize| {
            let zone = fields.get(zone)?.clone();
            Some(Reading { us, zone })
        };
        if home.is(&self.datetime) {
            return Some(Operand::Moment(reading(moment_of(fields), 7)?));
        }
        Some(match home.is(&self.date) {
            true => Operand::Date(ordinal_of(fields)),
            false => Operand::Time(reading(clock_of(fields), 4)?),
        })
    }

    fn operate(&self, operator: Operator, this: &Value, other: &Value) -> Res {
        use Operand::*;
        let (Some(a), Some(b)) = (self.operand(this), self.operand(other)) else {
            return Ok(Value::NotImplemented);
        };
        let days = |span: i128| span.div_euclid(DAY.into()) as i64;
        let moved = |from: Reading, by: i128| moment_in(&class_of(this), i128::from(from.us) + by, from.zone);
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
            (_, None) => made_of(this, name::US), // which fails
        }
    }

    /// The hash of what makes two of them equal.
    fn hash(&self, this: &Value, operand: &Operand) -> Res {
        let key = match operand {
            Operand::Span(us) => {
                let (day, second) = (i128::from(DAY), i128::from(SECOND));
                [
                    us.div_euclid(day),
                    us.rem_euclid(day) / second,
                    us.rem_euclid(second),
                ]
                .map(|n| n as i64)
            }
            Operand::Date(number) => [*number, 0, 0],
            Operand::Moment(reading) | Operand::Time(reading) => {
                let ahead = match reading.zone {
                    Value::None => None,
                    _ => self.offset(&self.unfolded(this)?)?,
                };
                [
                    i64::from(ahead.is_none()),
                    reading.us - ahead.unwrap_or(0) as i64,
                    0,
                ]
            }
        };
        let key = Value::tuple(key.map(Value::Int));
        operator::hash(&key).map(Value::Int)
    }

    /// A time or moment with fold=0.
    fn unfolded(&self, value: &Value) -> Res {
        let own = made_of(value, name::FIELDS)?;
        let mut fields = super::fields(&own)?.to_vec();
        match (fields.pop(), self.home(&class_of(value))) {
            (Some(Value::Int(fold)), Some(home)) if fold != 0 => {
                fields.push(Value::Int(0));
                Ok(instance(home, name::FIELDS, Value::tuple(fields)))
            }
            _ => Ok(value.clone()),
        }
    }

    fn span(&self, us: i128) -> Res {
        span_in(&self.timedelta, us)
    }

    /// How far a time or moment's zone is ahead of UTC, if it says so.
    fn offset(&self, value: &Value) -> Res<Option<i128>> {
        let home = self.home(&class_of(value));
        let method = home.and_then(|home| home.own(Symbol::new("utcoffset")));
        let offset = call::call(&method.unwrap_or_default(), std::slice::from_ref(value))?;
        Ok(match self.operand(&offset) {
            Some(Operand::Span(us)) => Some(us),
            _ => None,
        })
    }

    /// Both as microseconds of one clock, with the first one's offset from UTC; none if only one side has one.
    fn together(
        &self,
        this: &Value,
        other: &Value,
        a: &Reading,
        b: &Reading,
    ) -> Res<Option<(i128, i128, Option<i128>)>> {
        let [us, its] = [a.us, b.us].map(i128::from);
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
        let (Value::Instance(moment), Some(Operand::Moment(_))) = (value, self.operand(value)) else {
            return Ok(false);
        };
        let Some(fields) = moment.slot(name::FIELDS) else {
            return Ok(false);
        };
        let mut fields = super::fields(&fields)?.to_vec();
        let fold = part(&fields, 8);
        fields.truncate(8);
        fields.push(Value::Int(1 - fold));
        let twin = instance(&self.datetime, name::FIELDS, Value::tuple(fields));
        Ok(self.offset(&twin)? != self.offset(value)?)
    }
}

/// Gives the classes their operators.
fn give_operators(args: &[Value]) -> Res {
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
    let give = |class: &Ref<Class>, owner, operators: &[(&'static str, &'static str, Operator)]| {
        for &(name, doc, operator) in operators {
            let classes = classes.clone();
            let body = move |args: &[Value]| match args {
                [this] => classes.operate_alone(operator, this),
                args => classes.operate(operator, &args[0], &args[1]),
            };
            let native = Native {
                name: Symbol::new(name),
                signature: Signature::new(operator.signature()),
                doc,
                role: NativeRole::Method,
                body: NativeBody::Closure(Rc::new(body)),
                owner,
                module: None,
            };
            class.set(native.name, Ref::new(native).into());
        }
    };
    give(&classes.time, "datetime.time", &COMPARISONS);
    give(&classes.time, "datetime.time", &HASH);
    give(&classes.timedelta, "datetime.timedelta", &OF_SPANS);
    for (class, owner) in [
        (&classes.date, "datetime.date"),
        (&classes.datetime, "datetime.datetime"),
        (&classes.timedelta, "datetime.timedelta"),
    ] {
        give(class, owner, &COMPARISONS);
        give(class, owner, &HASH);
        give(class, owner, &ARITHMETIC);
    }
    Ok(Value::None)
}

pub const GIVE_OPERATORS: NativeDef = function(
    "give_operators",
    "(date, time, datetime, timedelta, /)",
    "Give the classes their sums, differences and comparisons.",
    give_operators,
);
