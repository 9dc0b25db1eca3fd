//! A code in runnable form: its states as nodes, and the walk over them.
//!
//! This is the only place that goes from state to state. A synchronous call walks to the end; a
//! resumable frame walks to its next suspension.

use super::async_iter;
use super::error::{matches, runtime_error};
use super::finalise;
use super::machine::{self, Item};
use super::node::{Block, Builder, Enter, Exit, Flow, Head, Invocation, NodeBox, Raise};
use super::stack::tick;
use super::types::{Type, is_exception};
use crate::code::{Code, CodeKind, Handler, Onward, State, Terminator, Tree, TreeKind};
use crate::source::{Span, Symbol};
use crate::value::function::{CallShape, Frame, NOT_STARTED, Turn};
use crate::value::*;
use std::cell::{Cell, OnceCell, RefCell};
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

/// Its size is a power of two: the number of the next state becomes its address by a shift.
#[repr(align(64))]
struct StateNode {
    body: Block,
    end: End,
    span: Span,
    /// The state that the terminator belongs to: where the frame stands while it is suspended.
    place: u32,
    handler: Option<Handler>,
    /// Of a suspension: the slot for what it is resumed with, and the state it goes on in.
    into: Option<u32>,
    onward: u32,
}

/// A terminator with its nodes built.
#[repr(u8)]
enum End {
    Goto(u32),
    Branch {
        test: NodeBox,
        then: u32,
        orelse: u32,
    },
    Next {
        iter: u32,
        head: Head,
        body: u32,
        done: u32,
    },
    Await(Awaited),
    AsyncNext {
        iter: u32,
        done: u32,
    },
    /// A local variable, if it is assigned, is read without a call.
    Yield {
        local: Option<u32>,
        value: NodeBox,
    },
    YieldFrom(NodeBox),
    Return(Option<NodeBox>),
    Raise(Raise),
    Reraise(u32),
    Dispatch {
        why: u32,
        ways: Box<[Onward]>,
    },
}

#[repr(u8)]
enum Awaited {
    /// `await f(…)`: a coroutine function's frame is entered without making a coroutine. What it
    /// raises comes up at the await.
    Call(Invocation, Span),
    /// `async with` begins or ends: its method is called in the same way.
    Enter(Enter),
    Exit(Exit),
    Value(NodeBox),
}

impl Unit {
    pub fn new(code: Rc<Code>, module: Ref<Module>) -> Rc<Unit> {
        let may_clean_up = || code.states.iter().any(|state| state.handler.is_some());
        if code.kind == CodeKind::Generator && !code.source.is_library() && may_clean_up() {
            finalise::expect();
        }
        Rc::new(Unit {
            shape: CallShape::of(&code),
            code,
            module,
            body: OnceCell::new(),
        })
    }

    /// A function that runs it.
    pub fn function(
        self: &Rc<Unit>,
        closure: Box<[Ref<VariableCell>]>,
        defaults: Rc<[Value]>,
        kwdefaults: Rc<[(Symbol, Value)]>,
        annotations: Value,
    ) -> Value {
        Ref::new(Function {
            code: self.code.clone(),
            program: ProgramRef::new(self.clone()),
            module: self.module.clone(),
            closure,
            defaults: RefCell::new(defaults),
            kwdefaults: RefCell::new(kwdefaults),
            names: RefCell::new(None),
            annotations: ValueCell::new(annotations),
            attrs: Attrs::default(),
            is_awaitable: Cell::new(false),
            shape: self.shape,
        })
        .into()
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
        let states = self.code.states.iter().enumerate().map(|(number, state)| {
            let (place, last) = self.merged(number, state);
            let (into, onward) = last.end.resumption().unwrap_or((None, 0));
            StateNode {
                body: builder.block(&state.body),
                end: end(&builder, &last.end, last.end_span),
                span: last.end_span,
                place: place as u32,
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
        } => End::Next {
            iter: *iter,
            head: builder.head(target, span),
            body: *body,
            done: *done,
        },
        Terminator::Await { value, .. } => End::Await(awaited(builder, value, span)),
        Terminator::AsyncNext { iter, done, .. } => End::AsyncNext {
            iter: *iter,
            done: *done,
        },
        Terminator::Yield { value, .. } => End::Yield {
            local: builder.local_slot(value),
            value: builder.node(value),
        },
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

fn awaited(builder: &Builder, value: &Tree, span: Span) -> Awaited {
    match &value.kind {
        TreeKind::Call { func, args } => Awaited::Call(builder.invocation(func, args, value.span), span),
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

    fn begin(&self, frame: &mut Frame, state: &mut u32) -> Turn {
        *state = 0;
        walk(self.body(), frame, state)
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
            drop(value);
            return self.begin(frame, state);
        }
        let suspended = &body.states[*state as usize];
        *state = suspended.onward;
        match suspended.into {
            Some(slot) => frame.set_local(slot, value),
            None => drop(value),
        }
        walk(body, frame, state)
    }
}

impl Unit {
    /// The state whose terminator ends a state that only goes on to it: the head of a loop, which
    /// then needs no step of its own (benchmarks: sched/async_gen, compute/generators).
    fn merged<'a>(&'a self, number: usize, state: &'a State) -> (usize, &'a State) {
        if let Terminator::Goto(target) = state.end {
            let target = target as usize;
            let head = &self.code.states[target];
            let is_head = matches!(head.end, Terminator::Next { .. } | Terminator::AsyncNext { .. });
            if is_head && head.body.is_empty() && head.handler == state.handler {
                return (target, head);
            }
        }
        (number, state)
    }

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
    match take_in(body, frame, *state, raised) {
        Some(target) => {
            *state = target;
            walk(body, frame, state)
        }
        None => Turn::Raise,
    }
}

/// An exception comes in from outside: the state that the frame goes on in, if it does.
#[inline(never)]
fn take_in(body: &Body, frame: &mut Frame, state: u32, raised: Raised) -> Option<u32> {
    let exception = raised.take();
    if state == NOT_STARTED {
        drop(Raised::again(exception));
        return None;
    }
    let suspended = &body.states[state as usize];
    if let End::AsyncNext { iter, done, .. } = &suspended.end
        && is_exception(&exception, Type::StopAsyncIteration)
    {
        drop(frame.take_local(*iter));
        return Some(*done);
    }
    drop(Raised::again(exception).at(suspended.span));
    catch(suspended, frame)
}

/// The handler of the state in which the exception on its way came up, if it has one.
#[cold]
#[inline(never)]
fn catch(state: &StateNode, frame: &mut Frame) -> Option<u32> {
    let handler = state.handler?;
    let exception = Raised::still().leave(&frame.func.code).take();
    frame.set_local(handler.slot, exception.into());
    Some(handler.target)
}

/// Walks from state to state until the frame suspends or ends. `place` is where it begins, and
/// where it is left. A turn's value is left in `frame.result`.
fn walk(body: &Body, frame: &mut Frame, place: &mut u32) -> Turn {
    let mut at = *place;
    'walk: loop {
        let state = &body.states[at as usize];
        // One block, not functions that give the next state or a turn: both stay in registers
        // (benchmarks: sched/chain, sched/async_gen).
        let turn = 'step: {
            /// The value, or the exception that came up: if at no smaller place then at the whole
            /// of the terminator.
            macro_rules! attempt {
                ($result:expr) => {
                    match $result {
                        Ok(value) => value,
                        Err(raised) => {
                            drop(raised.at(state.span));
                            break 'step Turn::Raise;
                        }
                    }
                };
            }
            match state.body.exec(frame) {
                Flow::Next => {}
                Flow::Goto => {
                    let target = frame.goto;
                    if target <= at && tick().is_err() {
                        break 'step Turn::Raise;
                    }
                    at = target;
                    continue 'walk;
                }
                Flow::Return => return Turn::Return,
                Flow::Raise => break 'step Turn::Raise,
                Flow::Break | Flow::Continue => unreachable!("lowering keeps jumps inside their loops"),
            }
            at = match &state.end {
                End::Goto(target) => {
                    if *target <= at {
                        attempt!(tick());
                    }
                    *target
                }
                End::Branch { test, then, orelse } => match attempt!(test.test(frame)) {
                    true => *then,
                    false => *orelse,
                },
                End::Next {
                    iter,
                    head,
                    body,
                    done,
                } => {
                    attempt!(tick());
                    frame.running.set_place(state.span);
                    // Only this frame's own nodes could change the slot, and none of them runs
                    // meanwhile.
                    let step = attempt!(head.next(frame.local(*iter)));
                    if attempt!(head.take(frame, step)) {
                        *body
                    } else {
                        drop(frame.take_local(*iter));
                        *done
                    }
                }
                End::Await(awaited) => {
                    match attempt!(begin_await(awaited, frame)) {
                        Turn::Return => {}
                        Turn::Await if is_finished(&mut frame.result) => {}
                        turn => break 'step turn,
                    }
                    go_on(state, frame)
                }
                End::AsyncNext { iter, done } => {
                    attempt!(tick());
                    match async_next(*iter, frame, state.span) {
                        Item::Next => go_on(state, frame),
                        Item::End => {
                            drop(frame.take_local(*iter));
                            *done
                        }
                        Item::Turn(Turn::Raise) => attempt!(Err(Raised::still())),
                        Item::Turn(turn) => break 'step turn,
                        Item::NotNow => unreachable!("then it is a turn"),
                    }
                }
                End::Yield { local, value } => {
                    frame.result = match local.map(|slot| frame.local(slot)) {
                        Some(assigned) if !assigned.is_unset() => assigned.clone(),
                        _ => attempt!(value.eval(frame)),
                    };
                    break 'step Turn::Yield;
                }
                End::YieldFrom(value) => {
                    frame.result = attempt!(value.eval(frame));
                    break 'step Turn::YieldFrom;
                }
                End::Return(value) => {
                    frame.result = match value {
                        Some(node) => attempt!(node.eval(frame)),
                        None => Value::None,
                    };
                    return Turn::Return;
                }
                End::Raise(raise) => attempt!(Err(raise.run(frame))),
                End::Reraise(slot) => attempt!(Err(reraise(frame, *slot))),
                End::Dispatch { why, ways } => match attempt!(dispatch(frame, *why, ways)) {
                    Some(target) => {
                        if target <= at {
                            attempt!(tick());
                        }
                        target
                    }
                    None => return Turn::Return,
                },
            };
            continue 'walk;
        };
        if turn != Turn::Raise {
            *place = state.place;
            return turn;
        }
        match catch(state, frame) {
            Some(target) => at = target,
            None => return Turn::Raise,
        }
    }
}

/// Begins to await: `Return` if the outcome is there already, else the turn it takes.
#[inline(always)]
fn begin_await(awaited: &Awaited, frame: &mut Frame) -> Res<Turn> {
    let turn = match awaited {
        Awaited::Call(invocation, span) => invocation.await_call(frame, *span),
        Awaited::Enter(enter) => enter.await_call(frame)?,
        Awaited::Exit(exit) => exit.await_call(frame)?,
        Awaited::Value(node) => {
            frame.result = node.eval(frame)?;
            Turn::Await
        }
    };
    if turn == Turn::Raise {
        return Err(Raised::still());
    }
    Ok(turn)
}

/// The next item of the async iterator in a slot, if it is there without suspending, or what to await
/// for it; left in `frame.result`.
#[inline(always)]
fn async_next(iter: u32, frame: &mut Frame, span: Span) -> Item {
    if let Value::Generator(generator) = frame.local(iter) {
        let mut value = Value::Unset;
        let item = machine::next_item(generator, &mut value);
        frame.result = value;
        if item != Item::NotNow {
            return item;
        }
    }
    ask_next(iter, frame, span)
}

/// Asks an iterator whose step is not taken at once. A script's `__anext__` is called here, while what
/// the frame handles is being handled. Out of the way of async generators (benchmark: sched/async_gen).
#[cold]
#[inline(never)]
fn ask_next(iter: u32, frame: &mut Frame, span: Span) -> Item {
    let iterator = frame.local(iter).clone();
    if matches!(&iterator, Value::Generator(g) if g.kind == GeneratorKind::AsyncGenerator) {
        frame.result = iterator;
        return Item::Turn(Turn::AsyncNext);
    }
    frame.running.set_place(span);
    match async_iter::anext(&iterator) {
        Ok(awaitable) => {
            frame.result = awaitable;
            Item::Turn(Turn::Await)
        }
        Err(raised) if matches(&raised, Type::StopAsyncIteration) => {
            drop(raised.take());
            Item::End
        }
        Err(_) => Item::Turn(Turn::Raise),
    }
}

/// What a suspension waited for is there already, in `frame.result`: the state it goes on in.
#[inline(always)]
fn go_on(state: &StateNode, frame: &mut Frame) -> u32 {
    let value = std::mem::take(&mut frame.result);
    if let Some(slot) = state.into {
        frame.set_local(slot, value);
    }
    state.onward
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

/// Goes on where a `finally` block was entered for: the next state, or none to return.
#[inline(never)]
fn dispatch(frame: &mut Frame, why: u32, ways: &[Onward]) -> Res<Option<u32>> {
    let Value::Int(way) = frame.take_local(why) else {
        return Err(runtime_error("a finally block lost its way"));
    };
    match ways[way as usize] {
        Onward::Goto(target) => Ok(Some(target)),
        Onward::Reraise(slot) => Err(reraise(frame, slot)),
        Onward::Return(slot) => {
            frame.result = frame.take_local(slot);
            Ok(None)
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
