//! The report of a deadlock: who waits for what, who stands in the way, and who waits in a circle.
//!
//! It is worked out when nothing can run any more, from the frames that are left: a program that
//! goes on pays nothing for it.

mod access;
mod mention;
mod party;
mod reason;

use super::report::render;
use crate::diagnostic::{Diagnostic, Severity};
use crate::tools::standing;
use crate::value::*;
use mention::Texts;
use party::{Key, Party, failed, named, parties};
use reason::{Case, Mistake, Reason, listed};
use rustc_hash::FxHashMap;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::fmt::Write;
use std::ops::Deref;
use std::rc::Rc;

/// So many are shown with the text around; more get two lines each.
const WITH_TEXT: usize = 4;
/// So many are told at all.
const TOLD: usize = 12;

/// Up to so many parties are looked at closely.
const FEW: usize = 50;

/// All that wait, and what the program's texts do with what they wait for.
pub struct All {
    parties: Vec<Party>,
    texts: OnceCell<Texts>,
}

impl All {
    fn now() -> All {
        All {
            parties: parties(),
            texts: OnceCell::new(),
        }
    }

    /// Read when they are first asked for.
    fn texts(&self) -> &Texts {
        self.texts.get_or_init(|| Texts::of(&access::sources(self)))
    }
}

impl Deref for All {
    type Target = [Party];

    fn deref(&self) -> &[Party] {
        &self.parties
    }
}

/// Parties that wait in the same place for the same reason.
struct Group {
    members: Vec<usize>,
    reason: Reason,
}

/// Who waits for what, when nothing can ever run again.
pub fn report() -> String {
    let mut out = String::from("deadlock: nothing can ever run again\n");
    out.push_str(&who_waits());
    out
}

/// The same without the headline.
pub fn who_waits() -> String {
    let all = All::now();
    let reasons = (0..all.len()).map(|place| Case { place, all: &all }.reason());
    let reasons: Vec<Reason> = reasons.collect();
    let circle = circle(&all, &|at| reasons[at].behind.clone()).or_else(|| {
        // One of those who would do what is missing may wait for another such.
        circle(&all, &|at| {
            let remedy = reasons[at].remedy.as_ref();
            let would = remedy.map_or(Vec::new(), |remedy| access::who_would(remedy, &all));
            // Who waits for a lock that another one kept is not in its own way, nor who could be helped by others.
            let is_alone = would.iter().all(|party| *party == at);
            let others = would
                .iter()
                .filter(|party| **party != at || (is_alone && !reasons[at].is_lock));
            let keys = others.filter_map(|party| all[*party].keys().next());
            reasons[at].behind.iter().copied().chain(keys).collect()
        })
    });
    let mut out = String::new();
    let told_circle = circle.map(|circle| told_circle(&circle, &all, &reasons));
    let groups = groups(&all, reasons);
    let is_helped = groups.iter().take(TOLD).any(|group| group.help(&all).is_some());
    for group in groups.iter().take(TOLD) {
        out.push_str(&match groups.len() <= WITH_TEXT {
            true => group.with_text(&all),
            false => group.in_brief(&all),
        });
    }
    if groups.len() > TOLD {
        let _ = writeln!(out, "  … and {} more", groups.len() - TOLD);
    }
    match told_circle {
        Some(told) => out.push_str(&told),
        None if is_helped => {}
        None => out.push_str("  help: something must set, release, put or cancel what they wait for\n"),
    }
    // They might have helped, in a way that the text does not show.
    let words: Vec<&str> = out.split_whitespace().collect();
    let told = words.join(" ");
    for (task, error) in failed(&all) {
        let failed = access::failure(&task, &error);
        if task.unseen.get() && !told.contains(&failed) {
            let _ = writeln!(out, "  note: {failed}");
        }
    }
    out
}

/// The mistakes that a deadlock certainly comes from, each with the calls that wait, innermost first.
pub fn mistakes() -> Vec<(Mistake, Vec<standing::Place>)> {
    let all = All::now();
    let found = (0..all.len()).filter_map(|place| {
        let mistake = Case { place, all: &all }.reason().mistake?;
        let calls = all[place].all_own().map(|own| (own.code().clone(), own.span));
        Some((mistake, calls.collect()))
    });
    found.collect()
}

/// What a future is, in a reader's words.
pub fn describe(future: &Ref<Future>) -> String {
    if future.task.is_some() {
        return named(future);
    }
    if let Some(gather) = future.gather() {
        let children = gather.children.borrow();
        let pending = children.iter().filter(|child| !child.is_done());
        return format!("gather of {}", listed(pending.map(named).collect()));
    }
    if let Some(inner) = future.shielded() {
        return format!("shield of {}", describe(&inner));
    }
    match *future.label.get() {
        "future" => "a future that nobody has set".to_string(),
        label => label.to_string(),
    }
}

/// Sums up those who wait in the same place for the same thing. Where they are few, things that only
/// have the same name there are not taken for the same if somebody else could have helped each.
fn groups(all: &All, reasons: Vec<Reason>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let place = |party: &Party| party.own().map(|own| (Rc::as_ptr(own.code()), own.span));
    for (i, reason) in reasons.into_iter().enumerate() {
        let same = groups.iter_mut().find(|group| {
            let first = &all[group.members[0]];
            let is_same = match place(first) {
                Some(_) => {
                    group.reason.what == reason.what
                        && (group.reason.is_same(&reason)
                            || all.len() > FEW
                            || help(&group.reason, group.members[0], all) == help(&reason, i, all))
                }
                None => group.reason.is_same(&reason),
            };
            is_same && place(first) == place(&all[i])
        });
        match same {
            Some(group) => group.members.push(i),
            None => groups.push(Group {
                members: vec![i],
                reason,
            }),
        }
    }
    groups
}

/// What a party could do about what keeps it, and who else could have.
fn help(reason: &Reason, party: usize, all: &All) -> Option<String> {
    let remedy = reason.remedy.as_ref();
    let who = remedy.and_then(|remedy| access::who_could(remedy, party, all));
    reason.help.clone().or(who)
}

impl Group {
    fn first<'a>(&self, all: &'a [Party]) -> &'a Party {
        &all[self.members[0]]
    }

    fn title(&self, all: &All) -> String {
        let names = self.members.iter().map(|i| all[*i].name()).collect();
        let verb = if self.members.len() == 1 { "waits" } else { "wait" };
        format!("{} {verb} for {}", listed(names), self.reason.what)
    }

    fn help(&self, all: &All) -> Option<String> {
        help(&self.reason, self.members[0], all)
    }

    fn with_text(&self, all: &All) -> String {
        let party = self.first(all);
        let mut own = party.all_own();
        let Some(inner) = own.next() else {
            return self.where_made(all);
        };
        let source = &inner.code().source;
        let waits = if self.members.len() == 1 {
            "it waits here"
        } else {
            "they wait here"
        };
        let mut diagnostic = Diagnostic::new(Severity::Error, self.title(all), source)
            .label(source.on_first_line(inner.span), waits);
        // How it got there is told of a task alone: a thread's calls may come from anywhere.
        let mut told = HashSet::new();
        for outer in own.filter(|_| self.members.len() == 1) {
            if Rc::ptr_eq(&outer.code().source, source) && told.insert((outer.span.start, outer.span.end)) {
                let span = source.on_first_line(outer.span);
                diagnostic = diagnostic.label(span, format!("called from {}", outer.code().qualname));
            }
        }
        if let Some(help) = self.help(all) {
            diagnostic = diagnostic.help(help);
        }
        render(&diagnostic)
    }

    /// The same of a task that runs only what the library wrote, such as `create_task(event.wait())`.
    fn where_made(&self, all: &All) -> String {
        let made = self.first(all).made().filter(|_| self.members.len() == 1);
        let Some((code, span)) = made else {
            return self.in_brief(all);
        };
        let source = &code.source;
        let mut diagnostic = Diagnostic::new(Severity::Error, self.title(all), source)
            .label(source.on_first_line(span), "what it runs is made here");
        if let Some(help) = self.help(all) {
            diagnostic = diagnostic.help(help);
        }
        render(&diagnostic)
    }

    fn in_brief(&self, all: &All) -> String {
        let mut out = format!("  × {}\n", self.title(all));
        let party = self.first(all);
        let stands = party.own().map(|own| (own.code().clone(), own.span));
        let made = || party.made().filter(|_| self.members.len() == 1);
        if let Some((code, span)) = stands.or_else(made) {
            let source = &code.source;
            let line = source.line(span.start);
            let text = source.line_text(line).trim();
            let _ = writeln!(out, "      {}:{line}: {text}", source.name);
        }
        for line in self.help(all).iter().flat_map(|help| help.lines()) {
            let _ = writeln!(out, "      help: {line}");
        }
        out
    }
}

fn told_circle(circle: &[usize], all: &All, reasons: &[Reason]) -> String {
    let first = all[circle[0]].name();
    let mut out = match circle.len() {
        1 => format!("  {first} waits for itself\n"),
        _ => {
            let others = circle[1..].iter().chain(&circle[..1]).map(|i| all[*i].name());
            let others: Vec<String> = others.collect();
            let others = others.join(", which waits for ");
            format!("  they wait in a circle: {first} waits for {others}\n")
        }
    };
    let has_thread = circle.iter().any(|i| all[*i].thread.is_some());
    let locks = circle.iter().all(|i| reasons[*i].is_lock);
    out.push_str(match (locks, circle.len()) {
        (true, 1) if reasons[circle[0]].help.is_some() => "",
        (true, 1) => "  help: what is held must be released before it is taken again\n",
        (true, _) => "  help: take the locks in the same order everywhere\n",
        (false, 1) if reasons[circle[0]].behind.is_empty() => {
            "  help: another task must do that, or it must be done before\n"
        }
        (false, 1) => "  help: what waits for itself can never end: leave it out\n",
        (false, _) if has_thread => "  help: one of them must not wait, or not without a timeout\n",
        (false, _) => {
            "  help: one of them must not wait, or wait no longer than asyncio.timeout(…) lets it\n"
        }
    });
    out
}

/// The parties of a circle, as places in the list, if there is one; `behind` tells who would have to go
/// on before one who waits.
fn circle(all: &All, behind: &dyn Fn(usize) -> Vec<Key>) -> Option<Vec<usize>> {
    let mut places = FxHashMap::default();
    for (i, party) in all.iter().enumerate() {
        for key in party.keys() {
            places.insert(key, i);
        }
    }
    let place = |key: &Key| places.get(key).copied();
    let mut clear = vec![false; all.len()];
    for start in 0..all.len() {
        // The way from `start`: each with those behind which it waits and that are not tried.
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(start);
        loop {
            if let Some(at) = next.take() {
                if let Some(first) = way.iter().position(|(i, _)| *i == at) {
                    return Some(way[first..].iter().map(|(i, _)| *i).collect());
                }
                if !clear[at] {
                    way.push((at, behind(at).iter().filter_map(place).rev().collect()));
                }
            }
            let Some((at, left)) = way.last_mut() else { break };
            match left.pop() {
                Some(other) => next = Some(other),
                None => {
                    clear[*at] = true;
                    way.pop();
                }
            }
        }
    }
    None
}
