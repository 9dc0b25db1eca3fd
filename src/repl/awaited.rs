//! What `:load` changes in a program: `asyncio.run(main())` becomes `await main()`, because the prompt's own loop
//! runs already. So the program's tasks are the prompt's, and can be looked at.

use crate::syntax::ast::*;

/// The names by which a module has `asyncio` and its `run`.
struct Names {
    modules: Vec<&'static str>,
    functions: Vec<&'static str>,
}

/// Has each `asyncio.run(…)` at the top level of a module awaited instead.
pub fn await_runs(module: &mut Module) {
    let mut names = Names {
        modules: vec!["asyncio"],
        functions: Vec::new(),
    };
    for stmt in &module.body {
        match &stmt.kind {
            StmtKind::Import(aliases) => {
                let own = aliases.iter().filter(|alias| alias.name.text() == "asyncio");
                names
                    .modules
                    .extend(own.filter_map(|alias| alias.asname).map(|name| name.text()));
            }
            StmtKind::ImportFrom {
                module: Some(module),
                names: imported,
                level: 0,
            } if module.text() == "asyncio" => {
                let own = imported.iter().filter(|alias| alias.name.text() == "run");
                names
                    .functions
                    .extend(own.map(|alias| alias.asname.unwrap_or(alias.name).text()));
            }
            _ => {}
        }
    }
    names.in_block(&mut module.body);
}

impl Names {
    fn in_block(&self, block: &mut [Stmt]) {
        block.iter_mut().for_each(|stmt| self.in_stmt(stmt));
    }

    fn in_stmt(&self, stmt: &mut Stmt) {
        match &mut stmt.kind {
            StmtKind::Expr(value)
            | StmtKind::Assign { value, .. }
            | StmtKind::AugAssign { value, .. }
            | StmtKind::AnnAssign {
                value: Some(value), ..
            } => self.in_expr(value),
            StmtKind::If { test, body, orelse } | StmtKind::While { test, body, orelse } => {
                self.in_expr(test);
                self.in_block(body);
                self.in_block(orelse);
            }
            StmtKind::For {
                iter, body, orelse, ..
            } => {
                self.in_expr(iter);
                self.in_block(body);
                self.in_block(orelse);
            }
            StmtKind::Try {
                body,
                handlers,
                orelse,
                finalbody,
                ..
            } => {
                self.in_block(body);
                handlers
                    .iter_mut()
                    .for_each(|handler| self.in_block(&mut handler.body));
                self.in_block(orelse);
                self.in_block(finalbody);
            }
            StmtKind::With { body, .. } => self.in_block(body),
            StmtKind::Match { subject, cases } => {
                self.in_expr(subject);
                cases.iter_mut().for_each(|case| self.in_block(&mut case.body));
            }
            _ => {}
        }
    }

    fn in_expr(&self, expr: &mut Expr) {
        if let Some(awaited) = self.awaited(expr) {
            expr.kind = ExprKind::Await(Box::new(awaited));
            return;
        }
        match &mut expr.kind {
            ExprKind::Paren(inner) | ExprKind::Walrus { value: inner, .. } => self.in_expr(inner),
            ExprKind::Call { args, .. } => {
                for arg in args {
                    if let Arg::Positional(value) | Arg::Star(value) | Arg::Keyword { value, .. } = arg {
                        self.in_expr(value);
                    }
                }
            }
            _ => {}
        }
    }

    /// What a call of `asyncio.run` runs.
    fn awaited(&self, call: &Expr) -> Option<Expr> {
        let ExprKind::Call { func, args } = &call.kind else {
            return None;
        };
        let is_run = match &func.kind {
            ExprKind::Name(name) => self.functions.contains(&name.text()),
            ExprKind::Attribute { value, name, .. } => {
                let is_module = |owner: &str| self.modules.contains(&owner);
                name.text() == "run" && matches!(value.kind, ExprKind::Name(owner) if is_module(owner.text()))
            }
            _ => false,
        };
        match args.first()? {
            Arg::Positional(work) if is_run => Some(work.clone()),
            _ => None,
        }
    }
}
