//! Expressions as normalised text: what `from __future__ import annotations` keeps of an annotation.
//!
//! Always true: the text says the same as the expression, with one space where Python's style has
//! one, single quotes, and only the parentheses that are needed.

use super::shape::{all_params, plain};
use crate::code::spelling::{Tightness, binary, compare, constant_text, next};
use crate::source::Source;
use crate::syntax::ast::*;

/// The text of an annotation in a file.
pub fn annotation(expr: &Expr, source: &Source) -> String {
    Unparser { source }.at(expr, Tightness::Conditional)
}

struct Unparser<'a> {
    source: &'a Source,
}

impl Unparser<'_> {
    /// The text of an expression where only those that bind as tightly as `place` go without
    /// parentheses.
    fn at(&self, expr: &Expr, place: Tightness) -> String {
        let (text, tightness) = self.expression(plain(expr));
        if tightness < place {
            format!("({text})")
        } else {
            text
        }
    }

    fn loose(&self, expr: &Expr) -> String {
        self.at(expr, Tightness::Conditional)
    }

    fn list<'e>(&self, items: impl IntoIterator<Item = &'e Expr>) -> String {
        joined(items.into_iter().map(|item| self.loose(item)))
    }

    fn expression(&self, expr: &Expr) -> (String, Tightness) {
        use Tightness as T;
        match &expr.kind {
            ExprKind::Constant(constant) => (constant_text(constant), T::Primary),
            ExprKind::Name(name) => (name.to_string(), T::Primary),
            ExprKind::FString(parts) => {
                let text = constant_text(&Constant::Str(self.template(parts, true).into()));
                (format!("f{text}"), T::Primary)
            }
            ExprKind::BoolOp { op, values } => {
                let (word, own) = match op {
                    BoolOp::And => (" and ", T::And),
                    BoolOp::Or => (" or ", T::Or),
                };
                let values: Vec<String> = values.iter().map(|value| self.at(value, next(own))).collect();
                (values.join(word), own)
            }
            ExprKind::Binary { left, op, right } => {
                let (sign, own) = binary(*op);
                let (before, after) = match op {
                    BinaryOp::Pow => (next(own), own),
                    _ => (own, next(own)),
                };
                let (left, right) = (self.at(left, before), self.at(right, after));
                (format!("{left} {sign} {right}"), own)
            }
            ExprKind::Unary { op, operand } => {
                let (sign, own) = match op {
                    UnaryOp::Not => ("not ", T::Not),
                    UnaryOp::Neg => ("-", T::Sign),
                    UnaryOp::Pos => ("+", T::Sign),
                    UnaryOp::Invert => ("~", T::Sign),
                };
                (format!("{sign}{}", self.at(operand, own)), own)
            }
            ExprKind::Lambda(lambda) => {
                let params = self.params(&lambda.params);
                let space = if params.is_empty() { "" } else { " " };
                let body = self.loose(&lambda.body);
                (format!("lambda{space}{params}: {body}"), T::Conditional)
            }
            ExprKind::IfElse { test, body, orelse } => {
                let (body, test) = (self.at(body, T::Or), self.at(test, T::Or));
                let orelse = self.loose(orelse);
                (format!("{body} if {test} else {orelse}"), T::Conditional)
            }
            ExprKind::Dict(items) => {
                let items = items.iter().map(|item| match item {
                    DictItem::Pair(key, value) => format!("{}: {}", self.loose(key), self.loose(value)),
                    DictItem::Unpack(value) => format!("**{}", self.at(value, T::BitOr)),
                });
                (format!("{{{}}}", joined(items)), T::Primary)
            }
            ExprKind::Set(items) => (format!("{{{}}}", self.list(items)), T::Primary),
            ExprKind::List(items) => (format!("[{}]", self.list(items)), T::Primary),
            ExprKind::Tuple(items) => match &items[..] {
                [] => ("()".to_owned(), T::Primary),
                [only] => (format!("{},", self.loose(only)), T::Walrus),
                items => (self.list(items), T::Walrus),
            },
            ExprKind::Comprehension(comprehension) => {
                let (open, close) = match comprehension.kind {
                    ComprehensionKind::List => ("[", "]"),
                    ComprehensionKind::Set | ComprehensionKind::Dict => ("{", "}"),
                    ComprehensionKind::Generator => ("(", ")"),
                };
                let inner = self.comprehension(comprehension);
                (format!("{open}{inner}{close}"), T::Primary)
            }
            ExprKind::Compare { left, rest } => {
                let own = next(T::Comparison);
                let mut text = self.at(left, own);
                for (op, right) in rest {
                    text += &format!(" {} {}", compare(*op), self.at(right, own));
                }
                (text, T::Comparison)
            }
            ExprKind::Call { func, args } => {
                let args = match &args[..] {
                    [Arg::Positional(only)] if is_generator(only) => self.loose(only),
                    args => format!("({})", joined(args.iter().map(|arg| self.argument(arg)))),
                };
                (format!("{}{args}", self.at(func, T::Primary)), T::Primary)
            }
            ExprKind::Attribute { value, name, .. } => {
                let is_int = matches!(
                    plain(value).kind,
                    ExprKind::Constant(Constant::Int(_) | Constant::BigInt(_))
                );
                let space = if is_int { " " } else { "" };
                (
                    format!("{}{space}.{name}", self.at(value, T::Primary)),
                    T::Primary,
                )
            }
            ExprKind::Subscript { value, index } => {
                let (value, index) = (self.at(value, T::Primary), self.at(index, T::Walrus));
                (format!("{value}[{index}]"), T::Primary)
            }
            ExprKind::Slice { lower, upper, step } => {
                let part =
                    |part: &Option<Box<Expr>>| part.as_ref().map_or_else(String::new, |p| self.loose(p));
                let step = step
                    .as_ref()
                    .map_or_else(String::new, |step| format!(":{}", self.loose(step)));
                (format!("{}:{}{step}", part(lower), part(upper)), T::Primary)
            }
            ExprKind::Starred(value) => (format!("*{}", self.at(value, T::BitOr)), T::Primary),
            ExprKind::Paren(inner) => self.expression(inner),
            // They cannot stand in an annotation.
            ExprKind::Walrus { .. } | ExprKind::Await(_) | ExprKind::Yield(_) | ExprKind::YieldFrom(_) => {
                (self.source.slice(expr.span).to_owned(), T::Walrus)
            }
        }
    }

    fn argument(&self, arg: &Arg) -> String {
        match arg {
            Arg::Positional(value) => self.loose(value),
            Arg::Star(value) => format!("*{}", self.at(value, Tightness::BitOr)),
            Arg::Keyword { name, value, .. } => format!("{name}={}", self.loose(value)),
            Arg::DoubleStar(value) => format!("**{}", self.loose(value)),
        }
    }

    fn comprehension(&self, comprehension: &Comprehension) -> String {
        let mut text = match &comprehension.key {
            Some(key) => format!("{}: {}", self.loose(key), self.loose(&comprehension.element)),
            None => self.loose(&comprehension.element),
        };
        for clause in &comprehension.clauses {
            let word = if clause.is_async { "async for" } else { "for" };
            let target = self.at(&clause.target, Tightness::Walrus);
            text += &format!(" {word} {target} in {}", self.at(&clause.iter, Tightness::Or));
            for condition in &clause.conditions {
                text += &format!(" if {}", self.at(condition, Tightness::Or));
            }
        }
        text
    }

    fn params(&self, params: &Params) -> String {
        let one = |param: &Param| match &param.default {
            Some(default) => format!("{}={}", param.name, self.loose(default)),
            None => param.name.to_string(),
        };
        let mut parts: Vec<String> = Vec::with_capacity(all_params(params).count() + 2);
        parts.extend(params.posonly.iter().map(one));
        if !params.posonly.is_empty() {
            parts.push("/".to_owned());
        }
        parts.extend(params.args.iter().map(one));
        match &params.vararg {
            Some(vararg) => parts.push(format!("*{}", vararg.name)),
            None if !params.kwonly.is_empty() => parts.push("*".to_owned()),
            None => {}
        }
        parts.extend(params.kwonly.iter().map(one));
        parts.extend(params.kwarg.iter().map(|kwarg| format!("**{}", kwarg.name)));
        joined(parts)
    }

    /// The inside of an f-string; a spec's braces are not doubled.
    fn template(&self, parts: &[FStringPart], doubled: bool) -> String {
        let mut text = String::new();
        for part in parts {
            match part {
                FStringPart::Text(plain) if doubled => {
                    text += &plain.replace('{', "{{").replace('}', "}}");
                }
                FStringPart::Text(plain) => text += plain,
                FStringPart::Field(field) => text += &self.field(field),
            }
        }
        text
    }

    fn field(&self, field: &FStringField) -> String {
        let shown = field.debug_text.as_deref().unwrap_or("");
        let value = self.at(&field.value, Tightness::Or);
        let space = if value.starts_with('{') { " " } else { "" };
        let conversion = match field.conversion {
            None => "",
            Some(Conversion::Str) => "!s",
            Some(Conversion::Repr) => "!r",
            Some(Conversion::Ascii) => "!a",
        };
        let spec = field
            .spec
            .as_ref()
            .map_or_else(String::new, |spec| format!(":{}", self.template(spec, false)));
        format!("{shown}{{{space}{value}{conversion}{spec}}}")
    }
}

fn is_generator(expr: &Expr) -> bool {
    matches!(&plain(expr).kind, ExprKind::Comprehension(it) if it.kind == ComprehensionKind::Generator)
}

fn joined(texts: impl IntoIterator<Item = String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join(", ")
}
