//! GeneratorExit thrown into what delegates: the innermost is closed first (PEP 380, `gen.throw()`).

use super::{Outcome, run};
use crate::code::CodeKind;
use crate::interp::error::*;
use crate::interp::types::{Type, is_exception};
use crate::value::*;

/// Closes the frames that stand on the outermost one's stack, innermost first, as `close()` of their
/// own generators would. What is to be raised in the frame that is then on top.
pub fn close_inner(frames: &mut Stack, exit: Ref<Exception>) -> Ref<Exception> {
    let is_script = |activation: &Activation| matches!(activation, Activation::Script(_));
    while let Some(at) = frames.iter().rposition(is_script).filter(|&at| at > 0) {
        let kind = match &frames[at] {
            Activation::Script(frame) if frame.func.code.kind == CodeKind::Coroutine => "coroutine",
            _ => "generator",
        };
        let mut inner: Stack = frames.drain(at..).collect();
        let raised = match run(&mut inner, Err(Raised::again(exit.clone()))) {
            Outcome::Return(_) => continue,
            Outcome::Yield(_) | Outcome::Wait(_) => runtime_error(format!("{kind} ignored GeneratorExit")),
            Outcome::Raise(raised) => raised,
        };
        let exception = raised.take();
        let is_end = [Type::GeneratorExit, Type::StopIteration]
            .iter()
            .any(|&end| is_exception(&exception, end));
        if !is_end {
            return exception;
        }
    }
    exit
}
