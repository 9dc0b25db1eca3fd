//! Built-in objects that no hot path needs to know: one Rust value under a class.

use super::*;
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};

/// An object of a built-in class whose data is some Rust type.
pub struct Opaque {
    pub class: Ref<Class>,
    pub attrs: Attrs,
    /// The type of the data, so that asking for another one costs no call.
    id: TypeId,
    data: Box<dyn Any>,
    pub finalised: Cell<bool>,
}

impl Opaque {
    pub fn new<T: Any>(class: Ref<Class>, data: T) -> Opaque {
        Opaque::of(class, Box::new(data))
    }

    #[inline(always)]
    pub fn of<T: Any>(class: Ref<Class>, data: Box<T>) -> Opaque {
        Opaque {
            class,
            attrs: Attrs::default(),
            id: TypeId::of::<T>(),
            data,
            finalised: Cell::new(false),
        }
    }

    pub fn value<T: Any>(class: Ref<Class>, data: T) -> Value {
        let data = Box::new(data);
        Ref::make(|| Opaque::of(class, data)).into()
    }

    /// The data, if it is of this type.
    #[inline]
    pub fn get<T: Any>(&self) -> Option<&T> {
        if self.id != TypeId::of::<T>() {
            return None;
        }
        // SAFETY: `id` is the type of what the box was made of, and neither ever changes.
        Some(unsafe { &*(&raw const *self.data as *const T) })
    }
}

/// Data that holds values, and so can be part of a cycle.
pub trait Container: Any {
    /// Shows each value that it holds, as often as it holds it.
    fn parts(&self, each: &mut dyn FnMut(&Value));

    /// Lets go of what can be let go of.
    fn clear(&self) {}

    /// The object was given an attribute in the place of one of its class.
    fn cover(&self) {}

    /// The parts as they lie in CPython, in its order; what lies deeper there lies deeper here.
    fn outline(&self) -> Vec<Value> {
        let mut parts = Vec::new();
        self.parts(&mut |part| parts.push(part.clone()));
        parts
    }
}

/// How to look at data as a container.
type AsContainer = fn(&dyn Any) -> Option<&dyn Container>;

thread_local! {
    static CONTAINERS: RefCell<Vec<(TypeId, AsContainer)>> = const { RefCell::new(Vec::new()) };
}

/// From now on objects with data of this type are looked into when cycles are collected.
pub fn look_into<T: Container>() {
    let id = TypeId::of::<T>();
    CONTAINERS.with_borrow_mut(|known| {
        if known.iter().all(|(other, _)| *other != id) {
            known.push((id, |data| Some(data.downcast_ref::<T>()?)));
        }
    });
}

impl Opaque {
    /// The data as a container, if it is of a type that is looked into.
    pub fn container(&self) -> Option<&dyn Container> {
        let found = |known: &Vec<(TypeId, AsContainer)>| {
            known.iter().find(|(id, _)| *id == self.id).map(|known| known.1)
        };
        CONTAINERS.with_borrow(found)?(&*self.data)
    }
}

impl Value {
    /// The data of an opaque object of type `T`.
    #[inline]
    pub fn opaque<T: Any>(&self) -> Option<&T> {
        match self {
            Value::Opaque(object) => object.get(),
            Value::Instance(object) => object.payload.opaque(),
            _ => None,
        }
    }
}

impl Dying for Opaque {
    fn last_words(&self, revive: impl FnOnce() -> Ref<Self>) -> bool {
        self.class.has_finaliser() && instance::finalise(&self.finalised, || revive().into())
    }
}
