//! Who is told what happens: the seam for trace, timeline and the other tools.
//!
//! Silent by default: then [`tell`] is one branch that is never taken.

use crate::value::*;
use std::cell::{Cell, RefCell};

/// Something that happened in the runtime.
pub enum Event<'a> {
    TaskCreated(&'a Ref<Future>),
    /// A task's step begins.
    TaskStep(&'a Ref<Future>),
    /// The step is over and the task waits for a future.
    Waits {
        task: &'a Ref<Future>,
        on: &'a Ref<Future>,
    },
    /// The step is over and the task gave way for one pass.
    GaveWay(&'a Ref<Future>),
    /// A task goes on because a future is done.
    WokenBy {
        task: &'a Ref<Future>,
        by: &'a Ref<Future>,
    },
    TaskDone(&'a Ref<Future>),
    FutureSettled(&'a Ref<Future>),
    /// `cancel()` was called.
    Cancelled(&'a Ref<Future>),
    TimerSet {
        when: f64,
    },
    TimerFired {
        when: f64,
    },
    CallSoon(&'a Value),
    ThreadStarted {
        thread: u64,
        name: &'a str,
    },
    ThreadBlocked {
        thread: u64,
    },
    ThreadResumed {
        thread: u64,
    },
    ThreadEnded {
        thread: u64,
    },
    ClockJump {
        from: f64,
        to: f64,
    },
}

/// A tool that listens.
pub trait Instrument {
    fn notice(&mut self, event: &Event);
}

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    static LISTENER: RefCell<Option<Box<dyn Instrument>>> = const { RefCell::new(None) };
}

/// Sets the listener; gives the one before.
pub fn set(listener: Option<Box<dyn Instrument>>) -> Option<Box<dyn Instrument>> {
    ON.set(listener.is_some());
    LISTENER.with_borrow_mut(|l| std::mem::replace(l, listener))
}

/// Tells the listener, if there is one.
#[inline(always)]
pub fn tell<'a>(event: impl FnOnce() -> Event<'a>) {
    if ON.get() {
        tell_listener(&event());
    }
}

#[cold]
fn tell_listener(event: &Event) {
    // Taken out while it listens, so that what it does in turn is not told.
    let Some(mut listener) = LISTENER.with_borrow_mut(Option::take) else {
        return;
    };
    listener.notice(event);
    LISTENER.with_borrow_mut(|l| *l = Some(listener));
}
