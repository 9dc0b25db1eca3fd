//! Mistakes of order: something is done with an object after its time.

use super::method_call;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Program, each_expr, each_expr_in, each_stmt, suspends};

/// How far a search in the statements behind one goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// To the end of the block, or until the object's name is bound anew.
    Rebound,
    /// And not over anything that suspends.
    Suspension,
}

/// For each statement in which `begin` finds an object: shows `visit` the expressions of the
/// statements that certainly run after it.
pub fn after<'a>(
    program: &Program<'a>,
    begin: &dyn Fn(&'a Stmt, At) -> Option<&'a Expr>,
    visit: &mut dyn FnMut(&'a Expr, &'a Expr, At),
    until: Until,
) {
    for &(block, at) in &program.blocks {
        for (i, stmt) in block.iter().enumerate() {
            if let Some(object) = begin(stmt, at) {
                follow(program, &block[i + 1..], (object, at), visit, until);
            }
        }
    }
}

/// Shows the expressions of statements that run one after the other; whether it is still so behind them.
fn follow<'a>(
    program: &Program<'a>,
    stmts: &'a [Stmt],
    (object, at): (&'a Expr, At),
    visit: &mut dyn FnMut(&'a Expr, &'a Expr, At),
    until: Until,
) -> bool {
    for later in stmts {
        // What stands in a block of its own may not run, but that of a `try` or `with` begins.
        let inner = match &later.kind {
            StmtKind::Try { body, .. } => body,
            StmtKind::With { is_async, body, .. } if !(*is_async && until == Until::Suspension) => body,
            _ => &[][..],
        };
        let may_end = binds(program, later, object, at)
            || loops_for(program, later, object, at)
            || (until == Until::Suspension && lets_others_run(later));
        if may_end && inner.is_empty() {
            return false;
        }
        let mut is_rebound = false;
        later.each_expr(&mut |expr| {
            is_rebound |= program.is_same((expr, at), (object, at));
            each_expr_in(expr, &mut |expr| {
                visit(object, expr, program.place_of(expr).unwrap_or(at));
            });
        });
        if is_rebound || !follow(program, inner, (object, at), visit, until) || may_end {
            return false;
        }
    }
    true
}

/// Whether a statement loops until something about the object has changed.
fn loops_for(program: &Program, stmt: &Stmt, object: &Expr, at: At) -> bool {
    let StmtKind::While { test, .. } = &stmt.kind else {
        return false;
    };
    let mut found = false;
    each_expr_in(test, &mut |part| {
        found |= program.is_same((part, at), (object, at))
    });
    found
}

/// Whether other tasks may run while a statement does.
fn lets_others_run(stmt: &Stmt) -> bool {
    let stmt = std::slice::from_ref(stmt);
    let mut runs = suspends(stmt);
    each_expr(stmt, &mut |expr| {
        runs |= matches!(
            method_call(expr),
            Some((_, "run" | "run_until_complete" | "run_forever", _))
        );
    });
    runs
}

/// Whether a statement may bind an object's name, or what it hangs on.
fn binds(program: &Program, stmt: &Stmt, object: &Expr, at: At) -> bool {
    let mut found = false;
    each_stmt(std::slice::from_ref(stmt), &mut |stmt| {
        let targets: Vec<&Expr> = match &stmt.kind {
            StmtKind::Assign { targets, .. } | StmtKind::Del(targets) => targets.iter().collect(),
            StmtKind::For { target, .. } | StmtKind::AugAssign { target, .. } => vec![target],
            StmtKind::With { items, .. } => items.iter().filter_map(|item| item.target.as_ref()).collect(),
            _ => vec![],
        };
        for target in targets {
            each_expr_in(target, &mut |part| {
                found |= program.is_same((part, at), (object, at));
            });
            found |= hangs_on(program, object, target, at);
        }
    });
    found
}

/// Whether an object is looked for in what a target binds: `c.job` if `c` is bound.
fn hangs_on(program: &Program, object: &Expr, target: &Expr, at: At) -> bool {
    match (&target.plain().kind, &object.plain().kind) {
        (ExprKind::Tuple(targets) | ExprKind::List(targets), _) => {
            targets.iter().any(|target| hangs_on(program, object, target, at))
        }
        (_, ExprKind::Attribute { value, .. } | ExprKind::Subscript { value, .. }) => {
            program.is_same((target, at), (value, at)) || hangs_on(program, value, target, at)
        }
        _ => false,
    }
}

/// `loop.close()`, then something that needs an open loop.
pub fn closed_loop(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    after(
        program,
        &|stmt, at| {
            let closes = |stmt| closed_by(program, stmt, at);
            match &stmt.kind {
                // A runner is closed where its block ends.
                StmtKind::With { items, .. } => items.iter().find_map(|item| {
                    let is_runner = matches!(program.kind(&item.context, at), Kind::Object("asyncio.Runner"));
                    item.target.as_ref().filter(|_| is_runner)
                }),
                StmtKind::Try { finalbody, .. } => finalbody.iter().find_map(closes),
                _ => closes(stmt),
            }
        },
        &mut |object, expr, at| {
            const NEED: &[&str] = &[
                "run_until_complete",
                "run_forever",
                "create_task",
                "call_soon",
                "call_soon_threadsafe",
                "call_later",
                "call_at",
                "run_in_executor",
                "run",
            ];
            if let Some((used, name, _)) = method_call(expr)
                && NEED.contains(&name)
                && program.is_same((object, at), (used, at))
                && !program.expects(at, "RuntimeError")
            {
                tell(expr.span, format!("it is closed already, so '{name}' fails"));
            }
        },
        Until::Rebound,
    );
}

/// The loop that a statement closes.
fn closed_by<'a>(program: &Program<'a>, stmt: &'a Stmt, at: At) -> Option<&'a Expr> {
    let StmtKind::Expr(call) = &stmt.kind else {
        return None;
    };
    match method_call(call) {
        Some((object, "close", [])) => {
            matches!(program.kind(object, at), Kind::Object("asyncio.loop")).then_some(object)
        }
        _ => None,
    }
}

/// The coroutine in a variable that an expression runs: `await c`, `create_task(c)`, `asyncio.run(c)`.
fn run_by<'a>(program: &Program<'a>, expr: &'a Expr, at: At) -> Vec<&'a Expr> {
    let run: Vec<&Expr> = match &expr.kind {
        ExprKind::Await(value) => vec![value],
        ExprKind::Call { args, .. } => {
            let takes = match program.callee(expr, at).as_deref() {
                Some("asyncio.gather") => args.len(),
                Some(
                    "asyncio.run"
                    | "asyncio.create_task"
                    | "asyncio.ensure_future"
                    | "asyncio.wait_for"
                    | "asyncio.shield"
                    | "prelude.spawn"
                    | "asyncio.TaskGroup.create_task"
                    | "asyncio.loop.create_task"
                    | "asyncio.loop.run_until_complete"
                    | "asyncio.Runner.run",
                ) => 1,
                _ => 0,
            };
            let given = args.iter().take(takes);
            given
                .filter(|arg| matches!(arg, Arg::Positional(_)))
                .map(Arg::value)
                .collect()
        }
        _ => vec![],
    };
    let is_coroutine = |value: &&Expr| {
        let is_variable = match value.plain().kind {
            ExprKind::Name(_) => true,
            ExprKind::Attribute { .. } => program.is_set_once(value, at),
            _ => false,
        };
        is_variable && program.kind(value, at).is_coroutine()
    };
    run.into_iter().filter(is_coroutine).collect()
}

/// The coroutines in variables that a statement runs whenever it is come to.
fn certainly_run_by<'a>(program: &Program<'a>, stmt: &'a Stmt, at: At) -> Vec<&'a Expr> {
    let mut found = Vec::new();
    let mut is_certain = true;
    stmt.each_expr(&mut |expr| {
        each_expr_in(expr, &mut |expr| match &expr.kind {
            ExprKind::IfElse { .. } | ExprKind::BoolOp { .. } => is_certain = false,
            _ => found.extend(run_by(program, expr, at)),
        });
    });
    found.retain(|_| is_certain);
    found
}

/// `c = work()`, `await c`, `await c`; also `await c` in a loop before which `c` was made.
pub fn awaited_twice(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let message = |name: &str, when: &str| format!("'{name}' {when}: a coroutine runs only once");
    for (stmt, at) in &program.stmts {
        let (StmtKind::For { body, .. } | StmtKind::While { body, .. }) = &stmt.kind else {
            continue;
        };
        let mut may_end = false;
        each_stmt(body, &mut |stmt| {
            may_end |= matches!(
                stmt.kind,
                StmtKind::Break | StmtKind::Return(_) | StmtKind::Raise { .. } | StmtKind::Try { .. }
            );
        });
        if may_end || program.expects(*at, "RuntimeError") {
            continue;
        }
        for inner in body {
            for again in certainly_run_by(program, inner, *at) {
                if !binds(program, stmt, again, *at) {
                    tell(
                        again.span,
                        message(program.text(again), "is awaited in each round of the loop"),
                    );
                }
            }
        }
    }
    after(
        program,
        &|stmt, at| certainly_run_by(program, stmt, at).pop(),
        &mut |object, expr, at| {
            for again in run_by(program, expr, at) {
                if program.is_same((object, at), (again, at)) && !program.expects(at, "RuntimeError") {
                    let name = program.text(again);
                    tell(expr.span, message(name, "was awaited before"));
                }
            }
        },
        Until::Rebound,
    );
}
