//! A code in runnable form: its states as nodes, and the walk over them.
//!
//! This is the only place that goes from state to state. A synchronous call walks to the end; a
//! resumable frame walks to its next suspension.

use super::error::runtime_error;
use super::iterate;
use super::machine::{self, Item};
use super::node::{Assignable, Block, Builder, Enter, Exit, Flow, Invocation, NodeBox, Raise};
use super::stack::tick;
use super::types::{Type, is_exception};
use crate::code::{Code, CodeKind, Handler, Onward, Terminator, Tree, TreeKind};
use crate::source::Span;
use crate::value::exception::handled;
use crate::value::function::{CallShape, Frame, NOT_STARTED, Program, Turn};
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
    /// Of a suspension: the slot for what it is resumed with, and the state it goes on in.
    into: Option<u32>,
    onward: u32,
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
    Await(Awaited),
    AsyncNext {
        iter: u32,
        done: u32,
    },
    Yield(NodeBox),
    YieldFrom(NodeBox),
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
    /// `async with` begins or ends: its method is called in the same way.
    Enter(Enter),
    Exit(Exit),
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
        let states = self.code.states.iter().map(|state| {
            let (into, onward) = state.end.resumption().unwrap_or((None, 0));
            StateNode {
                body: builder.block(&state.body),
                end: end(&builder, &state.end, state.end_span),
                span: state.end_span,
                handler: state.handler,
                into,
                onward,
            }
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
        Terminator::Await { value, .. } => End::Await(awaited(builder, value)),
        Terminator::AsyncNext { iter, done, .. } => End::AsyncNext {
            iter: *iter,
            done: *done,
        },
        Terminator::Yield { value, .. } => End::Yield(builder.node(value)),
        Terminator::YieldFrom { value, .. } => End::YieldFrom(builder.node(value)),
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
        TreeKind::Enter {
            context,
            is_async: true,
            exit,
        } => Awaited::Enter(builder.entering(context, true, *exit, value.span)),
        TreeKind::Exit { exit, exc } => Awaited::Exit(Exit {
            exit: *exit,
            exc: *exc,
            span: value.span,
        }),
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
            Turn::Return => Ok(std::mem::take(&mut frame.result)),
            Turn::Raise => Err(Raised::still()),
            _ => unreachable!("code that is called does not suspend"),
        }
    }

    fn advance(&self, frame: &mut Frame, state: &mut u32, input: Res) -> Turn {
        // What is rare is a call at the end, so that the common way needs no room on the stack.
        let Some(body) = self.body.get() else {
            return self.build_and_advance(frame, state, input);
        };
        let value = match input {
            Ok(value) => value,
            Err(raised) => return raise_in(body, frame, state, raised),
        };
        if *state == NOT_STARTED {
            *state = 0;
            frame.result = value;
            return walk(body, frame, state);
        }
        let suspended = &body.states[*state as usize];
        *state = suspended.onward;
        match suspended.into {
            Some(slot) => frame.set_local(slot, value),
            None => frame.result = value,
        }
        walk(body, frame, state)
    }
}

impl Unit {
    #[cold]
    #[inline(never)]
    fn build_and_advance(&self, frame: &mut Frame, state: &mut u32, input: Res) -> Turn {
        self.body();
        self.advance(frame, state, input)
    }
}

/// Goes on with an exception from outside.
#[inline(never)]
fn raise_in(body: &Body, frame: &mut Frame, state: &mut u32, raised: Raised) -> Turn {
    if take_in(body, frame, state, raised) {
        walk(body, frame, state)
    } else {
        Turn::Raise
    }
}

/// An exception comes in from outside. Whether the frame goes on.
#[inline(never)]
fn take_in(body: &Body, frame: &mut Frame, state: &mut u32, raised: Raised) -> bool {
    let exception = raised.take();
    if *state == NOT_STARTED {
        drop(thrown(exception));
        return false;
    }
    let suspended = &body.states[*state as usize];
    if let End::AsyncNext { iter, done, .. } = &suspended.end
        && is_exception(&exception, Type::StopAsyncIteration)
    {
        drop(frame.take_local(*iter));
        *state = *done;
        return true;
    }
    drop(thrown(exception).at(suspended.span));
    catch(suspended, frame, state)
}

/// What the frame is handling becomes the exception's context.
fn thrown(exception: Ref<Exception>) -> Raised {
    if exception.context.get().is_none()
        && let Some(handled) = handled()
        && !handled.is(&exception)
    {
        return Raised::new(exception);
    }
    Raised::again(exception)
}

/// Goes to the handler of the state in which the exception on its way came up, if it has one.
#[cold]
#[inline(never)]
fn catch(state: &StateNode, frame: &mut Frame, at: &mut u32) -> bool {
    let Some(handler) = state.handler else {
        return false;
    };
    let exception = Raised::still().leave(&frame.func.code).take();
    frame.set_local(handler.slot, exception.into());
    *at = handler.target;
    true
}

/// Walks from state to state until the frame suspends or ends.
fn walk(body: &Body, frame: &mut Frame, at: &mut u32) -> Turn {
    loop {
        let state = &body.states[*at as usize];
        let turn = match state.body.exec(frame) {
            Flow::Next => step(state, frame, at),
            Flow::Return => return Turn::Return,
            Flow::Goto => {
                let target = frame.goto;
                jump(at, target)
            }
            Flow::Raise => Some(Turn::Raise),
            Flow::Break | Flow::Continue => unreachable!("lowering keeps jumps inside their loops"),
        };
        match turn {
            None => {}
            Some(Turn::Raise) if catch(state, frame, at) => {}
            Some(turn) => return turn,
        }
    }
}

/// Goes on in a state; a jump back counts.
#[inline(always)]
fn jump(at: &mut u32, target: u32) -> Option<Turn> {
    let before = std::mem::replace(at, target);
    if target <= before && tick().is_err() {
        return Some(Turn::Raise);
    }
    None
}

/// Does what the state's terminator says: none to go on, or the turn that ends the walk or raises.
/// The turn's value is left in `frame.result`.
#[inline(always)]
fn step(state: &StateNode, frame: &mut Frame, at: &mut u32) -> Option<Turn> {
    macro_rules! attempt {
        ($result:expr) => {
            match $result {
                Ok(value) => value,
                Err(raised) => return failed(raised, state),
            }
        };
    }
    match &state.end {
        End::Goto(target) => jump(at, *target),
        End::Branch { test, then, orelse } => {
            *at = if attempt!(test.test(frame)) {
                *then
            } else {
                *orelse
            };
            None
        }
        End::Next {
            iter,
            slot,
            target,
            body,
            done,
        } => {
            attempt!(tick());
            // Only this frame's own nodes could change the slot, and none of them runs meanwhile.
            match attempt!(iterate::next(frame.local(*iter))) {
                Some(item) => {
                    match slot {
                        Some(slot) => frame.set_local(*slot, item),
                        None => attempt!(target.assign(frame, item)),
                    }
                    *at = *body;
                }
                None => {
                    drop(frame.take_local(*iter));
                    *at = *done;
                }
            }
            None
        }
        End::Await(value) => {
            let turn = match value {
                Awaited::Call(invocation) => invocation.await_call(frame),
                Awaited::Enter(enter) => attempt!(enter.await_call(frame)),
                Awaited::Exit(exit) => attempt!(exit.await_call(frame)),
                Awaited::Value(node) => {
                    frame.result = attempt!(node.eval(frame));
                    Turn::Await
                }
            };
            match turn {
                Turn::Return => {}
                Turn::Await if is_finished(&mut frame.result) => {}
                Turn::Raise => return failed(Raised::still(), state),
                turn => return Some(turn),
            }
            let value = std::mem::take(&mut frame.result);
            if let Some(slot) = state.into {
                frame.set_local(slot, value);
            }
            *at = state.onward;
            None
        }
        End::AsyncNext { iter, done } => {
            attempt!(tick());
            let item = match frame.local(*iter) {
                Value::Generator(generator) => {
                    let mut value = Value::Unset;
                    let item = machine::next_item(generator, &mut value);
                    frame.result = value;
                    item
                }
                _ => Item::NotNow,
            };
            match item {
                Item::Next => {
                    let value = std::mem::take(&mut frame.result);
                    if let Some(slot) = state.into {
                        frame.set_local(slot, value);
                    }
                    *at = state.onward;
                    None
                }
                Item::End => {
                    drop(frame.take_local(*iter));
                    *at = *done;
                    None
                }
                Item::Suspended(turn) => Some(turn),
                Item::Raise => failed(Raised::still(), state),
                Item::NotNow => {
                    frame.result = frame.local(*iter).clone();
                    Some(Turn::AsyncNext)
                }
            }
        }
        End::Yield(value) => {
            frame.result = attempt!(value.eval(frame));
            Some(Turn::Yield)
        }
        End::YieldFrom(value) => {
            frame.result = attempt!(value.eval(frame));
            Some(Turn::YieldFrom)
        }
        End::Return(value) => {
            frame.result = match value {
                Some(node) => attempt!(node.eval(frame)),
                None => Value::None,
            };
            Some(Turn::Return)
        }
        End::Raise(raise) => failed(raise.run(frame), state),
        End::Reraise(slot) => failed(reraise(frame, *slot), state),
        End::Dispatch { why, ways } => dispatch(state, frame, at, *why, ways),
    }
}

/// An exception came up in a terminator, if at no smaller place then at the whole of it.
#[cold]
fn failed(raised: Raised, state: &StateNode) -> Option<Turn> {
    drop(raised.at(state.span));
    Some(Turn::Raise)
}

/// Whether it is a future that has a result already; then the result takes its place.
#[inline(always)]
fn is_finished(awaited: &mut Value) -> bool {
    let result = match &*awaited {
        Value::Future(future) if future.state.get() == FutureState::Finished && machine::is_plain(future) => {
            future.outcome.get()
        }
        _ => return false,
    };
    *awaited = result;
    true
}

/// Goes on where a `finally` block was entered for.
#[inline(never)]
fn dispatch(state: &StateNode, frame: &mut Frame, at: &mut u32, why: u32, ways: &[Onward]) -> Option<Turn> {
    let Value::Int(way) = frame.take_local(why) else {
        return failed(runtime_error("a finally block lost its way"), state);
    };
    match ways[way as usize] {
        Onward::Goto(target) => {
            let turn = jump(at, target);
            turn.and_then(|_| failed(Raised::still(), state))
        }
        Onward::Reraise(slot) => failed(reraise(frame, slot), state),
        Onward::Return(slot) => {
            frame.result = frame.take_local(slot);
            Some(Turn::Return)
        }
    }
}

/// Raises the exception in a slot again, as it is.
fn reraise(frame: &mut Frame, slot: u32) -> Raised {
    match &frame.take_local(slot) {
        Value::Exception(exception) => Raised::on(Ref::clone(exception)),
        _ => runtime_error("a handler lost its exception"),
    }
}
