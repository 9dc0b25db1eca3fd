//! Which variables of a code live across each suspension: those whose value may still be read
//! when the frame goes on.
//!
//! Always true: an answer may name a variable too many (a test that always fails), never one too
//! few. Temporaries count while computing and are left out of what is told.

use super::*;
use std::collections::BTreeSet;

type Live = BTreeSet<SlotId>;

/// For each state that ends in a suspension, the names of the variables that live across it.
pub fn across_suspensions(code: &Code) -> Vec<Option<Vec<Symbol>>> {
    let entries = live_at_entries(&code.states);
    let describe = |state: &State| {
        let live = after(&state.end, &entries)?;
        let mut live: Live = live
            .iter()
            .copied()
            .filter(|&slot| is_named(code, slot))
            .collect();
        if let Some(handler) = state.handler {
            live.extend(
                entries[handler.target as usize]
                    .iter()
                    .filter(|&&slot| is_named(code, slot)),
            );
        }
        if let Terminator::Await { into: Some(slot), .. }
        | Terminator::Yield { into: Some(slot), .. }
        | Terminator::YieldFrom { into: Some(slot), .. }
        | Terminator::AsyncNext { into: slot, .. } = state.end
        {
            // Unless the old value is needed elsewhere, the result replaces it.
            let needed = |other: StateId| entries[other as usize].contains(&slot);
            let kept = match state.end {
                Terminator::AsyncNext { done, .. } => needed(done),
                _ => false,
            } || state.handler.is_some_and(|handler| needed(handler.target));
            if !kept {
                live.remove(&slot);
            }
        }
        Some(live.into_iter().map(|slot| code.slots[slot as usize]).collect())
    };
    code.states.iter().map(describe).collect()
}

fn is_named(code: &Code, slot: SlotId) -> bool {
    !code.slots[slot as usize].text().starts_with(['$', '.'])
}

/// What is live where a suspended frame goes on; none if the state does not suspend.
fn after(end: &Terminator, entries: &[Live]) -> Option<Live> {
    match end {
        Terminator::Await { resume, .. }
        | Terminator::Yield { resume, .. }
        | Terminator::YieldFrom { resume, .. } => Some(entries[*resume as usize].clone()),
        Terminator::AsyncNext { body, done, .. } => Some(&entries[*body as usize] | &entries[*done as usize]),
        _ => None,
    }
}

/// For each state, the slots whose value may still be read when it is entered.
pub fn live_at_entries(states: &[State]) -> Vec<BTreeSet<SlotId>> {
    let mut entries = vec![Live::new(); states.len()];
    loop {
        let mut changed = false;
        for (at, state) in states.iter().enumerate().rev() {
            let live = at_entry(state, &entries);
            if live != entries[at] {
                entries[at] = live;
                changed = true;
            }
        }
        if !changed {
            return entries;
        }
    }
}

fn at_entry(state: &State, entries: &[Live]) -> Live {
    let raised = state.handler.map_or(Live::new(), |handler| {
        let mut live = entries[handler.target as usize].clone();
        live.remove(&handler.slot);
        live
    });
    let mut live = before_end(&state.end, entries);
    live.extend(&raised);
    let walk = Walk {
        entries,
        raised: &raised,
    };
    walk.block(&state.body, &mut live, None);
    live
}

fn before_end(end: &Terminator, entries: &[Live]) -> Live {
    let mut live = Live::new();
    let entry = |state: &StateId| entries[*state as usize].iter().copied();
    match end {
        Terminator::Next {
            iter,
            target,
            body,
            done,
        } => {
            live.extend(entry(body));
            write_target(target, &mut live);
            live.extend(entry(done));
            live.insert(*iter);
        }
        Terminator::AsyncNext {
            iter,
            into,
            body,
            done,
        } => {
            live.extend(entry(body));
            live.remove(into);
            live.extend(entry(done));
            live.insert(*iter);
        }
        Terminator::Await { into, resume, .. }
        | Terminator::Yield { into, resume, .. }
        | Terminator::YieldFrom { into, resume, .. } => {
            live.extend(entry(resume));
            into.iter().for_each(|slot| {
                live.remove(slot);
            });
        }
        Terminator::Reraise(slot) => {
            live.insert(*slot);
        }
        Terminator::Dispatch { why, ways } => {
            live.insert(*why);
            for way in ways {
                match way {
                    Onward::Goto(state) => live.extend(entry(state)),
                    Onward::Reraise(slot) | Onward::Return(slot) => {
                        live.insert(*slot);
                    }
                }
            }
        }
        Terminator::Goto(_)
        | Terminator::Branch { .. }
        | Terminator::Return(_)
        | Terminator::Raise { .. } => {
            end.each_successor(&mut |state| live.extend(entry(&state)));
        }
    }
    if !matches!(end, Terminator::Next { .. }) {
        end.each_tree(&mut |tree| written(tree, &mut live));
    }
    end.each_tree(&mut |tree| read(tree, &mut live));
    live
}

/// What is live where `continue` and `break` of the innermost structured loop lead.
#[derive(Clone, Copy)]
struct Loop<'a> {
    again: &'a Live,
    out: &'a Live,
}

struct Walk<'a> {
    entries: &'a [Live],
    /// Live wherever an exception may leave the current statement for.
    raised: &'a Live,
}

impl Walk<'_> {
    fn block(&self, block: &[Statement], live: &mut Live, inside: Option<Loop>) {
        for statement in block.iter().rev() {
            self.statement(statement, live, inside);
            live.extend(self.raised);
        }
    }

    fn nested(&self, block: &[Statement], live: &Live, inside: Option<Loop>) -> Live {
        let mut live = live.clone();
        self.block(block, &mut live, inside);
        live
    }

    fn statement(&self, statement: &Statement, live: &mut Live, inside: Option<Loop>) {
        match &statement.kind {
            StatementKind::Assign { targets, .. } => {
                targets.iter().for_each(|target| write_target(target, live));
            }
            StatementKind::AugAssign { target, .. } => {
                target.each_place(&mut |place, _| read_place(place, live));
            }
            StatementKind::Delete(target) => target.each_place(&mut |place, _| read_place(place, live)),
            StatementKind::Import { place, .. } => write_place(*place, live),
            StatementKind::ImportFrom { names, .. } => {
                names.iter().for_each(|(_, place)| write_place(*place, live));
            }
            StatementKind::If { body, orelse, .. } => {
                *live = &self.nested(body, live, inside) | &self.nested(orelse, live, inside);
            }
            StatementKind::While { test, body, orelse } => {
                let out = live.clone();
                let done = self.nested(orelse, live, inside);
                self.repeat(live, &done, |again| {
                    let mut first = self.nested(body, again, Some(Loop { again, out: &out }));
                    first.extend(&done);
                    written(test, &mut first);
                    read(test, &mut first);
                    first
                });
            }
            StatementKind::For {
                target, body, orelse, ..
            } => {
                let out = live.clone();
                let done = self.nested(orelse, live, inside);
                self.repeat(live, &done, |again| {
                    let mut first = self.nested(body, again, Some(Loop { again, out: &out }));
                    write_target(target, &mut first);
                    first.extend(&done);
                    first
                });
            }
            StatementKind::With { target, body, .. } => {
                let mut first = self.nested(body, live, inside);
                target.iter().for_each(|target| write_target(target, &mut first));
                // The body may be left by a swallowed exception.
                live.extend(first);
            }
            StatementKind::Try(try_) => {
                let last = self.nested(&try_.finalbody, live, inside);
                let handlers = try_.handlers.iter().map(|handler| {
                    let mut live = self.nested(&handler.body, &last, inside);
                    handler.name.iter().for_each(|&name| write_place(name, &mut live));
                    live
                });
                let raised = handlers.fold(&last | self.raised, |all, one| &all | &one);
                let within = Walk {
                    entries: self.entries,
                    raised: &raised,
                };
                let orelse = self.nested(&try_.orelse, &last, inside);
                *live = &within.nested(&try_.body, &orelse, inside) | &raised;
            }
            StatementKind::Goto(state) => live.clone_from(&self.entries[*state as usize]),
            StatementKind::Return(_) | StatementKind::Raise { .. } => live.clear(),
            StatementKind::Break => live.clone_from(inside.expect("a loop is around").out),
            StatementKind::Continue => live.clone_from(inside.expect("a loop is around").again),
            StatementKind::MakeCell(slot) | StatementKind::Clear(slot) => {
                live.remove(slot);
            }
            StatementKind::EnterHandler(slot) | StatementKind::Collect { into: slot, .. } => {
                live.insert(*slot);
            }
            StatementKind::Eval(_)
            | StatementKind::Show(_)
            | StatementKind::Annotate { .. }
            | StatementKind::Assert { .. }
            | StatementKind::LeaveHandler => {}
        }
        // Some trees of these may be left out, or come after a read; of all others every tree is
        // evaluated, and first.
        let in_part = matches!(
            statement.kind,
            StatementKind::Assert { .. }
                | StatementKind::Annotate { .. }
                | StatementKind::AugAssign { .. }
                | StatementKind::Delete(_)
                | StatementKind::Try(_)
        );
        if !in_part {
            statement.each_tree(&mut |tree| written(tree, live));
        }
        statement.each_tree(&mut |tree| read(tree, live));
    }

    /// Finds what is live at the head of a loop; `round` goes once through it.
    fn repeat(&self, live: &mut Live, done: &Live, round: impl Fn(&Live) -> Live) {
        let mut head = done.clone();
        loop {
            let next = &round(&head) | &head;
            if next == head {
                *live = head;
                return;
            }
            head = next;
        }
    }
}

fn read_place(place: Place, live: &mut Live) {
    if let Place::Local(slot) | Place::Cell(slot) = place {
        live.insert(slot);
    }
}

fn write_place(place: Place, live: &mut Live) {
    match place {
        Place::Local(slot) => {
            live.remove(&slot);
        }
        // Others may share the cell, so it is needed to write to.
        Place::Cell(slot) => {
            live.insert(slot);
        }
        Place::Free(_) | Place::Global(_) | Place::ClassName(_) | Place::ClassFree(..) => {}
    }
}

fn write_target(target: &Target, live: &mut Live) {
    target.each_place(&mut |place, _| write_place(place, live));
}

/// Takes out what evaluating the tree certainly writes: its walruses, unless they stand where it
/// depends on a test, what a `with` keeps for its end, and
/// what `except*` matched. To be followed by [`read`], as the tree may read what it writes later.
fn written(tree: &Tree, live: &mut Live) {
    match &tree.kind {
        TreeKind::Walrus {
            place: Place::Local(slot),
            value,
        } => {
            live.remove(slot);
            written(value, live);
        }
        // It is written where it is read: if anything matched.
        TreeKind::ExceptStarMatch { matched, kind, .. } => {
            live.remove(matched);
            written(kind, live);
        }
        TreeKind::Enter { context, exit, .. } => {
            live.remove(exit);
            written(context, live);
        }
        TreeKind::BoolOp { values, .. } => {
            if let Some(first) = values.first() {
                written(first, live);
            }
        }
        TreeKind::Compare { left, rest } => {
            written(left, live);
            if let Some((_, second)) = rest.first() {
                written(second, live);
            }
        }
        TreeKind::IfElse { test, .. } => written(test, live),
        TreeKind::Comprehension(_) | TreeKind::Function(_) | TreeKind::Match { .. } => {}
        _ => tree.each_child(&mut |child| written(child, live)),
    }
}

/// Adds what evaluating the tree reads.
fn read(tree: &Tree, live: &mut Live) {
    let mut own = Live::new();
    if let TreeKind::Comprehension(comprehension) = &tree.kind {
        let targets = comprehension.clauses.iter().map(|clause| &clause.target);
        targets.for_each(|target| target.each_place(&mut |place, _| read_place(place, &mut own)));
        own = &own - live;
    }
    tree.each_child(&mut |child| read(child, live));
    tree.each_place(&mut |place, write| {
        if !write {
            read_place(place, live);
        }
    });
    match tree.kind {
        TreeKind::Take(slot) | TreeKind::Peek(slot) | TreeKind::Match { subject: slot, .. } => {
            live.insert(slot);
        }
        TreeKind::Exit { exit, exc } => {
            live.insert(exit);
            live.extend(exc);
        }
        TreeKind::ExceptMatch { exc, .. } => {
            live.insert(exc);
        }
        TreeKind::ExceptStarMatch { rest, .. } => {
            live.insert(rest);
        }
        TreeKind::ExceptStarRest {
            original,
            raised,
            rest,
        } => live.extend([original, raised, rest]),
        _ => {}
    }
    live.retain(|slot| !own.contains(slot));
}
