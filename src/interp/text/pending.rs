//! Futures and tasks as text.

use super::object::generator_qualname;
use super::{repr, str as to_str, within};
use crate::interp::error::runtime_error;
use crate::interp::types::class_of;
use crate::interp::{attribute, frame_object, iterate, origin, subscript};
use crate::source::Symbol;
use crate::value::generator::Progress;
use crate::value::*;

/// `<Task pending name='Task-1' coro=<f() running at file:3>>`, `<Future finished result=1>`
pub fn write_repr(future: &Ref<Future>, out: &mut String) -> Res<()> {
    let whole = Value::from(future.clone());
    if future.event_loop().is_unset() {
        return Err(runtime_error("Future object is not initialized."));
    }
    within(&whole, "...", out, |out| {
        out.push('<');
        out.push_str(class_of(&whole).name());
        out.push(' ');
        let is_cancelling = future
            .task
            .as_ref()
            .is_some_and(|t| t.must_cancel.get() || t.cancelling.get() > 0);
        out.push_str(match future.state.get() {
            FutureState::Pending if is_cancelling => "cancelling",
            FutureState::Pending => "pending",
            FutureState::Finished | FutureState::Failed => "finished",
            FutureState::Cancelled => "cancelled",
        });
        if let Some(task) = &future.task {
            out.push_str(" name=");
            let name = match task.name.get() {
                Value::Int(number) => Value::from(format!("Task-{number}")),
                name => name,
            };
            super::write_repr(&Value::from(to_str(&name)?), out)?;
            let coroutine = task.coroutine.get();
            if !coroutine.is_none() {
                out.push_str(" coro=");
                write_coroutine(&coroutine, out)?;
            }
            let waiting = task.waiting.get();
            if let Some(waiting) = waiting
                && future.state.get() == FutureState::Pending
            {
                out.push_str(" wait_for=");
                super::write_repr(&Future::face(&waiting), out)?;
            }
        }
        write_outcome(future, out)?;
        write_callbacks(future, out)?;
        if !future.is_bare() {
            out.push_str(&origin::shown(future.attrs())?);
        }
        out.push('>');
        Ok(())
    })
}

fn write_outcome(future: &Ref<Future>, out: &mut String) -> Res<()> {
    match future.state.get() {
        FutureState::Pending | FutureState::Cancelled => {}
        FutureState::Finished => {
            out.push_str(" result=");
            out.push_str(&shortened(&future.outcome.get(), 0)?);
        }
        FutureState::Failed => {
            out.push_str(" exception=");
            super::write_repr(&future.outcome.get(), out)?;
        }
    }
    Ok(())
}

/// A result as `reprlib.repr` shows it: not too deep, not too many items, not too long.
fn shortened(value: &Value, depth: usize) -> Res<String> {
    /// Items that are shown of a container, and characters of a text and of anything else.
    const ITEMS: usize = 6;
    const ENTRIES: usize = 4;
    const DEPTH: usize = 6;
    const LONG_INT: usize = 40;
    const CHARACTERS: usize = 30;
    let list = |items: Vec<Value>, most: usize| -> Res<String> {
        let mut shown = Vec::new();
        for item in items.iter().take(most) {
            shown.push(shortened(item, depth + 1)?);
        }
        if items.len() > most {
            shown.push("...".to_string());
        }
        Ok(shown.join(", "))
    };
    Ok(match value {
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) if depth >= DEPTH => match value {
            Value::List(_) => "[...]".to_string(),
            Value::Tuple(_) => "(...)".to_string(),
            _ => "{...}".to_string(),
        },
        Value::List(_) => format!("[{}]", list(iterate::collect(value)?, ITEMS)?),
        Value::Tuple(tuple) if tuple.items.len() == 1 => format!("({},)", list(tuple.items.to_vec(), ITEMS)?),
        Value::Tuple(tuple) => format!("({})", list(tuple.items.to_vec(), ITEMS)?),
        Value::Dict(_) => {
            let keys = iterate::collect(value)?;
            let mut shown = Vec::new();
            for key in keys.iter().take(ENTRIES) {
                let item = subscript::get_item(value, key)?;
                shown.push(format!(
                    "{}: {}",
                    shortened(key, depth + 1)?,
                    shortened(&item, depth + 1)?
                ));
            }
            if keys.len() > ENTRIES {
                shown.push("...".to_string());
            }
            format!("{{{}}}", shown.join(", "))
        }
        Value::Str(text) => {
            let start: String = text.text.chars().take(CHARACTERS).collect();
            let whole = repr(&Value::from(start))?;
            match text.text.chars().count() <= CHARACTERS && whole.chars().count() <= CHARACTERS {
                true => whole,
                false => cut(&repr(value)?, CHARACTERS),
            }
        }
        Value::Int(_) | Value::Big(_) => cut(&repr(value)?, LONG_INT),
        Value::None | Value::Bool(_) | Value::Float(_) => repr(value)?,
        _ => cut(&repr(value)?, CHARACTERS),
    })
}

/// The start and the end of a text that is too long.
fn cut(text: &str, most: usize) -> String {
    let all: Vec<char> = text.chars().collect();
    if all.len() <= most {
        return text.to_string();
    }
    let before = (most - 3) / 2;
    let after = most - 3 - before;
    let (start, end) = (&all[..before], &all[all.len() - after..]);
    start
        .iter()
        .chain("...".chars().collect::<Vec<_>>().iter())
        .chain(end)
        .collect()
}

/// `<f() running at file:3>`, `<f() done, defined at file:1>`
fn write_coroutine(coroutine: &Value, out: &mut String) -> Res<()> {
    let with_code = match coroutine {
        Value::Generator(generator) if !generator.kind.is_awaitable() => Some(generator),
        _ => None,
    };
    let Some(generator) = with_code else {
        let name = match callable_name(coroutine)? {
            Some(name) => name,
            None => format!("<{} without __name__>", class_of(coroutine).name()),
        };
        out.push_str(&format!("<{name}()>"));
        return Ok(());
    };
    out.push_str(&format!("<{}()", generator_qualname(generator)));
    if let Value::Function(function) = &generator.func {
        let source = &function.code.source;
        let defined = function.code.first_line;
        if generator.progress.get() == Progress::Closed {
            out.push_str(&format!(" done, defined at {}:{defined}", source.name));
        } else {
            let line =
                frame_object::place_of(generator, function).map_or(defined, |place| source.line(place.start));
            out.push_str(&format!(" running at {}:{line}", source.name));
        }
    } else if generator.progress.get() != Progress::Closed {
        out.push_str(" running");
    } else {
        out.push_str(" done");
    }
    out.push('>');
    Ok(())
}

fn write_callbacks(future: &Ref<Future>, out: &mut String) -> Res<()> {
    let callbacks = future.callbacks.list();
    let mut texts = Vec::new();
    for callback in &callbacks {
        match callback {
            Callback::Script(func, _) => texts.push(callback_repr(func, &[], false)?),
            Callback::Wake(_) => texts.push("Task.task_wakeup()".to_string()),
            Callback::Native(_) => {}
        }
    }
    match texts.as_slice() {
        [] => {}
        [one] => out.push_str(&format!(" cb=[{one}]")),
        [a, b] => out.push_str(&format!(" cb=[{a}, {b}]")),
        [first, middle @ .., last] => {
            out.push_str(&format!(" cb=[{first}, <{} more>, {last}]", middle.len()));
        }
    }
    Ok(())
}

/// `f(1) at script.aio:3`: a callback with its arguments, which only debug mode shows.
pub fn callback_repr(callback: &Value, args: &[Value], debug: bool) -> Res<String> {
    let mut out = String::new();
    write_call(callback, args, None, debug, &mut out)?;
    if let Some(function) = innermost(callback)? {
        let code = &function.code;
        out.push_str(&format!(" at {}:{}", code.source.name, code.first_line));
    }
    Ok(out)
}

/// The name of a callback and what it is called with: of a partial, what it holds and what is
/// added each in brackets of their own.
fn write_call(
    callback: &Value,
    args: &[Value],
    keywords: Option<&Value>,
    debug: bool,
    out: &mut String,
) -> Res<()> {
    if let Some(func) = part_of_partial(callback, "func")? {
        let held = part_of_partial(callback, "args")?;
        let held = held.as_ref().map_or(Ok(Vec::new()), iterate::collect)?;
        let named = part_of_partial(callback, "keywords")?;
        write_call(&func, &held, named.as_ref(), debug, out)?;
    } else if let Value::Future(_) = callback {
        out.push_str(&repr(callback)?);
    } else {
        match callable_name(callback)? {
            Some(name) => out.push_str(&name),
            None => out.push_str(&repr(callback)?),
        }
    }
    let mut shown = Vec::new();
    if debug {
        for arg in args {
            shown.push(shortened(arg, 0)?);
        }
        for key in keywords.map_or(Ok(Vec::new()), iterate::collect)? {
            let value = keywords.map_or(Ok(Value::None), |all| subscript::get_item(all, &key))?;
            shown.push(format!("{}={}", to_str(&key)?, shortened(&value, 0)?));
        }
    }
    out.push_str(&format!("({})", shown.join(", ")));
    Ok(())
}

/// The function that a callback is in the end: below partials, and below what says that it wraps
/// another.
fn innermost(callback: &Value) -> Res<Option<Ref<Function>>> {
    /// Wrappers that a script lets wrap each other have to end somewhere.
    const MOST: usize = 1000;
    let mut callback = callback.clone();
    for _ in 0..MOST {
        let below = match attribute::find(&callback, Symbol::new("__wrapped__"))? {
            None => part_of_partial(&callback, "func")?,
            below => below,
        };
        match (below, &callback) {
            (Some(below), _) => callback = below,
            (None, Value::Function(function)) => return Ok(Some(Ref::clone(function))),
            (None, _) => return Ok(None),
        }
    }
    Ok(None)
}

/// A part of a `functools.partial`.
fn part_of_partial(callback: &Value, part: &'static str) -> Res<Option<Value>> {
    match class_of(callback).name() {
        "partial" => attribute::find(callback, Symbol::new(part)),
        _ => Ok(None),
    }
}

/// The name that an object says it has.
fn callable_name(value: &Value) -> Res<Option<String>> {
    for name in ["__qualname__", "__name__"] {
        if let Some(Value::Str(text)) = &attribute::find(value, Symbol::new(name))?
            && !text.text.is_empty()
        {
            return Ok(Some(text.text.to_string()));
        }
    }
    Ok(None)
}
