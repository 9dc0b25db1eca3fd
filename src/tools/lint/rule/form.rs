//! The plain form where the `async` one is needed, and the other way round.

use super::method_call;
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

/// `if is_ready():`, `fetch() + 1`, where the function is `async def`; the same with a variable that is
/// always such a coroutine.
pub fn value(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let mut made_elsewhere = Vec::new();
    let mut check = |expr: &Expr, at: At, use_as: Use| {
        let value = expr.plain();
        let is_sure = matches!(
            value.kind,
            ExprKind::Call { .. } | ExprKind::Name(_) | ExprKind::Walrus { .. } | ExprKind::Subscript { .. }
        ) || program.is_property(value, at);
        let (what, write) = match program.kind(value, at) {
            kind if kind.is_coroutine() && is_sure => ("coroutine", use_as.instead()),
            Kind::Task if matches!(use_as, Use::Value | Use::AsyncLoop) => ("task", use_as.instead()),
            Kind::Future if matches!(use_as, Use::Value | Use::AsyncLoop) => ("future", use_as.instead()),
            _ => return,
        };
        let error = if use_as == Use::Attribute {
            "AttributeError"
        } else {
            "TypeError"
        };
        if !program.expects(at, error) {
            let text = program.text(value);
            tell(
                value.span,
                format!("'{text}' is a {what}, not its result: {write}"),
            );
        }
    };
    for (stmt, at) in &program.stmts {
        match &stmt.kind {
            StmtKind::If { test, .. } | StmtKind::While { test, .. } | StmtKind::Assert { test, .. } => {
                check(test, *at, Use::Condition);
            }
            StmtKind::For { is_async, iter, .. } => {
                check(iter, *at, if *is_async { Use::AsyncLoop } else { Use::Value });
            }
            StmtKind::AugAssign { value, .. } => check(value, *at, Use::Value),
            StmtKind::With { items, .. } => {
                items
                    .iter()
                    .for_each(|item| check(&item.context, *at, Use::Value));
            }
            StmtKind::Assign { targets, value } => {
                let is_unpacked =
                    |target: &Expr| matches!(target.plain().kind, ExprKind::Tuple(_) | ExprKind::List(_));
                if targets.iter().any(is_unpacked) {
                    check(value, *at, Use::Value);
                }
            }
            _ => {}
        }
    }
    for (expr, at) in &program.exprs {
        match &expr.kind {
            ExprKind::IfElse { test, .. } => check(test, *at, Use::Condition),
            ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            } => check(operand, *at, Use::Condition),
            ExprKind::Unary { operand, .. } => check(operand, *at, Use::Value),
            ExprKind::BoolOp { values, .. } => {
                // The last one is no condition: it is given as it is.
                let conditions = values.split_last().map_or(&[][..], |(_, before)| before);
                conditions
                    .iter()
                    .for_each(|value| check(value, *at, Use::Condition));
            }
            ExprKind::Comprehension(comprehension) => {
                let first = comprehension.clauses.iter().take(1);
                first.for_each(|clause| check(&clause.iter, *at, Use::Value));
                for condition in comprehension.clauses.iter().flat_map(|clause| &clause.conditions) {
                    if let Some(at) = program.place_of(condition) {
                        check(condition, at, Use::Condition);
                    }
                }
            }
            ExprKind::Call { args, .. } => {
                for arg in args {
                    if let Arg::Star(value) | Arg::DoubleStar(value) = arg {
                        check(value, *at, Use::Value);
                    }
                }
                // `", ".join(word(x) for x in items)`
                let joined = match method_call(expr) {
                    Some((text, "join", [Arg::Positional(items)]))
                        if matches!(text.plain().kind, ExprKind::Constant(Constant::Str(_))) =>
                    {
                        Some(items)
                    }
                    _ => None,
                };
                // `sum(price(x) for x in items)`
                let added = match (program.callee(expr, *at).as_deref(), &args[..]) {
                    (Some("builtins.sum"), [Arg::Positional(items), ..])
                    | (Some("builtins.min" | "builtins.max"), [Arg::Positional(items)]) => Some(items),
                    _ => None,
                };
                for items in joined.into_iter().chain(added) {
                    let is_here =
                        |item: &Expr| items.span.start <= item.span.start && item.span.end <= items.span.end;
                    let (here, elsewhere): (Vec<_>, Vec<_>) = program
                        .inside(items, *at)
                        .into_iter()
                        .partition(|(item, _)| is_here(item));
                    here.into_iter()
                        .for_each(|(item, at)| check(item, at, Use::Value));
                    let mut kinds = elsewhere.iter().map(|(item, at)| program.kind(item, *at));
                    if kinds.any(Kind::is_waited_for) && !program.expects(*at, "TypeError") {
                        made_elsewhere.push(items);
                    }
                }
                // `asyncio.sleep(delay())`, `items.extend(load())`
                let used = match (program.callee(expr, *at).as_deref(), method_call(expr)) {
                    (
                        Some("asyncio.sleep" | "prelude.sleep" | "time.sleep" | "json.dumps" | "json.loads"),
                        _,
                    ) => args.first(),
                    (_, Some((object, "extend" | "update", args)))
                        if matches!(program.kind(object, *at), Kind::Plain) =>
                    {
                        args.first()
                    }
                    _ => None,
                };
                if let Some(Arg::Positional(used)) = used {
                    check(used, *at, Use::Value);
                }
                if !program.callee(expr, *at).is_some_and(|path| takes_apart(&path)) {
                    continue;
                }
                let looks_at = program.callee(expr, *at).is_some_and(|path| looks_at(&path));
                // A future is its own iterator, for those who write `__await__`.
                let is_iter = program.callee(expr, *at).as_deref() == Some("builtins.iter");
                let use_as = if is_iter { Use::Equal } else { Use::Value };
                for arg in args {
                    // `all(is_ready(x) for x in items)`
                    if looks_at
                        && let ExprKind::Comprehension(made) = &arg.value().plain().kind
                        && let Some(at) = program.place_of(&made.element)
                    {
                        check(&made.element, at, Use::Condition);
                    }
                    if let Arg::Positional(value) = arg {
                        check(value, *at, use_as);
                    }
                }
            }
            // `f"{price():.2f}"`
            ExprKind::FString(parts) => {
                let fields = parts.iter().filter_map(FStringPart::field);
                let formatted = fields.filter(|field| field.is_formatted());
                formatted.for_each(|field| check(&field.value, *at, Use::Value));
            }
            ExprKind::Binary { left, right, .. } => {
                check(left, *at, Use::Value);
                check(right, *at, Use::Value);
            }
            ExprKind::Compare { left, rest } => {
                let is_identity = rest
                    .iter()
                    .any(|(op, _)| matches!(op, CompareOp::Is | CompareOp::IsNot));
                let is_order = rest.iter().all(|(op, _)| {
                    matches!(
                        op,
                        CompareOp::Lt | CompareOp::LtE | CompareOp::Gt | CompareOp::GtE
                    )
                });
                let use_as = if is_order { Use::Value } else { Use::Equal };
                if let [(CompareOp::Is | CompareOp::IsNot, other)] = &rest[..]
                    && matches!(other.plain().kind, ExprKind::Constant(Constant::None))
                    && !matches!(left.plain().kind, ExprKind::Subscript { .. })
                    && !is_awaited(program, left, *at)
                {
                    check(left, *at, Use::NotNone);
                }
                if !is_identity {
                    check(left, *at, use_as);
                    rest.iter().for_each(|(_, operand)| check(operand, *at, use_as));
                }
            }
            ExprKind::Subscript { value, index } => {
                check(value, *at, Use::Value);
                check(index, *at, Use::Equal);
            }
            ExprKind::Attribute { value, name, .. } => {
                let name = name.text();
                let is_own = matches!(name, "send" | "throw" | "close")
                    || name.starts_with("cr_")
                    || name.starts_with("__");
                if !is_own {
                    check(value, *at, Use::Attribute);
                }
            }
            _ => {}
        }
    }
    for items in made_elsewhere {
        let text = program.text(items);
        tell(
            items.span,
            format!("what is in '{text}' are no results yet: `await asyncio.gather(*…)` gives those"),
        );
    }
}

/// What a value is used as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It is true or not.
    Condition,
    /// It is None or not.
    NotNone,
    /// It is equal to another one or not, which tasks and futures may be asked as well.
    Equal,
    /// A number, a text, a row of values.
    Value,
    /// It is looped over with `async for`.
    AsyncLoop,
    /// Something with attributes, of which tasks and futures have some as well.
    Attribute,
}

impl Use {
    fn instead(self) -> &'static str {
        match self {
            Use::Condition => "as a condition it is always true; write `await`",
            Use::NotNone => "it is never None; write `await`",
            Use::AsyncLoop => "write `await` before it, and loop over that with `for`",
            Use::Equal | Use::Value | Use::Attribute => "write `await` before it",
        }
    }
}

/// Whether a function looks into what it is given, be it a number, a text or a row of values.
fn takes_apart(path: &str) -> bool {
    let name = path.strip_prefix("builtins.").unwrap_or_default();
    iterates(path)
        || matches!(
            name,
            "len" | "int" | "float" | "abs" | "round" | "reversed" | "range" | "divmod" | "pow" | "chr"
        )
}

/// Whether a variable is awaited somewhere, so that it is known to be a coroutine.
fn is_awaited(program: &Program, variable: &Expr, at: At) -> bool {
    program.exprs.iter().any(|(expr, place)| match &expr.kind {
        ExprKind::Await(value) => program.is_same((value, *place), (variable, at)),
        _ => false,
    })
}

/// Whether a function asks of each item whether it is true.
fn looks_at(path: &str) -> bool {
    matches!(path, "builtins.all" | "builtins.any")
}

/// Whether a function loops over what it is given.
fn iterates(path: &str) -> bool {
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
