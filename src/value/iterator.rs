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

/// Rust code that makes the items of an iterator.
pub trait Items {
    fn next(&self) -> Res<Option<Value>>;

    /// All items that are left, put at the end of a list.
    fn all(&self, items: &mut Vec<Value>) -> Res<()> {
        while let Some(item) = self.next()? {
            items.push(item);
        }
        Ok(())
    }

    /// How many items are left, where that is known.
    fn left(&self) -> Option<usize> {
        None
    }

    /// The same code if all items are pairs.
    fn pairs(&self) -> Option<&dyn Pairs> {
        None
    }
}

/// Rust code whose items are pairs, which can be had without their tuples.
pub trait Pairs {
    fn next_pair(&self) -> Res<Option<[Value; 2]>>;
}

/// The code as an iterator keeps it.
pub trait Source {
    fn next(&self) -> Res<Option<Value>>;

    /// The same code, for what is asked less often.
    fn items(&self) -> &dyn Items;

    /// Code of its own that goes on from the same place, with the same iterators below it.
    fn copied(&self) -> Option<NextItem>;
}

pub type NextItem = Rc<dyn Source>;

/// Code whose copy, made of copies of what it keeps, goes on from the same place.
struct Copied<T>(T);

impl<T: Items + Clone + 'static> Source for Copied<T> {
    fn next(&self) -> Res<Option<Value>> {
        self.0.next()
    }

    fn items(&self) -> &dyn Items {
        &self.0
    }

    fn copied(&self) -> Option<NextItem> {
        Some(Rc::new(Copied(self.0.clone())))
    }
}

/// A closure that makes one item a call.
#[derive(Clone)]
struct Calls<F>(F);

impl<F: Fn() -> Res<Option<Value>>> Items for Calls<F> {
    fn next(&self) -> Res<Option<Value>> {
        self.0()
    }
}

/// A closure that there is only one of.
struct Single<F>(Calls<F>);

impl<F: Fn() -> Res<Option<Value>>> Source for Single<F> {
    fn next(&self) -> Res<Option<Value>> {
        self.0.next()
    }

    fn items(&self) -> &dyn Items {
        &self.0
    }

    fn copied(&self) -> Option<NextItem> {
        None
    }
}

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
    Dict(DictWalk),
    Set {
        set: Value,
        position: usize,
        len: usize,
    },
    /// One object, and how many times more (none: for ever).
    Repeat {
        object: Value,
        left: Option<i64>,
    },
    /// Any object with `__getitem__`.
    Sequence {
        object: Value,
        index: i64,
    },
    /// The same from its end: how many items are left.
    Backwards {
        object: Value,
        left: usize,
    },
    /// Rust code that makes the next item. It is called with no borrow held.
    Native(NextItem),
    /// Items that are all there.
    Items(std::vec::IntoIter<Value>),
}

/// A walk over a dict.
#[derive(Clone)]
pub struct DictWalk {
    pub dict: Ref<Dict>,
    /// Where it stands in the table.
    pub position: usize,
    /// The length that the dict had.
    pub len: usize,
    /// How many entries are still to come.
    pub left: usize,
    pub what: DictPart,
    pub reversed: bool,
}

impl DictWalk {
    /// What is `seen` of the next entry; fails with a RuntimeError's text if the dict was changed.
    pub fn next_entry<T>(
        &mut self,
        seen: impl FnOnce(&Value, &Value) -> T,
    ) -> Result<Option<T>, &'static str> {
        let table = self.dict.table.borrow();
        if table.len() != self.len {
            self.len = usize::MAX; // stays so
            return Err("dictionary changed size during iteration");
        }
        let found = match self.reversed {
            true => table.previous_before(self.position),
            false => table.next_from(self.position),
        };
        let Some((place, key, value)) = found else {
            return Ok(None);
        };
        if self.left == 0 {
            return Err("dictionary keys changed during iteration");
        }
        self.left -= 1;
        self.position = if self.reversed { place } else { place + 1 };
        Ok(Some(seen(key, value)))
    }
}

impl IteratorState {
    /// The next number of a range; none at its end, and if this is no range.
    #[inline(always)]
    pub fn next_number(&mut self) -> Option<i64> {
        match self {
            IteratorState::Range { next, left, step } if *left > 0 => {
                *left -= 1;
                let number = *next;
                *next = number.wrapping_add(*step);
                Some(number)
            }
            _ => None,
        }
    }
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
    pub fn from_fn(
        type_name: &'static str,
        next: impl Fn() -> Res<Option<Value>> + Clone + 'static,
    ) -> Value {
        NativeIterator::made(type_name, Calls(next))
    }

    /// An iterator over items that some code makes.
    pub fn made(type_name: &'static str, items: impl Items + Clone + 'static) -> Value {
        NativeIterator::value(type_name, IteratorState::Native(Rc::new(Copied(items))))
    }

    /// The same where no copy can be made.
    pub fn single(type_name: &'static str, next: impl Fn() -> Res<Option<Value>> + 'static) -> Value {
        NativeIterator::value(type_name, IteratorState::Native(Rc::new(Single(Calls(next)))))
    }

    /// Another one that goes on from the same place.
    pub fn copied(&self) -> Option<Value> {
        let state = match &*self.state.borrow() {
            IteratorState::Native(items) => IteratorState::Native(items.copied()?),
            state => state.clone(),
        };
        Some(NativeIterator::value(self.type_name, state))
    }

    pub fn from_items(type_name: &'static str, items: Vec<Value>) -> Value {
        NativeIterator::value(type_name, IteratorState::Items(items.into_iter()))
    }
}
