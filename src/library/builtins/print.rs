//! `print` and `input`.

use super::function;
use crate::interp::call;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::text;
use crate::interp::types::{Type, class_name};
use crate::interp::{operator, os_error};
use crate::library::modules::sys;
use crate::runtime::{self, console};
use crate::source::name;
use crate::value::*;
use std::cell::Cell;

/// Reads a line from standard input, with its newline; none at its end.
pub type ReadLine = fn() -> Res<Option<String>>;

thread_local! {
    /// Where `input` reads.
    pub static READ_LINE: Cell<ReadLine> = const { Cell::new(read_line) };
}

fn read_line() -> Res<Option<String>> {
    let line = runtime::input::read_line(None)?.map_err(|e| Raised::new(os_error::of_io(&e, None)))?;
    Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()))
}

fn check_separator(value: &Value, name: &str) -> Res<()> {
    match value.given() {
        Some(value) if text_of(value).is_none() => Err(type_error(format!(
            "{name} must be None or a string, not {}",
            class_name(value)
        ))),
        _ => Ok(()),
    }
}

/// `sep` or `end`. A class of a script may say how it is shown.
fn separator(value: &Value, default: &'static str) -> Res {
    value.given().map_or(Ok(Value::from(default)), text::str_value)
}

/// What stdout is given piece by piece. What stands before an object that a script's code shows is
/// written before that code runs.
#[derive(Default)]
struct Line(String);

impl Line {
    fn push(&mut self, item: &Value) -> Res<()> {
        match item {
            Value::Str(text) => self.0.push_str(&text.text),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::None => {
                self.0.push_str(&text::str(item)?)
            }
            item => {
                self.write();
                self.0 = text::str(item)?;
            }
        }
        Ok(())
    }

    fn write(&mut self) {
        if !self.0.is_empty() {
            console::write(&self.0);
            self.0.clear();
        }
    }
}

fn print(args: &[Value]) -> Res {
    let [items, sep, end, file, flush] = args else {
        return Ok(Value::None);
    };
    for (given, name) in [(sep, "sep"), (end, "end")] {
        check_separator(given, name)?;
    }
    let items: &[Value] = match items {
        Value::Tuple(items) => &items.items,
        _ => &[],
    };
    let file = match file.given() {
        Some(file) => Some(file.clone()),
        None => sys::redirected(name::STDOUT),
    };
    let Some(file) = file else {
        let mut line = Line::default();
        for (i, item) in items.iter().enumerate() {
            match sep.given() {
                _ if i == 0 => {}
                None => line.0.push(' '),
                Some(sep) => line.push(sep)?,
            }
            line.push(item)?;
        }
        match end.given() {
            None => line.0.push('\n'),
            Some(end) => line.push(end)?,
        }
        line.write();
        if !flush.is_unset() && operator::truth(flush)? {
            console::flush();
        }
        return Ok(Value::None);
    };
    if file.is_none() {
        return Ok(Value::None); // sys.stdout = None
    }
    let write = |text: Value| call::call_method(&file, name::WRITE, &[text]).map(drop);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            write(separator(sep, " ")?)?;
        }
        write(text::str_value(item)?)?;
    }
    write(separator(end, "\n")?)?;
    if !flush.is_unset() && operator::truth(flush)? {
        call::call_method(&file, name::FLUSH, &[])?;
    }
    Ok(Value::None)
}

fn input(args: &[Value]) -> Res {
    for stream in [name::STDIN, name::STDOUT] {
        if sys::redirected(stream).is_some_and(|value| value.is_none()) {
            return Err(runtime_error(format!("input(): lost sys.{stream}")));
        }
    }
    if let Some(prompt) = args[0].given().or((!args[0].is_unset()).then_some(&Value::None)) {
        let prompt = text::str_value(prompt)?;
        match sys::redirected(name::STDOUT) {
            Some(out) => drop(call::call_method(&out, name::WRITE, &[prompt])?),
            None => console::write(text_of(&prompt).unwrap_or("")),
        }
    }
    console::flush();
    let line = match sys::redirected(name::STDIN) {
        Some(input) => {
            let line = call::call_method(&input, crate::source::Symbol::new("readline"), &[])?;
            let Some(text) = text_of(&line) else {
                return Err(type_error("object.readline() returned non-string"));
            };
            (!text.is_empty()).then(|| text.to_string())
        }
        None => READ_LINE.get()()?,
    };
    match line {
        Some(line) => Ok(Value::from(line.strip_suffix('\n').unwrap_or(&line))),
        None => Err(raise(Type::EOFError, "EOF when reading a line")),
    }
}

/// Shows the value of an expression at the prompt.
pub fn show(value: &Value) -> Res<()> {
    if value.is_none() {
        return Ok(());
    }
    let mut text = text::repr(value)?;
    text.push('\n');
    console::write(&text);
    Ok(())
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "print",
        "(*args, sep=' ', end='\\n', file=None, flush=False)",
        "Prints the values to a stream, or to sys.stdout by default.",
        print,
    ),
    function(
        "input",
        "(prompt='', /)",
        "Read a string from standard input. The trailing newline is stripped.",
        input,
    ),
];
