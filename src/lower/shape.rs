//! Small questions about the shape of the syntax tree.

use crate::source::Symbol;
use crate::syntax::ast::{Arg, Expr, ExprKind, Param, Params};

/// The operand of an expression that is evaluated first and may nest deeply to the left.
pub(super) fn spine_child(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Binary { left: child, .. }
        | ExprKind::Attribute { value: child, .. }
        | ExprKind::Subscript { value: child, .. }
        | ExprKind::Call { func: child, .. }
        | ExprKind::Paren(child) => Some(child),
        _ => None,
    }
}

/// The expression without parentheses around it.
pub(super) fn plain(expr: &Expr) -> &Expr {
    expr.plain()
}

pub(super) fn arg_value(arg: &Arg) -> &Expr {
    arg.value()
}

/// The parameters in the order of their slots.
pub(super) fn all_params(params: &Params) -> impl Iterator<Item = &Param> {
    let Params {
        posonly,
        args,
        vararg,
        kwonly,
        kwarg,
    } = params;
    posonly
        .iter()
        .chain(args)
        .chain(kwonly)
        .chain(vararg)
        .chain(kwarg)
}

/// `a` of the dotted `a.b.c`, which is what `import a.b.c` binds.
pub(super) fn top_name(dotted: Symbol) -> Symbol {
    match dotted.text().split_once('.') {
        Some((top, _)) => Symbol::new(top),
        None => dotted,
    }
}
