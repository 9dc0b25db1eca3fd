//! How deeply the blocks of one function may nest.
//!
//! CPython's compiler keeps account of loops, `with` and `try` in a table of fixed size
//! (`CO_MAXBLOCKS`), and refuses what does not fit. What fits there fits here, which also bounds the
//! copies that are made of `finally` bodies.

use super::state::Lowered;
use crate::source::Span;
use crate::syntax::SyntaxError;
use crate::syntax::ast::{Stmt, StmtKind};

const LIMIT: usize = 21;

/// Refuses a body whose blocks nest too deeply. A generator's and a coroutine's whole body is one
/// block itself.
pub(super) fn check(body: &[Stmt], is_resumable: bool) -> Lowered {
    block(body, usize::from(is_resumable))
}

fn block(body: &[Stmt], depth: usize) -> Lowered {
    body.iter().try_for_each(|stmt| statement(stmt, depth))
}

fn statement(stmt: &Stmt, depth: usize) -> Lowered {
    let enter = |depth: usize, blocks: usize| match depth + blocks {
        inside if inside <= LIMIT => Ok(inside),
        _ => {
            let start = stmt.span.start;
            let head = Span {
                start,
                end: start + 1,
            };
            Err(SyntaxError::new("too many statically nested blocks", head)
                .help("move the inner blocks to a function of their own"))
        }
    };
    match &stmt.kind {
        StmtKind::While { body, orelse, .. } | StmtKind::For { body, orelse, .. } => {
            block(body, enter(depth, 1)?)?;
            block(orelse, depth)
        }
        StmtKind::With { items, body, .. } => block(body, enter(depth, items.len())?),
        StmtKind::Try {
            body,
            handlers,
            orelse,
            finalbody,
            ..
        } => {
            let around = match finalbody.is_empty() {
                true => depth,
                false => enter(depth, 1)?,
            };
            match handlers.is_empty() {
                true => block(body, around)?,
                false => block(body, enter(around, 1)?)?,
            }
            for handler in handlers {
                // What handles the exception, and what forgets it at the end.
                block(&handler.body, enter(around, 2)?)?;
            }
            block(orelse, around)?;
            block(finalbody, around)
        }
        _ => stmt
            .blocks()
            .into_iter()
            .try_for_each(|inside| block(inside, depth)),
    }
}

#[cfg(test)]
mod tests {
    use crate::lower::{Options, lower};
    use crate::source::Source;
    use crate::syntax::parse;

    /// Whether `depth` blocks fit, each begun by `head` and ended by `tail`, in `outer` if it is
    /// not empty.
    fn fits(outer: &str, head: &str, tail: &str, depth: usize) -> bool {
        let shift = usize::from(!outer.is_empty());
        let mut text = format!("{outer}\n");
        let mut line = |level: usize, lines: &str| {
            for part in lines.split('|').filter(|part| !part.is_empty()) {
                text += &format!("{}{part}\n", " ".repeat(level + shift));
            }
        };
        (0..depth).for_each(|level| line(level, head));
        line(depth, "pass");
        (0..depth).rev().for_each(|level| line(level, tail));
        let source = Source::new("t", &text);
        lower(&parse(&source).expect(&text), &source, &Options::default()).is_ok()
    }

    #[test]
    fn as_deep_as_cpython_goes() {
        let coroutine = "async def f():";
        for (outer, head, tail, most) in [
            ("", "while 1:", "", 21),
            ("def f():", "for x in y:", "", 21),
            (coroutine, "with a:", "", 20),
            ("", "try:", "except E: pass", 20),
            (coroutine, "try:", "except E: pass", 19),
            ("class C:", "try:", "finally: pass", 21),
            ("", "try: pass|except E:", "", 10),
            ("", "try: pass|finally:", "", 21),
            ("", "try: pass|except E as e:", "finally: pass", 7),
            ("", "try:", "except E: pass|finally: pass", 10),
            (coroutine, "async with a:", "", 20),
        ] {
            let deepest = (1..40).take_while(|&depth| fits(outer, head, tail, depth)).last();
            assert_eq!(deepest, Some(most), "{outer} {head} {tail}");
        }
        assert!(fits("", "if x:", "", 90));
        assert!(fits("", "for x in y: pass|else:", "", 90));
    }
}
