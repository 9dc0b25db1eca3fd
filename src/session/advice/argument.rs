//! What to do about calls whose arguments do not fit, and about calls of what is not meant.

use super::*;

impl Known {
    /// `create_task(work, 1)` for `create_task(work(1))`
    pub(super) fn arguments_beside(&self) -> Option<String> {
        const TAKERS: &[&str] = &[
            "create_task",
            "run",
            "ensure_future",
            "run_until_complete",
            "spawn",
        ];
        let (callee, _) = self.message.split_once("() takes ")?;
        let callee = callee.rsplit('.').next()?;
        let given = self.text().split_once(&format!("{callee}("))?.1;
        let (work, _) = given.split_once(',')?;
        let is_function = matches!(self.variable(work.trim())?, Value::Function(_));
        (is_function && TAKERS.contains(&callee))
            .then(|| format!("{callee}() takes a coroutine, not what it is made from: `{callee}({work}(…))`"))
    }

    /// `gather(coroutines)` of a list.
    pub(super) fn list_of_awaitables(&self) -> Option<String> {
        self.message
            .starts_with("unhashable type: 'list'")
            .then_some(())?;
        let given = self.text().split_once("gather(")?.1;
        let name = given.split([',', ')']).next()?.trim();
        matches!(self.variable(name)?, Value::List(_))
            .then(|| format!("gather takes what it waits for one by one, not in a list: `gather(*{name})`"))
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
        let (_, name) = self.text().strip_suffix("()")?.rsplit_once('.')?;
        let lines: Vec<&str> = self.source.text.lines().map(str::trim).collect();
        let is_property = lines.windows(2).any(|pair| {
            matches!(
                pair[0],
                "@property" | "@cached_property" | "@functools.cached_property"
            ) && pair[1].starts_with(&format!("def {name}("))
        });
        is_property.then(|| format!("`{name}` is a property: leave out the `()`"))
    }

    /// `queue.push(1)`, `task.join()`, `asyncio.spawn(work())`
    pub(super) fn foreign_method(&self) -> Option<String> {
        let owner = self.quoted(0).filter(|_| self.is(Type::AttributeError))?;
        let owner = owner.rsplit('.').next()?;
        let name = self.quoted(1)?;
        if self.source.text.contains(&format!("class {owner}")) {
            return None; // the program's own
        }
        let (.., own) = FOREIGN_METHODS
            .iter()
            .find(|(owners, names, _)| owners.contains(&owner) && names.contains(&name))?;
        Some(format!("Python has {own} for that"))
    }
}
