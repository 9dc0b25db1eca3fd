//! A random program runs to its end on the virtual clock, and prints the same twice.
#![no_main]

#[path = "../../tests/support/program.rs"]
mod program;

use aio::runtime::console::{self, Sink};
use aio::session::{Clock, Options, on_session_thread, run_program};
use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::rc::Rc;

/// Enough choices for the largest programs.
const MOST_CHOICES: usize = 4_000;

#[derive(Debug)]
struct Program(String);

impl<'a> Arbitrary<'a> for Program {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Program> {
        let bytes = u.bytes(u.len().min(MOST_CHOICES))?;
        Ok(Program(program::program(&mut program::Choices::new(bytes))))
    }
}

/// Keeps what a program writes.
struct Kept(Rc<RefCell<String>>);

impl Sink for Kept {
    fn out(&mut self, text: &str) {
        self.0.borrow_mut().push_str(text);
    }

    fn err(&mut self, text: &str) {
        self.0.borrow_mut().push_str(text);
    }
}

/// The status of a run, and all that it wrote.
fn run(text: String) -> (i32, String) {
    on_session_thread(move || {
        let kept = Rc::new(RefCell::new(String::new()));
        console::set_sink(Some(Box::new(Kept(kept.clone()))));
        let options = Options {
            clock: Clock::Virtual,
            args: vec!["fuzz.aio".into()],
            ..Options::default()
        };
        let status = run_program("fuzz.aio", text, None, &options);
        console::set_sink(None);
        (status, kept.take())
    })
}

fuzz_target!(|program: Program| {
    let first = run(program.0.clone());
    assert!(first.0 == 0 || first.0 == 1, "status {}\n{}", first.0, first.1);
    assert!(!first.1.contains("SyntaxError"), "{}", first.1);
    assert_eq!(first, run(program.0));
});
