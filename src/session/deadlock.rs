//! The report of a deadlock: who waits for what, who stands in the way, and who waits in a circle.

use super::report::{is_library, places, render};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Severity};
use crate::runtime::{task, thread};
use crate::source::Span;
use crate::value::generator::{Activation, Obstacle};
use crate::value::*;
use std::fmt::Write;
use std::rc::Rc;

/// So many are named one by one.
const NAMED: usize = 4;

/// A pending task and what keeps it.
struct Stuck {
    task: Ref<Future>,
    /// Where it stands: the chain of awaits, outermost first.
    chain: Vec<(Rc<Code>, Span)>,
    /// What it waits for, in a reader's words.
    what: String,
    /// The tasks that would have to go on first, by their numbers.
    behind: Vec<u32>,
    /// What somebody would have to set or put or release.
    object: Option<Value>,
    /// Whether that is a lock or semaphore.
    is_lock: bool,
}

/// Who waits for what, when nothing can ever run again.
pub fn report() -> String {
    let mut out = String::from("deadlock: nothing can ever run again\n");
    out.push_str(&who_waits());
    out
}

/// The same without the headline.
pub fn who_waits() -> String {
    let pending: Vec<_> = roster::tasks().into_iter().filter(|t| !t.is_done()).collect();
    let stuck: Vec<Stuck> = pending.iter().map(|task| stuck(task, &pending)).collect();
    let mut out = String::new();
    for one in &stuck {
        out.push_str(&one.told(&stuck));
    }
    for (name, doing) in thread::waiting() {
        // The thread that runs the loop only waits for its tasks.
        if stuck.is_empty() || &*name != "MainThread" {
            let _ = writeln!(out, "  thread '{name}' waits for {doing}");
        }
    }
    match circle(&stuck) {
        Some(circle) => {
            let first = stuck[circle[0]].name();
            let _ = match circle.len() {
                1 => writeln!(out, "  {first} waits for itself"),
                _ => {
                    let others = circle[1..].iter().chain(&circle[..1]).map(|&i| stuck[i].name());
                    let others: Vec<String> = others.collect();
                    let others = others.join(", which waits for ");
                    writeln!(out, "  they wait in a circle: {first} waits for {others}")
                }
            };
            let locks = circle.iter().all(|&i| stuck[i].is_lock);
            out.push_str(match (locks, circle.len()) {
                (true, 1) => "  help: a lock must be released before the same task takes it again\n",
                (true, _) => "  help: take the locks in the same order everywhere\n",
                _ => "  help: one of them must not wait, or wait no longer than asyncio.timeout(…) lets it\n",
            });
        }
        None => out.push_str("  help: something must set, release, put or cancel what they wait for\n"),
    }
    out
}

/// `task 'Task-1'`
fn named(task: &Ref<Future>) -> String {
    match &task.task {
        Some(state) => format!("task {}", task::shown(&task::name(state))),
        None => describe(task),
    }
}

/// What a future is, in a reader's words.
pub fn describe(future: &Ref<Future>) -> String {
    if future.task.is_some() {
        return named(future);
    }
    if let Some(gather) = future.gather() {
        let children = gather.children.borrow().clone();
        let mut pending = children;
        pending.retain(|child| !child.is_done());
        return format!("gather of {}", listed(&pending));
    }
    match *future.label.get() {
        "future" => "a future that nobody has set".to_string(),
        label => label.to_string(),
    }
}

/// The same, with the line at which a task waits.
fn described(future: &Ref<Future>) -> String {
    let coroutine = future.task.as_ref().map(|state| state.coroutine.get());
    let chain = match &coroutine {
        Some(Value::Generator(generator)) => places(generator),
        _ => Vec::new(),
    };
    let own = chain.iter().rfind(|(code, _)| !is_library(code));
    match own {
        Some((code, span)) => format!("{} (line {})", named(future), code.source.line(span.start)),
        None => describe(future),
    }
}

/// `task 'a', task 'b' and 3 more`
fn listed(futures: &[Ref<Future>]) -> String {
    let mut names: Vec<String> = futures.iter().take(NAMED).map(described).collect();
    let more = futures.len() - names.len();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing that is pending".into(),
    }
}

fn stuck(task: &Ref<Future>, pending: &[Ref<Future>]) -> Stuck {
    let coroutine = task.task.as_ref().map(|state| state.coroutine.get());
    let (chain, obstacle) = match &coroutine {
        Some(Value::Generator(generator)) => (places(generator), obstacle(generator)),
        _ => (Vec::new(), None),
    };
    let on = task.task.as_ref().and_then(|state| state.waiting.get());
    let mut one = Stuck {
        task: task.clone(),
        chain,
        what: "its turn".into(),
        behind: Vec::new(),
        object: None,
        is_lock: false,
    };
    if let Some(obstacle) = obstacle {
        one.explain(&obstacle, pending);
    } else if let Some(on) = &on {
        one.what = one.in_library().unwrap_or_else(|| described(on));
        match on.gather() {
            Some(gather) => one.behind = numbers(&gather.children.borrow()),
            None if on.task.is_some() => one.behind = vec![on.number],
            None if one.in_library().is_some() => {}
            None => one.object = Some(on.clone().into()),
        }
    }
    one
}

fn numbers(futures: &[Ref<Future>]) -> Vec<u32> {
    let pending = futures.iter().filter(|future| !future.is_done());
    pending.map(|future| future.number).collect()
}

/// Why the built-in coroutine on top of the stack does not go on.
fn obstacle(generator: &Ref<Generator>) -> Option<Obstacle> {
    generator.look(|stack| {
        let above = stack
            .iter()
            .rev()
            .take_while(|a| !matches!(a, Activation::Script(_)));
        above
            .filter_map(|activation| match activation {
                Activation::Native(machine) => machine.obstacle(),
                _ => None,
            })
            .next()
    })
}

impl Stuck {
    fn name(&self) -> String {
        named(&self.task)
    }

    /// `Condition.wait()`, if it waits within a function of the library that is written in aio.
    fn in_library(&self) -> Option<String> {
        let own = self.chain.iter().rposition(|(code, _)| !is_library(code));
        let (code, _) = self.chain.get(own.map_or(0, |own| own + 1))?;
        is_library(code).then(|| format!("{}()", code.qualname))
    }

    fn explain(&mut self, obstacle: &Obstacle, pending: &[Ref<Future>]) {
        match obstacle {
            Obstacle::Taken { object, noun, by } => {
                let itself = by.contains(&self.task.number);
                let held: Vec<_> = pending
                    .iter()
                    .filter(|t| by.contains(&t.number))
                    .cloned()
                    .collect();
                let others: Vec<_> = held.iter().filter(|t| !t.is(&self.task)).cloned().collect();
                self.what = match (itself, &others[..]) {
                    (true, []) => format!("a {noun} that it holds itself"),
                    (true, others) => format!("a {noun} that it holds itself, with {}", listed(others)),
                    (false, []) if by.is_empty() => format!("a {noun} that nobody releases"),
                    (false, []) => format!("a {noun} that a task took and never released before it ended"),
                    (false, [other]) => format!("a {noun} that {} holds", described(other)),
                    (false, others) => format!("a {noun} that {} hold", listed(others)),
                };
                self.behind = held.iter().map(|task| task.number).collect();
                self.object = Some(object.clone());
                self.is_lock = true;
            }
            Obstacle::Missing { object, what } => {
                self.what = (*what).into();
                self.object = Some(object.clone());
            }
            Obstacle::Others { what, futures } => {
                let left: Vec<_> = futures.iter().filter(|f| !f.is_done()).cloned().collect();
                self.what = format!("{what} {}", listed(&left));
                self.behind = numbers(&left);
            }
        }
    }

    /// The names that a suspended function of the task has for an object.
    fn names_for(&self, object: &Value) -> Vec<String> {
        let coroutine = self.task.task.as_ref().map(|state| state.coroutine.get());
        let Some(Value::Generator(generator)) = &coroutine else {
            return Vec::new();
        };
        let mut names = Vec::new();
        generator.look(|stack| {
            for activation in stack {
                let Activation::Script(frame) = activation else {
                    continue;
                };
                let code = &frame.func.code;
                if is_library(code) {
                    continue;
                }
                let own = code.slots.iter().zip(frame.seen_slots());
                let outer = code.free.iter().zip(&frame.func.closure);
                let own = own.map(|(name, value)| match value {
                    Value::Cell(cell) => (name, cell.value.get()),
                    value => (name, value.clone()),
                });
                for (name, value) in own.chain(outer.map(|(name, cell)| (name, cell.value.get()))) {
                    let name = name.text().to_string();
                    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
                    if is_name && value.is(object) && !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        });
        names
    }

    /// The other tasks that could have helped, and what they call the thing.
    fn others_with_it(&self, all: &[Stuck]) -> Option<String> {
        let object = self.object.as_ref().filter(|_| self.behind.is_empty())?;
        let mut told = Vec::new();
        for other in all.iter().filter(|other| !other.task.is(&self.task)) {
            let names = other.names_for(object);
            if let Some(name) = names.first() {
                told.push(format!(
                    "{} has it too, as `{name}`, and waits as well",
                    other.name()
                ));
            }
        }
        match (told.is_empty(), self.is_lock) {
            (true, true) => None,
            (true, false) => {
                Some("nobody can do that any more: no other task has it in a variable of its own".into())
            }
            (false, _) => Some(told.join("\n")),
        }
    }

    fn told(&self, all: &[Stuck]) -> String {
        let title = format!("{} waits for {}", self.name(), self.what);
        let own = self.chain.iter().rposition(|(code, _)| !is_library(code));
        let shown = own.map_or(&self.chain[..], |own| &self.chain[..=own]);
        let Some(((code, span), outer)) = shown.split_last() else {
            return format!("  {title}\n");
        };
        let mut diagnostic =
            Diagnostic::new(Severity::Error, title, &code.source).label(*span, "it waits here");
        for (outer, span) in outer.iter().rev() {
            if Rc::ptr_eq(&outer.source, &code.source) {
                diagnostic = diagnostic.label(*span, format!("called from {}", outer.qualname));
            }
        }
        if let Some(help) = self.others_with_it(all) {
            diagnostic = diagnostic.help(help);
        }
        render(&diagnostic)
    }
}

/// The tasks of a circle, as places in the list, if there is one.
fn circle(stuck: &[Stuck]) -> Option<Vec<usize>> {
    let place = |number: &u32| stuck.iter().position(|one| one.task.number == *number);
    let mut clear = vec![false; stuck.len()];
    for start in 0..stuck.len() {
        // The way from `start`: each task with those behind which it waits and that are not tried.
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(start);
        loop {
            if let Some(at) = next.take() {
                if let Some(first) = way.iter().position(|(i, _)| *i == at) {
                    return Some(way[first..].iter().map(|(i, _)| *i).collect());
                }
                if !clear[at] {
                    way.push((at, stuck[at].behind.iter().filter_map(place).rev().collect()));
                }
            }
            let Some((at, left)) = way.last_mut() else { break };
            match left.pop() {
                Some(other) => next = Some(other),
                None => {
                    clear[*at] = true;
                    way.pop();
                }
            }
        }
    }
    None
}
