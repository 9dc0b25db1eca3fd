//! `sys`: the program's surroundings, and the interpreter as scripts see it.

mod asyncgen;
mod frame;
mod loaded;
mod origin;
mod stream;

use super::struct_sequence;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_of};
use crate::interp::{call, import, stack, text};
use crate::library::builtins::function;
use crate::library::catalog;
use crate::source::Symbol;
use crate::text::int::{self, MAX_DIGITS};
use crate::value::running;
use crate::value::*;
use std::cell::Cell;

const VERSION: &str = "3.13.0 (aio, Nov 2025)";
const HEX_VERSION: i64 = 0x030d_00f0;

fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(texts.into_iter().map(Value::from).collect())
}

fn version_info() -> Value {
    let class = struct_sequence::class(
        "sys",
        "version_info",
        &["major", "minor", "micro", "releaselevel", "serial"],
    );
    let items = vec![
        Value::Int(3),
        Value::Int(13),
        Value::Int(0),
        Value::from("final"),
        Value::Int(0),
    ];
    struct_sequence::value(&class, items)
}

fn float_info() -> Value {
    const FIELDS: &[&str] = &[
        "max",
        "max_exp",
        "max_10_exp",
        "min",
        "min_exp",
        "min_10_exp",
        "dig",
        "mant_dig",
        "epsilon",
        "radix",
        "rounds",
    ];
    let items = vec![
        Value::float(f64::MAX),
        Value::Int(1024),
        Value::Int(308),
        Value::float(f64::MIN_POSITIVE),
        Value::Int(-1021),
        Value::Int(-307),
        Value::Int(15),
        Value::Int(53),
        Value::float(f64::EPSILON),
        Value::Int(2),
        Value::Int(1),
    ];
    struct_sequence::value(&struct_sequence::class("sys", "float_info", FIELDS), items)
}

fn int_info() -> Value {
    const FIELDS: &[&str] = &[
        "bits_per_digit",
        "sizeof_digit",
        "default_max_str_digits",
        "str_digits_check_threshold",
    ];
    let items = vec![
        Value::Int(30),
        Value::Int(4),
        Value::from(MAX_DIGITS),
        Value::Int(640),
    ];
    struct_sequence::value(&struct_sequence::class("sys", "int_info", FIELDS), items)
}

fn hash_info() -> Value {
    const FIELDS: &[&str] = &[
        "width",
        "modulus",
        "inf",
        "nan",
        "imag",
        "algorithm",
        "hash_bits",
        "seed_bits",
        "cutoff",
    ];
    let items = vec![
        Value::Int(64),
        Value::Int((1 << 61) - 1),
        Value::Int(314159),
        Value::Int(0),
        Value::Int(1000003),
        Value::from("siphash13"),
        Value::Int(64),
        Value::Int(128),
        Value::Int(0),
    ];
    struct_sequence::value(&struct_sequence::class("sys", "hash_info", FIELDS), items)
}

fn flags() -> Value {
    const FIELDS: &[&str] = &[
        "debug",
        "inspect",
        "interactive",
        "optimize",
        "dont_write_bytecode",
        "no_user_site",
        "no_site",
        "ignore_environment",
        "verbose",
        "bytes_warning",
        "quiet",
        "hash_randomization",
        "isolated",
        "dev_mode",
        "utf8_mode",
        "warn_default_encoding",
        "safe_path",
        "int_max_str_digits",
    ];
    let mut items = vec![Value::Int(0); FIELDS.len()];
    items[13] = Value::FALSE;
    items[16] = Value::FALSE;
    items[17] = Value::from(MAX_DIGITS);
    struct_sequence::value(&struct_sequence::class("sys", "flags", FIELDS), items)
}

/// An object with nothing but attributes.
fn namespace(entries: &[(&str, Value)]) -> Value {
    let object = Ref::new(Instance::new(class(Type::Object), Value::Unset));
    for (name, value) in entries {
        object.set(Symbol::new(name), value.clone());
    }
    object.into()
}

pub fn module() -> Vec<(Symbol, Value)> {
    let version_info = version_info();
    let implementation = namespace(&[
        ("name", Value::from("aio")),
        ("version", version_info.clone()),
        ("hexversion", Value::Int(HEX_VERSION)),
        ("cache_tag", Value::None),
    ]);
    let executable = std::env::current_exe()
        .map(|p| p.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut arguments = catalog::arguments();
    if arguments.is_empty() {
        arguments.push(String::new());
    }
    let [stdin, stdout, stderr] = stream::standard();
    let values = [
        ("argv", strings(arguments.iter().map(String::as_str))),
        (
            "orig_argv",
            strings(std::env::args().collect::<Vec<_>>().iter().map(String::as_str)),
        ),
        ("version", Value::from(VERSION)),
        ("version_info", version_info),
        ("hexversion", Value::Int(HEX_VERSION)),
        ("api_version", Value::Int(1013)),
        (
            "platform",
            Value::from(if cfg!(target_os = "macos") {
                "darwin"
            } else {
                std::env::consts::OS
            }),
        ),
        ("maxsize", Value::Int(i64::MAX)),
        ("maxunicode", Value::Int(0x10_ffff)),
        (
            "byteorder",
            Value::from(if cfg!(target_endian = "big") {
                "big"
            } else {
                "little"
            }),
        ),
        ("float_info", float_info()),
        ("int_info", int_info()),
        ("hash_info", hash_info()),
        ("flags", flags()),
        ("float_repr_style", Value::from("short")),
        ("implementation", implementation),
        ("executable", Value::from(executable)),
        ("prefix", Value::from("")),
        ("base_prefix", Value::from("")),
        ("exec_prefix", Value::from("")),
        ("copyright", Value::from("")),
        ("path", strings([])),
        ("modules", loaded::modules()),
        (
            "builtin_module_names",
            Value::tuple([Value::from("sys"), Value::from("time")]),
        ),
        ("stdlib_module_names", frozen((catalog::MODULES.names)())),
        ("warnoptions", strings([])),
        ("abiflags", Value::from("")),
        ("dont_write_bytecode", Value::TRUE),
        ("stdin", stdin.clone()),
        ("stdout", stdout.clone()),
        ("stderr", stderr.clone()),
        ("__stdin__", stdin),
        ("__stdout__", stdout),
        ("__stderr__", stderr),
    ];
    let mut names: Vec<_> = values
        .into_iter()
        .map(|(name, value)| (Symbol::new(name), value))
        .collect();
    names.extend(super::functions(
        "sys",
        &[
            FUNCTIONS,
            frame::FUNCTIONS,
            asyncgen::FUNCTIONS,
            origin::FUNCTIONS,
        ],
    ));
    for (shown, hidden) in [
        ("breakpointhook", "__breakpointhook__"),
        ("displayhook", "__displayhook__"),
        ("excepthook", "__excepthook__"),
        ("unraisablehook", "__unraisablehook__"),
    ] {
        if let Some((_, hook)) = names.iter().find(|(n, _)| n.text() == shown).cloned() {
            names.push((Symbol::new(hidden), hook));
        }
    }
    names
}

/// What a script put in the place of `sys.stdout` (or `stdin`, `stderr`); none if it did not.
pub fn redirected(stream: Symbol) -> Option<Value> {
    let Value::Module(sys) = &import::loaded_module(Symbol::new("sys"))? else {
        return None;
    };
    sys.get(stream)
        .filter(|value| !stream::is_standard(value, stream))
}

fn frozen<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    let set = crate::interp::mapping::set_of(texts.into_iter().map(Value::from));
    // Strs can always be hashed and compared.
    crate::interp::mapping::new_frozenset(set.unwrap_or_default())
}

pub fn exit(args: &[Value]) -> Res {
    let given = if args[0].given().is_none() {
        vec![]
    } else {
        args[..1].to_vec()
    };
    let made = call::call(&class(Type::SystemExit).into(), &given)?;
    match &made {
        Value::Exception(exception) => Err(Raised::new(Ref::clone(exception))),
        _ => Err(runtime_error("SystemExit is not an exception any more")),
    }
}

fn exc_info(_: &[Value]) -> Res {
    let Some(exception) = exception::handled() else {
        return Ok(Value::tuple([Value::None, Value::None, Value::None]));
    };
    let value = Value::from(exception.clone());
    let traceback = crate::interp::attribute::get(&value, Symbol::new("__traceback__"))?;
    Ok(Value::tuple([exception.class().into(), value, traceback]))
}

fn set_recursion_limit(args: &[Value]) -> Res {
    let limit = small(&args[0])?;
    if limit < 1 {
        return Err(value_error("recursion limit must be greater or equal than 1"));
    }
    let limit = u32::try_from(limit).unwrap_or(u32::MAX / 2);
    if stack::depth() >= limit {
        return Err(raise(
            Type::RecursionError,
            format!(
                "cannot set the recursion limit to {limit} at the recursion depth {}: the limit is too low",
                stack::depth()
            ),
        ));
    }
    stack::set_recursion_limit(limit);
    Ok(Value::None)
}

/// About what CPython would say.
fn size_of(args: &[Value]) -> Res {
    let object = &args[0];
    if matches!(object, Value::Instance(_))
        && let Some(own @ Value::Function(_)) = class_of(object).lookup(Symbol::new("__sizeof__"))
    {
        return call::call(&own, &args[..1]);
    }
    let size = match plain(object) {
        Value::None | Value::NotImplemented | Value::Ellipsis | Value::Unset => 16,
        Value::Bool(_) | Value::Int(0) => 28,
        Value::Int(n) => 24 + 4 * (64 - n.unsigned_abs().leading_zeros() as usize).div_ceil(30),
        Value::Big(n) => 24 + 4 * (n.0.bits() as usize).div_ceil(30),
        Value::Float(_) => 24,
        Value::Str(s) if s.is_ascii() => 41 + s.chars,
        Value::Str(s) => {
            59 + s.chars
                * if s.text.chars().all(|c| (c as u32) < 0x1_0000) {
                    2
                } else {
                    4
                }
        }
        Value::Bytes(b) => 33 + b.0.len(),
        Value::ByteArray(b) => 57 + b.0.borrow().len(),
        Value::List(l) => 56 + 8 * l.len(),
        Value::Tuple(t) => 40 + 8 * t.items.len(),
        Value::Dict(d) if d.is_empty() => 64,
        Value::Dict(d) => 88 + 24 * d.len().next_power_of_two().max(4),
        Value::Set(_) | Value::FrozenSet(_) => 216,
        Value::Function(_) => 160,
        Value::Class(_) => 1688,
        Value::Range(_) => 48,
        _ => 48,
    };
    Ok(Value::from(size))
}

fn intern(args: &[Value]) -> Res {
    match &args[0] {
        Value::Str(text) => Ok(text.symbol().into()),
        other => Err(type_error(format!(
            "intern() argument must be str, not {}",
            class_of(other).name()
        ))),
    }
}

thread_local! {
    static SWITCH_INTERVAL: Cell<f64> = const { Cell::new(0.005) };
}

fn set_digits(args: &[Value]) -> Res {
    match usize::try_from(small(&args[0])?) {
        Ok(digits) if digits == 0 || digits >= 640 => int::set_limit(digits),
        _ => return Err(value_error("maxdigits must be 0 or larger than 640")),
    }
    Ok(Value::None)
}

fn set_switch_interval(args: &[Value]) -> Res {
    let interval = real(&args[0])?;
    if interval <= 0.0 {
        return Err(value_error("switch interval must be strictly positive"));
    }
    SWITCH_INTERVAL.set(interval);
    Ok(Value::None)
}

/// `sys.excepthook`: the exception and its traceback to stderr.
fn except_hook(args: &[Value]) -> Res {
    let traceback = import::by_name("traceback")?;
    call::call_method(&traceback, Symbol::new("print_exception"), args)
}

fn display_hook(args: &[Value]) -> Res {
    if !args[0].is_none() {
        crate::runtime::console::write(&format!("{}\n", text::repr(&args[0])?));
    }
    Ok(Value::None)
}

fn breakpoint_hook(_: &[Value]) -> Res {
    if std::env::var("PYTHONBREAKPOINT").is_ok_and(|hook| hook == "0") {
        return Ok(Value::None);
    }
    let said = running::look(|seen| {
        let code = &seen.func.code;
        let line = code.source.line(seen.span.start);
        let file = &code.source.name;
        Some(format!(
            "breakpoint in {}, {file}:{line}; aio has no debugger and goes on\n",
            code.qualname
        ))
    });
    crate::runtime::console::write_error(&said.unwrap_or_default());
    Ok(Value::None)
}

/// What a script has put in the place of a hook; none if it did not.
fn own_hook(name: &str) -> Option<Value> {
    let Value::Module(sys) = &import::loaded_module(Symbol::new("sys"))? else {
        return None;
    };
    sys.get(Symbol::new(name))
        .filter(|hook| !matches!(hook, Value::Native(_) | Value::None))
}

/// An exception as hooks are told of it: its class, itself, its traceback.
fn told(error: &Ref<Exception>) -> [Value; 3] {
    let traceback = crate::interp::traceback::of(error);
    [error.class().into(), error.clone().into(), traceback]
}

/// Gives an exception that ended the program to the `sys.excepthook` of a script; false if it has set none.
pub fn tell_uncaught(error: &Ref<Exception>) -> Res<bool> {
    let hook = own_hook("excepthook");
    hook.as_ref()
        .map_or(Ok(()), |hook| call::call(hook, &told(error)).map(drop))?;
    Ok(hook.is_some())
}

/// Gives an exception that nobody can handle to the `sys.unraisablehook` of a script; false if it has set
/// none.
pub fn tell_unraisable(error: &Ref<Exception>, object: &Value) -> Res<bool> {
    const FIELDS: &[&str] = &["exc_type", "exc_value", "exc_traceback", "err_msg", "object"];
    let Some(hook) = own_hook("unraisablehook") else {
        return Ok(false);
    };
    let mut items = told(error).to_vec();
    items.extend([Value::None, object.clone()]);
    let class = struct_sequence::class("builtins", "UnraisableHookArgs", FIELDS);
    call::call(&hook, &[struct_sequence::value(&class, items)])?;
    Ok(true)
}

fn unraisable_hook(args: &[Value]) -> Res {
    let value = crate::interp::attribute::get(&args[0], Symbol::new("exc_value"))?;
    crate::runtime::console::write_error(&format!("Exception ignored: {}\n", text::repr(&value)?));
    Ok(Value::None)
}

const FUNCTIONS: &[NativeDef] = &[
    function(
        "exit",
        "(status=None, /)",
        "End the program by raising SystemExit(status).",
        exit,
    ),
    function(
        "exc_info",
        "()",
        "Return class, exception and traceback of what is being handled.",
        exc_info,
    ),
    function(
        "exception",
        "()",
        "Return the exception that is being handled.",
        |_| Ok(exception::handled().map_or(Value::None, Value::from)),
    ),
    function(
        "excepthook",
        "(exctype, value, traceback, /)",
        "Write an exception to stderr.",
        except_hook,
    ),
    function(
        "displayhook",
        "(object, /)",
        "Write an object to stdout.",
        display_hook,
    ),
    function(
        "breakpointhook",
        "(*args, **kws)",
        "Say where the program stands, unless PYTHONBREAKPOINT is 0: aio has no debugger.",
        breakpoint_hook,
    ),
    function(
        "unraisablehook",
        "(unraisable, /)",
        "Tell of an exception that nobody can handle.",
        unraisable_hook,
    ),
    function(
        "getrecursionlimit",
        "()",
        "Return how deep calls may nest.",
        |_| Ok(Value::Int(i64::from(stack::recursion_limit()))),
    ),
    function(
        "setrecursionlimit",
        "(limit, /)",
        "Set how deep calls may nest.",
        set_recursion_limit,
    ),
    function(
        "getsizeof",
        "(object, default=None)",
        "Return about how many bytes an object takes.",
        size_of,
    ),
    function(
        "getrefcount",
        "(object, /)",
        "Return how many references to an object there are.",
        |args| Ok(Value::Int(i64::from(args[0].references()))),
    ),
    function(
        "intern",
        "(string, /)",
        "Return the one object for a string.",
        intern,
    ),
    function(
        "getdefaultencoding",
        "()",
        "Return the encoding of strs as bytes.",
        |_| Ok(Value::from("utf-8")),
    ),
    function(
        "getfilesystemencoding",
        "()",
        "Return the encoding of file names.",
        |_| Ok(Value::from("utf-8")),
    ),
    function(
        "getfilesystemencodeerrors",
        "()",
        "Return how odd file names are treated.",
        |_| Ok(Value::from("surrogateescape")),
    ),
    function(
        "is_finalizing",
        "()",
        "Tell whether the program is being shut down.",
        |_| Ok(Value::FALSE),
    ),
    function(
        "get_int_max_str_digits",
        "()",
        "Return how many digits an int may have as text.",
        |_| Ok(Value::from(int::limit())),
    ),
    function(
        "set_int_max_str_digits",
        "(maxdigits)",
        "Set how many digits an int may have as text.",
        set_digits,
    ),
    function(
        "getswitchinterval",
        "()",
        "Return after how many seconds threads take turns.",
        |_| Ok(Value::float(SWITCH_INTERVAL.get())),
    ),
    function(
        "setswitchinterval",
        "(interval, /)",
        "Set after how many seconds threads take turns.",
        set_switch_interval,
    ),
    function(
        "gettrace",
        "()",
        "Return the trace function: there is none.",
        |_| Ok(Value::None),
    ),
    function(
        "getprofile",
        "()",
        "Return the profile function: there is none.",
        |_| Ok(Value::None),
    ),
    function("audit", "(event, /, *args)", "Tell nobody of an event.", |_| {
        Ok(Value::None)
    }),
    function(
        "addaudithook",
        "(hook)",
        "Take a hook that is never called.",
        |_| Ok(Value::None),
    ),
    function(
        "getallocatedblocks",
        "()",
        "Return 0: blocks are not counted.",
        |_| Ok(Value::Int(0)),
    ),
];
