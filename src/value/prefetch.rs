//! Asking the processor to bring near what will be used soon.
//!
//! A loop over many tasks meets each one's memory far from its caches: task, coroutine and frame are
//! a chain of pointers, each of which it would wait for (benchmarks: sched/timers).

use std::ptr::NonNull;

/// What the caches hold together, in bytes.
const LINE: usize = 64;

/// Brings near the memory of a value. What it holds may be anything: it is not read.
#[inline(always)]
pub fn prefetch<T>(at: NonNull<T>) {
    let start = at.as_ptr().cast::<u8>();
    for line in 0..size_of::<T>().div_ceil(LINE) {
        bring(start.wrapping_add(line * LINE));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn bring(line: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a hint, which takes any address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn bring(_line: *const u8) {}
