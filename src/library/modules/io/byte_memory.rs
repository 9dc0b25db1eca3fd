//! `io.BytesIO`: bytes in memory as a stream.
//!
//! Always true: no borrow of the bytes is held while script code runs. `getbuffer` hands the bytes
//! themselves out, so a script may change them at any time.

use super::size;
use crate::interp::call;
use crate::interp::error::*;
use crate::interp::iterate;
use crate::interp::payload::*;
use crate::interp::types::{class_name, class_of, named_class};
use crate::library::asyncio::natives;
use crate::library::builtins;
use crate::source::{Symbol, name};
use crate::value::*;
use std::cell::{Cell, RefCell};

/// The class `io.BytesIO` of this thread.
pub fn class() -> Ref<Class> {
    let class = named_class("_io.BytesIO");
    if class.own(name::NEW).is_none() {
        builtins::add(&class, METHODS);
        class.set(name::DOC, Value::from("Bytes in memory as a stream."));
        class.has_dict.set(true);
    }
    class
}

/// The data of a stream.
struct Memory {
    /// None when it is closed.
    bytes: RefCell<Option<Ref<ByteArray>>>,
    /// Where it stands, perhaps beyond the end.
    at: Cell<usize>,
}

fn any(value: &Value) -> Res<&Memory> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("write", "_io.BytesIO", value))
}

/// The stream and its bytes, if it is open.
fn this(args: &[Value]) -> Res<(&Memory, Ref<ByteArray>)> {
    let memory = any(&args[0])?;
    match memory.bytes.borrow().clone() {
        Some(bytes) => Ok((memory, bytes)),
        None => Err(value_error("I/O operation on closed file.")),
    }
}

fn made(bytes: Vec<u8>) -> Ref<ByteArray> {
    Ref::new(ByteArray(RefCell::new(bytes)))
}

fn bytes_value(bytes: &[u8]) -> Value {
    Ref::new(Bytes(bytes.into())).into()
}

#[cold]
fn not_bytes(value: &Value) -> Raised {
    type_error(format!(
        "a bytes-like object is required, not '{}'",
        class_name(value)
    ))
}

fn init(args: &[Value]) -> Res {
    let bytes = match args[1].given() {
        None => Vec::new(),
        Some(given) => bytes_of(given).ok_or_else(|| not_bytes(given))?,
    };
    let memory = any(&args[0])?;
    memory.bytes.replace(Some(made(bytes)));
    memory.at.set(0);
    Ok(Value::None)
}

fn write(args: &[Value]) -> Res {
    let is_own = |memory: &Memory| {
        let bytes = memory.bytes.borrow();
        matches!((&args[1], &*bytes), (Value::ByteArray(given), Some(own)) if given.is(own))
    };
    if is_own(any(&args[0])?) {
        // What `getbuffer` gave: it cannot be read while it grows.
        let copy = bytes_value(&bytes_of(&args[1]).unwrap_or_default());
        return write(&[args[0].clone(), copy]);
    }
    let written = with_bytes(&args[1], |data| -> Res<usize> {
        let (memory, bytes) = this(args)?;
        let mut bytes = bytes.0.borrow_mut();
        let at = memory.at.get();
        let end = at + data.len();
        if !data.is_empty() {
            if bytes.len() < at {
                bytes.resize(at, 0);
            }
            let over = end.min(bytes.len()) - at;
            bytes[at..at + over].copy_from_slice(&data[..over]);
            bytes.extend_from_slice(&data[over..]);
        }
        memory.at.set(end);
        Ok(data.len())
    });
    match written {
        Some(count) => Ok(Value::from(count?)),
        None => Err(not_bytes(&args[1])),
    }
}

/// Takes the bytes from where it stands, as many as `length` says of those that are left.
fn take(args: &[Value], length: impl FnOnce(&[u8]) -> usize) -> Res {
    let (memory, bytes) = this(args)?;
    let bytes = bytes.0.borrow();
    let at = memory.at.get();
    let rest = bytes.get(at..).unwrap_or_default();
    let taken = &rest[..length(rest).min(rest.len())];
    memory.at.set(at + taken.len());
    Ok(bytes_value(taken))
}

fn read(args: &[Value]) -> Res {
    this(args)?;
    let size = size(&args[1])?;
    take(args, |rest| size.unwrap_or(rest.len()))
}

fn read_line(args: &[Value]) -> Res {
    this(args)?;
    let size = size(&args[1])?;
    take(args, |rest| {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        size.map_or(end, |size| end.min(size))
    })
}

fn read_lines(args: &[Value]) -> Res {
    this(args)?;
    let hint = size(&args[1])?.filter(|&hint| hint > 0);
    let (mut lines, mut total) = (Vec::new(), 0);
    while hint.is_none_or(|hint| total < hint) {
        let line = read_line(&[args[0].clone(), Value::None])?;
        let length = iterate::length(&line)?;
        if length == 0 {
            break;
        }
        total += length;
        lines.push(line);
    }
    Ok(Value::list(lines))
}

fn next(args: &[Value]) -> Res {
    // A subclass may have a `readline` of its own.
    let line = match class_of(&args[0]).is_script {
        false => read_line(&[args[0].clone(), Value::None])?,
        true => call::call_method(&args[0], Symbol::new("readline"), &[])?,
    };
    match crate::interp::operator::truth(&line)? {
        true => Ok(line),
        false => Err(stop_iteration(Value::None)),
    }
}

fn seek(args: &[Value]) -> Res {
    let (memory, bytes) = this(args)?;
    let (pos, whence) = (small(&args[1])?, args[2].given().map_or(Ok(0), small)?);
    let from = match whence {
        0 if pos < 0 => return Err(value_error(format!("negative seek value {pos}"))),
        0 => 0,
        1 => memory.at.get(),
        2 => bytes.0.borrow().len(),
        _ => {
            return Err(value_error(format!(
                "invalid whence ({whence}, should be 0, 1 or 2)"
            )));
        }
    };
    let target = usize::try_from((from as i64).saturating_add(pos)).unwrap_or(0);
    memory.at.set(target);
    Ok(Value::from(target))
}

fn truncate(args: &[Value]) -> Res {
    let (memory, bytes) = this(args)?;
    let size = match args[1].given() {
        None => memory.at.get() as i64,
        Some(size) => super::index(size)?,
    };
    let Ok(count) = usize::try_from(size) else {
        return Err(value_error(format!("negative size value {size}")));
    };
    bytes.0.borrow_mut().truncate(count);
    Ok(Value::Int(size))
}

/// What copying keeps: bytes, place, and the attributes.
fn state(args: &[Value]) -> Res {
    let (memory, bytes) = this(args)?;
    let kept = bytes_value(&bytes.0.borrow());
    Ok(Value::tuple([
        kept,
        memory.at.get().into(),
        super::attributes(&args[0]),
    ]))
}

fn set_state(args: &[Value]) -> Res {
    let wrong = || super::wrong_state("_io.BytesIO", 3, &args[1]);
    let [bytes, at, attributes] = as_tuple(&args[1])
        .and_then(|state| state.items.as_array())
        .ok_or_else(wrong)?;
    let bytes = bytes_of(bytes).ok_or_else(|| not_bytes(bytes))?;
    let at = usize::try_from(small(at)?).map_err(|_| value_error("position value cannot be negative"))?;
    let memory = any(&args[0])?;
    memory.bytes.replace(Some(made(bytes)));
    memory.at.set(at);
    super::set_attributes(&args[0], attributes)
}

const METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, /, *args, **kwargs)" "Create and return a new object." |args| {
        let bytes = RefCell::new(Some(made(Vec::new())));
        super::new(args, Memory { bytes, at: Cell::new(0) })
    };
    Method Plain "__init__" "(self, initial_bytes=b'')" "Initialize self." init;
    Method Plain "write" "(self, data, /)" "Write bytes and return how many." write;
    Method Plain "getvalue" "(self, /)" "All the bytes." |args| Ok(bytes_value(&this(args)?.1.0.borrow()));
    Method Plain "getbuffer" "(self, /)" "The bytes themselves, to be changed in place." |args| Ok(this(args)?.1.into());
    Method Plain "read" "(self, size=-1, /)" "At most so many bytes; all if size is negative." read;
    Method Plain "read1" "(self, size=-1, /)" "At most so many bytes; all if size is negative." read;
    Method Plain "readline" "(self, size=-1, /)"
        "A line with its newline, or its first bytes; empty at the end." read_line;
    Method Plain "readlines" "(self, size=None, /)"
        "The lines that are left, or the first with so many bytes or more in all." read_lines;
    Method Plain "__next__" "(self, /)" "The next line." next;
    Method Plain "seek" "(self, pos, whence=0, /)" "Go to a place and return it." seek;
    Method Plain "tell" "(self, /)" "The place where it stands." |args| Ok(Value::from(this(args)?.0.at.get()));
    Method Plain "truncate" "(self, size=None, /)" "Cut the bytes off at a size, by default where it stands." truncate;
    Method Plain "close" "(self, /)" "Let the bytes go." |args| {
        let old = any(&args[0])?.bytes.take();
        drop(old);
        Ok(Value::None)
    };
    Method Plain "flush" "(self, /)" "Nothing is held back." |args| this(args).map(|_| Value::None);
    Method Plain "readable" "(self, /)" "Whether it is open: it can do everything." |args| this(args).map(|_| Value::TRUE);
    Method Plain "writable" "(self, /)" "Whether it is open: it can do everything." |args| this(args).map(|_| Value::TRUE);
    Method Plain "seekable" "(self, /)" "Whether it is open: it can do everything." |args| this(args).map(|_| Value::TRUE);
    Getter Plain "closed" "(self, /)" "Whether it was closed."
        |args| Ok(any(&args[0])?.bytes.borrow().is_none().into());
    Method Plain "__getstate__" "(self, /)" "What copying keeps." state;
    Method Plain "__setstate__" "(self, state, /)" "Become what copying kept." set_state;
};
