//! The allocator of the command-line tool: mimalloc.
//!
//! The crate's own `MiMalloc` asks for every alignment explicitly, which sends small objects of
//! most sizes down mimalloc 3's slow over-allocating way (110 more instructions and a larger
//! piece). Plain requests are aligned enough for all but rare types. What is given out is accounted
//! for, so that cycles are collected when it has become much. A request that cannot be met ends the
//! process in good order.

use aio::runtime::console;
use aio::value::sweep::account;
use libmimalloc_sys::{mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc};
use std::alloc::{GlobalAlloc, Layout};

pub struct Allocator;

/// What `mi_malloc` aligns to for requests of at least this size (`MI_MAX_ALIGN_SIZE`); smaller
/// ones are aligned to their size's power of two.
const NATURAL: usize = 16;

fn is_natural(layout: Layout) -> bool {
    layout.align() <= NATURAL && layout.align() <= layout.size()
}

/// What was asked for, which is there.
#[inline]
fn given(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        console::end_without_memory();
    }
    memory
}

// SAFETY: mimalloc's functions keep the contract of an allocator; `is_natural` sees to the
// alignment.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        account(layout.size() as isize);
        // SAFETY: passed on from the caller.
        given(unsafe {
            if is_natural(layout) {
                mi_malloc(layout.size()).cast()
            } else {
                mi_malloc_aligned(layout.size(), layout.align()).cast()
            }
        })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on from the caller; larger alignments go the default way.
        unsafe {
            if is_natural(layout) {
                account(layout.size() as isize);
                return given(mi_zalloc(layout.size()).cast());
            }
            let memory = self.alloc(layout);
            memory.write_bytes(0, layout.size());
            memory
        }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        account(-(layout.size() as isize));
        // SAFETY: passed on from the caller.
        unsafe { mi_free(memory.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        account(size as isize - layout.size() as isize);
        // SAFETY: passed on from the caller.
        given(unsafe {
            if is_natural(layout) && layout.align() <= size {
                mi_realloc(memory.cast(), size).cast()
            } else {
                mi_realloc_aligned(memory.cast(), size, layout.align()).cast()
            }
        })
    }
}
