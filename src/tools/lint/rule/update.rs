//! Shared state that changes during an `await`.

use super::{calls, method_call};
use crate::source::{Span, Symbol};
use crate::syntax::ast::*;
use crate::tools::lint::program::{
    At, Meaning, Program, Unit, each_expr, each_expr_in, expr_suspends, suspends,
};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::ptr;

/// A shared value is read, something is awaited, and what was read decides what is written.
pub fn lost(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let tasks = Tasks::of(program);
    for &(block, at) in &program.blocks {
        if !program
            .unit(at)
            .function()
            .is_some_and(|function| function.is_async)
            || is_inside_async_with(program.unit(at).body, block, false)
        {
            continue;
        }
        let acquired = first_acquire(program.unit(at));
        let unlocked = |stmt: &Stmt| acquired.is_none_or(|start| stmt.span.start < start);
        for (i, stmt) in block.iter().enumerate().take_while(|(_, stmt)| unlocked(stmt)) {
            if let Some((target, span)) = in_one_statement(program, &tasks, stmt, at) {
                tell(span, message(program, target));
            }
            if let Some((target, span)) = in_several(program, &tasks, &block[i..], at) {
                tell(span, message(program, target));
            }
            if is_repeated(&tasks.repeated, program.unit(at))
                && let Some((target, span)) = after_a_check(program, &tasks, &block[i..], at)
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
fn is_shared(program: &Program, tasks: &Tasks, target: &Expr, at: At) -> bool {
    match &target.plain().kind {
        ExprKind::Name(name) => !program.is_local(*name, at),
        ExprKind::Attribute { value, .. } => {
            program.class_of_self(value, at).is_some()
                || is_given(program, tasks, value, at)
                || is_shared(program, tasks, value, at)
        }
        // An index that is not always the same may be each task's own.
        ExprKind::Subscript { value, index } => {
            let is_fixed = matches!(index.plain().kind, ExprKind::Constant(_));
            (is_fixed && is_given(program, tasks, value, at)) || is_shared(program, tasks, value, at)
        }
        _ => false,
    }
}

/// Whether an object came as a parameter to several tasks.
fn is_given(program: &Program, tasks: &Tasks, object: &Expr, at: At) -> bool {
    match object.plain().kind {
        ExprKind::Name(name) => {
            program.is_local(name, at) && tasks.are_given_the_same(program.unit(at), name)
        }
        _ => false,
    }
}

/// `n += await f()`, `n = n + await f()`
fn in_one_statement<'s>(
    program: &Program,
    tasks: &Tasks,
    stmt: &'s Stmt,
    at: At,
) -> Option<(&'s Expr, Span)> {
    match &stmt.kind {
        StmtKind::AugAssign { target, value, .. } => {
            (expr_suspends(value) && is_shared(program, tasks, target, at)).then_some((target, stmt.span))
        }
        StmtKind::Assign { targets, value } => match &targets[..] {
            [target] if is_shared(program, tasks, target, at) => {
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
fn in_several<'s>(program: &Program, tasks: &Tasks, stmts: &'s [Stmt], at: At) -> Option<(&'s Expr, Span)> {
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
    if !is_place || !program.is_local(name, at) || !is_shared(program, tasks, shared, at) {
        return None;
    }
    let old = Old { copy, shared, at };
    match stale_write(program, rest, &old, &mut false) {
        ControlFlow::Break(found) => found,
        ControlFlow::Continue(()) => None,
    }
}

/// A variable that holds what a shared place once held.
struct Old<'a> {
    copy: &'a Expr,
    shared: &'a Expr,
    at: At,
}

/// Looks for the place being written from its old value after an `await`, in inner bodies too; breaks
/// where that is decided. `awaited`: whether something was awaited since it was read.
fn stale_write<'s>(
    program: &Program,
    stmts: &'s [Stmt],
    old: &Old,
    awaited: &mut bool,
) -> ControlFlow<Option<(&'s Expr, Span)>> {
    let &Old { copy, shared, at } = old;
    for stmt in stmts {
        let inner = match &stmt.kind {
            StmtKind::Assign { targets, value } => {
                if let [target] = &targets[..] {
                    if program.is_same((target, at), (shared, at)) {
                        let is_stale = (*awaited || expr_suspends(value))
                            && mentions(program, value, copy, at)
                            && !mentions(program, value, shared, at);
                        return ControlFlow::Break(is_stale.then_some((target, stmt.span)));
                    }
                    if program.is_same((target, at), (copy, at)) {
                        return ControlFlow::Break(None);
                    }
                }
                None
            }
            StmtKind::With {
                is_async,
                items,
                body,
                ..
            } => {
                let waits = |item: &WithItem| {
                    *is_async && !is_entered_at_once(program, &item.context, at)
                        || expr_suspends(&item.context)
                };
                *awaited |= items.iter().any(waits);
                Some(body)
            }
            StmtKind::Try { body, .. } => Some(body),
            // What is asked again may decide whether it is still so.
            StmtKind::If { test, body, orelse } if !mentions(program, test, shared, at) => {
                for branch in [body, orelse] {
                    stale_write(program, branch, old, &mut awaited.clone())?;
                }
                None
            }
            _ => None,
        };
        if let Some(inner) = inner {
            stale_write(program, inner, old, awaited)?;
        }
        // What is looked at again may have been checked.
        let mut again = false;
        each_expr(std::slice::from_ref(stmt), &mut |expr| {
            again |= program.is_same((expr, at), (shared, at));
        });
        if again && *awaited {
            return ControlFlow::Break(None);
        }
        *awaited |= suspends(std::slice::from_ref(stmt));
    }
    ControlFlow::Continue(())
}

/// Whether nothing can happen while an `async with` is entered.
fn is_entered_at_once(program: &Program, context: &Expr, at: At) -> bool {
    matches!(
        program.callee(context, at).as_deref(),
        Some("asyncio.timeout" | "asyncio.timeout_at" | "asyncio.TaskGroup")
    )
}

/// `if n > 0:`, `await f()`, `n -= 1`; also `if n == 0: return` and then the same.
fn after_a_check<'s>(
    program: &Program,
    tasks: &Tasks,
    stmts: &'s [Stmt],
    at: At,
) -> Option<(&'s Expr, Span)> {
    let [first, rest @ ..] = stmts else { return None };
    let StmtKind::If { test, body, orelse } = &first.kind else {
        return None;
    };
    let is_checked =
        |place: &Expr| is_shared(program, tasks, place, at) && mentions(program, test, place, at);
    let goes_on_if_not = orelse.is_empty() && leaves(body);
    let otherwise = if goes_on_if_not { rest } else { orelse };
    late_change(program, body, at, is_checked).or_else(|| late_change(program, otherwise, at, is_checked))
}

/// Where a place that was looked at is changed after an `await`, and not looked at again before.
fn late_change<'s>(
    program: &Program,
    stmts: &'s [Stmt],
    at: At,
    is_checked: impl Fn(&Expr) -> bool,
) -> Option<(&'s Expr, Span)> {
    let mut awaited = false;
    for stmt in stmts {
        if let Some(target) = changed(program, stmt, at).filter(|target| is_checked(target)) {
            return awaited.then_some((target, stmt.span));
        }
        // `if n is None:`, `n = await f()`
        if let StmtKind::Assign { targets, value } = &stmt.kind
            && let [target] = &targets[..]
            && is_checked(target)
        {
            return (awaited || expr_suspends(value)).then_some((target, stmt.span));
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

/// What `n -= 1` changes, or `n = n - 1`.
fn changed<'s>(program: &Program, stmt: &'s Stmt, at: At) -> Option<&'s Expr> {
    match &stmt.kind {
        StmtKind::AugAssign { target, .. } => Some(target),
        StmtKind::Assign { targets, value } => match (&targets[..], &value.plain().kind) {
            ([target], ExprKind::Binary { left, .. }) => {
                program.is_same((target, at), (left, at)).then_some(target)
            }
            _ => None,
        },
        _ => None,
    }
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

/// Where a body first acquires something: from there on a lock may be held.
fn first_acquire(unit: &Unit) -> Option<u32> {
    let mut first = None;
    each_expr(unit.body, &mut |expr| {
        if let Some((_, "acquire", _)) = method_call(expr) {
            first.get_or_insert(expr.span.start);
        }
    });
    first
}

/// Whether some `async with`, perhaps of a lock, is around a block.
fn is_inside_async_with(body: &[Stmt], wanted: &[Stmt], inside: bool) -> bool {
    if ptr::eq(body, wanted) {
        return inside;
    }
    body.iter().any(|stmt| {
        let inside = inside || matches!(stmt.kind, StmtKind::With { is_async: true, .. });
        stmt.blocks()
            .into_iter()
            .any(|block| is_inside_async_with(block, wanted, inside))
    })
}

/// Functions of which several coroutines may be at work at once, by address.
struct Tasks {
    /// They are called in several places, or in a loop, and not awaited there; and those that such
    /// functions call.
    repeated: HashSet<*const Function>,
    /// Their parameters that are the same object in several of those calls.
    same: HashSet<(*const Function, Symbol)>,
}

impl Tasks {
    fn of(program: &Program) -> Tasks {
        let (awaited, looped) = awaited_and_looped(program);
        let mut seen = HashSet::new();
        let mut same = HashSet::new();
        for (call, func, args, at) in
            calls(program).filter(|(call, ..)| !awaited.contains(&ptr::from_ref(*call)))
        {
            let Meaning::Function(callee) = program.meaning(func, at) else {
                continue;
            };
            for (param, arg) in program.given(func, callee, args, at) {
                // A variable that is given its value in a loop names an object after the other.
                if let Some((value, _)) = program.only_value(arg, at)
                    && !looped.contains(&ptr::from_ref(value))
                    && (looped.contains(&ptr::from_ref(call))
                        || !seen.insert((ptr::from_ref(value), param.name, ptr::from_ref(callee))))
                {
                    same.insert((ptr::from_ref(callee), param.name));
                }
            }
        }
        Tasks {
            repeated: repeated(program, &awaited, &looped),
            same,
        }
    }

    fn are_given_the_same(&self, unit: &Unit, name: Symbol) -> bool {
        unit.function()
            .is_some_and(|function| self.same.contains(&(ptr::from_ref(function), name)))
    }
}

type Exprs = HashSet<*const Expr>;

/// What is awaited at once, and what stands in loops.
fn awaited_and_looped(program: &Program) -> (Exprs, Exprs) {
    let mut awaited = HashSet::new();
    let mut looped = HashSet::new();
    for (expr, _) in &program.exprs {
        if let ExprKind::Await(value) = &expr.kind {
            awaited.insert(ptr::from_ref(value.plain()));
        }
        if let ExprKind::Comprehension(comprehension) = &expr.kind {
            comprehension.each_inner(&mut |part| {
                each_expr_in(part, &mut |inner| {
                    looped.insert(ptr::from_ref(inner));
                })
            });
        }
    }
    for (stmt, _) in &program.stmts {
        if let StmtKind::For { body, .. } | StmtKind::While { body, .. } = &stmt.kind {
            each_expr(body, &mut |inner| {
                looped.insert(ptr::from_ref(inner));
            });
        }
    }
    (awaited, looped)
}

fn repeated(program: &Program, awaited: &Exprs, looped: &Exprs) -> HashSet<*const Function> {
    let calls: Vec<_> = calls(program)
        .filter_map(|(call, func, _, at)| match program.meaning(func, at) {
            Meaning::Function(callee) if callee.is_async => Some((call, ptr::from_ref(callee), at)),
            _ => None,
        })
        .collect();
    let (mut once, mut found) = (HashSet::new(), HashSet::new());
    for (call, callee, _) in &calls {
        let call = ptr::from_ref(*call);
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
        .is_some_and(|function| repeated.contains(&ptr::from_ref(function)))
}
