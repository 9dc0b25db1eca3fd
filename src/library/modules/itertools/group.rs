//! Iterators that give the same items in other portions: batches, groups, copies.

use super::{Tool, size, tool};
use crate::interp::error::*;
use crate::interp::payload::wrong_self;
use crate::interp::types::named_class;
use crate::interp::{attribute, call, iterate, operator};
use crate::library::builtins::{function, method};
use crate::source::Symbol;
use crate::value::*;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

pub const TOOLS: &[Tool] = &[
    tool!(
        "itertools.batched",
        "(cls, iterable, n, *, strict=False)",
        "Make an iterator of tuples of n items.",
        batched,
    ),
    tool!(
        "itertools.groupby",
        "(cls, iterable, key=None)",
        "Make an iterator of keys and the items that follow each other under it.",
        groupby,
    ),
];

pub const FUNCTIONS: &[NativeDef] = &[function(
    "tee",
    "(iterable, n=2, /)",
    "Return n iterators over the items of one.",
    tee,
)];

fn batched(args: &[Value]) -> Res {
    const TOO_SMALL: &str = "n must be at least one";
    let n = size(&args[2], TOO_SMALL)?;
    if n == 0 {
        return Err(value_error(TOO_SMALL));
    }
    let strict = !args[3].is_unset() && operator::truth(&args[3])?;
    let iterator = iterate::iter(&args[1])?;
    Ok(NativeIterator::single("itertools.batched", move || {
        let mut batch = Vec::with_capacity(n.min(64));
        while batch.len() < n
            && let Some(item) = iterate::next(&iterator)?
        {
            batch.push(item);
        }
        if batch.is_empty() {
            return Ok(None);
        }
        if strict && batch.len() < n {
            return Err(value_error("batched(): incomplete batch"));
        }
        Ok(Some(Value::tuple(batch)))
    }))
}

/// Where a `groupby` stands: its groups read on in the same iterator.
#[derive(Clone)]
struct Groups {
    iterator: Value,
    key: Option<Value>,
    /// The key of the group that was given out last.
    target: ValueCell,
    /// Key and item read last; the item unset once it was given out.
    current_key: ValueCell,
    current: ValueCell,
    /// The number of the group that may still read.
    group: Cell<u64>,
}

/// The state of a `groupby`, of which a copy has one of its own.
struct Reader(Rc<Groups>);

impl Clone for Reader {
    fn clone(&self) -> Reader {
        Reader(Rc::new((*self.0).clone()))
    }
}

impl Groups {
    /// Reads one item on; false at the end.
    fn step(&self) -> Res<bool> {
        let Some(item) = iterate::next(&self.iterator)? else {
            return Ok(false);
        };
        let key = match &self.key {
            Some(key) => call::call(key, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        self.current.set(item);
        self.current_key.set(key);
        Ok(true)
    }
}

fn groupby(args: &[Value]) -> Res {
    let reader = Reader(Rc::new(Groups {
        iterator: iterate::iter(&args[1])?,
        key: args[2].given().cloned(),
        target: ValueCell::default(),
        current_key: ValueCell::default(),
        current: ValueCell::default(),
        group: Cell::new(0),
    }));
    Ok(NativeIterator::from_fn("itertools.groupby", move || {
        let Reader(groups) = &reader;
        groups.group.set(groups.group.get() + 1);
        loop {
            let (current, target) = (groups.current_key.get(), groups.target.get());
            if !current.is_unset() && (target.is_unset() || !operator::same_or_equal(&target, &current)?) {
                break;
            }
            if !groups.step()? {
                return Ok(None);
            }
        }
        let key = groups.current_key.get();
        groups.target.set(key.clone());
        let group = group(groups.clone(), key.clone());
        Ok(Some(Value::tuple([key, group])))
    }))
}

fn group(groups: Rc<Groups>, key: Value) -> Value {
    let number = groups.group.get();
    NativeIterator::from_fn("itertools._grouper", move || {
        if groups.group.get() != number {
            return Ok(None);
        }
        let mut item = groups.current.take();
        if item.is_unset() {
            if !groups.step()? {
                return Ok(None);
            }
            item = groups.current.take();
        }
        if !operator::same_or_equal(&key, &groups.current_key.get())? {
            groups.current.set(item);
            return Ok(None);
        }
        Ok(Some(item))
    })
}

/// One item of a shared iterator and the place after it; empty until somebody reads so far.
#[derive(Default)]
struct Place(OnceCell<(Value, Rc<Place>)>);

impl Drop for Place {
    fn drop(&mut self) {
        // A long chain is taken apart in a loop, not by recursion.
        let mut next = self.0.take();
        while let Some((item, place)) = next {
            drop(item);
            next = Rc::try_unwrap(place).ok().and_then(|mut place| place.0.take());
        }
    }
}

/// What the iterators of one `tee` read from.
struct Source {
    iterator: Value,
    is_read: Cell<bool>,
}

/// One of several iterators over the same items.
struct Tee {
    source: Rc<Source>,
    at: RefCell<Rc<Place>>,
}

impl Tee {
    fn value(source: Rc<Source>, at: Rc<Place>) -> Value {
        let at = RefCell::new(at);
        Opaque::value(named_class("itertools._tee"), Tee { source, at })
    }

    fn fork(&self) -> Value {
        Tee::value(self.source.clone(), self.at.borrow().clone())
    }

    fn next(&self) -> Res<Option<Value>> {
        let place = self.at.borrow().clone();
        if place.0.get().is_none() {
            if self.source.is_read.replace(true) {
                return Err(runtime_error("cannot re-enter the tee iterator"));
            }
            let item = iterate::next(&self.source.iterator);
            self.source.is_read.set(false);
            let Some(item) = item? else {
                return Ok(None);
            };
            let _ = place.0.set((item, Rc::new(Place::default())));
        }
        let Some((item, next)) = place.0.get() else {
            return Ok(None);
        };
        let item = item.clone();
        let old = self.at.replace(next.clone());
        drop(place);
        drop(old);
        Ok(Some(item))
    }
}

fn this_tee(value: &Value) -> Res<&Tee> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("__next__", "itertools._tee", value))
}

/// What an iterator of `tee` can do.
pub const TEE: &[NativeDef] = &[
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        Ok(args[0].clone())
    }),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        this_tee(&args[0])?
            .next()?
            .ok_or_else(|| stop_iteration(Value::None))
    }),
    method(
        "__copy__",
        "(self, /)",
        "An iterator that goes on from the same place.",
        |args| Ok(this_tee(&args[0])?.fork()),
    ),
];

fn tee(args: &[Value]) -> Res {
    let n = match &args[1] {
        Value::Unset => 2,
        n => size(n, "n must be >= 0")?,
    };
    if n == 0 {
        return Ok(Value::tuple([]));
    }
    let iterator = iterate::iter(&args[0])?;
    let copy = Symbol::new("__copy__");
    let can_copy = match &iterator {
        Value::Instance(_) => attribute::find(&iterator, copy)?.is_some(),
        other => other.opaque::<Tee>().is_some(),
    };
    let first = match can_copy {
        true => iterator,
        false => {
            let is_read = Cell::new(false);
            Tee::value(Rc::new(Source { iterator, is_read }), Rc::default())
        }
    };
    let mut all = vec![first.clone()];
    for _ in 1..n {
        all.push(call::call_method(&first, copy, &[])?);
    }
    Ok(Value::tuple(all))
}
