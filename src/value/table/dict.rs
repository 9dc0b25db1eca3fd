//! The table of `dict`: entries in order of insertion, found through an index of positions.
//!
//! Always true: `entries` holds live entries and holes in order of insertion; a position is a place in
//! `entries` and stays valid until the next insertion that compacts (every change of the set of keys
//! gives a new `version`). Up to [`SCANNED`] entries there is no index: a scan over the hashes is faster
//! and smaller. Above, `index` holds positions, open-addressed; a hash is used as it is, since ints,
//! which hash to themselves, then lie side by side, and the probe sequence mixes in the upper bits.
//!
//! A `K` with a niche (an enum tag) makes an entry one hash, one key and one value wide.

/// The most entries that are searched without an index.
pub const SCANNED: usize = 8;

const EMPTY: u32 = u32::MAX;
const DELETED: u32 = u32::MAX - 1;
const PERTURB_SHIFT: u32 = 5;

/// An insertion-ordered hash table that leaves comparing keys to the caller (Python docs, "Mapping
/// Types — dict": order is insertion order; replacing a value keeps the place).
#[derive(Debug)]
pub struct Dict<K, V> {
    entries: Vec<Entry<K, V>>,
    /// Empty, or a power of two of slots: a position, `EMPTY` or `DELETED`.
    index: Box<[u32]>,
    /// How many entries may still be added before the index is rebuilt; 0 without an index.
    room: usize,
    /// How many entries are not holes.
    live: usize,
    /// Before it there are only holes, so that taking out the first again and again scans none twice.
    start: usize,
    /// Differs after every change of the set of keys.
    version: u64,
}

#[derive(Debug, Clone)]
struct Entry<K, V> {
    hash: i64,
    /// `None` is the hole a removed entry leaves.
    pair: Option<(K, V)>,
}

/// Where a lookup through [`Dict::step`] stands. It borrows nothing: between steps a script may run, after
/// which the caller compares [`Dict::version`] and starts again if the dict was changed.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    hash: i64,
    /// The next position to look at in a scan, or the next slot of the index.
    slot: usize,
    perturb: u64,
    ended: bool,
}

impl<K, V> Default for Dict<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Dict<K, V> {
    /// An empty table; allocates nothing.
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
            index: Box::default(),
            room: 0,
            live: 0,
            start: 0,
            version: 0,
        }
    }

    /// An empty table with room for `count` entries.
    pub fn with_capacity(count: usize) -> Self {
        let mut dict = Self::new();
        dict.reserve(count);
        dict
    }

    /// How many keys there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there are no keys.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// A number that differs after every insertion or removal, but not after replacing a value.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The position of the entry with this hash whose key `is_equal`. For keys whose equality can neither
    /// fail nor run a script.
    #[inline]
    pub fn find(&self, hash: i64, mut is_equal: impl FnMut(&K) -> bool) -> Option<usize> {
        if self.index.is_empty() {
            return self.entries.iter().position(|entry| {
                entry.hash == hash && entry.pair.as_ref().is_some_and(|(key, _)| is_equal(key))
            });
        }
        let index = &*self.index;
        let mut slot = hash as usize;
        let mut perturb = hash as u64;
        loop {
            slot &= index.len() - 1;
            let position = index[slot];
            // Both markers are beyond every position, so `get` sorts them out.
            if let Some(entry) = self.entries.get(position as usize) {
                if entry.hash == hash && entry.pair.as_ref().is_some_and(|(key, _)| is_equal(key)) {
                    return Some(position as usize);
                }
            } else if position == EMPTY {
                return None;
            }
            perturb >>= PERTURB_SHIFT;
            slot = slot
                .wrapping_mul(5)
                .wrapping_add(perturb as usize)
                .wrapping_add(1);
        }
    }

    /// The value found by [`find`](Self::find).
    #[inline]
    pub fn get(&self, hash: i64, is_equal: impl FnMut(&K) -> bool) -> Option<&V> {
        let position = self.find(hash, is_equal)?;
        self.entries[position].pair.as_ref().map(|(_, value)| value)
    }

    /// Begins a lookup whose comparisons the caller makes outside any borrow.
    #[inline]
    pub fn probe(&self, hash: i64) -> Probe {
        Probe {
            hash,
            slot: hash as usize,
            perturb: hash as u64,
            ended: false,
        }
        .restart(self.index.is_empty())
    }

    /// The position of the next entry whose hash is equal; `None` ends the lookup. A position may come twice,
    /// since the probe sequence can cross itself. If the dict changed since
    /// the last step the answer is some valid position or `None`, but the lookup must begin again.
    pub fn step(&self, probe: &mut Probe) -> Option<usize> {
        if probe.ended {
            return None;
        }
        if self.index.is_empty() {
            let start = probe.slot.min(self.entries.len());
            let found = self.entries[start..]
                .iter()
                .position(|entry| entry.hash == probe.hash && entry.pair.is_some())
                .map(|offset| start + offset);
            probe.slot = found.map_or(usize::MAX, |position| position + 1);
            probe.ended = found.is_none();
            return found;
        }
        loop {
            let slot = probe.slot & (self.index.len() - 1);
            let position = self.index[slot];
            if position == EMPTY {
                probe.ended = true;
                return None;
            }
            probe.perturb >>= PERTURB_SHIFT;
            probe.slot = slot
                .wrapping_mul(5)
                .wrapping_add(probe.perturb as usize)
                .wrapping_add(1);
            if let Some(entry) = self.entries.get(position as usize)
                && entry.hash == probe.hash
                && entry.pair.is_some()
            {
                return Some(position as usize);
            }
        }
    }

    /// Adds a key that a lookup did not find and gives its position.
    #[inline]
    pub fn insert_new(&mut self, hash: i64, key: K, value: V) -> usize {
        if self.index.is_empty() {
            if self.entries.len() >= SCANNED {
                self.make_room(1);
            }
        } else if self.room == 0 {
            self.make_room(1);
        }
        let position = self.entries.len();
        self.entries.push(Entry {
            hash,
            pair: Some((key, value)),
        });
        if !self.index.is_empty() {
            place(&mut self.index, hash, position as u32);
            self.room -= 1;
        }
        self.live += 1;
        self.version += 1;
        position
    }

    /// Adds a key that a lookup did not find before all others and gives its position. The others may get
    /// other positions.
    pub fn insert_first(&mut self, hash: i64, key: K, value: V) -> usize {
        let is_full = !self.index.is_empty() && (self.start == 0 || self.room == 0);
        if is_full || (self.index.is_empty() && self.entries.len() >= SCANNED) {
            self.rebuild(1, self.live);
        }
        let pair = Some((key, value));
        match self.start.checked_sub(1) {
            Some(before) => {
                self.entries[before] = Entry { hash, pair };
                self.start = before;
            }
            None => self.entries.insert(0, Entry { hash, pair }),
        }
        if !self.index.is_empty() {
            place(&mut self.index, hash, self.start as u32);
            self.room -= 1;
        }
        self.live += 1;
        self.version += 1;
        self.start
    }

    /// The key and value at a position; `None` for a hole or beyond the end.
    #[inline]
    pub fn entry(&self, position: usize) -> Option<(&K, &V)> {
        self.entries
            .get(position)?
            .pair
            .as_ref()
            .map(|(key, value)| (key, value))
    }

    /// The hash of the key at a position.
    #[inline]
    pub fn hash_at(&self, position: usize) -> Option<i64> {
        self.entries
            .get(position)
            .filter(|entry| entry.pair.is_some())
            .map(|entry| entry.hash)
    }

    /// The value at a position, to be replaced or changed.
    #[inline]
    pub fn value_mut(&mut self, position: usize) -> Option<&mut V> {
        self.entries
            .get_mut(position)?
            .pair
            .as_mut()
            .map(|(_, value)| value)
    }

    /// Takes out the entry at a position, leaving a hole; `None` if there is none.
    pub fn remove_entry(&mut self, position: usize) -> Option<(K, V)> {
        let entry = self.entries.get_mut(position)?;
        let pair = entry.pair.take()?;
        let hash = entry.hash;
        self.unlink(hash, position);
        self.live -= 1;
        if position == self.start {
            let rest = &self.entries[position..];
            let holes = rest.iter().position(|entry| entry.pair.is_some());
            self.start += holes.unwrap_or(rest.len());
        }
        self.version += 1;
        Some(pair)
    }

    /// Takes out the entry inserted last (`dict.popitem`).
    pub fn pop_last(&mut self) -> Option<(K, V)> {
        let position = self.entries.iter().rposition(|entry| entry.pair.is_some())?;
        let pair = self.remove_entry(position);
        // Holes at the end cost nothing to give back; the index slots stay marked.
        self.entries.truncate(position);
        self.start = self.start.min(position);
        pair
    }

    /// The first entry at `position` or after it. Start with 0 and go on from the answer's position + 1.
    #[inline]
    pub fn next_from(&self, position: usize) -> Option<(usize, &K, &V)> {
        let position = position.max(self.start);
        let rest = self.entries.get(position..)?;
        rest.iter().enumerate().find_map(|(offset, entry)| {
            entry
                .pair
                .as_ref()
                .map(|(key, value)| (position + offset, key, value))
        })
    }

    /// The last entry before `position`, for `reversed`. Start with [`end`](Self::end) and go on from the
    /// answer's position.
    pub fn previous_before(&self, position: usize) -> Option<(usize, &K, &V)> {
        let before = &self.entries[..position.min(self.entries.len())];
        let found = before.iter().rposition(|entry| entry.pair.is_some())?;
        self.entry(found).map(|(key, value)| (found, key, value))
    }

    /// The position after the last entry.
    pub fn end(&self) -> usize {
        self.entries.len()
    }

    /// All entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries
            .iter()
            .filter_map(|entry| entry.pair.as_ref().map(|(key, value)| (key, value)))
    }

    /// All entries in order, with the hashes of their keys.
    pub fn iter_hashed(&self) -> impl DoubleEndedIterator<Item = (i64, &K, &V)> {
        self.entries
            .iter()
            .filter_map(|entry| entry.pair.as_ref().map(|(key, value)| (entry.hash, key, value)))
    }

    /// Takes out everything; the caller may drop the answer after its borrow ends, since dropping values can
    /// run scripts.
    #[must_use = "dropping the entries can run scripts: do it outside the borrow"]
    pub fn take(&mut self) -> Self {
        let version = self.version + 1;
        std::mem::replace(
            self,
            Self {
                version,
                ..Self::new()
            },
        )
    }

    /// Removes and drops everything.
    pub fn clear(&mut self) {
        drop(self.take());
    }

    /// Makes room for `additional` more entries. Positions change if there are holes.
    pub fn reserve(&mut self, additional: usize) {
        let wanted = self.live + additional;
        if wanted > SCANNED && (self.index.is_empty() || self.room < additional) {
            self.make_room(additional);
        } else {
            self.entries.reserve(additional);
        }
    }

    /// Forgets the slot of a removed entry.
    fn unlink(&mut self, hash: i64, position: usize) {
        if self.index.is_empty() {
            return;
        }
        let mask = self.index.len() - 1;
        let mut slot = hash as usize & mask;
        let mut perturb = hash as u64;
        while self.index[slot] != position as u32 {
            perturb >>= PERTURB_SHIFT;
            slot = slot
                .wrapping_mul(5)
                .wrapping_add(perturb as usize)
                .wrapping_add(1)
                & mask;
        }
        self.index[slot] = DELETED;
    }

    /// Closes the holes and rebuilds the index so that `additional` more entries fit.
    #[cold]
    fn make_room(&mut self, additional: usize) {
        self.rebuild(additional, 0);
    }

    /// The same; with an index, so many holes are left before the first entry.
    fn rebuild(&mut self, additional: usize, before: usize) {
        if self.live < self.entries.len() {
            self.entries.retain(|entry| entry.pair.is_some());
            self.start = 0;
        }
        let wanted = self.live + additional;
        if wanted <= SCANNED {
            (self.index, self.room) = (Box::default(), 0);
            return;
        }
        let hole = || Entry { hash: 0, pair: None };
        self.entries
            .splice(0..0, std::iter::repeat_with(hole).take(before));
        self.start = before;
        // At most two thirds of the slots are ever taken, and growing triples the room, as CPython does.
        let slots = (wanted.max(self.live * 2) * 3 / 2 + 1)
            .next_power_of_two()
            .max(16);
        assert!(
            slots < DELETED as usize,
            "a dict of four thousand million entries does not fit in memory"
        );
        let mut index = vec![EMPTY; slots].into_boxed_slice();
        for (position, entry) in self.entries.iter().enumerate().skip(before) {
            place(&mut index, entry.hash, position as u32);
        }
        self.index = index;
        self.room = slots * 2 / 3 - self.live;
        self.entries.reserve(additional);
    }
}

/// Writes a position into the first free slot of its probe sequence.
#[inline]
fn place(index: &mut [u32], hash: i64, position: u32) {
    let mask = index.len() - 1;
    let mut slot = hash as usize & mask;
    let mut perturb = hash as u64;
    // A DELETED slot is not taken again: `room` counts it as used until the next rebuild.
    while index[slot] != EMPTY {
        perturb >>= PERTURB_SHIFT;
        slot = slot
            .wrapping_mul(5)
            .wrapping_add(perturb as usize)
            .wrapping_add(1)
            & mask;
    }
    index[slot] = position;
}

impl Probe {
    fn restart(mut self, scanned: bool) -> Self {
        if scanned {
            self.slot = 0;
        }
        self
    }
}

impl<K: Clone, V: Clone> Clone for Dict<K, V> {
    /// A copy without holes.
    fn clone(&self) -> Self {
        if self.live == self.entries.len() {
            return Self {
                entries: self.entries.clone(),
                index: self.index.clone(),
                room: self.room,
                live: self.live,
                start: self.start,
                version: 0,
            };
        }
        let mut copy = Self::with_capacity(self.live);
        for (hash, key, value) in self.iter_hashed() {
            copy.insert_new(hash, key.clone(), value.clone());
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(dict: &Dict<i64, i64>) -> Vec<i64> {
        dict.iter().map(|(key, _)| *key).collect()
    }

    fn set(dict: &mut Dict<i64, i64>, key: i64, value: i64) {
        match dict.find(key % 7, |known| *known == key) {
            Some(position) => *dict.value_mut(position).unwrap() = value,
            None => drop(dict.insert_new(key % 7, key, value)),
        }
    }

    #[test]
    fn order_is_insertion_order_and_replacing_keeps_the_place() {
        let mut dict = Dict::new();
        for key in (0..100).rev() {
            set(&mut dict, key, key);
        }
        set(&mut dict, 50, -1);
        assert_eq!(keys(&dict), (0..100).rev().collect::<Vec<_>>());
        assert_eq!(dict.get(50 % 7, |key| *key == 50), Some(&-1));
    }

    #[test]
    fn what_is_inserted_first_comes_first() {
        let mut dict = Dict::new();
        for key in 0..100 {
            if key % 3 == 0 {
                set(&mut dict, key, key);
            } else {
                dict.insert_first(key % 7, key, key);
            }
            let found = dict.find((key / 2) % 7, |known| *known == key / 2).unwrap();
            let (key, value) = dict.remove_entry(found).unwrap();
            dict.insert_first(key % 7, key, value);
        }
        let mut model: Vec<i64> = Vec::new();
        for key in 0..100 {
            let place = if key % 3 == 0 { model.len() } else { 0 };
            model.insert(place, key);
            model.retain(|known| *known != key / 2);
            model.insert(0, key / 2);
        }
        assert_eq!(keys(&dict), model);
        assert!((0..100).all(|key| dict.get(key % 7, |known| *known == key) == Some(&key)));
    }

    #[test]
    fn it_agrees_with_a_model_under_random_work() {
        let mut dict = Dict::new();
        let mut model: Vec<(i64, i64)> = Vec::new();
        let mut seed = 1u64;
        for round in 0..20_000i64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = (seed >> 40) as i64 % 60;
            match seed >> 62 {
                0 | 1 => {
                    set(&mut dict, key, round);
                    match model.iter_mut().find(|pair| pair.0 == key) {
                        Some(pair) => pair.1 = round,
                        None => model.push((key, round)),
                    }
                }
                2 => {
                    let found = dict.find(key % 7, |known| *known == key);
                    let removed = found.and_then(|position| dict.remove_entry(position));
                    let expected = model
                        .iter()
                        .position(|pair| pair.0 == key)
                        .map(|place| model.remove(place));
                    assert_eq!(removed, expected);
                }
                _ => assert_eq!(dict.pop_last(), model.pop()),
            }
            assert_eq!(dict.len(), model.len());
        }
        assert!(
            dict.iter()
                .map(|(key, value)| (*key, *value))
                .eq(model.iter().copied())
        );
        assert!(
            dict.clone()
                .iter()
                .map(|(key, _)| *key)
                .eq(model.iter().map(|pair| pair.0))
        );
    }

    #[test]
    fn steps_visit_every_candidate() {
        for count in [3, 40] {
            let mut dict = Dict::new();
            for key in 0..count {
                dict.insert_new(key % 2, key, ());
            }
            let mut probe = dict.probe(1);
            let mut seen: Vec<_> = std::iter::from_fn(|| dict.step(&mut probe)).collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(
                seen,
                (0..count as usize).filter(|key| key % 2 == 1).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn inserting_and_popping_for_ever_needs_no_growth() {
        let mut dict = Dict::new();
        for key in 0..20 {
            dict.insert_new(key, key, key);
        }
        for key in 20..10_000 {
            dict.insert_new(key, key, key);
            assert_eq!(dict.pop_last(), Some((key, key)));
        }
        assert!(dict.index.len() <= 128);
    }
}
