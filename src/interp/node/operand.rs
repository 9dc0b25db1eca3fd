//! Operators on two operands, with the fast paths for machine ints and floats.
//!
//! Each operator is a type with an inlined [`Operator::fast`]; the node shapes below are made for
//! each. Locals and constants are borrowed, not cloned. (Benchmarks: compute/loop, mandelbrot.)

use super::name::local;
use super::*;
use crate::code::{BinaryOp, CompareOp};

/// A binary operator with its fast paths.
pub trait Operator: 'static {
    /// The result for operands that need no lookup; none leaves it to `slow`.
    fn fast(a: &Value, b: &Value) -> Option<Value>;
    fn slow(a: &Value, b: &Value) -> Res;
    /// The truth value, for operators that give booleans.
    #[inline(always)]
    fn fast_test(a: &Value, b: &Value) -> Option<bool> {
        match Self::fast(a, b) {
            Some(Value::Bool(b)) => Some(b.get()),
            _ => None,
        }
    }
}

#[inline(always)]
fn apply<O: Operator>(a: &Value, b: &Value, span: Span) -> Res {
    match O::fast(a, b) {
        Some(value) => Ok(value),
        None => apply_slowly::<O>(a, b, span),
    }
}

// Functions of their own, called last, so that the fast paths need no room on the native stack.

#[inline(never)]
fn apply_slowly<O: Operator>(a: &Value, b: &Value, span: Span) -> Res {
    O::slow(a, b).at(span)
}

#[inline(never)]
fn test_slowly<O: Operator>(a: &Value, b: &Value, span: Span) -> Res<bool> {
    match O::slow(a, b).at(span)? {
        Value::Bool(b) => Ok(b.get()),
        value => operator::truth(&value),
    }
}

#[inline(always)]
fn test<O: Operator>(a: &Value, b: &Value, span: Span) -> Res<bool> {
    match O::fast_test(a, b) {
        Some(result) => Ok(result),
        None => test_slowly::<O>(a, b, span),
    }
}

macro_rules! arithmetic {
    ($($name:ident $op:ident |$a:ident, $b:ident| $int:expr, |$x:ident, $y:ident| $float:expr;)*) => {
        $(
            pub struct $name;
            impl Operator for $name {
                #[inline(always)]
                fn fast(a: &Value, b: &Value) -> Option<Value> {
                    match (a, b) {
                        (Value::Int($a), Value::Int($b)) => { let ($a, $b) = (*$a, *$b); let r: Option<i64> = $int; r.map(Value::Int) }
                        (Value::Float($x), Value::Float($y)) => { let ($x, $y) = ($x.get(), $y.get()); let r: Option<f64> = $float; r.map(Value::float) }
                        (Value::Int($x), Value::Float($y)) => { let ($x, $y) = (small_float(*$x)?, $y.get()); let r: Option<f64> = $float; r.map(Value::float) }
                        (Value::Float($x), Value::Int($y)) => { let ($x, $y) = ($x.get(), small_float(*$y)?); let r: Option<f64> = $float; r.map(Value::float) }
                        _ => None,
                    }
                }
                fn slow(a: &Value, b: &Value) -> Res { operator::binary(BinaryOp::$op, a, b) }
            }
        )*
    };
}

/// An int as a float, if that is exact.
#[inline(always)]
fn small_float(n: i64) -> Option<f64> {
    (n.unsigned_abs() <= 1 << 53).then_some(n as f64)
}

arithmetic! {
    Add Add |a, b| a.checked_add(b), |x, y| Some(x + y);
    Sub Sub |a, b| a.checked_sub(b), |x, y| Some(x - y);
    Mul Mul |a, b| a.checked_mul(b), |x, y| Some(x * y);
    Div Div |a, b| { let _ = (a, b); None }, |x, y| (y != 0.0).then(|| x / y);
    FloorDiv FloorDiv |a, b| if b > 0 { Some(a.div_euclid(b)) } else { None }, |x, y| { let _ = (x, y); None };
    Mod Mod |a, b| if b > 0 { Some(a.rem_euclid(b)) } else { None }, |x, y| { let _ = (x, y); None };
    BitAnd BitAnd |a, b| Some(a & b), |x, y| { let _ = (x, y); None };
    BitOr BitOr |a, b| Some(a | b), |x, y| { let _ = (x, y); None };
    BitXor BitXor |a, b| Some(a ^ b), |x, y| { let _ = (x, y); None };
    LeftShift LeftShift |a, b| if (0..32).contains(&b) && a.unsigned_abs() < 1 << 31 { Some(a << b) } else { None }, |x, y| { let _ = (x, y); None };
    RightShift RightShift |a, b| if (0..64).contains(&b) { Some(a >> b) } else { None }, |x, y| { let _ = (x, y); None };
    Pow Pow |a, b| if (0..=62).contains(&b) { a.checked_pow(b as u32) } else { None }, |x, y| pow_float(x, y);
    MatMul MatMul |a, b| { let _ = (a, b); None }, |x, y| { let _ = (x, y); None };
}

#[inline(always)]
fn pow_float(x: f64, y: f64) -> Option<f64> {
    if x > 0.0 && x.is_finite() && y.is_finite() {
        let r = x.powf(y);
        r.is_finite().then_some(r)
    } else {
        None
    }
}

macro_rules! comparisons {
    ($($name:ident $op:ident $sign:tt;)*) => {
        $(
            pub struct $name;
            impl Operator for $name {
                #[inline(always)]
                fn fast(a: &Value, b: &Value) -> Option<Value> {
                    Self::fast_test(a, b).map(Value::bool)
                }
                #[inline(always)]
                fn fast_test(a: &Value, b: &Value) -> Option<bool> {
                    match (a, b) {
                        (Value::Int(a), Value::Int(b)) => Some(a $sign b),
                        (Value::Float(a), Value::Float(b)) => Some(a.get() $sign b.get()),
                        (Value::Float(a), Value::Int(b)) => small_float(*b).map(|b| a.get() $sign b),
                        (Value::Int(a), Value::Float(b)) => small_float(*a).map(|a| a $sign b.get()),
                        (Value::Str(a), Value::Str(b)) => Some(a.text $sign b.text),
                        _ => None,
                    }
                }
                fn slow(a: &Value, b: &Value) -> Res { operator::compare(CompareOp::$op, a, b) }
            }
        )*
    };
}

comparisons! {
    Eq Eq ==;
    NotEq NotEq !=;
    Lt Lt <;
    LtE LtE <=;
    Gt Gt >;
    GtE GtE >=;
}

pub struct Is;
impl Operator for Is {
    #[inline(always)]
    fn fast(a: &Value, b: &Value) -> Option<Value> {
        Some(Value::bool(a.is(b)))
    }
    fn slow(a: &Value, b: &Value) -> Res {
        Ok(Value::bool(a.is(b)))
    }
}

pub struct IsNot;
impl Operator for IsNot {
    #[inline(always)]
    fn fast(a: &Value, b: &Value) -> Option<Value> {
        Some(Value::bool(!a.is(b)))
    }
    fn slow(a: &Value, b: &Value) -> Res {
        Ok(Value::bool(!a.is(b)))
    }
}

pub struct In;
impl Operator for In {
    #[inline(always)]
    fn fast(_: &Value, _: &Value) -> Option<Value> {
        None
    }
    fn slow(a: &Value, b: &Value) -> Res {
        operator::contains(b, a).map(Value::bool)
    }
}

pub struct NotIn;
impl Operator for NotIn {
    #[inline(always)]
    fn fast(_: &Value, _: &Value) -> Option<Value> {
        None
    }
    fn slow(a: &Value, b: &Value) -> Res {
        operator::contains(b, a).map(|found| Value::bool(!found))
    }
}

/// Runs the macro once for each binary operator: `(BinaryOp variant => operator type)`.
macro_rules! for_binary {
    ($op:expr, $make:ident, $($args:tt)*) => {
        match $op {
            BinaryOp::Add => $make!(Add, $($args)*),
            BinaryOp::Sub => $make!(Sub, $($args)*),
            BinaryOp::Mul => $make!(Mul, $($args)*),
            BinaryOp::MatMul => $make!(MatMul, $($args)*),
            BinaryOp::Div => $make!(Div, $($args)*),
            BinaryOp::FloorDiv => $make!(FloorDiv, $($args)*),
            BinaryOp::Mod => $make!(Mod, $($args)*),
            BinaryOp::Pow => $make!(Pow, $($args)*),
            BinaryOp::LeftShift => $make!(LeftShift, $($args)*),
            BinaryOp::RightShift => $make!(RightShift, $($args)*),
            BinaryOp::BitOr => $make!(BitOr, $($args)*),
            BinaryOp::BitXor => $make!(BitXor, $($args)*),
            BinaryOp::BitAnd => $make!(BitAnd, $($args)*),
        }
    };
}
pub(super) use for_binary;

macro_rules! for_compare {
    ($op:expr, $make:ident, $($args:tt)*) => {
        match $op {
            CompareOp::Eq => $make!(Eq, $($args)*),
            CompareOp::NotEq => $make!(NotEq, $($args)*),
            CompareOp::Lt => $make!(Lt, $($args)*),
            CompareOp::LtE => $make!(LtE, $($args)*),
            CompareOp::Gt => $make!(Gt, $($args)*),
            CompareOp::GtE => $make!(GtE, $($args)*),
            CompareOp::Is => $make!(Is, $($args)*),
            CompareOp::IsNot => $make!(IsNot, $($args)*),
            CompareOp::In => $make!(In, $($args)*),
            CompareOp::NotIn => $make!(NotIn, $($args)*),
        }
    };
}
pub(super) use for_compare;

use std::marker::PhantomData;

macro_rules! shapes {
    ($($name:ident { $($field:ident: $type:ty),* } |$self:ident, $frame:ident, $run:ident| $body:block)*) => {
        $(
            pub struct $name<O: Operator> { $($field: $type,)* span: Span, operator: PhantomData<O> }
            impl<O: Operator> Node for $name<O> {
                fn eval(&$self, $frame: &mut Frame) -> Res {
                    macro_rules! $run { ($a:expr, $b:expr) => { apply::<O>($a, $b, $self.span) }; }
                    $body
                }
                fn test(&$self, $frame: &mut Frame) -> Res<bool> {
                    macro_rules! $run { ($a:expr, $b:expr) => { test::<O>($a, $b, $self.span) }; }
                    $body
                }
            }
        )*
    };
}

shapes! {
    AnyAny { left: NodeBox, right: NodeBox } |self, frame, run| {
        let left = self.left.eval(frame)?;
        let right = self.right.eval(frame)?;
        let result = run!(&left, &right);
        drop(left); // operands die in their order
        result
    }
    AnyConst { left: NodeBox, right: Value } |self, frame, run| {
        let left = self.left.eval(frame)?;
        run!(&left, &self.right)
    }
    AnyLocal { left: NodeBox, right: u32, right_span: Span } |self, frame, run| {
        let left = self.left.eval(frame)?;
        let right = local(frame, self.right, self.right_span)?;
        run!(&left, right)
    }
    AnyTake { left: NodeBox, right: u32 } |self, frame, run| {
        let left = self.left.eval(frame)?;
        let right = frame.take_local(self.right);
        let result = run!(&left, &right);
        drop(left);
        result
    }
    ConstTake { left: Value, right: u32 } |self, frame, run| {
        let result = run!(&self.left, frame.local(self.right));
        drop(frame.take_local(self.right));
        result
    }
    ConstAny { left: Value, right: NodeBox } |self, frame, run| {
        let right = self.right.eval(frame)?;
        run!(&self.left, &right)
    }
    LocalAny { left: u32, left_span: Span, right: NodeBox } |self, frame, run| {
        // The right side may bind the name anew, so the value is kept.
        let left = local(frame, self.left, self.left_span)?.clone();
        let right = self.right.eval(frame)?;
        run!(&left, &right)
    }
    LocalConst { left: u32, left_span: Span, right: Value } |self, frame, run| {
        let left = local(frame, self.left, self.left_span)?;
        run!(left, &self.right)
    }
    LocalLocal { left: u32, left_span: Span, right: u32, right_span: Span } |self, frame, run| {
        let left = local(frame, self.left, self.left_span)?;
        let right = local(frame, self.right, self.right_span)?;
        run!(left, right)
    }
}

impl Builder<'_> {
    /// A node of the operator in the shape that fits its operands.
    pub fn operands<O: Operator>(&self, left: &Tree, right: &Tree, span: Span) -> NodeBox {
        let operator = PhantomData::<O>;
        let (left_span, right_span) = (left.span, right.span);
        if let TreeKind::Constant(constant) = &right.kind {
            let right = constant_value(constant);
            return match self.local_slot(left) {
                Some(left) => Box::new(LocalConst {
                    left,
                    left_span,
                    right,
                    span,
                    operator,
                }),
                None => Box::new(AnyConst {
                    left: self.node(left),
                    right,
                    span,
                    operator,
                }),
            };
        }
        if let TreeKind::Constant(constant) = &left.kind
            && self.local_slot(right).is_none()
        {
            let left = constant_value(constant);
            return match right.kind {
                TreeKind::Take(right) => Box::new(ConstTake {
                    left,
                    right,
                    span,
                    operator,
                }),
                _ => Box::new(ConstAny {
                    left,
                    right: self.node(right),
                    span,
                    operator,
                }),
            };
        }
        if let TreeKind::Take(right) = right.kind {
            return Box::new(AnyTake {
                left: self.node(left),
                right,
                span,
                operator,
            });
        }
        match (self.local_slot(left), self.local_slot(right)) {
            // Nothing runs between reading two locals, so neither can change.
            (Some(left), Some(right)) => Box::new(LocalLocal {
                left,
                left_span,
                right,
                right_span,
                span,
                operator,
            }),
            (None, Some(right)) => Box::new(AnyLocal {
                left: self.node(left),
                right,
                right_span,
                span,
                operator,
            }),
            (Some(left), None) => Box::new(LocalAny {
                left,
                left_span,
                right: self.node(right),
                span,
                operator,
            }),
            (None, None) => Box::new(AnyAny {
                left: self.node(left),
                right: self.node(right),
                span,
                operator,
            }),
        }
    }
}
