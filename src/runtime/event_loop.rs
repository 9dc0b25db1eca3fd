//! The event loop: what is ready, what is due, and one pass after another.
//!
//! Always true: a pass runs exactly the jobs that were ready when it began; what they schedule
//! waits for the next pass. Due timers join the ready jobs before the pass begins.

use super::handle::{Handle, call_back};
use super::instrument::{Event, tell};
use super::ready::{Job, Ready};
use super::timer::Timers;
use super::{
    Speaker, asyncgen, clock, current, derived, future, hooks, inbox, like_future, signal, task, thread,
};
use crate::code::BinaryOp;
use crate::interp::error::{runtime_error, type_error};
use crate::interp::types::{Type, class, class_name};
use crate::interp::{attribute, call, operator, origin, payload, text};
use crate::source::Symbol;
use crate::value::context::{self, Context};
use crate::value::opaque::Container;
use crate::value::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// An event loop.
#[derive(Default)]
pub struct EventLoop {
    ready: RefCell<Ready>,
    timers: RefCell<Timers>,
    /// Handles of signals that have come since the last pass began.
    heard: RefCell<Vec<Value>>,
    /// The task whose step runs now.
    current: RefCell<Option<Ref<Future>>>,
    /// The script thread that runs it.
    running_in: RefCell<Option<Rc<thread::Thread>>>,
    /// That thread waits for this loop to have something to do.
    waiting: Cell<bool>,
    stopping: Cell<bool>,
    closed: Cell<bool>,
    /// Its class is a script's, or it has attributes in the place of methods.
    pub is_derived: Cell<bool>,
    pub debug: Cell<bool>,
    /// How deep coroutines told where they are made before this loop ran in debug mode.
    tracked_before: Cell<Option<usize>>,
    /// The script's exception handler, or unset.
    pub exception_handler: ValueCell,
    /// The script's task factory, or unset.
    pub task_factory: ValueCell,
    /// The default executor, or unset.
    pub executor: ValueCell,
    pub executor_shut_down: Cell<bool>,
    pub asyncgens_shut_down: Cell<bool>,
    pub slow_callback_duration: ValueCell,
}

impl Container for EventLoop {
    fn cover(&self) {
        self.is_derived.set(true);
    }

    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        if let (Ok(ready), Ok(timers)) = (self.ready.try_borrow(), self.timers.try_borrow()) {
            ready.iter().for_each(|job| job.each_part(each));
            timers.laid_out().for_each(each);
        }
    }

    fn outline(&self) -> Vec<Value> {
        // Lists are walked from their end. What is ready lies in a deque of handles.
        let held = |job: Job| match job {
            Job::Handle(handle) => handle,
            job => Value::tuple([Value::tuple(job.parts())]),
        };
        let ready = self.ready().into_iter().rev().map(held).collect();
        // A sleep's future is an argument of a handle.
        let due = |due: &Value| match due {
            Value::Future(_) => Value::tuple([Value::tuple([due.clone()])]),
            handle => handle.clone(),
        };
        let mut cancelled = Vec::new();
        self.timers.borrow_mut().first(&mut cancelled);
        drop(cancelled);
        let timers = self.timers.borrow().laid_out().map(due).collect();
        let settings = [&self.task_factory, &self.exception_handler].map(ValueCell::get);
        [Value::list(ready), Value::list(timers)]
            .into_iter()
            .chain(settings)
            .collect()
    }
}

/// Whether a loop is in debug mode.
#[inline(always)]
pub fn is_debug(event_loop: &Value) -> bool {
    EventLoop::of(event_loop).is_some_and(|event_loop| event_loop.debug.get())
}

/// A new event loop object.
pub fn new_loop() -> Value {
    new_of_class(class(Type::EventLoop))
}

/// A new event loop of a class, which a script may have derived.
pub fn new_of_class(class: Ref<Class>) -> Value {
    if class.is_subclass(&crate::interp::types::class(Type::EventLoop)) {
        (hooks().log)(Speaker::NEW_LOOP, "Using selector: EpollSelector", None);
    }
    let event_loop = EventLoop {
        is_derived: Cell::new(class.is_script),
        ..EventLoop::default()
    };
    Opaque::value(class, event_loop)
}

/// The loop a value is, or TypeError.
pub fn expect(value: &Value) -> Res<&EventLoop> {
    EventLoop::of(value)
        .ok_or_else(|| type_error(format!("an event loop is required, not {}", class_name(value))))
}

impl EventLoop {
    #[inline]
    pub fn of(value: &Value) -> Option<&EventLoop> {
        value.opaque()
    }

    /// Adds a job to what is ready.
    #[inline]
    pub fn push(&self, job: Job) {
        self.ready.borrow_mut().push(job);
        if self.waiting.get() {
            self.wake();
        }
    }

    /// Takes the next job that is ready.
    #[inline(always)]
    fn next_job(&self) -> Option<Job> {
        self.ready.borrow_mut().pop()
    }

    #[cold]
    fn wake(&self) {
        let thread = self.running_in.borrow().clone();
        if let Some(thread) = thread {
            thread::wake(&thread);
        }
    }

    /// A signal has come that a handle is for.
    pub fn hear(&self, handle: Value) {
        self.heard.borrow_mut().push(handle);
        if self.waiting.get() {
            self.wake();
        }
    }

    fn has_nothing_ready(&self) -> bool {
        self.ready.borrow().is_empty() && self.heard.borrow().is_empty()
    }

    #[inline]
    pub fn check_closed(&self) -> Res<()> {
        if self.closed.get() {
            Err(runtime_error("Event loop is closed"))
        } else {
            Ok(())
        }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Whether coroutines tell where they are made, in debug mode while it runs.
    fn track_origins(&self, enabled: bool) {
        match (enabled, self.tracked_before.get()) {
            (true, None) => self
                .tracked_before
                .set(Some(origin::set_depth(origin::DEBUG_DEPTH))),
            (false, Some(before)) => {
                origin::set_depth(before);
                self.tracked_before.set(None);
            }
            _ => {}
        }
    }

    pub fn is_running(&self) -> bool {
        self.running_in.borrow().is_some()
    }

    /// The number of the thread that runs it, if one does.
    pub fn thread_id(&self) -> Option<u64> {
        self.running_in.borrow().as_ref().map(|thread| thread.id)
    }

    /// Whether it runs, and not in the current thread.
    pub fn runs_elsewhere(&self) -> bool {
        let running_in = self.running_in.borrow();
        running_in
            .as_ref()
            .is_some_and(|thread| !Rc::ptr_eq(thread, &thread::current()))
    }

    /// Ends `run_forever` after the current pass.
    pub fn stop(&self) {
        self.stopping.set(true);
        if self.waiting.get() {
            self.wake();
        }
    }

    pub fn current_task(&self) -> Option<Ref<Future>> {
        self.current.borrow().clone()
    }

    /// Makes a task the current one; gives the one before.
    #[inline]
    pub fn set_current_task(&self, task: Option<Ref<Future>>) -> Option<Ref<Future>> {
        self.current.replace(task)
    }

    pub fn note_cancelled_timer(&self) {
        self.timers.borrow_mut().note_cancelled();
    }

    /// Jobs that are ready and timers that are set, for reports.
    pub fn backlog(&self) -> (usize, Vec<(f64, Value)>) {
        (self.ready.borrow().len(), self.timers.borrow().entries())
    }

    /// The jobs that are ready, in order.
    pub fn ready(&self) -> Vec<Job> {
        self.ready.borrow().iter().cloned().collect()
    }

    /// The timers that are set or were cancelled, by their time.
    pub fn scheduled(&self) -> Vec<(f64, Value)> {
        self.timers.borrow().all()
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Has a sleep's future settled at a time.
    pub fn settle_at(&self, when: f64, future: Ref<Future>) {
        tell(|| Event::TimerSet { when });
        self.timers.borrow_mut().add(when, future.into());
    }

    fn set_timer(&self, when: f64, handle: &Value) {
        tell(|| Event::TimerSet { when });
        if let Some(h) = handle.opaque::<Handle>() {
            h.scheduled.set(true);
        }
        self.timers.borrow_mut().add(when, handle.clone());
        if self.waiting.get() {
            self.wake(); // it may be due before what the loop waits for
        }
    }
}

/// `loop.call_soon(callback, *args, context=…)`: the handle. `args` is as for [`Handle::value`].
pub fn call_soon(this: &Value, callback: &Value, args: &Value, context: Option<Rc<Context>>) -> Res {
    let event_loop = taking(this, callback, "call_soon")?;
    tell(|| Event::CallSoon {
        event_loop: this,
        callback,
    });
    push_handle(this, event_loop, callback, args, context)
}

/// `loop.call_soon_threadsafe(callback, *args, context=…)`: as `call_soon`, from any thread.
pub fn call_soon_threadsafe(
    this: &Value,
    callback: &Value,
    args: &Value,
    context: Option<Rc<Context>>,
) -> Res {
    let event_loop = taking(this, callback, "call_soon_threadsafe")?;
    push_handle(this, event_loop, callback, args, context)
}

fn push_handle(
    this: &Value,
    event_loop: &EventLoop,
    callback: &Value,
    args: &Value,
    context: Option<Rc<Context>>,
) -> Res {
    let handle = Handle::value(
        this,
        callback,
        args,
        context.unwrap_or_else(context::snapshot),
        Value::Unset,
    );
    event_loop.push(Job::Handle(handle.clone()));
    Ok(handle)
}

/// `loop.call_at(when, callback, *args, context=…)`: the handle. `args` is as for `call_soon`.
pub fn call_at(
    this: &Value,
    when: &Value,
    callback: &Value,
    args: &Value,
    context: Option<Rc<Context>>,
) -> Res {
    let event_loop = taking(this, callback, "call_at")?;
    tell(|| Event::CallAt {
        event_loop: this,
        callback,
    });
    let due = moment(when)?;
    let context = context.unwrap_or_else(context::snapshot);
    let handle = Handle::value(this, callback, args, context, when.clone());
    event_loop.set_timer(due, &handle);
    Ok(handle)
}

/// The time on a loop's clock so many seconds from now.
pub fn after(this: &Value, delay: &Value) -> Res {
    let now = derived::now(this, expect(this)?)?;
    match delay {
        Value::Float(delay) => Ok(Value::float(now + delay.get())),
        Value::Int(delay) if delay.unsigned_abs() <= 1 << 53 => Ok(Value::float(now + *delay as f64)),
        other => operator::binary(BinaryOp::Add, &Value::float(now), other),
    }
}

/// A time on a loop's clock as a number.
pub fn moment(when: &Value) -> Res<f64> {
    match payload::plain(when) {
        Value::Float(x) => Ok(x.get()),
        Value::Int(n) => Ok(*n as f64),
        Value::Str(_) | Value::Bytes(_) | Value::List(_) | Value::None => Err(no_time(when)),
        _ => payload::real(when).map_err(|raised| {
            drop(raised.take());
            no_time(when)
        }),
    }
}

/// Times are compared.
#[cold]
fn no_time(when: &Value) -> Raised {
    type_error(format!(
        "'<' not supported between instances of '{}' and 'float'",
        class_name(when)
    ))
}

/// The loop, if it takes the callback that a method was given.
fn taking<'a>(this: &'a Value, callback: &Value, method: &str) -> Res<&'a EventLoop> {
    let event_loop = expect(this)?;
    event_loop.check_closed()?;
    if event_loop.debug.get() {
        if method != "call_soon_threadsafe" && event_loop.runs_elsewhere() {
            return Err(runtime_error(
                "Non-thread-safe operation invoked on an event loop other than the current one",
            ));
        }
        check_callback(callback, method)?;
    }
    Ok(event_loop)
}

/// A coroutine, or a function that gives one, is no callback.
pub fn refuse_coroutine(callback: &Value, method: &str) -> Res<()> {
    if task::is_coroutine(callback) || task::is_coroutine_function(callback)? {
        return Err(type_error(format!("coroutines cannot be used with {method}()")));
    }
    Ok(())
}

/// In debug mode: a callback must be callable and no coroutine.
fn check_callback(callback: &Value, method: &str) -> Res<()> {
    refuse_coroutine(callback, method)?;
    if !call::is_callable(callback) {
        let shown = text::repr(callback)?;
        return Err(type_error(format!(
            "a callable object was expected by {method}(), got {shown}"
        )));
    }
    Ok(())
}

/// One pass: wait if nothing is ready, move what is due to what is ready, run what is ready.
pub fn run_once(this: &Value) -> Res<()> {
    let event_loop = expect(this)?;
    wait(this, event_loop)?;
    if !event_loop.heard.borrow().is_empty() {
        take_heard(this, event_loop);
    }
    let gone = event_loop.timers.borrow_mut().sweep();
    drop(gone);
    let first = event_loop.timers.borrow().earliest();
    let end = match first {
        None => f64::NEG_INFINITY,
        Some(first) if !event_loop.is_derived.get() && clock::is_well_before(first) => f64::NEG_INFINITY,
        Some(_) => clock::due_before(derived::now(this, event_loop)?),
    };
    loop {
        let Some((when, due)) = event_loop.timers.borrow_mut().pop_due(end) else {
            break;
        };
        tell(|| Event::TimerFired { when });
        event_loop.ready.borrow_mut().push(match &due {
            Value::Future(future) => Job::Settle(Ref::clone(future)),
            handle => {
                if let Some(h) = handle.opaque::<Handle>() {
                    h.scheduled.set(false);
                }
                Job::Handle(due.clone())
            }
        });
    }
    let count = event_loop.ready.borrow().len();
    for _ in 0..count {
        if event_loop.debug.get() {
            match event_loop.next_job() {
                Some(job) => run_timed(job, this, event_loop)?,
                None => break,
            }
        } else {
            match event_loop.next_job() {
                Some(job) => run(job, this)?,
                None => break,
            }
        }
    }
    Ok(())
}

/// Signals that have come take part in this pass, in which their handles become ready.
#[cold]
fn take_heard(this: &Value, event_loop: &EventLoop) {
    for handle in event_loop.heard.take() {
        let ready = move |done: &Ref<Future>| {
            if let Some(event_loop) = EventLoop::of(done.event_loop()) {
                event_loop.push(Job::Handle(handle.clone()));
            }
        };
        event_loop.push(Job::Native(Rc::new(ready), Ref::new(Future::new(this.clone()))));
    }
}

/// In debug mode: what takes long is told.
#[cold]
fn run_timed(job: Job, this: &Value, event_loop: &EventLoop) -> Res<()> {
    let subject = match &job {
        Job::Step(task) | Job::Throw(task, _) | Job::Wake(task, _) => Some(task.clone().into()),
        Job::Handle(handle) => Some(handle.clone()),
        Job::Script(callback, context, future) => {
            let args = Value::tuple([future.clone().into()]);
            Some(Handle::value(
                this,
                callback,
                &args,
                context.clone(),
                Value::Unset,
            ))
        }
        Job::Settle(_) | Job::Native(..) => None,
    };
    let before = clock::now();
    let result = run(job, this);
    let took = clock::now() - before;
    let limit = match event_loop.slow_callback_duration.get() {
        Value::Unset => 0.1,
        limit => payload::real(&limit)?,
    };
    if let Some(subject) = subject.filter(|_| took >= limit) {
        let shown = task::shown(&subject);
        let message = format!("Executing {shown} took {took:.3} seconds");
        (hooks().log)(Speaker::PASS, &message, None);
    }
    result
}

/// Lets others go on; returns when this loop has something to do.
fn wait(this: &Value, event_loop: &EventLoop) -> Res<()> {
    if !event_loop.has_nothing_ready() || event_loop.stopping.get() {
        inbox::poll();
        return thread::preempt();
    }
    let mut dropped = Vec::new();
    let until = event_loop.timers.borrow_mut().first(&mut dropped);
    drop(dropped);
    let ahead = match event_loop.is_derived.get() {
        true => derived::now(this, event_loop)? - clock::now(),
        false => 0.0,
    };
    let until = until.map(|when| when - ahead);
    if until.is_some_and(|when| when <= clock::now()) {
        inbox::poll();
        return thread::preempt();
    }
    // What the drops above scheduled must not be slept over.
    if !event_loop.has_nothing_ready() {
        return Ok(());
    }
    event_loop.waiting.set(true);
    let woken = thread::block(until, thread::IN_LOOP);
    event_loop.waiting.set(false);
    woken.map(|_| ())
}

#[inline(always)]
fn run(job: Job, event_loop: &Value) -> Res<()> {
    match job {
        Job::Step(task) => task::step(&task, None),
        Job::Wake(task, by) => {
            tell(|| Event::WokenBy { task: &task, by: &by });
            task::step(&task, None)
        }
        Job::Throw(task, exception) => task::step(&task, Some(exception)),
        Job::Settle(future) => {
            task::end_sleep(&future);
            Ok(())
        }
        Job::Script(callback, context, future) => call_back(&callback, context, future, event_loop),
        Job::Native(callback, future) => {
            callback(&future);
            Ok(())
        }
        Job::Handle(handle) => match handle.opaque::<Handle>() {
            Some(h) => h.run(&handle),
            None => Ok(()),
        },
    }
}

/// `loop.run_forever()`: passes until `stop()`.
pub fn run_forever(this: &Value) -> Res<()> {
    let event_loop = expect(this)?;
    event_loop.check_closed()?;
    check_running(event_loop)?;
    *event_loop.running_in.borrow_mut() = Some(thread::current());
    event_loop.track_origins(event_loop.debug.get());
    let before = current::set_running(this.clone());
    let result = loop {
        let result = derived::run_once(this, event_loop);
        if result.is_err() || event_loop.stopping.get() {
            break result;
        }
    };
    event_loop.stopping.set(false);
    let gone = event_loop.running_in.borrow_mut().take();
    drop(gone);
    asyncgen::loop_stops();
    drop(current::set_running(before));
    event_loop.track_origins(false);
    result
}

/// `loop.set_debug(enabled)`. A loop that runs tracks origins, or no longer does, from its next pass on.
pub fn set_debug(this: &Value, enabled: bool) -> Res<()> {
    let event_loop = expect(this)?;
    event_loop.debug.set(enabled);
    if event_loop.is_running() {
        let track = move |done: &Ref<Future>| {
            if let Some(event_loop) = EventLoop::of(done.event_loop()) {
                event_loop.track_origins(enabled);
            }
        };
        event_loop.push(Job::Native(Rc::new(track), Ref::new(Future::new(this.clone()))));
    }
    Ok(())
}

pub fn check_running(event_loop: &EventLoop) -> Res<()> {
    if event_loop.is_running() {
        return Err(runtime_error("This event loop is already running"));
    }
    if current::running().is_some() {
        return Err(runtime_error(
            "Cannot run the event loop while another loop is running",
        ));
    }
    Ok(())
}

/// `loop.run_until_complete(future)`
pub fn run_until_complete(this: &Value, awaitable: &Value) -> Res {
    future::result(&run_until_done(this, awaitable)?)
}

/// Runs the loop until what is awaited is done; gives its future.
pub fn run_until_done(this: &Value, awaitable: &Value) -> Res<Ref<Future>> {
    let event_loop = expect(this)?;
    event_loop.check_closed()?;
    check_running(event_loop)?;
    let is_new = future::of(awaitable).is_none();
    let future = task::ensure_future(awaitable, Some(this))?;
    if is_new && let Some(task) = &future.task {
        // An exception that leaves here is told already.
        task.log_destroy.set(false);
    }
    let future = like_future::waited(future)?;
    let stop = {
        let this = this.clone();
        move |done: &Ref<Future>| {
            if let Some(error) = future::failure(done)
                && super::handle::ends_program(&error)
            {
                return; // it is on its way out of the loop already
            }
            future::forget(derived::stop(&this));
        }
    };
    let stop = future::add_native(&future, stop);
    let result = derived::run_forever(this);
    future::remove_native(&future, &stop);
    if let Err(raised) = result {
        if is_new && future.is_done() && !future::is_cancelled(&future) {
            future.unseen.set(false);
        }
        return Err(raised);
    }
    if !future.is_done() {
        return Err(runtime_error("Event loop stopped before Future completed."));
    }
    Ok(future)
}

/// `loop.close()`
pub fn close(this: &Value) -> Res<()> {
    let event_loop = expect(this)?;
    if event_loop.is_running() {
        return Err(runtime_error("Cannot close a running event loop"));
    }
    if event_loop.closed.get() {
        return Ok(());
    }
    if event_loop.debug.get() {
        (hooks().log)(Speaker::CLOSE, &format!("Close {}", task::shown(this)), None);
    }
    event_loop.closed.set(true);
    signal::forget_loop(this);
    let ready = std::mem::take(&mut *event_loop.ready.borrow_mut());
    let timers = event_loop.timers.borrow_mut().take();
    event_loop.executor_shut_down.set(true);
    let executor = event_loop.executor.take();
    drop((ready, timers));
    if !executor.is_unset() && !executor.is_none() {
        let no_wait = [(Symbol::new("wait"), Value::FALSE)];
        let shutdown = attribute::get(&executor, Symbol::new("shutdown"))?;
        call::call_kw(&shutdown, &[], &no_wait)?;
    }
    Ok(())
}

/// What `create_task` of our own loops does.
pub fn create_task_in(this: &Value, coroutine: &Value, name: &Value, context: Option<Rc<Context>>) -> Res {
    let event_loop = expect(this)?;
    event_loop.check_closed()?;
    let factory = event_loop.task_factory.get();
    if factory.given().is_none() {
        return Ok(task::create(this, coroutine, name, context, false)?.into());
    }
    let context = context.map(|context| (Symbol::new("context"), context_value(context)));
    let kwargs: Vec<_> = context.into_iter().collect();
    let task = call::call_kw(&factory, &[this.clone(), coroutine.clone()], &kwargs)?;
    let name = name.given().cloned().unwrap_or(Value::None);
    call::call_method(&task, Symbol::new("set_name"), &[name])?;
    Ok(task)
}

/// A context as its object of the class `contextvars.Context`.
pub fn context_value(context: Rc<Context>) -> Value {
    context
        .object
        .get_or_make(|| Opaque::value(class(Type::Context), context.clone()))
}

/// The context that a `context=` argument names, if one was given.
pub fn context_of(value: &Value) -> Res<Option<Rc<Context>>> {
    match value.given() {
        None => Ok(None),
        Some(value) => match value.opaque::<Rc<Context>>() {
            Some(context) => {
                context.object.get_or_make(|| value.clone());
                Ok(Some(context.clone()))
            }
            None => Err(type_error(format!(
                "a contextvars.Context was expected, got {}",
                class_name(value)
            ))),
        },
    }
}

/// `<_UnixSelectorEventLoop running=True closed=False debug=False>`
pub fn repr(this: &Value) -> Res<String> {
    let event_loop = expect(this)?;
    let word = |b: bool| if b { "True" } else { "False" };
    Ok(format!(
        "<{} running={} closed={} debug={}>",
        class_name(this),
        word(event_loop.is_running()),
        word(event_loop.is_closed()),
        word(event_loop.debug.get())
    ))
}
