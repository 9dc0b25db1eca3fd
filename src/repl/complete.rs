//! Which names could stand at the cursor.
//!
//! [`wanted`] reads the line, in the editor's thread; [`candidates`] looks around on the
//! interpreter's. Always true: no script code runs for it, so a property is named, never read.

use super::command;
use super::input::{INDENT, is_command};
use crate::interp::types::{Type, class, class_of};
use crate::interp::{import, namespace};
use crate::library;
use crate::source::{Symbol, name};
use crate::value::*;
use std::collections::BTreeSet;

/// What stands at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    Nothing,
    /// So many spaces more: the cursor is in front of the line's first letter.
    Indent(usize),
    /// `:ta`
    Command {
        prefix: String,
    },
    /// `:load ex`
    File,
    /// `a.b.pre`
    Name {
        path: Vec<String>,
        prefix: String,
    },
    /// `import pre`
    Module {
        prefix: String,
    },
    /// `from module import a, pre`
    Imported {
        module: String,
        prefix: String,
    },
    /// `"text".pre`, `[1].pre`
    OfClass {
        class: Type,
        prefix: String,
    },
}

const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "case", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "match", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// What stands in front of the cursor, and where the part to be completed begins.
pub fn wanted(before: &str) -> (usize, Wanted) {
    let end = before.len();
    let line = before.rsplit('\n').next().unwrap_or("");
    if line.trim().is_empty() {
        return (end, Wanted::Indent(INDENT - line.chars().count() % INDENT));
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let length = line
        .chars()
        .rev()
        .take_while(|&c| is_word(c))
        .map(char::len_utf8)
        .sum::<usize>();
    let word = &line[line.len() - length..];
    if is_command(before) {
        match before.split_once(char::is_whitespace) {
            None => {
                return (
                    1,
                    Wanted::Command {
                        prefix: before[1..].into(),
                    },
                );
            }
            Some((":load", _)) => return (end, Wanted::File),
            Some((":states", _)) => {}
            Some(_) => return (end, Wanted::Nothing),
        }
    }
    let head = line[..line.len() - length].trim();
    if head == "import" || head == "from" {
        return (end - length, Wanted::Module { prefix: word.into() });
    }
    if let Some((module, _)) = head
        .strip_prefix("from ")
        .and_then(|rest| rest.split_once(" import"))
    {
        let (module, prefix) = (module.trim().into(), word.into());
        return (end - length, Wanted::Imported { module, prefix });
    }
    if let (Some(prefix), Some(class)) = (word.strip_prefix('.'), literal(head)) {
        let start = end - prefix.len();
        let prefix = prefix.into();
        return (start, Wanted::OfClass { class, prefix });
    }
    if word.is_empty() || word.starts_with(|c: char| c == '.' || c.is_numeric()) {
        return (end, Wanted::Nothing);
    }
    let mut path: Vec<String> = word.split('.').map(str::to_string).collect();
    let prefix = path.pop().unwrap_or_default();
    (end - prefix.len(), Wanted::Name { path, prefix })
}

/// The class of the text, the number in parentheses or the display that a line ends with.
fn literal(line: &str) -> Option<Type> {
    if line.ends_with(['"', '\'']) {
        return Some(Type::Str);
    }
    let mut depth = 0;
    let opened = line.char_indices().rev().find(|(_, c)| {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' => depth -= 1,
            _ => {}
        }
        depth <= 0
    });
    let (open, bracket) = opened.filter(|(_, c)| matches!(c, '(' | '[' | '{'))?;
    let is_operand = |c: char| c.is_alphanumeric() || matches!(c, '_' | ')' | ']' | '}' | '"' | '\'');
    if line[..open].trim_end().ends_with(is_operand) {
        return None; // a call, or an item of something
    }
    let inside = line[open + 1..line.len() - 1].trim();
    match bracket {
        '[' => Some(Type::List),
        '{' if inside.is_empty() || inside.contains(':') => Some(Type::Dict),
        '{' => Some(Type::Set),
        _ if inside.parse::<i64>().is_ok() => Some(Type::Int),
        _ if inside.parse::<f64>().is_ok() => Some(Type::Float),
        _ if inside.is_empty() || inside.ends_with(',') => Some(Type::Tuple),
        _ => None,
    }
}

/// The words that begin so, in order of the alphabet. Call on the interpreter's thread.
pub fn candidates(wanted: &Wanted) -> Vec<String> {
    match wanted {
        Wanted::Nothing | Wanted::Indent(_) | Wanted::File => Vec::new(),
        Wanted::Command { prefix } => fitting(command::NAMES.iter().copied(), prefix),
        Wanted::Module { prefix } => {
            let loaded = import::loaded();
            let loaded = loaded.iter().map(|(name, _)| name.text());
            fitting((library::MODULES.names)().into_iter().chain(loaded), prefix)
        }
        Wanted::Imported { module, prefix } => {
            let names = imported(module)
                .map(|module| members(&module))
                .unwrap_or_default();
            let modules = (library::MODULES.names)();
            let inner = modules
                .iter()
                .filter_map(|name| name.strip_prefix(&**module)?.strip_prefix('.'));
            fitting(names.into_iter().map(Symbol::text).chain(inner), prefix)
        }
        Wanted::OfClass { class: of, prefix } => {
            let methods = names_in(&class(*of));
            fitting(methods.into_iter().map(Symbol::text), prefix)
        }
        Wanted::Name { path, prefix } => match path.split_first() {
            None => {
                let globals = main_module().map(|module| module.entries()).unwrap_or_default();
                let globals = globals.iter().map(|(name, _)| name.text());
                let builtins = namespace::builtin_names().into_iter().map(Symbol::text);
                let fixed = KEYWORDS.iter().chain(library::PRELUDE).copied();
                fitting(globals.chain(builtins).chain(fixed), prefix)
            }
            Some((first, rest)) => {
                let object = root(Symbol::new(first));
                let object = rest
                    .iter()
                    .try_fold(object, |object, name| Some(Some(peek(&object?, name)?)))
                    .flatten();
                let names = object.map(|object| members(&object)).unwrap_or_default();
                fitting(names.into_iter().map(Symbol::text), prefix)
            }
        },
    }
}

/// Those of the words that begin with the prefix; words with an underscore in front only if it
/// has one.
fn fitting<'a>(words: impl Iterator<Item = &'a str>, prefix: &str) -> Vec<String> {
    let is_name = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let fits = |word: &&str| {
        word.starts_with(prefix) && is_name(word) && (!word.starts_with('_') || prefix.starts_with('_'))
    };
    words
        .filter(fits)
        .map(str::to_string)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// A module that is loaded, or one of the library's, which can be loaded without running a script.
fn imported(module: &str) -> Option<Value> {
    let is_library = (library::MODULES.names)().contains(&module);
    if is_library && let Err(raised) = import::by_name(module) {
        drop(raised.take());
    }
    import::loaded_module(Symbol::new(module))
}

/// The prompt's own module.
pub fn main_module() -> Option<Ref<Module>> {
    match import::loaded()
        .into_iter()
        .find(|(name, _)| *name == name::MAIN)?
        .1
    {
        Value::Module(ref module) => Some(Ref::clone(module)),
        _ => None,
    }
}

/// What a global name stands for, as far as it is there already.
fn root(name: Symbol) -> Option<Value> {
    let global = main_module().and_then(|module| module.get(name));
    global.or_else(|| {
        let asyncio = || main_module().and_then(|module| namespace::variable(&module, name));
        let is_ready = name.text() == "asyncio";
        namespace::builtin(name).or_else(|| is_ready.then(asyncio).flatten())
    })
}

/// An attribute that is there, without computing any.
pub fn peek(object: &Value, name: &str) -> Option<Value> {
    if name == "__class__" {
        return Some(class_of(object).into());
    }
    let name = Symbol::new(name);
    let found = match object {
        Value::Module(module) => module.get(name),
        Value::Class(class) => class.lookup(name),
        Value::Instance(instance) => instance.get(name).or_else(|| instance.class().lookup(name)),
        other => class_of(other).lookup(name),
    }?;
    // What a property or a getter would give is not known.
    let is_computed = match &found {
        Value::Native(native) => native.role.is_getter(),
        Value::Opaque(_) => found.opaque::<descriptor::Property>().is_some(),
        _ => false,
    };
    (!is_computed).then_some(found)
}

/// The names of a module: of one of the library's those that it means for others, and the modules in it.
fn offered(module: &Module) -> Vec<Symbol> {
    let module_name = module.name.text();
    let public = match &module.get(Symbol::new("__all__")) {
        Some(Value::List(list)) => list.items.borrow().clone(),
        _ => Vec::new(),
    };
    let is_library = (library::MODULES.names)().contains(&module_name);
    let is_inner = |value: &Value| {
        let inner = match value {
            Value::Module(inner) => inner.name.text().strip_prefix(module_name),
            _ => None,
        };
        inner.is_some_and(|rest| rest.starts_with('.'))
    };
    let is_public = |name: Symbol| {
        let mut public = public.iter();
        public.any(|public| matches!(public, Value::Str(public) if *public.text == *name.text()))
    };
    let is_for_all = |(name, value): &(Symbol, Value)| {
        !is_library
            || public.is_empty()
            || name.text().starts_with('_')
            || is_public(*name)
            || is_inner(value)
    };
    let entries = module.entries().into_iter().filter(is_for_all);
    entries.map(|(name, _)| name).collect()
}

/// The names in a class, and in those it derives from.
fn names_in(class: &Ref<Class>) -> Vec<Symbol> {
    let classes = class.linear();
    let names = classes
        .iter()
        .flat_map(|class| class.dict.borrow().keys().copied().collect::<Vec<_>>());
    names.collect()
}

/// The names of an object's attributes.
fn members(object: &Value) -> Vec<Symbol> {
    let names = |entries: Vec<(Symbol, Value)>| entries.into_iter().map(|(name, _)| name);
    // What no class has an entry for.
    let mut fixed = vec!["__class__", "__doc__"];
    if matches!(object, Value::Instance(instance) if instance.class().has_dict.get()) {
        fixed.extend(["__dict__", "__module__"]);
    }
    let fixed = fixed.into_iter().map(Symbol::new);
    let own: Vec<Symbol> = match object {
        Value::Module(module) => return offered(module),
        Value::Class(it) => names_in(it)
            .into_iter()
            .chain(names_in(&class(Type::Class)))
            .collect(),
        Value::Instance(instance) => names(instance.entries())
            .chain(names_in(&instance.class()))
            .collect(),
        other => {
            let attrs = match other {
                Value::Exception(e) => e.attrs.entries(),
                Value::Function(f) => f.attrs.entries(),
                Value::Future(f) => f.attrs().entries(),
                Value::Opaque(o) => o.attrs.entries(),
                _ => Vec::new(),
            };
            names(attrs).chain(names_in(&class_of(other))).collect()
        }
    };
    own.into_iter().chain(fixed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_wanted() {
        let name = |path: &[&str], prefix: &str| Wanted::Name {
            path: path.iter().map(|p| p.to_string()).collect(),
            prefix: prefix.into(),
        };
        let of = |class: Type, prefix: &str| Wanted::OfClass {
            class,
            prefix: prefix.into(),
        };
        for (line, start, expected) in [
            ("pri", 0, name(&[], "pri")),
            ("x = asyncio.sl", 12, name(&["asyncio"], "sl")),
            ("f(a.b.", 6, name(&["a", "b"], "")),
            ("await ta", 6, name(&[], "ta")),
            ("f().", 4, Wanted::Nothing),
            ("1.", 2, Wanted::Nothing),
            ("x ", 2, Wanted::Nothing),
            ("", 0, Wanted::Indent(4)),
            ("  ", 2, Wanted::Indent(2)),
            ("if x:\n  ", 8, Wanted::Indent(2)),
            (":ta", 1, Wanted::Command { prefix: "ta".into() }),
            (":load ex", 8, Wanted::File),
            (":states f", 8, name(&[], "f")),
            (":tasks f", 8, Wanted::Nothing),
            (
                "from math import sin, co",
                22,
                Wanted::Imported {
                    module: "math".into(),
                    prefix: "co".into(),
                },
            ),
            ("x = 'a'.jo", 8, of(Type::Str, "jo")),
            ("(3).", 4, of(Type::Int, "")),
            ("f((2.5).is", 8, of(Type::Float, "is")),
            ("x = [1, 2].ap", 11, of(Type::List, "ap")),
            ("{'a': 1}.", 9, of(Type::Dict, "")),
            ("{1, 2}.", 7, of(Type::Set, "")),
            ("f(3).", 5, Wanted::Nothing),
            ("x[3].", 5, Wanted::Nothing),
            ("import asy", 7, Wanted::Module { prefix: "asy".into() }),
            (
                "from coll",
                5,
                Wanted::Module {
                    prefix: "coll".into(),
                },
            ),
        ] {
            assert_eq!(wanted(line), (start, expected), "{line:?}");
        }
    }

    #[test]
    fn hidden_names_are_shown_only_when_asked_for() {
        let words = ["abc", "_ab", "__ab__", "ab", "ab=", "x"];
        assert_eq!(fitting(words.into_iter(), "a"), ["ab", "abc"]);
        assert_eq!(fitting(words.into_iter(), "_"), ["__ab__", "_ab"]);
        assert_eq!(fitting(words.into_iter(), ""), ["ab", "abc", "x"]);
    }
}
