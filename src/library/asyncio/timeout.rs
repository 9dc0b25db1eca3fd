//! `timeout`, `timeout_at` and the class `Timeout`.

use super::wait::{cancel_handle, seconds, timeout_from};
use super::{class_argument, functions, natives, object_class};
use crate::interp::error::{raise_empty, runtime_error};
use crate::interp::group;
use crate::interp::text;
use crate::interp::types::{Type, is_exception};
use crate::runtime::{clock, current, event_loop, future, task};
use crate::source::Symbol;
use crate::value::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Where a timeout stands; the word that its repr shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Created,
    Active,
    /// Its time came and it cancelled the task.
    Expiring,
    Expired,
    Finished,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Created => "created",
            State::Active => "active",
            State::Expiring => "expiring",
            State::Expired => "expired",
            State::Finished => "finished",
        }
    }
}

/// A limit on the time of the block that a task is in.
pub struct Timeout {
    state: Cell<State>,
    when: Cell<Option<f64>>,
    task: RefCell<Option<Ref<Future>>>,
    /// The handle of its timer, or unset.
    timer: ValueCell,
    /// How many cancellations the task had when it entered.
    cancelling: Cell<u32>,
}

impl Timeout {
    pub fn new(when: Option<f64>) -> Timeout {
        Timeout {
            state: Cell::new(State::Created),
            when: Cell::new(when),
            task: RefCell::new(None),
            timer: ValueCell::default(),
            cancelling: Cell::new(0),
        }
    }

    /// The block begins.
    pub fn enter(this: &Rc<Timeout>) -> Res<()> {
        if this.state.get() != State::Created {
            return Err(runtime_error("Timeout has already been entered"));
        }
        let task = task::expect_current("Timeout should be used inside a task")?;
        this.state.set(State::Active);
        this.cancelling.set(task::cancelling(&task));
        *this.task.borrow_mut() = Some(task);
        Timeout::reschedule(this, this.when.get())
    }

    /// Another time for an active timeout.
    fn reschedule(this: &Rc<Timeout>, when: Option<f64>) -> Res<()> {
        match this.state.get() {
            State::Active => {}
            State::Created => return Err(runtime_error("Timeout has not been entered")),
            state => {
                return Err(runtime_error(format!(
                    "Cannot change state of {} Timeout",
                    state.word()
                )));
            }
        }
        this.when.set(when);
        cancel_handle(&this.timer.take());
        let Some(when) = when else { return Ok(()) };
        let running = current::get_running_loop()?;
        let (expire, args) = (EXPIRE.with(Value::clone), [value_of(this)]);
        let handle = if when <= clock::now() {
            event_loop::call_soon(&running, &expire, &args, None)?
        } else {
            event_loop::call_at(&running, when, &expire, &args, None)?
        };
        this.timer.set(handle);
        Ok(())
    }

    fn expire(&self) -> Res<()> {
        let task = self.task.borrow().clone();
        if let Some(task) = task {
            future::cancel(&task, &Value::None)?;
        }
        self.state.set(State::Expiring);
        self.timer.set(Value::Unset);
        Ok(())
    }

    /// The block ends, with an exception or without. Fails with TimeoutError if the exception is
    /// the timeout's own cancellation.
    pub fn exit(&self, error: Option<&Ref<Exception>>) -> Res<()> {
        cancel_handle(&self.timer.take());
        match self.state.get() {
            State::Expiring => {
                self.state.set(State::Expired);
                let task = self.task.borrow().clone();
                let left = task.map_or(0, |task| task::uncancel(&task));
                // A cancellation from outside counts more than the timeout's own.
                if left <= self.cancelling.get()
                    && let Some(error) = error
                {
                    if is_exception(error, Type::CancelledError) {
                        return Err(timeout_from(error));
                    }
                    mark(error);
                    for inner in group::members(error).unwrap_or_default() {
                        if let Value::Exception(inner) = &inner {
                            mark(inner);
                        }
                    }
                }
            }
            State::Active => self.state.set(State::Finished),
            State::Created | State::Expired | State::Finished => {}
        }
        Ok(())
    }
}

/// Where an error arose from the cancellation, says that this was a timeout.
fn mark(error: &Ref<Exception>) {
    let mut at = error.clone();
    loop {
        let Value::Exception(context) = &at.context.get() else {
            return;
        };
        if is_exception(context, Type::CancelledError) {
            let timeout = raise_empty(Type::TimeoutError).take();
            timeout.cause.set(Ref::clone(context).into());
            timeout.context.set(Ref::clone(context).into());
            timeout.suppress_context.set(true);
            at.context.set(timeout.into());
            return;
        }
        at = Ref::clone(context);
    }
}

thread_local! {
    static CLASS: Ref<Class> = object_class("Timeout", "asyncio.timeouts", TIMEOUT);
    /// What a timer calls with the timeout.
    static EXPIRE: Value = Native::closure("Timeout._on_timeout", "(timeout)", |args| {
        this(args)?.expire()?;
        Ok(Value::None)
    });
}

/// An object for a timeout, for its timer to hold.
fn value_of(timeout: &Rc<Timeout>) -> Value {
    Opaque::value(CLASS.with(Ref::clone), timeout.clone())
}

pub fn names() -> Vec<(Symbol, Value)> {
    let mut names = functions(FUNCTIONS, "asyncio");
    names.push((Symbol::new("Timeout"), CLASS.with(Ref::clone).into()));
    names
}

fn timeout_value(when: Option<f64>) -> Value {
    value_of(&Rc::new(Timeout::new(when)))
}

fn this(args: &[Value]) -> Res<&Rc<Timeout>> {
    args[0]
        .opaque()
        .ok_or_else(|| crate::interp::error::type_error("a Timeout is required"))
}

fn moment(value: &Value) -> Res<Option<f64>> {
    value.given().map(seconds).transpose()
}

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "timeout" "(delay)" "Give an `async with` block delay seconds; None for no limit." |args| {
        let delay = moment(&args[0])?;
        let running = current::get_running_loop()?;
        event_loop::expect(&running)?;
        Ok(timeout_value(delay.map(|delay| clock::now() + delay)))
    };
    Function Plain "timeout_at" "(when)" "Give an `async with` block until a time on the loop's clock."
        |args| Ok(timeout_value(moment(&args[0])?));
};

const TIMEOUT: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, when)" "A timeout for a time on the loop's clock." |args| {
        Ok(Opaque::value(class_argument(args)?, Rc::new(Timeout::new(moment(&args[1])?))))
    };
    Method Plain "__init__" "(self, *args)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "__repr__" "(self, /)" "Its state and time." |args| {
        let timeout = this(args)?;
        let state = timeout.state.get();
        let when = match (state, timeout.when.get()) {
            (State::Active, None) => " when=None".to_string(),
            (State::Active, Some(when)) => {
                format!(" when={}", text::repr(&Value::float((when * 1000.0).round() / 1000.0))?)
            }
            _ => String::new(),
        };
        Ok(format!("<Timeout [{}]{when}>", state.word()).into())
    };
    Method Plain "when" "(self, /)" "When its time is over, or None."
        |args| Ok(this(args)?.when.get().map_or(Value::None, Value::float));
    Method Plain "expired" "(self, /)" "Whether its time was over before the block ended."
        |args| Ok(matches!(this(args)?.state.get(), State::Expiring | State::Expired).into());
    Method Plain "reschedule" "(self, /, when)" "Set another time; None for no limit." |args| {
        Timeout::reschedule(this(args)?, moment(&args[1])?)?;
        Ok(Value::None)
    };
    Method Coroutine "__aenter__" "(self, /)" "The block begins." |args| {
        Timeout::enter(this(args)?)?;
        Ok(Step::Return(args[0].clone()))
    };
    Method Coroutine "__aexit__" "(self, exc_type, exc_val, exc_tb, /)" "The block ends." |args| {
        let error = match &args[2] {
            Value::Exception(error) => Some(Ref::clone(error)),
            _ => None,
        };
        this(args)?.exit(error.as_ref())?;
        Ok(Step::Return(Value::None))
    };
};
