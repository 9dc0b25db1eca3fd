//! Suspended calls: generators, coroutines and async generators.

use super::*;
use crate::code::Code;
use crate::source::Span;
use smallvec::SmallVec;
use std::cell::{Cell, OnceCell, RefCell, UnsafeCell};
use std::ptr::NonNull;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GeneratorKind {
    Generator,
    Coroutine,
    AsyncGenerator,
    /// Awaited or iterated once, then gone.
    Awaitable(Awaitable),
}

/// What gives an object that is only there to be awaited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaitable {
    /// `asend()` and `__anext__()` of an async generator.
    Asend,
    /// `athrow()` and `aclose()`.
    Athrow,
    /// `anext(iterator, default)`
    Anext,
    /// `coroutine.__await__()`
    Wrapper,
    /// `iter(future)`, which may be asked again when it has ended.
    FutureIter,
}

impl Awaitable {
    /// Whether it is the iterator that an awaitable gave, and cannot be awaited itself.
    pub fn is_iterator(self) -> bool {
        matches!(self, Awaitable::Wrapper | Awaitable::FutureIter)
    }
}

impl GeneratorKind {
    #[inline]
    pub fn is_awaitable(self) -> bool {
        matches!(self, GeneratorKind::Awaitable(_))
    }
}

/// Where a generator stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    Created,
    Suspended,
    Running,
    Closed,
}

/// The frames of a generator that runs: its own at the bottom, what it awaits above.
pub type Stack = Vec<Activation>;

/// The same while it is suspended. Most have one, which takes no memory of its own.
type Resting = SmallVec<[Activation; 1]>;

/// Room for so many frames in a stack that begins to grow.
const USUAL: usize = 4;

/// A generator, coroutine or async generator object. It holds the whole stack of frames that is
/// suspended in it.
pub struct Generator {
    pub kind: GeneratorKind,
    pub progress: Cell<Progress>,
    /// Its result was awaited, sent to, or closed at least once.
    pub started: Cell<bool>,
    /// A generator whose frames are on the stack of whoever awaits it.
    pub lent: Cell<bool>,
    /// An async generator that an `asend()`, `athrow()` or `aclose()` is running.
    pub busy: Cell<bool>,
    /// An async generator that an `aclose()` has begun to close: nothing else may, not even its loop.
    pub closing: Cell<bool>,
    /// An async generator known to its event loop.
    pub hooked: Cell<bool>,
    stack: UnsafeCell<Resting>,
    /// The function it runs: a script function or a built-in one; of an [`Awaitable`], what it was made
    /// of, or None.
    pub func: Value,
    /// Where it was made: the call's place, for a coroutine.
    origin: Cell<Option<Rc<Code>>>,
    origin_span: Cell<Span>,
    rare: OnceCell<Box<Rare>>,
}

/// What few generators have.
#[derive(Default)]
struct Rare {
    /// `__name__` and `__qualname__` after a script changed them.
    names: RefCell<Option<(Value, Value)>>,
    /// The event loop that shuts down an async generator, once it has begun.
    finalizer: ValueCell,
    /// The generator on whose stack its frame stands.
    holder: weak::Pointer,
    /// What a stand-in awaits.
    awaits: ValueCell,
    /// The calls that ran when it was made, if that was to be noted.
    calls: ValueCell,
}

impl Generator {
    pub fn new(kind: GeneratorKind, func: Value, first: Activation) -> Generator {
        let mut stack = Resting::new();
        stack.push(first);
        Generator::with_stack(kind, func, stack)
    }

    /// The object of a frame that has been running without one, on another generator's stack.
    pub fn lent(kind: GeneratorKind, func: Value) -> Generator {
        let made = Generator::with_stack(kind, func, Resting::new());
        made.progress.set(Progress::Running);
        made.started.set(true);
        made.lent.set(true);
        made
    }

    /// An object that shows a built-in coroutine on another generator's stack, and what that awaits.
    pub fn stand_in(func: Value, awaits: Value) -> Generator {
        let made = Generator::with_stack(GeneratorKind::Coroutine, func, Resting::new());
        made.progress.set(Progress::Closed);
        made.rare().awaits.set(awaits);
        made
    }

    #[inline(always)]
    fn with_stack(kind: GeneratorKind, func: Value, stack: Resting) -> Generator {
        Generator {
            kind,
            progress: Cell::new(Progress::Created),
            started: Cell::new(false),
            lent: Cell::new(false),
            busy: Cell::new(false),
            closing: Cell::new(false),
            hooked: Cell::new(false),
            stack: UnsafeCell::new(stack),
            func,
            origin: Cell::new(None),
            origin_span: Cell::new(Span::default()),
            rare: OnceCell::new(),
        }
    }

    /// Notes where the coroutine was made, unless that is known: the call that "was never
    /// awaited". The program's own calls go before those of the library on its behalf.
    #[inline]
    pub fn set_origin(&self, code: &Rc<Code>, span: Span) {
        let before = self.origin.take();
        if before.as_ref().is_some_and(|known| !known.source.is_library()) {
            self.origin.set(before);
        } else {
            self.origin.set(Some(code.clone()));
            self.origin_span.set(span);
        }
    }

    /// The same of what a loop is given that the program did not make, as `asyncio.as_completed` gives it.
    #[inline(always)]
    pub fn set_origin_in_loop(item: &Value, code: &Rc<Code>, head: Span) {
        if let Value::Generator(generator) = item
            && generator.kind == GeneratorKind::Coroutine
            && generator
                .origin()
                .is_none_or(|(made, _)| made.source.is_library())
        {
            generator.set_origin(code, code.source.on_first_line(head));
        }
    }

    /// Where it was made, if that was noted.
    pub fn origin(&self) -> Option<(Rc<Code>, Span)> {
        let code = self.origin.take();
        self.origin.set(code.clone());
        code.map(|code| (code, self.origin_span.get()))
    }

    /// The calls that ran when it was made; unset if they were not to be noted.
    pub fn calls(&self) -> Value {
        self.rare.get().map_or(Value::Unset, |rare| rare.calls.get())
    }

    pub fn set_calls(&self, calls: Value) {
        self.rare().calls.set(calls);
    }

    /// `__name__` and `__qualname__` after a script changed them.
    pub fn names(&self) -> Option<(Value, Value)> {
        self.rare.get().and_then(|rare| rare.names.borrow().clone())
    }

    pub fn set_names(&self, names: (Value, Value)) {
        let before = self.rare().names.borrow_mut().replace(names);
        drop(before);
    }

    /// The event loop that shuts down an async generator; unset if none knows it, None once it was
    /// asked to.
    pub fn finalizer(&self) -> Value {
        self.rare.get().map_or(Value::Unset, |rare| rare.finalizer.get())
    }

    pub fn set_finalizer(&self, event_loop: Value) {
        self.rare().finalizer.set(event_loop);
    }

    /// What a stand-in awaits; none for anything else.
    pub fn awaits(&self) -> Option<Value> {
        let awaits = self.rare.get()?.awaits.get();
        (!awaits.is_unset()).then_some(awaits)
    }

    /// Notes on whose stack its frame stands.
    pub fn set_holder(&self, holder: &Ref<Generator>) {
        self.rare().holder.set(&holder.clone().into());
    }

    /// On whose stack its frame stands, if that was noted.
    pub fn holder(&self) -> Option<Ref<Generator>> {
        match self.rare.get()?.holder.get()? {
            Value::Generator(ref holder) => Some(Ref::clone(holder)),
            _ => None,
        }
    }

    fn rare(&self) -> &Rare {
        self.rare.get_or_init(Box::default)
    }

    #[inline(always)]
    fn take(&self) -> Resting {
        // SAFETY: no reference into the stack outlives the functions of this type.
        unsafe { std::mem::take(&mut *self.stack.get()) }
    }

    /// Takes its frames out; whoever runs them puts them back.
    #[inline(always)]
    pub fn take_stack(&self) -> Stack {
        let resting = self.take();
        if resting.spilled() {
            return resting.into_vec();
        }
        let mut stack = Stack::with_capacity(USUAL);
        stack.extend(resting);
        stack
    }

    #[inline(always)]
    pub fn put_stack(&self, stack: Stack) {
        // SAFETY: as in `take`; the old stack is dropped after the new one is in place.
        drop(unsafe { std::mem::replace(&mut *self.stack.get(), Resting::from_vec(stack)) });
    }

    /// Puts its frames on top of another stack.
    pub fn lend_stack(&self, to: &mut Stack) {
        to.extend(self.take());
    }

    /// Lets go of its frames.
    #[inline(always)]
    pub fn drop_stack(&self) {
        drop(self.take());
    }

    /// Takes the topmost frame out.
    pub fn pop(&self) -> Option<Activation> {
        // SAFETY: as in `take`.
        unsafe { (*self.stack.get()).pop() }
    }

    /// Adds a frame on top.
    pub fn push(&self, activation: Activation) {
        // SAFETY: as in `take`.
        unsafe { (*self.stack.get()).push(activation) }
    }

    /// The only frame, if it is a script's, where it stands. Running it there is sound as long as
    /// `progress` is `Running`: nobody else looks at the frames of a running generator, and only
    /// the runner ends that state.
    #[inline(always)]
    pub fn only_frame(&self) -> Option<NonNull<ScriptFrame>> {
        // SAFETY: as in `take`; the frame has an address of its own.
        match unsafe { &mut (&mut *self.stack.get())[..] } {
            [Activation::Script(frame)] => Some(frame.pointer()),
            _ => None,
        }
    }

    /// The same of a generator or coroutine, if the frame is not another object's.
    #[inline(always)]
    pub fn own_frame(&self) -> Option<NonNull<ScriptFrame>> {
        let is_simple = matches!(self.kind, GeneratorKind::Generator | GeneratorKind::Coroutine);
        // SAFETY: as in `take`.
        match unsafe { &mut (&mut *self.stack.get())[..] } {
            [Activation::Script(frame)] if is_simple && frame.owner.is_none() => Some(frame.pointer()),
            _ => None,
        }
    }

    /// Brings its only frame near: it will be resumed soon.
    #[inline(always)]
    pub fn prefetch_frame(&self) {
        if let Some(frame) = self.only_frame() {
            prefetch::prefetch(frame.cast::<[u8; 128]>()); // with its first slots
        }
    }

    /// Looks at the suspended frames, bottom first; there are none to see while it runs. `look`
    /// must run no script.
    pub fn look<T>(&self, look: impl FnOnce(&[Activation]) -> T) -> T {
        if self.progress.get() == Progress::Running {
            return look(&[]);
        }
        // SAFETY: it is not running, and `look` runs nothing that could start it.
        look(unsafe { &*self.stack.get() })
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
            GeneratorKind::AsyncGenerator if self.hooked.get() => true,
            // A step that was never awaited.
            GeneratorKind::Awaitable(Awaitable::Asend | Awaitable::Athrow)
                if self.progress.get() == Progress::Created =>
            {
                self.look(|stack| matches!(stack, [Activation::AsyncStep(_)]))
            }
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

/// One entry of a stack of suspended frames. One word and a tag: what is rare is boxed.
pub enum Activation {
    Script(FrameBox),
    /// A built-in coroutine that was called and not begun.
    Start(Box<(Ref<Native>, Box<[Value]>)>),
    /// Gives way for one pass, then returns the value.
    Pass(Box<Value>),
    /// Waits for a future, then returns its result: for what is below it and no script frame.
    Wait(Ref<Future>),
    /// Delegates to an iterator: `__await__`, `yield from`.
    Delegate(Box<Value>),
    Native(Box<Box<dyn NativeCoroutine>>),
    /// Awaits the value as soon as it is resumed: `coroutine.__await__()`.
    Begin(Box<Value>),
    /// A step of an async generator that was asked for and not begun.
    AsyncStep(Box<(Ref<Generator>, AsyncStep)>),
    /// Waits for an async generator to end after its `aclose()`.
    Closing(Ref<Generator>),
    /// Waits for what an async generator makes of its `athrow()`.
    Throwing(Ref<Generator>),
    /// `anext(iterator, default)`: what is awaited above, or the default at the iterator's end.
    Default(Box<Value>),
}

/// What an async generator is to do: `asend`, `athrow`, `aclose`.
pub enum AsyncStep {
    Send(Value),
    /// The arguments of `athrow`, which are looked at when it begins.
    Throw(Box<[Value]>),
    Close,
}

impl AsyncStep {
    /// The method that gives it.
    pub fn method(&self) -> &'static str {
        match self {
            AsyncStep::Send(_) => "asend",
            AsyncStep::Throw(_) => "athrow",
            AsyncStep::Close => "aclose",
        }
    }
}

/// A built-in coroutine with more than one wait: a state machine by hand.
pub trait NativeCoroutine {
    /// Goes on with the result of what it waited for (None at the start).
    fn resume(&mut self, input: Resume) -> Res<Step>;
    /// What it is called in tracebacks and reports.
    fn name(&self) -> &'static str;
    /// Why it cannot go on, for the report of a deadlock.
    fn obstacle(&self) -> Option<Obstacle> {
        None
    }
}

/// What keeps a built-in coroutine waiting. Tasks are named by the numbers of their futures.
pub enum Obstacle {
    /// A lock or semaphore (the noun), and who has taken it.
    Taken {
        object: Value,
        noun: &'static str,
        by: Vec<u32>,
    },
    /// Somebody would have to do something with an object.
    Missing { object: Value, need: Need },
    /// Other tasks or futures have to be done first.
    Others {
        what: &'static str,
        futures: Vec<Ref<Future>>,
    },
}

/// What somebody would have to do for those who wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Set an event.
    Set,
    /// Put an item into a queue.
    Item,
    /// Take an item out of a full queue.
    Room,
    /// Mark as done what is left of a queue's work.
    WorkDone { left: usize },
    /// Notify a condition.
    Notify,
    /// Come to a barrier.
    Arrive { here: usize, parties: usize },
    /// Release a semaphore.
    Release,
    /// Settle a future.
    Result,
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
    /// Awaits something, and goes on as this state machine with its outcome.
    AwaitAs(Value, Box<dyn NativeCoroutine>),
}

impl Step {
    /// Begins a state machine: its first step is taken at once, and must be to wait or to return.
    pub fn begin(mut machine: impl NativeCoroutine + 'static) -> Res<Step> {
        Ok(match machine.resume(Resume::Value(Value::None))? {
            Step::Return(value) => Step::Return(value),
            Step::Await(value) => Step::AwaitAs(value, Box::new(machine)),
            Step::Wait(future) => Step::AwaitAs(future.into(), Box::new(machine)),
            Step::Pass(_) | Step::AwaitAs(..) => unreachable!("no machine begins so"),
        })
    }
}
