//! Built-in objects that no hot path needs to know: one Rust value under a class.

use super::*;
use std::any::Any;

/// An object of a built-in class whose data is some Rust type.
pub struct Opaque {
    pub class: Ref<Class>,
    pub data: Box<dyn Any>,
    pub attrs: Attrs,
}

impl Opaque {
    pub fn value<T: Any>(class: Ref<Class>, data: T) -> Value {
        Ref::new(Opaque {
            class,
            data: Box::new(data),
            attrs: Attrs::default(),
        })
        .into()
    }

    /// The data, if it is of this type.
    #[inline]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.data.downcast_ref()
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

impl Dying for Opaque {}
