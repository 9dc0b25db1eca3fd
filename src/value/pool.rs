//! Small pieces of memory, recycled by size.
//!
//! Scripts make and drop small objects all the time: frames, futures, tuples, bound methods. A list
//! of free pieces for each size is several times as fast as the allocator's way
//! (benchmarks: sched/chain, sched/taskgroup, compute/trees), and so is cutting new ones from chunks
//! whose memory the kernel provides at once, not page by page (sched/spawn_gather,
//! million_sleepers). Heap objects have a store of their own, which can be walked from piece to
//! piece. Always true: a piece on a list is free, and as large and as aligned as its list says; each
//! piece of the objects' store is free, and marked so, or holds an object; a thread's pieces stay on
//! its own lists, for good: memory that a burst of objects took is kept for the next one.

use super::chunk::{self, LARGEST_CHUNK};
use super::prefetch::prefetch;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::ptr::NonNull;

/// Sizes are rounded up to a multiple of this, in bytes; it is also the alignment of all pieces.
const STEP: usize = 16;

/// Larger pieces are not recycled.
pub const LARGEST: usize = 256;

/// Chunks begin with this size, in bytes, and double, so that small programs touch little memory.
const FIRST_CHUNK: usize = 32 << 10;

/// Pieces of all sizes, and where new ones are cut.
struct Store {
    /// For each size the first free piece.
    free: [Cell<*mut FreePiece>; LARGEST / STEP + 1],
    /// What is left of the newest chunk, and the size of the next.
    next: Cell<*mut u8>,
    left: Cell<usize>,
    size: Cell<usize>,
}

impl Store {
    const fn new() -> Store {
        Store {
            free: [const { Cell::new(std::ptr::null_mut()) }; LARGEST / STEP + 1],
            next: Cell::new(std::ptr::null_mut()),
            left: Cell::new(0),
            size: Cell::new(FIRST_CHUNK),
        }
    }
}

/// What stands in a free piece. Among the objects the mark is where the kind of an object stands.
#[repr(C)]
struct FreePiece {
    /// The mark at its [`KIND_OFFSET`], and the class behind it.
    head: [u8; 8],
    next: *mut FreePiece,
}

/// No object's kind.
const FREE: u8 = u8::MAX;

/// Where in an object its kind has to stand.
pub const KIND_OFFSET: usize = 4;
const CLASS_OFFSET: usize = 5;

thread_local! {
    static PIECES: Store = const { Store::new() };
    static OBJECTS: Store = const { Store::new() };
    /// The chunks of the objects: where each begins, and where its last piece ends; not the newest
    /// one's end.
    static CHUNKS: RefCell<Vec<(*mut u8, *mut u8)>> = const { RefCell::new(Vec::new()) };
    /// The bytes in them.
    static CHUNK_BYTES: Cell<usize> = const { Cell::new(0) };
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
    match size <= LARGEST {
        true => PIECES
            .with(|store| reuse(store, size))
            .unwrap_or_else(|| cut(size)),
        false => fresh(layout(size)),
    }
}

/// The same for a heap object.
///
/// # Safety
/// The object has to be written there before anything else uses the pool: see [`each_object`].
#[inline(always)]
pub unsafe fn take_object(size: usize) -> NonNull<u8> {
    match size <= LARGEST {
        true => OBJECTS
            .with(|store| reuse(store, size))
            .unwrap_or_else(|| cut_object(size)),
        false => fresh(layout(size)),
    }
}

#[inline(always)]
fn reuse(store: &Store, size: usize) -> Option<NonNull<u8>> {
    let free = &store.free[class(size)];
    let piece = NonNull::new(free.get())?;
    // SAFETY: what is on a list is a free piece.
    free.set(unsafe { piece.as_ref().next });
    Some(piece.cast())
}

#[inline(never)]
fn cut(size: usize) -> NonNull<u8> {
    PIECES.with(|store| cut_from(store, size, |_, _| ()))
}

#[inline(never)]
fn cut_object(size: usize) -> NonNull<u8> {
    OBJECTS.with(|store| {
        cut_from(store, size, |chunk, bytes| {
            CHUNK_BYTES.set(CHUNK_BYTES.get() + bytes);
            CHUNKS.with_borrow_mut(|chunks| {
                if let Some(before) = chunks.last_mut() {
                    before.1 = store.next.get();
                }
                chunks.push((chunk, chunk));
            });
        })
    })
}

/// A new piece, from the newest chunk. `begun` is told of a new chunk before it is used.
fn cut_from(store: &Store, size: usize, begun: impl FnOnce(*mut u8, usize)) -> NonNull<u8> {
    let size = class(size.max(1)) * STEP;
    if store.left.get() < size {
        let bytes = store.size.get();
        let chunk = chunk::new(bytes);
        begun(chunk, bytes);
        // The little that is left of the one before is not used.
        store.next.set(chunk);
        store.left.set(bytes);
        store.size.set((bytes * 2).min(LARGEST_CHUNK));
    }
    let piece = store.next.get();
    store.left.set(store.left.get() - size);
    // SAFETY: that much is left of the chunk.
    unsafe {
        store.next.set(piece.add(size));
        NonNull::new_unchecked(piece)
    }
}

/// The bytes of all chunks of objects.
pub fn object_bytes() -> usize {
    CHUNK_BYTES.get()
}

/// Walks over the heap objects up to 256 bytes: `visit` gets each and gives its size in bytes. It
/// must not make or free any. Gives the bytes of all their pieces.
///
/// # Safety
/// The sizes have to be those with which the objects were made.
pub unsafe fn each_object(mut visit: impl FnMut(NonNull<u8>) -> usize) -> usize {
    let mut bytes = 0;
    let newest = OBJECTS.with(|store| store.next.get());
    CHUNKS.with_borrow(|chunks| {
        for (i, &(start, end)) in chunks.iter().enumerate() {
            let end = if i + 1 == chunks.len() { newest } else { end };
            let mut at = start;
            while at < end {
                // SAFETY: up to its end a chunk consists of pieces, each as large as its mark or
                // its object says.
                unsafe {
                    if *at.add(KIND_OFFSET) == FREE {
                        at = at.add(*at.add(CLASS_OFFSET) as usize * STEP);
                        continue;
                    }
                    let size = class(visit(NonNull::new_unchecked(at))) * STEP;
                    bytes += size;
                    at = at.add(size);
                }
            }
        }
    });
    bytes
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
    // SAFETY: passed on from the caller.
    PIECES.with(|store| unsafe { put_back(store, piece, size) });
}

/// The same for what comes from `take_object`.
///
/// # Safety
/// As for [`give`].
#[inline(always)]
pub unsafe fn give_object(piece: NonNull<u8>, size: usize) {
    // SAFETY: passed on from the caller.
    OBJECTS.with(|store| unsafe { put_back(store, piece, size) });
}

/// Puts a piece on its list.
///
/// # Safety
/// As for [`give`]; the piece must be one of this store.
#[inline(always)]
unsafe fn put_back(store: &Store, piece: NonNull<u8>, size: usize) {
    if size > LARGEST {
        // SAFETY: by the caller's promise it was made with this layout.
        return unsafe { dealloc(piece.as_ptr(), layout(size)) };
    }
    let free = &store.free[class(size)];
    let piece = piece.cast::<FreePiece>();
    let mut head = [0; 8];
    head[KIND_OFFSET] = FREE;
    head[CLASS_OFFSET] = class(size) as u8;
    let next = free.get();
    // SAFETY: the piece is free and has room for this.
    unsafe { piece.write(FreePiece { head, next }) };
    free.set(piece.as_ptr());
}

const _: () = assert!(size_of::<FreePiece>() <= STEP);

/// The owner of a value that lives in a piece of its own.
pub struct Piece<T>(NonNull<T>);

impl<T> Piece<T> {
    /// A value that is made where it will stand, as by [`Ref::make`].
    #[inline(always)]
    pub fn make(value: impl FnOnce() -> T) -> Piece<T> {
        const { assert!(align_of::<T>() <= STEP) };
        let memory = take(size_of::<T>()).cast::<T>();
        // SAFETY: the memory is large and aligned enough, and nobody else has it.
        unsafe { memory.write(value()) };
        Piece(memory)
    }
}

impl<T> Piece<T> {
    /// Brings the value near: it will be used soon.
    #[inline(always)]
    pub fn prefetch(&self) {
        prefetch(self.0);
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
