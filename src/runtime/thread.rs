//! Script threads: fibers on the interpreter's one OS thread.
//!
//! The main script thread runs on the OS thread's own stack, every other one on a pooled stack of
//! its own. A thread that blocks or is preempted goes back to the main stack, where [`schedule`]
//! picks the next one. Always true: exactly one thread runs; the queue holds those that could run,
//! in the order in which they became ready; no borrow is held across a switch.

use super::instrument::{Event, tell};
use super::{AfterDeadlock, DEADLOCK_STATUS, clock, console, hooks, inbox, signal};
use crate::interp::stack::{Saved, ValueStack};
use crate::interp::types::{Type, is_exception};
use crate::interp::{call, import};
use crate::source::Symbol;
use crate::value::context::{self, Context};
use crate::value::running::{self, Chain, Seen};
use crate::value::*;
use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::rc::Rc;

/// Native stack of a fiber; its memory is touched only as far as it is used.
const STACK_BYTES: usize = 1 << 20;
/// What the interpreter's own recursion may use below the floor that calls are checked against.
const HEADROOM: usize = 160 << 10;
/// Room on a fiber's value stack.
const VALUES: usize = 32 << 10;
/// Stacks kept for the next fibers.
const POOLED: usize = 32;

/// Where a thread stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It runs, or stands in the queue.
    Ready,
    /// It waits to be woken, or for a time.
    Blocked,
    Ended,
}

/// A script thread.
pub struct Thread {
    pub id: u64,
    name: Rc<str>,
    pub daemon: bool,
    state: Cell<State>,
    /// When a blocked thread goes on by itself; infinite if never.
    until: Cell<f64>,
    /// Somebody woke it since it last looked.
    woken: Cell<bool>,
    /// What it waits for, in a reader's words.
    doing: Cell<&'static str>,
    /// The lock it waits for; unset while it does not.
    wanted: ValueCell,
    fiber: RefCell<Option<Fiber>>,
    yielder: Cell<*const Yielder<(), ()>>,
    /// The loop that `set_event_loop` gave it: unset before the first time, None for none.
    pub event_loop: ValueCell,
}

impl Thread {
    fn new(id: u64, name: &str, daemon: bool) -> Thread {
        Thread {
            id,
            name: name.into(),
            daemon,
            state: Cell::new(State::Ready),
            until: Cell::new(f64::INFINITY),
            woken: Cell::new(false),
            doing: Cell::new("its turn"),
            wanted: ValueCell::default(),
            fiber: RefCell::new(None),
            yielder: Cell::new(std::ptr::null()),
            event_loop: ValueCell::default(),
        }
    }

    pub fn is_main(&self) -> bool {
        self.id == MAIN_ID
    }

    pub fn name(&self) -> Rc<str> {
        self.name.clone()
    }

    pub fn state(&self) -> State {
        self.state.get()
    }

    /// What it waits for, in a reader's words.
    pub fn doing(&self) -> &'static str {
        self.doing.get()
    }

    /// The lock it waits for, if that is what it does.
    pub fn wanted(&self) -> Option<Value> {
        let wanted = self.wanted.get();
        (!wanted.is_unset()).then_some(wanted)
    }

    /// Shows the calls that a blocked thread is in the middle of, innermost first; `visit` must
    /// run no script.
    pub fn look(&self, visit: impl FnMut(Seen) -> Option<()>) {
        match &*self.fiber.borrow() {
            Some(fiber) => fiber.registers.running.look(visit),
            None => running::look(visit),
        };
    }
}

const MAIN_ID: u64 = 1;

/// A thread's stacks while another one runs.
struct Fiber {
    coroutine: Coroutine<(), (), ()>,
    registers: Registers,
    /// Owns the memory that `registers` points to.
    _values: ValueStack,
}

/// What belongs to the running thread and is changed at a switch.
struct Registers {
    stack: Saved,
    handled: Option<Ref<Exception>>,
    pending: exception::Aside,
    drop_depth: u32,
    running: Chain,
    context: Rc<Context>,
    running_loop: Value,
}

impl Registers {
    /// Puts these into effect and gives those before.
    fn swap(self) -> Registers {
        let pending = exception::lay_aside();
        exception::put_back(self.pending);
        Registers {
            stack: self.stack.swap(),
            handled: exception::set_handled(self.handled),
            pending,
            drop_depth: swap_drop_depth(self.drop_depth),
            running: self.running.swap(),
            context: context::enter(self.context),
            running_loop: super::current::set_running(self.running_loop),
        }
    }
}

struct Threads {
    main: Rc<Thread>,
    current: Rc<Thread>,
    /// All that have not ended, but the main one; in order of creation.
    alive: Vec<Rc<Thread>>,
    queue: VecDeque<Rc<Thread>>,
    created: u64,
    /// The earliest time for which a blocked thread waits.
    next_due: f64,
    stacks: Vec<DefaultStack>,
}

thread_local! {
    /// Never dropped: fibers that are still suspended at the end just go with the process.
    static THREADS: ManuallyDrop<RefCell<Threads>> = {
        let main = Rc::new(Thread::new(MAIN_ID, "MainThread", false));
        ManuallyDrop::new(RefCell::new(Threads {
            current: main.clone(),
            main,
            alive: Vec::new(),
            queue: VecDeque::new(),
            created: MAIN_ID,
            next_due: f64::INFINITY,
            stacks: Vec::new(),
        }))
    };
    /// Whether there is any thread but the main one: what [`preempt`] looks at first.
    static SEVERAL: Cell<bool> = const { Cell::new(false) };
}

fn threads<T>(work: impl FnOnce(&mut Threads) -> T) -> T {
    THREADS.with(|threads| work(&mut threads.borrow_mut()))
}

/// The thread that runs now.
pub fn current() -> Rc<Thread> {
    threads(|t| t.current.clone())
}

/// How many threads there are beside the main one.
pub fn count() -> usize {
    threads(|t| t.alive.len())
}

/// The blocked threads, the main one first.
pub fn blocked() -> Vec<Rc<Thread>> {
    threads(|t| {
        let all = std::iter::once(&t.main).chain(&t.alive);
        all.filter(|t| t.state.get() == State::Blocked).cloned().collect()
    })
}

/// Whether the main thread waits for its loop to have something to do, and not in a call.
pub fn main_waits_in_its_loop() -> bool {
    threads(|t| t.main.state.get() == State::Blocked && t.main.doing.get() == IN_LOOP)
}

/// What a thread does that runs a loop in which nothing is ready.
pub const IN_LOOP: &str = "event loop";

/// Starts a thread that calls `func`. It begins when the current one blocks or is preempted.
pub fn spawn(
    func: Value,
    args: Vec<Value>,
    kwargs: Vec<(Symbol, Value)>,
    name: Option<&str>,
    daemon: bool,
) -> std::io::Result<Rc<Thread>> {
    let native = match threads(|t| t.stacks.pop()) {
        Some(pooled) => pooled,
        None => DefaultStack::new(STACK_BYTES)?,
    };
    let floor = native.limit().get() + HEADROOM;
    let mut values = ValueStack::new(VALUES);
    let registers = Registers {
        stack: Saved::fresh(&mut values, floor),
        handled: None,
        pending: exception::nothing_aside(),
        drop_depth: 0,
        running: Chain::empty(),
        context: Rc::default(),
        running_loop: Value::Unset,
    };
    let thread = threads(|t| {
        t.created += 1;
        let name = name.map_or_else(|| format!("Thread-{}", t.created - 1), str::to_string);
        Rc::new(Thread::new(t.created, &name, daemon))
    });
    let this = thread.clone();
    let coroutine = Coroutine::with_stack(native, move |yielder, ()| {
        this.yielder.set(yielder);
        run(&func, &args, &kwargs);
        // The function and its arguments are dropped here, still on this stack.
    });
    *thread.fiber.borrow_mut() = Some(Fiber {
        coroutine,
        registers,
        _values: values,
    });
    threads(|t| {
        t.alive.push(thread.clone());
        t.queue.push_back(thread.clone());
    });
    SEVERAL.set(true);
    let shown = thread.name();
    tell(|| Event::ThreadStarted {
        thread: thread.id,
        name: &shown,
    });
    Ok(thread)
}

fn run(func: &Value, args: &[Value], kwargs: &[(Symbol, Value)]) {
    if let Err(raised) = call::call_kw(func, args, kwargs) {
        let error = raised.take();
        if !is_exception(&error, Type::SystemExit) {
            (hooks().thread_exception)(&error, func);
        }
    }
}

/// Why a blocked thread goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// Somebody woke it.
    Called,
    /// The time has come, or nothing in particular: look again.
    Timeout,
}

/// Blocks the current thread until it is woken or the clock shows `until`. In the main thread a
/// Ctrl-C ends it with KeyboardInterrupt.
pub fn block(until: Option<f64>, doing: &'static str) -> Res<Woken> {
    let me = current();
    if !me.woken.get() {
        let until = until.unwrap_or(f64::INFINITY);
        me.state.set(State::Blocked);
        me.until.set(until);
        me.doing.set(doing);
        threads(|t| t.next_due = t.next_due.min(until));
        tell(|| Event::ThreadBlocked { thread: me.id, doing });
        switch(&me);
        me.until.set(f64::INFINITY);
        me.doing.set("its turn");
        tell(|| Event::ThreadResumed { thread: me.id });
    }
    let woken = me.woken.replace(false);
    if me.is_main() && signal::pending() {
        signal::deliver()?;
    }
    Ok(if woken { Woken::Called } else { Woken::Timeout })
}

/// [`block`], for a lock.
pub fn block_for(lock: &Value, until: Option<f64>) -> Res<Woken> {
    let me = current();
    me.wanted.set(lock.clone());
    let woken = block(until, "lock");
    drop(me.wanted.take());
    woken
}

/// Lets a blocked thread go on, or spares it its next block.
pub fn wake(thread: &Rc<Thread>) {
    thread.woken.set(true);
    ready(thread);
}

/// What imports ask of threads.
pub const FOR_IMPORTS: import::Threads = import::Threads {
    current: || current().id,
    block: || block(None, "import").map(drop),
    wake: |id| {
        let all = threads(|t| {
            std::iter::once(&t.main)
                .chain(&t.alive)
                .cloned()
                .collect::<Vec<_>>()
        });
        all.iter().filter(|thread| thread.id == id).for_each(wake);
    },
};

/// Lets the main thread look at what has come for it.
pub fn wake_main() {
    ready(&threads(|t| t.main.clone()));
}

fn ready(thread: &Rc<Thread>) {
    if thread.state.get() == State::Blocked {
        thread.state.set(State::Ready);
        threads(|t| t.queue.push_back(thread.clone()));
    }
}

/// Blocks for a time: `time.sleep`.
pub fn sleep(seconds: f64) -> Res<()> {
    let until = clock::now() + seconds;
    loop {
        block(Some(until), "time.sleep")?;
        if clock::now() >= until {
            return Ok(());
        }
    }
}

/// The interpreter calls this every so many calls and backward jumps: lets other threads go on,
/// and delivers a Ctrl-C. Costs two loads when there is nothing to do.
#[inline]
pub fn preempt() -> Res<()> {
    if SEVERAL.get() || signal::pending() {
        preempt_now()
    } else {
        Ok(())
    }
}

#[cold]
fn preempt_now() -> Res<()> {
    let me = current();
    if me.is_main() && signal::pending() {
        signal::deliver()?;
    }
    if signal::pending() {
        wake_main();
    }
    inbox::poll();
    wake_due();
    if threads(|t| !t.queue.is_empty()) {
        threads(|t| t.queue.push_back(me.clone()));
        switch(&me);
    }
    Ok(())
}

/// Gives the processor away; returns when the thread's turn has come again.
fn switch(me: &Rc<Thread>) {
    if me.is_main() {
        return schedule();
    }
    let yielder = me.yielder.get();
    // SAFETY: this thread runs, so its yielder was set when its fiber began; the yielder lives on
    // the fiber's own stack for as long as the fiber has not ended.
    unsafe { (*yielder).suspend(()) }
}

/// Runs other threads on the main stack until it is the main thread's turn.
fn schedule() {
    loop {
        if signal::pending() {
            wake_main();
        }
        inbox::poll();
        wake_due();
        match threads(|t| t.queue.pop_front()) {
            Some(thread) if thread.is_main() => return,
            Some(thread) => resume(&thread),
            None => idle(),
        }
    }
}

/// Runs a fiber until it blocks, is preempted or ends.
fn resume(thread: &Rc<Thread>) {
    let Some(Fiber {
        mut coroutine,
        registers,
        _values,
    }) = thread.fiber.borrow_mut().take()
    else {
        return;
    };
    let main = threads(|t| std::mem::replace(&mut t.current, thread.clone()));
    let mine = registers.swap();
    let result = coroutine.resume(());
    let registers = mine.swap();
    threads(|t| t.current = main);
    match result {
        CoroutineResult::Yield(()) => {
            *thread.fiber.borrow_mut() = Some(Fiber {
                coroutine,
                registers,
                _values,
            });
        }
        CoroutineResult::Return(()) => {
            thread.state.set(State::Ended);
            thread.yielder.set(std::ptr::null());
            let native = coroutine.into_stack();
            threads(|t| {
                t.alive.retain(|other| !Rc::ptr_eq(other, thread));
                SEVERAL.set(!t.alive.is_empty());
                if t.stacks.len() < POOLED {
                    t.stacks.push(native);
                }
            });
            drop(registers); // may drop script values: no borrow is held
            drop(thread.event_loop.take());
            let shown = thread.name();
            tell(|| Event::ThreadEnded {
                thread: thread.id,
                name: &shown,
            });
            wake_joiners(thread);
        }
    }
}

thread_local! {
    static JOINERS: RefCell<Vec<(u64, Rc<Thread>)>> = const { RefCell::new(Vec::new()) };
}

fn wake_joiners(ended: &Thread) {
    let joiners: Vec<_> =
        JOINERS.with_borrow_mut(|all| all.extract_if(.., |(id, _)| *id == ended.id).collect());
    joiners.iter().for_each(|(_, thread)| wake(thread));
}

/// Blocks until a thread has ended, or the clock shows `until`; whether it has ended.
pub fn join(thread: &Rc<Thread>, until: Option<f64>) -> Res<bool> {
    while thread.state.get() != State::Ended {
        if until.is_some_and(|until| clock::now() >= until) {
            return Ok(false);
        }
        JOINERS.with_borrow_mut(|all| all.push((thread.id, current())));
        block(until, "join")?;
    }
    Ok(true)
}

/// At the end of the program: waits for all threads but daemons.
pub fn join_all() -> Res<()> {
    while let Some(thread) = threads(|t| t.alive.iter().find(|t| !t.daemon).cloned()) {
        join(&thread, None)?;
    }
    Ok(())
}

/// Moves blocked threads whose time has come to the queue, earliest first.
fn wake_due() {
    if threads(|t| t.next_due) == f64::INFINITY {
        return;
    }
    let now = clock::now();
    threads(|t| {
        if t.next_due > now {
            return;
        }
        let blocked = |thread: &&Rc<Thread>| thread.state.get() == State::Blocked;
        let all = std::iter::once(&t.main).chain(&t.alive).filter(blocked);
        let (mut due, later): (Vec<_>, Vec<_>) = all.cloned().partition(|thread| thread.until.get() <= now);
        due.sort_by(|a, b| a.until.get().total_cmp(&b.until.get()).then(a.id.cmp(&b.id)));
        t.next_due = later
            .iter()
            .map(|thread| thread.until.get())
            .fold(f64::INFINITY, f64::min);
        for thread in due {
            thread.state.set(State::Ready);
            t.queue.push_back(thread);
        }
    });
}

/// Every thread is blocked: waits for the world, or moves the virtual clock.
fn idle() {
    let until = threads(|t| {
        let blocked = |thread: &&Rc<Thread>| thread.state.get() == State::Blocked;
        let all = std::iter::once(&t.main).chain(&t.alive).filter(blocked);
        t.next_due = all.map(|thread| thread.until.get()).fold(f64::INFINITY, f64::min);
        Some(t.next_due).filter(|due| due.is_finite())
    });
    match until {
        Some(due) if clock::is_virtual() && inbox::outstanding() == 0 => clock::jump(due),
        None if !inbox::can_wake() => deadlock(),
        until => inbox::wait(until),
    }
}

/// Nothing can ever run again, unless a signal is on its way to us.
fn deadlock() {
    console::flush();
    inbox::wait_for_signal();
    if signal::pending() {
        return;
    }
    tell(|| Event::Over);
    let after = (hooks().deadlock)();
    console::flush();
    match after {
        AfterDeadlock::Exit => super::exit(DEADLOCK_STATUS),
        AfterDeadlock::GoOn => {}
    }
}
