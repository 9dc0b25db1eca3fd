//! What is legal, but hardly meant: CPython warns of it when it compiles a text.

use super::ast::*;
use crate::source::Span;

/// A `SyntaxWarning`, in CPython 3.13's words.
#[derive(Debug, Clone)]
pub struct SyntaxWarning {
    pub message: String,
    pub span: Span,
}

/// Finds what can be seen in the tree, in the order of the text.
pub(super) fn find(body: &[Stmt], found: &mut Vec<SyntaxWarning>) {
    Search { found }.block(body);
}

struct Search<'a> {
    found: &'a mut Vec<SyntaxWarning>,
}

impl Search<'_> {
    fn warn(&mut self, message: impl Into<String>, span: Span) {
        let message = message.into();
        self.found.push(SyntaxWarning { message, span });
    }

    fn block(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if let StmtKind::Assert { test, .. } = &stmt.kind
                && let ExprKind::Tuple(items) = &test.plain().kind
                && !items.is_empty()
            {
                self.warn("assertion is always true, perhaps remove parentheses?", stmt.span);
            }
            stmt.each_expr(&mut |expr| self.expr(expr));
            match &stmt.kind {
                StmtKind::Function(function) => self.block(&function.body),
                StmtKind::Class(class) => self.block(&class.body),
                _ => stmt.blocks().into_iter().for_each(|block| self.block(block)),
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Compare { left, rest } => self.comparison(left, rest, expr.span),
            ExprKind::Call { func, .. } => self.call(func),
            ExprKind::Subscript { value, index } => self.subscript(value, index, expr.span),
            _ => {}
        }
        expr.each_child(&mut |child| self.expr(child));
        match &expr.kind {
            ExprKind::Lambda(lambda) => self.expr(&lambda.body),
            ExprKind::Comprehension(it) => it.each_inner(&mut |inner| self.expr(inner)),
            _ => {}
        }
    }

    /// `x is 5`: the first such operand is told.
    fn comparison(&mut self, left: &Expr, rest: &[(CompareOp, Expr)], span: Span) {
        let mut before = literal(left);
        for (op, right) in rest {
            let after = literal(right);
            let (is, equals) = match op {
                CompareOp::Is => ("is", "=="),
                CompareOp::IsNot => ("is not", "!="),
                _ => ("", ""),
            };
            if let Some(kind) = before.or(after)
                && !is.is_empty()
            {
                let message = format!("\"{is}\" with '{kind}' literal. Did you mean \"{equals}\"?");
                return self.warn(message, span);
            }
            before = after;
        }
    }

    /// `[1, 2] (3)`: what is called can never be.
    fn call(&mut self, func: &Expr) {
        let func = func.plain();
        if let Some(kind) = kind(func)
            && kind != "function"
        {
            let message = format!("'{kind}' object is not callable; perhaps you missed a comma?");
            self.warn(message, func.span);
        }
    }

    /// `{1} [2]`, `[1] ["a"]`: what can never be subscripted, or never so.
    fn subscript(&mut self, value: &Expr, index: &Expr, span: Span) {
        let Some(kind) = kind(value.plain()) else { return };
        if matches!(kind, "str" | "bytes" | "tuple" | "list") {
            let Some(
                by @ ("float" | "NoneType" | "ellipsis" | "str" | "bytes" | "tuple" | "list" | "dict" | "set"
                | "generator" | "function"),
            ) = self::kind(index.plain())
            else {
                return;
            };
            let message =
                format!("{kind} indices must be integers or slices, not {by}; perhaps you missed a comma?");
            self.warn(message, span);
        } else if kind != "dict" {
            let message = format!("'{kind}' object is not subscriptable; perhaps you missed a comma?");
            self.warn(message, span);
        }
    }
}

/// The class of what an expression always makes, if its form says so.
fn kind(expr: &Expr) -> Option<&'static str> {
    Some(match &expr.kind {
        ExprKind::Constant(constant) => match constant {
            Constant::None => "NoneType",
            Constant::True | Constant::False => "bool",
            Constant::Ellipsis => "ellipsis",
            Constant::Int(_) | Constant::BigInt(_) => "int",
            Constant::Float(_) => "float",
            Constant::Str(_) => "str",
            Constant::Bytes(_) => "bytes",
        },
        ExprKind::FString(_) => "str",
        ExprKind::Tuple(_) => "tuple",
        ExprKind::List(_) => "list",
        ExprKind::Set(_) => "set",
        ExprKind::Dict(_) => "dict",
        ExprKind::Lambda(_) => "function",
        ExprKind::Comprehension(it) => match it.kind {
            ComprehensionKind::List => "list",
            ComprehensionKind::Set => "set",
            ComprehensionKind::Dict => "dict",
            ComprehensionKind::Generator => "generator",
        },
        _ => return None,
    })
}

/// The class of a constant whose identity says nothing: not that of `None` and its like.
fn literal(expr: &Expr) -> Option<&'static str> {
    let expr = expr.plain();
    match &expr.kind {
        ExprKind::Constant(Constant::None | Constant::True | Constant::False | Constant::Ellipsis) => None,
        ExprKind::Constant(_) => kind(expr),
        ExprKind::Unary { op, operand } if *op != UnaryOp::Not => {
            literal(operand).filter(|kind| matches!(*kind, "int" | "float"))
        }
        ExprKind::Tuple(items) if items.iter().all(is_constant) => Some("tuple"),
        _ => None,
    }
}

fn is_constant(expr: &Expr) -> bool {
    matches!(expr.plain().kind, ExprKind::Constant(_)) || literal(expr).is_some()
}
