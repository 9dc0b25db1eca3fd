//! Views of programs and runs, made from `Code` and from `Instrument` events.

pub mod lint;
pub mod standing;
pub mod trace;
