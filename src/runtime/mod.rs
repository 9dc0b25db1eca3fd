//! What runs tasks, threads and timers: the event loop and everything below it.
//!
//! Always true: script code runs on one OS thread; no borrow of the runtime's cells is held while
//! script code can run or a value is dropped.

pub mod alarm;
pub mod asyncgen;
pub mod clock;
pub mod console;
pub mod current;
pub mod derived;
pub mod event_loop;
pub mod future;
pub mod gather;
pub mod handle;
pub mod inbox;
pub mod input;
pub mod instrument;
pub mod like_future;
pub mod ready;
pub mod report;
pub mod runner;
pub mod signal;
pub mod task;
pub mod thread;
pub mod timer;
pub mod watch;

use crate::interp::{async_iter, import, stack};
use crate::value::future::MOURN;
use crate::value::*;
use std::cell::Cell;

/// The status of a program in which nothing can ever run again.
pub const DEADLOCK_STATUS: i32 = 13;

/// What becomes of a process in which nothing can ever run again, once that is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterDeadlock {
    Exit,
    /// Somebody, the prompt, has seen to it that there is something to wait for.
    GoOn,
}

/// How grave it is what asyncio logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    Debug = 10,
    Warning = 30,
    Error = 40,
}

/// Which function of asyncio logs something: it stands in the record.
#[derive(Clone, Copy, Debug)]
pub struct Speaker {
    pub level: Level,
    pub file: &'static str,
    pub function: &'static str,
}

impl Speaker {
    pub const NEW_LOOP: Speaker = Speaker::new(Level::Debug, "selector_events.py", "__init__");
    pub const CLOSE: Speaker = Speaker::new(Level::Debug, "base_events.py", "close");
    pub const PASS: Speaker = Speaker::new(Level::Warning, "base_events.py", "_run_once");
    pub const HANDLER: Speaker = Speaker::new(Level::Error, "base_events.py", "call_exception_handler");
    pub const DEFAULT_HANDLER: Speaker =
        Speaker::new(Level::Error, "base_events.py", "default_exception_handler");

    const fn new(level: Level, file: &'static str, function: &'static str) -> Speaker {
        Speaker {
            level,
            file,
            function,
        }
    }
}

/// What the session does for the runtime.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// An exception with its traceback and its causes, as stderr shows it; ends with a newline.
    pub traceback: fn(&Ref<Exception>) -> String,
    /// What a person can do about an exception that did not end the program, in whole lines.
    pub help: fn(&Ref<Exception>) -> String,
    /// What the logger `asyncio` is given, with an exception or without.
    pub log: fn(Speaker, &str, Option<&Ref<Exception>>),
    /// Tells who waits for what when nothing can ever run again.
    pub deadlock: fn() -> AfterDeadlock,
    /// `sys.excepthook` for a thread's uncaught exception.
    pub thread_exception: fn(&Ref<Exception>, &Value),
}

thread_local! {
    static HOOKS: Cell<Hooks> = const {
        Cell::new(Hooks {
            traceback: report::plain_exception,
            help: |_| String::new(),
            log: report::log,
            deadlock: report::deadlock,
            thread_exception: report::thread_exception,
        })
    };
}

/// Sets what the session does.
pub fn set_hooks(hooks: Hooks) {
    HOOKS.set(hooks);
}

pub fn hooks() -> Hooks {
    HOOKS.get()
}

/// Makes the runtime of this OS thread ready: what dying futures and dropped async generators do,
/// and what happens every so many calls.
pub fn start() {
    MOURN.set(Some(report::mourn));
    async_iter::set_hooks(async_iter::Hooks {
        first: asyncgen::begin,
        abandoned: asyncgen::abandoned,
    });
    stack::on_tick(thread::preempt);
    import::set_threads(thread::FOR_IMPORTS);
}

/// Ends the process. What is left of a script's objects is not taken apart: no finaliser runs.
pub fn exit(status: i32) -> ! {
    console::flush();
    leave(status)
}

/// The same without a last flush.
fn leave(status: i32) -> ! {
    // The standard library's way would run this thread's destructors, and in them the scripts'
    // finalisers.
    signal_hook::low_level::exit(status)
}
