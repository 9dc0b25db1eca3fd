//! A module's variables as a dict: `globals()`, `module.__dict__`.

use super::method;
use crate::interp::error::*;
use crate::interp::mapping;
use crate::interp::namespace::{self, ModuleDict};
use crate::interp::payload::*;
use crate::interp::{call, iterate, text};
use crate::source::Symbol;
use crate::source::name::{DOC, NAME};
use crate::value::*;

fn this(args: &[Value]) -> Res<&Ref<Module>> {
    match args[0].opaque::<ModuleDict>() {
        Some(names) => Ok(&names.0),
        None => Err(wrong_self("globals", "dict", &args[0])),
    }
}

fn key(value: &Value) -> Option<Symbol> {
    as_str(value).map(|text| text.symbol())
}

/// The names and values as a dict of their own.
fn snapshot(args: &[Value]) -> Res {
    Ok(mapping::dict_of_symbols(this(args)?.entries()))
}

fn get(args: &[Value]) -> Res<Option<Value>> {
    let module = this(args)?;
    let Some(name) = key(&args[1]) else {
        return Ok(None);
    };
    Ok(namespace::variable(module, name))
}

/// Calls a method of a dict on a snapshot.
fn on_snapshot(args: &[Value], method: &str) -> Res {
    call::call_method(&snapshot(args)?, Symbol::new(method), &[])
}

pub const MODULE: &[NativeDef] = &[
    method(
        "__repr__",
        "(self, /)",
        "Return repr(self).",
        |args| match &args[0] {
            Value::Instance(of) => match of.get(NAME) {
                Some(name) => Ok(Value::from(format!("<module {}>", text::repr(&name)?))),
                None => Ok(Value::from("<module '?'>")),
            },
            module => Ok(Value::from(text::repr(module)?)),
        },
    ),
    super::static_method(
        "__new__",
        "(cls, name=None, doc=None)",
        "A module object, empty but for its name and doc.",
        |args| match (as_class(&args[0]).filter(|of| of.is_script), as_str(&args[1])) {
            // An instance, which has room for a subclass's attributes; `__init__` names it.
            (Some(of), _) => Ok(Ref::new(Instance::new(of.clone(), Value::Unset)).into()),
            (None, Some(name)) => {
                let made = Module::new(name.symbol());
                made.set(NAME, args[1].clone());
                made.set(DOC, args[2].given().cloned().unwrap_or(Value::None));
                for unknown in ["__package__", "__loader__", "__spec__"] {
                    made.set(Symbol::new(unknown), Value::None);
                }
                Ok(Ref::new(made).into())
            }
            (None, None) if args[1].is_unset() => {
                Err(type_error("module() missing required argument 'name' (pos 1)"))
            }
            (None, None) => Err(super::wrong_argument("module() argument 'name'", "str", &args[1])),
        },
    ),
    method("__init__", "(self, name, doc=None)", "Name the module.", |args| {
        if let Value::Instance(of) = &args[0] {
            of.set(NAME, args[1].clone());
            of.set(DOC, args[2].given().cloned().unwrap_or(Value::None));
        }
        Ok(Value::None)
    }),
];

pub const NAMESPACE: &[NativeDef] = &[
    method("__getitem__", "(self, key, /)", "Return self[key].", |args| {
        get(args)?.ok_or_else(|| key_error(&args[1]))
    }),
    method(
        "__setitem__",
        "(self, key, value, /)",
        "Set self[key] to value.",
        |args| {
            match key(&args[1]) {
                Some(name) => this(args)?.set(name, args[2].clone()),
                None => return Err(type_error("the names of a module's variables are strs")),
            }
            Ok(Value::None)
        },
    ),
    method(
        "__delitem__",
        "(self, key, /)",
        "Delete self[key].",
        |args| match key(&args[1])
            .is_some_and(|name| this(args).is_ok_and(|module| namespace::delete(module, name)))
        {
            true => Ok(Value::None),
            false => Err(key_error(&args[1])),
        },
    ),
    method(
        "__contains__",
        "(self, key, /)",
        "Return bool(key in self).",
        |args| Ok(Value::bool(get(args)?.is_some())),
    ),
    method("__len__", "(self, /)", "Return len(self).", |args| {
        Ok(Value::from(this(args)?.entries().len()))
    }),
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        iterate::iter(&snapshot(args)?)
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        text::repr(&snapshot(args)?).map(Value::from)
    }),
    method(
        "get",
        "(self, key, default=None, /)",
        "Return the value for key, or the default.",
        |args| Ok(get(args)?.unwrap_or_else(|| args[2].given().cloned().unwrap_or(Value::None))),
    ),
    method("keys", "(self, /)", "The names.", |args| {
        on_snapshot(args, "keys")
    }),
    method("values", "(self, /)", "The values.", |args| {
        on_snapshot(args, "values")
    }),
    method("items", "(self, /)", "Names and values.", |args| {
        on_snapshot(args, "items")
    }),
    method(
        "copy",
        "(self, /)",
        "A dict of its own with the same entries.",
        snapshot,
    ),
    method(
        "update",
        "(self, iterable=(), /, **kwargs)",
        "Set several names.",
        |args| {
            let changes = mapping::new_dict();
            if !args[1].is_unset() {
                crate::interp::operator::collection::update_dict(&changes, &args[1])?;
            }
            let module = this(args)?;
            let more = as_dict(&args[2])
                .map(|more| more.symbol_entries())
                .unwrap_or_default();
            for (name, value) in changes.symbol_entries().into_iter().chain(more) {
                module.set(name, value);
            }
            Ok(Value::None)
        },
    ),
    method(
        "setdefault",
        "(self, key, default=None, /)",
        "Set a name if it has no value; gives its value.",
        |args| {
            if let Some(value) = get(args)? {
                return Ok(value);
            }
            let value = args[2].given().cloned().unwrap_or(Value::None);
            if let Some(name) = key(&args[1]) {
                this(args)?.set(name, value.clone());
            }
            Ok(value)
        },
    ),
    method(
        "pop",
        "(self, key, default=None, /)",
        "Remove a name and return its value.",
        |args| match get(args)? {
            Some(value) => {
                if let Some(name) = key(&args[1]) {
                    this(args)?.delete(name);
                }
                Ok(value)
            }
            None if args[2].is_unset() => Err(key_error(&args[1])),
            None => Ok(args[2].clone()),
        },
    ),
];
