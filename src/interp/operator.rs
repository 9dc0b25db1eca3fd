//! What operators do: arithmetic, comparison, truth, hash and membership of any values.
//!
//! Always true: a script class is asked first where Python asks it first (the right operand's
//! class if it is a subclass of the left's), then the built-in behaviour follows, then the error
//! in Python's words.

pub mod collection;
mod hash;
pub mod number;
pub mod order;
pub mod percent;

use super::call;
use super::error::*;
use super::payload::*;
use super::report::deprecated;
use super::special;
use super::types::{class_name, class_of};
use super::{iterate, mapping, subscript};
use crate::code::{BinaryOp, CompareOp, UnaryOp};
use crate::source::{Symbol, name};
use crate::value::descriptor::{BigRange, DictView, MappingProxy};
use crate::value::iterator::DictPart;
use crate::value::*;
pub use hash::{hash, identity_hash};

/// How an operator is written.
pub fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::MatMul => "@",
        BinaryOp::Div => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "**",
        BinaryOp::LeftShift => "<<",
        BinaryOp::RightShift => ">>",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::BitAnd => "&",
    }
}

/// The special methods of an operator: plain, reflected, in place.
fn methods(op: BinaryOp) -> (Symbol, Symbol, Symbol) {
    match op {
        BinaryOp::Add => (name::ADD, name::RADD, name::IADD),
        BinaryOp::Sub => (name::SUB, name::RSUB, name::ISUB),
        BinaryOp::Mul => (name::MUL, name::RMUL, name::IMUL),
        BinaryOp::MatMul => (name::MATMUL, name::RMATMUL, name::IMATMUL),
        BinaryOp::Div => (name::TRUEDIV, name::RTRUEDIV, name::ITRUEDIV),
        BinaryOp::FloorDiv => (name::FLOORDIV, name::RFLOORDIV, name::IFLOORDIV),
        BinaryOp::Mod => (name::MOD, name::RMOD, name::IMOD),
        BinaryOp::Pow => (name::POW, name::RPOW, name::IPOW),
        BinaryOp::LeftShift => (name::LSHIFT, name::RLSHIFT, name::ILSHIFT),
        BinaryOp::RightShift => (name::RSHIFT, name::RRSHIFT, name::IRSHIFT),
        BinaryOp::BitOr => (name::OR, name::ROR, name::IOR),
        BinaryOp::BitXor => (name::XOR, name::RXOR, name::IXOR),
        BinaryOp::BitAnd => (name::AND, name::RAND, name::IAND),
    }
}

#[cold]
fn unsupported(op: &str, a: &Value, b: &Value) -> Raised {
    // `print >> stream` is how Python 2 printed to a stream.
    let hint = match a {
        Value::Native(native) if op == ">>" && native.name.text() == "print" => {
            ". Did you mean \"print(<message>, file=<output_stream>)\"?"
        }
        _ => "",
    };
    type_error(format!(
        "unsupported operand type(s) for {op}: '{}' and '{}'{hint}",
        class_name(a),
        class_name(b)
    ))
}

/// `a op b`
#[inline]
pub fn binary(op: BinaryOp, a: &Value, b: &Value) -> Res {
    if let (Value::Int(x), Value::Int(y)) = (a, b)
        && let Some(result) = number::small(op, *x, *y)
    {
        return result;
    }
    let found = match known(op, a, b)? {
        None => collection::sequence(op, a, b)?,
        found => found,
    };
    match found {
        Some(value) => Ok(value),
        None if op == BinaryOp::Pow => Err(unsupported("** or pow()", a, b)),
        None => Err(unsupported(symbol(op), a, b)),
    }
}

/// `a op b` by methods and numbers; none if the two do not know each other, where sequences may
/// still be joined or repeated.
fn known(op: BinaryOp, a: &Value, b: &Value) -> Res<Option<Value>> {
    if !special::is_possible(a) && !special::is_possible(b) {
        if let Some(result) = number::binary(op, a, b) {
            return result.map(Some);
        }
        if let Some(result) = collection::binary(op, a, b) {
            return result.map(Some);
        }
        return Ok(None);
    }
    let (name, reflected, _) = methods(op);
    let (found, _) = ask_both(a, b, name, reflected, |x, y| {
        // A template asks the mapping itself, which may know what to do about missing keys.
        let given = if op == BinaryOp::Mod { b } else { y };
        number::binary(op, x, y)
            .or_else(|| collection::of_class(op, a, b))
            .or_else(|| collection::binary(op, x, given))
    })?;
    Ok(found)
}

/// Asks left and right for a binary operation, in Python's order. `builtin` is what the built-in
/// types make of the plain values. The flag says whether anybody was asked.
fn ask_both(
    a: &Value,
    b: &Value,
    name: Symbol,
    reflected: Symbol,
    builtin: impl Fn(&Value, &Value) -> Option<Res>,
) -> Res<(Option<Value>, bool)> {
    let (left_may, right_may) = (special::is_possible(a), special::is_possible(b));
    let is_same = left_may == right_may && are_of_one_class(a, b);
    let mut asked_right = is_same;
    if !is_same && right_may {
        let (left, right) = (class_of(a), class_of(b));
        if right.is_subclass(&left) && overrides(b, reflected, &left) {
            asked_right = true;
            if let Some(value) = special::try_call(b, reflected, std::slice::from_ref(a))? {
                return Ok((Some(value), true));
            }
        }
    }
    let method = special::find(a, name);
    if let Some(method) = &method {
        match call::call_unbound(method, a, std::slice::from_ref(b))? {
            Value::NotImplemented => {}
            value => return Ok((Some(value), true)),
        }
    }
    let is_mixed = is_int_beside_float(a, b);
    if !asked_right && is_mixed {
        asked_right = true;
        if let Some(value) = special::try_call(b, reflected, std::slice::from_ref(a))? {
            return Ok((Some(value), true));
        }
    }
    // A class's own method has spoken for its built-in base; the other one's may still know the two.
    let is_settled = is_mixed && special::find(b, reflected).is_some();
    let right_knows = || !is_same && knows_left(a, b) && special::find(b, reflected).is_none();
    if !is_settled
        && (method.is_none() || right_knows())
        && let Some(result) = builtin(plain(a), plain(b))
    {
        match result? {
            Value::NotImplemented => {}
            value => return Ok((Some(value), true)),
        }
    }
    if !asked_right && let Some(value) = special::try_call(b, reflected, std::slice::from_ref(a))? {
        return Ok((Some(value), true));
    }
    Ok((None, asked_right))
}

/// Whether both are of the same class.
#[inline]
fn are_of_one_class(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Instance(a), Value::Instance(b)) => a.class.borrow().is(&b.class.borrow()),
        _ => class_of(a).is(&class_of(b)),
    }
}

/// Whether the right operand's class has its own reflected method, not the one its base has.
fn overrides(b: &Value, reflected: Symbol, base: &Ref<Class>) -> bool {
    match (special::find(b, reflected), base.lookup(reflected)) {
        (Some(own), Some(inherited)) => !own.is(&inherited),
        (own, _) => own.is_some(),
    }
}

/// Whether the built-in type of `b` has operators for what `a` is underneath.
fn knows_left(a: &Value, b: &Value) -> bool {
    let is_int = |value: &Value| matches!(value, Value::Int(_) | Value::Bool(_) | Value::Big(_));
    match (plain(a), plain(b)) {
        (a, Value::Float(_)) => is_int(a) || matches!(a, Value::Float(_)),
        (a, b) if is_int(b) => is_int(a),
        (a, Value::Set(_) | Value::FrozenSet(_)) => matches!(a, Value::Set(_) | Value::FrozenSet(_)),
        (a, Value::Bytes(_) | Value::ByteArray(_)) => matches!(a, Value::Bytes(_) | Value::ByteArray(_)),
        (a, Value::Str(_)) => matches!(a, Value::Str(_)),
        (a, Value::Dict(_)) => matches!(a, Value::Dict(_)),
        (_, b) => matches!(b, Value::Opaque(_)),
    }
}

/// An int knows nothing of floats, so a float's class is asked what comes of the two.
fn is_int_beside_float(a: &Value, b: &Value) -> bool {
    matches!(plain(b), Value::Float(_)) && matches!(plain(a), Value::Int(_) | Value::Bool(_) | Value::Big(_))
}

/// `a op= b`: the new value of the target, which for mutable types is the same object.
pub fn in_place(op: BinaryOp, mut a: Value, b: &Value) -> Res {
    if let (Value::Int(x), Value::Int(y)) = (&a, b)
        && let Some(result) = number::small(op, *x, *y)
    {
        return result;
    }
    if op == BinaryOp::Add && append(&mut a, b) {
        return Ok(a);
    }
    let name = methods(op).2;
    if let Some(value) = special::try_call(&a, name, std::slice::from_ref(b))? {
        return Ok(value);
    }
    let is_script = special::is_possible(&a) || special::is_possible(b);
    let is_asked = is_script && collection::changes_as_sequence(op, &a);
    if is_asked && let Some(value) = known(op, &a, b)? {
        return Ok(value);
    }
    if special::find(&a, name).is_none() && collection::change(op, &a, b)? {
        return Ok(a);
    }
    let known = if is_asked { None } else { known(op, &a, b)? };
    let found = match known {
        // What holds items is asked itself whether it repeats, and nothing else is.
        None if op != BinaryOp::Mul || !collection::holds_items(&a) => collection::sequence(op, &a, b)?,
        found => found,
    };
    match found {
        Some(value) => Ok(value),
        None => Err(unsupported(&format!("{}=", symbol(op)), &a, b)),
    }
}

/// `a += b` for strs if nobody else holds `a`: many small appends take no longer than one (as in
/// CPython).
pub fn append(a: &mut Value, b: &Value) -> bool {
    if let (Value::Str(text), Value::Str(more)) = (a, b)
        && let Some(text) = text.get_mut()
    {
        text.append(more);
        return true;
    }
    false
}

/// `op value`
pub fn unary(op: UnaryOp, value: &Value) -> Res {
    let (name, sign) = match op {
        UnaryOp::Not => return Ok(Value::bool(!truth(value)?)),
        UnaryOp::Neg => (name::NEG, "-"),
        UnaryOp::Pos => (name::POS, "+"),
        UnaryOp::Invert => (name::INVERT, "~"),
    };
    if let Some(result) = special::call(value, name, &[]) {
        return result;
    }
    if op == UnaryOp::Invert && matches!(value, Value::Bool(_)) {
        deprecated(
            "Bitwise inversion '~' on bool is deprecated. This returns the bitwise inversion of the underlying \
             int object and is usually not what you expect from the negation of a bool. Use the 'not' operator \
             for boolean negation or ~int(x) for the bitwise inversion of the underlying int.",
        )?;
    }
    number::unary(op, plain(value)).unwrap_or_else(|| {
        Err(type_error(format!(
            "bad operand type for unary {sign}: '{}'",
            class_name(value)
        )))
    })
}

/// `divmod(a, b)`
pub fn div_mod(a: &Value, b: &Value) -> Res {
    let (found, _) = ask_both(a, b, name::DIVMOD, name::RDIVMOD, number::div_mod)?;
    found.ok_or_else(|| unsupported("divmod()", a, b))
}

/// `pow(a, b, modulus)`
pub fn power(a: &Value, b: &Value, modulus: &Value) -> Res {
    let Some(modulus) = modulus.given() else {
        return binary(BinaryOp::Pow, a, b);
    };
    if let Some(value) = special::try_call(a, name::POW, &[b.clone(), modulus.clone()])? {
        return Ok(value);
    }
    if let (Value::Int(a), Value::Int(b), Value::Int(m)) = (a, b, modulus)
        && let Some(result) = number::small_pow_mod(*a, *b, *m)
    {
        return Ok(Value::Int(result));
    }
    if let (Some(a), Some(b), Some(m)) = (as_bigint(a), as_bigint(b), as_bigint(modulus)) {
        return number::pow_mod(&a, &b, &m);
    }
    let is_float = |v: &Value| matches!(plain(v), Value::Float(_)) && special::find(v, name::POW).is_none();
    if is_float(a) || is_float(b) || is_float(modulus) {
        return Err(number::no_modulus());
    }
    Err(type_error(format!(
        "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
        class_name(a),
        class_name(b),
        class_name(modulus)
    )))
}

/// `a op b` as a script sees it: comparisons can give any value.
pub fn compare(op: CompareOp, a: &Value, b: &Value) -> Res {
    match op {
        CompareOp::Is => Ok(Value::bool(a.is(b))),
        CompareOp::IsNot => Ok(Value::bool(!a.is(b))),
        CompareOp::In => contains(b, a).map(Value::bool),
        CompareOp::NotIn => contains(b, a).map(|found| Value::bool(!found)),
        CompareOp::Eq
        | CompareOp::NotEq
        | CompareOp::Lt
        | CompareOp::LtE
        | CompareOp::Gt
        | CompareOp::GtE => rich(op, a, b),
    }
}

/// `a op b` as a truth value.
#[inline]
pub fn compare_bool(op: CompareOp, a: &Value, b: &Value) -> Res<bool> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        let order = Some(a.cmp(b));
        if !matches!(
            op,
            CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn
        ) {
            return Ok(order::satisfies(op, order));
        }
    }
    match compare(op, a, b)? {
        Value::Bool(b) => Ok(b.get()),
        value => truth(&value),
    }
}

fn rich(op: CompareOp, a: &Value, b: &Value) -> Res {
    if !special::is_possible(a) && !special::is_possible(b) {
        if let Some(answer) = order::builtin(op, a, b)? {
            return Ok(Value::bool(answer));
        }
        return by_default(op, a, b);
    }
    let mut asked_right = false;
    // What is no class's but the language's own knows nothing of classes made of it.
    if special::is_possible(b) && !are_of_one_class(a, b) && class_of(b).is_subclass(&class_of(a)) {
        asked_right = true;
        if let Some(value) = ask(order::swapped(op), b, a)? {
            return Ok(value);
        }
    }
    if let Some(value) = ask(op, a, b)? {
        return Ok(value);
    }
    if !asked_right && let Some(value) = ask(order::swapped(op), b, a)? {
        return Ok(value);
    }
    by_default(op, a, b)
}

/// What one operand says of a comparison.
fn ask(op: CompareOp, this: &Value, other: &Value) -> Res<Option<Value>> {
    let name = match op {
        CompareOp::Eq => name::EQ,
        CompareOp::NotEq => name::NE,
        CompareOp::Lt => name::LT,
        CompareOp::LtE => name::LE,
        CompareOp::Gt => name::GT,
        CompareOp::GtE => name::GE,
        CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn => return Ok(None),
    };
    if let Some(method) = special::find(this, name) {
        return Ok(
            match call::call_unbound(&method, this, std::slice::from_ref(other))? {
                Value::NotImplemented => None,
                value => Some(value),
            },
        );
    }
    // Without a `__ne__` of its own or of a built-in base, a class's `!=` is the opposite of its `==`.
    if op == CompareOp::NotEq && special::find(this, name::EQ).is_some() && !inherits_ne(this) {
        return match special::try_call(this, name::EQ, std::slice::from_ref(other))? {
            Some(value) => Ok(Some(Value::bool(!truth(&value)?))),
            None => Ok(None),
        };
    }
    if is_int_beside_float(this, other) {
        return Ok(None);
    }
    Ok(order::builtin(op, plain(this), plain(other))?.map(Value::bool))
}

fn inherits_ne(value: &Value) -> bool {
    matches!(&class_of(value).lookup(name::NE), Some(Value::Native(native)) if native.owner != "object")
}

fn by_default(op: CompareOp, a: &Value, b: &Value) -> Res {
    let sign = match op {
        CompareOp::Eq => return Ok(Value::bool(a.is(b))),
        CompareOp::NotEq => return Ok(Value::bool(!a.is(b))),
        CompareOp::Lt => "<",
        CompareOp::LtE => "<=",
        CompareOp::Gt => ">",
        _ => ">=",
    };
    Err(type_error(format!(
        "'{sign}' not supported between instances of '{}' and '{}'",
        class_name(a),
        class_name(b)
    )))
}

/// `a == b` as a truth value.
#[inline]
pub fn equal(a: &Value, b: &Value) -> Res<bool> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::Str(a), Value::Str(b)) => Ok(***a == ***b),
        _ => compare_bool(CompareOp::Eq, a, b),
    }
}

/// What containers mean by equal: the same object, or `==`.
#[inline]
pub fn same_or_equal(a: &Value, b: &Value) -> Res<bool> {
    if a.is(b) { Ok(true) } else { equal(a, b) }
}

/// `a < b` as a truth value.
#[inline]
pub fn less(a: &Value, b: &Value) -> Res<bool> {
    if let (Value::Float(a), Value::Float(b)) = (a, b) {
        return Ok(a.get() < b.get());
    }
    compare_bool(CompareOp::Lt, a, b)
}

/// `bool(value)`
#[inline]
pub fn truth(value: &Value) -> Res<bool> {
    match value {
        Value::Bool(b) => Ok(b.get()),
        Value::None => Ok(false),
        Value::Int(n) => Ok(*n != 0),
        Value::Str(s) => Ok(!s.text.is_empty()),
        value => truth_rest(value),
    }
}

fn truth_rest(value: &Value) -> Res<bool> {
    if special::is_possible(value) {
        if let Some(result) = special::call(value, name::BOOL, &[]) {
            return match result? {
                Value::Bool(b) => Ok(b.get()),
                other => Err(type_error(format!(
                    "__bool__ should return bool, returned {}",
                    class_name(&other)
                ))),
            };
        }
        // A number has a `__bool__`, which goes before a length.
        let is_number = matches!(
            plain(value),
            Value::Int(_) | Value::Big(_) | Value::Bool(_) | Value::Float(_)
        );
        if !is_number && special::find(value, name::LEN).is_some() {
            return Ok(iterate::length(value)? != 0);
        }
    }
    Ok(match plain(value) {
        Value::Unset | Value::None => false,
        Value::Bool(b) => b.get(),
        Value::Int(n) => *n != 0,
        Value::Float(x) => x.get() != 0.0,
        Value::Str(s) => !s.text.is_empty(),
        Value::Bytes(b) => !b.0.is_empty(),
        Value::ByteArray(b) => !b.0.borrow().is_empty(),
        Value::List(l) => !l.is_empty(),
        Value::Tuple(t) => !t.items.is_empty(),
        Value::Dict(d) => !d.is_empty(),
        Value::Set(s) => !s.table.borrow().is_empty(),
        Value::FrozenSet(s) => !s.table.borrow().is_empty(),
        Value::Range(r) => !r.is_empty(),
        other @ Value::Opaque(_) => {
            if let Some(view) = other.opaque::<DictView>() {
                !view.dict.is_empty()
            } else if let Some(proxy) = other.opaque::<MappingProxy>() {
                truth(&proxy.0)?
            } else if let Some(range) = other.opaque::<BigRange>() {
                !range.is_empty()
            } else {
                true
            }
        }
        _ => true,
    })
}

/// `item in container`
pub fn contains(container: &Value, item: &Value) -> Res<bool> {
    if special::is_possible(container) {
        match special::find(container, name::CONTAINS) {
            Some(Value::None) => {
                return Err(type_error(format!(
                    "'{}' object is not a container",
                    class_name(container)
                )));
            }
            Some(_) => {
                if let Some(result) = special::call(container, name::CONTAINS, std::slice::from_ref(item)) {
                    return truth(&result?);
                }
            }
            None => {}
        }
        if !knows_its_items(plain(container)) && special::find(container, name::ITER).is_some() {
            return contains_by_iteration(container, item);
        }
    }
    contains_plain(plain(container), container, item)
}

/// Whether a built-in type has a `__contains__`, which a subclass's `__iter__` leaves alone.
fn knows_its_items(value: &Value) -> bool {
    matches!(
        value,
        Value::Str(_)
            | Value::Bytes(_)
            | Value::ByteArray(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Dict(_)
            | Value::Set(_)
            | Value::FrozenSet(_)
    )
}

fn contains_plain(inner: &Value, container: &Value, item: &Value) -> Res<bool> {
    match inner {
        Value::Str(text) => match text_of(item) {
            Some(part) => Ok(text.text.contains(part)),
            None => Err(type_error(format!(
                "'in <string>' requires string as left operand, not {}",
                class_name(item)
            ))),
        },
        Value::List(list) => {
            let mut i = 0;
            while let Some(known) = list.get(i) {
                if same_or_equal(&known, item)? {
                    return Ok(true);
                }
                i += 1;
            }
            Ok(false)
        }
        Value::Tuple(tuple) => {
            for known in &tuple.items {
                if same_or_equal(known, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Dict(dict) => mapping::dict_contains(dict, item),
        Value::Set(_) | Value::FrozenSet(_) => match mapping::as_set_table(inner) {
            Some(table) => collection::set_has(table, item),
            None => Ok(false),
        },
        // An int that compares in a way of its own is asked for each number.
        Value::Range(_) if special::find(item, name::EQ).is_some() => contains_by_iteration(container, item),
        Value::Range(range) => match plain(item) {
            Value::Int(n) => Ok(range_has(range, *n)),
            Value::Bool(b) => Ok(range_has(range, b.get() as i64)),
            Value::Big(_) => Ok(false),
            _ => contains_by_iteration(container, item),
        },
        Value::Bytes(_) | Value::ByteArray(_) => {
            if let Some(part) = bytes_of(item) {
                let found = with_bytes(inner, |bytes| {
                    crate::text::bytes::find(bytes, &part, 0..bytes.len())
                });
                return Ok(found.flatten().is_some());
            }
            let Ok(byte) = index(item).map_err(|raised| drop(raised.take())) else {
                return Err(type_error(format!(
                    "a bytes-like object is required, not '{}'",
                    class_name(item)
                )));
            };
            match u8::try_from(clamped(&byte)) {
                Ok(byte) => Ok(with_bytes(inner, |bytes| bytes.contains(&byte)).unwrap_or(false)),
                Err(_) => Err(value_error("byte must be in range(0, 256)")),
            }
        }
        other => {
            if let Some(view) = other.opaque::<DictView>() {
                return match view.part {
                    DictPart::Keys => mapping::dict_contains(&view.dict, item),
                    DictPart::Items => match as_tuple(item) {
                        Some(pair) if pair.items.len() == 2 => {
                            match mapping::dict_get(&view.dict, &pair.items[0])? {
                                Some(value) => same_or_equal(&value, &pair.items[1]),
                                None => Ok(false),
                            }
                        }
                        _ => Ok(false),
                    },
                    DictPart::Values => contains_by_iteration(container, item),
                };
            }
            if let Some(proxy) = other.opaque::<MappingProxy>() {
                return contains(&proxy.0, item);
            }
            if let (Some(range), Some(n)) = (other.opaque::<BigRange>(), as_bigint(item)) {
                return Ok(range.place(&n).is_some());
            }
            contains_by_iteration(container, item)
        }
    }
}

fn contains_by_iteration(container: &Value, item: &Value) -> Res<bool> {
    let iterator = iterate::iter_or(container, || {
        format!("argument of type '{}' is not iterable", class_name(container))
    })?;
    while let Some(known) = iterate::next(&iterator)? {
        if same_or_equal(&known, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a range holds an int.
pub fn range_has(range: &Range, n: i64) -> bool {
    let inside = if range.step > 0 {
        n >= range.start && n < range.stop
    } else {
        n <= range.start && n > range.stop
    };
    inside && (i128::from(n) - i128::from(range.start)) % i128::from(range.step) == 0
}

/// `object[index]`; see [`subscript`].
pub fn get_item(object: &Value, index: &Value) -> Res {
    subscript::get_item(object, index)
}
