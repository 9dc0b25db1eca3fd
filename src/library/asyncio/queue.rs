//! Queue, LifoQueue and PriorityQueue between tasks.
//!
//! Always true: a put wakes the first who waits to get, and a get the first who waits to put; a
//! task that was woken and cancelled at once passes its wake-up on.

use super::wait::{Waiters, loop_or_none, waiter_on};
use super::{class_argument, exception_class, lock, natives, open_class};
use crate::code::CompareOp;
use crate::interp::error::{type_error, value_error};
use crate::interp::types::{Type, class_name};
use crate::interp::{call, iterate, operator, payload, text};
use crate::library::modules::collections::deque::{self, Deque};
use crate::library::modules::heapq;
use crate::runtime::future;
use crate::source::Symbol;
use crate::value::generator::{Need, Obstacle, Resume};
use crate::value::opaque::{self, Container};
use crate::value::*;
use std::cell::Cell;

thread_local! {
    static QUEUE: Ref<Class> = {
        let base = lock::loop_bound();
        open_class("Queue", "asyncio.queues", vec![base], Layout::Opaque, METHODS)
    };
    static LIFO: Ref<Class> = derived("LifoQueue", LIFO_METHODS);
    static PRIORITY: Ref<Class> = derived("PriorityQueue", PRIORITY_METHODS);
    static EMPTY: Ref<Class> = exception_class("QueueEmpty", "asyncio.queues", Type::Exception);
    static FULL: Ref<Class> = exception_class("QueueFull", "asyncio.queues", Type::Exception);
    static SHUT_DOWN: Ref<Class> = exception_class("QueueShutDown", "asyncio.queues", Type::Exception);
}

fn derived(name: &str, table: &'static [NativeDef]) -> Ref<Class> {
    open_class(
        name,
        "asyncio.queues",
        vec![QUEUE.with(Ref::clone)],
        Layout::Opaque,
        table,
    )
}

pub fn names() -> Vec<(Symbol, Value)> {
    opaque::look_into::<Queue>();
    let classes = [&QUEUE, &LIFO, &PRIORITY, &EMPTY, &FULL, &SHUT_DOWN].map(|class| class.with(Ref::clone));
    classes
        .map(|class| (Symbol::new(class.name()), class.into()))
        .into()
}

/// In which order items leave, unless a script's class says otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Fifo,
    Lifo,
    Priority,
}

impl Order {
    /// An empty container for the items.
    fn container(self) -> Value {
        match self {
            Order::Fifo => deque::value([]),
            Order::Lifo | Order::Priority => Value::list(vec![]),
        }
    }
}

struct Queue {
    order: Order,
    /// A script's class has a say in what is stored or when the queue is full: what the queue does
    /// to itself goes through its methods.
    is_custom: bool,
    maxsize: ValueCell,
    /// The most items it holds: infinite for any number, NaN if `maxsize` is none.
    limit: Cell<f64>,
    /// The container: a deque or a list, or what a script's class put here.
    items: ValueCell,
    getters: Waiters,
    putters: Waiters,
    unfinished: Cell<usize>,
    /// Who waits for all work to be done.
    joiners: Waiters,
    is_shut_down: Cell<bool>,
    event_loop: ValueCell,
}

impl Container for Queue {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        self.getters.parts(each);
        self.putters.parts(each);
        self.joiners.parts(each);
        each(&self.items.get());
    }

    fn outline(&self) -> Vec<Value> {
        let lines = [&self.getters, &self.putters, &self.joiners].map(Waiters::outline);
        lines.into_iter().chain([self.items.get()]).collect()
    }
}

/// The methods by which a script's class changes how a queue works.
const HOOKS: [&str; 8] = [
    "_init",
    "_put",
    "_get",
    "qsize",
    "empty",
    "full",
    "put_nowait",
    "get_nowait",
];

#[cold]
fn raise(class: &'static std::thread::LocalKey<Ref<Class>>) -> Raised {
    Raised::new(Exception::new(class.with(Ref::clone), vec![]))
}

impl Queue {
    fn of(value: &Value) -> Res<&Queue> {
        value
            .opaque()
            .ok_or_else(|| type_error(format!("a Queue is required, not '{}'", class_name(value))))
    }

    fn new(order: Order, is_custom: bool) -> Queue {
        Queue {
            order,
            is_custom,
            maxsize: ValueCell::new(Value::Int(0)),
            limit: Cell::new(f64::INFINITY),
            items: ValueCell::new(order.container()),
            getters: Waiters::default(),
            putters: Waiters::default(),
            unfinished: Cell::new(0),
            joiners: Waiters::default(),
            is_shut_down: Cell::new(false),
            event_loop: ValueCell::default(),
        }
    }

    fn set_maxsize(&self, maxsize: Value) {
        let most = payload::real(&maxsize).unwrap_or_else(|raised| {
            drop(raised.take());
            f64::NAN
        });
        self.limit.set(if most <= 0.0 { f64::INFINITY } else { most });
        self.maxsize.set(maxsize);
    }

    /// Calls the method of a script's class.
    fn hook(&self, this: &Value, name: &str, args: &[Value]) -> Res {
        call::call_method(this, Symbol::new(name), args)
    }

    /// How many items the container holds.
    fn held(&self) -> Res<usize> {
        let items = self.items.get();
        match items.opaque::<Deque>() {
            Some(deque) => Ok(deque.len()),
            None => iterate::length(&items),
        }
    }

    fn size(&self, this: &Value) -> Res<usize> {
        match self.is_custom {
            true => Ok(usize::try_from(payload::small(&self.hook(this, "qsize", &[])?)?).unwrap_or(0)),
            false => self.held(),
        }
    }

    fn is_empty(&self, this: &Value) -> Res<bool> {
        match self.is_custom {
            true => operator::truth(&self.hook(this, "empty", &[])?),
            false => Ok(self.held()? == 0),
        }
    }

    fn is_full(&self, this: &Value) -> Res<bool> {
        match self.is_custom {
            true => operator::truth(&self.hook(this, "full", &[])?),
            false => self.has_no_room(this),
        }
    }

    fn has_no_room(&self, this: &Value) -> Res<bool> {
        let limit = self.limit.get();
        if limit.is_nan() {
            operator::compare(CompareOp::LtE, &self.maxsize.get(), &Value::Int(0))?;
        }
        Ok(limit != f64::INFINITY && self.size(this)? as f64 >= limit)
    }

    /// Puts an item where its order has it.
    fn store(&self, item: Value) -> Res<()> {
        let items = self.items.get();
        match (self.order, &items) {
            (Order::Priority, Value::List(heap)) => return heapq::push(heap, item),
            (_, Value::List(list)) => list.push(item),
            (_, other) => match other.opaque::<Deque>() {
                Some(deque) => deque.push_back(item),
                None => drop(call::call_method(other, Symbol::new("append"), &[item])?),
            },
        }
        Ok(())
    }

    /// Takes out the next item.
    fn take(&self) -> Res {
        let items = self.items.get();
        match (self.order, &items) {
            (Order::Priority, Value::List(heap)) => heapq::pop(heap),
            (Order::Fifo, other) => match other.opaque::<Deque>().and_then(Deque::pop_front) {
                Some(item) => Ok(item),
                None => call::call_method(other, Symbol::new("popleft"), &[]),
            },
            (_, other) => call::call_method(other, Symbol::new("pop"), &[]),
        }
    }

    fn put_now(&self, this: &Value, item: Value) -> Res<()> {
        match self.is_custom {
            true => self.hook(this, "put_nowait", &[item]).map(drop),
            false => self.put_in(this, item),
        }
    }

    /// Puts an item into a queue of the plain kind, unless it is full or something else is to be
    /// looked at (benchmark: sched/queue).
    #[inline]
    fn put_at_once(&self, item: &Value) -> bool {
        if self.is_custom || self.order != Order::Fifo || self.is_shut_down.get() {
            return false;
        }
        let items = self.items.get();
        match items.opaque::<Deque>() {
            Some(deque) if (deque.len() as f64) < self.limit.get() => deque.push_back(item.clone()),
            _ => return false,
        }
        self.unfinished.set(self.unfinished.get() + 1);
        wake_next(&self.getters);
        true
    }

    fn put_in(&self, this: &Value, item: Value) -> Res<()> {
        if self.is_shut_down.get() {
            return Err(raise(&SHUT_DOWN));
        }
        if self.is_full(this)? {
            return Err(raise(&FULL));
        }
        match self.is_custom {
            true => drop(self.hook(this, "_put", &[item])?),
            false => self.store(item)?,
        }
        self.unfinished.set(self.unfinished.get() + 1);
        wake_next(&self.getters);
        Ok(())
    }

    /// Takes out the next item, if there is one.
    fn next(&self, this: &Value) -> Res<Option<Value>> {
        if self.is_custom {
            return match self.is_empty(this)? {
                true => Ok(None),
                false => self.hook(this, "get_nowait", &[]).map(Some),
            };
        }
        if self.order == Order::Fifo
            && let Some(deque) = self.items.get().opaque::<Deque>()
        {
            let item = deque.pop_front();
            if item.is_some() {
                wake_next(&self.putters);
            }
            return Ok(item);
        }
        match self.is_empty(this)? {
            true => Ok(None),
            false => self.get_out(this).map(Some),
        }
    }

    fn get_out(&self, this: &Value) -> Res {
        if self.is_empty(this)? {
            return Err(match self.is_shut_down.get() {
                true => raise(&SHUT_DOWN),
                false => raise(&EMPTY),
            });
        }
        let item = match self.is_custom {
            true => self.hook(this, "_get", &[])?,
            false => self.take()?,
        };
        wake_next(&self.putters);
        Ok(item)
    }

    /// All work that was put in is done.
    fn finish(&self) {
        while let Some(joiner) = self.joiners.pop() {
            future::set_result_if_pending(&joiner, Value::TRUE);
        }
    }
}

#[inline]
fn wake_next(waiters: &Waiters) {
    while let Some(waiter) = waiters.pop() {
        if !waiter.is_done() {
            return future::set_result_if_pending(&waiter, Value::None);
        }
    }
}

fn get(this: &Value) -> Res<Step> {
    let queue = Queue::of(this)?;
    if let Some(item) = queue.next(this)? {
        return Ok(Step::Return(item));
    }
    Step::begin(Getting {
        queue: this.clone(),
        waiter: None,
    })
}

struct Getting {
    queue: Value,
    waiter: Option<Ref<Future>>,
}

impl NativeCoroutine for Getting {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        let this = &self.queue;
        let queue = Queue::of(this)?;
        let waiter = self.waiter.take();
        if let Resume::Raise(exception) = input {
            if let Some(waiter) = waiter {
                future::cancel_plain(&waiter, &Value::None)?;
                queue.getters.remove(&waiter);
                // Woken and cancelled at once: the item goes to the next.
                if !future::is_cancelled(&waiter) && !queue.is_empty(this)? {
                    wake_next(&queue.getters);
                }
            }
            return Err(Raised::again(exception));
        }
        // Before the first wait, the queue has just been seen to be empty.
        if waiter.is_some()
            && let Some(item) = queue.next(this)?
        {
            return Ok(Step::Return(item));
        }
        if queue.is_shut_down.get() && queue.is_empty(this)? {
            return Err(raise(&SHUT_DOWN));
        }
        let waiter = waiter_on(&queue.event_loop, this, &"queue.get")?;
        queue.getters.add(waiter.clone());
        self.waiter = Some(waiter.clone());
        Ok(Step::Await(waiter.into()))
    }

    fn name(&self) -> &'static str {
        "Queue.get"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        Some(Obstacle::Missing {
            object: self.queue.clone(),
            need: Need::Item,
        })
    }
}

fn put(this: &Value, item: &Value) -> Res<Step> {
    let queue = Queue::of(this)?;
    if queue.put_at_once(item) {
        return Ok(Step::Return(Value::None));
    }
    if queue.is_full(this)? {
        return Step::begin(Putting {
            queue: this.clone(),
            item: item.clone(),
            waiter: None,
        });
    }
    queue.put_now(this, item.clone())?;
    Ok(Step::Return(Value::None))
}

struct Putting {
    queue: Value,
    item: Value,
    waiter: Option<Ref<Future>>,
}

impl NativeCoroutine for Putting {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        let this = &self.queue;
        let queue = Queue::of(this)?;
        let waiter = self.waiter.take();
        if let Resume::Raise(exception) = input {
            if let Some(waiter) = waiter {
                future::cancel_plain(&waiter, &Value::None)?;
                queue.putters.remove(&waiter);
                // Woken and cancelled at once: the room goes to the next.
                if !future::is_cancelled(&waiter) && !queue.is_full(this)? {
                    wake_next(&queue.putters);
                }
            }
            return Err(Raised::again(exception));
        }
        // Before the first wait, the queue has just been seen to be full.
        if waiter.is_some() && !queue.is_full(this)? {
            queue.put_now(this, std::mem::take(&mut self.item))?;
            return Ok(Step::Return(Value::None));
        }
        if queue.is_shut_down.get() {
            return Err(raise(&SHUT_DOWN));
        }
        let waiter = waiter_on(&queue.event_loop, this, &"queue.put")?;
        queue.putters.add(waiter.clone());
        self.waiter = Some(waiter.clone());
        Ok(Step::Await(waiter.into()))
    }

    fn name(&self) -> &'static str {
        "Queue.put"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        Some(Obstacle::Missing {
            object: self.queue.clone(),
            need: Need::Room,
        })
    }
}

struct Joining {
    queue: Value,
    waiter: Ref<Future>,
    waits: bool,
}

impl NativeCoroutine for Joining {
    fn resume(&mut self, input: Resume) -> Res<Step> {
        if !self.waits && matches!(input, Resume::Value(_)) {
            self.waits = true;
            return Ok(Step::Await(self.waiter.clone().into()));
        }
        Queue::of(&self.queue)?.joiners.remove(&self.waiter);
        match input {
            Resume::Value(_) => Ok(Step::Return(Value::None)),
            Resume::Raise(exception) => Err(Raised::again(exception)),
        }
    }

    fn name(&self) -> &'static str {
        "Queue.join"
    }

    fn obstacle(&self) -> Option<Obstacle> {
        let left = self.queue.opaque::<Queue>()?.unfinished.get();
        Some(Obstacle::Missing {
            object: self.queue.clone(),
            need: Need::WorkDone { left },
        })
    }
}

fn shutdown(this: &Value, immediate: bool) -> Res<()> {
    let queue = Queue::of(this)?;
    queue.is_shut_down.set(true);
    if immediate {
        while !queue.is_empty(this)? {
            drop(match queue.is_custom {
                true => queue.hook(this, "_get", &[])?,
                false => queue.take()?,
            });
            queue.unfinished.set(queue.unfinished.get().saturating_sub(1));
        }
        if queue.unfinished.get() == 0 {
            queue.finish();
        }
    }
    for waiters in [&queue.getters, &queue.putters] {
        while let Some(waiter) = waiters.pop() {
            future::set_result_if_pending(&waiter, Value::None);
        }
    }
    Ok(())
}

/// `maxsize=2 _queue=[1, 2] tasks=2`
fn describe(this: &Value) -> Res<String> {
    let queue = Queue::of(this)?;
    let mut out = format!("maxsize={}", text::repr(&queue.maxsize.get())?);
    let items = queue.items.get();
    if operator::truth(&items)? {
        out += &format!(" _queue={}", text::repr(&Value::list(iterate::collect(&items)?))?);
    }
    for (name, waiters) in [("getters", &queue.getters), ("putters", &queue.putters)] {
        if !waiters.is_empty() {
            out += &format!(" _{name}[{}]", waiters.len());
        }
    }
    if queue.unfinished.get() > 0 {
        out += &format!(" tasks={}", queue.unfinished.get());
    }
    if queue.is_shut_down.get() {
        out += " shutdown";
    }
    Ok(out)
}

/// A queue of a class.
fn make(args: &[Value], order: Order) -> Res {
    let class = class_argument(args)?;
    let is_own = |name: &&str| !matches!(class.lookup(Symbol::new(name)), Some(Value::Native(_)));
    let is_custom = class.is_script && HOOKS.iter().any(is_own);
    Ok(Opaque::value(class, Queue::new(order, is_custom)))
}

const METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A queue in order of arrival."
        |args| make(args, Order::Fifo);
    Method Plain "__init__" "(self, maxsize=0)" "Sets how many items it holds; 0 for any number." |args| {
        let queue = Queue::of(&args[0])?;
        queue.set_maxsize(if args[1].is_unset() { Value::Int(0) } else { args[1].clone() });
        if queue.is_custom {
            queue.hook(&args[0], "_init", &[queue.maxsize.get()])?;
        }
        Ok(Value::None)
    };
    Method Plain "_init" "(self, maxsize)" "Makes the container; for script classes to change." |args| {
        let queue = Queue::of(&args[0])?;
        queue.items.set(queue.order.container());
        Ok(Value::None)
    };
    Method Plain "_put" "(self, item)" "Stores an item in the container; for script classes to change." |args| {
        Queue::of(&args[0])?.store(args[1].clone())?;
        Ok(Value::None)
    };
    Method Plain "_get" "(self)" "Takes an item out of the container; for script classes to change."
        |args| Queue::of(&args[0])?.take();
    Getter Plain "_queue" "(self)" "The container of the items." |args| Ok(Queue::of(&args[0])?.items.get());
    Setter Plain "_queue" "(self, value)" "The container of the items." |args| {
        Queue::of(&args[0])?.items.set(args[1].clone());
        Ok(Value::None)
    };
    Getter Plain "_getters" "(self)" "Who waits for an item." |args| Ok(Queue::of(&args[0])?.getters.shown());
    Getter Plain "_putters" "(self)" "Who waits for room." |args| Ok(Queue::of(&args[0])?.putters.shown());
    Method Plain "_wakeup_next" "(self, waiters)" "Wakes the first of them that waits; for script classes." |args| {
        for waiter in iterate::collect(&args[1])? {
            if let Some(waiter) = future::of(&waiter).filter(|waiter| !waiter.is_done()) {
                future::set_result_if_pending(waiter, Value::None);
                break;
            }
        }
        Ok(Value::None)
    };
    Getter Plain "_maxsize" "(self)" "How many items may be in the queue; 0 for any number."
        |args| Ok(Queue::of(&args[0])?.maxsize.get());
    Setter Plain "_maxsize" "(self, value)" "How many items may be in the queue; 0 for any number." |args| {
        Queue::of(&args[0])?.set_maxsize(args[1].clone());
        Ok(Value::None)
    };
    Getter Plain "_is_shutdown" "(self)" "Whether shutdown() was called."
        |args| Ok(Queue::of(&args[0])?.is_shut_down.get().into());
    Setter Plain "_is_shutdown" "(self, value)" "Whether shutdown() was called." |args| {
        let is_shut_down = operator::truth(&args[1])?;
        Queue::of(&args[0])?.is_shut_down.set(is_shut_down);
        Ok(Value::None)
    };
    Method Plain "__repr__" "(self, /)" "Its items and who waits." |args| {
        let address = text::address(&args[0]);
        Ok(format!("<{} at {address} {}>", class_name(&args[0]), describe(&args[0])?).into())
    };
    Method Plain "__str__" "(self, /)" "Its items and who waits."
        |args| Ok(format!("<{} {}>", class_name(&args[0]), describe(&args[0])?).into());
    Getter Plain "_loop" "(self)" "The loop of the first wait, or None."
        |args| Ok(loop_or_none(&Queue::of(&args[0])?.event_loop));
    Setter Plain "_loop" "(self, value)" "The loop of the first wait." |args| {
        Queue::of(&args[0])?.event_loop.set(args[1].clone());
        Ok(Value::None)
    };
    ClassMethod Plain "__class_getitem__" "(cls, item, /)" "Queues can be subscripted in annotations."
        |args| Ok(crate::interp::isinstance::generic_alias(&args[0], &args[1]));
    Getter Plain "maxsize" "(self)" "How many items may be in the queue; 0 for any number."
        |args| Ok(Queue::of(&args[0])?.maxsize.get());
    Getter Plain "_unfinished_tasks" "(self)" "How many items were put in and not marked done."
        |args| Ok(Queue::of(&args[0])?.unfinished.get().into());
    Setter Plain "_unfinished_tasks" "(self, value)" "How many items were put in and not marked done." |args| {
        let count = usize::try_from(payload::small(&args[1])?).unwrap_or(0);
        Queue::of(&args[0])?.unfinished.set(count);
        Ok(Value::None)
    };
    Method Plain "qsize" "(self)" "How many items are in the queue."
        |args| Ok(Queue::of(&args[0])?.held()?.into());
    Method Plain "empty" "(self)" "Whether nothing is in the queue."
        |args| Ok((!operator::truth(&Queue::of(&args[0])?.items.get())?).into());
    Method Plain "full" "(self)" "Whether no room is left."
        |args| Ok(Queue::of(&args[0])?.has_no_room(&args[0])?.into());
    Method Coroutine "put" "(self, item)" "Put an item in, waiting for room." |args| put(&args[0], &args[1]);
    Method Plain "put_nowait" "(self, item)" "Put an item in, or raise QueueFull." |args| {
        Queue::of(&args[0])?.put_in(&args[0], args[1].clone())?;
        Ok(Value::None)
    };
    Method Coroutine "get" "(self)" "Take an item out, waiting for one." |args| get(&args[0]);
    Method Plain "get_nowait" "(self)" "Take an item out, or raise QueueEmpty."
        |args| Queue::of(&args[0])?.get_out(&args[0]);
    Method Plain "task_done" "(self)" "Say that the work on one item is done." |args| {
        let queue = Queue::of(&args[0])?;
        let Some(left) = queue.unfinished.get().checked_sub(1) else {
            return Err(value_error("task_done() called too many times"));
        };
        queue.unfinished.set(left);
        if left == 0 {
            queue.finish();
        }
        Ok(Value::None)
    };
    Method Coroutine "join" "(self)" "Wait until the work on all items is done." |args| {
        let queue = Queue::of(&args[0])?;
        if queue.unfinished.get() == 0 {
            return Ok(Step::Return(Value::None));
        }
        let waiter = waiter_on(&queue.event_loop, &args[0], &"queue.join")?;
        queue.joiners.add(waiter.clone());
        Step::begin(Joining { queue: args[0].clone(), waiter, waits: false })
    };
    Method Plain "shutdown" "(self, immediate=False)"
        "Take no more items, and give none once empty; with immediate, drop those inside." |args| {
        let immediate = !args[1].is_unset() && operator::truth(&args[1])?;
        shutdown(&args[0], immediate)?;
        Ok(Value::None)
    };
};

const LIFO_METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A queue that gives its newest item first."
        |args| make(args, Order::Lifo);
};

const PRIORITY_METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A queue that gives its smallest item first."
        |args| make(args, Order::Priority);
};
