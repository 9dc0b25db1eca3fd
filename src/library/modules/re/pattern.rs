//! `re.Pattern`: a compiled pattern, and everything that is done with one.

use super::found::{self, Found, Subject};
use super::template::Template;
use super::translate::{self, ASCII, Group, LOCALE, UNICODE};
use super::{flag, mistake, scanner};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{call, isinstance, mapping, operator, report, text};
use crate::library::builtins::{class_method, getter, method, readonly};
use crate::text::string;
use crate::value::descriptor::MappingProxy;
use crate::value::*;
use fancy_regex::{Regex, RegexBuilder, RegexInput};
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

pub const CLASS: &str = "re.Pattern";

/// Steps back a match may take before it is given up: minutes of work.
const BACKTRACKS: usize = 1 << 32;

pub struct Pattern {
    /// As it was written.
    source: Value,
    pub is_text: bool,
    flags: u32,
    pub groups: Vec<Group>,
    /// In the engine's syntax.
    text: String,
    search: Regex,
    /// The pattern that must reach the end, and the one that must not match nothing where the
    /// search begins; compiled when they are first needed.
    full: OnceCell<Regex>,
    advancing: OnceCell<Regex>,
}

/// Where the groups of a match stand, in bytes; the whole match first.
type Places = Vec<Option<(usize, usize)>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Search,
    Start,
    Full,
}

fn build(text: &str) -> Result<Regex, fancy_regex::Error> {
    RegexBuilder::new(text)
        .backtrack_limit(BACKTRACKS)
        .delegate_size_limit(256 << 20)
        .build()
}

impl Pattern {
    pub fn new(source: &Value, chars: &[char], is_text: bool, flags: u32) -> Res<Pattern> {
        let translated =
            translate::translate(chars, flags, is_text).map_err(|m| mistake(m, chars, source))?;
        for doubt in &translated.doubts {
            report::warn(Type::FutureWarning, doubt)?;
        }
        let mut flags = translated.flags;
        if is_text {
            if flags & LOCALE != 0 {
                return Err(value_error("cannot use LOCALE flag with a str pattern"));
            }
            if flags & ASCII == 0 {
                flags |= UNICODE;
            } else if flags & UNICODE != 0 {
                return Err(value_error("ASCII and UNICODE flags are incompatible"));
            }
        } else if flags & UNICODE != 0 {
            return Err(value_error("cannot use UNICODE flag with a bytes pattern"));
        } else if flags & LOCALE != 0 && flags & ASCII != 0 {
            return Err(value_error("ASCII and LOCALE flags are incompatible"));
        }
        let search = build(&translated.text).map_err(|error| {
            let message = format!("pattern is not part of aio: {error}");
            mistake(
                translate::Mistake {
                    message,
                    place: usize::MAX,
                },
                chars,
                source,
            )
        })?;
        Ok(Pattern {
            source: source.clone(),
            is_text,
            flags,
            groups: translated.groups,
            text: translated.text,
            search,
            full: OnceCell::new(),
            advancing: OnceCell::new(),
        })
    }

    /// The pattern with something around it, compiled once.
    fn variant<'a>(&'a self, cell: &'a OnceCell<Regex>, before: &str, after: &str) -> Res<&'a Regex> {
        if let Some(regex) = cell.get() {
            return Ok(regex);
        }
        let regex = build(&format!("{before}(?:{}){after}", self.text)).map_err(|e| engine_error(&e))?;
        Ok(cell.get_or_init(|| regex))
    }

    /// The number of a group given by number or name.
    pub fn group_index(&self, group: &Value) -> Res<usize> {
        let found = match text_of(group) {
            Some(name) => self
                .groups
                .iter()
                .position(|g| g.name.as_deref() == Some(name))
                .map(|i| i + 1),
            None if has_index(group) => usize::try_from(clamped(&index(group)?))
                .ok()
                .filter(|&i| i <= self.groups.len()),
            None => None,
        };
        found.ok_or_else(|| index_error("no such group"))
    }

    /// The group that was closed last in a match.
    pub fn last_group(&self, places: &Places) -> Option<usize> {
        let matched =
            (1..places.len()).filter_map(|i| Some((places[i]?.1, self.groups.get(i - 1)?.closing, i)));
        matched.max().map(|(_, _, i)| i)
    }
}

#[cold]
fn engine_error(error: &fancy_regex::Error) -> Raised {
    runtime_error(format!(
        "the match takes too many steps or too much memory: {error}"
    ))
}

fn run(regex: &Regex, text: &str, from: usize, is_anchored: bool) -> Res<Option<Places>> {
    let input = RegexInput::new(text).from_pos(from).anchored(is_anchored);
    let captures = regex.captures_input(input).map_err(|e| engine_error(&e))?;
    Ok(captures.map(|captures| {
        (0..captures.len())
            .map(|i| captures.get(i).map(|part| (part.start(), part.end())))
            .collect()
    }))
}

/// A search that goes on where it found something.
pub struct Scan {
    pattern: Value,
    subject: Rc<Subject>,
    /// Where the text ends for this search, and where to go on, in bytes.
    end: usize,
    at: Cell<usize>,
    /// The last match was empty: the next must not be, at the same place.
    must_advance: Cell<bool>,
}

impl Scan {
    /// The pattern that is searched for.
    pub fn pattern(&self) -> Value {
        self.pattern.clone()
    }

    /// A search of `string[pos:endpos]`.
    pub fn new(pattern: &Value, string: &Value, pos: &Value, endpos: &Value) -> Res<Scan> {
        let compiled = this(pattern)?;
        let subject = Subject::new(string, compiled.is_text, pos, endpos)?;
        let (at, end) = subject.bounds();
        Ok(Scan {
            pattern: pattern.clone(),
            subject: Rc::new(subject),
            end,
            at: Cell::new(at),
            must_advance: Cell::new(false),
        })
    }

    fn once(&self, manner: Manner) -> Res {
        if self.at.get() > self.end {
            return Ok(Value::None);
        }
        let pattern = this(&self.pattern)?;
        let text = &self.subject.text.text[..self.end];
        let places = match manner {
            Manner::Search => run(&pattern.search, text, self.at.get(), false)?,
            Manner::Start => run(&pattern.search, text, self.at.get(), true)?,
            Manner::Full => run(
                pattern.variant(&pattern.full, "", r"\z")?,
                text,
                self.at.get(),
                true,
            )?,
        };
        Ok(places.map_or(Value::None, |places| self.found(places)))
    }

    fn next(&self) -> Res<Option<Places>> {
        self.next_at(false)
    }

    /// The next match; if it is anchored, just where the last one ended.
    fn next_at(&self, is_anchored: bool) -> Res<Option<Places>> {
        let from = self.at.get();
        if from > self.end {
            return Ok(None);
        }
        let pattern = this(&self.pattern)?;
        let text = &self.subject.text.text[..self.end];
        let mut places = run(&pattern.search, text, from, is_anchored)?;
        if self.must_advance.get()
            && matches!(places.as_deref(), Some([Some((a, b)), ..]) if *a == from && *b == from)
        {
            places = run(
                pattern.variant(&pattern.advancing, "", r"(?!\G)")?,
                text,
                from,
                is_anchored,
            )?;
        }
        match places.as_deref() {
            Some([Some((start, end)), ..]) => {
                self.must_advance.set(start == end);
                self.at.set(*end);
            }
            _ => self.at.set(self.end + 1),
        }
        Ok(places)
    }

    /// The next match, as a script sees it.
    pub fn next_found(&self, is_anchored: bool) -> Res {
        let places = self.next_at(is_anchored)?;
        Ok(places.map_or(Value::None, |places| self.found(places)))
    }

    fn found(&self, places: Places) -> Value {
        let found = Found {
            pattern: self.pattern.clone(),
            subject: self.subject.clone(),
            places,
        };
        Opaque::value(crate::interp::types::named_class(found::CLASS), found)
    }

    fn part(&self, start: usize, end: usize) -> Value {
        self.subject.part(start, end)
    }
}

pub fn this(value: &Value) -> Res<&Pattern> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("match", "re.Pattern", value))
}

fn once(args: &[Value], manner: Manner) -> Res {
    Scan::new(&args[0], &args[1], &args[2], &args[3])?.once(manner)
}

pub fn search(args: &[Value]) -> Res {
    once(args, Manner::Search)
}

pub fn match_start(args: &[Value]) -> Res {
    once(args, Manner::Start)
}

pub fn full_match(args: &[Value]) -> Res {
    once(args, Manner::Full)
}

pub fn find_all(args: &[Value]) -> Res {
    let scan = Scan::new(&args[0], &args[1], &args[2], &args[3])?;
    let mut all = Vec::new();
    while let Some(places) = scan.next()? {
        let part = |i: usize| match places[i] {
            Some((start, end)) => scan.part(start, end),
            None => scan.part(0, 0),
        };
        all.push(match places.len() {
            1 => part(0),
            2 => part(1),
            n => Value::tuple((1..n).map(part).collect::<Vec<_>>()),
        });
    }
    Ok(Value::list(all))
}

pub fn find_iter(args: &[Value]) -> Res {
    let scan = Scan::new(&args[0], &args[1], &args[2], &args[3])?;
    Ok(NativeIterator::single("callable_iterator", move || {
        Ok(scan.next()?.map(|places| scan.found(places)))
    }))
}

fn count(value: &Value) -> Res<usize> {
    let n = if value.is_unset() { 0 } else { small(value)? };
    // 0 means all; below 0, none.
    Ok(match n {
        0 => usize::MAX,
        n => usize::try_from(n).unwrap_or(0),
    })
}

pub fn split(args: &[Value]) -> Res {
    let scan = Scan::new(&args[0], &args[1], &Value::Unset, &Value::Unset)?;
    let most = count(&args[2])?;
    let (mut parts, mut last, mut n) = (Vec::new(), 0, 0);
    while n < most
        && let Some(places) = scan.next()?
    {
        let Some((start, end)) = places[0] else { break };
        parts.push(scan.part(last, start));
        for place in &places[1..] {
            parts.push(place.map_or(Value::None, |(start, end)| scan.part(start, end)));
        }
        last = end;
        n += 1;
    }
    parts.push(scan.part(last, scan.end));
    Ok(Value::list(parts))
}

/// What a match is replaced by.
enum Replacement {
    Template(Template),
    Call(Value),
    /// Bytes for a str, or str for bytes: wrong once there is a match.
    OtherKind(Value),
}

/// The replaced text and how many matches there were.
fn replaced(args: &[Value]) -> Res<(Value, usize)> {
    let [this_value, replacement, string, most] = args else {
        return Ok((Value::None, 0));
    };
    let pattern = this(this_value)?;
    let scan = Scan::new(this_value, string, &Value::Unset, &Value::Unset)?;
    let replacement = if as_str(replacement).is_none() && call::is_callable(replacement) {
        Replacement::Call(replacement.clone())
    } else if super::characters(replacement).is_some_and(|(_, is_text)| is_text != pattern.is_text) {
        Replacement::OtherKind(replacement.clone())
    } else {
        Replacement::Template(Template::parse(replacement, pattern)?)
    };
    let most = count(most)?;
    let source = &scan.subject.text.text;
    let (mut out, mut last, mut n) = (String::new(), 0, 0);
    let mut pieces = 0; // as CPython counts them in an error
    while n < most
        && let Some(places) = scan.next()?
    {
        let Some((start, end)) = places[0] else { break };
        out.push_str(&source[last..start]);
        pieces += usize::from(last < start);
        let made = match &replacement {
            Replacement::Template(template) => {
                template.expand(source, &places, &mut out);
                Value::None
            }
            Replacement::Call(func) => call::call(func, &[scan.found(places)])?,
            Replacement::OtherKind(other) => other.clone(),
        };
        match (super::characters(&made), &made) {
            (_, Value::None) => {}
            (Some((chars, is_text)), _) if is_text == pattern.is_text => {
                out.extend(chars);
                pieces += 1;
            }
            _ => {
                let wanted = if pattern.is_text {
                    "str instance"
                } else {
                    "a bytes-like object"
                };
                return Err(type_error(format!(
                    "sequence item {pieces}: expected {wanted}, {} found",
                    class_name(&made)
                )));
            }
        }
        last = end;
        n += 1;
    }
    if n == 0 && matches!(string, Value::Str(_) | Value::Bytes(_)) {
        return Ok((string.clone(), 0));
    }
    out.push_str(&source[last..]);
    Ok((found::whole(out, pattern.is_text), n))
}

pub fn sub(args: &[Value]) -> Res {
    replaced(args).map(|(text, _)| text)
}

pub fn sub_count(args: &[Value]) -> Res {
    let (text, n) = replaced(args)?;
    Ok(Value::tuple([text, Value::from(n)]))
}

fn group_names(this: &Pattern) -> Value {
    let names = Dict::default();
    if this.groups.iter().all(|group| group.name.is_none()) {
        return Ref::new(names).into();
    }
    for (i, group) in this.groups.iter().enumerate() {
        if let Some(name) = &group.name {
            names.set_symbol(crate::source::Symbol::new(name), Value::from(i + 1));
        }
    }
    Opaque::value(class(Type::MappingProxy), MappingProxy(Ref::new(names).into()))
}

fn repr(args: &[Value]) -> Res {
    let this = this(&args[0])?;
    let mut flags = i64::from(this.flags);
    // That a str pattern means Unicode goes without saying.
    if this.is_text {
        flags &= !i64::from(UNICODE);
    }
    let source: String = text::repr(&this.source)?.chars().take(200).collect();
    Ok(Value::from(match flags {
        0 => format!("re.compile({source})"),
        flags => format!("re.compile({source}, {})", flag::of_pattern(flags)),
    }))
}

const FIND: &str = "(self, /, string, pos=0, endpos=9223372036854775807)";

pub const METHODS: &[NativeDef] = &[
    method("match", FIND, "Match at the start of the string.", match_start),
    method("fullmatch", FIND, "Match the whole string.", full_match),
    method("search", FIND, "Find the first match in the string.", search),
    method("findall", FIND, "Return the texts of all matches.", find_all),
    method("finditer", FIND, "Return an iterator of all matches.", find_iter),
    method(
        "split",
        "(self, /, string, maxsplit=0)",
        "Split the string at the matches.",
        split,
    ),
    method(
        "sub",
        "(self, /, repl, string, count=0)",
        "Replace the matches.",
        sub,
    ),
    method(
        "subn",
        "(self, /, repl, string, count=0)",
        "Replace the matches, and count them.",
        sub_count,
    ),
    method(
        "scanner",
        FIND,
        "A search that is taken up again with each call.",
        scanner::new,
    ),
    method("__copy__", "(self, /)", "The pattern itself.", |args| {
        Ok(args[0].clone())
    }),
    method("__deepcopy__", "(self, memo, /)", "The pattern itself.", |args| {
        Ok(args[0].clone())
    }),
    method("__repr__", "(self, /)", "Return repr(self).", repr),
    method("__eq__", "(self, value, /)", "Return self==value.", |args| {
        let this = this(&args[0])?;
        match args[1].opaque::<Pattern>() {
            Some(other) => {
                let same = this.flags == other.flags && operator::equal(&this.source, &other.source)?;
                Ok(Value::bool(same))
            }
            None => Ok(Value::NotImplemented),
        }
    }),
    method("__hash__", "(self, /)", "Return hash(self).", |args| {
        operator::hash(&this(&args[0])?.source).map(Value::Int)
    }),
    class_method("__class_getitem__", "(cls, item, /)", "See PEP 585.", |args| {
        Ok(isinstance::generic_alias(&args[0], &args[1]))
    }),
    readonly("pattern"),
    getter("pattern", "The pattern as it was written.", |args| {
        Ok(this(&args[0])?.source.clone())
    }),
    readonly("flags"),
    getter("flags", "The flags, with those of the pattern itself.", |args| {
        Ok(Value::Int(i64::from(this(&args[0])?.flags)))
    }),
    getter("groups", "How many groups there are.", |args| {
        Ok(Value::from(this(&args[0])?.groups.len()))
    }),
    getter("groupindex", "The numbers of the named groups.", |args| {
        Ok(group_names(this(&args[0])?))
    }),
];

/// The names of the groups, with what a match holds for each.
pub fn dict_of_groups(pattern: &Pattern, part: impl Fn(usize) -> Value) -> Value {
    let named = pattern.groups.iter().enumerate();
    mapping::dict_of_symbols(named.filter_map(|(i, group)| {
        let name = group.name.as_deref()?;
        Some((crate::source::Symbol::new(name), part(i + 1)))
    }))
}

/// Where a place in bytes stands in code points.
pub fn code_point(text: &Str, byte: usize) -> usize {
    string::index_of(&text.text, byte, text.is_ascii())
}
