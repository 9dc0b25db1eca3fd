//! `match`: a chain of tests, one a case.
//!
//! Always true: the subject is evaluated once into a temporary; names are bound when a pattern has
//! matched as a whole, and the guard is asked afterwards.

use super::state::{Lowered, Lowering, tree};
use crate::code::*;
use crate::source::{Span, Symbol};
use crate::syntax::SyntaxError;
use crate::syntax::ast::{self, Case, Constant, Expr, ExprKind};

impl<'a> Lowering<'_, 'a> {
    pub(super) fn match_(&mut self, subject: &'a Expr, cases: &'a [Case], span: Span) -> Lowered {
        for (at, case) in cases.iter().enumerate() {
            check_reachable(&case.pattern, at + 1 == cases.len() || case.guard.is_some())?;
        }
        let splits = cases.iter().any(|case| {
            case.guard
                .as_ref()
                .is_some_and(|guard| self.scopes().suspends(guard))
                || self.scopes().block_suspends(&case.body)
        });
        let value = self.expr(subject)?;
        let subject = self.spill_into_temp(value);
        if splits {
            self.split_cases(subject, cases, span)?;
        } else {
            self.structured_cases(subject, cases)?;
        }
        self.free(subject);
        Ok(())
    }

    fn structured_cases(&mut self, subject: SlotId, cases: &'a [Case]) -> Lowered {
        let Some((case, rest)) = cases.split_first() else {
            self.emit(StatementKind::Clear(subject), Span::default());
            return Ok(());
        };
        let body = |this: &mut Self| {
            this.emit(StatementKind::Clear(subject), case.pattern.span);
            this.block(&case.body)
        };
        let pattern = self.pattern(&case.pattern)?;
        if is_wildcard(&pattern) && case.guard.is_none() {
            return body(self);
        }
        let mut test = matches(subject, pattern);
        if let Some(guard) = &case.guard {
            let span = test.span.to(guard.span);
            let values = vec![test, self.expr(guard)?];
            test = tree(
                TreeKind::BoolOp {
                    op: BoolOp::And,
                    values,
                },
                span,
            );
        }
        let body = self.nested(body)?;
        let orelse = self.nested(|this| this.structured_cases(subject, rest))?;
        self.emit(StatementKind::If { test, body, orelse }, case.span);
        Ok(())
    }

    fn split_cases(&mut self, subject: SlotId, cases: &'a [Case], span: Span) -> Lowered {
        let after = self.reserve();
        for case in cases {
            let next = self.reserve();
            let pattern = self.pattern(&case.pattern)?;
            if !is_wildcard(&pattern) {
                let matched = self.reserve();
                let test = matches(subject, pattern);
                self.end(
                    Terminator::Branch {
                        test,
                        then: matched,
                        orelse: next,
                    },
                    case.span,
                );
                self.start(matched, case.span);
            }
            if let Some(guard) = &case.guard {
                let passed = self.reserve();
                self.branch(guard, passed, next)?;
                self.start(passed, case.span);
            }
            self.emit(StatementKind::Clear(subject), case.pattern.span);
            self.block(&case.body)?;
            self.goto_if_open(after, span);
            self.start(next, case.span);
        }
        self.emit(StatementKind::Clear(subject), Span::default());
        self.start(after, span);
        Ok(())
    }

    fn pattern(&mut self, pattern: &'a ast::Pattern) -> Lowered<Pattern> {
        names_of(pattern)?;
        self.checked_pattern(pattern)
    }

    fn checked_pattern(&mut self, pattern: &'a ast::Pattern) -> Lowered<Pattern> {
        let span = pattern.span;
        let kind = match &pattern.kind {
            ast::PatternKind::Value(value) => PatternKind::Value(self.expr(value)?),
            ast::PatternKind::Singleton(constant) => PatternKind::Singleton(constant.clone()),
            ast::PatternKind::As {
                pattern: None,
                name: None,
            } => PatternKind::Wildcard,
            ast::PatternKind::As {
                pattern: Some(inner),
                name: None,
            } => return self.checked_pattern(inner),
            ast::PatternKind::As {
                pattern,
                name: Some(name),
            } => {
                let inner = pattern
                    .as_ref()
                    .map(|inner| self.checked_pattern(inner))
                    .transpose()?;
                PatternKind::Capture {
                    pattern: inner.map(Box::new),
                    place: self.store(*name),
                }
            }
            ast::PatternKind::Or(patterns) => PatternKind::Or(self.patterns(patterns)?),
            ast::PatternKind::Sequence(patterns) => PatternKind::Sequence {
                star: star_of(patterns, span)?,
                patterns: self.patterns(patterns)?,
            },
            ast::PatternKind::Star(name) => PatternKind::Star(name.map(|name| self.store(name))),
            ast::PatternKind::Mapping { keys, patterns, rest } => {
                check_keys(keys, span)?;
                PatternKind::Mapping {
                    keys: keys.iter().map(|key| self.expr(key)).collect::<Lowered<_>>()?,
                    patterns: self.patterns(patterns)?,
                    rest: rest.map(|name| self.store(name)),
                }
            }
            ast::PatternKind::Class {
                cls,
                patterns,
                keywords,
            } => {
                for (at, (name, inner)) in keywords.iter().enumerate() {
                    if keywords[..at].iter().any(|(earlier, _)| earlier == name) {
                        let message = format!("attribute name repeated in class pattern: {name}");
                        return Err(SyntaxError::new(message, inner.span));
                    }
                }
                let keyword =
                    |(name, inner): &'a (Symbol, ast::Pattern)| Ok((*name, self.checked_pattern(inner)?));
                let keywords = keywords.iter().map(keyword).collect::<Lowered<_>>()?;
                PatternKind::Class {
                    cls: self.expr(cls)?,
                    patterns: self.patterns(patterns)?,
                    keywords,
                }
            }
        };
        Ok(Pattern { kind, span })
    }

    fn patterns(&mut self, patterns: &'a [ast::Pattern]) -> Lowered<Vec<Pattern>> {
        patterns
            .iter()
            .map(|pattern| self.checked_pattern(pattern))
            .collect()
    }
}

fn matches(subject: SlotId, pattern: Pattern) -> Tree {
    let span = pattern.span;
    let kind = TreeKind::Match {
        subject,
        pattern: Box::new(pattern),
    };
    tree(kind, span)
}

fn is_wildcard(pattern: &Pattern) -> bool {
    matches!(pattern.kind, PatternKind::Wildcard)
}

/// Only the last pattern may match everything.
fn check_reachable(pattern: &ast::Pattern, last: bool) -> Lowered {
    match &pattern.kind {
        ast::PatternKind::As { pattern: None, name } if !last => {
            let what = name.map_or("wildcard".to_owned(), |name| format!("name capture '{name}'"));
            let error = SyntaxError::new(
                format!("{what} makes remaining patterns unreachable"),
                pattern.span,
            );
            Err(match name {
                Some(name) => error.help(format!(
                    "a bare name captures anything; to compare with a value, write a dotted name such as `Kind.{name}`"
                )),
                None => error.help("move it to the end"),
            })
        }
        ast::PatternKind::As {
            pattern: Some(inner), ..
        } => check_reachable(inner, last),
        ast::PatternKind::Or(patterns) => patterns
            .iter()
            .enumerate()
            .try_for_each(|(at, inner)| check_reachable(inner, last && at + 1 == patterns.len())),
        ast::PatternKind::Sequence(patterns) => patterns.iter().try_for_each(|p| check_reachable(p, true)),
        ast::PatternKind::Mapping { patterns, .. } => {
            patterns.iter().try_for_each(|p| check_reachable(p, true))
        }
        ast::PatternKind::Class {
            patterns, keywords, ..
        } => {
            let inner = patterns.iter().chain(keywords.iter().map(|(_, p)| p));
            inner.into_iter().try_for_each(|p| check_reachable(p, true))
        }
        ast::PatternKind::As { .. }
        | ast::PatternKind::Value(_)
        | ast::PatternKind::Singleton(_)
        | ast::PatternKind::Star(_) => Ok(()),
    }
}

/// The names that a pattern binds; each at most once, and the same in all alternatives.
fn names_of(pattern: &ast::Pattern) -> Lowered<Vec<Symbol>> {
    let mut names = Vec::new();
    collect_names(pattern, &mut names)?;
    Ok(names)
}

fn collect_names(pattern: &ast::Pattern, names: &mut Vec<Symbol>) -> Lowered {
    let add = |names: &mut Vec<Symbol>, name: Symbol| {
        if names.contains(&name) {
            let message = format!("multiple assignments to name '{name}' in pattern");
            return Err(SyntaxError::new(message, pattern.span));
        }
        names.push(name);
        Ok(())
    };
    match &pattern.kind {
        ast::PatternKind::Value(_) | ast::PatternKind::Singleton(_) => Ok(()),
        ast::PatternKind::As { pattern: inner, name } => {
            if let Some(inner) = inner {
                collect_names(inner, names)?;
            }
            name.map_or(Ok(()), |name| add(names, name))
        }
        ast::PatternKind::Or(patterns) => {
            let mut common: Option<Vec<Symbol>> = None;
            for inner in patterns {
                let mut bound = names_of(inner)?;
                bound.sort();
                if common.as_ref().is_some_and(|common| *common != bound) {
                    let message = "alternative patterns bind different names";
                    return Err(SyntaxError::new(message, pattern.span)
                        .help("whichever alternative matches, the body must find the same names"));
                }
                common = Some(bound);
            }
            common.into_iter().flatten().try_for_each(|name| add(names, name))
        }
        ast::PatternKind::Star(name) => name.map_or(Ok(()), |name| add(names, name)),
        ast::PatternKind::Sequence(patterns) => {
            patterns.iter().try_for_each(|inner| collect_names(inner, names))
        }
        ast::PatternKind::Mapping { patterns, rest, .. } => {
            patterns
                .iter()
                .try_for_each(|inner| collect_names(inner, names))?;
            rest.map_or(Ok(()), |name| add(names, name))
        }
        ast::PatternKind::Class {
            patterns, keywords, ..
        } => {
            let mut inner = patterns.iter().chain(keywords.iter().map(|(_, inner)| inner));
            inner.try_for_each(|inner| collect_names(inner, names))
        }
    }
}

fn star_of(patterns: &[ast::Pattern], span: Span) -> Lowered<Option<u32>> {
    let is_star = |(_, pattern): &(u32, &ast::Pattern)| matches!(pattern.kind, ast::PatternKind::Star(_));
    let mut stars = (0u32..).zip(patterns).filter(is_star);
    let first = stars.next().map(|(at, _)| at);
    match stars.next() {
        Some(_) => Err(SyntaxError::new(
            "multiple starred names in sequence pattern",
            span,
        )),
        None => Ok(first),
    }
}

/// Whether two constants are the same key: `0 == 0.0 == False`.
fn is_equal(a: &Constant, b: &Constant) -> bool {
    let number = |constant: &Constant| match constant {
        Constant::Int(n) => Some(*n as f64).filter(|_| n.unsigned_abs() < 1 << 53),
        Constant::Float(x) => Some(*x),
        Constant::True => Some(1.0),
        Constant::False => Some(0.0),
        _ => None,
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn check_keys(keys: &[Expr], span: Span) -> Lowered {
    let constant = |key: &Expr| match &key.kind {
        ExprKind::Constant(constant) => Some(constant.clone()),
        _ => None,
    };
    for (at, key) in keys.iter().enumerate() {
        let Some(value) = constant(key) else { continue };
        let is_same = |earlier: &Expr| constant(earlier).is_some_and(|earlier| is_equal(&earlier, &value));
        if keys[..at].iter().any(is_same) {
            let text = match &value {
                Constant::Str(text) => format!("'{text}'"),
                Constant::Int(n) => n.to_string(),
                Constant::BigInt(n) => n.to_string(),
                Constant::Float(x) => format!("{x:?}"),
                Constant::None => "None".to_owned(),
                Constant::True => "True".to_owned(),
                Constant::False => "False".to_owned(),
                Constant::Ellipsis => "Ellipsis".to_owned(),
                Constant::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
            };
            return Err(SyntaxError::new(
                format!("mapping pattern checks duplicate key ({text})"),
                span,
            ));
        }
    }
    Ok(())
}
