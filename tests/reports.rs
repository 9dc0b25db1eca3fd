//! What aio says in its own words, pinned as whole texts, one named test for each script.
//!
//! - `tests/reports/NAME.aio`: all of stderr when it is run, and the exit status, in `NAME.stderr`.
//!   A first line `# options: --trace` adds options.
//! - `tests/states/NAME.aio`: what `aio states NAME.aio` prints, in `NAME.states`; here the options
//!   go to `states`.
//!
//! `AIO_BLESS=1 cargo test --test reports` writes the texts anew. Then read every one of them: it is
//! right if a learner who sees it knows what to do next.

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use support::Directions;

fn main() {
    let tests = support::root().join("tests");
    let mut trials = Vec::new();
    for (folder, check) in [("reports", report as fn(&Path) -> _), ("states", states)] {
        for path in support::scripts(&tests.join(folder)) {
            let name = path
                .file_stem()
                .expect("a script has a name")
                .to_string_lossy()
                .into_owned();
            trials.push(Trial::test(format!("{folder}/{name}"), move || check(&path)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn report(path: &Path) -> Result<(), Failed> {
    let run = support::run_script(path);
    let text = format!("{}[exit status {}]\n", run.err(), run.status);
    Ok(support::compare_with_file(&path.with_extension("stderr"), &text)?)
}

fn states(path: &Path) -> Result<(), Failed> {
    let directions = Directions::of(path);
    let mut command = support::aio(path.parent().expect("a script stands in a folder"));
    command
        .arg("states")
        .args(&directions.options)
        .arg(path.file_name().expect("a script has a name"));
    command.args(&directions.args);
    let run = support::run(&mut command, b"");
    if run.status != 0 {
        return Err(format!("exit status {}: {}", run.status, run.err()).into());
    }
    Ok(support::compare_with_file(
        &path.with_extension("states"),
        &run.out(),
    )?)
}
