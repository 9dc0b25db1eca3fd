//! The syntax floor: text to tree.
//!
//! [`parse`] reads a whole file, [`parse_line`] what was typed at the prompt so far. A text goes
//! through three steps: `layout` (one scan for indentation, brackets and strings), `parse` (the
//! pest grammar in `grammar/aio.pest`) and `build` (pest's pairs to [`ast`]). `hint` finds words
//! for what the grammar refuses.
//!
//! Always true: the first error in the text is the one reported; no text makes this floor panic or
//! outgrow its stack (2 MiB are enough in a release build).

pub mod ast;
mod build;
mod error;
mod hint;
mod layout;
mod parse;
mod token;
mod walk;
mod warning;

pub use error::{Extent, SyntaxError, SyntaxErrorKind};
pub use warning::SyntaxWarning;

use crate::source::{Source, Span};
use ast::{Module, StmtKind};
use layout::Fault;
use parse::Failure;
use std::rc::Rc;

/// Parse a whole file.
pub fn parse(source: &Rc<Source>) -> Result<Module, SyntaxError> {
    parse_text(source).map(|(module, _)| module)
}

/// What the prompt has been given so far.
pub enum Line {
    Complete(Module),
    /// More lines are needed, or an empty one that ends the block.
    Incomplete,
    Error(SyntaxError),
}

/// Parse what was typed at the prompt: the lines so far, without the last one's newline. A block
/// ends with an empty line.
pub fn parse_line(source: &Rc<Source>) -> Line {
    let ends_empty = source
        .text
        .rsplit('\n')
        .next()
        .is_none_or(|line| line.trim().is_empty());
    match parse_text(source) {
        Ok((module, ends_indented)) => {
            let in_block = ends_indented || module.body.last().is_some_and(|stmt| is_compound(&stmt.kind));
            if in_block && !ends_empty {
                Line::Incomplete
            } else {
                Line::Complete(module)
            }
        }
        Err(error) if error.incomplete => {
            // A block that an empty line has ended will not come; an open bracket or string may.
            let ends_here = ends_empty && error.span.start as usize >= source.text.trim_end().len();
            if ends_here && source.text.contains('\n') {
                Line::Error(error)
            } else {
                Line::Incomplete
            }
        }
        Err(error) => Line::Error(error),
    }
}

/// The tree, and whether the last line is part of a block.
fn parse_text(source: &Rc<Source>) -> Result<(Module, bool), SyntaxError> {
    if source.text.len() >= u32::MAX as usize {
        return Err(SyntaxError::new("source is too large", Span::default()));
    }
    let layout = layout::lay_out(&source.text);
    match layout.fault {
        None => {
            let tree = parse::parse_file(&layout.text).map_err(|failure| {
                earlier_error(source, &layout.text, failure.at)
                    .unwrap_or_else(|| hint::explain(source, &layout.text, &failure))
            })?;
            build::build(source, &layout.text, tree).map(|module| (module, layout.ends_indented))
        }
        Some(Fault {
            error,
            yields_before,
            unclosed,
            in_field,
        }) => Err(match parse::parse_file(&layout.text) {
            Ok(tree) => build::build(source, &layout.text, tree).err().unwrap_or(error),
            Err(failure)
                if failure.at < yields_before
                    && !(unclosed && hint::reads_on(source, &layout.text, failure.at, error.span)) =>
            {
                earlier_error(source, &layout.text, failure.at)
                    .unwrap_or_else(|| hint::explain(source, &layout.text, &failure))
            }
            Err(failure) => {
                let earlier = earlier_error(source, &layout.text, failure.at);
                let first = || in_field.then(|| first_in_field(source, &layout.text, &failure, &error))?;
                earlier.or_else(first).unwrap_or(error)
            }
        }),
    }
}

/// Of two mistakes in a replacement field, one that the grammar sees and a later one that the scan
/// does, the first is told, if there are words for it.
#[cold]
fn first_in_field(
    source: &Source,
    text: &str,
    failure: &Failure,
    fault: &SyntaxError,
) -> Option<SyntaxError> {
    let between = text.get(failure.at..fault.span.start as usize)?;
    if between.trim().is_empty() || hint::reads_on(source, text, failure.at, fault.span) {
        return None;
    }
    let first = hint::explain(source, text, failure);
    (first.message != "invalid syntax").then_some(first)
}

/// A text that fails at `at` may hold an earlier error that only the builder sees: an invalid
/// target in line 1 comes before a slip in line 5.
#[cold]
fn earlier_error(source: &Source, text: &str, at: usize) -> Option<SyntaxError> {
    let line = text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
    // Before the failing line, or before the top-level statement that it stands in.
    let is_top = |&start: &usize| !text[start..].starts_with(['\t', '\u{0c}', '\n']);
    let mut starts = text[..line].match_indices('\n').map(|(n, _)| n + 1).rev();
    let top = if is_top(&line) {
        line
    } else {
        starts.find(is_top).unwrap_or(0)
    };
    [line, top].into_iter().find_map(|end| {
        let tree = parse::parse_file(&text[..end]).ok()?;
        Some(build::build(source, text, tree).err())
    })?
}

fn is_compound(kind: &StmtKind) -> bool {
    matches!(
        kind,
        StmtKind::If { .. }
            | StmtKind::While { .. }
            | StmtKind::For { .. }
            | StmtKind::Try { .. }
            | StmtKind::With { .. }
            | StmtKind::Match { .. }
            | StmtKind::Function(_)
            | StmtKind::Class(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> &'static str {
        match parse_line(&Source::new("<stdin>", text)) {
            Line::Complete(_) => "complete",
            Line::Incomplete => "incomplete",
            Line::Error(_) => "error",
        }
    }

    #[test]
    fn the_prompt_knows_when_to_go_on() {
        for (text, expected) in [
            ("x = 1", "complete"),
            ("", "complete"),
            ("x = (1,", "incomplete"),
            ("x = '''a", "incomplete"),
            ("x = 1 + \\", "incomplete"),
            ("if x:", "incomplete"),
            ("if x:\n    y", "incomplete"),
            ("if x:\n    y\n", "complete"),
            ("if x: y", "incomplete"),
            ("if x: y\n", "complete"),
            ("@deco", "incomplete"),
            ("try:\n    x", "incomplete"),
            ("try:\n    x\n", "error"),
            ("x = 1 +", "error"),
            ("x = 'a", "error"),
            ("1 = x", "error"),
            ("def f(:", "error"),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn depth_is_limited_and_fits_the_stack() {
        let run = || {
            let nested =
                |open: &str, n: usize, close: &str| format!("x = {}1{}", open.repeat(n), close.repeat(n));
            for (text, expected) in [
                (nested("(", 199, ")"), None),
                (nested("[", 201, "]"), Some("too many nested parentheses")),
                (nested("f'{", 149, "}'"), None),
                (nested("f'{", 150, "}'"), Some("too many nested f-strings")),
                (nested("not ", 900, ""), None),
                (nested("2 ** ", 100_000, ""), Some("too many nested operators")),
                (nested("1 + ", 100_000, ""), Some("too many nested operators")),
                (nested("a and ", 100_000, ""), None),
                (
                    nested("lambda a=", 5_000, ": 0"),
                    Some("too many nested parentheses"),
                ),
            ] {
                let message = parse(&Source::new("t", text)).err().map(|error| error.message);
                assert_eq!(message.as_deref(), expected);
            }
        };
        let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(run);
        thread.expect("a thread").join().expect("no overflow");
    }

    #[test]
    fn what_is_outside_says_so() {
        for text in ["type X = int", "def f[T](x): pass", "class A[T]: pass"] {
            let module = parse(&Source::new("t", text)).expect(text);
            let StmtKind::Outside(message) = &module.body[0].kind else {
                panic!("{text}")
            };
            assert!(message.contains("not part of aio"));
        }
    }
}
