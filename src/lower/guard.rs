//! Guards: `try`, `raise`, `assert`.
//!
//! Always true of the split forms: every state of a guarded body has the guard's handler; every
//! `EnterHandler` has its `LeaveHandler` on all ways out, exceptional ones through a state of
//! their own.

use super::ends::ends_of_try;
use super::state::{Block, Finally, Lowered, Lowering, Way, boxed, none, tree};
use crate::code::*;
use crate::source::Span;
use crate::syntax::SyntaxError;
use crate::syntax::ast::{self, Expr, Stmt, StmtKind};

/// The parts of a `try` statement under its `finally`.
#[derive(Clone, Copy)]
struct Guarded<'a> {
    body: &'a [Stmt],
    handlers: &'a [ast::Handler],
    is_star: bool,
    orelse: &'a [Stmt],
}

impl<'a> Lowering<'_, 'a> {
    pub(super) fn try_(&mut self, stmt: &'a Stmt) -> Lowered {
        let StmtKind::Try {
            body,
            handlers,
            is_star,
            orelse,
            finalbody,
        } = &stmt.kind
        else {
            unreachable!("called for `try` statements")
        };
        let default = handlers.iter().position(|handler| handler.kind.is_none());
        if let Some(at) = default
            && at + 1 < handlers.len()
        {
            return Err(SyntaxError::new(
                "default 'except:' must be last",
                handlers[at].span,
            ));
        }
        let guarded = Guarded {
            body,
            handlers,
            is_star: *is_star,
            orelse,
        };
        let head = keyword(stmt.span, "try");
        if !self.scopes().statement_suspends(stmt) {
            return self.structured_try(guarded, finalbody, stmt.span);
        }
        match (handlers.is_empty(), finalbody.is_empty()) {
            (_, true) => self.try_except(guarded, head),
            _ => self.try_finally(guarded, finalbody, head),
        }
    }

    fn structured_try(&mut self, guarded: Guarded<'a>, finalbody: &'a [Stmt], span: Span) -> Lowered {
        let Guarded {
            body,
            handlers,
            is_star,
            orelse,
        } = guarded;
        let body = self.nested(|this| this.block(body))?;
        let mut clauses = Vec::with_capacity(handlers.len());
        for handler in handlers {
            let kind = handler.kind.as_ref().map(|kind| self.expr(kind)).transpose()?;
            let name = handler.name.map(|name| self.store(name));
            if is_star {
                self.blocks.push(Block::ExceptStar);
            }
            let body = self.nested(|this| this.block(&handler.body))?;
            if is_star {
                self.blocks.pop();
            }
            clauses.push(ExceptClause {
                kind,
                name,
                body,
                span: handler.span,
            });
        }
        let orelse = self.nested(|this| this.block(orelse))?;
        let finalbody = self.nested(|this| this.block(finalbody))?;
        if clauses.is_empty() && finalbody.is_empty() {
            // A `finally` of constants and `pass` guards nothing.
            self.emit_all(body);
            return Ok(());
        }
        let try_ = Try {
            body,
            handlers: clauses,
            is_star,
            orelse,
            finalbody,
        };
        self.emit(StatementKind::Try(Box::new(try_)), span);
        Ok(())
    }

    // try … finally

    fn try_finally(&mut self, guarded: Guarded<'a>, finalbody: &'a [Stmt], span: Span) -> Lowered {
        let ends = ends_of_try(guarded.body, guarded.handlers, guarded.orelse);
        let outer = self.handler;
        let (entry, failed, after) = (self.reserve(), self.reserve(), self.reserve());
        let exc = self.temp();
        let why = (ends.ways() > 1).then(|| self.temp());
        let result = ends.returns.then(|| self.temp());
        let ways = if ends.normal {
            vec![Way::Normal]
        } else {
            Vec::new()
        };
        self.blocks.push(Block::Finally(Finally {
            entry,
            why,
            result,
            ways,
        }));
        self.handler = self.guard(failed, exc);
        self.start_fresh(span);
        if guarded.handlers.is_empty() {
            self.block(guarded.body)?;
        } else {
            self.try_except(guarded, span)?;
        }
        if self.is_open() && ends.normal {
            self.set_why(why, 0, span);
            self.goto(entry, span);
        } else if self.is_open() {
            // What never completes may be one statement that does not show it.
            let (exc, cause) = (None, None);
            self.end(Terminator::Raise { exc, cause }, span);
        }
        let Some(Block::Finally(Finally { ways, .. })) = self.blocks.pop() else {
            unreachable!("blocks are opened and closed in pairs")
        };

        // Entered without an exception, then as the way was.
        self.handler = outer;
        self.start(entry, span);
        self.blocks.push(Block::FinalBody { result });
        self.block(finalbody)?;
        self.blocks.pop();
        if self.is_open() {
            self.go_on(&ways, why, result, after, span)?;
        }
        for slot in [why, result].into_iter().flatten() {
            self.free(slot);
        }

        // Entered by an exception, which goes on afterwards.
        let span = finalbody[0].span;
        const MOST_COPIES: u32 = 6;
        if self.copies == MOST_COPIES {
            return Err(SyntaxError::new("too many statically nested blocks", span)
                .help("move the inner `finally` to a function of its own"));
        }
        self.copies += 1;
        let failed_again = self.reserve();
        let second = self.temp();
        self.handler = self.guard(failed_again, second);
        self.start(failed, span);
        self.emit(StatementKind::EnterHandler(exc), span);
        self.blocks.push(Block::Handler {
            name: None,
            exc,
            outer,
        });
        self.block(finalbody)?;
        self.blocks.pop();
        if self.is_open() {
            self.handler = outer;
            self.start_fresh(span);
            self.emit(StatementKind::LeaveHandler, span);
            self.end(Terminator::Reraise(exc), span);
        }
        self.copies -= 1;
        self.handler = outer;
        self.give_up(failed_again, None, exc, second, span);
        self.free(second);
        self.free(exc);
        self.start(after, span);
        Ok(())
    }

    pub(super) fn set_why(&mut self, why: Option<SlotId>, way: usize, span: Span) {
        if let Some(slot) = why {
            let number = tree(TreeKind::Constant(ast::Constant::Int(way as i64)), span);
            self.assign(Place::Local(slot), number, span);
        }
    }

    /// After a `finally` body: on the way that led into it.
    fn go_on(
        &mut self,
        ways: &[Way],
        why: Option<SlotId>,
        result: Option<SlotId>,
        after: StateId,
        span: Span,
    ) -> Lowered {
        let value = |result: Option<SlotId>| result.map(|slot| tree(TreeKind::Take(slot), span));
        let Some(why) = why else {
            return match ways.first() {
                Some(Way::Normal) => {
                    self.goto(after, span);
                    Ok(())
                }
                Some(&way) => self.undo(way, value(result).filter(|_| way == Way::Return), span),
                // Nothing in the body completes: the end of this copy is never reached.
                None => {
                    self.end(Terminator::Return(None), span);
                    Ok(())
                }
            };
        };
        let mut onward = Vec::with_capacity(ways.len());
        for &way in ways {
            onward.push(match (way, result) {
                (Way::Normal, _) => Onward::Goto(after),
                (Way::Return, Some(slot)) if self.nothing_to_undo() => Onward::Return(slot),
                _ => {
                    let value = value(result).filter(|_| way == Way::Return);
                    Onward::Goto(self.aside(|this| this.undo(way, value, span))?)
                }
            });
        }
        self.end(Terminator::Dispatch { why, ways: onward }, span);
        Ok(())
    }

    fn nothing_to_undo(&self) -> bool {
        self.blocks.iter().all(|block| {
            matches!(
                block,
                Block::StructuredLoop | Block::SplitLoop { .. } | Block::FinalBody { result: None }
            )
        })
    }

    // try … except

    fn try_except(&mut self, guarded: Guarded<'a>, span: Span) -> Lowered {
        let Guarded {
            body,
            handlers,
            is_star,
            orelse,
        } = guarded;
        let outer = self.handler;
        let (failed, after) = (self.reserve(), self.reserve());
        let exc = self.temp();
        self.handler = self.guard(failed, exc);
        self.start_fresh(span);
        self.block(body)?;
        self.handler = outer;
        if self.is_open() {
            self.start_fresh(span);
            self.block(orelse)?;
            self.goto_if_open(after, span);
        } else {
            // For its errors; nothing reaches it.
            self.block(orelse)?;
            self.goto_if_open(after, span);
        }
        if is_star {
            self.except_star(handlers, failed, exc, after, span)?;
        } else {
            self.except(handlers, failed, exc, after, span)?;
        }
        self.free(exc);
        self.handler = outer;
        self.start(after, span);
        Ok(())
    }

    fn except(
        &mut self,
        handlers: &'a [ast::Handler],
        failed: StateId,
        exc: SlotId,
        after: StateId,
        span: Span,
    ) -> Lowered {
        let outer = self.handler;
        let failed_again = self.reserve();
        let second = self.temp();
        let inner = self.guard(failed_again, second);
        self.handler = inner;
        self.start(failed, span);
        self.emit(StatementKind::EnterHandler(exc), span);
        for handler in handlers {
            let next = self.reserve();
            let head = keyword(handler.span, "except");
            if let Some(kind) = &handler.kind {
                let matched = self.reserve();
                let kind = boxed(self.expr(kind)?);
                let at = kind.span;
                let test = tree(TreeKind::ExceptMatch { exc, kind }, at);
                self.end(
                    Terminator::Branch {
                        test,
                        then: matched,
                        orelse: next,
                    },
                    at,
                );
                self.start(matched, head);
            }
            self.except_body(handler, exc, second, outer)?;
            if self.is_open() {
                self.leave_handler(handler.name.map(|name| self.store(name)), exc, head);
                self.goto(after, head);
            }
            self.handler = inner;
            if handler.kind.is_some() {
                self.start(next, head);
            }
        }
        if self.is_open() {
            self.handler = outer;
            self.start_fresh(span);
            self.emit(StatementKind::LeaveHandler, span);
            self.end(Terminator::Reraise(exc), span);
        }
        self.handler = outer;
        self.give_up(failed_again, None, exc, second, span);
        self.free(second);
        Ok(())
    }

    /// The body of an `except`; with a name, an exception from it unbinds the name.
    fn except_body(
        &mut self,
        handler: &'a ast::Handler,
        exc: SlotId,
        second: SlotId,
        outer: Option<Handler>,
    ) -> Lowered {
        let span = keyword(handler.span, "except");
        let name = handler.name.map(|name| self.store(name));
        let unbind = name.map(|place| {
            let unbind = self.reserve();
            self.handler = self.guard(unbind, second);
            self.start_fresh(span);
            self.assign(place, tree(TreeKind::Peek(exc), span), span);
            unbind
        });
        self.blocks.push(Block::Handler { name, exc, outer });
        self.block(&handler.body)?;
        self.blocks.pop();
        let Some(unbind) = unbind else { return Ok(()) };
        let end = self.is_open().then(|| self.reserve());
        if let Some(end) = end {
            // What follows is LeaveHandler, which cannot fail.
            self.goto(end, span);
        }
        let inner = self.handler;
        self.handler = outer;
        self.give_up(unbind, name, exc, second, span);
        self.handler = inner;
        if let Some(end) = end {
            self.start(end, span);
        }
        Ok(())
    }

    /// The state that an exception in a handler goes to: leaves the handler and raises it on.
    pub(super) fn give_up(
        &mut self,
        state: StateId,
        name: Option<Place>,
        exc: SlotId,
        second: SlotId,
        span: Span,
    ) {
        self.start(state, span);
        self.leave_handler(name, exc, span);
        self.end(Terminator::Reraise(second), span);
    }

    /// The end of a handler, however it ends; a name of `except … as name` is unbound.
    pub(super) fn leave_handler(&mut self, name: Option<Place>, exc: SlotId, span: Span) {
        self.emit(StatementKind::LeaveHandler, span);
        if let Some(place) = name {
            // The body may have deleted the name.
            self.assign(place, none(span), span);
            self.emit(
                StatementKind::Delete(Target {
                    kind: TargetKind::Place(place),
                    span,
                }),
                span,
            );
        }
        self.emit(StatementKind::Clear(exc), span);
    }

    fn except_star(
        &mut self,
        handlers: &'a [ast::Handler],
        failed: StateId,
        original: SlotId,
        after: StateId,
        span: Span,
    ) -> Lowered {
        let outer = self.handler;
        let failed_again = self.reserve();
        let (second, rest, raised, matched) = (self.temp(), self.temp(), self.temp(), self.temp());
        let inner = self.guard(failed_again, second);
        self.handler = inner;
        self.start(failed, span);
        self.emit(StatementKind::EnterHandler(original), span);
        self.assign(Place::Local(rest), tree(TreeKind::Peek(original), span), span);
        self.assign(Place::Local(raised), tree(TreeKind::List(Vec::new()), span), span);
        for handler in handlers {
            let span = keyword(handler.span, "except");
            let (then, next, collect) = (self.reserve(), self.reserve(), self.reserve());
            let kind = handler
                .kind
                .as_ref()
                .ok_or_else(|| SyntaxError::new("expected one or more exception types", span))?;
            let kind = boxed(self.expr(kind)?);
            let at = kind.span;
            let test = tree(TreeKind::ExceptStarMatch { rest, matched, kind }, at);
            self.end(
                Terminator::Branch {
                    test,
                    then,
                    orelse: next,
                },
                span,
            );

            // What the body raises is kept until all clauses have run.
            self.handler = self.guard(collect, second);
            self.start(then, span);
            self.emit(StatementKind::EnterHandler(matched), span);
            let name = handler.name.map(|name| self.store(name));
            if let Some(place) = name {
                self.assign(place, tree(TreeKind::Peek(matched), span), span);
            }
            self.blocks.push(Block::ExceptStar);
            self.block(&handler.body)?;
            self.blocks.pop();
            if self.is_open() {
                self.leave_handler(name, matched, span);
                self.goto(next, span);
            }
            self.handler = inner;
            self.start(collect, span);
            self.leave_handler(name, matched, span);
            let element = tree(TreeKind::Take(second), span);
            let kind = ComprehensionKind::List;
            self.emit(
                StatementKind::Collect {
                    into: raised,
                    kind,
                    key: None,
                    element,
                },
                span,
            );
            self.start(next, span);
        }
        let left = self.spill_into_temp(tree(
            TreeKind::ExceptStarRest {
                original,
                raised,
                rest,
            },
            span,
        ));
        self.emit(StatementKind::LeaveHandler, span);
        for slot in [original, rest, raised] {
            self.emit(StatementKind::Clear(slot), span);
        }
        self.handler = outer;
        self.start_fresh(span);
        let (done, again) = (self.reserve(), self.reserve());
        let test = TreeKind::Compare {
            left: boxed(tree(TreeKind::Peek(left), span)),
            rest: vec![(CompareOp::Is, none(span))],
        };
        self.end(
            Terminator::Branch {
                test: tree(test, span),
                then: done,
                orelse: again,
            },
            span,
        );
        self.start(again, span);
        self.end(Terminator::Reraise(left), span);
        self.start(done, span);
        self.emit(StatementKind::Clear(left), span);
        self.goto(after, span);
        self.free(left);

        self.start(failed_again, span);
        self.emit(StatementKind::LeaveHandler, span);
        for slot in [original, rest, raised] {
            self.emit(StatementKind::Clear(slot), span);
        }
        self.end(Terminator::Reraise(second), span);
        for slot in [second, rest, raised, matched] {
            self.free(slot);
        }
        Ok(())
    }

    // raise, assert

    pub(super) fn raise(&mut self, exc: Option<&'a Expr>, cause: Option<&'a Expr>, span: Span) -> Lowered {
        let parts: Vec<&Expr> = exc.into_iter().chain(cause).collect();
        let mut trees = self.operands(&parts)?.into_iter();
        let (exc, cause) = (trees.next(), trees.next());
        if self.structured > 0 {
            self.emit(StatementKind::Raise { exc, cause }, span);
        } else {
            self.end(Terminator::Raise { exc, cause }, span);
        }
        Ok(())
    }

    pub(super) fn assert(&mut self, test: &'a Expr, message: Option<&'a Expr>, span: Span) -> Lowered {
        let message_suspends = message.is_some_and(|message| self.scopes().suspends(message));
        if !message_suspends && !self.needs_jumps(test) {
            let test = self.expr(test)?;
            let message = message.map(|message| self.expr(message)).transpose()?;
            self.emit(StatementKind::Assert { test, message }, span);
            return Ok(());
        }
        let (failed, after) = (self.reserve(), self.reserve());
        self.branch(test, after, failed)?;
        self.start(failed, span);
        let message = message.map(|message| self.expr(message)).transpose()?;
        let test = tree(TreeKind::Constant(ast::Constant::False), test.span);
        self.emit(StatementKind::Assert { test, message }, span);
        self.start(after, span);
        Ok(())
    }
}

/// The place of the word that a statement begins with.
fn keyword(span: Span, word: &str) -> Span {
    let start = span.start as usize;
    Span::new(start, start + word.len())
}
