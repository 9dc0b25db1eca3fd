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
use smallvec::SmallVec;

/// Rearranges the arguments from `start` on into one value for each parameter
/// (https://docs.python.org/3/reference/expressions.html#calls).
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
    let by_name = positional + params.kwonly as usize;
    // What most calls of functions with `*args` need: the positional arguments stay where they are.
    if params.has_vararg && names.is_empty() && by_name == positional && npos >= positional {
        let extra = window.drain(start + positional);
        window.push(Value::tuple(extra))?;
        if params.has_kwarg {
            window.push(Ref::new(Dict::default()).into())?;
        }
        return Ok(());
    }
    let misfit = || Err(misfit(func, npos, names));
    // Arguments that stand where their parameters do stay there.
    let given = npos + names.len();
    let stands = (params.posonly as usize..=positional).contains(&npos)
        && given <= by_name
        && params.names[npos..given] == *names;
    if stands && by_name == params.names.len() {
        window.resize(start + by_name)?;
        return match fill_defaults(func, window, start, given) {
            true => Ok(()),
            false => misfit(),
        };
    }
    let named = start + npos;
    let values: SmallVec<[Value; 8]> = (0..names.len()).map(|i| window.take(named + i)).collect();
    let mut extra = Vec::new();
    if npos > positional {
        if !params.has_vararg {
            return misfit();
        }
        extra = window.drain(start + positional);
        extra.truncate(npos - positional);
    }
    window.resize(start + params.names.len())?;
    let kwargs = params.has_kwarg.then(|| Ref::new(Dict::default()));
    for (i, (&name, value)) in names.iter().zip(values).enumerate() {
        match params.names[..by_name].iter().position(|&param| param == name) {
            Some(place) if place >= params.posonly as usize => {
                if !window.values(start)[place].is_unset() {
                    return misfit();
                }
                window.set(start + place, value);
            }
            _ => match &kwargs {
                Some(kwargs) if !names[..i].contains(&name) => kwargs.set_symbol(name, value),
                _ => return misfit(),
            },
        }
    }
    if !fill_defaults(func, window, start, npos.min(positional)) {
        return misfit();
    }
    if params.has_vararg {
        window.set(start + by_name, Value::tuple(extra));
    }
    if let Some(kwargs) = kwargs {
        window.set(start + by_name + usize::from(params.has_vararg), kwargs.into());
    }
    Ok(())
}

/// Gives parameters from a place on that got no argument their defaults; false if one has none.
#[inline]
fn fill_defaults(func: &Ref<Function>, window: &Window, start: usize, from: usize) -> bool {
    let params = &func.code.params;
    let positional = params.positional as usize;
    let by_name = positional + params.kwonly as usize;
    let is_missing = |place: &usize| window.values(start)[*place].is_unset();
    if from < positional {
        let defaults = func.defaults.borrow();
        for place in (from..positional).filter(is_missing) {
            match default_of(&defaults, place, positional) {
                Some(default) => window.set(start + place, default.clone()),
                None => return false,
            }
        }
    }
    if by_name > positional {
        let defaults = func.kwdefaults.borrow();
        for place in (from.max(positional)..by_name).filter(is_missing) {
            match defaults.iter().find(|(name, _)| *name == params.names[place]) {
                Some((_, default)) => window.set(start + place, default.clone()),
                None => return false,
            }
        }
    }
    true
}

/// The default of the parameter at a place among so many positional ones. The last ones count, if a
/// script set more defaults than there are parameters.
#[inline]
pub fn default_of(defaults: &[Value], place: usize, positional: usize) -> Option<&Value> {
    defaults.get((place + defaults.len()).checked_sub(positional)?)
}

/// The error for arguments that do not fit: `npos` positional ones, then those by `names`.
#[cold]
fn misfit(func: &Ref<Function>, npos: usize, names: &[Symbol]) -> Raised {
    let params = &func.code.params;
    let positional = params.positional as usize;
    let by_name = &params.names[..positional + params.kwonly as usize];
    for (i, &name) in names.iter().enumerate() {
        let place = by_name.iter().position(|&param| param == name);
        let is_repeated = names[..i].contains(&name);
        let called = || qualname(func);
        match place.filter(|&place| place >= params.posonly as usize) {
            Some(place) if place < npos.min(positional) || is_repeated => {
                return type_error(format!(
                    "{}() got multiple values for argument '{name}'",
                    called()
                ));
            }
            None if !params.has_kwarg => return unexpected_keyword(func, name, names),
            None if is_repeated => {
                return type_error(format!(
                    "{}() got multiple values for keyword argument '{name}'",
                    called()
                ));
            }
            _ => {}
        }
    }
    if npos > positional && !params.has_vararg {
        let by_name_only = by_name[positional..].iter().filter(|name| names.contains(name));
        return too_many(func, npos, by_name_only.count());
    }
    // One that only a position may take is not given by its name.
    let is_missing =
        |place: usize| place >= npos && (place < params.posonly as usize || !names.contains(&by_name[place]));
    let defaults = func.defaults.borrow();
    let missing: Vec<Symbol> = (0..positional)
        .filter(|&place| is_missing(place) && default_of(&defaults, place, positional).is_none())
        .map(|place| by_name[place])
        .collect();
    if !missing.is_empty() {
        return missing_arguments(func, "positional", &missing);
    }
    let kwdefaults = func.kwdefaults.borrow();
    let has_default = |name: &Symbol| kwdefaults.iter().any(|(known, _)| known == name);
    let missing: Vec<Symbol> = by_name[positional..]
        .iter()
        .filter(|name| !names.contains(name) && !has_default(name))
        .copied()
        .collect();
    missing_arguments(func, "keyword-only", &missing)
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

fn too_many(func: &Ref<Function>, given: usize, kwonly_given: usize) -> Raised {
    let params = &func.code.params;
    let positional = params.positional as usize;
    let defaults = func.defaults.borrow().len();
    let (takes, plural) = if defaults > 0 {
        (
            format!("from {} to {positional}", positional as isize - defaults as isize),
            true,
        )
    } else {
        (positional.to_string(), positional != 1)
    };
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
