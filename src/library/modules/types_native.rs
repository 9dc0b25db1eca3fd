//! `_types`: what `types` needs that cannot be written in aio.

use crate::code::CodeKind;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class};
use crate::interp::{attribute, call, import, isinstance, iterate, mapping, special, text};
use crate::library::builtins::function;
use crate::source::{Source, Symbol, name};
use crate::value::descriptor::{ClassMethod, StaticMethod};
use crate::value::function::Function;
use crate::value::generator::Progress;
use crate::value::*;

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("types", &[FUNCTIONS]);
    names.push((Symbol::new("GenericAlias"), class(Type::GenericAlias).into()));
    names
}

const FUNCTIONS: &[NativeDef] = &[
    function(
        "mark_coroutine",
        "(func, /)",
        "Make the generators of a generator function awaitable; tell whether what a function gives is so now.",
        |args| Ok(Value::bool(mark_coroutine(&args[0]))),
    ),
    function(
        "define",
        "(text, names, /)",
        "Run definitions in a module of their own that begins with the names; return its names.",
        define,
    ),
    function(
        "built_in",
        "(cls, /)",
        "Make the methods of a class built-in ones, as CPython has them, and return it.",
        |args| built_in(&args[0]),
    ),
    function(
        "seal",
        "(*classes)",
        "Let no script change the classes.",
        |args| {
            for class in iterate::collect(&args[0])?.iter().filter_map(as_class) {
                class.is_sealed.set(true);
            }
            Ok(Value::None)
        },
    ),
    function(
        "end",
        "(*classes)",
        "Let nobody derive from the classes.",
        |args| {
            for class in iterate::collect(&args[0])?.iter().filter_map(as_class) {
                class.is_final.set(true);
            }
            Ok(Value::None)
        },
    ),
    function(
        "fill",
        "(obj, values, /)",
        "Put what a dict holds into the __dict__ of an object.",
        |args| fill(&args[0], &args[1]).map(|()| Value::None),
    ),
    function("union", "(a, b, /)", "Return a | b of forms of types.", |args| {
        isinstance::union(&args[0], &args[1])
    }),
    function(
        "import_module",
        "(name, /)",
        "Return the module of a dotted name, which is imported if it was not.",
        |args| import::by_name(text_arg(&args[0], "import_module()")?),
    ),
    function(
        "is_awaitable_generator",
        "(generator, /)",
        "Whether types.coroutine made its function awaitable.",
        |args| {
            Ok(Value::bool(
                matches!(&args[0], Value::Generator(g) if is_awaitable(g)),
            ))
        },
    ),
    function(
        "has_ended",
        "(coroutine, /)",
        "Whether a coroutine has ended; one that is built in has no frame to tell by.",
        |args| {
            let ended = |g: &Generator| g.progress.get() == Progress::Closed && g.awaits().is_none();
            Ok(Value::bool(matches!(&args[0], Value::Generator(g) if ended(g))))
        },
    ),
];

/// Special methods stay as they are: whether a class has its own is asked in many places.
fn fill(object: &Value, values: &Value) -> Res<()> {
    // What has fields keeps them: its call sites know where they are.
    if let (Value::Instance(instance), Value::Dict(values)) = (object, values)
        && instance.class.borrow().has_dict.get()
        && instance.class.borrow().slots.borrow().is_empty()
    {
        let entries = values.symbol_entries();
        if entries.len() == values.len() {
            entries
                .into_iter()
                .for_each(|(name, value)| instance.set(name, value));
            return Ok(());
        }
    }
    let dict = attribute::get(object, name::DICT)?;
    call::call_method(&dict, Symbol::new("update"), std::slice::from_ref(values)).map(drop)
}

fn built_in(made: &Value) -> Res {
    let Value::Class(class) = made else {
        return Err(type_error("a class is required"));
    };
    let module = text::str(&class.module.borrow())?;
    let owner = Symbol::new(&format!("{module}.{}", class.name())).text();
    let own: Vec<_> = class
        .dict
        .borrow()
        .iter()
        .map(|(name, value)| (*name, value.clone()))
        .collect();
    for (name, value) in own {
        let (role, func) = if let Some(ClassMethod(func)) = value.opaque() {
            (NativeRole::ClassMethod, func.get())
        } else if let Some(StaticMethod(func)) = value.opaque() {
            (NativeRole::Static, func.get())
        } else {
            (NativeRole::Method, value.clone())
        };
        let Value::Function(function) = &func else {
            continue;
        };
        let params = &function.code.params;
        if name.text().starts_with('_') || params.has_vararg || params.has_kwarg {
            continue;
        }
        let signature = Symbol::new(&signature_of(function)?).text();
        let doc = function.names().doc;
        let native = Native {
            name,
            signature: Signature::new(signature),
            doc: text_of(&doc).map_or("", |doc| Symbol::new(doc).text()),
            role,
            body: NativeBody::Written(function.clone()),
            owner,
            module: None,
        };
        class.set(name, Ref::new(native).into());
    }
    Ok(made.clone())
}

/// What a function takes, as the declaration of a built-in has it.
fn signature_of(function: &Function) -> Res<String> {
    let params = &function.code.params;
    let (positional, posonly) = (params.positional as usize, params.posonly as usize);
    let defaults = function.defaults.borrow().clone();
    let named_defaults = function.kwdefaults.borrow().clone();
    let mut parts = Vec::new();
    for (place, name) in params.names.iter().enumerate() {
        if place == positional {
            parts.push("*".to_string());
        }
        let default = match place < positional {
            true => (place + defaults.len())
                .checked_sub(positional)
                .map(|place| &defaults[place]),
            false => named_defaults
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
        };
        parts.push(match default {
            Some(default) if special::is_possible(default) => format!("{name}=<unrepresentable>"),
            Some(default) => format!("{name}={}", text::repr(default)?),
            None => name.to_string(),
        });
        // What takes nothing more takes that by position.
        if place + 1 == posonly || params.names.len() == 1 {
            parts.push("/".to_string());
        }
    }
    Ok(format!("({})", parts.join(", ")))
}

fn define(args: &[Value]) -> Res {
    let (Some(text), Value::Dict(names)) = (text_of(&args[0]), &args[1]) else {
        return Err(type_error("a str and a dict are required"));
    };
    let source = Source::made(text.to_string());
    let code = import::compile(&source)?;
    let module = Ref::new(Module::new(name::MAIN));
    for (name, value) in names.symbol_entries() {
        module.set(name, value);
    }
    import::run(&code, &module)?;
    Ok(mapping::dict_of_symbols(module.entries()))
}

fn mark_coroutine(func: &Value) -> bool {
    let Value::Function(function) = func else {
        return false;
    };
    let kind = function.code.kind;
    if kind == CodeKind::Generator {
        function.is_awaitable.set(true);
    }
    matches!(kind, CodeKind::Coroutine | CodeKind::Generator)
}

fn is_awaitable(generator: &Generator) -> bool {
    matches!(&generator.func, Value::Function(f) if f.is_awaitable.get())
}
