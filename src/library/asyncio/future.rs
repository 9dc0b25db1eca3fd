//! The classes `Future` and `Task`: their methods, which scripts see.

use super::{class_argument, keyword, natives, none_if_unset};
use crate::interp::error::{runtime_error, type_error, value_error};
use crate::interp::types::{Type, class, class_name};
use crate::interp::{attribute, call, import, isinstance, origin, text};
use crate::library::builtins::add;
use crate::runtime::event_loop::{EventLoop, context_of, context_value, expect};
use crate::runtime::future::{self, NativeCallback};
use crate::runtime::{current, task};
use crate::source::Symbol;
use crate::value::context;
use crate::value::*;

pub fn install() {
    add(&class(Type::Future), FUTURE);
    add(&class(Type::Future), SHARED);
    add(&class(Type::Task), SHARED);
    add(&class(Type::Task), TASK);
}

/// The future a method was called on.
fn this(args: &[Value]) -> Res<&Ref<Future>> {
    future::of(&args[0])
        .ok_or_else(|| type_error(format!("a Future is required, not '{}'", class_name(&args[0]))))
}

/// The same of one whose `__init__` ran.
fn ready(args: &[Value]) -> Res<&Ref<Future>> {
    let future = this(args)?;
    future::check_initialised(future)?;
    Ok(future)
}

/// The future and its task part.
fn this_task(args: &[Value]) -> Res<(&Ref<Future>, &TaskState)> {
    let future = this(args)?;
    match &future.task {
        Some(task) => Ok((future, task)),
        None => Err(type_error(format!(
            "a Task is required, not '{}'",
            class_name(&args[0])
        ))),
    }
}

/// The class of a new future: none if it is the built-in one itself.
fn derived(args: &[Value], exact: Type) -> Res<Option<Ref<Class>>> {
    let class_given = class_argument(args)?;
    Ok(Some(class_given).filter(|c| !c.is(&class(exact))))
}

/// The loop that `__init__` is given, or the current one.
fn loop_argument(given: &Value) -> Res {
    match given.given() {
        Some(event_loop) => {
            if EventLoop::of(event_loop).is_none() {
                // It is asked for what loops have.
                attribute::get(event_loop, Symbol::new("get_debug"))?;
            }
            expect(event_loop).map(|_| event_loop.clone())
        }
        None => current::get_event_loop(),
    }
}

const FUTURE: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A new pending future." |args| {
        let mut made = Future::without_loop();
        made.set_class(derived(args, Type::Future)?);
        Ok(Ref::new(made).into())
    };
    Method Plain "__init__" "(self, *, loop=None)" "Give it to its event loop." |args| {
        future::join_loop(this(args)?, loop_argument(&args[1])?);
        Ok(Value::None)
    };
    Method Plain "__del__" "(self, /)" "Tell of an exception that nobody asked for." |args| {
        let future = this(args)?;
        future.mourned(|| Ref::clone(future));
        Ok(Value::None)
    };
    Method Plain "set_result" "(self, result, /)" "Finish with a result." |args| {
        future::set_result(ready(args)?, args[1].clone())?;
        Ok(Value::None)
    };
    Method Plain "set_exception" "(self, exception, /)" "Finish with an exception." |args| {
        future::set_exception(ready(args)?, &args[1])?;
        Ok(Value::None)
    };
    Method Plain "get_loop" "(self, /)" "The event loop it belongs to."
        |args| Ok(ready(args)?.event_loop().clone());
    Method Plain "__await__" "(self, /)" "What `await` iterates." |args| Ok(future::iterate(ready(args)?));
    Method Plain "__iter__" "(self, /)" "What `yield from` iterates." |args| Ok(future::iterate(ready(args)?));
    Getter Plain "_state" "(self)" "PENDING, FINISHED or CANCELLED."
        |args| Ok(future::state_name(ready(args)?).into());
    Getter Plain "_loop" "(self)" "The event loop it belongs to." |args| Ok(none_if_unset(this(args)?.event_loop()));
    Getter Plain "_result" "(self)" "The result, if it has one." |args| {
        let future = ready(args)?;
        Ok(if future.state.get() == FutureState::Finished { future.outcome.get() } else { Value::None })
    };
    Getter Plain "_exception" "(self)" "The exception, if it failed." |args| {
        let future = ready(args)?;
        Ok(if future.state.get() == FutureState::Failed { future.outcome.get() } else { Value::None })
    };
    Getter Plain "_callbacks" "(self)" "The callbacks with their contexts, or None." |args| {
        let callbacks = ready(args)?.callbacks.list();
        let pairs: Vec<Value> = callbacks.iter().filter_map(|callback| match callback {
            Callback::Script(callback, context) => {
                Some(Value::tuple([callback.clone(), context_value(context.clone())]))
            }
            Callback::Wake(_) | Callback::Native(_) => None,
        }).collect();
        Ok(if pairs.is_empty() { Value::None } else { Value::list(pairs) })
    };
    Getter Plain "_log_traceback" "(self)" "Whether its exception would be told if it was dropped now."
        |args| Ok(ready(args)?.unseen.get().into());
    Setter Plain "_log_traceback" "(self, value)" "Can only be set to False." |args| {
        if crate::interp::operator::truth(&args[1])? {
            return Err(value_error("_log_traceback can only be set to False"));
        }
        this(args)?.unseen.set(false);
        Ok(Value::None)
    };
    Getter Plain "_source_traceback" "(self)" "Where it was made, in debug mode."
        |args| Ok(origin::of(this(args)?.attrs()).unwrap_or(Value::None));
    Getter Plain "_cancel_message" "(self)" "The message of cancel(msg)."
        |args| Ok(future::cancel_message(this(args)?));
    Setter Plain "_cancel_message" "(self, value)" "The message of its next CancelledError." |args| {
        future::set_cancel_message(this(args)?, args[1].clone());
        Ok(Value::None)
    };
    Getter Plain "_asyncio_future_blocking" "(self)" "Whether a coroutine is about to wait for it."
        |args| Ok(this(args)?.blocking.get().into());
    Setter Plain "_asyncio_future_blocking" "(self, value)" "Set by `__await__`." |args| {
        let blocking = crate::interp::operator::truth(&args[1])?;
        this(args)?.blocking.set(blocking);
        Ok(Value::None)
    };
};

/// What futures and tasks each have as methods of their own.
const SHARED: &[NativeDef] = natives! {
    Method Plain "result" "(self, /)"
        "The result; raises what the future failed with, or InvalidStateError if it is pending."
        |args| future::result(this(args)?);
    Method Plain "exception" "(self, /)"
        "The exception it failed with, or None; raises InvalidStateError if it is pending."
        |args| future::exception_of(this(args)?);
    Method Plain "add_done_callback" "(self, fn, /, *, context=None)"
        "Call fn(future) through the loop once it is done." |args| {
        let context = context_of(&args[2])?.unwrap_or_else(context::snapshot);
        if this(args)?.event_loop().is_unset() {
            return Err(runtime_error("uninitialized Future object"));
        }
        future::add_script(this(args)?, &args[1], context)?;
        Ok(Value::None)
    };
    Method Plain "remove_done_callback" "(self, fn, /)" "Remove a callback; tells how often it was there."
        |args| Ok(future::remove_callback(ready(args)?, &args[1])?.into());
    Method Plain "cancel" "(self, msg=None)" "Cancel it, unless it is done."
        |args| Ok(future::cancel_exactly(ready(args)?, &none_if_unset(&args[1]))?.into());
    Method Plain "cancelled" "(self, /)" "Whether it was cancelled."
        |args| Ok(future::is_cancelled(this(args)?).into());
    Method Plain "done" "(self, /)" "Whether it has a result, failed or was cancelled."
        |args| Ok(this(args)?.is_done().into());
    ClassMethod Plain "__class_getitem__" "(cls, item, /)" "Futures can be subscripted in annotations."
        |args| Ok(isinstance::generic_alias(&args[0], &args[1]));
    Method Plain "_make_cancelled_error" "(self, /)" "The CancelledError that it raises now."
        |args| Ok(future::cancelled_error(this(args)?).into());
};

/// A method that is written in aio.
fn in_tasks(name: &str, args: &[Value]) -> Res {
    let module = import::by_name("_task_stack")?;
    let args: Vec<Value> = args.iter().map(none_if_unset).collect();
    call::call_method(&module, Symbol::new(name), &args)
}

const TASK: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A task without its coroutine." |args| {
        let mut made = Future::without_loop();
        made.set_class(derived(args, Type::Task)?);
        made.label.set(&"task");
        let context = match keyword(&args[2], "context") {
            Some(context) => context_of(&context)?,
            None => None,
        };
        // The name is given by __init__, so that no number is wasted here.
        made.task = Some(task::fresh_state(Value::Unset, &Value::str(""), context)?);
        Ok(Ref::new(made).into())
    };
    Method Plain "__init__" "(self, coro, *, loop=None, name=None, context=None, eager_start=False)"
        "Schedule the coroutine." |args| {
        let (future, state) = this_task(args)?;
        future::join_loop(future, loop_argument(&args[2])?);
        if !task::is_coroutine(&args[1]) {
            return Err(type_error(format!("a coroutine was expected, got {}", text::repr(&args[1])?)));
        }
        task::set_name(state, &args[3])?;
        state.coroutine.set(args[1].clone());
        state.log_destroy.set(true);
        let eager = !args[5].is_unset() && crate::interp::operator::truth(&args[5])?;
        if eager && args[2].given().is_none() {
            // CPython asks the argument, not the loop that it stands for.
            return Err(attribute::no_attribute(&Value::None, Symbol::new("is_running")));
        }
        task::begin(future, eager)?;
        Ok(Value::None)
    };
    Method Plain "set_result" "(self, result, /)" "Tasks get their result from their coroutine."
        |_| Err(runtime_error("Task does not support set_result operation"));
    Method Plain "set_exception" "(self, exception, /)" "Tasks get their exception from their coroutine."
        |_| Err(runtime_error("Task does not support set_exception operation"));
    Method Plain "get_coro" "(self, /)" "The coroutine it runs."
        |args| Ok(none_if_unset(&this_task(args)?.1.coroutine.get()));
    Method Plain "get_context" "(self, /)" "The context it runs in."
        |args| Ok(context_value(task::context_of(this_task(args)?.0).unwrap_or_default()));
    Method Plain "get_name" "(self, /)" "Its name." |args| Ok(task::name(this_task(args)?.1));
    Method Plain "set_name" "(self, value, /)" "Name it." |args| {
        let name = Value::str(text::str(&args[1])?);
        this_task(args)?.1.name.set(name);
        Ok(Value::None)
    };
    Method Plain "cancelling" "(self, /)" "How many cancellations were asked for and not taken back."
        |args| Ok(Value::Int(task::cancelling(this(args)?).into()));
    Method Plain "uncancel" "(self, /)" "Take one cancellation back; tells how many are left."
        |args| Ok(Value::Int(task::uncancel(this(args)?).into()));
    Method Plain "get_stack" "(self, /, *, limit=None)"
        "The frame it is suspended in, the frames that run it, or those that its exception left."
        |args| in_tasks("get_stack", args);
    Method Plain "print_stack" "(self, /, *, limit=None, file=None)" "Tell where it is suspended."
        |args| in_tasks("print_stack", args);
    Getter Plain "_coro" "(self)" "The coroutine it runs."
        |args| Ok(none_if_unset(&this_task(args)?.1.coroutine.get()));
    Getter Plain "_fut_waiter" "(self)" "What it waits for, or None." |args| {
        let waiting = this_task(args)?.1.waiting.get();
        Ok(waiting.map_or(Value::None, |on| Future::face(&on)))
    };
    Getter Plain "_must_cancel" "(self)" "Whether CancelledError is thrown in at its next step."
        |args| Ok(this_task(args)?.1.must_cancel.get().into());
    Getter Plain "_log_destroy_pending" "(self)" "Whether it is told when it is dropped while pending."
        |args| Ok(this_task(args)?.1.log_destroy.get().into());
    Setter Plain "_log_destroy_pending" "(self, value)"
        "Tell, or not, when it is dropped while pending." |args| {
        let tell = crate::interp::operator::truth(&args[1])?;
        this_task(args)?.1.log_destroy.set(tell);
        Ok(Value::None)
    };
};

/// Removes a native callback when dropped out of a wait.
pub(super) fn remove_from_all(futures: &[Ref<Future>], callback: &NativeCallback) {
    futures
        .iter()
        .for_each(|future| future::remove_native(future, callback));
}
