//! `raise`, `try`, `with`, and the pieces of their split forms.

use super::member::key;
use super::name::Store;
use super::*;
use crate::code::Try;
use crate::interp::error::*;
use crate::interp::stack::Window;
use crate::interp::types::{class_name, class_of, shown_name};
use crate::interp::{async_iter, attribute, call, descriptor, group, machine, text};
use crate::source::{Symbol, name};
use crate::value::class::version;
use crate::value::exception::{handled, set_handled};
use crate::value::function::Turn;
use crate::value::native::{Direct, FEW};
use std::cell::Cell;

pub struct Raise {
    pub exc: Option<NodeBox>,
    pub cause: Option<NodeBox>,
    pub span: Span,
}

impl Exec for Raise {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let _ = self.run(frame);
        Flow::Raise
    }
}

impl Raise {
    /// The exception that the statement sends on its way.
    pub fn run(&self, frame: &mut Frame) -> Raised {
        match self.prepare(frame) {
            Ok(raised) | Err(raised) => raised.at(self.span),
        }
    }

    /// What is raised: as asked, or because the statement itself is wrong.
    fn prepare(&self, frame: &mut Frame) -> Res<Raised> {
        let exc = match &self.exc {
            Some(node) => Some(node.eval(frame)?),
            None => None,
        };
        let cause = match &self.cause {
            Some(node) => Some(node.eval(frame)?),
            None => None,
        };
        raise(exc, cause)
    }
}

/// `raise exc from cause`
/// (https://docs.python.org/3/reference/simple_stmts.html#the-raise-statement).
pub fn raise(exc: Option<Value>, cause: Option<Value>) -> Res<Raised> {
    let Some(exc) = exc else {
        return match handled() {
            Some(exception) => Ok(Raised::on(exception)),
            None => Err(runtime_error("No active exception to reraise")),
        };
    };
    let Some(exception) = as_exception(&exc)? else {
        return Err(type_error("exceptions must derive from BaseException"));
    };
    if let Some(cause) = cause {
        let cause = match &cause {
            Value::None => Value::None,
            other => match as_exception(other)? {
                Some(cause) => cause.into(),
                None => return Err(type_error("exception causes must derive from BaseException")),
            },
        };
        exception.cause.set(cause);
        exception.suppress_context.set(true);
    }
    Ok(Raised::new(exception))
}

/// An exception, or an instance of an exception class.
pub fn as_exception(value: &Value) -> Res<Option<Ref<Exception>>> {
    match value {
        Value::Exception(exception) => Ok(Some(Ref::clone(exception))),
        Value::Class(class) if class.layout == Layout::Exception => match &call::call(value, &[])? {
            Value::Exception(exception) => Ok(Some(Ref::clone(exception))),
            other => Err(type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                text::repr(value)?,
                text::repr(&class_of(other).into())?
            ))),
        },
        _ => Ok(None),
    }
}

/// Whether an exception matches `except kind`.
pub fn matches_kind(exception: &Ref<Exception>, kind: &Value) -> Res<bool> {
    match kind {
        Value::Class(class) if class.layout == Layout::Exception => Ok(exception.is_instance(class)),
        Value::Instance(tuple) if matches!(tuple.payload, Value::Tuple(_)) => {
            matches_kind(exception, &tuple.payload)
        }
        Value::Tuple(kinds) => {
            for kind in &kinds.items {
                if !matches!(kind, Value::Class(c) if c.layout == Layout::Exception) {
                    return Err(not_a_kind());
                }
            }
            for kind in &kinds.items {
                if matches_kind(exception, kind)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err(not_a_kind()),
    }
}

fn not_a_kind() -> Raised {
    type_error("catching classes that do not inherit from BaseException is not allowed")
}

/// A structured `try`.
struct TryStatement {
    body: Block,
    handlers: Box<[HandlerNode]>,
    is_star: bool,
    orelse: Block,
    finalbody: Block,
}

struct HandlerNode {
    kind: Option<NodeBox>,
    span: Span,
    name: Option<Store>,
    body: Block,
}

impl Exec for TryStatement {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let mut flow = self.body.exec(frame);
        flow = match flow {
            Flow::Next => self.orelse.exec(frame),
            Flow::Raise if self.is_star => self.star(frame),
            Flow::Raise if !self.handlers.is_empty() => self.except(frame),
            other => other,
        };
        if self.finalbody.is_empty() {
            return flow;
        }
        if flow == Flow::Raise {
            let exception = caught(frame);
            let before = set_handled(Some(exception.clone()));
            let result = self.finalbody.exec(frame);
            set_handled(before);
            return match result {
                Flow::Next => {
                    let _ = Raised::on(exception);
                    Flow::Raise
                }
                other => other,
            };
        }
        let (kept, goto) = (std::mem::take(&mut frame.result), frame.goto);
        match self.finalbody.exec(frame) {
            Flow::Next => {
                frame.result = kept;
                frame.goto = goto;
                flow
            }
            other => other,
        }
    }
}

/// The exception on its way, caught in this frame: its traceback gets the frame's row.
fn caught(frame: &Frame) -> Ref<Exception> {
    Raised::still().leave(&frame.func.code).take()
}

impl TryStatement {
    #[inline(never)]
    fn except(&self, frame: &mut Frame) -> Flow {
        let exception = caught(frame);
        for handler in &self.handlers {
            if let Some(kind) = &handler.kind {
                // The class expression is evaluated while the exception is being handled.
                let before = set_handled(Some(exception.clone()));
                let matched = kind.eval(frame).and_then(|k| matches_kind(&exception, &k));
                set_handled(before);
                match matched.at(handler.span) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(_) => return Flow::Raise,
                }
            }
            if let Some(name) = &handler.name {
                attempt!(name.store(frame, exception.clone().into()));
            }
            let before = set_handled(Some(exception));
            let flow = handler.body.exec(frame);
            set_handled(before);
            if let Some(name) = &handler.name {
                attempt!(name.clear(frame));
            }
            return flow;
        }
        let _ = Raised::on(exception);
        Flow::Raise
    }

    /// `except*` (PEP 654).
    #[inline(never)]
    fn star(&self, frame: &mut Frame) -> Flow {
        let original = caught(frame);
        let mut rest: Option<Ref<Exception>> = Some(original.clone());
        let mut raised: Vec<Value> = Vec::new();
        let before = set_handled(Some(original.clone()));
        for handler in &self.handlers {
            let Some(current) = rest.take() else { break };
            let kind = match &handler.kind {
                Some(node) => node.eval(frame).at(handler.span),
                None => unreachable!("`except*` has a class"),
            };
            let split = kind
                .and_then(|kind| group::split_for_star(&current, &kind))
                .at(handler.span);
            let (matched, left) = match split {
                Ok(parts) => parts,
                Err(_) => {
                    set_handled(before);
                    return Flow::Raise;
                }
            };
            rest = left;
            let Some(matched) = matched else { continue };
            if let Some(name) = &handler.name {
                attempt!(name.store(frame, matched.clone().into()));
            }
            let outer = set_handled(Some(matched));
            let flow = handler.body.exec(frame);
            if flow == Flow::Raise {
                raised.push(caught(frame).into());
            }
            set_handled(outer);
            if let Some(name) = &handler.name {
                attempt!(name.clear(frame));
            }
            if flow != Flow::Next && flow != Flow::Raise {
                set_handled(before);
                return flow;
            }
        }
        set_handled(before);
        match attempt!(group::star_rest(&original, raised, rest)) {
            Some(exception) => {
                let _ = Raised::on(exception);
                Flow::Raise
            }
            None => Flow::Next,
        }
    }
}

/// A structured `with` of one item.
struct With {
    context: NodeBox,
    target: Option<Box<dyn Assignable>>,
    body: Block,
    span: Span,
    memory: ManagerMemory,
}

impl Exec for With {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let manager = attempt!(self.context.eval(frame));
        frame.running.set_place(self.span);
        let (entered, exit) = attempt!(self.memory.enter(&manager, false).at(self.span));
        let assigned = match &self.target {
            Some(target) => target.assign(frame, entered),
            None => {
                drop(entered);
                Ok(())
            }
        };
        let flow = match assigned {
            Ok(()) => self.body.exec(frame),
            Err(_) => Flow::Raise,
        };
        if flow == Flow::Raise {
            let exception = caught(frame);
            let before = set_handled(Some(exception.clone()));
            frame.running.set_place(self.span);
            let suppressed = leave(&exit, Some(&exception))
                .and_then(|r| operator::truth(&r))
                .at(self.span);
            set_handled(before);
            return match suppressed {
                Ok(true) => Flow::Next,
                Ok(false) => {
                    let _ = Raised::on(exception);
                    Flow::Raise
                }
                Err(_) => Flow::Raise,
            };
        }
        let (kept, goto) = (std::mem::take(&mut frame.result), frame.goto);
        frame.running.set_place(self.span);
        drop(attempt!(leave(&exit, None).at(self.span)));
        frame.result = kept;
        frame.goto = goto;
        flow
    }
}

/// The memory of a `with`: what the managers' class holds, if it is a function that binds.
#[derive(Default)]
struct ManagerMemory {
    /// The [`key`] of the manager; 0 if nothing is remembered.
    key: Cell<usize>,
    version: Cell<u32>,
    enter: ValueCell,
    exit: ValueCell,
}

impl ManagerMemory {
    /// Enters a context manager: what `__enter__()` gives, and the bound `__exit__`.
    fn enter(&self, manager: &Value, is_async: bool) -> Res<(Value, Value)> {
        let (enter, exit) = self.methods(manager, is_async)?;
        let entered = call::call_unbound(&enter, manager, &[])?;
        Ok((entered, exit))
    }

    /// Both halves of a context manager: `__enter__` as its class holds it, and the bound `__exit__`.
    #[inline(always)]
    fn methods(&self, manager: &Value, is_async: bool) -> Res<(Value, Value)> {
        let key = key(manager);
        if key != 0 && self.key.get() == key && self.version.get() == version() {
            let exit = descriptor::method(&self.exit.get(), manager);
            return Ok((self.enter.get(), exit));
        }
        self.find(manager, is_async, key)
    }

    #[inline(never)]
    fn find(&self, manager: &Value, is_async: bool, key: usize) -> Res<(Value, Value)> {
        let (enter, exit) = methods(manager, is_async)?;
        let kind = class_of(manager);
        let bound = attribute::bind(&exit, manager, &kind)?;
        if let Value::Method(method) = &bound
            && method.func.is(&exit)
            && method.this.is(manager)
        {
            self.key.set(key);
            self.version.set(version());
            self.enter.set(enter.clone());
            self.exit.set(exit);
        }
        Ok((enter, bound))
    }
}

/// Both halves of a context manager as its class holds them
/// (https://docs.python.org/3/reference/compound_stmts.html#with).
fn methods(manager: &Value, is_async: bool) -> Res<(Value, Value)> {
    let (enter, exit, protocol) = match is_async {
        false => (name::ENTER, name::EXIT, "context manager"),
        true => (name::AENTER, name::AEXIT, "asynchronous context manager"),
    };
    let kind = class_of(manager);
    let wrong = |detail: &str| {
        let message = format!(
            "'{}' object does not support the {protocol} protocol{detail}",
            shown_name(&kind)
        );
        let raised = type_error(message);
        match is_async {
            true if kind.lookup(name::ENTER).is_some() => raised.help("use `with` instead of `async with`"),
            false if kind.lookup(name::AENTER).is_some() => raised.help("use `async with` instead of `with`"),
            _ => raised,
        }
    };
    let Some(enter) = kind.lookup(enter) else {
        return Err(wrong(""));
    };
    let Some(exit) = kind.lookup(exit) else {
        return Err(wrong(if is_async {
            " (missed __aexit__ method)"
        } else {
            " (missed __exit__ method)"
        }));
    };
    Ok((enter, exit))
}

/// Calls a bound `__exit__`.
fn leave(exit: &Value, exception: Option<&Ref<Exception>>) -> Res {
    call::call(exit, &leaving_with(exception))
}

/// The arguments of `__exit__`.
fn leaving_with(exception: Option<&Ref<Exception>>) -> [Value; 3] {
    match exception {
        None => [Value::None, Value::None, Value::None],
        Some(e) => [
            e.class().into(),
            e.clone().into(),
            crate::interp::traceback::of(e),
        ],
    }
}

pub struct Enter {
    context: NodeBox,
    is_async: bool,
    exit: u32,
    span: Span,
    memory: ManagerMemory,
}

impl Enter {
    /// `await` of what this gives, as [`Invocation::await_call`].
    pub fn await_call(&self, frame: &mut Frame) -> Res<Turn> {
        let manager = self.context.eval(frame)?;
        let (enter, exit) = self.memory.methods(&manager, true).at(self.span)?;
        frame.set_local(self.exit, exit);
        await_method(&enter, name::AENTER, manager, &[], frame, self.span)
    }
}

/// Awaits the call of a method that a class holds under a name.
fn await_method(
    method: &Value,
    name: Symbol,
    object: Value,
    args: &[Value],
    frame: &mut Frame,
    span: Span,
) -> Res<Turn> {
    let (Value::Function(_) | Value::Native(_)) = method else {
        frame.result = call::call_unbound(method, &object, args).at(span)?;
        check_awaitable(&frame.result, name).at(span)?;
        return Ok(Turn::Await);
    };
    if let Value::Native(native) = method
        && let Some(Direct::Begin(body, params)) = native.direct(args.len() + 1)
    {
        let mut given = [const { Value::Unset }; FEW];
        given[0] = object;
        given[1..]
            .iter_mut()
            .zip(args)
            .for_each(|(place, arg)| *place = arg.clone());
        frame.running.set_place(span);
        return Ok(machine::take_step(body(&given[..params]).at(span)?, frame));
    }
    let window = Window::open();
    window.push(object)?;
    for arg in args {
        window.push(arg.clone())?;
    }
    match machine::begin_call(method, &window, 0, args.len() + 1, &[], frame).at(span)? {
        Some(Turn::Raise) => Err(Raised::still().at(span)),
        Some(turn) => Ok(turn),
        None => {
            frame.result = match method {
                Value::Function(f) => call::call_function(f, &window, 0, args.len() + 1, &[]).at(span)?,
                Value::Native(n) => call::call_native(n, &window, 0, args.len() + 1, &[], None).at(span)?,
                _ => unreachable!("checked above"),
            };
            check_awaitable(&frame.result, name).at(span)?;
            Ok(Turn::Await)
        }
    }
}

/// What `__aenter__` or `__aexit__` gave can be awaited, or the error says which of them it was.
fn check_awaitable(value: &Value, method: Symbol) -> Res<()> {
    if async_iter::is_awaitable(value) {
        return Ok(());
    }
    Err(type_error(format!(
        "'async with' received an object from {method} that does not implement __await__: {}",
        class_name(value)
    )))
}

impl Node for Enter {
    fn eval(&self, frame: &mut Frame) -> Res {
        let manager = self.context.eval(frame)?;
        frame.running.set_place(self.span);
        let (entered, exit) = self.memory.enter(&manager, self.is_async).at(self.span)?;
        frame.set_local(self.exit, exit);
        Ok(entered)
    }
}

pub struct Exit {
    pub exit: u32,
    pub exc: Option<u32>,
    pub span: Span,
}

impl Exit {
    /// `await` of what this gives, as [`Invocation::await_call`].
    pub fn await_call(&self, frame: &mut Frame) -> Res<Turn> {
        let exit = frame.take_local(self.exit);
        let exception = match self.exc {
            Some(slot) => exception_in(frame, slot),
            None => None,
        };
        let args = leaving_with(exception.as_ref());
        match &exit {
            Value::Method(method) => {
                let this = method.this.clone();
                await_method(&method.func, name::AEXIT, this, &args, frame, self.span)
            }
            other => {
                frame.result = call::call(other, &args).at(self.span)?;
                check_awaitable(&frame.result, name::AEXIT).at(self.span)?;
                Ok(Turn::Await)
            }
        }
    }
}

impl Node for Exit {
    fn eval(&self, frame: &mut Frame) -> Res {
        let exit = frame.take_local(self.exit);
        let exception = match self.exc {
            Some(slot) => exception_in(frame, slot),
            None => None,
        };
        frame.running.set_place(self.span);
        leave(&exit, exception.as_ref()).at(self.span)
    }
}

/// The exception in a slot.
pub fn exception_in(frame: &Frame, slot: u32) -> Option<Ref<Exception>> {
    match frame.local(slot) {
        Value::Exception(exception) => Some(Ref::clone(exception)),
        _ => None,
    }
}

pub struct ExceptMatch {
    pub exc: u32,
    pub kind: NodeBox,
    pub span: Span,
}

impl Node for ExceptMatch {
    fn eval(&self, frame: &mut Frame) -> Res {
        let kind = self.kind.eval(frame)?;
        match exception_in(frame, self.exc) {
            Some(exception) => matches_kind(&exception, &kind).map(Value::bool).at(self.span),
            None => Ok(Value::FALSE),
        }
    }
}

pub struct StarMatch {
    pub rest: u32,
    pub matched: u32,
    pub kind: NodeBox,
    pub span: Span,
}

impl Node for StarMatch {
    fn eval(&self, frame: &mut Frame) -> Res {
        let kind = self.kind.eval(frame)?;
        let Some(current) = exception_in(frame, self.rest) else {
            return Ok(Value::FALSE);
        };
        let (matched, rest) = group::split_for_star(&current, &kind).at(self.span)?;
        let found = matched.is_some();
        let value = |e: Option<Ref<Exception>>| e.map_or(Value::None, Value::from);
        frame.set_local(self.matched, value(matched));
        frame.set_local(self.rest, value(rest));
        Ok(Value::bool(found))
    }
}

pub struct StarRest {
    pub original: u32,
    pub raised: u32,
    pub rest: u32,
}

impl Node for StarRest {
    fn eval(&self, frame: &mut Frame) -> Res {
        let Some(original) = exception_in(frame, self.original) else {
            return Ok(Value::None);
        };
        let raised = match frame.local(self.raised) {
            Value::List(list) => list.items.borrow().clone(),
            _ => Vec::new(),
        };
        let rest = exception_in(frame, self.rest);
        Ok(group::star_rest(&original, raised, rest)?.map_or(Value::None, Value::from))
    }
}

pub struct EnterHandler(pub u32);

impl Exec for EnterHandler {
    fn exec(&self, frame: &mut Frame) -> Flow {
        if let Some(exception) = exception_in(frame, self.0) {
            // What was being handled before waits below, so that leaving puts it back.
            let handling = frame.handling.get_or_insert_default();
            if handling.exceptions.is_empty() {
                handling.outer = handled();
            }
            handling.exceptions.push(exception.clone());
            set_handled(Some(exception));
        }
        Flow::Next
    }
}

pub struct LeaveHandler;

impl Exec for LeaveHandler {
    fn exec(&self, frame: &mut Frame) -> Flow {
        if let Some(handling) = &mut frame.handling {
            handling.exceptions.pop();
            set_handled(handling.exceptions.last().or(handling.outer.as_ref()).cloned());
        }
        Flow::Next
    }
}

impl Builder<'_> {
    pub fn try_statement(&self, it: &Try, _: Span) -> ExecBox {
        let handlers = it
            .handlers
            .iter()
            .map(|clause| HandlerNode {
                kind: self.option(&clause.kind),
                span: clause.span,
                name: clause.name.map(|place| self.store(place, clause.span)),
                body: self.block(&clause.body),
            })
            .collect();
        Box::new(TryStatement {
            body: self.block(&it.body),
            handlers,
            is_star: it.is_star,
            orelse: self.block(&it.orelse),
            finalbody: self.block(&it.finalbody),
        })
    }

    pub fn with_statement(&self, context: &Tree, target: &Option<Target>, body: &[Statement]) -> ExecBox {
        Box::new(With {
            context: self.node(context),
            target: target.as_ref().map(|t| self.target(t)),
            body: self.block(body),
            span: context.span,
            memory: ManagerMemory::default(),
        })
    }

    pub fn enter(&self, context: &Tree, is_async: bool, exit: u32, span: Span) -> NodeBox {
        Box::new(self.entering(context, is_async, exit, span))
    }

    pub fn entering(&self, context: &Tree, is_async: bool, exit: u32, span: Span) -> Enter {
        Enter {
            context: self.node(context),
            is_async,
            exit,
            span,
            memory: ManagerMemory::default(),
        }
    }
}
