//! `throw(type, value, traceback)`: which exception that means, and who gets it.

use super::{delegate, resume_by, send, sent};
use crate::interp::error::*;
use crate::interp::payload::as_tuple;
use crate::interp::traceback::TracebackObject;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{attribute, call, text};
use crate::source::name;
use crate::value::generator::Progress;
use crate::value::*;

/// The exception that the arguments of `throw` mean. Arguments that mean none are an error; one that
/// a class fails to make is what is thrown instead.
pub fn thrown(args: &[Value]) -> Res<Ref<Exception>> {
    let wrong = |value: &Value| {
        type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {}",
            class_name(value)
        ))
    };
    if args.is_empty() {
        return Err(type_error("athrow expected at least 1 argument, got 0"));
    }
    if args.len() > 3 {
        let message = format!("athrow expected at most 3 arguments, got {}", args.len());
        return Err(type_error(message));
    }
    let given = |place: usize| args.get(place).and_then(Value::given);
    if given(2).is_some_and(|row| row.opaque::<TracebackObject>().is_none()) {
        return Err(type_error("throw() third argument must be a traceback object"));
    }
    let base = class(Type::BaseException);
    let made = match (&args[0], given(1)) {
        (Value::Exception(exception), None) => return Ok(Ref::clone(exception)),
        (Value::Exception(_), Some(_)) => {
            return Err(type_error("instance exception may not have a separate value"));
        }
        (Value::Class(of), _) if !of.is_subclass(&base) => return Err(wrong(&args[0])),
        (Value::Class(of), Some(Value::Exception(exception))) if exception.is_instance(of) => {
            return Ok(Ref::clone(exception));
        }
        (Value::Class(_), None) => call::call(&args[0], &[]),
        (Value::Class(_), Some(value)) => match as_tuple(value) {
            Some(values) => call::call(&args[0], &values.items),
            None => call::call(&args[0], std::slice::from_ref(value)),
        },
        (other, _) => return Err(wrong(other)),
    };
    Ok(match made {
        Ok(made) => match &made {
            Value::Exception(exception) => Ref::clone(exception),
            other => type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                text::repr(&args[0])?,
                class_name(other)
            ))
            .take(),
        },
        Err(raised) => raised.take(),
    })
}

/// `generator.throw(type, value, traceback)`. What it delegates to gets the arguments as they are.
pub fn throw(generator: &Ref<Generator>, args: &[Value]) -> Res {
    if let Some((iterator, throw)) = delegated(generator, args)? {
        let outcome = resume_by(generator, |frames| {
            let result = match &iterator {
                Value::Generator(inner) => self::throw(inner, args),
                _ => call::call(&throw, args),
            };
            super::lift(delegate::ended(frames, result))
        });
        return sent(generator, outcome);
    }
    send(generator, Resume::Raise(thrown(args)?))
}

/// The iterator that a suspended generator delegates to, and its `throw`, if a class is to be thrown
/// there. GeneratorExit closes it instead.
fn delegated(generator: &Ref<Generator>, args: &[Value]) -> Res<Option<(Value, Value)>> {
    let is_passed_on = match &args[0] {
        Value::Class(thrown) => {
            thrown.is_subclass(&class(Type::BaseException))
                && !thrown.is_subclass(&class(Type::GeneratorExit))
        }
        _ => false,
    };
    if !is_passed_on || generator.progress.get() != Progress::Suspended {
        return Ok(None);
    }
    let iterator = generator.look(|stack| match stack {
        [.., Activation::Delegate(iterator)] => Some((**iterator).clone()),
        _ => None,
    });
    let Some(iterator) = iterator else {
        return Ok(None);
    };
    Ok(attribute::find(&iterator, name::THROW)?.map(|throw| (iterator, throw)))
}
