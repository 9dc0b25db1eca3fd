//! Weak references: which objects point to which without keeping them alive.
//!
//! Always true: every object that the tables name is marked as watched, so `heap` tells [`died`]
//! of its end before any of it is dropped; what stands in the tables has not been freed. An object
//! without weak references costs nothing.

use super::*;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

#[derive(Default)]
struct Tables {
    /// Where each reference points.
    targets: FxHashMap<Place, Place>,
    /// The references to an object, oldest first.
    references: FxHashMap<Place, Vec<Place>>,
}

thread_local! {
    /// Never destroyed itself: values may be dropped until the very end of the thread.
    static TABLES: ManuallyDrop<RefCell<Tables>> = ManuallyDrop::default();
    /// Is given the references to an object that has died, newest first; set by the library.
    pub static NOTIFY: Cell<Option<fn(Vec<Value>)>> = const { Cell::new(None) };
}

/// No values are dropped in `work`.
fn tables<T>(work: impl FnOnce(&mut Tables) -> T) -> T {
    TABLES.with(|tables| work(&mut tables.borrow_mut()))
}

/// Makes `reference` point to `target`; both must be heap objects. It is done once for each.
pub fn point(reference: &Value, target: &Value) {
    if let (Some(reference), Some(target)) = (reference.watched_place(), target.watched_place()) {
        tables(|t| {
            t.targets.insert(reference, target);
            t.references.entry(target).or_default().push(reference);
        });
    }
}

/// What a reference points to; none if it has died.
pub fn target(reference: &Value) -> Option<Value> {
    let place = reference.place()?;
    let target = tables(|t| t.targets.get(&place).copied())?;
    // SAFETY: it stands in the tables.
    unsafe { target.value() }
}

/// The references to an object, oldest first.
pub fn references(target: &Value) -> Vec<Value> {
    let Some(place) = target.place() else {
        return Vec::new();
    };
    let found = tables(|t| t.references.get(&place).cloned().unwrap_or_default());
    // SAFETY: they stand in the tables.
    found.iter().filter_map(|r| unsafe { r.value() }).collect()
}

/// The oldest of the references to an object that fits.
pub fn find(target: &Value, fits: impl Fn(&Value) -> bool) -> Option<Value> {
    let place = target.place()?;
    let nth = |n: usize| tables(|t| t.references.get(&place)?.get(n).copied());
    // SAFETY: they stand in the tables.
    let mut all = (0..).map_while(|n| nth(n).map(|reference| unsafe { reference.value() }));
    all.find_map(|reference| reference.filter(|reference| fits(reference)))
}

/// A field that points to an object without keeping it alive.
#[derive(Default)]
pub struct Pointer(ValueCell);

impl Pointer {
    /// Points to an object from now on.
    pub fn set(&self, target: &Value) {
        // Any object can be a reference; this one does nothing else.
        let reference = Value::list(vec![]);
        point(&reference, target);
        self.0.set(reference);
    }

    /// The object, as long as it is alive.
    pub fn get(&self) -> Option<Value> {
        target(&self.0.get())
    }

    /// The object, or a new one if there is none.
    pub fn get_or_make(&self, make: impl FnOnce() -> Value) -> Value {
        self.get().unwrap_or_else(|| {
            let made = make();
            self.set(&made);
            made
        })
    }
}

impl Tables {
    /// Takes out the references to an object, newest first.
    fn cut_off(&mut self, target: Place) -> Vec<Place> {
        let mut orphans = self.references.remove(&target).unwrap_or_default();
        orphans.reverse();
        orphans.iter().for_each(|reference| {
            self.targets.remove(reference);
        });
        orphans
    }

    /// Takes a reference out, if it is one.
    fn forget(&mut self, reference: Place) {
        let Some(target) = self.targets.remove(&reference) else {
            return;
        };
        if let Some(others) = self.references.get_mut(&target) {
            others.retain(|other| *other != reference);
            if others.is_empty() {
                self.references.remove(&target);
            }
        }
    }
}

/// A watched object is about to be freed: the references to it are dead from now on.
pub(super) fn died(object: Place) {
    let orphans = tables(|t| {
        t.forget(object);
        t.cut_off(object)
    });
    notify(&orphans);
}

/// Objects that only keep each other alive are about to be taken apart: nobody may meet one of them
/// half gone, so the references to all of them are dead before anybody is told.
pub(super) fn all_died(objects: &[Value]) {
    let places = objects.iter().filter_map(Value::place);
    let orphans: Vec<Place> = tables(|t| places.flat_map(|place| t.cut_off(place)).collect());
    notify(&orphans);
}

/// Tells of references that are dead.
fn notify(orphans: &[Place]) {
    // SAFETY: they stood in the tables until now, and nothing was dropped since.
    let alive = orphans.iter().filter_map(|r| unsafe { r.value() });
    let alive: Vec<Value> = alive.collect();
    if let Some(notify) = NOTIFY.get()
        && !alive.is_empty()
    {
        notify(alive);
    }
}
