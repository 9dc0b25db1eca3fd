//! What runs as part of a body: functions, lambdas and generators in it do not.

use crate::syntax::ast::*;

/// Whether a `return` in a body gives something else than None.
pub fn gives_value(body: &[Stmt]) -> bool {
    let mut given = returns(body).into_iter().flatten();
    given.any(|value| !matches!(value.plain().kind, ExprKind::Constant(Constant::None)))
}

/// What each `return` in a body gives; nothing for a bare one.
pub fn returns(body: &[Stmt]) -> Vec<Option<&Expr>> {
    let mut found = Vec::new();
    each_stmt(body, &mut |stmt| {
        if let StmtKind::Return(value) = &stmt.kind {
            found.push(value.as_ref());
        }
    });
    found
}

/// Calls `f` with each statement of a body, blocks in it included, functions and classes not.
pub fn each_stmt<'a>(body: &'a [Stmt], f: &mut dyn FnMut(&'a Stmt)) {
    for stmt in body {
        f(stmt);
        stmt.blocks().into_iter().for_each(|block| each_stmt(block, f));
    }
}

/// Calls `f` with each expression that runs as part of a body; those of nested functions do not.
pub fn each_expr<'a>(body: &'a [Stmt], f: &mut dyn FnMut(&'a Expr)) {
    each_stmt(body, &mut |stmt| {
        stmt.each_expr(&mut |expr| each_expr_in(expr, f))
    });
}

/// The same for an expression, itself first.
pub fn each_expr_in<'a>(expr: &'a Expr, f: &mut dyn FnMut(&'a Expr)) {
    f(expr);
    expr.each_child(&mut |child| each_expr_in(child, f));
    if let ExprKind::Comprehension(comprehension) = &expr.kind
        && comprehension.kind != ComprehensionKind::Generator
    {
        comprehension.each_inner(&mut |child| each_expr_in(child, f));
    }
}

/// Whether running a body can suspend it.
pub fn suspends(body: &[Stmt]) -> bool {
    let mut found = false;
    each_stmt(body, &mut |stmt| {
        found |= matches!(
            stmt.kind,
            StmtKind::For { is_async: true, .. } | StmtKind::With { is_async: true, .. }
        );
    });
    each_expr(body, &mut |expr| found |= is_suspension(expr));
    found
}

/// Whether evaluating an expression can suspend.
pub fn expr_suspends(expr: &Expr) -> bool {
    let mut found = false;
    each_expr_in(expr, &mut |expr| found |= is_suspension(expr));
    found
}

fn is_suspension(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Await(_) => true,
        ExprKind::Comprehension(c) => {
            c.kind != ComprehensionKind::Generator && c.clauses.iter().any(|clause| clause.is_async)
        }
        _ => false,
    }
}
