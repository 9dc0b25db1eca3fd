//! The module `_thread`: starting threads, and the lock that all others are made of.

use crate::interp::error::{raise, runtime_error, type_error, value_error};
use crate::interp::types::{Type, class, class_name};
use crate::interp::{call, operator, payload, text};
use crate::library::asyncio::{functions, install, natives};
use crate::library::modules::time::seconds_given;
use crate::runtime::{clock, hooks, signal, thread};
use crate::source::Symbol;
use crate::value::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// The longest timeout of a lock, in seconds.
const TIMEOUT_MAX: f64 = 9_223_372_036.0;

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = functions(FUNCTIONS, "_thread");
    for lock in ["LockType", "lock"] {
        names.push((Symbol::new(lock), class(Type::Lock).into()));
    }
    names.push((Symbol::new("error"), class(Type::RuntimeError).into()));
    names.push((Symbol::new("TIMEOUT_MAX"), Value::float(TIMEOUT_MAX)));
    names
}

/// Gives the class `lock` its methods. Once for each OS thread.
pub fn install_types() {
    install(&class(Type::Lock), LOCK);
}

/// A lock between threads. Who waits is woken in order of arrival.
#[derive(Default)]
struct Lock {
    locked: Cell<bool>,
    /// The number of the thread that took it last.
    holder: Cell<u64>,
    waiting: RefCell<VecDeque<Rc<thread::Thread>>>,
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
        while self.locked.get() {
            if !blocking || until.is_some_and(|until| clock::now() >= until) {
                return Ok(false);
            }
            self.waiting.borrow_mut().push_back(me.clone());
            let woken = thread::block_for(this, until);
            self.waiting.borrow_mut().retain(|t| !Rc::ptr_eq(t, &me));
            if woken.is_err() {
                self.pass_on();
            }
            woken?;
        }
        self.locked.set(true);
        self.holder.set(me.id);
        Ok(true)
    }

    /// Wakes the next if the lock is free.
    fn pass_on(&self) {
        if !self.locked.get() {
            let next = self.waiting.borrow().front().cloned();
            if let Some(next) = next {
                thread::wake(&next);
            }
        }
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
    let lock = lock.opaque::<Lock>()?;
    lock.locked.get().then(|| lock.holder.get())
}

fn acquire(args: &[Value]) -> Res {
    let lock = Lock::of(&args[0])?;
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
    let until = (timeout >= 0.0).then(|| clock::now() + timeout);
    Ok(lock.acquire(&args[0], blocking, until)?.into())
}

const LOCK: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, /)" "An unlocked lock."
        |_| Ok(Opaque::value(class(Type::Lock), Lock::default()));
    Method Plain "__init__" "(self)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "acquire" "(self, blocking=True, timeout=-1)"
        "Take the lock, waiting at most timeout seconds; tell whether it was taken." acquire;
    Method Plain "release" "(self)" "Let the lock go, and wake the first who waits." |args| {
        Lock::of(&args[0])?.release()?;
        Ok(Value::None)
    };
    Method Plain "locked" "(self)" "Whether a thread holds the lock."
        |args| Ok(Lock::of(&args[0])?.locked.get().into());
    Method Plain "__enter__" "(self)" "Take the lock."
        |args| Ok(Lock::of(&args[0])?.acquire(&args[0], true, None)?.into());
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
    Function Plain "_set_name" "(name, /)" "Name this thread, for reports." |args| {
        if let Some(name) = payload::text_of(&args[0]) {
            thread::current().set_name(name);
        }
        Ok(Value::None)
    };
    Function Plain "_shown" "(exception, /)" "The text of an exception with its traceback, for stderr." |args| {
        Ok(match &args[0] {
            Value::Exception(error) => (hooks().traceback)(error).into(),
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
