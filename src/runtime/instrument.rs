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
    /// `loop.call_soon(callback)`, but not from another thread by `call_soon_threadsafe`.
    CallSoon {
        event_loop: &'a Value,
        callback: &'a Value,
    },
    /// `loop.call_at(when, callback)` and `call_later`.
    CallAt {
        event_loop: &'a Value,
        callback: &'a Value,
    },
    ThreadStarted {
        thread: u64,
        name: &'a str,
    },
    ThreadBlocked {
        thread: u64,
        /// What it waits for, in a reader's words.
        doing: &'static str,
    },
    ThreadResumed {
        thread: u64,
    },
    ThreadEnded {
        thread: u64,
        name: &'a str,
    },
    ClockJump {
        from: f64,
        to: f64,
    },
    /// A task has taken an `asyncio.Lock`; tasks are named by the numbers of their futures.
    LockTaken {
        lock: &'a Value,
        task: u32,
    },
    LockReleased {
        lock: &'a Value,
    },
    /// `get_event_loop()` made a loop, because none runs and the thread has none.
    LoopMade,
    /// `loop.run_until_complete()` or `asyncio.run()` is about to give the program the result of this future.
    RunGives(&'a Ref<Future>),
    /// A run ends while this task is pending, and is about to cancel it.
    LeftOver(&'a Ref<Future>),
    /// A future dies with an error that nobody asked for, or a task dies pending, and no handler of
    /// the script's hears of it.
    DiedUnheard(&'a Ref<Future>),
    /// An async generator is dropped while suspended.
    GeneratorAbandoned(&'a Ref<Generator>),
    /// An exception that nobody caught is told on stderr.
    Uncaught(&'a Ref<Exception>),
    /// The program is over, or nothing of it can ever run again.
    Over,
}

/// A tool that listens.
pub trait Instrument {
    fn notice(&mut self, event: &Event);
}

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    static LISTENERS: RefCell<Vec<Box<dyn Instrument>>> = const { RefCell::new(Vec::new()) };
}

/// Adds a listener; those who came first are told first.
pub fn add(listener: Box<dyn Instrument>) {
    LISTENERS.with_borrow_mut(|listeners| listeners.push(listener));
    ON.set(true);
}

/// Tells the listeners, if there are any.
#[inline(always)]
pub fn tell<'a>(event: impl FnOnce() -> Event<'a>) {
    if ON.get() {
        tell_listeners(&event());
    }
}

#[cold]
fn tell_listeners(event: &Event) {
    // Taken out while they listen, so that what they do in turn is not told.
    let mut listeners = LISTENERS.with_borrow_mut(std::mem::take);
    for listener in &mut listeners {
        listener.notice(event);
    }
    LISTENERS.with_borrow_mut(|l| *l = listeners);
}
