//! The flags of a pattern: their names and numbers. The enumeration over them is written in aio.

use crate::source::Symbol;
use crate::value::*;

/// Each flag's name, its letter if it has one, and its number.
const FLAGS: &[(&str, &str, i64)] = &[
    ("NOFLAG", "", 0),
    ("ASCII", "A", 256),
    ("IGNORECASE", "I", 2),
    ("LOCALE", "L", 4),
    ("UNICODE", "U", 32),
    ("MULTILINE", "M", 8),
    ("DOTALL", "S", 16),
    ("VERBOSE", "X", 64),
    ("DEBUG", "", 128),
];

/// The flags by all of their names, with the long one of each first.
fn named() -> impl Iterator<Item = (&'static str, i64)> {
    let both = |&(name, letter, number): &(_, &'static str, _)| [(name, number), (letter, number)];
    FLAGS.iter().flat_map(both).filter(|(name, _)| !name.is_empty())
}

/// The names of the flags.
pub fn names() -> impl Iterator<Item = &'static str> {
    named().map(|(name, _)| name)
}

/// `_re`: what the enumeration is made of.
pub fn module() -> Vec<(Symbol, Value)> {
    let row = |(name, number)| Value::tuple([Value::from(name), Value::Int(number)]);
    vec![(Symbol::new("FLAGS"), Value::list(named().map(row).collect()))]
}

/// `re.IGNORECASE|re.MULTILINE`: the flags in the order of their numbers.
pub fn of_pattern(bits: i64) -> String {
    let mut known: Vec<_> = FLAGS.iter().filter(|(_, _, flag)| bits & flag != 0).collect();
    known.sort_by_key(|(_, _, flag)| flag);
    let rest = known.iter().fold(bits, |rest, (_, _, flag)| rest & !flag);
    let names = known.iter().map(|(name, ..)| format!("re.{name}"));
    let rest = (rest != 0).then(|| format!("0x{rest:x}"));
    names.chain(rest).collect::<Vec<_>>().join("|")
}
