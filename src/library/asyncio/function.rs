//! asyncio's functions: making tasks, waiting, and asking who runs.

use super::{natives, none_if_unset, rest, wait};
use crate::interp::error::{runtime_error, type_error};
use crate::interp::types::{Type, class, class_name, is_instance};
use crate::interp::{attribute, call, operator, text};
use crate::library::modules::{functions, functions_in_python};
use crate::runtime::event_loop::{self, EventLoop, context_of, expect};
use crate::runtime::instrument::{Event, tell};
use crate::runtime::{current, derived, future, gather, like_future, runner, task};
use crate::source::Symbol;
use crate::value::*;

pub fn names() -> Vec<(Symbol, Value)> {
    // Each with the module that it says it is of.
    let tables = [
        (TASKS, "asyncio.tasks"),
        (wait::FUNCTIONS, "asyncio.tasks"),
        (EVENTS, "asyncio.events"),
        (RUNNERS, "asyncio.runners"),
        (COROUTINES, "asyncio.coroutines"),
        (FUTURES, "asyncio.base_futures"),
        (OURS, "asyncio"),
    ];
    let mut names: Vec<(Symbol, Value)> = tables
        .into_iter()
        .flat_map(|(table, module)| functions_in_python(module, &[table]))
        .collect();
    names.extend(functions("_asyncio", &[IN_C]));
    for constant in ["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"] {
        names.push((Symbol::new(constant), constant.into()));
    }
    names
}

pub fn prelude(name: &str) -> Option<Value> {
    PRELUDE
        .iter()
        .find(|def| def.name == name)
        .map(|def| Native::of(def, "").into())
}

const PRELUDE: &[NativeDef] = natives! {
    Function Plain "spawn" "(coro, *, name=None)"
        "Start a task on the running loop, else on the default loop." |args| {
        derived::create_task(&prelude_loop()?, &args[0], &none_if_unset(&args[1]), None)
    };
    Function Coroutine "wait" "(aws, *, timeout=None, return_when='ALL_COMPLETED')"
        "Wait for awaitables, coroutines among them; gives the sets done and pending."
        wait::wait_any_awaitables;
    Function Plain "run_in_executor" "(func, *args)"
        "Call func in a thread; gives a future for its result." |args| {
        let event_loop = prelude_loop()?;
        let mut all = vec![Value::None, args[0].clone()];
        all.extend_from_slice(rest(&args[1]));
        call::call_method(&event_loop, Symbol::new("run_in_executor"), &all)
    };
};

fn prelude_loop() -> Res {
    match current::running() {
        Some(event_loop) => Ok(event_loop),
        None => current::policy_loop(),
    }
}

/// Tasks.
const TASKS: &[NativeDef] = natives! {
    Function Plain "create_task" "(coro, *, name=None, context=None)"
        "Start a task on the running loop." |args| {
        let running = current::get_running_loop()?;
        derived::create_task(&running, &args[0], &none_if_unset(&args[1]), context_of(&args[2])?)
    };
    Function Plain "ensure_future" "(coro_or_future, *, loop=None)"
        "The future it is, or a task for the coroutine or awaitable." |args| {
        match like_future::mark(&args[0])? {
            Some(_) => Ok(args[0].clone()),
            None => Ok(task::ensure_future(&args[0], args[1].given())?.into()),
        }
    };
    Function Plain "gather" "(*coros_or_futures, return_exceptions=False)"
        "A future for the list of all results, in the order given." |args| {
        let keep = !args[1].is_unset() && operator::truth(&args[1])?;
        Ok(gather::gather(rest(&args[0]), keep)?.into())
    };
    Function Plain "shield" "(arg)" "A future for it that can be cancelled without cancelling it."
        |args| Ok(gather::shield(&args[0])?.into());
    Function Plain "all_tasks" "(loop=None)" "The set of the loop's pending tasks." |args| {
        let event_loop = loop_or_running(&args[0])?;
        wait::set_of(task::all_tasks(&event_loop))
    };
    Function Plain "eager_task_factory" "(loop, coro, *, name=None, context=None)"
        "A task factory whose tasks take their first step at once." |args| {
        Ok(task::create(&args[0], &args[1], &args[2], context_of(&args[3])?, true)?.into())
    };
};

/// Who runs. In CPython these are in C.
const IN_C: &[NativeDef] = natives! {
    Function Plain "get_running_loop" "()" "The loop that runs now; RuntimeError if none does."
        |_| current::get_running_loop();
    Function Plain "_get_running_loop" "()" "The loop that runs now, or None."
        |_| Ok(current::running().unwrap_or(Value::None));
    Function Plain "_set_running_loop" "(loop, /)" "Say which loop runs now." |args| {
        let event_loop = if args[0].is_none() { Value::Unset } else { args[0].clone() };
        drop(current::set_running(event_loop));
        Ok(Value::None)
    };
    Function Plain "get_event_loop" "()" "The loop that runs now, or the thread's own."
        |_| {
        if current::lacks_loop() {
            tell(|| Event::LoopMade);
        }
        current::get_event_loop()
    };
    Function Plain "current_task" "(loop=None)" "The task that runs now, or None." |args| {
        let event_loop = loop_or_running(&args[0])?;
        if EventLoop::of(&event_loop).is_none() {
            operator::hash(&event_loop)?; // it would be looked up
        }
        let current = EventLoop::of(&event_loop).and_then(EventLoop::current_task);
        Ok(current.map_or(Value::None, Value::from))
    };
    Function Plain "_register_task" "(task)" "Have all_tasks() list a task." |args| {
        roster::enter(task_of(&args[0])?);
        Ok(Value::None)
    };
    Function Plain "_unregister_task" "(task)" "Have all_tasks() list a task no more." |args| {
        if let Some(state) = &task_of(&args[0])?.task {
            roster::leave(state);
        }
        Ok(Value::None)
    };
    Function Plain "_enter_task" "(loop, task)" "Say that a task runs now, where none did." |args| {
        let (event_loop, task) = (expect(&args[0])?, task_of(&args[1])?);
        if let Some(current) = event_loop.current_task() {
            return Err(runtime_error(format!(
                "Cannot enter into task {} while another task {} is being executed.",
                text::repr(&args[1])?,
                text::repr(&current.into())?
            )));
        }
        drop(event_loop.set_current_task(Some(task.clone())));
        Ok(Value::None)
    };
    Function Plain "_leave_task" "(loop, task)" "Say that no task runs now, after this one." |args| {
        let (event_loop, task) = (expect(&args[0])?, task_of(&args[1])?);
        let current = event_loop.current_task();
        if !current.as_ref().is_some_and(|current| current.is(task)) {
            return Err(runtime_error(format!(
                "Leaving task {} does not match the current task {}.",
                text::repr(&args[1])?,
                text::repr(&current.map_or(Value::None, Value::from))?
            )));
        }
        drop(event_loop.set_current_task(None));
        Ok(Value::None)
    };
    Function Plain "_swap_current_task" "(loop, task)" "Say which task runs now; gives the one before." |args| {
        let task = args[1].given().map(task_of).transpose()?;
        let before = expect(&args[0])?.set_current_task(task.cloned());
        Ok(before.map_or(Value::None, Value::from))
    };
};

/// Event loops.
const EVENTS: &[NativeDef] = natives! {
    Function Plain "new_event_loop" "()" "A new event loop." |_| current::new_event_loop();
    Function Plain "set_event_loop" "(loop)" "Make it the thread's own loop (None: it has none)." |args| {
        current::set_event_loop(loop_or_none(&args[0])?)?;
        Ok(Value::None)
    };
};

/// A run from its beginning to its end.
const RUNNERS: &[NativeDef] = natives! {
    Function Plain "run" "(main, *, debug=None, loop_factory=None)"
        "Run a coroutine on a new loop and return its result."
        |args| runner::run(&args[0], &args[1], &args[2]);
};

/// What is a coroutine.
const COROUTINES: &[NativeDef] = natives! {
    Function Plain "iscoroutine" "(obj)" "Whether it is a coroutine."
        |args| Ok(task::is_coroutine(&args[0]).into());
    Function Plain "iscoroutinefunction" "(func)" "Whether calling it gives a coroutine."
        |args| Ok(task::is_coroutine_function(&args[0])?.into());
};

/// What is a future.
const FUTURES: &[NativeDef] = natives! {
    Function Plain "isfuture" "(obj)" "Whether it is a Future or a Task."
        |args| {
        if future::of(&args[0]).is_some() {
            return Ok(Value::TRUE);
        }
        if like_future::mark(&args[0])?.is_some() {
            return Ok(Value::TRUE);
        }
        // A mock says it is of the class that it stands for.
        let said = attribute::get(&args[0], Symbol::new("__class__"))?;
        Ok(matches!(&said, Value::Class(of) if of.is_subclass(&class(Type::Future))).into())
    };
};

/// What the parts written in aio ask the runtime for.
const OURS: &[NativeDef] = natives! {
    Function Plain "_run_task" "(loop, task, /)"
        "Run a loop until a task is done; Ctrl-C cancels it." |args| runner::run_task(&args[0], &args[1]);
    Function Plain "_close_loop" "(loop, was_set, /)"
        "Cancel what is left, end async generators and the executor, close the loop." |args| {
        runner::close(&args[0], operator::truth(&args[1])?)?;
        Ok(Value::None)
    };
    Function Plain "_own_event_loop" "()" "The thread's own loop, whether or not one runs."
        |_| current::own_loop();
    Function Plain "_plain_event_loop" "()" "A new event loop, whatever the policy."
        |_| Ok(event_loop::new_loop());
    Function Plain "_set_own_event_loop" "(loop, /)" "Make it the thread's own loop, whatever the policy." |args| {
        current::set_own_loop(loop_or_none(&args[0])?);
        Ok(Value::None)
    };
    Function Plain "_set_policy" "(policy, /)" "Have new event loops made by a policy (None: the usual way)." |args| {
        current::set_policy(args[0].clone());
        Ok(Value::None)
    };
};

/// An event loop or None, as what `set_event_loop` takes.
fn loop_or_none(value: &Value) -> Res {
    if !value.is_none() && !is_instance(value, &class(Type::AbstractEventLoop)) {
        let kind = class_name(value);
        let message = format!("loop must be an instance of AbstractEventLoop or None, not '{kind}'");
        return Err(type_error(message));
    }
    Ok(value.clone())
}

/// The task that a value is.
fn task_of(value: &Value) -> Res<&Ref<Future>> {
    future::of(value)
        .filter(|future| future.task.is_some())
        .ok_or_else(|| type_error(format!("a Task is required, not '{}'", class_name(value))))
}

fn loop_or_running(value: &Value) -> Res {
    match value.given() {
        Some(event_loop) => Ok(event_loop.clone()),
        None => match current::running() {
            Some(event_loop) => Ok(event_loop),
            None => Err(runtime_error("no running event loop")),
        },
    }
}
