//! f-strings.

use super::*;
use crate::code::{Conversion, Part};
use crate::interp::text;
use std::cell::Cell;
use std::fmt::Write;

struct FString {
    parts: Box<[PartNode]>,
    span: Span,
}

enum PartNode {
    Text(Box<str>),
    Field {
        value: NodeBox,
        conversion: Option<Conversion>,
        spec: Option<Box<[PartNode]>>,
        span: Span,
    },
}

impl Node for FString {
    fn eval(&self, frame: &mut Frame) -> Res {
        // A nested f-string finds the buffer taken and begins with an empty one.
        let mut out = BUFFER.take();
        let written = write_parts(&self.parts, frame, &mut out).at(self.span);
        let result = written.map(|()| Value::str(out.as_str()));
        if out.capacity() <= BUFFER_KEPT {
            out.clear();
            BUFFER.set(out);
        }
        result
    }
}

/// The largest buffer that is kept, in bytes.
const BUFFER_KEPT: usize = 1 << 16;

thread_local! {
    /// What an f-string is written to before its length is known.
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

fn write_parts(parts: &[PartNode], frame: &mut Frame, out: &mut String) -> Res<()> {
    for part in parts {
        match part {
            PartNode::Text(text) => out.push_str(text),
            PartNode::Field {
                value,
                conversion,
                spec,
                span,
            } => {
                let value = value.eval(frame)?;
                let value = match conversion {
                    None => value,
                    Some(Conversion::Str) => text::str_value(&value).at(*span)?,
                    Some(Conversion::Repr) => text::repr_value(&value).at(*span)?,
                    Some(Conversion::Ascii) => text::ascii_value(&value).at(*span)?,
                };
                match (spec, &value) {
                    (None, Value::Str(s)) => out.push_str(&s.text),
                    (None, Value::Int(n)) => write!(out, "{n}").expect("writing to a string works"),
                    (None, value) => out.push_str(&text::format(value, "").at(*span)?),
                    (Some(spec), value) => {
                        if let [PartNode::Text(spec)] = &**spec {
                            out.push_str(&text::format(value, spec).at(*span)?);
                        } else {
                            let mut text = String::new();
                            write_parts(spec, frame, &mut text)?;
                            out.push_str(&text::format(value, &text).at(*span)?);
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

impl Builder<'_> {
    pub fn fstring(&self, parts: &[Part], span: Span) -> NodeBox {
        Box::new(FString {
            parts: self.parts(parts),
            span,
        })
    }

    fn parts(&self, parts: &[Part]) -> Box<[PartNode]> {
        parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => PartNode::Text((**text).into()),
                Part::Field {
                    value,
                    conversion,
                    spec,
                    span,
                } => PartNode::Field {
                    span: *span,
                    value: self.node(value),
                    conversion: *conversion,
                    spec: spec.as_ref().map(|s| self.parts(s)),
                },
            })
            .collect()
    }
}
