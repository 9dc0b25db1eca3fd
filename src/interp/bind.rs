//! From the arguments of a call to a script function's parameters; `*` and `**` in calls
//! (https://docs.python.org/3/reference/expressions.html#calls).

use super::argument;
use super::error::*;
use super::operator::collection;
use super::payload::as_tuple;
use super::stack::Window;
use super::types::{Type, class_of};
use super::{attribute, iterate, mapping};
use crate::source::{Symbol, name};
use crate::value::*;

/// Rearranges the arguments from `start` on into one value for each parameter
/// (https://docs.python.org/3/reference/expressions.html#calls).
#[cold]
#[inline(never)]
pub fn bind_arguments(
    func: &Ref<Function>,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
) -> Res<()> {
    let params = &func.code.params;
    let positional = params.positional as usize;
    let kwonly = params.kwonly as usize;
    // What most calls of functions with `*args` need: the positional arguments stay where they are.
    if params.has_vararg && names.is_empty() && kwonly == 0 && npos >= positional {
        let extra = window.drain(start + positional);
        window.push(Value::tuple(extra))?;
        if params.has_kwarg {
            window.push(Ref::new(Dict::default()).into())?;
        }
        return Ok(());
    }
    let mut given = window.drain(start);
    let keyword_values = given.split_off(npos);
    let mut bound: Vec<Value> = Vec::with_capacity(func.code.slots.len());
    let mut extra = Vec::new();
    let given_count = given.len();
    for value in given {
        if bound.len() < positional {
            bound.push(value)
        } else {
            extra.push(value)
        }
    }
    bound.resize_with(positional + kwonly, Value::default);
    let mut kwargs: Vec<(Symbol, Value)> = Vec::new();
    for (&name, value) in names.iter().zip(keyword_values) {
        let place = params.names[..positional + kwonly]
            .iter()
            .position(|&p| p == name);
        match place {
            Some(i) if i < params.posonly as usize => match params.has_kwarg {
                true => kwargs.push((name, value)),
                false => return Err(unexpected_keyword(func, name, names)),
            },
            Some(i) => {
                if !bound[i].is_unset() {
                    return Err(type_error(format!(
                        "{}() got multiple values for argument '{name}'",
                        qualname(func)
                    )));
                }
                bound[i] = value;
            }
            None if params.has_kwarg => {
                if kwargs.iter().any(|(n, _)| *n == name) {
                    return Err(type_error(format!(
                        "{}() got multiple values for keyword argument '{name}'",
                        qualname(func)
                    )));
                }
                kwargs.push((name, value));
            }
            None => return Err(unexpected_keyword(func, name, names)),
        }
    }
    if !extra.is_empty() && !params.has_vararg {
        return Err(too_many(func, given_count, &bound[positional..]));
    }
    let defaults = func.defaults.borrow().clone();
    // The last ones count, if a script set more of them than there are parameters.
    let surplus = defaults.len().saturating_sub(positional);
    let first_default = positional - (defaults.len() - surplus);
    let mut missing = Vec::new();
    for i in 0..positional {
        if bound[i].is_unset() {
            if i >= first_default {
                bound[i] = defaults[surplus + i - first_default].clone();
            } else {
                missing.push(params.names[i]);
            }
        }
    }
    if !missing.is_empty() {
        return Err(missing_arguments(func, "positional", &missing));
    }
    if kwonly > 0 {
        let kwdefaults = func.kwdefaults.borrow().clone();
        for (value, name) in bound.iter_mut().zip(&params.names).skip(positional) {
            if value.is_unset() {
                match kwdefaults.iter().find(|(n, _)| n == name) {
                    Some((_, default)) => *value = default.clone(),
                    None => missing.push(*name),
                }
            }
        }
        if !missing.is_empty() {
            return Err(missing_arguments(func, "keyword-only", &missing));
        }
    }
    if params.has_vararg {
        bound.push(Value::tuple(extra));
    }
    if params.has_kwarg {
        let dict = Ref::new(Dict::default());
        for (name, value) in kwargs {
            dict.set_symbol(name, value);
        }
        bound.push(dict.into());
    }
    for value in bound {
        window.push(value)?;
    }
    Ok(())
}

fn qualname(func: &Ref<Function>) -> String {
    match &func.names().qualname {
        Value::Str(s) => s.text.to_string(),
        _ => func.code.qualname.to_string(),
    }
}

/// The error for an argument by a name that no parameter takes, one of those `given`: any that only a
/// position may take are told first.
#[cold]
fn unexpected_keyword(func: &Ref<Function>, name: Symbol, given: &[Symbol]) -> Raised {
    let params = &func.code.params;
    let (by_position, others) = params.names.split_at(params.posonly as usize);
    let wrong: Vec<&str> = by_position
        .iter()
        .filter(|param| given.contains(param))
        .map(|param| param.text())
        .collect();
    let called = qualname(func);
    if !wrong.is_empty() {
        return type_error(format!(
            "{called}() got some positional-only arguments passed as keyword arguments: '{}'",
            wrong.join(", ")
        ));
    }
    let known = &others[..(params.positional + params.kwonly - params.posonly) as usize];
    let hint = super::suggest::did_you_mean(name.text(), known.iter().map(|n| n.text()));
    type_error(format!(
        "{called}() got an unexpected keyword argument '{name}'{hint}"
    ))
}

fn missing_arguments(func: &Ref<Function>, kind: &str, missing: &[Symbol]) -> Raised {
    let quoted: Vec<String> = missing.iter().map(|n| format!("'{n}'")).collect();
    let list = match quoted.as_slice() {
        [one] => one.clone(),
        [a, b] => format!("{a} and {b}"),
        [init @ .., last] => format!("{}, and {last}", init.join(", ")),
        [] => String::new(),
    };
    let plural = if missing.len() == 1 { "" } else { "s" };
    let count = missing.len();
    type_error(format!(
        "{}() missing {count} required {kind} argument{plural}: {list}",
        qualname(func)
    ))
}

fn too_many(func: &Ref<Function>, given: usize, kwonly: &[Value]) -> Raised {
    let params = &func.code.params;
    let positional = params.positional as usize;
    let defaults = func.defaults.borrow().len();
    let (takes, plural) = if defaults > 0 {
        (format!("from {} to {positional}", positional - defaults), true)
    } else {
        (positional.to_string(), positional != 1)
    };
    let kwonly_given = kwonly.iter().filter(|v| !v.is_unset()).count();
    let were = if kwonly_given > 0 {
        format!(
            "{given} positional argument{} (and {kwonly_given} keyword-only argument{}) were",
            if given == 1 { "" } else { "s" },
            if kwonly_given == 1 { "" } else { "s" }
        )
    } else {
        format!("{given} {}", if given == 1 { "was" } else { "were" })
    };
    let s = if plural { "s" } else { "" };
    type_error(format!(
        "{}() takes {takes} positional argument{s} but {were} given",
        qualname(func)
    ))
}

/// Adds the items of `*value` to the arguments. `is_alone`: whether there are no other positional ones,
/// in which case CPython lets the call itself find out what is no iterable.
pub fn push_star(window: &Window, value: &Value, callee: &Value, is_alone: bool) -> Res<()> {
    match value {
        Value::Tuple(tuple) => return window.push_all(&tuple.items),
        Value::List(list) => return window.push_all(&list.items.borrow()),
        _ => {}
    }
    let items = iterate::collect(value).map_err(|raised| {
        if matches(&raised, Type::TypeError) && !iterate::speaks_of_iteration(value) {
            let _ = raised.take();
            let kind = super::types::class_name(value);
            let whose = match is_alone {
                true => format!("{} argument", callee_name(callee)),
                false => "Value".into(),
            };
            return type_error(format!("{whose} after * must be an iterable, not {kind}"));
        }
        raised
    })?;
    window.push_all(&items)
}

/// Adds the entries of `**value` to the keyword arguments.
pub fn push_double_star(
    values: &mut Vec<Value>,
    names: &mut Vec<Symbol>,
    value: &Value,
    callee: &Value,
) -> Res<()> {
    let free = |names: &[Symbol], key: &Value| match super::payload::as_str(key).map(|key| key.symbol()) {
        Some(name) if names.contains(&name) => Err(repeated_keyword(callee, name.text())),
        name => Ok(name),
    };
    let mut add = |names: &mut Vec<Symbol>, key: &Value, value: Value| {
        let Some(name) = free(names, key)? else {
            super::operator::hash(key)?; // it has been put into a dict by then
            return Err(type_error("keywords must be strings"));
        };
        names.push(name);
        values.push(value);
        Ok(())
    };
    if let Some(dict) = mapping::whole_dict(value) {
        let mut entries = mapping::entries(dict).into_iter();
        return entries.try_for_each(|(key, value)| add(names, &key, value));
    }
    let keys = collection::keys_of(value).map_err(|raised| keyword_error(raised, value, callee))?;
    for key in keys.ok_or_else(|| not_a_mapping(value, callee))? {
        free(names, &key)?; // before the mapping is asked
        let item = super::subscript::get_item(value, &key);
        let item = item.map_err(|raised| keyword_error(raised, value, callee))?;
        add(names, &key, item)?;
    }
    Ok(())
}

#[cold]
fn not_a_mapping(value: &Value, callee: &Value) -> Raised {
    let kind = super::types::class_name(value);
    type_error(format!(
        "{} argument after ** must be a mapping, not {kind}",
        callee_name(callee)
    ))
}

/// CPython takes a mapping's KeyError for its own, that a keyword is there already, and an
/// AttributeError for the one that there is no `keys`.
#[cold]
fn keyword_error(raised: Raised, value: &Value, callee: &Value) -> Raised {
    if matches(&raised, Type::AttributeError) {
        drop(raised.take());
        return not_a_mapping(value, callee);
    }
    let given = raised.peek().args.get();
    match as_tuple(&given).map(|given| &*given.items) {
        Some([key]) if matches(&raised, Type::KeyError) => {
            drop(raised.take());
            match super::text::str(key) {
                Ok(name) => repeated_keyword(callee, &name),
                Err(raised) => raised,
            }
        }
        _ => raised,
    }
}

/// The error for a keyword that a call gives twice.
#[cold]
pub fn repeated_keyword(callee: &Value, name: &str) -> Raised {
    type_error(format!(
        "{} got multiple values for keyword argument '{name}'",
        callee_name(callee)
    ))
}

/// What a callee is called in messages: `__main__.f()`, `print()`.
fn callee_name(callee: &Value) -> String {
    match callee {
        Value::Function(f) => {
            let names = f.names();
            match (&names.module, &names.qualname) {
                (Value::Str(m), Value::Str(q)) => format!("{}.{}()", m.text, q.text),
                _ => format!("{}()", f.code.qualname),
            }
        }
        Value::Method(m) => callee_name(&m.func),
        Value::Native(n) => format!("{}()", argument::native_name(n)),
        Value::Class(c) => format!("{}()", super::text::object::class_path(c)),
        other => own_name(other)
            .or_else(|raised| {
                drop(raised.take());
                super::text::str(other)
            })
            .unwrap_or_else(|raised| {
                drop(raised.take());
                format!("{} object", class_of(other).name())
            }),
    }
}

/// The name that a callable object has, as a function's is shown.
fn own_name(callee: &Value) -> Res<String> {
    let qualname = super::text::str(&attribute::get(callee, name::QUALNAME)?)?;
    Ok(match &attribute::find(callee, name::MODULE)? {
        Some(Value::Str(module)) if &*module.text != "builtins" => format!("{}.{qualname}()", module.text),
        _ => format!("{qualname}()"),
    })
}
