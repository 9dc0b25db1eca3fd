//! `dict`, its views, and mapping proxies.

use super::int::check_class;
use super::{class_method, getter, method, static_method};
use crate::interp::error::*;
use crate::interp::iterate;
use crate::interp::mapping;
use crate::interp::operator::{self, collection};
use crate::interp::payload::*;
use crate::interp::types::{Type, class};
use crate::interp::{call, subscript};
use crate::source::Symbol;
use crate::value::descriptor::{DictView, MappingProxy};
use crate::value::iterator::DictPart;
use crate::value::*;

fn this<'a>(args: &'a [Value], method: &str) -> Res<&'a Ref<Dict>> {
    as_dict(&args[0]).ok_or_else(|| wrong_self(method, "dict", &args[0]))
}

/// `update(other, **names)`, as `dict(…)` also does.
fn update(dict: &Ref<Dict>, other: &Value, names: &Value) -> Res<()> {
    if !other.is_unset() {
        collection::update_dict(dict, other)?;
    }
    match as_dict(names) {
        Some(names) => mapping::dict_merge(dict, names),
        None => Ok(()),
    }
}

fn view(args: &[Value], method: &str, part: DictPart) -> Res {
    Ok(view_of(this(args, method)?, part, false))
}

/// The view of a dict, or of an OrderedDict.
pub fn view_of(dict: &Ref<Dict>, part: DictPart, ordered: bool) -> Value {
    let id = match (part, ordered) {
        (DictPart::Keys, false) => Type::DictKeys,
        (DictPart::Values, false) => Type::DictValues,
        (DictPart::Items, false) => Type::DictItems,
        (DictPart::Keys, true) => Type::OrderedKeys,
        (DictPart::Values, true) => Type::OrderedValues,
        (DictPart::Items, true) => Type::OrderedItems,
    };
    let dict = dict.clone();
    Opaque::value(class(id), DictView { dict, part, ordered })
}

fn from_keys(args: &[Value]) -> Res {
    let value = match &args[2] {
        Value::Unset => Value::None,
        value => value.clone(),
    };
    if as_class(&args[0]).is_some_and(|of| of.is(&class(Type::Dict))) {
        let dict = mapping::new_dict();
        let hashed: Vec<(i64, Value)> = match &args[1] {
            Value::Dict(keys) => {
                let entries = mapping::entries_hashed(keys).into_iter();
                entries.map(|(hash, key, _)| (hash, key)).collect()
            }
            Value::Set(keys) => mapping::set_keys_hashed(&keys.table),
            Value::FrozenSet(keys) => mapping::set_keys_hashed(&keys.table),
            keys => {
                iterate::for_each(keys, |key| mapping::dict_set(&dict, &key, value.clone()))?;
                Vec::new()
            }
        };
        for (hash, key) in hashed {
            mapping::dict_set_hashed(&dict, hash, &key, value.clone())?;
        }
        return Ok(dict.into());
    }
    let made = call::call(&args[0], &[])?;
    iterate::for_each(&args[1], |key| subscript::set_item(&made, &key, value.clone()))?;
    Ok(made)
}

fn pop(args: &[Value]) -> Res {
    let dict = this(args, "pop")?;
    // An empty dict does not ask for the key's hash.
    let found = if dict.is_empty() {
        None
    } else {
        mapping::dict_remove(dict, &args[1])?
    };
    match found {
        Some(value) => Ok(value),
        None if args[2].is_unset() => Err(key_error(&args[1])),
        None => Ok(args[2].clone()),
    }
}

fn set_default(args: &[Value]) -> Res {
    let dict = this(args, "setdefault")?;
    let hash = operator::hash(&args[1])?;
    let value = match &args[2] {
        Value::Unset => Value::None,
        value => value.clone(),
    };
    mapping::dict_set_default(dict, hash, &args[1], value)
}

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Built-in mapping.",
        |args| {
            check_class(&args[0], Type::Dict)?;
            Ok(wrap(&args[0], Type::Dict, mapping::new_dict().into()))
        },
    ),
    method(
        "__init__",
        "(self, iterable=(), /, **kwargs)",
        "Initialize self.",
        |args| {
            update(this(args, "__init__")?, &args[1], &args[2])?;
            Ok(Value::None)
        },
    ),
    method(
        "get",
        "(self, key, default=None, /)",
        "Return the value for key if key is in the dictionary, else default.",
        |args| match mapping::dict_get(this(args, "get")?, &args[1])? {
            Some(value) => Ok(value),
            None if args[2].is_unset() => Ok(Value::None),
            None => Ok(args[2].clone()),
        },
    ),
    method(
        "setdefault",
        "(self, key, default=None, /)",
        "Insert key with a value of default if key is not in the dictionary.",
        set_default,
    ),
    method(
        "pop",
        "(self, key, default=None, /)",
        "Remove specified key and return the corresponding value.",
        pop,
    ),
    method(
        "popitem",
        "(self, /)",
        "Remove and return a (key, value) pair as a 2-tuple.",
        |args| {
            let taken = this(args, "popitem")?.table.borrow_mut().pop_last();
            match taken {
                Some((key, value)) => Ok(Value::tuple([key, value])),
                None => Err(key_error(&Value::from("popitem(): dictionary is empty"))),
            }
        },
    ),
    method(
        "update",
        "(self, iterable=(), /, **kwargs)",
        "Update from a mapping or iterable and keywords.",
        |args| {
            update(this(args, "update")?, &args[1], &args[2])?;
            Ok(Value::None)
        },
    ),
    method(
        "keys",
        "(self, /)",
        "Return a set-like object providing a view on the dict's keys.",
        |args| view(args, "keys", DictPart::Keys),
    ),
    method(
        "values",
        "(self, /)",
        "Return an object providing a view on the dict's values.",
        |args| view(args, "values", DictPart::Values),
    ),
    method(
        "items",
        "(self, /)",
        "Return a set-like object providing a view on the dict's items.",
        |args| view(args, "items", DictPart::Items),
    ),
    method("clear", "(self, /)", "Remove all items from the dict.", |args| {
        let old = this(args, "clear")?.table.borrow_mut().take();
        drop(old);
        Ok(Value::None)
    }),
    method(
        "copy",
        "(self, /)",
        "Return a shallow copy of the dict.",
        |args| {
            let dict = this(args, "copy")?;
            let copy = Ref::new(Dict::default());
            match mapping::whole_dict(&args[0]) {
                Some(_) => return Ok(Ref::new(mapping::dict_copy(dict)).into()),
                None => collection::update_dict(&copy, &args[0])?,
            }
            Ok(copy.into())
        },
    ),
    class_method(
        "fromkeys",
        "(cls, iterable, value=None, /)",
        "Create a new dictionary with keys from iterable and values set to value.",
        from_keys,
    ),
    method(
        "__reversed__",
        "(self, /)",
        "Return a reverse iterator over the dict keys.",
        |args| {
            Ok(iterate::dict_iter(
                this(args, "__reversed__")?,
                DictPart::Keys,
                true,
            ))
        },
    ),
];

fn this_view(value: &Value) -> Res<&DictView> {
    value
        .opaque::<DictView>()
        .ok_or_else(|| wrong_self("view", "dict_keys", value))
}

pub const VIEW: &[NativeDef] = &[
    method("__len__", "(self, /)", "Return len(self).", |args| {
        iterate::length(&args[0]).map(Value::from)
    }),
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        iterate::iter(&args[0])
    }),
    getter("mapping", "The dict that the view shows, read-only.", |args| {
        let dict = Value::from(this_view(&args[0])?.dict.clone());
        Ok(Opaque::value(class(Type::MappingProxy), MappingProxy(dict)))
    }),
    method(
        "__reversed__",
        "(self, /)",
        "Return a reverse iterator over the view.",
        |args| Ok(iterate::view_iter(this_view(&args[0])?, true)),
    ),
];

pub const SET_VIEW: &[NativeDef] = &[method(
    "isdisjoint",
    "(self, other, /)",
    "Return True if the view and the iterable have no common element.",
    |args| {
        let other = iterate::collect(&args[1])?;
        for item in other {
            if operator::contains(&args[0], &item)? {
                return Ok(Value::FALSE);
            }
        }
        Ok(Value::TRUE)
    },
)];

/// The mapping behind a proxy.
fn behind<'a>(args: &'a [Value], method: &str) -> Res<&'a Value> {
    match args[0].opaque::<MappingProxy>() {
        Some(proxy) => Ok(&proxy.0),
        None => Err(wrong_self(method, "mappingproxy", &args[0])),
    }
}

/// Calls a method of the mapping behind a proxy.
fn forward(args: &[Value], method: &str) -> Res {
    let mapping = behind(args, method)?;
    let given: Vec<Value> = args[1..].iter().filter(|v| !v.is_unset()).cloned().collect();
    call::call_method(mapping, Symbol::new(method), &given)
}

/// `proxy | other` and the like: with the mapping itself in the proxy's place.
fn merged(args: &[Value], left: usize) -> Res {
    let inner = |value: &Value| match value.opaque::<MappingProxy>() {
        Some(proxy) => proxy.0.clone(),
        None => value.clone(),
    };
    operator::binary(
        crate::code::BinaryOp::BitOr,
        &inner(&args[left]),
        &inner(&args[1 - left]),
    )
}

pub const PROXY: &[NativeDef] = &[
    method("__or__", "(self, value, /)", "Return self|value.", |args| {
        merged(args, 0)
    }),
    method("__ror__", "(self, value, /)", "Return value|self.", |args| {
        merged(args, 1)
    }),
    static_method(
        "__new__",
        "(cls, mapping, /)",
        "Read-only proxy of a mapping.",
        |args| {
            let is_mapping = match plain(&args[1]) {
                Value::List(_) | Value::Tuple(_) => false,
                Value::Dict(_) => true,
                other => call::special(other, crate::source::name::GETITEM).is_some(),
            };
            if !is_mapping {
                let kind = crate::interp::types::class_name(&args[1]);
                return Err(type_error(format!(
                    "mappingproxy() argument must be a mapping, not {kind}"
                )));
            }
            Ok(Opaque::value(
                class(Type::MappingProxy),
                MappingProxy(args[1].clone()),
            ))
        },
    ),
    method("__ior__", "(self, value, /)", "Refused.", |_| {
        Err(type_error(
            "'|=' is not supported by mappingproxy; use '|' instead",
        ))
    }),
    method("__getitem__", "(self, key, /)", "Return self[key].", |args| {
        forward(args, "__getitem__")
    }),
    method(
        "__contains__",
        "(self, key, /)",
        "Return bool(key in self).",
        |args| forward(args, "__contains__"),
    ),
    method("__len__", "(self, /)", "Return len(self).", |args| {
        forward(args, "__len__")
    }),
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        forward(args, "__iter__")
    }),
    method(
        "__reversed__",
        "(self, /)",
        "Return a reverse iterator over the keys.",
        |args| forward(args, "__reversed__"),
    ),
    method("__hash__", "(self, /)", "Return hash(self).", |args| {
        Ok(Value::Int(operator::hash(behind(args, "__hash__")?)?))
    }),
    method(
        "get",
        "(self, key, default=None, /)",
        "Return the value for key if it is in the mapping, else default.",
        |args| forward(args, "get"),
    ),
    method("keys", "(self, /)", "The keys of the mapping.", |args| {
        forward(args, "keys")
    }),
    method("values", "(self, /)", "The values of the mapping.", |args| {
        forward(args, "values")
    }),
    method("items", "(self, /)", "The items of the mapping.", |args| {
        forward(args, "items")
    }),
    method("copy", "(self, /)", "A shallow copy of the mapping.", |args| {
        forward(args, "copy")
    }),
];
