//! The syntax tree: what a program says, before names are resolved.
//!
//! Names and shapes follow Python's `ast` module. Always true: a tree that the parser hands out
//! has legal targets, parameters and patterns; scopes (`return` outside a function, `nonlocal`
//! without a binding) are lowering's business.

use super::SyntaxWarning;
use crate::source::{Span, Symbol};
use num_bigint::BigInt;

#[derive(Debug, Clone)]
pub struct Module {
    pub body: Vec<Stmt>,
    pub warnings: Vec<SyntaxWarning>,
}

#[derive(Debug, Clone)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum StmtKind {
    Expr(Expr),
    /// `a = b = value`: targets left to right.
    Assign {
        targets: Vec<Expr>,
        value: Expr,
    },
    /// `target op= value`
    AugAssign {
        target: Expr,
        op: BinaryOp,
        value: Expr,
    },
    /// `target: annotation = value`; `simple` if the target is a bare name without parentheses.
    AnnAssign {
        target: Expr,
        annotation: Expr,
        value: Option<Expr>,
        simple: bool,
    },
    Del(Vec<Expr>),
    Pass,
    Break,
    Continue,
    Return(Option<Expr>),
    Raise {
        exc: Option<Expr>,
        cause: Option<Expr>,
    },
    Global(Vec<(Symbol, Span)>),
    Nonlocal(Vec<(Symbol, Span)>),
    Assert {
        test: Expr,
        message: Option<Expr>,
    },
    /// `import a.b as c, d`
    Import(Vec<Alias>),
    /// `from ..module import names`; `level` counts the dots; `names` empty means `*`.
    ImportFrom {
        module: Option<Symbol>,
        names: Vec<Alias>,
        level: u32,
    },
    /// `elif` is an `If` alone in `orelse`.
    If {
        test: Expr,
        body: Vec<Stmt>,
        orelse: Vec<Stmt>,
    },
    While {
        test: Expr,
        body: Vec<Stmt>,
        orelse: Vec<Stmt>,
    },
    For {
        is_async: bool,
        target: Expr,
        iter: Expr,
        body: Vec<Stmt>,
        orelse: Vec<Stmt>,
    },
    Try {
        body: Vec<Stmt>,
        handlers: Vec<Handler>,
        is_star: bool,
        orelse: Vec<Stmt>,
        finalbody: Vec<Stmt>,
    },
    With {
        is_async: bool,
        items: Vec<WithItem>,
        body: Vec<Stmt>,
    },
    Match {
        subject: Expr,
        cases: Vec<Case>,
    },
    /// `def` and `async def`.
    Function(Box<Function>),
    Class(Box<Class>),
    /// Valid Python that is not part of aio (`type X = …`, type parameters): the message says what.
    Outside(String),
}

/// `name as asname`; `name` may be dotted in `import`.
#[derive(Debug, Clone)]
pub struct Alias {
    pub name: Symbol,
    pub asname: Option<Symbol>,
    pub span: Span,
}

/// `except kind as name: body`
#[derive(Debug, Clone)]
pub struct Handler {
    pub kind: Option<Expr>,
    pub name: Option<Symbol>,
    pub body: Vec<Stmt>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct WithItem {
    pub context: Expr,
    pub target: Option<Expr>,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub pattern: Pattern,
    pub guard: Option<Expr>,
    pub body: Vec<Stmt>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct Pattern {
    pub kind: PatternKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum PatternKind {
    /// A literal number, string or dotted name, compared with `==`.
    Value(Expr),
    /// `None`, `True`, `False`, compared with `is`.
    Singleton(Constant),
    /// `pattern as name`; a bare name has no pattern; `_` has neither.
    As {
        pattern: Option<Box<Pattern>>,
        name: Option<Symbol>,
    },
    Or(Vec<Pattern>),
    /// `[a, *b]`, `(a, b)`, `a, b`; at most one `Star`.
    Sequence(Vec<Pattern>),
    /// `*name` or `*_`, only within `Sequence`.
    Star(Option<Symbol>),
    /// `{key: pattern, **rest}`
    Mapping {
        keys: Vec<Expr>,
        patterns: Vec<Pattern>,
        rest: Option<Symbol>,
    },
    /// `cls(patterns, name=pattern)`
    Class {
        cls: Expr,
        patterns: Vec<Pattern>,
        keywords: Vec<(Symbol, Pattern)>,
    },
}

#[derive(Debug, Clone)]
pub struct Function {
    pub name: Symbol,
    pub is_async: bool,
    pub decorators: Vec<Expr>,
    pub params: Params,
    pub returns: Option<Expr>,
    pub body: Vec<Stmt>,
    /// From `def` (or `async`) to the colon of the header.
    pub header: Span,
}

#[derive(Debug, Clone, Default)]
pub struct Params {
    /// In order of the text: positional-only, positional, keyword-only.
    pub posonly: Vec<Param>,
    pub args: Vec<Param>,
    /// `*args`
    pub vararg: Option<Param>,
    pub kwonly: Vec<Param>,
    /// `**kwargs`
    pub kwarg: Option<Param>,
}

#[derive(Debug, Clone)]
pub struct Param {
    pub name: Symbol,
    pub annotation: Option<Expr>,
    pub default: Option<Expr>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct Class {
    pub name: Symbol,
    pub decorators: Vec<Expr>,
    /// Bases and keywords (`metaclass=…` and those for `__init_subclass__`), as in a call.
    pub args: Vec<Arg>,
    pub body: Vec<Stmt>,
    pub header: Span,
}

#[derive(Debug, Clone)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum ExprKind {
    Constant(Constant),
    Name(Symbol),
    /// f-string, with the plain strings it is concatenated with folded into `parts`.
    FString(Vec<FStringPart>),
    /// `a and b and c`, flattened.
    BoolOp {
        op: BoolOp,
        values: Vec<Expr>,
    },
    /// `target := value`
    Walrus {
        target: Symbol,
        value: Box<Expr>,
    },
    Binary {
        left: Box<Expr>,
        op: BinaryOp,
        right: Box<Expr>,
    },
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    Lambda(Box<Lambda>),
    /// `body if test else orelse`
    IfElse {
        test: Box<Expr>,
        body: Box<Expr>,
        orelse: Box<Expr>,
    },
    Dict(Vec<DictItem>),
    Set(Vec<Expr>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Comprehension(Box<Comprehension>),
    Await(Box<Expr>),
    Yield(Option<Box<Expr>>),
    YieldFrom(Box<Expr>),
    /// `left op1 a op2 b …`
    Compare {
        left: Box<Expr>,
        rest: Vec<(CompareOp, Expr)>,
    },
    Call {
        func: Box<Expr>,
        args: Vec<Arg>,
    },
    Attribute {
        value: Box<Expr>,
        name: Symbol,
        name_span: Span,
    },
    Subscript {
        value: Box<Expr>,
        index: Box<Expr>,
    },
    /// `lower:upper:step`, only within `Subscript` (bare or in a tuple there).
    Slice {
        lower: Option<Box<Expr>>,
        upper: Option<Box<Expr>>,
        step: Option<Box<Expr>>,
    },
    /// `*value` in displays, calls' positional places, targets and subscripts.
    Starred(Box<Expr>),
    /// `(value)`: kept so that `(a < b) < c` and targets stay apart; means `value`.
    Paren(Box<Expr>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    None,
    True,
    False,
    Ellipsis,
    Int(i64),
    BigInt(BigInt),
    Float(f64),
    Str(std::rc::Rc<str>),
    Bytes(std::rc::Rc<[u8]>),
}

#[derive(Debug, Clone)]
pub enum FStringPart {
    Text(std::rc::Rc<str>),
    Field(Box<FStringField>),
}

/// `{value=!r:spec}`
#[derive(Debug, Clone)]
pub struct FStringField {
    pub value: Expr,
    /// For `{value=}`: the text up to and with the `=` and its blanks.
    pub debug_text: Option<std::rc::Rc<str>>,
    pub conversion: Option<Conversion>,
    /// Present, if perhaps empty, where a `:` stands.
    pub spec: Option<Vec<FStringPart>>,
    /// From brace to brace.
    pub span: Span,
}

impl FStringPart {
    pub fn field(&self) -> Option<&FStringField> {
        match self {
            FStringPart::Text(_) => None,
            FStringPart::Field(field) => Some(field),
        }
    }
}

impl FStringField {
    /// Whether the value itself is asked to format itself in a certain way: `{price:.2f}`.
    pub fn is_formatted(&self) -> bool {
        self.conversion.is_none() && self.spec.as_ref().is_some_and(|spec| !spec.is_empty())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    Str,
    Repr,
    Ascii,
}

/// Positional and starred arguments and keywords, in order of the text.
#[derive(Debug, Clone)]
pub enum Arg {
    Positional(Expr),
    /// `*value`
    Star(Expr),
    Keyword {
        name: Symbol,
        value: Expr,
        span: Span,
    },
    /// `**value`
    DoubleStar(Expr),
}

#[derive(Debug, Clone)]
pub enum DictItem {
    Pair(Expr, Expr),
    /// `**value`
    Unpack(Expr),
}

#[derive(Debug, Clone)]
pub struct Lambda {
    pub params: Params,
    pub body: Expr,
}

#[derive(Debug, Clone)]
pub struct Comprehension {
    pub kind: ComprehensionKind,
    /// The element (or dict value).
    pub element: Expr,
    /// The key of a dict comprehension.
    pub key: Option<Expr>,
    pub clauses: Vec<Clause>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComprehensionKind {
    List,
    Set,
    Dict,
    Generator,
}

/// `for target in iter if condition…`
#[derive(Debug, Clone)]
pub struct Clause {
    pub is_async: bool,
    pub target: Expr,
    pub iter: Expr,
    pub conditions: Vec<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoolOp {
    And,
    Or,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    MatMul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    LeftShift,
    RightShift,
    BitOr,
    BitXor,
    BitAnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    Not,
    Neg,
    Pos,
    Invert,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    Eq,
    NotEq,
    Lt,
    LtE,
    Gt,
    GtE,
    Is,
    IsNot,
    In,
    NotIn,
}

impl CompareOp {
    /// `is`, `is not`
    pub fn is_identity(self) -> bool {
        matches!(self, CompareOp::Is | CompareOp::IsNot)
    }

    /// `in`, `not in`
    pub fn is_membership(self) -> bool {
        matches!(self, CompareOp::In | CompareOp::NotIn)
    }
}
