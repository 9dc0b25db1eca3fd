//! The prompt as a person at a terminal meets it, on a real pseudo-terminal.
//!
//! What is typed comes back as an echo, so each test waits for a text that is not in what it typed.
#![cfg(unix)]
#![allow(clippy::disallowed_methods)] // a person at a terminal takes real time

mod support;

use rexpect::process::wait::WaitStatus;
use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const PROMPT: &str = ">>> ";
const MORE: &str = "... ";

/// A home of its own, for the history; removed when the prompt is.
struct Home(PathBuf);

impl Home {
    fn new() -> Home {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("aio-prompt-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a home for the history can be made");
        Home(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Always true: the process ends before its home goes, because fields are dropped in order.
struct Prompt(PtySession, Home);

impl Prompt {
    fn open() -> Prompt {
        Prompt::open_with(&[])
    }

    fn open_with(args: &[&str]) -> Prompt {
        let mut command = Command::new(support::AIO);
        let home = Home::new();
        command.current_dir(support::root()).args(args);
        command
            .env("HOME", &home.0)
            .env("XDG_STATE_HOME", &home.0)
            .env("XDG_DATA_HOME", &home.0);
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        let options = Options::new()
            .timeout_ms(Some(20_000))
            .strip_ansi_escape_codes(true);
        let mut prompt = Prompt(
            spawn_with_options(command, options).expect("a terminal can be had"),
            home,
        );
        prompt.see(PROMPT);
        prompt
    }

    /// Wait until this text comes; what came before it.
    #[track_caller]
    fn see(&mut self, text: &str) -> String {
        self.0
            .exp_string(text)
            .unwrap_or_else(|e| panic!("waiting for {text:?}: {e}"))
    }

    fn enter(&mut self, line: &str) {
        self.0.send_line(line).expect("the prompt reads");
    }

    /// Type without an end of the line.
    fn type_keys(&mut self, keys: &str) {
        self.0.send(keys).expect("the prompt reads");
        self.0.flush().expect("the prompt reads");
    }

    fn press(&mut self, control: char) {
        self.0.send_control(control).expect("the prompt reads");
    }

    /// Type a line, wait for an answer, and for the prompt after it.
    #[track_caller]
    fn ask(&mut self, line: &str, answer: &str) {
        self.enter(line);
        self.see(answer);
        self.see(PROMPT);
    }

    #[track_caller]
    fn ends_with(mut self, status: i32) {
        self.0.exp_eof().expect("the prompt ends");
        match self.0.process().wait().expect("it can be waited for") {
            WaitStatus::Exited(_, got) => assert_eq!(got, status),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn values_are_shown_and_names_are_kept() {
    let mut prompt = Prompt::open();
    prompt.ask("6 * 7", "42");
    prompt.enter("x = 'kept'");
    prompt.see(PROMPT);
    prompt.ask("x.upper()", "'KEPT'");
    prompt.enter("None");
    let before = prompt.see(PROMPT);
    assert!(!before.contains("None\r\nNone"), "{before:?}");
}

#[test]
fn await_works_at_the_top_level() {
    let mut prompt = Prompt::open();
    prompt.ask("await sleep(0.01, 'wo' + 'ke')", "'woke'");
    prompt.ask("await gather(sleep(0, 1 + 1), sleep(0, 3))", "[2, 3]");
}

#[test]
fn a_block_is_read_to_its_empty_line() {
    let mut prompt = Prompt::open();
    prompt.enter("async def twice(x):");
    prompt.see(MORE);
    prompt.enter("    return x * 2");
    prompt.see(MORE);
    prompt.enter("");
    prompt.see(PROMPT);
    prompt.ask("await twice(21)", "42");
    prompt.enter("(1 +");
    prompt.see(MORE);
    prompt.ask("98)", "99");
}

#[test]
fn a_background_task_goes_on_while_a_line_is_typed() {
    let mut prompt = Prompt::open();
    prompt.enter("async def speak():");
    prompt.see(MORE);
    prompt.enter("    await sleep(0.2); print('from', 'the back')");
    prompt.see(MORE);
    prompt.enter("");
    prompt.see(PROMPT);
    prompt.enter("task = spawn(speak())");
    prompt.see(PROMPT);
    // Half a line; the output comes above it, then the half line again; both halves count.
    prompt.type_keys("40 ");
    prompt.see("from the back");
    prompt.see("40 ");
    prompt.ask("+ 2", "42");
    prompt.ask("task.done()", "True");
}

#[test]
fn an_error_is_told_and_the_prompt_goes_on() {
    let mut prompt = Prompt::open();
    prompt.ask("1 / 0", "ZeroDivisionError: division by zero");
    prompt.ask("x = = 1", "SyntaxError");
    prompt.ask("no_such_name", "NameError: name 'no_such_name' is not defined");
    prompt.ask("6 is 7", "SyntaxWarning: \"is\" with 'int' literal");
    prompt.ask("6 * 7", "42");
}

#[test]
fn ctrl_c_drops_the_line_or_ends_what_runs() {
    let mut prompt = Prompt::open();
    prompt.type_keys("half a li");
    prompt.see("half a li");
    prompt.press('c');
    prompt.see(PROMPT);
    prompt.ask("6 * 7", "42");
    prompt.enter("print('be' + 'gun'); await sleep(600)"); // before it begins, a byte is no signal yet
    prompt.see("begun");
    prompt.press('c');
    prompt.see("KeyboardInterrupt");
    prompt.see(PROMPT);
    prompt.enter("while True: pass");
    prompt.see(MORE);
    prompt.enter("");
    prompt.see("\n");
    std::thread::sleep(std::time::Duration::from_millis(200));
    prompt.press('c');
    prompt.see("KeyboardInterrupt");
    prompt.see(PROMPT);
    prompt.ask("5 * 9", "45");
}

#[test]
fn an_await_that_nothing_can_wake_is_told_and_left_waiting() {
    let mut prompt = Prompt::open();
    prompt.enter("event = asyncio.Event()");
    prompt.see(PROMPT);
    prompt.enter("print('wo' + 'ken', await event.wait())");
    prompt.see("nothing can wake what is awaited here");
    prompt.see("waits for the event `event`, which nobody sets");
    prompt.see(PROMPT);
    prompt.ask("event.set(); 6 * 7", "42");
    prompt.enter("await sleep(0)");
    prompt.see(PROMPT);
    prompt.enter("import threading; lock = threading.Lock()");
    prompt.see(PROMPT);
    prompt.enter("lock.acquire() and lock.acquire()");
    prompt.see("nothing can wake what is called here");
    prompt.press('c');
    prompt.see("KeyboardInterrupt");
    prompt.see(PROMPT);
    prompt.ask("5 * 9", "45");
}

#[test]
fn ctrl_d_and_quit_and_exit_leave() {
    let mut prompt = Prompt::open();
    prompt.press('d');
    prompt.ends_with(0);
    let mut prompt = Prompt::open();
    prompt.enter(":quit");
    prompt.ends_with(0);
    let mut prompt = Prompt::open();
    prompt.enter("raise SystemExit(7)");
    prompt.ends_with(7);
}

#[test]
fn help_names_every_command() {
    let mut prompt = Prompt::open();
    prompt.enter(":help");
    let text = prompt.see(PROMPT);
    for command in [":tasks", ":states", ":trace", ":load", ":quit"] {
        assert!(text.contains(command), "{command} in {text:?}");
    }
    prompt.ask(":nonsense", ":help");
}

#[test]
fn tasks_shows_what_is_waiting() {
    let mut prompt = Prompt::open();
    prompt.enter("t = spawn(sleep(600), name='a long ' + 'nap')");
    prompt.see(PROMPT);
    prompt.ask(":tasks", "a long nap");
}

#[test]
fn states_shows_a_function() {
    let mut prompt = Prompt::open();
    prompt.enter("async def nap():");
    prompt.see(MORE);
    prompt.enter("    await sleep(1)");
    prompt.see(MORE);
    prompt.enter("");
    prompt.see(PROMPT);
    prompt.ask(":states nap", "await");
}

#[test]
fn trace_tells_every_step_until_it_is_asked_again() {
    let mut prompt = Prompt::open();
    prompt.ask(":trace", "every step is told");
    prompt.ask("await sleep(0.01)", "is done");
    prompt.ask(":trace", "no steps");
    prompt.enter("await sleep(0.01, 6 * 7)");
    let text = prompt.see(PROMPT);
    assert!(text.contains("42") && !text.contains("is done"), "{text:?}");
}

#[test]
fn a_task_of_the_library_alone_is_shown_where_it_was_made() {
    let mut prompt = Prompt::open();
    prompt.enter("left = spawn(asyncio.sleep(100))");
    prompt.see(PROMPT);
    prompt.ask(":tasks", "made in <prompt 1>, line 1: left = spawn");
}

#[test]
fn load_awaits_what_a_file_runs() {
    let mut prompt = Prompt::open();
    let file = prompt.1.0.join("to_run.aio");
    let text = "import asyncio as aio\nasync def main():\n    await aio.sleep(0)\n    return 'run'\n\
                if __name__ == '__main__':\n    print('has', aio.run(main()))\n    left = aio.current_task()\n";
    std::fs::write(&file, text).expect("a script can be written");
    prompt.ask(&format!(":load {}", file.display()), "has run");
    prompt.ask("left.done()", "True");
}

#[test]
fn load_runs_a_file_and_keeps_its_names() {
    let mut prompt = Prompt::open();
    let file = prompt.1.0.join("to_load.aio");
    std::fs::write(&file, "loaded = 'lo' + 'aded'\nprint('run', 'ning')\n").expect("a script can be written");
    prompt.ask(&format!(":load {}", file.display()), "run ning");
    prompt.ask("loaded.title()", "'Loaded'");
    prompt.ask(":load no_such.aio", "no_such.aio");
}

#[test]
fn lines_come_back_from_the_history() {
    let mut prompt = Prompt::open();
    prompt.ask("6 * 7", "42");
    prompt.type_keys("\u{1b}[A"); // the arrow up
    prompt.ask("", "42");
}

#[test]
fn the_tab_key_completes_what_is_imported_and_methods_of_texts() {
    let mut prompt = Prompt::open();
    for (typed, rest, answer) in [
        ("from statistics import harm\t", "; harmonic_mean([2, 2])", "2"),
        (
            "from concurrent import fut\t",
            "; futures.ThreadPoolExecutor",
            "ThreadPoolExecutor",
        ),
        ("'-'.joi\t", "('ab')", "'a-b'"),
        ("(5).bit_l\t", "()", "3"),
        ("[2, 1].cou\t", "(2)", "1"),
    ] {
        prompt.type_keys(typed);
        prompt.ask(rest, answer);
    }
}

#[test]
fn the_arrow_up_goes_back_into_a_block() {
    let mut prompt = Prompt::open();
    prompt.enter("def f():");
    prompt.see(MORE);
    prompt.enter("return 6 * 6");
    prompt.see(MORE);
    prompt.type_keys("\u{1b}[A");
    prompt.see("return 6 * 6");
    prompt.type_keys("\u{7f}7"); // Backspace
    prompt.enter("");
    prompt.see(MORE);
    prompt.enter("");
    prompt.see(PROMPT);
    prompt.ask("f()", "42");
}
