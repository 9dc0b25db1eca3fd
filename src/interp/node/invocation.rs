//! Calls.

use super::member::{Found, MethodMemory, SuperMemory};
use super::*;
use crate::code::Argument;
use crate::interp::stack::{Window, tick};
use crate::interp::{bind, call, machine};
use crate::source::{Symbol, name};
use crate::value::function::Turn;
use crate::value::native::{Direct, FEW, Rest};
use std::borrow::Cow;

/// The arguments of a call site.
enum Arguments {
    /// Positional ones only.
    Plain(Box<[NodeBox]>),
    /// Positional ones, then keywords.
    Keywords(Box<[NodeBox]>, Box<[Symbol]>),
    /// With `*` or `**`, in order of the text.
    Spread(Box<[Spread]>),
}

enum Spread {
    Positional(NodeBox),
    Star(NodeBox, Span),
    Keyword(Symbol, NodeBox),
    DoubleStar(NodeBox, Span),
}

/// A call site: what to call, and the arguments.
pub struct Invocation {
    callee: Callee,
    args: Arguments,
    span: Span,
}

enum Callee {
    Value(NodeBox),
    Method(MethodCallee),
    /// `super().name`, most of which need not make the object that `super()` gives.
    Super(SuperMemory, MethodCallee),
}

/// `object.name` as what is called.
struct MethodCallee {
    object: NodeBox,
    name: Symbol,
    memory: MethodMemory,
    span: Span,
}

impl Callee {
    /// What to call, and the receiver that goes before the arguments (unset if there is none).
    #[inline(always)]
    fn find(&self, frame: &mut Frame) -> Res<(Value, Value)> {
        match self {
            Callee::Value(node) => Ok((node.eval(frame)?, Value::Unset)),
            Callee::Method(method) => {
                let object = method.object.eval(frame)?;
                method.find(object)
            }
            Callee::Super(memory, method) => match memory.find(frame, method.name) {
                Some(found) => Ok(found),
                None => {
                    let object = method.object.eval(frame)?;
                    method.find(object)
                }
            },
        }
    }
}

impl MethodCallee {
    /// The same for the object that was evaluated.
    #[inline(always)]
    fn find(&self, object: Value) -> Res<(Value, Value)> {
        match self.memory.find(&object, self.name).at(self.span)? {
            Found::Unbound(func) => Ok((func, object)),
            Found::Value(func) => Ok((func, Value::Unset)),
        }
    }
}

/// What a call site gives to call, with its arguments laid out in the window.
struct Ready<'a> {
    func: Value,
    /// Where the arguments begin: at the receiver if there is one, else behind the room for it.
    start: usize,
    /// The positional ones, with the receiver.
    npos: usize,
    /// The names of the others.
    names: Cow<'a, [Symbol]>,
}

impl Invocation {
    /// Evaluates callee and arguments, left to right.
    #[inline(always)]
    fn prepare(&self, frame: &mut Frame, window: &Window) -> Res<Ready<'_>> {
        let (func, receiver) = self.callee.find(frame)?;
        self.lay_out(frame, window, func, receiver)
    }

    /// Evaluates the arguments.
    #[inline(always)]
    fn lay_out(&self, frame: &mut Frame, window: &Window, func: Value, receiver: Value) -> Res<Ready<'_>> {
        let own = usize::from(!receiver.is_unset());
        window.push(receiver)?;
        let mut names = Cow::default();
        let npos = match &self.args {
            Arguments::Plain(nodes) => {
                for node in nodes {
                    let value = node.eval(frame)?;
                    window.push(value)?;
                }
                nodes.len()
            }
            Arguments::Keywords(nodes, keywords) => {
                for node in nodes {
                    let value = node.eval(frame)?;
                    window.push(value)?;
                }
                names = Cow::Borrowed(&**keywords);
                nodes.len() - keywords.len()
            }
            Arguments::Spread(spreads) => self.spread(frame, window, spreads, names.to_mut(), &func)?,
        };
        Ok(Ready {
            func,
            start: 1 - own,
            npos: npos + own,
            names,
        })
    }

    #[inline(never)]
    fn spread(
        &self,
        frame: &mut Frame,
        window: &Window,
        spreads: &[Spread],
        names: &mut Vec<Symbol>,
        func: &Value,
    ) -> Res<usize> {
        // Keyword values wait aside: positional ones after them (`f(a=1, *b)`) go first.
        let aside = &mut Vec::new();
        let is_positional = |s: &&Spread| matches!(s, Spread::Positional(_) | Spread::Star(..));
        let is_alone = spreads.iter().filter(is_positional).count() == 1;
        let mut only = None;
        for spread in spreads {
            match spread {
                Spread::Positional(node) => window.push(node.eval(frame)?)?,
                // The only positional part is iterated when the call begins.
                Spread::Star(node, span) if is_alone => only = Some((node.eval(frame)?, *span)),
                Spread::Star(node, span) => {
                    let value = node.eval(frame)?;
                    bind::push_star(window, &value, func, false).at(*span)?;
                }
                Spread::Keyword(name, node) => {
                    let value = node.eval(frame)?;
                    if names.contains(name) {
                        return Err(bind::repeated_keyword(func, name.text()).at(self.span));
                    }
                    names.push(*name);
                    aside.push(value);
                }
                Spread::DoubleStar(node, span) => {
                    let value = node.eval(frame)?;
                    bind::push_double_star(aside, names, &value, func).at(*span)?;
                }
            }
        }
        if let Some((value, span)) = only {
            bind::push_star(window, &value, func, true).at(span)?;
        }
        let npos = window.len() - 1;
        for value in aside.drain(..) {
            window.push(value)?;
        }
        Ok(npos)
    }

    /// A call with positional arguments only: most calls (benchmarks: compute/fib, richards,
    /// sched/pingpong).
    #[inline(always)]
    fn plain(&self, frame: &mut Frame, nodes: &[NodeBox]) -> Res {
        let (func, receiver) = match &self.callee {
            Callee::Value(node) => {
                let func = node.eval(frame)?;
                match &func {
                    Value::Function(f) if f.shape.simple as usize == nodes.len() => {
                        let window = &Window::open();
                        for node in nodes {
                            let value = node.eval(frame)?;
                            window.push(value)?;
                        }
                        frame.running.set_place(self.span);
                        return call::run_function(f, window, 0).at(self.span);
                    }
                    Value::Native(n)
                        if n.role != NativeRole::Method
                            && let Some(Direct::Call(body, params)) = n.direct(nodes.len()) =>
                    {
                        return self.call_at_once(frame, body, params, Value::Unset, nodes);
                    }
                    _ => (func, Value::Unset),
                }
            }
            Callee::Method(method) => {
                let object = method.object.eval(frame)?;
                match method.memory.direct(&object) {
                    Some(Direct::Call(body, params)) => {
                        return self.call_at_once(frame, body, params, object, nodes);
                    }
                    Some(Direct::WithRest(body, rest)) => {
                        return self.call_with_rest(frame, body, rest, object, nodes);
                    }
                    _ => method.find(object)?,
                }
            }
            Callee::Super(..) => self.callee.find(frame)?,
        };
        self.lay_out_and_call(frame, func, receiver, nodes)
    }

    /// Any other call with positional arguments only.
    #[inline(always)]
    fn lay_out_and_call(&self, frame: &mut Frame, func: Value, receiver: Value, nodes: &[NodeBox]) -> Res {
        let own = usize::from(!receiver.is_unset());
        match &func {
            Value::Function(f) if f.shape.resumable as usize == nodes.len() + own => {
                return self.make_generator(f, receiver, nodes, frame);
            }
            Value::Native(n)
                if own == 0
                    && n.role != NativeRole::Method
                    && let Some(Direct::WithRest(body, rest)) = n.direct(nodes.len()) =>
            {
                return self.call_with_rest(frame, body, rest, receiver, nodes);
            }
            _ => {}
        }
        let window = &Window::open();
        window.push(receiver)?;
        for node in nodes {
            let value = node.eval(frame)?;
            window.push(value)?;
        }
        let ready = Ready {
            func,
            start: 1 - own,
            npos: nodes.len() + own,
            names: Cow::default(),
        };
        self.finish(frame, window, ready)
    }

    /// A call that makes a generator or coroutine: the arguments go where its frame has them
    /// (benchmarks: sched/spawn_gather, taskgroup).
    #[inline(never)]
    fn make_generator(
        &self,
        func: &Ref<Function>,
        receiver: Value,
        nodes: &[NodeBox],
        frame: &mut Frame,
    ) -> Res {
        let mut made = FrameBox::new(func.clone());
        fill_frame(&mut made, receiver, nodes, frame)?;
        frame.running.set_place(self.span);
        Ok(self.made(frame, call::make_generator(made)))
    }

    /// A call of a built-in that takes the receiver, if there is one, and the arguments as they are.
    #[inline(always)]
    fn call_at_once(
        &self,
        frame: &mut Frame,
        body: fn(&[Value]) -> Res,
        params: usize,
        receiver: Value,
        nodes: &[NodeBox],
    ) -> Res {
        let mut args = NO_ARGUMENTS;
        fill(&mut args, frame, receiver, nodes)?;
        frame.running.set_place(self.span);
        match body(&args[..params]) {
            Ok(value) => Ok(self.made(frame, value)),
            Err(raised) => Err(raised.at(self.span)),
        }
    }

    /// The same of a built-in with `*args` (benchmark: sched/call_soon).
    #[inline(never)]
    fn call_with_rest(
        &self,
        frame: &mut Frame,
        body: fn(&[Value]) -> Res,
        rest: Rest,
        receiver: Value,
        nodes: &[NodeBox],
    ) -> Res {
        let own = usize::from(!receiver.is_unset());
        let (nodes, others) = nodes.split_at((rest.place - own).min(nodes.len()));
        let mut args = NO_ARGUMENTS;
        fill(&mut args, frame, receiver, nodes)?;
        let mut items = Vec::with_capacity(others.len());
        for node in others {
            items.push(node.eval(frame)?);
        }
        args[rest.place] = Value::tuple(items);
        frame.running.set_place(self.span);
        let result = body(&args[..rest.params]);
        call::release_rest(&mut args[rest.place]);
        match result {
            Ok(value) => Ok(self.made(frame, value)),
            Err(raised) => Err(raised.at(self.span)),
        }
    }

    /// A coroutine or async generator that a call gives knows where it was made.
    #[inline(always)]
    fn made(&self, frame: &Frame, value: Value) -> Value {
        if let Value::Generator(generator) = &value
            && matches!(
                generator.kind,
                GeneratorKind::Coroutine | GeneratorKind::AsyncGenerator
            )
        {
            generator.set_origin(&frame.func.code, self.span);
        }
        value
    }

    /// A call with every form of argument.
    #[inline(never)]
    fn eval_any(&self, frame: &mut Frame) -> Res {
        let window = Window::open();
        let ready = self.prepare(frame, &window)?;
        self.finish(frame, &window, ready)
    }

    /// `await f(…)`: `Return` if the result is there already, in `frame.result`; else the turn it
    /// takes. A coroutine function's frame is entered without making a coroutine
    /// (benchmark: sched/chain). What the coroutine raises comes up `at` the await.
    pub fn await_call(&self, frame: &mut Frame, at: Span) -> Turn {
        if tick().is_err() {
            return Turn::Raise;
        }
        let (func, receiver) = match &self.callee {
            Callee::Method(method) => {
                let Ok(object) = method.object.eval(frame) else {
                    return Turn::Raise;
                };
                if let Some(Direct::Begin(body, params)) = method.memory.direct(&object)
                    && let Arguments::Plain(nodes) = &self.args
                {
                    return self.begin_at_once(frame, body, params, object, nodes, at);
                }
                match method.find(object) {
                    Ok(found) => found,
                    Err(_) => return Turn::Raise,
                }
            }
            Callee::Value(node) => match node.eval(frame) {
                Ok(func) => (func, Value::Unset),
                Err(_) => return Turn::Raise,
            },
            Callee::Super(..) => match self.callee.find(frame) {
                Ok(found) => found,
                Err(_) => return Turn::Raise,
            },
        };
        if let Arguments::Plain(nodes) = &self.args {
            let npos = nodes.len() + usize::from(!receiver.is_unset());
            match &func {
                Value::Function(f) if f.shape.coroutine as usize == npos => {
                    return self.await_function(func, receiver, nodes, frame, at);
                }
                Value::Native(n) if let Some(Direct::Begin(body, params)) = n.direct(npos) => {
                    return self.begin_at_once(frame, body, params, receiver, nodes, at);
                }
                _ => {}
            }
        }
        match self.await_any(frame, func, receiver, at) {
            Ok(turn) => turn,
            Err(_) => Turn::Raise,
        }
    }

    /// The same of a coroutine function, which its frame then holds.
    #[inline(always)]
    fn await_function(
        &self,
        func: Value,
        receiver: Value,
        nodes: &[NodeBox],
        frame: &mut Frame,
        at: Span,
    ) -> Turn {
        let Some(func) = func.into_function() else {
            unreachable!("the caller has seen it")
        };
        let mut callee = FrameBox::new(func);
        if fill_frame(&mut callee, receiver, nodes, frame).is_err() {
            return Turn::Raise;
        }
        frame.running.set_place(at);
        let turn = machine::run_nested(callee, frame);
        if turn == Turn::Raise {
            drop(Raised::still().at(at));
        }
        turn
    }

    /// Begins a built-in coroutine function that takes the arguments as they are
    /// (benchmark: sched/queue).
    #[inline(never)]
    fn begin_at_once(
        &self,
        frame: &mut Frame,
        body: fn(&[Value]) -> Res<Step>,
        params: usize,
        receiver: Value,
        nodes: &[NodeBox],
        at: Span,
    ) -> Turn {
        let mut args = NO_ARGUMENTS;
        if fill(&mut args, frame, receiver, nodes).is_err() {
            return Turn::Raise;
        }
        frame.running.set_place(at);
        match body(&args[..params]).at(at) {
            Ok(step) => machine::take_step(step, frame),
            Err(_) => Turn::Raise,
        }
    }

    /// The same for every callee and every form of argument.
    #[inline(never)]
    fn await_any(&self, frame: &mut Frame, func: Value, receiver: Value, at: Span) -> Res<Turn> {
        let window = Window::open();
        let ready = self.lay_out(frame, &window, func, receiver)?;
        let Ready {
            func,
            start,
            npos,
            names,
        } = &ready;
        frame.running.set_place(self.span);
        match machine::begin_call(func, &window, *start, *npos, names, frame).at(self.span)? {
            Some(Turn::Raise) => return Err(Raised::still().at(at)),
            Some(turn) => return Ok(turn),
            None => {}
        }
        frame.result = self.finish(frame, &window, ready)?;
        Ok(Turn::Await)
    }

    #[inline(always)]
    fn finish(&self, frame: &mut Frame, window: &Window, ready: Ready) -> Res {
        let Ready {
            func,
            start,
            npos,
            names,
        } = ready;
        let names = &*names;
        frame.running.set_place(self.span);
        let result = match &func {
            Value::Function(f) => call::call_function(f, window, start, npos, names),
            Value::Native(n) => {
                if n.role == NativeRole::Method && start == 1 {
                    crate::interp::argument::check_receiver(n, &window.values(1)[..npos])?;
                }
                match &n.body {
                    NativeBody::Plain(body) if names.is_empty() && n.signature.fits(npos) => {
                        call::call_plain(n, *body, window, start, npos)
                    }
                    _ => call::call_native(n, window, start, npos, names, Some(frame)),
                }
            }
            Value::Class(c) if c.is_super() => call::call_super(frame, window, npos, names),
            other => call::invoke(other, window, npos, names),
        };
        match result {
            Ok(value) => Ok(self.made(frame, value)),
            Err(raised) => Err(raised.at(self.span)),
        }
    }
}

const NO_ARGUMENTS: [Value; FEW] = [const { Value::Unset }; FEW];

/// Fills in the receiver and the values of the nodes, for which there is room. In place: an array
/// that is moved right after it was written has to wait for the processor's stores.
#[inline(always)]
fn fill(args: &mut [Value; FEW], frame: &mut Frame, receiver: Value, nodes: &[NodeBox]) -> Res<()> {
    let own = usize::from(!receiver.is_unset());
    args[0] = receiver;
    for (place, node) in args[own..].iter_mut().zip(nodes) {
        *place = node.eval(frame)?;
    }
    Ok(())
}

/// Fills in the first slots of a frame that has not begun.
#[inline(always)]
fn fill_frame(to: &mut FrameBox, receiver: Value, nodes: &[NodeBox], frame: &mut Frame) -> Res<()> {
    let own = usize::from(!receiver.is_unset());
    if own == 1 {
        to.fill(0, receiver);
    }
    for (place, node) in to.slots()[own..].iter_mut().zip(nodes) {
        let value = node.eval(frame)?;
        // It was unset, which owns nothing: there is nothing to look at.
        std::mem::forget(std::mem::replace(place, value));
    }
    Ok(())
}

impl Node for Invocation {
    #[inline]
    fn eval(&self, frame: &mut Frame) -> Res {
        tick()?;
        frame.running.set_place(self.span); // what its arguments ask for `f_lineno`
        match &self.args {
            Arguments::Plain(nodes) => self.plain(frame, nodes),
            _ => self.eval_any(frame),
        }
    }
}

/// Whether the arguments are positional ones without stars.
fn all_positional(args: &[Argument]) -> bool {
    args.iter().all(|arg| matches!(arg, Argument::Positional(_)))
}

impl Builder<'_> {
    pub fn call(&self, func: &Tree, args: &[Argument], span: Span) -> NodeBox {
        Box::new(self.invocation(func, args, span))
    }

    pub fn invocation(&self, func: &Tree, args: &[Argument], span: Span) -> Invocation {
        let callee = match &func.kind {
            TreeKind::Attribute { object, name } => {
                let method = MethodCallee {
                    object: self.node(object),
                    name: *name,
                    memory: MethodMemory::of_site(all_positional(args).then_some(args.len())),
                    span: func.span,
                };
                match &object.kind {
                    TreeKind::Call { func, args }
                        if args.is_empty()
                            && matches!(func.kind, TreeKind::Load(Place::Global(name)) if name == name::SUPER) =>
                    {
                        Callee::Super(SuperMemory::new(self.node(func)), method)
                    }
                    _ => Callee::Method(method),
                }
            }
            _ => Callee::Value(self.node(func)),
        };
        Invocation {
            callee,
            args: self.argument_nodes(args, span),
            span,
        }
    }

    fn argument_nodes(&self, args: &[Argument], span: Span) -> Arguments {
        let is_keyword = |a: &Argument| matches!(a, Argument::Keyword(..));
        let spread = args
            .iter()
            .any(|a| matches!(a, Argument::Star(_) | Argument::DoubleStar(_)));
        // Keywords before positional arguments only occur with stars.
        if spread || args.windows(2).any(|w| is_keyword(&w[0]) && !is_keyword(&w[1])) {
            let spreads = args.iter().map(|arg| match arg {
                Argument::Positional(t) => Spread::Positional(self.node(t)),
                Argument::Star(t) => Spread::Star(self.node(t), span),
                Argument::Keyword(name, t) => Spread::Keyword(*name, self.node(t)),
                Argument::DoubleStar(t) => Spread::DoubleStar(self.node(t), span),
            });
            return Arguments::Spread(spreads.collect());
        }
        let mut nodes = Vec::new();
        let mut names = Vec::new();
        for arg in args {
            match arg {
                Argument::Positional(t) => nodes.push(self.node(t)),
                Argument::Keyword(name, t) => {
                    names.push(*name);
                    nodes.push(self.node(t));
                }
                Argument::Star(_) | Argument::DoubleStar(_) => unreachable!("handled above"),
            }
        }
        if names.is_empty() {
            Arguments::Plain(nodes.into())
        } else {
            Arguments::Keywords(nodes.into(), names.into())
        }
    }

    /// Arguments of a class statement: positional values and keywords.
    pub fn class_arguments(&self, args: &[Argument], span: Span) -> Invocation {
        Invocation {
            callee: Callee::Value(Box::new(super::name::Const(Value::None))),
            args: self.argument_nodes(args, span),
            span,
        }
    }
}

impl Invocation {
    /// Evaluates only the arguments: positional values, then keywords.
    pub fn arguments(&self, frame: &mut Frame) -> Res<(Vec<Value>, Vec<(Symbol, Value)>)> {
        let window = Window::open();
        let ready = self.prepare(frame, &window)?;
        let mut values = window.drain(ready.start);
        let keywords = values.split_off(ready.npos);
        Ok((values, ready.names.iter().copied().zip(keywords).collect()))
    }
}
