//! Assignment: targets, augmented assignment, deletion.

use super::name::{Store, local};
use super::operand::*;
use super::*;
use crate::code::BinaryOp;
use crate::interp::{iterate, namespace, subscript};
use crate::source::Symbol;
use std::marker::PhantomData;

/// What can be assigned to.
pub trait Assignable {
    fn assign(&self, frame: &mut Frame, value: Value) -> Res<()>;
    fn delete(&self, frame: &mut Frame) -> Res<()>;
    /// `target op= value`: reads, evaluates the value, stores; the target's parts once.
    fn augment(&self, frame: &mut Frame, op: BinaryOp, value: &dyn Node, span: Span) -> Res<()>;
}

impl Builder<'_> {
    pub fn assignable(&self, target: &Target) -> Box<dyn Assignable> {
        let span = target.span;
        match &target.kind {
            TargetKind::Place(place) => Box::new(Variable {
                store: self.store(*place, span),
                load: self.load(*place, span),
            }),
            TargetKind::Attribute { object, name } => self.attribute_target(object, *name, span),
            TargetKind::Subscript { object, index } => Box::new(Item {
                object: self.node(object),
                index: self.node(index),
                span,
            }),
            TargetKind::Unpack { targets, star } => {
                let slots: Option<Box<[u32]>> = targets.iter().map(|t| self.target_slot(t)).collect();
                Box::new(Unpack {
                    slots: slots.filter(|_| star.is_none()).unwrap_or_default(),
                    targets: targets.iter().map(|t| self.assignable(t)).collect(),
                    star: star.map(|s| s as usize),
                    span,
                })
            }
        }
    }

    pub fn assign(&self, targets: &[Target], value: &Tree) -> ExecBox {
        if let [target] = targets {
            if let Some(slot) = self.target_slot(target) {
                if let TreeKind::Binary {
                    op: BinaryOp::Add,
                    left,
                    right,
                } = &value.kind
                    && matches!(left.kind, TreeKind::Load(Place::Local(read)) if read == slot)
                {
                    let slow = |op, mut a: Value, b: &Value| match operator::append(&mut a, b) {
                        true => Ok(a),
                        false => operator::binary(op, &a, b),
                    };
                    return self.change_local(slot, left.span, BinaryOp::Add, right, value.span, slow);
                }
                return Box::new(AssignLocal {
                    slot,
                    value: self.node(value),
                });
            }
            if let (TargetKind::Unpack { targets, star: None }, TreeKind::Tuple(items)) =
                (&target.kind, &value.kind)
                && let Some(swap) = self.parallel(targets, items)
            {
                return swap;
            }
            return Box::new(AssignOne {
                target: self.assignable(target),
                value: self.node(value),
            });
        }
        let targets = targets.iter().map(|t| self.assignable(t)).collect();
        Box::new(AssignMany {
            targets,
            value: self.node(value),
        })
    }

    /// `a, b = x, y` without making the tuple.
    fn parallel(&self, targets: &[Target], items: &[crate::code::Element]) -> Option<ExecBox> {
        if targets.len() != items.len() || targets.len() > 4 {
            return None;
        }
        let mut values = Vec::new();
        for item in items {
            match item {
                crate::code::Element::One(tree) => values.push(self.node(tree)),
                crate::code::Element::Star(_) => return None,
            }
        }
        let targets = targets.iter().map(|t| self.assignable(t)).collect();
        Some(Box::new(Parallel {
            targets,
            values: values.into(),
        }))
    }

    pub fn aug_assign(&self, target: &Target, op: BinaryOp, value: &Tree, span: Span) -> ExecBox {
        if let Some(slot) = self.target_slot(target) {
            return self.change_local(slot, target.span, op, value, span, operator::in_place);
        }
        Box::new(Augment {
            target: self.assignable(target),
            op,
            value: self.node(value),
            span,
        })
    }

    /// `x op= value` or `x = x op value` of a local variable; `slow` is for values without a fast
    /// path.
    fn change_local(
        &self,
        slot: u32,
        target_span: Span,
        op: BinaryOp,
        value: &Tree,
        span: Span,
        slow: fn(BinaryOp, Value, &Value) -> Res,
    ) -> ExecBox {
        let operand = match &value.kind {
            TreeKind::Load(Place::Local(slot)) => Operand::Local(*slot),
            TreeKind::Constant(constant) => Operand::Constant(constant_value(constant)),
            _ => Operand::Other,
        };
        let value = self.node(value);
        macro_rules! make {
            ($operator:ident, $($args:tt)*) => {
                Box::new(AugLocal::<$operator> {
                    slot,
                    operand,
                    value,
                    op,
                    slow,
                    target_span,
                    span,
                    operator: PhantomData,
                })
            };
        }
        for_binary!(op, make,)
    }

    pub fn annotate(&self, name: Symbol, value: &Tree) -> ExecBox {
        Box::new(Annotate {
            name,
            value: self.node(value),
            module: self.module.clone(),
        })
    }
}

struct AssignLocal {
    slot: u32,
    value: NodeBox,
}

impl Exec for AssignLocal {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let value = attempt!(self.value.eval(frame));
        frame.set_local(self.slot, value);
        Flow::Next
    }
}

struct AssignOne {
    target: Box<dyn Assignable>,
    value: NodeBox,
}

impl Exec for AssignOne {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let value = attempt!(self.value.eval(frame));
        attempt!(self.target.assign(frame, value));
        Flow::Next
    }
}

struct AssignMany {
    targets: Box<[Box<dyn Assignable>]>,
    value: NodeBox,
}

impl Exec for AssignMany {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let value = attempt!(self.value.eval(frame));
        for target in &self.targets {
            attempt!(target.assign(frame, value.clone()));
        }
        Flow::Next
    }
}

struct Parallel {
    targets: Box<[Box<dyn Assignable>]>,
    values: Box<[NodeBox]>,
}

impl Exec for Parallel {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let mut values: [Value; 4] = Default::default();
        for (place, node) in values.iter_mut().zip(&self.values) {
            *place = attempt!(node.eval(frame));
        }
        for (target, value) in self.targets.iter().zip(values) {
            attempt!(target.assign(frame, value));
        }
        Flow::Next
    }
}

/// What can be looked at without evaluating a node (benchmarks: sched/async_gen, compute/loop).
enum Operand {
    Local(u32),
    Constant(Value),
    Other,
}

struct AugLocal<O: Operator> {
    slot: u32,
    operand: Operand,
    value: NodeBox,
    op: BinaryOp,
    slow: fn(BinaryOp, Value, &Value) -> Res,
    target_span: Span,
    span: Span,
    operator: PhantomData<O>,
}

impl<O: Operator> Exec for AugLocal<O> {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let operand = match &self.operand {
            Operand::Local(slot) => Some(frame.local(*slot)),
            Operand::Constant(constant) => Some(constant),
            Operand::Other => None,
        };
        if let Some(operand) = operand
            && let Some(result) = O::fast(frame.local(self.slot), operand)
        {
            frame.set_local(self.slot, result);
            return Flow::Next;
        }
        self.exec_any(frame)
    }
}

impl<O: Operator> AugLocal<O> {
    #[inline(never)]
    fn exec_any(&self, frame: &mut Frame) -> Flow {
        // Python reads the target before the value is evaluated. A number cannot change
        // meanwhile, so it need not be kept apart.
        let old = attempt!(local(frame, self.slot, self.target_span)).clone();
        let value = attempt!(self.value.eval(frame));
        let result = match O::fast(&old, &value) {
            Some(result) => result,
            None => {
                // So that a str can grow where it is; two strs always can be put together.
                if let (Value::Str(_), Value::Str(_)) = (&old, &value)
                    && self.op == BinaryOp::Add
                    && frame.local(self.slot).is(&old)
                {
                    drop(frame.take_local(self.slot));
                }
                attempt!((self.slow)(self.op, old, &value).at(self.span))
            }
        };
        frame.set_local(self.slot, result);
        Flow::Next
    }
}

struct Augment {
    target: Box<dyn Assignable>,
    op: BinaryOp,
    value: NodeBox,
    span: Span,
}

impl Exec for Augment {
    fn exec(&self, frame: &mut Frame) -> Flow {
        attempt!(self.target.augment(frame, self.op, &*self.value, self.span));
        Flow::Next
    }
}

struct Variable {
    store: Store,
    load: NodeBox,
}

impl Assignable for Variable {
    fn assign(&self, frame: &mut Frame, value: Value) -> Res<()> {
        self.store.store(frame, value)
    }

    fn delete(&self, frame: &mut Frame) -> Res<()> {
        self.store.delete(frame)
    }

    fn augment(&self, frame: &mut Frame, op: BinaryOp, value: &dyn Node, span: Span) -> Res<()> {
        let old = self.load.eval(frame)?;
        let value = value.eval(frame)?;
        let result = fast_in_place(op, old, &value).at(span)?;
        self.store.store(frame, result)
    }
}

#[inline]
pub fn fast_in_place(op: BinaryOp, old: Value, value: &Value) -> Res {
    let fast = match op {
        BinaryOp::Add => Add::fast(&old, value),
        BinaryOp::Sub => Sub::fast(&old, value),
        _ => None,
    };
    match fast {
        Some(result) => Ok(result),
        None => operator::in_place(op, old, value),
    }
}

/// `object[index]` as a target.
struct Item {
    object: NodeBox,
    index: NodeBox,
    span: Span,
}

impl Assignable for Item {
    fn assign(&self, frame: &mut Frame, value: Value) -> Res<()> {
        let object = self.object.eval(frame)?;
        let index = self.index.eval(frame)?;
        let done = set_item(&object, &index, value).at(self.span);
        drop(object); // dies before its index
        done
    }

    fn delete(&self, frame: &mut Frame) -> Res<()> {
        let object = self.object.eval(frame)?;
        let index = self.index.eval(frame)?;
        let done = subscript::del_item(&object, &index).at(self.span);
        drop(object);
        done
    }

    fn augment(&self, frame: &mut Frame, op: BinaryOp, value: &dyn Node, span: Span) -> Res<()> {
        let object = self.object.eval(frame)?;
        let index = self.index.eval(frame)?;
        let old = super::member::item(&object, &index).at(self.span)?;
        let value = value.eval(frame)?;
        let result = fast_in_place(op, old, &value).at(span)?;
        let done = set_item(&object, &index, result).at(self.span);
        drop(object);
        done
    }
}

#[inline(always)]
fn set_item(object: &Value, index: &Value, value: Value) -> Res<()> {
    if let (Value::List(list), Value::Int(i)) = (object, index) {
        let mut items = list.items.borrow_mut();
        if let Some(place) = items.get_mut(*i as usize) {
            let old = std::mem::replace(place, value);
            // Numbers and the like own nothing, so dropping them runs nothing.
            if old.tag() < FIRST_COUNTED {
                return Ok(());
            }
            drop(items);
            return drop_later(old);
        }
    }
    subscript::set_item(object, index, value)
}

#[inline(never)]
fn drop_later(old: Value) -> Res<()> {
    drop(old);
    Ok(())
}

/// `a, b, *c = …`
struct Unpack {
    targets: Box<[Box<dyn Assignable>]>,
    /// Their slots if all are plain local variables.
    slots: Box<[u32]>,
    star: Option<usize>,
    span: Span,
}

impl Assignable for Unpack {
    fn assign(&self, frame: &mut Frame, value: Value) -> Res<()> {
        let Some(star) = self.star else {
            if let Value::Tuple(tuple) = &value
                && tuple.items.len() == self.targets.len()
            {
                if tuple.items.len() == self.slots.len() {
                    for (&slot, item) in self.slots.iter().zip(&tuple.items) {
                        frame.set_local(slot, item.clone());
                    }
                    return Ok(());
                }
                for (target, item) in self.targets.iter().zip(&tuple.items) {
                    target.assign(frame, item.clone())?;
                }
                return Ok(());
            }
            let items = iterate::unpack(&value, self.targets.len()).at(self.span)?;
            for (target, item) in self.targets.iter().zip(items) {
                target.assign(frame, item)?;
            }
            return Ok(());
        };
        let after = self.targets.len() - star - 1;
        let items = iterate::unpack_star(&value, star, after).at(self.span)?;
        for (target, item) in self.targets.iter().zip(items) {
            target.assign(frame, item)?;
        }
        Ok(())
    }

    fn delete(&self, frame: &mut Frame) -> Res<()> {
        self.targets.iter().try_for_each(|t| t.delete(frame))
    }

    fn augment(&self, _: &mut Frame, _: BinaryOp, _: &dyn Node, _: Span) -> Res<()> {
        unreachable!("the parser refuses augmented assignment to a tuple")
    }
}

pub struct Delete(pub Box<dyn Assignable>);

impl Exec for Delete {
    fn exec(&self, frame: &mut Frame) -> Flow {
        attempt!(self.0.delete(frame));
        Flow::Next
    }
}

/// `__annotations__[name] = value`
struct Annotate {
    name: Symbol,
    value: NodeBox,
    module: Ref<Module>,
}

impl Exec for Annotate {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let value = attempt!(self.value.eval(frame));
        let key = crate::source::name::ANNOTATIONS;
        let existing = match frame.namespace {
            Some(names) => attempt!(namespace::class_variable(names, key)),
            None => self.module.get(key),
        };
        let dict = match existing {
            Some(dict) => dict,
            None => {
                let dict = Value::from(Ref::new(Dict::default()));
                match frame.namespace {
                    Some(names) => attempt!(namespace::set_class_variable(names, key, dict.clone())),
                    None => self.module.set(key, dict.clone()),
                }
                dict
            }
        };
        attempt!(subscript::set_item(&dict, &self.name.into(), value));
        Flow::Next
    }
}
