//! Timers: what is due when.
//!
//! Always true: timers leave by (due time, order of creation), so two equal sleeps wake in the
//! order in which they began. Cancelled ones are dropped when they reach the top, or all at once
//! when they are more than half of many.

use super::handle::Handle;
use crate::value::prefetch::prefetch;
use crate::value::*;
use std::ptr::NonNull;

/// Below this many timers, cancelled ones just wait for their turn.
const MANY: usize = 100;

struct Timer {
    key: Key,
    /// A sleep's future, or a handle.
    due: Value,
}

/// Due time and order of creation as one number, which compares without a branch: a heap's way
/// down is one guess after the other (benchmark: sched/timers).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u128);

impl Key {
    fn new(when: f64, number: u64) -> Key {
        Key(u128::from(in_order(when.to_bits())) << 64 | u128::from(number))
    }

    fn when(self) -> f64 {
        f64::from_bits(out_of_order((self.0 >> 64) as u64))
    }
}

const SIGN: u64 = 1 << 63;

/// The bits of a float as a number that is greater for a greater float (`f64::total_cmp`).
fn in_order(bits: u64) -> u64 {
    bits ^ if bits & SIGN == 0 { SIGN } else { u64::MAX }
}

fn out_of_order(number: u64) -> u64 {
    number ^ if number & SIGN == 0 { u64::MAX } else { SIGN }
}

impl Timer {
    fn when(&self) -> f64 {
        self.key.when()
    }

    /// Brings near what will be asked when it is due.
    #[inline(always)]
    fn prefetch(&self) {
        if let Value::Future(future) = &self.due {
            future.prefetch();
        }
    }

    fn is_cancelled(&self) -> bool {
        match &self.due {
            Value::Future(future) => future.is_done(),
            due => due.opaque::<Handle>().is_none_or(Handle::is_cancelled),
        }
    }
}

/// The timers of a loop.
#[derive(Default)]
pub struct Timers {
    heap: Heap,
    created: u64,
    cancelled: usize,
}

impl Timers {
    /// Adds a sleep's future or a handle.
    pub fn add(&mut self, when: f64, due: Value) {
        self.created += 1;
        let key = Key::new(when, self.created);
        self.heap.push(Timer { key, due });
    }

    /// A timer that is still in here was cancelled.
    pub fn note_cancelled(&mut self) {
        self.cancelled += 1;
    }

    /// Takes out the cancelled timers if they are the most; gives them, for the caller to let go
    /// once it holds no borrow.
    #[inline]
    pub fn sweep(&mut self) -> Vec<Value> {
        if self.heap.0.len() > MANY && self.cancelled * 2 > self.heap.0.len() {
            self.sweep_now()
        } else {
            Vec::new()
        }
    }

    #[cold]
    fn sweep_now(&mut self) -> Vec<Value> {
        let all = std::mem::take(&mut self.heap.0);
        let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(Timer::is_cancelled);
        self.heap = kept.into();
        self.cancelled = 0;
        gone.into_iter().map(|timer| timer.due).collect()
    }

    /// When the first timer is due. What was dropped on the way goes to `dropped`, for the caller
    /// to let go once it holds no borrow.
    pub fn first(&mut self, dropped: &mut Vec<Value>) -> Option<f64> {
        dropped.append(&mut self.sweep());
        while self.heap.0.first().is_some_and(Timer::is_cancelled) {
            self.cancelled = self.cancelled.saturating_sub(1);
            dropped.extend(self.heap.pop().map(|t| t.due));
        }
        self.heap.0.first().map(Timer::when)
    }

    /// Takes out the first timer if it is due before `end`.
    pub fn pop_due(&mut self, end: f64) -> Option<(f64, Value)> {
        if self.heap.0.first()?.when() >= end {
            return None;
        }
        let timer = self.heap.pop()?;
        for next in self.heap.0.iter().take(3) {
            next.prefetch();
        }
        if timer.is_cancelled() {
            self.cancelled = self.cancelled.saturating_sub(1);
        }
        Some((timer.when(), timer.due))
    }

    /// When the first one is due, cancelled or not.
    pub fn earliest(&self) -> Option<f64> {
        self.heap.0.first().map(Timer::when)
    }

    /// All that is in here, for a report: due time and what is due, earliest first.
    pub fn entries(&self) -> Vec<(f64, Value)> {
        self.entries_if(|timer| !timer.is_cancelled())
    }

    /// The same with those that were cancelled and are still there.
    pub fn all(&self) -> Vec<(f64, Value)> {
        self.entries_if(|_| true)
    }

    fn entries_if(&self, keep: impl Fn(&Timer) -> bool) -> Vec<(f64, Value)> {
        let mut timers: Vec<_> = self.heap.0.iter().filter(|timer| keep(timer)).collect();
        timers.sort_by_key(|timer| timer.key);
        timers.iter().map(|t| (t.when(), t.due.clone())).collect()
    }

    /// What is due, as the heap lies, which is as CPython's `heapq` lays it.
    pub fn laid_out(&self) -> impl Iterator<Item = &Value> {
        self.heap.0.iter().map(|timer| &timer.due)
    }

    /// Empties it.
    pub fn take(&mut self) -> Vec<Value> {
        self.cancelled = 0;
        let all = std::mem::take(&mut self.heap.0);
        all.into_iter().map(|timer| timer.due).collect()
    }
}

/// A binary heap, laid out as CPython's `heapq` does it: the earliest timer stands first.
///
/// The standard one waits at each step down for memory that is far away when there are many
/// timers; this one asks for it two steps ahead (benchmark: sched/timers).
#[derive(Default)]
struct Heap(Vec<Timer>);

impl Heap {
    fn push(&mut self, timer: Timer) {
        self.0.push(timer);
        self.rise(self.0.len() - 1, 0);
    }

    fn pop(&mut self) -> Option<Timer> {
        if self.0.is_empty() {
            return None;
        }
        let first = self.0.swap_remove(0);
        self.sink(0);
        Some(first)
    }

    /// The timer at `place` goes up to where it belongs, at most to `top`.
    fn rise(&mut self, mut place: usize, top: usize) {
        while place > top {
            let parent = (place - 1) / 2;
            if self.0[parent].key < self.0[place].key {
                break;
            }
            self.0.swap(parent, place);
            place = parent;
        }
    }

    /// The timer at `top` goes down to the bottom, where most belong, and up from there.
    fn sink(&mut self, top: usize) {
        let timers = &mut self.0[..];
        let mut place = top;
        loop {
            let left = 2 * place + 1;
            let Some([a, b]) = timers.get(left..left + 2) else {
                if left < timers.len() {
                    timers.swap(place, left);
                    place = left;
                }
                break;
            };
            let child = left + usize::from(b.key < a.key);
            if let Some(ahead) = timers.get(4 * left + 3) {
                prefetch(NonNull::from(ahead).cast::<[Timer; 8]>());
            }
            timers.swap(place, child);
            place = child;
        }
        self.rise(place, top);
    }
}

impl From<Vec<Timer>> for Heap {
    fn from(timers: Vec<Timer>) -> Heap {
        let mut heap = Heap(timers);
        for place in (0..heap.0.len() / 2).rev() {
            heap.sink(place);
        }
        heap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleep() -> Ref<Future> {
        Ref::new(Future::new(Value::None))
    }

    #[test]
    fn timers_leave_by_due_time_then_by_creation() {
        let mut timers = Timers::default();
        let futures: Vec<_> = (0..4).map(|_| sleep()).collect();
        for (future, when) in futures.iter().zip([2.0, 1.0, 2.0, 0.5]) {
            timers.add(when, future.clone().into());
        }
        let mut order = Vec::new();
        while let Some((_, due)) = timers.pop_due(3.0) {
            order.push(futures.iter().position(|f| due.is(&f.clone().into())));
        }
        assert_eq!(order, [Some(3), Some(1), Some(0), Some(2)]);
    }

    #[test]
    fn many_timers_leave_in_order() {
        let mut timers = Timers::default();
        for i in 0..1000 {
            timers.add(f64::from(i * 7919 % 500 - 250) / 8.0, sleep().into());
        }
        let mut left = Vec::new();
        while let Some((when, _)) = timers.pop_due(f64::INFINITY) {
            left.push(when);
        }
        assert!(left.len() == 1000 && left.is_sorted());
        assert_eq!((left[0], left[999]), (-31.25, 31.125));
    }

    #[test]
    fn only_what_is_due_leaves() {
        let mut timers = Timers::default();
        timers.add(1.0, sleep().into());
        assert!(timers.pop_due(1.0).is_none());
        assert!(timers.pop_due(1.0 + 1e-9).is_some());
    }

    #[test]
    fn cancelled_timers_are_dropped_when_they_are_many() {
        let mut timers = Timers::default();
        let kept = sleep();
        timers.add(0.5, kept.clone().into());
        for _ in 0..200 {
            let future = sleep();
            timers.add(1.0, future.clone().into());
            future.state.set(FutureState::Cancelled);
            timers.note_cancelled();
        }
        let mut dropped = Vec::new();
        assert_eq!(timers.first(&mut dropped), Some(0.5));
        assert_eq!((timers.heap.0.len(), dropped.len()), (1, 200));
    }
}
