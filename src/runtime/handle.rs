//! Handles: a callback that waits for its turn.

use super::event_loop::{context_value, is_debug};
use super::{current, derived, report, task};
use crate::interp::error::{matches, runtime_error};
use crate::interp::text;
use crate::interp::text::pending::callback_repr;
use crate::interp::types::{Type, class, class_of};
use crate::interp::{call, origin};
use crate::source::Symbol;
use crate::value::context::{self, Context, ContextSlot};
use crate::value::opaque::Container;
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
    /// When a timer handle is due, as it was given; unset for one without a time.
    when: Value,
    /// It stands in the loop's timers.
    pub scheduled: Cell<bool>,
}

impl Container for Handle {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        each(&self.callback.get());
        each(&self.args.get());
    }
}

impl Handle {
    /// A handle object; `args` is a tuple, the only argument if that is no tuple, or unset.
    pub fn value(
        event_loop: &Value,
        callback: &Value,
        args: &Value,
        context: Rc<Context>,
        when: Value,
    ) -> Value {
        let id = if when.is_unset() {
            Type::Handle
        } else {
            Type::TimerHandle
        };
        Handle::of_class(class(id), event_loop, callback, args, context, when)
    }

    /// The same of a class, which a script may have derived.
    pub fn of_class(
        class: Ref<Class>,
        event_loop: &Value,
        callback: &Value,
        args: &Value,
        context: Rc<Context>,
        when: Value,
    ) -> Value {
        let (callback, args) = (ValueCell::new(callback.clone()), ValueCell::new(args.clone()));
        let data = Box::new_uninit();
        let data = Box::write(
            data,
            Handle {
                callback,
                args,
                context: ContextSlot::new(context),
                event_loop: event_loop.clone(),
                when,
                scheduled: Cell::new(false),
            },
        );
        let object = Ref::make(|| Opaque::of(class, data));
        if is_debug(event_loop) {
            origin::note(&object.attrs);
        }
        object.into()
    }

    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.callback.get().is_unset()
    }

    /// Takes back the callback; it will not run.
    pub fn cancel(&self, this: &Value) -> Res<()> {
        // In debug mode it still shows what it was; its text stands in for the arguments then.
        let debug = is_debug(&self.event_loop);
        let kept = match debug && !self.is_cancelled() {
            true => self.describe(this, true)?.into(),
            false => Value::Unset,
        };
        let callback = self.callback.take();
        drop(self.args.replace(kept));
        if !callback.is_unset() && self.scheduled.get() {
            return derived::timer_cancelled(&self.event_loop, this);
        }
        Ok(())
    }

    /// When it is due, as it was given; unset without a time.
    pub fn when(&self) -> &Value {
        &self.when
    }

    pub fn event_loop(&self) -> &Value {
        &self.event_loop
    }

    pub fn context(&self) -> Rc<Context> {
        self.context.own(false)
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
        settle_callback(result, &self.event_loop, &callback, items(&args), || this.clone())
    }

    /// `<TimerHandle when=1.5 f() at script.aio:3>`
    pub fn repr(&self, this: &Value) -> Res<String> {
        match &self.args.get() {
            Value::Str(kept) if self.is_cancelled() => Ok(kept.text.to_string()),
            _ => self.describe(this, self.is_cancelled()),
        }
    }

    fn describe(&self, this: &Value, is_cancelled: bool) -> Res<String> {
        let object = match this {
            Value::Opaque(object) => Some(object),
            _ => None,
        };
        let mut parts = vec![class_of(this).name().to_string()];
        if is_cancelled {
            parts.push("cancelled".into());
        }
        if !self.when.is_unset() {
            parts.push(format!("when={}", text::repr(&self.when)?));
        }
        if let Some((callback, args)) = self.callback() {
            let debug = is_debug(&self.event_loop);
            parts.push(callback_repr(&callback, items(&args), debug)?);
        }
        let made = object.map_or_else(|| Ok(String::new()), |object| origin::shown(&object.attrs))?;
        Ok(format!("<{}{made}>", parts.join(" ")))
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

/// Calls in a context that nobody runs in now: `context.run(func, *args, **kwargs)`.
pub fn run_in(context: &Rc<Context>, func: &Value, args: &[Value], kwargs: &[(Symbol, Value)]) -> Res {
    if context::is_entered(context) {
        let shown = text::repr(&context_value(context.clone()))?;
        return Err(runtime_error(format!(
            "cannot enter context: {shown} is already entered"
        )));
    }
    if let Some(task) = current::current_task() {
        task::context_of(&task); // it is to be found while another one is current
    }
    context.entered.set(true);
    let before = context::enter(context.clone());
    let result = call::call_kw(func, args, kwargs);
    context::enter(before);
    context.entered.set(false);
    result
}

/// Calls a future's callback in its context.
#[inline]
pub fn call_back(callback: &Value, context: Rc<Context>, future: Ref<Future>, event_loop: &Value) -> Res<()> {
    let args = [future.into()];
    let before = context::enter(context);
    let result = call::call(callback, &args);
    let context = context::enter(before);
    settle_callback(result, event_loop, callback, &args, || {
        Handle::value(
            event_loop,
            callback,
            &Value::tuple(args.clone()),
            context,
            Value::Unset,
        )
    })
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
    handle: impl FnOnce() -> Value,
) -> Res<()> {
    let Err(raised) = result else { return Ok(()) };
    if matches(&raised, Type::KeyboardInterrupt) || matches(&raised, Type::SystemExit) {
        return Err(raised);
    }
    let error = raised.take();
    let debug = is_debug(event_loop);
    let shown = callback_repr(callback, args, debug).unwrap_or_else(|raised| {
        let _ = raised.take();
        "callback".into()
    });
    let mut entries = vec![("message", Value::from(format!("Exception in callback {shown}")))];
    entries.push(("exception", error.clone().into()));
    let handle = handle();
    if let Value::Opaque(object) = &handle {
        entries.extend(origin::entry(&object.attrs));
    }
    entries.push(("handle", handle));
    let before = exception::set_handled(Some(error));
    let told = report::call_exception_handler(event_loop, entries);
    exception::set_handled(before);
    told
}
