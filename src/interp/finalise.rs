//! Finalisers: `__del__` of instances, run when the last reference goes
//! (https://docs.python.org/3/reference/datamodel.html#object.__del__), or at the end of the program.

use super::{async_iter, call, import, report};
use crate::source::name;
use crate::value::future::MOURN;
use crate::value::generator::Progress;
use crate::value::opaque::Container;
use crate::value::part::Visitor;
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
    // What goes with another one goes as always.
    let mut found: Vec<weak::Pointer> = Vec::new();
    each_reached([main.clone().into()], &mut |value| {
        let is_found = match value {
            Value::Instance(instance) => instance.class().has_finaliser(),
            Value::Opaque(object) => object.class.lookup(name::DEL).is_some(),
            Value::Generator(_) => !coroutines.iter().any(|coroutine| coroutine.is(value)),
            Value::Exception(exception) => exception.class().has_finaliser(),
            Value::Future(future) => {
                future.task.is_some() || future.unseen.get() || future.finaliser().is_some()
            }
            _ => false,
        };
        if is_found {
            let pointer = weak::Pointer::default();
            pointer.set(value);
            found.push(pointer);
        }
    });
    drop(coroutines);
    for object in found.iter().filter_map(weak::Pointer::get) {
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
        part::show(&value, &mut Reach(&mut reach));
        kept.push(value);
    }
}

/// Whether nothing to finalise, and no task, can be reached from a value.
fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Class(class) => !class.is_script,
        Value::Module(module) => module.get(name::FILE).is_none(),
        Value::Iterator(_) | Value::Slice(_) => false,
        _ => !value.is_container(),
    }
}

/// Shows what objects refer to, as it lies in CPython.
struct Reach<F>(F);

impl<F: FnMut(Value)> Visitor for Reach<F> {
    const COUNTS: bool = false;

    fn part(&mut self, part: &Value) {
        (self.0)(part.clone());
    }

    fn deeper(&mut self, show: impl FnOnce(&mut dyn FnMut(&Value))) {
        let mut parts = Vec::new();
        show(&mut |part| parts.push(part.clone()));
        // A tuple is looked at from its end.
        parts.reverse();
        (self.0)(Value::tuple(parts));
    }

    fn container(&mut self, container: &dyn Container) {
        container.outline().into_iter().for_each(&mut self.0);
    }

    /// Its variables go when it is closed.
    fn coroutine(&mut self, coroutine: &Value) {
        if let Value::Generator(coroutine) = coroutine {
            self.part(&coroutine.func);
        }
    }
}
