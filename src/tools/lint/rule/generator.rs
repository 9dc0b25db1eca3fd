//! Async generators that are left before their end.

use crate::source::Span;
use crate::syntax::ast::*;
use crate::tools::lint::program::{At, Meaning, Program, each_expr};

/// `async for row in rows():` with a `break` or `return` in it, if `rows` has something to clean up.
pub fn left_open(program: &Program, tell: &mut dyn FnMut(Span, String)) {
    for (stmt, at) in &program.stmts {
        if let StmtKind::For {
            is_async: true,
            iter,
            body,
            ..
        } = &stmt.kind
            && let Some(generator) = called(program, iter, *at).filter(|made| cleans_up(made))
            && is_left(body, true)
        {
            let name = generator.name;
            tell(
                iter.span,
                format!(
                    "this loop may be left before the end of '{name}', whose clean-up then runs at an \
                     unknown time: use contextlib.aclosing"
                ),
            );
        }
    }
}

/// The async generator that a call makes and nobody else has.
fn called<'a>(program: &Program<'a>, call: &Expr, at: At) -> Option<&'a Function> {
    let ExprKind::Call { func, .. } = &call.plain().kind else {
        return None;
    };
    match program.meaning(func, at) {
        Meaning::Function(made) if made.is_async && program.yields(made) && made.decorators.is_empty() => {
            Some(made)
        }
        _ => None,
    }
}

/// Whether a generator has something to clean up wherever it yields.
fn cleans_up(generator: &Function) -> bool {
    let yields = |expr: &Expr| matches!(expr.kind, ExprKind::Yield(_));
    let (mut all, mut guarded) = (0, 0);
    each_expr(&generator.body, &mut |expr| all += usize::from(yields(expr)));
    guards(&generator.body, &mut |body| {
        each_expr(body, &mut |expr| guarded += usize::from(yields(expr)));
    });
    all > 0 && all == guarded
}

/// Shows the outermost blocks behind which something is cleaned up.
fn guards<'a>(block: &'a [Stmt], visit: &mut dyn FnMut(&'a [Stmt])) {
    for stmt in block {
        match &stmt.kind {
            StmtKind::With { body, .. } => visit(body),
            StmtKind::Try { body, finalbody, .. } if !finalbody.is_empty() => visit(body),
            _ => stmt.blocks().into_iter().for_each(|block| guards(block, visit)),
        }
    }
}

/// Whether a `return` leaves a loop, or a `break` of its own.
fn is_left(body: &[Stmt], is_own: bool) -> bool {
    body.iter().any(|stmt| match &stmt.kind {
        StmtKind::Return(_) => true,
        StmtKind::Break => is_own,
        StmtKind::For { body, orelse, .. } | StmtKind::While { body, orelse, .. } => {
            is_left(body, false) || is_left(orelse, is_own)
        }
        _ => stmt.blocks().into_iter().any(|block| is_left(block, is_own)),
    })
}
