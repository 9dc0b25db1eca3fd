//! What begins with a colon: `:help`, `:tasks`, `:states NAME`, `:trace`, `:load FILE`, `:quit`.

use super::complete::peek;
use super::prompt::Prompt;
use crate::code::Code;
use crate::code::readable::{self, Format};
use crate::interp::suggest;
use crate::interp::text::object::generator_qualname;
use crate::runtime::{console, task};
use crate::session::{self, deadlock, report};
use crate::source::Symbol;
use crate::tools::{standing, trace};
use crate::value::descriptor::{ClassMethod, Property, StaticMethod};
use crate::value::*;
use std::path::Path;
use std::rc::Rc;

/// The commands, for completion and "did you mean".
pub const NAMES: &[&str] = &["help", "tasks", "states", "trace", "load", "quit"];

const HELP: &str = "\
Type Python. `await` works at the top level; tasks go on while you type, and what
they print appears above your line. `_` is the last value shown.

  :help          this text
  :tasks         each pending task: where it waits, and what for
  :states NAME   the states that a function is compiled to
  :trace         tell every step of every task, or stop telling
  :load FILE     run a file here; its names stay, and asyncio.run(…) is awaited
  :quit          leave, as Ctrl-D does; what is left is cancelled

Ctrl-C drops the line, or ends what runs: KeyboardInterrupt, and an `await` is
cancelled; other tasks live on. An empty line ends a block. Tab completes names.
With --clock virtual, time stands still while you type and jumps to the next
timer while something waits.
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    Tasks,
    States(String),
    Trace,
    Load(String),
    Quit,
    /// It cannot be done; why.
    Wrong(String),
}

impl Command {
    /// The command of a line that begins with a colon.
    pub fn parse(line: &str) -> Command {
        let line = line.trim().trim_start_matches(':');
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = argument.trim().to_string();
        match (name, argument.is_empty()) {
            ("help", true) => Command::Help,
            ("tasks", true) => Command::Tasks,
            ("trace", true) => Command::Trace,
            ("quit", true) => Command::Quit,
            ("help" | "tasks" | "trace" | "quit", false) => Command::Wrong(format!(":{name} stands alone")),
            ("states", false) => Command::States(argument),
            ("states", true) => Command::Wrong("a function's name is missing: :states NAME".into()),
            ("load", false) => Command::Load(file_name(&argument)),
            ("load", true) => Command::Wrong("a file is missing: :load FILE".into()),
            (wrong, _) => Command::Wrong(match suggest::closest(wrong, NAMES.iter().copied()) {
                Some(close) => {
                    format!("there is no command :{wrong}; did you mean :{close}? (:help shows all)")
                }
                None => format!("there is no command :{wrong} (:help shows all)"),
            }),
        }
    }
}

/// A file's name without quotes, or without the backslashes that completion puts before spaces.
fn file_name(argument: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(inner) = argument
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner.to_string();
        }
    }
    rustyline::completion::unescape(argument, Some('\\')).into_owned()
}

/// Answers a command that only looks.
pub fn answer(prompt: &Prompt, command: &Command) {
    match command {
        Command::Help => console::write(HELP),
        Command::Tasks => console::write(&tasks(&prompt.event_loop)),
        Command::States(name) => match states(prompt, name) {
            Ok(text) => console::write(&text),
            Err(message) => console::write_error(&message),
        },
        Command::Trace => console::write(match trace::toggle() {
            true => "every step is told from now on\n",
            false => "no steps are told any more\n",
        }),
        Command::Wrong(message) => console::write_error(&format!("{message}\n")),
        Command::Load(_) | Command::Quit => {}
    }
}

/// The text of a program, or why it cannot be had.
pub fn read_program(file: &str) -> Result<String, String> {
    let bytes = match std::fs::read(Path::new(file)) {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_string(),
                std::io::ErrorKind::PermissionDenied => "it may not be read".to_string(),
                std::io::ErrorKind::IsADirectory => "it is a folder".to_string(),
                _ => error.to_string(),
            };
            return Err(format!("cannot load '{file}': {reason}\n"));
        }
    };
    session::decode(bytes, file)
}

/// Each pending task: its name, its coroutine, where it waits and what for.
fn tasks(event_loop: &Value) -> String {
    let pending = task::all_tasks(event_loop);
    if pending.is_empty() {
        return "no task is pending\n".into();
    }
    let rows: Vec<Vec<String>> = pending.iter().filter_map(row).collect();
    columns(&rows)
}

fn row(pending: &Ref<Future>) -> Option<Vec<String>> {
    let state = pending.task.as_ref()?;
    let name = match &task::name(state) {
        Value::Str(name) => name.text.to_string(),
        other => task::shown(other),
    };
    let coroutine = state.coroutine.get();
    let (coroutine, place) = match &coroutine {
        Value::Generator(generator) => {
            let chain = report::places(generator);
            let own = chain.iter().rev().find(|(code, _)| !code.source.is_library());
            let place = own.or(chain.last()).map(|(code, span)| {
                let line = code.source.line(span.start);
                let text = code.source.line_text(line).trim();
                format!("{}, line {line}: {text}", code.source.name)
            });
            (format!("{}()", generator_qualname(generator)), place)
        }
        other => (task::shown(other), None),
    };
    // One that runs only what the library wrote was made somewhere.
    let place = place.or_else(|| {
        let (code, span) = standing::origin(pending)?;
        let line = code.source.line(span.start);
        let text = code.source.line_text(line).trim();
        Some(format!("made in {}, line {line}: {text}", code.source.name))
    });
    let waiting = state.waiting.get();
    let what = waiting
        .as_ref()
        .map_or_else(|| "its turn".to_string(), deadlock::describe);
    Some(vec![
        name,
        coroutine,
        format!("waits for {what}"),
        place.unwrap_or_default(),
    ])
}

/// Rows as a table, each column as wide as its widest cell.
fn columns(rows: &[Vec<String>]) -> String {
    let width = |i: usize| {
        rows.iter()
            .filter_map(|row| row.get(i))
            .map(|cell| cell.chars().count())
            .max()
    };
    let mut out = String::new();
    for row in rows {
        let cells = row
            .iter()
            .enumerate()
            .map(|(i, cell)| format!("{cell:<0$}", width(i).unwrap_or(0)));
        let line = cells.collect::<Vec<_>>().join("  ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The states of a function, or of each function of a class.
fn states(prompt: &Prompt, name: &str) -> Result<String, String> {
    let mut codes = object(&prompt.module, name)
        .map(|object| codes_of(&object))
        .unwrap_or_default();
    let all = prompt.functions();
    if codes.is_empty() {
        codes.extend(
            all.iter()
                .find(|code| &*code.qualname == name || code.name.text() == name)
                .cloned(),
        );
    }
    if codes.is_empty() {
        let known = all.iter().map(|code| &*code.qualname);
        let meant = suggest::closest(name, known.filter(|name| !name.contains('<')));
        let meant = meant
            .map(|close| format!("; did you mean {close}?"))
            .unwrap_or_default();
        return Err(format!(
            "there is no function '{name}' of this prompt or a loaded file{meant}\n"
        ));
    }
    let parts: Vec<String> = codes
        .iter()
        .map(|code| readable::render(code, Format::Text))
        .collect();
    Ok(parts.join("\n"))
}

/// What a dotted name stands for in the prompt's module, without computing anything.
fn object(module: &Ref<Module>, dotted: &str) -> Option<Value> {
    let (first, rest) = dotted
        .split_once('.')
        .map_or((dotted, None), |(first, rest)| (first, Some(rest)));
    let object = module.get(Symbol::new(first))?;
    rest.map_or(Some(object.clone()), |rest| {
        rest.split('.')
            .try_fold(object, |object, name| peek(&object, name))
    })
}

fn codes_of(object: &Value) -> Vec<Rc<Code>> {
    match object {
        Value::Function(function) => vec![function.code.clone()],
        Value::Method(method) => codes_of(&method.func),
        Value::Class(class) => {
            let members: Vec<Value> = class.dict.borrow().values().cloned().collect();
            members
                .iter()
                .filter(|member| !matches!(member, Value::Class(_)))
                .flat_map(codes_of)
                .collect()
        }
        other => {
            let inner = other.opaque::<ClassMethod>().map(|method| &method.0);
            let inner = inner.or_else(|| other.opaque::<StaticMethod>().map(|method| &method.0));
            let inner = inner.or_else(|| other.opaque::<Property>().map(|property| &property.get));
            inner.map(|inner| codes_of(&inner.get())).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_colon_is_a_command() {
        assert_eq!(Command::parse(":help"), Command::Help);
        assert_eq!(Command::parse(":tasks  "), Command::Tasks);
        assert_eq!(Command::parse(":quit"), Command::Quit);
        assert_eq!(Command::parse(":states  f.g "), Command::States("f.g".into()));
        assert_eq!(Command::parse(":load a\\ b.aio"), Command::Load("a b.aio".into()));
        assert_eq!(Command::parse(":load 'a b.aio'"), Command::Load("a b.aio".into()));
    }

    #[test]
    fn a_wrong_command_is_told_what_was_meant() {
        for (line, part) in [
            (":taks", "did you mean :tasks?"),
            (":zebra", "no command :zebra (:help"),
            (":", ":help"),
            (":states", ":states NAME"),
            (":load", ":load FILE"),
            (":quit now", "stands alone"),
        ] {
            let Command::Wrong(message) = Command::parse(line) else {
                panic!("{line}")
            };
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn every_command_is_in_the_help() {
        for name in NAMES {
            assert!(HELP.contains(&format!("  :{name}")), "{name}");
        }
    }

    #[test]
    fn columns_are_as_wide_as_they_must() {
        let row = |cells: &[&str]| cells.iter().map(|cell| cell.to_string()).collect::<Vec<_>>();
        let table = columns(&[row(&["a", "bé", "c"]), row(&["aaa", "b", ""])]);
        assert_eq!(table, "a    bé  c\naaa  b\n");
    }
}
