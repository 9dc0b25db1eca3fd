//! Which modules there are, and how each is made: the one list that `import` asks.

use super::{asyncio, modules, outside};
use crate::interp::import::{self, Found, Library};
use crate::interp::{attribute, call};
use crate::source::{Symbol, name};
use crate::value::*;
use std::cell::RefCell;

/// A module made in Rust.
type Make = fn() -> Vec<(Symbol, Value)>;

/// Modules made in Rust, by name.
const NATIVE: &[(&str, Make)] = &[
    ("math", modules::math::module),
    ("itertools", modules::itertools::module),
    ("_collections", modules::collections::module),
    ("_bisect", modules::heapq::bisections),
    ("_datetime", modules::datetime::module),
    ("_digest", modules::digest::module),
    ("_json", modules::json::module),
    ("_heapq", modules::heapq::heaps),
    ("_operator", modules::operator::module),
    ("_abc", modules::abc::module),
    ("_functools", modules::functools::module),
    ("_traceback", modules::traceback::module),
    ("_types", modules::types_native::module),
    ("sys", modules::sys::module),
    ("os", modules::os::module),
    ("os.path", modules::os::path_module),
    ("_environ", modules::os::environ::module),
    ("re", modules::re::module),
    ("_re", modules::re::flag::module),
    ("random", modules::random::module),
    ("_signal", modules::signal::module),
    ("_string", modules::string::module),
    ("time", modules::time::module),
    ("contextvars", modules::contextvars::module),
    ("_io", modules::io::module),
    ("_thread", modules::thread::module),
    ("_subprocess", modules::subprocess::module),
    ("_weakref", modules::weakref::module),
    ("builtins", super::builtins_module),
];

/// Modules written in aio, by name.
macro_rules! sources {
    ($($name:literal $file:literal)*) => {
        const SOURCES: &[(&str, &str)] = &[$(($name, include_str!(concat!("aio/", $file, ".aio")))),*];
    };
}

sources! {
    "_datetime_format" "datetime_format"
    "_datetime_parse" "datetime_parse"
    "_datetime_span" "datetime_span"
    "_datetime_value" "datetime_value"
    "_datetime_zone" "datetime_zone"
    "_enum_body" "enum_body"
    "_enum_more" "enum_more"
    "_gregorian" "gregorian"
    "_inspect_call" "inspect_call"
    "_inspect_signature" "inspect_signature"
    "_inspect_source" "inspect_source"
    "_help" "_help"
    "_signature" "_signature"
    "_io_buffer" "io_buffer"
    "_io_file" "io_file"
    "_io_text" "io_text"
    "_ordered_dict" "ordered_dict"
    "_os_environ" "os_environ"
    "_os_program" "os_program"
    "_os_walk" "os_walk"
    "_path_glob" "path_glob"
    "_re_flag" "re_flag"
    "_re_scanner" "re_scanner"
    "_statistics_kernel" "statistics_kernel"
    "_struct_time" "struct_time"
    "_task_stack" "_task_stack"
    "_typing_form" "typing_form"
    "_typing_standin" "typing_standin"
    "_typing_more" "typing_more"
    "_typing_text" "typing_text"
    "_user_string" "user_string"
    "_weak_proxy" "weak_proxy"
    "abc" "abc"
    "asyncio.constants" "asyncio_constants"
    "asyncio.exceptions" "asyncio_exceptions"
    "asyncio.locks" "asyncio_locks"
    "asyncio.log" "asyncio_log"
    "asyncio.policies" "asyncio_policies"
    "asyncio.runners" "asyncio_runners"
    "asyncio.servers" "asyncio_servers"
    "asyncio.staggered" "asyncio_staggered"
    "asyncio.tasks" "asyncio_tasks"
    "asyncio.threads" "asyncio_threads"
    "bisect" "bisect"
    "collections" "collections"
    "collections.abc" "collections_abc"
    "concurrent.futures" "concurrent_futures"
    "concurrent.futures.thread" "concurrent_futures_thread"
    "contextlib" "contextlib"
    "copy" "copy"
    "_copyreg" "copyreg"
    "dataclasses" "dataclasses"
    "datetime" "datetime"
    "_difflib" "difflib"
    "enum" "enum"
    "functools" "functools"
    "heapq" "heapq"
    "inspect" "inspect"
    "io" "io"
    "json" "json"
    "json.decoder" "json_decoder"
    "json.encoder" "json_encoder"
    "logging" "logging"
    "logging._handler" "logging_handler"
    "logging._record" "logging_record"
    "logging.config" "logging_config"
    "logging.handlers" "logging_handlers"
    "operator" "operator"
    "pathlib" "pathlib"
    "_pprint" "pprint"
    "queue" "queue"
    "signal" "signal"
    "socket" "socket"
    "statistics" "statistics"
    "string" "string"
    "subprocess" "subprocess"
    "textwrap" "textwrap"
    "threading" "threading"
    "traceback" "traceback"
    "types" "types"
    "typing" "typing"
    "unittest" "unittest"
    "unittest._asserts" "unittest_asserts"
    "unittest._call" "unittest_call"
    "unittest._contexts" "unittest_contexts"
    "unittest._patch" "unittest_patch"
    "unittest._spec" "unittest_spec"
    "unittest._text" "unittest_text"
    "unittest.async_case" "unittest_async_case"
    "unittest.case" "unittest_case"
    "unittest.loader" "unittest_loader"
    "unittest.main" "unittest_main"
    "unittest.mock" "unittest_mock"
    "unittest._magic" "unittest_magic"
    "unittest._mock_more" "unittest_mock_more"
    "unittest.result" "unittest_result"
    "unittest.runner" "unittest_runner"
    "unittest.signals" "unittest_signals"
    "unittest.suite" "unittest_suite"
    "uuid" "uuid"
    "warnings" "warnings"
    "weakref" "weakref"
}

/// Which part of asyncio, written in aio, holds a name that the native core does not.
const ASYNCIO_PARTS: &[(&str, &str)] = &[
    ("Condition", "asyncio.locks"),
    ("Barrier", "asyncio.locks"),
    ("BrokenBarrierError", "asyncio.locks"),
    ("IncompleteReadError", "asyncio.exceptions"),
    ("LimitOverrunError", "asyncio.exceptions"),
    ("SendfileNotAvailableError", "asyncio.exceptions"),
    ("AbstractEventLoopPolicy", "asyncio.policies"),
    ("DefaultEventLoopPolicy", "asyncio.policies"),
    ("get_event_loop_policy", "asyncio.policies"),
    ("set_event_loop_policy", "asyncio.policies"),
    ("Runner", "asyncio.runners"),
    ("AbstractServer", "asyncio.servers"),
    ("as_completed", "asyncio.tasks"),
    ("create_eager_task_factory", "asyncio.tasks"),
    ("to_thread", "asyncio.threads"),
    ("run_coroutine_threadsafe", "asyncio.threads"),
    ("wrap_future", "asyncio.threads"),
];

/// Names of other modules made in Rust that are written in aio: the module, the name, and where it is.
const LATE_NAMES: &[(&str, &str, &str)] = &[
    ("os", "WEXITSTATUS", "_os_program"),
    ("os", "WIFEXITED", "_os_program"),
    ("os", "WIFSIGNALED", "_os_program"),
    ("os", "WIFSTOPPED", "_os_program"),
    ("os", "WSTOPSIG", "_os_program"),
    ("os", "WTERMSIG", "_os_program"),
    ("os", "get_exec_path", "_os_program"),
    ("os", "popen", "_os_program"),
    ("os", "system", "_os_program"),
    ("os", "waitstatus_to_exitcode", "_os_program"),
    ("os", "device_encoding", "_os_environ"),
    ("os", "environ", "_os_environ"),
    ("os", "environb", "_os_environ"),
    ("os", "getenv", "_os_environ"),
    ("os", "getenvb", "_os_environ"),
    ("os", "supports_dir_fd", "_os_environ"),
    ("os", "supports_effective_ids", "_os_environ"),
    ("os", "supports_fd", "_os_environ"),
    ("os", "supports_follow_symlinks", "_os_environ"),
    ("os", "walk", "_os_walk"),
    ("re", "RegexFlag", "_re_flag"),
    ("re", "Scanner", "_re_scanner"),
    ("time", "get_clock_info", "_struct_time"),
    ("time", "strptime", "_struct_time"),
    ("time", "struct_time", "_struct_time"),
];

/// Modules of asyncio that have no text of their own here: each gives the names of asyncio itself.
const ASYNCIO_FACES: &[&str] = &[
    "asyncio.base_events",
    "asyncio.base_futures",
    "asyncio.base_tasks",
    "asyncio.coroutines",
    "asyncio.events",
    "asyncio.futures",
    "asyncio.mixins",
    "asyncio.queues",
    "asyncio.taskgroups",
    "asyncio.timeouts",
];

fn asyncio_face(_: &Module, name: Symbol) -> Res<Option<Value>> {
    attribute::find(&import::by_name("asyncio")?, name)
}

/// How `import` asks for modules.
pub const MODULES: Library = Library {
    find,
    names,
    advice: outside::advice,
    late: late_names,
};

fn find(module: &str) -> Option<Found> {
    if module == "asyncio" {
        let mut names = asyncio::module();
        let lazy = ASYNCIO_PARTS.iter().map(|(name, _)| Symbol::new(name));
        let mut public: Vec<Symbol> = names.iter().map(|(name, _)| *name).chain(lazy).collect();
        let is_public = |name: &Symbol| {
            !name.text().starts_with('_') || ["_get_running_loop", "_set_running_loop"].contains(&name.text())
        };
        public.retain(is_public);
        public.sort_by_key(|name| name.text());
        public.dedup();
        let all = Value::tuple(public.into_iter().map(Value::from).collect::<Vec<Value>>());
        names.push((Symbol::new("__all__"), all));
        return Some(Found::Native(names, Some(asyncio_part)));
    }
    if ASYNCIO_FACES.contains(&module) {
        return Some(Found::Native(vec![], Some(asyncio_face)));
    }
    if module == "concurrent" {
        return Some(Found::Native(vec![(name::PATH, Value::list(vec![]))], None));
    }
    if let Some((_, make)) = NATIVE.iter().find(|(n, _)| *n == module) {
        let mut names = make();
        if WITH_ALL.contains(&module) {
            names.push((name::ALL, public(&names, module)));
        }
        return Some(Found::Native(names, Some(late_name)));
    }
    SOURCES
        .iter()
        .find(|(n, _)| *n == module)
        .map(|(_, text)| Found::Source(text))
}

/// Modules made in Rust that CPython has in Python, with a list of what is public.
const WITH_ALL: &[&str] = &["contextvars", "os", "re"];

/// A module's public names.
fn public(names: &[(Symbol, Value)], module: &str) -> Value {
    let mut public: Vec<&str> = names.iter().map(|(name, _)| name.text()).collect();
    public.extend(late_names(module));
    public.retain(|name| !name.starts_with('_'));
    public.sort_unstable();
    Value::list(public.into_iter().map(Value::from).collect())
}

/// The names of a module made in Rust that are written in aio.
fn late_names(module: &str) -> Vec<&'static str> {
    let parts = ASYNCIO_PARTS.iter().filter(|_| module == "asyncio");
    let parts = parts.map(|(name, _)| *name);
    let rows = LATE_NAMES.iter().filter(|(of, ..)| *of == module);
    let flags = modules::re::flag::names().filter(|_| module == "re");
    parts.chain(rows.map(|(_, name, _)| *name)).chain(flags).collect()
}

fn late_name(this: &Module, name: Symbol) -> Res<Option<Value>> {
    let is_it = |(module, late, _): &&(&str, &str, &str)| *module == this.name.text() && *late == name.text();
    let is_flag = || this.name.text() == "re" && modules::re::flag::names().any(|flag| flag == name.text());
    let part = match LATE_NAMES.iter().find(is_it) {
        Some((_, _, part)) => part,
        None if is_flag() => "_re_flag",
        None => return Ok(None),
    };
    let value = attribute::get(&import::by_name(part)?, name)?;
    this.set(name, value.clone());
    Ok(Some(value))
}

/// A name of asyncio that is written in aio: its part is run when it is first asked for.
fn asyncio_part(this: &Module, name: Symbol) -> Res<Option<Value>> {
    let Some((_, part)) = ASYNCIO_PARTS.iter().find(|(n, _)| *n == name.text()) else {
        // `asyncio.locks` itself.
        let full = format!("asyncio.{name}");
        let is_known = ASYNCIO_FACES.contains(&&*full) || SOURCES.iter().any(|(n, _)| *n == full);
        return match is_known {
            true => import::by_name(&full).map(Some),
            false => Ok(None),
        };
    };
    let part = import::by_name(part)?;
    let value = attribute::get(&part, name)?;
    this.set(name, value.clone());
    Ok(Some(value))
}

fn names() -> Vec<&'static str> {
    let natives = NATIVE.iter().map(|(n, _)| *n);
    let sources = SOURCES.iter().map(|(n, _)| *n);
    natives
        .chain(sources)
        .chain(["asyncio"])
        .filter(|n| !n.starts_with('_'))
        .collect()
}

/// The prelude: names that need no import (LANGUAGE: `spawn`, `gather`, …).
pub fn prelude(name: Symbol) -> Option<Value> {
    let module = |name: &str| import::by_name(name).map_err(|raised| drop(raised.take())).ok();
    match name.text() {
        "asyncio" => module("asyncio"),
        "gather" | "sleep" | "FIRST_COMPLETED" | "FIRST_EXCEPTION" | "ALL_COMPLETED" => {
            let asyncio = module("asyncio")?;
            attribute::find(&asyncio, name)
                .map_err(|raised| drop(raised.take()))
                .ok()?
        }
        "spawn" | "wait" | "run_in_executor" => asyncio::prelude(name.text()),
        _ => None,
    }
}

/// The names of the prelude.
pub const PRELUDE: &[&str] = &[
    "asyncio",
    "spawn",
    "gather",
    "wait",
    "sleep",
    "run_in_executor",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "ALL_COMPLETED",
];

thread_local! {
    static ARGUMENTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Sets `sys.argv`.
pub fn set_arguments(args: &[String]) {
    ARGUMENTS.set(args.to_vec());
}

/// `sys.argv`
pub fn arguments() -> Vec<String> {
    ARGUMENTS.with_borrow(Vec::clone)
}

/// What modules do at the end of a program, in this order: `threading` joins its threads,
/// `weakref` calls the finalizers that are left.
const AT_EXIT: &[(&str, &str)] = &[
    ("threading", "_shutdown"),
    ("weakref", "_exit"),
    ("logging", "shutdown"),
];

/// Does what the modules that were imported do at the end of a program.
pub fn at_exit() -> Res<()> {
    for (module, function) in AT_EXIT {
        let Some(module) = import::loaded_module(Symbol::new(module)) else {
            continue;
        };
        if let Some(function) = attribute::find(&module, Symbol::new(function))? {
            call::call(&function, &[])?;
        }
    }
    Ok(())
}
