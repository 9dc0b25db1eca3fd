//! Suspended calls: generators, coroutines and async generators.

use super::*;
use crate::source::Span;
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GeneratorKind {
    Generator,
    Coroutine,
    AsyncGenerator,
    /// What `asend()`, `__await__()` and the like give: awaited or iterated once, then gone.
    Awaitable,
}

/// Where a generator stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    Created,
    Suspended,
    Running,
    Closed,
}

/// A generator, coroutine or async generator object. It holds the whole stack of frames that is
/// suspended in it: its own at the bottom, what it awaits above.
pub struct Generator {
    pub kind: GeneratorKind,
    pub progress: Cell<Progress>,
    /// Its result was awaited, sent to, or closed at least once.
    pub started: Cell<bool>,
    /// A generator whose frames are on the stack of whoever awaits it.
    pub lent: Cell<bool>,
    /// An async generator that an `asend()`, `athrow()` or `aclose()` is running.
    pub busy: Cell<bool>,
    /// An async generator known to its event loop.
    pub hooked: Cell<bool>,
    pub stack: RefCell<Vec<Activation>>,
    /// The function it runs: a script function or a built-in one.
    pub func: Value,
    /// `__name__` and `__qualname__` after a script changed them.
    pub names: RefCell<Option<Box<(Value, Value)>>>,
    /// Where it was made: the call's place, for a coroutine.
    pub origin: RefCell<Option<Box<(std::rc::Rc<crate::code::Code>, Span)>>>,
    /// The event loop that shuts down an async generator, once it has begun.
    pub finalizer: ValueCell,
}

impl Generator {
    pub fn new(kind: GeneratorKind, func: Value, first: Activation) -> Generator {
        // A coroutine that waits has at least what it waits for above it.
        let mut stack = Vec::with_capacity(if kind == GeneratorKind::Coroutine { 2 } else { 1 });
        stack.push(first);
        Generator {
            kind,
            progress: Cell::new(Progress::Created),
            started: Cell::new(false),
            lent: Cell::new(false),
            busy: Cell::new(false),
            hooked: Cell::new(false),
            stack: RefCell::new(stack),
            func,
            names: RefCell::default(),
            origin: RefCell::default(),
            finalizer: ValueCell::default(),
        }
    }

    /// Notes where the coroutine was made: the call that "was never awaited".
    pub fn set_origin(&self, code: &std::rc::Rc<crate::code::Code>, span: Span) {
        *self.origin.borrow_mut() = Some(Box::new((code.clone(), span)));
    }
}

thread_local! {
    /// What to do with a generator that is dropped before its end; set by the interpreter.
    pub static ABANDON: Cell<Option<fn(Ref<Generator>)>> = const { Cell::new(None) };
}

impl Dying for Generator {
    fn last_words(&self, revive: impl FnOnce() -> Ref<Self>) -> bool {
        if self.hooked.get() {
            roster::leave_generator(self);
        }
        if self.progress.get() == Progress::Closed {
            return false;
        }
        let needed = match self.kind {
            GeneratorKind::Coroutine => true,
            _ => self.progress.get() == Progress::Suspended,
        };
        match ABANDON.get() {
            Some(abandon) if needed => {
                abandon(revive());
                true
            }
            _ => false,
        }
    }
}

/// One entry of a stack of suspended frames.
pub enum Activation {
    Script(Box<ScriptFrame>),
    /// A built-in coroutine that was called and not begun.
    Start(Ref<Native>, Box<[Value]>),
    /// Gives way for one pass, then returns the value.
    Pass(Value),
    /// Waits for a future, then returns its result.
    Wait(Ref<Future>),
    /// Delegates to an iterator: `__await__`, `yield from`.
    Delegate(Value),
    Native(Box<dyn NativeCoroutine>),
    /// Awaits the value as soon as it is resumed: `coroutine.__await__()`.
    Begin(Value),
    /// A step of an async generator that was asked for and not begun.
    AsyncStep(Ref<Generator>, AsyncStep),
    /// Waits for an async generator to end after its `aclose()`.
    Closing(Ref<Generator>),
    /// `anext(iterator, default)`: what is awaited above, or the default at the iterator's end.
    Default(Value),
}

/// What an async generator is to do: `asend`, `athrow`, `aclose`.
pub enum AsyncStep {
    Send(Value),
    Throw(Ref<Exception>),
    Close,
}

/// A suspended script frame.
pub struct ScriptFrame {
    pub func: Ref<Function>,
    pub state: u32,
    pub slots: Box<[Value]>,
    pub handling: Vec<Ref<Exception>>,
    /// What its awaiter is handling.
    pub inherited: Option<Ref<Exception>>,
    /// The generator object it belongs to, while it runs on another one's stack.
    pub owner: Option<Ref<Generator>>,
}

/// A built-in coroutine with more than one wait: a state machine by hand.
pub trait NativeCoroutine {
    /// Goes on with the result of what it waited for (None at the start).
    fn resume(&mut self, input: Resume) -> Res<Step>;
    /// What it is called in tracebacks and reports.
    fn name(&self) -> &'static str;
}

pub use super::function::Resume;

/// What a built-in coroutine does next.
pub enum Step {
    Return(Value),
    /// Gives way for one pass, then returns the value.
    Pass(Value),
    /// Waits for a future; its outcome is the coroutine's.
    Wait(Ref<Future>),
    /// Awaits something and is resumed with its outcome.
    Await(Value),
    /// Goes on as this state machine.
    Become(Box<dyn NativeCoroutine>),
}
