//! `__slots__` (https://docs.python.org/3/reference/datamodel.html#slots).
//!
//! A slot is a field of the instance under the slot's name (of an exception, one of
//! its parts; of the like, an attribute), and a [`Member`] in the class that reads and writes it. Always true: an instance
//! without a `__dict__` has no other fields.

use super::attribute::attrs_of;
use super::error::*;
use super::iterate;
use super::payload::text_of;
use super::types::{Type, WIDER, class, class_name};
use crate::source::{Symbol, name};
use crate::value::opaque::Container;
use crate::value::*;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// What a class says of its instances' attributes.
pub struct Declared {
    /// The slots in order of their names, private ones as they are stored.
    pub names: Vec<Symbol>,
    pub has_dict: bool,
    pub has_weakref: bool,
}

/// A slot as an attribute of its class.
pub struct Member {
    pub name: Symbol,
    pub owner: Ref<Class>,
}

impl Container for Member {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        each(&self.owner.clone().into());
    }
}

/// Reads `__slots__` of a class in the making; none if it has none.
pub fn declared(
    class_name: Symbol,
    names: &IndexMap<Symbol, Value, FxBuildHasher>,
    base: &Ref<Class>,
) -> Res<Option<Declared>> {
    let Some(given) = names.get(&name::SLOTS) else {
        return Ok(None);
    };
    let items = match given {
        text @ Value::Str(_) => vec![text.clone()],
        other => iterate::collect(other)?,
    };
    let mut declared = Declared {
        names: Vec::new(),
        has_dict: false,
        has_weakref: false,
    };
    for item in &items {
        let Some(text) = text_of(item) else {
            let kind = self::class_name(item);
            return Err(type_error(format!(
                "__slots__ items must be strings, not '{kind}'"
            )));
        };
        let mut chars = text.chars();
        let begins = chars
            .next()
            .is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
        if !begins || !chars.all(unicode_ident::is_xid_continue) {
            return Err(type_error("__slots__ must be identifiers"));
        }
        match text {
            "__dict__" if declared.has_dict => {
                return Err(type_error("__dict__ slot disallowed: we already got one"));
            }
            "__dict__" => declared.has_dict = true,
            "__weakref__" => declared.has_weakref = true,
            _ => {
                let stored = mangled(class_name, text);
                if names.contains_key(&stored) {
                    return Err(value_error(format!(
                        "'{text}' in __slots__ conflicts with class variable"
                    )));
                }
                declared.names.push(stored);
            }
        }
    }
    if !declared.names.is_empty() && matches!(base.layout, Layout::Int | Layout::Bytes | Layout::Tuple) {
        return Err(type_error(format!(
            "nonempty __slots__ not supported for subtype of '{}'",
            super::types::shown_name(base)
        )));
    }
    declared.names.sort_unstable_by_key(|name| name.text());
    Ok(Some(declared))
}

/// A private name as code in the class has it: `_Class__name`.
fn mangled(class_name: Symbol, text: &str) -> Symbol {
    let owner = class_name.text().trim_start_matches('_');
    if text.starts_with("__") && !text.ends_with("__") && !owner.is_empty() {
        Symbol::new(&format!("_{owner}{text}"))
    } else {
        Symbol::new(text)
    }
}

/// Gives a class that has just been made its slots.
pub fn install(made: &Ref<Class>, declared: Option<&Declared>) {
    let own = declared.map_or(&[][..], |d| &d.names);
    let mut all: Vec<Symbol> = own.to_vec();
    for base in made.bases.borrow().iter() {
        all.extend(base.slots.borrow().iter());
    }
    *made.slots.borrow_mut() = all;
    made.own_slots.set(own.len());
    let inherits = made.bases.borrow().iter().any(|base| base.has_dict.get());
    made.has_dict.set(inherits || declared.is_none_or(|d| d.has_dict));
    for &name in own {
        let owner = made.clone();
        let member = Opaque::value(class(Type::MemberDescriptor), Member { name, owner });
        made.dict.borrow_mut().insert(name, member);
    }
}

/// Gives a class that has just been made the descriptors of what its instances have besides: a
/// `__dict__` and weak references, unless a base has them already.
pub fn describe(made: &Ref<Class>, declared: Option<&Declared>) {
    let describe = |name: Symbol, def: &NativeDef| {
        let getter = Native::of(def, made.name());
        made.dict.borrow_mut().entry(name).or_insert(getter.into());
    };
    let of_script = |base: &Ref<Class>| base.is_script;
    let is_plain = !matches!(made.layout, Layout::Exception | Layout::Future | Layout::Class);
    let is_first = !made
        .linear()
        .into_iter()
        .skip(1)
        .any(|base| of_script(&base) && base.has_dict.get());
    if made.has_dict.get() && is_plain && is_first {
        describe(name::DICT, &DICT);
    }
    let can_be_watched = !matches!(
        made.layout,
        Layout::Int | Layout::Bytes | Layout::Tuple | Layout::Class
    );
    let weakref = Symbol::new("__weakref__");
    let inherits = made
        .linear()
        .into_iter()
        .skip(1)
        .any(|base| base.own(weakref).is_some());
    if declared.is_none_or(|declared| declared.has_weakref) && can_be_watched && !inherits {
        describe(weakref, &WEAKREF);
    }
}

const DICT: NativeDef = NativeDef {
    name: "__dict__",
    signature: "(self, /)",
    doc: "dictionary for instance variables",
    role: NativeRole::Getter,
    body: NativeBody::Plain(|args| {
        let dict = super::attribute::dict_of(&args[0]);
        dict.ok_or_else(|| type_error(format!("'{}' object has no __dict__", class_name(&args[0]))))
    }),
    module: None,
};

const WEAKREF: NativeDef = NativeDef {
    name: "__weakref__",
    signature: "(self, /)",
    doc: "list of weak references to the object",
    role: NativeRole::Getter,
    body: NativeBody::Plain(|args| {
        let made = |reference: &Value| matches!(reference, Value::Opaque(_) | Value::Instance(_));
        let references = weak::references(&args[0]);
        let shared = references
            .iter()
            .find(|r| matches!(r, Value::Opaque(o) if !o.class.is_script));
        let found = shared.or_else(|| references.iter().find(|r| made(r)));
        Ok(found.cloned().unwrap_or(Value::None))
    }),
    module: None,
};

/// Whether instances of the class are laid out in another way than those of its base.
fn is_solid(of: &Ref<Class>) -> bool {
    match of.layout {
        _ if of.is_script => of.own_slots.get() > 0,
        Layout::Object => false,
        Layout::Exception => WIDER.iter().any(|(wider, _)| of.is(&class(*wider))),
        _ => true,
    }
}

/// The base that instances are laid out like; none if the bases cannot be had together, because the
/// layout of one does not extend that of the other.
pub fn best_base(bases: &[Ref<Class>]) -> Option<&Ref<Class>> {
    let solid = |base: &Ref<Class>| base.linear().into_iter().find(is_solid);
    let mut best = bases.first()?;
    let mut widest = solid(best);
    for base in &bases[1..] {
        match (&widest, solid(base)) {
            (_, None) => {}
            (Some(known), Some(found)) if known.is_subclass(&found) => {}
            (Some(known), Some(found)) if !found.is_subclass(known) => return None,
            (_, found) => (widest, best) = (found, base),
        }
    }
    Some(best)
}

/// The member among the attributes of a class, if it is one.
#[inline]
pub fn member(attribute: &Value) -> Option<&Member> {
    attribute.opaque::<Member>()
}

fn check(member: &Member, object: &Value) -> Res<()> {
    let of = super::types::class_of(object);
    if of.slots.borrow().contains(&member.name) {
        return Ok(());
    }
    Err(type_error(format!(
        "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
        member.name,
        member.owner.name(),
        of.name()
    )))
}

/// Where an object that is no plain instance keeps its slots.
fn storage_of(object: &Value) -> Option<&Attrs> {
    match object {
        Value::Exception(exception) => Some(&exception.parts),
        other => attrs_of(other),
    }
}

impl Member {
    pub fn get(&self, object: &Value) -> Res {
        check(self, object)?;
        let found = match object {
            Value::Instance(instance) => instance.slot(self.name),
            other => storage_of(other).and_then(|attrs| attrs.get(self.name)),
        };
        found.ok_or_else(|| self.unset(object))
    }

    /// The error for a slot without a value, which names the class in full.
    #[cold]
    fn unset(&self, object: &Value) -> Raised {
        let class = super::types::class_of(object);
        let whole = class.qualname.borrow();
        let message = match &*class.module.borrow() {
            Value::Str(module) if !matches!(&*module.text, "__main__" | "builtins") => {
                format!(
                    "'{}.{whole}' object has no attribute '{}'",
                    module.text, self.name
                )
            }
            _ => format!("'{whole}' object has no attribute '{}'", self.name),
        };
        attribute_error(message, object, self.name)
    }

    pub fn set(&self, object: &Value, value: Value) -> Res<()> {
        check(self, object)?;
        match object {
            Value::Instance(instance) => instance.set_slot(self.name, value),
            other => {
                if let Some(attrs) = storage_of(other) {
                    attrs.set(self.name, value);
                }
            }
        }
        Ok(())
    }

    pub fn delete(&self, object: &Value) -> Res<()> {
        check(self, object)?;
        let had = match object {
            Value::Instance(instance) => instance.delete_slot(self.name),
            other => storage_of(other).is_some_and(|attrs| attrs.delete(self.name)),
        };
        if had {
            Ok(())
        } else {
            Err(attribute_error(self.name.text(), object, self.name))
        }
    }
}
