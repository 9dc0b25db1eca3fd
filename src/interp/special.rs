//! Special methods: their names as symbols, and finding them on classes that define their own.
//!
//! Always true: what a value of a built-in type does is told by the operators themselves; a
//! special method is looked for only where a script (or the library, for its own classes) can
//! have defined one.

use super::call;
use super::types::class_of;
use crate::source::{Symbol, name};
use crate::value::*;

/// Whether the value's class can define special methods of its own.
#[inline(always)]
pub fn is_possible(value: &Value) -> bool {
    matches!(
        value,
        Value::Instance(_) | Value::Opaque(_) | Value::Exception(_) | Value::Class(_) | Value::Future(_)
    )
}

/// The special method that the value's class defines, unbound. What built-in classes have by
/// themselves is not found: the operators do that.
pub fn find(value: &Value, name: Symbol) -> Option<Value> {
    if !is_possible(value) {
        return None;
    }
    if let Value::Class(class) = value
        && class.metaclass.borrow().is_none()
    {
        return None;
    }
    let found = match value {
        Value::Instance(instance) => instance.class.borrow().lookup(name),
        _ => class_of(value).lookup(name),
    }?;
    match &found {
        // Under another name it is what the class chose: `__str__ = int.__repr__`.
        Value::Native(native) if native.name == name && is_inherent(value, native) => None,
        _ => Some(found),
    }
}

/// Whether a built-in method is only the operators' own behaviour under a name.
fn is_inherent(value: &Value, native: &Native) -> bool {
    match value {
        Value::Instance(instance) if !instance.payload.is_unset() => {
            // What the built-in class has in the place of object's is passed over only by choice; a library
            // class over a built-in one (defaultdict) has methods of its own.
            let payload = &instance.payload;
            (native.owner == "object" && class_of(payload).own(native.name).is_none())
                || (!matches!(payload, Value::Opaque(_) | Value::Iterator(_))
                    && is_owner(native.owner, payload))
        }
        Value::Exception(_) => true,
        Value::Opaque(object) => {
            let is_container = object.get::<descriptor::BigRange>().is_some()
                || object.get::<descriptor::DictView>().is_some();
            is_container || matches!(native.owner, "object" | "type")
        }
        _ => matches!(native.owner, "object" | "type"),
    }
}

/// Whether the class of a plain value has this name; that of the usual ones is known.
fn is_owner(owner: &str, plain: &Value) -> bool {
    match plain {
        Value::Int(_) | Value::Big(_) => owner == "int",
        Value::Str(_) => owner == "str",
        Value::Float(_) => owner == "float",
        Value::Tuple(_) => owner == "tuple",
        Value::List(_) => owner == "list",
        Value::Dict(_) => owner == "dict",
        other => owner == class_of(other).name(),
    }
}

/// Special methods that a class has not if it sets them to None; other ones are called, and fail.
const OPTIONAL: [Symbol; 6] = [
    name::ITER,
    name::CONTAINS,
    name::REVERSED,
    name::HASH,
    name::AITER,
    name::AWAIT,
];

/// Calls the special method that the value's class defines, if it does.
pub fn call(value: &Value, name: Symbol, args: &[Value]) -> Option<Res> {
    let method = find(value, name)?;
    if method.is_none() && OPTIONAL.contains(&name) {
        return None;
    }
    Some(call::call_unbound(&method, value, args))
}

/// Like [`call`], but `NotImplemented` counts as not defined.
pub fn try_call(value: &Value, name: Symbol, args: &[Value]) -> Res<Option<Value>> {
    match call(value, name, args) {
        None => Ok(None),
        Some(result) => match result? {
            Value::NotImplemented => Ok(None),
            value => Ok(Some(value)),
        },
    }
}
