//! Context variables (PEP 567): a context is a small map that is copied by sharing.

use super::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A context variable, told apart by identity.
pub struct ContextVar {
    pub name: Value,
    /// Unset if it has none.
    pub default: Value,
}

type Entries = Rc<Vec<(Rc<ContextVar>, Value)>>;

/// Values of context variables. Copying shares the entries until one of the two changes.
#[derive(Default)]
pub struct Context {
    entries: RefCell<Entries>,
    /// `run` is on the stack.
    pub entered: Cell<bool>,
}

impl Context {
    pub fn copy(&self) -> Rc<Context> {
        Rc::new(Context {
            entries: RefCell::new(self.entries.borrow().clone()),
            entered: Cell::new(false),
        })
    }

    pub fn get(&self, var: &Rc<ContextVar>) -> Option<Value> {
        self.entries
            .borrow()
            .iter()
            .find(|(v, _)| Rc::ptr_eq(v, var))
            .map(|(_, value)| value.clone())
    }

    /// Sets the variable (unset: removes it) and gives its old value.
    pub fn set(&self, var: &Rc<ContextVar>, value: Value) -> Option<Value> {
        let mut entries = self.entries.borrow_mut();
        let entries = Rc::make_mut(&mut entries);
        let place = entries.iter().position(|(v, _)| Rc::ptr_eq(v, var));
        match place {
            Some(i) if value.is_unset() => Some(entries.remove(i).1),
            Some(i) => Some(std::mem::replace(&mut entries[i].1, value)),
            None => {
                if !value.is_unset() {
                    entries.push((var.clone(), value));
                }
                None
            }
        }
    }

    pub fn entries(&self) -> Vec<(Rc<ContextVar>, Value)> {
        self.entries.borrow().as_ref().clone()
    }
}

thread_local! {
    static CURRENT: RefCell<Rc<Context>> = RefCell::default();
}

pub fn current() -> Rc<Context> {
    CURRENT.with_borrow(|c| c.clone())
}

/// Makes another context the current one; gives the one before.
pub fn enter(context: Rc<Context>) -> Rc<Context> {
    CURRENT.with_borrow_mut(|c| std::mem::replace(c, context))
}
