//! Nodes: trees and statements in the form that runs.
//!
//! Each [`Tree`] is built once into a small struct behind [`Node`], each statement into one behind
//! [`Exec`]. Always true: a node evaluates its operands left to right and attaches its own place
//! to an error that comes up in it; building is total, so nothing is left to look up by text when
//! it runs.

mod arithmetic;
mod bind;
mod comprehension;
mod define;
mod display;
mod flow;
mod fstring;
mod guard;
mod head;
mod invocation;
mod member;
mod name;
mod operand;
mod pattern;

pub use bind::Assignable;
pub use flow::Block;
pub use guard::{Enter, Exit, Raise, as_exception, matches_kind};
pub use head::Head;
pub use invocation::Invocation;

use super::operator;
use super::unit::Unit;
use crate::code::{
    Code, Constant, Place, Statement, StatementKind, Target, TargetKind, Tree, TreeKind, UnaryOp,
};
use crate::source::Span;
use crate::value::function::Frame;
use crate::value::*;
use std::rc::Rc;

/// An expression that can be evaluated.
pub trait Node {
    fn eval(&self, frame: &mut Frame) -> Res;

    /// Its truth value; nodes that know it without making a value override this.
    #[inline]
    fn test(&self, frame: &mut Frame) -> Res<bool> {
        match self.eval(frame)? {
            Value::Bool(b) => Ok(b.get()),
            value => operator::truth(&value),
        }
    }
}

pub type NodeBox = Box<dyn Node>;

/// An expression that decides where to go on.
pub struct Condition {
    node: NodeBox,
    span: Span,
}

impl Condition {
    #[inline(always)]
    pub fn holds(&self, frame: &mut Frame) -> Res<bool> {
        self.node.test(frame).at(self.span)
    }
}

/// How a statement ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    Next,
    Break,
    Continue,
    /// On to the state `frame.goto`.
    Goto,
    /// The function returns `frame.result`.
    Return,
    /// An exception is on its way.
    Raise,
}

/// A statement that can be executed.
pub trait Exec {
    fn exec(&self, frame: &mut Frame) -> Flow;
}

pub type ExecBox = Box<dyn Exec>;

/// Goes on with a value, or ends the statement with the exception on its way.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(_) => return $crate::interp::node::Flow::Raise,
        }
    };
}
pub(crate) use attempt;

/// Attaches a place to the error of a result.
pub trait At {
    fn at(self, span: Span) -> Self;
}

impl<T> At for Res<T> {
    #[inline(always)]
    fn at(self, span: Span) -> Self {
        match self {
            Ok(value) => Ok(value),
            Err(raised) => Err(raised.at(span)),
        }
    }
}

/// What building needs to know: the code whose trees are built, and the module it runs in.
pub struct Builder<'a> {
    pub code: &'a Rc<Code>,
    pub module: &'a Ref<Module>,
}

impl Builder<'_> {
    pub fn condition(&self, tree: &Tree) -> Condition {
        Condition {
            node: self.test(tree),
            span: tree.span,
        }
    }

    /// A node that is asked for its truth only. Here, other than where the value is wanted, `not`
    /// leaves the place of the comparison that it turns round as it is.
    pub fn test(&self, tree: &Tree) -> NodeBox {
        match &tree.kind {
            TreeKind::Unary { op, operand } if *op == UnaryOp::Not => {
                self.not(self.condition(operand), tree.span)
            }
            TreeKind::BoolOp { op, values } => {
                let operands = values.iter().map(|value| self.test(value)).collect();
                self.bool_op(*op, operands, tree.span)
            }
            _ => self.node(tree),
        }
    }

    pub fn node(&self, tree: &Tree) -> NodeBox {
        let span = tree.span;
        match &tree.kind {
            TreeKind::Constant(constant) => Box::new(name::Const(constant_value(constant))),
            TreeKind::Load(place) => self.load(*place, span),
            TreeKind::Take(slot) => Box::new(name::Take(*slot)),
            TreeKind::Peek(slot) => Box::new(name::Peek(*slot)),
            TreeKind::Walrus { place, value } => self.walrus(*place, value, span),
            TreeKind::Binary { op, left, right } => self.binary(*op, left, right, span),
            TreeKind::InPlace { op, left, right } => self.in_place(*op, left, right, span),
            TreeKind::Unary { op, operand } => self.unary(*op, operand, span),
            TreeKind::BoolOp { op, values } => self.bool_op(*op, self.nodes(values), span),
            TreeKind::Compare { left, rest } => self.compare(left, rest, span),
            TreeKind::IfElse { test, body, orelse } => Box::new(flow::IfElse {
                test: self.condition(test),
                body: self.node(body),
                orelse: self.node(orelse),
            }),
            TreeKind::Call { func, args } => self.call(func, args, span),
            TreeKind::Attribute { object, name } => self.attribute(object, *name, span),
            TreeKind::Subscript { object, index } => self.subscript(object, index, span),
            TreeKind::Slice { lower, upper, step } => self.slice(lower, upper, step),
            TreeKind::Tuple(items) => self.tuple(items, span),
            TreeKind::List(items) => self.list(items, span),
            TreeKind::Set(items) => self.set(items, span),
            TreeKind::Dict(items) => self.dict(items, span),
            TreeKind::FString(parts) => self.fstring(parts, span),
            TreeKind::Comprehension(comprehension) => self.comprehension(comprehension, span),
            TreeKind::Function(function) => self.function(function),
            TreeKind::Class(class) => self.class(class, span),
            TreeKind::Iter(value) => Box::new(flow::Iter {
                value: self.node(value),
                span,
            }),
            TreeKind::AsyncIter(value) => Box::new(flow::AsyncIter {
                value: self.node(value),
                span,
            }),
            TreeKind::Enter {
                context,
                is_async,
                exit,
            } => self.enter(context, *is_async, *exit, span),
            TreeKind::Exit { exit, exc } => Box::new(guard::Exit {
                exit: *exit,
                exc: *exc,
                span,
            }),
            TreeKind::ExceptMatch { exc, kind } => Box::new(guard::ExceptMatch {
                exc: *exc,
                kind: self.node(kind),
                span,
            }),
            TreeKind::ExceptStarMatch { rest, matched, kind } => Box::new(guard::StarMatch {
                rest: *rest,
                matched: *matched,
                kind: self.node(kind),
                span,
            }),
            TreeKind::ExceptStarRest {
                original,
                raised,
                rest,
            } => Box::new(guard::StarRest {
                original: *original,
                raised: *raised,
                rest: *rest,
            }),
            TreeKind::Match { subject, pattern } => self.match_pattern(*subject, pattern),
        }
    }

    pub fn nodes(&self, trees: &[Tree]) -> Box<[NodeBox]> {
        trees.iter().map(|t| self.node(t)).collect()
    }

    pub fn option(&self, tree: &Option<Tree>) -> Option<NodeBox> {
        tree.as_ref().map(|t| self.node(t))
    }

    pub fn block(&self, statements: &[Statement]) -> Block {
        Block(statements.iter().map(|s| self.statement(s)).collect())
    }

    fn statement(&self, statement: &Statement) -> ExecBox {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Eval(tree) => Box::new(flow::Eval(self.node(tree))),
            StatementKind::Show(tree) => Box::new(flow::Show(self.node(tree))),
            StatementKind::Assign { targets, value } => self.assign(targets, value),
            StatementKind::AugAssign { target, op, value } => self.aug_assign(target, *op, value, span),
            StatementKind::Delete(target) => Box::new(bind::Delete(self.target(target))),
            StatementKind::Annotate { name, value } => self.annotate(*name, value),
            StatementKind::Assert { test, message } => Box::new(flow::Assert {
                test: self.condition(test),
                message: self.option(message),
                span: test.span,
            }),
            StatementKind::Import {
                module,
                asname,
                place,
            } => self.import(*module, *asname, *place, span),
            StatementKind::ImportFrom {
                module,
                level,
                names,
                star,
            } => self.import_from(*module, *level, names, *star, span),
            StatementKind::If { test, body, orelse } => self.if_statement(test, body, orelse),
            StatementKind::While { test, body, orelse } => self.while_statement(test, body, orelse),
            StatementKind::For {
                target,
                iter,
                body,
                orelse,
            } => self.for_statement(target, iter, body, orelse),
            StatementKind::Try(it) => self.try_statement(it, span),
            StatementKind::With {
                context,
                target,
                body,
            } => self.with_statement(context, target, body),
            StatementKind::Break => Box::new(flow::Jump(Flow::Break)),
            StatementKind::Continue => Box::new(flow::Jump(Flow::Continue)),
            StatementKind::Goto(state) => Box::new(flow::Goto(*state)),
            StatementKind::Return(value) => match value {
                Some(value) => Box::new(flow::Return(self.node(value))),
                None => Box::new(flow::ReturnNone),
            },
            StatementKind::Raise { exc, cause } => Box::new(guard::Raise {
                exc: self.option(exc),
                cause: self.option(cause),
                span,
            }),
            StatementKind::MakeCell(slot) => Box::new(name::MakeCell(*slot)),
            StatementKind::Clear(slot) => Box::new(name::Clear(*slot)),
            StatementKind::EnterHandler(slot) => Box::new(guard::EnterHandler(*slot)),
            StatementKind::LeaveHandler => Box::new(guard::LeaveHandler),
            StatementKind::Collect {
                into,
                kind,
                key,
                element,
            } => self.collect(*into, *kind, key.as_ref(), element, span),
        }
    }

    pub fn target(&self, target: &Target) -> Box<dyn Assignable> {
        self.assignable(target)
    }

    /// The unit of a nested function's code.
    fn unit(&self, code: &Rc<Code>) -> Rc<Unit> {
        Unit::new(code.clone(), self.module.clone())
    }

    /// The slot of a tree that reads a local variable.
    pub fn local_slot(&self, tree: &Tree) -> Option<u32> {
        match tree.kind {
            TreeKind::Load(Place::Local(slot)) => Some(slot),
            _ => None,
        }
    }
}

/// The value of a literal.
pub fn constant_value(constant: &Constant) -> Value {
    match constant {
        Constant::None => Value::None,
        Constant::True => Value::TRUE,
        Constant::False => Value::FALSE,
        Constant::Ellipsis => Value::Ellipsis,
        Constant::Int(n) => Value::Int(*n),
        Constant::BigInt(n) => Value::from(n.clone()),
        Constant::Float(x) => Value::float(*x),
        Constant::Str(text) => {
            // Short words are often names and keys: one object for each lets lookups compare
            // addresses.
            if text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return crate::source::Symbol::new(text).into();
            }
            Value::from(&**text)
        }
        Constant::Bytes(bytes) => Ref::new(Bytes(bytes.to_vec().into())).into(),
    }
}
