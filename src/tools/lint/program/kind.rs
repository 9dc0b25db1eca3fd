//! What kind of value an expression gives.

use super::*;

/// What an expression's value is.
#[derive(Clone, Copy)]
pub enum Kind<'a> {
    /// The coroutine of one of the program's functions.
    Coroutine(&'a Function),
    /// That of one or another of them.
    SomeCoroutine,
    /// A coroutine of the library's.
    LibraryCoroutine,
    /// That of `asyncio.sleep`.
    Sleep,
    AsyncGenerator,
    /// What a function under `@asynccontextmanager` gives.
    AsyncContext,
    Task,
    Future,
    /// An object of a class of the library.
    Object(&'static str),
    Instance(&'a Class),
    /// An object of one or another of the program's classes.
    SomeInstance(Classes<'a>),
    /// Something that cannot be awaited: a number, text, None.
    Plain,
    Unknown,
}

/// Some classes, each once.
#[derive(Clone, Copy)]
pub struct Classes<'a>([Option<&'a Class>; MOST_CLASSES]);

/// Of so many classes a value may be; beyond that it counts as not known.
const MOST_CLASSES: usize = 4;

impl<'a> Classes<'a> {
    pub fn each(self) -> impl Iterator<Item = &'a Class> {
        self.0.into_iter().flatten()
    }

    fn and(mut self, other: Self) -> Option<Self> {
        for class in other.each() {
            if !self.each().any(|known| std::ptr::eq(known, class)) {
                *self.0.iter_mut().find(|place| place.is_none())? = Some(class);
            }
        }
        Some(self)
    }
}

impl<'a> Kind<'a> {
    pub fn is_instance(self) -> bool {
        self.classes().is_some()
    }

    /// The program's classes of which it is an object.
    fn classes(self) -> Option<Classes<'a>> {
        match self {
            Kind::Instance(class) => Some(Classes([Some(class), None, None, None])),
            Kind::SomeInstance(classes) => Some(classes),
            _ => None,
        }
    }

    pub fn is_coroutine(self) -> bool {
        matches!(
            self,
            Kind::Coroutine(_) | Kind::SomeCoroutine | Kind::LibraryCoroutine | Kind::Sleep
        )
    }

    /// Whether only `await` gives its result.
    pub fn is_waited_for(self) -> bool {
        self.is_coroutine() || matches!(self, Kind::Task | Kind::Future)
    }

    /// What a value is that is of the one kind or of the other.
    fn or(self, other: Self) -> Self {
        let is_same = match (self, other) {
            (Kind::Coroutine(a), Kind::Coroutine(b)) if !std::ptr::eq(a, b) => return Kind::SomeCoroutine,
            (Kind::Coroutine(_) | Kind::SomeCoroutine, Kind::SomeCoroutine)
            | (Kind::SomeCoroutine, Kind::Coroutine(_)) => return Kind::SomeCoroutine,
            (Kind::Instance(a), Kind::Instance(b)) if std::ptr::eq(a, b) => true,
            (Kind::Instance(_) | Kind::SomeInstance(_), Kind::Instance(_) | Kind::SomeInstance(_)) => {
                let both = self.classes().zip(other.classes());
                return both
                    .and_then(|(a, b)| a.and(b))
                    .map_or(Kind::Unknown, Kind::SomeInstance);
            }
            (Kind::Object(a), Kind::Object(b)) => a == b,
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        };
        if is_same { self } else { Kind::Unknown }
    }

    /// The same of values of which some are certainly None, and not used as objects then.
    pub(super) fn of_some(kinds: impl Iterator<Item = (Self, bool)>) -> Self {
        let (none, some): (Vec<_>, Vec<_>) = kinds.partition(|(_, is_none)| *is_none);
        match Kind::any_of(some.iter().map(|(kind, _)| *kind)) {
            object @ (Kind::Instance(_) | Kind::SomeInstance(_) | Kind::Object(_)) => object,
            _ => Kind::any_of(none.into_iter().chain(some).map(|(kind, _)| kind)),
        }
    }

    /// What a value is that is of one of these kinds; Unknown if there is none.
    pub(super) fn any_of(kinds: impl IntoIterator<Item = Self>) -> Self {
        kinds.into_iter().reduce(Kind::or).unwrap_or(Kind::Unknown)
    }
}
impl<'a> Program<'a> {
    /// What the value of an expression is.
    pub fn kind(&self, expr: &Expr, at: At) -> Kind<'a> {
        self.steps.set(LONGEST_SEARCH);
        self.kind_within(expr, at, LONGEST_CHAIN)
    }

    pub(super) fn kind_within(&self, expr: &Expr, at: At, left: u32) -> Kind<'a> {
        let Some(left) = self.go_on(left, 1) else {
            return Kind::Unknown;
        };
        match &expr.plain().kind {
            ExprKind::Constant(_)
            | ExprKind::FString(_)
            | ExprKind::List(_)
            | ExprKind::Tuple(_)
            | ExprKind::Dict(_)
            | ExprKind::Set(_)
            | ExprKind::Binary { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Compare { .. } => Kind::Plain,
            ExprKind::Comprehension(made) => match made.kind == ComprehensionKind::Generator && waits(made) {
                true => Kind::AsyncGenerator,
                false => Kind::Plain,
            },
            ExprKind::IfElse { body, orelse, .. } => {
                let orelse = self.kind_within(orelse, at, left);
                self.kind_within(body, at, left).or(orelse)
            }
            ExprKind::Walrus { value, .. } => self.kind_within(value, at, left),
            ExprKind::Await(value) => self.awaited(value, at, left),
            ExprKind::Name(name) => match self.names.owner(at.scope, *name) {
                Some(owner) => self.agreed(
                    self.bindings.get(&(owner, *name)).map_or(&[], Vec::as_slice),
                    left,
                ),
                None => Kind::Unknown,
            },
            ExprKind::Attribute { value, name, .. } => {
                if let Meaning::Library(path) = self.meaning_within(value, at, left)
                    && let Some((owner, name)) = self.exported(&format!("{path}.{name}"))
                {
                    return self.kind_exported(owner, name, left);
                }
                let class = match self.class_of_self(value, at) {
                    Some(class) => class,
                    None => match (
                        self.kind_within(value, at, left),
                        self.meaning_within(value, at, left),
                    ) {
                        (Kind::Instance(class), _) => class,
                        // A variable of the class, asked for by the name of that.
                        (_, Meaning::Class(class))
                            if matches!(self.method(class, *name, left), Meaning::Unknown) =>
                        {
                            class
                        }
                        _ => return Kind::Unknown,
                    },
                };
                if let Meaning::Function(function) = self.method(class, *name, left) {
                    return self.property(function, left);
                }
                if self.is_set_elsewhere(class, *name, left) {
                    return Kind::Unknown;
                }
                let own = self.attributes.get(&(address(class), *name));
                // What a decorator or a base makes of the variables of the class is not known, other than
                // that it keeps to what is declared.
                let is_plain = class.decorators.is_empty() && class.args.is_empty();
                let is_declared = |binding: &Binding| matches!(binding, Binding::Declared(..));
                let shared = self
                    .shared(class, *name)
                    .filter(|bindings| is_plain || bindings.iter().all(is_declared));
                match (own, shared) {
                    (Some(own), None) => self.agreed(own, left),
                    (Some(own), Some([Binding::Declared(annotation, None, at)])) => {
                        match self.agreed(own, left) {
                            Kind::Unknown => self.annotated(annotation, *at, left),
                            kind => kind,
                        }
                    }
                    (None, Some([Binding::Declared(annotation, _, at)])) if !is_plain => {
                        self.annotated(annotation, *at, left)
                    }
                    (None, Some(shared)) => self.agreed(shared, left),
                    _ => Kind::Unknown,
                }
            }
            ExprKind::Subscript { value, index } => match index.plain().kind {
                ExprKind::Slice { .. } => Kind::Unknown,
                _ => self.kind_inside(value, at, By::Index, left),
            },
            ExprKind::Call { func, .. } => match self.result(func, at, left) {
                Kind::Unknown => self.outcome(expr, at, left),
                kind => kind,
            },
            _ => Kind::Unknown,
        }
    }

    /// Whether an attribute of an object may get its value where the object's class does not tell: from
    /// outside, or in a class that it derives from or that derives from it.
    pub(super) fn is_set_elsewhere(&self, class: &Class, name: Symbol, left: u32) -> bool {
        let sets = |other: &Class| {
            let is_shared = |scope| self.bindings.contains_key(&(scope, name));
            self.attributes.contains_key(&(address(other), name))
                || self.names.opened_by(other).is_some_and(is_shared)
        };
        let mut others = self.classes.iter().map(|(other, _)| *other);
        self.sets_by_name
            || self.assigned_elsewhere.contains(&name)
            || others.any(|other| {
                !std::ptr::eq(other, class)
                    && sets(other)
                    && (self.derives(other, class, left) || self.derives(class, other, left))
            })
    }

    /// Whether an attribute gets its value when the object is made, and never again.
    pub fn is_set_once(&self, attribute: &Expr, at: At) -> bool {
        let ExprKind::Attribute { value, name, .. } = &attribute.plain().kind else {
            return false;
        };
        self.steps.set(LONGEST_SEARCH);
        let class = match (
            self.class_of_self(value, at),
            self.kind_within(value, at, LONGEST_CHAIN),
        ) {
            (Some(class), _) | (_, Kind::Instance(class)) => class,
            _ => return false,
        };
        let own = self.attributes.get(&(address(class), *name)).map(Vec::as_slice);
        let is_init = |at: &At| {
            let function = self.unit(*at).function();
            function.is_some_and(|function| function.name.text() == "__init__")
        };
        !self.is_set_elsewhere(class, *name, LONGEST_CHAIN)
            && self.shared(class, *name).is_none()
            && matches!(own, Some([Binding::Value(_, at)]) if is_init(at))
    }

    /// What the body of a class gives a name.
    pub(super) fn shared(&self, class: &Class, name: Symbol) -> Option<&[Binding<'a>]> {
        let scope = self.names.opened_by(class)?;
        self.bindings.get(&(scope, name)).map(Vec::as_slice)
    }

    /// What all bindings of a name give.
    fn agreed(&self, bindings: &[Binding<'a>], left: u32) -> Kind<'a> {
        let key = bindings.as_ptr().addr();
        if let Some(known) = self.known.borrow().agreed.get(&key) {
            return *known;
        }
        self.known.borrow_mut().agreed.insert(key, Kind::Unknown);
        let is_none = |binding: &Binding| matches!(binding, Binding::Value(value, _) if is_none(value));
        let kinds = bindings
            .iter()
            .map(|binding| (self.bound(binding, left), is_none(binding)));
        let kind = Kind::of_some(kinds);
        self.known.borrow_mut().agreed.insert(key, kind);
        kind
    }

    pub(super) fn bound(&self, binding: &Binding<'a>, left: u32) -> Kind<'a> {
        match binding {
            Binding::Value(value, at) => self.kind_within(value, *at, left),
            Binding::Entered(value, at) => match self.kind_within(value, *at, left) {
                Kind::Object(
                    class @ ("asyncio.TaskGroup"
                    | "asyncio.Runner"
                    | "contextlib.AsyncExitStack"
                    | "concurrent.futures.ThreadPoolExecutor"),
                ) => Kind::Object(class),
                Kind::Instance(class) => self.entered(class, left),
                _ => self.drawn(value, *at, Draw::Block, left),
            },
            Binding::Declared(annotation, value, at) => {
                match value.map_or(Kind::Unknown, |value| self.kind_within(value, *at, left)) {
                    // `x: Lock | None = None` says what else it may be.
                    Kind::Unknown | Kind::Plain => self.annotated(annotation, *at, left),
                    kind => kind,
                }
            }
            Binding::Param(callable, param) => self.kind_given(*callable, param, left),
            Binding::Item(items, at) => match self.kind_inside(items, *at, By::Loop, left) {
                Kind::Unknown => self.drawn(items, *at, Draw::Loop, left),
                kind => kind,
            },
            Binding::Drawn(items, at) => self.drawn(items, *at, Draw::AsyncLoop, left),
            Binding::ItemPart(items, at, n) => self.item_part(items, *at, *n, left),
            Binding::Part(whole, at, n) => self.part(whole, *at, *n, left),
            Binding::Library(path) => match self.exported(path) {
                Some((owner, name)) => self.kind_exported(owner, name, left),
                None => Kind::Unknown,
            },
            Binding::Function(_) | Binding::Class(_) | Binding::Other => Kind::Unknown,
        }
    }

    /// What a variable of an imported module is, unless it gets its value from outside.
    fn kind_exported(&self, owner: Scope, name: Symbol, left: u32) -> Kind<'a> {
        match (self.assigned_elsewhere.contains(&name), self.go_on(left, 1)) {
            (false, Some(left)) => {
                let bindings = self.bindings.get(&(owner, name));
                self.agreed(bindings.map_or(&[], Vec::as_slice), left)
            }
            _ => Kind::Unknown,
        }
    }

    /// What calling `func` gives.
    pub(super) fn result(&self, func: &Expr, at: At, left: u32) -> Kind<'a> {
        let Some(left) = left.checked_sub(1) else {
            return Kind::Unknown;
        };
        if self.asking.contains(&at.unit) && self.is_handed(func, at) {
            return Kind::Unknown;
        }
        let given = |gives: Option<Gives>| match gives {
            Some(Gives::Coroutine) => Kind::LibraryCoroutine,
            Some(Gives::Sleep) => Kind::Sleep,
            Some(Gives::Task) => Kind::Task,
            Some(Gives::Future) => Kind::Future,
            Some(Gives::Object("asyncio.Task")) => Kind::Task,
            Some(Gives::Object("asyncio.Future")) => Kind::Future,
            Some(Gives::Object(class)) => Kind::Object(class),
            Some(Gives::Plain) => Kind::Plain,
            None => Kind::Unknown,
        };
        match self.meaning_within(func, at, left) {
            Meaning::Library(path) => given(library::call(&path)),
            Meaning::Class(class) => Kind::Instance(class),
            Meaning::Function(function) => self.call_of(function, left),
            Meaning::Unknown if self.lambda(func, at).is_some() => {
                let body = self.lambda(func, at).map(|lambda| &lambda.body);
                body.and_then(|body| Some(self.kind_within(body, self.place_of(body)?, left)))
                    .unwrap_or(Kind::Unknown)
            }
            Meaning::Unknown if self.kind_within(func, at, left).is_instance() => {
                self.result_of_method(self.kind_within(func, at, left), Symbol::new("__call__"), left)
            }
            Meaning::Unknown => match &func.plain().kind {
                ExprKind::Attribute { value, name, .. } => match self.kind_within(value, at, left) {
                    Kind::Object(class) => given(library::method(class, name.text())),
                    Kind::Task | Kind::Future => given(library::method("asyncio.Task", name.text())),
                    Kind::AsyncGenerator => given(library::method("async_generator", name.text())),
                    Kind::Plain if library::is_plain_method(name.text()) => Kind::Plain,
                    object @ Kind::SomeInstance(_) => self.result_of_method(object, *name, left),
                    _ => self.result_of_some(func, at, left),
                },
                ExprKind::Name(_) if self.class_of_cls(func, at).is_some() => {
                    self.class_of_cls(func, at).map_or(Kind::Unknown, Kind::Instance)
                }
                _ => self.result_of_some(func, at, left),
            },
        }
    }

    /// What a method gives, of whichever class the object is.
    fn result_of_method(&self, object: Kind<'a>, name: Symbol, left: u32) -> Kind<'a> {
        let classes = object.classes().into_iter().flat_map(Classes::each);
        Kind::any_of(classes.map(|class| match self.method(class, name, left) {
            Meaning::Function(method) => self.call_of(method, left),
            _ => Kind::Unknown,
        }))
    }

    /// Whether a function is no name of its own where it is called: a parameter, an item of a container.
    fn is_handed(&self, func: &Expr, at: At) -> bool {
        let ExprKind::Name(name) = func.plain().kind else {
            return !matches!(func.plain().kind, ExprKind::Attribute { .. });
        };
        let owner = self.names.owner(at.scope, name);
        let bindings = owner.and_then(|owner| self.bindings.get(&(owner, name)));
        let is_own = |binding: &Binding| {
            matches!(
                binding,
                Binding::Function(_) | Binding::Class(_) | Binding::Library(_)
            )
        };
        bindings.is_some_and(|bindings| !bindings.iter().all(is_own))
    }

    /// What calling a function gives that is taken from somewhere; None is not called.
    fn result_of_some(&self, func: &Expr, at: At, left: u32) -> Kind<'a> {
        let functions = self.taken_from(func, at, left).unwrap_or_default();
        let functions = functions
            .iter()
            .filter(|item| item.plainly().is_none_or(|(func, _)| !is_none(func)));
        Kind::any_of(functions.map(|item| match item.of {
            Of::Value => self.result(item.expr, item.at, left),
            Of::Decorated(function) => self.undecorated(function, left),
            Of::Awaited | Of::Called | Of::CallAwaited | Of::Declared => Kind::Unknown,
        }))
    }

    /// What calling one of the program's functions gives.
    fn call_of(&self, function: &'a Function, left: u32) -> Kind<'a> {
        let function = match self.decorated(function, left) {
            Some(Decorated::Function(function)) => function,
            Some(Decorated::AsyncContext) => return Kind::AsyncContext,
            _ => return Kind::Unknown,
        };
        self.undecorated(function, left)
    }

    /// What calling a function gives as it is written, without its decorators.
    fn undecorated(&self, function: &'a Function, left: u32) -> Kind<'a> {
        match (function.is_async, self.yields(function)) {
            (true, true) => Kind::AsyncGenerator,
            (true, false) => Kind::Coroutine(function),
            (false, true) => Kind::Plain,
            (false, false) => self.returned(function, left),
        }
    }

    /// Whether an expression asks an object for a property.
    pub fn is_property(&self, expr: &Expr, at: At) -> bool {
        matches!(expr.plain().kind, ExprKind::Attribute { .. })
            && matches!(self.meaning(expr, at), Meaning::Function(function)
                if matches!(self.decorated(function, LONGEST_CHAIN), Some(Decorated::Property)))
    }

    /// What an attribute gives that is a method of its class: something only if that is a property.
    fn property(&self, function: &'a Function, left: u32) -> Kind<'a> {
        match (self.decorated(function, left), function.is_async) {
            (Some(Decorated::Property), true) => Kind::Coroutine(function),
            (Some(Decorated::Property), false) => self.returned(function, left),
            _ => Kind::Unknown,
        }
    }
}

/// Whether a generator expression is an asynchronous one.
fn waits(made: &Comprehension) -> bool {
    let mut found = made.clauses.iter().any(|clause| clause.is_async);
    made.each_inner(&mut |part| found |= expr_suspends(part));
    found
}
