//! The lock that its owner may take again.

use super::{Lock, patience};
use crate::interp::error::{runtime_error, type_error};
use crate::interp::text;
use crate::interp::types::class_name;
use crate::library::asyncio::{class_argument, natives};
use crate::runtime::thread;
use crate::value::*;
use std::cell::Cell;

/// It is free once released as often as taken.
#[derive(Default)]
pub(super) struct RLock {
    pub(super) lock: Lock,
    /// How often its owner has taken it.
    count: Cell<usize>,
}

impl RLock {
    fn of(value: &Value) -> Res<&RLock> {
        value
            .opaque()
            .ok_or_else(|| type_error(format!("an RLock is required, not '{}'", class_name(value))))
    }

    fn is_owned(&self) -> bool {
        self.count.get() > 0 && self.lock.holder.get() == thread::current().id
    }

    /// `this` is the lock as a value.
    fn acquire(&self, this: &Value, blocking: bool, until: Option<f64>) -> Res<bool> {
        if self.is_owned() {
            self.count.set(self.count.get() + 1);
            return Ok(true);
        }
        let taken = self.lock.acquire(this, blocking, until)?;
        if taken {
            self.count.set(1);
        }
        Ok(taken)
    }

    fn release(&self) -> Res<()> {
        self.check_owned()?;
        self.count.set(self.count.get() - 1);
        match self.count.get() {
            0 => self.lock.release(),
            _ => Ok(()),
        }
    }

    fn check_owned(&self) -> Res<()> {
        match self.is_owned() {
            true => Ok(()),
            false => Err(runtime_error("cannot release un-acquired lock")),
        }
    }
}

fn acquire(args: &[Value]) -> Res {
    let (blocking, until) = patience(args)?;
    Ok(RLock::of(&args[0])?.acquire(&args[0], blocking, until)?.into())
}

pub(super) const RLOCK: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A lock that is free."
        |args| Ok(Opaque::value(class_argument(args)?, RLock::default()));
    Method Plain "__init__" "(self, *args, **kwargs)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "acquire" "(self, blocking=True, timeout=-1)"
        "Take the lock, waiting at most timeout seconds; tell whether it was taken." acquire;
    Method Plain "release" "(self, /)" "Give the lock back once." |args| {
        RLock::of(&args[0])?.release()?;
        Ok(Value::None)
    };
    Method Plain "__enter__" "(self, blocking=True, timeout=-1)" "Take the lock." acquire;
    Method Plain "__exit__" "(self, *exc)" "Give the lock back once." |args| {
        RLock::of(&args[0])?.release()?;
        Ok(Value::None)
    };
    Method Plain "_is_owned" "(self)" "Whether this thread holds the lock."
        |args| Ok(RLock::of(&args[0])?.is_owned().into());
    Method Plain "_recursion_count" "(self)" "How often this thread has taken the lock." |args| {
        let lock = RLock::of(&args[0])?;
        Ok(if lock.is_owned() { lock.count.get() } else { 0 }.into())
    };
    Method Plain "_release_save" "(self)" "Let the lock go whole; gives what _acquire_restore() needs." |args| {
        let this = RLock::of(&args[0])?;
        this.check_owned()?;
        let saved = [this.count.take().into(), Value::Int(this.lock.holder.get() as i64)];
        this.lock.release()?;
        Ok(Value::tuple(saved))
    };
    Method Plain "_acquire_restore" "(self, state, /)" "Take the lock as often as it was before _release_save()." |args| {
        let this = RLock::of(&args[0])?;
        let count = match &args[1] {
            Value::Tuple(saved) => match saved.items.first() {
                Some(&Value::Int(count)) => usize::try_from(count).unwrap_or(1),
                _ => 1,
            },
            _ => return Err(type_error("_acquire_restore() argument 1 must be tuple")),
        };
        this.lock.acquire(&args[0], true, None)?;
        this.count.set(count);
        Ok(Value::None)
    };
    Method Plain "__repr__" "(self, /)" "Who holds it, and how often." |args| {
        let this = RLock::of(&args[0])?;
        let count = this.count.get();
        let (state, owner) = match count {
            0 => ("unlocked", 0),
            _ => ("locked", this.lock.holder.get()),
        };
        let class = class_name(&args[0]);
        Ok(format!("<{state} {class} object owner={owner} count={count} at {}>", text::address(&args[0])).into())
    };
};
