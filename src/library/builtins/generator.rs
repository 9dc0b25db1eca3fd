//! Generators, coroutines and async generators as objects.

use super::{getter, method, setter};
use crate::interp::async_iter;
use crate::interp::call;
use crate::interp::error::*;
use crate::interp::frame_object;
use crate::interp::machine;
use crate::interp::payload::*;
use crate::interp::text::object::generator_qualname;
use crate::interp::types::{Type, class, class_name};
use crate::source::name;
use crate::value::descriptor::CodeObject;
use crate::value::function::Resume;
use crate::value::generator::{AsyncStep, Progress};
use crate::value::*;
use std::rc::Rc;

fn this(value: &Value) -> Res<&Ref<Generator>> {
    as_generator(value).ok_or_else(|| wrong_self("send", "generator", value))
}

/// The exception that `throw(type, value)` means.
fn thrown(args: &[Value]) -> Res<Ref<Exception>> {
    let wrong = |value: &Value| {
        type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {}",
            class_name(value)
        ))
    };
    let base = class(Type::BaseException);
    let made = match (&args[1], args[2].given()) {
        (Value::Exception(exception), None) => return Ok(Ref::clone(exception)),
        (Value::Exception(_), Some(_)) => {
            return Err(type_error("instance exception may not have a separate value"));
        }
        (Value::Class(of), _) if !of.is_subclass(&base) => return Err(wrong(&args[1])),
        (Value::Class(_), Some(exception @ Value::Exception(_))) => exception.clone(),
        (Value::Class(_), None) => call::call(&args[1], &[])?,
        (Value::Class(_), Some(value)) => match as_tuple(value) {
            Some(values) => call::call(&args[1], &values.items)?,
            None => call::call(&args[1], std::slice::from_ref(value))?,
        },
        (other, _) => return Err(wrong(other)),
    };
    match &made {
        Value::Exception(exception) => Ok(Ref::clone(exception)),
        other => Err(wrong(other)),
    }
}

fn name_of(generator: &Generator) -> Value {
    if let Some(names) = generator.names() {
        return names.0.clone();
    }
    match &generator.func {
        Value::Function(function) => function.names().name,
        Value::Native(native) => native.name.into(),
        _ => Value::None,
    }
}

fn rename(args: &[Value], change: impl FnOnce(&mut (Value, Value)), name: &str) -> Res {
    let generator = this(&args[0])?;
    if as_str(&args[1]).is_none() {
        return Err(type_error(format!("{name} must be set to a string object")));
    }
    let mut names = (name_of(generator), Value::from(generator_qualname(generator)));
    change(&mut names);
    generator.set_names(names);
    Ok(Value::None)
}

fn code_of(args: &[Value]) -> Res {
    Ok(match &this(&args[0])?.func {
        Value::Function(function) => Opaque::value(class(Type::Code), CodeObject(function.code.clone())),
        _ => Value::None,
    })
}

/// The frame that a suspended one stands in; None once it has ended.
fn frame_of(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    let Value::Function(function) = &generator.func else {
        return Ok(Value::None);
    };
    if generator.progress.get() == Progress::Closed {
        return Ok(Value::None);
    }
    if generator.progress.get() == Progress::Running
        && let Some(frame) = frame_object::running_call(function)
    {
        return Ok(frame);
    }
    let code = function.code.clone();
    let stands = generator.look(|stack| match stack.first() {
        Some(Activation::Script(frame)) => frame.place(),
        _ => None,
    });
    let entry = TraceEntry {
        span: stands.unwrap_or(code.span),
        code,
        next: None,
    };
    Ok(frame_object::standing(Rc::new(entry)))
}

/// What it delegates to or waits for.
fn waits_for(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    Ok(generator.look(|stack| match stack {
        [Activation::Script(frame)] => match &frame.awaiting {
            Value::Unset => Value::None,
            awaited => awaited.clone(),
        },
        [_, Activation::Script(frame), ..] => frame.owner.clone().map_or(Value::None, Value::from),
        [_, Activation::Wait(future), ..] => future.clone().into(),
        [_, Activation::Delegate(iterator), ..] => (**iterator).clone(),
        _ => Value::None,
    }))
}

fn is_running(args: &[Value]) -> Res {
    Ok(Value::bool(this(&args[0])?.progress.get() == Progress::Running))
}

fn is_suspended(args: &[Value]) -> Res {
    Ok(Value::bool(this(&args[0])?.progress.get() == Progress::Suspended))
}

pub const COMMON: &[NativeDef] = &[
    getter("__name__", "The name of the function.", |args| {
        Ok(name_of(this(&args[0])?))
    }),
    setter("__name__", |args| {
        rename(args, |names| names.0 = args[1].clone(), "__name__")
    }),
    getter("__qualname__", "The qualified name of the function.", |args| {
        Ok(Value::from(generator_qualname(this(&args[0])?)))
    }),
    setter("__qualname__", |args| {
        rename(args, |names| names.1 = args[1].clone(), "__qualname__")
    }),
];

/// What generators, coroutines and the awaitables of async generators are driven by.
pub const RESUMED: &[NativeDef] = &[
    method(
        "send",
        "(self, value, /)",
        "Resume with a value; gives the next yielded one or raises StopIteration.",
        |args| machine::send(this(&args[0])?, Resume::Value(args[1].clone())),
    ),
    method(
        "throw",
        "(self, typ, val=None, tb=None, /)",
        "Raise an exception where it stands.",
        |args| {
            let exception = thrown(args)?;
            machine::send(this(&args[0])?, Resume::Raise(exception))
        },
    ),
    method(
        "close",
        "(self, /)",
        "Raise GeneratorExit where it stands.",
        |args| machine::close(this(&args[0])?),
    ),
];

pub const GENERATOR: &[NativeDef] = &[
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        Ok(args[0].clone())
    }),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        machine::send(this(&args[0])?, Resume::Value(Value::None))
    }),
    getter("gi_frame", "Where it stands.", frame_of),
    getter("gi_running", "Whether it is running.", is_running),
    getter("gi_suspended", "Whether it is suspended.", is_suspended),
    getter("gi_code", "Its code.", code_of),
    getter("gi_yieldfrom", "What it delegates to.", waits_for),
];

pub const COROUTINE: &[NativeDef] = &[
    method(
        "__await__",
        "(self, /)",
        "Return an iterator to be used in await expression.",
        |args| Ok(async_iter::wrapper("coroutine_wrapper", &args[0])),
    ),
    getter("cr_frame", "Where it stands.", frame_of),
    getter("cr_running", "Whether it is running.", is_running),
    getter("cr_suspended", "Whether it is suspended.", is_suspended),
    getter("cr_code", "Its code.", code_of),
    getter("cr_await", "What it waits for.", waits_for),
    getter("cr_origin", "Where it was created: not recorded.", |_| {
        Ok(Value::None)
    }),
];

pub const ASYNC_GENERATOR: &[NativeDef] = &[
    method(
        "__aiter__",
        "(self, /)",
        "Return an asynchronous iterator.",
        |args| Ok(args[0].clone()),
    ),
    method(
        "__anext__",
        "(self, /)",
        "Return an awaitable of the next value.",
        |args| Ok(async_iter::step(this(&args[0])?, AsyncStep::Send(Value::None))),
    ),
    method(
        "asend",
        "(self, value, /)",
        "Return an awaitable that resumes it with a value.",
        |args| {
            Ok(async_iter::step(
                this(&args[0])?,
                AsyncStep::Send(args[1].clone()),
            ))
        },
    ),
    method(
        "athrow",
        "(self, typ, val=None, tb=None, /)",
        "Return an awaitable that raises where it stands.",
        |args| {
            let exception = thrown(args)?;
            Ok(async_iter::step(this(&args[0])?, AsyncStep::Throw(exception)))
        },
    ),
    method(
        "aclose",
        "(self, /)",
        "Return an awaitable that raises GeneratorExit where it stands.",
        |args| Ok(async_iter::step(this(&args[0])?, AsyncStep::Close)),
    ),
    getter("ag_frame", "Where it stands.", frame_of),
    getter("ag_running", "Whether it is running.", |args| {
        let generator = this(&args[0])?;
        Ok(Value::bool(
            generator.busy.get() || generator.progress.get() == Progress::Running,
        ))
    }),
    getter("ag_suspended", "Whether it is suspended.", is_suspended),
    getter("ag_code", "Its code.", code_of),
    getter("ag_await", "What it waits for.", waits_for),
];

/// The built-in functions of asynchronous iteration.
pub const FUNCTIONS: &[NativeDef] = &[
    super::function(
        "aiter",
        "(async_iterable, /)",
        "Return an asynchronous iterator for an object.",
        |args| {
            if crate::interp::call::special(&args[0], name::AITER).is_none() {
                let kind = class_name(&args[0]);
                return Err(type_error(format!("'{kind}' object is not an async iterable")));
            }
            async_iter::begin(&args[0])
        },
    ),
    super::function(
        "anext",
        "(async_iterator, default=None, /)",
        "Return an awaitable of the next item.",
        |args| {
            if crate::interp::call::special(&args[0], name::ANEXT).is_none() {
                let kind = class_name(&args[0]);
                return Err(type_error(format!("'{kind}' object is not an async iterator")));
            }
            match &args[1] {
                Value::Unset => async_iter::anext(&args[0]),
                default => async_iter::anext_default(&args[0], default.clone()),
            }
        },
    ),
];

/// The awaitables that async generators give, and `coroutine.__await__()`.
pub const AWAITED: &[NativeDef] = &[
    method(
        "__await__",
        "(self, /)",
        "Return an iterator to be used in await expression.",
        |args| Ok(args[0].clone()),
    ),
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        Ok(args[0].clone())
    }),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        machine::send(this(&args[0])?, Resume::Value(Value::None))
    }),
];
