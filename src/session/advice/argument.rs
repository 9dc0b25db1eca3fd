//! What to do about calls whose arguments do not fit, and about calls of what is not meant.

use super::*;

impl Known {
    /// `gather([a(), b()])`
    pub(super) fn listed_awaitables(&self) -> Option<String> {
        let is_it = self.message.starts_with("unhashable type: 'list'")
            || self
                .message
                .starts_with("An asyncio.Future, a coroutine or an awaitable is required");
        let call = self
            .call()
            .filter(|call| is_it && call.name() == Some("gather"))?;
        let given = call.first()?;
        // A generator expression is the call of a function that is made there.
        let is_generator = |func: &Tree| matches!(func.kind, TreeKind::Function(_));
        let write = match &given.kind {
            TreeKind::List(_) | TreeKind::Tuple(_) | TreeKind::Set(_) | TreeKind::Comprehension(_) => "*…",
            TreeKind::Call { func, .. } if is_generator(func) => "*…",
            _ if matches!(self.value(given)?, Value::List(_)) => &format!("*{}", self.text_of(given)),
            _ => return None,
        };
        Some(format!(
            "gather takes what it waits for one by one, not in a list: write `gather({write})`"
        ))
    }

    /// A call of a variable that holds something that cannot be called.
    pub(super) fn hidden_function(&self) -> Option<String> {
        self.message.ends_with("object is not callable").then_some(())?;
        let func = self.call()?.func;
        let TreeKind::Load(_) = func.kind else { return None };
        let (name, what) = (self.text_of(func), self.quoted(0)?);
        // Else what it was given cannot be called, such as `key=3`.
        let is_it = class_name(&self.value(func)?) == what;
        if what == "coroutine" || what == "module" || !is_it {
            return None;
        }
        Some(match namespace::builtin_cell(Symbol::new(name), false) {
            Some(_) => {
                format!("`{name}` was given a value, which hides the built-in function: use another name")
            }
            None => format!("`{name}` is no function here: its value is of class {what}"),
        })
    }

    /// `3 (4)`, `min(items, key=3)`
    pub(super) fn no_function(&self) -> Option<String> {
        let words = self.message.strip_suffix(" object is not callable")?;
        let func = self.call()?.func;
        match &func.kind {
            TreeKind::Constant(_)
            | TreeKind::FString(_)
            | TreeKind::List(_)
            | TreeKind::Tuple(_)
            | TreeKind::Set(_)
            | TreeKind::Dict(_)
            | TreeKind::Binary { .. } => Some("is a comma or an operator missing before the `(`?".into()),
            TreeKind::Load(_) if matches!(words, "'int'" | "'str'" | "'float'" | "'bool'" | "'NoneType'") => {
                Some(format!(
                    "`{}` was given a value to call that is no function",
                    self.text_of(func)
                ))
            }
            _ => None,
        }
    }

    /// `to_thread(work(3))` for `to_thread(work, 3)`
    pub(super) fn call_for_function(&self) -> Option<String> {
        self.message.ends_with("object is not callable").then_some(())?;
        let taker = self.call()?.name()?;
        matches!(taker, "to_thread" | "run_in_executor" | "submit").then(|| {
            format!(
                "{taker}() calls what it is given: give it the function itself, and behind that what to call it with"
            )
        })
    }

    /// `self.size = 3` in a class with a method `size`.
    pub(super) fn hidden_method(&self) -> Option<String> {
        self.message.ends_with("object is not callable").then_some(())?;
        let TreeKind::Attribute { object, name } = &self.call()?.func.kind else {
            return None;
        };
        let Value::Instance(instance) = &self.value(object)? else {
            return None;
        };
        let is_own = instance.entries().iter().any(|(own, _)| own == name);
        let is_method = matches!(instance.class().lookup(*name), Some(Value::Function(_)));
        (is_own && is_method)
            .then(|| format!("`self.{name}` was given a value, which hides the method of that name"))
    }

    /// Items of a heap that cannot be compared.
    pub(super) fn compared_items(&self) -> Option<String> {
        let is_it = self.message.starts_with("'<' not supported between instances of");
        let name = self.call().filter(|_| is_it)?.name()?;
        let compares = matches!(
            name,
            "put" | "put_nowait" | "heappush" | "get" | "get_nowait" | "heappop"
        );
        compares.then(|| {
            "the items are compared, and those of equal priority by what comes next: put a counter between".into()
        })
    }

    /// `create_task(work, 1)` for `create_task(work(1))`
    pub(super) fn arguments_beside(&self) -> Option<String> {
        const TAKERS: &[&str] = &[
            "create_task",
            "run",
            "ensure_future",
            "run_until_complete",
            "spawn",
        ];
        let call = self.call()?;
        let callee = call.name().filter(|name| TAKERS.contains(name))?;
        self.message
            .contains(&format!("{callee}() takes "))
            .then_some(())?;
        let work = call.first()?;
        let is_function = matches!(self.value(work)?, Value::Function(_));
        is_function.then(|| {
            let work = self.text_of(work);
            format!("{callee}() takes a coroutine, not what it is made from: `{callee}({work}(…))`")
        })
    }

    /// `def _init_(self, name):`
    pub(super) fn misspelt_init(&self) -> Option<String> {
        let class = self.message.strip_suffix("() takes no arguments")?;
        let Value::Class(class) = &self.variable(class)? else {
            return None;
        };
        let dict = class.dict.borrow();
        let mut methods = dict.iter().filter_map(|(name, value)| match value {
            Value::Function(_) => Some(name.text()),
            _ => None,
        });
        let is_it = |name: &&str| {
            let bare: String = name.chars().filter(|c| c.is_alphabetic()).collect();
            matches!(&*bare, "init" | "int" | "inti" | "iint" | "initt" | "__init")
        };
        let wrong = methods.find(is_it)?;
        Some(format!("the method `{wrong}` is to be `__init__`"))
    }

    /// `box.size()` of a property.
    pub(super) fn called_property(&self) -> Option<String> {
        self.message.ends_with("object is not callable").then_some(())?;
        let TreeKind::Attribute { object, name } = &self.call()?.func.kind else {
            return None;
        };
        let class = self.class_of(object)?;
        let found = class.lookup(*name)?;
        matches!(class_name(&found), "property" | "cached_property")
            .then(|| format!("`{name}` is a property: leave out the `()`"))
    }

    /// `call_later(ring, 1)`
    pub(super) fn delay_behind_callback(&self) -> Option<String> {
        let call = self.call().filter(|_| self.is(Type::TypeError))?;
        let name = call
            .name()
            .filter(|name| matches!(*name, "call_later" | "call_at"))?;
        let given = call.first()?;
        let is_callback = call::is_callable(&self.value(given)?);
        is_callback.then(|| format!("the time comes first: `{name}(1, {})`", self.text_of(given)))
    }

    /// `run_in_executor(work, 3)`
    pub(super) fn executor_left_out(&self) -> Option<String> {
        let is_it = self.is(Type::AttributeError) && self.quoted(1) == Some("submit");
        let name = self.call().filter(|_| is_it)?.name()?;
        (name == "run_in_executor").then(|| {
            "the executor comes first, and None stands for the default one: `run_in_executor(None, …)`".into()
        })
    }

    /// `lock = asyncio.Lock`, `async with lock:`
    pub(super) fn class_for_object(&self) -> Option<String> {
        let is_it = self.message.starts_with("'type' object does not support the")
            && self.message.contains("context manager protocol");
        let entered = self.tree().filter(|_| is_it)?;
        let entered = match &entered.kind {
            TreeKind::Enter { context, .. } => context,
            _ => entered,
        };
        let Value::Class(class) = &self.value(entered)? else {
            return None;
        };
        Some(format!(
            "this is a class: `{}()` makes an object of it",
            class.name()
        ))
    }

    /// `def __exit__(self):`
    pub(super) fn exit_without_error(&self) -> Option<String> {
        let (method, _) = self.message.split_once("() takes ")?;
        let (_, method) = method.rsplit_once('.')?;
        matches!(method, "__exit__" | "__aexit__").then(|| {
            format!("it is given the error that ended the block, or None: `{method}(self, kind, error, traceback)`")
        })
    }

    /// `queue.push(1)`, `task.join()`, `asyncio.spawn(work())`
    pub(super) fn foreign_method(&self) -> Option<String> {
        let owner = self.quoted(0).filter(|_| self.is(Type::AttributeError))?;
        let owner = owner.rsplit('.').next()?;
        let name = self.quoted(1)?;
        if self.source().text.contains(&format!("class {owner}")) {
            return None; // the program's own
        }
        let (.., own) = FOREIGN_METHODS
            .iter()
            .find(|(owners, names, _)| owners.contains(&owner) && names.contains(&name))?;
        Some(format!("Python has {own} for that"))
    }
}
