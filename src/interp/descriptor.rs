//! What an attribute found in a class gives and takes
//! (https://docs.python.org/3/howto/descriptor.html).

use super::attribute::{SuperObject, find};
use super::call;
use super::error::*;
use super::slot::Member;
use super::types::{Type, class_of};
use crate::source::{Symbol, name};
use crate::value::descriptor::{ClassMethod, Property, StaticMethod};
use crate::value::*;

/// Whether an attribute of the class goes before one of the instance.
pub fn is_data_descriptor(attribute: &Value) -> bool {
    match attribute {
        Value::Native(n) => n.role.is_getter(),
        Value::Opaque(o) => o.get::<Property>().is_some() || o.get::<Member>().is_some(),
        Value::Instance(i) => {
            let class = i.class();
            class.lookup(name::GET).is_some()
                && (class.lookup(name::SET).is_some() || class.lookup(name::DELETE).is_some())
        }
        _ => false,
    }
}

/// What a property gives for an object.
pub fn read(property: &Property, object: &Value) -> Res {
    match property.get.get().given() {
        Some(get) => call::call(get, std::slice::from_ref(object)),
        None => Err(no_accessor(property, object, "getter")),
    }
}

/// Assigns through a property of an object.
pub fn write(property: &Property, object: &Value, value: Value) -> Res<()> {
    match property.set.get().given() {
        Some(set) => call::call(set, &[object.clone(), value]).map(drop),
        None => Err(no_accessor(property, object, "setter")),
    }
}

/// Deletes through a property of an object.
pub fn erase(property: &Property, object: &Value) -> Res<()> {
    match property.del.get().given() {
        Some(del) => call::call(del, std::slice::from_ref(object)).map(drop),
        None => Err(no_accessor(property, object, "deleter")),
    }
}

/// What `object.attribute` gives for an attribute found in the object's class.
pub fn bind(attribute: &Value, object: &Value, owner: &Ref<Class>) -> Res {
    match attribute {
        Value::Function(_) => Ok(method(attribute, object)),
        Value::Native(n) => match n.role {
            NativeRole::Method => Ok(method(attribute, object)),
            // To scripts it is a function like their own.
            NativeRole::Function if n.in_python() => Ok(method(attribute, object)),
            NativeRole::ClassMethod => Ok(method(attribute, &owner.clone().into())),
            NativeRole::Getter | NativeRole::Member => call::call_unbound(attribute, object, &[]),
            _ => Ok(attribute.clone()),
        },
        Value::Opaque(o) => {
            if let Some(get) = own_special(o, name::GET) {
                return call::call_unbound(&get, attribute, &[object.clone(), owner.clone().into()]);
            }
            if let Some(property) = o.get::<Property>() {
                return read(property, object);
            }
            if let Some(member) = o.get::<Member>() {
                return member.get(object);
            }
            if let Some(it) = o.get::<ClassMethod>() {
                return bind_class_method(&it.0.get(), owner);
            }
            if let Some(it) = o.get::<StaticMethod>() {
                return Ok(it.0.get());
            }
            // `super(cls)` that was kept in the class
            if let Some(it) = o.get::<SuperObject>().filter(|it| it.object.is_unset()) {
                return call::bound_super(&it.this, object.clone());
            }
            get_for(attribute, object.clone(), owner)
        }
        Value::Instance(_) => get_for(attribute, object.clone(), owner),
        _ => Ok(attribute.clone()),
    }
}

/// Whether an attribute of a class is a plain property or a built-in's member, which alone says what
/// instances give for it, as long as no class changes.
pub fn is_plain_property(attribute: &Value) -> bool {
    match attribute {
        Value::Native(native) => native.role.is_getter(),
        Value::Opaque(o) => o.get::<Property>().is_some() && own_special(o, name::GET).is_none(),
        _ => false,
    }
}

/// What a plain property gives for an object.
pub fn read_plainly(attribute: &Value, object: &Value) -> Res {
    match attribute.opaque::<Property>() {
        Some(property) => read(property, object),
        None => call::call_unbound(attribute, object, &[]),
    }
}

/// What the `__get__` of an attribute gives, if its class has one; else the attribute itself.
fn get_for(attribute: &Value, object: Value, owner: &Ref<Class>) -> Res {
    match call::special(attribute, name::GET) {
        Some(get) => call::call_unbound(&get, attribute, &[object, owner.clone().into()]),
        None => Ok(attribute.clone()),
    }
}

/// `__get__` or another method of a script's class that inherits from a built-in descriptor's.
fn own_special(descriptor: &Opaque, name: Symbol) -> Option<Value> {
    let class = &descriptor.class;
    let method = class.is_script.then(|| class.lookup(name))??;
    (!matches!(method, Value::Native(_))).then_some(method)
}

/// What `Class.attribute` gives for an attribute found in the class.
pub fn bind_to_class(attribute: &Value, owner: &Ref<Class>) -> Res {
    match attribute {
        Value::Native(n) if n.role == NativeRole::ClassMethod => Ok(method(attribute, &owner.clone().into())),
        Value::Opaque(o) => {
            if let Some(get) = own_special(o, name::GET) {
                return call::call_unbound(&get, attribute, &[Value::None, owner.clone().into()]);
            }
            if let Some(it) = o.get::<ClassMethod>() {
                return bind_class_method(&it.0.get(), owner);
            }
            if let Some(it) = o.get::<StaticMethod>() {
                return Ok(it.0.get());
            }
            get_for(attribute, Value::None, owner)
        }
        Value::Instance(_) => get_for(attribute, Value::None, owner),
        _ => Ok(attribute.clone()),
    }
}

/// What a class method gives for a class.
pub fn bind_class_method(func: &Value, owner: &Ref<Class>) -> Res {
    match func {
        Value::Function(_) | Value::Native(_) => Ok(method(func, &owner.clone().into())),
        Value::Opaque(o) if o.get::<Property>().is_some() => bind(func, &owner.clone().into(), owner),
        other => Ok(method(other, &owner.clone().into())),
    }
}

/// `this.func` for a function found in its class.
pub fn method(func: &Value, this: &Value) -> Value {
    Ref::new(Method {
        func: func.clone(),
        this: this.clone(),
    })
    .into()
}

/// Lets a data descriptor found in the object's class assign; says whether it is one.
pub fn set_by(descriptor: &Value, object: &Value, value: &Value) -> Res<bool> {
    match descriptor {
        Value::Opaque(o) => {
            if let Some(set) = own_special(o, name::SET) {
                call::call_unbound(&set, descriptor, &[object.clone(), value.clone()])?;
                return Ok(true);
            }
            if let Some(property) = o.get::<Property>() {
                write(property, object, value.clone())?;
                return Ok(true);
            }
            let member = o.get::<Member>();
            member.map_or(Ok(()), |member| member.set(object, value.clone()))?;
            Ok(member.is_some())
        }
        Value::Instance(_) => {
            let set = half_of_pair(descriptor, name::SET, name::DELETE)?;
            let args = [object.clone(), value.clone()];
            set.as_ref()
                .map_or(Ok(()), |set| call::call_unbound(set, descriptor, &args).map(drop))?;
            Ok(set.is_some())
        }
        _ => Ok(false),
    }
}

/// Lets a data descriptor found in the object's class delete; says whether it is one.
pub fn delete_by(descriptor: &Value, object: &Value) -> Res<bool> {
    match descriptor {
        Value::Opaque(o) => {
            if let Some(delete) = own_special(o, name::DELETE) {
                call::call_unbound(&delete, descriptor, std::slice::from_ref(object))?;
                return Ok(true);
            }
            if let Some(property) = o.get::<Property>() {
                erase(property, object)?;
                return Ok(true);
            }
            let member = o.get::<Member>();
            member.map_or(Ok(()), |member| member.delete(object))?;
            Ok(member.is_some())
        }
        Value::Instance(_) => {
            let delete = half_of_pair(descriptor, name::DELETE, name::SET)?;
            let object = std::slice::from_ref(object);
            delete.as_ref().map_or(Ok(()), |delete| {
                call::call_unbound(delete, descriptor, object).map(drop)
            })?;
            Ok(delete.is_some())
        }
        _ => Ok(false),
    }
}

/// One of `__set__` and `__delete__` of a descriptor: who has the other has to have it.
fn half_of_pair(descriptor: &Value, half: Symbol, other: Symbol) -> Res<Option<Value>> {
    match call::special(descriptor, half) {
        None if call::special(descriptor, other).is_some() => Err(raise(Type::AttributeError, half.text())),
        found => Ok(found),
    }
}

fn no_accessor(property: &Property, object: &Value, accessor: &str) -> Raised {
    let class = class_of(object);
    let name = match property_name(property) {
        Ok(Some(name)) => name,
        Ok(None) => Value::Unset,
        Err(raised) => return raised,
    };
    let shown = match name.is_unset() {
        true => String::new(),
        false => match super::text::repr(&name) {
            Ok(name) => format!(" {name}"),
            Err(raised) => return raised,
        },
    };
    let message = format!(
        "property{shown} of '{}' object has no {accessor}",
        class.qualname.borrow()
    );
    let name = match &name {
        Value::Str(name) => name.symbol(),
        _ => name::NAME,
    };
    attribute_error(message, object, name)
}

/// The name of a property: that of its attribute, or else that of the function that reads.
pub fn property_name(property: &Property) -> Res<Option<Value>> {
    let name = property.name.get();
    match (name.is_unset(), property.get.get().given()) {
        (false, _) => Ok(Some(name)),
        (true, Some(get)) => find(get, name::NAME),
        (true, None) => Ok(None),
    }
}
