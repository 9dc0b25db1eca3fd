//! sleep, wait, wait_for.

use super::future::remove_from_all;
use super::timeout::Timeout;
use super::{natives, rest};
use crate::code::CompareOp;
use crate::interp::error::{raise_empty, runtime_error, type_error, value_error};
use crate::interp::mapping::SetTable;
use crate::interp::types::{Type, class_of, is_exception};
use crate::interp::{attribute, iterate, mapping, operator, payload, text};
use crate::library::modules::collections::deque;
use crate::runtime::future::{self, NativeCallback, forget};
use crate::runtime::{current, derived, event_loop, like_future, task};
use crate::source::Symbol;
use crate::value::generator::{Obstacle, Resume};
use crate::value::*;
use rustc_hash::{FxBuildHasher, FxHashSet};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub const FUNCTIONS: &[NativeDef] = natives! {
    Function Coroutine "sleep" "(delay, result=None)" "Wait for delay seconds, then return result." |args| {
        let result = if args[1].is_unset() { Value::None } else { args[1].clone() };
        task::sleep(&args[0], seconds(&args[0])?, result)
    };
    Function Coroutine "wait" "(fs, *, timeout=None, return_when='ALL_COMPLETED')"
        "Wait for tasks and futures; gives the sets done and pending." |args| {
        let members = members(&args[0])?;
        let when = return_when(&args[2])?;
        wait(futures_of(&members)?, &args[1], when)
    };
    Function Coroutine "wait_for" "(fut, timeout)"
        "Await it for at most timeout seconds; TimeoutError if that is not enough." wait_for;
};

/// A delay as a float; what cannot be compared with 0 is a TypeError in Python's words.
pub(super) fn seconds(delay: &Value) -> Res<f64> {
    match payload::plain(delay) {
        Value::Float(x) => Ok(x.get()),
        Value::Int(n) => Ok(*n as f64),
        Value::Bool(b) => Ok(f64::from(u8::from(b.get()))),
        other => match payload::as_float(other) {
            Some(x) => Ok(x),
            None => {
                operator::compare(CompareOp::LtE, delay, &Value::Int(0))?;
                payload::real(delay)
            }
        },
    }
}

/// A set of futures, in order.
pub(super) fn set_of(futures: Vec<Ref<Future>>) -> Res {
    let table = mapping::set_of(futures.iter().map(Future::face))?;
    Ok(mapping::new_set(table))
}

/// The distinct members of `wait`'s argument.
fn members(given: &Value) -> Res<Vec<Value>> {
    if future::of(given).is_some() || task::is_coroutine(given) {
        return Err(type_error(format!(
            "expect a list of futures, not {}",
            class_of(given).name()
        ))
        .help("put the awaitables in a list: wait([task])"));
    }
    if !operator::truth(given)? {
        return Err(nothing_to_wait_for());
    }
    let mut members = iterate::collect(given)?;
    if let Value::Set(_) | Value::FrozenSet(_) = given {
        return Ok(members);
    }
    let mut seen = FxHashSet::with_capacity_and_hasher(members.len(), FxBuildHasher);
    members.retain(|m| m.address().is_none_or(|address| seen.insert(address)));
    Ok(members)
}

#[cold]
fn nothing_to_wait_for() -> Raised {
    value_error("Set of Tasks/Futures is empty.")
}

fn futures_of(members: &[Value]) -> Res<Vec<Ref<Future>>> {
    let mut futures = Vec::with_capacity(members.len());
    let mut stranger = None;
    for member in members {
        match future::of(member) {
            Some(future) => futures.push(like_future::waited(future.clone())?),
            None if task::is_coroutine(member) => {
                return Err(type_error(
                    "Passing coroutines is forbidden, use tasks explicitly.",
                ));
            }
            None if like_future::mark(member)?.is_some() => futures.push(like_future::deputy(member)?),
            None => {
                operator::hash(member)?;
                stranger = stranger.or(Some(member));
            }
        }
    }
    match stranger {
        None => Ok(futures),
        // It is asked for what futures have.
        Some(stranger) => Err(match attribute::get(stranger, Symbol::new("add_done_callback")) {
            Ok(_) => type_error("An asyncio.Future, a coroutine or an awaitable is required"),
            Err(raised) => raised,
        }),
    }
}

/// The prelude's `wait`: awaitables of any kind, each of which becomes a task.
pub fn wait_any_awaitables(args: &[Value]) -> Res<Step> {
    let futures: Res<Vec<Ref<Future>>> = iterate::collect(&args[0])?
        .iter()
        .map(|m| like_future::waited(task::ensure_future(m, None)?))
        .collect();
    let mut seen = FxHashSet::default();
    let mut futures = futures?;
    futures.retain(|f| seen.insert(f.address()));
    if futures.is_empty() {
        return Err(nothing_to_wait_for());
    }
    wait(futures, &args[1], return_when(&args[2])?)
}

/// When `wait` has waited enough.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReturnWhen {
    FirstCompleted,
    FirstException,
    AllCompleted,
}

fn return_when(value: &Value) -> Res<ReturnWhen> {
    match value {
        Value::Unset => Ok(ReturnWhen::AllCompleted),
        value => match payload::text_of(value) {
            Some("FIRST_COMPLETED") => Ok(ReturnWhen::FirstCompleted),
            Some("FIRST_EXCEPTION") => Ok(ReturnWhen::FirstException),
            Some("ALL_COMPLETED") => Ok(ReturnWhen::AllCompleted),
            _ => Err(value_error(format!(
                "Invalid return_when value: {}",
                text::str(value)?
            ))),
        },
    }
}

fn wait(futures: Vec<Ref<Future>>, timeout: &Value, when: ReturnWhen) -> Res<Step> {
    let waiter = future::waiter(&"wait")?;
    let timer = match timeout.given() {
        Some(timeout) => Some(release_later(&waiter, timeout)?),
        None => None,
    };
    let left = Cell::new(futures.len());
    let on_done: NativeCallback = {
        let waiter = waiter.clone();
        Rc::new(move |done| {
            left.set(left.get() - 1);
            let enough = left.get() == 0
                || when == ReturnWhen::FirstCompleted
                || when == ReturnWhen::FirstException && future::failure(done).is_some();
            if enough {
                future::set_result_if_pending(&waiter, Value::None);
            }
        })
    };
    for future in &futures {
        forget(future::add_callback(future, Callback::Native(on_done.clone())));
    }
    Step::begin(Wait {
        futures,
        waiter: Some(waiter),
        on_done,
        timer,
    })
}

thread_local! {
    /// What the timer of a `wait` calls with its waiter.
    static RELEASE: Value = Native::closure("_release_waiter", "(waiter)", |args| {
        if let Some(waiter) = future::of(&args[0]) {
            future::set_result_if_pending(waiter, Value::None);
        }
        Ok(Value::None)
    });
}

/// A timer that settles a waiter; gives its handle.
fn release_later(waiter: &Ref<Future>, delay: &Value) -> Res {
    let (release, arg) = (RELEASE.with(Value::clone), waiter.clone().into());
    derived::call_later(waiter.event_loop(), delay, &release, &arg)
}

/// `wait` while it waits.
struct Wait {
    futures: Vec<Ref<Future>>,
    /// Taken when it is awaited.
    waiter: Option<Ref<Future>>,
    on_done: NativeCallback,
    timer: Option<Value>,
}

impl NativeCoroutine for Wait {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if let (Resume::Value(_), Some(waiter)) = (&input, self.waiter.take()) {
            return Ok(Step::Await(waiter.into()));
        }
        if let Some(timer) = self.timer.take() {
            cancel_handle(&timer);
        }
        let futures = std::mem::take(&mut self.futures);
        remove_from_all(&futures, &self.on_done);
        if let Resume::Raise(exception) = input {
            return Err(Raised::again(exception));
        }
        let (done, pending) = (SetTable::default(), SetTable::default());
        for future in &futures {
            let table = if future.is_done() { &done } else { &pending };
            mapping::set_add(table, &Future::face(future))?;
        }
        let sets = [done, pending].map(|table| mapping::new_set(table.into_inner()));
        Ok(Step::Return(Value::tuple(sets)))
    }

    fn name(&self) -> &'static str {
        "wait"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        Some(Obstacle::Others {
            what: "wait() of",
            futures: self.futures.clone(),
        })
    }
}

/// Cancels a handle object.
pub(super) fn cancel_handle(handle: &Value) {
    if let Some(h) = handle.opaque::<crate::runtime::handle::Handle>() {
        forget(h.cancel(handle));
    }
}

fn wait_for(args: &[Value]) -> Res<Step> {
    let (awaitable, limit) = (&args[0], &args[1]);
    if let Some(limit) = limit.given() {
        let is_over = match limit {
            Value::Float(limit) => limit.get() <= 0.0,
            Value::Int(limit) => *limit <= 0,
            limit => operator::truth(&operator::compare(CompareOp::LtE, limit, &Value::Int(0))?)?,
        };
        if is_over {
            return wait_no_longer(awaitable);
        }
    }
    let Some(limit) = limit.given() else {
        return Ok(Step::Await(awaitable.clone()));
    };
    let timeout = Timeout::value(event_loop::after(&current::get_running_loop()?, limit)?);
    Timeout::enter(&timeout)?;
    Step::begin(WaitFor {
        awaitable: Some(awaitable.clone()),
        timeout,
    })
}

/// `wait_for` with no time left: what is done counts, the rest is cancelled.
fn wait_no_longer(awaitable: &Value) -> Res<Step> {
    let inner = task::ensure_future(awaitable, None)?;
    if inner.is_done() {
        return future::result(&inner).map(Step::Return);
    }
    let waiter = future::waiter(&"wait_for")?;
    let release = {
        let waiter = waiter.clone();
        future::add_native(&inner, move |_| {
            future::set_result_if_pending(&waiter, Value::None)
        })
    };
    future::cancel(&inner)?;
    Step::begin(CancelAndWait {
        inner,
        waiter: Some(waiter),
        release,
    })
}

/// Waits for what was cancelled to end.
struct CancelAndWait {
    inner: Ref<Future>,
    waiter: Option<Ref<Future>>,
    release: NativeCallback,
}

impl NativeCoroutine for CancelAndWait {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if let (Resume::Value(_), Some(waiter)) = (&input, self.waiter.take()) {
            return Ok(Step::Await(waiter.into()));
        }
        future::remove_native(&self.inner, &self.release);
        if let Resume::Raise(exception) = input {
            return Err(Raised::again(exception));
        }
        match future::result(&self.inner) {
            Ok(value) => Ok(Step::Return(value)),
            Err(raised) => {
                let error = raised.take();
                if is_exception(&error, Type::CancelledError) {
                    return Err(timeout_from(&error));
                }
                Err(Raised::again(error))
            }
        }
    }

    fn name(&self) -> &'static str {
        "wait_for"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        Some(Obstacle::Others {
            what: "the end, as it was cancelled, of",
            futures: vec![self.inner.clone()],
        })
    }
}

/// `raise TimeoutError from error`, while the error is handled.
pub(super) fn timeout_from(error: &Ref<Exception>) -> Raised {
    let before = exception::set_handled(Some(error.clone()));
    let raised = raise_empty(Type::TimeoutError);
    exception::set_handled(before);
    let timeout = raised.peek();
    timeout.cause.set(error.clone().into());
    timeout.suppress_context.set(true);
    raised
}

/// `wait_for` while it waits.
struct WaitFor {
    awaitable: Option<Value>,
    timeout: Value,
}

impl NativeCoroutine for WaitFor {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if let (Resume::Value(_), Some(awaitable)) = (&input, self.awaitable.take()) {
            return Ok(Step::Await(awaitable));
        }
        match input {
            Resume::Value(value) => {
                Timeout::exit(&self.timeout, None)?;
                Ok(Step::Return(value))
            }
            Resume::Raise(exception) => {
                Timeout::exit(&self.timeout, Some(&exception))?;
                Err(Raised::again(exception))
            }
        }
    }

    fn name(&self) -> &'static str {
        "wait_for"
    }
}

/// What waits for a place in line: futures, first come first served.
#[derive(Default)]
pub(super) struct Waiters(RefCell<std::collections::VecDeque<Ref<Future>>>);

impl Waiters {
    pub fn add(&self, waiter: Ref<Future>) {
        self.0.borrow_mut().push_back(waiter);
    }

    /// Takes a waiter out; it is usually near the front.
    pub fn remove(&self, waiter: &Ref<Future>) {
        let gone = {
            let mut waiters = self.0.borrow_mut();
            let place = waiters.iter().position(|w| w.is(waiter));
            place.and_then(|place| waiters.remove(place))
        };
        drop(gone);
    }

    pub fn pop(&self) -> Option<Ref<Future>> {
        self.0.borrow_mut().pop_front()
    }

    pub fn first(&self) -> Option<Ref<Future>> {
        self.0.borrow().front().cloned()
    }

    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Shows each.
    pub fn parts(&self, each: &mut dyn FnMut(&Value)) {
        if let Ok(waiters) = self.0.try_borrow() {
            waiters.iter().for_each(|waiter| each(&waiter.clone().into()));
        }
    }

    /// A list of them that is walked from the first one on, as a deque is.
    pub fn outline(&self) -> Value {
        Value::list(self.0.borrow().iter().rev().cloned().map(Value::from).collect())
    }

    /// A deque of them, as scripts see it.
    pub fn shown(&self) -> Value {
        let waiters = self
            .0
            .borrow()
            .iter()
            .cloned()
            .map(Value::from)
            .collect::<Vec<_>>();
        deque::value(waiters)
    }

    /// The first that is not done.
    pub fn first_pending(&self) -> Option<Ref<Future>> {
        self.0.borrow().iter().find(|w| !w.is_done()).cloned()
    }

    pub fn all_pending(&self) -> Vec<Ref<Future>> {
        self.0.borrow().iter().filter(|w| !w.is_done()).cloned().collect()
    }

    /// Whether somebody waits, or was woken and has not gone on yet.
    pub fn has_claim(&self) -> bool {
        self.0.borrow().iter().any(|w| !future::is_cancelled(w))
    }
}

/// The loop of an object's first wait as scripts see it.
pub(super) fn loop_or_none(own: &ValueCell) -> Value {
    match own.get() {
        Value::Unset => Value::None,
        event_loop => event_loop,
    }
}

/// The error for waiting on a loop that is not that of the first wait.
#[cold]
pub(super) fn other_loop(object: &Value) -> Res<Raised> {
    let shown = text::repr(object)?;
    Ok(runtime_error(format!(
        "{shown} is bound to a different event loop"
    )))
}

/// A waiter on the loop that an object belongs to from its first wait on.
pub(super) fn waiter_on(own: &ValueCell, object: &Value, label: &'static &'static str) -> Res<Ref<Future>> {
    let running = current::get_running_loop()?;
    let bound = own.get();
    if bound.given().is_none() {
        own.set(running.clone());
    } else if !bound.is(&running) {
        return Err(other_loop(object)?);
    }
    derived::create_future(&running, label)
}

/// The positional arguments after a callback.
pub(super) fn callback_args(args: &Value) -> &[Value] {
    rest(args)
}
