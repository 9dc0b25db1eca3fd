//! Futures and tasks as text.

use super::object::generator_qualname;
use super::{repr, str as to_str, within};
use crate::interp::types::class_of;
use crate::value::generator::Progress;
use crate::value::*;

/// `<Task pending name='Task-1' coro=<f() running at file:3>>`, `<Future finished result=1>`
pub fn write_repr(future: &Ref<Future>, out: &mut String) -> Res<()> {
    let whole = Value::from(future.clone());
    within(&whole, "<...>", out, |out| {
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
            out.push_str(" coro=");
            write_coroutine(&coroutine, out)?;
            let waiting = task.waiting.get();
            if let Some(waiting) = waiting
                && future.state.get() == FutureState::Pending
            {
                out.push_str(" wait_for=");
                write_repr(&waiting, out)?;
            }
        }
        write_outcome(future, out)?;
        write_callbacks(future, out)?;
        out.push('>');
        Ok(())
    })
}

fn write_outcome(future: &Ref<Future>, out: &mut String) -> Res<()> {
    match future.state.get() {
        FutureState::Pending | FutureState::Cancelled => {}
        FutureState::Finished => {
            out.push_str(" result=");
            out.push_str(&shortened(repr(&future.outcome.get())?));
        }
        FutureState::Failed => {
            out.push_str(" exception=");
            super::write_repr(&future.outcome.get(), out)?;
        }
    }
    Ok(())
}

/// Long results are cut in the middle, as by `reprlib`.
fn shortened(text: String) -> String {
    const MOST: usize = 4000;
    text.chars().take(MOST).collect()
}

/// `<f() running at file:3>`, `<f() done, defined at file:1>`
fn write_coroutine(coroutine: &Value, out: &mut String) -> Res<()> {
    let Value::Generator(generator) = coroutine else {
        return super::write_repr(coroutine, out);
    };
    out.push_str(&format!("<{}()", generator_qualname(generator)));
    if let Value::Function(function) = &generator.func {
        let source = &function.code.source;
        let defined = source.line(function.code.span.start);
        if generator.progress.get() == Progress::Closed {
            out.push_str(&format!(" done, defined at {}:{defined}", source.name));
        } else {
            let line = current_line(generator).unwrap_or(defined);
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

/// The line at which the bottom frame of a suspended coroutine stands.
fn current_line(generator: &Ref<Generator>) -> Option<u32> {
    generator.look(|stack| {
        let Activation::Script(frame) = stack.first()? else {
            return None;
        };
        let state = frame.func.code.states.get(frame.state as usize)?;
        Some(frame.func.code.source.line(state.end_span.start))
    })
}

fn write_callbacks(future: &Ref<Future>, out: &mut String) -> Res<()> {
    let callbacks = future.callbacks.list();
    let mut texts = Vec::new();
    for callback in &callbacks {
        match callback {
            Callback::Script(func, _) => texts.push(match func {
                Value::Function(function) => {
                    let (source, line) = (&function.code.source, function.code.span.start);
                    let name = function.names().qualname;
                    format!("{}() at {}:{}", to_str(&name)?, source.name, source.line(line))
                }
                other => format!("{}()", repr(other)?),
            }),
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
