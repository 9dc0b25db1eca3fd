//! Instances of script classes: fields laid out by shapes.

use super::*;
use crate::source::Symbol;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell, UnsafeCell};

/// Which attributes an instance has, and at which index. Instances of a class that got the same
/// attributes in the same order share one shape, so a call site can remember it.
///
/// Always true: a shape belongs to one class and never changes; shapes are never freed.
pub struct Shape {
    pub names: Vec<Symbol>,
    indices: FxHashMap<Symbol, u32>,
    next: RefCell<Vec<(Symbol, &'static Shape)>>,
    /// The shapes without one of the attributes, as far as they were asked for.
    fewer: RefCell<Vec<(Symbol, &'static Shape)>>,
    root: Cell<Option<&'static Shape>>,
}

impl Shape {
    /// A class's empty shape.
    pub fn root() -> &'static Shape {
        let shape: &'static Shape = Box::leak(Box::new(Shape {
            names: Vec::new(),
            indices: FxHashMap::default(),
            next: RefCell::default(),
            fewer: RefCell::default(),
            root: Cell::new(None),
        }));
        shape.root.set(Some(shape));
        shape
    }

    #[inline]
    pub fn index(&self, name: Symbol) -> Option<usize> {
        if self.names.len() <= 6 {
            return self.names.iter().position(|&n| n == name);
        }
        self.indices.get(&name).map(|&i| i as usize)
    }

    /// The shape with one more attribute at the end.
    pub fn with(&self, name: Symbol) -> &'static Shape {
        if let Some(&(_, shape)) = self.next.borrow().iter().find(|(n, _)| *n == name) {
            return shape;
        }
        let mut names = self.names.clone();
        names.push(name);
        let indices = names.iter().enumerate().map(|(i, &n)| (n, i as u32)).collect();
        let shape: &'static Shape = Box::leak(Box::new(Shape {
            names,
            indices,
            next: RefCell::default(),
            fewer: RefCell::default(),
            root: self.root.clone(),
        }));
        self.next.borrow_mut().push((name, shape));
        shape
    }

    /// The shape without an attribute.
    fn without(&self, name: Symbol) -> &'static Shape {
        if let Some(&(_, shape)) = self.fewer.borrow().iter().find(|(n, _)| *n == name) {
            return shape;
        }
        let root = self.root.get().expect("a shape has a root");
        let others = self.names.iter().filter(|&&n| n != name);
        let shape = others.fold(root, |shape, &n| shape.with(n));
        self.fewer.borrow_mut().push((name, shape));
        shape
    }
}

/// An object of a script class.
pub struct Instance {
    pub class: RefCell<Ref<Class>>,
    shape: Cell<&'static Shape>,
    fields: UnsafeCell<Vec<Value>>,
    /// Once a script has asked for `__dict__`, attributes live in this dict and the shape is the
    /// class's detached one, which no call site remembers.
    dict: UnsafeCell<Option<Ref<Dict>>>,
    /// The value of the built-in type that the class inherits from (int, str, list, dict …).
    pub payload: Value,
    pub finalised: Cell<bool>,
}

impl Instance {
    pub fn new(class: Ref<Class>, payload: Value) -> Instance {
        let shape = Cell::new(class.root_shape);
        let hint = class.field_count.get() as usize;
        Instance {
            class: RefCell::new(class),
            shape,
            fields: UnsafeCell::new(Vec::with_capacity(hint)),
            dict: UnsafeCell::new(None),
            payload,
            finalised: Cell::new(false),
        }
    }

    /// An instance that has the fields of a shape of its class from the beginning.
    pub fn filled<const N: usize>(class: Ref<Class>, shape: &'static Shape, fields: [Value; N]) -> Instance {
        debug_assert_eq!(shape.names.len(), N);
        Instance {
            class: RefCell::new(class),
            shape: Cell::new(shape),
            fields: UnsafeCell::new(Vec::from(fields)),
            dict: UnsafeCell::new(None),
            payload: Value::Unset,
            finalised: Cell::new(false),
        }
    }

    #[inline(always)]
    pub fn class(&self) -> Ref<Class> {
        self.class.borrow().clone()
    }

    #[inline(always)]
    pub fn shape(&self) -> &'static Shape {
        self.shape.get()
    }

    /// The field at an index of the current shape.
    #[inline(always)]
    pub fn field(&self, index: usize) -> Value {
        // SAFETY: cloning runs no foreign code; no reference escapes.
        let fields = unsafe { &*self.fields.get() };
        fields[index].clone()
    }

    /// Replaces the field at an index of the current shape.
    #[inline(always)]
    pub fn set_field(&self, index: usize, value: Value) {
        // SAFETY: the old value is dropped after the borrow has ended.
        let old = unsafe { std::mem::replace(&mut (&mut *self.fields.get())[index], value) };
        drop(old);
    }

    /// Adds a field; `shape` is the current shape with its name.
    #[inline(always)]
    pub fn add_field(&self, shape: &'static Shape, value: Value) {
        // SAFETY: pushing drops nothing.
        let fields = unsafe { &mut *self.fields.get() };
        fields.push(value);
        self.shape.set(shape);
    }

    /// The dict that holds the attributes, if the instance has been detached from its shape.
    pub fn detached(&self) -> Option<&Ref<Dict>> {
        // SAFETY: it changes only in `replace_dict`, and callers do not hold it across script code.
        unsafe { (*self.dict.get()).as_ref() }
    }

    pub fn get(&self, name: Symbol) -> Option<Value> {
        match self.detached() {
            Some(dict) => dict.get_symbol(name),
            None => self.slot(name),
        }
    }

    /// What stands in a slot; slots stay fields when the other attributes have moved to a dict.
    #[inline]
    pub fn slot(&self, name: Symbol) -> Option<Value> {
        self.shape.get().index(name).map(|i| self.field(i))
    }

    /// The number that stands in a slot, if it is a small one.
    #[inline]
    pub fn small_slot(&self, name: Symbol) -> Option<i64> {
        let index = self.shape.get().index(name)?;
        // SAFETY: no foreign code runs while the field is read.
        match unsafe { &(&*self.fields.get())[index] } {
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// Whether the same object stands in this slot of both.
    #[inline]
    pub fn shares_slot(&self, other: &Instance, name: Symbol) -> bool {
        let (Some(i), Some(j)) = (self.shape.get().index(name), other.shape.get().index(name)) else {
            return false;
        };
        // SAFETY: no foreign code runs while the fields are compared.
        unsafe { (&*self.fields.get())[i].is(&(&*other.fields.get())[j]) }
    }

    pub fn set(&self, name: Symbol, value: Value) {
        if let Some(dict) = self.detached() {
            dict.set_symbol(name, value);
            return;
        }
        self.set_slot(name, value);
    }

    pub fn set_slot(&self, name: Symbol, value: Value) {
        let shape = self.shape.get();
        match shape.index(name) {
            Some(i) => self.set_field(i, value),
            None => {
                self.add_field(shape.with(name), value);
                let class = self.class.borrow();
                let count = self.shape.get().names.len().min(64) as u8;
                if class.field_count.get() < count {
                    class.field_count.set(count);
                }
            }
        }
    }

    /// Removes an attribute; false if it is not there.
    pub fn delete(&self, name: Symbol) -> bool {
        if let Some(dict) = self.detached() {
            return dict.remove_symbol(name);
        }
        self.delete_slot(name)
    }

    pub fn delete_slot(&self, name: Symbol) -> bool {
        let Some(index) = self.shape.get().index(name) else {
            return false;
        };
        self.shape.set(self.shape.get().without(name));
        // SAFETY: the value is moved out before it is dropped.
        let old = unsafe { (&mut *self.fields.get()).remove(index) };
        drop(old);
        true
    }

    /// Names and values in order of assignment.
    pub fn entries(&self) -> Vec<(Symbol, Value)> {
        if let Some(dict) = self.detached() {
            return dict.symbol_entries();
        }
        self.shape
            .get()
            .names
            .iter()
            .enumerate()
            .map(|(i, &n)| (n, self.field(i)))
            .collect()
    }

    /// `__dict__`: from now on the attributes live in this dict.
    pub fn detach(&self) -> Ref<Dict> {
        if let Some(dict) = self.detached() {
            return dict.clone();
        }
        let dict = Ref::new(Dict::default());
        let entries = self.entries();
        // SAFETY: no reference into the fields is held; the values live on in `entries`.
        unsafe {
            *self.dict.get() = Some(dict.clone());
            self.shape.set(self.class.borrow().detached_shape);
            drop(std::mem::take(&mut *self.fields.get()));
        }
        for (name, value) in entries {
            if self.class.borrow().slots.borrow().contains(&name) {
                self.set_slot(name, value);
            } else {
                dict.set_symbol(name, value);
            }
        }
        dict
    }

    /// `obj.__dict__ = dict`
    pub fn replace_dict(&self, dict: Ref<Dict>) {
        drop(self.detach());
        // SAFETY: the old dict is moved out before it is dropped; no reference to it is held.
        let old = unsafe { (*self.dict.get()).replace(dict) };
        drop(old);
    }

    /// Lets go of all fields.
    pub fn clear(&self) {
        let root = self.shape.get().root.get().expect("a shape has a root");
        self.shape.set(root);
        // SAFETY: the values are moved out before they are dropped; no reference to them is held.
        drop(unsafe { std::mem::take(&mut *self.fields.get()) });
    }

    /// `obj.__class__ = other`
    pub fn set_class(&self, class: Ref<Class>) {
        let root = match self.detached() {
            Some(_) => class.detached_shape,
            None => class.root_shape,
        };
        let names = &self.shape.get().names;
        self.shape.set(names.iter().fold(root, |shape, &n| shape.with(n)));
        *self.class.borrow_mut() = class;
    }
}

/// Attributes of objects that rarely have any.
#[derive(Default)]
pub struct Attrs(Hold<Ref<Dict>>);

impl Attrs {
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object's `__dict__`.
    pub fn dict(&self) -> Ref<Dict> {
        self.0.get().unwrap_or_else(|| {
            let dict = Ref::new(Dict::default());
            self.0.replace(Some(dict.clone()));
            dict
        })
    }

    /// `obj.__dict__ = dict`
    pub fn replace_dict(&self, dict: Ref<Dict>) {
        self.0.replace(Some(dict));
    }

    pub fn get(&self, name: Symbol) -> Option<Value> {
        self.0.get()?.get_symbol(name)
    }

    pub fn set(&self, name: Symbol, value: Value) {
        self.dict().set_symbol(name, value);
    }

    pub fn delete(&self, name: Symbol) -> bool {
        !self.is_empty() && self.dict().remove_symbol(name)
    }

    pub fn entries(&self) -> Vec<(Symbol, Value)> {
        self.0.get().map_or_else(Vec::new, |dict| dict.symbol_entries())
    }
}

thread_local! {
    /// Runs an object's `__del__`; set by the interpreter.
    pub static FINALISE: Cell<Option<fn(Value)>> = const { Cell::new(None) };
}

impl Dying for Instance {
    fn last_words(&self, revive: impl FnOnce() -> Ref<Self>) -> bool {
        self.class.borrow().has_finaliser() && finalise(&self.finalised, || revive().into())
    }
}

/// Runs the `__del__` of an object, unless it has run; true if it ran now.
pub fn finalise(is_done: &Cell<bool>, revive: impl FnOnce() -> Value) -> bool {
    let Some(run) = FINALISE.get().filter(|_| !is_done.replace(true)) else {
        return false;
    };
    run(revive());
    true
}
