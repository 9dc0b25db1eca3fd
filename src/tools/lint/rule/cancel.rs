//! Cancellation that does not arrive.

use super::method_call;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Program, Unit, UnitKind, each_expr, each_stmt, suspends};

/// An `except` that catches the cancellation of its own coroutine and goes on.
pub fn swallowed(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (block, at) in &program.blocks {
        for stmt in *block {
            let StmtKind::Try { body, handlers, .. } = &stmt.kind else {
                continue;
            };
            let unit = program.unit(*at);
            if !matches!(unit.kind, UnitKind::Function(function) if function.is_async)
                || !suspends(body)
                || cancels(unit)
                || waits_for_task(program, body, *at)
            {
                continue;
            }
            for handler in handlers {
                let Some(how) = catches_cancellation(program, handler, *at) else {
                    continue;
                };
                let goes_on = match how {
                    How::ByName => stands_in_loop(unit.body, stmt) && !leaves(&handler.body),
                    How::WithAllOthers => !leaves(&handler.body),
                };
                if goes_on {
                    tell(
                        head(handler),
                        "this also catches the cancellation of the task, which then goes on: let it out with `raise`".into(),
                    );
                }
                break;
            }
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

#[derive(Clone, Copy)]
enum How {
    /// `except CancelledError`
    ByName,
    /// `except:`, `except BaseException`
    WithAllOthers,
}

fn catches_cancellation(program: &Program, handler: &Handler, at: At) -> Option<How> {
    let Some(kind) = &handler.kind else {
        return Some(How::WithAllOthers);
    };
    let one = |expr: &Expr| match program.path(expr, at).as_deref() {
        Some("asyncio.CancelledError" | "asyncio.exceptions.CancelledError") => Some(How::ByName),
        Some("builtins.BaseException") => Some(How::WithAllOthers),
        _ => None,
    };
    match &kind.plain().kind {
        ExprKind::Tuple(kinds) => kinds.iter().find_map(one),
        _ => one(kind),
    }
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
            found |= matches!(program.kind(value, at), Kind::Task | Kind::Future)
                || !matches!(value.plain().kind, ExprKind::Call { .. });
        }
    });
    found
}

/// Whether a body leaves its loop or its function.
fn leaves(body: &[Stmt]) -> bool {
    let mut found = false;
    each_stmt(body, &mut |stmt| {
        found |= matches!(
            stmt.kind,
            StmtKind::Raise { .. } | StmtKind::Return(_) | StmtKind::Break
        );
    });
    found
}

fn stands_in_loop(body: &[Stmt], wanted: &Stmt) -> bool {
    let mut found = false;
    each_stmt(body, &mut |stmt| {
        if let StmtKind::While { body, .. } | StmtKind::For { body, .. } = &stmt.kind {
            each_stmt(body, &mut |inner| found |= std::ptr::eq(inner, wanted));
        }
    });
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
