//! Names that every module sees, modules' namespaces as scripts see them, and those of class bodies.

use super::error;
use super::subscript;
use super::types::{Type, named_class};
use crate::source::Symbol;
use crate::value::*;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

thread_local! {
    static BUILTINS: RefCell<Table> = RefCell::default();
    /// What scripts see in their place once one of them was changed.
    static CHANGED: RefCell<Table> = RefCell::default();
    static PRELUDE: Cell<Option<fn(Symbol) -> Option<Value>>> = const { Cell::new(None) };
    static PRELUDE_NAMES: Cell<&'static [&'static str]> = const { Cell::new(&[]) };
}

/// Values by name. Code that uses one keeps its cell, so that it sees changes.
type Table = IndexMap<Symbol, Rc<ValueCell>, FxBuildHasher>;

/// Adds names that every module sees.
pub fn add_builtins(names: impl IntoIterator<Item = (Symbol, Value)>) {
    for (name, value) in names {
        for table in [&BUILTINS, &CHANGED] {
            let cell = Rc::new(ValueCell::default());
            cell.set(value.clone());
            let old = table.with_borrow_mut(|t| t.insert(name, cell));
            drop(old);
        }
    }
}

/// The cell of a builtin: what the library sees stays as it is whatever a script does.
pub fn builtin_cell(name: Symbol, is_library: bool) -> Option<Rc<ValueCell>> {
    let table = if is_library { &BUILTINS } else { &CHANGED };
    table.with_borrow(|b| b.get(&name).cloned())
}

pub fn builtin(name: Symbol) -> Option<Value> {
    builtin_cell(name, true).map(|cell| cell.get())
}

/// What `builtins.name = value` and `del builtins.name` do to the code of scripts.
pub fn change_builtin(name: Symbol, value: Value) {
    let cell = CHANGED.with_borrow_mut(|b| b.entry(name).or_default().clone());
    cell.set(value);
}

/// A variable of the module. Those of the prelude are the module's own; each is made when it is
/// first asked for.
pub fn variable(module: &Module, name: Symbol) -> Option<Value> {
    if let Some(value) = module.get(name) {
        return Some(value);
    }
    if module.refuses(name) {
        return None;
    }
    let value = PRELUDE.get().and_then(|make| make(name))?;
    module.set(name, value.clone());
    Some(value)
}

/// Deletes a variable of the module; false if there is none.
pub fn delete(module: &Module, name: Symbol) -> bool {
    let had = variable(module, name).is_some();
    if had && PRELUDE.get().is_some_and(|make| make(name).is_some()) {
        module.refuse(name);
    }
    module.delete(name) || had
}

/// Sets what makes the names of the prelude, and which these are.
pub fn set_prelude(make: fn(Symbol) -> Option<Value>, names: &'static [&'static str]) {
    PRELUDE.set(Some(make));
    PRELUDE_NAMES.set(names);
}

/// The names of the prelude, which every module of a script has.
pub fn prelude_names() -> impl Iterator<Item = Symbol> {
    PRELUDE_NAMES.get().iter().map(|name| Symbol::new(name))
}

pub fn builtin_names() -> Vec<Symbol> {
    BUILTINS.with_borrow(|b| b.keys().copied().collect())
}

/// `globals()`: a module's namespace, alive, with the methods of a dict.
pub struct ModuleDict(pub Ref<Module>);

pub fn of_module(module: &Ref<Module>) -> Value {
    let make = || Opaque::value(named_class("builtins.module_dict"), ModuleDict(module.clone()));
    module.dict.get_or_make(make)
}

/// A name of a class body, if it is bound. The names are a dict or what `__prepare__` made.
pub fn class_variable(names: &Value, name: Symbol) -> Res<Option<Value>> {
    if let Value::Dict(dict) = names {
        return Ok(dict.get_symbol(name));
    }
    unless_missing(subscript::get_item(names, &name.into()))
}

/// None for a KeyError.
fn unless_missing<T>(result: Res<T>) -> Res<Option<T>> {
    match result {
        Err(raised) if error::matches(&raised, Type::KeyError) => {
            drop(raised.take());
            Ok(None)
        }
        result => result.map(Some),
    }
}

pub fn set_class_variable(names: &Value, name: Symbol, value: Value) -> Res<()> {
    if let Value::Dict(dict) = names {
        dict.set_symbol(name, value);
        return Ok(());
    }
    subscript::set_item(names, &name.into(), value)
}

/// Deletes a name of a class body; false if there is none.
pub fn delete_class_variable(names: &Value, name: Symbol) -> Res<bool> {
    if let Value::Dict(dict) = names {
        return Ok(dict.remove_symbol(name));
    }
    let deleted = unless_missing(subscript::del_item(names, &name.into()))?;
    Ok(deleted.is_some())
}
