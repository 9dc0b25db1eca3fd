//! `list`.

use super::int::check_class;
use super::{method, sort, static_method};
use crate::interp::error::*;
use crate::interp::operator::{self, collection};
use crate::interp::payload::*;
use crate::interp::subscript::place;
use crate::interp::types::Type;
use crate::interp::{iterate, text};
use crate::value::iterator::IteratorState;
use crate::value::*;

fn this<'a>(args: &'a [Value], method: &str) -> Res<&'a Ref<List>> {
    as_list(&args[0]).ok_or_else(|| wrong_self(method, "list", &args[0]))
}

/// A start or stop argument of `index`, clamped to the length.
pub fn clamp_index(value: &Value, len: usize, absent: usize) -> Res<usize> {
    let Some(at) = (match value {
        Value::Unset => None,
        value if has_index(value) => bound(value)?,
        _ => {
            return Err(type_error(
                "slice indices must be integers or have an __index__ method",
            ));
        }
    }) else {
        return Ok(absent);
    };
    let at = if at < 0 {
        at.saturating_add(len as i64).max(0)
    } else {
        at
    };
    Ok((at as usize).min(len.max(absent)))
}

fn init(args: &[Value]) -> Res {
    let list = this(args, "__init__")?;
    let old = std::mem::take(&mut *list.items.borrow_mut());
    drop(old);
    if args[1].is_unset() {
        return Ok(Value::None);
    }
    let items = iterate::collect(&args[1])?;
    let old = std::mem::replace(&mut *list.items.borrow_mut(), items);
    drop(old);
    Ok(Value::None)
}

/// `list.insert(index, object)`
pub fn insert(args: &[Value]) -> Res {
    let list = this(args, "insert")?;
    let at = small(&args[1])?;
    let mut items = list.items.borrow_mut();
    let len = items.len() as i64;
    let at = if at < 0 {
        at.saturating_add(len).max(0)
    } else {
        at.min(len)
    };
    items.insert(at as usize, args[2].clone());
    Ok(Value::None)
}

fn pop(args: &[Value]) -> Res {
    let list = this(args, "pop")?;
    if args[1].is_unset() {
        return list
            .items
            .borrow_mut()
            .pop()
            .ok_or_else(|| index_error("pop from empty list"));
    }
    let at = small(&args[1])?;
    let mut items = list.items.borrow_mut();
    if items.is_empty() {
        return Err(index_error("pop from empty list"));
    }
    match place(at, items.len()) {
        Some(place) => Ok(items.remove(place)),
        None => Err(index_error("pop index out of range")),
    }
}

/// The place of the first item equal to a value.
fn find(list: &Ref<List>, value: &Value, start: usize, stop: usize) -> Res<Option<usize>> {
    let mut i = start;
    while i < stop
        && let Some(item) = list.get(i)
    {
        if operator::same_or_equal(&item, value)? {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn remove(args: &[Value]) -> Res {
    let list = this(args, "remove")?;
    match find(list, &args[1], 0, usize::MAX)? {
        Some(place) => {
            let mut items = list.items.borrow_mut();
            // Comparing may have changed the list.
            let old = (place < items.len()).then(|| items.remove(place));
            drop(items);
            drop(old);
            Ok(Value::None)
        }
        None => Err(value_error("list.remove(x): x not in list")),
    }
}

fn index_of(args: &[Value]) -> Res {
    let list = this(args, "index")?;
    let start = clamp_index(&args[2], list.len(), 0)?;
    let stop = clamp_index(&args[3], list.len(), usize::MAX)?;
    match find(list, &args[1], start, stop)? {
        Some(place) => Ok(Value::from(place)),
        None => Err(value_error(format!("{} is not in list", text::repr(&args[1])?))),
    }
}

pub const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Built-in mutable sequence.",
        |args| {
            check_class(&args[0], Type::List)?;
            Ok(wrap(&args[0], Type::List, Value::list(Vec::new())))
        },
    ),
    method("__init__", "(self, iterable=(), /)", "Initialize self.", init),
    method(
        "append",
        "(self, object, /)",
        "Append object to the end of the list.",
        |args| {
            this(args, "append")?.push(args[1].clone());
            Ok(Value::None)
        },
    ),
    method(
        "extend",
        "(self, iterable, /)",
        "Extend list by appending elements from the iterable.",
        |args| {
            collection::extend(this(args, "extend")?, &args[1])?;
            Ok(Value::None)
        },
    ),
    method(
        "insert",
        "(self, index, object, /)",
        "Insert object before index.",
        insert,
    ),
    method(
        "pop",
        "(self, index=-1, /)",
        "Remove and return item at index (default last).",
        pop,
    ),
    method(
        "remove",
        "(self, value, /)",
        "Remove first occurrence of value.",
        remove,
    ),
    method(
        "index",
        "(self, value, start=0, stop=9223372036854775807, /)",
        "Return first index of value.",
        index_of,
    ),
    method(
        "count",
        "(self, value, /)",
        "Return number of occurrences of value.",
        |args| {
            let list = this(args, "count")?;
            let (mut i, mut count) = (0, 0);
            while let Some(item) = list.get(i) {
                count += i64::from(operator::same_or_equal(&item, &args[1])?);
                i += 1;
            }
            Ok(Value::Int(count))
        },
    ),
    method("clear", "(self, /)", "Remove all items from list.", |args| {
        let old = std::mem::take(&mut *this(args, "clear")?.items.borrow_mut());
        sequence::drop_last_first(old);
        Ok(Value::None)
    }),
    method(
        "copy",
        "(self, /)",
        "Return a shallow copy of the list.",
        |args| Ok(Value::list(this(args, "copy")?.items.borrow().clone())),
    ),
    method("reverse", "(self, /)", "Reverse *IN PLACE*.", |args| {
        this(args, "reverse")?.items.borrow_mut().reverse();
        Ok(Value::None)
    }),
    method(
        "sort",
        "(self, /, *, key=None, reverse=False)",
        "Sort the list in ascending order and return None. The sort is in-place and stable.",
        |args| {
            let reverse = !args[2].is_unset() && operator::truth(&args[2])?;
            sort::sort_list(this(args, "sort")?, args[1].given(), reverse)?;
            Ok(Value::None)
        },
    ),
    method(
        "__reversed__",
        "(self, /)",
        "Return a reverse iterator over the list.",
        |args| {
            let list = this(args, "__reversed__")?;
            let state = IteratorState::ListReversed(list.clone(), list.len());
            Ok(NativeIterator::value("list_reverseiterator", state))
        },
    ),
];
