//! What `Pattern.scanner` gives: a search that is taken up again with each call.

use super::pattern::Scan;
use crate::interp::payload::*;
use crate::interp::types::named_class;
use crate::library::builtins::{getter, method, readonly};
use crate::value::*;

pub const CLASS: &str = "_sre.SRE_Scanner";

pub fn new(args: &[Value]) -> Res {
    let scan = Scan::new(&args[0], &args[1], &args[2], &args[3])?;
    Ok(Opaque::value(named_class(CLASS), scan))
}

fn this(value: &Value) -> Res<&Scan> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("match", "_sre.SRE_Scanner", value))
}

pub const METHODS: &[NativeDef] = &[
    method(
        "match",
        "(self, /)",
        "Match where the last match ended.",
        |args| this(&args[0])?.next_found(true),
    ),
    method("search", "(self, /)", "Find the next match.", |args| {
        this(&args[0])?.next_found(false)
    }),
    readonly("pattern"),
    getter("pattern", "The pattern that is searched for.", |args| {
        Ok(this(&args[0])?.pattern())
    }),
];
