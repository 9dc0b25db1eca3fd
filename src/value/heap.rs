//! Counted heap objects: the one place where values are unsafe.
//!
//! An object is a [`Header`] followed by its data. Always true: an object lives exactly as long as
//! a [`Ref`] or a counted [`Value`](super::Value) to it; everything stays on the thread that made
//! it, so counts need no atomics; dropping never recurses without bound (objects found dead below
//! a certain depth wait on a list until the drop above them is done).

use super::*;
use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

/// What every heap object begins with.
#[repr(C)]
pub struct Header {
    count: Cell<u32>,
    kind: Kind,
    /// Whether [`weak`] wants to hear of its end.
    watched: Cell<bool>,
    /// What the [`sweep`] notes while it runs; 0 else.
    note: Cell<u16>,
}

const _: () = assert!(std::mem::offset_of!(Header, kind) == pool::KIND_OFFSET && size_of::<Header>() == 8);

#[repr(C)]
struct Heap<T> {
    header: Header,
    data: T,
}

/// A type that can live behind a [`Ref`] and inside a [`Value`].
pub trait Object: Sized + 'static {
    const KIND: Kind;
}

/// A counted pointer to a heap object. Cloning counts up, dropping counts down and frees at zero.
#[repr(transparent)]
pub struct Ref<T: Object>(NonNull<Heap<T>>);

impl<T: Object> Ref<T> {
    pub fn new(data: T) -> Ref<T> {
        Ref::make(|| data)
    }

    /// An object whose data is made where it will stand. Data that is moved there right after it was
    /// made has to wait for the processor's stores, some twenty cycles for every sixteen bytes
    /// (benchmarks: sched/taskgroup, spawn_gather). `data` must make no object.
    #[inline(always)]
    pub fn make(data: impl FnOnce() -> T) -> Ref<T> {
        let header = Header {
            count: Cell::new(1),
            kind: T::KIND,
            watched: Cell::new(false),
            note: Cell::new(0),
        };
        const { assert!(align_of::<Heap<T>>() <= 16) };
        // SAFETY: the memory is large and aligned enough, nobody else has it, and the object is
        // written at once.
        unsafe {
            let heap = pool::take_object(size_of::<Heap<T>>()).cast::<Heap<T>>();
            (&raw mut (*heap.as_ptr()).header).write(header);
            (&raw mut (*heap.as_ptr()).data).write(data());
            Ref(heap)
        }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: the object lives while this Ref does; a Header is its first field.
        unsafe { &(*self.0.as_ptr()).header }
    }

    /// Identity: whether both point to the same object.
    #[inline(always)]
    pub fn is(&self, other: &Ref<T>) -> bool {
        self.0 == other.0
    }

    /// The address, as a number that tells objects apart while they live.
    pub fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }

    /// Brings the object near: it will be used soon.
    #[inline(always)]
    pub fn prefetch(&self) {
        prefetch::prefetch(self.0);
    }

    /// How many references there are.
    pub fn count(&self) -> u32 {
        self.header().count.get()
    }

    /// The object, to be changed, if this is the only reference to it. What nobody else can see
    /// may change even if it is immutable to scripts.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        // SAFETY: the only reference is borrowed mutably, so nobody reads the data meanwhile; a
        // pointer that does not count can only become a reference while script code runs.
        (self.count() == 1).then(|| unsafe { &mut (*self.0.as_ptr()).data })
    }

    /// A new reference to the object that `data` is part of.
    ///
    /// # Safety
    /// `data` must be what a live `Ref<T>` dereferences to.
    pub unsafe fn of_data(data: &T) -> Ref<T> {
        let offset = std::mem::offset_of!(Heap<T>, data);
        // SAFETY: by the caller's promise `data` stands at that offset in a live Heap<T>.
        let heap = unsafe { (data as *const T as *mut u8).sub(offset) } as *mut Heap<T>;
        // SAFETY: as above; counting up pays for the new Ref.
        unsafe {
            let count = &(*heap).header.count;
            count.set(count.get() + 1);
            Ref(NonNull::new_unchecked(heap))
        }
    }
}

/// A pointer that does not keep its object alive.
pub struct Loose<T: Object>(NonNull<Heap<T>>);

impl<T: Object> Loose<T> {
    pub fn new(object: &Ref<T>) -> Loose<T> {
        Loose(object.0)
    }

    /// A reference to the object, unless it is about to be freed.
    ///
    /// # Safety
    /// The object must not have been freed.
    pub unsafe fn upgrade(&self) -> Option<Ref<T>> {
        // SAFETY: by the caller's promise the memory is still the object's.
        let count = unsafe { &(*self.0.as_ptr()).header.count };
        if count.get() == 0 {
            return None; // it waits on the list of the dead
        }
        count.set(count.get() + 1);
        Some(Ref(self.0))
    }

    /// The object's data.
    ///
    /// # Safety
    /// The object must not have been freed, and must not be while the data is in use.
    pub unsafe fn data(&self) -> &T {
        // SAFETY: passed on from the caller.
        unsafe { &(*self.0.as_ptr()).data }
    }

    /// Whether it points to the object that `data` is part of.
    pub fn is_of(&self, data: &T) -> bool {
        // SAFETY: only the address of the field is taken.
        std::ptr::eq(unsafe { &raw const (*self.0.as_ptr()).data }, data)
    }
}

impl<T: Object> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Ref<T> {
        let count = &self.header().count;
        count.set(count.get() + 1);
        Ref(self.0)
    }
}

impl<T: Object> Drop for Ref<T> {
    #[inline(always)]
    fn drop(&mut self) {
        let count = &self.header().count;
        count.set(count.get() - 1);
        if count.get() == 0 {
            // SAFETY: the count is zero, so this was the last reference.
            unsafe { release(self.0.as_ptr() as *mut Header) }
        }
    }
}

impl<T: Object> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the object lives while this Ref does.
        unsafe { &(*self.0.as_ptr()).data }
    }
}

impl<T: Object> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?}@{:x}", T::KIND, self.address())
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        // SAFETY: the tag is the first byte (repr(u8)); from FIRST_COUNTED on every variant holds
        // one Ref at offset 8, whose pointee begins with a Header. Copying the bits after counting
        // up makes a second owner.
        unsafe {
            if self.tag() >= FIRST_COUNTED {
                let header = self.header_pointer();
                (*header).count.set((*header).count.get() + 1);
            }
            std::ptr::read(self)
        }
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: layout as in `clone`; the variants' Refs are ManuallyDrop, so this is the only
        // place that counts down.
        unsafe {
            if self.tag() >= FIRST_COUNTED {
                let header = self.header_pointer();
                let count = (*header).count.get() - 1;
                (*header).count.set(count);
                if count == 0 {
                    release(header);
                }
            }
        }
    }
}

impl Value {
    /// The discriminant. Numbers below [`FIRST_COUNTED`] own nothing.
    #[inline(always)]
    pub fn tag(&self) -> u8 {
        // SAFETY: Value is repr(u8), so its first byte is its tag.
        unsafe { *(self as *const Value as *const u8) }
    }

    /// SAFETY contract: only for counted variants.
    #[inline(always)]
    unsafe fn header_pointer(&self) -> *mut Header {
        // SAFETY: by the contract the second word is the pointer of a Ref.
        unsafe { *(self as *const Value as *const *mut Header).add(1) }
    }

    /// The address of a counted value's object.
    #[inline(always)]
    pub fn address(&self) -> Option<usize> {
        // SAFETY: checked to be counted.
        (self.tag() >= FIRST_COUNTED).then(|| unsafe { self.header_pointer() } as usize)
    }

    /// Whether dropping it frees its object.
    #[inline(always)]
    pub fn is_last(&self) -> bool {
        // SAFETY: checked to be counted.
        self.tag() >= FIRST_COUNTED && unsafe { (*self.header_pointer()).count.get() == 1 }
    }

    /// How many references the object has (1 for plain values).
    pub fn references(&self) -> u32 {
        if self.tag() >= FIRST_COUNTED {
            // SAFETY: counted, so a header is there.
            unsafe { (*self.header_pointer()).count.get() }
        } else {
            1
        }
    }
}

impl Value {
    /// The function that it is.
    #[inline(always)]
    pub fn into_function(mut self) -> Option<Ref<Function>> {
        let Value::Function(held) = &mut self else {
            return None;
        };
        // SAFETY: the value is forgotten at once, so the reference has one owner.
        let function = unsafe { ManuallyDrop::take(&mut held.0) };
        std::mem::forget(self);
        Some(function)
    }
}

impl Value {
    /// The sweep's note at a counted object; 0 for plain values.
    pub fn note(&self) -> u16 {
        match self.tag() >= FIRST_COUNTED {
            // SAFETY: counted, so a header is there.
            true => unsafe { (*self.header_pointer()).note.get() },
            false => 0,
        }
    }

    pub fn set_note(&self, note: u16) {
        if self.tag() >= FIRST_COUNTED {
            // SAFETY: as above.
            unsafe { (*self.header_pointer()).note.set(note) }
        }
    }
}

/// Where an object stands, without keeping it alive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(NonNull<Header>);

impl Value {
    /// The place of a counted object, of whose end [`weak`] will be told from now on.
    pub fn watched_place(&self) -> Option<Place> {
        let place = self.place()?;
        // SAFETY: this value keeps the object alive.
        unsafe { place.0.as_ref() }.watched.set(true);
        Some(place)
    }

    /// The place of a counted object.
    pub fn place(&self) -> Option<Place> {
        if self.tag() < FIRST_COUNTED {
            return None;
        }
        // SAFETY: checked to be counted.
        NonNull::new(unsafe { self.header_pointer() }).map(Place)
    }
}

/// How deep drops may nest before objects wait on the list.
const DEEPEST_DROP: u32 = 100;

thread_local! {
    static DROP_DEPTH: Cell<u32> = const { Cell::new(0) };
    /// The depths of the fibers that wait.
    static DROPS_ELSEWHERE: Cell<u32> = const { Cell::new(0) };
    /// Never destroyed itself: values may be dropped until the very end of the thread.
    static WAITING: ManuallyDrop<UnsafeCell<Vec<*mut Header>>> =
        const { ManuallyDrop::new(UnsafeCell::new(Vec::new())) };
}

/// Frees an object whose count has reached zero.
///
/// # Safety
/// `header` starts a live `Heap<T>` of its kind and nobody refers to it any more.
#[cold]
#[inline(never)]
unsafe fn release(header: *mut Header) {
    let depth = DROP_DEPTH.get();
    if depth >= DEEPEST_DROP {
        // SAFETY: the list is touched only here and below, never across a drop.
        WAITING.with(|list| unsafe { (*list.get()).push(header) });
        return;
    }
    DROP_DEPTH.set(depth + 1);
    // SAFETY: passed on from the caller.
    unsafe { free(header) };
    if depth == 0 {
        // SAFETY: as above; each header on the list is dead and listed once.
        while let Some(next) = WAITING.with(|list| unsafe { (*list.get()).pop() }) {
            unsafe { free(next) };
        }
    }
    DROP_DEPTH.set(depth);
}

/// A fiber that is switched to in the middle of a drop starts counting anew.
pub fn swap_drop_depth(depth: u32) -> u32 {
    let before = DROP_DEPTH.replace(depth);
    DROPS_ELSEWHERE.set(DROPS_ELSEWHERE.get() + before - depth);
    before
}

/// Whether some object is half dropped, here or in another fiber.
pub fn is_dropping() -> bool {
    DROP_DEPTH.get() + DROPS_ELSEWHERE.get() > 0
}

macro_rules! kinds {
    ($($kind:ident $type:ty,)*) => {
        /// Which type of object a header starts.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Kind { $($kind,)* }

        $(
            impl Object for $type { const KIND: Kind = Kind::$kind; }
            impl From<Ref<$type>> for Value {
                #[inline(always)]
                fn from(object: Ref<$type>) -> Value { Value::$kind(Held::new(object)) }
            }
        )*

        // What is larger does not stand in the pool, so `each_object` does not come to it.
        $(const _: () = assert!(
            size_of::<Heap<$type>>() <= pool::LARGEST || matches!(Kind::$kind, Kind::Class)
        );)*

        impl Place {
            /// The object, unless it is about to be freed.
            ///
            /// # Safety
            /// The object must not have been freed.
            pub unsafe fn value(self) -> Option<Value> {
                // SAFETY: by the caller's promise the memory is still the object's; its kind
                // says of which type, and counting up pays for the new Ref.
                unsafe {
                    let header = self.0.as_ref();
                    if header.count.get() == 0 {
                        return None; // it waits on the list of the dead
                    }
                    header.count.set(header.count.get() + 1);
                    Some(match header.kind {
                        $(Kind::$kind => Value::from(Ref::<$type>(self.0.cast())),)*
                    })
                }
            }
        }

        /// Shows every object of this thread but classes. `visit` must neither make nor free
        /// any; no object may be half dropped. Gives the bytes that they take.
        pub fn each_object(mut visit: impl FnMut(&Value)) -> usize {
            assert!(!is_dropping());
            // SAFETY: an object stands in each piece, and its kind says of which type and size. The
            // value that shows it is not counted and not dropped.
            unsafe {
                pool::each_object(|piece| match piece.cast::<Header>().as_ref().kind {
                    $(Kind::$kind => {
                        let shown = Value::from(Ref::<$type>(piece.cast()));
                        visit(&ManuallyDrop::new(shown));
                        size_of::<Heap<$type>>()
                    })*
                })
            }
        }

        /// # Safety
        /// As for [`release`].
        unsafe fn free(header: *mut Header) {
            // SAFETY: the kind says which Heap<T> it is; its memory came from the pool with that size.
            unsafe {
                match (*header).kind {
                    $(Kind::$kind => {
                        let heap = header as *mut Heap<$type>;
                        // One count held here keeps it alive while its finaliser runs.
                        (*header).count.set(1);
                        // A generator is closed when nobody can get at it any more.
                        if Kind::$kind == Kind::Generator && (*header).watched.get() {
                            weak::died(Place(NonNull::new_unchecked(header)));
                        }
                        let ran = <$type as Dying>::last_words(&(*heap).data, || {
                            (*header).count.set((*header).count.get() + 1);
                            Ref(NonNull::new_unchecked(heap))
                        });
                        if ran && (*header).count.get() > 1 {
                            (*header).count.set((*header).count.get() - 1);
                            return; // the finaliser gave it to somebody
                        }
                        if (*header).watched.get() {
                            weak::died(Place(NonNull::new_unchecked(header)));
                        }
                        heap.drop_in_place();
                        pool::give_object(NonNull::new_unchecked(heap).cast(), size_of::<Heap<$type>>());
                    })*
                }
            }
        }
    };
}

/// What an object does before it is freed.
pub trait Dying: Object {
    /// Runs the object's finaliser, if it has one; `revive` gives a reference to hand to it.
    /// True if it ran.
    #[inline(always)]
    fn last_words(&self, _revive: impl FnOnce() -> Ref<Self>) -> bool {
        false
    }
}

kinds! {
    Big Big,
    Str Str,
    Bytes Bytes,
    ByteArray ByteArray,
    List List,
    Tuple Tuple,
    Dict Dict,
    Set Set,
    FrozenSet FrozenSet,
    Range Range,
    Slice Slice,
    Cell VariableCell,
    Function Function,
    Method Method,
    Native Native,
    Class Class,
    Instance Instance,
    Exception Exception,
    Module Module,
    Generator Generator,
    Iterator NativeIterator,
    Future Future,
    Opaque Opaque,
}

/// A mutable place for one value. Reading clones, writing drops the old value after the new one
/// is in place, so no script that runs in that drop sees a half-written cell.
#[derive(Default)]
pub struct ValueCell(UnsafeCell<Value>);

impl Clone for ValueCell {
    fn clone(&self) -> ValueCell {
        ValueCell::new(self.get())
    }
}

impl ValueCell {
    pub fn new(value: Value) -> ValueCell {
        ValueCell(UnsafeCell::new(value))
    }

    #[inline(always)]
    pub fn get(&self) -> Value {
        // SAFETY: cloning runs no foreign code, and no reference into the cell ever escapes.
        unsafe { (*self.0.get()).clone() }
    }

    #[inline(always)]
    pub fn set(&self, value: Value) {
        drop(self.replace(value));
    }

    #[inline(always)]
    pub fn replace(&self, value: Value) -> Value {
        // SAFETY: as in `get`; nothing is dropped while the cell is borrowed.
        unsafe { std::mem::replace(&mut *self.0.get(), value) }
    }

    pub fn take(&self) -> Value {
        self.replace(Value::Unset)
    }

    /// Brings the object of a counted value near: it will be used soon.
    #[inline(always)]
    pub fn prefetch(&self) {
        // SAFETY: as in `get`; the object is not read.
        let value = unsafe { &*self.0.get() };
        if value.tag() >= FIRST_COUNTED {
            // SAFETY: checked to be counted.
            let header = unsafe { value.header_pointer() };
            if let Some(header) = NonNull::new(header) {
                prefetch::prefetch(header.cast::<[u8; 128]>());
            }
        }
    }
}
