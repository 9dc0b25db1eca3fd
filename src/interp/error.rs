//! Exceptions that the interpreter itself raises: Python's words, and our help.

use super::payload::as_list;
use super::types::{Type, class};
use crate::source::name;
use crate::value::*;

/// An exception object of a built-in class with a message.
pub fn exception(id: Type, message: impl Into<String>) -> Ref<Exception> {
    Exception::new(class(id), vec![Value::str(message.into())])
}

/// Raises a built-in exception with a message.
#[cold]
pub fn raise(id: Type, message: impl Into<String>) -> Raised {
    Raised::new(exception(id, message))
}

#[cold]
pub fn raise_empty(id: Type) -> Raised {
    Raised::new(Exception::new(class(id), vec![]))
}

#[cold]
pub fn type_error(message: impl Into<String>) -> Raised {
    raise(Type::TypeError, message)
}

#[cold]
pub fn value_error(message: impl Into<String>) -> Raised {
    raise(Type::ValueError, message)
}

#[cold]
pub fn runtime_error(message: impl Into<String>) -> Raised {
    raise(Type::RuntimeError, message)
}

#[cold]
pub fn index_error(message: impl Into<String>) -> Raised {
    raise(Type::IndexError, message)
}

#[cold]
pub fn overflow_error(message: impl Into<String>) -> Raised {
    raise(Type::OverflowError, message)
}

#[cold]
pub fn zero_division(message: &str) -> Raised {
    raise(Type::ZeroDivisionError, message)
}

/// `KeyError(key)`
#[cold]
pub fn key_error(key: &Value) -> Raised {
    Raised::new(Exception::new(class(Type::KeyError), vec![key.clone()]))
}

/// `StopIteration(value)`, without an argument for None.
#[cold]
pub fn stop_iteration(value: Value) -> Raised {
    let args = if value.is_none() || value.is_unset() {
        vec![]
    } else {
        vec![value]
    };
    Raised::new(Exception::new(class(Type::StopIteration), args))
}

#[cold]
pub fn attribute_error(message: impl Into<String>, object: &Value, name: crate::source::Symbol) -> Raised {
    let exception = exception(Type::AttributeError, message);
    exception
        .parts
        .set(crate::source::Symbol::new("name"), name.into());
    exception
        .parts
        .set(crate::source::Symbol::new("obj"), object.clone());
    Raised::new(exception)
}

/// `exception.add_note(note)`
pub fn add_note(exception: &Exception, note: Value) -> Res<()> {
    match exception.attrs.get(name::NOTES) {
        Some(notes) => match as_list(&notes) {
            Some(notes) => notes.push(note),
            None => return Err(type_error("Cannot add note: __notes__ is not a list")),
        },
        None => exception.attrs.set(name::NOTES, Value::list(vec![note])),
    }
    Ok(())
}

/// Whether the exception on its way is of a built-in class.
pub fn matches(raised: &Raised, id: Type) -> bool {
    raised.peek().is_instance(&class(id))
}

/// `Ok(None)` for StopIteration, for loops that end with it.
pub fn until_stop(result: Res) -> Res<Option<Value>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(raised) if matches(&raised, Type::StopIteration) => {
            let _ = raised.take();
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}
