//! What to do about errors that their words alone tell enough of.

pub const IS_NONE: &str =
    "this is None: a function without `return` gives None, and so do methods that change a list in place";

pub const IS_METHOD: &str = "this is a function, not what it gives: call it, with () behind its name";

pub const IS_BYTES: &str = "text.encode() makes bytes of a text, and bytes.decode() a text of bytes";

/// The name of a class, words of the message, and what to do.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("AttributeError", "'NoneType' object has no attribute", IS_NONE),
    ("TypeError", "'NoneType' object", IS_NONE),
    ("TypeError", "non-iterable NoneType object", IS_NONE),
    ("TypeError", "'NoneType' and '", IS_NONE),
    ("TypeError", "and 'NoneType'", IS_NONE),
    ("TypeError", "(not \"NoneType\")", IS_NONE),
    ("TypeError", "'method' object", IS_METHOD),
    ("TypeError", "'builtin_function_or_method' object", IS_METHOD),
    ("TypeError", "'function' object is not iterable", IS_METHOD),
    ("TypeError", "(not \"bytes\") to str", IS_BYTES),
    ("TypeError", "can't concat str to bytes", IS_BYTES),
    (
        "TypeError",
        "is not JSON serializable",
        "JSON holds dicts, lists, texts, numbers, True, False and None; `default=` says what else becomes",
    ),
    (
        "TypeError",
        "context manager protocol",
        "its class has neither `__enter__` and `__exit__` nor `__aenter__` and `__aexit__`",
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
        "changed size during iteration",
        "what is looped over must stay as it is: loop over list(…) of it",
    ),
    (
        "RuntimeError",
        "mutated during iteration",
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
        "different event loop",
        "make it in a coroutine of the loop that it is used in: each asyncio.run has a loop of its own",
    ),
    (
        "RuntimeError",
        "attached to a different loop",
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
