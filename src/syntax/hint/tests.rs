//! What is wrong in a text is told in CPython's words, at its place.

use crate::source::Source;
use crate::syntax::{SyntaxError, parse};

fn error_in(text: &str) -> (SyntaxError, u32) {
    let source = Source::new("t", text);
    let error = parse(&source).expect_err(text);
    let column = source.position(error.span.start).1 + 1;
    (error, column)
}

/// Each message is CPython 3.13's, as is each column (from 1).
const WRONG: [(&str, &str, u32); 79] = [
    ("x = .", "invalid syntax", 5),
    ("a if . else b", "invalid syntax", 6),
    ("print(a, .b)", "invalid syntax", 10),
    ("x = 1.5.5", "invalid syntax", 8),
    ("(1.2.3)", "invalid syntax. Perhaps you forgot a comma?", 2),
    ("1...real", "invalid syntax", 4),
    ("if x\n    y", "expected ':'", 5),
    ("else if x:\n    y", "invalid syntax", 1),
    (
        "while x = 3: pass",
        "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
        7,
    ),
    (
        "if x.y = 3: pass",
        "cannot assign to attribute here. Maybe you meant '==' instead of '='?",
        4,
    ),
    ("f(a b)", "invalid syntax. Perhaps you forgot a comma?", 3),
    ("{'a': 1, 'b' 2}", "':' expected after dictionary key", 12),
    ("x = {1:}", "expression expected after dictionary key and ':'", 7),
    (
        "print x, y",
        "Missing parentheses in call to 'print'. Did you mean print(...)?",
        1,
    ),
    (
        "import a from b",
        "Did you mean to use 'from ... import ...' instead?",
        1,
    ),
    ("from a import", "Expected one or more names after 'import'", 14),
    (
        "from a import b,",
        "trailing comma not allowed without surrounding parentheses",
        17,
    ),
    ("x = 1 if 2", "expected 'else' after 'if' expression", 5),
    ("[x for x range(3)]", "'in' expected after for-loop variables", 10),
    (
        "[x, y for x in z]",
        "did you forget parentheses around the comprehension target?",
        2,
    ),
    ("f(a=)", "expected argument value expression", 3),
    (
        "f(a.b=1)",
        "expression cannot contain assignment, perhaps you meant \"==\"?",
        3,
    ),
    ("def f: pass", "expected '('", 6),
    (
        "def f((a, b)): pass",
        "Function parameters cannot be parenthesized",
        7,
    ),
    (
        "f() = 1",
        "cannot assign to function call here. Maybe you meant '==' instead of '='?",
        1,
    ),
    ("(a, 1) = 2", "cannot assign to literal", 5),
    ("1abc", "invalid decimal literal", 1),
    ("f'{}'", "f-string: valid expression required before '}'", 4),
    ("f'{a $ b}'", "f-string: expecting '=', or '!', or ':', or '}'", 6),
    ("x = class", "invalid syntax", 5),
    ("x = 1 +", "invalid syntax", 8),
    (
        "def f(a=1, b): pass",
        "parameter without a default follows parameter with a default",
        12,
    ),
    ("def f(a=1,/*,b): pass", "expected comma between / and *", 12),
    ("def f(/): pass", "invalid syntax", 7),
    (
        "def f(a, *b=, c): pass",
        "var-positional argument cannot have default value",
        12,
    ),
    ("lambda a, b=, c: 1", "expected default value expression", 12),
    (
        "lambda x, (y, z): 1",
        "Lambda expression parameters cannot be parenthesized",
        11,
    ),
    ("f(a, *b=c)", "cannot assign to iterable argument unpacking", 6),
    ("f(**k=c)", "cannot assign to keyword argument unpacking", 3),
    ("A[*:]", "Invalid star expression", 4),
    ("A[*(1:2)]", "Invalid star expression", 6),
    ("1 + not x", "'not' after an operator must be parenthesized", 5),
    ("def g(): yield from (), 1", "invalid syntax", 23),
    ("f'{\"s\"!r x}'", "f-string: expecting ':' or '}'", 10),
    ("f(x[])", "invalid syntax. Perhaps you forgot a comma?", 3),
    ("f(a not b)", "invalid syntax. Perhaps you forgot a comma?", 3),
    ("f(c d.e(x))", "invalid syntax", 5),
    ("f(m + 1 x)", "invalid syntax. Perhaps you forgot a comma?", 5),
    ("f(*[1 2])", "Invalid star expression", 7),
    ("[*]", "Invalid star expression", 3),
    ("def f(*1): pass", "invalid syntax", 8),
    ("(**a)", "cannot use double starred expression here", 2),
    ("lambda a=: 1", "invalid syntax", 10),
    ("f'{1+}'", "f-string: expecting '=', or '!', or ':', or '}'", 5),
    (
        "def f(a: int b): pass",
        "invalid syntax. Perhaps you forgot a comma?",
        10,
    ),
    ("data[x for x in y]", "invalid syntax", 8),
    ("f() =", "cannot assign to function call", 1),
    ("f(1.2.3)", "invalid syntax. Perhaps you forgot a comma?", 3),
    (
        "for x in y:\n    try:\n        f()\nexcept A:\n    pass",
        "expected 'except' or 'finally' block",
        1,
    ),
    ("if (x) {\n    y", "'{' was never closed", 8),
    ("f(x pass", "invalid syntax", 5),
    ("f(a b.c", "'(' was never closed", 2),
    ("a.b := 1", "cannot use assignment expressions with attribute", 1),
    (
        "x; f().b := 1",
        "cannot use assignment expressions with attribute",
        4,
    ),
    (
        "lambda: x := 1",
        "cannot use assignment expressions with lambda",
        1,
    ),
    (
        "@a.b = 1",
        "cannot assign to attribute here. Maybe you meant '==' instead of '='?",
        2,
    ),
    ("for f(x): pass", "cannot assign to function call", 5),
    ("for a, 1 y: pass", "cannot assign to literal", 8),
    ("async for (a, f()): pass", "cannot assign to function call", 15),
    ("def f[x]: pass", "expected '('", 9),
    ("match x:\n  case C(a=): pass", "invalid syntax", 12),
    (
        "f(a.b=)",
        "expression cannot contain assignment, perhaps you meant \"==\"?",
        3,
    ),
    ("(x for x in y) = 1", "cannot assign to generator expression", 1),
    ("f'{}}'", "f-string: valid expression required before '}'", 4),
    ("f'{!s:'", "f-string: valid expression required before '!'", 4),
    ("f'{1;'", "f-string: expecting '=', or '!', or ':', or '}'", 5),
    ("f'{(a+)}'", "f-string: expecting a valid expression after '{'", 4),
    (
        "f'{x+(a+)}'",
        "f-string: expecting '=', or '!', or ':', or '}'",
        5,
    ),
    ("f'{a b'", "f-string: expecting '}'", 6),
];

#[test]
fn messages_and_places_are_pythons() {
    for (text, message, column) in WRONG {
        let (error, place) = error_in(text);
        assert_eq!((error.message.as_str(), place), (message, column), "{text}");
    }
}

#[test]
fn the_first_error_wins() {
    for (text, message) in [
        (
            "1 = x\ny = = 2\n",
            "cannot assign to literal here. Maybe you meant '==' instead of '='?",
        ),
        ("if x\n    y\nz = 'a\n", "expected ':'"),
        ("x = (1 + * 2\ny = 3\n", "invalid syntax"),
        ("x = (1 +\ny = 3\n", "'(' was never closed"),
    ] {
        assert_eq!(error_in(text).0.message, message);
    }
}

#[test]
fn help_names_the_way_out() {
    for (text, help) in [
        ("x = a && b", "write 'and'"),
        ("x++", "there is no '++'; write 'x += 1'"),
        ("def f(:\n    pass", "a ')' is missing before the ':'"),
        ("class A(B, :\n    pass", "a ')' is missing before the ':'"),
        ("async for x range(3): pass", "'in' is missing before 'range'"),
        (
            "raise ValueError 'x'",
            "what an error says stands in parentheses: 'ValueError('x')'",
        ),
        ("if x:\n    y\nelse if z:\n    w", "'else if' is written 'elif'"),
        ("x = class", "'class' is a keyword and cannot be a name"),
        (
            "x = if y: 3",
            "as a value, `if` comes second: 'a if condition else b'",
        ),
        ("d = {'a' = 1}", "a dict's items are 'key: value'"),
        ("var x = 1", "a variable needs no declaration: 'x = 1'"),
        ("improt x", "did you mean 'import'?"),
        ("from x improt y", "did you mean 'import'?"),
        ("asnyc def f(): pass", "did you mean 'async'?"),
        ("x = awiat f()", "did you mean 'await'?"),
        ("While x: pass", "did you mean 'while'?"),
        (
            "x = async lambda: 1",
            "a lambda cannot wait: write an 'async def'",
        ),
        (
            "{'a' 1}",
            "put a ',' between the two expressions, or a ':' between key and value",
        ),
        (
            "x == 3:\n    y",
            "no word says what this block is for: write 'def', 'if', 'while' or 'for' before it",
        ),
        (
            "for i in 3..5: pass",
            "a row of numbers is written range(start, end)",
        ),
        (
            "global x = 3",
            "this only says which variable is meant: assign on a line of its own",
        ),
        (
            "x = {1, 2: 3}",
            "a set holds values, a dict 'key: value' items: these are some of each",
        ),
        ("f(x: 3)", "an argument is given by its name with '='"),
        (
            "def f(a=1, b): pass",
            "put the parameters that have a default behind those that have none",
        ),
    ] {
        let (error, _) = error_in(text);
        assert!(error.help.as_deref() == Some(help), "{text}: {:?}", error.help);
    }
}
