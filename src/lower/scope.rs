//! Names to places: which variable a name means in each scope, and where that variable lives.
//!
//! A scope is a stretch of text with names of its own: the module, a class body, a function, a
//! comprehension. Its host is the scope whose code runs it: itself, or for a list, set or dict
//! comprehension in a function or module, the code around it.
//!
//! Always true: a variable has one owner; the codes between a use and an owner in another host
//! all have the variable among their free ones.

use crate::code::{ComprehensionKind, Place, SlotId};
use crate::source::{Span, Symbol};
use crate::syntax::SyntaxError;
use crate::syntax::ast::{Expr, Stmt};
use std::collections::{HashMap, HashSet};

pub type ScopeId = usize;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScopeKind {
    Module,
    Class,
    Function { is_async: bool },
    Lambda,
    Comprehension(ComprehensionKind),
}

impl ScopeKind {
    pub(super) fn is_function_like(self) -> bool {
        !matches!(self, ScopeKind::Module | ScopeKind::Class)
    }
}

/// How a `global` or `nonlocal` statement declared a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Declared {
    Global(Span),
    Nonlocal(Span),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Meaning {
    /// A module variable or a builtin.
    #[default]
    Global,
    /// A name of the class body's namespace.
    Namespace,
    /// A variable of a function, or `__class__` of a class.
    Owned(ScopeId),
}

/// What one scope does with one name.
#[derive(Default)]
pub(super) struct Variable {
    pub(super) bound: bool,
    pub(super) used: bool,
    pub(super) parameter: bool,
    pub(super) annotated: bool,
    /// Target of a comprehension's `for`.
    pub(super) iteration: bool,
    /// Target of `:=` in a comprehension, bound in the scope around it.
    pub(super) walrus: bool,
    pub(super) declared: Option<Declared>,
    captured: bool,
    slot: SlotId,
    meaning: Meaning,
}

impl Variable {
    pub(super) fn meaning(&self) -> Meaning {
        self.meaning
    }
}

pub(super) struct Scope {
    pub(super) kind: ScopeKind,
    pub(super) name: Symbol,
    pub(super) parent: Option<ScopeId>,
    pub(super) host: ScopeId,
    /// The class whose private names (`__x`) are mangled here.
    pub(super) private: Option<Symbol>,
    /// In order of first mention.
    pub(super) names: Vec<Symbol>,
    pub(super) variables: HashMap<Symbol, Variable>,
    pub(super) yields: bool,
    /// Holds `await`, `async for`, `async with` or an inline asynchronous comprehension.
    pub(super) awaits: bool,
    /// How many iterables of comprehensions are open around what is surveyed.
    pub(super) open_iterables: u32,

    // Of a host, filled by `resolve`:
    /// Names of parameters and locals, those of inline comprehensions included.
    pub(super) slots: Vec<Symbol>,
    /// Its own captured variables; of an inline comprehension: that one's captured variables.
    pub(super) cells: Vec<SlotId>,
    pub(super) free: Vec<(Symbol, ScopeId)>,
    /// Of a class: the attributes of `self` that functions in it assign to.
    pub(super) attributes: Vec<Symbol>,
    /// Where a class body keeps the cell of `__class__`, if a method needs it.
    pub(super) class_cell: Option<SlotId>,
}

impl Scope {
    pub(super) fn variable(&mut self, name: Symbol) -> &mut Variable {
        self.variables.entry(name).or_insert_with(|| {
            self.names.push(name);
            Variable::default()
        })
    }
}

/// All scopes of a module, and which parts of it suspend.
#[derive(Default)]
pub(super) struct Scopes {
    pub(super) list: Vec<Scope>,
    /// Scope of each function, class, lambda and comprehension, by address of its node.
    pub(super) by_node: HashMap<usize, ScopeId>,
    /// Addresses of the expressions that hold a suspension, nested functions not counted.
    pub(super) suspending: HashSet<usize>,
    /// The same of statements.
    pub(super) suspending_statements: HashSet<usize>,
    /// `from __future__ import annotations`: annotations are kept as text.
    pub(super) annotations_as_text: bool,
}

pub(super) fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

impl Scopes {
    pub(super) fn of<T>(&self, node: &T) -> ScopeId {
        self.by_node[&address(node)]
    }

    pub(super) fn suspends(&self, expr: &Expr) -> bool {
        self.suspending.contains(&address(expr))
    }

    pub(super) fn any_suspends(&self, exprs: &[Expr]) -> bool {
        exprs.iter().any(|expr| self.suspends(expr))
    }

    pub(super) fn statement_suspends(&self, stmt: &Stmt) -> bool {
        self.suspending_statements.contains(&address(stmt))
    }

    pub(super) fn block_suspends(&self, stmts: &[Stmt]) -> bool {
        stmts.iter().any(|stmt| self.statement_suspends(stmt))
    }

    /// The name as it is known at run time: `__x` in class `C` is `_C__x`.
    pub(super) fn mangle(&self, scope: ScopeId, name: Symbol) -> Symbol {
        let Some(class) = self.list[scope].private else {
            return name;
        };
        let text = name.text();
        let class = class.text().trim_start_matches('_');
        if !text.starts_with("__") || text.ends_with("__") || text.contains('.') || class.is_empty() {
            return name;
        }
        Symbol::new(&format!("_{class}{text}"))
    }

    /// The nearest variable of this name in the scopes around `scope`.
    fn find_around(&self, scope: ScopeId, name: Symbol) -> Meaning {
        let mut at = self.list[scope].parent;
        while let Some(id) = at {
            let scope = &self.list[id];
            match scope.kind {
                ScopeKind::Module => break,
                ScopeKind::Class if name.text() == "__class__" => return Meaning::Owned(id),
                ScopeKind::Class => {}
                _ => match scope.variables.get(&name) {
                    Some(Variable {
                        declared: Some(Declared::Global(_)),
                        ..
                    }) => break,
                    Some(Variable {
                        declared: None,
                        bound: true,
                        ..
                    }) => return Meaning::Owned(id),
                    _ => {}
                },
            }
            at = scope.parent;
        }
        Meaning::Global
    }

    /// Decides what every name means and gives slots to variables.
    pub(super) fn resolve(&mut self) -> Result<(), SyntaxError> {
        for id in 0..self.list.len() {
            for at in 0..self.list[id].names.len() {
                let name = self.list[id].names[at];
                let meaning = self.meaning(id, name)?;
                self.list[id].variable(name).meaning = meaning;
                if let Meaning::Owned(owner) = meaning {
                    self.capture(id, name, owner);
                }
            }
        }
        for id in 0..self.list.len() {
            self.give_slots(id);
        }
        Ok(())
    }

    fn meaning(&self, id: ScopeId, name: Symbol) -> Result<Meaning, SyntaxError> {
        let scope = &self.list[id];
        let variable = &scope.variables[&name];
        match variable.declared {
            Some(Declared::Global(_)) => return Ok(Meaning::Global),
            Some(Declared::Nonlocal(span)) => {
                let found = self.find_around(id, name);
                if found == Meaning::Global {
                    return Err(
                        SyntaxError::new(format!("no binding for nonlocal '{name}' found"), span).help(
                            format!("assign to '{name}' in an enclosing function, or declare it `global`"),
                        ),
                    );
                }
                return Ok(found);
            }
            None => {}
        }
        Ok(match (variable.bound, scope.kind) {
            (_, ScopeKind::Module) => Meaning::Global,
            (true, ScopeKind::Class) => Meaning::Namespace,
            (true, _) => Meaning::Owned(id),
            (false, kind) => match self.find_around(id, name) {
                Meaning::Global if kind == ScopeKind::Class => Meaning::Namespace,
                // As part of a class body a comprehension does not see the body's `__class__`.
                Meaning::Owned(owner)
                    if scope.host != id
                        && name.text() == "__class__"
                        && self.list[scope.host].kind == ScopeKind::Class
                        && (owner == scope.host || self.list[owner].host != scope.host) =>
                {
                    Meaning::Global
                }
                found => found,
            },
        })
    }

    /// Makes the variable a free one of every host between its user and its owner.
    fn capture(&mut self, user: ScopeId, name: Symbol, owner: ScopeId) {
        let home = self.list[owner].host;
        let mut host = self.list[user].host;
        if host == home {
            return;
        }
        if self.list[owner].kind == ScopeKind::Class {
            self.list[owner].class_cell = Some(0);
        } else {
            self.list[owner].variable(name).captured = true;
        }
        while host != home {
            let free = &mut self.list[host].free;
            if !free.contains(&(name, owner)) {
                let place = free.partition_point(|(other, _)| other.text() < name.text());
                free.insert(place, (name, owner)); // by name, as in CPython's closures
            }
            let parent = self.list[host].parent.expect("an owner is around its users");
            host = self.list[parent].host;
        }
    }

    fn give_slots(&mut self, id: ScopeId) {
        let host = self.list[id].host;
        let mut slots = std::mem::take(&mut self.list[host].slots);
        let scope = &mut self.list[id];
        if scope.class_cell.is_some() {
            scope.class_cell = Some(slots.len() as SlotId);
            scope.cells.push(slots.len() as SlotId);
            slots.push(Symbol::new("__class__"));
        }
        // In CPython's order, in which a call's variables go at its end: locals that nested functions
        // share come last, by name.
        let owned = |name: &&Symbol| scope.variables[name].meaning == Meaning::Owned(id);
        let is_shared = |name: &&Symbol| scope.variables[name].captured && !scope.variables[name].parameter;
        let (mut shared, mut names): (Vec<&Symbol>, Vec<&Symbol>) =
            scope.names.iter().filter(owned).partition(is_shared);
        shared.sort_by_key(|name| name.text());
        names.append(&mut shared);
        for name in names {
            let variable = scope
                .variables
                .get_mut(name)
                .expect("names are those of variables");
            variable.slot = slots.len() as SlotId;
            slots.push(*name);
            if variable.captured {
                scope.cells.push(variable.slot);
            }
        }
        self.list[host].slots = slots;
    }

    pub(super) fn load(&self, scope: ScopeId, name: Symbol) -> Place {
        self.place(scope, name, true)
    }

    pub(super) fn store(&self, scope: ScopeId, name: Symbol) -> Place {
        self.place(scope, name, false)
    }

    fn place(&self, id: ScopeId, name: Symbol, load: bool) -> Place {
        let scope = &self.list[id];
        match scope.variables[&name].meaning {
            Meaning::Global => Place::Global(name),
            Meaning::Namespace => Place::ClassName(name),
            Meaning::Owned(owner) => match self.reach(id, name, owner) {
                Place::Free(n) if load && scope.kind == ScopeKind::Class => Place::ClassFree(name, n),
                place => place,
            },
        }
    }

    /// Where the code of `from` finds the owner's variable.
    fn reach(&self, from: ScopeId, name: Symbol, owner: ScopeId) -> Place {
        let host = self.list[from].host;
        let owner_scope = &self.list[owner];
        if owner_scope.host != host {
            let index = self.list[host]
                .free
                .iter()
                .position(|&entry| entry == (name, owner));
            return Place::Free(index.expect("captured in every host between") as u32);
        }
        if let (ScopeKind::Class, Some(slot)) = (owner_scope.kind, owner_scope.class_cell) {
            return Place::Cell(slot);
        }
        let variable = &owner_scope.variables[&name];
        if variable.captured {
            Place::Cell(variable.slot)
        } else {
            Place::Local(variable.slot)
        }
    }

    /// Where each free variable of the code of `inner` is found in the code of `here`.
    pub(super) fn captures(&self, here: ScopeId, inner: ScopeId) -> Vec<Place> {
        self.list[inner]
            .free
            .iter()
            .map(|&(name, owner)| self.reach(here, name, owner))
            .collect()
    }

    pub(super) fn free_names(&self, host: ScopeId) -> Vec<Symbol> {
        self.list[host].free.iter().map(|&(name, _)| name).collect()
    }

    /// The slots of an inline comprehension's own variables.
    pub(super) fn own_slots(&self, id: ScopeId) -> Vec<SlotId> {
        let scope = &self.list[id];
        let variables = scope.names.iter().map(|name| &scope.variables[name]);
        variables
            .filter(|variable| variable.meaning == Meaning::Owned(id))
            .map(|variable| variable.slot)
            .collect()
    }

    /// Whether the name is declared `global` in the scope.
    pub(super) fn is_declared_global(&self, scope: ScopeId, name: Symbol) -> bool {
        let variable = self.list[scope].variables.get(&name);
        variable.is_some_and(|variable| matches!(variable.declared, Some(Declared::Global(_))))
    }
}
