//! The arguments of a call or class.

use super::{Builder, Built, fail, is, is_constant, need, token};
use crate::source::Span;
use crate::syntax::ast::{Arg, ComprehensionKind, Expr, ExprKind};
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::{Pair, Pairs, Rule};

impl Builder<'_> {
    /// A `call` node's arguments, their order checked.
    pub(super) fn args(&self, call: Pair) -> Built<Vec<Arg>> {
        let whole = self.span(&call);
        let mut args: Vec<Arg> = Vec::new();
        // A generator without parentheses of its own must be the only argument.
        let mut generator: Option<Span> = None;
        let mut comma = false;
        let mut order = Order::default();
        let mut pairs = call.into_inner();
        while let Some(pair) = pairs.next() {
            match pair.as_rule() {
                Rule::comma => comma = true,
                Rule::star_arg => {
                    let Expr {
                        kind: ExprKind::Starred(value),
                        span,
                    } = self.starred(pair)?
                    else {
                        continue;
                    };
                    if order.unpacked {
                        let message = "iterable argument unpacking follows keyword argument unpacking";
                        return fail(message, span);
                    }
                    args.push(Arg::Star(*value));
                }
                Rule::dstar_arg => {
                    let span = token(&pair);
                    order.unpacked = true;
                    args.push(Arg::DoubleStar(self.next_expr(&mut pair.into_inner(), span)?));
                }
                _ if is(pairs.peek().as_ref(), Rule::keyword_value) => {
                    order.keyword = true;
                    args.push(self.keyword(pair, &mut pairs)?);
                }
                _ => {
                    let mut value = self.named(pair, &mut pairs)?;
                    let mut clauses = Vec::new();
                    while is(pairs.peek().as_ref(), Rule::comp_for) {
                        clauses.extend(pairs.next());
                    }
                    if let Some(last) = clauses.last() {
                        generator = Some(value.span.to(self.span(last)));
                        // The call's parentheses are the generator's.
                        let kind = ComprehensionKind::Generator;
                        value = self.comprehension(kind, Some(value), None, clauses, whole)?;
                    }
                    order.positional(value.span)?;
                    args.push(Arg::Positional(value));
                }
            }
        }
        match generator {
            Some(span) if args.len() > 1 || comma => {
                let error = SyntaxError::new("Generator expression must be parenthesized", span)
                    .help("put parentheses around the generator expression");
                Err(Box::new(error))
            }
            _ => Ok(args),
        }
    }

    fn keyword(&self, pair: Pair, pairs: &mut Pairs) -> Built<Arg> {
        let name = self.expr(pair)?;
        let keyword_value = need(pairs.next(), name.span)?;
        let equals = token(&keyword_value);
        let ExprKind::Name(symbol) = name.kind else {
            let text = self.source.slice(name.span);
            if is_constant(text) {
                return fail(format!("cannot assign to {text}"), name.span.to(equals));
            }
            let message = "expression cannot contain assignment, perhaps you meant \"==\"?";
            return fail(message, name.span.to(equals));
        };
        let value = self.next_expr(&mut keyword_value.into_inner(), equals)?;
        if is(pairs.peek().as_ref(), Rule::comp_for) {
            let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            return fail(message, name.span.to(equals));
        }
        let span = name.span.to(value.span);
        Ok(Arg::Keyword {
            name: symbol,
            value,
            span,
        })
    }
}

/// What has come before an argument and restricts what may follow.
#[derive(Default)]
struct Order {
    keyword: bool,
    unpacked: bool,
}

impl Order {
    fn positional(&self, span: Span) -> Built<()> {
        if self.unpacked {
            return fail("positional argument follows keyword argument unpacking", span);
        }
        if self.keyword {
            let error = SyntaxError::new("positional argument follows keyword argument", span)
                .help("put the arguments without a name before those with one");
            return Err(Box::new(error));
        }
        Ok(())
    }
}
