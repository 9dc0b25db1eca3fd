//! Expressions: trees, and what has to happen before a tree can be evaluated.
//!
//! Always true: lowering an expression may emit statements and end states, and gives a tree that
//! is to be evaluated next. Whoever lowers another expression before using a tree spills the tree
//! first if the other one suspends, so operands are evaluated from left to right.

use super::percent;
use super::scope::ScopeKind;
use super::shape::{arg_value, plain, spine_child};
use super::state::{Lowered, Lowering, boxed, tree};
use crate::code::*;
use crate::source::{Span, Symbol};
use crate::syntax::SyntaxError;
use crate::syntax::ast::{self, Arg, Expr, ExprKind};
use num_bigint::BigInt;

/// Where the result of a suspension goes.
#[derive(Clone, Copy)]
pub(super) enum Into {
    Nowhere,
    Slot(SlotId),
    Temp,
}

impl<'a> Lowering<'_, 'a> {
    pub(super) fn expr(&mut self, expr: &'a Expr) -> Lowered<Tree> {
        // Chains such as `a + b + c` and `a.b().c()` lean left and may be thousands long.
        let mut spine = Vec::new();
        let mut base = expr;
        while let Some(next) = spine_child(base)
            && percent::template(base).is_none()
        {
            spine.push(base);
            base = next;
        }
        let mut tree = self.base(base)?;
        for node in spine.into_iter().rev() {
            tree = self.grow(tree, node)?;
        }
        Ok(tree)
    }

    /// The expression whose leftmost operand has been lowered.
    fn grow(&mut self, left: Tree, node: &'a Expr) -> Lowered<Tree> {
        let mut span = node.span;
        let kind = match &node.kind {
            ExprKind::Paren(_) => return Ok(left),
            ExprKind::Attribute { name, name_span, .. } => {
                span = self.place_from(span, *name_span);
                TreeKind::Attribute {
                    object: boxed(left),
                    name: self.mangle(*name),
                }
            }
            ExprKind::Binary { op, right, .. } => {
                let (left, right) = self.after(left, right)?;
                TreeKind::Binary {
                    op: *op,
                    left: boxed(left),
                    right: boxed(right),
                }
            }
            ExprKind::Subscript { index, .. } => {
                let object = if self.scopes().suspends(index) {
                    self.spill(left)
                } else {
                    left
                };
                let index = self.index(index)?;
                TreeKind::Subscript {
                    object: boxed(object),
                    index: boxed(index),
                }
            }
            ExprKind::Call { func, args } => {
                if let ExprKind::Attribute { name_span, .. } = func.kind {
                    span = self.place_from(span, name_span);
                }
                let suspends = args.iter().any(|arg| self.scopes().suspends(arg_value(arg)));
                let func = if suspends { self.spill(left) } else { left };
                let args = self.arguments(args)?;
                TreeKind::Call {
                    func: boxed(func),
                    args,
                }
            }
            _ => unreachable!("only these are on a spine"),
        };
        Ok(tree(kind, span))
    }

    /// The place of what begins with an attribute: the name, if that stands on a later line than
    /// what it is an attribute of.
    fn place_from(&self, span: Span, name: Span) -> Span {
        let source = self.program.source;
        match source.line(span.start) == source.line(name.start) {
            true => span,
            false => name.to(Span::new(span.end as usize, span.end as usize)),
        }
    }

    fn base(&mut self, expr: &'a Expr) -> Lowered<Tree> {
        let span = expr.span;
        let kind = match &expr.kind {
            ExprKind::Constant(constant) => TreeKind::Constant(constant.clone()),
            ExprKind::Name(name) => TreeKind::Load(self.load(*name)),
            ExprKind::FString(parts) => TreeKind::FString(self.fstring(parts)?),
            ExprKind::Binary { .. } => match percent::template(expr) {
                Some(parts) => self.template(parts)?,
                None => unreachable!("only templates are not on a spine"),
            },
            ExprKind::BoolOp { op, values } => return self.bool_op(*op, values, span),
            ExprKind::Walrus { target, value } => {
                let value = self.expr(value)?;
                TreeKind::Walrus {
                    place: self.store(*target),
                    value: boxed(value),
                }
            }
            ExprKind::Unary { op, operand } => return self.unary(*op, operand, span),
            ExprKind::Lambda(lambda) => return self.lambda(lambda, span),
            ExprKind::IfElse { test, body, orelse } => return self.if_else(test, body, orelse, span),
            ExprKind::Dict(items) => TreeKind::Dict(self.dict(items)?),
            ExprKind::Set(items) => TreeKind::Set(self.elements(items, true)?),
            ExprKind::List(items) => TreeKind::List(self.elements(items, false)?),
            ExprKind::Tuple(items) => TreeKind::Tuple(self.elements(items, false)?),
            ExprKind::Comprehension(comprehension) => return self.comprehension(comprehension, span),
            ExprKind::Await(_) | ExprKind::Yield(_) | ExprKind::YieldFrom(_) => {
                let slot = self
                    .suspension(expr, Into::Temp)?
                    .expect("a temporary was asked for");
                return Ok(self.take(slot, span));
            }
            ExprKind::Compare { left, rest } => return self.compare(left, rest, span),
            ExprKind::Slice { lower, upper, step } => self.slice([lower, upper, step])?,
            ExprKind::Starred(_) => return Err(misplaced_star(span)),
            ExprKind::Call { .. }
            | ExprKind::Attribute { .. }
            | ExprKind::Subscript { .. }
            | ExprKind::Paren(_) => unreachable!("on the spine"),
        };
        Ok(tree(kind, span))
    }

    // Names.

    pub(super) fn mangle(&self, name: Symbol) -> Symbol {
        self.scopes().mangle(self.scope, name)
    }

    pub(super) fn load(&self, name: Symbol) -> Place {
        self.scopes().load(self.scope, self.mangle(name))
    }

    pub(super) fn store(&self, name: Symbol) -> Place {
        self.scopes().store(self.scope, self.mangle(name))
    }

    // Operands in order.

    /// Lowers `next`, which is evaluated after `first`.
    pub(super) fn after(&mut self, first: Tree, next: &'a Expr) -> Lowered<(Tree, Tree)> {
        let first = if self.scopes().suspends(next) {
            self.spill(first)
        } else {
            first
        };
        Ok((first, self.expr(next)?))
    }

    /// Trees to be evaluated one after the other.
    pub(super) fn operands(&mut self, exprs: &[&'a Expr]) -> Lowered<Vec<Tree>> {
        let last = exprs.iter().rposition(|expr| self.scopes().suspends(expr));
        let mut trees = Vec::with_capacity(exprs.len());
        for (at, expr) in exprs.iter().enumerate() {
            let tree = self.expr(expr)?;
            trees.push(if last.is_some_and(|last| at < last) {
                self.spill(tree)
            } else {
                tree
            });
        }
        Ok(trees)
    }

    /// Puts the value into the slot.
    pub(super) fn expr_into(&mut self, expr: &'a Expr, slot: SlotId) -> Lowered {
        if is_suspension(plain(expr)) {
            self.suspension(plain(expr), Into::Slot(slot))?;
        } else {
            let value = self.expr(expr)?;
            self.assign(Place::Local(slot), value, expr.span);
        }
        Ok(())
    }

    pub(super) fn index(&mut self, index: &'a Expr) -> Lowered<Tree> {
        if let ExprKind::Starred(value) = &index.kind {
            let value = self.expr(value)?;
            return Ok(tree(TreeKind::Tuple(vec![Element::Star(value)]), index.span));
        }
        self.expr(index)
    }

    fn slice(&mut self, parts: [&'a Option<Box<Expr>>; 3]) -> Lowered<TreeKind> {
        let present: Vec<&Expr> = parts.iter().filter_map(|part| part.as_deref()).collect();
        let mut trees = self.operands(&present)?.into_iter();
        let mut next = |part: &Option<Box<Expr>>| part.as_ref().and_then(|_| trees.next()).map(boxed);
        Ok(TreeKind::Slice {
            lower: next(parts[0]),
            upper: next(parts[1]),
            step: next(parts[2]),
        })
    }

    /// Arguments in order of evaluation: positional and starred ones come before keywords.
    pub(super) fn arguments(&mut self, args: &'a [Arg]) -> Lowered<Vec<Argument>> {
        check_keywords(args)?;
        let is_keyword = |arg: &&Arg| matches!(arg, Arg::Keyword { .. } | Arg::DoubleStar(_));
        let positional: Vec<&Arg> = args.iter().filter(|arg| !is_keyword(arg)).collect();
        let keywords: Vec<&Arg> = args.iter().filter(is_keyword).collect();
        // A single `*values` is passed on as it is; with others, each is unpacked in its turn.
        let unpack = positional.len() > 1;

        let mut done = Vec::with_capacity(args.len());
        for arg in positional.iter().chain(&keywords) {
            if self.scopes().suspends(arg_value(arg)) {
                self.spill_arguments(&mut done, unpack);
            }
            let value = self.expr(arg_value(arg))?;
            done.push(match arg {
                Arg::Positional(_) => Argument::Positional(value),
                Arg::Star(_) => Argument::Star(value),
                Arg::Keyword { name, .. } => Argument::Keyword(self.mangle(*name), value),
                Arg::DoubleStar(_) => Argument::DoubleStar(value),
            });
        }
        Ok(done)
    }

    fn spill_arguments(&mut self, done: &mut Vec<Argument>, unpack: bool) {
        let first_keyword = done
            .iter()
            .position(|arg| matches!(arg, Argument::Keyword(..) | Argument::DoubleStar(_)))
            .unwrap_or(done.len());
        let keywords = done.split_off(first_keyword);
        let positional = std::mem::take(done);
        if unpack && positional.iter().any(|arg| matches!(arg, Argument::Star(_))) {
            let span = positional[0].value().span;
            let elements = positional.into_iter().map(|arg| match arg {
                Argument::Star(value) => Element::Star(value),
                Argument::Positional(value) | Argument::Keyword(_, value) | Argument::DoubleStar(value) => {
                    Element::One(value)
                }
            });
            let list = self.spill(tree(TreeKind::List(elements.collect()), span));
            done.push(Argument::Star(list));
        } else {
            for arg in positional {
                done.push(self.spill_argument(arg));
            }
        }
        for arg in keywords {
            let arg = self.spill_argument(arg);
            done.push(arg);
        }
    }

    fn spill_argument(&mut self, arg: Argument) -> Argument {
        match arg {
            Argument::Positional(value) => Argument::Positional(self.spill(value)),
            Argument::Star(value) => Argument::Star(self.spill(value)),
            Argument::Keyword(name, value) => Argument::Keyword(name, self.spill(value)),
            Argument::DoubleStar(value) => {
                // What it holds now is what counts.
                let span = value.span;
                Argument::DoubleStar(self.spill(tree(TreeKind::Dict(vec![(None, value)]), span)))
            }
        }
    }

    // Operators.

    fn unary(&mut self, op: UnaryOp, operand: &'a Expr, span: Span) -> Lowered<Tree> {
        if op == UnaryOp::Neg
            && let ExprKind::Constant(constant) = &plain(operand).kind
            && let Some(negative) = negated(constant)
        {
            return Ok(tree(TreeKind::Constant(negative), span));
        }
        let operand = self.expr(operand)?;
        Ok(tree(
            TreeKind::Unary {
                op,
                operand: boxed(operand),
            },
            span,
        ))
    }

    fn bool_op(&mut self, op: BoolOp, values: &'a [Expr], span: Span) -> Lowered<Tree> {
        if !self.scopes().any_suspends(&values[1..]) {
            let values = values
                .iter()
                .map(|value| self.expr(value))
                .collect::<Lowered<_>>()?;
            return Ok(tree(TreeKind::BoolOp { op, values }, span));
        }
        let join = self.reserve();
        // Values after the last suspending one stay one tree. Before it each is tested by itself:
        // the truth of a group's value would be asked for once more than Python does.
        let last = values
            .iter()
            .rposition(|value| self.scopes().suspends(value))
            .unwrap_or(0);
        let (alone, together) = values.split_at(last + 1);
        let groups: Vec<&[Expr]> = alone
            .chunks(1)
            .chain(Some(together).filter(|run| !run.is_empty()))
            .collect();
        let mut result = None;
        for (at, group) in groups.iter().enumerate() {
            let slot = match (result, group) {
                (Some(slot), [value]) => {
                    self.expr_into(value, slot)?;
                    slot
                }
                _ => {
                    let value = self.all_of(op, group)?;
                    match result {
                        Some(slot) => {
                            self.assign(Place::Local(slot), value, group[0].span);
                            slot
                        }
                        None => self.spill_into_temp(value),
                    }
                }
            };
            result = Some(slot);
            if at + 1 < groups.len() {
                let next = self.reserve();
                let test = tree(TreeKind::Peek(slot), group[0].span);
                let (then, orelse) = if op == BoolOp::And {
                    (next, join)
                } else {
                    (join, next)
                };
                self.end(Terminator::Branch { test, then, orelse }, span);
                self.start(next, span);
                self.emit(StatementKind::Clear(slot), span);
            }
        }
        self.start(join, span);
        Ok(self.take(result.expect("an operator has operands"), span))
    }

    /// Cuts values into runs that stay one tree: each suspending value alone, the others together.
    pub(super) fn runs(&self, values: &'a [Expr]) -> Vec<&'a [Expr]> {
        values
            .chunk_by(|a, b| !self.scopes().suspends(a) && !self.scopes().suspends(b))
            .collect()
    }

    /// One value, or several that do not suspend under their operator.
    pub(super) fn all_of(&mut self, op: BoolOp, values: &'a [Expr]) -> Lowered<Tree> {
        if let [value] = values {
            return self.expr(value);
        }
        let span = values[0].span.to(values[values.len() - 1].span);
        let values = values
            .iter()
            .map(|value| self.expr(value))
            .collect::<Lowered<_>>()?;
        Ok(tree(TreeKind::BoolOp { op, values }, span))
    }

    fn if_else(&mut self, test: &'a Expr, body: &'a Expr, orelse: &'a Expr, span: Span) -> Lowered<Tree> {
        let arms_suspend = self.scopes().suspends(body) || self.scopes().suspends(orelse);
        if !arms_suspend && !self.needs_jumps(test) {
            let test = boxed(self.expr(test)?);
            let body = boxed(self.expr(body)?);
            let orelse = boxed(self.expr(orelse)?);
            return Ok(tree(TreeKind::IfElse { test, body, orelse }, span));
        }
        let (then, other, join) = (self.reserve(), self.reserve(), self.reserve());
        self.branch(test, then, other)?;
        let result = self.temp();
        self.start(then, span);
        self.expr_into(body, result)?;
        self.goto(join, span);
        self.start(other, span);
        self.expr_into(orelse, result)?;
        self.start(join, span);
        Ok(self.take(result, span))
    }

    fn compare(&mut self, left: &'a Expr, rest: &'a [(CompareOp, Expr)], span: Span) -> Lowered<Tree> {
        let mut left = self.expr(left)?;
        let mut joined: Option<(StateId, SlotId)> = None;
        for at in 0..rest.len() {
            if !self.comparisons_suspend(&rest[at + 1..]) {
                let value = self.comparisons(left, &rest[at..], span)?;
                let Some((join, result)) = joined else {
                    return Ok(value);
                };
                self.assign(Place::Local(result), value, span);
                self.start(join, span);
                return Ok(self.take(result, span));
            }
            let (value, kept) = self.comparison(left, &rest[at], span)?;
            let (join, result) = match joined {
                Some((join, result)) => {
                    self.assign(Place::Local(result), value, span);
                    (join, result)
                }
                None => (self.reserve(), self.spill_into_temp(value)),
            };
            joined = Some((join, result));
            let test = tree(TreeKind::Peek(result), span);
            left = self.compare_on(test, kept, join, span);
            self.emit(StatementKind::Clear(result), span);
        }
        Ok(left)
    }

    pub(super) fn comparisons_suspend(&self, rest: &'a [(CompareOp, Expr)]) -> bool {
        rest.iter().any(|(_, operand)| self.scopes().suspends(operand))
    }

    /// Comparisons of which only the first may suspend, as one tree.
    pub(super) fn comparisons(
        &mut self,
        left: Tree,
        rest: &'a [(CompareOp, Expr)],
        span: Span,
    ) -> Lowered<Tree> {
        let (left, right) = self.after(left, &rest[0].1)?;
        let mut compared = vec![(rest[0].0, right)];
        for (op, operand) in &rest[1..] {
            compared.push((*op, self.expr(operand)?));
        }
        Ok(tree(
            TreeKind::Compare {
                left: boxed(left),
                rest: compared,
            },
            span,
        ))
    }

    /// One comparison of a chain that goes on; its right operand is kept for the next one.
    pub(super) fn comparison(
        &mut self,
        left: Tree,
        (op, right): &'a (CompareOp, Expr),
        span: Span,
    ) -> Lowered<(Tree, SlotId)> {
        let left = self.spill(left);
        let right_value = self.expr(right)?;
        let kept = self.spill_into_temp(right_value);
        let peek = tree(TreeKind::Peek(kept), right.span);
        Ok((
            tree(
                TreeKind::Compare {
                    left: boxed(left),
                    rest: vec![(*op, peek)],
                },
                span,
            ),
            kept,
        ))
    }

    /// Goes on with the next comparison if the test holds, else to `orelse`.
    pub(super) fn compare_on(&mut self, test: Tree, kept: SlotId, orelse: StateId, span: Span) -> Tree {
        let (next, short) = (self.reserve(), self.reserve());
        self.end(
            Terminator::Branch {
                test,
                then: next,
                orelse: short,
            },
            span,
        );
        self.start(short, span);
        self.emit(StatementKind::Clear(kept), span);
        self.goto(orelse, span);
        self.start(next, span);
        self.take(kept, span)
    }

    // Suspensions.

    /// Ends the state in an `await`, `yield` or `yield from`; gives the slot of the result.
    pub(super) fn suspension(&mut self, expr: &'a Expr, into: Into) -> Lowered<Option<SlotId>> {
        let span = expr.span;
        let value = match &expr.kind {
            ExprKind::Await(value) => {
                self.check_await(span)?;
                self.expr(value)?
            }
            ExprKind::Yield(value) => {
                self.check_yield("'yield'", span)?;
                match value {
                    Some(value) => self.expr(value)?,
                    None => super::state::none(span),
                }
            }
            ExprKind::YieldFrom(value) => {
                self.check_yield("'yield from'", span)?;
                if self.host_kind() == (ScopeKind::Function { is_async: true }) {
                    return Err(SyntaxError::new("'yield from' inside async function", span)
                        .help("write `async for item in …: yield item`"));
                }
                self.expr(value)?
            }
            _ => unreachable!("asked for suspensions only"),
        };
        // What the operand takes is free before the result is stored.
        self.release(&value);
        let into = match into {
            Into::Nowhere => None,
            Into::Slot(slot) => Some(slot),
            Into::Temp => Some(self.temp()),
        };
        self.suspend(span, |resume| match &expr.kind {
            ExprKind::Await(_) => Terminator::Await { value, into, resume },
            ExprKind::Yield(_) => Terminator::Yield { value, into, resume },
            _ => Terminator::YieldFrom { value, into, resume },
        });
        Ok(into)
    }

    pub(super) fn host_kind(&self) -> ScopeKind {
        self.scopes().list[self.host].kind
    }

    fn check_await(&self, span: Span) -> Lowered {
        match self.host_kind() {
            ScopeKind::Class => Err(SyntaxError::new("'await' outside function", span)
                .help("a class body cannot wait; await outside of it and use the result")),
            _ => self.check_async("'await' outside async function", span),
        }
    }

    /// Fails with the message unless the current code may wait.
    pub(super) fn check_async(&self, message: &str, span: Span) -> Lowered {
        match self.host_kind() {
            ScopeKind::Module | ScopeKind::Function { is_async: true } | ScopeKind::Comprehension(_) => {
                return Ok(());
            }
            ScopeKind::Class | ScopeKind::Function { is_async: false } | ScopeKind::Lambda => {}
        }
        let error = SyntaxError::new(message, span);
        Err(match self.def {
            _ if self.host_kind() == ScopeKind::Lambda => {
                error.help("a lambda cannot wait: write an `async def`")
            }
            Some((name, header)) => error
                .label(header, format!("'{name}' is a plain function"))
                .help(format!("make it `async def {name}`")),
            None => error,
        })
    }

    fn check_yield(&self, what: &str, span: Span) -> Lowered {
        if self.host_kind().is_function_like() {
            return Ok(());
        }
        Err(SyntaxError::new(format!("{what} outside function"), span)
            .help("a 'def' with a 'yield' in it is a generator; outside there is none"))
    }
}

pub(super) fn is_suspension(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Await(_) | ExprKind::Yield(_) | ExprKind::YieldFrom(_)
    )
}

pub(super) fn misplaced_star(span: Span) -> SyntaxError {
    SyntaxError::new("can't use starred expression here", span)
}

fn check_keywords(args: &[Arg]) -> Lowered {
    let mut seen = Vec::new();
    for arg in args {
        if let Arg::Keyword { name, span, .. } = arg {
            if name.text() == "__debug__" {
                return Err(SyntaxError::new("cannot assign to __debug__", *span));
            }
            if seen.contains(name) {
                return Err(SyntaxError::new(
                    format!("keyword argument repeated: {name}"),
                    *span,
                ));
            }
            seen.push(*name);
        }
    }
    Ok(())
}

/// The constant `-value` of a number.
fn negated(value: &ast::Constant) -> Option<ast::Constant> {
    use ast::Constant::{BigInt as Big, Float, Int};
    let big = match value {
        Int(n) => match n.checked_neg() {
            Some(n) => return Some(Int(n)),
            None => -BigInt::from(*n),
        },
        Big(n) => -n,
        Float(x) => return Some(Float(-x)),
        _ => return None,
    };
    Some(i64::try_from(&big).map_or_else(|_| Big(big), Int))
}
