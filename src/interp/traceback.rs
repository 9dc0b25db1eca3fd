//! Traceback objects: `exception.__traceback__`.

use super::identity;
use super::types::{Type, class};
use crate::value::*;
use std::rc::Rc;

/// What a script gets as a traceback: a row and those after it.
pub struct TracebackObject(pub Rc<TraceEntry>);

/// The traceback of an exception, or None.
pub fn of(exception: &Ref<Exception>) -> Value {
    match &exception.traceback.get() {
        Some(entry) => object(entry.clone()),
        None => Value::None,
    }
}

pub fn object(entry: Rc<TraceEntry>) -> Value {
    identity::one_for(Rc::as_ptr(&entry), || {
        Opaque::value(class(Type::Traceback), TracebackObject(entry.clone()))
    })
}
