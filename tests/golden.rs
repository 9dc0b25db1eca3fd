//! Scripts and what CPython 3.13 prints for them, one named test for each.
//!
//! `tests/golden/TOPIC/NAME.aio` has its expected stdout beside it in `NAME.out`. Where it is meant
//! to end with another status than 0, `NAME.err` has the status in line 1 and, in line 2, a text
//! that must stand in stderr. The lessons of `examples/` have theirs in `tests/golden/examples/`.
//! Adding a test is adding a script; tests/README.md says how its files come about.

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use support::{Directions, TOO_LATE};

fn main() {
    let root = support::root();
    let golden = root.join("tests/golden");
    let lessons = root.join("examples");
    let mut trials: Vec<Trial> = support::scripts(&golden)
        .into_iter()
        .filter(|path| !is_there_to_be_imported(path))
        .map(|path| {
            let name = name_of(&golden, &path);
            Trial::test(name, move || check(&path, &path.with_extension("")))
        })
        .collect();
    trials.extend(support::scripts(&lessons).into_iter().map(|path| {
        let name = format!("examples/{}", name_of(&lessons, &path));
        let expectation = golden.join(&name);
        Trial::test(name, move || check_lesson(&path, &expectation))
    }));
    trials.push(Trial::test("no_expectation_without_a_script", move || {
        no_orphans(&golden, &lessons)
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn name_of(folder: &Path, path: &Path) -> String {
    let inner = path
        .strip_prefix(folder)
        .expect("the path was found in the folder");
    inner.with_extension("").to_string_lossy().replace('\\', "/")
}

/// A module for a script beside it has no expectation of its own.
fn is_there_to_be_imported(path: &Path) -> bool {
    path.to_string_lossy().ends_with("_helper.aio")
}

/// A lesson has to come out the same on the virtual clock, whatever it does.
fn check_lesson(path: &Path, expectation: &Path) -> Result<(), Failed> {
    if Directions::of(path).is_real {
        return Err("a lesson runs on the virtual clock".into());
    }
    check(path, expectation)
}

fn check(path: &Path, expectation: &Path) -> Result<(), Failed> {
    let read = |extension: &str| fs::read_to_string(expectation.with_extension(extension));
    let want = read("out").map_err(|e| format!("its .out: {e}"))?;
    let failure = read("err").unwrap_or_else(|_| "0\n".to_owned());
    let mut failure = failure.lines();
    let status = failure
        .next()
        .and_then(|line| line.parse::<i32>().ok())
        .ok_or("line 1 of .err is a status")?;
    let words = failure.next().unwrap_or("");

    let run = support::run_script(path);
    let err = run.err();
    if run.status == TOO_LATE {
        return Err(format!(
            "no end in {} s; stdout so far:\n{}",
            support::LIMIT.as_secs(),
            run.out()
        )
        .into());
    }
    support::compare(&want, &run.out())
        .map_err(|difference| format!("stdout, {difference}\nstderr:\n{err}"))?;
    if run.status != status {
        return Err(format!("exit status: want {status}, got {}\nstderr:\n{err}", run.status).into());
    }
    if !err.contains(words) {
        return Err(format!("stderr lacks {words:?}:\n{err}").into());
    }
    Ok(())
}

fn no_orphans(golden: &Path, lessons: &Path) -> Result<(), Failed> {
    let is_orphan = |path: &PathBuf| {
        let name = path.with_extension("aio");
        !name.exists()
            && !lessons
                .join(name.file_name().expect("a file has a name"))
                .exists()
    };
    match support::files(golden).iter().find(|path| is_orphan(path)) {
        Some(orphan) => Err(format!("{} has no script", orphan.display()).into()),
        None => Ok(()),
    }
}
