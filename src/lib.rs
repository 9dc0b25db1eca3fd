//! aio: a scriptable async language for teaching and scripting coroutines.
//!
//! An `.aio` script has Python 3.13's syntax and meaning. Every coroutine is compiled to a state
//! machine; a tree-walking interpreter runs them on an event loop whose order is asyncio's.
//! ARCHITECTURE.md shows the floors of the house; each `mod` below is one of them, and a floor
//! uses only those above it.

extern crate alloc; // pest without its `std` feature names it

pub mod source;

pub mod diagnostic;

pub mod syntax;

pub mod code;

pub mod lower;

pub mod text;

pub mod value;

pub mod interp;

pub mod runtime;

pub mod library;

pub mod session;

pub mod tools;

#[cfg(feature = "cli")]
pub mod repl;
