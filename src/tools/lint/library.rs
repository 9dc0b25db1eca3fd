//! What the library's functions, classes and methods give, as far as rules ask.
//!
//! Paths are dotted: `asyncio.sleep`, `builtins.input`; `prelude.spawn` for a word of the prelude
//! that no module has. Every kind of event loop is `asyncio.loop`.

/// What a call gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gives {
    Coroutine,
    /// The coroutine of `sleep`.
    Sleep,
    Task,
    Future,
    /// An object of this class.
    Object(&'static str),
    /// Something that cannot be awaited: a number, text, None.
    Plain,
}

/// What a word means that the module does not bind.
pub fn free_name(name: &str) -> String {
    match name {
        "asyncio" => name.into(),
        "gather" | "sleep" | "FIRST_COMPLETED" | "FIRST_EXCEPTION" | "ALL_COMPLETED" => {
            format!("asyncio.{name}")
        }
        "spawn" | "wait" | "run_in_executor" => format!("prelude.{name}"),
        _ => format!("builtins.{name}"),
    }
}

/// Whether [`free_name`] knows the word as one of the prelude.
pub fn is_prelude(name: &str) -> bool {
    !free_name(name).starts_with("builtins.")
}

/// What calling the function or class of a path gives, if rules know it.
pub fn call(path: &str) -> Option<Gives> {
    Some(match path {
        "asyncio.sleep" => Gives::Sleep,
        "asyncio.wait"
        | "asyncio.wait_for"
        | "asyncio.to_thread"
        | "asyncio.open_connection"
        | "asyncio.start_server"
        | "asyncio.create_subprocess_exec"
        | "asyncio.create_subprocess_shell"
        | "builtins.anext"
        | "prelude.wait" => Gives::Coroutine,
        "asyncio.create_task" | "asyncio.ensure_future" | "prelude.spawn" => Gives::Task,
        "asyncio.gather" | "asyncio.shield" | "asyncio.wrap_future" | "prelude.run_in_executor" => {
            Gives::Future
        }
        "asyncio.run_coroutine_threadsafe" => Gives::Object("concurrent.futures.Future"),
        "asyncio.get_event_loop" | "asyncio.new_event_loop" | "asyncio.get_running_loop" => {
            Gives::Object("asyncio.loop")
        }
        "time.sleep" | "time.time" | "time.monotonic" | "time.perf_counter" | "builtins.print"
        | "builtins.input" | "builtins.len" | "builtins.str" | "builtins.int" | "builtins.float"
        | "builtins.range" | "builtins.map" | "builtins.filter" | "builtins.enumerate" | "builtins.zip"
        | "builtins.list" | "builtins.dict" | "builtins.set" | "builtins.sum" | "builtins.sorted" => {
            Gives::Plain
        }
        path => Gives::Object(CLASSES.iter().find(|&&class| class == path)?),
    })
}

const CLASSES: &[&str] = &[
    "asyncio.Lock",
    "asyncio.Event",
    "asyncio.Condition",
    "asyncio.Semaphore",
    "asyncio.BoundedSemaphore",
    "asyncio.Barrier",
    "asyncio.Queue",
    "asyncio.LifoQueue",
    "asyncio.PriorityQueue",
    "asyncio.TaskGroup",
    "asyncio.timeout",
    "asyncio.timeout_at",
    "asyncio.Runner",
    "asyncio.Future",
    "asyncio.Task",
    "contextlib.AsyncExitStack",
    "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.ProcessPoolExecutor",
    "queue.Queue",
    "queue.LifoQueue",
    "queue.PriorityQueue",
    "queue.SimpleQueue",
    "threading.Thread",
    "threading.Timer",
    "threading.Lock",
    "threading.RLock",
    "threading.Event",
    "threading.Condition",
    "threading.Barrier",
    "builtins.open",
];

/// The class of a path, if rules know it: for annotations.
pub fn class(path: &str) -> Option<&'static str> {
    match path {
        "asyncio.AbstractEventLoop" | "asyncio.BaseEventLoop" => Some("asyncio.loop"),
        path => CLASSES.iter().find(|&&class| class == path).copied(),
    }
}

/// What a method of an object of a class gives, if rules know it.
pub fn method(class: &str, name: &str) -> Option<Gives> {
    Some(match (class, name) {
        (
            "asyncio.Lock" | "asyncio.Semaphore" | "asyncio.BoundedSemaphore" | "asyncio.Condition",
            "acquire",
        )
        | ("asyncio.Event" | "asyncio.Barrier", "wait")
        | ("asyncio.Condition", "wait" | "wait_for")
        | ("asyncio.Queue" | "asyncio.LifoQueue" | "asyncio.PriorityQueue", "put" | "get" | "join")
        | ("contextlib.AsyncExitStack", "enter_async_context" | "aclose")
        | ("async_generator", "__anext__" | "asend" | "athrow" | "aclose")
        | ("asyncio.loop", "shutdown_asyncgens" | "shutdown_default_executor" | "create_server") => {
            Gives::Coroutine
        }
        ("asyncio.loop" | "asyncio.TaskGroup", "create_task") => Gives::Task,
        ("asyncio.loop", "run_in_executor" | "create_future") => Gives::Future,
        ("concurrent.futures.ThreadPoolExecutor" | "concurrent.futures.ProcessPoolExecutor", "submit") => {
            Gives::Object("concurrent.futures.Future")
        }
        (
            "asyncio.Lock" | "asyncio.Semaphore" | "asyncio.BoundedSemaphore" | "asyncio.Condition",
            "release",
        )
        | ("asyncio.Event", "set" | "clear" | "is_set")
        | ("asyncio.Condition", "notify" | "notify_all")
        | (
            "asyncio.Queue" | "asyncio.LifoQueue" | "asyncio.PriorityQueue",
            "put_nowait" | "task_done" | "qsize" | "empty" | "full",
        )
        | (
            "asyncio.Task" | "asyncio.Future",
            "cancel" | "done" | "cancelled" | "add_done_callback" | "set_result" | "set_exception",
        )
        | ("asyncio.loop", "close" | "stop" | "time" | "is_running" | "is_closed") => Gives::Plain,
        _ => return None,
    })
}

/// Whether a method of a number, a text or a container gives something that cannot be awaited, whatever is in it.
pub fn is_plain_method(name: &str) -> bool {
    matches!(
        name,
        "append"
            | "extend"
            | "insert"
            | "remove"
            | "clear"
            | "sort"
            | "reverse"
            | "add"
            | "discard"
            | "update"
            | "keys"
            | "values"
            | "items"
            | "copy"
            | "count"
            | "index"
            | "format"
            | "strip"
            | "split"
            | "replace"
            | "upper"
            | "lower"
            | "title"
            | "encode"
            | "decode"
            | "startswith"
            | "endswith"
    )
}

/// Whether an object of a class is entered with `async with` and not with `with`.
pub fn is_entered_async(class: &str) -> bool {
    matches!(
        class,
        "asyncio.Lock"
            | "asyncio.Semaphore"
            | "asyncio.BoundedSemaphore"
            | "asyncio.Condition"
            | "asyncio.TaskGroup"
            | "asyncio.timeout"
            | "asyncio.timeout_at"
            | "contextlib.AsyncExitStack"
    )
}

/// Whether an object of a class is entered with `with` and not with `async with`.
pub fn is_entered_plainly(class: &str) -> bool {
    matches!(
        class,
        "threading.Lock"
            | "threading.RLock"
            | "threading.Condition"
            | "concurrent.futures.ThreadPoolExecutor"
            | "concurrent.futures.ProcessPoolExecutor"
            | "asyncio.Runner"
            | "builtins.open"
    )
}
