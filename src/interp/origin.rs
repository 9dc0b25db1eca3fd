//! Where things were made: futures, tasks and handles in debug mode, coroutines as far as
//! `sys.set_coroutine_origin_tracking_depth` says.

use super::{attribute, call, import, payload, text};
use crate::source::Symbol;
use crate::value::*;
use std::cell::Cell;

const NAME: &str = "_source_traceback";

/// Notes the calls that run now as where something is made.
#[cold]
#[inline(never)]
pub fn note(attrs: &Attrs) {
    let running = import::by_name("_task_stack")
        .and_then(|module| call::call_method(&module, Symbol::new("running"), &[]));
    match running {
        Ok(stack) => attrs.set(Symbol::new(NAME), stack),
        Err(raised) => drop(raised.take()),
    }
}

/// So many calls coroutines remember while a loop runs in debug mode.
pub const DEBUG_DEPTH: usize = 10;

thread_local! {
    /// How many of the calls that run a new coroutine remembers.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

#[inline(always)]
pub fn depth() -> usize {
    DEPTH.get()
}

/// Sets how many; gives how many it was before.
pub fn set_depth(depth: usize) -> usize {
    DEPTH.replace(depth)
}

/// A new coroutine, which remembers the calls that run now if that is asked for.
#[inline(always)]
pub fn noted(coroutine: impl FnOnce() -> Generator) -> Value {
    let coroutine = Ref::make(coroutine);
    if depth() > 0 && coroutine.kind == GeneratorKind::Coroutine {
        note_calls(&coroutine);
    }
    coroutine.into()
}

#[cold]
#[inline(never)]
fn note_calls(coroutine: &Generator) {
    let depth = Value::Int(depth() as i64);
    let calls = import::by_name("_task_stack")
        .and_then(|module| call::call_method(&module, Symbol::new("calls"), &[depth]));
    match calls {
        Ok(calls) => coroutine.set_calls(calls),
        Err(raised) => drop(raised.take()),
    }
}

/// Where what has these attributes was made, if that was noted: a `traceback.StackSummary`.
pub fn of(attrs: &Attrs) -> Option<Value> {
    attrs.get(Symbol::new(NAME)).filter(|stack| !stack.is_none())
}

/// The same as an entry of what an exception handler is told.
pub fn entry(attrs: &Attrs) -> Option<(&'static str, Value)> {
    of(attrs).map(|stack| ("source_traceback", stack))
}

/// ` created at script.aio:3`, if that was noted.
pub fn shown(attrs: &Attrs) -> Res<String> {
    let stack = of(attrs);
    let innermost = stack
        .as_ref()
        .and_then(payload::as_list)
        .and_then(|stack| stack.items.borrow().last().cloned());
    let Some(innermost) = innermost else {
        return Ok(String::new());
    };
    let part = |name: &str| text::str(&attribute::get(&innermost, Symbol::new(name))?);
    Ok(format!(" created at {}:{}", part("filename")?, part("lineno")?))
}
