//! `hash(value)`: of numbers and tuples as CPython's, of texts the same in every run.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::special;
use crate::interp::types::class_name;
use crate::interp::{big_range, call, stack, text};
use crate::source::name;
use crate::value::descriptor::{BigRange, DictView, MappingProxy};
use crate::value::iterator::DictPart;
use crate::value::*;

/// `hash(value)`
#[inline]
pub fn hash(value: &Value) -> Res<i64> {
    match value {
        Value::Str(text) => Ok(text.hash() as i64),
        Value::Int(n) => Ok(table::hash::int(*n)),
        value => hash_rest(value),
    }
}

fn hash_rest(value: &Value) -> Res<i64> {
    if let Value::Future(future) = value
        && future.is_bare()
    {
        return Ok(identity_hash(value)); // sets of tasks (benchmark: sched/wait_first)
    }
    if special::is_possible(value) {
        return hash_object(value);
    }
    hash_plain(value)
}

/// The hash of a value of a built-in type.
fn hash_plain(value: &Value) -> Res<i64> {
    Ok(match value {
        Value::None => table::hash::NONE,
        Value::Bool(b) => b.get() as i64,
        Value::Int(n) => table::hash::int(*n),
        Value::Big(big) => table::hash::big_int(&big.0),
        Value::Float(x) => table::hash::float(x.get(), x.get().to_bits() as i64),
        Value::Str(text) => text.hash() as i64,
        Value::Bytes(bytes) => table::hash::bytes(&bytes.0),
        Value::Tuple(tuple) => {
            stack::check_native(" in comparison")?;
            let mut hasher = table::hash::TupleHasher::default();
            for item in &tuple.items {
                hasher.add(hash(item)?);
            }
            hasher.finish()
        }
        Value::FrozenSet(set) => {
            if set.hash.get() == 0 {
                let hashes: Vec<i64> = set.table.borrow().iter_hashed().map(|(hash, _)| hash).collect();
                set.hash.set(table::hash::frozen_set(hashes));
            }
            set.hash.get()
        }
        Value::Range(range) => {
            let len = Value::from(num_bigint::BigInt::from(range.len()));
            let key = match range.len() {
                0 => [len, Value::None, Value::None],
                1 => [len, Value::Int(range.start), Value::None],
                _ => [len, Value::Int(range.start), Value::Int(range.step)],
            };
            hash(&Value::tuple(key))?
        }
        Value::Slice(slice) => {
            let mut hasher = table::hash::TupleHasher::default();
            for part in [&slice.start, &slice.stop, &slice.step] {
                hasher.add(hash(part)?);
            }
            hasher.finish_slice()
        }
        Value::Method(method) => identity_hash(&method.this) ^ hash(&method.func)?,
        Value::Native(native) => match native.body {
            NativeBody::Plain(body) => {
                table::hash::int((body as usize >> 4) as i64 + i64::from(native.name.0))
            }
            _ => identity_hash(value),
        },
        Value::List(_) | Value::Dict(_) | Value::Set(_) | Value::ByteArray(_) => {
            return Err(unhashable(value));
        }
        other if other.opaque::<BigRange>().is_some() => match big_range::of(other) {
            Some(range) => {
                let (len, start, step) = range.key();
                let part = |n: num_bigint::BigInt, from: u8| {
                    if len < from.into() {
                        Value::None
                    } else {
                        Value::from(n)
                    }
                };
                hash(&Value::tuple([
                    Value::from(len.clone()),
                    part(start, 1),
                    part(step, 2),
                ]))?
            }
            None => identity_hash(other),
        },
        other => match other.opaque::<descriptor::GenericAlias>() {
            Some(alias) => hash(&alias.origin)? ^ hash(&alias.args)?,
            None => match other.opaque::<descriptor::Union>() {
                Some(union) => {
                    let hashes = union.args.iter().map(hash).collect::<Res<Vec<_>>>()?;
                    table::hash::frozen_set(hashes)
                }
                None if other
                    .opaque::<DictView>()
                    .is_some_and(|v| v.part != DictPart::Values)
                    || other.opaque::<MappingProxy>().is_some() =>
                {
                    return Err(unhashable(value));
                }
                None => identity_hash(other),
            },
        },
    })
}

/// The hash by identity: the same in every run that does the same.
pub fn identity_hash(value: &Value) -> i64 {
    match value {
        Value::Future(future) => i64::from(future.number),
        value => (text::stable_id(value) >> 4) as i64,
    }
}

#[cold]
fn unhashable(value: &Value) -> Raised {
    let raised = type_error(format!("unhashable type: '{}'", class_name(value)));
    match plain(value) {
        Value::List(_) => raised.help("a tuple can be a key or an element of a set where a list cannot"),
        Value::Set(_) => raised.help("a frozenset can be a key or an element of a set where a set cannot"),
        _ => raised,
    }
}

/// The hash of an object whose class can say how; one that defines `__eq__` alone says None.
fn hash_object(value: &Value) -> Res<i64> {
    let by_nature = |value: &Value| match plain(value) {
        other if std::ptr::eq(other, value) && !matches!(value, Value::Opaque(_)) => Ok(identity_hash(value)),
        other => hash_plain(other),
    };
    let method = special::find(value, name::HASH);
    match method {
        None => by_nature(value),
        Some(Value::None) => Err(unhashable(value)),
        Some(method) => match plain(&call::call_unbound(&method, value, &[])?) {
            Value::Int(n) => Ok(table::hash::never_minus_one(*n)),
            Value::Bool(b) => Ok(b.get() as i64),
            Value::Big(big) => Ok(table::hash::big_int(&big.0)),
            _ => Err(type_error("__hash__ method should return an integer")),
        },
    }
}
