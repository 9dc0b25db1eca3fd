//! Results that are asked for before there can be any.

use super::{method_call, order};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Meaning, Program, each_expr_in, returns, suspends};

/// Functions that give what others give are followed so far.
const LONGEST_CHAIN: u32 = 4;

const TASK: &str = "the task cannot have run yet: await it first";
const FUTURE: &str = "nothing gives this future a result: whoever has it calls set_result()";

/// `create_task(work()).result()`, and the same in two lines without an `await` between, also with a
/// container of tasks that is looped over.
pub fn result(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    if program.mentioned.contains("set_task_factory") {
        return; // an eager task has run when it is made
    }
    for (expr, at) in &program.exprs {
        if let Some(task) = asked(expr)
            && makes_task(program, task, *at)
            && !program.expects(*at, "InvalidStateError")
        {
            tell(expr.span, TASK.into());
        }
    }
    let mut told = |program: &Program, begin: &Begin, message: &str| {
        order::after(
            program,
            &|stmt, at| begin(program, stmt, at),
            &mut |begun, expr, at| {
                if let Some(task) = asked(expr)
                    && program.is_same((begun, at), (task, at))
                    && !program.expects(at, "InvalidStateError")
                {
                    tell(expr.span, message.into());
                }
                for span in asked_in_loop(program, expr, begun, at) {
                    tell(span, message.into());
                }
            },
            order::Until::Suspension,
        );
    };
    told(program, &begun_by, TASK);
    told(program, &made_by, FUTURE);
}

type Begin = dyn for<'p, 'a> Fn(&'p Program<'a>, &'a Stmt, At) -> Option<&'a Expr>;

/// What is asked for its result, or for its error.
fn asked(expr: &Expr) -> Option<&Expr> {
    match method_call(expr) {
        Some((object, "result" | "exception", [])) => Some(object),
        _ => None,
    }
}

/// The variable to which a statement gives a task or gather that has just begun, or a container of such.
fn begun_by<'a>(program: &Program<'a>, stmt: &'a Stmt, at: At) -> Option<&'a Expr> {
    match &stmt.kind {
        StmtKind::Assign { targets, value } => match (&targets[..], &value.plain().kind) {
            ([target], ExprKind::Comprehension(made)) => {
                let inside = program.place_of(&made.element)?;
                makes_task(program, &made.element, inside).then_some(target)
            }
            ([target], _) => is_begun_only(program, value, at).then_some(target),
            _ => None,
        },
        StmtKind::For {
            body,
            is_async: false,
            ..
        } if !suspends(body) => body.iter().find_map(|stmt| put_by(program, stmt, at)),
        _ => None,
    }
}

/// The container into which a statement puts a task that it makes: `tasks.append(create_task(…))`,
/// `tasks[name] = create_task(…)`.
fn put_by<'a>(program: &Program<'a>, stmt: &'a Stmt, at: At) -> Option<&'a Expr> {
    let (container, task) = match &stmt.kind {
        StmtKind::Expr(call) => match method_call(call) {
            Some((container, "append" | "add", [Arg::Positional(task)])) => (container, task),
            _ => return None,
        },
        StmtKind::Assign { targets, value } => match &targets[..] {
            [target] => match &target.plain().kind {
                ExprKind::Subscript { value: container, .. } => (&**container, value),
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    makes_task(program, task, at).then_some(container)
}

/// Whether an expression makes a task: it calls what makes one, or a function that gives what such a call gives.
fn makes_task(program: &Program, value: &Expr, at: At) -> bool {
    makes_task_within(program, value, at, LONGEST_CHAIN)
}

fn makes_task_within(program: &Program, value: &Expr, at: At, left: u32) -> bool {
    let (Some(left), ExprKind::Call { func, .. }) = (left.checked_sub(1), &value.plain().kind) else {
        return false;
    };
    if let Meaning::Function(function) = program.meaning(func, at) {
        let returned = returns(&function.body);
        let makes = |value: &Option<&Expr>| {
            let inside = value.and_then(|value| Some((value, program.place_of(value)?)));
            inside.is_some_and(|(value, at)| makes_task_within(program, value, at, left))
        };
        return !function.is_async
            && function.decorators.is_empty()
            && !returned.is_empty()
            && returned.iter().all(makes);
    }
    matches!(program.kind(value, at), Kind::Task)
        && matches!(
            program.callee(value, at).as_deref(),
            Some(
                "asyncio.create_task"
                    | "asyncio.ensure_future"
                    | "asyncio.Task"
                    | "asyncio.loop.create_task"
                    | "asyncio.TaskGroup.create_task"
                    | "prelude.spawn"
            )
        )
}

/// Whether a call gives a task or future of work that is not done as long as nothing else runs.
fn is_begun_only(program: &Program, call: &Expr, at: At) -> bool {
    let works = matches!(
        program.callee(call, at).as_deref(),
        Some("asyncio.gather" | "prelude.run_in_executor" | "asyncio.loop.run_in_executor")
    );
    works || makes_task(program, call, at)
}

/// The variable to which a statement gives a new future, in a program that resolves none.
fn made_by<'a>(program: &Program<'a>, stmt: &'a Stmt, at: At) -> Option<&'a Expr> {
    const RESOLVE: &[&str] = &["set_result", "set_exception", "cancel"];
    let StmtKind::Assign { targets, value } = &stmt.kind else {
        return None;
    };
    let is_new = program.callee(value, at).as_deref() == Some("asyncio.loop.create_future");
    match &targets[..] {
        [target] if is_new && !RESOLVE.iter().any(|name| program.mentioned.contains(name)) => Some(target),
        _ => None,
    }
}

/// Where a loop over a container, which begins with `iter`, certainly asks each item for its result.
fn asked_in_loop(program: &Program, iter: &Expr, begun: &Expr, at: At) -> Vec<Span> {
    if let ExprKind::Comprehension(made) = &iter.kind {
        return match &made.clauses[..] {
            [clause] if clause.conditions.is_empty() => {
                let item = item_of(program, &clause.iter, &clause.target, begun, at);
                item.map_or(vec![], |item| asked_certainly(program, &made.element, item))
            }
            _ => vec![],
        };
    }
    let Some(StmtKind::For { target, body, .. }) = program.owner(iter).map(|stmt| &stmt.kind) else {
        return vec![];
    };
    let Some(item) = item_of(program, iter, target, begun, at) else {
        return vec![];
    };
    let mut found = Vec::new();
    // A block may stand there because not every item is done.
    for stmt in body.iter().take_while(|stmt| stmt.blocks().is_empty()) {
        stmt.each_expr(&mut |expr| found.extend(asked_certainly(program, expr, item)));
    }
    found
}

/// The variable of a loop over a container that names its items: `for t in tasks`, `in tasks.values()`,
/// `for name, t in tasks.items()`, `for i, t in enumerate(tasks)`.
fn item_of<'b>(program: &Program, iter: &Expr, target: &'b Expr, begun: &Expr, at: At) -> Option<&'b Expr> {
    let second = |target: &'b Expr| match &target.plain().kind {
        ExprKind::Tuple(targets) => targets.get(1),
        _ => None,
    };
    let (container, item) = match (method_call(iter), &iter.plain().kind) {
        (Some((container, "values", [])), _) => (container, Some(target)),
        (Some((container, "items", [])), _) => (container, second(target)),
        (None, ExprKind::Call { args, .. })
            if program.callee(iter, at).as_deref() == Some("builtins.enumerate") =>
        {
            (args.first()?.value(), second(target))
        }
        _ => (iter, Some(target)),
    };
    item.filter(|_| program.is_same((begun, at), (container, at)))
}

/// Where an expression asks a variable for its result; nothing if it asks before whether it is done.
fn asked_certainly(program: &Program, expr: &Expr, item: &Expr) -> Vec<Span> {
    let mut found = Vec::new();
    let mut is_certain = true;
    each_expr_in(expr, &mut |expr| {
        is_certain &= !matches!(expr.kind, ExprKind::IfElse { .. } | ExprKind::BoolOp { .. });
        if let Some(task) = asked(expr)
            && let (Some(here), Some(there)) = (program.place_of(task), program.place_of(item))
            && program.is_same((task, here), (item, there))
            && !program.expects(here, "InvalidStateError")
        {
            found.push(expr.span);
        }
    });
    found.retain(|_| is_certain);
    found
}
