//! Functions, methods, cells and code as objects.

use super::{getter, member, method, readonly, setter, setter_deleter, wrong_argument};
use crate::interp::attribute;
use crate::interp::call;
use crate::interp::error::*;
use crate::interp::frame_object;
use crate::interp::import;
use crate::interp::iterate;
use crate::interp::mapping;
use crate::interp::namespace;
use crate::interp::payload::*;
use crate::interp::slot::Member;
use crate::interp::text::object::native_qualname;
use crate::interp::types::{class_name, class_of};
use crate::interp::unit::Unit;
use crate::source::Symbol;
use crate::value::descriptor::CodeObject;
use crate::value::*;
use std::rc::Rc;

fn this(value: &Value) -> Res<&Ref<Function>> {
    as_function(value).ok_or_else(|| wrong_self("function", "function", value))
}

/// `func(*args, **kwargs)` with the arguments of `__call__`.
pub fn call_with(func: &Value, args: &[Value]) -> Res {
    call_given(func, &args[1], &args[2])
}

/// Calls with the arguments that `*args` and `**kwargs` took.
pub fn call_given(func: &Value, positional: &Value, keywords: &Value) -> Res {
    let positional = as_tuple(positional)
        .map(|given| given.items.to_vec())
        .unwrap_or_default();
    let keywords = as_dict(keywords)
        .map(|given| given.symbol_entries())
        .unwrap_or_default();
    call::call_kw(func, &positional, &keywords)
}

const CALL: NativeDef = method(
    "__call__",
    "(self, /, *args, **kwargs)",
    "Call self as a function.",
    |args| call_with(&args[0], args),
);

/// Built-in coroutine functions are functions too.
fn name(value: &Value) -> Res {
    match value {
        Value::Native(native) => Ok(native.name.into()),
        _ => Ok(this(value)?.names().name),
    }
}

fn set_name(args: &[Value], what: &str, change: impl FnOnce(&mut function::FunctionNames)) -> Res {
    if as_str(&args[1]).is_none() {
        return Err(type_error(format!("{what} must be set to a string object")));
    }
    this(&args[0])?.change_names(change);
    Ok(Value::None)
}

fn defaults(args: &[Value]) -> Res {
    if let Value::Native(_) = &args[0] {
        return Ok(Value::None);
    }
    let defaults = this(&args[0])?.defaults.borrow().clone();
    Ok(if defaults.is_empty() {
        Value::None
    } else {
        Value::tuple(defaults.to_vec())
    })
}

fn set_defaults(args: &[Value]) -> Res {
    let function = this(&args[0])?;
    let defaults: Rc<[Value]> = match args[1].given() {
        None => Rc::new([]),
        Some(value) => match as_tuple(value) {
            Some(tuple) => tuple.items.to_vec().into(),
            None => return Err(type_error("__defaults__ must be set to a tuple object")),
        },
    };
    let old = function.defaults.replace(defaults);
    drop(old);
    Ok(Value::None)
}

fn keyword_defaults(args: &[Value]) -> Res {
    if let Value::Native(_) = &args[0] {
        return Ok(Value::None);
    }
    let defaults = this(&args[0])?.kwdefaults.borrow().clone();
    Ok(if defaults.is_empty() {
        Value::None
    } else {
        mapping::dict_of_symbols(defaults.iter().cloned())
    })
}

fn set_keyword_defaults(args: &[Value]) -> Res {
    let function = this(&args[0])?;
    let defaults: Rc<[(Symbol, Value)]> = match args[1].given() {
        None => Rc::new([]),
        Some(value) => match as_dict(value) {
            Some(dict) => dict.symbol_entries().into(),
            None => return Err(type_error("__kwdefaults__ must be set to a dict object")),
        },
    };
    let old = function.kwdefaults.replace(defaults);
    drop(old);
    Ok(Value::None)
}

fn annotations(args: &[Value]) -> Res {
    if let Value::Native(_) = &args[0] {
        return Ok(mapping::new_dict().into());
    }
    let function = this(&args[0])?;
    if function.annotations.get().is_unset() {
        function.annotations.set(mapping::new_dict().into());
    }
    Ok(function.annotations.get())
}

/// Of a built-in, also one that passes for a function of Python's, as asyncio's coroutine functions do.
const TEXT_SIGNATURE: NativeDef = getter("__text_signature__", "The signature as text.", |args| {
    let native = match &args[0] {
        Value::Native(native) => native,
        Value::Method(method) if let Value::Native(native) = &method.func => native,
        other => {
            return Err(crate::interp::attribute::no_attribute(
                other,
                Symbol::new("__text_signature__"),
            ));
        }
    };
    let rest = native.signature.text.trim_start_matches('(');
    // What takes nothing more takes that by position.
    let rest = match rest {
        "self)" if !native.in_python() => "self, /)",
        "cls)" => "cls, /)",
        ")" if native.role == NativeRole::Function => "/)",
        rest => rest,
    };
    let rest = match native.role {
        NativeRole::Function => format!("module, {rest}"),
        NativeRole::ClassMethod => format!("type{}", rest.trim_start_matches("cls")),
        NativeRole::Static if native.name == crate::source::name::NEW => {
            format!("type{}", rest.trim_start_matches("cls"))
        }
        NativeRole::Static => return Ok(Value::from(format!("({rest}"))),
        _ => rest.to_string(),
    };
    Ok(Value::from(format!("(${}", rest.replace(", )", ")"))))
});

fn or_none(value: &Value) -> Value {
    value.given().cloned().unwrap_or(Value::None)
}

/// `FunctionType(code, globals)`: a function of another one's code.
fn new(args: &[Value]) -> Res {
    let [_, code, globals, name, defaults, closure, keyword_defaults] = args else {
        return Ok(Value::None);
    };
    let Some(CodeObject(code)) = code.opaque() else {
        return Err(wrong_argument("function() argument 'code'", "code", code));
    };
    let Some(namespace::ModuleDict(module)) = globals.opaque() else {
        return Err(match as_dict(globals) {
            Some(_) => type_error("function() argument 'globals' must be the globals() of a module"),
            None => wrong_argument("function() argument 'globals'", "dict", globals),
        });
    };
    let cells = match closure.given() {
        None if code.free.is_empty() => Vec::new(),
        None => return Err(type_error("arg 5 (closure) must be tuple")),
        Some(cells) => iterate::collect(cells)?,
    };
    if cells.len() != code.free.len() {
        return Err(value_error(format!(
            "{} requires closure of length {}, not {}",
            code.name,
            code.free.len(),
            cells.len()
        )));
    }
    let closure: Res<Vec<Ref<VariableCell>>> = cells
        .iter()
        .map(|cell| match cell {
            Value::Cell(cell) => Ok(Ref::clone(cell)),
            other => Err(type_error(format!(
                "arg 5 (closure) expected cell, found {}",
                class_name(other)
            ))),
        })
        .collect();
    let unit = Unit::new(code.clone(), module.clone());
    let made: Value = unit.function(closure?.into(), Rc::new([]), Rc::new([]), Value::Unset);
    if let Some(name) = name.given() {
        set_name(&[made.clone(), name.clone()], "name", |names| {
            names.name = name.clone()
        })?;
    }
    set_defaults(&[made.clone(), defaults.clone()])?;
    set_keyword_defaults(&[made.clone(), keyword_defaults.clone()])?;
    Ok(made)
}

pub const FUNCTION: &[NativeDef] = &[
    super::static_method(
        "__new__",
        "(cls, code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)",
        "Create a function object.",
        new,
    ),
    CALL,
    readonly("__closure__"),
    readonly("__globals__"),
    getter("__name__", "The function's name.", |args| name(&args[0])),
    setter_deleter("__name__", |args| {
        set_name(args, "__name__", |names| names.name = args[1].clone())
    }),
    getter(
        "__qualname__",
        "The function's qualified name.",
        |args| match &args[0] {
            Value::Native(native) => Ok(Value::from(native_qualname(native))),
            value => Ok(this(value)?.names().qualname),
        },
    ),
    setter_deleter("__qualname__", |args| {
        set_name(args, "__qualname__", |names| names.qualname = args[1].clone())
    }),
    member("__doc__", "The function's doc.", |args| match &args[0] {
        Value::Native(native) => Ok(doc(native)),
        value => Ok(this(value)?.names().doc),
    }),
    setter_deleter("__doc__", |args| {
        this(&args[0])?.change_names(|names| names.doc = or_none(&args[1]));
        Ok(Value::None)
    }),
    member(
        "__module__",
        "The name of the module in which it was defined.",
        |args| match &args[0] {
            Value::Native(native) => Ok(Value::from(native.module.unwrap_or(native.owner))),
            value => Ok(this(value)?.names().module),
        },
    ),
    setter_deleter("__module__", |args| {
        this(&args[0])?.change_names(|names| names.module = or_none(&args[1]));
        Ok(Value::None)
    }),
    getter("__defaults__", "The defaults of positional parameters.", defaults),
    setter_deleter("__defaults__", set_defaults),
    getter(
        "__kwdefaults__",
        "The defaults of keyword-only parameters.",
        keyword_defaults,
    ),
    setter_deleter("__kwdefaults__", set_keyword_defaults),
    getter(
        "__annotations__",
        "The annotations of the parameters.",
        annotations,
    ),
    setter_deleter("__annotations__", |args| {
        if args[1].given().is_some() && as_dict(&args[1]).is_none() {
            return Err(type_error("__annotations__ must be set to a dict object"));
        }
        let given = args[1].given().cloned().unwrap_or_default();
        this(&args[0])?.annotations.set(given);
        Ok(Value::None)
    }),
    TEXT_SIGNATURE,
    getter("__code__", "The function's code.", |args| match &args[0] {
        Value::Native(_) => Ok(Value::None),
        value => Ok(frame_object::code(&this(value)?.code)),
    }),
    member(
        "__closure__",
        "The cells of the variables of enclosing functions.",
        |args| {
            if let Value::Native(_) = &args[0] {
                return Ok(Value::None);
            }
            let cells: Vec<Value> = this(&args[0])?
                .closure
                .iter()
                .map(|cell| cell.clone().into())
                .collect();
            Ok(if cells.is_empty() {
                Value::None
            } else {
                Value::tuple(cells)
            })
        },
    ),
    member("__builtins__", "The names of every module.", |_| {
        attribute::get(&import::by_name("builtins")?, crate::source::name::DICT)
    }),
    member("__globals__", "The module's variables.", |args| {
        if let Value::Native(native) = &args[0]
            && let Some(module) = native.module
            && let Value::Module(module) = &import::by_name(module)?
        {
            return Ok(namespace::of_module(module));
        }
        Ok(namespace::of_module(&this(&args[0])?.module))
    }),
    getter("__type_params__", "Type parameters: none.", |_| {
        Ok(Value::tuple([]))
    }),
    // Wrappers copy those of what they wrap.
    setter("__type_params__", |args| match as_tuple(&args[1]) {
        Some(_) => Ok(Value::None),
        None => Err(type_error("__type_params__ must be set to a tuple")),
    }),
    method(
        "__get__",
        "(self, instance, owner=None, /)",
        "Return a bound method.",
        |args| {
            Ok(match args[1].given() {
                Some(instance) => Ref::new(Method {
                    func: args[0].clone(),
                    this: instance.clone(),
                })
                .into(),
                None => args[0].clone(),
            })
        },
    ),
];

fn this_method(value: &Value) -> Res<&Ref<Method>> {
    match value {
        Value::Method(method) => Ok(method),
        _ => Err(wrong_self("__self__", "method", value)),
    }
}

pub const METHOD: &[NativeDef] = &[
    readonly("__func__"),
    readonly("__self__"),
    method(
        "__get__",
        "(self, instance, owner=None, /)",
        "Return the method itself: it is bound already.",
        |args| Ok(args[0].clone()),
    ),
    super::static_method(
        "__new__",
        "(cls, function, instance, /)",
        "Create a bound instance method object.",
        |args| {
            if !call::is_callable(&args[1]) {
                return Err(type_error("first argument must be callable"));
            }
            if args[2].is_none() {
                return Err(type_error("instance must not be None"));
            }
            Ok(Ref::new(Method {
                func: args[1].clone(),
                this: args[2].clone(),
            })
            .into())
        },
    ),
    member("__self__", "What it is bound to.", |args| {
        Ok(this_method(&args[0])?.this.clone())
    }),
    member("__func__", "The function.", |args| {
        Ok(this_method(&args[0])?.func.clone())
    }),
    CALL,
];

/// The native of a built-in function, or of a built-in method bound to its object.
fn native(value: &Value) -> Res<&Ref<Native>> {
    match value {
        Value::Native(native) => Ok(native),
        Value::Method(method) => native(&method.func),
        _ => Err(wrong_self("__name__", "builtin_function_or_method", value)),
    }
}

fn doc(native: &Native) -> Value {
    if native.doc.is_empty() {
        Value::None
    } else {
        Value::from(native.doc)
    }
}

pub const NATIVE: &[NativeDef] = &[
    CALL,
    getter("__name__", "The function's name.", |args| {
        Ok(native(&args[0])?.name.into())
    }),
    getter("__qualname__", "The function's qualified name.", |args| {
        Ok(Value::from(native_qualname(native(&args[0])?)))
    }),
    getter("__doc__", "The function's doc.", |args| {
        Ok(doc(native(&args[0])?))
    }),
    getter("__module__", "The name of the module it belongs to.", |args| {
        let native = native(&args[0])?;
        Ok(match (native.role, native.owner) {
            (NativeRole::Function, "") => Value::from("builtins"),
            (NativeRole::Function, module) => Value::from(module),
            _ => Value::None,
        })
    }),
    getter(
        "__self__",
        "What it is bound to; the module of a function.",
        |args| {
            if let Value::Method(method) = &args[0] {
                return Ok(method.this.clone());
            }
            let native = native(&args[0])?;
            match (native.role, native.owner) {
                (NativeRole::Function, "") => import::by_name("builtins"),
                (NativeRole::Function, module) => Ok(module_called(module)),
                _ => Ok(Value::None),
            }
        },
    ),
    OBJCLASS,
    TEXT_SIGNATURE,
    method(
        "__get__",
        "(self, instance, owner=None, /)",
        "Return a bound method.",
        |args| {
            Ok(match args[1].given() {
                Some(instance) => attribute::bind(&args[0], instance, &class_of(instance))?,
                None => args[0].clone(),
            })
        },
    ),
];

/// A module by its name; one that cannot be imported here, such as `posix`, has nothing but that name.
fn module_called(called: &str) -> Value {
    import::by_name(called).unwrap_or_else(|raised| {
        drop(raised.take());
        let module = Ref::new(Module::new(Symbol::new(called)));
        module.set(crate::source::name::NAME, Value::from(called));
        module.into()
    })
}

pub const OBJCLASS: NativeDef = getter("__objclass__", "The class it is a method of.", |args| {
    if let Some(slot) = args[0].opaque::<Member>() {
        return Ok(slot.owner.clone().into());
    }
    let missing = || attribute::no_attribute(&args[0], Symbol::new("__objclass__"));
    let Value::Native(native) = &args[0] else {
        return Err(missing());
    };
    if let Some(class) = namespace::builtin(Symbol::new(native.owner)) {
        return Ok(class);
    }
    let Some((module, name)) = native.owner.rsplit_once('.') else {
        return Err(missing());
    };
    // A function of a module has an owner, too, that is no class.
    import::by_name(module)
        .and_then(|module| attribute::get(&module, Symbol::new(name)))
        .map_err(|raised| {
            drop(raised.take());
            missing()
        })
});

pub const CELL: &[NativeDef] = &[
    super::static_method(
        "__new__",
        "(cls, contents=None, /)",
        "A variable that functions share.",
        |args| {
            let cell = VariableCell::default();
            cell.value.set(args[1].clone());
            Ok(Ref::new(cell).into())
        },
    ),
    getter("cell_contents", "The variable's value.", |args| match &args[0] {
        Value::Cell(cell) if !cell.value.get().is_unset() => Ok(cell.value.get()),
        _ => Err(value_error("Cell is empty")),
    }),
    setter_deleter("cell_contents", |args| {
        if let Value::Cell(cell) = &args[0] {
            cell.value.set(args[1].clone());
        }
        Ok(Value::None)
    }),
];

fn code(args: &[Value]) -> Res<&Rc<crate::code::Code>> {
    match args[0].opaque::<CodeObject>() {
        Some(code) => Ok(&code.0),
        None => Err(wrong_self("co_name", "code", &args[0])),
    }
}

fn names(names: &[Symbol]) -> Value {
    Value::tuple(names.iter().map(|&n| Value::from(n)).collect::<Vec<_>>())
}

/// Parameters and local variables, without temporaries and what only nested functions share.
fn local_names(code: &crate::code::Code) -> Vec<Symbol> {
    let is_name = |n: &Symbol| n.text().starts_with(|c: char| c.is_alphabetic() || c == '_');
    let own = code.listed_slots().0.into_iter();
    own.map(|slot| code.slots[slot]).filter(is_name).collect()
}

/// The bits of `co_flags` that say what kind of function it is.
fn flags(code: &crate::code::Code) -> i64 {
    use crate::code::CodeKind;
    let kind = match code.kind {
        CodeKind::Module | CodeKind::Class => 0,
        CodeKind::AsyncModule | CodeKind::Coroutine => 0x80,
        CodeKind::Function => 0,
        CodeKind::Generator => 0x20,
        CodeKind::AsyncGenerator => 0x200,
    };
    kind | 3 | (i64::from(code.params.has_vararg) * 4) | (i64::from(code.params.has_kwarg) * 8)
}

pub const CODE: &[NativeDef] = &[
    member("co_name", "The function's name.", |args| {
        Ok(code(args)?.name.into())
    }),
    member("co_qualname", "The function's qualified name.", |args| {
        Ok(Value::from(&*code(args)?.qualname))
    }),
    member("co_filename", "The file it was read from.", |args| {
        Ok(Value::from(&*code(args)?.source.name))
    }),
    member("co_firstlineno", "The line on which it begins.", |args| {
        let code = code(args)?;
        Ok(Value::Int(i64::from(code.first_line)))
    }),
    member("co_argcount", "How many positional parameters it has.", |args| {
        Ok(Value::Int(i64::from(code(args)?.params.positional)))
    }),
    member(
        "co_posonlyargcount",
        "How many positional-only parameters it has.",
        |args| Ok(Value::Int(i64::from(code(args)?.params.posonly))),
    ),
    member(
        "co_kwonlyargcount",
        "How many keyword-only parameters it has.",
        |args| Ok(Value::Int(i64::from(code(args)?.params.kwonly))),
    ),
    getter(
        "co_varnames",
        "The names of parameters and local variables.",
        |args| Ok(names(&local_names(code(args)?))),
    ),
    member(
        "co_nlocals",
        "How many parameters and local variables there are.",
        |args| Ok(Value::Int(local_names(code(args)?).len() as i64)),
    ),
    member(
        "co_names",
        "The names of module variables, builtins and attributes that it reads.",
        |args| Ok(names(&code(args)?.names_read())),
    ),
    getter(
        "co_freevars",
        "The names of variables of enclosing functions.",
        |args| Ok(names(&code(args)?.free)),
    ),
    getter(
        "co_cellvars",
        "The names of variables that inner functions use.",
        |args| {
            let code = code(args)?;
            let (own, shared) = code.listed_slots();
            let given = own
                .into_iter()
                .filter(|&slot| code.cells.contains(&(slot as u32)));
            let cells: Vec<Symbol> = given.chain(shared).map(|slot| code.slots[slot]).collect();
            Ok(names(&cells))
        },
    ),
    member("co_flags", "What kind of function it is.", |args| {
        Ok(Value::Int(flags(code(args)?)))
    }),
];
