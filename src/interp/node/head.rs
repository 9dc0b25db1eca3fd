//! The head of a loop, `for target in iterator`: of statements, comprehensions and states.

use super::bind::Assignable;
use super::*;
use crate::interp::iterate::{self, Step};

pub struct Head {
    targets: Targets,
    /// Where the iterator is made.
    span: Span,
}

enum Targets {
    /// A plain local variable.
    One(u32),
    /// Two of them, which take what is made in pairs without a tuple.
    Two(u32, u32, Box<dyn Assignable>),
    Any(Box<dyn Assignable>),
}

impl Head {
    /// The slot of a target that is a plain local variable.
    #[inline(always)]
    pub fn slot(&self) -> Option<u32> {
        match self.targets {
            Targets::One(slot) => Some(slot),
            _ => None,
        }
    }

    /// What the iterator gives next.
    #[inline(always)]
    pub fn next(&self, iterator: &Value) -> Res<Step> {
        match self.targets {
            Targets::Two(..) => iterate::next_for_two(iterator).at(self.span),
            _ => match iterate::next(iterator) {
                Ok(Some(item)) => Ok(Step::Item(item)),
                Ok(None) => Ok(Step::End),
                Err(raised) => Err(raised.at(self.span)),
            },
        }
    }

    /// Gives it to the target; false at the end.
    #[inline(always)]
    pub fn take(&self, frame: &mut Frame, step: Step) -> Res<bool> {
        match (step, &self.targets) {
            (Step::End, _) => return Ok(false),
            (Step::Item(item), targets) => {
                Generator::set_origin_in_loop(&item, &frame.func.code, self.span);
                match targets {
                    Targets::One(slot) => frame.set_local(*slot, item),
                    Targets::Two(.., target) | Targets::Any(target) => target.assign(frame, item)?,
                }
            }
            (Step::Pair(first, second), Targets::Two(a, b, _)) => {
                frame.set_local(*a, first);
                frame.set_local(*b, second);
            }
            (Step::Pair(..), _) => unreachable!("only asked for where two take it"),
        }
        Ok(true)
    }
}

impl Builder<'_> {
    pub fn head(&self, target: &Target, span: Span) -> Head {
        let slots = match &target.kind {
            TargetKind::Unpack { targets, star: None } => match &targets[..] {
                [first, second] => self.target_slot(first).zip(self.target_slot(second)),
                _ => None,
            },
            _ => None,
        };
        let targets = match (self.target_slot(target), slots) {
            (Some(slot), _) => Targets::One(slot),
            (None, Some((first, second))) => Targets::Two(first, second, self.target(target)),
            (None, None) => Targets::Any(self.target(target)),
        };
        Head { targets, span }
    }

    /// The slot of a target that is a plain local variable.
    pub fn target_slot(&self, target: &Target) -> Option<u32> {
        match target.kind {
            TargetKind::Place(Place::Local(slot)) => Some(slot),
            _ => None,
        }
    }
}
