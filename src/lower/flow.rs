//! Control flow: tests, loops, and leaving blocks early.
//!
//! Always true: a `break`, `continue` or `return` undoes every block it leaves, from the inside
//! out, each under the handler that was in force around that block.

use super::shape::plain;
use super::state::{Block, Lowered, Lowering, Way, none, tree};
use crate::code::*;
use crate::source::Span;
use crate::syntax::SyntaxError;
use crate::syntax::ast::{self, Expr, ExprKind, Stmt};

impl<'a> Lowering<'_, 'a> {
    // Tests.

    /// Whether a test must be lowered to jumps, so that no operand's truth is asked for twice.
    pub(super) fn needs_jumps(&self, test: &'a Expr) -> bool {
        if !self.scopes().suspends(test) {
            return false;
        }
        match &test.kind {
            ExprKind::Paren(inner) => self.needs_jumps(inner),
            ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            } => self.needs_jumps(operand),
            ExprKind::BoolOp { .. } | ExprKind::IfElse { .. } => true,
            ExprKind::Compare { rest, .. } => rest.len() > 1,
            _ => false,
        }
    }

    /// Ends the state in a jump to `then` or `orelse`.
    pub(super) fn branch(&mut self, test: &'a Expr, then: StateId, orelse: StateId) -> Lowered {
        let span = test.span;
        if self.needs_jumps(test) {
            match &test.kind {
                ExprKind::Paren(inner) => return self.branch(inner, then, orelse),
                ExprKind::Unary { operand, .. } => return self.branch(operand, orelse, then),
                ExprKind::BoolOp { op, values } => {
                    let runs = self.runs(values);
                    for (at, run) in runs.iter().enumerate() {
                        let last = at + 1 == runs.len();
                        let next = if last { None } else { Some(self.reserve()) };
                        let (yes, no) = match (next, op) {
                            (None, _) => (then, orelse),
                            (Some(next), BoolOp::And) => (next, orelse),
                            (Some(next), BoolOp::Or) => (then, next),
                        };
                        if let [value] = run {
                            self.branch(value, yes, no)?;
                        } else {
                            let test = self.all_of(*op, run)?;
                            self.end(
                                Terminator::Branch {
                                    test,
                                    then: yes,
                                    orelse: no,
                                },
                                span,
                            );
                        }
                        if let Some(next) = next {
                            self.start(next, span);
                        }
                    }
                    return Ok(());
                }
                ExprKind::IfElse {
                    test,
                    body,
                    orelse: other,
                } => {
                    let (first, second) = (self.reserve(), self.reserve());
                    self.branch(test, first, second)?;
                    self.start(first, span);
                    self.branch(body, then, orelse)?;
                    self.start(second, span);
                    return self.branch(other, then, orelse);
                }
                ExprKind::Compare { left, rest } => {
                    let mut left = self.expr(left)?;
                    let mut at = 0;
                    while self.comparisons_suspend(&rest[at + 1..]) {
                        let (test, kept) = self.comparison(left, &rest[at], span)?;
                        left = self.compare_on(test, kept, orelse, span);
                        at += 1;
                    }
                    let test = self.comparisons(left, &rest[at..], span)?;
                    self.end(Terminator::Branch { test, then, orelse }, span);
                    return Ok(());
                }
                _ => {}
            }
        }
        let test = self.expr(test)?;
        self.end(Terminator::Branch { test, then, orelse }, span);
        Ok(())
    }

    pub(super) fn if_(
        &mut self,
        test: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
        span: Span,
    ) -> Lowered {
        let blocks_suspend = self.scopes().block_suspends(body) || self.scopes().block_suspends(orelse);
        if !blocks_suspend && !self.needs_jumps(test) {
            let test = self.expr(test)?;
            let body = self.nested(|this| this.block(body))?;
            let orelse = self.nested(|this| this.block(orelse))?;
            self.emit(StatementKind::If { test, body, orelse }, span);
            return Ok(());
        }
        let (then, other, after) = (self.reserve(), self.reserve(), self.reserve());
        self.branch(test, then, other)?;
        self.start(then, span);
        self.block(body)?;
        self.goto_if_open(after, span);
        self.start(other, span);
        self.block(orelse)?;
        self.start(after, span);
        Ok(())
    }

    // Loops.

    pub(super) fn while_(
        &mut self,
        test: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
        span: Span,
    ) -> Lowered {
        let suspends = self.scopes().suspends(test) || self.scopes().block_suspends(body);
        if !suspends && !self.scopes().block_suspends(orelse) {
            let test = self.expr(test)?;
            let body = self.structured_loop(body)?;
            let orelse = self.nested(|this| this.block(orelse))?;
            self.emit(StatementKind::While { test, body, orelse }, span);
            return Ok(());
        }
        let (head, inside, done, after) = (self.reserve(), self.reserve(), self.reserve(), self.reserve());
        self.start(head, span);
        match constant_truth(test) {
            Some(true) => self.goto(inside, test.span),
            Some(false) => self.goto(done, test.span),
            None => self.branch(test, inside, done)?,
        }
        self.start(inside, span);
        self.split_loop([head, after], None, body)?;
        self.goto_if_open(head, span);
        self.start(done, span);
        self.block(orelse)?;
        self.start(after, span);
        Ok(())
    }

    pub(super) fn for_(
        &mut self,
        is_async: bool,
        target: &'a Expr,
        iter: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
        span: Span,
    ) -> Lowered {
        if is_async {
            self.check_async("'async for' outside async function", span)?;
        }
        let source = self.expr(iter)?;
        let blocks_suspend = self.scopes().block_suspends(body) || self.scopes().block_suspends(orelse);
        if !is_async && !blocks_suspend && !self.scopes().suspends(target) {
            let target = self.target(target)?;
            let body = self.structured_loop(body)?;
            let orelse = self.nested(|this| this.block(orelse))?;
            self.emit(
                StatementKind::For {
                    target,
                    iter: source,
                    body,
                    orelse,
                },
                span,
            );
            return Ok(());
        }
        let items = Box::new(source);
        let kind = if is_async {
            TreeKind::AsyncIter(items)
        } else {
            TreeKind::Iter(items)
        };
        let slot = self.spill_into_temp(tree(kind, iter.span));
        let (head, done, broken, after) = (self.reserve(), self.reserve(), self.reserve(), self.reserve());
        let place = if is_async { span } else { iter.span };
        self.next_item(is_async, target, slot, [head, done], place)?;
        self.split_loop([head, broken], Some(slot), body)?;
        self.goto_if_open(head, span);
        self.start(broken, span);
        self.emit(StatementKind::Clear(slot), Span::default());
        self.goto(after, span);
        self.free(slot);
        self.start(done, span);
        self.block(orelse)?;
        self.start(after, span);
        Ok(())
    }

    /// The head of a split `for`: assigns the next item and starts the body, or goes to `done`.
    pub(super) fn next_item(
        &mut self,
        is_async: bool,
        target: &'a Expr,
        iter: SlotId,
        [head, done]: [StateId; 2],
        span: Span,
    ) -> Lowered {
        self.start(head, span);
        let body = self.reserve();
        let direct = match plain(target).kind {
            ExprKind::Name(name) => match self.store(name) {
                Place::Local(slot) => Some(slot),
                _ => None,
            },
            _ => None,
        };
        if !is_async && !self.scopes().suspends(target) {
            let target = self.target(target)?;
            self.end(
                Terminator::Next {
                    iter,
                    target,
                    body,
                    done,
                },
                span,
            );
            self.start(body, span);
            return Ok(());
        }
        let into = direct.unwrap_or_else(|| self.temp());
        if is_async {
            self.end(
                Terminator::AsyncNext {
                    iter,
                    into,
                    body,
                    done,
                },
                span,
            );
        } else {
            let kind = TargetKind::Place(Place::Local(into));
            let item = Target {
                kind,
                span: target.span,
            };
            self.end(
                Terminator::Next {
                    iter,
                    target: item,
                    body,
                    done,
                },
                span,
            );
        }
        self.start(body, span);
        if direct.is_none() {
            let item = self.take(into, target.span);
            self.assign_to(target, item)?;
        }
        Ok(())
    }

    fn structured_loop(&mut self, body: &'a [Stmt]) -> Lowered<Vec<Statement>> {
        self.blocks.push(Block::StructuredLoop);
        let statements = self.nested(|this| this.block(body));
        self.blocks.pop();
        statements
    }

    fn split_loop(
        &mut self,
        [continue_to, break_to]: [StateId; 2],
        iter: Option<SlotId>,
        body: &'a [Stmt],
    ) -> Lowered {
        self.blocks.push(Block::SplitLoop {
            continue_to,
            break_to,
            iter,
        });
        let done = self.block(body);
        self.blocks.pop();
        done
    }

    /// Goes to the state, unless the current point is unreachable.
    pub(super) fn goto_if_open(&mut self, state: StateId, span: Span) {
        if self.is_open() {
            self.goto(state, span);
        }
    }

    // Leaving early.

    pub(super) fn break_or_continue(&mut self, way: Way, span: Span) -> Lowered {
        for block in self.blocks.iter().rev() {
            match block {
                Block::StructuredLoop => {
                    let kind = if way == Way::Break {
                        StatementKind::Break
                    } else {
                        StatementKind::Continue
                    };
                    self.emit(kind, span);
                    return Ok(());
                }
                Block::SplitLoop { .. } => return self.leave(way, None, span),
                Block::ExceptStar => return Err(leaves_except_star(span)),
                _ => {}
            }
        }
        let (message, word) = match way {
            Way::Break => ("'break' outside loop", "break"),
            _ => ("'continue' not properly in loop", "continue"),
        };
        let help =
            format!("'{word}' belongs to a 'for' or 'while': is it indented as far as that loop's body?");
        Err(SyntaxError::new(message, span).help(help))
    }

    pub(super) fn return_(&mut self, value: Option<&'a Expr>, span: Span) -> Lowered {
        if !self.host_kind().is_function_like() {
            return Err(SyntaxError::new("'return' outside function", span)
                .help("'return' belongs to a 'def': is it indented as far as that function's body?"));
        }
        if value.is_some() && self.kind == CodeKind::AsyncGenerator {
            return Err(SyntaxError::new("'return' with value in async generator", span)
                .help("an async generator yields its values; `return` alone ends it"));
        }
        if self.blocks.iter().any(|block| matches!(block, Block::ExceptStar)) {
            return Err(leaves_except_star(span));
        }
        let value = value.map(|value| self.expr(value)).transpose()?;
        let value = value.filter(|value| !matches!(value.kind, TreeKind::Constant(ast::Constant::None)));
        self.leave(Way::Return, value, span)
    }

    /// Leaves for the innermost split loop, or with a return value for the caller.
    pub(super) fn leave(&mut self, way: Way, value: Option<Tree>, span: Span) -> Lowered {
        let open = self.blocks.iter().rev().take_while(|block| match block {
            Block::SplitLoop { .. } => way == Way::Return,
            _ => true,
        });
        // Of the innermost block that must be undone: where a `finally` wants the return value.
        let innermost = open.into_iter().find_map(|block| match block {
            Block::Handler { .. } | Block::With { .. } | Block::FinalBody { result: Some(_) } => Some(None),
            Block::Finally(finally) => Some(finally.result),
            _ => None,
        });
        let Some(innermost) = innermost else {
            if way == Way::Return {
                if self.structured > 0 {
                    self.emit(StatementKind::Return(value), span);
                } else {
                    self.end(Terminator::Return(value), span);
                }
                return Ok(());
            }
            let target = self.loop_target(way);
            if self.structured > 0 {
                self.emit(StatementKind::Goto(target), span);
            } else {
                self.goto(target, span);
            }
            return Ok(());
        };
        // The value is computed before anything is undone.
        let value = match (value, innermost) {
            (None, _) => None,
            (Some(value), _) if matches!(value.kind, TreeKind::Constant(_)) => Some(value),
            (Some(value), Some(slot)) => {
                self.assign(Place::Local(slot), value, span);
                Some(tree(TreeKind::Take(slot), span))
            }
            (Some(value), None) => Some(self.spill(value)),
        };
        if self.structured > 0 {
            let undo = self.aside(|this| this.undo(way, value, span))?;
            self.emit(StatementKind::Goto(undo), span);
            Ok(())
        } else {
            self.undo(way, value, span)
        }
    }

    fn loop_target(&self, way: Way) -> StateId {
        let target = self.blocks.iter().rev().find_map(|block| match block {
            Block::SplitLoop {
                continue_to,
                break_to,
                ..
            } => Some(if way == Way::Break {
                *break_to
            } else {
                *continue_to
            }),
            _ => None,
        });
        target.expect("a loop was found before")
    }

    /// Undoes the open blocks, innermost first, and ends where the way leads.
    pub(super) fn undo(&mut self, way: Way, value: Option<Tree>, span: Span) -> Lowered {
        let handler = self.handler;
        let mut parked = Vec::new();
        let done = self.undo_blocks(way, value, span, &mut parked);
        self.blocks.extend(parked.into_iter().rev());
        self.handler = handler;
        done
    }

    fn undo_blocks(
        &mut self,
        way: Way,
        mut value: Option<Tree>,
        span: Span,
        parked: &mut Vec<Block>,
    ) -> Lowered {
        while let Some(mut block) = self.blocks.pop() {
            match &mut block {
                Block::StructuredLoop | Block::ExceptStar => {}
                &mut Block::SplitLoop {
                    continue_to,
                    break_to,
                    iter,
                } => {
                    if way != Way::Return {
                        let target = if way == Way::Break { break_to } else { continue_to };
                        parked.push(block);
                        self.goto(target, span);
                        return Ok(());
                    }
                    if let Some(slot) = iter {
                        self.emit(StatementKind::Clear(slot), span);
                    }
                }
                &mut Block::Handler { name, exc, outer } => {
                    self.leave_handler(name, exc, span);
                    self.handler = outer;
                    self.start_fresh(span);
                }
                &mut Block::With {
                    exit,
                    is_async,
                    outer,
                    span: context,
                } => {
                    self.handler = outer;
                    self.start_fresh(span);
                    self.exit_with(exit, is_async, context);
                }
                Block::FinalBody { result } => {
                    if let Some(slot) = *result {
                        self.emit(StatementKind::Clear(slot), span);
                    }
                }
                Block::Finally(finally) => {
                    let at = finally
                        .ways
                        .iter()
                        .position(|&known| known == way)
                        .unwrap_or_else(|| {
                            finally.ways.push(way);
                            finally.ways.len() - 1
                        });
                    let (entry, why, result) = (finally.entry, finally.why, finally.result);
                    parked.push(block);
                    if way == Way::Return {
                        let slot = result.expect("a `return` in the body was foreseen");
                        let value = value.unwrap_or_else(|| none(span));
                        if !matches!(value.kind, TreeKind::Take(taken) if taken == slot) {
                            self.assign(Place::Local(slot), value, span);
                        }
                    }
                    self.set_why(why, at, span);
                    self.goto(entry, span);
                    return Ok(());
                }
            }
            parked.push(block);
        }
        self.end(Terminator::Return(value.take()), span);
        Ok(())
    }
}

fn leaves_except_star(span: Span) -> SyntaxError {
    SyntaxError::new(
        "'break', 'continue' and 'return' cannot appear in an except* block",
        span,
    )
}

/// The truth of a test that is a constant.
pub(super) fn constant_truth(test: &Expr) -> Option<bool> {
    match &plain(test).kind {
        ExprKind::Constant(ast::Constant::True) => Some(true),
        ExprKind::Constant(ast::Constant::False | ast::Constant::None) => Some(false),
        ExprKind::Constant(ast::Constant::Int(n)) => Some(*n != 0),
        _ => None,
    }
}
