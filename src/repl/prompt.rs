//! The prompt's life: a line is asked for, run between the steps of the tasks, and asked for again.
//!
//! Always true: at most one input runs in the foreground, and while one does no line is read. What
//! an input leaves behind, tasks above all, goes on in the background.

use super::awaited::await_runs;
use super::command::{self, Command};
use super::editor::{self, Ends, Reply};
use super::screen::{Backlog, Screen};
use super::{banner, complete, input};
use crate::code::{Code, CodeKind, readable};
use crate::interp::error::{matches, raise_empty, runtime_error};
use crate::interp::types::{Type, is_exception};
use crate::interp::{import, text};
use crate::library;
use crate::lower;
use crate::runtime::event_loop::{self, EventLoop};
use crate::runtime::ready::Job;
use crate::runtime::{
    self, AfterDeadlock, Hooks, clock, console, current, future, inbox, runner, signal, task, thread,
};
use crate::session::{self, Options, deadlock, report};
use crate::source::{Source, Symbol, name};
use crate::syntax;
use crate::tools::lint::watch;
use crate::tools::trace;
use crate::value::context::{self, Context};
use crate::value::*;
use async_channel::{Receiver, Sender};
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Opens the prompt and runs it to its end; gives the exit status. Call on a session thread.
pub fn run(options: &Options, is_terminal: bool) -> i32 {
    clock::set(options.clock);
    library::set_arguments(&[String::new()]);
    if options.trace {
        trace::start();
    }
    if options.warn {
        watch::start();
    }
    import::add_folder(PathBuf::from("."));
    text::SHOW.set(Some(show));
    let (ask, requests) = async_channel::unbounded();
    let (reply, replies) = async_channel::unbounded();
    let accepted = Arc::new(AtomicBool::new(false));
    let ends = Ends {
        requests,
        replies: reply,
        accepted: accepted.clone(),
    };
    let backlog = Arc::new(Backlog::default());
    let ready = signal::watch(signal::SIGINT).and_then(|()| match is_terminal {
        true => editor::start_terminal(ends, inbox::sender(), backlog.clone()),
        false => editor::start_lines(ends),
    });
    if let Err(error) = ready {
        console::write_error(&format!("aio: cannot open the prompt: {error}\n"));
        return 1;
    }
    let screen = is_terminal.then(|| Screen::install(backlog));
    if is_terminal {
        console::write(&banner(options.clock));
    }
    Rc::new(Prompt::new((ask, replies, accepted), screen)).run()
}

/// Shows the value of an expression and keeps it as `_`.
fn show(value: &Value) -> Res<()> {
    if value.is_none() {
        return Ok(());
    }
    let mut shown = text::repr(value)?;
    shown.push('\n');
    console::write(&shown);
    if let Some(module) = complete::main_module() {
        module.set(Symbol::new("_"), value.clone());
    }
    Ok(())
}

/// The input that is awaited: Ctrl-C cancels its task.
struct Foreground {
    task: Ref<Future>,
    guard: signal::MainGuard,
}

/// Whether the prompt goes on.
enum Course {
    On,
    /// It ends, with the exception that ended it if there is one.
    Leave(Option<Ref<Exception>>),
}

pub struct Prompt {
    pub event_loop: Value,
    /// The `__main__` in which every input runs.
    pub module: Ref<Module>,
    /// The context in which every input runs: what one sets, the next one sees.
    context: Rc<Context>,
    ask: Sender<()>,
    replies: Receiver<Reply>,
    /// An input was read and has not begun.
    accepted: Arc<AtomicBool>,
    /// Ctrl-C came before the input that was read could begin: it is dropped.
    is_dropped: Cell<bool>,
    /// None without a terminal.
    screen: Option<Rc<Screen>>,
    /// Inputs so far.
    count: Cell<u32>,
    foreground: RefCell<Option<Foreground>>,
    /// A call blocks for ever, which was told; only Ctrl-C can come.
    is_listening: Cell<bool>,
    course: RefCell<Course>,
    /// The lowered inputs that define functions.
    codes: RefCell<Vec<Rc<Code>>>,
}

thread_local! {
    /// The prompt that is open.
    static PROMPT: RefCell<Weak<Prompt>> = const { RefCell::new(Weak::new()) };
}

/// Nothing can ever run again, unless a line or Ctrl-C comes.
fn stuck() -> AfterDeadlock {
    let Some(prompt) = PROMPT.with_borrow(Weak::upgrade) else {
        return AfterDeadlock::Exit;
    };
    prompt.leave_waiting();
    AfterDeadlock::GoOn
}

impl Prompt {
    fn new(
        (ask, replies, accepted): (Sender<()>, Receiver<Reply>, Arc<AtomicBool>),
        screen: Option<Rc<Screen>>,
    ) -> Prompt {
        let module = import::main_module();
        module.set(name::NAME, name::MAIN.into());
        module.set(name::DOC, Value::None);
        module.set(Symbol::new("__package__"), Value::None);
        let event_loop = event_loop::new_loop();
        current::set_own_loop(event_loop.clone());
        Prompt {
            event_loop,
            module,
            context: context::current(),
            ask,
            replies,
            accepted,
            is_dropped: Cell::new(false),
            screen,
            count: Cell::new(0),
            foreground: RefCell::new(None),
            is_listening: Cell::new(false),
            course: RefCell::new(Course::On),
            codes: RefCell::default(),
        }
    }

    /// Runs the loop until somebody leaves; gives the exit status.
    fn run(self: &Rc<Self>) -> i32 {
        let hooks = runtime::hooks();
        PROMPT.set(Rc::downgrade(self));
        runtime::set_hooks(Hooks {
            deadlock: stuck,
            ..hooks
        });
        self.read();
        let ended_by = loop {
            if let Err(raised) = event_loop::run_forever(&self.event_loop) {
                self.escaped(raised.take());
            }
            // A script that stops the loop stops only this round.
            if let Course::Leave(error) = self.course.replace(Course::On) {
                break error;
            }
        };
        runtime::set_hooks(hooks);
        if let Some(screen) = &self.screen {
            screen.give_back();
        }
        let closed = runner::close(&self.event_loop, true);
        session::finish(match (ended_by, closed) {
            (None, closed) => closed.map(|()| Value::None),
            (Some(error), Ok(())) => Err(Raised::again(error)),
            (Some(error), Err(raised)) => {
                self.tell(&raised.take());
                Err(Raised::again(error))
            }
        })
    }

    /// Asks for the next input.
    fn read(self: &Rc<Self>) {
        if self.is_listening.replace(false) {
            inbox::stop_listening();
        }
        if let Some(screen) = &self.screen {
            screen.begin_editing();
        }
        let this = self.clone();
        // While this operation is in flight, the virtual clock stands still.
        inbox::begin(async move {
            let asked = this.ask.send(()).await.is_ok();
            let reply = if asked {
                this.replies.recv().await.ok()
            } else {
                None
            };
            if let Some(screen) = &this.screen {
                screen.end_editing();
            }
            this.arrived(reply.unwrap_or(Reply::End));
        });
    }

    /// An input has come: it runs as a callback of the loop.
    fn arrived(self: &Rc<Self>, reply: Reply) {
        let Some(event_loop) = EventLoop::of(&self.event_loop) else {
            return;
        };
        let this = self.clone();
        let job = move |_: &Ref<Future>| match &reply {
            Reply::Input(text) => this.run_input(text),
            Reply::End => this.leave(None),
        };
        event_loop.push(Job::Native(Rc::new(job), future::new(&self.event_loop)));
    }

    fn run_input(self: &Rc<Self>, text: &str) {
        self.accepted.store(false, Ordering::SeqCst);
        if self.is_dropped.take() {
            return self.read();
        }
        if input::is_command(text) {
            return match Command::parse(text) {
                Command::Quit => self.leave(None),
                Command::Load(file) => self.load(&file),
                other => {
                    command::answer(self, &other);
                    self.read();
                }
            };
        }
        if self.means_to_leave(text.trim()) {
            return self.leave(None);
        }
        self.count.set(self.count.get() + 1);
        let source = Source::new(format!("<prompt {}>", self.count.get()), text);
        self.run_source(&source, true);
    }

    /// `exit()` or `exit`, unless a script's own.
    fn means_to_leave(&self, text: &str) -> bool {
        let word = text.strip_suffix("()").unwrap_or(text);
        matches!(word, "exit" | "quit") && self.module.get(Symbol::new(word)).is_none()
    }

    /// `:load FILE`
    fn load(self: &Rc<Self>, file: &str) {
        match command::read_program(file) {
            Ok(text) => {
                if let Some(folder) = PathBuf::from(file).parent() {
                    import::add_folder(folder.to_path_buf());
                }
                self.run_source(&Source::new(file, text), false);
            }
            Err(message) => {
                console::write_error(&message);
                self.read();
            }
        }
    }

    /// Runs a text in the prompt's module, and reads on when it has ended.
    fn run_source(self: &Rc<Self>, source: &Rc<Source>, interactive: bool) {
        let lowered = syntax::parse(source).and_then(|mut module| {
            if !interactive {
                await_runs(&mut module);
            }
            let code = lower::lower(&module, source, &lower::Options { interactive })?;
            Ok((code, module.warnings))
        });
        let (code, warnings) = match lowered {
            Ok(lowered) => lowered,
            Err(error) => {
                console::write_error(&report::render(&error.diagnostic(source)));
                return self.read();
            }
        };
        if readable::functions(&code).len() > 1 {
            self.codes.borrow_mut().push(code.clone());
        }
        let result = import::warn_of(&warnings, source)
            .and_then(|()| import::run(&code, &self.module))
            .and_then(|value| match code.kind {
                CodeKind::AsyncModule => self.begin(&value).map(Some),
                _ => Ok(None),
            });
        match result {
            Ok(Some(foreground)) => self.wait_for(foreground),
            Ok(None) => self.settle(Ok(())),
            Err(raised) => self.settle(Err(raised)),
        }
    }

    /// Code with `await` goes on as a task.
    fn begin(&self, coroutine: &Value) -> Res<Foreground> {
        let task = event_loop::create_task_in(
            &self.event_loop,
            coroutine,
            &Value::None,
            Some(self.context.clone()),
        )?;
        match future::of(&task) {
            Some(task) => Ok(Foreground {
                task: task.clone(),
                guard: signal::guard_main(task),
            }),
            None => Err(runtime_error(
                "the loop's task factory gave something that is no future",
            )),
        }
    }

    fn wait_for(self: &Rc<Self>, foreground: Foreground) {
        let task = foreground.task.clone();
        *self.foreground.borrow_mut() = Some(foreground);
        let this = self.clone();
        future::add_native(&task, move |_| this.ended());
    }

    /// What is awaited can go on only if another input sees to it: the input is left to itself.
    fn leave_waiting(self: &Rc<Self>) {
        let report = deadlock::who_waits();
        let foreground = match thread::main_waits_in_its_loop() {
            true => self.foreground.take(),
            false => None,
        };
        match foreground {
            Some(_) => {
                console::write_error(&format!("nothing can wake what is awaited here\n{report}"));
                console::write_error("  note: it goes on waiting in the background\n");
                self.read();
            }
            // A call that blocks cannot be left; Ctrl-C still ends it.
            None if !self.is_listening.replace(true) => {
                console::write_error(&format!(
                    "nothing can wake what is called here\n{report}  note: Ctrl-C interrupts it\n"
                ));
                inbox::listen();
            }
            None => {}
        }
    }

    /// The task in the foreground is done.
    fn ended(self: &Rc<Self>) {
        let is_done = self
            .foreground
            .borrow()
            .as_ref()
            .is_some_and(|f| f.task.is_done());
        if !is_done {
            return; // it was left to itself before
        }
        let Some(Foreground { task, guard }) = self.foreground.take() else {
            return;
        };
        let interrupted = guard.interrupted();
        drop(guard);
        let result = match future::result(&task) {
            Err(raised)
                if interrupted && matches(&raised, Type::CancelledError) && task::uncancel(&task) == 0 =>
            {
                drop(raised.take());
                Err(raise_empty(Type::KeyboardInterrupt))
            }
            result => result.map(drop),
        };
        self.settle(result);
    }

    /// An input has run to its end.
    fn settle(self: &Rc<Self>, result: Res<()>) {
        if let Err(raised) = result {
            let error = raised.take();
            if is_exception(&error, Type::SystemExit) {
                return self.leave(Some(error));
            }
            self.tell(&error);
        }
        self.read();
    }

    /// An exception has left the loop: Ctrl-C, or the end of the program.
    fn escaped(self: &Rc<Self>, error: Ref<Exception>) {
        let foreground = self.foreground.take();
        if let Some(foreground) = &foreground {
            foreground.task.unseen.set(false); // it is told here
        }
        if is_exception(&error, Type::SystemExit) {
            return self.leave(Some(error));
        }
        self.tell(&error);
        if foreground.is_some() {
            self.read();
        } else if is_exception(&error, Type::KeyboardInterrupt) {
            self.is_dropped.set(self.accepted.load(Ordering::SeqCst));
        }
    }

    fn tell(&self, error: &Ref<Exception>) {
        if is_exception(error, Type::KeyboardInterrupt)
            && let Some(screen) = &self.screen
        {
            screen.break_line();
        }
        report::tell_uncaught(error);
    }

    fn leave(&self, error: Option<Ref<Exception>>) {
        *self.course.borrow_mut() = Course::Leave(error);
        if let Some(event_loop) = EventLoop::of(&self.event_loop) {
            event_loop.stop();
        }
    }

    /// The functions of all inputs and loaded files, the latest first.
    pub fn functions(&self) -> Vec<Rc<Code>> {
        let codes = self.codes.borrow();
        let all = codes.iter().rev().flat_map(readable::functions);
        all.filter(|code| !matches!(code.kind, CodeKind::Module | CodeKind::AsyncModule))
            .collect()
    }
}
