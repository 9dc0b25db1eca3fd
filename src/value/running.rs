//! The calls that are running, innermost first: for `sys._getframe` and everything that asks where
//! it was called from.
//!
//! Always true: a [`Running`] stands on the native stack below everything that its call runs, so
//! each one in the chain is alive while it can be reached; a thread's chain is its own.

use super::*;
use crate::source::Span;
use std::cell::Cell;

/// A call while it runs, as others may look at it.
pub struct Running {
    caller: *const Running,
    func: *const Ref<Function>,
    slots: *const Value,
    /// The call that it makes now, or made last; empty before the first.
    place: Cell<Span>,
    /// The stack of suspended frames with this one on top, if it stands on one.
    stack: *const Stack,
}

thread_local! {
    static INNERMOST: Cell<*const Running> = const { Cell::new(std::ptr::null()) };
}

impl Running {
    /// A call of `func` whose first slot is at `slots`; `stack` is where its frame stands on top, or
    /// null.
    ///
    /// # Safety
    /// All must stay alive, nobody may write to the slots through a reference that is kept over a
    /// call, and the stack must stay as it is, while it is entered.
    #[inline(always)]
    pub unsafe fn new(func: &Ref<Function>, slots: *const Value, stack: *const Stack) -> Running {
        Running {
            caller: INNERMOST.get(),
            func,
            slots,
            place: Cell::new(Span::default()),
            stack,
        }
    }

    /// Makes it the innermost call until the guard is dropped.
    #[inline(always)]
    pub fn enter(&self) -> Entered<'_> {
        INNERMOST.set(self);
        Entered(self)
    }

    /// Notes the call that it makes now.
    #[inline(always)]
    pub fn set_place(&self, span: Span) {
        self.place.set(span);
    }
}

/// A call that has been entered.
pub struct Entered<'a>(&'a Running);

impl Drop for Entered<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        INNERMOST.set(self.0.caller);
    }
}

/// The innermost call of another thread; gives that of the one before.
pub struct Chain(*const Running);

impl Chain {
    /// Of a thread that has not run.
    pub fn empty() -> Chain {
        Chain(std::ptr::null())
    }

    pub fn swap(self) -> Chain {
        Chain(INNERMOST.replace(self.0))
    }

    /// [`look`] at the calls of this chain, which its thread left running.
    pub fn look<T>(&self, visit: impl FnMut(Seen) -> Option<T>) -> Option<T> {
        look_from(self.0, visit)
    }
}

/// What can be seen of a running call, or of a frame that waits for one.
pub struct Seen<'a> {
    pub func: &'a Ref<Function>,
    pub span: Span,
    pub slots: &'a [Value],
}

/// Shows the running calls to `visit`, innermost first, until it gives something. `visit` must run
/// no script.
pub fn look<T>(visit: impl FnMut(Seen) -> Option<T>) -> Option<T> {
    look_from(INNERMOST.get(), visit)
}

fn look_from<T>(mut at: *const Running, mut visit: impl FnMut(Seen) -> Option<T>) -> Option<T> {
    // SAFETY: each call in the chain is alive (see the top), and so are its function, its slots
    // and its awaiters by the promises made when it was entered.
    while let Some(running) = unsafe { at.as_ref() } {
        // SAFETY: as above.
        let func = unsafe { &*running.func };
        // SAFETY: as above; a frame has as many slots as its function's shape says.
        let slots = unsafe { std::slice::from_raw_parts(running.slots, func.shape.slots()) };
        let span = match running.place.get() {
            unknown if unknown == Span::default() => func.code.span,
            place => place,
        };
        if let Some(found) = visit(Seen { func, span, slots }) {
            return Some(found);
        }
        // SAFETY: as above.
        let stack = unsafe { running.stack.as_ref() };
        let awaiters = stack.and_then(|stack| stack.split_last()).map(|(_, below)| below);
        for awaiter in awaiters.unwrap_or_default().iter().rev() {
            if let Activation::Script(frame) = awaiter
                && let Some(span) = frame.place()
                && let Some(found) = visit(Seen {
                    func: &frame.func,
                    span,
                    slots: frame.seen_slots(),
                })
            {
                return Some(found);
            }
        }
        at = running.caller;
    }
    None
}
