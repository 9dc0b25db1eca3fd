//! Async generators and their loop: who began, and who is dropped before its end.

use super::current;
use super::event_loop::{self, EventLoop};
use super::instrument::{Event, tell};
use crate::interp::call;
use crate::source::Symbol;
use crate::value::generator::Progress;
use crate::value::*;

/// An async generator is iterated for the first time: the running loop will shut it down.
pub fn begin(generator: &Ref<Generator>) {
    if let Some(event_loop) = current::running() {
        generator.set_finalizer(event_loop);
        roster::enter_generator(generator);
    }
}

/// An async generator is dropped while suspended: its loop closes it in a task.
pub fn abandoned(generator: Ref<Generator>) {
    // Only once: who ignores GeneratorExit is dropped the second time.
    let event_loop = generator.finalizer();
    generator.set_finalizer(Value::None);
    roster::leave_generator(&generator);
    if EventLoop::of(&event_loop).is_none_or(EventLoop::is_closed) {
        generator.progress.set(Progress::Closed);
        return;
    }
    let this: Value = generator.clone().into();
    tell(|| Event::GeneratorAbandoned(&generator));
    let begun = call::call_method(&this, Symbol::new("aclose"), &[]).and_then(|close| {
        let create = event_loop.clone();
        let create = Native::closure("create_task", "(coroutine)", move |args| {
            let closing = super::task::ensure_future(&args[0], Some(&create))?;
            Ok(closing.into())
        });
        event_loop::call_soon(&event_loop, &create, &close, None)
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
