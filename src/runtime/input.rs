//! Waiting for something to read: standard input, and other open files that have nothing yet.
//!
//! Always true: while a thread waits here, other script threads go on, and Ctrl-C ends the wait.

use super::{console, inbox, thread};
use crate::value::Res;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

/// How much is asked of the system at once.
const CHUNK: usize = 8 << 10;

thread_local! {
    /// What was read from standard input and not yet taken.
    static AHEAD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What reading gives: an exception of the script's, or the system's error inside.
pub type Read<T> = Res<io::Result<T>>;

/// Blocks until a read would not.
pub fn wait_readable(file: BorrowedFd) -> Read<()> {
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    match poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&now)) {
        Ok(0) => {}
        _ => return Ok(Ok(())), // ready, or the read will tell what is wrong
    }
    console::flush();
    let copy = match file.try_clone_to_owned() {
        Ok(copy) => copy,
        Err(error) => return Ok(Err(error)),
    };
    let (me, done) = (thread::current(), Rc::new(Cell::new(false)));
    let is_done = done.clone();
    inbox::begin_blocking(
        move || {
            let _ = poll(&mut [PollFd::new(&copy, PollFlags::IN)], None);
        },
        move |()| {
            done.set(true);
            thread::wake(&me);
        },
    );
    while !is_done.get() {
        thread::block(None, "input")?;
    }
    Ok(Ok(()))
}

/// Reads more of standard input; false at its end.
fn read_more() -> Read<bool> {
    let stdin = io::stdin();
    if let Err(error) = wait_readable(stdin.as_fd())? {
        return Ok(Err(error));
    }
    let mut chunk = [0; CHUNK];
    loop {
        match rustix::io::read(&stdin, &mut chunk) {
            Ok(0) => return Ok(Ok(false)),
            Ok(n) => {
                AHEAD.with_borrow_mut(|ahead| ahead.extend_from_slice(&chunk[..n]));
                return Ok(Ok(true));
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Ok(Err(error.into())),
        }
    }
}

/// Reads standard input until `enough` says how many of the bytes to take; all of them at its end.
fn take(mut enough: impl FnMut(&[u8]) -> Option<usize>) -> Read<Vec<u8>> {
    console::flush();
    loop {
        let found = AHEAD.with_borrow_mut(|ahead| {
            let n = enough(ahead)?;
            Some(ahead.drain(..n.min(ahead.len())).collect())
        });
        if let Some(bytes) = found {
            return Ok(Ok(bytes));
        }
        match read_more()? {
            Ok(true) => {}
            Ok(false) => return Ok(Ok(AHEAD.take())),
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// A line of standard input with its newline, or its first `most` bytes; empty at the end.
pub fn read_line(most: Option<usize>) -> Read<Vec<u8>> {
    take(|ahead| {
        let most = most.unwrap_or(usize::MAX);
        match memchr::memchr(b'\n', ahead) {
            Some(at) => Some((at + 1).min(most)),
            None => (ahead.len() >= most).then_some(most),
        }
    })
}

/// At most so many bytes of standard input; all that is left if none are named.
pub fn read(most: Option<usize>) -> Read<Vec<u8>> {
    take(|ahead| most.filter(|&most| ahead.len() >= most))
}

/// At most so many characters of standard input.
pub fn read_text(most: usize) -> Read<Vec<u8>> {
    take(|ahead| {
        let starts = ahead.iter().enumerate().filter(|(_, byte)| **byte & 0xC0 != 0x80);
        // Where the first character too many begins, or the end if the last one is whole.
        match starts.clone().nth(most) {
            Some((at, _)) => Some(at),
            None if most == 0 => Some(0),
            None => (starts.count() == most && std::str::from_utf8(ahead).is_ok()).then_some(ahead.len()),
        }
    })
}
