//! Class definitions (https://docs.python.org/3/reference/datamodel.html#customizing-class-creation).

use super::attribute;
use super::call;
use super::error::*;
use super::finalise;
use super::import::function_of;
use super::iterate;
use super::mapping;
use super::namespace;
use super::payload;
use super::slot;
use super::special;
use super::stack::{self, Window};
use super::types::{self, Type, class, class_of};
use super::unit::Unit;
use crate::source::{Symbol, name};
use crate::value::class::linearise;
use crate::value::descriptor::{ClassMethod, StaticMethod};
use crate::value::function::Frame;
use crate::value::running::Running;
use crate::value::*;
use std::rc::Rc;

/// `class name(bases, keywords): body`
pub fn define(
    class_name: Symbol,
    bases: Vec<Value>,
    keywords: Vec<(Symbol, Value)>,
    unit: &Rc<Unit>,
    closure: Box<[Ref<VariableCell>]>,
    class_cell: Option<u32>,
) -> Res {
    let is_class = |base: &Value| matches!(base, Value::Class(_));
    let original = bases
        .iter()
        .any(|base| !is_class(base))
        .then(|| Value::tuple(bases.clone()));
    let bases = match resolve_bases(bases)? {
        Bases::Classes(classes) => classes,
        Bases::Mixed(all) => return made_by_first(class_name, all, &keywords),
    };
    let is_metaclass = |n: &Symbol| n.text() == "metaclass";
    let metaclass = keywords
        .iter()
        .find(|(n, _)| is_metaclass(n))
        .map(|(_, v)| v.clone());
    let keywords: Vec<_> = keywords.into_iter().filter(|(n, _)| !is_metaclass(n)).collect();
    let all = Value::tuple(bases.iter().map(|b| b.clone().into()).collect::<Vec<Value>>());
    let maker = match metaclass {
        Some(other) if !is_class(&other) => Some(other),
        given => metaclass_of(given, bases.iter())?.map(Value::from),
    };
    let names = match &maker {
        Some(maker) => prepare(maker, &[class_name.into(), all.clone()], &keywords)?,
        None => mapping::new_dict().into(),
    };
    let set = |name: &str, value: Value| namespace::set_class_variable(&names, Symbol::new(name), value);
    set("__module__", unit.module().get(name::NAME).unwrap_or(Value::None))?;
    set("__qualname__", (&*unit.code().qualname).into())?;
    set("__firstlineno__", Value::Int(unit.code().first_line.into()))?;
    if unit.code().annotates {
        set("__annotations__", mapping::new_dict().into())?;
    }
    if let Some(doc) = &unit.code().doc {
        set("__doc__", (&**doc).into())?;
    }
    let cell = run_body(unit, closure, &names, class_cell)?;
    let attributes: Vec<Value> = unit.code().attributes.iter().map(|&name| name.into()).collect();
    set("__static_attributes__", Value::tuple(attributes))?;
    if let Some(cell) = cell {
        set(CLASS_CELL, cell.into())?;
    }
    if let Some(original) = original {
        set("__orig_bases__", original)?;
    }
    match (maker, &names) {
        (None, Value::Dict(names)) => {
            let names = names.symbol_entries().into_iter().collect();
            make(class_name, bases, names, keywords, None)
        }
        (maker, _) => {
            let maker = maker.unwrap_or_else(|| class(Type::Class).into());
            call::call_kw(&maker, &[class_name.into(), all, names], &keywords)
        }
    }
}

/// The names with which a class body begins: what the `__prepare__` of its metaclass gives.
fn prepare(maker: &Value, args: &[Value], keywords: &[(Symbol, Value)]) -> Res {
    let Some(prepare) = attribute::find(maker, name::PREPARE)? else {
        return Ok(mapping::new_dict().into());
    };
    let names = call::call_kw(&prepare, args, keywords)?;
    if payload::as_dict(&names).is_some() || special::find(&names, name::GETITEM).is_some() {
        return Ok(names);
    }
    let maker = match maker {
        Value::Class(metaclass) => metaclass.name(),
        _ => "<metaclass>",
    };
    Err(type_error(format!(
        "{maker}.__prepare__() must return a mapping, not {}",
        types::class_name(&names)
    )))
}

/// The name under which a class body hands on the cell that is to hold the class.
const CLASS_CELL: &str = "__classcell__";

/// The most derived of the metaclass that is asked for and those of the bases; none for `type`.
fn metaclass_of<'a>(
    given: Option<Value>,
    bases: impl Iterator<Item = &'a Ref<Class>>,
) -> Res<Option<Ref<Class>>> {
    let mut most_derived = match &given {
        Some(Value::Class(given)) if !given.is(&class(Type::Class)) => Some(Ref::clone(given)),
        _ => None,
    };
    for inherited in bases.filter_map(|base| base.metaclass.borrow().clone()) {
        match &most_derived {
            Some(known) if known.is_subclass(&inherited) => {}
            Some(known) if !inherited.is_subclass(known) => return Err(metaclass_conflict()),
            _ => most_derived = Some(inherited),
        }
    }
    Ok(most_derived)
}

/// Runs a class body; gives the cell that is to hold the finished class.
fn run_body(
    unit: &Rc<Unit>,
    closure: Box<[Ref<VariableCell>]>,
    names: &Value,
    class_cell: Option<u32>,
) -> Res<Option<Ref<VariableCell>>> {
    let func = function_of(unit.clone(), closure);
    let window = Window::open();
    stack::enter_call()?;
    let code = func.code.clone();
    window.push_unset(code.slots.len())?;
    for &slot in &code.cells {
        window.set(slot as usize, Ref::new(VariableCell::default()).into());
    }
    // SAFETY: the window holds one value for each slot and nothing else uses them meanwhile.
    let running = unsafe { Running::new(&func, window.base(), std::ptr::null()) };
    let _entered = running.enter();
    // SAFETY: as above.
    let mut frame = unsafe { Frame::new(&func, window.base(), &running) };
    frame.namespace = Some(names);
    let result = func.program.call(&mut frame);
    stack::leave_call();
    if let Err(raised) = result {
        return Err(raised.leave(&code));
    }
    Ok(class_cell.and_then(|slot| match frame.local(slot) {
        Value::Cell(cell) => Some(Ref::clone(cell)),
        _ => None,
    }))
}

/// What the bases of a class statement come to.
enum Bases {
    Classes(Vec<Ref<Class>>),
    /// Some are no classes.
    Mixed(Vec<Value>),
}

/// A class statement whose bases are not all classes: the class of the first has to make it. That of a
/// module, a number or a function complains of what it is given.
fn made_by_first(class_name: Symbol, bases: Vec<Value>, keywords: &[(Symbol, Value)]) -> Res {
    match bases.first() {
        Some(first) if !matches!(first, Value::Class(_)) => {
            let maker = class_of(first).into();
            let namespace = mapping::new_dict();
            let args = [class_name.into(), Value::tuple(bases), namespace.into()];
            call::call_kw(&maker, &args, keywords)
        }
        _ => Err(metaclass_conflict()),
    }
}

/// The error of a class whose name C could not hold.
#[cold]
pub fn null_in_name() -> Raised {
    value_error("type name must not contain null characters")
}

pub fn metaclass_conflict() -> Raised {
    type_error(
        "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the \
         metaclasses of all its bases",
    )
}

/// Bases as classes: `Generic[T]` and the like give theirs by `__mro_entries__`.
fn resolve_bases(bases: Vec<Value>) -> Res<Bases> {
    let mut classes = Vec::new();
    let mut mixed = Vec::new();
    let all = Value::tuple(bases.clone());
    for base in bases {
        match &base {
            Value::Class(class) => {
                mixed.push(base.clone());
                classes.push(Ref::clone(class));
            }
            other => {
                let Some(entries) = attribute::find(other, name::MRO_ENTRIES)? else {
                    mixed.push(base.clone());
                    continue;
                };
                let entries = call::call(&entries, std::slice::from_ref(&all))?;
                let Some(entries) = payload::as_tuple(&entries) else {
                    return Err(type_error("__mro_entries__ must return a tuple"));
                };
                for entry in &entries.items {
                    if let Value::Class(class) = entry {
                        classes.push(Ref::clone(class));
                    }
                    mixed.push(entry.clone());
                }
            }
        }
    }
    Ok(if mixed.len() == classes.len() {
        Bases::Classes(classes)
    } else {
        Bases::Mixed(mixed)
    })
}

/// Whether a built-in class is no base: what nobody can make by calling it, and tuples with named items.
fn is_final(base: &Ref<Class>) -> bool {
    let is_made = || !matches!(&base.lookup(name::NEW), Some(Value::Native(new)) if new.owner == "object");
    base.is_final.get()
        || !base.is_script
            && match base.layout {
                Layout::Opaque => !is_made(),
                Layout::Tuple => !base.is(&class(Type::Tuple)),
                _ => false,
            }
}

/// Makes a class of a namespace: `type(name, bases, namespace)` and the end of `class`.
pub fn make(
    class_name: Symbol,
    bases: Vec<Ref<Class>>,
    mut names: indexmap::IndexMap<Symbol, Value, rustc_hash::FxBuildHasher>,
    keywords: Vec<(Symbol, Value)>,
    metaclass: Option<Ref<Class>>,
) -> Res {
    let bases = if bases.is_empty() {
        vec![class(Type::Object)]
    } else {
        bases
    };
    for (i, base) in bases.iter().enumerate() {
        if base.layout == Layout::Closed || base.is_super() || is_final(base) {
            return Err(type_error(format!(
                "type '{}' is not an acceptable base type",
                super::types::shown_name(base)
            )));
        }
        if bases[..i].iter().any(|b| b.is(base)) {
            return Err(type_error(format!("duplicate base class {}", base.name())));
        }
    }
    let Some(base) = slot::best_base(&bases) else {
        return Err(type_error("multiple bases have instance lay-out conflict"));
    };
    let layout = base.layout;
    if class_name.text().contains('\0') {
        return Err(null_in_name());
    }
    let slots = slot::declared(class_name, &names, base)?;
    let mro = linearise(&bases).map_err(|heads| no_order(&heads))?;
    let metaclass = metaclass_of(metaclass.map(Value::from), mro.iter())?;
    let cell = names.shift_remove(&Symbol::new(CLASS_CELL));
    let made = Ref::new(Class::new(class_name, bases, mro, layout, true));
    *made.metaclass.borrow_mut() = metaclass;
    made.list();
    for (n, value) in names {
        let value = match (n, &value) {
            (name::QUALNAME, Value::Str(s)) => {
                *made.qualname.borrow_mut() = (&*s.text).into();
                continue;
            }
            (name::QUALNAME, other) => {
                let kind = types::class_name(other);
                return Err(type_error(format!("type __qualname__ must be a str, not {kind}")));
            }
            (name::MODULE, _) => {
                *made.module.borrow_mut() = value.clone();
                value
            }
            (name::NEW, Value::Function(_)) => Opaque::value(
                class(Type::StaticMethod),
                StaticMethod(ValueCell::new(value.clone())),
            ),
            (name::INIT_SUBCLASS | name::CLASS_GETITEM, Value::Function(_)) => Opaque::value(
                class(Type::ClassMethod),
                ClassMethod(ValueCell::new(value.clone())),
            ),
            _ => value,
        };
        made.dict.borrow_mut().insert(n, value);
    }
    let has = |n: Symbol| made.dict.borrow().contains_key(&n);
    if has(name::DEL) {
        finalise::expect();
    }
    slot::install(&made, slots.as_ref());
    slot::describe(&made, slots.as_ref());
    if !has(name::DOC) {
        made.dict.borrow_mut().insert(name::DOC, Value::None);
    }
    if has(name::EQ) && !has(name::HASH) {
        made.dict.borrow_mut().insert(name::HASH, Value::None);
    }
    if let Some(Value::Cell(cell)) = &cell {
        cell.value.set(made.clone().into());
    }
    let value = Value::from(made.clone());
    let entries: Vec<(Symbol, Value)> = made.dict.borrow().iter().map(|(&n, v)| (n, v.clone())).collect();
    for (n, attribute) in entries {
        if let Some(hook) = call::special(&attribute, name::SET_NAME)
            && let Err(raised) = call::call_unbound(&hook, &attribute, &[value.clone(), n.into()])
        {
            let kind = types::class_name(&attribute);
            let note = format!("Error calling __set_name__ on '{kind}' instance '{n}' in '{class_name}'");
            add_note(&raised.peek(), Value::str(note))?;
            return Err(raised);
        }
    }
    init_subclass(&made, keywords)?;
    Ok(value)
}

/// `Class.__bases__ = …`: the class and those below it get a new order.
pub fn set_bases(this: &Ref<Class>, given: &Value) -> Res<()> {
    let name = this.name();
    let Some(given) = super::payload::as_tuple(given) else {
        let kind = types::class_name(given);
        return Err(type_error(format!(
            "can only assign tuple to {name}.__bases__, not {kind}"
        )));
    };
    if given.items.is_empty() {
        return Err(type_error(format!(
            "can only assign non-empty tuple to {name}.__bases__, not ()"
        )));
    }
    let mut bases = Vec::new();
    for base in given.items.iter() {
        let Value::Class(base) = base else {
            let kind = types::class_name(base);
            return Err(type_error(format!(
                "{name}.__bases__ must be tuple of classes, not '{kind}'"
            )));
        };
        if base.is_subclass(this) {
            return Err(type_error("a __bases__ item causes an inheritance cycle"));
        }
        if base.layout != this.layout && base.layout != Layout::Object {
            let old = this.bases.borrow()[0].name();
            return Err(type_error(format!(
                "__bases__ assignment: '{}' object layout differs from '{old}'",
                base.name()
            )));
        }
        bases.push(Ref::clone(base));
    }
    let old = this.bases.borrow().clone();
    if let Err(raised) = reorder(this, &bases) {
        reorder(this, &old)?;
        return Err(raised);
    }
    // Among the children of its new bases it is the last one.
    this.list_anew();
    Ok(())
}

/// Gives a class these bases, and its subclasses the order that follows.
fn reorder(this: &Ref<Class>, bases: &[Ref<Class>]) -> Res<()> {
    let mro = linearise(bases).map_err(|heads| no_order(&heads))?;
    this.rebase(bases.to_vec(), mro);
    for child in &this.children() {
        let own = child.bases.borrow().clone();
        reorder(child, &own)?;
    }
    Ok(())
}

#[cold]
fn no_order(heads: &[Ref<Class>]) -> Raised {
    let list: Vec<&str> = heads.iter().map(|b| b.name()).collect();
    type_error(format!(
        "Cannot create a consistent method resolution order (MRO) for bases {}",
        list.join(", ")
    ))
}

/// Calls the `__init_subclass__` of the nearest base.
fn init_subclass(made: &Ref<Class>, keywords: Vec<(Symbol, Value)>) -> Res<()> {
    let hook = made.mro.borrow().iter().find_map(|c| c.own(name::INIT_SUBCLASS));
    match hook {
        Some(hook) if !matches!(&hook, Value::Native(n) if n.owner == "object") => {
            let bound = attribute::bind_to_class(&hook, made)?;
            call::call_kw(&bound, &[], &keywords).map(drop)
        }
        _ if keywords.is_empty() => Ok(()),
        _ => Err(type_error(format!(
            "{}.__init_subclass__() takes no keyword arguments",
            made.qualname.borrow()
        ))),
    }
}

/// Why the class cannot be instantiated, if it has abstract methods.
pub fn abstract_methods(made: &Ref<Class>) -> Option<String> {
    let names = match made.own(name::ABSTRACT)? {
        set @ Value::FrozenSet(_) => iterate::collect(&set).ok()?,
        _ => return None,
    };
    let mut names: Vec<String> = names
        .iter()
        .filter_map(|n| match n {
            Value::Str(s) => Some(format!("'{}'", s.text)),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        return None;
    }
    names.sort();
    let s = if names.len() == 1 { "" } else { "s" };
    Some(format!(
        "Can't instantiate abstract class {} without an implementation for abstract method{s} {}",
        made.name(),
        names.join(", ")
    ))
}
