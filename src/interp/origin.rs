//! Debug mode: futures, tasks and handles that are made then know where.

use super::{attribute, call, import, payload, text};
use crate::source::Symbol;
use crate::value::*;

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
