//! What is in containers: lists, dicts, queues.
//!
//! Always true: if not all that may be put in is seen, nothing is known. What a container begins with is
//! found here, what is put into it later in `added`.

use super::added::Holder;
use super::function::same;
use super::*;

/// How something is taken out of a container.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Loop,
    Index,
}

/// What a container holds.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub of: Of<'a>,
    pub expr: &'a Expr,
    pub at: At,
}

/// How what is in a container comes from an expression.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    /// It is what the expression gives.
    Value,
    /// It is what awaiting that gives: `await gather(…)`.
    Awaited,
    /// It is what calling that gives: `map(…)`.
    Called,
    /// It is what awaiting that gives: `await gather(*map(…))`.
    CallAwaited,
    /// It is of the class that the expression names, an annotation.
    Declared,
    /// It is this function, which the expression is given as its decorator.
    Decorated(&'a Function),
}

pub(super) type Items<'a> = Vec<Item<'a>>;

impl<'a> Item<'a> {
    pub fn value(expr: &'a Expr, at: At) -> Self {
        Item {
            of: Of::Value,
            expr,
            at,
        }
    }

    /// The expression that gives it, if that gives it as it is.
    pub fn plainly(&self) -> Option<(&'a Expr, At)> {
        matches!(self.of, Of::Value).then_some((self.expr, self.at))
    }
}

impl<'a> Program<'a> {
    /// What the items of a container are.
    pub(super) fn kind_inside(&self, container: &Expr, at: At, by: By, left: u32) -> Kind<'a> {
        self.kind_of_items(&self.inside_of(container, at, by, left).unwrap_or_default(), left)
    }

    /// What all of some items are.
    pub(super) fn kind_of_items(&self, items: &[Item<'a>], left: u32) -> Kind<'a> {
        let is_none = |item: &Item| item.plainly().is_some_and(|(value, _)| is_none(value));
        Kind::of_some(
            items
                .iter()
                .map(|item| (self.kind_of_item(item, left), is_none(item))),
        )
    }

    fn kind_of_item(&self, item: &Item<'a>, left: u32) -> Kind<'a> {
        match item.of {
            Of::Value => self.kind_within(item.expr, item.at, left),
            Of::Awaited => self.awaited(item.expr, item.at, left),
            Of::Called => self.result(item.expr, item.at, left),
            Of::CallAwaited => match self.result(item.expr, item.at, left) {
                Kind::Coroutine(function) => self.returned(function, left),
                _ => Kind::Unknown,
            },
            Of::Declared => self.annotated(item.expr, item.at, left),
            Of::Decorated(_) => Kind::Unknown,
        }
    }

    /// What the items of a container name, if they all name the same.
    pub(super) fn meaning_inside(&self, container: &Expr, at: At, by: By, left: u32) -> Meaning<'a> {
        self.meaning_of_items(&self.inside_of(container, at, by, left).unwrap_or_default(), left)
    }

    pub(super) fn meaning_of_items(&self, items: &[Item<'a>], left: u32) -> Meaning<'a> {
        same(items.iter().map(|item| match item.of {
            Of::Value => self.meaning_within(item.expr, item.at, left),
            // By its meaning it is what all its decorators make of it.
            Of::Decorated(function) => match self.decorated(function, left) {
                Some(Decorated::Function(made)) if std::ptr::eq(made, function) => {
                    Meaning::Function(function)
                }
                _ => Meaning::Unknown,
            },
            Of::Awaited | Of::Called | Of::CallAwaited | Of::Declared => Meaning::Unknown,
        }))
    }

    /// Everything that a loop over a container may give, if all of that is known and
    /// stands in the program as it is.
    pub fn inside(&self, container: &Expr, at: At) -> Vec<(&'a Expr, At)> {
        self.steps.set(LONGEST_SEARCH);
        let items = self.inside_of(container, at, By::Loop, LONGEST_CHAIN);
        let items = items.unwrap_or_default();
        let own = items.iter().filter(|item| self.is_own(item.at));
        own.filter_map(Item::plainly).collect()
    }

    /// What the items are that a loop over a container may give, if all of that is known.
    pub fn kinds_inside(&self, container: &Expr, at: At) -> Vec<Kind<'a>> {
        self.steps.set(LONGEST_SEARCH);
        let items = self.inside_of(container, at, By::Loop, LONGEST_CHAIN);
        let items = items.unwrap_or_default();
        items
            .iter()
            .map(|item| self.kind_of_item(item, LONGEST_CHAIN))
            .collect()
    }

    /// Everything that is ever put into a container, be it a list, a set, a queue, or the values of a dict.
    pub(super) fn inside_of(&self, container: &Expr, at: At, by: By, left: u32) -> Option<Items<'a>> {
        let left = self.go_on(left, 1)?;
        match &self.places.get(&address(container.plain()))?.expr.kind {
            ExprKind::List(items) | ExprKind::Tuple(items) | ExprKind::Set(items) => {
                self.each_inside(items, at, left)
            }
            // A loop over a dict gives its keys.
            ExprKind::Dict(_) if by == By::Loop => None,
            ExprKind::Comprehension(made) if by == By::Loop && made.kind == ComprehensionKind::Dict => None,
            ExprKind::Dict(items) => {
                let value = |item: &'a DictItem| match item {
                    DictItem::Pair(_, value) => Some(Item::value(value, at)),
                    DictItem::Unpack(_) => None,
                };
                items.iter().map(value).collect()
            }
            ExprKind::Comprehension(made) => {
                Some(vec![Item::value(&made.element, self.place_of(&made.element)?)])
            }
            ExprKind::Await(work) => self.inside_of_result(work, at, by, left),
            ExprKind::Subscript { value, index } if !matches!(index.plain().kind, ExprKind::Slice { .. }) => {
                self.inside_items_of(value, at, By::Index, by, left)
            }
            ExprKind::Call { func, args } => self.inside_of_call(func, args, at, by, left),
            ExprKind::Name(name) => {
                let owner = self.names.owner(at.scope, *name)?;
                let bindings = self.bindings.get(&(owner, *name))?;
                if let [Binding::Item(outer, outer_at)] = &bindings[..] {
                    let mut found = self.inside_items_of(outer, *outer_at, By::Loop, by, left)?;
                    self.added_to(Holder::name(owner, *name), left, &mut found)?;
                    return Some(found);
                }
                self.put_into_or_declared(bindings, Holder::name(owner, *name), by, left)
            }
            ExprKind::Attribute { value, name, .. } => {
                let bindings = self.bindings_of_attribute(value, *name, at, left)?;
                self.put_into_or_declared(bindings, Holder::attribute(*name), by, left)
            }
            _ => None,
        }
    }

    /// What is in the containers that another one holds, which are taken out of that by `outer_by`.
    fn inside_items_of(&self, outer: &Expr, at: At, outer_by: By, by: By, left: u32) -> Option<Items<'a>> {
        let mut found = Vec::new();
        for inner in self.inside_of(outer, at, outer_by, left)? {
            match inner.of {
                Of::Value => found.extend(self.inside_of(inner.expr, inner.at, by, left)?),
                Of::Declared => found.extend(self.declared_inside(inner.expr, inner.at, by, left)?),
                // What `defaultdict(list)` makes is empty.
                Of::Called
                    if self
                        .path_within(inner.expr, inner.at, left)
                        .is_some_and(|p| is_container(&p)) => {}
                _ => return None,
            }
        }
        if let Some(holder) = Holder::of(self, outer, at) {
            self.added_to(holder.items(), left, &mut found)?;
        }
        Some(found)
    }

    fn path_within(&self, expr: &Expr, at: At, left: u32) -> Option<String> {
        match self.meaning_within(expr, at, left) {
            Meaning::Library(path) => Some(path),
            _ => None,
        }
    }

    /// Everything that gives an attribute of an object, or of a class, its value.
    fn bindings_of_attribute(
        &self,
        object: &Expr,
        name: Symbol,
        at: At,
        left: u32,
    ) -> Option<&[Binding<'a>]> {
        let class = match self.class_of_self(object, at) {
            Some(class) => class,
            None => match (
                self.meaning_within(object, at, left),
                self.kind_within(object, at, left),
            ) {
                (Meaning::Class(class), _) | (_, Kind::Instance(class)) => class,
                _ => return None,
            },
        };
        let own = self.attributes.get(&(address(class), name)).map(Vec::as_slice);
        match (own, self.shared(class, name)) {
            (Some(bindings), None) | (None, Some(bindings)) => {
                (!self.is_set_elsewhere(class, name, left)).then_some(bindings)
            }
            // `jobs: list[Job]` in the class, `self.jobs = …` in a method.
            (Some(_), Some(declared @ [Binding::Declared(..)])) => Some(declared),
            _ => None,
        }
    }

    /// What is in the result of `await work`.
    fn inside_of_result(&self, work: &'a Expr, at: At, by: By, left: u32) -> Option<Items<'a>> {
        let ExprKind::Call { func, args } = &work.plain().kind else {
            let (work, at) = self.only_value(work, at)?;
            return self.inside_of_result(work, at, by, self.go_on(left, 1)?);
        };
        if let Kind::Coroutine(function) = self.kind_within(work, at, left) {
            return self.inside_of_returned(function, by, left);
        }
        match self.callee_within(func, at, left).as_deref() {
            Some("asyncio.gather") => {
                let mut found = Vec::new();
                for arg in args {
                    match arg {
                        Arg::Positional(work) => found.push(Item::value(work, at)),
                        Arg::Star(work) => found.extend(self.inside_of(work, at, By::Loop, left)?),
                        // Errors may be among the results, for whose sake they are looked at before.
                        Arg::Keyword { .. } => {}
                        Arg::DoubleStar(_) => return None,
                    }
                }
                let awaited = found.into_iter().map(|item| {
                    let of = match item.of {
                        Of::Value => Of::Awaited,
                        Of::Called => Of::CallAwaited,
                        Of::Awaited | Of::CallAwaited | Of::Decorated(_) | Of::Declared => return None,
                    };
                    Some(Item { of, ..item })
                });
                awaited.collect()
            }
            _ => None,
        }
    }

    /// What is in the container that a function returns.
    fn inside_of_returned(&self, function: &'a Function, by: By, left: u32) -> Option<Items<'a>> {
        let &at = self.inside.get(&address(function))?;
        let mut found = Vec::new();
        for value in returns(&function.body) {
            found.extend(self.inside_of(value?, at, by, left)?);
        }
        Some(found)
    }

    /// What is in what a call gives.
    fn inside_of_call(
        &self,
        func: &'a Expr,
        args: &'a [Arg],
        at: At,
        by: By,
        left: u32,
    ) -> Option<Items<'a>> {
        if let Meaning::Function(function) = self.meaning_within(func, at, left) {
            let is_plain = !function.is_async && function.decorators.is_empty() && !self.yields(function);
            return is_plain.then(|| self.inside_of_returned(function, by, left))?;
        }
        if let ExprKind::Attribute { value, name, .. } = &func.plain().kind {
            match (name.text(), args) {
                ("values", []) => return self.inside_of(value, at, By::Index, left),
                // `handlers.get(name, [])`
                ("get" | "setdefault", [Arg::Positional(_), default @ ..]) => {
                    let mut found = self.inside_items_of(value, at, By::Index, by, left)?;
                    for default in default {
                        found.extend(self.inside_of(default.value(), at, by, left)?);
                    }
                    return Some(found);
                }
                _ => {}
            }
        }
        match (&self.callee_within(func, at, left)?[..], args) {
            (path, []) if is_container(path) => (path != "builtins.dict" || by == By::Index).then(Vec::new),
            (path, [Arg::Positional(from), ..]) if is_container(path) => {
                self.inside_of(from, at, By::Loop, left)
            }
            (path, _) if is_queue(path) => Some(vec![]),
            ("collections.defaultdict", [Arg::Positional(factory)]) if by == By::Index => Some(vec![Item {
                of: Of::Called,
                expr: factory,
                at,
            }]),
            ("builtins.map", [Arg::Positional(func), ..]) => Some(vec![Item {
                of: Of::Called,
                expr: func,
                at,
            }]),
            ("builtins.filter", [_, Arg::Positional(from)])
            | ("asyncio.as_completed", [Arg::Positional(from), ..]) => {
                self.inside_of(from, at, By::Loop, left)
            }
            _ => None,
        }
    }

    /// Everything that an expression may be which stands for something else: an item of a container, the value
    /// of a variable, one branch or the other.
    pub(super) fn taken_from(&self, expr: &Expr, at: At, left: u32) -> Option<Items<'a>> {
        let left = self.go_on(left, 1)?;
        match &self.places.get(&address(expr.plain()))?.expr.kind {
            ExprKind::Subscript { index, .. } if matches!(index.plain().kind, ExprKind::Slice { .. }) => None,
            ExprKind::Subscript { value, .. } => self.inside_of(value, at, By::Index, left),
            ExprKind::Name(name) => {
                let owner = self.names.owner(at.scope, *name)?;
                self.values_of(self.bindings.get(&(owner, *name))?, left)
            }
            ExprKind::Attribute { value, name, .. } => {
                self.values_of(self.bindings_of_attribute(value, *name, at, left)?, left)
            }
            ExprKind::IfElse { body, orelse, .. } => {
                let mut found = self.taken_or_itself(body, at, left);
                found.extend(self.taken_or_itself(orelse, at, left));
                Some(found)
            }
            ExprKind::BoolOp {
                op: BoolOp::Or,
                values,
            } => {
                let values = values.iter();
                Some(
                    values
                        .flat_map(|value| self.taken_or_itself(value, at, left))
                        .collect(),
                )
            }
            // `handlers.get(name, default)`
            ExprKind::Call { func, args } => match (&func.plain().kind, &args[..]) {
                (
                    ExprKind::Attribute { value, name, .. },
                    [Arg::Positional(_)] | [Arg::Positional(_), Arg::Positional(_)],
                ) if matches!(name.text(), "get" | "pop") => {
                    let mut found = self.inside_of(value, at, By::Index, left)?;
                    if let Some(Arg::Positional(default)) = args.get(1) {
                        found.extend(self.taken_or_itself(default, at, left));
                    }
                    Some(found)
                }
                (ExprKind::Attribute { value, .. }, []) if self.takes_out(func, at, left) => {
                    self.inside_of(value, at, By::Index, left)
                }
                _ => None,
            },
            // `await queue.get()`
            ExprKind::Await(work) => match &work.plain().kind {
                ExprKind::Call { func, args } if args.is_empty() && self.takes_out(func, at, left) => {
                    match &func.plain().kind {
                        ExprKind::Attribute { value, .. } => self.inside_of(value, at, By::Index, left),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a call through `func` takes an item out of a queue, or out of another container at its end.
    fn takes_out(&self, func: &Expr, at: At, left: u32) -> bool {
        let ExprKind::Attribute { value, name, .. } = &func.plain().kind else {
            return false;
        };
        match (name.text(), self.kind_within(value, at, left)) {
            ("get" | "get_nowait", Kind::Object(class)) => is_queue(class),
            ("pop" | "popleft", Kind::Plain | Kind::Unknown) => true,
            _ => false,
        }
    }

    fn taken_or_itself(&self, expr: &'a Expr, at: At, left: u32) -> Items<'a> {
        let taken = self.taken_from(expr, at, left);
        taken.unwrap_or_else(|| vec![Item::value(expr, at)])
    }

    /// Everything that bindings give a variable.
    fn values_of(&self, bindings: &[Binding<'a>], left: u32) -> Option<Items<'a>> {
        let mut found = Vec::new();
        for binding in bindings {
            match binding {
                Binding::Value(value, at) | Binding::Declared(_, Some(value), at) => {
                    found.extend(self.taken_or_itself(value, *at, left));
                }
                Binding::Param(callable, param) => found.extend(self.arguments(*callable, param, left)?),
                Binding::Item(items, at) => found.extend(self.inside_of(items, *at, By::Loop, left)?),
                Binding::ItemPart(items, at, n) => found.extend(self.inside_part(items, *at, *n, left)?),
                _ => return None,
            }
        }
        Some(found)
    }

    fn each_inside(&self, items: &'a [Expr], at: At, left: u32) -> Option<Items<'a>> {
        let mut found = Vec::new();
        for item in items {
            match &item.plain().kind {
                ExprKind::Starred(inner) => found.extend(self.inside_of(inner, at, By::Loop, left)?),
                _ => found.push(Item::value(item, at)),
            }
        }
        Some(found)
    }

    /// What is put into a container that a variable holds, or what its annotation says of that.
    fn put_into_or_declared(
        &self,
        bindings: &[Binding<'a>],
        holder: Holder,
        by: By,
        left: u32,
    ) -> Option<Items<'a>> {
        match self.put_into(bindings, holder, by, left) {
            Some(found) if !found.is_empty() => Some(found),
            none => self.declared_in(bindings, by, left).or(none),
        }
    }

    /// What is put into a container that a variable holds: what it begins with, and what is added wherever it
    /// is mentioned.
    fn put_into(&self, bindings: &[Binding<'a>], holder: Holder, by: By, left: u32) -> Option<Items<'a>> {
        let mut found = Vec::new();
        for binding in bindings {
            match binding {
                Binding::Value(value, at) | Binding::Declared(_, Some(value), at) => {
                    found.extend(self.inside_of(value, *at, by, left)?);
                }
                Binding::Param(callable, param) => {
                    for given in self.arguments(*callable, param, left)? {
                        let (given, at) = given.plainly()?;
                        found.extend(self.inside_of(given, at, by, left)?);
                    }
                }
                Binding::Part(whole, at, n) => found.extend(self.inside_nth(whole, *at, *n, left)?),
                _ => return None,
            }
        }
        self.added_to(holder, left, &mut found)?;
        Some(found)
    }

    /// What is in the n-th part of something: `done, pending = await asyncio.wait(tasks)`.
    fn inside_nth(&self, whole: &Expr, at: At, n: usize, left: u32) -> Option<Items<'a>> {
        let ExprKind::Await(work) = &whole.plain().kind else {
            return None;
        };
        let work = self.places.get(&address(work.plain()))?.expr;
        match &work.kind {
            ExprKind::Call { func, args } if n < 2 => {
                match (self.callee_within(func, at, left).as_deref(), &args[..]) {
                    (Some("asyncio.wait"), [Arg::Positional(from), ..]) => {
                        self.inside_of(from, at, By::Loop, left)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The expression around one, in the same statement.
    pub(super) fn around(&self, expr: &Expr) -> Option<&'a Expr> {
        self.places.get(&address(expr)).and_then(|place| place.around)
    }
}

/// Whether objects of a class of the library are queues.
fn is_queue(path: &str) -> bool {
    matches!(
        path,
        "asyncio.Queue"
            | "asyncio.LifoQueue"
            | "asyncio.PriorityQueue"
            | "queue.Queue"
            | "queue.LifoQueue"
            | "queue.PriorityQueue"
            | "queue.SimpleQueue"
    )
}

fn is_container(path: &str) -> bool {
    matches!(
        path,
        "builtins.list"
            | "builtins.tuple"
            | "builtins.set"
            | "builtins.dict"
            | "builtins.sorted"
            | "builtins.reversed"
            | "collections.deque"
    )
}
