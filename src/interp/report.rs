//! What the interpreter notices on its own and a person should be told.

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

pub fn unraisable(raised: Raised, object: &Value) {
    tell(Notice::Unraisable(raised.take(), object.clone()));
}

/// The qualified name of a coroutine.
pub fn coroutine_name(generator: &Generator) -> String {
    if let Some(names) = generator.names()
        && let Value::Str(name) = &names.1
    {
        return name.text.to_string();
    }
    match &generator.func {
        Value::Function(f) => match &f.names().qualname {
            Value::Str(name) => name.text.to_string(),
            _ => f.code.qualname.to_string(),
        },
        Value::Native(n) => n.name.to_string(),
        _ => "?".into(),
    }
}
