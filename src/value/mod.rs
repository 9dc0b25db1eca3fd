//! Everything a script can hold, as data.
//!
//! A [`Value`] is two words: a tag and a payload. Small things (None, booleans, machine ints,
//! floats) are inline; everything else is a counted pointer to a heap object. Always true: a
//! `Value` and a `Result<Value, Raised>` travel in two registers; what values *do* (attributes,
//! operators, calls) is the interpreter's business, not this floor's.

mod heap;

mod chunk;
pub mod class;
mod class_dict;
pub mod context;
pub mod descriptor;
pub mod exception;
pub mod frame;
pub mod function;
pub mod future;
pub mod generator;
pub mod hold;
pub mod instance;
pub mod iterator;
pub mod module;
pub mod native;
pub mod opaque;
pub mod part;
pub mod pool;
pub mod prefetch;
pub mod program;
pub mod roster;
pub mod running;
pub mod sequence;
pub mod str;
pub mod sweep;
pub mod table;
pub mod weak;

pub use class::{Class, Layout};
pub use class_dict::{ClassDict, ClassPart};
pub use exception::{Exception, Raised, TraceEntry};
pub use frame::{FrameBox, ScriptFrame};
pub use function::{Function, Method, Resume, VariableCell};
pub use future::{Callback, Future, FutureState, SLEEP, TaskState};
pub use generator::{Activation, Awaitable, Generator, GeneratorKind, NativeCoroutine, Stack, Step};
pub use heap::{Dying, Header, Kind, Loose, Object, Place, Ref, ValueCell, swap_drop_depth};
pub use hold::Hold;
pub use instance::{Attrs, Instance, Shape};
pub use iterator::NativeIterator;
pub use module::Module;
pub use native::{Native, NativeBody, NativeDef, NativeRole, Signature};
pub use opaque::Opaque;
pub use program::{Program, ProgramRef};
pub use sequence::{Big, ByteArray, Bytes, Dict, FrozenSet, List, Range, Set, Slice, Tuple};
pub use str::Str;

use compact_str::CompactString;
use std::mem::ManuallyDrop;

/// What operations on values give: a value, or the token that an exception is on its way.
pub type Res<T = Value> = Result<T, Raised>;

/// A boolean as a whole word, so that every payload of [`Value`] has the same shape.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Flag(u64);

impl Flag {
    #[inline(always)]
    pub fn get(self) -> bool {
        self.0 != 0
    }
}

/// A float by its bits, for the same reason.
#[derive(Clone, Copy)]
pub struct Double(u64);

impl Double {
    #[inline(always)]
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// A reference inside a [`Value`], which the value counts down for.
#[repr(transparent)]
pub struct Held<T>(ManuallyDrop<T>);

impl<T> Held<T> {
    #[inline(always)]
    pub fn new(object: T) -> Held<T> {
        Held(ManuallyDrop::new(object))
    }

    /// Another reference, which is dropped like any other.
    #[allow(
        clippy::should_implement_trait,
        reason = "a copy of what is held is not held itself"
    )]
    #[inline(always)]
    pub fn clone(&self) -> T
    where
        T: Clone,
    {
        T::clone(&self.0)
    }
}

impl<T> std::ops::Deref for Held<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Tags from here on hold a counted pointer.
pub const FIRST_COUNTED: u8 = 7;

/// Anything a script can hold.
#[repr(u64)]
#[derive(Default)]
pub enum Value {
    /// No value: an unassigned variable, an argument that was not given. Scripts never see it.
    #[default]
    Unset,
    None,
    NotImplemented,
    Ellipsis,
    Bool(Flag),
    /// An int that fits; larger ones are `Big`. An int never has both forms.
    Int(i64),
    Float(Double),
    // Counted from here on.
    Big(Held<Ref<Big>>),
    Str(Held<Ref<Str>>),
    Bytes(Held<Ref<Bytes>>),
    ByteArray(Held<Ref<ByteArray>>),
    List(Held<Ref<List>>),
    Tuple(Held<Ref<Tuple>>),
    Dict(Held<Ref<Dict>>),
    Set(Held<Ref<Set>>),
    FrozenSet(Held<Ref<FrozenSet>>),
    Range(Held<Ref<Range>>),
    Slice(Held<Ref<Slice>>),
    /// A variable shared with nested functions. Scripts never see it.
    Cell(Held<Ref<VariableCell>>),
    Function(Held<Ref<Function>>),
    Method(Held<Ref<Method>>),
    Native(Held<Ref<Native>>),
    Class(Held<Ref<Class>>),
    Instance(Held<Ref<Instance>>),
    Exception(Held<Ref<Exception>>),
    Module(Held<Ref<Module>>),
    /// Generators, coroutines and async generators.
    Generator(Held<Ref<Generator>>),
    /// An iterator of a built-in type.
    Iterator(Held<Ref<NativeIterator>>),
    /// Futures and tasks.
    Future(Held<Ref<Future>>),
    /// Every other built-in object: loops, handles, locks, descriptors, views …
    Opaque(Held<Ref<Opaque>>),
}

const _: () = assert!(size_of::<Value>() == 16 && size_of::<Res>() == 16 && size_of::<Option<Value>>() == 16);

impl Value {
    pub const TRUE: Value = Value::Bool(Flag(1));
    pub const FALSE: Value = Value::Bool(Flag(0));

    #[inline(always)]
    pub fn bool(b: bool) -> Value {
        Value::Bool(Flag(b as u64))
    }

    #[inline(always)]
    pub fn float(x: f64) -> Value {
        Value::Float(Double(x.to_bits()))
    }

    /// A str value of the text.
    pub fn str(text: impl Into<CompactString>) -> Value {
        Str::new(text).into()
    }

    pub fn list(items: Vec<Value>) -> Value {
        Ref::new(List::new(items)).into()
    }

    pub fn tuple(items: impl Into<Box<[Value]>>) -> Value {
        Tuple::value(items.into())
    }

    #[inline(always)]
    pub fn is_unset(&self) -> bool {
        matches!(self, Value::Unset)
    }

    #[inline(always)]
    pub fn is_none(&self) -> bool {
        matches!(self, Value::None)
    }

    /// Whether objects of its type can hold others; modules, and classes that are not listed, live long
    /// and are put aside.
    #[inline(always)]
    pub fn is_container(&self) -> bool {
        match self {
            Value::List(_)
            | Value::Tuple(_)
            | Value::Dict(_)
            | Value::Set(_)
            | Value::FrozenSet(_)
            | Value::Cell(_)
            | Value::Function(_)
            | Value::Method(_)
            | Value::Instance(_)
            | Value::Exception(_)
            | Value::Generator(_)
            | Value::Future(_)
            | Value::Opaque(_) => true,
            Value::Class(class) => class.is_listed(),
            _ => false,
        }
    }

    /// `None` for an argument that was not given or is None.
    pub fn given(&self) -> Option<&Value> {
        match self {
            Value::Unset | Value::None => None,
            value => Some(value),
        }
    }

    /// Identity: `a is b`. Ints and floats are identical when equal (bit for bit).
    #[inline]
    pub fn is(&self, other: &Value) -> bool {
        if self.tag() != other.tag() {
            return false;
        }
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.0 == b.0,
            (Value::Method(_), Value::Method(_)) => self.address() == other.address(),
            _ => self.address() == other.address(),
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Int(n)
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Value {
        Value::Int(n as i64)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Value {
        Value::float(x)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        match text.as_bytes() {
            [byte] => str::of_ascii(*byte),
            _ => Value::str(text),
        }
    }
}

impl From<char> for Value {
    fn from(c: char) -> Value {
        Value::from(&*c.encode_utf8(&mut [0; 4]))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::str(text)
    }
}

impl From<num_bigint::BigInt> for Value {
    /// An int in its one form: inline if it fits.
    fn from(n: num_bigint::BigInt) -> Value {
        match i64::try_from(&n) {
            Ok(small) => Value::Int(small),
            Err(_) => Ref::new(Big(n)).into(),
        }
    }
}

impl From<crate::source::Symbol> for Value {
    fn from(symbol: crate::source::Symbol) -> Value {
        str::of_symbol(symbol)
    }
}
