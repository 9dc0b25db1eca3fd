//! `os.stat` and `os.lstat`.

use super::{descriptor, failed, path_arg};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::library::builtins::function;
use crate::library::modules::struct_sequence;
use crate::source::Symbol;
use crate::value::*;
use num_bigint::BigInt;
use std::cell::RefCell;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

const FIELDS: &[&str] = &[
    "st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime", "st_mtime",
    "st_ctime",
];

thread_local! {
    static CLASS: RefCell<Option<Ref<Class>>> = const { RefCell::new(None) };
}

/// The class `os.stat_result` of this thread.
pub fn class() -> Ref<Class> {
    if let Some(class) = CLASS.with_borrow(Clone::clone) {
        return class;
    }
    let class = struct_sequence::class("os", "stat_result", FIELDS);
    // As attributes the times are floats, which the instances hold.
    for time in &FIELDS[7..] {
        class.delete(Symbol::new(time));
    }
    CLASS.set(Some(class.clone()));
    class
}

/// What is known of a file, as a script sees it.
pub fn result(data: &Metadata) -> Value {
    let int = |n: u64| Value::from(BigInt::from(n));
    let times = [
        ("st_atime", data.atime(), data.atime_nsec()),
        ("st_mtime", data.mtime(), data.mtime_nsec()),
        ("st_ctime", data.ctime(), data.ctime_nsec()),
    ];
    let mut items = vec![
        int(data.mode().into()),
        int(data.ino()),
        int(data.dev()),
        int(data.nlink()),
        int(data.uid().into()),
        int(data.gid().into()),
        int(data.size()),
    ];
    items.extend(times.iter().map(|&(_, seconds, _)| Value::Int(seconds)));
    let result = struct_sequence::value(&class(), items);
    if let Value::Instance(result) = &result {
        for (name, seconds, nanos) in times {
            result.set(
                Symbol::new(name),
                Value::float(seconds as f64 + 1e-9 * nanos as f64),
            );
            let exact = BigInt::from(seconds) * 1_000_000_000 + nanos;
            result.set(Symbol::new(&format!("{name}_ns")), Value::from(exact));
        }
        result.set(Symbol::new("st_blocks"), int(data.blocks()));
        result.set(Symbol::new("st_blksize"), int(data.blksize()));
    }
    result
}

fn stat(args: &[Value]) -> Res {
    let follow = args[1].is_unset() || crate::interp::operator::truth(&args[1])?;
    let path = path_arg(&args[0], "stat")?;
    if !follow && as_int(&args[0]).is_some() {
        return Err(value_error("stat: cannot use fd and follow_symlinks together"));
    }
    let data = if follow {
        std::fs::metadata(path)
    } else {
        std::fs::symlink_metadata(path)
    };
    data.map(|data| result(&data)).map_err(|e| failed(e, &args[0]))
}

fn lstat(args: &[Value]) -> Res {
    let data = std::fs::symlink_metadata(path_arg(&args[0], "lstat")?);
    data.map(|data| result(&data)).map_err(|e| failed(e, &args[0]))
}

pub const FUNCTIONS: &[NativeDef] = &[
    function("fstat", "(fd)", "Return what is known of an open file.", |args| {
        descriptor::metadata(&args[0]).map(|data| result(&data))
    }),
    function(
        "stat",
        "(path, *, follow_symlinks=True)",
        "Return what is known of a file.",
        stat,
    ),
    function(
        "lstat",
        "(path)",
        "Return what is known of a file or of a symbolic link itself.",
        lstat,
    ),
];
