//! Objects of scripts' classes that say they are futures, by `_asyncio_future_blocking`: tasks wait
//! for them through their methods.

use super::event_loop::context_value;
use super::{future, task};
use crate::interp::error::runtime_error;
use crate::interp::types::class_of;
use crate::interp::{attribute, call, operator};
use crate::source::Symbol;
use crate::value::*;

/// What an object says to being a future: whether a coroutine is about to wait for it; None if it
/// is none.
pub fn mark(object: &Value) -> Res<Option<Value>> {
    let mark = Symbol::new("_asyncio_future_blocking");
    if class_of(object).lookup(mark).is_none() {
        return Ok(None);
    }
    Ok(attribute::find(object, mark)?.filter(|mark| !mark.is_none()))
}

/// A task waits for an object that said it is blocking, or not.
pub fn wait_for(task: &Ref<Future>, state: &TaskState, object: &Value, mark: &Value) -> Res<()> {
    let own_loop = match attribute::find(object, Symbol::new("get_loop"))? {
        Some(get_loop) => call::call(&get_loop, &[])?,
        None => attribute::get(object, Symbol::new("_loop"))?,
    };
    let (this, shown) = (task.clone().into(), task::shown(object));
    if !own_loop.is(&task.event_loop) {
        return Err(task::other_loop(&this, &shown));
    }
    if !operator::truth(mark)? {
        return Err(runtime_error(format!(
            "yield was used instead of yield from in task {} with {shown}",
            task::shown(&this)
        )));
    }
    attribute::set(object, Symbol::new("_asyncio_future_blocking"), Value::FALSE)?;
    let wake = {
        let task = task.clone();
        Native::closure("task_wakeup", "(future, /)", move |args| {
            let failure = call::call_method(&args[0], Symbol::new("result"), &[]).err();
            task::step(&task, failure.map(Raised::take)).map(|()| Value::None)
        })
    };
    let add = attribute::get(object, Symbol::new("add_done_callback"))?;
    let context = context_value(state.context.own());
    call::call_kw(&add, &[wake], &[(Symbol::new("context"), context)])?;
    // Cancelling the task cancels what it waits for.
    let mut deputy = Future::new(task.event_loop.clone());
    deputy.set_deputy_of(object.clone());
    let deputy = Ref::new(deputy);
    state.waiting.replace(Some(deputy.clone()));
    if state.must_cancel.get() && future::cancel(&deputy, &task.cancel_message())? {
        state.must_cancel.set(false);
    }
    Ok(())
}
