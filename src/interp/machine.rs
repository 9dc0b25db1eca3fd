//! Running suspended frames: generators, coroutines, async generators.
//!
//! A coroutine that awaits another one does not call it: the other's frame is pushed on the same
//! stack, and resuming goes straight to the top, however deep the chain. Always true: a stack is
//! run by one resumer at a time, and while it runs (`Progress::Running`) nobody else can reach it.

mod advance;
mod async_step;
pub mod awaiting;
mod closing;
mod delegate;
mod native;
mod nested;
mod throw;

pub use awaiting::{cancel_message, cancelled_error, new_cancelled_error, outcome_of, set_cancel_message};
pub use closing::{give_back, let_go};
pub use nested::{Item, begin_call, next_item, run_nested, take_step};
pub use throw::{throw, thrown};

use super::error::*;
use super::finalise;
use super::stack;
use super::types::{Type, is_exception};
use crate::code::CodeKind;
use crate::value::frame::{Awaiting, Handled};
use crate::value::function::{NOT_STARTED, Turn};
use crate::value::generator::{AsyncStep, Progress};
use crate::value::*;
use advance::advance;
use std::ptr::NonNull;

/// How a resumed stack of frames came to rest.
pub enum Outcome {
    /// It awaits a future that is not done.
    Wait(Ref<Future>),
    /// It yielded a value (a coroutine: None is "give way for one pass"; anything else is a bad
    /// yield).
    Yield(Value),
    Return(Value),
    Raise(Raised),
}

/// Resumes a generator or coroutine object (`send`, `throw`, a task's step). It must not be
/// running.
pub fn resume(generator: &Ref<Generator>, input: Resume) -> Outcome {
    match (generator.own_frame(), input) {
        (Some(frame), Resume::Value(value)) => resume_alone(generator, frame, value),
        (_, input) => resume_stack(generator, input),
    }
}

#[inline(never)]
fn resume_stack(generator: &Ref<Generator>, input: Resume) -> Outcome {
    resume_by(generator, |frames| {
        Ok(as_result(match input {
            Resume::Raise(exit) if frames.len() > 1 && is_exception(&exit, Type::GeneratorExit) => {
                Resume::Raise(closing::close_inner(frames, exit))
            }
            input => input,
        }))
    })
}

/// Resumes a stack with what `first` does to it.
#[inline(always)]
fn resume_by(generator: &Ref<Generator>, first: impl FnOnce(&mut Stack) -> Result<Res, Outcome>) -> Outcome {
    match stack::enter_call() {
        Ok(()) => run_stack(generator, first),
        Err(raised) => Outcome::Raise(raised),
    }
}

/// The same within the call: a function of its own, so that the outcome is written where it is given
/// and not moved.
#[inline(always)]
fn run_stack(generator: &Ref<Generator>, first: impl FnOnce(&mut Stack) -> Result<Res, Outcome>) -> Outcome {
    let mut frames = generator.take_stack();
    generator.progress.set(Progress::Running);
    generator.started.set(true);
    let outcome = match first(&mut frames) {
        Ok(input) => run(&mut frames, input),
        Err(outcome) => outcome,
    };
    rest(generator, frames, &outcome);
    stack::leave_call();
    outcome
}

/// Resumes the only frame of a generator or coroutine where it is, as long as it comes to rest as the
/// only one (benchmarks: sched/sleep0, compute/generators).
#[inline(always)]
fn resume_alone(generator: &Ref<Generator>, frame: NonNull<ScriptFrame>, value: Value) -> Outcome {
    if let Err(raised) = stack::enter_call() {
        return Outcome::Raise(raised);
    }
    generator.progress.set(Progress::Running);
    generator.started.set(true);
    // SAFETY: the generator is marked as running, so its frame is ours until it rests.
    let (turn, value) = unsafe { advance(frame, std::ptr::null(), Ok(value)) };
    // SAFETY: as above, and until then nothing else sets what it waits for.
    let rests_for = |on: Value| unsafe {
        (*frame.as_ptr()).awaiting = Awaiting::Value(on);
        generator.progress.set(Progress::Suspended);
    };
    let outcome = match turn {
        Turn::Return => {
            generator.progress.set(Progress::Closed);
            generator.drop_stack();
            Outcome::Return(value)
        }
        // SAFETY: as above.
        _ if matches!(unsafe { &(*frame.as_ptr()).awaiting }, Awaiting::Inner(_)) => {
            go_on_with_stack(generator, turn, value)
        }
        Turn::Yield => {
            generator.progress.set(Progress::Suspended);
            Outcome::Yield(value)
        }
        Turn::Pass => {
            rests_for(Value::None);
            Outcome::Yield(Value::None)
        }
        Turn::Await => match awaited_plainly(&value) {
            Some(future) => {
                rests_for(value);
                Outcome::Wait(future)
            }
            None => go_on_with_stack(generator, turn, value),
        },
        _ => go_on_with_stack(generator, turn, value),
    };
    stack::leave_call();
    outcome
}

/// The frame that ran where it is raised, or something is to stand above it.
#[inline(never)]
fn go_on_with_stack(generator: &Ref<Generator>, turn: Turn, value: Value) -> Outcome {
    let mut frames = generator.take_stack();
    let outcome = match take_turn(&mut frames, turn, value) {
        Ok(input) => run(&mut frames, input),
        Err(outcome) => outcome,
    };
    rest(generator, frames, &outcome);
    outcome
}

/// Notes how a generator came to rest.
#[inline(always)]
fn rest(generator: &Ref<Generator>, frames: Stack, outcome: &Outcome) {
    match outcome {
        Outcome::Wait(_) | Outcome::Yield(_) => {
            generator.put_stack(frames);
            generator.progress.set(Progress::Suspended);
        }
        Outcome::Return(_) | Outcome::Raise(_) => {
            generator.progress.set(Progress::Closed);
            drop(frames);
        }
    }
}

/// What comes in, as a result: an exception is on its way from here on.
#[inline(always)]
fn as_result(input: Resume) -> Res {
    match input {
        Resume::Value(value) => Ok(value),
        Resume::Raise(exception) => Err(Raised::again(exception)),
    }
}

/// `next(generator)`: none at its end.
pub fn next(generator: &Ref<Generator>) -> Res<Option<Value>> {
    match generator.progress.get() {
        Progress::Running => return Err(already_running(generator)),
        Progress::Closed => return Ok(None),
        Progress::Created | Progress::Suspended => {}
    }
    item_of(match generator.own_frame() {
        Some(frame) => resume_alone(generator, frame, Value::None),
        None => resume_stack(generator, Resume::Value(Value::None)),
    })
}

fn item_of(outcome: Outcome) -> Res<Option<Value>> {
    match outcome {
        Outcome::Yield(value) => Ok(Some(value)),
        Outcome::Wait(future) => {
            future.blocking.set(true);
            Ok(Some(future.into()))
        }
        Outcome::Return(_) => Ok(None),
        Outcome::Raise(raised) => Err(raised),
    }
}

/// The error for resuming what is running.
pub fn already_running(generator: &Generator) -> Raised {
    value_error(match generator.kind {
        GeneratorKind::Coroutine => "coroutine already executing",
        GeneratorKind::AsyncGenerator => "async generator already executing",
        _ => "generator already executing",
    })
}

/// The words for resuming or awaiting what can be awaited once and has been.
fn spent(generator: &Generator) -> &'static str {
    match generator.kind {
        GeneratorKind::Awaitable(Awaitable::Athrow) => "cannot reuse already awaited aclose()/athrow()",
        GeneratorKind::Awaitable(Awaitable::Asend) => "cannot reuse already awaited __anext__()/asend()",
        _ => "cannot reuse already awaited coroutine",
    }
}

/// `generator.send(value)` and `generator.throw(exception)`: what it yields or returns, as the
/// value or StopIteration that Python gives.
pub fn send(generator: &Ref<Generator>, input: Resume) -> Res {
    match generator.progress.get() {
        Progress::Running => return Err(already_running(generator)),
        Progress::Closed => {
            return Err(match (generator.kind, input) {
                (GeneratorKind::Coroutine, _) => runtime_error(spent(generator)),
                (GeneratorKind::Awaitable(kind), _) if kind != Awaitable::FutureIter => {
                    runtime_error(spent(generator))
                }
                (_, Resume::Raise(exception)) => Raised::new(exception),
                _ => stop_iteration(Value::None),
            });
        }
        Progress::Created => {
            if let Resume::Value(value) = &input
                && !value.is_none()
            {
                if generator.kind == GeneratorKind::Awaitable(Awaitable::Athrow)
                    && async_step::can_begin(generator)
                {
                    return Err(runtime_error(
                        "can't send non-None value to a just-started coroutine",
                    ));
                }
                let what = match generator.kind {
                    GeneratorKind::Coroutine => "coroutine",
                    GeneratorKind::AsyncGenerator => "async generator",
                    _ => "generator",
                };
                if !generator.kind.is_awaitable() {
                    return Err(type_error(format!(
                        "can't send non-None value to a just-started {what}"
                    )));
                }
            }
        }
        Progress::Suspended => {}
    }
    let outcome = resume(generator, input);
    sent(generator, outcome)
}

/// What `send()` and `throw()` make of how it came to rest.
fn sent(generator: &Ref<Generator>, outcome: Outcome) -> Res {
    note_holder(generator);
    match outcome {
        Outcome::Yield(value) => Ok(value),
        Outcome::Wait(future) => {
            future.blocking.set(true);
            Ok(future.into())
        }
        Outcome::Return(value) => Err(stop_iteration(value)),
        Outcome::Raise(raised) => Err(raised),
    }
}

/// Async generators that are suspended on the stack of what is driven by hand know where they are.
fn note_holder(generator: &Ref<Generator>) {
    if generator.kind == GeneratorKind::Generator {
        return;
    }
    finalise::expect(); // it may be left suspended
    let is_async = |owner: &&Ref<Generator>| owner.kind == GeneratorKind::AsyncGenerator;
    let guests: Vec<Ref<Generator>> = generator.look(|stack| {
        let owners = stack.iter().filter_map(|activation| match activation {
            Activation::Script(frame) => frame.owner.as_ref(),
            _ => None,
        });
        owners.filter(is_async).cloned().collect()
    });
    guests.iter().for_each(|guest| guest.set_holder(generator));
}

/// `generator.close()`; gives the return value (None normally).
pub fn close(generator: &Ref<Generator>) -> Res {
    match generator.progress.get() {
        Progress::Running => return Err(already_running(generator)),
        Progress::Closed => return Ok(Value::None),
        // It is passed on: to the async generator that it is a step of, or to what is to be awaited.
        Progress::Created
            if generator
                .look(|stack| matches!(stack, [Activation::AsyncStep(_)] | [.., Activation::Begin(_)])) => {}
        Progress::Created => {
            generator.progress.set(Progress::Closed);
            generator.drop_stack();
            return Ok(Value::None);
        }
        Progress::Suspended => {}
    }
    match resume(generator, Resume::Raise(closing::generator_exit())) {
        Outcome::Yield(_) | Outcome::Wait(_) => Err(runtime_error(match generator.kind {
            GeneratorKind::Coroutine | GeneratorKind::Awaitable(_) => "coroutine ignored GeneratorExit",
            GeneratorKind::AsyncGenerator => "async generator ignored GeneratorExit",
            _ => "generator ignored GeneratorExit",
        })),
        // What an async generator yields is no return value of its step.
        Outcome::Return(_) if generator.kind.is_awaitable() => Ok(Value::None),
        Outcome::Return(value) => Ok(value),
        Outcome::Raise(raised)
            if matches(&raised, Type::GeneratorExit)
                || matches(&raised, Type::StopIteration)
                || generator.kind.is_awaitable() && matches(&raised, Type::StopAsyncIteration) =>
        {
            let _ = raised.take();
            Ok(Value::None)
        }
        Outcome::Raise(raised) => Err(raised),
    }
}

/// Runs the stack until its bottom returns or raises, or something suspends.
fn run(frames: &mut Stack, mut input: Res) -> Outcome {
    // What is thrown in passes so many frames from the bottom, or what those above make of it does.
    let mut thrown = if input.is_err() { frames.len() } else { 0 };
    let mut comes_up = false; // the exception has left the frame that was on top
    loop {
        let mut is_thrown = false;
        if thrown > 0 {
            is_thrown = frames.len() <= thrown;
            thrown = thrown.min(frames.len().saturating_sub(1));
        }
        if let Err(raised) = &input {
            come_in(frames, raised, is_thrown, comes_up);
        }
        let progress = match frames.last_mut() {
            Some(Activation::Script(frame)) => {
                let (turn, value) = if is_thrown {
                    advance_past_awaiters(frames, input)
                } else {
                    let at = frame.pointer();
                    let stack = &raw const *frames;
                    // SAFETY: the stack is in our hands, and a frame does not move with its owner.
                    unsafe { advance(at, stack, input) }
                };
                comes_up = turn == Turn::Raise;
                take_turn(frames, turn, value)
            }
            Some(top) => {
                comes_up &= input.is_err();
                let is_step = matches!(top, Activation::AsyncStep(_));
                let height = frames.len();
                let progress = native::step(frames, input, is_thrown);
                // So is one that a step throws into its generator.
                comes_up |= is_step && frames.len() >= height;
                progress
            }
            None => {
                return match input {
                    Ok(value) => Outcome::Return(value),
                    Err(raised) => Outcome::Raise(raised),
                };
            }
        };
        match progress {
            Ok(next) => input = next,
            Err(outcome) => return outcome,
        }
    }
}

/// Goes on with the script frame on top, into which something is thrown. It comes past the
/// awaiters, so what they handle is not seen until the next suspension.
#[cold]
#[inline(never)]
fn advance_past_awaiters(frames: &mut Stack, input: Res) -> (Turn, Value) {
    let Some(Activation::Script(frame)) = frames.last_mut() else {
        unreachable!("the caller has seen it")
    };
    let at = frame.pointer();
    let hidden = frame
        .handled
        .as_mut()
        .and_then(|handled| handled.inherited.take());
    let stack = &raw const *frames;
    // SAFETY: as in `run`.
    let rested = unsafe { advance(at, stack, input) };
    if hidden.is_some()
        && let Some(Activation::Script(frame)) = frames.last_mut()
    {
        frame.handled.get_or_insert_default().inherited = hidden;
    }
    rested
}

/// An exception comes into the frame on top. If it was thrown in, what the frame handles becomes its
/// context, as if the frame raised it; so it does if what the frame awaits fails and nothing has been
/// its context. One that has left a frame above is complete.
#[cold]
#[inline(never)]
fn come_in(frames: &Stack, raised: &Raised, is_thrown: bool, comes_up: bool) {
    let Some(Activation::Script(frame)) = frames.last() else {
        return;
    };
    let Some(Handled {
        exceptions,
        inherited,
    }) = frame.handled.as_deref()
    else {
        return;
    };
    let exception = raised.peek();
    let handled = match is_thrown {
        true => exceptions.last(),
        false if comes_up || !exception.context.get().is_none() => None,
        false => exceptions.last().or(inherited.as_ref()),
    };
    if let Some(handled) = handled {
        exception.come_while(handled);
    }
}

/// What a frame on top of the stack would find being handled; built-in coroutines handle nothing
/// while they wait.
#[inline]
fn inherited(frames: &Stack) -> Option<Ref<Exception>> {
    let below = frames.iter().rev().find_map(|activation| match activation {
        Activation::Script(frame) => Some(frame),
        _ => None,
    })?;
    let handled = below.handled.as_ref()?;
    handled.exceptions.last().or(handled.inherited.as_ref()).cloned()
}

/// Does what the frame on top, or one that suspended within it, wants: what the frame now on top
/// is resumed with, or how the stack comes to rest.
#[inline(always)]
fn take_turn(frames: &mut Stack, turn: Turn, value: Value) -> Result<Res, Outcome> {
    if turn == Turn::Return {
        return Ok(match pop_script(frames) {
            Some(GeneratorKind::AsyncGenerator) => {
                let stop = Exception::new(super::types::class(Type::StopAsyncIteration), vec![]);
                Err(Raised::again(stop))
            }
            _ => Ok(value),
        });
    }
    if let Some(Activation::Script(frame)) = frames.last_mut()
        && let Some(inner) = frame.awaiting.take_inner()
    {
        nested::put_above(frames, inner);
    }
    let Some(Activation::Script(frame)) = frames.last_mut() else {
        unreachable!("a turn is a frame's")
    };
    match turn {
        Turn::Pass => {
            frame.awaiting = Awaiting::Value(Value::None);
            Err(Outcome::Yield(Value::None))
        }
        Turn::Await => match awaited_plainly(&value) {
            Some(future) => {
                frame.awaiting = Awaiting::Value(value);
                Err(Outcome::Wait(future))
            }
            None => lift(awaiting::begin_await(frames, value)),
        },
        turn => take_rare_turn(frames, turn, value),
    }
}

/// The future that a value is, if awaiting it is to wait for it.
#[inline(always)]
fn awaited_plainly(value: &Value) -> Option<Ref<Future>> {
    match value {
        Value::Future(future) if is_plain(future) && !future.is_done() => Some(Ref::clone(future)),
        _ => None,
    }
}

/// Whether awaiting a future is exactly to wait for it: no script class has a say.
#[inline(always)]
pub fn is_plain(future: &Future) -> bool {
    match future.class() {
        None => true,
        Some(class) => !class.is_script,
    }
}

/// The same with the exception on its way.
#[inline(always)]
fn lift(next: Result<Resume, Outcome>) -> Result<Res, Outcome> {
    next.map(as_result)
}

#[inline(never)]
fn take_rare_turn(frames: &mut Stack, turn: Turn, value: Value) -> Result<Res, Outcome> {
    match turn {
        Turn::Raise => Ok(Err(leave_frame(frames, Raised::still()))),
        Turn::PassWith => {
            frames.push(Activation::Pass(Box::new(value)));
            Err(Outcome::Yield(Value::None))
        }
        Turn::AwaitAs => {
            frames.push(Activation::Native(Box::new(native::take_native())));
            lift(awaiting::begin_await(frames, value))
        }
        Turn::AsyncNext => lift(match &value {
            Value::Generator(generator) if generator.kind == GeneratorKind::AsyncGenerator => {
                Ok(async_step::begin(
                    frames,
                    generator,
                    AsyncStep::Send(Value::None),
                    Resume::Value(Value::None),
                ))
            }
            _ => unreachable!("other iterators are asked by the frame itself"),
        }),
        Turn::Yield => {
            let is_async_generator = matches!(frames.last(),
                Some(Activation::Script(frame)) if frame.func.code.kind == CodeKind::AsyncGenerator);
            if !is_async_generator {
                return Err(Outcome::Yield(value));
            }
            // The frame goes back to its async generator; the consumer below gets the value.
            let Some(Activation::Script(mut frame)) = frames.pop() else {
                unreachable!("it is on top")
            };
            if let Some(owner) = frame.owner.take() {
                owner.push(Activation::Script(frame));
                owner.progress.set(Progress::Suspended);
                owner.busy.set(false);
            }
            Ok(Ok(value))
        }
        Turn::YieldFrom => lift(delegate::begin(frames, value)),
        Turn::Return | Turn::Await | Turn::Pass => unreachable!("taken by the caller"),
    }
}

/// Takes the ended script frame off the stack; its object, if it has one, is closed. Gives the
/// object's kind.
#[inline]
fn pop_script(frames: &mut Stack) -> Option<GeneratorKind> {
    let Some(Activation::Script(mut frame)) = frames.pop() else {
        return None;
    };
    let owner = frame.owner.take()?;
    owner.progress.set(Progress::Closed);
    owner.lent.set(false);
    owner.busy.set(false);
    Some(owner.kind)
}

/// Takes the script frame off that an exception leaves. StopIteration must not leave a
/// generator or coroutine as it is (PEP 479).
#[cold]
fn leave_frame(frames: &mut Stack, raised: Raised) -> Raised {
    let Some(Activation::Script(frame)) = frames.last_mut() else {
        return raised;
    };
    // On its way again before the frame's objects go, which may ask for it.
    let raised = Raised::again(after_frame(raised, frame));
    pop_script(frames);
    raised
}

/// The exception as it is outside of the frame that it left.
#[cold]
fn after_frame(raised: Raised, frame: &mut FrameBox) -> Ref<Exception> {
    let func = frame.func.clone();
    let kind = func.code.kind;
    let exception = raised
        .leave_frame(&func, |slot| std::mem::take(&mut frame.slots()[slot]))
        .take();
    if frame.state == NOT_STARTED {
        return exception; // it was thrown in before there was anything to guard
    }
    let what = match kind {
        CodeKind::Generator => "generator",
        CodeKind::AsyncGenerator => "async generator",
        _ => "coroutine",
    };
    let stop = if is_exception(&exception, Type::StopIteration) {
        "StopIteration"
    } else if kind == CodeKind::AsyncGenerator && is_exception(&exception, Type::StopAsyncIteration) {
        "StopAsyncIteration"
    } else {
        return exception;
    };
    let error = self::exception(Type::RuntimeError, format!("{what} raised {stop}"));
    error.follow(&exception);
    error
}
