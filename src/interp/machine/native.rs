//! What stands on a stack beside script frames: built-in coroutines, and things that wait.

use super::awaiting::{begin_await, begin_wait, outcome_of};
use super::{Outcome, async_step, delegate, lift};
use crate::interp::error::*;
use crate::interp::types::{Type, is_exception};
use crate::value::exception::set_handled;
use crate::value::generator::AsyncStep;
use crate::value::*;
use std::cell::RefCell;

thread_local! {
    /// A built-in coroutine on its way from where it was called to the stack.
    static ARRIVING: RefCell<Option<Box<dyn NativeCoroutine>>> = const { RefCell::new(None) };
}

/// Leaves a built-in coroutine for the stack to go on as (`Turn::AwaitAs`).
pub fn leave_native(native: Box<dyn NativeCoroutine>) {
    let before = ARRIVING.replace(Some(native));
    debug_assert!(before.is_none());
}

pub fn take_native() -> Box<dyn NativeCoroutine> {
    ARRIVING.take().expect("whoever turns to it left it")
}

/// Resumes the activation on top, which is no script frame. What its awaiters handle is not seen
/// if the input was thrown in.
#[inline(never)]
pub fn step(frames: &mut Stack, input: Res, is_thrown: bool) -> Result<Res, Outcome> {
    let input = match input {
        Ok(value) => Resume::Value(value),
        Err(raised) => Resume::Raise(raised.take()),
    };
    // It becomes the context of what fails.
    let handled = if is_thrown { None } else { super::inherited(frames) };
    let _handled = handled.map(|handled| Before(set_handled(Some(handled))));
    lift(step_native(frames, input))
}

/// What was being handled before; it is again when this is dropped.
struct Before(Option<Ref<Exception>>);

impl Drop for Before {
    fn drop(&mut self) {
        set_handled(self.0.take());
    }
}

#[inline(always)]
fn step_native(frames: &mut Stack, input: Resume) -> Result<Resume, Outcome> {
    match (frames.last_mut().expect("the caller saw it"), input) {
        (Activation::Native(native), input) => match native.resume(input) {
            Ok(Step::Return(value)) => {
                frames.pop();
                Ok(Resume::Value(value))
            }
            Ok(step) => begin_step(frames, step),
            Err(raised) => {
                frames.pop();
                Ok(Resume::Raise(raised.take()))
            }
        },
        (Activation::Wait(future), Resume::Value(_)) => {
            let future = future.clone();
            frames.pop();
            if !future.is_done() {
                return Ok(Resume::Raise(exception(
                    Type::RuntimeError,
                    "await wasn't used with future",
                )));
            }
            Ok(outcome_of(&future))
        }
        (Activation::Pass(value), Resume::Value(_)) => {
            let value = std::mem::take(&mut **value);
            frames.pop();
            Ok(Resume::Value(value))
        }
        (Activation::Start(start), Resume::Value(_)) => {
            let (native, args) = (start.0.clone(), std::mem::take(&mut start.1));
            frames.pop();
            let NativeBody::Coroutine(body) = &native.body else {
                return Ok(Resume::Value(Value::None));
            };
            match body(&args) {
                Ok(step) => begin_step(frames, step),
                Err(raised) => Ok(Resume::Raise(raised.take())),
            }
        }
        (Activation::Begin(value), input) => {
            let value = std::mem::take(&mut **value);
            frames.pop();
            begin_with(frames, value, input)
        }
        (Activation::Delegate(_), input) => delegate::step(frames, input),
        (Activation::AsyncStep(asked), input) => {
            let generator = asked.0.clone();
            let step = std::mem::replace(&mut asked.1, AsyncStep::Close);
            frames.pop();
            Ok(async_step::begin(frames, &generator, step, input))
        }
        (Activation::Closing(_), input) => {
            frames.pop();
            Ok(match input {
                Resume::Value(_) => Resume::Raise(exception(
                    Type::RuntimeError,
                    "async generator ignored GeneratorExit",
                )),
                Resume::Raise(e)
                    if is_exception(&e, Type::StopAsyncIteration)
                        || is_exception(&e, Type::GeneratorExit) =>
                {
                    Resume::Value(Value::None)
                }
                raise => raise,
            })
        }
        (Activation::Throwing(_), input) => {
            frames.pop();
            Ok(input)
        }
        (Activation::Default(default), input) => {
            let default = std::mem::take(&mut **default);
            frames.pop();
            Ok(match input {
                Resume::Raise(e) if is_exception(&e, Type::StopAsyncIteration) => Resume::Value(default),
                other => other,
            })
        }
        // An exception thrown in ends whatever just waited.
        (_, Resume::Raise(exception)) => {
            frames.pop();
            Ok(Resume::Raise(exception))
        }
        (Activation::Script(_), _) => unreachable!("script frames are stepped elsewhere"),
    }
}

/// Awaits a value; what is thrown in meets what is awaited before its first step.
fn begin_with(frames: &mut Stack, value: Value, input: Resume) -> Result<Resume, Outcome> {
    match input {
        Resume::Value(_) => begin_await(frames, value),
        raise if matches!(value, Value::Future(_)) => Ok(raise),
        raise => begin_await(frames, value).map(|begun| match begun {
            Resume::Value(_) => raise,
            refused => refused,
        }),
    }
}

/// Goes on as a built-in coroutine says.
fn begin_step(frames: &mut Stack, step: Step) -> Result<Resume, Outcome> {
    match step {
        Step::Return(value) => Ok(Resume::Value(value)),
        Step::Pass(value) => {
            frames.push(Activation::Pass(Box::new(value)));
            Err(Outcome::Yield(Value::None))
        }
        Step::Wait(future) => begin_wait(frames, future),
        Step::Await(value) => begin_await(frames, value),
        Step::AwaitAs(value, machine) => {
            frames.push(Activation::Native(Box::new(machine)));
            begin_await(frames, value)
        }
    }
}
