//! `'%s and %r' % (a, b)`.
//!
//! CPython's compiler makes an f-string of it if the template has no other conversions, so each value
//! becomes text before the next one is evaluated.

use super::state::{Lowered, Lowering};
use crate::code::{BinaryOp, Conversion, Part, TreeKind};
use crate::syntax::ast::{Constant, Expr, ExprKind};
use crate::text::format::percent::{self, Count, Flags, Piece};

/// More digits than this in a width or a precision are left to the operator.
const DIGITS: u32 = 3;

/// A part of the f-string that the operation becomes.
pub(super) enum Templated<'a> {
    Text(String),
    Field {
        value: &'a Expr,
        conversion: Conversion,
        spec: Option<String>,
    },
}

/// The parts of the f-string that the operation becomes, if it becomes one.
pub(super) fn template(expr: &Expr) -> Option<Vec<Templated<'_>>> {
    let ExprKind::Binary {
        op: BinaryOp::Mod,
        left,
        right,
    } = &expr.kind
    else {
        return None;
    };
    let (ExprKind::Constant(Constant::Str(text)), ExprKind::Tuple(values)) =
        (&bare(left).kind, &bare(right).kind)
    else {
        return None;
    };
    let mut values = values.iter();
    let mut parts = Vec::new();
    for piece in percent::pieces(text) {
        parts.push(match piece.ok()? {
            Piece::Literal(text) => Templated::Text(text.to_owned()),
            Piece::Field(field) => {
                let value = values
                    .next()
                    .filter(|v| !matches!(v.kind, ExprKind::Starred(_)))?;
                let left = Flags {
                    left: field.flags.left,
                    ..Flags::default()
                };
                if field.key.is_some() || field.flags != left {
                    return None;
                }
                Templated::Field {
                    value,
                    conversion: match field.conversion {
                        's' => Conversion::Str,
                        'r' => Conversion::Repr,
                        'a' => Conversion::Ascii,
                        _ => return None,
                    },
                    spec: spec(&field)?,
                }
            }
        });
    }
    values.next().is_none().then_some(parts)
}

/// What a field's width and precision are in a format: `%-5.2s` is `{:5.2}`. None within if there are
/// none, None outside if they are left to the operator.
fn spec(field: &percent::Field) -> Option<Option<String>> {
    let mut spec = String::new();
    for (sign, count) in [("", field.width), (".", field.precision)] {
        match count {
            Some(Count::Given(n)) if n < 10_usize.pow(DIGITS) => {
                if sign.is_empty() && n > 0 && !field.flags.left {
                    spec.push('>');
                }
                spec += &format!("{sign}{n}");
            }
            Some(_) => return None,
            None => {}
        }
    }
    Some(Some(spec).filter(|spec| !spec.is_empty()))
}

fn bare(mut expr: &Expr) -> &Expr {
    while let ExprKind::Paren(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

impl<'a> Lowering<'_, 'a> {
    pub(super) fn template(&mut self, parts: Vec<Templated<'a>>) -> Lowered<TreeKind> {
        let mut done = Vec::with_capacity(parts.len());
        for part in parts {
            let part = match part {
                Templated::Text(text) => Part::Text(text.into()),
                Templated::Field {
                    value: expr,
                    conversion,
                    spec,
                } => {
                    if self.scopes().suspends(expr) {
                        self.settle(&mut done, expr.span);
                    }
                    Part::Field {
                        value: self.expr(expr)?,
                        conversion: Some(conversion),
                        spec: spec.map(|spec| vec![Part::Text(spec.into())]),
                        span: expr.span,
                    }
                }
            };
            done.push(part);
        }
        Ok(TreeKind::FString(done))
    }
}
