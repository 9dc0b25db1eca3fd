//! Names that every module sees, and modules' namespaces as scripts see them.

use super::types::named_class;
use crate::source::Symbol;
use crate::value::*;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::cell::{Cell, RefCell};

thread_local! {
    static BUILTINS: RefCell<IndexMap<Symbol, Value, FxBuildHasher>> = RefCell::default();
    static PRELUDE: Cell<Option<fn(Symbol) -> Option<Value>>> = const { Cell::new(None) };
}

/// Adds names that every module sees: builtins and the prelude.
pub fn add_builtins(names: impl IntoIterator<Item = (Symbol, Value)>) {
    for (name, value) in names {
        let old = BUILTINS.with_borrow_mut(|b| b.insert(name, value));
        drop(old);
    }
}

/// A builtin, or a name of the prelude, which is made when it is first asked for.
pub fn builtin(name: Symbol) -> Option<Value> {
    if let Some(value) = BUILTINS.with_borrow(|b| b.get(&name).cloned()) {
        return Some(value);
    }
    let value = PRELUDE.get().and_then(|make| make(name))?;
    add_builtins([(name, value.clone())]);
    Some(value)
}

/// A name of the prelude that is no builtin of Python.
pub fn prelude(name: Symbol) -> Option<Value> {
    PRELUDE
        .get()
        .and_then(|make| make(name))
        .and_then(|_| builtin(name))
}

/// Sets what makes the names of the prelude.
pub fn set_prelude(make: fn(Symbol) -> Option<Value>) {
    PRELUDE.set(Some(make));
}

pub fn builtin_names() -> Vec<Symbol> {
    BUILTINS.with_borrow(|b| b.keys().copied().collect())
}

/// `globals()`: a module's namespace, alive, with the methods of a dict.
pub struct ModuleDict(pub Ref<Module>);

pub fn of_module(module: &Ref<Module>) -> Value {
    Opaque::value(named_class("builtins.module_dict"), ModuleDict(module.clone()))
}
