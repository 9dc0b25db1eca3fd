//! Text: numbers and strings as Python writes, reads and takes them apart.
//!
//! Plain Rust types in, plain types out: nothing here knows a value or an exception. Where Python raises, a
//! function answers with the message, and its doc says which exception carries it.

pub mod bytes;
pub mod codec;
mod codec_escape;
pub mod float;
pub mod format;
pub mod int;
pub mod string;
pub mod unicode;
mod unicode_tables;
