//! What a seed is as a number: ints as they are, texts by their SHA-512, floats by their hash.

use crate::interp::error::*;
use crate::interp::operator;
use crate::interp::payload::*;
use crate::value::*;
use num_bigint::BigUint;
use sha2::Digest;

/// The number that a seed stands for.
pub fn number(seed: &Value, version: i64) -> Res<BigUint> {
    if seed.given().is_none() {
        return Ok(BigUint::from_bytes_be(
            &crate::library::modules::os::random_bytes(2496)?,
        ));
    }
    if let Some(n) = as_bigint(seed) {
        return Ok(n.magnitude().clone());
    }
    if version == 1 && (as_str(seed).is_some() || as_bytes(seed).is_some()) {
        let codes: Vec<u64> = match text_of(seed) {
            Some(text) => text.chars().map(|c| c as u64).collect(),
            None => bytes_of(seed)
                .unwrap_or_default()
                .iter()
                .map(|&b| u64::from(b))
                .collect(),
        };
        return Ok(BigUint::from(old_hash(&codes)));
    }
    let bytes = match text_of(seed) {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => bytes_of(seed),
    };
    if let Some(mut bytes) = bytes {
        let digest = sha512(&bytes);
        bytes.extend(digest);
        return Ok(BigUint::from_bytes_be(&bytes));
    }
    if as_float(seed).is_some() {
        return Ok(BigUint::from(operator::hash(seed)? as u64));
    }
    Err(type_error(
        "The only supported seed types are:\nNone, int, float, str, bytes, and bytearray.",
    ))
}

/// The hash that texts had when seeds were of version 1.
fn old_hash(codes: &[u64]) -> u64 {
    let mut x = codes.first().map_or(0, |first| first << 7);
    for code in codes {
        x = 1_000_003u64.wrapping_mul(x) ^ code;
    }
    x ^ codes.len() as u64
}

/// SHA-512 of the message.
fn sha512(message: &[u8]) -> [u8; 64] {
    sha2::Sha512::digest(message).into()
}
