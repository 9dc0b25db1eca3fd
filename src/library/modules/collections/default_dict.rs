//! `defaultdict`: a dict that makes a value for a key that is not there.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{self, Type, class_of};
use crate::interp::{attribute, call, mapping, text};
use crate::library::builtins::{self, getter, method, setter};
use crate::source::{Symbol, name};
use crate::value::*;
use std::cell::RefCell;

thread_local! {
    static CLASS: RefCell<Option<Ref<Class>>> = const { RefCell::new(None) };
}

/// The class `collections.defaultdict` of this thread.
pub fn class() -> Ref<Class> {
    if let Some(class) = CLASS.with_borrow(Clone::clone) {
        return class;
    }
    let dict = types::class(Type::Dict);
    let made = Ref::new(Class::new(
        Symbol::new("defaultdict"),
        vec![dict.clone()],
        dict.linear(),
        Layout::Dict,
        false,
    ));
    *made.module.borrow_mut() = Value::from("collections");
    // It stands in a slot: the `__dict__` of those whose class has one does not show it.
    made.slots.borrow_mut().push(factory_name());
    builtins::add(&made, METHODS);
    CLASS.set(Some(made.clone()));
    made
}

fn factory_name() -> Symbol {
    Symbol::new("default_factory")
}

fn factory(this: &Value) -> Value {
    match this {
        Value::Instance(instance) => instance.slot(factory_name()).unwrap_or(Value::None),
        _ => Value::None,
    }
}

fn init(args: &[Value]) -> Res {
    let Value::Instance(this) = &args[0] else {
        return Err(wrong_self("__init__", "defaultdict", &args[0]));
    };
    let mut rest = as_tuple(&args[1]).map(|t| t.items.to_vec()).unwrap_or_default();
    let factory = if rest.is_empty() {
        Value::None
    } else {
        rest.remove(0)
    };
    if !factory.is_none() && !call::is_callable(&factory) {
        return Err(type_error("first argument must be callable or None"));
    }
    this.set_slot(factory_name(), factory);
    let keywords = as_dict(&args[2]).map(|d| d.symbol_entries()).unwrap_or_default();
    let Some(fill) = types::class(Type::Dict).lookup(name::INIT) else {
        return Ok(Value::None);
    };
    rest.insert(0, args[0].clone());
    call::call_kw(&fill, &rest, &keywords)
}

fn missing(args: &[Value]) -> Res {
    let factory = factory(&args[0]);
    let Some(dict) = as_dict(&args[0]).filter(|_| !factory.is_none()) else {
        return Err(key_error(&args[1]));
    };
    let value = call::call(&factory, &[])?;
    mapping::dict_set(dict, &args[1], value.clone())?;
    Ok(value)
}

fn copy(args: &[Value]) -> Res {
    call::call(&class_of(&args[0]).into(), &[factory(&args[0]), args[0].clone()])
}

/// `left | right`, as the class of the default dict among them.
fn merged(this: &Value, left: &Value, right: &Value) -> Res {
    let (Some(_), Some(right)) = (as_dict(left), as_dict(right)) else {
        return Ok(Value::NotImplemented);
    };
    let made = call::call(&class_of(this).into(), &[factory(this), left.clone()])?;
    if let Some(dict) = as_dict(&made) {
        mapping::dict_merge(dict, right)?;
    }
    Ok(made)
}

const METHODS: &[NativeDef] = &[
    method(
        "__init__",
        "(self, /, *args, **kwargs)",
        "Take the factory of values, and what dict takes.",
        init,
    ),
    method(
        "__missing__",
        "(self, key, /)",
        "Make, keep and return the value of a key that is not there.",
        missing,
    ),
    getter("default_factory", "Makes the value of a missing key.", |args| {
        Ok(factory(&args[0]))
    }),
    setter("default_factory", |args| {
        if let Value::Instance(this) = &args[0] {
            this.set_slot(factory_name(), args[1].clone());
        }
        Ok(Value::None)
    }),
    method("copy", "(self, /)", "Return a shallow copy.", copy),
    method("__copy__", "(self, /)", "Return a shallow copy.", copy),
    method("__or__", "(self, value, /)", "Return self|value.", |args| {
        merged(&args[0], &args[0], &args[1])
    }),
    method("__ror__", "(self, value, /)", "Return value|self.", |args| {
        merged(&args[0], &args[1], &args[0])
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let mut out = format!("{}(", class_of(&args[0]).name());
        let factory = factory(&args[0]);
        text::within(&factory, "...", &mut out, |out| text::write_repr(&factory, out))?;
        out.push_str(", ");
        text::write_plain(&args[0], &mut out)?;
        out.push(')');
        Ok(Value::from(out))
    }),
    method(
        "__reduce__",
        "(self, /)",
        "What copying makes the object of.",
        |args| {
            let items = attribute::get(&args[0], Symbol::new("items"))?;
            let items = crate::interp::iterate::iter(&call::call(&items, &[])?)?;
            let factory = factory(&args[0]);
            let given = if factory.is_none() {
                Value::tuple([])
            } else {
                Value::tuple([factory])
            };
            Ok(Value::tuple([
                class_of(&args[0]).into(),
                given,
                Value::None,
                Value::None,
                items,
            ]))
        },
    ),
];
