//! A place for one counted pointer, without a borrow flag.

use std::cell::Cell;

/// Holds a pointer that is cheap to clone, or nothing.
pub struct Hold<T: Clone>(Cell<Option<T>>);

impl<T: Clone> Hold<T> {
    pub const fn new(held: Option<T>) -> Hold<T> {
        Hold(Cell::new(held))
    }

    /// A copy of what is held.
    #[inline(always)]
    pub fn get(&self) -> Option<T> {
        let held = self.0.take();
        let copy = held.clone();
        self.0.set(held);
        copy
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        let held = self.0.take();
        let is_empty = held.is_none();
        self.0.set(held);
        is_empty
    }

    #[inline(always)]
    pub fn take(&self) -> Option<T> {
        self.0.take()
    }

    /// Holds something else from now on; gives what was held.
    #[inline(always)]
    pub fn replace(&self, held: Option<T>) -> Option<T> {
        self.0.replace(held)
    }
}

impl<T: Clone> Default for Hold<T> {
    fn default() -> Hold<T> {
        Hold::new(None)
    }
}
