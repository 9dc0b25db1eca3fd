//! `property`, `classmethod` and `staticmethod`.

use super::function_object::{OBJCLASS, call_with};
use super::{getter, member, method, readonly, setter, static_method};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::slot::Member;
use crate::interp::text::object::native_qualname;
use crate::interp::types::{Type, class_of};
use crate::interp::{attribute, call, operator};
use crate::source::{Symbol, name};
use crate::value::descriptor::{ClassMethod, Property, StaticMethod};
use crate::value::*;
use std::cell::Cell;

fn this(value: &Value) -> Res<&Property> {
    value
        .opaque::<Property>()
        .ok_or_else(|| wrong_self("property", "property", value))
}

/// An opaque object of the class that `__new__` was called with.
fn make<T: std::any::Any>(of: &Value, data: T) -> Res {
    match as_class(of) {
        Some(of) => Ok(Opaque::value(of.clone(), data)),
        None => Err(type_error("__new__() argument 1 must be a class")),
    }
}

/// A property like another one, with the n-th of its functions exchanged; None exchanges nothing.
fn with(args: &[Value], n: usize) -> Res {
    let this = this(&args[0])?;
    let mut parts = [&this.get, &this.set, &this.del].map(ValueCell::get);
    if let Some(func) = args[1].given() {
        parts[n] = func.clone();
    }
    let [get, set, del] = parts;
    // The doc of the function that reads is taken anew from that function.
    let doc = match this.is_getters_doc.get() && !get.is_none() {
        true => Value::None,
        false => this.doc.get(),
    };
    let made = call::call(&class_of(&args[0]).into(), &[get, set, del, doc])?;
    if let Some(other) = made.opaque::<Property>() {
        other.name.set(this.name.get());
    }
    Ok(made)
}

fn init_property(args: &[Value]) -> Res {
    let [object, get, set, del, doc] = args else {
        return Ok(Value::None);
    };
    let this = this(object)?;
    let getters = match (doc.given(), get.given()) {
        (None, Some(get)) => attribute::find(get, name::DOC)?.filter(|doc| !doc.is_none()),
        _ => None,
    };
    for (part, given) in [(&this.get, get), (&this.set, set), (&this.del, del)] {
        part.set(given.given().cloned().unwrap_or(Value::None));
    }
    this.name.set(Value::Unset);
    this.is_getters_doc.set(getters.is_some());
    let doc = getters.or(doc.given().cloned()).unwrap_or(Value::None);
    this.doc.set(doc.clone());
    // The doc of a subclass would hide the property's own.
    if class_of(object).is_script
        && let Err(raised) = attribute::set(object, name::DOC, doc)
    {
        let is_dropped = matches(&raised, Type::AttributeError) && !this.is_getters_doc.get();
        if !is_dropped {
            return Err(raised);
        }
        drop(raised.take());
    }
    Ok(Value::None)
}

/// Whether a wrapped function is marked abstract.
fn is_abstract(func: &Value) -> Res {
    let mark = Symbol::new("__isabstractmethod__");
    match attribute::find(func, mark)? {
        Some(mark) => operator::truth(&mark).map(Value::bool),
        None => Ok(Value::FALSE),
    }
}

pub const PROPERTY: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "A property that `__init__` fills.",
        |args| {
            make(
                &args[0],
                Property {
                    get: ValueCell::new(Value::None),
                    set: ValueCell::new(Value::None),
                    del: ValueCell::new(Value::None),
                    doc: ValueCell::new(Value::None),
                    is_getters_doc: Cell::new(false),
                    name: ValueCell::new(Value::Unset),
                },
            )
        },
    ),
    method(
        "__init__",
        "(self, fget=None, fset=None, fdel=None, doc=None)",
        "Property attribute.",
        init_property,
    ),
    member("fget", "The function that reads.", |args| {
        Ok(this(&args[0])?.get.get())
    }),
    member("fset", "The function that assigns.", |args| {
        Ok(this(&args[0])?.set.get())
    }),
    member("fdel", "The function that deletes.", |args| {
        Ok(this(&args[0])?.del.get())
    }),
    member("__doc__", "The property's doc.", |args| {
        Ok(this(&args[0])?.doc.get())
    }),
    readonly("fget"),
    readonly("fset"),
    readonly("fdel"),
    setter("__doc__", |args| {
        this(&args[0])?.doc.set(args[1].clone());
        Ok(Value::None)
    }),
    getter("__name__", "The name of the attribute.", |args| {
        attribute::property_name(this(&args[0])?)?
            .ok_or_else(|| attribute::no_attribute(&args[0], name::NAME))
    }),
    setter("__name__", |args| {
        this(&args[0])?.name.set(args[1].clone());
        Ok(Value::None)
    }),
    method(
        "__set_name__",
        "(self, /, *args)",
        "Take the name of the attribute.",
        |args| match as_tuple(&args[1]).map_or(&[][..], |given| &given.items) {
            [_, name] => {
                this(&args[0])?.name.set(name.clone());
                Ok(Value::None)
            }
            given => Err(type_error(format!(
                "__set_name__() takes 2 positional arguments but {} were given",
                given.len()
            ))),
        },
    ),
    getter(
        "__isabstractmethod__",
        "Whether a part of it is abstract.",
        |args| {
            let this = this(&args[0])?;
            for part in [&this.get, &this.set, &this.del] {
                if let Value::Bool(b) = is_abstract(&part.get())?
                    && b.get()
                {
                    return Ok(Value::TRUE);
                }
            }
            Ok(Value::FALSE)
        },
    ),
    method(
        "getter",
        "(self, fget, /)",
        "Descriptor to obtain a copy of the property with a different getter.",
        |args| with(args, 0),
    ),
    method(
        "setter",
        "(self, fset, /)",
        "Descriptor to obtain a copy of the property with a different setter.",
        |args| with(args, 1),
    ),
    method(
        "deleter",
        "(self, fdel, /)",
        "Descriptor to obtain a copy of the property with a different deleter.",
        |args| with(args, 2),
    ),
    method(
        "__get__",
        "(self, instance, owner=None, /)",
        "Return an attribute of instance.",
        |args| match args[1].given() {
            None => Ok(args[0].clone()),
            Some(instance) => attribute::read(this(&args[0])?, instance),
        },
    ),
    method(
        "__set__",
        "(self, instance, value, /)",
        "Set an attribute of instance to value.",
        |args| attribute::write(this(&args[0])?, &args[1], args[2].clone()).map(|()| Value::None),
    ),
    method(
        "__delete__",
        "(self, instance, /)",
        "Delete an attribute of instance.",
        |args| attribute::erase(this(&args[0])?, &args[1]).map(|()| Value::None),
    ),
];

fn this_member(value: &Value) -> Res<&Member> {
    value
        .opaque::<Member>()
        .ok_or_else(|| wrong_self("__get__", "member_descriptor", value))
}

/// Of slots, and of what built-in classes keep in their objects.
pub const MEMBER: &[NativeDef] = &[
    OBJCLASS,
    getter("__name__", "The slot's name.", |args| {
        Ok(match &args[0] {
            Value::Native(native) => native.name.into(),
            slot => this_member(slot)?.name.into(),
        })
    }),
    getter("__qualname__", "The slot's name with its class.", |args| {
        Ok(Value::from(match &args[0] {
            Value::Native(native) => native_qualname(native),
            slot => {
                let member = this_member(slot)?;
                format!("{}.{}", member.owner.name(), member.name)
            }
        }))
    }),
    getter("__doc__", "What it is for; slots do not say.", |args| {
        Ok(match &args[0] {
            Value::Native(native) => native.doc.into(),
            _ => Value::None,
        })
    }),
    method(
        "__get__",
        "(self, instance, owner=None, /)",
        "Return an attribute of instance.",
        |args| match args[1].given() {
            None => Ok(args[0].clone()),
            Some(instance) => match &args[0] {
                Value::Native(_) => attribute::bind(&args[0], instance, &class_of(instance)),
                slot => this_member(slot)?.get(instance),
            },
        },
    ),
    method(
        "__set__",
        "(self, instance, value, /)",
        "Set an attribute of instance to value.",
        |args| {
            match &args[0] {
                Value::Native(native) => attribute::set(&args[1], native.name, args[2].clone())?,
                slot => this_member(slot)?.set(&args[1], args[2].clone())?,
            }
            Ok(Value::None)
        },
    ),
    method(
        "__delete__",
        "(self, instance, /)",
        "Delete an attribute of instance.",
        |args| {
            match &args[0] {
                Value::Native(native) => attribute::delete(&args[1], native.name)?,
                slot => this_member(slot)?.delete(&args[1])?,
            }
            Ok(Value::None)
        },
    ),
];

/// The function inside a classmethod or staticmethod.
fn wrapped(value: &Value) -> Res {
    let (func, kind) = match (value.opaque::<ClassMethod>(), value.opaque::<StaticMethod>()) {
        (Some(it), _) => (it.0.get(), "classmethod"),
        (_, Some(it)) => (it.0.get(), "staticmethod"),
        (None, None) => return Err(wrong_self("__func__", "classmethod", value)),
    };
    match func.is_unset() {
        true => Err(runtime_error(format!("uninitialized {kind} object"))),
        false => Ok(func),
    }
}

/// Wraps a function, and takes over what describes it.
fn wrap_function(args: &[Value]) -> Res {
    let [object, func] = args else {
        return Ok(Value::None);
    };
    match (object.opaque::<ClassMethod>(), object.opaque::<StaticMethod>()) {
        (Some(it), _) => it.0.set(func.clone()),
        (_, Some(it)) => it.0.set(func.clone()),
        (None, None) => return Err(wrong_self("__init__", "classmethod", object)),
    }
    for name in [
        name::MODULE,
        name::NAME,
        name::QUALNAME,
        name::DOC,
        name::ANNOTATIONS,
    ] {
        if let Some(value) = attribute::find(func, name)? {
            attribute::set(object, name, value)?;
        }
    }
    Ok(Value::None)
}

const INIT: NativeDef = method(
    "__init__",
    "(self, function, /)",
    "Wrap a function.",
    wrap_function,
);
const FUNC: NativeDef = member("__func__", "The wrapped function.", |args| wrapped(&args[0]));
const WRAPPED: NativeDef = member("__wrapped__", "The wrapped function.", |args| wrapped(&args[0]));
const ABSTRACT: NativeDef = getter(
    "__isabstractmethod__",
    "Whether the function is abstract.",
    |args| is_abstract(&wrapped(&args[0])?),
);
const REPR: NativeDef = method("__repr__", "(self, /)", "Return repr(self).", |args| {
    let func = crate::interp::text::repr(&wrapped(&args[0])?)?;
    Ok(Value::from(format!("<{}({func})>", class_of(&args[0]).name())))
});

pub const CLASS_METHOD: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Convert a function to be a class method.",
        |args| make(&args[0], ClassMethod(ValueCell::default())),
    ),
    INIT,
    method(
        "__get__",
        "(self, instance, owner=None, /)",
        "Return a bound method of the class.",
        |args| {
            let owner = match (&args[2], &args[1]) {
                (Value::Class(owner), _) => Ref::clone(owner),
                (_, instance) => class_of(instance),
            };
            attribute::bind_class_method(&wrapped(&args[0])?, &owner)
        },
    ),
    FUNC,
    WRAPPED,
    ABSTRACT,
    REPR,
];

pub const STATIC_METHOD: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Convert a function to be a static method.",
        |args| make(&args[0], StaticMethod(ValueCell::default())),
    ),
    INIT,
    method(
        "__get__",
        "(self, instance, owner=None, /)",
        "Return the function itself.",
        |args| wrapped(&args[0]),
    ),
    method(
        "__call__",
        "(self, /, *args, **kwargs)",
        "Call the function.",
        |args| call_with(&wrapped(&args[0])?, args),
    ),
    FUNC,
    WRAPPED,
    ABSTRACT,
    REPR,
];
