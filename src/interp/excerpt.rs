//! The source under a row of a traceback, with `^` below the expression that failed and `~` below
//! the parts of it that only stand around the operator, index or arguments (PEP 657).
//!
//! Places here are line and column, both from 0, columns in code points.

use crate::source::Source;
use crate::syntax::ast::{Expr, ExprKind, Module, StmtKind};
use crate::syntax::parse;
use unicode_width::UnicodeWidthChar;

/// A line and a column.
type Place = (usize, usize);

/// What stands between these two gets `^`, the rest of the expression `~`.
struct Anchors {
    start: Place,
    end: Place,
}

/// The source lines of a row: without their common indentation, the parts that matter only, each
/// with its marks below; every line ends in a newline. `lines` are those the expression stands in,
/// `start` its byte in the first one, `end` the byte after it in the last one.
pub fn excerpt(lines: &[&str], start: usize, end: usize) -> String {
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
        return String::new();
    };
    let column = |line: &str, byte: usize| {
        line.get(..byte)
            .map_or(line.chars().count(), |s| s.chars().count())
    };
    let dedented = dedent(lines);
    let removed = first.len() - dedented[0].len(); // indentation is ASCII
    let start = column(first, start).saturating_sub(removed);
    let end = column(last, end).saturating_sub(removed);
    let anchors = anchors(&segment(&dedented, start, end)).map(|mut anchors| {
        for place in [&mut anchors.start, &mut anchors.end] {
            if place.0 == 0 {
                place.1 += start;
            }
        }
        anchors
    });
    let marked = is_marked(&dedented, start, end, anchors.is_some());
    let mut out = String::new();
    let mut before = None;
    for line in significant(dedented.len(), anchors.as_ref()) {
        match before.map_or(1, |before| line - before) {
            0 | 1 => {}
            2 => push_line(
                &mut out,
                &dedented,
                line - 1,
                start,
                end,
                anchors.as_ref(),
                marked,
            ),
            gap => out.push_str(&format!("...<{} lines>...\n", gap - 1)),
        }
        push_line(&mut out, &dedented, line, start, end, anchors.as_ref(), marked);
        before = Some(line);
    }
    let lines: Vec<&str> = out.lines().collect();
    dedent(&lines).iter().map(|line| format!("{line}\n")).collect()
}

/// The lines without the indentation that all but blank ones share (`textwrap.dedent`).
fn dedent<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let indents = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| {
        let text = line.trim_start_matches([' ', '\t']);
        &line[..line.len() - text.len()]
    });
    let common = indents.reduce(|common, indent| {
        let same = common
            .bytes()
            .zip(indent.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        &common[..same]
    });
    let common = common.unwrap_or("");
    let rest = |line: &&'a str| match line.trim().is_empty() {
        true => "",
        false => &line[common.len()..],
    };
    lines.iter().map(rest).collect()
}

/// The text from a column of the first line to one of the last.
fn segment(lines: &[&str], start: usize, end: usize) -> String {
    let last = lines.len() - 1;
    let part = |(i, line): (usize, &&str)| {
        let from = if i == 0 { start } else { 0 };
        let to = if i == last { end } else { usize::MAX };
        line.chars().take(to).skip(from).collect::<String>()
    };
    let parts: Vec<String> = lines.iter().enumerate().map(part).collect();
    parts.join("\n")
}

/// The lines to show: the first, the last, and those around the anchors.
fn significant(count: usize, anchors: Option<&Anchors>) -> Vec<usize> {
    let mut lines = vec![0, count - 1];
    if let Some(anchors) = anchors {
        for (line, _) in [anchors.start, anchors.end] {
            lines.extend([line.saturating_sub(1), line, line + 1]);
        }
    }
    lines.sort_unstable();
    lines.dedup();
    lines.retain(|line| *line < count);
    lines
}

/// How wide a terminal shows so many code points of a line.
fn width(line: &str, count: usize) -> usize {
    let wide = |c: char| if c.width() == Some(2) { 2 } else { 1 };
    match line.is_ascii() {
        true => count,
        false => line.chars().take(count).map(wide).sum(),
    }
}

fn push_line(
    out: &mut String,
    lines: &[&str],
    number: usize,
    start: usize,
    end: usize,
    anchors: Option<&Anchors>,
    marked: bool,
) {
    let line = lines[number];
    out.push_str(line);
    out.push('\n');
    if !marked {
        return;
    }
    let whole = line.chars().count();
    let blank = whole - line.trim_start().chars().count();
    let first = if number == 0 { width(line, start) } else { 0 };
    let count = if number == lines.len() - 1 { end } else { whole };
    let bounds = anchors.map(|anchors| {
        let shown = |(at, column): Place| (at, width(lines.get(at).copied().unwrap_or(""), column));
        (shown(anchors.start), shown(anchors.end))
    });
    for column in 0..width(line, count) {
        let at = (number, column);
        out.push(match bounds {
            _ if column < blank || column < first => ' ',
            Some((from, to)) if at < from || at >= to => '~',
            _ => '^',
        });
    }
    out.push('\n');
}

/// Whether marks say more than the line itself does.
fn is_marked(lines: &[&str], start: usize, end: usize, has_anchors: bool) -> bool {
    if lines.len() == 1 && start == end {
        return false;
    }
    let before: String = lines[0].chars().take(start).collect();
    let after: String = lines[lines.len() - 1].chars().skip(end).collect();
    if let Ok(module) = parse(&Source::new("<row>", lines.join("\n"))) {
        if module.body.is_empty() {
            return false;
        }
        // CPython compares the bytes of one with the characters of the other.
        let last_line = lines[..lines.len() - 1]
            .iter()
            .map(|line| line.len() + 1)
            .sum::<usize>();
        if let Some(call) = plain_call(&module)
            && (call.span.start as usize, call.span.end as usize) == (start, last_line + end)
        {
            return false;
        }
    }
    has_anchors || !before.trim().is_empty() || !after.trim().is_empty()
}

fn is_name(expr: &Expr) -> bool {
    matches!(inner(expr).kind, ExprKind::Name(_))
}

/// The call of `return f(…)` or `name = f(…)`.
fn plain_call(module: &Module) -> Option<&Expr> {
    match &module.body.first()?.kind {
        StmtKind::Return(Some(value)) => match (inner(value), &inner(value).kind) {
            (value, ExprKind::Call { func, .. }) if is_name(func) => Some(value),
            _ => None,
        },
        StmtKind::Assign { targets, value } => match (&targets[..], inner(value)) {
            ([target], value) if is_name(target) && matches!(value.kind, ExprKind::Call { .. }) => {
                Some(value)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What of an expression's text is its operator, its index or its arguments.
fn anchors(segment: &str) -> Option<Anchors> {
    // Brackets make one expression of several lines.
    let source = Source::new("<row>", format!("(\n{segment}\n)"));
    let module = parse(&source).ok()?;
    let [statement] = &module.body[..] else {
        return None;
    };
    let StmtKind::Expr(expr) = &statement.kind else {
        return None;
    };
    let expr = inner(expr);
    let lines: Vec<Vec<char>> = segment.lines().map(|line| line.chars().collect()).collect();
    let text = Text {
        lines: &lines,
        segment,
    };
    let end = text.place(expr.span.end);
    match &expr.kind {
        ExprKind::Binary { left, right, .. } => {
            let (line, column) = text.find(text.place(left.span.end), |c| !c.is_whitespace() && c != ')')?;
            let next = column + 1;
            let is_longer = lines[line]
                .get(next)
                .is_some_and(|c| !c.is_whitespace() && !"\\#".contains(*c))
                && (line, next) < text.place(inner(right).span.start);
            let end = (line, if is_longer { next + 1 } else { next });
            Some(Anchors {
                start: (line, column),
                end,
            })
        }
        ExprKind::Subscript { value, .. } => {
            let start = text.find(text.place(value.span.end), |c| c == '[')?;
            Some(Anchors { start, end })
        }
        ExprKind::Call { func, .. } => {
            let start = text.find(text.place(func.span.end), |c| c == '(')?;
            Some(Anchors { start, end })
        }
        _ => None,
    }
}

fn inner(mut expr: &Expr) -> &Expr {
    while let ExprKind::Paren(inside) = &expr.kind {
        expr = inside;
    }
    expr
}

/// A segment, to be walked over.
struct Text<'a> {
    lines: &'a [Vec<char>],
    segment: &'a str,
}

impl Text<'_> {
    /// Where a byte of the bracketed segment stands in the segment.
    fn place(&self, byte: u32) -> Place {
        let byte = (byte as usize).saturating_sub(2).min(self.segment.len()); // after "(\n"
        let before = &self.segment[..byte];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or("").chars().count();
        (line, column)
    }

    /// The first place from `from` on whose character is wanted; comments and `\` are passed over.
    fn find(&self, from: Place, is_wanted: impl Fn(char) -> bool) -> Option<Place> {
        let (mut line, mut column) = from;
        loop {
            let chars = self.lines.get(line)?;
            match chars.get(column) {
                None | Some('\\' | '#') => (line, column) = (line + 1, 0),
                Some(c) if is_wanted(*c) => return Some((line, column)),
                Some(_) => column += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], start: usize, end: usize, expected: &str) {
        assert_eq!(excerpt(lines, start, end), expected);
    }

    #[test]
    fn operators_indices_and_arguments_are_told_from_what_stands_around() {
        check(&["    x = a + b"], 8, 13, "x = a + b\n    ~~^~~\n");
        check(&["d['a']['b']"], 0, 11, "d['a']['b']\n~~~~~~^^^^^\n");
        check(&["f(1) (2)"], 0, 8, "f(1) (2)\n~~~~~^^^\n");
        check(&["y = (a)**(b)"], 4, 12, "y = (a)**(b)\n    ~~~^^~~~\n");
    }

    #[test]
    fn what_is_the_whole_line_is_not_marked() {
        check(&["  raise ValueError"], 2, 18, "raise ValueError\n");
        check(&["x = f(1)"], 4, 8, "x = f(1)\n");
        check(&["return f(1)"], 7, 11, "return f(1)\n");
        check(&["return o.f(1)"], 7, 13, "return o.f(1)\n       ~~~^^^\n");
    }

    #[test]
    fn of_many_lines_those_that_matter_are_shown() {
        let call = ["  f(", "    1,", "    2,", "    3,", "    4,", "  )"];
        let shown = "f(\n~^\n  1,\n  ^^\n...<2 lines>...\n  4,\n  ^^\n)\n^\n";
        check(&call, 2, 3, shown);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        check(&["s = '日本' + 1"], 4, 16, "s = '日本' + 1\n    ~~~~~~~^~~\n");
    }
}
