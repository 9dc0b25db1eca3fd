//! What can be seen in the text: a rule is a function that finds one kind of mistake.
//!
//! Always true: a rule that is not sure says nothing.

pub mod argument;
pub mod blocking;
pub mod cancel;
pub mod early;
pub mod forgotten;
pub mod form;
pub mod generator;
pub mod order;
pub mod running;
pub mod shared;
pub mod thread;
pub mod update;
pub mod value;

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

/// Values that nobody keeps: those of expression statements and of lambdas that are called for nothing but
/// what they do, and what these are made of.
fn dropped<'a>(program: &Program<'a>) -> Vec<(&'a Expr, At)> {
    let mut found = Vec::new();
    for (stmt, at) in &program.stmts {
        if let StmtKind::Expr(value) = &stmt.kind {
            parts(program, value, *at, &mut found);
        }
    }
    for (call, .., at) in calls(program) {
        if let Some(argument::Callback {
            given,
            is_dropped: true,
        }) = argument::callback_of(program, call, at)
            && let ExprKind::Lambda(lambda) = &given.plain().kind
            && let Some(at) = program.place_of(&lambda.body)
        {
            parts(program, &lambda.body, at, &mut found);
        }
    }
    found
}

fn parts<'a>(program: &Program<'a>, value: &'a Expr, at: At, found: &mut Vec<(&'a Expr, At)>) {
    let value = value.plain();
    match &value.kind {
        ExprKind::IfElse { body, orelse, .. } => {
            parts(program, body, at, found);
            parts(program, orelse, at, found);
        }
        ExprKind::BoolOp { values, .. } => {
            if let Some(last) = values.last() {
                parts(program, last, at, found);
            }
        }
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Set(items) => {
            items.iter().for_each(|item| parts(program, item, at, found));
        }
        ExprKind::Comprehension(made) if made.kind != ComprehensionKind::Generator => {
            if let Some(at) = program.place_of(&made.element) {
                parts(program, &made.element, at, found);
            }
        }
        _ => found.push((value, at)),
    }
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
