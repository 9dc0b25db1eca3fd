//! JSON text to values.
//!
//! Always true: places are bytes of the text at which a character begins; scripts are told them in
//! code points. Hooks run script code, which can change nothing that is looked at here.

use super::{DEEPEST, is_set, option};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class, class_name};
use crate::interp::{attribute, call, import, mapping, stack};
use crate::library::builtins::{function, functions};
use crate::source::Symbol;
use crate::text::{float, string};
use crate::value::*;
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// One reading of a text, with the decoder's options.
struct Scanner<'a> {
    document: &'a Ref<Str>,
    text: &'a str,
    /// Where it is.
    at: usize,
    /// How many arrays and objects are open.
    depth: usize,
    is_strict: bool,
    object_hook: Option<Value>,
    object_pairs_hook: Option<Value>,
    /// None for `float` itself.
    parse_float: Option<Value>,
    /// None for `int` itself.
    parse_int: Option<Value>,
    parse_constant: Value,
    /// The keys met before, by how they are written: each is one str.
    keys: FxHashMap<&'a str, Value>,
}

/// Words that stand for values.
const WORDS: &[(&str, Value)] = &[
    ("null", Value::None),
    ("true", Value::TRUE),
    ("false", Value::FALSE),
];

/// Words for numbers that JSON does not have.
const CONSTANTS: &[&str] = &["NaN", "Infinity", "-Infinity"];

impl<'a> Scanner<'a> {
    fn new(decoder: &Value, document: &'a Ref<Str>, at: usize) -> Res<Scanner<'a>> {
        let hook = |name: &str| option(decoder, name).map(|hook| hook.given().cloned());
        let own = |name: &str, builtin: Type| {
            let parse = option(decoder, name)?;
            let is_builtin = parse.is(&class(builtin).into());
            Ok((!is_builtin).then_some(parse))
        };
        Ok(Scanner {
            document,
            text: &document.text,
            at,
            depth: 0,
            is_strict: is_set(decoder, "strict")?,
            object_hook: hook("object_hook")?,
            object_pairs_hook: hook("object_pairs_hook")?,
            parse_float: own("parse_float", Type::Float)?,
            parse_int: own("parse_int", Type::Int)?,
            parse_constant: option(decoder, "parse_constant")?,
            keys: FxHashMap::default(),
        })
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes past a character if it is next.
    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    #[inline(always)]
    fn skip(&mut self) {
        self.at = after_space(self.text, self.at);
    }

    #[cold]
    fn error(&self, message: &str, at: usize) -> Raised {
        let place = string::index_of(self.text, at, self.document.is_ascii());
        decode_error(message, self.document, place)
    }

    fn value(&mut self) -> Res {
        match self.peek() {
            Some(b'"') => return self.string().map(Value::str),
            Some(b'[') => return self.nested(Scanner::array, "array"),
            Some(b'{') => return self.nested(Scanner::object, "object"),
            Some(b'-' | b'0'..=b'9') => {
                if let Some(number) = self.number()? {
                    return Ok(number);
                }
            }
            _ => {}
        }
        let rest = &self.text[self.at..];
        if let Some((word, value)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(value.clone());
        }
        if let Some(word) = CONSTANTS.iter().find(|word| rest.starts_with(**word)) {
            self.at += word.len();
            return call::call(&self.parse_constant, &[Value::from(*word)]);
        }
        Err(self.error("Expecting value", self.at))
    }

    /// What stands between brackets, of which the first is next.
    fn nested(&mut self, read: fn(&mut Self) -> Res, kind: &str) -> Res {
        let doing = || format!(" while decoding a JSON {kind} from a unicode string");
        if self.depth >= DEEPEST || stack::is_nearly_full() {
            return Err(stack::too_deep_in(&doing()));
        }
        self.depth += 1;
        self.at += 1;
        self.skip();
        let made = read(self);
        self.depth -= 1;
        made
    }

    fn array(&mut self) -> Res {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value()?);
            self.skip();
            if self.take(b']') {
                return Ok(Value::list(items));
            }
            self.comma(b']', "array")?;
        }
    }

    fn object(&mut self) -> Res {
        if let Some(hook) = self.object_pairs_hook.clone() {
            let mut pairs = Vec::new();
            self.pairs(|key, value| {
                pairs.push(Value::tuple([key, value]));
                Ok(())
            })?;
            return call::call(&hook, &[Value::list(pairs)]);
        }
        let dict = mapping::new_dict();
        self.pairs(|key, value| mapping::dict_set(&dict, &key, value))?;
        match &self.object_hook {
            Some(hook) => call::call(hook, &[dict.into()]),
            None => Ok(dict.into()),
        }
    }

    fn pairs(&mut self, mut add: impl FnMut(Value, Value) -> Res<()>) -> Res<()> {
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            self.skip();
            if !self.take(b':') {
                return Err(self.error("Expecting ':' delimiter", self.at));
            }
            self.skip();
            add(key, self.value()?)?;
            self.skip();
            if self.take(b'}') {
                return Ok(());
            }
            self.comma(b'}', "object")?;
        }
    }

    /// Goes past a comma, after which the end may not come.
    fn comma(&mut self, end: u8, kind: &str) -> Res<()> {
        let place = self.at;
        if !self.take(b',') {
            return Err(self.error("Expecting ',' delimiter", place));
        }
        self.skip();
        if self.peek() == Some(end) {
            return Err(self.error(&format!("Illegal trailing comma before end of {kind}"), place));
        }
        Ok(())
    }

    fn key(&mut self) -> Res {
        if self.peek() != Some(b'"') {
            return Err(self.error("Expecting property name enclosed in double quotes", self.at));
        }
        let begin = self.at;
        let text = self.string()?;
        let key = self
            .keys
            .entry(&self.text[begin..self.at])
            .or_insert_with(|| Value::str(text));
        Ok(key.clone())
    }

    /// The text of a string, whose opening quote is next.
    fn string(&mut self) -> Res<Cow<'a, str>> {
        let begin = self.at;
        self.at += 1;
        let mut whole = String::new();
        loop {
            let piece = self.plain();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if whole.is_empty() {
                        return Ok(piece.into());
                    }
                    whole.push_str(piece);
                    return Ok(whole.into());
                }
                Some(b'\\') => {
                    whole.push_str(piece);
                    whole.push(self.escape(begin)?);
                }
                Some(_) => return Err(self.error("Invalid control character at", self.at)),
                None => return Err(self.error("Unterminated string starting at", begin)),
            }
        }
    }

    /// Characters of a string that stand for themselves.
    fn plain(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| matches!(byte, b'"' | b'\\') || (*byte < b' ' && self.is_strict);
        let length = rest.as_bytes().iter().position(ends).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// The character that an escape stands for, whose backslash is next.
    fn escape(&mut self, string: usize) -> Res<char> {
        let place = self.at;
        let Some(kind) = self.text.as_bytes().get(place + 1) else {
            return Err(self.error("Unterminated string starting at", string));
        };
        self.at += 2;
        Ok(match kind {
            b'"' | b'\\' | b'/' => char::from(*kind),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error("Invalid \\escape", place)),
        })
    }

    /// The character of the digits after `\u`, perhaps with a second half after it.
    fn unicode_escape(&mut self) -> Res<char> {
        let mut code = self.four_digits()?;
        if (0xD800..0xDC00).contains(&code) && self.text[self.at..].starts_with("\\u") {
            let after_high = self.at;
            self.at += 2;
            match self.four_digits()? {
                low @ 0xDC00..0xE000 => code = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00),
                _ => self.at = after_high,
            }
        }
        functions::character(code)
    }

    fn four_digits(&mut self) -> Res<u32> {
        // As in CPython, digits that end the whole text are none: the closing quote lacks.
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|_| self.at + 4 < self.text.len());
        let Some(digits) = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())) else {
            return Err(self.error("Invalid \\uXXXX escape", self.at - 1));
        };
        self.at += 4;
        Ok(u32::from_str_radix(digits, 16).expect("four hexadecimal digits are a number"))
    }

    /// The number that is next, if it is one.
    fn number(&mut self) -> Res<Option<Value>> {
        let bytes = self.text.as_bytes();
        let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
        let digits = |at: usize| bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut end = self.at + usize::from(is(self.at, b"-"));
        let whole = if is(end, b"0") { 1 } else { digits(end) };
        if whole == 0 {
            return Ok(None);
        }
        end += whole;
        let mut is_int = true;
        if is(end, b".") && is(end + 1, b"0123456789") {
            end += 1 + digits(end + 1);
            is_int = false;
        }
        if is(end, b"eE") {
            let sign = usize::from(is(end + 1, b"+-"));
            if is(end + 1 + sign, b"0123456789") {
                end += 1 + sign + digits(end + 1 + sign);
                is_int = false;
            }
        }
        let text = &self.text[self.at..end];
        self.at = end;
        let made = match if is_int {
            &self.parse_int
        } else {
            &self.parse_float
        } {
            Some(parse) => call::call(parse, &[text.into()])?,
            None if is_int => match text.parse() {
                Ok(n) => Value::Int(n),
                Err(_) => call::call(&class(Type::Int).into(), &[text.into()])?,
            },
            None => Value::float(float::parse(text).unwrap_or(f64::NAN)),
        };
        Ok(Some(made))
    }
}

/// The first place from this one on that is no space.
#[inline(always)]
fn after_space(text: &str, at: usize) -> usize {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(is_space).count()
}

/// `JSONDecodeError(message, document, place)`
#[cold]
fn decode_error(message: &str, document: &Ref<Str>, place: usize) -> Raised {
    let make = || {
        let class = attribute::get(&import::by_name("json.decoder")?, Symbol::new("JSONDecodeError"))?;
        call::call(
            &class,
            &[message.into(), Value::from(document.clone()), place.into()],
        )
    };
    match make() {
        Ok(made) => match as_exception(&made) {
            Some(error) => Raised::new(error.clone()),
            None => value_error(message),
        },
        Err(raised) => raised,
    }
}

fn document(value: &Value) -> Res<&Ref<Str>> {
    as_str(value).ok_or_else(|| {
        type_error(format!(
            "first argument must be a string, not {}",
            class_name(value)
        ))
    })
}

fn scan(args: &[Value]) -> Res {
    let document = document(&args[1])?;
    let place = usize::try_from(small(&args[2])?).map_err(|_| value_error("idx cannot be negative"))?;
    if place > document.chars {
        return Err(decode_error("Expecting value", document, place));
    }
    let is_ascii = document.is_ascii();
    let mut scanner = Scanner::new(
        &args[0],
        document,
        string::byte_of(&document.text, place, is_ascii),
    )?;
    let value = scanner.value()?;
    let end = string::index_of(&document.text, scanner.at, is_ascii);
    Ok(Value::tuple([value, end.into()]))
}

fn skip(args: &[Value]) -> Res {
    let document = document(&args[0])?;
    let is_ascii = document.is_ascii();
    let at = string::byte_of(&document.text, small(&args[1])?.max(0) as usize, is_ascii);
    let end = after_space(&document.text, at);
    Ok(string::index_of(&document.text, end, is_ascii).into())
}

pub const FUNCTIONS: &[NativeDef] = &[
    function(
        "scan",
        "(decoder, text, idx, /)",
        "Return the value at a place in a text, and where it ends.",
        scan,
    ),
    function(
        "skip",
        "(text, idx, /)",
        "Return the first place from idx on that is no space.",
        skip,
    ),
];
