//! `enumerate`, `zip`, `map`, `filter`, `reversed`, `iter`, `next`, and the iterators themselves.

use super::{function, method, static_method};
use crate::code::BinaryOp;
use crate::interp::call;
use crate::interp::error::*;
use crate::interp::iterate;
use crate::interp::operator;
use crate::interp::payload::*;
use crate::interp::special;
use crate::interp::types::{class_name, class_of, full_name, named_class};
use crate::source::name;
use crate::value::iterator::{DictPart, Items, IteratorState, Pairs};
use crate::value::*;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::rc::Rc;

fn enumerate(args: &[Value]) -> Res {
    let start = match &args[2] {
        Value::Unset => Value::Int(0),
        start => index(start)?,
    };
    let iterator = iterate::iter(&args[1])?;
    let count = RefCell::new(start);
    Ok(NativeIterator::made("enumerate", Enumerate { iterator, count }))
}

#[derive(Clone)]
struct Enumerate {
    iterator: Value,
    count: RefCell<Value>,
}

impl Items for Enumerate {
    fn next(&self) -> Res<Option<Value>> {
        Ok(self.next_pair()?.map(Value::tuple))
    }

    fn pairs(&self) -> Option<&dyn Pairs> {
        Some(self)
    }
}

impl Pairs for Enumerate {
    fn next_pair(&self) -> Res<Option<[Value; 2]>> {
        let Some(item) = iterate::next(&self.iterator)? else {
            return Ok(None);
        };
        let number = self.count.borrow().clone();
        let next = match &number {
            Value::Int(number) if *number < i64::MAX => Value::Int(number + 1),
            number => operator::binary(BinaryOp::Add, number, &Value::Int(1))?,
        };
        let old = self.count.replace(next);
        drop(old);
        Ok(Some([number, item]))
    }
}

fn iterators_of(args: &Value) -> Res<Vec<Value>> {
    let mut iterators = Vec::new();
    if let Some(args) = as_tuple(args) {
        for arg in &args.items {
            iterators.push(iterate::iter(arg)?);
        }
    }
    Ok(iterators)
}

/// `argument 3` or `arguments 1-2`, for what zip's strict form says.
fn arguments_before(count: usize) -> String {
    if count == 1 {
        "argument 1".to_string()
    } else {
        format!("arguments 1-{count}")
    }
}

fn zip(args: &[Value]) -> Res {
    let items = Zip {
        iterators: iterators_of(&args[1])?.into(),
        is_strict: !args[2].is_unset() && operator::truth(&args[2])?,
    };
    Ok(NativeIterator::made("zip", items))
}

#[derive(Clone)]
struct Zip {
    iterators: Rc<[Value]>,
    is_strict: bool,
}

impl Items for Zip {
    fn next(&self) -> Res<Option<Value>> {
        if self.iterators.is_empty() {
            return Ok(None);
        }
        let mut items = Vec::with_capacity(self.iterators.len());
        for (i, iterator) in self.iterators.iter().enumerate() {
            match iterate::next(iterator)? {
                Some(item) => items.push(item),
                None => return self.end_at(i).map(|()| None),
            }
        }
        Ok(Some(Value::tuple(items)))
    }

    fn pairs(&self) -> Option<&dyn Pairs> {
        (self.iterators.len() == 2).then_some(self)
    }
}

impl Pairs for Zip {
    fn next_pair(&self) -> Res<Option<[Value; 2]>> {
        let Some(first) = iterate::next(&self.iterators[0])? else {
            return self.end_at(0).map(|()| None);
        };
        match iterate::next(&self.iterators[1])? {
            Some(second) => Ok(Some([first, second])),
            None => self.end_at(1).map(|()| None),
        }
    }
}

impl Zip {
    /// The iterator at a place has ended: if `strict`, so must the others.
    #[cold]
    fn end_at(&self, ended: usize) -> Res<()> {
        if !self.is_strict {
            return Ok(());
        }
        let (place, comparison, before) = match ended {
            0 => {
                let mut longer = None;
                for (i, other) in self.iterators.iter().enumerate().skip(1) {
                    if iterate::next(other)?.is_some() {
                        longer = Some(i);
                        break;
                    }
                }
                match longer {
                    Some(longer) => (longer + 1, "longer", arguments_before(longer)),
                    None => return Ok(()),
                }
            }
            ended => (ended + 1, "shorter", arguments_before(ended)),
        };
        Err(value_error(format!(
            "zip() argument {place} is {comparison} than {before}"
        )))
    }
}

fn map(args: &[Value]) -> Res {
    let func = match as_tuple(&args[1]) {
        Some(given) if given.items.len() >= 2 => given.items[0].clone(),
        _ => return Err(type_error("map() must have at least two arguments.")),
    };
    let mut iterators = iterators_of(&Value::tuple(
        as_tuple(&args[1])
            .map(|given| given.items[1..].to_vec())
            .unwrap_or_default(),
    ))?;
    if iterators.len() == 1
        && let Some(only) = iterators.pop()
    {
        return Ok(NativeIterator::from_fn("map", move || {
            match iterate::next(&only)? {
                Some(item) => made(call::call(&func, std::slice::from_ref(&item))?),
                None => Ok(None),
            }
        }));
    }
    Ok(NativeIterator::from_fn("map", move || {
        let mut items: SmallVec<[Value; 4]> = SmallVec::new();
        for iterator in &iterators {
            match iterate::next(iterator)? {
                Some(item) => items.push(item),
                None => return Ok(None),
            }
        }
        made(call::call(&func, &items)?)
    }))
}

/// What a `map` gives; a coroutine is made where the `map` is gone through.
fn made(value: Value) -> Res<Option<Value>> {
    if let Value::Generator(generator) = &value
        && generator.kind == GeneratorKind::Coroutine
        && let Some((code, span)) = running::look(|seen| Some((seen.func.code.clone(), seen.span)))
    {
        generator.set_origin(&code, span);
    }
    Ok(Some(value))
}

fn filter(args: &[Value]) -> Res {
    let func = args[1].clone();
    let iterator = iterate::iter(&args[2])?;
    Ok(NativeIterator::from_fn("filter", move || {
        while let Some(item) = iterate::next(&iterator)? {
            let keep = match &func {
                Value::None => operator::truth(&item)?,
                func => operator::truth(&call::call(func, std::slice::from_ref(&item))?)?,
            };
            if keep {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }))
}

fn reversed(args: &[Value]) -> Res {
    let sequence = &args[1];
    match special::find(sequence, name::REVERSED) {
        Some(Value::None) => {
            return Err(type_error(format!(
                "'{}' object is not reversible",
                class_name(sequence)
            )));
        }
        Some(_) => {
            if let Some(result) = special::call(sequence, name::REVERSED, &[]) {
                return result;
            }
        }
        None => {}
    }
    let inner = plain(sequence);
    Ok(match inner {
        Value::List(list) => {
            let state = IteratorState::ListReversed(Ref::clone(list), list.len());
            NativeIterator::value("list_reverseiterator", state)
        }
        Value::Dict(dict) => iterate::dict_iter(dict, DictPart::Keys, true),
        Value::Range(_) => return call::call_method(inner, name::REVERSED, &[]),
        other if other.opaque::<descriptor::BigRange>().is_some() => {
            return call::call_method(other, name::REVERSED, &[]);
        }
        Value::Tuple(_) | Value::Str(_) | Value::Bytes(_) | Value::ByteArray(_) => {
            made_for(&args[0], backwards(sequence)?)
        }
        other if other.opaque::<descriptor::DictView>().is_some() => {
            return call::call_method(other, name::REVERSED, &[]);
        }
        _ if special::find(sequence, name::GETITEM).is_some() => made_for(&args[0], backwards(sequence)?),
        _ => {
            return Err(type_error(format!(
                "'{}' object is not reversible",
                class_name(sequence)
            )));
        }
    })
}

/// Goes over a sequence by its indices, from the last to the first.
fn backwards(sequence: &Value) -> Res {
    let left = iterate::length(sequence)?;
    let object = sequence.clone();
    Ok(NativeIterator::value(
        "reversed",
        IteratorState::Backwards { object, left },
    ))
}

pub const ENUMERATE: &[NativeDef] = &[static_method(
    "__new__",
    "(cls, iterable, start=0)",
    "Return an enumerate object: pairs of a count and a value.",
    |args| Ok(made_for(&args[0], enumerate(args)?)),
)];

pub const ZIP: &[NativeDef] = &[static_method(
    "__new__",
    "(cls, /, *iterables, strict=False)",
    "Yield tuples until an input is exhausted.",
    |args| Ok(made_for(&args[0], zip(args)?)),
)];

pub const MAP: &[NativeDef] = &[static_method(
    "__new__",
    "(cls, /, *args)",
    "Make an iterator that computes the function using arguments from each of the iterables.",
    |args| Ok(made_for(&args[0], map(args)?)),
)];

pub const FILTER: &[NativeDef] = &[static_method(
    "__new__",
    "(cls, function, iterable, /)",
    "Return an iterator yielding those items of iterable for which function(item) is true.",
    |args| Ok(made_for(&args[0], filter(args)?)),
)];

pub const REVERSED: &[NativeDef] = &[static_method(
    "__new__",
    "(cls, object, /)",
    "Return a reverse iterator over the values of the given sequence.",
    reversed,
)];

/// What every iterator can do by name.
const ITERATOR: &[NativeDef] = &[
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        Ok(args[0].clone())
    }),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        iterate::next(plain(&args[0]))?.ok_or_else(|| stop_iteration(Value::None))
    }),
    method(
        "__length_hint__",
        "(self, /)",
        "Private method returning an estimate of len(list(it)).",
        |args| iterate::length_hint(plain(&args[0])).map(Value::from),
    ),
    COPY,
];

/// How an iterator is copied.
pub const COPY: NativeDef = method(
    "__copy__",
    "(self, /)",
    "An iterator that goes on from the same place.",
    |args| copy(&args[0]),
);

/// An iterator that goes on from the same place.
pub fn copy(iterator: &Value) -> Res {
    let copied = match plain(iterator) {
        Value::Iterator(this) => this.copied(),
        _ => None,
    };
    copied.ok_or_else(|| {
        let kind = full_name(class_of(iterator).name());
        type_error(format!("cannot pickle '{kind}' object"))
    })
}

/// Gives the iterators of built-in types their methods.
pub fn install() {
    let names = [
        "enumerate",
        "zip",
        "map",
        "filter",
        "reversed",
        "list_iterator",
        "list_reverseiterator",
        "tuple_iterator",
        "str_ascii_iterator",
        "str_iterator",
        "range_iterator",
        "longrange_iterator",
        "dict_keyiterator",
        "dict_valueiterator",
        "dict_itemiterator",
        "dict_reversekeyiterator",
        "dict_reversevalueiterator",
        "dict_reverseitemiterator",
        "set_iterator",
        "odict_iterator",
        "bytes_iterator",
        "bytearray_iterator",
        "iterator",
        "callable_iterator",
        "generic_alias_iterator",
        "collections._deque_iterator",
        "_collections._deque_reverse_iterator",
    ];
    for name in names {
        super::add(&named_class(name), ITERATOR);
    }
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "iter",
        "(object, sentinel=None, /)",
        "Get an iterator from an object.",
        |args| {
            if args[1].is_unset() {
                return iterate::iter(&args[0]);
            }
            if !call::is_callable(&args[0]) {
                return Err(type_error("iter(v, w): v must be callable"));
            }
            Ok(iterate::call_iter(&args[0], &args[1]))
        },
    ),
    function(
        "next",
        "(iterator, default=None, /)",
        "Return the next item from the iterator.",
        |args| {
            if args[1].is_unset() {
                // What a script's own __next__ raises, and what a generator returns, goes on as it is.
                return match &args[0] {
                    Value::Generator(generator)
                        if matches!(
                            generator.kind,
                            GeneratorKind::Generator | GeneratorKind::Awaitable(_)
                        ) =>
                    {
                        crate::interp::machine::send(generator, function::Resume::Value(Value::None))
                    }
                    other => match special::call(other, name::NEXT, &[]) {
                        Some(result) => result,
                        None => iterate::next(other)?.ok_or_else(|| stop_iteration(Value::None)),
                    },
                };
            }
            Ok(iterate::next(&args[0])?.unwrap_or_else(|| args[1].clone()))
        },
    ),
    function(
        "len",
        "(obj, /)",
        "Return the number of items in a container.",
        |args| iterate::length(&args[0]).map(Value::from),
    ),
];
