//! Exceptions as text.

use super::{repr, str as to_str, text_of, within};
use crate::interp::payload::as_tuple;
use crate::interp::types::{Type, is_exception};
use crate::source::{Symbol, name};
use crate::text::codec;
use crate::value::*;

/// `repr(exception)`: the class called with its arguments.
pub fn write_repr(exception: &Ref<Exception>, out: &mut String) -> Res<()> {
    let args = exception.args.get();
    let whole = Value::from(exception.clone());
    within(&whole, "...", out, |out| {
        out.push_str(exception.class().name());
        match as_tuple(&args) {
            Some(tuple) if tuple.items.len() == 1 => {
                out.push('(');
                super::write_repr(&tuple.items[0], out)?;
                out.push(')');
                Ok(())
            }
            _ => super::write_repr(&args, out),
        }
    })
}

/// `str(exception)`, as the built-in class at its root writes it.
pub fn str(exception: &Ref<Exception>) -> Res<String> {
    if !exception.parts.is_empty()
        && let Some(text) = of_attributes(exception)?
    {
        return Ok(text);
    }
    if is_exception(exception, Type::BaseExceptionGroup) {
        return group(exception);
    }
    let args = exception.args.get();
    let Some(tuple) = as_tuple(&args) else {
        return to_str(&args);
    };
    match &*tuple.items {
        [] => Ok(String::new()),
        // A key is quoted, so that an empty or odd one can be seen.
        [key] if is_exception(exception, Type::KeyError) => repr(key),
        [one] => to_str(one),
        _ => repr(&args),
    }
}

/// What an exception shows of its attributes rather than of its arguments, if it does.
fn of_attributes(exception: &Ref<Exception>) -> Res<Option<String>> {
    let is_one = |kind| is_exception(exception, kind);
    if is_one(Type::OSError) {
        return os_error(exception);
    }
    if is_one(Type::ImportError) {
        let message = exception.parts.get(name::MSG);
        return message
            .filter(|message| text_of(message).is_some())
            .map(|message| to_str(&message))
            .transpose();
    }
    if is_one(Type::UnicodeDecodeError)
        || is_one(Type::UnicodeEncodeError)
        || is_one(Type::UnicodeTranslateError)
    {
        return Ok(unicode_error(exception));
    }
    if is_one(Type::SyntaxError) {
        return syntax_error(exception);
    }
    Ok(None)
}

fn attr(exception: &Ref<Exception>, name: Symbol) -> Option<Value> {
    exception
        .parts
        .get(name)
        .filter(|v| !v.is_none() && !v.is_unset())
}

/// `[Errno 2] No such file or directory: 'name'`
fn os_error(exception: &Ref<Exception>) -> Res<Option<String>> {
    let part = |name| exception.parts.get(name);
    let shown = |part: Option<Value>| to_str(&part.unwrap_or(Value::None));
    let (errno, strerror) = (part(name::ERRNO), part(name::STRERROR));
    let Some(file) = part(name::FILENAME) else {
        return match errno.is_some() && strerror.is_some() {
            true => Ok(Some(format!("[Errno {}] {}", shown(errno)?, shown(strerror)?))),
            false => Ok(None),
        };
    };
    let mut text = format!("[Errno {}] {}: {}", shown(errno)?, shown(strerror)?, repr(&file)?);
    if let Some(other) = part(name::FILENAME2) {
        text.push_str(" -> ");
        text.push_str(&repr(&other)?);
    }
    Ok(Some(text))
}

/// `message (2 sub-exceptions)`
fn group(exception: &Ref<Exception>) -> Res<String> {
    let message = match exception.arg(0) {
        Some(message) => to_str(&message)?,
        None => String::new(),
    };
    let count = crate::interp::group::members(exception).map_or(0, |members| members.len());
    Ok(format!(
        "{message} ({count} sub-exception{})",
        if count == 1 { "" } else { "s" }
    ))
}

fn unicode_error(exception: &Ref<Exception>) -> Option<String> {
    let text = |name| {
        exception
            .parts
            .get(name)
            .and_then(|v| text_of(&v).map(String::from))
    };
    let number = |name| match exception.parts.get(name) {
        Some(Value::Int(n)) => usize::try_from(n).ok(),
        _ => None,
    };
    if is_exception(exception, Type::UnicodeTranslateError) {
        let (start, end) = (number(name::START)?, number(name::END)?);
        let object = exception.parts.get(name::OBJECT)?;
        let encoded = codec::encode_message("", text_of(&object)?, start, end, &text(name::REASON)?);
        return encoded
            .split_once("encode ")
            .map(|(_, rest)| format!("can't translate {rest}"));
    }
    let (encoding, reason) = (text(name::ENCODING)?, text(name::REASON)?);
    let (start, end) = (number(name::START)?, number(name::END)?);
    let object = exception.parts.get(name::OBJECT)?;
    match crate::interp::payload::bytes_of(&object) {
        Some(bytes) => Some(codec::decode_message(&encoding, &bytes, start, end, &reason)),
        None => Some(codec::encode_message(
            &encoding,
            text_of(&object)?,
            start,
            end,
            &reason,
        )),
    }
}

/// `message (file, line 3)`
fn syntax_error(exception: &Ref<Exception>) -> Res<Option<String>> {
    let Some(message) = exception.parts.get(name::MSG) else {
        return Ok(None);
    };
    let message = to_str(&message)?;
    let line = attr(exception, Symbol::new("lineno"));
    let file = attr(exception, name::FILENAME);
    let file = file
        .as_ref()
        .and_then(text_of)
        .map(|f| f.rsplit('/').next().unwrap_or(f).to_string());
    Ok(Some(match (file, line) {
        (Some(file), Some(line)) => format!("{message} ({file}, line {})", to_str(&line)?),
        (Some(file), None) => format!("{message} ({file})"),
        (None, Some(line)) => format!("{message} (line {})", to_str(&line)?),
        (None, None) => message,
    }))
}
