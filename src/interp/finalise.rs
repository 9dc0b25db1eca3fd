//! Finalisers: `__del__` of instances, run when the last reference goes
//! (https://docs.python.org/3/reference/datamodel.html#object.__del__), or at the end of the program.

use super::{async_iter, call, import, mapping, report};
use crate::source::name;
use crate::value::descriptor::{ClassMethod, Property, StaticMethod};
use crate::value::future::MOURN;
use crate::value::generator::Progress;
use crate::value::*;
use rustc_hash::FxHashSet;
use std::cell::Cell;
use std::collections::VecDeque;

thread_local! {
    /// Whether a script has a class with a `__del__`, a generator with something to clean up, a
    /// coroutine that it drives itself, or a future with an error that nobody has asked for.
    static IS_NEEDED: Cell<bool> = const { Cell::new(false) };
}

/// From now on there may be something to do at the end of the program.
pub fn expect() {
    IS_NEEDED.set(true);
}

/// Runs the `__del__` of an object that nobody refers to any more. What is pending, and what is
/// being handled, stays as it is; an exception in the finaliser is told and forgotten.
pub fn run(object: Value) {
    let aside = exception::lay_aside();
    if let Some(finaliser) = call::special(&object, name::DEL)
        && let Err(raised) = call::call_unbound(&finaliser, &object, &[])
    {
        report::unraisable(raised, &finaliser);
    }
    drop(object);
    exception::put_back(aside);
}

/// At the end of the program: finalises what the main module still reaches, nearest first, which is
/// the order in which CPython's collector comes upon it; then the pending tasks that it does not reach.
pub fn run_remaining(main: &Ref<Module>) {
    if !IS_NEEDED.get() && roster::tasks().is_empty() {
        return;
    }
    sweep::sweep();
    let coroutines: Vec<Value> = roster::tasks().iter().filter_map(coroutine_of).collect();
    let mut found = Vec::new();
    each_reached([main.clone().into()], &mut |value| match value {
        Value::Instance(instance) if instance.class().has_finaliser() => found.push(value.clone()),
        Value::Opaque(object) if object.class.lookup(name::DEL).is_some() => found.push(value.clone()),
        Value::Generator(_) if !coroutines.iter().any(|coroutine| coroutine.is(value)) => {
            found.push(value.clone())
        }
        Value::Exception(exception) if exception.class().has_finaliser() => found.push(value.clone()),
        Value::Future(future)
            if future.task.is_some() || future.unseen.get() || future.finaliser().is_some() =>
        {
            found.push(value.clone())
        }
        _ => {}
    });
    drop(coroutines);
    for object in found {
        match &object {
            Value::Instance(instance) if !instance.finalised.replace(true) => run(object.clone()),
            Value::Opaque(opaque) if !opaque.finalised.replace(true) => run(object.clone()),
            Value::Exception(exception) if !exception.finalised.replace(true) => run(object.clone()),
            Value::Generator(generator) => end_suspended(generator),
            Value::Future(future) => end_future(future),
            _ => {}
        }
    }
    roster::tasks().iter().for_each(end_future);
}

fn coroutine_of(task: &Ref<Future>) -> Option<Value> {
    task.task.as_ref().map(|state| state.coroutine.get())
}

fn end_suspended(generator: &Ref<Generator>) {
    if generator.progress.get() == Progress::Suspended {
        async_iter::abandon(Ref::clone(generator));
    }
}

/// The program leaves a future behind. If nobody asked for the error that it failed with, that is
/// told; so is a pending task, and its coroutine is closed.
fn end_future(future: &Ref<Future>) {
    if let Some(done) = future.finaliser()
        && !done.replace(true)
    {
        run(future.clone().into());
    }
    if future.is_done() {
        if future.unseen.replace(false)
            && let Some(mourn) = MOURN.get()
        {
            mourn(future.clone());
        }
        return;
    }
    if let Some(state) = &future.task
        && state.log_destroy.replace(false)
        && let Some(mourn) = MOURN.get()
    {
        mourn(future.clone());
    }
    if let Some(Value::Generator(coroutine)) = &coroutine_of(future) {
        end_suspended(coroutine);
    }
}

/// Whether a value leads to the main module, as its functions and coroutines do.
pub fn leads_to(main: &Ref<Module>, value: Value) -> bool {
    let mut leads = false;
    each_reached([value], &mut |value| {
        leads |= matches!(value, Value::Module(module) if module.is(main));
    });
    leads
}

/// Shows what the main module, pending tasks and other values reach, as [`each_reached`] does.
pub fn each_reached_with_tasks(others: Vec<Value>, visit: &mut dyn FnMut(&Value)) {
    let main = import::loaded_module(name::MAIN);
    let coroutines = roster::tasks();
    let coroutines = coroutines.iter().filter_map(coroutine_of);
    each_reached(main.into_iter().chain(coroutines).chain(others), visit);
}

/// Shows what some objects reach, nearest first; `visit` must run no script.
pub fn each_reached(from: impl IntoIterator<Item = Value>, visit: &mut dyn FnMut(&Value)) {
    let mut seen = FxHashSet::default();
    let mut queue: VecDeque<Value> = from.into_iter().collect();
    let mut kept = Vec::new(); // so that no address is used twice
    while let Some(value) = queue.pop_front() {
        visit(&value);
        let mut reach = |part: Value| {
            if !is_leaf(&part) && part.address().is_none_or(|address| seen.insert(address)) {
                queue.push_back(part);
            }
        };
        parts(&value, &mut reach);
        kept.push(value);
    }
}

/// Whether nothing to finalise, and no task, can be reached from a value.
fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Class(class) => !class.is_script,
        Value::Module(module) => module.get(name::FILE).is_none(),
        _ => !value.is_container(),
    }
}

/// What an object refers to, in CPython's order.
fn parts(value: &Value, reach: &mut dyn FnMut(Value)) {
    match value {
        Value::List(list) => list.items.borrow().iter().rev().cloned().for_each(reach),
        Value::Tuple(tuple) => tuple.items.iter().rev().cloned().for_each(reach),
        Value::Dict(dict) => {
            for (key, value) in mapping::entries(dict) {
                reach(key);
                reach(value);
            }
        }
        Value::Set(set) => mapping::set_keys(&set.table).into_iter().for_each(reach),
        Value::FrozenSet(set) => mapping::set_keys(&set.table).into_iter().for_each(reach),
        Value::Cell(cell) => reach(cell.value.get()),
        Value::Function(function) => {
            reach(function.module.clone().into());
            reach(Value::tuple(function.defaults.borrow().to_vec()));
            reach(mapping::dict_of_symbols(
                function.kwdefaults.borrow().iter().cloned(),
            ));
            reach(mapping::dict_of_symbols(function.attrs.entries()));
            let cells: Vec<Value> = function.closure.iter().map(|cell| cell.clone().into()).collect();
            reach(Value::tuple(cells));
        }
        Value::Method(method) => {
            reach(method.func.clone());
            reach(method.this.clone());
        }
        Value::Class(class) => {
            let own: Vec<_> = class.dict.borrow().iter().map(|(n, v)| (*n, v.clone())).collect();
            reach(mapping::dict_of_symbols(own));
            class
                .bases
                .borrow()
                .iter()
                .for_each(|base| reach(base.clone().into()));
        }
        Value::Instance(instance) => {
            instance.entries().into_iter().for_each(|(_, value)| reach(value));
            reach(instance.payload.clone());
            reach(instance.class().into());
        }
        Value::Exception(exception) => {
            reach(mapping::dict_of_symbols(exception.attrs.entries()));
            reach(exception.args.get());
        }
        Value::Module(module) => {
            let names = mapping::dict_of_symbols(module.entries());
            parts(&names, reach);
        }
        Value::Generator(generator) => {
            reach(generator.func.clone());
            generator.look(|stack| {
                for activation in stack {
                    if let Activation::Script(frame) = activation {
                        frame.seen_slots().iter().cloned().for_each(&mut *reach);
                    }
                }
            });
        }
        Value::Future(future) => parts_of_future(future, reach),
        Value::Opaque(opaque) => {
            opaque
                .attrs
                .entries()
                .into_iter()
                .for_each(|(_, value)| reach(value));
            reach(opaque.class.clone().into());
            if let Some(property) = opaque.get::<Property>() {
                for part in [&property.get, &property.set, &property.del] {
                    reach(part.get());
                }
            } else if let Some(method) = opaque.get::<ClassMethod>() {
                reach(method.0.get());
            } else if let Some(method) = opaque.get::<StaticMethod>() {
                reach(method.0.get());
            } else if let Some(container) = opaque.container() {
                container.outline().into_iter().for_each(reach);
            }
        }
        _ => {}
    }
}

fn parts_of_future(future: &Ref<Future>, reach: &mut dyn FnMut(Value)) {
    if let Some(task) = &future.task {
        // Its variables go when it is closed.
        if let Value::Generator(coroutine) = &task.coroutine.get() {
            reach(coroutine.func.clone());
        }
        task.waiting.get().into_iter().for_each(|on| reach(on.into()));
    }
    reach(future.event_loop().clone());
    future.callbacks.look(|callback| match callback {
        Callback::Script(function, _) => reach(function.clone()),
        // A bound method of the task.
        Callback::Wake(task) => reach(Value::tuple([task.clone().into()])),
        Callback::Native(_) => {}
    });
    reach(future.outcome.get());
    if !future.is_bare() {
        future
            .attrs()
            .entries()
            .into_iter()
            .for_each(|(_, value)| reach(value));
    }
}
