//! Functions, bound methods, variables shared between functions, and frames.

use super::program::ProgramRef;
use super::running::Running;
use super::*;
use crate::code::{Code, CodeKind};
use crate::source::Symbol;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A variable that nested functions share.
#[derive(Default)]
pub struct VariableCell {
    pub value: ValueCell,
}

/// A script function: code, and what it was made with.
pub struct Function {
    pub code: Rc<Code>,
    /// The code in runnable form.
    pub program: ProgramRef,
    pub module: Ref<Module>,
    pub closure: Box<[Ref<VariableCell>]>,
    /// Defaults of the last positional parameters.
    pub defaults: RefCell<Rc<[Value]>>,
    pub kwdefaults: RefCell<Rc<[(Symbol, Value)]>>,
    pub names: RefCell<Option<Box<FunctionNames>>>,
    /// A dict, or unset as long as nobody asked.
    pub annotations: ValueCell,
    pub attrs: Attrs,
    /// Whether `types.coroutine` marked it: its generators can be awaited.
    pub is_awaitable: Cell<bool>,
    pub shape: CallShape,
}

/// What a call needs to know of a function at once (benchmark: compute/fib).
#[derive(Clone, Copy)]
pub struct CallShape {
    /// How many positional arguments it takes if it takes nothing else, runs to its end without
    /// suspending and shares no variable; else `u32::MAX`.
    pub simple: u32,
    /// Slots beyond its parameters.
    pub locals: u32,
    /// How many positional arguments a coroutine function takes, if it takes nothing else and
    /// shares no variable; else `u32::MAX`.
    pub coroutine: u32,
    /// The same of any function whose call makes a coroutine or generator.
    pub resumable: u32,
    /// Slots that are parameters or locals; the others are temporaries.
    pub variables: u32,
    slots: u32,
}

impl CallShape {
    pub fn of(code: &Code) -> CallShape {
        let params = &code.params;
        let count = params.names.len();
        let plain = params.positional as usize == count && code.cells.is_empty();
        let only = |fits: bool| if plain && fits { count as u32 } else { u32::MAX };
        CallShape {
            simple: only(!code.kind.is_resumable()),
            locals: (code.slots.len() - count) as u32,
            coroutine: only(code.kind == CodeKind::Coroutine),
            resumable: only(code.kind.is_resumable()),
            variables: code.variables() as u32,
            slots: code.slots.len() as u32,
        }
    }

    /// All its slots.
    #[inline(always)]
    pub fn slots(&self) -> usize {
        self.slots as usize
    }
}

/// Names and doc of a function after a script changed them.
#[derive(Clone)]
pub struct FunctionNames {
    pub name: Value,
    pub qualname: Value,
    pub doc: Value,
    pub module: Value,
}

impl Function {
    pub fn names(&self) -> FunctionNames {
        self.names
            .borrow()
            .as_deref()
            .cloned()
            .unwrap_or_else(|| FunctionNames {
                name: self.code.name.into(),
                qualname: (&*self.code.qualname).into(),
                doc: self.code.doc.as_deref().map_or(Value::None, Value::from),
                module: self.module.get(crate::source::name::NAME).unwrap_or(Value::None),
            })
    }

    pub fn change_names(&self, change: impl FnOnce(&mut FunctionNames)) {
        let mut names = self.names();
        change(&mut names);
        *self.names.borrow_mut() = Some(Box::new(names));
    }
}

/// A callable with its first argument.
pub struct Method {
    pub func: Value,
    pub this: Value,
}

impl Dying for VariableCell {}
impl Dying for Function {}

impl Drop for Function {
    /// What a function shares goes as the items of a tuple do, the last one first.
    fn drop(&mut self) {
        let mut shared = std::mem::take(&mut self.closure).into_vec();
        while let Some(cell) = shared.pop() {
            drop(cell);
        }
    }
}

impl Dying for Method {}

/// One call while it runs: what nodes work on.
pub struct Frame<'a> {
    pub func: &'a Ref<Function>,
    /// The same call as others may see it.
    pub running: &'a Running,
    /// The first of the code's slots. They are alive and nobody else touches them while the
    /// frame runs.
    slots: *mut Value,
    /// What `return` gave.
    pub result: Value,
    /// Where a `goto` leads.
    pub goto: u32,
    /// The names of a class body: a dict, or what `__prepare__` made.
    pub namespace: Option<&'a Value>,
    /// Exceptions that split handlers of this frame are handling; none as long as there are none.
    pub handling: Option<Box<Handling>>,
}

/// What the split handlers of a frame are handling.
#[derive(Default)]
pub struct Handling {
    /// Innermost last.
    pub exceptions: SmallVec<[Ref<Exception>; 1]>,
    /// What was being handled when the first of these began.
    pub outer: Option<Ref<Exception>>,
}

impl<'a> Frame<'a> {
    /// # Safety
    /// `slots` must point to as many initialised values as `func.code.slots` has, which live and
    /// are used only through this frame while it exists.
    #[inline(always)]
    pub unsafe fn new(func: &'a Ref<Function>, slots: *mut Value, running: &'a Running) -> Frame<'a> {
        Frame {
            func,
            running,
            slots,
            result: Value::Unset,
            goto: 0,
            namespace: None,
            handling: None,
        }
    }

    /// All slots, to look at.
    pub fn slots(&self) -> &[Value] {
        // SAFETY: as in `local`.
        unsafe { std::slice::from_raw_parts(self.slots, self.func.code.slots.len()) }
    }

    #[inline(always)]
    pub fn local(&self, slot: u32) -> &Value {
        debug_assert!((slot as usize) < self.func.code.slots.len());
        // SAFETY: lowering numbers slots below `code.slots.len()`, `new` promises that many.
        unsafe { &*self.slots.add(slot as usize) }
    }

    #[inline(always)]
    pub fn set_local(&mut self, slot: u32, value: Value) {
        debug_assert!((slot as usize) < self.func.code.slots.len());
        // SAFETY: as in `local`; the old value is dropped after the new one is in place.
        let old = unsafe { std::mem::replace(&mut *self.slots.add(slot as usize), value) };
        drop(old);
    }

    #[inline(always)]
    pub fn take_local(&mut self, slot: u32) -> Value {
        // SAFETY: as in `local`.
        unsafe { std::mem::take(&mut *self.slots.add(slot as usize)) }
    }
}

/// How a frame is gone on with.
pub enum Resume {
    /// With the result of what it waited for, or what was sent.
    Value(Value),
    /// With an exception, raised where it stands.
    Raise(Ref<Exception>),
}

/// How a frame's run ended. The value that goes with it is in the frame's `result`; an exception
/// is on its way as always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Return,
    Raise,
    /// `await value`
    Await,
    /// Give way for one pass of the loop, then go on with None.
    Pass,
    /// Give way for one pass of the loop, then go on with the value.
    PassWith,
    /// `await value`, and go on with its outcome as the built-in coroutine that was left for the
    /// machine.
    AwaitAs,
    /// `async for`: the next item of this async generator is wanted.
    AsyncNext,
    Yield,
    YieldFrom,
}

/// The state of a frame that has not run yet.
pub const NOT_STARTED: u32 = u32::MAX;
