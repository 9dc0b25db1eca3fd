//! Blocks, branches, loops, jumps and simple statements.

use super::head::Head;
use super::name::Store;
use super::*;
use crate::interp::error::raise_empty;
use crate::interp::stack::tick;
use crate::interp::types::{Type, class};
use crate::interp::{async_iter, iterate, text};
use crate::value::iterator::IteratorState;

/// Statements one after the other.
pub struct Block(pub Box<[ExecBox]>);

impl Block {
    #[inline(always)]
    pub fn exec(&self, frame: &mut Frame) -> Flow {
        for statement in &self.0 {
            let flow = statement.exec(frame);
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub struct Eval(pub NodeBox);

impl Exec for Eval {
    fn exec(&self, frame: &mut Frame) -> Flow {
        drop(attempt!(self.0.eval(frame)));
        Flow::Next
    }
}

pub struct Show(pub NodeBox);

impl Exec for Show {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let value = attempt!(self.0.eval(frame));
        attempt!(text::show(&value));
        Flow::Next
    }
}

pub struct Jump(pub Flow);

impl Exec for Jump {
    fn exec(&self, _: &mut Frame) -> Flow {
        self.0
    }
}

pub struct Goto(pub u32);

impl Exec for Goto {
    fn exec(&self, frame: &mut Frame) -> Flow {
        frame.goto = self.0;
        Flow::Goto
    }
}

pub struct Return(pub NodeBox);

impl Exec for Return {
    fn exec(&self, frame: &mut Frame) -> Flow {
        frame.result = attempt!(self.0.eval(frame));
        Flow::Return
    }
}

pub struct ReturnNone;

impl Exec for ReturnNone {
    fn exec(&self, frame: &mut Frame) -> Flow {
        frame.result = Value::None;
        Flow::Return
    }
}

pub struct Assert {
    pub test: Condition,
    pub message: Option<NodeBox>,
    pub span: Span,
}

impl Exec for Assert {
    fn exec(&self, frame: &mut Frame) -> Flow {
        if attempt!(self.test.holds(frame)) {
            return Flow::Next;
        }
        let raised = match &self.message {
            Some(message) => {
                let message = attempt!(message.eval(frame));
                Raised::new(Exception::new(class(Type::AssertionError), vec![message]))
            }
            None => raise_empty(Type::AssertionError),
        };
        let _ = raised.at(self.span);
        Flow::Raise
    }
}

pub struct IfElse {
    pub test: Condition,
    pub body: NodeBox,
    pub orelse: NodeBox,
}

impl Node for IfElse {
    fn eval(&self, frame: &mut Frame) -> Res {
        if self.test.holds(frame)? {
            self.body.eval(frame)
        } else {
            self.orelse.eval(frame)
        }
    }

    fn test(&self, frame: &mut Frame) -> Res<bool> {
        if self.test.holds(frame)? {
            self.body.test(frame)
        } else {
            self.orelse.test(frame)
        }
    }
}

struct If {
    test: Condition,
    body: Block,
    orelse: Block,
}

impl Exec for If {
    fn exec(&self, frame: &mut Frame) -> Flow {
        if attempt!(self.test.holds(frame)) {
            self.body.exec(frame)
        } else {
            self.orelse.exec(frame)
        }
    }
}

struct While {
    test: Condition,
    body: Block,
    orelse: Block,
    /// Where the test stands.
    span: Span,
}

impl Exec for While {
    fn exec(&self, frame: &mut Frame) -> Flow {
        while attempt!(self.test.holds(frame)) {
            match self.body.exec(frame) {
                Flow::Next | Flow::Continue => attempt!(tick().at(self.span)),
                Flow::Break => return Flow::Next,
                other => return other,
            }
        }
        self.orelse.exec(frame)
    }
}

struct For {
    head: Head,
    iter: NodeBox,
    body: Block,
    orelse: Block,
    span: Span,
}

impl Exec for For {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let iterable = attempt!(self.iter.eval(frame));
        let iterator = attempt!(iterate::iter(&iterable).at(self.span));
        drop(iterable);
        if let (Some(slot), Some((mut next, mut left, step))) = (self.head.slot(), range_state(&iterator)) {
            // A range that nobody else can see: count here.
            while left > 0 {
                frame.set_local(slot, Value::Int(next));
                left -= 1;
                next = next.wrapping_add(step);
                match self.body.exec(frame) {
                    Flow::Next | Flow::Continue => attempt!(tick().at(self.span)),
                    Flow::Break => return Flow::Next,
                    other => return other,
                }
            }
            return self.orelse.exec(frame);
        }
        loop {
            frame.running.set_place(self.span);
            let step = attempt!(self.head.next(&iterator));
            if !attempt!(self.head.take(frame, step)) {
                break;
            }
            match self.body.exec(frame) {
                Flow::Next | Flow::Continue => attempt!(tick().at(self.span)),
                Flow::Break => return Flow::Next,
                other => return other,
            }
        }
        drop(iterator);
        self.orelse.exec(frame)
    }
}

/// The state of a range iterator to which there is only one reference.
pub fn range_state(iterator: &Value) -> Option<(i64, u64, i64)> {
    if iterator.references() != 1 {
        return None;
    }
    match iterator {
        Value::Iterator(it) => match &*it.state.borrow() {
            IteratorState::Range { next, left, step } => Some((*next, *left, *step)),
            _ => None,
        },
        _ => None,
    }
}

/// `iter(value)` of a split `for`.
pub struct Iter {
    pub value: NodeBox,
    pub span: Span,
}

impl Node for Iter {
    fn eval(&self, frame: &mut Frame) -> Res {
        let value = self.value.eval(frame)?;
        iterate::iter(&value).at(self.span)
    }
}

/// `aiter(value)` of an `async for`.
pub struct AsyncIter {
    pub value: NodeBox,
    pub span: Span,
}

impl Node for AsyncIter {
    fn eval(&self, frame: &mut Frame) -> Res {
        let value = self.value.eval(frame)?;
        async_iter::begin(&value).at(self.span)
    }
}

impl Builder<'_> {
    pub fn if_statement(&self, test: &Tree, body: &[Statement], orelse: &[Statement]) -> ExecBox {
        Box::new(If {
            test: self.condition(test),
            body: self.block(body),
            orelse: self.block(orelse),
        })
    }

    pub fn while_statement(&self, test: &Tree, body: &[Statement], orelse: &[Statement]) -> ExecBox {
        Box::new(While {
            test: self.condition(test),
            body: self.block(body),
            orelse: self.block(orelse),
            span: test.span,
        })
    }

    pub fn for_statement(
        &self,
        target: &Target,
        iter: &Tree,
        body: &[Statement],
        orelse: &[Statement],
    ) -> ExecBox {
        Box::new(For {
            head: self.head(target, iter.span),
            iter: self.node(iter),
            body: self.block(body),
            orelse: self.block(orelse),
            span: iter.span,
        })
    }

    pub fn variable(&self, place: Place, span: Span) -> Store {
        self.store(place, span)
    }
}
