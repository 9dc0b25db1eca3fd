//! `_json`: what `json` does for each character and each value, text to values and values to text.

mod encoder;
mod scanner;

use crate::interp::attribute;
use crate::interp::operator;
use crate::source::Symbol;
use crate::value::*;

/// How deep arrays and objects may be nested; CPython's limit for its own recursion.
const DEEPEST: usize = 10_000;

/// An option of an encoder or a decoder.
fn option(of: &Value, name: &str) -> Res {
    attribute::get(of, Symbol::new(name))
}

fn is_set(of: &Value, name: &str) -> Res<bool> {
    operator::truth(&option(of, name)?)
}

pub fn module() -> Vec<(Symbol, Value)> {
    super::functions("_json", &[scanner::FUNCTIONS, encoder::FUNCTIONS])
}
