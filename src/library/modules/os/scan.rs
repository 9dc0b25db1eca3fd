//! `os.scandir` and `os.walk`.

use super::{failed, flag, path_arg, shown, stat};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::named_class;
use crate::interp::{call, iterate, operator, text};
use crate::library::builtins::{self, function, getter, method};
use crate::source::name;
use crate::value::*;
use std::cell::RefCell;
use std::path::PathBuf;

/// One entry of a directory.
struct Entry {
    name: String,
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
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(|e| failed(e, folder))? {
        let file = entry.map_err(|e| failed(e, folder))?.file_name();
        let name = file.to_string_lossy().into_owned();
        all.push(Opaque::value(
            class.clone(),
            Entry {
                name,
                path: path.join(file),
            },
        ));
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
        Ok(Value::from(entry(&args[0])?.name.as_str()))
    }),
    getter("path", "The entry's path.", |args| {
        Ok(shown(&entry(&args[0])?.path))
    }),
    method("__fspath__", "(self, /)", "The entry's path.", |args| {
        Ok(shown(&entry(&args[0])?.path))
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
        let name = Value::from(entry(&args[0])?.name.as_str());
        Ok(Value::from(format!("<DirEntry {}>", text::repr(&name)?)))
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

/// What a walk still has to do.
enum Step {
    Visit(Value),
    /// The subdirectories of a directory that was given out, which the script may have changed.
    Enter(String, Ref<List>),
    Give(Value),
}

fn walk(args: &[Value]) -> Res {
    let top = super::fspath(&args[0])?;
    let topdown = args[1].is_unset() || operator::truth(&args[1])?;
    let (on_error, follow) = (args[2].given().cloned(), flag(&args[3])?);
    let steps = RefCell::new(vec![Step::Visit(top)]);
    Ok(NativeIterator::from_fn("generator", move || {
        loop {
            let Some(step) = steps.borrow_mut().pop() else {
                return Ok(None);
            };
            match step {
                Step::Give(row) => return Ok(Some(row)),
                Step::Enter(top, folders) => {
                    for folder in iterate::collect(&folders.into())?.iter().rev() {
                        let path = super::path::join(&top, text_of(folder).unwrap_or(""));
                        if follow || !std::path::Path::new(&path).is_symlink() {
                            steps.borrow_mut().push(Step::Visit(Value::from(path)));
                        }
                    }
                }
                Step::Visit(top) => {
                    let found = match entries(&top) {
                        Ok(found) => found,
                        Err(raised) => {
                            let error = raised.take();
                            if let Some(on_error) = &on_error {
                                call::call(on_error, &[error.into()])?;
                            }
                            continue;
                        }
                    };
                    let (mut folders, mut files) = (Vec::new(), Vec::new());
                    for found in &found {
                        let entry = entry(found)?;
                        let kind = if entry.path.is_dir() {
                            &mut folders
                        } else {
                            &mut files
                        };
                        kind.push(Value::from(entry.name.as_str()));
                    }
                    let folders = Ref::new(List::new(folders));
                    let path = text_of(&top).unwrap_or("").to_string();
                    let row = Value::tuple([top, folders.clone().into(), Value::list(files)]);
                    let enter = Step::Enter(path, folders);
                    if topdown {
                        steps.borrow_mut().push(enter);
                        return Ok(Some(row));
                    }
                    steps.borrow_mut().extend([Step::Give(row), enter]);
                }
            }
        }
    }))
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "scandir",
        "(path=None)",
        "Return an iterator of the entries of a directory.",
        scandir,
    ),
    function(
        "walk",
        "(top, topdown=True, onerror=None, followlinks=False)",
        "Go through a directory and all below it.",
        walk,
    ),
];
