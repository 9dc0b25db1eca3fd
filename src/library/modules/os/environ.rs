//! The environment that programs started by this one get; `os.environ`, over it, is written in aio.
//!
//! Always true: the process's own environment stays as it was; whoever starts a program passes
//! [`variables`] on.

use super::{failed, fspath};
use crate::interp::error::*;
use crate::interp::mapping;
use crate::interp::payload::*;
use crate::library::builtins::function;
use crate::source::Symbol;
use crate::value::*;
use indexmap::IndexMap;
use rustix::io::Errno;
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

thread_local! {
    /// The variables once the script has changed one.
    static CHANGED: RefCell<Option<IndexMap<OsString, OsString>>> = const { RefCell::new(None) };
}

/// The variables as they are now, for a program to be started.
pub fn variables() -> Vec<(OsString, OsString)> {
    CHANGED.with_borrow(|changed| match changed {
        Some(table) => table.iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
        None => std::env::vars_os().collect(),
    })
}

/// The text of one variable.
pub fn variable(name: &str) -> Option<String> {
    let value = CHANGED.with_borrow(|changed| match changed {
        Some(table) => table.get(OsStr::new(name)).cloned(),
        None => std::env::var_os(name).filter(|_| !name.is_empty()),
    });
    Some(value?.to_string_lossy().into_owned())
}

fn change(work: impl FnOnce(&mut IndexMap<OsString, OsString>)) {
    CHANGED.with_borrow_mut(|changed| work(changed.get_or_insert_with(|| std::env::vars_os().collect())));
}

/// The bytes of a name or value.
fn bytes(value: &Value) -> Res<Vec<u8>> {
    let path = fspath(value)?;
    let bytes = bytes_of(&path).unwrap_or_else(|| text_of(&path).unwrap_or("").as_bytes().to_vec());
    match bytes.contains(&0) {
        true => Err(value_error("embedded null byte")),
        false => Ok(bytes),
    }
}

fn invalid() -> Raised {
    failed(Errno::INVAL.into(), &Value::Unset)
}

fn put(args: &[Value]) -> Res {
    let (name, value) = (bytes(&args[0])?, bytes(&args[1])?);
    if name.contains(&b'=') {
        return Err(value_error("illegal environment variable name"));
    }
    if name.is_empty() {
        return Err(invalid());
    }
    change(|table| {
        table.insert(OsString::from_vec(name), OsString::from_vec(value));
    });
    Ok(Value::None)
}

fn unset(args: &[Value]) -> Res {
    let name = bytes(&args[0])?;
    if name.is_empty() || name.contains(&b'=') {
        return Err(invalid());
    }
    change(|table| {
        table.shift_remove(OsStr::from_bytes(&name));
    });
    Ok(Value::None)
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "putenv",
        "(name, value, /)",
        "Set a variable of the environment.",
        put,
    ),
    function(
        "unsetenv",
        "(name, /)",
        "Remove a variable of the environment.",
        unset,
    ),
];

/// `_environ`: the variables with which the script began.
pub fn module() -> Vec<(Symbol, Value)> {
    let data = Ref::new(Dict::default());
    let bytes = |text: OsString| Value::from(Ref::new(Bytes(text.into_vec().into())));
    for (name, value) in variables() {
        // Bytes are hashed without asking anybody.
        if let Err(raised) = mapping::dict_set(&data, &bytes(name), bytes(value)) {
            drop(raised.take());
        }
    }
    vec![(Symbol::new("variables"), data.into())]
}
