//! A program as the rules see it: its statements and expressions with what is around them, and
//! what its names mean.
//!
//! Names are resolved by lowering (`lower::names`). A name has a meaning here only if all its
//! bindings agree, so a name that is bound twice is no ground for a finding.

mod added;
mod annotation;
mod calls;
mod collect;
mod container;
mod flow;
mod function;
mod kind;
mod meaning;
mod outcome;
mod scopes;
mod walk;

use super::library::{self, Gives};
use crate::lower::names::Scope;
use crate::source::{Source, Symbol};
use crate::syntax::ast::*;
use container::{By, Item, Of};
use flow::Callable;
pub use flow::Where;
use function::Decorated;
pub use kind::Kind;
use outcome::{Draw, is_none};
use scopes::Scopes;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
pub use walk::{each_expr, each_expr_in, each_stmt, expr_suspends, gives_value, returns, suspends};

/// A body that runs as a whole: the module, a function or a lambda. Class bodies belong to the
/// unit around them.
pub struct Unit<'a> {
    pub kind: UnitKind<'a>,
    /// The class whose body defines it.
    pub class: Option<&'a Class>,
    pub body: &'a [Stmt],
}

#[derive(Clone, Copy)]
pub enum UnitKind<'a> {
    Module { awaits: bool },
    Function(&'a Function),
    Lambda(&'a Lambda),
}

impl<'a> Unit<'a> {
    /// Whether a loop is running while it runs.
    pub fn is_coroutine(&self) -> bool {
        match self.kind {
            UnitKind::Module { awaits } => awaits,
            UnitKind::Function(function) => function.is_async,
            UnitKind::Lambda(_) => false,
        }
    }

    pub fn is_lambda(&self) -> bool {
        matches!(self.kind, UnitKind::Lambda(_))
    }

    pub fn function(&self) -> Option<&'a Function> {
        match self.kind {
            UnitKind::Function(function) => Some(function),
            _ => None,
        }
    }
}

/// Where a node stands.
#[derive(Clone, Copy)]
pub struct At {
    pub scope: Scope,
    pub unit: usize,
    /// The innermost `try` around it, in its unit.
    guard: Option<usize>,
}

/// An expression, where it stands, and in what other one of the same statement.
#[derive(Clone, Copy)]
struct Place<'a> {
    expr: &'a Expr,
    at: At,
    around: Option<&'a Expr>,
}

/// Errors that are caught around a node.
struct Guard {
    /// Their names; empty if all are.
    errors: Vec<&'static str>,
    outer: Option<usize>,
}

/// What gives a name its value.
#[derive(Clone)]
enum Binding<'a> {
    /// An import: the path of what is imported.
    Library(String),
    Function(&'a Function),
    Class(&'a Class),
    Value(&'a Expr, At),
    /// `with value as name`
    Entered(&'a Expr, At),
    /// `name: annotation = value`
    Declared(&'a Expr, Option<&'a Expr>, At),
    /// A parameter of a function or lambda.
    Param(Callable<'a>, &'a Param),
    /// What a loop takes out of this, one after the other.
    Item(&'a Expr, At),
    /// What an `async for` takes out of this.
    Drawn(&'a Expr, At),
    /// The n-th part of what a loop takes out of this.
    ItemPart(&'a Expr, At, usize),
    /// The n-th part of this.
    Part(&'a Expr, At, usize),
    Other,
}

/// What an expression names.
#[derive(Clone)]
pub enum Meaning<'a> {
    /// Something of the library, by its dotted path.
    Library(String),
    Function(&'a Function),
    Class(&'a Class),
    Unknown,
}

/// Names that lead to names that lead to names are followed so far.
const LONGEST_CHAIN: u32 = 16;

/// What an expression is may take so many steps to find out; then it counts as not known.
const LONGEST_SEARCH: u32 = 20_000;

/// A module beside the program, which it imports.
pub struct Imported {
    pub name: String,
    pub source: Rc<Source>,
    pub module: Module,
}

pub struct Program<'a> {
    pub source: &'a Rc<Source>,
    pub units: Vec<Unit<'a>>,
    /// All statements, in order of the text.
    pub stmts: Vec<(&'a Stmt, At)>,
    /// All blocks of statements, and where what stands in them stands.
    pub blocks: Vec<(&'a [Stmt], At)>,
    /// All expressions, an outer one before those in it.
    pub exprs: Vec<(&'a Expr, At)>,
    /// The same of the modules that it imports.
    imported_exprs: Vec<(&'a Expr, At)>,
    names: Scopes,
    /// The modules that it imports, by their names.
    modules: HashMap<&'a str, Scope>,
    /// The unit of each scope that is a function's.
    opened: HashMap<Scope, usize>,
    guards: Vec<Guard>,
    bindings: HashMap<(Scope, Symbol), Vec<Binding<'a>>>,
    /// Where each function and class is defined, by address.
    defined: HashMap<usize, At>,
    /// Where what stands in each function stands, by address.
    inside: HashMap<usize, At>,
    /// All expressions again, by address.
    places: HashMap<usize, Place<'a>>,
    /// The statement that each expression which stands in no other one is a part of, by address.
    owners: HashMap<usize, &'a Stmt>,
    /// What was worked out so far.
    known: RefCell<flow::Known<'a>>,
    /// How many steps are left of the search for what an expression is.
    steps: Cell<u32>,
    /// The classes, and where they are defined.
    classes: Vec<(&'a Class, At)>,
    /// Attributes that are assigned to other objects than `self`.
    assigned_elsewhere: HashSet<Symbol>,
    /// What methods assign to attributes of `self`, by class and name.
    attributes: HashMap<(usize, Symbol), Vec<Binding<'a>>>,
    /// Every attribute that is mentioned anywhere.
    pub mentioned: HashSet<&'static str>,
    /// Whether attributes are set by names that only a run knows: `setattr`, `__dict__`.
    sets_by_name: bool,
    /// Units that ask what they were given: `if iscoroutinefunction(f): await f()`.
    asking: HashSet<usize>,
    /// Paths of the library to which the program assigns.
    patched: HashSet<String>,
    has_star_import: bool,
}

fn is_decorated(function: &Function, wanted: &str) -> bool {
    let is_it = |expr: &Expr| matches!(expr.plain().kind, ExprKind::Name(name) if name.text() == wanted);
    function.decorators.iter().any(is_it)
}

fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

impl<'a> Program<'a> {
    /// All expressions, also those of the modules that the program imports.
    fn all_exprs(&self) -> impl Iterator<Item = &(&'a Expr, At)> {
        self.exprs.iter().chain(&self.imported_exprs)
    }

    /// Whether a node stands in the program itself, not in a module that it imports.
    fn is_own(&self, at: At) -> bool {
        self.names.top(at.scope) == 0
    }

    pub fn unit(&self, at: At) -> &Unit<'a> {
        &self.units[at.unit]
    }

    /// Whether an error of a class is caught around a node, so that it is expected.
    pub fn expects(&self, at: At, error: &str) -> bool {
        let mut guard = at.guard;
        while let Some(found) = guard.map(|id| &self.guards[id]) {
            let catches = |name: &&str| *name == error || matches!(*name, "Exception" | "BaseException");
            if found.errors.is_empty() || found.errors.iter().any(catches) {
                return true;
            }
            guard = found.outer;
        }
        false
    }

    /// The class of the object that `object` names, if it is the first parameter of a method around it.
    pub fn class_of_self(&self, object: &Expr, at: At) -> Option<&'a Class> {
        let ExprKind::Name(name) = object.plain().kind else {
            return None;
        };
        let owner = self.names.owner(at.scope, name)?;
        let unit = &self.units[*self.opened.get(&owner)?];
        let function = unit.function()?;
        let first = function.params.posonly.first().or(function.params.args.first())?;
        let is_first = name == first.name && !is_decorated(function, "staticmethod");
        unit.class.filter(|_| is_first)
    }

    /// The class that is the first parameter of a class method around it.
    fn class_of_cls(&self, class: &Expr, at: At) -> Option<&'a Class> {
        let found = self.class_of_self(class, at)?;
        let function = self.unit(at).function()?;
        is_decorated(function, "classmethod").then_some(found)
    }

    /// Where an expression stands.
    pub fn place_of(&self, expr: &Expr) -> Option<At> {
        self.places.get(&address(expr)).map(|place| place.at)
    }

    /// The statement that an expression which stands in no other one is a part of.
    pub fn owner(&self, expr: &Expr) -> Option<&'a Stmt> {
        self.owners.get(&address(expr)).copied()
    }

    /// The only value that a name is ever given, and where that stands.
    pub fn only_value(&self, name: &Expr, at: At) -> Option<(&'a Expr, At)> {
        let ExprKind::Name(name) = name.plain().kind else {
            return None;
        };
        let owner = self.names.owner(at.scope, name)?;
        match self.bindings.get(&(owner, name)).map(Vec::as_slice) {
            Some([Binding::Value(value, at) | Binding::Declared(_, Some(value), at)]) => Some((value, *at)),
            _ => None,
        }
    }

    /// Whether a function is a generator, plain or asynchronous.
    pub fn yields(&self, function: &Function) -> bool {
        self.names
            .opened_by(function)
            .is_some_and(|scope| self.names.yields(scope))
    }

    /// Whether two expressions name the same variable or attribute.
    pub fn is_same(&self, a: (&Expr, At), b: (&Expr, At)) -> bool {
        match (&a.0.plain().kind, &b.0.plain().kind) {
            (ExprKind::Name(x), ExprKind::Name(y)) => {
                x == y && self.names.owner(a.1.scope, *x) == self.names.owner(b.1.scope, *y)
            }
            (
                ExprKind::Attribute {
                    value: x, name: m, ..
                },
                ExprKind::Attribute {
                    value: y, name: n, ..
                },
            ) => m == n && self.is_same((x, a.1), (y, b.1)),
            (ExprKind::Subscript { value: x, index: i }, ExprKind::Subscript { value: y, index: j }) => {
                self.is_same((x, a.1), (y, b.1))
                    && match (&i.plain().kind, &j.plain().kind) {
                        (ExprKind::Constant(i), ExprKind::Constant(j)) => i == j,
                        _ => self.is_same((i, a.1), (j, b.1)),
                    }
            }
            _ => false,
        }
    }

    /// Whether a name belongs to the function that uses it, and to nobody else.
    pub fn is_local(&self, name: Symbol, at: At) -> bool {
        let own = self
            .unit(at)
            .function()
            .and_then(|function| self.names.opened_by(function));
        self.names
            .owner(at.scope, name)
            .is_some_and(|owner| owner != 0 && Some(owner) == own)
    }

    /// The text of an expression, if it fits into a message.
    pub fn text(&self, expr: &Expr) -> &'a str {
        let text = self.source.slice(expr.span);
        match text.len() <= 40 && !text.contains('\n') {
            true => text,
            false => "this",
        }
    }
}
