//! Lowered functions in runnable form, and the pointer to them.
//!
//! Always true: a [`ProgramRef`] owns one of the strong counts of an `Rc`, and points to what that
//! holds.

use super::function::{Frame, Turn};
use super::*;
use std::ops::Deref;
use std::ptr::NonNull;
use std::rc::Rc;

/// A lowered function in runnable form; made by the interpreter.
pub trait Program {
    /// Runs code that does not suspend, to its end.
    fn call(&self, frame: &mut Frame) -> Res;

    /// Runs code that can suspend from its beginning until it suspends or ends; `state` is where it
    /// stands then.
    fn begin(&self, frame: &mut Frame, state: &mut u32) -> Turn;

    /// Goes on from where it stands (`state`) until it suspends or ends.
    /// A state of `NOT_STARTED` is entered without a value.
    /// An error is raised where the frame stands.
    fn advance(&self, frame: &mut Frame, state: &mut u32, input: Res) -> Turn;
}

/// A shared program. It points to the program itself, where an `Rc<dyn Program>` would have to find
/// out how its contents are aligned for each call (benchmark: sched/chain).
pub struct ProgramRef(NonNull<dyn Program>);

impl ProgramRef {
    pub fn new(program: Rc<dyn Program>) -> ProgramRef {
        // SAFETY: the pointer to what an Rc holds is not null.
        ProgramRef(unsafe { NonNull::new_unchecked(Rc::into_raw(program).cast_mut()) })
    }
}

impl Deref for ProgramRef {
    type Target = dyn Program;
    #[inline(always)]
    fn deref(&self) -> &(dyn Program + 'static) {
        // SAFETY: our strong count keeps it alive, and what an Rc holds does not move.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for ProgramRef {
    fn drop(&mut self) {
        // SAFETY: the pointer comes from `Rc::into_raw`, and the count is ours.
        drop(unsafe { Rc::from_raw(self.0.as_ptr()) });
    }
}
