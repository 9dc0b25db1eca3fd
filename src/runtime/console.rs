//! Where output goes.
//!
//! stdout is buffered: it is flushed when the buffer is full, before anything goes to stderr,
//! when the loop waits, and at exit; line by line if it is a terminal. A sink can take the place
//! of both streams.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

const BUFFER: usize = 64 << 10;

/// The status of a process whose reader went away: as if ended by SIGPIPE.
const BROKEN_PIPE: i32 = 141;

const NO_MEMORY: &str = "MemoryError: the system has no more memory
  help: keep less at a time: iterate instead of making lists, and `del` what is done with
";

/// Takes a program's output.
pub trait Sink {
    fn out(&mut self, text: &str);
    fn err(&mut self, text: &str);
}

struct Console {
    buffer: Vec<u8>,
    by_line: Option<bool>,
    sink: Option<Box<dyn Sink>>,
}

thread_local! {
    static CONSOLE: RefCell<Console> =
        const { RefCell::new(Console { buffer: Vec::new(), by_line: None, sink: None }) };
}

/// Replaces the streams by a sink (none: the process's own); gives the sink before.
pub fn set_sink(sink: Option<Box<dyn Sink>>) -> Option<Box<dyn Sink>> {
    flush();
    CONSOLE.with_borrow_mut(|console| std::mem::replace(&mut console.sink, sink))
}

/// Writes to stdout.
pub fn write(text: &str) {
    CONSOLE.with_borrow_mut(|console| {
        if let Some(sink) = &mut console.sink {
            return sink.out(text);
        }
        console.buffer.extend_from_slice(text.as_bytes());
        let by_line = *console.by_line.get_or_insert_with(|| io::stdout().is_terminal());
        if console.buffer.len() >= BUFFER || (by_line && text.contains('\n')) {
            console.flush();
        }
    });
}

/// Writes bytes that may be no text to stdout.
pub fn write_bytes(bytes: &[u8]) {
    CONSOLE.with_borrow_mut(|console| match &mut console.sink {
        Some(sink) => sink.out(&String::from_utf8_lossy(bytes)),
        None => {
            console.buffer.extend_from_slice(bytes);
            if console.buffer.len() >= BUFFER {
                console.flush();
            }
        }
    });
}

/// Writes to stderr, after what stdout still holds.
pub fn write_error(text: &str) {
    CONSOLE.with_borrow_mut(|console| {
        if let Some(sink) = &mut console.sink {
            return sink.err(text);
        }
        console.flush();
        // Nobody is left to tell that stderr is closed.
        let _ = io::stderr().write_all(text.as_bytes());
    });
}

/// Lets stdout's reader see all that was written.
pub fn flush() {
    CONSOLE.with_borrow_mut(Console::flush);
}

/// There is no memory left: lets out what was written, and ends the process. It takes none itself.
#[cold]
pub fn end_without_memory() -> ! {
    static ENDING: AtomicBool = AtomicBool::new(false);
    if !ENDING.swap(true, Ordering::Relaxed) {
        let _ = CONSOLE.try_with(|console| {
            if let Ok(console) = console.try_borrow() {
                // Nobody is left to tell that they are closed.
                let _ = io::stdout().write_all(&console.buffer);
                let _ = io::stdout().flush();
            }
        });
        let _ = io::stderr().write_all(NO_MEMORY.as_bytes());
    }
    super::leave(1)
}

impl Console {
    fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let result = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        self.buffer.clear();
        if result.is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
            self.sink = None;
            super::leave(BROKEN_PIPE);
        }
    }
}
