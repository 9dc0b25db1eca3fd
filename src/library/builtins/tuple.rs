//! `tuple`.

use super::int::check_class;
use super::{list::clamp_index, method, static_method};
use crate::interp::error::*;
use crate::interp::iterate;
use crate::interp::operator;
use crate::interp::payload::*;
use crate::interp::types::{Type, class};
use crate::value::*;

fn this<'a>(args: &'a [Value], method: &str) -> Res<&'a Ref<Tuple>> {
    as_tuple(&args[0]).ok_or_else(|| wrong_self(method, "tuple", &args[0]))
}

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, iterable=(), /)",
        "Built-in immutable sequence.",
        |args| {
            check_class(&args[0], Type::Tuple)?;
            let items = match &args[1] {
                Value::Unset => Value::tuple([]),
                tuple @ Value::Tuple(_) => tuple.clone(),
                other => Value::tuple(iterate::collect(other)?),
            };
            if as_class(&args[0]).is_some_and(|of| of.is(&class(Type::Tuple))) {
                return Ok(items);
            }
            Ok(wrap(&args[0], Type::Tuple, items))
        },
    ),
    method(
        "index",
        "(self, value, start=0, stop=9223372036854775807, /)",
        "Return first index of value.",
        |args| {
            let tuple = this(args, "index")?;
            let start = clamp_index(&args[2], tuple.items.len(), 0)?;
            let stop = clamp_index(&args[3], tuple.items.len(), usize::MAX)?.min(tuple.items.len());
            for i in start..stop {
                if operator::same_or_equal(&tuple.items[i], &args[1])? {
                    return Ok(Value::from(i));
                }
            }
            Err(value_error("tuple.index(x): x not in tuple"))
        },
    ),
    method(
        "count",
        "(self, value, /)",
        "Return number of occurrences of value.",
        |args| {
            let mut count = 0;
            for item in &this(args, "count")?.items {
                count += i64::from(operator::same_or_equal(item, &args[1])?);
            }
            Ok(Value::Int(count))
        },
    ),
    method(
        "__getnewargs__",
        "(self, /)",
        "What copying calls the class with.",
        |args| Ok(Value::tuple([Value::from(this(args, "__getnewargs__")?.clone())])),
    ),
];
