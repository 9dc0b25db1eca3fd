//! The collection of cycles: objects that only keep each other alive.
//!
//! Counts free everything else at once, so this runs only when much memory has been taken since it
//! last ran. It counts for each object how many of the references to it come from other objects.
//! An object with more references than that is held from outside (by a running call, a module, an
//! object of the library), and so is all that it leads to. What is left is taken apart. So a type
//! that is not looked into only keeps too much alive.
//!
//! Always true: no object is freed or made while it is counted.

use super::opaque::Container;
use super::part::{Visitor, each_left};
use super::*;
use std::cell::Cell;

/// In bytes: with less memory in use nothing is swept. In debug builds, which run the tests, that
/// is soon.
const LEAST: isize = if cfg!(debug_assertions) { 1 << 20 } else { 64 << 20 };

/// A note at an object: it is held from outside. Smaller notes count references.
const HELD: u16 = u16::MAX;

/// So many references are not counted further; the object is taken to be held.
const MANY: u16 = HELD - 1;

thread_local! {
    /// The bytes that the allocator has given out, as far as it tells.
    static BYTES: Cell<isize> = const { Cell::new(0) };
    /// The next sweep is due with so many bytes in use.
    static NEXT: Cell<isize> = const { Cell::new(LEAST) };
    /// After the last sweep: the bytes in all chunks of objects, and those that were free.
    static IDLE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The allocator has given out so many bytes more.
#[inline(always)]
pub fn account(bytes: isize) {
    BYTES.set(BYTES.get().wrapping_add(bytes));
}

/// An estimate of the bytes in use. What a sweep has freed among the objects counts again as soon
/// as that was not enough and a new chunk was begun.
fn in_use() -> isize {
    let chunks = pool::object_bytes();
    let (chunks_then, free_then) = IDLE.get();
    let idle = if chunks == chunks_then { free_then } else { 0 };
    BYTES.get().max(chunks as isize) - idle as isize
}

/// Whether it is time for a sweep.
pub fn is_due() -> bool {
    in_use() >= NEXT.get()
}

/// Frees the objects that only keep each other alive. Finalisers run.
pub fn sweep() {
    if heap::is_dropping() {
        return;
    }
    let mut found = find();
    // Finalisers come first, as long as everything is whole (PEP 442). What they run may save some.
    let ran = found.garbage.iter().filter(|object| finalise(object)).count();
    if ran > 0 {
        drop(found);
        found = find();
    }
    let Found {
        garbage,
        objects,
        mut bytes,
    } = found;
    let freed = garbage.len();
    if freed > 0 {
        weak::all_died(&garbage);
        garbage.iter().for_each(take_apart);
        class::clean_list();
        drop(garbage);
        bytes = heap::each_object(|_| ());
    }
    plan(freed > objects / 8, bytes);
}

/// Says when the next sweep is due: soon if this one was worth it. `bytes` are those of the objects
/// that are left.
fn plan(was_worth_it: bool, bytes: usize) {
    let chunks = pool::object_bytes();
    IDLE.set((chunks, chunks.saturating_sub(bytes)));
    let growth = if was_worth_it { 2 } else { 4 };
    NEXT.set(LEAST.max(in_use().saturating_mul(growth)));
}

/// What a look at all objects finds.
struct Found {
    /// The objects that are held by each other only.
    garbage: Vec<Value>,
    /// How many objects there are, and the bytes of their pieces.
    objects: usize,
    bytes: usize,
}

fn find() -> Found {
    let count = |part: &Value| part.set_note((part.note() + 1).min(MANY));
    heap::each_object(|object| parts_of(object, count));
    // Classes do not stand among the other objects. Each is held by their list, and here.
    let classes: Vec<Value> = class::listed().into_iter().map(Value::from).collect();
    for class in &classes {
        count(class);
        count(class);
        parts_of(class, count);
    }
    let mut reached: Vec<Value> = Vec::new();
    let mut hold = |object: &Value| {
        let note = object.note();
        if note == HELD || !object.is_container() {
            return;
        }
        debug_assert!(note == MANY || object.references() >= note.into());
        if note == MANY || object.references() > note.into() || is_expected(object) {
            object.set_note(HELD);
            reached.push(object.clone());
        }
        while let Some(object) = reached.pop() {
            parts_of(&object, |part| {
                if part.note() != HELD {
                    part.set_note(HELD);
                    reached.push(part.clone());
                }
            });
        }
    };
    heap::each_object(&mut hold);
    classes.iter().for_each(&mut hold);
    let (mut garbage, mut objects) = (Vec::new(), classes.len());
    let bytes = heap::each_object(|object| {
        objects += 1;
        if object.note() != HELD && object.is_container() {
            garbage.push(object.clone());
        }
        object.set_note(0);
    });
    for class in classes {
        if class.note() != HELD {
            garbage.push(class.clone());
        }
        class.set_note(0);
    }
    Found {
        garbage,
        objects,
        bytes,
    }
}

/// Tasks that are not done are told of when the program ends, or is stuck.
fn is_expected(value: &Value) -> bool {
    matches!(value, Value::Future(future) if future.task.is_some() && !future.is_done())
}

/// Runs the finaliser of an object that has one; whether it ran.
fn finalise(object: &Value) -> bool {
    match object {
        Value::Instance(instance) => instance.last_words(|| Ref::clone(instance)),
        Value::Generator(generator) => generator.last_words(|| Ref::clone(generator)),
        Value::Future(future) => future.last_words(|| Ref::clone(future)),
        Value::Exception(exception) => exception.last_words(|| Ref::clone(exception)),
        Value::Opaque(opaque) => opaque.last_words(|| Ref::clone(opaque)),
        _ => false,
    }
}

/// Lets go of what an object holds, as far as it can be without.
fn take_apart(object: &Value) {
    match object {
        Value::List(list) => drop(list.items.take()),
        Value::Dict(dict) => drop(dict.table.take()),
        Value::Set(set) => drop(set.table.take()),
        Value::Cell(cell) => drop(cell.value.take()),
        Value::Instance(instance) => instance.clear(),
        Value::Class(class) => {
            class.unlist();
            class.clear();
        }
        Value::Exception(exception) => each_left(exception, |_, left| drop(left.take())),
        Value::Opaque(opaque) => opaque.container().into_iter().for_each(Container::clear),
        _ => {}
    }
}

/// Shows the parts of objects to a function, those that can be part of a cycle.
struct Each<F>(F);

impl<F: FnMut(&Value)> Visitor for Each<F> {
    const COUNTS: bool = true;

    #[inline(always)]
    fn part(&mut self, part: &Value) {
        if part.is_container() {
            (self.0)(part);
        }
    }

    fn deeper(&mut self, show: impl FnOnce(&mut dyn FnMut(&Value))) {
        show(&mut |part| self.part(part));
    }

    fn container(&mut self, container: &dyn Container) {
        container.parts(&mut |part| self.part(part));
    }

    fn coroutine(&mut self, coroutine: &Value) {
        self.part(coroutine);
    }
}

/// Shows what an object holds of what can be part of a cycle.
fn parts_of(object: &Value, each: impl FnMut(&Value)) {
    part::show(object, &mut Each(each));
}
