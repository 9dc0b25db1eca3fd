//! Loops of scripts' classes, and loops that were given attributes in the place of methods: these
//! have their say in what the runtime asks of its own accord. An ordinary loop pays for this with one
//! look at a flag.

use super::event_loop::{self, EventLoop, context_value, create_task_in, expect};
use super::handle::Handle;
use super::ready::Job;
use super::{clock, future, task};
use crate::interp::error::type_error;
use crate::interp::types::class_name;
use crate::interp::{call, payload};
use crate::source::Symbol;
use crate::value::context::{self, Context};
use crate::value::generator::Resume;
use crate::value::*;
use std::rc::Rc;

/// The method with which a script's class of loops, or an attribute of the loop, overrides a built-in
/// one; it is called with the loop as its first argument.
#[inline]
pub fn overriding(this: &Value, name: &'static str) -> Option<Value> {
    match this {
        Value::Opaque(object) if object.class.is_script || !object.attrs.is_empty() => {
            overridden(object, name)
        }
        _ => None,
    }
}

#[cold]
fn overridden(object: &Opaque, name: &'static str) -> Option<Value> {
    let name = Symbol::new(name);
    if let Some(own) = object.attrs.get(name) {
        return Some(without_self(own));
    }
    let method = object.class.lookup(name)?;
    (!matches!(method, Value::Native(_))).then_some(method)
}

/// What an object itself has in the place of a method is not handed the object.
fn without_self(own: Value) -> Value {
    Native::closure("method", "(self, /, *args, **kwargs)", move |args| {
        let positional = payload::as_tuple(&args[1]).map_or(&[][..], |given| &given.items[..]);
        let named = match &args[2] {
            Value::Dict(named) => named.symbol_entries(),
            _ => Vec::new(),
        };
        call::call_kw(&own, positional, &named)
    })
}

/// Has a job of the runtime's own take its turn. It is made where it will stand: one that is moved
/// right after it was made has to wait for the processor's stores.
#[inline(always)]
pub fn schedule(this: &Value, event_loop: &EventLoop, job: impl FnOnce() -> Job) -> Res<()> {
    if event_loop.is_derived.get() {
        return schedule_as_defined(this, event_loop, job());
    }
    event_loop.push(job());
    Ok(())
}

#[cold]
fn schedule_as_defined(this: &Value, event_loop: &EventLoop, job: Job) -> Res<()> {
    let Some(method) = overriding(this, "call_soon") else {
        event_loop.push(job);
        return Ok(());
    };
    let (callback, future, context) = as_callback(job);
    let mut args = vec![this.clone(), callback];
    args.extend(future.map(Value::from));
    let context = (Symbol::new("context"), context_value(context));
    call::call_kw(&method, &args, &[context]).map(drop)
}

/// A job as a callback, the future it is called with, and the context it runs in.
fn as_callback(job: Job) -> (Value, Option<Ref<Future>>, Rc<Context>) {
    let context_of = |task| task::context_of(task).unwrap_or_else(context::current);
    match job {
        Job::Step(task) => {
            let context = context_of(&task);
            (step_of(task, None), None, context)
        }
        Job::Throw(task, exception) => {
            let context = context_of(&task);
            (step_of(task, Some(exception)), None, context)
        }
        Job::Wake(task, by) => {
            let context = context_of(&task);
            let wake = Native::closure("task_wakeup", "(future, /)", move |_| {
                task::step(&task, None).map(|()| Value::None)
            });
            (wake, Some(by), context)
        }
        Job::Script(callback, context, future) => (callback, Some(future), context),
        Job::Native(callback, future) => {
            let done = Native::closure("_done_callback", "(future, /)", move |args| {
                future::of(&args[0])
                    .into_iter()
                    .for_each(|future| callback(future));
                Ok(Value::None)
            });
            (done, Some(future), context::current())
        }
        // These come from timers and calls, which go their own ways.
        Job::Settle(future) => {
            let settle = Native::closure("_set_result_unless_cancelled", "(future, /)", |args| {
                future::of(&args[0]).into_iter().for_each(task::end_sleep);
                Ok(Value::None)
            });
            (settle, Some(future), context::current())
        }
        Job::Handle(handle) => {
            let run = Native::closure("_run", "()", move |_| {
                call::call_method(&handle, Symbol::new("_run"), &[])
            });
            (run, None, context::current())
        }
    }
}

/// A job as the handle that it would be in CPython; for a timer, with its time.
pub fn handle_of(this: &Value, job: Job, when: Value) -> Value {
    if let Job::Handle(handle) = job {
        return handle;
    }
    let (callback, future, context) = as_callback(job);
    let arg = future.map_or(Value::Unset, Value::from);
    Handle::value(this, &callback, &arg, context, when)
}

/// A task's next step as a callback.
fn step_of(task: Ref<Future>, throw: Option<Ref<Exception>>) -> Value {
    Native::closure("TaskStepMethWrapper", "()", move |_| {
        task::step(&task, throw.clone()).map(|()| Value::None)
    })
}

/// `loop.time()`, as the runtime asks for it.
#[inline(always)]
pub fn now(this: &Value, event_loop: &EventLoop) -> Res<f64> {
    if event_loop.is_derived.get()
        && let Some(method) = overriding(this, "time")
    {
        return payload::real(&call::call_unbound(&method, this, &[])?);
    }
    Ok(clock::now())
}

/// Whether a time on a loop's clock is over.
#[inline(always)]
pub fn is_over(this: &Value, event_loop: &EventLoop, when: f64) -> Res<bool> {
    if !event_loop.is_derived.get() && clock::is_well_before(when) {
        return Ok(false);
    }
    Ok(when <= now(this, event_loop)?)
}

/// `loop.run_until_complete(awaitable)`
pub fn run_until_complete(this: &Value, awaitable: &Value) -> Res {
    match overriding(this, "run_until_complete") {
        Some(method) => call::call_unbound(&method, this, std::slice::from_ref(awaitable)),
        None => event_loop::run_until_complete(this, awaitable),
    }
}

/// `loop.run_forever()`
pub fn run_forever(this: &Value) -> Res<()> {
    match overriding(this, "run_forever") {
        Some(method) => call::call_unbound(&method, this, &[]).map(drop),
        None => event_loop::run_forever(this),
    }
}

/// `loop.stop()`
pub fn stop(this: &Value) -> Res<()> {
    match overriding(this, "stop") {
        Some(method) => call::call_unbound(&method, this, &[]).map(drop),
        None => EventLoop::of(this).map_or(Ok(()), |event_loop| {
            event_loop.stop();
            Ok(())
        }),
    }
}

/// One pass of a loop.
#[inline(always)]
pub fn run_once(this: &Value, event_loop: &EventLoop) -> Res<()> {
    if event_loop.is_derived.get()
        && let Some(method) = overriding(this, "_run_once")
    {
        return call::call_unbound(&method, this, &[]).map(drop);
    }
    event_loop::run_once(this)
}

/// `loop.close()`
pub fn close(this: &Value) -> Res<()> {
    match overriding(this, "close") {
        Some(method) => call::call_unbound(&method, this, &[]).map(drop),
        None => event_loop::close(this),
    }
}

/// A timer handle that stands among the loop's timers was cancelled.
pub fn timer_cancelled(this: &Value, handle: &Value) -> Res<()> {
    if let Some(method) = overriding(this, "_timer_handle_cancelled") {
        return call::call_unbound(&method, this, std::slice::from_ref(handle)).map(drop);
    }
    if let Some(event_loop) = EventLoop::of(this) {
        event_loop.note_cancelled_timer();
    }
    Ok(())
}

/// `loop.create_future()`, with a label for reports if it is one of ours.
pub fn create_future(this: &Value, label: &'static &'static str) -> Res<Ref<Future>> {
    let Some(method) = overriding(this, "create_future") else {
        let future = future::new(this);
        future.label.set(label);
        return Ok(future);
    };
    let made = call::call_unbound(&method, this, &[])?;
    let Some(future) = future::of(&made) else {
        let kind = class_name(&made);
        return Err(type_error(format!("create_future() gave {kind}, not a future")));
    };
    Ok(future.clone())
}

/// `loop.create_task(coroutine, name=…, context=…)`. An unset name is not handed on.
pub fn create_task(this: &Value, coroutine: &Value, name: &Value, context: Option<Rc<Context>>) -> Res {
    let Some(method) = overriding(this, "create_task") else {
        return create_task_in(this, coroutine, name, context);
    };
    let mut kwargs = Vec::new();
    if !name.is_unset() {
        kwargs.push((Symbol::new("name"), name.clone()));
    }
    if let Some(context) = context {
        kwargs.push((Symbol::new("context"), context_value(context)));
    }
    call::call_kw(&method, &[this.clone(), coroutine.clone()], &kwargs)
}

/// `loop.call_soon(callback, arg)`: the handle.
pub fn call_soon(this: &Value, callback: &Value, arg: &Value) -> Res {
    match overriding(this, "call_soon") {
        Some(method) => call::call_unbound(&method, this, &[callback.clone(), arg.clone()]),
        None => event_loop::call_soon(this, callback, arg, None),
    }
}

/// `loop.call_at(when, callback, *args, context=…)`: the handle. `args` is as for a handle.
pub fn call_at(
    this: &Value,
    when: &Value,
    callback: &Value,
    args: &Value,
    context: Option<Rc<Context>>,
) -> Res {
    let Some(method) = overriding(this, "call_at") else {
        return event_loop::call_at(this, when, callback, args, context);
    };
    let mut all = vec![this.clone(), when.clone(), callback.clone()];
    match args {
        Value::Tuple(args) => all.extend_from_slice(&args.items),
        Value::Unset => {}
        only => all.push(only.clone()),
    }
    let context = context.map_or(Value::None, context_value);
    call::call_kw(&method, &all, &[(Symbol::new("context"), context)])
}

/// `loop.call_later(delay, callback, arg)`: the handle.
pub fn call_later(this: &Value, delay: &Value, callback: &Value, arg: &Value) -> Res {
    match overriding(this, "call_later") {
        Some(method) => call::call_unbound(&method, this, &[delay.clone(), callback.clone(), arg.clone()]),
        None => call_at(this, &event_loop::after(this, delay)?, callback, arg, None),
    }
}

/// `asyncio.sleep` on a loop of a script's class: with its futures and its timers.
pub fn sleep(this: &Value, delay: &Value, result: Value) -> Res<Step> {
    expect(this)?;
    let future = create_future(this, &"sleep")?;
    let settle = Native::closure("_set_result_unless_cancelled", "(future, /)", move |args| {
        future::of(&args[0])
            .into_iter()
            .for_each(|future| future::set_result_if_pending(future, result.clone()));
        Ok(Value::None)
    });
    let handle = call_later(this, delay, &settle, &future.clone().into())?;
    Step::begin(Sleep {
        future: Some(future),
        handle,
    })
}

/// A sleep that waits for a future and takes its timer back.
struct Sleep {
    future: Option<Ref<Future>>,
    handle: Value,
}

impl NativeCoroutine for Sleep {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if let (Resume::Value(_), Some(future)) = (&input, self.future.take()) {
            return Ok(Step::Await(future.into()));
        }
        call::call_method(&self.handle, Symbol::new("cancel"), &[])?;
        match input {
            Resume::Value(result) => Ok(Step::Return(result)),
            Resume::Raise(exception) => Err(Raised::again(exception)),
        }
    }

    fn name(&self) -> &'static str {
        "sleep"
    }
}
