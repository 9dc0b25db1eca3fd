//! Async generators and their loop: who began, and who is dropped before its end.

use super::current;
use super::event_loop::{self, EventLoop};
use super::instrument::{Event, tell};
use crate::interp::report::{self, unraisable};
use crate::interp::types::Type;
use crate::interp::{call, text};
use crate::source::Symbol;
use crate::value::generator::Progress;
use crate::value::*;
use std::cell::RefCell;

/// What a script has set with `sys.set_asyncgen_hooks`: called with an async generator that takes
/// its first step, and with one that is dropped before its end. None for nothing.
#[derive(Clone, Default)]
pub struct ScriptHooks {
    pub first: Value,
    pub last: Value,
}

thread_local! {
    /// Those set while no loop ran, and those set in the loop that runs, which end with its run.
    static OUTSIDE: RefCell<Option<ScriptHooks>> = const { RefCell::new(None) };
    static INSIDE: RefCell<Option<ScriptHooks>> = const { RefCell::new(None) };
}

/// The hooks of a script that are in force; none if the running loop's own are, or there are none.
pub fn script_hooks() -> Option<ScriptHooks> {
    match current::running() {
        Some(_) => INSIDE.with_borrow(Clone::clone),
        None => OUTSIDE.with_borrow(Clone::clone),
    }
}

pub fn set_script_hooks(hooks: ScriptHooks) {
    let place = match current::running() {
        Some(_) => &INSIDE,
        None => &OUTSIDE,
    };
    drop(place.replace(Some(hooks)));
}

/// A loop stops running.
pub fn loop_stops() {
    drop(INSIDE.take());
}

/// An async generator is iterated for the first time: the running loop will shut it down.
pub fn begin(generator: &Ref<Generator>) -> Res<()> {
    if let Some(ScriptHooks { first, last }) = script_hooks() {
        if !last.is_none() {
            generator.set_finalizer(last);
        }
        if !first.is_none() {
            call::call(&first, &[generator.clone().into()])?;
        }
    } else if let Some(event_loop) = current::running() {
        if EventLoop::of(&event_loop).is_some_and(|l| l.asyncgens_shut_down.get()) {
            warn_late(generator)?;
        }
        belongs_to(generator, event_loop);
    }
    Ok(())
}

/// An async generator begins when its loop has ended all that it had.
#[cold]
fn warn_late(generator: &Ref<Generator>) -> Res<()> {
    let shown = text::repr(&generator.clone().into())?;
    let message =
        format!("asynchronous generator {shown} was scheduled after loop.shutdown_asyncgens() call");
    report::warn(Type::ResourceWarning, &message)
}

/// A loop will shut an async generator down.
pub fn belongs_to(generator: &Ref<Generator>, event_loop: Value) {
    generator.set_finalizer(event_loop);
    roster::enter_generator(generator);
}

/// An async generator is dropped before its end: its loop closes it in a task, or the script's
/// hook is called.
pub fn abandoned(generator: Ref<Generator>) {
    // Only once: who ignores GeneratorExit is dropped the second time.
    let finalizer = generator.finalizer();
    generator.set_finalizer(Value::None);
    let this: Value = generator.clone().into();
    if EventLoop::of(&finalizer).is_some() {
        return close_in(&finalizer, &generator);
    }
    if finalizer.is_none() {
        generator.progress.set(Progress::Closed);
    } else if let Err(raised) = call::call(&finalizer, std::slice::from_ref(&this)) {
        unraisable(raised, &finalizer);
    }
}

/// A loop closes an async generator that nobody has any more, in a task.
pub fn close_in(event_loop: &Value, generator: &Ref<Generator>) {
    roster::leave_generator(generator);
    if EventLoop::of(event_loop).is_none_or(EventLoop::is_closed) {
        generator.progress.set(Progress::Closed);
        return;
    }
    let this: Value = generator.clone().into();
    tell(|| Event::GeneratorAbandoned(generator));
    let begun = call::call_method(&this, Symbol::new("aclose"), &[]).and_then(|close| {
        let create = event_loop.clone();
        let create = Native::closure("create_task", "(coroutine)", move |args| {
            let closing = super::task::ensure_future(&args[0], Some(&create))?;
            Ok(closing.into())
        });
        event_loop::call_soon(event_loop, &create, &close, None)
    });
    super::future::forget(begun.map(drop));
}

/// The async generators that `loop.shutdown_asyncgens()` closes.
pub fn of_loop(event_loop: &Value) -> Vec<Ref<Generator>> {
    let mut all = roster::generators();
    all.retain(|g| g.finalizer().is(event_loop));
    all.iter().for_each(|g| roster::leave_generator(g));
    all
}
