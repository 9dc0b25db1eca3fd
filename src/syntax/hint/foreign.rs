//! Habits from other languages: their words and operators.

use super::Stuck;
use crate::syntax::error::SyntaxError;
use crate::syntax::parse::is_keyword;
use crate::syntax::token::TokenKind;

impl Stuck<'_> {
    /// Words of other languages, where a name stands before something that fits nowhere.
    pub(super) fn foreign_word(&self) -> Option<SyntaxError> {
        let plain = SyntaxError::new("invalid syntax", self.at);
        let help = match (self.line.word(0), self.found()) {
            ("else", "if") if self.line.at <= 1 && self.failure.expects(":") => return None,
            ("else", _) if self.line.at == 0 && !self.follows("finally") => {
                "this 'else' has no 'if', loop or 'try' above it at the same indentation"
            }
            ("elif", _) if self.line.at == 0 => "this 'elif' has no 'if' above it at the same indentation",
            ("except", _) if self.line.at == 0 && self.follows("finally") => {
                "'finally' comes last: put this 'except' before it"
            }
            ("except", _) if self.line.at == 0 && self.follows("else") => {
                "'else' comes after all that is caught: put this 'except' before it"
            }
            ("else", _) if self.line.at == 0 && self.follows("finally") => {
                "'finally' comes last: put this 'else' before it"
            }
            ("except" | "finally", _) if self.line.at == 0 => {
                "there is no 'try' above it at the same indentation"
            }
            ("case", _) if self.line.at == 1 && !self.text.contains("match") => {
                "this 'case' has no 'match' around it"
            }
            ("elseif" | "elsif", _) => "write 'elif'",
            ("function" | "func" | "fn" | "fun", _) if self.line.at == 1 => "a function begins with 'def'",
            ("var" | "let" | "const" | "int" | "float" | "str", _) if self.line.at == 1 => {
                "a variable needs no declaration: 'x = 1'"
            }
            ("catch", _) if self.line.at == 1 => "an exception is caught with 'except'",
            ("throw", _) if self.line.at == 1 => "an exception is raised with 'raise'",
            ("switch", _) if self.line.at == 1 => "write 'match'",
            ("foreach", _) if self.line.at == 1 => "write 'for'",
            ("unless", _) if self.line.at == 1 => "write 'if not …'",
            ("async", _) if self.line.at == 1 && self.line.kind(1) == TokenKind::Name => "write 'async def'",
            ("async", "lambda") if self.line.at == 1 => "a lambda cannot wait: write an 'async def'",
            ("def", "async") if self.line.at == 1 => "write 'async def'",
            ("raise", ",") if self.line.open.is_empty() => {
                "the message belongs to the exception: 'raise Error(…)'"
            }
            ("for", found)
                if self.line.open.is_empty()
                    && self.line.at == 2
                    && found != "="
                    && self.failure.expects("in") =>
            {
                "'in' stands between the name and what is looped over"
            }
            ("for", "=") if self.line.open.is_empty() => "a loop goes over items: 'for i in range(…):'",
            ("global" | "nonlocal", "=") => {
                "this only says which variable is meant: assign on a line of its own"
            }
            ("for", number)
                if number.contains("..") || (number.starts_with('.') && self.before(1).ends_with('.')) =>
            {
                "a row of numbers is written range(start, end)"
            }
            (_, _) if self.line.at == 0 && self.follows_decorator() => {
                "a decorator stands above a 'def' or a 'class'"
            }
            (_, "//" | "/") if self.line.at == 0 => "a comment begins with '#'",
            (_, ";") if !self.line.open.is_empty() => "a bracket is open here: close it first",
            (_, "==" | "!=" | "<" | ">" | "<=" | ">=") if matches!(self.before(1), "and" | "or") => {
                "each side of 'and' and 'or' is whole: 'x == 1 or x == 2'"
            }
            _ if self.before(1) == "new" && self.line.kind(self.line.at) == TokenKind::Name => {
                "an object is made by calling its class: there is no 'new'"
            }
            _ if self.before(1) == "not" && self.line.at > 1 && self.line.ends_operand(self.line.at - 2) => {
                "write 'not in', 'is not', or 'and not'"
            }
            (_, "then" | "do") => "a ':' ends the header of a block",
            ("if" | "while" | "for" | "else" | "elif" | "def" | "class" | "try", "{") => {
                "a block begins with ':' and is indented; it needs no braces"
            }
            ("if" | "while" | "for" | "elif" | "with" | "class", _)
                if self.line.open.is_empty() && self.failure.expects(":") && self.goes_on() =>
            {
                "a ':' ends the header of a block"
            }
            _ => return None,
        };
        Some(plain.help(help))
    }

    /// Whether what is found could begin a statement behind an operand.
    fn goes_on(&self) -> bool {
        let behind = self.line.at.checked_sub(1);
        !self.in_body()
            && behind.is_some_and(|behind| self.line.ends_operand(behind))
            && (self.line.starts_operand(self.line.at) || matches!(self.found(), "return" | "break" | "pass"))
    }

    /// Whether the last line above with the same indentation begins with a word.
    fn follows(&self, word: &str) -> bool {
        let start = self.line.span(0).start as usize;
        let start = self.text[..start].rfind('\n').map_or(0, |end| end + 1);
        let depth = |line: &str| line.len() - line.trim_start().len();
        let own = depth(&self.text[start..]);
        let mut above = self.text[..start]
            .lines()
            .rev()
            .filter(|line| !line.trim().is_empty());
        above
            .find(|line| depth(line) <= own)
            .is_some_and(|line| line.trim_start().starts_with(word))
    }

    /// Whether the line before is that of a decorator.
    fn follows_decorator(&self) -> bool {
        let start = self.line.span(0).start as usize;
        let mut before = self.text[..start].trim_end().lines();
        before
            .next_back()
            .is_some_and(|line| line.trim_start().starts_with('@'))
    }

    /// Operators of other languages.
    pub(super) fn foreign_operator(&self) -> Option<SyntaxError> {
        let (found, previous) = (self.found(), self.before(1));
        let doubled = |sign: &str| {
            (found == sign && previous == sign)
                || (self.at_newline() && previous == sign && self.before(2) == sign)
        };
        let next = self.line.word(self.line.at + 1);
        let help = if doubled("+") {
            "there is no '++'; write 'x += 1'"
        } else if doubled("-") {
            "there is no '--'; write 'x -= 1'"
        } else if doubled("&") {
            "write 'and'"
        } else if doubled("|") {
            "write 'or'"
        } else {
            match (previous, found) {
                ("==" | "!=", "=") => "there is no '===' or '!=='; write '==' or '!='",
                (_, "<>") => "write '!='",
                (_, "!") if next == "=" => "write '!='",
                (_, "!") => "write 'not'",
                (_, "?") if next.starts_with('.') => "test for None first: 'a.b if a is not None else None'",
                (_, "?") => "a conditional is written 'a if condition else b'",
                (_, "$") => "'$' has no meaning in names",
                (_, "`") => "backquotes have no meaning; write repr(x)",
                ("=", ">") => "a short function is written 'lambda x: …'",
                (word, "=") if self.line.at == 1 && is_keyword(word) => {
                    let message = format!("'{word}' is a keyword and cannot be a name");
                    return Some(SyntaxError::new("invalid syntax", self.at).help(message));
                }
                (_, "=") if self.line.open.is_empty() => {
                    "'=' assigns only at the start of a statement; '==' compares"
                }
                (_, ":=") => "put the assignment expression in parentheses: '(x := …)'",
                _ => return None,
            }
        };
        Some(SyntaxError::new("invalid syntax", self.at).help(help))
    }
}
