//! `property`, `classmethod` and `staticmethod`.

use super::function_object::{OBJCLASS, call_with};
use super::{getter, member, method, readonly, setter, static_method};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::slot::Member;
use crate::interp::text::object::native_qualname;
use crate::interp::types::class_of;
use crate::interp::{attribute, call, operator};
use crate::source::{Symbol, name};
use crate::value::descriptor::{ClassMethod, Property, StaticMethod};
use crate::value::*;

fn this(value: &Value) -> Res<&Property> {
    value
        .opaque::<Property>()
        .ok_or_else(|| wrong_self("property", "property", value))
}

fn given(value: &Value) -> Value {
    value.given().cloned().unwrap_or(Value::None)
}

/// An opaque object of the class that `__new__` was called with.
fn make<T: std::any::Any>(of: &Value, data: T) -> Res {
    match as_class(of) {
        Some(of) => Ok(Opaque::value(of.clone(), data)),
        None => Err(type_error("__new__() argument 1 must be a class")),
    }
}

/// A property like another one, with the n-th of its functions exchanged.
fn with(args: &[Value], n: usize) -> Res {
    let this = this(&args[0])?;
    let mut parts = [&this.get, &this.set, &this.del].map(Value::clone);
    parts[n] = args[1].clone();
    let [get, set, del] = parts;
    let class = class_of(&args[0]);
    if class.is_script {
        return call::call(&class.into(), &[get, set, del, this.doc.get()]);
    }
    let (doc, name) = (ValueCell::new(this.doc.get()), ValueCell::new(this.name.get()));
    Ok(Opaque::value(
        class,
        Property {
            get,
            set,
            del,
            doc,
            name,
        },
    ))
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
        "(cls, fget=None, fset=None, fdel=None, doc=None)",
        "Property attribute.",
        |args| {
            let [of, get, set, del, doc] = args else {
                return Ok(Value::None);
            };
            let made = make(
                of,
                Property {
                    get: given(get),
                    set: given(set),
                    del: given(del),
                    doc: ValueCell::new(given(doc)),
                    name: ValueCell::new(Value::Unset),
                },
            )?;
            // The doc of a subclass would hide the property's own.
            if let Value::Opaque(object) = &made
                && object.class.is_script
            {
                let doc = match (doc.given(), get.given()) {
                    (Some(doc), _) => doc.clone(),
                    (None, Some(get)) => attribute::get(get, name::DOC)?,
                    (None, None) => Value::None,
                };
                object.attrs.set(name::DOC, doc);
            }
            Ok(made)
        },
    ),
    member("fget", "The function that reads.", |args| {
        Ok(this(&args[0])?.get.clone())
    }),
    member("fset", "The function that assigns.", |args| {
        Ok(this(&args[0])?.set.clone())
    }),
    member("fdel", "The function that deletes.", |args| {
        Ok(this(&args[0])?.del.clone())
    }),
    member("__doc__", "The property's doc.", |args| {
        let this = this(&args[0])?;
        let doc = this.doc.get();
        if !doc.is_none() {
            return Ok(doc);
        }
        match this.get.given() {
            Some(get) => attribute::get(get, name::DOC),
            None => Ok(Value::None),
        }
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
        "(self, owner, name, /)",
        "Take the name of the attribute.",
        |args| {
            this(&args[0])?.name.set(args[2].clone());
            Ok(Value::None)
        },
    ),
    getter(
        "__isabstractmethod__",
        "Whether a part of it is abstract.",
        |args| {
            let this = this(&args[0])?;
            for part in [&this.get, &this.set, &this.del] {
                if let Value::Bool(b) = is_abstract(part)?
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
                format!("{}.{}", member.owner, member.name)
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
    if let Some(it) = value.opaque::<ClassMethod>() {
        return Ok(it.0.clone());
    }
    match value.opaque::<StaticMethod>() {
        Some(it) => Ok(it.0.clone()),
        None => Err(wrong_self("__func__", "classmethod", value)),
    }
}

fn wrapped_attribute(args: &[Value], name: Symbol) -> Res {
    attribute::get(&wrapped(&args[0])?, name)
}

const FUNC: NativeDef = member("__func__", "The wrapped function.", |args| wrapped(&args[0]));
const WRAPPED: NativeDef = member("__wrapped__", "The wrapped function.", |args| wrapped(&args[0]));
const NAME: NativeDef = getter("__name__", "The function's name.", |args| {
    wrapped_attribute(args, name::NAME)
});
const QUALNAME: NativeDef = getter("__qualname__", "The function's qualified name.", |args| {
    wrapped_attribute(args, name::QUALNAME)
});
const MODULE: NativeDef = getter("__module__", "The function's module.", |args| {
    wrapped_attribute(args, name::MODULE)
});
const ANNOTATIONS: NativeDef = getter("__annotations__", "The function's annotations.", |args| {
    wrapped_attribute(args, Symbol::new("__annotations__"))
});
const DOC: NativeDef = getter("__doc__", "The function's doc.", |args| {
    wrapped_attribute(args, name::DOC)
});
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
        "(cls, function, /)",
        "Convert a function to be a class method.",
        |args| make(&args[0], ClassMethod(args[1].clone())),
    ),
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
    NAME,
    QUALNAME,
    MODULE,
    ANNOTATIONS,
    DOC,
    ABSTRACT,
    REPR,
];

pub const STATIC_METHOD: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, function, /)",
        "Convert a function to be a static method.",
        |args| make(&args[0], StaticMethod(args[1].clone())),
    ),
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
    NAME,
    QUALNAME,
    MODULE,
    ANNOTATIONS,
    DOC,
    ABSTRACT,
    REPR,
];
