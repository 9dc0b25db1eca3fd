//! What tasks do: step, wait, be cancelled.
//!
//! Always true: a pending task has exactly one of: a `Step`, `Throw` or `Wake` job in its loop, a
//! `Wake` callback on the future it waits for, or its step is running.

use super::event_loop::{EventLoop, expect};
use super::future::{self, fail, settle};
use super::handle::ends_program;
use super::instrument::{Event, tell};
use super::ready::Job;
use super::{clock, current, derived, like_future};
use crate::code::CodeKind;
use crate::interp::error::{matches, raise, runtime_error, type_error, value_error};
use crate::interp::machine::{self, Outcome};
use crate::interp::types::{Type, class_name, is_exception};
use crate::interp::{async_iter, attribute, call, payload, stack, text};
use crate::source::{Symbol, name};
use crate::value::context::{self, Context, ContextSlot};
use crate::value::generator::{Progress, Resume};
use crate::value::pool::Piece;
use crate::value::*;
use std::cell::Cell;
use std::rc::Rc;

thread_local! {
    /// How many tasks got a number for a name.
    static NUMBERED: Cell<i64> = const { Cell::new(0) };
}

/// The given name as text, or the next number.
fn name_or_number(name: &Value) -> Res {
    match name.given() {
        Some(Value::Str(_)) => Ok(name.clone()),
        Some(other) => Ok(Value::str(text::str(other)?)),
        None => {
            NUMBERED.set(NUMBERED.get() + 1);
            Ok(Value::Int(NUMBERED.get()))
        }
    }
}

/// Names a task; without a name it gets the next number.
pub fn set_name(state: &TaskState, name: &Value) -> Res<()> {
    state.name.set(name_or_number(name)?);
    Ok(())
}

/// What a task begins with: everything but the coroutine.
pub fn fresh_state(coroutine: Value, name: &Value, context: Option<Rc<Context>>) -> Res<Piece<TaskState>> {
    let name = name_or_number(name)?;
    let context = context.unwrap_or_else(context::snapshot);
    Ok(Piece::make(|| TaskState {
        name: ValueCell::new(name),
        context: ContextSlot::new(context),
        waiting: Hold::default(),
        must_cancel: Cell::new(false),
        cancelling: Cell::new(0),
        log_destroy: Cell::new(!coroutine.is_unset()),
        coroutine: ValueCell::new(coroutine),
        place: Cell::new(roster::NOWHERE),
    }))
}

/// The context that a task runs in, as an object of its own; none for another future.
pub fn context_of(task: &Ref<Future>) -> Option<Rc<Context>> {
    let state = task.task.as_ref()?;
    let current = EventLoop::of(task.event_loop()).and_then(EventLoop::current_task);
    Some(state.context.own(current.is_some_and(|current| current.is(task))))
}

/// A new task of a loop, whose first step is scheduled, or taken at once as [`begin`] says.
pub fn create(
    event_loop: &Value,
    coroutine: &Value,
    name: &Value,
    context: Option<Rc<Context>>,
    eager: bool,
) -> Res<Ref<Future>> {
    let task = prepare(event_loop, coroutine, name, context)?;
    begin(&task, eager)?;
    Ok(task)
}

/// Schedules a task's first step, or takes it at once if the task is eager and its loop runs.
pub fn begin(task: &Ref<Future>, eager: bool) -> Res<()> {
    roster::enter(task);
    tell(|| Event::TaskCreated(task));
    if eager && current::running().is_some_and(|running| running.is(task.event_loop())) {
        let stepped = step(task, None);
        if task.is_done() {
            // As in CPython, who ends at once does not keep its coroutine.
            state_of(task)?.coroutine.set(Value::None);
        }
        return stepped;
    }
    derived::schedule(task.event_loop(), expect(task.event_loop())?, || {
        Job::Step(task.clone())
    })
}

fn prepare(
    event_loop: &Value,
    coroutine: &Value,
    name: &Value,
    context: Option<Rc<Context>>,
) -> Res<Ref<Future>> {
    if !is_coroutine(coroutine) {
        return Err(type_error(format!(
            "a coroutine was expected, got {}",
            text::repr(coroutine)?
        )));
    }
    let state = fresh_state(coroutine.clone(), name, context)?;
    let event_loop = event_loop.clone();
    Ok(future::made(|| {
        let mut future = Future::new(event_loop);
        future.label.set(&"task");
        future.task = Some(state);
        future
    }))
}

/// Whether it is a coroutine object, or one of a script's class that has all of their methods.
#[inline]
pub fn is_coroutine(value: &Value) -> bool {
    match value {
        Value::Generator(g) if g.kind == GeneratorKind::Coroutine => true,
        other => is_like_coroutine(other),
    }
}

fn is_like_coroutine(value: &Value) -> bool {
    match value {
        // Steps of async generators have all of their methods; iterators do not.
        Value::Generator(g) => matches!(
            g.kind,
            GeneratorKind::Awaitable(Awaitable::Asend | Awaitable::Athrow | Awaitable::Anext)
        ),
        Value::Instance(_) => [name::AWAIT, name::SEND, name::THROW, name::CLOSE]
            .iter()
            .all(|&method| call::special(value, method).is_some()),
        _ => false,
    }
}

/// Whether calling it gives a coroutine.
pub fn is_coroutine_function(value: &Value) -> Res<bool> {
    let is_marked = || -> Res<bool> {
        let mark = attribute::find(value, Symbol::new("_is_coroutine_marker"))?;
        Ok(mark.is_some_and(|mark| mark.is(&Value::TRUE)))
    };
    Ok(match value {
        Value::Function(f) => f.code.kind == CodeKind::Coroutine || is_marked()?,
        Value::Native(n) => matches!(n.body, NativeBody::Coroutine(_)),
        Value::Method(m) => is_coroutine_function(&m.func)?,
        other if class_name(other) == "functools.partial" => {
            match attribute::find(other, Symbol::new("func"))? {
                Some(func) => is_coroutine_function(&func)?,
                None => false,
            }
        }
        Value::Class(_) => false,
        _ => is_marked()?,
    })
}

/// The task that an awaitable is or becomes.
pub fn ensure_future(awaitable: &Value, event_loop: Option<&Value>) -> Res<Ref<Future>> {
    if let Some(future) = future::of(awaitable) {
        if let Some(event_loop) = event_loop
            && !event_loop.is(future.event_loop())
        {
            let message =
                "The future belongs to a different loop than the one specified as the loop argument";
            return Err(value_error(message));
        }
        return Ok(future.clone());
    }
    if like_future::mark(awaitable)?.is_some() {
        return like_future::deputy(awaitable);
    }
    let wrapped = if is_coroutine(awaitable) {
        awaitable.clone()
    } else {
        wrap_awaitable(awaitable)?
    };
    let is_given = is_coroutine(awaitable);
    let event_loop = match event_loop {
        Some(event_loop) => Ok(event_loop.clone()),
        None => current::get_event_loop(),
    };
    // One made here would be told as "never awaited".
    let event_loop = event_loop.inspect_err(|_| {
        if !is_given {
            abandon(&wrapped);
        }
    })?;
    let made = derived::create_task(&event_loop, &wrapped, &Value::Unset, None);
    let task = made.inspect_err(|raised| {
        if !is_given || matches(raised, Type::RuntimeError) {
            abandon(&wrapped);
        }
    })?;
    match future::of(&task) {
        Some(task) => Ok(task.clone()),
        None => Err(type_error(format!(
            "the task factory gave {}, not a future",
            class_name(&task)
        ))),
    }
}

/// Closes a coroutine that will not run, while an exception is on its way.
fn abandon(coroutine: &Value) {
    let aside = exception::lay_aside();
    if let Err(raised) = call::call_method(coroutine, Symbol::new("close"), &[]) {
        let _ = raised.take();
    }
    exception::put_back(aside);
}

/// A coroutine that awaits an object with `__await__`.
fn wrap_awaitable(value: &Value) -> Res {
    if !async_iter::is_awaitable(value) {
        return Err(type_error(
            "An asyncio.Future, a coroutine or an awaitable is required",
        ));
    }
    Ok(native_coroutine(
        "ensure_future.<locals>._wrap_awaitable",
        "(awaitable)",
        |args| Step::begin(Forward(Some(args[0].clone()))),
        vec![value.clone()],
    ))
}

/// A coroutine object of a body in Rust.
pub fn native_coroutine(
    name: &'static str,
    signature: &'static str,
    body: fn(&[Value]) -> Res<Step>,
    args: Vec<Value>,
) -> Value {
    let body = NativeBody::Coroutine(body);
    let native = Native::of(
        &NativeDef {
            name,
            signature,
            doc: "",
            role: NativeRole::Function,
            body,
            module: Some("asyncio.tasks"),
        },
        "asyncio.tasks",
    );
    let first = Activation::Start(Box::new((native.clone(), args.into())));
    Ref::new(Generator::new(GeneratorKind::Coroutine, native.into(), first)).into()
}

/// Awaits one thing and returns its result.
pub struct Forward(pub Option<Value>);

impl NativeCoroutine for Forward {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        match (input, self.0.take()) {
            (Resume::Raise(exception), _) => Err(Raised::again(exception)),
            (Resume::Value(_), Some(value)) => Ok(Step::Await(value)),
            (Resume::Value(result), None) => Ok(Step::Return(result)),
        }
    }

    fn name(&self) -> &'static str {
        "_wrap_awaitable"
    }
}

/// The part of a future that makes it a task; every caller has a task.
fn state_of(task: &Ref<Future>) -> Res<&TaskState> {
    task.task
        .as_deref()
        .ok_or_else(|| type_error("a task is required, not a future"))
}

/// One step of a task: resumes its coroutine and sees where it comes to rest. Fails only with
/// what ends a program.
pub fn step(task: &Ref<Future>, throw: Option<Ref<Exception>>) -> Res<()> {
    let state = state_of(task)?;
    if task.is_done() {
        return Ok(());
    }
    let waited = state.waiting.take();
    let mut throw = throw.or_else(|| waited.as_ref().and_then(failure_of));
    drop(waited);
    if state.must_cancel.get() {
        state.must_cancel.set(false);
        if !throw
            .as_ref()
            .is_some_and(|e| is_exception(e, Type::CancelledError))
        {
            throw = Some(machine::new_cancelled_error(task.cancel_message()));
            task.set_cancel_message(Value::None);
        }
    }
    let coroutine = state.coroutine.get();
    if coroutine.is_unset() {
        return Ok(()); // a subclass that never called Task.__init__
    }
    let Some(event_loop) = EventLoop::of(task.event_loop()) else {
        return Ok(());
    };
    tell(|| Event::TaskStep(task));
    let input = throw.map_or(Resume::Value(Value::None), Resume::Raise);
    let before_task = event_loop.set_current_task(Some(task.clone()));
    if let Some(outer) = before_task.as_ref().and_then(|outer| outer.task.as_ref()) {
        outer.context.keep_current(); // this one is eager
    }
    let before = state.context.enter();
    let outcome = match &coroutine {
        Value::Generator(coroutine) => match coroutine.progress.get() {
            Progress::Created | Progress::Suspended => machine::resume(coroutine, input),
            Progress::Running | Progress::Closed => refused(coroutine),
        },
        other => drive(other, input),
    };
    let result = rest(task, state, event_loop, outcome);
    state.context.leave(before);
    drop(event_loop.set_current_task(before_task));
    result
}

/// A task cannot take the next step of a coroutine that has ended or that somebody else runs.
#[cold]
fn refused(coroutine: &Ref<Generator>) -> Outcome {
    Outcome::Raise(match coroutine.progress.get() {
        Progress::Closed => runtime_error("cannot reuse already awaited coroutine"),
        _ => machine::already_running(coroutine),
    })
}

/// One step of a coroutine of a script's class.
#[cold]
fn drive(coroutine: &Value, input: Resume) -> Outcome {
    let result = match input {
        Resume::Value(value) => match call::special(coroutine, name::NEXT) {
            Some(next) => call::call_unbound(&next, coroutine, &[]),
            None => call::call_method(coroutine, name::SEND, &[value]),
        },
        Resume::Raise(exception) => call::call_method(coroutine, name::THROW, &[exception.into()]),
    };
    match result {
        Ok(value) => Outcome::Yield(value),
        Err(raised) if matches(&raised, Type::StopIteration) => {
            Outcome::Return(raised.take().arg(0).unwrap_or(Value::None))
        }
        Err(raised) => Outcome::Raise(raised),
    }
}

/// The exception to throw into a task whose awaited future failed or was cancelled.
fn failure_of(future: &Ref<Future>) -> Option<Ref<Exception>> {
    match future.state.get() {
        FutureState::Cancelled => {
            let error = future::cancelled_error(future);
            // What is handled around the loop, if anything.
            exception::handled()
                .into_iter()
                .for_each(|handled| error.come_while(&handled));
            Some(error)
        }
        FutureState::Failed => future.raising(),
        FutureState::Pending | FutureState::Finished => None,
    }
}

/// What becomes of a task after a step.
#[inline]
fn rest(task: &Ref<Future>, state: &TaskState, event_loop: &EventLoop, outcome: Outcome) -> Res<()> {
    match outcome {
        Outcome::Wait(future) => wait_for(task, state, event_loop, future),
        Outcome::Yield(Value::None) => {
            tell(|| Event::GaveWay(task));
            derived::schedule(task.event_loop(), event_loop, || Job::Step(task.clone()))
        }
        Outcome::Yield(value) => yielded(task, state, event_loop, value),
        Outcome::Return(value) => {
            tell(|| Event::TaskDone(task));
            if state.must_cancel.replace(false) {
                return settle(task, FutureState::Cancelled, task.cancel_message());
            }
            settle(task, FutureState::Finished, value)
        }
        Outcome::Raise(raised) => {
            tell(|| Event::TaskDone(task));
            if matches(&raised, Type::CancelledError) {
                // The message is that of this error, which whoever awaits the task gets once.
                task.set_cancel_message(Value::None);
                return settle(task, FutureState::Cancelled, raised.take().into());
            }
            let exception = raised.take();
            fail(task, exception.clone())?;
            if ends_program(&exception) {
                Err(Raised::again(exception))
            } else {
                Ok(())
            }
        }
    }
}

/// The task awaits a pending future.
#[inline]
fn wait_for(task: &Ref<Future>, state: &TaskState, event_loop: &EventLoop, on: Ref<Future>) -> Res<()> {
    if !on.event_loop().is(task.event_loop()) {
        if on.event_loop().is_unset() {
            return throw_soon(task, event_loop, future::not_initialised());
        }
        let error = other_loop(&task.clone().into(), &shown(&on.into()));
        return throw_soon(task, event_loop, error);
    }
    if on.is(task) {
        let message = format!("Task cannot await on itself: {}", shown(&task.clone().into()));
        return throw_soon(task, event_loop, runtime_error(message));
    }
    if !on.is_bare() && future::overrides(&on, &["add_done_callback", "result"]) {
        on.blocking.set(true);
        let waits = like_future::wait_for(task, state, &Future::face(&on), &Value::TRUE);
        return waits.or_else(|raised| throw_soon(task, event_loop, raised));
    }
    on.blocking.set(false);
    tell(|| Event::Waits { task, on: &on });
    future::add_callback(&on, Callback::Wake(task.clone()))?;
    state.waiting.replace(Some(on.clone()));
    if state.must_cancel.get() && future::cancel_waited(&on, &task.cancel_message())? {
        state.must_cancel.set(false);
    }
    Ok(())
}

/// The error for waiting for what belongs to another loop.
#[cold]
pub fn other_loop(task: &Value, on: &str) -> Raised {
    let task = shown(task);
    runtime_error(format!(
        "Task {task} got Future {on} attached to a different loop"
    ))
}

/// The task's coroutine yielded something itself.
#[cold]
fn yielded(task: &Ref<Future>, state: &TaskState, event_loop: &EventLoop, value: Value) -> Res<()> {
    let this = task.clone().into();
    let error = match &value {
        Value::Future(on) if on.blocking.get() => return wait_for(task, state, event_loop, Ref::clone(on)),
        Value::Future(_) => runtime_error(format!(
            "yield was used instead of yield from in task {} with {}",
            shown(&this),
            shown(&value)
        )),
        Value::Generator(generator) if generator.kind == GeneratorKind::Generator => runtime_error(format!(
            "yield was used instead of yield from for generator in task {} with {}",
            shown(&this),
            shown(&value)
        )),
        _ => match like_future::own_mark(&value) {
            Ok(Some(mark)) => match like_future::wait_for(task, state, &value, &mark) {
                Ok(()) => return Ok(()),
                Err(raised) => raised,
            },
            Ok(None) => runtime_error(format!("Task got bad yield: {}", shown(&value)))
                .help("only futures and None may come out of an awaited object: await something instead"),
            Err(raised) => raised,
        },
    };
    throw_soon(task, event_loop, error)
}

#[cold]
fn throw_soon(task: &Ref<Future>, event_loop: &EventLoop, error: Raised) -> Res<()> {
    derived::schedule(task.event_loop(), event_loop, || {
        Job::Throw(task.clone(), error.take())
    })
}

/// A repr for a message, whatever the object's `__repr__` does.
pub fn shown(value: &Value) -> String {
    text::repr(value).unwrap_or_else(|raised| {
        let _ = raised.take();
        format!("<{} object>", class_name(value))
    })
}

/// `task.cancel(msg)`. A chain of tasks that await each other is walked in a loop; it is an error if
/// that has no end.
pub fn cancel(task: &Ref<Future>, message: &Value) -> Res<bool> {
    stack::check_native("")?;
    let mut at = task.clone();
    let mut above: Option<Ref<Future>> = None;
    // The walk meets `seen` again if it goes round: `seen` is moved on in ever longer strides. Going
    // round ends where CPython, which calls one `cancel()` within the other, has no stack left.
    const MOST_CALLS: u64 = 9992;
    let (mut seen, mut walked, mut stride) = (None, 0u64, 1u64);
    let mut goes_round = false;
    loop {
        goes_round |= seen == Some(at.address());
        walked += 1;
        if goes_round && walked > MOST_CALLS {
            return Err(raise(
                Type::RecursionError,
                "maximum recursion depth exceeded while calling a Python object",
            ));
        }
        if walked == stride {
            (seen, stride) = (Some(at.address()), stride * 2);
        }
        at.unseen.set(false);
        let state = state_of(&at)?;
        if at.is_done() {
            // Too late for this one: who awaits it is told at its next step.
            return match above {
                Some(above) => {
                    must_cancel(&above, state_of(&above)?, message);
                    Ok(true)
                }
                None => Ok(false),
            };
        }
        tell(|| Event::Cancelled(&at));
        state.cancelling.set(state.cancelling.get() + 1);
        let on = state.waiting.get();
        match on {
            Some(on) if on.task.is_some() && !on.class().is_some_and(|c| c.is_script) => {
                above = Some(std::mem::replace(&mut at, on));
            }
            Some(on) if future::cancel_waited(&on, message)? => return Ok(true),
            _ => {
                must_cancel(&at, state, message);
                return Ok(true);
            }
        }
    }
}

fn must_cancel(task: &Future, state: &TaskState, message: &Value) {
    state.must_cancel.set(true);
    task.set_cancel_message(if message.is_unset() {
        Value::None
    } else {
        message.clone()
    });
}

/// `task.uncancel()`, whatever a script's class made of it.
pub fn uncancel_as_defined(task: &Ref<Future>) -> Res<u32> {
    if let Some(class) = task.class()
        && class.is_script
        && let Some(method @ Value::Function(_)) = class.lookup(Symbol::new("uncancel"))
    {
        let left = call::call_unbound(&method, &task.clone().into(), &[])?;
        return Ok(u32::try_from(payload::small(&left)?).unwrap_or(0));
    }
    Ok(uncancel(task))
}

/// `Task.uncancel`: how many cancellations are left.
pub fn uncancel(task: &Ref<Future>) -> u32 {
    let Some(state) = &task.task else { return 0 };
    let left = state.cancelling.get().saturating_sub(1);
    state.cancelling.set(left);
    if left == 0 {
        state.must_cancel.set(false);
    }
    left
}

pub fn cancelling(task: &Ref<Future>) -> u32 {
    task.task.as_ref().map_or(0, |state| state.cancelling.get())
}

/// The name as a str value; a numbered one is made when first asked for.
pub fn name(state: &TaskState) -> Value {
    match state.name.get() {
        Value::Int(number) => {
            let name = Value::str(format!("Task-{number}"));
            state.name.set(name.clone());
            name
        }
        name => name,
    }
}

/// The pending tasks of a loop, in order of creation.
pub fn all_tasks(event_loop: &Value) -> Vec<Ref<Future>> {
    let mut tasks = roster::tasks();
    tasks.retain(|task| task.event_loop().is(event_loop) && !task.is_done());
    tasks
}

/// `asyncio.sleep(delay, result)` as the step it is; `given` is the delay as the script has it.
pub fn sleep(given: &Value, delay: f64, result: Value) -> Res<Step> {
    if delay.is_nan() {
        return Err(value_error("Invalid delay: NaN (not a number)"));
    }
    if delay <= 0.0 {
        return Ok(Step::Pass(result));
    }
    let event_loop = current::get_running_loop()?;
    if expect(&event_loop)?.is_derived.get() {
        return derived::sleep(&event_loop, given, result);
    }
    let future = Future::new(event_loop);
    future.label.set(&SLEEP);
    future.outcome.set(result); // kept here until the timer fires
    let future = Ref::new(future);
    expect(future.event_loop())?.settle_at(clock::now() + delay, future.clone());
    Ok(Step::Wait(future))
}

/// The timer of a sleep has fired.
pub fn end_sleep(sleep: &Ref<Future>) {
    if !sleep.is_done() {
        let result = sleep.outcome.get();
        future::forget(settle(sleep, FutureState::Finished, result));
    }
}

/// A sleep is settled: if by a cancellation, its timer is still set.
pub fn drop_timer(sleep: &Ref<Future>, state: FutureState) {
    if state == FutureState::Cancelled
        && let Some(event_loop) = EventLoop::of(sleep.event_loop())
    {
        event_loop.note_cancelled_timer();
    }
}

/// `asyncio.current_task()`'s check that something runs in a task.
pub fn expect_current(message: &str) -> Res<Ref<Future>> {
    current::get_running_loop()?;
    current::current_task().ok_or_else(|| raise(Type::RuntimeError, message))
}
