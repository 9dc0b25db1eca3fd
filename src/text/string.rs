//! The methods of str (Python docs, "String Methods"), on UTF-8 text.
//!
//! Always true: what Python counts in code points is counted in code points here; places *inside* a text are
//! handed on as byte ranges, which cost nothing to use. A lone surrogate cannot occur.

use super::unicode;
use memchr::memmem;
use std::ops::Range;

pub use super::unicode::{is_printable, is_space};

// ---- code points and bytes

/// How many code points a text has.
#[inline]
pub fn length(text: &str, is_ascii: bool) -> usize {
    if is_ascii {
        text.len()
    } else {
        text.chars().count()
    }
}

/// The byte at which a code point begins, the text's end for one past the last; `is_ascii` makes it free.
#[inline]
pub fn byte_of(text: &str, index: usize, is_ascii: bool) -> usize {
    if is_ascii {
        return index.min(text.len());
    }
    text.char_indices()
        .nth(index)
        .map_or(text.len(), |(place, _)| place)
}

/// The code point that begins at a byte.
#[inline]
pub fn index_of(text: &str, byte: usize, is_ascii: bool) -> usize {
    if is_ascii {
        byte
    } else {
        text[..byte].chars().count()
    }
}

/// `text[index]` for an index that is not negative.
#[inline]
pub fn char_at(text: &str, index: usize, is_ascii: bool) -> Option<char> {
    if is_ascii {
        return text.as_bytes().get(index).map(|byte| *byte as char);
    }
    text.chars().nth(index)
}

/// `text[start:end]` as a byte range, for bounds already clamped.
#[inline]
pub fn slice(text: &str, start: usize, end: usize, is_ascii: bool) -> Range<usize> {
    if start >= end {
        return 0..0;
    }
    let from = byte_of(text, start, is_ascii);
    from..from + byte_of(&text[from..], end - start, is_ascii)
}

/// `text[start:end:step]` with any step: `count` code points from `start`.
pub fn slice_steps(text: &str, start: usize, step: i64, count: usize, is_ascii: bool) -> String {
    let place = |number: usize| (start as i64 + step * number as i64) as usize;
    if is_ascii {
        let bytes = text.as_bytes();
        let picked: Vec<u8> = match (step, bytes.get((start + 1).saturating_sub(count)..=start)) {
            (-1, Some(part)) => part.iter().rev().copied().collect(),
            _ => (0..count)
                .filter_map(|number| bytes.get(place(number)).copied())
                .collect(),
        };
        return String::from_utf8(picked).expect("ASCII stays ASCII");
    }
    if step > 0 {
        return text
            .chars()
            .skip(start)
            .step_by(step as usize)
            .take(count)
            .collect();
    }
    let chars: Vec<char> = text.chars().collect();
    (0..count).filter_map(|number| chars.get(place(number))).collect()
}

/// Bounds as `start` and `end` arguments give them (Python docs, slices): negative ones count from the end,
/// all are clamped.
pub fn clamp(start: Option<i64>, end: Option<i64>, length: usize) -> (usize, usize) {
    let length = length as i64;
    let from_end = |bound: i64| {
        if bound < 0 {
            (bound.saturating_add(length)).max(0)
        } else {
            bound
        }
    };
    let end = from_end(end.unwrap_or(length)).min(length);
    (from_end(start.unwrap_or(0)) as usize, end as usize)
}

/// The byte range of `[start:end]`; `None` if it is inverted, in which not even empty text is found.
pub fn bounds(text: &str, start: Option<i64>, end: Option<i64>, is_ascii: bool) -> Option<Range<usize>> {
    if start.is_none() && end.is_none() {
        return Some(0..text.len());
    }
    let (start, end) = clamp(start, end, length(text, is_ascii));
    if start > end {
        return None;
    }
    let from = byte_of(text, start, is_ascii);
    Some(from..from + byte_of(&text[from..], end - start, is_ascii))
}

// ---- searching; places are bytes within the whole text

/// `find` within a byte range.
pub fn find(text: &str, part: &str, range: Range<usize>) -> Option<usize> {
    memmem::find(text[range.clone()].as_bytes(), part.as_bytes()).map(|place| place + range.start)
}

/// `rfind` within a byte range.
pub fn rfind(text: &str, part: &str, range: Range<usize>) -> Option<usize> {
    text[range.clone()].rfind(part).map(|place| place + range.start)
}

/// `count` within a byte range: without overlaps; empty text is between all code points.
pub fn count(text: &str, part: &str, range: Range<usize>) -> usize {
    let text = &text[range];
    match part.as_bytes() {
        [] => text.chars().count() + 1,
        [byte] => memchr::memchr_iter(*byte, text.as_bytes()).count(),
        part => memmem::find_iter(text.as_bytes(), part).count(),
    }
}

/// `startswith` within [`bounds`].
pub fn starts_with(text: &str, part: &str, range: Option<Range<usize>>) -> bool {
    range.is_some_and(|range| text[range].starts_with(part))
}

/// `endswith` within [`bounds`].
pub fn ends_with(text: &str, part: &str, range: Option<Range<usize>>) -> bool {
    range.is_some_and(|range| text[range].ends_with(part))
}

/// `removeprefix`
pub fn remove_prefix<'a>(text: &'a str, prefix: &str) -> &'a str {
    text.strip_prefix(prefix).unwrap_or(text)
}

/// `removesuffix`
pub fn remove_suffix<'a>(text: &'a str, suffix: &str) -> &'a str {
    text.strip_suffix(suffix).unwrap_or(text)
}

/// `partition`: before, separator, after; `None` if it is not there. The separator is not empty.
pub fn partition<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    text.split_once(separator)
}

/// `rpartition`, likewise from the right.
pub fn rpartition<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    text.rsplit_once(separator)
}

/// `replace(old, new, count)`; `None` replaces all. An empty `old` stands between all code points.
pub fn replace(text: &str, old: &str, new: &str, count: Option<usize>) -> String {
    if old.is_empty() {
        return match count {
            Some(count) => text.replacen(old, new, count),
            None => text.replace(old, new),
        };
    }
    let mut whole = String::with_capacity(text.len());
    let mut copied = 0;
    for place in memmem::find_iter(text.as_bytes(), old).take(count.unwrap_or(usize::MAX)) {
        whole.push_str(&text[copied..place]);
        whole.push_str(new);
        copied = place + old.len();
    }
    whole.push_str(&text[copied..]);
    whole
}

// ---- splitting; the pieces are slices of the text

/// `split(separator, most)`; `None` splits everywhere. The separator is not empty.
pub fn split<'a>(text: &'a str, separator: &str, most: Option<usize>) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut cut = |place: usize| {
        pieces.push(&text[start..place]);
        start = place + separator.len();
    };
    let most = most.unwrap_or(usize::MAX);
    match separator.as_bytes() {
        [byte] => memchr::memchr_iter(*byte, text.as_bytes())
            .take(most)
            .for_each(&mut cut),
        bytes => memmem::find_iter(text.as_bytes(), bytes)
            .take(most)
            .for_each(&mut cut),
    }
    pieces.push(&text[start..]);
    pieces
}

/// `rsplit(separator, most)`.
pub fn rsplit<'a>(text: &'a str, separator: &str, most: Option<usize>) -> Vec<&'a str> {
    let mut pieces: Vec<_> = text
        .rsplitn(most.map_or(usize::MAX, |most| most.saturating_add(1)), separator)
        .collect();
    pieces.reverse();
    pieces
}

/// `split(None, most)`: at runs of white space, without empty pieces.
pub fn split_space(text: &str, most: Option<usize>) -> Vec<&str> {
    if most.is_none() && text.is_ascii() {
        let words = text.split(|c: char| is_space(c));
        return words.filter(|word| !word.is_empty()).collect();
    }
    let mut pieces = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        if most.is_some_and(|most| pieces.len() == most) {
            pieces.push(rest);
            break;
        }
        let (piece, after) = rest.split_at(rest.find(is_space).unwrap_or(rest.len()));
        pieces.push(piece);
        rest = after.trim_start_matches(is_space);
    }
    pieces
}

/// `rsplit(None, most)`.
pub fn rsplit_space(text: &str, most: Option<usize>) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        if most.is_some_and(|most| pieces.len() == most) {
            pieces.push(rest);
            break;
        }
        let start = rest.char_indices().rev().find(|(_, c)| is_space(*c));
        let start = start.map_or(0, |(place, c)| place + c.len_utf8());
        pieces.push(&rest[start..]);
        rest = rest[..start].trim_end_matches(is_space);
    }
    pieces.reverse();
    pieces
}

/// `splitlines(keep_ends)`: at Python's line boundaries, with `\r\n` as one.
pub fn split_lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((end, mark)) = rest.char_indices().find(|(_, c)| is_line_boundary(*c)) else {
            lines.push(rest);
            break;
        };
        let next = if rest[end..].starts_with("\r\n") {
            end + 2
        } else {
            end + mark.len_utf8()
        };
        lines.push(&rest[..if keep_ends { next } else { end }]);
        rest = &rest[next..];
    }
    lines
}

/// The line boundaries listed in the Python docs, `str.splitlines`.
pub fn is_line_boundary(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

// ---- stripping

/// Which end of a text to strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
    Both,
}

/// `strip`, `lstrip`, `rstrip`: white space, or any of the characters of `set`.
pub fn strip<'a>(text: &'a str, set: Option<&str>, side: Side) -> &'a str {
    match set {
        None => strip_where(text, is_space, side),
        Some(set) => strip_where(text, |c| set.contains(c), side),
    }
}

fn strip_where(text: &str, is_in: impl Fn(char) -> bool, side: Side) -> &str {
    match side {
        Side::Left => text.trim_start_matches(is_in),
        Side::Right => text.trim_end_matches(is_in),
        Side::Both => text.trim_matches(is_in),
    }
}

// ---- filling

fn filled(text: &str, left: usize, right: usize, fill: char) -> String {
    let mut whole = String::with_capacity(text.len() + (left + right) * fill.len_utf8());
    whole.extend(std::iter::repeat_n(fill, left));
    whole.push_str(text);
    whole.extend(std::iter::repeat_n(fill, right));
    whole
}

fn missing(text: &str, width: i64) -> usize {
    (usize::try_from(width).unwrap_or(0)).saturating_sub(length(text, text.is_ascii()))
}

/// `center(width, fill)`: the odd place goes left if the width is odd.
pub fn center(text: &str, width: i64, fill: char) -> String {
    let missing = missing(text, width);
    let left = missing / 2 + (missing & width as usize & 1);
    filled(text, left, missing - left, fill)
}

/// `ljust(width, fill)`
pub fn ljust(text: &str, width: i64, fill: char) -> String {
    filled(text, 0, missing(text, width), fill)
}

/// `rjust(width, fill)`
pub fn rjust(text: &str, width: i64, fill: char) -> String {
    filled(text, missing(text, width), 0, fill)
}

/// `zfill(width)`: zeros after a sign.
pub fn zfill(text: &str, width: i64) -> String {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = &text[..text.len() - digits.len()];
    let mut whole = String::from(sign);
    whole.extend(std::iter::repeat_n('0', missing(text, width)));
    whole.push_str(digits);
    whole
}

/// `expandtabs(size)`: columns begin anew after each line feed or carriage return.
pub fn expand_tabs(text: &str, size: i64) -> String {
    let size = usize::try_from(size).unwrap_or(0);
    let mut whole = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size == 0 => {}
            '\t' => {
                let spaces = size - column % size;
                whole.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            _ => {
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                whole.push(c);
            }
        }
    }
    whole
}

// ---- questions about all characters; the empty text says no to most

fn all(text: &str, is_in: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(is_in)
}

/// `isalnum`
pub fn is_alnum(text: &str) -> bool {
    all(text, unicode::is_alnum)
}

/// `isalpha`
pub fn is_alpha(text: &str) -> bool {
    all(text, unicode::is_alpha)
}

/// `isdecimal`
pub fn is_decimal(text: &str) -> bool {
    all(text, unicode::is_decimal)
}

/// `isdigit`
pub fn is_digit(text: &str) -> bool {
    all(text, unicode::is_digit)
}

/// `isnumeric`
pub fn is_numeric(text: &str) -> bool {
    all(text, unicode::is_numeric)
}

/// `isspace`
pub fn is_all_space(text: &str) -> bool {
    all(text, is_space)
}

/// `isprintable`; the empty text is.
pub fn is_all_printable(text: &str) -> bool {
    text.chars().all(is_printable)
}

/// `isidentifier`
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(unicode::is_identifier_start) && chars.all(unicode::is_identifier)
}

/// `islower`: some letter is lower case and none is not.
pub fn is_lower(text: &str) -> bool {
    !text.chars().any(|c| unicode::is_upper(c) || unicode::is_title(c)) && text.chars().any(unicode::is_lower)
}

/// `isupper`
pub fn is_upper(text: &str) -> bool {
    !text.chars().any(|c| unicode::is_lower(c) || unicode::is_title(c)) && text.chars().any(unicode::is_upper)
}

/// `istitle`: upper case only after uncased characters, lower case only after cased ones.
pub fn is_title(text: &str) -> bool {
    let (mut any, mut after_cased) = (false, false);
    for c in text.chars() {
        let begins = unicode::is_upper(c) || unicode::is_title(c);
        let goes_on = unicode::is_lower(c);
        if (begins && after_cased) || (goes_on && !after_cased) {
            return false;
        }
        after_cased = begins || goes_on;
        any |= after_cased;
    }
    any
}

// ---- case

/// `lower`, with the final form of sigma at the end of words.
pub fn lower(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.to_lowercase(),
    }
}

/// `upper`
pub fn upper(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_uppercase(),
        false => text.to_uppercase(),
    }
}

/// `casefold`
pub fn casefold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|c| unicode::push_fold(&mut folded, c));
    folded
}

/// `capitalize`: the first character in title case, the rest lower.
pub fn capitalize(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let lowered = Lowered::new(text);
    for (place, c) in text.char_indices() {
        if place == 0 {
            unicode::push_title(&mut whole, c);
        } else {
            lowered.push(&mut whole, place, c);
        }
    }
    whole
}

/// `title`: each word's first letter in title case, the rest lower; words are runs of cased letters.
pub fn title(text: &str) -> String {
    if text.is_ascii() {
        let mut after_cased = false;
        let letters =
            text.chars().map(
                |c| match std::mem::replace(&mut after_cased, c.is_ascii_alphabetic()) {
                    true => c.to_ascii_lowercase(),
                    false => c.to_ascii_uppercase(),
                },
            );
        return letters.collect();
    }
    let mut whole = String::with_capacity(text.len());
    let lowered = Lowered::new(text);
    let mut after_cased = false;
    for (place, c) in text.char_indices() {
        if after_cased {
            lowered.push(&mut whole, place, c);
        } else {
            unicode::push_title(&mut whole, c);
        }
        after_cased = unicode::is_lower(c) || unicode::is_upper(c) || unicode::is_title(c);
    }
    whole
}

/// `swapcase`
pub fn swapcase(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let lowered = Lowered::new(text);
    for (place, c) in text.char_indices() {
        if unicode::is_upper(c) {
            lowered.push(&mut whole, place, c);
        } else if unicode::is_lower(c) {
            whole.extend(c.to_uppercase());
        } else {
            whole.push(c);
        }
    }
    whole
}

/// Lower case of single characters where they stand: only capital sigma depends on its neighbours.
struct Lowered<'a> {
    text: &'a str,
}

impl<'a> Lowered<'a> {
    fn new(text: &'a str) -> Self {
        Self { text }
    }

    fn push(&self, whole: &mut String, place: usize, c: char) {
        if c == 'Σ' {
            // Std knows the rule, but only for whole texts: ask with a letter before or after the sigma if
            // it has a cased one there.
            let end = place + c.len_utf8();
            let before = has_cased(self.text[..place].chars().rev());
            let after = has_cased(self.text[end..].chars());
            whole.push(if before && !after { 'ς' } else { 'σ' });
        } else {
            whole.extend(c.to_lowercase());
        }
    }
}

/// Whether the first character that case does not ignore is cased (Unicode's Final_Sigma).
fn has_cased(mut chars: impl Iterator<Item = char>) -> bool {
    let is_cased = |c: char| unicode::is_lower(c) || unicode::is_upper(c) || unicode::is_title(c);
    chars.find(|c| !is_case_ignorable(*c)).is_some_and(is_cased)
}

/// Std lower-cases sigma by the same property without telling it: "AΣx" has a final sigma only if x is
/// ignored (or uncased), "Σx" then "a" tells which.
fn is_case_ignorable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, '\'' | '.' | ':' | '^' | '`');
    }
    // After an ignored character the cased letter still counts, so the sigma is not final.
    let with_letter = format!("AΣ{c}A").to_lowercase();
    let alone = format!("AΣ{c}").to_lowercase();
    with_letter.starts_with("aσ") && alone.starts_with("aς")
}

// ---- repr

/// `repr(text)`: single quotes unless only double ones avoid escapes; what is not printable is escaped.
pub fn repr(text: &str) -> String {
    quoted(text, |c| !is_printable(c))
}

/// `ascii(text)`: as [`repr`], and all beyond ASCII is escaped.
pub fn ascii(text: &str) -> String {
    quoted(text, |c| !matches!(c, ' '..='~'))
}

fn quoted(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut whole = String::with_capacity(text.len() + 2);
    whole.push(quote);
    for c in text.chars() {
        match c {
            '\n' => whole.push_str("\\n"),
            '\r' => whole.push_str("\\r"),
            '\t' => whole.push_str("\\t"),
            '\\' => whole.push_str("\\\\"),
            _ if c == quote => whole.extend(['\\', c]),
            _ if is_escaped(c) => push_escape(&mut whole, c as u32),
            _ => whole.push(c),
        }
    }
    whole.push(quote);
    whole
}

/// Appends `\xhh`, `\uhhhh` or `\Uhhhhhhhh`, whichever is the shortest.
pub fn push_escape(text: &mut String, code: u32) {
    text.push_str(&match code {
        0..=0xFF => format!("\\x{code:02x}"),
        0x100..=0xFFFF => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    });
}

// ---- translate

/// What a translation table says of a character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Translation {
    /// It stays.
    Keep,
    /// It goes (`None` in the table).
    Delete,
    /// It becomes this text.
    Text(String),
    /// It becomes this character.
    Char(char),
}

/// `translate` as far as ASCII characters become ASCII characters or go, each looked up only once: the
/// text made, and how many bytes it was made of.
pub fn translate_ascii<E>(
    text: &str,
    mut lookup: impl FnMut(char) -> Result<Translation, E>,
) -> Result<(String, usize), E> {
    const UNKNOWN: u8 = 0x80;
    const GONE: u8 = 0x81;
    let mut known = [UNKNOWN; 128];
    let mut whole = Vec::with_capacity(text.len());
    let mut made_of = 0;
    for &byte in text.as_bytes() {
        let Some(becomes) = known.get_mut(usize::from(byte)) else {
            break;
        };
        if *becomes == UNKNOWN {
            *becomes = match lookup(char::from(byte))? {
                Translation::Keep => byte,
                Translation::Delete => GONE,
                Translation::Char(other) if other.is_ascii() => other as u8,
                Translation::Char(_) | Translation::Text(_) => break,
            };
        }
        if *becomes != GONE {
            whole.push(*becomes);
        }
        made_of += 1;
    }
    let whole = String::from_utf8(whole).expect("only ASCII was put in");
    Ok((whole, made_of))
}

/// `translate`: each character as `lookup` says, after what is made already; the first error ends it.
pub fn translate<E>(
    text: &str,
    mut whole: String,
    mut lookup: impl FnMut(char) -> Result<Translation, E>,
) -> Result<String, E> {
    for c in text.chars() {
        match lookup(c)? {
            Translation::Keep => whole.push(c),
            Translation::Delete => {}
            Translation::Text(text) => whole.push_str(&text),
            Translation::Char(other) => whole.push(other),
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_are_what_is_counted() {
        let text = "añ€😀z";
        assert_eq!(&text[slice(text, 1, 4, false)], "ñ€😀");
        assert_eq!(slice_steps(text, 4, -2, 3, false), "z€a");
        assert_eq!(
            find(text, "😀", 0..text.len()).map(|byte| index_of(text, byte, false)),
            Some(3)
        );
        assert_eq!(bounds(text, Some(-2), None, false), Some(6..11));
        assert_eq!(bounds("", Some(1), None, true), None);
    }

    #[test]
    fn splitting_knows_pythons_white_space_and_lines() {
        assert_eq!(split_space(" a\x1cb\u{a0}c ", Some(1)), ["a", "b\u{a0}c "]);
        assert_eq!(rsplit_space(" a b c ", Some(1)), [" a b", "c"]);
        assert_eq!(split_lines("a\r\nb\x0bc\u{2028}", false), ["a", "b", "c"]);
        assert_eq!(split_lines("a\n\nb", true), ["a\n", "\n", "b"]);
        assert_eq!(rsplit("a,b,c", ",", Some(1)), ["a,b", "c"]);
    }

    #[test]
    fn case_follows_unicode() {
        assert_eq!(title("they're ǆ ΑΣ"), "They'Re ǅ Ας");
        assert_eq!(capitalize("ﬁNE"), "Fine");
        assert_eq!(casefold("Straße"), "strasse");
        assert_eq!(swapcase("aΣ"), "Aς");
        assert!(is_title("Ab Cd") && !is_title("ab"));
    }

    #[test]
    fn repr_chooses_its_quotes() {
        assert_eq!(repr("it's"), "\"it's\"");
        assert_eq!(repr("it's \"\n"), "'it\\'s \"\\n'");
        assert_eq!(repr("\u{e9}\u{200b}\u{7f}"), "'é\\u200b\\x7f'");
        assert_eq!(ascii("é😀"), "'\\xe9\\U0001f600'");
    }

    #[test]
    fn filling_follows_cpython() {
        assert_eq!(center("ab", 5, '*'), "**ab*");
        assert_eq!(center("abc", 6, '*'), "*abc**");
        assert_eq!(zfill("-5", 4), "-005");
        assert_eq!(expand_tabs("a\tb\n\tc", 4), "a   b\n    c");
    }
}
