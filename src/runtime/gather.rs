//! `gather`: one future for the results of many.

use super::future::{self, NativeCallback, add_native, forget, settle};
use super::handle::{Handle, settle_callback};
use super::{current, derived, like_future, task};
use crate::interp::operator;
use crate::interp::types::{Type, class};
use crate::source::Symbol;
use crate::value::class::linearise;
use crate::value::context;
use crate::value::future::Gather;
use crate::value::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

thread_local! {
    static CLASS: RefCell<Option<Ref<Class>>> = const { RefCell::new(None) };
}

/// The class of the futures that `gather` gives.
fn gathering_class() -> Ref<Class> {
    CLASS.with_borrow_mut(|made| {
        made.get_or_insert_with(|| {
            let base = class(Type::Future);
            let bases = vec![base];
            let mro = linearise(&bases).unwrap_or_default();
            let class = Class::new(Symbol::new("_GatheringFuture"), bases, mro, Layout::Future, false);
            *class.module.borrow_mut() = Value::from("asyncio.tasks");
            Ref::new(class)
        })
        .clone()
    })
}

/// `asyncio.gather(*awaitables, return_exceptions=…)`
pub fn gather(awaitables: &[Value], return_exceptions: bool) -> Res<Ref<Future>> {
    if awaitables.is_empty() {
        let future = future::new(&current::get_event_loop()?);
        future::set_result(&future, Value::list(vec![]))?;
        return Ok(future);
    }
    let mut children: Vec<Ref<Future>> = Vec::with_capacity(awaitables.len());
    let mut event_loop: Option<Value> = None;
    let has_twins = has_twins(awaitables);
    let mut places = FxHashMap::default();
    for (i, awaitable) in awaitables.iter().enumerate() {
        if !matches!(awaitable, Value::Generator(_) | Value::Future(_)) {
            operator::hash(awaitable)?;
        }
        // A coroutine given twice is one task.
        let twin = match has_twins {
            true => awaitable
                .address()
                .map(|address| *places.entry(address).or_insert(i)),
            false => None,
        };
        let child = match twin {
            Some(twin) if twin < i => children[twin].clone(),
            _ => {
                let child = task::ensure_future(awaitable, event_loop.as_ref())?;
                if future::of(awaitable).is_none()
                    && let Some(state) = &child.task
                {
                    state.log_destroy.set(false);
                }
                like_future::waited(child)?
            }
        };
        event_loop.get_or_insert_with(|| child.event_loop().clone());
        children.push(child);
    }
    let event_loop = event_loop.unwrap_or(Value::None);
    let distinct = has_twins.then(|| {
        let mut seen = FxHashSet::default();
        let mut distinct = children.clone();
        distinct.retain(|child| seen.insert(child.address()));
        distinct
    });
    Ok(wait_for(&event_loop, children, distinct, return_exceptions))
}

/// What a gather knows while it waits.
struct Progress {
    /// Kept until the last child is done, as CPython's callbacks keep it.
    outer: Ref<Future>,
    left: Cell<usize>,
    return_exceptions: bool,
}

/// Gathers futures of one loop, all different.
pub fn futures(event_loop: &Value, children: Vec<Ref<Future>>, return_exceptions: bool) -> Ref<Future> {
    wait_for(event_loop, children, None, return_exceptions)
}

/// Gathers futures of one loop; `distinct` are those to wait for if some stand there twice.
fn wait_for(
    event_loop: &Value,
    children: Vec<Ref<Future>>,
    distinct: Option<Vec<Ref<Future>>>,
    return_exceptions: bool,
) -> Ref<Future> {
    let count = distinct.as_ref().map_or(children.len(), Vec::len);
    let mut outer = Future::new(event_loop.clone());
    outer.label.set(&"gather");
    outer.set_class(Some(gathering_class()));
    outer.set_gather(Gather {
        children: RefCell::new(children),
        requested: Cell::new(false),
    });
    let outer = Ref::new(outer);
    let progress = Rc::new(Progress {
        outer: outer.clone(),
        left: Cell::new(count),
        return_exceptions,
    });
    let callback: NativeCallback = {
        let progress = progress.clone();
        Rc::new(move |child| child_done(&progress, child))
    };
    let mut done = Vec::new();
    if let Some(gather) = outer.gather() {
        let children = gather.children.borrow();
        for child in distinct.as_deref().unwrap_or(&children) {
            if child.is_done() {
                done.push(child.clone());
            } else {
                forget(future::add_callback(child, Callback::Native(callback.clone())));
            }
        }
    }
    for child in &done {
        callback(child);
    }
    outer
}

/// Whether an object stands there twice. What nobody else refers to does not; else sorting addresses
/// is cheaper than hashing them: they mostly are in order (benchmark: sched/spawn_gather).
fn has_twins(awaitables: &[Value]) -> bool {
    if awaitables.iter().all(|awaitable| awaitable.references() == 1) {
        return false;
    }
    let mut addresses: Vec<usize> = awaitables.iter().filter_map(Value::address).collect();
    addresses.sort_unstable();
    addresses.windows(2).any(|pair| pair[0] == pair[1])
}

fn child_done(progress: &Progress, child: &Ref<Future>) {
    progress.left.set(progress.left.get() - 1);
    let outer = &progress.outer;
    if outer.is_done() {
        child.unseen.set(false); // nobody else will ask
        return;
    }
    if !progress.return_exceptions {
        let error = match child.state.get() {
            FutureState::Cancelled => Some(future::cancelled_error(child)),
            _ => future::failure(child),
        };
        if let Some(error) = error {
            return finish(outer, FutureState::Failed, error.into());
        }
    }
    if progress.left.get() > 0 {
        return;
    }
    let Some(gather) = outer.gather() else { return };
    if gather.requested.get() {
        // The whole was cancelled, whatever the children made of it; that was looked at all the same.
        gather
            .children
            .borrow()
            .iter()
            .for_each(|child| child.unseen.set(false));
        let error = gather.children.borrow().last().map_or_else(
            || future::new_cancelled_error(Value::None),
            |last| cancelled_like(last),
        );
        return finish(outer, FutureState::Failed, error.into());
    }
    let results: Vec<Value> = gather.children.borrow().iter().map(outcome).collect();
    finish(outer, FutureState::Finished, Value::list(results));
}

/// The CancelledError of a child, with the message it was last given even if it did not heed it.
fn cancelled_like(child: &Future) -> Ref<Exception> {
    match child.state.get() {
        FutureState::Cancelled => future::cancelled_error(child),
        _ if child.task.is_some() => future::new_cancelled_error(future::cancel_message(child)),
        _ => future::new_cancelled_error(Value::None),
    }
}

/// A child's result, or its exception as one.
fn outcome(child: &Ref<Future>) -> Value {
    match child.state.get() {
        FutureState::Cancelled => {
            // A task that ended with CancelledError keeps that, and not the message.
            let message = match child.task.is_some() && matches!(child.outcome.get(), Value::Exception(_)) {
                true => Value::None,
                false => future::cancel_message(child),
            };
            let message = match message {
                Value::None => Value::from(""),
                message => message,
            };
            Exception::new(class(Type::CancelledError), vec![message]).into()
        }
        FutureState::Failed => future::failure(child).map_or(Value::None, Value::from),
        FutureState::Finished | FutureState::Pending => child.outcome.get(),
    }
}

fn finish(outer: &Ref<Future>, state: FutureState, outcome: Value) {
    if state == FutureState::Failed {
        outer.unseen.set(true);
    }
    forget(settle(outer, state, outcome));
}

/// `asyncio.shield(awaitable)`
pub fn shield(awaitable: &Value) -> Res<Ref<Future>> {
    let inner = task::ensure_future(awaitable, None)?;
    if inner.is_done() {
        return Ok(inner);
    }
    let inner = like_future::waited(inner)?;
    let outer = derived::create_future(inner.event_loop(), &"shield")?;
    outer.set_shielded(Some(inner.clone()));
    let on_inner = {
        let outer = outer.clone();
        add_native(&inner, move |inner| {
            if let Err(raised) = inner_done(&outer, inner) {
                told_of_callback(outer.event_loop(), raised);
            }
        })
    };
    add_native(&outer, move |outer| {
        outer.set_shielded(None);
        if !inner.is_done() {
            future::remove_native(&inner, &on_inner);
        }
    });
    Ok(outer)
}

/// What a shield's future makes of the end of what it protects. Somebody may have settled it by hand.
fn inner_done(outer: &Ref<Future>, inner: &Ref<Future>) -> Res<()> {
    let error = future::failure(inner);
    if future::is_cancelled(outer) {
        return Ok(());
    }
    match inner.state.get() {
        FutureState::Cancelled => future::cancel_plain(outer, &Value::None).map(drop),
        FutureState::Failed if !outer.is_done() => error.map_or(Ok(()), |error| future::fail(outer, error)),
        _ => future::set_result(outer, inner.outcome.get()),
    }
}

/// Tells the exception handler what went wrong in the callback that a shield has on what it protects.
#[cold]
fn told_of_callback(event_loop: &Value, raised: Raised) {
    let callback = Native::closure("shield.<locals>._inner_done_callback", "(inner, /)", |_| {
        Ok(Value::None)
    });
    let handle = || {
        Handle::value(
            event_loop,
            &callback,
            &Value::Unset,
            context::snapshot(),
            Value::Unset,
        )
    };
    forget(settle_callback(Err(raised), event_loop, &callback, &[], handle));
}
