//! Futures and tasks as data; what they do is in the runtime.

use super::*;
use std::cell::{Cell, OnceCell, RefCell};
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
    /// Its exception was raised where somebody asked for the result.
    raised: Cell<bool>,
    /// It was awaited or looked at: what `gather` and friends read.
    pub blocking: Cell<bool>,
    /// Futures are numbered in order of creation; the number is their hash.
    pub number: u32,
    /// The result, the exception, or the message given to `cancel`.
    pub outcome: ValueCell,
    pub callbacks: Callbacks,
    /// None until `__init__` of what a script's class makes.
    event_loop: OnceCell<Value>,
    /// What it is for, in a reader's words: "sleep(1)", "queue.get()".
    pub label: Cell<&'static &'static str>,
    pub task: Option<pool::Piece<TaskState>>,
    rare: OnceCell<Box<Rare>>,
}

/// What few futures have.
#[derive(Default)]
struct Rare {
    class: Option<Ref<Class>>,
    gather: Option<Gather>,
    /// What a `shield` protects, until that future is done.
    shielded: Hold<Ref<Future>>,
    /// The script's object that a task waits for through this future, or unset.
    deputy_of: Value,
    /// The message given to a task's `cancel`, or unset.
    cancel_message: ValueCell,
    /// The `__del__` of its class ran.
    finalised: Cell<bool>,
    attrs: Attrs,
}

/// The label of a sleep's future.
pub static SLEEP: &str = "sleep";

/// What the future of a `gather` waits for: cancelling it cancels these.
pub struct Gather {
    pub children: RefCell<Vec<Ref<Future>>>,
    /// Its cancellation was asked for.
    pub requested: Cell<bool>,
}

impl Drop for Gather {
    /// As a list lets go of its items.
    fn drop(&mut self) {
        let children = self.children.get_mut();
        while children.pop().is_some() {}
    }
}

/// A callback of the runtime's own.
pub type NativeCallback = Rc<dyn Fn(&Ref<Future>)>;

/// What happens when a future is done; each runs as a handle of its own.
#[derive(Clone)]
pub enum Callback {
    /// `callback(future)` in a context.
    Script(Value, Rc<super::context::Context>),
    /// Step a task that waits for it.
    Wake(Ref<Future>),
    /// Something of the runtime's own.
    Native(NativeCallback),
}

/// The callbacks of a future, in order of adding. Most have none or one, which takes no memory of
/// its own.
#[derive(Default)]
pub struct Callbacks(Cell<Few>);

/// None, one or many.
#[derive(Default)]
pub enum Few {
    #[default]
    None,
    One(Callback),
    #[allow(clippy::box_collection)] // one word, so that a future without callbacks stays small
    Many(Box<Vec<Callback>>),
}

impl Callbacks {
    #[inline(always)]
    pub fn push(&self, callback: Callback) {
        match self.0.replace(Few::One(callback)) {
            Few::None => {}
            before => self.push_behind(before),
        }
    }

    /// The one that was pushed goes behind others.
    fn push_behind(&self, before: Few) {
        let mut all = match before {
            Few::None => Box::default(),
            Few::One(first) => Box::new(vec![first]),
            Few::Many(all) => all,
        };
        if let Few::One(pushed) = self.0.take() {
            all.push(pushed);
        }
        self.put(Few::Many(all));
    }

    /// Puts back what was taken out. There is nothing to drop then, and looking would have to wait
    /// for the processor's stores.
    fn put(&self, few: Few) {
        let nothing = self.0.replace(few);
        debug_assert!(matches!(nothing, Few::None));
        std::mem::forget(nothing);
    }

    /// Takes all out and gives them to `each`.
    pub fn drain(&self, mut each: impl FnMut(Callback)) {
        match self.0.take() {
            Few::None => {}
            Few::One(only) => each(only),
            Few::Many(all) => all.into_iter().for_each(each),
        }
    }

    /// Shows each. `look` must neither add nor remove any.
    pub fn look(&self, mut look: impl FnMut(&Callback)) {
        let few = self.0.take();
        match &few {
            Few::None => {}
            Few::One(only) => look(only),
            Few::Many(all) => all.iter().for_each(look),
        }
        self.put(few);
    }

    /// A copy of all.
    pub fn list(&self) -> Vec<Callback> {
        let mut all = Vec::new();
        self.look(|callback| all.push(callback.clone()));
        all
    }

    /// Keeps those for which `keep` is true; gives the others, to be dropped when no borrow is held.
    pub fn retain(&self, mut keep: impl FnMut(&Callback) -> bool) -> Few {
        let (kept, gone) = match self.0.take() {
            Few::One(only) if !keep(&only) => (Few::None, Few::One(only)),
            Few::Many(all) => {
                let (kept, gone): (Vec<_>, Vec<_>) = all.into_iter().partition(keep);
                (Few::Many(Box::new(kept)), Few::Many(Box::new(gone)))
            }
            few => (few, Few::None),
        };
        self.put(kept);
        gone
    }

    pub fn is_empty(&self) -> bool {
        let few = self.0.take();
        let is_empty = matches!(few, Few::None);
        self.put(few);
        is_empty
    }

    /// Replaces all; gives those before, to be dropped when no borrow is held.
    pub fn replace(&self, callbacks: Vec<Callback>) -> Vec<Callback> {
        let mut before = Vec::new();
        self.drain(|callback| before.push(callback));
        callbacks.into_iter().for_each(|callback| self.push(callback));
        before
    }
}

/// What a task has beyond a future.
pub struct TaskState {
    pub coroutine: ValueCell,
    /// The name, or the number of `Task-N`.
    pub name: ValueCell,
    pub context: super::context::ContextSlot,
    /// What it waits for, while it waits.
    pub waiting: Hold<Ref<Future>>,
    /// Cancel at the next step.
    pub must_cancel: Cell<bool>,
    pub cancelling: Cell<u32>,
    /// Tell the exception handler if it is destroyed while pending.
    pub log_destroy: Cell<bool>,
    /// Where it stands in the roster of pending tasks.
    pub place: Cell<u32>,
}

impl Future {
    pub fn new(event_loop: Value) -> Future {
        Future {
            state: Cell::new(FutureState::Pending),
            unseen: Cell::new(false),
            raised: Cell::new(false),
            blocking: Cell::new(false),
            number: CREATED.replace(CREATED.get().wrapping_add(1)),
            outcome: ValueCell::default(),
            callbacks: Callbacks::default(),
            event_loop: OnceCell::from(event_loop),
            label: Cell::new(&"future"),
            task: None,
            rare: OnceCell::new(),
        }
    }

    /// One that `__new__` made: it belongs to a loop once `__init__` ran.
    pub fn without_loop() -> Future {
        let mut made = Future::new(Value::Unset);
        made.event_loop = OnceCell::new();
        made
    }

    /// The event loop it belongs to; unset before `__init__`.
    #[inline(always)]
    pub fn event_loop(&self) -> &Value {
        const NONE: &Value = &Value::Unset;
        self.event_loop.get().unwrap_or(NONE)
    }

    /// The first loop it is given is the one it stays with.
    pub fn join_loop(&self, event_loop: Value) {
        let _ = self.event_loop.set(event_loop);
    }

    /// A class other than Future and Task themselves, if it is an instance of one.
    #[inline(always)]
    pub fn class(&self) -> Option<&Ref<Class>> {
        self.rare.get()?.class.as_ref()
    }

    /// Whether the `__del__` of a script's class ran; None if its class is none.
    #[inline]
    pub fn finaliser(&self) -> Option<&Cell<bool>> {
        let rare = self.rare.get()?;
        let class = rare.class.as_ref()?;
        class.has_finaliser().then_some(&rare.finalised)
    }

    pub fn set_class(&mut self, class: Option<Ref<Class>>) {
        if class.is_some() {
            self.rare_mut().class = class;
        }
    }

    /// What the future of a `gather` waits for.
    pub fn gather(&self) -> Option<&Gather> {
        self.rare.get()?.gather.as_ref()
    }

    pub fn set_gather(&mut self, gather: Gather) {
        self.rare_mut().gather = Some(gather);
    }

    /// What the future of a `shield` protects, until it is done.
    pub fn shielded(&self) -> Option<Ref<Future>> {
        self.rare.get()?.shielded.get()
    }

    pub fn set_shielded(&self, inner: Option<Ref<Future>>) {
        drop(self.rare.get_or_init(Box::default).shielded.replace(inner));
    }

    /// The object that scripts know it by.
    pub fn face(this: &Ref<Future>) -> Value {
        this.deputy_of().cloned().unwrap_or_else(|| this.clone().into())
    }

    /// The script's object that a task waits for through this future.
    pub fn deputy_of(&self) -> Option<&Value> {
        let object = &self.rare.get()?.deputy_of;
        (!object.is_unset()).then_some(object)
    }

    pub fn set_deputy_of(&mut self, object: Value) {
        self.rare_mut().deputy_of = object;
    }

    /// The message given to a task's `cancel`, or None.
    pub fn cancel_message(&self) -> Value {
        match self.rare.get().map(|rare| rare.cancel_message.get()) {
            None | Some(Value::Unset) => Value::None,
            Some(message) => message,
        }
    }

    pub fn set_cancel_message(&self, message: Value) {
        // None is what it is if nothing is kept.
        if !message.is_none() || !self.is_bare() {
            self.rare.get_or_init(Box::default).cancel_message.set(message);
        }
    }

    /// Attributes that a script gave it.
    pub fn attrs(&self) -> &Attrs {
        &self.rare.get_or_init(Box::default).attrs
    }

    /// It has neither a class nor attributes of its own.
    #[inline(always)]
    pub fn is_bare(&self) -> bool {
        self.rare.get().is_none()
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_init(Box::default);
        self.rare.get_mut().expect("it was just made")
    }

    /// The exception of a failed future, to be raised now: it comes with its traceback the first
    /// time, and without the rows of those who saw it before from then on.
    pub fn raising(&self) -> Option<Ref<Exception>> {
        self.unseen.set(false);
        match &self.outcome.get() {
            Value::Exception(exception) => {
                if self.raised.replace(true) {
                    drop(exception.traceback.take());
                }
                Some(Ref::clone(exception))
            }
            _ => None,
        }
    }

    /// Whether a timer of its loop will settle it; its result is there already.
    #[inline(always)]
    pub fn is_sleep(&self) -> bool {
        std::ptr::eq(self.label.get(), &SLEEP)
    }

    #[inline(always)]
    pub fn is_done(&self) -> bool {
        self.state.get() != FutureState::Pending
    }
}

thread_local! {
    /// How many futures there have been.
    static CREATED: Cell<u32> = const { Cell::new(0) };
}

/// Hears of a future that dies unheard.
pub type Mourner = fn(Ref<Future>);

thread_local! {
    /// What to do with a future that dies with an unseen exception, or a task that dies pending.
    pub static MOURN: Cell<Option<Mourner>> = const { Cell::new(None) };
}

impl Future {
    /// Tells of what nobody can hear any more: an exception that nobody asked for, or a task that was
    /// not done; whether there was something to tell.
    pub fn mourned(&self, revive: impl FnOnce() -> Ref<Self>) -> bool {
        let pending_task = self.task.as_ref().is_some_and(|t| t.log_destroy.get()) && !self.is_done();
        let Some(mourn) = MOURN.get().filter(|_| self.unseen.get() || pending_task) else {
            return false;
        };
        self.unseen.set(false);
        if let Some(task) = &self.task {
            task.log_destroy.set(false);
        }
        mourn(revive());
        true
    }
}

impl Dying for Future {
    fn last_words(&self, revive: impl FnOnce() -> Ref<Self>) -> bool {
        if let Some(task) = &self.task {
            roster::leave(task);
        }
        if let Some(done) = self.finaliser() {
            return instance::finalise(done, || revive().into());
        }
        self.mourned(revive)
    }
}

// A million sleeping tasks make the difference (benchmark: sched/million_sleepers).
const _: () = assert!(size_of::<Future>() <= 88 && size_of::<TaskState>() <= 64);
