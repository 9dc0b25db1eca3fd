//! The asynchronous iteration protocol, and async generators' ties to the event loop.

use super::call;
use super::error::*;
use super::machine::awaiting::not_awaitable;
use super::types::{Type, class_name, class_of};
use crate::source::name;
use crate::value::generator::{AsyncStep, Progress};
use crate::value::*;
use std::cell::Cell;

/// `aiter(value)`, checked as `async for` does.
pub fn begin(value: &Value) -> Res {
    if let Value::Generator(g) = value
        && g.kind == GeneratorKind::AsyncGenerator
    {
        return Ok(value.clone());
    }
    let Some(method) = call::special(value, name::AITER) else {
        let kind = class_name(value);
        let raised = type_error(format!(
            "'async for' requires an object with __aiter__ method, got {kind}"
        ));
        return Err(match call::special(value, name::ITER) {
            Some(_) => raised.help("this can be looped over with a plain `for`"),
            None => raised,
        });
    };
    let iterator = call::call_unbound(&method, value, &[])?;
    if class_of(&iterator).lookup(name::ANEXT).is_none() {
        let kind = class_name(&iterator);
        if let Value::Generator(g) = &iterator {
            g.started.set(true); // the error tells enough: no "never awaited" besides
        }
        return Err(type_error(format!(
            "'async for' received an object from __aiter__ that does not implement __anext__: {kind}"
        )));
    }
    Ok(iterator)
}

/// What `__anext__()` gives, to be awaited.
pub fn anext(iterator: &Value) -> Res {
    if let Value::Generator(g) = iterator
        && g.kind == GeneratorKind::AsyncGenerator
    {
        return step(g, AsyncStep::Send(Value::None));
    }
    let Some(awaitable) = call_anext(iterator)? else {
        return Err(type_error(format!(
            "'async for' requires an iterator with __anext__ method, got {}",
            class_name(iterator)
        )));
    };
    let cause = match &awaitable {
        Value::Instance(_) => match super::machine::awaiting::await_iterator(&awaitable) {
            Ok(iterator) => {
                let first = Activation::Delegate(Box::new(iterator));
                return Ok(self::awaitable(Awaitable::Anext, Value::None, first));
            }
            Err(raised) => raised,
        },
        other if is_awaitable(other) => return Ok(awaitable),
        other => not_awaitable(other),
    };
    let invalid = exception(
        Type::TypeError,
        format!(
            "'async for' received an invalid object from __anext__: {}",
            class_name(&awaitable)
        ),
    );
    invalid.follow(&cause.take());
    Err(Raised::new(invalid))
}

/// What `__anext__()` gives, whatever it is; none if there is no such method.
fn call_anext(iterator: &Value) -> Res<Option<Value>> {
    call::special(iterator, name::ANEXT)
        .map(|method| call::call_unbound(&method, iterator, &[]))
        .transpose()
}

/// `anext(iterator)`
pub fn anext_builtin(iterator: &Value) -> Res {
    let not_one = || {
        let kind = class_name(iterator);
        type_error(format!("'{kind}' object is not an async iterator"))
    };
    call_anext(iterator)?.ok_or_else(not_one)
}

/// `aiter(value)`
pub fn aiter_builtin(value: &Value) -> Res {
    let Some(method) = call::special(value, name::AITER) else {
        let kind = class_name(value);
        return Err(type_error(format!("'{kind}' object is not an async iterable")));
    };
    let iterator = call::call_unbound(&method, value, &[])?;
    if call::special(&iterator, name::ANEXT).is_none() {
        let kind = class_name(&iterator);
        return Err(type_error(format!(
            "aiter() returned not an async iterator of type '{kind}'"
        )));
    }
    Ok(iterator)
}

/// Whether `await value` can begin.
pub fn is_awaitable(value: &Value) -> bool {
    match value {
        Value::Future(_) => true,
        Value::Generator(g) => match g.kind {
            GeneratorKind::Coroutine => true,
            GeneratorKind::Awaitable(kind) => !kind.is_iterator(),
            GeneratorKind::Generator => is_awaitable_generator(g),
            GeneratorKind::AsyncGenerator => false,
        },
        other => call::special(other, name::AWAIT).is_some(),
    }
}

/// The awaitable that `asend()`, `athrow()` and `aclose()` give.
pub fn step(generator: &Ref<Generator>, step: AsyncStep) -> Res {
    first_step(generator)?;
    Ok(step_object(generator, step))
}

/// The same where the step has begun already.
pub fn step_object(generator: &Ref<Generator>, step: AsyncStep) -> Value {
    let kind = match &step {
        AsyncStep::Send(_) => Awaitable::Asend,
        AsyncStep::Throw(_) | AsyncStep::Close => Awaitable::Athrow,
    };
    let first = Activation::AsyncStep(Box::new((generator.clone(), step)));
    awaitable(kind, generator.clone().into(), first)
}

/// An object to be awaited, which keeps what it is made `of` even when it has ended.
fn awaitable(kind: Awaitable, of: Value, first: Activation) -> Value {
    Ref::new(Generator::new(GeneratorKind::Awaitable(kind), of, first)).into()
}

/// `coroutine.__await__()`: awaits the coroutine as soon as it is resumed.
pub fn wrapper(coroutine: &Value) -> Value {
    let first = Activation::Begin(Box::new(coroutine.clone()));
    awaitable(Awaitable::Wrapper, coroutine.clone(), first)
}

/// `anext(iterator, default)`
pub fn anext_default(iterator: &Value, default: Value) -> Res {
    let awaitable = anext_builtin(iterator)?;
    let generator = Generator::new(
        GeneratorKind::Awaitable(Awaitable::Anext),
        awaitable.clone(),
        Activation::Default(Box::new(default)),
    );
    generator.push(Activation::Begin(Box::new(awaitable)));
    Ok(Ref::new(generator).into())
}

/// Whether `types.coroutine` made the generator's function awaitable.
pub fn is_awaitable_generator(generator: &Generator) -> bool {
    matches!(&generator.func, Value::Function(f) if f.is_awaitable.get())
}

/// What the event loop does for async generators.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// An async generator takes its first step.
    pub first: fn(&Ref<Generator>) -> Res<()>,
    /// A suspended async generator is dropped: somebody must run its `aclose()`.
    pub abandoned: fn(Ref<Generator>),
}

thread_local! {
    static HOOKS: Cell<Option<Hooks>> = const { Cell::new(None) };
}

pub fn set_hooks(hooks: Hooks) {
    HOOKS.set(Some(hooks));
}

pub fn first_step(generator: &Ref<Generator>) -> Res<()> {
    match HOOKS.get() {
        Some(hooks) if !generator.hooked.replace(true) => (hooks.first)(generator),
        _ => Ok(()),
    }
}

/// What happens to a generator that is dropped before its end
/// (https://docs.python.org/3/reference/expressions.html#generator.close): generators and
/// coroutines are closed at once, async generators by their event loop if they have one.
pub fn abandon(generator: Ref<Generator>) {
    let aside = exception::lay_aside();
    match generator.kind {
        // One that no loop knows, or that would not be closed, is closed like a generator.
        GeneratorKind::AsyncGenerator if !generator.finalizer().is_unset() && !generator.closing.get() => {
            match HOOKS.get() {
                Some(hooks) => (hooks.abandoned)(generator),
                None => generator.progress.set(Progress::Closed),
            }
        }
        GeneratorKind::Coroutine if !generator.started.get() => never_awaited(&generator, &aside),
        GeneratorKind::Awaitable(_) if generator.progress.get() == Progress::Created => {
            never_awaited(&generator, &aside)
        }
        // A step that waits does not take its generator along.
        GeneratorKind::Awaitable(_) if waits_in_generator(&generator) => {
            let frames = generator.take_stack();
            generator.progress.set(Progress::Closed);
            super::machine::give_back(frames);
        }
        _ => {
            let closed = super::machine::close(&generator);
            generator.progress.set(Progress::Closed);
            if let Err(raised) = closed {
                super::report::unraisable(raised, &generator.clone().into());
                super::machine::let_go(generator.take_stack());
            }
        }
    }
    exception::put_back(aside);
}

fn never_awaited(generator: &Ref<Generator>, aside: &exception::Aside) {
    generator.progress.set(Progress::Closed);
    super::report::never_awaited(generator, aside.exception());
}

/// Whether a step has begun, and its async generator waits for something.
fn waits_in_generator(step: &Ref<Generator>) -> bool {
    step.look(|stack| {
        let first = stack.iter().find_map(|activation| match activation {
            Activation::Script(frame) => frame.owner.as_ref(),
            _ => None,
        });
        first.is_some_and(|owner| owner.kind == GeneratorKind::AsyncGenerator)
    })
}
