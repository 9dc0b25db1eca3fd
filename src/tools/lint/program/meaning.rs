//! What names and attributes stand for: a function or class of the program, or something of the library.

use super::*;

impl<'a> Program<'a> {
    /// What an expression names.
    pub fn meaning(&self, expr: &Expr, at: At) -> Meaning<'a> {
        self.steps.set(LONGEST_SEARCH);
        self.meaning_within(expr, at, LONGEST_CHAIN)
    }

    /// One link of a chain, of which so many are left, and some steps of the search.
    pub(super) fn go_on(&self, left: u32, steps: usize) -> Option<u32> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.steps.set(self.steps.get().checked_sub(steps)?);
        left.checked_sub(1)
    }

    pub(super) fn meaning_within(&self, expr: &Expr, at: At, left: u32) -> Meaning<'a> {
        let Some(left) = self.go_on(left, 1) else {
            return Meaning::Unknown;
        };
        match &expr.plain().kind {
            ExprKind::Name(name) => match self.names.owner(at.scope, *name) {
                None if self.has_star_import && !library::is_prelude(name.text()) => Meaning::Unknown,
                None => self.library(library::free_name(name.text()), left),
                Some(owner) => self.meaning_of_variable(owner, *name, left),
            },
            ExprKind::Attribute { value, name, .. } => {
                if let Some(class) = self.class_of_super(value, at, left) {
                    return self.inherited(class, *name, left);
                }
                let class = match self.class_of_self(value, at) {
                    Some(class) => Some(class),
                    None => match self.meaning_within(value, at, left) {
                        Meaning::Library(path) => return self.library(format!("{path}.{name}"), left),
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

    /// What a variable names.
    fn meaning_of_variable(&self, owner: Scope, name: Symbol, left: u32) -> Meaning<'a> {
        match self.bindings.get(&(owner, name)).map(Vec::as_slice) {
            Some([Binding::Function(function)]) => Meaning::Function(function),
            Some([Binding::Class(class)]) => Meaning::Class(class),
            Some([Binding::Value(value, at) | Binding::Declared(_, Some(value), at)]) => {
                self.meaning_within(value, *at, left)
            }
            Some([Binding::Param(callable, param)]) => self.meaning_given(*callable, param, left),
            Some([Binding::Item(items, at)]) => self.meaning_inside(items, *at, By::Loop, left),
            Some([Binding::Library(path), rest @ ..]) => {
                let same = |other: &Binding| matches!(other, Binding::Library(p) if p == path);
                match rest.iter().all(same) {
                    true => self.library(path.clone(), left),
                    false => Meaning::Unknown,
                }
            }
            _ => Meaning::Unknown,
        }
    }

    /// What a path stands for that begins with the name of a module.
    pub(super) fn library(&self, path: String, left: u32) -> Meaning<'a> {
        if self.patched.contains(&path) {
            return Meaning::Unknown;
        }
        match (self.exported(&path), self.go_on(left, 1)) {
            (Some((owner, name)), Some(left)) if !self.assigned_elsewhere.contains(&name) => {
                self.meaning_of_variable(owner, name, left)
            }
            (Some(_), _) => Meaning::Unknown,
            (None, _) => Meaning::Library(path),
        }
    }

    /// The variable of an imported module that a path leads to.
    pub(super) fn exported(&self, path: &str) -> Option<(Scope, Symbol)> {
        let (module, name) = path
            .rsplit_once('.')
            .filter(|_| !self.modules.contains_key(path))?;
        let top = *self.modules.get(module)?;
        Some((top, Symbol::new(name)))
    }

    /// The class whose bases `super()` stands for.
    fn class_of_super(&self, object: &Expr, at: At, left: u32) -> Option<&'a Class> {
        match &object.plain().kind {
            ExprKind::Call { func, args } if args.is_empty() => match self.meaning_within(func, at, left) {
                Meaning::Library(path) if path == "builtins.super" => self.unit(at).class,
                _ => None,
            },
            _ => None,
        }
    }

    /// A method of an object of one of the program's classes; a class that derives from it must not
    /// have another kind of method of that name.
    pub(super) fn method(&self, class: &'a Class, name: Symbol, left: u32) -> Meaning<'a> {
        match self.own_method(class, name, left) {
            Meaning::Function(function) if self.is_overridden(class, function, left) => Meaning::Unknown,
            meaning => meaning,
        }
    }

    pub(super) fn is_overridden(&self, class: &Class, function: &Function, left: u32) -> bool {
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
    pub(super) fn derives(&self, class: &Class, from: &Class, left: u32) -> bool {
        let Some(left) = left.checked_sub(1) else {
            return true;
        };
        match (&class.args[..], self.bases(class, left)) {
            ([], _) => false,
            ([_], None) => false, // from one of the library's
            (_, None) => true,
            (_, Some(bases)) => bases
                .into_iter()
                .any(|base| std::ptr::eq(base, from) || self.derives(base, from, left)),
        }
    }

    /// A method of a class, or of those it derives from.
    pub(super) fn own_method(&self, class: &'a Class, name: Symbol, left: u32) -> Meaning<'a> {
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
            (None, _) => match self.shared(class, name) {
                Some(_) if self.is_set_elsewhere(class, name, left) => Meaning::Unknown,
                Some([Binding::Value(value, at)]) => self.meaning_within(value, *at, left),
                Some([Binding::Class(inner)]) => Meaning::Class(inner),
                Some(_) => Meaning::Unknown,
                None => self.inherited(class, name, left),
            },
            _ => Meaning::Unknown,
        }
    }

    /// A method of the classes that a class derives from, if only one of them has it.
    fn inherited(&self, class: &'a Class, name: Symbol, left: u32) -> Meaning<'a> {
        let bases = self.bases(class, left).unwrap_or_default();
        let mut found = bases.into_iter().filter(|base| self.may_have(base, name, left));
        match (found.next(), found.next()) {
            (Some(base), None) => self.own_method(base, name, left),
            _ => Meaning::Unknown,
        }
    }

    /// Whether objects of a class may have an attribute.
    fn may_have(&self, class: &'a Class, name: Symbol, left: u32) -> bool {
        let Some(left) = left.checked_sub(1) else {
            return true;
        };
        let defines =
            |stmt: &Stmt| matches!(&stmt.kind, StmtKind::Function(function) if function.name == name);
        self.attributes.contains_key(&(address(class), name))
            || self.shared(class, name).is_some()
            || class.body.iter().any(defines)
            || self
                .bases(class, left)
                .is_none_or(|bases| bases.into_iter().any(|base| self.may_have(base, name, left)))
    }

    /// The classes of the program that a class derives from, if all are known; those of the library that say only
    /// what kind of class it is are left out.
    fn bases(&self, class: &Class, left: u32) -> Option<Vec<&'a Class>> {
        let at = *self.defined.get(&address(class))?;
        let mut found = Vec::new();
        for arg in &class.args {
            let Arg::Positional(base) = arg else { return None };
            let base = match &base.plain().kind {
                ExprKind::Subscript { value, .. } => value,
                _ => base,
            };
            match self.meaning_within(base, at, left) {
                Meaning::Class(base) => found.push(base),
                Meaning::Library(path)
                    if matches!(
                        &path[..],
                        "abc.ABC" | "builtins.object" | "typing.Protocol" | "typing.Generic"
                    ) => {}
                _ => return None,
            }
        }
        Some(found)
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
}
