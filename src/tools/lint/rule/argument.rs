//! Something else is given, or awaited, than what is needed.

use super::{calls, form, keyword, positional, running};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::library::{self, Gives};
use crate::tools::lint::program::{At, Kind, Meaning, Program, Where};

/// `asyncio.wait([work()])`
pub fn wait(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (call, func, args, at) in calls(program) {
        if program.path(func, at).as_deref() == Some("asyncio.wait")
            && let Some(given) = positional(args, 0)
            && program
                .kinds_inside(given, at)
                .iter()
                .any(|kind| kind.is_coroutine())
            && !program.expects(at, "TypeError")
        {
            tell(
                call.span,
                "asyncio.wait takes tasks, not coroutines: make them with asyncio.create_task".into(),
            );
        }
    }
}

/// `await 3`, `await plain_function()`
pub fn awaited(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    // An object may be one of a class that derives from the one that is known.
    let may_be = program.mentioned.contains("__await__")
        || program.stmts.iter().any(|(stmt, _)| match &stmt.kind {
            StmtKind::Class(class) => !class.args.is_empty() && form::has(class, "__await__") == Some(true),
            _ => false,
        });
    for (expr, at) in &program.exprs {
        let ExprKind::Await(value) = &expr.kind else {
            continue;
        };
        if program.expects(*at, "TypeError") {
            continue;
        }
        let text = program.text(value);
        match program.kind(value, *at) {
            Kind::Plain if program.callee(value, *at).as_deref() == Some("time.sleep") => {}
            // That it should be a coroutine is told of there.
            Kind::Plain if running::is_of_old_coroutine(program, value, *at) => {}
            // That a loop is run here is told of already.
            _ if running::runs_loop(program, value, *at).is_some()
                && program.runs(*at).is_some_and(Where::is_in_loop) => {}
            Kind::Plain => tell(expr.span, format!("'{text}' gives nothing that can be awaited")),
            Kind::Object("concurrent.futures.Future") => tell(
                expr.span,
                format!("'{text}' is a future of threads: `await asyncio.wrap_future(…)`"),
            ),
            Kind::Object(class) => {
                let class = class.strip_prefix("builtins.").unwrap_or(class);
                tell(
                    expr.span,
                    format!("'{text}' is of {class}, which cannot be awaited"),
                );
            }
            Kind::AsyncContext => tell(
                expr.span,
                format!("'{text}' is entered with `async with`, and cannot be awaited"),
            ),
            Kind::Instance(class) if !may_be && form::has(class, "__await__") == Some(false) => tell(
                expr.span,
                format!(
                    "'{text}' is an object of '{}', which has no `__await__`",
                    class.name
                ),
            ),
            Kind::Unknown => {
                if let Meaning::Function(function) = program.meaning(value, *at)
                    && function.decorators.is_empty()
                {
                    tell(
                        expr.span,
                        format!("'{text}' is a function: call it, `await {text}(…)`"),
                    );
                }
            }
            _ => {}
        }
    }
}

/// `asyncio.run(main)`, `create_task(print())`
pub fn coroutine(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (call, _, args, at) in calls(program) {
        let Some(path) = program.callee(call, at) else {
            continue;
        };
        let only_coroutines = match &path[..] {
            "asyncio.create_task"
            | "prelude.spawn"
            | "asyncio.run"
            | "asyncio.TaskGroup.create_task"
            | "asyncio.loop.create_task"
            | "asyncio.Runner.run" => true,
            "asyncio.gather"
            | "asyncio.wait_for"
            | "asyncio.ensure_future"
            | "asyncio.shield"
            | "asyncio.loop.run_until_complete" => false,
            _ => continue,
        };
        if program.expects(at, "TypeError") || (path == "asyncio.run" && program.expects(at, "ValueError")) {
            continue;
        }
        let given = match path == "asyncio.gather" {
            true => args.len(),
            false => 1,
        };
        for arg in args.iter().take(given) {
            let Arg::Positional(value) = arg else { continue };
            let text = program.text(value);
            let message = match program.kind(value, at) {
                Kind::Plain => format!("a coroutine is needed here, and '{text}' gives none"),
                Kind::Task if only_coroutines => {
                    format!("'{text}' is a task already, and a coroutine is needed here")
                }
                Kind::Future if only_coroutines => {
                    format!("'{text}' is a future, and a coroutine is needed here")
                }
                Kind::AsyncGenerator => {
                    format!("'{text}' is an async generator, and a coroutine is needed here")
                }
                Kind::Unknown => match program.meaning(value, at) {
                    Meaning::Function(function) if function.decorators.is_empty() => {
                        format!("'{text}' is a function, and its coroutine is needed: write `{text}(…)`")
                    }
                    Meaning::Library(path)
                        if matches!(library::call(&path), Some(Gives::Coroutine | Gives::Sleep)) =>
                    {
                        format!("'{text}' is a function, and its coroutine is needed: write `{text}(…)`")
                    }
                    _ => continue,
                },
                _ => continue,
            };
            tell(value.span, message);
        }
    }
}

/// `loop.call_soon(async_function)`
pub fn callback(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (call, .., at) in calls(program) {
        let Some(Callback { given, is_dropped }) = callback_of(program, call, at) else {
            continue;
        };
        let given = match &given.plain().kind {
            ExprKind::Call { args, .. }
                if program.callee(given, at).as_deref() == Some("functools.partial") =>
            {
                positional(args, 0).unwrap_or(given)
            }
            _ => given,
        };
        let is_async = match program.meaning(given, at) {
            Meaning::Function(function) => {
                function.is_async && function.decorators.is_empty() && !program.yields(function)
            }
            _ => match &given.plain().kind {
                // What one makes whose result is dropped is told of there.
                ExprKind::Lambda(lambda) => {
                    let inside = program.place_of(&lambda.body);
                    !is_dropped && inside.is_some_and(|at| program.kind(&lambda.body, at).is_coroutine())
                }
                _ => program.kind(given, at).is_coroutine(),
            },
        };
        if is_async && !program.expects(at, "TypeError") {
            tell(
                given.span,
                format!(
                    "'{}' is only called here, never awaited: a coroutine is made and nothing of it runs",
                    program.text(given)
                ),
            );
        }
    }
}

/// A function that a call is given to be called later, or by somebody else.
pub struct Callback<'a> {
    pub given: &'a Expr,
    /// Nobody gets what it returns.
    pub is_dropped: bool,
}

/// The function that a call is given, if it is one of those that are given one.
pub fn callback_of<'a>(program: &Program<'a>, call: &'a Expr, at: At) -> Option<Callback<'a>> {
    const BY_NAME: usize = usize::MAX;
    let ExprKind::Call { func, args } = &call.kind else {
        return None;
    };
    let (place, is_dropped) = match program.callee(call, at).as_deref() {
        Some("asyncio.loop.call_soon" | "asyncio.loop.call_soon_threadsafe") => (0, true),
        Some("asyncio.Task.add_done_callback" | "asyncio.Future.add_done_callback") => (0, true),
        Some("asyncio.loop.call_later" | "asyncio.loop.call_at" | "asyncio.loop.add_signal_handler") => {
            (1, true)
        }
        Some("threading.Thread" | "threading.Timer" | "signal.signal") => (1, true),
        Some("atexit.register") => (0, true),
        Some("asyncio.loop.run_in_executor") => (1, false),
        Some("prelude.run_in_executor" | "asyncio.to_thread" | "builtins.filter") => (0, false),
        Some(
            "concurrent.futures.ThreadPoolExecutor.submit" | "concurrent.futures.ThreadPoolExecutor.map",
        ) => (0, false),
        Some("builtins.sorted" | "builtins.min" | "builtins.max") => (BY_NAME, false),
        // Nothing else has methods of these names.
        _ => match &func.plain().kind {
            ExprKind::Attribute { value, name, .. } => match name.text() {
                "call_soon" | "call_soon_threadsafe" | "add_done_callback" | "set_exception_handler" => {
                    (0, true)
                }
                "call_later" | "call_at" => (1, true),
                "sort" if !program.kind(value, at).is_instance() => (BY_NAME, false),
                _ => return None,
            },
            _ => return None,
        },
    };
    let mut names = ["target", "function", "key"].iter();
    let given = positional(args, place).or_else(|| names.find_map(|name| keyword(args, name)))?;
    Some(Callback { given, is_dropped })
}
