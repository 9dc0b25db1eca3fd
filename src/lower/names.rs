//! The names of a module as lowering resolves them, for tools that read the syntax tree.

use super::scope::{Meaning, ScopeId, Scopes};
use super::survey;
use crate::source::Symbol;
use crate::syntax::SyntaxError;
use crate::syntax::ast::Module;
use std::collections::HashSet;

/// A stretch of text with names of its own: the module is 0.
pub type Scope = ScopeId;

/// Which variable each name of a module means.
pub struct Names {
    scopes: Scopes,
    /// What the module binds, also in functions that declare it `global`.
    globals: HashSet<Symbol>,
}

impl Names {
    /// Surveys a module. Its nodes must stay where they are as long as they are asked about.
    pub fn of(module: &Module) -> Result<Names, SyntaxError> {
        let scopes = survey::survey(module)?;
        let mut globals = HashSet::new();
        for (id, scope) in scopes.list.iter().enumerate() {
            let bound = scope.variables.iter().filter(|(_, variable)| variable.bound);
            let names = bound.map(|(&name, _)| name);
            globals.extend(names.filter(|&name| id == 0 || scopes.is_declared_global(id, name)));
        }
        Ok(Names { scopes, globals })
    }

    /// How many scopes the module has.
    pub fn count(&self) -> usize {
        self.scopes.list.len()
    }

    /// The scope that a function, class, lambda or comprehension of the module opens.
    pub fn opened_by<T>(&self, node: &T) -> Option<Scope> {
        self.scopes.by_node.get(&super::scope::address(node)).copied()
    }

    /// The scope whose variable a name means in a scope; none for a name that the module never
    /// binds: a built-in function, or a word of the prelude.
    pub fn owner(&self, scope: Scope, name: Symbol) -> Option<Scope> {
        let name = self.scopes.mangle(scope, name);
        match self.scopes.list[scope].variables.get(&name)?.meaning() {
            Meaning::Owned(owner) => Some(owner),
            Meaning::Namespace if self.scopes.list[scope].variables[&name].bound => Some(scope),
            Meaning::Namespace | Meaning::Global => self.globals.contains(&name).then_some(0),
        }
    }

    /// Whether the module itself awaits, so that it runs as a coroutine.
    pub fn module_awaits(&self) -> bool {
        self.scopes.list[0].awaits
    }

    /// Whether a function's own body holds a `yield`.
    pub fn yields(&self, scope: Scope) -> bool {
        self.scopes.list[scope].yields
    }
}
