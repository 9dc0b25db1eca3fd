//! Random programs end, end well, and print the same in every run.
//!
//! With `AIO_REFERENCE` set to a command that runs a script as CPython does, each program is also
//! compared with that; `PROPTEST_CASES` says how many programs there are.

#[path = "support/program.rs"]
mod program;
mod support;

use program::{Choices, program};
use proptest::prelude::*;
use std::process::Command;
use support::{Run, TOO_LATE, aio, root, run};

/// The statuses a program may end with: its end, an uncaught exception, a deadlock.
const ENDS: [i32; 3] = [0, 1, 13];

fn run_program(text: &str) -> Run {
    run(
        aio(root()).args(["run", "--clock", "virtual", "-"]),
        text.as_bytes(),
    )
}

/// The same under the reference, if there is one.
fn run_reference(text: &str) -> Option<Run> {
    let command = std::env::var("AIO_REFERENCE").ok()?;
    let file = std::env::temp_dir().join(format!("aio-program-{}.aio", std::process::id()));
    std::fs::write(&file, text).expect("a script can be written");
    let mut words = command.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words).arg(&file).env("PYTHONHASHSEED", "0");
    let run = run(&mut command, b"");
    let _ = std::fs::remove_file(&file);
    Some(run)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(40), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_program_ends_and_always_prints_the_same(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let text = program(&mut Choices::new(&bytes));
        let first = run_program(&text);
        let err = first.err();
        prop_assert!(ENDS.contains(&first.status), "status {}\n{err}\n{text}", first.status);
        prop_assert!(!err.contains("panicked") && !err.contains("SyntaxError"), "{err}\n{text}");
        let second = run_program(&text);
        prop_assert_eq!((first.out(), &err), (second.out(), &second.err()), "two runs differ:\n{}", text);
        if let Some(reference) = run_reference(&text) {
            let same = support::compare(&reference.out(), &first.out());
            prop_assert!(same.is_ok(), "{same:?}\nstderr: {err}\nreference's: {}\n{text}", reference.err());
            prop_assert_eq!(reference.status, first.status, "{}\n{}", err, text);
        }
    }

    /// Whatever stands in a file, the answer is a report or a run, never a crash.
    #[test]
    fn a_torn_program_is_an_error_at_worst(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        cut in any::<prop::sample::Index>(),
        patch in "[ -~\n\t]{0,4}",
    ) {
        let text = program(&mut Choices::new(&bytes));
        let at = cut.index(text.len());
        let at = (0..=at).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(0);
        let torn = format!("{}{patch}{}", &text[..at], text[at..].get(patch.len()..).unwrap_or(""));
        let run = run_program(&torn);
        // A loop whose counter was torn out goes on until it is stopped.
        let is_end = ENDS.contains(&run.status) || run.status == TOO_LATE;
        prop_assert!(is_end, "status {}\n{}\n{torn}", run.status, run.err());
        prop_assert!(!run.err().contains("panicked"), "{}\n{torn}", run.err());
    }
}

fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(usual)
}
