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
                Kind::of_some(kinds.into_iter())
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
                Meaning::Function(function) if self.is_drawn(function, by) => self.yielded(function, left),
                _ => Kind::Unknown,
            },
            ExprKind::Name(_) if by != Draw::Block => match self.only_value(source, at) {
                Some((value, at)) => self.drawn(value, at, by, left),
                None => Kind::Unknown,
            },
            _ => Kind::Unknown,
        }
    }

    fn is_drawn(&self, function: &Function, by: Draw) -> bool {
        let managers = ["contextlib.asynccontextmanager", "contextlib.contextmanager"];
        let is_manager = |decorator: &Expr| {
            let at = self.defined.get(&address(function));
            at.is_some_and(|at| match self.meaning_within(decorator, *at, LONGEST_CHAIN) {
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
            ExprKind::Name(_) => match self.only_value(work, at) {
                Some((value, at)) => self.outcome_of_work(value, at, left),
                None => Kind::Unknown,
            },
            ExprKind::Call { func, args } => match (self.callee_within(func, at, left).as_deref(), &args[..])
            {
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
                ) => self.awaited(work, at, left),
                _ => Kind::Unknown,
            },
            _ => Kind::Unknown,
        }
    }

    /// What a call gives that hands on what some work gives: `task.result()`, `asyncio.run(work())`.
    pub(super) fn outcome(&self, call: &Expr, at: At, left: u32) -> Kind<'a> {
        let ExprKind::Call { func, args } = &call.plain().kind else {
            return Kind::Unknown;
        };
        let Some(left) = self.go_on(left, 1) else {
            return Kind::Unknown;
        };
        if let (ExprKind::Attribute { value, name, .. }, []) = (&func.plain().kind, &args[..])
            && name.text() == "result"
        {
            return match self.kind_within(value, at, left) {
                Kind::Task => self.outcome_of_work(value, at, left),
                _ => Kind::Unknown,
            };
        }
        match (self.callee_within(func, at, left).as_deref(), &args[..]) {
            (
                Some("asyncio.run" | "asyncio.Runner.run" | "asyncio.loop.run_until_complete"),
                [Arg::Positional(work), ..],
            ) => self.awaited(work, at, left),
            _ => Kind::Unknown,
        }
    }

    /// The path of what is called: a function of the library, or `class.method` of one of its objects.
    fn callee_within(&self, func: &Expr, at: At, left: u32) -> Option<String> {
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
        let (Some(left), ExprKind::Await(value)) = (self.go_on(left, 1), &whole.plain().kind) else {
            return Kind::Unknown;
        };
        let ExprKind::Call { func, args } = &value.plain().kind else {
            return Kind::Unknown;
        };
        let is_gather = matches!(self.meaning_within(func, at, left),
            Meaning::Library(path) if path == "asyncio.gather");
        let is_plain = args.iter().all(|arg| matches!(arg, Arg::Positional(_)));
        match args.get(n) {
            Some(work) if is_gather && is_plain => self.awaited(work.value(), at, left),
            _ => Kind::Unknown,
        }
    }

    /// The n-th part of what a loop takes out of something: `for name, task in tasks.items()`.
    pub(super) fn item_part(&self, items: &Expr, at: At, n: usize, left: u32) -> Kind<'a> {
        let parts = self.inside_part(items, at, n, left).unwrap_or_default();
        Kind::any_of(parts.iter().map(|(part, at)| self.kind_within(part, *at, left)))
    }

    /// Everything that the n-th part may be of what a loop takes out of something.
    pub(super) fn inside_part(
        &self,
        items: &Expr,
        at: At,
        n: usize,
        left: u32,
    ) -> Option<Vec<(&'a Expr, At)>> {
        let left = self.go_on(left, 1)?;
        let ExprKind::Call { func, args } = &items.plain().kind else {
            return None;
        };
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
