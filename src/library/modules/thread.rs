//! The module `_thread`: starting threads, and the lock that all others are made of.

mod reentrant;

use crate::interp::error::{raise, runtime_error, type_error, value_error};
use crate::interp::types::{Type, class, class_name};
use crate::interp::{call, operator, payload, text};
use crate::library::asyncio::natives;
use crate::library::builtins::add;
use crate::library::modules::time::seconds_given;
use crate::runtime::instrument::{Event, tell};
use crate::runtime::thread::Woken;
use crate::runtime::{clock, hooks, signal, thread};
use crate::source::Symbol;
use crate::value::*;
use reentrant::RLock;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// The longest timeout of a lock, in seconds.
const TIMEOUT_MAX: f64 = 9_223_372_036.0;

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_thread", &[FUNCTIONS]);
    for lock in ["LockType", "lock"] {
        names.push((Symbol::new(lock), class(Type::Lock).into()));
    }
    names.push((Symbol::new("RLock"), class(Type::RLock).into()));
    names.push((Symbol::new("error"), class(Type::RuntimeError).into()));
    names.push((Symbol::new("TIMEOUT_MAX"), Value::float(TIMEOUT_MAX)));
    names
}

/// Gives the locks their methods. Once for each OS thread.
pub fn install_types() {
    add(&class(Type::Lock), LOCK);
    add(&class(Type::RLock), reentrant::RLOCK);
}

/// A lock between threads. Who waits is woken in order of arrival; whoever comes first then takes
/// it, but one that came too late once is given it next time. (Threads that take turns by count
/// could keep somebody from a lock for ever.)
#[derive(Default)]
struct Lock {
    locked: Cell<bool>,
    /// The number of the thread that took it last.
    holder: Cell<u64>,
    waiting: RefCell<VecDeque<Waiter>>,
}

struct Waiter {
    thread: Rc<thread::Thread>,
    /// It was woken, and found the lock taken again.
    came_late: bool,
}

impl Lock {
    fn of(value: &Value) -> Res<&Lock> {
        value
            .opaque()
            .ok_or_else(|| type_error(format!("a lock is required, not '{}'", class_name(value))))
    }

    /// Takes it, waiting until the clock shows `until`; whether it was taken.
    /// `this` is the lock as a value.
    fn acquire(&self, this: &Value, blocking: bool, until: Option<f64>) -> Res<bool> {
        let me = thread::current();
        if self.locked.get() {
            return Ok(blocking && self.wait(this, &me, until)?);
        }
        self.take(&me);
        Ok(true)
    }

    fn take(&self, thread: &Rc<thread::Thread>) {
        self.locked.set(true);
        self.holder.set(thread.id);
    }

    fn wait(&self, this: &Value, me: &Rc<thread::Thread>, until: Option<f64>) -> Res<bool> {
        self.waiting.borrow_mut().push_back(Waiter {
            thread: me.clone(),
            came_late: false,
        });
        loop {
            if until.is_some_and(|until| clock::now() >= until) {
                self.leave(me);
                return Ok(false);
            }
            let outcome = thread::block_for(this, until);
            let is_given = !self.waiting.borrow().iter().any(|w| Rc::ptr_eq(&w.thread, me));
            let woken = match outcome {
                Ok(woken) => woken,
                Err(raised) => {
                    if is_given {
                        self.locked.set(false);
                    }
                    self.leave(me);
                    self.pass_on();
                    return Err(raised);
                }
            };
            if is_given {
                return Ok(true);
            }
            if !self.locked.get() {
                self.leave(me);
                self.take(me);
                return Ok(true);
            }
            let mut waiting = self.waiting.borrow_mut();
            let mine = waiting.iter_mut().find(|w| Rc::ptr_eq(&w.thread, me));
            mine.into_iter()
                .for_each(|w| w.came_late |= woken == Woken::Called);
        }
    }

    fn leave(&self, me: &Rc<thread::Thread>) {
        self.waiting.borrow_mut().retain(|w| !Rc::ptr_eq(&w.thread, me));
    }

    /// Wakes the next if the lock is free, or gives it the lock.
    fn pass_on(&self) {
        if self.locked.get() {
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        let Some(next) = waiting.front() else { return };
        let thread = next.thread.clone();
        if next.came_late {
            self.take(&thread);
            waiting.pop_front();
        }
        drop(waiting);
        thread::wake(&thread);
    }

    fn release(&self) -> Res<()> {
        if !self.locked.replace(false) {
            return Err(runtime_error("release unlocked lock"));
        }
        self.pass_on();
        Ok(())
    }
}

/// The number of the thread that holds a lock.
pub fn holder(lock: &Value) -> Option<u64> {
    let plain = lock.opaque::<Lock>();
    let lock = plain.or_else(|| Some(&lock.opaque::<RLock>()?.lock))?;
    lock.locked.get().then(|| lock.holder.get())
}

/// Whether to wait, and until when, by the arguments of an `acquire()`.
fn patience(args: &[Value]) -> Res<(bool, Option<f64>)> {
    let blocking = args[1].is_unset() || operator::truth(&args[1])?;
    let timeout = match &args[2] {
        Value::Unset => -1.0,
        given => seconds_given(given)?,
    };
    if !blocking && timeout != -1.0 {
        return Err(value_error("can't specify a timeout for a non-blocking call"));
    }
    if timeout < 0.0 && timeout != -1.0 {
        return Err(value_error("timeout value must be a non-negative number"));
    }
    if timeout > TIMEOUT_MAX {
        return Err(raise(Type::OverflowError, "timeout value is too large"));
    }
    Ok((blocking, (timeout >= 0.0).then(|| clock::now() + timeout)))
}

fn acquire(args: &[Value]) -> Res {
    let lock = Lock::of(&args[0])?;
    let (blocking, until) = patience(args)?;
    Ok(lock.acquire(&args[0], blocking, until)?.into())
}

const LOCK: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, /)" "An unlocked lock."
        |_| Ok(Opaque::value(class(Type::Lock), Lock::default()));
    Method Plain "__init__" "(self)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "acquire" "(self, blocking=True, timeout=-1)"
        "Take the lock, waiting at most timeout seconds; tell whether it was taken." acquire;
    Method Plain "release" "(self, /)" "Let the lock go, and wake the first who waits." |args| {
        Lock::of(&args[0])?.release()?;
        Ok(Value::None)
    };
    Method Plain "locked" "(self, /)" "Whether a thread holds the lock."
        |args| Ok(Lock::of(&args[0])?.locked.get().into());
    Method Plain "__enter__" "(self, blocking=True, timeout=-1)" "Take the lock." acquire;
    Method Plain "__exit__" "(self, *exc)" "Let the lock go." |args| {
        Lock::of(&args[0])?.release()?;
        Ok(Value::None)
    };
    Method Plain "__repr__" "(self, /)" "Whether a thread holds it." |args| {
        let state = if Lock::of(&args[0])?.locked.get() { "locked" } else { "unlocked" };
        Ok(format!("<{state} _thread.lock object at {}>", text::address(&args[0])).into())
    };
};

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "start_new_thread" "(function, args, kwargs={}, /)"
        "Call the function in a new thread; gives its number."
        |args| {
        if !call::is_callable(&args[0]) {
            return Err(type_error("first arg must be callable"));
        }
        let Value::Tuple(positional) = payload::plain(&args[1]) else {
            return Err(type_error("2nd arg must be a tuple"));
        };
        let kwargs = match &args[2] {
            Value::Unset => vec![],
            Value::Dict(dict) => dict.symbol_entries(),
            _ => return Err(type_error("optional 3rd arg must be a dictionary")),
        };
        // The module `threading` waits for its own threads; those of `_thread` go with the program.
        match thread::spawn(args[0].clone(), positional.items.to_vec(), kwargs, None, true) {
            Ok(started) => Ok(Value::Int(started.id as i64)),
            Err(_) => Err(runtime_error("can't start new thread")),
        }
    };
    Function Plain "allocate_lock" "()" "A new unlocked lock."
        |_| Ok(Opaque::value(class(Type::Lock), Lock::default()));
    Function Plain "get_ident" "()" "The number of this thread."
        |_| Ok(Value::Int(thread::current().id as i64));
    Function Plain "get_native_id" "()" "The number of this thread."
        |_| Ok(Value::Int(thread::current().id as i64));
    Function Plain "_count" "()" "How many threads there are beside the main one."
        |_| Ok(thread::count().into());
    Function Plain "_start" "(function, name, /)" "Call the function in a new thread of this name." |args| {
        let name = payload::text_of(&args[1]);
        match thread::spawn(args[0].clone(), vec![], vec![], name, true) {
            Ok(_) => Ok(Value::None),
            Err(_) => Err(runtime_error("can't start new thread")),
        }
    };
    Function Plain "_uncaught" "(exception, /)"
        "The text of an exception that ended a thread, with its traceback, for stderr."
        |args| {
        Ok(match &args[0] {
            Value::Exception(error) => {
                tell(|| Event::Uncaught(error));
                format!("{}{}", (hooks().traceback)(error), (hooks().help)(error)).into()
            }
            _ => Value::None,
        })
    };
    Function Plain "interrupt_main" "(signum=2, /)" "Act in the main thread as if a signal had come." |args| {
        let number = match args[0].given() {
            Some(number) => payload::small(number)?,
            None => i64::from(signal::SIGINT),
        };
        if !(1..=64).contains(&number) {
            return Err(value_error("signal number out of range"));
        }
        signal::pretend(number as i32)?;
        Ok(Value::None)
    };
};
