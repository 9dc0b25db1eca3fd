//! `os.environ`: the environment the program began with, as the script has changed it since.
//!
//! Always true: the process's own environment stays as it was; whoever starts a program passes
//! [`variables`] on.

use crate::interp::error::*;
use crate::interp::operator::collection;
use crate::interp::payload::*;
use crate::interp::types::{self, Type, class_name};
use crate::interp::{mapping, os_error, text};
use crate::library::builtins::{self, function, method};
use crate::source::Symbol;
use crate::value::*;
use std::cell::RefCell;

thread_local! {
    static ENVIRON: RefCell<Option<Value>> = const { RefCell::new(None) };
}

/// The object `os.environ` of this thread.
pub fn environ() -> Value {
    if let Some(environ) = ENVIRON.with_borrow(Clone::clone) {
        return environ;
    }
    let dict = types::class(Type::Dict);
    let class = Class::new(
        Symbol::new("_Environ"),
        vec![dict.clone()],
        dict.linear(),
        Layout::Dict,
        false,
    );
    let class = Ref::new(class);
    *class.module.borrow_mut() = Value::from("os");
    builtins::add(&class, METHODS);
    let data = Ref::new(Dict::default());
    for (name, value) in std::env::vars_os() {
        let value = Value::from(value.to_string_lossy().into_owned());
        data.set_symbol(Symbol::new(&name.to_string_lossy()), value);
    }
    let environ = Value::from(Ref::new(Instance::new(class, data.into())));
    ENVIRON.set(Some(environ.clone()));
    environ
}

/// The variables as they are now, for a program to be started.
pub fn variables() -> Vec<(String, String)> {
    let environ = environ();
    let Some(dict) = as_dict(&environ) else {
        return Vec::new();
    };
    let text = |value: &Value| text_of(value).map(str::to_string);
    mapping::entries(dict)
        .iter()
        .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
        .collect()
}

fn checked(value: &Value) -> Res<()> {
    match as_str(value) {
        Some(_) => Ok(()),
        None => Err(type_error(format!("str expected, not {}", class_name(value)))),
    }
}

fn data(value: &Value) -> Res<&Ref<Dict>> {
    as_dict(value).ok_or_else(|| wrong_self("__setitem__", "_Environ", value))
}

fn set(args: &[Value]) -> Res {
    check_settable(&args[1], &args[2])?;
    mapping::dict_set(data(&args[0])?, &args[1], args[2].clone())?;
    Ok(Value::None)
}

/// Refuses names and values that no environment can hold.
fn check_settable(name: &Value, value: &Value) -> Res<()> {
    checked(name)?;
    checked(value)?;
    let (name, value) = (text_of(name).unwrap_or(""), text_of(value).unwrap_or(""));
    if name.contains('\0') || value.contains('\0') {
        return Err(value_error("embedded null byte"));
    }
    if name.contains('=') {
        return Err(value_error("illegal environment variable name"));
    }
    if name.is_empty() {
        let invalid = std::io::Error::from_raw_os_error(rustix::io::Errno::INVAL.raw_os_error());
        return Err(Raised::new(os_error::of_io(&invalid, None)));
    }
    Ok(())
}

/// Sets all the variables of a mapping, or of pairs, and those named.
fn update(args: &[Value]) -> Res {
    let all = Ref::new(Dict::default());
    if !args[1].is_unset() {
        collection::update_dict(&all, &args[1])?;
    }
    if let Some(named) = args.get(2).and_then(as_dict) {
        mapping::dict_merge(&all, named)?;
    }
    for (name, value) in mapping::entries(&all) {
        set(&[args[0].clone(), name, value])?;
    }
    Ok(Value::None)
}

const METHODS: &[NativeDef] = &[
    method("__setitem__", "(self, key, value, /)", "Set a variable.", set),
    method(
        "update",
        "(self, other=(), /, **kwds)",
        "Set the variables of a mapping, or of pairs, and those named.",
        update,
    ),
    method(
        "__ior__",
        "(self, other, /)",
        "Set the variables of a mapping.",
        |args| {
            update(args)?;
            Ok(args[0].clone())
        },
    ),
    method(
        "setdefault",
        "(self, key, value, /)",
        "Return a variable, which is set to the value if it is not there.",
        |args| {
            checked(&args[1])?;
            if let Some(known) = mapping::dict_get(data(&args[0])?, &args[1])? {
                return Ok(known);
            }
            set(args)?;
            Ok(args[2].clone())
        },
    ),
    method("__getitem__", "(self, key, /)", "Return a variable.", |args| {
        checked(&args[1])?;
        mapping::dict_require(data(&args[0])?, &args[1])
    }),
    method("copy", "(self, /)", "Return a dict of the variables.", |args| {
        Ok(Ref::new(mapping::dict_copy(data(&args[0])?)).into())
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let mut out = "environ(".to_string();
        text::write_plain(&args[0], &mut out)?;
        out.push(')');
        Ok(Value::from(out))
    }),
];

fn get(args: &[Value]) -> Res {
    checked(&args[0])?;
    let found = mapping::dict_get(data(&environ())?, &args[0])?;
    Ok(found.unwrap_or_else(|| {
        if args[1].is_unset() {
            Value::None
        } else {
            args[1].clone()
        }
    }))
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "getenv",
        "(key, default=None)",
        "Return a variable of the environment, or the default.",
        get,
    )
    .in_python("os"),
    function(
        "putenv",
        "(name, value, /)",
        "Set a variable of the environment.",
        |args| set(&[environ(), args[0].clone(), args[1].clone()]),
    ),
    function(
        "unsetenv",
        "(name, /)",
        "Remove a variable of the environment.",
        |args| {
            checked(&args[0])?;
            drop(mapping::dict_remove(data(&environ())?, &args[0])?);
            Ok(Value::None)
        },
    ),
];
