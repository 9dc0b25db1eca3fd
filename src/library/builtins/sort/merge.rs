//! The merge sort of natural runs that lists are sorted by: powersort, whose merges gallop.
//!
//! Always true: scripts see which items are compared, and which way round, so the order of the
//! comparisons is CPython's; where one fails, all the items are still there.

use crate::value::Res;

/// Whether the first is less than the second.
type Less<'a, T> = &'a dyn Fn(&T, &T) -> Res<bool>;

/// Runs shorter than about half of this are made longer by binary insertion.
const LONG: usize = 64;

/// So many items in a row from the same side make it likely that more follow.
const ENOUGH_TO_GALLOP: usize = 7;

/// Sorts stably. Where `less` is inconsistent, the result is some permutation of the items.
pub fn merge_sort<T: Clone>(items: &mut [T], less: Less<T>) -> Res<()> {
    let len = items.len();
    if len < 2 {
        return Ok(());
    }
    let shortest = shortest_run(len);
    let mut merges = Merges {
        items,
        less,
        runs: Vec::new(),
        patience: ENOUGH_TO_GALLOP,
    };
    let mut start = 0;
    while start < len {
        let mut run = natural_run(&mut merges.items[start..], less)?;
        if run < shortest {
            let wanted = shortest.min(len - start);
            insertion_sort(&mut merges.items[start..start + wanted], run, less)?;
            run = wanted;
        }
        merges.add(start, run)?;
        start += run;
    }
    merges.finish()
}

/// A length that cuts the whole into a power of two of runs, or a little less.
fn shortest_run(mut len: usize) -> usize {
    let mut odd = 0;
    while len >= LONG {
        odd |= len & 1;
        len >>= 1;
    }
    len + odd
}

/// The length of the sorted run at the start. A falling run, in which equal items may stand side by
/// side, is turned round (the equal ones keep their order) and goes on as long as what follows rises.
fn natural_run<T>(items: &mut [T], less: Less<T>) -> Res<usize> {
    let len = items.len();
    let rising = |items: &[T], from: usize| -> Res<usize> {
        let mut end = from;
        while end < len && !less(&items[end], &items[end - 1])? {
            end += 1;
        }
        Ok(end)
    };
    let start = rising(items, 1)?;
    if start >= len || (start > 1 && less(&items[0], &items[start - 1])?) {
        return Ok(start);
    }
    // What came before the first fall is all equal.
    items[..start].reverse();
    let mut end = start + 1;
    let mut equal = end - 1; // where the equal items at the end of the run begin
    while end < len {
        if less(&items[end], &items[end - 1])? {
            items[equal..end].reverse();
            equal = end;
        } else if less(&items[end - 1], &items[end])? {
            break;
        }
        end += 1;
    }
    items[equal..end].reverse();
    items[..end].reverse();
    rising(items, end)
}

/// Sorts a slice whose first `sorted` items are sorted.
fn insertion_sort<T>(items: &mut [T], sorted: usize, less: Less<T>) -> Res<()> {
    for i in sorted..items.len() {
        let (mut low, mut high) = (0, i);
        while low < high {
            let middle = low + (high - low) / 2;
            if less(&items[i], &items[middle])? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        items[low..=i].rotate_right(1);
    }
    Ok(())
}

/// Where a search goes from the item where it begins, in steps that double.
enum Bias {
    /// To the first place that is possible: before the items that are equal.
    First,
    /// To the last one: behind them.
    Last,
}

/// Where `item` belongs among sorted items. The search begins at `hint` and takes longer and longer
/// steps from there, so a place close by is found with few comparisons.
fn gallop<T>(item: &T, among: &[T], hint: usize, bias: Bias, less: Less<T>) -> Res<usize> {
    // Whether the item's place is behind another.
    let is_behind = |other: &T| match bias {
        Bias::First => less(other, item),
        Bias::Last => Ok(!less(item, other)?),
    };
    let (mut near, mut far) = (0, 1);
    let (mut low, mut high);
    if is_behind(&among[hint])? {
        let most = among.len() - hint;
        while far < most && is_behind(&among[hint + far])? {
            near = far;
            far = far.saturating_mul(2).saturating_add(1);
        }
        (low, high) = (hint + near + 1, hint + far.min(most));
    } else {
        let most = hint + 1;
        while far < most && !is_behind(&among[hint - far])? {
            near = far;
            far = far.saturating_mul(2).saturating_add(1);
        }
        (low, high) = (most - far.min(most), hint - near);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if is_behind(&among[middle])? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(high)
}

/// A sorted part of the items.
struct Run {
    start: usize,
    len: usize,
    /// How deep the border between it and the next run lies in the tree of merges.
    power: u32,
}

/// The runs found so far, and how they become one.
struct Merges<'a, T> {
    items: &'a mut [T],
    less: Less<'a, T>,
    runs: Vec<Run>,
    /// How many items in a row have to come from one side before merges gallop: less where that
    /// has been worth it.
    patience: usize,
}

impl<T: Clone> Merges<'_, T> {
    /// A run was found: those before it whose merges lie deeper are merged first.
    fn add(&mut self, start: usize, len: usize) -> Res<()> {
        if let Some(last) = self.runs.last() {
            let power = power(last.start, last.len, len, self.items.len());
            while let [.., before, _] = self.runs.as_slice()
                && before.power > power
            {
                self.merge_at(self.runs.len() - 2)?;
            }
            if let Some(last) = self.runs.last_mut() {
                last.power = power;
            }
        }
        self.runs.push(Run { start, len, power: 0 });
        Ok(())
    }

    /// Merges what is left, the shorter neighbours first.
    fn finish(&mut self) -> Res<()> {
        while self.runs.len() > 1 {
            let mut at = self.runs.len() - 2;
            if at > 0 && self.runs[at - 1].len < self.runs[at + 1].len {
                at -= 1;
            }
            self.merge_at(at)?;
        }
        Ok(())
    }

    /// Merges a run with the next one. What stands right already at either end stays where it is.
    fn merge_at(&mut self, at: usize) -> Res<()> {
        let next = self.runs.remove(at + 1);
        let run = &mut self.runs[at];
        let (start, middle, end) = (run.start, next.start, next.start + next.len);
        run.len += next.len;
        let (left, right) = (&self.items[start..middle], &self.items[middle..end]);
        let right_ones = gallop(&right[0], left, 0, Bias::Last, self.less)?;
        if right_ones == left.len() {
            return Ok(());
        }
        let start = start + right_ones;
        let last = &left[left.len() - 1];
        let end = middle + gallop(last, right, right.len() - 1, Bias::First, self.less)?;
        if end == middle {
            return Ok(());
        }
        if middle - start <= end - middle {
            self.run(|items| FromLow::new(items, start, middle, end))
        } else {
            self.run(|items| FromHigh::new(items, start, middle, end))
        }
    }

    fn run<'s, M: Merge<T>>(&'s mut self, merge: impl FnOnce(&'s mut [T]) -> M) -> Res<()> {
        let mut merge = merge(self.items);
        let result = merge.run(self.less, &mut self.patience);
        merge.close();
        result
    }
}

/// How deep the border between two runs lies in the tree of merges of `len` items: how many binary
/// digits of the runs' middles, as fractions of the whole, are the same, and one.
fn power(start: usize, first: usize, second: usize, len: usize) -> u32 {
    let mut left = 2 * start + first;
    let mut right = left + first + second;
    let mut power = 1;
    loop {
        if left >= len {
            left -= len;
            right -= len;
        } else if right >= len {
            return power;
        }
        left <<= 1;
        right <<= 1;
        power += 1;
    }
}

/// A merge on its way: one of the two parts lies aside, and its room is filled, from below or from
/// above. The part that stays gives its outermost item first, which is known without a comparison,
/// and the last one of the part aside comes last of all.
trait Merge<T> {
    /// Whether it fills from below, the smallest first.
    const UPWARDS: bool;

    /// Whether the order of all that is left is known.
    fn is_done(&self) -> bool;

    /// Whether the next one of the right part is less than the next one of the left.
    fn right_is_less(&self, less: Less<T>) -> Res<bool>;

    /// How many of the left part come before the next one of the right.
    fn next_lefts(&self, less: Less<T>) -> Res<usize>;

    /// How many of the right part come before the next one of the left.
    fn next_rights(&self, less: Less<T>) -> Res<usize>;

    fn take_left(&mut self, count: usize);

    fn take_right(&mut self, count: usize);

    /// Puts what is left where room is left, also after a failure.
    fn close(&mut self);

    /// Goes on until one part is used up.
    fn run(&mut self, less: Less<T>, patience: &mut usize) -> Res<()> {
        self.take(Self::UPWARDS);
        while !self.is_done() {
            self.one_by_one(less, *patience)?;
            if !self.is_done() {
                self.gallop(less, patience)?;
            }
        }
        Ok(())
    }

    /// Takes one, of the right part or of the left.
    fn take(&mut self, right: bool) {
        match right {
            true => self.take_right(1),
            false => self.take_left(1),
        }
    }

    /// Until one side has won `patience` times in a row.
    fn one_by_one(&mut self, less: Less<T>, patience: usize) -> Res<()> {
        let (mut lefts, mut rights) = (0, 0);
        while !self.is_done() && lefts < patience && rights < patience {
            let right = self.right_is_less(less)? == Self::UPWARDS;
            self.take(right);
            (lefts, rights) = if right { (0, rights + 1) } else { (lefts + 1, 0) };
        }
        Ok(())
    }

    /// As long as many at once come from one side.
    fn gallop(&mut self, less: Less<T>, patience: &mut usize) -> Res<()> {
        *patience += 1;
        loop {
            *patience -= usize::from(*patience > 1);
            let lefts = self.next_lefts(less)?;
            self.take_left(lefts);
            if self.is_done() {
                return Ok(());
            }
            self.take_right(1);
            if self.is_done() {
                return Ok(());
            }
            let rights = self.next_rights(less)?;
            self.take_right(rights);
            if self.is_done() {
                return Ok(());
            }
            self.take_left(1);
            if self.is_done() {
                return Ok(());
            }
            if lefts < ENOUGH_TO_GALLOP && rights < ENOUGH_TO_GALLOP {
                *patience += 1;
                return Ok(());
            }
        }
    }
}

/// A merge that goes up: the left part lies aside.
struct FromLow<'a, T> {
    items: &'a mut [T],
    /// The next place to fill.
    place: usize,
    left: Vec<T>,
    /// The next one of the left part.
    next_left: usize,
    /// The next one of the right part, and its end.
    next_right: usize,
    end: usize,
}

impl<'a, T: Clone> FromLow<'a, T> {
    fn new(items: &'a mut [T], start: usize, middle: usize, end: usize) -> Self {
        let left = items[start..middle].to_vec();
        FromLow {
            items,
            place: start,
            left,
            next_left: 0,
            next_right: middle,
            end,
        }
    }

    fn left(&self) -> &[T] {
        &self.left[self.next_left..]
    }

    fn right(&self) -> &[T] {
        &self.items[self.next_right..self.end]
    }
}

impl<T: Clone> Merge<T> for FromLow<'_, T> {
    const UPWARDS: bool = true;

    fn is_done(&self) -> bool {
        self.left().len() <= 1 || self.right().is_empty()
    }

    fn right_is_less(&self, less: Less<T>) -> Res<bool> {
        less(&self.right()[0], &self.left()[0])
    }

    fn next_lefts(&self, less: Less<T>) -> Res<usize> {
        gallop(&self.right()[0], self.left(), 0, Bias::Last, less)
    }

    fn next_rights(&self, less: Less<T>) -> Res<usize> {
        gallop(&self.left()[0], self.right(), 0, Bias::First, less)
    }

    fn take_left(&mut self, count: usize) {
        let from = &self.left[self.next_left..self.next_left + count];
        self.items[self.place..self.place + count].clone_from_slice(from);
        self.next_left += count;
        self.place += count;
    }

    fn take_right(&mut self, count: usize) {
        for _ in 0..count {
            self.items[self.place] = self.items[self.next_right].clone();
            self.place += 1;
            self.next_right += 1;
        }
    }

    fn close(&mut self) {
        // Only after a failure is more than one left of the left part while the right one goes on.
        if self.left().len() == 1 {
            self.take_right(self.right().len());
        }
        self.take_left(self.left().len());
    }
}

/// A merge that goes down: the right part lies aside.
struct FromHigh<'a, T> {
    items: &'a mut [T],
    /// Behind the next place to fill.
    place: usize,
    /// Where the left part begins, and behind its next one.
    start: usize,
    next_left: usize,
    right: Vec<T>,
}

impl<'a, T: Clone> FromHigh<'a, T> {
    fn new(items: &'a mut [T], start: usize, middle: usize, end: usize) -> Self {
        let right = items[middle..end].to_vec();
        FromHigh {
            items,
            place: end,
            start,
            next_left: middle,
            right,
        }
    }

    fn left(&self) -> &[T] {
        &self.items[self.start..self.next_left]
    }
}

impl<T: Clone> Merge<T> for FromHigh<'_, T> {
    const UPWARDS: bool = false;

    fn is_done(&self) -> bool {
        self.right.len() <= 1 || self.left().is_empty()
    }

    fn right_is_less(&self, less: Less<T>) -> Res<bool> {
        match (self.right.last(), self.left().last()) {
            (Some(right), Some(left)) => less(right, left),
            _ => Ok(false),
        }
    }

    fn next_lefts(&self, less: Less<T>) -> Res<usize> {
        let (left, right) = (self.left(), &self.right);
        let stay = gallop(&right[right.len() - 1], left, left.len() - 1, Bias::Last, less)?;
        Ok(left.len() - stay)
    }

    fn next_rights(&self, less: Less<T>) -> Res<usize> {
        let (left, right) = (self.left(), &self.right);
        let stay = gallop(&left[left.len() - 1], right, right.len() - 1, Bias::First, less)?;
        Ok(right.len() - stay)
    }

    fn take_left(&mut self, count: usize) {
        for _ in 0..count {
            self.place -= 1;
            self.next_left -= 1;
            self.items[self.place] = self.items[self.next_left].clone();
        }
    }

    fn take_right(&mut self, count: usize) {
        let taken = self.right.split_off(self.right.len() - count);
        self.items[self.place - count..self.place].clone_from_slice(&taken);
        self.place -= count;
    }

    fn close(&mut self) {
        if self.right.len() == 1 {
            self.take_left(self.left().len());
        }
        self.take_right(self.right.len());
    }
}
