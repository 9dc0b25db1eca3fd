//! Lowered programs as data: a function is a machine of states, a state holds await-free trees.
//!
//! Written by `lower`, read by `interp` (which builds its nodes from it) and by every tool that
//! shows code. Always true: no tree and no statement suspends; suspension is only ever a
//! state's [`Terminator`]. Loops, `if`, `try` and `with` that hold no suspension stay structured
//! statements inside one state.

pub mod liveness;
mod phrase;
pub mod readable;
pub mod spelling;
pub mod walk;

use crate::source::{Source, Span, Symbol};
pub use crate::syntax::ast::{BinaryOp, BoolOp, CompareOp, ComprehensionKind, Constant, Conversion, UnaryOp};
use std::rc::Rc;

/// Index into a frame's slots: parameters first, then locals, then temporaries.
pub type SlotId = u32;
/// Index into [`Code::states`]; execution starts in state 0.
pub type StateId = u32;

/// One lowered function, module, class body, lambda or generator expression.
pub struct Code {
    pub name: Symbol,
    /// `Outer.method`, `outer.<locals>.inner`
    pub qualname: Rc<str>,
    pub kind: CodeKind,
    pub source: Rc<Source>,
    /// The header of a `def` or `class`, the whole of a lambda or generator expression.
    pub span: Span,
    /// The line (from 1) on which it begins: that of the first decorator, if there is one.
    pub first_line: u32,
    /// Of a class: the attributes of `self` that functions in it assign to.
    pub attributes: Vec<Symbol>,
    /// Of a class or module: whether names are annotated in it.
    pub annotates: bool,
    pub params: Params,
    /// The name of each slot: parameters in the order of [`Params`], then locals. Temporaries
    /// have a name that is no identifier (`t0`, spelled `$0`).
    pub slots: Vec<Symbol>,
    /// Slots that hold a cell because a nested function captures the variable; made at entry
    /// (a parameter's value moves into its cell).
    pub cells: Vec<SlotId>,
    /// Variables captured from enclosing functions, in the order of a function's closure.
    pub free: Vec<Symbol>,
    pub states: Vec<State>,
    /// The docstring of a function, class or module.
    pub doc: Option<Rc<str>>,
}

impl Code {
    /// How many slots stand before the temporaries.
    pub fn variables(&self) -> usize {
        let first = self.slots.iter().position(|slot| slot.text().starts_with('$'));
        first.unwrap_or(self.slots.len())
    }

    /// Where a call stands that has not run any of it: the line on which it begins, nothing in it.
    pub fn entry(&self) -> Span {
        let start = self.source.line_start(self.first_line) as usize;
        Span::new(start, start)
    }

    /// The slots in the order in which CPython lists variables: parameters and locals, then the
    /// locals that nested functions share, by name.
    pub fn listed_slots(&self) -> (Vec<usize>, Vec<usize>) {
        let is_own =
            |slot: &usize| *slot < self.params.names.len() || !self.cells.contains(&(*slot as SlotId));
        let (own, mut shared): (Vec<usize>, Vec<usize>) = (0..self.slots.len()).partition(is_own);
        shared.sort_by_key(|&slot| self.slots[slot].text());
        (own, shared)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeKind {
    Module,
    /// A module with `await` outside of functions: a coroutine.
    AsyncModule,
    Class,
    Function,
    Generator,
    Coroutine,
    AsyncGenerator,
}

impl CodeKind {
    /// Whether running it can suspend, so that its frame lives on the heap.
    pub fn is_resumable(self) -> bool {
        matches!(
            self,
            CodeKind::AsyncModule | CodeKind::Generator | CodeKind::Coroutine | CodeKind::AsyncGenerator
        )
    }
}

/// Which parameters a function has. They fill slots `0..count()` in this order: positional-only,
/// positional-or-keyword, keyword-only, `*vararg`, `**kwarg`.
#[derive(Default, Clone)]
pub struct Params {
    pub names: Vec<Symbol>,
    pub posonly: u32,
    /// Positional parameters in all, positional-only ones included.
    pub positional: u32,
    pub kwonly: u32,
    pub has_vararg: bool,
    pub has_kwarg: bool,
}

impl Params {
    pub fn count(&self) -> usize {
        self.names.len()
    }
}

/// What runs without a pause, and what comes after it.
pub struct State {
    pub body: Vec<Statement>,
    pub end: Terminator,
    pub end_span: Span,
    /// Where an exception raised in this state goes; none: out of the function. An exception
    /// thrown in at a suspension is raised in the state that the suspension ends.
    pub handler: Option<Handler>,
}

/// The exception is stored in `slot`, then the machine goes on in `target`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Handler {
    pub target: StateId,
    pub slot: SlotId,
}

pub enum Terminator {
    Goto(StateId),
    Branch {
        test: Tree,
        then: StateId,
        orelse: StateId,
    },
    /// Assigns the next item of the iterator in slot `iter` to `target` and goes to `body`, or
    /// empties the slot and goes to `done`.
    Next {
        iter: SlotId,
        target: Target,
        body: StateId,
        done: StateId,
    },
    /// Awaits `value`; its result goes to `into` (nowhere if none), then `resume`.
    Await {
        value: Tree,
        into: Option<SlotId>,
        resume: StateId,
    },
    /// One step of `async for`: awaits `__anext__()` of the async iterator in slot `iter`; the
    /// item goes to slot `into`, then `body`. On `StopAsyncIteration` empties `iter`, then `done`.
    AsyncNext {
        iter: SlotId,
        into: SlotId,
        body: StateId,
        done: StateId,
    },
    /// Yields `value` (from an async generator: to its consumer); what is sent goes to `into`.
    Yield {
        value: Tree,
        into: Option<SlotId>,
        resume: StateId,
    },
    /// `yield from value`; its result goes to `into`.
    YieldFrom {
        value: Tree,
        into: Option<SlotId>,
        resume: StateId,
    },
    Return(Option<Tree>),
    /// `raise exc from cause`; without `exc`, raises what is being handled again.
    Raise {
        exc: Option<Tree>,
        cause: Option<Tree>,
    },
    /// Raises the exception in the slot again, as it is.
    Reraise(SlotId),
    /// The end of a split `finally`: goes on as `why` says. The slot holds the number of an
    /// [`Onward`] in `ways`.
    Dispatch {
        why: SlotId,
        ways: Vec<Onward>,
    },
}

/// Where a `finally` block leads to when it ends.
#[derive(Clone, Copy)]
pub enum Onward {
    Goto(StateId),
    /// Raise the exception in the slot again.
    Reraise(SlotId),
    /// Return the value in the slot.
    Return(SlotId),
}

pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

pub enum StatementKind {
    Eval(Tree),
    /// An expression statement at the prompt: prints the value's repr unless it is None.
    Show(Tree),
    /// The value is evaluated first, then each target left to right.
    Assign {
        targets: Vec<Target>,
        value: Tree,
    },
    /// The target's parts are evaluated once.
    AugAssign {
        target: Target,
        op: BinaryOp,
        value: Tree,
    },
    Delete(Target),
    /// `__annotations__[name] = value` of a module or class.
    Annotate {
        name: Symbol,
        value: Tree,
    },
    Assert {
        test: Tree,
        message: Option<Tree>,
    },
    Import {
        module: Symbol,
        asname: bool,
        place: Place,
    },
    ImportFrom {
        module: Option<Symbol>,
        level: u32,
        names: Vec<(Symbol, Place)>,
        star: bool,
    },
    If {
        test: Tree,
        body: Vec<Statement>,
        orelse: Vec<Statement>,
    },
    While {
        test: Tree,
        body: Vec<Statement>,
        orelse: Vec<Statement>,
    },
    For {
        target: Target,
        iter: Tree,
        body: Vec<Statement>,
        orelse: Vec<Statement>,
    },
    Try(Box<Try>),
    /// `with context as target: body`, one item.
    With {
        context: Tree,
        target: Option<Target>,
        body: Vec<Statement>,
    },
    /// Leave or continue the innermost structured loop.
    Break,
    Continue,
    /// Leave every structured statement of this state (running their `finally`) for a state.
    Goto(StateId),
    Return(Option<Tree>),
    Raise {
        exc: Option<Tree>,
        cause: Option<Tree>,
    },
    /// Puts a fresh, empty cell into the slot.
    MakeCell(SlotId),
    /// Empties a slot (a temporary that is no longer needed); it may be empty already.
    Clear(SlotId),
    /// The exception in the slot is now the one being handled (what bare `raise` raises and what
    /// becomes `__context__`), until the matching `LeaveHandler`. Only in split `try`.
    EnterHandler(SlotId),
    LeaveHandler,
    /// Adds to the list, set or dict that a split comprehension builds in slot `into`.
    Collect {
        into: SlotId,
        kind: ComprehensionKind,
        key: Option<Tree>,
        element: Tree,
    },
}

pub struct Try {
    pub body: Vec<Statement>,
    pub handlers: Vec<ExceptClause>,
    pub is_star: bool,
    pub orelse: Vec<Statement>,
    pub finalbody: Vec<Statement>,
}

/// `except kind as name: body`; the name is deleted at the end of the body, however it ends.
pub struct ExceptClause {
    pub kind: Option<Tree>,
    pub name: Option<Place>,
    pub body: Vec<Statement>,
    pub span: Span,
}

/// Where a variable lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A slot of this frame.
    Local(SlotId),
    /// The cell in a slot of this frame.
    Cell(SlotId),
    /// The n-th cell of this function's closure.
    Free(u32),
    /// A module variable; reading falls back to the builtins.
    Global(Symbol),
    /// A name of a class body's namespace; reading falls back to the module, then the builtins.
    ClassName(Symbol),
    /// Reading a name in a class body that enclosing functions bind: the namespace, then the
    /// n-th cell of the closure.
    ClassFree(Symbol, u32),
}

/// What can stand left of `=`.
pub struct Target {
    pub kind: TargetKind,
    pub span: Span,
}

pub enum TargetKind {
    Place(Place),
    Attribute {
        object: Tree,
        name: Symbol,
    },
    Subscript {
        object: Tree,
        index: Tree,
    },
    /// `a, *b, c`: `star` is the index of the starred one.
    Unpack {
        targets: Vec<Target>,
        star: Option<u32>,
    },
}

/// An expression that does not suspend.
pub struct Tree {
    pub kind: TreeKind,
    pub span: Span,
}

pub enum TreeKind {
    Constant(Constant),
    Load(Place),
    /// Moves the value out of a temporary, which is certainly set.
    Take(SlotId),
    /// Reads a temporary, which is certainly set, and leaves it.
    Peek(SlotId),
    /// Stores and gives the value: `name := value`.
    Walrus {
        place: Place,
        value: Box<Tree>,
    },
    Binary {
        op: BinaryOp,
        left: Box<Tree>,
        right: Box<Tree>,
    },
    /// `left op= right` as an expression (of a split augmented assignment).
    InPlace {
        op: BinaryOp,
        left: Box<Tree>,
        right: Box<Tree>,
    },
    Unary {
        op: UnaryOp,
        operand: Box<Tree>,
    },
    BoolOp {
        op: BoolOp,
        values: Vec<Tree>,
    },
    /// `left op a op b …`, each operand evaluated once.
    Compare {
        left: Box<Tree>,
        rest: Vec<(CompareOp, Tree)>,
    },
    IfElse {
        test: Box<Tree>,
        body: Box<Tree>,
        orelse: Box<Tree>,
    },
    Call {
        func: Box<Tree>,
        args: Vec<Argument>,
    },
    Attribute {
        object: Box<Tree>,
        name: Symbol,
    },
    Subscript {
        object: Box<Tree>,
        index: Box<Tree>,
    },
    Slice {
        lower: Option<Box<Tree>>,
        upper: Option<Box<Tree>>,
        step: Option<Box<Tree>>,
    },
    Tuple(Vec<Element>),
    List(Vec<Element>),
    Set(Vec<Element>),
    /// A key of none is `**value`.
    Dict(Vec<(Option<Tree>, Tree)>),
    FString(Vec<Part>),
    Comprehension(Box<Comprehension>),
    Function(Box<MakeFunction>),
    Class(Box<MakeClass>),

    // What only lowering writes: the pieces of split statements.
    /// `iter(value)`, kept for [`Terminator::Next`].
    Iter(Box<Tree>),
    /// `aiter(value)` for [`Terminator::AsyncNext`].
    AsyncIter(Box<Tree>),
    /// Evaluates a context manager, keeps its bound `__exit__` (`__aexit__`) in `exit` and gives
    /// what `__enter__()` (`__aenter__()`) returns: the value, or what is to be awaited.
    Enter {
        context: Box<Tree>,
        is_async: bool,
        exit: SlotId,
    },
    /// Calls the `__exit__` in slot `exit` (moving it out) with the exception in slot `exc`, or
    /// with three Nones.
    Exit {
        exit: SlotId,
        exc: Option<SlotId>,
    },
    /// Whether the exception in the slot matches `except kind:` (checks that `kind` is legal).
    ExceptMatch {
        exc: SlotId,
        kind: Box<Tree>,
    },
    /// One `except* kind:`: moves what matches from the group in `rest` to `matched` (both
    /// exceptions or None); true if anything did.
    ExceptStarMatch {
        rest: SlotId,
        matched: SlotId,
        kind: Box<Tree>,
    },
    /// The end of a split `except*`: what is to be raised of the exceptions raised by its clauses
    /// (list in `raised`) and of what is left in `rest`, or None. `original` is what came in.
    ExceptStarRest {
        original: SlotId,
        raised: SlotId,
        rest: SlotId,
    },
    /// Whether the value in the slot matches; binds the pattern's names.
    Match {
        subject: SlotId,
        pattern: Box<Pattern>,
    },
}

pub enum Argument {
    Positional(Tree),
    Star(Tree),
    Keyword(Symbol, Tree),
    DoubleStar(Tree),
}

pub enum Element {
    One(Tree),
    Star(Tree),
}

/// A part of an f-string.
pub enum Part {
    Text(Rc<str>),
    Field {
        value: Tree,
        conversion: Option<Conversion>,
        spec: Option<Vec<Part>>,
        span: Span,
    },
}

/// A comprehension without suspension, run in the frame of the function it stands in.
pub struct Comprehension {
    pub kind: ComprehensionKind,
    pub key: Option<Tree>,
    pub element: Tree,
    pub clauses: Vec<Clause>,
    /// Slots of its own variables that nested functions capture: fresh cells at each start.
    pub cells: Vec<SlotId>,
}

pub struct Clause {
    pub target: Target,
    pub iter: Tree,
    pub conditions: Vec<Tree>,
}

pub struct MakeFunction {
    pub code: Rc<Code>,
    /// Defaults of the last positional parameters.
    pub defaults: Vec<Tree>,
    pub kwdefaults: Vec<(Symbol, Tree)>,
    pub annotations: Vec<(Symbol, Tree)>,
    /// Where each variable of `code.free` is found here: `Cell` or `Free`.
    pub captures: Vec<Place>,
}

/// `class name(args): …`, without its decorators (which are calls around it).
pub struct MakeClass {
    pub name: Symbol,
    pub args: Vec<Argument>,
    /// Runs with the new namespace; if methods use `super()` or `__class__`, its slot
    /// `class_cell` holds the cell that is given the finished class.
    pub code: Rc<Code>,
    pub captures: Vec<Place>,
    pub class_cell: Option<SlotId>,
}

pub struct Pattern {
    pub kind: PatternKind,
    pub span: Span,
}

pub enum PatternKind {
    /// Compared with `==`.
    Value(Tree),
    /// Compared with `is`.
    Singleton(Constant),
    /// Always matches.
    Wildcard,
    Capture {
        pattern: Option<Box<Pattern>>,
        place: Place,
    },
    Or(Vec<Pattern>),
    /// `star`: index of the `Star` among the patterns.
    Sequence {
        patterns: Vec<Pattern>,
        star: Option<u32>,
    },
    Star(Option<Place>),
    Mapping {
        keys: Vec<Tree>,
        patterns: Vec<Pattern>,
        rest: Option<Place>,
    },
    Class {
        cls: Tree,
        patterns: Vec<Pattern>,
        keywords: Vec<(Symbol, Pattern)>,
    },
}
