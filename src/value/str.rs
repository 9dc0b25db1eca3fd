//! Strings: immutable text with its length in code points and its hash.

use super::*;
use crate::source::Symbol;
use compact_str::{CompactString, ToCompactString};
use std::cell::{Cell, RefCell};

/// A Python str. Indexing by code point is O(1) where `chars == text.len()` (ASCII).
pub struct Str {
    /// Short texts, which most are, take no memory of their own (benchmark: compute/strings).
    pub text: CompactString,
    /// Length in code points.
    pub chars: usize,
    /// 0 until computed.
    hash: Cell<u64>,
    /// The symbol of the text plus one; 0 until asked for.
    symbol: Cell<u32>,
}

impl Dying for Str {}

impl Str {
    #[allow(clippy::new_ret_no_self)]
    pub fn new(text: impl Into<CompactString>) -> Ref<Str> {
        let text = text.into();
        let chars = if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
        Ref::new(Str {
            text,
            chars,
            hash: Cell::new(0),
            symbol: Cell::new(0),
        })
    }

    /// Two texts in a row.
    pub fn joined(a: &Str, b: &Str) -> Ref<Str> {
        let mut text = CompactString::with_capacity(a.text.len() + b.text.len());
        text.push_str(&a.text);
        text.push_str(&b.text);
        Ref::new(Str {
            text,
            chars: a.chars + b.chars,
            hash: Cell::new(0),
            symbol: Cell::new(0),
        })
    }

    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.chars == self.text.len()
    }

    /// Adds a text at the end.
    pub fn append(&mut self, more: &Str) {
        self.text.push_str(&more.text);
        self.chars += more.chars;
        self.hash = Cell::new(0);
        self.symbol = Cell::new(0);
    }

    /// The text's hash: fixed from run to run.
    #[inline(always)]
    pub fn hash(&self) -> u64 {
        match self.hash.get() {
            0 => self.compute_hash(),
            hash => hash,
        }
    }

    #[cold]
    fn compute_hash(&self) -> u64 {
        let hash = table::hash::bytes(self.text.as_bytes()) as u64;
        // Zero stands for unknown, and is the hash of the empty text as well.
        let hash = if hash == 0 && !self.text.is_empty() {
            1
        } else {
            hash
        };
        self.hash.set(hash);
        hash
    }

    /// The text as an interned name.
    pub fn symbol(&self) -> Symbol {
        match self.symbol.get() {
            0 => {
                let symbol = Symbol::new(&self.text);
                self.symbol.set(symbol.0 + 1);
                symbol
            }
            n => Symbol(n - 1),
        }
    }
}

impl PartialEq for Str {
    #[inline(always)]
    fn eq(&self, other: &Str) -> bool {
        std::ptr::eq(self, other) || self.text == other.text
    }
}

thread_local! {
    /// The strs of the ASCII characters.
    static ASCII: [Value; 128] = std::array::from_fn(|byte| Value::str(char::from(byte as u8).to_compact_string()));
}

/// The str of an ASCII character; the same object each time.
pub fn of_ascii(byte: u8) -> Value {
    ASCII.with(|strs| strs[byte as usize].clone())
}

thread_local! {
    /// One str value for each symbol that was ever shown to a script.
    static SYMBOLS: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// The str of a name; the same object each time.
pub fn of_symbol(symbol: Symbol) -> Value {
    SYMBOLS.with_borrow_mut(|strs| {
        let index = symbol.0 as usize;
        if strs.len() <= index {
            strs.resize_with(index + 1, Value::default);
        }
        if strs[index].is_unset() {
            let value = Value::from(symbol.text());
            if let Value::Str(str) = &value {
                str.symbol.set(symbol.0 + 1);
            }
            strs[index] = value;
        }
        strs[index].clone()
    })
}
