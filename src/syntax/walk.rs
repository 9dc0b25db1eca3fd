//! Walks over the syntax tree: what stands directly inside a statement, an expression, a pattern.
//!
//! Always true: children come in the order of the text; the parts of a nested function, lambda or
//! comprehension that belong to a scope of their own are left to the caller, who opens that scope.

use super::ast::*;

impl Stmt {
    /// Calls `f` with each expression directly inside this statement, those of blocks in it left
    /// out; of a function or class, what is evaluated where it is defined.
    pub fn each_expr<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            StmtKind::Expr(value) => f(value),
            StmtKind::Assign { targets, value } => {
                f(value);
                targets.iter().for_each(f);
            }
            StmtKind::AugAssign { target, value, .. } => {
                f(target);
                f(value);
            }
            StmtKind::AnnAssign { target, value, .. } => {
                value.iter().for_each(&mut *f);
                f(target);
            }
            StmtKind::Del(targets) => targets.iter().for_each(f),
            StmtKind::Return(value) => value.iter().for_each(f),
            StmtKind::Raise { exc, cause } => exc.iter().chain(cause).for_each(f),
            StmtKind::Assert { test, message } => {
                f(test);
                message.iter().for_each(f);
            }
            StmtKind::If { test, .. } | StmtKind::While { test, .. } => f(test),
            StmtKind::For { target, iter, .. } => {
                f(iter);
                f(target);
            }
            StmtKind::Try { handlers, .. } => handlers.iter().filter_map(|h| h.kind.as_ref()).for_each(f),
            StmtKind::With { items, .. } => {
                for item in items {
                    f(&item.context);
                    item.target.iter().for_each(&mut *f);
                }
            }
            StmtKind::Match { subject, cases } => {
                f(subject);
                for case in cases {
                    case.pattern.each_expr(f);
                    case.guard.iter().for_each(&mut *f);
                }
            }
            StmtKind::Function(function) => {
                function.decorators.iter().for_each(&mut *f);
                function.params.each_default(f);
            }
            StmtKind::Class(class) => {
                class.decorators.iter().for_each(&mut *f);
                class.args.iter().map(Arg::value).for_each(f);
            }
            StmtKind::Pass
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Global(_)
            | StmtKind::Nonlocal(_)
            | StmtKind::Import(_)
            | StmtKind::ImportFrom { .. }
            | StmtKind::Outside(_) => {}
        }
    }

    /// The blocks directly inside this statement; a function's and a class's body are none of them.
    pub fn blocks(&self) -> Vec<&[Stmt]> {
        match &self.kind {
            StmtKind::If { body, orelse, .. }
            | StmtKind::While { body, orelse, .. }
            | StmtKind::For { body, orelse, .. } => vec![body, orelse],
            StmtKind::Try {
                body,
                handlers,
                orelse,
                finalbody,
                ..
            } => {
                let mut blocks: Vec<&[Stmt]> = vec![body];
                blocks.extend(handlers.iter().map(|handler| &handler.body[..]));
                blocks.extend([&orelse[..], &finalbody[..]]);
                blocks
            }
            StmtKind::With { body, .. } => vec![body],
            StmtKind::Match { cases, .. } => cases.iter().map(|case| &case.body[..]).collect(),
            _ => vec![],
        }
    }
}

impl Pattern {
    /// Calls `f` with each expression in the pattern.
    pub fn each_expr<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            PatternKind::Value(value) => f(value),
            PatternKind::Singleton(_) | PatternKind::Star(_) => {}
            PatternKind::As { pattern, .. } => {
                if let Some(pattern) = pattern {
                    pattern.each_expr(f);
                }
            }
            PatternKind::Or(patterns) | PatternKind::Sequence(patterns) => {
                patterns.iter().for_each(|pattern| pattern.each_expr(f));
            }
            PatternKind::Mapping { keys, patterns, .. } => {
                keys.iter().for_each(&mut *f);
                patterns.iter().for_each(|pattern| pattern.each_expr(f));
            }
            PatternKind::Class {
                cls,
                patterns,
                keywords,
            } => {
                f(cls);
                patterns.iter().for_each(|pattern| pattern.each_expr(f));
                keywords.iter().for_each(|(_, pattern)| pattern.each_expr(f));
            }
        }
    }
}

impl Params {
    /// Calls `f` with each default value.
    pub fn each_default<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        let all = self.posonly.iter().chain(&self.args).chain(&self.kwonly);
        all.filter_map(|param| param.default.as_ref()).for_each(f);
    }
}

impl Arg {
    /// What is given, however it is given.
    pub fn value(&self) -> &Expr {
        match self {
            Arg::Positional(value) | Arg::Star(value) | Arg::DoubleStar(value) => value,
            Arg::Keyword { value, .. } => value,
        }
    }
}

impl Expr {
    /// The expression without parentheses around it.
    pub fn plain(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// Calls `f` with each expression directly inside this one. Of a lambda these are the defaults,
    /// of a comprehension the first iterable: the rest belongs to scopes of their own.
    pub fn each_child<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            ExprKind::Constant(_) | ExprKind::Name(_) => {}
            ExprKind::FString(parts) => each_field(parts, f),
            ExprKind::BoolOp { values, .. } => values.iter().for_each(f),
            ExprKind::Walrus { value, .. }
            | ExprKind::Await(value)
            | ExprKind::YieldFrom(value)
            | ExprKind::Starred(value)
            | ExprKind::Paren(value)
            | ExprKind::Attribute { value, .. }
            | ExprKind::Unary { operand: value, .. } => f(value),
            ExprKind::Binary { left, right, .. } => {
                f(left);
                f(right);
            }
            ExprKind::Lambda(lambda) => lambda.params.each_default(f),
            ExprKind::IfElse { test, body, orelse } => {
                f(test);
                f(body);
                f(orelse);
            }
            ExprKind::Dict(items) => {
                for item in items {
                    match item {
                        DictItem::Pair(key, value) => {
                            f(key);
                            f(value);
                        }
                        DictItem::Unpack(value) => f(value),
                    }
                }
            }
            ExprKind::Set(items) | ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().for_each(f),
            ExprKind::Comprehension(comprehension) => {
                comprehension
                    .clauses
                    .iter()
                    .take(1)
                    .for_each(|first| f(&first.iter));
            }
            ExprKind::Yield(value) => value.iter().for_each(|value| f(value)),
            ExprKind::Compare { left, rest } => {
                f(left);
                rest.iter().for_each(|(_, operand)| f(operand));
            }
            ExprKind::Call { func, args } => {
                f(func);
                args.iter().map(Arg::value).for_each(f);
            }
            ExprKind::Subscript { value, index } => {
                f(value);
                f(index);
            }
            ExprKind::Slice { lower, upper, step } => {
                [lower, upper, step]
                    .into_iter()
                    .flatten()
                    .for_each(|part| f(part));
            }
        }
    }
}

impl Comprehension {
    /// Calls `f` with each expression of the comprehension's own scope: all but the first iterable.
    pub fn each_inner<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        for (n, clause) in self.clauses.iter().enumerate() {
            if n > 0 {
                f(&clause.iter);
            }
            f(&clause.target);
            clause.conditions.iter().for_each(&mut *f);
        }
        self.key.iter().for_each(&mut *f);
        f(&self.element);
    }
}

fn each_field<'a>(parts: &'a [FStringPart], f: &mut dyn FnMut(&'a Expr)) {
    for part in parts {
        if let FStringPart::Field(field) = part {
            f(&field.value);
            each_field(field.spec.as_deref().unwrap_or_default(), f);
        }
    }
}
