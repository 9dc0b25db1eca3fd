//! Hash tables and hashes: the insertion-ordered table of `dict`, the slot table of `set`.
//!
//! Neither table compares keys itself: comparing may run a script, so the caller does it, between two
//! short borrows. A lookup gives the key's hash and either a closure that cannot fail or steps through
//! the candidates with that hash.

pub mod dict;
pub mod hash;
pub mod set;

pub use dict::Dict;
pub use set::Set;
