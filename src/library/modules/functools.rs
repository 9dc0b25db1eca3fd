//! `_functools`: calls whose results are kept.

use crate::interp::error::type_error;
use crate::interp::mapping::{self, dict_get_hashed, dict_set_hashed};
use crate::interp::payload::small;
use crate::interp::types::{class_of, named_class};
use crate::interp::{attribute, call, operator};
use crate::library::asyncio::natives;
use crate::source::Symbol;
use crate::value::*;
use std::cell::Cell;

pub fn module() -> Vec<(Symbol, Value)> {
    let native = |def: &NativeDef| {
        (
            Symbol::new(def.name),
            Native::of(def, "_lru_cache_wrapper").into(),
        )
    };
    NATIVES.iter().map(native).collect()
}

/// The results of one function.
struct Cache {
    function: Value,
    /// None for no limit.
    maxsize: Option<usize>,
    /// Whether arguments of different types are different calls.
    typed: bool,
    /// By the arguments; the least recently used first, if there is a limit.
    results: Ref<Dict>,
    hits: Cell<i64>,
    misses: Cell<i64>,
    /// Stands in a key between positional arguments and named ones.
    mark: Value,
}

const NATIVES: &[NativeDef] = natives! {
    Function Plain "cache" "(function, maxsize, typed, /)" "The results of a function, none yet." |args| {
        let cache = Cache {
            function: args[0].clone(),
            maxsize: match args[1].is_none() {
                true => None,
                false => Some(small(&args[1])?.max(0) as usize),
            },
            typed: operator::truth(&args[2])?,
            results: mapping::new_dict(),
            hits: Cell::new(0),
            misses: Cell::new(0),
            mark: Opaque::value(named_class("_mark"), ()),
        };
        Ok(Opaque::value(named_class("_cache"), cache))
    };
    Function Plain "info" "(cache, /)" "Hits, misses and the number of results." |args| {
        let cache = cache_of(&args[0])?;
        let size = cache.results.table.borrow().len() as i64;
        Ok(Value::tuple([cache.hits.get(), cache.misses.get(), size].map(Value::Int)))
    };
    Function Plain "clear" "(cache, /)" "Forget all results." |args| {
        let cache = cache_of(&args[0])?;
        cache.hits.set(0);
        cache.misses.set(0);
        let old = cache.results.table.borrow_mut().take();
        drop(old);
        Ok(Value::None)
    };
    Method Plain "__call__" "(self, /, *args, **kwargs)" "The function's result, kept from before if there is one."
        |args| cached(cache_of(&attribute::get(&args[0], Symbol::new("_cache"))?)?, args);
};

fn cache_of(value: &Value) -> Res<&Cache> {
    value.opaque().ok_or_else(|| type_error("a cache is required"))
}

fn cached(cache: &Cache, args: &[Value]) -> Res {
    let positional = match &args[1] {
        Value::Tuple(given) => &given.items[..],
        _ => &[],
    };
    let named = match &args[2] {
        Value::Dict(given) => given.symbol_entries(),
        _ => Vec::new(),
    };
    let count = |counter: &Cell<i64>| counter.set(counter.get() + 1);
    if cache.maxsize == Some(0) {
        count(&cache.misses);
        return call::call_kw(&cache.function, positional, &named);
    }
    let key = key(cache, &args[1], positional, &named);
    let hash = operator::hash(&key)?;
    if let Some(result) = dict_get_hashed(&cache.results, hash, &key)? {
        count(&cache.hits);
        if cache.maxsize.is_some() {
            mapping::dict_remove(&cache.results, &key)?;
            dict_set_hashed(&cache.results, hash, &key, result.clone())?;
        }
        return Ok(result);
    }
    count(&cache.misses);
    let result = call::call_kw(&cache.function, positional, &named)?;
    // The call may have filled the cache, also with this very result.
    let is_full = cache
        .maxsize
        .is_some_and(|maxsize| cache.results.table.borrow().len() >= maxsize);
    if is_full
        && dict_get_hashed(&cache.results, hash, &key)?.is_none()
        && let Some((_, oldest, _)) = mapping::dict_next(&cache.results, 0)
    {
        mapping::dict_remove(&cache.results, &oldest)?;
    }
    dict_set_hashed(&cache.results, hash, &key, result.clone())?;
    Ok(result)
}

/// What tells one call from others.
fn key(cache: &Cache, whole: &Value, positional: &[Value], named: &[(Symbol, Value)]) -> Value {
    if named.is_empty() && !cache.typed {
        return match positional {
            [only @ (Value::Int(_) | Value::Str(_))] => only.clone(),
            _ => whole.clone(),
        };
    }
    let mut parts = positional.to_vec();
    if !named.is_empty() {
        parts.push(cache.mark.clone());
    }
    for (name, value) in named {
        parts.extend([(*name).into(), value.clone()]);
    }
    if cache.typed {
        let values = positional.iter().chain(named.iter().map(|(_, value)| value));
        parts.extend(values.map(|value| Value::from(class_of(value))));
    }
    Value::tuple(parts)
}
