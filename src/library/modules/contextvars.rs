//! The module `contextvars`: variables that each task has its own values of.

use crate::interp::error::{key_error, runtime_error, type_error, value_error};
use crate::interp::text;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{isinstance, iterate};
use crate::library::asyncio::{class_argument, natives, rest};
use crate::library::builtins::{UNHASHABLE, add};
use crate::runtime::handle;
use crate::source::Symbol;
use crate::value::context::{self, Context, ContextVar};
use crate::value::*;
use smallvec::SmallVec;
use std::cell::Cell;
use std::rc::Rc;

/// What `var.set()` gives, for `var.reset()`.
struct Token {
    var: Value,
    /// Unset if the variable had no value.
    old: Value,
    context: Rc<Context>,
    used: Cell<bool>,
}

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_contextvars", &[FUNCTIONS]);
    let types = [
        ("ContextVar", Type::ContextVar),
        ("Token", Type::ContextToken),
        ("Context", Type::Context),
    ];
    names.extend(types.map(|(name, id)| (Symbol::new(name), class(id).into())));
    names
}

/// Gives the classes their methods. Once for each OS thread.
pub fn install_types() {
    add(&class(Type::ContextVar), VAR);
    add(&class(Type::ContextToken), TOKEN);
    add(&class(Type::Context), CONTEXT);
    class(Type::Context).add(UNHASHABLE);
    class(Type::ContextToken).add(UNHASHABLE);
    class(Type::ContextToken).add(ClassPart::Made(|| vec![(Symbol::new("MISSING"), missing())]));
}

thread_local! {
    static MISSING: Value = {
        let kind = crate::interp::types::named_class("Token.MISSING");
        add(&kind, MISSING_METHODS);
        Opaque::value(kind, Missing)
    };
}

struct Missing;

const MISSING_METHODS: &[NativeDef] = natives! {
    Method Plain "__repr__" "(self, /)" "`<Token.MISSING>`" |_| Ok("<Token.MISSING>".into());
};

/// `Token.MISSING`: the variable had no value before.
fn missing() -> Value {
    MISSING.with(Value::clone)
}

fn variable(value: &Value) -> Res<&Rc<ContextVar>> {
    value
        .opaque()
        .ok_or_else(|| type_error(format!("a ContextVar key was expected, got {}", shown(value))))
}

fn shown(value: &Value) -> String {
    crate::runtime::task::shown(value)
}

fn token(args: &[Value]) -> Res<&Token> {
    args[0]
        .opaque()
        .ok_or_else(|| type_error(format!("a Token is required, not '{}'", class_name(&args[0]))))
}

fn context_of(args: &[Value]) -> Res<&Rc<Context>> {
    args[0]
        .opaque()
        .ok_or_else(|| type_error(format!("a Context is required, not '{}'", class_name(&args[0]))))
}

/// A context that nobody else has yet, as an object. The context learns of the object when it is handed to
/// somebody (`event_loop::context_of`), which most never are.
fn fresh(context: Rc<Context>) -> Value {
    Opaque::value(class(Type::Context), context)
}

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "copy_context" "()" "A copy of the current context."
        |_| Ok(fresh(context::current().copy()));
};

const VAR: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, name, /, *, default=None)" "A context variable." |args| {
        if !matches!(args[1], Value::Str(_)) {
            return Err(type_error("context variable name must be a str"));
        }
        let class = class_argument(args)?;
        let (name, default) = (args[1].clone(), args[2].clone());
        let var = Rc::new(ContextVar { name, default, object: weak::Pointer::default() });
        Ok(var.object.get_or_make(|| Opaque::value(class, var.clone())))
    };
    Method Plain "__init__" "(self, *args, **kwargs)" "Nothing is left to do." |_| Ok(Value::None);
    Method Plain "get" "(self, default=None, /)"
        "Its value in the current context; else the default; else LookupError."
        |args| {
        let var = variable(&args[0])?;
        if let Some(value) = context::get(var) {
            return Ok(value);
        }
        if !args[1].is_unset() {
            return Ok(args[1].clone());
        }
        if !var.default.is_unset() {
            return Ok(var.default.clone());
        }
        Err(Raised::new(Exception::new(class(Type::LookupError), vec![args[0].clone()])))
    };
    Method Plain "set" "(self, value, /)"
        "Set its value in the current context; gives a token for reset()." |args| {
        let var = variable(&args[0])?;
        let context = context::current();
        let old = context::set(var, args[1].clone()).unwrap_or_default();
        let token = Token { var: args[0].clone(), old, context, used: Cell::new(false) };
        Ok(Opaque::value(class(Type::ContextToken), token))
    };
    Method Plain "reset" "(self, token, /)"
        "Set the value back to what it was before the set() that gave the token."
        |args| {
        let var = variable(&args[0])?;
        let Some(token) = args[1].opaque::<Token>() else {
            return Err(type_error(format!("expected an instance of Token, got {}", shown(&args[1]))));
        };
        if token.used.get() {
            return Err(runtime_error(format!("{} has already been used once", shown(&args[1]))));
        }
        if !token.var.is(&args[0]) {
            return Err(value_error(format!("{} was created by a different ContextVar", shown(&args[1]))));
        }
        if !Rc::ptr_eq(&token.context, &context::current()) {
            return Err(value_error(format!("{} was created in a different Context", shown(&args[1]))));
        }
        token.used.set(true);
        let old = context::set(var, token.old.clone());
        drop(old);
        Ok(Value::None)
    };
    Member Plain "name" "(self)" "Its name." |args| Ok(variable(&args[0])?.name.clone());
    Method Plain "__repr__" "(self, /)" "Its name and default." |args| {
        let var = variable(&args[0])?;
        let default = match var.default.is_unset() {
            true => String::new(),
            false => format!(" default={}", text::repr(&var.default)?),
        };
        let name = text::repr(&var.name)?;
        Ok(format!("<ContextVar name={name}{default} at {}>", text::address(&args[0])).into())
    };
    ClassMethod Plain "__class_getitem__" "(cls, item, /)"
        "Context variables can be subscripted in annotations."
        |args| Ok(isinstance::generic_alias(&args[0], &args[1]));
};

const TOKEN: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "Tokens come from set() alone."
        |_| Err(runtime_error("Tokens can only be created by ContextVars"));
    Getter Plain "var" "(self)" "The variable that was set." |args| Ok(token(args)?.var.clone());
    Getter Plain "old_value" "(self)" "The value before, or Token.MISSING." |args| {
        let old = token(args)?.old.clone();
        Ok(if old.is_unset() { missing() } else { old })
    };
    Method Plain "__repr__" "(self, /)" "The variable, and whether it was reset." |args| {
        let token = token(args)?;
        let used = if token.used.get() { " used" } else { "" };
        Ok(format!("<Token{used} var={} at {}>", text::repr(&token.var)?, text::address(&args[0])).into())
    };
};

const CONTEXT: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "An empty context." |args| {
        if !rest(&args[1]).is_empty() || !args[2].is_unset() {
            return Err(type_error("Context() does not accept any arguments"));
        }
        class_argument(args).map(|_| fresh(Rc::default()))
    };
    Method Plain "__init__" "(self)" "Nothing is left to do." |_| Ok(Value::None);
    Method Given "run" "(self, /, *args, **kwargs)" "Call the first argument in this context." |args, names| {
        let (positional, values) = args.split_at(args.len() - names.len());
        let [_, callable, rest @ ..] = positional else {
            return Err(type_error("run() missing 1 required positional argument"));
        };
        let kwargs: SmallVec<[_; 4]> = names.iter().copied().zip(values.iter().cloned()).collect();
        let context = context_of(args)?;
        if context::is_entered(context) {
            context.object.get_or_make(|| args[0].clone()); // which is about to be shown
        }
        handle::run_in(context, callable, rest, &kwargs)
    };
    Method Plain "copy" "(self, /)" "A copy." |args| Ok(fresh(context_of(args)?.copy()));
    Method Plain "get" "(self, key, default=None, /)" "A variable's value in it, or the default." |args| {
        let found = context_of(args)?.get(variable(&args[1])?);
        Ok(found.unwrap_or_else(|| if args[2].is_unset() { Value::None } else { args[2].clone() }))
    };
    Method Plain "__getitem__" "(self, key, /)" "A variable's value in it." |args| {
        context_of(args)?.get(variable(&args[1])?).ok_or_else(|| key_error(&args[1]))
    };
    Method Plain "__contains__" "(self, key, /)" "Whether a variable has a value in it."
        |args| Ok(context_of(args)?.get(variable(&args[1])?).is_some().into());
    Method Plain "__len__" "(self, /)" "How many variables have a value in it."
        |args| Ok(context_of(args)?.entries().len().into());
    Method Plain "__iter__" "(self, /)" "Its variables." |args| iterate::iter(&Value::list(variables(args)?));
    Method Plain "keys" "(self, /)" "Its variables." |args| Ok(Value::list(variables(args)?));
    Method Plain "values" "(self, /)" "Its variables' values." |args| {
        Ok(Value::list(context_of(args)?.entries().into_iter().map(|(_, value)| value).collect()))
    };
    Method Plain "items" "(self, /)" "Its variables with their values." |args| {
        let values = context_of(args)?.entries().into_iter().map(|(_, value)| value);
        Ok(Value::list(variables(args)?.into_iter().zip(values).map(|(k, v)| Value::tuple([k, v])).collect()))
    };
    Method Plain "__eq__" "(self, other, /)" "Whether both hold the same values." |args| {
        let Some(other) = args[1].opaque::<Rc<Context>>() else { return Ok(Value::NotImplemented) };
        let (mine, others) = (context_of(args)?.entries(), other.entries());
        if mine.len() != others.len() {
            return Ok(Value::FALSE);
        }
        for (var, value) in &mine {
            let Some(twin) = other.get(var) else { return Ok(Value::FALSE) };
            if !crate::interp::operator::equal(value, &twin)? {
                return Ok(Value::FALSE);
            }
        }
        Ok(Value::TRUE)
    };
};

/// The variables of a context as objects.
fn variables(args: &[Value]) -> Res<Vec<Value>> {
    let entries = context_of(args)?.entries();
    Ok(entries
        .into_iter()
        .map(|(var, _)| {
            var.object
                .get_or_make(|| Opaque::value(class(Type::ContextVar), var.clone()))
        })
        .collect())
}
