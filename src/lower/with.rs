//! `with` and `async with`.
//!
//! Always true of the split form: `__exit__` is called on every way out of the body, with the
//! exception on an exceptional one, and under the handler around the statement.

use super::state::{Block, Lowered, Lowering, boxed, tree};
use crate::code::*;
use crate::source::Span;
use crate::syntax::ast::{Stmt, WithItem};

impl<'a> Lowering<'_, 'a> {
    pub(super) fn with(
        &mut self,
        is_async: bool,
        items: &'a [WithItem],
        body: &'a [Stmt],
        span: Span,
    ) -> Lowered {
        if is_async {
            self.check_async("'async with' outside async function", span)?;
        }
        self.with_items(is_async, items, body, span)
    }

    fn with_items(&mut self, is_async: bool, items: &'a [WithItem], body: &'a [Stmt], span: Span) -> Lowered {
        let Some((item, rest)) = items.split_first() else {
            return self.block(body);
        };
        let context = self.expr(&item.context)?;
        let at = item.context.span;
        let target_suspends = item
            .target
            .as_ref()
            .is_some_and(|target| self.scopes().suspends(target));
        let rest_suspends = rest.iter().any(|item| {
            self.scopes().suspends(&item.context)
                || item
                    .target
                    .as_ref()
                    .is_some_and(|target| self.scopes().suspends(target))
        });
        if !is_async && !target_suspends && !rest_suspends && !self.scopes().block_suspends(body) {
            let target = item
                .target
                .as_ref()
                .map(|target| self.target(target))
                .transpose()?;
            let body = self.nested(|this| this.with_items(is_async, rest, body, span))?;
            self.emit(
                StatementKind::With {
                    context,
                    target,
                    body,
                },
                span,
            );
            return Ok(());
        }

        let outer = self.handler;
        let (failed, after) = (self.reserve(), self.reserve());
        self.release(&context);
        let exit = self.temp();
        let exc = self.temp();
        let enter = tree(
            TreeKind::Enter {
                context: boxed(context),
                is_async,
                exit,
            },
            at,
        );
        // The value for the target is not around the block: its place is free again within.
        let guard = self.guard(failed, exc);
        let entered = self.enter(is_async, enter, item.target.is_some(), at);
        self.handler = guard;
        self.start_fresh(span);
        if let (Some(target), Some(value)) = (&item.target, entered) {
            let value = self.take(value, target.span);
            self.assign_to(target, value)?;
        }
        self.blocks.push(Block::With {
            exit,
            is_async,
            outer,
            span: at,
        });
        self.with_items(is_async, rest, body, span)?;
        self.blocks.pop();
        self.handler = outer;
        if self.is_open() {
            self.start_fresh(span);
            self.exit_with(exit, is_async, at);
            self.goto(after, span);
        }
        self.exit_failed(failed, exit, exc, is_async, after, at);
        self.free(exit);
        self.free(exc);
        self.start(after, span);
        Ok(())
    }

    /// Enters the context manager; gives the slot of the value for the target.
    fn enter(&mut self, is_async: bool, enter: Tree, wanted: bool, span: Span) -> Option<SlotId> {
        if is_async {
            let into = wanted.then(|| self.temp());
            self.suspend(span, |resume| Terminator::Await {
                value: enter,
                into,
                resume,
            });
            return into;
        }
        if wanted {
            return Some(self.spill_into_temp(enter));
        }
        self.emit(StatementKind::Eval(enter), span);
        None
    }

    /// Leaves a `with` block without an exception.
    pub(super) fn exit_with(&mut self, exit: SlotId, is_async: bool, span: Span) {
        let value = tree(TreeKind::Exit { exit, exc: None }, span);
        if is_async {
            self.suspend(span, |resume| Terminator::Await {
                value,
                into: None,
                resume,
            });
        } else {
            self.emit(StatementKind::Eval(value), span);
        }
    }

    /// Leaves a `with` block with an exception, which goes on unless `__exit__` gives a true value.
    fn exit_failed(
        &mut self,
        failed: StateId,
        exit: SlotId,
        exc: SlotId,
        is_async: bool,
        after: StateId,
        span: Span,
    ) {
        let outer = self.handler;
        let (failed_again, swallowed, raised) = (self.reserve(), self.reserve(), self.reserve());
        let second = self.temp();
        self.handler = self.guard(failed_again, second);
        self.start(failed, span);
        self.emit(StatementKind::EnterHandler(exc), span);
        let mut test = tree(TreeKind::Exit { exit, exc: Some(exc) }, span);
        if is_async {
            let slot = self.temp();
            self.suspend(span, |resume| Terminator::Await {
                value: test,
                into: Some(slot),
                resume,
            });
            test = self.take(slot, span);
        }
        self.end(
            Terminator::Branch {
                test,
                then: swallowed,
                orelse: raised,
            },
            span,
        );
        self.start(swallowed, span);
        self.leave_handler(None, exc, span);
        self.goto(after, span);
        self.handler = outer;
        self.start(raised, span);
        self.emit(StatementKind::LeaveHandler, span);
        self.end(Terminator::Reraise(exc), span);
        self.give_up(failed_again, None, exc, second, span);
        self.free(second);
    }
}
