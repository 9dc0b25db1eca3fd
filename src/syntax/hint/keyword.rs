//! Misspelt keywords: a name stands where a keyword would fit that differs from it by a slip of the finger.

use super::Stuck;
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::is_keyword;
use crate::syntax::token::TokenKind;

/// Keywords that begin a statement.
const STATEMENTS: &[&str] = &[
    "import", "from", "def", "class", "async", "await", "for", "while", "if", "elif", "return", "with",
    "raise", "try", "except", "yield", "del", "assert", "global", "nonlocal", "match", "case",
];

/// Keywords that are a whole header.
const HEADERS: &[&str] = &["else", "try", "finally", "except"];

/// Keywords that stand before an operand.
const PREFIXES: &[&str] = &["await", "lambda", "yield", "not"];

impl Stuck<'_> {
    /// `improt x`, `esle:`, `x = awiat f()`, `from x improt y`
    pub(super) fn misspelt_keyword(&self) -> Option<SyntaxError> {
        let at = self.line.at;
        let is_name = |i: usize| self.line.kind(i) == TokenKind::Name && !is_keyword(self.line.word(i));
        let before = at
            .checked_sub(1)
            .filter(|&i| is_name(i))
            .map(|i| self.line.word(i));
        let goes_on = self.line.starts_operand(at) || matches!(self.found(), "def" | "for" | "with");
        let begins = before.filter(|_| at == 1 && goes_on);
        let is_header = at == 2 && self.at_newline() && self.before(1) == ":" && is_name(0);
        let follows_operand = at > 0 && self.line.ends_operand(at - 1) && is_name(at);
        let expected = self.failure.expected.iter().map(String::as_str);
        let meant = begins
            .and_then(|word| nearest(word, STATEMENTS.iter().copied()))
            .or_else(|| nearest(before.filter(|_| goes_on)?, PREFIXES.iter().copied()))
            .or_else(|| nearest(self.line.word(0), HEADERS.iter().copied().filter(|_| is_header)))
            .or_else(|| {
                nearest(
                    self.found(),
                    expected.filter(|word| follows_operand && is_keyword(word)),
                )
            })?;
        let help = format!("did you mean '{meant}'?");
        Some(SyntaxError::new("invalid syntax", self.at).help(help))
    }
}

/// The first word from which another differs by a slip.
pub(super) fn nearest<'a>(wrong: &str, mut words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words.find(|word| is_slip(wrong, word))
}

/// Whether two neighbours changed places, a letter lacks or is too much, or in longer words is another one; or
/// capitals were used.
fn is_slip(wrong: &str, right: &str) -> bool {
    let (a, b) = (wrong.as_bytes(), right.as_bytes());
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let swapped = |a: &[u8], b: &[u8]| {
        matches!((a, b), ([x, y, ..], [v, w, ..]) if x == w && y == v) && a[2..] == b[2..]
    };
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => {
            wrong.eq_ignore_ascii_case(right)
                || swapped(a, b)
                || (right.len() > 4 && a.get(1..) == b.get(1..))
        }
        std::cmp::Ordering::Less => right.len() > 2 && a == &b[1..],
        std::cmp::Ordering::Greater => right.len() > 2 && &a[1..] == b,
    }
}
