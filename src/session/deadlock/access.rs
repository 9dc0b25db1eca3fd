//! Who could have helped: what an object is called, and which calls in the program's text would
//! do what is missing.

use super::super::report::{headline, is_library};
use super::All;
use super::mention::Mention;
use super::party::{Frame, Party, attribute, failed, holds, named};
use crate::code::Code;
use crate::interp::types::class_of;
use crate::interp::{mapping, payload, text};
use crate::source::{Source, Span, Symbol};
use crate::syntax::ast::{Expr, ExprKind};
use crate::tools::standing;
use crate::value::*;
use std::rc::Rc;

/// So many calls are named.
const CALLS: usize = 2;
/// So many steps lead from a variable to an object at most.
const LONGEST_PATH: u32 = 2;
/// So many items of a list are looked at.
const ITEMS: usize = 100;

/// How one gets from a variable to the object: `queue`, `self.queue`, `locks[0]`, `self.waiters['a']`.
fn path(name: &str, value: &Value, object: &Value) -> Option<String> {
    path_within(name, value, object, LONGEST_PATH)
}

fn path_within(name: &str, value: &Value, object: &Value, left: u32) -> Option<String> {
    if value.is(object) {
        return Some(name.to_string());
    }
    let left = left.checked_sub(1)?;
    let item = |place: usize, item: &Value| path_within(&format!("{name}[{place}]"), item, object, left);
    let mut places = 0..ITEMS;
    let within = match value {
        Value::Instance(instance) => {
            // What the library's objects are made of is theirs alone.
            let is_library = class_of(value).is_script && is_of_library(value);
            let entries = instance.entries();
            let direct = entries.iter().find(|(_, value)| value.is(object));
            match direct {
                Some((attribute, _)) if is_library && !attribute.text().starts_with("__") => {
                    Some(name.to_string())
                }
                Some((attribute, _)) => Some(format!("{name}.{attribute}")),
                None if is_library => None,
                None => entries.iter().find_map(|(attribute, value)| {
                    path_within(&format!("{name}.{attribute}"), value, object, left)
                }),
            }
        }
        _ => None,
    };
    within.or_else(|| match payload::plain(value) {
        Value::List(list) => {
            let items = list.items.borrow();
            items.iter().find_map(|value| item(places.next()?, value))
        }
        Value::Tuple(tuple) => tuple.items.iter().find_map(|value| item(places.next()?, value)),
        Value::Dict(dict) => {
            let entries = mapping::entries(dict);
            entries.iter().take(ITEMS).find_map(|(key, value)| {
                let key = match key {
                    Value::Str(_) | Value::Int(_) => text::repr(key).ok()?,
                    _ => return None,
                };
                path_within(&format!("{name}[{key}]"), value, object, left)
            })
        }
        _ => None,
    })
}

/// Whether an object's class is the library's own.
fn is_of_library(object: &Value) -> bool {
    let class = class_of(object);
    let module = class.module.borrow();
    matches!(&*module, Value::Str(name) if matches!(
        name.text.split('.').next(),
        Some("asyncio" | "threading" | "queue" | "concurrent" | "_thread")
    ))
}

/// What a call's function calls an object, without its module's names.
fn local_name(frame: &Frame, object: &Value) -> Option<String> {
    let variables = frame.variables();
    let direct = variables.iter().find(|(_, value)| value.is(object));
    match direct {
        Some((name, _)) => Some(name.to_string()),
        None => variables
            .iter()
            .find_map(|(name, value)| path(name, value, object)),
    }
}

/// The same with the names of its module.
fn name(frame: &Frame, object: &Value) -> Option<String> {
    local_name(frame, object).or_else(|| {
        let globals = frame.func.module.entries();
        let direct = globals.iter().find(|(_, value)| value.is(object));
        match direct {
            Some((name, _)) => Some(name.text().to_string()),
            None => globals
                .iter()
                .find_map(|(name, value)| path(name.text(), value, object)),
        }
    })
}

/// Everything that a call's function, or its module, calls an object.
fn names(frame: &Frame, object: &Value) -> Vec<String> {
    let globals = frame.func.module.entries();
    let own = frame
        .variables()
        .iter()
        .filter_map(|(name, value)| path(name, value, object))
        .collect::<Vec<_>>();
    let shared = globals
        .iter()
        .filter_map(|(name, value)| path(name.text(), value, object));
    own.into_iter().chain(shared).collect()
}

/// What one who waits calls an object; or another, if the one who waits is not in the program's text.
pub fn name_for(place: usize, all: &[Party], object: &Value) -> Option<String> {
    let called = |party: &Party| party.all_own().find_map(|frame| name(frame, object));
    match all[place].own() {
        Some(_) => called(&all[place]),
        None => all.iter().find_map(called),
    }
}

/// Whether a function's variables say that a receiver in its text is the object; none if they do not tell.
fn refers(frame: &Frame, receiver: &Expr, object: &Value) -> Option<bool> {
    Some(held(frame, receiver)?.is(object))
}

/// What a function's variables give for an expression of its text.
fn held(frame: &Frame, expr: &Expr) -> Option<Value> {
    match &expr.plain().kind {
        ExprKind::Name(name) => frame.variable(name.text()),
        ExprKind::Attribute { value, name, .. } => attribute(&held(frame, value)?, name.text()),
        _ => None,
    }
}

/// A call in the program's text that would do what is missing.
struct Call {
    place: (Rc<Source>, Span),
    line: u32,
    /// `queue.put()`
    text: String,
    /// The function it stands in; none in the module itself.
    function: Option<String>,
    /// One who waits within that function, and the line in which it does.
    party: Option<(usize, u32)>,
    /// It has still to come to the call, perhaps again.
    is_ahead: bool,
    /// It comes to it by another round of the loop in which it waits.
    is_again: bool,
    /// It is not called there, but left to a pool of threads: `pool.submit(event.set)`.
    is_left: bool,
    /// One who waits within that function with another object.
    elsewhere: Option<usize>,
    /// A task that has not begun with that function.
    unbegun: Option<usize>,
    /// The task that failed in that function.
    failed: Option<String>,
}

/// The program's texts: where somebody waits, and what those modules have imported.
pub fn sources(all: &[Party]) -> Vec<Rc<Source>> {
    let mut sources: Vec<Rc<Source>> = Vec::new();
    let mut note = |source: &Rc<Source>| {
        if !sources.iter().any(|known| Rc::ptr_eq(known, source)) {
            sources.push(source.clone());
        }
    };
    for frame in all.iter().flat_map(Party::all_own) {
        note(&frame.code().source);
        for (_, value) in frame.func.module.entries() {
            written_in(&value, &mut note);
            if let Value::Module(module) = &value {
                module
                    .entries()
                    .iter()
                    .for_each(|(_, value)| written_in(value, &mut note));
            }
        }
    }
    sources
}

/// Tells in which of the program's texts a function or class stands.
fn written_in(value: &Value, note: &mut impl FnMut(&Rc<Source>)) {
    match value {
        Value::Function(func) if !is_library(&func.code) => note(&func.code.source),
        Value::Class(class) if class.is_script => {
            for member in class.dict.borrow().values() {
                if let Value::Function(func) = member
                    && !is_library(&func.code)
                {
                    note(&func.code.source);
                }
            }
        }
        _ => {}
    }
}

/// The last name in a path: `queue` in `self.queue`.
fn last_name(path: &str) -> &str {
    let end = path.find('[').unwrap_or(path.len());
    path[..end].rsplit('.').next().unwrap_or_default()
}

/// What would have let somebody go on.
pub struct Remedy {
    object: Value,
    /// One of these methods of the object, the usual one first.
    methods: &'static [&'static str],
    /// What to say if the program does call one of them.
    pub if_called: Option<&'static str>,
}

impl Remedy {
    pub fn is_of_same(&self, other: &Remedy) -> bool {
        self.object.is(&other.object)
    }

    pub fn new(object: &Value, methods: &'static [&'static str]) -> Remedy {
        Remedy {
            object: object.clone(),
            methods,
            if_called: None,
        }
    }
}

/// The calls in the program's texts of one of the methods on the object, and whether any of the methods is
/// called on something at all.
fn calls_of(object: &Value, methods: &[&str], all: &All) -> (Vec<Call>, bool) {
    let mut names: Vec<Symbol> = Vec::new();
    for frame in all.iter().flat_map(|party| party.frames.iter()) {
        for name in self::names(frame, object) {
            let name = Symbol::new(last_name(&name));
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let texts = all.texts();
    let is_released = methods.contains(&"release") && names.iter().any(|name| texts.entered.contains(name));
    let is_called = is_released || texts.mentions_of(methods).next().is_some();
    let mut calls = calls_by(object, methods, &names, all);
    if calls.is_empty() {
        calls = calls_by(object, methods, &texts.reached_from(&names), all);
    }
    (calls, is_called)
}

/// The calls of one of the methods on what has one of the names.
fn calls_by(object: &Value, methods: &[&str], names: &[Symbol], all: &All) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for mention in all.texts().mentions_of(methods) {
        let is_it = mention.name().is_some_and(|name| names.contains(&name));
        let is_new = |call: &Call| call.line != mention.line() || call.text != mention.text();
        if is_it && calls.iter().all(is_new) {
            calls.push(call(mention, object, all));
        }
    }
    calls
}

/// Who could have done it, in a sentence or two.
pub fn who_could(remedy: &Remedy, waiter: usize, all: &All) -> Option<String> {
    let Remedy { object, methods, .. } = remedy;
    let first = methods.first()?;
    let (calls, is_called) = calls_of(object, methods, all);
    let on = name_for(waiter, all, object);
    if !is_called {
        return Some(match on {
            None => format!("nothing in the program calls {first}() on it"),
            Some(on) => format!("nothing in the program calls `{on}.{first}()`"),
        });
    }
    if calls.is_empty() {
        let released = on.as_ref().filter(|_| methods.contains(&"release"));
        return match released {
            Some(on) => Some(format!("nothing but the end of a `with` block releases `{on}`")),
            None => others_with_it(object, waiter, all).or_else(|| match on.as_deref() {
                Some(on) => of_another(remedy, on, all),
                None => Some(format!(
                    "{first}() is called, but not on this one: was another one put in its place?"
                )),
            }),
        };
    }
    let told = calls.iter().take(CALLS).map(|call| call.told(waiter, all));
    let told: Vec<String> = told.chain(remedy.if_called.map(String::from)).collect();
    Some(told.join("\n"))
}

/// Those who would do it if they did not wait themselves; none if somebody else could.
pub fn who_would(remedy: &Remedy, all: &All) -> Vec<usize> {
    let (calls, _) = calls_of(&remedy.object, remedy.methods, all);
    let would = |call: &Call| call.party.filter(|_| call.is_ahead).map(|(party, _)| party);
    calls.iter().map(would).collect::<Option<_>>().unwrap_or_default()
}

/// Whether the program calls a method of something somewhere.
pub fn is_called(object: &Value, method: &str, all: &All) -> bool {
    !calls_of(object, &[method], all).0.is_empty()
}

/// Where the program's texts name a method of the object.
pub fn places_of(object: &Value, method: &str, all: &All) -> Vec<(Rc<Source>, Span)> {
    let (calls, _) = calls_of(object, &[method], all);
    calls.into_iter().map(|call| call.place).collect()
}

/// Where a lock was taken by one who is over.
pub fn who_took(object: &Value, all: &All) -> Option<String> {
    let (calls, _) = calls_of(object, &["acquire"], all);
    let by_others: Vec<&Call> = calls.iter().filter(|call| call.party.is_none()).collect();
    // Those who wait where it is taken have not taken it, but another one may have before.
    let waits_there = |call: &&Call| call.party.is_some_and(|(_, at)| at == call.line);
    let over = match by_others.is_empty() {
        true => calls.iter().filter(waits_there).collect(),
        false => by_others,
    };
    let [
        Call {
            line, text, function, ..
        },
    ] = over[..]
    else {
        return None;
    };
    let within = function
        .as_ref()
        .map_or(String::new(), |name| format!(", in {name}()"));
    Some(format!("it was taken by `{text}` in line {line}{within}"))
}

fn call(mention: &Mention, object: &Value, all: &All) -> Call {
    let Mention { source, function, .. } = mention;
    let line = mention.line();
    let header = function.as_ref().map(|(header, _)| *header);
    let is_around = |code: &Code| Rc::ptr_eq(&code.source, source) && holds(code, header);
    let within = |(place, party): (usize, &Party)| {
        let frame = party.all_own().find(|frame| is_around(frame.code()))?;
        // Of a loop, it is its head that waits.
        let waits = match frame.code().tree_at(frame.span) {
            _ if party.is_leaving(frame) => all.texts().block(source, frame.span),
            Some(_) => frame.span,
            None => source.on_first_line(frame.span),
        };
        // What it is given is worked out before it is called.
        let is_argument = mention.call.holds(waits) && mention.call != waits;
        let is_after = mention.place.start >= waits.end || is_argument;
        let is_in_loop = mention.loops.iter().any(|around| around.holds(frame.span));
        let is_before = mention.place.end <= waits.start || party.is_leaving(frame);
        let is_again = !is_after && is_before && is_in_loop;
        let is_it = refers(frame, &mention.receiver, object);
        Some((is_it, (place, frame.line()), is_after, is_again))
    };
    // Others may be in the same function for another object.
    let within: Vec<_> = all.iter().enumerate().filter_map(within).collect();
    let known = within.iter().find(|(is_it, ..)| *is_it == Some(true));
    let known = known.or_else(|| within.iter().find(|(is_it, ..)| is_it.is_none()));
    let is_to_begin = |party: &Party| party.unbegun().is_some_and(|func| is_around(&func.code));
    Call {
        place: (source.clone(), mention.place),
        line,
        text: mention.text(),
        party: known.map(|(_, party, ..)| *party),
        is_ahead: known.is_some_and(|(.., is_after, is_again)| *is_after || *is_again),
        is_again: known.is_some_and(|(.., is_again)| *is_again),
        is_left: mention.is_left,
        elsewhere: within.first().map(|(_, (party, _), ..)| *party),
        failed: failed_in(source, header, all),
        unbegun: all.iter().position(is_to_begin),
        function: function.as_ref().map(|(_, name)| name.text().to_string()),
    }
}

/// `task 'a' failed in line 7: ValueError: no`
pub fn failure(task: &Ref<Future>, error: &Ref<Exception>) -> String {
    let line = standing::raised(error).map(|(code, span)| code.source.line(span.start));
    let line = line.map_or(String::new(), |line| format!(" in line {line}"));
    format!("{} failed{line}: {}", named(task), headline(error))
}

/// The task that failed in a function, if somebody still knows it.
fn failed_in(source: &Rc<Source>, header: Option<Span>, all: &[Party]) -> Option<String> {
    let was_in = |error: &Ref<Exception>| {
        let mut row = error.traceback.get();
        while let Some(entry) = row {
            if Rc::ptr_eq(&entry.code.source, source) && holds(&entry.code, header) {
                return true;
            }
            row = entry.next.get();
        }
        false
    };
    let (task, error) = failed(all).into_iter().find(|(_, error)| was_in(error))?;
    Some(failure(&task, &error))
}

impl Call {
    fn told(&self, waiter: usize, all: &[Party]) -> String {
        let Call { line, text, .. } = self;
        if self.is_left && !self.is_ahead {
            return format!(
                "`{text}` in line {line} is left to a thread of the pool, and none may be free: allow more of them"
            );
        }
        let Some((party, _)) = self.party else {
            if let (Some(function), Some(failed)) = (&self.function, &self.failed) {
                return format!("`{text}` in line {line} is in {function}(), but {failed}");
            }
            return match (&self.function, self.unbegun) {
                (Some(function), Some(party)) => {
                    let who = all[party].name();
                    format!("`{text}` in line {line} is in {function}(), which {who} has not begun")
                }
                (Some(function), None) => match self.elsewhere {
                    Some(party) => {
                        let who = all[party].name();
                        format!("`{text}` in line {line} is in {function}(), where {who} has another one now")
                    }
                    None => format!(
                        "`{text}` in line {line} is in {function}(), which has ended or was never called"
                    ),
                },
                (None, _) => format!("`{text}` in line {line} has been called already, or never will be"),
            };
        };
        let waits_at = all[party].own().map_or(0, Frame::line);
        let who = if party == waiter {
            "it".into()
        } else {
            all[party].name()
        };
        match self.is_ahead {
            true => {
                let again = if self.is_again { " again" } else { "" };
                format!("{who} would call `{text}` in line {line}{again}, but waits in line {waits_at}")
            }
            false => format!("{who} calls `{text}` in line {line}, but now waits in line {waits_at}"),
        }
    }
}

/// A call on another object, which a name of the module says that it is: `not_full.notify()` where somebody waits
/// for `not_empty`.
fn of_another(remedy: &Remedy, on: &str, all: &All) -> Option<String> {
    let is_other = |receiver: &Expr| {
        let ExprKind::Name(receiver) = receiver.plain().kind else {
            return false;
        };
        let frames = all.iter().flat_map(Party::all_own);
        let mut known = frames.flat_map(|frame| frame.func.module.entries());
        known.any(|(name, value)| {
            name == receiver
                && !value.is(&remedy.object)
                && class_of(&value).name() == class_of(&remedy.object).name()
        })
    };
    let first = remedy.methods.first()?;
    let mut mentions = all.texts().mentions_of(remedy.methods);
    let other = mentions.find(|mention| is_other(&mention.receiver))?;
    let (text, line) = (other.text(), other.line());
    Some(format!(
        "nothing in the program calls `{on}.{first}()`: `{text}` in line {line} is of another one"
    ))
}

fn at_line(party: &Party) -> String {
    party
        .own()
        .map_or(String::new(), |own| format!(" in line {}", own.line()))
}

/// The others that know the object.
fn others_with_it(object: &Value, waiter: usize, all: &[Party]) -> Option<String> {
    let others = all.iter().enumerate().filter(|(place, _)| *place != waiter);
    let told = others.filter_map(|(_, other)| {
        let name = other.all_own().find_map(|frame| local_name(frame, object))?;
        Some(format!(
            "{} has it too, as `{name}`, and waits{}",
            other.name(),
            at_line(other)
        ))
    });
    let told: Vec<String> = told.take(CALLS).collect();
    (!told.is_empty()).then(|| told.join("\n"))
}
