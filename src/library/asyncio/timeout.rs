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

    /// A timeout object.
    pub fn value(when: Option<f64>) -> Value {
        Opaque::value(CLASS.with(Ref::clone), Timeout::new(when))
    }

    /// The block begins.
    pub fn enter(object: &Value) -> Res<()> {
        let this = of(object)?;
        if this.state.get() != State::Created {
            return Err(runtime_error("Timeout has already been entered"));
        }
        let task = task::expect_current("Timeout should be used inside a task")?;
        this.state.set(State::Active);
        this.cancelling.set(task::cancelling(&task));
        *this.task.borrow_mut() = Some(task);
        Timeout::reschedule(object, this.when.get())
    }

    /// Another time for an active timeout.
    fn reschedule(object: &Value, when: Option<f64>) -> Res<()> {
        let this = of(object)?;
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
        let expire = EXPIRE.with(Value::clone);
        let handle = if when <= clock::now() {
            event_loop::call_soon(&running, &expire, object, None)?
        } else {
            event_loop::call_at(&running, when, &expire, object, None)?
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
    pub fn exit(object: &Value, error: Option<&Ref<Exception>>) -> Res<()> {
        let this = of(object)?;
        cancel_handle(&this.timer.take());
        match this.state.get() {
            State::Expiring => {
                this.state.set(State::Expired);
                let task = this.task.borrow().clone();
                let left = task.map_or(0, |task| task::uncancel(&task));
                // A cancellation from outside counts more than the timeout's own.
                if left <= this.cancelling.get()
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
            State::Active => this.state.set(State::Finished),
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

pub fn names() -> Vec<(Symbol, Value)> {
    let mut names = functions(FUNCTIONS, "asyncio");
    names.push((Symbol::new("Timeout"), CLASS.with(Ref::clone).into()));
    names
}

/// The timeout that an object is.
fn of(object: &Value) -> Res<&Timeout> {
    object
        .opaque()
        .ok_or_else(|| crate::interp::error::type_error("a Timeout is required"))
}

fn this(args: &[Value]) -> Res<&Timeout> {
    of(&args[0])
}

fn moment(value: &Value) -> Res<Option<f64>> {
    value.given().map(seconds).transpose()
}

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "timeout" "(delay)" "Give an `async with` block delay seconds; None for no limit." |args| {
        let delay = args[0].given().map(super::event_loop::delay).transpose()?;
        let running = current::get_running_loop()?;
        event_loop::expect(&running)?;
        Ok(Timeout::value(delay.map(|delay| clock::now() + delay)))
    };
    Function Plain "timeout_at" "(when)" "Give an `async with` block until a time on the loop's clock."
        |args| Ok(Timeout::value(moment(&args[0])?));
};

const TIMEOUT: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, when)" "A timeout for a time on the loop's clock." |args| {
        Ok(Opaque::value(class_argument(args)?, Timeout::new(moment(&args[1])?)))
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
        Timeout::reschedule(&args[0], moment(&args[1])?)?;
        Ok(Value::None)
    };
    Method Coroutine "__aenter__" "(self, /)" "The block begins." |args| {
        Timeout::enter(&args[0])?;
        Ok(Step::Return(args[0].clone()))
    };
    Method Coroutine "__aexit__" "(self, exc_type, exc_val, exc_tb, /)" "The block ends." |args| {
        let error = match &args[2] {
            Value::Exception(error) => Some(Ref::clone(error)),
            _ => None,
        };
        Timeout::exit(&args[0], error.as_ref())?;
        Ok(Step::Return(Value::None))
    };
};
