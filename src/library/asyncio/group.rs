//! The class `TaskGroup`: tasks that end together.

use super::{class_argument, natives, none_if_unset, open_class, wait};
use crate::interp::call;
use crate::interp::error::{runtime_error, type_error};
use crate::interp::text;
use crate::interp::types::{Type, class, is_exception};
use crate::runtime::event_loop::context_of;
use crate::runtime::handle::ends_program;
use crate::runtime::{current, derived, future, like_future, report, task};
use crate::source::Symbol;
use crate::value::future::NativeCallback;
use crate::value::generator::{Obstacle, Resume};
use crate::value::*;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[derive(Default)]
struct Group {
    event_loop: ValueCell,
    entered: Cell<bool>,
    exiting: Cell<bool>,
    aborting: Cell<bool>,
    parent: RefCell<Option<Ref<Future>>>,
    parent_cancel_requested: Cell<bool>,
    /// The pending tasks by address, each with its number in order of creation.
    tasks: RefCell<FxHashMap<usize, (u64, Ref<Future>)>>,
    created: Cell<u64>,
    /// What each task calls when it is done.
    on_done: RefCell<Option<NativeCallback>>,
    errors: RefCell<Vec<Ref<Exception>>>,
    /// The first KeyboardInterrupt or SystemExit.
    base_error: RefCell<Option<Ref<Exception>>>,
    /// What the end of the block waits for.
    all_done: RefCell<Option<Ref<Future>>>,
}

/// A group has room for so many tasks from the first one on.
const USUAL: usize = 14;

thread_local! {
    static CLASS: Ref<Class> = {
        let base = vec![class(Type::Object)];
        open_class("TaskGroup", "asyncio.taskgroups", base, Layout::Opaque, METHODS)
    };
}

pub fn names() -> Vec<(Symbol, Value)> {
    vec![(Symbol::new("TaskGroup"), CLASS.with(Ref::clone).into())]
}

impl Group {
    fn of(value: &Value) -> Res<&Rc<Group>> {
        value
            .opaque()
            .ok_or_else(|| type_error("a TaskGroup is required"))
    }

    fn parent(&self) -> Option<Ref<Future>> {
        self.parent.borrow().clone()
    }

    /// Cancels the tasks that are left.
    fn abort(&self) -> Res<()> {
        self.aborting.set(true);
        for task in self.in_order().iter().filter(|task| !task.is_done()) {
            future::cancel(task)?;
        }
        Ok(())
    }

    /// The pending tasks in order of creation.
    fn in_order(&self) -> Vec<Ref<Future>> {
        let mut tasks: Vec<_> = self.tasks.borrow().values().cloned().collect();
        tasks.sort_by_key(|(number, _)| *number);
        tasks.into_iter().map(|(_, task)| task).collect()
    }

    fn note_base_error(&self, error: &Ref<Exception>) {
        if ends_program(error) {
            self.base_error.borrow_mut().get_or_insert_with(|| error.clone());
        }
    }

    fn task_done(&self, task: &Ref<Future>) -> Res<()> {
        let gone = self.tasks.borrow_mut().remove(&task.address());
        drop(gone);
        let all_done = self.all_done.borrow().clone();
        if let Some(all_done) = all_done
            && self.tasks.borrow().is_empty()
        {
            future::set_result_if_pending(&all_done, Value::TRUE);
        }
        let Some(error) = future::failure(task) else {
            return Ok(());
        };
        self.errors.borrow_mut().push(error.clone());
        self.note_base_error(&error);
        let Some(parent) = self.parent() else {
            return Ok(());
        };
        if parent.is_done() {
            let this = task.clone().into();
            let message = format!(
                "Task {} has errored out but its parent task {} is already completed",
                task::shown(&this),
                task::shown(&parent.into())
            );
            let entries = vec![
                ("message", Value::from(message)),
                ("exception", error.into()),
                ("task", this),
            ];
            return report::call_exception_handler(task.event_loop(), entries);
        }
        if !self.aborting.get() && !self.parent_cancel_requested.get() {
            self.abort()?;
            self.parent_cancel_requested.set(true);
            future::cancel(&parent)?;
        }
        Ok(())
    }
}

/// What the tasks of a group call when they are done. It does not keep the group alive: the end of
/// the block does, while there are tasks.
fn on_done(group: &Rc<Group>) -> NativeCallback {
    let mut made = group.on_done.borrow_mut();
    let callback = made.get_or_insert_with(|| {
        let group = Rc::downgrade(group);
        Rc::new(move |task: &Ref<Future>| {
            if let Some(group) = group.upgrade() {
                future::forget(group.task_done(task));
            }
        })
    });
    callback.clone()
}

fn shown(this: &Value) -> String {
    task::shown(this)
}

/// `group.create_task(coroutine)`
fn create_task(args: &[Value]) -> Res {
    let (this, coroutine) = (&args[0], &args[1]);
    let group = Group::of(this)?;
    let refusal = if !group.entered.get() {
        Some("has not been entered")
    } else if group.exiting.get() && group.tasks.borrow().is_empty() {
        Some("is finished")
    } else if group.aborting.get() {
        Some("is shutting down")
    } else {
        None
    };
    if let Some(refusal) = refusal {
        call::call_method(coroutine, Symbol::new("close"), &[])?;
        return Err(runtime_error(format!("TaskGroup {} {refusal}", shown(this))));
    }
    let made = derived::create_task(
        &group.event_loop.get(),
        coroutine,
        &none_if_unset(&args[2]),
        context_of(&args[3])?,
    )?;
    let Some(task) = future::of(&made) else {
        return Ok(made);
    };
    if task.is_done() {
        group.task_done(task)?; // an eager task may be
        return Ok(made);
    }
    let task = &like_future::waited(task.clone())?;
    let number = group.created.get();
    group.created.set(number + 1);
    {
        let mut tasks = group.tasks.borrow_mut();
        if tasks.capacity() == 0 {
            tasks.reserve(USUAL);
        }
        tasks.insert(task.address(), (number, task.clone()));
    }
    future::add_callback(task, Callback::Native(on_done(group)))?;
    Ok(made)
}

fn enter(this: &Value) -> Res<Step> {
    let group = Group::of(this)?;
    if group.entered.get() {
        return Err(runtime_error(format!(
            "TaskGroup {} has already been entered",
            shown(this)
        )));
    }
    group.event_loop.set(current::get_running_loop()?);
    let Some(parent) = current::current_task() else {
        return Err(runtime_error(format!(
            "TaskGroup {} cannot determine the parent task",
            shown(this)
        )));
    };
    *group.parent.borrow_mut() = Some(parent);
    group.entered.set(true);
    Ok(Step::Return(this.clone()))
}

/// The end of the block.
fn leave(this: &Value, error: &Value) -> Res<Step> {
    let group = Group::of(this)?.clone();
    let error = match error {
        Value::Exception(error) => Some(Ref::clone(error)),
        _ => None,
    };
    group.exiting.set(true);
    let mut cancelled = None;
    if let Some(error) = &error {
        group.note_base_error(error);
        if is_exception(error, Type::CancelledError) {
            cancelled = Some(error.clone());
        }
        if !group.aborting.get() {
            group.abort()?;
        }
    }
    let mut leaving = Leaving {
        group,
        error,
        cancelled,
    };
    Ok(match leaving.go_on()? {
        Some(waiter) => Step::AwaitAs(waiter.into(), Box::new(Again { leaving })),
        None => Step::Return(Value::None),
    })
}

/// A group at the end of its block.
struct Leaving {
    group: Rc<Group>,
    /// The block's own exception.
    error: Option<Ref<Exception>>,
    /// A cancellation that came from outside.
    cancelled: Option<Ref<Exception>>,
}

impl Leaving {
    /// The future to wait for while tasks are left; then the end of the group.
    fn go_on(&mut self) -> Res<Option<Ref<Future>>> {
        let group = &self.group;
        if !group.tasks.borrow().is_empty() {
            let waiter = derived::create_future(&group.event_loop.get(), &"task group")?;
            *group.all_done.borrow_mut() = Some(waiter.clone());
            return Ok(Some(waiter));
        }
        let result = self.end();
        // The exceptions' tracebacks lead here: no cycles.
        let group = &self.group;
        let gone = (
            group.parent.take(),
            group.errors.take(),
            group.base_error.take(),
            self.error.take(),
        );
        drop(gone);
        result.map(|()| None)
    }

    fn end(&mut self) -> Res<()> {
        let group = &self.group;
        let base_error = group.base_error.borrow().clone();
        if let Some(error) = base_error {
            return Err(Raised::new(error));
        }
        let parent = group.parent();
        if group.parent_cancel_requested.get() {
            // The group's own cancellation is taken back; another one goes on.
            if parent.as_ref().is_some_and(|parent| task::uncancel(parent) == 0) {
                self.cancelled = None;
            }
        }
        if group.errors.borrow().is_empty()
            && let Some(cancelled) = self.cancelled.take()
        {
            return Err(Raised::new(cancelled));
        }
        if let Some(error) = &self.error
            && !is_exception(error, Type::CancelledError)
        {
            group.errors.borrow_mut().push(error.clone());
        }
        let errors: Vec<Value> = group.errors.borrow().iter().map(|e| e.clone().into()).collect();
        if errors.is_empty() {
            return Ok(());
        }
        // A cancellation from outside must still arrive at the parent's next await.
        if let Some(parent) = parent
            && task::cancelling(&parent) > 0
        {
            task::uncancel(&parent);
            future::cancel(&parent)?;
        }
        let message = Value::from("unhandled errors in a TaskGroup");
        let made = call::call(
            &class(Type::BaseExceptionGroup).into(),
            &[message, Value::list(errors)],
        )?;
        match &made {
            Value::Exception(error) => {
                error.suppress_context.set(true);
                Err(Raised::new(Ref::clone(error)))
            }
            other => Err(type_error(format!(
                "exceptions must derive from BaseException, got {}",
                text::repr(other)?
            ))),
        }
    }
}

/// Waits until the tasks are done, however often it is cancelled.
struct Again {
    leaving: Leaving,
}

impl NativeCoroutine for Again {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        let group = self.leaving.group.clone();
        if let Resume::Raise(exception) = input {
            if !is_exception(&exception, Type::CancelledError) {
                return Err(Raised::again(exception));
            }
            // A cancellation from outside, unless it is the one that a failing task asked for.
            if !group.aborting.get() {
                self.leaving.cancelled = Some(exception);
                group.abort()?;
            }
        }
        let gone = group.all_done.take();
        drop(gone);
        Ok(match self.leaving.go_on()? {
            Some(waiter) => Step::Await(waiter.into()),
            None => Step::Return(Value::None),
        })
    }

    fn name(&self) -> &'static str {
        "TaskGroup.__aexit__"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        Some(Obstacle::Others {
            what: "the tasks of its group:",
            futures: self.leaving.group.in_order(),
        })
    }
}

const METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A group that has not been entered."
        |args| Ok(Opaque::value(class_argument(args)?, Rc::new(Group::default())));
    Method Plain "__init__" "(self)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "__repr__" "(self, /)" "How many tasks it has, and its state." |args| {
        let group = Group::of(&args[0])?;
        let mut out = String::from("<TaskGroup");
        let (tasks, errors) = (group.tasks.borrow().len(), group.errors.borrow().len());
        if tasks > 0 {
            out += &format!(" tasks={tasks}");
        }
        if errors > 0 {
            out += &format!(" errors={errors}");
        }
        if group.aborting.get() {
            out += " cancelling";
        } else if group.entered.get() {
            out += " entered";
        }
        Ok((out + ">").into())
    };
    Method Plain "create_task" "(self, coro, *, name=None, context=None)" "Start a task in the group."
        create_task;
    Method Plain "_abort" "(self)" "Cancel the tasks that are left." |args| {
        Group::of(&args[0])?.abort()?;
        Ok(Value::None)
    };
    Getter Plain "_tasks" "(self)" "The set of its pending tasks." |args| wait::set_of(Group::of(&args[0])?.in_order());
    Getter Plain "_errors" "(self)" "The list of what its tasks failed with." |args| {
        let group = Group::of(&args[0])?;
        Ok(Value::list(group.errors.borrow().iter().cloned().map(Value::from).collect()))
    };
    Getter Plain "_parent_task" "(self)" "The task that entered it, or None."
        |args| Ok(Group::of(&args[0])?.parent().map_or(Value::None, Value::from));
    Getter Plain "_parent_cancel_requested" "(self)" "Whether it cancelled the task that entered it."
        |args| Ok(Group::of(&args[0])?.parent_cancel_requested.get().into());
    Getter Plain "_loop" "(self)" "The loop it was entered on, or None."
        |args| Ok(none_if_unset(&Group::of(&args[0])?.event_loop.get()));
    Getter Plain "_entered" "(self)" "Whether its block began."
        |args| Ok(Group::of(&args[0])?.entered.get().into());
    Getter Plain "_exiting" "(self)" "Whether its block ended."
        |args| Ok(Group::of(&args[0])?.exiting.get().into());
    Getter Plain "_aborting" "(self)" "Whether it cancels its tasks."
        |args| Ok(Group::of(&args[0])?.aborting.get().into());
    Method Coroutine "__aenter__" "(self)" "The block begins." |args| enter(&args[0]);
    Method Coroutine "__aexit__" "(self, et, exc, tb)" "Wait for the tasks; if one failed, cancel the rest."
        |args| leave(&args[0], &args[2]);
};
