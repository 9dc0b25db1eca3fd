//! The border to pest: laid-out text in, pairs or the place of failure out.
//!
//! The only file that names pest. pest is built without its `std` feature: its stack guard asks for
//! the bounds of the OS thread, which are wrong on a fiber. The layout pass' nesting limits bound
//! the stack instead.

use pest::Parser;
use pest::pratt_parser::{Assoc, ConstPrattParser, Op};

#[derive(pest_derive::Parser)]
#[grammar = "grammar/aio.pest"]
struct Grammar;

pub type Pair<'t> = pest::iterators::Pair<'t, Rule>;
pub type Pairs<'t> = pest::iterators::Pairs<'t, Rule>;

/// Where the grammar got stuck, and what it could have gone on with.
#[derive(Debug)]
pub struct Failure {
    /// Offset of the first character that fits nowhere.
    pub at: usize,
    /// The literals that would have fitted there.
    pub expected: Vec<String>,
}

impl Failure {
    pub fn expects(&self, literal: &str) -> bool {
        self.expected.iter().any(|e| e == literal)
    }
}

/// Parse a laid-out text as a file.
pub fn parse_file(text: &str) -> Result<Pair<'_>, Failure> {
    match Grammar::parse(Rule::file, text) {
        Ok(mut pairs) => pairs.next().ok_or(Failure {
            at: 0,
            expected: Vec::new(),
        }),
        Err(error) => Err(failure(text, &error)),
    }
}

/// Find the furthest token. Tracking it makes parsing slower by half, so only a text that has
/// failed is read again with it. The switch is one for the process: another thread's parse in
/// the meantime is merely slower.
#[cold]
fn failure(text: &str, first: &pest::error::Error<Rule>) -> Failure {
    pest::set_error_detail(true);
    let again = Grammar::parse(Rule::file, text);
    pest::set_error_detail(false);
    let rule_start = location(first);
    let Some(attempts) = again.err().and_then(|error| error.parse_attempts()) else {
        return Failure {
            at: rule_start,
            expected: Vec::new(),
        };
    };
    let expected: Vec<String> = attempts
        .expected_tokens()
        .iter()
        .map(ToString::to_string)
        .filter(|token| !matches!(token.as_str(), " " | "\n" | "\u{0c}" | "\t"))
        .collect();
    let token = attempts.max_position;
    // A keyword where a name should be is read to its end and then refused: it is the culprit.
    let between = text.get(rule_start..token).unwrap_or("");
    let at = if is_keyword(between) && expected.iter().all(|e| e.contains("..") || e == "_") {
        rule_start
    } else {
        rule_start.max(token)
    };
    Failure { at, expected }
}

fn location(error: &pest::error::Error<Rule>) -> usize {
    match error.location {
        pest::error::InputLocation::Pos(at) => at,
        pest::error::InputLocation::Span((start, _)) => start,
    }
}

/// Python's reserved words, without `None`, `True` and `False`.
pub fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
    )
}

/// Python's operators, loosest first; `true` opens a new level.
pub static PRATT: ConstPrattParser<Rule, 18> = ConstPrattParser::new_const([
    (Op::prefix(Rule::lambda_head), true),
    (Op::infix(Rule::ternary_mid, Assoc::Right), true),
    (Op::infix(Rule::op_or, Assoc::Left), true),
    (Op::infix(Rule::op_and, Assoc::Left), true),
    (Op::prefix(Rule::op_not), true),
    (Op::infix(Rule::op_cmp, Assoc::Left), true),
    (Op::infix(Rule::op_bitor, Assoc::Left), true),
    (Op::infix(Rule::op_xor, Assoc::Left), true),
    (Op::infix(Rule::op_bitand, Assoc::Left), true),
    (Op::infix(Rule::op_shift, Assoc::Left), true),
    (Op::infix(Rule::op_add, Assoc::Left), true),
    (Op::infix(Rule::op_mul, Assoc::Left), true),
    (Op::prefix(Rule::op_unary), true),
    (Op::infix(Rule::op_pow, Assoc::Right), true),
    (Op::prefix(Rule::op_await), true),
    (Op::postfix(Rule::call), true),
    (Op::postfix(Rule::attribute), false),
    (Op::postfix(Rule::subscript), false),
]);
