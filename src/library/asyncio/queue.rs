//! Queue, LifoQueue and PriorityQueue between tasks.
//!
//! Always true: a put wakes the first who waits to get, and a get the first who waits to put; a
//! task that was woken and cancelled at once passes its wake-up on.

use super::wait::{Waiters, waiter_on};
use super::{class_argument, exception_class, make_class, natives, object_class};
use crate::interp::error::{type_error, value_error};
use crate::interp::types::{Type, class_name, class_of};
use crate::interp::{attribute, call, iterate, operator, payload, text};
use crate::runtime::future;
use crate::source::Symbol;
use crate::value::generator::{Obstacle, Resume};
use crate::value::*;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

thread_local! {
    static QUEUE: Ref<Class> = object_class("Queue", "asyncio.queues", METHODS);
    static LIFO: Ref<Class> = derived("LifoQueue", LIFO_METHODS);
    static PRIORITY: Ref<Class> = derived("PriorityQueue", PRIORITY_METHODS);
    static EMPTY: Ref<Class> = exception_class("QueueEmpty", "asyncio.queues", Type::Exception);
    static FULL: Ref<Class> = exception_class("QueueFull", "asyncio.queues", Type::Exception);
    static SHUT_DOWN: Ref<Class> = exception_class("QueueShutDown", "asyncio.queues", Type::Exception);
}

fn derived(name: &str, table: &[NativeDef]) -> Ref<Class> {
    make_class(
        name,
        "asyncio.queues",
        vec![QUEUE.with(Ref::clone)],
        Layout::Opaque,
        table,
    )
}

pub fn names() -> Vec<(Symbol, Value)> {
    let classes = [&QUEUE, &LIFO, &PRIORITY, &EMPTY, &FULL, &SHUT_DOWN].map(|class| class.with(Ref::clone));
    classes
        .map(|class| (Symbol::new(class.name()), class.into()))
        .into()
}

/// In which order items leave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Fifo,
    Lifo,
    Priority,
    /// A script's class says, through `_init`, `_put` and `_get`.
    Script,
}

struct Queue {
    order: Order,
    maxsize: ValueCell,
    /// The most items it holds; infinite for any number.
    limit: Cell<f64>,
    items: RefCell<VecDeque<Value>>,
    getters: Waiters,
    putters: Waiters,
    unfinished: Cell<usize>,
    /// Who waits for all work to be done.
    joiners: Waiters,
    is_shut_down: Cell<bool>,
    event_loop: ValueCell,
}

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

    fn new(order: Order) -> Queue {
        Queue {
            order,
            maxsize: ValueCell::new(Value::Int(0)),
            limit: Cell::new(f64::INFINITY),
            items: RefCell::default(),
            getters: Waiters::default(),
            putters: Waiters::default(),
            unfinished: Cell::new(0),
            joiners: Waiters::default(),
            is_shut_down: Cell::new(false),
            event_loop: ValueCell::default(),
        }
    }

    fn set_maxsize(&self, maxsize: &Value) -> Res<()> {
        let maxsize = if maxsize.is_unset() {
            Value::Int(0)
        } else {
            maxsize.clone()
        };
        let most = payload::real(&maxsize)?;
        self.limit.set(if most > 0.0 { most } else { f64::INFINITY });
        self.maxsize.set(maxsize);
        Ok(())
    }

    fn size(&self, this: &Value) -> Res<usize> {
        if self.order == Order::Script
            && let Some(items) = attribute::find(this, Symbol::new("_queue"))?
        {
            return iterate::length(&items);
        }
        Ok(self.items.borrow().len())
    }

    fn is_full(&self, this: &Value) -> Res<bool> {
        Ok(self.limit.get() != f64::INFINITY && self.size(this)? as f64 >= self.limit.get())
    }

    /// Puts an item where its order has it.
    fn store(&self, this: &Value, item: Value) -> Res<()> {
        match self.order {
            Order::Fifo | Order::Lifo => self.items.borrow_mut().push_back(item),
            Order::Priority => push_heap(&self.items, item)?,
            Order::Script => drop(call::call_method(this, Symbol::new("_put"), &[item])?),
        }
        Ok(())
    }

    /// Takes out the next item; the caller has seen that there is one.
    fn take(&self, this: &Value) -> Res {
        let item = match self.order {
            Order::Fifo => self.items.borrow_mut().pop_front(),
            Order::Lifo => self.items.borrow_mut().pop_back(),
            Order::Priority => pop_heap(&self.items)?,
            Order::Script => Some(call::call_method(this, Symbol::new("_get"), &[])?),
        };
        item.ok_or_else(|| raise(&EMPTY))
    }

    fn put_now(&self, this: &Value, item: Value) -> Res<()> {
        if self.is_shut_down.get() {
            return Err(raise(&SHUT_DOWN));
        }
        if self.is_full(this)? {
            return Err(raise(&FULL));
        }
        self.store(this, item)?;
        self.unfinished.set(self.unfinished.get() + 1);
        wake_next(&self.getters);
        Ok(())
    }

    fn get_now(&self, this: &Value) -> Res {
        if self.size(this)? == 0 {
            return Err(if self.is_shut_down.get() {
                raise(&SHUT_DOWN)
            } else {
                raise(&EMPTY)
            });
        }
        let item = self.take(this)?;
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

fn wake_next(waiters: &Waiters) {
    while let Some(waiter) = waiters.pop() {
        if !waiter.is_done() {
            return future::set_result_if_pending(&waiter, Value::None);
        }
    }
}

/// Adds to a heap (the smallest first). Comparing may run script code, so the items are taken out
/// meanwhile.
fn push_heap(items: &RefCell<VecDeque<Value>>, item: Value) -> Res<()> {
    let mut heap: Vec<Value> = std::mem::take(&mut *items.borrow_mut()).into();
    heap.push(item);
    let last = heap.len() - 1;
    let result = sift_down(&mut heap, 0, last);
    put_back(items, heap);
    result
}

fn pop_heap(items: &RefCell<VecDeque<Value>>) -> Res<Option<Value>> {
    let mut heap: Vec<Value> = std::mem::take(&mut *items.borrow_mut()).into();
    let result = (|| {
        let Some(last) = heap.pop() else { return Ok(None) };
        if heap.is_empty() {
            return Ok(Some(last));
        }
        let smallest = std::mem::replace(&mut heap[0], last);
        sift_up(&mut heap)?;
        Ok(Some(smallest))
    })();
    put_back(items, heap);
    result
}

/// Gives a heap back; what was put in meanwhile, by a comparison, joins at the end.
fn put_back(items: &RefCell<VecDeque<Value>>, heap: Vec<Value>) {
    let mut items = items.borrow_mut();
    let later = std::mem::replace(&mut *items, heap.into());
    items.extend(later);
}

/// Moves the item at `at` up towards `start` until its parent is not greater.
fn sift_down(heap: &mut [Value], start: usize, mut at: usize) -> Res<()> {
    while at > start {
        let parent = (at - 1) / 2;
        if !operator::less(&heap[at], &heap[parent])? {
            break;
        }
        heap.swap(at, parent);
        at = parent;
    }
    Ok(())
}

/// Moves the item at the root down to a leaf along the smaller children, then up to its place:
/// fewer comparisons than stopping on the way.
fn sift_up(heap: &mut [Value]) -> Res<()> {
    let mut at = 0;
    loop {
        let mut child = 2 * at + 1;
        if child >= heap.len() {
            break;
        }
        if child + 1 < heap.len() && !operator::less(&heap[child], &heap[child + 1])? {
            child += 1;
        }
        heap.swap(at, child);
        at = child;
    }
    sift_down(heap, 0, at)
}

fn get(this: &Value) -> Res<Step> {
    let queue = Queue::of(this)?;
    if queue.size(this)? > 0 {
        return queue.get_now(this).map(Step::Return);
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
                if !future::is_cancelled(&waiter) && queue.size(this)? > 0 {
                    wake_next(&queue.getters);
                }
            }
            return Err(Raised::again(exception));
        }
        if queue.size(this)? > 0 {
            return queue.get_now(this).map(Step::Return);
        }
        if queue.is_shut_down.get() {
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
            what: "an item of a queue into which nobody puts anything",
        })
    }
}

fn put(this: &Value, item: &Value) -> Res<Step> {
    let queue = Queue::of(this)?;
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
        if !queue.is_full(this)? {
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
            what: "room in a queue from which nobody takes anything",
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
        Some(Obstacle::Missing {
            object: self.queue.clone(),
            what: "the end of a queue's work, for which nobody calls task_done()",
        })
    }
}

fn shutdown(this: &Value, immediate: bool) -> Res<()> {
    let queue = Queue::of(this)?;
    queue.is_shut_down.set(true);
    if immediate {
        while queue.size(this)? > 0 {
            drop(queue.take(this)?);
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
    let items: Vec<Value> = queue.items.borrow().iter().cloned().collect();
    if !items.is_empty() {
        out += &format!(" _queue={}", text::repr(&Value::list(items))?);
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

/// A queue of a class; a script's class may hold the items its own way.
fn make(args: &[Value], order: Order) -> Res {
    let class = class_argument(args)?;
    let hooks = ["_init", "_put", "_get"].map(Symbol::new);
    let is_custom = class.is_script
        && hooks
            .iter()
            .any(|&h| matches!(class.lookup(h), Some(Value::Function(_))));
    Ok(Opaque::value(
        class,
        Queue::new(if is_custom { Order::Script } else { order }),
    ))
}

const METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A queue in order of arrival."
        |args| make(args, Order::Fifo);
    Method Plain "__init__" "(self, maxsize=0)" "Sets how many items it holds; 0 for any number." |args| {
        let queue = Queue::of(&args[0])?;
        queue.set_maxsize(&args[1])?;
        let init = class_of(&args[0]).lookup(Symbol::new("_init"));
        if queue.order == Order::Script && matches!(init, Some(Value::Function(_))) {
            call::call_method(&args[0], Symbol::new("_init"), &[queue.maxsize.get()])?;
        }
        Ok(Value::None)
    };
    Method Plain "_init" "(self, maxsize)" "A script's class makes its container here." |_| Ok(Value::None);
    Method Plain "_put" "(self, item)" "A script's class stores an item here." |args| {
        Queue::of(&args[0])?.items.borrow_mut().push_back(args[1].clone());
        Ok(Value::None)
    };
    Method Plain "_get" "(self)" "A script's class takes an item out here." |args| {
        let item = Queue::of(&args[0])?.items.borrow_mut().pop_front();
        item.ok_or_else(|| raise(&EMPTY))
    };
    Method Plain "__repr__" "(self, /)" "Its items and who waits." |args| {
        let address = text::address(&args[0]);
        Ok(format!("<{} at {address} {}>", class_name(&args[0]), describe(&args[0])?).into())
    };
    Method Plain "__str__" "(self, /)" "Its items and who waits."
        |args| Ok(format!("<{} {}>", class_name(&args[0]), describe(&args[0])?).into());
    ClassMethod Plain "__class_getitem__" "(cls, item, /)" "Queues can be subscripted in annotations."
        |args| Ok(crate::interp::isinstance::generic_alias(&args[0], &args[1]));
    Getter Plain "maxsize" "(self)" "How many items may be in the queue; 0 for any number."
        |args| Ok(Queue::of(&args[0])?.maxsize.get());
    Getter Plain "_unfinished_tasks" "(self)" "How many items were put in and not marked done."
        |args| Ok(Queue::of(&args[0])?.unfinished.get().into());
    Method Plain "qsize" "(self)" "How many items are in the queue."
        |args| Ok(Queue::of(&args[0])?.size(&args[0])?.into());
    Method Plain "empty" "(self)" "Whether nothing is in the queue."
        |args| Ok((Queue::of(&args[0])?.size(&args[0])? == 0).into());
    Method Plain "full" "(self)" "Whether no room is left."
        |args| Ok(Queue::of(&args[0])?.is_full(&args[0])?.into());
    Method Coroutine "put" "(self, item)" "Put an item in, waiting for room." |args| put(&args[0], &args[1]);
    Method Plain "put_nowait" "(self, item)" "Put an item in, or raise QueueFull." |args| {
        Queue::of(&args[0])?.put_now(&args[0], args[1].clone())?;
        Ok(Value::None)
    };
    Method Coroutine "get" "(self)" "Take an item out, waiting for one." |args| get(&args[0]);
    Method Plain "get_nowait" "(self)" "Take an item out, or raise QueueEmpty."
        |args| Queue::of(&args[0])?.get_now(&args[0]);
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
    Method Plain "_get" "(self)" "A script's class takes an item out here." |args| {
        let item = Queue::of(&args[0])?.items.borrow_mut().pop_back();
        item.ok_or_else(|| raise(&EMPTY))
    };
};

const PRIORITY_METHODS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, *args, **kwargs)" "A queue that gives its smallest item first."
        |args| make(args, Order::Priority);
    Method Plain "_put" "(self, item)" "A script's class stores an item here." |args| {
        push_heap(&Queue::of(&args[0])?.items, args[1].clone())?;
        Ok(Value::None)
    };
    Method Plain "_get" "(self)" "A script's class takes an item out here."
        |args| pop_heap(&Queue::of(&args[0])?.items)?.ok_or_else(|| raise(&EMPTY));
};
