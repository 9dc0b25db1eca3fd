//! Comparing values of built-in types.

use super::{equal, same_or_equal};
use crate::code::CompareOp;
use crate::interp::big_range;
use crate::interp::error::raise;
use crate::interp::mapping;
use crate::interp::payload::with_bytes;
use crate::interp::stack;
use crate::interp::types::Type;
use crate::value::descriptor::{BigRange, DictView, GenericAlias, MappingProxy, Union};
use crate::value::iterator::DictPart;
use crate::value::*;
use std::cell::Cell;
use std::cmp::Ordering;

/// Whether an order satisfies a comparison.
#[inline]
pub fn satisfies(op: CompareOp, order: Option<Ordering>) -> bool {
    match (op, order) {
        (CompareOp::NotEq, None) => true,
        (_, None) => false,
        (CompareOp::Eq, Some(order)) => order.is_eq(),
        (CompareOp::NotEq, Some(order)) => order.is_ne(),
        (CompareOp::Lt, Some(order)) => order.is_lt(),
        (CompareOp::LtE, Some(order)) => order.is_le(),
        (CompareOp::Gt, Some(order)) => order.is_gt(),
        (CompareOp::GtE, Some(order)) => order.is_ge(),
        (CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn, _) => false,
    }
}

/// `a op b` of built-in types; none if they do not know each other.
#[inline]
pub fn builtin(op: CompareOp, a: &Value, b: &Value) -> Res<Option<bool>> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(Some(satisfies(op, Some(a.cmp(b))))),
        (Value::Str(a), Value::Str(b)) => Ok(Some(match op {
            CompareOp::Eq => ***a == ***b,
            CompareOp::NotEq => ***a != ***b,
            // The order of UTF-8 is the order of code points.
            _ => satisfies(op, Some(a.text.cmp(&b.text))),
        })),
        _ => rest(op, a, b),
    }
}

fn rest(op: CompareOp, a: &Value, b: &Value) -> Res<Option<bool>> {
    if let Some(order) = super::number::order(a, b) {
        return Ok(Some(satisfies(op, order)));
    }
    let is_equality = matches!(op, CompareOp::Eq | CompareOp::NotEq);
    let equality = |same: bool| Ok(Some(same == (op == CompareOp::Eq)));
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            if is_equality && a.len() != b.len() {
                return equality(false);
            }
            sequences(op, |i| a.get(i), |i| b.get(i)).map(Some)
        }
        (Value::Tuple(a), Value::Tuple(b)) => {
            if is_equality && a.items.len() != b.items.len() {
                return equality(false);
            }
            sequences(op, |i| a.items.get(i).cloned(), |i| b.items.get(i).cloned()).map(Some)
        }
        (Value::Bytes(_) | Value::ByteArray(_), Value::Bytes(_) | Value::ByteArray(_)) => {
            Ok(with_bytes(a, |a| with_bytes(b, |b| a.cmp(b)))
                .flatten()
                .map(|order| satisfies(op, Some(order))))
        }
        (Value::Set(_) | Value::FrozenSet(_), Value::Set(_) | Value::FrozenSet(_)) => {
            let (Some(x), Some(y)) = (mapping::as_set_table(a), mapping::as_set_table(b)) else {
                return Ok(None);
            };
            // The borrows end here: comparing elements may run script code that changes the sets.
            let (m, n) = (x.borrow().len(), y.borrow().len());
            sets(op, m, n, || is_subset(x, y), || is_subset(y, x)).map(Some)
        }
        (Value::Dict(a), Value::Dict(b)) if is_equality => equality(dicts_equal(a, b)?),
        (Value::Range(a), Value::Range(b)) if is_equality => {
            let key = |r: &Range| match r.len() {
                0 => (0, 0, 0),
                1 => (1, r.start, 0),
                n => (n, r.start, r.step),
            };
            equality(key(a) == key(b))
        }
        (Value::Slice(a), Value::Slice(b)) => {
            let (x, y) = ([&a.start, &a.stop, &a.step], [&b.start, &b.stop, &b.step]);
            sequences(
                op,
                |i| x.get(i).map(|v| (*v).clone()),
                |i| y.get(i).map(|v| (*v).clone()),
            )
            .map(Some)
        }
        (Value::Method(a), Value::Method(b)) if is_equality => {
            equality(a.this.is(&b.this) && (a.func.is(&b.func) || same_native(&a.func, &b.func)))
        }
        (Value::Native(_), Value::Native(_)) if is_equality => equality(same_native(a, b)),
        (Value::Opaque(_), _) => opaque(op, a, b),
        (_, Value::Opaque(_)) => opaque(swapped(op), b, a),
        _ => Ok(None),
    }
}

/// Natives are made anew for some lookups; they are the same if their bodies are.
fn same_native(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Native(a), Value::Native(b)) => {
            a.is(b)
                || matches!((&a.body, &b.body), (NativeBody::Plain(x), NativeBody::Plain(y))
                    if std::ptr::fn_addr_eq(*x, *y) && a.name == b.name)
        }
        _ => false,
    }
}

/// The comparison with its sides exchanged.
pub fn swapped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::LtE => CompareOp::GtE,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::GtE => CompareOp::LtE,
        op => op,
    }
}

/// How deep comparisons of containers may be nested; CPython's limit for its own recursion.
const DEEPEST: u32 = 10_000;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// A comparison of containers that is going on.
struct Nested;

impl Nested {
    fn enter() -> Res<Nested> {
        stack::check_native(" in comparison")?;
        if DEPTH.get() >= DEEPEST {
            return Err(raise(
                Type::RecursionError,
                "maximum recursion depth exceeded in comparison",
            ));
        }
        DEPTH.set(DEPTH.get() + 1);
        Ok(Nested)
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Lexicographic comparison; the sequences may change while it runs.
fn sequences(
    op: CompareOp,
    a: impl Fn(usize) -> Option<Value>,
    b: impl Fn(usize) -> Option<Value>,
) -> Res<bool> {
    let _nested = Nested::enter()?;
    let mut i = 0;
    loop {
        match (a(i), b(i)) {
            (Some(x), Some(y)) => {
                if !same_or_equal(&x, &y)? {
                    // Comparing the items may have changed the sequences.
                    match (op, a(i), b(i)) {
                        (CompareOp::Eq, Some(_), Some(_)) => return Ok(false),
                        (CompareOp::NotEq, Some(_), Some(_)) => return Ok(true),
                        (_, Some(x), Some(y)) => return super::compare_bool(op, &x, &y),
                        _ => continue,
                    }
                }
            }
            (Some(_), None) => return Ok(satisfies(op, Some(Ordering::Greater))),
            (None, Some(_)) => return Ok(satisfies(op, Some(Ordering::Less))),
            (None, None) => return Ok(satisfies(op, Some(Ordering::Equal))),
        }
        i += 1;
    }
}

/// Comparisons of sets are about inclusion.
fn sets(
    op: CompareOp,
    a: usize,
    b: usize,
    is_subset: impl Fn() -> Res<bool>,
    is_superset: impl Fn() -> Res<bool>,
) -> Res<bool> {
    Ok(match op {
        CompareOp::Eq => a == b && is_subset()?,
        CompareOp::NotEq => !(a == b && is_subset()?),
        CompareOp::Lt => a < b && is_subset()?,
        CompareOp::LtE => a <= b && is_subset()?,
        CompareOp::Gt => a > b && is_superset()?,
        CompareOp::GtE => a >= b && is_superset()?,
        CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn => false,
    })
}

/// Whether every key of `a` is in `b`.
pub fn is_subset(a: &mapping::SetTable, b: &mapping::SetTable) -> Res<bool> {
    for (hash, key) in mapping::set_keys_hashed(a) {
        if mapping::set_position(b, hash, &key)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn dicts_equal(a: &Ref<Dict>, b: &Ref<Dict>) -> Res<bool> {
    if a.is(b) {
        return Ok(true);
    }
    if a.len() != b.len() {
        return Ok(false);
    }
    let _nested = Nested::enter()?;
    for (hash, key, value) in mapping::entries_hashed(a) {
        match mapping::dict_get_hashed(b, hash, &key)? {
            Some(other) if same_or_equal(&value, &other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Comparisons of views, proxies and generic aliases; `a` is the opaque one.
fn opaque(op: CompareOp, a: &Value, b: &Value) -> Res<Option<bool>> {
    let is_equality = matches!(op, CompareOp::Eq | CompareOp::NotEq);
    let equality = |same: bool| Ok(Some(same == (op == CompareOp::Eq)));
    if a.opaque::<BigRange>().is_some() {
        return match (is_equality, big_range::of(a), big_range::of(b)) {
            (true, Some(x), Some(y)) => equality(x.equals(&y)),
            _ => Ok(None),
        };
    }
    if let Some(view) = a.opaque::<DictView>() {
        return match (view.part, set_like_len(b)) {
            (DictPart::Values, _) | (_, None) => Ok(None),
            (_, Some(len)) => {
                let inside = |x: &Value, y: &Value| -> Res<bool> {
                    for item in crate::interp::iterate::collect(x)? {
                        if !super::contains(y, &item)? {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                };
                sets(op, view.dict.len(), len, || inside(a, b), || inside(b, a)).map(Some)
            }
        };
    }
    if let Some(proxy) = a.opaque::<MappingProxy>() {
        let other = b.opaque::<MappingProxy>().map_or(b, |other| &other.0);
        return if is_equality {
            equality(equal(&proxy.0, other)?)
        } else {
            Ok(None)
        };
    }
    if let (true, Some(a), Some(b)) = (
        is_equality,
        a.opaque::<GenericAlias>(),
        b.opaque::<GenericAlias>(),
    ) {
        return equality(
            a.is_starred == b.is_starred && equal(&a.origin, &b.origin)? && equal(&a.args, &b.args)?,
        );
    }
    if let (true, Some(a), Some(b)) = (is_equality, a.opaque::<Union>(), b.opaque::<Union>()) {
        let inside = |x: &Union, y: &Union| -> Res<bool> {
            for item in &x.args {
                let mut found = false;
                for other in &y.args {
                    found = found || same_or_equal(item, other)?;
                }
                if !found {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        return equality(inside(a, b)? && inside(b, a)?);
    }
    Ok(None)
}

/// The length of a set or of a view that behaves like one.
fn set_like_len(value: &Value) -> Option<usize> {
    if let Some(table) = mapping::as_set_table(value) {
        return Some(table.borrow().len());
    }
    value
        .opaque::<DictView>()
        .filter(|view| view.part != DictPart::Values)
        .map(|view| view.dict.len())
}
