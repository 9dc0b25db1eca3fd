//! What a person can do about an error that ended the program.
//!
//! Asked only when the error is told, so that errors which are caught cost nothing. What the place that
//! raised it has to say goes first; then the table, the first row that fits.

mod argument;
mod known;
mod lack;
mod table;

use super::outline::{self, Node, Outline, Way, last_name};
use super::report::headline;
use crate::code::{Tree, TreeKind};
use crate::interp::types::{Type, class_name};
use crate::interp::{call, group, import, mapping, namespace, suggest, text};
use crate::source::{Span, Symbol};
use crate::syntax::ast::{Expr, ExprKind, Param, StmtKind};
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

/// What to say of an `except` that the group passed, which names an error of it and does not catch the group.
fn except_without_star(group: &Exception, errors: &[Ref<Exception>]) -> Option<String> {
    let mut row = group.traceback.get();
    while let Some(entry) = row {
        if let Some(class) = passed(&entry, errors) {
            return Some(format!(
                "`except {class}` does not catch a group of errors: write `except* {class}`"
            ));
        }
        row = entry.next.get();
    }
    None
}

/// The name of a class of errors that an `except` around a row of a traceback names.
fn passed(entry: &TraceEntry, errors: &[Ref<Exception>]) -> Option<&'static str> {
    if standing::is_library(&entry.code) {
        return None;
    }
    let outline = Outline::of(&entry.code.source)?;
    let is_of = |name: &Symbol| {
        let is_it = |class: &Ref<Class>| class.name() == name.text();
        errors.iter().any(|error| {
            let class = error.class();
            is_it(&class) || class.mro.borrow().iter().any(is_it)
        })
    };
    let way = outline.way_to(entry.span);
    let blocks = way.iter().rev().filter_map(Node::stmt);
    let own = blocks.take_while(|stmt| !matches!(stmt.kind, StmtKind::Function(_)));
    let mut named = own.flat_map(|stmt| match &stmt.kind {
        StmtKind::Try {
            body,
            handlers,
            is_star: false,
            ..
        } if body.iter().any(|stmt| stmt.span.holds(entry.span)) => &handlers[..],
        _ => &[],
    });
    named.find_map(|handler| {
        let kind = handler.kind.as_ref()?.plain();
        let kinds = match &kind.kind {
            ExprKind::Tuple(kinds) => &kinds[..],
            _ => std::slice::from_ref(kind),
        };
        let name = kinds.iter().filter_map(last_name).find(is_of)?;
        Some(name.text())
    })
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
        Self::queue_of_threads,
        Self::context_without_yield,
        Self::sent_to_its_end,
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
        Self::operator_of_own_class,
        Self::method_of_own_class,
        Self::missing_key,
        Self::parameters,
    ];

    /// `for name, value in d:`
    fn keys_for_items(&self) -> Option<String> {
        self.message.contains("values to unpack").then_some(())?;
        let outline = self.outline()?;
        let way = outline.way_to(self.span());
        let is_here = |target: &Expr, iter: &Expr| target.span == self.span() || iter.span == self.span();
        let iter = way.iter().rev().find_map(|node| match node {
            Node::Stmt(stmt) => match &stmt.kind {
                StmtKind::For { target, iter, .. } if is_here(target, iter) => Some(iter),
                _ => None,
            },
            Node::Expr(expr) => match &expr.kind {
                ExprKind::Comprehension(comprehension) => {
                    let mut clauses = comprehension.clauses.iter();
                    let clause = clauses.find(|clause| is_here(&clause.target, &clause.iter))?;
                    Some(&clause.iter)
                }
                _ => None,
            },
        })?;
        let is_dict = matches!(self.value_of(iter)?, Value::Dict(_));
        let iter = self.source().slice(iter.span);
        is_dict.then(|| format!("a loop over a dict gives its keys: `{iter}.items()` gives both"))
    }

    /// The program's text as a tree.
    fn outline(&self) -> Option<Outline> {
        Outline::of(&self.row.code.source)
    }

    /// `except ValueError as e:`, and `e` behind that.
    fn error_after_its_handler(&self) -> Option<String> {
        let is_unset = self.class == "NameError" || self.class == "UnboundLocalError";
        let name = Symbol::new(self.quoted(0).filter(|_| is_unset)?);
        let outline = self.outline()?;
        let header = |way: &Way| outline::function(way).map(|(_, function)| function.header);
        let own = header(&outline.way_to(self.span()));
        let mut deleted = None;
        outline.each(&mut |way| {
            let Some(stmt) = way.last().and_then(Node::stmt).filter(|_| header(way) == own) else {
                return;
            };
            let is_over = |span: Span| span.end <= self.span().start;
            let is_behind = deleted.is_some_and(|end| end <= stmt.span.start);
            if is_behind && is_over(stmt.span) && outline::binds(stmt, name) {
                deleted = None;
            }
            if let StmtKind::Try { handlers, .. } = &stmt.kind {
                let mut handlers = handlers.iter().rev();
                let handler = handlers.find(|handler| handler.name == Some(name) && is_over(handler.span));
                deleted = handler.map(|handler| handler.span.end).or(deleted);
            }
        });
        deleted.map(|_| {
            let name = name.text();
            format!("`{name}` is deleted at the end of its `except`: keep it there under another name")
        })
    }

    /// A variable of the class, in a comprehension in its body.
    fn name_of_class(&self) -> Option<String> {
        let name = self.quoted(0).filter(|_| self.class == "NameError")?;
        let outline = self.outline()?;
        let way = outline.way_to(self.span());
        let is_comprehension =
            |node: &Node| matches!(node, Node::Expr(expr) if matches!(expr.kind, ExprKind::Comprehension(_)));
        let is_scope = |node: &Node| {
            let scope = node.stmt().map(|stmt| &stmt.kind);
            matches!(scope, Some(StmtKind::Class(_) | StmtKind::Function(_)))
        };
        let place = way.iter().rposition(is_scope)?;
        let (StmtKind::Class(class), inner) = (&way[place].stmt()?.kind, &way[place + 1..]) else {
            return None;
        };
        let is_bound = class
            .body
            .iter()
            .any(|stmt| outline::binds(stmt, Symbol::new(name)));
        (is_bound && inner.iter().any(is_comprehension)).then(|| {
            format!("a comprehension does not see `{name}` of the class around it, only what its first `in` loops over")
        })
    }

    /// A name that the module binds only further down.
    fn defined_below(&self) -> Option<String> {
        let name = Symbol::new(self.quoted(0).filter(|_| self.class == "NameError")?);
        let outline = self.outline()?;
        let mut below = None;
        outline.each(&mut |way| {
            let is_of_module = |node: &Node| match node.stmt().map(|stmt| &stmt.kind) {
                Some(StmtKind::Function(_) | StmtKind::Class(_)) | None => false,
                Some(_) => true,
            };
            if let [above @ .., Node::Stmt(stmt)] = way
                && below.is_none()
                && stmt.span.start > self.span().start
                && above.iter().all(is_of_module)
                && outline::binds(stmt, name)
            {
                below = Some(match &stmt.kind {
                    StmtKind::Function(function) => function.header.start,
                    StmtKind::Class(class) => class.header.start,
                    _ => stmt.span.start,
                });
            }
        });
        let below = self.source().line(below?);
        let name = name.text();
        let put = match outline::function(&outline.way_to(self.span())) {
            Some(_) => "call this function",
            None => "put this",
        };
        Some(format!(
            "`{name}` is defined in line {below}, which has not run yet: {put} below it"
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
        let outline = self.outline()?;
        let mut definitions = Vec::new();
        outline.each(&mut |way| {
            if let Some(StmtKind::Function(function)) = way.last().and_then(Node::stmt).map(|stmt| &stmt.kind)
                && outline::qualname(way) == name
            {
                definitions.push(function);
            }
        });
        let [function] = definitions[..] else { return None };
        if function
            .decorators
            .iter()
            .any(|of| last_name(of) == Some(Symbol::new("staticmethod")))
        {
            return None;
        }
        let params = &function.params;
        let first = params.posonly.first().or(params.args.first());
        let is_object = |param: &Param| matches!(param.name.text(), "self" | "cls");
        if given != takes + 1 || first.is_some_and(is_object) || (first.is_none() && params.vararg.is_some())
        {
            return None;
        }
        let header = self.source().slice(function.header);
        let (def, rest) = header.split_once('(')?;
        let rest = rest.trim_end_matches(':');
        let comma = if rest.trim_start().starts_with(')') {
            ""
        } else {
            ", "
        };
        let rest: Vec<&str> = rest.split_whitespace().collect();
        Some(format!(
            "the first parameter of a method is its object: `{def}(self{comma}{}:`",
            rest.join(" ")
        ))
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
