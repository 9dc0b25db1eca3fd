//! Coroutines, tasks and results that nobody waits for.

use super::{calls, dropped, method_call, positional};
use crate::source::{Span, Symbol};
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Program, Where, each_expr, gives_value};

/// `work()` as a statement, or where only its text is asked for: `print(work())`, `f"{work()}"`,
/// `"{}".format(work())`.
pub fn coroutine(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let mut lost = dropped(program);
    for (expr, at) in &program.exprs {
        if is_shown(program, expr, *at)
            && let ExprKind::Call { args, .. } = &expr.kind
        {
            let given = args.iter().filter(|arg| matches!(arg, Arg::Positional(_)));
            lost.extend(given.map(|arg| (arg.value().plain(), *at)));
        }
        if let ExprKind::FString(parts) = &expr.kind {
            let fields = parts.iter().filter_map(FStringPart::field);
            let shown = fields.filter(|field| !field.is_formatted());
            lost.extend(shown.map(|field| (field.value.plain(), *at)));
        }
    }
    for (value, at) in lost {
        let what = match program.kind(value, at) {
            Kind::Coroutine(function) if is_made(program, value, at) => {
                format!("the coroutine '{}'", called(function, value))
            }
            Kind::SomeCoroutine if is_made(program, value, at) => "this coroutine".into(),
            _ => continue,
        };
        tell(value.span, format!("{what} is never awaited: nothing of it runs"));
    }
}

/// Whether a call only shows what it is given.
fn is_shown(program: &Program, call: &Expr, at: At) -> bool {
    let is_text = |object: &Expr| {
        matches!(
            object.plain().kind,
            ExprKind::Constant(Constant::Str(_)) | ExprKind::FString(_)
        )
    };
    let shows = matches!(
        program.callee(call, at).as_deref(),
        Some("builtins.print" | "builtins.str" | "builtins.repr" | "builtins.format")
    );
    shows || matches!(method_call(call), Some((object, "format", _)) if is_text(object))
}

/// Whether evaluating an expression makes the coroutine that it gives: a call, an awaited one of
/// an `async def` function that returns it, or a property.
fn is_made(program: &Program, value: &Expr, at: At) -> bool {
    let is_given = matches!(&value.kind, ExprKind::Await(work)
        if is_call(work.plain()) && matches!(program.kind(work, at), Kind::Coroutine(_)));
    is_call(value) || is_given || program.is_property(value, at)
}

/// The name of the function that a coroutine is of; if another one has taken its place, the name it is
/// called by.
fn called(function: &Function, call: &Expr) -> Symbol {
    let called = match &call.plain().kind {
        ExprKind::Call { func, .. } => &func.plain().kind,
        own => own,
    };
    match called {
        ExprKind::Name(name) | ExprKind::Attribute { name, .. } if !function.decorators.is_empty() => *name,
        _ => function.name,
    }
}

fn is_call(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Call { .. })
}

/// `sleep(1)` as a statement.
pub fn sleep(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (value, at) in dropped(program) {
        if is_call(value) && matches!(program.kind(value, at), Kind::Sleep) {
            tell(value.span, "this sleep is never awaited: it takes no time".into());
        }
    }
}

/// `queue.put(1)` as a statement.
pub fn library_coroutine(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (value, at) in dropped(program) {
        if matches!(program.kind(value, at), Kind::LibraryCoroutine) {
            if matches!(&value.kind, ExprKind::Call { func, args }
                if args.is_empty() && program.path(func, at).as_deref() == Some("builtins.anext"))
            {
                continue; // that raises an error
            }
            let name = program
                .callee(value, at)
                .unwrap_or_else(|| program.text(value).to_string());
            let name = name.strip_prefix("prelude.").unwrap_or(&name);
            tell(
                value.span,
                format!("'{name}' gives a coroutine, and it is never awaited: nothing happens"),
            );
        }
    }
}

/// `gather(a(), b())` as a statement.
pub fn gather(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (value, at) in dropped(program) {
        if program.callee(value, at).as_deref() == Some("asyncio.gather") {
            tell(
                value.span,
                "nobody awaits this gather: the program goes on at once, and errors are lost".into(),
            );
        }
    }
}

/// `create_task(work())` as a statement. `spawn(work())` says that it is meant for the background, so
/// it counts only if `work` gives a result. Work that certainly fails is told of when it has (A007), and
/// what certainly runs without a loop does not even begin (A016), or has to tell the loop of another
/// thread (A018).
pub fn result(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (value, at) in dropped(program) {
        let unit = program.unit(at);
        let in_function = unit.is_coroutine() || unit.function().is_some() || unit.is_lambda();
        let ExprKind::Call { args, .. } = &value.kind else {
            continue;
        };
        let runs = program.runs(at);
        let background = match program.callee(value, at).as_deref() {
            Some("asyncio.create_task") if runs.is_some_and(Where::has_no_loop) => continue,
            Some("asyncio.loop.create_task") if runs.is_some_and(Where::is_in_thread) => continue,
            Some("asyncio.create_task" | "asyncio.ensure_future" | "asyncio.loop.create_task") => false,
            Some("prelude.spawn") => true,
            _ => continue,
        };
        if !in_function || program.expects(at, "RuntimeError") || program.expects(at, "TypeError") {
            continue;
        }
        let Some(work) = positional(args, 0) else { continue };
        let result = match program.kind(work, at) {
            Kind::Coroutine(function) if fails(function) => continue,
            Kind::Coroutine(function) => gives_value(&function.body).then_some(function.name),
            Kind::Plain => continue,
            _ => None,
        };
        let message = match result {
            Some(name) => format!("'{name}' gives a result, but nobody keeps this task to ask for it"),
            None if background => continue,
            None => {
                "nobody keeps this task: its error is lost, and it may end before its work is done".into()
            }
        };
        tell(value.span, message);
    }
}

/// Whether a function raises an error whatever happens before.
fn fails(function: &Function) -> bool {
    let mut body = function.body.iter();
    body.any(|stmt| matches!(stmt.kind, StmtKind::Raise { .. }))
}

/// `wait_for(shield(work()), 1)`, and `await shield(work())` within `async with timeout(1)`, also with
/// `create_task(work())`: after the timeout nobody can reach the task that was made.
pub fn shielded(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let mut check = |shield: &Expr, at: At| {
        if program.callee(shield, at).as_deref() == Some("asyncio.shield")
            && let ExprKind::Call { args, .. } = &shield.plain().kind
            && let Some(work) = positional(args, 0)
            && is_call(work.plain())
            && (program.kind(work, at).is_coroutine() || makes_task(program, work, at))
        {
            tell(
                shield.span,
                "after the timeout the shielded work goes on, and nobody has a name for its task".into(),
            );
        }
    };
    for (_, func, args, at) in calls(program) {
        if let Some("asyncio.wait_for") = program.path(func, at).as_deref()
            && let Some(work) = positional(args, 0)
        {
            check(work, at);
        }
    }
    for (stmt, at) in &program.stmts {
        if let StmtKind::With { items, body, .. } = &stmt.kind
            && items.iter().any(|item| is_timeout(program, &item.context, *at))
        {
            each_expr(body, &mut |expr| {
                if let ExprKind::Await(value) = &expr.kind {
                    check(value, *at);
                }
            });
        }
    }
}

/// `create_task(…)` itself, whose task nobody else has.
fn makes_task(program: &Program, call: &Expr, at: At) -> bool {
    matches!(
        program.callee(call, at).as_deref(),
        Some("asyncio.create_task" | "asyncio.ensure_future" | "asyncio.loop.create_task" | "prelude.spawn")
    )
}

fn is_timeout(program: &Program, context: &Expr, at: At) -> bool {
    matches!(
        program.callee(context, at).as_deref(),
        Some("asyncio.timeout" | "asyncio.timeout_at")
    )
}
