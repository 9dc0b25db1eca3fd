//! A program as the rules see it: its statements and expressions with what is around them, and
//! what its names mean.
//!
//! Names are resolved by lowering (`lower::names`). A name has a meaning here only if all its
//! bindings agree, so a name that is bound twice is no ground for a finding.

mod annotation;
mod collect;
mod flow;
mod outcome;
mod walk;

use super::library::{self, Gives};
use crate::lower::names::{Names, Scope};
use crate::source::{Source, Symbol};
use crate::syntax::ast::*;
use flow::{By, Decorated};
use outcome::{Draw, is_none};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use walk::returns;
pub use walk::{each_expr, each_expr_in, each_stmt, expr_suspends, gives_value, suspends};

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
    Lambda,
}

impl<'a> Unit<'a> {
    /// Whether a loop is running while it runs.
    pub fn is_coroutine(&self) -> bool {
        match self.kind {
            UnitKind::Module { awaits } => awaits,
            UnitKind::Function(function) => function.is_async,
            UnitKind::Lambda => false,
        }
    }

    pub fn is_lambda(&self) -> bool {
        matches!(self.kind, UnitKind::Lambda)
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
    /// A parameter of a function.
    Param(&'a Function, &'a Param),
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

/// What an expression's value is.
#[derive(Clone, Copy)]
pub enum Kind<'a> {
    /// The coroutine of one of the program's functions.
    Coroutine(&'a Function),
    /// That of one or another of them.
    SomeCoroutine,
    /// A coroutine of the library's.
    LibraryCoroutine,
    /// That of `asyncio.sleep`.
    Sleep,
    AsyncGenerator,
    /// What a function under `@asynccontextmanager` gives.
    AsyncContext,
    Task,
    Future,
    /// An object of a class of the library.
    Object(&'static str),
    Instance(&'a Class),
    /// Something that cannot be awaited: a number, text, None.
    Plain,
    Unknown,
}

impl<'a> Kind<'a> {
    pub fn is_coroutine(self) -> bool {
        matches!(
            self,
            Kind::Coroutine(_) | Kind::SomeCoroutine | Kind::LibraryCoroutine | Kind::Sleep
        )
    }

    /// What a value is that is of the one kind or of the other.
    fn or(self, other: Self) -> Self {
        let is_same = match (self, other) {
            (Kind::Coroutine(a), Kind::Coroutine(b)) if !std::ptr::eq(a, b) => return Kind::SomeCoroutine,
            (Kind::Coroutine(_) | Kind::SomeCoroutine, Kind::SomeCoroutine)
            | (Kind::SomeCoroutine, Kind::Coroutine(_)) => return Kind::SomeCoroutine,
            (Kind::Instance(a), Kind::Instance(b)) => std::ptr::eq(a, b),
            (Kind::Object(a), Kind::Object(b)) => a == b,
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        };
        if is_same { self } else { Kind::Unknown }
    }

    /// The same of values of which some are certainly None, and not used as objects then.
    fn of_some(kinds: impl Iterator<Item = (Self, bool)>) -> Self {
        let (none, some): (Vec<_>, Vec<_>) = kinds.partition(|(_, is_none)| *is_none);
        match Kind::any_of(some.iter().map(|(kind, _)| *kind)) {
            object @ (Kind::Instance(_) | Kind::Object(_)) => object,
            _ => Kind::any_of(none.into_iter().chain(some).map(|(kind, _)| kind)),
        }
    }

    /// What a value is that is of one of these kinds; Unknown if there is none.
    fn any_of(kinds: impl IntoIterator<Item = Self>) -> Self {
        kinds.into_iter().reduce(Kind::or).unwrap_or(Kind::Unknown)
    }
}

/// Names that lead to names that lead to names are followed so far.
const LONGEST_CHAIN: u32 = 16;

/// What an expression is may take so many steps to find out; then it counts as not known.
const LONGEST_SEARCH: u32 = 20_000;

pub struct Program<'a> {
    pub source: &'a Rc<Source>,
    pub units: Vec<Unit<'a>>,
    /// All statements, in order of the text.
    pub stmts: Vec<(&'a Stmt, At)>,
    /// All blocks of statements, and where what stands in them stands.
    pub blocks: Vec<(&'a [Stmt], At)>,
    /// All expressions, an outer one before those in it.
    pub exprs: Vec<(&'a Expr, At)>,
    names: Names,
    /// The unit of each scope that is a function's.
    opened: HashMap<Scope, usize>,
    guards: Vec<Guard>,
    bindings: HashMap<(Scope, Symbol), Vec<Binding<'a>>>,
    /// Where each function is defined, by address.
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

    /// What an expression names.
    pub fn meaning(&self, expr: &Expr, at: At) -> Meaning<'a> {
        self.steps.set(LONGEST_SEARCH);
        self.meaning_within(expr, at, LONGEST_CHAIN)
    }

    /// One link of a chain, of which so many are left, and some steps of the search.
    fn go_on(&self, left: u32, steps: usize) -> Option<u32> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.steps.set(self.steps.get().checked_sub(steps)?);
        left.checked_sub(1)
    }

    fn meaning_within(&self, expr: &Expr, at: At, left: u32) -> Meaning<'a> {
        let Some(left) = self.go_on(left, 1) else {
            return Meaning::Unknown;
        };
        match &expr.plain().kind {
            ExprKind::Name(name) => match self.names.owner(at.scope, *name) {
                None if self.has_star_import && !library::is_prelude(name.text()) => Meaning::Unknown,
                None => self.library(library::free_name(name.text())),
                Some(owner) => match self.bindings.get(&(owner, *name)).map(Vec::as_slice) {
                    Some([Binding::Function(function)]) => Meaning::Function(function),
                    Some([Binding::Class(class)]) => Meaning::Class(class),
                    Some([Binding::Value(value, at) | Binding::Declared(_, Some(value), at)]) => {
                        self.meaning_within(value, *at, left)
                    }
                    Some([Binding::Param(function, param)]) => self.meaning_given(function, param, left),
                    Some([Binding::Item(items, at)]) => self.meaning_inside(items, *at, By::Loop, left),
                    Some([Binding::Library(path), rest @ ..]) => {
                        let same = |other: &Binding| matches!(other, Binding::Library(p) if p == path);
                        match rest.iter().all(same) {
                            true => self.library(path.clone()),
                            false => Meaning::Unknown,
                        }
                    }
                    _ => Meaning::Unknown,
                },
            },
            ExprKind::Attribute { value, name, .. } => {
                if let Some(base) = self.base_of_super(value, at, left) {
                    return self.own_method(base, *name, left);
                }
                let class = match self.class_of_self(value, at) {
                    Some(class) => Some(class),
                    None => match self.meaning_within(value, at, left) {
                        Meaning::Library(path) => return self.library(format!("{path}.{name}")),
                        Meaning::Class(class) => Some(class),
                        _ => match self.kind_within(value, at, left) {
                            Kind::Instance(class) => Some(class),
                            _ => None,
                        },
                    },
                };
                class.map_or(Meaning::Unknown, |class| self.method(class, *name, left))
            }
            ExprKind::Call { func, args } => self.meaning_returned(func, args, at, left),
            ExprKind::Subscript { value, .. } => self.meaning_inside(value, at, By::Index, left),
            _ => Meaning::Unknown,
        }
    }

    fn library(&self, path: String) -> Meaning<'a> {
        match self.patched.contains(&path) {
            true => Meaning::Unknown,
            false => Meaning::Library(path),
        }
    }

    /// The class that `super()` stands for.
    fn base_of_super(&self, object: &Expr, at: At, left: u32) -> Option<&'a Class> {
        match &object.plain().kind {
            ExprKind::Call { func, args } if args.is_empty() => match self.meaning_within(func, at, left) {
                Meaning::Library(path) if path == "builtins.super" => self.base(self.unit(at).class?, left),
                _ => None,
            },
            _ => None,
        }
    }

    /// The only class that a class derives from.
    fn base(&self, class: &Class, left: u32) -> Option<&'a Class> {
        let [Arg::Positional(base)] = &class.args[..] else {
            return None;
        };
        let (_, at) = self
            .classes
            .iter()
            .find(|(other, _)| std::ptr::eq(*other, class))?;
        match self.meaning_within(base, *at, left) {
            Meaning::Class(base) => Some(base),
            _ => None,
        }
    }

    /// A method of an object of one of the program's classes; a class that derives from it must not
    /// have another kind of method of that name.
    fn method(&self, class: &'a Class, name: Symbol, left: u32) -> Meaning<'a> {
        match self.own_method(class, name, left) {
            Meaning::Function(function) if self.is_overridden(class, function, left) => Meaning::Unknown,
            meaning => meaning,
        }
    }

    fn is_overridden(&self, class: &Class, function: &Function, left: u32) -> bool {
        let overrides = |other: &Class| {
            other.body.iter().any(|stmt| match &stmt.kind {
                StmtKind::Function(own) => {
                    own.name == function.name
                        && !std::ptr::eq(&**own, function)
                        && !(own.is_async && function.is_async)
                }
                _ => false,
            })
        };
        let mut others = self.classes.iter().filter(|(other, _)| overrides(other));
        others.any(|(other, _)| self.derives(other, class, left))
    }

    /// Whether a class may derive from another one.
    fn derives(&self, class: &Class, from: &Class, left: u32) -> bool {
        let Some(left) = left.checked_sub(1) else {
            return true;
        };
        match &class.args[..] {
            [] => false,
            [_] => match self.base(class, left) {
                Some(base) => std::ptr::eq(base, from) || self.derives(base, from, left),
                None => false,
            },
            _ => true,
        }
    }

    /// A method of a class, or of those it derives from.
    fn own_method(&self, class: &'a Class, name: Symbol, left: u32) -> Meaning<'a> {
        let Some(left) = left.checked_sub(1) else {
            return Meaning::Unknown;
        };
        if self.attributes.contains_key(&(address(class), name)) || self.assigned_elsewhere.contains(&name) {
            return Meaning::Unknown;
        }
        let mut found = class.body.iter().filter_map(|stmt| match &stmt.kind {
            StmtKind::Function(function) if function.name == name => Some(&**function),
            _ => None,
        });
        match (found.next(), found.next()) {
            (Some(function), None) => Meaning::Function(function),
            (None, _) => match (self.shared(class, name), self.base(class, left)) {
                (Some([Binding::Value(value, at)]), _) if !self.is_set_elsewhere(class, name, left) => {
                    self.meaning_within(value, *at, left)
                }
                (None, Some(base)) => self.own_method(base, name, left),
                _ => Meaning::Unknown,
            },
            _ => Meaning::Unknown,
        }
    }

    /// The path of the library's thing that an expression names.
    pub fn path(&self, expr: &Expr, at: At) -> Option<String> {
        match self.meaning(expr, at) {
            Meaning::Library(path) => Some(path),
            _ => None,
        }
    }

    /// The path of what a call calls: a function, or `class.method` of an object of the library.
    pub fn callee(&self, call: &Expr, at: At) -> Option<String> {
        let ExprKind::Call { func, .. } = &call.plain().kind else {
            return None;
        };
        if let Some(path) = self.path(func, at) {
            return Some(path);
        }
        match &func.plain().kind {
            ExprKind::Attribute { value, name, .. } => match self.kind(value, at) {
                Kind::Object(class) => Some(format!("{class}.{name}")),
                Kind::Task => Some(format!("asyncio.Task.{name}")),
                Kind::Future => Some(format!("asyncio.Future.{name}")),
                _ => None,
            },
            _ => None,
        }
    }

    /// What the value of an expression is.
    pub fn kind(&self, expr: &Expr, at: At) -> Kind<'a> {
        self.steps.set(LONGEST_SEARCH);
        self.kind_within(expr, at, LONGEST_CHAIN)
    }

    fn kind_within(&self, expr: &Expr, at: At, left: u32) -> Kind<'a> {
        let Some(left) = self.go_on(left, 1) else {
            return Kind::Unknown;
        };
        match &expr.plain().kind {
            ExprKind::Constant(_)
            | ExprKind::FString(_)
            | ExprKind::List(_)
            | ExprKind::Tuple(_)
            | ExprKind::Dict(_)
            | ExprKind::Set(_)
            | ExprKind::Binary { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Compare { .. } => Kind::Plain,
            ExprKind::Comprehension(made) if made.kind != ComprehensionKind::Generator => Kind::Plain,
            ExprKind::IfElse { body, orelse, .. } => {
                let orelse = self.kind_within(orelse, at, left);
                self.kind_within(body, at, left).or(orelse)
            }
            ExprKind::Walrus { value, .. } => self.kind_within(value, at, left),
            ExprKind::Await(value) => self.awaited(value, at, left),
            ExprKind::Name(name) => match self.names.owner(at.scope, *name) {
                Some(owner) => self.agreed(
                    self.bindings.get(&(owner, *name)).map_or(&[], Vec::as_slice),
                    left,
                ),
                None => Kind::Unknown,
            },
            ExprKind::Attribute { value, name, .. } => {
                let class = match self.class_of_self(value, at) {
                    Some(class) => class,
                    None => match self.kind_within(value, at, left) {
                        Kind::Instance(class) => class,
                        _ => return Kind::Unknown,
                    },
                };
                if let Meaning::Function(function) = self.method(class, *name, left) {
                    return self.property(function, left);
                }
                if self.is_set_elsewhere(class, *name, left) {
                    return Kind::Unknown;
                }
                let own = self.attributes.get(&(address(class), *name));
                // What a decorator or a base makes of the variables of the class is not known, other than
                // that it keeps to what is declared.
                let is_plain = class.decorators.is_empty() && class.args.is_empty();
                let is_declared = |binding: &Binding| matches!(binding, Binding::Declared(..));
                let shared = self
                    .shared(class, *name)
                    .filter(|bindings| is_plain || bindings.iter().all(is_declared));
                match (own, shared) {
                    (Some(own), None) => self.agreed(own, left),
                    (Some(own), Some([Binding::Declared(annotation, None, at)])) => {
                        match self.agreed(own, left) {
                            Kind::Unknown => self.annotated(annotation, *at, left),
                            kind => kind,
                        }
                    }
                    (None, Some([Binding::Declared(annotation, _, at)])) if !is_plain => {
                        self.annotated(annotation, *at, left)
                    }
                    (None, Some(shared)) => self.agreed(shared, left),
                    _ => Kind::Unknown,
                }
            }
            ExprKind::Subscript { value, index } => match index.plain().kind {
                ExprKind::Slice { .. } => Kind::Unknown,
                _ => self.kind_inside(value, at, By::Index, left),
            },
            ExprKind::Call { func, .. } => match self.result(func, at, left) {
                Kind::Unknown => self.outcome(expr, at, left),
                kind => kind,
            },
            _ => Kind::Unknown,
        }
    }

    /// Whether an attribute of an object may get its value where the object's class does not tell: from
    /// outside, or in a class that it derives from or that derives from it.
    fn is_set_elsewhere(&self, class: &Class, name: Symbol, left: u32) -> bool {
        let sets = |other: &Class| {
            let is_shared = |scope| self.bindings.contains_key(&(scope, name));
            self.attributes.contains_key(&(address(other), name))
                || self.names.opened_by(other).is_some_and(is_shared)
        };
        let mut others = self.classes.iter().map(|(other, _)| *other);
        self.sets_by_name
            || self.assigned_elsewhere.contains(&name)
            || others.any(|other| {
                !std::ptr::eq(other, class)
                    && sets(other)
                    && (self.derives(other, class, left) || self.derives(class, other, left))
            })
    }

    /// What the body of a class gives a name.
    fn shared(&self, class: &Class, name: Symbol) -> Option<&[Binding<'a>]> {
        let scope = self.names.opened_by(class)?;
        self.bindings.get(&(scope, name)).map(Vec::as_slice)
    }

    /// What all bindings of a name give.
    fn agreed(&self, bindings: &[Binding<'a>], left: u32) -> Kind<'a> {
        let key = bindings.as_ptr().addr();
        if let Some(known) = self.known.borrow().agreed.get(&key) {
            return *known;
        }
        self.known.borrow_mut().agreed.insert(key, Kind::Unknown);
        let is_none = |binding: &Binding| matches!(binding, Binding::Value(value, _) if is_none(value));
        let kinds = bindings
            .iter()
            .map(|binding| (self.bound(binding, left), is_none(binding)));
        let kind = Kind::of_some(kinds);
        self.known.borrow_mut().agreed.insert(key, kind);
        kind
    }

    fn bound(&self, binding: &Binding<'a>, left: u32) -> Kind<'a> {
        match binding {
            Binding::Value(value, at) => self.kind_within(value, *at, left),
            Binding::Entered(value, at) => match self.kind_within(value, *at, left) {
                Kind::Object(
                    class
                    @ ("asyncio.TaskGroup" | "asyncio.Runner" | "concurrent.futures.ThreadPoolExecutor"),
                ) => Kind::Object(class),
                Kind::Instance(class) => self.entered(class, left),
                _ => self.drawn(value, *at, Draw::Block, left),
            },
            Binding::Declared(annotation, value, at) => {
                match value.map_or(Kind::Unknown, |value| self.kind_within(value, *at, left)) {
                    // `x: Lock | None = None` says what else it may be.
                    Kind::Unknown | Kind::Plain => self.annotated(annotation, *at, left),
                    kind => kind,
                }
            }
            Binding::Param(function, param) => self.kind_given(function, param, left),
            Binding::Item(items, at) => match self.kind_inside(items, *at, By::Loop, left) {
                Kind::Unknown => self.drawn(items, *at, Draw::Loop, left),
                kind => kind,
            },
            Binding::Drawn(items, at) => self.drawn(items, *at, Draw::AsyncLoop, left),
            Binding::ItemPart(items, at, n) => self.item_part(items, *at, *n, left),
            Binding::Part(whole, at, n) => self.part(whole, *at, *n, left),
            Binding::Library(_) | Binding::Function(_) | Binding::Class(_) | Binding::Other => Kind::Unknown,
        }
    }

    /// What calling `func` gives.
    fn result(&self, func: &Expr, at: At, left: u32) -> Kind<'a> {
        let Some(left) = left.checked_sub(1) else {
            return Kind::Unknown;
        };
        let given = |gives: Option<Gives>| match gives {
            Some(Gives::Coroutine) => Kind::LibraryCoroutine,
            Some(Gives::Sleep) => Kind::Sleep,
            Some(Gives::Task) => Kind::Task,
            Some(Gives::Future) => Kind::Future,
            Some(Gives::Object("asyncio.Task")) => Kind::Task,
            Some(Gives::Object("asyncio.Future")) => Kind::Future,
            Some(Gives::Object(class)) => Kind::Object(class),
            Some(Gives::Plain) => Kind::Plain,
            None => Kind::Unknown,
        };
        match self.meaning_within(func, at, left) {
            Meaning::Library(path) => given(library::call(&path)),
            Meaning::Class(class) => Kind::Instance(class),
            Meaning::Function(function) => self.call_of(function, left),
            Meaning::Unknown if self.lambda(func, at).is_some() => {
                let body = self.lambda(func, at).map(|lambda| &lambda.body);
                body.and_then(|body| Some(self.kind_within(body, self.place_of(body)?, left)))
                    .unwrap_or(Kind::Unknown)
            }
            Meaning::Unknown => match &func.plain().kind {
                ExprKind::Attribute { value, name, .. } => match self.kind_within(value, at, left) {
                    Kind::Object(class) => given(library::method(class, name.text())),
                    Kind::Task | Kind::Future => given(library::method("asyncio.Task", name.text())),
                    Kind::AsyncGenerator => given(library::method("async_generator", name.text())),
                    _ => Kind::Unknown,
                },
                ExprKind::Name(_) if self.class_of_cls(func, at).is_some() => {
                    self.class_of_cls(func, at).map_or(Kind::Unknown, Kind::Instance)
                }
                ExprKind::Name(_) | ExprKind::Subscript { .. } => {
                    let functions = self.taken_from(func, at, left).unwrap_or_default();
                    let results = functions.iter().map(|(func, at)| self.result(func, *at, left));
                    Kind::any_of(results)
                }
                _ => Kind::Unknown,
            },
        }
    }

    /// Where an expression stands.
    pub fn place_of(&self, expr: &Expr) -> Option<At> {
        self.places.get(&address(expr)).map(|place| place.at)
    }

    /// What calling one of the program's functions gives.
    fn call_of(&self, function: &'a Function, left: u32) -> Kind<'a> {
        let function = match self.decorated(function, left) {
            Some(Decorated::Function(function)) => function,
            Some(Decorated::AsyncContext) => return Kind::AsyncContext,
            _ => return Kind::Unknown,
        };
        match (function.is_async, self.yields(function)) {
            (true, true) => Kind::AsyncGenerator,
            (true, false) => Kind::Coroutine(function),
            (false, true) => Kind::Plain,
            (false, false) => self.returned(function, left),
        }
    }

    /// Whether an expression asks an object for a property.
    pub fn is_property(&self, expr: &Expr, at: At) -> bool {
        matches!(expr.plain().kind, ExprKind::Attribute { .. })
            && matches!(self.meaning(expr, at), Meaning::Function(function)
                if matches!(self.decorated(function, LONGEST_CHAIN), Some(Decorated::Property)))
    }

    /// What an attribute gives that is a method of its class: something only if that is a property.
    fn property(&self, function: &'a Function, left: u32) -> Kind<'a> {
        match (self.decorated(function, left), function.is_async) {
            (Some(Decorated::Property), true) => Kind::Coroutine(function),
            (Some(Decorated::Property), false) => self.returned(function, left),
            _ => Kind::Unknown,
        }
    }

    /// Everything that a loop over a container may give, if all of that is known.
    pub fn inside(&self, container: &Expr, at: At) -> Vec<(&'a Expr, At)> {
        self.steps.set(LONGEST_SEARCH);
        self.inside_of(container, at, By::Loop, LONGEST_CHAIN)
            .unwrap_or_default()
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
