//! What to do about errors that their words alone tell enough of.

pub const IS_NONE: &str =
    "this is None: a function without `return` gives None, and so do methods that change a list in place";

/// The name of a class, words of the message (one of several, with ` | ` between them), and what to do.
pub const TABLE: &[(&str, &str, &str)] = &[
    (
        "TypeError",
        "'NoneType' object is not callable",
        "this is None where a function is needed: name the function itself, without () behind it",
    ),
    ("AttributeError", "'NoneType' object has no attribute", IS_NONE),
    (
        "TypeError",
        "'NoneType' object | non-iterable NoneType object | 'NoneType' and ' | and 'NoneType' | (not \"NoneType\")",
        IS_NONE,
    ),
    (
        "TypeError",
        "'method' object | 'builtin_function_or_method' object | 'method' and ' | and 'method' | \
         'builtin_function_or_method' and ' | and 'builtin_function_or_method' | 'function' object is not iterable",
        "this is a function, not what it gives: call it, with () behind its name",
    ),
    (
        "TypeError",
        "(not \"bytes\") to str | can't concat str to bytes",
        "text.encode() makes bytes of a text, and bytes.decode() a text of bytes",
    ),
    (
        "TypeError",
        "is not JSON serializable",
        "JSON holds dicts, lists, texts, numbers, True, False and None; `default=` says what else becomes",
    ),
    (
        "TypeError",
        "context manager protocol",
        "its class needs both `__enter__` and `__exit__`, or `__aenter__` and `__aexit__` for `async with`",
    ),
    (
        "ValueError",
        "iterable argument is empty",
        "`default=` says what it gives if there is nothing",
    ),
    (
        "AttributeError",
        "'str' object has no attribute 'read'",
        "this reads from an open file; `loads` takes a text",
    ),
    (
        "RuntimeError",
        "generator raised StopIteration",
        "a generator ends by `return`",
    ),
    (
        "TimeoutError",
        "",
        "the time was up before this was done; who expects that catches TimeoutError",
    ),
    (
        "TypeError",
        "can only concatenate str",
        "text is only added to text: str(…) makes some of a number, and so does f\"{…}\"",
    ),
    (
        "TypeError",
        "missing 1 required positional argument: 'self'",
        "make an object first, and call the method on that: `Class().method()`",
    ),
    (
        "TypeError",
        "does not support item assignment",
        "it cannot be changed: make a new one, or use a list",
    ),
    (
        "TypeError",
        "string indices must be integers",
        "this is a text, whose items are characters: is it to be taken apart first, as json.loads does?",
    ),
    (
        "TypeError",
        "indices must be integers or slices, not float",
        "a place is a whole number: `//` divides to one, and int(…) makes one",
    ),
    (
        "TypeError",
        "'float' object cannot be interpreted as an integer",
        "a whole number is needed: `//` divides to one, and int(…) makes one",
    ),
    (
        "TypeError",
        "can't multiply sequence by non-int of type 'str'",
        "two texts cannot be multiplied: int(…) or float(…) makes numbers of them",
    ),
    (
        "TypeError",
        "for -: 'list' and 'list'",
        "`[x for x in these if x not in those]` leaves some out; only sets know `-`",
    ),
    (
        "TypeError",
        "for +: 'dict' and 'dict'",
        "two dicts are put together by `|`, or by `{**one, **other}`",
    ),
    (
        "TypeError",
        "arg 2 must be a type",
        "a class stands there, by its name and without quotes, or a tuple of classes",
    ),
    (
        "TypeError",
        "expected str instance",
        "only texts are joined: `\", \".join(str(item) for item in items)`",
    ),
    (
        "TypeError",
        "bad operand type for abs(): 'str' | type str doesn't define __round__",
        "this is a text: int(…) or float(…) makes a number of it",
    ),
    (
        "RuntimeError",
        "has not been entered",
        "it works only within the block of its `async with`",
    ),
    (
        "TypeError",
        "'generator' object is not subscriptable | 'dict_keys' object is not subscriptable | \
         'dict_values' object is not subscriptable | 'dict_items' object is not subscriptable | \
         'map' object is not subscriptable | 'filter' object is not subscriptable | \
         'zip' object is not subscriptable | object of type 'generator' has no len() | \
         object of type 'map' has no len() | object of type 'filter' has no len() | \
         object of type 'zip' has no len()",
        "list(…) makes a list of it, which has places and a length",
    ),
    (
        "TypeError",
        "can't multiply sequence by non-int of type 'float'",
        "texts and lists are repeated a whole number of times: int(…) makes one",
    ),
    (
        "TypeError",
        "'list' object cannot be interpreted as an integer",
        "a whole number is needed: len(…) gives that of its items, and a loop takes them without range()",
    ),
    (
        "TypeError",
        "object of type 'int' has no len()",
        "a number has no length: len(str(…)) counts its digits",
    ),
    (
        "TypeError",
        "cannot unpack non-iterable int object",
        "there is a single number, and one name takes it; enumerate(…) gives pairs",
    ),
    (
        "TypeError",
        "unhashable type: 'dict'",
        "a dict can be neither a key nor an element of a set",
    ),
    (
        "TypeError",
        "unhashable type: 'set'",
        "a frozenset can be a key or an element of a set where a set cannot",
    ),
    (
        "TypeError",
        "instances of 'dict' and 'dict'",
        "dicts have no order: `key=` says by what they are compared",
    ),
    (
        "ValueError",
        "Unknown format code 'f' for object of type 'str'",
        "`f` shows a number: float(…) makes one of a text",
    ),
    (
        "ValueError",
        "Unknown format code 'd' for object of type",
        "`d` shows a whole number: int(…) makes one",
    ),
    (
        "TypeError",
        "'datetime.datetime' and 'str'",
        "datetime.fromisoformat(…) and strptime(…) make a time of a text",
    ),
    (
        "TypeError",
        "string argument expected, got | write() argument must be str",
        "only text is written here: str(…) makes some of a value",
    ),
    (
        "UnicodeEncodeError",
        "",
        "this encoding has no such character: \"utf-8\" has all, and `errors=\"replace\"` puts a `?`",
    ),
    (
        "UnicodeDecodeError",
        "",
        "these bytes are no text in this encoding: name another one, or give `errors=\"replace\"`",
    ),
    (
        "TypeError",
        "argument after * must be an iterable, not int",
        "what stands behind `*`, and the `args` of a thread, is a tuple or list: `(5,)`",
    ),
    (
        "TypeError",
        "not enough arguments for format string",
        "there are more `%` in the text than values",
    ),
    (
        "TypeError",
        "not all arguments converted during string formatting",
        "there are more values than `%` in the text",
    ),
    (
        "TypeError",
        "list indices must be integers",
        "a list is asked by place; a dict is asked by key",
    ),
    (
        "TypeError",
        "exceptions must derive from BaseException",
        "raise an object of a class of exceptions: `raise ValueError(\"…\")`",
    ),
    (
        "TypeError",
        "catching classes that do not inherit from BaseException",
        "`except` takes a class of errors, by its name and without quotes, or a tuple of such",
    ),
    (
        "TypeError",
        "Can't instantiate abstract class",
        "a class that derives from it defines what is missing: make an object of that",
    ),
    (
        "FrozenInstanceError",
        "cannot assign to field",
        "a frozen object stays as it is: dataclasses.replace(…) makes a changed one",
    ),
    (
        "RuntimeError",
        "coroutine raised StopIteration",
        "`next(iterator)` raises it if nothing is left: `next(iterator, None)` gives None then",
    ),
    (
        "TypeError",
        "Passing coroutines is forbidden",
        "make tasks of them: asyncio.create_task(…)",
    ),
    (
        "ValueError",
        "too many values to unpack",
        "as many names as values are needed; `*rest` takes what is left",
    ),
    (
        "ValueError",
        "not enough values to unpack",
        "as many values as names are needed; `*rest` takes what is left, be it nothing",
    ),
    (
        "ValueError",
        "BoundedSemaphore released too many times",
        "release() once for each acquire(), as `async with` does",
    ),
    (
        "IndexError",
        "index out of range",
        "the first place is 0, and the last is one less than the length",
    ),
    (
        "IndexError",
        "Replacement index",
        "there are more `{}` in the text than values",
    ),
    (
        "RuntimeError",
        "changed size during iteration | mutated during iteration",
        "what is looped over must stay as it is: loop over list(…) of it",
    ),
    (
        "RuntimeError",
        "cannot reuse already awaited coroutine",
        "a coroutine runs only once: call the function again, or keep a task",
    ),
    (
        "RuntimeError",
        "threads can only be started once",
        "a thread runs once: make a new one",
    ),
    (
        "RuntimeError",
        "cannot wait on un-acquired lock",
        "who waits holds the condition: `async with condition:` around it, or `with` between threads",
    ),
    (
        "TypeError",
        "received an invalid object from __anext__",
        "`__anext__` is to be `async def`, or to give something that can be awaited",
    ),
    (
        "RuntimeError",
        "cannot notify on un-acquired lock",
        "who notifies holds the condition: `async with condition:` around it, or `with` between threads",
    ),
    (
        "RuntimeError",
        "Task cannot await on itself",
        "what waits for itself can never end: leave it out",
    ),
    (
        "ValueError",
        "task_done() called too many times",
        "task_done() once for each item that get() gave",
    ),
    (
        "ValueError",
        "Set of Tasks/Futures is empty",
        "there is nothing to wait for: ask before whether there is",
    ),
    (
        "TypeError",
        "non-default argument",
        "put the fields that have a default behind those that have none",
    ),
    (
        "TypeError",
        "__str__ returned non-string | __repr__ returned non-string",
        "this method gives the text to its caller by `return`, and prints nothing",
    ),
    (
        "TypeError",
        "'async with' received an object from __a",
        "`__aenter__` and `__aexit__` are to be `async def`",
    ),
    (
        "ValueError",
        "list.remove(x): x not in list",
        "it is not there: `in` asks for it before",
    ),
    (
        "ValueError",
        "substring not found",
        "it is not there: `in` asks for it before, and find(…) gives -1 then",
    ),
    (
        "ValueError",
        "math domain error",
        "there is no such value, as a negative number has no root and no logarithm",
    ),
    (
        "BrokenBarrierError",
        "",
        "somebody called abort() or reset(), or waited too long: then nobody comes through",
    ),
    (
        "ValueError",
        "mutable default",
        "all objects would share it: `field(default_factory=list)` makes one for each",
    ),
    (
        "ValueError",
        "is not a valid",
        "an enum is asked by value with `()`, by name with `[]`",
    ),
    (
        "TypeError",
        "%d format",
        "`%d` shows a number: int(…) makes one of a text, and `%s` shows anything",
    ),
    (
        "LookupError",
        "<ContextVar",
        "nothing has set it here: give it a default, ContextVar(name, default=…) or get(default)",
    ),
    (
        "RuntimeError",
        "Lock is not acquired",
        "only what is held can be released: `async with` does both",
    ),
    (
        "RuntimeError",
        "is finished",
        "a group takes tasks only within the block of its `async with`",
    ),
    (
        "RuntimeError",
        "different event loop | attached to a different loop",
        "make it in a coroutine of the loop that it is used in: each asyncio.run has a loop of its own",
    ),
    (
        "InvalidStateError",
        "Result is not set",
        "it is not done yet: `await` gives its result when it is",
    ),
    (
        "InvalidStateError",
        "Exception is not set",
        "it is not done yet: `await` it first",
    ),
    (
        "InvalidStateError",
        "invalid state",
        "a future is given its result once: ask done() before",
    ),
    ("QueueFull", "", "`await queue.put(…)` waits for room"),
    ("QueueEmpty", "", "`await queue.get()` waits for an item"),
    (
        "CancelledError",
        "",
        "what was awaited here was cancelled; who expects that catches asyncio.CancelledError",
    ),
    (
        "StopIteration",
        "",
        "nothing is left: `next(iterator, None)` gives None then",
    ),
    (
        "StopAsyncIteration",
        "",
        "nothing is left: `await anext(iterator, None)` gives None then",
    ),
    (
        "JSONDecodeError",
        "in double quotes",
        "JSON has double quotes only; str(…) of a dict is no JSON, json.dumps(…) is",
    ),
];

/// What other languages call things: names and attributes.
pub const FOREIGN: &[(&str, &str)] = &[
    ("null", "None"),
    ("nil", "None"),
    ("undefined", "None"),
    ("this", "self"),
    ("printf", "print"),
    ("println", "print"),
    ("echo", "print"),
];

pub const FOREIGN_ATTRIBUTES: &[(&str, &str)] = &[
    ("length", "len(…)"),
    ("lenght", "len(…)"),
    ("size", "len(…)"),
    ("count", "len(…)"),
    ("push", "append(…)"),
    ("push_back", "append(…)"),
    ("add", "append(…), or add(…) of a set"),
    ("contains", "`in`"),
    ("includes", "`in`"),
    ("has", "`in`"),
    ("has_key", "`in`"),
    ("containsKey", "`in`"),
    ("toUpperCase", "upper()"),
    ("toLowerCase", "lower()"),
    ("trim", "strip()"),
    ("substring", "a slice, `text[start:end]`"),
    ("charAt", "an index, `text[place]`"),
    ("indexOf", "index(…) or find(…)"),
    ("forEach", "a `for` loop"),
    ("iteritems", "items()"),
    ("then", "`await`"),
];

/// What other libraries call things: classes and modules, the names there, and what there is instead.
pub const FOREIGN_METHODS: &[(&[&str], &[&str], &str)] = &[
    (
        &["Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"],
        &["push", "append", "add", "enqueue", "send", "offer", "insert"],
        "put(…)",
    ),
    (
        &["Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"],
        &["pop", "popleft", "dequeue", "take", "recv", "receive", "poll"],
        "get()",
    ),
    (
        &["Queue", "LifoQueue", "PriorityQueue"],
        &["done", "finish", "complete"],
        "task_done()",
    ),
    (
        &["Event"],
        &[
            "notify",
            "notify_all",
            "fire",
            "trigger",
            "emit",
            "signal",
            "release",
        ],
        "set()",
    ),
    (&["Event"], &["reset", "unset"], "clear()"),
    (&["Condition"], &["signal", "set"], "notify()"),
    (&["Condition"], &["broadcast"], "notify_all()"),
    (
        &["Lock", "Semaphore", "BoundedSemaphore", "Condition"],
        &["lock", "take", "enter"],
        "acquire(), and better `async with`,",
    ),
    (
        &["Lock", "Semaphore", "BoundedSemaphore", "Condition"],
        &["unlock", "give", "free"],
        "release(), and better `async with`,",
    ),
    (&["Task", "Future"], &["join", "wait", "get", "await"], "`await`"),
    (&["Task"], &["kill", "stop", "terminate", "abort"], "cancel()"),
    (
        &["Task"],
        &["is_done", "finished", "completed", "is_alive"],
        "done()",
    ),
    (&["Task"], &["start", "run"], "create_task(…), which starts it,"),
    (
        &["TaskGroup"],
        &["start_soon", "spawn", "start", "add_task", "add", "run", "submit"],
        "create_task(…)",
    ),
    (
        &["asyncio"],
        &["spawn", "start", "go", "launch", "async", "start_soon"],
        "asyncio.create_task(…)",
    ),
    (&["asyncio"], &["coroutine"], "`async def`"),
    (
        &["asyncio"],
        &["get_current_loop", "current_loop", "get_loop"],
        "asyncio.get_running_loop()",
    ),
    (&["asyncio"], &["delay", "pause"], "asyncio.sleep(…)"),
    (
        &["asyncio"],
        &["parallel", "join", "all", "wait_all"],
        "asyncio.gather(…)",
    ),
    (
        &["asyncio"],
        &["race", "select", "wait_any"],
        "asyncio.wait(…, return_when=asyncio.FIRST_COMPLETED)",
    ),
    (
        &["Thread"],
        &["stop", "kill", "terminate", "cancel"],
        "an Event that the thread asks",
    ),
];
