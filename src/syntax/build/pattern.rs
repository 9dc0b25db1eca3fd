//! Patterns of `match`.

use super::expression::expr;
use super::{Builder, Built, fail, is, is_constant, need, unexpected};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Constant, Expr, ExprKind, Pattern, PatternKind, UnaryOp};
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::{Pair, Rule};

fn pattern(kind: PatternKind, span: Span) -> Pattern {
    Pattern { kind, span }
}

impl Builder<'_> {
    /// A `patterns` node: one pattern, or a sequence without brackets.
    pub(super) fn patterns(&self, pair: Pair) -> Built<Pattern> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let comma = pairs.clone().any(|item| item.as_rule() == Rule::comma) || pairs.len() > 1;
        if comma {
            return Ok(pattern(PatternKind::Sequence(self.sequence(pairs)?), span));
        }
        let only = need(pairs.next(), span)?;
        if only.as_rule() == Rule::pat_star {
            let error = SyntaxError::new("invalid syntax", span)
                .help("a star pattern stands in a sequence: 'case [*rest]:'");
            return Err(Box::new(error));
        }
        self.pattern(only)
    }

    /// The items of a sequence, at most one of them starred.
    fn sequence<'t>(&self, pairs: impl Iterator<Item = Pair<'t>>) -> Built<Vec<Pattern>> {
        let mut items = Vec::new();
        for item in pairs.filter(|item| item.as_rule() != Rule::comma) {
            let item = self.pattern(item)?;
            let is_star = |item: &Pattern| matches!(item.kind, PatternKind::Star(_));
            if is_star(&item) && items.iter().any(is_star) {
                return fail("multiple starred names in sequence pattern", item.span);
            }
            items.push(item);
        }
        Ok(items)
    }

    fn pattern(&self, pair: Pair) -> Built<Pattern> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::pat_star => {
                let name = self.capture(&need(pair.into_inner().next(), span)?)?;
                Ok(pattern(PatternKind::Star(name), span))
            }
            Rule::pattern => self.alternatives(pair),
            Rule::pat_name => self.named_pattern(pair),
            Rule::pat_number | Rule::strings => {
                Ok(pattern(PatternKind::Value(self.pattern_literal(pair)?), span))
            }
            Rule::pat_group => {
                let mut pairs = pair.into_inner();
                match pairs.len() {
                    1 if !is(pairs.peek().as_ref(), Rule::pat_star) => {
                        self.pattern(need(pairs.next(), span)?)
                    }
                    1 => fail("invalid syntax", span),
                    _ => Ok(pattern(PatternKind::Sequence(self.sequence(pairs)?), span)),
                }
            }
            Rule::pat_list => {
                let items = self.sequence(pair.into_inner())?;
                Ok(pattern(PatternKind::Sequence(items), span))
            }
            Rule::pat_mapping => self.mapping(pair),
            _ => unexpected(&pair),
        }
    }

    /// `a | b as name`
    fn alternatives(&self, pair: Pair) -> Built<Pattern> {
        let span = self.span(&pair);
        let mut options = Vec::new();
        let mut name = None;
        for part in pair.into_inner() {
            if part.as_rule() == Rule::pat_target {
                name = Some(self.as_target(part)?);
            } else {
                options.push(self.pattern(part)?);
            }
        }
        let inner = match (options.len(), options.first(), options.last()) {
            (1, ..) | (_, None, _) | (_, _, None) => options.pop(),
            (_, Some(first), Some(last)) => {
                let span = first.span.to(last.span);
                Some(pattern(PatternKind::Or(options), span))
            }
        };
        let Some(inner) = inner else {
            return fail("invalid syntax", span);
        };
        Ok(match name {
            None => inner,
            name => pattern(
                PatternKind::As {
                    pattern: Some(Box::new(inner)),
                    name,
                },
                span,
            ),
        })
    }

    fn as_target(&self, pair: Pair) -> Built<crate::source::Symbol> {
        let span = self.span(&pair);
        let target = self.next_arith(pair)?;
        match target.kind {
            ExprKind::Name(name) if name.text() == "_" => fail("cannot use '_' as a target", span),
            ExprKind::Name(name) => Ok(name),
            _ => {
                // A name would do: what follows it is what cannot stand there.
                let text = self.source.slice(span);
                let is_word = |c: char| c == '_' || c.is_alphanumeric();
                let word = text.find(|c| !is_word(c)).unwrap_or(text.len());
                let begins_with_name = text.starts_with(|c: char| is_word(c) && !c.is_ascii_digit());
                if !begins_with_name || word == text.len() {
                    return fail("invalid pattern target", span);
                }
                let rest = &text[word..];
                let next = span.start as usize + word + rest.len() - rest.trim_start().len();
                fail("invalid syntax", Span::new(next, next + 1))
            }
        }
    }

    fn next_arith(&self, pair: Pair) -> Built<Expr> {
        let span = self.span(&pair);
        self.next_expr(&mut pair.into_inner(), span)
    }

    /// A name that catches, or none for `_`.
    fn capture(&self, name: &Pair) -> Built<Option<crate::source::Symbol>> {
        if name.as_str() == "_" {
            Ok(None)
        } else {
            self.bound_name(name).map(Some)
        }
    }

    /// A capture, a constant, a dotted value or a class pattern.
    fn named_pattern(&self, pair: Pair) -> Built<Pattern> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let dotted = need(pairs.next(), span)?;
        if let Some(args) = pairs.next() {
            let cls = self.dotted(dotted)?;
            return self.class_pattern(cls, args, span);
        }
        let mut names = dotted.clone().into_inner();
        if names.len() > 1 {
            return Ok(pattern(PatternKind::Value(self.dotted(dotted)?), span));
        }
        let name = need(names.next(), span)?;
        let kind = match name.as_str() {
            "None" => PatternKind::Singleton(Constant::None),
            "True" => PatternKind::Singleton(Constant::True),
            "False" => PatternKind::Singleton(Constant::False),
            _ => PatternKind::As {
                pattern: None,
                name: self.capture(&name)?,
            },
        };
        Ok(pattern(kind, span))
    }

    /// `a.b.c` as an expression.
    fn dotted(&self, pair: Pair) -> Built<Expr> {
        let span = self.span(&pair);
        let mut names = pair.into_inner();
        let mut value = self.name(&need(names.next(), span)?);
        for name in names {
            let name_span = self.span(&name);
            if is_constant(name.as_str()) {
                return fail("invalid syntax", name_span);
            }
            let whole = value.span.to(name_span);
            let kind = ExprKind::Attribute {
                value: Box::new(value),
                name: self.symbol(&name),
                name_span,
            };
            value = expr(kind, whole);
        }
        Ok(value)
    }

    fn class_pattern(&self, cls: Expr, args: Pair, span: Span) -> Built<Pattern> {
        let (mut patterns, mut keywords) = (Vec::new(), Vec::new());
        for arg in args.into_inner() {
            let place = self.span(&arg);
            if arg.as_rule() == Rule::pat_keyword {
                let mut pairs = arg.into_inner();
                let name = need(pairs.next(), place)?;
                keywords.push((self.bound_name(&name)?, self.pattern(need(pairs.next(), place)?)?));
            } else if keywords.is_empty() {
                patterns.push(self.pattern(arg)?);
            } else {
                return fail("positional patterns follow keyword patterns", place);
            }
        }
        Ok(pattern(
            PatternKind::Class {
                cls,
                patterns,
                keywords,
            },
            span,
        ))
    }

    fn mapping(&self, pair: Pair) -> Built<Pattern> {
        let span = self.span(&pair);
        let (mut keys, mut patterns, mut rest) = (Vec::new(), Vec::new(), None);
        for entry in pair.into_inner() {
            let place = self.span(&entry);
            if rest.is_some() {
                let error = SyntaxError::new("invalid syntax", place)
                    .help("'**rest' comes last in a mapping pattern");
                return Err(Box::new(error));
            }
            let mut pairs = entry.clone().into_inner();
            if entry.as_rule() == Rule::pat_rest {
                let name = need(pairs.next(), place)?;
                rest = Some(match self.capture(&name)? {
                    Some(name) => name,
                    None => return fail("invalid syntax", self.span(&name)),
                });
                continue;
            }
            let key = need(pairs.next(), place)?;
            keys.push(match key.as_rule() {
                Rule::dotted => {
                    let key_span = self.span(&key);
                    let key = self.dotted(key)?;
                    if let ExprKind::Name(_) = key.kind {
                        let error = SyntaxError::new("invalid syntax", key_span)
                            .help("a key is a literal or a dotted name");
                        return Err(Box::new(error));
                    }
                    key
                }
                _ => self.pattern_literal(key)?,
            });
            patterns.push(self.pattern(need(pairs.next(), place)?)?);
        }
        Ok(pattern(PatternKind::Mapping { keys, patterns, rest }, span))
    }

    /// A number with its sign, or a string.
    fn pattern_literal(&self, pair: Pair) -> Built<Expr> {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::strings {
            let value = self.strings(pair)?;
            return match value.kind {
                ExprKind::FString(_) => fail(
                    "patterns may only match literals and attribute lookups",
                    value.span,
                ),
                _ => Ok(value),
            };
        }
        let mut sign: Option<(Span, bool)> = None;
        let mut left: Option<Expr> = None;
        for part in pair.into_inner() {
            if part.as_rule() == Rule::sign {
                sign = Some((self.span(&part), part.as_str() == "-"));
                continue;
            }
            let number = self.number(&part)?;
            left = Some(match (left, sign.take()) {
                (None, None) => number,
                (None, Some((place, true))) => {
                    let span = place.to(number.span);
                    expr(
                        ExprKind::Unary {
                            op: UnaryOp::Neg,
                            operand: Box::new(number),
                        },
                        span,
                    )
                }
                (None, Some((place, false))) => return fail("invalid syntax", place),
                // Only a complex number has two parts, and `number` has refused that.
                (Some(left), _) => {
                    let span = left.span.to(number.span);
                    let (left, right) = (Box::new(left), Box::new(number));
                    let sum = expr(
                        ExprKind::Binary {
                            left,
                            op: BinaryOp::Add,
                            right,
                        },
                        span,
                    );
                    return fail("imaginary number required in complex literal", sum.span);
                }
            });
        }
        match left {
            Some(value) => Ok(value),
            None => fail("invalid syntax", span),
        }
    }
}
