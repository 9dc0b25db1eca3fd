//! Errors among the results of `gather(…, return_exceptions=True)` that nobody looks at.
//!
//! Always true: who only hands the results on is not told of; whoever gets them last is.

use super::{handed, watch::shown};
use crate::code::liveness::live_at_entries;
use crate::code::{
    self, Code, CodeKind, SlotId, StateId, StatementKind, TargetKind, Terminator, Tree, TreeKind,
};
use crate::interp::import;
use crate::source::name;
use crate::tools::standing::{self, Place};
use crate::value::frame::ScriptFrame;
use crate::value::generator::Activation;
use crate::value::*;
use std::collections::HashMap;
use std::rc::Rc;

/// What the results are: an error in words, or none.
type Errors = Rc<[Option<String>]>;

#[derive(Default)]
pub struct Results {
    /// What tasks ended with that only handed results on, by number.
    handed_on: HashMap<u32, Errors>,
}

impl Results {
    /// A task goes on because a future is done; gives where errors are dropped, and what to say.
    pub fn woken(&mut self, task: &Ref<Future>, by: &Ref<Future>) -> Option<(Place, String)> {
        let errors = self.errors_in(by)?;
        let frames = standing::frames(task).into_iter().rev();
        let Some((code, state)) = frames.into_iter().find(|(code, state)| !hands_on(code, *state)) else {
            self.handed_on.insert(task.number, errors);
            return None;
        };
        let (value, into, resume) = awaited(&code, state).filter(|_| !standing::is_library(&code))?;
        let is_unread = unread(&code, value, into, resume);
        let message = dropped(&errors, is_unread)?;
        let span = value.span;
        Some(((code, span), message))
    }

    /// A future is done for which nobody waits yet; gives where the errors in it will be dropped, because a call
    /// that is under way has it in a variable, and looks at that only to await it for nothing, or never.
    pub fn settled(&self, future: &Ref<Future>) -> Option<(Option<Place>, String)> {
        let errors = self.errors_in(future).filter(|_| !is_expected(future))?;
        let future = Value::from(future.clone());
        let generators = roster::tasks().into_iter().filter_map(|task| {
            let coroutine = task.task.as_ref()?.coroutine.get();
            match &coroutine {
                Value::Generator(generator) => Some(Ref::clone(generator)),
                _ => None,
            }
        });
        generators.into_iter().find_map(|generator| {
            generator.look(|stack| {
                let frames = stack.iter().filter_map(|activation| match activation {
                    Activation::Script(frame) => Some(frame),
                    _ => None,
                });
                frames
                    .into_iter()
                    .find_map(|frame| kept_in(frame, &future, &errors))
            })
        })
    }

    /// A run gives the result of a future; gives where the program drops the errors in it, as
    /// `asyncio.run(main())` does as a statement.
    pub fn run_gives(&mut self, future: &Ref<Future>) -> Option<(Place, String)> {
        let errors = self.errors_in(future)?;
        let (code, span) = standing::running()?;
        let message = dropped(&errors, |_| handed::statement(&code, span).is_some())?;
        Some(((code, span), message))
    }

    /// The errors among the results that a future gives, if there are any.
    fn errors_in(&self, future: &Ref<Future>) -> Option<Errors> {
        if future.state.get() != FutureState::Finished {
            return None;
        }
        let errors: Errors = match future.gather() {
            Some(gather) => gather.children.borrow().iter().map(error).collect(),
            None => self.handed_on.get(&future.number)?.clone(),
        };
        errors.iter().any(Option::is_some).then_some(errors)
    }
}

/// Whether a task or a function of the program hears of it when a future is done.
fn is_expected(future: &Future) -> bool {
    let callbacks = future.callbacks.list();
    callbacks
        .iter()
        .any(|callback| !matches!(callback, Callback::Native(_)))
}

/// Where a call that has a future in a variable drops the errors in it; no place if it never looks at it.
fn kept_in(frame: &ScriptFrame, future: &Value, errors: &Errors) -> Option<(Option<Place>, String)> {
    let code = &frame.func.code;
    if standing::is_library(code) {
        return None;
    }
    let is_it = |variable: &code::Place| match variable {
        code::Place::Local(slot) => {
            let value = frame.seen_slots().get(*slot as usize);
            value.is_some_and(|value| value.is(future))
        }
        code::Place::Global(name) => {
            let value = frame.func.module.get(*name);
            value.is_some_and(|value| value.is(future))
        }
        _ => false,
    };
    let awaits = |state| {
        awaited(code, state)
            .filter(|(value, ..)| matches!(&value.kind, TreeKind::Load(variable) if is_it(variable)))
    };
    if let Some((value, into, resume)) = (0..code.states.len() as StateId).find_map(awaits) {
        let message = dropped(errors, unread(code, value, into, resume))?;
        return Some((Some((code.clone(), value.span)), message));
    }
    let slots = (0..code.slots.len()).map(|slot| code::Place::Local(slot as SlotId));
    let kept: Vec<_> = slots.filter(is_it).collect();
    let is_forgotten = matches!(kept[..], [variable] if looks_at(code, variable) == Some(0));
    let message = dropped(errors, |_| is_forgotten)?;
    Some((None, message))
}

/// What to say of the first error that nothing looks at.
fn dropped(errors: &Errors, is_unread: impl Fn(usize) -> bool) -> Option<String> {
    let mut unread = errors.iter().enumerate().filter(|(i, _)| is_unread(*i));
    let error = unread.find_map(|(_, error)| error.as_ref())?;
    Some(format!(
        "errors are among these results, and nobody looks at them: {error}"
    ))
}

fn error(child: &Ref<Future>) -> Option<String> {
    match &child.outcome.get() {
        Value::Exception(error) if child.state.get() == FutureState::Failed => Some(shown(error)),
        _ => None,
    }
}

/// The await at the end of a state: the value, the slot for the result, and the state that goes on.
fn awaited(code: &Code, state: StateId) -> Option<(&Tree, Option<SlotId>, StateId)> {
    match &code.states.get(state as usize)?.end {
        Terminator::Await { value, into, resume } => Some((value, *into, *resume)),
        _ => None,
    }
}

/// Whether the result of the await at the end of a state is returned, and nothing else done with it.
fn hands_on(code: &Code, state: StateId) -> bool {
    awaited(code, state).is_some_and(|(_, into, _)| into.is_some_and(|slot| code.only_returns(slot)))
}

/// Which items of an await's result, which goes to the slot `into`, nothing ever looks at: all if
/// nothing looks at the variable that they go to; with `a, b = await …` those whose variable nothing
/// looks at. What has a name of its own may be asked for its result by that name.
fn unread(code: &Code, value: &Tree, into: Option<SlotId>, resume: StateId) -> Box<dyn Fn(usize) -> bool> {
    let all = |is_unread| Box::new(move |_: usize| is_unread) as Box<dyn Fn(usize) -> bool>;
    match value.kind {
        TreeKind::Load(variable) if looks_at(code, variable) == Some(1) => {}
        TreeKind::Load(_) | TreeKind::Attribute { .. } | TreeKind::Subscript { .. } => return all(false),
        _ => {}
    }
    let is_live = |slot: &SlotId| live_at_entries(&code.states)[resume as usize].contains(slot);
    let Some(slot) = into.filter(is_live) else {
        return all(true);
    };
    let is_unseen = |variable| looks_at(code, variable) == Some(0);
    if !code.slots[slot as usize].text().starts_with('$') {
        return all(is_unseen(code::Place::Local(slot)));
    }
    let targets = match code.states[resume as usize].body.first().map(|first| &first.kind) {
        Some(StatementKind::Assign { targets, value }) if matches!(value.kind, TreeKind::Take(taken) if taken == slot) => {
            &targets[..]
        }
        _ => &[],
    };
    let [target] = targets else { return all(false) };
    match &target.kind {
        TargetKind::Place(variable) => all(is_unseen(*variable)),
        TargetKind::Unpack { targets, star: None } => {
            let is_unseen = |target: &code::Target| match target.kind {
                TargetKind::Place(variable) => is_unseen(variable),
                _ => false,
            };
            let unseen: Vec<bool> = targets.iter().map(is_unseen).collect();
            Box::new(move |item| unseen.get(item).is_some_and(|&is_unseen| is_unseen))
        }
        _ => all(false),
    }
}

/// How often a variable is looked at, if all that may do so is known. At the prompt more may come.
fn looks_at(code: &Code, variable: code::Place) -> Option<usize> {
    let is_known = match variable {
        code::Place::Local(_) => true,
        code::Place::Global(_) => code.kind == CodeKind::AsyncModule && is_main(code),
        _ => false,
    };
    is_known.then(|| code.looks_at(variable))
}

/// Whether it is the text of the file that is run.
fn is_main(code: &Code) -> bool {
    let Some(Value::Module(main)) = &import::loaded_module(name::MAIN) else {
        return false;
    };
    matches!(&main.get(name::FILE), Some(Value::Str(file)) if *file.text == *code.source.name)
}
