//! Classes: a namespace, bases in C3 order, and the shapes of their instances.

use super::*;
use crate::source::{Symbol, name};
use rustc_hash::FxHashMap;
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
    /// Made by a `class` statement: its attributes may be changed.
    pub is_script: bool,
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
    /// Its `__new__` and `__init__`, as of a version.
    makers: RefCell<(u32, [Option<Value>; 2])>,
    /// Answers of [`Class::lookup`], valid while `version()` is unchanged.
    cache: RefCell<(u32, FxHashMap<Symbol, Option<Value>>)>,
    /// The same for the names asked last.
    recent: OnceCell<Box<Recent>>,
}

/// The last answers of [`Class::lookup`], found without hashing and borrowing (a tenth of the time of
/// operators on instances).
///
/// Always true: what it holds is in the cache as well, so it keeps nothing alive any longer.
struct Recent {
    version: Cell<u32>,
    /// Each at the place that the number of its name gives; unset for a name that is not found.
    answers: [(Cell<Symbol>, ValueCell); Recent::COUNT],
}

/// The symbol of no name.
const NO_NAME: Symbol = Symbol(u32::MAX);

impl Recent {
    const COUNT: usize = 16;

    fn new() -> Box<Recent> {
        Box::new(Recent {
            version: Cell::new(0),
            answers: std::array::from_fn(|_| (Cell::new(NO_NAME), ValueCell::new(Value::Unset))),
        })
    }

    fn place(&self, name: Symbol) -> &(Cell<Symbol>, ValueCell) {
        &self.answers[name.0 as usize % Recent::COUNT]
    }

    fn forget(&self, name: Symbol) {
        let (known, answer) = self.place(name);
        known.set(NO_NAME);
        answer.set(Value::Unset);
    }

    fn clear(&self) {
        for (known, answer) in &self.answers {
            known.set(NO_NAME);
            answer.set(Value::Unset);
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
            makers: RefCell::default(),
            cache: RefCell::default(),
            recent: OnceCell::new(),
        }
    }

    pub fn name(&self) -> &'static str {
        self.name.borrow().text()
    }

    /// Whether a script may change its attributes: what CPython has in Python is as open as a script's class.
    pub fn is_open(&self) -> bool {
        let in_python = |value: &Value| matches!(value, Value::Native(native) if native.in_python());
        self.is_script || self.dict.borrow().values().any(in_python)
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
        if let Some(recent) = self.recent.get()
            && recent.version.get() == version()
        {
            let (known, answer) = recent.place(name);
            if known.get() == name {
                let answer = answer.get();
                return (!answer.is_unset()).then_some(answer);
            }
        }
        self.look_further(name)
    }

    #[inline(never)]
    fn look_further(&self, name: Symbol) -> Option<Value> {
        let recent = self.recent.get_or_init(Recent::new);
        if recent.version.get() != version() {
            recent.clear();
            recent.version.set(version());
        }
        let cache = self.cache.borrow();
        let known = (cache.0 == version()).then(|| cache.1.get(&name).cloned());
        drop(cache);
        let found = known.flatten().unwrap_or_else(|| self.look_up(name));
        // What was forgotten on the way may have had finalisers that changed the class.
        if recent.version.get() == version() && self.cache.borrow().0 == version() {
            let (known, answer) = recent.place(name);
            known.set(name);
            answer.set(found.clone().unwrap_or_default());
        }
        found
    }

    #[cold]
    fn look_up(&self, name: Symbol) -> Option<Value> {
        let mut stale = FxHashMap::default(); // dropped when nothing is borrowed any more
        let mut cache = self.cache.borrow_mut();
        if cache.0 != version() {
            cache.0 = version();
            std::mem::swap(&mut stale, &mut cache.1);
        }
        let found = self
            .own(name)
            .or_else(|| self.mro.borrow().iter().find_map(|c| c.own(name)));
        cache.1.insert(name, found.clone());
        found
    }

    /// Its `__new__` and `__init__`, by method resolution order; asked at each of its calls.
    #[inline]
    pub fn makers(&self) -> [Option<Value>; 2] {
        let known = self.makers.borrow();
        if known.0 == version() {
            return known.1.clone();
        }
        drop(known);
        let found = [name::NEW, name::INIT].map(|name| self.lookup(name));
        // Dropped when nothing is borrowed any more.
        drop(self.makers.replace((version(), found.clone())));
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
        // Counting in a class attribute must not make every call site forget; caches of
        // `lookup` hold values, so only the own entry may go stale: refresh it.
        match &old {
            Some(old)
                if is_plain
                    && plain(old)
                    && !self.subclassed.get()
                    && !matches!(name, name::NEW | name::INIT) =>
            {
                self.cache.borrow_mut().1.remove(&name);
                if let Some(recent) = self.recent.get() {
                    recent.forget(name);
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

    /// Shows what it holds, except for what is no container.
    pub fn parts(&self, each: &mut dyn FnMut(&Value)) {
        let classes = self
            .bases
            .borrow()
            .iter()
            .chain(&*self.mro.borrow())
            .cloned()
            .collect::<Vec<_>>();
        for class in classes.into_iter().chain(self.metaclass.borrow().clone()) {
            each(&class.into());
        }
        if !self.is_script {
            return; // its names may still have to be made
        }
        self.dict.borrow().values().for_each(&mut *each);
        self.makers.borrow().1.iter().flatten().for_each(&mut *each);
        self.cache.borrow().1.values().flatten().for_each(&mut *each);
        for (_, answer) in self.recent.get().iter().flat_map(|recent| &recent.answers) {
            each(&answer.get());
        }
    }

    /// Lets go of its attributes.
    pub fn clear(&self) {
        let attributes = std::mem::take(&mut *self.dict.borrow_mut());
        let found = (self.makers.take(), self.cache.take());
        VERSION.set(VERSION.get().wrapping_add(1));
        if let Some(recent) = self.recent.get() {
            recent.clear();
        }
        drop((attributes, found));
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
