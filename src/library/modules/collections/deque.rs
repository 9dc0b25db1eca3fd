//! `deque`: a list that is quick at both ends, and may have a greatest length.
//!
//! Always true: no borrow of the items is held while script code runs; every change of length or
//! order counts up `version`, by which iterators notice it.

use crate::code::CompareOp;
use crate::interp::error::*;
use crate::interp::operator::{self, same_or_equal};
use crate::interp::payload::*;
use crate::interp::types::{class_name, class_of, named_class};
use crate::interp::{call, isinstance, iterate, subscript, text};
use crate::library::builtins::{self, class_method, getter, list, method, static_method};
use crate::source::name;
use crate::value::iterator::Items;
use crate::value::opaque::{self, Container};
use crate::value::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// The data of a deque object.
#[derive(Default)]
pub struct Deque {
    items: RefCell<VecDeque<Value>>,
    most: Cell<Option<usize>>,
    version: Cell<u64>,
}

impl Container for Deque {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        self.items.borrow().iter().for_each(each);
    }

    fn clear(&self) {
        drop(self.items.take());
    }
}

/// A new deque object without a greatest length.
pub fn value(items: impl Into<VecDeque<Value>>) -> Value {
    let deque = Deque {
        items: RefCell::new(items.into()),
        ..Deque::default()
    };
    Opaque::value(class(), deque)
}

/// The class `collections.deque` of this thread.
pub fn class() -> Ref<Class> {
    let class = named_class("collections.deque");
    if class.own(name::NEW).is_none() {
        builtins::add(&class, METHODS);
        builtins::add(&class, OPERATORS);
        opaque::look_into::<Deque>();
        class.set(name::HASH, Value::None);
    }
    class
}

pub fn iterator_class() -> Ref<Class> {
    named_class(ITERATOR)
}

const ITERATOR: &str = "collections._deque_iterator";

impl Deque {
    fn changed(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    fn get(&self, i: usize) -> Option<Value> {
        self.items.borrow().get(i).cloned()
    }

    fn copied(&self) -> Vec<Value> {
        self.items.borrow().iter().cloned().collect()
    }

    pub fn is_empty(&self) -> bool {
        self.items.borrow().is_empty()
    }

    /// Takes out the first item.
    pub fn pop_front(&self) -> Option<Value> {
        let item = self.items.borrow_mut().pop_front()?;
        self.changed();
        Some(item)
    }

    pub fn push_back(&self, item: Value) {
        self.changed();
        let mut items = self.items.borrow_mut();
        items.push_back(item);
        let over = if self.most.get().is_some_and(|most| items.len() > most) {
            items.pop_front()
        } else {
            None
        };
        drop(items);
        drop(over);
    }

    fn push_front(&self, item: Value) {
        self.changed();
        let mut items = self.items.borrow_mut();
        items.push_front(item);
        let over = if self.most.get().is_some_and(|most| items.len() > most) {
            items.pop_back()
        } else {
            None
        };
        drop(items);
        drop(over);
    }

    fn extend(&self, source: &Value) -> Res<()> {
        if source
            .opaque::<Deque>()
            .is_some_and(|other| std::ptr::eq(other, self))
        {
            self.copied().into_iter().for_each(|item| self.push_back(item));
            return Ok(());
        }
        iterate::for_each(source, |item| {
            self.push_back(item);
            Ok(())
        })
    }

    fn clear(&self) {
        self.changed();
        let old = self.items.take();
        drop(old);
    }

    /// Takes out the item at a place, to be dropped without a borrow.
    fn remove(&self, place: usize) -> Option<Value> {
        self.changed();
        self.items.borrow_mut().remove(place)
    }

    fn rotate(&self, n: i64) {
        let mut items = self.items.borrow_mut();
        let len = items.len();
        if len > 1 {
            items.rotate_right(n.rem_euclid(len as i64) as usize);
        }
        drop(items);
        self.changed();
    }

    /// The items times a number, of which the last fit.
    fn repeated(&self, times: i64) -> Res<VecDeque<Value>> {
        let items = self.copied();
        let times = times.max(0) as usize;
        if items.is_empty() {
            return Ok(VecDeque::new());
        }
        // Only the last `most` items stay, so no more than these rounds matter.
        let times = match self.most.get() {
            Some(most) => times.min(most / items.len() + 1),
            None => times,
        };
        if items.len().saturating_mul(times) > 1 << 32 {
            return Err(raise_empty(crate::interp::types::Type::MemoryError));
        }
        let mut all: VecDeque<Value> = (0..times).flat_map(|_| items.iter().cloned()).collect();
        if let Some(most) = self.most.get() {
            let over = all.len().saturating_sub(most);
            all.drain(..over);
        }
        Ok(all)
    }
}

fn this<'a>(value: &'a Value, method: &str) -> Res<&'a Deque> {
    value
        .opaque()
        .ok_or_else(|| wrong_self(method, "collections.deque", value))
}

/// A new deque of the same class and greatest length, with other items.
fn like(this: &Value, items: VecDeque<Value>) -> Res {
    let most = self::this(this, "copy")?.most.get();
    let of = class_of(this);
    if of.is_script {
        let most = most.map_or(Value::None, Value::from);
        return call::call(&of.into(), &[Value::list(items.into()), most]);
    }
    Ok(Opaque::value(
        of,
        Deque {
            items: items.into(),
            most: Cell::new(most),
            version: Cell::new(0),
        },
    ))
}

fn copy(args: &[Value]) -> Res {
    let this = this(&args[0], "copy")?;
    let of = class_of(&args[0]);
    if !of.is_script {
        return like(&args[0], this.items.borrow().clone());
    }
    match this.most.get() {
        None => call::call(&of.into(), &args[..1]),
        Some(most) => call::call(&of.into(), &[args[0].clone(), Value::from(most)]),
    }
}

fn new(args: &[Value]) -> Res {
    let Some(of) = as_class(&args[0]) else {
        return Err(type_error("deque.__new__(X): X is not a type object"));
    };
    Ok(Opaque::value(of.clone(), Deque::default()))
}

fn init(args: &[Value]) -> Res {
    let this = this(&args[0], "__init__")?;
    let most = match args[2].given() {
        None => None,
        Some(most) if !has_index(most) => return Err(type_error("an integer is required")),
        Some(most) => {
            Some(usize::try_from(small(most)?).map_err(|_| value_error("maxlen must be non-negative"))?)
        }
    };
    this.most.set(most);
    if !this.is_empty() {
        this.clear();
    }
    if !args[1].is_unset() {
        this.extend(&args[1])?;
    }
    Ok(Value::None)
}

/// An index argument of `index`: counted from the end if negative, within the deque.
fn mutated() -> Raised {
    runtime_error("deque mutated during iteration")
}

fn not_in(value: &Value) -> Raised {
    match text::repr(value) {
        Ok(shown) => value_error(format!("{shown} is not in deque")),
        Err(raised) => raised,
    }
}

fn index_of(args: &[Value]) -> Res {
    let this = this(&args[0], "index")?;
    let len = this.len();
    let start = list::clamp_index(&args[2], len, 0)?;
    let stop = list::clamp_index(&args[3], len, len)?.min(len);
    let version = this.version.get();
    for i in start..stop {
        let Some(item) = this.get(i) else { break };
        if same_or_equal(&item, &args[1])? {
            return Ok(Value::from(i));
        }
        if this.version.get() != version {
            return Err(mutated());
        }
    }
    Err(not_in(&args[1]))
}

fn count(args: &[Value]) -> Res {
    let this = this(&args[0], "count")?;
    let (version, mut count) = (this.version.get(), 0);
    for i in 0..this.len() {
        let Some(item) = this.get(i) else { break };
        count += i64::from(same_or_equal(&item, &args[1])?);
        if this.version.get() != version {
            return Err(mutated());
        }
    }
    Ok(Value::Int(count))
}

fn remove(args: &[Value]) -> Res {
    let this = this(&args[0], "remove")?;
    let version = this.version.get();
    for i in 0..this.len() {
        let Some(item) = this.get(i) else { break };
        let found = same_or_equal(&item, &args[1])?;
        if this.version.get() != version {
            return Err(index_error("deque mutated during iteration"));
        }
        if found {
            let old = this.remove(i);
            drop(old);
            return Ok(Value::None);
        }
    }
    Err(not_in(&args[1]))
}

fn insert(args: &[Value]) -> Res {
    let this = this(&args[0], "insert")?;
    let at = small(&args[1])?;
    let len = this.len();
    if this.most.get().is_some_and(|most| len >= most) {
        return Err(index_error("deque already at its maximum size"));
    }
    let place = if at < 0 {
        at.saturating_add(len as i64).max(0) as usize
    } else {
        (at as usize).min(len)
    };
    this.changed();
    this.items.borrow_mut().insert(place, args[2].clone());
    Ok(Value::None)
}

fn popped(item: Option<Value>) -> Res {
    item.ok_or_else(|| index_error("pop from an empty deque"))
}

const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Create and return a new object.",
        new,
    ),
    method(
        "__init__",
        "(self, iterable=(), maxlen=None)",
        "Take the items and the greatest length.",
        init,
    ),
    method(
        "append",
        "(self, item, /)",
        "Add an item at the right end.",
        |args| {
            this(&args[0], "append")?.push_back(args[1].clone());
            Ok(Value::None)
        },
    ),
    method(
        "appendleft",
        "(self, item, /)",
        "Add an item at the left end.",
        |args| {
            this(&args[0], "appendleft")?.push_front(args[1].clone());
            Ok(Value::None)
        },
    ),
    method(
        "pop",
        "(self, /)",
        "Remove and return the item at the right end.",
        |args| {
            let this = this(&args[0], "pop")?;
            this.changed();
            let item = this.items.borrow_mut().pop_back();
            popped(item)
        },
    ),
    method(
        "popleft",
        "(self, /)",
        "Remove and return the item at the left end.",
        |args| {
            let this = this(&args[0], "popleft")?;
            this.changed();
            let item = this.items.borrow_mut().pop_front();
            popped(item)
        },
    ),
    method(
        "extend",
        "(self, iterable, /)",
        "Add items at the right end.",
        |args| {
            this(&args[0], "extend")?.extend(&args[1])?;
            Ok(Value::None)
        },
    ),
    method(
        "extendleft",
        "(self, iterable, /)",
        "Add items at the left end, one before the other.",
        |args| {
            let this = this(&args[0], "extendleft")?;
            let source = match args[1].opaque::<Deque>() {
                Some(other) if std::ptr::eq(other, this) => Value::list(other.copied()),
                _ => args[1].clone(),
            };
            iterate::for_each(&source, |item| {
                this.push_front(item);
                Ok(())
            })?;
            Ok(Value::None)
        },
    ),
    method("clear", "(self, /)", "Remove all items.", |args| {
        this(&args[0], "clear")?.clear();
        Ok(Value::None)
    }),
    method("copy", "(self, /)", "Return a shallow copy.", copy),
    method("__copy__", "(self, /)", "Return a shallow copy.", copy),
    method(
        "count",
        "(self, value, /)",
        "Return how many items are equal to the value.",
        count,
    ),
    method(
        "index",
        "(self, value, start=0, stop=9223372036854775807, /)",
        "Return the place of the first item that is equal to the value.",
        index_of,
    ),
    method(
        "insert",
        "(self, index, value, /)",
        "Add a value before a place.",
        insert,
    ),
    method(
        "remove",
        "(self, value, /)",
        "Remove the first item that is equal to the value.",
        remove,
    ),
    method("reverse", "(self, /)", "Turn the order round.", |args| {
        let this = this(&args[0], "reverse")?;
        this.items.borrow_mut().make_contiguous().reverse();
        this.changed();
        Ok(Value::None)
    }),
    method(
        "rotate",
        "(self, n=1, /)",
        "Move n items from the right end to the left.",
        |args| {
            let this = this(&args[0], "rotate")?;
            this.rotate(if args[1].is_unset() { 1 } else { small(&args[1])? });
            Ok(Value::None)
        },
    ),
    getter("maxlen", "The greatest length, or None.", |args| {
        Ok(this(&args[0], "maxlen")?
            .most
            .get()
            .map_or(Value::None, Value::from))
    }),
    class_method("__class_getitem__", "(cls, item, /)", "See PEP 585.", |args| {
        Ok(isinstance::generic_alias(&args[0], &args[1]))
    }),
    method(
        "__reduce__",
        "(self, /)",
        "What copying makes the object of.",
        |args| {
            let this = this(&args[0], "__reduce__")?;
            let given = match this.most.get() {
                None => Value::tuple([]),
                Some(most) => Value::tuple([Value::tuple([]), Value::from(most)]),
            };
            let of = class_of(&args[0]).into();
            let state = match crate::interp::attribute::dict_of(&args[0]) {
                Some(dict) if as_dict(&dict).is_some_and(|dict| !dict.is_empty()) => dict,
                _ => Value::None,
            };
            Ok(Value::tuple([of, given, state, iterate::iter(&args[0])?]))
        },
    ),
];

/// The place that an index names.
fn place(this: &Deque, at: &Value) -> Res<usize> {
    if !has_index(at) {
        return Err(type_error(format!(
            "sequence index must be integer, not '{}'",
            class_name(at)
        )));
    }
    let at = index_or(at, || index_error(too_wide(at)))?;
    subscript::place(at, this.len()).ok_or_else(|| index_error("deque index out of range"))
}

/// What an iterator over a deque goes on from.
#[derive(Clone)]
struct Walk {
    deque: Value,
    /// What the deque's version was.
    version: u64,
    len: usize,
    /// How many items were given.
    at: Cell<usize>,
    reversed: bool,
}

impl Items for Walk {
    fn next(&self) -> Res<Option<Value>> {
        let this = this(&self.deque, "__next__")?;
        if this.version.get() != self.version {
            self.at.set(self.len);
            return Err(mutated());
        }
        let i = self.at.get();
        self.at.set(i + 1);
        Ok(match i < self.len {
            true => this.get(if self.reversed { self.len - 1 - i } else { i }),
            false => None,
        })
    }

    fn all(&self, items: &mut Vec<Value>) -> Res<()> {
        let this = this(&self.deque, "__next__")?;
        if this.version.get() != self.version {
            return Err(mutated());
        }
        let (all, at) = (this.items.borrow(), self.at.replace(self.len));
        let left = self.len.saturating_sub(at);
        match self.reversed {
            true => items.extend(all.iter().rev().skip(at).take(left).cloned()),
            false => items.extend(all.iter().skip(at).take(left).cloned()),
        }
        Ok(())
    }

    fn left(&self) -> Option<usize> {
        Some(self.len.saturating_sub(self.at.get()))
    }
}

fn iterator(args: &[Value], name: &'static str, reversed: bool) -> Res {
    let this = this(&args[0], "__iter__")?;
    let walk = Walk {
        deque: args[0].clone(),
        version: this.version.get(),
        len: this.len(),
        at: Cell::new(0),
        reversed,
    };
    Ok(NativeIterator::made(name, walk))
}

fn compare(op: CompareOp, args: &[Value]) -> Res {
    let Some(other) = args[1].opaque::<Deque>() else {
        return Ok(Value::NotImplemented);
    };
    let this = this(&args[0], "__eq__")?;
    let is_equality = matches!(op, CompareOp::Eq | CompareOp::NotEq);
    if is_equality && this.len() != other.len() {
        return Ok(Value::bool(op == CompareOp::NotEq));
    }
    let (a, b) = (Value::list(this.copied()), Value::list(other.copied()));
    operator::compare(op, &a, &b)
}

const TWO: &str = "(self, value, /)";

const OPERATORS: &[NativeDef] = &[
    method("__len__", "(self, /)", "Return len(self).", |args| {
        Ok(Value::from(this(&args[0], "__len__")?.len()))
    }),
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        iterator(args, ITERATOR, false)
    }),
    method("__reversed__", "(self, /)", "Implement reversed(self).", |args| {
        iterator(args, "_collections._deque_reverse_iterator", true)
    }),
    method(
        "__contains__",
        "(self, key, /)",
        "Return whether an item is equal to the key.",
        |args| {
            let this = this(&args[0], "__contains__")?;
            let version = this.version.get();
            for i in 0..this.len() {
                let Some(item) = this.get(i) else { break };
                if same_or_equal(&item, &args[1])? {
                    return Ok(Value::TRUE);
                }
                if this.version.get() != version {
                    return Err(mutated());
                }
            }
            Ok(Value::FALSE)
        },
    ),
    method("__getitem__", "(self, key, /)", "Return self[key].", |args| {
        let this = this(&args[0], "__getitem__")?;
        let place = place(this, &args[1])?;
        this.get(place)
            .ok_or_else(|| index_error("deque index out of range"))
    }),
    method(
        "__setitem__",
        "(self, key, value, /)",
        "Set self[key] to value.",
        |args| {
            let this = this(&args[0], "__setitem__")?;
            let place = place(this, &args[1])?;
            let old = this
                .items
                .borrow_mut()
                .get_mut(place)
                .map(|item| std::mem::replace(item, args[2].clone()));
            drop(old);
            Ok(Value::None)
        },
    ),
    method("__delitem__", "(self, key, /)", "Delete self[key].", |args| {
        let this = this(&args[0], "__delitem__")?;
        let old = this.remove(place(this, &args[1])?);
        drop(old);
        Ok(Value::None)
    }),
    method("__add__", TWO, "Return self+value.", |args| {
        let this = this(&args[0], "__add__")?;
        if args[1].opaque::<Deque>().is_none() {
            return Err(type_error(format!(
                "can only concatenate deque (not \"{}\") to deque",
                class_name(&args[1])
            )));
        }
        let made = like(&args[0], this.items.borrow().clone())?;
        self::this(&made, "extend")?.extend(&args[1])?;
        Ok(made)
    }),
    method("__iadd__", TWO, "Implement self+=value.", |args| {
        this(&args[0], "__iadd__")?.extend(&args[1])?;
        Ok(args[0].clone())
    }),
    method("__mul__", TWO, "Return self*value.", |args| {
        let times = times(&args[1])?;
        like(&args[0], this(&args[0], "__mul__")?.repeated(times)?)
    }),
    method("__rmul__", TWO, "Return value*self.", |args| {
        let times = times(&args[1])?;
        like(&args[0], this(&args[0], "__rmul__")?.repeated(times)?)
    }),
    method("__imul__", TWO, "Implement self*=value.", |args| {
        let this = this(&args[0], "__imul__")?;
        let items = this.repeated(times(&args[1])?)?;
        this.changed();
        let old = this.items.replace(items);
        drop(old);
        Ok(args[0].clone())
    }),
    method("__eq__", TWO, "Return self==value.", |args| {
        compare(CompareOp::Eq, args)
    }),
    method("__ne__", TWO, "Return self!=value.", |args| {
        compare(CompareOp::NotEq, args)
    }),
    method("__lt__", TWO, "Return self<value.", |args| {
        compare(CompareOp::Lt, args)
    }),
    method("__le__", TWO, "Return self<=value.", |args| {
        compare(CompareOp::LtE, args)
    }),
    method("__gt__", TWO, "Return self>value.", |args| {
        compare(CompareOp::Gt, args)
    }),
    method("__ge__", TWO, "Return self>=value.", |args| {
        compare(CompareOp::GtE, args)
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let this = this(&args[0], "__repr__")?;
        let mut out = String::new();
        text::within(&args[0], "[...]", &mut out, |out| {
            out.push_str(class_of(&args[0]).name());
            out.push('(');
            text::write_repr(&Value::list(this.copied()), out)?;
            if let Some(most) = this.most.get() {
                out.push_str(&format!(", maxlen={most}"));
            }
            out.push(')');
            Ok(())
        })?;
        Ok(Value::from(out))
    }),
];

fn times(value: &Value) -> Res<i64> {
    if !has_index(value) {
        return Err(type_error(format!(
            "can't multiply sequence by non-int of type '{}'",
            class_name(value)
        )));
    }
    small(value)
}
