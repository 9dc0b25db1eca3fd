//! The last pass over a code's states: joins what need not be apart and numbers what is left in
//! order of the text.
//!
//! Always true: tidying changes neither what runs nor where its exceptions go. Where an exception
//! leads to, temporaries of what it cut short are emptied, so that nothing lives longer for it.

use super::state::Draft;
use crate::code::liveness::live_at_entries;
use crate::code::*;
use crate::source::Span;
use std::collections::BTreeSet;

/// The states that can be reached, joined and numbered from 0.
pub(super) fn tidy(mut drafts: Vec<Draft>, named: u32) -> Vec<State> {
    let entry = thread_jumps(&mut drafts);
    join(&mut drafts, entry, named);
    for draft in &mut drafts {
        if cannot_fail(draft, named) {
            draft.handler = None;
        }
    }
    let (mut states, around) = number(drafts, entry);
    empty_on_exceptions(&mut states, &around, named);
    states
}

fn end(draft: &Draft) -> &Terminator {
    // A state that was reserved but never ended is never reached.
    draft
        .end
        .as_ref()
        .map_or(&Terminator::Return(None), |(end, _)| end)
}

fn successors(draft: &Draft, f: &mut dyn FnMut(StateId)) {
    draft.body.iter().for_each(|statement| statement.each_goto(f));
    end(draft).each_successor(f);
    if let Some(handler) = draft.handler {
        f(handler.target);
    }
}

/// Leads jumps to an empty state on to where that one jumps; gives the state to begin in.
fn thread_jumps(drafts: &mut [Draft]) -> StateId {
    let onward: Vec<StateId> = (0..drafts.len())
        .map(|start| {
            let mut at = start;
            // A loop of empty states would never end.
            for _ in 0..drafts.len() {
                match end(&drafts[at]) {
                    Terminator::Goto(next) if drafts[at].body.is_empty() => at = *next as usize,
                    _ => break,
                }
            }
            at as StateId
        })
        .collect();
    for draft in drafts.iter_mut() {
        rename(draft, &|state| onward[state as usize]);
    }
    for at in 0..drafts.len() {
        let Terminator::Goto(next) = *end(&drafts[at]) else {
            continue;
        };
        let next = &drafts[next as usize];
        if next.body.is_empty()
            && let Some((Terminator::Return(None), span)) = next.end
        {
            drafts[at].end = Some((Terminator::Return(None), span));
        }
    }
    onward[0]
}

/// Appends a state to the only one that goes to it, where handlers allow.
fn join(drafts: &mut [Draft], entry: StateId, named: u32) {
    let reachable = order(drafts, entry);
    let mut sources = vec![0u32; drafts.len()];
    sources[entry as usize] = 1;
    for &state in &reachable {
        successors(&drafts[state as usize], &mut |next| sources[next as usize] += 1);
    }
    for &state in &reachable {
        let at = state as usize;
        while let Terminator::Goto(next) = *end(&drafts[at]) {
            let next = next as usize;
            if next == at || sources[next] != 1 {
                break;
            }
            let same = drafts[at].handler.map(|h| h.target) == drafts[next].handler.map(|h| h.target);
            let handler = if same || cannot_fail(&drafts[next], named) {
                drafts[at].handler
            } else if fallible(&drafts[at].body, named).next().is_none() {
                drafts[next].handler
            } else {
                break;
            };
            let Draft {
                body,
                end,
                handler: lost,
                ..
            } = std::mem::take(&mut drafts[next]);
            if let Some(lost) = lost {
                sources[lost.target as usize] -= 1;
            }
            if let Some(gone) = drafts[at].handler {
                sources[gone.target as usize] -= 1;
            }
            if let Some(kept) = handler {
                sources[kept.target as usize] += 1;
            }
            drafts[at].body.extend(body);
            drafts[at].end = end;
            drafts[at].handler = handler;
        }
    }
}

fn cannot_fail(draft: &Draft, named: u32) -> bool {
    fallible(&draft.body, named).next().is_none() && is_safe_end(end(draft), named)
}

/// Whether a terminator certainly raises nothing.
pub(super) fn is_safe_end(end: &Terminator, named: u32) -> bool {
    match end {
        Terminator::Goto(_) | Terminator::Dispatch { .. } | Terminator::Return(None) => true,
        Terminator::Return(Some(value)) => is_safe_tree(value, named),
        _ => false,
    }
}

/// The indexes of the statements of a block that may raise something.
pub(super) fn fallible(block: &[Statement], named: u32) -> impl Iterator<Item = usize> {
    (0..block.len()).filter(move |&at| {
        // `name = None; del name` is the end of `except … as name`.
        let unbinds =
            at > 0 && deleted(&block[at]).is_some_and(|place| assigned(&block[at - 1]) == Some(place));
        !unbinds && !is_safe(&block[at], named)
    })
}

fn deleted(statement: &Statement) -> Option<Place> {
    match &statement.kind {
        StatementKind::Delete(Target {
            kind: TargetKind::Place(place),
            ..
        }) => Some(*place),
        _ => None,
    }
}

fn assigned(statement: &Statement) -> Option<Place> {
    match &statement.kind {
        StatementKind::Assign { targets, .. } => match &targets[..] {
            [
                Target {
                    kind: TargetKind::Place(place),
                    ..
                },
            ] => Some(*place),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a statement certainly raises nothing.
fn is_safe(statement: &Statement, named: u32) -> bool {
    match &statement.kind {
        StatementKind::Clear(_)
        | StatementKind::MakeCell(_)
        | StatementKind::EnterHandler(_)
        | StatementKind::LeaveHandler
        | StatementKind::Goto(_) => true,
        StatementKind::Assign { targets, value } => {
            is_safe_tree(value, named)
                && targets
                    .iter()
                    .all(|target| matches!(target.kind, TargetKind::Place(_)))
        }
        _ => false,
    }
}

fn is_safe_tree(tree: &Tree, named: u32) -> bool {
    match &tree.kind {
        TreeKind::Constant(_) => true,
        TreeKind::Take(slot) | TreeKind::Peek(slot) => *slot >= named,
        _ => false,
    }
}

/// The states that can be reached, each before what follows it in the text where there is no loop.
fn order(drafts: &[Draft], entry: StateId) -> Vec<StateId> {
    let mut seen = vec![false; drafts.len()];
    let mut finished = Vec::new();
    let mut stack = vec![(entry, false)];
    while let Some((state, done)) = stack.pop() {
        if done {
            finished.push(state);
        } else if !std::mem::replace(&mut seen[state as usize], true) {
            stack.push((state, true));
            // The last to be pushed is visited first, and so comes last: handlers, then the rest.
            successors(&drafts[state as usize], &mut |next| {
                if !seen[next as usize] {
                    stack.push((next, false));
                }
            });
        }
    }
    finished.reverse();
    finished
}

/// The states in order, and what is in use around the guards that lead to each.
fn number(mut drafts: Vec<Draft>, entry: StateId) -> (Vec<State>, Vec<Vec<SlotId>>) {
    let order = order(&drafts, entry);
    let mut numbers = vec![StateId::MAX; drafts.len()];
    for (number, &state) in order.iter().enumerate() {
        numbers[state as usize] = number as StateId;
    }
    order
        .iter()
        .map(|&state| {
            let mut draft = std::mem::take(&mut drafts[state as usize]);
            rename(&mut draft, &|state| numbers[state as usize]);
            let (end, end_span) = draft.end.expect("a reachable state has an end");
            let state = State {
                body: draft.body,
                end,
                end_span,
                handler: draft.handler,
            };
            (state, draft.around)
        })
        .unzip()
}

fn rename(draft: &mut Draft, new: &dyn Fn(StateId) -> StateId) {
    draft
        .body
        .iter_mut()
        .for_each(|statement| rename_in(statement, new));
    if let Some(handler) = &mut draft.handler {
        handler.target = new(handler.target);
    }
    let Some((end, _)) = &mut draft.end else { return };
    let set = |state: &mut StateId| *state = new(*state);
    match end {
        Terminator::Goto(state) => set(state),
        Terminator::Branch { then, orelse, .. } => {
            set(then);
            set(orelse);
        }
        Terminator::Next { body, done, .. } | Terminator::AsyncNext { body, done, .. } => {
            set(body);
            set(done);
        }
        Terminator::Await { resume, .. }
        | Terminator::Yield { resume, .. }
        | Terminator::YieldFrom { resume, .. } => set(resume),
        Terminator::Return(_) | Terminator::Raise { .. } | Terminator::Reraise(_) => {}
        Terminator::Dispatch { ways, .. } => {
            for way in ways {
                if let Onward::Goto(state) = way {
                    set(state);
                }
            }
        }
    }
}

fn rename_in(statement: &mut Statement, new: &dyn Fn(StateId) -> StateId) {
    let within = |block: &mut Vec<Statement>| block.iter_mut().for_each(|inner| rename_in(inner, new));
    match &mut statement.kind {
        StatementKind::Goto(state) => *state = new(*state),
        StatementKind::If { body, orelse, .. }
        | StatementKind::While { body, orelse, .. }
        | StatementKind::For { body, orelse, .. } => {
            within(body);
            within(orelse);
        }
        StatementKind::With { body, .. } => within(body),
        StatementKind::Try(try_) => {
            within(&mut try_.body);
            try_.handlers
                .iter_mut()
                .for_each(|handler| within(&mut handler.body));
            within(&mut try_.orelse);
            within(&mut try_.finalbody);
        }
        _ => {}
    }
}

/// Begins each state that exceptions lead to with emptying what was kept for what they cut short:
/// operands, iterators. What is around the guard is kept until it is left.
fn empty_on_exceptions(states: &mut [State], around: &[Vec<SlotId>], named: u32) {
    let targets: BTreeSet<StateId> = states
        .iter()
        .filter_map(|state| Some(state.handler?.target))
        .collect();
    if targets.is_empty() {
        return;
    }
    let live = live_at_entries(states);
    let kept = kept(states, named);
    for target in targets {
        let mut stale: BTreeSet<SlotId> = BTreeSet::new();
        let mut arriving = None;
        for (state, kept) in states.iter().zip(&kept) {
            if let Some(handler) = state.handler.filter(|handler| handler.target == target) {
                stale.extend(kept);
                arriving = Some(handler.slot);
            }
        }
        let around = &around[target as usize];
        stale.retain(|slot| {
            Some(*slot) != arriving && !around.contains(slot) && !live[target as usize].contains(slot)
        });
        // What was kept last goes first, as from a stack.
        let clears = stale.into_iter().rev().map(|slot| Statement {
            kind: StatementKind::Clear(slot),
            span: Span::default(),
        });
        states[target as usize].body.splice(0..0, clears);
    }
}

/// The temporaries that may hold something while a state runs.
fn kept(states: &[State], named: u32) -> Vec<BTreeSet<SlotId>> {
    let mut during = vec![BTreeSet::new(); states.len()];
    let mut work: Vec<(usize, BTreeSet<SlotId>)> = vec![(0, BTreeSet::new())];
    let mut entered = vec![false; states.len()];
    while let Some((at, entry)) = work.pop() {
        let state = &states[at];
        let first = !std::mem::replace(&mut entered[at], true);
        if !first && entry.is_subset(&during[at]) {
            continue;
        }
        let mut changes = Changes {
            named,
            ..Changes::default()
        };
        changes.block(&state.body);
        changes.end(&state.end);
        during[at].extend(entry.iter().chain(&changes.stored));
        let mut after = &during[at] - &changes.emptied;
        after.extend(&changes.stored_last);
        if let Some(handler) = state.handler {
            work.push((
                handler.target as usize,
                &during[at] | &BTreeSet::from([handler.slot]),
            ));
        }
        state.body.iter().for_each(|statement| {
            statement.each_goto(&mut |next| work.push((next as usize, during[at].clone())));
        });
        state
            .end
            .each_successor(&mut |next| work.push((next as usize, after.clone())));
    }
    during
}

/// What a state does to temporaries.
#[derive(Default)]
struct Changes {
    named: u32,
    stored: BTreeSet<SlotId>,
    emptied: BTreeSet<SlotId>,
    /// Stored and not emptied afterwards.
    stored_last: BTreeSet<SlotId>,
}

impl Changes {
    fn store(&mut self, slot: SlotId) {
        if slot >= self.named {
            self.stored.insert(slot);
            self.stored_last.insert(slot);
        }
    }

    fn empty(&mut self, slot: SlotId) {
        self.emptied.insert(slot);
        self.stored_last.remove(&slot);
    }

    fn target(&mut self, target: &Target) {
        target.each_place(&mut |place, _| {
            if let Place::Local(slot) = place {
                self.store(slot);
            }
        });
    }

    fn tree(&mut self, tree: &Tree) {
        tree.each_child(&mut |child| self.tree(child));
        match tree.kind {
            TreeKind::Take(slot) => self.empty(slot),
            TreeKind::Enter { exit, .. } => self.store(exit),
            TreeKind::Exit { exit, .. } => self.empty(exit),
            TreeKind::ExceptStarMatch { matched, .. } => self.store(matched),
            _ => {}
        }
    }

    fn block(&mut self, block: &[Statement]) {
        for statement in block {
            statement.each_tree(&mut |tree| self.tree(tree));
            match &statement.kind {
                StatementKind::Assign { targets, .. } => {
                    targets.iter().for_each(|target| self.target(target))
                }
                StatementKind::Clear(slot) => self.empty(*slot),
                // In an arm that may not run, storing counts and emptying does not.
                _ => statement.each_block(&mut |block| {
                    let mut inner = Changes {
                        named: self.named,
                        ..Changes::default()
                    };
                    inner.block(block);
                    inner.stored.into_iter().for_each(|slot| self.store(slot));
                }),
            }
        }
    }

    fn end(&mut self, end: &Terminator) {
        end.each_tree(&mut |tree| self.tree(tree));
        match end {
            Terminator::Next { target, .. } => self.target(target),
            Terminator::AsyncNext { into, .. }
            | Terminator::Await { into: Some(into), .. }
            | Terminator::Yield { into: Some(into), .. }
            | Terminator::YieldFrom { into: Some(into), .. } => self.store(*into),
            _ => {}
        }
    }
}
