//! Attribute access (https://docs.python.org/3/reference/datamodel.html#customizing-attribute-access).

pub use super::descriptor::*;
use super::error::*;
use super::types::{Type, class, class_of};
use super::{call, suggest};
use crate::source::{Symbol, name};
use crate::value::descriptor::GenericAlias;
use crate::value::*;

/// `object.name`
pub fn get(object: &Value, name: Symbol) -> Res {
    match look_up(object, name) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(no_attribute(object, name)),
        Err(raised) => Err(in_context(raised, object, name)),
    }
}

/// Tells an AttributeError that a script raised which attribute of what was asked for, and what
/// may have been meant.
#[cold]
pub fn in_context(raised: Raised, object: &Value, name: Symbol) -> Raised {
    if !matches(&raised, Type::AttributeError) {
        return raised;
    }
    let exception = raised.peek();
    let (attrs, of) = (&exception.parts, Symbol::new("obj"));
    if attrs.get(Symbol::new("name")).is_none() && attrs.get(of).is_none() {
        attrs.set(Symbol::new("name"), name.into());
        attrs.set(of, object.clone());
    }
    let is_name = matches!(&attrs.get(Symbol::new("name")), Some(Value::Str(own)) if own.symbol() == name);
    let is_own = is_name && attrs.get(of).is_some_and(|of| of.is(object));
    if is_own && exception.hint.get().is_none() {
        return with_suggestion(raised, object, name);
    }
    raised
}

/// `object.name`, or none where Python raises AttributeError: `getattr(object, name, None)`.
pub fn find(object: &Value, name: Symbol) -> Res<Option<Value>> {
    match look_up(object, name) {
        Err(raised) if matches(&raised, Type::AttributeError) => {
            drop(raised.take());
            Ok(None)
        }
        found => found,
    }
}

/// The same, but what a script's hook or property raises is raised.
fn look_up(object: &Value, name: Symbol) -> Res<Option<Value>> {
    match object {
        Value::Instance(instance) => find_with_hooks(object, instance.class(), name),
        Value::Class(class) => find_on_class(class, name),
        Value::Module(module) => find_on_module(object, module, name),
        Value::Opaque(opaque) if opaque.get::<SuperObject>().is_some() => find_on_super(object, name),
        Value::Opaque(opaque) if let Some(alias) = opaque.get::<GenericAlias>() => {
            find_on_alias(object, &alias.origin, name)
        }
        _ => {
            let class = class_of(object);
            match class.is_script {
                true => find_with_hooks(object, class, name),
                false => find_plain(object, &class, name),
            }
        }
    }
}

/// `list[int].name`: but for a few names, that of the class.
fn find_on_alias(object: &Value, origin: &Value, name: Symbol) -> Res<Option<Value>> {
    match name.text() {
        "__class__" | "__origin__" | "__args__" | "__unpacked__" | "__parameters__" | "__mro_entries__"
        | "__reduce__" | "__reduce_ex__" => find_plain(object, &class_of(object), name),
        "__bases__" | "__copy__" | "__deepcopy__" => Ok(None),
        _ => get(origin, name).map(Some),
    }
}

/// `super()`: the object (or class) whose attributes are looked up after `this` in its order.
pub struct SuperObject {
    pub this: Ref<Class>,
    pub object: Value,
}

fn find_on_super(object: &Value, name: Symbol) -> Res<Option<Value>> {
    let Some(it) = object.opaque::<SuperObject>() else {
        return Ok(None);
    };
    if name == name::CLASS {
        return Ok(Some(class(Type::Super).into()));
    }
    if it.object.is_unset() {
        return find_on_super_itself(object, it, None, name);
    }
    let start = match &it.object {
        Value::Class(c) if c.is_subclass(&it.this) => c.clone(),
        other => class_of(other),
    };
    let Some(found) = start.lookup_after(&it.this, name) else {
        return find_on_super_itself(object, it, Some(start), name);
    };
    match &it.object {
        Value::Class(c) if c.is_subclass(&it.this) => bind_to_class(&found, c).map(Some),
        other => bind(&found, other, &start).map(Some),
    }
}

/// What `super()` says of itself; `start` is the class in whose order it looks.
fn find_on_super_itself(
    object: &Value,
    it: &SuperObject,
    start: Option<Ref<Class>>,
    name: Symbol,
) -> Res<Option<Value>> {
    Ok(Some(match name.text() {
        "__thisclass__" => it.this.clone().into(),
        "__self__" => it.object.given().cloned().unwrap_or(Value::None),
        "__self_class__" => start.map_or(Value::None, Value::from),
        _ => {
            let own = class(Type::Super);
            return own
                .lookup(name)
                .map(|found| bind(&found, object, &own))
                .transpose();
        }
    }))
}

/// Whether what a class has under a name such as `__getattribute__` is asked first, and not object's own.
pub fn is_hook(found: &Value) -> bool {
    !matches!(found, Value::Native(native) if native.owner == "object")
}

/// What an object of a script's class has: its class may have a say before it and after it.
fn find_with_hooks(object: &Value, class: Ref<Class>, name: Symbol) -> Res<Option<Value>> {
    if class.is_script
        && let Some(own) = class.lookup(name::GETATTRIBUTE)
        && is_hook(&own)
    {
        return match call::call_unbound(&own, object, &[name.into()]) {
            Ok(value) => Ok(Some(value)),
            Err(raised) if matches(&raised, Type::AttributeError) => match class.lookup(name::GETATTR) {
                Some(fallback) => {
                    let _ = raised.take();
                    call::call_unbound(&fallback, object, &[name.into()]).map(Some)
                }
                None => Err(raised),
            },
            Err(raised) => Err(raised),
        };
    }
    let found = find_without_hooks(object, name);
    let is_missing = match &found {
        Ok(found) => found.is_none(),
        Err(raised) => matches(raised, Type::AttributeError),
    };
    match class.lookup(name::GETATTR) {
        Some(fallback) if is_missing => {
            if let Err(raised) = found {
                drop(raised.take());
            }
            call::call_unbound(&fallback, object, &[name.into()]).map(Some)
        }
        _ => found,
    }
}

/// What `object.__getattribute__` does: without the class's own `__getattribute__` and
/// `__getattr__`.
pub fn find_without_hooks(object: &Value, name: Symbol) -> Res<Option<Value>> {
    let instance = match object {
        Value::Instance(instance) => instance,
        Value::Class(_) | Value::Module(_) => return look_up(object, name),
        _ if object.opaque::<SuperObject>().is_some() => return look_up(object, name),
        _ if object.opaque::<GenericAlias>().is_some() => return look_up(object, name),
        _ => return find_plain(object, &class_of(object), name),
    };
    let class = instance.class();
    let found = class.lookup(name);
    if let Some(found) = &found
        && is_data_descriptor(found)
    {
        return bind(found, object, &class).map(Some);
    }
    if let Some(value) = instance.get(name) {
        return Ok(Some(value));
    }
    if let Some(found) = found {
        return bind(&found, object, &class).map(Some);
    }
    Ok(match name {
        name::CLASS => Some(class.into()),
        name::DICT => dict_of(object),
        name::DOC if !class.is_script => return find_on_class(&class, name),
        name::DOC => Some(Value::None),
        name::MODULE => Some(class.module.borrow().clone()),
        _ => None,
    })
}

/// The `__dict__` of an object, if it has one.
pub fn dict_of(object: &Value) -> Option<Value> {
    if let Value::Instance(instance) = object {
        let has_dict = instance.class().has_dict.get();
        return has_dict.then(|| instance.detach().into());
    }
    if let Value::Future(_) = object {
        return None; // it has attributes, but CPython shows no dict of them
    }
    Some(attrs_of(object)?.dict().into())
}

/// What `obj.__dict__ = value` gives.
fn dict_given(value: &Value) -> Res<Ref<Dict>> {
    super::payload::as_dict(value).cloned().ok_or_else(|| {
        type_error(format!(
            "__dict__ must be set to a dictionary, not a '{}'",
            super::types::class_name(value)
        ))
    })
}

fn find_plain(object: &Value, class: &Ref<Class>, name: Symbol) -> Res<Option<Value>> {
    let found = class.lookup(name);
    if let Some(found) = &found
        && is_data_descriptor(found)
    {
        return bind(found, object, class).map(Some);
    }
    if let Some(attrs) = attrs_of(object)
        && let Some(value) = attrs.get(name)
    {
        return Ok(Some(value));
    }
    if let Value::Method(method) = object
        && found.is_none()
        && name != name::CLASS
    {
        return look_up(&method.func, name);
    }
    if let Some(found) = found {
        return bind(&found, object, class).map(Some);
    }
    if name == name::CLASS {
        return Ok(Some(class.clone().into()));
    }
    if name == name::DICT
        && let Some(dict) = dict_of(object)
    {
        return Ok(Some(dict));
    }
    if name == name::DOC {
        return find_on_class(class, name);
    }
    Ok(None)
}

/// The attributes of an object that is no plain instance.
pub fn attrs_of(object: &Value) -> Option<&Attrs> {
    match object {
        Value::Exception(e) => Some(&e.attrs),
        Value::Function(f) => Some(&f.attrs),
        Value::Future(f) => Some(f.attrs()),
        Value::Opaque(o) => Some(&o.attrs),
        _ => None,
    }
}

fn find_on_class(this: &Ref<Class>, name: Symbol) -> Res<Option<Value>> {
    let object = || Value::from(this.clone());
    let meta = this
        .metaclass
        .borrow()
        .clone()
        .unwrap_or_else(|| class(Type::Class));
    let of_meta = meta.lookup(name);
    if let Some(found) = &of_meta
        && is_data_descriptor(found)
    {
        return bind(found, &object(), &meta).map(Some);
    }
    if name == name::ANNOTATIONS && this.is_script && this.own(name).is_none() {
        // Those of a base are its own.
        this.set(name, super::mapping::new_dict().into());
    }
    if let Some(found) = this.lookup(name) {
        return bind_to_class(&found, this).map(Some);
    }
    match of_meta {
        Some(found) => bind(&found, &object(), &meta).map(Some),
        None if name == name::CLASS => Ok(Some(meta.into())),
        None if name == name::DOC => Ok(Some(Value::None)),
        None => match meta.is_script.then(|| meta.lookup(name::GETATTR)).flatten() {
            Some(fallback) => call::call_unbound(&fallback, &object(), &[name.into()]).map(Some),
            None => Ok(None),
        },
    }
}

fn find_on_module(object: &Value, module: &Ref<Module>, name: Symbol) -> Res<Option<Value>> {
    if let Some(value) = module.get(name) {
        return Ok(Some(value));
    }
    if let Some(make) = module.on_missing
        && let Some(value) = make(module, name)?
    {
        return Ok(Some(value));
    }
    Ok(match name {
        name::DICT => Some(super::namespace::of_module(module)),
        name::CLASS => Some(class(Type::Module).into()),
        name::NAME => Some(module.name.into()),
        name::DOC => Some(Value::None),
        _ => match module.get(name::GETATTR) {
            Some(fallback) => Some(call::call(&fallback, &[name.into()])?),
            None => bind_class_attribute(object, name)?,
        },
    })
}

fn bind_class_attribute(object: &Value, name: Symbol) -> Res<Option<Value>> {
    let class = class_of(object);
    match class.lookup(name) {
        Some(found) => bind(&found, object, &class).map(Some),
        None => Ok(None),
    }
}

/// `object.name = value`
pub fn set(object: &Value, name: Symbol, value: Value) -> Res<()> {
    let class = class_of(object);
    if class.is_script
        && let Some(own) = class.lookup(name::SETATTR)
        && is_hook(&own)
    {
        return call::call_unbound(&own, object, &[name.into(), value]).map(drop);
    }
    set_without_hooks(object, name, value)
}

/// What `object.__setattr__` does.
pub fn set_without_hooks(object: &Value, name: Symbol, value: Value) -> Res<()> {
    match object {
        Value::Class(class) => return set_on_class(class, name, value),
        Value::Module(module) => {
            if module.name == name::MODULE_BUILTINS {
                super::namespace::change_builtin(name, value.clone());
            }
            module.set(name, value);
            return Ok(());
        }
        _ => {}
    }
    let class = class_of(object);
    if let Some(found) = class.lookup(name) {
        if set_by(&found, object, &value)? {
            return Ok(());
        }
        if let Value::Native(n) = &found
            && n.role.is_getter()
            && name != name::DICT
        {
            let setter = Symbol::new(&format!("{name}="));
            return match class.lookup(setter) {
                Some(setter) => call::call_unbound(&setter, object, &[value]).map(drop),
                None if n.role == NativeRole::Member => Err(readonly(object, name)),
                None => Err(not_writable(super::types::full_name(n.owner), object, name)),
            };
        }
    }
    match object {
        Value::Instance(instance) => {
            if name == name::CLASS {
                let Value::Class(class) = &value else {
                    return Err(no_class(&value));
                };
                let old = class_of(object);
                if !class.is_script || !old.is_script {
                    return Err(fixed_class());
                }
                let is_alike = class.layout == old.layout
                    && class.has_dict.get() == old.has_dict.get()
                    && *class.slots.borrow() == *old.slots.borrow();
                if !is_alike {
                    return Err(type_error(format!(
                        "__class__ assignment: '{}' object layout differs from '{}'",
                        class.name(),
                        old.name()
                    )));
                }
                instance.set_class(Ref::clone(class));
                return Ok(());
            }
            if !class.has_dict.get() {
                return Err(no_room(object, &class, name));
            }
            if name == name::DICT {
                instance.replace_dict(dict_given(&value)?);
                return Ok(());
            }
            instance.set(name, value);
            Ok(())
        }
        _ if name == name::CLASS && attrs_of(object).is_none() => Err(match &value {
            Value::Class(_) => fixed_class(),
            other => no_class(other),
        }),
        _ => match attrs_of(object) {
            Some(attrs) if !matches!(object, Value::Opaque(o) if !o.class.has_dict.get()) => {
                match name {
                    name::DICT => attrs.replace_dict(dict_given(&value)?),
                    _ => attrs.set(name, value),
                }
                if let Value::Opaque(opaque) = object
                    && class.lookup(name).is_some()
                    && let Some(container) = opaque.container()
                {
                    container.cover();
                }
                Ok(())
            }
            _ => Err(no_room(object, &class, name)),
        },
    }
}

/// The error of `object.__class__ = …` for what is no class.
#[cold]
fn no_class(given: &Value) -> Raised {
    let kind = class_of(given).name();
    type_error(format!("__class__ must be set to a class, not '{kind}' object"))
}

/// The error of `object.__class__ = …` where either class is built in.
#[cold]
fn fixed_class() -> Raised {
    type_error("__class__ assignment only supported for mutable types or ModuleType subclasses")
}

/// Whether a method is one that CPython has in Python too: what the library writes stands for what is C there.
fn is_written(method: &Value) -> bool {
    !matches!(method, Value::Native(_))
        && !matches!(method, Value::Function(func) if func.code.source.is_library_module())
}

/// The error for an attribute that an object without a `__dict__` cannot get.
#[cold]
fn no_room(object: &Value, class: &Ref<Class>, name: Symbol) -> Raised {
    let kind = super::types::shown_name(class);
    let message = if class.lookup(name).is_some() || name == name::DOC {
        format!("'{kind}' object attribute '{name}' is read-only")
    } else if [name::SETATTR, name::DELATTR]
        .into_iter()
        .any(|hook| class.lookup(hook).is_some_and(|found| is_written(&found)))
    {
        format!("'{kind}' object has no attribute '{name}'")
    } else {
        format!("'{kind}' object has no attribute '{name}' and no __dict__ for setting new attributes")
    };
    attribute_error(message, object, name)
}

fn set_on_class(this: &Ref<Class>, name: Symbol, value: Value) -> Res<()> {
    if !this.is_open() {
        return Err(type_error(format!(
            "cannot set '{name}' attribute of immutable type '{}'",
            super::types::shown_name(this)
        )));
    }
    if let Some(found) = own_meta_attribute(this, name)
        && set_by(&found, &this.clone().into(), &value)?
    {
        return Ok(());
    }
    match (name, &value) {
        (name::NAME, Value::Str(s)) if s.text.contains('\0') => return Err(super::class_body::null_in_name()),
        (name::NAME, Value::Str(s)) => *this.name.borrow_mut() = s.symbol(),
        (name::QUALNAME, Value::Str(s)) => *this.qualname.borrow_mut() = (&*s.text).into(),
        (name::NAME | name::QUALNAME, other) => {
            return Err(type_error(format!(
                "can only assign string to {}.{name}, not '{}'",
                this.name(),
                super::types::class_name(other)
            )));
        }
        (name::BASES, _) => super::class_body::set_bases(this, &value)?,
        _ if is_fixed(name) => return Err(not_writable("type", &this.clone().into(), name)),
        _ => this.set(name, value),
    }
    Ok(())
}

/// What the script's metaclass of a class has under a name.
fn own_meta_attribute(this: &Ref<Class>, name: Symbol) -> Option<Value> {
    this.metaclass.borrow().as_ref()?.lookup(name)
}

/// Whether a class has the attribute from its making on.
fn is_fixed(name: Symbol) -> bool {
    matches!(name.text(), "__mro__" | "__dict__")
}

/// The error for data that a class only shows.
#[cold]
fn readonly(object: &Value, name: Symbol) -> Raised {
    attribute_error("readonly attribute", object, name)
}

#[cold]
fn not_writable(kind: &str, object: &Value, name: Symbol) -> Raised {
    let message = format!("attribute '{name}' of '{kind}' objects is not writable");
    attribute_error(message, object, name)
}

/// `del object.name`
pub fn delete(object: &Value, name: Symbol) -> Res<()> {
    let class = class_of(object);
    if class.is_script
        && let Some(own) = class.lookup(name::DELATTR)
        && is_hook(&own)
    {
        return call::call_unbound(&own, object, &[name.into()]).map(drop);
    }
    delete_without_hooks(object, name)
}

/// What `object.__delattr__` does.
pub fn delete_without_hooks(object: &Value, name: Symbol) -> Res<()> {
    let class = class_of(object);
    if let Some(found) = class.lookup(name) {
        if delete_by(&found, object)? {
            return Ok(());
        }
        if let Value::Native(n) = &found
            && n.role.is_getter()
            && name != name::DICT
        {
            let setter = Symbol::new(&format!("{name}="));
            if let Some(Value::Native(deleter)) = &class.lookup(setter)
                && deleter.signature.required == 1
            {
                return call::call_unbound(&deleter.clone().into(), object, &[]).map(drop);
            }
            return Err(match (&class.lookup(setter), object) {
                (Some(Value::Native(n)), _) if n.role == NativeRole::ReadOnly => readonly(object, name),
                (None, _) if n.role == NativeRole::Member => readonly(object, name),
                // What stands in the object itself is None once it is deleted.
                (Some(Value::Native(setter)), Value::Exception(exception))
                    if n.role == NativeRole::Member =>
                {
                    exception.parts.delete(name);
                    if matches!(get(object, name)?, Value::None) {
                        return Ok(());
                    }
                    return call::call_unbound(&setter.clone().into(), object, &[Value::None]).map(drop);
                }
                (Some(_), Value::Exception(_)) => type_error(format!("{name} may not be deleted")),
                (_, Value::Class(of)) if !is_fixed(name) => type_error(format!(
                    "cannot delete '{name}' attribute of immutable type '{}'",
                    super::types::shown_name(of)
                )),
                _ => not_writable(class.name(), object, name),
            });
        }
    }
    let deleted = match object {
        Value::Function(_) if name == name::DICT => return Err(type_error("cannot delete __dict__")),
        _ if name == name::CLASS && !matches!(object, Value::Class(_) | Value::Module(_)) => {
            return Err(type_error("can't delete __class__ attribute"));
        }
        Value::Instance(_) if !class.has_dict.get() => return Err(no_room(object, &class, name)),
        Value::Class(class) if !class.is_open() => {
            return Err(type_error(format!(
                "cannot set '{name}' attribute of immutable type '{}'",
                super::types::shown_name(class)
            )));
        }
        Value::Instance(instance) if name == name::DICT => {
            instance.replace_dict(Ref::new(Dict::default()));
            true
        }
        Value::Instance(instance) => instance.delete(name),
        Value::Class(class) => class.delete(name),
        Value::Module(module) => {
            if module.name == name::MODULE_BUILTINS {
                super::namespace::change_builtin(name, Value::Unset);
            }
            super::namespace::delete(module, name)
        }
        _ => match attrs_of(object) {
            Some(attrs) if !matches!(object, Value::Opaque(o) if !o.class.has_dict.get()) => {
                attrs.delete(name)
            }
            _ => return Err(no_room(object, &class, name)),
        },
    };
    if deleted {
        Ok(())
    } else {
        Err(no_attribute(object, name))
    }
}

/// The AttributeError for an attribute that is not there.
#[cold]
pub fn no_attribute(object: &Value, name: Symbol) -> Raised {
    // A method passes on what is asked of it.
    if let Value::Method(method) = object
        && matches!(method.func, Value::Function(_))
    {
        return no_attribute(&method.func, name);
    }
    let message = match object {
        Value::Class(class) => format!(
            "type object '{}' has no attribute '{name}'",
            super::types::shown_name(class)
        ),
        Value::Module(module) if super::import::is_initializing(module) => {
            let file = module.get(name::FILE);
            let origin = file.as_ref().and_then(super::payload::text_of);
            let origin = origin.map_or(String::new(), |file| format!(" from '{file}'"));
            format!(
                "partially initialized module '{}'{origin} has no attribute '{name}' \
                 (most likely due to a circular import)",
                module.name
            )
        }
        Value::Module(module) => format!("module '{}' has no attribute '{name}'", module.name),
        Value::Opaque(o) if o.get::<SuperObject>().is_some() => {
            format!("'super' object has no attribute '{name}'")
        }
        other => format!(
            "'{}' object has no attribute '{name}'",
            super::types::class_name(other)
        ),
    };
    let raised = attribute_error(message, object, name);
    if let Value::Generator(g) = object
        && g.kind == GeneratorKind::Coroutine
    {
        return raised.help("this is a coroutine: `await` it to get its result");
    }
    with_suggestion(raised, object, name)
}

/// Adds the attribute that may have been meant.
fn with_suggestion(raised: Raised, object: &Value, name: Symbol) -> Raised {
    let mut known: Vec<&str> = names(object).iter().map(|n| n.text()).collect();
    if !name.text().starts_with('_') && !is_own_self(object) {
        known.retain(|known| !known.starts_with('_'));
    }
    known.sort_unstable();
    match suggest::closest(name.text(), known.into_iter()) {
        Some(close) => raised.hint(
            format!("did you mean `.{close}`?"),
            format!(". Did you mean: '{close}'?"),
        ),
        None => raised,
    }
}

/// Whether a method of the object is running: it may know what is private.
fn is_own_self(object: &Value) -> bool {
    let is_self = |seen: running::Seen| {
        let slot = seen.func.code.slots.iter().position(|slot| *slot == name::SELF)?;
        Some(match seen.slots.get(slot)? {
            Value::Cell(cell) => cell.value.get().is(object),
            value => value.is(object),
        })
    };
    running::look(|seen| Some(is_self(seen).unwrap_or(false))).unwrap_or(false)
}

/// The names `dir(object)` lists, in no special order.
pub fn names(object: &Value) -> Vec<Symbol> {
    let mut names: Vec<Symbol> = vec![name::CLASS];
    let mut add_class = |class: &Ref<Class>| {
        for c in class.linear() {
            names.extend(
                c.dict
                    .borrow()
                    .keys()
                    .filter(|n| !n.text().ends_with('='))
                    .copied(),
            );
        }
    };
    match object {
        Value::Class(class) => add_class(class),
        Value::Module(_) => names.clear(),
        _ => add_class(&class_of(object)),
    }
    match object {
        Value::Instance(instance) => names.extend(instance.entries().into_iter().map(|(n, _)| n)),
        Value::Module(module) => names.extend(module.entries().into_iter().map(|(n, _)| n)),
        _ => {
            if let Some(attrs) = attrs_of(object) {
                names.extend(attrs.entries().into_iter().map(|(n, _)| n));
            }
        }
    }
    let mut seen = rustc_hash::FxHashSet::default();
    names.retain(|n| seen.insert(*n));
    names
}
