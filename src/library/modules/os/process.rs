//! `os`: the system and this process's place in it.

use super::{failed, path_arg};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::library::builtins::function;
use crate::library::modules::struct_sequence;
use crate::value::*;
use rustix::fs::{Mode, Timespec, Timestamps};
use rustix::io::Errno;
use rustix::process::{self, Pid, Signal};
use std::fs;

fn wrong(errno: Errno) -> Raised {
    failed(errno.into(), &Value::Unset)
}

fn uname(_: &[Value]) -> Res {
    const FIELDS: &[&str] = &["sysname", "nodename", "release", "version", "machine"];
    let system = rustix::system::uname();
    let texts = [
        system.sysname(),
        system.nodename(),
        system.release(),
        system.version(),
        system.machine(),
    ];
    let items = texts.map(|text| Value::from(text.to_string_lossy().into_owned()));
    let class = struct_sequence::class("posix", "uname_result", FIELDS);
    Ok(struct_sequence::value(&class, items.to_vec()))
}

/// A process's number; none for the process itself.
pub fn pid(value: &Value) -> Res<Option<Pid>> {
    let number = int32(value)?;
    Ok(if number < 0 {
        return Err(wrong(Errno::SRCH));
    } else {
        Pid::from_raw(number)
    })
}

fn number(pid: Pid) -> Value {
    Value::Int(pid.as_raw_nonzero().get().into())
}

fn kill_group(args: &[Value]) -> Res {
    let signal = small(&args[1])?;
    let Some(signal) = i32::try_from(signal).ok().and_then(Signal::from_named_raw) else {
        return Err(wrong(Errno::INVAL));
    };
    match pid(&args[0])? {
        Some(group) => process::kill_process_group(group, signal),
        None => process::kill_current_process_group(signal),
    }
    .map_err(wrong)?;
    Ok(Value::None)
}

fn load(_: &[Value]) -> Res {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let numbers: Vec<Value> = text
        .split(' ')
        .take(3)
        .filter_map(|word| word.parse().ok())
        .map(Value::float)
        .collect();
    match numbers.len() {
        3 => Ok(Value::tuple(numbers)),
        _ => Err(raise(
            crate::interp::types::Type::OSError,
            "Load averages are unobtainable",
        )),
    }
}

/// A time as seconds and nanoseconds, from seconds as int or float.
fn moment(seconds: &Value) -> Res<Timespec> {
    let exact = match as_small(seconds) {
        Some(whole) => (whole, 0),
        None => {
            let seconds = real(seconds)?;
            let whole = seconds.floor();
            (whole as i64, ((seconds - whole) * 1e9) as i64)
        }
    };
    Ok(Timespec {
        tv_sec: exact.0,
        tv_nsec: exact.1,
    })
}

fn set_times(args: &[Value]) -> Res {
    let [file, times, nanos, follow] = args else {
        return Ok(Value::None);
    };
    let path = path_arg(file, "utime")?;
    let pair = |value: &Value, name: &str| -> Res<[Value; 2]> {
        match as_tuple(value).map(|t| &*t.items) {
            Some([a, b]) => Ok([a.clone(), b.clone()]),
            _ => Err(type_error(format!("utime: '{name}' must be a tuple of two ints"))),
        }
    };
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: rustix::fs::UTIME_NOW,
    };
    let [last_access, last_modification] = match (times.given(), nanos.given()) {
        (None, None) => [now, now],
        (Some(times), None) => {
            let Some([a, b]) = as_tuple(times).map(|t| &*t.items) else {
                return Err(type_error(
                    "utime: 'times' must be either a tuple of two ints or None",
                ));
            };
            [moment(a)?, moment(b)?]
        }
        (None, Some(nanos)) => {
            let [a, b] = pair(nanos, "ns")?;
            let split = |value: &Value| -> Res<Timespec> {
                let nanos = small(value)?;
                Ok(Timespec {
                    tv_sec: nanos.div_euclid(1_000_000_000),
                    tv_nsec: nanos.rem_euclid(1_000_000_000),
                })
            };
            [split(&a)?, split(&b)?]
        }
        (Some(_), Some(_)) => {
            return Err(value_error(
                "utime: you may specify either 'times' or 'ns' but not both",
            ));
        }
    };
    let flags = if follow.is_unset() || crate::interp::operator::truth(follow)? {
        rustix::fs::AtFlags::empty()
    } else {
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW
    };
    let times = Timestamps {
        last_access,
        last_modification,
    };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags).map_err(|e| failed(e.into(), file))?;
    Ok(Value::None)
}

/// Renames, making the directories above the new name and removing the empty ones above the old.
fn renames(args: &[Value]) -> Res {
    let (from, to) = (path_arg(&args[0], "renames")?, path_arg(&args[1], "renames")?);
    if let Some(parent) = to.parent()
        && !parent.as_os_str().is_empty()
    {
        fs::create_dir_all(parent).map_err(|e| failed(e, &args[1]))?;
    }
    fs::rename(&from, &to).map_err(|e| super::failed_two(e, &args[0], &args[1]))?;
    let above = from.ancestors().skip(1).take_while(|p| !p.as_os_str().is_empty());
    let _ = above.map(fs::remove_dir).find(|result| result.is_err());
    Ok(Value::None)
}

/// The class of what `times` gives.
pub fn times_class() -> Ref<Class> {
    const FIELDS: &[&str] = &["user", "system", "children_user", "children_system", "elapsed"];
    thread_local! {
        static CLASS: Ref<Class> = struct_sequence::class("posix", "times_result", FIELDS);
    }
    CLASS.with(Ref::clone)
}

/// The processor's time that this process and its children have taken, and the time that has gone by.
fn times(_: &[Value]) -> Res {
    const TICKS: f64 = 100.0; // in a second, as the kernel shows times
    /// Where the four times stand behind the name, in parentheses.
    const TIMES: std::ops::Range<usize> = 11..15;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let numbers = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut items: Vec<f64> = numbers
        .split_whitespace()
        .skip(TIMES.start)
        .take(TIMES.len())
        .map(|ticks| ticks.parse().unwrap_or(0.0) / TICKS)
        .collect();
    items.resize(TIMES.len(), 0.0);
    items.push(crate::runtime::clock::now());
    Ok(struct_sequence::value(
        &times_class(),
        items.into_iter().map(Value::float).collect(),
    ))
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "times",
        "()",
        "Return the times that the process has taken.",
        times,
    ),
    function("uname", "()", "Return what the system calls itself.", uname),
    function(
        "umask",
        "(mask, /)",
        "Set which rights new files do not get; return which they did not get before.",
        |args| {
            let mask = Mode::from_bits_truncate(small(&args[0])? as u32);
            Ok(Value::Int(process::umask(mask).bits().into()))
        },
    ),
    function(
        "getpgid",
        "(pid)",
        "Return the process group of a process.",
        |args| process::getpgid(pid(&args[0])?).map(number).map_err(wrong),
    ),
    function("getpgrp", "()", "Return the process group.", |_| {
        Ok(number(process::getpgrp()))
    }),
    function("getsid", "(pid, /)", "Return the session of a process.", |args| {
        process::getsid(pid(&args[0])?).map(number).map_err(wrong)
    }),
    function(
        "killpg",
        "(pgid, signal, /)",
        "Send a signal to a process group.",
        kill_group,
    ),
    function(
        "getloadavg",
        "()",
        "Return how many processes were busy in the last 1, 5 and 15 minutes.",
        load,
    ),
    function(
        "utime",
        "(path, times=None, *, ns=None, follow_symlinks=True)",
        "Set when a file was last read and written; by default now.",
        set_times,
    ),
    function(
        "renames",
        "(old, new)",
        "Rename, with the directories that are needed and those left empty.",
        renames,
    )
    .in_python("os"),
    function(
        "getcwdb",
        "()",
        "Return the working directory as bytes.",
        |_| match std::env::current_dir() {
            Ok(path) => {
                use std::os::unix::ffi::OsStringExt;
                Ok(Ref::new(Bytes(path.into_os_string().into_vec().into())).into())
            }
            Err(error) => Err(failed(error, &Value::Unset)),
        },
    ),
    function(
        "waitstatus_to_exitcode",
        "(status)",
        "Return the exit code that a wait status stands for.",
        |args| {
            let status = small(&args[0])?;
            let signal = status & 0x7f;
            match signal {
                0 => Ok(Value::Int((status >> 8) & 0xff)),
                0x7f => Err(value_error(format!(
                    "process stopped by delivery of signal {}",
                    (status >> 8) & 0xff
                ))),
                _ => Ok(Value::Int(-signal)),
            }
        },
    ),
];
