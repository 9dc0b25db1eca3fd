//! Why one who waits does not go on, in a reader's words.

use super::All;
use super::access::{self, Remedy, name_for};
use super::party::{Frame, Key, Party, attribute, in_its_loop, named};
use crate::code::TreeKind;
use crate::interp::iterate;
use crate::library::modules::thread as lock;
use crate::runtime::future;
use crate::runtime::thread::{self, IN_LOOP};
use crate::source::{Source, Span};
use crate::value::generator::{Activation, Need, Obstacle};
use crate::value::*;
use std::rc::Rc;

/// So many are named one by one.
pub const NAMED: usize = 4;

/// A mistake that keeps a party.
pub struct Mistake {
    pub number: &'static str,
    /// Where the lock is taken that is waited for.
    pub taken: Vec<(Rc<Source>, Span)>,
}

/// What keeps a party.
pub struct Reason {
    /// `the lock 'a', which task 'Task-2' holds`
    pub what: String,
    /// Who would have to go on first.
    pub behind: Vec<Key>,
    /// Whether a lock or semaphore stands between them.
    pub is_lock: bool,
    /// What to do about it.
    pub help: Option<String>,
    /// What somebody could have called.
    pub remedy: Option<Remedy>,
    /// The mistake that it comes from, if that is certain.
    pub mistake: Option<Mistake>,
}

impl Reason {
    fn plain(what: impl Into<String>) -> Reason {
        Reason {
            what: what.into(),
            behind: Vec::new(),
            is_lock: false,
            help: None,
            remedy: None,
            mistake: None,
        }
    }

    fn behind(what: impl Into<String>, behind: Vec<Key>) -> Reason {
        Reason {
            behind,
            ..Reason::plain(what)
        }
    }
}

impl Reason {
    /// Whether it says the same of the same object.
    pub fn is_same(&self, other: &Reason) -> bool {
        let is_same_object = match (&self.remedy, &other.remedy) {
            (Some(own), Some(other)) => own.is_of_same(other),
            (own, other) => own.is_none() && other.is_none(),
        };
        self.what == other.what && self.help == other.help && is_same_object
    }
}

/// `task 'a', task 'b' and 3 more`
pub fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    if more > 0 {
        names.truncate(NAMED);
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing that is pending".into(),
    }
}

/// One who waits, among all that do.
pub struct Case<'a> {
    pub place: usize,
    pub all: &'a All,
}

impl Case<'_> {
    fn party(&self) -> &Party {
        &self.all[self.place]
    }

    /// Why it does not go on.
    pub fn reason(&self) -> Reason {
        let party = self.party();
        if let Some(thread) = &party.thread {
            return match thread.wanted() {
                Some(_) if thread.is_main() && party.own().is_none() => {
                    Reason::plain("the other threads, before the program can end")
                }
                Some(lock) => self.blocked(&lock),
                None if thread.doing() == "join" => Reason::plain("the other threads to end"),
                None if thread.doing() == IN_LOOP => Reason {
                    help: Some("nothing is left that could call the loop's stop() or give it work".into()),
                    ..Reason::plain("something to do in its event loop, which has no task")
                },
                None => Reason::plain(thread.doing()),
            };
        }
        let Some(task) = &party.task else {
            return Reason::plain("its turn");
        };
        let obstacle = obstacle(task);
        if let Some(taken @ Obstacle::Taken { .. }) = &obstacle {
            return self.explain(taken);
        }
        if let Some(reason) = self.in_library() {
            return reason;
        }
        match (
            &obstacle,
            task.task.as_ref().and_then(|state| state.waiting.get()),
        ) {
            (Some(obstacle), _) => self.explain(obstacle),
            (None, Some(on)) => self.awaited(&on),
            (None, None) => Reason::plain("its turn, but its loop cannot go on"),
        }
    }

    /// A thread that waits for a lock, be it the program's or a part of something else.
    fn blocked(&self, lock: &Value) -> Reason {
        let innermost = self.party().frames.last();
        let is_bell = innermost
            .is_some_and(|frame| !frame.is_own() && frame.variable("bell").is_some_and(|bell| bell.is(lock)));
        if is_bell {
            return self
                .in_library()
                .unwrap_or_else(|| Reason::plain("a notification"));
        }
        let Some(holder) = lock::holder(lock) else {
            return Reason::plain("its turn");
        };
        let me = self.party();
        let is_own = me.is(Key::Thread(holder));
        let by = self.all.iter().find(|other| other.is(Key::Thread(holder)));
        let in_loop = thread::blocked().into_iter().find(|thread| thread.id == holder);
        let in_loop = in_loop.filter(|_| !is_own && by.is_none());
        let by = match (is_own, by) {
            (false, None) if let Some(thread) = &in_loop => {
                format!("thread '{}' holds, in whose loop a task waits", thread.name())
            }
            (true, _) if me.task.is_some() => "its own thread holds".into(),
            (true, _) => "it holds itself".into(),
            (false, Some(other)) => format!("{}{} holds", other.name(), other.at()),
            (false, None) => "a thread took and never released before it ended".into(),
        };
        let is_left = !self.all.iter().any(|other| other.is(Key::Thread(holder)));
        let help = match is_left {
            true if in_loop.is_some() => Some(
                "a task that holds a lock of threads awaits nothing: release it before, or use asyncio.Lock"
                    .into(),
            ),
            true => Some(self.left_behind(lock, "with")),
            false if is_own && me.task.is_some() => {
                Some("a lock of threads stops the whole loop: between tasks, use asyncio.Lock".into())
            }
            false => None,
        };
        Reason {
            is_lock: true,
            help,
            ..Reason::behind(self.that("lock", lock, &by), vec![Key::Thread(holder)])
        }
    }

    /// What to do about a lock whose holder is over.
    fn left_behind(&self, lock: &Value, with: &str) -> String {
        let taken = access::who_took(lock, self.all).map(|taken| taken + "\n");
        let taken = taken.unwrap_or_default();
        format!("{taken}`{with}` releases a lock whatever happens in its block")
    }

    /// A wait within a function of the library that is written in aio.
    fn in_library(&self) -> Option<Reason> {
        let inside = self.party().inside();
        inside.iter().find_map(|frame| self.known(frame)).or_else(|| {
            let outermost = inside.first()?;
            let waiting = self
                .party()
                .task
                .as_ref()
                .and_then(|task| task.task.as_ref()?.waiting.get());
            Some(match waiting.and_then(|on| in_other_thread(&on)) {
                Some(future) => self.other_thread(&future),
                None => Reason::plain(format!("{}()", outermost.code().qualname)),
            })
        })
    }

    /// What the library's functions that wait are to a reader.
    fn known(&self, frame: &Frame) -> Option<Reason> {
        let module = frame.func.module.name.text();
        let this = frame.variable("self")?;
        let count = |name: &str| match attribute(&this, name) {
            Some(Value::Int(n)) => usize::try_from(n).unwrap_or(0),
            _ => 0,
        };
        let need = match (module, &*frame.code().qualname) {
            (_, "Condition.wait" | "Condition.wait_for") => Need::Notify,
            (_, "Barrier.wait") => Need::Arrive {
                here: count("_count"),
                parties: count("_parties"),
            },
            (_, "Event.wait") => Need::Set,
            (_, "Semaphore.acquire") => Need::Release,
            (_, "Queue.get" | "SimpleQueue.get") => Need::Item,
            (_, "Queue.put") => Need::Room,
            (_, "Queue.join") => Need::WorkDone {
                left: count("unfinished_tasks"),
            },
            (_, "Future.result" | "Future.exception") => return Some(self.other_thread(&this)),
            (_, "Thread.join") => {
                let thread = match attribute(&this, "_ident") {
                    Some(Value::Int(id)) => Key::Thread(id as u64),
                    _ => return None,
                };
                let ended = match self.all.iter().find(|other| other.is(thread)) {
                    Some(other) => format!("the end of {}{}", other.name(), other.at()),
                    None => match &attribute(&this, "_name") {
                        Some(Value::Str(name)) => format!("the end of thread '{}'", name.text),
                        _ => "the end of a thread".into(),
                    },
                };
                return Some(Reason::behind(ended, vec![thread]));
            }
            (_, "_AsCompletedIterator._wait_for_one") => {
                let left = match attribute(&this, "_todo") {
                    Some(todo) => iterate::collect(&todo).unwrap_or_else(|raised| {
                        drop(raised.take());
                        Vec::new()
                    }),
                    None => Vec::new(),
                };
                let left: Vec<_> = left.iter().filter_map(future::of).cloned().collect();
                return Some(self.others("the next result of", &left));
            }
            _ => return None,
        };
        Some(self.missing(&this, need))
    }

    /// A `concurrent.futures.Future`: the thread that works on it, if there is one.
    fn other_thread(&self, future: &Value) -> Reason {
        let works = |party: &&Party| {
            let mut frames = party.frames.iter();
            party.thread.is_some()
                && frames.any(|f| {
                    &*f.code().qualname == "_Work.run" && f.variable("future").is_some_and(|v| v.is(future))
                })
        };
        match self.all.iter().find(works) {
            Some(party) => {
                let key = party.thread.as_ref().map(|thread| Key::Thread(thread.id));
                let what = format!("a call in {}{}", party.name(), party.at());
                Reason::behind(what, key.into_iter().collect())
            }
            None => match in_its_loop(future) {
                Some(thread) => Reason::plain(format!(
                    "a call in thread '{}', whose own loop cannot go on",
                    thread.name()
                )),
                None => self.unclaimed(future),
            },
        }
    }

    /// A `concurrent.futures.Future` on which no thread works.
    fn unclaimed(&self, future: &Value) -> Reason {
        let reason = self.missing(future, Need::Result);
        let me = self.party();
        let works_for_it = |other: &&Party| {
            let of = other.task.as_ref();
            let of =
                of.and_then(|task| chained(task, "_chain_future.<locals>._call_set_state", "destination"));
            of.is_some_and(|of| of.is(future))
        };
        if let Some(task) = self.all.iter().find(works_for_it) {
            return Reason::behind(task.name() + &task.at(), task.keys().collect());
        }
        let runs_its_loop = |other: &&Party| {
            let event_loop = other.task.as_ref().map(|task| task.event_loop());
            other.thread.is_some()
                && attribute(future, "_loop").is_some_and(|of| event_loop.is_some_and(|own| own.is(&of)))
        };
        if let Some(busy) = self.all.iter().find(runs_its_loop)
            && !std::ptr::eq(busy, me)
        {
            let thread = busy
                .thread
                .as_ref()
                .map_or_else(String::new, |thread| thread.name().to_string());
            let what = format!("a coroutine in the loop of thread '{thread}', which cannot go on");
            return Reason::behind(what, busy.keys().collect());
        }
        let is_worker = |f: &Frame| &*f.code().qualname == "_Work.run" && !f.is_own();
        let help = if me.task.is_some() && me.thread.is_some() {
            "result() stops the loop of its own thread: await asyncio.wrap_future(…) instead"
        } else if me.frames.iter().any(is_worker) && self.is_in_a_pool(future) {
            "the threads of the pool wait for each other: let none wait, or allow more of them"
        } else {
            return reason;
        };
        Reason {
            help: Some(help.into()),
            remedy: None,
            ..reason
        }
    }

    /// Whether the call for a `concurrent.futures.Future` still waits for a thread of a pool.
    fn is_in_a_pool(&self, future: &Value) -> bool {
        let workers = self.all.iter().flat_map(|party| &party.frames);
        let jobs = workers.filter(|frame| &*frame.code().qualname == "_work" && !frame.is_own());
        let mut queues = jobs.filter_map(|frame| attribute(&frame.variable("jobs")?, "_items"));
        queues.any(|queue| {
            let work = iterate::collect(&queue).unwrap_or_else(|raised| {
                drop(raised.take());
                Vec::new()
            });
            let mut futures = work.iter().filter_map(|work| attribute(work, "future"));
            futures.any(|of| of.is(future))
        })
    }

    fn explain(&self, obstacle: &Obstacle) -> Reason {
        match obstacle {
            Obstacle::Taken { object, noun, by } => self.taken(object, noun, by),
            Obstacle::Missing { object, need } => self.missing(object, *need),
            Obstacle::Others { what, futures } => self.others(what, futures),
        }
    }

    fn taken(&self, object: &Value, noun: &str, by: &[u32]) -> Reason {
        let keys: Vec<Key> = by.iter().map(|number| Key::Task(*number)).collect();
        let itself = keys.iter().any(|key| self.party().is(*key));
        let holders = self
            .all
            .iter()
            .enumerate()
            .filter(|(place, other)| *place != self.place && keys.iter().any(|key| other.is(*key)));
        let mut others: Vec<String> = holders.map(|(_, other)| other.name() + &other.at()).collect();
        let is_over = |key: &&Key| !self.all.iter().any(|other| other.is(**key));
        let over = keys.iter().filter(is_over).count();
        if over > 0 && over < keys.len() {
            let tasks = if over == 1 { "a task" } else { "tasks" };
            others.push(format!("{tasks} that ended without releasing it"));
        }
        let verb = if others.len() == 1 { "holds" } else { "hold" };
        let by = match (itself, others.is_empty()) {
            (true, true) => "it holds itself".into(),
            (true, false) => format!("it holds itself, with {}", listed(others)),
            (false, true) if by.is_empty() => "nobody releases".into(),
            (false, true) => "a task took and never released before it ended".into(),
            (false, false) => format!("{} {verb}", listed(others)),
        };
        let is_left = !itself
            && self
                .all
                .iter()
                .all(|other| !keys.iter().any(|key| other.is(*key)));
        let is_lock = noun == "lock";
        // Who is over cannot release it; that those who wait would tells nothing.
        let left_by =
            access::is_called(object, "release", self.all) && access::who_took(object, self.all).is_some();
        let is_told = is_left && (is_lock || left_by);
        let help = is_told.then(|| self.left_behind(object, "async with"));
        let remedy = (is_left && !is_told).then(|| Remedy::new(object, &["release"]));
        let is_acquired = |frame: &Frame| {
            let calls = frame.code().tree_at(frame.span).map(|tree| &tree.kind);
            matches!(calls, Some(TreeKind::Call { func, .. })
                if matches!(func.kind, TreeKind::Attribute { name, .. } if name.text() == "acquire"))
        };
        let number = match is_lock {
            true if itself => Some("A034"),
            false if is_left && self.party().own().is_some_and(is_acquired) => Some("A033"),
            _ => None,
        };
        let mistake = number.map(|number| Mistake {
            number,
            taken: access::places_of(object, "acquire", self.all),
        });
        Reason {
            is_lock: true,
            help,
            remedy,
            mistake,
            ..Reason::behind(self.that(noun, object, &by), keys)
        }
    }

    fn missing(&self, object: &Value, need: Need) -> Reason {
        let the = |noun: &str| self.the(noun, object);
        let that = |noun: &str, clause: &str| self.that(noun, object, clause);
        let (what, methods): (String, &'static [&'static str]) = match need {
            Need::Set => (that("event", "nobody sets"), &["set"]),
            Need::Item => (
                format!("an item of {}", that("queue", "is empty")),
                &["put", "put_nowait"],
            ),
            Need::Room => (
                format!("room in {}", that("queue", "is full")),
                &["get", "get_nowait"],
            ),
            Need::WorkDone { left } => {
                let items = if left == 1 {
                    "1 item has".into()
                } else {
                    format!("{left} items have")
                };
                (
                    format!("the end of the work of {}: {items} no task_done()", the("queue")),
                    &["task_done"],
                )
            }
            Need::Notify => (
                format!("a notify() of {}", the("condition")),
                &["notify", "notify_all"],
            ),
            Need::Arrive { here, parties } => {
                let missing = parties.saturating_sub(here);
                return Reason {
                    help: Some(format!(
                        "{missing} more must call wait(), or the barrier be made for {here}"
                    )),
                    ..Reason::plain(format!("{}: {here} of {parties} have come", the("barrier")))
                };
            }
            Need::Release => (that("semaphore", "nobody releases"), &["release"]),
            Need::Result => (
                that("future", "nobody resolves"),
                &["set_result", "set_exception"],
            ),
        };
        let mut remedy = Remedy::new(object, methods);
        if need == Need::Notify {
            let asks = |frame: &Frame| &*frame.code().qualname == "Condition.wait_for";
            remedy.if_called = Some(match self.party().inside().iter().any(asks) {
                true => {
                    "wait_for() goes on if what it asks is true at a notify(): it was not, or none came after"
                }
                false => {
                    "a notify() before the wait is lost: keep the news in a variable, and use wait_for()"
                }
            });
        }
        if need == Need::Set && access::is_called(object, "clear", self.all) {
            remedy.if_called =
                Some("clear() takes a set() back: who begins to wait after it waits for the next one");
        }
        let is_done_with = matches!(need, Need::WorkDone { .. }) && self.others_want_items_of(object);
        Reason {
            remedy: Some(remedy),
            mistake: is_done_with.then_some(Mistake {
                number: "A035",
                taken: Vec::new(),
            }),
            ..Reason::plain(what)
        }
    }

    /// Whether all others wait for items of a queue: then nobody works on one.
    fn others_want_items_of(&self, queue: &Value) -> bool {
        let wants_item = |(place, other): (usize, &Party)| {
            let wanted = other.task.as_ref().and_then(|task| obstacle(task));
            place == self.place
                || matches!(wanted, Some(Obstacle::Missing { object, need: Need::Item }) if object.is(queue))
        };
        self.all.len() > 1 && self.all.iter().enumerate().all(wants_item)
    }

    fn others(&self, what: &str, futures: &[Ref<Future>]) -> Reason {
        let left = futures.iter().filter(|future| !future.is_done());
        let (names, keys) = left
            .map(|future| (self.called(future), Key::Task(future.number)))
            .unzip();
        Reason::behind(format!("{what} {}", listed(names)), keys)
    }

    /// A task or future by its name, as the one who waits sees it.
    fn called(&self, future: &Ref<Future>) -> String {
        match () {
            () if self.party().is(Key::Task(future.number)) => "itself".into(),
            () if future.task.is_some() => named(future),
            () => self.the("future", &future.clone().into()),
        }
    }

    /// What a task awaits, if that is a future.
    fn awaited(&self, on: &Ref<Future>) -> Reason {
        if let Some(gather) = on.gather() {
            return self.others("gather of", &gather.children.borrow());
        }
        if let Some(inner) = on.shielded() {
            let mut reason = self.others("shield of", std::slice::from_ref(&inner));
            if inner.task.is_none() {
                let inner = self.awaited(&inner);
                reason = Reason {
                    what: format!("shield of {}", inner.what),
                    ..inner
                };
            }
            return reason;
        }
        if on.task.is_some() {
            let place = self.all.iter().find(|other| other.is(Key::Task(on.number)));
            let at = place.map_or(String::new(), Party::at);
            return Reason::behind(self.called(on) + &at, vec![Key::Task(on.number)]);
        }
        if *on.label.get() == "sleep" {
            return Reason::plain("the end of its sleep, but its loop cannot go on");
        }
        match in_other_thread(on) {
            Some(future) => self.other_thread(&future),
            None => self.missing(&on.clone().into(), Need::Result),
        }
    }

    /// The object with a clause: `the event `done`, which nobody sets`, `an event that nobody sets`.
    fn that(&self, noun: &str, object: &Value, clause: &str) -> String {
        let the = self.the(noun, object);
        match the.ends_with('`') {
            true => format!("{the}, which {clause}"),
            false => format!("{the} that {clause}"),
        }
    }

    /// `the lock `a``, or `a lock` for one without a name.
    fn the(&self, noun: &str, object: &Value) -> String {
        match name_for(self.place, self.all, object) {
            Some(name) => format!("the {noun} `{name}`"),
            None if noun.starts_with('e') => format!("an {noun}"),
            None => format!("a {noun}"),
        }
    }
}

/// Why the built-in coroutine on top of a task's stack does not go on.
fn obstacle(task: &Future) -> Option<Obstacle> {
    let coroutine = task.task.as_ref()?.coroutine.get();
    let Value::Generator(generator) = &coroutine else {
        return None;
    };
    generator.look(|stack| {
        let above = stack
            .iter()
            .rev()
            .take_while(|a| !matches!(a, Activation::Script(_)));
        let mut obstacles = above.filter_map(|activation| match activation {
            Activation::Native(machine) => machine.obstacle(),
            _ => None,
        });
        obstacles.next()
    })
}

/// The `concurrent.futures.Future` that a future was made for.
fn in_other_thread(future: &Future) -> Option<Value> {
    chained(future, "_chain_future.<locals>._call_check_cancel", "source")
}

/// What the library's `chain` has tied a future to, by the callback that it left there and the name of the
/// other end in it.
fn chained(future: &Future, callback: &str, end: &str) -> Option<Value> {
    future.callbacks.list().iter().find_map(|known| match known {
        Callback::Script(Value::Function(func), _) if &*func.code.qualname == callback => {
            let mut free = func.code.free.iter().zip(&func.closure);
            free.find(|(name, _)| name.text() == end)
                .map(|(_, cell)| cell.value.get())
        }
        _ => None,
    })
}
