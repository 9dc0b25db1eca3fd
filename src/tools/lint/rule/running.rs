//! A loop runs where none may, or none where one must.

use super::{calls, positional};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Meaning, Program, UnitKind};
use std::ptr;

/// Functions that call functions are followed so far.
const LONGEST_CHAIN: u32 = 4;

/// `asyncio.run(…)` in a coroutine.
pub fn nested(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (call, _, _, at) in calls(program) {
        if !program.unit(at).is_coroutine() || program.expects(at, "RuntimeError") {
            continue;
        }
        if let Some(
            name @ ("asyncio.run"
            | "asyncio.loop.run_until_complete"
            | "asyncio.loop.run_forever"
            | "asyncio.Runner.run"),
        ) = program.callee(call, at).as_deref()
        {
            tell(
                call.span,
                format!("a loop is running here already, so '{name}' fails: use `await`"),
            );
        }
    }
}

/// `asyncio.create_task(…)` at the top of a module that does not await.
pub fn missing(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (call, func, args, at) in calls(program) {
        if !matches!(program.unit(at).kind, UnitKind::Module { awaits: false })
            || program.expects(at, "RuntimeError")
        {
            continue;
        }
        let is_work = positional(args, 0).is_none_or(|work| program.kind(work, at).is_coroutine());
        if let Some(path @ ("asyncio.create_task" | "asyncio.get_running_loop" | "asyncio.current_task")) =
            program.path(func, at).as_deref()
            && is_work
        {
            tell(call.span, format!("no loop is running here, so '{path}' fails"));
        }
    }
}

/// Whether a plain function is only ever called where no loop runs: at the top of a module that does not
/// await, by a thread, or by another such function.
pub fn has_no_loop(program: &Program, at: At) -> bool {
    is_only_run(program, at, true, LONGEST_CHAIN)
}

/// Whether a plain function is only ever run by threads, or by other such functions.
pub fn is_of_threads(program: &Program, at: At) -> bool {
    is_only_run(program, at, false, LONGEST_CHAIN)
}

/// Whether a plain function is only run by threads and, if `at_the_top`, by a module that does not await.
fn is_only_run(program: &Program, at: At, at_the_top: bool, left: u32) -> bool {
    let (Some(left), UnitKind::Function(function)) = (left.checked_sub(1), program.unit(at).kind) else {
        return at_the_top && matches!(program.unit(at).kind, UnitKind::Module { awaits: false });
    };
    let is_it = |expr: &Expr, at: At| matches!(program.meaning(expr, at), Meaning::Function(meant) if ptr::eq(meant, function));
    let mentions = |expr: &Expr, at: At| match &expr.kind {
        ExprKind::Name(_) => is_it(expr, at),
        ExprKind::Attribute { name, .. } => *name == function.name,
        _ => false,
    };
    let all = program.exprs.iter().filter(|(expr, at)| mentions(expr, *at));
    let harmless = calls(program).filter(|(call, func, args, at)| {
        let is_called = is_it(func, *at) && is_only_run(program, *at, at_the_top, left);
        is_called || (runs_in_thread(program, call, *at) && args.iter().any(|arg| is_it(arg.value(), *at)))
    });
    let (all, harmless) = (all.count(), harmless.count());
    !function.is_async && function.decorators.is_empty() && all > 0 && all == harmless
}

/// Whether a call gives a function to another thread.
fn runs_in_thread(program: &Program, call: &Expr, at: At) -> bool {
    matches!(
        program.callee(call, at).as_deref(),
        Some(
            "threading.Thread"
                | "threading.Timer"
                | "asyncio.to_thread"
                | "prelude.run_in_executor"
                | "asyncio.loop.run_in_executor"
                | "concurrent.futures.ThreadPoolExecutor.submit"
        )
    )
}

/// `asyncio.get_event_loop()` at the top of a module that never set a loop.
pub fn implicit(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    if program.mentioned.contains("set_event_loop") {
        return;
    }
    for (call, func, _, at) in calls(program) {
        if matches!(program.unit(at).kind, UnitKind::Module { awaits: false })
            && program.path(func, at).as_deref() == Some("asyncio.get_event_loop")
            && !program.expects(at, "RuntimeError")
        {
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
            ExprKind::YieldFrom(value) => {
                let kind = program.kind(value, *at);
                let is_made_awaitable = program.unit(*at).function().is_some_and(|function| {
                    !function.decorators.is_empty() || function.name.text() == "__await__"
                });
                if (kind.is_coroutine() || matches!(kind, Kind::AsyncGenerator))
                    && !is_made_awaitable
                    && !program.expects(*at, "TypeError")
                {
                    tell(
                        expr.span,
                        "`yield from` cannot wait for a coroutine: write `async def` and `await`".into(),
                    );
                }
            }
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
