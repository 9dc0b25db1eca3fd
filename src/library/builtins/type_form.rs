//! `list[int]` and `int | None` as objects.

use super::function_object::call_with;
use super::{class_method, getter, method, static_method};
use crate::interp::attribute;
use crate::interp::error::*;
use crate::interp::isinstance::{generic_alias, type_variables};
use crate::interp::payload::*;
use crate::interp::types::Type;
use crate::source::Symbol;
use crate::value::descriptor::{GenericAlias, Union};
use crate::value::*;

fn this(value: &Value) -> Res<&GenericAlias> {
    value
        .opaque::<GenericAlias>()
        .ok_or_else(|| wrong_self("__origin__", "types.GenericAlias", value))
}

/// The classes that take types in brackets, beside `type`, which has metaclasses below it.
pub const GENERIC: &[Type] = &[
    Type::List,
    Type::Tuple,
    Type::Dict,
    Type::Set,
    Type::FrozenSet,
    Type::Enumerate,
    Type::Generator,
    Type::Coroutine,
    Type::AsyncGenerator,
    Type::Future,
    Type::Task,
    Type::ContextVar,
    Type::ContextToken,
    Type::BaseExceptionGroup,
    Type::MappingProxy,
];

pub const CLASS_GETITEM: &[NativeDef] = &[class_method(
    "__class_getitem__",
    "(cls, item, /)",
    "The class with types in brackets.",
    |args| Ok(generic_alias(&args[0], &args[1])),
)];

pub const ALIAS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, origin, args, /)",
        "A class with arguments in brackets.",
        |args| Ok(generic_alias(&args[1], &args[2])),
    ),
    getter("__origin__", "The class.", |args| {
        Ok(this(&args[0])?.origin.clone())
    }),
    getter("__args__", "What stands in the brackets.", |args| {
        Ok(this(&args[0])?.args.clone())
    }),
    getter("__parameters__", "The type variables in the arguments.", |args| {
        type_variables(this(&args[0])?.arguments())
    }),
    getter("__unpacked__", "Whether it is starred.", |args| {
        Ok(Value::from(this(&args[0])?.is_starred))
    }),
    method(
        "__call__",
        "(self, /, *args, **kwargs)",
        "Call the class.",
        |args| {
            let made = call_with(&this(&args[0])?.origin, args)?;
            // Where there is room for it, the object knows how it was made.
            match attribute::set(&made, Symbol::new("__orig_class__"), args[0].clone()) {
                Err(raised)
                    if !matches(&raised, Type::AttributeError) && !matches(&raised, Type::TypeError) =>
                {
                    return Err(raised);
                }
                Err(raised) => drop(raised.take()),
                Ok(()) => {}
            }
            Ok(made)
        },
    ),
    method(
        "__mro_entries__",
        "(self, bases, /)",
        "The class, as a base.",
        |args| Ok(Value::tuple([this(&args[0])?.origin.clone()])),
    ),
];

fn options(value: &Value) -> Res<&[Value]> {
    match value.opaque::<Union>() {
        Some(union) => Ok(&union.args),
        None => Err(wrong_self("__args__", "types.UnionType", value)),
    }
}

pub const UNION: &[NativeDef] = &[
    getter("__args__", "The options.", |args| {
        Ok(Value::tuple(options(&args[0])?.to_vec()))
    }),
    getter("__parameters__", "The type variables in the options.", |args| {
        type_variables(options(&args[0])?)
    }),
];
