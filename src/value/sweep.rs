//! The collection of cycles: objects that only keep each other alive.
//!
//! Counts free everything else at once, so this runs only when much memory has been taken since it
//! last ran. It counts for each object how many of the references to it come from other objects.
//! An object with more references than that is held from outside (by a running call, a module, an
//! object of the library), and so is all that it leads to. What is left is taken apart. So a type
//! that is not looked into only keeps too much alive.
//!
//! Always true: [`parts_of`] shows a part exactly as often as the object holds a reference to it,
//! and none that somebody else could let go of. No object is freed or made while it is counted.

use super::exception::LeftFrame;
use super::opaque::Container;
use super::*;
use std::cell::Cell;
use std::rc::Rc;

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
    heap::each_object(|object| parts_of(object, &mut |part| count(part)));
    // Classes do not stand among the other objects. Each is held by their list, and here.
    let classes: Vec<Value> = class::listed().into_iter().map(Value::from).collect();
    for class in &classes {
        count(class);
        count(class);
        parts_of(class, &mut |part| count(part));
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
            parts_of(&object, &mut |part| {
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
        Value::Exception(exception) => each_left(exception, |left| drop(left.take())),
        Value::Opaque(opaque) => opaque.container().into_iter().for_each(Container::clear),
        _ => {}
    }
}

/// Shows the frames that only this exception keeps: what others share is not its own.
fn each_left(exception: &Exception, mut visit: impl FnMut(&LeftFrame)) {
    let mut row = exception.traceback.get();
    while let Some(at) = row.filter(|row| Rc::strong_count(row) == 2) {
        // The other one is `at`.
        if let Some(left) = at.left.get() {
            visit(left);
        }
        row = at.next.get();
    }
}

/// Shows what an object holds.
fn parts_of(object: &Value, each: &mut dyn FnMut(&Value)) {
    let mut parts = Parts(each);
    match object {
        // What is being changed just now is not looked into.
        Value::List(list) => parts.all(list.items.try_borrow().iter().flat_map(|items| items.iter())),
        Value::Tuple(tuple) => parts.all(&tuple.items),
        Value::Dict(dict) => {
            for (key, value) in dict.table.try_borrow().iter().flat_map(|table| table.iter()) {
                parts.all([key, value]);
            }
        }
        Value::FrozenSet(set) => parts.all(set.table.try_borrow().iter().flat_map(|table| table.iter())),
        Value::Set(set) => parts.all(set.table.try_borrow().iter().flat_map(|table| table.iter())),
        Value::Cell(cell) => parts.one(&cell.value.get()),
        Value::Function(function) => {
            parts.refs(&function.closure);
            parts.attributes(&function.attrs);
            parts.one(&function.annotations.get());
            let defaults = function.defaults.borrow();
            if Rc::strong_count(&defaults) == 1 {
                parts.all(&**defaults);
            }
            let defaults = function.kwdefaults.borrow();
            if Rc::strong_count(&defaults) == 1 {
                parts.all(defaults.iter().map(|(_, value)| value));
            }
        }
        Value::Method(method) => parts.all([&method.func, &method.this]),
        Value::Class(class) => class.parts(&mut |part| parts.one(part)),
        Value::Instance(instance) => {
            parts.class(&instance.class.borrow());
            parts.refs(instance.detached());
            for field in 0..instance.shape().names.len() {
                parts.one(&instance.field(field));
            }
            parts.one(&instance.payload);
        }
        Value::Exception(exception) => {
            parts.class(&exception.class.borrow());
            parts.exception(exception);
        }
        Value::Generator(generator) => {
            parts.one(&generator.func);
            generator.look(|stack| stack.iter().for_each(|activation| parts.activation(activation)));
        }
        Value::Future(future) => parts.future(future),
        Value::Opaque(opaque) => {
            parts.class(&opaque.class);
            parts.attributes(&opaque.attrs);
            if let Some(container) = opaque.container() {
                container.parts(&mut |part| parts.one(part));
            }
        }
        _ => {}
    }
}

struct Parts<'a>(&'a mut dyn FnMut(&Value));

impl Parts<'_> {
    #[inline(always)]
    fn one(&mut self, value: &Value) {
        if value.is_container() {
            (self.0)(value);
        }
    }

    fn all<'a>(&mut self, values: impl IntoIterator<Item = &'a Value>) {
        values.into_iter().for_each(|value| self.one(value));
    }

    fn refs<'a, T: Object>(&mut self, objects: impl IntoIterator<Item = &'a Ref<T>>)
    where
        Value: From<Ref<T>>,
    {
        for object in objects {
            self.one(&Value::from(object.clone()));
        }
    }

    fn class(&mut self, class: &Ref<Class>) {
        if class.is_listed() {
            self.refs([class]);
        }
    }

    fn attributes(&mut self, attrs: &Attrs) {
        if !attrs.is_empty() {
            self.refs([&attrs.dict()]);
        }
    }

    fn exception(&mut self, exception: &Exception) {
        self.attributes(&exception.attrs);
        self.all([
            &exception.args.get(),
            &exception.cause.get(),
            &exception.context.get(),
        ]);
        each_left(exception, |left| {
            self.refs([&left.func]);
            left.look(|slots| self.all(slots));
        });
    }

    fn activation(&mut self, activation: &Activation) {
        match activation {
            Activation::Script(frame) => {
                self.refs([&frame.func]);
                self.refs(&frame.owner);
                if let frame::Awaiting::Value(awaited) = &frame.awaiting {
                    self.one(awaited);
                }
                self.all(frame.seen_slots());
                if let Some(handled) = &frame.handled {
                    self.refs(&handled.exceptions);
                    self.refs(&handled.inherited);
                }
            }
            Activation::Pass(value) | Activation::Delegate(value) | Activation::Begin(value) => {
                self.one(value)
            }
            Activation::Wait(future) => self.refs([future]),
            Activation::Closing(generator) => self.refs([generator]),
            _ => {}
        }
    }

    fn future(&mut self, future: &Future) {
        self.one(&future.outcome.get());
        future.callbacks.look(|callback| match callback {
            Callback::Script(function, _) => self.one(function),
            Callback::Wake(task) => self.refs([task]),
            Callback::Native(_) => {}
        });
        if let Some(task) = &future.task {
            self.all([&task.coroutine.get(), &future.cancel_message()]);
            self.refs(&task.waiting.get());
        }
        if future.is_bare() {
            return;
        }
        self.attributes(future.attrs());
        if let Some(gather) = future.gather() {
            self.refs(gather.children.borrow().iter());
        }
        self.refs(&future.shielded());
    }
}
