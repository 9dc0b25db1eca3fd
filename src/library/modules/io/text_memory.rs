//! `io.StringIO`: text in memory as a stream.
//!
//! Always true: no borrow of the text is held while script code runs; `byte` is where the character
//! `at` begins, or the end of the text if that is nearer.

use super::newline::{self, Mode};
use super::size;
use crate::interp::call;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_name, class_of, named_class};
use crate::library::asyncio::natives;
use crate::library::builtins;
use crate::source::{Symbol, name};
use crate::text::string;
use crate::value::*;
use std::cell::{RefCell, RefMut};

/// The class `io.StringIO` of this thread.
pub fn class() -> Ref<Class> {
    let class = named_class("_io.StringIO");
    if class.own(name::NEW).is_none() {
        builtins::add(&class, METHODS);
        class.set(name::DOC, Value::from("Text in memory as a stream."));
        class.has_dict.set(true);
    }
    class
}

/// The data of a stream.
struct Memory {
    text: String,
    /// Length in characters.
    chars: usize,
    /// The character at which it stands, perhaps beyond the end.
    at: usize,
    byte: usize,
    newline: Mode,
    /// Kinds of newlines that were written.
    seen: u8,
    is_closed: bool,
}

impl Memory {
    fn new() -> Memory {
        Memory {
            text: String::new(),
            chars: 0,
            at: 0,
            byte: 0,
            newline: Mode::Fixed("\n"),
            seen: 0,
            is_closed: false,
        }
    }

    fn is_ascii(&self) -> bool {
        self.chars == self.text.len()
    }

    fn seek(&mut self, at: usize) {
        self.byte = string::byte_of(&self.text, at.min(self.chars), self.is_ascii());
        self.at = at;
    }

    fn write(&mut self, text: &str, chars: usize) {
        if self.newline == Mode::Fixed("\n") {
            return self.put(text, chars);
        }
        let put = |this: &mut Self, text: String| {
            let chars = text.chars().count();
            this.put(&text, chars);
        };
        match self.newline {
            Mode::Fixed(newline) => put(self, text.replace('\n', newline)),
            mode => {
                self.seen |= newline::kinds(text);
                match mode == Mode::Translated && text.contains('\r') {
                    true => put(self, text.replace("\r\n", "\n").replace('\r', "\n")),
                    false => self.put(text, chars),
                }
            }
        }
    }

    /// Puts text where it stands, over what is there.
    fn put(&mut self, text: &str, chars: usize) {
        if chars == 0 {
            return;
        }
        let gap = self.at.saturating_sub(self.chars);
        if self.at >= self.chars {
            self.text.extend(std::iter::repeat_n('\0', gap));
            self.text.push_str(text);
            self.chars = self.at + chars;
            self.at = self.chars;
            self.byte = self.text.len();
            return;
        }
        let rest = &self.text[self.byte..];
        let over = string::byte_of(rest, chars.min(self.chars - self.at), self.is_ascii());
        self.text.replace_range(self.byte..self.byte + over, text);
        self.at += chars;
        self.chars = self.chars.max(self.at);
        self.byte += text.len();
    }

    /// Takes so many characters, or all that are left.
    fn take(&mut self, size: Option<usize>) -> Value {
        let left = self.chars.saturating_sub(self.at);
        let count = size.map_or(left, |size| size.min(left));
        let rest = &self.text[self.byte..];
        let length = match count == left {
            true => rest.len(),
            false => string::byte_of(rest, count, self.is_ascii()),
        };
        let taken = Value::from(&rest[..length]);
        self.at += count;
        self.byte += length;
        taken
    }

    fn take_line(&mut self, size: Option<usize>) -> Value {
        let rest = &self.text[self.byte..];
        let length = self.newline.line(rest).unwrap_or(rest.len());
        let chars = string::length(&rest[..length], self.is_ascii());
        self.take(Some(size.map_or(chars, |size| size.min(chars))))
    }

    fn truncate(&mut self, size: usize) {
        if size < self.chars {
            let end = string::byte_of(&self.text, size, self.is_ascii());
            self.text.truncate(end);
            self.chars = size;
            self.byte = self.byte.min(end);
        }
    }
}

type Stream = RefCell<Memory>;

fn any(value: &Value) -> Res<&Stream> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("write", "_io.StringIO", value))
}

/// The stream, if it is open.
fn this(args: &[Value]) -> Res<RefMut<'_, Memory>> {
    let memory = any(&args[0])?.borrow_mut();
    match memory.is_closed {
        false => Ok(memory),
        true => Err(closed()),
    }
}

#[cold]
fn closed() -> Raised {
    value_error("I/O operation on closed file")
}

fn init(args: &[Value]) -> Res {
    let newline =
        match &args[2] {
            Value::Unset => Some("\n"),
            Value::None => None,
            given => Some(text_of(given).ok_or_else(|| {
                type_error(format!("newline must be str or None, not {}", class_name(given)))
            })?),
        };
    let Some(newline) = Mode::of(newline) else {
        let shown = string::repr(newline.unwrap_or(""));
        return Err(value_error(format!("illegal newline value: {shown}")));
    };
    let initial = match args[1].given() {
        None => None,
        Some(given) => Some(as_str(given).ok_or_else(|| {
            type_error(format!(
                "initial_value must be str or None, not {}",
                class_name(given)
            ))
        })?),
    };
    let mut memory = Memory {
        newline,
        ..Memory::new()
    };
    if let Some(text) = initial {
        memory.write(&text.text, text.chars);
        memory.seek(0);
    }
    any(&args[0])?.replace(memory);
    Ok(Value::None)
}

fn seek(args: &[Value]) -> Res {
    let (pos, whence) = (small(&args[1])?, args[2].given().map_or(Ok(0), small)?);
    let mut memory = this(args)?;
    if !(0..=2).contains(&whence) {
        return Err(value_error(format!(
            "Invalid whence ({whence}, should be 0, 1 or 2)"
        )));
    }
    if pos < 0 && whence == 0 {
        return Err(value_error(format!("Negative seek position {pos}")));
    }
    if whence != 0 && pos != 0 {
        return Err(raise(Type::OSError, "Can't do nonzero cur-relative seeks"));
    }
    let target = match whence {
        0 => pos as usize,
        1 => memory.at,
        _ => memory.chars,
    };
    memory.seek(target);
    Ok(Value::from(target))
}

fn truncate(args: &[Value]) -> Res {
    let mut memory = this(args)?;
    let Some(size) = args[1].given() else {
        let at = memory.at;
        memory.truncate(at);
        return Ok(Value::from(at));
    };
    drop(memory);
    let size = super::index(size)?;
    let Ok(count) = usize::try_from(size) else {
        return Err(value_error(format!("Negative size value {size}")));
    };
    this(args)?.truncate(count);
    Ok(Value::Int(size))
}

fn next(args: &[Value]) -> Res {
    // A subclass may have a `readline` of its own.
    let line = match class_of(&args[0]).is_script {
        false => this(args)?.take_line(None),
        true => call::call_method(&args[0], Symbol::new("readline"), &[])?,
    };
    match text_of(&line) {
        Some("") => Err(stop_iteration(Value::None)),
        Some(_) => Ok(line),
        None => Err(raise(
            Type::OSError,
            format!(
                "readline() should have returned a str object, not '{}'",
                class_name(&line)
            ),
        )),
    }
}

/// What copying keeps: text, newline, place, and the attributes.
fn state(args: &[Value]) -> Res {
    let memory = this(args)?;
    let text = Value::from(&*memory.text);
    let attributes = super::attributes(&args[0]);
    Ok(Value::tuple([
        text,
        memory.newline.value(),
        memory.at.into(),
        attributes,
    ]))
}

fn set_state(args: &[Value]) -> Res {
    drop(this(args)?);
    let wrong = || super::wrong_state("_io.StringIO", 4, &args[1]);
    let [text, newline, at, attributes] = as_tuple(&args[1])
        .and_then(|state| state.items.as_array())
        .ok_or_else(wrong)?;
    let text = as_str(text).ok_or_else(wrong)?;
    let mut memory = Memory {
        newline: Mode::of(text_of(newline)).ok_or_else(wrong)?,
        ..Memory::new()
    };
    // The text is as it was kept: nothing is translated a second time.
    memory.put(&text.text, text.chars);
    memory.seek(usize::try_from(small(at)?).map_err(|_| value_error("position value cannot be negative"))?);
    any(&args[0])?.replace(memory);
    super::set_attributes(&args[0], attributes)
}

const METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, /, *args, **kwargs)" "Create and return a new object."
        |args| super::new(args, Stream::new(Memory::new()));
    Method Plain "__init__" "(self, initial_value='', newline='\\n')" "Initialize self." init;
    Method Plain "write" "(self, text, /)" "Write text and return its length." |args| {
        let Some(text) = as_str(&args[1]) else {
            return Err(type_error(format!("string argument expected, got '{}'", class_name(&args[1]))));
        };
        this(args)?.write(&text.text, text.chars);
        Ok(Value::from(text.chars))
    };
    Method Plain "getvalue" "(self, /)" "All the text." |args| Ok(Value::from(&*this(args)?.text));
    Method Plain "read" "(self, size=-1, /)" "At most so many characters; all if size is negative." |args| {
        drop(this(args)?);
        let size = size(&args[1])?;
        Ok(this(args)?.take(size))
    };
    Method Plain "readline" "(self, size=-1, /)"
        "A line with its newline, or its first characters; empty at the end." |args| {
        drop(this(args)?);
        let size = size(&args[1])?;
        Ok(this(args)?.take_line(size))
    };
    Method Plain "__next__" "(self, /)" "The next line." next;
    Method Plain "seek" "(self, pos, whence=0, /)" "Go to a place and return it." seek;
    Method Plain "tell" "(self, /)" "The place where it stands." |args| Ok(Value::from(this(args)?.at));
    Method Plain "truncate" "(self, pos=None, /)" "Cut the text off at a size, by default where it stands." truncate;
    Method Plain "close" "(self, /)" "Let the text go." |args| {
        let closed = Memory { is_closed: true, ..Memory::new() };
        any(&args[0])?.replace(closed);
        Ok(Value::None)
    };
    Method Plain "flush" "(self, /)" "Nothing is held back." |args| any(&args[0]).map(|_| Value::None);
    Method Plain "readable" "(self, /)" "Whether it is open: it can do everything." |args| this(args).map(|_| Value::TRUE);
    Method Plain "writable" "(self, /)" "Whether it is open: it can do everything." |args| this(args).map(|_| Value::TRUE);
    Method Plain "seekable" "(self, /)" "Whether it is open: it can do everything." |args| this(args).map(|_| Value::TRUE);
    Getter Plain "closed" "(self, /)" "Whether it was closed."
        |args| Ok(any(&args[0])?.borrow().is_closed.into());
    Getter Plain "newlines" "(self, /)" "Which newlines were written."
        |args| Ok(newline::shown(this(args)?.seen.into()));
    Getter Plain "line_buffering" "(self, /)" "Whether each line is written at once: no."
        |args| this(args).map(|_| Value::FALSE);
    Method Plain "__getstate__" "(self, /)" "What copying keeps." state;
    Method Plain "__setstate__" "(self, state, /)" "Become what copying kept." set_state;
};
