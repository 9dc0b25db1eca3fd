//! The three formatting languages: format specs, `str.format` templates, `%` templates.
//!
//! Always true: parsers read, formatters write, and neither looks up an argument; templates are read piece by
//! piece, since Python reports a slip only when the pieces before it have been written.

pub mod number;
pub mod percent;
pub mod spec;
pub mod template;

pub use number::{format_float, format_int, format_str};
pub use spec::FormatSpec;

/// Why a formatting failed, by the exception that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatError {
    /// A ValueError.
    Value(String),
    /// An OverflowError.
    Overflow(&'static str),
    /// A MemoryError: a width or precision beyond what any string can hold.
    Memory,
}

/// A text this wide is refused: it would take all the memory there is.
const WIDEST: usize = 1 << 31;
