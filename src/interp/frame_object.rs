//! Frames as scripts see them: `sys._getframe()`, `f_back`, `tb_frame`, `cr_frame`.
//!
//! A frame object notes code, place and module. What else can be asked of a running frame (its
//! caller, its variables) is looked up when it is asked for, by how deep the frame stands.

use super::namespace;
use super::types::{Type, class};
use crate::code::{Code, CodeKind};
use crate::source::{Span, Symbol, name};
use crate::value::descriptor::TracebackFrame;
use crate::value::running::{self, Seen};
use crate::value::*;
use std::rc::Rc;

/// The object of a frame that stands at a row of a traceback, or is suspended there.
pub fn standing(row: Rc<TraceEntry>) -> Value {
    make(row, None, None, Value::Unset)
}

/// The object of a suspended frame, with its variables as they are now.
pub fn suspended(row: Rc<TraceEntry>, module: &Ref<Module>, locals: Value) -> Value {
    make(row, Some(module.clone()), None, locals)
}

fn make(row: Rc<TraceEntry>, module: Option<Ref<Module>>, level: Option<usize>, locals: Value) -> Value {
    let frame = TracebackFrame {
        row,
        module,
        level,
        locals,
    };
    Opaque::value(class(Type::FrameType), frame)
}

fn row(code: &Rc<Code>, span: Span) -> Rc<TraceEntry> {
    Rc::new(TraceEntry {
        code: code.clone(),
        span,
        next: None,
    })
}

/// How many calls are running.
fn count() -> usize {
    let mut count = 0;
    running::look(|_| -> Option<()> {
        count += 1;
        None
    });
    count
}

/// Works on the running call that has `level` calls below it.
fn at_level<T>(level: usize, work: impl Fn(Seen) -> T) -> Option<T> {
    let mut skip = count().checked_sub(level + 1)?;
    running::look(|seen| {
        if skip == 0 {
            return Some(work(seen));
        }
        skip -= 1;
        None
    })
}

fn object_at(level: usize) -> Option<Value> {
    at_level(level, |seen| {
        let module = Some(seen.func.module.clone());
        make(row(&seen.func.code, seen.span), module, Some(level), Value::Unset)
    })
}

/// The frame of the innermost running call, or of one `depth` calls further out.
pub fn running(depth: usize) -> Option<Value> {
    object_at(count().checked_sub(depth + 1)?)
}

/// The frame of the innermost running call of a function.
pub fn running_call(func: &Ref<Function>) -> Option<Value> {
    (0..count()).find_map(|depth| {
        let level = count().checked_sub(depth + 1)?;
        at_level(level, |seen| seen.func.is(func)).filter(|&found| found)?;
        object_at(level)
    })
}

/// `frame.f_back`: the caller of a frame that was running when it was asked for.
pub fn back(frame: &TracebackFrame) -> Value {
    let back = frame.level.and_then(|level| level.checked_sub(1));
    back.and_then(object_at).unwrap_or(Value::None)
}

/// `frame.f_lineno`'s place: where a running frame stands now, where another one stood.
pub fn place(frame: &TracebackFrame) -> Span {
    let now = frame.level.and_then(|level| {
        at_level(level, |seen| {
            Rc::ptr_eq(&seen.func.code, &frame.row.code).then_some(seen.span)
        })
    });
    now.flatten().unwrap_or(frame.row.span)
}

/// `frame.f_locals`, if the frame still runs or is suspended.
pub fn locals_of(frame: &TracebackFrame) -> Option<Value> {
    let code = &frame.row.code;
    if matches!(code.kind, CodeKind::Module | CodeKind::AsyncModule) {
        return frame.module.as_ref().map(namespace::of_module);
    }
    if let Some(locals) = frame.locals.given() {
        return Some(locals.clone());
    }
    let seen = at_level(frame.level?, |seen| {
        Rc::ptr_eq(&seen.func.code, code).then(|| locals(seen.func, seen.slots, None))
    });
    seen.flatten()
}

/// The local variables of a call by name; at a module's top level, its globals.
pub fn locals(func: &Ref<Function>, slots: &[Value], names: Option<&Value>) -> Value {
    let code = &func.code;
    if matches!(code.kind, CodeKind::Module | CodeKind::AsyncModule) {
        return namespace::of_module(&func.module);
    }
    if let Some(names) = names {
        return names.clone();
    }
    let names = Dict::default();
    let add = |name: Symbol, value: Value| {
        let is_name = name.text().starts_with(|c: char| c.is_alphabetic() || c == '_');
        if is_name && !value.is_unset() {
            names.set_symbol(name, value);
        }
    };
    let (own, shared) = code.listed_slots();
    for slot in own.into_iter().chain(shared) {
        let value = match slots.get(slot) {
            Some(Value::Cell(cell)) => cell.value.get(),
            Some(value) => value.clone(),
            None => continue,
        };
        add(code.slots[slot], value);
    }
    for (cell, name) in func.closure.iter().zip(&code.free) {
        if *name != name::CLASS {
            add(*name, cell.value.get());
        }
    }
    Ref::new(names).into()
}
