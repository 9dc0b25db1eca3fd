//! `_functools`: folding, and functions whose results are kept.

use crate::code::CompareOp;
use crate::interp::error::*;
use crate::interp::mapping::{self, dict_set_hashed};
use crate::interp::payload::*;
use crate::interp::stack::Window;
use crate::interp::types::{Type, class_of, named_class};
use crate::interp::{attribute, call, descriptor, iterate, operator};
use crate::library::asyncio::natives;
use crate::library::builtins::{self, object::attribute_name};
use crate::source::{Symbol, name};
use crate::value::opaque::{self, Container};
use crate::value::*;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_functools", &[FUNCTIONS]);
    names.push((
        Symbol::new("_call_partial"),
        Native::of(&CALL_PARTIAL, OWNER).into(),
    ));
    names.push((
        Symbol::new("_new_partial"),
        Native::of(&NEW_PARTIAL, OWNER).into(),
    ));
    names.push((Symbol::new("_lru_cache_wrapper"), wrapper_class().into()));
    key_class();
    names
}

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "reduce" "(function, iterable, initial=None, /)"
        "Fold the items of an iterable into one value, from the left, beginning with initial if it is given."
        |args| reduce(&args[0], &args[1], &args[2]);
    Function Plain "_wrap" "(wrapper, wrapped, assigned, updated, /)"
        "Make a wrapper look like what it wraps: by the attributes and the dicts that are named." |args| {
        let names = iterate::collect(&args[2])?;
        let names = names.iter().map(attribute_name).collect::<Res<Vec<_>>>()?;
        let at_once = takes_names(&args[0], &args[1], &names);
        for name in names {
            if at_once && NAMES.contains(&name) {
                continue;
            }
            if let Some(value) = attribute::find(&args[1], name)? {
                attribute::set(&args[0], name, value)?;
            }
        }
        for name in iterate::collect(&args[3])? {
            take_entries(&args[0], &args[1], attribute_name(&name)?)?;
        }
        attribute::set(&args[0], Symbol::new("__wrapped__"), args[1].clone())?;
        Ok(args[0].clone())
    };
    Function Plain "cmp_to_key" "(mycmp)" "A sort key from a function that compares two items."
        |args| Ok(Key::value(&args[0], Value::Unset));
};

/// The names and doc of a function.
const NAMES: [Symbol; 4] = [name::MODULE, name::NAME, name::QUALNAME, name::DOC];

/// Gives a function all names of another one, if they are among those to be taken on.
fn takes_names(wrapper: &Value, wrapped: &Value, names: &[Symbol]) -> bool {
    let (Value::Function(wrapper), Value::Function(wrapped)) = (wrapper, wrapped) else {
        return false;
    };
    let are_all = NAMES.iter().all(|name| names.contains(name));
    if are_all {
        let old = wrapper.names.replace(Some(Box::new(wrapped.names())));
        drop(old);
    }
    are_all
}

/// Adds the entries of a named dict of another object to the wrapper's own.
fn take_entries(wrapper: &Value, wrapped: &Value, name: Symbol) -> Res<()> {
    let is_bare = |of: &Value| matches!(of, Value::Function(function) if function.attrs.is_empty());
    if name == name::DICT && matches!(wrapper, Value::Function(_)) && is_bare(wrapped) {
        return Ok(());
    }
    let own = attribute::get(wrapper, name)?;
    let theirs = attribute::find(wrapped, name)?.unwrap_or_else(|| mapping::new_dict().into());
    call::call_method(&own, Symbol::new("update"), &[theirs])?;
    Ok(())
}

/// An item that compares as a function says, or, without an item, what makes such keys.
struct Key {
    compare: Value,
    item: RefCell<Value>,
}

impl Container for Key {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        each(&self.compare);
        each(&self.item.borrow());
    }
}

impl Key {
    fn value(compare: &Value, item: Value) -> Value {
        let key = Key {
            compare: compare.clone(),
            item: RefCell::new(item),
        };
        Opaque::value(key_class(), key)
    }

    fn of(args: &[Value]) -> Res<&Key> {
        args[0]
            .opaque()
            .ok_or_else(|| wrong_self("__call__", "functools.KeyWrapper", &args[0]))
    }

    fn item(&self) -> Option<Value> {
        let item = self.item.borrow().clone();
        (!item.is_unset()).then_some(item)
    }
}

fn key_class() -> Ref<Class> {
    let class = named_class("functools.KeyWrapper");
    if class.own(name::HASH).is_none() {
        builtins::add(&class, KEY);
        class.set(name::HASH, Value::None);
        opaque::look_into::<Key>();
    }
    class
}

const KEY: &[NativeDef] = natives! {
    Method Plain "__call__" "(self, /, obj)" "A key for obj."
        |args| Ok(Key::value(&Key::of(args)?.compare, args[1].clone()));
    Method Plain "__lt__" "(self, value, /)" "Return self<value." |args| compared(args, CompareOp::Lt);
    Method Plain "__le__" "(self, value, /)" "Return self<=value." |args| compared(args, CompareOp::LtE);
    Method Plain "__eq__" "(self, value, /)" "Return self==value." |args| compared(args, CompareOp::Eq);
    Method Plain "__ne__" "(self, value, /)" "Return self!=value." |args| compared(args, CompareOp::NotEq);
    Method Plain "__gt__" "(self, value, /)" "Return self>value." |args| compared(args, CompareOp::Gt);
    Method Plain "__ge__" "(self, value, /)" "Return self>=value." |args| compared(args, CompareOp::GtE);
    Getter Plain "obj" "(self, /)" "Value wrapped by a key function."
        |args| Ok(Key::of(args)?.item().unwrap_or(Value::None));
    Setter Plain "obj" "(self, value, /)" "Value wrapped by a key function." |args| {
        let old = Key::of(args)?.item.replace(args[1].clone());
        drop(old);
        Ok(Value::None)
    };
};

/// Two items by what their function says of them: less than 0, 0 or more.
fn compared(args: &[Value], op: CompareOp) -> Res {
    let this = Key::of(args)?;
    let Some(other) = args[1].opaque::<Key>() else {
        return Err(type_error("other argument must be K instance"));
    };
    let (Some(a), Some(b)) = (this.item(), other.item()) else {
        return Err(raise(Type::AttributeError, "object"));
    };
    let order = call::call(&this.compare, &[a, b])?;
    operator::compare(op, &order, &Value::Int(0))
}

const CALL_PARTIAL: NativeDef = NativeDef {
    name: "__call__",
    signature: "(self, /, *args, **kwargs)",
    doc: "Call self as a function.",
    role: NativeRole::Method,
    body: NativeBody::Given(call_partial),
    module: None,
};

const OWNER: &str = "functools.partial";

const NEW_PARTIAL: NativeDef = builtins::static_method(
    "__new__",
    "(cls, /, *args, **keywords)",
    "A function with some of its arguments given.",
    new_partial,
);

fn new_partial(args: &[Value]) -> Res {
    let Some(of) = as_class(&args[0]).filter(|of| of.layout == Layout::Object) else {
        return Err(type_error("partial.__new__(X): X is not a type object"));
    };
    let given = as_tuple(&args[1]).map_or(&[][..], |given| &given.items[..]);
    let Some((func, rest)) = given.split_first() else {
        return Err(type_error("type 'partial' takes at least one argument"));
    };
    if !call::is_callable(func) {
        return Err(type_error("the first argument must be callable"));
    }
    let (mut func, mut first, mut keywords) = (func.clone(), rest.to_vec(), args[2].clone());
    if as_dict(&keywords).is_none() {
        keywords = mapping::new_dict().into();
    }
    // One layer is enough.
    if let Some([inner, its_first, its_keywords]) = bare_partial(&func) {
        if let Some(its_first) = as_tuple(&its_first) {
            first = its_first.items.iter().cloned().chain(first).collect();
        }
        if let Some(both) = as_dict(&its_keywords).filter(|its| !its.is_empty()) {
            let both = Ref::new(mapping::dict_copy(both));
            for (name, value) in as_dict(&keywords).map_or_else(Vec::new, |new| new.symbol_entries()) {
                both.set_symbol(name, value);
            }
            keywords = both.into();
        }
        func = inner;
    }
    let slots = [name::FUNC, name::ARGS, name::KEYWORDS];
    let shape = slots.iter().fold(of.root_shape, |shape, &slot| shape.with(slot));
    let parts = [func, Value::tuple(first), keywords];
    Ok(Ref::new(Instance::filled(of.clone(), shape, parts)).into())
}

/// The parts of a partial that has no attributes of its own.
fn bare_partial(func: &Value) -> Option<[Value; 3]> {
    let Value::Instance(partial) = func else {
        return None;
    };
    let is_home = |class: &Ref<Class>| matches!(class.dict.borrow().get(&name::NEW), Some(Value::Native(new)) if new.owner == OWNER);
    if !partial.class().linear().iter().any(is_home)
        || partial.detached().is_some()
        || partial.shape().names.len() != 3
    {
        return None;
    }
    let [func, args, keywords] = [name::FUNC, name::ARGS, name::KEYWORDS].map(|slot| partial.slot(slot));
    Some([func?, args?, keywords?])
}

fn call_partial(args: &[Value], names: &[Symbol]) -> Res {
    let (this, positional, values) = laid_out(args, names, "functools.partial")?;
    let Value::Instance(partial) = this else {
        return Err(wrong_self("__call__", "functools.partial", this));
    };
    let part = |name: Symbol| partial.slot(name).unwrap_or(Value::None);
    let (func, first, keywords) = (part(name::FUNC), part(name::ARGS), part(name::KEYWORDS));
    let first = as_tuple(&first).map_or(&[][..], |first| &first.items[..]);
    let count = first.len() + positional.len();
    let window = Window::open();
    window.push(Value::Unset)?;
    for arg in first.iter().chain(positional) {
        window.push(arg.clone())?;
    }
    let Some(keywords) = as_dict(&keywords).filter(|keywords| !keywords.is_empty()) else {
        for value in values {
            window.push(value.clone())?;
        }
        return call::invoke(&func, &window, count, names);
    };
    // What is given anew stands where it stood before.
    let mut all: SmallVec<[Symbol; 8]> = SmallVec::new();
    let kept = keywords.symbol_entries();
    if kept.len() < keywords.len() {
        return Err(type_error("keywords must be strings"));
    }
    for (name, value) in kept {
        let given = names.iter().position(|given| *given == name);
        window.push(given.map_or(value, |place| values[place].clone()))?;
        all.push(name);
    }
    let known = all.len();
    for (name, value) in names.iter().zip(values) {
        if !all[..known].contains(name) {
            window.push(value.clone())?;
            all.push(*name);
        }
    }
    call::invoke(&func, &window, count, &all)
}

/// The arguments of a call to an object: the object, the positional ones, and the values of the named ones.
fn laid_out<'a>(
    args: &'a [Value],
    names: &[Symbol],
    owner: &str,
) -> Res<(&'a Value, &'a [Value], &'a [Value])> {
    let (positional, values) = args.split_at(args.len() - names.len());
    match positional.split_first() {
        Some((this, positional)) => Ok((this, positional, values)),
        None => Err(type_error(format!(
            "descriptor '__call__' of '{owner}' object needs an argument"
        ))),
    }
}

fn reduce(function: &Value, iterable: &Value, initial: &Value) -> Res {
    let items = match iterate::iter(iterable) {
        Err(raised) if matches(&raised, Type::TypeError) => {
            drop(raised.take());
            return Err(type_error("reduce() arg 2 must support iteration"));
        }
        items => items?,
    };
    let mut value = match initial {
        Value::Unset => iterate::next(&items)?
            .ok_or_else(|| type_error("reduce() of empty iterable with no initial value"))?,
        initial => initial.clone(),
    };
    while let Some(item) = iterate::next(&items)? {
        value = call::call(function, &[value, item])?;
    }
    Ok(value)
}

/// A function and the results of its calls.
struct Cache {
    function: Value,
    /// None for no limit.
    maxsize: Option<usize>,
    /// Whether arguments of different types are different calls.
    typed: bool,
    /// Makes what `cache_info` gives.
    info: Value,
    /// By the arguments; the least recently used first, if there is a limit.
    results: Ref<Dict>,
    hits: Cell<i64>,
    misses: Cell<i64>,
    /// Stands in a key between positional arguments and named ones.
    mark: Value,
}

impl Container for Cache {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        each(&self.function);
        each(&self.results.clone().into());
    }
}

fn wrapper_class() -> Ref<Class> {
    let class = named_class("functools._lru_cache_wrapper");
    if class.own(name::NEW).is_none() {
        builtins::add(&class, WRAPPER);
        class.is_final.set(true);
        opaque::look_into::<Cache>();
        class.has_dict.set(true);
    }
    class
}

const WRAPPER: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, user_function, maxsize, typed, cache_info_type, /)"
        "A function whose results are kept." |args| {
        let Value::Class(of) = &args[0] else {
            return Err(type_error("_lru_cache_wrapper.__new__(X): X is not a type object"));
        };
        if !call::is_callable(&args[1]) {
            return Err(type_error("the first argument must be callable"));
        }
        let cache = Cache {
            function: args[1].clone(),
            maxsize: match args[2].is_none() {
                true => None,
                false => Some(small(&args[2])?.max(0) as usize),
            },
            typed: operator::truth(&args[3])?,
            info: args[4].clone(),
            results: mapping::new_dict(),
            hits: Cell::new(0),
            misses: Cell::new(0),
            mark: Opaque::value(named_class("_mark"), ()),
        };
        Ok(Opaque::value(of.clone(), cache))
    };
    Method Given "__call__" "(self, /, *args, **kwargs)" "The function's result, kept from before if there is one."
        |args, names| {
        let (_, positional, values) = laid_out(args, names, "functools._lru_cache_wrapper")?;
        cached(this(args)?, positional, names, values)
    };
    Method Plain "__get__" "(self, instance, owner=None, /)" "The function as a method." |args| {
        Ok(match &args[1] {
            Value::None => args[0].clone(),
            instance => descriptor::method(&args[0], instance),
        })
    };
    Method Plain "cache_info" "(self, /)" "Report how the cache fares: hits, misses, maxsize, currsize." |args| {
        let cache = this(args)?;
        let maxsize = cache.maxsize.map_or(Value::None, Value::from);
        let size = cache.results.table.borrow().len();
        let (hits, misses) = (cache.hits.get().into(), cache.misses.get().into());
        call::call(&cache.info, &[hits, misses, maxsize, size.into()])
    };
    Method Plain "cache_clear" "(self, /)" "Forget all results." |args| {
        let cache = this(args)?;
        cache.hits.set(0);
        cache.misses.set(0);
        let old = cache.results.table.borrow_mut().take();
        drop(old);
        Ok(Value::None)
    };
    Method Plain "__copy__" "(self, /)" "The function itself." |args| Ok(args[0].clone());
    Method Plain "__deepcopy__" "(self, memo, /)" "The function itself." |args| Ok(args[0].clone());
    Method Plain "__reduce__" "(self, /)" "The name under which its module has it."
        |args| attribute::get(&args[0], name::QUALNAME);
};

fn this(args: &[Value]) -> Res<&Cache> {
    args[0]
        .opaque()
        .ok_or_else(|| wrong_self("__call__", "functools._lru_cache_wrapper", &args[0]))
}

fn cached(cache: &Cache, positional: &[Value], names: &[Symbol], values: &[Value]) -> Res {
    let result = || match names {
        [] => call::call(&cache.function, positional),
        names => {
            let named: Vec<_> = names.iter().copied().zip(values.iter().cloned()).collect();
            call::call_kw(&cache.function, positional, &named)
        }
    };
    let count = |counter: &Cell<i64>| counter.set(counter.get() + 1);
    if cache.maxsize == Some(0) {
        count(&cache.misses);
        return result();
    }
    let key = key(cache, positional, names, values);
    let hash = operator::hash(&key)?;
    if let Some(place) = mapping::dict_position(&cache.results, hash, &key)? {
        count(&cache.hits);
        let place = match cache.maxsize {
            Some(_) => mapping::dict_to_end(&cache.results, place),
            None => place,
        };
        let results = cache.results.table.borrow();
        return Ok(results
            .entry(place)
            .map_or(Value::None, |(_, result)| result.clone()));
    }
    count(&cache.misses);
    let result = result()?;
    // The call may have filled the cache, also with this very result.
    let is_full = cache
        .maxsize
        .is_some_and(|maxsize| cache.results.table.borrow().len() >= maxsize);
    if is_full && mapping::dict_position(&cache.results, hash, &key)?.is_none() {
        let mut results = cache.results.table.borrow_mut();
        let oldest = results.next_from(0).map(|(place, ..)| place);
        let gone = oldest.and_then(|place| results.remove_entry(place));
        drop(results);
        drop(gone);
    }
    dict_set_hashed(&cache.results, hash, &key, result.clone())?;
    Ok(result)
}

/// What tells one call from others.
fn key(cache: &Cache, positional: &[Value], names: &[Symbol], values: &[Value]) -> Value {
    if names.is_empty() && !cache.typed {
        return match positional {
            [only @ (Value::Int(_) | Value::Str(_))] => only.clone(),
            _ => Value::tuple(positional.to_vec()),
        };
    }
    let mut parts = Vec::with_capacity(2 * (positional.len() + values.len()) + 1);
    parts.extend_from_slice(positional);
    if !names.is_empty() {
        parts.push(cache.mark.clone());
    }
    for (&name, value) in names.iter().zip(values) {
        parts.extend([name.into(), value.clone()]);
    }
    if cache.typed {
        parts.extend(
            positional
                .iter()
                .chain(values)
                .map(|value| Value::from(class_of(value))),
        );
    }
    Value::tuple(parts)
}
