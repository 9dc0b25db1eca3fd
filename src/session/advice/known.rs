//! What is known of an error: its words, the expression that raised it, and what the variables held.

use super::words;
use crate::code::{self, Argument, Code, StatementKind, TargetKind, Tree, TreeKind};
use crate::interp::types::{Type, class_of, is_exception};
use crate::interp::{import, namespace};
use crate::source::{Source, Span, Symbol, name};
use crate::syntax::ast::{Expr, ExprKind};
use crate::tools::standing;
use crate::value::*;
use std::rc::Rc;

pub(super) struct Known {
    pub error: Ref<Exception>,
    pub class: String,
    pub message: String,
    /// The innermost row of the program in its traceback.
    pub row: Rc<TraceEntry>,
}

/// A call: what is called, and its arguments.
pub(super) struct Call<'a> {
    pub func: &'a Tree,
    pub args: &'a [Argument],
}

impl Call<'_> {
    /// The last name of what is called: `gather` of `asyncio.gather(…)`.
    pub fn name(&self) -> Option<&'static str> {
        match &self.func.kind {
            TreeKind::Attribute { name, .. } => Some(name.text()),
            TreeKind::Load(code::Place::Global(name) | code::Place::ClassName(name)) => Some(name.text()),
            _ => None,
        }
    }

    /// The first argument, if it is given by its place.
    pub fn first(&self) -> Option<&Tree> {
        match self.args.first() {
            Some(Argument::Positional(value)) => Some(value),
            _ => None,
        }
    }
}

impl Known {
    pub fn of(error: &Ref<Exception>) -> Option<Known> {
        let mut row = None;
        let mut next = error.traceback.get();
        while let Some(entry) = next {
            next = entry.next.get();
            if !standing::is_library(&entry.code) {
                row = Some(entry);
            }
        }
        Some(Known {
            error: Ref::clone(error),
            class: error.class().name().to_string(),
            message: words(error),
            row: row?,
        })
    }

    pub fn is(&self, class: Type) -> bool {
        is_exception(&self.error, class)
    }

    /// The n-th text in single quotes of the message.
    pub fn quoted(&self, n: usize) -> Option<&str> {
        self.message.split('\'').nth(2 * n + 1)
    }

    pub fn source(&self) -> &Source {
        &self.row.code.source
    }

    pub fn span(&self) -> Span {
        self.row.span
    }

    /// Text of the program.
    pub fn text_of(&self, tree: &Tree) -> &str {
        self.source().slice(tree.span)
    }

    /// The expression that was being evaluated, or what it awaited.
    pub fn tree(&self) -> Option<&Tree> {
        self.row.code.tree_at(self.span())
    }

    /// The call that was being made.
    pub fn call(&self) -> Option<Call<'_>> {
        match &self.tree()?.kind {
            TreeKind::Call { func, args } => Some(Call { func, args }),
            _ => None,
        }
    }

    /// The object that was being asked for an attribute.
    pub fn asked(&self) -> Option<&Tree> {
        match &self.tree()?.kind {
            TreeKind::Attribute { object, .. } => Some(object),
            _ => None,
        }
    }

    /// The object that was being asked for an item, or was to lose one.
    pub fn indexed(&self) -> Option<&Tree> {
        if let Some(tree) = self.tree() {
            return match &tree.kind {
                TreeKind::Subscript { object, .. } => Some(object),
                TreeKind::Call { func, .. } => match &func.kind {
                    TreeKind::Attribute { object, name } if name.text() == "pop" => Some(object),
                    _ => None,
                },
                _ => None,
            };
        }
        let mut found = None;
        self.row.code.each_statement(&mut |statement| {
            if let StatementKind::Delete(target) | StatementKind::AugAssign { target, .. } = &statement.kind
                && let TargetKind::Subscript { object, .. } = &target.kind
                && target.span == self.span()
            {
                found = Some(object);
            }
        });
        found
    }

    /// What a variable held in the call that raised the error, or an attribute of one.
    pub fn value(&self, tree: &Tree) -> Option<Value> {
        match &tree.kind {
            TreeKind::Load(place) => self.held(*place),
            TreeKind::Attribute { object, name } => attribute(&self.value(object)?, *name),
            _ => None,
        }
    }

    /// The same of an expression in the text.
    pub fn value_of(&self, expr: &Expr) -> Option<Value> {
        match &expr.plain().kind {
            ExprKind::Name(name) => self.variable(name.text()),
            ExprKind::Attribute { value, name, .. } => attribute(&self.value_of(value)?, *name),
            _ => None,
        }
    }

    /// The class of what an expression gives that is a variable, or makes an object.
    pub fn class_of(&self, tree: &Tree) -> Option<Ref<Class>> {
        match &tree.kind {
            TreeKind::Call { func, .. } => match &self.value(func)? {
                Value::Class(class) => Some(Ref::clone(class)),
                _ => None,
            },
            _ => Some(class_of(&self.value(tree)?)),
        }
    }

    fn held(&self, place: code::Place) -> Option<Value> {
        let left = self.row.left.get();
        let value = match place {
            code::Place::Local(slot) | code::Place::Cell(slot) => {
                left?.look(|slots| slots.get(slot as usize).cloned())?
            }
            code::Place::Free(n) => left?.func.closure.get(n as usize)?.value.get(),
            code::Place::Global(name) | code::Place::ClassName(name) | code::Place::ClassFree(name, _) => {
                self.global(name)?
            }
        };
        let value = match &value {
            Value::Cell(cell) => cell.value.get(),
            _ => value,
        };
        Some(value).filter(|value| !value.is_unset())
    }

    /// The same of a variable by its name.
    pub fn variable(&self, name: &str) -> Option<Value> {
        let slots = &self.row.code.slots;
        let own = slots.iter().position(|slot| slot.text() == name);
        let own = own.and_then(|slot| self.held(code::Place::Local(slot as code::SlotId)));
        own.or_else(|| self.global(Symbol::new(name)))
    }

    /// A variable of the module, or a builtin.
    fn global(&self, variable: Symbol) -> Option<Value> {
        let own = match self.row.left.get() {
            Some(left) => left.func.module.get(variable),
            None => match &import::loaded_module(name::MAIN)? {
                Value::Module(main) => main.get(variable),
                _ => None,
            },
        };
        own.or_else(|| namespace::builtin(variable))
    }
}

/// An attribute as it lies in an instance or module.
fn attribute(object: &Value, name: Symbol) -> Option<Value> {
    match object {
        Value::Instance(instance) => {
            let entries = instance.entries();
            let mut own = entries.iter().filter(|(own, _)| *own == name);
            own.next().map(|(_, value)| value.clone())
        }
        Value::Module(module) => module.get(name),
        _ => None,
    }
}

/// Whether code assigns to an attribute of this name.
pub(super) fn assigns_attribute(code: &Code, name: &str) -> bool {
    let mut found = false;
    code.each_statement(&mut |statement| {
        let targets = match &statement.kind {
            StatementKind::Assign { targets, .. } => &targets[..],
            _ => &[],
        };
        found |= targets.iter().any(
            |target| matches!(target.kind, TargetKind::Attribute { name: own, .. } if own.text() == name),
        );
    });
    found
}
