//! Modules: a namespace whose names have numbers, so that code reads globals by index.

use super::*;
use crate::source::Symbol;
use rustc_hash::FxHashMap;
use std::cell::{RefCell, UnsafeCell};

/// A module's namespace. Always true: a name keeps its number for ever; a name that was deleted or
/// only ever read has an unset value.
pub struct Module {
    pub name: Symbol,
    numbers: RefCell<FxHashMap<Symbol, u32>>,
    names: RefCell<Vec<Symbol>>,
    /// Numbers in the order in which the names were first assigned.
    order: RefCell<Vec<u32>>,
    values: UnsafeCell<Vec<Value>>,
    /// Names of the prelude that the module deleted: they do not come again.
    deleted: RefCell<Vec<Symbol>>,
    /// What `globals()` gives, as long as somebody has it.
    pub dict: weak::Pointer,
    /// Looks up a name the module does not have: modules that make their content on demand.
    pub on_missing: Option<fn(&Module, Symbol) -> Res<Option<Value>>>,
}

impl Dying for Module {}

impl Module {
    pub fn new(name: Symbol) -> Module {
        Module {
            name,
            numbers: RefCell::default(),
            names: RefCell::default(),
            order: RefCell::default(),
            values: UnsafeCell::default(),
            deleted: RefCell::default(),
            dict: weak::Pointer::default(),
            on_missing: None,
        }
    }

    /// The number of a name, which may not be assigned yet.
    pub fn number(&self, name: Symbol) -> u32 {
        *self.numbers.borrow_mut().entry(name).or_insert_with(|| {
            // SAFETY: no reference into `values` escapes this module.
            let values = unsafe { &mut *self.values.get() };
            values.push(Value::Unset);
            self.names.borrow_mut().push(name);
            values.len() as u32 - 1
        })
    }

    /// The value at a number; unset if not assigned.
    #[inline(always)]
    pub fn at(&self, number: u32) -> Value {
        // SAFETY: cloning runs no foreign code; no reference escapes.
        let values = unsafe { &*self.values.get() };
        values.get(number as usize).cloned().unwrap_or_default()
    }

    #[inline(always)]
    pub fn set_at(&self, number: u32, value: Value) {
        // SAFETY: the old value is moved out before it is dropped.
        let old = unsafe { std::mem::replace(&mut (&mut *self.values.get())[number as usize], value) };
        if old.is_unset() {
            self.order.borrow_mut().push(number);
        }
    }

    pub fn get(&self, name: Symbol) -> Option<Value> {
        let number = *self.numbers.borrow().get(&name)?;
        Some(self.at(number)).filter(|v| !v.is_unset())
    }

    pub fn set(&self, name: Symbol, value: Value) {
        let number = self.number(name);
        self.set_at(number, value);
    }

    /// Forgets a name's value; false if it had none.
    pub fn delete(&self, name: Symbol) -> bool {
        let number = self.number(name);
        // SAFETY: as in `set_at`.
        let old = unsafe { std::mem::take(&mut (&mut *self.values.get())[number as usize]) };
        if old.is_unset() {
            return false;
        }
        self.order.borrow_mut().retain(|&n| n != number);
        true
    }

    /// Notes that a name of the prelude was deleted.
    pub fn refuse(&self, name: Symbol) {
        self.deleted.borrow_mut().push(name);
    }

    /// Whether the module deleted this name of the prelude.
    pub fn refuses(&self, name: Symbol) -> bool {
        self.deleted.borrow().contains(&name)
    }

    /// Names and values in order of assignment.
    pub fn entries(&self) -> Vec<(Symbol, Value)> {
        let names = self.names.borrow();
        self.order
            .borrow()
            .iter()
            .map(|&n| (names[n as usize], self.at(n)))
            .collect()
    }
}
