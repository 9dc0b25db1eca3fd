//! The parameters of functions and lambdas.

use super::{Builder, Built, fail, fail_with, need, token};
use crate::source::Span;
use crate::syntax::ast::{Param, Params};
use crate::syntax::parse::{Pair, Rule};

impl Builder<'_> {
    /// A `params` or `lambda_params` node, its order checked.
    pub(super) fn params(&self, pair: Pair) -> Built<Params> {
        let mut params = Params::default();
        // A star has been seen, and if it was a bare one, where.
        let mut star: Option<Span> = None;
        let mut bare: Option<Span> = None;
        let mut slash = false;
        let mut items = pair.into_inner().peekable();
        while let Some(item) = items.next() {
            let place = token(&item);
            if params.kwarg.is_some() {
                let message = "arguments cannot follow var-keyword argument";
                return fail_with(message, self.span(&item), "put the parameter with '**' last");
            }
            match item.as_rule() {
                Rule::slash => {
                    if star.is_some() {
                        return fail("/ must be ahead of *", place);
                    }
                    if slash {
                        return fail("/ may appear only once", place);
                    }
                    if params.args.is_empty() {
                        return match items.peek() {
                            Some(_) => fail("at least one argument must precede /", place),
                            None => fail("invalid syntax", place),
                        };
                    }
                    slash = true;
                    params.posonly = std::mem::take(&mut params.args);
                }
                Rule::star_param | Rule::lambda_star => {
                    if star.is_some() {
                        return fail("* argument may appear only once", place);
                    }
                    star = Some(place);
                    let has_name = item.clone().into_inner().next().is_some();
                    if has_name {
                        params.vararg = Some(self.param(item, "var-positional")?);
                    } else {
                        bare = Some(place);
                    }
                }
                Rule::dstar_param | Rule::lambda_dstar => {
                    if let Some(bare) = bare.filter(|_| params.kwonly.is_empty()) {
                        return nothing_behind_star(bare);
                    }
                    params.kwarg = Some(self.param(item, "var-keyword")?);
                }
                _ => {
                    let param = self.param(item, "")?;
                    if star.is_some() {
                        params.kwonly.push(param);
                        continue;
                    }
                    let last = params.args.last().or(params.posonly.last());
                    if param.default.is_none() && last.is_some_and(|last| last.default.is_some()) {
                        let message = "parameter without a default follows parameter with a default";
                        let help = "put the parameters that have a default behind those that have none";
                        return fail_with(message, param.span, help);
                    }
                    params.args.push(param);
                }
            }
        }
        match bare {
            Some(bare) if params.kwonly.is_empty() => nothing_behind_star(bare),
            _ => Ok(params),
        }
    }

    /// One parameter; `variadic` says which kind may have no default.
    fn param(&self, pair: Pair, variadic: &str) -> Built<Param> {
        let mut span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let name_pair = need(pairs.next(), span)?;
        let name = self.bound_name(&name_pair)?;
        let name_span = self.span(&name_pair);
        span = name_span.to(Span::new(name_span.start as usize, span.end as usize));
        let mut param = Param {
            name,
            annotation: None,
            default: None,
            span,
        };
        for part in pairs {
            let place = token(&part);
            match part.as_rule() {
                Rule::default => {
                    if !variadic.is_empty() {
                        return fail(format!("{variadic} argument cannot have default value"), place);
                    }
                    param.default = Some(self.next_expr(&mut part.into_inner(), place)?);
                }
                _ => {
                    let annotation = self.next_expr(&mut part.into_inner(), place)?;
                    // As in Python, a parameter's place ends before its default.
                    param.span = name_span.to(annotation.span);
                    param.annotation = Some(annotation);
                }
            }
        }
        if param.annotation.is_none() {
            param.span = name_span;
        }
        Ok(param)
    }
}

fn nothing_behind_star<T>(star: Span) -> Built<T> {
    let help = "what stands behind a bare '*' is given by name: add such a parameter, or leave out the '*'";
    fail_with("named arguments must follow bare *", star, help)
}
