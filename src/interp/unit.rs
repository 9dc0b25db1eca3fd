//! A code in runnable form: its states as nodes, and the walk over them.
//!
//! This is the only place that goes from state to state. A synchronous call walks to the end; a
//! resumable frame walks to its next suspension.

use super::async_iter;
use super::error::runtime_error;
use super::iterate;
use super::machine::{self, Item, Nested};
use super::node::{Assignable, Begun, Block, Builder, Flow, Invocation, NodeBox, Raise};
use super::stack::tick;
use super::types::{Type, is_exception};
use crate::code::{Code, CodeKind, Handler, Onward, Terminator, Tree, TreeKind};
use crate::source::Span;
use crate::value::exception::handled;
use crate::value::function::{CallShape, Frame, NOT_STARTED, Program, Resume, Turn};
use crate::value::*;
use std::cell::OnceCell;
use std::rc::Rc;

/// A code and the module it runs in; its nodes are built when it first runs.
pub struct Unit {
    code: Rc<Code>,
    module: Ref<Module>,
    shape: CallShape,
    body: OnceCell<Body>,
}

struct Body {
    states: Box<[StateNode]>,
    /// The value of a function that is one `return`.
    expression: Option<NodeBox>,
}

struct StateNode {
    body: Block,
    end: End,
    span: Span,
    handler: Option<Handler>,
}

/// A terminator with its nodes built.
enum End {
    Goto(u32),
    Branch {
        test: NodeBox,
        then: u32,
        orelse: u32,
    },
    Next {
        iter: u32,
        slot: Option<u32>,
        target: Box<dyn Assignable>,
        body: u32,
        done: u32,
    },
    Await {
        value: Awaited,
        into: Option<u32>,
        resume: u32,
    },
    AsyncNext {
        iter: u32,
        into: u32,
        body: u32,
        done: u32,
    },
    Yield {
        value: NodeBox,
        into: Option<u32>,
        resume: u32,
    },
    YieldFrom {
        value: NodeBox,
        into: Option<u32>,
        resume: u32,
    },
    Return(Option<NodeBox>),
    Raise(Raise),
    Reraise(u32),
    Dispatch {
        why: u32,
        ways: Box<[Onward]>,
    },
}

enum Awaited {
    /// `await f(…)`: a coroutine function's frame is entered without making a coroutine.
    Call(Invocation),
    Value(NodeBox),
}

impl Unit {
    pub fn new(code: Rc<Code>, module: Ref<Module>) -> Rc<Unit> {
        Rc::new(Unit {
            shape: CallShape::of(&code),
            code,
            module,
            body: OnceCell::new(),
        })
    }

    pub fn code(&self) -> &Rc<Code> {
        &self.code
    }

    pub fn module(&self) -> &Ref<Module> {
        &self.module
    }

    pub fn shape(&self) -> CallShape {
        self.shape
    }

    #[inline(always)]
    fn body(&self) -> &Body {
        self.body.get_or_init(|| self.build())
    }

    #[cold]
    fn build(&self) -> Body {
        let builder = Builder {
            code: &self.code,
            module: &self.module,
        };
        if self.code.kind == CodeKind::Function
            && let [state] = &self.code.states[..]
            && state.body.is_empty()
            && let Terminator::Return(Some(value)) = &state.end
        {
            return Body {
                states: Box::new([]),
                expression: Some(builder.node(value)),
            };
        }
        let states = self.code.states.iter().map(|state| StateNode {
            body: builder.block(&state.body),
            end: end(&builder, &state.end, state.end_span),
            span: state.end_span,
            handler: state.handler,
        });
        Body {
            states: states.collect(),
            expression: None,
        }
    }
}

fn end(builder: &Builder, end: &Terminator, span: Span) -> End {
    match end {
        Terminator::Goto(state) => End::Goto(*state),
        Terminator::Branch { test, then, orelse } => End::Branch {
            test: builder.node(test),
            then: *then,
            orelse: *orelse,
        },
        Terminator::Next {
            iter,
            target,
            body,
            done,
        } => {
            let slot = builder.target_slot(target);
            End::Next {
                iter: *iter,
                slot,
                target: builder.target(target),
                body: *body,
                done: *done,
            }
        }
        Terminator::Await { value, into, resume } => End::Await {
            value: awaited(builder, value),
            into: *into,
            resume: *resume,
        },
        Terminator::AsyncNext {
            iter,
            into,
            body,
            done,
        } => End::AsyncNext {
            iter: *iter,
            into: *into,
            body: *body,
            done: *done,
        },
        Terminator::Yield { value, into, resume } => End::Yield {
            value: builder.node(value),
            into: *into,
            resume: *resume,
        },
        Terminator::YieldFrom { value, into, resume } => End::YieldFrom {
            value: builder.node(value),
            into: *into,
            resume: *resume,
        },
        Terminator::Return(value) => End::Return(builder.option(value)),
        Terminator::Raise { exc, cause } => End::Raise(Raise {
            exc: builder.option(exc),
            cause: builder.option(cause),
            span,
        }),
        Terminator::Reraise(slot) => End::Reraise(*slot),
        Terminator::Dispatch { why, ways } => End::Dispatch {
            why: *why,
            ways: ways.clone().into(),
        },
    }
}

fn awaited(builder: &Builder, value: &Tree) -> Awaited {
    match &value.kind {
        TreeKind::Call { func, args } => Awaited::Call(builder.invocation(func, args, value.span)),
        _ => Awaited::Value(builder.node(value)),
    }
}

impl Program for Unit {
    #[inline]
    fn call(&self, frame: &mut Frame) -> Res {
        let body = self.body();
        if let Some(expression) = &body.expression {
            return expression.eval(frame);
        }
        match walk(body, frame, &mut 0) {
            Turn::Return(value) => Ok(value),
            Turn::Raise(raised) => Err(raised),
            _ => unreachable!("code that is called does not suspend"),
        }
    }

    fn advance(&self, frame: &mut Frame, state: &mut u32, resume: Resume) -> Turn {
        let body = self.body();
        if *state == NOT_STARTED {
            return match resume {
                Resume::Value(_) => {
                    *state = 0;
                    walk(body, frame, state)
                }
                Resume::Raise(exception) => Turn::Raise(thrown(exception)),
            };
        }
        let suspended = &body.states[*state as usize];
        match resume {
            Resume::Value(value) => match &suspended.end {
                End::Await { into, resume, .. }
                | End::Yield { into, resume, .. }
                | End::YieldFrom { into, resume, .. } => {
                    if let Some(slot) = into {
                        frame.set_local(*slot, value);
                    }
                    *state = *resume;
                }
                End::AsyncNext { into, body, .. } => {
                    frame.set_local(*into, value);
                    *state = *body;
                }
                _ => unreachable!("a frame suspends only at suspensions"),
            },
            Resume::Raise(exception) => {
                if let End::AsyncNext { iter, done, .. } = &suspended.end
                    && is_exception(&exception, Type::StopAsyncIteration)
                {
                    drop(frame.take_local(*iter));
                    *state = *done;
                } else {
                    let raised = thrown(exception).at(suspended.span);
                    if let Err(raised) = catch(suspended, frame, state, raised) {
                        return Turn::Raise(raised);
                    }
                }
            }
        }
        walk(body, frame, state)
    }
}

/// An exception that comes in from outside: what the frame is handling becomes its context.
fn thrown(exception: Ref<Exception>) -> Raised {
    if exception.context.get().is_none()
        && let Some(handled) = handled()
        && !handled.is(&exception)
    {
        return Raised::new(exception);
    }
    Raised::again(exception)
}

/// Goes to the handler of the state in which an exception came up, if it has one.
fn catch(state: &StateNode, frame: &mut Frame, at: &mut u32, raised: Raised) -> Res<()> {
    match state.handler {
        Some(handler) => {
            let exception = raised.leave(&frame.func.code).take();
            frame.set_local(handler.slot, exception.into());
            *at = handler.target;
            Ok(())
        }
        None => Err(raised),
    }
}

/// Walks from state to state until the frame suspends or ends.
fn walk(body: &Body, frame: &mut Frame, at: &mut u32) -> Turn {
    loop {
        let state = &body.states[*at as usize];
        let failed = match state.body.exec(frame) {
            Flow::Next => match step(state, frame, at) {
                Ok(None) => continue,
                Ok(Some(turn)) => return turn,
                Err(raised) => raised.at(state.span),
            },
            Flow::Return => return Turn::Return(std::mem::take(&mut frame.result)),
            Flow::Goto => {
                let before = std::mem::replace(at, frame.goto);
                if *at <= before {
                    match tick() {
                        Ok(()) => continue,
                        Err(raised) => raised,
                    }
                } else {
                    continue;
                }
            }
            Flow::Raise => Raised::still(),
            Flow::Break | Flow::Continue => unreachable!("lowering keeps jumps inside their loops"),
        };
        if let Err(raised) = catch(state, frame, at, failed) {
            return Turn::Raise(raised);
        }
    }
}

/// Does what the state's terminator says: on to the next state, or the turn that ends the walk.
#[inline(always)]
fn step(state: &StateNode, frame: &mut Frame, at: &mut u32) -> Res<Option<Turn>> {
    match &state.end {
        End::Goto(target) => {
            let before = std::mem::replace(at, *target);
            if *at <= before {
                tick()?;
            }
        }
        End::Branch { test, then, orelse } => *at = if test.test(frame)? { *then } else { *orelse },
        End::Next {
            iter,
            slot,
            target,
            body,
            done,
        } => {
            tick()?;
            // Only this frame's own nodes could change the slot, and none of them runs meanwhile.
            match iterate::next(frame.local(*iter))? {
                Some(item) => {
                    match slot {
                        Some(slot) => frame.set_local(*slot, item),
                        None => target.assign(frame, item)?,
                    }
                    *at = *body;
                }
                None => {
                    drop(frame.take_local(*iter));
                    *at = *done;
                }
            }
        }
        End::Await { value, into, resume } => {
            let result = match value {
                Awaited::Call(invocation) => match invocation.begin(frame)? {
                    Begun::Frame(callee) => match machine::run_nested(callee)? {
                        Nested::Returned(value) => value,
                        Nested::Suspended(turn) => return Ok(Some(turn)),
                    },
                    Begun::Step(Step::Return(value)) => value,
                    Begun::Step(step) => return Ok(Some(Turn::Begin(step))),
                    Begun::Value(value) => return Ok(Some(Turn::Await(value))),
                },
                Awaited::Value(node) => return Ok(Some(Turn::Await(node.eval(frame)?))),
            };
            if let Some(slot) = into {
                frame.set_local(*slot, result);
            }
            *at = *resume;
        }
        End::AsyncNext {
            iter,
            into,
            body,
            done,
        } => {
            tick()?;
            let iterator = frame.local(*iter);
            let Value::Generator(generator) = iterator else {
                return Ok(Some(Turn::Await(async_iter::anext(iterator)?)));
            };
            match machine::next_item(generator)? {
                Item::Next(value) => {
                    frame.set_local(*into, value);
                    *at = *body;
                }
                Item::End => {
                    drop(frame.take_local(*iter));
                    *at = *done;
                }
                Item::Suspended(turn) => return Ok(Some(turn)),
                Item::NotNow => return Ok(Some(Turn::AsyncNext(iterator.clone()))),
            }
        }
        End::Yield { value, .. } => return Ok(Some(Turn::Yield(value.eval(frame)?))),
        End::YieldFrom { value, .. } => return Ok(Some(Turn::YieldFrom(value.eval(frame)?))),
        End::Return(value) => {
            let value = match value {
                Some(node) => node.eval(frame)?,
                None => Value::None,
            };
            return Ok(Some(Turn::Return(value)));
        }
        End::Raise(raise) => return Err(raise.run(frame)),
        End::Reraise(slot) => return Err(reraise(frame, *slot)),
        End::Dispatch { why, ways } => {
            let Value::Int(way) = &frame.take_local(*why) else {
                return Err(runtime_error("a finally block lost its way"));
            };
            match ways[*way as usize] {
                Onward::Goto(target) => {
                    let before = std::mem::replace(at, target);
                    if *at <= before {
                        tick()?;
                    }
                }
                Onward::Reraise(slot) => return Err(reraise(frame, slot)),
                Onward::Return(slot) => return Ok(Some(Turn::Return(frame.take_local(slot)))),
            }
        }
    }
    Ok(None)
}

/// Raises the exception in a slot again, as it is.
fn reraise(frame: &mut Frame, slot: u32) -> Raised {
    match &frame.take_local(slot) {
        Value::Exception(exception) => Raised::again(Ref::clone(exception)),
        _ => runtime_error("a handler lost its exception"),
    }
}

/// The place of an await, for reports: the span of the state's terminator.
pub fn suspension_span(code: &Code, state: u32) -> Option<Span> {
    code.states.get(state as usize).map(|s| s.end_span)
}
