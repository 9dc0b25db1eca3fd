//! Iterators of built-in types.

use super::*;
use std::cell::RefCell;
use std::rc::Rc;

/// An iterator that is not a script object. Where it stands is its only state.
pub struct NativeIterator {
    pub state: RefCell<IteratorState>,
    /// The name of its type: `list_iterator`, `zip` …
    pub type_name: &'static str,
}

impl Dying for NativeIterator {}

pub type NextItem = Rc<dyn Fn() -> Res<Option<Value>>>;

/// What an iterator goes over.
#[derive(Clone)]
pub enum IteratorState {
    Done,
    List(Ref<List>, usize),
    ListReversed(Ref<List>, usize),
    Tuple(Ref<Tuple>, usize),
    /// The next number, how many are left, the step.
    Range {
        next: i64,
        left: u64,
        step: i64,
    },
    /// Byte offset of the next character.
    Str(Ref<Str>, usize),
    Bytes(Ref<Bytes>, usize),
    /// Position in the table, the length it had, and how many entries are still to come.
    Dict {
        dict: Ref<Dict>,
        position: usize,
        len: usize,
        left: usize,
        what: DictPart,
        reversed: bool,
    },
    Set {
        set: Value,
        position: usize,
        len: usize,
    },
    /// Any object with `__getitem__`.
    Sequence {
        object: Value,
        index: i64,
    },
    /// Rust code that makes the next item. It is called with no borrow held.
    Native(NextItem),
    /// The same that keeps nothing of its own: a copy goes on with the same iterators.
    Derived(NextItem),
    /// Items that are all there.
    Items(std::vec::IntoIter<Value>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DictPart {
    Keys,
    Values,
    Items,
}

impl NativeIterator {
    pub fn value(type_name: &'static str, state: IteratorState) -> Value {
        Ref::new(NativeIterator {
            state: RefCell::new(state),
            type_name,
        })
        .into()
    }

    /// An iterator whose items a closure makes, one a call.
    pub fn from_fn(type_name: &'static str, next: impl Fn() -> Res<Option<Value>> + 'static) -> Value {
        NativeIterator::value(type_name, IteratorState::Native(Rc::new(next)))
    }

    /// The same that keeps nothing of its own.
    pub fn derived(type_name: &'static str, next: impl Fn() -> Res<Option<Value>> + 'static) -> Value {
        NativeIterator::value(type_name, IteratorState::Derived(Rc::new(next)))
    }

    pub fn from_items(type_name: &'static str, items: Vec<Value>) -> Value {
        NativeIterator::value(type_name, IteratorState::Items(items.into_iter()))
    }
}
