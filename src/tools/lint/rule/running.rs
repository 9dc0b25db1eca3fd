//! A loop runs where none may, or none where one must.

use super::{calls, keyword, positional};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Meaning, Program, UnitKind, Where, each_expr};

/// `asyncio.run(…)` in a coroutine, or in a function that only coroutines call.
pub fn nested(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (call, _, _, at) in calls(program) {
        if let Some(name) = runs_loop(program, call, at)
            && program.runs(at).is_some_and(Where::is_in_loop)
            && !program.expects_around(at, "RuntimeError")
        {
            tell(
                call.span,
                format!("a loop is running here already, so '{name}' fails: use `await`"),
            );
        }
    }
}

/// What a call calls, if that runs a loop.
pub fn runs_loop(program: &Program, call: &Expr, at: At) -> Option<String> {
    program.callee(call, at).filter(|path| {
        matches!(
            &path[..],
            "asyncio.run"
                | "asyncio.loop.run_until_complete"
                | "asyncio.loop.run_forever"
                | "asyncio.Runner.run"
        )
    })
}

/// `asyncio.create_task(…)` at the top of a module that does not await, or in a function that is only called
/// there or by threads.
pub fn missing(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (call, func, args, at) in calls(program) {
        let is_work = || positional(args, 0).is_none_or(|work| program.kind(work, at).is_coroutine());
        if let Some(path @ ("asyncio.create_task" | "asyncio.get_running_loop" | "asyncio.current_task")) =
            program.path(func, at).as_deref()
            && program.runs(at).is_some_and(Where::has_no_loop)
            && is_work()
            && !program.expects_around(at, "RuntimeError")
        {
            tell(call.span, format!("no loop is running here, so '{path}' fails"));
        }
    }
}

/// `asyncio.get_event_loop()` at the top of a module that never set a loop; also `asyncio.ensure_future(work())`
/// there, which asks for one too.
pub fn implicit(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    if program.mentioned.contains("set_event_loop") {
        return;
    }
    let mut is_made = false;
    // What `asyncio.run` is given must be a coroutine: that is another mistake.
    let is_run = |given: &Expr| {
        let mut runs = calls(program)
            .filter(|(call, .., at)| runs_loop(program, call, *at).is_some_and(|path| path == "asyncio.run"));
        runs.any(|(_, _, args, _)| positional(args, 0).is_some_and(|arg| std::ptr::eq(arg, given)))
    };
    for (call, func, args, at) in calls(program) {
        let is_work = || positional(args, 0).is_some_and(|work| program.kind(work, at).is_coroutine());
        let makes = match program.path(func, at).as_deref() {
            Some("asyncio.get_event_loop") => true,
            Some("asyncio.ensure_future" | "asyncio.gather") => {
                !is_made && keyword(args, "loop").is_none() && is_work() && !is_run(call)
            }
            _ => false,
        };
        if makes
            && matches!(program.unit(at).kind, UnitKind::Module { awaits: false })
            && !program.expects(at, "RuntimeError")
        {
            is_made = true;
            tell(
                call.span,
                "no loop is running here: this makes one, and Python 3.14 raises RuntimeError".into(),
            );
        }
    }
}

/// `yield from work()` in a plain function, `@asyncio.coroutine`.
pub fn generator_based(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (expr, at) in &program.exprs {
        match &expr.kind {
            ExprKind::YieldFrom(value) if waits_by_yield(program, value, *at) => tell(
                expr.span,
                "`yield from` cannot wait for a coroutine: write `async def` and `await`".into(),
            ),
            ExprKind::Attribute { .. } | ExprKind::Name(_)
                if program.path(expr, *at).as_deref() == Some("asyncio.coroutine")
                    && !program.expects(*at, "AttributeError") =>
            {
                tell(
                    expr.span,
                    "'asyncio.coroutine' is no more since Python 3.11: write `async def`".into(),
                );
            }
            _ => {}
        }
    }
}

/// Whether `yield from` is to wait for a coroutine.
fn waits_by_yield(program: &Program, value: &Expr, at: At) -> bool {
    let kind = program.kind(value, at);
    let is_made_awaitable = program
        .unit(at)
        .function()
        .is_some_and(|function| !function.decorators.is_empty() || function.name.text() == "__await__");
    (kind.is_coroutine() || matches!(kind, Kind::AsyncGenerator))
        && !is_made_awaitable
        && !program.expects(at, "TypeError")
}

/// Whether a call is of a generator that waits by `yield from`.
pub fn is_of_old_coroutine(program: &Program, call: &Expr, at: At) -> bool {
    let ExprKind::Call { func, .. } = &call.plain().kind else {
        return false;
    };
    let Meaning::Function(function) = program.meaning(func, at) else {
        return false;
    };
    let mut found = false;
    each_expr(&function.body, &mut |expr| {
        found |= matches!(&expr.kind, ExprKind::YieldFrom(value)
            if program.place_of(expr).is_some_and(|at| waits_by_yield(program, value, at)));
    });
    found
}
