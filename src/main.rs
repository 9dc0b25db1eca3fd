//! The command line: arguments to a session call, its outcome to an exit status.

use aio::code::readable::{self, Format};
use aio::lower;
use aio::runtime::console;
use aio::session::{self, Clock, Options};
use aio::syntax;
use aio::tools::lint::{catalog, explain as pages};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod allocator;

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

/// aio: a scriptable async language for teaching and scripting coroutines.
///
/// Without arguments it opens a prompt.
#[derive(Parser)]
#[command(name = "aio", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Run a program.
    Run(RunArgs),
    /// Show the states that functions are compiled to.
    States(StatesArgs),
    /// Find mistakes with coroutines in the text of programs.
    Lint(LintArgs),
    /// Tell what a number of a mistake means, with a wrong and a right program.
    Explain {
        /// The number, such as A001; without it, all are listed.
        number: Option<String>,
    },
}

#[derive(Args)]
struct RunArgs {
    /// Run this text instead of a file.
    #[arg(short = 'c', value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<String>,
    /// Which clock the program sees.
    #[arg(long, value_enum, default_value_t = ClockName::Real)]
    clock: ClockName,
    /// Tell the run on stderr, in short sentences with the time.
    #[arg(long)]
    trace: bool,
    /// Tell mistakes with coroutines on stderr: those in the text, and those that the run shows.
    #[arg(long)]
    warn: bool,
    /// The program (`-`: from stdin) and its arguments.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "FILE [ARG]…"
    )]
    program: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ClockName {
    /// Time as it passes.
    Real,
    /// Time that starts at 0 and jumps to the next timer when nothing else is to do.
    Virtual,
}

#[derive(Args)]
struct StatesArgs {
    /// The program.
    file: PathBuf,
    /// Only this function (`name` or `Class.method`).
    name: Option<String>,
    #[arg(long, value_enum, default_value_t = FormatName::Text)]
    format: FormatName,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    /// In words, the states of a function one below the other.
    Text,
    /// A diagram for Mermaid.
    Mermaid,
    /// A diagram for Graphviz.
    Dot,
}

#[derive(Args)]
struct LintArgs {
    /// The programs; the modules beside them that they import are looked into as well.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = FindingFormat::Text)]
    format: FindingFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FindingFormat {
    /// `FILE:LINE:COLUMN: NUMBER message`, and the line with the place marked.
    Text,
    /// An object a line.
    Json,
}

/// What went wrong before a program ran: told in one line.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() { USAGE } else { 0 };
            // Nobody is left to tell if even this cannot be written.
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    match cli.command {
        Some(Command::Run(args)) => run(args, false),
        Some(Command::States(args)) => states(&args),
        Some(Command::Lint(args)) => lint(args),
        Some(Command::Explain { number }) => explain(number.as_deref()),
        None => run(cli.run, true),
    }
}

/// Runs what the arguments name; without a program, opens the prompt if there may be one.
fn run(args: RunArgs, may_prompt: bool) -> ExitCode {
    let clock = match args.clock {
        ClockName::Real => Clock::Real,
        ClockName::Virtual => Clock::Virtual,
    };
    let mut options = Options {
        clock,
        trace: args.trace,
        warn: args.warn,
        args: args.program.clone(),
    };
    if let Some(text) = args.text {
        options.args.insert(0, "-c".into());
        return start(
            "<string>".into(),
            text.into_bytes(),
            std::env::current_dir().ok(),
            options,
        );
    }
    let Some(file) = args.program.first().cloned() else {
        if may_prompt {
            return prompt(options);
        }
        return usage("no program given: aio run FILE, or `-` for a program on stdin");
    };
    if file == "-" {
        let mut bytes = Vec::new();
        return match std::io::stdin().read_to_end(&mut bytes) {
            Ok(_) => start("<stdin>".into(), bytes, std::env::current_dir().ok(), options),
            Err(error) => usage(&format!("cannot read stdin: {error}")),
        };
    }
    if file.starts_with('-') {
        return usage(&format!("there is no option '{file}'; `aio --help` lists them"));
    }
    match std::fs::read(&file) {
        Ok(bytes) => {
            let folder = Path::new(&file).parent().map(|p| match p.as_os_str().is_empty() {
                true => PathBuf::from("."),
                false => p.to_path_buf(),
            });
            start(file, bytes, folder, options)
        }
        Err(error) => usage(&format!("cannot open '{file}': {}", reason(&error))),
    }
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".into(),
        std::io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string(),
    }
}

fn start(name: String, bytes: Vec<u8>, folder: Option<PathBuf>, options: Options) -> ExitCode {
    let text = match session::decode(bytes, &name) {
        Ok(text) => text,
        Err(message) => {
            console::write_error(&message);
            return ExitCode::from(1);
        }
    };
    let status = session::on_session_thread(move || {
        session::leave(session::run_program(&name, text, folder.as_deref(), &options))
    });
    ExitCode::from(status as u8)
}

#[cfg(feature = "cli")]
fn prompt(options: Options) -> ExitCode {
    ExitCode::from(aio::repl::run(options) as u8)
}

fn states(args: &StatesArgs) -> ExitCode {
    let shown = args.file.to_string_lossy().into_owned();
    let bytes = match std::fs::read(&args.file) {
        Ok(bytes) => bytes,
        Err(error) => return usage(&format!("cannot open '{shown}': {}", reason(&error))),
    };
    let (name, format) = (args.name.clone(), args.format);
    let format = match format {
        FormatName::Text => Format::Text,
        FormatName::Mermaid => Format::Mermaid,
        FormatName::Dot => Format::Dot,
    };
    session::on_session_thread(move || {
        let text = match session::decode(bytes, &shown) {
            Ok(text) => text,
            Err(message) => {
                console::write_error(&message);
                return ExitCode::from(1);
            }
        };
        let source = session::text_source(&shown, &text);
        let lowered = syntax::parse(&source)
            .and_then(|module| lower::lower(&module, &source, &lower::Options { interactive: false }));
        let module = match lowered {
            Ok(module) => module,
            Err(error) => {
                console::write_error(&session::report::render(&error.diagnostic(&source)));
                return ExitCode::from(1);
            }
        };
        let all = readable::functions(&module);
        let wanted: Vec<_> = all
            .iter()
            .filter(|code| {
                name.as_ref()
                    .is_none_or(|n| *n == *code.qualname || n == code.name.text())
            })
            .collect();
        if wanted.is_empty() {
            return usage(&format!(
                "'{shown}' has no function '{}'",
                name.unwrap_or_default()
            ));
        }
        let parts: Vec<String> = wanted.iter().map(|code| readable::render(code, format)).collect();
        console::write(&parts.join("\n"));
        console::flush();
        ExitCode::SUCCESS
    })
}

/// Prints the mistakes that are seen in the text of programs; status 1 if there are any besides
/// notes.
fn lint(args: LintArgs) -> ExitCode {
    let mut programs = Vec::new();
    for file in &args.files {
        let shown = file.to_string_lossy().into_owned();
        match std::fs::read(file) {
            Ok(bytes) => programs.push((shown, bytes)),
            Err(error) => return usage(&format!("cannot open '{shown}': {}", reason(&error))),
        }
    }
    session::on_session_thread(move || {
        let mut is_clean = true;
        // Of a module that several programs import it is told once.
        let mut told = HashSet::new();
        for (shown, bytes) in programs {
            match session::lint(&shown, bytes) {
                Ok(findings) => {
                    is_clean &= findings.iter().all(|finding| finding.lint.is_note);
                    for finding in findings.iter().filter(|finding| told.insert(finding.json())) {
                        console::write(&match args.format {
                            FindingFormat::Text => finding.text(),
                            FindingFormat::Json => finding.json() + "\n",
                        });
                    }
                }
                Err(message) => {
                    is_clean = false;
                    console::write_error(&message);
                }
            }
        }
        console::flush();
        ExitCode::from(u8::from(!is_clean))
    })
}

/// Prints the page about a mistake, or the list of all.
fn explain(number: Option<&str>) -> ExitCode {
    let text = match number {
        None => pages::list(),
        Some(number) => match catalog::find(number) {
            Some(lint) => pages::page(lint),
            None => {
                return usage(&format!(
                    "there is no number '{number}'; `aio explain` lists them"
                ));
            }
        },
    };
    console::write(&text);
    console::flush();
    ExitCode::SUCCESS
}

fn usage(message: &str) -> ExitCode {
    console::write_error(&format!("aio: {message}\n"));
    ExitCode::from(USAGE)
}
