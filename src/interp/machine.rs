//! Running suspended frames: generators, coroutines, async generators.
//!
//! A coroutine that awaits another one does not call it: the other's frame is pushed on the same
//! stack, and resuming goes straight to the top, however deep the chain. Always true: a stack is
//! run by one resumer at a time, and while it runs nobody else can reach it.

use super::async_iter;
use super::attribute;
use super::call;
use super::error::*;
use super::iterate;
use super::stack;
use super::types::{Type, class_name, class_of, is_exception};
use crate::code::{Code, CodeKind};
use crate::source::name;
use crate::value::exception::{handled, set_handled};
use crate::value::function::{Frame, Handling, Turn};
use crate::value::generator::{AsyncStep, Progress};
use crate::value::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

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
    if let Err(raised) = stack::enter_call() {
        return Outcome::Raise(raised);
    }
    let mut frames = std::mem::take(&mut *generator.stack.borrow_mut());
    generator.progress.set(Progress::Running);
    generator.started.set(true);
    let outcome = run(&mut frames, input);
    rest(generator, frames, &outcome);
    stack::leave_call();
    outcome
}

/// `next(generator)`: none at its end.
pub fn next(generator: &Ref<Generator>) -> Res<Option<Value>> {
    match generator.progress.get() {
        Progress::Running => return Err(already_running(generator)),
        Progress::Closed => return Ok(None),
        _ => {}
    }
    if let Some(result) = quick_next(generator) {
        return result;
    }
    match resume(generator, Resume::Value(Value::None)) {
        Outcome::Yield(value) => Ok(Some(value)),
        Outcome::Wait(future) => {
            future.blocking.set(true);
            Ok(Some(future.into()))
        }
        Outcome::Return(_) => Ok(None),
        Outcome::Raise(raised) => Err(raised),
    }
}

/// `next` of a generator that delegates to nobody: its frame runs where it is
/// (benchmark: compute/generators).
#[inline]
fn quick_next(generator: &Ref<Generator>) -> Option<Res<Option<Value>>> {
    let mut frames = std::mem::take(&mut *generator.stack.borrow_mut());
    let [Activation::Script(frame)] = &mut frames[..] else {
        *generator.stack.borrow_mut() = frames;
        return None;
    };
    if let Err(raised) = stack::enter_call() {
        *generator.stack.borrow_mut() = frames;
        return Some(Err(raised));
    }
    generator.progress.set(Progress::Running);
    generator.started.set(true);
    let turn = advance(frame, Resume::Value(Value::None));
    let result = match turn {
        Turn::Yield(value) => {
            *generator.stack.borrow_mut() = frames;
            generator.progress.set(Progress::Suspended);
            Ok(Some(value))
        }
        Turn::Return(_) => {
            generator.progress.set(Progress::Closed);
            Ok(None)
        }
        Turn::Raise(raised) => {
            let exception = after_frame(raised, &frame.func.code);
            generator.progress.set(Progress::Closed);
            drop(frames);
            Err(Raised::again(exception))
        }
        turn => {
            // It begins to delegate (or, made awaitable, to await): from now on on the stack.
            let outcome = match take_turn(&mut frames, turn) {
                Ok(input) => run(&mut frames, input),
                Err(outcome) => outcome,
            };
            rest(generator, frames, &outcome);
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
    };
    stack::leave_call();
    Some(result)
}

/// Notes how a generator came to rest.
fn rest(generator: &Ref<Generator>, frames: Vec<Activation>, outcome: &Outcome) {
    match outcome {
        Outcome::Wait(_) | Outcome::Yield(_) => {
            generator.progress.set(Progress::Suspended);
            *generator.stack.borrow_mut() = frames;
        }
        Outcome::Return(_) | Outcome::Raise(_) => {
            generator.progress.set(Progress::Closed);
            drop(frames);
        }
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

/// `generator.send(value)` and `generator.throw(exception)`: what it yields or returns, as the
/// value or StopIteration that Python gives.
pub fn send(generator: &Ref<Generator>, input: Resume) -> Res {
    match generator.progress.get() {
        Progress::Running => return Err(already_running(generator)),
        Progress::Closed => {
            return Err(match (generator.kind, input) {
                (GeneratorKind::Coroutine, _) => runtime_error("cannot reuse already awaited coroutine"),
                (GeneratorKind::Awaitable, _) => {
                    runtime_error("cannot reuse already awaited __anext__()/asend()")
                }
                (_, Resume::Raise(exception)) => Raised::new(exception),
                _ => stop_iteration(Value::None),
            });
        }
        Progress::Created => {
            if let Resume::Value(value) = &input
                && !value.is_none()
            {
                let what = match generator.kind {
                    GeneratorKind::Coroutine => "coroutine",
                    GeneratorKind::AsyncGenerator => "async generator",
                    _ => "generator",
                };
                if generator.kind != GeneratorKind::Awaitable {
                    return Err(type_error(format!(
                        "can't send non-None value to a just-started {what}"
                    )));
                }
            }
        }
        Progress::Suspended => {}
    }
    match resume(generator, input) {
        Outcome::Yield(value) => Ok(value),
        Outcome::Wait(future) => {
            future.blocking.set(true);
            Ok(future.into())
        }
        Outcome::Return(value) => Err(stop_iteration(value)),
        Outcome::Raise(raised) => Err(raised),
    }
}

/// `generator.close()`; gives the return value (None normally).
pub fn close(generator: &Ref<Generator>) -> Res {
    match generator.progress.get() {
        Progress::Running => return Err(already_running(generator)),
        Progress::Closed => return Ok(Value::None),
        Progress::Created => {
            generator.progress.set(Progress::Closed);
            let frames = std::mem::take(&mut *generator.stack.borrow_mut());
            drop(frames);
            return Ok(Value::None);
        }
        Progress::Suspended => {}
    }
    let exit = Exception::new(super::types::class(Type::GeneratorExit), vec![]);
    match resume(generator, Resume::Raise(exit)) {
        Outcome::Yield(_) | Outcome::Wait(_) => Err(runtime_error(match generator.kind {
            GeneratorKind::Coroutine => "coroutine ignored GeneratorExit",
            GeneratorKind::AsyncGenerator => "async generator ignored GeneratorExit",
            _ => "generator ignored GeneratorExit",
        })),
        Outcome::Return(value) => Ok(value),
        Outcome::Raise(raised)
            if matches(&raised, Type::GeneratorExit) || matches(&raised, Type::StopIteration) =>
        {
            let _ = raised.take();
            Ok(Value::None)
        }
        Outcome::Raise(raised) => Err(raised),
    }
}

/// Runs the stack until its bottom returns or raises, or something suspends.
fn run(frames: &mut Vec<Activation>, mut input: Resume) -> Outcome {
    loop {
        let Some(top) = frames.last_mut() else {
            return match input {
                Resume::Value(value) => Outcome::Return(value),
                Resume::Raise(exception) => Outcome::Raise(Raised::again(exception)),
            };
        };
        let progress = match top {
            Activation::Script(_) => step_script(frames, input),
            _ => step_other(frames, input),
        };
        match progress {
            Ok(next) => input = next,
            Err(outcome) => return outcome,
        }
    }
}

thread_local! {
    /// Frames that were run by their awaiter itself and then suspended, innermost first, on their
    /// way to the stack.
    static SUSPENDING: RefCell<Vec<Box<ScriptFrame>>> = const { RefCell::new(Vec::new()) };
    /// How many there are: looked at first.
    static SUSPENDED: Cell<usize> = const { Cell::new(0) };
}

/// How a coroutine came to rest that its awaiter ran itself.
pub enum Nested {
    Returned(Value),
    /// It suspended: its frame waits to be put on the stack above its awaiter's, and this is what
    /// the innermost frame wants.
    Suspended(Turn),
}

/// Runs the frame of `await f(…)` as a call within its awaiter: most awaited coroutines end, or
/// begin, without suspending (benchmarks: sched/chain, timeout).
pub fn run_nested(mut callee: Box<ScriptFrame>) -> Res<Nested> {
    stack::enter_call()?;
    let turn = advance(&mut callee, Resume::Value(Value::None));
    stack::leave_call();
    match turn {
        Turn::Return(value) => Ok(Nested::Returned(value)),
        Turn::Raise(raised) => {
            let exception = after_frame(raised, &callee.func.code);
            Err(Raised::again(exception))
        }
        turn => {
            suspend(callee);
            Ok(Nested::Suspended(turn))
        }
    }
}

/// What a step of `async for` over an async generator gives.
pub enum Item {
    Next(Value),
    End,
    /// As [`Nested::Suspended`].
    Suspended(Turn),
    /// The step has to be taken on the stack, by [`begin_async_step`].
    NotNow,
}

/// The next item of an async generator, run within its consumer (benchmark: sched/async_gen).
pub fn next_item(generator: &Ref<Generator>) -> Res<Item> {
    let progress = generator.progress.get();
    let usable = generator.kind == GeneratorKind::AsyncGenerator
        && matches!(progress, Progress::Suspended | Progress::Created)
        && !generator.busy.get();
    if !usable {
        return Ok(Item::NotNow);
    }
    stack::enter_call()?;
    async_iter::first_step(generator);
    let mut frames = std::mem::take(&mut *generator.stack.borrow_mut());
    let [Activation::Script(frame)] = &mut frames[..] else {
        *generator.stack.borrow_mut() = frames;
        stack::leave_call();
        return Ok(Item::NotNow);
    };
    generator.progress.set(Progress::Running);
    generator.busy.set(true);
    generator.started.set(true);
    let turn = advance(frame, Resume::Value(Value::None));
    stack::leave_call();
    match turn {
        Turn::Yield(value) => {
            *generator.stack.borrow_mut() = frames;
            generator.progress.set(Progress::Suspended);
            generator.busy.set(false);
            Ok(Item::Next(value))
        }
        Turn::Return(_) => {
            generator.progress.set(Progress::Closed);
            generator.busy.set(false);
            Ok(Item::End)
        }
        Turn::Raise(raised) => {
            let exception = after_frame(raised, &frame.func.code);
            generator.progress.set(Progress::Closed);
            generator.busy.set(false);
            Err(Raised::again(exception))
        }
        turn => {
            let Some(Activation::Script(mut frame)) = frames.pop() else {
                unreachable!("it was there")
            };
            frame.owner = Some(generator.clone());
            suspend(frame);
            Ok(Item::Suspended(turn))
        }
    }
}

fn suspend(frame: Box<ScriptFrame>) {
    SUSPENDED.set(SUSPENDED.get() + 1);
    SUSPENDING.with_borrow_mut(|frames| frames.push(frame));
}

/// Puts frames that suspended within the one on top above it.
#[inline(always)]
fn take_suspending(frames: &mut Vec<Activation>) {
    if SUSPENDED.get() > 0 {
        take_suspended(frames);
    }
}

#[inline(never)]
fn take_suspended(frames: &mut Vec<Activation>) {
    SUSPENDED.set(0);
    SUSPENDING.with_borrow_mut(|suspending| {
        while let Some(mut frame) = suspending.pop() {
            if let Some(Activation::Script(below)) = frames.last() {
                frame.inherited = below.handling.last().or(below.inherited.as_ref()).cloned();
            }
            frames.push(Activation::Script(frame));
        }
    });
}

/// Runs the script frame on top: what the frame now on top is resumed with, or the outcome.
#[inline(always)]
fn step_script(frames: &mut Vec<Activation>, input: Resume) -> Result<Resume, Outcome> {
    let Some(Activation::Script(frame)) = frames.last_mut() else {
        unreachable!("checked by the caller")
    };
    let turn = advance(frame, input);
    take_turn(frames, turn)
}

/// Does what the frame on top, or one that suspended within it, wants.
#[inline(always)]
fn take_turn(frames: &mut Vec<Activation>, turn: Turn) -> Result<Resume, Outcome> {
    take_suspending(frames);
    let Some(Activation::Script(frame)) = frames.last_mut() else {
        unreachable!("a turn is a frame's")
    };
    match turn {
        Turn::Return(value) => {
            let is_async_generator = frame.func.code.kind == CodeKind::AsyncGenerator;
            pop_script(frames);
            if is_async_generator {
                return Ok(Resume::Raise(Exception::new(
                    super::types::class(Type::StopAsyncIteration),
                    vec![],
                )));
            }
            Ok(Resume::Value(value))
        }
        Turn::Raise(raised) => Ok(Resume::Raise(leave_frame(frames, raised))),
        Turn::Begin(step) => begin_step(frames, step),
        Turn::Await(value) => begin_await(frames, value),
        Turn::AsyncNext(iterator) => match &iterator {
            Value::Generator(generator) if generator.kind == GeneratorKind::AsyncGenerator => Ok(
                begin_async_step(frames, generator, AsyncStep::Send(Value::None), "anext"),
            ),
            other => match async_iter::anext(other) {
                Ok(awaitable) => begin_await(frames, awaitable),
                Err(raised) => Ok(Resume::Raise(raised.take())),
            },
        },
        Turn::Yield(value) => {
            if frame.func.code.kind != CodeKind::AsyncGenerator {
                return Err(Outcome::Yield(value));
            }
            // The frame goes back to its async generator; the consumer below gets the value.
            let Some(Activation::Script(mut frame)) = frames.pop() else {
                unreachable!("it is on top")
            };
            if let Some(owner) = frame.owner.take() {
                owner.progress.set(Progress::Suspended);
                owner.busy.set(false);
                owner.stack.borrow_mut().push(Activation::Script(frame));
            }
            Ok(Resume::Value(value))
        }
        Turn::YieldFrom(value) => begin_yield_from(frames, value),
    }
}

/// Goes on with a frame's code until its next turn.
#[inline(always)]
fn advance(frame: &mut ScriptFrame, input: Resume) -> Turn {
    let func = &frame.func;
    // SAFETY: the slots belong to this frame, are as many as its code has, and nobody else
    // touches them: the stack they stand in is in the hands of `run`.
    let mut view = unsafe { Frame::new(func, frame.slots.as_mut_ptr()) };
    let special = !frame.handling.is_empty() || frame.inherited.is_some();
    if !special {
        let turn = func.program.advance(&mut view, &mut frame.state, input);
        if let Some(handling) = view.handling.take()
            && !handling.exceptions.is_empty()
        {
            frame.handling = handling.exceptions;
            set_handled(handling.outer);
        }
        return turn;
    }
    let before = handled();
    let exceptions = std::mem::take(&mut frame.handling);
    let outer = frame.inherited.clone().or_else(|| before.clone());
    set_handled(exceptions.last().or(outer.as_ref()).cloned());
    view.handling = Some(Box::new(Handling { exceptions, outer }));
    let turn = func.program.advance(&mut view, &mut frame.state, input);
    frame.handling = view.handling.take().map_or_else(Vec::new, |h| h.exceptions);
    set_handled(before);
    turn
}

/// Takes the ended script frame off the stack; its object, if it has one, is closed.
fn pop_script(frames: &mut Vec<Activation>) {
    let Some(Activation::Script(mut frame)) = frames.pop() else {
        return;
    };
    if let Some(owner) = frame.owner.take() {
        owner.progress.set(Progress::Closed);
        owner.lent.set(false);
        owner.busy.set(false);
    }
}

/// Takes the script frame off that an exception leaves. StopIteration must not leave a
/// generator or coroutine as it is (PEP 479).
#[cold]
fn leave_frame(frames: &mut Vec<Activation>, raised: Raised) -> Ref<Exception> {
    let Some(Activation::Script(frame)) = frames.last() else {
        return raised.take();
    };
    let code = frame.func.code.clone();
    let exception = after_frame(raised, &code);
    pop_script(frames);
    exception
}

/// The exception as it is outside of the frame that it left.
#[cold]
fn after_frame(raised: Raised, code: &Rc<Code>) -> Ref<Exception> {
    let kind = code.kind;
    let exception = raised.leave(code).take();
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
    error.cause.set(exception.clone().into());
    error.context.set(exception.clone().into());
    error.suppress_context.set(true);
    *error.traceback.borrow_mut() = exception.traceback.borrow().clone();
    error
}

/// Resumes an activation that is no script frame.
fn step_other(frames: &mut Vec<Activation>, input: Resume) -> Result<Resume, Outcome> {
    match (frames.last_mut().expect("the caller saw it"), input) {
        (Activation::Native(native), input) => match native.resume(input) {
            Ok(Step::Return(value)) => {
                frames.pop();
                Ok(Resume::Value(value))
            }
            Ok(Step::Become(next)) => {
                frames.pop();
                frames.push(Activation::Native(next));
                Ok(Resume::Value(Value::None))
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
            let value = std::mem::take(value);
            frames.pop();
            Ok(Resume::Value(value))
        }
        (Activation::Start(native, args), Resume::Value(_)) => {
            let (native, args) = (native.clone(), std::mem::take(args));
            frames.pop();
            let NativeBody::Coroutine(body) = &native.body else {
                return Ok(Resume::Value(Value::None));
            };
            match body(&args) {
                Ok(step) => begin_step(frames, step),
                Err(raised) => Ok(Resume::Raise(raised.take())),
            }
        }
        (Activation::Begin(value), Resume::Value(_)) => {
            let value = std::mem::take(value);
            frames.pop();
            begin_await(frames, value)
        }
        (Activation::Delegate(_), input) => step_delegate(frames, input),
        (Activation::AsyncStep(generator, step), Resume::Value(_)) => {
            let generator = generator.clone();
            let step = std::mem::replace(step, AsyncStep::Close);
            frames.pop();
            let method = match &step {
                AsyncStep::Send(_) => "anext",
                AsyncStep::Throw(_) => "athrow",
                AsyncStep::Close => "aclose",
            };
            Ok(begin_async_step(frames, &generator, step, method))
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
        (Activation::Default(default), input) => {
            let default = std::mem::take(default);
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

/// Goes on as a built-in coroutine says.
fn begin_step(frames: &mut Vec<Activation>, step: Step) -> Result<Resume, Outcome> {
    match step {
        Step::Return(value) => Ok(Resume::Value(value)),
        Step::Pass(value) => {
            frames.push(Activation::Pass(value));
            Err(Outcome::Yield(Value::None))
        }
        Step::Wait(future) => begin_wait(frames, future),
        Step::Await(value) => begin_await(frames, value),
        Step::Become(native) => {
            frames.push(Activation::Native(native));
            Ok(Resume::Value(Value::None))
        }
    }
}

fn begin_wait(frames: &mut Vec<Activation>, future: Ref<Future>) -> Result<Resume, Outcome> {
    if future.is_done() {
        return Ok(outcome_of(&future));
    }
    frames.push(Activation::Wait(future.clone()));
    Err(Outcome::Wait(future))
}

/// What awaiting a done future gives.
pub fn outcome_of(future: &Ref<Future>) -> Resume {
    future.unseen.set(false);
    match future.state.get() {
        FutureState::Finished => Resume::Value(future.outcome.get()),
        FutureState::Failed => match &future.outcome.get() {
            Value::Exception(exception) => Resume::Raise(Ref::clone(exception)),
            _ => Resume::Raise(exception(
                Type::RuntimeError,
                "a failed future lost its exception",
            )),
        },
        _ => Resume::Raise(cancelled_error(&future.outcome.get())),
    }
}

/// `CancelledError(message)`, or the one that was kept.
pub fn cancelled_error(message: &Value) -> Ref<Exception> {
    match message {
        Value::Exception(exception) => Ref::clone(exception),
        Value::Unset | Value::None => Exception::new(super::types::class(Type::CancelledError), vec![]),
        message => Exception::new(super::types::class(Type::CancelledError), vec![message.clone()]),
    }
}

/// `await value` (https://docs.python.org/3/reference/expressions.html#await-expression).
fn begin_await(frames: &mut Vec<Activation>, value: Value) -> Result<Resume, Outcome> {
    match &value {
        Value::Future(future) if future.class.is_none() => return begin_wait(frames, Ref::clone(future)),
        Value::Generator(generator) => match generator.kind {
            GeneratorKind::Coroutine | GeneratorKind::Awaitable => return Ok(lend(frames, generator)),
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
            frames.push(Activation::Delegate(iterator));
            Ok(Resume::Value(Value::None))
        }
    }
}

/// What `__await__()` of a value gives, checked.
fn await_iterator(value: &Value) -> Res {
    let class = class_of(value);
    let Some(method) = class.lookup(name::AWAIT) else {
        let raised = type_error(format!(
            "object {} can't be used in 'await' expression",
            class.name()
        ));
        return Err(match value {
            Value::Function(f) if f.code.kind == CodeKind::Coroutine => {
                raised.help(format!("call it: `await {}(...)`", f.code.name))
            }
            Value::Generator(_) => raised.help("an async generator is looped over with `async for`"),
            Value::None => {
                raised.help("the function that was called here is not `async def`, or returns None")
            }
            _ => raised,
        });
    };
    let iterator = call::call_unbound(&method, value, &[])?;
    match &iterator {
        Value::Generator(g) if g.kind == GeneratorKind::Coroutine => {
            Err(type_error("__await__() returned a coroutine"))
        }
        Value::Generator(_) | Value::Iterator(_) => Ok(iterator),
        other if call::special(other, name::NEXT).is_some() => Ok(iterator),
        other => Err(type_error(format!(
            "__await__() returned non-iterator of type '{}'",
            class_name(other)
        ))),
    }
}

/// Puts the frames of a coroutine (or generator) object on top of the stack.
fn lend(frames: &mut Vec<Activation>, generator: &Ref<Generator>) -> Resume {
    let refuse = match generator.progress.get() {
        Progress::Closed if generator.kind == GeneratorKind::Generator => return Resume::Value(Value::None),
        Progress::Closed if generator.kind == GeneratorKind::Awaitable => {
            Some("cannot reuse already awaited __anext__()/asend()")
        }
        Progress::Closed => Some("cannot reuse already awaited coroutine"),
        Progress::Running if generator.kind == GeneratorKind::Generator => {
            return Resume::Raise(already_running(generator).take());
        }
        Progress::Running => Some("coroutine is being awaited already"),
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
    let mut lent = std::mem::take(&mut *generator.stack.borrow_mut());
    let inherited = match frames.last() {
        Some(Activation::Script(frame)) => frame.handling.last().or(frame.inherited.as_ref()).cloned(),
        _ => None,
    };
    match lent.first_mut() {
        Some(Activation::Script(frame)) => {
            frame.owner = Some(generator.clone());
            frame.inherited = inherited;
            generator.progress.set(Progress::Running);
            generator.lent.set(true);
        }
        // Built-in coroutines have nothing to clean up, so the object is done with.
        _ => generator.progress.set(Progress::Closed),
    }
    frames.append(&mut lent);
    Resume::Value(Value::None)
}

/// `yield from value`
fn begin_yield_from(frames: &mut Vec<Activation>, value: Value) -> Result<Resume, Outcome> {
    if let Value::Generator(generator) = &value {
        match generator.kind {
            // Nobody else can resume a generator that only this delegation knows, so its frames
            // may go on this stack.
            GeneratorKind::Generator | GeneratorKind::Awaitable if value.references() == 1 => {
                return Ok(lend(frames, generator));
            }
            GeneratorKind::Generator | GeneratorKind::Awaitable => {
                frames.push(Activation::Delegate(value));
                return Ok(Resume::Value(Value::None));
            }
            GeneratorKind::Coroutine => {
                let allowed =
                    matches!(frames.last(), Some(Activation::Script(f)) if f.func.is_awaitable.get());
                if !allowed {
                    return Ok(Resume::Raise(exception(
                        Type::TypeError,
                        "cannot 'yield from' a coroutine object in a non-coroutine generator",
                    )));
                }
                return Ok(lend(frames, generator));
            }
            GeneratorKind::AsyncGenerator => {}
        }
    }
    match iterate::iter(&value) {
        Ok(iterator) => {
            frames.push(Activation::Delegate(iterator));
            Ok(Resume::Value(Value::None))
        }
        Err(raised) => Ok(Resume::Raise(raised.take())),
    }
}

/// Passes what comes in on to the iterator that is delegated to (PEP 380).
fn step_delegate(frames: &mut Vec<Activation>, input: Resume) -> Result<Resume, Outcome> {
    let Some(Activation::Delegate(iterator)) = frames.last() else {
        unreachable!("it is on top")
    };
    let iterator = iterator.clone();
    let result = match input {
        Resume::Value(value) => match &iterator {
            Value::Generator(generator) => return ended(frames, send(generator, Resume::Value(value))),
            Value::Instance(_) if value.is_none() => {
                let next = call::special(&iterator, name::NEXT);
                match next {
                    Some(next) => call::call_unbound(&next, &iterator, &[]),
                    None => Err(type_error(format!(
                        "'{}' object is not an iterator",
                        class_name(&iterator)
                    ))),
                }
            }
            other if value.is_none() => match iterate::next(other) {
                Ok(Some(value)) => Ok(value),
                Ok(None) => {
                    frames.pop();
                    return Ok(Resume::Value(Value::None));
                }
                Err(raised) => Err(raised),
            },
            other => call::call_method(other, name::SEND, &[value]),
        },
        Resume::Raise(exception) => match &iterator {
            Value::Generator(generator) if is_exception(&exception, Type::GeneratorExit) => {
                match close(generator) {
                    Ok(_) => Err(Raised::again(exception)),
                    Err(raised) => Err(raised),
                }
            }
            Value::Generator(generator) => return ended(frames, send(generator, Resume::Raise(exception))),
            other if is_exception(&exception, Type::GeneratorExit) => {
                match attribute::find(other, name::CLOSE) {
                    Ok(Some(close)) => match call::call(&close, &[]) {
                        Ok(_) => Err(Raised::again(exception)),
                        Err(raised) => Err(raised),
                    },
                    Ok(None) => Err(Raised::again(exception)),
                    Err(raised) => Err(raised),
                }
            }
            other => match attribute::find(other, name::THROW) {
                Ok(Some(throw)) => call::call(&throw, &[exception.into()]),
                Ok(None) => Err(Raised::again(exception)),
                Err(raised) => Err(raised),
            },
        },
    };
    ended(frames, result)
}

/// What a delegation yielded goes out; StopIteration ends it with its value.
fn ended(frames: &mut Vec<Activation>, result: Res) -> Result<Resume, Outcome> {
    match result {
        Ok(value) => Err(Outcome::Yield(value)),
        Err(raised) if matches(&raised, Type::StopIteration) => {
            let exception = raised.take();
            frames.pop();
            Ok(Resume::Value(exception.arg(0).unwrap_or(Value::None)))
        }
        Err(raised) => {
            frames.pop();
            Ok(Resume::Raise(raised.take()))
        }
    }
}

/// Begins a step of an async generator on this stack.
fn begin_async_step(
    frames: &mut Vec<Activation>,
    generator: &Ref<Generator>,
    step: AsyncStep,
    method: &str,
) -> Resume {
    let stop = || {
        Resume::Raise(Exception::new(
            super::types::class(Type::StopAsyncIteration),
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
            AsyncStep::Close => Resume::Value(Value::None),
            AsyncStep::Send(_) | AsyncStep::Throw(_) => stop(),
        };
    }
    async_iter::first_step(generator);
    let taken = generator.stack.borrow_mut().pop();
    let Some(Activation::Script(mut frame)) = taken else {
        return stop();
    };
    let input = match step {
        AsyncStep::Send(value) => Resume::Value(value),
        AsyncStep::Throw(exception) => Resume::Raise(exception),
        AsyncStep::Close => {
            if !started {
                generator.progress.set(Progress::Closed);
                drop(frame);
                return Resume::Value(Value::None);
            }
            frames.push(Activation::Closing(generator.clone()));
            Resume::Raise(Exception::new(super::types::class(Type::GeneratorExit), vec![]))
        }
    };
    generator.progress.set(Progress::Running);
    generator.busy.set(true);
    generator.started.set(true);
    frame.owner = Some(generator.clone());
    frames.push(Activation::Script(frame));
    input
}
