//! GeneratorExit thrown into what delegates: the innermost is closed first (PEP 380, `gen.throw()`).

use super::{Outcome, run};
use crate::code::CodeKind;
use crate::interp::error::*;
use crate::interp::types::{Type, class, is_exception};
use crate::value::*;

/// Closes the frames that stand on the outermost one's stack, innermost first, as `close()` of their
/// own generators would: each with a GeneratorExit of its own, or with what the one within it raised.
/// What is to be raised in the outermost frame.
pub fn close_inner(frames: &mut Stack, exit: Ref<Exception>) -> Ref<Exception> {
    let is_script = |activation: &Activation| matches!(activation, Activation::Script(_));
    let mut failure: Option<Ref<Exception>> = None;
    while let Some(at) = frames.iter().rposition(is_script).filter(|&at| at > 0) {
        let kind = match &frames[at] {
            Activation::Script(frame) if frame.func.code.kind == CodeKind::Coroutine => "coroutine",
            _ => "generator",
        };
        let mut inner: Stack = frames.drain(at..).collect();
        let thrown = failure
            .take()
            .unwrap_or_else(|| Exception::new(class(Type::GeneratorExit), vec![]));
        let raised = match run(&mut inner, Err(Raised::again(thrown))) {
            Outcome::Return(_) => continue,
            Outcome::Yield(_) | Outcome::Wait(_) => runtime_error(format!("{kind} ignored GeneratorExit")),
            Outcome::Raise(raised) => raised,
        };
        let exception = raised.take();
        let is_end = [Type::GeneratorExit, Type::StopIteration]
            .iter()
            .any(|&end| is_exception(&exception, end));
        failure = (!is_end).then_some(exception);
    }
    failure.unwrap_or(exit)
}
