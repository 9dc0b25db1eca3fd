//! Objects of scripts' classes that say they are futures, by `_asyncio_future_blocking`, and futures
//! of scripts' classes that override what others ask of them: they are waited for through their
//! methods.

use super::event_loop::context_value;
use super::{future, task};
use crate::interp::error::{matches, runtime_error};
use crate::interp::types::{Type, class_of};
use crate::interp::{attribute, call, operator};
use crate::source::Symbol;
use crate::value::*;

const MARK: &str = "_asyncio_future_blocking";

/// What an object, and its class, says to being a future: whether a coroutine is about to wait for
/// it; None if it is none.
#[inline]
pub fn mark(object: &Value) -> Res<Option<Value>> {
    match object {
        Value::Instance(_) if class_of(object).lookup(Symbol::new(MARK)).is_some() => own_mark(object),
        _ => Ok(None),
    }
}

/// The same of an object that was yielded to a task, which does not ask the class.
pub fn own_mark(object: &Value) -> Res<Option<Value>> {
    Ok(attribute::find(object, Symbol::new(MARK))?.filter(|mark| !mark.is_none()))
}

fn loop_of(object: &Value) -> Res {
    match attribute::find(object, Symbol::new("get_loop"))? {
        Some(get_loop) => call::call(&get_loop, &[]),
        None => attribute::get(object, Symbol::new("_loop")),
    }
}

/// A future that stands for such an object: it ends as the object does, and is cancelled through it.
pub fn deputy(object: &Value) -> Res<Ref<Future>> {
    let deputy = standing_for(object, loop_of(object)?);
    let done = call::call_method(object, Symbol::new("done"), &[])?;
    if operator::truth(&done)? {
        follow(&deputy, object)?;
        return Ok(deputy);
    }
    let on_done = {
        let deputy = deputy.clone();
        Native::closure("_done_callback", "(future, /)", move |args| {
            follow(&deputy, &args[0]).map(|()| Value::None)
        })
    };
    call::call_method(object, Symbol::new("add_done_callback"), &[on_done])?;
    Ok(deputy)
}

/// What others than tasks wait for in a future's place: itself, unless its class has ways of its own.
#[inline]
pub fn waited(future: Ref<Future>) -> Res<Ref<Future>> {
    const ASKED: &[&str] = &["add_done_callback", "result", "exception", "cancelled", "done"];
    match future.is_bare() || !future::overrides(&future, ASKED) {
        true => Ok(future),
        false => deputy(&future.into()),
    }
}

fn standing_for(object: &Value, event_loop: Value) -> Ref<Future> {
    let mut deputy = Future::new(event_loop);
    deputy.set_deputy_of(object.clone());
    Ref::new(deputy)
}

/// The object is done: so is its deputy. This runs in the object's callback, so ours run at once.
fn follow(deputy: &Ref<Future>, object: &Value) -> Res<()> {
    let (state, outcome) = match call::call_method(object, Symbol::new("result"), &[]) {
        Ok(value) => (FutureState::Finished, value),
        Err(raised) if matches(&raised, Type::CancelledError) => {
            let message = raised.take().arg(0).unwrap_or(Value::None);
            (FutureState::Cancelled, message)
        }
        Err(raised) => (FutureState::Failed, raised.take().into()),
    };
    future::settle_now(deputy, state, outcome)
}

/// A task waits for an object that said it is blocking, or not.
pub fn wait_for(task: &Ref<Future>, state: &TaskState, object: &Value, mark: &Value) -> Res<()> {
    let own_loop = loop_of(object)?;
    let (this, shown) = (task.clone().into(), task::shown(object));
    if !own_loop.is(task.event_loop()) {
        return Err(task::other_loop(&this, &shown));
    }
    if !operator::truth(mark)? {
        return Err(runtime_error(format!(
            "yield was used instead of yield from in task {} with {shown}",
            task::shown(&this)
        )));
    }
    attribute::set(object, Symbol::new(MARK), Value::FALSE)?;
    let wake = {
        let task = task.clone();
        Native::closure("task_wakeup", "(future, /)", move |args| {
            let failure = call::call_method(&args[0], Symbol::new("result"), &[]).err();
            task::step(&task, failure.map(Raised::take)).map(|()| Value::None)
        })
    };
    let add = attribute::get(object, Symbol::new("add_done_callback"))?;
    let context = context_value(task::context_of(task).unwrap_or_default());
    call::call_kw(&add, &[wake], &[(Symbol::new("context"), context)])?;
    // Cancelling the task cancels what it waits for.
    let deputy = standing_for(object, own_loop);
    state.waiting.replace(Some(deputy.clone()));
    if state.must_cancel.get() && future::cancel(&deputy, &task.cancel_message())? {
        state.must_cancel.set(false);
    }
    Ok(())
}
