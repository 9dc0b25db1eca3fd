//! `yield from`, and awaiting through `__await__`: what comes in is passed on (PEP 380).

use super::awaiting::lend;
use super::{Outcome, close, send};
use crate::interp::error::*;
use crate::interp::report::unraisable;
use crate::interp::types::{Type, class_name, is_exception};
use crate::interp::{attribute, call, iterate};
use crate::source::name;
use crate::value::*;

/// `yield from value`
pub fn begin(frames: &mut Stack, value: Value) -> Result<Resume, Outcome> {
    if let Value::Generator(generator) = &value {
        match generator.kind {
            // Nobody else can resume a generator that only this delegation knows, so its frames
            // may go on this stack.
            GeneratorKind::Generator | GeneratorKind::Awaitable(_) if value.references() == 1 => {
                return Ok(lend(frames, generator));
            }
            GeneratorKind::Generator | GeneratorKind::Awaitable(_) => {
                frames.push(Activation::Delegate(Box::new(value)));
                return Ok(Resume::Value(Value::None));
            }
            GeneratorKind::Coroutine => {
                let allowed =
                    matches!(frames.last(), Some(Activation::Script(f)) if f.func.is_awaitable.get());
                if !allowed {
                    return Ok(Resume::Raise(exception(
                        Type::TypeError,
                        "cannot 'yield from' a coroutine object in a non-coroutine generator",
                    )));
                }
                return Ok(lend(frames, generator));
            }
            GeneratorKind::AsyncGenerator => {}
        }
    }
    match iterate::iter(&value) {
        Ok(iterator) => {
            frames.push(Activation::Delegate(Box::new(iterator)));
            Ok(Resume::Value(Value::None))
        }
        Err(raised) => Ok(Resume::Raise(raised.take())),
    }
}

/// Passes what comes in on to the iterator that is delegated to (PEP 380).
pub fn step(frames: &mut Stack, input: Resume) -> Result<Resume, Outcome> {
    let Some(Activation::Delegate(iterator)) = frames.last() else {
        unreachable!("it is on top")
    };
    let iterator = (**iterator).clone();
    let result = match input {
        Resume::Value(value) => match &iterator {
            Value::Generator(generator) => return ended(frames, send(generator, Resume::Value(value))),
            Value::Instance(_) if value.is_none() => {
                let next = call::special(&iterator, name::NEXT);
                match next {
                    Some(next) => call::call_unbound(&next, &iterator, &[]),
                    None => Err(type_error(format!(
                        "'{}' object is not an iterator",
                        class_name(&iterator)
                    ))),
                }
            }
            other if value.is_none() => match iterate::next(other) {
                Ok(Some(value)) => Ok(value),
                Ok(None) => {
                    frames.pop();
                    return Ok(Resume::Value(Value::None));
                }
                Err(raised) => Err(raised),
            },
            other => call::call_method(other, name::SEND, &[value]),
        },
        Resume::Raise(exception) => match &iterator {
            Value::Generator(generator) if is_exception(&exception, Type::GeneratorExit) => {
                match close(generator) {
                    Ok(_) => Err(Raised::again(exception)),
                    Err(raised) => Err(raised),
                }
            }
            Value::Generator(generator) => return ended(frames, send(generator, Resume::Raise(exception))),
            other if is_exception(&exception, Type::GeneratorExit) => {
                match attribute::find(other, name::CLOSE) {
                    Ok(Some(close)) => match call::call(&close, &[]) {
                        Ok(_) => Err(Raised::again(exception)),
                        Err(raised) => Err(raised),
                    },
                    Ok(None) => Err(Raised::again(exception)),
                    Err(raised) => {
                        unraisable(raised, other);
                        Err(Raised::again(exception))
                    }
                }
            }
            other => match attribute::find(other, name::THROW) {
                Ok(Some(throw)) => call::call(&throw, &[exception.into()]),
                Ok(None) => Err(Raised::again(exception)),
                Err(raised) => Err(raised),
            },
        },
    };
    ended(frames, result)
}

/// What a delegation yielded goes out; StopIteration ends it with its value.
pub fn ended(frames: &mut Stack, result: Res) -> Result<Resume, Outcome> {
    match result {
        Ok(value) => Err(Outcome::Yield(value)),
        Err(raised) if matches(&raised, Type::StopIteration) => {
            let exception = raised.take();
            frames.pop();
            Ok(Resume::Value(exception.arg(0).unwrap_or(Value::None)))
        }
        Err(raised) => {
            frames.pop();
            Ok(Resume::Raise(raised.take()))
        }
    }
}
