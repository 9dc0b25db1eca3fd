//! Templates of `str.format` (Python docs, "Format String Syntax"), read piece by piece.

use super::spec::{append_digit, shown};
use crate::text::unicode;
use std::borrow::Cow;

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text to copy; `{{` and `}}` are single already.
    Literal(&'a str),
    /// `{name!conversion:spec}`
    Field(Field<'a>),
}

/// A replacement field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// `0.name[key]`, as written.
    pub name: &'a str,
    /// The letter after `!`; only `r`, `s` and `a` mean something (see [`unknown_conversion`]).
    pub conversion: Option<char>,
    /// The text after `:`.
    pub spec: &'a str,
    /// Whether `spec` holds fields itself: it is then a template, read with the same [`Numbering`], and
    /// fields within that are one level too deep ("Max string recursion exceeded").
    pub nested: bool,
}

/// The pieces of a template; an error is a ValueError's message and ends it.
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    rest: &'a str,
}

/// Reads a template.
pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest;
        if text.is_empty() {
            return None;
        }
        let piece = match text.find(['{', '}']) {
            None => {
                self.rest = "";
                Ok(Piece::Literal(text))
            }
            Some(place) => {
                let after = &text[place + 1..];
                let open = text.as_bytes()[place] == b'{';
                if after.is_empty() {
                    let brace = if open { '{' } else { '}' };
                    Err(format!("Single '{brace}' encountered in format string"))
                } else if after.as_bytes()[0] == text.as_bytes()[place] {
                    self.rest = &after[1..];
                    Ok(Piece::Literal(&text[..=place]))
                } else if !open {
                    Err("Single '}' encountered in format string".to_string())
                } else if place > 0 {
                    self.rest = &text[place..];
                    Ok(Piece::Literal(&text[..place]))
                } else {
                    field(after).map(|(field, rest)| {
                        self.rest = rest;
                        Piece::Field(field)
                    })
                }
            }
        };
        if piece.is_err() {
            self.rest = "";
        }
        Some(piece)
    }
}

/// Reads a field after its brace; gives it and what follows.
fn field(text: &str) -> Result<(Field<'_>, &str), String> {
    const UNMATCHED: &str = "unmatched '{' in format spec";
    let mut bracketed = false;
    let end = text.char_indices().find(|(_, c)| match c {
        '[' => {
            bracketed = true;
            false
        }
        ']' => {
            bracketed = false;
            false
        }
        '{' | '}' | ':' | '!' => !bracketed,
        _ => false,
    });
    let Some((end, mark)) = end else {
        return Err("expected '}' before end of string".to_string());
    };
    let (name, mut rest) = (&text[..end], &text[end + 1..]);
    let mut field = Field {
        name,
        conversion: None,
        spec: "",
        nested: false,
    };
    match mark {
        '{' => return Err("unexpected '{' in field name".to_string()),
        '}' => return Ok((field, rest)),
        '!' => {
            let mut chars = rest.chars();
            field.conversion = chars.next();
            if field.conversion.is_none() {
                return Err("end of string while looking for conversion specifier".to_string());
            }
            let after = chars.next();
            rest = chars.as_str();
            match after {
                None => return Err(UNMATCHED.to_string()),
                Some('}') => return Ok((field, rest)),
                Some(':') => {}
                Some(_) => return Err("expected ':' after conversion specifier".to_string()),
            }
        }
        _ => {}
    }
    let mut depth = 1;
    for (place, byte) in rest.bytes().enumerate() {
        match byte {
            b'{' => {
                field.nested = true;
                depth += 1;
            }
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            field.spec = &rest[..place];
            return Ok((field, &rest[place + 1..]));
        }
    }
    Err(UNMATCHED.to_string())
}

/// The message of the ValueError for a conversion other than `r`, `s` and `a`.
pub fn unknown_conversion(conversion: char) -> String {
    format!("Unknown conversion specifier {}", shown(conversion))
}

/// Which argument a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument<'a> {
    Position(usize),
    Keyword(&'a str),
}

/// The count of `{}` fields; one for a template and the specs nested in it.
#[derive(Debug, Clone, Copy, Default)]
pub enum Numbering {
    #[default]
    Undecided,
    /// `{}`; the next position.
    Automatic(usize),
    /// `{0}`
    Manual,
}

/// The argument a field's name begins with, and the path that follows it.
pub fn split(name: &str) -> Result<(Argument<'_>, Path<'_>), String> {
    let (first, rest) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
    let argument = number(first)?.map_or(Argument::Keyword(first), Argument::Position);
    Ok((argument, Path { rest }))
}

impl Numbering {
    /// See [`split`]; an empty name is the next number.
    pub fn argument<'a>(&mut self, name: &'a str) -> Result<(Argument<'a>, Path<'a>), String> {
        let (argument, path) = split(name)?;
        match (*self, argument) {
            (Self::Undecided | Self::Automatic(_), Argument::Keyword("")) => {
                let position = if let Self::Automatic(next) = *self {
                    next
                } else {
                    0
                };
                *self = Self::Automatic(position + 1);
                Ok((Argument::Position(position), path))
            }
            (Self::Manual, Argument::Keyword("")) => {
                Err("cannot switch from manual field specification to automatic field numbering".to_string())
            }
            (Self::Automatic(_), Argument::Position(_)) => {
                Err("cannot switch from automatic field numbering to manual field specification".to_string())
            }
            (_, Argument::Position(position)) => {
                *self = Self::Manual;
                Ok((Argument::Position(position), path))
            }
            (_, argument) => Ok((argument, path)),
        }
    }
}

/// The number a text of digits alone stands for.
fn number(text: &str) -> Result<Option<usize>, String> {
    let mut value = None;
    for c in text.chars() {
        match unicode::decimal(c) {
            Some(digit) => value = Some(append_digit(value.unwrap_or(0), digit)?),
            None => return Ok(None),
        }
    }
    Ok(value)
}

/// One step from an argument to the value that is formatted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// `.name`
    Attribute(&'a str),
    /// `[0]`
    Index(usize),
    /// `[key]`
    Key(&'a str),
}

/// The steps after the argument; an error is a ValueError's message and ends it.
#[derive(Debug, Clone)]
pub struct Path<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Path<'a> {
    type Item = Result<Step<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest;
        self.rest = "";
        let empty = || Some(Err("Empty attribute in format string".to_string()));
        if let Some(after) = text.strip_prefix('.') {
            let (name, rest) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
            if name.is_empty() {
                return empty();
            }
            self.rest = rest;
            return Some(Ok(Step::Attribute(name)));
        }
        let Some(after) = text.strip_prefix('[') else {
            return (!text.is_empty())
                .then(|| Err("Only '.' or '[' may follow ']' in format field specifier".to_string()));
        };
        let Some((key, rest)) = after.split_once(']') else {
            return Some(Err("Missing ']' in format string".to_string()));
        };
        if key.is_empty() {
            return empty();
        }
        self.rest = rest;
        Some(number(key).map(|index| index.map_or(Step::Key(key), Step::Index)))
    }
}

/// A template with `{{` and `}}` made single and no fields, if that is all it is: a fast path for constant
/// text.
pub fn literal(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['{', '}']) {
        return Some(Cow::Borrowed(text));
    }
    let mut whole = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Ok(Piece::Literal(part)) => whole.push_str(part),
            _ => return None,
        }
    }
    Some(Cow::Owned(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_apart() {
        let read: Vec<_> = pieces("a{{{0.x[k][1]!r:>{w}}}}").map(Result::unwrap).collect();
        assert_eq!(read[0], Piece::Literal("a{"));
        let Piece::Field(field) = &read[1] else {
            panic!("a field")
        };
        assert_eq!(
            (field.name, field.conversion, field.spec, field.nested),
            ("0.x[k][1]", Some('r'), ">{w}", true)
        );
        assert_eq!(read[2], Piece::Literal("}"));
        let (argument, path) = Numbering::default().argument(field.name).unwrap();
        assert_eq!(argument, Argument::Position(0));
        let steps: Vec<_> = path.map(Result::unwrap).collect();
        assert_eq!(steps, [Step::Attribute("x"), Step::Key("k"), Step::Index(1)]);
    }

    #[test]
    fn numbering_does_not_switch() {
        let mut numbering = Numbering::default();
        assert_eq!(numbering.argument("").unwrap().0, Argument::Position(0));
        assert_eq!(numbering.argument("").unwrap().0, Argument::Position(1));
        assert!(numbering.argument("0").is_err());
        assert_eq!(numbering.argument("name").unwrap().0, Argument::Keyword("name"));
    }
}
