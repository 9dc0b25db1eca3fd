//! `float`.

use super::int::{check_class, not_finite};
use super::{class_method, getter, method, static_method};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{call, special, text};
use crate::source::name;
use crate::text::float::{self, HexError};
use crate::value::*;

/// `float(value)`
pub fn convert(value: &Value) -> Res<f64> {
    if let Value::Float(x) = value {
        return Ok(x.get());
    }
    let parse = |text: &str| match float::parse(text) {
        Some(x) => Ok(x),
        None => Err(value_error(format!(
            "could not convert string to float: {}",
            text::repr(value)?
        ))),
    };
    if let Some(x) = real_by_method(value)? {
        return Ok(x);
    }
    if special::find(value, name::INDEX).is_none() {
        match plain(value) {
            Value::Str(text) => return parse(&text.text),
            Value::Int(_) | Value::Big(_) | Value::Bool(_) | Value::Float(_) => {}
            other => {
                if let Some(bytes) = bytes_of(other) {
                    // Other bytes than ASCII ones are no number.
                    return parse(
                        std::str::from_utf8(&bytes)
                            .ok()
                            .filter(|text| text.is_ascii())
                            .unwrap_or(""),
                    );
                }
                return Err(type_error(format!(
                    "float() argument must be a string or a real number, not '{}'",
                    class_name(value)
                )));
            }
        }
    }
    real(value)
}

fn this(value: &Value, method: &str) -> Res<f64> {
    as_float(value).ok_or_else(|| wrong_self(method, "float", value))
}

fn new(args: &[Value]) -> Res {
    check_class(&args[0], Type::Float)?;
    let x = match &args[1] {
        Value::Unset => 0.0,
        value => convert(value)?,
    };
    Ok(wrap(&args[0], Type::Float, Value::float(x)))
}

fn whole(x: f64) -> Res {
    float::to_int(x)
        .map(Value::from)
        .map_err(|e| not_finite(e, e.to_integer()))
}

fn round(args: &[Value]) -> Res {
    let x = this(&args[0], "__round__")?;
    let Some(places) = args[1].given() else {
        return float::round_to_int(x)
            .map(Value::from)
            .map_err(|e| not_finite(e, e.to_integer()));
    };
    let places = clamped(&index(places)?);
    match float::round(x, places) {
        Some(rounded) => Ok(Value::float(rounded)),
        None => Err(overflow_error("rounded value too large to represent")),
    }
}

fn from_hex(args: &[Value]) -> Res {
    let Some(text) = text_of(&args[1]) else {
        return Err(type_error("bad argument type for built-in operation"));
    };
    let x = float::from_hex(text).map_err(|error| match error {
        HexError::Invalid => value_error(error.message()),
        HexError::TooLarge => overflow_error(error.message()),
    })?;
    match as_class(&args[0]) {
        Some(of) if !of.is(&class(Type::Float)) => call::call(&args[0], &[Value::float(x)]),
        _ => Ok(Value::float(x)),
    }
}

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, x=0, /)",
        "Convert a string or number to a floating-point number, if possible.",
        new,
    ),
    method(
        "is_integer",
        "(self, /)",
        "Return True if the float is an integer.",
        |args| Ok(Value::bool(this(&args[0], "is_integer")?.fract() == 0.0)),
    ),
    method(
        "as_integer_ratio",
        "(self, /)",
        "Return a pair of integers, whose ratio is exactly equal to the original float.",
        |args| match float::as_integer_ratio(this(&args[0], "as_integer_ratio")?) {
            Ok((above, below)) => Ok(Value::tuple([Value::from(above), Value::from(below)])),
            Err(error) => Err(not_finite(error, error.to_ratio())),
        },
    ),
    method(
        "hex",
        "(self, /)",
        "Return a hexadecimal representation of a floating-point number.",
        |args| Ok(Value::from(float::hex(this(&args[0], "hex")?))),
    ),
    class_method(
        "fromhex",
        "(cls, string, /)",
        "Create a floating-point number from a hexadecimal string.",
        from_hex,
    ),
    method(
        "conjugate",
        "(self, /)",
        "Return self, the complex conjugate of any float.",
        |args| this(&args[0], "conjugate").map(Value::float),
    ),
    method("__float__", "(self, /)", "float(self)", |args| {
        this(&args[0], "__float__").map(Value::float)
    }),
    method("__int__", "(self, /)", "int(self)", |args| {
        whole(this(&args[0], "__int__")?)
    }),
    method(
        "__trunc__",
        "(self, /)",
        "Return the Integral closest to x between 0 and x.",
        |args| whole(this(&args[0], "__trunc__")?),
    ),
    method(
        "__floor__",
        "(self, /)",
        "Return the floor as an Integral.",
        |args| whole(this(&args[0], "__floor__")?.floor()),
    ),
    method(
        "__ceil__",
        "(self, /)",
        "Return the ceiling as an Integral.",
        |args| whole(this(&args[0], "__ceil__")?.ceil()),
    ),
    method(
        "__round__",
        "(self, ndigits=None, /)",
        "Return the Integral closest to x, rounding half toward even.",
        round,
    ),
    getter("real", "The real part.", |args| {
        this(&args[0], "real").map(Value::float)
    }),
    getter("imag", "The imaginary part: 0.", |_| Ok(Value::float(0.0))),
    method(
        "__getnewargs__",
        "(self, /)",
        "What making a copy takes.",
        |args| this(&args[0], "__getnewargs__").map(|x| Value::tuple([Value::float(x)])),
    ),
];
