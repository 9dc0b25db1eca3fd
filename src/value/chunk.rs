//! Chunks of memory, from which small pieces are cut: as few calls of the kernel as can be.
//!
//! A program that makes many objects spends much of its time in the kernel, which provides memory
//! page by page, and clears it, when it is first touched. Chunks are provided at once, and the
//! largest ones are huge pages where the system has them at hand (benchmarks:
//! sched/million_sleepers, spawn_gather, cancel: two thirds of the time with small pages). Where it
//! has to get them from afar, as under a hypervisor that took free memory back, they take ten times
//! as long as small ones; so each is timed.

use std::alloc::{Layout, alloc, handle_alloc_error};

/// The size of the largest chunks, in bytes: that of a huge page.
pub const LARGEST_CHUNK: usize = 2 << 20;

/// From this size on, a chunk's memory is provided at once.
const PROVIDED: usize = 256 << 10;

/// Where chunks begin: at pages, which is what the kernel provides.
const PAGE: usize = 4096;

/// A chunk of so many bytes, at most [`LARGEST_CHUNK`], for good.
pub fn new(bytes: usize) -> *mut u8 {
    #[cfg(target_os = "linux")]
    if bytes == LARGEST_CHUNK
        && let Some(chunk) = region::next_chunk()
    {
        return chunk;
    }
    let layout = Layout::from_size_align(bytes, PAGE).expect("chunks are small");
    // SAFETY: no chunk has size zero.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    #[cfg(target_os = "linux")]
    if bytes >= PROVIDED {
        region::provide(memory, bytes);
    }
    memory
}

/// Address space for the largest chunks.
#[cfg(target_os = "linux")]
mod region {
    use super::LARGEST_CHUNK;
    use crate::value::sweep;
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    /// So much is asked for at once; what is not used of it costs nothing.
    const REGION: usize = 64 << 20;

    /// After a huge page that took longer than small ones, so many chunks are of small ones, and
    /// twice as many each time it happens again.
    const FEWEST_SKIPPED: u32 = 64;
    const MOST_SKIPPED: u32 = 1024;

    thread_local! {
        /// The next chunk, and the bytes left from there on.
        static NEXT: Cell<(*mut u8, usize)> = const { Cell::new((std::ptr::null_mut(), 0)) };
        /// How long as much as the largest chunk took the last time in small pages.
        static SMALL: Cell<Duration> = const { Cell::new(Duration::ZERO) };
        /// So many chunks are of small pages before the next huge one, and were before the last.
        static SKIP: Cell<u32> = const { Cell::new(0) };
        static SKIPPED: Cell<u32> = const { Cell::new(0) };
    }

    /// The next chunk, as a huge page; none if small pages are likely to be had sooner, or the
    /// kernel gives no address space.
    pub fn next_chunk() -> Option<*mut u8> {
        if SKIP.get() > 0 {
            SKIP.set(SKIP.get() - 1);
            return None;
        }
        let (chunk, left) = match NEXT.get() {
            (_, 0) => new_region()?,
            next => next,
        };
        // SAFETY: a region has room for whole chunks, and this one is left of it.
        NEXT.set((unsafe { chunk.add(LARGEST_CHUNK) }, left - LARGEST_CHUNK));
        let skipped = match time_to_provide(chunk, LARGEST_CHUNK) > SMALL.get() {
            true => (SKIPPED.get() * 2).clamp(FEWEST_SKIPPED, MOST_SKIPPED),
            false => 0,
        };
        SKIPPED.set(skipped);
        SKIP.set(skipped);
        sweep::account(LARGEST_CHUNK as isize); // as what the allocator gives
        Some(chunk)
    }

    /// A region that begins where a huge page can.
    fn new_region() -> Option<(*mut u8, usize)> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: memory at an address of the kernel's choice, which nobody else has.
        let memory =
            unsafe { mmap_anonymous(std::ptr::null_mut(), REGION + LARGEST_CHUNK, access, flags) }.ok()?;
        let memory = memory.cast::<u8>();
        // SAFETY: at most one chunk further, for which there is room.
        let start = unsafe { memory.add(memory.align_offset(LARGEST_CHUNK)) };
        // SAFETY: the memory is ours, and holds nothing. A kernel without huge pages refuses.
        let _ = unsafe { madvise(start.cast(), REGION, Advice::LinuxHugepage) };
        Some((start, REGION))
    }

    /// Has the kernel provide the small pages of a chunk in one go.
    pub fn provide(memory: *mut u8, size: usize) {
        SMALL.set(time_to_provide(memory, size) * (LARGEST_CHUNK / size) as u32);
    }

    /// A kernel that cannot provide pages at once does so page by page, later.
    fn time_to_provide(memory: *mut u8, size: usize) -> Duration {
        #[allow(clippy::disallowed_methods)] // the machine's time, whichever clock scripts see
        let begun = Instant::now();
        // SAFETY: the memory is ours, and providing its pages changes nothing in it.
        let _ = unsafe { madvise(memory.cast(), size, Advice::LinuxPopulateWrite) };
        begun.elapsed()
    }
}
