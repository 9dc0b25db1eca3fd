//! What is on the screen: the line being typed, and everybody's output above it.
//!
//! While a line is edited, only the editor may write to the terminal: whole lines of output are
//! handed to it through the [`Backlog`], and what has no newline yet is held back. Otherwise
//! output goes straight to the streams. Always true: a prompt begins at the left edge.

use crate::runtime::console::{self, Sink};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The interpreter's side.
pub struct Screen {
    editing: Cell<bool>,
    /// Straight output ended with a newline.
    at_edge: Cell<bool>,
    /// Output without a newline yet, while a line is edited.
    held: RefCell<String>,
    backlog: Arc<Backlog>,
    /// The terminal's mode before the editor changed it.
    mode: Option<Termios>,
}

/// Ends the bracketed paste that the editor had begun, on a line of its own.
const PLAIN: &str = "\x1b[?2004l\n";

impl Screen {
    /// A screen that takes the program's output from now on.
    pub fn install(backlog: Arc<Backlog>) -> Rc<Screen> {
        let screen = Rc::new(Screen {
            editing: Cell::new(false),
            at_edge: Cell::new(true),
            held: RefCell::default(),
            backlog,
            mode: tcgetattr(std::io::stdin()).ok(),
        });
        drop(console::set_sink(Some(Box::new(Output(screen.clone())))));
        screen
    }

    /// A prompt is about to be shown.
    pub fn begin_editing(&self) {
        if !self.at_edge.get() {
            straight(std::io::stdout().lock(), "\n");
        }
        self.editing.set(true);
    }

    /// The line has been read.
    pub fn end_editing(&self) {
        self.editing.set(false);
        self.at_edge.set(true);
        let mut rest = self.backlog.take_back();
        rest.push_str(&self.held.take());
        self.show(std::io::stdout().lock(), &rest);
    }

    /// The program ends while a line may still be edited: the editor will not give the terminal
    /// back, so somebody else must.
    pub fn give_back(&self) {
        if self.editing.get() {
            if let Some(mode) = &self.mode {
                // A terminal that refuses has gone away.
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Drain, mode);
            }
            straight(std::io::stdout().lock(), PLAIN);
            self.end_editing();
        }
    }

    /// Ctrl-C was echoed: what follows begins a line of its own.
    pub fn break_line(&self) {
        if !self.editing.get() {
            self.show(std::io::stdout().lock(), "\n");
        }
    }

    fn write(&self, stream: impl Write, text: &str) {
        if !self.editing.get() {
            return self.show(stream, text);
        }
        let mut held = self.held.borrow_mut();
        held.push_str(text);
        if let Some(end) = held.rfind('\n') {
            let rest = held.split_off(end + 1);
            self.backlog.push(&std::mem::replace(&mut *held, rest));
        }
    }

    fn show(&self, stream: impl Write, text: &str) {
        if !text.is_empty() {
            straight(stream, text);
            self.at_edge.set(text.ends_with('\n'));
        }
    }
}

fn straight(mut stream: impl Write, text: &str) {
    // A terminal that went away ends the editor, too, and with it the prompt.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// The screen as the console's sink.
struct Output(Rc<Screen>);

impl Sink for Output {
    fn out(&mut self, text: &str) {
        self.0.write(std::io::stdout().lock(), text);
    }

    fn err(&mut self, text: &str) {
        self.0.write(std::io::stderr().lock(), text);
    }
}

/// Output on its way to the editor. The editor's printer may block until the next line is edited,
/// so a thread of its own carries it there.
#[derive(Default)]
pub struct Backlog {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: String,
    /// Some text is being printed.
    printing: bool,
}

impl Backlog {
    /// A script that prints faster than the terminal shows is slowed down from here on.
    const MOST: usize = 1 << 20;
    const PAUSE: Duration = Duration::from_millis(100);
    /// How long the end of a print is waited for; it is past due only if the editor will show the
    /// text with its next prompt.
    const PATIENCE: Duration = Duration::from_millis(50);

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds whole lines.
    fn push(&self, lines: &str) {
        let mut waiting = self.lock();
        if waiting.text.len() > Self::MOST {
            let woken = self.changed.wait_timeout(waiting, Self::PAUSE);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting.text.push_str(lines);
        self.changed.notify_all();
    }

    /// What has not been printed yet, once nothing is being printed.
    fn take_back(&self) -> String {
        let mut waiting = self.lock();
        let rest = std::mem::take(&mut waiting.text);
        if waiting.printing {
            drop(self.changed.wait_timeout(waiting, Self::PATIENCE));
        }
        rest
    }

    /// Prints what comes, for ever.
    pub fn carry(&self, mut print: impl FnMut(String)) -> ! {
        loop {
            let mut waiting = self.lock();
            while waiting.text.is_empty() {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            let text = std::mem::take(&mut waiting.text);
            waiting.printing = true;
            drop(waiting);
            self.changed.notify_all();
            print(text);
            self.lock().printing = false;
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen() -> Screen {
        Screen {
            editing: Cell::new(false),
            at_edge: Cell::new(true),
            held: RefCell::default(),
            backlog: Arc::default(),
            mode: None,
        }
    }

    #[test]
    fn a_part_of_a_line_is_held_while_a_line_is_edited() {
        let screen = screen();
        screen.editing.set(true);
        screen.write(std::io::sink(), "a\nb");
        assert_eq!(screen.backlog.lock().text, "a\n");
        assert_eq!(*screen.held.borrow(), "b");
        screen.write(std::io::sink(), "c\n");
        assert_eq!(screen.backlog.lock().text, "a\nbc\n");
        assert_eq!(*screen.held.borrow(), "");
    }

    #[test]
    fn straight_output_knows_where_it_ended() {
        let screen = screen();
        let mut out = Vec::new();
        screen.write(&mut out, "50 %");
        assert!(!screen.at_edge.get());
        screen.write(&mut out, "\n");
        assert!(screen.at_edge.get());
        assert_eq!(out, b"50 %\n");
    }

    #[test]
    fn lines_are_carried_in_order() {
        let backlog = Arc::new(Backlog::default());
        let (send, receive) = std::sync::mpsc::channel();
        let carrier = backlog.clone();
        std::thread::spawn(move || carrier.carry(|text| send.send(text).unwrap_or_default()));
        let mut seen = String::new();
        for n in 0..100 {
            backlog.push(&format!("{n}\n"));
        }
        while seen.lines().count() < 100 {
            seen.push_str(
                &receive
                    .recv_timeout(Duration::from_secs(10))
                    .expect("the lines come"),
            );
        }
        assert!(seen.lines().enumerate().all(|(i, line)| line == i.to_string()));
        assert_eq!(backlog.take_back(), "");
    }
}
