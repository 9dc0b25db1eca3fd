//! Frames that an exception has left: what their variables hold lives as long as the exception's
//! traceback (https://docs.python.org/3/reference/datamodel.html#traceback-objects).
//!
//! Such a variable can lead back to the exception (a task that failed is one, in the frame that
//! awaited it), and then no count in this circle ever falls to zero. So the rows with variables
//! are listed, and [`sweep`] empties those that only circles keep. It counts, for all that the
//! listed rows lead to, how many references come from inside; what has more is held from outside,
//! and so is all that it leads to. What is not looked into (modules, classes, objects of the
//! library) counts as outside, so the error is always to keep too much.

use super::*;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// The variables of a frame that an exception has left, in the row that tells of it.
pub struct LeftFrame {
    pub func: Ref<Function>,
    slots: RefCell<Slots>,
}

type Slots = SmallVec<[Value; 4]>;

impl LeftFrame {
    /// Shows its slots.
    pub fn look<T>(&self, look: impl FnOnce(&[Value]) -> T) -> T {
        look(&self.slots.borrow())
    }
}

/// So many listed rows have to be alive before the first sweep.
const FIRST_SWEEP: usize = 4096;

thread_local! {
    static LISTED: RefCell<Vec<Weak<TraceEntry>>> = const { RefCell::new(Vec::new()) };
    static NEXT_SWEEP: Cell<usize> = const { Cell::new(FIRST_SWEEP) };
    static IS_DUE: Cell<bool> = const { Cell::new(false) };
}

/// Moves the variables of the frame that `row` tells of into the row; `take` gives them by their
/// slots. The frame must not run any more.
pub fn keep(row: &Rc<TraceEntry>, func: &Ref<Function>, take: impl FnMut(usize) -> Value) {
    if row.left.get().is_some() {
        return;
    }
    row.left.get_or_init(|| LeftFrame {
        func: func.clone(),
        slots: RefCell::new((0..func.shape.variables as usize).map(take).collect()),
    });
    LISTED.with_borrow_mut(|listed| {
        if listed.len() >= NEXT_SWEEP.get() {
            listed.retain(|row| row.strong_count() > 0);
            IS_DUE.set(listed.len() >= NEXT_SWEEP.get());
        }
        listed.push(Rc::downgrade(row));
    });
}

/// Whether so many rows are alive that a sweep may be worth its time.
pub fn is_due() -> bool {
    IS_DUE.get()
}

/// Empties the rows that nothing but circles through them keeps alive. Finalisers run.
pub fn sweep() {
    IS_DUE.set(false);
    let rows: Vec<Rc<TraceEntry>> = LISTED.with_borrow_mut(|listed| {
        listed.retain(|row| row.strong_count() > 0);
        listed.iter().filter_map(Weak::upgrade).collect()
    });
    if rows.is_empty() {
        return;
    }
    let listed = rows.len();
    let mut graph = Graph::default();
    rows.into_iter().for_each(|row| graph.add_root(row));
    let abandoned = graph.abandoned();
    drop(graph);
    NEXT_SWEEP.set(FIRST_SWEEP.max(2 * (listed - abandoned.len())));
    // All slots are out before the first finaliser runs.
    let slots = abandoned
        .iter()
        .filter_map(|row| row.left.get())
        .map(|left| left.slots.take());
    drop(slots.collect::<Vec<Slots>>());
}

/// Something that holds references and is looked into.
#[derive(Clone)]
enum Node {
    Object(Value),
    Row(Rc<TraceEntry>),
}

/// What the listed rows lead to. Each node is held once by the graph itself.
#[derive(Default)]
struct Graph {
    /// By address, with the number of references from other nodes.
    nodes: IndexMap<usize, (Node, usize), FxBuildHasher>,
}

impl Graph {
    fn add_root(&mut self, row: Rc<TraceEntry>) {
        let address = Rc::as_ptr(&row) as usize;
        self.nodes.entry(address).or_insert((Node::Row(row), 0));
    }

    /// The rows with variables that are held from inside only.
    fn abandoned(&mut self) -> Vec<Rc<TraceEntry>> {
        let mut at = 0;
        while at < self.nodes.len() {
            let node = self.nodes[at].0.clone();
            node.parts(&mut |part| {
                let known = self
                    .nodes
                    .entry(part.address())
                    .or_insert_with(|| (part.clone(), 0));
                known.1 += 1;
            });
            at += 1;
        }
        let mut is_held: Vec<bool> = self
            .nodes
            .values()
            .map(|(node, inside)| node.count() > inside + 1)
            .collect();
        let mut reached: Vec<usize> = (0..is_held.len()).filter(|&at| is_held[at]).collect();
        while let Some(at) = reached.pop() {
            self.nodes[at].0.parts(&mut |part| {
                let part = self.nodes.get_index_of(&part.address());
                if let Some(part) = part.filter(|&part| !std::mem::replace(&mut is_held[part], true)) {
                    reached.push(part);
                }
            });
        }
        let nodes = self.nodes.values().zip(is_held);
        let rows = nodes.filter_map(|((node, _), is_held)| match node {
            Node::Row(row) if !is_held && row.left.get().is_some() => Some(row.clone()),
            _ => None,
        });
        rows.collect()
    }
}

impl Node {
    fn address(&self) -> usize {
        match self {
            Node::Object(value) => value.address().unwrap_or_default(),
            Node::Row(row) => Rc::as_ptr(row) as usize,
        }
    }

    fn count(&self) -> usize {
        match self {
            Node::Object(value) => value.references() as usize,
            Node::Row(row) => Rc::strong_count(row),
        }
    }

    /// Gives each node that this one holds a reference to, as often as it does. What is left out
    /// only makes it look held from outside.
    fn parts(&self, each: &mut dyn FnMut(Node)) {
        match self {
            Node::Object(value) => parts_of(value, each),
            Node::Row(row) => {
                if let Some(next) = &row.next {
                    each(Node::Row(next.clone()));
                }
                if let Some(left) = row.left.get() {
                    each(Node::Object(left.func.clone().into()));
                    left.look(|slots| all(slots, each));
                }
            }
        }
    }
}

fn all<'a>(values: impl IntoIterator<Item = &'a Value>, each: &mut dyn FnMut(Node)) {
    values.into_iter().for_each(|value| one(value, each));
}

fn one(value: &Value, each: &mut dyn FnMut(Node)) {
    let is_looked_into = matches!(
        value,
        Value::List(_)
            | Value::Tuple(_)
            | Value::Dict(_)
            | Value::Set(_)
            | Value::Cell(_)
            | Value::Function(_)
            | Value::Method(_)
            | Value::Instance(_)
            | Value::Exception(_)
            | Value::Generator(_)
            | Value::Future(_)
    );
    if is_looked_into {
        each(Node::Object(value.clone()));
    }
}

fn attributes(attrs: &Attrs, each: &mut dyn FnMut(Node)) {
    if !attrs.is_empty() {
        each(Node::Object(attrs.dict().into()));
    }
}

fn parts_of(value: &Value, each: &mut dyn FnMut(Node)) {
    match value {
        Value::List(list) => all(&*list.items.borrow(), each),
        Value::Tuple(tuple) => all(&tuple.items[..], each),
        Value::Dict(dict) => {
            for (key, value) in dict.table.borrow().iter() {
                all([key, value], each);
            }
        }
        Value::Set(set) => all(set.table.borrow().iter(), each),
        Value::Cell(cell) => one(&cell.value.get(), each),
        Value::Function(function) => {
            for cell in &function.closure {
                each(Node::Object(cell.clone().into()));
            }
            attributes(&function.attrs, each);
        }
        Value::Method(method) => all([&method.func, &method.this], each),
        Value::Instance(instance) => {
            if let Some(dict) = instance.detached() {
                each(Node::Object(dict.clone().into()));
            }
            for field in 0..instance.shape().names.len() {
                one(&instance.field(field), each);
            }
            one(&instance.payload, each);
        }
        Value::Exception(exception) => {
            attributes(&exception.attrs, each);
            all(
                [
                    &exception.args.get(),
                    &exception.cause.get(),
                    &exception.context.get(),
                ],
                each,
            );
            if let Some(row) = exception.traceback.get() {
                each(Node::Row(row));
            }
        }
        Value::Generator(generator) => {
            one(&generator.func, each);
            generator.look(|stack| {
                stack
                    .iter()
                    .for_each(|activation| activation_parts(activation, each))
            });
        }
        Value::Future(future) => future_parts(future, each),
        _ => {}
    }
}

fn activation_parts(activation: &Activation, each: &mut dyn FnMut(Node)) {
    match activation {
        Activation::Script(frame) => {
            each(Node::Object(frame.func.clone().into()));
            one(&frame.awaiting, each);
            all(frame.seen_slots(), each);
            if let Some(owner) = &frame.owner {
                each(Node::Object(owner.clone().into()));
            }
            if let Some(handled) = &frame.handled {
                let exceptions = handled.exceptions.iter().chain(&handled.inherited);
                exceptions.for_each(|exception| each(Node::Object(exception.clone().into())));
            }
        }
        Activation::Wait(future) => each(Node::Object(future.clone().into())),
        Activation::Closing(generator) => each(Node::Object(generator.clone().into())),
        Activation::Pass(value) | Activation::Delegate(value) | Activation::Begin(value) => one(value, each),
        _ => {}
    }
}

fn future_parts(future: &Future, each: &mut dyn FnMut(Node)) {
    one(&future.outcome.get(), each);
    for callback in future.callbacks.list() {
        match callback {
            Callback::Script(function, _) => one(&function, each),
            Callback::Wake(task) => each(Node::Object(task.into())),
            Callback::Native(_) => {}
        }
    }
    if let Some(task) = &future.task {
        all([&task.coroutine.get(), &task.cancel_message.get()], each);
        if let Some(waiting) = task.waiting.get() {
            each(Node::Object(waiting.into()));
        }
    }
    if future.is_bare() {
        return;
    }
    attributes(future.attrs(), each);
    if let Some(gather) = future.gather() {
        gather
            .children
            .borrow()
            .iter()
            .for_each(|child| each(Node::Object(child.clone().into())));
    }
    if let Some(inner) = future.shielded() {
        each(Node::Object(inner.into()));
    }
}
