//! Who waits: the tasks and threads that cannot go on, with the calls that each is in the middle of.

use super::super::report::is_library;
use crate::code::{Code, CodeKind, StateId, Terminator, TreeKind};
use crate::interp::finalise;
use crate::runtime::task;
use crate::runtime::thread::{self, Thread};
use crate::source::{Span, Symbol};
use crate::tools::standing::{self, Place};
use crate::value::generator::{Activation, Progress};
use crate::value::*;
use std::rc::Rc;

/// A call that waits, or waits for one that does.
pub struct Frame {
    pub func: Ref<Function>,
    pub span: Span,
    /// What it waits for is the end of a `with` block.
    is_leaving: bool,
    slots: Vec<Value>,
}

impl Frame {
    pub fn code(&self) -> &Rc<Code> {
        &self.func.code
    }

    /// Whether the program wrote it, and not the library.
    pub fn is_own(&self) -> bool {
        !is_library(self.code())
    }

    pub fn line(&self) -> u32 {
        self.code().source.line(self.span.start)
    }

    /// The variables of the function, its own first, then those of the functions around it.
    pub fn variables(&self) -> Vec<(&str, Value)> {
        let own = self.code().slots.iter().zip(self.slots.iter().cloned());
        let outer = self.code().free.iter().zip(&self.func.closure);
        let outer = outer.map(|(name, cell)| (name, cell.value.get()));
        let opened = own.chain(outer).map(|(name, value)| match &value {
            Value::Cell(cell) => (name.text(), cell.value.get()),
            _ => (name.text(), value),
        });
        let is_name = |name: &str| name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        opened.filter(|(name, _)| is_name(name)).collect()
    }

    pub fn variable(&self, wanted: &str) -> Option<Value> {
        let mut all = self.variables().into_iter();
        all.find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }
}

/// By what a task or thread is known to others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// The number of its future.
    Task(u32),
    Thread(u64),
}

/// A task or thread that cannot go on; a thread that is stuck within the step of a task is both.
pub struct Party {
    pub task: Option<Ref<Future>>,
    pub thread: Option<Rc<Thread>>,
    /// Outermost first.
    pub frames: Vec<Frame>,
}

impl Party {
    /// `task 'Task-1'`, `thread 'worker'`
    pub fn name(&self) -> String {
        match (&self.task, &self.thread) {
            (Some(task), Some(thread)) => format!("{} (in thread '{}')", named(task), thread.name()),
            (Some(task), None) => named(task),
            (None, Some(thread)) => format!("thread '{}'", thread.name()),
            (None, None) => String::from("the program"),
        }
    }

    /// By what others know it.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        let task = self.task.as_ref().map(|task| Key::Task(task.number));
        let thread = self.thread.as_ref().map(|thread| Key::Thread(thread.id));
        task.into_iter().chain(thread)
    }

    pub fn is(&self, key: Key) -> bool {
        self.keys().any(|own| own == key)
    }

    fn own_place(&self) -> Option<usize> {
        self.frames.iter().rposition(Frame::is_own)
    }

    /// The function of a task that has not begun.
    pub fn unbegun(&self) -> Option<Ref<Function>> {
        let generator = coroutine(self.task.as_ref()?)?;
        match &generator.func {
            Value::Function(func) if generator.progress.get() == Progress::Created => Some(Ref::clone(func)),
            _ => None,
        }
    }

    /// Where the coroutine of its task was made.
    pub fn made(&self) -> Option<Place> {
        standing::origin(self.task.as_ref()?)
    }

    /// The program's innermost call.
    pub fn own(&self) -> Option<&Frame> {
        self.frames.get(self.own_place()?)
    }

    /// The program's calls, innermost first.
    pub fn all_own(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().rev().filter(|frame| frame.is_own())
    }

    /// Whether one of its calls waits at the end of a `with` block.
    pub fn is_leaving(&self, frame: &Frame) -> bool {
        let is_exit = |inner: &Frame| inner.code().name.text() == "__exit__";
        let is_innermost = self.own().is_some_and(|own| std::ptr::eq(own, frame));
        frame.is_leaving || (is_innermost && self.inside().first().is_some_and(is_exit))
    }

    /// The calls of the library that the program's innermost one is in, outermost first.
    pub fn inside(&self) -> &[Frame] {
        &self.frames[self.own_place().map_or(0, |own| own + 1)..]
    }

    /// ` (line 3)`, or nothing for one that is not in the program's own text.
    pub fn at(&self) -> String {
        self.own()
            .map_or(String::new(), |own| format!(" (line {})", own.line()))
    }
}

/// `task 'Task-1'`
pub fn named(task: &Ref<Future>) -> String {
    match &task.task {
        Some(state) => format!("task {}", task::shown(&task::name(state))),
        None => (*task.label.get()).to_string(),
    }
}

fn coroutine(task: &Future) -> Option<Ref<Generator>> {
    match &task.task.as_ref()?.coroutine.get() {
        Value::Generator(generator) => Some(Ref::clone(generator)),
        _ => None,
    }
}

/// Whether a state ends with the end of a `with` block.
fn leaves(code: &Code, state: StateId) -> bool {
    let end = code.states.get(state as usize).map(|state| &state.end);
    matches!(end, Some(Terminator::Await { value, .. }) if matches!(value.kind, TreeKind::Exit { .. }))
}

/// The frames of a suspended task.
fn suspended(generator: &Generator) -> Vec<Frame> {
    generator.look(|stack| {
        let frames = stack.iter().filter_map(|activation| match activation {
            Activation::Script(frame) => Some(Frame {
                func: frame.func.clone(),
                span: frame.place()?,
                is_leaving: leaves(&frame.func.code, frame.state),
                slots: frame.seen_slots().to_vec(),
            }),
            _ => None,
        });
        frames.collect()
    })
}

/// The calls that a blocked thread is in the middle of.
fn running(thread: &Thread) -> Vec<Frame> {
    let mut frames = Vec::new();
    thread.look(|seen| {
        frames.push(Frame {
            func: seen.func.clone(),
            span: seen.span,
            is_leaving: false,
            slots: seen.slots.to_vec(),
        });
        None
    });
    frames.reverse();
    frames
}

/// A thread of a pool that has nothing to do.
fn is_idle_worker(frames: &[Frame]) -> bool {
    let is_in = |name: &str| {
        let mut library = frames.iter().filter(|frame| !frame.is_own());
        library.any(|frame| &*frame.code().qualname == name)
    };
    is_in("_work") && !is_in("_Work.run")
}

/// All that wait: the tasks in order of creation, then the threads.
pub fn parties() -> Vec<Party> {
    let pending = roster::tasks().into_iter().filter(|task| !task.is_done());
    let (active, waiting): (Vec<_>, Vec<_>) =
        pending
            .map(|task| (coroutine(&task), task))
            .partition(|(generator, _)| {
                generator
                    .as_ref()
                    .is_some_and(|g| g.progress.get() == Progress::Running)
            });
    let mut all: Vec<Party> = Vec::new();
    for (generator, task) in waiting {
        let frames = generator.as_deref().map_or(Vec::new(), suspended);
        all.push(Party {
            task: Some(task),
            thread: None,
            frames,
        });
    }
    let has_tasks = !all.is_empty();
    for thread in thread::blocked() {
        let frames = running(&thread);
        // A thread that runs a loop only waits for its tasks.
        if is_idle_worker(&frames) || has_tasks && thread.doing() == thread::IN_LOOP {
            continue;
        }
        let is_step = |task: &&(Option<Ref<Generator>>, Ref<Future>)| {
            let func = task.0.as_ref().map(|generator| &generator.func);
            func.is_some_and(|func| {
                frames
                    .iter()
                    .any(|frame| Value::from(frame.func.clone()).is(func))
            })
        };
        let task = active.iter().find(is_step).map(|(_, task)| task.clone());
        all.push(Party {
            task,
            thread: Some(thread),
            frames,
        });
    }
    all
}

/// The thread that makes a call for a future of a pool and runs a loop of its own in it.
pub fn in_its_loop(future: &Value) -> Option<Rc<Thread>> {
    let mut threads = thread::blocked().into_iter();
    threads.find(|thread| {
        let works = |frame: &Frame| {
            &*frame.code().qualname == "_Work.run"
                && frame.variable("future").is_some_and(|own| own.is(future))
        };
        thread.doing() == thread::IN_LOOP && running(thread).iter().any(works)
    })
}

/// The tasks that failed, with the error, as far as somebody still knows them.
pub fn failed(all: &[Party]) -> Vec<(Ref<Future>, Ref<Exception>)> {
    let waiting = all
        .iter()
        .filter_map(|party| party.task.as_ref()?.task.as_ref()?.waiting.get());
    let mut known: Vec<Value> = all
        .iter()
        .flat_map(|party| &party.frames)
        .flat_map(|frame| frame.slots.iter().cloned())
        .collect();
    for future in waiting {
        if let Some(gather) = future.gather() {
            known.extend(
                gather
                    .children
                    .borrow()
                    .iter()
                    .map(|child| Value::from(child.clone())),
            );
        }
    }
    let mut found = Vec::new();
    finalise::each_reached_with_tasks(known, &mut |value| {
        if let Value::Future(future) = value
            && future.task.is_some()
            && future.state.get() == FutureState::Failed
            && let Value::Exception(error) = &future.outcome.get()
        {
            found.push((future.clone(), error.clone()));
        }
    });
    found.sort_by_key(|(task, _)| task.number);
    found.dedup_by_key(|(task, _)| task.number);
    found
}

/// Whether code is that of the function with a header, or of the module itself.
pub fn holds(code: &Code, header: Option<Span>) -> bool {
    match header {
        Some(header) => code.span == header,
        None => matches!(code.kind, CodeKind::Module | CodeKind::AsyncModule),
    }
}

/// An attribute of an instance, as it lies there.
pub fn attribute(object: &Value, name: &str) -> Option<Value> {
    match object {
        Value::Instance(instance) => instance.get(Symbol::new(name)),
        _ => None,
    }
}
