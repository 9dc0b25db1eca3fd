//! Displays: lists, sets, dicts, f-strings, and comprehensions of all kinds.
//!
//! Always true: a display with `*` or `**` before a suspension has unpacked it by then, as has an
//! f-string formatted its fields.

use super::scope::{ScopeId, address};
use super::state::{Lowered, Lowering, boxed, tree};
use crate::code::*;
use crate::source::Span;
use crate::syntax::ast::{self, DictItem, Expr, ExprKind, FStringField, FStringPart};

impl<'a> Lowering<'_, 'a> {
    pub(super) fn elements(&mut self, items: &'a [Expr]) -> Lowered<Vec<Element>> {
        let mut done: Vec<Element> = Vec::with_capacity(items.len());
        let last = items.iter().rposition(|item| self.scopes().suspends(item));
        let stars = |done: &[Element]| done.iter().any(|element| matches!(element, Element::Star(_)));
        for (at, item) in items.iter().enumerate() {
            if self.scopes().suspends(item) && stars(&done) {
                let span = done[0].value().span;
                let list = self.spill(tree(TreeKind::List(std::mem::take(&mut done)), span));
                done.push(Element::Star(list));
            }
            let before_suspension = last.is_some_and(|last| at < last);
            match &super::shape::plain(item).kind {
                ExprKind::Starred(value) => done.push(Element::Star(self.expr(value)?)),
                _ => {
                    let value = self.expr(item)?;
                    // After a star the whole is spilled at the next suspension, in order.
                    let alone = before_suspension && !stars(&done);
                    done.push(Element::One(if alone { self.spill(value) } else { value }));
                }
            }
        }
        Ok(done)
    }

    pub(super) fn dict(&mut self, items: &'a [DictItem]) -> Lowered<Vec<(Option<Tree>, Tree)>> {
        let mut done: Vec<(Option<Tree>, Tree)> = Vec::with_capacity(items.len());
        for item in items {
            let suspends = match item {
                DictItem::Pair(key, value) => self.scopes().suspends(key) || self.scopes().suspends(value),
                DictItem::Unpack(value) => self.scopes().suspends(value),
            };
            if suspends && !done.is_empty() {
                let span = done[0].1.span;
                if done.iter().any(|(key, _)| key.is_none()) {
                    let dict = self.spill(tree(TreeKind::Dict(std::mem::take(&mut done)), span));
                    done.push((None, dict));
                } else {
                    let spilled = std::mem::take(&mut done).into_iter();
                    done = spilled
                        .map(|(key, value)| (key.map(|key| self.spill(key)), self.spill(value)))
                        .collect();
                }
            }
            done.push(match item {
                DictItem::Pair(key, value) => {
                    let key = self.expr(key)?;
                    let (key, value) = self.after(key, value)?;
                    (Some(key), value)
                }
                DictItem::Unpack(value) => (None, self.expr(value)?),
            });
        }
        Ok(done)
    }

    // f-strings

    pub(super) fn fstring(&mut self, parts: &'a [FStringPart]) -> Lowered<Vec<Part>> {
        let mut done = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                FStringPart::Text(text) => done.push(Part::Text(text.clone())),
                FStringPart::Field(field) => {
                    if self.field_suspends(field) {
                        self.settle(&mut done, field.value.span);
                    }
                    if let Some(text) = &field.debug_text {
                        done.push(Part::Text(text.clone()));
                    }
                    let field = self.field(field)?;
                    done.push(field);
                }
            }
        }
        Ok(done)
    }

    /// Makes a text of the fields so far, before what comes suspends.
    pub(super) fn settle(&mut self, done: &mut Vec<Part>, span: Span) {
        if done.iter().any(|part| matches!(part, Part::Field { .. })) {
            let whole = tree(TreeKind::FString(std::mem::take(done)), span);
            done.push(plain_field(self.spill(whole)));
        }
    }

    fn field(&mut self, field: &'a FStringField) -> Lowered<Part> {
        let mut conversion = field.conversion;
        if field.debug_text.is_some() && conversion.is_none() && field.spec.is_none() {
            conversion = Some(Conversion::Repr);
        }
        let mut value = self.expr(&field.value)?;
        let spec = match &field.spec {
            None => None,
            Some(spec) => {
                if self.spec_suspends(spec) {
                    if conversion.is_some() {
                        let span = value.span;
                        let converted = Part::Field {
                            value,
                            conversion: conversion.take(),
                            spec: None,
                            span: field.span,
                        };
                        value = tree(TreeKind::FString(vec![converted]), span);
                    }
                    value = self.spill(value);
                }
                Some(self.fstring(spec)?)
            }
        };
        Ok(Part::Field {
            value,
            conversion,
            spec,
            span: field.span,
        })
    }

    fn field_suspends(&self, field: &'a FStringField) -> bool {
        self.scopes().suspends(&field.value)
            || field.spec.as_ref().is_some_and(|spec| self.spec_suspends(spec))
    }

    fn spec_suspends(&self, spec: &'a [FStringPart]) -> bool {
        spec.iter().any(|part| match part {
            FStringPart::Text(_) => false,
            FStringPart::Field(field) => self.field_suspends(field),
        })
    }

    // Comprehensions

    pub(super) fn comprehension(
        &mut self,
        comprehension: &'a ast::Comprehension,
        span: Span,
    ) -> Lowered<Tree> {
        let scope = self.scopes().of(comprehension);
        let is_generator = comprehension.kind == ComprehensionKind::Generator;
        let waits = self.scopes().list[scope].awaits;
        if waits && !is_generator {
            let message = "asynchronous comprehension outside of an asynchronous function";
            self.check_async(message, span)?;
        }
        let first_clause = &comprehension.clauses[0];
        let first = self.expr(&first_clause.iter)?;
        if self.scopes().list[scope].host == scope {
            return self.call_comprehension(comprehension, scope, first, span);
        }
        if !self.runs_suspend(comprehension) {
            return self.inline_comprehension(comprehension, scope, first, span);
        }

        let iter = self.spill_into_temp(iterator(first, first_clause.is_async));
        let empty = match comprehension.kind {
            ComprehensionKind::List | ComprehensionKind::Generator => TreeKind::List(Vec::new()),
            ComprehensionKind::Set => TreeKind::Set(Vec::new()),
            ComprehensionKind::Dict => TreeKind::Dict(Vec::new()),
        };
        let into = self.spill_into_temp(tree(empty, span));
        let around = std::mem::replace(&mut self.scope, scope);
        for &cell in &self.scopes().list[scope].cells {
            self.emit(StatementKind::MakeCell(cell), span);
        }
        self.clauses(&comprehension.clauses, iter, span, &mut |this| {
            let parts: Vec<&Expr> = comprehension.key.iter().chain([&comprehension.element]).collect();
            let mut parts = this.operands(&parts)?;
            let element = parts.pop().expect("there is an element");
            let key = parts.pop();
            let kind = comprehension.kind;
            this.emit(
                StatementKind::Collect {
                    into,
                    kind,
                    key,
                    element,
                },
                comprehension.element.span,
            );
            Ok(())
        })?;
        self.scope = around;
        self.free(iter);
        for slot in self.scopes().own_slots(scope) {
            self.emit(StatementKind::Clear(slot), span);
        }
        Ok(self.take(into, span))
    }

    /// Whether something inside the comprehension, other than its first iterable, suspends.
    fn runs_suspend(&self, comprehension: &'a ast::Comprehension) -> bool {
        let suspends = |expr: &Expr| self.scopes().suspends(expr);
        suspends(&comprehension.element)
            || comprehension.key.as_ref().is_some_and(suspends)
            || comprehension.clauses.iter().enumerate().any(|(at, clause)| {
                clause.is_async
                    || suspends(&clause.target)
                    || (at > 0 && suspends(&clause.iter))
                    || clause.conditions.iter().any(suspends)
            })
    }

    /// A comprehension that stays one tree.
    fn inline_comprehension(
        &mut self,
        comprehension: &'a ast::Comprehension,
        scope: ScopeId,
        first: Tree,
        span: Span,
    ) -> Lowered<Tree> {
        let around = std::mem::replace(&mut self.scope, scope);
        let mut clauses = Vec::with_capacity(comprehension.clauses.len());
        let mut first = Some(first);
        for clause in &comprehension.clauses {
            let iter = match first.take() {
                Some(first) => first,
                None => self.expr(&clause.iter)?,
            };
            let target = self.target(&clause.target)?;
            let conditions = clause
                .conditions
                .iter()
                .map(|test| self.expr(test))
                .collect::<Lowered<_>>()?;
            clauses.push(Clause {
                target,
                iter,
                conditions,
            });
        }
        let lowered = Comprehension {
            kind: comprehension.kind,
            key: comprehension.key.as_ref().map(|key| self.expr(key)).transpose()?,
            element: self.expr(&comprehension.element)?,
            clauses,
            cells: self.scopes().list[scope].cells.clone(),
        };
        self.scope = around;
        Ok(tree(TreeKind::Comprehension(Box::new(lowered)), span))
    }

    /// A generator expression, or a comprehension in a class body: a call of a function of its
    /// own with the first iterator as the argument.
    fn call_comprehension(
        &mut self,
        comprehension: &'a ast::Comprehension,
        scope: ScopeId,
        first: Tree,
        span: Span,
    ) -> Lowered<Tree> {
        let kind = match (comprehension.kind, self.scopes().list[scope].awaits) {
            (ComprehensionKind::Generator, true) => CodeKind::AsyncGenerator,
            (ComprehensionKind::Generator, false) => CodeKind::Generator,
            _ => CodeKind::Function,
        };
        let code = self.nested_code(address(comprehension), scope, kind, |inner| {
            let mut params = Params::default();
            params.names.push(inner.scopes().list[scope].names[0]);
            (params.posonly, params.positional) = (1, 1);
            if kind == CodeKind::Function {
                let items = tree(
                    TreeKind::Load(Place::Local(0)),
                    comprehension.clauses[0].iter.span,
                );
                let value = inner.inline_comprehension(comprehension, scope, items, span)?;
                inner.end(Terminator::Return(Some(value)), span);
            } else {
                inner.clauses(&comprehension.clauses, 0, span, &mut |inner| {
                    let value = inner.expr(&comprehension.element)?;
                    let span = comprehension.element.span;
                    inner.suspend(span, |resume| Terminator::Yield {
                        value,
                        into: None,
                        resume,
                    });
                    Ok(())
                })?;
            }
            Ok((span, params, None))
        })?;
        let make = MakeFunction {
            captures: self.scopes().captures(self.scope, scope),
            code,
            defaults: Vec::new(),
            kwdefaults: Vec::new(),
            annotations: Vec::new(),
        };
        let func = boxed(tree(TreeKind::Function(Box::new(make)), span));
        let args = vec![Argument::Positional(iterator(
            first,
            comprehension.clauses[0].is_async,
        ))];
        Ok(tree(TreeKind::Call { func, args }, span))
    }

    /// The loops of a split comprehension, the first over the iterator in `iter`; `each` lowers
    /// what is done for every item that passes.
    fn clauses(
        &mut self,
        clauses: &'a [ast::Clause],
        iter: SlotId,
        span: Span,
        each: &mut dyn FnMut(&mut Self) -> Lowered,
    ) -> Lowered {
        let (clause, rest) = clauses.split_first().expect("a comprehension has a clause");
        let (head, done) = (self.reserve(), self.reserve());
        self.next_item(clause.is_async, &clause.target, iter, [head, done], span)?;
        for condition in &clause.conditions {
            let passed = self.reserve();
            self.branch(condition, passed, head)?;
            self.start(passed, condition.span);
        }
        match rest.first() {
            None => each(self)?,
            Some(next) => {
                let items = self.expr(&next.iter)?;
                let slot = self.spill_into_temp(iterator(items, next.is_async));
                self.clauses(rest, slot, span, each)?;
                self.free(slot);
            }
        }
        self.goto(head, span);
        self.start(done, span);
        Ok(())
    }
}

fn plain_field(value: Tree) -> Part {
    Part::Field {
        span: value.span,
        value,
        conversion: None,
        spec: None,
    }
}

fn iterator(items: Tree, is_async: bool) -> Tree {
    let span = items.span;
    let items = boxed(items);
    tree(
        if is_async {
            TreeKind::AsyncIter(items)
        } else {
            TreeKind::Iter(items)
        },
        span,
    )
}
