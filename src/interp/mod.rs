//! The interpreter: nodes and their evaluation, frames, calls, attributes, operators, text forms.

pub mod async_iter;
pub mod attribute;
pub mod big_range;
pub mod call;
pub mod class_body;
pub mod error;
pub mod group;
pub mod import;
pub mod isinstance;
pub mod iterate;
pub mod machine;
pub mod mapping;
pub mod namespace;
pub mod node;
pub mod operator;
pub mod os_error;
pub mod payload;
pub mod report;
pub mod special;
pub mod stack;
pub mod subscript;
pub mod suggest;
pub mod text;
pub mod traceback;
pub mod types;
pub mod unit;
