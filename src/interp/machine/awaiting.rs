//! `await`: what becomes of the awaited value.

use super::{Outcome, already_running, is_plain};
use crate::code::CodeKind;
use crate::interp::error::*;
use crate::interp::types::{Type, class, class_name, class_of, is_exception};
use crate::interp::{async_iter, call, stack};
use crate::source::name;
use crate::value::frame::Awaiting;
use crate::value::generator::Progress;
use crate::value::*;

/// What a script frame that was awaiting goes on with, now that it is resumed.
#[inline(always)]
pub fn arrive(awaited: Value, input: Res) -> Res {
    let input = input?;
    match &awaited {
        Value::Future(future) if future.state.get() == FutureState::Finished => Ok(future.outcome.get()),
        Value::Future(future) => arrive_otherwise(future),
        _ => {
            drop(input);
            Ok(Value::None)
        }
    }
}

#[cold]
#[inline(never)]
fn arrive_otherwise(future: &Ref<Future>) -> Res {
    if !future.is_done() {
        return Err(runtime_error("await wasn't used with future"));
    }
    super::as_result(outcome_of(future))
}

/// Waits for a future, or goes on at once if it is done.
pub fn begin_wait(frames: &mut Stack, future: Ref<Future>) -> Result<Resume, Outcome> {
    if future.is_done() {
        return Ok(outcome_of(&future));
    }
    match frames.last_mut() {
        Some(Activation::Script(frame)) => frame.awaiting = Awaiting::Value(future.clone().into()),
        _ => frames.push(Activation::Wait(future.clone())),
    }
    Err(Outcome::Wait(future))
}

/// What awaiting a done future gives.
pub fn outcome_of(future: &Ref<Future>) -> Resume {
    future.unseen.set(false);
    match future.state.get() {
        FutureState::Finished => Resume::Value(future.outcome.get()),
        FutureState::Failed => Resume::Raise(
            future
                .raising()
                .unwrap_or_else(|| exception(Type::RuntimeError, "a failed future lost its exception")),
        ),
        _ => Resume::Raise(cancelled_error(future)),
    }
}

/// The CancelledError of a cancelled future: the one its coroutine ended with, the first time;
/// then new ones with the message.
pub fn cancelled_error(future: &Future) -> Ref<Exception> {
    match &future.outcome.get() {
        Value::Exception(ended) if future.task.is_some() && is_exception(ended, Type::CancelledError) => {
            future.outcome.set(Value::None);
            Ref::clone(ended)
        }
        _ => new_cancelled_error(cancel_message(future)),
    }
}

/// The message of `cancel(msg)`, or None.
pub fn cancel_message(future: &Future) -> Value {
    let message = match &future.task {
        Some(_) => future.cancel_message(),
        None => future.outcome.get(),
    };
    if message.is_unset() { Value::None } else { message }
}

/// Gives a task, or a future that was cancelled, another message for its next CancelledError.
pub fn set_cancel_message(future: &Future, message: Value) {
    match &future.task {
        Some(_) => future.set_cancel_message(message),
        None if future.state.get() == FutureState::Cancelled => future.outcome.set(message),
        None => {} // `cancel(msg)` will say which
    }
}

/// `CancelledError(message)`, without an argument for None.
pub fn new_cancelled_error(message: Value) -> Ref<Exception> {
    let args = match message {
        Value::None | Value::Unset => vec![],
        message => vec![message],
    };
    Exception::new(class(Type::CancelledError), args)
}

/// `await value` (https://docs.python.org/3/reference/expressions.html#await-expression).
pub fn begin_await(frames: &mut Stack, value: Value) -> Result<Resume, Outcome> {
    match &value {
        Value::Future(future) if is_plain(future) => return begin_wait(frames, Ref::clone(future)),
        Value::Generator(generator) => match generator.kind {
            GeneratorKind::Coroutine => return Ok(lend(frames, generator)),
            GeneratorKind::Awaitable(kind) if !kind.is_iterator() => return Ok(lend(frames, generator)),
            GeneratorKind::Generator if async_iter::is_awaitable_generator(generator) => {
                return Ok(lend(frames, generator));
            }
            _ => {}
        },
        _ => {}
    }
    let iterator = match await_iterator(&value) {
        Ok(iterator) => iterator,
        Err(raised) => return Ok(Resume::Raise(raised.take())),
    };
    match &iterator {
        Value::Generator(generator) if generator.kind != GeneratorKind::AsyncGenerator => {
            Ok(lend(frames, generator))
        }
        Value::Future(future) => begin_wait(frames, Ref::clone(future)),
        _ => {
            frames.push(Activation::Delegate(Box::new(iterator)));
            Ok(Resume::Value(Value::None))
        }
    }
}

/// What `await` says of a value that has no `__await__()`.
pub fn not_awaitable(value: &Value) -> Raised {
    let raised = type_error(format!(
        "object {} can't be used in 'await' expression",
        class_name(value)
    ));
    match value {
        Value::Function(f) if f.code.kind == CodeKind::Coroutine => {
            raised.help(format!("call it: `await {}(...)`", f.code.name))
        }
        Value::Generator(_) => raised.help("an async generator is looped over with `async for`"),
        Value::None => raised.help("the function that was called here is not `async def`, or returns None"),
        _ => raised,
    }
}

/// What `__await__()` of a value gives, checked.
pub fn await_iterator(value: &Value) -> Res {
    let Some(method) = class_of(value).lookup(name::AWAIT) else {
        return Err(not_awaitable(value));
    };
    let iterator = call::call_unbound(&method, value, &[])?;
    match &iterator {
        Value::Generator(g)
            if g.kind == GeneratorKind::Coroutine
                || g.kind == GeneratorKind::Generator && async_iter::is_awaitable_generator(g) =>
        {
            Err(type_error("__await__() returned a coroutine"))
        }
        Value::Generator(g) if g.kind != GeneratorKind::AsyncGenerator => Ok(iterator),
        Value::Iterator(_) => Ok(iterator),
        other if call::special(other, name::NEXT).is_some() => Ok(iterator),
        other => Err(type_error(format!(
            "__await__() returned non-iterator of type '{}'",
            class_name(other)
        ))),
    }
}

fn is_frame_of(activation: &Activation, generator: &Ref<Generator>) -> bool {
    matches!(activation, Activation::Script(frame) if frame.owner.as_ref().is_some_and(|owner| owner.is(generator)))
}

/// Puts the frames of a coroutine (or generator) object on top of the stack.
pub fn lend(frames: &mut Stack, generator: &Ref<Generator>) -> Resume {
    let refuse = match generator.progress.get() {
        Progress::Closed if generator.kind == GeneratorKind::Generator => return Resume::Value(Value::None),
        Progress::Closed => Some(super::spent(generator)),
        // Its frame is on a stack, which may be the one that runs now: then it awaits itself.
        Progress::Running
            if generator.kind == GeneratorKind::Generator
                || !generator.lent.get()
                || frames.iter().any(|activation| is_frame_of(activation, generator)) =>
        {
            return Resume::Raise(already_running(generator).take());
        }
        Progress::Running => Some("coroutine is being awaited already"),
        // It was begun by hand, and waits.
        Progress::Suspended if generator.kind == GeneratorKind::Coroutine => {
            Some("coroutine is being awaited already")
        }
        _ => None,
    };
    if let Some(message) = refuse {
        return Resume::Raise(exception(Type::RuntimeError, message));
    }
    if frames.len() as u32 >= stack::recursion_limit() {
        return Resume::Raise(exception(
            Type::RecursionError,
            "maximum recursion depth exceeded",
        ));
    }
    generator.started.set(true);
    let inherited = super::inherited(frames);
    let bottom = frames.len();
    generator.lend_stack(frames);
    match frames.get_mut(bottom) {
        Some(Activation::Script(frame)) => {
            frame.owner = Some(generator.clone());
            if inherited.is_some() {
                frame.handled.get_or_insert_default().inherited = inherited;
            }
            generator.progress.set(Progress::Running);
            generator.lent.set(true);
        }
        // Built-in coroutines have nothing to clean up, so the object is done with.
        _ => generator.progress.set(Progress::Closed),
    }
    Resume::Value(Value::None)
}
