//! Generators, coroutines and async generators as objects.

use super::{getter, member, method, readonly, setter_deleter};
use crate::code::CodeKind;
use crate::interp::async_iter;
use crate::interp::error::*;
use crate::interp::frame_object::{self, standing};
use crate::interp::machine;
use crate::interp::payload::*;
use crate::interp::report;
use crate::interp::text::object::generator_qualname;
use crate::runtime::future;
use crate::value::frame::Awaiting;
use crate::value::function::Resume;
use crate::value::generator::{AsyncStep, Progress};
use crate::value::*;

fn this(value: &Value) -> Res<&Ref<Generator>> {
    as_generator(value).ok_or_else(|| wrong_self("send", "generator", value))
}

/// More than the exception is deprecated.
fn check_thrown(args: &[Value], method: &str) -> Res<()> {
    if args.len() > 1 {
        report::deprecated(&format!(
            "the (type, exc, tb) signature of {method}() is deprecated, use the single-arg signature instead."
        ))?;
    }
    Ok(())
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
        Value::Function(function) => frame_object::code(&function.code),
        Value::Native(native) => frame_object::code(&frame_object::code_of_native(native)),
        _ => Value::None,
    })
}

/// The frame that a suspended one stands in; None once it has ended.
fn frame_of(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    if generator.progress.get() == Progress::Closed && generator.awaits().is_none() {
        return Ok(Value::None);
    }
    let function = match &generator.func {
        Value::Function(function) => function,
        Value::Native(native) => return Ok(frame_object::of_native(native)),
        _ => return Ok(Value::None),
    };
    if standing(generator).is_none()
        && let Some(frame) = frame_object::running_call(function)
    {
        return Ok(frame);
    }
    Ok(frame_object::of_generator(generator, function))
}

/// What it delegates to or waits for.
fn waits_for(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    if let Some(awaited) = generator.awaits() {
        return Ok(awaited);
    }
    Ok(standing(generator).map_or(Value::None, |(holder, place)| awaited_at(&holder, place)))
}

/// What the frame at a place of a generator's stack waits for.
fn awaited_at(holder: &Ref<Generator>, place: usize) -> Value {
    /// What stands above the frame.
    enum Above {
        Known(Value),
        /// A script's frame without an object.
        Frame,
        /// A built-in coroutine.
        Native(&'static str),
    }
    let lent = |kind, of| Ref::new(Generator::lent(GeneratorKind::Awaitable(kind), of)).into();
    let wait = |future: &Ref<Future>| match future.is_sleep() {
        true => stand_in("sleep", future::iterate(future)),
        false => future::iterate(future),
    };
    let above = holder.look(|stack| {
        let known = match (stack.get(place), stack.get(place + 1)) {
            (Some(Activation::Script(frame)), None) => match &frame.awaiting {
                Awaiting::Inner(_) | Awaiting::Value(Value::Unset) => Value::None,
                Awaiting::Value(Value::None) => stand_in("sleep", Value::None),
                Awaiting::Value(Value::Future(future)) => wait(future),
                Awaiting::Value(awaited) => awaited.clone(),
            },
            (_, Some(Activation::Script(frame))) => match &frame.owner {
                Some(owner) if owner.kind == GeneratorKind::AsyncGenerator => {
                    lent(Awaitable::Asend, owner.clone().into())
                }
                Some(owner) => owner.clone().into(),
                None => return Above::Frame,
            },
            (_, Some(Activation::Native(machine))) => return Above::Native(machine.name()),
            (Some(Activation::Script(_)), Some(Activation::Wait(future))) => wait(future),
            (_, Some(Activation::Wait(future))) => future::iterate(future),
            (_, Some(Activation::Delegate(iterator))) => (**iterator).clone(),
            (_, Some(Activation::Pass(_))) => stand_in("sleep", Value::None),
            (_, Some(Activation::Closing(owner) | Activation::Throwing(owner))) => {
                lent(Awaitable::Athrow, owner.clone().into())
            }
            (_, Some(Activation::Default(_))) => lent(Awaitable::Anext, Value::None),
            _ => Value::None,
        };
        Above::Known(known)
    });
    match above {
        Above::Known(value) => value,
        Above::Native(name) => stand_in(name, awaited_at(holder, place + 1)),
        Above::Frame => object_of(holder, place + 1),
    }
}

/// The object of a frame on a generator's stack, which runs without one so far.
fn object_of(holder: &Ref<Generator>, place: usize) -> Value {
    let mut stack = holder.take_stack();
    let mut object = Value::None;
    if let Some(Activation::Script(frame)) = stack.get_mut(place) {
        let kind = match frame.func.code.kind {
            CodeKind::Coroutine => GeneratorKind::Coroutine,
            _ => GeneratorKind::Generator,
        };
        let made = Ref::new(Generator::lent(kind, frame.func.clone().into()));
        made.set_holder(holder);
        frame.owner = Some(made.clone());
        object = made.into();
    }
    holder.put_stack(stack);
    object
}

/// An object that shows a built-in coroutine and what it awaits.
fn stand_in(qualname: &'static str, awaits: Value) -> Value {
    let (owner, name) = qualname.rsplit_once('.').unwrap_or(("asyncio.tasks", qualname));
    let native = Native::of(
        &NativeDef {
            name,
            signature: "()",
            doc: "",
            role: NativeRole::Function,
            body: NativeBody::Coroutine(|_| Ok(Step::Return(Value::None))),
            module: None,
        },
        owner,
    );
    Ref::new(Generator::stand_in(native.into(), awaits)).into()
}

fn is_running(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    Ok(Value::bool(
        generator.progress.get() == Progress::Running && !is_lent_and_suspended(generator),
    ))
}

fn is_suspended(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    Ok(Value::bool(
        generator.progress.get() == Progress::Suspended
            || generator.awaits().is_some()
            || is_lent_and_suspended(generator),
    ))
}

/// Whether its frame stands on the stack of another one, which is suspended.
fn is_lent_and_suspended(generator: &Ref<Generator>) -> bool {
    (generator.lent.get() || generator.busy.get())
        && generator.progress.get() == Progress::Running
        && standing(generator).is_some()
}

pub const COMMON: &[NativeDef] = &[
    getter("__name__", "The name of the function.", |args| {
        Ok(name_of(this(&args[0])?))
    }),
    setter_deleter("__name__", |args| {
        rename(args, |names| names.0 = args[1].clone(), "__name__")
    }),
    getter("__qualname__", "The qualified name of the function.", |args| {
        Ok(Value::from(generator_qualname(this(&args[0])?)))
    }),
    setter_deleter("__qualname__", |args| {
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
            let generator = this(&args[0])?;
            let given = args.iter().skip(1).take_while(|arg| !arg.is_unset()).count();
            let args = &args[1..=given];
            check_thrown(args, "throw")?;
            machine::throw(generator, args)
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
        |args| Ok(async_iter::wrapper(&args[0])),
    ),
    getter("cr_frame", "Where it stands.", frame_of),
    getter("cr_running", "Whether it is running.", is_running),
    getter("cr_suspended", "Whether it is suspended.", is_suspended),
    getter("cr_code", "Its code.", code_of),
    getter("cr_await", "What it waits for.", waits_for),
    member(
        "cr_origin",
        "The calls that ran when it was made, or None.",
        |args| {
            let calls = this(&args[0])?.calls();
            Ok(if calls.is_unset() { Value::None } else { calls })
        },
    ),
    readonly("cr_origin"),
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
        |args| async_iter::step(this(&args[0])?, AsyncStep::Send(Value::None)),
    ),
    method(
        "asend",
        "(self, value, /)",
        "Return an awaitable that resumes it with a value.",
        |args| async_iter::step(this(&args[0])?, AsyncStep::Send(args[1].clone())),
    ),
    method(
        "athrow",
        "(self, /, *args)",
        "Return an awaitable that raises where it stands.",
        |args| {
            let generator = this(&args[0])?;
            let given = as_tuple(&args[1]);
            let args: Box<[Value]> = given.map_or_else(Box::default, |given| given.items[..].into());
            check_thrown(&args, "athrow")?;
            async_iter::step(generator, AsyncStep::Throw(args))
        },
    ),
    method(
        "aclose",
        "(self, /)",
        "Return an awaitable that raises GeneratorExit where it stands.",
        |args| async_iter::step(this(&args[0])?, AsyncStep::Close),
    ),
    getter("ag_frame", "Where it stands.", frame_of),
    member("ag_running", "Whether it is running.", |args| {
        let generator = this(&args[0])?;
        Ok(Value::bool(
            generator.busy.get() || generator.progress.get() == Progress::Running,
        ))
    }),
    readonly("ag_running"),
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
        |args| async_iter::aiter_builtin(&args[0]),
    ),
    super::function(
        "anext",
        "(async_iterator, default=None, /)",
        "Return an awaitable of the next item.",
        |args| match &args[1] {
            Value::Unset => async_iter::anext_builtin(&args[0]),
            default => async_iter::anext_default(&args[0], default.clone()),
        },
    ),
];

/// The awaitables that async generators give.
pub const AWAITED: &[NativeDef] = &[method(
    "__await__",
    "(self, /)",
    "Return an iterator to be used in await expression.",
    |args| Ok(args[0].clone()),
)];

/// The same, and the iterators that `coroutine.__await__()` and `future.__await__()` give.
pub const STEPPED: &[NativeDef] = &[
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        Ok(args[0].clone())
    }),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        machine::send(this(&args[0])?, Resume::Value(Value::None))
    }),
];
