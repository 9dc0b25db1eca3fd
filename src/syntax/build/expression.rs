//! Expressions: flat nodes to trees by precedence, and everything in brackets.

use super::{
    Builder, Built, MAX_CHAIN, MAX_PREFIX, fail, fail_with, is, is_constant, need, token, unexpected,
};
use crate::source::Span;
use crate::syntax::ast::{
    BinaryOp, BoolOp, Clause, CompareOp, Comprehension, ComprehensionKind, Constant, DictItem, Expr,
    ExprKind, Lambda, UnaryOp,
};
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::{PRATT, Pair, Pairs, Rule};
use std::iter::once;

pub(super) fn expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, span }
}

impl Builder<'_> {
    /// A flat node (`expr`, `disjunction`, `arith`): operands and operators in order of the text.
    pub(super) fn expr(&self, pair: Pair) -> Built<Expr> {
        let whole = pair.as_span();
        let mut pairs = pair.into_inner();
        let count = pairs.len();
        if count == 1 {
            return match pairs.next() {
                Some(only) => self.primary(only),
                None => fail("invalid syntax", Span::new(whole.start(), whole.end())),
            };
        }
        // How deep the tree may get, before anything recurses.
        let (mut prefix, mut chain, mut plain) = (0, 0, true);
        for (i, child) in pairs.clone().enumerate() {
            match child.as_rule() {
                Rule::lambda_head | Rule::op_not | Rule::op_unary | Rule::op_await => prefix += 1,
                Rule::op_pow | Rule::ternary_mid => prefix += 1,
                Rule::call | Rule::attribute | Rule::subscript => {
                    chain += 1;
                    continue;
                }
                Rule::op_add
                | Rule::op_mul
                | Rule::op_bitor
                | Rule::op_xor
                | Rule::op_bitand
                | Rule::op_shift => {
                    chain += 1;
                }
                _ if i == 0 => continue,
                _ => {}
            }
            plain = false;
        }
        let (prefix_outside, chain_outside) = (self.prefix.get(), self.chain.get());
        self.prefix.set(prefix_outside + prefix);
        self.chain.set(chain_outside + chain);
        if self.prefix.get() > MAX_PREFIX || self.chain.get() > MAX_CHAIN {
            return fail(
                "too many nested operators",
                Span::new(whole.start(), whole.start() + 1),
            );
        }
        let built = if plain {
            self.postfix_chain(pairs)
        } else {
            self.operators(pairs)
        };
        self.prefix.set(prefix_outside);
        self.chain.set(chain_outside);
        built
    }

    /// One primary and what is called, looked up or indexed on it: most expressions.
    fn postfix_chain(&self, mut pairs: Pairs) -> Built<Expr> {
        let first = need(pairs.next(), Span::default())?;
        let mut value = self.primary(first)?;
        for op in pairs {
            value = self.postfix(value, op)?;
        }
        Ok(value)
    }

    fn operators(&self, pairs: Pairs) -> Built<Expr> {
        PRATT
            .map_primary(|pair| self.primary(pair))
            .map_prefix(|op, operand| self.prefix(op, operand?))
            .map_postfix(|value, op| self.postfix(value?, op))
            .map_infix(|left, op, right| self.infix(left?, op, right?))
            .parse(pairs)
    }

    fn prefix(&self, op: Pair, operand: Expr) -> Built<Expr> {
        let start = op.as_span().start();
        let span = Span::new(start, operand.span.end as usize);
        let kind = match op.as_rule() {
            Rule::lambda_head => {
                let params = match op.into_inner().next() {
                    Some(params) => self.params(params)?,
                    None => Default::default(),
                };
                ExprKind::Lambda(Box::new(Lambda {
                    params,
                    body: operand,
                }))
            }
            Rule::op_await => ExprKind::Await(Box::new(operand)),
            Rule::op_not => ExprKind::Unary {
                op: UnaryOp::Not,
                operand: Box::new(operand),
            },
            Rule::op_unary => {
                let op = match op.as_str().as_bytes().first() {
                    Some(b'-') => UnaryOp::Neg,
                    Some(b'+') => UnaryOp::Pos,
                    _ => UnaryOp::Invert,
                };
                ExprKind::Unary {
                    op,
                    operand: Box::new(operand),
                }
            }
            _ => return unexpected(&op),
        };
        Ok(expr(kind, span))
    }

    fn postfix(&self, value: Expr, op: Pair) -> Built<Expr> {
        let span = value.span.to(Span::new(op.as_span().start(), op.as_span().end()));
        let value_box = Box::new(value);
        let kind = match op.as_rule() {
            Rule::call => ExprKind::Call {
                func: value_box,
                args: self.args(op)?,
            },
            Rule::attribute => {
                let name = need(op.into_inner().next(), span)?;
                if is_constant(name.as_str()) {
                    return fail("invalid syntax", self.span(&name));
                }
                ExprKind::Attribute {
                    value: value_box,
                    name: self.symbol(&name),
                    name_span: self.span(&name),
                }
            }
            Rule::subscript => ExprKind::Subscript {
                value: value_box,
                index: Box::new(self.index(op)?),
            },
            _ => return unexpected(&op),
        };
        Ok(expr(kind, span))
    }

    fn infix(&self, left: Expr, op: Pair, right: Expr) -> Built<Expr> {
        let span = left.span.to(right.span);
        let text = op.as_str().trim_end();
        let binary = match op.as_rule() {
            Rule::op_or => return Ok(bool_op(BoolOp::Or, left, right)),
            Rule::op_and => return Ok(bool_op(BoolOp::And, left, right)),
            Rule::op_cmp => return Ok(compare(left, compare_op(text), right)),
            Rule::ternary_mid => {
                let test = self.expr(need(op.into_inner().next(), span)?)?;
                let kind = ExprKind::IfElse {
                    test: Box::new(test),
                    body: Box::new(left),
                    orelse: Box::new(right),
                };
                return Ok(expr(kind, span));
            }
            _ => match binary_op(text) {
                Some(binary) => binary,
                None => return unexpected(&op),
            },
        };
        let (left, right) = (Box::new(left), Box::new(right));
        Ok(expr(
            ExprKind::Binary {
                left,
                op: binary,
                right,
            },
            span,
        ))
    }

    fn primary(&self, pair: Pair) -> Built<Expr> {
        match pair.as_rule() {
            Rule::name => Ok(self.name(&pair)),
            Rule::strings => self.strings(pair),
            Rule::number => self.number(&pair),
            Rule::paren => self.paren(pair),
            Rule::list => self.list(pair),
            Rule::brace => self.brace(pair),
            Rule::ellipsis => Ok(expr(ExprKind::Constant(Constant::Ellipsis), self.span(&pair))),
            _ => unexpected(&pair),
        }
    }

    pub(super) fn name(&self, pair: &Pair) -> Expr {
        let kind = match pair.as_str() {
            "None" => ExprKind::Constant(Constant::None),
            "True" => ExprKind::Constant(Constant::True),
            "False" => ExprKind::Constant(Constant::False),
            _ => ExprKind::Name(self.symbol(pair)),
        };
        expr(kind, self.span(pair))
    }

    /// `exprs`, `subject`: one expression, or a tuple without parentheses.
    pub(super) fn exprs(&self, pair: Pair) -> Built<Expr> {
        let mut items = Items::default();
        let mut pairs = pair.into_inner();
        while let Some(item) = pairs.next() {
            self.item(item, &mut pairs, &mut items)?;
        }
        items.bare(|star| {
            let error = SyntaxError::new("can't use starred expression here", star);
            Err(Box::new(error.help("a ',' behind it makes a tuple: '*items,'")))
        })
    }

    /// An `expr` and the `walrus` that may follow it.
    pub(super) fn named(&self, pair: Pair, rest: &mut Pairs) -> Built<Expr> {
        let target = self.expr(pair)?;
        if !is(rest.peek().as_ref(), Rule::walrus) {
            return Ok(target);
        }
        let span = target.span;
        let walrus = need(rest.next(), span)?;
        self.walrus(target, walrus)
    }

    /// The `named` that is a node's next child.
    pub(super) fn next_named(&self, pairs: &mut Pairs, parent: Span) -> Built<Expr> {
        let first = need(pairs.next(), parent)?;
        self.named(first, pairs)
    }

    /// The `expr` (or `exprs`) that is a node's next child.
    pub(super) fn next_expr(&self, pairs: &mut Pairs, parent: Span) -> Built<Expr> {
        let first = need(pairs.next(), parent)?;
        self.value(first)
    }

    pub(super) fn walrus(&self, target: Expr, walrus: Pair) -> Built<Expr> {
        let ExprKind::Name(name) = target.kind else {
            let what = super::target::describe(&target);
            return fail(
                format!("cannot use assignment expressions with {what}"),
                target.span,
            );
        };
        let value = self.next_expr(&mut walrus.into_inner(), target.span)?;
        let span = target.span.to(value.span);
        Ok(expr(
            ExprKind::Walrus {
                target: name,
                value: Box::new(value),
            },
            span,
        ))
    }

    /// Any node that stands for one value.
    pub(super) fn value(&self, pair: Pair) -> Built<Expr> {
        match pair.as_rule() {
            Rule::expr | Rule::disjunction | Rule::arith => self.expr(pair),
            Rule::exprs => self.exprs(pair),
            Rule::yield_from | Rule::yield_plain => self.yield_expr(pair),
            Rule::starred | Rule::star_arg => self.starred(pair),
            _ => unexpected(&pair),
        }
    }

    pub(super) fn starred(&self, pair: Pair) -> Built<Expr> {
        let star = token(&pair);
        let value = self.next_expr(&mut pair.into_inner(), star)?;
        let span = star.to(value.span);
        Ok(expr(ExprKind::Starred(Box::new(value)), span))
    }

    fn yield_expr(&self, pair: Pair) -> Built<Expr> {
        let start = pair.as_span().start();
        let word = Span::new(start, start + "yield".len());
        let from = pair.as_rule() == Rule::yield_from;
        let value = match pair.into_inner().next() {
            Some(value) => Some(Box::new(self.value(value)?)),
            None => None,
        };
        let span = value.as_ref().map_or(word, |value| word.to(value.span));
        Ok(match value {
            Some(value) if from => expr(ExprKind::YieldFrom(value), span),
            value => expr(ExprKind::Yield(value), span),
        })
    }

    // Brackets

    fn item(&self, pair: Pair, rest: &mut Pairs, items: &mut Items) -> Built<()> {
        match pair.as_rule() {
            Rule::comma => items.comma = Some(token(&pair)),
            Rule::starred | Rule::star_arg => items.list.push(self.starred(pair)?),
            _ => items.list.push(self.named(pair, rest)?),
        }
        Ok(())
    }

    fn paren(&self, pair: Pair) -> Built<Expr> {
        let span = self.span(&pair);
        let mut items = Items::default();
        let mut pairs = pair.into_inner();
        while let Some(item) = pairs.next() {
            match item.as_rule() {
                Rule::yield_from | Rule::yield_plain => {
                    let value = Box::new(self.yield_expr(item)?);
                    return Ok(expr(ExprKind::Paren(value), span));
                }
                Rule::comp_for => {
                    let element = items.list.pop();
                    return self.comprehension(
                        ComprehensionKind::Generator,
                        element,
                        None,
                        once(item).chain(pairs),
                        span,
                    );
                }
                _ => self.item(item, &mut pairs, &mut items)?,
            }
        }
        if items.comma.is_some() || items.list.len() != 1 {
            return Ok(expr(ExprKind::Tuple(items.list), span));
        }
        match items.list.pop() {
            Some(Expr {
                kind: ExprKind::Starred(_),
                span: star,
            }) => fail("cannot use starred expression here", star),
            Some(value) => Ok(expr(ExprKind::Paren(Box::new(value)), span)),
            None => Ok(expr(ExprKind::Tuple(Vec::new()), span)),
        }
    }

    fn list(&self, pair: Pair) -> Built<Expr> {
        let span = self.span(&pair);
        let mut items = Items::default();
        let mut pairs = pair.into_inner();
        while let Some(item) = pairs.next() {
            if item.as_rule() == Rule::comp_for {
                let element = items.list.pop();
                return self.comprehension(
                    ComprehensionKind::List,
                    element,
                    None,
                    once(item).chain(pairs),
                    span,
                );
            }
            self.item(item, &mut pairs, &mut items)?;
        }
        Ok(expr(ExprKind::List(items.list), span))
    }

    /// A dict or a set, displayed or comprehended; mixtures are refused.
    fn brace(&self, pair: Pair) -> Built<Expr> {
        let span = self.span(&pair);
        let mut items = Items::default();
        let mut entries: Vec<DictItem> = Vec::new();
        let mut pairs = pair.into_inner();
        while let Some(item) = pairs.next() {
            let place = self.span(&item);
            match item.as_rule() {
                Rule::comp_for => {
                    return match (entries.pop(), items.list.pop()) {
                        (Some(DictItem::Pair(key, value)), _) => {
                            let kind = ComprehensionKind::Dict;
                            self.comprehension(kind, Some(value), Some(key), once(item).chain(pairs), span)
                        }
                        (Some(DictItem::Unpack(value)), _) => {
                            let stars = Span::new(
                                (value.span.start as usize).saturating_sub(2),
                                value.span.end as usize,
                            );
                            fail("dict unpacking cannot be used in dict comprehension", stars)
                        }
                        (None, element) => self.comprehension(
                            ComprehensionKind::Set,
                            element,
                            None,
                            once(item).chain(pairs),
                            span,
                        ),
                    };
                }
                Rule::unpack => {
                    if !items.list.is_empty() {
                        return some_of_each(token(&item));
                    }
                    let value = self.next_expr(&mut item.into_inner(), place)?;
                    entries.push(DictItem::Unpack(value));
                }
                Rule::expr if is(pairs.peek().as_ref(), Rule::dict_value) => {
                    let key = self.expr(item)?;
                    let dict_value = need(pairs.next(), key.span)?;
                    if !items.list.is_empty() {
                        return some_of_each(token(&dict_value));
                    }
                    let value = self.next_expr(&mut dict_value.into_inner(), key.span)?;
                    entries.push(DictItem::Pair(key, value));
                }
                _ => {
                    if !entries.is_empty() {
                        return match item.as_rule() {
                            Rule::starred => {
                                fail("cannot use a starred expression in a dictionary value", place)
                            }
                            _ => {
                                let end = place.end as usize;
                                let last = self
                                    .source
                                    .slice(place)
                                    .chars()
                                    .next_back()
                                    .map_or(0, char::len_utf8);
                                let last = Span::new(end - last, end);
                                let error = SyntaxError::new("':' expected after dictionary key", last)
                                    .help("a dict's items are 'key: value', a set's are plain values");
                                Err(Box::new(error))
                            }
                        };
                    }
                    self.item(item, &mut pairs, &mut items)?;
                }
            }
        }
        Ok(if items.list.is_empty() {
            expr(ExprKind::Dict(entries), span)
        } else {
            expr(ExprKind::Set(items.list), span)
        })
    }

    /// `element for … in … if …`
    pub(super) fn comprehension<'t>(
        &self,
        kind: ComprehensionKind,
        element: Option<Expr>,
        key: Option<Expr>,
        clauses: impl IntoIterator<Item = Pair<'t>>,
        span: Span,
    ) -> Built<Expr> {
        let Some(element) = element else {
            return fail("invalid syntax", span);
        };
        if let ExprKind::Starred(_) = element.kind {
            return fail("iterable unpacking cannot be used in comprehension", element.span);
        }
        let clauses = clauses
            .into_iter()
            .map(|clause| self.clause(clause))
            .collect::<Built<Vec<Clause>>>()?;
        let comprehension = Comprehension {
            kind,
            element,
            key,
            clauses,
        };
        Ok(expr(ExprKind::Comprehension(Box::new(comprehension)), span))
    }

    fn clause(&self, pair: Pair) -> Built<Clause> {
        let span = self.span(&pair);
        let mut pairs = pair.into_inner();
        let is_async = is(pairs.peek().as_ref(), Rule::r#async);
        if is_async {
            pairs.next();
        }
        let target = self.targets(need(pairs.next(), span)?)?;
        let iter = self.next_expr(&mut pairs, span)?;
        let conditions = pairs
            .map(|condition| self.expr(condition))
            .collect::<Built<Vec<Expr>>>()?;
        Ok(Clause {
            is_async,
            target,
            iter,
            conditions,
        })
    }

    // Subscripts

    fn index(&self, pair: Pair) -> Built<Expr> {
        let mut items = Items::default();
        let mut pairs = pair.into_inner();
        while let Some(item) = pairs.next() {
            match item.as_rule() {
                Rule::slice_from => items.list.push(self.slice(None, item)?),
                Rule::expr if is(pairs.peek().as_ref(), Rule::slice_to) => {
                    let lower = self.expr(item)?;
                    let slice = need(pairs.next(), lower.span)?;
                    items.list.push(self.slice(Some(lower), slice)?);
                }
                _ => self.item(item, &mut pairs, &mut items)?,
            }
        }
        // `a[*b]` is a tuple of one.
        if let [
            Expr {
                kind: ExprKind::Starred(_),
                span,
            },
        ] = &items.list[..]
        {
            items.comma = items.comma.or(Some(*span));
        }
        items.bare(|star| fail("invalid syntax", star))
    }

    fn slice(&self, lower: Option<Expr>, pair: Pair) -> Built<Expr> {
        let mut span = token(&pair);
        if let Some(lower) = &lower {
            span = span.to(lower.span);
        }
        let (mut upper, mut step, mut colons) = (None, None, 0);
        for part in pair.into_inner() {
            if part.as_rule() == Rule::colon {
                colons += 1;
                span = span.to(token(&part));
                continue;
            }
            let value = self.expr(part)?;
            span = span.to(value.span);
            *(if colons == 1 { &mut upper } else { &mut step }) = Some(Box::new(value));
        }
        Ok(expr(
            ExprKind::Slice {
                lower: lower.map(Box::new),
                upper,
                step,
            },
            span,
        ))
    }
}

/// The items of a display and its last comma.
#[derive(Default)]
pub(super) struct Items {
    pub list: Vec<Expr>,
    pub comma: Option<Span>,
}

impl Items {
    /// One value, or a tuple without parentheses. A star alone is for the caller to refuse.
    pub fn bare(mut self, lone_star: impl FnOnce(Span) -> Built<Expr>) -> Built<Expr> {
        if self.comma.is_none()
            && self.list.len() == 1
            && let Some(only) = self.list.pop()
        {
            return match only.kind {
                ExprKind::Starred(_) => lone_star(only.span),
                _ => Ok(only),
            };
        }
        let mut span = match (self.list.first(), self.list.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        };
        if let Some(comma) = self.comma {
            span = span.to(comma);
        }
        Ok(expr(ExprKind::Tuple(self.list), span))
    }
}

/// `and` and `or` chains are one node; parentheses keep theirs apart.
fn bool_op(op: BoolOp, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let values = match left.kind {
        ExprKind::BoolOp {
            op: inner,
            mut values,
        } if inner == op => {
            values.push(right);
            values
        }
        _ => vec![left, right],
    };
    expr(ExprKind::BoolOp { op, values }, span)
}

fn compare(left: Expr, op: CompareOp, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let (left, rest) = match left.kind {
        ExprKind::Compare { left, mut rest } => {
            rest.push((op, right));
            (left, rest)
        }
        _ => (Box::new(left), vec![(op, right)]),
    };
    expr(ExprKind::Compare { left, rest }, span)
}

fn compare_op(text: &str) -> CompareOp {
    match text {
        "==" => CompareOp::Eq,
        "!=" => CompareOp::NotEq,
        "<" => CompareOp::Lt,
        "<=" => CompareOp::LtE,
        ">" => CompareOp::Gt,
        ">=" => CompareOp::GtE,
        "in" => CompareOp::In,
        "is" => CompareOp::Is,
        // Any blanks may stand between the two words.
        _ if text.starts_with("is") => CompareOp::IsNot,
        _ => CompareOp::NotIn,
    }
}

/// The operator of `a op b`, or of `a op= b` without its `=`.
pub(super) fn binary_op(text: &str) -> Option<BinaryOp> {
    Some(match text {
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Sub,
        "*" => BinaryOp::Mul,
        "@" => BinaryOp::MatMul,
        "/" => BinaryOp::Div,
        "//" => BinaryOp::FloorDiv,
        "%" => BinaryOp::Mod,
        "**" => BinaryOp::Pow,
        "<<" => BinaryOp::LeftShift,
        ">>" => BinaryOp::RightShift,
        "|" => BinaryOp::BitOr,
        "^" => BinaryOp::BitXor,
        "&" => BinaryOp::BitAnd,
        _ => return None,
    })
}

/// `{1, 2: 3}`
fn some_of_each<T>(span: Span) -> Built<T> {
    let help = "a set holds values, a dict 'key: value' items: these are some of each";
    fail_with("invalid syntax", span, help)
}

#[cfg(test)]
mod tests {
    use crate::source::Source;
    use crate::syntax::ast::{Arg, Expr, ExprKind, StmtKind};
    use crate::syntax::parse;

    /// The tree with every operator in brackets of its own.
    fn show(value: &Expr, source: &Source) -> String {
        let show = |value: &Expr| show(value, source);
        match &value.kind {
            ExprKind::Binary { left, op, right } => format!("[{} {op:?} {}]", show(left), show(right)),
            ExprKind::Unary { op, operand } => format!("[{op:?} {}]", show(operand)),
            ExprKind::BoolOp { op, values } => {
                format!(
                    "[{op:?} {}]",
                    values.iter().map(show).collect::<Vec<_>>().join(" ")
                )
            }
            ExprKind::Compare { left, rest } => {
                let rest: String = rest
                    .iter()
                    .map(|(op, value)| format!(" {op:?} {}", show(value)))
                    .collect();
                format!("[{}{rest}]", show(left))
            }
            ExprKind::IfElse { test, body, orelse } => {
                format!("[{} if {} else {}]", show(body), show(test), show(orelse))
            }
            ExprKind::Lambda(lambda) => format!("[lambda {}]", show(&lambda.body)),
            ExprKind::Await(value) => format!("[await {}]", show(value)),
            ExprKind::Paren(value) => format!("({})", show(value)),
            ExprKind::Call { func, args } => {
                let arg = |arg: &Arg| match arg {
                    Arg::Positional(value) | Arg::Star(value) | Arg::DoubleStar(value) => show(value),
                    Arg::Keyword { value, .. } => show(value),
                };
                format!(
                    "{}<{}>",
                    show(func),
                    args.iter().map(arg).collect::<Vec<_>>().join(" ")
                )
            }
            _ => source.slice(value.span).to_string(),
        }
    }

    fn tree(text: &str) -> String {
        let source = Source::new("t", text);
        let module = parse(&source).expect(text);
        let StmtKind::Expr(value) = &module.body[0].kind else {
            panic!("{text}")
        };
        show(value, &source)
    }

    #[test]
    fn precedence_is_pythons() {
        for (text, expected) in [
            ("-a ** -b ** c * d", "[[Neg [a Pow [Neg [b Pow c]]]] Mul d]"),
            ("not a == b and c or d", "[Or [And [Not [a Eq b]] c] d]"),
            (
                "a | b ^ c & d << e + f // g",
                "[a BitOr [b BitXor [c BitAnd [d LeftShift [e Add [f FloorDiv g]]]]]]",
            ),
            ("a < b is  not c not  in d", "[a Lt b IsNot c NotIn d]"),
            ("(a < b) < c", "[([a Lt b]) Lt c]"),
            (
                "a if b else lambda: c if d else e",
                "[a if b else [lambda [c if d else e]]]",
            ),
            ("await f(x) ** 2", "[[await f<x>] Pow 2]"),
            ("a - b - c and d and e", "[And [[a Sub b] Sub c] d e]"),
            ("1if x else 2", "[1 if x else 2]"),
        ] {
            assert_eq!(tree(text), expected, "{text}");
        }
    }

    #[test]
    fn places_hold_no_blanks() {
        let text = "x = f ( a , b = 1 ) . c  [ 1 : 2 ]  # end";
        let source = Source::new("t", text);
        let module = parse(&source).expect(text);
        let StmtKind::Assign { value, targets } = &module.body[0].kind else {
            panic!()
        };
        assert_eq!(source.slice(value.span), "f ( a , b = 1 ) . c  [ 1 : 2 ]");
        assert_eq!(source.slice(targets[0].span), "x");
        assert_eq!(
            source.slice(module.body[0].span),
            text.trim_end_matches("  # end")
        );
    }
}
