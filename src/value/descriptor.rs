//! Small built-in objects that are kept as opaque data: descriptors, views, proxies, type forms.

use super::iterator::DictPart;
use super::opaque::Container;
use super::*;
use std::cell::Cell;

/// `property(get, set, del, doc)`; each None if it is not there.
pub struct Property {
    pub get: ValueCell,
    pub set: ValueCell,
    pub del: ValueCell,
    pub doc: ValueCell,
    /// Whether the doc is that of the function that reads.
    pub is_getters_doc: Cell<bool>,
    /// What `__set_name__` said; unset if it was not called.
    pub name: ValueCell,
}

/// `classmethod(func)`
pub struct ClassMethod(pub ValueCell);

/// `staticmethod(func)`
pub struct StaticMethod(pub ValueCell);

/// `dict.keys()`, `dict.values()`, `dict.items()`: shows the dict as it is now.
pub struct DictView {
    pub dict: Ref<Dict>,
    pub part: DictPart,
    /// Whether it is the view of an OrderedDict.
    pub ordered: bool,
}

/// A read-only view of a mapping.
pub struct MappingProxy(pub Value);

/// `list[int]`; `args` is a tuple.
#[derive(Clone)]
pub struct GenericAlias {
    pub origin: Value,
    pub args: Value,
    /// `*tuple[int]`
    pub is_starred: bool,
}

impl GenericAlias {
    pub fn arguments(&self) -> &[Value] {
        match &self.args {
            Value::Tuple(args) => &args.items,
            _ => &[],
        }
    }
}

/// `int | None`
pub struct Union {
    pub args: Vec<Value>,
}

/// The frame of a traceback row: what scripts ask it for is its code and line.
pub struct TracebackFrame {
    /// Where it stands, or stood.
    pub row: std::rc::Rc<TraceEntry>,
    /// The module it sees.
    pub module: Option<Ref<Module>>,
    /// How many calls were below it when it was asked for, if it was running.
    pub level: Option<usize>,
    /// The generator it is of, if it was suspended when it was asked for.
    pub generator: weak::Pointer,
}

/// The code of a function.
pub struct CodeObject(pub std::rc::Rc<crate::code::Code>);

/// A `range` with a number that does not fit 64 bits; `step` is not 0.
pub struct BigRange {
    pub start: num_bigint::BigInt,
    pub stop: num_bigint::BigInt,
    pub step: num_bigint::BigInt,
}

impl Container for Property {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        for part in [&self.get, &self.set, &self.del, &self.doc] {
            each(&part.get());
        }
    }

    fn clear(&self) {
        for part in [&self.get, &self.set, &self.del, &self.doc] {
            part.set(Value::None);
        }
    }
}

impl Container for ClassMethod {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        each(&self.0.get());
    }

    fn clear(&self) {
        drop(self.0.take());
    }
}

impl Container for StaticMethod {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        each(&self.0.get());
    }

    fn clear(&self) {
        drop(self.0.take());
    }
}

impl Container for MappingProxy {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        each(&self.0);
    }
}
