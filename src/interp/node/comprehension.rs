//! List, set and dict comprehensions without suspension.

use super::head::Head;
use super::*;
use crate::code::{Comprehension, ComprehensionKind};
use crate::interp::stack::tick;
use crate::interp::{iterate, mapping};

struct Run {
    kind: ComprehensionKind,
    key: Option<NodeBox>,
    element: NodeBox,
    clauses: Box<[ClauseNode]>,
    cells: Box<[u32]>,
    /// Slots of plain local variables of its own: emptied at its end.
    own: Box<[u32]>,
    span: Span,
}

struct ClauseNode {
    head: Head,
    iter: NodeBox,
    iter_span: Span,
    conditions: Box<[Condition]>,
}

enum Output {
    List(Vec<Value>),
    Set(Ref<Set>),
    Dict(Ref<Dict>),
}

impl Node for Run {
    fn eval(&self, frame: &mut Frame) -> Res {
        for &slot in &self.cells {
            frame.set_local(slot, Ref::new(VariableCell::default()).into());
        }
        let mut output = match self.kind {
            ComprehensionKind::Set => Output::Set(Ref::new(Set::default())),
            ComprehensionKind::Dict => Output::Dict(Ref::new(Dict::default())),
            _ => Output::List(Vec::new()),
        };
        let result = self.clause(frame, 0, &mut output);
        for &slot in &self.own {
            drop(frame.take_local(slot));
        }
        result?;
        Ok(match output {
            Output::List(items) => Value::list(items),
            Output::Set(set) => set.into(),
            Output::Dict(dict) => dict.into(),
        })
    }
}

impl Run {
    fn clause(&self, frame: &mut Frame, depth: usize, output: &mut Output) -> Res<()> {
        let clause = &self.clauses[depth];
        let iterable = clause.iter.eval(frame)?;
        let iterator = iterate::iter(&iterable).at(clause.iter_span)?;
        if depth == 0
            && self.clauses.len() == 1
            && let Output::List(items) = output
            && clause.conditions.is_empty()
            && let Value::List(_) | Value::Tuple(_) | Value::Range(_) = iterable
        {
            items.reserve(iterate::length(&iterable)?.min(1 << 20));
        }
        drop(iterable);
        if let (Some(slot), Some((mut next, mut left, step))) =
            (clause.head.slot(), flow::range_state(&iterator))
        {
            while left > 0 {
                frame.set_local(slot, Value::Int(next));
                left -= 1;
                next = next.wrapping_add(step);
                self.item(frame, clause, depth, output)?;
            }
            return Ok(());
        }
        loop {
            frame.running.set_place(clause.iter_span);
            let step = clause.head.next(&iterator)?;
            if !clause.head.take(frame, step)? {
                break;
            }
            self.item(frame, clause, depth, output)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn item(&self, frame: &mut Frame, clause: &ClauseNode, depth: usize, output: &mut Output) -> Res<()> {
        tick()?;
        for condition in &clause.conditions {
            if !condition.holds(frame)? {
                return Ok(());
            }
        }
        if depth + 1 < self.clauses.len() {
            return self.clause(frame, depth + 1, output);
        }
        match output {
            Output::List(items) => {
                let value = self.element.eval(frame)?;
                items.push(value);
            }
            Output::Set(set) => {
                let value = self.element.eval(frame)?;
                mapping::set_add(&set.table, &value).at(self.span)?;
            }
            Output::Dict(dict) => {
                let key = self
                    .key
                    .as_ref()
                    .expect("a dict comprehension has keys")
                    .eval(frame)?;
                let value = self.element.eval(frame)?;
                mapping::dict_set(dict, &key, value).at(self.span)?;
            }
        }
        Ok(())
    }
}

/// Adds to what a split comprehension has built so far.
struct Collect {
    into: u32,
    key: Option<NodeBox>,
    element: NodeBox,
    span: Span,
}

impl Exec for Collect {
    fn exec(&self, frame: &mut Frame) -> Flow {
        let key = match &self.key {
            Some(key) => attempt!(key.eval(frame)),
            None => Value::Unset,
        };
        let value = attempt!(self.element.eval(frame));
        match frame.local(self.into) {
            Value::List(list) => list.push(value),
            Value::Set(set) => drop(attempt!(mapping::set_add(&set.table, &value).at(self.span))),
            Value::Dict(dict) => attempt!(mapping::dict_set(dict, &key, value).at(self.span)),
            _ => unreachable!("a comprehension builds a list, set or dict"),
        }
        Flow::Next
    }
}

impl Builder<'_> {
    pub fn comprehension(&self, it: &Comprehension, span: Span) -> NodeBox {
        let mut own = Vec::new();
        for clause in &it.clauses {
            own_slots(&clause.target, &mut own);
        }
        let clauses = it
            .clauses
            .iter()
            .map(|clause| ClauseNode {
                head: self.head(&clause.target, clause.iter.span),
                iter: self.node(&clause.iter),
                iter_span: clause.iter.span,
                conditions: clause.conditions.iter().map(|c| self.condition(c)).collect(),
            })
            .collect();
        Box::new(Run {
            kind: it.kind,
            key: self.option(&it.key),
            element: self.node(&it.element),
            clauses,
            cells: it.cells.clone().into(),
            own: own.into(),
            span,
        })
    }

    pub fn collect(
        &self,
        into: u32,
        _: ComprehensionKind,
        key: Option<&Tree>,
        element: &Tree,
        span: Span,
    ) -> ExecBox {
        Box::new(Collect {
            into,
            key: key.map(|k| self.node(k)),
            element: self.node(element),
            span,
        })
    }
}

fn own_slots(target: &Target, slots: &mut Vec<u32>) {
    match &target.kind {
        crate::code::TargetKind::Place(Place::Local(slot)) => slots.push(*slot),
        crate::code::TargetKind::Unpack { targets, .. } => targets.iter().for_each(|t| own_slots(t, slots)),
        _ => {}
    }
}
