//! The plain form where the `async` one is needed, and the other way round.

use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::library;
use crate::tools::lint::program::{At, Kind, Program};

/// `with lock:` for `async with lock:`, `for x in agen():` for `async for`.
pub fn with_and_for(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (stmt, at) in &program.stmts {
        match &stmt.kind {
            StmtKind::With { is_async, items, .. } => {
                for item in items {
                    with_item(program, &item.context, *is_async, *at, tell);
                }
            }
            StmtKind::For { is_async, iter, .. } => iterated(program, iter, *is_async, *at, tell),
            _ => {}
        }
    }
    for (expr, at) in &program.exprs {
        match &expr.kind {
            ExprKind::Comprehension(comprehension) => {
                for clause in comprehension.clauses.iter().take(1) {
                    iterated(program, &clause.iter, clause.is_async, *at, tell);
                }
            }
            ExprKind::Call { args, .. } if program.callee(expr, *at).is_some_and(|path| iterates(&path)) => {
                for arg in args {
                    if let Arg::Positional(value) = arg
                        && matches!(program.kind(value, *at), Kind::AsyncGenerator)
                    {
                        iterated(program, value, false, *at, tell);
                    }
                }
            }
            ExprKind::Await(value)
                if matches!(program.kind(value, *at), Kind::AsyncGenerator)
                    && !program.expects(*at, "TypeError") =>
            {
                tell(
                    expr.span,
                    "an async generator cannot be awaited: loop over it with `async for`".into(),
                );
            }
            _ => {}
        }
    }
}

fn with_item(program: &Program, context: &Expr, is_async: bool, at: At, tell: &mut dyn FnMut(Span, String)) {
    let needs_async = match program.kind(context, at) {
        Kind::AsyncContext => true,
        Kind::Object(class) if library::is_entered_async(class) => true,
        Kind::Object(class) if library::is_entered_plainly(class) => false,
        Kind::Instance(class) => match (has(class, "__enter__"), has(class, "__aenter__")) {
            (Some(false), Some(true)) => true,
            (Some(true), Some(false)) => false,
            _ => return,
        },
        _ => return,
    };
    if needs_async != is_async && !program.expects(at, "TypeError") {
        let (right, wrong) = match needs_async {
            true => ("async with", "with"),
            false => ("with", "async with"),
        };
        tell(
            context.span,
            format!(
                "'{}' is entered with `{right}`, not with `{wrong}`",
                program.text(context)
            ),
        );
    }
}

/// Whether a class has a method; none if it may inherit what is not seen.
pub fn has(class: &Class, method: &str) -> Option<bool> {
    let own = class.body.iter().any(|stmt| match &stmt.kind {
        StmtKind::Function(function) => function.name.text() == method,
        StmtKind::Assign { targets, .. } => targets
            .iter()
            .any(|target| matches!(target.kind, ExprKind::Name(name) if name.text() == method)),
        _ => false,
    });
    (own || (class.args.is_empty() && class.decorators.is_empty())).then_some(own)
}

/// Whether objects of a class can be looped over with `for`, and with `async for`.
fn loops(class: &Class) -> Option<(bool, bool)> {
    let plain = has(class, "__iter__")? || has(class, "__getitem__")?;
    Some((plain, has(class, "__aiter__")?))
}

fn iterated(program: &Program, iter: &Expr, is_async: bool, at: At, tell: &mut dyn FnMut(Span, String)) {
    if program.expects(at, "TypeError") {
        return;
    }
    let text = program.text(iter);
    match program.kind(iter, at) {
        Kind::AsyncGenerator if !is_async => {
            tell(
                iter.span,
                format!("'{text}' is an async generator: loop over it with `async for`"),
            );
        }
        Kind::Instance(class) if !is_async && loops(class) == Some((false, true)) => {
            tell(
                iter.span,
                format!("'{text}' has no `__iter__`, but `__aiter__`: loop over it with `async for`"),
            );
        }
        Kind::Instance(class) if is_async && loops(class) == Some((true, false)) => {
            tell(
                iter.span,
                format!("'{text}' has no `__aiter__`, but `__iter__`: loop over it with `for`"),
            );
        }
        Kind::Plain if is_async => {
            tell(
                iter.span,
                format!("'{text}' is looped over with `for`, not with `async for`"),
            );
        }
        _ => {}
    }
}

/// Whether a function loops over what it is given.
pub fn iterates(path: &str) -> bool {
    let name = path.strip_prefix("builtins.").unwrap_or_default();
    matches!(
        name,
        "list"
            | "tuple"
            | "set"
            | "frozenset"
            | "sorted"
            | "enumerate"
            | "zip"
            | "sum"
            | "min"
            | "max"
            | "any"
            | "all"
            | "iter"
            | "next"
    )
}

/// `async def __init__`
pub fn special_method(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    const PLAIN: &[&str] = &[
        "__init__",
        "__post_init__",
        "__init_subclass__",
        "__set_name__",
        "__del__",
        "__setattr__",
        "__delattr__",
        "__setitem__",
        "__delitem__",
        "__eq__",
        "__ne__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__index__",
        "__bytes__",
        "__enter__",
        "__exit__",
        "__iter__",
        "__next__",
        "__len__",
        "__str__",
        "__repr__",
        "__bool__",
        "__hash__",
        "__contains__",
        "__int__",
        "__float__",
        "__format__",
        "__aiter__",
        "__await__",
    ];
    for (stmt, _) in &program.stmts {
        let StmtKind::Class(class) = &stmt.kind else {
            continue;
        };
        for stmt in &class.body {
            if let StmtKind::Function(function) = &stmt.kind
                && function.is_async
                && PLAIN.contains(&function.name.text())
                && !program.yields(function)
            {
                let name = function.name;
                tell(
                    function.header,
                    format!("Python calls '{name}' without awaiting it, so it cannot be `async def`"),
                );
            }
        }
    }
}
