//! Cancellation that does not arrive.

use super::method_call;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Program, Unit, each_expr, each_stmt, suspends};

const SWALLOWED: &str = "this also catches the task's cancellation and does not let it out: add `raise`";

/// An `except` that catches the cancellation of its own coroutine and goes on.
pub fn swallowed(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (stmt, at) in &program.stmts {
        let unit = program.unit(*at);
        if !unit.function().is_some_and(|function| function.is_async) || cancels(unit) {
            continue;
        }
        let is_own = |body: &[Stmt]| suspends(body) && !waits_for_task(program, body, *at);
        match &stmt.kind {
            StmtKind::Try { body, handlers, .. } if is_own(body) => {
                let catches = |handler: &&Handler| match &handler.kind {
                    Some(kind) => is_cancellation(program, kind, *at),
                    None => true,
                };
                // Those behind the first one that catches it do not get it.
                let first = handlers.iter().find(catches);
                // Who names the cancellation may end the work by it; who catches all may not know.
                let lets_go = |handler: &&Handler| match &handler.kind {
                    Some(kind) if !is_base(program, kind, *at) => leaves(&handler.body),
                    _ => raises(&handler.body),
                };
                if let Some(handler) = first.filter(|handler| !lets_go(handler)) {
                    tell(head(handler), SWALLOWED.into());
                }
            }
            StmtKind::With { items, body, .. } if is_own(body) => {
                for item in items {
                    if let ExprKind::Call { func, args } = &item.context.plain().kind
                        && program.path(func, *at).as_deref() == Some("contextlib.suppress")
                        && args.iter().any(|arg| is_cancellation(program, arg.value(), *at))
                    {
                        tell(item.context.span, SWALLOWED.into());
                    }
                }
            }
            _ => {}
        }
    }
}

/// `except kind`
fn head(handler: &Handler) -> Span {
    let start = handler.span.start as usize;
    let end = match &handler.kind {
        Some(kind) => kind.span.end as usize,
        None => start + "except".len(),
    };
    Span::new(start, end)
}

/// Whether `except kind` catches a cancellation.
fn is_cancellation(program: &Program, kind: &Expr, at: At) -> bool {
    match &kind.plain().kind {
        ExprKind::Tuple(kinds) => kinds.iter().any(|kind| is_cancellation(program, kind, at)),
        _ => {
            matches!(
                program.path(kind, at).as_deref(),
                Some("asyncio.CancelledError" | "asyncio.exceptions.CancelledError")
            ) || is_base(program, kind, at)
        }
    }
}

/// Whether a kind of exception is all there are.
fn is_base(program: &Program, kind: &Expr, at: At) -> bool {
    program.path(kind, at).as_deref() == Some("builtins.BaseException")
}

/// Whether the unit cancels something itself: then what it catches is meant.
fn cancels(unit: &Unit) -> bool {
    let mut found = false;
    each_expr(unit.body, &mut |expr| {
        found |= matches!(
            method_call(expr),
            Some((_, "cancel" | "uncancel" | "cancelling" | "athrow" | "throw", _))
        );
    });
    found
}

/// Whether what is awaited is a task or future, whose own cancellation may be meant.
fn waits_for_task(program: &Program, body: &[Stmt], at: At) -> bool {
    let mut found = false;
    each_expr(body, &mut |expr| {
        if let ExprKind::Await(value) = &expr.kind {
            found |= is_of_others(program, value, at);
        }
    });
    found
}

/// Whether what is awaited may be cancelled by others: a task or future, or what may be one, also within
/// `wait_for(…)` and its like.
fn is_of_others(program: &Program, value: &Expr, at: At) -> bool {
    let ExprKind::Call { args, .. } = &value.plain().kind else {
        return true;
    };
    let is_around = matches!(
        program.callee(value, at).as_deref(),
        Some("asyncio.wait_for" | "asyncio.shield" | "asyncio.gather")
    );
    matches!(program.kind(value, at), Kind::Task | Kind::Future)
        || (is_around && args.iter().any(|arg| is_of_others(program, arg.value(), at)))
}

/// Whether a body leaves its loop or its function.
fn leaves(body: &[Stmt]) -> bool {
    let is_end = |kind: &StmtKind| matches!(kind, StmtKind::Return(_) | StmtKind::Break);
    raises(body) || any_stmt(body, &is_end)
}

fn raises(body: &[Stmt]) -> bool {
    any_stmt(body, &|kind| matches!(kind, StmtKind::Raise { .. }))
}

fn any_stmt(body: &[Stmt], is_it: &dyn Fn(&StmtKind) -> bool) -> bool {
    let mut found = false;
    each_stmt(body, &mut |stmt| found |= is_it(&stmt.kind));
    found
}

/// `return` in a `finally` of a coroutine.
pub fn return_in_finally(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (stmt, at) in &program.stmts {
        let StmtKind::Try { body, finalbody, .. } = &stmt.kind else {
            continue;
        };
        if program.unit(*at).is_coroutine() && suspends(body) {
            ways_out(finalbody, false, &mut |span, word| {
                tell(
                    span,
                    format!(
                        "`{word}` in `finally` throws away what is on its way: an error, or the task's cancellation"
                    ),
                );
            });
        }
    }
}

fn ways_out(body: &[Stmt], in_loop: bool, found: &mut dyn FnMut(Span, &str)) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Return(_) => found(stmt.span, "return"),
            StmtKind::Break if !in_loop => found(stmt.span, "break"),
            StmtKind::Continue if !in_loop => found(stmt.span, "continue"),
            _ => {
                let is_loop = matches!(stmt.kind, StmtKind::While { .. } | StmtKind::For { .. });
                for block in stmt.blocks() {
                    ways_out(block, in_loop || is_loop, found);
                }
            }
        }
    }
}
