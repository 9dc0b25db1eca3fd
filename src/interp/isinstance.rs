//! What is an instance or a subclass of what, and the type forms: `list[int]`, `int | None`.

use super::error::*;
use super::payload::{as_tuple, plain};
use super::types::{Type, class, class_name, class_of};
use super::{attribute, operator, special, subscript, text};
use crate::code::BinaryOp;
use crate::source::{Symbol, name};
use crate::value::descriptor::{GenericAlias, Union};
use crate::value::*;

/// `isinstance(object, of)`
pub fn is_instance(object: &Value, of: &Value) -> Res<bool> {
    match of {
        Value::Class(of) => {
            let own = class_of(object);
            if own.is(of) {
                return Ok(true);
            }
            match asked(of, name::INSTANCECHECK, object) {
                Some(result) => operator::truth(&result?),
                None if own.is_subclass(of) => Ok(true),
                // A proxy may claim another class by its `__class__`.
                None => match object {
                    Value::Instance(_) if claims_class(&own) => match &attribute::get(object, name::CLASS)? {
                        Value::Class(claimed) => Ok(claimed.is_subclass(of)),
                        _ => Ok(false),
                    },
                    _ => Ok(false),
                },
            }
        }
        Value::Tuple(options) => {
            super::stack::check_native(" in __instancecheck__")?;
            for option in &options.items {
                if is_instance(object, option)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        other => {
            if let Some(union) = other.opaque::<Union>() {
                for option in &union.args {
                    if option.opaque::<GenericAlias>().is_some() {
                        return Err(type_error(
                            "isinstance() argument 2 cannot be a parameterized generic",
                        ));
                    }
                    if is_instance(object, option)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            if other.opaque::<GenericAlias>().is_some() {
                return Err(type_error(
                    "isinstance() argument 2 cannot be a parameterized generic",
                ));
            }
            match special::call(other, name::INSTANCECHECK, std::slice::from_ref(object)) {
                Some(result) => operator::truth(&result?),
                None => Err(type_error(
                    "isinstance() arg 2 must be a type, a tuple of types, or a union",
                )),
            }
        }
    }
}

/// Whether instances of the class can say by themselves what `__class__` is.
fn claims_class(class: &Ref<Class>) -> bool {
    let is_native = |found: Value| matches!(found, Value::Native(_));
    let own = |name| class.is_script && class.lookup(name).is_some_and(|found| !is_native(found));
    own(name::CLASS) || own(name::GETATTRIBUTE)
}

/// `issubclass(this, of)`
pub fn is_subclass(this: &Value, of: &Value) -> Res<bool> {
    match of {
        Value::Tuple(options) => {
            super::stack::check_native(" in __subclasscheck__")?;
            for option in &options.items {
                if is_subclass(this, option)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Class(of) => {
            let Value::Class(this_class) = this else {
                return Err(type_error("issubclass() arg 1 must be a class"));
            };
            match asked(of, name::SUBCLASSCHECK, this) {
                Some(result) => operator::truth(&result?),
                None => Ok(this_class.is_subclass(of)),
            }
        }
        other => {
            if let Some(union) = other.opaque::<Union>() {
                for option in &union.args {
                    if is_subclass(this, option)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            if other.opaque::<GenericAlias>().is_some() {
                return Err(type_error(
                    "issubclass() argument 2 cannot be a parameterized generic",
                ));
            }
            match special::call(other, name::SUBCLASSCHECK, std::slice::from_ref(this)) {
                Some(result) => operator::truth(&result?),
                None if !matches!(this, Value::Class(_)) => {
                    Err(type_error("issubclass() arg 1 must be a class"))
                }
                None => Err(type_error(
                    "issubclass() arg 2 must be a class, a tuple of classes, or a union",
                )),
            }
        }
    }
}

/// What the class's metaclass says, if it has an opinion.
fn asked(of: &Ref<Class>, name: Symbol, about: &Value) -> Option<Res> {
    of.metaclass.borrow().as_ref()?;
    special::call(&of.clone().into(), name, std::slice::from_ref(about))
}

/// `origin[args]`
pub fn generic_alias(origin: &Value, args: &Value) -> Value {
    let args = match as_tuple(args) {
        Some(tuple) => Value::from(tuple.clone()),
        None => Value::tuple([args.clone()]),
    };
    Opaque::value(
        class(Type::GenericAlias),
        GenericAlias {
            origin: origin.clone(),
            args,
            is_starred: false,
        },
    )
}

/// The type variables of type arguments, each once, in the order in which they are met.
pub fn parameters(args: &[Value]) -> Res<Vec<Value>> {
    let mut found: Vec<Value> = Vec::new();
    for arg in args {
        let of_arg = match parameters_of(arg)? {
            _ if is_variable(arg) => vec![arg.clone()],
            parameters => parameters,
        };
        for variable in of_arg {
            if !found.iter().any(|known| known.is(&variable)) {
                found.push(variable);
            }
        }
    }
    Ok(found)
}

fn is_variable(value: &Value) -> bool {
    class_name(value) == "TypeVar"
}

/// The `__parameters__` of a type form; a class is no form.
fn parameters_of(form: &Value) -> Res<Vec<Value>> {
    if !special::is_possible(form) || matches!(form, Value::Class(_)) {
        return Ok(Vec::new());
    }
    let found = attribute::find(form, Symbol::new("__parameters__"))?;
    Ok(found
        .as_ref()
        .and_then(as_tuple)
        .map_or_else(Vec::new, |found| found.items.to_vec()))
}

/// The arguments of a form with what `form[given]` gives in the place of its type variables.
fn filled(form: &Value, args: &[Value], given: &Value) -> Res<Vec<Value>> {
    let parameters = parameters(args)?;
    let given = match as_tuple(given) {
        Some(tuple) => tuple.items.to_vec(),
        None => vec![given.clone()],
    };
    if parameters.is_empty() {
        return Err(type_error(format!(
            "{} is not a generic class",
            text::repr(form)?
        )));
    }
    if given.len() != parameters.len() {
        let amount = if given.len() > parameters.len() {
            "many"
        } else {
            "few"
        };
        return Err(type_error(format!(
            "Too {amount} arguments for {}; actual {}, expected {}",
            text::repr(form)?,
            given.len(),
            parameters.len()
        )));
    }
    let value_of = |variable: &Value| {
        let place = parameters.iter().position(|known| known.is(variable))?;
        given.get(place).cloned()
    };
    let fill = |arg: &Value| {
        let own = parameters_of(arg)?;
        match value_of(arg) {
            Some(value) => Ok(value),
            None if own.is_empty() => Ok(arg.clone()),
            None => {
                let values: Vec<Value> = own.iter().filter_map(value_of).collect();
                subscript::get_item(arg, &Value::tuple(values))
            }
        }
    };
    args.iter().map(fill).collect()
}

/// `alias[given]`
pub fn substitute(form: &Value, alias: &GenericAlias, given: &Value) -> Res {
    match &alias.args {
        Value::Tuple(args) => Ok(generic_alias(
            &alias.origin,
            &Value::tuple(filled(form, &args.items, given)?),
        )),
        _ => Ok(generic_alias(&alias.origin, given)),
    }
}

/// `(int | T)[given]`
pub fn substitute_in_union(form: &Value, options: &[Value], given: &Value) -> Res {
    let mut filled = filled(form, options, given)?.into_iter();
    let first = filled.next().unwrap_or(Value::None);
    filled.try_fold(first, |all, option| {
        operator::binary(BinaryOp::BitOr, &all, &option)
    })
}

/// `a | b` of type forms: flat, without repetition; one form alone stays what it is.
pub fn union(a: &Value, b: &Value) -> Res {
    let mut args: Vec<Value> = Vec::new();
    for side in [a, b] {
        let parts = match side.opaque::<Union>() {
            Some(union) => union.args.clone(),
            None if side.is_none() => vec![Value::from(class(Type::NoneType))],
            None => vec![side.clone()],
        };
        for part in parts {
            let mut is_known = false;
            for known in &args {
                is_known = is_known || operator::same_or_equal(known, &part)?;
            }
            if !is_known {
                args.push(part);
            }
        }
    }
    match <[Value; 1]>::try_from(args) {
        Ok([one]) => Ok(one),
        Err(args) => Ok(Opaque::value(class(Type::Union), Union { args })),
    }
}

/// Whether `except kind` catches the exception; checks that `kind` is legal.
pub fn catches(exception: &Value, kind: &Value) -> Res<bool> {
    let base = class(Type::BaseException);
    let is_legal = |kind: &Value| matches!(kind, Value::Class(c) if c.is_subclass(&base));
    match kind {
        Value::Class(of) if of.is_subclass(&base) => Ok(class_of(exception).is_subclass(of)),
        Value::Tuple(kinds) if kinds.items.iter().all(is_legal) => Ok(kinds
            .items
            .iter()
            .any(|k| matches!(k, Value::Class(of) if class_of(exception).is_subclass(of)))),
        _ => Err(type_error(
            "catching classes that do not inherit from BaseException is not allowed",
        )),
    }
}

/// The class a value stands for as a type form, if it is one.
pub fn origin(form: &Value) -> &Value {
    match plain(form).opaque::<GenericAlias>() {
        Some(alias) => &alias.origin,
        None => form,
    }
}
