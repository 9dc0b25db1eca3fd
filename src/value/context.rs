//! Context variables (PEP 567): a context is a small map that is copied by sharing.
//!
//! Always true: a context marked as shared never changes. Tasks and handles begin with a shared
//! one, as most never set a variable; who sets one in it gets a context of its own first.

use super::*;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

/// A context variable, told apart by identity.
pub struct ContextVar {
    pub name: Value,
    /// Unset if it has none.
    pub default: Value,
    /// The object that scripts know it as.
    pub object: weak::Pointer,
}

type Entries = Rc<Vec<(Rc<ContextVar>, Value)>>;

/// Values of context variables. Copying shares the entries until one of the two changes.
#[derive(Default)]
pub struct Context {
    entries: RefCell<Entries>,
    /// `run` is on the stack.
    pub entered: Cell<bool>,
    shared: bool,
    /// The shared context with the same entries, if one was made since they last changed.
    snapshot: Hold<Rc<Context>>,
    /// The object that scripts know it as, once there is one.
    pub object: weak::Pointer,
}

impl Context {
    pub fn copy(&self) -> Rc<Context> {
        self.with_same_entries(false)
    }

    fn with_same_entries(&self, shared: bool) -> Rc<Context> {
        Rc::new(Context {
            entries: RefCell::new(self.entries.borrow().clone()),
            entered: Cell::new(false),
            shared,
            snapshot: Hold::default(),
            object: weak::Pointer::default(),
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
    fn set(&self, var: &Rc<ContextVar>, value: Value) -> Option<Value> {
        debug_assert!(!self.shared);
        drop(self.snapshot.take());
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
    /// None until somebody asks. Never dropped: a destructor would only make it slow to reach.
    static CURRENT: ManuallyDrop<Hold<Rc<Context>>> = const { ManuallyDrop::new(Hold::new(None)) };
}

fn look() -> Rc<Context> {
    CURRENT.with(|current| {
        current.get().unwrap_or_else(|| {
            let first = Rc::<Context>::default();
            current.replace(Some(first.clone()));
            first
        })
    })
}

/// The current context, as an object of its own: nobody else shares it from now on.
pub fn current() -> Rc<Context> {
    let current = look();
    if !current.shared {
        return current;
    }
    let own = current.copy();
    swap(Some(own.clone()));
    own
}

/// The current values of all variables, for something that will run later.
#[inline]
pub fn snapshot() -> Rc<Context> {
    let current = look();
    if current.shared {
        return current;
    }
    current.snapshot.get().unwrap_or_else(|| {
        let made = current.with_same_entries(true);
        current.snapshot.replace(Some(made.clone()));
        made
    })
}

/// A variable's value in the current context.
pub fn get(var: &Rc<ContextVar>) -> Option<Value> {
    look().get(var)
}

/// Sets the variable in the current context (unset: removes it) and gives its old value.
pub fn set(var: &Rc<ContextVar>, value: Value) -> Option<Value> {
    current().set(var, value)
}

/// Whether somebody runs in it now.
pub fn is_entered(context: &Rc<Context>) -> bool {
    context.entered.get() || Rc::ptr_eq(&look(), context)
}

/// Makes another context the current one; gives the one before.
pub fn enter(context: Rc<Context>) -> Rc<Context> {
    swap(Some(context)).unwrap_or_default()
}

#[inline(always)]
fn swap(context: Option<Rc<Context>>) -> Option<Rc<Context>> {
    CURRENT.with(|current| current.replace(context))
}

/// The context that was the current one before another was entered.
pub struct Before(Option<Rc<Context>>);

/// The context of a task or handle, kept between its turns.
pub struct ContextSlot(Hold<Rc<Context>>);

impl ContextSlot {
    pub fn new(context: Rc<Context>) -> ContextSlot {
        ContextSlot(Hold::new(Some(context)))
    }

    /// Makes it the current context; gives the one before, for `leave`.
    #[inline(always)]
    pub fn enter(&self) -> Before {
        Before(swap(self.0.get()))
    }

    /// Ends what `enter` began. If a context of its own became necessary, it is kept.
    #[inline(always)]
    pub fn leave(&self, before: Before) {
        drop(self.0.replace(swap(before.0)));
    }

    fn shared(&self) -> Rc<Context> {
        self.0.get().unwrap_or_default()
    }

    /// The context as an object of its own. While whoever it belongs to runs, it is the current one.
    pub fn own(&self, is_running: bool) -> Rc<Context> {
        let context = self.shared();
        if !context.shared {
            return context;
        }
        let own = if is_running { current() } else { context.copy() };
        drop(self.0.replace(Some(own.clone())));
        own
    }

    /// Notes the current context, which is this one, before another one is entered.
    pub fn keep_current(&self) {
        let context = look();
        if !context.shared {
            drop(self.0.replace(Some(context)));
        }
    }
}
