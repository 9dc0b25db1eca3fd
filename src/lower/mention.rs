//! The first pass over targets and expressions: which names they mention, which of them suspend.

use super::scope::{ScopeKind, address};
use super::shape::{arg_value, spine_child};
use super::survey::{Survey, Surveyed};
use crate::source::{Span, Symbol};
use crate::syntax::SyntaxError;
use crate::syntax::ast::*;

impl Survey {
    pub(super) fn targets(&mut self, targets: &[Expr]) -> Surveyed {
        let mut suspends = false;
        for target in targets {
            suspends |= self.target(target)?;
        }
        Ok(suspends)
    }

    /// A target; noted as suspending if one of its parts is.
    pub(super) fn target(&mut self, target: &Expr) -> Surveyed {
        self.place(target, true)
    }

    /// What `del` or an augmented assignment names: an attribute is not made by it.
    pub(super) fn changed(&mut self, target: &Expr) -> Surveyed {
        self.place(target, false)
    }

    fn place(&mut self, target: &Expr, makes: bool) -> Surveyed {
        let suspends = match &target.kind {
            ExprKind::Name(name) => {
                self.bind(*name, target.span)?;
                if let ScopeKind::Comprehension(_) = self.scope().kind {
                    self.iteration_variable(*name, target.span)?;
                }
                false
            }
            ExprKind::Paren(inner) | ExprKind::Starred(inner) => self.place(inner, makes)?,
            ExprKind::Tuple(targets) | ExprKind::List(targets) => {
                let mut suspends = false;
                for target in targets {
                    suspends |= self.place(target, makes)?;
                }
                suspends
            }
            ExprKind::Attribute { name, .. } if name.text() == "__debug__" => {
                return Err(SyntaxError::new("cannot assign to __debug__", target.span));
            }
            ExprKind::Attribute { value, name, .. } => {
                if makes && matches!(&value.kind, ExprKind::Name(object) if object.text() == "self") {
                    self.note_attribute(*name);
                }
                self.expr(target)?
            }
            _ => self.expr(target)?,
        };
        if suspends {
            self.scopes.suspending.insert(address(target));
        }
        Ok(suspends)
    }

    /// Notes an attribute of `self` for the nearest class around.
    fn note_attribute(&mut self, name: Symbol) {
        let mut at = Some(self.current);
        while let Some(id) = at {
            let scope = &mut self.scopes.list[id];
            if scope.kind == ScopeKind::Class {
                if !scope.attributes.contains(&name) {
                    scope.attributes.push(name);
                }
                return;
            }
            at = scope.parent;
        }
    }

    fn iteration_variable(&mut self, name: Symbol, span: Span) -> Surveyed<()> {
        let mangled = self.mangle(name);
        let variable = self.scope().variable(mangled);
        if variable.walrus {
            let message =
                format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
            return Err(SyntaxError::new(message, span));
        }
        variable.iteration = true;
        Ok(())
    }

    pub(super) fn maybe(&mut self, expr: Option<&Expr>) -> Surveyed {
        expr.map_or(Ok(false), |expr| self.expr(expr))
    }

    pub(super) fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Surveyed {
        let mut suspends = false;
        for expr in exprs {
            suspends |= self.expr(expr)?;
        }
        Ok(suspends)
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Surveyed {
        // Chains such as `a + b + c` and `a.b().c()` lean left and may be thousands long.
        let mut spine = Vec::new();
        let mut base = expr;
        while let Some(next) = spine_child(base) {
            spine.push(base);
            base = next;
        }
        let mut suspends = self.base(base)?;
        self.note(base, suspends);
        for node in spine.into_iter().rev() {
            suspends |= match &node.kind {
                ExprKind::Binary { right, .. } => self.expr(right)?,
                ExprKind::Subscript { index, .. } => self.expr(index)?,
                ExprKind::Call { args, .. } => self.exprs(args.iter().map(arg_value))?,
                _ => false,
            };
            self.note(node, suspends);
        }
        Ok(suspends)
    }

    fn note(&mut self, expr: &Expr, suspends: bool) {
        if suspends {
            self.scopes.suspending.insert(address(expr));
        }
    }

    fn base(&mut self, expr: &Expr) -> Surveyed {
        Ok(match &expr.kind {
            ExprKind::Constant(_) => false,
            ExprKind::Name(name) => {
                self.load(*name);
                false
            }
            ExprKind::FString(parts) => self.fstring(parts)?,
            ExprKind::BoolOp { values, .. } => self.exprs(values)?,
            ExprKind::Walrus { target, value } => {
                self.walrus(*target, expr)?;
                self.expr(value)?
            }
            ExprKind::Unary { operand, .. } => self.expr(operand)?,
            ExprKind::Lambda(lambda) => {
                let suspends = self.defaults(&lambda.params)?;
                let id = self.open(ScopeKind::Lambda, Symbol::new("<lambda>"));
                self.scopes.by_node.insert(address(&**lambda), id);
                self.params(&lambda.params)?;
                self.expr(&lambda.body)?;
                self.close();
                suspends
            }
            ExprKind::IfElse { test, body, orelse } => {
                self.expr(test)? | self.expr(body)? | self.expr(orelse)?
            }
            ExprKind::Dict(items) => {
                let mut suspends = false;
                for item in items {
                    suspends |= match item {
                        DictItem::Pair(key, value) => self.expr(key)? | self.expr(value)?,
                        DictItem::Unpack(value) => self.expr(value)?,
                    };
                }
                suspends
            }
            ExprKind::Set(items) | ExprKind::List(items) | ExprKind::Tuple(items) => self.exprs(items)?,
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension)?,
            ExprKind::Await(value) => {
                self.expr(value)?;
                self.scope().awaits = true;
                true
            }
            ExprKind::Yield(value) => {
                self.maybe(value.as_deref())?;
                self.yields(expr.span)?
            }
            ExprKind::YieldFrom(value) => {
                self.expr(value)?;
                self.yields(expr.span)?
            }
            ExprKind::Compare { left, rest } => {
                self.expr(left)? | self.exprs(rest.iter().map(|(_, operand)| operand))?
            }
            ExprKind::Slice { lower, upper, step } => {
                self.exprs([lower, upper, step].into_iter().flatten().map(|part| &**part))?
            }
            ExprKind::Starred(value) => self.expr(value)?,
            ExprKind::Binary { .. }
            | ExprKind::Call { .. }
            | ExprKind::Attribute { .. }
            | ExprKind::Subscript { .. }
            | ExprKind::Paren(_) => unreachable!("on the spine"),
        })
    }

    fn fstring(&mut self, parts: &[FStringPart]) -> Surveyed {
        let mut suspends = false;
        for part in parts {
            if let FStringPart::Field(field) = part {
                suspends |= self.expr(&field.value)?;
                suspends |= self.fstring(field.spec.as_deref().unwrap_or(&[]))?;
            }
        }
        Ok(suspends)
    }

    fn yields(&mut self, span: Span) -> Surveyed {
        let scope = self.scope();
        let what = match scope.kind {
            ScopeKind::Comprehension(ComprehensionKind::List) => "list comprehension",
            ScopeKind::Comprehension(ComprehensionKind::Set) => "set comprehension",
            ScopeKind::Comprehension(ComprehensionKind::Dict) => "dict comprehension",
            ScopeKind::Comprehension(ComprehensionKind::Generator) => "generator expression",
            ScopeKind::Module | ScopeKind::Class | ScopeKind::Function { .. } | ScopeKind::Lambda => {
                scope.yields = true;
                return Ok(true);
            }
        };
        Err(SyntaxError::new(format!("'yield' inside {what}"), span))
    }

    /// In comprehensions the target belongs to the function or module around them.
    fn walrus(&mut self, target: Symbol, expr: &Expr) -> Surveyed<()> {
        let name_end = expr.span.start as usize + target.text().len();
        let span = Span::new(expr.span.start as usize, name_end);
        if target.text() == "__debug__" {
            return Err(SyntaxError::new("cannot assign to __debug__", span));
        }
        if self.scope().open_iterables > 0 {
            let message = "assignment expression cannot be used in a comprehension iterable expression";
            return Err(SyntaxError::new(message, span));
        }
        let name = self.mangle(target);
        let mut at = self.current;
        loop {
            let scope = &mut self.scopes.list[at];
            match scope.kind {
                ScopeKind::Comprehension(_) => {
                    let variable = scope.variable(name);
                    if variable.iteration {
                        let message = format!(
                            "assignment expression cannot rebind comprehension iteration variable '{target}'"
                        );
                        return Err(SyntaxError::new(message, span));
                    }
                    variable.walrus = true;
                    variable.used = true;
                }
                ScopeKind::Class if at != self.current => {
                    let message =
                        "assignment expression within a comprehension cannot be used in a class body";
                    return Err(SyntaxError::new(message, span));
                }
                _ => {
                    scope.variable(name).bound = true;
                    return Ok(());
                }
            }
            at = scope.parent.expect("a comprehension stands in something");
        }
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> Surveyed {
        let (first, rest) = comprehension
            .clauses
            .split_first()
            .expect("a comprehension has a clause");
        self.scope().open_iterables += 1;
        let outside = self.expr(&first.iter)?;
        self.scope().open_iterables -= 1;

        let name = match comprehension.kind {
            ComprehensionKind::List => "<listcomp>",
            ComprehensionKind::Set => "<setcomp>",
            ComprehensionKind::Dict => "<dictcomp>",
            ComprehensionKind::Generator => "<genexpr>",
        };
        let around = self.current;
        let kind = ScopeKind::Comprehension(comprehension.kind);
        let id = self.open(kind, Symbol::new(name));
        self.scopes.by_node.insert(address(comprehension), id);
        if self.scope().host == id {
            let variable = self.scope().variable(Symbol::new(".0"));
            (variable.bound, variable.parameter) = (true, true);
        }
        let mut inside = first.is_async;
        self.target(&first.target)?;
        inside |= self.exprs(&first.conditions)?;
        for clause in rest {
            inside |= clause.is_async;
            inside |= self.target(&clause.target)?;
            self.scope().open_iterables += 1;
            inside |= self.expr(&clause.iter)?;
            self.scope().open_iterables -= 1;
            inside |= self.exprs(&clause.conditions)?;
        }
        inside |= self.exprs(&comprehension.key)?;
        inside |= self.expr(&comprehension.element)?;
        let is_async = comprehension.clauses.iter().any(|clause| clause.is_async) || self.scope().awaits;
        self.scope().awaits = is_async;
        let runs_inline = self.scope().host != id;
        self.close();
        if comprehension.kind != ComprehensionKind::Generator {
            self.scopes.list[around].awaits |= is_async;
        }
        Ok(outside | (runs_inline && inside))
    }
}
