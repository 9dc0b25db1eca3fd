//! A session: the joint between a program's text and everything that makes it run.
//!
//! A session lives on a thread of its own with a large stack, runs one program (or, for the
//! prompt, one line after the other) and ends with an exit status as CPython's.

mod advice;
pub mod deadlock;
mod mistake;
mod outline;
pub mod report;

use crate::interp::error::raise;
use crate::interp::stack::{self, Saved, ValueStack};
use crate::interp::types::{Type, is_exception, make_classes};
use crate::interp::{async_iter, finalise, import, namespace, text};
use crate::library;
use crate::lower;
use crate::runtime::instrument::{Event, tell};
use crate::runtime::{self, clock, console, current, runner, signal, thread};
use crate::source::{Source, Symbol, name};
use crate::syntax;
use crate::tools::lint::{Imported, watch};
use crate::tools::trace;
use crate::value::generator::ABANDON;
use crate::value::*;
pub use mistake::lint;
use std::iter;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc;

pub use crate::runtime::clock::Clock;

/// Address space reserved for a session's native stack; memory is used only as it is touched. Where
/// the system gives no more (`ulimit -v`), it is less.
const STACK_BYTES: usize = 1 << 30;
const LEAST_STACK_BYTES: usize = 16 << 20;
/// What the interpreter's own recursion may use below the floor that script calls are checked
/// against.
const HEADROOM: usize = 1 << 20;

/// How a program is to be run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub clock: Clock,
    /// Tell the run on stderr.
    pub trace: bool,
    /// Tell the mistakes that are seen in the text and in the run, on stderr.
    pub warn: bool,
    /// `sys.argv`, the program's name first.
    pub args: Vec<String>,
}

/// Exit status after Ctrl-C, as a shell sees it.
pub const INTERRUPTED: i32 = 130;

/// Runs `work` on a thread with a large stack, made ready to run scripts; gives its result.
pub fn on_session_thread<T, W>(work: W) -> T
where
    T: Send + 'static,
    W: FnOnce() -> T + Send + 'static,
{
    let sizes = iter::successors(Some(STACK_BYTES), |bytes| Some(bytes / 4));
    let begun = sizes
        .take_while(|bytes| *bytes >= LEAST_STACK_BYTES)
        .find_map(|bytes| {
            let (send, receive) = mpsc::channel();
            let run = move || {
                start(bytes);
                receive.recv().map(|work: W| work())
            };
            let builder = std::thread::Builder::new().name("aio".into());
            let thread = builder.stack_size(bytes).spawn(run).ok()?;
            Some((thread, send))
        });
    let Some((thread, send)) = begun else {
        console::write_error("aio: the system gives it no memory for a stack\n");
        runtime::exit(1);
    };
    let _ = send.send(work); // it waits for that
    match thread.join() {
        Ok(result) => result.expect("the work was sent"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Makes the current thread ready to run scripts. Its stack is of so many bytes.
fn start(stack_bytes: usize) {
    let here = 0u8;
    let floor = (&raw const here as usize).saturating_sub(stack_bytes - HEADROOM - (64 << 10));
    // The values of the main thread live as long as the process.
    let values = Box::leak(Box::new(ValueStack::main()));
    Saved::fresh(values, floor).swap();
    make_classes();
    library::install();
    namespace::add_builtins(library::builtins());
    namespace::set_prelude(library::prelude, library::PRELUDE);
    import::set_library(library::MODULES);
    ABANDON.set(Some(async_iter::abandon));
    runtime::start();
    report::install();
    stack::on_tick(thread::preempt);
}

/// A program's text, with a byte-order mark taken off, or why it is none.
pub fn decode(bytes: Vec<u8>, shown: &str) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let byte = error.as_bytes()[at];
        format!(
            "SyntaxError: (unicode error) '{shown}' is not UTF-8: byte 0x{byte:02x} at offset {at}, line {line}\n  help: save the file as UTF-8 text\n"
        )
    })
}

/// Runs a program to its end; gives the exit status. Call on a session thread.
///
/// `folder` is where modules beside the program are looked for.
pub fn run_program(name: &str, text: String, folder: Option<&Path>, options: &Options) -> i32 {
    clock::set(options.clock);
    library::set_arguments(&options.args);
    if options.trace {
        trace::start();
    }
    if options.warn {
        watch::start();
    }
    if let Some(folder) = folder {
        // As in CPython, what is imported from it has a whole path, wherever the program runs.
        import::add_folder(std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf()));
    }
    let source = Source::new(name, text);
    let lowered = syntax::parse(&source).and_then(|module| {
        let code = lower::lower(&module, &source, &lower::Options { interactive: false })?;
        let warnings = module.warnings.clone();
        if options.warn {
            let program = Imported {
                name: mistake::main_name(name),
                source: source.clone(),
                module,
            };
            watch::tell_text(&mistake::find(program, folder)?);
        }
        Ok((code, warnings))
    });
    let (code, warnings) = match lowered {
        Ok(lowered) => lowered,
        Err(error) => {
            console::write_error(&report::render(&error.diagnostic(&source)));
            return 1;
        }
    };
    let module = import::main_module();
    import::prepare(&module, &code, name::MAIN, Some(name), "");
    let result = runtime_start()
        .and_then(|()| import::warn_of(&warnings, &source))
        .and_then(|()| import::run(&code, &module))
        .and_then(|value| match &value {
            Value::Generator(_) => runner::run(&value, &Value::None, &Value::None),
            _ => Ok(value),
        });
    finish(result)
}

/// Listens for Ctrl-C.
fn runtime_start() -> Res<()> {
    signal::watch(signal_hook::consts::SIGINT)
        .map_err(|e| raise(Type::OSError, format!("cannot listen for Ctrl-C: {e}")))
}

/// Ends a program: reports what nobody caught, waits for its threads; gives the exit status.
pub fn finish(result: Res) -> i32 {
    let mut status = match result {
        Ok(_) => 0,
        Err(raised) => uncaught(&raised.take()),
    };
    if let Err(raised) = library::at_exit().and_then(|()| thread::join_all()) {
        let late = uncaught(&raised.take());
        if status == 0 {
            status = late;
        }
    }
    if let Some(Value::Module(main)) = &import::loaded_module(name::MAIN)
        // As in CPython, nothing is finalised of a program that its thread's own loop still holds.
        && !current::kept_loop().is_some_and(|own| finalise::leads_to(main, own))
    {
        finalise::run_remaining(main);
    }
    tell(|| Event::Over);
    console::flush();
    status
}

/// Tells of an exception that nobody caught; gives the status with which the program ends.
fn uncaught(error: &Ref<Exception>) -> i32 {
    if is_exception(error, Type::SystemExit) {
        return exit_status(error);
    }
    if let Some(exit) = report::tell_uncaught(error) {
        return exit_status(&exit);
    }
    tell(|| Event::Uncaught(error));
    if is_exception(error, Type::KeyboardInterrupt) {
        INTERRUPTED
    } else {
        1
    }
}

/// The status of `sys.exit(code)`: none is 0, a number itself, anything else is told and is 1.
fn exit_status(error: &Ref<Exception>) -> i32 {
    let code = error
        .parts
        .get(Symbol::new("code"))
        .or_else(|| error.arg(0))
        .unwrap_or(Value::None);
    match &code {
        Value::None => 0,
        Value::Bool(b) => b.get() as i32,
        Value::Int(n) => (*n & 0xff) as i32,
        Value::Big(_) => 0xff,
        other => {
            let shown = text::str(other).unwrap_or_else(|raised| {
                drop(raised.take());
                "<exit code cannot be shown>".into()
            });
            report::write_error(&format!("{shown}\n"));
            1
        }
    }
}

/// A session's source for a text that stands in no file.
pub fn text_source(name: &str, text: &str) -> Rc<Source> {
    Source::new(name, text)
}

/// Ends the process at once with a status: what is left of a script's objects is not taken apart
/// piece by piece.
pub fn leave(status: i32) -> i32 {
    runtime::exit(status)
}
