//! What objects hold: the one listing of it, for whoever walks from object to object.
//!
//! Always true: a visitor that counts is shown a part exactly as often as the object holds a
//! reference to it, and none that somebody else could let go of. The order is that in which CPython's
//! collector looks at an object.

use super::exception::LeftFrame;
use super::frame::Awaiting;
use super::iterator::IteratorState;
use super::opaque::Container;
use super::*;
use std::rc::Rc;

/// Who is shown the parts of objects. It must run no script meanwhile.
pub trait Visitor {
    /// Whether it counts references. One that does not is also shown what an object shares with
    /// others, and only once what an object keeps twice.
    const COUNTS: bool;

    fn part(&mut self, part: &Value);

    /// Parts that stand in a tuple, dict or frame of their own in CPython: they lie one step deeper,
    /// in this order.
    fn deeper(&mut self, show: impl FnOnce(&mut dyn FnMut(&Value)));

    fn container(&mut self, container: &dyn Container);

    /// The coroutine of a task.
    fn coroutine(&mut self, coroutine: &Value);
}

/// Shows what an object holds. What is being changed just now is not looked into.
pub fn show<V: Visitor>(object: &Value, to: &mut V) {
    match object {
        Value::List(list) => all(
            list.items
                .try_borrow()
                .iter()
                .flat_map(|items| items.iter().rev()),
            to,
        ),
        Value::Tuple(tuple) => all(tuple.items.iter().rev(), to),
        Value::Dict(dict) => {
            for (key, value) in dict.table.try_borrow().iter().flat_map(|table| table.iter()) {
                to.part(value);
                to.part(key);
            }
        }
        Value::FrozenSet(set) => all(set.table.try_borrow().iter().flat_map(|table| table.iter()), to),
        Value::Set(set) => all(set.table.try_borrow().iter().flat_map(|table| table.iter()), to),
        Value::Cell(cell) => to.part(&cell.value.get()),
        Value::Function(function) => show_function(function, to),
        Value::Method(method) => all([&method.func, &method.this], to),
        Value::Class(class) => show_class(class, to),
        Value::Instance(instance) => show_instance(instance, to),
        Value::Exception(exception) => show_exception(exception, to),
        Value::Generator(generator) => {
            to.part(&generator.func);
            generator.look(|stack| {
                stack
                    .iter()
                    .for_each(|activation| show_activation(activation, to))
            });
        }
        Value::Future(future) => show_future(future, to),
        Value::Opaque(opaque) => {
            attributes(&opaque.attrs, to);
            refs([&opaque.class], to);
            opaque.container().into_iter().for_each(|held| to.container(held));
        }
        Value::Module(module) if !V::COUNTS => {
            let names = module.entries();
            names.iter().for_each(|(_, value)| to.part(value));
        }
        Value::Iterator(iterator) if !V::COUNTS => {
            let state = iterator.state.try_borrow();
            state.iter().for_each(|state| show_iterator(state, to));
        }
        Value::Slice(slice) if !V::COUNTS => all([&slice.start, &slice.stop, &slice.step], to),
        _ => {}
    }
}

fn all<'a, V: Visitor>(values: impl IntoIterator<Item = &'a Value>, to: &mut V) {
    values.into_iter().for_each(|value| to.part(value));
}

fn refs<'a, T: Object, V: Visitor>(objects: impl IntoIterator<Item = &'a Ref<T>>, to: &mut V)
where
    Value: From<Ref<T>>,
{
    for object in objects {
        to.part(&Value::from(object.clone()));
    }
}

fn attributes(attrs: &Attrs, to: &mut impl Visitor) {
    if !attrs.is_empty() {
        refs([&attrs.dict()], to);
    }
}

fn show_function<V: Visitor>(function: &Ref<Function>, to: &mut V) {
    refs([&function.module], to);
    // Defaults may be shared with other functions of the same code.
    let defaults = function.defaults.borrow();
    if !V::COUNTS || Rc::strong_count(&defaults) == 1 {
        to.deeper(|each| defaults.iter().rev().for_each(each));
    }
    let defaults = function.kwdefaults.borrow();
    if !V::COUNTS || Rc::strong_count(&defaults) == 1 {
        to.deeper(|each| defaults.iter().for_each(|(_, value)| each(value)));
    }
    attributes(&function.attrs, to);
    to.deeper(|each| {
        for cell in function.closure.iter().rev() {
            each(&cell.clone().into());
        }
    });
    to.part(&function.annotations.get());
}

fn show_instance<V: Visitor>(instance: &Ref<Instance>, to: &mut V) {
    if V::COUNTS {
        refs(instance.detached(), to);
        for field in 0..instance.shape().names.len() {
            to.part(&instance.field(field));
        }
        to.part(&instance.payload);
    } else {
        let class = instance.class();
        let slots = class.slots.borrow();
        for &name in &*slots {
            instance.slot(name).iter().for_each(|value| to.part(value));
        }
        // Attributes lie in the object itself, unless that is of a built-in type.
        let mut entries = instance.entries();
        entries.retain(|(name, _)| !slots.contains(name));
        match instance.payload.is_unset() {
            true => entries.iter().for_each(|(_, value)| to.part(value)),
            false => to.deeper(|each| entries.iter().for_each(|(_, value)| each(value))),
        }
        show(&instance.payload, to);
    }
    refs([&*instance.class.borrow()], to);
}

fn show_iterator(state: &IteratorState, to: &mut impl Visitor) {
    match state {
        IteratorState::List(list, _) | IteratorState::ListReversed(list, _) => refs([list], to),
        IteratorState::Tuple(tuple, _) => refs([tuple], to),
        IteratorState::Dict(walk) => refs([&walk.dict], to),
        IteratorState::Set { set: object, .. }
        | IteratorState::Repeat { object, .. }
        | IteratorState::Sequence { object, .. }
        | IteratorState::Backwards { object, .. } => to.part(object),
        IteratorState::Items(items) => all(items.as_slice(), to),
        IteratorState::Done
        | IteratorState::Range { .. }
        | IteratorState::Str(..)
        | IteratorState::Bytes(..)
        | IteratorState::Native(_) => {}
    }
}

fn show_class<V: Visitor>(class: &Ref<Class>, to: &mut V) {
    // The names of a built-in one may still have to be made.
    if class.is_script {
        to.deeper(|each| class.dict.borrow().values().for_each(each));
        if V::COUNTS {
            class.each_answer(|answer| to.part(answer));
        }
    }
    if V::COUNTS {
        refs(&*class.mro.borrow(), to);
    }
    refs(&*class.bases.borrow(), to);
    refs(&*class.metaclass.borrow(), to);
}

fn show_exception<V: Visitor>(exception: &Ref<Exception>, to: &mut V) {
    attributes(&exception.parts, to);
    attributes(&exception.attrs, to);
    to.part(&exception.args.get());
    each_left(exception, |depth, left| {
        refs([&left.func], to);
        left.look(|slots| match V::COUNTS {
            true => all(slots, to),
            // Each row of the traceback refers to the next one, and to a frame.
            false => to.deeper(|each| {
                let variables = Value::tuple(slots.iter().rev().cloned().collect::<Vec<_>>());
                each(&(0..depth).fold(variables, |inner, _| Value::tuple([inner])));
            }),
        });
    });
    all([&exception.cause.get(), &exception.context.get()], to);
    refs([&*exception.class.borrow()], to);
}

/// Shows the frames that only this exception keeps, each with the number of rows above it: what others
/// share is not its own.
pub fn each_left(exception: &Exception, mut visit: impl FnMut(usize, &LeftFrame)) {
    let mut depth = 0;
    let mut row = exception.traceback.get();
    while let Some(at) = row.filter(|row| Rc::strong_count(row) == 2) {
        // The other one is `at`.
        if let Some(left) = at.left.get() {
            visit(depth, left);
        }
        depth += 1;
        row = at.next.get();
    }
}

fn show_activation(activation: &Activation, to: &mut impl Visitor) {
    match activation {
        Activation::Script(frame) => {
            refs([&frame.func], to);
            all(frame.seen_slots(), to);
            refs(&frame.owner, to);
            if let Awaiting::Value(awaited) = &frame.awaiting {
                to.part(awaited);
            }
            if let Some(handled) = &frame.handled {
                refs(&handled.exceptions, to);
                refs(&handled.inherited, to);
            }
        }
        Activation::Pass(value)
        | Activation::Delegate(value)
        | Activation::Begin(value)
        | Activation::Default(value) => to.part(value),
        Activation::Wait(future) => refs([future], to),
        Activation::Closing(generator) | Activation::Throwing(generator) => refs([generator], to),
        Activation::Start(_) | Activation::Native(_) | Activation::AsyncStep(_) => {}
    }
}

fn show_future(future: &Ref<Future>, to: &mut impl Visitor) {
    if let Some(task) = &future.task {
        to.coroutine(&task.coroutine.get());
        refs(&task.waiting.get(), to);
    }
    to.part(future.event_loop());
    future.callbacks.look(|callback| match callback {
        Callback::Script(function, _) => to.part(function),
        // A bound method of the task.
        Callback::Wake(task) => to.deeper(|each| each(&task.clone().into())),
        Callback::Native(_) => {}
    });
    to.part(&future.outcome.get());
    if future.is_bare() {
        return;
    }
    to.part(&future.cancel_message());
    attributes(future.attrs(), to);
    if let Some(gather) = future.gather() {
        refs(&*gather.children.borrow(), to);
    }
    refs(&future.shielded(), to);
}
