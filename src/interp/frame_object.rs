//! Frames as scripts see them: `sys._getframe()`, `f_back`, `tb_frame`, `cr_frame`.
//!
//! A frame object notes code, place and module. What else can be asked of a running frame (its
//! caller, its variables) is looked up when it is asked for, by how deep the frame stands.

use super::async_iter;
use super::error::runtime_error;
use super::identity;
use super::namespace;
use super::types::{Type, class};
use crate::code::{Code, CodeKind};
use crate::source::{Span, Symbol, name};
use crate::value::descriptor::{CodeObject, TracebackFrame};
use crate::value::frame::ScriptFrame;
use crate::value::generator::Progress;
use crate::value::running::{self, Seen};
use crate::value::*;
use std::rc::Rc;

/// The object of a frame that stands at a row of a traceback.
pub fn of_row(row: Rc<TraceEntry>) -> Value {
    let module = match row.left.get() {
        Some(left) => Some(left.func.module.clone()),
        None => {
            running::look(|seen| Rc::ptr_eq(&seen.func.code, &row.code).then(|| seen.func.module.clone()))
        }
    };
    make(row, module, None)
}

/// The code object of a function or frame.
pub fn code(code: &Rc<Code>) -> Value {
    identity::one_for(Rc::as_ptr(code), || {
        Opaque::value(class(Type::Code), CodeObject(code.clone()))
    })
}

fn make(row: Rc<TraceEntry>, module: Option<Ref<Module>>, level: Option<usize>) -> Value {
    let frame = TracebackFrame {
        row,
        module,
        level,
        generator: weak::Pointer::default(),
    };
    Opaque::value(class(Type::FrameType), frame)
}

fn row(code: &Rc<Code>, span: Span) -> Rc<TraceEntry> {
    TraceEntry::new(code.clone(), span, None)
}

/// Where the frames of a suspended generator are: on whose stack, and at which place of it. A
/// generator that is awaited has lent its frame to who awaits it.
pub fn standing(generator: &Ref<Generator>) -> Option<(Ref<Generator>, usize)> {
    if generator.progress.get() != Progress::Running {
        return Some((generator.clone(), 0));
    }
    if !generator.lent.get() && !generator.busy.get() {
        return None;
    }
    let is_own = |activation: &Activation| match activation {
        Activation::Script(frame) => frame.owner.as_ref().is_some_and(|owner| owner.is(generator)),
        _ => false,
    };
    let on = |holder: Ref<Generator>| {
        let place = holder.look(|stack| stack.iter().position(is_own))?;
        Some((holder, place))
    };
    let in_task = || {
        roster::tasks()
            .into_iter()
            .find_map(|task| match &task.task.as_ref()?.coroutine.get() {
                Value::Generator(coroutine) => on(Ref::clone(coroutine)),
                _ => None,
            })
    };
    generator.holder().and_then(on).or_else(in_task)
}

/// The frame of a generator where it stands on a stack.
fn seen<T>(generator: &Ref<Generator>, work: impl FnOnce(&ScriptFrame) -> T) -> Option<T> {
    let (holder, place) = standing(generator)?;
    holder.look(|stack| match stack.get(place) {
        Some(Activation::Script(frame)) => Some(work(frame)),
        _ => None,
    })
}

/// Where the frame of a generator of a function stands, be it suspended or running.
pub fn place_of(generator: &Ref<Generator>, function: &Ref<Function>) -> Option<Span> {
    if standing(generator).is_some() {
        return seen(generator, ScriptFrame::place).flatten();
    }
    running::look(|seen| seen.func.is(function).then_some(seen.span))
}

/// The object of the frame of a generator of a function.
pub fn of_generator(generator: &Ref<Generator>, function: &Ref<Function>) -> Value {
    let place = seen(generator, ScriptFrame::place).flatten();
    let row = row(&function.code, place.unwrap_or(function.code.span));
    let frame = TracebackFrame {
        row,
        module: Some(function.module.clone()),
        level: None,
        generator: weak::Pointer::default(),
    };
    frame.generator.set(&generator.clone().into());
    Opaque::value(class(Type::FrameType), frame)
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
        make(row(&seen.func.code, seen.span), module, Some(level))
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
    if let Some(Value::Generator(generator)) = &frame.generator.get()
        && let Some(place) = seen(generator, ScriptFrame::place).flatten()
    {
        return place;
    }
    let now = frame.level.and_then(|level| {
        at_level(level, |seen| {
            Rc::ptr_eq(&seen.func.code, &frame.row.code).then_some(seen.span)
        })
    });
    now.flatten().unwrap_or(frame.row.span)
}

/// `frame.clear()`: lets go of the variables of a frame that an exception left.
pub fn clear(frame: &TracebackFrame) -> Res<()> {
    if let Some(Value::Generator(generator)) = &frame.generator.get() {
        match generator.progress.get() {
            Progress::Created => {
                async_iter::abandon(Ref::clone(generator));
                generator.drop_stack();
                return Ok(());
            }
            Progress::Suspended => return Err(runtime_error("cannot clear a suspended frame")),
            Progress::Running => return Err(runtime_error("cannot clear an executing frame")),
            Progress::Closed => {}
        }
    }
    if let Some(left) = frame.row.left.get() {
        drop(left.take());
        return Ok(());
    }
    let runs = |seen: Seen| Rc::ptr_eq(&seen.func.code, &frame.row.code);
    let is_running = match frame.level {
        Some(level) => at_level(level, runs).unwrap_or(false),
        None => running::look(|seen| runs(seen).then_some(())).is_some(),
    };
    match is_running {
        true => Err(runtime_error("cannot clear an executing frame")),
        false => Ok(()),
    }
}

/// `frame.f_locals`: of a frame that runs, is suspended, or was left by an exception.
pub fn locals_of(frame: &TracebackFrame) -> Option<Value> {
    let code = &frame.row.code;
    if matches!(code.kind, CodeKind::Module | CodeKind::AsyncModule) {
        return frame.module.as_ref().map(namespace::of_module);
    }
    if let Some(Value::Generator(generator)) = &frame.generator.get() {
        return seen(generator, |frame| locals(&frame.func, frame.seen_slots(), None));
    }
    if let Some(left) = frame.row.left.get() {
        return Some(left.look(|slots| locals(&left.func, slots, None)));
    }
    let of_it = |seen: Seen| Rc::ptr_eq(&seen.func.code, code).then(|| locals(seen.func, seen.slots, None));
    match frame.level {
        Some(level) => at_level(level, of_it).flatten(),
        // The row of a frame that caught the exception and goes on.
        None => running::look(of_it),
    }
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
