//! Mistakes that are told early: each program has exactly those that its lines are marked with.
//!
//! - `tests/mistakes/NUMBER/NAME.aio` and the programs of the pages that `aio explain` shows: a line
//!   marked `# A004` is found by `aio lint` and told by `aio run --warn`, one marked `# run: A004` only
//!   by the run. `tests/mistakes/none` holds good programs that look like bad ones.
//! - The golden scripts and the lessons have none, but for those in [`ON_PURPOSE`].

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Directions, aio, root, run};

/// Scripts whose point is a mistake, and the numbers that they may be told.
const ON_PURPOSE: &[(&str, &[&str])] = &[
    ("examples/32_a_race", &["A032"]),
    ("examples/44_a_loop_in_a_thread", &["A006"]),
    ("examples/35_cancel", &["A027"]),
    ("tests/golden/basics/run_coroutine_threadsafe", &["A006"]),
    (
        "tests/golden/classes/attribute_hooks_super_and_scopes",
        &["A013", "A024"],
    ),
    ("tests/golden/coroutines/async_generator_dropped", &["A031"]),
    ("tests/golden/coroutines/async_iterators", &["A025"]),
    ("tests/golden/coroutines/async_generator_hooks", &["A031"]),
    (
        "tests/golden/coroutines/contexts_of_tasks_are_their_own",
        &["A005"],
    ),
    ("tests/golden/tasks/a_task_keeps_what_it_awaited", &["A031"]),
    (
        "tests/golden/tasks/what_is_handled_around_the_loop_is_a_cancellations_context",
        &["A006"],
    ),
    (
        "tests/golden/coroutines/coroutines_remember_where_they_were_made",
        &["A001"],
    ),
    ("tests/golden/coroutines/custom_awaitables", &["A002"]),
    ("tests/golden/coroutines/driven_by_hand", &["A022"]),
    ("tests/golden/coroutines/driven_by_hand_in_every_state", &["A026"]),
    (
        "tests/golden/coroutines/never_awaited_and_unfinished",
        &["A001", "A006"],
    ),
    (
        "tests/golden/exceptions/what_is_thrown_in_sees_no_awaiters_handling",
        &["A027"],
    ),
    (
        "tests/golden/exceptions/what_awaits_in_a_handler_fails_with_its_context",
        &["A005", "A027", "A033"],
    ),
    (
        "tests/golden/generators/a_failed_loop_drops_its_iterator_before_the_handler",
        &["A031"],
    ),
    (
        "tests/golden/exceptions/traceback_has_one_row_for_each_frame",
        &["A027"],
    ),
    (
        "tests/golden/coroutines/never_awaited_told_to_a_replaced_stderr",
        &["A001"],
    ),
    (
        "tests/golden/coroutines/never_awaited_through_warnings",
        &["A001"],
    ),
    (
        "tests/golden/coroutines/iterators_are_dropped_before_a_block_is_left",
        &["A031"],
    ),
    (
        "tests/golden/coroutines/never_awaited_under_their_full_names",
        &["A001", "A002", "A003", "A019"],
    ),
    ("tests/golden/coroutines/what_is_around_a_try_is_kept", &["A031"]),
    (
        "tests/golden/loop/asyncio_logs_through_logging",
        &["A007", "A008"],
    ),
    ("tests/golden/loop/asyncio_records_name_asyncio", &["A007"]),
    (
        "tests/golden/loop/coroutines_left_at_the_end_are_closed",
        &["A005", "A006"],
    ),
    ("tests/golden/loop/runner", &["A019"]),
    ("tests/golden/loop/several_loops", &["A033"]),
    ("tests/golden/loop/what_a_loop_never_closed_leaves", &["A006"]),
    ("tests/golden/loop/what_waits_for_an_event_is_left", &["A006"]),
    (
        "tests/golden/loop/what_run_leaves_and_cancels",
        &["A005", "A006", "A027"],
    ),
    ("tests/golden/loop/who_runs_first_when_due_together", &["A008"]),
    ("tests/golden/modules/unittest_async", &["A005"]),
    ("tests/golden/sync/lock_event_condition", &["A033"]),
    ("tests/golden/syntax/async_for_and_with_errors", &["A013", "A024"]),
    (
        "tests/golden/tasks/background_tasks_and_run_cleanup",
        &["A005", "A019"],
    ),
    ("tests/golden/tasks/cancel_many_cases", &["A028"]),
    ("tests/golden/tasks/runner_handles_ctrl_c", &["A005"]),
    ("tests/golden/tasks/timeout_basics", &["A008"]),
    (
        "tests/golden/tasks/wait_and_wait_for_many_cases",
        &["A001", "A003", "A019"],
    ),
    ("tests/golden/tasks/wait_details", &["A001"]),
    (
        "tests/golden/coroutines/async_generator_protocol",
        &["A001", "A031"],
    ),
    (
        "tests/golden/coroutines/async_generator_steps_dropped_and_thrown",
        &["A031"],
    ),
    (
        "tests/golden/coroutines/which_functions_are_coroutine_functions",
        &["A001"],
    ),
    ("tests/golden/loop/misuse_of_asyncio", &["A027"]),
    ("tests/golden/loop/runners_loops_and_policies", &["A006"]),
    ("tests/golden/loop/times_of_every_type", &["A002"]),
    ("tests/golden/sync/lock_subclasses_and_insides", &["A033"]),
    (
        "tests/golden/syntax/async_for_and_with_protocol_errors",
        &["A025"],
    ),
    (
        "tests/golden/tasks/odd_yields_cancellations_and_callbacks",
        &["A006"],
    ),
    ("tests/golden/tasks/tasks_that_wait_in_a_circle", &["A006"]),
    ("tests/golden/tasks/timeout_states_and_misuse", &["A027"]),
];

fn main() {
    let pages = root().join("src/tools/lint/pages");
    let mistakes = root().join("tests/mistakes");
    let mut trials = Vec::new();
    for path in [support::scripts(&pages), support::scripts(&mistakes)].concat() {
        trials.push(Trial::test(name_of(&path), move || check_marks(&path)));
    }
    for folder in ["tests/golden", "examples"] {
        let scripts = support::scripts(&root().join(folder));
        for path in scripts.into_iter().filter(|path| !is_helper(path)) {
            trials.push(Trial::test(name_of(&path), move || check_good(&path)));
        }
    }
    let scripts = mistakes.clone();
    trials.push(Trial::test("each_number_has_its_programs", move || {
        has_programs(&pages, &scripts)
    }));
    trials.push(Trial::test("what_is_on_purpose_is_there", purpose_is_true));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn name_of(path: &Path) -> String {
    let inner = path.strip_prefix(root()).unwrap_or(path);
    inner.with_extension("").to_string_lossy().replace('\\', "/")
}

/// A module that is there to be imported.
fn is_helper(path: &Path) -> bool {
    path.to_string_lossy().ends_with("_helper.aio")
}

/// A line and a number.
type Place = (usize, String);

/// The numbers that stand in the comments of a text after `mark`.
fn marks(text: &str, mark: &str) -> BTreeSet<Place> {
    let mut found = BTreeSet::new();
    for (line, text) in text.lines().enumerate() {
        for (at, _) in text.match_indices(mark) {
            if let Some(number) = number_at(&text[at + mark.len()..]) {
                found.insert((line + 1, number));
            }
        }
    }
    found
}

/// `A` and three digits.
fn number_at(text: &str) -> Option<String> {
    let number = text.get(..4)?;
    let digits = number.strip_prefix('A')?;
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| number.to_owned())
}

/// What was told: `FILE:LINE:COLUMN: NUMBER message`.
fn told(output: &str, file: &str) -> BTreeSet<Place> {
    let lines = output
        .lines()
        .filter_map(|line| line.strip_prefix(file)?.strip_prefix(':'));
    let places = lines.filter_map(|rest| {
        let mut parts = rest.splitn(3, ':');
        let line = parts.next()?.parse().ok()?;
        parts.next()?.parse::<usize>().ok()?;
        Some((line, number_at(parts.next()?.trim_start())?))
    });
    places.collect()
}

/// What `aio lint` finds.
fn linted(path: &Path) -> Result<BTreeSet<Place>, Failed> {
    let file = file_of(path);
    let run = run(aio(folder_of(path)).args(["lint", &file]), b"");
    let found = told(&run.out(), &file);
    let is_clean = run
        .out()
        .lines()
        .all(|line| !line.starts_with(&file) || line.contains(" note: "));
    if run.status != i32::from(!is_clean) {
        return Err(format!("exit status {}\n{}{}", run.status, run.out(), run.err()).into());
    }
    Ok(found)
}

/// What `aio run --warn` tells.
fn warned(path: &Path) -> (BTreeSet<Place>, support::Run) {
    let directions = Directions::of(path);
    let file = file_of(path);
    let mut command = aio(folder_of(path));
    command.args(["run", "--warn"]);
    if !directions.is_real {
        command.args(["--clock", "virtual"]);
    }
    command
        .args(&directions.options)
        .arg(&file)
        .args(&directions.args);
    let run = run(&mut command, b"");
    (told(&run.err(), &file), run)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().expect("a script stands in a folder")
}

fn file_of(path: &Path) -> String {
    let name = path.file_name().expect("a script has a name");
    name.to_string_lossy().into_owned()
}

fn check_marks(path: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let in_text = marks(&text, "# ");
    let only_in_run = marks(&text, "# run: ");
    let found = linted(path)?;
    if found != in_text {
        return Err(format!("lint: want {in_text:?}, got {found:?}").into());
    }
    let (found, run) = warned(path);
    let want: BTreeSet<Place> = in_text.union(&only_in_run).cloned().collect();
    if found != want {
        return Err(format!("run --warn: want {want:?}, got {found:?}\n{}", run.err()).into());
    }
    Ok(())
}

/// A good program is told nothing but notes, and prints what it prints without `--warn`.
fn check_good(path: &Path) -> Result<(), Failed> {
    let name = name_of(path);
    let allowed = ON_PURPOSE.iter().find(|(script, _)| *script == name);
    let allowed = allowed.map_or(&[][..], |(_, numbers)| numbers);
    let (mut found, run) = warned(path);
    if !has_syntax_error(&run.err()) {
        found.extend(linted(path)?);
    }
    let is_allowed = |number: &String| is_note(number) || allowed.contains(&&**number);
    if let Some(number) = allowed
        .iter()
        .find(|number| found.iter().all(|(_, n)| n != *number))
    {
        return Err(format!("{number} is on the list and is not told").into());
    }
    let mistakes: Vec<Place> = found
        .into_iter()
        .filter(|(_, number)| !is_allowed(number))
        .collect();
    if !mistakes.is_empty() {
        return Err(format!("{mistakes:?}\n{}", run.err()).into());
    }
    let expected = match name.strip_prefix("examples/") {
        Some(lesson) => root()
            .join("tests/golden/examples")
            .join(lesson)
            .with_extension("out"),
        None => path.with_extension("out"),
    };
    Ok(support::compare(&fs::read_to_string(expected)?, &run.out())?)
}

/// Only A017 is a note: what it tells of is no mistake here.
fn is_note(number: &str) -> bool {
    number == "A017"
}

fn has_syntax_error(stderr: &str) -> bool {
    ["SyntaxError", "IndentationError", "TabError"]
        .iter()
        .any(|error| stderr.contains(error))
}

fn has_programs(pages: &Path, mistakes: &Path) -> Result<(), Failed> {
    let list = run(aio(root()).arg("explain"), b"").out();
    let numbers: Vec<String> = list.lines().filter_map(number_at).collect();
    if numbers.len() < 20 {
        return Err(format!("only {} numbers:\n{list}", numbers.len()).into());
    }
    for number in numbers {
        let scripts = support::scripts(&mistakes.join(&number));
        let marked = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.contains(&number));
        if scripts.iter().filter(|path| marked(path)).count() < 2 {
            return Err(format!("{number} has fewer than two programs").into());
        }
        if !marked(&pages.join(&number).join("wrong.aio")) || marked(&pages.join(&number).join("right.aio")) {
            return Err(format!("the programs of {number}'s page are not one wrong and one right").into());
        }
        let page = run(aio(root()).args(["explain", &number.to_lowercase()]), b"");
        if page.status != 0 || !page.out().starts_with(&number) {
            return Err(format!("explain {number}: {}", page.out()).into());
        }
    }
    Ok(())
}

fn purpose_is_true() -> Result<(), Failed> {
    for (script, _) in ON_PURPOSE {
        if !root().join(script).with_extension("aio").exists() {
            return Err(format!("{script} is not there").into());
        }
    }
    Ok(())
}
