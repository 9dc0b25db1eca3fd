//! `timeout`, `timeout_at` and the class `Timeout`.

use super::wait::{cancel_handle, timeout_from};
use super::{class_argument, natives, open_class};
use crate::code::CompareOp;
use crate::interp::error::{raise_empty, runtime_error};
use crate::interp::types::{Type, class, is_exception};
use crate::interp::{attribute, call, group, operator, text};
use crate::library::modules::functions_in_python;
use crate::runtime::{current, derived, event_loop, future, task};
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
    /// A time on the loop's clock, or None.
    when: ValueCell,
    task: RefCell<Option<Ref<Future>>>,
    /// The handle of its timer, or unset.
    timer: ValueCell,
    /// How many cancellations the task had when it entered.
    cancelling: Cell<u32>,
}

impl Timeout {
    pub fn new(when: Value) -> Timeout {
        Timeout {
            state: Cell::new(State::Created),
            when: ValueCell::new(when),
            task: RefCell::new(None),
            timer: ValueCell::default(),
            cancelling: Cell::new(0),
        }
    }

    /// A timeout object for a time, or None.
    pub fn value(when: Value) -> Value {
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
        match derived::overriding(object, "reschedule") {
            Some(reschedule) => call::call_unbound(&reschedule, object, &[this.when.get()]).map(drop),
            None => Timeout::reschedule(object, this.when.get()),
        }
    }

    /// Another time for an active timeout.
    fn reschedule(object: &Value, when: Value) -> Res<()> {
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
        this.when.set(when.clone());
        cancel_handle(&this.timer.take());
        if when.is_none() {
            return Ok(());
        }
        let running = current::get_running_loop()?;
        let event_loop = event_loop::expect(&running)?;
        let (expire, arg) = match derived::overriding(object, "_on_timeout") {
            Some(_) => (attribute::get(object, Symbol::new("_on_timeout"))?, Value::Unset),
            None => (EXPIRE.with(Value::clone), object.clone()),
        };
        let is_past = match &when {
            Value::Float(when) => derived::is_over(&running, event_loop, when.get())?,
            other => {
                let now = Value::float(derived::now(&running, event_loop)?);
                operator::truth(&operator::compare(CompareOp::LtE, other, &now)?)?
            }
        };
        let handle = if is_past {
            derived::call_soon(&running, &expire, &arg)?
        } else {
            derived::call_at(&running, &when, &expire, &arg, None)?
        };
        this.timer.set(handle);
        Ok(())
    }

    fn expire(&self) -> Res<()> {
        let task = self.task.borrow().clone();
        if let Some(task) = task {
            future::cancel(&task)?;
        }
        self.state.set(State::Expiring);
        self.timer.set(Value::Unset);
        Ok(())
    }

    /// The block ends, with an exception or without. Fails with TimeoutError if the exception is
    /// the timeout's own cancellation.
    pub fn exit(object: &Value, error: Option<&Ref<Exception>>) -> Res<()> {
        let this = of(object)?;
        if !matches!(this.state.get(), State::Active | State::Expiring) {
            return Err(raise_empty(Type::AssertionError));
        }
        cancel_handle(&this.timer.take());
        match this.state.get() {
            State::Expiring => {
                this.state.set(State::Expired);
                let task = this.task.borrow().clone();
                let left = task.map_or(Ok(0), |task| task::uncancel_as_defined(&task))?;
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
    static CLASS: Ref<Class> = {
        let base = vec![class(Type::Object)];
        open_class("Timeout", "asyncio.timeouts", base, Layout::Opaque, TIMEOUT)
    };
    /// What a timer calls with the timeout.
    static EXPIRE: Value = Native::closure("Timeout._on_timeout", "(timeout)", |args| {
        this(args)?.expire()?;
        Ok(Value::None)
    });
}

pub fn names() -> Vec<(Symbol, Value)> {
    let mut names = functions_in_python("asyncio.timeouts", &[FUNCTIONS]);
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

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "timeout" "(delay)" "Give an `async with` block delay seconds; None for no limit." |args| {
        let running = current::get_running_loop()?;
        let when = args[0].given().map_or(Ok(Value::None), |delay| event_loop::after(&running, delay));
        when.map(Timeout::value)
    };
    Function Plain "timeout_at" "(when)" "Give an `async with` block until a time on the loop's clock."
        |args| Ok(Timeout::value(args[0].clone()));
};

const TIMEOUT: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A timeout that has not been entered."
        |args| Ok(Opaque::value(class_argument(args)?, Timeout::new(Value::None)));
    Method Plain "__init__" "(self, when)" "For a time on the loop's clock, or None." |args| {
        this(args)?.when.set(args[1].clone());
        Ok(Value::None)
    };
    Method Plain "__repr__" "(self, /)" "Its state and time." |args| {
        let timeout = this(args)?;
        let state = timeout.state.get();
        let when = match (state, timeout.when.get()) {
            (State::Active, Value::None) => " when=None".to_string(),
            (State::Active, Value::Float(when)) => {
                format!(" when={}", text::repr(&Value::float((when.get() * 1000.0).round() / 1000.0))?)
            }
            (State::Active, when) => format!(" when={}", text::repr(&when)?),
            _ => String::new(),
        };
        Ok(format!("<Timeout [{}]{when}>", state.word()).into())
    };
    Method Plain "when" "(self, /)" "When its time is over, or None."
        |args| Ok(this(args)?.when.get());
    Getter Plain "_when" "(self)" "When its time is over, or None." |args| Ok(this(args)?.when.get());
    Getter Plain "_task" "(self)" "The task that entered it, or None."
        |args| Ok(this(args)?.task.borrow().clone().map_or(Value::None, Value::from));
    Method Plain "expired" "(self, /)" "Whether its time was over before the block ended."
        |args| Ok(matches!(this(args)?.state.get(), State::Expiring | State::Expired).into());
    Method Plain "reschedule" "(self, /, when)" "Set another time; None for no limit." |args| {
        Timeout::reschedule(&args[0], args[1].clone())?;
        Ok(Value::None)
    };
    Method Plain "_on_timeout" "(self)" "Cancel the task: the time is over." |args| {
        this(args)?.expire()?;
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
