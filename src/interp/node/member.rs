//! Attributes and subscripts, with a memory at each site.
//!
//! A site remembers the shape of the instance it last saw and where the attribute was
//! (benchmarks: compute/nbody, richards). Always true: a memory is used only while the shape is
//! the same one and no class has changed since.

use super::*;
use crate::code::BinaryOp;
use crate::interp::types::class_of;
use crate::interp::{attribute, call, descriptor, slot, subscript};
use crate::source::{Symbol, name};
use crate::value::class::version;
use crate::value::native::Direct;
use std::cell::{Cell, OnceCell};

/// What a site remembers.
#[derive(Default)]
pub struct Memory {
    shape: Cell<Option<&'static Shape>>,
    version: Cell<u32>,
    index: Cell<u32>,
    /// For instances that have no such attribute themselves.
    property: OnceCell<Box<PropertyMemory>>,
}

/// The property of a class that answers for its instances.
#[derive(Default)]
struct PropertyMemory {
    shape: Cell<Option<&'static Shape>>,
    version: Cell<u32>,
    property: ValueCell,
}

impl Memory {
    /// The remembered property for instances of a shape.
    #[inline(always)]
    fn property(&self, shape: &'static Shape) -> Option<Value> {
        let known = self.property.get()?;
        let is_it = std::ptr::eq(known.shape.get()?, shape) && known.version.get() == version();
        is_it.then(|| known.property.get())
    }

    #[cold]
    fn remember_property(&self, shape: &'static Shape, property: Value) {
        let known = self.property.get_or_init(Default::default);
        known.shape.set(Some(shape));
        known.version.set(version());
        known.property.set(property);
    }

    /// The remembered index for an instance.
    #[inline(always)]
    fn index(&self, instance: &Instance) -> Option<usize> {
        let shape = self.shape.get()?;
        (std::ptr::eq(shape, instance.shape()) && self.version.get() == version())
            .then_some(self.index.get() as usize)
    }

    fn remember(&self, shape: &'static Shape, index: usize) {
        self.shape.set(Some(shape));
        self.version.set(version());
        self.index.set(index as u32);
    }
}

pub struct Attribute {
    object: NodeBox,
    name: Symbol,
    memory: Memory,
    span: Span,
}

impl Node for Attribute {
    fn eval(&self, frame: &mut Frame) -> Res {
        let object = self.object.eval(frame)?;
        frame.running.set_place(self.span); // a property may ask who reads it
        read(&object, self.name, &self.memory).at(self.span)
    }
}

/// `local.name`: the object is borrowed.
struct LocalAttribute {
    slot: u32,
    slot_span: Span,
    name: Symbol,
    memory: Memory,
    span: Span,
}

impl Node for LocalAttribute {
    fn eval(&self, frame: &mut Frame) -> Res {
        let object = super::name::local(frame, self.slot, self.slot_span)?;
        if let Value::Instance(instance) = object
            && let Some(index) = self.memory.index(instance)
        {
            return Ok(instance.field(index));
        }
        // Finding the attribute may run script code, which may rebind the local.
        let object = object.clone();
        frame.running.set_place(self.span);
        read(&object, self.name, &self.memory).at(self.span)
    }
}

#[inline(always)]
fn read(object: &Value, name: Symbol, memory: &Memory) -> Res {
    if let Value::Instance(instance) = object {
        if let Some(index) = memory.index(instance) {
            return Ok(instance.field(index));
        }
        return read_and_remember(object, instance, name, memory);
    }
    attribute::get(object, name)
}

#[inline(never)]
fn read_and_remember(object: &Value, instance: &Ref<Instance>, name: Symbol, memory: &Memory) -> Res {
    let shape = instance.shape();
    if let Some(property) = memory.property(shape) {
        return descriptor::read_plainly(&property, object)
            .map_err(|raised| attribute::in_context(raised, object, name));
    }
    let class = instance.class();
    let is_plain = class
        .lookup(name::GETATTRIBUTE)
        .is_none_or(|v| !attribute::is_hook(&v));
    if is_plain && name == name::CLASS && class.lookup(name).is_none() {
        return Ok(class.into());
    }
    if let Some(index) = shape.index(name)
        && is_plain
        && !class
            .lookup(name)
            .is_some_and(|v| attribute::is_data_descriptor(&v) && slot::member(&v).is_none())
    {
        memory.remember(shape, index);
        return Ok(instance.field(index));
    }
    if is_plain
        && class.lookup(name::GETATTR).is_none()
        && let Some(found) = class.lookup(name)
        && descriptor::is_plain_property(&found)
    {
        memory.remember_property(shape, found);
    }
    attribute::get(object, name)
}

/// `object.name` as a target.
struct AttributeTarget {
    object: NodeBox,
    name: Symbol,
    /// Where it may be written. A place that may be read need not be: `__setattr__` has a say.
    memory: Memory,
    /// Where an augmented assignment may read it.
    read_memory: Memory,
    /// Remembers the shape before and after adding the attribute.
    added: Cell<Option<(&'static Shape, &'static Shape)>>,
    added_version: Cell<u32>,
    span: Span,
}

impl AttributeTarget {
    #[inline(always)]
    fn write(&self, object: &Value, value: Value) -> Res<()> {
        if let Value::Instance(instance) = object {
            if let Some(index) = self.memory.index(instance) {
                instance.set_field(index, value);
                return Ok(());
            }
            if let Some((before, after)) = self.added.get()
                && std::ptr::eq(before, instance.shape())
                && self.added_version.get() == version()
            {
                instance.add_field(after, value);
                return Ok(());
            }
            return self.write_and_remember(object, instance, value);
        }
        attribute::set(object, self.name, value)
    }

    #[inline(never)]
    fn write_and_remember(&self, object: &Value, instance: &Ref<Instance>, value: Value) -> Res<()> {
        let class = instance.class();
        let plain = class
            .lookup(name::SETATTR)
            .is_none_or(|v| !attribute::is_hook(&v))
            && !class.lookup(self.name).is_some_and(|v| matters_for_writing(&v))
            && self.name != name::CLASS
            && self.name != name::DICT
            && instance.detached().is_none()
            && (class.has_dict.get() || class.slots.borrow().contains(&self.name));
        if !plain {
            return attribute::set(object, self.name, value);
        }
        let shape = instance.shape();
        match shape.index(self.name) {
            Some(index) => {
                self.memory.remember(shape, index);
                instance.set_field(index, value);
            }
            None => {
                instance.set(self.name, value);
                self.added.set(Some((shape, instance.shape())));
                self.added_version.set(version());
            }
        }
        Ok(())
    }
}

/// Whether an attribute of the class has a say when instances' attributes are written.
fn matters_for_writing(attribute: &Value) -> bool {
    matches!(attribute, Value::Opaque(_) | Value::Instance(_)) && slot::member(attribute).is_none()
        || matches!(attribute, Value::Native(n) if n.role.is_getter())
}

impl Assignable for AttributeTarget {
    fn assign(&self, frame: &mut Frame, value: Value) -> Res<()> {
        let object = self.object.eval(frame)?;
        frame.running.set_place(self.span);
        self.write(&object, value).at(self.span)
    }

    fn delete(&self, frame: &mut Frame) -> Res<()> {
        let object = self.object.eval(frame)?;
        attribute::delete(&object, self.name).at(self.span)
    }

    fn augment(&self, frame: &mut Frame, op: BinaryOp, value: &dyn Node, span: Span) -> Res<()> {
        let object = self.object.eval(frame)?;
        let old = read(&object, self.name, &self.read_memory).at(self.span)?;
        let value = value.eval(frame)?;
        let result = super::bind::fast_in_place(op, old, &value).at(span)?;
        self.write(&object, result).at(self.span)
    }
}

/// `object[index]`; the object dies first, but after a slice without a step.
struct Subscript<const SLICED: bool> {
    object: NodeBox,
    index: NodeBox,
    span: Span,
}

impl<const SLICED: bool> Node for Subscript<SLICED> {
    fn eval(&self, frame: &mut Frame) -> Res {
        let object = self.object.eval(frame)?;
        let index = self.index.eval(frame)?;
        frame.running.set_place(self.span);
        let found = item(&object, &index).at(self.span);
        if !SLICED {
            drop(object);
        }
        found
    }
}

/// `local[constant]` and `local[local]`: nothing is cloned.
struct LocalSubscript {
    object: u32,
    object_span: Span,
    index: LocalIndex,
    span: Span,
}

enum LocalIndex {
    Const(Value),
    Local(u32, Span),
}

impl Node for LocalSubscript {
    fn eval(&self, frame: &mut Frame) -> Res {
        let object = super::name::local(frame, self.object, self.object_span)?;
        let index = match &self.index {
            LocalIndex::Const(value) => value,
            LocalIndex::Local(slot, span) => super::name::local(frame, *slot, *span)?,
        };
        if let Some(found) = fast_item(object, index) {
            return Ok(found);
        }
        let (object, index) = (object.clone(), index.clone());
        frame.running.set_place(self.span);
        subscript::get_item(&object, &index).at(self.span)
    }
}

#[inline(always)]
fn fast_item(object: &Value, index: &Value) -> Option<Value> {
    match (object, index) {
        (Value::List(list), Value::Int(i)) => list.items.borrow().get(*i as usize).cloned(),
        (Value::Tuple(tuple), Value::Int(i)) => tuple.items.get(*i as usize).cloned(),
        _ => None,
    }
}

/// `object[index]`
#[inline(always)]
pub fn item(object: &Value, index: &Value) -> Res {
    match fast_item(object, index) {
        Some(found) => Ok(found),
        None => subscript::get_item(object, index),
    }
}

struct MakeSlice {
    parts: [Option<NodeBox>; 3],
}

impl Node for MakeSlice {
    fn eval(&self, frame: &mut Frame) -> Res {
        let mut values = [Value::None, Value::None, Value::None];
        for (value, part) in values.iter_mut().zip(&self.parts) {
            if let Some(node) = part {
                *value = node.eval(frame)?;
            }
        }
        let [start, stop, step] = values;
        Ok(Ref::new(Slice { start, stop, step }).into())
    }
}

impl Builder<'_> {
    pub fn attribute(&self, object: &Tree, name: Symbol, span: Span) -> NodeBox {
        let memory = Memory::default();
        match self.local_slot(object) {
            Some(slot) => Box::new(LocalAttribute {
                slot,
                slot_span: object.span,
                name,
                memory,
                span,
            }),
            None => Box::new(Attribute {
                object: self.node(object),
                name,
                memory,
                span,
            }),
        }
    }

    pub fn attribute_target(&self, object: &Tree, name: Symbol, span: Span) -> Box<dyn Assignable> {
        Box::new(AttributeTarget {
            object: self.node(object),
            name,
            memory: Memory::default(),
            read_memory: Memory::default(),
            added: Cell::new(None),
            added_version: Cell::new(0),
            span,
        })
    }

    pub fn subscript(&self, object: &Tree, index: &Tree, span: Span) -> NodeBox {
        if let Some(slot) = self.local_slot(object) {
            let local = match &index.kind {
                TreeKind::Constant(constant) => Some(LocalIndex::Const(constant_value(constant))),
                _ => self.local_slot(index).map(|i| LocalIndex::Local(i, index.span)),
            };
            if let Some(index) = local {
                return Box::new(LocalSubscript {
                    object: slot,
                    object_span: object.span,
                    index,
                    span,
                });
            }
        }
        let (object, node) = (self.node(object), self.node(index));
        match index.kind {
            TreeKind::Slice { step: None, .. } => Box::new(Subscript::<true> {
                object,
                index: node,
                span,
            }),
            _ => Box::new(Subscript::<false> {
                object,
                index: node,
                span,
            }),
        }
    }

    pub fn slice(
        &self,
        lower: &Option<Box<Tree>>,
        upper: &Option<Box<Tree>>,
        step: &Option<Box<Tree>>,
    ) -> NodeBox {
        let part = |tree: &Option<Box<Tree>>| tree.as_ref().map(|t| self.node(t));
        Box::new(MakeSlice {
            parts: [part(lower), part(upper), part(step)],
        })
    }
}

/// A method found for a receiver: what to call with it as first argument, or a value to call.
pub enum Found {
    Unbound(Value),
    Value(Value),
}

/// The memory of a method call: the class's function for a kind of receiver.
#[derive(Default)]
pub struct MethodMemory {
    /// How many positional arguments the site gives with the receiver; 0 if it gives others too.
    npos: u32,
    /// The [`key`] of the receiver; 0 if nothing is remembered.
    key: Cell<usize>,
    version: Cell<u32>,
    func: ValueCell,
    /// The same function, if it is a built-in that the site can call at once.
    direct: Cell<Option<Direct>>,
    /// The address of a module and the number of the name in it.
    module: Cell<(usize, u32)>,
}

/// What tells receivers apart for which an attribute of the class means the same: the shape of
/// an instance, the class of an opaque object, the tag of anything else. 0 for those that cannot
/// be told apart so simply.
#[inline(always)]
pub fn key(object: &Value) -> usize {
    match object {
        Value::Instance(instance) => instance.shape() as *const Shape as usize,
        Value::Opaque(opaque) if opaque.attrs.is_empty() => opaque.class.address(),
        Value::Future(future) if future.is_bare() => 256 + usize::from(future.task.is_some()),
        Value::Str(_)
        | Value::List(_)
        | Value::Dict(_)
        | Value::Set(_)
        | Value::Tuple(_)
        | Value::Bytes(_)
        | Value::Int(_)
        | Value::Float(_) => object.tag() as usize,
        _ => 0,
    }
}

impl MethodMemory {
    /// Of a site with so many positional arguments, the receiver not counted, and no others.
    pub fn of_site(npos: Option<usize>) -> MethodMemory {
        MethodMemory {
            npos: npos.map_or(0, |npos| npos as u32 + 1),
            ..MethodMemory::default()
        }
    }

    /// The built-in that such a receiver's method was the last time, if the site can call it at once.
    #[inline(always)]
    pub fn direct(&self, object: &Value) -> Option<Direct> {
        let direct = self.direct.get()?;
        (self.key.get() == key(object) && self.version.get() == version()).then_some(direct)
    }

    #[inline(always)]
    pub fn find(&self, object: &Value, name: Symbol) -> Res<Found> {
        if let Value::Module(module) = object {
            return self.find_in_module(object, module, name);
        }
        let key = key(object);
        if key != 0 && key == self.key.get() && self.version.get() == version() {
            return Ok(Found::Unbound(self.func.get()));
        }
        self.find_and_remember(object, name, key)
    }

    #[inline]
    fn find_in_module(&self, object: &Value, module: &Ref<Module>, name: Symbol) -> Res<Found> {
        let (address, number) = self.module.get();
        if address == module.address() {
            let value = module.at(number);
            if !value.is_unset() {
                return Ok(Found::Value(value));
            }
        }
        let value = attribute::get(object, name)?;
        if module.get(name).is_some() {
            self.module.set((module.address(), module.number(name)));
        }
        Ok(Found::Value(value))
    }

    #[inline(never)]
    fn find_and_remember(&self, object: &Value, name: Symbol, key: usize) -> Res<Found> {
        let is_usable = match object {
            Value::Instance(instance) => {
                instance.detached().is_none()
                    && instance.shape().index(name).is_none()
                    && instance
                        .class()
                        .lookup(name::GETATTRIBUTE)
                        .is_none_or(|v| !attribute::is_hook(&v))
            }
            Value::Opaque(opaque) => {
                opaque.get::<attribute::SuperObject>().is_none() && opaque.attrs.get(name).is_none()
            }
            Value::Generator(_) => true,
            _ => key != 0,
        };
        if is_usable
            && let Some(func) = class_of(object).lookup(name)
            && (matches!(func, Value::Function(_))
                || matches!(&func, Value::Native(n) if n.role == NativeRole::Method))
        {
            if key != 0 {
                self.key.set(key);
                self.version.set(version());
                self.direct.set(match (&func, self.npos) {
                    (Value::Native(native), 1..) => native.direct(self.npos as usize),
                    _ => None,
                });
                self.func.set(func.clone());
            }
            return Ok(Found::Unbound(func));
        }
        attribute::get(object, name).map(Found::Value)
    }
}

/// The memory of `super().name(…)`: the function that comes after a class in the order of another.
pub struct SuperMemory {
    /// The name `super`, which a script may have changed.
    callee: NodeBox,
    /// The addresses of the class that the call is written in, and of the object's.
    classes: Cell<(usize, usize)>,
    version: Cell<u32>,
    func: ValueCell,
}

impl SuperMemory {
    pub fn new(callee: NodeBox) -> SuperMemory {
        SuperMemory {
            callee,
            classes: Cell::default(),
            version: Cell::default(),
            func: ValueCell::default(),
        }
    }

    /// The function and its receiver, if that is all there is to it.
    pub fn find(&self, frame: &mut Frame, name: Symbol) -> Option<(Value, Value)> {
        let is_super = |callee: Value| matches!(&callee, Value::Class(class) if class.is_super());
        if !self.callee.eval(frame).map_or_else(forget, is_super) {
            return None;
        }
        let (this, object) = call::own_super(frame).map_or_else(forget, Some)?;
        let Value::Instance(instance) = &object else {
            return None;
        };
        let class = instance.class();
        let classes = (this.address(), class.address());
        if classes == self.classes.get() && self.version.get() == version() {
            return Some((self.func.get(), object));
        }
        let func = match class.is_subclass(&this) {
            true => class.lookup_after(&this, name)?,
            false => return None,
        };
        let is_method = match &func {
            Value::Function(_) => true,
            Value::Native(native) => native.role == NativeRole::Method,
            _ => false,
        };
        if !is_method {
            return None;
        }
        self.classes.set(classes);
        self.version.set(version());
        self.func.set(func.clone());
        Some((func, object))
    }
}

/// An error will come up again where the whole is evaluated.
#[cold]
fn forget<T: Default>(raised: Raised) -> T {
    drop(raised.take());
    T::default()
}
