//! `aio run --warn`: mistakes are told on stderr as soon as they are seen, those of the text before
//! the run, and those that only a run shows.
//!
//! Always true: what is told of a line once, in the text or in the run, is not told of it again.

use super::Finding;
use super::catalog::{self, Lint};
use super::handed;
use super::results::Results;
use crate::code::{
    self, Code, SlotId, StateId, Statement, StatementKind, Target, TargetKind, Terminator, Tree, TreeKind,
};
use crate::interp::text::object::generator_qualname;
use crate::interp::types::{Type, is_exception};
use crate::interp::{finalise, group, import, mapping};
use crate::runtime::event_loop::EventLoop;
use crate::runtime::handle::ends_program;
use crate::runtime::instrument::{self, Event, Instrument};
use crate::runtime::{clock, console, current, thread};
use crate::source::{Source, Span, name};
use crate::tools::standing::{self, Place};
use crate::value::generator::Progress;
use crate::value::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// A call that blocks for less is not told, in seconds.
const SHORTEST_BLOCK: f64 = 0.05;

/// And not while it waits for another thread, which good programs do for a moment.
const SHORTEST_LOCK: f64 = 0.25;

/// So many errors that led to one another are looked at.
const LONGEST_CHAIN: u32 = 100;

/// Coroutines in containers in objects are looked for so deep.
const DEEPEST_VARIABLE: u32 = 4;

/// What was told: the number of the mistake, the file, the line; and the last line of what is marked.
type Told = HashMap<(&'static str, String, u32), u32>;

thread_local! {
    /// None as long as nobody watches.
    static TOLD: RefCell<Option<Told>> = const { RefCell::new(None) };
}

/// Watches the run from now on.
pub fn start() {
    TOLD.with_borrow_mut(|told| {
        told.get_or_insert_default();
    });
    instrument::add(Box::new(Watch::default()));
    finalise::expect(); // coroutines that refer to themselves are found at the end
}

/// Tells mistakes that were found in a program's text.
pub fn tell_text(findings: &[Finding]) {
    // Several of one kind may stand in a line.
    let are_new: Vec<bool> = findings.iter().map(|finding| !is_told(finding)).collect();
    for (finding, is_new) in findings.iter().zip(are_new) {
        if is_new {
            tell_anew(finding);
        }
        finding
            .made
            .iter()
            .for_each(|made| pass_over_line(&finding.source, *made));
    }
}

fn key(finding: &Finding) -> (&'static str, String, u32) {
    (finding.lint.number, finding.source.name.clone(), finding.line())
}

/// Whether a mistake of that kind was told of that line.
fn is_told(finding: &Finding) -> bool {
    TOLD.with_borrow(|told| told.as_ref().is_some_and(|told| told.contains_key(&key(finding))))
}

/// Tells a mistake that was not told yet.
fn tell_anew(finding: &Finding) {
    let number = finding.lint.number;
    let last_line = finding.source.line(finding.span.end);
    let is_first = TOLD.with_borrow_mut(|told| {
        let told = told.get_or_insert_default();
        let is_first = told.keys().all(|(other, ..)| *other != number);
        told.insert(key(finding), last_line);
        is_first
    });
    let more = match is_first {
        true => format!("    `aio explain {number}` tells more\n"),
        false => String::new(),
    };
    console::write_error(&format!("{}{more}", finding.text()));
}

/// Whether something was told of a line: then it is no news that what was made there comes to
/// nothing.
fn is_told_of(source: &Source, span: Span) -> bool {
    let line = source.line(span.start);
    TOLD.with_borrow(|told| {
        let mut told = told.iter().flat_map(HashMap::keys);
        told.any(|(_, file, told_line)| *file == source.name && *told_line == line)
    })
}

/// Whether a mistake was told of something that the lines of a place and its own have in common.
fn is_told_near(lint: &Lint, (code, span): &Place) -> bool {
    is_told_at(lint, &code.source, *span)
}

fn is_told_at(lint: &Lint, source: &Source, span: Span) -> bool {
    let (first, last) = (source.line(span.start), source.line(span.end));
    TOLD.with_borrow(|told| {
        let mut told = told.iter().flatten();
        told.any(|((number, file, line), last_line)| {
            *number == lint.number && *file == source.name && *line <= last && first <= *last_line
        })
    })
}

/// Whether a mistake was told in the file of a place.
fn is_told_in_file(lint: &Lint, (code, _): &Place) -> bool {
    TOLD.with_borrow(|told| {
        let mut told = told.iter().flat_map(HashMap::keys);
        told.any(|(number, file, _)| *number == lint.number && *file == code.source.name)
    })
}

/// Whether a mistake was told of a line that is known to lead to an error there.
fn is_explained(source: &Source, span: Span) -> bool {
    let line = source.line(span.start);
    TOLD.with_borrow(|told| {
        let mut told = told.iter().flat_map(HashMap::keys);
        told.any(|(number, file, told_line)| {
            *file == source.name && *told_line == line && leads_to_errors(number)
        })
    })
}

/// The numbers between tell of something that is called or given where it may not be.
fn leads_to_errors(number: &str) -> bool {
    ("A008"..="A026").contains(&number)
}

fn tell_at(lint: &'static Lint, place: Option<Place>, message: impl Into<String>) {
    let Some((code, span)) = place else { return };
    let finding = Finding {
        lint,
        source: code.source.clone(),
        span,
        message: message.into(),
        made: vec![],
    };
    if !is_told(&finding) {
        tell_anew(&finding);
    }
}

/// Tells of a coroutine that was never awaited; false if nobody watches, or its place is not known.
/// An error on its way that tells why the coroutine was refused, or raised where it was made, is the
/// news then.
pub fn never_awaited(generator: &Ref<Generator>, on_its_way: Option<&Ref<Exception>>) -> bool {
    let origin = generator.origin().filter(|(code, _)| !standing::is_library(code));
    if origin.is_none() || TOLD.with_borrow(Option::is_none) {
        return false;
    }
    let place = origin
        .as_ref()
        .and_then(handed::dropped)
        .or_else(|| origin.clone());
    let is_told = |(code, span): &Place| is_told_of(&code.source, *span);
    let is_news = |error: &Ref<Exception>| {
        is_refusal(error) || (mistake_of(error).is_some() && is_raised_at(error, origin.as_ref()))
    };
    if origin.as_ref().is_some_and(is_told)
        || place.as_ref().is_some_and(is_told)
        || on_its_way.is_some_and(is_news)
    {
        return true;
    }
    let name = generator_qualname(generator);
    if origin.as_ref().is_some_and(|place| is_of_callback(&name, place)) {
        return true;
    }
    let is_library = match &generator.func {
        Value::Function(function) => standing::is_library(&function.code),
        _ => true,
    };
    let lint = match (is_library, &name[..]) {
        (true, "sleep") => &catalog::A002,
        (true, _) => &catalog::A003,
        (false, _) => &catalog::A001,
    };
    tell_at(
        lint,
        place,
        format!("coroutine '{name}' was never awaited: nothing of it has run"),
    );
    true
}

/// Tells a mistake because of which a program can never go on, if somebody watches; `calls` are those
/// that wait, innermost first, and `taken` where the lock is taken that they wait for.
pub fn stuck(number: &str, calls: &[Place], taken: &[(Rc<Source>, Span)]) {
    let Some(lint) = catalog::find(number).filter(|_| TOLD.with_borrow(Option::is_some)) else {
        return;
    };
    // Who never released a lock holds it when it is taken again.
    let is_kept = taken
        .iter()
        .any(|(source, span)| is_told_at(&catalog::A033, source, *span));
    if !is_kept && !calls.iter().any(|place| is_told_near(lint, place)) {
        tell_at(lint, calls.first().cloned(), lint.sentence);
    }
}

/// Whether a coroutine comes from a callback of which the text told: then the call in whose place it
/// was made names the callback among its arguments, or not at all.
fn is_of_callback(name: &str, place: &Place) -> bool {
    let name = name.rsplit('.').next().unwrap_or(name);
    is_told_near(&catalog::A020, place)
        || (is_told_in_file(&catalog::A020, place) && !place.0.source.slice(place.1).contains(name))
}

/// Whether an error was raised, as far as that is known yet, in the line of a place.
fn is_raised_at(error: &Ref<Exception>, place: Option<&Place>) -> bool {
    let line = |(code, span): &Place| (code.source.name.clone(), code.source.line(span.start));
    standing::raised(error).is_none_or(|raised| Some(line(&raised)) == place.map(line))
}

/// A lock that somebody holds.
struct Held {
    /// The number of the task that took it.
    task: u32,
    place: Option<Place>,
    /// That task is done.
    is_orphan: bool,
}

/// A call that blocks a thread in which a loop runs.
struct Block {
    since: f64,
    doing: &'static str,
    place: Option<Place>,
}

#[derive(Default)]
struct Watch {
    /// Locks that are held, by address, in an order that every run has.
    held: BTreeMap<u64, Held>,
    /// The key in `held` of each lock.
    keys: HashMap<usize, u64>,
    taken: u64,
    /// Threads that are blocked while they should run a loop.
    blocked: HashMap<u64, Block>,
    /// Where tasks were made that are pending or failed, and futures that are no tasks given an error, by number.
    places: HashMap<u32, Place>,
    results: Results,
    /// The program has ended with an error.
    has_failed: bool,
}

impl Instrument for Watch {
    fn notice(&mut self, event: &Event) {
        match event {
            Event::ThreadBlocked { thread, doing } => self.block(*thread, doing),
            Event::ThreadResumed { thread } => self.unblock(*thread),
            Event::LockTaken { lock, task } => self.take(lock, *task),
            Event::LockReleased { lock } => self.release(lock),
            Event::TaskDone(task) => {
                let orphans = self.held.values_mut().filter(|held| held.task == task.number);
                orphans.for_each(|held| held.is_orphan = true);
            }
            Event::Over => {
                self.tell_orphans();
                self.unheard_at_the_end();
            }
            Event::CallSoon { event_loop, .. } | Event::CallAt { event_loop, .. } => {
                from_other_thread(event_loop);
            }
            Event::TaskCreated(task) => {
                from_other_thread(task.event_loop());
                self.note(task);
            }
            Event::FutureSettled(future) => {
                if future.task.is_some() {
                    // Of one that failed it is asked for if nobody hears of that.
                    if future.state.get() != FutureState::Failed {
                        self.places.remove(&future.number);
                    }
                } else {
                    from_other_thread(future.event_loop());
                    if future.state.get() == FutureState::Failed && is_calling("set_exception") {
                        self.note(future);
                    }
                }
                if let Some((place, message)) = self.results.settled(future) {
                    let place = place.or_else(|| self.places.get(&future.number).cloned());
                    tell_at(&catalog::A029, place, message);
                }
            }
            Event::WokenBy { task, by } => {
                if let Some((place, message)) = self.results.woken(task, by) {
                    tell_at(&catalog::A029, Some(place), message);
                }
            }
            Event::RunGives(future) => {
                if let Some((place, message)) = self.results.run_gives(future) {
                    tell_at(&catalog::A029, Some(place), message);
                }
            }
            Event::LeftOver(task) => self.left_over(task),
            Event::DiedUnheard(future) => self.died_unheard(future),
            Event::Uncaught(error) => {
                self.has_failed |= current::running().is_none();
                uncaught(error);
            }
            Event::GeneratorAbandoned(generator) => abandoned(generator),
            Event::LoopMade => tell_at(
                &catalog::A017,
                standing::running(),
                "no loop was running here: one was made, and Python 3.14 raises RuntimeError",
            ),
            _ => {}
        }
    }
}

impl Watch {
    fn block(&mut self, thread: u64, doing: &'static str) {
        // A callback that is no function of the program has no place in it: the one that is known then
        // is where the loop was run.
        let is_own = || current::current_task().is_some() || !is_calling("run");
        if doing != thread::IN_LOOP && current::running().is_some() && is_own() {
            let block = Block {
                since: clock::now(),
                doing,
                place: standing::running(),
            };
            self.blocked.insert(thread, block);
        }
    }

    /// Tells how long others had to wait, if there are others.
    fn unblock(&mut self, thread: u64) {
        let Some(block) = self.blocked.remove(&thread) else {
            return;
        };
        let now = clock::now();
        let Some(running) = current::running() else { return };
        let Some(event_loop) = EventLoop::of(&running) else {
            return;
        };
        let (ready, timers) = event_loop.backlog();
        let due = timers.iter().filter(|(when, _)| *when <= now);
        let waited = due.map(|(when, _)| now - when.max(block.since));
        let waited: Vec<f64> = waited.chain((0..ready).map(|_| now - block.since)).collect();
        let longest = waited.iter().copied().fold(0.0, f64::max);
        let shortest = match block.doing {
            "lock" => SHORTEST_LOCK,
            _ => SHORTEST_BLOCK,
        };
        if longest < shortest {
            return;
        }
        let others = match waited.len() {
            1 => "another one".to_string(),
            n => format!("{n} others"),
        };
        let (lint, what) = match block.doing {
            "input" => (&catalog::A009, "input()"),
            "lock" => (&catalog::A008, "waiting for another thread"),
            doing => (&catalog::A008, doing),
        };
        tell_at(
            lint,
            block.place,
            format!("{what} stopped the loop: {others} had to wait, for up to {longest:.3} s"),
        );
    }

    fn take(&mut self, lock: &Value, task: u32) {
        let Some(address) = lock.address() else { return };
        self.release(lock);
        self.taken += 1;
        self.keys.insert(address, self.taken);
        let place = standing::running();
        let held = Held {
            task,
            place,
            is_orphan: false,
        };
        self.held.insert(self.taken, held);
    }

    fn release(&mut self, lock: &Value) {
        if let Some(key) = lock.address().and_then(|address| self.keys.remove(&address)) {
            self.held.remove(&key);
        }
    }

    fn tell_orphans(&mut self) {
        self.keys.clear();
        for held in std::mem::take(&mut self.held)
            .into_values()
            .filter(|held| held.is_orphan)
        {
            tell_at(
                &catalog::A033,
                held.place,
                "the task that took this lock is over and never released it",
            );
        }
    }

    /// A task is cancelled by the end of the run. Told only if its work was certainly not done: it has
    /// not begun, or it sleeps and would come to its end without a loop. A run that ends with an error
    /// has other troubles.
    fn left_over(&self, task: &Ref<Future>) {
        let Some(state) = &task.task else { return };
        let Value::Generator(generator) = &state.coroutine.get() else {
            return;
        };
        let frames = standing::frames(task);
        if frames.is_empty() {
            return; // the library's own, such as a sleep
        }
        let sleeps = state.waiting.get().is_some_and(|future| future.is_sleep());
        let place = self.made_at(task);
        let is_told = |(code, span): &Place| is_told_of(&code.source, *span);
        let is_news =
            !place.as_ref().is_none_or(is_told) && !self.places.get(&task.number).is_some_and(is_told);
        if exception::handled().is_some() || !is_news {
            return;
        }
        let how = match generator.progress.get() {
            Progress::Created => "began",
            _ if sleeps && frames.iter().all(|(code, state)| !may_return(code, *state)) => {
                "had done its work"
            }
            _ => return,
        };
        tell_at(
            &catalog::A006,
            place,
            format!(
                "the program ended before '{}' {how}: await its task",
                generator_qualname(generator)
            ),
        );
    }

    /// What the program, or a task that waits for ever, keeps to the end and nobody will ask for:
    /// tasks that failed, and coroutines that were never awaited.
    fn unheard_at_the_end(&self) {
        let mut found = Vec::new();
        finalise::each_reached_with_tasks(vec![], &mut |value| found.push(value.clone()));
        for value in &found {
            match value {
                Value::Future(future)
                    if future.task.is_some()
                        && future.state.get() == FutureState::Failed
                        && future.unseen.get() =>
                {
                    self.died_unheard(future);
                }
                Value::Generator(generator)
                    if generator.kind == GeneratorKind::Coroutine
                        && generator.progress.get() == Progress::Created
                        && !generator.started.get() =>
                {
                    never_awaited(generator, None);
                }
                _ => {}
            }
        }
    }

    fn died_unheard(&self, future: &Ref<Future>) {
        if !future.is_done() {
            if self.has_failed {
                return; // such a run has other troubles
            }
            tell_at(
                &catalog::A006,
                self.made_at(future),
                "nobody kept this task, and it was destroyed while it had still work to do",
            );
        } else if let Value::Exception(error) = &future.outcome.get()
            && !ends_program(error)
            && !is_exception(error, Type::CancelledError)
            && !tell_error(error)
        {
            let place = self
                .made_at(future)
                .or_else(|| {
                    failed_child(future)
                        .as_ref()
                        .and_then(|child| standing::origin(child))
                })
                .or_else(|| standing::raised(error))
                // The tasks that have no origin are the loop's own.
                .or_else(|| {
                    self.places
                        .get(&future.number)
                        .filter(|_| future.task.is_none())
                        .cloned()
                });
            let is_told = |place: &Place| {
                is_told_near(&catalog::A005, place)
                    || is_told_near(&catalog::A030, place)
                    || (future.gather().is_some() && is_told_in_file(&catalog::A004, place))
            };
            if place.as_ref().is_some_and(is_told) {
                return;
            }
            let what = match (&future.task, future.gather()) {
                (Some(_), _) => "task",
                (None, Some(_)) => "gather",
                (None, None) => "future",
            };
            tell_at(
                &catalog::A007,
                place,
                format!("nobody awaited this {what}, and it failed: {}", shown(error)),
            );
        }
    }

    /// Where a task was made, if its coroutine was made before in the same body; else where that was, which
    /// may have been handed to others that made the task.
    fn made_at(&self, task: &Ref<Future>) -> Option<Place> {
        let origin = standing::origin(task)?;
        let noted = self.places.get(&task.number).filter(|(code, span)| {
            Rc::ptr_eq(code, &origin.0) && (origin.1.end <= span.start || span.end <= origin.1.start)
        });
        Some(noted.cloned().unwrap_or(origin))
    }

    /// Notes the call that is running as the place of a task or future.
    fn note(&mut self, future: &Ref<Future>) {
        if let Some(place) = standing::running() {
            self.places.insert(future.number, place);
        }
    }
}

/// The one that a gather failed with.
fn failed_child(future: &Future) -> Option<Ref<Future>> {
    let gather = future.gather()?;
    let children = gather.children.borrow();
    let failed = |child: &&Ref<Future>| child.state.get() == FutureState::Failed;
    children.iter().find(failed).cloned()
}

/// Whether the call that the program makes now names a method.
fn is_calling(method: &str) -> bool {
    standing::running().is_some_and(|(code, span)| code.source.slice(span).contains(method))
}

/// A loop that runs in another thread is given something to do.
fn from_other_thread(event_loop: &Value) {
    if EventLoop::of(event_loop).is_some_and(EventLoop::runs_elsewhere) {
        tell_at(
            &catalog::A018,
            standing::running(),
            "the loop runs in another thread, which is not woken by this: use call_soon_threadsafe",
        );
    }
}

/// Whether a state may be come to again from itself, other than by a loop that counts to its end.
fn may_return(code: &Code, from: StateId) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(state) = open.pop().and_then(|id| code.states.get(id as usize)) {
        let mut next = |next| {
            if seen.insert(next) {
                open.push(next);
            }
        };
        match state.end {
            Terminator::Next { iter, done, .. } if counts(code, iter) => next(done),
            _ => state.each_successor(&mut next),
        }
    }
    seen.contains(&from)
}

/// Whether the iterator in a slot is that of a `range(…)`.
fn counts(code: &Code, iter: SlotId) -> bool {
    let is_range = |tree: &Tree| match &tree.kind {
        TreeKind::Iter(looped) => match &looped.kind {
            TreeKind::Call { func, .. } => {
                matches!(func.kind, TreeKind::Load(code::Place::Global(name)) if name.text() == "range")
            }
            _ => false,
        },
        _ => false,
    };
    let mut made = code.states.iter().flat_map(|state| &state.body);
    made.any(|statement| match &statement.kind {
        StatementKind::Assign { targets, value } => {
            let is_iter = |target: &Target| matches!(target.kind, TargetKind::Place(code::Place::Local(slot)) if slot == iter);
            targets.iter().any(is_iter) && is_range(value)
        }
        _ => false,
    })
}

/// An error that nobody caught.
fn uncaught(error: &Ref<Exception>) {
    if !tell_error(error) {
        for member in group::members(error).unwrap_or_default() {
            if let Value::Exception(member) = &member {
                uncaught(member);
            }
        }
    }
}

/// Tells the mistake that an error is known to come from; whether it is. An error in a line of which
/// the text told a mistake that leads to errors is no news.
fn tell_error(error: &Ref<Exception>) -> bool {
    let is_explained = standing::raised(error).is_some_and(|(code, span)| is_explained(&code.source, span));
    let Some(lint) = mistake_of(error).filter(|_| !is_explained) else {
        if is_explained {
            pass_over_refused(error);
        }
        return is_explained;
    };
    let place = standing::raised(&first_of(error, lint)).or_else(|| standing::raised(error));
    let is_known = |place| match lint.number {
        // A task that was given a coroutine once more fails where the task is awaited.
        // A special method that is async fails where Python calls it.
        "A021" | "A025" => is_told_in_file(lint, place),
        // A generator that should be a coroutine is awaited.
        "A013" => is_told_in_file(&catalog::A026, place),
        _ => false,
    };
    if !place.as_ref().is_some_and(is_known) {
        tell_at(lint, place, lint.sentence);
    }
    pass_over_refused(error);
    true
}

/// The first of the same mistake among the errors during whose handling an error was raised.
fn first_of(error: &Ref<Exception>, lint: &Lint) -> Ref<Exception> {
    let mut first = Ref::clone(error);
    for _ in 0..LONGEST_CHAIN {
        match &first.context.get() {
            Value::Exception(before)
                if mistake_of(before).is_some_and(|other| other.number == lint.number) =>
            {
                first = Ref::clone(before);
            }
            _ => break,
        }
    }
    first
}

/// Whether an error tells why coroutines come to nothing. Where an `await` lacks (A022), that is
/// where the coroutine was made.
fn is_refusal(error: &Ref<Exception>) -> bool {
    mistake_of(error).is_some_and(|lint| lint.number != catalog::A022.number)
}

/// It is no news that the coroutines in the variables of the frames that the error left, and in those that the
/// last of these reads, never run.
fn pass_over_refused(error: &Ref<Exception>) {
    if let Some((code, _)) = standing::raised(error)
        && let Some(Value::Module(main)) = &import::loaded_module(name::MAIN)
    {
        let read = code.names_read();
        let values = read.iter().filter_map(|name| main.get(*name));
        values.for_each(|value| pass_over(&value, DEEPEST_VARIABLE));
    }
    let mut row = error.traceback.get();
    while let Some(at) = row {
        if let Some(left) = at.left.get() {
            left.look(|slots| slots.iter().for_each(|slot| pass_over(slot, DEEPEST_VARIABLE)));
        }
        row = at.next.get();
    }
}

fn pass_over(value: &Value, left: u32) {
    let Some(left) = left.checked_sub(1) else { return };
    let inner = |value: &Value| pass_over(value, left);
    match value {
        Value::Cell(cell) => inner(&cell.value.get()),
        Value::List(list) => list.items.borrow().iter().for_each(inner),
        Value::Tuple(tuple) => tuple.items.iter().for_each(inner),
        Value::Set(set) => set.table.borrow().iter().for_each(inner),
        Value::Dict(dict) => mapping::entries(dict).iter().for_each(|(_, value)| inner(value)),
        Value::Instance(instance) => instance.entries().iter().for_each(|(_, value)| inner(value)),
        single => pass_over_coroutine(single),
    }
}

fn pass_over_coroutine(value: &Value) {
    if let Value::Generator(generator) = value
        && !generator.started.get()
        && let Some((code, span)) = generator.origin()
    {
        pass_over_line(&code.source, span);
    }
}

/// It is no news that the coroutine that is made in a line never runs.
fn pass_over_line(source: &Source, span: Span) {
    let line = source.line(span.start);
    let key = (catalog::A001.number, source.name.clone(), line);
    TOLD.with_borrow_mut(|told| told.get_or_insert_default().insert(key, line));
}

/// The mistake that an error tells of.
fn mistake_of(error: &Ref<Exception>) -> Option<&'static Lint> {
    match &error.arg(0) {
        Some(Value::Str(message)) => catalog::of_error(error.class().name(), &message.text),
        _ => None,
    }
}

/// An async generator was dropped in the middle; told only if it has something to clean up.
fn abandoned(generator: &Ref<Generator>) {
    let Some((code, state)) = standing::frames_of(generator).pop() else {
        return;
    };
    if cleans_up(&code, state) && !standing::is_library(&code) {
        let made = generator.origin().filter(|(code, _)| !standing::is_library(code));
        let stands = || (code.clone(), code.states[state as usize].end_span);
        tell_at(
            &catalog::A031,
            Some(made.unwrap_or_else(stands)),
            format!(
                "'{}' was left before its end, so its clean-up runs at an unknown time",
                generator_qualname(generator)
            ),
        );
    }
}

/// Whether something other than `except` is on the way of an exception out of a state: a `finally`,
/// or the exit of a `with`.
fn cleans_up(code: &Code, state: StateId) -> bool {
    let mut handler = code.states.get(state as usize).and_then(|state| state.handler);
    // Handlers lead outwards; the bound is a proof that this ends.
    for _ in 0..code.states.len() {
        let Some(state) = handler.and_then(|handler| code.states.get(handler.target as usize)) else {
            return false;
        };
        let is_mark = |statement: &Statement| {
            matches!(
                statement.kind,
                StatementKind::EnterHandler(_) | StatementKind::LeaveHandler | StatementKind::Clear(_)
            )
        };
        let leads_on = match &state.end {
            Terminator::Branch { test, .. } => matches!(test.kind, TreeKind::ExceptMatch { .. }),
            end => matches!(end, Terminator::Reraise(_)),
        };
        if !leads_on || !state.body.iter().all(is_mark) {
            return true;
        }
        handler = state.handler;
    }
    false
}

/// `ValueError: no`, without running a script's code.
pub fn shown(error: &Ref<Exception>) -> String {
    let class = error.class();
    match &error.arg(0) {
        Some(Value::Str(message)) if !class.is_script => format!("{}: {}", class.name(), message.text),
        _ => class.name().to_string(),
    }
}
