//! What tasks share: state that changes during an `await`, locks, queues.

use super::{calls, method_call};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{
    At, Kind, Meaning, Program, each_expr, each_expr_in, each_stmt, expr_suspends, suspends,
};

/// A shared value is read, something is awaited, and what was read decides what is written.
pub fn lost_update(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for &(block, at) in &program.blocks {
        if !program
            .unit(at)
            .function()
            .is_some_and(|function| function.is_async)
            || is_locked(program, block, at)
        {
            continue;
        }
        for (i, stmt) in block.iter().enumerate() {
            if let Some((target, span)) = in_one_statement(program, stmt, at) {
                tell(span, message(program, target));
            }
            if let Some((target, span)) = in_several(program, &block[i..], at) {
                tell(span, message(program, target));
            }
        }
    }
}

fn message(program: &Program, target: &Expr) -> String {
    format!(
        "'{}' was read before the `await`: what others wrote meanwhile is overwritten",
        program.text(target)
    )
}

/// Whether other tasks can see a place.
fn is_shared(program: &Program, target: &Expr, at: At) -> bool {
    match &target.plain().kind {
        ExprKind::Name(name) => !program.is_local(*name, at),
        ExprKind::Attribute { value, .. } => match &value.plain().kind {
            ExprKind::Name(name) => name.text() == "self" || !program.is_local(*name, at),
            _ => is_shared(program, value, at),
        },
        ExprKind::Subscript { value, .. } => is_shared(program, value, at),
        _ => false,
    }
}

/// `n += await f()`, `n = n + await f()`
fn in_one_statement<'s>(program: &Program, stmt: &'s Stmt, at: At) -> Option<(&'s Expr, Span)> {
    match &stmt.kind {
        StmtKind::AugAssign { target, value, .. } => {
            (expr_suspends(value) && is_shared(program, target, at)).then_some((target, stmt.span))
        }
        StmtKind::Assign { targets, value } => match &targets[..] {
            [target] if is_shared(program, target, at) => {
                (reads_before_await(program, value, target, at)).then_some((target, stmt.span))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression reads a place and then awaits, as `n + await f()` does.
fn reads_before_await(program: &Program, value: &Expr, target: &Expr, at: At) -> bool {
    match &value.plain().kind {
        ExprKind::Binary { left, right, .. } => {
            (mentions(program, left, target, at) && !expr_suspends(left) && expr_suspends(right))
                || reads_before_await(program, left, target, at)
                || reads_before_await(program, right, target, at)
        }
        _ => false,
    }
}

fn mentions(program: &Program, value: &Expr, target: &Expr, at: At) -> bool {
    let mut found = false;
    each_expr_in(value, &mut |expr| {
        found |= program.is_same((expr, at), (target, at))
    });
    found
}

/// `x = n`, `await f()`, `n = x + 1`
fn in_several<'s>(program: &Program, stmts: &'s [Stmt], at: At) -> Option<(&'s Expr, Span)> {
    let [first, rest @ ..] = stmts else { return None };
    let StmtKind::Assign {
        targets,
        value: shared,
    } = &first.kind
    else {
        return None;
    };
    let [copy] = &targets[..] else { return None };
    let ExprKind::Name(name) = copy.plain().kind else {
        return None;
    };
    let shared = match &shared.plain().kind {
        ExprKind::Binary { left, right, .. } if matches!(right.plain().kind, ExprKind::Constant(_)) => left,
        _ => shared,
    };
    let is_place = matches!(
        shared.plain().kind,
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. }
    );
    if !is_place || !program.is_local(name, at) || !is_shared(program, shared, at) {
        return None;
    }
    let mut awaited = false;
    for stmt in rest {
        if let StmtKind::Assign { targets, value } = &stmt.kind
            && let [target] = &targets[..]
        {
            if program.is_same((target, at), (shared, at)) {
                let is_stale = (awaited || expr_suspends(value))
                    && mentions(program, value, copy, at)
                    && !mentions(program, value, shared, at);
                return is_stale.then_some((target, stmt.span));
            }
            if program.is_same((target, at), (copy, at)) {
                return None;
            }
        }
        // What is looked at again may have been checked.
        let mut again = false;
        each_expr(std::slice::from_ref(stmt), &mut |expr| {
            again |= program.is_same((expr, at), (shared, at));
        });
        if again && awaited {
            return None;
        }
        awaited |= suspends(std::slice::from_ref(stmt));
    }
    None
}

/// Whether a lock is held where a block stands: some `async with` is around it, or something is
/// acquired in the function.
fn is_locked(program: &Program, block: &[Stmt], at: At) -> bool {
    let body = program.unit(at).body;
    let mut acquires = false;
    each_expr(body, &mut |expr| {
        acquires |= matches!(method_call(expr), Some((_, "acquire", _)))
    });
    acquires || is_inside_async_with(body, block, false)
}

fn is_inside_async_with(body: &[Stmt], wanted: &[Stmt], inside: bool) -> bool {
    if std::ptr::eq(body, wanted) {
        return inside;
    }
    body.iter().any(|stmt| {
        let inside = inside || matches!(stmt.kind, StmtKind::With { is_async: true, .. });
        stmt.blocks()
            .into_iter()
            .any(|block| is_inside_async_with(block, wanted, inside))
    })
}

/// `await lock.acquire()` in a program that never releases anything.
pub fn never_released(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    if program.mentioned.contains("release") {
        return;
    }
    for (call, _, _, at) in calls(program) {
        if let Some("asyncio.Lock.acquire" | "asyncio.Condition.acquire") =
            program.callee(call, at).as_deref()
        {
            tell(
                call.span,
                "nothing in this program releases the lock: use `async with`".into(),
            );
        }
    }
}

/// `await queue.join()` in a program that never calls `task_done`.
pub fn never_done(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    if program.mentioned.contains("task_done") {
        return;
    }
    for (expr, at) in &program.exprs {
        if let ExprKind::Await(value) = &expr.kind
            && let Some("asyncio.Queue.join" | "asyncio.LifoQueue.join" | "asyncio.PriorityQueue.join") =
                program.callee(value, *at).as_deref()
            && program
                .mentioned
                .iter()
                .any(|name| matches!(*name, "put" | "put_nowait"))
        {
            tell(
                expr.span,
                "nothing in this program calls `task_done`, so `join` waits for ever".into(),
            );
        }
    }
}

/// `async with lock:` inside `async with lock:`
pub fn taken_twice(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (stmt, at) in &program.stmts {
        let StmtKind::With {
            is_async: true,
            items,
            body,
        } = &stmt.kind
        else {
            continue;
        };
        for lock in items.iter().map(|item| &item.context) {
            if matches!(
                program.kind(lock, *at),
                Kind::Object("asyncio.Lock" | "asyncio.Condition")
            ) {
                takes_again(program, body, (lock, *at), tell);
            }
        }
    }
}

/// Finds where a body takes a lock, itself or in a function that it awaits.
fn takes_again(program: &Program, body: &[Stmt], lock: (&Expr, At), tell: &mut dyn FnMut(Span, String)) {
    let message = || "this task holds the lock already, so it waits for itself for ever".to_string();
    each_stmt(body, &mut |stmt| {
        if let StmtKind::With {
            is_async: true,
            items,
            ..
        } = &stmt.kind
        {
            for item in items {
                if program.is_same((&item.context, lock.1), lock) {
                    tell(item.context.span, message());
                }
            }
        }
    });
    each_expr(body, &mut |expr| {
        let ExprKind::Await(value) = &expr.kind else {
            return;
        };
        if let Some((taken, "acquire", _)) = method_call(value)
            && program.is_same((taken, lock.1), lock)
        {
            tell(expr.span, message());
        }
        if let ExprKind::Call { func, .. } = &value.plain().kind
            && let Meaning::Function(function) = program.meaning(func, lock.1)
            && takes(program, function, lock, is_on_same(program, func, lock))
        {
            tell(expr.span, message());
        }
    });
}

/// Whether a method is called on the object that a lock is an attribute of.
fn is_on_same(program: &Program, func: &Expr, lock: (&Expr, At)) -> bool {
    match (&func.plain().kind, &lock.0.plain().kind) {
        (ExprKind::Attribute { value: object, .. }, ExprKind::Attribute { value: owner, .. }) => {
            program.is_same((object, lock.1), (owner, lock.1))
        }
        _ => false,
    }
}

/// Whether a function itself takes a lock: one that it knows by the same name, or, as a method of the
/// same object, that of its `self`.
fn takes(program: &Program, function: &Function, lock: (&Expr, At), is_method: bool) -> bool {
    let text = program.source.slice(lock.0.span);
    let mut found = false;
    each_stmt(&function.body, &mut |stmt| {
        if let StmtKind::With {
            is_async: true,
            items,
            ..
        } = &stmt.kind
            && let Some((_, at)) = program.stmts.iter().find(|(other, _)| std::ptr::eq(*other, stmt))
        {
            found |= items.iter().any(|item| {
                program.is_same((&item.context, *at), lock)
                    || (is_method
                        && text.starts_with("self.")
                        && program.source.slice(item.context.span) == text)
            });
        }
    });
    found
}
