//! What may be assigned to, deleted, looped over into: checked here, in Python's words.

use super::expression::Items;
use super::{Builder, Built, fail, is};
use crate::source::Span;
use crate::syntax::ast::{Comprehension, ComprehensionKind, Constant, Expr, ExprKind, UnaryOp};
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::{Pair, Rule};

/// What CPython calls an expression that is no target.
pub(super) fn describe(value: &Expr) -> &'static str {
    match &value.kind {
        ExprKind::Attribute { .. } => "attribute",
        ExprKind::Subscript { .. } => "subscript",
        ExprKind::Starred(_) => "starred",
        ExprKind::Name(_) => "name",
        ExprKind::List(_) => "list",
        ExprKind::Tuple(_) => "tuple",
        ExprKind::Lambda(_) => "lambda",
        ExprKind::Call { .. } => "function call",
        ExprKind::BoolOp { .. } | ExprKind::Binary { .. } | ExprKind::Unary { .. } => "expression",
        ExprKind::Yield(_) | ExprKind::YieldFrom(_) => "yield expression",
        ExprKind::Await(_) => "await expression",
        ExprKind::Comprehension(comprehension) => match **comprehension {
            Comprehension {
                kind: ComprehensionKind::List,
                ..
            } => "list comprehension",
            Comprehension {
                kind: ComprehensionKind::Set,
                ..
            } => "set comprehension",
            Comprehension {
                kind: ComprehensionKind::Dict,
                ..
            } => "dict comprehension",
            Comprehension {
                kind: ComprehensionKind::Generator,
                ..
            } => "generator expression",
        },
        ExprKind::Dict(_) => "dict literal",
        ExprKind::Set(_) => "set display",
        ExprKind::FString(_) => "f-string expression",
        ExprKind::Constant(Constant::None) => "None",
        ExprKind::Constant(Constant::True) => "True",
        ExprKind::Constant(Constant::False) => "False",
        ExprKind::Constant(Constant::Ellipsis) => "ellipsis",
        ExprKind::Constant(_) => "literal",
        ExprKind::Compare { .. } => "comparison",
        ExprKind::IfElse { .. } => "conditional expression",
        ExprKind::Walrus { .. } => "named expression",
        ExprKind::Slice { .. } => "slice",
        ExprKind::Paren(inner) => describe(inner),
    }
}

/// The value inside any parentheses.
pub(super) fn unwrap(value: &Expr) -> &Expr {
    let mut value = value;
    while let ExprKind::Paren(inner) = &value.kind {
        value = inner;
    }
    value
}

/// Nothing looser than `|`, as CPython's `bitwise_or`: beside such a value and a stray `=` it asks
/// whether `==` was meant. Constants and displays it leaves alone.
pub(super) fn is_operand(value: &Expr) -> bool {
    if let ExprKind::Comprehension(comprehension) = &value.kind {
        return !matches!(comprehension.kind, ComprehensionKind::Generator);
    }
    !matches!(
        value.kind,
        ExprKind::BoolOp { .. }
            | ExprKind::Compare { .. }
            | ExprKind::Unary { op: UnaryOp::Not, .. }
            | ExprKind::IfElse { .. }
            | ExprKind::Lambda(_)
            | ExprKind::Yield(_)
            | ExprKind::YieldFrom(_)
            | ExprKind::List(_)
            | ExprKind::Tuple(_)
            | ExprKind::Constant(Constant::None | Constant::True | Constant::False)
    )
}

/// Whether a tuple stands without parentheses of its own.
pub(super) fn is_bare(tuple: &Expr, items: &[Expr]) -> bool {
    items
        .first()
        .is_some_and(|first| first.span.start == tuple.span.start)
}

/// The first part of a would-be target that cannot be bound.
fn invalid_part(value: &Expr, delete: bool) -> Option<&Expr> {
    match &value.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => None,
        ExprKind::List(items) | ExprKind::Tuple(items) => {
            items.iter().find_map(|item| invalid_part(item, delete))
        }
        ExprKind::Starred(_) if delete => Some(value),
        ExprKind::Starred(inner) => invalid_part(inner, delete),
        ExprKind::Paren(inner) => invalid_part(inner, delete),
        _ => Some(value),
    }
}

impl Builder<'_> {
    /// Check a target of `=`, `for`, `with` or a comprehension.
    pub(super) fn check_target(&self, target: &Expr) -> Built<()> {
        if let Some(part) = invalid_part(target, false) {
            let help = match part.kind {
                ExprKind::Await(_) => "a loop that waits for each item is written 'async for'",
                ExprKind::Constant(_) => "a name gets the value, and no value can stand in its place",
                _ => "only names, attributes, subscripts and lists of these can get a value",
            };
            let message = format!("cannot assign to {}", describe(part));
            return Err(Box::new(SyntaxError::new(message, part.span).help(help)));
        }
        self.check_stars(target)
    }

    /// The left side of an assignment statement; `only` if it has a single target and a plain value.
    pub(super) fn check_assigned(&self, target: &Expr, only: bool) -> Built<()> {
        if let Some(part) = invalid_part(target, false) {
            let what = describe(part);
            // CPython asks about the operand right before the `=`.
            let last = match &target.kind {
                ExprKind::Tuple(items) if is_bare(target, items) => items.last().unwrap_or(target),
                _ => target,
            };
            if only && is_operand(last) && std::ptr::eq(part, unwrap(last)) {
                let message = format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?");
                let help = "only names, attributes, subscripts and lists of these can stand left of '='";
                return Err(Box::new(SyntaxError::new(message, part.span).help(help)));
            }
            return fail(format!("cannot assign to {what}"), part.span);
        }
        if let ExprKind::Starred(_) = target.kind {
            return fail(
                "starred assignment target must be in a list or tuple",
                target.span,
            );
        }
        self.check_stars(target)
    }

    /// At most one star among the targets of each list or tuple.
    fn check_stars(&self, target: &Expr) -> Built<()> {
        match &target.kind {
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                let mut stars = items
                    .iter()
                    .filter(|item| matches!(item.kind, ExprKind::Starred(_)));
                if stars.next().is_some() && stars.next().is_some() {
                    return fail("multiple starred expressions in assignment", target.span);
                }
                items.iter().try_for_each(|item| self.check_stars(item))
            }
            ExprKind::Starred(inner) | ExprKind::Paren(inner) => self.check_stars(inner),
            _ => Ok(()),
        }
    }

    pub(super) fn check_deleted(&self, target: &Expr) -> Built<()> {
        match invalid_part(target, true) {
            Some(part) => fail(format!("cannot delete {}", describe(part)), part.span),
            None => Ok(()),
        }
    }

    /// A `targets` node: what `for` binds.
    pub(super) fn targets(&self, pair: Pair) -> Built<Expr> {
        let mut items = Items::default();
        for item in pair.into_inner() {
            if is(Some(&item), Rule::comma) {
                items.comma = Some(super::token(&item));
            } else {
                items.list.push(self.target(item)?);
            }
        }
        items.bare(|star: Span| fail("starred assignment target must be in a list or tuple", star))
    }

    /// A `target` node, checked.
    pub(super) fn target(&self, pair: Pair) -> Built<Expr> {
        let span = self.span(&pair);
        let target = self.next_expr(&mut pair.into_inner(), span)?;
        self.check_target(&target)?;
        Ok(target)
    }
}
