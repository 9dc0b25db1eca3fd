//! Values to JSON text.

use super::{DEEPEST, is_set, option};
use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::class_name;
use crate::interp::{call, iterate, mapping, operator, special, stack, text};
use crate::library::builtins::{function, sort, wrong_argument};
use crate::source::{Symbol, name};
use crate::text::float;
use crate::value::*;

/// One writing of a value, with the encoder's options.
struct Writer<'a> {
    /// Whose `default` is asked for values that JSON does not know.
    encoder: &'a Value,
    is_ascii: bool,
    allows_nan: bool,
    sorts_keys: bool,
    skips_keys: bool,
    /// What a line begins with, once for each level; None for all in one line.
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    /// The containers that are being written; None if nobody wants to know of circles.
    open: Option<Vec<Value>>,
    depth: usize,
    /// The text, or of one in pieces what is in no piece yet.
    out: String,
    pieces: Option<&'a Ref<List>>,
}

impl<'a> Writer<'a> {
    fn new(encoder: &'a Value, pieces: Option<&'a Ref<List>>) -> Res<Writer<'a>> {
        let separator = |name: &str, place: usize| {
            let value = option(encoder, name)?;
            let text = text_of(&value).map(str::to_string);
            text.ok_or_else(|| wrong_argument(&format!("make_encoder() argument {place}"), "str", &value))
        };
        let key_separator = separator("key_separator", 5)?;
        let indent = match option(encoder, "indent")? {
            Value::None => None,
            indent if as_str(&indent).is_some() => Some(indent),
            count => Some(operator::binary(BinaryOp::Mul, &Value::from(" "), &count)?),
        };
        Ok(Writer {
            encoder,
            is_ascii: is_set(encoder, "ensure_ascii")?,
            allows_nan: is_set(encoder, "allow_nan")?,
            sorts_keys: is_set(encoder, "sort_keys")?,
            skips_keys: is_set(encoder, "skipkeys")?,
            indent: indent.map(|step| text_of(&step).unwrap_or("").to_string()),
            item_separator: separator("item_separator", 6)?,
            key_separator,
            open: is_set(encoder, "check_circular")?.then(Vec::new),
            depth: 0,
            out: String::new(),
            pieces,
        })
    }

    /// A piece of the text ends here.
    fn cut(&mut self) {
        if let Some(pieces) = self.pieces
            && !self.out.is_empty()
        {
            pieces.push(Value::str(&*self.out));
            self.out.clear();
        }
    }

    fn new_line(&mut self) {
        if let Some(step) = &self.indent {
            self.out.push('\n');
            for _ in 0..self.depth {
                self.out.push_str(step);
            }
        }
    }

    fn write(&mut self, value: &Value) -> Res<()> {
        if self.write_atom(value)? {
            self.cut();
            return Ok(());
        }
        self.cut();
        if let Some(open) = &mut self.open {
            if open.iter().any(|container| container.is(value)) {
                return Err(value_error("Circular reference detected"));
            }
            open.push(value.clone());
        }
        if self.depth >= DEEPEST || stack::is_nearly_full() {
            return Err(stack::too_deep_in(" while encoding a JSON object"));
        }
        match plain(value) {
            Value::List(_) | Value::Tuple(_) if special::find(value, name::ITER).is_some() => {
                let items = iterate::collect(&iterate::iter(value)?)?;
                self.write_array(|place| items.get(place).cloned())?;
            }
            Value::List(list) => self.write_array(|place| list.get(place))?,
            Value::Tuple(tuple) => self.write_array(|place| tuple.items.get(place).cloned())?,
            Value::Dict(dict) => self.write_object(value, dict)?,
            _ => {
                let stand_in =
                    call::call_method(self.encoder, Symbol::new("default"), std::slice::from_ref(value))?;
                self.write(&stand_in)?;
            }
        }
        if let Some(open) = &mut self.open {
            open.pop();
        }
        Ok(())
    }

    /// Writes a value without parts; false if it is none.
    fn write_atom(&mut self, value: &Value) -> Res<bool> {
        match plain(value) {
            Value::None => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if b.get() { "true" } else { "false" }),
            Value::Str(text) => write_text(&text.text, self.is_ascii, &mut self.out),
            Value::Int(_) | Value::Big(_) => text::write_plain(value, &mut self.out)?,
            Value::Float(x) if x.get().is_finite() => self.out.push_str(&float::repr(x.get())),
            Value::Float(x) if self.allows_nan => self.out.push_str(match x.get() {
                x if x.is_nan() => "NaN",
                x if x > 0.0 => "Infinity",
                _ => "-Infinity",
            }),
            Value::Float(_) => {
                return Err(value_error(format!(
                    "Out of range float values are not JSON compliant: {}",
                    text::repr(value)?
                )));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn write_array(&mut self, item: impl Fn(usize) -> Option<Value>) -> Res<()> {
        let Some(mut next) = item(0) else {
            self.out.push_str("[]");
            self.cut();
            return Ok(());
        };
        self.out.push('[');
        self.depth += 1;
        let mut place = 0;
        loop {
            self.new_line();
            self.write(&next)?;
            place += 1;
            match item(place) {
                Some(item) => next = item,
                None => break,
            }
            self.out.push_str(&self.item_separator);
        }
        self.close(']');
        Ok(())
    }

    fn write_object(&mut self, value: &Value, dict: &Dict) -> Res<()> {
        if dict.is_empty() {
            self.out.push_str("{}");
            self.cut();
            return Ok(());
        }
        let mut entries = match value {
            Value::Dict(_) => mapping::entries(dict),
            _ => own_entries(value)?,
        };
        if self.sorts_keys {
            sort::sort_pairs(&mut entries, false)?;
        }
        self.out.push('{');
        self.cut();
        self.depth += 1;
        self.new_line();
        self.cut();
        let mut is_first = true;
        for (key, value) in &entries {
            if !self.is_key(key)? {
                continue;
            }
            if !is_first {
                self.out.push_str(&self.item_separator);
                self.new_line();
                self.cut();
            }
            is_first = false;
            self.write_key(key)?;
            self.cut();
            self.out.push_str(&self.key_separator);
            self.cut();
            self.write(value)?;
        }
        self.close('}');
        Ok(())
    }

    fn close(&mut self, bracket: char) {
        self.depth -= 1;
        self.new_line();
        self.cut();
        self.out.push(bracket);
        self.cut();
    }

    /// Whether a key can be written; if not, it has to be one to skip.
    fn is_key(&self, key: &Value) -> Res<bool> {
        match plain(key) {
            Value::Str(_)
            | Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Big(_)
            | Value::Float(_) => Ok(true),
            _ if self.skips_keys => Ok(false),
            _ => Err(type_error(format!(
                "keys must be str, int, float, bool or None, not {}",
                class_name(key)
            ))),
        }
    }

    fn write_key(&mut self, key: &Value) -> Res<()> {
        let quote = if as_str(key).is_some() { "" } else { "\"" };
        self.out.push_str(quote);
        self.write_atom(key)?;
        self.out.push_str(quote);
        Ok(())
    }
}

/// The entries of an instance of a subclass of dict, which may say itself what they are.
fn own_entries(value: &Value) -> Res<Vec<(Value, Value)>> {
    let items = call::call_method(value, Symbol::new("items"), &[])?;
    let mut entries = Vec::new();
    iterate::for_each(&items, |item| {
        let pair: Result<[Value; 2], _> = iterate::unpack(&item, 2)?.try_into();
        entries.extend(pair.map(|[key, value]| (key, value)));
        Ok(())
    })?;
    Ok(entries)
}

/// Writes a text in quotes; with `is_ascii`, all that is not printable ASCII is escaped.
fn write_text(text: &str, is_ascii: bool, out: &mut String) {
    let last = if is_ascii { b'~' } else { u8::MAX };
    let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\' || byte > last;
    out.push('"');
    let mut rest = text;
    // Bytes of longer characters are special together or not at all.
    while let Some(place) = rest.bytes().position(is_special) {
        out.push_str(&rest[..place]);
        let mut chars = rest[place..].chars();
        if let Some(c) = chars.next() {
            escape(c, out);
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn escape(c: char, out: &mut String) {
    use std::fmt::Write;
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

fn quoted(args: &[Value], is_ascii: bool) -> Res {
    let Some(text) = text_of(&args[0]) else {
        return Err(type_error(format!(
            "first argument must be a string, not {}",
            class_name(&args[0])
        )));
    };
    let mut out = String::new();
    write_text(text, is_ascii, &mut out);
    Ok(out.into())
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "text",
        "(encoder, value, /)",
        "Return the JSON text of a value.",
        |args| {
            let mut writer = Writer::new(&args[0], None)?;
            writer.write(&args[1])?;
            Ok(writer.out.into())
        },
    ),
    function(
        "pieces",
        "(encoder, value, pieces, /)",
        "Add the JSON text of a value to a list, in pieces.",
        |args| {
            let pieces = as_list(&args[2]);
            Writer::new(&args[0], pieces)?.write(&args[1])?;
            Ok(Value::None)
        },
    ),
    function(
        "encode_basestring",
        "(text, /)",
        "Return a text as JSON.",
        |args| quoted(args, false),
    ),
    function(
        "encode_basestring_ascii",
        "(text, /)",
        "Return a text as JSON in ASCII.",
        |args| quoted(args, true),
    ),
];
