//! Running a frame within its awaiter, as a call: most awaited coroutines end, or begin, without
//! suspending.
//!
//! Always true: a frame that was run so and suspended is held by its awaiter, which suspends with
//! it, until that is back on its stack.

use super::advance::{advance, begin};
use super::native::leave_native;
use super::{after_frame, inherited};
use crate::interp::{async_iter, call, stack, stack::Window};
use crate::source::Symbol;
use crate::value::frame::Awaiting;
use crate::value::function::{Frame, Turn};
use crate::value::generator::Progress;
use crate::value::*;
use std::cell::Cell;
use std::mem::ManuallyDrop;

thread_local! {
    /// A frame that was run by its awaiter itself and then suspended, until its awaiter, which
    /// suspends next, takes it. Never left here: a destructor would only make it slow to reach.
    static SUSPENDED: Cell<ManuallyDrop<Option<FrameBox>>> = const { Cell::new(ManuallyDrop::new(None)) };
}

/// Runs the frame of `await f(…)` as a call within its awaiter: most awaited coroutines end, or
/// begin, without suspending (benchmarks: sched/chain, timeout). If it suspends, its frame waits
/// to be put on the stack above its awaiter's, and the turn is what the innermost frame wants. The
/// value that goes with the turn is left in the awaiter's `result`.
#[inline(always)]
pub fn run_nested(mut callee: FrameBox, awaiter: &mut Frame) -> Turn {
    if stack::enter_call().is_err() {
        return Turn::Raise;
    }
    // SAFETY: the frame is ours alone, and fresh.
    let (turn, value) = unsafe { begin(callee.pointer()) };
    stack::leave_call();
    awaiter.result = value;
    match turn {
        Turn::Return => {}
        Turn::Raise => drop(Raised::again(after_frame(Raised::still(), &mut callee))),
        _ => suspend(callee),
    }
    turn
}

/// `await func(…)` with the arguments laid out in a window, as far as it needs no coroutine object:
/// `Return` if the result is there already, else the turn it takes; the value is left in
/// `frame.result`. None if `func` has to be called.
pub fn begin_call(
    func: &Value,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
    frame: &mut Frame,
) -> Res<Option<Turn>> {
    if let Some(callee) = call::coroutine_frame(func, window, start, npos, names)? {
        return Ok(Some(run_nested(callee, frame)));
    }
    match call::begin_native(func, window, start, npos, names)? {
        Some(step) => Ok(Some(take_step(step, frame))),
        None => Ok(None),
    }
}

/// The turn that a built-in coroutine begins with; its value is left in `frame.result`.
#[inline(always)]
pub fn take_step(step: Step, frame: &mut Frame) -> Turn {
    let (turn, value) = match step {
        Step::Return(value) => (Turn::Return, value),
        Step::Pass(value) if value.is_none() => (Turn::Pass, value),
        Step::Pass(value) => (Turn::PassWith, value),
        Step::Wait(future) => (Turn::Await, future.into()),
        Step::Await(value) => (Turn::Await, value),
        Step::AwaitAs(value, machine) => {
            leave_native(machine);
            (Turn::AwaitAs, value)
        }
    };
    frame.result = value;
    turn
}

/// What a step of `async for` over an async generator gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item {
    /// The item is in the consumer's `result`.
    Next,
    End,
    /// `Raise`, or what the generator suspended for, as in [`run_nested`].
    Turn(Turn),
    /// The step has to be taken on the stack, by a turn of its own.
    NotNow,
}

/// The next item of an async generator, run within its consumer (benchmark: sched/async_gen).
/// `generator` is held by the caller's frame, which does not run meanwhile.
#[inline(always)]
pub fn next_item(generator: &Ref<Generator>, result: &mut Value) -> Item {
    let progress = generator.progress.get();
    let usable = generator.kind == GeneratorKind::AsyncGenerator
        && matches!(progress, Progress::Suspended | Progress::Created)
        && !generator.busy.get();
    if !usable {
        return Item::NotNow;
    }
    if !generator.hooked.get() && async_iter::first_step(generator).is_err() {
        return Item::Turn(Turn::Raise);
    }
    let Some(frame) = generator.only_frame() else {
        return Item::NotNow;
    };
    if stack::enter_call().is_err() {
        return Item::Turn(Turn::Raise);
    }
    generator.progress.set(Progress::Running);
    generator.busy.set(true);
    generator.started.set(true);
    // SAFETY: the generator is marked as running, so its frame is ours until it rests.
    let (turn, value) = unsafe {
        if let Some(handled) = &mut (*frame.as_ptr()).handled {
            handled.inherited = None; // that was for the step before
        }
        advance(frame, std::ptr::null(), Ok(Value::None))
    };
    stack::leave_call();
    *result = value;
    if turn == Turn::Yield {
        generator.progress.set(Progress::Suspended);
        generator.busy.set(false);
        return Item::Next;
    }
    item_otherwise(generator, turn)
}

/// The async generator that ran in its consumer ended, raised or suspended.
#[inline(never)]
fn item_otherwise(generator: &Ref<Generator>, turn: Turn) -> Item {
    let Some(Activation::Script(mut frame)) = generator.pop() else {
        unreachable!("it has just run")
    };
    match turn {
        Turn::Return | Turn::Raise => {
            if turn == Turn::Raise {
                drop(Raised::again(after_frame(Raised::still(), &mut frame)));
            }
            generator.progress.set(Progress::Closed);
            generator.busy.set(false);
            if turn == Turn::Return {
                Item::End
            } else {
                Item::Turn(Turn::Raise)
            }
        }
        turn => {
            frame.owner = Some(generator.clone());
            suspend(frame);
            Item::Turn(turn)
        }
    }
}

#[inline(always)]
fn suspend(frame: FrameBox) {
    SUSPENDED.set(ManuallyDrop::new(Some(frame)));
}

/// A frame that comes to rest with a turn keeps the one that suspended within it, if there is one.
#[inline(always)]
pub fn keep_suspended(turn: Turn, awaiting: &mut Awaiting) {
    if matches!(turn, Turn::Return | Turn::Raise) {
        return;
    }
    let inner = SUSPENDED.replace(ManuallyDrop::new(None));
    if let Some(inner) = ManuallyDrop::into_inner(inner) {
        let nothing = std::mem::replace(awaiting, Awaiting::Inner(inner));
        debug_assert!(nothing.is_above());
        std::mem::forget(nothing); // it owns nothing, so there is nothing to look at
    }
}

/// Puts frames that suspended within the one on top above it: `inner`, what suspended within that,
/// and so on.
#[inline(never)]
pub fn put_above(frames: &mut Stack, inner: FrameBox) {
    let mut next = Some(inner);
    let mut below_handles =
        matches!(frames.last(), Some(Activation::Script(frame)) if frame.handled.is_some());
    while let Some(mut frame) = next {
        next = frame.awaiting.take_inner();
        if below_handles && let Some(inherited) = inherited(frames) {
            frame.handled.get_or_insert_default().inherited = Some(inherited);
        }
        below_handles = frame.handled.is_some();
        frames.push(Activation::Script(frame));
    }
}
