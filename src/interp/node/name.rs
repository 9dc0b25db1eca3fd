//! Reading and writing variables.

use super::*;
use crate::interp::error::raise;
use crate::interp::namespace;
use crate::interp::types::Type;
use crate::interp::{attribute, frame_object, suggest};
use crate::source::Symbol;
use std::cell::OnceCell;

pub struct Const(pub Value);

impl Node for Const {
    fn eval(&self, _: &mut Frame) -> Res {
        Ok(self.0.clone())
    }
}

pub struct Take(pub u32);

impl Node for Take {
    fn eval(&self, frame: &mut Frame) -> Res {
        Ok(frame.take_local(self.0))
    }
}

pub struct Peek(pub u32);

impl Node for Peek {
    fn eval(&self, frame: &mut Frame) -> Res {
        Ok(frame.local(self.0).clone())
    }
}

pub struct Local {
    pub slot: u32,
    pub span: Span,
}

impl Node for Local {
    #[inline(always)]
    fn eval(&self, frame: &mut Frame) -> Res {
        local(frame, self.slot, self.span).cloned()
    }
}

/// The local at a slot, or the error that it is not assigned.
#[inline(always)]
pub fn local<'f>(frame: &'f Frame, slot: u32, span: Span) -> Res<&'f Value> {
    let value = frame.local(slot);
    if value.is_unset() {
        Err(unbound(frame, slot, span))
    } else {
        Ok(value)
    }
}

#[cold]
#[inline(never)]
fn unbound(frame: &Frame, slot: u32, span: Span) -> Raised {
    let name = frame.func.code.slots[slot as usize];
    raise(
        Type::UnboundLocalError,
        format!("cannot access local variable '{name}' where it is not associated with a value"),
    )
    .help(format!("`{name}` is assigned somewhere in this function, so it is local to it; assign it before this line, or declare `global {name}` or `nonlocal {name}`"))
    .at(span)
}

struct CellLocal {
    slot: u32,
    span: Span,
}

impl Node for CellLocal {
    fn eval(&self, frame: &mut Frame) -> Res {
        let Value::Cell(cell) = frame.local(self.slot) else {
            return Err(unbound(frame, self.slot, self.span));
        };
        let value = cell.value.get();
        if value.is_unset() {
            Err(unbound(frame, self.slot, self.span))
        } else {
            Ok(value)
        }
    }
}

struct Free {
    index: u32,
    span: Span,
}

impl Node for Free {
    fn eval(&self, frame: &mut Frame) -> Res {
        let value = frame.func.closure[self.index as usize].value.get();
        if value.is_unset() {
            return Err(unbound_free(frame, self.index).at(self.span));
        }
        Ok(value)
    }
}

#[cold]
fn unbound_free(frame: &Frame, index: u32) -> Raised {
    let name = frame.func.code.free[index as usize];
    raise(
        Type::NameError,
        format!(
            "cannot access free variable '{name}' where it is not associated with a value in enclosing scope"
        ),
    )
}

/// A module variable by its number, then a builtin.
struct Global {
    module: Ref<Module>,
    number: u32,
    /// The builtin of that name, once it was needed.
    builtin: OnceCell<Rc<ValueCell>>,
    is_library: bool,
    name: Symbol,
    span: Span,
}

impl Node for Global {
    #[inline]
    fn eval(&self, frame: &mut Frame) -> Res {
        let value = self.module.at(self.number);
        if !value.is_unset() {
            return Ok(value);
        }
        self.builtin(frame)
    }
}

impl Global {
    #[inline(never)]
    fn builtin(&self, frame: &mut Frame) -> Res {
        if let Some(cell) = self.builtin.get() {
            let builtin = cell.get();
            if !builtin.is_unset() {
                return Ok(builtin);
            }
        } else if let Some(cell) = namespace::builtin_cell(self.name, self.is_library) {
            let builtin = cell.get();
            let _ = self.builtin.set(cell);
            if !builtin.is_unset() {
                return Ok(builtin);
            }
        }
        namespace::variable(&self.module, self.name)
            .ok_or_else(|| not_defined(frame, &self.module, self.name).at(self.span))
    }
}

/// The NameError for a name that nothing defines, with the name that may have been meant: a
/// variable of the call, of the module, a builtin, an attribute of `self`, or a module.
#[cold]
fn not_defined(frame: &mut Frame, module: &Ref<Module>, name: Symbol) -> Raised {
    let exception = crate::interp::error::exception(Type::NameError, format!("name '{name}' is not defined"));
    exception.parts.set(Symbol::new("name"), name.into());
    let raised = Raised::new(exception);
    if let Some(instead) = left_out(name.text()) {
        return raised.help(format!("`{name}` is not part of aio: {instead}"));
    }
    let locals = match &frame_object::locals(frame.func, frame.slots(), frame.namespace) {
        Value::Dict(dict) => dict.symbol_entries(),
        _ => Vec::new(),
    };
    let own = locals.iter().find(|(local, _)| local.text() == "self");
    if let Some((_, own)) = own
        && attribute::names(own).contains(&name)
    {
        return raised.hint(
            format!("did you mean `self.{name}`?"),
            format!(". Did you mean: 'self.{name}'?"),
        );
    }
    let globals = module.entries();
    let constants = ["None", "False", "True"].map(Symbol::new);
    let known = locals.iter().map(|(n, _)| *n).chain(namespace::prelude_names());
    let known = known.chain(globals.iter().map(|(n, _)| *n));
    // Of names as near, a function's comes before a class's, as in CPython's builtins.
    let mut builtins = namespace::builtin_names();
    builtins.sort_unstable_by_key(|name| name.text());
    let is_function = |name: &Symbol| matches!(namespace::builtin(*name), Some(Value::Native(_)));
    let (functions, classes): (Vec<Symbol>, Vec<Symbol>) = builtins.into_iter().partition(is_function);
    let known = known.chain(functions).chain(constants).chain(classes);
    let close = suggest::closest(name.text(), known.map(|n| n.text()));
    let is_module = crate::interp::import::is_known_module(name);
    match (close, is_module) {
        (Some(close), false) => raised.hint(
            format!("did you mean `{close}`?"),
            format!(". Did you mean: '{close}'?"),
        ),
        (Some(close), true) => raised.hint(
            format!("did you mean `{close}`? Else write `import {name}` first"),
            format!(". Did you mean: '{close}'? Or did you forget to import '{name}'?"),
        ),
        (None, true) => raised.hint(
            format!("write `import {name}` first"),
            format!(". Did you forget to import '{name}'?"),
        ),
        (None, false) => raised,
    }
}

/// What to use instead of a builtin of Python that aio leaves out.
fn left_out(name: &str) -> Option<&'static str> {
    Some(match name {
        "eval" | "exec" | "compile" => "a program cannot make code while it runs; use functions and dicts",
        "complex" => "keep the two parts as floats",
        "memoryview" => "slice bytes or a bytearray",
        "__import__" => "write an import statement",
        _ => return None,
    })
}

/// A name in a class body: its namespace, then a cell or the module.
struct ClassName {
    name: Symbol,
    outer: NodeBox,
    span: Span,
}

impl Node for ClassName {
    fn eval(&self, frame: &mut Frame) -> Res {
        if let Some(names) = frame.namespace
            && let Some(value) = namespace::class_variable(names, self.name).at(self.span)?
        {
            return Ok(value);
        }
        self.outer.eval(frame)
    }
}

impl Builder<'_> {
    pub fn load(&self, place: Place, span: Span) -> NodeBox {
        match place {
            Place::Local(slot) => Box::new(Local { slot, span }),
            Place::Cell(slot) => Box::new(CellLocal { slot, span }),
            Place::Free(index) => Box::new(Free { index, span }),
            Place::Global(name) => self.global(name, span),
            Place::ClassName(name) => Box::new(ClassName {
                name,
                outer: self.global(name, span),
                span,
            }),
            Place::ClassFree(name, index) => Box::new(ClassName {
                name,
                outer: Box::new(Free { index, span }),
                span,
            }),
        }
    }

    fn global(&self, name: Symbol, span: Span) -> NodeBox {
        let number = self.module.number(name);
        Box::new(Global {
            module: self.module.clone(),
            number,
            builtin: OnceCell::new(),
            is_library: self.code.source.is_library(),
            name,
            span,
        })
    }

    pub fn walrus(&self, place: Place, value: &Tree, span: Span) -> NodeBox {
        Box::new(Walrus {
            value: self.node(value),
            place: self.store(place, span),
        })
    }

    /// What writes to a variable.
    pub fn store(&self, place: Place, span: Span) -> Store {
        Store {
            kind: match place {
                Place::Local(slot) => StoreKind::Local(slot),
                Place::Cell(slot) => StoreKind::Cell(slot),
                Place::Free(index) | Place::ClassFree(_, index) => StoreKind::Free(index),
                Place::Global(name) => StoreKind::Global(self.module.clone(), self.module.number(name), name),
                Place::ClassName(name) => StoreKind::ClassName(name),
            },
            span,
        }
    }
}

struct Walrus {
    value: NodeBox,
    place: Store,
}

impl Node for Walrus {
    fn eval(&self, frame: &mut Frame) -> Res {
        let value = self.value.eval(frame)?;
        self.place.store(frame, value.clone())?;
        Ok(value)
    }
}

/// Where a variable is written, resolved.
pub struct Store {
    pub kind: StoreKind,
    span: Span,
}

pub enum StoreKind {
    Local(u32),
    Cell(u32),
    Free(u32),
    Global(Ref<Module>, u32, Symbol),
    ClassName(Symbol),
}

impl Store {
    #[inline(always)]
    pub fn store(&self, frame: &mut Frame, value: Value) -> Res<()> {
        match &self.kind {
            StoreKind::Local(slot) => frame.set_local(*slot, value),
            StoreKind::Global(module, number, _) => module.set_at(*number, value),
            StoreKind::Cell(slot) => match frame.local(*slot) {
                Value::Cell(cell) => cell.value.set(value),
                _ => {
                    let cell = Ref::new(VariableCell::default());
                    cell.value.set(value);
                    frame.set_local(*slot, cell.into());
                }
            },
            StoreKind::Free(index) => frame.func.closure[*index as usize].value.set(value),
            StoreKind::ClassName(name) => {
                if let Some(names) = frame.namespace {
                    return namespace::set_class_variable(names, *name, value).at(self.span);
                }
            }
        }
        Ok(())
    }

    /// `del name`
    pub fn delete(&self, frame: &mut Frame) -> Res<()> {
        let (had, name) = match &self.kind {
            StoreKind::Local(slot) => {
                if frame.take_local(*slot).is_unset() {
                    return Err(unbound(frame, *slot, self.span));
                }
                return Ok(());
            }
            StoreKind::Cell(slot) => match frame.local(*slot) {
                Value::Cell(cell) if !cell.value.take().is_unset() => return Ok(()),
                _ => return Err(unbound(frame, *slot, self.span)),
            },
            StoreKind::Free(index) => {
                let old = frame.func.closure[*index as usize].value.take();
                if old.is_unset() {
                    return Err(unbound_free(frame, *index).at(self.span));
                }
                return Ok(());
            }
            StoreKind::Global(module, _, name) => (namespace::delete(module, *name), *name),
            StoreKind::ClassName(name) => {
                let delete = |names| namespace::delete_class_variable(names, *name).at(self.span);
                (frame.namespace.map_or(Ok(false), delete)?, *name)
            }
        };
        if had {
            Ok(())
        } else {
            Err(raise(Type::NameError, format!("name '{name}' is not defined")).at(self.span))
        }
    }

    /// Forgets the variable if it is set: the end of `except … as name`.
    pub fn clear(&self, frame: &mut Frame) -> Res<()> {
        match &self.kind {
            StoreKind::Local(slot) => drop(frame.take_local(*slot)),
            StoreKind::Cell(slot) => {
                if let Value::Cell(cell) = frame.local(*slot) {
                    drop(cell.value.take());
                }
            }
            StoreKind::Free(index) => drop(frame.func.closure[*index as usize].value.take()),
            StoreKind::Global(module, _, name) => {
                namespace::delete(module, *name);
            }
            StoreKind::ClassName(_) => self.store(frame, Value::None).and_then(|()| self.delete(frame))?,
        }
        Ok(())
    }
}

pub struct MakeCell(pub u32);

impl Exec for MakeCell {
    fn exec(&self, frame: &mut Frame) -> Flow {
        frame.set_local(self.0, Ref::new(VariableCell::default()).into());
        Flow::Next
    }
}

pub struct Clear(pub u32);

impl Exec for Clear {
    fn exec(&self, frame: &mut Frame) -> Flow {
        drop(frame.take_local(self.0));
        Flow::Next
    }
}
