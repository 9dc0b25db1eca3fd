//! What scripts find built in: the built-in functions, and the methods of the built-in classes.

pub mod asyncio;
pub mod builtins;
mod catalog;
pub mod modules;
mod outside;

pub use catalog::{MODULES, PRELUDE, arguments, at_exit, prelude, set_arguments};

use crate::interp::{namespace, types};
use crate::source::Symbol;
use crate::value::*;

/// Fills the built-in classes with their methods. To be called once on each thread that runs
/// scripts, after [`types::make_classes`].
pub fn install() {
    builtins::install();
    asyncio::install_types();
    modules::contextvars::install_types();
}

/// The names that every module sees: functions, classes and constants.
pub fn builtins() -> Vec<(Symbol, Value)> {
    let mut names = types::builtin_classes();
    names.extend(builtins::functions());
    names.push((Symbol::new("NotImplemented"), Value::NotImplemented));
    names.push((Symbol::new("Ellipsis"), Value::Ellipsis));
    names.push((Symbol::new("__debug__"), Value::TRUE));
    let os_error = Value::from(types::class(types::Type::OSError));
    names.push((Symbol::new("EnvironmentError"), os_error.clone()));
    names.push((Symbol::new("IOError"), os_error));
    names
}

/// The same names as a module: the very objects that scripts see.
fn builtins_module() -> Vec<(Symbol, Value)> {
    let seen = |(name, value)| (name, namespace::builtin(name).unwrap_or(value));
    builtins().into_iter().map(seen).collect()
}
