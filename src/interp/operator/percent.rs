//! The `%` operator of strings and bytes.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::special;
use crate::interp::types::{Type, class_name};
use crate::interp::{subscript, text};
use crate::source::name;
use crate::text::float;
use crate::text::format::FormatError;
use crate::text::format::percent::{self, Conversion, Count, Field, Piece};
use crate::text::int::Int;
use crate::value::*;

/// The exception that a failed formatting stands for.
#[cold]
pub fn format_error(error: FormatError) -> Raised {
    match error {
        FormatError::Value(message) => value_error(message),
        FormatError::Overflow(message) => overflow_error(message),
        FormatError::Memory => raise_empty(Type::MemoryError),
    }
}

#[cold]
fn no_mapping() -> Raised {
    type_error("format requires a mapping")
}

fn not_enough() -> Raised {
    type_error("not enough arguments for format string")
}

/// The arguments of a template: a tuple's items one by one, or one value.
struct Arguments<'a> {
    given: &'a Value,
    next: usize,
    by_key: bool,
    /// Bytes are no mapping to a template of bytes.
    is_bytes: bool,
}

impl Arguments<'_> {
    fn next(&mut self) -> Res {
        let found = match as_tuple(self.given) {
            Some(tuple) => tuple.items.get(self.next).cloned(),
            None => (self.next == 0).then(|| self.given.clone()),
        };
        self.next += 1;
        found.ok_or_else(not_enough)
    }

    fn star(&mut self, count: Option<Count>, kind: &str) -> Res<i64> {
        if count != Some(Count::Star) {
            return Ok(0);
        }
        match plain(&self.next()?) {
            Value::Int(n) => Ok(*n),
            Value::Bool(b) => Ok(b.get() as i64),
            Value::Big(_) => Err(overflow_error(format!(
                "Python int too large to convert to C {kind}"
            ))),
            _ => Err(type_error("* wants int")),
        }
    }

    fn is_mapping(&self) -> bool {
        match plain(self.given) {
            Value::Tuple(_) | Value::Str(_) => false,
            Value::Bytes(_) | Value::ByteArray(_) => !self.is_bytes,
            Value::Dict(_) | Value::List(_) | Value::Range(_) => true,
            _ => special::find(self.given, name::GETITEM).is_some(),
        }
    }

    /// What is said of a mistake in a field of the template: a key is looked up before the rest is
    /// read, and not even read if there is nothing to read from.
    fn refuse(&self, mistake: String, key: Option<Value>) -> Raised {
        let asks = key.is_some() || mistake == percent::UNFINISHED_KEY;
        if asks && !self.is_mapping() {
            return no_mapping();
        }
        match key.map(|key| subscript::get_item(self.given, &key)) {
            Some(Err(raised)) => raised,
            _ => value_error(mistake),
        }
    }

    fn check_all_used(&self) -> Res<()> {
        let unused = match as_tuple(self.given) {
            Some(tuple) => self.next < tuple.items.len(),
            None => self.next == 0 && !self.is_mapping(),
        };
        if unused && !self.by_key {
            return Err(type_error("not all arguments converted during string formatting"));
        }
        Ok(())
    }
}

/// `template % arguments`
pub fn format(template: &str, given: &Value) -> Res<String> {
    let mut arguments = Arguments {
        given,
        next: 0,
        by_key: false,
        is_bytes: false,
    };
    let mut whole = String::with_capacity(template.len() + 16);
    let mut pieces = percent::pieces(template);
    while let Some(piece) = pieces.next() {
        match piece.map_err(|mistake| arguments.refuse(mistake, pieces.key.map(Value::from)))? {
            Piece::Literal(text) => whole.push_str(text),
            Piece::Field(field) => {
                let (value, conversion) = argument(&field, &mut arguments, |key| Value::from(key))?;
                match (&value, field.conversion) {
                    (Value::Str(text), 's') if field.is_bare() => {
                        whole.push_str(&text.text);
                        continue;
                    }
                    (Value::Int(n), 'd') if field.is_bare() => {
                        whole.push_str(n.to_string().as_str());
                        continue;
                    }
                    _ => {}
                }
                whole.push_str(&convert(
                    &field,
                    &conversion,
                    &value,
                    |value, letter| match letter {
                        'r' => text::repr(value),
                        'a' => text::ascii(value),
                        'b' => Err(value_error(field.unsupported())), // is for bytes
                        _ => text::str(value),
                    },
                )?);
            }
        }
    }
    arguments.check_all_used()?;
    Ok(whole)
}

/// The value of a field and its layout.
fn argument(
    field: &Field,
    arguments: &mut Arguments,
    key_value: impl Fn(&str) -> Value,
) -> Res<(Value, Conversion)> {
    if let Some(key) = field.key {
        if !arguments.is_mapping() {
            return Err(no_mapping());
        }
        arguments.by_key = true;
        arguments.next = 1; // nothing is left for a field without a key
        let value = subscript::get_item(arguments.given, &key_value(key))?;
        if [field.width, field.precision].contains(&Some(Count::Star)) {
            return Err(match plain(&value) {
                Value::Int(_) | Value::Bool(_) | Value::Big(_) => not_enough(),
                _ => type_error("* wants int"),
            });
        }
        return Ok((value, field.layout(0, 0)));
    }
    let width = arguments.star(field.width, "ssize_t")?;
    let precision = arguments.star(field.precision, "int")?;
    let value = arguments.next()?;
    Ok((value, field.layout(width, precision)))
}

fn convert(
    field: &Field,
    conversion: &Conversion,
    value: &Value,
    text_form: impl Fn(&Value, char) -> Res<String>,
) -> Res<String> {
    let letter = field.conversion;
    let written = match letter {
        's' | 'r' | 'a' | 'b' => conversion.text(&text_form(value, letter)?),
        'c' => {
            if let Some(text) = text_of(value) {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => conversion.character(c),
                    _ => return Err(type_error("%c requires int or char")),
                }
            } else {
                conversion.code_point(&int_or(value, || "%c requires int or char".to_string())?)
            }
        }
        'd' | 'i' | 'u' => conversion.integer(&decimal(value, letter)?),
        'o' | 'x' | 'X' => {
            let n = int_or(value, || {
                let kind = class_name(value);
                format!("%{letter} format: an integer is required, not {kind}")
            })?;
            conversion.integer(&n)
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => conversion.real(real(value)?),
        _ => return Err(value_error(field.unsupported())),
    };
    written.map_err(format_error)
}

/// The int that an object is or stands for; of what has none by its type, the message tells.
fn int_or(value: &Value, message: impl Fn() -> String) -> Res<Int> {
    match index(value) {
        Ok(n) => Ok(as_int(&n).unwrap_or(Int::Small(0))),
        Err(raised) if matches(&raised, Type::TypeError) => {
            drop(raised.take());
            Err(type_error(message()))
        }
        Err(raised) => Err(raised),
    }
}

/// The int that `%d` writes: of a float, its whole part.
fn decimal(value: &Value, letter: char) -> Res<Int> {
    if let Some(n) = as_int(value) {
        return Ok(n);
    }
    let has_own = special::find(value, name::INT).is_some();
    if let Some(x) = as_float(value).filter(|_| !has_own) {
        return float::to_int(x).map_err(|error| match error {
            float::NotFinite::Infinity => overflow_error(error.to_integer()),
            float::NotFinite::Nan => value_error(error.to_integer()),
        });
    }
    for name in [name::INT, name::INDEX] {
        match special::call(value, name, &[]) {
            None => continue,
            Some(Ok(result)) => {
                if let Some(n) = as_int(&result) {
                    warn_of_derived(name.text(), "int", &result)?;
                    return Ok(n);
                }
            }
            Some(Err(raised)) if matches(&raised, Type::TypeError) => drop(raised.take()),
            Some(Err(raised)) => return Err(raised),
        }
        break;
    }
    Err(type_error(format!(
        "%{letter} format: a real number is required, not {}",
        class_name(value)
    )))
}

/// `%` of bytes and bytearray: the template is read as Latin-1, each byte a character.
pub fn format_bytes(template: &Value, given: &Value) -> Res {
    let wide = |bytes: &[u8]| bytes.iter().map(|&byte| byte as char).collect::<String>();
    let text = with_bytes(template, wide).unwrap_or_default();
    let mut arguments = Arguments {
        given,
        next: 0,
        by_key: false,
        is_bytes: true,
    };
    let mut whole = String::new();
    let key = |key: &str| super::collection::same_kind_of_bytes(&Value::None, narrow(key));
    let mut pieces = percent::pieces(&text);
    while let Some(piece) = pieces.next() {
        match piece.map_err(|mistake| arguments.refuse(mistake, pieces.key.map(key)))? {
            Piece::Literal(text) => whole.push_str(text),
            Piece::Field(field) => {
                let (value, conversion) = argument(&field, &mut arguments, key)?;
                if field.conversion == 'c' {
                    let byte = with_bytes(&value, |bytes| match bytes {
                        [byte] => Some(*byte),
                        _ => None,
                    });
                    let byte = match byte {
                        Some(Some(byte)) => byte,
                        None if has_index(&value) => u8::try_from(clamped(&index(&value)?))
                            .map_err(|_| overflow_error("%c arg not in range(256)"))?,
                        _ => {
                            return Err(type_error(
                                "%c requires an integer in range(256) or a single byte",
                            ));
                        }
                    };
                    whole.push_str(&conversion.character(byte as char).map_err(format_error)?);
                    continue;
                }
                let form = |value: &Value, letter: char| match letter {
                    'r' | 'a' => text::ascii(value),
                    _ => match with_bytes(value, wide) {
                        Some(text) => Ok(text),
                        None => match special::call(value, name::BYTES, &[]) {
                            Some(bytes) => Ok(with_bytes(&bytes?, wide).unwrap_or_default()),
                            None => Err(type_error(format!(
                                "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
                                class_name(value)
                            ))),
                        },
                    },
                };
                // Numbers are read here already: of wrong ones, bytes complain in other words.
                let value = match field.conversion {
                    'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                        real(&value).map(Value::float).map_err(|raised| {
                            drop(raised.take());
                            type_error(format!("float argument required, not {}", class_name(&value)))
                        })?
                    }
                    'i' => Value::from(decimal(&value, 'd')?),
                    _ => value,
                };
                whole.push_str(&convert(&field, &conversion, &value, form)?);
            }
        }
    }
    arguments.check_all_used().map_err(|raised| {
        drop(raised.take());
        type_error("not all arguments converted during bytes formatting")
    })?;
    Ok(super::collection::same_kind_of_bytes(template, narrow(&whole)))
}

/// The bytes of a text of Latin-1 characters.
fn narrow(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}
