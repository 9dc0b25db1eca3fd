//! `aio explain`: the pages about the mistakes.

use super::catalog::{ALL, Lint};

/// All numbers with their titles, a line each.
pub fn list() -> String {
    let lines = ALL
        .iter()
        .map(|lint| format!("{}  {}\n", lint.number, lint.title));
    format!(
        "{}\n`aio explain NUMBER` tells more.\n",
        lines.collect::<String>()
    )
}

/// The page about a mistake: what it is, why, a wrong program and a right one.
pub fn page(lint: &Lint) -> String {
    format!(
        "{}: {}\n\n{}\n\n{}\n\nWrong:\n\n{}\nRight:\n\n{}",
        lint.number,
        lint.title,
        lint.sentence,
        lint.page.trim_end(),
        indented(lint.wrong, lint.number),
        indented(lint.right, lint.number)
    )
}

/// A program as it stands on a page: where its lines are marked with the number, "here" is said.
fn indented(program: &str, number: &str) -> String {
    let lines = program.trim_end().lines().map(|line| {
        let (code, marks) = match line.find("  # A").or_else(|| line.find("  # run: A")) {
            Some(at) => line.split_at(at),
            None => (line, ""),
        };
        match (code.is_empty(), marks.contains(number)) {
            (true, _) => "\n".to_string(),
            (false, true) => format!("    {code}  # <- here\n"),
            (false, false) => format!("    {code}\n"),
        }
    });
    lines.collect()
}
