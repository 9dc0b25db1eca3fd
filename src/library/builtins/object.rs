//! `object`, `type` and `NoneType`.

use super::{class_method, getter, member, method, setter_deleter, static_method, wrong_argument};
use crate::interp::error::*;
use crate::interp::mapping::as_set_table;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_of, shown_name};
use crate::interp::{attribute, call, class_body, import, mapping, operator, slot, text};
use crate::source::{Symbol, name};
use crate::value::descriptor::GenericAlias;
use crate::value::*;

/// An attribute's name, given as a str.
pub fn attribute_name(value: &Value) -> Res<Symbol> {
    match as_str(value) {
        Some(text) => Ok(text.symbol()),
        None => Err(type_error(format!(
            "attribute name must be string, not '{}'",
            crate::interp::types::class_name(value)
        ))),
    }
}

/// Whether there are arguments beside the first, in `*args` or `**kwargs`.
fn is_given(args: &[Value]) -> bool {
    as_tuple(&args[1]).is_some_and(|t| !t.items.is_empty())
        || as_dict(&args[2]).is_some_and(|d| !d.is_empty())
}

fn new(args: &[Value]) -> Res {
    let Some(of) = as_class(&args[0]) else {
        let kind = class_of(&args[0]);
        return Err(type_error(format!(
            "object.__new__(X): X is not a type object ({})",
            kind.name()
        )));
    };
    let is_given = is_given(args);
    let is_objects = |name| matches!(&of.lookup(name), Some(Value::Native(n)) if n.owner == "object");
    if is_given {
        if !is_objects(name::NEW) {
            return Err(type_error(
                "object.__new__() takes exactly one argument (the type to instantiate)",
            ));
        }
        if is_objects(name::INIT) {
            return Err(type_error(format!("{}() takes no arguments", of.name())));
        }
    }
    match of.layout {
        Layout::Object => {
            if let Some(missing) = of.is_script.then(|| class_body::abstract_methods(of)).flatten() {
                return Err(type_error(missing));
            }
            Ok(Ref::new(Instance::new(of.clone(), Value::Unset)).into())
        }
        _ => {
            let root = of.linear().into_iter().find(|c| !c.is_script);
            let root = root.map_or("object", |c| shown_name(&c));
            Err(type_error(format!(
                "object.__new__({}) is not safe, use {root}.__new__()",
                shown_name(of)
            )))
        }
    }
}

fn init(args: &[Value]) -> Res {
    if is_given(args) {
        let of = class_of(&args[0]);
        let is_objects = |name| matches!(&of.lookup(name), Some(Value::Native(n)) if n.owner == "object");
        if !is_objects(name::INIT) {
            return Err(type_error(
                "object.__init__() takes exactly one argument (the instance to initialize)",
            ));
        }
        if is_objects(name::NEW) {
            return Err(type_error(format!(
                "{}.__init__() takes exactly one argument (the instance to initialize)",
                of.name()
            )));
        }
    }
    Ok(Value::None)
}

/// The sorted names of an object's attributes.
pub fn dir_names(object: &Value) -> Value {
    let mut names: Vec<&'static str> = attribute::names(object).into_iter().map(Symbol::text).collect();
    // Each type has a doc of its own, mostly without an entry among its attributes.
    if !matches!(object, Value::Module(_)) {
        names.push("__doc__");
    }
    if let Value::Instance(instance) = object {
        names.extend(["__class__", "__module__"]);
        if instance.class().has_dict.get() {
            names.push("__dict__");
        }
    }
    if let Some(alias) = object.opaque::<GenericAlias>() {
        names.extend(attribute::names(&alias.origin).into_iter().map(Symbol::text));
    }
    if let Value::Module(module) = object {
        names.extend(import::late_names(module));
    }
    names.sort_unstable();
    names.dedup();
    Value::list(names.into_iter().map(|n| Value::from(Symbol::new(n))).collect())
}

#[cold]
fn cannot_pickle(value: &Value) -> Raised {
    type_error(format!("cannot pickle '{}' object", shown_name(&class_of(value))))
}

/// What the object is made of. Of the built-in types only those with plain values can tell, and
/// those that say what their state is.
fn reduced(object: &Value) -> Res {
    let state = class_of(object).lookup(Symbol::new("__getstate__"));
    let tells_state = !matches!(&state, Some(Value::Native(native)) if native.owner == "object");
    let has_values = as_list(object).is_some() || as_dict(object).is_some() || as_set_table(object).is_some();
    let is_open = matches!(object, Value::Instance(_))
        || has_values
        || tells_state
        || attribute::find(object, name::GETNEWARGS)?.is_some();
    if !is_open {
        return Err(cannot_pickle(object));
    }
    let reduced = attribute::get(&import::by_name("_copyreg")?, Symbol::new("reduced"))?;
    call::call(&reduced, std::slice::from_ref(object))
}

/// The attributes, or with slots those and the slots' values; None if there are none.
fn state(object: &Value) -> Value {
    let of = class_of(object);
    let dict = match attribute::dict_of(object) {
        Some(dict @ Value::Dict(_)) if operator::truth(&dict).unwrap_or(false) => dict,
        _ => Value::None,
    };
    let names = of.slots.borrow().clone();
    if names.is_empty() {
        return dict;
    }
    let set = names.into_iter().filter_map(|name| {
        let value = attribute::find(object, name).ok().flatten()?;
        Some((name, value))
    });
    Value::tuple([dict, crate::interp::mapping::dict_of_symbols(set)])
}

const NOT_COMPARABLE: fn(&[Value]) -> Res = |_| Ok(Value::NotImplemented);
const TWO: &str = "(self, value, /)";

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Create and return a new object.  See help(type) for accurate signature.",
        new,
    ),
    method(
        "__init__",
        "(self, /, *args, **kwargs)",
        "Initialize self.  See help(type(self)) for accurate signature.",
        init,
    ),
    method(
        "__getstate__",
        "(self, /)",
        "What copying and pickling keep of the object.",
        |args| Ok(state(&args[0])),
    ),
    method("__eq__", TWO, "Return self==value.", |args| {
        Ok(if args[0].is(&args[1]) {
            Value::TRUE
        } else {
            Value::NotImplemented
        })
    }),
    method(
        "__ne__",
        TWO,
        "Return self!=value.",
        |args| match crate::interp::special::try_call(&args[0], name::EQ, &args[1..2])? {
            Some(value) => Ok(Value::bool(!operator::truth(&value)?)),
            None if args[0].is(&args[1]) => Ok(Value::FALSE),
            None => Ok(Value::NotImplemented),
        },
    ),
    method("__lt__", TWO, "Return self<value.", NOT_COMPARABLE),
    method("__le__", TWO, "Return self<=value.", NOT_COMPARABLE),
    method("__gt__", TWO, "Return self>value.", NOT_COMPARABLE),
    method("__ge__", TWO, "Return self>=value.", NOT_COMPARABLE),
    method("__hash__", "(self, /)", "Return hash(self).", |args| {
        Ok(Value::Int(operator::identity_hash(&args[0])))
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        Ok(Value::from(text::object::default_repr(&args[0])))
    }),
    method("__str__", "(self, /)", "Return str(self).", |args| {
        text::repr_value(&args[0])
    }),
    method(
        "__format__",
        "(self, format_spec, /)",
        "Default object formatter.",
        |args| match text_of(&args[1]) {
            Some(spec) => text::format_plain(&args[0], spec).map(Value::from),
            None => Err(wrong_argument("__format__()", "str", &args[1])),
        },
    ),
    method(
        "__getattribute__",
        "(self, name, /)",
        "Return getattr(self, name).",
        |args| {
            let name = attribute_name(&args[1])?;
            match attribute::find_without_hooks(&args[0], name)? {
                Some(value) => Ok(value),
                None => Err(attribute::no_attribute(&args[0], name)),
            }
        },
    ),
    method(
        "__setattr__",
        "(self, name, value, /)",
        "Implement setattr(self, name, value).",
        |args| {
            attribute::set_without_hooks(&args[0], attribute_name(&args[1])?, args[2].clone())?;
            Ok(Value::None)
        },
    ),
    method(
        "__delattr__",
        "(self, name, /)",
        "Implement delattr(self, name).",
        |args| {
            attribute::delete_without_hooks(&args[0], attribute_name(&args[1])?)?;
            Ok(Value::None)
        },
    ),
    method("__dir__", "(self, /)", "Default dir() implementation.", |args| {
        Ok(dir_names(&args[0]))
    }),
    method(
        "__sizeof__",
        "(self, /)",
        "Size of object in memory, in bytes.",
        |_| Ok(Value::Int(16)),
    ),
    class_method(
        "__init_subclass__",
        "(cls, /, **kwargs)",
        "This method is called when a class is subclassed.",
        |args| match as_dict(&args[1]).is_none_or(|given| given.is_empty()) {
            true => Ok(Value::None),
            false => {
                let name =
                    as_class(&args[0]).map_or("object".to_string(), |c| c.qualname.borrow().to_string());
                Err(type_error(format!(
                    "{name}.__init_subclass__() takes no keyword arguments"
                )))
            }
        },
    ),
    method(
        "__reduce__",
        "(self, /)",
        "What copying makes the object of.",
        |args| reduced(&args[0]),
    ),
    method(
        "__reduce_ex__",
        "(self, protocol, /)",
        "What copying makes the object of, by protocol.",
        |args| {
            let reduce = Symbol::new("__reduce__");
            match &class_of(&args[0]).lookup(reduce) {
                Some(Value::Native(own)) if own.owner == "object" => reduced(&args[0]),
                None => reduced(&args[0]),
                Some(_) => crate::interp::call::call_method(&args[0], reduce, &[]),
            }
        },
    ),
    class_method(
        "__subclasshook__",
        "(cls, object, /)",
        "Abstract classes can override this.",
        |_| Ok(Value::NotImplemented),
    ),
];

fn this_class(value: &Value) -> Res<&Ref<Class>> {
    as_class(value).ok_or_else(|| wrong_self("type", "type", value))
}

fn type_new(args: &[Value]) -> Res {
    let [meta, class_name, bases, names, keywords] = args else {
        return Ok(Value::None);
    };
    match (class_name, bases, names) {
        (object, Value::Unset, Value::Unset)
            if !object.is_unset() && matches!(meta, Value::Class(meta) if meta.is(&class(Type::Class))) =>
        {
            return match as_dict(keywords) {
                Some(keywords) if !keywords.is_empty() => {
                    Err(type_error("type() takes no keyword arguments"))
                }
                _ => Ok(class_of(object).into()),
            };
        }
        (object, Value::Unset, Value::Unset) if !object.is_unset() => {
            return Err(type_error("type.__new__() takes exactly 3 arguments (1 given)"));
        }
        (_, _, Value::Unset) => return Err(type_error("type() takes 1 or 3 arguments")),
        _ => {}
    }
    let Some(class_name) = as_str(class_name) else {
        return Err(wrong_argument("type.__new__() argument 1", "str", class_name));
    };
    let Some(given) = as_tuple(bases) else {
        return Err(wrong_argument("type.__new__() argument 2", "tuple", bases));
    };
    let mut bases = Vec::new();
    for base in &given.items {
        match base {
            Value::Class(base) => bases.push(Ref::clone(base)),
            other if attribute::find(other, Symbol::new("__mro_entries__"))?.is_some() => {
                let message = "type() doesn't support MRO entry resolution; use types.new_class()";
                return Err(type_error(message));
            }
            other if !class(Type::Class).is_subclass(&class_of(other)) => {
                return Err(class_body::metaclass_conflict());
            }
            _ => return Err(type_error("bases must be types")),
        }
    }
    let keywords = as_dict(keywords).map(|d| d.symbol_entries()).unwrap_or_default();
    // A metaclass of the bases that is further derived makes the class.
    if let (Some(asked), Some(winner)) = (
        as_class(meta),
        bases.iter().find_map(|base| base.metaclass.borrow().clone()),
    ) && !asked.is_subclass(&winner)
        && winner.is_subclass(asked)
        && !matches!(&winner.lookup(name::NEW), Some(Value::Native(new)) if new.owner == "type")
    {
        let winner = Value::from(winner);
        let new = attribute::get(&winner, name::NEW)?;
        let given = [winner, args[1].clone(), args[2].clone(), args[3].clone()];
        return call::call_kw(&new, &given, &keywords);
    }
    let Some(names) = as_dict(names) else {
        return Err(wrong_argument("type.__new__() argument 3", "dict", names));
    };
    let mut names: indexmap::IndexMap<_, _, rustc_hash::FxBuildHasher> =
        names.symbol_entries().into_iter().collect();
    names.entry(name::MODULE).or_insert_with(|| name::MAIN.into());
    class_body::make(
        class_name.symbol(),
        bases,
        names,
        keywords,
        as_class(meta).cloned(),
    )
}

pub const TYPE: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, object=None, bases=None, dict=None, /, **kwds)",
        "The type of an object, or a new type.",
        type_new,
    ),
    class_method(
        "__prepare__",
        "(cls, /, *args, **kwargs)",
        "The names with which the body of a class begins.",
        |_| Ok(mapping::new_dict().into()),
    ),
    method(
        "__init__",
        "(self, /, *args, **kwargs)",
        "Initialize self.",
        |_| Ok(Value::None),
    ),
    method(
        "__call__",
        "(self, /, *args, **kwargs)",
        "Call self as a function.",
        |args| {
            let positional = as_tuple(&args[1]).map_or_else(Vec::new, |given| given.items.to_vec());
            let keywords = as_dict(&args[2]).map_or_else(Vec::new, |given| given.symbol_entries());
            crate::interp::call::construct_with(this_class(&args[0])?, &positional, &keywords)
        },
    ),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        this_class(&args[0])?;
        let mut out = String::new();
        text::write_plain(&args[0], &mut out)?;
        Ok(Value::from(out))
    }),
    method(
        "__subclasses__",
        "(self, /)",
        "Return a list of immediate subclasses.",
        |args| match &args[0] {
            Value::Class(class) => Ok(Value::list(
                class.children().into_iter().map(Value::from).collect(),
            )),
            other => Err(wrong_argument("__subclasses__()", "type", other)),
        },
    ),
    method(
        "mro",
        "(self, /)",
        "Return a type's method resolution order.",
        |args| {
            Ok(Value::list(
                this_class(&args[0])?
                    .linear()
                    .into_iter()
                    .map(Value::from)
                    .collect(),
            ))
        },
    ),
    method(
        "__instancecheck__",
        "(self, instance, /)",
        "Check if an object is an instance.",
        |args| {
            let this = this_class(&args[0])?;
            Ok(Value::bool(class_of(&args[1]).is_subclass(this)))
        },
    ),
    method(
        "__subclasscheck__",
        "(self, subclass, /)",
        "Check if a class is a subclass.",
        |args| {
            let this = this_class(&args[0])?;
            Ok(Value::bool(
                as_class(&args[1]).is_some_and(|c| c.is_subclass(this)),
            ))
        },
    ),
    getter("__name__", "The class's name.", |args| {
        Ok(Value::from(this_class(&args[0])?.name()))
    }),
    getter(
        "__qualname__",
        "The class's dotted name within its module.",
        |args| Ok(Value::from(&**this_class(&args[0])?.qualname.borrow())),
    ),
    getter(
        "__module__",
        "The module in which the class was defined.",
        |args| {
            let this = this_class(&args[0])?;
            // What `type` itself has under this name is this very getter.
            Ok(this
                .own(name::MODULE)
                .filter(|module| !matches!(module, Value::Native(_)))
                .unwrap_or_else(|| this.module.borrow().clone()))
        },
    ),
    getter("__mro__", "The classes in method resolution order.", |args| {
        let all: Vec<Value> = this_class(&args[0])?
            .linear()
            .into_iter()
            .map(Value::from)
            .collect();
        Ok(Value::tuple(all))
    }),
    getter("__bases__", "The classes it inherits from.", |args| {
        let all: Vec<Value> = this_class(&args[0])?
            .bases
            .borrow()
            .iter()
            .map(|b| b.clone().into())
            .collect();
        Ok(Value::tuple(all))
    }),
    member(
        "__base__",
        "The base that its instances are laid out like.",
        |args| {
            let bases = this_class(&args[0])?.bases.borrow();
            let base = slot::best_base(&bases);
            Ok(base.map_or(Value::None, |base| base.clone().into()))
        },
    ),
    getter("__annotations__", "The annotations of the class body.", |args| {
        let this = this_class(&args[0])?;
        match this.own(name::ANNOTATIONS) {
            None | Some(Value::Native(_)) => {}
            Some(own) => return Ok(own),
        }
        if !this.is_script {
            return Err(attribute::no_attribute(&args[0], name::ANNOTATIONS));
        }
        let none: Value = mapping::new_dict().into();
        this.set(name::ANNOTATIONS, none.clone());
        Ok(none)
    }),
    setter_deleter("__annotations__", |args| {
        let this = this_class(&args[0])?;
        match args[1].given() {
            Some(given) => this.set(name::ANNOTATIONS, given.clone()),
            None if this.delete(name::ANNOTATIONS) => {}
            None => return Err(raise(Type::AttributeError, name::ANNOTATIONS.text())),
        }
        Ok(Value::None)
    }),
    getter("__dict__", "The class's namespace, read-only.", |args| {
        let this = this_class(&args[0])?;
        let names = Dict::default();
        for (name, value) in this.dict.borrow().iter() {
            if !name.text().ends_with('=') {
                names.set_symbol(*name, value.clone());
            }
        }
        let names = Value::from(Ref::new(names));
        Ok(Opaque::value(
            class(Type::MappingProxy),
            descriptor::MappingProxy(names),
        ))
    }),
    getter("__doc__", "The class's doc.", |args| {
        let this = this_class(&args[0])?;
        // A built-in class is described where it is made, if it is not made as any object.
        let owner = || {
            this.owner_of(name::NEW)
                .filter(|owner| owner.is(this) || !owner.is(&class(Type::Object)))
        };
        let made = || match &owner()?.own(name::NEW) {
            Some(Value::Native(new)) if !this.is_script => Some(Value::from(new.doc)),
            _ => None,
        };
        // What a built-in class has of that name is for its objects.
        let own = this
            .own(name::DOC)
            .filter(|doc| this.is_script || as_str(doc).is_some());
        Ok(own.or_else(made).unwrap_or(Value::None))
    }),
];

pub const SUPER: &[NativeDef] = &[method(
    "__get__",
    "(self, instance, owner=None, /)",
    "Return the same for an instance, if it is for none yet.",
    |args| match (args[0].opaque::<attribute::SuperObject>(), args[1].given()) {
        (Some(it), Some(instance)) if it.object.is_unset() => {
            crate::interp::call::bound_super(&it.this, instance.clone())
        }
        _ => Ok(args[0].clone()),
    },
)];

/// The one object of a class: calling the class gives it.
const fn only(doc: &'static str, body: super::Body) -> NativeDef {
    static_method("__new__", "(cls, /, *args, **kwargs)", doc, body)
}

fn no_arguments(args: &[Value], value: Value) -> Res {
    if is_given(args) {
        let name = as_class(&args[0]).map_or("", |c| c.name());
        return Err(type_error(format!("{name} takes no arguments")));
    }
    Ok(value)
}

pub const ELLIPSIS: &[NativeDef] = &[only("The one Ellipsis.", |args| {
    no_arguments(args, Value::Ellipsis)
})];

pub const NOT_IMPLEMENTED: &[NativeDef] = &[
    only("The one NotImplemented.", |args| {
        no_arguments(args, Value::NotImplemented)
    }),
    method("__bool__", "(self, /)", "True if self else False", |args| {
        operator::truth(&args[0]).map(Value::bool)
    }),
];

pub const NONE: &[NativeDef] = &[
    only("The one None.", |args| no_arguments(args, Value::None)),
    method("__bool__", "(self, /)", "Always False.", |_| Ok(Value::FALSE)),
];
