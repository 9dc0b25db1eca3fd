//! Small pieces of memory, recycled by size.
//!
//! Scripts make and drop small objects all the time: frames, futures, tuples, bound methods. A list
//! of free pieces for each size is several times as fast as the allocator's way
//! (benchmarks: sched/chain, sched/taskgroup, compute/trees). Always true: a piece on a list is
//! free, and as large and as aligned as its list says; a thread's pieces stay on its own lists.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;

/// Sizes are rounded up to a multiple of this, in bytes; it is also the alignment of all pieces.
const STEP: usize = 16;

/// Larger pieces are not recycled.
const LARGEST: usize = 256;

/// How many free pieces of one size are kept.
const KEPT: u32 = 2048;

struct Pool {
    /// The first free piece; each begins with the address of the next.
    first: Cell<*mut u8>,
    count: Cell<u32>,
}

thread_local! {
    static POOLS: [Pool; LARGEST / STEP + 1] = const {
        [const { Pool { first: Cell::new(std::ptr::null_mut()), count: Cell::new(0) } }; LARGEST / STEP + 1]
    };
}

#[inline(always)]
fn class(size: usize) -> usize {
    size.div_ceil(STEP)
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(class(size) * STEP, STEP).expect("pieces are small")
}

/// Memory for `size` bytes, aligned to 16.
#[inline(always)]
pub fn take(size: usize) -> NonNull<u8> {
    if size <= LARGEST {
        let pooled = POOLS.with(|pools| {
            let pool = &pools[class(size)];
            let piece = NonNull::new(pool.first.get())?;
            // SAFETY: a free piece begins with the address of the next one.
            pool.first.set(unsafe { *(piece.as_ptr() as *mut *mut u8) });
            pool.count.set(pool.count.get() - 1);
            Some(piece)
        });
        if let Some(piece) = pooled {
            return piece;
        }
    }
    fresh(size)
}

#[inline(never)]
fn fresh(size: usize) -> NonNull<u8> {
    // SAFETY: nobody asks for nothing: every object has a header.
    let memory = unsafe { alloc(layout(size.max(1))) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout(size)))
}

/// Gives memory back.
///
/// # Safety
/// It must come from `take` with the same size, on this thread, and be used by nobody any more.
#[inline(always)]
pub unsafe fn give(piece: NonNull<u8>, size: usize) {
    if size <= LARGEST {
        let kept = POOLS.with(|pools| {
            let pool = &pools[class(size)];
            let keep = pool.count.get() < KEPT;
            if keep {
                // SAFETY: the piece is free and larger than an address.
                unsafe { *(piece.as_ptr() as *mut *mut u8) = pool.first.get() };
                pool.first.set(piece.as_ptr());
                pool.count.set(pool.count.get() + 1);
            }
            keep
        });
        if kept {
            return;
        }
    }
    // SAFETY: by the caller's promise `fresh` made it with this size.
    unsafe { free(piece, size) };
}

/// # Safety
/// As for [`give`].
#[inline(never)]
unsafe fn free(piece: NonNull<u8>, size: usize) {
    // SAFETY: passed on from the caller.
    unsafe { dealloc(piece.as_ptr(), layout(size.max(1))) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_taken_again() {
        let first = take(40);
        // SAFETY: taken just now with this size.
        unsafe { give(first, 40) };
        let second = take(48); // of the same class
        assert_eq!(first, second);
        // SAFETY: as above.
        unsafe { give(second, 48) };
    }

    #[test]
    fn large_and_many_pieces_go_back_to_the_allocator() {
        let large = take(10_000);
        // SAFETY: as above.
        unsafe { give(large, 10_000) };
        let many: Vec<_> = (0..KEPT + 100).map(|_| take(16)).collect();
        for piece in many {
            // SAFETY: as above.
            unsafe { give(piece, 16) };
        }
        POOLS.with(|pools| assert_eq!(pools[1].count.get(), KEPT));
    }
}
