//! `os`: file systems, owners of files, and how the scheduler treats a process.

use super::{descriptor, failed, mode, path_arg, process, with_path};
use crate::interp::error::*;
use crate::interp::mapping;
use crate::interp::payload::*;
use crate::library::builtins::function;
use crate::library::modules::struct_sequence;
use crate::value::*;
use rustix::fs::{CWD, FileType, Mode, StatVfs};
use rustix::io::Errno;
use std::cell::RefCell;
use std::os::unix::fs as unix;

fn wrong(errno: Errno) -> Raised {
    failed(errno.into(), &Value::Unset)
}

thread_local! {
    static CLASS: RefCell<Option<Ref<Class>>> = const { RefCell::new(None) };
}

/// The class `os.statvfs_result`, the same each time.
pub fn statvfs_class() -> Ref<Class> {
    const FIELDS: &[&str] = &[
        "f_bsize",
        "f_frsize",
        "f_blocks",
        "f_bfree",
        "f_bavail",
        "f_files",
        "f_ffree",
        "f_favail",
        "f_flag",
        "f_namemax",
    ];
    CLASS.with_borrow_mut(|made| {
        let make = || struct_sequence::class("os", "statvfs_result", FIELDS);
        made.get_or_insert_with(make).clone()
    })
}

/// What is known of a file system, as a script sees it.
fn file_system(data: &StatVfs) -> Value {
    let items = [
        data.f_bsize,
        data.f_frsize,
        data.f_blocks,
        data.f_bfree,
        data.f_bavail,
        data.f_files,
        data.f_ffree,
        data.f_favail,
        data.f_flag.bits(),
        data.f_namemax,
    ];
    struct_sequence::value(&statvfs_class(), items.map(|n| Value::Int(n as i64)).to_vec())
}

/// The number of a user or group; none for -1, which changes nothing.
fn owner(value: &Value, what: &str) -> Res<Option<u32>> {
    match index_or(value, || {
        overflow_error(format!("{what} is greater than maximum"))
    })? {
        -1 => Ok(None),
        number if number < 0 => Err(overflow_error(format!("{what} is less than minimum"))),
        number => match u32::try_from(number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(overflow_error(format!("{what} is greater than maximum"))),
        },
    }
}

fn owners(args: &[Value]) -> Res<(Option<u32>, Option<u32>)> {
    Ok((owner(&args[1], "uid")?, owner(&args[2], "gid")?))
}

fn affinity(args: &[Value]) -> Res {
    let set = rustix::thread::sched_getaffinity(process::pid(&args[0])?).map_err(wrong)?;
    let numbers = (0..rustix::thread::CpuSet::MAX_CPU).filter(|&n| set.is_set(n));
    mapping::set_of(numbers.map(Value::from)).map(mapping::new_set)
}

fn nice(args: &[Value]) -> Res {
    rustix::process::nice(int32(&args[0])?)
        .map(|now| Value::Int(now.into()))
        .map_err(wrong)
}

fn make_fifo(args: &[Value]) -> Res {
    let bits = if args[1].is_unset() {
        0o666
    } else {
        mode(&args[1])?
    };
    let path = path_arg(&args[0], "mkfifo")?;
    let mode = Mode::from_bits_truncate(bits);
    rustix::fs::mknodat(CWD, path, FileType::Fifo, mode, 0).map_err(wrong)?;
    Ok(Value::None)
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "statvfs",
        "(path)",
        "Return what is known of the file system of a path.",
        |args| {
            let path = path_arg(&args[0], "statvfs")?;
            let data = rustix::fs::statvfs(path).map_err(|e| failed(e.into(), &args[0]))?;
            Ok(file_system(&data))
        },
    ),
    function(
        "fstatvfs",
        "(fd)",
        "Return what is known of the file system of an open file.",
        |args| {
            let data = descriptor::with(&args[0], |file| rustix::fs::fstatvfs(file).map_err(wrong))?;
            Ok(file_system(&data))
        },
    ),
    function(
        "sync",
        "()",
        "Have all that was written put on the disks.",
        |_| {
            rustix::fs::sync();
            Ok(Value::None)
        },
    ),
    function(
        "fdatasync",
        "(fd)",
        "Wait until the contents of an open file are on the disk.",
        |args| {
            descriptor::with(&args[0], |file| rustix::fs::fdatasync(file).map_err(wrong))?;
            Ok(Value::None)
        },
    ),
    function(
        "fchmod",
        "(fd, mode)",
        "Set who may do what with an open file.",
        |args| {
            let mode = Mode::from_bits_truncate(small(&args[1])? as u32);
            descriptor::with(&args[0], |file| rustix::fs::fchmod(file, mode).map_err(wrong))?;
            Ok(Value::None)
        },
    ),
    function(
        "chown",
        "(path, uid, gid)",
        "Set the user and the group that a file belongs to; -1 leaves one as it is.",
        |args| {
            let (user, group) = owners(args)?;
            with_path(args, "chown", |path| unix::chown(path, user, group))
        },
    ),
    function(
        "lchown",
        "(path, uid, gid)",
        "The same for a symbolic link itself.",
        |args| {
            let (user, group) = owners(args)?;
            with_path(args, "lchown", |path| unix::lchown(path, user, group))
        },
    ),
    function("fchown", "(fd, uid, gid)", "The same for an open file.", |args| {
        let (user, group) = owners(args)?;
        descriptor::with(&args[0], |file| {
            unix::fchown(file, user, group).map_err(|e| failed(e, &Value::Unset))
        })?;
        Ok(Value::None)
    }),
    function(
        "mkfifo",
        "(path, mode=438)",
        "Make a pipe with a name among the files.",
        make_fifo,
    ),
    function(
        "nice",
        "(increment, /)",
        "Let others go first by so much more.",
        nice,
    ),
    function(
        "sched_getaffinity",
        "(pid, /)",
        "Return the set of processors that a process may use.",
        affinity,
    ),
    function("sched_yield", "()", "Let other processes go first.", |_| {
        rustix::thread::sched_yield();
        Ok(Value::None)
    }),
    function(
        "getgroups",
        "()",
        "Return the numbers of the user's groups.",
        |_| {
            let groups = rustix::process::getgroups().map_err(wrong)?;
            let numbers = groups.iter().map(|group| Value::Int(group.as_raw().into()));
            Ok(Value::list(numbers.collect()))
        },
    ),
    function(
        "getrandom",
        "(size, flags=0)",
        "Return bytes that nobody can guess.",
        |args| {
            let size = usize::try_from(small(&args[0])?).map_err(|_| wrong(Errno::INVAL))?;
            super::random_bytes(size).map(|bytes| Ref::new(Bytes(bytes.into())).into())
        },
    ),
    function(
        "pread",
        "(fd, length, offset, /)",
        "Read at most so many bytes from a place.",
        |args| {
            let size =
                usize::try_from(small(&args[1])?.min(descriptor::MOST)).map_err(|_| wrong(Errno::INVAL))?;
            let place = u64::try_from(small(&args[2])?).map_err(|_| wrong(Errno::INVAL))?;
            let mut bytes = vec![0; size];
            let count = descriptor::with(&args[0], |file| {
                rustix::io::pread(file, &mut bytes, place).map_err(wrong)
            })?;
            bytes.truncate(count);
            Ok(Ref::new(Bytes(bytes.into())).into())
        },
    ),
    function(
        "pwrite",
        "(fd, buffer, offset, /)",
        "Write bytes to a place and return how many.",
        |args| {
            let Some(bytes) = bytes_of(&args[1]) else {
                return Err(type_error(format!(
                    "a bytes-like object is required, not '{}'",
                    crate::interp::types::class_name(&args[1])
                )));
            };
            let place = u64::try_from(small(&args[2])?).map_err(|_| wrong(Errno::INVAL))?;
            descriptor::with(&args[0], |file| {
                rustix::io::pwrite(file, &bytes, place)
                    .map(Value::from)
                    .map_err(wrong)
            })
        },
    ),
];
