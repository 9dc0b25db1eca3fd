//! Statements.

use super::expression::binary_op;
use super::target::{describe, is_bare, is_operand, unwrap};
use super::{Builder, Built, fail, fail_with, is, is_constant, need, token, unexpected};
use crate::source::{Span, Symbol};
use crate::syntax::ast::{
    Alias, Arg, Case, Class, Expr, ExprKind, Function, Handler, Module, Stmt, StmtKind, WithItem,
};
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::{Pair, Pairs, Rule};
use crate::syntax::warning;

/// An `elif` nests in the tree; more than these would burden whoever walks it.
const MAX_ELIF: usize = 2_000;

fn stmt(kind: StmtKind, span: Span) -> Stmt {
    Stmt { kind, span }
}

impl Builder<'_> {
    pub(super) fn module(&self, file: Pair) -> Built<Module> {
        let statements = file.into_inner().filter(|pair| pair.as_rule() != Rule::EOI);
        let body: Vec<Stmt> = statements.map(|pair| self.stmt(pair)).collect::<Built<_>>()?;
        let mut warnings = self.warnings.take();
        warning::find(&body, &mut warnings);
        Ok(Module { body, warnings })
    }

    fn suite(&self, pair: Option<Pair>, parent: Span) -> Built<Vec<Stmt>> {
        need(pair, parent)?
            .into_inner()
            .map(|pair| self.stmt(pair))
            .collect()
    }

    fn stmt(&self, pair: Pair) -> Built<Stmt> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::expr_stmt => self.expr_stmt(pair, span)?,
            Rule::if_stmt => return self.if_stmt(pair),
            Rule::for_stmt => self.for_stmt(pair, false)?,
            Rule::while_stmt => self.while_stmt(pair)?,
            Rule::try_stmt => self.try_stmt(pair)?,
            Rule::with_stmt => self.with_stmt(pair, false)?,
            Rule::match_stmt => self.match_stmt(pair)?,
            Rule::function => self.function(pair, Vec::new(), None)?,
            Rule::class => self.class(pair, Vec::new())?,
            Rule::async_stmt => self.async_stmt(pair, Vec::new())?,
            Rule::decorated => return self.decorated(pair),
            Rule::return_stmt => StmtKind::Return(self.optional(&mut pair.into_inner())?),
            Rule::raise_stmt => {
                let mut pairs = pair.into_inner();
                let exc = self.optional(&mut pairs)?;
                StmtKind::Raise {
                    exc,
                    cause: self.optional(&mut pairs)?,
                }
            }
            Rule::pass_stmt => StmtKind::Pass,
            Rule::break_stmt => StmtKind::Break,
            Rule::continue_stmt => StmtKind::Continue,
            Rule::global_stmt => StmtKind::Global(self.names(pair)?),
            Rule::nonlocal_stmt => StmtKind::Nonlocal(self.names(pair)?),
            Rule::del_stmt => self.del_stmt(pair, span)?,
            Rule::assert_stmt => {
                let mut pairs = pair.into_inner();
                let test = self.next_expr(&mut pairs, span)?;
                StmtKind::Assert {
                    test,
                    message: self.optional(&mut pairs)?,
                }
            }
            Rule::import_stmt => StmtKind::Import(
                pair.into_inner()
                    .map(|item| self.alias(item))
                    .collect::<Built<_>>()?,
            ),
            Rule::from_stmt => self.import_from(pair)?,
            Rule::type_stmt => StmtKind::Outside(
                "'type' statements are not part of aio: a plain assignment names a type".to_owned(),
            ),
            _ => return unexpected(&pair),
        };
        Ok(stmt(kind, span))
    }

    fn optional(&self, pairs: &mut Pairs) -> Built<Option<Expr>> {
        pairs.next().map(|pair| self.value(pair)).transpose()
    }

    // Simple statements

    fn expr_stmt(&self, pair: Pair, span: Span) -> Built<StmtKind> {
        let mut pairs = pair.into_inner();
        let first = need(pairs.next(), span)?;
        let Some(second) = pairs.next() else {
            return Ok(StmtKind::Expr(self.value(first)?));
        };
        match second.as_rule() {
            Rule::augop => {
                let target = self.target_side(first)?;
                if !is_single(&target) {
                    let what = describe(&target);
                    let message = format!("'{what}' is an illegal expression for augmented assignment");
                    let help = "only one variable, attribute or item can be changed so";
                    return fail_with(message, unwrap(&target).span, help);
                }
                let op = match binary_op(second.as_str().trim_end().trim_end_matches('=')) {
                    Some(op) => op,
                    None => return unexpected(&second),
                };
                Ok(StmtKind::AugAssign {
                    target,
                    op,
                    value: self.next_expr(&mut pairs, span)?,
                })
            }
            Rule::annotation => {
                let target = self.target_side(first)?;
                if !is_single(&target) {
                    let message = match unwrap(&target).kind {
                        ExprKind::List(_) => "only single target (not list) can be annotated",
                        ExprKind::Tuple(_) => "only single target (not tuple) can be annotated",
                        _ => "illegal target for annotation",
                    };
                    return fail(message, target.span);
                }
                let simple = matches!(target.kind, ExprKind::Name(_));
                let annotation = self.next_expr(&mut second.into_inner(), span)?;
                Ok(StmtKind::AnnAssign {
                    target,
                    annotation,
                    value: self.optional(&mut pairs)?,
                    simple,
                })
            }
            _ => {
                let mut sides = vec![self.target_side(first)?];
                let mut last = second;
                for next in pairs {
                    sides.push(self.target_side(last)?);
                    last = next;
                }
                let value = self.value(last)?;
                let only = sides.len() == 1 && !is_loose(&value);
                for target in &sides {
                    if let ExprKind::Yield(_) | ExprKind::YieldFrom(_) = target.kind {
                        return fail("assignment to yield expression not possible", target.span);
                    }
                    self.check_assigned(target, only)?;
                }
                Ok(StmtKind::Assign {
                    targets: sides,
                    value,
                })
            }
        }
    }

    /// The left side of an assignment; a lone star is the target check's to refuse.
    fn target_side(&self, pair: Pair) -> Built<Expr> {
        if pair.as_rule() == Rule::exprs {
            let mut items = pair.clone().into_inner();
            if items.len() == 1
                && let Some(only) = items.next().filter(|only| only.as_rule() == Rule::starred)
            {
                return self.starred(only);
            }
        }
        self.value(pair)
    }

    fn del_stmt(&self, pair: Pair, span: Span) -> Built<StmtKind> {
        let exprs = need(pair.into_inner().next(), span)?;
        let target = self.target_side(exprs)?;
        self.check_deleted(&target)?;
        // `del a, b` deletes both; `del (a, b)` is one target, a tuple.
        let bare = matches!(&target.kind, ExprKind::Tuple(items) if is_bare(&target, items));
        Ok(StmtKind::Del(match target.kind {
            ExprKind::Tuple(items) if bare => items,
            kind => vec![Expr {
                kind,
                span: target.span,
            }],
        }))
    }

    fn names(&self, pair: Pair) -> Built<Vec<(Symbol, Span)>> {
        pair.into_inner()
            .map(|name| match is_constant(name.as_str()) {
                true => fail("invalid syntax", self.span(&name)),
                false => Ok((self.symbol(&name), self.span(&name))),
            })
            .collect()
    }

    /// `name as asname`, where the name may be dotted.
    fn alias(&self, pair: Pair) -> Built<Alias> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let name = need(pairs.next(), span)?;
        let name = if name.as_rule() == Rule::dotted {
            self.dotted_name(name)?
        } else {
            self.plain(&name)?
        };
        let asname = pairs.next().map(|name| self.plain(&name)).transpose()?;
        Ok(Alias { name, asname, span })
    }

    /// A name that import statements hold: never a constant.
    fn plain(&self, name: &Pair) -> Built<Symbol> {
        if is_constant(name.as_str()) {
            return fail("invalid syntax", self.span(name));
        }
        Ok(self.symbol(name))
    }

    fn dotted_name(&self, pair: Pair) -> Built<Symbol> {
        let mut whole = String::new();
        for name in pair.into_inner() {
            if !whole.is_empty() {
                whole.push('.');
            }
            whole.push_str(self.plain(&name)?.text());
        }
        Ok(Symbol::new(&whole))
    }

    fn import_from(&self, pair: Pair) -> Built<StmtKind> {
        let (mut module, mut names, mut level) = (None, Vec::new(), 0);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::dots => level = part.as_str().matches('.').count() as u32,
                Rule::dotted => module = Some(self.dotted_name(part)?),
                Rule::star => {}
                _ => names.push(self.alias(part)?),
            }
        }
        Ok(StmtKind::ImportFrom { module, names, level })
    }

    // Compound statements

    fn if_stmt(&self, pair: Pair) -> Built<Stmt> {
        let whole = self.span(&pair);
        let mut pairs = pair.into_inner();
        let test = self.next_named(&mut pairs, whole)?;
        let body = self.suite(pairs.next(), whole)?;
        if pairs.len() > MAX_ELIF {
            return fail("too many statically nested blocks", whole);
        }
        let mut branches = vec![(test, body, whole.start as usize)];
        let mut orelse = Vec::new();
        for part in pairs {
            let start = part.as_span().start();
            if part.as_rule() == Rule::else_part {
                orelse = self.suite(part.into_inner().next(), whole)?;
                continue;
            }
            let mut parts = part.into_inner();
            let test = self.next_named(&mut parts, whole)?;
            branches.push((test, self.suite(parts.next(), whole)?, start));
        }
        // Each `elif` stands alone in the `else` of the branch before.
        for (test, body, start) in branches.into_iter().rev() {
            let kind = StmtKind::If {
                test,
                body,
                orelse: std::mem::take(&mut orelse),
            };
            orelse = vec![stmt(kind, Span::new(start, whole.end as usize))];
        }
        match orelse.pop() {
            Some(outer) => Ok(outer),
            None => fail("invalid syntax", whole),
        }
    }

    /// The block of an `else_part`, if there is one.
    fn orelse(&self, part: Option<Pair>, parent: Span) -> Built<Vec<Stmt>> {
        part.map_or(Ok(Vec::new()), |part| {
            self.suite(part.into_inner().next(), parent)
        })
    }

    fn while_stmt(&self, pair: Pair) -> Built<StmtKind> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let test = self.next_named(&mut pairs, span)?;
        let body = self.suite(pairs.next(), span)?;
        Ok(StmtKind::While {
            test,
            body,
            orelse: self.orelse(pairs.next(), span)?,
        })
    }

    fn for_stmt(&self, pair: Pair, is_async: bool) -> Built<StmtKind> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let target = self.targets(need(pairs.next(), span)?)?;
        let iter = self.next_expr(&mut pairs, span)?;
        let body = self.suite(pairs.next(), span)?;
        Ok(StmtKind::For {
            is_async,
            target,
            iter,
            body,
            orelse: self.orelse(pairs.next(), span)?,
        })
    }

    fn try_stmt(&self, pair: Pair) -> Built<StmtKind> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let body = self.suite(pairs.next(), span)?;
        let (mut handlers, mut orelse, mut finalbody) = (Vec::new(), Vec::new(), Vec::new());
        let mut starred: Option<bool> = None;
        for part in pairs {
            match part.as_rule() {
                Rule::else_part => orelse = self.suite(part.into_inner().next(), span)?,
                Rule::finally_part => finalbody = self.suite(part.into_inner().next(), span)?,
                _ => {
                    let place = self.span(&part);
                    let is_star = is(part.clone().into_inner().peek().as_ref(), Rule::star);
                    if starred.is_some_and(|starred| starred != is_star) {
                        let word = Span::new(place.start as usize, place.start as usize + "except".len());
                        return fail("cannot have both 'except' and 'except*' on the same 'try'", word);
                    }
                    starred = Some(is_star);
                    handlers.push(self.handler(part)?);
                }
            }
        }
        Ok(StmtKind::Try {
            body,
            handlers,
            is_star: starred.unwrap_or(false),
            orelse,
            finalbody,
        })
    }

    fn handler(&self, pair: Pair) -> Built<Handler> {
        let span = self.span(&pair);
        let mut handler = Handler {
            kind: None,
            name: None,
            body: Vec::new(),
            span,
        };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::star | Rule::colon => {}
                Rule::expr => handler.kind = Some(self.expr(part)?),
                Rule::name => handler.name = Some(self.bound_name(&part)?),
                _ => handler.body = self.suite(Some(part), span)?,
            }
        }
        Ok(handler)
    }

    fn with_stmt(&self, pair: Pair, is_async: bool) -> Built<StmtKind> {
        let span = self.span(&pair);
        let (mut items, mut body) = (Vec::new(), Vec::new());
        for part in pair.into_inner() {
            if part.as_rule() == Rule::suite {
                body = self.suite(Some(part), span)?;
                continue;
            }
            let mut pairs = part.into_inner();
            let context = self.next_expr(&mut pairs, span)?;
            let target = pairs.next().map(|target| self.target(target)).transpose()?;
            if let Some(Expr {
                kind: ExprKind::Starred(_),
                span,
            }) = target
            {
                return fail("starred assignment target must be in a list or tuple", span);
            }
            items.push(WithItem { context, target });
        }
        Ok(StmtKind::With {
            is_async,
            items,
            body,
        })
    }

    fn match_stmt(&self, pair: Pair) -> Built<StmtKind> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let subject = self.exprs(need(pairs.next(), span)?)?;
        let mut cases = Vec::new();
        for pair in pairs {
            let span = self.span(&pair);
            let mut parts = pair.into_inner();
            let pattern = self.patterns(need(parts.next(), span)?)?;
            let guard = match parts.peek().filter(|part| part.as_rule() == Rule::guard) {
                Some(guard) => {
                    parts.next();
                    Some(self.next_named(&mut guard.into_inner(), span)?)
                }
                None => None,
            };
            cases.push(Case {
                pattern,
                guard,
                body: self.suite(parts.next(), span)?,
                span,
            });
        }
        Ok(StmtKind::Match { subject, cases })
    }

    fn async_stmt(&self, pair: Pair, decorators: Vec<Expr>) -> Built<StmtKind> {
        let start = pair.as_span().start();
        let mut pairs = pair.into_inner().skip(1);
        let inner = need(pairs.next(), Span::new(start, start + "async".len()))?;
        match inner.as_rule() {
            Rule::function => self.function(inner, decorators, Some(start)),
            Rule::for_stmt => self.for_stmt(inner, true),
            _ => self.with_stmt(inner, true),
        }
    }

    fn decorated(&self, pair: Pair) -> Built<Stmt> {
        let mut span = self.span(&pair);
        let mut decorators = Vec::new();
        let mut async_at = None;
        for part in pair.into_inner() {
            let start = part.as_span().start();
            match part.as_rule() {
                Rule::decorator => decorators.push(self.next_named(&mut part.into_inner(), span)?),
                Rule::r#async => async_at = Some(start),
                rule => {
                    span = Span::new(async_at.unwrap_or(start), span.end as usize);
                    let kind = match rule {
                        Rule::function => self.function(part, decorators, async_at)?,
                        _ => self.class(part, decorators)?,
                    };
                    return Ok(stmt(kind, span));
                }
            }
        }
        fail("invalid syntax", span)
    }

    /// `async_at` is where `async` stands, for an `async def`.
    fn function(&self, pair: Pair, decorators: Vec<Expr>, async_at: Option<usize>) -> Built<StmtKind> {
        let span = self.span(&pair);
        let start = async_at.unwrap_or(span.start as usize);
        let mut pairs = pair.into_inner();
        let name = self.bound_name(&need(pairs.next(), span)?)?;
        let mut function = Function {
            name,
            is_async: async_at.is_some(),
            decorators,
            params: Default::default(),
            returns: None,
            body: Vec::new(),
            header: span,
        };
        for part in pairs {
            match part.as_rule() {
                Rule::type_params => return Ok(type_parameters()),
                Rule::params => function.params = self.params(part)?,
                Rule::returns => function.returns = Some(self.next_expr(&mut part.into_inner(), span)?),
                Rule::colon => function.header = Span::new(start, token(&part).end as usize),
                _ => function.body = self.suite(Some(part), span)?,
            }
        }
        Ok(StmtKind::Function(Box::new(function)))
    }

    fn class(&self, pair: Pair, decorators: Vec<Expr>) -> Built<StmtKind> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let name = self.bound_name(&need(pairs.next(), span)?)?;
        let mut class = Class {
            name,
            decorators,
            args: Vec::new(),
            body: Vec::new(),
            header: span,
        };
        for part in pairs {
            match part.as_rule() {
                Rule::type_params => return Ok(type_parameters()),
                Rule::call => {
                    let whole = self.span(&part);
                    class.args = self.args(part)?;
                    // Unlike a call's, a class's parentheses are nobody's generator.
                    if let [
                        Arg::Positional(Expr {
                            kind: ExprKind::Comprehension(_),
                            span,
                        }),
                    ] = &class.args[..]
                        && *span == whole
                    {
                        return Err(Box::new(SyntaxError::new("invalid syntax", *span)));
                    }
                }
                Rule::colon => class.header = Span::new(span.start as usize, token(&part).end as usize),
                _ => class.body = self.suite(Some(part), span)?,
            }
        }
        Ok(StmtKind::Class(Box::new(class)))
    }
}

/// A name, attribute or subscript, perhaps in parentheses: what annotations and `op=` take.
fn is_single(target: &Expr) -> bool {
    let kind = &unwrap(target).kind;
    matches!(
        kind,
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. }
    )
}

/// Looser than `|`: before such a value CPython takes a stray `=` as it is.
fn is_loose(value: &Expr) -> bool {
    !is_operand(value)
        && !matches!(
            value.kind,
            ExprKind::List(_) | ExprKind::Tuple(_) | ExprKind::Comprehension(_) | ExprKind::Constant(_)
        )
}

#[cold]
fn type_parameters() -> StmtKind {
    StmtKind::Outside(
        "type parameters are not part of aio: leave them out, annotations are not checked".to_owned(),
    )
}
