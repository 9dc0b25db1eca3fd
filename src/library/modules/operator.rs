//! `_operator`: the operators as functions, and functions that look things up.

mod getter;

use crate::code::{BinaryOp, CompareOp, UnaryOp};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::class_name;
use crate::interp::{call, iterate, operator, special, subscript};
use crate::library::builtins::function;
use crate::library::builtins::function_object::call_with;
use crate::source::{Symbol, name};
use crate::value::*;

const TWO: &str = "(a, b, /)";
const ONE: &str = "(a, /)";

/// Functions of two operands that do what an operator of [`operator`] does.
macro_rules! forwarding {
    ($table:ident $signature:ident: $($name:literal $doc:literal $body:expr;)*) => {
        const $table: &[NativeDef] = &[$(function($name, $signature, $doc, $body)),*];
    };
}

forwarding! { BINARY TWO:
    "add" "Same as a + b." |args| operator::binary(BinaryOp::Add, &args[0], &args[1]);
    "sub" "Same as a - b." |args| operator::binary(BinaryOp::Sub, &args[0], &args[1]);
    "mul" "Same as a * b." |args| operator::binary(BinaryOp::Mul, &args[0], &args[1]);
    "truediv" "Same as a / b." |args| operator::binary(BinaryOp::Div, &args[0], &args[1]);
    "floordiv" "Same as a // b." |args| operator::binary(BinaryOp::FloorDiv, &args[0], &args[1]);
    "mod" "Same as a % b." |args| operator::binary(BinaryOp::Mod, &args[0], &args[1]);
    "pow" "Same as a ** b." |args| operator::binary(BinaryOp::Pow, &args[0], &args[1]);
    "matmul" "Same as a @ b." |args| operator::binary(BinaryOp::MatMul, &args[0], &args[1]);
    "lshift" "Same as a << b." |args| operator::binary(BinaryOp::LeftShift, &args[0], &args[1]);
    "rshift" "Same as a >> b." |args| operator::binary(BinaryOp::RightShift, &args[0], &args[1]);
    "and_" "Same as a & b." |args| operator::binary(BinaryOp::BitAnd, &args[0], &args[1]);
    "or_" "Same as a | b." |args| operator::binary(BinaryOp::BitOr, &args[0], &args[1]);
    "xor" "Same as a ^ b." |args| operator::binary(BinaryOp::BitXor, &args[0], &args[1]);
}

forwarding! { IN_PLACE TWO:
    "iadd" "Same as a += b." |args| operator::in_place(BinaryOp::Add, args[0].clone(), &args[1]);
    "isub" "Same as a -= b." |args| operator::in_place(BinaryOp::Sub, args[0].clone(), &args[1]);
    "imul" "Same as a *= b." |args| operator::in_place(BinaryOp::Mul, args[0].clone(), &args[1]);
    "itruediv" "Same as a /= b." |args| operator::in_place(BinaryOp::Div, args[0].clone(), &args[1]);
    "ifloordiv" "Same as a //= b." |args| operator::in_place(BinaryOp::FloorDiv, args[0].clone(), &args[1]);
    "imod" "Same as a %= b." |args| operator::in_place(BinaryOp::Mod, args[0].clone(), &args[1]);
    "ipow" "Same as a **= b." |args| operator::in_place(BinaryOp::Pow, args[0].clone(), &args[1]);
    "imatmul" "Same as a @= b." |args| operator::in_place(BinaryOp::MatMul, args[0].clone(), &args[1]);
    "ilshift" "Same as a <<= b." |args| operator::in_place(BinaryOp::LeftShift, args[0].clone(), &args[1]);
    "irshift" "Same as a >>= b." |args| operator::in_place(BinaryOp::RightShift, args[0].clone(), &args[1]);
    "iand" "Same as a &= b." |args| operator::in_place(BinaryOp::BitAnd, args[0].clone(), &args[1]);
    "ior" "Same as a |= b." |args| operator::in_place(BinaryOp::BitOr, args[0].clone(), &args[1]);
    "ixor" "Same as a ^= b." |args| operator::in_place(BinaryOp::BitXor, args[0].clone(), &args[1]);
}

forwarding! { COMPARISON TWO:
    "eq" "Same as a == b." |args| operator::compare(CompareOp::Eq, &args[0], &args[1]);
    "ne" "Same as a != b." |args| operator::compare(CompareOp::NotEq, &args[0], &args[1]);
    "lt" "Same as a < b." |args| operator::compare(CompareOp::Lt, &args[0], &args[1]);
    "le" "Same as a <= b." |args| operator::compare(CompareOp::LtE, &args[0], &args[1]);
    "gt" "Same as a > b." |args| operator::compare(CompareOp::Gt, &args[0], &args[1]);
    "ge" "Same as a >= b." |args| operator::compare(CompareOp::GtE, &args[0], &args[1]);
}

forwarding! { UNARY ONE:
    "neg" "Same as -a." |args| operator::unary(UnaryOp::Neg, &args[0]);
    "pos" "Same as +a." |args| operator::unary(UnaryOp::Pos, &args[0]);
    "inv" "Same as ~a." |args| operator::unary(UnaryOp::Invert, &args[0]);
    "invert" "Same as ~a." |args| operator::unary(UnaryOp::Invert, &args[0]);
    "abs" "Same as abs(a)." |args| call::call(&builtin("abs")?, args);
    "index" "Same as a.__index__()." |args| index(&args[0]);
    "not_" "Same as not a." |args| operator::truth(&args[0]).map(|t| Value::bool(!t));
    "truth" "Return True if a is true, False otherwise." |args| operator::truth(&args[0]).map(Value::bool);
}

fn builtin(name: &str) -> Res {
    crate::interp::namespace::builtin(Symbol::new(name))
        .ok_or_else(|| runtime_error(format!("the builtin {name} is gone")))
}

/// `+` of sequences only.
fn joined(args: &[Value], join: fn(&Value, &Value) -> Res) -> Res {
    let is_sequence = match plain(&args[0]) {
        Value::Str(_) | Value::Bytes(_) | Value::ByteArray(_) | Value::List(_) | Value::Tuple(_) => true,
        other => special::find(other, name::GETITEM).is_some(),
    };
    if !is_sequence {
        return Err(type_error(format!(
            "'{}' object can't be concatenated",
            class_name(&args[0])
        )));
    }
    join(&args[0], &args[1])
}

/// Items of `args[0]` in turn, until `found` is content with one that is `args[1]`.
fn seek(args: &[Value], mut found: impl FnMut(usize) -> bool) -> Res<()> {
    if !iterate::is_iterable(&args[0]) {
        return Err(type_error(format!(
            "argument of type '{}' is not iterable",
            class_name(&args[0])
        )));
    }
    let items = iterate::iter(&args[0])?;
    let mut at = 0;
    while let Some(item) = iterate::next(&items)? {
        if operator::same_or_equal(&item, &args[1])? && found(at) {
            break;
        }
        at += 1;
    }
    Ok(())
}

fn length_hint(args: &[Value]) -> Res {
    let default = match &args[1] {
        Value::Unset => Value::Int(0),
        default => index(default)?,
    };
    Ok(iterate::told_length(&args[0])?.map_or(default, Value::from))
}

const OTHERS: &[NativeDef] = &[
    function("is_", TWO, "Same as a is b.", |args| {
        Ok(Value::bool(args[0].is(&args[1])))
    }),
    function("is_not", TWO, "Same as a is not b.", |args| {
        Ok(Value::bool(!args[0].is(&args[1])))
    }),
    function("contains", TWO, "Same as b in a.", |args| {
        operator::contains(&args[0], &args[1]).map(Value::bool)
    }),
    function("getitem", TWO, "Same as a[b].", |args| {
        subscript::get_item(&args[0], &args[1])
    }),
    function("setitem", "(a, b, c, /)", "Same as a[b] = c.", |args| {
        subscript::set_item(&args[0], &args[1], args[2].clone()).map(|()| Value::None)
    }),
    function("delitem", TWO, "Same as del a[b].", |args| {
        subscript::del_item(&args[0], &args[1]).map(|()| Value::None)
    }),
    function("concat", TWO, "Same as a + b, for sequences.", |args| {
        joined(args, |a, b| operator::binary(BinaryOp::Add, a, b))
    }),
    function("iconcat", TWO, "Same as a += b, for sequences.", |args| {
        joined(args, |a, b| operator::in_place(BinaryOp::Add, a.clone(), b))
    }),
    function(
        "countOf",
        TWO,
        "Return the number of items in a which are, or which equal, b.",
        |args| {
            let mut count = 0;
            seek(args, |_| {
                count += 1;
                false
            })?;
            Ok(Value::Int(count))
        },
    ),
    function("indexOf", TWO, "Return the first index of b in a.", |args| {
        let mut place = None;
        seek(args, |at| {
            place = Some(at);
            true
        })?;
        place
            .map(Value::from)
            .ok_or_else(|| value_error("sequence.index(x): x not in sequence"))
    }),
    function(
        "length_hint",
        "(obj, default=0, /)",
        "Return an estimate of the number of items in obj.",
        length_hint,
    ),
    function(
        "call",
        "(obj, /, *args, **kwargs)",
        "Same as obj(*args, **kwargs).",
        |args| call_with(&args[0], args),
    ),
];

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_operator", &[BINARY, IN_PLACE, COMPARISON, UNARY, OTHERS]);
    names.extend(getter::classes());
    names
}
