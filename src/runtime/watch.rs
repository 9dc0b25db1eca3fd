//! Open files that a loop watches: `loop.add_reader` and `loop.add_writer`.
//!
//! Always true: a file that is ready makes its callback ready once in each pass, as long as it is; one
//! that was closed is never ready again. A loop that watches a file waits for it, so that is no deadlock.

use super::event_loop::EventLoop;
use super::handle::Handle;
use super::inbox;
use super::ready::Job;
use crate::value::*;
use rustix::event::{PollFd, PollFlags, poll as ask};
use rustix::fd::OwnedFd;
use smol::Async;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

/// What a file is watched for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Read,
    Write,
}

/// One callback and its file.
struct Watch {
    event_loop: Value,
    number: i64,
    way: Way,
    handle: Value,
    file: Weak<OwnedFd>,
    /// It stands among what is ready, and has not run.
    is_ready: Cell<bool>,
}

thread_local! {
    static WATCHES: RefCell<Vec<Rc<Watch>>> = const { RefCell::new(Vec::new()) };
}

/// Calls the handle whenever the file of a number is ready, instead of the one before.
pub fn add(event_loop: &Value, number: i64, way: Way, file: &Rc<OwnedFd>, handle: Value) -> Res<()> {
    remove(event_loop, number, way)?;
    let watch = Watch {
        event_loop: event_loop.clone(),
        number,
        way,
        handle,
        file: Rc::downgrade(file),
        is_ready: Cell::new(false),
    };
    WATCHES.with_borrow_mut(|all| all.push(Rc::new(watch)));
    inbox::listen();
    Ok(())
}

/// Forgets what is called for the file of a number; whether there was anything.
pub fn remove(event_loop: &Value, number: i64, way: Way) -> Res<bool> {
    let is_meant = |w: &Rc<Watch>| w.number == number && w.way == way && w.event_loop.is(event_loop);
    let Some(gone) = take(is_meant).pop() else {
        return Ok(false);
    };
    if let Some(handle) = gone.handle.opaque::<Handle>() {
        handle.cancel(&gone.handle)?;
    }
    Ok(true)
}

/// Forgets the files of a loop that closes.
pub fn forget_loop(event_loop: &Value) {
    drop(take(|w| w.event_loop.is(event_loop)));
}

fn take(is_meant: impl Fn(&Rc<Watch>) -> bool) -> Vec<Rc<Watch>> {
    let gone: Vec<_> = WATCHES.with_borrow_mut(|all| all.extract_if(.., |w| is_meant(w)).collect());
    gone.iter().for_each(|_| inbox::stop_listening());
    gone
}

/// Those whose callback could become ready, with their files.
fn open() -> Vec<(Rc<Watch>, Rc<OwnedFd>)> {
    WATCHES.with_borrow(|all| {
        let waiting = all.iter().filter(|w| !w.is_ready.get());
        waiting
            .filter_map(|w| Some((w.clone(), w.file.upgrade()?)))
            .collect()
    })
}

/// Makes ready what is called for files that are ready now.
pub fn poll() {
    if WATCHES.with_borrow(Vec::is_empty) {
        return;
    }
    let open = open();
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut files: Vec<PollFd> = Vec::with_capacity(open.len());
    for (watch, file) in &open {
        let flags = match watch.way {
            Way::Read => PollFlags::IN,
            Way::Write => PollFlags::OUT,
        };
        files.push(PollFd::new(file, flags));
    }
    if !matches!(ask(&mut files, Some(&now)), Ok(1..)) {
        return;
    }
    let answers: Vec<bool> = files.iter().map(|file| !file.revents().is_empty()).collect();
    for ((watch, _), is_ready) in open.iter().zip(answers) {
        if is_ready {
            call(watch);
        }
    }
}

fn call(watch: &Rc<Watch>) {
    let Some(event_loop) = EventLoop::of(&watch.event_loop) else {
        return;
    };
    watch.is_ready.set(true);
    event_loop.push(Job::Handle(watch.handle.clone()));
    // Asked again when the callback has run, which may have read what there is.
    let ran = {
        let watch = watch.clone();
        move |_: &Ref<Future>| watch.is_ready.set(false)
    };
    let nobody = Ref::new(Future::new(watch.event_loop.clone()));
    event_loop.push(Job::Native(Rc::new(ran), nobody));
}

/// Ends when one of the files is ready.
pub async fn ready() {
    let files = open();
    let mut waits: Vec<Pin<Box<dyn std::future::Future<Output = ()>>>> = Vec::new();
    for (watch, file) in files {
        waits.push(Box::pin(async move {
            // A second one for the same file: each can be known to the system once.
            let Ok(copy) = file.try_clone() else { return };
            let Ok(file) = Async::new_nonblocking(copy) else {
                return;
            };
            let _ = match watch.way {
                Way::Read => file.readable().await,
                Way::Write => file.writable().await,
            };
        }));
    }
    std::future::poll_fn(|context| {
        let is_over = waits
            .iter_mut()
            .any(|wait| wait.as_mut().poll(context).is_ready());
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
