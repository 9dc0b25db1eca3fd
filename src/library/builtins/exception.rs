//! Exceptions: making them, their attributes, and traceback objects.

use super::{getter, member, method, setter, setter_deleter, static_method, wrong_argument};
use crate::interp::error::*;
use crate::interp::frame_object;
use crate::interp::operator;
use crate::interp::os_error;
use crate::interp::payload::*;
use crate::interp::text;
use crate::interp::traceback::{self, TracebackObject};
use crate::interp::types::{Type, class, class_name, class_of};
use crate::interp::{attribute, import, iterate, namespace, suggest};
use crate::source::{Span, Symbol, name};
use crate::value::descriptor::TracebackFrame;
use crate::value::*;
use std::rc::Rc;

/// The exception that a method was called on.
pub fn this(value: &Value) -> Res<&Ref<Exception>> {
    as_exception(value).ok_or_else(|| wrong_self("__init__", "BaseException", value))
}

fn items(args: &Value) -> Vec<Value> {
    as_tuple(args)
        .map(|given| given.items.to_vec())
        .unwrap_or_default()
}

fn this_class(value: &Value) -> Res<&Ref<Class>> {
    match as_class(value) {
        Some(of) if of.layout == Layout::Exception => Ok(of),
        Some(of) => Err(type_error(format!(
            "Exception.__new__({0}): {0} is not a subtype of Exception",
            of.name()
        ))),
        None => Err(type_error(format!(
            "BaseException.__new__(X): X is not a type object ({})",
            class_name(value)
        ))),
    }
}

fn new(args: &[Value]) -> Res {
    Ok(Exception::with_args(this_class(&args[0])?.clone(), args[1].clone()).into())
}

/// Keyword arguments that a class does not take.
fn refuse(this: &Value, keywords: &[(Symbol, Value)]) -> Res<()> {
    match keywords.first() {
        Some(_) => Err(type_error(format!(
            "{}() takes no keyword arguments",
            class_name(this)
        ))),
        None => Ok(()),
    }
}

fn init(args: &[Value]) -> Res {
    let exception = this(&args[0])?;
    refuse(
        &args[0],
        &as_dict(&args[2])
            .map(|given| given.symbol_entries())
            .unwrap_or_default(),
    )?;
    exception.args.set(args[1].clone());
    Ok(Value::None)
}

/// Sets `args`, and the attributes that keywords name, each None if it is not given.
fn init_with(args: &[Value], names: &[Symbol]) -> Res<Vec<Value>> {
    let exception = this(&args[0])?;
    let keywords = as_dict(&args[2])
        .map(|given| given.symbol_entries())
        .unwrap_or_default();
    // CPython names the built-in class, not the subclass.
    let own = || match class_of(&args[0]).linear().into_iter().find(|c| !c.is_script) {
        Some(class) if class.name() != "ModuleNotFoundError" => class.name(),
        _ => "ImportError",
    };
    if names.is_empty() && !keywords.is_empty() {
        return Err(type_error(format!("{}() takes no keyword arguments", own())));
    }
    if keywords.len() > names.len() {
        let s = if names.len() == 1 { "" } else { "s" };
        return Err(type_error(format!(
            "{}() takes at most {} keyword argument{s} ({} given)",
            own(),
            names.len(),
            keywords.len()
        )));
    }
    for (name, value) in keywords {
        if !names.contains(&name) {
            let hint = suggest::did_you_mean(name.text(), names.iter().map(|name| name.text()));
            return Err(type_error(format!(
                "{}() got an unexpected keyword argument '{name}'{hint}",
                own()
            )));
        }
        exception.parts.set(name, value);
    }
    exception.args.set(args[1].clone());
    Ok(items(&args[1]))
}

fn exception_or_none(value: &Value, what: &str) -> Res<Value> {
    match value {
        Value::None | Value::Exception(_) => Ok(value.clone()),
        _ => Err(type_error(format!(
            "exception {what} must be None or derive from BaseException"
        ))),
    }
}

fn set_traceback(exception: &Ref<Exception>, value: &Value) -> Res<()> {
    let entry = match value {
        Value::None => None,
        other => match other.opaque::<TracebackObject>() {
            Some(object) => Some(object.0.clone()),
            None => return Err(type_error("__traceback__ must be a traceback or None")),
        },
    };
    let old = exception.traceback.replace(entry);
    drop(old);
    Ok(())
}

fn add_note(args: &[Value]) -> Res {
    let exception = this(&args[0])?;
    if as_str(&args[1]).is_none() {
        return Err(type_error(format!(
            "note must be a str, not '{}'",
            class_name(&args[1])
        )));
    }
    crate::interp::error::add_note(exception, args[1].clone()).map(|()| Value::None)
}

/// The arguments that make a copy of the exception.
fn told(of: &Exception) -> Vec<Value> {
    let mut args = items(&of.args.get());
    if of.is_instance(&class(Type::OSError)) && args.len() == 2 {
        let part = |name| of.parts.get(name).filter(|part| !part.is_none());
        if let Some(file) = part(name::FILENAME) {
            args.push(file);
            args.extend(
                part(name::FILENAME2)
                    .into_iter()
                    .flat_map(|other| [Value::None, other]),
            );
        }
    }
    args
}

/// What else a copy is told, beside the object's `__dict__`.
fn kept(of: &Exception) -> Vec<(Symbol, Value)> {
    let names: &[Symbol] = match of {
        _ if of.is_instance(&class(Type::ImportError)) => {
            &[name::NAME_ATTR, name::PATH_ATTR, name::NAME_FROM]
        }
        _ if of.is_instance(&class(Type::AttributeError)) => &[name::NAME_ATTR],
        _ => &[],
    };
    let part = |name: &Symbol| Some((*name, of.parts.get(*name).filter(|part| !part.is_none())?));
    let mut kept: Vec<_> = names.iter().filter_map(part).collect();
    if of.is_instance(&class(Type::AttributeError)) {
        kept.push((Symbol::new("args"), of.args.get()));
    }
    kept
}

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Common base class for all exceptions.",
        new,
    ),
    initialiser(init),
    method("__str__", "(self, /)", "Return str(self).", |args| {
        text::exception::str(this(&args[0])?).map(Value::from)
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let mut out = String::new();
        text::exception::write_repr(this(&args[0])?, &mut out)?;
        Ok(Value::from(out))
    }),
    method(
        "__setstate__",
        "(self, state, /)",
        "Set the attributes that a dict names.",
        |args| {
            match args[1].given().map(as_dict) {
                None => {}
                Some(Some(state)) => state
                    .symbol_entries()
                    .into_iter()
                    .try_for_each(|(name, value)| attribute::set(&args[0], name, value))?,
                Some(None) => return Err(type_error("state is not a dictionary")),
            }
            Ok(Value::None)
        },
    ),
    method(
        "__reduce__",
        "(self, /)",
        "What copying makes the object of.",
        |args| {
            let this = this(&args[0])?;
            let parts = [class_of(&args[0]).into(), Value::tuple(told(this))];
            let mut state: Vec<_> = this.attrs.entries();
            for (name, value) in kept(this) {
                state.retain(|(known, _)| *known != name);
                state.push((name, value));
            }
            Ok(match this.attrs.is_empty() && state.is_empty() {
                true => Value::tuple(parts),
                false => {
                    let state = crate::interp::mapping::dict_of_symbols(state);
                    Value::tuple(parts.into_iter().chain([state]).collect::<Vec<_>>())
                }
            })
        },
    ),
    method(
        "add_note",
        "(self, note, /)",
        "Add a note to the exception.",
        add_note,
    ),
    method(
        "with_traceback",
        "(self, tb, /)",
        "Set self.__traceback__ to tb and return self.",
        |args| {
            set_traceback(this(&args[0])?, &args[1])?;
            Ok(args[0].clone())
        },
    ),
    getter("args", "The arguments it was made with.", |args| {
        Ok(this(&args[0])?.args.get())
    }),
    setter("args", |args| {
        let new = Value::tuple(iterate::collect(&args[1])?);
        this(&args[0])?.args.set(new);
        Ok(Value::None)
    }),
    getter("__traceback__", "Where it came up.", |args| {
        Ok(traceback::of(this(&args[0])?))
    }),
    setter("__traceback__", |args| {
        set_traceback(this(&args[0])?, &args[1]).map(|()| Value::None)
    }),
    getter(
        "__cause__",
        "The exception that caused it, by raise from.",
        |args| Ok(this(&args[0])?.cause.get()),
    ),
    setter("__cause__", |args| {
        let exception = this(&args[0])?;
        exception.cause.set(exception_or_none(&args[1], "cause")?);
        exception.suppress_context.set(true);
        Ok(Value::None)
    }),
    getter(
        "__context__",
        "The exception that was being handled when it was raised.",
        |args| Ok(this(&args[0])?.context.get()),
    ),
    setter("__context__", |args| {
        this(&args[0])?
            .context
            .set(exception_or_none(&args[1], "context")?);
        Ok(Value::None)
    }),
    member(
        "__suppress_context__",
        "Whether reports leave out the context.",
        |args| Ok(Value::bool(this(&args[0])?.suppress_context.get())),
    ),
    setter("__suppress_context__", |args| match &args[1] {
        Value::Bool(_) => {
            this(&args[0])?.suppress_context.set(operator::truth(&args[1])?);
            Ok(Value::None)
        }
        _ => Err(type_error("attribute value type must be bool")),
    }),
];

/// An attribute that is None until it is set.
fn attr(args: &[Value], name: Symbol) -> Res {
    Ok(this(&args[0])?.parts.get(name).unwrap_or(Value::None))
}

fn set_attr(args: &[Value], name: Symbol) -> Res {
    this(&args[0])?.parts.set(name, args[1].clone());
    Ok(Value::None)
}

/// Whether an OSError gets its parts from `__init__`: where a class has one of its own, and no `__new__`.
/// Else it gets them from `__new__`, and `__init__` does nothing.
fn is_filled_by_init(of: &Ref<Class>) -> bool {
    let is_own = |name| !matches!(&of.lookup(name), Some(Value::Native(native)) if native.owner == "OSError");
    is_own(name::INIT) && !is_own(name::NEW)
}

fn new_os_error(args: &[Value]) -> Res {
    let of = this_class(&args[0])?;
    if is_filled_by_init(of) {
        return Ok(Exception::new(of.clone(), Vec::new()).into());
    }
    if as_dict(&args[2]).is_some_and(|keywords| !keywords.is_empty()) {
        return Err(type_error(format!("{}() takes no keyword arguments", of.name())));
    }
    let given = items(&args[1]);
    // OSError itself gives the subclass that the number stands for.
    let of = match given.first() {
        Some(errno) if of.is(&class(Type::OSError)) && (2..=5).contains(&given.len()) => match plain(errno) {
            Value::Int(errno) => class(os_error::class_for(*errno)),
            Value::Bool(errno) => class(os_error::class_for(errno.get().into())),
            _ => of.clone(),
        },
        _ => of.clone(),
    };
    let exception = Exception::new(of, given.clone());
    os_error::set_parts(&exception, &given);
    Ok(exception.into())
}

/// Attributes that are None until they are set.
macro_rules! attributes {
    ($($table:ident { $($name:literal $doc:literal $symbol:expr;)* })*) => {
        $(pub const $table: &[NativeDef] = &[$(
            member($name, $doc, |args| attr(args, $symbol)),
            setter($name, |args| set_attr(args, $symbol)),
        )*];)*
    };
}

attributes! {
    OS_ATTRIBUTES {
        "errno" "The error number." name::ERRNO;
        "strerror" "The system's message." name::STRERROR;
        "filename" "The file it is about." name::FILENAME;
        "filename2" "The second file it is about." name::FILENAME2;
    }
    IMPORT_ATTRIBUTES {
        "name" "The module's name." name::NAME_ATTR;
        "path" "The module's path." name::PATH_ATTR;
        "msg" "The message." name::MSG;
        "name_from" "The name that was to be imported." name::NAME_FROM;
    }
    ATTRIBUTE_ATTRIBUTES {
        "name" "The attribute's name." name::NAME_ATTR;
        "obj" "The object that does not have it." name::OBJ;
    }
    NAME_ATTRIBUTES {
        "name" "The name that is not defined." name::NAME_ATTR;
    }
    SYNTAX_ATTRIBUTES {
        "filename" "The file." name::FILENAME;
        "lineno" "The line." Symbol::new("lineno");
        "offset" "The column." Symbol::new("offset");
        "text" "The line's text." Symbol::new("text");
        "end_lineno" "The line on which it ends." Symbol::new("end_lineno");
        "end_offset" "The column at which it ends." Symbol::new("end_offset");
    }
    UNICODE_ATTRIBUTES {
        "encoding" "The encoding." name::ENCODING;
        "object" "What was to be converted." name::OBJECT;
        "start" "Where the trouble begins." name::START;
        "end" "Where it ends." name::END;
        "reason" "What the trouble is." name::REASON;
    }
}

/// `__init__`, with the words that it has everywhere.
const fn initialiser(body: super::Body) -> NativeDef {
    method("__init__", "(self, /, *args, **kwargs)", "Initialize self.", body)
}

pub const OS_ERROR: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Base class for I/O related errors.",
        new_os_error,
    ),
    initialiser(|args| {
        if !is_filled_by_init(&class_of(&args[0])) {
            return Ok(Value::None);
        }
        let given = init_with(args, &[])?;
        os_error::set_parts(this(&args[0])?, &given);
        Ok(Value::None)
    }),
];

pub const IMPORT_ERROR: &[NativeDef] = &[initialiser(|args| {
    let given = init_with(args, &[name::NAME_ATTR, name::PATH_ATTR, name::NAME_FROM])?;
    // Anew, it forgets what it was told before and is not told again.
    let attrs = &this(&args[0])?.parts;
    let keywords = as_dict(&args[2]);
    for name in [name::NAME_ATTR, name::PATH_ATTR, name::NAME_FROM] {
        if keywords.is_none_or(|given| given.symbol_entries().iter().all(|(key, _)| *key != name))
            && attrs.get(name).is_some()
        {
            attrs.set(name, Value::None);
        }
    }
    match given.as_slice() {
        [message] => attrs.set(name::MSG, message.clone()),
        _ if attrs.get(name::MSG).is_some() => attrs.set(name::MSG, Value::None),
        _ => {}
    }
    Ok(Value::None)
})];

pub const ATTRIBUTE_ERROR: &[NativeDef] = &[initialiser(|args| {
    init_with(args, &[name::NAME_ATTR, name::OBJ]).map(|_| Value::None)
})];

pub const NAME_ERROR: &[NativeDef] = &[initialiser(|args| {
    init_with(args, &[name::NAME_ATTR]).map(|_| Value::None)
})];

/// The attribute if it was set, else the first argument.
fn attr_or_first(args: &[Value], name: Symbol) -> Res {
    let exception = this(&args[0])?;
    Ok(exception
        .parts
        .get(name)
        .or_else(|| exception.arg(0))
        .unwrap_or(Value::None))
}

pub const STOP_ITERATION: &[NativeDef] = &[
    member("value", "The generator's return value.", |args| {
        attr_or_first(args, name::VALUE)
    }),
    setter("value", |args| set_attr(args, name::VALUE)),
];

pub const SYSTEM_EXIT: &[NativeDef] = &[
    member("code", "The exit status.", |args| {
        let exception = this(&args[0])?;
        if let Some(code) = exception.parts.get(name::CODE) {
            return Ok(code);
        }
        let given = exception.args.get();
        Ok(match as_tuple(&given).map(|given| &*given.items) {
            Some([]) | None => Value::None,
            Some([one]) => one.clone(),
            Some(_) => given.clone(),
        })
    }),
    setter("code", |args| set_attr(args, name::CODE)),
];

/// The attributes of a SyntaxError, in the order of its second argument.
const SYNTAX_PARTS: [&str; 6] = ["filename", "lineno", "offset", "text", "end_lineno", "end_offset"];

/// Checks how many details a SyntaxError is given.
fn syntax_details(details: &[Value]) -> Res<()> {
    let (bound, count) = match details.len() {
        4 | 6 => return Ok(()),
        5 => {
            return Err(type_error(
                "end_offset must be provided when end_lineno is provided",
            ));
        }
        less @ ..4 => ("least 4", less),
        more => ("most 6", more),
    };
    Err(type_error(format!(
        "function takes at {bound} arguments ({count} given)"
    )))
}

pub const SYNTAX_ERROR: &[NativeDef] = &[
    initialiser(|args| {
        let given = init_with(args, &[])?;
        let exception = this(&args[0])?;
        exception
            .parts
            .set(name::MSG, given.first().cloned().unwrap_or(Value::None));
        if let Some(details) = given.get(1).filter(|_| given.len() == 2) {
            let details = iterate::collect(details)?;
            syntax_details(&details)?;
            for (part, value) in SYNTAX_PARTS.iter().zip(details) {
                exception.parts.set(Symbol::new(part), value);
            }
        }
        Ok(Value::None)
    }),
    member("msg", "The message.", |args| attr_or_first(args, name::MSG)),
    setter("msg", |args| set_attr(args, name::MSG)),
];

pub const UNICODE_ERROR: &[NativeDef] = &[initialiser(|args| {
    let given = init_with(args, &[])?;
    let names = [name::ENCODING, name::OBJECT, name::START, name::END, name::REASON];
    let is_a = |id| crate::interp::types::is_instance(&args[0], &class(id));
    // A translation has no encoding.
    let skipped = usize::from(is_a(Type::UnicodeTranslateError));
    let names = &names[skipped..];
    if given.len() != names.len() {
        return Err(type_error(format!(
            "function takes exactly {} arguments ({} given)",
            names.len(),
            given.len()
        )));
    }
    let is_decoding = is_a(Type::UnicodeDecodeError);
    for (i, part) in given.iter().enumerate() {
        let wanted = match i + skipped {
            2 | 3 if !has_index(part) => {
                return index(part);
            }
            0 | 4 => "str",
            1 if !is_decoding => "str",
            _ => continue,
        };
        if as_str(part).is_none() {
            let kind = class_name(part);
            let place = i + 1;
            return Err(type_error(format!(
                "argument {place} must be {wanted}, not {kind}"
            )));
        }
    }
    if is_decoding {
        super::bytes_make::bytes_like(&given[1])?;
    }
    for (name, value) in names.iter().zip(given) {
        this(&args[0])?.parts.set(*name, value);
    }
    Ok(Value::None)
})];

fn row(args: &[Value]) -> Res<&Rc<TraceEntry>> {
    match args[0].opaque::<TracebackObject>() {
        Some(object) => Ok(&object.0),
        None => Err(wrong_self("tb_next", "traceback", &args[0])),
    }
}

fn line(entry: &TraceEntry) -> Value {
    Value::Int(i64::from(entry.code.source.line(entry.span.start)))
}

/// A traceback argument, or None.
fn row_or_none(value: &Value) -> Res<Option<Rc<TraceEntry>>> {
    match (value, value.opaque::<TracebackObject>()) {
        (Value::None, _) => Ok(None),
        (_, Some(object)) => Ok(Some(object.0.clone())),
        _ => Err(type_error(format!(
            "expected traceback object or None, got '{}'",
            class_name(value)
        ))),
    }
}

/// `types.TracebackType(tb_next, tb_frame, tb_lasti, tb_lineno)`
fn new_traceback(args: &[Value]) -> Res {
    let Some(frame) = args[2].opaque::<TracebackFrame>() else {
        return Err(wrong_argument(
            "traceback() argument 'tb_frame'",
            "frame",
            &args[2],
        ));
    };
    small(&args[3])?;
    let code = frame.row.code.clone();
    let (line, next) = (small(&args[4])?, row_or_none(&args[1])?);
    let wanted = line.clamp(1, code.source.lines().into()) as u32;
    let span = match code.source.line(frame.row.span.start) == wanted {
        true => frame.row.span,
        false => {
            let start = code.source.line_start(wanted);
            Span { start, end: start }
        }
    };
    Ok(traceback::object(TraceEntry::new(code, span, next)))
}

fn set_next(args: &[Value]) -> Res {
    if args[1].is_unset() {
        return Err(type_error("can't delete tb_next attribute"));
    }
    let own = row(args)?;
    let next = match row_or_none(&args[1]) {
        Ok(next) => next,
        Err(raised) => {
            drop(raised.take());
            let kind = class_name(&args[1]);
            return Err(type_error(format!("expected traceback object, got '{kind}'")));
        }
    };
    let mut ahead = next.clone();
    while let Some(entry) = ahead {
        if Rc::ptr_eq(&entry, own) {
            return Err(value_error("traceback loop detected"));
        }
        ahead = entry.next.get();
    }
    let old = own.next.replace(next);
    drop(old);
    Ok(Value::None)
}

pub const TRACEBACK: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, tb_next, tb_frame, tb_lasti, tb_lineno)",
        "Create a new traceback object.",
        new_traceback,
    ),
    getter("tb_next", "The next row, nearer to where it came up.", |args| {
        Ok(row(args)?.next.get().map_or(Value::None, traceback::object))
    }),
    setter_deleter("tb_next", set_next),
    getter("tb_lineno", "The line.", |args| Ok(line(row(args)?))),
    getter("tb_lasti", "Not counted: -1.", |_| Ok(Value::Int(-1))),
    getter("tb_frame", "The frame.", |args| {
        Ok(frame_object::of_row(row(args)?.clone()))
    }),
];

fn frame(args: &[Value]) -> Res<&TracebackFrame> {
    match args[0].opaque::<TracebackFrame>() {
        Some(frame) => Ok(frame),
        None => Err(wrong_self("f_code", "frame", &args[0])),
    }
}

pub const FRAME: &[NativeDef] = &[
    getter("f_code", "The frame's code.", |args| {
        Ok(frame_object::code(&frame(args)?.row.code))
    }),
    getter("f_lineno", "The line.", |args| {
        let frame = frame(args)?;
        let line = frame.row.code.source.line(frame_object::place(frame).start);
        Ok(Value::Int(line.into()))
    }),
    getter("f_back", "The caller of a running frame.", |args| {
        Ok(frame_object::back(frame(args)?))
    }),
    getter("f_lasti", "Not counted: -1.", |_| Ok(Value::Int(-1))),
    getter("f_builtins", "The built-in names.", |_| {
        attribute::get(&import::by_name("builtins")?, name::DICT)
    }),
    getter(
        "f_globals",
        "The variables of its module, else of the main one.",
        |args| {
            if let Some(module) = &frame(args)?.module {
                return Ok(namespace::of_module(module));
            }
            Ok(match &import::loaded_module(name::MAIN) {
                Some(Value::Module(main)) => namespace::of_module(main),
                _ => Value::from(crate::interp::mapping::new_dict()),
            })
        },
    ),
    method("clear", "(self, /)", "Let go of the local variables.", |args| {
        frame_object::clear(frame(args)?)?;
        Ok(Value::None)
    }),
    getter(
        "f_locals",
        "The local variables, now or when an exception left the frame.",
        |args| {
            let none = || Value::from(crate::interp::mapping::new_dict());
            Ok(frame_object::locals_of(frame(args)?).unwrap_or_else(none))
        },
    ),
];
