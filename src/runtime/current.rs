//! Which event loop runs, and which one is a thread's own.

use super::event_loop::{self, EventLoop};
use super::thread;
use crate::interp::call;
use crate::interp::error::runtime_error;
use crate::interp::report::deprecated;
use crate::source::Symbol;
use crate::value::*;

thread_local! {
    /// The loop that runs in the current script thread; unset if none does.
    static RUNNING: ValueCell = ValueCell::default();
}

/// The loop that runs now, if one does.
#[inline]
pub fn running() -> Option<Value> {
    RUNNING.with(|r| Some(r.get()).filter(|v| !v.is_unset()))
}

/// Makes a loop the running one (unset: none); gives the one before.
pub fn set_running(event_loop: Value) -> Value {
    RUNNING.with(|r| r.replace(event_loop))
}

/// The loop that runs now, or RuntimeError.
#[inline]
pub fn get_running_loop() -> Res {
    running().ok_or_else(no_running_loop)
}

#[cold]
fn no_running_loop() -> Raised {
    runtime_error("no running event loop")
        .help("call this from a coroutine that a loop runs, as asyncio.run(main()) does")
}

/// The running loop, or the one that the policy gives.
pub fn get_event_loop() -> Res {
    match running() {
        Some(event_loop) => Ok(event_loop),
        None => policy_loop(),
    }
}

/// Whether [`get_event_loop`] would make a loop: none runs, and the main thread has none yet.
pub fn lacks_loop() -> bool {
    running().is_none() && thread::current().is_main() && thread::current().event_loop.get().is_unset()
}

/// The loop that the policy gives, whether or not one runs.
pub fn policy_loop() -> Res {
    match POLICY.with(ValueCell::get) {
        Value::None => own_loop(),
        policy => call::call_method(&policy, Symbol::new("get_event_loop"), &[]),
    }
}

/// The thread's own loop, whether or not one runs; the main thread makes one when it is first asked.
pub fn own_loop() -> Res {
    let me = thread::current();
    let own = me.event_loop.get();
    if !own.is_unset() && !own.is_none() {
        return Ok(own);
    }
    if me.is_main() && own.is_unset() {
        deprecated("There is no current event loop")?;
        let made = new_event_loop()?;
        me.event_loop.set(made.clone());
        return Ok(made);
    }
    Err(runtime_error(format!(
        "There is no current event loop in thread {}.",
        quoted(&me.name())
    ))
    .help(
        "make one with asyncio.new_event_loop() and asyncio.set_event_loop(loop), or use asyncio.run(main())",
    ))
}

/// The thread's own loop, if it has one.
pub fn kept_loop() -> Option<Value> {
    let own = thread::current().event_loop.get();
    EventLoop::of(&own).is_some().then_some(own)
}

thread_local! {
    /// The script's event loop policy, or None.
    static POLICY: ValueCell = ValueCell::new(Value::None);
}

pub fn set_policy(policy: Value) {
    POLICY.with(|cell| cell.set(policy));
}

/// A new event loop, as the policy makes it.
pub fn new_event_loop() -> Res {
    match POLICY.with(ValueCell::get) {
        Value::None => Ok(event_loop::new_loop()),
        policy => call::call_method(&policy, Symbol::new("new_event_loop"), &[]),
    }
}

fn quoted(name: &str) -> String {
    crate::interp::text::repr(&Value::str(name)).unwrap_or_else(|raised| {
        let _ = raised.take();
        format!("'{name}'")
    })
}

/// Has the policy set the thread's loop (None: it has none and makes none).
pub fn set_event_loop(event_loop: Value) -> Res<()> {
    match POLICY.with(ValueCell::get) {
        Value::None => set_own_loop(event_loop),
        policy => drop(call::call_method(
            &policy,
            Symbol::new("set_event_loop"),
            &[event_loop],
        )?),
    }
    Ok(())
}

/// Sets the thread's own loop, whatever the policy.
pub fn set_own_loop(event_loop: Value) {
    thread::current().event_loop.set(event_loop);
}

/// The task that the running loop steps now.
pub fn current_task() -> Option<Ref<Future>> {
    EventLoop::of(&running()?)?.current_task()
}
