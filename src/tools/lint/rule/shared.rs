//! Locks and queues that tasks share.

use super::{calls, dropped, method_call};
use crate::source::{Span, Symbol};
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Meaning, Program, each_expr, each_expr_in, each_stmt};
use std::collections::HashSet;

/// Functions that await functions are followed so far.
const LONGEST_CHAIN: u32 = 4;

/// `await lock.acquire()` in a program that never releases anything, or with a `return` before the release.
pub fn never_released(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    if program.mentioned.contains("release") {
        left_with(program, tell);
        return only_others_released(program, tell);
    }
    for (expr, _) in &program.exprs {
        let ExprKind::Await(awaited) = &expr.kind else {
            continue;
        };
        each_expr_in(awaited, &mut |call| {
            if let Some(at) = program.place_of(call)
                && let Some(
                    "asyncio.Lock.acquire"
                    | "asyncio.Condition.acquire"
                    | "asyncio.Semaphore.acquire"
                    | "asyncio.BoundedSemaphore.acquire",
                ) = program.callee(call, at).as_deref()
            {
                tell(
                    call.span,
                    "nothing in this program releases what is taken here: use `async with`".into(),
                );
            }
        });
    }
}

/// `await lock.acquire()`, `if …: return`, `lock.release()`
fn left_with(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let units = |wanted: &str| -> HashSet<usize> {
        let named = program.exprs.iter().filter(
            |(expr, _)| matches!(&expr.kind, ExprKind::Attribute { name, .. } if name.text() == wanted),
        );
        named.map(|(_, at)| at.unit).collect()
    };
    if !units("release").is_subset(&units("acquire")) {
        return; // somebody may release what others took
    }
    for &(block, at) in &program.blocks {
        for (i, stmt) in block.iter().enumerate() {
            if let Some((call, lock)) = acquired(program, stmt, at)
                && let Some(end) = block.iter().position(|stmt| releases(stmt, (lock, at), program))
                && let Some(between) = block.get(i + 1..end)
                && let Some(way_out) = returns_in(between)
            {
                let line = program.source.line(way_out.start);
                tell(
                    call.span,
                    format!("this lock is still held after the `return` in line {line}: use `async with`"),
                );
            }
        }
    }
}

/// `await one.acquire()`, where each `release` of the program is of another lock.
fn only_others_released(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let released = program.exprs.iter().filter_map(|(expr, at)| match &expr.kind {
        ExprKind::Attribute { value, name, .. } if name.text() == "release" => {
            Some(made_once(program, value, *at))
        }
        _ => None,
    });
    // Of what is not certainly known, it could be any.
    let Some(released) = released.collect::<Option<Vec<&Expr>>>() else {
        return;
    };
    for (stmt, at) in &program.stmts {
        if let Some((call, lock)) = acquired(program, stmt, *at)
            && let Some(made) = made_once(program, lock, *at)
            && released.iter().all(|other| !std::ptr::eq(*other, made))
            && !is_handed_on(program, lock, *at)
        {
            tell(
                call.span,
                "nothing in this program releases what is taken here: use `async with`".into(),
            );
        }
    }
}

/// The call that makes what a variable holds, if it never holds anything else.
fn made_once<'a>(program: &Program<'a>, variable: &Expr, at: At) -> Option<&'a Expr> {
    let (made, _) = program.only_value(variable, at)?;
    matches!(made.plain().kind, ExprKind::Call { .. }).then_some(made)
}

/// Whether a variable stands where its object gets another name: not just before a dot or behind `async with`.
fn is_handed_on(program: &Program, variable: &Expr, place: At) -> bool {
    let is_it = |expr: &Expr, at: At| program.is_same((expr, at), (variable, place));
    let mut named = 0usize;
    let mut known = 0usize;
    for (expr, at) in &program.exprs {
        named += usize::from(is_it(expr, *at));
        if let ExprKind::Attribute { value, .. } = &expr.kind {
            known += usize::from(is_it(value, *at));
        }
    }
    for (stmt, at) in &program.stmts {
        match &stmt.kind {
            StmtKind::With { items, .. } => {
                let own = items
                    .iter()
                    .filter(|item| item.target.is_none() && is_it(&item.context, *at));
                known += own.count();
            }
            StmtKind::Assign { targets, .. } => {
                known += targets.iter().filter(|target| is_it(target, *at)).count();
            }
            _ => {}
        }
    }
    named > known
}

/// `await lock.acquire()` as a statement: the call, and the lock.
fn acquired<'a>(program: &Program, stmt: &'a Stmt, at: At) -> Option<(&'a Expr, &'a Expr)> {
    let StmtKind::Expr(value) = &stmt.kind else {
        return None;
    };
    let ExprKind::Await(call) = &value.plain().kind else {
        return None;
    };
    match method_call(call) {
        Some((lock, "acquire", _)) if is_lock(program, lock, at) => Some((call, lock)),
        _ => None,
    }
}

/// Whether a statement, or one in it, releases a lock.
fn releases(stmt: &Stmt, lock: (&Expr, At), program: &Program) -> bool {
    let mut found = false;
    each_expr(std::slice::from_ref(stmt), &mut |expr| {
        found |= matches!(&expr.kind, ExprKind::Attribute { value, name, .. }
            if name.text() == "release" && program.is_same((value, lock.1), lock));
    });
    found
}

/// The first `return` among some statements.
fn returns_in(stmts: &[Stmt]) -> Option<Span> {
    let mut found = None;
    each_stmt(stmts, &mut |stmt| {
        if matches!(stmt.kind, StmtKind::Return(_)) {
            found.get_or_insert(stmt.span);
        }
    });
    found
}

/// Whether somebody may await a value.
fn is_kept(program: &Program, value: &Expr) -> bool {
    dropped(program)
        .iter()
        .all(|(other, _)| !std::ptr::eq(*other, value))
}

/// `await queue.join()` in a program that never calls `task_done`.
pub fn never_done(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let puts = |name: &&str| matches!(*name, "put" | "put_nowait");
    if program.mentioned.contains("task_done") || !program.mentioned.iter().any(puts) {
        return;
    }
    for (call, _, _, at) in calls(program) {
        if let Some("asyncio.Queue.join" | "asyncio.LifoQueue.join" | "asyncio.PriorityQueue.join") =
            program.callee(call, at).as_deref()
            && is_kept(program, call)
        {
            tell(
                call.span,
                "nothing in this program calls `task_done`, so `join` waits for ever".into(),
            );
        }
    }
}

/// `async with lock:` inside `async with lock:`, or behind `await lock.acquire()`.
pub fn taken_twice(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for &(block, at) in &program.blocks {
        for (i, stmt) in block.iter().enumerate() {
            if let Some((_, lock)) = acquired(program, stmt, at) {
                while_held(&block[i + 1..], &mut |held| {
                    takes_again(program, held, (lock, at), tell)
                });
            }
        }
    }
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
            if is_lock(program, lock, *at) {
                takes_again(program, body, (lock, *at), tell);
            }
        }
    }
}

fn is_lock(program: &Program, lock: &Expr, at: At) -> bool {
    matches!(
        program.kind(lock, at),
        Kind::Object("asyncio.Lock" | "asyncio.Condition")
    )
}

/// Shows the statements that run before anything is released.
fn while_held<'a>(stmts: &'a [Stmt], visit: &mut dyn FnMut(&'a [Stmt])) {
    for stmt in stmts {
        let (held, goes_on) = match &stmt.kind {
            StmtKind::Try { body, .. } => (&body[..], false),
            _ => (std::slice::from_ref(stmt), true),
        };
        let mut releases = false;
        each_expr(held, &mut |expr| {
            releases |= matches!(&expr.kind, ExprKind::Attribute { name, .. } if name.text() == "release");
        });
        if releases {
            return;
        }
        visit(held);
        if !goes_on {
            return;
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
        if let ExprKind::Call { func, args } = &value.plain().kind
            && let Meaning::Function(function) = program.meaning(func, lock.1)
        {
            let attribute = match &lock.0.plain().kind {
                ExprKind::Attribute { name, .. } if is_on_same(program, func, lock) => Some(*name),
                _ => None,
            };
            let given = program.given(func, function, args, lock.1);
            let param = given
                .iter()
                .find(|(_, value)| program.is_same((value, lock.1), lock));
            let held = Held {
                lock,
                attribute,
                param: param.map(|(param, _)| param.name),
            };
            if !takes(program, function, &held, LONGEST_CHAIN) {
                return;
            }
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

/// A lock that a task holds, and what it is called in a function that the task awaits.
struct Held<'a> {
    /// Where it was taken; elsewhere the same name may mean it.
    lock: (&'a Expr, At),
    /// The attribute of `self` that it is, in methods of the same object.
    attribute: Option<Symbol>,
    /// The parameter that it is given as.
    param: Option<Symbol>,
}

/// Whether a function takes a lock, itself or in one that it awaits.
fn takes(program: &Program, function: &Function, held: &Held, left: u32) -> bool {
    let Some(left) = left.checked_sub(1) else {
        return false;
    };
    let is_it = |other: &Expr, at: At| {
        let is_called_so = match &other.plain().kind {
            ExprKind::Attribute { value, name, .. } => {
                held.attribute == Some(*name) && program.class_of_self(value, at).is_some()
            }
            ExprKind::Name(name) => held.param == Some(*name) && program.is_local(*name, at),
            _ => false,
        };
        is_called_so || program.is_same((other, at), held.lock)
    };
    let mut found = false;
    each_expr(&function.body, &mut |expr| {
        if let ExprKind::Await(value) = &expr.kind
            && let Some(at) = program.place_of(expr)
            && let ExprKind::Call { func, args } = &value.plain().kind
        {
            found |= match method_call(value) {
                Some((taken, "acquire", _)) => is_it(taken, at),
                _ => match program.meaning(func, at) {
                    Meaning::Function(inner) => {
                        let is_own = match &func.plain().kind {
                            ExprKind::Attribute { value, .. } => program.class_of_self(value, at).is_some(),
                            _ => false,
                        };
                        let given = program.given(func, inner, args, at);
                        let param = given.iter().find(|(_, value)| is_it(value, at));
                        let held = Held {
                            lock: held.lock,
                            attribute: held.attribute.filter(|_| is_own),
                            param: param.map(|(param, _)| param.name),
                        };
                        takes(program, inner, &held, left)
                    }
                    _ => false,
                },
            };
        }
    });
    each_stmt(&function.body, &mut |stmt| {
        if let StmtKind::With {
            is_async: true,
            items,
            ..
        } = &stmt.kind
        {
            let mut contexts = items.iter().map(|item| &item.context);
            found |= contexts.any(|context| program.place_of(context).is_some_and(|at| is_it(context, at)));
        }
    });
    found
}
