//! `itertools`: iterators made of iterators. All of them are lazy, and each is a class of its own.

mod choose;
mod group;
mod select;

use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{class_name, class_of, named_class};
use crate::interp::{call, iterate, operator, text};
use crate::library::builtins::type_form::CLASS_GETITEM;
use crate::library::builtins::{self, class_method, method};
use crate::source::Symbol;
use crate::value::iterator::{Items, IteratorState};
use crate::value::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A class of iterators: its full name, and how one is made.
struct Tool {
    name: &'static str,
    new: NativeDef,
}

/// A row of the tables: name, signature and doc, and what makes the iterator.
macro_rules! tool {
    ($name:literal, $signature:literal, $doc:literal, $make:expr $(,)?) => {
        $crate::library::modules::itertools::Tool {
            name: $name,
            new: $crate::library::builtins::static_method("__new__", $signature, $doc, |args| {
                let make: fn(&[Value]) -> Res = $make;
                Ok($crate::interp::payload::made_for(&args[0], make(args)?))
            }),
        }
    };
}
use tool;

const TOOLS: &[&[Tool]] = &[ENDLESS, select::TOOLS, choose::TOOLS, group::TOOLS];

const ENDLESS: &[Tool] = &[
    tool!(
        "itertools.count",
        "(cls, start=0, step=1)",
        "Make an iterator of evenly spaced numbers.",
        count,
    ),
    tool!(
        "itertools.cycle",
        "(cls, iterable, /)",
        "Make an iterator that goes round the items for ever.",
        cycle,
    ),
    tool!(
        "itertools.repeat",
        "(cls, object, times=None)",
        "Make an iterator of one object, again and again.",
        repeat,
    ),
    tool!(
        "itertools.accumulate",
        "(cls, iterable, func=None, *, initial=None)",
        "Make an iterator of running totals.",
        accumulate,
    ),
    tool!(
        "itertools.chain",
        "(cls, /, *iterables)",
        "Make an iterator of the items of one iterable after another.",
        |args| {
            Ok(chain(NativeIterator::from_items(
                "tuple_iterator",
                iterate::collect(&args[1])?,
            )))
        },
    ),
];

/// What every iterator of the module can do.
const COMMON: &[NativeDef] = &[
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        Ok(args[0].clone())
    }),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        iterate::next(plain(&args[0]))?.ok_or_else(|| stop_iteration(Value::None))
    }),
    builtins::iterators::COPY,
];

const CHAIN: &[NativeDef] = &[class_method(
    "from_iterable",
    "(cls, iterable, /)",
    "Make a chain of the iterables that one iterable gives.",
    |args| Ok(made_for(&args[0], chain(iterate::iter(&args[1])?))),
)];

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = Vec::new();
    for tool in TOOLS.iter().copied().flatten() {
        let class = named_class(tool.name);
        builtins::add(&class, COMMON);
        builtins::add(&class, std::slice::from_ref(&tool.new));
        names.push((Symbol::new(class.name()), class.into()));
    }
    builtins::add(&named_class("itertools.chain"), CHAIN);
    builtins::add(&named_class("itertools.chain"), CLASS_GETITEM);
    builtins::add(&named_class("itertools.count"), COUNT);
    builtins::add(&named_class("itertools.repeat"), REPEAT);
    builtins::add(&named_class("itertools._grouper"), COMMON);
    builtins::add(&named_class("itertools._tee"), group::TEE);
    names.extend(super::functions("itertools", &[group::FUNCTIONS]));
    names
}

/// How an iterator with data of its own is copied; what is an iterator of another kind is copied as such.
const fn copier<T: Clone + 'static>() -> NativeDef {
    method(
        "__copy__",
        "(self, /)",
        "An iterator that goes on from the same place.",
        |args| match args[0].opaque::<T>() {
            Some(data) => Ok(Opaque::value(class_of(&args[0]), data.clone())),
            None => builtins::iterators::copy(&args[0]),
        },
    )
}

/// A count by something else than machine ints.
#[derive(Clone)]
struct Count {
    next: RefCell<Value>,
    step: Value,
}

fn count(args: &[Value]) -> Res {
    let default = |value: &Value, default| {
        if value.is_unset() {
            Value::Int(default)
        } else {
            value.clone()
        }
    };
    let (start, step) = (default(&args[1], 0), default(&args[2], 1));
    for number in [&start, &step] {
        let is_number = matches!(
            plain(number),
            Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Bool(_)
        ) || call::special(number, crate::source::name::FLOAT).is_some()
            || call::special(number, crate::source::name::INDEX).is_some();
        if !is_number {
            return Err(type_error("a number is required"));
        }
    }
    if let (Value::Int(next), Value::Int(step)) = (&start, &step)
        && next.unsigned_abs() < 1 << 60
        && step.unsigned_abs() < 1 << 20
    {
        // Whoever counts past these 2**40 numbers has waited for a day.
        let state = IteratorState::Range {
            next: *next,
            left: 1 << 40,
            step: *step,
        };
        return Ok(NativeIterator::value("itertools.count", state));
    }
    Ok(Opaque::value(
        named_class("itertools.count"),
        Count {
            next: RefCell::new(start),
            step,
        },
    ))
}

/// Where a count stands, and its step.
fn count_state(this: &Value) -> Res<(Value, Value)> {
    if let Value::Iterator(iterator) = plain(this)
        && let IteratorState::Range { next, step, .. } = &*iterator.state.borrow()
    {
        return Ok((Value::Int(*next), Value::Int(*step)));
    }
    match this.opaque::<Count>() {
        Some(count) => Ok((count.next.borrow().clone(), count.step.clone())),
        None => Err(wrong_self("__next__", "count", this)),
    }
}

const COUNT: &[NativeDef] = &[
    copier::<Count>(),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        if let counted @ Value::Iterator(_) = plain(&args[0]) {
            return iterate::next(counted)?.ok_or_else(|| stop_iteration(Value::None));
        }
        let (now, step) = count_state(&args[0])?;
        let next = operator::binary(BinaryOp::Add, &now, &step)?;
        if let Some(count) = args[0].opaque::<Count>() {
            let old = count.next.replace(next);
            drop(old);
        }
        Ok(now)
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let (next, step) = count_state(&args[0])?;
        let next = text::repr(&next)?;
        let kind = class_of(&args[0]).name();
        Ok(Value::from(match &step {
            Value::Int(1) => format!("{kind}({next})"),
            step => format!("{kind}({next}, {})", text::repr(step)?),
        }))
    }),
];

fn repeat(args: &[Value]) -> Res {
    let left = match &args[2] {
        Value::Unset => None,
        times => Some(small(times)?.max(0)),
    };
    let state = IteratorState::Repeat {
        object: args[1].clone(),
        left,
    };
    Ok(NativeIterator::value("itertools.repeat", state))
}

/// What is repeated, and how often still (none: for ever).
fn repeated(this: &Value) -> Res<(Value, Option<i64>)> {
    if let Value::Iterator(iterator) = plain(this)
        && let IteratorState::Repeat { object, left } = &*iterator.state.borrow()
    {
        return Ok((object.clone(), *left));
    }
    Err(wrong_self("__next__", "repeat", this))
}

const REPEAT: &[NativeDef] = &[
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let (object, left) = repeated(&args[0])?;
        let (kind, object) = (class_of(&args[0]).name(), text::repr(&object)?);
        Ok(Value::from(match left {
            None => format!("{kind}({object})"),
            Some(left) => format!("{kind}({object}, {left})"),
        }))
    }),
    method(
        "__length_hint__",
        "(self, /)",
        "How many items are left.",
        |args| match repeated(&args[0])?.1 {
            Some(left) => Ok(Value::Int(left)),
            None => Err(type_error("len() of unsized object")),
        },
    ),
];

fn cycle(args: &[Value]) -> Res {
    let iterator = RefCell::new(Some(iterate::iter(&args[1])?));
    // A copy goes round the same items.
    let seen = Rc::new(RefCell::new(Vec::new()));
    let at = Cell::new(0);
    Ok(NativeIterator::from_fn("itertools.cycle", move || {
        let source = iterator.borrow().clone();
        if let Some(source) = source {
            if let Some(item) = iterate::next(&source)? {
                seen.borrow_mut().push(item.clone());
                return Ok(Some(item));
            }
            let old = iterator.take();
            drop(old);
        }
        let seen = seen.borrow();
        let item = seen.get(at.get()).cloned();
        at.set(if at.get() + 1 < seen.len() {
            at.get() + 1
        } else {
            0
        });
        Ok(item)
    }))
}

fn accumulate(args: &[Value]) -> Res {
    let iterator = iterate::iter(&args[1])?;
    let func = args[2].given().cloned();
    let initial = RefCell::new(args[3].given().cloned());
    let total: RefCell<Option<Value>> = RefCell::new(None);
    Ok(NativeIterator::from_fn("itertools.accumulate", move || {
        let first = initial.take();
        let before = total.borrow().clone();
        let next = match (first, before) {
            (Some(first), _) => first,
            (None, before) => match (iterate::next(&iterator)?, before) {
                (None, _) => return Ok(None),
                (Some(item), None) => item,
                (Some(item), Some(before)) => match &func {
                    Some(func) => call::call(func, &[before, item])?,
                    None => operator::binary(BinaryOp::Add, &before, &item)?,
                },
            },
        };
        let old = total.replace(Some(next.clone()));
        drop(old);
        Ok(Some(next))
    }))
}

/// The items of the iterables that an iterator gives.
#[derive(Clone)]
struct Chain {
    iterables: Value,
    /// The iterator of the iterable that is gone through now.
    current: RefCell<Option<Value>>,
}

fn chain(iterables: Value) -> Value {
    let current = RefCell::default();
    NativeIterator::made("itertools.chain", Chain { iterables, current })
}

impl Chain {
    /// The iterator that the next item comes from, after the last one's end was seen.
    fn source(&self, is_over: bool) -> Res<Option<Value>> {
        if is_over {
            let old = self.current.take();
            drop(old);
        }
        let now = self.current.borrow().clone();
        if now.is_some() {
            return Ok(now);
        }
        let Some(iterable) = iterate::next(&self.iterables)? else {
            return Ok(None);
        };
        let next = iterate::iter(&iterable)?;
        let old = self.current.replace(Some(next.clone()));
        drop(old);
        Ok(Some(next))
    }
}

impl Items for Chain {
    fn next(&self) -> Res<Option<Value>> {
        let mut is_over = false;
        while let Some(source) = self.source(is_over)? {
            if let Some(item) = iterate::next(&source)? {
                return Ok(Some(item));
            }
            is_over = true;
        }
        Ok(None)
    }

    fn all(&self, items: &mut Vec<Value>) -> Res<()> {
        let mut is_over = false;
        while let Some(source) = self.source(is_over)? {
            iterate::take_all(&source, items)?;
            is_over = true;
        }
        Ok(())
    }
}

/// An argument that is a count of things.
fn size(value: &Value, negative: &str) -> Res<usize> {
    if !has_index(value) {
        return Err(type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            class_name(value)
        )));
    }
    usize::try_from(small(value)?).map_err(|_| value_error(negative))
}
