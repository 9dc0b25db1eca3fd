"""Writes unicode_tables.rs: what CPython 3.13 (Unicode 15.1) knows of each code point and Rust's std does not.

Run with CPython 3.13: python3.13 unicode_tables.py > unicode_tables.rs
"""

def flags(c):
    return (
        c.isalpha() | c.isdecimal() << 1 | c.isdigit() << 2 | c.isnumeric() << 3
        | c.isspace() << 4 | c.isprintable() << 5 | c.isidentifier() << 6 | ("a" + c).isidentifier() << 7
    )

def rows(items, per_line):
    for start in range(0, len(items), per_line):
        print("    " + " ".join(items[start : start + per_line]))

def table(name, kind, items, per_line, doc):
    print(f"\n/// {doc}")
    print(f"#[rustfmt::skip]\npub(super) static {name}: [{kind}; {len(items)}] = [")
    rows(items, per_line)
    print("];")

def text(s):
    return '"' + "".join(c if c.isascii() and c.isprintable() else f"\\u{{{ord(c):x}}}" for c in s) + '"'

chars = [chr(i) for i in range(0x110000)]
print("//! Tables of Unicode 15.1, written by unicode_tables.py; not edited by hand.")
runs, before = [], None
for i, c in enumerate(chars):
    if flags(c) != before:
        before = flags(c)
        runs.append(f"0x{i << 8 | before:X},")
table("RUNS", "u32", runs, 9, "Where a run of code points with equal flags begins: code point << 8 | flags.")
cases = [("TITLE", "title", lambda c: c.title() != c.upper(), str.title),
         ("FOLD", "fold", lambda c: c.casefold() != c.lower(), str.casefold)]
for name, word, differs, convert in cases:
    items = [f"({ord(c):#x}, {text(convert(c))})," for c in chars if differs(c)]
    other = "upper" if word == "title" else "lower"
    table(name, "(u32, &str)", items, 5, f"The {word} case of code points where it is not their {other} case.")
