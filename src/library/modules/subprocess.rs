//! `_subprocess`: runs another program to its end; the module `subprocess` stands on it.
//!
//! Always true: what waits for the program is another OS thread, so the event loop and the other
//! script threads go on meanwhile.

use super::os;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::{iterate, os_error};
use crate::library::builtins::function;
use crate::runtime::{inbox, thread};
use crate::source::Symbol;
use crate::value::*;
use rustix::process::{Pid, Signal, kill_process};
use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

/// Where a program's stream leads. Scripts know the first three by number.
enum Stream {
    Pipe,
    /// Where stdout leads.
    Stdout,
    Null,
    /// The same as our own.
    Inherited,
    File(OwnedFd),
}

/// What is to be run, ready for another thread.
struct Plan {
    program: OsString,
    args: Vec<OsString>,
    folder: Option<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: Option<Vec<u8>>,
    stdin: Stream,
    stdout: Stream,
    stderr: Stream,
    timeout: Option<Duration>,
}

/// How a run ended.
struct Ended {
    /// The exit status, or the number of the signal that ended it, negative.
    status: i32,
    stdout: Option<Vec<u8>>,
    stderr: Option<Vec<u8>>,
    is_late: bool,
}

impl Stream {
    fn of(value: &Value) -> Res<Stream> {
        let number = match value {
            Value::None => return Ok(Stream::Inherited),
            value => small(value)?,
        };
        Ok(match number {
            -1 => Stream::Pipe,
            -2 => Stream::Stdout,
            -3 => Stream::Null,
            _ => Stream::File(os::copy_descriptor(value)?),
        })
    }

    /// Where the program is to write, and where we read if that is a pipe.
    fn outlet(self, ours: BorrowedFd) -> io::Result<(OwnedFd, Option<PipeReader>)> {
        Ok(match self {
            Stream::Pipe => {
                let (reader, writer) = io::pipe()?;
                (writer.into(), Some(reader))
            }
            Stream::Null => (
                std::fs::File::options().write(true).open("/dev/null")?.into(),
                None,
            ),
            Stream::File(file) => (file, None),
            Stream::Inherited | Stream::Stdout => (ours.try_clone_to_owned()?, None),
        })
    }
}

impl Plan {
    /// Runs the program to its end, or kills it when its time is up.
    fn run(self) -> io::Result<Ended> {
        let mut command = Command::new(self.program);
        if let Some((name, rest)) = self.args.split_first() {
            command.arg0(name).args(rest);
        }
        if let Some(folder) = self.folder {
            command.current_dir(folder);
        }
        command.env_clear().envs(self.environment);
        command.stdin(match self.stdin {
            _ if self.input.is_some() => Stdio::piped(),
            Stream::Pipe => Stdio::piped(),
            Stream::Null => Stdio::null(),
            Stream::File(file) => file.into(),
            Stream::Inherited | Stream::Stdout => Stdio::inherit(),
        });
        let (out, stdout) = self.stdout.outlet(io::stdout().as_fd())?;
        let (err, stderr) = match self.stderr {
            Stream::Stdout => (out.try_clone()?, None),
            other => other.outlet(io::stderr().as_fd())?,
        };
        command.stdout(out).stderr(err);
        let mut child = command.spawn()?;
        drop(command); // our ends of the pipes: only the program has them now
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read to the end is no error.
            std::thread::spawn(move || stdin.write_all(&self.input.unwrap_or_default()));
        }
        let [stdout, stderr] = [stdout, stderr].map(|reader| {
            reader.map(|mut reader| {
                std::thread::spawn(move || {
                    let mut bytes = Vec::new();
                    reader.read_to_end(&mut bytes).map(|_| bytes)
                })
            })
        });
        let pid = Pid::from_child(&child);
        let (sender, ended) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait()));
        let gone = |_| io::Error::other("the waiting thread is gone");
        let mut is_late = false;
        let status = match self.timeout.map(|timeout| ended.recv_timeout(timeout)) {
            Some(Ok(status)) => status,
            Some(Err(_)) => {
                is_late = true;
                let _ = kill_process(pid, Signal::KILL); // it may have ended just now
                ended.recv().map_err(gone)?
            }
            None => ended.recv().map_err(gone)?,
        }?;
        let read = |reader: Option<std::thread::JoinHandle<io::Result<Vec<u8>>>>| {
            reader.and_then(|reader| reader.join().ok()).transpose()
        };
        Ok(Ended {
            status: status.code().or(status.signal().map(|n| -n)).unwrap_or(-1),
            stdout: read(stdout)?,
            stderr: read(stderr)?,
            is_late,
        })
    }
}

fn os_text(value: &Value) -> Res<OsString> {
    let path = os::fspath(value)?;
    let text: OsString = match as_str(&path) {
        Some(text) => (&*text.text).into(),
        None => OsString::from_vec(bytes_of(&path).unwrap_or_default()),
    };
    match text.as_encoded_bytes().contains(&0) {
        true => Err(value_error("embedded null byte")),
        false => Ok(text),
    }
}

fn plan(args: &[Value]) -> Res<Plan> {
    let [
        argv,
        program,
        folder,
        environment,
        input,
        stdin,
        stdout,
        stderr,
        timeout,
    ] = args
    else {
        return Err(type_error("run() takes 9 arguments"));
    };
    let pair = |(name, value): (Value, Value)| Ok((os_text(&name)?, os_text(&value)?));
    Ok(Plan {
        program: os_text(program)?,
        args: iterate::collect(argv)?.iter().map(os_text).collect::<Res<_>>()?,
        folder: folder.given().map(os_text).transpose()?,
        environment: match as_dict(environment) {
            Some(names) => {
                let entries = crate::interp::mapping::entries(names);
                entries.into_iter().map(pair).collect::<Res<_>>()?
            }
            None => super::os::environ::variables(),
        },
        input: bytes_of(input),
        stdin: Stream::of(stdin)?,
        stdout: Stream::of(stdout)?,
        stderr: Stream::of(stderr)?,
        timeout: match timeout {
            Value::None => None,
            seconds => Some(Duration::try_from_secs_f64(real(seconds)?.max(0.0)).unwrap_or(Duration::MAX)),
        },
    })
}

fn run(args: &[Value]) -> Res {
    let plan = plan(args)?;
    let (me, result) = (thread::current(), Rc::new(RefCell::new(None)));
    let settled = result.clone();
    inbox::begin_blocking(
        move || plan.run(),
        move |ended| {
            settled.replace(Some(ended));
            thread::wake(&me);
        },
    );
    while result.borrow().is_none() {
        thread::block(None, "subprocess.run")?;
    }
    match result.take() {
        Some(Ok(ended)) => {
            let bytes = |bytes: Option<Vec<u8>>| {
                bytes.map_or(Value::None, |bytes| Ref::new(Bytes(bytes.into())).into())
            };
            let (stdout, stderr) = (bytes(ended.stdout), bytes(ended.stderr));
            let status = Value::Int(ended.status.into());
            Ok(Value::tuple([status, stdout, stderr, Value::bool(ended.is_late)]))
        }
        Some(Err(error)) => Err(Raised::new(os_error::of_io(&error, Some(args[1].clone())))),
        None => Err(runtime_error("the program's end is unknown")),
    }
}

pub fn module() -> Vec<(Symbol, Value)> {
    super::functions("_subprocess", &[FUNCTIONS])
}

const FUNCTIONS: &[NativeDef] = &[function(
    "run",
    "(args, program, folder, environment, input, stdin, stdout, stderr, timeout, /)",
    "Run a program to its end; give its status, its output, and whether its time was up.",
    run,
)];
