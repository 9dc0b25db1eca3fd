//! What stops the whole loop, and with it every other task.

use super::{calls, keyword, method_call, order, positional};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Program, UnitKind, Where, each_expr_in};

/// `time.sleep(1)` and its like in a coroutine.
pub fn call(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    join(program, tell);
    for (call, _, args, at) in calls(program) {
        if !stops_others(program, at) {
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

/// Whether a body runs in a loop, and in a function: while the top of a module runs there may be nothing else.
fn stops_others(program: &Program, at: At) -> bool {
    let is_module = matches!(program.unit(at).kind, UnitKind::Module { .. });
    !is_module && program.runs(at).is_some_and(Where::is_in_loop)
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

/// `thread.start()`, then `thread.join()`, in a coroutine that does not await between them; also
/// `future = executor.submit(…)`, then `future.result()`.
fn join(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    order::after(
        program,
        &|stmt, at| match &stmt.kind {
            StmtKind::Expr(call) => match method_call(call) {
                Some((thread, "start", [])) => {
                    matches!(program.kind(thread, at), Kind::Object("threading.Thread")).then_some(thread)
                }
                _ => None,
            },
            StmtKind::Assign { targets, value } => match &targets[..] {
                [future] if matches!(value.plain().kind, ExprKind::Call { .. }) => {
                    let kind = program.kind(value, at);
                    matches!(kind, Kind::Object("concurrent.futures.Future")).then_some(future)
                }
                _ => None,
            },
            _ => None,
        },
        &mut |begun, expr, at| {
            if let Some((waited, method @ ("join" | "result"), args)) = method_call(expr)
                && program.is_same((begun, at), (waited, at))
                && !is_bounded(args)
                && stops_others(program, at)
            {
                let (until, instead) = match method {
                    "join" => ("the thread ends", "`await asyncio.to_thread(…)`"),
                    _ => ("there is a result", "`await asyncio.wrap_future(…)`"),
                };
                tell(
                    expr.span,
                    format!(
                        "'{method}' blocks until {until}: no other task can run meanwhile; use {instead}"
                    ),
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
        if program.path(func, at).as_deref() == Some("builtins.input")
            && program.runs(at).is_some_and(Where::is_in_loop)
        {
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
                )) => !program.kind(object, at).is_instance(),
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
