//! Operators of dates, moments and spans of the module's own classes.
//!
//! Always true: only what needs no question is answered here: both sides of exactly our classes,
//! moments of one zone, a result in range. All else is left to the class's own method in aio.

use super::{DAY, date_at, fields_slot, instance, moment_at, moment_of, ordinal_of};
use crate::code::CompareOp;
use crate::interp::call;
use crate::interp::error::*;
use crate::interp::operator::order::satisfies;
use crate::interp::payload::*;
use crate::library::builtins::function;
use crate::source::Symbol;
use crate::value::*;
use std::rc::Rc;

/// The classes, and what their objects keep their values in.
struct Classes {
    date: Ref<Class>,
    datetime: Ref<Class>,
    timedelta: Ref<Class>,
    fields: Symbol,
    us: Symbol,
}

#[derive(Clone, Copy)]
enum Operator {
    Add,
    Sub,
    Compare(CompareOp),
}

/// The special methods that are hastened.
const METHODS: [(&str, Operator); 7] = [
    ("__add__", Operator::Add),
    ("__sub__", Operator::Sub),
    ("__eq__", Operator::Compare(CompareOp::Eq)),
    ("__lt__", Operator::Compare(CompareOp::Lt)),
    ("__le__", Operator::Compare(CompareOp::LtE)),
    ("__gt__", Operator::Compare(CompareOp::Gt)),
    ("__ge__", Operator::Compare(CompareOp::GtE)),
];

/// What an operand is.
enum Operand {
    /// The number of a day.
    Date(i64),
    /// Microseconds since day 0, and the zone.
    Moment(i64, Value),
    /// Microseconds.
    Span(i64),
}

/// Spans are counted in days of at most nine digits.
const LONGEST_DAYS: i64 = 999_999_999;

impl Classes {
    fn operand(&self, value: &Value) -> Option<Operand> {
        let Value::Instance(instance) = value else {
            return None;
        };
        let class = instance.class.borrow();
        if class.is(&self.timedelta) {
            return match instance.slot(self.us)? {
                Value::Int(us) => Some(Operand::Span(us)),
                _ => None,
            };
        }
        let is_date = class.is(&self.date);
        if !is_date && !class.is(&self.datetime) {
            return None;
        }
        let fields = instance.slot(self.fields)?;
        let fields = &as_tuple(&fields)?.items;
        Some(match is_date {
            true => Operand::Date(ordinal_of(fields)),
            false => Operand::Moment(moment_of(fields), fields.get(7)?.clone()),
        })
    }

    fn span(&self, us: i64) -> Option<Value> {
        let is_in_range = us.div_euclid(DAY).abs() <= LONGEST_DAYS;
        is_in_range.then(|| instance(&self.timedelta, self.us, Value::Int(us)))
    }

    fn date(&self, number: i64) -> Option<Value> {
        Some(instance(&self.date, self.fields, Value::tuple(date_at(number)?)))
    }

    fn moment(&self, us: i64, zone: Value) -> Option<Value> {
        let [year, month, day, hour, minute, second, us, zone] = moment_at(us, zone)?;
        let fields = [year, month, day, hour, minute, second, us, zone, Value::Int(0)];
        Some(instance(&self.datetime, self.fields, Value::tuple(fields)))
    }

    fn operate(&self, operator: Operator, a: &Value, b: &Value) -> Option<Value> {
        use Operand::*;
        let (a, b) = (self.operand(a)?, self.operand(b)?);
        match (operator, a, b) {
            (Operator::Add, Span(a), Span(b)) => self.span(a.checked_add(b)?),
            (Operator::Sub, Span(a), Span(b)) => self.span(a.checked_sub(b)?),
            (Operator::Add, Moment(a, zone), Span(b)) | (Operator::Add, Span(b), Moment(a, zone)) => {
                self.moment(a.checked_add(b)?, zone)
            }
            (Operator::Sub, Moment(a, zone), Span(b)) => self.moment(a.checked_sub(b)?, zone),
            (Operator::Sub, Moment(a, zone), Moment(b, other)) if zone.is(&other) => self.span(a - b),
            (Operator::Add, Date(a), Span(b)) | (Operator::Add, Span(b), Date(a)) => {
                self.date(a + b.div_euclid(DAY))
            }
            (Operator::Sub, Date(a), Span(b)) => self.date(a - b.div_euclid(DAY)),
            (Operator::Sub, Date(a), Date(b)) => self.span((a - b) * DAY),
            (Operator::Compare(op), Moment(a, zone), Moment(b, other)) if zone.is(&other) => {
                Some(Value::bool(satisfies(op, Some(a.cmp(&b)))))
            }
            (Operator::Compare(op), Span(a), Span(b)) | (Operator::Compare(op), Date(a), Date(b)) => {
                Some(Value::bool(satisfies(op, Some(a.cmp(&b)))))
            }
            _ => None,
        }
    }
}

/// Puts a quick form in the place of each operator that a class defines.
fn hasten(args: &[Value]) -> Res {
    let [Some(date), Some(datetime), Some(timedelta)] =
        [0, 1, 2].map(|place| as_class(&args[place]).cloned())
    else {
        return Err(type_error("three classes are needed"));
    };
    let classes = Rc::new(Classes {
        date,
        datetime,
        timedelta,
        fields: fields_slot(),
        us: Symbol::new("_us"),
    });
    let owners = [
        (&classes.date, "datetime.date"),
        (&classes.datetime, "datetime.datetime"),
        (&classes.timedelta, "datetime.timedelta"),
    ];
    for (class, owner) in owners {
        for (name, operator) in METHODS {
            let symbol = Symbol::new(name);
            let Some(own) = class.own(symbol) else {
                continue;
            };
            let classes = classes.clone();
            let quick = move |args: &[Value]| match classes.operate(operator, &args[0], &args[1]) {
                Some(result) => Ok(result),
                None => call::call(&own, args),
            };
            let native = Native {
                name: symbol,
                signature: Signature::new("(self, value, /)"),
                doc: "",
                role: NativeRole::Method,
                body: NativeBody::Closure(Rc::new(quick)),
                owner,
                module: None,
            };
            class.set(symbol, Ref::new(native).into());
        }
    }
    Ok(Value::None)
}

pub const HASTEN: NativeDef = function(
    "hasten",
    "(date, datetime, timedelta, /)",
    "Answer the plain cases of the classes' operators without their methods.",
    hasten,
);
