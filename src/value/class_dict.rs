//! The names of a class.
//!
//! Those of a built-in class are made when anybody first asks for one of them: a program uses few of
//! the classes, and making all of them took a quarter of the time that aio needs to start (benchmark:
//! compute/hello). Always true: whoever looks at the names sees all of them, in the order in which
//! they were added.

use super::*;
use crate::source::Symbol;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::cell::{Cell, RefCell, RefMut};

/// Names with what they stand for, in order of definition.
pub type Names = IndexMap<Symbol, Value, FxBuildHasher>;

/// What is to be among the names of a built-in class.
pub enum ClassPart {
    /// What a table declares.
    Table(&'static [NativeDef]),
    /// The same of a class that CPython has in Python, in a module.
    InPython(&'static [NativeDef], &'static str),
    /// What a table declares under some of its names.
    Of(&'static [NativeDef], &'static [&'static str]),
    /// What a function makes, which runs no script.
    Made(fn() -> Vec<(Symbol, Value)>),
}

/// The names of a class, made or to be made.
#[derive(Default)]
pub struct ClassDict {
    made: RefCell<Names>,
    /// What is to be made, with the name of the class.
    waiting: RefCell<Vec<(&'static str, ClassPart)>>,
    is_waiting: Cell<bool>,
}

impl ClassDict {
    /// Adds to the names of a class called `owner`.
    pub fn expect(&self, owner: &'static str, part: ClassPart) {
        self.waiting.borrow_mut().push((owner, part));
        self.is_waiting.set(true);
    }

    #[inline(always)]
    pub fn borrow(&self) -> std::cell::Ref<'_, Names> {
        self.make();
        self.made.borrow()
    }

    #[inline(always)]
    pub fn borrow_mut(&self) -> RefMut<'_, Names> {
        self.make();
        self.made.borrow_mut()
    }

    #[inline(always)]
    fn make(&self) {
        if self.is_waiting.get() {
            self.make_all();
        }
    }

    #[cold]
    fn make_all(&self) {
        self.is_waiting.set(false);
        let mut names = self.made.borrow_mut();
        for (owner, part) in self.waiting.take() {
            let mut add = |def: &NativeDef| {
                names.insert(def.key(), Native::of(def, owner).into());
            };
            match part {
                ClassPart::Table(table) => table.iter().for_each(add),
                ClassPart::InPython(table, module) => names.extend(
                    table
                        .iter()
                        .map(|def| (def.key(), Native::of_python(def, owner, module).into())),
                ),
                ClassPart::Of(table, some) => {
                    let found = |name: &&str| table.iter().find(|def| def.name == *name);
                    some.iter().filter_map(found).for_each(&mut add);
                }
                ClassPart::Made(make) => names.extend(make()),
            }
        }
    }
}
