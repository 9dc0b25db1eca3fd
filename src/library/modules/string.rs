//! `_string`: templates of `str.format` taken apart, for `string.Formatter`.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::class_name;
use crate::library::builtins::function;
use crate::source::Symbol;
use crate::text::format::template::{self, Argument, Piece, Step};
use crate::value::*;
use std::cell::RefCell;

const FUNCTIONS: &[NativeDef] = &[
    function(
        "parse",
        "(template, /)",
        "Iterate over the literals and fields of a template: (literal, name, spec, conversion) of each.",
        |args| parse(template_text(&args[0])?),
    ),
    function(
        "field_path",
        "(name, /)",
        "Return the argument that a field takes, and the steps from it: (is_attribute, key) of each.",
        |args| field_path(template_text(&args[0])?),
    ),
];

fn template_text(value: &Value) -> Res<&str> {
    text_of(value).ok_or_else(|| type_error(format!("expected str, got {}", class_name(value))))
}

fn parse(text: &str) -> Res {
    let mut parts = Vec::new();
    let mut literal = "";
    let mut mistake = None;
    for piece in template::pieces(text) {
        let piece = match piece {
            Ok(piece) => piece,
            Err(message) => {
                (literal, mistake) = ("", Some(message));
                break;
            }
        };
        match piece {
            Piece::Literal(text) => {
                literal = text;
                // A doubled brace ends a part; no other literal ends with one.
                if text.ends_with(['{', '}']) {
                    parts.push(part(
                        std::mem::take(&mut literal),
                        [Value::None, Value::None, Value::None],
                    ));
                }
            }
            Piece::Field(field) => {
                let conversion = field
                    .conversion
                    .map_or(Value::None, |c| Value::from(c.to_string()));
                let rest = [Value::from(field.name), Value::from(field.spec), conversion];
                parts.push(part(std::mem::take(&mut literal), rest));
            }
        }
    }
    if !literal.is_empty() {
        parts.push(part(literal, [Value::None, Value::None, Value::None]));
    }
    // What is before a mistake comes first.
    let rest = RefCell::new((parts.into_iter(), mistake));
    Ok(NativeIterator::single("formatteriterator", move || {
        let (parts, mistake) = &mut *rest.borrow_mut();
        match (parts.next(), mistake) {
            (Some(part), _) => Ok(Some(part)),
            (None, mistake) => mistake
                .take()
                .map_or(Ok(None), |message| Err(value_error(message))),
        }
    }))
}

fn part(literal: &str, [name, spec, conversion]: [Value; 3]) -> Value {
    Value::tuple([Value::from(literal), name, spec, conversion])
}

fn field_path(name: &str) -> Res {
    let (argument, path) = template::split(name).map_err(value_error)?;
    let argument = match argument {
        Argument::Position(place) => Value::from(place),
        Argument::Keyword(name) => Value::from(name),
    };
    let steps = path.map(|step| {
        let (is_attribute, key) = match step? {
            Step::Attribute(name) => (true, Value::from(name)),
            Step::Index(place) => (false, Value::from(place)),
            Step::Key(key) => (false, Value::from(key)),
        };
        Ok(Value::tuple([Value::bool(is_attribute), key]))
    });
    // What is before a mistake comes first.
    let rest = RefCell::new(steps.collect::<Vec<Result<Value, String>>>().into_iter());
    let steps = NativeIterator::single("fieldnameiterator", move || {
        let step = rest.borrow_mut().next();
        step.transpose().map_err(value_error)
    });
    Ok(Value::tuple([argument, steps]))
}

pub fn module() -> Vec<(Symbol, Value)> {
    super::functions("_string", &[FUNCTIONS])
}
