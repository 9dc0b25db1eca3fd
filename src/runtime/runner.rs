//! `asyncio.run`: a loop from its beginning to its end.

use super::event_loop;
use super::instrument::{Event, tell};
use super::{current, derived, future, report, signal, task};
use crate::interp::call;
use crate::interp::error::{matches, raise_empty, runtime_error, value_error};
use crate::interp::text;
use crate::interp::types::Type;
use crate::source::Symbol;
use crate::value::context::{self, Context};
use crate::value::*;
use std::rc::Rc;

/// How long the default executor's threads may take to end, in seconds.
const EXECUTOR_PATIENCE: f64 = 300.0;

/// `asyncio.run(main, debug=…, loop_factory=…)`
pub fn run(main: &Value, debug: &Value, loop_factory: &Value) -> Res {
    if current::running().is_some() {
        return Err(
            runtime_error("asyncio.run() cannot be called from a running event loop")
                .help("await the coroutine instead: a loop is running here"),
        );
    }
    let event_loop = match loop_factory.given() {
        Some(factory) => call::call(factory, &[])?,
        None => {
            let made = current::new_event_loop()?;
            current::set_event_loop(made.clone())?;
            made
        }
    };
    if let Some(debug) = debug.given() {
        event_loop::expect(&event_loop)?
            .debug
            .set(crate::interp::operator::truth(debug)?);
    }
    let context = context::current().copy();
    let result = run_main(&event_loop, main, context);
    finally(result, || close(&event_loop, loop_factory.given().is_none()))
}

/// Ends with the clean-up whatever the result; an exception that it raises has the first one as
/// its context.
fn finally<T>(result: Res<T>, cleanup: impl FnOnce() -> Res<()>) -> Res<T> {
    match result {
        Ok(value) => cleanup().map(|()| value),
        Err(raised) => {
            let first = raised.take();
            let before = exception::set_handled(Some(first.clone()));
            let cleaned = cleanup();
            exception::set_handled(before);
            cleaned.and_then(|()| Err(Raised::again(first)))
        }
    }
}

/// Runs one coroutine as a task of the loop; Ctrl-C cancels it.
pub fn run_main(event_loop: &Value, main: &Value, context: Rc<Context>) -> Res {
    if !task::is_coroutine(main) {
        return Err(value_error(format!(
            "a coroutine was expected, got {}",
            text::repr(main)?
        )));
    }
    let task = derived::create_task(event_loop, main, &Value::Unset, Some(context))?;
    run_task(event_loop, &task)
}

/// Runs a loop until a task is done; Ctrl-C cancels the task and becomes KeyboardInterrupt.
pub fn run_task(event_loop: &Value, task: &Value) -> Res {
    let Some(future) = future::of(task).filter(|f| f.task.is_some()) else {
        return derived::run_until_complete(event_loop, task);
    };
    let guard = signal::guard_main(future);
    match derived::run_until_complete(event_loop, task) {
        Err(raised)
            if matches(&raised, Type::CancelledError)
                && guard.interrupted()
                && task::uncancel(future) == 0 =>
        {
            let cancelled = raised.take();
            let interrupt = raise_empty(Type::KeyboardInterrupt).take();
            interrupt.context.set(cancelled.into());
            Err(Raised::again(interrupt))
        }
        Ok(result) => {
            tell(|| Event::RunGives(future));
            Ok(result)
        }
        error => error,
    }
}

/// What `Runner.close` does: cancels what is left, ends async generators and the executor, and
/// closes the loop.
pub fn close(this: &Value, was_set: bool) -> Res<()> {
    let ended = (|| {
        cancel_all(this)?;
        run_method(this, "shutdown_asyncgens", &[])?;
        run_method(
            this,
            "shutdown_default_executor",
            &[Value::float(EXECUTOR_PATIENCE)],
        )
    })();
    finally(ended, || {
        if was_set {
            current::set_event_loop(Value::None)?;
        }
        derived::close(this)
    })
}

fn run_method(this: &Value, name: &str, args: &[Value]) -> Res<()> {
    let coroutine = call::call_method(this, Symbol::new(name), args)?;
    derived::run_until_complete(this, &coroutine).map(drop)
}

/// Cancels the tasks that are left and waits for them.
fn cancel_all(this: &Value) -> Res<()> {
    let left = task::all_tasks(this);
    if left.is_empty() {
        return Ok(());
    }
    for task in &left {
        tell(|| Event::LeftOver(task));
        future::cancel(task)?;
    }
    let gathered = super::gather::futures(this, left.clone(), true);
    derived::run_until_complete(this, &gathered.into())?;
    for task in &left {
        if let Some(error) = future::failure(task) {
            let entries = vec![
                (
                    "message",
                    Value::from("unhandled exception during asyncio.run() shutdown"),
                ),
                ("exception", error.into()),
                ("task", task.clone().into()),
            ];
            report::call_exception_handler(this, entries)?;
        }
    }
    Ok(())
}
