//! `_collections`: `deque` and `defaultdict`, of which `collections` is made, and what an OrderedDict
//! shows of itself.

mod default_dict;
pub mod deque;

use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{class_name, class_of};
use crate::interp::{call, iterate, mapping, operator, subscript};
use crate::library::asyncio::natives;
use crate::library::builtins::{dict, function};
use crate::source::{Symbol, name};
use crate::value::iterator::DictPart;
use crate::value::*;

/// Adds one to the count of each item in a mapping.
fn count_elements(args: &[Value]) -> Res {
    let counts = &args[0];
    let class = class_of(counts);
    let is_dicts = |name: Symbol| matches!(&class.lookup(name), Some(Value::Native(n)) if n.owner == "dict");
    let get = Symbol::new("get");
    let plain = as_dict(counts).filter(|_| is_dicts(get) && is_dicts(name::SETITEM));
    let more = |count: &Value| operator::binary(BinaryOp::Add, count, &Value::Int(1));
    iterate::for_each(&args[1], |item| match plain {
        Some(dict) => {
            let hash = operator::hash(&item)?;
            let count = mapping::dict_get_hashed(dict, hash, &item)?;
            let count = count.as_ref().map_or(Ok(Value::Int(1)), more)?;
            mapping::dict_set_hashed(dict, hash, &item, count)
        }
        None => {
            let count = call::call_method(counts, get, &[item.clone(), Value::Int(0)])?;
            subscript::set_item(counts, &item, more(&count)?)
        }
    })?;
    Ok(Value::None)
}

const FUNCTIONS: &[NativeDef] = &[
    function(
        "_count_elements",
        "(mapping, iterable, /)",
        "Count elements in the iterable, updating the mapping",
        count_elements,
    ),
    function(
        "field_getter",
        "(index, /)",
        "What reads the field of a named tuple at a place.",
        |args| {
            let place = small(&args[0])?;
            let read = move |args: &[Value]| field(&args[0], place);
            Ok(Native::closure("field", "(self, /)", read))
        },
    ),
];

fn field(tuple: &Value, place: i64) -> Res {
    let Some(tuple) = as_tuple(tuple) else {
        return Err(type_error(format!(
            "descriptor for index '{place}' for tuple subclasses doesn't apply to '{}' object",
            class_name(tuple)
        )));
    };
    let item = tuple.items.get(place as usize).cloned();
    item.ok_or_else(|| index_error("tuple index out of range"))
}

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

/// What an OrderedDict does beside a dict.
const OF_ORDERED: &[NativeDef] = natives! {
    Method Plain "move_to_end" "(self, key, last=True)" "Move a key to the end, or to the beginning." to_end;
    Method Plain "popitem" "(self, last=True)" "Take out and return the last pair, or the first." pop_item;
};

fn pop_item(args: &[Value]) -> Res {
    let dict = ordered(args)?;
    let last = args[1].is_unset() || operator::truth(&args[1])?;
    let mut table = dict.table.borrow_mut();
    let pair = match last {
        true => table.pop_last(),
        false => {
            let first = table.next_from(0).map(|(place, ..)| place);
            first.and_then(|place| table.remove_entry(place))
        }
    };
    match pair {
        Some((key, value)) => Ok(Value::tuple([key, value])),
        None => Err(key_error(&Value::from("dictionary is empty"))),
    }
}

/// Moves a key to the end, or to the beginning.
fn to_end(args: &[Value]) -> Res {
    let dict = ordered(args)?;
    let last = args[2].is_unset() || operator::truth(&args[2])?;
    match mapping::dict_position(dict, operator::hash(&args[1])?, &args[1])? {
        Some(place) if last => mapping::dict_to_end(dict, place),
        Some(place) => mapping::dict_to_start(dict, place),
        None => return Err(key_error(&args[1])),
    };
    Ok(Value::None)
}

fn ordered(args: &[Value]) -> Res<&Ref<Dict>> {
    as_dict(&args[0]).ok_or_else(|| wrong_self("__iter__", "collections.OrderedDict", &args[0]))
}

fn view(args: &[Value], part: DictPart) -> Res {
    Ok(dict::view_of(ordered(args)?, part, true))
}

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_collections", &[FUNCTIONS, ORDERED]);
    let method = |def| Value::from(Native::of(def, "collections.OrderedDict"));
    names.extend(OF_ORDERED.iter().map(|def| (Symbol::new(def.name), method(def))));
    names.extend([
        (Symbol::new("deque"), deque::class().into()),
        (Symbol::new("defaultdict"), default_dict::class().into()),
        (Symbol::new("_deque_iterator"), deque::iterator_class().into()),
    ]);
    names
}
