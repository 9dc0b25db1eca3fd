//! `os.path` (posixpath): paths as texts, and what stands at them.

use super::{fspath, is_kind, path_arg, paths_of};
use crate::code::CompareOp;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_name};
use crate::interp::{attribute, iterate, operator};
use crate::library::builtins::function;
use crate::library::modules;
use crate::source::Symbol;
use crate::value::*;
use std::os::unix::fs::MetadataExt;

/// A path's text; bytes one char each, so that they come back the same.
fn text(value: &Value) -> Res<String> {
    let path = fspath(value)?;
    Ok(match bytes_of(&path) {
        Some(bytes) => bytes.iter().map(|&b| b as char).collect(),
        None => text_of(&path).unwrap_or("").to_string(),
    })
}

/// A text as the kind of path that it was made of.
fn like(original: &Value, text: &str) -> Res {
    Ok(if as_bytes(&fspath(original)?).is_some() {
        Ref::new(Bytes(text.chars().map(|c| c as u8).collect())).into()
    } else {
        Value::from(text)
    })
}

pub fn join(first: &str, second: &str) -> String {
    if second.starts_with('/') || first.is_empty() {
        second.to_string()
    } else if first.ends_with('/') {
        format!("{first}{second}")
    } else {
        format!("{first}/{second}")
    }
}

fn split(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |at| at + 1);
    let (head, tail) = path.split_at(at);
    let short = head.trim_end_matches('/');
    (if short.is_empty() { head } else { short }, tail)
}

fn split_ext(path: &str) -> (&str, &str) {
    let start = path.rfind('/').map_or(0, |at| at + 1);
    let name = &path[start..];
    let dots = name.len() - name.trim_start_matches('.').len();
    match name.rfind('.') {
        Some(dot) if dot >= dots && dots < name.len() => path.split_at(start + dot),
        _ => (path, ""),
    }
}

fn normal(path: &str) -> String {
    let slashes = path.len() - path.trim_start_matches('/').len();
    // Two slashes at the start mean something of their own; three or more mean one.
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part != ".." || (root.is_empty() && parts.is_empty()) || parts.last() == Some(&"..") {
            parts.push(part);
        } else {
            parts.pop();
        }
    }
    let whole = format!("{root}{}", parts.join("/"));
    if whole.is_empty() { ".".to_string() } else { whole }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return normal(path);
    }
    let here = std::env::current_dir()
        .map(|p| p.to_string_lossy().into_owned())
        .unwrap_or_default();
    normal(&join(&here, path))
}

fn relative(args: &[Value]) -> Res {
    let path = text(&args[0])?;
    if path.is_empty() {
        return Err(value_error("no path specified"));
    }
    let start = match args[1].given() {
        Some(start) => text(start)?,
        None => ".".to_string(),
    };
    let (path, start) = (absolute(&path), absolute(&start));
    let parts = |path: &str| {
        path.split('/')
            .filter(|p| !p.is_empty())
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", start.len() - common);
    let whole: Vec<&str> = up.chain(path[common..].iter().map(String::as_str)).collect();
    like(
        &args[0],
        &if whole.is_empty() {
            ".".to_string()
        } else {
            whole.join("/")
        },
    )
}

fn join_all(args: &[Value]) -> Res {
    let mut whole = text(&args[0])?;
    for part in iterate::collect(&args[1])? {
        let is_path = as_str(&part).is_some()
            || as_bytes(&part).is_some()
            || fspath(&part).map_err(|e| drop(e.take())).is_ok();
        if !is_path {
            return Err(type_error(format!(
                "join() argument must be str, bytes, or os.PathLike object, not '{}'",
                class_name(&part)
            )));
        }
        if !is_kind(&fspath(&part)?, &fspath(&args[0])?) {
            return Err(type_error("Can't mix strings and bytes in path components"));
        }
        whole = join(&whole, &text(&part)?);
    }
    like(&args[0], &whole)
}

/// What sequences of any things begin with alike: what the least and the greatest do.
fn common_start(sequences: &[Value]) -> Res {
    let (mut least, mut greatest) = (&sequences[0], &sequences[0]);
    for sequence in &sequences[1..] {
        if operator::less(sequence, least)? {
            least = sequence;
        }
        if operator::less(greatest, sequence)? {
            greatest = sequence;
        }
    }
    let (items, others) = (iterate::collect(least)?, iterate::collect(greatest)?);
    let mut same = 0;
    while same < items.len().min(others.len()) && operator::equal(&items[same], &others[same])? {
        same += 1;
    }
    let common = items[..same].to_vec();
    Ok(match as_list(least) {
        Some(_) => Value::list(common),
        None => Value::tuple(common),
    })
}

fn common_prefix(args: &[Value]) -> Res {
    let paths = iterate::collect(&args[0])?;
    let Some(first) = paths.first() else {
        return Ok(Value::from(""));
    };
    if as_list(first).is_some() || as_tuple(first).is_some() {
        return common_start(&paths);
    }
    let texts = paths.iter().map(text).collect::<Res<Vec<_>>>()?;
    let mut common: Vec<char> = texts[0].chars().collect();
    for text in &texts {
        let same = common
            .iter()
            .zip(text.chars())
            .take_while(|(a, b)| **a == *b)
            .count();
        common.truncate(same);
    }
    like(first, &common.into_iter().collect::<String>())
}

fn common_path(args: &[Value]) -> Res {
    let paths = paths_of(&args[0])?;
    let Some(first) = paths.first() else {
        return Err(value_error("commonpath() arg is an empty sequence"));
    };
    if paths.iter().any(|path| !is_kind(path, first)) {
        return Err(type_error("Can't mix strings and bytes in path components"));
    }
    let texts = paths.iter().map(text).collect::<Res<Vec<_>>>()?;
    let is_absolute = texts[0].starts_with('/');
    if texts.iter().any(|t| t.starts_with('/') != is_absolute) {
        return Err(value_error("Can't mix absolute and relative paths"));
    }
    let parts = |path: &str| {
        path.split('/')
            .filter(|p| !p.is_empty() && *p != ".")
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    let mut common = parts(&texts[0]);
    for text in &texts {
        let same = common
            .iter()
            .zip(parts(text))
            .take_while(|(a, b)| **a == *b)
            .count();
        common.truncate(same);
    }
    like(
        first,
        &format!("{}{}", if is_absolute { "/" } else { "" }, common.join("/")),
    )
}

fn expand_user(args: &[Value]) -> Res {
    let path = text(&args[0])?;
    if !(path == "~" || path.starts_with("~/")) {
        return fspath(&args[0]);
    }
    let Some(home) = super::environ::variable("HOME") else {
        return fspath(&args[0]);
    };
    let whole = format!("{}{}", home.trim_end_matches('/'), &path[1..]);
    like(&args[0], if whole.is_empty() { "/" } else { &whole })
}

fn expand_vars(args: &[Value]) -> Res {
    let path = text(&args[0])?;
    let mut whole = String::new();
    let mut rest = path.as_str();
    while let Some(at) = rest.find('$') {
        whole.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, len) = match after.strip_prefix('{').and_then(|a| a.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        match super::environ::variable(name) {
            Some(value) => whole.push_str(&value),
            None => whole.push_str(&rest[at..at + 1 + len]),
        }
        rest = &after[len..];
    }
    whole.push_str(rest);
    like(&args[0], &whole)
}

/// Asks the system about a path, by a function; false for what is not there or no path.
fn tests(value: &Value, function: &str, test: impl FnOnce(&std::path::Path) -> bool) -> Res {
    match path_arg(value, function) {
        Ok(path) => Ok(Value::bool(test(&path))),
        Err(raised) if matches(&raised, Type::ValueError) || matches(&raised, Type::OSError) => {
            drop(raised.take());
            Ok(Value::FALSE)
        }
        Err(raised) => Err(raised),
    }
}

fn metadata(value: &Value) -> Res<std::fs::Metadata> {
    std::fs::metadata(path_arg(value, "stat")?).map_err(|e| super::failed(e, value))
}

fn time(value: &Value, of: impl FnOnce(&std::fs::Metadata) -> (i64, i64)) -> Res {
    let (seconds, nanos) = of(&metadata(value)?);
    Ok(Value::float(seconds as f64 + 1e-9 * nanos as f64))
}

/// Links that lead to links in more steps than this lead round in a circle.
const MOST_LINKS: usize = 40;

/// The path without links, `.` and `..`. What is not there is kept as it is written, unless `strict`;
/// an error names the path that it is about.
fn resolved(path: &str, strict: bool) -> Result<String, (std::io::Error, String)> {
    let mut pending: Vec<String> = path.split('/').rev().map(str::to_string).collect();
    let mut whole = String::new();
    let mut links = 0;
    while let Some(part) = pending.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                whole.truncate(whole.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let here = format!("{whole}/{part}");
        let found = std::fs::symlink_metadata(&here).and_then(|data| {
            let link = data.is_symlink().then(|| std::fs::read_link(&here));
            link.transpose()
        });
        match found {
            Err(error) if strict => return Err((error, here)),
            Err(_) | Ok(None) => whole = here,
            Ok(Some(_)) if links == MOST_LINKS => {
                if strict {
                    return Err((rustix::io::Errno::LOOP.into(), here));
                }
                whole = here;
            }
            Ok(Some(target)) => {
                links += 1;
                let target = target.to_string_lossy();
                if target.starts_with('/') {
                    whole.clear();
                }
                pending.extend(target.split('/').rev().map(str::to_string));
            }
        }
    }
    Ok(if whole.is_empty() { "/".to_string() } else { whole })
}

fn real_path(args: &[Value]) -> Res {
    let path = text(&args[0])?;
    let path = if path.starts_with('/') {
        path
    } else {
        let here = std::env::current_dir().map_err(|e| super::failed(e, &Value::Unset))?;
        join(&here.to_string_lossy(), &path)
    };
    match resolved(&path, super::flag(&args[1])?) {
        Ok(whole) => like(&args[0], &whole),
        Err((error, place)) => Err(super::failed(error, &Value::from(place))),
    }
}

fn pair(original: &Value, (a, b): (&str, &str)) -> Res {
    Ok(Value::tuple([like(original, a)?, like(original, b)?]))
}

const P: &str = "(p)";
const PATH: &str = "(path)";

const FUNCTIONS: &[NativeDef] = &[
    function("join", "(a, *p)", "Put paths after each other.", join_all),
    function(
        "split",
        P,
        "Return the path's directory and its last part.",
        |args| pair(&args[0], split(&text(&args[0])?)),
    ),
    function(
        "splitext",
        P,
        "Return the path without its extension, and the extension.",
        |args| pair(&args[0], split_ext(&text(&args[0])?)),
    ),
    function("splitdrive", P, "Return an empty drive and the path.", |args| {
        pair(&args[0], ("", &text(&args[0])?))
    }),
    function("isjunction", PATH, "Tell whether it is a junction: no.", |args| {
        fspath(&args[0])?;
        Ok(Value::FALSE)
    }),
    function(
        "isdevdrive",
        PATH,
        "Tell whether it is on a Dev Drive: no.",
        |args| {
            fspath(&args[0])?;
            Ok(Value::FALSE)
        },
    ),
    function(
        "samestat",
        "(s1, s2)",
        "Tell whether two stat results are of one file.",
        |args| {
            let same = |name: &str| -> Res<bool> {
                let [a, b] = [&args[0], &args[1]].map(|s| attribute::get(s, Symbol::new(name)));
                operator::compare_bool(CompareOp::Eq, &a?, &b?)
            };
            Ok(Value::bool(same("st_ino")? && same("st_dev")?))
        },
    ),
    function(
        "sameopenfile",
        "(fp1, fp2)",
        "Tell whether two numbers of open files are of one file.",
        |args| {
            let [a, b] = [&args[0], &args[1]].map(super::descriptor::metadata);
            let (a, b) = (a?, b?);
            Ok(Value::bool(a.dev() == b.dev() && a.ino() == b.ino()))
        },
    ),
    function("basename", P, "Return the last part of a path.", |args| {
        like(&args[0], split(&text(&args[0])?).1)
    }),
    function("dirname", P, "Return the directory of a path.", |args| {
        like(&args[0], split(&text(&args[0])?).0)
    }),
    function("normcase", "(s)", "Return the path: case matters.", |args| {
        fspath(&args[0])
    }),
    function("abspath", PATH, "Return the path from the root.", |args| {
        like(&args[0], &absolute(&text(&args[0])?))
    }),
    function(
        "realpath",
        "(filename, *, strict=False)",
        "Return the path without symbolic links.",
        real_path,
    ),
    function(
        "relpath",
        "(path, start=None)",
        "Return the path as seen from a directory.",
        relative,
    ),
    function(
        "isabs",
        "(s)",
        "Tell whether a path begins at the root.",
        |args| Ok(Value::bool(text(&args[0])?.starts_with('/'))),
    ),
    function(
        "commonprefix",
        "(m)",
        "Return what all texts begin with.",
        common_prefix,
    ),
    function(
        "commonpath",
        "(paths)",
        "Return the longest directory that all paths share.",
        common_path,
    ),
    function(
        "expanduser",
        PATH,
        "Put the home directory in the place of ~.",
        expand_user,
    ),
    function(
        "expandvars",
        PATH,
        "Put variables of the environment in the place of $name.",
        expand_vars,
    ),
    function("exists", PATH, "Tell whether something is there.", |args| {
        tests(&args[0], "stat", |p| p.exists())
    }),
    function(
        "lexists",
        PATH,
        "Tell whether something is there, be it a broken link.",
        |args| tests(&args[0], "lstat", |p| p.symlink_metadata().is_ok()),
    ),
    function("isfile", PATH, "Tell whether a file is there.", |args| {
        tests(&args[0], "stat", |p| p.is_file())
    }),
    function("isdir", "(s)", "Tell whether a directory is there.", |args| {
        tests(&args[0], "stat", |p| p.is_dir())
    }),
    function("islink", PATH, "Tell whether a symbolic link is there.", |args| {
        tests(&args[0], "lstat", |p| p.is_symlink())
    }),
    function(
        "ismount",
        PATH,
        "Tell whether a file system begins there.",
        |args| {
            tests(&args[0], "lstat", |p| {
                match (p.symlink_metadata(), p.join("..").symlink_metadata()) {
                    (Ok(here), Ok(above)) => here.dev() != above.dev() || here.ino() == above.ino(),
                    _ => false,
                }
            })
        },
    ),
    function("getsize", "(filename)", "Return the size of a file.", |args| {
        Ok(Value::Int(metadata(&args[0])?.len() as i64))
    }),
    function(
        "getmtime",
        "(filename)",
        "Return when a file was last written.",
        |args| time(&args[0], |data| (data.mtime(), data.mtime_nsec())),
    ),
    function(
        "getatime",
        "(filename)",
        "Return when a file was last read.",
        |args| time(&args[0], |data| (data.atime(), data.atime_nsec())),
    ),
    function(
        "getctime",
        "(filename)",
        "Return when a file's state last changed.",
        |args| time(&args[0], |data| (data.ctime(), data.ctime_nsec())),
    ),
    function(
        "samefile",
        "(f1, f2)",
        "Tell whether two paths lead to one file.",
        |args| {
            let (a, b) = (metadata(&args[0])?, metadata(&args[1])?);
            Ok(Value::bool(a.dev() == b.dev() && a.ino() == b.ino()))
        },
    ),
];

/// What CPython has in C.
const IN_C: &[NativeDef] = &[
    function(
        "splitroot",
        P,
        "Return an empty drive, the root and the rest of a path.",
        |args| {
            let path = text(&args[0])?;
            let slashes = path.len() - path.trim_start_matches('/').len();
            let root = if slashes == 2 { 2 } else { slashes.min(1) };
            let parts = ["", &path[..root], &path[root..]].map(|part| like(&args[0], part));
            let [drive, root, rest] = parts;
            Ok(Value::tuple([drive?, root?, rest?]))
        },
    ),
    function("normpath", PATH, "Take out what a path says twice.", |args| {
        like(&args[0], &normal(&text(&args[0])?))
    }),
];

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = modules::functions_in_python("posixpath", &[FUNCTIONS]);
    names.extend(modules::functions("posixpath", &[IN_C]));
    let constants = [
        ("sep", Value::from("/")),
        ("altsep", Value::None),
        ("extsep", Value::from(".")),
        ("pathsep", Value::from(":")),
        ("curdir", Value::from(".")),
        ("pardir", Value::from("..")),
        ("defpath", Value::from("/bin:/usr/bin")),
        ("devnull", Value::from("/dev/null")),
        ("supports_unicode_filenames", Value::FALSE),
    ];
    names.extend(
        constants
            .into_iter()
            .map(|(name, value)| (Symbol::new(name), value)),
    );
    names
}
