//! What stops the whole loop, and with it every other task.

use super::{calls, keyword, method_call, order, positional};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Program, each_expr_in};

/// `time.sleep(1)` and its like in a coroutine.
pub fn call(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    join(program, tell);
    for (call, _, args, at) in calls(program) {
        if program
            .unit(at)
            .function()
            .is_none_or(|function| !function.is_async)
        {
            continue;
        }
        let Some(path) = program.callee(call, at) else {
            continue;
        };
        if is_bounded(args) {
            continue;
        }
        let instead = match &path[..] {
            "time.sleep" => "`await asyncio.sleep(…)`",
            "subprocess.run"
            | "subprocess.call"
            | "subprocess.check_call"
            | "subprocess.check_output"
            | "os.system" => "`await asyncio.create_subprocess_exec(…)`",
            "threading.Event.wait" | "threading.Barrier.wait" => "`await asyncio.to_thread(…)`",
            // One that has a name may be done by now.
            "concurrent.futures.Future.result" if is_made_here(call) => "`await asyncio.wrap_future(…)`",
            "queue.Queue.get"
            | "queue.Queue.join"
            | "queue.LifoQueue.get"
            | "queue.PriorityQueue.get"
            | "queue.SimpleQueue.get" => "an `asyncio.Queue`",
            _ => continue,
        };
        tell(
            call.span,
            format!("'{path}' blocks: no other task can run meanwhile; use {instead}"),
        );
    }
}

/// Whether a call says that it waits for no time: `sleep(0)`, `get(block=False)`, `wait(timeout=0)`.
fn is_bounded(args: &[Arg]) -> bool {
    let given = ["block", "blocking", "timeout"].map(|name| keyword(args, name));
    let mut given = given.into_iter().chain([positional(args, 0)]).flatten();
    given.any(|expr| {
        matches!(
            expr.plain().kind,
            ExprKind::Constant(Constant::False | Constant::Int(0))
        )
    })
}

/// `thread.start()`, then `thread.join()`, in a coroutine that does not await between them.
fn join(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    order::after(
        program,
        &|stmt, at| {
            let StmtKind::Expr(call) = &stmt.kind else {
                return None;
            };
            let is_async = program
                .unit(at)
                .function()
                .is_some_and(|function| function.is_async);
            match method_call(call) {
                Some((thread, "start", [])) if is_async => {
                    matches!(program.kind(thread, at), Kind::Object("threading.Thread")).then_some(thread)
                }
                _ => None,
            }
        },
        &mut |thread, expr, at| {
            if let Some((joined, "join", args)) = method_call(expr)
                && !is_bounded(args)
                && program.is_same((thread, at), (joined, at))
            {
                tell(
                    expr.span,
                    "'join' blocks until the thread ends: no other task can run meanwhile; use `await asyncio.to_thread(…)`"
                        .into(),
                );
            }
        },
        order::Until::Suspension,
    );
}

/// Whether a method is called on what another call just gave.
fn is_made_here(call: &Expr) -> bool {
    method_call(call).is_some_and(|(object, ..)| matches!(object.plain().kind, ExprKind::Call { .. }))
}

/// `input()` in a coroutine.
pub fn input(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (call, func, _, at) in calls(program) {
        if program.unit(at).is_coroutine() && program.path(func, at).as_deref() == Some("builtins.input") {
            tell(
                call.span,
                "no other task runs while this waits for a line; use `await asyncio.to_thread(input)`".into(),
            );
        }
    }
}

/// `while not done: pass` in a coroutine.
pub fn busy(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (stmt, at) in &program.stmts {
        let StmtKind::While { test, body, .. } = &stmt.kind else {
            continue;
        };
        let does_nothing = body.iter().all(|stmt| match &stmt.kind {
            StmtKind::Pass | StmtKind::Continue => true,
            StmtKind::Expr(value) => matches!(value.plain().kind, ExprKind::Constant(_)),
            _ => false,
        });
        if does_nothing && program.unit(*at).is_coroutine() && only_looks(program, test, *at) {
            tell(
                test.span,
                "this loop never gives way, so nothing can change what it waits for".into(),
            );
        }
    }
}

fn tells_time(program: &Program, call: &Expr, at: At) -> bool {
    let path = program.callee(call, at);
    matches!(
        path.as_deref(),
        Some("time.monotonic" | "time.time" | "time.perf_counter" | "asyncio.loop.time")
    )
}

/// Whether evaluating a condition certainly changes nothing.
fn only_looks(program: &Program, test: &Expr, at: At) -> bool {
    let mut only_looks = true;
    each_expr_in(test, &mut |expr| {
        only_looks &= match &expr.kind {
            ExprKind::Call { .. } if tells_time(program, expr, at) => true,
            ExprKind::Call { .. } => match method_call(expr) {
                Some((
                    object,
                    "is_set" | "done" | "empty" | "full" | "locked" | "cancelled" | "qsize",
                    [],
                )) => !matches!(program.kind(object, at), Kind::Instance(_)),
                _ => false,
            },
            ExprKind::Await(_) | ExprKind::Walrus { .. } | ExprKind::Yield(_) | ExprKind::YieldFrom(_) => {
                false
            }
            _ => true,
        };
    });
    only_looks
}
