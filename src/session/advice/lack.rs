//! What to do where the program's own classes lack a method, or a call does not fit the parameters.

use super::*;

/// The operators that a class may define, and their methods.
const OPERATORS: &[(&str, &str)] = &[
    ("+", "__add__"),
    ("-", "__sub__"),
    ("*", "__mul__"),
    ("/", "__truediv__"),
    ("//", "__floordiv__"),
    ("%", "__mod__"),
    ("@", "__matmul__"),
    ("&", "__and__"),
    ("|", "__or__"),
    ("^", "__xor__"),
    ("<<", "__lshift__"),
    (">>", "__rshift__"),
    ("+=", "__add__"),
    ("-=", "__sub__"),
    ("*=", "__mul__"),
    ("|=", "__or__"),
];

/// Words of a message, and the method that is missing.
const METHODS: &[(&str, &str)] = &[
    ("has no len()", "__len__"),
    ("object is not iterable", "__iter__"),
    ("object is not an iterator", "__next__"),
    ("object is not subscriptable", "__getitem__"),
    ("object does not support item assignment", "__setitem__"),
    ("object doesn't support item deletion", "__delitem__"),
    ("is not a container or iterable", "__contains__"),
];

/// Parameters are told up to this length.
const LONGEST_PARAMETERS: usize = 80;

impl Known {
    /// Whether a name is that of a class that the program defines.
    fn is_own_class(&self, name: &str) -> bool {
        let outline = self.outline();
        let mut found = false;
        if let Some(outline) = &outline {
            outline.each(&mut |way| {
                let stmt = way.last().and_then(Node::stmt);
                found |= matches!(stmt.map(|stmt| &stmt.kind), Some(StmtKind::Class(class)) if class.name.text() == name);
            });
        }
        found
    }

    /// `Point(1, 2) + Point(3, 4)`, `sorted(points)`
    pub(super) fn operator_of_own_class(&self) -> Option<String> {
        let own = self.quoted(0).filter(|_| self.is(Type::TypeError))?;
        if let Some(rest) = self.message.strip_prefix("unsupported operand type(s) for ") {
            let (sign, operands) = rest.split_once(": ")?;
            let left = operands.split('\'').nth(1)?;
            let (_, method) = OPERATORS.iter().find(|(own, _)| *own == sign)?;
            return self.is_own_class(left).then(|| {
                format!(
                    "`{left}` says what `{sign}` does with its objects in a method `{method}(self, other)`"
                )
            });
        }
        let between = " not supported between instances of ";
        let left = self.message.split_once(between)?.1.split('\'').nth(1)?;
        (own.starts_with(['<', '>']) && self.is_own_class(left)).then(|| {
            format!(
                "`key=` says by what objects of `{left}` are compared, or a method `__lt__(self, other)` of it does"
            )
        })
    }

    /// `len(team)`, `for player in team`
    pub(super) fn method_of_own_class(&self) -> Option<String> {
        let class = self.quoted(0).filter(|_| self.is(Type::TypeError))?;
        let (_, method) = METHODS.iter().find(|(words, _)| self.message.ends_with(words))?;
        self.is_own_class(class).then(|| {
            format!("`{class}` has no method `{method}`: is what you mean in an attribute of the object?")
        })
    }

    /// A key that a dict does not have.
    pub(super) fn missing_key(&self) -> Option<String> {
        if self.class != "KeyError" {
            return None;
        }
        let indexed = self.indexed()?;
        match &self.value(indexed)? {
            Value::Dict(_) => {}
            Value::Class(class) => return self.misspelt_member(class),
            _ => return None,
        }
        let dict = self.text_of(indexed);
        Some(match self.adds() {
            true => format!(
                "there is no such key yet: `{dict}.get(key, 0)` gives 0 then, and a collections.defaultdict begins with a value"
            ),
            false => {
                format!("there is no such key: `in` asks for one, and `{dict}.get(key)` gives None then")
            }
        })
    }

    /// Whether the statement adds to what it asks for: `d[key] += 1`.
    fn adds(&self) -> bool {
        let Some(outline) = self.outline() else {
            return false;
        };
        let way = outline.way_to(self.span());
        let stmt = way.iter().rev().find_map(Node::stmt);
        matches!(stmt.map(|stmt| &stmt.kind), Some(StmtKind::AugAssign { target, .. }) if target.span == self.span())
    }

    /// `Color["red"]`
    fn misspelt_member(&self, class: &Class) -> Option<String> {
        let Some(Value::Str(wrong)) = &self.error.arg(0) else {
            return None;
        };
        let dict = class.dict.borrow();
        let mut names = dict.iter().map(|(name, _)| name.text());
        let right = names.find(|name| name.eq_ignore_ascii_case(&wrong.text))?;
        Some(format!("did you mean '{right}'?"))
    }

    /// `f(1, 2, 3)` of `def f(a, b):`
    pub(super) fn parameters(&self) -> Option<String> {
        let is_misfit = [
            "() takes ",
            "() missing ",
            "() got an unexpected keyword",
            "() got multiple values",
        ];
        let is_it = self.is(Type::TypeError) && is_misfit.iter().any(|words| self.message.contains(words));
        let (name, _) = self.message.split_once("()").filter(|_| is_it)?;
        let outline = self.outline()?;
        let mut headers = Vec::new();
        outline.each(&mut |way| {
            if let Some(StmtKind::Function(function)) = way.last().and_then(Node::stmt).map(|stmt| &stmt.kind)
                && outline::qualname(way) == name
            {
                headers.push(function.header);
            }
        });
        let [header] = headers[..] else { return None };
        let line = self.source().line(header.start);
        let header: Vec<&str> = self.source().slice(header).split_whitespace().collect();
        let header = header.join(" ");
        (header.len() <= LONGEST_PARAMETERS).then(|| format!("line {line} has `{header}`"))
    }

    /// `await queue.put(1)` of a `queue.Queue`.
    pub(super) fn queue_of_threads(&self) -> Option<String> {
        let is_it = self.message.ends_with("can't be used in 'await' expression");
        let TreeKind::Attribute { object, name } = &self.call().filter(|_| is_it)?.func.kind else {
            return None;
        };
        let class = self.class_of(object)?;
        let is_threads = matches!(&*class.module.borrow(), Value::Str(module) if matches!(&*module.text, "queue" | "threading" | "_queue"));
        let is_both = matches!(name.text(), "put" | "get" | "join" | "wait" | "acquire");
        (is_threads && is_both).then(|| {
            let class = class.name();
            format!("this {class} is one for threads: tasks have `asyncio.{class}`")
        })
    }

    /// `with context():` of a function that does not yield.
    pub(super) fn context_without_yield(&self) -> Option<String> {
        let is_it = self.message == "'NoneType' object is not an iterator"
            || self.message.starts_with("generator didn't");
        let is_next = self.call().is_some_and(|call| call.name() == Some("next"));
        (is_it && !is_next)
            .then(|| "a function under `@contextmanager` is to `yield` once, whatever happens".into())
    }

    /// `coroutine.send(None)`
    pub(super) fn sent_to_its_end(&self) -> Option<String> {
        let is_it = self.class == "StopIteration" && self.call()?.name() == Some("send");
        is_it.then(|| {
            "what ends raises StopIteration to who calls send(): a coroutine is run by `await` or asyncio.run(…)".into()
        })
    }
}
