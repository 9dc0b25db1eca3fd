//! What futures do: settle, call back, cancel.
//!
//! Always true: a future is settled once; each of its callbacks becomes a job of its loop, in the
//! order in which they were added.

use super::event_loop::{EventLoop, is_debug};
use super::instrument::{Event, tell};
use super::ready::Job;
use super::{current, derived, task};
use crate::interp::error::{exception, raise, runtime_error, type_error};
pub use crate::interp::machine::{cancel_message, cancelled_error, new_cancelled_error, set_cancel_message};
use crate::interp::types::{Type, class, is_exception};
use crate::interp::{attribute, call, finalise, operator, origin};
use crate::source::Symbol;
use crate::value::context::Context;
use crate::value::future::Gather;
pub use crate::value::future::NativeCallback;
use crate::value::generator::Resume;
use crate::value::*;
use std::rc::Rc;

/// A new future as an object. In debug mode, it knows where it was made.
#[inline(always)]
pub fn made(future: impl FnOnce() -> Future) -> Ref<Future> {
    let future = Ref::make(future);
    note_origin(&future);
    future
}

#[inline(always)]
fn note_origin(future: &Future) {
    if is_debug(future.event_loop()) {
        origin::note(future.attrs());
    }
}

/// What `__init__` does with a future that `__new__` made.
pub fn join_loop(future: &Future, event_loop: Value) {
    future.join_loop(event_loop);
    note_origin(future);
}

const NOT_INITIALISED: &str = "Future object is not initialized.";

/// The error for one that `__new__` made and `__init__` never saw.
#[cold]
pub fn not_initialised() -> Raised {
    runtime_error(NOT_INITIALISED)
}

#[inline]
pub fn check_initialised(future: &Future) -> Res<()> {
    match future.event_loop() {
        Value::Unset => Err(not_initialised()),
        _ => Ok(()),
    }
}

/// The error for asking a pending one how it ended.
#[cold]
fn not_yet(future: &Future, message: &str) -> Raised {
    match future.event_loop() {
        Value::Unset => invalid_state(NOT_INITIALISED),
        _ => invalid_state(message),
    }
}

/// A pending future of a loop.
pub fn new(event_loop: &Value) -> Ref<Future> {
    let event_loop = event_loop.clone();
    made(|| Future::new(event_loop))
}

/// A pending future of the running loop, with a label for reports.
pub fn waiter(label: &'static &'static str) -> Res<Ref<Future>> {
    derived::create_future(&current::get_running_loop()?, label)
}

/// Settles a pending future and schedules its callbacks. The only place that ends `Pending`.
pub fn settle(future: &Ref<Future>, state: FutureState, outcome: Value) -> Res<()> {
    debug_assert!(!future.is_done());
    if future.is_sleep() {
        task::drop_timer(future, state);
    }
    future.state.set(state);
    if let Some(task) = &future.task {
        roster::leave(task);
    }
    future.outcome.set(outcome);
    tell(|| Event::FutureSettled(future));
    if future.callbacks.is_empty() {
        return Ok(());
    }
    let Some(event_loop) = EventLoop::of(future.event_loop()) else {
        return Ok(());
    };
    event_loop.check_closed()?;
    let mut result = Ok(());
    future.callbacks.drain(|callback| {
        if result.is_ok() {
            result = derived::schedule(future.event_loop(), event_loop, || job(callback, future));
        }
    });
    result
}

/// Settles a pending future; callbacks of the runtime's own run now.
pub fn settle_now(future: &Ref<Future>, state: FutureState, outcome: Value) -> Res<()> {
    let mut scheduled = Vec::new();
    future.callbacks.drain(|callback| scheduled.push(callback));
    settle(future, state, outcome)?;
    let event_loop = super::event_loop::expect(future.event_loop())?;
    for callback in scheduled {
        match callback {
            Callback::Native(callback) => callback(future),
            callback => derived::schedule(future.event_loop(), event_loop, || job(callback, future))?,
        }
    }
    Ok(())
}

fn job(callback: Callback, future: &Ref<Future>) -> Job {
    match callback {
        Callback::Wake(task) => Job::Wake(task, future.clone()),
        Callback::Script(callback, context) => Job::Script(callback, context, future.clone()),
        Callback::Native(callback) => Job::Native(callback, future.clone()),
    }
}

#[cold]
pub fn invalid_state(message: &str) -> Raised {
    raise(Type::InvalidStateError, message)
}

/// `future.set_result(value)`
pub fn set_result(future: &Ref<Future>, value: Value) -> Res<()> {
    if future.is_done() {
        return Err(invalid_state("invalid state"));
    }
    settle(future, FutureState::Finished, value)
}

/// Sets the result unless it is done; errors of a closed loop have nobody to go to.
pub fn set_result_if_pending(future: &Ref<Future>, value: Value) {
    if !future.is_done() {
        forget(settle(future, FutureState::Finished, value));
    }
}

/// `future.set_exception(exception)`: an exception or an exception class.
pub fn set_exception(future: &Ref<Future>, given: &Value) -> Res<()> {
    if future.is_done() {
        return Err(invalid_state("invalid state"));
    }
    let made = match given {
        Value::Class(c) if c.is_subclass(&class(Type::BaseException)) => call::call(given, &[])?,
        _ => given.clone(),
    };
    let Value::Exception(error) = &made else {
        return Err(type_error("invalid exception object"));
    };
    if is_exception(error, Type::StopIteration) {
        let message = "StopIteration interacts badly with generators and cannot be raised into a Future";
        let instead = exception(Type::RuntimeError, message);
        instead.cause.set(made.clone());
        instead.context.set(made.clone());
        return fail(future, instead);
    }
    fail(future, Ref::clone(error))
}

/// Ends a pending future with an exception that somebody has to ask for.
pub fn fail(future: &Ref<Future>, exception: Ref<Exception>) -> Res<()> {
    future.unseen.set(true);
    finalise::expect(); // nobody may ever ask
    settle(future, FutureState::Failed, exception.into())
}

/// For errors that have nobody to go to.
pub fn forget(result: Res<()>) {
    if let Err(raised) = result {
        let _ = raised.take();
    }
}

/// `future.result()`
pub fn result(future: &Ref<Future>) -> Res {
    match future.state.get() {
        FutureState::Finished => Ok(future.outcome.get()),
        FutureState::Failed => match future.raising() {
            Some(exception) => Err(Raised::new(exception)),
            None => Ok(Value::None),
        },
        FutureState::Cancelled => Err(Raised::new(cancelled_error(future))),
        FutureState::Pending => Err(not_yet(future, "Result is not set.")),
    }
}

/// `future.exception()`
pub fn exception_of(future: &Ref<Future>) -> Res {
    match future.state.get() {
        FutureState::Finished => Ok(Value::None),
        FutureState::Failed => {
            future.unseen.set(false);
            Ok(future.outcome.get())
        }
        FutureState::Cancelled => Err(Raised::new(cancelled_error(future))),
        FutureState::Pending => Err(not_yet(future, "Exception is not set.")),
    }
}

/// The error that a done future failed with; seen by this.
pub fn failure(future: &Ref<Future>) -> Option<Ref<Exception>> {
    if future.state.get() != FutureState::Failed {
        return None;
    }
    future.unseen.set(false);
    match &future.outcome.get() {
        Value::Exception(exception) => Some(Ref::clone(exception)),
        _ => None,
    }
}

pub fn is_cancelled(future: &Ref<Future>) -> bool {
    future.state.get() == FutureState::Cancelled
}

/// `future.cancel()`, as the future's kind has it.
pub fn cancel(future: &Ref<Future>) -> Res<bool> {
    match own_cancel(future)? {
        Some(method) => operator::truth(&call::call(&method, &[])?),
        None => cancel_exactly(future, &Value::None),
    }
}

/// `future.cancel(msg)`: a task that was cancelled cancels what it waits for.
pub fn cancel_waited(future: &Ref<Future>, message: &Value) -> Res<bool> {
    match own_cancel(future)? {
        Some(method) => operator::truth(&call::call(&method, &[as_argument(message)])?),
        None => cancel_exactly(future, message),
    }
}

/// `future.cancel(msg=msg)`: so do those who gather.
fn cancel_gathered(future: &Ref<Future>, message: &Value) -> Res<bool> {
    match own_cancel(future)? {
        Some(method) => {
            let message = (Symbol::new("msg"), as_argument(message));
            operator::truth(&call::call_kw(&method, &[], &[message])?)
        }
        None => cancel_exactly(future, message),
    }
}

fn as_argument(message: &Value) -> Value {
    message.given().cloned().unwrap_or(Value::None)
}

/// What stands for `cancel` in a script's class, or is that of the object behind a deputy.
fn own_cancel(future: &Ref<Future>) -> Res<Option<Value>> {
    let object = match future.deputy_of() {
        Some(object) => object.clone(),
        None if overrides(future, &["cancel"]) => future.clone().into(),
        None => return Ok(None),
    };
    attribute::get(&object, Symbol::new("cancel")).map(Some)
}

/// `Future.cancel`, `Task.cancel`, and a gather's: not what a script class made of it.
pub fn cancel_exactly(future: &Ref<Future>, message: &Value) -> Res<bool> {
    if future.task.is_some() {
        return task::cancel(future, message);
    }
    if let Some(gather) = future.gather() {
        return cancel_children(future, gather, message);
    }
    cancel_plain(future, message)
}

/// Cancels a future that is no task and no gather.
pub fn cancel_plain(future: &Ref<Future>, message: &Value) -> Res<bool> {
    future.unseen.set(false);
    if future.is_done() {
        return Ok(false);
    }
    tell(|| Event::Cancelled(future));
    settle(future, FutureState::Cancelled, message.clone())?;
    Ok(true)
}

fn cancel_children(whole: &Ref<Future>, gather: &Gather, message: &Value) -> Res<bool> {
    if whole.is_done() {
        return Ok(false);
    }
    tell(|| Event::Cancelled(whole));
    let children = gather.children.borrow().clone();
    let mut any = false;
    for child in &children {
        any |= cancel_gathered(child, message)?;
    }
    if any {
        gather.requested.set(true);
    }
    Ok(any)
}

/// `future.add_done_callback(f)`: at once through the loop if it is done.
#[inline(always)]
pub fn add_callback(future: &Ref<Future>, callback: Callback) -> Res<()> {
    if future.is_done() {
        return call_at_once(future, callback);
    }
    future.callbacks.push(callback);
    Ok(())
}

/// The callback of a future that is done. Not part of the common way, so that a callback is written
/// where it stays.
#[inline(never)]
fn call_at_once(future: &Ref<Future>, callback: Callback) -> Res<()> {
    if let Some(event_loop) = EventLoop::of(future.event_loop()) {
        event_loop.check_closed()?;
        derived::schedule(future.event_loop(), event_loop, || job(callback, future))?;
    }
    Ok(())
}

/// Adds a callback of the runtime's own; gives what to remove it by.
pub fn add_native(future: &Ref<Future>, callback: impl Fn(&Ref<Future>) + 'static) -> NativeCallback {
    let callback: NativeCallback = Rc::new(callback);
    forget(add_callback(future, Callback::Native(callback.clone())));
    callback
}

/// Removes a callback of the runtime's own, if it has not been scheduled.
pub fn remove_native(future: &Ref<Future>, callback: &NativeCallback) {
    let is_other = |c: &Callback| !matches!(c, Callback::Native(n) if Rc::ptr_eq(n, callback));
    drop(future.callbacks.retain(is_other));
}

/// `future.remove_done_callback(f)`: how many there were.
pub fn remove_callback(future: &Ref<Future>, callback: &Value) -> Res<usize> {
    let callbacks = future.callbacks.list();
    let mut kept = Vec::with_capacity(callbacks.len());
    let mut removed = 0;
    for entry in callbacks {
        match &entry {
            Callback::Script(other, _) if other.is(callback) || operator::equal(other, callback)? => {
                removed += 1
            }
            _ => kept.push(entry),
        }
    }
    if removed > 0 {
        drop(future.callbacks.replace(kept));
    }
    Ok(removed)
}

/// `add_done_callback` with a script's callable.
pub fn add_script(future: &Ref<Future>, callback: &Value, context: Rc<Context>) -> Res<()> {
    add_callback(future, Callback::Script(callback.clone(), context))
}

/// `iter(future)` and `future.__await__()`: yields the future once, then ends with its result.
pub fn iterate(future: &Ref<Future>) -> Value {
    let first = Activation::Native(Box::new(Box::new(Iteration(Some(future.clone())))));
    let kind = GeneratorKind::Awaitable(Awaitable::FutureIter);
    Ref::new(Generator::new(kind, Value::None, first)).into()
}

/// Waits for the future itself, whatever `__await__` its class may have.
struct Iteration(Option<Ref<Future>>);

impl NativeCoroutine for Iteration {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        match (input, self.0.take()) {
            (Resume::Raise(exception), _) => Err(Raised::again(exception)),
            (Resume::Value(_), Some(future)) => Ok(Step::Wait(future)),
            (Resume::Value(result), None) => Ok(Step::Return(result)),
        }
    }

    fn name(&self) -> &'static str {
        "FutureIter"
    }
}

/// The loop of a future, for a class that a script may have given a `get_loop` of its own.
pub fn loop_of(future: &Ref<Future>) -> Value {
    future.event_loop().clone()
}

/// `PENDING`, `FINISHED`, `CANCELLED`
pub fn state_name(future: &Future) -> &'static str {
    match future.state.get() {
        FutureState::Pending => "PENDING",
        FutureState::Finished | FutureState::Failed => "FINISHED",
        FutureState::Cancelled => "CANCELLED",
    }
}

/// The future that a value is, or that an instance of a script class holds.
pub fn of(value: &Value) -> Option<&Ref<Future>> {
    match value {
        Value::Future(future) => Some(future),
        Value::Instance(instance) => of(&instance.payload),
        _ => None,
    }
}

/// Whether a future's script class overrides one of some built-in methods.
pub fn overrides(future: &Future, names: &[&str]) -> bool {
    let Some(class) = future.class().filter(|class| class.is_script) else {
        return false;
    };
    names.iter().any(|name| {
        let method = class.lookup(Symbol::new(name));
        method.is_some_and(|method| !matches!(method, Value::Native(_)))
    })
}
