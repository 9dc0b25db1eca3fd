//! Views of programs and runs, made from `Code` and from `Instrument` events.

pub mod trace;
