//! The table of `set`: slots in hash order, laid out as CPython 3.13 does.
//!
//! Python leaves the order of a set open, but scripts print sets of small ints and expect what they have
//! always seen. So the geometry is CPython's: where a key goes, when the table grows and to what size.
//!
//! Always true: the slots are a power of two, at least 8; at least one is unused, so each probe ends; a
//! removed key leaves a dummy, which probes pass and insertions may take again; `filled` counts keys
//! and dummies. With CPython's steps for the operators the caller gets CPython's order: union copies the
//! left and merges the right; intersection walks the smaller operand; difference walks the left.

const MINIMUM: usize = 8;
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;
/// The hash in a dummy: no key has it.
const DUMMY: i64 = -1;

/// A hash table of keys alone that leaves comparing them to the caller.
#[derive(Debug)]
pub struct Set<K> {
    /// Empty until the first insertion, which stands for 8 unused slots.
    slots: Vec<Slot<K>>,
    filled: usize,
    live: usize,
    /// Where the search of the next `pop` begins.
    finger: usize,
    version: u64,
}

/// Unused (hash 0, no key), a dummy (hash -1, no key) or taken.
#[derive(Debug, Clone)]
struct Slot<K> {
    hash: i64,
    key: Option<K>,
}

impl<K> Slot<K> {
    const UNUSED: Self = Self { hash: 0, key: None };

    fn is_unused(&self) -> bool {
        self.key.is_none() && self.hash != DUMMY
    }
}

/// Where a lookup through [`Set::step`] stands; see [`super::dict::Probe`].
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    hash: i64,
    walk: Walk,
    ended: bool,
}

/// The sequence of slots to try for a hash: runs of up to ten neighbours, then a jump.
#[derive(Debug, Clone, Copy)]
struct Walk {
    start: usize,
    offset: usize,
    perturb: u64,
}

impl Walk {
    #[inline]
    fn new(hash: i64) -> Self {
        Self {
            start: hash as usize,
            offset: 0,
            perturb: hash as u64,
        }
    }

    /// The slot to look at now.
    #[inline]
    fn slot(&self, mask: usize) -> usize {
        // The second mask is for a table that shrank between two steps.
        ((self.start & mask) + self.offset) & mask
    }

    /// Goes on to the next slot. Neighbours are tried only where a whole run fits before the end.
    #[inline]
    fn advance(&mut self, mask: usize) {
        let start = self.start & mask;
        if self.offset < LINEAR_PROBES && start + LINEAR_PROBES <= mask {
            self.offset += 1;
        } else {
            self.perturb >>= PERTURB_SHIFT;
            self.start = start
                .wrapping_mul(5)
                .wrapping_add(1)
                .wrapping_add(self.perturb as usize);
            self.offset = 0;
        }
    }
}

impl<K> Default for Set<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Set<K> {
    /// An empty set; allocates nothing.
    pub fn new() -> Self {
        Self {
            slots: Vec::new(),
            filled: 0,
            live: 0,
            finger: 0,
            version: 0,
        }
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

    /// A number that differs after every insertion or removal.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version
    }

    fn mask(&self) -> usize {
        self.slots.len().max(MINIMUM) - 1
    }

    /// The position of the key with this hash that `is_equal`. For keys whose equality can neither fail nor
    /// run a script.
    #[inline]
    pub fn find(&self, hash: i64, mut is_equal: impl FnMut(&K) -> bool) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut walk = Walk::new(hash);
        loop {
            let position = walk.slot(mask);
            let slot = &self.slots[position];
            match &slot.key {
                Some(key) if slot.hash == hash && is_equal(key) => return Some(position),
                None if slot.is_unused() => return None,
                _ => walk.advance(mask),
            }
        }
    }

    /// Begins a lookup whose comparisons the caller makes outside any borrow.
    #[inline]
    pub fn probe(&self, hash: i64) -> Probe {
        Probe {
            hash,
            walk: Walk::new(hash),
            ended: false,
        }
    }

    /// The position of the next key whose hash is equal; `None` ends the lookup. A position may come twice,
    /// since runs of neighbours can overlap. If the set changed since the
    /// last step the answer is some valid position or `None`, but the lookup must begin again.
    pub fn step(&self, probe: &mut Probe) -> Option<usize> {
        while !probe.ended && !self.slots.is_empty() {
            let mask = self.slots.len() - 1;
            let position = probe.walk.slot(mask);
            let slot = &self.slots[position];
            if slot.is_unused() {
                break;
            }
            probe.walk.advance(mask);
            if slot.hash == probe.hash && slot.key.is_some() {
                return Some(position);
            }
        }
        probe.ended = true;
        None
    }

    /// Adds a key that a lookup did not find.
    pub fn insert_new(&mut self, hash: i64, key: K) {
        if self.slots.is_empty() {
            self.slots.resize_with(MINIMUM, || Slot::UNUSED);
        }
        let mask = self.slots.len() - 1;
        let mut walk = Walk::new(hash);
        // CPython takes the last dummy it passed on the way to an unused slot.
        let mut dummy = None;
        while !self.slots[walk.slot(mask)].is_unused() {
            let position = walk.slot(mask);
            if self.slots[position].key.is_none() {
                dummy = Some(position);
            }
            walk.advance(mask);
        }
        self.live += 1;
        self.version += 1;
        if let Some(position) = dummy {
            self.slots[position] = Slot { hash, key: Some(key) };
            return;
        }
        self.slots[walk.slot(mask)] = Slot { hash, key: Some(key) };
        self.filled += 1;
        if self.filled * 5 >= mask * 3 {
            self.grow();
        }
    }

    /// The key at a position.
    #[inline]
    pub fn key(&self, position: usize) -> Option<&K> {
        self.slots.get(position)?.key.as_ref()
    }

    /// The hash of the key at a position.
    #[inline]
    pub fn hash_at(&self, position: usize) -> Option<i64> {
        self.slots
            .get(position)
            .filter(|slot| slot.key.is_some())
            .map(|slot| slot.hash)
    }

    /// Takes out the key at a position, leaving a dummy.
    pub fn remove(&mut self, position: usize) -> Option<K> {
        let slot = self.slots.get_mut(position)?;
        let key = slot.key.take()?;
        slot.hash = DUMMY;
        self.live -= 1;
        self.version += 1;
        Some(key)
    }

    /// Takes out the key that `set.pop` takes: the first at or after where the last `pop` ended.
    pub fn pop(&mut self) -> Option<K> {
        if self.live == 0 {
            return None;
        }
        let mask = self.mask();
        let mut position = self.finger & mask;
        while self.slots[position].key.is_none() {
            position = (position + 1) & mask;
        }
        self.finger = position + 1;
        self.remove(position)
    }

    /// The first key at `position` or after it, with its hash. Start with 0 and go on from the answer's
    /// position + 1.
    #[inline]
    pub fn next_from(&self, position: usize) -> Option<(usize, i64, &K)> {
        let rest = self.slots.get(position..)?;
        rest.iter()
            .enumerate()
            .find_map(|(offset, slot)| slot.key.as_ref().map(|key| (position + offset, slot.hash, key)))
    }

    /// How many keys stand at `position` or after it.
    pub fn count_from(&self, position: usize) -> usize {
        let rest = self.slots.get(position..).unwrap_or_default();
        rest.iter().filter(|slot| slot.key.is_some()).count()
    }

    /// All keys in the order of the slots.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.slots.iter().filter_map(|slot| slot.key.as_ref())
    }

    /// All keys with their hashes, in the order of the slots.
    pub fn iter_hashed(&self) -> impl DoubleEndedIterator<Item = (i64, &K)> {
        self.slots
            .iter()
            .filter_map(|slot| slot.key.as_ref().map(|key| (slot.hash, key)))
    }

    /// Takes out everything; the caller may drop the answer after its borrow ends.
    #[must_use = "dropping the keys can run scripts: do it outside the borrow"]
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

    /// Makes room as CPython does before it merges `additional` keys from a set or a dict.
    pub fn presize(&mut self, additional: usize) {
        if (self.filled + additional) * 5 >= self.mask() * 3 {
            self.resize((self.live + additional) * 2);
        }
    }

    /// Clears the dummies away if there are many, as CPython does after `difference_update`.
    pub fn drop_dummies(&mut self) {
        if self.filled - self.live > self.mask() / 4 {
            self.grow();
        }
    }

    fn grow(&mut self) {
        self.resize(if self.live > 50_000 {
            self.live * 2
        } else {
            self.live * 4
        });
    }

    /// Lays all keys out anew in the smallest table of more than `wanted` slots.
    fn resize(&mut self, wanted: usize) {
        let count = (wanted + 1).next_power_of_two().max(MINIMUM);
        let mut slots = Vec::new();
        slots.resize_with(count, || Slot::UNUSED);
        for slot in std::mem::replace(&mut self.slots, slots) {
            if let Some(key) = slot.key {
                self.place(slot.hash, key);
            }
        }
        self.filled = self.live;
        self.version += 1; // positions changed
    }

    /// Writes a key into the first slot of its walk without one; for tables without dummies.
    fn place(&mut self, hash: i64, key: K) {
        let mask = self.slots.len() - 1;
        let mut walk = Walk::new(hash);
        while self.slots[walk.slot(mask)].key.is_some() {
            walk.advance(mask);
        }
        self.slots[walk.slot(mask)] = Slot { hash, key: Some(key) };
    }
}

impl<K: Clone> Set<K> {
    /// A copy as `set.copy()` or `set(other_set)` makes it: merged into a new table.
    pub fn copy(&self) -> Self {
        let mut copy = Self::new();
        copy.merge_into_empty(self);
        copy
    }

    /// Merges a set into one that [`is_pristine`](Self::is_pristine), without comparing.
    pub fn merge_into_empty(&mut self, other: &Self) {
        debug_assert_eq!(self.filled, 0, "the set is empty and without dummies");
        if other.live == 0 {
            return;
        }
        self.presize(other.live);
        if self.mask() == other.mask() && other.filled == other.live {
            self.slots = other.slots.clone();
        } else {
            if self.slots.is_empty() {
                self.slots.resize_with(MINIMUM, || Slot::UNUSED);
            }
            for (hash, key) in other.iter_hashed() {
                self.place(hash, key.clone());
            }
        }
        self.filled = other.live;
        self.live = other.live;
        self.version += 1;
    }

    /// Merges `other` into this set (`|=`, `update`), comparing by a closure that cannot fail. For keys with
    /// other equality: [`presize`](Self::presize); then, if it [`is_pristine`](Self::is_pristine),
    /// [`merge_into_empty`](Self::merge_into_empty); if not, look up and insert each key in turn.
    pub fn merge(&mut self, other: &Self, mut is_equal: impl FnMut(&K, &K) -> bool) {
        if other.live == 0 {
            return;
        }
        self.presize(other.live);
        if self.is_pristine() {
            return self.merge_into_empty(other);
        }
        for (hash, key) in other.iter_hashed() {
            if self.find(hash, |known| is_equal(known, key)).is_none() {
                self.insert_new(hash, key.clone());
            }
        }
    }

    /// Whether there are neither keys nor dummies, so that a merge compares nothing.
    pub fn is_pristine(&self) -> bool {
        self.filled == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: impl IntoIterator<Item = i64>) -> Set<i64> {
        let mut set = Set::new();
        for key in keys {
            let hash = super::super::hash::int(key);
            if set.find(hash, |known| *known == key).is_none() {
                set.insert_new(hash, key);
            }
        }
        set
    }

    fn listed(set: &Set<i64>) -> Vec<i64> {
        set.iter().copied().collect()
    }

    #[test]
    fn ints_stand_in_cpythons_order() {
        // list(set([5, 1, 100, -1, 33, 8])) and list(set([8, 0, 16, 24, 3]))
        assert_eq!(listed(&of([5, 1, 100, -1, 33, 8])), [1, 33, 100, 5, 8, -1]);
        assert_eq!(listed(&of([8, 0, 16, 24, 3])), [0, 3, 8, 16, 24]);
    }

    #[test]
    fn pop_walks_on_from_its_finger() {
        let mut set = of(0..5);
        assert_eq!(set.pop(), Some(0));
        set.insert_new(0, 0);
        assert_eq!(set.pop(), Some(1));
    }

    #[test]
    fn steps_visit_every_candidate() {
        let mut set = Set::new();
        for key in 0..40 {
            set.insert_new(key % 2, key);
        }
        let mut probe = set.probe(1);
        let mut seen: Vec<i64> = Vec::new();
        while let Some(position) = set.step(&mut probe) {
            seen.push(*set.key(position).unwrap());
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, (0..40).filter(|key| key % 2 == 1).collect::<Vec<_>>());
    }
}
