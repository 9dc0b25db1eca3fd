//! Who is there: the pending tasks and the begun async generators of this thread, without keeping
//! them alive.
//!
//! Always true: an entry is removed before its object is freed (a dying object leaves first), so
//! every entry points to live memory; tasks stand in order of creation.

use super::*;
use std::cell::{Cell, RefCell};

/// The place of a task that is not on the roster.
pub const NOWHERE: u32 = u32::MAX;

thread_local! {
    static TASKS: RefCell<Vec<Option<Loose<Future>>>> = const { RefCell::new(Vec::new()) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static GENERATORS: RefCell<Vec<Loose<Generator>>> = const { RefCell::new(Vec::new()) };
}

/// Adds a task that begins.
pub fn enter(future: &Ref<Future>) {
    let Some(task) = &future.task else { return };
    if task.place.get() != NOWHERE {
        return;
    }
    TASKS.with_borrow_mut(|tasks| {
        if tasks.len() >= 64 && LIVE.get() * 2 < tasks.len() {
            tasks.retain(Option::is_some);
            for (i, entry) in tasks.iter().enumerate() {
                // SAFETY: entries point to live memory (see the top).
                if let Some(task) = entry.as_ref().and_then(|e| unsafe { e.data() }.task.as_ref()) {
                    task.place.set(i as u32);
                }
            }
        }
        task.place.set(tasks.len() as u32);
        tasks.push(Some(Loose::new(future)));
    });
    LIVE.set(LIVE.get() + 1);
}

/// Removes a task that is done or dies.
pub fn leave(task: &TaskState) {
    let place = task.place.replace(NOWHERE);
    if place != NOWHERE {
        TASKS.with_borrow_mut(|tasks| tasks[place as usize] = None);
        LIVE.set(LIVE.get() - 1);
    }
}

/// The pending tasks in order of creation.
pub fn tasks() -> Vec<Ref<Future>> {
    TASKS.with_borrow(|tasks| {
        let entries = tasks.iter().flatten();
        // SAFETY: entries point to live memory (see the top).
        entries.filter_map(|e| unsafe { e.upgrade() }).collect()
    })
}

/// Adds an async generator that begins, once; its `hooked` says that it may be there.
pub fn enter_generator(generator: &Ref<Generator>) {
    generator.hooked.set(true);
    GENERATORS.with_borrow_mut(|all| all.push(Loose::new(generator)));
}

/// Removes an async generator that is closed or dies.
pub fn leave_generator(generator: &Generator) {
    GENERATORS.with_borrow_mut(|all| {
        if let Some(i) = all.iter().rposition(|e| e.is_of(generator)) {
            all.remove(i);
        }
    });
}

/// The async generators that have begun, in that order.
pub fn generators() -> Vec<Ref<Generator>> {
    GENERATORS.with_borrow(|all| {
        // SAFETY: entries point to live memory (see the top).
        all.iter().filter_map(|e| unsafe { e.upgrade() }).collect()
    })
}
