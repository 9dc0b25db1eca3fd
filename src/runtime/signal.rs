//! Signals: noticed at once, delivered to the main script thread at its next check.
//!
//! Ctrl-C raises KeyboardInterrupt there; while `asyncio.run` is at work it cancels the main task
//! instead, the first time.

use super::event_loop::{self, EventLoop};
use super::ready::Job;
use super::{inbox, task, thread};
use crate::interp::error::raise_empty;
use crate::interp::types::Type;
use crate::interp::{call, frame_object, os_error};
use crate::value::*;
use smol::Async;
use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

pub use signal_hook::consts::signal::{SIGINT, SIGTERM};

/// What a signal does.
#[derive(Clone)]
pub enum Action {
    /// What the system does, for SIGINT: KeyboardInterrupt.
    Default,
    Ignore,
    /// The process ends, as the system has it: SIG_DFL for SIGINT.
    End,
    /// `handler(number, frame)`
    Call(Value),
    /// A loop's handle: runs in that loop.
    Loop {
        event_loop: Value,
        handle: Value,
    },
}

struct Watched {
    number: i32,
    arrived: Arc<AtomicBool>,
    action: Action,
}

/// The task that Ctrl-C cancels.
struct Main {
    task: Ref<Future>,
    interrupts: u32,
}

/// Signals that are watched write into one end, for a loop that waits.
struct Bell {
    ring: UnixStream,
    hear: UnixStream,
    /// Made when a loop first waits: it starts the thread that watches files.
    waited: Option<Rc<Async<UnixStream>>>,
}

impl Bell {
    fn new() -> std::io::Result<Bell> {
        let (hear, ring) = UnixStream::pair()?;
        Ok(Bell {
            ring,
            hear,
            waited: None,
        })
    }

    fn wait(&mut self) -> std::io::Result<Rc<Async<UnixStream>>> {
        if let Some(waited) = &self.waited {
            return Ok(waited.clone());
        }
        let waited = Rc::new(Async::new(self.hear.try_clone()?)?);
        Ok(self.waited.insert(waited).clone())
    }
}

/// Some signal has arrived.
static ANY: OnceLock<Arc<AtomicBool>> = OnceLock::new();

thread_local! {
    static WATCHED: RefCell<Vec<Watched>> = const { RefCell::new(Vec::new()) };
    static BELL: RefCell<Option<Bell>> = const { RefCell::new(None) };
    static MAIN: RefCell<Option<Main>> = const { RefCell::new(None) };
}

/// Begins to watch a signal.
pub fn watch(number: i32) -> std::io::Result<()> {
    if WATCHED.with_borrow(|all| all.iter().any(|w| w.number == number)) {
        return Ok(());
    }
    let any = ANY.get_or_init(Arc::default);
    let arrived = Arc::new(AtomicBool::new(false));
    match number {
        signal_hook::consts::SIGKILL | signal_hook::consts::SIGSTOP => {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        // Errors of the machine itself are not waited for: what they shall do is noted only.
        number if signal_hook::consts::FORBIDDEN.contains(&number) => {
            note(number, arrived);
            return Ok(());
        }
        _ => {}
    }
    let bell = BELL.with_borrow_mut(|bell| match bell {
        Some(bell) => bell.ring.try_clone(),
        None => bell.insert(Bell::new()?).ring.try_clone(),
    })?;
    // In this order, so that whoever hears the bell finds the flags up.
    signal_hook::flag::register(number, arrived.clone())?;
    signal_hook::flag::register(number, any.clone())?;
    signal_hook::low_level::pipe::register(number, bell)?;
    note(number, arrived);
    Ok(())
}

fn note(number: i32, arrived: Arc<AtomicBool>) {
    WATCHED.with_borrow_mut(|all| {
        all.push(Watched {
            number,
            arrived,
            action: Action::Default,
        })
    });
}

/// Waits for the next signal; for ever if none is watched.
pub async fn arrival() {
    let bell = BELL.with_borrow_mut(|bell| bell.as_mut().map(Bell::wait));
    let Some(Ok(bell)) = bell else {
        return std::future::pending().await;
    };
    if pending() || bell.readable().await.is_err() {
        return;
    }
    let mut bytes = [0; 64];
    while matches!(std::io::Read::read(&mut bell.get_ref(), &mut bytes), Ok(n) if n > 0) {}
}

/// Whether a signal waits for delivery. One load.
#[inline(always)]
pub fn pending() -> bool {
    ANY.get().is_some_and(|any| any.load(Ordering::Relaxed))
}

/// Has the main thread act as if a signal had come (`_thread.interrupt_main`): at once, if this is it.
/// A signal that nothing was asked to handle does nothing.
pub fn pretend(number: i32) -> Res<()> {
    let is_handled = WATCHED.with_borrow(|all| {
        let watched = all.iter().find(|w| w.number == number);
        let handled = watched.filter(|w| !matches!(w.action, Action::Ignore | Action::End));
        let handled = handled.filter(|w| number == SIGINT || !matches!(w.action, Action::Default));
        handled
            .inspect(|w| w.arrived.store(true, Ordering::SeqCst))
            .is_some()
    });
    if !is_handled {
        return Ok(());
    }
    ANY.get_or_init(Arc::default).store(true, Ordering::SeqCst);
    if thread::current().is_main() {
        return deliver();
    }
    thread::wake_main();
    Ok(())
}

/// Sets what a signal does; gives what it did.
pub fn set_action(number: i32, action: Action) -> std::io::Result<Action> {
    watch(number)?;
    if number == SIGINT && matches!(action, Action::Default) {
        // Whoever asks for KeyboardInterrupt gets it, even within `asyncio.run`.
        let no_longer = MAIN.take();
        drop(no_longer);
    }
    let counts = |a: &Action| matches!(a, Action::Call(_) | Action::Loop { .. });
    let (now, old) = (
        counts(&action),
        WATCHED.with_borrow_mut(|all| {
            let watched = all.iter_mut().find(|w| w.number == number);
            watched.map_or(Action::Default, |w| std::mem::replace(&mut w.action, action))
        }),
    );
    match (counts(&old), now) {
        (false, true) => inbox::listen(),
        (true, false) => inbox::stop_listening(),
        _ => {}
    }
    Ok(old)
}

/// What a signal does now; none if nobody ever asked for it.
pub fn action(number: i32) -> Option<Action> {
    WATCHED.with_borrow(|all| all.iter().find(|w| w.number == number).map(|w| w.action.clone()))
}

/// Sends this process a signal, and delivers what it does if this is the main thread.
pub fn send_self(number: i32) -> Res<()> {
    if signal_hook::low_level::raise(number).is_err() {
        return Err(os_error::invalid_argument());
    }
    if pending() && thread::current().is_main() {
        return deliver();
    }
    Ok(())
}

/// Forgets the handlers of a loop that closes.
pub fn forget_loop(this: &Value) {
    let of_loop = |w: &Watched| matches!(&w.action, Action::Loop { event_loop, .. } if event_loop.is(this));
    let numbers: Vec<i32> =
        WATCHED.with_borrow(|all| all.iter().filter(|w| of_loop(w)).map(|w| w.number).collect());
    for number in numbers {
        drop(set_action(number, Action::Default));
    }
}

/// Delivers what has arrived. Called in the main script thread only.
#[cold]
pub fn deliver() -> Res<()> {
    if let Some(any) = ANY.get() {
        any.store(false, Ordering::SeqCst);
    }
    loop {
        let next = WATCHED.with_borrow(|all| {
            let arrived = all.iter().find(|w| w.arrived.swap(false, Ordering::SeqCst));
            arrived.map(|w| (w.number, w.action.clone()))
        });
        let Some((number, action)) = next else {
            return Ok(());
        };
        act(number, action)?;
    }
}

fn act(number: i32, action: Action) -> Res<()> {
    match action {
        Action::Ignore => Ok(()),
        Action::Call(handler) => {
            let frame = frame_object::running(0).unwrap_or(Value::None);
            call::call(&handler, &[Value::Int(number as i64), frame]).map(drop)
        }
        Action::Loop { event_loop, handle } => {
            event_loop::expect(&event_loop)?.hear(handle);
            Ok(())
        }
        Action::Default if number == SIGINT => interrupt_main(),
        Action::Default | Action::End => {
            super::console::flush();
            // The process ends as if the signal had never been watched.
            let _ = signal_hook::low_level::emulate_default_handler(number);
            Ok(())
        }
    }
}

/// Ctrl-C: cancels the main task of `asyncio.run`, the first time; else KeyboardInterrupt.
fn interrupt_main() -> Res<()> {
    let task = MAIN.with_borrow_mut(|main| {
        let main = main.as_mut()?;
        main.interrupts += 1;
        (main.interrupts == 1 && !main.task.is_done()).then(|| main.task.clone())
    });
    match task {
        Some(task) => {
            task::cancel(&task, &Value::None)?;
            // Wakes the loop if it waits.
            if let Some(event_loop) = EventLoop::of(task.event_loop()) {
                event_loop.push(Job::Native(Rc::new(|_| ()), task.clone()));
            }
            Ok(())
        }
        None => Err(raise_empty(Type::KeyboardInterrupt)),
    }
}

/// Has Ctrl-C cancel this task while the guard lives.
pub fn guard_main(task: &Ref<Future>) -> MainGuard {
    let main = Main {
        task: task.clone(),
        interrupts: 0,
    };
    MainGuard {
        before: MAIN.replace(Some(main)),
    }
}

/// Ctrl-C cancels a main task.
pub struct MainGuard {
    before: Option<Main>,
}

impl MainGuard {
    /// Whether Ctrl-C came.
    pub fn interrupted(&self) -> bool {
        MAIN.with_borrow(|main| main.as_ref().is_some_and(|m| m.interrupts > 0))
    }
}

impl Drop for MainGuard {
    fn drop(&mut self) {
        let mine = MAIN.replace(self.before.take());
        drop(mine);
    }
}
