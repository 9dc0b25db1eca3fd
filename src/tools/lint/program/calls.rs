//! Who calls which function: the first thing that is worked out of a program, on which all that is known of
//! parameters stands.
//!
//! Always true: a function is left out if it may be called from elsewhere, by a name that is not seen.

use super::flow::{Given, Runs, Site};
use super::*;

/// What is counted in the one pass over all expressions.
#[derive(Default)]
struct Tally<'a> {
    /// The calls that are seen of each function and lambda, by its address.
    sites: HashMap<usize, Vec<Site<'a>>>,
    /// How often each is mentioned, be it called there or not.
    mentions: HashMap<usize, usize>,
    /// How often attributes of each name are mentioned.
    attributes: HashMap<Symbol, usize>,
    /// Functions that others make and return, each with the unit of its maker.
    returned: Vec<(&'a Function, usize)>,
    /// How often what these give is asked for.
    given: HashMap<usize, usize>,
}

impl<'a> Tally<'a> {
    fn mention<T>(&mut self, node: &T) {
        *self.mentions.entry(address(node)).or_default() += 1;
    }

    fn call(&mut self, callable: Callable<'a>, site: Site<'a>) {
        self.sites.entry(callable.address()).or_default().push(site);
    }
}

impl<'a> Program<'a> {
    /// All calls of each function and lambda, by its address, as far as all are seen.
    pub(super) fn all_calls(&self) -> HashMap<usize, Vec<Site<'a>>> {
        let mut tally = Tally::default();
        for (expr, at) in self.all_exprs() {
            self.steps.set(LONGEST_SEARCH);
            self.count(expr, *at, &mut tally);
        }
        for function in self.units.iter().filter_map(Unit::function) {
            self.steps.set(LONGEST_SEARCH);
            self.count_decorators(function, &mut tally);
        }
        for (function, _) in &tally.returned {
            let key = address(*function);
            *tally.mentions.entry(key).or_default() += tally.given.get(&key).copied().unwrap_or(0);
        }
        self.leave_out_lambdas(&mut tally);
        self.leave_out_functions(&mut tally);
        self.leave_out_what_others_make(&mut tally);
        tally.sites
    }

    fn count(&self, expr: &'a Expr, at: At, tally: &mut Tally<'a>) {
        match &expr.kind {
            ExprKind::Name(_) => match self.meaning(expr, at) {
                Meaning::Function(function) if self.is_returned_where_made(expr, function, at) => {
                    tally.returned.push((function, at.unit));
                }
                Meaning::Function(function) => tally.mention(function),
                Meaning::Class(class) => self.count_class(expr, class, tally),
                Meaning::Unknown if !self.is_target(expr) => {
                    if let Some(lambda) = self.lambda(expr, at) {
                        tally.mention(lambda);
                    }
                }
                _ => {}
            },
            ExprKind::Attribute { name, .. } => {
                *tally.attributes.entry(*name).or_default() += 1;
                // `module.function`, `Outer.Inner`
                match self.meaning(expr, at) {
                    Meaning::Function(function) if !self.is_method(function) => tally.mention(function),
                    Meaning::Class(class) => self.count_class(expr, class, tally),
                    _ => {}
                }
            }
            ExprKind::Lambda(lambda) if !self.has_name(expr) => tally.mention(&**lambda),
            ExprKind::Call { func, args } => {
                let own = (&**func, Given::Args(args), Runs::Here);
                let handed = self.handed(func, args, at, LONGEST_CHAIN);
                for (func, args, runs) in [Some(own), handed].into_iter().flatten() {
                    if let Some((callable, is_bound)) = self.called(func, at, LONGEST_CHAIN) {
                        let site = Site {
                            args,
                            at,
                            is_bound,
                            runs,
                        };
                        tally.call(callable, site);
                    }
                }
                if let Meaning::Function(function) = self.meaning(expr, at) {
                    *tally.given.entry(address(function)).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    /// A class that is mentioned, other than to be called at once, may be called by others.
    fn count_class(&self, mention: &Expr, class: &'a Class, tally: &mut Tally<'a>) {
        if !self.is_called_or_looked_into(mention)
            && let Some(made) = self.constructor(class, LONGEST_CHAIN)
        {
            tally.mention(made);
        }
    }

    /// Decorators are called with the function below them.
    fn count_decorators(&self, function: &'a Function, tally: &mut Tally<'a>) {
        let Some(&at) = self.defined.get(&address(function)) else {
            return;
        };
        for (i, decorator) in function.decorators.iter().rev().enumerate() {
            let Some((callable, is_bound)) = self.called(decorator, at, LONGEST_CHAIN) else {
                continue;
            };
            // Others are given what the one below makes of it.
            if i == 0 {
                let site = Site {
                    args: Given::Decorated(decorator, function),
                    at,
                    is_bound,
                    runs: Runs::Here,
                };
                tally.call(callable, site);
            }
            if let Callable::Function(decorator) = callable
                && let Meaning::Function(made) = self.meaning_of_body(decorator, LONGEST_CHAIN)
            {
                *tally.given.entry(address(made)).or_default() += 1;
            }
        }
    }

    fn leave_out_lambdas(&self, tally: &mut Tally<'a>) {
        for (expr, _) in self.all_exprs() {
            if let ExprKind::Lambda(lambda) = &expr.kind {
                let key = address(&**lambda);
                if tally.sites.get(&key).map(Vec::len) != tally.mentions.get(&key).copied() {
                    tally.sites.remove(&key);
                }
            }
        }
    }

    /// Leaves out the functions that are mentioned more often than they are called.
    fn leave_out_functions(&self, tally: &mut Tally<'a>) {
        for unit in &self.units {
            let Some(function) = unit.function() else { continue };
            let key = address(function);
            let calls = tally.sites.get(&key).map_or(0, Vec::len);
            let name = function.name.text();
            let is_method = unit.class.is_some();
            let by_name = match is_method {
                true => tally.attributes.get(&function.name).copied().unwrap_or(0),
                false => 0,
            };
            // Python itself calls special methods, and classes may be called by other names.
            let is_certain = match name {
                "__init__" => !self.makes_itself(unit.class),
                _ => !(name.starts_with("__") && name.ends_with("__")),
            };
            let made = match name == "__init__" && is_method {
                true => calls.saturating_sub(by_name),
                false => 0,
            };
            let seen = tally.mentions.get(&key).copied().unwrap_or(0) + by_name + made;
            if !is_certain || calls != seen || !function.decorators.iter().all(|d| self.keeps(d, key)) {
                tally.sites.remove(&key);
            }
        }
    }

    /// Who may be called from elsewhere may give what it makes to others.
    fn leave_out_what_others_make(&self, tally: &mut Tally<'a>) {
        loop {
            let before = tally.sites.len();
            for (function, maker) in &tally.returned {
                let maker = self.units[*maker].function().map(address);
                if maker.is_none_or(|maker| !tally.sites.contains_key(&maker)) {
                    tally.sites.remove(&address(*function));
                }
            }
            if tally.sites.len() == before {
                return;
            }
        }
    }

    /// Whether a function is returned here by the plain function that made it, and no other is.
    fn is_returned_where_made(&self, name: &Expr, function: &Function, at: At) -> bool {
        let is_made_here = self
            .defined
            .get(&address(function))
            .is_some_and(|defined| defined.unit == at.unit);
        let Some(maker) = self.units[at.unit].function().filter(|_| is_made_here) else {
            return false;
        };
        matches!(self.owner(name).map(|stmt| &stmt.kind), Some(StmtKind::Return(_)))
            && maker.decorators.is_empty()
            && matches!(self.meaning_of_body(maker, LONGEST_CHAIN),
                Meaning::Function(made) if std::ptr::eq(made, function))
    }

    /// Whether a lambda is the only value of a name.
    fn has_name(&self, lambda: &Expr) -> bool {
        let place = self.places.get(&address(lambda));
        match self.owners.get(&address(lambda)).map(|stmt| &stmt.kind) {
            Some(StmtKind::Assign { targets, value }) if std::ptr::eq(value, lambda) => match &targets[..] {
                [target] => place
                    .and_then(|place| self.only_value(target, place.at))
                    .is_some_and(|(value, _)| std::ptr::eq(value, lambda)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a function stands in the body of a class.
    fn is_method(&self, function: &Function) -> bool {
        let inside = self.inside.get(&address(function));
        inside.is_some_and(|inside| self.unit(*inside).class.is_some())
    }

    /// Whether a decorator leaves a function as it is.
    fn keeps(&self, decorator: &Expr, function: usize) -> bool {
        let at = self.defined.get(&function);
        at.is_some_and(|at| {
            matches!(
                self.path(decorator, *at).as_deref(),
                Some("builtins.staticmethod" | "builtins.classmethod")
            )
        })
    }

    /// Whether a class is only called here, or something of it is asked for, or another derives from it alone.
    fn is_called_or_looked_into(&self, class: &Expr) -> bool {
        match self.around(class).map(|around| &around.kind) {
            Some(ExprKind::Call { func, .. }) => std::ptr::eq(&**func, class),
            Some(ExprKind::Attribute { .. }) => true,
            Some(_) => false,
            None => matches!(
                self.owners.get(&address(class)).map(|stmt| &stmt.kind),
                Some(StmtKind::Class(derived)) if derived.args.len() == 1
            ),
        }
    }

    /// Whether objects of a class, or of one that may derive from it, may be made by other names.
    fn makes_itself(&self, class: Option<&Class>) -> bool {
        let Some(class) = class else { return true };
        let is_classmethod =
            |expr: &Expr| matches!(expr.plain().kind, ExprKind::Name(name) if name.text() == "classmethod");
        let has_classmethod = |class: &Class| {
            class.body.iter().any(|stmt| match &stmt.kind {
                StmtKind::Function(function) => function.decorators.iter().any(is_classmethod),
                _ => false,
            })
        };
        let mut related = self.classes.iter().map(|(other, _)| *other).filter(|other| {
            std::ptr::eq(*other, class)
                || self.derives(other, class, LONGEST_CHAIN)
                || self.derives(class, other, LONGEST_CHAIN)
        });
        self.mentioned.contains("__class__")
            || related.any(|class| has_classmethod(class) || !class.decorators.is_empty())
    }
}
