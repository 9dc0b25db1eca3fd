//! Values as text: `repr`, `str`, `ascii` and `format`.
//!
//! Always true: a container that holds itself is shown as `[...]`; nothing is borrowed while the
//! repr of an item runs; an object is shown with a small number in place of its address, the same
//! each time it is shown.

pub mod exception;
pub mod object;
pub mod pending;

use super::error::*;
use super::operator::percent::format_error;
use super::payload::*;
use super::types::{Type, class, class_name};
use super::{iterate, mapping, special, stack};
use crate::source::name;
use crate::text::format::{self, FormatSpec, spec::Family};
use crate::text::{bytes, float, int, string};
use crate::value::descriptor::MappingProxy;
use crate::value::*;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};

/// `repr(value)`
pub fn repr(value: &Value) -> Res<String> {
    let mut text = String::new();
    write_repr(value, &mut text)?;
    Ok(text)
}

/// Appends `repr(value)`.
pub fn write_repr(value: &Value, out: &mut String) -> Res<()> {
    match value {
        Value::Int(n) => push_int(*n, out),
        Value::Str(text) => out.push_str(&string::repr(&text.text)),
        _ => return write_rest(value, out),
    }
    Ok(())
}

fn push_int(n: i64, out: &mut String) {
    use std::fmt::Write;
    // Writing to a String cannot fail.
    let _ = write!(out, "{n}");
}

/// `repr(value)` as a value: a str of a derived class that `__repr__` gives is kept.
pub fn repr_value(value: &Value) -> Res {
    if special::is_possible(value) {
        stack::check_native(" while getting the repr of an object")?;
        if let Some(result) = special::call(value, name::REPR, &[]) {
            return checked_text(result?, "__repr__");
        }
    }
    repr(value).map(Value::from)
}

fn write_rest(value: &Value, out: &mut String) -> Res<()> {
    stack::check_native(" while getting the repr of an object")?;
    if let Some(result) = special::call(value, name::REPR, &[]) {
        out.push_str(&text_from(&result?, "__repr__")?);
        return Ok(());
    }
    write_plain(value, out)
}

/// Appends the repr that the built-in type of the value gives, whatever its class says.
pub fn write_plain(value: &Value, out: &mut String) -> Res<()> {
    match plain(value) {
        Value::Unset => out.push_str("<NULL>"),
        Value::None => out.push_str("None"),
        Value::NotImplemented => out.push_str("NotImplemented"),
        Value::Ellipsis => out.push_str("Ellipsis"),
        Value::Bool(b) => out.push_str(if b.get() { "True" } else { "False" }),
        Value::Int(n) => push_int(*n, out),
        Value::Float(x) => out.push_str(&float::repr(x.get())),
        Value::Big(big) => out.push_str(&decimal(big)?),
        Value::Str(text) => out.push_str(&string::repr(&text.text)),
        Value::Bytes(b) => out.push_str(&bytes::repr(&b.0)),
        Value::ByteArray(b) => {
            out.push_str(class_name(value));
            out.push('(');
            // Its single quotes are escaped between double ones, too.
            let shown = bytes::repr(&b.0.borrow());
            match shown.starts_with("b\"") {
                true => out.push_str(&shown.replace('\'', "\\'")),
                false => out.push_str(&shown),
            }
            out.push(')');
        }
        Value::List(list) => {
            return within(value, "[...]", out, |out| {
                out.push('[');
                let mut i = 0;
                while let Some(item) = list.get(i) {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    write_repr(&item, out)?;
                    i += 1;
                }
                out.push(']');
                Ok(())
            });
        }
        Value::Tuple(tuple) => {
            return within(value, "(...)", out, |out| {
                out.push('(');
                write_items(&tuple.items, out)?;
                out.push_str(if tuple.items.len() == 1 { ",)" } else { ")" });
                Ok(())
            });
        }
        Value::Dict(dict) => {
            return within(value, "{...}", out, |out| {
                out.push('{');
                let mut position = 0;
                while let Some((next, key, item)) = mapping::dict_next(dict, position) {
                    if out.len() > 1 && position > 0 {
                        out.push_str(", ");
                    }
                    position = next;
                    write_repr(&key, out)?;
                    out.push_str(": ");
                    write_repr(&item, out)?;
                }
                out.push('}');
                Ok(())
            });
        }
        Value::Set(_) | Value::FrozenSet(_) => return write_set(value, out),
        Value::Range(range) => {
            out.push_str(&match range.step {
                1 => format!("range({}, {})", range.start, range.stop),
                step => format!("range({}, {}, {step})", range.start, range.stop),
            });
        }
        Value::Slice(slice) => out.push_str(&super::subscript::slice_repr(slice)?),
        Value::Exception(exception) => return self::exception::write_repr(exception, out),
        _ => return object::write_repr(value, out),
    }
    Ok(())
}

fn write_items(items: &[Value], out: &mut String) -> Res<()> {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write_repr(item, out)?;
    }
    Ok(())
}

fn write_set(value: &Value, out: &mut String) -> Res<()> {
    let Some(table) = mapping::as_set_table(value) else {
        return Ok(());
    };
    let kind = class_name(value);
    if table.borrow().is_empty() {
        out.push_str(kind);
        out.push_str("()");
        return Ok(());
    }
    within(value, &format!("{kind}(...)"), out, |out| {
        // A subclass may show its items in an order of its own.
        let own = special::find(value, name::ITER).or_else(|| special::find(value, name::LEN));
        let keys = match own {
            Some(_) => iterate::collect(value)?,
            None => mapping::set_keys(table),
        };
        let is_plain = matches!(value, Value::Set(_));
        if !is_plain {
            out.push_str(kind);
            out.push('(');
        }
        out.push('{');
        write_items(&keys, out)?;
        out.push_str(if is_plain { "}" } else { "})" });
        Ok(())
    })
}

/// How deep containers may be nested; CPython's limit for its own recursion.
const DEEPEST: usize = 10_000;

thread_local! {
    /// The containers whose repr is being made.
    static SHOWING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Writes a container, unless that is going on already: then the short form.
pub fn within(
    container: &Value,
    short: &str,
    out: &mut String,
    write: impl FnOnce(&mut String) -> Res<()>,
) -> Res<()> {
    let address = container.address().unwrap_or(0);
    let (is_shown, depth) = SHOWING.with_borrow(|showing| (showing.contains(&address), showing.len()));
    if is_shown {
        out.push_str(short);
        return Ok(());
    }
    if depth >= DEEPEST {
        return Err(stack::too_deep_in(" while getting the repr of an object"));
    }
    SHOWING.with_borrow_mut(|showing| showing.push(address));
    let result = write(out);
    // Not simply the last: a fiber may have been switched in between.
    SHOWING.with_borrow_mut(|showing| {
        if let Some(place) = showing.iter().rposition(|&a| a == address) {
            showing.remove(place);
        }
    });
    result
}

/// The digits of a big int, unless there are too many.
fn decimal(big: &Ref<Big>) -> Res<String> {
    int::to_decimal(&int::Int::Big(big.0.clone())).ok_or_else(|| value_error(int::too_long_to_write()))
}

/// `str(value)`
pub fn str(value: &Value) -> Res<String> {
    match value {
        Value::Str(text) => Ok(text.text.to_string()),
        Value::Int(n) => Ok(n.to_string()),
        _ => str_rest(value),
    }
}

fn str_rest(value: &Value) -> Res<String> {
    if let Some(result) = special::call(value, name::STR, &[]) {
        return text_from(&result?, "__str__");
    }
    match plain(value) {
        Value::Str(text) => Ok(text.text.to_string()),
        Value::Exception(exception) => self::exception::str(exception),
        // Bytes are shown as bytes are, whatever a subclass's repr() says.
        Value::Bytes(_) | Value::ByteArray(_) => {
            let mut out = String::new();
            write_plain(value, &mut out)?;
            Ok(out)
        }
        other => match other.opaque::<MappingProxy>() {
            Some(proxy) => str(&proxy.0),
            None => {
                stack::check_native(" while getting the str of an object")?;
                // A `__repr__` that stands in for `__str__` is told under its name.
                match special::call(value, name::REPR, &[]) {
                    Some(result) => text_from(&result?, "__str__"),
                    None => repr(value),
                }
            }
        },
    }
}

/// What a special method gave as text.
fn text_from(result: &Value, method: &str) -> Res<String> {
    text_of(result).map(str::to_string).ok_or_else(|| {
        let kind = class_name(result);
        type_error(format!("{method} returned non-string (type {kind})"))
    })
}

/// The same as it is, if it is text.
fn checked_text(result: Value, method: &str) -> Res {
    match text_of(&result) {
        Some(_) => Ok(result),
        None => text_from(&result, method).map(Value::from),
    }
}

/// `str(value)` as a value: a str is itself, and one of a derived class that `__str__` gives is kept.
pub fn str_value(value: &Value) -> Res {
    if let Value::Str(_) = value {
        return Ok(value.clone());
    }
    if special::is_possible(value)
        && let Some(result) = special::call(value, name::STR, &[])
    {
        return checked_text(result?, "__str__");
    }
    str(value).map(Value::from)
}

/// `ascii(value)` as a value: a repr in ASCII is kept.
pub fn ascii_value(value: &Value) -> Res {
    let shown = repr_value(value)?;
    match text_of(&shown) {
        Some(text) if !text.is_ascii() => Ok(escaped(text).into()),
        _ => Ok(shown),
    }
}

/// `ascii(value)`
pub fn ascii(value: &Value) -> Res<String> {
    let text = repr(value)?;
    Ok(if text.is_ascii() { text } else { escaped(&text) })
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            string::push_escape(&mut escaped, c as u32);
        }
    }
    escaped
}

/// `format(value, spec)`
pub fn format(value: &Value, spec: &str) -> Res<String> {
    if special::is_possible(value)
        && let Some(result) = special::call(value, name::FORMAT, &[Value::from(spec)])
    {
        let result = result?;
        return match text_of(&result) {
            Some(text) => Ok(text.to_string()),
            None => Err(type_error(format!(
                "__format__ must return a str, not {}",
                class_name(&result)
            ))),
        };
    }
    format_plain(value, spec)
}

/// What the `__format__` of a built-in type does.
pub fn format_plain(value: &Value, spec: &str) -> Res<String> {
    if spec.is_empty() {
        return str(value);
    }
    let kind = class_name(value);
    let parse = |family| FormatSpec::parse(spec, family, kind).map_err(value_error);
    match plain(value) {
        Value::Str(text) => format::format_str(&text.text, &parse(Family::Str)?, kind).map_err(format_error),
        Value::Int(_) | Value::Big(_) | Value::Bool(_) => {
            let n = as_int(value).unwrap_or(int::Int::Small(0));
            format::format_int(&n, &parse(Family::Int)?, kind).map_err(format_error)
        }
        Value::Float(x) => format::format_float(x.get(), &parse(Family::Float)?, kind).map_err(format_error),
        _ => Err(type_error(format!(
            "unsupported format string passed to {kind}.__format__"
        ))),
    }
}

thread_local! {
    /// The number of each object that was asked for one, by its address.
    ///
    /// An address that is used again keeps its number: numbers, like addresses in CPython, tell
    /// objects apart only while they live. The table grows with the number of addresses that were
    /// ever asked for, not with the number of objects.
    static NUMBERS: RefCell<FxHashMap<usize, usize>> = RefCell::default();
}

/// `id(value)`: a number that stays the object's own, given out in order of asking, so that runs of
/// a program show the same.
pub fn stable_id(value: &Value) -> usize {
    const FIRST: usize = 0x7f00_0000_0010;
    let Some(address) = value.address() else {
        // Plain values are the same object if they have the same bits.
        return match value {
            Value::Int(n) => {
                (*n as usize).wrapping_mul(32).wrapping_add(0x7e00_0000_0000) & (usize::MAX >> 1)
            }
            Value::Float(x) => (x.get().to_bits() as usize).rotate_left(13) >> 1 | 0x10,
            Value::Bool(b) => 0x7d00_0000_0100 + 32 * b.get() as usize,
            other => 0x7d00_0000_0000 + 16 * other.tag() as usize,
        };
    };
    NUMBERS.with_borrow_mut(|numbers| {
        let next = FIRST + 16 * numbers.len();
        *numbers.entry(address).or_insert(next)
    })
}

/// The `0x…` of an object's repr.
pub fn address(value: &Value) -> String {
    format!("0x{:012x}", stable_id(value))
}

/// Shows a value at the prompt.
pub type Show = fn(&Value) -> Res<()>;

thread_local! {
    /// What an expression at the prompt does with its value; set by the library.
    pub static SHOW: Cell<Option<Show>> = const { Cell::new(None) };
}

/// Shows the value of an expression at the prompt.
pub fn show(value: &Value) -> Res<()> {
    match SHOW.get() {
        Some(show) => show(value),
        None => Ok(()),
    }
}

/// The items of a dict view as a list, for its repr.
fn view_items(value: &Value) -> Res {
    Ok(Value::list(iterate::collect(value)?))
}

/// Whether a value is an exception group.
pub fn is_group(exception: &Exception) -> bool {
    exception.is_instance(&class(Type::BaseExceptionGroup))
}

/// Whether the value has a repr of its own beyond "an object of its class".
pub fn is_special_form(value: &Value) -> bool {
    !matches!(value, Value::Instance(instance) if instance.payload.is_unset())
}
