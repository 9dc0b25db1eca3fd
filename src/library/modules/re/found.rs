//! `re.Match`: what a pattern matched, and the text it did it in.

use super::pattern::{self, Pattern, code_point};
use super::template::Template;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::class_name;
use crate::interp::{isinstance, text};
use crate::library::builtins::{class_method, getter, method, readonly};
use crate::text::string;
use crate::value::*;
use std::rc::Rc;

pub const CLASS: &str = "re.Match";

/// The text that is searched.
pub struct Subject {
    /// As it was given.
    pub value: Value,
    /// Bytes one character each.
    pub text: Ref<Str>,
    is_text: bool,
    /// The part of it, in characters.
    pos: usize,
    endpos: usize,
}

impl Subject {
    pub fn new(value: &Value, is_text: bool, pos: &Value, endpos: &Value) -> Res<Subject> {
        let text = match (as_str(value), bytes_of(value)) {
            (Some(text), _) if is_text => text.clone(),
            (None, Some(bytes)) if !is_text => Str::new(bytes.iter().map(|&b| b as char).collect::<String>()),
            (Some(_), _) => return Err(type_error("cannot use a bytes pattern on a string-like object")),
            (_, Some(_)) => return Err(type_error("cannot use a string pattern on a bytes-like object")),
            (None, None) => {
                return Err(type_error(format!(
                    "expected string or bytes-like object, got '{}'",
                    class_name(value)
                )));
            }
        };
        let place = |value: &Value, default: usize| -> Res<usize> {
            if value.is_unset() {
                return Ok(default);
            }
            Ok((clamped(&index(value)?).max(0) as usize).min(text.chars))
        };
        let (pos, endpos) = (place(pos, 0)?, place(endpos, text.chars)?);
        Ok(Subject {
            value: value.clone(),
            is_text,
            pos,
            endpos,
            text,
        })
    }

    /// The part that is searched, in bytes.
    pub fn bounds(&self) -> (usize, usize) {
        let byte = |place| string::byte_of(&self.text.text, place, self.text.is_ascii());
        (byte(self.pos), byte(self.endpos))
    }

    /// A part of the text, given in bytes, as what was given: str or bytes.
    pub fn part(&self, start: usize, end: usize) -> Value {
        if start == 0 && end == self.text.text.len() && matches!(self.value, Value::Str(_) | Value::Bytes(_))
        {
            return self.value.clone();
        }
        whole(self.text.text[start..end].to_string(), self.is_text)
    }
}

/// A text as str, or as the bytes it stands for.
pub fn whole(text: String, is_text: bool) -> Value {
    if is_text {
        Value::from(text)
    } else {
        Ref::new(Bytes(text.chars().map(|c| c as u8).collect())).into()
    }
}

pub struct Found {
    pub pattern: Value,
    pub subject: Rc<Subject>,
    /// Where the groups stand, in bytes; the whole match first.
    pub places: Vec<Option<(usize, usize)>>,
}

fn this(value: &Value) -> Res<&Found> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("group", "re.Match", value))
}

impl Found {
    fn compiled(&self) -> Res<&Pattern> {
        pattern::this(&self.pattern)
    }

    fn part(&self, group: usize, default: &Value) -> Value {
        match self.places.get(group).copied().flatten() {
            Some((start, end)) => self.subject.part(start, end),
            None => default.clone(),
        }
    }

    fn group(&self, group: &Value) -> Res {
        Ok(self.part(self.compiled()?.group_index(group)?, &Value::None))
    }

    /// Where a group begins and ends, in characters; -1 if it did not match.
    fn span(&self, group: &Value) -> Res<(i64, i64)> {
        let group = if group.is_unset() {
            0
        } else {
            self.compiled()?.group_index(group)?
        };
        Ok(match self.places.get(group).copied().flatten() {
            Some((start, end)) => {
                let text = &self.subject.text;
                (code_point(text, start) as i64, code_point(text, end) as i64)
            }
            None => (-1, -1),
        })
    }
}

fn group(args: &[Value]) -> Res {
    let this = this(&args[0])?;
    let given = as_tuple(&args[1]).map(|t| t.items.to_vec()).unwrap_or_default();
    match given.as_slice() {
        [] => Ok(this.part(0, &Value::None)),
        [one] => this.group(one),
        many => Ok(Value::tuple(
            many.iter()
                .map(|group| this.group(group))
                .collect::<Res<Vec<_>>>()?,
        )),
    }
}

fn default(value: &Value) -> Value {
    if value.is_unset() {
        Value::None
    } else {
        value.clone()
    }
}

fn span(args: &[Value]) -> Res {
    let (start, end) = this(&args[0])?.span(&args[1])?;
    Ok(Value::tuple([Value::Int(start), Value::Int(end)]))
}

const GROUP: &str = "(self, group=0, /)";
const DEFAULT: &str = "(self, /, default=None)";

pub const METHODS: &[NativeDef] = &[
    method(
        "group",
        "(self, /, *groups)",
        "Return the texts of groups.",
        group,
    ),
    method(
        "__getitem__",
        "(self, key, /)",
        "Return the text of a group.",
        |args| this(&args[0])?.group(&args[1]),
    ),
    method("groups", DEFAULT, "Return the texts of all groups.", |args| {
        let (this, default) = (this(&args[0])?, default(&args[1]));
        let parts: Vec<Value> = (1..this.places.len()).map(|i| this.part(i, &default)).collect();
        Ok(Value::tuple(parts))
    }),
    method(
        "groupdict",
        DEFAULT,
        "Return the texts of the named groups.",
        |args| {
            let (this, default) = (this(&args[0])?, default(&args[1]));
            Ok(pattern::dict_of_groups(this.compiled()?, |i| {
                this.part(i, &default)
            }))
        },
    ),
    method("start", GROUP, "Return where a group begins.", |args| {
        Ok(Value::Int(this(&args[0])?.span(&args[1])?.0))
    }),
    method("end", GROUP, "Return where a group ends.", |args| {
        Ok(Value::Int(this(&args[0])?.span(&args[1])?.1))
    }),
    method("span", GROUP, "Return where a group begins and ends.", span),
    method(
        "expand",
        "(self, /, template)",
        "Return a template with the groups filled in.",
        |args| {
            let this = this(&args[0])?;
            let compiled = this.compiled()?;
            let mut out = String::new();
            Template::parse(&args[1], compiled)?.expand(&this.subject.text.text, &this.places, &mut out);
            Ok(whole(out, compiled.is_text))
        },
    ),
    method("__copy__", "(self, /)", "The match itself.", |args| {
        Ok(args[0].clone())
    }),
    method("__deepcopy__", "(self, memo, /)", "The match itself.", |args| {
        Ok(args[0].clone())
    }),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let this = this(&args[0])?;
        let (start, end) = this.span(&Value::Unset)?;
        let shown: String = text::repr(&this.part(0, &Value::None))?
            .chars()
            .take(50)
            .collect();
        Ok(Value::from(format!(
            "<re.Match object; span=({start}, {end}), match={shown}>"
        )))
    }),
    class_method("__class_getitem__", "(cls, item, /)", "See PEP 585.", |args| {
        Ok(isinstance::generic_alias(&args[0], &args[1]))
    }),
    readonly("string"),
    getter("string", "The text that was searched.", |args| {
        Ok(this(&args[0])?.subject.value.clone())
    }),
    getter("re", "The pattern.", |args| Ok(this(&args[0])?.pattern.clone())),
    readonly("pos"),
    getter("pos", "Where the search began.", |args| {
        Ok(Value::from(this(&args[0])?.subject.pos))
    }),
    getter("endpos", "Where the search ended.", |args| {
        Ok(Value::from(this(&args[0])?.subject.endpos))
    }),
    getter(
        "lastindex",
        "The number of the group that was closed last.",
        |args| {
            let this = this(&args[0])?;
            Ok(this
                .compiled()?
                .last_group(&this.places)
                .map_or(Value::None, Value::from))
        },
    ),
    getter(
        "lastgroup",
        "The name of the group that was closed last.",
        |args| {
            let this = this(&args[0])?;
            let compiled = this.compiled()?;
            let name = compiled
                .last_group(&this.places)
                .and_then(|i| compiled.groups[i - 1].name.as_deref());
            Ok(name.map_or(Value::None, Value::from))
        },
    ),
    getter("regs", "Where the groups stand.", |args| {
        let this = this(&args[0])?;
        let spans = (0..this.places.len()).map(|i| span(&[args[0].clone(), Value::from(i)]));
        Ok(Value::tuple(spans.collect::<Res<Vec<_>>>()?))
    }),
];
