//! Suspended script frames: what a generator or coroutine keeps while it waits.
//!
//! Always true: a frame and its slots are one piece of memory, and every slot is initialised from
//! `new` to drop.

use super::*;
use crate::source::Span;
use smallvec::SmallVec;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A suspended script frame. Its slots follow it in memory.
pub struct ScriptFrame {
    pub func: Ref<Function>,
    /// The state it goes on with, or stands in.
    pub state: u32,
    slots: u32,
    pub awaiting: Awaiting,
    /// The generator object it belongs to, while it runs on another one's stack.
    pub owner: Option<Ref<Generator>>,
    /// None as long as no exception is being handled.
    pub handled: Option<Box<Handled>>,
}

/// What a suspended frame waits for.
pub enum Awaiting {
    /// A future, whose outcome it is resumed with; None, for one pass of the loop; unset if what is
    /// above it on the stack says.
    Value(Value),
    /// The frame that was run within it and suspended with it, on its way to the stack.
    Inner(FrameBox),
}

impl Awaiting {
    /// What is above it on the stack says.
    pub const ABOVE: Awaiting = Awaiting::Value(Value::Unset);

    #[inline(always)]
    pub fn is_above(&self) -> bool {
        matches!(self, Awaiting::Value(Value::Unset))
    }

    #[inline(always)]
    pub fn take_inner(&mut self) -> Option<FrameBox> {
        match self {
            Awaiting::Value(_) => None,
            Awaiting::Inner(_) => match std::mem::replace(self, Awaiting::ABOVE) {
                Awaiting::Inner(inner) => Some(inner),
                Awaiting::Value(_) => None,
            },
        }
    }
}

/// The exceptions that a suspended frame is in the middle of handling.
#[derive(Default)]
pub struct Handled {
    /// Its own, innermost last.
    pub exceptions: SmallVec<[Ref<Exception>; 1]>,
    /// What its awaiter is handling.
    pub inherited: Option<Ref<Exception>>,
}

/// The owner of a [`ScriptFrame`] and its slots.
pub struct FrameBox(NonNull<ScriptFrame>);

fn size(slots: usize) -> usize {
    size_of::<ScriptFrame>() + slots * size_of::<Value>()
}

impl FrameBox {
    /// A frame of the function that has not begun, all slots unset.
    #[inline]
    pub fn new(func: Ref<Function>) -> FrameBox {
        let slots = func.shape.slots();
        let memory = pool::take(size(slots)).as_ptr() as *mut ScriptFrame;
        // SAFETY: the memory is large enough for the frame and its slots; both are initialised
        // here, before anybody can see them.
        unsafe {
            memory.write(ScriptFrame {
                func,
                state: function::NOT_STARTED,
                slots: slots as u32,
                awaiting: Awaiting::ABOVE,
                owner: None,
                handled: None,
            });
            let first = memory.add(1) as *mut Value;
            for i in 0..slots {
                first.add(i).write(Value::Unset);
            }
            FrameBox(NonNull::new_unchecked(memory))
        }
    }

    /// Where the frame stands; it stays there until it is dropped.
    #[inline(always)]
    pub fn pointer(&mut self) -> NonNull<ScriptFrame> {
        self.0
    }

    /// Its parameters, locals and spilled temporaries.
    #[inline(always)]
    pub fn slots(&mut self) -> &mut [Value] {
        // SAFETY: the slots follow the frame, are initialised, and belong to this owner.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr().add(1) as *mut Value, self.slots as usize) }
    }

    /// Gives a slot its first value.
    #[inline(always)]
    pub fn fill(&mut self, slot: usize, value: Value) {
        let unset = std::mem::replace(&mut self.slots()[slot], value);
        debug_assert!(unset.is_unset());
        std::mem::forget(unset); // it owns nothing, so there is nothing to look at
    }
}

impl ScriptFrame {
    /// Where it is suspended, for reports; none before it has begun.
    pub fn place(&self) -> Option<Span> {
        let state = self.func.code.states.get(self.state as usize)?;
        Some(state.end_span)
    }

    /// Its slots, to look at.
    pub fn seen_slots(&self) -> &[Value] {
        let first = (self as *const ScriptFrame).wrapping_add(1) as *const Value;
        // SAFETY: frames are only made with their slots behind them; they live as long.
        unsafe { std::slice::from_raw_parts(first, self.slots as usize) }
    }
}

/// The first slot of a frame, from where the frame stands.
#[inline(always)]
pub fn slots_of(frame: NonNull<ScriptFrame>) -> *mut Value {
    // SAFETY: the slots follow the frame in the same piece of memory.
    unsafe { frame.as_ptr().add(1) as *mut Value }
}

impl Deref for FrameBox {
    type Target = ScriptFrame;
    #[inline(always)]
    fn deref(&self) -> &ScriptFrame {
        // SAFETY: the box owns a live frame.
        unsafe { self.0.as_ref() }
    }
}

impl DerefMut for FrameBox {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut ScriptFrame {
        // SAFETY: as in `deref`, and the box is borrowed mutably.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for FrameBox {
    /// Most frames end with nothing that they alone hold: then this calls nothing, and needs no room
    /// on the native stack (benchmark: sched/chain).
    #[inline]
    fn drop(&mut self) {
        let count = self.slots as usize;
        // SAFETY: slots and frame are initialised, of this size, and nobody uses them after this;
        // `drop_from` does what is left to do.
        unsafe {
            let first = slots_of(self.0);
            for i in 0..count {
                let slot = first.add(i);
                if (*slot).is_last() {
                    return drop_from(self.0, i);
                }
                slot.drop_in_place();
            }
            let frame = self.0.as_ref();
            let is_plain = frame.awaiting.is_above() && frame.owner.is_none() && frame.handled.is_none();
            if !is_plain || frame.func.count() == 1 {
                return drop_from(self.0, count);
            }
            drop(std::ptr::read(&frame.func));
            pool::give(self.0.cast(), size(count));
        }
    }
}

/// Ends a frame whose slots below `slot` are dropped already.
///
/// # Safety
/// The rest must be initialised; nobody may use the frame after this.
#[inline(never)]
unsafe fn drop_from(frame: NonNull<ScriptFrame>, slot: usize) {
    // SAFETY: by the caller's promise.
    unsafe {
        let count = frame.as_ref().slots as usize;
        for i in slot..count {
            slots_of(frame).add(i).drop_in_place();
        }
        frame.as_ptr().drop_in_place();
        pool::give(frame.cast(), size(count));
    }
}

const _: () = assert!(size_of::<FrameBox>() == 8 && size_of::<ScriptFrame>() == 48);
