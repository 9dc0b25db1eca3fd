//! A coroutine, a task or a gather where its result is meant.

use super::form::iterates;
use super::method_call;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Kind, Program};

/// `if is_ready():`, `fetch() + 1`, where the function is `async def`; the same with a variable that is
/// always such a coroutine.
pub fn value(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    let mut uses = Uses {
        program,
        tell,
        made_elsewhere: Vec::new(),
    };
    for (stmt, at) in &program.stmts {
        uses.in_statement(stmt, *at);
    }
    for (expr, at) in &program.exprs {
        uses.in_expression(expr, *at);
    }
    for items in uses.made_elsewhere {
        let text = program.text(items);
        tell(
            items.span,
            format!("what is in '{text}' are no results yet: `await asyncio.gather(*…)` gives those"),
        );
    }
}

/// Looks at what values are used as.
struct Uses<'p, 'a> {
    program: &'p Program<'a>,
    tell: &'p mut dyn FnMut(Span, String),
    /// Containers of what should have been awaited, which were filled before they are used.
    made_elsewhere: Vec<&'a Expr>,
}

impl<'a> Uses<'_, 'a> {
    /// Tells of a value that is used as what it is not before it is awaited.
    fn check(&mut self, expr: &Expr, at: At, use_as: Use) {
        let (program, value) = (self.program, expr.plain());
        match &value.kind {
            // Those before the last one are conditions, and looked at as such.
            ExprKind::BoolOp { values, .. } => {
                let last = values.last();
                return last.iter().for_each(|last| self.check(last, at, use_as));
            }
            ExprKind::IfElse { body, orelse, .. } => {
                self.check(body, at, use_as);
                return self.check(orelse, at, use_as);
            }
            _ => {}
        }
        let is_sure = matches!(
            value.kind,
            ExprKind::Call { .. } | ExprKind::Name(_) | ExprKind::Walrus { .. } | ExprKind::Subscript { .. }
        ) || program.is_property(value, at);
        let what = match program.kind(value, at) {
            kind if kind.is_coroutine() && is_sure => "coroutine",
            Kind::Task if use_as.is_of_result() => "task",
            Kind::Future if use_as.is_of_result() => "future",
            _ => return,
        };
        if !program.expects(at, use_as.error()) {
            let text = program.text(value);
            let write = use_as.instead();
            (self.tell)(
                value.span,
                format!("'{text}' is a {what}, not its result: {write}"),
            );
        }
    }

    fn in_statement(&mut self, stmt: &Stmt, at: At) {
        match &stmt.kind {
            StmtKind::If { test, .. } | StmtKind::While { test, .. } | StmtKind::Assert { test, .. } => {
                self.check(test, at, Use::Condition);
            }
            StmtKind::For { is_async, iter, .. } => {
                self.check(iter, at, if *is_async { Use::AsyncLoop } else { Use::Value });
            }
            StmtKind::AugAssign { value, .. } => self.check(value, at, Use::Value),
            StmtKind::Match { subject, .. } => self.check(subject, at, Use::Equal),
            StmtKind::With { items, .. } => {
                items
                    .iter()
                    .for_each(|item| self.check(&item.context, at, Use::Value));
            }
            StmtKind::Assign { targets, value } => {
                let is_unpacked =
                    |target: &Expr| matches!(target.plain().kind, ExprKind::Tuple(_) | ExprKind::List(_));
                if targets.iter().any(is_unpacked) {
                    self.check(value, at, Use::Value);
                }
            }
            _ => {}
        }
    }

    fn in_expression(&mut self, expr: &'a Expr, at: At) {
        match &expr.kind {
            ExprKind::IfElse { test, .. } => self.check(test, at, Use::Condition),
            ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            } => self.check(operand, at, Use::Condition),
            ExprKind::Unary { operand, .. } => self.check(operand, at, Use::Value),
            ExprKind::BoolOp { values, .. } => {
                // The last one is no condition: it is given as it is.
                let conditions = values.split_last().map_or(&[][..], |(_, before)| before);
                conditions
                    .iter()
                    .for_each(|value| self.check(value, at, Use::Condition));
            }
            ExprKind::Comprehension(made) => self.in_comprehension(made, at),
            ExprKind::Call { args, .. } => self.in_call(expr, args, at),
            // `f"{price():.2f}"`
            ExprKind::FString(parts) => {
                let fields = parts.iter().filter_map(FStringPart::field);
                let formatted = fields.filter(|field| field.is_formatted());
                formatted.for_each(|field| self.check(&field.value, at, Use::Value));
            }
            ExprKind::Binary { left, right, .. } => {
                self.check(left, at, Use::Value);
                self.check(right, at, Use::Value);
            }
            ExprKind::Compare { left, rest } => self.in_comparison(left, rest, at),
            ExprKind::Subscript { value, index } => {
                self.check(value, at, Use::Value);
                self.check(index, at, Use::Equal);
            }
            ExprKind::Attribute { value, name, .. } => {
                let name = name.text();
                let is_own = matches!(name, "send" | "throw" | "close")
                    || name.starts_with("cr_")
                    || name.starts_with("__");
                if !is_own {
                    self.check(value, at, Use::Attribute);
                }
            }
            _ => {}
        }
    }

    fn in_comprehension(&mut self, made: &Comprehension, at: At) {
        if let Some(first) = made.clauses.first() {
            self.check(&first.iter, at, Use::Value);
        }
        for condition in made.clauses.iter().flat_map(|clause| &clause.conditions) {
            if let Some(at) = self.program.place_of(condition) {
                self.check(condition, at, Use::Condition);
            }
        }
    }

    fn in_comparison(&mut self, left: &Expr, rest: &[(CompareOp, Expr)], at: At) {
        if let [(CompareOp::Is | CompareOp::IsNot, other)] = rest
            && matches!(other.plain().kind, ExprKind::Constant(Constant::None))
            && !matches!(left.plain().kind, ExprKind::Subscript { .. })
            && !is_awaited(self.program, left, at)
        {
            self.check(left, at, Use::NotNone);
        }
        if rest
            .iter()
            .any(|(op, _)| matches!(op, CompareOp::Is | CompareOp::IsNot))
        {
            return;
        }
        let is_order = |op: &CompareOp| {
            matches!(
                op,
                CompareOp::Lt | CompareOp::LtE | CompareOp::Gt | CompareOp::GtE
            )
        };
        let use_as = match rest.iter().all(|(op, _)| is_order(op)) {
            true => Use::Value,
            false => Use::Equal,
        };
        self.check(left, at, use_as);
        rest.iter()
            .for_each(|(_, operand)| self.check(operand, at, use_as));
    }

    fn in_call(&mut self, call: &'a Expr, args: &'a [Arg], at: At) {
        for arg in args {
            if let Arg::Star(value) | Arg::DoubleStar(value) = arg {
                self.check(value, at, Use::Value);
            }
        }
        let callee = self.program.callee(call, at);
        let callee = callee.as_deref().unwrap_or_default();
        match (callee, method_call(call), args) {
            // `sum(price(x) for x in items)`
            ("builtins.sum", _, [Arg::Positional(items), ..])
            | ("builtins.min" | "builtins.max", _, [Arg::Positional(items)]) => {
                self.in_items(items, at, Use::Value);
            }
            // `all(is_ready(x) for x in items)`
            ("builtins.all" | "builtins.any", _, [Arg::Positional(items)]) => {
                self.in_items(items, at, Use::Condition);
            }
            // `", ".join(word(x) for x in items)`
            (_, Some((text, "join", [Arg::Positional(items)])), _)
                if matches!(text.plain().kind, ExprKind::Constant(Constant::Str(_))) =>
            {
                self.in_items(items, at, Use::Value);
            }
            // `asyncio.sleep(delay())`
            (
                "asyncio.sleep" | "prelude.sleep" | "time.sleep" | "json.dumps" | "json.loads",
                _,
                [Arg::Positional(used), ..],
            ) => self.check(used, at, Use::Value),
            // `items.extend(load())`
            (_, Some((object, "extend" | "update", [Arg::Positional(used), ..])), _)
                if matches!(self.program.kind(object, at), Kind::Plain) =>
            {
                self.check(used, at, Use::Value);
            }
            _ => {}
        }
        if !takes_apart(callee) {
            return;
        }
        // A future is its own iterator, for those who write `__await__`.
        let use_as = match callee {
            "builtins.iter" => Use::Equal,
            _ => Use::Value,
        };
        for arg in args {
            if let Arg::Positional(value) = arg {
                self.check(value, at, use_as);
            }
        }
    }

    /// Each item of a container is used as a value.
    fn in_items(&mut self, items: &'a Expr, at: At, use_as: Use) {
        let is_here = |item: &Expr| items.span.start <= item.span.start && item.span.end <= items.span.end;
        let mut is_told = false;
        for (item, at) in self.program.inside(items, at) {
            if is_here(item) {
                self.check(item, at, use_as);
                is_told = true;
            }
        }
        let is_wrong = |kind: Kind| match use_as.is_of_result() {
            true => kind.is_waited_for(),
            false => kind.is_coroutine(),
        };
        let mut kinds = self.program.kinds_inside(items, at).into_iter();
        if !is_told && kinds.any(is_wrong) && !self.program.expects(at, "TypeError") {
            self.made_elsewhere.push(items);
        }
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
    /// Whether tasks and futures cannot be used so either.
    fn is_of_result(self) -> bool {
        matches!(self, Use::Value | Use::AsyncLoop)
    }

    /// The error that it ends in.
    fn error(self) -> &'static str {
        match self {
            Use::Attribute => "AttributeError",
            _ => "TypeError",
        }
    }

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
