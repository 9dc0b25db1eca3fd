//! What the kernel is told about pages of memory. It may not listen.

use std::ptr::NonNull;

/// Asks for all pages now, in one go, not one by one as they are touched.
pub fn provide(memory: NonNull<u8>, size: usize) {
    #[cfg(target_os = "linux")]
    advise(memory, size, rustix::mm::Advice::LinuxPopulateWrite);
    #[cfg(not(target_os = "linux"))]
    let _ = (memory, size);
}

/// Asks for small pages: little of the memory will be touched.
pub fn keep_small(memory: NonNull<u8>, size: usize) {
    #[cfg(target_os = "linux")]
    advise(memory, size, rustix::mm::Advice::LinuxNoHugepage);
    #[cfg(not(target_os = "linux"))]
    let _ = (memory, size);
}

#[cfg(target_os = "linux")]
fn advise(memory: NonNull<u8>, size: usize, advice: rustix::mm::Advice) {
    // SAFETY: neither kind of advice here changes a byte of the memory.
    let _ = unsafe { rustix::mm::madvise(memory.as_ptr().cast(), size, advice) };
}
