//! What the interpreter notices on its own and a person should be told.

use super::text::object::generator_qualname;
use super::types::{Type, class};
use super::{call, import};
use crate::source::Symbol;
use crate::value::generator::Activation;
use crate::value::*;
use std::cell::Cell;

/// Something that happened where no script code can catch it.
pub enum Notice {
    /// A coroutine was made and never awaited; with the exception that was on its way when the
    /// coroutine went out of use.
    NeverAwaited(Ref<Generator>, Option<Ref<Exception>>),
    /// An exception in a finaliser: with the object it came from.
    Unraisable(Ref<Exception>, Value),
}

thread_local! {
    static LISTENER: Cell<Option<fn(Notice)>> = const { Cell::new(None) };
}

/// Who is told.
pub fn listen(listener: fn(Notice)) {
    LISTENER.set(Some(listener));
}

fn tell(notice: Notice) {
    if let Some(listener) = LISTENER.get() {
        listener(notice);
    }
}

pub fn never_awaited(generator: &Ref<Generator>, on_its_way: Option<&Ref<Exception>>) {
    tell(Notice::NeverAwaited(generator.clone(), on_its_way.cloned()));
}

/// A `DeprecationWarning` for who calls the built-in that runs.
pub fn deprecated(message: &str) -> Res<()> {
    warn(Type::DeprecationWarning, message)
}

/// A warning for who calls the built-in that runs.
#[cold]
pub fn warn(category: Type, message: &str) -> Res<()> {
    let warnings = import::by_name("warnings")?;
    let args = [message.into(), class(category).into()];
    call::call_method(&warnings, Symbol::new("warn"), &args).map(drop)
}

pub fn unraisable(raised: Raised, object: &Value) {
    tell(Notice::Unraisable(raised.take(), object.clone()));
}

/// What was never awaited: a coroutine, or a step of an async generator.
pub fn never_awaited_thing(generator: &Ref<Generator>) -> String {
    let step = generator.look(|stack| match stack {
        [Activation::AsyncStep(step)] => Some(Ref::clone(&step.0)).zip(Some(step.1.method())),
        _ => None,
    });
    match step {
        Some((generator, method)) => {
            format!(
                "coroutine method '{method}' of '{}'",
                generator_qualname(&generator)
            )
        }
        None => format!("coroutine '{}'", generator_qualname(generator)),
    }
}
