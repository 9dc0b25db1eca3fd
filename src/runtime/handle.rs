//! Handles: a callback that waits for its turn.

use super::event_loop::EventLoop;
use super::report;
use crate::interp::call;
use crate::interp::error::matches;
use crate::interp::text;
use crate::interp::text::pending::callback_repr;
use crate::interp::types::{Type, class, class_of};
use crate::value::context::{self, Context, ContextSlot};
use crate::value::*;
use std::cell::Cell;
use std::rc::Rc;

/// A callback with its arguments and context. Cancelling empties it.
pub struct Handle {
    /// Unset once it is cancelled.
    callback: ValueCell,
    /// A tuple; or the only one, if that is no tuple; or unset if there are none.
    args: ValueCell,
    context: ContextSlot,
    event_loop: Value,
    /// When a timer handle is due.
    when: Option<f64>,
    /// It stands in the loop's timers.
    pub scheduled: Cell<bool>,
}

impl Handle {
    /// A handle object; `args` is a tuple, the only argument if that is no tuple, or unset.
    pub fn value(
        event_loop: &Value,
        callback: &Value,
        args: &Value,
        context: Rc<Context>,
        when: Option<f64>,
    ) -> Value {
        let id = if when.is_some() {
            Type::TimerHandle
        } else {
            Type::Handle
        };
        let handle = Handle {
            callback: ValueCell::new(callback.clone()),
            args: ValueCell::new(args.clone()),
            context: ContextSlot::new(context),
            event_loop: event_loop.clone(),
            when,
            scheduled: Cell::new(false),
        };
        Opaque::value(class(id), handle)
    }

    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.callback.get().is_unset()
    }

    /// Takes back the callback; it will not run.
    pub fn cancel(&self) {
        let callback = self.callback.take();
        drop(self.args.take());
        if !callback.is_unset()
            && self.scheduled.get()
            && let Some(event_loop) = EventLoop::of(&self.event_loop)
        {
            event_loop.note_cancelled_timer();
        }
    }

    pub fn when(&self) -> Option<f64> {
        self.when
    }

    pub fn context(&self) -> Rc<Context> {
        self.context.own()
    }

    /// The callback and the tuple of its arguments, unless it was cancelled.
    fn callback(&self) -> Option<(Value, Value)> {
        let callback = self.callback.get();
        (!callback.is_unset()).then(|| (callback, self.args.get()))
    }

    /// The callback and its arguments, unless it was cancelled.
    pub fn call(&self) -> Option<(Value, Vec<Value>)> {
        self.callback()
            .map(|(callback, args)| (callback, items(&args).to_vec()))
    }

    /// Calls the callback. What it raises goes to the loop's exception handler, except what ends
    /// a program.
    pub fn run(&self, this: &Value) -> Res<()> {
        let Some((callback, args)) = self.callback() else {
            return Ok(());
        };
        let before = self.context.enter();
        let result = call::call(&callback, items(&args));
        self.context.leave(before);
        settle_callback(result, &self.event_loop, &callback, items(&args), Some(this))
    }

    /// `<TimerHandle when=1.5 f() at script.aio:3>`
    pub fn repr(&self, this: &Value) -> Res<String> {
        let mut parts = vec![class_of(this).name().to_string()];
        if self.is_cancelled() {
            parts.push("cancelled".into());
        }
        if let Some(when) = self.when {
            parts.push(format!("when={}", text::repr(&Value::float(when))?));
        }
        if let Some((callback, args)) = self.callback() {
            let debug = EventLoop::of(&self.event_loop).is_some_and(|l| l.debug.get());
            parts.push(callback_repr(&callback, if debug { items(&args) } else { &[] })?);
        }
        Ok(format!("<{}>", parts.join(" ")))
    }
}

/// The arguments that a value stands for: those of a tuple, none if it is unset, else itself.
fn items(args: &Value) -> &[Value] {
    match args {
        Value::Tuple(args) => &args.items,
        Value::Unset => &[],
        only => std::slice::from_ref(only),
    }
}

/// Calls in a context.
#[inline]
pub fn call_in(context: &Rc<Context>, callback: &Value, args: &[Value]) -> Res {
    let before = context::enter(context.clone());
    let result = call::call(callback, args);
    context::enter(before);
    result
}

/// Whether the exception ends the program rather than the callback or task it came up in.
pub fn ends_program(exception: &Ref<Exception>) -> bool {
    use crate::interp::types::is_exception;
    is_exception(exception, Type::KeyboardInterrupt) || is_exception(exception, Type::SystemExit)
}

/// What becomes of a callback's error.
pub fn settle_callback(
    result: Res,
    event_loop: &Value,
    callback: &Value,
    args: &[Value],
    handle: Option<&Value>,
) -> Res<()> {
    let Err(raised) = result else { return Ok(()) };
    if matches(&raised, Type::KeyboardInterrupt) || matches(&raised, Type::SystemExit) {
        return Err(raised);
    }
    let exception = raised.take();
    let debug = EventLoop::of(event_loop).is_some_and(|l| l.debug.get());
    let shown = callback_repr(callback, if debug { args } else { &[] }).unwrap_or_else(|raised| {
        let _ = raised.take();
        "callback".into()
    });
    let handle = handle.cloned().unwrap_or_else(|| {
        Handle::value(
            event_loop,
            callback,
            &Value::tuple(args),
            context::current(),
            None,
        )
    });
    let mut entries = vec![("message", Value::from(format!("Exception in callback {shown}")))];
    entries.push(("exception", exception.into()));
    entries.push(("handle", handle));
    report::call_exception_handler(event_loop, entries)
}
