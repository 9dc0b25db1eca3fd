//! Large blocks: mapped from the kernel one by one, in huge pages where it has them.
//!
//! A fault for each 4 KiB costs more than filling them does: a list of a million tasks is ready in a
//! third of the time (benchmarks: sched/million_sleepers, spawn_gather, cancel), and one that grows
//! moves its pages, not its bytes. Small programs have no large blocks, so they stay small. Always
//! true: a block begins at a multiple of `HUGE` and has a whole number of them.

use rustix::mm::{Advice, MapFlags, MremapFlags, ProtFlags, madvise, mmap_anonymous, mremap_fixed, munmap};
use std::ptr::null_mut;

/// The size of a huge page, in bytes.
const HUGE: usize = 2 << 20;

/// The alignments a large block has.
pub const ALIGN: usize = HUGE;

/// Blocks of at least this size are large, in bytes.
pub const LARGE: usize = HUGE;

/// What a block of `size` bytes takes; nothing if there is no such number.
fn whole(size: usize) -> Option<usize> {
    size.checked_next_multiple_of(HUGE)
}

/// A new block whose bytes are all zero; null if there is no memory.
pub fn alloc(size: usize) -> *mut u8 {
    whole(size).and_then(map).unwrap_or(null_mut())
}

/// Maps `length` bytes, a multiple of `HUGE`, at a multiple of `HUGE`.
fn map(length: usize) -> Option<*mut u8> {
    let wide = length.checked_add(HUGE)?;
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping wherever there is room touches nobody's memory.
    let start = unsafe { mmap_anonymous(null_mut(), wide, access, MapFlags::PRIVATE | MapFlags::NORESERVE) };
    let start = start.ok()?.cast::<u8>();
    let before = start.align_offset(HUGE);
    // SAFETY: what is cut off lies in the mapping, before and after the block, and nobody has it yet.
    // Advice changes no byte; where it is not taken, pages are small.
    unsafe {
        let block = start.add(before);
        unmap(start, before);
        unmap(block.add(length), HUGE - before);
        let _ = madvise(block.cast(), length, Advice::LinuxHugepage);
        Some(block)
    }
}

/// # Safety
/// The bytes are mapped, and nobody uses them any more.
unsafe fn unmap(start: *mut u8, length: usize) {
    if length > 0 {
        // SAFETY: the caller's promise. A failure leaves memory mapped that nobody uses.
        let _ = unsafe { munmap(start.cast(), length) };
    }
}

/// # Safety
/// The block is from `alloc` with this size or `realloc` to it, and nobody uses it any more.
pub unsafe fn dealloc(block: *mut u8, size: usize) {
    if let Some(length) = whole(size) {
        // SAFETY: the block has this length; the rest is the caller's promise.
        unsafe { unmap(block, length) };
    }
}

/// The block with another size, elsewhere if need be; null, and the block as it was, if there is no
/// memory.
///
/// # Safety
/// As for `dealloc`, but that the bytes both sizes have are kept.
pub unsafe fn realloc(block: *mut u8, old: usize, new: usize) -> *mut u8 {
    let (Some(old), Some(new)) = (whole(old), whole(new)) else {
        return null_mut();
    };
    if new <= old {
        // SAFETY: the end of the block, which the caller gives up.
        unsafe { unmap(block.add(new), old - new) };
        return block;
    }
    let Some(place) = map(new) else {
        return null_mut();
    };
    // SAFETY: the pages of the block, which is the caller's, come to lie over the beginning of a new
    // one, which nobody has seen yet.
    match unsafe { mremap_fixed(block.cast(), old, old, MremapFlags::MAYMOVE, place.cast()) } {
        Ok(_) => place,
        Err(_) => {
            // SAFETY: the new block goes as it came.
            unsafe { unmap(place, new) };
            null_mut()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_keeps_its_bytes_as_it_grows_and_shrinks() {
        let sizes = [LARGE, 3 * LARGE + 1, LARGE + 7, 40 * LARGE, LARGE];
        let block = alloc(sizes[0]);
        assert_eq!(block as usize % ALIGN, 0);
        // SAFETY: each access lies within the size the block has at the time.
        unsafe {
            assert_eq!(*block.add(LARGE - 1), 0);
            *block.add(LARGE - 1) = 7;
            let last = sizes.windows(2).fold(block, |block, pair| {
                let block = realloc(block, pair[0], pair[1]);
                assert_eq!((block as usize % ALIGN, *block.add(LARGE - 1)), (0, 7));
                *block.add(pair[1] - 1) = 7;
                block
            });
            dealloc(last, LARGE);
        }
    }

    #[test]
    fn no_memory_is_no_block() {
        assert!(alloc(usize::MAX).is_null());
        assert!(alloc(usize::MAX / 2).is_null());
    }
}
