//! Function and class definitions, lambdas, imports.

use super::name::Store;
use super::*;
use crate::code::{MakeClass, MakeFunction};
use crate::interp::{class_body, import, mapping};
use crate::source::Symbol;

struct FunctionNode {
    unit: Rc<Unit>,
    defaults: Box<[NodeBox]>,
    kwdefaults: Box<[(Symbol, NodeBox)]>,
    annotations: Box<[(Symbol, NodeBox)]>,
    captures: Box<[Place]>,
    no_defaults: Rc<[Value]>,
    no_kwdefaults: Rc<[(Symbol, Value)]>,
}

impl Node for FunctionNode {
    fn eval(&self, frame: &mut Frame) -> Res {
        let mut defaults = self.no_defaults.clone();
        if !self.defaults.is_empty() {
            let mut values = Vec::with_capacity(self.defaults.len());
            for node in &self.defaults {
                values.push(node.eval(frame)?);
            }
            defaults = values.into();
        }
        let mut kwdefaults = self.no_kwdefaults.clone();
        if !self.kwdefaults.is_empty() {
            let mut values = Vec::with_capacity(self.kwdefaults.len());
            for (name, node) in &self.kwdefaults {
                values.push((*name, node.eval(frame)?));
            }
            kwdefaults = values.into();
        }
        let mut annotations = Value::Unset;
        if !self.annotations.is_empty() {
            let dict = Ref::new(Dict::default());
            for (name, node) in &self.annotations {
                let value = node.eval(frame)?;
                mapping::dict_set(&dict, &(*name).into(), value)?;
            }
            annotations = dict.into();
        }
        let closure = capture(frame, &self.captures);
        Ok(self.unit.function(closure, defaults, kwdefaults, annotations))
    }
}

/// The cells that a nested function takes with it.
fn capture(frame: &mut Frame, captures: &[Place]) -> Box<[Ref<VariableCell>]> {
    captures
        .iter()
        .map(|place| match place {
            Place::Free(index) => frame.func.closure[*index as usize].clone(),
            Place::Cell(slot) | Place::Local(slot) => match frame.local(*slot) {
                Value::Cell(cell) => Ref::clone(cell),
                _ => {
                    let cell = Ref::new(VariableCell::default());
                    let old = frame.take_local(*slot);
                    cell.value.set(old);
                    frame.set_local(*slot, cell.clone().into());
                    cell
                }
            },
            _ => unreachable!("only variables of functions are captured"),
        })
        .collect()
}

struct ClassNode {
    name: Symbol,
    args: Option<Invocation>,
    unit: Rc<Unit>,
    captures: Box<[Place]>,
    class_cell: Option<u32>,
    span: Span,
}

impl Node for ClassNode {
    fn eval(&self, frame: &mut Frame) -> Res {
        let (bases, keywords) = match &self.args {
            Some(args) => args.arguments(frame)?,
            None => Default::default(),
        };
        let closure = capture(frame, &self.captures);
        frame.running.set_place(self.span);
        class_body::define(self.name, bases, keywords, &self.unit, closure, self.class_cell).at(self.span)
    }
}

struct Import {
    module: Symbol,
    asname: bool,
    store: Store,
    from: Ref<Module>,
    span: Span,
}

impl Exec for Import {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let module = attempt!(import::import(self.module, self.asname, &self.from).at(self.span));
        attempt!(self.store.store(frame, module));
        Flow::Next
    }
}

struct ImportFrom {
    module: Option<Symbol>,
    level: u32,
    names: Box<[(Symbol, Store)]>,
    star: bool,
    from: Ref<Module>,
    span: Span,
}

impl Exec for ImportFrom {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let module = attempt!(import::find(self.module, self.level, &self.from).at(self.span));
        if self.star {
            attempt!(import::star(&module, &self.from).at(self.span));
            return Flow::Next;
        }
        for (name, store) in &self.names {
            let value = attempt!(import::name_from(&module, *name).at(self.span));
            attempt!(store.store(frame, value));
        }
        Flow::Next
    }
}

impl Builder<'_> {
    pub fn function(&self, it: &MakeFunction) -> NodeBox {
        let named = |pairs: &[(Symbol, Tree)]| pairs.iter().map(|(n, t)| (*n, self.node(t))).collect();
        Box::new(FunctionNode {
            unit: self.unit(&it.code),
            defaults: self.nodes(&it.defaults),
            kwdefaults: named(&it.kwdefaults),
            annotations: named(&it.annotations),
            captures: it.captures.clone().into(),
            no_defaults: Rc::new([]),
            no_kwdefaults: Rc::new([]),
        })
    }

    pub fn class(&self, it: &MakeClass, span: Span) -> NodeBox {
        Box::new(ClassNode {
            name: it.name,
            args: (!it.args.is_empty()).then(|| self.class_arguments(&it.args, span)),
            unit: self.unit(&it.code),
            captures: it.captures.clone().into(),
            class_cell: it.class_cell,
            span,
        })
    }

    pub fn import(&self, module: Symbol, asname: bool, place: Place, span: Span) -> ExecBox {
        let store = self.store(place, span);
        Box::new(Import {
            module,
            asname,
            store,
            from: self.module.clone(),
            span,
        })
    }

    pub fn import_from(
        &self,
        module: Option<Symbol>,
        level: u32,
        names: &[(Symbol, Place)],
        star: bool,
        span: Span,
    ) -> ExecBox {
        let names = names
            .iter()
            .map(|(name, place)| (*name, self.store(*place, span)))
            .collect();
        Box::new(ImportFrom {
            module,
            level,
            names,
            star,
            from: self.module.clone(),
            span,
        })
    }
}
