//! The walls of the house, as ARCHITECTURE.md draws them.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use support::{files, root};

/// The floors from the top down: a file uses those above its own, and its own. Those of one line
/// stand side by side and do not know each other.
const FLOORS: &[&[&str]] = &[
    &["source"],
    &["diagnostic"],
    &["text"],
    &["syntax"],
    &["code"],
    &["lower"],
    &["value"],
    &["interp"],
    &["runtime"],
    &["library"],
    &["tools"],
    &["session"],
    &["repl"],
    &["allocator", "lib", "main"],
];

/// Crates that few files may know, and these files or folders.
const BOUNDARIES: &[(&[&str], &[&str])] = &[
    (&["pest", "pest_derive"], &["src/syntax/parse.rs"]),
    (&["miette"], &["src/diagnostic.rs"]),
    (&["smol", "signal_hook"], &["src/runtime", "src/session"]),
    (&["async_channel"], &["src/runtime", "src/repl"]),
    (&["corosensei"], &["src/runtime", "src/interp/stack.rs"]),
    (&["rustyline"], &["src/repl"]),
    (&["clap"], &["src/main.rs"]),
    (&["libmimalloc_sys"], &["src/allocator.rs"]),
    (&["fancy_regex", "md5", "sha1", "sha2"], &["src/library"]),
];

const LONGEST: usize = 800;

/// Tables may be longer.
const LONGER: &[&str] = &["src/text/unicode_tables.rs"];

/// A piece of Rust source, as far as the walls need it. Comments are left out.
#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    /// A string literal's text, escapes and all.
    Text(String),
    Mark(char),
}

fn tokens(source: &str) -> Vec<Token> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |n| n + 2)
        } else if let Some((text, length)) = raw_string(rest).or_else(|| string(rest)) {
            found.push(Token::Text(text.to_owned()));
            length
        } else if c == '\'' {
            character(rest)
        } else if is_word(c) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            found.push(Token::Word(rest[..length].to_owned()));
            length
        } else {
            if !c.is_whitespace() {
                found.push(Token::Mark(c));
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// `"…"`: its text and its length with the quotes.
fn string(rest: &str) -> Option<(&str, usize)> {
    let start = if rest.starts_with("b\"") || rest.starts_with("c\"") {
        2
    } else {
        1
    };
    if start == 1 && !rest.starts_with('"') {
        return None;
    }
    let mut escaped = false;
    for (n, c) in rest[start..].char_indices() {
        match c {
            '"' if !escaped => return Some((&rest[start..start + n], start + n + 1)),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// `r#"…"#` and its kin.
fn raw_string(rest: &str) -> Option<(&str, usize)> {
    let inner = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let body = inner[hashes..].strip_prefix('"')?;
    let end = body.find(&format!("\"{}", "#".repeat(hashes)))?;
    Some((&body[..end], rest.len() - body.len() + end + 1 + hashes))
}

/// The length of `'c'` or of a lifetime's tick.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |n| n + 4),
        Some(_) => chars.next().map_or(1, |(n, c)| if c == '\'' { n + 1 } else { 1 }),
        None => 1,
    }
}

fn sources() -> Vec<(String, Vec<Token>)> {
    let found: Vec<PathBuf> = files(&root().join("src"));
    let rust = found
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| (shown(path), tokens(&read(path)))).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The floor a file of `src/` belongs to: the folder's or the file's name.
fn floor_of(path: &str) -> &str {
    let inner = path.strip_prefix("src/").expect("a file of src");
    inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs")
}

fn level(floor: &str) -> Option<usize> {
    FLOORS.iter().position(|names| names.contains(&floor))
}

/// The modules right below `crate` that a file names: `crate::a::…` and `crate::{a, b::…}`.
fn named_floors(tokens: &[Token], crate_name: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (i, token) in tokens.iter().enumerate() {
        let is_path = *token == Token::Word(crate_name.to_owned())
            && tokens.get(i + 1..i + 3) == Some(&[Token::Mark(':'), Token::Mark(':')]);
        if !is_path {
            continue;
        }
        match tokens.get(i + 3) {
            Some(Token::Word(name)) => {
                named.insert(name.clone());
            }
            Some(Token::Mark('{')) => {
                let (mut depth, mut begins) = (0, false);
                for token in &tokens[i + 3..] {
                    match token {
                        Token::Mark('{') => (depth, begins) = (depth + 1, depth == 0),
                        Token::Mark('}') => depth -= 1,
                        Token::Mark(',') => begins = depth == 1,
                        Token::Word(name) if begins => {
                            named.insert(name.clone());
                            begins = false;
                        }
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    named
}

#[track_caller]
fn none(faults: Vec<String>) {
    assert!(
        faults.is_empty(),
        "{} found:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_file_uses_only_the_floors_above_it() {
    let mut faults = Vec::new();
    for (path, tokens) in sources() {
        let floor = floor_of(&path);
        let Some(own) = level(floor) else {
            faults.push(format!("{path}: no floor of that name"));
            continue;
        };
        let mut named = named_floors(&tokens, "crate");
        if floor == "main" {
            named.extend(named_floors(&tokens, "aio"));
        }
        for other in named {
            if other != floor && level(&other).is_some_and(|level| level >= own) {
                faults.push(format!("{path} uses {other}, which is not above it"));
            }
        }
    }
    none(faults);
}

#[test]
fn every_crate_stays_behind_its_boundary() {
    let mut faults = Vec::new();
    for (path, tokens) in sources() {
        for (crates, places) in BOUNDARIES {
            let known = |name: &str| crates.contains(&name);
            let named = tokens.windows(3).any(|w| match w {
                [Token::Word(name), Token::Mark(':'), Token::Mark(':')] => known(name),
                [Token::Word(word), Token::Word(name), _] => word == "use" && known(name),
                _ => false,
            });
            if named && !places.iter().any(|place| path.starts_with(place)) {
                faults.push(format!("{path} names {}", crates.join(" or ")));
            }
        }
    }
    none(faults);
}

#[test]
fn no_file_is_too_long_to_be_read() {
    let mut faults = Vec::new();
    for path in files(&root().join("src")) {
        let (name, lines) = (shown(&path), read(&path).lines().count());
        if lines > LONGEST && !LONGER.contains(&name.as_str()) {
            faults.push(format!("{name}: {lines} lines"));
        }
    }
    none(faults);
}

/// Built-ins are declared as `method("name", SIGNATURE, "doc", body)` or, in a table, as
/// `Method Plain "name" "signature" "doc" body;`.
#[test]
fn every_native_has_a_doc() {
    const MAKERS: &[&str] = &[
        "function",
        "method",
        "class_method",
        "static_method",
        "getter",
        "native",
    ];
    const ROLES: &[&str] = &["Function", "Method", "ClassMethod", "Static", "Getter"];
    let mut faults = Vec::new();
    let mut count = 0;
    for (path, tokens) in sources()
        .iter()
        .filter(|(path, _)| path.starts_with("src/library"))
    {
        for (i, token) in tokens.iter().enumerate() {
            let Token::Word(word) = token else { continue };
            let rest = &tokens[i + 1..];
            let declared = match rest {
                [Token::Mark('('), Token::Text(name), Token::Mark(','), rest @ ..]
                    if MAKERS.contains(&word.as_str()) =>
                {
                    // The signature is a literal or a constant's path; the doc is the text after it.
                    let comma = rest.iter().position(|t| *t == Token::Mark(','));
                    comma.map(|n| (name, rest.get(n + 1)))
                }
                [Token::Word(_), Token::Text(name), Token::Text(_), doc, ..]
                    if ROLES.contains(&word.as_str()) =>
                {
                    Some((name, Some(doc)))
                }
                _ => None,
            };
            let Some((name, doc)) = declared else { continue };
            count += 1;
            if matches!(doc, Some(Token::Text(text)) if text.trim().is_empty()) {
                faults.push(format!("{path}: {name} has no doc"));
            }
        }
    }
    none(faults);
    assert!(
        count > 100,
        "only {count} natives were recognised: has their declaration changed?"
    );
}

#[test]
fn every_path_in_the_books_exists() {
    let mut faults = Vec::new();
    for book in [
        "ARCHITECTURE.md",
        "README.md",
        "REPL.md",
        "tests/README.md",
        "benches/README.md",
        "fuzz/README.md",
    ] {
        let text = read(&root().join(book));
        let prose: String = text.split("```").step_by(2).collect();
        for word in prose.split('`').skip(1).step_by(2) {
            let ends = [".rs", ".aio", ".md", ".pest", ".toml", ".py"];
            let is_path = (word.starts_with(char::is_alphanumeric) || word.starts_with(".ci/"))
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
                && (word.contains('/') || ends.iter().any(|end| word.ends_with(end)));
            // `tests/golden/TOPIC/NAME.aio` stands for many, and what is built need not be there.
            let stands_for_many = ["NAME", "TOPIC", "FILE"].iter().any(|part| word.contains(part));
            let may_be_missing = stands_for_many || word.starts_with("target/");
            if is_path && !may_be_missing && !root().join(word).exists() {
                faults.push(format!("{book}: {word}"));
            }
        }
    }
    none(faults);
}

#[test]
fn every_folder_and_crate_is_in_the_architecture() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let mut faults = Vec::new();
    for entry in fs::read_dir(root().join("src")).expect("src is there").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !text.contains(&format!("`src/{name}")) {
            faults.push(format!("src/{name}"));
        }
    }
    let manifest = read(&root().join("Cargo.toml"));
    let dependencies = manifest
        .split("[dependencies]")
        .nth(1)
        .expect("there are dependencies");
    for line in dependencies.lines().take_while(|line| !line.starts_with('[')) {
        if let Some((name, _)) = line.split_once('=') {
            let name = name.trim();
            if !name.starts_with('#') && !text.contains(&format!("`{name}`")) {
                faults.push(format!("the crate {name}"));
            }
        }
    }
    none(faults);
}

#[test]
fn every_file_with_unsafe_is_in_the_architecture() {
    let book = read(&root().join("ARCHITECTURE.md"));
    let is_unsafe = |tokens: &[Token]| tokens.contains(&Token::Word("unsafe".into()));
    let is_named = |path: &str| book.contains(&format!("`{path}`"));
    let unnamed = sources()
        .into_iter()
        .filter(|(path, tokens)| is_unsafe(tokens) && !is_named(path))
        .map(|(path, _)| format!("{path} holds `unsafe`, and ARCHITECTURE.md does not name it"));
    none(unnamed.collect());
}

#[test]
fn the_tokens_of_rust_are_told_apart() {
    let found =
        tokens("use a::b; // c::d\nlet s = \"e\\\"::f\"; r#\"g\"# 'h' '\\'' &'i j /* k */ '\\u{7f}' b\"l\"");
    let words: Vec<&str> = found
        .iter()
        .filter_map(|t| if let Token::Word(w) = t { Some(&**w) } else { None })
        .collect();
    let texts: Vec<&str> = found
        .iter()
        .filter_map(|t| if let Token::Text(w) = t { Some(&**w) } else { None })
        .collect();
    assert_eq!(words, ["use", "a", "b", "let", "s", "i", "j"]);
    assert_eq!(texts, ["e\\\"::f", "g", "l"]);
}
