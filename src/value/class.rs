//! Classes: a namespace, bases in C3 order, and the shapes of their instances.

use super::*;
use crate::source::{Symbol, name};
use std::cell::{Cell, OnceCell, RefCell};

/// What the instances of a class are made of: the built-in type at the root of its bases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    Object,
    /// None, bool, function …: cannot be a base, or cannot be made by calling.
    Closed,
    Int,
    Float,
    Str,
    Bytes,
    ByteArray,
    List,
    Tuple,
    Dict,
    Set,
    FrozenSet,
    Exception,
    Class,
    Future,
    Super,
    /// Any other built-in object; made by its own `__new__`.
    Opaque,
}

/// A class. Always true: `mro` starts with its bases' order (the class itself is not in it, so
/// that a class does not keep itself alive).
pub struct Class {
    pub name: RefCell<Symbol>,
    pub qualname: RefCell<std::rc::Rc<str>>,
    pub module: RefCell<Value>,
    pub bases: RefCell<Vec<Ref<Class>>>,
    /// The classes after this one in method resolution order.
    pub mro: RefCell<Vec<Ref<Class>>>,
    pub dict: ClassDict,
    pub layout: Layout,
    /// Made by a `class` statement.
    pub is_script: bool,
    /// Written in aio for a class that CPython has in C: no script may change it.
    pub is_sealed: Cell<bool>,
    /// Whether it cannot be a base although what it is made of could.
    pub is_final: Cell<bool>,
    pub root_shape: &'static Shape,
    pub detached_shape: &'static Shape,
    /// The most fields an instance was seen to have: how much room a new one gets.
    pub field_count: Cell<u8>,
    /// Whether a class with this base was ever made.
    pub subclassed: Cell<bool>,
    /// Whether it is on the list of classes, which is one reference to it.
    is_listed: Cell<bool>,
    pub metaclass: RefCell<Option<Ref<Class>>>,
    /// Whether instances have a `__dict__`: attributes beside their slots.
    pub has_dict: Cell<bool>,
    /// The fields that `__slots__` of the class and its bases give instances.
    pub slots: RefCell<Vec<Symbol>>,
    /// How many of them, the first ones, are the class's own.
    pub own_slots: Cell<usize>,
    /// Whether it has `__del__`, as of a version.
    finaliser: Cell<(u32, bool)>,
    /// The answers of [`Class::lookup`] to the names asked last.
    answers: OnceCell<Box<Answers>>,
}

/// What a class answered, as of a version: found without hashing and borrowing (a tenth of the time of
/// operators on instances).
struct Answers {
    version: Cell<u32>,
    /// Each at the place that the number of its name gives, or next to it; unset for a name that is not
    /// found.
    places: [(Cell<Symbol>, ValueCell); Answers::COUNT],
}

/// The symbol of no name.
const NO_NAME: Symbol = Symbol(u32::MAX);

impl Answers {
    const COUNT: usize = 64;

    fn new() -> Box<Answers> {
        Box::new(Answers {
            version: Cell::new(0),
            places: std::array::from_fn(|_| (Cell::new(NO_NAME), ValueCell::new(Value::Unset))),
        })
    }

    /// Where the answer to a name may be: a newer one moves the one before to the second place.
    #[inline(always)]
    fn places_of(&self, name: Symbol) -> [&(Cell<Symbol>, ValueCell); 2] {
        let place = name.0 as usize % Answers::COUNT;
        [&self.places[place], &self.places[place ^ 1]]
    }

    fn remember(&self, name: Symbol, answer: Value) {
        let [first, second] = self.places_of(name);
        let moved = first.1.replace(answer);
        let gone = second.1.replace(moved);
        second.0.set(first.0.replace(name));
        drop(gone); // may run what asks again
    }

    fn forget(&self, (known, answer): &(Cell<Symbol>, ValueCell)) {
        known.set(NO_NAME);
        answer.set(Value::Unset);
    }

    fn clear(&self) {
        self.places.iter().for_each(|place| self.forget(place));
    }

    /// Forgets what is no longer valid. What goes may have finalisers, which may ask, and change
    /// classes.
    fn renew(&self) {
        while self.version.get() != version() {
            let now = version();
            self.clear();
            self.version.set(now);
        }
    }
}

impl Dying for Class {}

thread_local! {
    static VERSION: Cell<u32> = const { Cell::new(1) };
    /// The classes, but for those that parts of the library make on demand, in order of creation. As in
    /// CPython, where each is part of a cycle, they live until a sweep finds that nobody else holds them.
    static LISTED: RefCell<Vec<Ref<Class>>> = const { RefCell::new(Vec::new()) };
}

/// The classes on the list.
pub fn listed() -> Vec<Ref<Class>> {
    LISTED.with_borrow(Vec::clone)
}

/// Lets go of the classes that were taken off the list.
pub fn clean_list() {
    let all = LISTED.take();
    let (listed, gone): (Vec<_>, Vec<_>) = all.into_iter().partition(|class| class.is_listed());
    LISTED.set(listed);
    drop(gone); // what this runs may make classes
}

/// Changes whenever any class changes in a way that a call site could have remembered.
#[inline(always)]
pub fn version() -> u32 {
    VERSION.get()
}

impl Class {
    pub fn new(
        name: Symbol,
        bases: Vec<Ref<Class>>,
        mro: Vec<Ref<Class>>,
        layout: Layout,
        is_script: bool,
    ) -> Class {
        mro.iter().for_each(|c| c.subclassed.set(true));
        Class {
            name: RefCell::new(name),
            qualname: RefCell::new(name.text().into()),
            module: RefCell::new(Value::Unset),
            bases: RefCell::new(bases),
            mro: RefCell::new(mro),
            dict: ClassDict::default(),
            layout,
            is_script,
            is_sealed: Cell::new(false),
            is_final: Cell::new(false),
            root_shape: Shape::root(),
            detached_shape: Shape::root(),
            field_count: Cell::new(0),
            subclassed: Cell::new(false),
            is_listed: Cell::new(false),
            metaclass: RefCell::new(None),
            has_dict: Cell::new(is_script || layout == Layout::Exception),
            slots: RefCell::default(),
            own_slots: Cell::new(0),
            finaliser: Cell::new((0, false)),
            answers: OnceCell::new(),
        }
    }

    pub fn name(&self) -> &'static str {
        self.name.borrow().text()
    }

    /// Whether a script may change its attributes: what CPython has in Python is as open as a script's class.
    pub fn is_open(&self) -> bool {
        let in_python = |value: &Value| matches!(value, Value::Native(native) if native.in_python());
        !self.is_sealed.get() && self.is_script || self.dict.borrow().values().any(in_python)
    }

    /// Whether it is the class `super`, whose call needs the caller's frame.
    #[inline(always)]
    pub fn is_super(&self) -> bool {
        self.layout == Layout::Super
    }

    /// The attribute as the class itself has it, without its bases.
    pub fn own(&self, name: Symbol) -> Option<Value> {
        self.dict.borrow().get(&name).cloned()
    }

    /// The attribute by method resolution order, unbound.
    pub fn lookup(&self, name: Symbol) -> Option<Value> {
        if let Some(answers) = self.answers.get()
            && answers.version.get() == version()
        {
            for (known, answer) in answers.places_of(name) {
                if known.get() == name {
                    let answer = answer.get();
                    return (!answer.is_unset()).then_some(answer);
                }
            }
        }
        self.look_up(name)
    }

    #[inline(never)]
    fn look_up(&self, name: Symbol) -> Option<Value> {
        let answers = self.answers.get_or_init(Answers::new);
        answers.renew();
        let found = self
            .own(name)
            .or_else(|| self.mro.borrow().iter().find_map(|c| c.own(name)));
        answers.remember(name, found.clone().unwrap_or_default());
        found
    }

    /// Whether its instances have a `__del__` to run; asked at the end of each.
    #[inline]
    pub fn has_finaliser(&self) -> bool {
        let (at, answer) = self.finaliser.get();
        if at == version() {
            return answer;
        }
        let answer = self.is_script && self.lookup(name::DEL).is_some();
        self.finaliser.set((version(), answer));
        answer
    }

    /// Adds to the names of a built-in class.
    pub fn add(&self, part: ClassPart) {
        self.dict.expect(self.name(), part);
        VERSION.set(VERSION.get().wrapping_add(1));
    }

    pub fn set(&self, name: Symbol, value: Value) {
        let plain = |v: &Value| matches!(v, Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_));
        let is_plain = plain(&value);
        let old = self.dict.borrow_mut().insert(name, value);
        // Counting in a class attribute must not make every call site forget.
        match &old {
            Some(old) if is_plain && plain(old) && !self.subclassed.get() => {
                if let Some(answers) = self.answers.get() {
                    let places = answers.places_of(name).into_iter();
                    places
                        .filter(|place| place.0.get() == name)
                        .for_each(|place| answers.forget(place));
                }
            }
            _ => VERSION.set(VERSION.get().wrapping_add(1)),
        }
    }

    /// Other bases, and the order that follows from them.
    pub fn rebase(&self, bases: Vec<Ref<Class>>, mro: Vec<Ref<Class>>) {
        mro.iter().for_each(|class| class.subclassed.set(true));
        let old = (self.bases.replace(bases), self.mro.replace(mro));
        VERSION.set(VERSION.get().wrapping_add(1));
        drop(old);
    }

    pub fn delete(&self, name: Symbol) -> bool {
        let old = self.dict.borrow_mut().shift_remove(&name);
        VERSION.set(VERSION.get().wrapping_add(1));
        old.is_some()
    }
}

impl Class {
    #[inline]
    pub fn is_listed(&self) -> bool {
        self.is_listed.get()
    }

    /// It will go from the list when that is cleaned.
    pub fn unlist(&self) {
        self.is_listed.set(false);
    }

    /// Shows the answers that it keeps.
    pub fn each_answer(&self, mut each: impl FnMut(&Value)) {
        for (_, answer) in self.answers.get().iter().flat_map(|answers| &answers.places) {
            each(&answer.get());
        }
    }

    /// Lets go of its attributes.
    pub fn clear(&self) {
        let attributes = std::mem::take(&mut *self.dict.borrow_mut());
        VERSION.set(VERSION.get().wrapping_add(1));
        if let Some(answers) = self.answers.get() {
            answers.clear();
        }
        drop(attributes);
    }
}

impl Ref<Class> {
    /// Puts it on the list of classes.
    pub fn list(&self) {
        if !self.is_listed.replace(true) {
            LISTED.with_borrow_mut(|listed| listed.push(self.clone()));
        }
    }

    /// Puts it at the end of the list.
    pub fn list_anew(&self) {
        self.is_listed.set(false);
        clean_list();
        self.list();
    }

    /// The classes that name it among their bases.
    pub fn children(&self) -> Vec<Ref<Class>> {
        let is_child = |class: &&Ref<Class>| class.bases.borrow().iter().any(|base| base.is(self));
        LISTED.with_borrow(|listed| listed.iter().filter(is_child).cloned().collect())
    }

    /// The class in whose namespace the attribute is found.
    pub fn owner_of(&self, name: Symbol) -> Option<Ref<Class>> {
        self.linear()
            .into_iter()
            .find(|c| c.dict.borrow().contains_key(&name))
    }

    /// The attribute after `this` in the order of the class: what `super()` finds.
    pub fn lookup_after(&self, this: &Ref<Class>, name: Symbol) -> Option<Value> {
        self.linear()
            .iter()
            .skip_while(|c| !c.is(this))
            .skip(1)
            .find_map(|c| c.own(name))
    }

    /// The whole method resolution order, this class first.
    pub fn linear(&self) -> Vec<Ref<Class>> {
        std::iter::once(self.clone())
            .chain(self.mro.borrow().iter().cloned())
            .collect()
    }

    /// Whether it is `other` or inherits from it.
    #[inline]
    pub fn is_subclass(&self, other: &Ref<Class>) -> bool {
        self.is(other) || self.mro.borrow().iter().any(|c| c.is(other))
    }
}

/// The C3 linearisation of the bases (https://docs.python.org/3/howto/mro.html), or, if they
/// contradict each other, the classes of which none can come next.
pub fn linearise(bases: &[Ref<Class>]) -> Result<Vec<Ref<Class>>, Vec<Ref<Class>>> {
    let mut lists: Vec<Vec<Ref<Class>>> = bases.iter().map(|b| b.linear()).collect();
    lists.push(bases.to_vec());
    let mut order = Vec::new();
    loop {
        lists.retain(|l| !l.is_empty());
        if lists.is_empty() {
            return Ok(order);
        }
        let mut heads: Vec<Ref<Class>> = Vec::new();
        for list in &lists {
            if !heads.iter().any(|head| head.is(&list[0])) {
                heads.push(list[0].clone());
            }
        }
        let next = heads
            .iter()
            .find(|head| !lists.iter().any(|l| l[1..].iter().any(|c| c.is(head))));
        let Some(head) = next.cloned() else {
            return Err(heads);
        };
        for list in &mut lists {
            if list[0].is(&head) {
                list.remove(0);
            }
        }
        order.push(head);
    }
}
