//! What functions are made of, and what they make: decorators, lambdas, functions that return functions.

use super::*;
use crate::source::Span;

/// What the decorators of a function make of it.
pub(super) enum Decorated<'a> {
    /// A function: itself, or another one that takes its place.
    Function(&'a Function),
    Property,
    AsyncContext,
}

impl<'a> Program<'a> {
    /// What a call gives, if that is a function or a class.
    pub(super) fn meaning_returned(&self, func: &Expr, args: &[Arg], at: At, left: u32) -> Meaning<'a> {
        match self.meaning_within(func, at, left) {
            Meaning::Library(path) if matches!(&path[..], "functools.partial" | "builtins.staticmethod") => {
                match args {
                    [Arg::Positional(of), ..] => self.meaning_within(of, at, left),
                    _ => Meaning::Unknown,
                }
            }
            Meaning::Function(function) if function.decorators.is_empty() => {
                self.meaning_of_body(function, left)
            }
            _ => Meaning::Unknown,
        }
    }

    /// The function or class that a plain function returns.
    pub(super) fn meaning_of_body(&self, function: &'a Function, left: u32) -> Meaning<'a> {
        let Some(&inside) = self.inside.get(&address(function)) else {
            return Meaning::Unknown;
        };
        if function.is_async || self.yields(function) {
            return Meaning::Unknown;
        }
        let returned = returns(&function.body);
        same(
            returned.iter().map(|value| {
                value.map_or(Meaning::Unknown, |value| self.meaning_within(value, inside, left))
            }),
        )
    }

    /// What the decorators of a function make of it, as far as they are known.
    pub(super) fn decorated(&self, function: &'a Function, left: u32) -> Option<Decorated<'a>> {
        let left = left.checked_sub(1)?;
        let &at = self.defined.get(&address(function))?;
        let mut made = function;
        for (i, decorator) in function.decorators.iter().enumerate().rev() {
            let applied = match &decorator.plain().kind {
                ExprKind::Call { func, .. } => func,
                _ => decorator,
            };
            let applied = match self.meaning_within(applied, at, left) {
                Meaning::Library(path) => Some(path),
                _ => None,
            };
            match applied.as_deref() {
                Some(
                    "builtins.staticmethod"
                    | "builtins.classmethod"
                    | "functools.wraps"
                    | "abc.abstractmethod"
                    | "typing.override"
                    | "typing.final",
                ) => {}
                Some("builtins.property" | "functools.cached_property") if i == 0 => {
                    return Some(Decorated::Property);
                }
                Some("contextlib.asynccontextmanager") if i == 0 => return Some(Decorated::AsyncContext),
                Some(_) => return None,
                None => match self.meaning_within(decorator, at, left) {
                    Meaning::Function(decorator) if gives_its_first(decorator) => {}
                    Meaning::Function(decorator) if decorator.decorators.is_empty() => {
                        match self.meaning_of_body(decorator, left) {
                            Meaning::Function(inner) if calls_first_of(decorator, inner) => {}
                            Meaning::Function(inner) => match self.decorated(inner, left)? {
                                Decorated::Function(inner) => made = inner,
                                _ => return None,
                            },
                            _ => return None,
                        }
                    }
                    _ => return None,
                },
            }
        }
        Some(Decorated::Function(made))
    }

    /// The expressions that make what an expression gives: the only value of a name, what a function returns
    /// that only hands it on.
    pub fn made_in(&self, place: Span) -> Vec<Span> {
        let exprs = self.exprs.iter().filter(|(expr, _)| expr.span == place);
        exprs
            .flat_map(|(expr, at)| {
                self.steps.set(LONGEST_SEARCH);
                self.handed_on(expr, *at, LONGEST_CHAIN)
            })
            .collect()
    }

    fn handed_on(&self, expr: &Expr, at: At, left: u32) -> Vec<Span> {
        let Some(left) = left.checked_sub(1) else {
            return vec![];
        };
        let sources: Vec<&Expr> = match &expr.plain().kind {
            ExprKind::Name(_) => self
                .only_value(expr, at)
                .map(|(value, _)| value)
                .into_iter()
                .collect(),
            ExprKind::Call { func, .. } => match (self.lambda(func, at), self.meaning_within(func, at, left))
            {
                (Some(lambda), _) => vec![&lambda.body],
                (_, Meaning::Function(function)) if !function.is_async && !self.yields(function) => {
                    returns(&function.body).into_iter().flatten().collect()
                }
                (_, Meaning::Function(function)) if !function.decorators.is_empty() => {
                    self.wrapped_in(function, left)
                }
                _ => {
                    let functions = self.taken_from(func, at, left).unwrap_or_default();
                    let functions = functions.iter().filter_map(Item::plainly);
                    let lambdas = functions.filter_map(|(func, at)| self.lambda(func, at));
                    lambdas.map(|lambda| &lambda.body).collect()
                }
            },
            ExprKind::Subscript { .. } => {
                let items = self.taken_from(expr, at, left).unwrap_or_default();
                items.iter().map(|item| item.expr).collect()
            }
            ExprKind::Walrus { value, .. } => vec![&**value],
            ExprKind::Await(work) => match self.kind_within(work, at, left) {
                Kind::Coroutine(function) => returns(&function.body).into_iter().flatten().collect(),
                _ => vec![],
            },
            _ => vec![],
        };
        let mut found = Vec::new();
        for source in sources {
            if let Some(at) = self.place_of(source).filter(|at| self.is_own(*at)) {
                found.push(source.span);
                found.extend(self.handed_on(source, at, left));
            }
        }
        found
    }

    /// What the plain functions return that the decorators of a function put in its place.
    fn wrapped_in(&self, function: &'a Function, left: u32) -> Vec<&'a Expr> {
        let Some(&at) = self.defined.get(&address(function)) else {
            return vec![];
        };
        let wrappers = function.decorators.iter().filter_map(|decorator| {
            match self.meaning_within(decorator, at, left) {
                Meaning::Function(decorator) => match self.meaning_of_body(decorator, left) {
                    Meaning::Function(inner) => Some(inner),
                    _ => None,
                },
                _ => None,
            }
        });
        wrappers
            .flat_map(|inner| returns(&inner.body).into_iter().flatten())
            .collect()
    }

    /// The lambda that an expression is, or the only value of a name.
    pub(super) fn lambda(&self, func: &Expr, at: At) -> Option<&'a Lambda> {
        let value = match func.plain().kind {
            ExprKind::Name(_) => self.only_value(func, at)?.0,
            _ => self.places.get(&address(func.plain()))?.expr,
        };
        match &value.plain().kind {
            ExprKind::Lambda(lambda) => Some(lambda),
            _ => None,
        }
    }
}

/// Whether a decorator gives back the function that it is given.
fn gives_its_first(decorator: &Function) -> bool {
    let first = decorator.params.posonly.first().or(decorator.params.args.first());
    let gives = |value: &Option<&Expr>| {
        matches!(
            (value.map(|value| &value.plain().kind), first),
            (Some(ExprKind::Name(name)), Some(first)) if *name == first.name
        )
    };
    let returned = returns(&decorator.body);
    !decorator.is_async && !returned.is_empty() && returned.iter().all(gives)
}

/// Whether a plain function, which a decorator gives back, gives what the decorated one gives.
fn calls_first_of(decorator: &Function, inner: &Function) -> bool {
    let first = decorator.params.posonly.first().or(decorator.params.args.first());
    let gives = |value: &Option<&Expr>| match value.map(|value| &value.plain().kind) {
        Some(ExprKind::Call { func, .. }) => {
            matches!((&func.plain().kind, first), (ExprKind::Name(name), Some(first)) if *name == first.name)
        }
        _ => false,
    };
    let returned = returns(&inner.body);
    !inner.is_async && !returned.is_empty() && returned.iter().all(gives)
}

/// What all of them name.
pub(super) fn same<'a>(mut meanings: impl Iterator<Item = Meaning<'a>>) -> Meaning<'a> {
    let Some(first) = meanings.next() else {
        return Meaning::Unknown;
    };
    let is_first = |other: Meaning| match (&first, &other) {
        (Meaning::Library(a), Meaning::Library(b)) => a == b,
        (Meaning::Function(a), Meaning::Function(b)) => std::ptr::eq(*a, *b),
        (Meaning::Class(a), Meaning::Class(b)) => std::ptr::eq(*a, *b),
        _ => false,
    };
    match meanings.all(is_first) {
        true => first,
        false => Meaning::Unknown,
    }
}
