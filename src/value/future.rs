//! Futures and tasks as data; what they do is in the runtime.

use super::*;
use crate::source::Span;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FutureState {
    Pending,
    Finished,
    Failed,
    Cancelled,
}

/// Something that will have a result. Everything a task waits for is one of these.
pub struct Future {
    pub state: Cell<FutureState>,
    /// An exception that nobody has asked for yet.
    pub unseen: Cell<bool>,
    /// It was awaited or looked at: what `gather` and friends read.
    pub blocking: Cell<bool>,
    /// The result, the exception, or the message given to `cancel`.
    pub outcome: ValueCell,
    pub callbacks: RefCell<Vec<Callback>>,
    pub event_loop: Value,
    /// What it is for, in a reader's words: "sleep(1)", "queue.get()".
    pub label: Cell<&'static str>,
    /// What belongs to the kind of future: the timer of a sleep, the children of a gather.
    pub part: Part,
    pub task: Option<Box<TaskState>>,
    /// A script subclass, if it is an instance of one.
    pub class: Option<Ref<Class>>,
    pub attrs: Attrs,
}

/// What a future carries besides its result.
pub enum Part {
    None,
    /// The timer that will settle it; cancelled with it.
    Timer(Value),
    /// What `gather` waits for: cancelling it cancels these.
    Gather(RefCell<Vec<Ref<Future>>>, Cell<bool>),
    /// Any object that must live as long as it.
    Other(RefCell<Value>),
}

/// What happens when a future is done; each runs as a handle of its own.
#[derive(Clone)]
pub enum Callback {
    /// `callback(future)` in a context.
    Script(Value, Rc<super::context::Context>),
    /// Step a task that waits for it.
    Wake(Ref<Future>),
    /// Something of the runtime's own.
    Native(Rc<dyn Fn(&Ref<Future>)>),
}

/// What a task has beyond a future.
pub struct TaskState {
    pub coroutine: RefCell<Value>,
    /// The name, or the number of `Task-N`.
    pub name: ValueCell,
    pub context: Rc<super::context::Context>,
    /// What it waits for, while it waits.
    pub waiting: RefCell<Option<Ref<Future>>>,
    /// Cancel at the next step.
    pub must_cancel: Cell<bool>,
    pub cancel_message: ValueCell,
    pub cancelling: Cell<u32>,
    /// Tell the exception handler if it is destroyed while pending.
    pub log_destroy: Cell<bool>,
    /// Where it was made.
    pub origin: Cell<Option<Span>>,
    /// Where it stands in the roster of pending tasks.
    pub place: Cell<u32>,
}

impl Future {
    pub fn new(event_loop: Value) -> Future {
        Future {
            state: Cell::new(FutureState::Pending),
            unseen: Cell::new(false),
            blocking: Cell::new(false),
            outcome: ValueCell::default(),
            callbacks: RefCell::default(),
            event_loop,
            label: Cell::new("future"),
            part: Part::None,
            task: None,
            class: None,
            attrs: Attrs::default(),
        }
    }

    #[inline(always)]
    pub fn is_done(&self) -> bool {
        self.state.get() != FutureState::Pending
    }
}

thread_local! {
    /// What to do with a future that dies with an unseen exception, or a task that dies pending.
    pub static MOURN: Cell<Option<fn(Ref<Future>)>> = const { Cell::new(None) };
}

impl Dying for Future {
    fn last_words(&self, revive: impl FnOnce() -> Ref<Self>) -> bool {
        if let Some(task) = &self.task {
            roster::leave(task);
        }
        let pending_task = self.task.as_ref().is_some_and(|t| t.log_destroy.get()) && !self.is_done();
        match MOURN.get() {
            Some(mourn) if self.unseen.get() || pending_task => {
                self.unseen.set(false);
                if let Some(task) = &self.task {
                    task.log_destroy.set(false);
                }
                mourn(revive());
                true
            }
            _ => false,
        }
    }
}
