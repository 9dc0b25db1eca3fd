//! Built-in functions: declared once, with name, signature, doc and body together.

use super::*;
use crate::source::Symbol;
use std::cell::OnceCell;
use std::ops::Deref;
use std::rc::Rc;

/// The declaration of a built-in. The signature is written as Python would show it, without
/// annotations: `(self, sep=None, /, maxsplit=-1)`. The body gets exactly one value for each
/// parameter, in that order: unset where a default applies, a tuple for `*args`, a dict for
/// `**kwargs`, unset if there are none.
pub struct NativeDef {
    pub name: &'static str,
    pub signature: &'static str,
    pub doc: &'static str,
    pub role: NativeRole,
    pub body: NativeBody,
    /// The module in which CPython has it in Python, if it does.
    pub module: Option<&'static str>,
}

/// How a built-in behaves as an attribute of a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NativeRole {
    Function,
    Method,
    ClassMethod,
    Static,
    /// Computed on reading: `future.name`.
    Getter,
    /// The same, but CPython reads it straight from its place in the object: such have a type of
    /// their own.
    Member,
    /// `obj.name = value`; stored under `name=`.
    Setter,
    /// Refuses `obj.name = value` and `del obj.name`; stored under `name=`.
    ReadOnly,
}

#[derive(Clone)]
pub enum NativeBody {
    Plain(fn(&[Value]) -> Res),
    /// Needs to know who calls: `locals`, `super`.
    Frame(fn(&mut function::Frame, &[Value]) -> Res),
    /// A coroutine function: the body runs when the coroutine is first resumed.
    Coroutine(fn(&[Value]) -> Res<Step>),
    Closure(Rc<dyn Fn(&[Value]) -> Res>),
    /// Takes the arguments as the call has them: positional ones, then one for each of the names.
    Given(fn(&[Value], &[Symbol]) -> Res),
    /// Takes two values where they are, as operators do.
    Pair(Rc<dyn Fn(&Value, &Value) -> Res>),
    /// Written in aio, with the parameters of the signature.
    Written(Ref<function::Function>),
}

/// A built-in function or method as an object.
pub struct Native {
    pub name: Symbol,
    pub signature: Signature,
    pub doc: &'static str,
    pub role: NativeRole,
    pub body: NativeBody,
    /// The class or module it belongs to, for its qualified name.
    pub owner: &'static str,
    /// The module in which CPython has it in Python: scripts see a function of it.
    pub module: Option<&'static str>,
}

impl NativeRole {
    /// Whether reading the attribute calls it.
    #[inline(always)]
    pub fn is_getter(self) -> bool {
        matches!(self, NativeRole::Getter | NativeRole::Member)
    }
}

impl NativeDef {
    /// The same, which CPython has in Python in a module.
    pub const fn in_python(mut self, module: &'static str) -> NativeDef {
        self.module = Some(module);
        self
    }

    /// The name under which a class has it.
    pub fn key(&self) -> Symbol {
        match self.role {
            NativeRole::Setter | NativeRole::ReadOnly => Symbol::new(&format!("{}=", self.name)),
            _ => Symbol::new(self.name),
        }
    }
}

impl Native {
    /// How many parameters it has, if they are few and so many positional arguments, and no others,
    /// can stand for them as they are, with unset for what is left out.
    #[inline(always)]
    pub fn few_params(&self, npos: usize) -> Option<usize> {
        let params = self.signature.params.len();
        (self.signature.fits(npos) && params <= FEW).then_some(params)
    }

    /// How a call site with so many positional arguments and no others can call it at once; none if
    /// they have to be laid out by rule.
    #[inline(always)]
    pub fn direct(&self, npos: usize) -> Option<Direct> {
        if self.signature.takes_rest {
            return self.direct_with_rest(npos);
        }
        let params = self.few_params(npos)?;
        match self.body {
            NativeBody::Plain(body) => Some(Direct::Call(body, params)),
            NativeBody::Coroutine(body) => Some(Direct::Begin(body, params)),
            _ => None,
        }
    }

    fn direct_with_rest(&self, npos: usize) -> Option<Direct> {
        let (rest, params) = (self.signature.before_rest, self.signature.params.len());
        let is_room_for_self = rest > 0 || self.role != NativeRole::Method;
        match self.body {
            NativeBody::Plain(body)
                if npos >= self.signature.required && params <= FEW && is_room_for_self =>
            {
                Some(Direct::WithRest(body, Rest { place: rest, params }))
            }
            _ => None,
        }
    }
}

/// Where the tuple of a `*args` stands among the values that a built-in gets, and how many those are.
#[derive(Clone, Copy)]
pub struct Rest {
    pub place: usize,
    pub params: usize,
}

/// So many arguments a call site keeps on the native stack.
pub const FEW: usize = 4;

/// A built-in that takes a call site's arguments as they are, with unset for what is left out: its
/// body, and how many parameters it has, at most [`FEW`].
#[derive(Clone, Copy)]
pub enum Direct {
    Call(fn(&[Value]) -> Res, usize),
    /// The same with a `*args`, for which the call site makes the tuple.
    WithRest(fn(&[Value]) -> Res, Rest),
    /// A coroutine function, for who awaits it there.
    Begin(fn(&[Value]) -> Res<Step>, usize),
}

impl Dying for Native {}

/// What a built-in takes: its text, read when it is first asked for.
pub struct Signature {
    pub text: &'static str,
    parameters: OnceCell<Parameters>,
}

/// Parameters of a built-in.
pub struct Parameters {
    pub params: Vec<NativeParam>,
    /// How many positional arguments it needs and takes (`usize::MAX` with `*args`).
    pub required: usize,
    pub positional: usize,
    /// Positional parameters, keyword-only ones with defaults and `**kwargs`: positional arguments
    /// can be handed on as they are.
    pub is_simple: bool,
    /// The same but for a `*args` after the positional parameters.
    pub takes_rest: bool,
    /// How many parameters stand before the `*args`.
    pub before_rest: usize,
}

pub struct NativeParam {
    pub name: Symbol,
    pub kind: ParamKind,
    pub has_default: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamKind {
    PositionalOnly,
    Positional,
    KeywordOnly,
    Args,
    Kwargs,
}

impl Signature {
    pub fn new(text: &'static str) -> Signature {
        let parameters = OnceCell::new();
        Signature { text, parameters }
    }
}

impl Deref for Signature {
    type Target = Parameters;

    #[inline(always)]
    fn deref(&self) -> &Parameters {
        self.parameters.get_or_init(
            #[cold]
            || Parameters::parse(self.text),
        )
    }
}

impl Parameters {
    fn parse(text: &'static str) -> Parameters {
        let inner = text.trim().trim_start_matches('(').trim_end_matches(')');
        let mut params: Vec<NativeParam> = Vec::new();
        let mut keyword_only = false;
        for part in split_commas(inner) {
            if part == "/" {
                params.iter_mut().for_each(|p| p.kind = ParamKind::PositionalOnly);
                continue;
            }
            if part == "*" {
                keyword_only = true;
                continue;
            }
            let (head, default) = part.split_once('=').map_or((part, None), |(h, d)| (h, Some(d)));
            let (name, kind) = if let Some(name) = head.strip_prefix("**") {
                (name, ParamKind::Kwargs)
            } else if let Some(name) = head.strip_prefix('*') {
                keyword_only = true;
                (name, ParamKind::Args)
            } else if keyword_only {
                (head, ParamKind::KeywordOnly)
            } else {
                (head, ParamKind::Positional)
            };
            params.push(NativeParam {
                name: Symbol::new(name.trim()),
                kind,
                has_default: default.is_some(),
            });
        }
        let is_positional =
            |p: &&NativeParam| matches!(p.kind, ParamKind::PositionalOnly | ParamKind::Positional);
        let required = params
            .iter()
            .filter(is_positional)
            .filter(|p| !p.has_default)
            .count();
        let count = params.iter().filter(is_positional).count();
        let before_rest = params.iter().position(|p| p.kind == ParamKind::Args);
        let has_args = before_rest.is_some();
        let is_rest_optional = params[count..]
            .iter()
            .all(|p| p.kind != ParamKind::KeywordOnly || p.has_default);
        Parameters {
            before_rest: before_rest.unwrap_or(params.len()),
            params,
            required,
            positional: if has_args { usize::MAX } else { count },
            is_simple: is_rest_optional && !has_args,
            takes_rest: is_rest_optional && has_args,
        }
    }

    /// Whether there is a `*args`.
    pub fn has_rest(&self) -> bool {
        self.before_rest < self.params.len()
    }

    /// Whether so many positional arguments can be handed on as they are.
    #[inline(always)]
    pub fn fits(&self, npos: usize) -> bool {
        self.is_simple && npos <= self.positional && npos >= self.required
    }
}

/// Splits at commas outside brackets and quotes (defaults may hold them).
fn split_commas(text: &'static str) -> Vec<&'static str> {
    let (mut depth, mut quote, mut start, mut parts) = (0, None, 0, Vec::new());
    for (i, c) in text.char_indices() {
        match c {
            '\'' | '"' if quote == Some(c) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            '(' | '[' | '{' if quote.is_none() => depth += 1,
            ')' | ']' | '}' if quote.is_none() => depth -= 1,
            ',' if depth == 0 && quote.is_none() => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|p| !p.is_empty());
    parts
}

impl Native {
    /// What `owner`, a class or module, has under the name.
    pub fn of(def: &NativeDef, owner: &'static str) -> Ref<Native> {
        Native::made(def, owner, def.module)
    }

    /// The same, which CPython has in Python in `module`.
    pub fn of_python(def: &NativeDef, owner: &'static str, module: &'static str) -> Ref<Native> {
        Native::made(def, owner, Some(module))
    }

    fn made(def: &NativeDef, owner: &'static str, module: Option<&'static str>) -> Ref<Native> {
        Ref::new(Native {
            name: Symbol::new(def.name),
            signature: Signature::new(def.signature),
            doc: def.doc,
            role: def.role,
            body: def.body.clone(),
            owner,
            module,
        })
    }

    /// The name of what it belongs to, a class's without its module.
    pub fn owner_name(&self) -> &'static str {
        match self.role {
            NativeRole::Function => self.owner,
            _ => self.owner.rsplit('.').next().unwrap_or(self.owner),
        }
    }

    /// Whether CPython has it in Python.
    #[inline]
    pub fn in_python(&self) -> bool {
        self.module.is_some()
    }

    /// Whether it is a special method that CPython keeps in a type's slots, rather than in its
    /// table of methods: such have types and messages of their own.
    pub fn is_slot(&self) -> bool {
        const IN_TABLES: [&str; 23] = [
            "bytes",
            "ceil",
            "class_getitem",
            "complex",
            "copy",
            "deepcopy",
            "dir",
            "enter",
            "exit",
            "floor",
            "format",
            "getnewargs",
            "instancecheck",
            "length_hint",
            "missing",
            "reduce",
            "reduce_ex",
            "reversed",
            "round",
            "sizeof",
            "subclasscheck",
            "subclasses",
            "trunc",
        ];
        let inner = self
            .name
            .text()
            .strip_prefix("__")
            .and_then(|n| n.strip_suffix("__"));
        let Some(inner) = inner else { return false };
        let is_listed = match inner {
            "getitem" => matches!(self.owner, "list" | "dict"),
            "contains" => matches!(self.owner, "dict" | "set" | "frozenset"),
            _ => IN_TABLES.contains(&inner),
        };
        self.role == NativeRole::Method && !is_listed
    }

    /// A function value from a closure.
    pub fn closure(
        name: &'static str,
        signature: &'static str,
        body: impl Fn(&[Value]) -> Res + 'static,
    ) -> Value {
        Ref::new(Native {
            name: Symbol::new(name),
            signature: Signature::new(signature),
            doc: "",
            role: NativeRole::Static,
            body: NativeBody::Closure(Rc::new(body)),
            owner: "",
            module: None,
        })
        .into()
    }
}
