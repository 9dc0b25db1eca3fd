//! Objects that show something of the machine's: one for each thing, as long as it lives, so that
//! `f.__code__ is f.__code__`. For what lies below values or is made too often to hold a
//! `weak::Pointer` itself, as a module does.

use crate::value::weak::Pointer;
use crate::value::*;
use rustc_hash::FxHashMap;
use std::cell::RefCell;

thread_local! {
    /// By the address of the thing, which its object keeps alive.
    static SHOWN: RefCell<FxHashMap<usize, Pointer>> = RefCell::default();
}

/// The object for the thing at an address. A new one must hold the thing.
pub fn one_for<T>(thing: *const T, make: impl FnOnce() -> Value) -> Value {
    let address = thing as usize;
    if let Some(known) = SHOWN.with_borrow(|shown| shown.get(&address).and_then(Pointer::get)) {
        return known;
    }
    let made = make();
    let pointer = Pointer::default();
    pointer.set(&made);
    let old = SHOWN.with_borrow_mut(|shown| shown.insert(address, pointer));
    drop(old);
    made
}
