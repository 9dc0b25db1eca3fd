//! `str.format`: fields looked up and formatted.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::{attribute, subscript, text};
use crate::source::Symbol;
use crate::text::format::template::{self, Argument, Numbering, Piece, Step};
use crate::value::*;

/// Where fields find their arguments.
enum Given<'a> {
    Arguments { args: &'a Value, kwargs: &'a Value },
    Mapping(&'a Value),
}

/// `template.format(*args, **kwargs)`
pub fn format(template: &str, args: &Value, kwargs: &Value) -> Res<String> {
    let mut numbering = Numbering::default();
    render(template, &Given::Arguments { args, kwargs }, &mut numbering, 2)
}

/// `template.format_map(mapping)`
pub fn format_map(template: &str, mapping: &Value) -> Res<String> {
    let mut numbering = Numbering::default();
    render(template, &Given::Mapping(mapping), &mut numbering, 2)
}

fn render(template: &str, given: &Given, numbering: &mut Numbering, depth: u32) -> Res<String> {
    if depth == 0 {
        return Err(value_error("Max string recursion exceeded"));
    }
    let mut whole = String::with_capacity(template.len() + 16);
    for piece in template::pieces(template) {
        let field = match piece.map_err(value_error)? {
            Piece::Literal(text) => {
                whole.push_str(text);
                continue;
            }
            Piece::Field(field) => field,
        };
        let (argument, path) = numbering.argument(field.name).map_err(value_error)?;
        let mut value = look_up(given, argument)?;
        for step in path {
            value = match step.map_err(value_error)? {
                Step::Attribute(name) => attribute::get(&value, Symbol::new(name))?,
                Step::Index(index) => subscript::get_item(&value, &Value::from(index))?,
                Step::Key(key) => subscript::get_item(&value, &Value::from(key))?,
            };
        }
        if let Some(conversion) = field.conversion {
            value = Value::from(match conversion {
                'r' => text::repr(&value)?,
                's' => text::str(&value)?,
                'a' => text::ascii(&value)?,
                other => return Err(value_error(template::unknown_conversion(other))),
            });
        }
        let formatted = if field.nested {
            let spec = render(field.spec, given, numbering, depth - 1)?;
            text::format(&value, &spec)?
        } else {
            text::format(&value, field.spec)?
        };
        whole.push_str(&formatted);
    }
    Ok(whole)
}

fn look_up(given: &Given, argument: Argument) -> Res {
    match (given, argument) {
        (Given::Arguments { args, .. }, Argument::Position(place)) => {
            let found = as_tuple(args).and_then(|args| args.items.get(place).cloned());
            found.ok_or_else(|| {
                index_error(format!(
                    "Replacement index {place} out of range for positional args tuple"
                ))
            })
        }
        (Given::Mapping(_), Argument::Position(_)) => {
            Err(value_error("Format string contains positional fields"))
        }
        (Given::Arguments { kwargs, .. }, Argument::Keyword(name)) => match kwargs {
            Value::Unset => Err(key_error(&Value::from(name))),
            kwargs => subscript::get_item(kwargs, &Value::from(name)),
        },
        (Given::Mapping(mapping), Argument::Keyword(name)) => {
            subscript::get_item(mapping, &Value::from(name))
        }
    }
}
