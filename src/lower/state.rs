//! One code in the making: its states, its temporaries, and what is open around the current point.
//!
//! Always true: statements go to the state under construction; `end` closes it and nothing
//! reaches what follows until a state is started. A temporary is in use from `temp` until it is
//! taken or freed, so two live values never share a slot.

use super::Options;
use super::scope::{ScopeId, Scopes};
use super::tidy;
use crate::code::*;
use crate::source::{Source, Span, Symbol};
use crate::syntax::SyntaxError;
use crate::syntax::ast;
use std::collections::HashMap;
use std::rc::Rc;

pub(super) type Lowered<T = ()> = Result<T, SyntaxError>;

/// What all codes of a module share.
pub(super) struct Program<'a> {
    pub(super) source: &'a Rc<Source>,
    pub(super) scopes: &'a Scopes,
    pub(super) options: &'a Options,
    /// Codes by address of their node: a `finally` is lowered twice, its functions once.
    pub(super) codes: HashMap<usize, Rc<Code>>,
}

/// A split statement (or a loop of either kind) around the current point, which leaving it early
/// must heed.
pub(super) enum Block {
    /// A loop inside one state; `break` and `continue` are statements.
    StructuredLoop,
    SplitLoop {
        continue_to: StateId,
        break_to: StateId,
        /// The iterator of a `for`.
        iter: Option<SlotId>,
    },
    /// The body of `except`, or of a `finally` entered by an exception.
    Handler {
        name: Option<Place>,
        exc: SlotId,
        outer: Option<Handler>,
    },
    /// The body of `with`.
    With {
        exit: SlotId,
        is_async: bool,
        outer: Option<Handler>,
        span: Span,
    },
    /// The body of a `try` with `finally`.
    Finally(Finally),
    /// The body of a `finally` entered without an exception; a pending return value is in `result`.
    FinalBody { result: Option<SlotId> },
    /// The body of `except*`, which must not be left early.
    ExceptStar,
}

pub(super) struct Finally {
    pub(super) entry: StateId,
    /// Holds the index of the way to take afterwards, if there are several.
    pub(super) why: Option<SlotId>,
    /// Holds the value of a `return` on its way out.
    pub(super) result: Option<SlotId>,
    pub(super) ways: Vec<Way>,
}

/// How control leaves a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Normal,
    Break,
    Continue,
    Return,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Temp {
    Unused,
    Kept,
    /// A `Take` of it has been written but not yet put into a statement.
    Pending,
}

/// A state under construction.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) body: Vec<Statement>,
    pub(super) end: Option<(Terminator, Span)>,
    pub(super) handler: Option<Handler>,
    /// Of a state that exceptions lead to: the temporaries of what is around the guard.
    pub(super) around: Vec<SlotId>,
}

/// One code in the making.
pub(super) struct Lowering<'p, 'a> {
    pub(super) program: &'p mut Program<'a>,
    /// The scope of the current point: that of the code, or of an inline comprehension.
    pub(super) scope: ScopeId,
    /// The scope of the code.
    pub(super) host: ScopeId,
    pub(super) kind: CodeKind,
    pub(super) qualname: Rc<str>,
    /// The name and header of the `def` this is.
    pub(super) def: Option<(Symbol, Span)>,
    /// Where its first decorator begins.
    pub(super) begins: Option<u32>,
    /// Whether names are annotated in it.
    pub(super) annotates: bool,
    pub(super) blocks: Vec<Block>,
    /// How many structured statements are open in the current state.
    pub(super) structured: u32,
    /// How many `finally` bodies entered by an exception are open.
    pub(super) copies: u32,
    pub(super) handler: Option<Handler>,
    drafts: Vec<Draft>,
    current: Option<StateId>,
    body: Vec<Statement>,
    named: u32,
    temps: Vec<Temp>,
    pending: u32,
}

impl<'p, 'a> Lowering<'p, 'a> {
    pub(super) fn new(
        program: &'p mut Program<'a>,
        scope: ScopeId,
        kind: CodeKind,
        qualname: Rc<str>,
    ) -> Lowering<'p, 'a> {
        let named = program.scopes.list[scope].slots.len() as u32;
        let mut lowering = Lowering {
            program,
            scope,
            host: scope,
            kind,
            qualname,
            def: None,
            begins: None,
            annotates: false,
            blocks: Vec::new(),
            structured: 0,
            copies: 0,
            handler: None,
            drafts: Vec::new(),
            current: None,
            body: Vec::new(),
            named,
            temps: Vec::new(),
            pending: 0,
        };
        let first = lowering.reserve();
        lowering.start(first, Span::default());
        lowering
    }

    pub(super) fn scopes(&self) -> &'a Scopes {
        self.program.scopes
    }

    // States.

    /// A state to be started later.
    pub(super) fn reserve(&mut self) -> StateId {
        self.drafts.push(Draft::default());
        self.drafts.len() as StateId - 1
    }

    /// Goes on in the state, which gets the handler of the current point.
    pub(super) fn start(&mut self, state: StateId, span: Span) {
        if self.current.is_some() {
            self.end(Terminator::Goto(state), span);
        }
        self.current = Some(state);
        self.drafts[state as usize].handler = self.handler;
    }

    /// The handler of what is guarded from here on.
    pub(super) fn guard(&mut self, target: StateId, slot: SlotId) -> Option<Handler> {
        let in_use = (self.named..)
            .zip(&self.temps)
            .filter(|(_, temp)| **temp != Temp::Unused);
        self.drafts[target as usize].around = in_use.map(|(slot, _)| slot).collect();
        Some(Handler { target, slot })
    }

    /// Goes on in a fresh state, so that what follows runs under the current handler.
    pub(super) fn start_fresh(&mut self, span: Span) {
        let state = self.reserve();
        self.start(state, span);
    }

    /// Ends the current state; what follows is unreachable until a state is started.
    pub(super) fn end(&mut self, end: Terminator, span: Span) {
        debug_assert_eq!(
            self.structured, 0,
            "a state ends outside of structured statements"
        );
        end.each_tree(&mut |tree| Self::consume(&mut self.temps, &mut self.pending, self.named, tree));
        let state = self.current_state();
        let draft = &mut self.drafts[state as usize];
        draft.body = std::mem::take(&mut self.body);
        draft.end = Some((end, span));
        self.current = None;
    }

    /// The state under construction; an unreachable one after `end`.
    fn current_state(&mut self) -> StateId {
        match self.current {
            Some(state) => state,
            None => {
                let state = self.reserve();
                self.start(state, Span::default());
                state
            }
        }
    }

    /// Ends the state in a suspension, made by `end` from the state to resume in, and starts that.
    pub(super) fn suspend(&mut self, span: Span, end: impl FnOnce(StateId) -> Terminator) {
        let resume = self.reserve();
        self.end(end(resume), span);
        self.start(resume, span);
    }

    pub(super) fn goto(&mut self, state: StateId, span: Span) {
        self.end(Terminator::Goto(state), span);
    }

    /// Adds a statement to the current state.
    pub(super) fn emit(&mut self, kind: StatementKind, span: Span) {
        self.current_state();
        let statement = Statement { kind, span };
        statement.each_tree(&mut |tree| Self::consume(&mut self.temps, &mut self.pending, self.named, tree));
        self.body.push(statement);
    }

    /// Adds statements that have been lowered before.
    pub(super) fn emit_all(&mut self, statements: Vec<Statement>) {
        self.current_state();
        self.body.extend(statements);
    }

    pub(super) fn assign(&mut self, place: Place, value: Tree, span: Span) {
        let target = Target {
            kind: TargetKind::Place(place),
            span,
        };
        self.emit(
            StatementKind::Assign {
                targets: vec![target],
                value,
            },
            span,
        );
    }

    /// The statements of a block that stays inside the current state.
    pub(super) fn nested(&mut self, lower: impl FnOnce(&mut Self) -> Lowered) -> Lowered<Vec<Statement>> {
        self.current_state();
        let around = std::mem::take(&mut self.body);
        self.structured += 1;
        let done = lower(self);
        self.structured -= 1;
        let inside = std::mem::replace(&mut self.body, around);
        done.map(|()| inside)
    }

    /// Lowers what runs in states aside from the current one, beginning in a new state.
    pub(super) fn aside(&mut self, lower: impl FnOnce(&mut Self) -> Lowered) -> Lowered<StateId> {
        self.current_state();
        let around = std::mem::take(&mut self.body);
        let current = self.current.take();
        let structured = std::mem::take(&mut self.structured);
        let first = self.reserve();
        self.start(first, Span::default());
        let done = lower(self);
        debug_assert!(
            done.is_err() || self.current.is_none(),
            "states aside end by themselves"
        );
        self.structured = structured;
        self.current = current;
        self.body = around;
        done.map(|()| first)
    }

    // Temporaries.

    pub(super) fn temp(&mut self) -> SlotId {
        let free = self.temps.iter().position(|&temp| temp == Temp::Unused);
        let at = free.unwrap_or_else(|| {
            self.temps.push(Temp::Unused);
            self.temps.len() - 1
        });
        self.temps[at] = Temp::Kept;
        self.named + at as u32
    }

    pub(super) fn free(&mut self, slot: SlotId) {
        let temp = &mut self.temps[(slot - self.named) as usize];
        if *temp == Temp::Pending {
            self.pending -= 1;
        }
        *temp = Temp::Unused;
    }

    /// The value of the temporary, which is free again once a statement has taken it.
    pub(super) fn take(&mut self, slot: SlotId, span: Span) -> Tree {
        let temp = &mut self.temps[(slot - self.named) as usize];
        if *temp != Temp::Pending {
            *temp = Temp::Pending;
            self.pending += 1;
        }
        Tree {
            kind: TreeKind::Take(slot),
            span,
        }
    }

    /// Frees the temporaries that the tree takes, which will be evaluated before anything else.
    pub(super) fn release(&mut self, tree: &Tree) {
        Self::consume(&mut self.temps, &mut self.pending, self.named, tree);
    }

    /// Whether the current point can be reached.
    pub(super) fn is_open(&self) -> bool {
        self.current.is_some()
    }

    fn consume(temps: &mut [Temp], pending: &mut u32, named: u32, tree: &Tree) {
        if *pending == 0 {
            return;
        }
        if let TreeKind::Take(slot) = tree.kind {
            let temp = &mut temps[(slot - named) as usize];
            if *temp == Temp::Pending {
                *temp = Temp::Unused;
                *pending -= 1;
            }
        }
        tree.each_child(&mut |child| Self::consume(temps, pending, named, child));
    }

    /// Evaluates the tree now and keeps the value, unless nothing can change it.
    pub(super) fn spill(&mut self, tree: Tree) -> Tree {
        if matches!(tree.kind, TreeKind::Constant(_) | TreeKind::Take(_)) {
            return tree;
        }
        let span = tree.span;
        let slot = self.spill_into_temp(tree);
        self.take(slot, span)
    }

    pub(super) fn spill_into_temp(&mut self, tree: Tree) -> SlotId {
        let span = tree.span;
        if let TreeKind::Take(slot) = tree.kind {
            let temp = &mut self.temps[(slot - self.named) as usize];
            if *temp == Temp::Pending {
                *temp = Temp::Kept;
                self.pending -= 1;
                return slot;
            }
        }
        // What the value takes is free before the value is stored.
        self.release(&tree);
        let slot = self.temp();
        self.assign(Place::Local(slot), tree, span);
        slot
    }

    // The end.

    /// Closes the code: nothing is left to run.
    pub(super) fn finish(mut self, span: Span, params: Params, doc: Option<Rc<str>>) -> Rc<Code> {
        if self.current.is_some() {
            self.end(Terminator::Return(None), span);
        }
        let scope = &self.program.scopes.list[self.host];
        let mut slots = scope.slots.clone();
        slots.extend((0..self.temps.len()).map(|n| Symbol::new(&format!("${n}"))));
        let code = Code {
            name: scope.name,
            qualname: self.qualname,
            kind: self.kind,
            source: self.program.source.clone(),
            span,
            first_line: self.program.source.line(self.begins.unwrap_or(span.start)),
            attributes: scope.attributes.clone(),
            annotates: self.annotates,
            params,
            slots,
            cells: scope.cells.clone(),
            free: self.program.scopes.free_names(self.host),
            states: tidy::tidy(self.drafts, self.named),
            doc,
        };
        #[cfg(any(test, debug_assertions))]
        if let Err(problem) = super::verify::verify(&code) {
            panic!("lowering of {} is wrong: {problem}", code.qualname);
        }
        Rc::new(code)
    }
}

pub(super) fn tree(kind: TreeKind, span: Span) -> Tree {
    Tree { kind, span }
}

pub(super) fn none(span: Span) -> Tree {
    tree(TreeKind::Constant(ast::Constant::None), span)
}

pub(super) fn boxed(tree: Tree) -> Box<Tree> {
    Box::new(tree)
}
