//! Binding: assignment in all its forms, `del`, `import`.
//!
//! Always true: the value is evaluated first, then each target from left to right, its parts just
//! before it is stored to.

use super::expression::{Into, is_suspension};
use super::scope::ScopeKind;
use super::shape::{plain, top_name};
use super::state::{Lowered, Lowering, boxed, tree};
use super::unparse;
use crate::code::*;
use crate::source::{Span, Symbol};
use crate::syntax::SyntaxError;
use crate::syntax::ast::{self, Alias, Expr, ExprKind};

impl<'a> Lowering<'_, 'a> {
    pub(super) fn assignment(&mut self, targets: &'a [Expr], value: &'a Expr, span: Span) -> Lowered {
        if let [target] = targets
            && let ExprKind::Name(name) = plain(target).kind
            && let Place::Local(slot) = self.store(name)
            && is_suspension(plain(value))
        {
            self.suspension(plain(value), Into::Slot(slot))?;
            return Ok(());
        }
        let value = self.expr(value)?;
        if !self.scopes().any_suspends(targets) {
            let targets = targets
                .iter()
                .map(|target| self.target(target))
                .collect::<Lowered<_>>()?;
            self.emit(StatementKind::Assign { targets, value }, span);
            return Ok(());
        }
        let (last, others) = targets.split_last().expect("an assignment has a target");
        if others.is_empty() {
            return self.assign_to(last, value);
        }
        let value_span = value.span;
        let slot = self.spill_into_temp(value);
        for target in others {
            self.assign_to(target, tree(TreeKind::Peek(slot), value_span))?;
        }
        let value = self.take(slot, value_span);
        self.assign_to(last, value)
    }

    /// A target none of whose parts suspends.
    pub(super) fn target(&mut self, target: &'a Expr) -> Lowered<Target> {
        let span = target.span;
        let kind = match &target.kind {
            ExprKind::Paren(inner) => return self.target(inner),
            ExprKind::Name(name) => TargetKind::Place(self.store(*name)),
            ExprKind::Attribute { value, name, .. } => TargetKind::Attribute {
                object: self.expr(value)?,
                name: self.mangle(*name),
            },
            ExprKind::Subscript { value, index } => TargetKind::Subscript {
                object: self.expr(value)?,
                index: self.index(index)?,
            },
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                let star = star_of(items, span)?;
                let items = items.iter().map(|item| self.target(unstarred(item)));
                TargetKind::Unpack {
                    targets: items.collect::<Lowered<_>>()?,
                    star,
                }
            }
            ExprKind::Starred(_) => return Err(lone_star(span)),
            _ => return Err(SyntaxError::new("cannot assign to expression", span)),
        };
        Ok(Target { kind, span })
    }

    /// Assigns a value to a target whose parts may suspend.
    pub(super) fn assign_to(&mut self, target: &'a Expr, value: Tree) -> Lowered {
        let span = target.span;
        if !self.scopes().suspends(target) {
            let targets = vec![self.target(target)?];
            self.emit(StatementKind::Assign { targets, value }, span);
            return Ok(());
        }
        let keep = |this: &mut Self, value: Tree| match value.kind {
            TreeKind::Peek(_) => value,
            _ => this.spill(value),
        };
        let (kind, value) = match &target.kind {
            ExprKind::Paren(inner) => return self.assign_to(inner, value),
            ExprKind::Attribute {
                value: object, name, ..
            } => {
                let value = keep(self, value);
                let object = self.expr(object)?;
                (
                    TargetKind::Attribute {
                        object,
                        name: self.mangle(*name),
                    },
                    value,
                )
            }
            ExprKind::Subscript { value: object, index } => {
                let value = keep(self, value);
                let (object, index) = self.object_and_index(object, index)?;
                (TargetKind::Subscript { object, index }, value)
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                let star = star_of(items, span)?;
                self.release(&value);
                let slots: Vec<SlotId> = items.iter().map(|_| self.temp()).collect();
                let part = |&slot: &SlotId| Target {
                    kind: TargetKind::Place(Place::Local(slot)),
                    span,
                };
                let kind = TargetKind::Unpack {
                    targets: slots.iter().map(part).collect(),
                    star,
                };
                let targets = vec![Target { kind, span }];
                self.emit(StatementKind::Assign { targets, value }, span);
                for (item, slot) in items.iter().zip(slots) {
                    let value = self.take(slot, item.span);
                    self.assign_to(unstarred(item), value)?;
                }
                return Ok(());
            }
            ExprKind::Starred(_) => return Err(lone_star(span)),
            _ => return Err(SyntaxError::new("cannot assign to expression", span)),
        };
        let targets = vec![Target { kind, span }];
        self.emit(StatementKind::Assign { targets, value }, span);
        Ok(())
    }

    fn object_and_index(&mut self, object: &'a Expr, index: &'a Expr) -> Lowered<(Tree, Tree)> {
        let object = self.expr(object)?;
        let object = if self.scopes().suspends(index) {
            self.spill(object)
        } else {
            object
        };
        Ok((object, self.index(index)?))
    }

    pub(super) fn aug_assign(
        &mut self,
        target: &'a Expr,
        op: BinaryOp,
        value: &'a Expr,
        span: Span,
    ) -> Lowered {
        let target = plain(target);
        let at = target.span;
        let waits = self.scopes().suspends(value);
        // With a suspension on the right, the old value is read before it.
        let (kind, old) = match &target.kind {
            ExprKind::Name(name) => {
                let old = waits.then(|| {
                    tree(
                        TreeKind::Load(self.scopes().load(self.scope, self.mangle(*name))),
                        at,
                    )
                });
                (TargetKind::Place(self.store(*name)), old)
            }
            ExprKind::Attribute {
                value: object, name, ..
            } => {
                let name = self.mangle(*name);
                let object = self.expr(object)?;
                if waits {
                    let slot = self.spill_into_temp(object);
                    let peek = boxed(tree(TreeKind::Peek(slot), at));
                    let old = tree(TreeKind::Attribute { object: peek, name }, at);
                    (
                        TargetKind::Attribute {
                            object: self.take(slot, at),
                            name,
                        },
                        Some(old),
                    )
                } else {
                    (TargetKind::Attribute { object, name }, None)
                }
            }
            ExprKind::Subscript { value: object, index } => {
                let (object, index) = self.object_and_index(object, index)?;
                if waits {
                    let object = self.spill_into_temp(object);
                    let index = self.spill_into_temp(index);
                    let old = TreeKind::Subscript {
                        object: boxed(tree(TreeKind::Peek(object), at)),
                        index: boxed(tree(TreeKind::Peek(index), at)),
                    };
                    let kind = TargetKind::Subscript {
                        object: self.take(object, at),
                        index: self.take(index, at),
                    };
                    (kind, Some(tree(old, at)))
                } else {
                    (TargetKind::Subscript { object, index }, None)
                }
            }
            _ => return Err(SyntaxError::new("cannot assign to expression", at)),
        };
        let target = Target { kind, span: at };
        let Some(old) = old else {
            let value = self.expr(value)?;
            self.emit(StatementKind::AugAssign { target, op, value }, span);
            return Ok(());
        };
        let left = boxed(self.spill(old));
        let right = boxed(self.expr(value)?);
        let value = tree(TreeKind::InPlace { op, left, right }, span);
        self.emit(
            StatementKind::Assign {
                targets: vec![target],
                value,
            },
            span,
        );
        Ok(())
    }

    pub(super) fn ann_assign(
        &mut self,
        target: &'a Expr,
        annotation: &'a Expr,
        value: Option<&'a Expr>,
        simple: bool,
        span: Span,
    ) -> Lowered {
        if let Some(value) = value {
            self.assignment(std::slice::from_ref(target), value, span)?;
        } else {
            // The parts of a target are evaluated even so.
            match &plain(target).kind {
                ExprKind::Attribute { value, .. } => {
                    let value = self.expr(value)?;
                    self.emit(StatementKind::Eval(value), span);
                }
                ExprKind::Subscript { value, index } => {
                    let (object, index) = self.object_and_index(value, index)?;
                    self.emit(StatementKind::Eval(object), span);
                    self.emit(StatementKind::Eval(index), span);
                }
                _ => {}
            }
        }
        if !matches!(
            self.scopes().list[self.scope].kind,
            ScopeKind::Module | ScopeKind::Class
        ) {
            return Ok(());
        }
        match plain(target).kind {
            ExprKind::Name(name) if simple => {
                self.annotates = true;
                let value = self.annotation(annotation)?;
                self.emit(
                    StatementKind::Annotate {
                        name: self.mangle(name),
                        value,
                    },
                    span,
                );
            }
            _ if !self.scopes().annotations_as_text => {
                let value = self.expr(annotation)?;
                self.emit(StatementKind::Eval(value), span);
            }
            _ => {}
        }
        Ok(())
    }

    /// An annotation: its value, or under `from __future__ import annotations` its text.
    pub(super) fn annotation(&mut self, annotation: &'a Expr) -> Lowered<Tree> {
        if self.scopes().annotations_as_text {
            return Ok(self.annotation_text(annotation));
        }
        self.expr(annotation)
    }

    pub(super) fn annotation_text(&self, annotation: &Expr) -> Tree {
        let text = unparse::annotation(annotation, self.program.source);
        tree(
            TreeKind::Constant(ast::Constant::Str(text.into())),
            annotation.span,
        )
    }

    pub(super) fn delete(&mut self, target: &'a Expr, span: Span) -> Lowered {
        let kind = match &target.kind {
            ExprKind::Paren(inner) => return self.delete(inner, span),
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                return items.iter().try_for_each(|item| self.delete(item, span));
            }
            ExprKind::Name(name) => TargetKind::Place(self.store(*name)),
            ExprKind::Attribute { value, name, .. } => TargetKind::Attribute {
                object: self.expr(value)?,
                name: self.mangle(*name),
            },
            ExprKind::Subscript { value, index } => {
                let (object, index) = self.object_and_index(value, index)?;
                TargetKind::Subscript { object, index }
            }
            ExprKind::Starred(_) => return Err(SyntaxError::new("cannot delete starred", target.span)),
            _ => return Err(SyntaxError::new("cannot delete expression", target.span)),
        };
        self.emit(
            StatementKind::Delete(Target {
                kind,
                span: target.span,
            }),
            span,
        );
        Ok(())
    }

    pub(super) fn import(&mut self, aliases: &'a [Alias], span: Span) -> Lowered {
        for alias in aliases {
            let place = self.store(alias.asname.unwrap_or_else(|| top_name(alias.name)));
            let asname = alias.asname.is_some();
            self.emit(
                StatementKind::Import {
                    module: alias.name,
                    asname,
                    place,
                },
                span,
            );
        }
        Ok(())
    }

    pub(super) fn import_from(
        &mut self,
        module: Option<Symbol>,
        names: &'a [Alias],
        level: u32,
        span: Span,
    ) -> Lowered {
        // Future features are the compiler's business, and it has heeded them.
        if module.is_some_and(|module| module.text() == "__future__") && level == 0 {
            return Ok(());
        }
        let bound = |alias: &Alias| (alias.name, self.store(alias.asname.unwrap_or(alias.name)));
        let star = names.is_empty();
        let names = names.iter().map(bound).collect();
        self.emit(
            StatementKind::ImportFrom {
                module,
                level,
                names,
                star,
            },
            span,
        );
        Ok(())
    }
}

/// The index of the starred target among the parts of an unpacking.
fn star_of(items: &[Expr], span: Span) -> Lowered<Option<u32>> {
    let mut stars = (0u32..)
        .zip(items)
        .filter(|(_, item)| matches!(plain(item).kind, ExprKind::Starred(_)));
    let first = stars.next().map(|(at, _)| at);
    match stars.next() {
        Some((_, second)) => Err(
            SyntaxError::new("multiple starred expressions in assignment", span)
                .label(second.span, "only one target can take the rest"),
        ),
        None => Ok(first),
    }
}

fn unstarred(item: &Expr) -> &Expr {
    match &plain(item).kind {
        ExprKind::Starred(inner) => inner,
        _ => item,
    }
}

fn lone_star(span: Span) -> SyntaxError {
    SyntaxError::new("starred assignment target must be in a list or tuple", span)
        .help("write `*name, = …` to make a list of all items")
}
