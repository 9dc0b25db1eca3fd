//! Shared state that changes during an `await`.

use super::{calls, method_call};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{
    At, Meaning, Program, Unit, each_expr, each_expr_in, expr_suspends, suspends,
};
use std::collections::HashSet;

/// A shared value is read, something is awaited, and what was read decides what is written.
pub fn lost(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let repeated = repeated(program);
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
            if is_repeated(&repeated, program.unit(at))
                && let Some((target, span)) = after_a_check(program, &block[i..], at)
            {
                tell(
                    span,
                    format!(
                        "'{}' was checked before the `await`: others may have changed it meanwhile",
                        program.text(target)
                    ),
                );
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

/// `if n > 0:`, `await f()`, `n -= 1`; also `if n == 0: return` and then the same.
fn after_a_check<'s>(program: &Program, stmts: &'s [Stmt], at: At) -> Option<(&'s Expr, Span)> {
    let [first, rest @ ..] = stmts else { return None };
    let StmtKind::If { test, body, orelse } = &first.kind else {
        return None;
    };
    let is_checked = |place: &Expr| is_shared(program, place, at) && mentions(program, test, place, at);
    let goes_on_if_not = orelse.is_empty() && leaves(body);
    let otherwise = if goes_on_if_not { rest } else { orelse };
    late_change(body, is_checked).or_else(|| late_change(otherwise, is_checked))
}

/// Where a place that was looked at is changed after an `await`, and not looked at again before.
fn late_change(stmts: &[Stmt], is_checked: impl Fn(&Expr) -> bool) -> Option<(&Expr, Span)> {
    let mut awaited = false;
    for stmt in stmts {
        if let StmtKind::AugAssign { target, .. } = &stmt.kind
            && is_checked(target)
        {
            return awaited.then_some((target, stmt.span));
        }
        let mut again = false;
        each_expr(std::slice::from_ref(stmt), &mut |expr| again |= is_checked(expr));
        if again {
            return None;
        }
        awaited |= suspends(std::slice::from_ref(stmt));
    }
    None
}

/// Whether a body ends by leaving the function or the loop around it.
fn leaves(body: &[Stmt]) -> bool {
    body.last().is_some_and(|stmt| {
        matches!(
            stmt.kind,
            StmtKind::Return(_) | StmtKind::Raise { .. } | StmtKind::Break | StmtKind::Continue
        )
    })
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

/// The functions of which several coroutines may be at work at once, by address: they are called in
/// several places, or in a loop, and not awaited there; and those that such functions call.
fn repeated(program: &Program) -> HashSet<*const Function> {
    let mut awaited = HashSet::new();
    let mut looped = HashSet::new();
    for (expr, _) in &program.exprs {
        if let ExprKind::Await(value) = &expr.kind {
            awaited.insert(std::ptr::from_ref(value.plain()));
        }
        if let ExprKind::Comprehension(comprehension) = &expr.kind {
            comprehension.each_inner(&mut |part| {
                each_expr_in(part, &mut |inner| {
                    looped.insert(std::ptr::from_ref(inner));
                })
            });
        }
    }
    for (stmt, _) in &program.stmts {
        if let StmtKind::For { body, .. } | StmtKind::While { body, .. } = &stmt.kind {
            each_expr(body, &mut |inner| {
                looped.insert(std::ptr::from_ref(inner));
            });
        }
    }
    let calls: Vec<_> = calls(program)
        .filter_map(|(call, func, _, at)| match program.meaning(func, at) {
            Meaning::Function(callee) if callee.is_async => Some((call, std::ptr::from_ref(callee), at)),
            _ => None,
        })
        .collect();
    let (mut once, mut found) = (HashSet::new(), HashSet::new());
    for (call, callee, _) in &calls {
        let call = std::ptr::from_ref(*call);
        if !awaited.contains(&call) && (looped.contains(&call) || !once.insert(*callee)) {
            found.insert(*callee);
        }
    }
    loop {
        let before = found.len();
        for (_, callee, at) in &calls {
            if is_repeated(&found, program.unit(*at)) {
                found.insert(*callee);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

fn is_repeated(repeated: &HashSet<*const Function>, unit: &Unit) -> bool {
    unit.function()
        .is_some_and(|function| repeated.contains(&std::ptr::from_ref(function)))
}
