//! Lowering: from the syntax tree to states of await-free trees.
//!
//! `survey` finds what each scope binds and what suspends, `scope` gives names their places, and
//! each file named after a family of Python's manual lowers the forms of that family. May ask
//! `source`, `text`, `syntax` and `code`.
//!
//! Always true: what does not suspend stays structured inside one state; what does is cut exactly
//! at its suspensions, and evaluates in Python's order.

mod bind;
mod define;
mod display;
mod ends;
mod expression;
mod flow;
mod guard;
mod mention;
pub mod names;
mod nesting;
mod pattern;
mod percent;
mod scope;
mod shape;
mod state;
mod survey;
#[cfg(test)]
mod tests;
mod tidy;
mod unparse;
#[cfg(any(test, debug_assertions))]
pub mod verify;
mod with;

use crate::code::{Code, CodeKind, Params, StatementKind};
use crate::source::{Source, Span};
use crate::syntax::SyntaxError;
use crate::syntax::ast::{self, Constant, Expr, ExprKind, Stmt, StmtKind};
use expression::{Into, is_suspension};
use shape::plain;
use state::{Lowered, Lowering, Program, Way};
use std::collections::HashMap;
use std::rc::Rc;

/// How a module is meant.
#[derive(Default)]
pub struct Options {
    /// At the prompt: expression statements of the module show their values.
    pub interactive: bool,
}

/// Lowers a module and all functions in it.
pub fn lower(module: &ast::Module, source: &Rc<Source>, options: &Options) -> Result<Rc<Code>, SyntaxError> {
    let scopes = survey::survey(module)?;
    let kind = if scopes.list[0].awaits {
        CodeKind::AsyncModule
    } else {
        CodeKind::Module
    };
    let mut program = Program {
        source,
        scopes: &scopes,
        options,
        codes: HashMap::new(),
    };
    let mut lowering = Lowering::new(&mut program, 0, kind, Rc::from("<module>"));
    // At the prompt a lone string is a value to show.
    let (doc, body) = if options.interactive {
        (None, &module.body[..])
    } else {
        docstring(&module.body)
    };
    nesting::check(body, false)?;
    lowering.block(body)?;
    let span = Span::new(0, source.text.len());
    Ok(lowering.finish(span, Params::default(), doc))
}

/// The docstring of a body, with the indentation taken out, and the rest.
fn docstring(body: &[Stmt]) -> (Option<Rc<str>>, &[Stmt]) {
    if let [first, rest @ ..] = body
        && let StmtKind::Expr(value) = &first.kind
        && let ExprKind::Constant(Constant::Str(text)) = &plain(value).kind
    {
        return (Some(clean_doc(text).into()), rest);
    }
    (None, body)
}

/// As CPython cleans docstrings: tabs expanded, the common margin of all lines but the first cut.
fn clean_doc(text: &str) -> String {
    let text = expand_tabs(text);
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or("").trim_start_matches(' ');
    let rest: Vec<&str> = lines.collect();
    let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let margin = rest
        .iter()
        .filter(|line| !line.trim_matches(' ').is_empty())
        .map(indent)
        .min()
        .unwrap_or(0);
    let mut cleaned = first.to_owned();
    for line in rest {
        cleaned.push('\n');
        cleaned.push_str(&line[margin.min(indent(&line))..]);
    }
    cleaned
}

fn expand_tabs(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let width = 8 - column % 8;
                expanded.extend(std::iter::repeat_n(' ', width));
                column += width;
            }
            _ => {
                expanded.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    expanded
}

impl<'a> Lowering<'_, 'a> {
    fn block(&mut self, stmts: &'a [Stmt]) -> Lowered {
        stmts.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Lowered {
        let span = stmt.span;
        match &stmt.kind {
            StmtKind::Expr(value) => self.expression_statement(value, span),
            StmtKind::Assign { targets, value } => self.assignment(targets, value, span),
            StmtKind::AugAssign { target, op, value } => self.aug_assign(target, *op, value, span),
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                simple,
            } => self.ann_assign(target, annotation, value.as_ref(), *simple, span),
            StmtKind::Del(targets) => targets.iter().try_for_each(|target| self.delete(target, span)),
            StmtKind::Pass | StmtKind::Global(_) | StmtKind::Nonlocal(_) => Ok(()),
            StmtKind::Break => self.break_or_continue(Way::Break, span),
            StmtKind::Continue => self.break_or_continue(Way::Continue, span),
            StmtKind::Return(value) => self.return_(value.as_ref(), span),
            StmtKind::Raise { exc, cause } => self.raise(exc.as_ref(), cause.as_ref(), span),
            StmtKind::Assert { test, message } => self.assert(test, message.as_ref(), span),
            StmtKind::Import(aliases) => self.import(aliases, span),
            StmtKind::ImportFrom { module, names, level } => self.import_from(*module, names, *level, span),
            StmtKind::If { test, body, orelse } => self.if_(test, body, orelse, span),
            StmtKind::While { test, body, orelse } => self.while_(test, body, orelse, span),
            StmtKind::For {
                is_async,
                target,
                iter,
                body,
                orelse,
            } => self.for_(*is_async, target, iter, body, orelse, span),
            StmtKind::Try { .. } => self.try_(stmt),
            StmtKind::With {
                is_async,
                items,
                body,
            } => self.with(*is_async, items, body, span),
            StmtKind::Match { subject, cases } => self.match_(subject, cases, span),
            StmtKind::Function(function) => self.function(function, span),
            StmtKind::Class(class) => self.class(class, span),
            StmtKind::Outside(message) => Err(SyntaxError::new(message.as_str(), span)),
        }
    }

    fn expression_statement(&mut self, value: &'a Expr, span: Span) -> Lowered {
        if self.program.options.interactive && self.host == 0 {
            let value = self.expr(value)?;
            self.emit(StatementKind::Show(value), span);
        } else if is_suspension(plain(value)) {
            self.suspension(plain(value), Into::Nowhere)?;
        } else if !matches!(plain(value).kind, ExprKind::Constant(_)) {
            let value = self.expr(value)?;
            self.emit(StatementKind::Eval(value), span);
        }
        Ok(())
    }
}
