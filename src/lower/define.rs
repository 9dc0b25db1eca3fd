//! Definitions: functions, lambdas and classes, each a code of its own.

use super::scope::{ScopeId, ScopeKind, address};
use super::shape::{all_params, arg_value};
use super::state::{Lowered, Lowering, boxed, tree};
use super::{docstring, nesting};
use crate::code::*;
use crate::source::{Span, Symbol};
use crate::syntax::SyntaxError;
use crate::syntax::ast::{self, Expr};
use std::rc::Rc;

impl<'a> Lowering<'_, 'a> {
    pub(super) fn function(&mut self, function: &'a ast::Function, span: Span) -> Lowered {
        let params = all_params(&function.params).flat_map(|param| [&param.default, &param.annotation]);
        let header: Vec<&Expr> = params.chain([&function.returns]).flatten().collect();
        let value = self.defined(&function.decorators, &header, |this| {
            let code = this.function_code(function)?;
            this.make_function(
                code,
                this.scopes().of(function),
                &function.params,
                function.returns.as_ref(),
                function.header,
            )
        })?;
        let place = self.store(function.name);
        self.assign(place, value, span);
        Ok(())
    }

    pub(super) fn lambda(&mut self, lambda: &'a ast::Lambda, span: Span) -> Lowered<Tree> {
        let scope = self.scopes().of(lambda);
        let kind = if self.scopes().list[scope].yields {
            CodeKind::Generator
        } else {
            CodeKind::Function
        };
        let code = self.nested_code(address(lambda), scope, kind, |inner| {
            let value = inner.expr(&lambda.body)?;
            inner.end(Terminator::Return(Some(value)), lambda.body.span);
            Ok((span, inner.params(&lambda.params), None))
        })?;
        self.make_function(code, scope, &lambda.params, None, span)
    }

    pub(super) fn class(&mut self, class: &'a ast::Class, span: Span) -> Lowered {
        let header: Vec<&Expr> = class.args.iter().map(arg_value).collect();
        let value = self.defined(&class.decorators, &header, |this| {
            let scope = this.scopes().of(class);
            let code = this.nested_code(address(class), scope, CodeKind::Class, |inner| {
                inner.begins = class.decorators.first().map(|decorator| decorator.span.start);
                let (doc, body) = docstring(&class.body);
                nesting::check(body, false)?;
                inner.block(body)?;
                Ok((class.header, Params::default(), doc))
            })?;
            let args = this.arguments(&class.args)?;
            let captures = this.scopes().captures(this.scope, scope);
            let class_cell = this.scopes().list[scope].class_cell;
            let class = MakeClass {
                name: class.name,
                args,
                code,
                captures,
                class_cell,
            };
            Ok(tree(TreeKind::Class(Box::new(class)), span))
        })?;
        let place = self.store(class.name);
        self.assign(place, value, span);
        Ok(())
    }

    /// What is defined, in the calls of its decorators, which are evaluated first.
    fn defined(
        &mut self,
        decorators: &'a [Expr],
        header: &[&'a Expr],
        define: impl FnOnce(&mut Self) -> Lowered<Tree>,
    ) -> Lowered<Tree> {
        let exprs: Vec<&Expr> = decorators.iter().collect();
        let mut decorators = self.operands(&exprs)?;
        if header.iter().any(|expr| self.scopes().suspends(expr)) {
            decorators = decorators
                .into_iter()
                .map(|decorator| self.spill(decorator))
                .collect();
        }
        let mut value = define(self)?;
        for decorator in decorators.into_iter().rev() {
            let span = decorator.span;
            let args = vec![Argument::Positional(value)];
            value = tree(
                TreeKind::Call {
                    func: boxed(decorator),
                    args,
                },
                span,
            );
        }
        Ok(value)
    }

    fn function_code(&mut self, function: &'a ast::Function) -> Lowered<Rc<Code>> {
        let scope = self.scopes().of(function);
        let kind = match (function.is_async, self.scopes().list[scope].yields) {
            (false, false) => CodeKind::Function,
            (false, true) => CodeKind::Generator,
            (true, false) => CodeKind::Coroutine,
            (true, true) => CodeKind::AsyncGenerator,
        };
        self.nested_code(address(function), scope, kind, |inner| {
            inner.def = Some((function.name, function.header));
            inner.begins = function.decorators.first().map(|decorator| decorator.span.start);
            let (doc, body) = docstring(&function.body);
            nesting::check(body, kind.is_resumable())?;
            inner.block(body)?;
            Ok((function.header, inner.params(&function.params), doc))
        })
    }

    /// The code of a scope inside the current one; lowered once.
    pub(super) fn nested_code(
        &mut self,
        key: usize,
        scope: ScopeId,
        kind: CodeKind,
        lower: impl FnOnce(&mut Lowering<'_, 'a>) -> Lowered<(Span, Params, Option<Rc<str>>)>,
    ) -> Lowered<Rc<Code>> {
        if let Some(code) = self.program.codes.get(&key) {
            return Ok(code.clone());
        }
        let qualname = self.qualname_of(self.scopes().list[scope].name);
        let mut inner = Lowering::new(&mut *self.program, scope, kind, qualname);
        let (span, params, doc) = lower(&mut inner)?;
        let code = inner.finish(span, params, doc);
        self.program.codes.insert(key, code.clone());
        Ok(code)
    }

    fn qualname_of(&self, name: Symbol) -> Rc<str> {
        let around = &self.qualname;
        match self.host_kind() {
            ScopeKind::Module => Rc::from(name.text()),
            _ if self.scopes().is_declared_global(self.host, self.mangle(name)) => Rc::from(name.text()),
            ScopeKind::Function { .. } | ScopeKind::Lambda => format!("{around}.<locals>.{name}").into(),
            ScopeKind::Class | ScopeKind::Comprehension(_) => format!("{around}.{name}").into(),
        }
    }

    fn params(&self, params: &ast::Params) -> Params {
        Params {
            names: all_params(params).map(|param| self.mangle(param.name)).collect(),
            posonly: params.posonly.len() as u32,
            positional: (params.posonly.len() + params.args.len()) as u32,
            kwonly: params.kwonly.len() as u32,
            has_vararg: params.vararg.is_some(),
            has_kwarg: params.kwarg.is_some(),
        }
    }

    /// The function made of the code, its defaults and annotations evaluated in this order.
    pub(super) fn make_function(
        &mut self,
        code: Rc<Code>,
        scope: ScopeId,
        params: &'a ast::Params,
        returns: Option<&'a Expr>,
        span: Span,
    ) -> Lowered<Tree> {
        let positional = params
            .posonly
            .iter()
            .chain(&params.args)
            .filter_map(|param| param.default.as_ref());
        let mut exprs: Vec<&Expr> = positional.collect();
        let defaults = exprs.len();
        let mut keywords = Vec::new();
        for param in &params.kwonly {
            if let Some(default) = &param.default {
                keywords.push(self.mangle(param.name));
                exprs.push(default);
            }
        }
        let mut annotated = Vec::new();
        let ast::Params {
            posonly,
            args,
            vararg,
            kwonly,
            kwarg,
        } = params;
        for param in args
            .iter()
            .chain(posonly)
            .chain(vararg)
            .chain(kwonly)
            .chain(kwarg)
        {
            if let Some(annotation) = &param.annotation {
                annotated.push((self.mangle(param.name), annotation));
            }
        }
        annotated.extend(returns.map(|annotation| (Symbol::new("return"), annotation)));
        let as_text = self.scopes().annotations_as_text;
        if !as_text {
            for (_, annotation) in &annotated {
                if let ast::ExprKind::Starred(_) = annotation.kind {
                    return Err(
                        SyntaxError::new("a starred annotation is not part of aio", annotation.span)
                            .help("annotate `*args` with the type of one argument"),
                    );
                }
                exprs.push(annotation);
            }
        }
        let mut trees = self.operands(&exprs)?.into_iter();
        let make = MakeFunction {
            defaults: trees.by_ref().take(defaults).collect(),
            kwdefaults: keywords.into_iter().zip(trees.by_ref()).collect(),
            annotations: if as_text {
                annotated
                    .iter()
                    .map(|(name, annotation)| (*name, self.annotation_text(annotation)))
                    .collect()
            } else {
                annotated.iter().map(|(name, _)| *name).zip(trees).collect()
            },
            captures: self.scopes().captures(self.scope, scope),
            code,
        };
        Ok(tree(TreeKind::Function(Box::new(make)), span))
    }
}
