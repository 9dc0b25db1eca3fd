//! The value stack: arguments and locals of synchronous calls, and the guards against depth.
//!
//! Always true: every value between the base of a window and the top is initialised and owned by
//! the stack; a [`Window`] gives its part back however it is left.

use super::error::raise;
use super::types::Type;
use crate::value::*;
use std::cell::Cell;

/// Values a stack has room for; its memory is touched only as far as it is used.
const MAIN_VALUES: usize = 4 << 20;

thread_local! {
    static TOP: Cell<*mut Value> = const { Cell::new(std::ptr::null_mut()) };
    static END: Cell<*mut Value> = const { Cell::new(std::ptr::null_mut()) };
    /// Script calls on the stack, and how many are allowed.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LIMIT: Cell<u32> = const { Cell::new(1000) };
    /// The lowest address the native stack may reach.
    static FLOOR: Cell<usize> = const { Cell::new(0) };
}

/// Memory for a value stack: one for the main thread, one for each fiber.
pub struct ValueStack {
    memory: Vec<std::mem::MaybeUninit<Value>>,
}

impl ValueStack {
    pub fn new(values: usize) -> ValueStack {
        // Hardly any of it is ever touched, so it does not count as memory in use.
        sweep::account(-((values * size_of::<Value>()) as isize));
        ValueStack {
            memory: Vec::with_capacity(values),
        }
    }

    pub fn main() -> ValueStack {
        ValueStack::new(MAIN_VALUES)
    }
}

impl Drop for ValueStack {
    fn drop(&mut self) {
        sweep::account((self.memory.capacity() * size_of::<Value>()) as isize);
    }
}

/// The stack state of one thread of a script, while another one runs.
pub struct Saved {
    top: *mut Value,
    end: *mut Value,
    depth: u32,
    floor: usize,
}

impl Saved {
    /// The state of a thread that has not run: an empty value stack, and the lowest native
    /// address that its calls may reach.
    pub fn fresh(stack: &mut ValueStack, floor: usize) -> Saved {
        let top = stack.memory.as_mut_ptr() as *mut Value;
        // SAFETY: within the allocation, or one past its end.
        let end = unsafe { top.add(stack.memory.capacity()) };
        Saved {
            top,
            end,
            depth: 0,
            floor,
        }
    }

    /// Puts this state into effect and gives the one before.
    pub fn swap(self) -> Saved {
        Saved {
            top: TOP.replace(self.top),
            end: END.replace(self.end),
            depth: DEPTH.replace(self.depth),
            floor: FLOOR.replace(self.floor),
        }
    }
}

pub fn recursion_limit() -> u32 {
    LIMIT.get()
}

pub fn set_recursion_limit(limit: u32) {
    LIMIT.set(limit);
}

pub fn depth() -> u32 {
    DEPTH.get()
}

/// Native stack left, in bytes, to the floor of the current thread or fiber.
#[inline(always)]
pub fn native_stack_left() -> usize {
    let here = 0u8;
    (&raw const here as usize).saturating_sub(FLOOR.get())
}

/// A script call begins. Fails if calls are nested too deep.
#[inline(always)]
pub fn enter_call() -> Res<()> {
    let depth = DEPTH.get() + 1;
    if depth >= LIMIT.get() || native_stack_left() == 0 {
        return Err(too_deep());
    }
    DEPTH.set(depth);
    Ok(())
}

#[inline(always)]
pub fn leave_call() {
    DEPTH.set(DEPTH.get() - 1);
}

#[cold]
#[inline(never)]
fn too_deep() -> Raised {
    raise(Type::RecursionError, "maximum recursion depth exceeded")
        .help("a function that calls itself needs a case in which it does not")
}

/// For recursion inside the interpreter (repr, comparison …): fails near the end of the stack.
#[inline]
pub fn check_native(doing: &str) -> Res<()> {
    match is_nearly_full() {
        true => Err(too_deep_in(doing)),
        false => Ok(()),
    }
}

/// Whether the native stack has little room left.
#[inline(always)]
pub fn is_nearly_full() -> bool {
    native_stack_left() < 64 << 10
}

/// Recursion that went too deep, with what it was doing.
#[cold]
pub fn too_deep_in(doing: &str) -> Raised {
    raise(
        Type::RecursionError,
        format!("maximum recursion depth exceeded{doing}"),
    )
}

/// A part of the value stack in use: from its base to the top.
pub struct Window {
    base: *mut Value,
    /// The stack's top while no window is open above this one.
    top: Cell<*mut Value>,
}

impl Window {
    #[inline(always)]
    pub fn open() -> Window {
        let base = TOP.get();
        Window {
            base,
            top: Cell::new(base),
        }
    }

    #[inline(always)]
    fn set_top(&self, top: *mut Value) {
        self.top.set(top);
        TOP.set(top);
    }

    #[inline(always)]
    pub fn base(&self) -> *mut Value {
        self.base
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: both stand in the same stack, the top never below a live window's base.
        unsafe { self.top.get().offset_from(self.base) as usize }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    pub fn push(&self, value: Value) -> Res<()> {
        let top = self.top.get();
        debug_assert!(top == TOP.get());
        if top == END.get() {
            return Err(too_deep());
        }
        // SAFETY: top is below the end, so the place is ours and holds no live value.
        unsafe {
            top.write(value);
            self.set_top(top.add(1));
        }
        Ok(())
    }

    /// Pushes unset values.
    #[inline(always)]
    pub fn push_unset(&self, count: usize) -> Res<()> {
        if count == 0 {
            return Ok(()); // most often
        }
        let top = self.top.get();
        debug_assert!(top == TOP.get());
        // SAFETY: both pointers belong to one stack.
        if unsafe { END.get().offset_from(top) } < count as isize {
            return Err(too_deep());
        }
        // SAFETY: there is room for `count` more values.
        unsafe {
            for i in 0..count {
                top.add(i).write(Value::Unset);
            }
            self.set_top(top.add(count));
        }
        Ok(())
    }

    /// Drops values beyond so many, or pushes unset ones.
    pub fn resize(&self, len: usize) -> Res<()> {
        if len < self.len() {
            drop(self.drain(len));
        }
        self.push_unset(len - self.len())
    }

    /// Pushes copies of all of them.
    pub fn push_all(&self, values: &[Value]) -> Res<()> {
        values.iter().try_for_each(|value| self.push(value.clone()))
    }

    /// The values from `start` on. They must not be changed through the stack while in use.
    #[inline(always)]
    pub fn values(&self, start: usize) -> &[Value] {
        debug_assert!(start <= self.len());
        // SAFETY: all values from base to top are initialised.
        unsafe { std::slice::from_raw_parts(self.base.add(start), self.len() - start) }
    }

    #[inline(always)]
    pub fn set(&self, index: usize, value: Value) {
        debug_assert!(index < self.len());
        // SAFETY: the place is initialised; the old value is dropped after the new one is in.
        let old = unsafe { std::mem::replace(&mut *self.base.add(index), value) };
        drop(old);
    }

    /// Moves out a value; unset is left behind.
    pub fn take(&self, index: usize) -> Value {
        debug_assert!(index < self.len());
        // SAFETY: the place is initialised, and stays so.
        unsafe { std::mem::take(&mut *self.base.add(index)) }
    }

    /// Moves out the values from `start` on.
    pub fn drain(&self, start: usize) -> Vec<Value> {
        let count = self.len() - start;
        let mut values = Vec::with_capacity(count);
        // SAFETY: the values are moved to the vector and the top is set below them.
        unsafe {
            std::ptr::copy_nonoverlapping(self.base.add(start), values.as_mut_ptr(), count);
            values.set_len(count);
            self.set_top(self.base.add(start));
        }
        values
    }

    /// Moves the values from `start` on to the first places of `to`, which has room for them and
    /// is unset.
    #[inline(always)]
    pub fn move_to(&self, start: usize, to: &mut [Value]) {
        let count = self.len() - start;
        for (i, place) in to[..count].iter_mut().enumerate() {
            // SAFETY: the value is initialised, and unset is left behind.
            let value = std::mem::take(unsafe { &mut *self.base.add(start + i) });
            debug_assert!(place.is_unset());
            std::mem::forget(std::mem::replace(place, value)); // unset owns nothing
        }
        // SAFETY: what stands above is unset now, so nothing is lost.
        unsafe { self.set_top(self.base.add(start)) };
    }
}

impl Drop for Window {
    #[inline(always)]
    fn drop(&mut self) {
        let (mut next, top) = (self.base, self.top.get());
        while next != top {
            // SAFETY: every value between base and top is initialised, and stays so: it is taken out
            // before it is dropped. What the drop runs pushes above and leaves the top where it was.
            unsafe {
                drop(std::mem::take(&mut *next));
                next = next.add(1);
            }
        }
        TOP.set(self.base);
    }
}

/// Calls and backward jumps between two looks at the rest of the world.
const TICKS: u32 = 2000;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(TICKS) };
    static ON_TICK: Cell<Option<fn() -> Res<()>>> = const { Cell::new(None) };
    /// How much work is on its way that nobody may disturb.
    static UNDISTURBED: Cell<u32> = const { Cell::new(0) };
}

/// What to do now and then while scripts run: let other threads go on, notice Ctrl-C.
pub fn on_tick(hook: fn() -> Res<()>) {
    ON_TICK.set(Some(hook));
}

/// Does work in which no tick lets another thread go on, so that nobody meets it half done.
pub fn undisturbed<T>(work: impl FnOnce() -> T) -> T {
    UNDISTURBED.set(UNDISTURBED.get() + 1);
    let done = work();
    UNDISTURBED.set(UNDISTURBED.get() - 1);
    done
}

/// Makes the next tick look at the rest of the world at once.
pub fn hurry() {
    LEFT.set(1);
}

/// Counts a call or a backward jump.
#[inline(always)]
pub fn tick() -> Res<()> {
    let left = LEFT.get() - 1;
    LEFT.set(left);
    if left == 0 { look_around() } else { Ok(()) }
}

#[cold]
#[inline(never)]
fn look_around() -> Res<()> {
    LEFT.set(TICKS);
    if sweep::is_due() {
        sweep::sweep();
    }
    match ON_TICK.get() {
        Some(hook) if UNDISTURBED.get() == 0 => hook(),
        _ => Ok(()),
    }
}
