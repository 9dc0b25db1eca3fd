//! The names of a program and of the modules that it imports: one row of scopes, module after module.

use crate::lower::names::{Names, Scope};
use crate::source::Symbol;

/// Always true: the first module is the program itself, and its scope is 0.
#[derive(Default)]
pub(super) struct Scopes {
    /// Each module, and the scope of its top.
    modules: Vec<(Scope, Names)>,
    next: Scope,
}

impl Scopes {
    /// Adds a module; gives the scope of its top.
    pub fn add(&mut self, names: Names) -> Scope {
        let top = self.next;
        self.next += names.count();
        self.modules.push((top, names));
        top
    }

    /// The module that a scope belongs to, with the scope of its top.
    fn module(&self, scope: Scope) -> Option<&(Scope, Names)> {
        self.modules.iter().rev().find(|(top, _)| *top <= scope)
    }

    /// The top of the module that a scope belongs to.
    pub fn top(&self, scope: Scope) -> Scope {
        self.module(scope).map_or(0, |(top, _)| *top)
    }

    /// Whether it is the top of a module other than the program itself.
    pub fn is_imported(&self, scope: Scope) -> bool {
        scope != 0 && self.top(scope) == scope
    }

    pub fn opened_by<T>(&self, node: &T) -> Option<Scope> {
        let mut modules = self.modules.iter();
        modules.find_map(|(top, names)| Some(top + names.opened_by(node)?))
    }

    pub fn owner(&self, scope: Scope, name: Symbol) -> Option<Scope> {
        let (top, names) = self.module(scope)?;
        Some(top + names.owner(scope - top, name)?)
    }

    pub fn yields(&self, scope: Scope) -> bool {
        self.module(scope)
            .is_some_and(|(top, names)| names.yields(scope - top))
    }
}
