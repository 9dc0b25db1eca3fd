//! What flows into names from elsewhere: into parameters from calls, into loops from containers, and into
//! the names of decorated functions from their decorators.
//!
//! Always true: if not all that may flow in is seen, nothing is known.

use super::*;
use crate::source::Span;

/// A call of a function.
#[derive(Clone, Copy)]
struct Site<'a> {
    args: &'a [Arg],
    at: At,
    /// The first parameter is the object whose method is called.
    is_bound: bool,
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

/// What the decorators of a function make of it.
pub(super) enum Decorated<'a> {
    /// A function: itself, or another one that takes its place.
    Function(&'a Function),
    Property,
    AsyncContext,
}

impl<'a> Program<'a> {
    /// Notes who calls which function. The first time nothing is known of parameters, which may be the
    /// objects whose methods are called.
    pub(super) fn note_calls(&mut self) {
        for _ in 0..2 {
            let sites = self.all_calls();
            self.known = RefCell::new(Known {
                sites,
                ..Known::default()
            });
        }
    }

    fn all_calls(&self) -> HashMap<usize, Vec<Site<'a>>> {
        let mut sites: HashMap<usize, Vec<Site<'a>>> = HashMap::new();
        let mut mentions: HashMap<usize, usize> = HashMap::new();
        let mut attributes: HashMap<Symbol, usize> = HashMap::new();
        for (expr, at) in &self.exprs {
            match &expr.kind {
                ExprKind::Name(_) => match self.meaning(expr, *at) {
                    Meaning::Function(function) => *mentions.entry(address(function)).or_default() += 1,
                    Meaning::Class(class) if !self.is_called_or_looked_into(expr) => {
                        if let Some(made) = self.constructor(class).map(address) {
                            *mentions.entry(made).or_default() += 1;
                        }
                    }
                    _ => {}
                },
                ExprKind::Attribute { name, .. } => *attributes.entry(*name).or_default() += 1,
                ExprKind::Call { func, args } => {
                    let (function, is_bound) = match self.meaning(func, *at) {
                        Meaning::Function(function) => (function, self.is_bound(func, function, *at)),
                        Meaning::Class(class) => match self.constructor(class) {
                            Some(init) => (init, true),
                            None => continue,
                        },
                        _ => continue,
                    };
                    let site = Site {
                        args,
                        at: *at,
                        is_bound,
                    };
                    sites.entry(address(function)).or_default().push(site);
                }
                _ => {}
            }
        }
        for unit in &self.units {
            let Some(function) = unit.function() else { continue };
            let key = address(function);
            let calls = sites.get(&key).map_or(0, Vec::len);
            let name = function.name.text();
            let is_method = unit.class.is_some();
            let by_name = match is_method {
                true => attributes.get(&function.name).copied().unwrap_or(0),
                false => 0,
            };
            // Python itself calls special methods, and classes may be called by other names.
            let is_certain = match name {
                "__init__" => !self.makes_itself(unit.class),
                _ => !(name.starts_with("__") && name.ends_with("__")),
            };
            let made = match name == "__init__" && is_method {
                true => calls.saturating_sub(by_name),
                false => 0,
            };
            let seen = mentions.get(&key).copied().unwrap_or(0) + by_name + made;
            if !is_certain || calls != seen || !function.decorators.iter().all(|d| self.keeps(d, key)) {
                sites.remove(&key);
            }
        }
        sites
    }

    /// Whether a decorator leaves a function as it is.
    fn keeps(&self, decorator: &Expr, function: usize) -> bool {
        let at = self.defined.get(&function);
        at.is_some_and(|at| {
            matches!(
                self.path(decorator, *at).as_deref(),
                Some("builtins.staticmethod" | "builtins.classmethod")
            )
        })
    }

    /// Whether a class is only called here, or something of it is asked for, or another derives from it alone.
    fn is_called_or_looked_into(&self, class: &Expr) -> bool {
        match self.around(class).map(|around| &around.kind) {
            Some(ExprKind::Call { func, .. }) => std::ptr::eq(&**func, class),
            Some(ExprKind::Attribute { .. }) => true,
            Some(_) => false,
            None => matches!(
                self.owners.get(&address(class)).map(|stmt| &stmt.kind),
                Some(StmtKind::Class(derived)) if derived.args.len() == 1
            ),
        }
    }

    /// The `__init__` that is called when a class is.
    fn constructor(&self, class: &'a Class) -> Option<&'a Function> {
        match self.own_method(class, Symbol::new("__init__"), LONGEST_CHAIN) {
            Meaning::Function(init) => Some(init),
            _ => None,
        }
    }

    /// Whether objects of a class, or of one that may derive from it, may be made by other names.
    fn makes_itself(&self, class: Option<&Class>) -> bool {
        let Some(class) = class else { return true };
        let is_classmethod =
            |expr: &Expr| matches!(expr.plain().kind, ExprKind::Name(name) if name.text() == "classmethod");
        let has_classmethod = |class: &Class| {
            class.body.iter().any(|stmt| match &stmt.kind {
                StmtKind::Function(function) => function.decorators.iter().any(is_classmethod),
                _ => false,
            })
        };
        let mut related = self.classes.iter().map(|(other, _)| *other).filter(|other| {
            std::ptr::eq(*other, class)
                || self.derives(other, class, LONGEST_CHAIN)
                || self.derives(class, other, LONGEST_CHAIN)
        });
        self.mentioned.contains("__class__")
            || related.any(|class| has_classmethod(class) || !class.decorators.is_empty())
    }

    /// Whether a call through `func` gives a method its object.
    fn is_bound(&self, func: &Expr, method: &Function, at: At) -> bool {
        let Some(inside) = self.inside.get(&address(method)) else {
            return false;
        };
        let ExprKind::Attribute { value, .. } = &func.plain().kind else {
            return false;
        };
        let is_of_class = matches!(self.meaning(value, at), Meaning::Class(_));
        self.unit(*inside).class.is_some()
            && !is_decorated(method, "staticmethod")
            && (!is_of_class || is_decorated(method, "classmethod"))
    }

    /// What a call gives for a parameter, and where that stands.
    fn argument<'b>(
        &self,
        function: &'b Function,
        param: &'b Param,
        site: &Site<'b>,
    ) -> Option<(&'b Expr, At)> {
        let is_unpacked = |arg: &Arg| matches!(arg, Arg::Star(_) | Arg::DoubleStar(_));
        if site.args.iter().any(is_unpacked) {
            return None;
        }
        let mut given = site.args.iter();
        let by_name = given.find_map(|arg| match arg {
            Arg::Keyword { name, value, .. } if *name == param.name => Some(value),
            _ => None,
        });
        let mut positional = function.params.posonly.iter().chain(&function.params.args);
        let place = positional.position(|other| std::ptr::eq(other, param));
        let place = place.map(|place| place.checked_sub(usize::from(site.is_bound)));
        let by_place = match place {
            Some(None) => return None, // the object itself
            Some(Some(place)) => match site.args.get(place) {
                Some(Arg::Positional(value)) => Some(value),
                _ => None,
            },
            None => None,
        };
        match by_name.or(by_place) {
            Some(value) => Some((value, site.at)),
            None => Some((param.default.as_ref()?, *self.defined.get(&address(function))?)),
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
        let is_bound = self.is_bound(func, function, at);
        let site = Site { args, at, is_bound };
        let params = function.params.posonly.iter().chain(&function.params.args);
        let params = params.chain(&function.params.kwonly);
        let given = params.filter_map(|param| {
            let (value, _) = self.argument(function, param, &site)?;
            let is_default = param
                .default
                .as_ref()
                .is_some_and(|default| std::ptr::eq(default, value));
            (!is_default).then_some((param, value))
        });
        given.collect()
    }

    /// What all calls of a function give for a parameter.
    pub(super) fn arguments(&self, function: &'a Function, param: &'a Param) -> Option<Vec<(&'a Expr, At)>> {
        let sites = self.known.borrow().sites.get(&address(function))?.clone();
        sites
            .iter()
            .map(|site| self.argument(function, param, site))
            .collect()
    }

    /// The class of the object that a parameter is, if it is the first one of a method.
    fn object_given(&self, function: &Function, param: &Param) -> Option<&'a Class> {
        let inside = self.inside.get(&address(function))?;
        let first = function.params.posonly.first().or(function.params.args.first())?;
        let class = self.unit(*inside).class?;
        (std::ptr::eq(first, param) && function.decorators.is_empty()).then_some(class)
    }

    /// What a parameter is: by its annotation, or else by all calls of the function.
    pub(super) fn kind_given(&self, function: &'a Function, param: &'a Param, left: u32) -> Kind<'a> {
        if let (Some(annotation), Some(at)) = (&param.annotation, self.defined.get(&address(function)))
            && !matches!(self.annotated(annotation, *at, left), Kind::Unknown)
        {
            return self.annotated(annotation, *at, left);
        }
        if let Some(class) = self.object_given(function, param) {
            return Kind::Instance(class);
        }
        if let Some(known) = self.known.borrow().kinds.get(&address(param)) {
            return *known;
        }
        self.known
            .borrow_mut()
            .kinds
            .insert(address(param), Kind::Unknown);
        let given = self.arguments(function, param).unwrap_or_default();
        let kind = Kind::any_of(given.iter().map(|(value, at)| self.kind_within(value, *at, left)));
        self.known.borrow_mut().kinds.insert(address(param), kind);
        kind
    }

    /// What a parameter names, if all calls of the function agree.
    pub(super) fn meaning_given(&self, function: &'a Function, param: &'a Param, left: u32) -> Meaning<'a> {
        if let Some(known) = self.known.borrow().meanings.get(&address(param)) {
            return known.clone();
        }
        self.known
            .borrow_mut()
            .meanings
            .insert(address(param), Meaning::Unknown);
        let given = self.arguments(function, param).unwrap_or_default();
        let meaning = same(
            given
                .iter()
                .map(|(value, at)| self.meaning_within(value, *at, left)),
        );
        self.known
            .borrow_mut()
            .meanings
            .insert(address(param), meaning.clone());
        meaning
    }

    /// What the items of a container are.
    pub(super) fn kind_inside(&self, container: &Expr, at: At, by: By, left: u32) -> Kind<'a> {
        let items = self.inside_of(container, at, by, left).unwrap_or_default();
        Kind::any_of(items.iter().map(|(item, at)| self.kind_within(item, *at, left)))
    }

    /// What the items of a container name, if they all name the same.
    pub(super) fn meaning_inside(&self, container: &Expr, at: At, by: By, left: u32) -> Meaning<'a> {
        let items = self.inside_of(container, at, by, left).unwrap_or_default();
        same(
            items
                .iter()
                .map(|(item, at)| self.meaning_within(item, *at, left)),
        )
    }

    /// Everything that is ever put into a container, be it a list, a set, or the values of a dict.
    pub(super) fn inside_of(
        &self,
        container: &Expr,
        at: At,
        by: By,
        left: u32,
    ) -> Option<Vec<(&'a Expr, At)>> {
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
                    DictItem::Pair(_, value) => Some((value, at)),
                    DictItem::Unpack(_) => None,
                };
                items.iter().map(value).collect()
            }
            ExprKind::Comprehension(made) => Some(vec![(&made.element, self.place_of(&made.element)?)]),
            ExprKind::Call { func, args } => match (&args[..], &func.plain().kind) {
                ([], ExprKind::Attribute { value, name, .. }) if name.text() == "values" => {
                    self.inside_of(value, at, By::Index, left)
                }
                (args, _) => match (self.meaning_within(func, at, left), args) {
                    (Meaning::Library(path), []) if is_container(&path) => {
                        (path != "builtins.dict" || by == By::Index).then(Vec::new)
                    }
                    (Meaning::Library(path), [Arg::Positional(from)]) if is_container(&path) => {
                        self.inside_of(from, at, By::Loop, left)
                    }
                    _ => None,
                },
            },
            ExprKind::Name(name) => {
                let owner = self.names.owner(at.scope, *name)?;
                if let Some([Binding::Item(outer, outer_at)]) =
                    self.bindings.get(&(owner, *name)).map(Vec::as_slice)
                {
                    // What a loop takes out of containers that hold others.
                    let mut found = Vec::new();
                    for (inner, at) in self.inside_of(outer, *outer_at, By::Loop, left)? {
                        found.extend(self.inside_of(inner, at, by, left)?);
                    }
                    return Some(found);
                }
                let is_it = |expr: &Expr, place: At| match &expr.kind {
                    ExprKind::Name(other) => {
                        other == name && self.names.owner(place.scope, *other) == Some(owner)
                    }
                    _ => false,
                };
                self.put_into(self.bindings.get(&(owner, *name))?, &is_it, by, left)
            }
            ExprKind::Attribute { value, name, .. } => {
                let class = match self.class_of_self(value, at) {
                    Some(class) => class,
                    None => match self.kind_within(value, at, left) {
                        Kind::Instance(class) => class,
                        _ => return None,
                    },
                };
                if self.is_set_elsewhere(class, *name, left) {
                    return None;
                }
                let is_it = |expr: &Expr, _: At| matches!(&expr.kind, ExprKind::Attribute { name: other, .. } if other == name);
                let own = self.attributes.get(&(address(class), *name)).map(Vec::as_slice);
                match (own, self.shared(class, *name)) {
                    (Some(bindings), None) | (None, Some(bindings)) => {
                        self.put_into(bindings, &is_it, by, left)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Everything that an expression may be which is an item of a container, or a loop's variable.
    pub(super) fn taken_from(&self, item: &Expr, at: At, left: u32) -> Option<Vec<(&'a Expr, At)>> {
        match &item.plain().kind {
            ExprKind::Subscript { value, .. } => self.inside_of(value, at, By::Index, left),
            ExprKind::Name(name) => {
                let owner = self.names.owner(at.scope, *name)?;
                match self.bindings.get(&(owner, *name)).map(Vec::as_slice) {
                    Some([Binding::Item(items, at)]) => self.inside_of(items, *at, By::Loop, left),
                    Some([Binding::ItemPart(items, at, n)]) => self.inside_part(items, *at, *n, left),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn each_inside(&self, items: &'a [Expr], at: At, left: u32) -> Option<Vec<(&'a Expr, At)>> {
        let mut found = Vec::new();
        for item in items {
            match &item.plain().kind {
                ExprKind::Starred(inner) => found.extend(self.inside_of(inner, at, By::Loop, left)?),
                _ => found.push((item, at)),
            }
        }
        Some(found)
    }

    /// What is put into a container that a variable holds: what it begins with, and what is added wherever it
    /// is mentioned.
    fn put_into(
        &self,
        bindings: &[Binding<'a>],
        is_it: &dyn Fn(&Expr, At) -> bool,
        by: By,
        left: u32,
    ) -> Option<Vec<(&'a Expr, At)>> {
        self.go_on(left, self.exprs.len() / 64)?;
        let mut found = Vec::new();
        for binding in bindings {
            let (Binding::Value(value, at) | Binding::Declared(_, Some(value), at)) = binding else {
                return None;
            };
            if let Some((function, param)) = self.handed_on_once(value, *at) {
                for (given, at) in self.arguments(function, param)? {
                    found.extend(self.inside_of(given, at, by, left)?);
                }
                continue;
            }
            found.extend(self.inside_of(value, *at, by, left)?);
        }
        for (expr, at) in self.exprs.iter().filter(|(expr, at)| is_it(expr, *at)) {
            match self.use_of(expr, left)? {
                Use::Looks => {}
                Use::Puts(value) => found.push((value, *at)),
            }
        }
        Some(found)
    }

    /// The parameter that an expression names which is mentioned nowhere else.
    fn handed_on_once(&self, value: &Expr, at: At) -> Option<(&'a Function, &'a Param)> {
        let ExprKind::Name(name) = value.plain().kind else {
            return None;
        };
        let owner = self.names.owner(at.scope, name)?;
        let Some([Binding::Param(function, param)]) = self.bindings.get(&(owner, name)).map(Vec::as_slice)
        else {
            return None;
        };
        let is_it = |expr: &Expr, at: At| {
            matches!(expr.kind, ExprKind::Name(other) if other == name)
                && self.names.owner(at.scope, name) == Some(owner)
        };
        let mentions = self.exprs.iter().filter(|(expr, at)| is_it(expr, *at)).count();
        (mentions == 1).then_some((function, param))
    }

    /// What is done with a container where it is mentioned; none if more may become of it there.
    fn use_of(&self, mention: &'a Expr, left: u32) -> Option<Use<'a>> {
        let mut inner = mention;
        let Place { at, mut around, .. } = *self.places.get(&address(mention))?;
        while let Some(paren) = around.filter(|around| matches!(around.kind, ExprKind::Paren(_))) {
            inner = paren;
            around = self.around(paren);
        }
        let Some(around) = around else {
            return match &self.owners.get(&address(inner))?.kind {
                StmtKind::Assign { value, .. } if std::ptr::eq(value, inner) => None,
                StmtKind::AugAssign { .. } | StmtKind::With { .. } | StmtKind::Match { .. } => None,
                StmtKind::AnnAssign { value, .. }
                    if value.as_ref().is_some_and(|v| std::ptr::eq(v, inner)) =>
                {
                    None
                }
                StmtKind::Return(_) if matches!(mention.kind, ExprKind::Attribute { .. }) => None,
                _ => Some(Use::Looks),
            };
        };
        match &around.kind {
            ExprKind::Attribute { name, .. } => {
                let call = self.around(around).map(|call| &call.kind);
                let args = match call {
                    Some(ExprKind::Call { func, args }) if std::ptr::eq(&**func, around) => args,
                    _ => return is_removal(name.text()).then_some(Use::Looks),
                };
                match (name.text(), &args[..]) {
                    ("append" | "add" | "appendleft", [Arg::Positional(value)])
                    | ("insert" | "setdefault", [_, Arg::Positional(value)]) => Some(Use::Puts(value)),
                    (
                        "index" | "count" | "copy" | "get" | "items" | "keys" | "values" | "sort" | "reverse",
                        _,
                    ) => Some(Use::Looks),
                    (name, _) => is_removal(name).then_some(Use::Looks),
                }
            }
            ExprKind::Subscript { value, index } if std::ptr::eq(&**value, inner) => {
                if self.around(around).is_some() {
                    return Some(Use::Looks);
                }
                match &self.owners.get(&address(around))?.kind {
                    StmtKind::Assign { targets, value } if !std::ptr::eq(value, around) => {
                        let is_item = targets.iter().any(|target| std::ptr::eq(target, around))
                            && !matches!(index.plain().kind, ExprKind::Slice { .. });
                        is_item.then_some(Use::Puts(value))
                    }
                    StmtKind::AugAssign { target, .. } if std::ptr::eq(target, around) => None,
                    StmtKind::For { target, .. } if std::ptr::eq(target, around) => None,
                    _ => Some(Use::Looks),
                }
            }
            ExprKind::Call { func, .. } if !std::ptr::eq(&**func, inner) => {
                matches!(self.meaning_within(func, at, left), Meaning::Library(_)).then_some(Use::Looks)
            }
            ExprKind::Comprehension(made) => {
                let is_looped = made
                    .clauses
                    .iter()
                    .any(|clause| std::ptr::eq(&clause.iter, inner));
                is_looped.then_some(Use::Looks)
            }
            ExprKind::Starred(_)
            | ExprKind::Compare { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Binary { .. }
            | ExprKind::FString(_) => Some(Use::Looks),
            _ => None,
        }
    }

    /// The expression around one, in the same statement.
    fn around(&self, expr: &Expr) -> Option<&'a Expr> {
        self.places.get(&address(expr)).and_then(|place| place.around)
    }

    /// What a call gives, if that is a function or a class.
    pub(super) fn meaning_returned(&self, func: &Expr, args: &[Arg], at: At, left: u32) -> Meaning<'a> {
        match self.meaning_within(func, at, left) {
            Meaning::Library(path) if path == "functools.partial" => match args {
                [Arg::Positional(of), ..] => self.meaning_within(of, at, left),
                _ => Meaning::Unknown,
            },
            Meaning::Function(function) if function.decorators.is_empty() => {
                self.meaning_of_body(function, left)
            }
            _ => Meaning::Unknown,
        }
    }

    /// The function or class that a plain function returns.
    fn meaning_of_body(&self, function: &'a Function, left: u32) -> Meaning<'a> {
        let Some(&inside) = self.inside.get(&address(function)) else {
            return Meaning::Unknown;
        };
        if function.is_async || self.yields(function) {
            return Meaning::Unknown;
        }
        let returned = returns(&function.body);
        same(
            returned.iter().map(|value| {
                value.map_or(Meaning::Unknown, |value| self.meaning_within(value, inside, left))
            }),
        )
    }

    /// What the decorators of a function make of it, as far as they are known.
    pub(super) fn decorated(&self, function: &'a Function, left: u32) -> Option<Decorated<'a>> {
        let left = left.checked_sub(1)?;
        let &at = self.defined.get(&address(function))?;
        let mut made = function;
        for (i, decorator) in function.decorators.iter().enumerate().rev() {
            let applied = match &decorator.plain().kind {
                ExprKind::Call { func, .. } => self.path(func, at),
                _ => self.path(decorator, at),
            };
            match applied.as_deref() {
                Some("builtins.staticmethod" | "builtins.classmethod" | "functools.wraps") => {}
                Some("builtins.property" | "functools.cached_property") if i == 0 => {
                    return Some(Decorated::Property);
                }
                Some("contextlib.asynccontextmanager") if i == 0 => return Some(Decorated::AsyncContext),
                Some(_) => return None,
                None => match self.meaning_within(decorator, at, left) {
                    Meaning::Function(decorator) if gives_its_first(decorator) => {}
                    Meaning::Function(decorator) if decorator.decorators.is_empty() => {
                        match self.meaning_of_body(decorator, left) {
                            Meaning::Function(inner) => match self.decorated(inner, left)? {
                                Decorated::Function(inner) => made = inner,
                                _ => return None,
                            },
                            _ => return None,
                        }
                    }
                    _ => return None,
                },
            }
        }
        Some(Decorated::Function(made))
    }

    /// The expressions that make what an expression gives: the only value of a name, what a function returns
    /// that only hands it on.
    pub fn made_in(&self, place: Span) -> Vec<Span> {
        let exprs = self.exprs.iter().filter(|(expr, _)| expr.span == place);
        exprs
            .flat_map(|(expr, at)| self.handed_on(expr, *at, LONGEST_CHAIN))
            .collect()
    }

    fn handed_on(&self, expr: &Expr, at: At, left: u32) -> Vec<Span> {
        let Some(left) = left.checked_sub(1) else {
            return vec![];
        };
        let sources: Vec<&Expr> = match &expr.plain().kind {
            ExprKind::Name(_) => self
                .only_value(expr, at)
                .map(|(value, _)| value)
                .into_iter()
                .collect(),
            ExprKind::Call { func, .. } => match (self.lambda(func, at), self.meaning(func, at)) {
                (Some(lambda), _) => vec![&lambda.body],
                (_, Meaning::Function(function)) if !function.is_async && !self.yields(function) => {
                    returns(&function.body).into_iter().flatten().collect()
                }
                _ => {
                    let functions = self.taken_from(func, at, left).unwrap_or_default();
                    let lambdas = functions.iter().filter_map(|(func, at)| self.lambda(func, *at));
                    lambdas.map(|lambda| &lambda.body).collect()
                }
            },
            ExprKind::Subscript { .. } => {
                let items = self.taken_from(expr, at, left).unwrap_or_default();
                items.into_iter().map(|(item, _)| item).collect()
            }
            ExprKind::Walrus { value, .. } => vec![&**value],
            _ => vec![],
        };
        let mut found = Vec::new();
        for source in sources {
            found.push(source.span);
            if let Some(at) = self.place_of(source) {
                found.extend(self.handed_on(source, at, left));
            }
        }
        found
    }

    /// The lambda that an expression is, or the only value of a name.
    pub(super) fn lambda(&self, func: &Expr, at: At) -> Option<&'a Lambda> {
        let value = match func.plain().kind {
            ExprKind::Name(_) => self.only_value(func, at)?.0,
            _ => self.places.get(&address(func.plain()))?.expr,
        };
        match &value.plain().kind {
            ExprKind::Lambda(lambda) => Some(lambda),
            _ => None,
        }
    }
}

/// How something is taken out of a container.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Loop,
    Index,
}

/// What a mention of a container does to what is in it.
enum Use<'a> {
    /// It adds nothing.
    Looks,
    Puts(&'a Expr),
}

fn is_removal(method: &str) -> bool {
    matches!(method, "remove" | "discard" | "pop" | "popleft" | "clear")
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

/// Whether a decorator gives back the function that it is given.
fn gives_its_first(decorator: &Function) -> bool {
    let first = decorator.params.posonly.first().or(decorator.params.args.first());
    let gives = |value: &Option<&Expr>| {
        matches!(
            (value.map(|value| &value.plain().kind), first),
            (Some(ExprKind::Name(name)), Some(first)) if *name == first.name
        )
    };
    let returned = returns(&decorator.body);
    !decorator.is_async && !returned.is_empty() && returned.iter().all(gives)
}

/// What all of them name.
fn same<'a>(mut meanings: impl Iterator<Item = Meaning<'a>>) -> Meaning<'a> {
    let Some(first) = meanings.next() else {
        return Meaning::Unknown;
    };
    let is_first = |other: Meaning| match (&first, &other) {
        (Meaning::Library(a), Meaning::Library(b)) => a == b,
        (Meaning::Function(a), Meaning::Function(b)) => std::ptr::eq(*a, *b),
        (Meaning::Class(a), Meaning::Class(b)) => std::ptr::eq(*a, *b),
        _ => false,
    };
    match meanings.all(is_first) {
        true => first,
        false => Meaning::Unknown,
    }
}
