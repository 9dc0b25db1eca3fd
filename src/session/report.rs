//! What a person is told on stderr: tracebacks, warnings, and the report of a deadlock.
//!
//! A traceback is CPython's text; below it a report marks the place and says what to do.

use super::advice::advice;
use super::deadlock;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Severity};
use crate::interp::excerpt::excerpt;
use crate::interp::report::{Notice, listen, never_awaited_thing};
use crate::interp::text::object::generator_qualname;
use crate::interp::types::{Type, is_exception};
use crate::interp::{attribute, call, group, import, text};
use crate::library::modules::sys::{self, redirected, tell_unraisable};
use crate::runtime::instrument::{Event, tell};
use crate::runtime::{self, AfterDeadlock, Hooks, Level, Speaker, console, task};
use crate::source::{Span, Symbol, name};
use crate::tools::lint::{catalog, watch};
use crate::tools::standing;
pub use crate::tools::standing::is_library;
use crate::value::generator::Activation;
use crate::value::*;
use std::fmt::Write;
use std::io::IsTerminal;
use std::rc::Rc;

/// Columns of a report.
const WIDTH: usize = 100;

/// Rows of a chain that are told before the rest is left out.
const LONGEST_CHAIN: usize = 20;

/// Mistakes that have nothing to do with the coroutines that come to nothing because of them.
const OF_THE_LOOP: &[&str] = &["A014", "A016", "A017"];

/// Members of an exception group that are shown before the rest is counted.
const WIDEST_GROUP: usize = 15;

/// Groups within groups that are shown before the rest is left out.
const DEEPEST_GROUP: usize = 10;

/// Takes the session's part in reports.
pub fn install() {
    listen(notice);
    runtime::set_hooks(Hooks {
        traceback,
        help,
        log,
        deadlock: || {
            console::write_error(&deadlock::report());
            for (mistake, calls) in deadlock::mistakes() {
                watch::stuck(mistake.number, &calls, &mistake.taken);
            }
            AfterDeadlock::Exit
        },
        thread_exception,
    });
}

/// A diagnostic as text, in colour if stderr is a terminal that wants it.
pub fn render(diagnostic: &Diagnostic) -> String {
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    diagnostic.render(color, WIDTH)
}

/// Tells of an exception that ended the program: a script's hook, what it put in place of stderr, or else a
/// person. Gives the SystemExit that the hook raised instead, if it did.
pub fn tell_uncaught(error: &Ref<Exception>) -> Option<Ref<Exception>> {
    match sys::tell_uncaught(error) {
        Ok(true) => {}
        Ok(false) if redirected(name::STDERR).is_some() => write_error(&traceback(error)),
        Ok(false) => console::write_error(&uncaught(error)),
        Err(raised) => {
            let own = raised.take();
            if is_exception(&own, Type::SystemExit) {
                return Some(own);
            }
            let (own, original) = (traceback(&own), traceback(error));
            write_error(&format!(
                "Error in sys.excepthook:\n{own}\nOriginal exception was:\n{original}"
            ));
        }
    }
    None
}

/// Everything about an exception that ended the program.
fn uncaught(error: &Ref<Exception>) -> String {
    let mut out = traceback(error);
    if is_exception(error, Type::KeyboardInterrupt) {
        return out;
    }
    if let Some(diagnostic) = marked(error) {
        out.push('\n');
        out.push_str(&render(&diagnostic));
    }
    out
}

/// The innermost place of an exception that stands in a script, marked.
fn marked(error: &Ref<Exception>) -> Option<Diagnostic> {
    let (code, span) = standing::raised(error)?;
    let mut diagnostic = Diagnostic::new(Severity::Error, headline(error), &code.source);
    diagnostic = diagnostic.label(span, "raised here");
    if let Some(advice) = advice(error) {
        diagnostic = diagnostic.help(advice);
    }
    Some(diagnostic)
}

/// `ValueError: no`, as the last line of a traceback says it.
pub fn headline(error: &Ref<Exception>) -> String {
    let class = error.class();
    let message = text::str(&error.clone().into()).unwrap_or_else(|raised| {
        drop(raised.take());
        "<exception str() failed>".into()
    });
    let module = match &*class.module.borrow() {
        Value::Str(m) if &*m.text != "builtins" && &*m.text != "__main__" => format!("{}.", m.text),
        _ => String::new(),
    };
    let name = format!("{module}{}", class.qualname.borrow());
    if message.is_empty() {
        name
    } else {
        format!("{name}: {message}")
    }
}

/// An exception with its traceback and those it came from, as CPython prints them.
pub fn traceback(error: &Ref<Exception>) -> String {
    let mut page = Page::default();
    page.chain(error);
    page.text
}

/// The same without those it came from: what CPython has room for where an exception has nowhere to go.
fn traceback_alone(error: &Ref<Exception>) -> String {
    let heading = match has_rows(error) {
        true => format!("Traceback (most recent call last):\n{}", rows(error)),
        false => String::new(),
    };
    format!("{heading}{}\n", headline(error))
}

/// The text of a traceback; the members of exception groups stand in boxes, each behind a margin.
#[derive(Default)]
struct Page {
    text: String,
    /// How many margins there are.
    depth: usize,
    /// Whether the box that ends next closes those around it, too.
    is_last: bool,
    /// The exceptions that are written already.
    seen: Vec<usize>,
}

impl Page {
    /// Whole lines, behind the margin.
    fn lines(&mut self, text: &str) {
        self.lines_after('|', text);
    }

    fn lines_after(&mut self, margin: char, text: &str) {
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if self.depth > 0 {
                let _ = write!(self.text, "{:1$}{margin} ", "", 2 * self.depth);
            }
            let _ = writeln!(self.text, "{line}");
        }
    }

    fn chain(&mut self, error: &Ref<Exception>) {
        self.seen.push(error.address());
        if self.seen.len() < LONGEST_CHAIN {
            let fresh = |value: Value| match &value {
                Value::Exception(e) if !self.seen.contains(&e.address()) => Some(Ref::clone(e)),
                _ => None,
            };
            if let Some(cause) = fresh(error.cause.get()) {
                self.chain(&cause);
                self.lines("\nThe above exception was the direct cause of the following exception:\n\n");
            } else if !error.suppress_context.get()
                && let Some(context) = fresh(error.context.get())
            {
                self.chain(&context);
                self.lines("\nDuring handling of the above exception, another exception occurred:\n\n");
            }
        }
        match group::members(error) {
            Some(members) => self.group(error, &members),
            None => self.one('|', "Traceback (most recent call last):", error),
        }
    }

    /// The exception's own traceback, words and notes.
    fn one(&mut self, margin: char, heading: &str, error: &Ref<Exception>) {
        if has_rows(error) {
            self.lines_after(margin, heading);
            self.lines(&rows(error));
        }
        let added = error.hint.get().map_or("", |hint| &*hint.added);
        self.lines(&format!("{}{added}", headline(error)));
        self.notes(error);
    }

    fn notes(&mut self, error: &Ref<Exception>) {
        let Some(Value::List(notes)) = &error.attrs.get(crate::source::name::NOTES) else {
            return;
        };
        let notes = notes.items.borrow().clone();
        for note in notes {
            if let Value::Str(note) = &note {
                note.text.split('\n').for_each(|line| self.lines(line));
            }
        }
    }

    /// An exception group (PEP 654): its own traceback, then its members in boxes.
    fn group(&mut self, error: &Ref<Exception>, members: &[Value]) {
        if self.depth > DEEPEST_GROUP {
            return self.lines(&format!("... (max_group_depth is {DEEPEST_GROUP})"));
        }
        let is_outermost = self.depth == 0;
        self.depth = self.depth.max(1);
        let margin = if is_outermost { '+' } else { '|' };
        self.one(
            margin,
            "Exception Group Traceback (most recent call last):",
            error,
        );
        let left_out = members.len().saturating_sub(WIDEST_GROUP);
        let boxes = members.len().min(WIDEST_GROUP + 1);
        self.is_last = false;
        for (i, member) in members.iter().take(boxes).enumerate() {
            self.is_last = i + 1 == boxes;
            let corner = if i == 0 { "+-" } else { "  " };
            let title = if i < WIDEST_GROUP {
                (i + 1).to_string()
            } else {
                "...".into()
            };
            let indent = 2 * self.depth;
            let _ = writeln!(
                self.text,
                "{:indent$}{corner}+---------------- {title} ----------------",
                ""
            );
            self.depth += 1;
            match member {
                _ if i == WIDEST_GROUP => {
                    let s = if left_out == 1 { "" } else { "s" };
                    self.lines(&format!("and {left_out} more exception{s}"));
                }
                Value::Exception(member) => self.chain(member),
                _ => {}
            }
            if std::mem::take(&mut self.is_last) {
                let indent = 2 * self.depth;
                let _ = writeln!(self.text, "{:indent$}+------------------------------------", "");
            }
            self.depth -= 1;
        }
        if is_outermost {
            self.depth = 0;
        }
    }
}

/// The first row from this one on that a reader is shown: the library's own are left out.
fn shown_row(mut row: Option<Rc<TraceEntry>>) -> Option<Rc<TraceEntry>> {
    while let Some(entry) = row.as_ref().filter(|entry| is_library(&entry.code)) {
        row = entry.next.get();
    }
    row
}

fn has_rows(error: &Ref<Exception>) -> bool {
    shown_row(error.traceback.get()).is_some()
}

/// The rows of a traceback; the same row more than three times is counted instead.
fn rows(error: &Ref<Exception>) -> String {
    let mut out = String::new();
    let mut row = shown_row(error.traceback.get());
    let mut last: Option<(usize, Span)> = None;
    let mut repeated = 0;
    let told = |repeated: usize, out: &mut String| {
        if repeated > 3 {
            let more = repeated - 3;
            let s = if more == 1 { "" } else { "s" };
            let _ = writeln!(out, "  [Previous line repeated {more} more time{s}]");
        }
    };
    while let Some(entry) = row {
        let this = (Rc::as_ptr(&entry.code) as usize, entry.span);
        if last == Some(this) {
            repeated += 1;
        } else {
            told(repeated, &mut out);
            repeated = 1;
            last = Some(this);
        }
        if repeated <= 3 {
            write_row(&entry, &mut out);
        }
        row = shown_row(entry.next.get());
    }
    told(repeated, &mut out);
    out
}

fn write_row(entry: &TraceEntry, out: &mut String) {
    let source = &entry.code.source;
    let span = entry.span;
    let (first, last) = (source.line(span.start), source.line(span.end));
    let name = entry.code.name.text();
    let _ = writeln!(out, "  File \"{}\", line {first}, in {name}", source.name);
    let lines: Vec<&str> = (first..=last)
        .map(|line| source.line_text(line).trim_end())
        .collect();
    if lines[0].is_empty() {
        return;
    }
    let place = |offset: u32, line: u32| (offset - source.line_start(line)) as usize;
    for line in excerpt(&lines, place(span.start, first), place(span.end, last)).lines() {
        let _ = writeln!(out, "    {line}");
    }
}

/// Writes to stderr, or to what a script put in its place.
pub fn write_error(text: &str) {
    match redirected(name::STDERR) {
        None => console::write_error(text),
        Some(stream) => forget(call::call_method(&stream, Symbol::new("write"), &[text.into()])),
    }
}

/// For what a script's stream, logger or filter raises: there is nobody to tell.
fn forget(result: Res) {
    if let Err(raised) = result {
        drop(raised.take());
    }
}

/// What to do about an error that did not end the program; nothing if a script reads what is told.
fn help(error: &Ref<Exception>) -> String {
    if redirected(name::STDERR).is_some() || group::members(error).is_some() {
        return String::new();
    }
    let advice = advice(error).map(|advice| advice.replace('\n', "\n        "));
    advice.map_or(String::new(), |advice| format!("  help: {advice}\n"))
}

/// Once a script has imported `logging`, it is its logger that tells.
fn log(speaker: Speaker, message: &str, error: Option<&Ref<Exception>>) {
    if import::loaded_module(Symbol::new("logging")).is_some() {
        forget(log_through_logging(speaker, message, error));
    } else if speaker.level != Level::Debug {
        let shown = error.map(|error| format!("{}{}", traceback(error), help(error)));
        write_error(&format!("{message}\n{}", shown.unwrap_or_default()));
    }
    if let Some(error) = error {
        tell(|| Event::Uncaught(error));
    }
}

fn log_through_logging(speaker: Speaker, message: &str, error: Option<&Ref<Exception>>) -> Res {
    let module = import::by_name("asyncio.log")?;
    let error = error.map_or(Value::None, |error| error.clone().into());
    let level = Value::Int(speaker.level as i64);
    let args = [
        level,
        message.into(),
        error,
        speaker.file.into(),
        speaker.function.into(),
    ];
    call::call_method(&module, Symbol::new("_log"), &args)
}

fn thread_exception(error: &Ref<Exception>, func: &Value) {
    let name = task::shown(func);
    write_error(&format!(
        "Exception ignored in thread started by: {name}\n{}{}",
        traceback(error),
        help(error)
    ));
    tell(|| Event::Uncaught(error));
}

/// What the interpreter noticed.
fn notice(notice: Notice) {
    match notice {
        Notice::NeverAwaited(generator, on_its_way) => {
            let report = match watch::never_awaited(&generator, on_its_way.as_ref()) {
                true => String::new(), // it is told already
                false => never_awaited_report(&generator, on_its_way.as_ref()),
            };
            never_awaited(&generator, report);
        }
        Notice::Unraisable(error, object) => unraisable(&error, &object),
    }
}

/// To the hook that a script has set, or else to stderr.
fn unraisable(error: &Ref<Exception>, object: &Value) {
    match tell_unraisable(error, object) {
        Ok(true) => return,
        Ok(false) => {}
        Err(raised) => {
            let own = traceback(&raised.take());
            let hook = import::by_name("sys")
                .and_then(|sys| attribute::get(&sys, Symbol::new("unraisablehook")))
                .and_then(|hook| text::repr(&hook))
                .unwrap_or_else(|raised| {
                    drop(raised.take());
                    String::new()
                });
            return write_error(&format!("Exception ignored in sys.unraisablehook: {hook}\n{own}"));
        }
    }
    let shown = task::shown(object);
    write_error(&format!(
        "Exception ignored in: {shown}\n{}",
        traceback_alone(error)
    ));
}

/// Once a script has imported `warnings`, its filters decide, and its own ways of showing go first. What it has
/// put in place of stderr gets the words of CPython.
fn never_awaited(generator: &Ref<Generator>, report: String) {
    let name = Symbol::new("warnings");
    let is_redirected = redirected(name::STDERR).is_some();
    let warnings = match import::loaded_module(name) {
        None if is_redirected => match import::by_name("warnings") {
            Ok(warnings) => Some(warnings),
            Err(raised) => return unraisable(&raised.take(), &generator.clone().into()),
        },
        loaded => loaded,
    };
    let Some(warnings) = warnings else {
        return write_error(&report);
    };
    let message = format!("{} was never awaited", never_awaited_thing(generator));
    let report = if is_redirected { Value::None } else { report.into() };
    let args = [message.into(), generator.clone().into(), report];
    if let Err(raised) = call::call_method(&warnings, Symbol::new("_never_awaited"), &args) {
        unraisable(&raised.take(), &generator.clone().into());
    }
}

fn never_awaited_report(generator: &Ref<Generator>, on_its_way: Option<&Ref<Exception>>) -> String {
    let title = format!(
        "RuntimeWarning: {} was never awaited",
        never_awaited_thing(generator)
    );
    let Some((code, span)) = generator.origin() else {
        return format!("<sys>: {title}\n");
    };
    // What was to take it may have failed before it could.
    let is_refused = on_its_way.is_some_and(|error| {
        let line = |(code, span): (Rc<Code>, Span)| (code.source.name.clone(), code.source.line(span.start));
        let made = line((code.clone(), span));
        let is_known = matches!(&error.arg(0), Some(Value::Str(message))
            if catalog::of_error(error.class().name(), &message.text)
                .is_some_and(|lint| !OF_THE_LOOP.contains(&lint.number)));
        !is_known && standing::raised(error).is_none_or(|raised| line(raised) == made)
    });
    if is_refused {
        let label = "made here, and dropped because of the error that follows";
        return render(&Diagnostic::new(Severity::Warning, title, &code.source).label(span, label));
    }
    let name = generator_qualname(generator);
    let function = name.rsplit('.').next().unwrap_or(&name);
    let diagnostic = Diagnostic::new(Severity::Warning, title, &code.source);
    // A loop, or a function under another name, is not called by the name of what it gives.
    let diagnostic = match code.source.slice(span).contains(&format!("{function}(")) {
        true => diagnostic
            .label(span, "this call only makes the coroutine; nothing of it has run")
            .help(format!(
                "write `await {name}(...)`, or start it with asyncio.create_task({name}(...))"
            )),
        false => diagnostic
            .label(span, "this only makes the coroutine; nothing of it has run")
            .help("write `await` before what this gives, or start it with asyncio.create_task(…)"),
    };
    render(&diagnostic)
}

/// Where a suspended coroutine stands: the chain of awaits, outermost first.
pub fn places(generator: &Ref<Generator>) -> Vec<(Rc<Code>, Span)> {
    generator.look(|stack| {
        let places = stack.iter().filter_map(|activation| match activation {
            Activation::Script(frame) => Some((frame.func.code.clone(), frame.place()?)),
            _ => None,
        });
        places.collect()
    })
}
