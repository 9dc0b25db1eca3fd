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
    match places_of(&native.signature, npos, names) {
        Some(places) => put(&native.signature, window, start, npos, names, &places),
        None => Err(argument::misfit(native, npos, names)),
    }
}

/// The parameters that arguments by name are for; none is among the `**kwargs`.
type Places = SmallVec<[Option<usize>; 8]>;

/// Where the arguments by name go, if all arguments fit.
fn places_of(signature: &Parameters, npos: usize, names: &[Symbol]) -> Option<Places> {
    let params = &signature.params;
    if npos > signature.positional {
        return None;
    }
    let own = npos.min(signature.before_rest);
    let has_kwargs = params.last().is_some_and(|p| p.kind == ParamKind::Kwargs);
    let mut places = Places::new();
    for name in names {
        let takes_name = |param: &NativeParam| {
            param.name == *name && matches!(param.kind, ParamKind::Positional | ParamKind::KeywordOnly)
        };
        match params.iter().position(takes_name) {
            Some(place) if place >= own => places.push(Some(place)),
            None if has_kwargs => places.push(None),
            _ => return None,
        }
    }
    let is_there = |(place, param): (usize, &NativeParam)| {
        place < own
            || param.has_default
            || matches!(param.kind, ParamKind::Args | ParamKind::Kwargs)
            || places.contains(&Some(place))
    };
    params.iter().enumerate().all(is_there).then_some(places)
}

/// Puts the arguments by name where they go, and those for a `*args` into a tuple (without a list of
/// all: half the time of `moment.replace(hour=3)`).
fn put(
    signature: &Parameters,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
    places: &Places,
) -> Res<()> {
    let params = &signature.params;
    let named = start + npos;
    let values: SmallVec<[Value; 8]> = (0..names.len()).map(|i| window.take(named + i)).collect();
    let mut rest = Vec::new();
    if npos > signature.before_rest {
        rest = window.drain(start + signature.before_rest);
        rest.truncate(npos - signature.before_rest);
    }
    window.resize(start + params.len())?;
    let mut others = None;
    for ((value, name), place) in values.into_iter().zip(names).zip(places) {
        match place {
            Some(place) => window.set(start + place, value),
            None => others.get_or_insert_with(Dict::default).set_symbol(*name, value),
        }
    }
    if let Some(others) = others {
        window.set(start + params.len() - 1, Ref::new(others).into());
    }
    if signature.has_rest() {
        window.set(start + signature.before_rest, Value::tuple(rest));
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
