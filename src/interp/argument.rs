//! What is said when the arguments of a call do not fit a built-in's parameters.
//!
//! CPython's built-ins complain in five ways, by how each takes its arguments. [`Manner`] tells
//! them apart by the signature, so that a native is declared and nothing more.

use super::error::*;
use super::types::{class_name, class_of, full_name};
use crate::source::{Symbol, name};
use crate::value::native::{ParamKind, Parameters};
use crate::value::*;

/// How a built-in takes its arguments, as far as its complaints show it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A special method in a slot of its type: no name is told.
    Slot,
    /// None at all.
    Nothing,
    /// Exactly one, by position.
    One,
    /// Some, by position.
    Positions,
    /// By position or name.
    Names,
    /// As a function of a script: in CPython it is written in Python.
    Script,
}

/// What complaints call what CPython has in Python.
fn script_name(native: &Native) -> Option<String> {
    let (name, owner) = (native.name, native.owner);
    native.in_python().then(|| match native.role {
        NativeRole::Function => name.to_string(),
        _ if name == name::NEW => format!("{owner}.__init__"),
        _ => format!("{owner}.{name}"),
    })
}

/// `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`
fn listed(names: &[Symbol]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [a, b] => format!("{a} and {b}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}

/// Methods that CPython calls with their class: those take positions as others take names.
fn is_given_its_class(native: &Native) -> bool {
    const NAMES: [&str; 5] = [
        "exception",
        "set_result",
        "set_exception",
        "remove_done_callback",
        "get_loop",
    ];
    let name = native.name.text();
    // Tasks refuse to be set, each by a method of its own.
    NAMES.contains(&name) && (native.owner == "Future" || native.owner == "Task" && !name.starts_with("set_"))
}

fn manner(native: &Native) -> Manner {
    if script_name(native).is_some() {
        return Manner::Script;
    }
    let signature: &Parameters = &native.signature;
    let takes = signature.positional.saturating_sub(own(native));
    let has = |kind| signature.params.iter().skip(own(native)).any(|p| p.kind == kind);
    if native.is_slot() && native.name != name::INIT && !has(ParamKind::Args) {
        return Manner::Slot;
    }
    // Builtins with more behind their positions take those by hand: `sorted`, `max`.
    let is_by_hand = native.role == NativeRole::Function && native.owner.is_empty() && takes > 0;
    let is_named = has(ParamKind::KeywordOnly) && !has(ParamKind::Args) && !is_by_hand;
    if has(ParamKind::Positional) || is_named || is_given_its_class(native) {
        return Manner::Names;
    }
    if native.name == name::NEW || native.name == name::INIT || has(ParamKind::KeywordOnly) {
        return Manner::Positions;
    }
    match (takes, signature.required == signature.positional) {
        (0, _) => Manner::Nothing,
        (1, true) => Manner::One,
        _ => Manner::Positions,
    }
}

/// How it took the arguments of a call, `named` of them by name: the constructors of `int` and `str`
/// have a shorter way for positions alone.
fn manner_of_call(native: &Native, named: usize) -> Manner {
    let is_shortened = native.name == name::NEW && matches!(native.owner, "int" | "str");
    if named == 0 && is_shortened {
        return Manner::Positions;
    }
    manner(native)
}

/// How many parameters are not counted in messages: `self` and `cls`.
fn own(native: &Native) -> usize {
    usize::from(
        matches!(native.role, NativeRole::Method | NativeRole::ClassMethod) || native.name == name::NEW,
    )
}

/// What a built-in is called in messages: `str.split`, `print`.
pub fn native_name(native: &Native) -> String {
    match native.role {
        NativeRole::Method if native.name == name::INIT => native.owner.to_string(),
        NativeRole::Method | NativeRole::ClassMethod if !native.owner.is_empty() => {
            format!("{}.{}", native.owner_name(), native.name)
        }
        NativeRole::Static if native.name == name::NEW => native.owner.to_string(),
        _ => native.name.to_string(),
    }
}

/// The same with the module before a function's name, as messages on the very count of arguments
/// have it: `math.sqrt`.
fn whole_name(native: &Native) -> String {
    match native.role {
        NativeRole::Function | NativeRole::Static if !native.owner.is_empty() && native.name != name::NEW => {
            format!("{}.{}", native.owner, native.name)
        }
        _ => native_name(native),
    }
}

/// How many arguments by name a built-in takes, if it counts those before it looks at them: most of
/// those do that take any number by position, and what they hand them on to.
fn counted_keywords(native: &Native) -> Option<usize> {
    let has = |kind| native.signature.params.iter().filter(|p| p.kind == kind).count();
    let is_by_hand = has(ParamKind::Args) > 0 || native.name.text() == "sorted";
    let is_counted = is_by_hand && native.name.text() != "print" && script_name(native).is_none();
    (is_counted && has(ParamKind::Kwargs) == 0).then(|| has(ParamKind::KeywordOnly))
}

/// The error for an argument by a name that `enumerate`, which compares the names itself, does not know.
fn invalid_keyword(native: &Native, name: Symbol) -> Raised {
    let called = short_name(native);
    type_error(format!("'{name}' is an invalid keyword argument for {called}()"))
}

/// The error for an argument by a name that no parameter has, one of `given`.
fn unexpected_keyword(native: &Native, name: Symbol, given: usize) -> Raised {
    if native.owner == "enumerate" {
        return invalid_keyword(native, name);
    }
    let called = match script_name(native) {
        Some(name) => name,
        // What sorts is the list that it makes.
        None if native.name.text() == "sorted" => "sort".to_string(),
        None => short_name(native).to_string(),
    };
    if let Some(most) = counted_keywords(native).filter(|most| given > *most) {
        let s = plural(most);
        return type_error(format!(
            "{called}() takes at most {most} keyword argument{s} ({given} given)"
        ));
    }
    let by_name = |kind| matches!(kind, ParamKind::Positional | ParamKind::KeywordOnly);
    let known = native.signature.params.iter().filter(|p| by_name(p.kind));
    let hint = super::suggest::did_you_mean(name.text(), known.map(|p| p.name.text()));
    type_error(format!(
        "{called}() got an unexpected keyword argument '{name}'{hint}"
    ))
}

/// The error for arguments by name, `named` of them beside `npos` others, to a built-in that takes none.
fn no_keywords(native: &Native, name: Symbol, npos: usize, named: usize) -> Raised {
    if script_name(native).is_some() {
        return unexpected_keyword(native, name, 1);
    }
    if is_given_its_class(native) {
        let short = short_name(native);
        let given = npos - own(native) + named;
        return type_error(match native.signature.positional - own(native) {
            0 => format!("{short}() takes no arguments"),
            1 if given > 1 => {
                let keyword = if given == named { "keyword " } else { "" };
                format!("{short}() takes at most 1 {keyword}argument ({given} given)")
            }
            _ => format!("{short}() takes exactly 1 positional argument (0 given)"),
        });
    }
    type_error(if native.is_slot() && native.name != name::INIT {
        format!("wrapper {}() takes no keyword arguments", native.name)
    } else {
        format!("{}() takes no keyword arguments", whole_name(native))
    })
}

/// A slot that unpacks its arguments, rather than counting them, says so with a nameless space.
fn slot_prefix(native: &Native, takes: usize) -> &'static str {
    let is_sequence = matches!(
        native.owner,
        "str" | "bytes" | "bytearray" | "list" | "tuple" | "deque"
    );
    let repeats = matches!(native.name.text(), "__mul__" | "__rmul__" | "__imul__");
    if takes > 1 || (is_sequence && repeats) {
        " "
    } else {
        ""
    }
}

/// The name alone, of a constructor its class's: `find`, `list`.
pub fn short_name(native: &Native) -> &'static str {
    match native.name {
        name::NEW | name::INIT => native.owner,
        name => name.text(),
    }
}

/// Whether no parameter takes an argument by a name.
fn is_unknown(native: &Native, name: Symbol) -> bool {
    let takes = |p: &native::NativeParam| p.name == name || p.kind == ParamKind::Kwargs;
    !native.signature.params.iter().any(takes)
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Whether a built-in that counts them all gets so many arguments, that one of them must be wrong.
fn are_too_many(native: &Native, count: usize) -> bool {
    let params = &native.signature.params;
    let takes_more = |p: &native::NativeParam| matches!(p.kind, ParamKind::Args | ParamKind::Kwargs);
    count > params.len() && !params.iter().any(takes_more) && manner(native) == Manner::Names
}

/// The error for `npos` positional arguments, of which there are too many, and others by `names`.
fn too_many(native: &Native, npos: usize, names: &[Symbol]) -> Raised {
    // A function of a script looks at the names first.
    if script_name(native).is_some() {
        for name in names {
            if is_unknown(native, *name) {
                return unexpected_keyword(native, *name, names.len());
            }
            let takes = |p: &native::NativeParam| p.name == *name && p.kind == ParamKind::Positional;
            match native.signature.params.iter().position(takes) {
                Some(place) if place < npos => return given_twice(native, *name, place),
                _ => {}
            }
        }
    }
    let named = names.len();
    let own = own(native);
    let (takes, got) = (
        native.signature.positional.saturating_sub(own),
        npos.saturating_sub(own),
    );
    let is_exact = native.signature.required == native.signature.positional;
    let most = if is_exact { "" } else { "at most " };
    let s = plural(takes);
    type_error(match manner_of_call(native, named) {
        Manner::Script => {
            let name = script_name(native).unwrap_or_default();
            let (least, most) = (native.signature.required, native.signature.positional);
            let (range, s) = match least == most {
                true => (most.to_string(), plural(most)),
                false => (format!("from {least} to {most}"), "s"),
            };
            let were = if npos == 1 { "was" } else { "were" };
            format!("{name}() takes {range} positional argument{s} but {npos} {were} given")
        }
        Manner::Slot => {
            let space = slot_prefix(native, takes);
            format!("{space}expected {most}{takes} argument{s}, got {got}")
        }
        Manner::Nothing => format!("{}() takes no arguments ({got} given)", whole_name(native)),
        Manner::One => format!(
            "{}() takes exactly one argument ({got} given)",
            whole_name(native)
        ),
        Manner::Positions => format!(
            "{} expected {most}{takes} argument{s}, got {got}",
            short_name(native)
        ),
        Manner::Names => {
            let name = short_name(native);
            let all = native.signature.params.len() - own;
            let how = if is_exact { "exactly" } else { "at most" };
            if all == 0 {
                format!("{name}() takes no arguments")
            } else if got + named > all || all == takes {
                let s = plural(all);
                let keyword = if got == 0 { "keyword " } else { "" };
                format!(
                    "{name}() takes at most {all} {keyword}argument{s} ({} given)",
                    got + named
                )
            } else if takes == 0 {
                format!("{name}() takes no positional arguments")
            } else {
                format!("{name}() takes {how} {takes} positional argument{s} ({got} given)")
            }
        }
    })
}

/// The error for an argument by the name of a parameter that has one by position, counted from 1.
fn given_twice(native: &Native, parameter: Symbol, place: usize) -> Raised {
    type_error(match script_name(native) {
        Some(name) => format!("{name}() got multiple values for argument '{parameter}'"),
        None => {
            let name = short_name(native);
            format!("argument for {name}() given by name ('{parameter}') and position ({place})")
        }
    })
}

/// The error for a parameter that got no argument, `index` is its place; `left` are the arguments
/// by name that no parameter before it took.
fn missing(native: &Native, npos: usize, left: &[Symbol], index: usize) -> Raised {
    let own = own(native);
    let signature: &Parameters = &native.signature;
    let parameter = signature.params[index].name;
    let needs = signature.required.saturating_sub(own);
    let got = npos.saturating_sub(own);
    let least = if signature.required == signature.positional {
        ""
    } else {
        "at least "
    };
    let s = plural(needs);
    type_error(match manner(native) {
        _ if npos < own && native.name == name::NEW => {
            format!("{}.__new__(): not enough arguments", native.owner)
        }
        Manner::Script => {
            if let Some(name) = left.iter().find(|name| is_unknown(native, **name)) {
                return unexpected_keyword(native, *name, left.len());
            }
            let missing: Vec<Symbol> = signature.params[index..]
                .iter()
                .filter(|p| {
                    matches!(p.kind, ParamKind::PositionalOnly | ParamKind::Positional)
                        && !p.has_default
                        && !left.contains(&p.name)
                })
                .map(|p| p.name)
                .collect();
            let (name, count, s) = (
                script_name(native).unwrap_or_default(),
                missing.len(),
                plural(missing.len()),
            );
            format!(
                "{name}() missing {count} required positional argument{s}: {}",
                listed(&missing)
            )
        }
        Manner::Slot => {
            let space = slot_prefix(native, signature.positional - own);
            format!("{space}expected {least}{needs} argument{s}, got {got}")
        }
        Manner::One => format!(
            "{}() takes exactly one argument ({got} given)",
            whole_name(native)
        ),
        Manner::Nothing | Manner::Positions => {
            format!(
                "{} expected {least}{needs} argument{s}, got {got}",
                short_name(native)
            )
        }
        Manner::Names => {
            let only = signature
                .params
                .iter()
                .filter(|p| p.kind == ParamKind::PositionalOnly && !p.has_default)
                .count()
                .saturating_sub(own);
            let name = short_name(native);
            if index < only + own && only > got && only > 0 {
                let how = if only + own < signature.positional {
                    "at least"
                } else {
                    "exactly"
                };
                let s = plural(only);
                format!("{name}() takes {how} {only} positional argument{s} ({got} given)")
            } else if native.owner == "enumerate" {
                if let Some(name) = left.first() {
                    return invalid_keyword(native, *name);
                }
                format!("{name}() missing required argument '{parameter}'")
            } else {
                let at = index + 1 - own;
                format!("{name}() missing required argument '{parameter}' (pos {at})")
            }
        }
    })
}

/// The error for arguments that do not fit: `npos` positional ones, then those by `names`.
#[cold]
pub fn misfit(native: &Native, npos: usize, names: &[Symbol]) -> Raised {
    let params = &native.signature.params;
    let takes_names =
        |p: &native::NativeParam| !matches!(p.kind, ParamKind::PositionalOnly | ParamKind::Args);
    let has = |kind| params.iter().any(|p| p.kind == kind);
    if !has(ParamKind::Args)
        && !params.iter().any(takes_names)
        && let Some(name) = names.first()
    {
        return no_keywords(native, *name, npos, names.len());
    }
    if npos > native.signature.positional || are_too_many(native, npos + names.len()) {
        return too_many(native, npos, names);
    }
    let mut left = names.to_vec();
    for (i, param) in params.iter().enumerate() {
        let mut is_given = match param.kind {
            ParamKind::Args | ParamKind::Kwargs => continue,
            ParamKind::KeywordOnly => false,
            ParamKind::PositionalOnly | ParamKind::Positional => i < npos,
        };
        if param.kind != ParamKind::PositionalOnly
            && let Some(named) = left.iter().position(|name| *name == param.name)
        {
            if is_given {
                return given_twice(native, param.name, i + 1 - own(native));
            }
            left.remove(named);
            is_given = true;
        }
        if !is_given && !param.has_default {
            return missing(native, npos, &left, i);
        }
    }
    let name = left.first().copied().unwrap_or(native.name);
    match params.iter().any(takes_names) {
        true => unexpected_keyword(native, name, names.len()),
        false => no_keywords(native, name, npos, names.len()),
    }
}

/// Checks that a method that was found in its class, not through an object, is called on an
/// object of that class.
#[inline]
pub fn check_receiver(native: &Native, args: &[Value]) -> Res<()> {
    let Some(this) = args.first() else {
        return Err(no_receiver(native));
    };
    let of = class_of(this);
    let owner = native.owner_name();
    if of.name() == owner || of.mro.borrow().iter().any(|c| c.name() == owner) {
        return Ok(());
    }
    Err(wrong_receiver(native, this))
}

#[cold]
fn no_receiver(native: &Native) -> Raised {
    if script_name(native).is_some() {
        return missing(native, 0, &[], 0);
    }
    let name = native.name;
    type_error(if native.is_slot() {
        format!(
            "descriptor '{name}' of '{}' object needs an argument",
            full_name(native.owner)
        )
    } else {
        format!(
            "unbound method {}.{name}() needs an argument",
            native.owner_name()
        )
    })
}

#[cold]
fn wrong_receiver(native: &Native, this: &Value) -> Raised {
    let (name, owner, kind) = (native.name, full_name(native.owner), class_name(this));
    type_error(if native.is_slot() {
        format!("descriptor '{name}' requires a '{owner}' object but received a '{kind}'")
    } else {
        format!("descriptor '{name}' for '{owner}' objects doesn't apply to a '{kind}' object")
    })
}
