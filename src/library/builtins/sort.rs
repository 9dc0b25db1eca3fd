//! Sorting: `list.sort`, `sorted`.
//!
//! Always true: the list is empty while its items are compared, so a script that looks at it finds
//! nothing, and one that changes it is told; the first exception ends the sort and leaves the
//! items in some order, all of them there.

use crate::interp::call;
use crate::interp::error::*;
use crate::interp::mapping::quick_equal;
use crate::interp::operator;
use crate::value::*;
use std::cell::Cell;
use std::cmp::Ordering;

/// `list.sort(key=key, reverse=reverse)`
pub fn sort_list(list: &Ref<List>, key: Option<&Value>, reverse: bool) -> Res<()> {
    let mut items = std::mem::take(&mut *list.items.borrow_mut());
    let result = sort(&mut items, key, reverse);
    let found = std::mem::replace(&mut *list.items.borrow_mut(), items);
    result?;
    // What was added and taken out again has left room.
    if found.capacity() > 0 {
        drop(found);
        return Err(value_error("list modified during sort"));
    }
    Ok(())
}

/// Sorts values, stably.
pub fn sort(items: &mut Vec<Value>, key: Option<&Value>, reverse: bool) -> Res<()> {
    let Some(key) = key else {
        return sort_by_themselves(items, reverse);
    };
    let mut keyed = Vec::with_capacity(items.len());
    for item in items.iter() {
        keyed.push((call::call(key, std::slice::from_ref(item))?, item.clone()));
    }
    let result = sort_pairs(&mut keyed, reverse);
    // The keys are dropped only when the items are in their new order.
    let (keys, sorted): (Vec<Value>, Vec<Value>) = keyed.into_iter().unzip();
    *items = sorted;
    drop(keys);
    result
}

fn sort_by_themselves(items: &mut [Value], reverse: bool) -> Res<()> {
    match kind_of(items.iter()) {
        Kind::Ints => stable(items, reverse, |a, b| int(a).cmp(&int(b))),
        Kind::Strs => stable(items, reverse, |a, b| text(a).cmp(text(b))),
        Kind::Floats => stable(items, reverse, |a, b| {
            float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal)
        }),
        Kind::Mixed => return sort_mixed(items, reverse, |item| item),
    }
    Ok(())
}

/// Sorts pairs by what is first in them, stably.
pub fn sort_pairs(pairs: &mut [(Value, Value)], reverse: bool) -> Res<()> {
    match kind_of(pairs.iter().map(|(key, _)| key)) {
        Kind::Ints => stable(pairs, reverse, |a, b| int(&a.0).cmp(&int(&b.0))),
        Kind::Strs => stable(pairs, reverse, |a, b| text(&a.0).cmp(text(&b.0))),
        Kind::Floats => {
            stable(pairs, reverse, |a, b| {
                float(&a.0).partial_cmp(&float(&b.0)).unwrap_or(Ordering::Equal)
            });
        }
        Kind::Mixed => return sort_mixed(pairs, reverse, |pair| &pair.0),
    }
    Ok(())
}

/// What all the keys are, if they are of one simple kind.
enum Kind {
    Ints,
    Strs,
    /// Without nan, which has no place in an order.
    Floats,
    Mixed,
}

fn kind_of<'a>(keys: impl Iterator<Item = &'a Value> + Clone) -> Kind {
    if keys.clone().all(|k| matches!(k, Value::Int(_))) {
        Kind::Ints
    } else if keys.clone().all(|k| matches!(k, Value::Str(_))) {
        Kind::Strs
    } else if keys
        .clone()
        .all(|k| matches!(k, Value::Float(x) if !x.get().is_nan()))
    {
        Kind::Floats
    } else {
        Kind::Mixed
    }
}

fn int(value: &Value) -> i64 {
    if let Value::Int(n) = value { *n } else { 0 }
}

fn float(value: &Value) -> f64 {
    if let Value::Float(x) = value { x.get() } else { 0.0 }
}

fn text(value: &Value) -> &str {
    if let Value::Str(text) = value {
        &text.text
    } else {
        ""
    }
}

/// Equal items keep their order, also in reverse.
fn stable<T>(items: &mut [T], reverse: bool, mut compare: impl FnMut(&T, &T) -> Ordering) {
    if reverse {
        items.sort_by(|a, b| compare(b, a));
    } else {
        items.sort_by(compare);
    }
}

/// Sorts by Python's `<`, asked only that way round, in the order in which a binary insertion and
/// a merge ask. The first exception ends the comparing.
fn sort_mixed<T: Clone>(items: &mut [T], reverse: bool, key: impl Fn(&T) -> &Value) -> Res<()> {
    let failed: Cell<Option<Raised>> = Cell::new(None);
    let has_failed = Cell::new(false);
    let less = |a: &Value, b: &Value| -> bool {
        if has_failed.get() {
            return false;
        }
        match less(a, b) {
            Ok(less) => less,
            Err(raised) => {
                failed.set(Some(raised));
                has_failed.set(true);
                false
            }
        }
    };
    if reverse {
        items.reverse();
    }
    merge_sort(items, &|a, b| less(key(a), key(b)));
    if reverse {
        items.reverse();
    }
    match failed.into_inner() {
        Some(raised) => Err(raised),
        None => Ok(()),
    }
}

/// `a < b`; tuples are compared here as far as that needs no script.
fn less(a: &Value, b: &Value) -> Res<bool> {
    if let (Value::Tuple(x), Value::Tuple(y)) = (a, b) {
        for (i, j) in x.items.iter().zip(&y.items) {
            match quick_equal(i, j) {
                Some(true) => {}
                Some(false) => return operator::less(i, j),
                None => return operator::less(a, b),
            }
        }
        return Ok(x.items.len() < y.items.len());
    }
    operator::less(a, b)
}

/// Runs this short are sorted by binary insertion.
const SHORT: usize = 32;

/// A stable merge sort of natural runs. `less` may be inconsistent: the result is then some
/// permutation of the items.
fn merge_sort<T: Clone>(items: &mut [T], less: &dyn Fn(&T, &T) -> bool) {
    let len = items.len();
    if len < 2 {
        return;
    }
    // Ends of the runs that are sorted so far, on a stack of (start, length).
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let shortest = shortest_run(len);
    let mut start = 0;
    while start < len {
        let mut run = natural_run(&mut items[start..], less);
        if run < shortest {
            let wanted = shortest.min(len - start);
            insertion_sort(&mut items[start..start + wanted], run, less);
            run = wanted;
        }
        runs.push((start, run));
        start += run;
        collapse(items, &mut runs, less, false);
    }
    collapse(items, &mut runs, less, true);
}

/// A length that cuts the whole into a power of two of runs, or a little less.
fn shortest_run(mut len: usize) -> usize {
    let mut odd = 0;
    while len >= SHORT * 2 {
        odd |= len & 1;
        len >>= 1;
    }
    len + odd
}

/// The length of the sorted run at the start. A falling run, in which equal items may stand side by
/// side, is turned round (the equal ones keep their order) and goes on as long as what follows rises.
fn natural_run<T>(items: &mut [T], less: &dyn Fn(&T, &T) -> bool) -> usize {
    let len = items.len();
    let rising = |items: &[T], from: usize| {
        (from..len)
            .find(|&n| less(&items[n], &items[n - 1]))
            .unwrap_or(len)
    };
    let start = rising(items, 1);
    if start >= len || (start > 1 && less(&items[0], &items[start - 1])) {
        return start;
    }
    // What came before the first fall is all equal.
    items[..start].reverse();
    let mut end = start + 1;
    let mut equal = end - 1; // where the equal items at the end of the run begin
    while end < len {
        if less(&items[end], &items[end - 1]) {
            items[equal..end].reverse();
            equal = end;
        } else if less(&items[end - 1], &items[end]) {
            break;
        }
        end += 1;
    }
    items[equal..end].reverse();
    items[..end].reverse();
    rising(items, end)
}

/// Sorts a slice whose first `sorted` items are sorted.
fn insertion_sort<T>(items: &mut [T], sorted: usize, less: &dyn Fn(&T, &T) -> bool) {
    for i in sorted..items.len() {
        let (mut low, mut high) = (0, i);
        while low < high {
            let middle = low + (high - low) / 2;
            if less(&items[i], &items[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        items[low..=i].rotate_right(1);
    }
}

/// Merges runs until their lengths fall quickly enough (or one is left).
fn collapse<T: Clone>(
    items: &mut [T],
    runs: &mut Vec<(usize, usize)>,
    less: &dyn Fn(&T, &T) -> bool,
    all: bool,
) {
    while runs.len() > 1 {
        let n = runs.len();
        let len = |i: usize| runs[i].1;
        let must = (n >= 3 && len(n - 3) <= len(n - 2) + len(n - 1))
            || (n >= 4 && len(n - 4) <= len(n - 3) + len(n - 2));
        let at = if must || all {
            if n >= 3 && len(n - 3) < len(n - 1) {
                n - 3
            } else {
                n - 2
            }
        } else if len(n - 2) <= len(n - 1) {
            n - 2
        } else {
            return;
        };
        let ((start, first), (_, second)) = (runs[at], runs[at + 1]);
        merge(&mut items[start..start + first + second], first, less);
        runs[at].1 = first + second;
        runs.remove(at + 1);
    }
}

/// Merges two sorted parts that lie side by side.
fn merge<T: Clone>(items: &mut [T], middle: usize, less: &dyn Fn(&T, &T) -> bool) {
    let left: Vec<T> = items[..middle].to_vec();
    let right: Vec<T> = items[middle..].to_vec();
    let (mut i, mut j) = (0, 0);
    for place in items.iter_mut() {
        let take_right = match (left.get(i), right.get(j)) {
            (Some(a), Some(b)) => less(b, a),
            (None, _) => true,
            (_, None) => false,
        };
        if take_right {
            *place = right[j].clone();
            j += 1;
        } else {
            *place = left[i].clone();
            i += 1;
        }
    }
}
