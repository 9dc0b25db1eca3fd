//! How the world outside reaches the interpreter's thread: other OS threads, operations that smol
//! drives, signals.
//!
//! Always true: what arrives is run on the interpreter's thread, between steps; while nothing
//! arrives, [`wait`] uses no CPU.

use super::{clock, console, signal, watch};
use async_channel::{Receiver, Sender};
use smol::LocalExecutor;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

/// What another OS thread has the interpreter do.
pub type Arrival = Box<dyn FnOnce() + Send>;

/// How long a signal of our own may take to reach us.
const PATIENCE: Duration = Duration::from_millis(20);

/// No wait is longer than this: a day.
const LONGEST: f64 = 86_400.0;

struct Inbox {
    sender: Sender<Arrival>,
    receiver: Receiver<Arrival>,
    operations: LocalExecutor<'static>,
}

thread_local! {
    static INBOX: RefCell<Option<Rc<Inbox>>> = const { RefCell::new(None) };
    /// Operations that have begun and not ended.
    static OUTSTANDING: Cell<usize> = const { Cell::new(0) };
    /// Who may send something at any time: a prompt, a signal that a script handles, a watched file.
    static LISTENERS: Cell<usize> = const { Cell::new(0) };
}

fn inbox() -> Rc<Inbox> {
    INBOX.with_borrow_mut(|inbox| {
        inbox
            .get_or_insert_with(|| {
                let (sender, receiver) = async_channel::unbounded();
                Rc::new(Inbox {
                    sender,
                    receiver,
                    operations: LocalExecutor::new(),
                })
            })
            .clone()
    })
}

/// What OS threads send through.
pub fn sender() -> Sender<Arrival> {
    inbox().sender.clone()
}

/// Somebody may send at any time: a program that only waits is then not a deadlock.
pub fn listen() {
    LISTENERS.set(LISTENERS.get() + 1);
}

pub fn stop_listening() {
    LISTENERS.set(LISTENERS.get().saturating_sub(1));
}

/// Begins an operation that smol drives to its end; it settles what waits for it itself.
pub fn begin(operation: impl Future<Output = ()> + 'static) {
    OUTSTANDING.set(OUTSTANDING.get() + 1);
    let inbox = inbox();
    let sender = inbox.sender.clone();
    let task = inbox.operations.spawn(async move {
        operation.await;
        OUTSTANDING.set(OUTSTANDING.get().saturating_sub(1));
        // Ends a wait; a closed channel has nobody waiting.
        let _ = sender.try_send(Box::new(|| ()));
    });
    task.detach();
}

/// Does work on smol's pool of OS threads, then `then` with its result here.
pub fn begin_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(T) + 'static,
) {
    begin(async move { then(smol::unblock(work).await) });
}

/// How many operations are in flight.
pub fn outstanding() -> usize {
    OUTSTANDING.get()
}

/// Whether something could arrive while everything waits.
pub fn can_wake() -> bool {
    OUTSTANDING.get() > 0 || LISTENERS.get() > 0
}

/// Takes what has arrived, without waiting.
#[inline]
pub fn poll() {
    if can_wake() {
        poll_now();
    }
}

#[cold]
fn poll_now() {
    let inbox = inbox();
    while inbox.operations.try_tick() {}
    while let Ok(arrival) = inbox.receiver.try_recv() {
        arrival();
    }
    watch::poll();
}

/// Gives a signal that was just sent the time to arrive.
pub fn wait_for_signal() {
    let patience = async {
        smol::Timer::after(PATIENCE).await;
    };
    smol::block_on(smol::future::or(signal::arrival(), patience));
}

/// Waits until something arrives, a signal comes or the clock shows `until`.
pub fn wait(until: Option<f64>) {
    console::flush();
    let inbox = inbox();
    let arrival = async { inbox.operations.run(inbox.receiver.recv()).await.ok() };
    let signalled = async {
        signal::arrival().await;
        None
    };
    let readied = async {
        watch::ready().await;
        None
    };
    let timer = async {
        match until {
            // The virtual clock stands still while something real is outstanding.
            Some(until) if !clock::is_virtual() => {
                let seconds = (until - clock::now()).clamp(0.0, LONGEST);
                smol::Timer::after(Duration::from_secs_f64(seconds)).await;
            }
            _ => std::future::pending().await,
        }
        None
    };
    let others = smol::future::or(readied, smol::future::or(signalled, timer));
    if let Some(arrival) = smol::block_on(smol::future::or(arrival, others)) {
        arrival();
    }
    poll();
}
