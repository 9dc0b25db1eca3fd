//! What a person can do about an error that ended the program.
//!
//! Asked only when the error is told, so that errors which are caught cost nothing. What the place that
//! raised it has to say goes first; then the table, the first row that fits.

mod argument;
mod known;
mod table;

use super::report::headline;
use crate::code::{Tree, TreeKind};
use crate::interp::types::{Type, class_name};
use crate::interp::{call, group, import, mapping, namespace, suggest, text};
use crate::source::Symbol;
use crate::tools::lint::catalog;
use crate::tools::standing;
use crate::value::*;
use known::{Known, assigns_attribute};
use table::*;

/// So many errors of a group are named one by one.
const NAMED: usize = 4;

/// What to do about an error, and where to read more.
pub fn advice(error: &Ref<Exception>) -> Option<String> {
    if let Some(members) = group::members(error) {
        return members_of(error, &members);
    }
    let Some(known) = Known::of(error) else {
        let words = words(error);
        let takes_none = words.ends_with("() takes 0 positional arguments but 1 was given");
        let one_more =
            "what calls it gives it something, as a done callback is given its task: it needs a parameter";
        return in_table(error.class().name(), &words).or(takes_none.then(|| one_more.into()));
    };
    let own = error.hint.get().map(|hint| hint.help.to_string());
    let lint = catalog::of_error(&known.class, &known.message);
    // What cannot be entered in the one way nor in the other is no matter of `async`.
    let is_no_manager = known.message.contains("context manager protocol") && own.is_none();
    let lint = lint.filter(|_| !is_no_manager);
    let advice = Known::BEFORE
        .iter()
        .find_map(|row| row(&known))
        .or(own)
        .or_else(|| in_table(&known.class, &known.message))
        .or_else(|| Known::AFTER.iter().find_map(|row| row(&known)))
        .or_else(|| lint.map(|lint| lint.sentence.to_string()));
    match (advice, lint) {
        (Some(advice), Some(lint)) => Some(format!("{advice}\n`aio explain {}` tells more", lint.number)),
        (advice, _) => advice,
    }
}

/// What an error says.
fn words(error: &Ref<Exception>) -> String {
    text::str(&error.clone().into()).unwrap_or_else(|raised| {
        drop(raised.take());
        String::new()
    })
}

fn in_table(class: &str, message: &str) -> Option<String> {
    let fits = |(of, words, _): &&(&str, &str, &str)| {
        *of == class && words.split(" | ").any(|words| message.contains(words))
    };
    TABLE.iter().find(fits).map(|(.., advice)| (*advice).to_string())
}

/// The errors of a group in a line each, with where they were raised.
fn members_of(group: &Ref<Exception>, members: &[Value]) -> Option<String> {
    let errors = leaves(members);
    let missed = except_without_star(group, &errors);
    let mut told: Vec<(String, usize)> = Vec::new();
    for error in errors.iter().map(line_of) {
        match told.iter_mut().find(|(other, _)| *other == error) {
            Some((_, times)) => *times += 1,
            None => told.push((error, 1)),
        }
    }
    let left_out = told.len().saturating_sub(NAMED);
    told.truncate(NAMED);
    let mut told: Vec<String> = told
        .into_iter()
        .map(|(error, times)| match times {
            1 => error,
            times => format!("{error}, {times} times"),
        })
        .collect();
    if left_out > 0 {
        told.push(format!("and {left_out} more"));
    }
    told.extend(missed);
    Some(format!("it holds these errors:\n{}", told.join("\n")))
}

/// What to say of an `except` around the place that names an error of the group, and does not catch the group.
fn except_without_star(group: &Exception, errors: &[Ref<Exception>]) -> Option<String> {
    let (code, span) = standing::raised(group)?;
    let below = code.source.text.get(span.end as usize..)?;
    let catches = |class: &str| {
        let clause = format!("except {class}");
        let mut lines = below.lines().map(str::trim_start);
        lines.any(|line| {
            line.strip_prefix(&*clause)
                .is_some_and(|rest| rest.starts_with([':', ' ']))
        })
    };
    let class = errors
        .iter()
        .map(|error| error.class().name())
        .find(|class| catches(class))?;
    Some(format!(
        "`except {class}` does not catch a group of errors: write `except* {class}`"
    ))
}

/// The errors in a group, and in groups in it, in their order.
fn leaves(members: &[Value]) -> Vec<Ref<Exception>> {
    let mut left: Vec<Value> = members.iter().rev().cloned().collect();
    let mut leaves = Vec::new();
    while let Some(member) = left.pop() {
        let Value::Exception(member) = &member else {
            continue;
        };
        match group::members(member) {
            Some(inner) => left.extend(inner.into_iter().rev()),
            None => leaves.push(Ref::clone(member)),
        }
    }
    leaves
}

/// An error of a group, with the line where it came up.
fn line_of(error: &Ref<Exception>) -> String {
    let line =
        standing::raised(error).map(|(code, span)| format!(" (line {})", code.source.line(span.start)));
    format!("{}{}", headline(error), line.unwrap_or_default())
}

type Row = fn(&Known) -> Option<String>;

impl Known {
    /// These know better than the place that raised the error, which does not see the text around it.
    const BEFORE: &'static [Row] = &[
        Self::listed_awaitables,
        Self::delay_behind_callback,
        Self::executor_left_out,
        Self::class_for_object,
        Self::compared_items,
        Self::foreign_method,
        Self::hidden_function,
        Self::keys_for_items,
        Self::error_after_its_handler,
        Self::name_of_class,
        Self::defined_below,
        Self::attribute_of_self,
    ];
    const AFTER: &'static [Row] = &[
        Self::no_function,
        Self::method_without_object,
        Self::exit_without_error,
        Self::function_for_coroutine,
        Self::number_and_text,
        Self::not_a_number,
        Self::foreign_name,
        Self::foreign_attribute,
        Self::unchangeable,
        Self::item_as_attribute,
        Self::base_without_init,
        Self::class_of_module,
        Self::hidden_module,
        Self::misspelt_key,
        Self::getter,
        Self::call_for_function,
        Self::arguments_beside,
        Self::misspelt_init,
        Self::called_property,
        Self::hidden_method,
        Self::error_among_results,
    ];

    /// `for name, value in d:`
    fn keys_for_items(&self) -> Option<String> {
        self.message.contains("values to unpack").then_some(())?;
        let line = self.source().line_text(self.source().line(self.span().start));
        let iter = line.trim_start().strip_prefix("for ")?.split_once(" in ")?.1;
        let iter = iter.split(':').next()?.trim();
        let is_dict = matches!(self.variable(iter)?, Value::Dict(_));
        is_dict.then(|| format!("a loop over a dict gives its keys: `{iter}.items()` gives both"))
    }

    /// The lines above the place of the error, the nearest first.
    fn lines_above(&self) -> impl Iterator<Item = &str> {
        let line = self.source().line(self.span().start);
        (1..line).rev().map(|line| self.source().line_text(line))
    }

    /// `except ValueError as e:`, and `e` behind that.
    fn error_after_its_handler(&self) -> Option<String> {
        let is_unset = self.class == "NameError" || self.class == "UnboundLocalError";
        let name = self.quoted(0).filter(|_| is_unset)?;
        let caught = format!(" as {name}:");
        let mut above = self.lines_above().map(str::trim_start);
        let nearest = above.find(|text| {
            let is_handler = text.starts_with("except") && text.contains(&caught);
            is_handler || text.starts_with("def ") || text.starts_with(&format!("{name} ="))
        })?;
        nearest.starts_with("except").then(|| {
            format!("`{name}` is deleted at the end of its `except`: keep it there under another name")
        })
    }

    /// A variable of the class, in a comprehension in its body.
    fn name_of_class(&self) -> Option<String> {
        let name = self.quoted(0).filter(|_| self.class == "NameError")?;
        let line = self.source().line_text(self.source().line(self.span().start));
        let depth = line.len() - line.trim_start().len();
        if depth == 0 || !line.contains(" for ") {
            return None;
        }
        let mut is_bound = false;
        for text in self.lines_above().filter(|text| !text.trim().is_empty()) {
            let code = text.trim_start();
            match (text.len() - code.len()).cmp(&depth) {
                std::cmp::Ordering::Equal => is_bound |= code.starts_with(&format!("{name} =")),
                std::cmp::Ordering::Less => {
                    return (is_bound && code.starts_with("class ")).then(|| {
                        format!("a comprehension does not see `{name}` of the class around it, only what its first `in` loops over")
                    });
                }
                std::cmp::Ordering::Greater => {}
            }
        }
        None
    }

    /// A name that the module binds only further down.
    fn defined_below(&self) -> Option<String> {
        let name = self.quoted(0).filter(|_| self.class == "NameError")?;
        let line = self.source().line(self.span().start);
        let last = self.source().line(self.source().text.len() as u32);
        let binds = |line: &u32| {
            let text = self.source().line_text(*line);
            let text = text.strip_prefix("async ").unwrap_or(text);
            let named = ["def ", "class "].iter().find_map(|word| text.strip_prefix(word));
            named.is_some_and(|rest| {
                rest.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(['(', ':', ' ']))
            })
        };
        let below = (line + 1..=last).find(binds)?;
        Some(format!(
            "`{name}` is defined in line {below}, which has not run yet: put this below it"
        ))
    }

    /// `total += 1` in a method whose object has a `total`.
    fn attribute_of_self(&self) -> Option<String> {
        let name = self.quoted(0).filter(|_| self.is(Type::UnboundLocalError))?;
        let Value::Instance(own) = &self.variable("self")? else {
            return None;
        };
        let has_it = own.entries().iter().any(|(own, _)| own.text() == name);
        has_it.then(|| format!("did you mean `self.{name}`?"))
    }

    /// `def method():` or `def method(name):` in a class.
    fn method_without_object(&self) -> Option<String> {
        let (name, counts) = self.message.split_once("() takes ")?;
        let (_, method) = name.rsplit_once('.')?;
        if name.ends_with(&format!("<locals>.{method}")) {
            return None;
        }
        let mut counts = counts.split(' ').filter_map(|word| word.parse::<usize>().ok());
        let (takes, given) = (counts.next()?, counts.next()?);
        let head = format!("def {method}(");
        let mut definitions = self.source().text.match_indices(&head);
        let (Some((start, _)), None) = (definitions.next(), definitions.next()) else {
            return None;
        };
        let params = self.source().text.get(start + head.len()..)?.split(')').next()?;
        let first = params.split([',', ':', '=']).next()?.trim();
        let is_it = given == takes + 1 && !matches!(first, "self" | "cls") && !first.starts_with('*');
        let params = match params.trim() {
            "" => String::new(),
            params => format!(", {params}"),
        };
        is_it.then(|| format!("the first parameter of a method is its object: `{head}self{params}):`"))
    }

    /// `asyncio.run(main)`
    fn function_for_coroutine(&self) -> Option<String> {
        let given = self
            .message
            .strip_prefix("a coroutine was expected, got <function ")?;
        let name = given.split(' ').next()?;
        Some(format!("call the function: `{name}()` gives the coroutine"))
    }

    fn number_and_text(&self) -> Option<String> {
        let order = self.message.split_once(" not supported between instances of ");
        let operands = match order {
            Some((_, operands)) => operands,
            None => self.message.strip_prefix("unsupported operand type(s) for ")?,
        };
        let is_text = operands.contains("'str'");
        let is_number = operands.contains("'int'") || operands.contains("'float'");
        (is_text && is_number).then(|| {
            "a number and a text: int(…) or float(…) makes a number of a text, str(…) a text of a number"
                .into()
        })
    }

    fn not_a_number(&self) -> Option<String> {
        if let Some(text) = self.message.strip_prefix("could not convert string to float: ") {
            let digits = text.trim_matches(['\'', '"']).replace(',', ".");
            return Some(match digits.parse::<f64>() {
                Ok(_) => "the sign before the fraction is '.', not ','".into(),
                Err(_) => "float() takes the digits of a number; catch ValueError if the text may be \
                           something else"
                    .into(),
            });
        }
        let text = self
            .message
            .strip_prefix("invalid literal for int() with base 10: ")?;
        Some(match text.trim_matches(['\'', '"']) {
            "" => "the text is empty".into(),
            digits if digits.parse::<f64>().is_ok() => {
                "int() takes whole numbers: int(float(…)) cuts off the rest".into()
            }
            _ => {
                "int() takes the digits of a whole number; catch ValueError if the text may be something else"
                    .into()
            }
        })
    }

    fn foreign_name(&self) -> Option<String> {
        let name = self.quoted(0).filter(|_| self.is(Type::NameError))?;
        if name == "self" {
            return Some("only methods know `self`, which is their first parameter".into());
        }
        let (_, own) = FOREIGN.iter().find(|(foreign, _)| *foreign == name)?;
        Some(format!("Python says `{own}`"))
    }

    fn foreign_attribute(&self) -> Option<String> {
        let is_builtin = |class: &&str| {
            matches!(
                *class,
                "str"
                    | "list"
                    | "dict"
                    | "set"
                    | "tuple"
                    | "bytes"
                    | "coroutine"
                    | "_asyncio.Task"
                    | "Future"
            )
        };
        self.quoted(0)
            .filter(|_| self.is(Type::AttributeError))
            .filter(is_builtin)?;
        let name = self.quoted(1)?;
        let (_, own) = FOREIGN_ATTRIBUTES.iter().find(|(foreign, _)| *foreign == name)?;
        Some(format!("Python has {own} for that"))
    }

    /// `(1, 2).append(3)`
    fn unchangeable(&self) -> Option<String> {
        const CHANGE: &[&str] = &[
            "append", "extend", "insert", "remove", "pop", "sort", "reverse", "add", "discard", "update",
        ];
        let class = self.quoted(0).filter(|_| self.is(Type::AttributeError))?;
        let instead = match class {
            "tuple" => "a tuple cannot be changed: use a list",
            "frozenset" => "a frozenset cannot be changed: use a set",
            "str" => "a text cannot be changed: make a new one, or collect its parts in a list",
            _ => return None,
        };
        CHANGE.contains(&self.quoted(1)?).then(|| instead.into())
    }

    /// `d.name` for `d["name"]`
    fn item_as_attribute(&self) -> Option<String> {
        let name = self.quoted(1).filter(|_| self.is(Type::AttributeError))?;
        let object = self.asked()?;
        let Value::Dict(dict) = &self.value(object)? else {
            return None;
        };
        let is_it = |key: &Value| matches!(key, Value::Str(key) if *key.text == *name);
        let has_it = mapping::entries(dict).iter().any(|(key, _)| is_it(key));
        has_it.then(|| {
            let object = self.text_of(object);
            format!("what is in a dict is asked for by its key: `{object}[\"{name}\"]`")
        })
    }

    /// An attribute that the `__init__` of a base makes, which that of the class does not call.
    fn base_without_init(&self) -> Option<String> {
        let name = self.quoted(1).filter(|_| self.is(Type::AttributeError))?;
        let Value::Instance(instance) = &self.value(self.asked()?)? else {
            return None;
        };
        let class = instance.class();
        let bases = class.mro.borrow();
        let mut inits = std::iter::once(&class).chain(bases.iter()).filter_map(|class| {
            match class.dict.borrow().get(&Symbol::new("__init__")) {
                Some(Value::Function(init)) => Some((Ref::clone(class), init.code.clone())),
                _ => None,
            }
        });
        let (_, own) = inits.next()?;
        if own.names_read().iter().any(|name| name.text() == "super") {
            return None;
        }
        let (base, _) = inits.find(|(_, init)| assigns_attribute(init, name))?;
        Some(format!(
            "the `__init__` of {} makes `{name}`, and was not called: `super().__init__(…)`",
            base.name()
        ))
    }

    /// `datetime.now()` for `datetime.datetime.now()`
    fn class_of_module(&self) -> Option<String> {
        let module = self.quoted(0).filter(|_| self.message.starts_with("module '"))?;
        let name = self.quoted(1)?;
        let Value::Module(loaded) = &import::loaded_module(Symbol::new(module))? else {
            return None;
        };
        let Value::Class(class) = &loaded.get(Symbol::new(module))? else {
            return None;
        };
        let has_it = class.lookup(Symbol::new(name)).is_some();
        has_it.then(|| format!("did you mean `{module}.{module}.{name}`?"))
    }

    /// `math = 3`, `math.pi`
    fn hidden_module(&self) -> Option<String> {
        let object = self.asked().filter(|_| self.is(Type::AttributeError))?;
        let TreeKind::Load(_) = object.kind else {
            return None;
        };
        let name = self.text_of(object);
        let is_hidden =
            import::is_known_module(Symbol::new(name)) && !matches!(self.value(object)?, Value::Module(_));
        is_hidden.then(|| format!("`{name}` was given a value, which hides the module of that name"))
    }

    /// `d["nmae"]`
    fn misspelt_key(&self) -> Option<String> {
        let Some(Value::Str(wrong)) = &self.error.arg(0).filter(|_| self.class == "KeyError") else {
            return None;
        };
        let Value::Dict(dict) = &self.value(self.indexed()?)? else {
            return None;
        };
        let entries = mapping::entries(dict);
        let keys = || {
            entries.iter().filter_map(|(key, _)| match key {
                Value::Str(key) => Some(&*key.text),
                _ => None,
            })
        };
        let close = suggest::closest(&wrong.text, keys());
        let close = close.or_else(|| suggest::swapped(&wrong.text, keys()))?;
        Some(format!("did you mean '{close}'?"))
    }

    /// `task.name` for `task.get_name()`
    fn getter(&self) -> Option<String> {
        let name = self.quoted(1).filter(|_| self.is(Type::AttributeError))?;
        let class = self.class_of(self.asked()?)?;
        let names = [format!("get_{name}"), format!("is_{name}")];
        let found = names
            .iter()
            .find(|name| class.lookup(Symbol::new(name)).is_some())?;
        Some(format!("did you mean `.{found}()`?"))
    }

    /// An error that is computed with like a result.
    fn error_among_results(&self) -> Option<String> {
        let is_error = |n: usize| {
            self.quoted(n)
                .is_some_and(|class| class.ends_with("Error") || class.ends_with("Exception"))
        };
        let is_it = self.is(Type::TypeError) && (is_error(0) || is_error(1));
        (is_it && self.source().text.contains("return_exceptions=True")).then(|| {
            "an error is among the results: gather(return_exceptions=True) gives errors as they are".into()
        })
    }
}
