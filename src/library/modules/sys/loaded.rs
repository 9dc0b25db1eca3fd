//! `sys.modules`: the modules that were imported, by name, as they are now.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::named_class;
use crate::interp::{import, iterate, mapping, text};
use crate::library::builtins::{self, method};
use crate::source::Symbol;
use crate::value::*;

/// The mapping has no data of its own.
struct Modules;

pub fn modules() -> Value {
    let class = named_class("sys.modules");
    builtins::add(&class, METHODS);
    Opaque::value(class, Modules)
}

/// A module that was imported; `asyncio` was, by the prelude.
fn find(name: &Value) -> Option<Value> {
    let name = as_str(name)?;
    if &*name.text == "asyncio" {
        return import::by_name("asyncio")
            .map_err(|raised| drop(raised.take()))
            .ok();
    }
    import::loaded_module(name.symbol())
}

/// A dict of what is loaded.
fn snapshot() -> Value {
    mapping::dict_of_symbols(import::loaded())
}

fn with_default(args: &[Value]) -> Value {
    find(&args[1]).unwrap_or_else(|| {
        if args[2].is_unset() {
            Value::None
        } else {
            args[2].clone()
        }
    })
}

fn symbol(name: &Value) -> Res<Symbol> {
    match as_str(name) {
        Some(name) => Ok(name.symbol()),
        None => Err(key_error(name)),
    }
}

/// Calls a method of a dict of what is loaded.
fn of_snapshot(method: &str) -> Res {
    crate::interp::call::call_method(&snapshot(), Symbol::new(method), &[])
}

const METHODS: &[NativeDef] = &[
    method(
        "__getitem__",
        "(self, key, /)",
        "Return the module of a name.",
        |args| find(&args[1]).ok_or_else(|| key_error(&args[1])),
    ),
    method(
        "__setitem__",
        "(self, key, value, /)",
        "Make a name mean a module.",
        |args| {
            import::register(symbol(&args[1])?, args[2].clone());
            Ok(Value::None)
        },
    ),
    method("__delitem__", "(self, key, /)", "Forget a module.", |args| {
        if import::forget(symbol(&args[1])?) {
            Ok(Value::None)
        } else {
            Err(key_error(&args[1]))
        }
    }),
    method(
        "__contains__",
        "(self, key, /)",
        "Tell whether a module was imported.",
        |args| Ok(Value::bool(find(&args[1]).is_some())),
    ),
    method("__len__", "(self, /)", "Return len(self).", |_| {
        Ok(Value::from(import::loaded().len()))
    }),
    method("__iter__", "(self, /)", "Implement iter(self).", |_| {
        iterate::iter(&snapshot())
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |_| {
        text::repr(&snapshot()).map(Value::from)
    }),
    method(
        "get",
        "(self, key, default=None, /)",
        "Return the module of a name, or the default.",
        |args| Ok(with_default(args)),
    ),
    method(
        "setdefault",
        "(self, key, default=None, /)",
        "Return the module of a name, set if it is not there.",
        |args| {
            let value = with_default(args);
            import::register(symbol(&args[1])?, value.clone());
            Ok(value)
        },
    ),
    method(
        "pop",
        "(self, key, default=None, /)",
        "Forget a module and return it.",
        |args| {
            let found = find(&args[1]);
            match found {
                Some(module) => {
                    import::forget(symbol(&args[1])?);
                    Ok(module)
                }
                None if args[2].is_unset() => Err(key_error(&args[1])),
                None => Ok(args[2].clone()),
            }
        },
    ),
    method("keys", "(self, /)", "The names.", |_| of_snapshot("keys")),
    method("values", "(self, /)", "The modules.", |_| of_snapshot("values")),
    method("items", "(self, /)", "The names with their modules.", |_| {
        of_snapshot("items")
    }),
    method("copy", "(self, /)", "A dict of the names and modules.", |_| {
        Ok(snapshot())
    }),
];
