//! What nobody handled: the loop's exception handler, and futures and tasks that die unheard.

use super::derived::overriding;
use super::event_loop::{EventLoop, expect};
use super::handle::{Handle, ends_program, run_in};
use super::instrument::{Event, tell};
use super::{AfterDeadlock, Level, Speaker, console, future, hooks, task};
use crate::interp::error::type_error;
use crate::interp::types::{class_name, class_of};
use crate::interp::{call, import, iterate, origin, text};
use crate::source::Symbol;
use crate::value::context;
use crate::value::*;

/// A context dict of `call_exception_handler` from its entries.
fn context_dict(entries: Vec<(&'static str, Value)>) -> Value {
    let dict = Ref::new(Dict::default());
    for (name, value) in entries {
        dict.set_symbol(Symbol::new(name), value);
    }
    dict.into()
}

/// Tells the loop's exception handler.
pub fn call_exception_handler(event_loop: &Value, entries: Vec<(&'static str, Value)>) -> Res<()> {
    let context = context_dict(entries);
    match overriding(event_loop, "call_exception_handler") {
        Some(method) => call::call_unbound(&method, event_loop, &[context]).map(drop),
        None => call_handler(event_loop, &context),
    }
}

/// Tells the handler that is used when a script has set none.
fn call_default(event_loop: &Value, context: &Value) -> Res<()> {
    match overriding(event_loop, "default_exception_handler") {
        Some(method) => call::call_unbound(&method, event_loop, std::slice::from_ref(context)).map(drop),
        None => default_handler(event_loop, context),
    }
}

/// `loop.call_exception_handler(context)`
pub fn call_handler(this: &Value, context: &Value) -> Res<()> {
    let event_loop = expect(this)?;
    let handler = event_loop.exception_handler.get();
    if handler.is_unset() || handler.is_none() {
        return unless_fatal(call_default(this, context), |error| {
            (hooks().log)(
                Speaker::HANDLER,
                "Exception in default exception handler",
                Some(error),
            );
        });
    }
    let result = match context_to_run_in(context) {
        Some(inner) => run_in(&inner, &handler, &[this.clone(), context.clone()], &[]),
        None => call::call(&handler, &[this.clone(), context.clone()]),
    };
    unless_fatal(result.map(drop), |error| {
        let entries = vec![
            ("message", Value::from("Unhandled error in exception handler")),
            ("exception", error.clone().into()),
            ("context", context.clone()),
        ];
        if let Err(raised) = call_default(this, &context_dict(entries)) {
            let error = raised.take();
            (hooks().log)(
                Speaker::HANDLER,
                "Exception in default exception handler while handling an unexpected error \
                 in custom exception handler",
                Some(&error),
            );
        }
    })
}

fn unless_fatal(result: Res<()>, tell: impl FnOnce(&Ref<Exception>)) -> Res<()> {
    if let Err(raised) = result {
        let error = raised.take();
        if ends_program(&error) {
            return Err(Raised::again(error));
        }
        let before = exception::set_handled(Some(error.clone()));
        tell(&error);
        exception::set_handled(before);
    }
    Ok(())
}

/// The context of the task, future or handle that the report is about: of the first that is named.
fn context_to_run_in(context: &Value) -> Option<std::rc::Rc<context::Context>> {
    let Value::Dict(dict) = context else { return None };
    let entries = dict.symbol_entries();
    let about = ["task", "future", "handle"].iter().find_map(|about| {
        let named = entries.iter().find(|(name, _)| name.text() == *about);
        named.and_then(|(_, value)| value.given())
    })?;
    match (future::of(about), about.opaque::<Handle>()) {
        (Some(future), _) => task::context_of(future),
        (None, Some(handle)) => Some(handle.context()),
        (None, None) => None,
    }
}

/// `loop.default_exception_handler(context)`: the message, a line for each other entry, and the
/// traceback, on stderr.
pub fn default_handler(_this: &Value, context: &Value) -> Res<()> {
    let Value::Dict(dict) = context else {
        return Err(type_error(format!(
            "the context must be a dict, not {}",
            class_name(context)
        )));
    };
    let mut entries = dict.symbol_entries();
    entries.sort_by_key(|(name, _)| name.text());
    let mut message = None;
    let mut exception = None;
    let mut lines = Vec::new();
    for (name, value) in &entries {
        match name.text() {
            "message" => message = value.given().map(text::str).transpose()?,
            "exception" => exception = Some(value).and_then(as_exception),
            "source_traceback" => lines.push(format!(
                "source_traceback: Object created at (most recent call last):\n{}",
                formatted(value)?.trim_end()
            )),
            "handle_traceback" => lines.push(format!(
                "handle_traceback: Handle created at (most recent call last):\n{}",
                formatted(value)?.trim_end()
            )),
            name => lines.push(format!("{name}: {}", text::repr(value)?)),
        }
    }
    let message = message.filter(|m| !m.is_empty());
    lines.insert(
        0,
        message.unwrap_or_else(|| "Unhandled exception in event loop".into()),
    );
    (hooks().log)(Speaker::DEFAULT_HANDLER, &lines.join("\n"), exception.as_ref());
    Ok(())
}

/// The text of a `traceback.StackSummary`, or of a list of its entries.
fn formatted(stack: &Value) -> Res<String> {
    let traceback = import::by_name("traceback")?;
    let lines = call::call_method(
        &traceback,
        Symbol::new("format_list"),
        std::slice::from_ref(stack),
    )?;
    iterate::collect(&lines)?.iter().map(text::str).collect()
}

fn as_exception(value: &Value) -> Option<Ref<Exception>> {
    match value {
        Value::Exception(exception) => Some(Ref::clone(exception)),
        _ => None,
    }
}

/// A future dies with an exception that nobody asked for, or a task dies pending.
pub fn mourn(dead: Ref<Future>) {
    let aside = exception::lay_aside();
    let event_loop = dead.event_loop().clone();
    let is_heard = EventLoop::of(&event_loop).is_some_and(|l| l.exception_handler.get().given().is_some());
    if !is_heard {
        tell(|| Event::DiedUnheard(&dead));
    }
    let shown = dead.clone().into();
    let mut entries = if !dead.is_done() {
        let message = Value::from("Task was destroyed but it is pending!");
        vec![("task", shown), ("message", message)]
    } else {
        let message = format!("{} exception was never retrieved", class_of(&shown).name());
        let error = dead.outcome.get();
        vec![
            ("message", message.into()),
            ("exception", error),
            ("future", shown),
        ]
    };
    if !dead.is_bare() {
        entries.extend(origin::entry(dead.attrs()));
    }
    let result = call_exception_handler(&event_loop, entries);
    future::forget(result);
    exception::put_back(aside);
}

/// Without a session: the class and the message.
pub fn plain_exception(error: &Ref<Exception>) -> String {
    let message = text::str(&error.clone().into()).unwrap_or_else(|raised| {
        let _ = raised.take();
        "<exception str() failed>".into()
    });
    let name = error.class().name();
    if message.is_empty() {
        format!("{name}\n")
    } else {
        format!("{name}: {message}\n")
    }
}

/// What the logger `asyncio` does by default: message and traceback on stderr.
pub fn log(speaker: Speaker, message: &str, error: Option<&Ref<Exception>>) {
    if speaker.level == Level::Debug {
        return;
    }
    let traceback = error.map(hooks().traceback).unwrap_or_default();
    console::write_error(&format!("{message}\n{traceback}"));
}

/// An exception that ended a thread.
pub fn thread_exception(error: &Ref<Exception>, func: &Value) {
    let shown = super::task::shown(func);
    let traceback = (hooks().traceback)(error);
    console::write_error(&format!(
        "Exception ignored in thread started by: {shown}\n{traceback}"
    ));
}

/// The plainest report of a deadlock: each task and what it waits for.
pub fn deadlock() -> AfterDeadlock {
    let mut out = String::from("deadlock: nothing can ever run again\n");
    for task in roster::tasks() {
        let Some(state) = &task.task else { continue };
        let name = super::task::shown(&super::task::name(state));
        let on = state.waiting.get();
        let on = on.map_or("its turn", |future| *future.label.get());
        out.push_str(&format!("  task {name} waits for {on}\n"));
    }
    for thread in super::thread::blocked() {
        let (name, doing) = (thread.name(), thread.doing());
        out.push_str(&format!("  thread '{name}' waits for {doing}\n"));
    }
    console::write_error(&out);
    AfterDeadlock::Exit
}
