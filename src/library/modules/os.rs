//! `os`: files, processes and the environment; `os.path` is in `os/path.rs`.

mod descriptor;
pub mod environ;
mod path;
mod process;
mod scan;
mod stat;
mod system;

pub use descriptor::copy as copy_descriptor;
pub use path::module as path_module;

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{self, Type, class_name, class_of};
use crate::interp::{call, import, iterate, operator, os_error};
use crate::library::builtins::{self, class_method, function, method};
use crate::source::Symbol;
use crate::value::*;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The exception for a failed call that was about a file.
#[cold]
fn failed(error: io::Error, file: &Value) -> Raised {
    Raised::new(os_error::of_io(&error, (!file.is_unset()).then(|| told(file))))
}

/// A file as an exception names it: a path object by its text.
fn told(file: &Value) -> Value {
    match file {
        Value::Instance(_) | Value::Opaque(_) => fspath(file).unwrap_or_else(|raised| {
            drop(raised.take());
            file.clone()
        }),
        file => file.clone(),
    }
}

/// The exception for a failed call that was about two files.
#[cold]
fn failed_two(error: io::Error, from: &Value, to: &Value) -> Raised {
    let exception = os_error::of_io(&error, Some(told(from)));
    exception.parts.set(crate::source::name::FILENAME2, told(to));
    Raised::new(exception)
}

/// `os.fspath(value)`: a str or bytes.
pub fn fspath(value: &Value) -> Res {
    if as_str(value).is_some() || as_bytes(value).is_some() {
        return Ok(value.clone());
    }
    match call::call_special(value, Symbol::new("__fspath__"), &[]) {
        Some(made) => {
            let made = made?;
            if as_str(&made).is_some() || as_bytes(&made).is_some() {
                return Ok(made);
            }
            Err(type_error(format!(
                "expected {}.__fspath__() to return str or bytes, not {}",
                class_name(value),
                class_name(&made)
            )))
        }
        None => Err(type_error(format!(
            "expected str, bytes or os.PathLike object, not {}",
            class_of(value).name()
        ))),
    }
}

/// The functions that also take the number of an open file.
const TAKE_NUMBERS: &[&str] = &[
    "chdir", "chmod", "chown", "listdir", "scandir", "stat", "statvfs", "truncate", "utime",
];

/// A path argument of a function.
pub fn path_arg(value: &Value, function: &str) -> Res<PathBuf> {
    let takes_number = TAKE_NUMBERS.contains(&function);
    if takes_number && as_int(value).is_some() {
        return descriptor::path(value, function);
    }
    let is_path = as_str(value).is_some()
        || as_bytes(value).is_some()
        || call::special(value, Symbol::new("__fspath__")).is_some();
    if !is_path {
        return Err(type_error(format!(
            "{function}: path should be string, bytes{}, not {}",
            match function {
                "listdir" | "scandir" => ", os.PathLike, integer or None",
                _ if takes_number => ", os.PathLike or integer",
                _ => " or os.PathLike",
            },
            class_of(value).name()
        )));
    }
    let value = fspath(value)?;
    let path = match bytes_of(&value) {
        Some(bytes) => PathBuf::from(OsString::from_vec(bytes)),
        None => PathBuf::from(text_of(&value).unwrap_or("")),
    };
    if path.as_os_str().as_bytes().contains(&0) {
        return Err(value_error(format!(
            "{function}: embedded null character in path"
        )));
    }
    Ok(path)
}

/// A path as bytes if `like` is bytes, else as a str.
fn shown_like(path: &Path, like: &Value) -> Value {
    match as_bytes(like) {
        Some(_) => Ref::new(Bytes(path.as_os_str().as_bytes().into())).into(),
        None => shown(path),
    }
}

/// A path as a str.
fn shown(path: &Path) -> Value {
    Value::from(path.to_string_lossy().into_owned())
}

/// Does something with the path that the first argument names.
fn with_path(args: &[Value], function: &str, act: impl FnOnce(&Path) -> io::Result<()>) -> Res {
    let path = path_arg(&args[0], function)?;
    act(&path).map_err(|e| failed(e, &args[0]))?;
    Ok(Value::None)
}

/// Does something with the paths that the first two arguments name.
fn with_two(args: &[Value], function: &str, act: impl FnOnce(&Path, &Path) -> io::Result<()>) -> Res {
    let (from, to) = (path_arg(&args[0], function)?, path_arg(&args[1], function)?);
    act(&from, &to).map_err(|e| failed_two(e, &args[0], &args[1]))?;
    Ok(Value::None)
}

fn mode(value: &Value) -> Res<u32> {
    Ok(if value.is_unset() {
        0o777
    } else {
        small(value)? as u32
    })
}

fn flag(value: &Value) -> Res<bool> {
    Ok(!value.is_unset() && operator::truth(value)?)
}

fn getcwd(_: &[Value]) -> Res {
    std::env::current_dir()
        .map(|path| shown(&path))
        .map_err(|e| failed(e, &Value::Unset))
}

fn listdir(args: &[Value]) -> Res {
    let here = Value::from(".");
    let folder = args[0].given().unwrap_or(&here);
    let entries = std::fs::read_dir(path_arg(folder, "listdir")?).map_err(|e| failed(e, folder))?;
    let like = told(folder);
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| failed(e, folder))?.file_name();
        names.push(shown_like(Path::new(&name), &like));
    }
    Ok(Value::list(names))
}

fn mkdir(args: &[Value]) -> Res {
    let mode = mode(&args[1])?;
    with_path(args, "mkdir", |path| {
        std::fs::DirBuilder::new().mode(mode).create(path)
    })
}

fn makedirs(args: &[Value]) -> Res {
    let (path, mode, exist_ok) = (path_arg(&args[0], "makedirs")?, mode(&args[1])?, flag(&args[2])?);
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
        && !parent.exists()
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .create(parent)
            .map_err(|e| failed(e, &shown(parent)))?;
    }
    match std::fs::DirBuilder::new().mode(mode).create(&path) {
        Err(_) if exist_ok && path.is_dir() => Ok(Value::None),
        Err(error) => Err(failed(error, &args[0])),
        Ok(()) => Ok(Value::None),
    }
}

fn removedirs(args: &[Value]) -> Res {
    let path = path_arg(&args[0], "removedirs")?;
    std::fs::remove_dir(&path).map_err(|e| failed(e, &args[0]))?;
    // Parents go as long as they are empty.
    let empty = path.ancestors().skip(1).take_while(|p| !p.as_os_str().is_empty());
    let _ = empty.map(std::fs::remove_dir).find(|result| result.is_err());
    Ok(Value::None)
}

/// Removes a file; a folder is told apart from a file without rights, as on Linux.
fn remove(args: &[Value]) -> Res {
    with_path(args, "remove", |path| std::fs::remove_file(path))
}

fn access(args: &[Value]) -> Res {
    let path = path_arg(&args[0], "access")?;
    let wanted = rustix::fs::Access::from_bits_truncate(small(&args[1])? as _);
    Ok(Value::bool(rustix::fs::access(path, wanted).is_ok()))
}

fn kill(args: &[Value]) -> Res {
    let (pid, signal) = (int32(&args[0])?, small(&args[1])?);
    let error = |e: rustix::io::Errno| failed(e.into(), &Value::Unset);
    if signal == 0 {
        let Some(pid) = rustix::process::Pid::from_raw(pid) else {
            return Ok(Value::None);
        };
        rustix::process::test_kill_process(pid).map_err(error)?;
        return Ok(Value::None);
    }
    let known = i32::try_from(signal)
        .ok()
        .and_then(rustix::process::Signal::from_named_raw);
    let Some(signal) = known else {
        return Err(error(rustix::io::Errno::INVAL));
    };
    if pid == std::process::id() as i32 {
        // On this very thread, so that the signal has arrived when the call is over.
        crate::runtime::signal::send_self(signal.as_raw())?;
        return Ok(Value::None);
    }
    match rustix::process::Pid::from_raw(pid.saturating_abs()) {
        None => rustix::process::kill_current_process_group(signal).map_err(error)?,
        Some(group) if pid < 0 => rustix::process::kill_process_group(group, signal).map_err(error)?,
        Some(process) => rustix::process::kill_process(process, signal).map_err(error)?,
    }
    Ok(Value::None)
}

fn urandom(args: &[Value]) -> Res {
    let size = usize::try_from(small(&args[0])?).map_err(|_| value_error("negative argument not allowed"))?;
    random_bytes(size).map(|bytes| Ref::new(Bytes(bytes.into())).into())
}

/// More random bytes are not asked for at once.
const MOST_BYTES: usize = 1 << 31;

/// Bytes that nobody can guess.
pub fn random_bytes(size: usize) -> Res<Vec<u8>> {
    if size > MOST_BYTES {
        return Err(raise_empty(Type::MemoryError));
    }
    let mut bytes = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(failed(e.into(), &Value::Unset)),
        }
    }
    Ok(bytes)
}

fn cpu_count(_: &[Value]) -> Res {
    Ok(std::thread::available_parallelism().map_or(Value::None, |n| Value::from(n.get())))
}

fn strerror(args: &[Value]) -> Res {
    let errno = small(&args[0])?;
    let text = io::Error::from_raw_os_error(i32::try_from(errno).unwrap_or(-1)).to_string();
    Ok(Value::from(
        text.rsplit_once(" (os error")
            .map_or(&*text, |(message, _)| message),
    ))
}

fn terminal_size(args: &[Value]) -> Res {
    let class = super::struct_sequence::class("os", "terminal_size", &["columns", "lines"]);
    let stdout = Value::Int(1);
    let size = descriptor::window(args[0].given().unwrap_or(&stdout))?;
    let items = vec![
        Value::Int(i64::from(size.ws_col)),
        Value::Int(i64::from(size.ws_row)),
    ];
    Ok(super::struct_sequence::value(&class, items))
}

#[allow(
    clippy::disallowed_methods,
    reason = "a script's os._exit ends the process at once, flushing nothing"
)]
fn exit(args: &[Value]) -> Res {
    std::process::exit(small(&args[0])? as i32)
}

fn fsencode(args: &[Value]) -> Res {
    let path = fspath(&args[0])?;
    let bytes = bytes_of(&path).unwrap_or_else(|| text_of(&path).unwrap_or("").as_bytes().to_vec());
    Ok(Ref::new(Bytes(bytes.into())).into())
}

fn fsdecode(args: &[Value]) -> Res {
    let path = fspath(&args[0])?;
    Ok(match bytes_of(&path) {
        Some(bytes) => Value::from(String::from_utf8_lossy(&bytes).into_owned()),
        None => path,
    })
}

fn chmod(args: &[Value]) -> Res {
    let mode = small(&args[1])? as u32;
    with_path(args, "chmod", |path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
    })
}

fn truncate(args: &[Value]) -> Res {
    let length =
        u64::try_from(small(&args[1])?).map_err(|_| failed(rustix::io::Errno::INVAL.into(), &args[0]))?;
    with_path(args, "truncate", |path| {
        std::fs::OpenOptions::new()
            .write(true)
            .open(path)?
            .set_len(length)
    })
}

fn number(n: impl Into<u64>) -> Res {
    Ok(Value::Int(n.into() as i64))
}

const FUNCTIONS: &[NativeDef] = &[
    function("fspath", "(path)", "Return the path as a str or bytes.", |args| {
        fspath(&args[0])
    }),
    function("fsencode", "(filename)", "Return a path as bytes.", fsencode).in_python("os"),
    function("fsdecode", "(filename)", "Return a path as a str.", fsdecode).in_python("os"),
    function("getcwd", "()", "Return the working directory.", getcwd),
    function("chdir", "(path)", "Change the working directory.", |args| {
        with_path(args, "chdir", |path| std::env::set_current_dir(path))
    }),
    function(
        "listdir",
        "(path=None)",
        "Return the names in a directory.",
        listdir,
    ),
    function("mkdir", "(path, mode=511)", "Make a directory.", mkdir),
    function(
        "makedirs",
        "(name, mode=511, exist_ok=False)",
        "Make a directory and those above it.",
        makedirs,
    )
    .in_python("os"),
    function("remove", "(path)", "Remove a file.", remove),
    function("unlink", "(path)", "Remove a file.", remove),
    function("rmdir", "(path)", "Remove an empty directory.", |args| {
        with_path(args, "rmdir", |path| std::fs::remove_dir(path))
    }),
    function(
        "removedirs",
        "(name)",
        "Remove an empty directory and the empty ones above it.",
        removedirs,
    )
    .in_python("os"),
    function("rename", "(src, dst)", "Rename a file or directory.", |args| {
        with_two(args, "rename", |from, to| std::fs::rename(from, to))
    }),
    function(
        "replace",
        "(src, dst)",
        "Rename a file or directory, over what is there.",
        |args| with_two(args, "replace", |from, to| std::fs::rename(from, to)),
    ),
    function("link", "(src, dst)", "Give a file a second name.", |args| {
        with_two(args, "link", |from, to| std::fs::hard_link(from, to))
    }),
    function(
        "symlink",
        "(src, dst, target_is_directory=False)",
        "Make dst a symbolic link to src.",
        |args| with_two(args, "symlink", |from, to| std::os::unix::fs::symlink(from, to)),
    ),
    function(
        "readlink",
        "(path)",
        "Return where a symbolic link leads.",
        |args| {
            let path = path_arg(&args[0], "readlink")?;
            let to = std::fs::read_link(path).map_err(|e| failed(e, &args[0]))?;
            Ok(shown_like(&to, &fspath(&args[0])?))
        },
    ),
    function("chmod", "(path, mode)", "Set who may do what with a file.", chmod),
    function(
        "truncate",
        "(path, length)",
        "Set the length of a file.",
        truncate,
    ),
    function(
        "access",
        "(path, mode)",
        "Tell whether the user may do something with a file.",
        access,
    ),
    function("getpid", "()", "Return the number of this process.", |_| {
        number(std::process::id())
    }),
    function(
        "getppid",
        "()",
        "Return the number of the parent process.",
        |_| number(std::os::unix::process::parent_id()),
    ),
    function("getuid", "()", "Return the user's number.", |_| {
        number(rustix::process::getuid().as_raw())
    }),
    function(
        "geteuid",
        "()",
        "Return the number of the user whose rights count.",
        |_| number(rustix::process::geteuid().as_raw()),
    ),
    function("getgid", "()", "Return the group's number.", |_| {
        number(rustix::process::getgid().as_raw())
    }),
    function(
        "getegid",
        "()",
        "Return the number of the group whose rights count.",
        |_| number(rustix::process::getegid().as_raw()),
    ),
    function("kill", "(pid, signal, /)", "Send a signal to a process.", kill),
    function(
        "cpu_count",
        "()",
        "Return how many processors there are.",
        cpu_count,
    ),
    function(
        "process_cpu_count",
        "()",
        "Return how many processors this process may use.",
        cpu_count,
    )
    .in_python("os"),
    function(
        "urandom",
        "(size, /)",
        "Return bytes that nobody can guess.",
        urandom,
    ),
    function(
        "strerror",
        "(code, /)",
        "Return the message of an error number.",
        strerror,
    ),
    function(
        "get_terminal_size",
        "(fd=1, /)",
        "Return how many columns and lines the terminal has.",
        terminal_size,
    ),
    function("_exit", "(status)", "End the process at once.", exit),
];

/// Whether a class counts as a subclass of `os.PathLike`, or of a script's class over it.
fn is_path_like(of: &Value, subclass: &Ref<Class>) -> bool {
    let Some(of) = as_class(of) else { return false };
    subclass.is_subclass(of) || (!of.is_script && subclass.lookup(Symbol::new("__fspath__")).is_some())
}

const PATH_LIKE_META: &[NativeDef] = &[
    method(
        "__instancecheck__",
        "(cls, instance, /)",
        "Objects with __fspath__ are path-like.",
        |args| Ok(Value::bool(is_path_like(&args[0], &class_of(&args[1])))),
    ),
    method(
        "__subclasscheck__",
        "(cls, subclass, /)",
        "Classes with __fspath__ are path-like.",
        |args| match as_class(&args[1]) {
            Some(subclass) => Ok(Value::bool(is_path_like(&args[0], subclass))),
            None => Err(type_error("issubclass() arg 1 must be a class")),
        },
    ),
];

/// `os.PathLike`: a base for classes with `__fspath__`, which all of them seem to have.
fn path_like() -> Ref<Class> {
    let meta = types::class(Type::Class);
    let meta = Class::new(
        Symbol::new("ABCMeta"),
        vec![meta.clone()],
        meta.linear(),
        Layout::Class,
        false,
    );
    let meta = Ref::new(meta);
    *meta.module.borrow_mut() = Value::from("abc");
    builtins::add(&meta, PATH_LIKE_META);
    let object = types::class(Type::Object);
    let class = Class::new(
        Symbol::new("PathLike"),
        vec![object.clone()],
        vec![object],
        Layout::Object,
        false,
    );
    let class = Ref::new(class);
    *class.module.borrow_mut() = Value::from("os");
    *class.metaclass.borrow_mut() = Some(meta);
    let hook = class_method(
        "__subclasshook__",
        "(cls, subclass, /)",
        "Classes with __fspath__ are path-like.",
        |args| {
            let (of, subclass) = (as_class(&args[0]), as_class(&args[1]));
            let is_own = of.is_some_and(|of| !of.is_script);
            match subclass.and_then(|subclass| subclass.lookup(Symbol::new("__fspath__"))) {
                Some(_) if is_own => Ok(Value::TRUE),
                _ => Ok(Value::NotImplemented),
            }
        },
    );
    class.set(hook.key(), Native::of(&hook, class.name()).into());
    let generic = class_method("__class_getitem__", "(cls, item, /)", "See PEP 585.", |args| {
        Ok(crate::interp::isinstance::generic_alias(&args[0], &args[1]))
    });
    class.set(generic.key(), Native::of(&generic, class.name()).into());
    class
}

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions(
        "posix",
        &[
            FUNCTIONS,
            descriptor::FUNCTIONS,
            process::FUNCTIONS,
            stat::FUNCTIONS,
            system::FUNCTIONS,
            scan::FUNCTIONS,
            environ::FUNCTIONS,
        ],
    );
    let path = Ref::new(Module::new(Symbol::new("posixpath")));
    path.set(crate::source::name::NAME, Value::from("posixpath"));
    path_module()
        .into_iter()
        .for_each(|(name, value)| path.set(name, value));
    let path = Value::from(path);
    import::register(Symbol::new("os.path"), path.clone());
    let constants = [
        ("name", Value::from("posix")),
        ("sep", Value::from("/")),
        ("altsep", Value::None),
        ("extsep", Value::from(".")),
        ("pathsep", Value::from(":")),
        ("linesep", Value::from("\n")),
        ("curdir", Value::from(".")),
        ("pardir", Value::from("..")),
        ("defpath", Value::from("/bin:/usr/bin")),
        ("devnull", Value::from("/dev/null")),
        ("F_OK", Value::Int(0)),
        ("R_OK", Value::Int(4)),
        ("W_OK", Value::Int(2)),
        ("X_OK", Value::Int(1)),
        ("EX_OK", Value::Int(0)),
        ("EX_USAGE", Value::Int(64)),
        ("EX_DATAERR", Value::Int(65)),
        ("EX_NOINPUT", Value::Int(66)),
        ("EX_UNAVAILABLE", Value::Int(69)),
        ("EX_SOFTWARE", Value::Int(70)),
        ("EX_OSERR", Value::Int(71)),
        ("EX_IOERR", Value::Int(74)),
        ("EX_TEMPFAIL", Value::Int(75)),
        ("EX_NOPERM", Value::Int(77)),
        ("EX_CONFIG", Value::Int(78)),
        ("O_RDONLY", Value::Int(0)),
        ("O_WRONLY", Value::Int(1)),
        ("O_RDWR", Value::Int(2)),
        ("O_CREAT", Value::Int(0o100)),
        ("O_EXCL", Value::Int(0o200)),
        ("O_TRUNC", Value::Int(0o1000)),
        ("O_APPEND", Value::Int(0o2000)),
        ("O_ACCMODE", Value::Int(3)),
        ("O_SYNC", Value::Int(0o4010000)),
        ("supports_bytes_environ", Value::TRUE),
        ("O_NONBLOCK", Value::Int(0o4000)),
        ("O_DIRECTORY", Value::Int(0o200000)),
        ("O_NOFOLLOW", Value::Int(0o400000)),
        ("O_CLOEXEC", Value::Int(0o2000000)),
        ("SEEK_SET", Value::Int(0)),
        ("SEEK_CUR", Value::Int(1)),
        ("SEEK_END", Value::Int(2)),
        ("path", path),
        ("error", types::class(Type::OSError).into()),
        ("PathLike", path_like().into()),
        (
            "terminal_size",
            super::struct_sequence::class("os", "terminal_size", &["columns", "lines"]).into(),
        ),
        ("stat_result", stat::class().into()),
        ("statvfs_result", system::statvfs_class().into()),
        ("times_result", process::times_class().into()),
        ("DirEntry", scan::entry_class().into()),
    ];
    names.extend(
        constants
            .into_iter()
            .map(|(name, value)| (Symbol::new(name), value)),
    );
    names
}

/// The items of an argument that is an iterable of paths.
fn paths_of(value: &Value) -> Res<Vec<Value>> {
    iterate::collect(value)?.iter().map(fspath).collect()
}

/// The class of a value's own kind of path: str or bytes.
fn is_kind(value: &Value, other: &Value) -> bool {
    class_of(plain(value)).is(&class_of(plain(other)))
}
