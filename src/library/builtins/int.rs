//! `int` and `bool`.

use super::{class_method, getter, method, static_method, wrong_argument};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::report::deprecated;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{call, operator, special, text};
use crate::source::name;
use crate::text::float::{self, NotFinite};
use crate::text::int::{self, BytesError, Int};
use crate::value::*;
use num_bigint::BigInt;
use num_traits::Signed;

/// The exception for a float that is no int.
#[cold]
pub fn not_finite(error: NotFinite, message: &str) -> Raised {
    match error {
        NotFinite::Infinity => overflow_error(message),
        NotFinite::Nan => value_error(message),
    }
}

/// The built-in class between the two that is made in a way of its own: `bool` below `int`.
fn own_maker(of: &Ref<Class>, base: &Ref<Class>) -> Option<Ref<Class>> {
    let mro = of.mro.borrow();
    let mut before = std::iter::once(of).chain(mro.iter()).take_while(|c| !c.is(base));
    before
        .find(|c| matches!(c.own(name::NEW), Some(Value::Native(_))))
        .cloned()
}

/// Checks that the class of `Type.__new__(cls)` inherits from the type.
pub fn check_class(of: &Value, exact: Type) -> Res<()> {
    let base = class(exact);
    match as_class(of) {
        Some(of) if of.is_subclass(&base) => match own_maker(of, &base) {
            Some(kind) => Err(type_error(format!(
                "{base}.__new__({of}) is not safe, use {kind}.__new__()",
                base = base.name(),
                of = of.name(),
                kind = kind.name(),
            ))),
            None => Ok(()),
        },
        Some(of) => Err(type_error(format!(
            "{base}.__new__({of}): {of} is not a subtype of {base}",
            base = base.name(),
            of = of.name()
        ))),
        None => Err(type_error(format!(
            "{}.__new__(X): X is not a type object ({})",
            base.name(),
            class_name(of)
        ))),
    }
}

fn parse(text: &str, base: u32, given: &Value) -> Res<Int> {
    // Of bytes, only ASCII characters stand for anything.
    let read = match as_str(given) {
        None if !text.is_ascii() && (base == 0 || (2..=36).contains(&base)) => Err(int::ParseError::Invalid),
        _ => int::parse(text, base),
    };
    read.or_else(|error| {
        let shown = match with_bytes(given, crate::text::bytes::repr) {
            Some(bytes) => bytes,
            None => text::repr(given)?,
        };
        Err(value_error(error.message(base, &shown)))
    })
}

/// `int(value)`: any number or text as an exact int.
pub fn convert(value: &Value) -> Res<Int> {
    match value {
        Value::Int(n) => return Ok(Int::Small(*n)),
        Value::Bool(b) => return Ok(Int::Small(b.get() as i64)),
        Value::Big(big) => return Ok(Int::Big(big.0.clone())),
        _ => {}
    }
    if let Some(result) = special::call(value, name::INT, &[]) {
        let result = result?;
        let Some(number) = as_int(&result) else {
            let kind = class_name(&result);
            return Err(type_error(format!("__int__ returned non-int (type {kind})")));
        };
        warn_of_derived("__int__", "int", &result)?;
        return Ok(number);
    }
    let is_float = matches!(plain(value), Value::Float(_)); // which has a way of its own to an int
    if !is_float && special::find(value, name::INDEX).is_some() {
        return Ok(as_int(&index(value)?).unwrap_or(Int::Small(0)));
    }
    let is_number = matches!(
        plain(value),
        Value::Int(_) | Value::Big(_) | Value::Bool(_) | Value::Float(_)
    );
    if !is_number && special::find(value, name::TRUNC).is_some() {
        deprecated("The delegation of int() to __trunc__ is deprecated.")?;
        let result = special::call(value, name::TRUNC, &[]).unwrap_or(Ok(Value::None))?;
        if !has_index(&result) {
            let kind = class_name(&result);
            return Err(type_error(format!(
                "__trunc__ returned non-Integral (type {kind})"
            )));
        }
        return Ok(as_int(&index(&result)?).unwrap_or(Int::Small(0)));
    }
    match plain(value) {
        Value::Float(x) => float::to_int(x.get()).map_err(|e| not_finite(e, e.to_integer())),
        Value::Str(text) => parse(&text.text, 10, value),
        other => {
            if let Some(n) = as_int(other) {
                return Ok(n);
            }
            if let Some(bytes) = bytes_of(other) {
                let text: String = bytes.iter().map(|&b| b as char).collect();
                return parse(&text, 10, value);
            }
            Err(type_error(format!(
                "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                class_name(value)
            )))
        }
    }
}

fn new(args: &[Value]) -> Res {
    let [of, x, base] = args else {
        return Ok(Value::Int(0));
    };
    check_class(of, Type::Int)?;
    let n = if base.is_unset() {
        match x {
            Value::Unset => Int::Small(0),
            x => convert(x)?,
        }
    } else {
        let base = match index_or(base, || value_error("int() base must be >= 2 and <= 36, or 0"))? {
            base if base == 0 || (2..=36).contains(&base) => base as u32,
            _ => return Err(value_error("int() base must be >= 2 and <= 36, or 0")),
        };
        match plain(x) {
            Value::Unset => return Err(type_error("int() missing string argument")),
            Value::Str(text) => parse(&text.text, base, x)?,
            other => match bytes_of(other) {
                Some(bytes) => parse(&bytes.iter().map(|&b| b as char).collect::<String>(), base, x)?,
                None => return Err(type_error("int() can't convert non-string with explicit base")),
            },
        }
    };
    Ok(wrap(of, Type::Int, Value::from(n)))
}

fn this(value: &Value, method: &str) -> Res<Int> {
    as_int(value).ok_or_else(|| wrong_self(method, "int", value))
}

fn exact(value: &Value) -> Res {
    this(value, "int").map(Value::from)
}

/// Whether the byte order is "big".
fn is_big(order: &Value, function: &str) -> Res<bool> {
    match order {
        Value::Unset => Ok(true),
        order => match text_of(order) {
            Some("big") => Ok(true),
            Some("little") => Ok(false),
            Some(_) => Err(value_error("byteorder must be either 'little' or 'big'")),
            None => Err(wrong_argument(
                &format!("{function}() argument 'byteorder'"),
                "str",
                order,
            )),
        },
    }
}

fn to_bytes(args: &[Value]) -> Res {
    let n = this(&args[0], "to_bytes")?;
    let length = match &args[1] {
        Value::Unset => 1,
        length => small(length)?,
    };
    let big = is_big(&args[2], "to_bytes")?;
    let signed = !args[3].is_unset() && operator::truth(&args[3])?;
    let length = usize::try_from(length).map_err(|_| value_error("length argument must be non-negative"))?;
    if length > 1 << 31 {
        return Err(raise_empty(Type::MemoryError));
    }
    let mut bytes =
        int::to_bytes(&n.to_big(), length, signed).map_err(|e: BytesError| overflow_error(e.message()))?;
    if big {
        bytes.reverse();
    }
    Ok(Ref::new(Bytes(bytes.into())).into())
}

fn from_bytes(args: &[Value]) -> Res {
    let is_big = is_big(&args[2], "from_bytes")?;
    let mut bytes = super::bytes_make::of_object(&args[1])?;
    if is_big {
        bytes.reverse();
    }
    let signed = !args[3].is_unset() && operator::truth(&args[3])?;
    let n = Value::from(int::from_bytes(&bytes, signed));
    match as_class(&args[0]) {
        Some(of) if !of.is(&class(Type::Int)) => call::call(&args[0], &[n]),
        _ => Ok(n),
    }
}

fn round(args: &[Value]) -> Res {
    let n = this(&args[0], "__round__")?;
    if args[1].is_unset() {
        return Ok(Value::from(n));
    }
    match index(&args[1])? {
        Value::Int(places) if places < 0 => {
            let tens = u32::try_from(places.unsigned_abs()).unwrap_or(u32::MAX);
            // Rounding off more digits than there are gives 0.
            let digits = n.to_big().bits() / 3 + 2;
            if u64::from(tens) > digits {
                return Ok(Value::Int(0));
            }
            Ok(Value::from(int::round_tens(&n, tens)))
        }
        _ => Ok(Value::from(n)),
    }
}

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, x=0, /, base=10)",
        "Convert a number or string to an integer, or return 0 if no arguments are given.",
        new,
    ),
    method(
        "bit_length",
        "(self, /)",
        "Number of bits necessary to represent self in binary.",
        |args| Ok(Value::Int(this(&args[0], "bit_length")?.to_big().bits() as i64)),
    ),
    method(
        "bit_count",
        "(self, /)",
        "Number of ones in the binary representation of the absolute value.",
        |args| {
            let ones: u64 = this(&args[0], "bit_count")?
                .to_big()
                .abs()
                .iter_u64_digits()
                .map(|d| u64::from(d.count_ones()))
                .sum();
            Ok(Value::Int(ones as i64))
        },
    ),
    method(
        "conjugate",
        "(self, /)",
        "Returns self, the complex conjugate of any int.",
        |args| exact(&args[0]),
    ),
    method(
        "is_integer",
        "(self, /)",
        "Returns True. Exists for duck type compatibility with float.is_integer.",
        |_| Ok(Value::TRUE),
    ),
    method(
        "as_integer_ratio",
        "(self, /)",
        "Return a pair of integers, whose ratio is equal to the original int.",
        |args| Ok(Value::tuple([exact(&args[0])?, Value::Int(1)])),
    ),
    method(
        "to_bytes",
        "(self, length=1, byteorder='big', *, signed=False)",
        "Return an array of bytes representing an integer.",
        to_bytes,
    ),
    class_method(
        "from_bytes",
        "(cls, bytes, byteorder='big', *, signed=False)",
        "Return the integer represented by the given array of bytes.",
        from_bytes,
    ),
    method("__int__", "(self, /)", "int(self)", |args| exact(&args[0])),
    method(
        "__index__",
        "(self, /)",
        "Return self converted to an integer.",
        |args| exact(&args[0]),
    ),
    method(
        "__trunc__",
        "(self, /)",
        "Truncating an Integral returns itself.",
        |args| exact(&args[0]),
    ),
    method(
        "__floor__",
        "(self, /)",
        "Flooring an Integral returns itself.",
        |args| exact(&args[0]),
    ),
    method(
        "__ceil__",
        "(self, /)",
        "Ceiling of an Integral returns itself.",
        |args| exact(&args[0]),
    ),
    method("__float__", "(self, /)", "float(self)", |args| {
        real(plain(&args[0])).map(Value::float)
    }),
    method(
        "__getnewargs__",
        "(self, /)",
        "What making a copy takes.",
        |args| exact(&args[0]).map(|n| Value::tuple([n])),
    ),
    method(
        "__round__",
        "(self, ndigits=None, /)",
        "Rounding an Integral.",
        round,
    ),
    getter("real", "The real part.", |args| exact(&args[0])),
    getter("imag", "The imaginary part: 0.", |_| Ok(Value::Int(0))),
    getter(
        "numerator",
        "The numerator of a rational number in lowest terms.",
        |args| exact(&args[0]),
    ),
    getter(
        "denominator",
        "The denominator of a rational number in lowest terms: 1.",
        |_| Ok(Value::Int(1)),
    ),
];

pub const BOOL: &[NativeDef] = &[static_method(
    "__new__",
    "(cls, object=False, /)",
    "Returns True when the argument is true, False otherwise.",
    |args| match &args[1] {
        Value::Unset => Ok(Value::FALSE),
        value => operator::truth(value).map(Value::bool),
    },
)];

/// `bin`, `oct` and `hex`.
pub fn in_base(value: &Value, base: u32, prefix: &str) -> Res {
    let n = as_int(&index(value)?).unwrap_or(Int::Big(BigInt::from(0)));
    Ok(Value::from(int::to_base(&n, base, prefix)))
}
