//! Exceptions as objects, and the exception that is on its way.
//!
//! Always true: while a [`Raised`] token exists, the exception it stands for is pending; whoever
//! ends the token (`take`) gets it. So an error costs nothing in the return value.

use super::*;
use crate::code::Code;
use crate::source::Span;
use smallvec::SmallVec;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

/// An exception object, of a built-in or a script class.
pub struct Exception {
    pub class: RefCell<Ref<Class>>,
    /// The tuple `args`.
    pub args: ValueCell,
    /// Its `__dict__`.
    pub attrs: Attrs,
    /// What its built-in class and slots keep in the object, by their names.
    pub parts: Attrs,
    pub traceback: Hold<Rc<TraceEntry>>,
    /// `__cause__`
    pub cause: Link,
    /// `__context__`
    pub context: Link,
    pub suppress_context: Cell<bool>,
    /// Its `__del__` ran.
    pub finalised: Cell<bool>,
    pub hint: OnceCell<Box<Hint>>,
}

/// What a person can do about an exception. Neither part is in the message.
pub struct Hint {
    /// Shown in reports.
    pub help: Box<str>,
    /// What CPython adds to the last line of a traceback: `. Did you mean: 'x'?`
    pub added: Box<str>,
}

/// Another exception, or None.
#[derive(Default)]
pub struct Link(Hold<Ref<Exception>>);

impl Link {
    pub fn get(&self) -> Value {
        self.0.get().map_or(Value::None, Value::from)
    }

    /// Links to an exception, or with anything else to nothing.
    pub fn set(&self, value: Value) {
        let before = self.0.replace(match &value {
            Value::Exception(exception) => Some(Ref::clone(exception)),
            _ => None,
        });
        drop(before);
    }
}

impl Dying for Exception {
    fn last_words(&self, revive: impl FnOnce() -> Ref<Self>) -> bool {
        self.class.borrow().has_finaliser() && instance::finalise(&self.finalised, || revive().into())
    }
}

/// One row of a traceback; outermost first, as in Python's `tb_next` chain.
pub struct TraceEntry {
    pub code: Rc<Code>,
    pub span: Span,
    pub next: Hold<Rc<TraceEntry>>,
    /// The frame's variables, once the exception has left it.
    pub left: OnceCell<LeftFrame>,
}

impl TraceEntry {
    pub fn new(code: Rc<Code>, span: Span, next: Option<Rc<TraceEntry>>) -> Rc<TraceEntry> {
        Rc::new(TraceEntry {
            code,
            span,
            next: Hold::new(next),
            left: OnceCell::new(),
        })
    }

    /// Takes over the variables of the frame that it tells of, which does not run any more; `take`
    /// gives them by their slots.
    fn keep(&self, func: &Ref<Function>, take: impl FnMut(usize) -> Value) {
        self.left.get_or_init(|| LeftFrame {
            func: func.clone(),
            slots: RefCell::new((0..func.shape.variables as usize).map(take).collect()),
        });
    }
}

/// The variables of a frame that an exception has left: they live as long as the traceback
/// (https://docs.python.org/3/reference/datamodel.html#traceback-objects).
pub struct LeftFrame {
    pub func: Ref<Function>,
    slots: RefCell<Slots>,
}

type Slots = SmallVec<[Value; 4]>;

impl LeftFrame {
    /// Shows its slots.
    pub fn look<T>(&self, look: impl FnOnce(&[Value]) -> T) -> T {
        look(&self.slots.borrow())
    }

    /// Lets go of its slots.
    pub fn take(&self) -> Slots {
        self.slots.take()
    }
}

impl Drop for TraceEntry {
    fn drop(&mut self) {
        // A long chain is taken apart in a loop, not by recursion; the innermost frame goes first.
        let mut rows = Vec::new();
        let mut next = self.next.take();
        while let Some(row) = next.and_then(|row| Rc::try_unwrap(row).ok()) {
            next = row.next.take();
            rows.push(row);
        }
        while let Some(row) = rows.pop() {
            drop(row);
        }
    }
}

impl Exception {
    pub fn new(class: Ref<Class>, args: Vec<Value>) -> Ref<Exception> {
        Exception::with_args(class, Value::tuple(args))
    }

    /// The same from the tuple `args`.
    pub fn with_args(class: Ref<Class>, args: Value) -> Ref<Exception> {
        Ref::new(Exception {
            class: RefCell::new(class),
            args: ValueCell::new(args),
            attrs: Attrs::default(),
            parts: Attrs::default(),
            traceback: Hold::default(),
            cause: Link::default(),
            context: Link::default(),
            suppress_context: Cell::new(false),
            finalised: Cell::new(false),
            hint: OnceCell::new(),
        })
    }

    pub fn class(&self) -> Ref<Class> {
        self.class.borrow().clone()
    }

    /// `args[i]`, if there are that many.
    pub fn arg(&self, i: usize) -> Option<Value> {
        match &self.args.get() {
            Value::Tuple(args) => args.items.get(i).cloned(),
            _ => None,
        }
    }

    pub fn is_instance(&self, class: &Ref<Class>) -> bool {
        self.class.borrow().is_subclass(class)
    }

    /// Makes it the consequence of another, as `raise ... from` does.
    pub fn follow(&self, cause: &Ref<Exception>) {
        self.cause.set(cause.clone().into());
        self.context.set(cause.clone().into());
        self.suppress_context.set(true);
    }

    /// Adds the row of a frame that the exception leaves (or is caught in) to its traceback.
    pub fn add_trace(&self, code: &Rc<Code>, span: Span) {
        if code.source.is_built_in() {
            return;
        }
        let next = self.traceback.take();
        self.traceback
            .replace(Some(TraceEntry::new(code.clone(), span, next)));
    }
}

/// The token of an exception on its way; the exception itself waits aside.
#[must_use]
#[derive(Debug)]
pub struct Raised(());

/// Where the pending exception came up, as far as the innermost frame knows.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Unknown,
    At(Span),
    /// The frame has let it in before: its row stands in the traceback, or is not due.
    Told,
}

thread_local! {
    static PENDING: RefCell<Option<Ref<Exception>>> = const { RefCell::new(None) };
    /// Where in the innermost frame the pending exception came up.
    static PLACE: Cell<Place> = const { Cell::new(Place::Unknown) };
    /// What is being handled: the exception that bare `raise` raises and that becomes the
    /// `__context__` of new ones.
    static HANDLED: RefCell<Option<Ref<Exception>>> = const { RefCell::new(None) };
}

impl Raised {
    /// Sets an exception on its way. If another one is being handled, it becomes the context.
    #[cold]
    pub fn new(exception: Ref<Exception>) -> Raised {
        // What goes with an old context may run scripts: nothing is borrowed meanwhile.
        if let Some(handled) = handled() {
            exception.come_while(&handled);
        }
        Raised::again(exception)
    }

    /// Sets an exception on its way as it is, its context untouched.
    #[cold]
    pub fn again(exception: Ref<Exception>) -> Raised {
        let before = PENDING.with_borrow_mut(|pending| pending.replace(exception));
        drop(before);
        PLACE.set(Place::Unknown);
        Raised(())
    }

    /// Sets an exception on its way again in the frame that caught it, as a bare `raise`, the end
    /// of a `finally` block or a handler that does not match do: the frame adds no second row.
    #[cold]
    pub fn on(exception: Ref<Exception>) -> Raised {
        let raised = Raised::again(exception);
        PLACE.set(Place::Told);
        raised
    }

    /// Ends the journey: gives the exception.
    #[cold]
    pub fn take(self) -> Ref<Exception> {
        PLACE.set(Place::Unknown);
        PENDING
            .with_borrow_mut(Option::take)
            .expect("a Raised token stands for a pending exception")
    }

    /// The exception, still on its way.
    #[cold]
    pub fn peek(&self) -> Ref<Exception> {
        PENDING
            .with_borrow(|p| p.clone())
            .expect("a Raised token stands for a pending exception")
    }

    /// Notes where in the current frame it came up, unless a smaller place was noted before.
    #[cold]
    pub fn at(self, span: Span) -> Raised {
        if PLACE.get() == Place::Unknown {
            PLACE.set(Place::At(span));
        }
        self
    }

    /// Adds a row to the traceback for the frame that it leaves, unless that has one.
    #[cold]
    pub fn leave(self, code: &Rc<Code>) -> Raised {
        match PLACE.take() {
            Place::At(span) => self.peek().add_trace(code, span),
            Place::Unknown => self.peek().add_trace(code, code.entry()),
            Place::Told => {}
        }
        self
    }

    /// Leaves a frame for good: the row of the traceback takes over the frame's variables, which
    /// `take` gives by their slots.
    #[cold]
    pub fn leave_frame(self, func: &Ref<Function>, take: impl FnMut(usize) -> Value) -> Raised {
        let raised = self.leave(&func.code);
        if let Some(row) = raised.peek().traceback.get()
            && Rc::ptr_eq(&row.code, &func.code)
        {
            row.keep(func, take);
        }
        raised
    }

    /// Adds help for the reader of a report.
    #[cold]
    pub fn help(self, text: impl Into<String>) -> Raised {
        self.hint(text, String::new())
    }

    /// A help, and the same in the words that CPython adds to the last line of a traceback.
    pub fn hint(self, help: impl Into<String>, added: impl Into<String>) -> Raised {
        let (help, added) = (help.into().into(), added.into().into());
        self.peek().hint.get_or_init(|| Box::new(Hint { help, added }));
        self
    }
}

impl Ref<Exception> {
    /// What is being handled while it comes up becomes its context.
    pub fn come_while(&self, handled: &Ref<Exception>) {
        if !handled.is(self) {
            break_cycle(handled, self);
            self.context.set(handled.clone().into());
        }
    }
}

/// If `exception` already stands in the context chain of `handled`, takes it out there, so that
/// the chain stays free of cycles.
fn break_cycle(handled: &Ref<Exception>, exception: &Ref<Exception>) {
    let mut link = handled.clone();
    // A script can build a cycle by hand; the bound keeps this from running for ever.
    for _ in 0..10_000 {
        let Value::Exception(next) = &link.context.get() else {
            return;
        };
        if next.is(exception) {
            link.context.set(Value::None);
            return;
        }
        link = Ref::clone(next);
    }
}

/// A pending exception laid aside while a finaliser runs.
pub struct Aside(Option<Ref<Exception>>, Place);

impl Aside {
    /// The exception that is on its way.
    pub fn exception(&self) -> Option<&Ref<Exception>> {
        self.0.as_ref()
    }
}

pub fn lay_aside() -> Aside {
    Aside(PENDING.with_borrow_mut(Option::take), PLACE.take())
}

/// No pending exception: what a new thread begins with.
pub fn nothing_aside() -> Aside {
    Aside(None, Place::Unknown)
}

pub fn put_back(aside: Aside) {
    let before = PENDING.with_borrow_mut(|p| std::mem::replace(p, aside.0));
    drop(before);
    PLACE.set(aside.1);
}

/// What is being handled.
pub fn handled() -> Option<Ref<Exception>> {
    HANDLED.with_borrow(|h| h.clone())
}

/// Replaces what is being handled; gives what was.
pub fn set_handled(exception: Option<Ref<Exception>>) -> Option<Ref<Exception>> {
    HANDLED.with_borrow_mut(|h| std::mem::replace(h, exception))
}

impl Raised {
    /// The token of the exception that is pending already: for code that keeps "it failed" in a
    /// form of its own for a moment.
    #[inline(always)]
    pub fn still() -> Raised {
        debug_assert!(PENDING.with_borrow(|p| p.is_some()));
        Raised(())
    }
}
