//! How constants and operators are spelled, and how tightly they bind.

use super::*;
use crate::text;

/// How tightly an expression binds; one inside a tighter place gets parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tightness {
    Walrus,
    Conditional,
    Or,
    And,
    Not,
    Comparison,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Sum,
    Product,
    Sign,
    Power,
    Primary,
}

/// An infix operator.
pub fn binary(op: BinaryOp) -> (&'static str, Tightness) {
    use Tightness as T;
    match op {
        BinaryOp::Add => ("+", T::Sum),
        BinaryOp::Sub => ("-", T::Sum),
        BinaryOp::Mul => ("*", T::Product),
        BinaryOp::MatMul => ("@", T::Product),
        BinaryOp::Div => ("/", T::Product),
        BinaryOp::FloorDiv => ("//", T::Product),
        BinaryOp::Mod => ("%", T::Product),
        BinaryOp::Pow => ("**", T::Power),
        BinaryOp::LeftShift => ("<<", T::Shift),
        BinaryOp::RightShift => (">>", T::Shift),
        BinaryOp::BitOr => ("|", T::BitOr),
        BinaryOp::BitXor => ("^", T::BitXor),
        BinaryOp::BitAnd => ("&", T::BitAnd),
    }
}

/// The tightness that an operand on the other side needs.
pub fn next(tightness: Tightness) -> Tightness {
    use Tightness as T;
    match tightness {
        T::Walrus => T::Conditional,
        T::Conditional => T::Or,
        T::Or => T::And,
        T::And => T::Not,
        T::Not => T::Comparison,
        T::Comparison => T::BitOr,
        T::BitOr => T::BitXor,
        T::BitXor => T::BitAnd,
        T::BitAnd => T::Shift,
        T::Shift => T::Sum,
        T::Sum => T::Product,
        T::Product => T::Sign,
        T::Sign => T::Power,
        T::Power | T::Primary => T::Primary,
    }
}

/// A comparison.
pub fn compare(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::NotEq => "!=",
        CompareOp::Lt => "<",
        CompareOp::LtE => "<=",
        CompareOp::Gt => ">",
        CompareOp::GtE => ">=",
        CompareOp::Is => "is",
        CompareOp::IsNot => "is not",
        CompareOp::In => "in",
        CompareOp::NotIn => "not in",
    }
}

/// A constant as Python would show it.
pub fn constant_text(constant: &Constant) -> String {
    match constant {
        Constant::None => "None".to_owned(),
        Constant::True => "True".to_owned(),
        Constant::False => "False".to_owned(),
        Constant::Ellipsis => "...".to_owned(),
        Constant::Int(n) => n.to_string(),
        Constant::BigInt(n) => n.to_string(),
        Constant::Float(x) if *x == f64::INFINITY => "1e309".to_owned(),
        Constant::Float(x) => text::float::repr(*x),
        Constant::Str(text) => text::string::repr(text),
        Constant::Bytes(bytes) => text::bytes::repr(bytes),
    }
}
