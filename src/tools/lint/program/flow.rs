//! What flows into parameters from calls.
//!
//! Always true: if not all that may flow in is seen, nothing is known.

use super::*;

/// Calls that become known by other calls are followed so far.
const MOST_ROUNDS: usize = 4;

/// A call of a function or lambda.
#[derive(Clone)]
pub(super) struct Site<'a> {
    pub args: Given<'a>,
    pub at: At,
    /// The first parameter is the object whose method is called.
    pub is_bound: bool,
    pub runs: Runs,
}

/// What a call gives.
#[derive(Clone)]
pub(super) enum Given<'a> {
    Args(&'a [Arg]),
    /// `Thread(target=f, args=(a, b))`
    Values(&'a [Expr]),
    /// An item of each of these containers, one after the other: `map(f, these, those)`.
    ItemsOf(Vec<&'a Expr>),
    /// The function that is decorated with this.
    Decorated(&'a Expr, &'a Function),
}

/// Where what is called runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    /// Where it is called from.
    Here,
    /// The loop calls it.
    InLoop,
    InThread,
    Unknown,
}

/// Where a body runs; in several places if several run it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Where {
    in_loop: bool,
    /// At the top of a module that does not await.
    at_top: bool,
    in_thread: bool,
}

impl Where {
    const IN_LOOP: Where = Where {
        in_loop: true,
        at_top: false,
        in_thread: false,
    };
    const AT_TOP: Where = Where {
        in_loop: false,
        at_top: true,
        in_thread: false,
    };
    const IN_THREAD: Where = Where {
        in_loop: false,
        at_top: false,
        in_thread: true,
    };

    fn and(self, other: Where) -> Where {
        Where {
            in_loop: self.in_loop || other.in_loop,
            at_top: self.at_top || other.at_top,
            in_thread: self.in_thread || other.in_thread,
        }
    }

    /// Whether a loop always runs around it.
    pub fn is_in_loop(self) -> bool {
        self == Where::IN_LOOP
    }

    /// Whether no loop ever runs around it.
    pub fn has_no_loop(self) -> bool {
        !self.in_loop && (self.at_top || self.in_thread)
    }

    pub fn is_in_thread(self) -> bool {
        self == Where::IN_THREAD
    }
}

/// Something with parameters that stands in the program.
#[derive(Clone, Copy)]
pub(super) enum Callable<'a> {
    Function(&'a Function),
    Lambda(&'a Lambda),
}

impl<'a> Callable<'a> {
    pub fn address(self) -> usize {
        match self {
            Callable::Function(function) => address(function),
            Callable::Lambda(lambda) => address(lambda),
        }
    }

    pub fn params(self) -> &'a Params {
        match self {
            Callable::Function(function) => &function.params,
            Callable::Lambda(lambda) => &lambda.params,
        }
    }
}

/// What was worked out so far; Unknown while it is.
#[derive(Default)]
pub(super) struct Known<'a> {
    /// What running the body of a function gives, by address.
    pub returned: HashMap<usize, Kind<'a>>,
    /// What a generator gives one after the other, by address.
    pub yielded: HashMap<usize, Kind<'a>>,
    /// What the bindings of a name agree to, by address.
    pub agreed: HashMap<usize, Kind<'a>>,
    /// What calls give for a parameter, by address.
    kinds: HashMap<usize, Kind<'a>>,
    meanings: HashMap<usize, Meaning<'a>>,
    /// All calls of a function, by its address; functions that may be called from elsewhere are left out.
    sites: HashMap<usize, Vec<Site<'a>>>,
}

impl<'a> Program<'a> {
    /// Notes who calls which function. The first time nothing is known of parameters, which may be the
    /// objects whose methods are called, so that each round finds more.
    pub(super) fn note_calls(&mut self) {
        for _ in 0..MOST_ROUNDS {
            let sites = self.all_calls();
            let is_more = sites.len() > self.known.borrow().sites.len();
            self.known = RefCell::new(Known {
                sites,
                ..Known::default()
            });
            if !is_more {
                break;
            }
        }
    }

    /// What a call through `func` runs, and whether that gives it an object before the arguments.
    pub(super) fn called(&self, func: &Expr, at: At, left: u32) -> Option<(Callable<'a>, bool)> {
        let left = self.go_on(left, 1)?;
        match self.meaning_within(func, at, left) {
            Meaning::Function(function) => Some((
                Callable::Function(function),
                self.is_bound(func, function, at, left),
            )),
            Meaning::Class(class) => Some((Callable::Function(self.constructor(class, left)?), true)),
            Meaning::Library(_) => None,
            Meaning::Unknown => Some((Callable::Lambda(self.lambda(func, at)?), false)),
        }
    }

    /// The function that a call of the library's calls, what it gives to that, and where that runs:
    /// `to_thread(f, a, b)`, `map(f, these, those)`, `sorted(these, key=f)`.
    pub(super) fn handed(
        &self,
        func: &'a Expr,
        args: &'a [Arg],
        at: At,
        left: u32,
    ) -> Option<(&'a Expr, Given<'a>, Runs)> {
        let key = keyword(args, "key");
        if let ExprKind::Attribute { value, name, .. } = &func.plain().kind
            && name.text() == "sort"
        {
            return Some((key?, Given::ItemsOf(vec![&**value]), Runs::Here));
        }
        let path = self.callee_within(func, at, self.go_on(left, 1)?)?;
        let (place, runs) = match &path[..] {
            "threading.Thread" => {
                let (target, given) = for_thread(args, keyword(args, "target")?)?;
                return Some((target, given, Runs::InThread));
            }
            "asyncio.to_thread"
            | "prelude.run_in_executor"
            | "concurrent.futures.ThreadPoolExecutor.submit" => (0, Runs::InThread),
            "asyncio.loop.run_in_executor" | "threading.Timer" => (1, Runs::InThread),
            "asyncio.loop.call_soon" | "asyncio.loop.call_soon_threadsafe" => (0, Runs::InLoop),
            "asyncio.loop.call_later" | "asyncio.loop.call_at" => (1, Runs::InLoop),
            "builtins.map" | "builtins.filter" => match args {
                [Arg::Positional(func), iters @ ..] => {
                    let iters = iters.iter().map(|arg| match arg {
                        Arg::Positional(iter) => Some(iter),
                        _ => None,
                    });
                    let items = Given::ItemsOf(iters.collect::<Option<_>>()?);
                    return Some((func, items, Runs::Unknown));
                }
                _ => return None,
            },
            "builtins.sorted" | "builtins.min" | "builtins.max" => match args {
                [Arg::Positional(items), Arg::Keyword { .. }, ..] => {
                    return Some((key?, Given::ItemsOf(vec![items]), Runs::Here));
                }
                _ => return None,
            },
            _ => return None,
        };
        match args.get(place)? {
            Arg::Positional(func) if path == "threading.Timer" => {
                let (func, given) = for_thread(args, func)?;
                (args.len() == 2 || keyword(args, "args").is_some()).then_some((func, given, runs))
            }
            Arg::Positional(func) => Some((func, Given::Args(&args[place + 1..]), runs)),
            _ => None,
        }
    }

    /// Whether an expression is what a statement assigns to.
    pub(super) fn is_target(&self, expr: &Expr) -> bool {
        match self.owners.get(&address(expr)).map(|stmt| &stmt.kind) {
            Some(StmtKind::Assign { targets, .. }) => targets.iter().any(|target| std::ptr::eq(target, expr)),
            _ => false,
        }
    }

    /// Which parameter gets a value that a call is given, or gives to what it calls.
    pub(super) fn param_given(
        &self,
        call: &Expr,
        value: &Expr,
        at: At,
        left: u32,
    ) -> Option<(Callable<'a>, &'a Param)> {
        let ExprKind::Call { func, args } = &self.places.get(&address(call.plain()))?.expr.kind else {
            return None;
        };
        let own = (&**func, Given::Args(&args[..]), Runs::Here);
        let mut called = [Some(own), self.handed(func, args, at, left)]
            .into_iter()
            .flatten();
        called.find_map(|(func, args, runs)| {
            let (callable, is_bound) = self.called(func, at, left)?;
            let site = Site {
                args,
                at,
                is_bound,
                runs,
            };
            let is_it = |param: &&Param| {
                let given = self.argument_of(callable.params(), param, &site);
                given.is_some_and(|given| std::ptr::eq(given.plain(), value.plain()))
            };
            let params = callable.params();
            let mut params = params.posonly.iter().chain(&params.args).chain(&params.kwonly);
            Some((callable, params.find(is_it)?))
        })
    }

    /// The `__init__` that is called when a class is.
    pub(super) fn constructor(&self, class: &'a Class, left: u32) -> Option<&'a Function> {
        match self.own_method(class, Symbol::new("__init__"), left) {
            Meaning::Function(init) => Some(init),
            _ => None,
        }
    }

    /// Whether a call through `func` gives a method its object.
    fn is_bound(&self, func: &Expr, method: &Function, at: At, left: u32) -> bool {
        let Some(inside) = self.inside.get(&address(method)) else {
            return false;
        };
        let ExprKind::Attribute { value, .. } = &func.plain().kind else {
            return false;
        };
        let is_of_class = matches!(self.meaning_within(value, at, left), Meaning::Class(_));
        self.unit(*inside).class.is_some()
            && !is_decorated(method, "staticmethod")
            && (!is_of_class || is_decorated(method, "classmethod"))
    }

    /// What a call gives for a parameter that stands among `params`, if it gives its own arguments.
    fn argument_of<'b>(&self, params: &Params, param: &Param, site: &Site<'b>) -> Option<&'b Expr> {
        let args = match &site.args {
            Given::Args(args) => args,
            Given::Values(values) => return values.get(place_of(params, param, site.is_bound)?),
            Given::ItemsOf(_) | Given::Decorated(..) => return None,
        };
        let is_unpacked = |arg: &Arg| matches!(arg, Arg::Star(_) | Arg::DoubleStar(_));
        if args.iter().any(is_unpacked) {
            return None;
        }
        let by_name = args.iter().find_map(|arg| match arg {
            Arg::Keyword { name, value, .. } if *name == param.name => Some(value),
            _ => None,
        });
        by_name.or_else(|| match args.get(place_of(params, param, site.is_bound)?) {
            Some(Arg::Positional(value)) => Some(value),
            _ => None,
        })
    }

    /// Everything that a call may give for a parameter.
    fn argument(
        &self,
        params: &'a Params,
        param: &'a Param,
        site: &Site<'a>,
        left: u32,
    ) -> Option<Vec<Item<'a>>> {
        let default = || {
            let default = param.default.as_ref()?;
            Some(vec![Item::value(default, self.place_of(default)?)])
        };
        match &site.args {
            Given::Args(args) => {
                let is_unpacked = |arg: &Arg| matches!(arg, Arg::Star(_) | Arg::DoubleStar(_));
                if args.iter().any(is_unpacked) {
                    return None;
                }
                match self.argument_of(params, param, site) {
                    Some(value) => Some(vec![Item::value(value, site.at)]),
                    None => default(),
                }
            }
            Given::Values(_) => match self.argument_of(params, param, site) {
                Some(value) => Some(vec![Item::value(value, site.at)]),
                None => default(),
            },
            Given::ItemsOf(containers) => match containers.get(place_of(params, param, site.is_bound)?) {
                Some(container) => self.inside_of(container, site.at, By::Loop, left),
                None => default(),
            },
            Given::Decorated(decorator, function) => match place_of(params, param, site.is_bound) {
                Some(0) => Some(vec![Item {
                    of: Of::Decorated(function),
                    expr: decorator,
                    at: site.at,
                }]),
                _ => default(),
            },
        }
    }

    /// The parameters of a function for which a call through `func` gives values, with these.
    pub fn given<'b>(
        &self,
        func: &Expr,
        function: &'b Function,
        args: &'b [Arg],
        at: At,
    ) -> Vec<(&'b Param, &'b Expr)> {
        self.steps.set(LONGEST_SEARCH);
        let is_bound = self.is_bound(func, function, at, LONGEST_CHAIN);
        let site = Site {
            args: Given::Args(args),
            at,
            is_bound,
            runs: Runs::Here,
        };
        let params = function.params.posonly.iter().chain(&function.params.args);
        let params = params.chain(&function.params.kwonly);
        params
            .filter_map(|param| Some((param, self.argument_of(&function.params, param, &site)?)))
            .collect()
    }

    /// What all calls of a function or lambda give for a parameter.
    pub(super) fn arguments(
        &self,
        callable: Callable<'a>,
        param: &'a Param,
        left: u32,
    ) -> Option<Vec<Item<'a>>> {
        let sites = self.known.borrow().sites.get(&callable.address())?.clone();
        let mut given = Vec::new();
        for site in &sites {
            given.extend(self.argument(callable.params(), param, site, left)?);
        }
        Some(given)
    }

    /// Where a body runs, if all that run it are known.
    pub fn runs(&self, at: At) -> Option<Where> {
        self.runs_within(at.unit, &mut HashSet::new(), LONGEST_CHAIN)
    }

    fn runs_within(&self, unit: usize, seen: &mut HashSet<usize>, left: u32) -> Option<Where> {
        let left = left.checked_sub(1)?;
        let callable = match self.units[unit].kind {
            UnitKind::Module { awaits: true } => return Some(Where::IN_LOOP),
            UnitKind::Module { awaits: false } => return Some(Where::AT_TOP),
            UnitKind::Function(function) if function.is_async => return Some(Where::IN_LOOP),
            UnitKind::Function(function) if self.yields(function) => return None,
            UnitKind::Function(function) => Callable::Function(function),
            UnitKind::Lambda(lambda) => Callable::Lambda(lambda),
        };
        let mut found = Where::default();
        if !seen.insert(unit) {
            return Some(found); // it is said by those around it
        }
        let sites = self.known.borrow().sites.get(&callable.address())?.clone();
        for site in &sites {
            found = found.and(match site.runs {
                Runs::Here => self.runs_within(site.at.unit, seen, left)?,
                Runs::InLoop => Where::IN_LOOP,
                Runs::InThread => Where::IN_THREAD,
                Runs::Unknown => return None,
            });
        }
        Some(found)
    }

    /// Whether an error of a class is caught around a node, or around a call that runs it.
    pub fn expects_around(&self, at: At, error: &str) -> bool {
        self.expects_within(at, error, LONGEST_CHAIN)
    }

    fn expects_within(&self, at: At, error: &str, left: u32) -> bool {
        let callable = match self.units[at.unit].kind {
            UnitKind::Module { .. } => None,
            UnitKind::Function(function) => Some(Callable::Function(function)),
            UnitKind::Lambda(lambda) => Some(Callable::Lambda(lambda)),
        };
        let sites = callable.and_then(|callable| {
            let known = self.known.borrow();
            known.sites.get(&callable.address()).cloned()
        });
        let Some(left) = left.checked_sub(1) else {
            return true;
        };
        let mut sites = sites.iter().flatten();
        self.expects(at, error) || sites.any(|site| self.expects_within(site.at, error, left))
    }

    /// The class of the object that a parameter is, if it is the first one of a method.
    fn object_given(&self, function: &Function, param: &Param) -> Option<&'a Class> {
        let inside = self.inside.get(&address(function))?;
        let first = function.params.posonly.first().or(function.params.args.first())?;
        let class = self.unit(*inside).class?;
        (std::ptr::eq(first, param) && function.decorators.is_empty()).then_some(class)
    }

    /// What a parameter is: by its annotation, or else by all calls.
    pub(super) fn kind_given(&self, callable: Callable<'a>, param: &'a Param, left: u32) -> Kind<'a> {
        if let Callable::Function(function) = callable {
            if let (Some(annotation), Some(at)) = (&param.annotation, self.defined.get(&address(function)))
                && !matches!(self.annotated(annotation, *at, left), Kind::Unknown)
            {
                return self.annotated(annotation, *at, left);
            }
            if let Some(class) = self.object_given(function, param) {
                return Kind::Instance(class);
            }
        }
        if let Some(known) = self.known.borrow().kinds.get(&address(param)) {
            return *known;
        }
        self.known
            .borrow_mut()
            .kinds
            .insert(address(param), Kind::Unknown);
        let given = self.arguments(callable, param, left).unwrap_or_default();
        let kind = self.kind_of_items(&given, left);
        self.known.borrow_mut().kinds.insert(address(param), kind);
        kind
    }

    /// What a parameter names, if all calls agree.
    pub(super) fn meaning_given(&self, callable: Callable<'a>, param: &'a Param, left: u32) -> Meaning<'a> {
        if let Some(known) = self.known.borrow().meanings.get(&address(param)) {
            return known.clone();
        }
        self.known
            .borrow_mut()
            .meanings
            .insert(address(param), Meaning::Unknown);
        let given = self.arguments(callable, param, left).unwrap_or_default();
        let meaning = self.meaning_of_items(&given, left);
        self.known
            .borrow_mut()
            .meanings
            .insert(address(param), meaning.clone());
        meaning
    }
}

/// Which positional argument gives a parameter its value.
fn place_of(params: &Params, param: &Param, is_bound: bool) -> Option<usize> {
    let mut positional = params.posonly.iter().chain(&params.args);
    let place = positional.position(|other| std::ptr::eq(other, param))?;
    place.checked_sub(usize::from(is_bound))
}

/// What a thread gives to the function that it runs.
fn for_thread<'b>(args: &'b [Arg], target: &'b Expr) -> Option<(&'b Expr, Given<'b>)> {
    let is_starred = |value: &Expr| matches!(value.plain().kind, ExprKind::Starred(_));
    let given = match keyword(args, "args").map(|given| &given.plain().kind) {
        None => &[],
        Some(ExprKind::Tuple(values) | ExprKind::List(values)) => &values[..],
        Some(_) => return None,
    };
    let is_plain = keyword(args, "kwargs").is_none() && !given.iter().any(is_starred);
    is_plain.then_some((target, Given::Values(given)))
}

fn keyword<'b>(args: &'b [Arg], wanted: &str) -> Option<&'b Expr> {
    args.iter().find_map(|arg| match arg {
        Arg::Keyword { name, value, .. } if name.text() == wanted => Some(value),
        _ => None,
    })
}
