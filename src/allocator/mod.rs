//! The allocator of the command-line tool: mimalloc, and the kernel for large blocks.
//!
//! The crate's own `MiMalloc` asks for every alignment explicitly, which sends small objects of
//! most sizes down mimalloc 3's slow over-allocating way (110 more instructions and a larger
//! piece). Plain requests are aligned enough for all but rare types.

#[cfg(target_os = "linux")]
mod large;

use libmimalloc_sys::{mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc};
use std::alloc::{GlobalAlloc, Layout};

pub struct Allocator;

/// What `mi_malloc` aligns to for requests of at least this size (`MI_MAX_ALIGN_SIZE`); smaller
/// ones are aligned to their size's power of two.
const NATURAL: usize = 16;

#[inline(always)]
fn is_natural(layout: Layout) -> bool {
    layout.align() <= NATURAL && layout.align() <= layout.size()
}

/// Elsewhere than on Linux no block is large.
#[cfg(not(target_os = "linux"))]
mod large {
    pub const ALIGN: usize = 0;
    pub const LARGE: usize = usize::MAX;

    pub fn alloc(_: usize) -> *mut u8 {
        std::ptr::null_mut()
    }

    pub unsafe fn dealloc(_: *mut u8, _: usize) {}

    pub unsafe fn realloc(_: *mut u8, _: usize, _: usize) -> *mut u8 {
        std::ptr::null_mut()
    }
}

#[inline(always)]
fn is_large(layout: Layout) -> bool {
    layout.size() >= large::LARGE && layout.align() <= large::ALIGN
}

// SAFETY: mimalloc's functions and those for large blocks keep the contract of an allocator;
// `is_natural` and `is_large` see to the alignment, and a layout tells who made its block.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(layout) {
            return large::alloc(layout.size());
        }
        // SAFETY: passed on from the caller.
        unsafe {
            if is_natural(layout) {
                mi_malloc(layout.size()).cast()
            } else {
                mi_malloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_large(layout) {
            return large::alloc(layout.size());
        }
        // SAFETY: passed on from the caller; larger alignments go the default way.
        unsafe {
            if is_natural(layout) {
                return mi_zalloc(layout.size()).cast();
            }
            let memory = self.alloc(layout);
            if !memory.is_null() {
                memory.write_bytes(0, layout.size());
            }
            memory
        }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: passed on from the caller.
        unsafe {
            if is_large(layout) {
                large::dealloc(memory, layout.size())
            } else {
                mi_free(memory.cast())
            }
        }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller has checked the size.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: passed on from the caller; both blocks have at least the bytes that are copied.
        unsafe {
            match (is_large(layout), is_large(wanted)) {
                (true, true) => large::realloc(memory, layout.size(), size),
                (false, false) if is_natural(layout) && layout.align() <= size => {
                    mi_realloc(memory.cast(), size).cast()
                }
                (false, false) => mi_realloc_aligned(memory.cast(), size, layout.align()).cast(),
                _ => {
                    let block = self.alloc(wanted);
                    if !block.is_null() {
                        block.copy_from_nonoverlapping(memory, layout.size().min(size));
                        self.dealloc(memory, layout);
                    }
                    block
                }
            }
        }
    }
}
