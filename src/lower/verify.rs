//! A check of lowered code, for tests and debug builds.
//!
//! What it proves on all paths: targets exist and every state is reachable; a temporary is set
//! before it is taken or peeked at; handlers are entered and left in pairs, exceptional ways out
//! included; structured statements leave only loops they stand in.

use super::tidy;
use crate::code::*;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What is known at a point: temporaries certainly set, possibly set, the numbers that one may
/// hold, and how many handlers are open.
#[derive(Clone, PartialEq, Debug, Default)]
struct Known {
    set: BTreeSet<SlotId>,
    maybe: BTreeSet<SlotId>,
    numbers: BTreeMap<SlotId, BTreeSet<i64>>,
    handlers: i32,
}

struct Verifier<'a> {
    code: &'a Code,
    named: SlotId,
    entries: Vec<Option<Known>>,
    /// What may be set at each entry, from the round before.
    maybe: Vec<BTreeSet<SlotId>>,
    work: Vec<StateId>,
    /// Problems count once all that can be known is known.
    settled: bool,
    problem: Option<String>,
}

/// The first thing that is wrong with the code, nested ones not looked at.
pub fn verify(code: &Code) -> Result<(), String> {
    let named = code.variables();
    let mut verifier = Verifier {
        code,
        named: named as SlotId,
        entries: vec![None; code.states.len()],
        maybe: Vec::new(),
        work: Vec::new(),
        settled: false,
        problem: None,
    };
    // What may be set has to be known before what is certainly set can be asked at a dispatch.
    for _ in 0..2 {
        let entries = std::mem::replace(&mut verifier.entries, vec![None; code.states.len()]);
        verifier.maybe = entries
            .into_iter()
            .map(|entry| entry.map_or(BTreeSet::new(), |k| k.maybe))
            .collect();
        verifier.flow(0, Known::default());
        while let Some(state) = verifier.work.pop() {
            verifier.state(state);
        }
    }
    verifier.settled = true;
    if let Some(state) = unreachable(code) {
        return Err(format!("state {state} is unreachable"));
    }
    for state in 0..code.states.len() as StateId {
        if verifier.entries[state as usize].is_none() {
            // Only a dispatch leads there, on a way that is never taken.
            continue;
        }
        verifier.state(state);
        if let Some(problem) = verifier.problem {
            return Err(format!("state {state}: {problem}"));
        }
    }
    Ok(())
}

fn unreachable(code: &Code) -> Option<usize> {
    let mut seen = vec![false; code.states.len()];
    let mut work = vec![0];
    while let Some(state) = work.pop() {
        if state < seen.len() && !std::mem::replace(&mut seen[state], true) {
            code.states[state].each_successor(&mut |next| work.push(next as usize));
        }
    }
    seen.iter().position(|seen| !seen)
}

/// Verifies the code and all codes in it.
pub fn verify_all(module: &Rc<Code>) -> Result<(), String> {
    for code in readable::functions(module) {
        verify(&code).map_err(|problem| format!("{}: {problem}", code.qualname))?;
    }
    Ok(())
}

impl Verifier<'_> {
    fn fail(&mut self, problem: String) {
        if self.settled {
            self.problem.get_or_insert(problem);
        }
    }

    /// Control goes to the state knowing this.
    fn flow(&mut self, state: StateId, known: Known) {
        let Some(entry) = self.entries.get_mut(state as usize) else {
            return self.fail(format!("there is no state {state}"));
        };
        let merged = match entry {
            None => Known {
                maybe: &known.maybe | &self.maybe[state as usize],
                ..known
            },
            Some(before) => {
                if before.handlers != known.handlers {
                    let (a, b) = (before.handlers, known.handlers);
                    return self.fail(format!("state {state} is entered with {a} and {b} open handlers"));
                }
                let mut numbers = before.numbers.clone();
                for (slot, held) in &known.numbers {
                    numbers.entry(*slot).or_default().extend(held);
                }
                Known {
                    set: &before.set & &known.set,
                    maybe: &before.maybe | &known.maybe,
                    numbers,
                    handlers: known.handlers,
                }
            }
        };
        if entry.as_ref() != Some(&merged) {
            *entry = Some(merged);
            self.work.push(state);
        }
    }

    fn state(&mut self, id: StateId) {
        let code = self.code;
        let state = &code.states[id as usize];
        let mut known = self.entries[id as usize]
            .clone()
            .expect("only entered states are looked at");
        self.block(state, &state.body, &mut known, 0);
        state.end.each_tree(&mut |tree| self.tree(tree, &mut known));
        let may_fail = !tidy::is_safe_end(&state.end, self.named);
        if let Terminator::Reraise(slot) = state.end {
            self.need(slot, &known);
        }
        if may_fail {
            self.raised(state, &known);
        }
        let with = |known: &Known, slot: &Option<SlotId>| {
            let mut known = known.clone();
            known.assign(*slot);
            known
        };
        match &state.end {
            Terminator::Goto(next) => self.flow(*next, known),
            Terminator::Branch { then, orelse, .. } => {
                self.flow(*then, known.clone());
                self.flow(*orelse, known);
            }
            Terminator::Next {
                iter,
                target,
                body,
                done,
            } => {
                self.need(*iter, &known);
                let mut next = known.clone();
                self.target(target, &mut next);
                self.flow(*body, next);
                known.set.remove(iter);
                known.maybe.remove(iter);
                self.flow(*done, known);
            }
            Terminator::AsyncNext {
                iter,
                into,
                body,
                done,
            } => {
                self.need(*iter, &known);
                self.flow(*body, with(&known, &Some(*into)));
                known.set.remove(iter);
                known.maybe.remove(iter);
                self.flow(*done, known);
            }
            Terminator::Await { into, resume, .. }
            | Terminator::Yield { into, resume, .. }
            | Terminator::YieldFrom { into, resume, .. } => {
                if !code.kind.is_resumable() {
                    self.fail("suspends in a code that cannot".to_owned());
                }
                self.flow(*resume, with(&known, into));
            }
            Terminator::Return(_) => {
                if known.handlers != 0 {
                    self.fail("returns with open handlers".to_owned());
                }
            }
            Terminator::Raise { .. } | Terminator::Reraise(_) => {}
            Terminator::Dispatch { why, ways } => {
                self.need(*why, &known);
                for (number, way) in ways.iter().enumerate() {
                    let held = known.numbers.get(why);
                    if !held.is_some_and(|held| held.contains(&(number as i64))) {
                        continue;
                    }
                    match way {
                        // Which of the possible ones are set depends on the way.
                        Onward::Goto(next) => {
                            let set = known.maybe.clone();
                            self.flow(*next, Known { set, ..known.clone() });
                        }
                        // Set on the way that leads here, if any does.
                        Onward::Reraise(_) | Onward::Return(_) => {}
                    }
                }
            }
        }
    }

    /// An exception is raised here.
    fn raised(&mut self, state: &State, known: &Known) {
        match state.handler {
            Some(handler) => {
                let mut known = known.clone();
                known.assign(Some(handler.slot));
                self.flow(handler.target, known);
            }
            None if known.handlers != 0 => {
                self.fail("may raise out of the code with open handlers".to_owned())
            }
            None => {}
        }
    }

    fn block(&mut self, state: &State, block: &[Statement], known: &mut Known, loops: u32) {
        let fallible: BTreeSet<usize> = tidy::fallible(block, self.named).collect();
        for (at, statement) in block.iter().enumerate() {
            let safe = !fallible.contains(&at);
            if !safe {
                self.raised(state, known);
            }
            self.statement(state, statement, known, loops);
            if !safe {
                self.raised(state, known);
            }
        }
    }

    fn statement(&mut self, state: &State, statement: &Statement, known: &mut Known, loops: u32) {
        statement.each_tree(&mut |tree| self.tree(tree, known));
        match &statement.kind {
            StatementKind::Assign { targets, value } => {
                for target in targets {
                    self.target(target, known);
                    if let (
                        TargetKind::Place(Place::Local(slot)),
                        TreeKind::Constant(Constant::Int(number)),
                    ) = (&target.kind, &value.kind)
                    {
                        known.numbers.insert(*slot, BTreeSet::from([*number]));
                    }
                }
            }
            StatementKind::Clear(slot) => known.unset(*slot),
            StatementKind::EnterHandler(slot) => {
                self.need(*slot, known);
                known.handlers += 1;
            }
            StatementKind::LeaveHandler => {
                known.handlers -= 1;
                if known.handlers < 0 {
                    self.fail("leaves a handler that was not entered".to_owned());
                }
            }
            StatementKind::Collect { into, .. } => self.need(*into, known),
            StatementKind::Goto(target) => self.flow(*target, known.clone()),
            StatementKind::Return(_) if known.handlers != 0 => {
                self.fail("returns with open handlers".to_owned());
            }
            StatementKind::Break | StatementKind::Continue if loops == 0 => {
                self.fail("leaves a loop that is not in this state".to_owned());
            }
            StatementKind::If { body, orelse, .. } => {
                let mut other = known.clone();
                self.block(state, body, known, loops);
                self.block(state, orelse, &mut other, loops);
                // What both arms left set; an arm that ends early does not matter, but is rare.
                known.set = known.set.intersection(&other.set).copied().collect();
                known.maybe = known.maybe.union(&other.maybe).copied().collect();
            }
            StatementKind::While { body, orelse, .. } | StatementKind::For { body, orelse, .. } => {
                if let StatementKind::For { target, .. } = &statement.kind {
                    self.target(target, known);
                }
                let before = known.clone();
                self.block(state, body, &mut known.clone(), loops + 1);
                self.block(state, orelse, &mut known.clone(), loops);
                *known = before;
            }
            StatementKind::With { body, .. } => self.block(state, body, known, loops),
            StatementKind::Try(try_) => {
                let before = known.clone();
                self.block(state, &try_.body, known, loops);
                for handler in &try_.handlers {
                    self.block(state, &handler.body, &mut before.clone(), loops);
                }
                self.block(state, &try_.orelse, known, loops);
                self.block(state, &try_.finalbody, known, loops);
                *known = before;
            }
            _ => {}
        }
    }

    fn target(&mut self, target: &Target, known: &mut Known) {
        target.each_place(&mut |place, _| {
            if let Place::Local(slot) = place {
                known.assign(Some(slot));
            }
        });
    }

    fn tree(&mut self, tree: &Tree, known: &mut Known) {
        tree.each_child(&mut |child| self.tree(child, known));
        match tree.kind {
            TreeKind::Take(slot) => {
                self.need(slot, known);
                known.unset(slot);
            }
            TreeKind::Peek(slot) | TreeKind::Match { subject: slot, .. } => self.need(slot, known),
            TreeKind::Enter { exit, .. } => known.assign(Some(exit)),
            TreeKind::Exit { exit, exc } => {
                self.need(exit, known);
                known.unset(exit);
                if let Some(exc) = exc {
                    self.need(exc, known);
                }
            }
            TreeKind::ExceptMatch { exc, .. } => self.need(exc, known),
            TreeKind::ExceptStarMatch { rest, matched, .. } => {
                self.need(rest, known);
                known.assign(Some(matched));
            }
            TreeKind::ExceptStarRest {
                original,
                raised,
                rest,
            } => {
                [original, raised, rest]
                    .into_iter()
                    .for_each(|slot| self.need(slot, known));
            }
            _ => {}
        }
    }

    /// The slot must be set here. A named slot may be unbound, which is the script's error.
    fn need(&mut self, slot: SlotId, known: &Known) {
        if slot as usize >= self.code.slots.len() {
            self.fail(format!("there is no slot {slot}"));
        } else if slot >= self.named && !known.set.contains(&slot) {
            self.fail(format!(
                "{} is read but may be unset",
                self.code.slots[slot as usize]
            ));
        }
    }
}

impl Known {
    fn assign(&mut self, slot: Option<SlotId>) {
        self.set.extend(slot);
        self.maybe.extend(slot);
    }

    fn unset(&mut self, slot: SlotId) {
        self.set.remove(&slot);
        self.maybe.remove(&slot);
    }
}
