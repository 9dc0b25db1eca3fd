//! Modules made in Rust: each offers its names, `import` makes the module of them.

pub mod abc;
pub mod collections;
pub mod contextvars;
pub mod datetime;
pub mod digest;
pub mod functools;
pub mod heapq;
pub mod io;
pub mod itertools;
pub mod json;
pub mod math;
pub mod operator;
pub mod os;
pub mod random;
pub mod re;
pub mod signal;
pub mod string;
pub mod struct_sequence;
pub mod subprocess;
pub mod sys;
pub mod thread;
pub mod time;
pub mod traceback;
pub mod types_native;
pub mod weakref;

use crate::source::Symbol;
use crate::value::*;

/// The functions of a module's tables, as its names.
pub fn functions(module: &'static str, tables: &[&[NativeDef]]) -> Vec<(Symbol, Value)> {
    let of = |def: &NativeDef| (Symbol::new(def.name), Value::from(Native::of(def, module)));
    tables.iter().copied().flatten().map(of).collect()
}

/// The same for a module that CPython has in Python.
pub fn functions_in_python(module: &'static str, tables: &[&[NativeDef]]) -> Vec<(Symbol, Value)> {
    let of = |def: &NativeDef| {
        (
            Symbol::new(def.name),
            Native::of_python(def, module, module).into(),
        )
    };
    tables.iter().copied().flatten().map(of).collect()
}
