//! `re`: regular expressions, in Python's syntax, run by `fancy_regex`.

mod character;
pub mod flag;
mod found;
mod pattern;
mod scanner;
mod template;
mod translate;

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{self, Type, named_class};
use crate::interp::{operator, report, text};
use crate::library::builtins::{self, function, method};
use crate::source::Symbol;
use crate::value::*;
use pattern::Pattern;
use std::cell::RefCell;
use translate::Mistake;

thread_local! {
    static ERROR: RefCell<Option<Ref<Class>>> = const { RefCell::new(None) };
    /// Patterns compiled lately, by text, kind and flags.
    static CACHE: RefCell<Vec<(String, bool, u32, Value)>> = const { RefCell::new(Vec::new()) };
}

/// How many compiled patterns are kept.
const CACHED: usize = 512;

/// `re.error`, which since 3.13 is called `PatternError`.
fn error_class() -> Ref<Class> {
    if let Some(class) = ERROR.with_borrow(Clone::clone) {
        return class;
    }
    let base = types::class(Type::Exception);
    let class = Class::new(
        Symbol::new("PatternError"),
        vec![base.clone()],
        base.linear(),
        Layout::Exception,
        false,
    );
    let class = Ref::new(class);
    *class.module.borrow_mut() = Value::from("re");
    class.add(ClassPart::InPython(ERROR_METHODS, "re"));
    ERROR.set(Some(class.clone()));
    class
}

const ERROR_METHODS: &[NativeDef] = &[method(
    "__init__",
    "(self, msg, pattern=None, pos=None)",
    "What is wrong with a pattern, and where.",
    |args| {
        let Value::Exception(error) = &args[0] else {
            return Err(wrong_self("__init__", "re.PatternError", &args[0]));
        };
        let place = args[3]
            .given()
            .and_then(as_small)
            .and_then(|pos| usize::try_from(pos).ok());
        let pattern = args[2].given().cloned().unwrap_or(Value::None);
        match (characters(&pattern), place) {
            (Some((text, _)), Some(place)) => tell(error, &args[1], Some(place), &text, &pattern)?,
            _ => tell(error, &args[1], None, &[], &pattern)?,
        }
        Ok(Value::None)
    },
)];

/// The exception for a mistake in a pattern or template.
#[cold]
fn mistake(mistake: Mistake, text: &[char], pattern: &Value) -> Raised {
    let Mistake { message, place } = mistake;
    if message == translate::TOO_LARGE {
        return raise(Type::OverflowError, message);
    }
    let place = (place <= text.len()).then_some(place);
    let error = Exception::new(error_class(), Vec::new());
    let pattern = if place.is_some() { pattern } else { &Value::None };
    match tell(&error, &Value::from(message), place, text, pattern) {
        Ok(()) => Raised::new(error),
        Err(raised) => raised,
    }
}

/// Lets an exception say what is wrong at which place of a pattern.
fn tell(
    error: &Ref<Exception>,
    message: &Value,
    place: Option<usize>,
    text: &[char],
    pattern: &Value,
) -> Res<()> {
    let before = &text[..place.map_or(0, |place| place.min(text.len()))];
    let line = before.iter().filter(|&&c| c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|&&c| c != '\n').count() + 1;
    let full = match place {
        None => message.clone(),
        Some(place) if text.contains(&'\n') => Value::from(format!(
            "{} at position {place} (line {line}, column {column})",
            text::str(message)?
        )),
        Some(place) => Value::from(format!("{} at position {place}", text::str(message)?)),
    };
    error.args.set(Value::tuple([full]));
    let placed = |n: usize| {
        if place.is_some() {
            Value::from(n)
        } else {
            Value::None
        }
    };
    for (name, value) in [
        ("msg", message.clone()),
        ("pattern", pattern.clone()),
        ("pos", place.map_or(Value::None, Value::from)),
        ("lineno", placed(line)),
        ("colno", placed(column)),
    ] {
        error.attrs.set(Symbol::new(name), value);
    }
    Ok(())
}

/// The characters of a pattern or template; bytes one character each. The flag says whether it is
/// text.
fn characters(value: &Value) -> Option<(Vec<char>, bool)> {
    match text_of(value) {
        Some(text) => Some((text.chars().collect(), true)),
        None => Some((bytes_of(value)?.iter().map(|&b| b as char).collect(), false)),
    }
}

/// `re.compile(pattern, flags)`
fn compile(pattern: &Value, flags: &Value) -> Res {
    if pattern.opaque::<Pattern>().is_some() {
        if !flags.is_unset() && operator::truth(flags)? {
            return Err(value_error(
                "cannot process flags argument with a compiled pattern",
            ));
        }
        return Ok(pattern.clone());
    }
    let Some((chars, is_text)) = characters(pattern) else {
        operator::hash(pattern)?; // as a key of the known ones
        return Err(type_error("first argument must be string or compiled pattern"));
    };
    let flags = match as_small(flags) {
        None if flags.is_unset() => 0,
        None => {
            let kind = types::class_name(flags);
            return Err(type_error(format!(
                "unsupported operand type(s) for &: '{kind}' and 'int'"
            )));
        }
        Some(flags) => flags as u32,
    };
    let text: String = chars.iter().collect();
    let known = CACHE.with_borrow(|cache| {
        let is_it = |(t, k, f, _): &&(String, bool, u32, Value)| *f == flags && *k == is_text && *t == text;
        cache
            .iter()
            .rev()
            .find(is_it)
            .map(|(_, _, _, value)| value.clone())
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let made = Pattern::new(pattern, &chars, is_text, flags)?;
    let value = Opaque::value(named_class(pattern::CLASS), made);
    let old = CACHE.with_borrow_mut(|cache| {
        cache.push((text, is_text, flags, value.clone()));
        (cache.len() > CACHED).then(|| cache.remove(0))
    });
    drop(old);
    Ok(value)
}

fn escape(args: &[Value]) -> Res {
    const SPECIAL: &str = "()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c";
    let Some((chars, is_text)) = characters(&args[0]) else {
        return Err(type_error(format!(
            "decoding to str: need a bytes-like object, {} found",
            types::class_name(&args[0])
        )));
    };
    let mut escaped = String::new();
    for c in chars {
        if SPECIAL.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    Ok(if is_text {
        Value::from(escaped)
    } else {
        Ref::new(Bytes(escaped.chars().map(|c| c as u8).collect())).into()
    })
}

/// Calls a method of the pattern that the first argument stands for.
fn with_pattern(args: &[Value], flags: &Value, method: fn(&[Value]) -> Res, given: &[Value]) -> Res {
    let mut all = vec![compile(&args[0], flags)?];
    all.extend_from_slice(given);
    method(&all)
}

/// The same for a function with a limit and flags, which may come by place, too, but should not: after what it
/// works on, `args` are those, the limit and the flags.
fn limited(args: &[Value], [function, limit]: [&str; 2], method: fn(&[Value]) -> Res) -> Res {
    let (given, tail) = args.split_at(args.len() - 3);
    let by_place = as_tuple(&tail[0]).map_or(&[][..], |tuple| &tuple.items[..]);
    let mut both = [tail[1].clone(), tail[2].clone()];
    for (value, (place, name)) in by_place.iter().zip(both.iter_mut().zip([limit, "flags"])) {
        if !place.is_unset() {
            return Err(type_error(format!(
                "{function}() got multiple values for argument '{name}'"
            )));
        }
        *place = value.clone();
    }
    if by_place.len() > 2 {
        return Err(type_error(format!(
            "{function}() takes from {} to {} positional arguments but {} were given",
            given.len(),
            given.len() + 2,
            given.len() + by_place.len()
        )));
    }
    if !by_place.is_empty() {
        report::deprecated(&format!("'{limit}' is passed as positional argument"))?;
    }
    let [limit, flags] = both;
    let mut given = given[1..].to_vec();
    given.push(limit);
    with_pattern(args, &flags, method, &given)
}

const SEARCH: &str = "(pattern, string, flags=0)";

/// The arguments of `search` and the like: the string, and no bounds.
fn whole(args: &[Value]) -> [Value; 3] {
    [args[1].clone(), Value::Unset, Value::Unset]
}

const FUNCTIONS: &[NativeDef] = &[
    function("compile", "(pattern, flags=0)", "Compile a pattern.", |args| {
        compile(&args[0], &args[1])
    }),
    function(
        "match",
        SEARCH,
        "Match a pattern at the start of a string.",
        |args| with_pattern(args, &args[2], pattern::match_start, &whole(args)),
    ),
    function(
        "fullmatch",
        SEARCH,
        "Match a pattern with a whole string.",
        |args| with_pattern(args, &args[2], pattern::full_match, &whole(args)),
    ),
    function(
        "search",
        SEARCH,
        "Find where a pattern first matches in a string.",
        |args| with_pattern(args, &args[2], pattern::search, &whole(args)),
    ),
    function("findall", SEARCH, "Return the texts of all matches.", |args| {
        with_pattern(args, &args[2], pattern::find_all, &whole(args))
    }),
    function("finditer", SEARCH, "Return an iterator of all matches.", |args| {
        with_pattern(args, &args[2], pattern::find_iter, &whole(args))
    }),
    function(
        "split",
        "(pattern, string, *args, maxsplit=0, flags=0)",
        "Split a string where a pattern matches.",
        |args| limited(args, ["split", "maxsplit"], pattern::split),
    ),
    function(
        "sub",
        "(pattern, repl, string, *args, count=0, flags=0)",
        "Replace what a pattern matches.",
        |args| limited(args, ["sub", "count"], pattern::sub),
    ),
    function(
        "subn",
        "(pattern, repl, string, *args, count=0, flags=0)",
        "Replace what a pattern matches, and count.",
        |args| limited(args, ["subn", "count"], pattern::sub_count),
    ),
    function(
        "escape",
        "(pattern)",
        "Return a pattern that matches exactly the given text.",
        escape,
    ),
    function("purge", "()", "Forget compiled patterns.", |_| {
        let old = CACHE.take();
        drop(old);
        Ok(Value::None)
    }),
];

pub fn module() -> Vec<(Symbol, Value)> {
    let (pattern, found) = (named_class(pattern::CLASS), named_class(found::CLASS));
    builtins::add(&pattern, pattern::METHODS);
    builtins::add(&found, found::METHODS);
    pattern.add(builtins::described!("A compiled regular expression."));
    found.add(builtins::described!("What a regular expression has found."));
    builtins::add(&named_class(scanner::CLASS), scanner::METHODS);
    let mut names = super::functions_in_python("re", &[FUNCTIONS]);
    for (name, class) in [
        ("Pattern", pattern),
        ("Match", found),
        ("PatternError", error_class()),
        ("error", error_class()),
    ] {
        names.push((Symbol::new(name), class.into()));
    }
    names
}
