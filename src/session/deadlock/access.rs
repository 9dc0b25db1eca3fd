//! Who could have helped: what an object is called, and which calls in the program's text would
//! do what is missing.

use super::super::report::{headline, is_library};
use super::party::{Frame, Party, attribute, failed, holds, named};
use crate::code::Code;
use crate::interp::types::class_of;
use crate::interp::{mapping, text};
use crate::source::Source;
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
    match value {
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
    }
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
fn refers(frame: &Frame, receiver: &str, object: &Value) -> Option<bool> {
    let mut names = receiver.split('.');
    let mut value = frame.variable(names.next()?)?;
    for name in names {
        value = attribute(&value, name)?;
    }
    Some(value.is(object))
}

/// A call in the program's text that would do what is missing.
struct Call {
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
    /// A task that has not begun with that function.
    unbegun: Option<usize>,
    /// The task that failed in that function.
    failed: Option<String>,
}

/// Whether a line of code gives a method that it names to a pool of threads.
fn is_left_to_pool(code: &str, method: &str) -> bool {
    let wanted = format!(".{method}");
    let is_call = |at: usize| code[at + wanted.len()..].trim_start().starts_with('(');
    let mut pools = [".submit(", "run_in_executor(", "to_thread("].iter();
    pools.any(|call| code.contains(call)) && !code.match_indices(&wanted).any(|(at, _)| is_call(at))
}

/// The program's texts: where somebody waits, and what those modules have imported.
fn sources(all: &[Party]) -> Vec<Rc<Source>> {
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

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The line of the `def` around a line, and the function's name.
fn enclosing(source: &Source, line: u32) -> Option<(u32, String)> {
    let mut least = indent(source.line_text(line));
    for above in (1..line).rev() {
        let text = source.line_text(above);
        let trimmed = text.trim_start();
        if trimmed.trim_end().is_empty() || trimmed.starts_with('#') || indent(text) >= least {
            continue;
        }
        least = indent(text);
        let def = trimmed.strip_prefix("async ").unwrap_or(trimmed).trim_start();
        if let Some(rest) = def.strip_prefix("def ") {
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next();
            return Some((above, name.unwrap_or_default().to_string()));
        }
    }
    None
}

/// Whether a line stands in a loop around a later one of the same function.
fn is_in_loop_of(source: &Source, line: u32, later: u32) -> bool {
    let mut least = indent(source.line_text(later));
    for above in (1..later).rev() {
        let text = source.line_text(above);
        let code = without_comment(text).trim();
        if code.is_empty() || indent(text) >= least {
            continue;
        }
        least = indent(text);
        let code = code.strip_prefix("async ").unwrap_or(code).trim_start();
        let word = code.split(|c: char| !c.is_alphanumeric()).next();
        match word {
            Some("while" | "for") if above <= line => return true,
            Some("def" | "class") => return false,
            _ => {}
        }
    }
    false
}

/// A line without its comment.
fn without_comment(line: &str) -> &str {
    match line.trim_start().starts_with('#') {
        true => "",
        false => line.split(" #").next().unwrap_or_default(),
    }
}

/// The receivers of a method in a line of code, whether it is called or handed on: `self.queue`.
fn receivers<'a>(code: &'a str, method: &str) -> Vec<&'a str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let wanted = format!(".{method}");
    let found = code.match_indices(&wanted).filter_map(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + wanted.len()..]);
        let object = match before.strip_suffix(']').and_then(|_| before.rfind('[')) {
            Some(open) => &before[..open],
            None => before,
        };
        let start = object.trim_end_matches(|c| is_name(c) || c == '.').len();
        (!after.starts_with(is_name)).then(|| &before[start..])
    });
    found.collect()
}

/// Whether a line begins a block that takes something of the name, and releases it at its end.
fn takes_for_a_block(code: &str, names: &[String]) -> bool {
    let code = code.trim_start();
    let code = code.strip_prefix("async ").unwrap_or(code).trim_start();
    code.strip_prefix("with ").is_some_and(|managers| {
        let mut words = managers.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| names.iter().any(|name| last_name(name) == word))
    })
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
fn calls_of(object: &Value, methods: &[&str], all: &[Party]) -> (Vec<Call>, bool) {
    let mut names: Vec<String> = Vec::new();
    for frame in all.iter().flat_map(|party| party.frames.iter()) {
        for name in self::names(frame, object) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let mut calls: Vec<Call> = Vec::new();
    let mut is_called = false;
    for source in sources(all) {
        for line in 1..=source.line(source.text.len() as u32) {
            let code = without_comment(source.line_text(line));
            is_called |= methods.contains(&"release") && takes_for_a_block(code, &names);
            for method in methods {
                for receiver in receivers(code, method) {
                    is_called = true;
                    let is_it = names.iter().any(|name| last_name(name) == last_name(receiver));
                    let text = format!("{receiver}.{method}()");
                    let is_new = !calls.iter().any(|call| call.line == line && call.text == text);
                    if is_it && is_new {
                        let is_object = |frame: &Frame| refers(frame, receiver, object);
                        calls.push(Call {
                            is_left: is_left_to_pool(code, method),
                            ..call(&source, line, text, &is_object, all)
                        });
                    }
                }
            }
        }
    }
    (calls, is_called)
}

/// Who could have done it, in a sentence or two.
pub fn who_could(remedy: &Remedy, waiter: usize, all: &[Party]) -> Option<String> {
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
pub fn who_would(remedy: &Remedy, all: &[Party]) -> Vec<usize> {
    let (calls, _) = calls_of(&remedy.object, remedy.methods, all);
    let would = |call: &Call| call.party.filter(|_| call.is_ahead).map(|(party, _)| party);
    calls.iter().map(would).collect::<Option<_>>().unwrap_or_default()
}

/// Whether the program calls a method of something somewhere.
pub fn is_called(object: &Value, method: &str, all: &[Party]) -> bool {
    !calls_of(object, &[method], all).0.is_empty()
}

/// Where a lock was taken by one who is over.
pub fn who_took(object: &Value, all: &[Party]) -> Option<String> {
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

fn call(
    source: &Rc<Source>,
    line: u32,
    text: String,
    is_object: &dyn Fn(&Frame) -> Option<bool>,
    all: &[Party],
) -> Call {
    let def = enclosing(source, line);
    let name = text
        .trim_end_matches("()")
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_string();
    let name = name.as_str();
    let header = def.as_ref().map(|(line, _)| *line);
    let is_around = |code: &Code| Rc::ptr_eq(&code.source, source) && holds(code, header);
    let within = |(place, party): (usize, &Party)| {
        let frame = party.all_own().find(|frame| is_around(frame.code()))?;
        let source = &frame.code().source;
        let waits_for = source.slice(source.on_first_line(frame.span));
        // In the same line, it comes later if the wait is not for that call itself.
        let is_after = line > frame.line() || (line == frame.line() && !waits_for.contains(name));
        let is_again = !is_after && line < frame.line() && is_in_loop_of(source, line, frame.line());
        Some((is_object(frame), (place, frame.line()), is_after, is_again))
    };
    // Others may be in the same function for another object.
    let within: Vec<_> = all.iter().enumerate().filter_map(within).collect();
    let known = within.iter().find(|(is_it, ..)| *is_it == Some(true));
    let known = known.or_else(|| within.iter().find(|(is_it, ..)| is_it.is_none()));
    let is_to_begin = |party: &Party| party.unbegun().is_some_and(|func| is_around(&func.code));
    Call {
        line,
        text,
        party: known.map(|(_, party, ..)| *party),
        is_ahead: known.is_some_and(|(.., is_after, is_again)| *is_after || *is_again),
        is_again: known.is_some_and(|(.., is_again)| *is_again),
        is_left: false,
        failed: failed_in(source, header, all),
        unbegun: all.iter().position(is_to_begin),
        function: def.map(|(_, name)| name),
    }
}

/// `task 'a' failed in line 7: ValueError: no`
pub fn failure(task: &Ref<Future>, error: &Ref<Exception>) -> String {
    let line = standing::raised(error).map(|(code, span)| code.source.line(span.start));
    let line = line.map_or(String::new(), |line| format!(" in line {line}"));
    format!("{} failed{line}: {}", named(task), headline(error))
}

/// The task that failed in a function, if somebody still knows it.
fn failed_in(source: &Rc<Source>, header: Option<u32>, all: &[Party]) -> Option<String> {
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
                (Some(function), None) => {
                    format!("`{text}` in line {line} is in {function}(), which has ended or was never called")
                }
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
fn of_another(remedy: &Remedy, on: &str, all: &[Party]) -> Option<String> {
    let frames: Vec<&Frame> = all.iter().flat_map(Party::all_own).collect();
    let is_other = |receiver: &str| {
        let mut known = frames.iter().flat_map(|frame| frame.func.module.entries());
        known.any(|(name, value)| {
            name.text() == receiver
                && !value.is(&remedy.object)
                && class_of(&value).name() == class_of(&remedy.object).name()
        })
    };
    let first = remedy.methods.first()?;
    for source in sources(all) {
        for line in 1..=source.line(source.text.len() as u32) {
            let code = without_comment(source.line_text(line));
            for method in remedy.methods {
                if let Some(other) = receivers(code, method).into_iter().find(|name| is_other(name)) {
                    return Some(format!(
                        "nothing in the program calls `{on}.{first}()`: `{other}.{method}()` in line {line} is of another one"
                    ));
                }
            }
        }
    }
    None
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
