//! Lock, Event, Semaphore and BoundedSemaphore between tasks.
//!
//! Always true: waiters go on in the order in which they came; nobody overtakes one that was woken
//! and has not run yet; a wake-up whose task is cancelled goes to the next.

use super::wait::{Waiters, loop_or_none, other_loop, waiter_on};
use super::{class_argument, natives, open_class};
use crate::code::{BinaryOp, CompareOp};
use crate::interp::error::{runtime_error, type_error, value_error};
use crate::interp::text::object::default_repr;
use crate::interp::types::{Type, class, class_name, is_exception};
use crate::interp::{attribute, call, mapping, operator, payload, text};
use crate::runtime::instrument::{Event as Notice, tell};
use crate::runtime::{current, future};
use crate::source::Symbol;
use crate::value::generator::{Need, Obstacle, Resume};
use crate::value::opaque::{self, Container};
use crate::value::*;
use std::cell::{Cell, RefCell};

thread_local! {
    static LOOP_BOUND: Ref<Class> = {
        let base = vec![class(Type::Object)];
        let made = open_class("_LoopBoundMixin", "asyncio.mixins", base, Layout::Object, LOOP_BOUND_METHODS);
        made.set(Symbol::new("_loop"), Value::None);
        made
    };
    static HELD: Ref<Class> = {
        let base = vec![class(Type::Object)];
        open_class("_ContextManagerMixin", "asyncio.locks", base, Layout::Object, HELD_METHODS)
    };
    static LOCK: Ref<Class> = make("Lock", vec![HELD.with(Ref::clone), loop_bound()], LOCK_METHODS);
    static EVENT: Ref<Class> = make("Event", vec![loop_bound()], EVENT_METHODS);
    static SEMAPHORE: Ref<Class> =
        make("Semaphore", vec![HELD.with(Ref::clone), loop_bound()], SEMAPHORE_METHODS);
    static BOUNDED: Ref<Class> = make("BoundedSemaphore", vec![SEMAPHORE.with(Ref::clone)], BOUNDED_METHODS);
}

fn make(name: &str, bases: Vec<Ref<Class>>, table: &'static [NativeDef]) -> Ref<Class> {
    open_class(name, "asyncio.locks", bases, Layout::Opaque, table)
}

/// The base class of all that belongs to the loop of its first wait.
pub fn loop_bound() -> Ref<Class> {
    LOOP_BOUND.with(Ref::clone)
}

pub fn names() -> Vec<(Symbol, Value)> {
    opaque::look_into::<Lock>();
    opaque::look_into::<Event>();
    opaque::look_into::<Semaphore>();
    let classes = [&LOCK, &EVENT, &SEMAPHORE, &BOUNDED, &HELD, &LOOP_BOUND];
    classes
        .map(|class| class.with(Ref::clone))
        .map(|class| (Symbol::new(class.name()), class.into()))
        .into()
}

/// What there is to copy of those that are made here, as CPython names it.
const STATE: &[&str] = &[
    "_waiters",
    "_locked",
    "_value",
    "_bound_value",
    "_loop",
    "_maxsize",
    "_getters",
    "_putters",
    "_unfinished_tasks",
    "_is_shutdown",
    "_queue",
];

/// Its parts and its attributes.
fn state_of(object: &Value) -> Value {
    let Value::Opaque(opaque) = object else {
        return attribute::dict_of(object).unwrap_or(Value::None);
    };
    let part = |name: &&str| {
        let name = Symbol::new(name);
        let value = attribute::find(object, name).ok().flatten()?;
        (name.text() != "_loop" || !value.is_none()).then_some((name, value))
    };
    mapping::dict_of_symbols(STATE.iter().filter_map(part).chain(opaque.attrs.entries()))
}

/// Becomes as the state says, but for who waits and where.
fn take_state(object: &Value, state: &Value) -> Res {
    let Value::Dict(state) = state else {
        return Err(type_error(format!(
            "a dict is required, not '{}'",
            class_name(state)
        )));
    };
    let is_native = matches!(object, Value::Opaque(_));
    for (name, value) in state.symbol_entries() {
        if !is_native || !["_waiters", "_getters", "_putters", "_loop"].contains(&name.text()) {
            attribute::set(object, name, value)?;
        }
    }
    Ok(Value::None)
}

const LOOP_BOUND_METHODS: &[NativeDef] = natives! {
    Method Plain "__getstate__" "(self, /)" "What a copy takes over." |args| Ok(state_of(&args[0]));
    Method Plain "__setstate__" "(self, state, /)" "Become a copy." |args| take_state(&args[0], &args[1]);
    Method Plain "_get_loop" "(self)" "The running loop, which must be that of the first wait." |args| {
        let running = current::get_running_loop()?;
        let name = Symbol::new("_loop");
        let bound = attribute::get(&args[0], name)?;
        if bound.is_none() {
            attribute::set(&args[0], name, running.clone())?;
        } else if !bound.is(&running) {
            return Err(other_loop(&args[0])?);
        }
        Ok(running)
    };
};

/// Awaits the script's `acquire()` of what a block begins with.
struct Entering(Option<Value>);

impl NativeCoroutine for Entering {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        match (input, self.0.take()) {
            (Resume::Raise(exception), _) => Err(Raised::again(exception)),
            (Resume::Value(_), Some(acquired)) => Ok(Step::Await(acquired)),
            (Resume::Value(_), None) => Ok(Step::Return(Value::None)),
        }
    }

    fn name(&self) -> &'static str {
        "_ContextManagerMixin.__aenter__"
    }
}

/// One of ours that no script's class has a say in.
fn plain(this: &Value) -> Option<&Opaque> {
    match this {
        Value::Opaque(object) if !object.class.is_script => Some(object),
        _ => None,
    }
}

/// What `async with` does with all that is acquired and released.
const HELD_METHODS: &[NativeDef] = natives! {
    Method Coroutine "__aenter__" "(self)" "Wait until it is free, and take it." |args| {
        let this = &args[0];
        if let Some(plain) = plain(this) {
            if let Some(lock) = plain.get::<Lock>() {
                return acquire_lock(lock, this, Value::None);
            }
            if let Some(semaphore) = plain.get::<Semaphore>() {
                return acquire_semaphore(semaphore, this, Value::None);
            }
        }
        Step::begin(Entering(Some(call::call_method(this, Symbol::new("acquire"), &[])?)))
    };
    Method Coroutine "__aexit__" "(self, exc_type, exc, tb)" "Let it go." |args| {
        let plain = plain(&args[0]);
        if let Some(lock) = plain.and_then(|plain| plain.get::<Lock>()) {
            release_lock(lock, &args[0])?;
        } else if let Some(semaphore) = plain.and_then(|plain| plain.get::<Semaphore>()) {
            release_semaphore(semaphore)?;
        } else {
            call::call_method(&args[0], Symbol::new("release"), &[])?;
        }
        Ok(Step::Return(Value::None))
    };
};

/// What is common to all: who waits, and on which loop.
#[derive(Default)]
struct Line {
    waiters: Waiters,
    /// The loop of the first wait.
    event_loop: ValueCell,
}

impl Line {
    /// A new waiter at the end of the line.
    fn join(&self, object: &Value, label: &'static &'static str) -> Res<Ref<Future>> {
        let waiter = waiter_on(&self.event_loop, object, label)?;
        self.waiters.add(waiter.clone());
        Ok(waiter)
    }

    /// The waiters as scripts see them; None before the first wait.
    fn shown(&self) -> Value {
        match self.event_loop.get() {
            Value::Unset => Value::None,
            _ => self.waiters.shown(),
        }
    }
}

/// Who waits can be part of a cycle.
macro_rules! containers {
    ($($name:ident)*) => {$(
        impl Container for $name {
            fn parts(&self, each: &mut dyn FnMut(&Value)) {
                self.line.waiters.parts(each);
            }

            fn outline(&self) -> Vec<Value> {
                vec![self.line.waiters.outline()]
            }
        }
    )*};
}

containers! { Lock Event Semaphore }

/// `<asyncio.locks.Lock object at 0x1 [locked, waiters:2]>`
fn describe(object: &Value, state: String, line: &Line) -> Value {
    let waiters = match line.waiters.len() {
        0 => String::new(),
        n => format!(", waiters:{n}"),
    };
    let plain = default_repr(object);
    format!(
        "<{} [{state}{waiters}]>",
        plain.trim_start_matches('<').trim_end_matches('>')
    )
    .into()
}

/// The number of the task that runs, to tell it in the report of a deadlock.
fn taker() -> Option<u32> {
    current::current_task().map(|task| task.number)
}

fn wrong(wanted: &str, given: &Value) -> Raised {
    type_error(format!("a {wanted} is required, not '{}'", class_name(given)))
}

// Lock

#[derive(Default)]
struct Lock {
    locked: Cell<bool>,
    /// The task that took it last.
    holder: Cell<Option<u32>>,
    line: Line,
}

impl Lock {
    fn of(value: &Value) -> Res<&Lock> {
        value.opaque().ok_or_else(|| wrong("Lock", value))
    }

    /// `this` is the lock as a value.
    fn take(&self, this: &Value) {
        self.locked.set(true);
        self.holder.set(taker());
        if let Some(task) = self.holder.get() {
            tell(|| Notice::LockTaken { lock: this, task });
        }
    }

    fn wake_first(&self) {
        if let Some(waiter) = self.line.waiters.first() {
            future::set_result_if_pending(&waiter, Value::TRUE);
        }
    }
}

/// Takes the lock and gives `result`, now or after a wait.
fn acquire_lock(lock: &Lock, this: &Value, result: Value) -> Res<Step> {
    if !lock.locked.get() && !lock.line.waiters.has_claim() {
        lock.take(this);
        return Ok(Step::Return(result));
    }
    let waiter = lock.line.join(this, &"lock")?;
    Step::begin(Acquire {
        lock: this.clone(),
        waiter,
        waits: false,
        result,
    })
}

struct Acquire {
    lock: Value,
    waiter: Ref<Future>,
    /// Whether it is being waited for.
    waits: bool,
    result: Value,
}

impl NativeCoroutine for Acquire {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if !self.waits && matches!(input, Resume::Value(_)) {
            self.waits = true;
            return Ok(Step::Await(self.waiter.clone().into()));
        }
        let lock = Lock::of(&self.lock)?;
        lock.line.waiters.remove(&self.waiter);
        match input {
            Resume::Value(_) => {
                lock.take(&self.lock);
                Ok(Step::Return(std::mem::take(&mut self.result)))
            }
            Resume::Raise(exception) => {
                // The wake-up may have been for this task: pass it on.
                if is_exception(&exception, Type::CancelledError) && !lock.locked.get() {
                    lock.wake_first();
                }
                Err(Raised::again(exception))
            }
        }
    }

    fn name(&self) -> &'static str {
        "Lock.acquire"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        let lock = self.lock.opaque::<Lock>()?;
        Some(Obstacle::Taken {
            object: self.lock.clone(),
            noun: "lock",
            by: lock.holder.get().into_iter().collect(),
        })
    }
}

fn release_lock(lock: &Lock, this: &Value) -> Res<()> {
    if !lock.locked.replace(false) {
        return Err(runtime_error("Lock is not acquired."));
    }
    tell(|| Notice::LockReleased { lock: this });
    lock.wake_first();
    Ok(())
}

const LOCK_METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "An unlocked lock."
        |args| Ok(Opaque::value(class_argument(args)?, Lock::default()));
    Method Plain "__init__" "(self)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "__repr__" "(self, /)" "Its state and how many wait." |args| {
        let lock = Lock::of(&args[0])?;
        let state = if lock.locked.get() { "locked" } else { "unlocked" };
        Ok(describe(&args[0], state.into(), &lock.line))
    };
    Getter Plain "_locked" "(self)" "Whether a task holds the lock."
        |args| Ok(Lock::of(&args[0])?.locked.get().into());
    Setter Plain "_locked" "(self, value)" "Whether a task holds the lock." |args| {
        let locked = operator::truth(&args[1])?;
        Lock::of(&args[0])?.locked.set(locked);
        Ok(Value::None)
    };
    Getter Plain "_waiters" "(self)" "Who waits for the lock; None before the first wait."
        |args| Ok(Lock::of(&args[0])?.line.shown());
    Getter Plain "_loop" "(self)" "The loop of the first wait, or None."
        |args| Ok(loop_or_none(&Lock::of(&args[0])?.line.event_loop));
    Method Plain "locked" "(self)" "Whether a task holds the lock."
        |args| Ok(Lock::of(&args[0])?.locked.get().into());
    Method Coroutine "acquire" "(self)" "Wait until the lock is free, and take it."
        |args| acquire_lock(Lock::of(&args[0])?, &args[0], Value::TRUE);
    Method Plain "release" "(self)" "Let the lock go, and wake the first who waits." |args| {
        release_lock(Lock::of(&args[0])?, &args[0])?;
        Ok(Value::None)
    };
};

// Event

#[derive(Default)]
pub(super) struct Event {
    is_set: Cell<bool>,
    line: Line,
}

impl Event {
    fn of(value: &Value) -> Res<&Event> {
        value.opaque().ok_or_else(|| wrong("Event", value))
    }

    fn set(&self) {
        if !self.is_set.replace(true) {
            for waiter in self.line.waiters.all_pending() {
                future::set_result_if_pending(&waiter, Value::TRUE);
            }
        }
    }
}

struct WaitEvent {
    event: Value,
    waiter: Ref<Future>,
    waits: bool,
}

impl NativeCoroutine for WaitEvent {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if !self.waits && matches!(input, Resume::Value(_)) {
            self.waits = true;
            return Ok(Step::Await(self.waiter.clone().into()));
        }
        Event::of(&self.event)?.line.waiters.remove(&self.waiter);
        match input {
            Resume::Value(_) => Ok(Step::Return(Value::TRUE)),
            Resume::Raise(exception) => Err(Raised::again(exception)),
        }
    }

    fn name(&self) -> &'static str {
        "Event.wait"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        Some(Obstacle::Missing {
            object: self.event.clone(),
            need: Need::Set,
        })
    }
}

const EVENT_METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "An event that is not set."
        |args| Ok(Opaque::value(class_argument(args)?, Event::default()));
    Method Plain "__init__" "(self)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "__repr__" "(self, /)" "Its state and how many wait." |args| {
        let event = Event::of(&args[0])?;
        let state = if event.is_set.get() { "set" } else { "unset" };
        Ok(describe(&args[0], state.into(), &event.line))
    };
    Getter Plain "_value" "(self)" "Whether the flag is up."
        |args| Ok(Event::of(&args[0])?.is_set.get().into());
    Setter Plain "_value" "(self, value)" "Whether the flag is up." |args| {
        let is_set = operator::truth(&args[1])?;
        Event::of(&args[0])?.is_set.set(is_set);
        Ok(Value::None)
    };
    Getter Plain "_waiters" "(self)" "Who waits for the flag."
        |args| Ok(Event::of(&args[0])?.line.waiters.shown());
    Getter Plain "_loop" "(self)" "The loop of the first wait, or None."
        |args| Ok(loop_or_none(&Event::of(&args[0])?.line.event_loop));
    Method Plain "is_set" "(self)" "Whether the flag is up."
        |args| Ok(Event::of(&args[0])?.is_set.get().into());
    Method Plain "set" "(self)" "Raise the flag and wake all who wait for it." |args| {
        Event::of(&args[0])?.set();
        Ok(Value::None)
    };
    Method Plain "clear" "(self)" "Lower the flag." |args| {
        Event::of(&args[0])?.is_set.set(false);
        Ok(Value::None)
    };
    Method Coroutine "wait" "(self)" "Wait until the flag is up." |args| {
        let event = Event::of(&args[0])?;
        if event.is_set.get() {
            return Ok(Step::Return(Value::TRUE));
        }
        let waiter = event.line.join(&args[0], &"event")?;
        Step::begin(WaitEvent { event: args[0].clone(), waiter, waits: false })
    };
};

// Semaphore

/// How many takers of a semaphore are remembered.
const TOLD: usize = 16;

#[derive(Default)]
struct Semaphore {
    /// How many may be taken; beyond `origin`, if there is one.
    value: Cell<i64>,
    /// What it began with, if that is no small int: `math.inf`, say. Unset for most.
    origin: ValueCell,
    /// Tasks that have taken one, as far as they are told in a report.
    takers: RefCell<Vec<u32>>,
    /// The most that `value` may become, in a bounded one; beyond `origin`, as well.
    bound: Cell<Option<i64>>,
    line: Line,
}

impl Semaphore {
    fn of(value: &Value) -> Res<&Semaphore> {
        value.opaque().ok_or_else(|| wrong("Semaphore", value))
    }

    fn is_locked(&self) -> bool {
        self.is_used_up() || self.line.waiters.has_claim()
    }

    fn is_used_up(&self) -> bool {
        match self.origin.get().is_unset() {
            true => self.value.get() == 0,
            false => self.compares(CompareOp::Eq),
        }
    }

    fn has_some(&self) -> bool {
        match self.origin.get().is_unset() {
            true => self.value.get() > 0,
            false => self.compares(CompareOp::Gt),
        }
    }

    /// How its value compares with 0. What cannot be compared was refused at first.
    #[cold]
    fn compares(&self, op: CompareOp) -> bool {
        let compared = self
            .beyond_origin(self.value.get())
            .and_then(|value| operator::compare_bool(op, &value, &Value::Int(0)));
        compared.unwrap_or_else(|raised| {
            drop(raised.take());
            false
        })
    }

    /// A count as scripts see it.
    fn beyond_origin(&self, count: i64) -> Res {
        match self.origin.get() {
            Value::Unset => Ok(Value::Int(count)),
            origin if count == 0 => Ok(origin),
            origin => operator::binary(BinaryOp::Add, &origin, &Value::Int(count)),
        }
    }

    fn has_reached(&self, bound: i64) -> Res<bool> {
        if self.origin.get().is_unset() {
            return Ok(self.value.get() >= bound);
        }
        let (value, bound) = (self.beyond_origin(self.value.get())?, self.beyond_origin(bound)?);
        operator::compare_bool(CompareOp::GtE, &value, &bound)
    }

    /// Sets how many may be taken now.
    fn begin_with(&self, value: &Value) {
        let (origin, value) = match value {
            Value::Int(count) => (Value::Unset, *count),
            Value::Bool(is_one) => (Value::Unset, is_one.get().into()),
            origin => (origin.clone(), 0),
        };
        self.origin.set(origin);
        self.value.set(value);
    }

    fn note_taker(&self) {
        let mut takers = self.takers.borrow_mut();
        if takers.len() < TOLD {
            takers.extend(taker());
        }
    }

    fn forget_taker(&self) {
        let mut takers = self.takers.borrow_mut();
        if takers.is_empty() {
            return;
        }
        // Who gives one back has mostly taken it, but need not.
        let me = taker();
        let place = takers.iter().position(|taker| Some(*taker) == me);
        takers.remove(place.unwrap_or(0));
    }

    /// Hands one to the first who waits and has none yet.
    fn wake_next(&self) -> bool {
        let Some(waiter) = self.line.waiters.first_pending() else {
            return false;
        };
        self.value.set(self.value.get() - 1);
        future::set_result_if_pending(&waiter, Value::TRUE);
        true
    }
}

/// Takes one and gives `result`, now or after a wait.
fn acquire_semaphore(semaphore: &Semaphore, this: &Value, result: Value) -> Res<Step> {
    if !semaphore.is_locked() {
        semaphore.value.set(semaphore.value.get() - 1);
        semaphore.note_taker();
        return Ok(Step::Return(result));
    }
    let waiter = semaphore.line.join(this, &"semaphore")?;
    Step::begin(TakeOne {
        semaphore: this.clone(),
        waiter,
        waits: false,
        result,
    })
}

struct TakeOne {
    semaphore: Value,
    waiter: Ref<Future>,
    waits: bool,
    result: Value,
}

impl NativeCoroutine for TakeOne {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if !self.waits && matches!(input, Resume::Value(_)) {
            self.waits = true;
            return Ok(Step::Await(self.waiter.clone().into()));
        }
        let semaphore = Semaphore::of(&self.semaphore)?;
        semaphore.line.waiters.remove(&self.waiter);
        if let Resume::Raise(exception) = &input
            && is_exception(exception, Type::CancelledError)
            && self.waiter.state.get() == FutureState::Finished
        {
            // It was given to this task, which cannot use it.
            semaphore.value.set(semaphore.value.get() + 1);
        }
        while semaphore.has_some() && semaphore.wake_next() {}
        match input {
            Resume::Value(_) => {
                semaphore.note_taker();
                Ok(Step::Return(std::mem::take(&mut self.result)))
            }
            Resume::Raise(exception) => Err(Raised::again(exception)),
        }
    }

    fn name(&self) -> &'static str {
        "Semaphore.acquire"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        let semaphore = self.semaphore.opaque::<Semaphore>()?;
        Some(Obstacle::Taken {
            object: self.semaphore.clone(),
            noun: "semaphore",
            by: semaphore.takers.borrow().clone(),
        })
    }
}

fn release_semaphore(semaphore: &Semaphore) -> Res<()> {
    if let Some(bound) = semaphore.bound.get()
        && semaphore.has_reached(bound)?
    {
        return Err(value_error("BoundedSemaphore released too many times"));
    }
    semaphore.value.set(semaphore.value.get() + 1);
    semaphore.forget_taker();
    semaphore.wake_next();
    Ok(())
}

/// Begins with the value it is given, or 1.
fn initialise(args: &[Value]) -> Res<&Semaphore> {
    let semaphore = Semaphore::of(&args[0])?;
    let value = if args[1].is_unset() {
        Value::Int(1)
    } else {
        args[1].clone()
    };
    if operator::compare_bool(CompareOp::Lt, &value, &Value::Int(0))? {
        return Err(value_error("Semaphore initial value must be >= 0"));
    }
    semaphore.begin_with(&value);
    Ok(semaphore)
}

const SEMAPHORE_METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A semaphore."
        |args| Ok(Opaque::value(class_argument(args)?, Semaphore::default()));
    Method Plain "__init__" "(self, value=1)" "Sets how many may be taken." |args| {
        initialise(args).map(|_| Value::None)
    };
    Method Plain "__repr__" "(self, /)" "Its value and how many wait." |args| {
        let semaphore = Semaphore::of(&args[0])?;
        let state = match semaphore.is_locked() {
            true => "locked".to_string(),
            false => {
                let value = semaphore.beyond_origin(semaphore.value.get())?;
                format!("unlocked, value:{}", text::str(&value)?)
            }
        };
        Ok(describe(&args[0], state, &semaphore.line))
    };
    Getter Plain "_value" "(self)" "How many may be taken now."
        |args| Semaphore::of(&args[0]).and_then(|s| s.beyond_origin(s.value.get()));
    Setter Plain "_value" "(self, value)" "How many may be taken now." |args| {
        Semaphore::of(&args[0])?.begin_with(&args[1]);
        Ok(Value::None)
    };
    Getter Plain "_waiters" "(self)" "Who waits for one; None before the first wait."
        |args| Ok(Semaphore::of(&args[0])?.line.shown());
    Getter Plain "_loop" "(self)" "The loop of the first wait, or None."
        |args| Ok(loop_or_none(&Semaphore::of(&args[0])?.line.event_loop));
    Method Plain "locked" "(self)" "Whether acquire() would have to wait now."
        |args| Ok(Semaphore::of(&args[0])?.is_locked().into());
    Method Coroutine "acquire" "(self)" "Take one, waiting until there is one and those before have theirs."
        |args| acquire_semaphore(Semaphore::of(&args[0])?, &args[0], Value::TRUE);
    Method Plain "release" "(self)" "Give one back, and hand it to the first who waits." |args| {
        release_semaphore(Semaphore::of(&args[0])?)?;
        Ok(Value::None)
    };
};

const BOUNDED_METHODS: &[NativeDef] = natives! {
    Method Plain "__init__" "(self, value=1)" "Sets how many may be taken, at most and now." |args| {
        let semaphore = initialise(args)?;
        semaphore.bound.set(Some(semaphore.value.get()));
        Ok(Value::None)
    };
    Getter Plain "_bound_value" "(self)" "The most that may be taken."
        |args| {
        let semaphore = Semaphore::of(&args[0])?;
        semaphore.bound.get().map_or(Ok(Value::None), |bound| semaphore.beyond_origin(bound))
    };
    Setter Plain "_bound_value" "(self, value)" "The most that may be taken." |args| {
        Semaphore::of(&args[0])?.bound.set(Some(payload::small(&args[1])?));
        Ok(Value::None)
    };
    Method Plain "release" "(self)" "Give one back, unless all are back." |args| {
        release_semaphore(Semaphore::of(&args[0])?)?;
        Ok(Value::None)
    };
};
