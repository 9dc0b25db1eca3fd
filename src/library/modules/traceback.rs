//! `_traceback`: what `traceback` needs that cannot be written in aio.

use crate::interp::error::*;
use crate::interp::excerpt::excerpt;
use crate::interp::payload::*;
use crate::interp::suggest;
use crate::interp::traceback::TracebackObject;
use crate::library::builtins::function;
use crate::source::Symbol;
use crate::value::*;

pub fn module() -> Vec<(Symbol, Value)> {
    super::functions("traceback", &[FUNCTIONS])
}

const FUNCTIONS: &[NativeDef] = &[
    function(
        "added",
        "(exc, /)",
        "What was meant, as far as that was known when the exception was raised; may be empty.",
        |args| match &args[0] {
            Value::Exception(error) => Ok(Value::from(error.hint.get().map_or("", |hint| &*hint.added))),
            _ => Ok(Value::from("")),
        },
    ),
    function(
        "closest",
        "(wrong, names, /)",
        "The name that was probably meant, or None.",
        |args| {
            let names = crate::interp::iterate::collect(&args[1])?;
            let names = names.iter().filter_map(text_of);
            Ok(suggest::closest(text_of(&args[0]).unwrap_or(""), names).map_or(Value::None, Value::from))
        },
    ),
    function(
        "source_lines",
        "(filename, /)",
        "The lines of a file, or none if it cannot be read.",
        |args| {
            let name = as_str(&args[0])
                .map(|name| name.text.to_string())
                .unwrap_or_default();
            let text = std::fs::read_to_string(name).unwrap_or_default();
            Ok(Value::list(text.lines().map(Value::from).collect()))
        },
    ),
    function(
        "positions",
        "(tb, /)",
        "The place of a traceback's row: first and last line, byte in the first and after it in the last.",
        |args| positions(&args[0]),
    ),
    function(
        "excerpt",
        "(lines, start, end, /)",
        "Source lines with marks below the expression between a byte of the first and one of the last.",
        |args| {
            let lines: Vec<String> = crate::interp::iterate::collect(&args[0])?
                .iter()
                .filter_map(|line| as_str(line).map(|line| line.text.to_string()))
                .collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let (Value::Int(start), Value::Int(end)) = (&args[1], &args[2]) else {
                return Err(type_error("places are ints"));
            };
            let byte = |n: i64| usize::try_from(n).unwrap_or(0);
            Ok(Value::str(excerpt(&lines, byte(*start), byte(*end))))
        },
    ),
];

fn positions(tb: &Value) -> Res {
    let Some(TracebackObject(row)) = tb.opaque() else {
        return Err(type_error("a traceback is expected"));
    };
    let source = &row.code.source;
    let place = |offset: u32| {
        let line = source.line(offset);
        (line, offset - source.line_start(line))
    };
    let ((first, start), (last, end)) = (place(row.span.start), place(row.span.end));
    let int = |n: u32| Value::Int(n.into());
    Ok(Value::tuple([int(first), int(last), int(start), int(end)]))
}
