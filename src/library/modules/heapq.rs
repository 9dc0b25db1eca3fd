//! `_heapq` and `_bisect`: lists kept as heaps, and places in sorted lists.
//!
//! Always true of a heap: `heap[i]` is not greater than its children `heap[2 * i + 1]` and
//! `heap[2 * i + 2]`. Comparing runs script code, which may change the list: every access is
//! checked.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::class_name;
use crate::interp::{call, iterate, operator, subscript};
use crate::library::builtins::{function, list, wrong_argument};
use crate::source::Symbol;
use crate::value::*;

fn heap<'a>(args: &'a [Value], function: &str) -> Res<&'a Ref<List>> {
    as_list(&args[0]).ok_or_else(|| {
        let which = if args.len() > 1 { " argument 1" } else { "" };
        wrong_argument(&format!("{function}(){which}"), "list", &args[0])
    })
}

fn at(heap: &List, place: usize) -> Res {
    heap.get(place)
        .ok_or_else(|| runtime_error("list changed size during iteration"))
}

fn put(heap: &List, place: usize, value: Value) -> Res<()> {
    let mut items = heap.items.borrow_mut();
    let Some(slot) = items.get_mut(place) else {
        drop(items);
        return Err(runtime_error("list changed size during iteration"));
    };
    let old = std::mem::replace(slot, value);
    drop(items);
    drop(old);
    Ok(())
}

/// Lets the item at a place rise, to `top` at most.
fn rise(heap: &List, top: usize, mut place: usize) -> Res<()> {
    let item = at(heap, place)?;
    while place > top {
        let parent = (place - 1) / 2;
        let above = at(heap, parent)?;
        if !operator::less(&item, &above)? {
            break;
        }
        put(heap, parent, item.clone())?;
        put(heap, place, above)?;
        place = parent;
    }
    Ok(())
}

/// Lets the smaller children rise to the bottom, then the item up from there: fewest comparisons.
fn sink(heap: &List, top: usize) -> Res<()> {
    let size = heap.len();
    let item = at(heap, top)?;
    let mut place = top;
    while 2 * place + 1 < size {
        let mut child = 2 * place + 1;
        let mut smaller = at(heap, child)?;
        if child + 1 < size {
            let right = at(heap, child + 1)?;
            if !operator::less(&smaller, &right)? {
                (child, smaller) = (child + 1, right);
            }
        }
        put(heap, child, item.clone())?;
        put(heap, place, smaller)?;
        place = child;
    }
    rise(heap, top, place)
}

fn first(heap: &List) -> Res {
    heap.get(0).ok_or_else(|| index_error("index out of range"))
}

/// Adds an item to a heap.
pub fn push(heap: &List, item: Value) -> Res<()> {
    heap.push(item);
    rise(heap, 0, heap.len() - 1)
}

/// Takes the smallest item out of a heap.
pub fn pop(heap: &List) -> Res {
    let last = heap.items.borrow_mut().pop();
    let Some(last) = last else {
        return Err(index_error("index out of range"));
    };
    let Some(smallest) = heap.get(0) else {
        return Ok(last);
    };
    put(heap, 0, last)?;
    sink(heap, 0)?;
    Ok(smallest)
}

const HEAP: &[NativeDef] = &[
    function(
        "heappush",
        "(heap, item, /)",
        "Push item onto heap, maintaining the heap invariant.",
        |args| push(heap(args, "heappush")?, args[1].clone()).map(|()| Value::None),
    ),
    function(
        "heappop",
        "(heap, /)",
        "Pop the smallest item off the heap, maintaining the heap invariant.",
        |args| pop(heap(args, "heappop")?),
    ),
    function(
        "heapreplace",
        "(heap, item, /)",
        "Pop and return the current smallest value, and add the new item.",
        |args| {
            let heap = heap(args, "heapreplace")?;
            let smallest = first(heap)?;
            put(heap, 0, args[1].clone())?;
            sink(heap, 0)?;
            Ok(smallest)
        },
    ),
    function(
        "heappushpop",
        "(heap, item, /)",
        "Push item on the heap, then pop and return the smallest item from the heap.",
        |args| {
            let heap = heap(args, "heappushpop")?;
            match heap.get(0) {
                Some(smallest) if operator::less(&smallest, &args[1])? => {
                    let smallest = first(heap)?;
                    put(heap, 0, args[1].clone())?;
                    sink(heap, 0)?;
                    Ok(smallest)
                }
                _ => Ok(args[1].clone()),
            }
        },
    ),
    function(
        "heapify",
        "(heap, /)",
        "Transform list into a heap, in-place, in linear time.",
        |args| {
            let heap = heap(args, "heapify")?;
            for place in (0..heap.len() / 2).rev() {
                sink(heap, place)?;
            }
            Ok(Value::None)
        },
    ),
];

/// Where `x` belongs in the sorted `a`, before its equals or after them. The arguments are
/// `a, x, lo, hi, key`.
fn place(args: &[Value], x: &Value, before: bool) -> Res<i64> {
    let lo = match &args[2] {
        Value::Unset => 0,
        lo => small(lo)?,
    };
    if lo < 0 {
        return Err(value_error("lo must be non-negative"));
    }
    let hi = match args[3].given() {
        None => iterate::length(&args[0])? as i64,
        Some(hi) => small(hi)?,
    };
    let (mut lo, mut hi) = (lo, hi);
    while lo < hi {
        let middle = lo + (hi - lo) / 2;
        let mut item = item_at(&args[0], middle)?;
        if let Some(key) = args[4].given() {
            item = call::call(key, std::slice::from_ref(&item))?;
        }
        let goes_right = match before {
            true => operator::less(&item, x)?,
            false => !operator::less(x, &item)?,
        };
        if goes_right {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    Ok(lo)
}

fn item_at(sequence: &Value, place: i64) -> Res {
    if let Value::List(list) = sequence {
        return match list.get(place as usize) {
            Some(item) => Ok(item),
            None => subscript::get_item(sequence, &Value::Int(place)),
        };
    }
    match plain(sequence) {
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Set(_)
        | Value::FrozenSet(_) => Err(type_error(format!(
            "'{}' object does not support indexing",
            class_name(sequence)
        ))),
        _ => subscript::get_item(sequence, &Value::Int(place)),
    }
}

fn insert(args: &[Value], before: bool) -> Res {
    let x = match args[4].given() {
        Some(key) => call::call(key, &args[1..2])?,
        None => args[1].clone(),
    };
    let place = Value::Int(place(args, &x, before)?);
    let given = [args[0].clone(), place, args[1].clone()];
    match &args[0] {
        Value::List(_) => list::insert(&given)?,
        other => call::call_method(other, Symbol::new("insert"), &given[1..])?,
    };
    Ok(Value::None)
}

const FIVE: &str = "(a, x, lo=0, hi=None, *, key=None)";

const BISECT: &[NativeDef] = &[
    function(
        "bisect_left",
        FIVE,
        "Return the index where to insert item x in list a, before its equals.",
        |args| place(args, &args[1], true).map(Value::Int),
    ),
    function(
        "bisect_right",
        FIVE,
        "Return the index where to insert item x in list a, after its equals.",
        |args| place(args, &args[1], false).map(Value::Int),
    ),
    function(
        "insort_left",
        FIVE,
        "Insert item x in list a, before its equals.",
        |args| insert(args, true),
    ),
    function(
        "insort_right",
        FIVE,
        "Insert item x in list a, after its equals.",
        |args| insert(args, false),
    ),
];

pub fn heaps() -> Vec<(Symbol, Value)> {
    super::functions("_heapq", &[HEAP])
}

pub fn bisections() -> Vec<(Symbol, Value)> {
    super::functions("_bisect", &[BISECT])
}
