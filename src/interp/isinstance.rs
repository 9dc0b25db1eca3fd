//! What is an instance or a subclass of what, and the type forms: `list[int]`, `int | None`.

use super::error::*;
use super::payload::{as_class, as_tuple, plain};
use super::types::{Type, class, class_of};
use super::{attribute, import, operator, special};
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
                None => Ok(claimed_class(object)?.is_some_and(|claimed| claimed.is_subclass(of))),
            }
        }
        other => {
            if let Some(options) = as_tuple(other) {
                super::stack::check_native(" in __instancecheck__")?;
                for option in &options.items {
                    if is_instance(object, option)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
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
                None => {
                    check_like_class(
                        other,
                        "isinstance() arg 2 must be a type, a tuple of types, or a union",
                    )?;
                    match attribute::find(object, name::CLASS)? {
                        Some(own) => derives(&own, other),
                        None => Ok(false),
                    }
                }
            }
        }
    }
}

/// The class that an object is of by its own `__class__`, as a proxy may say.
pub fn claimed_class(object: &Value) -> Res<Option<Ref<Class>>> {
    match object {
        Value::Instance(instance) if claims_class(&instance.class()) => {
            Ok(as_class(&attribute::get(object, name::CLASS)?).cloned())
        }
        _ => Ok(None),
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
        Value::Class(of) => {
            if let Value::Class(_) = this
                && let Some(result) = asked(of, name::SUBCLASSCHECK, this)
            {
                return operator::truth(&result?);
            }
            match this {
                Value::Class(this) => Ok(this.is_subclass(of)),
                other => {
                    check_like_class(other, NO_CLASS)?;
                    derives(other, &of.clone().into())
                }
            }
        }
        other => {
            if let Some(options) = as_tuple(other) {
                super::stack::check_native(" in __subclasscheck__")?;
                for option in &options.items {
                    if is_subclass(this, option)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
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
                None => {
                    check_like_class(this, NO_CLASS)?;
                    check_like_class(
                        other,
                        "issubclass() arg 2 must be a class, a tuple of classes, or a union",
                    )?;
                    derives(this, other)
                }
            }
        }
    }
}

const NO_CLASS: &str = "issubclass() arg 1 must be a class";

/// The `__bases__` of what is a class or stands for one: a tuple.
fn bases(of: &Value) -> Res<Option<Ref<Tuple>>> {
    let found = attribute::find(of, name::BASES)?;
    Ok(found.as_ref().and_then(as_tuple).cloned())
}

fn check_like_class(of: &Value, message: &str) -> Res<()> {
    match of {
        Value::Class(_) => Ok(()),
        other => bases(other)?.map(|_| ()).ok_or_else(|| type_error(message)),
    }
}

/// Whether `of` is among the bases of `this`, and of those, of which any may only stand for a class.
fn derives(this: &Value, of: &Value) -> Res<bool> {
    let mut this = this.clone();
    loop {
        if this.is(of) {
            return Ok(true);
        }
        match bases(&this)?.as_ref().map(|bases| &*bases.items) {
            None | Some([]) => return Ok(false),
            Some([only]) => this = only.clone(),
            Some(several) => {
                super::stack::check_native(" in __subclasscheck__")?;
                for base in several {
                    if derives(base, of)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
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

/// A function of what `typing` is made of.
fn in_typing(function: &str) -> Res {
    attribute::get(&import::by_name("_typing_form")?, Symbol::new(function))
}

/// The type variables in the arguments of a form. What finds them is written in aio; classes hold none.
pub fn type_variables(args: &[Value]) -> Res {
    let is_open = |arg: &Value| !matches!(arg, Value::Class(_) | Value::None | Value::Ellipsis);
    match args.iter().any(is_open) {
        true => super::call::call(&in_typing("parameters")?, &[Value::tuple(args.to_vec())]),
        false => Ok(Value::tuple([])),
    }
}

/// The arguments of a form with what `form[given]` gives in the place of its type variables.
fn filled(form: &Value, args: &[Value], given: &Value) -> Res {
    if as_tuple(&type_variables(args)?).is_none_or(|found| found.items.is_empty()) {
        let shown = super::text::repr(form)?;
        return Err(type_error(format!("{shown} is not a generic class")));
    }
    super::call::call(&in_typing("substituted")?, &[form.clone(), given.clone()])
}

/// `alias[given]`
pub fn substitute(form: &Value, alias: &GenericAlias, given: &Value) -> Res {
    Ok(generic_alias(
        &alias.origin,
        &filled(form, alias.arguments(), given)?,
    ))
}

/// `(int | T)[given]`
pub fn substitute_in_union(form: &Value, options: &[Value], given: &Value) -> Res {
    let filled = super::iterate::collect(&filled(form, options, given)?)?;
    let mut options = filled.into_iter();
    let first = options.next().unwrap_or(Value::None);
    options.try_fold(first, |all, option| {
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
    match plain(kind) {
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
