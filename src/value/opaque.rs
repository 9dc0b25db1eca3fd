//! Built-in objects that no hot path needs to know: one Rust value under a class.

use super::*;
use std::any::{Any, TypeId};
use std::cell::Cell;

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
        Opaque {
            class,
            attrs: Attrs::default(),
            id: TypeId::of::<T>(),
            data: Box::new(data),
            finalised: Cell::new(false),
        }
    }

    pub fn value<T: Any>(class: Ref<Class>, data: T) -> Value {
        Ref::new(Opaque::new(class, data)).into()
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
