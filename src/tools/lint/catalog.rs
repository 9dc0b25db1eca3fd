//! The table of mistakes: the one place that says which there are.
//!
//! A row gives the number, the title, the sentence, how the mistake is seen in the text (`text`),
//! and with which errors a run ends because of it (`error`, CPython's words). Its page and the two
//! programs of the page stand in `pages/NUMBER`. A mistake that is only noticed in a run is looked
//! for in `watch`.

use super::rule::{
    Rule, argument, blocking, cancel, early, forgotten, form, generator, order, running, shared, thread,
    update, value,
};

/// One kind of mistake.
pub struct Lint {
    pub number: &'static str,
    pub title: &'static str,
    /// What happens, in one sentence.
    pub sentence: &'static str,
    /// It works here and is worth knowing: no reason to fail a program.
    pub is_note: bool,
    /// Finds it in the text.
    pub rule: Option<Rule>,
    /// Errors that tell of it if nobody catches them: the class, and words of the message.
    pub errors: &'static [(&'static str, &'static str)],
    /// Why it is a mistake, in prose.
    pub page: &'static str,
    pub wrong: &'static str,
    pub right: &'static str,
}

macro_rules! catalog {
    ($($number:ident $title:literal $sentence:literal
        $(note $note:literal)? $(text $rule:path)? $(, error $class:literal $words:literal)*;)*) => {
        $(pub static $number: Lint = Lint {
            number: stringify!($number),
            title: $title,
            sentence: $sentence,
            is_note: catalog!(@note $($note)?),
            rule: catalog!(@rule $($rule)?),
            errors: &[$(($class, $words)),*],
            page: include_str!(concat!("pages/", stringify!($number), "/page.md")),
            wrong: include_str!(concat!("pages/", stringify!($number), "/wrong.aio")),
            right: include_str!(concat!("pages/", stringify!($number), "/right.aio")),
        };)*

        /// All mistakes, in order of their numbers.
        pub static ALL: &[&Lint] = &[$(&$number),*];
    };
    (@note) => { false };
    (@note $note:literal) => { $note };
    (@rule) => { None };
    (@rule $rule:path) => { Some($rule) };
}

catalog! {
    A001 "a coroutine is never awaited"
        "A coroutine was made and never awaited, so nothing of it runs."
        text forgotten::coroutine;
    A002 "a sleep is never awaited"
        "Without `await` a sleep takes no time."
        text forgotten::sleep;
    A003 "an operation of asyncio is never awaited"
        "This operation is a coroutine: without `await` it does not happen."
        text forgotten::library_coroutine;
    A004 "a gather that nobody awaits"
        "Nobody awaits this gather, so the program goes on at once and errors are lost."
        text forgotten::gather;
    A005 "the result of a task is lost"
        "The task has a result, but nobody keeps the task to ask for it."
        text forgotten::result;
    A006 "a task ends before its work is done"
        "The program ended, or nobody kept the task, while it still had work to do.";
    A007 "the error of a task is never asked for"
        "The task failed and nobody awaited it, so the error is told too late to be handled.";
    A008 "a blocking call in a coroutine"
        "A call that blocks stops the loop, and with it every other task."
        text blocking::call;
    A009 "input() in a coroutine"
        "While input() waits for a line, no other task runs."
        text blocking::input;
    A010 "waiting by spinning"
        "A loop without `await` never gives way, so nothing can change what it waits for."
        text blocking::busy;
    A011 "asyncio.wait is given coroutines"
        "asyncio.wait takes tasks and futures, not coroutines."
        text argument::wait, error "TypeError" "Passing coroutines is forbidden";
    A012 "a loop is run inside a running loop"
        "In a coroutine a loop is running already: use `await`, not asyncio.run."
        text running::nested,
        error "RuntimeError" "cannot be called from a running event loop",
        error "RuntimeError" "This event loop is already running",
        error "RuntimeError" "Cannot run the event loop while another loop is running";
    A013 "something is awaited that cannot be"
        "Only coroutines, tasks, futures and objects with `__await__` can be awaited."
        text argument::awaited, error "TypeError" "can't be used in 'await' expression",
        error "TypeError" "that does not implement __await__",
        error "TypeError" "from __anext__";
    A014 "a closed loop is used"
        "A loop that was closed runs nothing any more."
        text order::closed_loop, error "RuntimeError" "Event loop is closed",
        error "RuntimeError" "Runner is closed";
    A015 "a future of another loop is awaited"
        "A task can only wait for futures of its own loop."
        , error "RuntimeError" "attached to a different loop",
        error "RuntimeError" "is bound to a different event loop";
    A016 "a task is made while no loop runs"
        "asyncio.create_task needs a running loop: call it in a coroutine."
        text running::missing, error "RuntimeError" "no running event loop";
    A017 "a loop is made by get_event_loop"
        "Without a running loop asyncio.get_event_loop makes one at first, and raises an error in Python 3.14."
        note true text running::implicit, error "RuntimeError" "There is no current event loop";
    A018 "a loop is used from another thread"
        "From another thread only call_soon_threadsafe and run_coroutine_threadsafe may touch a loop."
        text thread::foreign_loop;
    A019 "a coroutine is needed and not given"
        "A task is made from a coroutine: call the `async def` function, and give what it returns."
        text argument::coroutine,
        error "TypeError" "a coroutine was expected, got",
        error "ValueError" "a coroutine was expected, got",
        error "TypeError" "An asyncio.Future, a coroutine or an awaitable is required";
    A020 "an async function as a plain callback"
        "A callback is called, not awaited: of an `async def` function nothing runs."
        text argument::callback;
    A021 "a coroutine is awaited twice"
        "A coroutine runs only once: make a new one, or keep a task."
        text order::awaited_twice,
        error "RuntimeError" "cannot reuse already awaited",
        error "RuntimeError" "coroutine is being awaited already";
    A022 "a coroutine is taken for its result"
        "A coroutine, a task or a gather is not its result: that comes with `await`."
        text value::value,
        error "TypeError" "'coroutine' object is not",
        error "TypeError" "'coroutine' object does not support",
        error "TypeError" "'coroutine' object does not support the context manager protocol",
        error "TypeError" "'coroutine' object does not support the asynchronous context manager protocol",
        error "TypeError" "'coroutine' object cannot be interpreted as an integer",
        error "TypeError" "not supported between instances of 'coroutine'",
        error "TypeError" "object of type 'coroutine' has no",
        error "TypeError" "and 'coroutine'",
        error "TypeError" ": 'coroutine'",
        error "TypeError" "not 'coroutine'",
        error "RuntimeError" "await wasn't used with future",
        error "TypeError" "'_asyncio.Task' object is not",
        error "TypeError" "object of type '_asyncio.Task' has no",
        error "TypeError" "'_asyncio.Task' and",
        error "TypeError" "and '_asyncio.Task'",
        error "TypeError" "'_GatheringFuture' object is not",
        error "TypeError" "not coroutine",
        error "TypeError" "(not \"coroutine\")",
        error "TypeError" "coroutine found",
        error "TypeError" "argument of type 'coroutine'",
        error "TypeError" "non-iterable coroutine object",
        error "TypeError" "passed to coroutine.__format__",
        error "TypeError" "Object of type coroutine is not JSON serializable",
        error "AttributeError" "'coroutine' object has no attribute";
    A023 "a result is asked for too early"
        "A task or future that is not done has no result yet: await it."
        text early::result,
        error "InvalidStateError" "Result is not set",
        error "InvalidStateError" "Exception is not set";
    A024 "with and for without async, or with it in the wrong place"
        "What is asynchronous is entered with `async with` and looped over with `async for`, and nothing else is."
        text form::with_and_for,
        error "TypeError" "'async_generator' object is not iterable",
        error "TypeError" "'async_generator' object is not an iterator",
        error "TypeError" "object async_generator can't be used in 'await' expression",
        error "TypeError" "does not support the context manager protocol",
        error "TypeError" "does not support the asynchronous context manager protocol",
        error "TypeError" "'async for' requires an object with __aiter__";
    A025 "a special method is async"
        "Python calls this method without awaiting it, so it cannot be `async def`."
        text form::special_method,
        error "TypeError" "__init__() should return None, not 'coroutine'";
    A026 "a generator as a coroutine"
        "Generators cannot wait for coroutines: write `async def` and `await`."
        text running::generator_based,
        error "RuntimeError" "yield was used instead of yield from",
        error "RuntimeError" "Task got bad yield",
        error "TypeError" "cannot 'yield from' a coroutine object in a non-coroutine generator";
    A027 "cancellation is swallowed"
        "The handler also catches the task's cancellation, so the task cannot be stopped."
        text cancel::swallowed;
    A028 "finally throws an error away"
        "`return` in a `finally` throws away what is on its way: an error, or the task's cancellation."
        text cancel::return_in_finally;
    A029 "errors in the result of gather are dropped"
        "gather(return_exceptions=True) gives errors as results, and nobody looks at them.";
    A030 "shielded work that nobody keeps"
        "After the timeout the shielded work goes on, and nobody has a name for its task."
        text forgotten::shielded;
    A031 "an async generator is left open"
        "The loop over the async generator was left early, so its clean-up runs at an unknown time."
        text generator::left_open;
    A032 "a change is lost during an await"
        "A shared value is read before an `await` and written after it: what others wrote is lost."
        text update::lost;
    A033 "a lock is never released"
        "A lock that is acquired and not released stops everybody who wants it."
        text shared::never_released;
    A034 "a lock is taken twice by one task"
        "An asyncio.Lock is not reentrant: who holds it and takes it again waits for ever."
        text shared::taken_twice;
    A035 "queue.join without task_done"
        "queue.join waits until task_done was called once for each item."
        text shared::never_done;
}

/// The mistake of a number, in capitals or not.
pub fn find(number: &str) -> Option<&'static Lint> {
    ALL.iter()
        .copied()
        .find(|lint| lint.number.eq_ignore_ascii_case(number))
}

/// The mistake that an error tells of: the one whose words fit most closely.
pub fn of_error(class: &str, message: &str) -> Option<&'static Lint> {
    let all = ALL
        .iter()
        .flat_map(|lint| lint.errors.iter().map(move |error| (lint, error)));
    let fitting = all.filter(|(_, (name, words))| *name == class && message.contains(words));
    fitting
        .max_by_key(|(_, (_, words))| words.len())
        .map(|(lint, _)| *lint)
}
