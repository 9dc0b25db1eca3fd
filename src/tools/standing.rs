//! Where tasks and running calls stand in the program.

use crate::code::{Code, StateId};
use crate::source::Span;
use crate::value::generator::Activation;
use crate::value::*;
use std::rc::Rc;

/// A place in the text of a program.
pub type Place = (Rc<Code>, Span);

/// Whether it is code of the library that is written in aio.
pub fn is_library(code: &Code) -> bool {
    code.source.is_library()
}

/// The script frames of a suspended task, innermost last: the code of each, and the state that it
/// stands at the end of.
pub fn frames(task: &Future) -> Vec<(Rc<Code>, StateId)> {
    match task.task.as_ref().map(|state| state.coroutine.get()).as_ref() {
        Some(Value::Generator(generator)) => frames_of(generator),
        _ => Vec::new(),
    }
}

/// The same of a generator.
pub fn frames_of(generator: &Generator) -> Vec<(Rc<Code>, StateId)> {
    generator.look(|stack| {
        let frames = stack.iter().filter_map(|activation| match activation {
            Activation::Script(frame) => Some((frame.func.code.clone(), frame.state)),
            _ => None,
        });
        frames.collect()
    })
}

/// The innermost frame of the program in a suspended task.
pub fn innermost(task: &Future) -> Option<(Rc<Code>, StateId)> {
    let mut frames = frames(task).into_iter().rev();
    frames.find(|(code, _)| !is_library(code))
}

/// The call that the program makes now.
pub fn running() -> Option<Place> {
    running::look(|seen| {
        let code = &seen.func.code;
        (!is_library(code)).then(|| (code.clone(), seen.span))
    })
}

/// Where the coroutine of a task was made, if the program made it.
pub fn origin(task: &Future) -> Option<Place> {
    let state = task.task.as_ref()?;
    match &state.coroutine.get() {
        Value::Generator(generator) => generator.origin().filter(|(code, _)| !is_library(code)),
        _ => None,
    }
}

/// The innermost place of the program in an error's traceback.
pub fn raised(error: &Exception) -> Option<Place> {
    let mut place = None;
    let mut row = error.traceback.get();
    while let Some(entry) = row {
        if !is_library(&entry.code) {
            place = Some((entry.code.clone(), entry.span));
        }
        row = entry.next.get();
    }
    place
}
