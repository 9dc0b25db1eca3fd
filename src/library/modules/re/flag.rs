//! `re.I`, `re.M` …: ints with names.

use crate::interp::error::*;
use crate::interp::iterate;
use crate::interp::payload::*;
use crate::interp::types::{self, Type};
use crate::library::builtins::{self, class_method, getter, method, static_method};
use crate::source::Symbol;
use crate::value::*;
use std::cell::RefCell;

thread_local! {
    static CLASS: RefCell<Option<Ref<Class>>> = const { RefCell::new(None) };
}

/// Names and letters of the flags, in the order in which a pattern shows them.
pub const FLAGS: &[(&str, &str, u32)] = &[
    ("IGNORECASE", "I", 2),
    ("LOCALE", "L", 4),
    ("MULTILINE", "M", 8),
    ("DOTALL", "S", 16),
    ("UNICODE", "U", 32),
    ("VERBOSE", "X", 64),
    ("DEBUG", "DEBUG", 128),
    ("ASCII", "A", 256),
];

fn class() -> Ref<Class> {
    if let Some(class) = CLASS.with_borrow(Clone::clone) {
        return class;
    }
    let int = types::class(Type::Int);
    let class = Class::new(
        Symbol::new("RegexFlag"),
        vec![int.clone()],
        int.linear(),
        Layout::Int,
        false,
    );
    let class = Ref::new(class);
    *class.module.borrow_mut() = Value::from("re");
    builtins::add(&class, METHODS);
    CLASS.set(Some(class.clone()));
    class
}

fn value(bits: i64) -> Value {
    Ref::new(Instance::new(class(), Value::Int(bits))).into()
}

fn bits(value: &Value) -> Res<i64> {
    as_small(value).ok_or_else(|| wrong_self("__or__", "RegexFlag", value))
}

/// All bits up to the highest flag, also the lowest one, which has no name.
fn all_bits() -> i64 {
    FLAGS.iter().fold(1, |all, flag| all | i64::from(flag.2))
}

/// The order of the class: the kinds of text among the others.
fn by_definition() -> impl Iterator<Item = &'static (&'static str, &'static str, u32)> {
    [7, 0, 1, 4, 2, 3, 5, 6].into_iter().map(|index| &FLAGS[index])
}

/// `re.IGNORECASE|re.MULTILINE`, as a pattern shows its flags.
pub fn of_pattern(bits: i64) -> String {
    listed(bits, FLAGS.iter())
}

/// The same, as the flags show themselves.
fn repr(bits: i64) -> String {
    match bits {
        0 => "re.NOFLAG".to_string(),
        _ if bits & (all_bits() - 1) == 0 => format!("re.RegexFlag({bits})"),
        _ => listed(bits, by_definition()),
    }
}

fn listed(bits: i64, flags: impl Iterator<Item = &'static (&'static str, &'static str, u32)>) -> String {
    let mut rest = bits;
    let mut parts = Vec::new();
    for &(name, _, flag) in flags {
        if rest & i64::from(flag) != 0 {
            parts.push(format!("re.{name}"));
            rest &= !i64::from(flag);
        }
    }
    if rest != 0 {
        parts.push(format!("0x{rest:x}"));
    }
    parts.join("|")
}

fn combine(args: &[Value], combine: fn(i64, i64) -> i64) -> Res {
    match as_small(&args[1]) {
        Some(other) => Ok(value(combine(bits(&args[0])?, other))),
        None => Ok(Value::NotImplemented),
    }
}

const TWO: &str = "(self, value, /)";

const METHODS: &[NativeDef] = &[
    static_method("__new__", "(cls, value=0, /)", "The flags of a number.", |args| {
        Ok(value(if args[1].is_unset() { 0 } else { small(&args[1])? }))
    }),
    method("__or__", TWO, "Return self|value.", |args| {
        combine(args, |a, b| a | b)
    }),
    method("__ror__", TWO, "Return value|self.", |args| {
        combine(args, |a, b| a | b)
    }),
    method("__and__", TWO, "Return self&value.", |args| {
        combine(args, |a, b| a & b)
    }),
    method("__rand__", TWO, "Return value&self.", |args| {
        combine(args, |a, b| a & b)
    }),
    method("__xor__", TWO, "Return self^value.", |args| {
        combine(args, |a, b| a ^ b)
    }),
    method("__rxor__", TWO, "Return value^self.", |args| {
        combine(args, |a, b| a ^ b)
    }),
    method("__invert__", "(self, /)", "Return the other flags.", |args| {
        Ok(value(all_bits() & !bits(&args[0])?))
    }),
    method(
        "__contains__",
        TWO,
        "Tell whether the flags hold others.",
        |args| {
            let other = bits(&args[1])?;
            Ok(Value::bool(bits(&args[0])? & other == other))
        },
    ),
    method("__iter__", "(self, /)", "Return the flags one by one.", |args| {
        let bits = bits(&args[0])?;
        let held = by_definition().filter(|flag| bits & i64::from(flag.2) != 0);
        let list = held.map(|flag| value(i64::from(flag.2))).collect();
        iterate::iter(&Value::list(list))
    }),
    method("__len__", "(self, /)", "Return how many flags are set.", |args| {
        Ok(Value::Int(i64::from(bits(&args[0])?.count_ones())))
    }),
    class_method(
        "__class_getitem__",
        "(cls, name, /)",
        "Return the flag of a name.",
        |args| {
            let known = text_of(&args[1]).and_then(|name| {
                let is_it = |flag: &&(&str, &str, u32)| flag.0 == &*name || flag.1 == &*name;
                FLAGS.iter().find(is_it)
            });
            match known {
                Some(flag) => Ok(value(i64::from(flag.2))),
                None => Err(key_error(&args[1])),
            }
        },
    ),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        Ok(Value::from(repr(bits(&args[0])?)))
    }),
    getter("value", "The flags as a number.", |args| {
        Ok(Value::Int(bits(&args[0])?))
    }),
    getter("name", "The names of the flags.", |args| {
        let text = repr(bits(&args[0])?);
        Ok(match text.starts_with("re.RegexFlag") {
            true => Value::None,
            false => Value::from(text.replace("re.", "")),
        })
    }),
];

/// The flags as names of the module, and their class.
pub fn names() -> Vec<(Symbol, Value)> {
    let mut names = vec![
        (Symbol::new("RegexFlag"), class().into()),
        (Symbol::new("NOFLAG"), value(0)),
    ];
    for &(name, letter, bits) in FLAGS {
        let flag = value(i64::from(bits));
        class().set(Symbol::new(name), flag.clone());
        class().set(Symbol::new(letter), flag.clone());
        names.push((Symbol::new(name), flag.clone()));
        names.push((Symbol::new(letter), flag));
    }
    names
}
