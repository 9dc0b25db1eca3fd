//! Hashes of values, equal to CPython's for everything whose hash orders a set a script can print.
//!
//! Always true: no function here returns -1 (Python keeps it for errors), and numbers that compare
//! equal hash alike (Python docs, "Hashing of numeric types"). Texts have a fixed hash of our own:
//! CPython's is salted anew in each process, so no script can depend on it.

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

/// The prime 2**61 - 1, `sys.hash_info.modulus`.
pub const MODULUS: u64 = (1 << BITS) - 1;
/// `sys.hash_info.inf`.
pub const INFINITY: i64 = 314_159;
/// The hash of `None` (constant since Python 3.12).
pub const NONE: i64 = 0xFCA8_6420;
const BITS: u32 = 61;

/// -1 becomes -2, as for every hash in Python, `__hash__` results included.
#[inline]
pub fn never_minus_one(hash: i64) -> i64 {
    if hash == -1 { -2 } else { hash }
}

/// The hash of a small int, and with 0 or 1 of a bool.
#[inline]
pub fn int(value: i64) -> i64 {
    if value.unsigned_abs() < MODULUS {
        return never_minus_one(value);
    }
    let hash = (value.unsigned_abs() % MODULUS) as i64;
    never_minus_one(if value < 0 { -hash } else { hash })
}

/// The hash of an int of any size.
pub fn big_int(value: &BigInt) -> i64 {
    if let Some(small) = value.to_i64() {
        return int(small);
    }
    // Horner's rule over 64-bit digits, modulo 2**61 - 1.
    let mut hash: u64 = 0;
    for digit in value.iter_u64_digits().rev() {
        hash = (((u128::from(hash) << 64) | u128::from(digit)) % u128::from(MODULUS)) as u64;
    }
    let hash = hash as i64;
    never_minus_one(if value.sign() == Sign::Minus { -hash } else { hash })
}

/// The hash of a float; a nan hashes by `identity`, which the caller takes from the object.
pub fn float(value: f64, identity: i64) -> i64 {
    if value.is_nan() {
        return never_minus_one(identity);
    }
    if value.is_infinite() {
        return if value > 0.0 { INFINITY } else { -INFINITY };
    }
    if value.abs() < 9.0e15 && value.trunc() == value {
        return int(value as i64);
    }
    let (mantissa, exponent) = mantissa_exponent(value.abs());
    // 2**61 is 1 modulo 2**61 - 1, so a power of two is a rotation of 61 bits.
    let turn = exponent.rem_euclid(BITS as i32) as u32;
    let hash = ((mantissa << turn) & MODULUS) | (mantissa.checked_shr(BITS - turn).unwrap_or(0));
    let hash = if hash == MODULUS { 0 } else { hash as i64 };
    never_minus_one(if value < 0.0 { -hash } else { hash })
}

/// `value == mantissa * 2**exponent` for a finite, positive value.
fn mantissa_exponent(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) as i32 {
        0 => (fraction, -1074),
        biased => (fraction | (1 << 52), biased - 1075),
    }
}

/// The hash of a tuple, from its elements' hashes: xxHash64's mixing of lanes.
pub fn tuple(hashes: impl IntoIterator<Item = i64>) -> i64 {
    let mut hasher = TupleHasher::default();
    for hash in hashes {
        hasher.add(hash);
    }
    hasher.finish()
}

/// A tuple's hash in the making, for elements whose hashing may fail half-way.
#[derive(Debug, Clone)]
pub struct TupleHasher {
    accumulated: u64,
    count: u64,
}

const PRIME_1: u64 = 11_400_714_785_074_694_791;
const PRIME_2: u64 = 14_029_467_366_897_019_727;
const PRIME_5: u64 = 2_870_177_450_012_600_261;

impl Default for TupleHasher {
    fn default() -> Self {
        Self {
            accumulated: PRIME_5,
            count: 0,
        }
    }
}

impl TupleHasher {
    /// Takes the hash of the next element.
    #[inline]
    pub fn add(&mut self, hash: i64) {
        let lane = self.accumulated.wrapping_add((hash as u64).wrapping_mul(PRIME_2));
        self.accumulated = lane.rotate_left(31).wrapping_mul(PRIME_1);
        self.count += 1;
    }

    /// The hash of the tuple of all elements added.
    #[inline]
    pub fn finish(&self) -> i64 {
        Self::settled(self.accumulated.wrapping_add(self.count ^ (PRIME_5 ^ 3_527_539)))
    }

    /// The hash of a slice, whose parts are always three: their number is left out.
    pub fn finish_slice(&self) -> i64 {
        Self::settled(self.accumulated)
    }

    /// A hash is never -1, which tells of an error in CPython.
    #[inline]
    fn settled(hash: u64) -> i64 {
        let hash = hash as i64;
        if hash == -1 { 1_546_275_796 } else { hash }
    }
}

/// The hash of a frozenset, from its elements' hashes in any order.
pub fn frozen_set(hashes: impl IntoIterator<Item = i64>) -> i64 {
    let (mut mixed, mut count) = (0u64, 0u64);
    for hash in hashes {
        let hash = hash as u64;
        mixed ^= ((hash ^ 89_869_747) ^ (hash << 16)).wrapping_mul(3_644_798_167);
        count += 1;
    }
    mixed ^= (count + 1).wrapping_mul(1_927_868_237);
    mixed ^= (mixed >> 11) ^ (mixed >> 25);
    mixed = mixed.wrapping_mul(69_069).wrapping_add(907_133_923);
    if mixed == u64::MAX {
        590_923_713
    } else {
        mixed as i64
    }
}

/// The hash of a str or of bytes: eight bytes a step, folded so that the low bits, which the tables
/// use first, depend on every byte. Empty text hashes to 0, as in CPython.
#[inline]
pub fn bytes(text: &[u8]) -> i64 {
    const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
    const FACTOR: u64 = 0xA076_1D64_78BD_642F;
    if text.is_empty() {
        return 0;
    }
    // Spread, lest the length cancel out against the last byte of a short text.
    let mut state = SEED ^ (text.len() as u64).wrapping_mul(PRIME_1);
    if let (Some(head), Some(tail)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        let mut rest = text;
        while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
            if after.is_empty() {
                break;
            }
            state = fold(state ^ u64::from_le_bytes(*chunk), FACTOR);
            rest = after;
        }
        // The last step overlaps the one before: no byte by byte remainder.
        state = fold(
            state ^ u64::from_le_bytes(*tail),
            FACTOR ^ u64::from_le_bytes(*head),
        );
    } else if let (Some(head), Some(tail)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let word = (u64::from(u32::from_le_bytes(*head)) << 32) | u64::from(u32::from_le_bytes(*tail));
        state = fold(state ^ word, FACTOR);
    } else {
        let (first, middle, last) = (text[0], text[text.len() / 2], text[text.len() - 1]);
        let word = (u64::from(first) << 16) | (u64::from(middle) << 8) | u64::from(last);
        state = fold(state ^ word, FACTOR);
    }
    never_minus_one(state as i64)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_hash_as_in_cpython() {
        assert_eq!(int(-1), -2);
        assert_eq!(int(i64::MIN), -4);
        assert_eq!(int((1 << 61) - 1), 0);
        assert_eq!(big_int(&(BigInt::from(1) << 100)), 1 << 39);
        assert_eq!(float(0.5, 0), 1 << 60);
        assert_eq!(float(-1.0, 0), -2);
        assert_eq!(float(f64::NEG_INFINITY, 0), -314_159);
        assert_eq!(float(1e300, 0), 1_224_995_262_755_759_164);
    }

    #[test]
    fn containers_hash_as_in_cpython() {
        assert_eq!(tuple([]), 5_740_354_900_026_072_187);
        assert_eq!(tuple([1, 2, 3]), 529_344_067_295_497_451);
        assert_eq!(frozen_set([]), 133_146_708_735_736);
        assert_eq!(frozen_set([1, 2, 3]), -272_375_401_224_217_160);
    }

    #[test]
    fn short_texts_do_not_collide() {
        let mut seen = std::collections::HashSet::new();
        for number in 0..20_000 {
            assert!(seen.insert(bytes(format!("k{number}").as_bytes())));
        }
    }
}
