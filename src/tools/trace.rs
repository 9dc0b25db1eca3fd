//! `aio run --trace`: the run told in short sentences, with the time, on stderr.

use crate::code::Terminator;
use crate::interp::text::object::generator_qualname;
use crate::runtime::instrument::{self, Event, Instrument};
use crate::runtime::{clock, console, task};
use crate::tools::standing;
use crate::value::generator::Progress;
use crate::value::*;
use std::cell::Cell;

thread_local! {
    /// None as long as nobody listens.
    static TELLS: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Tells the run from now on.
pub fn start() {
    if TELLS.replace(Some(true)).is_none() {
        instrument::add(Box::new(Trace { from: clock::now() }));
    }
}

/// Tells the run from now on, or no more; gives whether it does.
pub fn toggle() -> bool {
    match TELLS.get() {
        Some(true) => TELLS.set(Some(false)),
        _ => start(),
    }
    TELLS.get() == Some(true)
}

struct Trace {
    /// The time that is shown as 0.
    from: f64,
}

impl Instrument for Trace {
    fn notice(&mut self, event: &Event) {
        if TELLS.get() == Some(true)
            && let Some(sentence) = sentence(event)
        {
            let time = clock::now() - self.from;
            console::write_error(&format!("t={time:.3} {sentence}\n"));
        }
    }
}

/// What happened, in words; none for events that only repeat others, and for the tasks with which
/// a loop cleans up after itself.
fn sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::TaskCreated(task) => format!("{}: created", who(task)?),
        Event::TaskStep(task) if begins(task) => format!("{}: begins", who(task)?),
        Event::Waits { task, on } => match stands(task) {
            Some(place) => format!(
                "{}: waits at line {} for {}",
                who(task)?,
                place.line,
                what(on, Some(&place))
            ),
            None => format!("{}: waits for {}", who(task)?, what(on, None)),
        },
        Event::GaveWay(task) => format!("{}: gives way for one pass", who(task)?),
        Event::WokenBy { task, by } => {
            let end = match by.state.get() {
                FutureState::Failed => "has failed",
                FutureState::Cancelled => "is cancelled",
                _ => "is over",
            };
            match stands(task) {
                Some(place) if by.state.get() == FutureState::Finished => format!(
                    "{}: {} of line {} {end}, goes on in state {}",
                    who(task)?,
                    what(by, Some(&place)),
                    place.line,
                    place.next
                ),
                Some(place) => {
                    format!(
                        "{}: {} of line {} {end}",
                        who(task)?,
                        what(by, Some(&place)),
                        place.line
                    )
                }
                None => format!("{}: {} {end}", who(task)?, what(by, None)),
            }
        }
        Event::FutureSettled(task) if task.task.is_some() => {
            let end = match task.state.get() {
                FutureState::Failed => "failed",
                FutureState::Cancelled => "is cancelled",
                _ => "is done",
            };
            format!("{}: {end}", who(task)?)
        }
        Event::Cancelled(task) if task.task.is_some() => format!("{}: is asked to stop (cancel)", who(task)?),
        Event::ThreadStarted { name, .. } => format!("thread {name}: started"),
        Event::ThreadEnded { name, .. } => format!("thread {name}: ended"),
        Event::ClockJump { from, to } => format!("the clock jumps {:.3} s ahead", to - from),
        _ => return None,
    })
}

/// The name of a task's coroutine, and the task's own name; none for a loop's own clean-up.
fn who(task: &Ref<Future>) -> Option<String> {
    let state = task.task.as_ref()?;
    let name = task::shown(&task::name(state)).trim_matches('\'').to_string();
    match &state.coroutine.get() {
        Value::Generator(generator) => {
            let coroutine = generator_qualname(generator);
            let is_own = matches!(&generator.func, Value::Native(native) if native.name.text().starts_with("shutdown_"));
            (!is_own).then(|| format!("{coroutine} ({name})"))
        }
        _ => Some(name),
    }
}

/// What a task waits for: as the program says it, if that fits on a line.
fn what(future: &Ref<Future>, place: Option<&Place>) -> String {
    match place {
        Some(place) if !place.text.is_empty() => place.text.clone(),
        _ => who(future).unwrap_or_else(|| future.label.get().to_string()),
    }
}

/// Where a suspended frame stands.
struct Place {
    line: u32,
    /// The state it goes on in if nothing is raised.
    next: u32,
    /// What is awaited, in the program's words; empty if that is long.
    text: String,
}

/// Words of a program longer than this are not repeated.
const LONGEST_TEXT: usize = 50;

/// Whether a task has not run yet.
fn begins(future: &Ref<Future>) -> bool {
    let Some(state) = &future.task else { return false };
    matches!(&state.coroutine.get(), Value::Generator(g) if g.progress.get() == Progress::Created)
}

/// Where the innermost frame of the program stands in a task.
fn stands(future: &Ref<Future>) -> Option<Place> {
    let (code, state) = standing::innermost(future)?;
    let suspended = code.states.get(state as usize)?;
    let (_, next) = suspended.end.resumption()?;
    let awaited = match &suspended.end {
        Terminator::Await { value, .. } => value.span,
        _ => suspended.end_span,
    };
    let text = code.source.slice(awaited);
    let fits = text.len() <= LONGEST_TEXT
        && !text.contains('\n')
        && matches!(suspended.end, Terminator::Await { .. });
    Some(Place {
        line: code.source.line(suspended.end_span.start),
        next,
        text: if fits { text.to_string() } else { String::new() },
    })
}
