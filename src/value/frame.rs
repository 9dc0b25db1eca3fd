//! Suspended script frames: what a generator or coroutine keeps while it waits.
//!
//! Always true: a frame and its slots are one piece of memory, and every slot is initialised from
//! `new` to drop. Pieces are recycled by size, because each `await f(…)` takes one
//! (benchmarks: sched/chain, taskgroup).

use super::*;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A suspended script frame. Its slots follow it in memory.
pub struct ScriptFrame {
    pub func: Ref<Function>,
    /// The state it goes on with, or stands in.
    pub state: u32,
    slots: u32,
    /// What it waits for: a future, whose outcome it is resumed with; None, for one pass of the
    /// loop; unset if what is above it on the stack says.
    pub awaiting: Value,
    /// The generator object it belongs to, while it runs on another one's stack.
    pub owner: Option<Ref<Generator>>,
    /// None as long as no exception is being handled.
    pub handled: Option<Box<Handled>>,
}

/// The exceptions that a suspended frame is in the middle of handling.
#[derive(Default)]
pub struct Handled {
    /// Its own, innermost last.
    pub exceptions: Vec<Ref<Exception>>,
    /// What its awaiter is handling.
    pub inherited: Option<Ref<Exception>>,
}

/// The owner of a [`ScriptFrame`] and its slots.
pub struct FrameBox(NonNull<ScriptFrame>);

/// Frames with at most this many slots are recycled.
const POOLED: usize = 12;

/// How many frames of one size are kept for reuse.
const KEPT: u32 = 256;

/// Free pieces of memory of one size; each holds the address of the next.
struct Pool {
    first: Cell<*mut u8>,
    count: Cell<u32>,
}

thread_local! {
    static POOLS: [Pool; POOLED + 1] = const {
        [const { Pool { first: Cell::new(std::ptr::null_mut()), count: Cell::new(0) } }; POOLED + 1]
    };
}

fn layout(slots: usize) -> Layout {
    let size = size_of::<ScriptFrame>() + slots * size_of::<Value>();
    Layout::from_size_align(size, align_of::<ScriptFrame>()).expect("a code has few slots")
}

/// Memory for a frame with so many slots.
#[inline(always)]
fn take_memory(slots: usize) -> *mut u8 {
    if slots <= POOLED {
        let pooled = POOLS.with(|pools| {
            let pool = &pools[slots];
            let piece = pool.first.get();
            if !piece.is_null() {
                // SAFETY: a free piece begins with the address of the next one.
                pool.first.set(unsafe { *(piece as *mut *mut u8) });
                pool.count.set(pool.count.get() - 1);
            }
            piece
        });
        if !pooled.is_null() {
            return pooled;
        }
    }
    fresh_memory(slots)
}

#[inline(never)]
fn fresh_memory(slots: usize) -> *mut u8 {
    // SAFETY: the size is not zero.
    let memory = unsafe { alloc(layout(slots)) };
    if memory.is_null() {
        handle_alloc_error(layout(slots));
    }
    memory
}

/// Gives back the memory of a frame with so many slots.
#[inline(always)]
fn give_memory(memory: *mut u8, slots: usize) {
    if slots <= POOLED {
        let kept = POOLS.with(|pools| {
            let pool = &pools[slots];
            let keep = pool.count.get() < KEPT;
            if keep {
                // SAFETY: the piece is free and larger than an address.
                unsafe { *(memory as *mut *mut u8) = pool.first.get() };
                pool.first.set(memory);
                pool.count.set(pool.count.get() + 1);
            }
            keep
        });
        if kept {
            return;
        }
    }
    // SAFETY: it came from `fresh_memory` with the same count of slots.
    unsafe { dealloc(memory, layout(slots)) };
}

impl FrameBox {
    /// A frame of the function that has not begun, all slots unset.
    #[inline]
    pub fn new(func: &Ref<Function>) -> FrameBox {
        let slots = func.shape.slots();
        let memory = take_memory(slots) as *mut ScriptFrame;
        // SAFETY: the memory is large enough for the frame and its slots; both are initialised
        // here, before anybody can see them.
        unsafe {
            memory.write(ScriptFrame {
                func: func.clone(),
                state: function::NOT_STARTED,
                slots: slots as u32,
                awaiting: Value::Unset,
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
    #[inline]
    fn drop(&mut self) {
        let count = self.slots as usize;
        // SAFETY: slots and frame are initialised and nobody uses them after this.
        unsafe {
            let first = slots_of(self.0);
            for i in 0..count {
                first.add(i).drop_in_place();
            }
            self.0.as_ptr().drop_in_place();
        }
        give_memory(self.0.as_ptr() as *mut u8, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const _: () = assert!(size_of::<FrameBox>() == 8 && size_of::<ScriptFrame>() == 48);
}
