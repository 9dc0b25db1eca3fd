//! The first pass over a module: which names each scope binds and uses, and what suspends.
//!
//! Always true: an expression or statement is noted as suspending exactly if lowering will end a
//! state inside it.

use super::scope::{Declared, Scope, ScopeId, ScopeKind, Scopes, address};
use super::shape::{all_params, arg_value, plain, top_name};
use crate::source::{Span, Symbol};
use crate::syntax::SyntaxError;
use crate::syntax::ast::*;
use std::collections::HashMap;

pub(super) type Surveyed<T = bool> = Result<T, SyntaxError>;

/// Surveys the module and resolves its names.
pub(super) fn survey(module: &Module) -> Result<Scopes, SyntaxError> {
    let mut survey = Survey {
        scopes: Scopes::default(),
        current: 0,
        prologue_end: 0,
    };
    for (names, span) in future_imports(module) {
        survey.prologue_end = span.end;
        survey.scopes.annotations_as_text |= names.iter().any(|alias| alias.name.text() == "annotations");
    }
    survey.open(ScopeKind::Module, Symbol::new("<module>"));
    survey.block(&module.body)?;
    survey.scopes.resolve()?;
    Ok(survey.scopes)
}

/// The `from __future__` imports that the module begins with.
fn future_imports(module: &Module) -> impl Iterator<Item = (&[Alias], Span)> {
    let is_docstring = |stmt: &Stmt| {
        matches!(
            &stmt.kind,
            StmtKind::Expr(Expr {
                kind: ExprKind::Constant(Constant::Str(_)),
                ..
            })
        )
    };
    let docstring = usize::from(module.body.first().is_some_and(is_docstring));
    module.body[docstring..]
        .iter()
        .map_while(|stmt| match &stmt.kind {
            StmtKind::ImportFrom {
                module: Some(from),
                names,
                level: 0,
            } if from.text() == "__future__" => Some((&names[..], stmt.span)),
            _ => None,
        })
}

pub(super) struct Survey {
    pub(super) scopes: Scopes,
    pub(super) current: ScopeId,
    /// Where the last `from __future__` import that may stand ends.
    prologue_end: u32,
}

impl Survey {
    pub(super) fn open(&mut self, kind: ScopeKind, name: Symbol) -> ScopeId {
        let id = self.scopes.list.len();
        let parent = (id > 0).then_some(self.current);
        let around = parent.map(|parent| &self.scopes.list[parent]);
        let host = match (kind, around) {
            (ScopeKind::Comprehension(ComprehensionKind::Generator), _) | (_, None) => id,
            (ScopeKind::Comprehension(_), Some(around)) => around.host,
            _ => id,
        };
        let scope = Scope {
            kind,
            name,
            parent,
            host,
            private: if kind == ScopeKind::Class {
                Some(name)
            } else {
                around.and_then(|s| s.private)
            },
            names: Vec::new(),
            variables: HashMap::new(),
            yields: false,
            awaits: false,
            open_iterables: around.map_or(0, |scope| scope.open_iterables),
            slots: Vec::new(),
            cells: Vec::new(),
            free: Vec::new(),
            attributes: Vec::new(),
            class_cell: None,
        };
        self.scopes.list.push(scope);
        self.current = id;
        id
    }

    pub(super) fn close(&mut self) {
        self.current = self.scope().parent.expect("only the module has no parent");
    }

    pub(super) fn scope(&mut self) -> &mut Scope {
        &mut self.scopes.list[self.current]
    }

    pub(super) fn mangle(&self, name: Symbol) -> Symbol {
        self.scopes.mangle(self.current, name)
    }

    pub(super) fn bind(&mut self, name: Symbol, span: Span) -> Surveyed<()> {
        if name.text() == "__debug__" {
            return Err(SyntaxError::new("cannot assign to __debug__", span));
        }
        let name = self.mangle(name);
        self.scope().variable(name).bound = true;
        Ok(())
    }

    pub(super) fn load(&mut self, name: Symbol) {
        let mangled = self.mangle(name);
        let scope = self.scope();
        scope.variable(mangled).used = true;
        if name.text() == "super" && scope.kind.is_function_like() {
            scope.variable(Symbol::new("__class__")).used = true;
        }
    }

    // Statements.

    fn block(&mut self, stmts: &[Stmt]) -> Surveyed {
        let mut suspends = false;
        for stmt in stmts {
            suspends |= self.stmt(stmt)?;
        }
        Ok(suspends)
    }

    fn stmt(&mut self, stmt: &Stmt) -> Surveyed {
        let suspends = self.stmt_kind(stmt)?;
        if suspends {
            self.scopes.suspending_statements.insert(address(stmt));
        }
        Ok(suspends)
    }

    fn stmt_kind(&mut self, stmt: &Stmt) -> Surveyed {
        let span = stmt.span;
        Ok(match &stmt.kind {
            StmtKind::Expr(value) => self.expr(value)?,
            StmtKind::Assign { targets, value } => self.expr(value)? | self.targets(targets)?,
            StmtKind::AugAssign { target, value, .. } => self.changed(target)? | self.expr(value)?,
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                simple,
            } => self.annotated(target, annotation, value.as_ref(), *simple, span)?,
            StmtKind::Del(targets) => {
                for target in targets {
                    if let ExprKind::Name(name) = target.kind
                        && name.text() == "__debug__"
                    {
                        return Err(SyntaxError::new("cannot delete __debug__", target.span));
                    }
                }
                let mut suspends = false;
                for target in targets {
                    suspends |= self.changed(target)?;
                }
                suspends
            }
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue | StmtKind::Outside(_) => false,
            StmtKind::Return(value) => self.maybe(value.as_ref())?,
            StmtKind::Raise { exc, cause } => self.maybe(exc.as_ref())? | self.maybe(cause.as_ref())?,
            StmtKind::Global(names) => self.declare(names, true)?,
            StmtKind::Nonlocal(names) => self.declare(names, false)?,
            StmtKind::Assert { test, message } => self.expr(test)? | self.maybe(message.as_ref())?,
            StmtKind::Import(aliases) => {
                for alias in aliases {
                    let name = alias.asname.unwrap_or_else(|| top_name(alias.name));
                    self.bind(name, alias.span)?;
                }
                false
            }
            StmtKind::ImportFrom { module, names, level } => {
                self.import_from(*module, names, *level, span)?;
                false
            }
            StmtKind::If { test, body, orelse } | StmtKind::While { test, body, orelse } => {
                self.expr(test)? | self.block(body)? | self.block(orelse)?
            }
            StmtKind::For {
                is_async,
                target,
                iter,
                body,
                orelse,
            } => {
                self.scope().awaits |= is_async;
                let header = self.target(target)? | self.expr(iter)?;
                *is_async | header | self.block(body)? | self.block(orelse)?
            }
            StmtKind::Try {
                body,
                handlers,
                orelse,
                finalbody,
                ..
            } => {
                let mut suspends = self.block(body)?;
                for handler in handlers {
                    suspends |= self.maybe(handler.kind.as_ref())?;
                    if let Some(name) = handler.name {
                        self.bind(name, handler.span)?;
                    }
                    suspends |= self.block(&handler.body)?;
                }
                suspends | self.block(orelse)? | self.block(finalbody)?
            }
            StmtKind::With {
                is_async,
                items,
                body,
            } => {
                self.scope().awaits |= is_async;
                let mut suspends = *is_async;
                for item in items {
                    suspends |= self.expr(&item.context)?;
                    if let Some(target) = &item.target {
                        suspends |= self.target(target)?;
                    }
                }
                suspends | self.block(body)?
            }
            StmtKind::Match { subject, cases } => {
                let mut suspends = self.expr(subject)?;
                for case in cases {
                    self.pattern(&case.pattern)?;
                    suspends |= self.maybe(case.guard.as_ref())? | self.block(&case.body)?;
                }
                suspends
            }
            StmtKind::Function(function) => self.function(function, span)?,
            StmtKind::Class(class) => self.class(class, span)?,
        })
    }

    fn import_from(
        &mut self,
        module: Option<Symbol>,
        names: &[Alias],
        level: u32,
        span: Span,
    ) -> Surveyed<()> {
        if module.is_some_and(|module| module.text() == "__future__") && level == 0 {
            return self.future_import(names, span);
        }
        if names.is_empty() && self.scope().kind != ScopeKind::Module {
            let star = Span {
                start: span.end - 1,
                end: span.end,
            };
            return Err(SyntaxError::new("import * only allowed at module level", star));
        }
        for alias in names {
            self.bind(alias.asname.unwrap_or(alias.name), alias.span)?;
        }
        Ok(())
    }

    fn future_import(&mut self, names: &[Alias], span: Span) -> Surveyed<()> {
        const FEATURES: [&str; 10] = [
            "nested_scopes",
            "generators",
            "division",
            "absolute_import",
            "with_statement",
            "print_function",
            "unicode_literals",
            "barry_as_FLUFL",
            "generator_stop",
            "annotations",
        ];
        if names.is_empty() {
            return Err(SyntaxError::new("future feature * is not defined", span));
        }
        for alias in names {
            let name = alias.name.text();
            if name == "braces" {
                return Err(SyntaxError::new("not a chance", alias.span));
            }
            if !FEATURES.contains(&name) {
                return Err(SyntaxError::new(
                    format!("future feature {name} is not defined"),
                    alias.span,
                ));
            }
        }
        if span.end > self.prologue_end {
            let message = "from __future__ imports must occur at the beginning of the file";
            return Err(SyntaxError::new(message, span));
        }
        Ok(())
    }

    fn annotated(
        &mut self,
        target: &Expr,
        annotation: &Expr,
        value: Option<&Expr>,
        simple: bool,
        span: Span,
    ) -> Surveyed {
        let mut suspends = false;
        if let ExprKind::Name(name) = plain(target).kind {
            let mangled = self.mangle(name);
            let is_module = self.scope().kind == ScopeKind::Module;
            let variable = self.scope().variable(mangled);
            if let Some(declared) = variable.declared
                && simple
                && !is_module
            {
                let how = if matches!(declared, Declared::Global(_)) {
                    "global"
                } else {
                    "nonlocal"
                };
                return Err(SyntaxError::new(
                    format!("annotated name '{name}' can't be {how}"),
                    span,
                ));
            }
            variable.annotated |= simple;
            if simple || value.is_some() {
                self.bind(name, target.span)?;
            }
        } else {
            suspends |= match value {
                Some(_) => self.target(target)?,
                None => self.changed(target)?,
            };
        }
        let annotation_suspends = self.annotation(annotation)?;
        if !self.scope().kind.is_function_like() {
            suspends |= annotation_suspends;
        }
        Ok(suspends | self.maybe(value)?)
    }

    /// Whether an annotation suspends. One that is only kept as text (PEP 563) does nothing.
    fn annotation(&mut self, annotation: &Expr) -> Surveyed {
        if !self.scopes.annotations_as_text {
            return self.expr(annotation);
        }
        let mut acts = None;
        find_act(annotation, &mut acts);
        if let Some((what, span)) = acts {
            let message = format!("{what} expression cannot be used within an annotation");
            return Err(SyntaxError::new(message, span));
        }
        self.expr(annotation)?;
        Ok(false)
    }

    fn declare(&mut self, names: &[(Symbol, Span)], global: bool) -> Surveyed {
        let how = if global { "global" } else { "nonlocal" };
        for &(name, span) in names {
            if !global && self.scope().kind == ScopeKind::Module {
                return Err(SyntaxError::new(
                    "nonlocal declaration not allowed at module level",
                    span,
                ));
            }
            let mangled = self.mangle(name);
            let variable = self.scope().variable(mangled);
            let problem = if variable.parameter {
                Some(format!("name '{name}' is parameter and {how}"))
            } else if variable.used {
                Some(format!("name '{name}' is used prior to {how} declaration"))
            } else if variable.annotated {
                Some(format!("annotated name '{name}' can't be {how}"))
            } else if variable.bound {
                Some(format!("name '{name}' is assigned to before {how} declaration"))
            } else {
                None
            };
            if let Some(problem) = problem {
                return Err(SyntaxError::new(problem, span)
                    .help(format!("move the `{how}` statement to the top of the function")));
            }
            match (variable.declared, global) {
                (Some(Declared::Global(first)), false) | (Some(Declared::Nonlocal(first)), true) => {
                    return Err(SyntaxError::new(
                        format!("name '{name}' is nonlocal and global"),
                        first,
                    ));
                }
                (_, true) => variable.declared = Some(Declared::Global(span)),
                (_, false) => variable.declared = Some(Declared::Nonlocal(span)),
            }
        }
        Ok(false)
    }

    fn function(&mut self, function: &Function, span: Span) -> Surveyed {
        self.bind(function.name, span)?;
        let mut suspends = self.defaults(&function.params)?;
        for param in all_params(&function.params) {
            if let Some(annotation) = &param.annotation {
                suspends |= self.annotation(annotation)?;
            }
        }
        if let Some(returns) = &function.returns {
            suspends |= self.annotation(returns)?;
        }
        for decorator in &function.decorators {
            suspends |= self.expr(decorator)?;
        }
        let kind = ScopeKind::Function {
            is_async: function.is_async,
        };
        let id = self.open(kind, function.name);
        self.scopes.by_node.insert(address(function), id);
        self.params(&function.params)?;
        self.block(&function.body)?;
        self.close();
        Ok(suspends)
    }

    pub(super) fn defaults(&mut self, params: &Params) -> Surveyed {
        let mut suspends = false;
        for param in all_params(params) {
            suspends |= self.maybe(param.default.as_ref())?;
        }
        Ok(suspends)
    }

    pub(super) fn params(&mut self, params: &Params) -> Surveyed<()> {
        for param in all_params(params) {
            if param.name.text() == "__debug__" {
                return Err(SyntaxError::new("cannot assign to __debug__", param.span));
            }
            let name = self.mangle(param.name);
            let variable = self.scope().variable(name);
            if variable.parameter {
                let message = format!("duplicate argument '{name}' in function definition");
                return Err(SyntaxError::new(message, param.span));
            }
            variable.parameter = true;
            variable.bound = true;
        }
        Ok(())
    }

    fn class(&mut self, class: &Class, span: Span) -> Surveyed {
        self.bind(class.name, span)?;
        let mut suspends = false;
        for arg in &class.args {
            suspends |= self.expr(arg_value(arg))?;
        }
        for decorator in &class.decorators {
            suspends |= self.expr(decorator)?;
        }
        let id = self.open(ScopeKind::Class, class.name);
        self.scopes.by_node.insert(address(class), id);
        self.block(&class.body)?;
        self.close();
        Ok(suspends)
    }

    fn pattern(&mut self, pattern: &Pattern) -> Surveyed<()> {
        match &pattern.kind {
            PatternKind::Value(value) => {
                self.expr(value)?;
            }
            PatternKind::Singleton(_) => {}
            PatternKind::As { pattern: inner, name } => {
                if let Some(inner) = inner {
                    self.pattern(inner)?;
                }
                if let Some(name) = name {
                    self.bind(*name, pattern.span)?;
                }
            }
            PatternKind::Or(patterns) | PatternKind::Sequence(patterns) => {
                patterns.iter().try_for_each(|inner| self.pattern(inner))?;
            }
            PatternKind::Star(name) => {
                if let Some(name) = name {
                    self.bind(*name, pattern.span)?;
                }
            }
            PatternKind::Mapping { keys, patterns, rest } => {
                for key in keys {
                    self.expr(key)?;
                }
                patterns.iter().try_for_each(|inner| self.pattern(inner))?;
                if let Some(rest) = rest {
                    self.bind(*rest, pattern.span)?;
                }
            }
            PatternKind::Class {
                cls,
                patterns,
                keywords,
            } => {
                self.expr(cls)?;
                patterns.iter().try_for_each(|inner| self.pattern(inner))?;
                keywords.iter().try_for_each(|(_, inner)| self.pattern(inner))?;
            }
        }
        Ok(())
    }
}

/// The first part of an expression that does more than give a value.
fn find_act(expr: &Expr, found: &mut Option<(&'static str, Span)>) {
    let what = match &expr.kind {
        ExprKind::Yield(_) | ExprKind::YieldFrom(_) => Some("yield"),
        ExprKind::Await(_) => Some("await"),
        ExprKind::Walrus { .. } => Some("named"),
        _ => None,
    };
    match what {
        Some(what) => *found = found.or(Some((what, expr.span))),
        None => expr.each_child(&mut |child| find_act(child, found)),
    }
}
