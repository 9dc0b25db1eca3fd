//! Open files by number: `os.open`, `os.read`, `os.write` and the like, on which `io` is built.
//!
//! Always true: a number stands for a file that this program opened itself, or for one of the three
//! standard streams; any other is a bad file descriptor.

use super::{failed, flag, path_arg};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_name, class_of};
use crate::interp::{attribute, call, import, text};
use crate::library::builtins::function;
use crate::runtime::{console, input};
use crate::source::Symbol;
use crate::text::int::Int;
use crate::value::*;
use num_bigint::BigInt;
use rustc_hash::FxHashMap;
use rustix::event::epoll;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, SeekFrom};
use rustix::io::Errno;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

thread_local! {
    static OPEN: RefCell<FxHashMap<i64, Rc<OwnedFd>>> = RefCell::default();
    /// Copies of the standard streams that were watched.
    static STANDARD: RefCell<FxHashMap<i64, Rc<OwnedFd>>> = RefCell::default();
}

/// The most that one read asks for.
pub const MOST: i64 = 1 << 30;

/// Gives an open file its number.
fn keep(file: OwnedFd) -> i64 {
    let number = i64::from(file.as_raw_fd());
    let old = OPEN.with_borrow_mut(|open| open.insert(number, Rc::new(file)));
    drop(old);
    number
}

fn wrong(errno: Errno) -> Raised {
    failed(errno.into(), &Value::Unset)
}

/// Works with the file of a number.
pub fn with<T>(number: &Value, work: impl FnOnce(BorrowedFd) -> Res<T>) -> Res<T> {
    let number = small(number)?;
    if let Some(file) = OPEN.with_borrow(|open| open.get(&number).cloned()) {
        return work(file.as_fd());
    }
    match number {
        0 => work(std::io::stdin().as_fd()),
        1 => work(std::io::stdout().as_fd()),
        2 => work(std::io::stderr().as_fd()),
        _ if i32::try_from(number).is_err() => {
            Err(overflow_error("Python int too large to convert to C int"))
        }
        _ => Err(wrong(Errno::BADF)),
    }
}

/// Whether a number stands for a terminal.
pub fn is_terminal(number: &Value) -> Res<bool> {
    Ok(
        with(number, |file| Ok(rustix::termios::isatty(file))).unwrap_or_else(|raised| {
            drop(raised.take());
            false
        }),
    )
}

/// The size of the terminal of a number.
pub fn window(number: &Value) -> Res<rustix::termios::Winsize> {
    with(number, |file| rustix::termios::tcgetwinsize(file).map_err(wrong))
}

/// The file of a number, if a loop can watch it: the system tells nothing of plain files.
pub fn watchable(number: &Value) -> Res<Rc<OwnedFd>> {
    let own = OPEN.with_borrow(|open| open.get(&small(number).unwrap_or(-1)).cloned());
    let file = match own {
        Some(file) => file,
        None => STANDARD.with_borrow_mut(|kept| {
            let place = small(number)?;
            match kept.get(&place) {
                Some(file) => Ok(file.clone()),
                None => {
                    let file = Rc::new(copy(number)?);
                    kept.insert(place, file.clone());
                    Ok(file)
                }
            }
        })?,
    };
    let asked = epoll::create(epoll::CreateFlags::CLOEXEC).and_then(|list| {
        let nothing = epoll::EventData::new_u64(0);
        epoll::add(&list, &file, nothing, epoll::EventFlags::IN)
    });
    asked.map(|()| file).map_err(wrong)
}

/// Another descriptor of the file of a number.
pub fn copy(number: &Value) -> Res<OwnedFd> {
    with(number, |file| {
        file.try_clone_to_owned().map_err(|e| failed(e, &Value::Unset))
    })
}

/// What is known of the file of a number.
pub fn metadata(number: &Value) -> Res<std::fs::Metadata> {
    std::fs::File::from(copy(number)?)
        .metadata()
        .map_err(|e| failed(e, &Value::Unset))
}

/// A path to the file of a number, for a function that takes either.
pub fn path(number: &Value, function: &str) -> Res<PathBuf> {
    let is_less = match as_int(number) {
        Some(Int::Small(number)) => (i32::try_from(number).is_err()).then_some(number < 0),
        Some(Int::Big(number)) => Some(number < BigInt::ZERO),
        None => None,
    };
    match is_less {
        Some(true) => return Err(overflow_error("fd is less than minimum")),
        Some(false) => return Err(overflow_error("fd is greater than maximum")),
        None => {}
    }
    match with(number, |file| Ok(file.as_raw_fd())) {
        Ok(file) => Ok(PathBuf::from(format!("/proc/self/fd/{file}"))),
        Err(raised) if matches!(function, "listdir" | "scandir" | "truncate") => Err(raised),
        Err(raised) => {
            drop(raised.take());
            Err(failed(Errno::BADF.into(), number))
        }
    }
}

fn open(args: &[Value]) -> Res {
    let path = path_arg(&args[0], "open")?;
    let flags = OFlags::from_bits_retain(small(&args[1])? as u32) | OFlags::CLOEXEC;
    let mode = Mode::from_bits_truncate(super::mode(&args[2])?);
    loop {
        match rustix::fs::open(&path, flags, mode) {
            Ok(file) => return Ok(Value::Int(keep(file))),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(failed(errno.into(), &args[0])),
        }
    }
}

/// Closes a file; the standard streams stay open, for reports.
fn close(args: &[Value]) -> Res {
    let number = small(&args[0])?;
    let old = OPEN.with_borrow_mut(|open| open.remove(&number));
    if old.is_none() && !(0..=2).contains(&number) {
        return Err(wrong(Errno::BADF));
    }
    if number == 1 {
        console::flush();
    }
    drop(old);
    Ok(Value::None)
}

fn read(args: &[Value]) -> Res {
    let most = small(&args[1])?;
    let Ok(most) = usize::try_from(most.min(MOST)) else {
        return Err(wrong(Errno::INVAL));
    };
    let bytes = with(&args[0], |file| {
        input::wait_readable(file)?.map_err(|e| failed(e, &Value::Unset))?;
        let mut bytes = vec![0; most];
        loop {
            match rustix::io::read(file, &mut bytes) {
                Ok(n) => {
                    bytes.truncate(n);
                    return Ok(bytes);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(wrong(errno)),
            }
        }
    })?;
    Ok(Ref::new(Bytes(bytes.into())).into())
}

fn write(args: &[Value]) -> Res {
    let Some(bytes) = bytes_of(&args[1]) else {
        return Err(type_error(format!(
            "a bytes-like object is required, not '{}'",
            class_name(&args[1])
        )));
    };
    let is_kept = |n| OPEN.with_borrow(|open| open.contains_key(&n));
    match small(&args[0])? {
        1 if !is_kept(1) => {
            console::write_bytes(&bytes);
            console::flush();
            return Ok(Value::from(bytes.len()));
        }
        2 if !is_kept(2) => {
            console::write_error(&String::from_utf8_lossy(&bytes));
            return Ok(Value::from(bytes.len()));
        }
        _ => {}
    }
    with(&args[0], |file| {
        loop {
            match rustix::io::write(file, &bytes) {
                Ok(n) => return Ok(Value::from(n)),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(wrong(errno)),
            }
        }
    })
}

fn seek(args: &[Value]) -> Res {
    let place = small(&args[1])?;
    let place = match small(&args[2])? {
        0 => SeekFrom::Start(u64::try_from(place).map_err(|_| wrong(Errno::INVAL))?),
        1 => SeekFrom::Current(place),
        2 => SeekFrom::End(place),
        _ => return Err(wrong(Errno::INVAL)),
    };
    with(&args[0], |file| {
        let at = rustix::fs::seek(file, place).map_err(wrong)?;
        Ok(Value::Int(at as i64))
    })
}

fn length(value: &Value) -> Res<u64> {
    u64::try_from(small(value)?).map_err(|_| wrong(Errno::INVAL))
}

/// `os.fdopen` is `io.open` on a number.
fn fdopen(args: &[Value]) -> Res {
    if as_small(&args[0]).is_none() {
        return Err(raise(
            Type::TypeError,
            format!(
                "invalid fd type ({}, expected integer)",
                text::repr(&class_of(&args[0]).into())?
            ),
        ));
    }
    let io = import::by_name("io")?;
    let open = attribute::get(&io, Symbol::new("open"))?;
    let mut positional = vec![args[0].clone()];
    positional.extend(args[1].given().cloned());
    if let Some(rest) = as_tuple(&args[2]) {
        positional.extend(rest.items.iter().cloned());
    }
    let keywords = as_dict(&args[3])
        .map(|given| given.symbol_entries())
        .unwrap_or_default();
    call::call_kw(&open, &positional, &keywords)
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "open",
        "(path, flags, mode=511)",
        "Open a file and return its number.",
        open,
    ),
    function("close", "(fd)", "Close an open file.", close),
    function("read", "(fd, length, /)", "Read at most so many bytes.", read),
    function(
        "write",
        "(fd, data, /)",
        "Write bytes and return how many.",
        write,
    ),
    function(
        "lseek",
        "(fd, position, whence, /)",
        "Go to a place in an open file.",
        seek,
    ),
    function(
        "ftruncate",
        "(fd, length, /)",
        "Set the length of an open file.",
        |args| {
            let length = length(&args[1])?;
            with(&args[0], |file| {
                rustix::fs::ftruncate(file, length).map_err(wrong)
            })?;
            Ok(Value::None)
        },
    ),
    function(
        "fsync",
        "(fd)",
        "Wait until what was written to an open file is on the disk.",
        |args| {
            with(&args[0], |file| rustix::fs::fsync(file).map_err(wrong))?;
            Ok(Value::None)
        },
    ),
    function(
        "dup",
        "(fd, /)",
        "Return another number for an open file.",
        |args| {
            let copy = with(&args[0], |file| {
                file.try_clone_to_owned().map_err(|e| failed(e, &Value::Unset))
            })?;
            Ok(Value::Int(keep(copy)))
        },
    ),
    function(
        "pipe",
        "()",
        "Return the numbers of the two ends of a pipe: for reading and for writing.",
        |_| {
            let (from, to) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(wrong)?;
            Ok(Value::tuple([Value::Int(keep(from)), Value::Int(keep(to))]))
        },
    ),
    function(
        "isatty",
        "(fd, /)",
        "Tell whether an open file is a terminal.",
        |args| is_terminal(&args[0]).map(Value::bool),
    ),
    function(
        "fdopen",
        "(fd, mode='r', *args, **kwargs)",
        "Return a file object on an open file.",
        fdopen,
    )
    .in_python("os"),
    function(
        "set_inheritable",
        "(fd, inheritable, /)",
        "Set whether programs that are started get the open file.",
        |args| {
            let inherit = flag(&args[1])?;
            let flags = if inherit {
                rustix::io::FdFlags::empty()
            } else {
                rustix::io::FdFlags::CLOEXEC
            };
            with(&args[0], |file| {
                rustix::io::fcntl_setfd(file, flags).map_err(wrong)
            })?;
            Ok(Value::None)
        },
    ),
];
