//! The special methods of the built-in types, for scripts that call them by name or through
//! `super()`.
//!
//! Always true: these methods do what the built-in type does, also for an instance of a subclass
//! that overrides the operator: they never come back to the subclass.

use super::UNHASHABLE;
use super::method;
use crate::code::{BinaryOp, CompareOp, UnaryOp};
use crate::interp::error::*;
use crate::interp::operator::{self, collection, number, order};
use crate::interp::payload::{has_index, index, plain};
use crate::interp::types::{Type, class, class_of};
use crate::interp::{iterate, mapping, subscript, text};
use crate::source::name;
use crate::value::*;

/// An int knows ints only: what it makes of a float is the float's business.
fn is_foreign(this: &Value, other: &Value) -> bool {
    let is_float = |value: &Value| matches!(value, Value::Float(_));
    let is_set = |value: &Value| mapping::as_set_table(value).is_some();
    // A set leaves it to the views of dicts what to do with it.
    if is_set(this) {
        return !is_set(other);
    }
    number::number(this).is_some()
        && (number::number(other).is_none() || (is_float(other) && !is_float(this)))
}

/// Sequences say differently by name that a count must be an int.
fn check_count(op: BinaryOp, this: &Value, count: &Value) -> Res<()> {
    if op == BinaryOp::Mul && number::number(this).is_none() && !has_index(count) {
        index(count)?;
    }
    Ok(())
}

fn forward(op: BinaryOp, args: &[Value]) -> Res {
    let (a, b) = (plain(&args[0]), plain(&args[1]));
    if is_foreign(a, b) {
        return Ok(Value::NotImplemented);
    }
    check_count(op, a, &args[1])?;
    let known = number::binary(op, a, b)
        .or_else(|| collection::of_class(op, a, &args[1]))
        .or_else(|| collection::binary(op, a, b));
    if let Some(result) = known {
        return result;
    }
    if number::number(a).is_some() {
        return Ok(Value::NotImplemented);
    }
    Ok(collection::sequence(op, a, &args[1])?.unwrap_or(Value::NotImplemented))
}

fn reflected(op: BinaryOp, args: &[Value]) -> Res {
    let (a, b) = (plain(&args[1]), plain(&args[0]));
    // A template is of the kind of what is asked.
    let is_other_template =
        op == BinaryOp::Mod && number::number(b).is_none() && !class_of(a).is(&class_of(b));
    if is_foreign(b, a) || is_other_template {
        return Ok(Value::NotImplemented);
    }
    check_count(op, b, &args[1])?;
    match number::binary(op, a, b).or_else(|| collection::binary(op, a, b)) {
        Some(result) => result,
        None if op == BinaryOp::Mul && number::number(b).is_none() => {
            Ok(collection::sequence(op, b, a)?.unwrap_or(Value::NotImplemented))
        }
        None => Ok(Value::NotImplemented),
    }
}

/// `divmod(a, b)` as `this`, one of them, sees it.
fn div_mod(this: &Value, a: &Value, b: &Value) -> Res {
    let (a, b) = (plain(a), plain(b));
    if is_foreign(plain(this), a) || is_foreign(plain(this), b) {
        return Ok(Value::NotImplemented);
    }
    number::div_mod(a, b).unwrap_or(Ok(Value::NotImplemented))
}

fn in_place(op: BinaryOp, args: &[Value]) -> Res {
    check_count(op, plain(&args[0]), &args[1])?;
    match collection::change(op, &args[0], &args[1])? {
        true => Ok(args[0].clone()),
        false => Ok(Value::NotImplemented),
    }
}

fn compare(op: CompareOp, args: &[Value]) -> Res {
    if is_foreign(plain(&args[0]), plain(&args[1])) {
        return Ok(Value::NotImplemented);
    }
    Ok(order::builtin(op, plain(&args[0]), plain(&args[1]))?.map_or(Value::NotImplemented, Value::bool))
}

fn unary(op: UnaryOp, args: &[Value]) -> Res {
    number::unary(op, plain(&args[0])).unwrap_or(Ok(Value::NotImplemented))
}

const TWO: &str = "(self, value, /)";
const ONE: &str = "(self, /)";

/// All of them; each type takes those that it has.
const ALL: &[NativeDef] = &[
    method("__add__", TWO, "Return self+value.", |args| {
        forward(BinaryOp::Add, args)
    }),
    method("__radd__", TWO, "Return value+self.", |args| {
        reflected(BinaryOp::Add, args)
    }),
    method("__iadd__", TWO, "Implement self+=value.", |args| {
        in_place(BinaryOp::Add, args)
    }),
    method("__sub__", TWO, "Return self-value.", |args| {
        forward(BinaryOp::Sub, args)
    }),
    method("__rsub__", TWO, "Return value-self.", |args| {
        reflected(BinaryOp::Sub, args)
    }),
    method("__isub__", TWO, "Return self-=value.", |args| {
        in_place(BinaryOp::Sub, args)
    }),
    method("__mul__", TWO, "Return self*value.", |args| {
        forward(BinaryOp::Mul, args)
    }),
    method("__rmul__", TWO, "Return value*self.", |args| {
        reflected(BinaryOp::Mul, args)
    }),
    method("__imul__", TWO, "Implement self*=value.", |args| {
        in_place(BinaryOp::Mul, args)
    }),
    method("__truediv__", TWO, "Return self/value.", |args| {
        forward(BinaryOp::Div, args)
    }),
    method("__rtruediv__", TWO, "Return value/self.", |args| {
        reflected(BinaryOp::Div, args)
    }),
    method("__floordiv__", TWO, "Return self//value.", |args| {
        forward(BinaryOp::FloorDiv, args)
    }),
    method("__rfloordiv__", TWO, "Return value//self.", |args| {
        reflected(BinaryOp::FloorDiv, args)
    }),
    method("__mod__", TWO, "Return self%value.", |args| {
        forward(BinaryOp::Mod, args)
    }),
    method("__rmod__", TWO, "Return value%self.", |args| {
        reflected(BinaryOp::Mod, args)
    }),
    method("__divmod__", TWO, "Return divmod(self, value).", |args| {
        div_mod(&args[0], &args[0], &args[1])
    }),
    method("__rdivmod__", TWO, "Return divmod(value, self).", |args| {
        div_mod(&args[0], &args[1], &args[0])
    }),
    method(
        "__pow__",
        "(self, value, mod=None, /)",
        "Return pow(self, value, mod).",
        |args| match args[2].given() {
            Some(_)
                if !matches!(plain(&args[0]), Value::Float(_))
                    && args[1..].iter().any(|v| is_foreign(plain(&args[0]), plain(v))) =>
            {
                Ok(Value::NotImplemented)
            }
            Some(modulus) => operator::power(plain(&args[0]), plain(&args[1]), modulus),
            None => forward(BinaryOp::Pow, args),
        },
    ),
    method(
        "__rpow__",
        "(self, value, mod=None, /)",
        "Return pow(value, self, mod).",
        |args| match args[2].given() {
            Some(_)
                if !matches!(plain(&args[0]), Value::Float(_))
                    && args[1..].iter().any(|v| is_foreign(plain(&args[0]), plain(v))) =>
            {
                Ok(Value::NotImplemented)
            }
            Some(_) if matches!(plain(&args[0]), Value::Float(_)) => Err(number::no_modulus()),
            Some(modulus) => operator::power(plain(&args[1]), plain(&args[0]), modulus),
            None => reflected(BinaryOp::Pow, args),
        },
    ),
    method("__lshift__", TWO, "Return self<<value.", |args| {
        forward(BinaryOp::LeftShift, args)
    }),
    method("__rlshift__", TWO, "Return value<<self.", |args| {
        reflected(BinaryOp::LeftShift, args)
    }),
    method("__rshift__", TWO, "Return self>>value.", |args| {
        forward(BinaryOp::RightShift, args)
    }),
    method("__rrshift__", TWO, "Return value>>self.", |args| {
        reflected(BinaryOp::RightShift, args)
    }),
    method("__or__", TWO, "Return self|value.", |args| {
        forward(BinaryOp::BitOr, args)
    }),
    method("__ror__", TWO, "Return value|self.", |args| {
        reflected(BinaryOp::BitOr, args)
    }),
    method("__ior__", TWO, "Return self|=value.", |args| {
        in_place(BinaryOp::BitOr, args)
    }),
    method("__xor__", TWO, "Return self^value.", |args| {
        forward(BinaryOp::BitXor, args)
    }),
    method("__rxor__", TWO, "Return value^self.", |args| {
        reflected(BinaryOp::BitXor, args)
    }),
    method("__ixor__", TWO, "Return self^=value.", |args| {
        in_place(BinaryOp::BitXor, args)
    }),
    method("__and__", TWO, "Return self&value.", |args| {
        forward(BinaryOp::BitAnd, args)
    }),
    method("__rand__", TWO, "Return value&self.", |args| {
        reflected(BinaryOp::BitAnd, args)
    }),
    method("__iand__", TWO, "Return self&=value.", |args| {
        in_place(BinaryOp::BitAnd, args)
    }),
    method("__neg__", ONE, "-self", |args| unary(UnaryOp::Neg, args)),
    method("__pos__", ONE, "+self", |args| unary(UnaryOp::Pos, args)),
    method("__invert__", ONE, "~self", |args| unary(UnaryOp::Invert, args)),
    method("__abs__", ONE, "abs(self)", |args| {
        Ok(number::abs(plain(&args[0])).unwrap_or(Value::NotImplemented))
    }),
    method("__bool__", ONE, "True if self else False", |args| {
        operator::truth(plain(&args[0])).map(Value::bool)
    }),
    method("__eq__", TWO, "Return self==value.", |args| {
        compare(CompareOp::Eq, args)
    }),
    method("__ne__", TWO, "Return self!=value.", |args| {
        compare(CompareOp::NotEq, args)
    }),
    method("__lt__", TWO, "Return self<value.", |args| {
        compare(CompareOp::Lt, args)
    }),
    method("__le__", TWO, "Return self<=value.", |args| {
        compare(CompareOp::LtE, args)
    }),
    method("__gt__", TWO, "Return self>value.", |args| {
        compare(CompareOp::Gt, args)
    }),
    method("__ge__", TWO, "Return self>=value.", |args| {
        compare(CompareOp::GtE, args)
    }),
    method("__hash__", ONE, "Return hash(self).", |args| {
        operator::hash(plain(&args[0])).map(Value::Int)
    }),
    method("__len__", ONE, "Return len(self).", |args| {
        iterate::length(plain(&args[0])).map(Value::from)
    }),
    method("__iter__", ONE, "Implement iter(self).", |args| {
        iterate::iter(plain(&args[0]))
    }),
    method(
        "__contains__",
        "(self, key, /)",
        "Return bool(key in self).",
        |args| operator::contains(plain(&args[0]), &args[1]).map(Value::bool),
    ),
    method(
        "__getitem__",
        "(self, key, /)",
        "Return self[key].",
        |args| match plain(&args[0]) {
            // The dict's own method asks `__missing__` of a subclass.
            Value::Dict(dict) => match crate::interp::mapping::dict_get(dict, &args[1])? {
                Some(value) => Ok(value),
                None => match crate::interp::special::call(&args[0], name::MISSING, &args[1..2]) {
                    Some(result) => result,
                    None => Err(key_error(&args[1])),
                },
            },
            sequence => subscript::get_item(sequence, &args[1]),
        },
    ),
    method(
        "__setitem__",
        "(self, key, value, /)",
        "Set self[key] to value.",
        |args| subscript::set_item_plain(&args[0], &args[1], args[2].clone()).map(|()| Value::None),
    ),
    method("__delitem__", "(self, key, /)", "Delete self[key].", |args| {
        subscript::del_item_plain(&args[0], &args[1]).map(|()| Value::None)
    }),
    method("__repr__", ONE, "Return repr(self).", |args| {
        let mut out = String::new();
        text::write_plain(&args[0], &mut out)?;
        Ok(Value::from(out))
    }),
    method(
        "__format__",
        "(self, format_spec, /)",
        "Default object formatter.",
        |args| match crate::interp::payload::text_of(&args[1]) {
            Some(spec) => text::format_plain(&args[0], spec).map(Value::from),
            None => Err(super::wrong_argument("__format__()", "str", &args[1])),
        },
    ),
];

const ARITHMETIC: &[&str] = &[
    "__add__",
    "__radd__",
    "__sub__",
    "__rsub__",
    "__mul__",
    "__rmul__",
    "__truediv__",
    "__rtruediv__",
    "__floordiv__",
    "__rfloordiv__",
    "__mod__",
    "__rmod__",
    "__divmod__",
    "__rdivmod__",
    "__pow__",
    "__rpow__",
    "__neg__",
    "__pos__",
    "__abs__",
    "__bool__",
    "__hash__",
    "__repr__",
    "__format__",
];
const BITS: &[&str] = &[
    "__lshift__",
    "__rlshift__",
    "__rshift__",
    "__rrshift__",
    "__or__",
    "__ror__",
    "__xor__",
    "__rxor__",
    "__and__",
    "__rand__",
    "__invert__",
];
const ORDER: &[&str] = &["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"];
const CONTAINER: &[&str] = &["__len__", "__iter__", "__contains__", "__repr__"];
const SEQUENCE: &[&str] = &["__getitem__", "__add__", "__mul__", "__rmul__"];
const CHANGEABLE: &[&str] = &["__setitem__", "__delitem__"];
const SET: &[&str] = &[
    "__or__", "__ror__", "__and__", "__rand__", "__sub__", "__rsub__", "__xor__", "__rxor__",
];

/// Gives each built-in type its special methods.
pub fn install() {
    let types: &[(Type, &[&'static [&'static str]])] = &[
        (Type::Int, &[ARITHMETIC, BITS, ORDER]),
        (Type::Float, &[ARITHMETIC, ORDER]),
        (
            Type::Bool,
            &[&[
                "__and__",
                "__or__",
                "__xor__",
                "__rand__",
                "__ror__",
                "__rxor__",
                "__repr__",
                "__invert__",
            ]],
        ),
        (
            Type::Str,
            &[
                CONTAINER,
                SEQUENCE,
                ORDER,
                &["__mod__", "__rmod__", "__hash__", "__format__"],
            ],
        ),
        (
            Type::Bytes,
            &[CONTAINER, SEQUENCE, ORDER, &["__mod__", "__rmod__", "__hash__"]],
        ),
        (
            Type::ByteArray,
            &[
                CONTAINER,
                SEQUENCE,
                ORDER,
                CHANGEABLE,
                &["__mod__", "__rmod__", "__iadd__", "__imul__"],
            ],
        ),
        (
            Type::List,
            &[CONTAINER, SEQUENCE, ORDER, CHANGEABLE, &["__iadd__", "__imul__"]],
        ),
        (Type::Tuple, &[CONTAINER, SEQUENCE, ORDER, &["__hash__"]]),
        (
            Type::Dict,
            &[
                CONTAINER,
                CHANGEABLE,
                ORDER,
                &["__getitem__", "__or__", "__ror__", "__ior__"],
            ],
        ),
        (
            Type::Set,
            &[
                CONTAINER,
                SET,
                ORDER,
                &["__ior__", "__iand__", "__isub__", "__ixor__"],
            ],
        ),
        (Type::FrozenSet, &[CONTAINER, SET, ORDER, &["__hash__"]]),
        (
            Type::Range,
            &[CONTAINER, ORDER, &["__getitem__", "__bool__", "__hash__"]],
        ),
        (Type::DictKeys, &[SET, ORDER, &["__contains__"]]),
        (Type::DictItems, &[SET, ORDER, &["__contains__"]]),
        (Type::Slice, &[ORDER, &["__repr__", "__hash__"]]),
    ];
    for (id, parts) in types {
        let of = class(*id);
        parts.iter().for_each(|names| of.add(ClassPart::Of(ALL, names)));
    }
    for id in [
        Type::List,
        Type::Dict,
        Type::Set,
        Type::ByteArray,
        Type::DictKeys,
        Type::DictItems,
    ] {
        class(id).add(UNHASHABLE);
    }
}
