//! Exception groups in `except*` (PEP 654).

use super::call;
use super::error::*;
use super::iterate;
use super::node::matches_kind;
use super::payload::plain;
use super::types::{Type, class, is_exception};
use crate::source::{Symbol, name};
use crate::value::exception::Link;
use crate::value::*;
use std::rc::Rc;

/// The exceptions of a group, or none if it is not one.
pub fn members(exception: &Ref<Exception>) -> Option<Vec<Value>> {
    if !is_exception(exception, Type::BaseExceptionGroup) {
        return None;
    }
    match &exception.arg(1)? {
        Value::Tuple(items) => Some(items.items.to_vec()),
        Value::List(items) => Some(items.items.borrow().clone()),
        _ => None,
    }
}

/// What `except* kind` takes of an exception, and what it leaves.
pub fn split_for_star(
    exception: &Ref<Exception>,
    kind: &Value,
) -> Res<(Option<Ref<Exception>>, Option<Ref<Exception>>)> {
    let base = class(Type::BaseExceptionGroup);
    let is_group = |k: &Value| matches!(k, Value::Class(c) if c.is_subclass(&base));
    if is_group(kind) || matches!(kind, Value::Tuple(t) if t.items.iter().any(is_group)) {
        return Err(type_error(
            "catching ExceptionGroup with except* is not allowed. Use except instead.",
        ));
    }
    if members(exception).is_none() {
        if !matches_kind(exception, kind)? {
            return Ok((None, Some(exception.clone())));
        }
        let alone = Value::tuple([Value::from(exception.clone())]);
        return Ok((Some(group_of("", vec![exception.clone().into()], alone)), None));
    }
    matches_kind(exception, kind)?; // complains about what is no class
    let parts = call::call_method(
        &exception.clone().into(),
        Symbol::new("split"),
        std::slice::from_ref(kind),
    )?;
    let part = |i: usize| match &parts {
        Value::Tuple(t) => match t.items.get(i) {
            Some(Value::Exception(e)) => Some(Ref::clone(e)),
            _ => None,
        },
        _ => None,
    };
    Ok((part(0), part(1)))
}

/// A group of these exceptions.
fn wrap(message: &str, exceptions: Vec<Value>) -> Ref<Exception> {
    let list = Value::list(exceptions.clone());
    group_of(message, exceptions, list)
}

/// A group of these exceptions, which `shown` holds as its `args` show them.
fn group_of(message: &str, exceptions: Vec<Value>, shown: Value) -> Ref<Exception> {
    let plain = class(Type::Exception);
    let all_plain = exceptions
        .iter()
        .all(|e| matches!(e, Value::Exception(e) if e.is_instance(&plain)));
    let kind = if all_plain {
        Type::ExceptionGroup
    } else {
        Type::BaseExceptionGroup
    };
    Exception::new(class(kind), vec![Value::from(message), shown])
}

fn leaves(exception: &Ref<Exception>, found: &mut Vec<usize>) {
    match members(exception) {
        Some(members) => members.iter().for_each(|m| {
            if let Value::Exception(e) = m {
                leaves(e, found);
            }
        }),
        None => found.push(exception.address()),
    }
}

/// Whether a part of a group is still on the group's own way: a bare `raise` leaves it so, while `raise e`
/// begins another one, with a row and perhaps a cause of its own.
fn is_same_journey(part: &Ref<Exception>, group: &Ref<Exception>) -> bool {
    let same_rows = match (part.traceback.get(), group.traceback.get()) {
        (Some(a), Some(b)) => Rc::ptr_eq(&a, &b),
        (a, b) => a.is_none() && b.is_none(),
    };
    let same_link = |a: &Link, b: &Link| match (&a.get(), &b.get()) {
        (Value::Exception(a), Value::Exception(b)) => a.is(b),
        (a, b) => a.is_none() && b.is_none(),
    };
    same_rows && same_link(&part.cause, &group.cause) && same_link(&part.context, &group.context)
}

/// What is raised at the end of `try … except*`: what its clauses raised, and of the original
/// what no clause took or a bare `raise` gave back.
pub fn star_rest(
    original: &Ref<Exception>,
    raised: Vec<Value>,
    rest: Option<Ref<Exception>>,
) -> Res<Option<Ref<Exception>>> {
    // One that is no group was wrapped in one for its clause, and only one clause took it.
    if members(original).is_none() {
        return Ok(match raised.into_iter().next() {
            Some(Value::Exception(ref exception)) => Some(Ref::clone(exception)),
            _ => rest,
        });
    }
    let mut kept = Vec::new();
    let mut new = Vec::new();
    for value in raised {
        let Value::Exception(exception) = &value else {
            continue;
        };
        if is_same_journey(exception, original) {
            leaves(exception, &mut kept)
        } else {
            new.push(value)
        }
    }
    if let Some(rest) = &rest {
        leaves(rest, &mut kept);
    }
    match project(original, &kept)? {
        Value::None => {}
        left => new.push(left),
    }
    Ok(match &new[..] {
        [] => None,
        [Value::Exception(only)] => Some(Ref::clone(only)),
        _ => Some(wrap("", new)),
    })
}

/// The group with only the leaves that are kept, in its own structure.
fn project(original: &Ref<Exception>, kept: &[usize]) -> Res {
    let mut left = Vec::new();
    for member in members(original).unwrap_or_default() {
        match &member {
            Value::Exception(e) if members(e).is_some() => match project(e, kept)? {
                Value::None => {}
                part => left.push(part),
            },
            Value::Exception(e) if kept.contains(&e.address()) => left.push(member),
            _ => {}
        }
    }
    with_members(original, left)
}

/// A group like another one with some of its members, made by its own `derive`; None without any.
pub fn with_members(group: &Ref<Exception>, members: Vec<Value>) -> Res {
    if members.is_empty() {
        return Ok(Value::None);
    }
    let whole = Value::from(group.clone());
    let derived = call::call_method(&whole, name::DERIVE, &[Value::list(members)])?;
    let Value::Exception(made) = &derived else {
        return Err(type_error("derive must return an instance of BaseExceptionGroup"));
    };
    if !made.is_instance(&class(Type::BaseExceptionGroup)) {
        return Err(type_error("derive must return an instance of BaseExceptionGroup"));
    }
    made.traceback.replace(group.traceback.get());
    made.context.set(group.context.get());
    made.cause.set(group.cause.get());
    made.suppress_context.set(true); // as whoever sets a cause does
    if let Some(notes) = group.attrs.get(name::NOTES)
        && matches!(plain(&notes), Value::List(_) | Value::Tuple(_))
    {
        made.attrs
            .set(name::NOTES, Value::list(iterate::collect(&notes)?));
    }
    Ok(derived)
}
