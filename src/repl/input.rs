//! When what was typed is whole, and how the next line begins.

use crate::source::Source;
use crate::syntax::{Line, parse_line};

/// Spaces of a level of indentation.
pub const INDENT: usize = 4;

/// Whether the lines so far can be run, or told to be wrong, as they stand.
pub fn is_whole(text: &str) -> bool {
    is_command(text) || !matches!(parse_line(&Source::new("<prompt>", text)), Line::Incomplete)
}

/// Whether it is a command of the prompt.
pub fn is_command(text: &str) -> bool {
    text.starts_with(':')
}

/// Whether there is nothing to run.
pub fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Several lines that came at once, pasted or from the history, need no empty line at their end:
/// with the one they get here, if that makes them whole.
pub fn ended(text: &str) -> Option<String> {
    let ended = format!("{text}\n");
    (text.contains('\n') && is_whole(&ended)).then_some(ended)
}

/// Words that open a block.
const OPENERS: &[&str] = &[
    "def", "class", "if", "for", "while", "try", "with", "async", "match",
];

/// Whether the last line only goes on with a block, so that nobody needs to parse it yet.
pub fn goes_on(text: &str) -> bool {
    let word = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let last = text.rsplit('\n').next().unwrap_or("");
    text.contains('\n') && OPENERS.contains(&word) && last.starts_with([' ', '\t']) && !is_blank(last)
}

/// The whitespace that the next line begins with.
pub fn indent(text: &str) -> String {
    let last = text.rsplit('\n').next().unwrap_or("");
    let code = last.split(" #").next().unwrap_or(last).trim_end();
    let depth = last.len() - last.trim_start().len();
    let first = code
        .trim_start()
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or("");
    let depth = match first {
        _ if code.ends_with(':') => depth + INDENT,
        "return" | "raise" | "pass" | "break" | "continue" => depth.saturating_sub(INDENT),
        _ => depth,
    };
    " ".repeat(depth)
}

/// The line that was meant, for one that began with a given indentation: who types an indentation
/// of their own, behind it, does not want both.
pub fn without_double_indent<'a>(line: &'a str, given: &str) -> &'a str {
    match line.strip_prefix(given) {
        Some(typed) if typed.starts_with([' ', '\t']) && !is_blank(typed) => typed,
        _ => line,
    }
}

/// Whether Backspace takes a whole level back: the cursor stands at one, in front of the line's
/// first letter.
pub fn is_at_level(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or("");
    !line.is_empty() && line.len().is_multiple_of(INDENT) && line.bytes().all(|b| b == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_with_an_empty_line() {
        for (text, whole) in [
            ("x = 1", true),
            ("def f():", false),
            ("def f():\n    return 1", false),
            ("def f():\n    return 1\n    ", true),
            ("(1 +", false),
            ("(1 +\n2)", true),
            ("await f()", true),
            (":load a b", true),
            ("x = = 1", true),
        ] {
            assert_eq!(is_whole(text), whole, "{text:?}");
        }
    }

    #[test]
    fn pasted_lines_need_no_empty_one() {
        assert_eq!(ended("if x:\n    y").as_deref(), Some("if x:\n    y\n"));
        assert_eq!(ended("if x:"), None);
        assert_eq!(ended("f(\n1,"), None);
    }

    #[test]
    fn the_next_line_is_indented_as_the_block_asks() {
        for (text, spaces) in [
            ("def f():", 4),
            ("def f():\n    if x:  # why", 8),
            ("def f():\n    x = 1", 4),
            ("def f():\n    return x", 0),
            ("def f():\n    for x in y:\n        continue", 4),
            ("x = (1,", 0),
        ] {
            assert_eq!(indent(text).len(), spaces, "{text:?}");
        }
    }

    #[test]
    fn an_indentation_is_not_doubled() {
        assert_eq!(without_double_indent("        return 1", "    "), "    return 1");
        assert_eq!(without_double_indent("    return 1", "    "), "    return 1");
        assert_eq!(without_double_indent("        ", "    "), "        ");
        assert_eq!(without_double_indent("x", "    "), "x");
    }

    #[test]
    fn backspace_takes_a_level_back() {
        assert!(is_at_level("        "));
        assert!(is_at_level("x\n    "));
        assert!(!is_at_level("      "));
        assert!(!is_at_level("    x"));
        assert!(!is_at_level(""));
    }

    #[test]
    fn a_line_inside_a_block_goes_on() {
        assert!(goes_on("def f():\n    x"));
        assert!(!goes_on("def f():"));
        assert!(!goes_on("def f():\n    x\n"));
        assert!(!goes_on("x = f(\n    1)"));
    }
}
