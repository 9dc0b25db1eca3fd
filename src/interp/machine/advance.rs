//! Going on with the code of one frame until its next turn.

use super::{awaiting, nested};
use crate::value::exception::{handled, set_handled};
use crate::value::frame::{Awaiting, Handled, slots_of};
use crate::value::function::{Frame, Handling, Turn};
use crate::value::running::Running;
use crate::value::*;
use std::ptr::NonNull;

/// Goes on with a frame's code until its next turn; gives the turn and its value. `stack` is the
/// one it stands on top of, or null.
///
/// # Safety
/// The frame must be alive and nobody else's until this returns.
#[inline(always)]
pub unsafe fn advance(at: NonNull<ScriptFrame>, stack: *const Stack, input: Res) -> (Turn, Value) {
    // SAFETY: by the caller's promise.
    let frame = unsafe { &mut *at.as_ptr() };
    let input = match std::mem::replace(&mut frame.awaiting, Awaiting::ABOVE) {
        Awaiting::Value(Value::Unset) => input,
        Awaiting::Value(awaited) => awaiting::arrive(awaited, input),
        Awaiting::Inner(_) => unreachable!("what suspended within a frame is on the stack when it goes on"),
    };
    // SAFETY: the slots belong to this frame and are as many as its code has.
    let running = unsafe { Running::new(&frame.func, slots_of(at), stack) };
    let _entered = running.enter();
    // SAFETY: as above.
    let mut view = unsafe { Frame::new(&frame.func, slots_of(at), &running) };
    if frame.handled.is_some() {
        let rested = advance_handling(&mut view, &mut frame.state, &mut frame.handled, input);
        nested::keep_suspended(rested.0, &mut frame.awaiting);
        return rested;
    }
    let turn = frame.func.program.advance(&mut view, &mut frame.state, input);
    nested::keep_suspended(turn, &mut frame.awaiting);
    (turn, rested(view, &mut frame.handled))
}

/// The same for a frame that has not begun and stands on no stack.
///
/// # Safety
/// As for [`advance`].
#[inline(always)]
pub unsafe fn begin(at: NonNull<ScriptFrame>) -> (Turn, Value) {
    // SAFETY: by the caller's promise.
    let frame = unsafe { &mut *at.as_ptr() };
    // SAFETY: the slots belong to this frame and are as many as its code has.
    let running = unsafe { Running::new(&frame.func, slots_of(at), std::ptr::null()) };
    let _entered = running.enter();
    // SAFETY: as above.
    let mut view = unsafe { Frame::new(&frame.func, slots_of(at), &running) };
    let turn = frame.func.program.begin(&mut view, &mut frame.state);
    nested::keep_suspended(turn, &mut frame.awaiting);
    (turn, rested(view, &mut frame.handled))
}

/// The value that goes with a frame's turn; what the frame was handling is kept.
#[inline(always)]
fn rested(view: Frame, handled: &mut Option<Box<Handled>>) -> Value {
    let Frame { result, handling, .. } = view;
    if let Some(handling) = handling
        && !handling.exceptions.is_empty()
    {
        keep_handling(handled, *handling);
    }
    result
}

#[cold]
#[inline(never)]
fn keep_handling(handled: &mut Option<Box<Handled>>, handling: Handling) {
    set_handled(handling.outer);
    handled.get_or_insert_default().exceptions = handling.exceptions;
}

/// The same for a frame in the middle of handling exceptions, its own or its awaiter's.
#[inline(never)]
fn advance_handling(
    view: &mut Frame,
    state: &mut u32,
    kept: &mut Option<Box<Handled>>,
    input: Res,
) -> (Turn, Value) {
    let before = handled();
    let Handled {
        exceptions,
        inherited,
    } = *kept.take().unwrap_or_default();
    let outer = inherited.clone().or_else(|| before.clone());
    set_handled(exceptions.last().or(outer.as_ref()).cloned());
    view.handling = Some(Box::new(Handling { exceptions, outer }));
    let turn = view.func.program.advance(view, state, input);
    let exceptions = view.handling.take().map(|h| h.exceptions).unwrap_or_default();
    if inherited.is_some() || !exceptions.is_empty() {
        *kept = Some(Box::new(Handled {
            exceptions,
            inherited,
        }));
    }
    set_handled(before);
    (turn, std::mem::take(&mut view.result))
}
