//! What comes out of things: of functions that are called, generators that are looped over, `with` blocks
//! that are entered, tasks that are awaited.

use super::*;

/// How something is taken out of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Draw {
    Loop,
    AsyncLoop,
    /// By a `with` block.
    Block,
}

impl<'a> Program<'a> {
    /// What running the body of a function gives, if all its ways out agree.
    pub(super) fn returned(&self, function: &'a Function, left: u32) -> Kind<'a> {
        self.found_once(
            function,
            left,
            |known| &mut known.returned,
            |at, left| {
                let mut kinds: Vec<_> = returns(&function.body)
                    .into_iter()
                    .map(|value| match value {
                        Some(value) => (self.kind_within(value, at, left), is_none(value)),
                        None => (Kind::Plain, true),
                    })
                    .collect();
                let last = function.body.last().map(|stmt| &stmt.kind);
                if !matches!(last, Some(StmtKind::Return(_) | StmtKind::Raise { .. })) {
                    kinds.push((Kind::Plain, true));
                }
                let declared = || {
                    let defined = self.defined.get(&address(function));
                    let declared = function.returns.as_ref().zip(defined);
                    declared.map_or(Kind::Unknown, |(of, at)| self.annotated(of, *at, left))
                };
                match Kind::of_some(kinds.into_iter()) {
                    Kind::Unknown => declared(),
                    kind => kind,
                }
            },
        )
    }

    /// What a generator gives, if all its `yield`s agree.
    fn yielded(&self, function: &'a Function, left: u32) -> Kind<'a> {
        self.found_once(
            function,
            left,
            |known| &mut known.yielded,
            |at, left| {
                let mut kinds = Vec::new();
                each_expr(&function.body, &mut |expr| match &expr.kind {
                    ExprKind::Yield(Some(value)) => kinds.push(self.kind_within(value, at, left)),
                    ExprKind::Yield(None) => kinds.push(Kind::Plain),
                    ExprKind::YieldFrom(_) => kinds.push(Kind::Unknown),
                    _ => {}
                });
                Kind::any_of(kinds)
            },
        )
    }

    /// What `find` says of a function, whose inside it is given; asked once, and not known to itself.
    fn found_once(
        &self,
        function: &'a Function,
        left: u32,
        place: for<'k> fn(&'k mut flow::Known<'a>) -> &'k mut HashMap<usize, Kind<'a>>,
        find: impl FnOnce(At, u32) -> Kind<'a>,
    ) -> Kind<'a> {
        let (Some(left), Some(&at)) = (left.checked_sub(1), self.inside.get(&address(function))) else {
            return Kind::Unknown;
        };
        let key = address(function);
        if let Some(known) = place(&mut self.known.borrow_mut()).get(&key) {
            return *known;
        }
        place(&mut self.known.borrow_mut()).insert(key, Kind::Unknown);
        let kind = find(at, left);
        place(&mut self.known.borrow_mut()).insert(key, kind);
        kind
    }

    /// What a `with` block gets from an object of one of the program's classes.
    pub(super) fn entered(&self, class: &'a Class, left: u32) -> Kind<'a> {
        let methods = ["__aenter__", "__enter__"].map(|name| self.method(class, Symbol::new(name), left));
        let mut entered = methods.into_iter().filter_map(|meaning| match meaning {
            Meaning::Function(method) => Some(self.returned(method, left)),
            _ => None,
        });
        match (entered.next(), entered.next()) {
            (Some(kind), None) => kind,
            _ => Kind::Unknown,
        }
    }

    /// What a loop takes out of a generator, or a `with` block out of one that a decorator of `contextlib`
    /// made a context manager.
    pub(super) fn drawn(&self, source: &Expr, at: At, by: Draw, left: u32) -> Kind<'a> {
        let Some(left) = self.go_on(left, 1) else {
            return Kind::Unknown;
        };
        match &source.plain().kind {
            ExprKind::Call { func, .. } => match self.meaning_within(func, at, left) {
                Meaning::Function(function) if self.is_drawn(function, by, left) => {
                    self.yielded(function, left)
                }
                _ => Kind::Unknown,
            },
            ExprKind::Name(_) if by != Draw::Block => match self.only_value(source, at) {
                Some((value, at)) => self.drawn(value, at, by, left),
                None => Kind::Unknown,
            },
            _ => Kind::Unknown,
        }
    }

    fn is_drawn(&self, function: &Function, by: Draw, left: u32) -> bool {
        let managers = ["contextlib.asynccontextmanager", "contextlib.contextmanager"];
        let is_manager = |decorator: &Expr| {
            let at = self.defined.get(&address(function));
            at.is_some_and(|at| match self.meaning_within(decorator, *at, left) {
                Meaning::Library(path) => managers.contains(&&*path),
                _ => false,
            })
        };
        let is_manager = matches!(&function.decorators[..], [decorator] if is_manager(decorator));
        self.yields(function)
            && match by {
                Draw::Block => is_manager,
                Draw::Loop => !function.is_async && function.decorators.is_empty(),
                Draw::AsyncLoop => function.is_async && function.decorators.is_empty(),
            }
    }

    /// What awaiting an expression gives.
    pub(super) fn awaited(&self, value: &Expr, at: At, left: u32) -> Kind<'a> {
        let Some(left) = self.go_on(left, 1) else {
            return Kind::Unknown;
        };
        match self.kind_within(value, at, left) {
            Kind::Coroutine(function) => self.returned(function, left),
            Kind::Task | Kind::Future | Kind::LibraryCoroutine => self.outcome_of_work(value, at, left),
            _ => Kind::Unknown,
        }
    }

    /// What the work gives of which a task, or a coroutine of the library's, is made.
    fn outcome_of_work(&self, work: &Expr, at: At, left: u32) -> Kind<'a> {
        let Some(left) = self.go_on(left, 1) else {
            return Kind::Unknown;
        };
        match &work.plain().kind {
            ExprKind::Name(_) | ExprKind::Subscript { .. } => {
                if let Some((value, at)) = self.only_value(work, at) {
                    return self.outcome_of_work(value, at, left);
                }
                let items = self.taken_from(work, at, left).unwrap_or_default();
                Kind::any_of(items.iter().map(|item| match item.plainly() {
                    Some((work, at)) => self.awaited(work, at, left),
                    None => Kind::Unknown,
                }))
            }
            ExprKind::Call { func, args } => {
                let callee = self.callee_within(func, at, left);
                match (callee.as_deref(), &args[..], &func.plain().kind) {
                    (
                        Some(
                            "asyncio.create_task"
                            | "asyncio.ensure_future"
                            | "asyncio.shield"
                            | "asyncio.wait_for"
                            | "asyncio.TaskGroup.create_task"
                            | "asyncio.loop.create_task"
                            | "prelude.spawn",
                        ),
                        [Arg::Positional(work), ..],
                        _,
                    ) => self.awaited(work, at, left),
                    (
                        Some("contextlib.AsyncExitStack.enter_async_context"),
                        [Arg::Positional(context)],
                        _,
                    ) => self.places.get(&address(context)).map_or(Kind::Unknown, |place| {
                        self.bound(&Binding::Entered(place.expr, at), left)
                    }),
                    (
                        Some("asyncio.to_thread" | "prelude.run_in_executor"),
                        [Arg::Positional(func), ..],
                        _,
                    )
                    | (Some("asyncio.loop.run_in_executor"), [_, Arg::Positional(func), ..], _) => {
                        self.result(func, at, left)
                    }
                    (
                        Some("asyncio.Queue.get" | "asyncio.LifoQueue.get" | "asyncio.PriorityQueue.get"),
                        [],
                        ExprKind::Attribute { value: queue, .. },
                    ) => self.kind_inside(queue, at, By::Index, left),
                    _ => Kind::Unknown,
                }
            }
            _ => Kind::Unknown,
        }
    }

    /// What a call gives that hands on what some work gives: `task.result()`, `asyncio.run(work())`; or that
    /// takes something out of a container: `queue.get_nowait()`, `tasks.pop()`.
    pub(super) fn outcome(&self, call: &Expr, at: At, left: u32) -> Kind<'a> {
        let ExprKind::Call { func, args } = &call.plain().kind else {
            return Kind::Unknown;
        };
        let Some(left) = self.go_on(left, 1) else {
            return Kind::Unknown;
        };
        if let ExprKind::Attribute { value, name, .. } = &func.plain().kind {
            match (name.text(), self.kind_within(value, at, left)) {
                ("result", Kind::Task) => return self.outcome_of_work(value, at, left),
                ("get", Kind::Object("queue.Queue" | "queue.LifoQueue" | "queue.PriorityQueue"))
                | (
                    "get_nowait",
                    Kind::Object(
                        "queue.Queue"
                        | "queue.LifoQueue"
                        | "queue.PriorityQueue"
                        | "asyncio.Queue"
                        | "asyncio.LifoQueue"
                        | "asyncio.PriorityQueue",
                    ),
                )
                | ("pop" | "popleft", Kind::Plain | Kind::Unknown) => {
                    return self.kind_inside(value, at, By::Index, left);
                }
                _ => {}
            }
        }
        match (self.callee_within(func, at, left).as_deref(), &args[..]) {
            (
                Some("asyncio.run" | "asyncio.Runner.run" | "asyncio.loop.run_until_complete"),
                [Arg::Positional(work), ..],
            ) => self.awaited(work, at, left),
            (Some("builtins.next"), [Arg::Positional(from), ..]) => {
                self.kind_inside(from, at, By::Loop, left)
            }
            _ => Kind::Unknown,
        }
    }

    /// The path of what is called: a function of the library, or `class.method` of one of its objects.
    pub(super) fn callee_within(&self, func: &Expr, at: At, left: u32) -> Option<String> {
        match (self.meaning_within(func, at, left), &func.plain().kind) {
            (Meaning::Library(path), _) => Some(path),
            (Meaning::Unknown, ExprKind::Attribute { value, name, .. }) => {
                match self.kind_within(value, at, left) {
                    Kind::Object(class) => Some(format!("{class}.{name}")),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The n-th part of a value: `a, b = await gather(one(), other())`.
    pub(super) fn part(&self, whole: &Expr, at: At, n: usize, left: u32) -> Kind<'a> {
        let parts = self.parts(whole, at, n, left).unwrap_or_default();
        self.kind_of_items(&parts, left)
    }

    /// Everything that the n-th part of a value may be.
    fn parts(&self, whole: &Expr, at: At, n: usize, left: u32) -> Option<Vec<Item<'a>>> {
        let left = self.go_on(left, 1)?;
        match &self.places.get(&address(whole.plain()))?.expr.kind {
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                let is_starred = |item: &Expr| matches!(item.plain().kind, ExprKind::Starred(_));
                match items.get(..=n)? {
                    before if before.iter().any(is_starred) => None,
                    before => Some(vec![Item::value(before.last()?, at)]),
                }
            }
            ExprKind::Name(_) | ExprKind::Subscript { .. } => match self.only_value(whole, at) {
                Some((value, at)) => self.parts(value, at, n, left),
                None => self.parts_of_items(&self.taken_from(whole, at, left)?, n, left),
            },
            ExprKind::Await(work) => self.parts_of_outcome(work, at, n, left),
            ExprKind::Call { func, .. } => match (self.meaning_within(func, at, left), &func.plain().kind) {
                (Meaning::Function(function), _) if !function.is_async => {
                    self.parts_returned(function, n, left)
                }
                (_, ExprKind::Attribute { value, name, .. })
                    if matches!(name.text(), "get_nowait" | "pop" | "popleft") =>
                {
                    self.parts_of_items(&self.inside_of(value, at, By::Index, left)?, n, left)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn parts_of_items(&self, items: &[Item<'a>], n: usize, left: u32) -> Option<Vec<Item<'a>>> {
        let mut found = Vec::new();
        for item in items {
            let (item, at) = item.plainly()?;
            if !is_none(item) {
                found.extend(self.parts(item, at, n, left)?);
            }
        }
        Some(found)
    }

    /// The same of what a function returns.
    fn parts_returned(&self, function: &'a Function, n: usize, left: u32) -> Option<Vec<Item<'a>>> {
        let at = *self.inside.get(&address(function))?;
        if !function.decorators.is_empty() || self.yields(function) {
            return None;
        }
        let mut found = Vec::new();
        for value in returns(&function.body) {
            found.extend(self.parts(value?, at, n, left)?);
        }
        Some(found)
    }

    /// The same of what awaiting something gives.
    fn parts_of_outcome(&self, work: &'a Expr, at: At, n: usize, left: u32) -> Option<Vec<Item<'a>>> {
        if let Kind::Coroutine(function) = self.kind_within(work, at, left) {
            return self.parts_returned(function, n, left);
        }
        let ExprKind::Call { func, args } = &work.plain().kind else {
            let (work, at) = self.only_value(work, at)?;
            return self.parts_of_outcome(work, at, n, self.go_on(left, 1)?);
        };
        let is_plain = |arg: &Arg| matches!(arg, Arg::Positional(_));
        match (self.callee_within(func, at, left).as_deref(), &func.plain().kind) {
            (Some("asyncio.gather"), _) => match args.get(..=n)? {
                before if before.iter().all(is_plain) => Some(vec![Item {
                    of: Of::Awaited,
                    expr: before.last()?.value(),
                    at,
                }]),
                _ => None,
            },
            (
                Some("asyncio.Queue.get" | "asyncio.LifoQueue.get" | "asyncio.PriorityQueue.get"),
                ExprKind::Attribute { value: queue, .. },
            ) => self.parts_of_items(&self.inside_of(queue, at, By::Index, left)?, n, left),
            _ => None,
        }
    }

    /// The n-th part of what a loop takes out of something: `for name, task in tasks.items()`.
    pub(super) fn item_part(&self, items: &Expr, at: At, n: usize, left: u32) -> Kind<'a> {
        let parts = self.inside_part(items, at, n, left).unwrap_or_default();
        self.kind_of_items(&parts, left)
    }

    /// Everything that the n-th part may be of what a loop takes out of something.
    pub(super) fn inside_part(&self, items: &Expr, at: At, n: usize, left: u32) -> Option<Vec<Item<'a>>> {
        let left = self.go_on(left, 1)?;
        let known = match &self.places.get(&address(items.plain()))?.expr.kind {
            ExprKind::Call { func, args } => self.paired(func, args, at, n, left),
            _ => None,
        };
        match known {
            Some(parts) => Some(parts),
            None => self.parts_of_items(&self.inside_of(items, at, By::Loop, left)?, n, left),
        }
    }

    /// The n-th part of what `enumerate`, `zip` and the `items` of a dict pair.
    fn paired(&self, func: &'a Expr, args: &'a [Arg], at: At, n: usize, left: u32) -> Option<Vec<Item<'a>>> {
        let given = |n: usize| match args.get(..=n)? {
            [before @ .., Arg::Positional(given)] => {
                let is_plain = |arg: &Arg| matches!(arg, Arg::Positional(_));
                before.iter().all(is_plain).then_some(given)
            }
            _ => None,
        };
        match (&func.plain().kind, self.meaning_within(func, at, left)) {
            (_, Meaning::Library(path)) if path == "builtins.enumerate" && n == 1 => {
                self.inside_of(given(0)?, at, By::Loop, left)
            }
            (_, Meaning::Library(path)) if path == "builtins.zip" => {
                self.inside_of(given(n)?, at, By::Loop, left)
            }
            (ExprKind::Attribute { value, name, .. }, Meaning::Unknown)
                if name.text() == "items" && n == 1 && args.is_empty() =>
            {
                self.inside_of(value, at, By::Index, left)
            }
            _ => None,
        }
    }
}

pub(super) fn is_none(expr: &Expr) -> bool {
    matches!(expr.plain().kind, ExprKind::Constant(Constant::None))
}
