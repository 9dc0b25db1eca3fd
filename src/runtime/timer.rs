//! Timers: what is due when.
//!
//! Always true: timers leave by (due time, order of creation), so two equal sleeps wake in the
//! order in which they began. Cancelled ones are dropped when they reach the top, or all at once
//! when they are more than half of many.

use super::handle::Handle;
use crate::value::*;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Below this many timers, cancelled ones just wait for their turn.
const MANY: usize = 100;

struct Timer {
    when: f64,
    number: u64,
    /// A sleep's future, or a handle.
    due: Value,
}

impl Timer {
    fn is_cancelled(&self) -> bool {
        match &self.due {
            Value::Future(future) => future.is_done(),
            due => due.opaque::<Handle>().is_none_or(Handle::is_cancelled),
        }
    }
}

impl Ord for Timer {
    /// Reversed: the standard heap gives its greatest, and we want the earliest.
    fn cmp(&self, other: &Timer) -> Ordering {
        other
            .when
            .total_cmp(&self.when)
            .then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timer {}

/// The timers of a loop.
#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Timer>,
    created: u64,
    cancelled: usize,
}

impl Timers {
    /// Adds a sleep's future or a handle.
    pub fn add(&mut self, when: f64, due: Value) {
        self.created += 1;
        self.heap.push(Timer {
            when,
            number: self.created,
            due,
        });
    }

    /// A timer that is still in here was cancelled.
    pub fn note_cancelled(&mut self) {
        self.cancelled += 1;
    }

    /// Takes out the cancelled timers if they are the most; gives them, for the caller to let go
    /// once it holds no borrow.
    #[inline]
    pub fn sweep(&mut self) -> Vec<Value> {
        if self.heap.len() > MANY && self.cancelled * 2 > self.heap.len() {
            self.sweep_now()
        } else {
            Vec::new()
        }
    }

    #[cold]
    fn sweep_now(&mut self) -> Vec<Value> {
        let all = std::mem::take(&mut self.heap).into_vec();
        let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(Timer::is_cancelled);
        self.heap = kept.into();
        self.cancelled = 0;
        gone.into_iter().map(|timer| timer.due).collect()
    }

    /// When the first timer is due. What was dropped on the way goes to `dropped`, for the caller
    /// to let go once it holds no borrow.
    pub fn first(&mut self, dropped: &mut Vec<Value>) -> Option<f64> {
        dropped.append(&mut self.sweep());
        while self.heap.peek().is_some_and(Timer::is_cancelled) {
            self.cancelled = self.cancelled.saturating_sub(1);
            dropped.extend(self.heap.pop().map(|t| t.due));
        }
        self.heap.peek().map(|t| t.when)
    }

    /// Takes out the first timer if it is due before `end`.
    pub fn pop_due(&mut self, end: f64) -> Option<(f64, Value)> {
        if self.heap.peek()?.when >= end {
            return None;
        }
        let timer = self.heap.pop()?;
        if timer.is_cancelled() {
            self.cancelled = self.cancelled.saturating_sub(1);
        }
        Some((timer.when, timer.due))
    }

    /// When the first one is due, cancelled or not.
    pub fn earliest(&self) -> Option<f64> {
        self.heap.peek().map(|timer| timer.when)
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
        let mut timers: Vec<_> = self.heap.iter().filter(|timer| keep(timer)).collect();
        timers.sort_by(|a, b| b.cmp(a));
        timers.iter().map(|t| (t.when, t.due.clone())).collect()
    }

    /// What is due, as the heap lies, which is as CPython's `heapq` lays it.
    pub fn laid_out(&self) -> impl Iterator<Item = &Value> {
        self.heap.iter().map(|timer| &timer.due)
    }

    /// Empties it.
    pub fn take(&mut self) -> Vec<Value> {
        self.cancelled = 0;
        std::mem::take(&mut self.heap)
            .into_vec()
            .into_iter()
            .map(|t| t.due)
            .collect()
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
        assert_eq!((timers.heap.len(), dropped.len()), (1, 200));
    }
}
