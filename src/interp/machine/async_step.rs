//! Steps of async generators on the stack of who awaits them: `asend`, `athrow`, `aclose`.

use crate::interp::async_iter;
use crate::interp::error::*;
use crate::interp::types::Type;
use crate::value::generator::{AsyncStep, Progress};
use crate::value::*;

/// Begins a step of an async generator on this stack. An exception that comes in is thrown into the
/// generator, whatever the step was to do.
pub fn begin(frames: &mut Stack, generator: &Ref<Generator>, step: AsyncStep, input: Resume) -> Resume {
    let method = match &step {
        AsyncStep::Send(_) => "anext",
        AsyncStep::Throw(_) => "athrow",
        AsyncStep::Close => "aclose",
    };
    let is_close = matches!(step, AsyncStep::Close);
    let step = match input {
        // What is sent into the step itself goes before what it was to send.
        Resume::Value(value) if matches!(step, AsyncStep::Send(_)) && !value.is_none() => {
            AsyncStep::Send(value)
        }
        Resume::Value(_) => step,
        Resume::Raise(exception) => AsyncStep::Throw(exception),
    };
    let stop = || {
        Resume::Raise(Exception::new(
            crate::interp::types::class(Type::StopAsyncIteration),
            vec![],
        ))
    };
    if generator.busy.get() || generator.progress.get() == Progress::Running {
        let message = format!("{method}(): asynchronous generator is already running");
        return Resume::Raise(exception(Type::RuntimeError, message));
    }
    let started = generator.progress.get() == Progress::Suspended;
    let closed = generator.progress.get() == Progress::Closed;
    if let AsyncStep::Send(value) = &step
        && !started
        && !closed
        && !value.is_none()
    {
        let message = "can't send non-None value to a just-started async generator";
        return Resume::Raise(exception(Type::TypeError, message));
    }
    if closed {
        return match step {
            AsyncStep::Close | AsyncStep::Throw(_) => Resume::Value(Value::None),
            AsyncStep::Send(_) => stop(),
        };
    }
    if let Err(raised) = async_iter::first_step(generator) {
        return Resume::Raise(raised.take());
    }
    let taken = generator.take_stack().pop();
    let Some(Activation::Script(mut frame)) = taken else {
        return stop();
    };
    let input = match step {
        AsyncStep::Send(value) => Resume::Value(value),
        AsyncStep::Throw(exception) => {
            if is_close {
                frames.push(Activation::Closing(generator.clone()));
            }
            Resume::Raise(exception)
        }
        AsyncStep::Close => {
            if !started {
                generator.progress.set(Progress::Closed);
                drop(frame);
                return Resume::Value(Value::None);
            }
            frames.push(Activation::Closing(generator.clone()));
            Resume::Raise(Exception::new(
                crate::interp::types::class(Type::GeneratorExit),
                vec![],
            ))
        }
    };
    generator.progress.set(Progress::Running);
    generator.busy.set(true);
    generator.started.set(true);
    frame.owner = Some(generator.clone());
    frames.push(Activation::Script(frame));
    input
}
