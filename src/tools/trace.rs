//! `aio run --trace`: the run told in short sentences, with the time, on stderr.

use crate::interp::unit::suspension_span;
use crate::runtime::instrument::{self, Event, Instrument};
use crate::runtime::{clock, console, task};
use crate::value::generator::Activation;
use crate::value::*;

/// Tells the run from now on.
pub fn start() {
    instrument::set(Some(Box::new(Trace { from: clock::now() })));
}

struct Trace {
    /// The time that is shown as 0.
    from: f64,
}

impl Instrument for Trace {
    fn notice(&mut self, event: &Event) {
        if let Some(sentence) = sentence(event) {
            let time = clock::now() - self.from;
            console::write_error(&format!("t={time:.3} {sentence}\n"));
        }
    }
}

/// What happened, in words; none for events that only repeat others.
fn sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::TaskCreated(task) => format!("{}: created", who(task)),
        Event::TaskStep(task) => match stands(task) {
            Some((line, state)) => format!("{}: runs on from line {line} (state {state})", who(task)),
            None => format!("{}: begins", who(task)),
        },
        Event::Waits { task, on } => match stands(task) {
            Some((line, _)) => format!("{}: waits at line {line} for {}", who(task), what(on)),
            None => format!("{}: waits for {}", who(task), what(on)),
        },
        Event::GaveWay(task) => format!("{}: gives way for one pass", who(task)),
        Event::WokenBy { task, by } => match stands(task) {
            Some((line, state)) => {
                format!(
                    "{}: {} of line {line} is over, goes on in state {state}",
                    who(task),
                    what(by)
                )
            }
            None => format!("{}: {} is over", who(task), what(by)),
        },
        Event::TaskDone(task) => match task.state.get() {
            FutureState::Failed => format!("{}: failed", who(task)),
            FutureState::Cancelled => format!("{}: is cancelled", who(task)),
            _ => format!("{}: is done", who(task)),
        },
        Event::Cancelled(future) if future.task.is_some() => {
            format!("{}: is asked to stop (cancel)", who(future))
        }
        Event::ThreadStarted { name, .. } => format!("thread {name}: started"),
        Event::ThreadEnded { thread } => format!("thread number {thread}: ended"),
        Event::ClockJump { from, to } => format!("the clock jumps {:.3} s ahead", to - from),
        _ => return None,
    })
}

/// The name of a task's coroutine, and the task's own name.
fn who(future: &Ref<Future>) -> String {
    let Some(state) = &future.task else {
        return what(future);
    };
    let name = task::shown(&task::name(state)).trim_matches('\'').to_string();
    match &*state.coroutine.borrow() {
        Value::Generator(generator) => {
            format!("{} ({name})", crate::interp::report::coroutine_name(generator))
        }
        _ => name,
    }
}

fn what(future: &Ref<Future>) -> String {
    match &future.task {
        Some(_) => who(future),
        None => future.label.get().to_string(),
    }
}

/// The line and the state in which a task's innermost frame goes on.
fn stands(future: &Ref<Future>) -> Option<(u32, u32)> {
    let state = future.task.as_ref()?;
    let coroutine = state.coroutine.borrow();
    let Value::Generator(generator) = &*coroutine else {
        return None;
    };
    let stack = generator.stack.try_borrow().ok()?;
    let frame = stack.iter().rev().find_map(|activation| match activation {
        Activation::Script(frame) => Some(frame),
        _ => None,
    })?;
    let code = &frame.func.code;
    let span = suspension_span(code, frame.state)?;
    Some((code.source.line(span.start), frame.state))
}
