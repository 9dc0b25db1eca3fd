//! Small pieces of memory, recycled by size.
//!
//! Scripts make and drop small objects all the time: frames, futures, tuples, bound methods. A list
//! of free pieces for each size is several times as fast as the allocator's way
//! (benchmarks: sched/chain, sched/taskgroup, compute/trees), and so is cutting new ones from chunks
//! whose memory the kernel provides at once, not page by page (sched/spawn_gather,
//! million_sleepers). Always true: a piece on a list is free, and as large and as aligned as its list
//! says; a thread's pieces stay on its own lists, for good: memory that a burst of objects took is
//! kept for the next one.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ops::Deref;
use std::ptr::NonNull;

/// Sizes are rounded up to a multiple of this, in bytes; it is also the alignment of all pieces.
const STEP: usize = 16;

/// Larger pieces are not recycled.
const LARGEST: usize = 256;

/// Chunks begin with this size, in bytes, and double, so that small programs touch little memory.
const FIRST_CHUNK: usize = 32 << 10;
const LARGEST_CHUNK: usize = 1 << 20;

/// From this size on, a chunk's memory is provided at once.
const PROVIDED: usize = 256 << 10;

/// Where chunks begin: at pages, which is what the kernel provides.
const PAGE: usize = 4096;

/// What is left of the newest chunk, and the size of the next.
struct Chunk {
    next: Cell<*mut u8>,
    left: Cell<usize>,
    size: Cell<usize>,
}

thread_local! {
    /// For each size the first free piece; each begins with the address of the next.
    static POOLS: [Cell<*mut u8>; LARGEST / STEP + 1] = const {
        [const { Cell::new(std::ptr::null_mut()) }; LARGEST / STEP + 1]
    };
    static CHUNK: Chunk = const {
        Chunk { next: Cell::new(std::ptr::null_mut()), left: Cell::new(0), size: Cell::new(FIRST_CHUNK) }
    };
}

#[inline(always)]
fn class(size: usize) -> usize {
    size.div_ceil(STEP)
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size.max(1), STEP).expect("pieces are small")
}

/// Memory for `size` bytes, aligned to 16.
#[inline(always)]
pub fn take(size: usize) -> NonNull<u8> {
    if size <= LARGEST {
        let pooled = POOLS.with(|pools| {
            let pool = &pools[class(size)];
            let piece = NonNull::new(pool.get())?;
            // SAFETY: a free piece begins with the address of the next one.
            pool.set(unsafe { *(piece.as_ptr() as *mut *mut u8) });
            Some(piece)
        });
        return match pooled {
            Some(piece) => piece,
            None => cut(size),
        };
    }
    fresh(layout(size))
}

/// A new piece, from the newest chunk.
#[inline(never)]
fn cut(size: usize) -> NonNull<u8> {
    let size = class(size.max(1)) * STEP;
    CHUNK.with(|chunk| {
        if chunk.left.get() < size {
            begin(chunk);
        }
        let piece = chunk.next.get();
        chunk.left.set(chunk.left.get() - size);
        // SAFETY: that much is left of the chunk.
        unsafe {
            chunk.next.set(piece.add(size));
            NonNull::new_unchecked(piece)
        }
    })
}

/// Begins a new chunk. The little that is left of the one before is not used.
#[cold]
fn begin(chunk: &Chunk) {
    let size = chunk.size.get();
    let layout = Layout::from_size_align(size, PAGE).expect("chunks are small");
    let memory = fresh(layout);
    if size >= PROVIDED {
        provide(memory, size);
    }
    chunk.next.set(memory.as_ptr());
    chunk.left.set(size);
    chunk.size.set((size * 2).min(LARGEST_CHUNK));
}

/// Has the kernel provide the pages of a chunk in one go. One that cannot does so page by page.
fn provide(memory: NonNull<u8>, size: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the memory is ours, and providing its pages changes nothing in it.
    let _ = unsafe {
        rustix::mm::madvise(
            memory.as_ptr().cast(),
            size,
            rustix::mm::Advice::LinuxPopulateWrite,
        )
    };
    #[cfg(not(target_os = "linux"))]
    let _ = (memory, size);
}

fn fresh(layout: Layout) -> NonNull<u8> {
    // SAFETY: no layout here has size zero.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives memory back.
///
/// # Safety
/// It must come from `take` with the same size, on this thread, and be used by nobody any more.
#[inline(always)]
pub unsafe fn give(piece: NonNull<u8>, size: usize) {
    if size > LARGEST {
        // SAFETY: by the caller's promise `take` made it with this layout.
        return unsafe { dealloc(piece.as_ptr(), layout(size)) };
    }
    POOLS.with(|pools| {
        let pool = &pools[class(size)];
        // SAFETY: the piece is free and larger than an address.
        unsafe { *(piece.as_ptr() as *mut *mut u8) = pool.get() };
        pool.set(piece.as_ptr());
    });
}

/// The owner of a value that lives in a piece of its own.
pub struct Piece<T>(NonNull<T>);

impl<T> Piece<T> {
    pub fn new(value: T) -> Piece<T> {
        const { assert!(align_of::<T>() <= STEP) };
        let memory = take(size_of::<T>()).cast::<T>();
        // SAFETY: the memory is large and aligned enough, and nobody else has it.
        unsafe { memory.write(value) };
        Piece(memory)
    }
}

impl<T> Deref for Piece<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the value lives as long as its owner.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Drop for Piece<T> {
    fn drop(&mut self) {
        // SAFETY: the value is alive, and nobody uses it or its memory after this.
        unsafe {
            self.0.drop_in_place();
            give(self.0.cast(), size_of::<T>());
        }
    }
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
    fn pieces_are_aligned_and_apart_over_many_chunks() {
        let count = 3 * LARGEST_CHUNK / 48;
        let pieces: Vec<_> = (0..count).map(|_| take(40)).collect();
        let mut starts: Vec<_> = pieces.iter().map(|piece| piece.as_ptr() as usize).collect();
        starts.sort_unstable();
        assert!(starts.iter().all(|start| start % STEP == 0));
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 48));
        for piece in pieces {
            // SAFETY: as above.
            unsafe { give(piece, 40) };
        }
    }

    #[test]
    fn large_pieces_go_back_to_the_allocator() {
        let large = take(10_000);
        // SAFETY: as above.
        unsafe { give(large, 10_000) };
    }
}
