//! Operators: binary, unary, boolean, comparison.

use super::operand::*;
use super::*;
use crate::code::{BinaryOp, BoolOp, CompareOp, UnaryOp};

impl Builder<'_> {
    pub fn binary(&self, op: BinaryOp, left: &Tree, right: &Tree, span: Span) -> NodeBox {
        macro_rules! make {
            ($operator:ident, $($args:tt)*) => { self.operands::<$operator>($($args)*) };
        }
        for_binary!(op, make, left, right, span)
    }

    pub fn in_place(&self, op: BinaryOp, left: &Tree, right: &Tree, span: Span) -> NodeBox {
        Box::new(InPlace {
            op,
            left: self.node(left),
            right: self.node(right),
            span,
        })
    }

    pub fn unary(&self, op: UnaryOp, operand: &Tree, span: Span) -> NodeBox {
        match op {
            UnaryOp::Not => match &operand.kind {
                // CPython makes one step of the two, at the place of the latter.
                TreeKind::Compare { left, rest } if matches!(&rest[..], [(op, _)] if !op.is_identity() && !op.is_membership()) =>
                {
                    let node = self.compare(left, rest, span);
                    self.not(Condition { node, span }, span)
                }
                _ => self.not(self.condition(operand), span),
            },
            _ => Box::new(Unary {
                op,
                operand: self.node(operand),
                span,
            }),
        }
    }

    pub fn not(&self, operand: Condition, span: Span) -> NodeBox {
        Box::new(Not { operand, span })
    }

    pub fn bool_op(&self, op: BoolOp, operands: Box<[NodeBox]>, span: Span) -> NodeBox {
        match op {
            BoolOp::And => Box::new(And { operands, span }),
            BoolOp::Or => Box::new(Or { operands, span }),
        }
    }

    pub fn compare(&self, left: &Tree, rest: &[(CompareOp, Tree)], span: Span) -> NodeBox {
        if let [(op, right)] = rest {
            macro_rules! make {
                ($operator:ident, $($args:tt)*) => { self.operands::<$operator>($($args)*) };
            }
            return for_compare!(*op, make, left, right, span);
        }
        let rest = rest.iter().map(|(op, tree)| (*op, self.node(tree))).collect();
        Box::new(Chain {
            left: self.node(left),
            rest,
            span,
        })
    }
}

struct InPlace {
    op: BinaryOp,
    left: NodeBox,
    right: NodeBox,
    span: Span,
}

impl Node for InPlace {
    fn eval(&self, frame: &mut Frame) -> Res {
        let left = self.left.eval(frame)?;
        let right = self.right.eval(frame)?;
        operator::in_place(self.op, left, &right).at(self.span)
    }
}

struct Not {
    operand: Condition,
    span: Span,
}

impl Node for Not {
    fn eval(&self, frame: &mut Frame) -> Res {
        self.operand
            .node
            .test(frame)
            .map(|b| Value::bool(!b))
            .at(self.span)
    }

    fn test(&self, frame: &mut Frame) -> Res<bool> {
        self.operand.holds(frame).map(|b| !b)
    }
}

struct Unary {
    op: UnaryOp,
    operand: NodeBox,
    span: Span,
}

impl Node for Unary {
    fn eval(&self, frame: &mut Frame) -> Res {
        let value = self.operand.eval(frame)?;
        match (self.op, &value) {
            (UnaryOp::Neg, Value::Int(n)) if *n != i64::MIN => Ok(Value::Int(-n)),
            (UnaryOp::Neg, Value::Float(x)) => Ok(Value::float(-x.get())),
            (op, value) => operator::unary(op, value).at(self.span),
        }
    }
}

struct And {
    operands: Box<[NodeBox]>,
    span: Span,
}

impl Node for And {
    fn eval(&self, frame: &mut Frame) -> Res {
        let (last, init) = self.operands.split_last().expect("`and` has operands");
        for node in init {
            let value = node.eval(frame)?;
            if !operator::truth(&value).at(self.span)? {
                return Ok(value);
            }
        }
        last.eval(frame)
    }

    fn test(&self, frame: &mut Frame) -> Res<bool> {
        for node in &self.operands {
            if !node.test(frame).at(self.span)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

struct Or {
    operands: Box<[NodeBox]>,
    span: Span,
}

impl Node for Or {
    fn eval(&self, frame: &mut Frame) -> Res {
        let (last, init) = self.operands.split_last().expect("`or` has operands");
        for node in init {
            let value = node.eval(frame)?;
            if operator::truth(&value).at(self.span)? {
                return Ok(value);
            }
        }
        last.eval(frame)
    }

    fn test(&self, frame: &mut Frame) -> Res<bool> {
        for node in &self.operands {
            if node.test(frame).at(self.span)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// `a < b < c`
struct Chain {
    left: NodeBox,
    rest: Box<[(CompareOp, NodeBox)]>,
    span: Span,
}

impl Node for Chain {
    fn eval(&self, frame: &mut Frame) -> Res {
        let mut left = self.left.eval(frame)?;
        let last = self.rest.len() - 1;
        for (i, (op, node)) in self.rest.iter().enumerate() {
            let right = node.eval(frame)?;
            let result = operator::compare(*op, &left, &right).at(self.span)?;
            left = right;
            if i == last || !operator::truth(&result).at(self.span)? {
                return Ok(result);
            }
        }
        unreachable!("a comparison has at least one operator")
    }
}
