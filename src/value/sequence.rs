//! Containers and big numbers as data.

use super::*;
use crate::source::Symbol;
use num_bigint::BigInt;
use std::cell::{Cell, RefCell};

/// An int that does not fit an `i64`.
pub struct Big(pub BigInt);

pub struct Bytes(pub Box<[u8]>);

pub struct ByteArray(pub RefCell<Vec<u8>>);

/// A Python list. No borrow of its items may be held while script code can run.
pub struct List {
    pub items: RefCell<Vec<Value>>,
}

impl List {
    pub fn new(items: Vec<Value>) -> List {
        List {
            items: RefCell::new(items),
        }
    }

    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, index: usize) -> Option<Value> {
        self.items.borrow().get(index).cloned()
    }

    pub fn push(&self, value: Value) {
        self.items.borrow_mut().push(value);
    }
}

impl Drop for List {
    fn drop(&mut self) {
        drop_last_first(std::mem::take(self.items.get_mut()));
    }
}

/// Drops items as CPython does, the last one first: scripts can see the order.
pub fn drop_last_first(mut items: Vec<Value>) {
    while let Some(item) = items.pop() {
        drop(item);
    }
}

impl Drop for Tuple {
    fn drop(&mut self) {
        for item in self.items.iter_mut().rev() {
            drop(std::mem::take(item));
        }
    }
}

pub struct Tuple {
    pub items: Box<[Value]>,
}

thread_local! {
    static EMPTY: Ref<Tuple> = Ref::new(Tuple { items: Box::new([]) });
}

impl Tuple {
    /// A tuple of the items; there is one empty tuple only.
    pub fn value(items: Box<[Value]>) -> Value {
        if items.is_empty() {
            return EMPTY.with(|empty| Ref::clone(empty).into());
        }
        Ref::new(Tuple { items }).into()
    }
}

/// A Python dict: insertion-ordered. No borrow may be held while script code can run.
#[derive(Default)]
pub struct Dict {
    pub table: RefCell<table::dict::Dict<Value, Value>>,
}

impl Dict {
    fn symbol_place(&self, name: Symbol) -> (Value, i64, Option<usize>) {
        let key = str::of_symbol(name);
        let Value::Str(text) = &key else {
            unreachable!("the value of a symbol is a str")
        };
        let hash = text.hash() as i64;
        let is_equal = |known: &Value| matches!(known, Value::Str(known) if ***known == ***text);
        let place = self.table.borrow().find(hash, is_equal);
        (key, hash, place)
    }

    /// `dict[name]` for a name.
    pub fn get_symbol(&self, name: Symbol) -> Option<Value> {
        let place = self.symbol_place(name).2?;
        self.table.borrow().entry(place).map(|(_, value)| value.clone())
    }

    /// `dict[name] = value` for a name.
    pub fn set_symbol(&self, name: Symbol, value: Value) {
        let (key, hash, place) = self.symbol_place(name);
        let mut table = self.table.borrow_mut();
        let old = match place {
            Some(place) => table.value_mut(place).map(|old| std::mem::replace(old, value)),
            None => {
                table.insert_new(hash, key, value);
                None
            }
        };
        drop(table);
        drop(old);
    }

    /// `del dict[name]` for a name; false if it is not there.
    pub fn remove_symbol(&self, name: Symbol) -> bool {
        let Some(place) = self.symbol_place(name).2 else {
            return false;
        };
        let old = self.table.borrow_mut().remove_entry(place);
        old.is_some()
    }

    /// The entries whose keys are strs, as names.
    pub fn symbol_entries(&self) -> Vec<(Symbol, Value)> {
        let table = self.table.borrow();
        let named = |(key, value): (&Value, &Value)| match key {
            Value::Str(text) => Some((text.symbol(), value.clone())),
            _ => None,
        };
        table.iter().filter_map(named).collect()
    }

    pub fn len(&self) -> usize {
        self.table.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Default)]
pub struct Set {
    pub table: RefCell<table::set::Set<Value>>,
}

pub struct FrozenSet {
    pub table: RefCell<table::set::Set<Value>>,
    /// 0 until computed.
    pub hash: Cell<i64>,
}

/// `range(start, stop, step)` of machine ints; `step` is not 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
}

impl Range {
    /// How many numbers it has.
    pub fn len(&self) -> u64 {
        let (start, stop, step) = (self.start as i128, self.stop as i128, self.step as i128);
        let span = if step > 0 { stop - start } else { start - stop };
        if span <= 0 {
            0
        } else {
            ((span - 1) / step.abs() + 1) as u64
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Its parts die in this order.
pub struct Slice {
    pub step: Value,
    pub start: Value,
    pub stop: Value,
}

impl Dying for Big {}
impl Dying for Bytes {}
impl Dying for ByteArray {}
impl Dying for List {}
impl Dying for Tuple {}
impl Dying for Dict {}
impl Dying for Set {}
impl Dying for FrozenSet {}
impl Dying for Range {}
impl Dying for Slice {}
