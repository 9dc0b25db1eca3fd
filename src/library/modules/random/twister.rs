//! MT19937, the Mersenne Twister of Matsumoto and Nishimura (1998), with their seeding by an array.

use num_bigint::BigUint;

const N: usize = 624;
const M: usize = 397;

pub struct Twister {
    words: [u32; N],
    /// The next word to give; `N` if all are given.
    at: usize,
}

impl Twister {
    fn simple(seed: u32) -> Twister {
        let mut words = [seed; N];
        for i in 1..N {
            let before = words[i - 1];
            words[i] = 1_812_433_253u32
                .wrapping_mul(before ^ (before >> 30))
                .wrapping_add(i as u32);
        }
        Twister { words, at: N }
    }

    /// A twister seeded by any number of words, lowest first.
    pub fn seeded(key: &[u32]) -> Twister {
        let key = if key.is_empty() { &[0] } else { key };
        let mut twister = Twister::simple(19_650_218);
        let words = &mut twister.words;
        let mixed = |words: &[u32; N], i: usize, factor: u32| {
            let before = words[i - 1];
            words[i] ^ (before ^ (before >> 30)).wrapping_mul(factor)
        };
        let next = |words: &mut [u32; N], i: usize| {
            if i + 1 < N {
                return i + 1;
            }
            words[0] = words[N - 1];
            1
        };
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            words[i] = mixed(words, i, 1_664_525)
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i = next(words, i);
            j = (j + 1) % key.len();
        }
        for _ in 0..N - 1 {
            words[i] = mixed(words, i, 1_566_083_941).wrapping_sub(i as u32);
            i = next(words, i);
        }
        words[0] = 0x8000_0000;
        twister
    }

    /// The words, and how many of them are given.
    pub fn state(&self) -> Vec<u32> {
        self.words.iter().copied().chain([self.at as u32]).collect()
    }

    pub fn restored(state: &[u32]) -> Option<Twister> {
        let (&at, words) = state.split_last()?;
        let words = words.try_into().ok()?;
        (at as usize <= N).then_some(Twister {
            words,
            at: at as usize,
        })
    }

    fn refill(&mut self) {
        let words = &mut self.words;
        for i in 0..N {
            let y = (words[i] & 0x8000_0000) | (words[(i + 1) % N] & 0x7fff_ffff);
            let odd = if y & 1 == 0 { 0 } else { 0x9908_b0df };
            words[i] = words[(i + M) % N] ^ (y >> 1) ^ odd;
        }
        self.at = 0;
    }

    /// The next 32 random bits.
    pub fn word(&mut self) -> u32 {
        if self.at >= N {
            self.refill();
        }
        let mut y = self.words[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A float in [0, 1) of 53 random bits.
    pub fn unit(&mut self) -> f64 {
        let (a, b) = (f64::from(self.word() >> 5), f64::from(self.word() >> 6));
        (a * 67_108_864.0 + b) / 9_007_199_254_740_992.0
    }

    /// Up to 64 random bits, and at least one.
    pub fn small_bits(&mut self, count: u32) -> u64 {
        if count <= 32 {
            return u64::from(self.word() >> (32 - count));
        }
        let low = u64::from(self.word());
        u64::from(self.word() >> (64 - count)) << 32 | low
    }

    /// Any number of random bits, at least one.
    pub fn bits(&mut self, count: u64) -> BigUint {
        let mut left = count;
        let mut words = Vec::with_capacity(count.div_ceil(32) as usize);
        while left > 0 {
            let word = self.word();
            words.push(if left < 32 { word >> (32 - left) } else { word });
            left = left.saturating_sub(32);
        }
        BigUint::new(words)
    }
}
