//! From the arguments of a call to a built-in's parameters.

use super::argument;
use super::stack::Window;
use crate::source::Symbol;
use crate::value::native::{NativeParam, ParamKind, Parameters};
use crate::value::*;
use smallvec::SmallVec;

/// Lays out one value for each parameter of a built-in; unset where nothing was given.
#[inline(always)]
pub fn bind_native(
    native: &Ref<Native>,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
) -> Res<()> {
    let signature: &Parameters = &native.signature;
    if names.is_empty() && signature.fits(npos) {
        window.push_unset(signature.params.len() - npos)
    } else if names.is_empty() && signature.takes_rest && npos >= signature.required {
        bind_rest(signature, window, start, npos)
    } else {
        bind_slowly(native, window, start, npos, names)
    }
}

#[inline(never)]
fn bind_slowly(
    native: &Ref<Native>,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
) -> Res<()> {
    match !names.is_empty() && bind_named(&native.signature, window, start, npos, names)? {
        true => Ok(()),
        false => bind_by_rule(native, window, start, npos, names),
    }
}

/// Puts named arguments where their parameters are, if all arguments fit so; else nothing is changed
/// (half the time of `moment.replace(hour=3)`).
fn bind_named(
    signature: &Parameters,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
) -> Res<bool> {
    let params = &signature.params;
    let rest = signature.has_rest().then_some(signature.before_rest);
    if params.len() >= u64::BITS as usize || npos > rest.unwrap_or(signature.positional) {
        return Ok(false);
    }
    let mut taken: u64 = (1 << npos) - 1;
    let mut places: SmallVec<[usize; 8]> = SmallVec::new();
    for name in names {
        let takes_name = |param: &NativeParam| {
            param.name == *name && matches!(param.kind, ParamKind::Positional | ParamKind::KeywordOnly)
        };
        match params.iter().position(takes_name) {
            Some(place) if taken >> place & 1 == 0 => {
                taken |= 1 << place;
                places.push(place);
            }
            _ => return Ok(false),
        }
    }
    let is_missing = |(place, param): (usize, &NativeParam)| {
        taken >> place & 1 == 0
            && !param.has_default
            && !matches!(param.kind, ParamKind::Args | ParamKind::Kwargs)
    };
    if params.iter().enumerate().any(is_missing) {
        return Ok(false);
    }
    let first = start + npos;
    let values: SmallVec<[Value; 8]> = (0..names.len()).map(|i| window.take(first + i)).collect();
    window.push_unset(params.len() - npos - names.len())?;
    for (value, place) in values.into_iter().zip(places) {
        window.set(start + place, value);
    }
    if let Some(place) = rest {
        window.set(start + place, Value::tuple([]));
    }
    Ok(true)
}

#[cold]
#[inline(never)]
fn bind_by_rule(
    native: &Ref<Native>,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
) -> Res<()> {
    let signature: &Parameters = &native.signature;
    let own = argument::own(native);
    let mut given = window.drain(start);
    let keyword_values = given.split_off(npos.min(given.len()));
    let is_positional = signature
        .params
        .iter()
        .all(|p| p.kind == ParamKind::PositionalOnly);
    if is_positional && let Some(name) = names.first() {
        return Err(argument::no_keywords(native, *name, npos, names.len()));
    }
    if npos > signature.positional || argument::are_too_many(native, npos + names.len()) {
        return Err(argument::too_many(native, npos, names));
    }
    let mut given = given.into_iter();
    let mut keywords: Vec<(Symbol, Value)> = names.iter().copied().zip(keyword_values).collect();
    let has_kwargs = signature.params.iter().any(|p| p.kind == ParamKind::Kwargs);
    for (i, param) in signature.params.iter().enumerate() {
        let value = match param.kind {
            ParamKind::Args => Value::tuple(given.by_ref().collect::<Vec<_>>()),
            ParamKind::Kwargs if keywords.is_empty() => Value::Unset,
            ParamKind::Kwargs => {
                let dict = Ref::new(Dict::default());
                for (name, value) in keywords.drain(..) {
                    dict.set_symbol(name, value);
                }
                dict.into()
            }
            kind => {
                let mut value = match kind {
                    ParamKind::KeywordOnly => Value::Unset,
                    _ => given.next().unwrap_or_default(),
                };
                if kind != ParamKind::PositionalOnly
                    && let Some(k) = keywords.iter().position(|(n, _)| *n == param.name)
                {
                    if !value.is_unset() {
                        return Err(argument::given_twice(native, param.name, i + 1 - own));
                    }
                    value = keywords.remove(k).1;
                }
                if value.is_unset() && !param.has_default {
                    return Err(argument::missing(native, npos, &keywords, i));
                }
                value
            }
        };
        window.push(value)?;
    }
    if let Some((name, _)) = keywords.first()
        && !has_kwargs
    {
        let name = *name;
        if signature
            .params
            .iter()
            .all(|p| matches!(p.kind, ParamKind::PositionalOnly | ParamKind::Args))
        {
            return Err(argument::no_keywords(native, name, npos, names.len()));
        }
        return Err(argument::unexpected_keyword(native, name, names.len()));
    }
    Ok(())
}

/// Positional arguments for a built-in with `*args`: those beyond the other parameters become its
/// tuple (benchmark: sched/call_soon).
fn bind_rest(signature: &Parameters, window: &Window, start: usize, npos: usize) -> Res<()> {
    let own = signature.before_rest;
    window.push_unset(own.saturating_sub(npos))?;
    let rest = window.drain(start + own);
    window.push(Value::tuple(rest))?;
    window.push_unset(signature.params.len() - own - 1)
}
