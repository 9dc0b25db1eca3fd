//! Calls.

use super::member::{Found, MethodMemory};
use super::*;
use crate::code::Argument;
use crate::interp::call;
use crate::interp::stack::{Window, tick};
use crate::source::Symbol;

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
}

/// `object.name` as what is called.
struct MethodCallee {
    object: NodeBox,
    name: Symbol,
    memory: MethodMemory,
    span: Span,
}

impl MethodCallee {
    /// What to call, and whether the receiver was pushed before the arguments.
    #[inline(always)]
    fn find(&self, frame: &mut Frame, window: &Window) -> Res<(Value, bool)> {
        let object = self.object.eval(frame)?;
        match self.memory.find(&object, self.name).at(self.span)? {
            Found::Unbound(func) => {
                window.push(object)?;
                Ok((func, true))
            }
            Found::Value(func) => {
                window.push(Value::Unset)?;
                Ok((func, false))
            }
        }
    }
}

/// What a call site gives to call, with its arguments laid out in the window.
struct Ready {
    func: Value,
    /// Whether the receiver stands before the arguments.
    is_method: bool,
    npos: usize,
}

impl Invocation {
    /// Evaluates callee and arguments, left to right. `names` gets the names of keywords.
    #[inline(always)]
    fn prepare(&self, frame: &mut Frame, window: &Window, names: &mut Vec<Symbol>) -> Res<Ready> {
        let (func, is_method) = match &self.callee {
            Callee::Value(node) => {
                let func = node.eval(frame)?;
                window.push(Value::Unset)?;
                (func, false)
            }
            Callee::Method(method) => method.find(frame, window)?,
        };
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
                names.extend_from_slice(keywords);
                nodes.len() - keywords.len()
            }
            Arguments::Spread(spreads) => self.spread(frame, window, spreads, names, &func)?,
        };
        Ok(Ready {
            func,
            is_method,
            npos,
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
        for spread in spreads {
            match spread {
                Spread::Positional(node) => window.push(node.eval(frame)?)?,
                Spread::Star(node, span) => {
                    let value = node.eval(frame)?;
                    call::push_star(window, &value, func).at(*span)?;
                }
                Spread::Keyword(name, node) => {
                    let value = node.eval(frame)?;
                    if names.contains(name) {
                        return Err(call::repeated_keyword(func, *name).at(self.span));
                    }
                    names.push(*name);
                    aside.push(value);
                }
                Spread::DoubleStar(node, span) => {
                    let value = node.eval(frame)?;
                    call::push_double_star(aside, names, &value, func).at(*span)?;
                }
            }
        }
        let npos = window.len() - 1;
        for value in aside.drain(..) {
            window.push(value)?;
        }
        Ok(npos)
    }

    /// A call with positional arguments only: most calls (benchmarks: compute/fib, richards).
    #[inline(always)]
    fn plain(&self, frame: &mut Frame, window: &Window, nodes: &[NodeBox]) -> Res {
        let (func, is_method) = match &self.callee {
            Callee::Value(node) => {
                let func = node.eval(frame)?;
                if let Value::Function(f) = &func
                    && f.shape.simple as usize == nodes.len()
                {
                    for node in nodes {
                        let value = node.eval(frame)?;
                        window.push(value)?;
                    }
                    return call::run_function(f, window, 0).at(self.span);
                }
                window.push(Value::Unset)?;
                (func, false)
            }
            Callee::Method(method) => method.find(frame, window)?,
        };
        for node in nodes {
            let value = node.eval(frame)?;
            window.push(value)?;
        }
        self.finish(
            frame,
            window,
            Ready {
                func,
                is_method,
                npos: nodes.len(),
            },
            &[],
        )
    }

    /// For `await f(…)`: the callee's frame or beginning if it is a coroutine function, else the
    /// value of the call.
    pub fn begin(&self, frame: &mut Frame) -> Res<Begun> {
        tick()?;
        let window = Window::open();
        let mut names = Vec::new();
        let ready = self.prepare(frame, &window, &mut names)?;
        let start = usize::from(!ready.is_method);
        let npos = ready.npos + usize::from(ready.is_method);
        if let Some(callee) = call::coroutine_frame(&ready.func, &window, start, npos, &names).at(self.span)?
        {
            return Ok(Begun::Frame(callee));
        }
        if let Some(step) = call::begin_native(&ready.func, &window, start, npos, &names).at(self.span)? {
            return Ok(Begun::Step(step));
        }
        self.finish(frame, &window, ready, &names).map(Begun::Value)
    }

    #[inline(always)]
    fn finish(&self, frame: &mut Frame, window: &Window, ready: Ready, names: &[Symbol]) -> Res {
        let npos = ready.npos;
        let result = if ready.is_method {
            match &ready.func {
                Value::Function(f) => call::call_function(f, window, 0, npos + 1, names),
                Value::Native(n) => call::call_native(n, window, 0, npos + 1, names, Some(frame)),
                _ => unreachable!("methods are functions"),
            }
        } else {
            match &ready.func {
                Value::Function(f) => call::call_function(f, window, 1, npos, names),
                Value::Native(n) => {
                    if n.role == NativeRole::Method {
                        crate::interp::argument::check_receiver(n, &window.values(1)[..npos])?;
                    }
                    call::call_native(n, window, 1, npos, names, Some(frame))
                }
                Value::Class(c) if c.is_super() => call::call_super(frame, window, npos),
                other => call::invoke(other, window, npos, names),
            }
        };
        match result {
            Ok(value) => {
                if let Value::Generator(generator) = &value
                    && generator.kind == GeneratorKind::Coroutine
                    && generator.origin.borrow().is_none()
                {
                    generator.set_origin(&frame.func.code, self.span);
                }
                Ok(value)
            }
            Err(raised) => Err(raised.at(self.span)),
        }
    }
}

/// How `await f(…)` begins.
pub enum Begun {
    Frame(Box<ScriptFrame>),
    Step(Step),
    Value(Value),
}

impl Node for Invocation {
    #[inline]
    fn eval(&self, frame: &mut Frame) -> Res {
        tick()?;
        let window = Window::open();
        if let Arguments::Plain(nodes) = &self.args {
            return self.plain(frame, &window, nodes);
        }
        let mut names = Vec::new();
        let ready = self.prepare(frame, &window, &mut names)?;
        self.finish(frame, &window, ready, &names)
    }
}

impl Builder<'_> {
    pub fn call(&self, func: &Tree, args: &[Argument], span: Span) -> NodeBox {
        Box::new(self.invocation(func, args, span))
    }

    pub fn invocation(&self, func: &Tree, args: &[Argument], span: Span) -> Invocation {
        let callee = match &func.kind {
            TreeKind::Attribute { object, name } => Callee::Method(MethodCallee {
                object: self.node(object),
                name: *name,
                memory: MethodMemory::default(),
                span: func.span,
            }),
            _ => Callee::Value(self.node(func)),
        };
        Invocation {
            callee,
            args: self.arguments(args),
            span,
        }
    }

    fn arguments(&self, args: &[Argument]) -> Arguments {
        let is_keyword = |a: &Argument| matches!(a, Argument::Keyword(..));
        let spread = args
            .iter()
            .any(|a| matches!(a, Argument::Star(_) | Argument::DoubleStar(_)));
        // Keywords before positional arguments only occur with stars.
        if spread || args.windows(2).any(|w| is_keyword(&w[0]) && !is_keyword(&w[1])) {
            let spreads = args.iter().map(|arg| match arg {
                Argument::Positional(t) => Spread::Positional(self.node(t)),
                Argument::Star(t) => Spread::Star(self.node(t), t.span),
                Argument::Keyword(name, t) => Spread::Keyword(*name, self.node(t)),
                Argument::DoubleStar(t) => Spread::DoubleStar(self.node(t), t.span),
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
            args: self.arguments(args),
            span,
        }
    }
}

impl Invocation {
    /// Evaluates only the arguments: positional values, then keywords.
    pub fn arguments(&self, frame: &mut Frame) -> Res<(Vec<Value>, Vec<(Symbol, Value)>)> {
        let window = Window::open();
        let mut names = Vec::new();
        let ready = self.prepare(frame, &window, &mut names)?;
        let mut values = window.drain(1);
        let keywords = values.split_off(ready.npos);
        Ok((values, names.into_iter().zip(keywords).collect()))
    }
}
