//! Words for what the grammar refuses.
//!
//! The grammar has no rules for errors: they would slow down good programs and blur the place of
//! failure. One table instead, read after a failure: from the token found, the literals expected
//! and the line around to CPython's message and our help. The first row that fits wins.

mod call;
mod field;
mod foreign;
mod keyword;
mod misplaced;
mod number;
mod target;

use super::error::SyntaxError;
use super::parse::{Failure, is_keyword, parse_file};
use super::token::{Line, TokenKind};
use crate::source::{Source, Span};

/// Say what is wrong where the grammar got stuck in a laid-out text.
#[cold]
pub fn explain(source: &Source, text: &str, failure: &Failure) -> SyntaxError {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\u{0c}');
    let skipped = text[failure.at.min(text.len())..].trim_start_matches(blank);
    let at = text.len() - skipped.len();
    if skipped.trim_matches(['\n', '\u{0c}']).is_empty() && text[..at].ends_with(['\n', '\u{0c}']) {
        // Past the last line: point at its end, where something is still to come.
        let end = text.trim_end_matches(['\n', '\u{0c}', ' ', '\t']).len();
        let stuck = Stuck {
            source,
            text,
            failure,
            line: Line::around(text, at),
            at: Span::new(end, end),
        };
        return stuck.missing_part().incomplete();
    }
    // The guard that tells `=` from `==` has looked one character too far.
    let guard = failure.expected == ["="] && text[..failure.at].ends_with('=');
    // A letter that could have been a string's prefix has been read past as well.
    let is_quote = |literal: &String| literal.chars().all(|c| matches!(c, '"' | '\''));
    let guard = guard
        || (failure.expected.iter().all(is_quote)
            && text[..failure.at].ends_with(|c: char| c.is_ascii_alphabetic()));
    // And a dot that could have begun a number.
    let is_digit = |literal: &String| literal.starts_with("0..");
    let guard = guard || (failure.expected.iter().all(is_digit) && text[..failure.at].ends_with('.'));
    let line = Line::around(text, if guard { failure.at - 1 } else { at });
    let found = line.span(line.at);
    let at = match line.kind(line.at) {
        // The newline that the layout pass appends has no place in the source.
        TokenKind::Newline => {
            let end = text[..found.start as usize].trim_end_matches(' ').len();
            Span::new(end, end)
        }
        _ => found,
    };
    // A string that has no end reaches to the end of the laid-out text.
    let length = source.text.len() as u32;
    let at = Span {
        start: at.start.min(length),
        end: at.end.min(length),
    };
    Stuck {
        source,
        text,
        failure,
        line,
        at,
    }
    .explain()
}

/// Whether CPython, looking for what the writer may have meant at `at`, reads on to the end of the
/// text: then it misses the end of the bracket opened at `open` first.
pub fn reads_on(source: &Source, text: &str, at: usize, open: Span) -> bool {
    let line = Line::around(text, at);
    let follows_operand = line.at > 0 && line.ends_operand(line.at - 1);
    if line.span(line.at) == open && line.word(line.at) == "{" {
        let is_header = matches!(
            line.word(0),
            "def" | "class" | "async" | "with" | "case" | "import" | "from"
        );
        return follows_operand && !is_header;
    }
    let start = line.span(line.at).start as usize;
    let rest = text.get(start..).unwrap_or("").trim_end_matches([' ', '\n']);
    if !follows_operand || rest.is_empty() {
        return false;
    }
    if is_keyword(rest) {
        return !ends_expression(rest);
    }
    let value = format!("{}\n", rest.strip_prefix('=').unwrap_or(rest).trim_start());
    parse_file(&value).is_ok_and(|file| super::build::describe(source, &value, file).is_some())
}

/// Whether no expression goes on with this keyword behind an operand.
fn ends_expression(word: &str) -> bool {
    !matches!(
        word,
        "None"
            | "True"
            | "False"
            | "and"
            | "async"
            | "await"
            | "for"
            | "if"
            | "in"
            | "is"
            | "lambda"
            | "not"
            | "or"
    )
}

/// A failure and what stands around it.
struct Stuck<'t> {
    source: &'t Source,
    text: &'t str,
    failure: &'t Failure,
    line: Line<'t>,
    /// The place of the token that fits nowhere.
    at: Span,
}

impl Stuck<'_> {
    /// The table. Each row knows one mistake.
    const ROWS: [fn(&Self) -> Option<SyntaxError>; 32] = [
        Self::malformed_number,
        Self::legacy_statement,
        Self::import_from,
        Self::imported_names,
        Self::several_exceptions,
        Self::field_start,
        Self::missing_handler,
        Self::missing_else,
        Self::missing_in,
        Self::for_target,
        Self::walrus_target,
        Self::comprehension_target,
        Self::parenthesized_parameters,
        Self::slash_and_star,
        Self::missing_value,
        Self::target_without_value,
        Self::unpacking_assigned,
        Self::operator_not,
        Self::equals_sign,
        Self::keyword_generator,
        Self::dict_item,
        Self::forgotten_comma,
        Self::field_end,
        Self::missing_parenthesis,
        Self::missing_colon,
        Self::misplaced,
        Self::misspelt_keyword,
        Self::foreign_word,
        Self::foreign_operator,
        Self::star_argument,
        Self::double_star_group,
        Self::missing_operator,
    ];

    fn explain(&self) -> SyntaxError {
        Self::ROWS
            .iter()
            .find_map(|row| row(self))
            .unwrap_or_else(|| self.plain())
    }

    /// `invalid syntax`, with help if the token found says anything.
    fn plain(&self) -> SyntaxError {
        if let Some(field) = self.line.outer_field {
            return self.beyond_value(field);
        }
        let error = SyntaxError::new("invalid syntax", self.at);
        if self.line.kind(self.line.at) == TokenKind::Newline && self.line.at > 0 {
            return match self.before(1) {
                "(" | "[" | "{" => error,
                ":" if self.line.word(0) == "do" => {
                    error.help("there is no 'do': write 'while True:', and 'break' where the loop may end")
                }
                ":" if self.line.open.is_empty() && self.heads_block() => error.help(
                    "no word says what this block is for: write 'def', 'if', 'while' or 'for' before it",
                ),
                previous => error.help(format!("something is missing after '{previous}'")),
            };
        }
        if self.is_argument_with_colon() {
            return error.help("an argument is given by its name with '='");
        }
        if matches!(self.found(), ":" | ")" | "]" | "}" | ",") && is_operator(self.before(1)) {
            return error.help(format!("something is missing after '{}'", self.before(1)));
        }
        match self.misplaced_keyword() {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// `f(x: 3)`
    fn is_argument_with_colon(&self) -> bool {
        let before = self.line.at.checked_sub(1);
        let is_named = before.is_some_and(|name| self.line.kind(name) == TokenKind::Name);
        let open = self.line.open.last().and_then(|open| open.checked_sub(1));
        let is_called = open.is_some_and(|called| self.line.ends_operand(called));
        self.found() == ":" && self.bracket() == "(" && is_named && is_called
    }

    /// Whether the line below is indented further than this one.
    fn heads_block(&self) -> bool {
        let depth = |line: &str| line.len() - line.trim_start().len();
        let first = self.source.line(self.line.span(0).start);
        let own = depth(self.source.line_text(first));
        let mut below = self
            .source
            .text
            .lines()
            .skip(self.source.line(self.at.start) as usize);
        below
            .find(|line| !line.trim().is_empty())
            .is_some_and(|line| depth(line) > own)
    }

    /// A keyword where something else is wanted.
    fn misplaced_keyword(&self) -> Option<String> {
        let word = self.found();
        let has_operand = self.line.at > 0 && self.line.ends_operand(self.line.at - 1);
        if !is_keyword(word) {
            return None;
        }
        let expects_name = self.failure.expects("_") || self.failure.expects("a..z");
        match word {
            "in" | "is" | "and" | "or" if !has_operand => {
                Some(format!("something is missing before '{word}'"))
            }
            "await" if has_operand => Some("'await' stands before what it waits for".into()),
            "async" if self.line.word(self.line.at + 1) == "lambda" => {
                Some("a lambda cannot wait: write an 'async def'".into())
            }
            "not" if has_operand => Some("write 'not in', 'is not', or 'and not'".into()),
            "return" if self.before(1) == ":" && self.lambda_before(1) => {
                Some("a lambda gives the value of its expression: leave out 'return'".into())
            }
            "if" if !has_operand => Some("as a value, `if` comes second: 'a if condition else b'".into()),
            "for" | "while" | "try" | "with" | "raise" | "import" | "def" if self.before(1) == "=" => {
                Some(format!("'{word}' begins a statement, which gives no value"))
            }
            _ => expects_name.then(|| format!("'{word}' is a keyword and cannot be a name")),
        }
    }

    /// Whether the colon `n` tokens before the one found is that of a `lambda`.
    fn lambda_before(&self, n: usize) -> bool {
        let Some(colon) = self.line.at.checked_sub(n) else {
            return false;
        };
        let start = self.line.expression_start(colon, |word| word == "lambda");
        start > 0 && self.line.word(start - 1) == "lambda"
    }

    /// The text of the token found.
    fn found(&self) -> &str {
        self.line.word(self.line.at)
    }

    /// The text of a token before it.
    fn before(&self, n: usize) -> &str {
        self.line.at.checked_sub(n).map_or("", |i| self.line.word(i))
    }

    fn first(&self) -> &str {
        match self.line.word(0) {
            "async" => self.line.word(1),
            word => word,
        }
    }

    fn at_newline(&self) -> bool {
        self.line.kind(self.line.at) == TokenKind::Newline
    }

    /// The innermost open bracket.
    fn bracket(&self) -> &str {
        self.line.open.last().map_or("", |&i| self.line.word(i))
    }

    /// The token before it.
    fn before_bracket(&self) -> &str {
        let before = self.line.open.last().and_then(|open| open.checked_sub(1));
        before.map_or("", |i| self.line.word(i))
    }

    fn in_field(&self) -> bool {
        self.line.field.is_some()
    }

    /// From the start of token `i` to the end of the token found.
    fn since(&self, i: usize) -> Span {
        self.line.span(i).to(self.at)
    }

    /// The first token of the expression that ends before token `end`.
    fn operand_start(&self, end: usize) -> usize {
        self.line.expression_start(end, |word| {
            matches!(
                word,
                "," | ":" | "=" | ":=" | "for" | "if" | "else" | "return" | "yield" | "from" | "lambda"
            ) || matches!(
                word,
                "+=" | "-=" | "*=" | "/=" | "assert" | "raise" | "del" | "while" | "elif" | ";" | "->"
            )
        })
    }

    /// The end of the text, with a part missing: a handler, a decorated function, a block.
    fn missing_part(&self) -> SyntaxError {
        if self.failure.expects("except") && self.failure.expects("finally") {
            return SyntaxError::new("expected 'except' or 'finally' block", self.at)
                .help("add what should happen if the block of 'try' fails");
        }
        SyntaxError::new("invalid syntax", self.at)
    }

    // The rows

    fn legacy_statement(&self) -> Option<SyntaxError> {
        let name = self.before(1);
        let operand =
            self.line.starts_operand(self.line.at) || matches!(self.found(), "-" | "+" | "*" | "None");
        let header = self.first() == "def" && !self.in_body();
        if !matches!(name, "print" | "exec") || !operand || header || matches!(self.before(2), "." | "as") {
            return None;
        }
        let message = format!("Missing parentheses in call to '{name}'. Did you mean {name}(...)?");
        let help = match name {
            "print" => "print is a function: print(…)",
            _ => "exec is not part of aio",
        };
        Some(SyntaxError::new(message, self.since(self.line.at - 1)).help(help))
    }

    fn import_from(&self) -> Option<SyntaxError> {
        if self.line.word(0) != "import" || self.found() != "from" {
            return None;
        }
        let message = "Did you mean to use 'from ... import ...' instead?";
        let names = self.text[self.line.span(1).start as usize..self.at.start as usize].trim();
        let module = self.line.word(self.line.at + 1);
        let error = SyntaxError::new(message, self.line.span(0).to(self.at));
        Some(error.help(format!("write 'from {module} import {names}'")))
    }

    fn imported_names(&self) -> Option<SyntaxError> {
        if !self.at_newline() || !matches!(self.line.word(0), "import" | "from") {
            return None;
        }
        if self.before(1) == "import" {
            return Some(SyntaxError::new(
                "Expected one or more names after 'import'",
                self.at,
            ));
        }
        if self.before(1) == "," && self.line.word(0) == "from" {
            let message = "trailing comma not allowed without surrounding parentheses";
            return Some(
                SyntaxError::new(message, self.at).help("remove the comma, or put the names in parentheses"),
            );
        }
        None
    }

    fn several_exceptions(&self) -> Option<SyntaxError> {
        let first = if self.line.word(1) == "*" { 2 } else { 1 };
        if self.line.word(0) != "except"
            || self.found() != ","
            || !self.line.open.is_empty()
            || self.line.at == first
        {
            return None;
        }
        let message = "multiple exception types must be parenthesized";
        let next = self.line.word(self.line.at + 1);
        let is_variable = next.starts_with(char::is_lowercase) && self.line.word(self.line.at + 2) == ":";
        let help = match is_variable {
            true => format!("write 'except {} as {next}:'", self.line.word(first)),
            false => "write 'except (A, B):'".into(),
        };
        Some(SyntaxError::new(message, self.since(first)).help(help))
    }

    fn missing_handler(&self) -> Option<SyntaxError> {
        if self.line.word(0) == "except" && self.before(1) == "*" && self.found() == ":" {
            return Some(SyntaxError::new("expected one or more exception types", self.at));
        }
        if self.line.at != 0 || !self.ends_lone_try() {
            return None;
        }
        let error = SyntaxError::new("expected 'except' or 'finally' block", self.at);
        let meant = keyword::nearest(self.found(), ["except", "finally"].into_iter());
        Some(error.help(match meant {
            None if self.found() == "catch" => "an exception is caught with 'except'".into(),
            Some(meant) if meant != self.found() => format!("did you mean '{meant}'?"),
            _ => "add what should happen if the block of 'try' fails".into(),
        }))
    }

    /// Whether the line, by its indentation, ends the block of a `try` that has no handler.
    fn ends_lone_try(&self) -> bool {
        let is_indent = |c: &char| matches!(c, '\t' | '\u{0c}');
        let depth = |line: &str| line.chars().take_while(is_indent).filter(|&c| c == '\t').count();
        let is_try = |line: &str| {
            let rest = line.trim_start().strip_prefix("try");
            rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
        };
        let start = self.line.span(0).start as usize;
        let start = self.text[..start].rfind('\n').map_or(0, |n| n + 1);
        let own = depth(&self.text[start..]);
        let mut least = usize::MAX;
        for line in self.text[..start]
            .lines()
            .rev()
            .filter(|line| !line.trim().is_empty())
        {
            let here = depth(line);
            if here <= own {
                return here == own && is_try(line);
            }
            if here < least && least != usize::MAX && is_try(line) {
                return true;
            }
            least = least.min(here);
        }
        false
    }

    fn missing_else(&self) -> Option<SyntaxError> {
        if !self.failure.expects("else")
            || self.found() == ":"
            || !self.line.ends_operand(self.line.at.checked_sub(1)?)
        {
            return None;
        }
        let question = |word: &str| word == "if";
        let condition = self
            .line
            .expression_start(self.line.at, question)
            .checked_sub(1)?;
        if !question(self.line.word(condition)) {
            return None;
        }
        let stop = |word: &str| {
            matches!(
                word,
                "," | ":" | "=" | ":=" | "for" | "in" | "if" | "else" | "return" | "yield" | "lambda" | ";"
            )
        };
        let start = self.line.expression_start(condition, stop);
        if start == condition || self.line.word(start - usize::from(start > 0)) == "for" {
            return None;
        }
        let error = SyntaxError::new("expected 'else' after 'if' expression", self.since(start));
        Some(error.help("a conditional expression says both values: 'a if condition else b'"))
    }

    fn missing_in(&self) -> Option<SyntaxError> {
        if self.line.open.is_empty()
            || !self.failure.expects("in")
            || !self.line.ends_operand(self.line.at.checked_sub(1)?)
        {
            return None;
        }
        let targets = self
            .line
            .expression_start(self.line.at, |word| matches!(word, "for" | "if" | "in"));
        if targets == 0 || self.line.word(targets - 1) != "for" {
            return None;
        }
        Some(SyntaxError::new(
            "'in' expected after for-loop variables",
            self.at,
        ))
    }

    fn comprehension_target(&self) -> Option<SyntaxError> {
        let open = *self.line.open.last()?;
        let comprehends = matches!(self.found(), "for" | "async");
        let again = self.line.expression_start(self.line.at, |word| word == "for") > open + 1;
        // So it is a subscript, which cannot be a comprehension at all.
        let is_one_value = self.line.expression_start(self.line.at, |word| word == ",") == open + 1;
        if !comprehends
            || again
            || !matches!(self.bracket(), "[" | "{")
            || is_one_value
            || self.in_field()
            || open + 1 == self.line.at
        {
            return None;
        }
        let is_dict = self.bracket() == "{" && self.has_colon(open);
        if is_dict {
            let key = self.line.last_char(self.line.at - 1);
            return Some(SyntaxError::new("':' expected after dictionary key", key));
        }
        let message = "did you forget parentheses around the comprehension target?";
        Some(SyntaxError::new(message, self.since(open + 1)).help("write '[(a, b) for …]'"))
    }

    /// `f() =`: the target is wrong before the value is missing.
    fn target_without_value(&self) -> Option<SyntaxError> {
        let sign = self.line.at.checked_sub(1)?;
        if !self.at_newline() || self.line.word(sign) != "=" || sign == 0 || !self.line.open.is_empty() {
            return None;
        }
        let target = Span::new(
            self.line.span(0).start as usize,
            self.line.span(sign - 1).end as usize,
        );
        let what = self.describe(target)?;
        let is_wrong = !matches!(
            what,
            "name" | "attribute" | "subscript" | "starred" | "list" | "tuple"
        );
        is_wrong.then(|| SyntaxError::new(format!("cannot assign to {what}"), target))
    }

    /// Whether a colon stands directly in the bracket at `open`, before the token found.
    fn has_colon(&self, open: usize) -> bool {
        let colon = self.line.expression_start(self.line.at, |word| word == ":");
        colon > open + 1
    }

    /// `=` where a condition or a value is meant.
    fn equals_sign(&self) -> Option<SyntaxError> {
        let header = matches!(self.line.word(0), "if" | "elif" | "while" | "@");
        let conditional = header && self.line.open.is_empty();
        let bracketed = !self.line.open.is_empty() && !self.in_field();
        if self.found() != "="
            || !(conditional || bracketed)
            || self.first() == "def" && self.line.open.len() == 1
            || self.in_pattern()
        {
            return None;
        }
        let stop = |word: &str| {
            matches!(
                word,
                "if" | "elif"
                    | "while"
                    | ","
                    | ":"
                    | ":="
                    | "and"
                    | "or"
                    | "not"
                    | "in"
                    | "is"
                    | "for"
                    | "else"
            ) || matches!(word, "==" | "!=" | "<" | ">" | "<=" | ">=" | "lambda" | "=")
        };
        let end = self.line.at;
        let is_decorator = self.line.word(0) == "@";
        let start = self
            .line
            .expression_start(end, stop)
            .max(usize::from(is_decorator));
        if start == end
            || (start > 0
                && matches!(
                    self.line.word(start - 1),
                    "==" | "!=" | "<" | ">" | "<=" | ">=" | "="
                ))
        {
            return None;
        }
        let help = match self.line.word(0) {
            "for" => "a loop goes over items: 'for i in range(…):'",
            _ if self.bracket() == "{" => "a dict's items are 'key: value'",
            _ => "'==' compares, '=' only assigns as a statement",
        };
        if start + 1 == end && self.line.kind(start) == TokenKind::Name && !is_constant(self.line.word(start))
        {
            let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            return Some(SyntaxError::new(message, self.since(start)).help(help));
        }
        let slice = Span::new(
            self.line.span(start).start as usize,
            self.line.span(end - 1).end as usize,
        );
        let what = self.describe(slice)?;
        if matches!(
            what,
            "None" | "True" | "False" | "list" | "tuple" | "generator expression"
        ) {
            return None;
        }
        let message = format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?");
        Some(SyntaxError::new(message, slice).help(help))
    }

    /// What kind of expression stands at a place.
    fn describe(&self, span: Span) -> Option<&'static str> {
        let text = format!("{}\n", self.text.get(span.start as usize..span.end as usize)?);
        super::build::describe(self.source, &text, parse_file(&text).ok()?)
    }

    /// `{"a": 1, "b" 2}`
    fn dict_item(&self) -> Option<SyntaxError> {
        let open = *self.line.open.last()?;
        if self.bracket() != "{" || self.in_field() || !self.line.ends_operand(self.line.at.checked_sub(1)?) {
            return None;
        }
        let start = self
            .line
            .expression_start(self.line.at, |word| matches!(word, "," | ":"));
        if self.line.word(start.checked_sub(1)?) != "," || !self.has_colon(open) {
            return None;
        }
        let error = SyntaxError::new(
            "':' expected after dictionary key",
            self.line.last_char(self.line.at - 1),
        );
        Some(error.help("a dict's items are 'key: value'"))
    }

    fn forgotten_comma(&self) -> Option<SyntaxError> {
        // Of `f(x[])` and `f(a not b)` the grammar has read one token more.
        let at = match (self.before(1), self.found()) {
            ("[", "]") if self.line.open.len() > 1 => self.line.at - 1,
            ("not", _) if self.line.starts_operand(self.line.at) => self.line.at - 1,
            _ => self.line.at,
        };
        let after_conversion = self.in_field() && self.before(2) == "!";
        if self.line.open.is_empty()
            || after_conversion
            || !self.line.starts_operand(at)
            || !self.line.ends_operand(at.checked_sub(1)?)
        {
            return None;
        }
        let start = self.operand_start(at);
        let stopped = if start == 0 { "" } else { self.line.word(start - 1) };
        let first = self.line.word(start);
        // CPython also takes the beginning of such a word for the word.
        let soft = ["match", "case", "type", "_"]
            .iter()
            .any(|word| word.starts_with(first));
        let prefix =
            self.line.kind(start) == TokenKind::Name && self.line.kind(start + 1) == TokenKind::String;
        // Behind such a word CPython reads the rest as an expression of its own.
        let after_soft = soft && matches!(self.line.word(start + 1), "+" | "-" | "~" | "[");
        let start = start + usize::from(after_soft || matches!(first, "*" | "**"));
        let starred = self.before_bracket() == "*" && self.star_argument().is_some();
        // Parameters, patterns, and the parts of a comprehension are no expressions of their own; a
        // parameter's annotation and default are.
        let header = matches!(self.first(), "case" | "import" | "from")
            || (self.first() == "def" && !matches!(stopped, ":" | "="));
        let header = header && !self.in_body();
        if (soft && !after_soft)
            || starred
            || prefix
            || header
            || start >= at
            || matches!(stopped, "lambda" | "if" | "for")
        {
            return None;
        }
        let error = SyntaxError::new("invalid syntax. Perhaps you forgot a comma?", self.since(start));
        let end = self.line.span(at - 1).end as usize;
        Some(
            error
                .help(match self.bracket() {
                    "{" => "put a ',' between the two expressions, or a ':' between key and value",
                    _ => "put a ',' between the two expressions",
                })
                .label(Span::new(end, end), "a comma here?"),
        )
    }

    /// Whether the token found stands after a header's colon.
    fn in_body(&self) -> bool {
        let outermost = self.line.open.first().copied().unwrap_or(self.line.at);
        let colon = self.line.expression_start(outermost, |word| word == ":");
        colon > 0 && self.line.word(colon - 1) == ":"
    }

    /// `3 + not x`
    fn operator_not(&self) -> Option<SyntaxError> {
        let operator = matches!(self.before(1), "+" | "-" | "*" | "/" | "%" | "//" | "@" | "~");
        (self.found() == "not" && operator).then(|| {
            let message = "'not' after an operator must be parenthesized";
            SyntaxError::new(message, self.at).help("write '(not …)'")
        })
    }

    /// The token found stands in the pattern of a `case`.
    fn in_pattern(&self) -> bool {
        self.line.word(0) == "case" && !self.in_body()
    }

    /// `def f: …`
    fn missing_parenthesis(&self) -> Option<SyntaxError> {
        let name = usize::from(self.line.word(0) == "async") + 1;
        let after_name = self.line.at == name + 1
            || (self.line.word(name + 1) == "[" && self.before(1) == "]" && self.line.open.is_empty());
        let is_missing = self.first() == "def" && after_name && self.failure.expects("(");
        is_missing.then(|| {
            let error = SyntaxError::new("expected '('", self.at);
            error.help("a function's parameters stand in parentheses, even if there are none: 'def f():'")
        })
    }

    fn missing_colon(&self) -> Option<SyntaxError> {
        let header = self.first();
        let word = |end: usize| (0..end).rev().find(|&i| self.line.word(i) == header).is_some();
        let known = matches!(
            header,
            "if" | "elif"
                | "else"
                | "while"
                | "for"
                | "try"
                | "except"
                | "finally"
                | "with"
                | "def"
                | "class"
                | "match"
                | "case"
        );
        if !known || !self.line.open.is_empty() || !word(self.line.at) || self.in_body() {
            return None;
        }
        if header == "def" && self.before(1) == "->" {
            // CPython gives up on the annotation and misses the colon before it.
            return Some(SyntaxError::new("expected ':'", self.line.span(self.line.at - 1)));
        }
        let forced = matches!(header, "def" | "else" | "try" | "finally");
        if !self.failure.expects(":")
            || !(forced || self.at_newline())
            || !self.line.ends_header(self.line.at, forced)
        {
            return None;
        }
        let help = match (header, self.found()) {
            ("else", "if") => "'else if' is written 'elif'".to_owned(),
            (_, "{") => "a block begins with ':' and is indented; it needs no braces".to_owned(),
            _ => format!("a ':' ends the header of '{header}'"),
        };
        Some(SyntaxError::new("expected ':'", self.at).help(help))
    }
}

impl Line<'_> {
    /// Whether a header could end before token `end`: after an operand or a lone word.
    fn ends_header(&self, end: usize, forced: bool) -> bool {
        end > 0
            && (forced
                || self.ends_operand(end - 1)
                || matches!(self.word(end - 1), "else" | "try" | "finally" | "except"))
    }
}

/// Whether an operand has to follow.
fn is_operator(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "is" | "in" | "if" | "else" | "await")
        || matches!(word, "==" | "!=" | "<" | ">" | "<=" | ">=")
        || matches!(
            word,
            "+" | "-" | "/" | "%" | "//" | "@" | "|" | "&" | "^" | "~" | "<<" | ">>"
        )
}

fn is_constant(word: &str) -> bool {
    matches!(word, "None" | "True" | "False")
}

#[cfg(test)]
mod tests;
