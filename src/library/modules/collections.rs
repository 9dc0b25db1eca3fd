//! `_collections`: `deque` and `defaultdict`, of which `collections` is made.

mod default_dict;
pub mod deque;

use crate::source::Symbol;
use crate::value::*;

pub fn module() -> Vec<(Symbol, Value)> {
    vec![
        (Symbol::new("deque"), deque::class().into()),
        (Symbol::new("defaultdict"), default_dict::class().into()),
        (Symbol::new("_deque_iterator"), deque::iterator_class().into()),
    ]
}
