//! GeneratorExit thrown into what delegates: the innermost is closed first (PEP 380, `gen.throw()`).

use super::{Outcome, run};
use crate::code::CodeKind;
use crate::interp::error::*;
use crate::interp::types::{Type, class, is_exception};
use crate::value::generator::Progress;
use crate::value::*;

/// The GeneratorExit that closes a generator; its context is what the caller handles.
pub fn new_exit() -> Ref<Exception> {
    let exit = Exception::new(class(Type::GeneratorExit), vec![]);
    if let Some(handled) = exception::handled() {
        exit.come_while(&handled);
    }
    exit
}

/// Closes the frames that stand on the outermost one's stack, innermost first, as `close()` of their
/// own generators would: each with a GeneratorExit of its own, or with what the one within it raised.
/// What is to be raised in the outermost frame.
pub fn close_inner(frames: &mut Stack, exit: Ref<Exception>) -> Ref<Exception> {
    let mut failure: Option<Ref<Exception>> = None;
    while let Some(at) = frames.iter().rposition(is_script).filter(|&at| at > 0) {
        let (kind, end) = match &frames[at] {
            Activation::Script(frame) => match frame.func.code.kind {
                CodeKind::Coroutine => ("coroutine", Type::StopIteration),
                // What is closed is a step of it.
                CodeKind::AsyncGenerator => ("coroutine", Type::StopAsyncIteration),
                _ => ("generator", Type::StopIteration),
            },
            _ => ("generator", Type::StopIteration),
        };
        let mut inner: Stack = frames.drain(at..).collect();
        let thrown = failure.take().unwrap_or_else(new_exit);
        let raised = match run(&mut inner, Err(Raised::again(thrown))) {
            Outcome::Return(_) => continue,
            Outcome::Yield(_) | Outcome::Wait(_) => {
                failure = Some(exception(
                    Type::RuntimeError,
                    format!("{kind} ignored GeneratorExit"),
                ));
                give_back(inner);
                continue;
            }
            Outcome::Raise(raised) => raised,
        };
        let exception = raised.take();
        let is_end = [Type::GeneratorExit, Type::StopIteration, end]
            .iter()
            .any(|&end| is_exception(&exception, end));
        failure = (!is_end).then_some(exception);
    }
    failure.unwrap_or(exit)
}

/// Lets go of the frames of a generator that would not be closed: of its own, and then of those that
/// it was waiting for.
pub fn let_go(mut frames: Stack) {
    let mut places = (0..frames.len()).filter(|&at| is_script(&frames[at]));
    let inner: Stack = match places.nth(1) {
        Some(second) => frames.drain(second..).collect(),
        None => Stack::new(),
    };
    drop(frames);
    give_back(inner);
}

/// Frames that stay suspended, though nobody awaits them any more, are their generator's own again.
/// If nobody has that, it is closed.
pub fn give_back(mut frames: Stack) {
    let Some(at) = frames.iter().position(is_script) else {
        return;
    };
    let mut own: Stack = frames.drain(at..).collect();
    let Some(Activation::Script(frame)) = own.first_mut() else {
        return;
    };
    let owner = frame.owner.take().unwrap_or_else(|| {
        let kind = match frame.func.code.kind {
            CodeKind::Coroutine => GeneratorKind::Coroutine,
            _ => GeneratorKind::Generator,
        };
        Ref::new(Generator::lent(kind, frame.func.clone().into()))
    });
    owner.put_stack(own);
    owner.lent.set(false);
    owner.progress.set(Progress::Suspended);
}

fn is_script(activation: &Activation) -> bool {
    matches!(activation, Activation::Script(_))
}
