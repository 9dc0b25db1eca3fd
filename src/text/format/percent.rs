//! Templates of the `%` operator (Python docs, "printf-style String Formatting"), read piece by piece.

use super::number::{code_point, truncate};
use super::{FormatError, WIDEST};
use crate::text::float::{self, Layout, Style};
use crate::text::int::{self, Int};
use std::borrow::Cow;

/// What is said of a key without an end.
pub const UNFINISHED_KEY: &str = "incomplete format key";

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text to copy; `%%` is single already.
    Literal(&'a str),
    /// `%(key)-10.3f`
    Field(Field<'a>),
}

/// A number in a field, or `*` for the next argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Given(usize),
    Star,
}

/// The flags after `%`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// `-`
    pub left: bool,
    /// `+`
    pub plus: bool,
    /// A space.
    pub space: bool,
    /// `#`
    pub alternate: bool,
    /// `0`
    pub zero: bool,
}

/// A conversion specifier. Its arguments come in the order width, precision, value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    pub key: Option<&'a str>,
    pub flags: Flags,
    pub width: Option<Count>,
    pub precision: Option<Count>,
    /// Any character: once the value is fetched, one that is not [`is_supported`] is an error.
    pub conversion: char,
    /// The template before the conversion.
    before: &'a str,
}

/// The conversions there are.
pub fn is_supported(conversion: char) -> bool {
    "diouxXeEfFgGcrsa".contains(conversion)
}

impl Field<'_> {
    /// The message of the ValueError for a conversion that is not supported.
    pub fn unsupported(&self) -> String {
        let shown = if matches!(self.conversion, ' '..='\x7f') {
            self.conversion
        } else {
            '?'
        };
        let code = self.conversion as u32;
        format!(
            "unsupported format character '{shown}' ({code:#x}) at index {}",
            self.before.chars().count()
        )
    }

    /// Whether it says nothing about the layout.
    pub fn is_bare(&self) -> bool {
        self.width.is_none() && self.precision.is_none() && self.flags == Flags::default()
    }

    /// The layout once the stars have their arguments: a negative width aligns left, a negative precision
    /// is 0.
    pub fn layout(&self, star_width: i64, star_precision: i64) -> Conversion {
        let mut flags = self.flags;
        let width = match self.width {
            None => 0,
            Some(Count::Given(width)) => width,
            Some(Count::Star) => {
                flags.left |= star_width < 0;
                star_width.unsigned_abs() as usize
            }
        };
        let precision = self.precision.map(|precision| match precision {
            Count::Given(precision) => precision,
            Count::Star => star_precision.max(0) as usize,
        });
        Conversion {
            flags,
            width,
            precision,
            letter: self.conversion,
        }
    }
}

/// The pieces of a template; an error is a ValueError's message and ends it.
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    text: &'a str,
    place: usize,
    /// The key of the field that was read last, or that the mistake is in.
    pub key: Option<&'a str>,
}

/// Reads a template.
pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces {
        text,
        place: 0,
        key: None,
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.text[self.place..];
        if rest.is_empty() {
            return None;
        }
        match memchr::memchr(b'%', rest.as_bytes()) {
            Some(0) if rest[1..].starts_with('%') => {
                self.place += 2;
                Some(Ok(Piece::Literal("%")))
            }
            Some(0) => {
                self.place += 1;
                let field = self.field();
                if field.is_err() {
                    self.place = self.text.len();
                }
                Some(field.map(Piece::Field))
            }
            found => {
                let end = found.unwrap_or(rest.len());
                self.place += end;
                Some(Ok(Piece::Literal(&rest[..end])))
            }
        }
    }
}

impl<'a> Pieces<'a> {
    /// Reads a field after its `%`.
    fn field(&mut self) -> Result<Field<'a>, String> {
        self.key = None;
        if self.take('(') {
            self.key = Some(self.key()?);
        }
        let key = self.key;
        let mut flags = Flags::default();
        loop {
            match self.peek() {
                Some('-') => flags.left = true,
                Some('+') => flags.plus = true,
                Some(' ') => flags.space = true,
                Some('#') => flags.alternate = true,
                Some('0') => flags.zero = true,
                _ => break,
            }
            self.place += 1;
        }
        let width = if self.take('*') {
            Some(Count::Star)
        } else {
            self.number(i64::MAX as usize, "width too big")?.map(Count::Given)
        };
        let precision = if !self.take('.') {
            None
        } else if self.take('*') {
            Some(Count::Star)
        } else {
            let number = self.number(i32::MAX as usize, "precision too big")?;
            Some(Count::Given(number.unwrap_or(0)))
        };
        // A length modifier means nothing.
        let _ = self.take('h') || self.take('l') || self.take('L');
        let Some(conversion) = self.peek() else {
            return Err("incomplete format".to_string());
        };
        let before = &self.text[..self.place];
        self.place += conversion.len_utf8();
        Ok(Field {
            key,
            flags,
            width,
            precision,
            conversion,
            before,
        })
    }

    /// The key up to its closing parenthesis; parentheses within it are balanced.
    fn key(&mut self) -> Result<&'a str, String> {
        let rest = &self.text[self.place..];
        let mut depth = 1;
        for (place, byte) in rest.bytes().enumerate() {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.place += place + 1;
                return Ok(&rest[..place]);
            }
        }
        Err(UNFINISHED_KEY.to_string())
    }

    fn peek(&self) -> Option<char> {
        match self.text.as_bytes().get(self.place)? {
            byte if byte.is_ascii() => Some(char::from(*byte)),
            _ => self.text[self.place..].chars().next(),
        }
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.place += usize::from(found);
        found
    }

    fn number(&mut self, most: usize, message: &str) -> Result<Option<usize>, String> {
        let mut number: Option<usize> = None;
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            self.place += 1;
            let tens = number.unwrap_or(0).checked_mul(10);
            let longer = tens.and_then(|tens| tens.checked_add(usize::from(digit as u8 - b'0')));
            number = Some(
                longer
                    .filter(|number| *number <= most)
                    .ok_or_else(|| message.to_string())?,
            );
        }
        Ok(number)
    }
}

/// How one value is written: the field without key and stars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    pub flags: Flags,
    pub width: usize,
    pub precision: Option<usize>,
    pub letter: char,
}

impl Conversion {
    /// `%s`, `%r`, `%a`: text that the caller made of the value, cut to the precision.
    pub fn text(&self, text: &str) -> Result<String, FormatError> {
        let text = self.precision.map_or(text, |precision| truncate(text, precision));
        self.fill("", text, false)
    }

    /// `%c` of a one-character str.
    pub fn character(&self, c: char) -> Result<String, FormatError> {
        self.fill("", c.encode_utf8(&mut [0; 4]), false)
    }

    /// `%c` of an int.
    pub fn code_point(&self, value: &Int) -> Result<String, FormatError> {
        self.character(code_point(value).ok_or(FormatError::Overflow("%c arg not in range(0x110000)"))?)
    }

    /// `%d`, `%i`, `%u`, `%o`, `%x`, `%X` of an int.
    pub fn integer(&self, value: &Int) -> Result<String, FormatError> {
        let (base, prefix) = match self.letter {
            'o' => (8, "0o"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let text = if base == 10 {
            int::to_decimal(value).ok_or_else(|| FormatError::Value(int::too_long_to_write()))?
        } else {
            int::to_base(value, base, "")
        };
        let mut digits = Cow::Borrowed(text.strip_prefix('-').unwrap_or(&text));
        if self.letter == 'X' {
            digits = Cow::Owned(digits.to_ascii_uppercase());
        }
        if let Some(missing) = self.precision.and_then(|least| least.checked_sub(digits.len())) {
            if missing > WIDEST {
                return Err(FormatError::Memory);
            }
            digits = Cow::Owned("0".repeat(missing) + &digits);
        }
        let sign = self.sign(value.is_negative());
        match self.flags.alternate {
            true => self.fill(&format!("{sign}{prefix}"), &digits, true),
            false => self.fill(sign, &digits, true),
        }
    }

    /// `%e`, `%f`, `%g` and their capitals of a float.
    pub fn real(&self, value: f64) -> Result<String, FormatError> {
        let layout = match self.letter {
            'e' | 'E' => Layout::Exponent,
            'f' | 'F' => Layout::Fixed,
            _ => Layout::General,
        };
        let style = Style {
            alternate: self.flags.alternate,
            upper: self.letter.is_ascii_uppercase(),
            ..Style::default()
        };
        let precision = self.precision.unwrap_or(6);
        if precision > i32::MAX as usize {
            return Err(FormatError::Value("precision too big".to_string()));
        }
        let digits = float::digits(value, layout, precision, style);
        self.fill(
            self.sign(value.is_sign_negative() && !value.is_nan()),
            &digits,
            true,
        )
    }

    fn sign(&self, negative: bool) -> &'static str {
        match self.flags {
            _ if negative => "-",
            Flags { plus: true, .. } => "+",
            Flags { space: true, .. } => " ",
            _ => "",
        }
    }

    /// Fills up to the width; `0` fills numbers between sign and digits.
    fn fill(&self, sign: &str, text: &str, numeric: bool) -> Result<String, FormatError> {
        if self.width > WIDEST {
            return Err(FormatError::Memory);
        }
        let length = sign.len()
            + if text.is_ascii() {
                text.len()
            } else {
                text.chars().count()
            };
        let missing = self.width.saturating_sub(length);
        if missing == 0 {
            return Ok([sign, text].concat());
        }
        let fill = |c: &str| c.repeat(missing);
        Ok(if self.flags.left {
            format!("{sign}{text}{}", fill(" "))
        } else if numeric && self.flags.zero {
            format!("{sign}{}{text}", fill("0"))
        } else {
            format!("{}{sign}{text}", fill(" "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> Field<'_> {
        match pieces(text).next() {
            Some(Ok(Piece::Field(field))) => field,
            other => panic!("not a field: {other:?}"),
        }
    }

    #[test]
    fn fields_are_taken_apart() {
        let found = field("%(a(b))-+*.3ld");
        assert_eq!(found.key, Some("a(b)"));
        assert!(found.flags.left && found.flags.plus && !found.flags.zero);
        assert_eq!(
            (found.width, found.precision),
            (Some(Count::Star), Some(Count::Given(3)))
        );
        assert_eq!((found.conversion, found.before), ('d', "%(a(b))-+*.3l"));
    }

    #[test]
    fn numbers_are_written_as_printf_does() {
        let int = |text, value| field(text).layout(0, 0).integer(&Int::Small(value)).unwrap();
        assert_eq!(int("%08.5d", -5), "-0000005");
        assert_eq!(int("%#010x", 255), "0x000000ff");
        assert_eq!(int("%-5d|", 3), "3    ");
        assert_eq!(field("%+.2e").layout(0, 0).real(12345.678).unwrap(), "+1.23e+04");
    }

    #[test]
    fn slips_are_told_in_cpythons_words() {
        let told = |text| pieces(text).find_map(Result::err);
        assert_eq!(told("a%"), Some("incomplete format".to_string()));
        assert_eq!(told("%(a"), Some("incomplete format key".to_string()));
        assert_eq!(
            field("%y").unsupported(),
            "unsupported format character 'y' (0x79) at index 1"
        );
    }
}
