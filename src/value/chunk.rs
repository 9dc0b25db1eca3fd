//! Chunks of memory, from which small pieces are cut: as few calls of the kernel as can be.
//!
//! A program that makes many objects spends much of its time in the kernel, which provides memory
//! page by page, and clears it, when it is first touched. Chunks are provided at once, and the
//! largest ones ahead of their use, by a thread of their own where there is a second processor
//! (benchmarks: sched/million_sleepers, spawn_gather, cancel).

use std::alloc::{Layout, alloc, handle_alloc_error};

/// The size of the largest chunks, in bytes: that of a huge page.
pub const LARGEST_CHUNK: usize = 2 << 20;

/// From this size on, a chunk's memory is provided at once.
#[cfg(target_os = "linux")]
const PROVIDED: usize = 256 << 10;

/// Where chunks begin: at pages, which is what the kernel provides.
const PAGE: usize = 4096;

/// A chunk of so many bytes, at most [`LARGEST_CHUNK`], for good.
pub fn new(bytes: usize) -> *mut u8 {
    #[cfg(target_os = "linux")]
    if bytes == LARGEST_CHUNK
        && let Some(chunk) = provider::next_chunk()
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
        provider::provide_small(memory, bytes);
    }
    memory
}

/// Where the largest chunks come from.
#[cfg(target_os = "linux")]
mod provider {
    use super::LARGEST_CHUNK;
    use crate::value::sweep;
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
    use std::cell::{OnceCell, RefCell};
    use std::sync::mpsc::{Receiver, sync_channel};
    use std::thread;
    use std::time::{Duration, Instant};

    /// So much address space is asked for at once; what is not used of it costs nothing.
    const REGION: usize = 64 << 20;

    /// After a huge page that took longer than small ones, so many chunks are of small ones, and
    /// twice as many each time it happens again.
    const FEWEST_SKIPPED: u32 = 64;
    const MOST_SKIPPED: u32 = 1024;

    /// So many chunks wait to be used, besides the one that the provider holds out.
    const AHEAD: usize = 1;

    thread_local! {
        /// What the thread that provides chunks ahead has ready; none if it could not be had.
        static READY: OnceCell<Option<Receiver<Chunk>>> = const { OnceCell::new() };
        /// For when nothing is ready.
        static OWN: RefCell<Provider> = const { RefCell::new(Provider::new(Duration::ZERO)) };
    }

    /// The next chunk, with its pages; none if the kernel gives no address space.
    pub fn next_chunk() -> Option<*mut u8> {
        let ready = READY.with(|ready| {
            let ready = ready.get_or_init(provide_ahead).as_ref();
            ready.and_then(|ready| ready.try_recv().ok())
        });
        let chunk = ready.or_else(|| OWN.with_borrow_mut(Provider::next))?;
        sweep::account(LARGEST_CHUNK as isize); // as what the allocator gives
        Some(chunk.0)
    }

    /// Begins the thread that provides chunks.
    fn provide_ahead() -> Option<Receiver<Chunk>> {
        if thread::available_parallelism().is_ok_and(|processors| processors.get() == 1) {
            return None;
        }
        let (send, ready) = sync_channel(AHEAD);
        let small = OWN.with_borrow(|own| own.small);
        let work = move || {
            let mut provider = Provider::new(small);
            while let Some(chunk) = provider.next()
                && send.send(chunk).is_ok()
            {}
        };
        thread::Builder::new()
            .name("memory".to_owned())
            .spawn(work)
            .ok()?;
        Some(ready)
    }

    /// A chunk that nobody has yet.
    struct Chunk(*mut u8);

    // SAFETY: memory that nobody else knows is as good for one thread as for another.
    unsafe impl Send for Chunk {}

    /// Gives chunks as huge pages where the system has them at hand: they take a sixth of the time
    /// of small ones. Where it has to get them from afar, as under a hypervisor that took free
    /// memory back, they take ten times as long; so each is timed.
    struct Provider {
        /// What is left of the newest region.
        next: *mut u8,
        left: usize,
        /// How long a chunk of small pages took the last time.
        small: Duration,
        /// So many chunks are of small pages before the next huge one, and were before the last.
        skip: u32,
        skipped: u32,
    }

    impl Provider {
        const fn new(small: Duration) -> Provider {
            Provider {
                next: std::ptr::null_mut(),
                left: 0,
                small,
                skip: 0,
                skipped: 0,
            }
        }

        /// The next chunk; none if the kernel gives no address space.
        fn next(&mut self) -> Option<Chunk> {
            if self.left == 0 {
                (self.next, self.left) = (new_region()?, REGION);
            }
            let chunk = self.next;
            self.left -= LARGEST_CHUNK;
            // SAFETY: a region has room for whole chunks, and this one is left of it.
            self.next = unsafe { chunk.add(LARGEST_CHUNK) };
            if self.skip > 0 {
                self.skip -= 1;
                refuse_huge(chunk);
                self.small = provide(chunk, LARGEST_CHUNK);
            } else {
                self.skipped = match provide(chunk, LARGEST_CHUNK) > self.small {
                    true => (self.skipped * 2).clamp(FEWEST_SKIPPED, MOST_SKIPPED),
                    false => 0,
                };
                self.skip = self.skipped;
            }
            Some(Chunk(chunk))
        }
    }

    /// A region that begins where a huge page can.
    fn new_region() -> Option<*mut u8> {
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
        Some(start)
    }

    /// Has a chunk be one of small pages.
    fn refuse_huge(chunk: *mut u8) {
        // SAFETY: the memory is ours, and holds nothing.
        let _ = unsafe { madvise(chunk.cast(), LARGEST_CHUNK, Advice::LinuxNoHugepage) };
    }

    /// Has the kernel provide the small pages of a chunk from the allocator.
    pub fn provide_small(memory: *mut u8, bytes: usize) {
        let small = provide(memory, bytes) * (LARGEST_CHUNK / bytes) as u32;
        OWN.with_borrow_mut(|own| own.small = small);
    }

    /// Has the kernel provide so many bytes of pages in one go; gives the time it took. A kernel
    /// that cannot do so provides them page by page, later.
    fn provide(memory: *mut u8, bytes: usize) -> Duration {
        #[allow(clippy::disallowed_methods)] // the machine's time, whichever clock scripts see
        let begun = Instant::now();
        // SAFETY: the memory is ours, and providing its pages changes nothing in it.
        let _ = unsafe { madvise(memory.cast(), bytes, Advice::LinuxPopulateWrite) };
        begun.elapsed()
    }
}
