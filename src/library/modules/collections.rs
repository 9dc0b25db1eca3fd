//! `_collections`: `deque` and `defaultdict`, of which `collections` is made, and what an OrderedDict
//! shows of itself.

mod default_dict;
pub mod deque;

use crate::interp::iterate;
use crate::interp::operator;
use crate::interp::payload::*;
use crate::library::builtins::{dict, function};
use crate::source::Symbol;
use crate::value::iterator::DictPart;
use crate::value::*;

const ORDERED: &[NativeDef] = &[
    function("ordered_keys", "(dict, /)", "A view of the keys.", |args| {
        view(args, DictPart::Keys)
    }),
    function("ordered_values", "(dict, /)", "A view of the values.", |args| {
        view(args, DictPart::Values)
    }),
    function("ordered_items", "(dict, /)", "A view of the items.", |args| {
        view(args, DictPart::Items)
    }),
    function(
        "ordered_iter",
        "(dict, reversed=False, /)",
        "An iterator over the keys.",
        |args| {
            let reversed = !args[1].is_unset() && operator::truth(&args[1])?;
            Ok(iterate::ordered_iter(ordered(args)?, DictPart::Keys, reversed))
        },
    ),
];

fn ordered(args: &[Value]) -> Res<&Ref<Dict>> {
    as_dict(&args[0]).ok_or_else(|| wrong_self("__iter__", "collections.OrderedDict", &args[0]))
}

fn view(args: &[Value], part: DictPart) -> Res {
    Ok(dict::view_of(ordered(args)?, part, true))
}

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_collections", &[ORDERED]);
    names.extend([
        (Symbol::new("deque"), deque::class().into()),
        (Symbol::new("defaultdict"), default_dict::class().into()),
        (Symbol::new("_deque_iterator"), deque::iterator_class().into()),
    ]);
    names
}
