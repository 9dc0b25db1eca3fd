//! Steps of async generators on the stack of who awaits them: `asend`, `athrow`, `aclose`.

use crate::interp::async_iter;
use crate::interp::error::*;
use crate::interp::types::{Type, is_exception};
use crate::value::generator::{AsyncStep, Progress};
use crate::value::*;

/// Begins a step of an async generator on this stack. An exception that comes in is thrown into the
/// generator, whatever the step was to do.
pub fn begin(frames: &mut Stack, generator: &Ref<Generator>, step: AsyncStep, input: Resume) -> Resume {
    let method = match &step {
        AsyncStep::Send(_) => "anext",
        AsyncStep::Throw(_) => "athrow",
        AsyncStep::Close => "aclose",
    };
    let is_close = matches!(step, AsyncStep::Close);
    let (step, thrown_in) = match (step, input) {
        // What is sent into the step itself goes before what it was to send.
        (AsyncStep::Send(_), Resume::Value(value)) if !value.is_none() => (AsyncStep::Send(value), None),
        (step, Resume::Value(_)) => (step, None),
        (step, Resume::Raise(exception)) => (step, Some(exception)),
    };
    let stop = || {
        Resume::Raise(Exception::new(
            crate::interp::types::class(Type::StopAsyncIteration),
            vec![],
        ))
    };
    let is_own = thrown_in.is_none();
    let progress = generator.progress.get();
    if generator.busy.get() || progress == Progress::Running {
        let message = format!("{method}(): asynchronous generator is already running");
        return Resume::Raise(exception(Type::RuntimeError, message));
    }
    let thrown = match (thrown_in, &step) {
        (Some(exception), _) if progress == Progress::Closed => {
            let ends = [Type::GeneratorExit, Type::StopAsyncIteration];
            return match is_close && ends.iter().any(|&end| is_exception(&exception, end)) {
                true => Resume::Value(Value::None),
                false => Resume::Raise(exception),
            };
        }
        (Some(exception), _) => Some(exception),
        (None, AsyncStep::Send(value)) => match progress {
            Progress::Closed => return stop(),
            Progress::Created if !value.is_none() => {
                let message = "can't send non-None value to a just-started async generator";
                return Resume::Raise(exception(Type::TypeError, message));
            }
            _ => None,
        },
        (None, _) if progress == Progress::Closed => return Resume::Value(Value::None),
        (None, _) if generator.closing.get() => return stop(),
        (None, AsyncStep::Throw(args)) => match super::thrown(args) {
            Ok(exception) => Some(exception),
            Err(raised) => return Resume::Raise(raised.take()),
        },
        (None, AsyncStep::Close) => {
            generator.closing.set(true);
            None
        }
    };
    if let Err(raised) = async_iter::first_step(generator) {
        return Resume::Raise(raised.take());
    }
    let taken = generator.pop();
    let Some(Activation::Script(mut frame)) = taken else {
        return stop();
    };
    let input = match (step, thrown) {
        // What has not begun lets it out as it is: it ends the step for who awaits that.
        (_, Some(exception))
            if is_own
                && progress == Progress::Created
                && !frames.is_empty()
                && is_exception(&exception, Type::StopIteration) =>
        {
            generator.progress.set(Progress::Closed);
            drop(frame);
            return Resume::Value(exception.arg(0).unwrap_or(Value::None));
        }
        (_, Some(exception)) => {
            match (is_close, is_own) {
                (true, _) => frames.push(Activation::Closing(generator.clone())),
                (false, true) => frames.push(Activation::Throwing(generator.clone())),
                (false, false) => {}
            }
            come_while_own(&frame, &exception);
            Resume::Raise(exception)
        }
        (AsyncStep::Send(value), None) => Resume::Value(value),
        (AsyncStep::Throw(_) | AsyncStep::Close, None) => {
            if progress == Progress::Created {
                generator.progress.set(Progress::Closed);
                drop(frame);
                return Resume::Value(Value::None);
            }
            frames.push(Activation::Closing(generator.clone()));
            let exit = Exception::new(crate::interp::types::class(Type::GeneratorExit), vec![]);
            come_while_own(&frame, &exit);
            Resume::Raise(exit)
        }
    };
    generator.progress.set(Progress::Running);
    generator.busy.set(true);
    generator.started.set(true);
    frame.owner = Some(generator.clone());
    // Each step is taken while something else may be handled.
    let inherited = super::inherited(frames);
    if inherited.is_some() || frame.handled.is_some() {
        frame.handled.get_or_insert_default().inherited = inherited;
    }
    frames.push(Activation::Script(frame));
    input
}

/// What a generator's frame handles itself becomes the context of what is thrown into it.
fn come_while_own(frame: &FrameBox, exception: &Ref<Exception>) {
    let handled = frame.handled.as_deref();
    if let Some(own) = handled.and_then(|handled| handled.exceptions.last()) {
        exception.come_while(own);
    }
}

/// Whether the generator of a step that has not begun can take it.
pub fn can_begin(step: &Generator) -> bool {
    step.look(|stack| match stack {
        [Activation::AsyncStep(step)] => {
            let generator = &step.0;
            let rests = matches!(generator.progress.get(), Progress::Created | Progress::Suspended);
            rests && !generator.busy.get() && !generator.closing.get()
        }
        _ => false,
    })
}
