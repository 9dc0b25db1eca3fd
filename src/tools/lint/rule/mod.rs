//! What can be seen in the text: a rule is a function that finds one kind of mistake.
//!
//! Always true: a rule that is not sure says nothing.

pub mod argument;
pub mod blocking;
pub mod cancel;
pub mod forgotten;
pub mod form;
pub mod order;
pub mod running;
pub mod shared;
pub mod update;

use super::program::{At, Program};
use crate::source::Span;
use crate::syntax::ast::*;

/// Finds the places of one kind of mistake, and says of each what is wrong there.
pub type Rule = fn(&Program, &mut dyn FnMut(Span, String));

/// The calls of a program: the whole, what is called, the arguments, and where.
fn calls<'p, 'a>(
    program: &'p Program<'a>,
) -> impl Iterator<Item = (&'a Expr, &'a Expr, &'a [Arg], At)> + use<'p, 'a> {
    program.exprs.iter().filter_map(|(expr, at)| match &expr.kind {
        ExprKind::Call { func, args } => Some((*expr, &**func, &args[..], *at)),
        _ => None,
    })
}

/// Expression statements: values that nobody keeps.
fn dropped<'p, 'a>(program: &'p Program<'a>) -> impl Iterator<Item = (&'a Expr, At)> + use<'p, 'a> {
    program.stmts.iter().filter_map(|(stmt, at)| match &stmt.kind {
        StmtKind::Expr(value) => Some((value.plain(), *at)),
        _ => None,
    })
}

/// The n-th positional argument, if nothing before it is starred.
fn positional(args: &[Arg], n: usize) -> Option<&Expr> {
    match args.get(..=n)? {
        [before @ .., Arg::Positional(value)] => before
            .iter()
            .all(|arg| matches!(arg, Arg::Positional(_)))
            .then_some(value),
        _ => None,
    }
}

/// A keyword argument.
fn keyword<'a>(args: &'a [Arg], wanted: &str) -> Option<&'a Expr> {
    args.iter().find_map(|arg| match arg {
        Arg::Keyword { name, value, .. } if name.text() == wanted => Some(value),
        _ => None,
    })
}

/// The object and the name of a method call.
fn method_call(call: &Expr) -> Option<(&Expr, &'static str, &[Arg])> {
    let ExprKind::Call { func, args } = &call.plain().kind else {
        return None;
    };
    match &func.plain().kind {
        ExprKind::Attribute { value, name, .. } => Some((value, name.text(), args)),
        _ => None,
    }
}
