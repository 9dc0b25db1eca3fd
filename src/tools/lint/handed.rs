//! Where the value of a call is dropped that others made and only handed on.

use crate::code::{self, Code, StatementKind, Terminator, Tree, TreeKind};
use crate::source::Span;
use crate::tools::standing::{self, Place};
use crate::value::running::{self, Seen};
use crate::value::*;
use std::rc::Rc;

/// The statement that drops a value now, if that was made at `made` only to be returned.
pub fn dropped((maker, made): &Place) -> Option<Place> {
    let (code, span) = standing::running().filter(|(code, _)| !Rc::ptr_eq(code, maker))?;
    let call = statement(&code, span).filter(|_| returns(maker, *made))?;
    let is_of_maker = running::look(|seen| Some(may_call(call, maker, &seen)));
    (is_of_maker == Some(true)).then(|| (code.clone(), span))
}

/// The value of a statement, which drops it.
pub fn statement(code: &Code, value: Span) -> Option<&Tree> {
    let is_it = |tree: &&Tree| tree.span == value;
    let mut found = None;
    code.each_statement(&mut |statement| {
        if let StatementKind::Eval(tree) = &statement.kind {
            found = found.or(Some(tree).filter(is_it));
        }
    });
    let mut ends = code.states.iter().map(|state| &state.end);
    found.or_else(|| {
        ends.find_map(|end| match end {
            Terminator::Await {
                value, into: None, ..
            } => Some(value).filter(is_it),
            _ => None,
        })
    })
}

/// Whether what a place makes is what its call gives.
fn returns(code: &Code, place: Span) -> bool {
    let is_it = |value: &Option<Tree>| value.as_ref().is_some_and(|value| value.span == place);
    let mut found = code.states.iter().any(|state| match &state.end {
        Terminator::Return(value) => is_it(value),
        _ => false,
    });
    code.each_statement(&mut |statement| {
        found |= matches!(&statement.kind, StatementKind::Return(value) if is_it(value));
    });
    found
}

/// Whether a call may be one of a function, as far as its text and the variables tell.
fn may_call(call: &Tree, wanted: &Rc<Code>, seen: &Seen) -> bool {
    let TreeKind::Call { func, .. } = &call.kind else {
        return false;
    };
    let is_it =
        |value: Option<&Value>| matches!(value, Some(Value::Function(of)) if Rc::ptr_eq(&of.code, wanted));
    match &func.kind {
        TreeKind::Load(code::Place::Global(name)) => is_it(seen.func.module.get(*name).as_ref()),
        TreeKind::Load(code::Place::Local(slot)) => is_it(seen.slots.get(*slot as usize)),
        TreeKind::Attribute { name, .. } => *name == wanted.name,
        _ => wanted.name.text() == "<lambda>",
    }
}
