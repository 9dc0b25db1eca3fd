//! Threads that touch what belongs to a loop.

use super::{calls, method_call, running};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Program, Where};

/// Methods that have to wake the loop of one object or another.
const WAKE: &[&str] = &[
    "set",
    "put_nowait",
    "get_nowait",
    "task_done",
    "shutdown",
    "release",
    "set_result",
    "set_exception",
    "cancel",
    "create_task",
    "call_soon",
    "call_later",
    "call_at",
    "stop",
];

/// `event.set()` in a function that only threads run.
pub fn foreign_loop(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    // A loop that is run by hand may be one of the thread's own.
    let only_own = ["run_forever", "run_until_complete", "new_event_loop", "Runner"];
    let all_run_elsewhere = !only_own.iter().any(|name| program.mentioned.contains(name));
    for (call, .., at) in calls(program) {
        let Some((object, method, _)) = method_call(call).filter(|(_, method, _)| WAKE.contains(method))
        else {
            continue;
        };
        let Some(safe) = wakes(program.kind(object, at), method, all_run_elsewhere) else {
            continue;
        };
        if program.runs(at).is_some_and(Where::is_in_thread)
            && !is_made_here(program, object, at)
            && !runs_own_loop(program, at)
        {
            let text = program.text(object);
            tell(
                call.span,
                format!(
                    "the loop of '{text}' runs in another thread, which is not woken by this: use {safe}"
                ),
            );
        }
    }
}

/// What to use from another thread instead of a method that has to wake the loop.
fn wakes(object: Kind, method: &str, is_loop_elsewhere: bool) -> Option<&'static str> {
    let is_it = match object {
        Kind::Object("asyncio.Event") => method == "set",
        Kind::Object("asyncio.Queue" | "asyncio.LifoQueue" | "asyncio.PriorityQueue") => {
            matches!(method, "put_nowait" | "get_nowait" | "task_done" | "shutdown")
        }
        Kind::Object("asyncio.Lock" | "asyncio.Semaphore" | "asyncio.BoundedSemaphore") => {
            method == "release"
        }
        Kind::Future => matches!(method, "set_result" | "set_exception" | "cancel"),
        Kind::Task => method == "cancel",
        Kind::Object("asyncio.loop") if is_loop_elsewhere => match method {
            "create_task" => return Some("asyncio.run_coroutine_threadsafe"),
            _ => matches!(method, "call_soon" | "call_later" | "call_at" | "stop"),
        },
        _ => false,
    };
    is_it.then_some("call_soon_threadsafe")
}

/// Whether a name gets its value in the function that uses it.
fn is_made_here(program: &Program, object: &Expr, at: At) -> bool {
    match program.only_value(object, at) {
        Some((_, made)) => made.unit == at.unit,
        None => false,
    }
}

/// Whether the function in which something stands runs a loop.
fn runs_own_loop(program: &Program, at: At) -> bool {
    calls(program)
        .any(|(call, .., other)| other.unit == at.unit && running::runs_loop(program, call, other).is_some())
}
