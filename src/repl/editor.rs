//! Where lines come from: a terminal with an editor, or whatever stdin is.
//!
//! Reading blocks, so it has an OS thread of its own: a request comes, one whole input goes back.

use super::complete::{self, Wanted};
use super::input;
use super::screen::Backlog;
use crate::runtime::inbox::Arrival;
use async_channel::{Receiver, Sender};
use rustyline::completion::{Completer, FilenameCompleter};
use rustyline::config::{CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter, MatchingBracketHighlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, ConditionalEventHandler, Context, Editor, Event, EventContext, EventHandler, ExternalPrinter as _,
    Helper, KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};
use std::borrow::Cow;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

const PROMPT: &str = ">>> ";
const MORE: &str = "... ";

/// The parser runs here, too.
const STACK_BYTES: usize = 16 << 20;

/// Inputs that the history keeps.
const REMEMBERED: usize = 5_000;

/// How long a completion waits for an interpreter that is busy.
const PATIENCE: Duration = Duration::from_millis(300);

/// What is read for each request.
pub enum Reply {
    /// One whole input, of one line or many.
    Input(String),
    /// There is no more: Ctrl-D, or the end of stdin.
    End,
}

/// Where requests come from and replies go to.
pub struct Ends {
    pub requests: Receiver<()>,
    pub replies: Sender<Reply>,
    /// Set when an input is read; whoever begins it unsets it.
    pub accepted: Arc<AtomicBool>,
}

impl Ends {
    /// Answers each request, until there is no more to read or nobody asks.
    fn serve(&self, mut read: impl FnMut() -> Option<String>) {
        while self.requests.recv_blocking().is_ok() {
            let reply = read().map_or(Reply::End, Reply::Input);
            self.accepted.store(true, Ordering::SeqCst);
            if self.replies.send_blocking(reply).is_err() {
                return;
            }
        }
    }
}

/// Reads from a terminal.
pub fn start_terminal(ends: Ends, inbox: Sender<Arrival>, backlog: Arc<Backlog>) -> std::io::Result<()> {
    spawn(move || {
        let block = Block::default();
        let mut editor = match open(inbox, &block) {
            Ok(editor) => editor,
            // A terminal that cannot be edited on can still be read from.
            Err(_) => return ends.serve(|| read_lines(&mut std::io::stdin().lock())),
        };
        let printer = editor.create_external_printer().ok();
        let carrier = std::thread::Builder::new()
            .name("output".into())
            .spawn(move || match printer {
                Some(mut printer) => backlog.carry(|text| printer.print(text).unwrap_or_default()),
                None => backlog.carry(|text| {
                    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
                }),
            });
        if carrier.is_ok() {
            let history = history_file();
            ends.serve(|| read_input(&mut editor, &block, history.as_ref()));
        }
    })
}

/// Reads from a stdin that is no terminal.
pub fn start_lines(ends: Ends) -> std::io::Result<()> {
    spawn(move || ends.serve(|| read_lines(&mut std::io::stdin().lock())))
}

fn spawn(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("editor".into())
        .stack_size(STACK_BYTES)
        .spawn(work)
        .map(drop)
}

/// The next whole input from plain lines; none at their end.
fn read_lines(lines: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let ended = !matches!(lines.read_until(b'\n', &mut bytes), Ok(n) if n > 0);
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end_matches(['\n', '\r']);
        if ended {
            return (!input::is_blank(&text)).then(|| text + "\n");
        }
        if input::is_blank(&text) {
            text.clear();
        } else {
            text.push('\n');
        }
        text.push_str(line);
        if !input::is_blank(&text) && !input::goes_on(&text) && input::is_whole(&text) {
            return Some(text);
        }
    }
}

/// The next whole input from the editor; none at Ctrl-D.
fn read_input(
    editor: &mut Editor<Help, FileHistory>,
    block: &Block,
    history: Option<&PathBuf>,
) -> Option<String> {
    loop {
        let Some(text) = read_block(editor, block)? else {
            continue;
        };
        // A history that cannot be kept is no reason to stop.
        let _ = editor.add_history_entry(text.trim_end());
        if let Some(file) = history {
            let _ = editor.append_history(file);
        }
        return Some(text);
    }
}

/// A block of which one line after the other is typed.
#[derive(Clone, Default)]
struct Block {
    /// It has lines above the one that is typed.
    has_begun: Arc<AtomicBool>,
    /// The arrow up was pressed: the lines so far are to be edited.
    is_reopened: Arc<AtomicBool>,
}

/// The arrow up in a later line of a block goes back into the lines above. They are text of the terminal by
/// now, so the line is ended, and all of them are given to the editor again.
struct Reopen(Block);

impl ConditionalEventHandler for Reopen {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        let has_begun = self.0.has_begun.load(Ordering::SeqCst);
        self.0.is_reopened.store(has_begun, Ordering::SeqCst);
        has_begun.then_some(Cmd::AcceptLine)
    }
}

/// Lines until they are whole; `Some(None)` if they were dropped, none at the end.
fn read_block(editor: &mut Editor<Help, FileHistory>, block: &Block) -> Option<Option<String>> {
    let mut text = String::new();
    loop {
        let is_first = text.is_empty();
        let (prompt, given) = if is_first {
            (PROMPT, String::new())
        } else {
            (MORE, input::indent(&text))
        };
        block.has_begun.store(!is_first, Ordering::SeqCst);
        let mut read = editor.readline_with_initial(prompt, (&given, ""));
        block.has_begun.store(false, Ordering::SeqCst);
        let mut is_edited = false;
        while block.is_reopened.swap(false, Ordering::SeqCst) {
            let Ok(line) = &read else { break };
            let below = match input::is_blank(line) {
                true => String::new(),
                false => format!("\n{line}"),
            };
            read = editor.readline_with_initial(PROMPT, (&text, &below));
            is_edited = true;
        }
        match read {
            Ok(line) if is_edited => {
                if input::is_blank(&line) {
                    return Some(None);
                }
                text = line; // a block still waits for its next line, or the empty one
            }
            Ok(line) if is_first => {
                if input::is_blank(&line) {
                    return Some(None);
                }
                text = line;
                if let Some(ended) = input::ended(&text) {
                    return Some(Some(ended));
                }
            }
            Ok(line) => {
                text.push('\n');
                text.push_str(input::without_double_indent(&line, &given));
            }
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => return Some(None),
            // A byte that is no text.
            Err(ReadlineError::Io(e)) if e.kind() == std::io::ErrorKind::InvalidData => return Some(None),
            // What has been typed is all there will be.
            Err(ReadlineError::Eof) if !is_first => return Some(Some(text + "\n")),
            Err(_) => return None,
        }
        if input::is_whole(&text) {
            return Some(Some(text));
        }
    }
}

fn open(inbox: Sender<Arrival>, block: &Block) -> rustyline::Result<Editor<Help, FileHistory>> {
    let config = Config::builder()
        .auto_add_history(false)
        .history_ignore_dups(true)?
        .max_history_size(REMEMBERED)?
        .completion_type(CompletionType::List)
        .bracketed_paste(true)
        .tab_stop(input::INDENT as u8)
        .indent_size(input::INDENT as u8)
        .build();
    let mut editor = Editor::with_config(config)?;
    let files = FilenameCompleter::new();
    editor.set_helper(Some(Help {
        inbox,
        files,
        brackets: MatchingBracketHighlighter::new(),
    }));
    editor.bind_sequence(
        KeyEvent(KeyCode::Backspace, Modifiers::NONE),
        EventHandler::Conditional(Box::new(Outdent)),
    );
    editor.bind_sequence(
        KeyEvent(KeyCode::Up, Modifiers::NONE),
        EventHandler::Conditional(Box::new(Reopen(block.clone()))),
    );
    if let Some(file) = history_file() {
        if let Some(folder) = file.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = editor.load_history(&file);
    }
    Ok(editor)
}

/// `~/.local/state/aio/history`, or below `XDG_STATE_HOME`.
fn history_file() -> Option<PathBuf> {
    let given = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = given("XDG_STATE_HOME").or_else(|| Some(given("HOME")?.join(".local/state")))?;
    Some(state.join("aio").join("history"))
}

/// Backspace in front of a line's first letter takes a level of indentation back.
struct Outdent;

impl ConditionalEventHandler for Outdent {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let before = context.line().get(..context.pos())?;
        input::is_at_level(before).then_some(Cmd::Dedent(Movement::WholeLine))
    }
}

/// What the editor asks while a line is typed.
struct Help {
    inbox: Sender<Arrival>,
    files: FilenameCompleter,
    brackets: MatchingBracketHighlighter,
}

impl Help {
    /// Has the interpreter look for names; none if it is too busy to answer.
    fn ask(&self, wanted: Wanted) -> Vec<String> {
        let (send, receive) = mpsc::channel();
        let arrival: Arrival = Box::new(move || send.send(complete::candidates(&wanted)).unwrap_or_default());
        match self.inbox.try_send(arrival) {
            Ok(()) => receive.recv_timeout(PATIENCE).unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }
}

impl Helper for Help {}
impl Validator for Help {}

impl Hinter for Help {
    type Hint = String;
}

impl Completer for Help {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let (start, wanted) = complete::wanted(line.get(..pos).unwrap_or(""));
        Ok(match wanted {
            Wanted::Nothing => (start, Vec::new()),
            Wanted::Indent(spaces) => (start, vec![" ".repeat(spaces)]),
            Wanted::File => {
                let (start, found) = self.files.complete_path(line, pos)?;
                (start, found.into_iter().map(|pair| pair.replacement).collect())
            }
            asked => (start, self.ask(asked)),
        })
    }
}

impl Highlighter for Help {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        self.brackets.highlight(line, pos)
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        self.brackets.highlight_char(line, pos, kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_become_whole_inputs() {
        let text = "x = 1\n\n\ndef f():\n    return (1,\n        2)\n\nf()\r\n:tasks\nif x:\n    y";
        let mut lines = text.as_bytes();
        let inputs: Vec<String> = std::iter::from_fn(|| read_lines(&mut lines)).collect();
        let expected = [
            "x = 1",
            "def f():\n    return (1,\n        2)\n",
            "f()",
            ":tasks",
            "if x:\n    y\n",
        ];
        assert_eq!(inputs, expected);
    }

    #[test]
    fn what_follows_a_block_without_an_empty_line_belongs_to_its_input() {
        let mut lines: &[u8] = b"def f():\n    return 1\nf()\n2\n";
        assert_eq!(
            read_lines(&mut lines).as_deref(),
            Some("def f():\n    return 1\nf()")
        );
        assert_eq!(read_lines(&mut lines).as_deref(), Some("2"));
        assert_eq!(read_lines(&mut lines), None);
    }
}
