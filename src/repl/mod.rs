//! The prompt: lines typed by a person, run on an event loop that never stops.
//!
//! `editor` reads lines in an OS thread of its own, since reading blocks; `input` says when what
//! was typed is whole; `prompt` runs it between the steps of the tasks; `screen` keeps the output
//! of background tasks above the line being typed; `command` is what begins with a colon;
//! `complete` finds names.
//!
//! Always true: while a line is read, that is an operation in flight, so the virtual clock stands
//! still; while code runs it is not, so the clock jumps.

mod awaited;
mod command;
mod complete;
mod editor;
mod input;
mod prompt;
mod screen;

use crate::session::{self, Clock, Options};
use std::io::IsTerminal;

/// Opens the prompt; gives the exit status. Without a terminal, runs the lines of stdin.
pub fn run(options: Options) -> i32 {
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    session::on_session_thread(move || session::leave(prompt::run(&options, is_terminal)))
}

/// What a person sees first.
fn banner(clock: Clock) -> String {
    let clock = match clock {
        Clock::Real => "",
        Clock::Virtual => ", virtual clock",
    };
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "aio {version}{clock}: type Python, `await` included; tasks go on while you type.\n:help shows the commands, Ctrl-D leaves.\n"
    )
}
