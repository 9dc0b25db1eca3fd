//! How a block may end, as far as its text tells: by running through, or by leaving early.

use super::flow::constant_truth;
use crate::syntax::ast::{Handler, Stmt, StmtKind};

/// The ways in which a block may end.
#[derive(Clone, Copy, Default)]
pub(super) struct Ends {
    pub(super) normal: bool,
    pub(super) returns: bool,
    breaks: bool,
    continues: bool,
}

impl Ends {
    const NORMAL: Ends = Ends {
        normal: true,
        returns: false,
        breaks: false,
        continues: false,
    };

    /// How many there are.
    pub(super) fn ways(self) -> u32 {
        [self.normal, self.returns, self.breaks, self.continues]
            .into_iter()
            .map(u32::from)
            .sum()
    }

    fn or(self, other: Ends) -> Ends {
        Ends {
            normal: self.normal || other.normal,
            returns: self.returns || other.returns,
            breaks: self.breaks || other.breaks,
            continues: self.continues || other.continues,
        }
    }

    /// One after the other.
    fn then(self, other: Ends) -> Ends {
        Ends {
            normal: self.normal && other.normal,
            ..self.or(other)
        }
    }

    /// Of a loop with this body.
    fn of_loop(self, stops: bool) -> Ends {
        Ends {
            normal: stops || self.breaks,
            breaks: false,
            continues: false,
            returns: self.returns,
        }
    }
}

fn ends(stmts: &[Stmt]) -> Ends {
    stmts
        .iter()
        .fold(Ends::NORMAL, |before, stmt| before.then(ends_of(stmt)))
}

fn ends_of(stmt: &Stmt) -> Ends {
    match &stmt.kind {
        StmtKind::Return(_) => Ends {
            returns: true,
            ..Ends::default()
        },
        StmtKind::Break => Ends {
            breaks: true,
            ..Ends::default()
        },
        StmtKind::Continue => Ends {
            continues: true,
            ..Ends::default()
        },
        StmtKind::Raise { .. } => Ends::default(),
        StmtKind::If { body, orelse, .. } => ends(body).or(ends(orelse)),
        StmtKind::While { test, body, orelse } => {
            let looped = ends(body).of_loop(constant_truth(test) != Some(true));
            looped.or(Ends {
                normal: false,
                ..ends(orelse)
            })
        }
        StmtKind::For { body, orelse, .. } => ends(body).of_loop(true).or(Ends {
            normal: false,
            ..ends(orelse)
        }),
        StmtKind::With { body, .. } => ends(body).or(Ends::NORMAL),
        StmtKind::Match { cases, .. } => cases
            .iter()
            .fold(Ends::NORMAL, |all, case| all.or(ends(&case.body))),
        StmtKind::Try {
            body,
            handlers,
            orelse,
            finalbody,
            ..
        } => ends_of_try(body, handlers, orelse).then(ends(finalbody)),
        _ => Ends::NORMAL,
    }
}

/// Of a `try` statement without its `finally`.
pub(super) fn ends_of_try(body: &[Stmt], handlers: &[Handler], orelse: &[Stmt]) -> Ends {
    let whole = ends(body).then(ends(orelse));
    handlers
        .iter()
        .fold(whole, |all, handler| all.or(ends(&handler.body)))
}
