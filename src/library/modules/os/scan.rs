//! `os.scandir`.

use super::{failed, path_arg, shown_like, stat, told};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::named_class;
use crate::interp::{operator, text};
use crate::library::builtins::{self, function, getter, method};
use crate::source::name;
use crate::value::*;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// One entry of a directory.
struct Entry {
    /// Its name and its path as a script sees them: bytes if the directory was named so.
    name: Value,
    shown: Value,
    path: PathBuf,
}

/// An open directory; none once it is closed.
struct Scan(RefCell<Option<std::vec::IntoIter<Value>>>);

pub fn entry_class() -> Ref<Class> {
    let class = named_class("posix.DirEntry");
    if class.own(name::REPR).is_none() {
        builtins::add(&class, ENTRY);
    }
    class
}

/// The entries of a directory, in the system's order.
fn entries(folder: &Value) -> Res<Vec<Value>> {
    let class = entry_class();
    let path = path_arg(folder, "scandir")?;
    let like = told(folder);
    // Entries of an open directory have no path but their names.
    let is_number = as_small(folder).is_some();
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(|e| failed(e, folder))? {
        let file = entry.map_err(|e| failed(e, folder))?.file_name();
        let name = shown_like(Path::new(&file), &like);
        let path = path.join(file);
        let shown = if is_number {
            name.clone()
        } else {
            shown_like(&path, &like)
        };
        all.push(Opaque::value(class.clone(), Entry { name, shown, path }));
    }
    Ok(all)
}

fn scandir(args: &[Value]) -> Res {
    let class = named_class("posix.ScandirIterator");
    if class.own(name::ITER).is_none() {
        builtins::add(&class, SCAN);
    }
    let here = Value::from(".");
    let entries = entries(args[0].given().unwrap_or(&here))?;
    Ok(Opaque::value(
        class,
        Scan(RefCell::new(Some(entries.into_iter()))),
    ))
}

fn entry(value: &Value) -> Res<&Entry> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("name", "posix.DirEntry", value))
}

/// What is known of an entry, by `follow_symlinks`; none if it is gone.
fn known(args: &[Value]) -> Res<std::io::Result<std::fs::Metadata>> {
    let path = &entry(&args[0])?.path;
    let follow = args[1].is_unset() || operator::truth(&args[1])?;
    Ok(if follow {
        std::fs::metadata(path)
    } else {
        std::fs::symlink_metadata(path)
    })
}

const FOLLOW: &str = "(self, /, *, follow_symlinks=True)";

const ENTRY: &[NativeDef] = &[
    getter("name", "The entry's name.", |args| {
        Ok(entry(&args[0])?.name.clone())
    }),
    getter("path", "The entry's path.", |args| {
        Ok(entry(&args[0])?.shown.clone())
    }),
    method("__fspath__", "(self, /)", "The entry's path.", |args| {
        Ok(entry(&args[0])?.shown.clone())
    }),
    method("is_dir", FOLLOW, "Tell whether it is a directory.", |args| {
        Ok(Value::bool(known(args)?.is_ok_and(|data| data.is_dir())))
    }),
    method("is_file", FOLLOW, "Tell whether it is a file.", |args| {
        Ok(Value::bool(known(args)?.is_ok_and(|data| data.is_file())))
    }),
    method(
        "is_symlink",
        "(self, /)",
        "Tell whether it is a symbolic link.",
        |args| Ok(Value::bool(entry(&args[0])?.path.is_symlink())),
    ),
    method("stat", FOLLOW, "Return what is known of it.", |args| {
        known(args)?
            .map(|data| stat::result(&data))
            .map_err(|e| failed(e, &args[0]))
    }),
    method("inode", "(self, /)", "Return its inode.", |args| {
        use std::os::unix::fs::MetadataExt;
        let data = std::fs::symlink_metadata(&entry(&args[0])?.path).map_err(|e| failed(e, &args[0]))?;
        Ok(Value::Int(data.ino() as i64))
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let name = text::repr(&entry(&args[0])?.name)?;
        Ok(Value::from(format!("<DirEntry {name}>")))
    }),
];

fn scan(value: &Value) -> Res<&Scan> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("__next__", "posix.ScandirIterator", value))
}

fn close(args: &[Value]) -> Res {
    let old = scan(&args[0])?.0.take();
    drop(old);
    Ok(Value::None)
}

const SCAN: &[NativeDef] = &[
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        Ok(args[0].clone())
    }),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        let item = scan(&args[0])?.0.borrow_mut().as_mut().and_then(Iterator::next);
        item.ok_or_else(|| stop_iteration(Value::None))
    }),
    method("close", "(self, /)", "Close the directory.", close),
    method("__enter__", "(self, /)", "The iterator.", |args| {
        Ok(args[0].clone())
    }),
    method("__exit__", "(self, /, *exc)", "Close the directory.", close),
];

pub const FUNCTIONS: &[NativeDef] = &[function(
    "scandir",
    "(path=None)",
    "Return an iterator of the entries of a directory.",
    scandir,
)];
