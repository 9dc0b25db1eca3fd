//! `_weakref`: the class `weakref.ref`; the rest of `weakref` is written in aio on top of it.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_name, class_of, named_class};
use crate::interp::{attribute, call, isinstance, operator, report, text};
use crate::library::builtins::object::attribute_name;
use crate::library::builtins::{self, class_method, function, getter, method, static_method};
use crate::source::{Symbol, name};
use crate::value::*;
use std::cell::Cell;

/// What a weak reference holds; where it points is kept in [`weak`].
struct Reference {
    /// Called with the reference when its object dies; unset if there is nothing to call.
    callback: ValueCell,
    /// The object's hash, once it was asked for.
    hash: Cell<Option<i64>>,
}

thread_local! {
    static CLASS: Ref<Class> = {
        let class = named_class("weakref.ReferenceType");
        if class.own(name::NEW).is_none() {
            builtins::add(&class, METHODS);
            weak::NOTIFY.set(Some(notify));
        }
        class
    };
}

fn class() -> Ref<Class> {
    CLASS.with(Ref::clone)
}

/// Calls the callbacks of references whose object has died.
fn notify(references: Vec<Value>) {
    let aside = exception::lay_aside();
    for reference in references {
        let callback = match (reference.opaque::<Reference>(), proxy_callback(&reference)) {
            (Some(data), _) => data.callback.take(),
            (_, Some(callback)) => callback,
            _ => continue,
        };
        if callback.given().is_none() {
            continue;
        }
        if let Err(raised) = call::call(&callback, std::slice::from_ref(&reference)) {
            report::unraisable(raised, &callback);
        }
    }
    exception::put_back(aside);
}

/// Whether objects like this one can be pointed to weakly, as in CPython.
fn is_referable(value: &Value) -> bool {
    match value {
        Value::Instance(instance) => {
            let class = instance.class();
            class.is_script
                && !matches!(class.layout, Layout::Int | Layout::Tuple | Layout::Bytes)
                && (has_room(&class) || class.linear().iter().any(has_room))
        }
        Value::Exception(exception) => exception.class().is_script,
        Value::Function(_)
        | Value::Method(_)
        | Value::Native(_)
        | Value::Class(_)
        | Value::Module(_)
        | Value::Generator(_)
        | Value::Set(_)
        | Value::FrozenSet(_)
        | Value::Future(_)
        | Value::Opaque(_) => true,
        _ => false,
    }
}

fn check_referable(value: &Value) -> Res<()> {
    match is_referable(value) {
        true => Ok(()),
        false => Err(type_error(format!(
            "cannot create weak reference to '{}' object",
            class_name(value)
        ))),
    }
}

/// The callback of a proxy, None if it has none.
fn proxy_callback(value: &Value) -> Option<Value> {
    match value {
        Value::Instance(instance) => instance.slot(Symbol::new("_callback")),
        _ => None,
    }
}

/// Whether a class statement made room for weak references: it has no `__slots__`, or names it there.
fn has_room(class: &Ref<Class>) -> bool {
    let is_weak = |slot: &Value| text_of(slot) == Some("__weakref__");
    class.is_script
        && match class.own(name::SLOTS) {
            None => true,
            Some(slots) => match (as_tuple(&slots), as_list(&slots)) {
                (Some(slots), _) => slots.items.iter().any(is_weak),
                (None, Some(slots)) => (0..slots.len()).filter_map(|i| slots.get(i)).any(|s| is_weak(&s)),
                _ => is_weak(&slots),
            },
        }
}

fn data<'a>(value: &'a Value, method: &str) -> Res<&'a Reference> {
    value
        .opaque()
        .ok_or_else(|| wrong_self(method, "weakref.ReferenceType", value))
}

fn new(args: &[Value]) -> Res {
    // Keywords are a subclass's own.
    let [of, object, callback, _] = args else {
        return Ok(Value::None);
    };
    let Some(of) = as_class(of) else {
        return Err(type_error("ref.__new__(X): X is not a type object"));
    };
    check_referable(object)?;
    let callback = callback.given().cloned().unwrap_or_default();
    if callback.is_unset() && of.is(&class()) {
        let plain = |known: &Value| {
            matches!(known, Value::Opaque(o) if o.class.is(of))
                && known
                    .opaque::<Reference>()
                    .is_some_and(|data| data.callback.get().is_unset())
        };
        if let Some(known) = weak::find(object, plain) {
            return Ok(known);
        }
    }
    let data = Reference {
        callback: ValueCell::new(callback),
        hash: Cell::new(None),
    };
    let made = Opaque::value(of.clone(), data);
    weak::point(&made, object);
    Ok(made)
}

fn hash(args: &[Value]) -> Res {
    let data = data(&args[0], "__hash__")?;
    if let Some(known) = data.hash.get() {
        return Ok(Value::Int(known));
    }
    let Some(object) = weak::target(&args[0]) else {
        return Err(type_error("weak object has gone away"));
    };
    let hash = operator::hash(&object)?;
    data.hash.set(Some(hash));
    Ok(Value::Int(hash))
}

fn equal(args: &[Value]) -> Res {
    if args[1].opaque::<Reference>().is_none() {
        return Ok(Value::NotImplemented);
    }
    match (weak::target(&args[0]), weak::target(&args[1])) {
        (Some(a), Some(b)) => operator::compare(crate::code::CompareOp::Eq, &a, &b),
        _ => Ok(Value::bool(args[0].place() == args[1].place())),
    }
}

fn repr(args: &[Value]) -> Res {
    data(&args[0], "__repr__")?;
    let place = text::address(&args[0]);
    let Some(object) = weak::target(&args[0]) else {
        return Ok(Value::from(format!("<weakref at {place}; dead>")));
    };
    let class = class_of(&object);
    // As a special method is: what the object itself says does not count.
    let name = class
        .lookup(name::NAME)
        .map(|name| attribute::bind(&name, &object, &class));
    let name = name
        .transpose()?
        .as_ref()
        .and_then(text_of)
        .map_or(String::new(), |name| format!(" ({name})"));
    Ok(Value::from(format!(
        "<weakref at {place}; to '{}' at {}{name}>",
        text::str(&attribute::get(&class.into(), name::QUALNAME)?)?,
        text::address(&object)
    )))
}

const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, object, callback=None, /, **kwargs)",
        "Create and return a new object.",
        new,
    ),
    method(
        "__init__",
        "(self, object, callback=None, /)",
        "Nothing is left to do.",
        |_| Ok(Value::None),
    ),
    method(
        "__call__",
        "(self, /)",
        "Return the object, or None if it has died.",
        |args| {
            data(&args[0], "__call__")?;
            Ok(weak::target(&args[0]).unwrap_or(Value::None))
        },
    ),
    method("__hash__", "(self, /)", "Return hash(self).", hash),
    method("__eq__", "(self, other, /)", "Return self == other.", equal),
    method("__repr__", "(self, /)", "Return repr(self).", repr),
    getter("__callback__", "What is called when the object dies.", |args| {
        let callback = data(&args[0], "__callback__")?.callback.get();
        Ok(if callback.is_unset() {
            Value::None
        } else {
            callback
        })
    }),
    class_method("__class_getitem__", "(cls, item, /)", "See PEP 585.", |args| {
        Ok(isinstance::generic_alias(&args[0], &args[1]))
    }),
];

/// The weak references and proxies that scripts made to an object: first the ones without a
/// callback, which are shared, then the newest.
fn references(object: &Value) -> Vec<Value> {
    let place = |reference: &Value| match (reference.opaque::<Reference>(), proxy_callback(reference)) {
        (Some(data), _) => Some(
            match data.callback.get().is_unset() && class_of(reference).is(&class()) {
                true => 0,
                false => 2,
            },
        ),
        (None, Some(callback)) => Some(if callback.is_none() { 1 } else { 2 }),
        _ => None,
    };
    let all = weak::references(object).into_iter().rev();
    let mut placed: Vec<_> = all
        .filter_map(|reference| Some((place(&reference)?, reference)))
        .collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, reference)| reference).collect()
}

/// The object that a proxy stands for.
fn alive(proxy: &Value) -> Res {
    weak::target(proxy)
        .ok_or_else(|| raise(Type::ReferenceError, "weakly-referenced object no longer exists"))
}

const FUNCTIONS: &[NativeDef] = &[
    function(
        "point",
        "(proxy, object, /)",
        "Make a proxy stand for an object from now on.",
        |args| {
            check_referable(&args[1])?;
            weak::point(&args[0], &args[1]);
            Ok(Value::None)
        },
    ),
    function(
        "target",
        "(proxy, /)",
        "Return the object that a proxy stands for, or None if it has died.",
        |args| Ok(weak::target(&args[0]).unwrap_or(Value::None)),
    ),
    function(
        "alive",
        "(proxy, /)",
        "Return the object that a proxy stands for.",
        |args| alive(&args[0]),
    ),
    function(
        "getweakrefcount",
        "(object, /)",
        "Return how many weak references there are to an object.",
        |args| Ok(Value::from(references(&args[0]).len())),
    ),
    function(
        "getweakrefs",
        "(object, /)",
        "Return the weak references to an object.",
        |args| Ok(Value::list(references(&args[0]))),
    ),
];

/// Methods of proxies; the others are written in aio.
const PROXY: &[NativeDef] = &[
    method(
        "__getattribute__",
        "(self, name, /)",
        "Return getattr(self, name).",
        |args| attribute::get(&alive(&args[0])?, attribute_name(&args[1])?),
    ),
    method(
        "__setattr__",
        "(self, name, value, /)",
        "Implement setattr(self, name, value).",
        |args| {
            attribute::set(&alive(&args[0])?, attribute_name(&args[1])?, args[2].clone())?;
            Ok(Value::None)
        },
    ),
];

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_weakref", &[FUNCTIONS]);
    let of_proxies = |def: &NativeDef| (Symbol::new(def.name), Native::of(def, "weakref.ProxyType").into());
    names.extend(PROXY.iter().map(of_proxies));
    names.push((Symbol::new("ref"), class().into()));
    names
}
