//! The class of event loops, and handles: their methods, which scripts see.

use super::file::FILES;
use super::wait::callback_args;
use super::{class_argument, natives, none_if_unset};
use crate::code::CompareOp;
use crate::interp::error::{raise, raise_empty, runtime_error, type_error, value_error};
use crate::interp::import;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{call, iterate, operator, origin, payload, text};
use crate::library::modules::collections::deque;
use crate::runtime::event_loop::{self, EventLoop, context_of, context_value, expect, refuse_coroutine};
use crate::runtime::handle::Handle;
use crate::runtime::instrument::{Event, tell};
use crate::runtime::ready::Job;
use crate::runtime::signal::{self, Action};
use crate::runtime::{asyncgen, clock, derived, future, gather, report, task, thread};
use crate::source::Symbol;
use crate::value::context;
use crate::value::generator::Resume;
use crate::value::opaque;
use crate::value::*;

/// The module in which CPython has handles and what an event loop has to have.
const EVENTS: &str = "asyncio.events";

pub fn install() {
    class(Type::AbstractEventLoop).add(ClassPart::InPython(&LOOP[..1], EVENTS));
    class(Type::AbstractEventLoop).add(ClassPart::Made(abstract_methods));
    class(Type::BaseEventLoop).add(ClassPart::InPython(LOOP, "asyncio.base_events"));
    class(Type::BaseSelectorEventLoop).add(ClassPart::InPython(FILES, "asyncio.selector_events"));
    class(Type::EventLoop).add(ClassPart::InPython(SIGNALS, "asyncio.unix_events"));
    for id in [
        Type::AbstractEventLoop,
        Type::BaseEventLoop,
        Type::BaseSelectorEventLoop,
        Type::EventLoop,
    ] {
        class(id).has_dict.set(true); // CPython has them in Python: they take any attributes
    }
    class(Type::Handle).add(ClassPart::InPython(HANDLE, EVENTS));
    class(Type::TimerHandle).add(ClassPart::InPython(TIMER_HANDLE, EVENTS));
    opaque::look_into::<EventLoop>();
    opaque::look_into::<Handle>();
}

/// What an event loop has to have: the methods of ours, of which none does anything.
fn abstract_methods() -> Vec<(Symbol, Value)> {
    let owner = class(Type::AbstractEventLoop).name();
    let is_method = |def: &&NativeDef| def.role == NativeRole::Method && !def.name.starts_with('_');
    let methods = LOOP.iter().chain(SIGNALS).chain(FILES).filter(is_method);
    let twin = |def: &NativeDef| {
        let body = match def.body {
            NativeBody::Coroutine(_) => {
                NativeBody::Coroutine(|_| Err(raise_empty(Type::NotImplementedError)))
            }
            _ => NativeBody::Plain(|_| Err(raise_empty(Type::NotImplementedError))),
        };
        let twin = NativeDef { body, ..*def };
        (def.key(), Native::of_python(&twin, owner, EVENTS).into())
    };
    methods.map(twin).collect()
}

/// A function of the part of asyncio that is written in aio.
fn from_threads(name: &str) -> Res {
    let module = import::by_name("asyncio.threads")?;
    crate::interp::attribute::get(&module, Symbol::new(name))
}

/// A callable, or None for nothing.
fn callable_or_none(value: &Value, message: impl FnOnce(&str) -> String) -> Res {
    if value.is_none() {
        return Ok(Value::Unset);
    }
    if !call::is_callable(value) {
        return Err(type_error(message(&text::repr(value)?)));
    }
    Ok(value.clone())
}

const LOOP: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A new event loop."
        |args| Ok(event_loop::new_of_class(class_argument(args)?));
    Method Plain "__init__" "(self)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "__repr__" "(self, /)" "Its class and state." |args| Ok(event_loop::repr(&args[0])?.into());
    Method Plain "run_forever" "(self)" "Run until stop()." |args| {
        event_loop::run_forever(&args[0])?;
        Ok(Value::None)
    };
    Method Plain "_run_once" "(self)" "One pass." |args| {
        event_loop::run_once(&args[0])?;
        Ok(Value::None)
    };
    Method Plain "run_until_complete" "(self, future)" "Run until the future is done; give its result."
        |args| {
        let future = event_loop::run_until_done(&args[0], &args[1])?;
        tell(|| Event::RunGives(&future));
        future::result(&future)
    };
    Method Plain "stop" "(self)" "End run_forever() after the current pass." |args| {
        expect(&args[0])?.stop();
        Ok(Value::None)
    };
    Method Plain "close" "(self)" "Forget all that waits; it cannot run again." |args| {
        event_loop::close(&args[0])?;
        Ok(Value::None)
    };
    Method Plain "__del__" "(self)" "It ends with its program." |args| {
        if !expect(&args[0])?.is_running() {
            event_loop::close(&args[0])?;
        }
        Ok(Value::None)
    };
    Method Plain "is_running" "(self)" "Whether it runs." |args| Ok(expect(&args[0])?.is_running().into());
    Method Plain "is_closed" "(self)" "Whether it was closed."
        |args| Ok(expect(&args[0])?.is_closed().into());
    Method Plain "time" "(self)" "The time on its clock, in seconds." |args| {
        expect(&args[0])?;
        Ok(Value::float(clock::now()))
    };
    Method Plain "call_soon" "(self, callback, *args, context=None)" "Call it in the next pass."
        |args| event_loop::call_soon(&args[0], &args[1], &args[2], context_of(&args[3])?);
    Method Plain "call_soon_threadsafe" "(self, callback, *args, context=None)"
        "Call it in the next pass; for use from other threads." |args| {
        event_loop::call_soon_threadsafe(&args[0], &args[1], &args[2], context_of(&args[3])?)
    };
    Method Plain "call_later" "(self, delay, callback, *args, context=None)"
        "Call it after delay seconds." |args| {
        if args[1].is_none() {
            return Err(type_error("delay must not be None"));
        }
        derived::call_at(&args[0], &event_loop::after(&args[0], &args[1])?, &args[2], &args[3], context_of(&args[4])?)
    };
    Method Plain "call_at" "(self, when, callback, *args, context=None)"
        "Call it at a time on the loop's clock." |args| {
        if args[1].is_none() {
            return Err(type_error("when cannot be None"));
        }
        event_loop::call_at(&args[0], &args[1], &args[2], &args[3], context_of(&args[4])?)
    };
    Method Plain "create_future" "(self)" "A pending future." |args| {
        expect(&args[0])?;
        Ok(future::new(&args[0]).into())
    };
    Method Plain "create_task" "(self, coro, *, name=None, context=None)" "Start a task."
        |args| event_loop::create_task_in(&args[0], &args[1], &args[2], context_of(&args[3])?);
    Method Plain "set_task_factory" "(self, factory)"
        "Have tasks made by factory(loop, coro); None for the usual." |args| {
        let factory = callable_or_none(&args[1], |_| "task factory must be a callable or None".into())?;
        expect(&args[0])?.task_factory.set(factory);
        Ok(Value::None)
    };
    Method Plain "get_task_factory" "(self)" "What makes tasks, or None."
        |args| Ok(none_if_unset(&expect(&args[0])?.task_factory.get()));
    Method Plain "set_exception_handler" "(self, handler)"
        "Have unhandled errors told to handler(loop, context); None for the usual." |args| {
        let message = |shown: &str| format!("A callable object or None is expected, got {shown}");
        let handler = callable_or_none(&args[1], message)?;
        expect(&args[0])?.exception_handler.set(handler);
        Ok(Value::None)
    };
    Method Plain "get_exception_handler" "(self)" "What is told of unhandled errors, or None."
        |args| Ok(none_if_unset(&expect(&args[0])?.exception_handler.get()));
    Method Plain "call_exception_handler" "(self, context)" "Tell the exception handler." |args| {
        report::call_handler(&args[0], &args[1])?;
        Ok(Value::None)
    };
    Method Plain "default_exception_handler" "(self, context)" "Tell of an error on stderr." |args| {
        report::default_handler(&args[0], &args[1])?;
        Ok(Value::None)
    };
    Method Plain "set_debug" "(self, enabled)" "Check more, and show more." |args| {
        event_loop::set_debug(&args[0], operator::truth(&args[1])?)?;
        Ok(Value::None)
    };
    Method Plain "get_debug" "(self)" "Whether it checks more."
        |args| Ok(expect(&args[0])?.debug.get().into());
    Getter Plain "slow_callback_duration" "(self)" "From how many seconds on a callback is slow." |args| {
        let set = expect(&args[0])?.slow_callback_duration.get();
        Ok(if set.is_unset() { Value::float(0.1) } else { set })
    };
    Setter Plain "slow_callback_duration" "(self, value)"
        "From how many seconds on a callback is slow." |args| {
        expect(&args[0])?.slow_callback_duration.set(args[1].clone());
        Ok(Value::None)
    };
    Method Plain "run_in_executor" "(self, executor, func, *args)"
        "Call func in the executor (None: the loop's own); gives a future for its result." |args| {
        let mut all = vec![args[0].clone(), args[1].clone(), args[2].clone()];
        all.extend_from_slice(callback_args(&args[3]));
        call::call(&from_threads("run_in_executor")?, &all)
    };
    Method Plain "set_default_executor" "(self, executor)" "Set the executor that None stands for."
        |args| call::call(&from_threads("set_default_executor")?, &args[..2]);
    Getter Plain "_ready" "(self)" "The handles that wait for the next pass." |args| {
        let jobs = expect(&args[0])?.ready();
        let handles = jobs.into_iter().map(|job| derived::handle_of(&args[0], job, Value::Unset));
        Ok(deque::value(handles.collect::<Vec<_>>()))
    };
    Getter Plain "_scheduled" "(self)" "The handles of timers." |args| {
        let timers = expect(&args[0])?.scheduled();
        let handles = timers.into_iter().map(|(when, due)| match &due {
            Value::Future(future) => {
                derived::handle_of(&args[0], Job::Settle(Ref::clone(future)), Value::float(when))
            }
            _ => due,
        });
        Ok(Value::list(handles.collect::<Vec<_>>()))
    };
    Getter Plain "_stopping" "(self)" "Whether it ends after this pass."
        |args| Ok(expect(&args[0])?.is_stopping().into());
    Getter Plain "_closed" "(self)" "Whether it was closed."
        |args| Ok(expect(&args[0])?.is_closed().into());
    Getter Plain "_debug" "(self)" "Whether it checks more."
        |args| Ok(expect(&args[0])?.debug.get().into());
    Getter Plain "_exception_handler" "(self)" "The exception handler, or None."
        |args| Ok(none_if_unset(&expect(&args[0])?.exception_handler.get()));
    Getter Plain "_task_factory" "(self)" "The task factory, or None."
        |args| Ok(none_if_unset(&expect(&args[0])?.task_factory.get()));
    Getter Plain "_asyncgens_shutdown_called" "(self)" "Whether the async generators were shut down."
        |args| Ok(expect(&args[0])?.asyncgens_shut_down.get().into());
    Getter Plain "_thread_id" "(self)" "Which thread runs it, or None."
        |args| Ok(expect(&args[0])?.thread_id().map_or(Value::None, |id| Value::Int(id as i64)));
    Getter Plain "_default_executor" "(self)" "The executor that None stands for, once there is one."
        |args| Ok(none_if_unset(&expect(&args[0])?.executor.get()));
    Setter Plain "_default_executor" "(self, value)" "The executor that None stands for." |args| {
        expect(&args[0])?.executor.set(args[1].clone());
        Ok(Value::None)
    };
    Getter Plain "_executor_shutdown_called" "(self)" "Whether the default executor was shut down."
        |args| Ok(expect(&args[0])?.executor_shut_down.get().into());
    Setter Plain "_executor_shutdown_called" "(self, value)"
        "Whether the default executor was shut down." |args| {
        let called = operator::truth(&args[1])?;
        expect(&args[0])?.executor_shut_down.set(called);
        Ok(Value::None)
    };
    Method Coroutine "shutdown_default_executor" "(self, timeout=None)"
        "Wait for the threads of the default executor to end." |args| {
        let event_loop = expect(&args[0])?;
        event_loop.executor_shut_down.set(true);
        if event_loop.executor.get().given().is_none() {
            return Ok(Step::Return(Value::None));
        }
        let timeout = none_if_unset(&args[1]);
        call::call(&from_threads("shutdown_default_executor")?, &[args[0].clone(), timeout]).map(Step::Await)
    };
    Method Plain "_asyncgen_firstiter_hook" "(self, agen)" "Shut an async generator down at the end." |args| {
        expect(&args[0])?;
        asyncgen::belongs_to(generator(&args[1])?, args[0].clone());
        Ok(Value::None)
    };
    Method Plain "_asyncgen_finalizer_hook" "(self, agen)" "Close an async generator in a task." |args| {
        expect(&args[0])?;
        asyncgen::close_in(&args[0], generator(&args[1])?);
        Ok(Value::None)
    };
    Method Coroutine "shutdown_asyncgens" "(self)" "Close the async generators that have begun." |args| {
        expect(&args[0])?.asyncgens_shut_down.set(true);
        shutdown_asyncgens(&args[0])
    };
};

/// What depends on the system.
const SIGNALS: &[NativeDef] = natives! {
    Method Plain "__init__" "(self, selector=None)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "add_signal_handler" "(self, sig, callback, *args)" "Call it when the signal comes." |args| {
        refuse_coroutine(&args[2], "add_signal_handler")?;
        let number = signal_number(&args[1])?;
        expect(&args[0])?.check_closed()?;
        if !thread::current().is_main() {
            return Err(runtime_error("set_wakeup_fd only works in main thread of the main interpreter"));
        }
        let event_loop = args[0].clone();
        let handle = Handle::value(&event_loop, &args[2], &args[3], context::snapshot(), Value::Unset);
        set_signal(number, Action::Loop { event_loop, handle })?;
        Ok(Value::None)
    };
    Method Plain "remove_signal_handler" "(self, sig)" "Forget it; tells whether there was one." |args| {
        let number = signal_number(&args[1])?;
        let Some(Action::Loop { event_loop, .. }) = signal::action(number) else { return Ok(Value::FALSE) };
        if !event_loop.is(&args[0]) {
            return Ok(Value::FALSE);
        }
        set_signal(number, Action::Default)?;
        Ok(Value::TRUE)
    };
};

fn signal_number(value: &Value) -> Res<i32> {
    let Some(number) = payload::as_small(value) else {
        return Err(type_error(format!(
            "sig must be an int, not {}",
            text::repr(value)?
        )));
    };
    i32::try_from(number)
        .ok()
        .filter(|n| (1..65).contains(n))
        .ok_or_else(|| value_error(format!("invalid signal number {number}")))
}

fn set_signal(number: i32, action: Action) -> Res<()> {
    match signal::set_action(number, action) {
        Ok(_) => Ok(()),
        Err(_) => Err(raise(
            Type::RuntimeError,
            format!("sig {number} cannot be caught"),
        )),
    }
}

fn generator(value: &Value) -> Res<&Ref<Generator>> {
    match value {
        Value::Generator(generator) => Ok(generator),
        other => Err(type_error(format!(
            "an async generator is required, not '{}'",
            class_name(other)
        ))),
    }
}

/// Closes the loop's async generators, all at once.
fn shutdown_asyncgens(this: &Value) -> Res<Step> {
    let generators = asyncgen::of_loop(this);
    if generators.is_empty() {
        return Ok(Step::Return(Value::None));
    }
    let mut closing = Vec::with_capacity(generators.len());
    for generator in &generators {
        let close = call::call_method(&generator.clone().into(), Symbol::new("aclose"), &[])?;
        closing.push(task::ensure_future(&close, Some(this))?);
    }
    let all = gather::futures(this, closing, true);
    Step::begin(Closing {
        event_loop: this.clone(),
        generators,
        all: Some(all),
    })
}

struct Closing {
    event_loop: Value,
    generators: Vec<Ref<Generator>>,
    all: Option<Ref<Future>>,
}

impl NativeCoroutine for Closing {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if let (Resume::Value(_), Some(all)) = (&input, self.all.take()) {
            return Ok(Step::Await(all.into()));
        }
        let results = match input {
            Resume::Raise(exception) => return Err(Raised::again(exception)),
            Resume::Value(results) => iterate::collect(&results)?,
        };
        for (generator, result) in self.generators.iter().zip(results) {
            if matches!(result, Value::Exception(_)) {
                let generator: Value = generator.clone().into();
                let shown = text::repr(&generator)?;
                let message = format!("an error occurred during closing of asynchronous generator {shown}");
                let entries = vec![
                    ("message", message.into()),
                    ("exception", result),
                    ("asyncgen", generator),
                ];
                report::call_exception_handler(&self.event_loop, entries)?;
            }
        }
        Ok(Step::Return(Value::None))
    }

    fn name(&self) -> &'static str {
        "shutdown_asyncgens"
    }
}

fn handle(args: &[Value]) -> Res<&Handle> {
    args[0]
        .opaque()
        .ok_or_else(|| type_error(format!("a Handle is required, not '{}'", class_name(&args[0]))))
}

/// A handle of a class from `callback, args, loop, context`.
fn new_handle(class: Ref<Class>, args: &[Value], when: Value) -> Res {
    let context = context_of(&args[3])?.unwrap_or_else(context::snapshot);
    let all = Value::tuple(iterate::collect(&args[1])?);
    Ok(Handle::of_class(class, &args[2], &args[0], &all, context, when))
}

const HANDLE: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, callback, args, loop, context=None)" "A callback with its arguments."
        |args| new_handle(class_argument(args)?, &args[1..], Value::Unset);
    Method Plain "__init__" "(self, *args, **kwargs)" "Nothing is left to do." |_| Ok(Value::None);
    Getter Plain "_loop" "(self)" "The loop it waits in." |args| Ok(handle(args)?.event_loop().clone());
    Method Plain "__repr__" "(self, /)" "Its callback and state."
        |args| Ok(handle(args)?.repr(&args[0])?.into());
    Method Plain "cancel" "(self)" "Take the callback back." |args| {
        handle(args)?.cancel(&args[0])?;
        Ok(Value::None)
    };
    Method Plain "cancelled" "(self)" "Whether it was cancelled."
        |args| Ok(handle(args)?.is_cancelled().into());
    Method Plain "get_context" "(self)" "The context its callback runs in."
        |args| Ok(context_value(handle(args)?.context()));
    Method Plain "_run" "(self)" "Call the callback now." |args| {
        handle(args)?.run(&args[0])?;
        Ok(Value::None)
    };
    Getter Plain "_source_traceback" "(self)" "Where it was made, in debug mode." |args| Ok(match &args[0] {
        Value::Opaque(object) => origin::of(&object.attrs).unwrap_or(Value::None),
        _ => Value::None,
    });
    Getter Plain "_context" "(self)" "The context its callback runs in."
        |args| Ok(context_value(handle(args)?.context()));
    Getter Plain "_callback" "(self)" "Its callback, or None after cancel()."
        |args| Ok(handle(args)?.call().map_or(Value::None, |(callback, _)| callback));
    Getter Plain "_args" "(self)" "The callback's arguments, or None after cancel()."
        |args| Ok(handle(args)?.call().map_or(Value::None, |(_, args)| Value::tuple(args)));
    Getter Plain "_cancelled" "(self)" "Whether it was cancelled."
        |args| Ok(handle(args)?.is_cancelled().into());
};

/// How two timer handles compare by their times.
fn by_time(args: &[Value], op: CompareOp) -> Res {
    let when = |value: &Value| value.opaque::<Handle>().map(|h| h.when().clone());
    match when(&args[0]).zip(when(&args[1])) {
        Some((a, b)) if !a.is_unset() && !b.is_unset() => operator::compare(op, &a, &b),
        _ => Ok(Value::NotImplemented),
    }
}

/// The same for two that may also be equal.
fn by_time_or_same(args: &[Value], op: CompareOp) -> Res {
    let first = by_time(args, op)?;
    match first {
        Value::NotImplemented => Ok(first),
        first => Ok((operator::truth(&first)? || same_timer(args)? == Some(true)).into()),
    }
}

/// Whether two timer handles are due together and would do the same.
fn same_timer(args: &[Value]) -> Res<Option<bool>> {
    let (Some(mine), Some(other)) = (args[0].opaque::<Handle>(), args[1].opaque::<Handle>()) else {
        return Ok(None);
    };
    if other.when().is_unset() {
        return Ok(None);
    }
    if args[0].is(&args[1]) {
        return Ok(Some(true));
    }
    if !operator::equal(mine.when(), other.when())? || mine.is_cancelled() != other.is_cancelled() {
        return Ok(Some(false));
    }
    let parts = |handle: &Handle| {
        let (callback, args) = handle.call().unwrap_or((Value::None, Vec::new()));
        Value::tuple([callback, Value::tuple(args)])
    };
    operator::equal(&parts(mine), &parts(other)).map(Some)
}

const TIMER_HANDLE: &[NativeDef] = natives! {
    Method Plain "cancel" "(self)" "Take the callback back." |args| {
        handle(args)?.cancel(&args[0])?;
        Ok(Value::None)
    };
    Static Plain "__new__" "(cls, when, callback, args, loop, context=None)" "A callback for a time." |args| {
        new_handle(class_argument(args)?, &args[2..], args[1].clone())
    };
    Method Plain "__init__" "(self, *args, **kwargs)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "when" "(self)" "When it is due, on the loop's clock." |args| Ok(handle(args)?.when().clone());
    Getter Plain "_when" "(self)" "When it is due, on the loop's clock."
        |args| Ok(handle(args)?.when().clone());
    Getter Plain "_scheduled" "(self)" "Whether it waits among the loop's timers."
        |args| Ok(handle(args)?.scheduled.get().into());
    Setter Plain "_scheduled" "(self, value)" "Whether it waits among the loop's timers." |args| {
        handle(args)?.scheduled.set(operator::truth(&args[1])?);
        Ok(Value::None)
    };
    Method Plain "__lt__" "(self, other, /)" "Whether it is due before the other."
        |args| by_time(args, CompareOp::Lt);
    Method Plain "__gt__" "(self, other, /)" "Whether it is due after the other."
        |args| by_time(args, CompareOp::Gt);
    Method Plain "__le__" "(self, other, /)" "Whether it is due before the other, or is the same."
        |args| by_time_or_same(args, CompareOp::Lt);
    Method Plain "__ge__" "(self, other, /)" "Whether it is due after the other, or is the same."
        |args| by_time_or_same(args, CompareOp::Gt);
    Method Plain "__eq__" "(self, other, /)" "Whether both are due together and do the same."
        |args| Ok(same_timer(args)?.map_or(Value::NotImplemented, Value::bool));
    Method Plain "__hash__" "(self, /)" "That of its time."
        |args| operator::hash(handle(args)?.when()).map(Value::Int);
};
