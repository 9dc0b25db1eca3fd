//! Exception groups (PEP 654).

use super::exception::this;
use super::{member, method, readonly, static_method};
use crate::interp::error::*;
use crate::interp::group::{members, with_members};
use crate::interp::payload::*;
use crate::interp::types::{Type, class};
use crate::interp::{call, isinstance, iterate, operator, special, stack};
use crate::source::name;
use crate::value::*;

fn is_plain(exception: &Value) -> bool {
    matches!(exception, Value::Exception(e) if e.is_instance(&class(Type::Exception)))
}

fn new(args: &[Value]) -> Res {
    let Some(of) = as_class(&args[0]) else {
        return Err(type_error(
            "BaseExceptionGroup.__new__(X): X is not a type object",
        ));
    };
    let given = as_tuple(&args[1])
        .map(|given| given.items.to_vec())
        .unwrap_or_default();
    let [message, exceptions] = given.as_slice() else {
        let count = given.len();
        return Err(type_error(format!(
            "BaseExceptionGroup.__new__() takes exactly 2 arguments ({count} given)"
        )));
    };
    if as_str(message).is_none() {
        return Err(super::wrong_argument(
            "BaseExceptionGroup.__new__() argument 1",
            "str",
            message,
        ));
    }
    let is_sequence = match plain(exceptions) {
        Value::Dict(_) => false,
        Value::List(_) | Value::Tuple(_) | Value::Str(_) | Value::Range(_) => true,
        Value::Bytes(_) | Value::ByteArray(_) => true,
        other => special::find(other, name::GETITEM).is_some(),
    };
    if !is_sequence {
        return Err(type_error("second argument (exceptions) must be a sequence"));
    }
    let members = iterate::collect(exceptions)?;
    if members.is_empty() {
        return Err(value_error(
            "second argument (exceptions) must be a non-empty sequence",
        ));
    }
    for (i, member) in members.iter().enumerate() {
        if !matches!(member, Value::Exception(_)) {
            return Err(value_error(format!(
                "Item {i} of second argument (exceptions) is not an exception"
            )));
        }
    }
    let all_plain = members.iter().all(is_plain);
    let of = if of.is(&class(Type::BaseExceptionGroup)) && all_plain {
        class(Type::ExceptionGroup)
    } else if !all_plain && of.is_subclass(&class(Type::Exception)) {
        return Err(type_error(match of.is(&class(Type::ExceptionGroup)) {
            true => "Cannot nest BaseExceptions in an ExceptionGroup".to_string(),
            false => format!("Cannot nest BaseExceptions in '{}'", of.name()),
        }));
    } else {
        of.clone()
    };
    Ok(Exception::new(of, given).into())
}

/// How `split` and `subgroup` choose.
enum Condition {
    Kind(Value),
    Function(Value),
}

impl Condition {
    fn of(value: &Value) -> Res<Condition> {
        let base = class(Type::BaseException);
        let is_kind = |v: &Value| matches!(v, Value::Class(c) if c.is_subclass(&base));
        match value {
            Value::Class(_) if is_kind(value) => Ok(Condition::Kind(value.clone())),
            Value::Tuple(kinds) if kinds.items.iter().all(is_kind) => Ok(Condition::Kind(value.clone())),
            Value::Class(_) | Value::Tuple(_) => Err(wrong_condition()),
            other if call::is_callable(other) => Ok(Condition::Function(other.clone())),
            _ => Err(wrong_condition()),
        }
    }

    fn takes(&self, exception: &Value) -> Res<bool> {
        match self {
            Condition::Kind(kind) => isinstance::catches(exception, kind),
            Condition::Function(func) => operator::truth(&call::call(func, std::slice::from_ref(exception))?),
        }
    }
}

#[cold]
fn wrong_condition() -> Raised {
    type_error("expected an exception type, a tuple of exception types, or a callable (other than a class)")
}

/// The part of an exception that the condition takes, and the rest; each None if empty.
fn split(exception: &Value, condition: &Condition) -> Res<(Value, Value)> {
    stack::check_native(" in exceptiongroup_split_recursive")?;
    if condition.takes(exception)? {
        return Ok((exception.clone(), Value::None));
    }
    let Value::Exception(group) = exception else {
        return Ok((Value::None, exception.clone()));
    };
    let Some(members) = members(group) else {
        return Ok((Value::None, exception.clone()));
    };
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    for member in &members {
        let (some, other) = split(member, condition)?;
        if !some.is_none() {
            taken.push(some);
        }
        if !other.is_none() {
            rest.push(other);
        }
    }
    Ok((with_members(group, taken)?, with_members(group, rest)?))
}

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "A combination of multiple unrelated exceptions.",
        new,
    ),
    readonly("message"),
    member("message", "The group's message.", |args| {
        let exception = this(&args[0])?;
        Ok(exception
            .parts
            .get(name::MESSAGE)
            .or_else(|| exception.arg(0))
            .unwrap_or(Value::None))
    }),
    readonly("exceptions"),
    member("exceptions", "The exceptions in the group.", |args| {
        Ok(Value::tuple(members(this(&args[0])?).unwrap_or_default()))
    }),
    method(
        "derive",
        "(self, excs, /)",
        "A group with the same message and other exceptions.",
        |args| {
            let message = this(&args[0])?.arg(0).unwrap_or(Value::None);
            let of = Value::from(class(Type::BaseExceptionGroup));
            call::call(&of, &[message, args[1].clone()])
        },
    ),
    method(
        "split",
        "(self, condition, /)",
        "The part that the condition takes, and the rest.",
        |args| {
            this(&args[0])?;
            let (taken, rest) = split(&args[0], &Condition::of(&args[1])?)?;
            Ok(Value::tuple([taken, rest]))
        },
    ),
    method(
        "subgroup",
        "(self, condition, /)",
        "The part that the condition takes.",
        |args| {
            this(&args[0])?;
            Ok(split(&args[0], &Condition::of(&args[1])?)?.0)
        },
    ),
    super::class_method(
        "__class_getitem__",
        "(cls, item, /)",
        "A generic alias.",
        |args| Ok(isinstance::generic_alias(&args[0], &args[1])),
    ),
];
