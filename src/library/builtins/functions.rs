//! The built-in functions of numbers, sequences and objects.

use super::function_object::call_given;
use super::object::{attribute_name, dir_names};
use super::{framed, function, int, sort, wrong_argument};
use crate::code::{BinaryOp, CompareOp};
use crate::interp::error::*;
use crate::interp::frame_object;
use crate::interp::operator::{self, number};
use crate::interp::payload::*;
use crate::interp::types::class_name;
use crate::interp::{attribute, call, import, isinstance, iterate, namespace, special, text};
use crate::library::modules::sys;
use crate::source::{Symbol, name};
use crate::value::function::Frame;
use crate::value::*;

fn abs(value: &Value) -> Res {
    if let Some(result) = special::call(value, name::ABS, &[]) {
        return result;
    }
    number::abs(plain(value))
        .ok_or_else(|| type_error(format!("bad operand type for abs(): '{}'", class_name(value))))
}

/// `all` and `any`: the first item whose truth is `wanted` decides.
fn decided(items: &Value, wanted: bool) -> Res<bool> {
    let iterator = iterate::iter(items)?;
    while let Some(item) = iterate::next(&iterator)? {
        if operator::truth(&item)? == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn chr(value: &Value) -> Res {
    let code = clamped(&index(value)?);
    let Some(code) = u32::try_from(code).ok().filter(|&code| code < 0x11_0000) else {
        return Err(value_error("chr() arg not in range(0x110000)"));
    };
    character(code).map(Value::from)
}

/// The character of a code point.
pub fn character(code: u32) -> Res<char> {
    char::from_u32(code).ok_or_else(|| {
        value_error("chr() arg is a surrogate")
            .help("a str of aio holds characters only; halves of surrogate pairs are none")
    })
}

fn ord(value: &Value) -> Res {
    if let Some(text) = as_str(value) {
        let mut chars = text.text.chars();
        return match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(Value::Int(i64::from(c as u32))),
            _ => Err(type_error(format!(
                "ord() expected a character, but string of length {} found",
                text.chars
            ))),
        };
    }
    match bytes_of(value) {
        Some(bytes) => match bytes.as_slice() {
            [byte] => Ok(Value::Int(i64::from(*byte))),
            _ => Err(type_error(format!(
                "ord() expected a character, but string of length {} found",
                bytes.len()
            ))),
        },
        None => Err(type_error(format!(
            "ord() expected string of length 1, but {} found",
            class_name(value)
        ))),
    }
}

/// `max` and `min`: `op` is how a new item must compare with the best to take its place.
fn best(args: &[Value], function: &str, op: CompareOp) -> Res {
    let [given, key, default] = args else {
        return Ok(Value::None);
    };
    let given = as_tuple(given).map_or(&[][..], |given| &given.items[..]);
    let mut choice = Choice {
        op,
        key: key.given(),
        best: None,
        by: Value::Unset,
    };
    match given {
        [] => {
            return Err(type_error(format!(
                "{function} expected at least 1 argument, got 0"
            )));
        }
        [one] => {
            let iterator = iterate::iter(one)?;
            while let Some(item) = iterate::next(&iterator)? {
                choice.offer(item)?;
            }
        }
        _ if !default.is_unset() => {
            return Err(type_error(format!(
                "Cannot specify a default for {function}() with multiple positional arguments"
            )));
        }
        items => {
            for item in items {
                choice.offer(item.clone())?;
            }
        }
    }
    match choice.best {
        Some(item) => Ok(item),
        None if default.is_unset() => Err(value_error(format!("{function}() iterable argument is empty"))),
        None => Ok(default.clone()),
    }
}

/// The best of the items that were offered.
struct Choice<'a> {
    op: CompareOp,
    key: Option<&'a Value>,
    best: Option<Value>,
    /// What the key says of the best, if there is a key.
    by: Value,
}

impl Choice<'_> {
    fn offer(&mut self, item: Value) -> Res<()> {
        let by = match self.key {
            Some(key) => call::call(key, std::slice::from_ref(&item))?,
            None => Value::Unset,
        };
        if let Some(best) = &self.best {
            let (new, known) = match self.key {
                Some(_) => (&by, &self.by),
                None => (&item, best),
            };
            if !operator::compare_bool(self.op, new, known)? {
                return Ok(());
            }
        }
        let old = (self.best.replace(item), std::mem::replace(&mut self.by, by));
        drop(old);
        Ok(())
    }
}

fn round(args: &[Value]) -> Res {
    let given = match args[1].given() {
        None => &args[1..1],
        Some(_) => &args[1..],
    };
    match plain(&args[0]) {
        Value::Float(_) | Value::Int(_) | Value::Bool(_) | Value::Big(_)
            if special::find(&args[0], name::ROUND).is_none() =>
        {
            call::call_method(plain(&args[0]), name::ROUND, given)
        }
        _ => special::call(&args[0], name::ROUND, given).unwrap_or_else(|| {
            Err(type_error(format!(
                "type {} doesn't define __round__ method",
                class_name(&args[0])
            )))
        }),
    }
}

/// A sum of floats that keeps what each addition loses (Neumaier), as CPython's does since 3.12.
#[derive(Default)]
struct FloatSum {
    high: f64,
    lost: f64,
}

impl FloatSum {
    fn add(&mut self, x: f64) {
        let sum = self.high + x;
        self.lost += if self.high.abs() >= x.abs() {
            (self.high - sum) + x
        } else {
            (x - sum) + self.high
        };
        self.high = sum;
    }

    fn total(&self) -> f64 {
        if self.lost != 0.0 && self.lost.is_finite() {
            self.high + self.lost
        } else {
            self.high
        }
    }
}

fn sum(args: &[Value]) -> Res {
    let mut total = match &args[1] {
        Value::Unset => Value::Int(0),
        start => start.clone(),
    };
    let iterator = iterate::iter(&args[0])?;
    match plain(&total) {
        Value::Str(_) => return Err(type_error("sum() can't sum strings [use ''.join(seq) instead]")),
        Value::Bytes(_) => return Err(type_error("sum() can't sum bytes [use b''.join(seq) instead]")),
        Value::ByteArray(_) => {
            return Err(type_error(
                "sum() can't sum bytearray [use b''.join(seq) instead]",
            ));
        }
        _ => {}
    }
    while let Some(item) = iterate::next(&iterator)? {
        // From the first float on, numbers are summed as floats.
        if let (Value::Float(x), Value::Float(_) | Value::Int(_) | Value::Bool(_)) = (&total, &item) {
            let mut floats = FloatSum {
                high: x.get(),
                lost: 0.0,
            };
            let mut next = Some(item);
            while let Some(item) = next.take() {
                match &item {
                    Value::Float(x) => floats.add(x.get()),
                    Value::Int(n) => floats.high += *n as f64,
                    Value::Bool(b) => floats.high += f64::from(b.get()),
                    _ => {
                        next = Some(item);
                        break;
                    }
                }
                next = iterate::next(&iterator)?;
            }
            total = Value::float(floats.total());
            if let Some(item) = next {
                total = operator::binary(BinaryOp::Add, &total, &item)?;
            }
            continue;
        }
        total = operator::binary(BinaryOp::Add, &total, &item)?;
    }
    Ok(total)
}

fn sorted(args: &[Value]) -> Res {
    let mut items = iterate::collect(&args[0])?;
    let reverse = !args[2].is_unset() && operator::truth(&args[2])?;
    sort::sort(&mut items, args[1].given(), reverse)?;
    Ok(Value::list(items))
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "abs",
        "(x, /)",
        "Return the absolute value of the argument.",
        |args| abs(&args[0]),
    ),
    function(
        "all",
        "(iterable, /)",
        "Return True if bool(x) is True for all values x in the iterable.",
        |args| decided(&args[0], false).map(|found| Value::bool(!found)),
    ),
    function(
        "any",
        "(iterable, /)",
        "Return True if bool(x) is True for any x in the iterable.",
        |args| decided(&args[0], true).map(Value::bool),
    ),
    function(
        "bin",
        "(number, /)",
        "Return the binary representation of an integer.",
        |args| int::in_base(&args[0], 2, "0b"),
    ),
    function(
        "oct",
        "(number, /)",
        "Return the octal representation of an integer.",
        |args| int::in_base(&args[0], 8, "0o"),
    ),
    function(
        "hex",
        "(number, /)",
        "Return the hexadecimal representation of an integer.",
        |args| int::in_base(&args[0], 16, "0x"),
    ),
    function(
        "chr",
        "(i, /)",
        "Return a Unicode string of one character with ordinal i.",
        |args| chr(&args[0]),
    ),
    function(
        "ord",
        "(c, /)",
        "Return the Unicode code point for a one-character string.",
        |args| ord(&args[0]),
    ),
    function("divmod", "(x, y, /)", "Return the tuple (x//y, x%y).", |args| {
        operator::div_mod(&args[0], &args[1])
    }),
    function(
        "pow",
        "(base, exp, mod=None)",
        "Equivalent to base**exp, or base**exp % mod.",
        |args| operator::power(&args[0], &args[1], &args[2]),
    ),
    function(
        "round",
        "(number, ndigits=None)",
        "Round a number to a given precision in decimal digits.",
        round,
    ),
    function(
        "max",
        "(*args, key=None, default=None)",
        "Return the biggest item.",
        |args| best(args, "max", CompareOp::Gt),
    ),
    function(
        "min",
        "(*args, key=None, default=None)",
        "Return the smallest item.",
        |args| best(args, "min", CompareOp::Lt),
    ),
    function(
        "sum",
        "(iterable, /, start=0)",
        "Return the sum of a start value plus an iterable of numbers.",
        sum,
    ),
    function(
        "sorted",
        "(iterable, /, *, key=None, reverse=False)",
        "Return a new list containing all items from the iterable in ascending order.",
        sorted,
    ),
];

fn get_attribute(args: &[Value]) -> Res {
    let name = attribute_name(&args[1])?;
    if args[2].is_unset() {
        return attribute::get(&args[0], name);
    }
    Ok(attribute::find(&args[0], name)?.unwrap_or_else(|| args[2].clone()))
}

fn has_attribute(args: &[Value]) -> Res {
    Ok(attribute::find(&args[0], attribute_name(&args[1])?)?
        .is_some()
        .into())
}

/// The local variables of a frame by name; at a module's top level, its globals.
fn locals(frame: &Frame) -> Value {
    frame_object::locals(frame.func, frame.slots(), frame.namespace)
}

fn dir(frame: &mut Frame, args: &[Value]) -> Res {
    let names = match &args[0] {
        Value::Unset => iterate::collect(&locals(frame))?,
        object => match special::call(object, name::DIR, &[]) {
            Some(names) => iterate::collect(&names?)?,
            None => iterate::collect(&dir_names(object))?,
        },
    };
    let mut names = names;
    sort::sort(&mut names, None, false)?;
    Ok(Value::list(names))
}

fn vars(frame: &mut Frame, args: &[Value]) -> Res {
    match &args[0] {
        Value::Unset => Ok(locals(frame)),
        object => attribute::find(object, name::DICT)?
            .ok_or_else(|| type_error("vars() argument must have __dict__ attribute")),
    }
}

/// `open(…)`, which is made in `io`.
fn open(args: &[Value]) -> Res {
    let io = import::by_name("io")?;
    let open = attribute::get(&io, Symbol::new("_open"))?;
    let names = ["buffering", "encoding", "errors", "newline", "closefd", "opener"];
    let (first, rest) = args.split_at(2);
    let positional: Vec<Value> = first.iter().filter(|arg| !arg.is_unset()).cloned().collect();
    let given = names.iter().zip(rest).filter(|(_, value)| !value.is_unset());
    let keywords: Vec<(Symbol, Value)> = given
        .map(|(name, value)| (Symbol::new(name), value.clone()))
        .collect();
    call::call_kw(&open, &positional, &keywords)
}

pub const OBJECTS: &[NativeDef] = &[
    function(
        "callable",
        "(obj, /)",
        "Return whether the object is callable.",
        |args| Ok(Value::bool(call::is_callable(&args[0]))),
    ),
    function(
        "getattr",
        "(object, name, default=None, /)",
        "Get a named attribute from an object.",
        get_attribute,
    ),
    function(
        "hasattr",
        "(obj, name, /)",
        "Return whether the object has an attribute with the given name.",
        has_attribute,
    ),
    function(
        "setattr",
        "(obj, name, value, /)",
        "Sets the named attribute on the given object.",
        |args| {
            attribute::set(&args[0], attribute_name(&args[1])?, args[2].clone())?;
            Ok(Value::None)
        },
    ),
    function(
        "delattr",
        "(obj, name, /)",
        "Deletes the named attribute from the given object.",
        |args| {
            attribute::delete(&args[0], attribute_name(&args[1])?)?;
            Ok(Value::None)
        },
    ),
    function(
        "isinstance",
        "(obj, class_or_tuple, /)",
        "Return whether an object is an instance of a class.",
        |args| isinstance::is_instance(&args[0], &args[1]).map(Value::bool),
    ),
    function(
        "issubclass",
        "(cls, class_or_tuple, /)",
        "Return whether a class is derived from another.",
        |args| isinstance::is_subclass(&args[0], &args[1]).map(Value::bool),
    ),
    function(
        "hash",
        "(obj, /)",
        "Return the hash value for the given object.",
        |args| operator::hash(&args[0]).map(Value::Int),
    ),
    function("id", "(obj, /)", "Return the identity of an object.", |args| {
        Ok(Value::from(text::stable_id(&args[0])))
    }),
    function(
        "repr",
        "(obj, /)",
        "Return the canonical string representation of the object.",
        |args| text::repr_value(&args[0]),
    ),
    function(
        "ascii",
        "(obj, /)",
        "Return an ASCII-only representation of an object.",
        |args| text::ascii_value(&args[0]),
    ),
    function(
        "format",
        "(value, format_spec='', /)",
        "Return type(value).__format__(value, format_spec).",
        |args| match &args[1] {
            Value::Unset => text::format(&args[0], "").map(Value::from),
            spec => match text_of(spec) {
                Some(spec) => text::format(&args[0], spec).map(Value::from),
                None => Err(wrong_argument("format() argument 2", "str", spec)),
            },
        },
    ),
    function(
        "help",
        "(request=None, /)",
        "Print the signature and the doc of an object.",
        |args| {
            let help = attribute::get(&import::by_name("_help")?, Symbol::new("help"))?;
            let given: Vec<Value> = args[0].given().cloned().into_iter().collect();
            call::call(&help, &given)
        },
    ),
    function("exit", "(code=None)", "End the program.", sys::exit),
    function("quit", "(code=None)", "End the program.", sys::exit),
    function(
        "breakpoint",
        "(*args, **kws)",
        "Call sys.breakpointhook(*args, **kws).",
        |args| {
            let hook = attribute::find(&import::by_name("sys")?, Symbol::new("breakpointhook"))?;
            let hook = hook.ok_or_else(|| runtime_error("lost sys.breakpointhook"))?;
            call_given(&hook, &args[0], &args[1])
        },
    ),
    framed(
        "globals",
        "()",
        "Return the dictionary containing the current scope's global variables.",
        |frame, _| Ok(namespace::of_module(&frame.func.module)),
    ),
    framed(
        "locals",
        "()",
        "Return a dictionary containing the current scope's local variables.",
        |frame, _| Ok(locals(frame)),
    ),
    framed(
        "vars",
        "(object=None, /)",
        "Return the __dict__ attribute of an object, or the local variables.",
        vars,
    ),
    framed(
        "dir",
        "(object=None, /)",
        "Return a sorted list of the names of an object's attributes.",
        dir,
    ),
    function(
        "open",
        "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)",
        "Open file and return a stream. Raise OSError upon failure.",
        open,
    ),
];
