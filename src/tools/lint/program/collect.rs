//! The one pass over a program that notes its parts and what gives each name its value.

use super::*;
use crate::lower::names::Names;
use crate::syntax::SyntaxError;

impl<'a> Program<'a> {
    /// Reads a module, and those that it imports.
    pub fn new(
        module: &'a Module,
        source: &'a Rc<Source>,
        imported: &[&'a Imported],
    ) -> Result<Program<'a>, SyntaxError> {
        let mut program = Program {
            source,
            units: Vec::new(),
            stmts: Vec::new(),
            blocks: Vec::new(),
            exprs: Vec::new(),
            imported_exprs: Vec::new(),
            names: Scopes::default(),
            modules: HashMap::new(),
            opened: HashMap::new(),
            guards: Vec::new(),
            bindings: HashMap::new(),
            defined: HashMap::new(),
            inside: HashMap::new(),
            places: HashMap::new(),
            owners: HashMap::new(),
            known: RefCell::default(),
            steps: Cell::new(0),
            classes: Vec::new(),
            assigned_elsewhere: HashSet::new(),
            attributes: HashMap::new(),
            mentioned: HashSet::new(),
            sets_by_name: false,
            asking: HashSet::new(),
            patched: HashSet::new(),
            has_star_import: false,
        };
        program.module(module)?;
        let (stmts, blocks, exprs) = (program.stmts.len(), program.blocks.len(), program.exprs.len());
        for other in imported {
            if let Ok(top) = program.module(&other.module) {
                program.modules.insert(&other.name, top);
            }
        }
        program.note_patches();
        program.stmts.truncate(stmts);
        program.blocks.truncate(blocks);
        program.imported_exprs = program.exprs.split_off(exprs);
        program.note_calls();
        Ok(program)
    }

    /// Notes the parts of a module; gives the scope of its top.
    fn module(&mut self, module: &'a Module) -> Result<Scope, SyntaxError> {
        let names = Names::of(module)?;
        self.units.push(Unit {
            kind: UnitKind::Module {
                awaits: names.module_awaits(),
            },
            class: None,
            body: &module.body,
        });
        let at = At {
            scope: self.names.add(names),
            unit: self.units.len() - 1,
            guard: None,
        };
        self.block(&module.body, at, None);
        Ok(at.scope)
    }

    fn block(&mut self, stmts: &'a [Stmt], at: At, class: Option<&'a Class>) {
        self.blocks.push((stmts, at));
        stmts.iter().for_each(|stmt| self.stmt(stmt, at, class));
    }

    /// `class`: the class in whose body the statement stands.
    fn stmt(&mut self, stmt: &'a Stmt, at: At, class: Option<&'a Class>) {
        self.stmts.push((stmt, at));
        let mut exprs = Vec::new();
        stmt.each_expr(&mut |expr| exprs.push(expr));
        for expr in exprs {
            self.owners.insert(address(expr), stmt);
            self.expr(expr, at, None);
        }
        self.bindings_of(stmt, at, class.is_some());
        match &stmt.kind {
            StmtKind::Function(function) => self.function(function, at, class),
            StmtKind::Class(class) => {
                self.classes.push((class, at));
                self.defined.insert(address::<Class>(class), at);
                let scope = self.names.opened_by(&**class).unwrap_or(at.scope);
                self.block(&class.body, At { scope, ..at }, Some(class));
            }
            StmtKind::Try {
                body,
                handlers,
                orelse,
                finalbody,
                ..
            } => {
                let errors = handlers.iter().map(|handler| error_names(handler.kind.as_ref()));
                let guarded = self.guarded(
                    at,
                    errors.reduce(|a, b| {
                        if a.is_empty() || b.is_empty() {
                            vec![]
                        } else {
                            [a, b].concat()
                        }
                    }),
                );
                self.block(body, guarded, class);
                handlers
                    .iter()
                    .for_each(|handler| self.block(&handler.body, at, class));
                self.block(orelse, at, class);
                self.block(finalbody, at, class);
            }
            StmtKind::With { items, body, .. } => {
                let errors = items.iter().find_map(|item| suppressed(&item.context));
                let guarded = self.guarded(at, errors);
                self.block(body, guarded, class);
            }
            _ => stmt
                .blocks()
                .into_iter()
                .for_each(|block| self.block(block, at, class)),
        }
    }

    fn guarded(&mut self, at: At, errors: Option<Vec<&'static str>>) -> At {
        let Some(errors) = errors else { return at };
        self.guards.push(Guard {
            errors,
            outer: at.guard,
        });
        At {
            guard: Some(self.guards.len() - 1),
            ..at
        }
    }

    fn function(&mut self, function: &'a Function, at: At, class: Option<&'a Class>) {
        self.defined.insert(address(function), at);
        let inner = self.open(UnitKind::Function(function), class, &function.body, function, at);
        self.inside.insert(address(function), inner);
        self.params(Callable::Function(function), inner);
        self.block(&function.body, inner, None);
    }

    fn open<T>(
        &mut self,
        kind: UnitKind<'a>,
        class: Option<&'a Class>,
        body: &'a [Stmt],
        node: &T,
        at: At,
    ) -> At {
        let unit = self.units.len();
        self.units.push(Unit { kind, class, body });
        if let Some(scope) = self.names.opened_by(node) {
            self.opened.insert(scope, unit);
        }
        At {
            scope: self.names.opened_by(node).unwrap_or(at.scope),
            unit,
            guard: None,
        }
    }

    fn params(&mut self, callable: Callable<'a>, at: At) {
        let params = callable.params();
        let plain = params.posonly.iter().chain(&params.args).chain(&params.kwonly);
        for param in plain {
            self.bind(param.name, Binding::Param(callable, param), at);
        }
        for param in params.vararg.iter().chain(&params.kwarg) {
            self.bind(param.name, Binding::Other, at);
        }
    }

    /// `around`: the expression that it stands in, in the same statement.
    fn expr(&mut self, expr: &'a Expr, at: At, around: Option<&'a Expr>) {
        self.exprs.push((expr, at));
        self.places.insert(address(expr), Place { expr, at, around });
        let mut inner = Vec::new();
        expr.each_child(&mut |child| inner.push(child));
        inner
            .into_iter()
            .for_each(|child| self.expr(child, at, Some(expr)));
        match &expr.kind {
            ExprKind::Lambda(lambda) => {
                let inner = self.open(UnitKind::Lambda(lambda), None, &[], &**lambda, at);
                self.params(Callable::Lambda(lambda), inner);
                self.expr(&lambda.body, inner, Some(expr));
            }
            ExprKind::Comprehension(comprehension) => {
                let scope = self.names.opened_by(&**comprehension).unwrap_or(at.scope);
                let inside = At { scope, ..at };
                let mut inner = Vec::new();
                comprehension.each_inner(&mut |child| inner.push(child));
                inner
                    .into_iter()
                    .for_each(|child| self.expr(child, inside, Some(expr)));
                for (n, clause) in comprehension.clauses.iter().enumerate() {
                    let looped = if n == 0 { at } else { inside };
                    self.bind_item(&clause.target, &clause.iter, looped, clause.is_async, inside);
                }
            }
            ExprKind::Walrus { target, value } => self.bind(*target, Binding::Value(value, at), at),
            ExprKind::Attribute { name, .. } => {
                self.mentioned.insert(name.text());
                self.sets_by_name |= matches!(name.text(), "__dict__" | "__setattr__");
                self.note_question(*name, at);
            }
            ExprKind::Name(name) => {
                self.sets_by_name |= matches!(name.text(), "setattr" | "vars");
                self.note_question(*name, at);
            }
            _ => {}
        }
    }

    /// Notes that a unit asks whether something is asynchronous.
    fn note_question(&mut self, name: Symbol, at: At) {
        if matches!(
            name.text(),
            "iscoroutinefunction"
                | "iscoroutine"
                | "isawaitable"
                | "isasyncgenfunction"
                | "isasyncgen"
                | "isfuture"
                | "Awaitable"
                | "Coroutine"
        ) {
            self.asking.insert(at.unit);
        }
    }

    /// `for target in iter`; `looped`: where `iter` stands.
    fn bind_item(&mut self, target: &'a Expr, iter: &'a Expr, looped: At, is_async: bool, at: At) {
        match &target.plain().kind {
            ExprKind::Name(name) if is_async => self.bind(*name, Binding::Drawn(iter, looped), at),
            ExprKind::Name(name) => self.bind(*name, Binding::Item(iter, looped), at),
            ExprKind::Tuple(parts) if !is_async => {
                self.bind_parts(parts, &|n| Binding::ItemPart(iter, looped, n), at);
            }
            _ => self.bind_target(target, None, at),
        }
    }

    fn bind(&mut self, name: Symbol, binding: Binding<'a>, at: At) {
        if let Some(owner) = self.names.owner(at.scope, name) {
            self.bindings.entry((owner, name)).or_default().push(binding);
        }
    }

    /// `is_field`: it stands in the body of a class.
    fn bindings_of(&mut self, stmt: &'a Stmt, at: At, is_field: bool) {
        match &stmt.kind {
            StmtKind::Assign { targets, value } => {
                for target in targets {
                    self.bind_target(target, Some(value), at);
                }
            }
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                ..
            } if is_field || value.is_some() => {
                self.bind_as(target, Binding::Declared(annotation, value.as_ref(), at), at);
            }
            StmtKind::AugAssign { target, .. } => self.bind_target(target, None, at),
            StmtKind::For {
                is_async,
                target,
                iter,
                ..
            } => self.bind_item(target, iter, at, *is_async, at),
            StmtKind::Del(targets) => targets
                .iter()
                .for_each(|target| self.bind_target(target, None, at)),
            StmtKind::With { items, .. } => {
                for item in items {
                    match item.target.as_ref().map(|target| &target.plain().kind) {
                        Some(ExprKind::Name(name)) => {
                            self.bind(*name, Binding::Entered(&item.context, at), at);
                        }
                        Some(_) => self.bind_target(item.target.as_ref().unwrap_or(&item.context), None, at),
                        None => {}
                    }
                }
            }
            StmtKind::Try { handlers, .. } => {
                for name in handlers.iter().filter_map(|handler| handler.name) {
                    self.bind(name, Binding::Other, at);
                }
            }
            StmtKind::Match { cases, .. } => {
                for case in cases {
                    let mut names = Vec::new();
                    pattern_names(&case.pattern, &mut names);
                    names
                        .into_iter()
                        .for_each(|name| self.bind(name, Binding::Other, at));
                }
            }
            StmtKind::Import(aliases) => {
                for alias in aliases {
                    let dotted = alias.name.text();
                    let top = dotted.split('.').next().unwrap_or(dotted);
                    let (name, path) = match alias.asname {
                        Some(name) => (name, dotted),
                        None => (Symbol::new(top), top),
                    };
                    self.bind(name, Binding::Library(path.into()), at);
                }
            }
            StmtKind::ImportFrom { module, names, level } => {
                self.has_star_import |= names.is_empty();
                for alias in names {
                    let binding = match module {
                        Some(module) if *level == 0 => Binding::Library(format!("{module}.{}", alias.name)),
                        _ => Binding::Other,
                    };
                    self.bind(alias.asname.unwrap_or(alias.name), binding, at);
                }
            }
            StmtKind::Function(function) => self.bind(function.name, Binding::Function(function), at),
            StmtKind::Class(class) => self.bind(class.name, Binding::Class(class), at),
            _ => {}
        }
    }

    /// `value`: what is assigned, if it is assigned as it is.
    fn bind_target(&mut self, target: &'a Expr, value: Option<&'a Expr>, at: At) {
        let binding = match value {
            Some(value) => Binding::Value(value, at),
            None => Binding::Other,
        };
        match &target.plain().kind {
            ExprKind::Starred(inner) => self.bind_target(inner, None, at),
            ExprKind::Tuple(targets) | ExprKind::List(targets) => {
                let values = match value.map(|value| &value.plain().kind) {
                    Some(ExprKind::Tuple(values)) if values.len() == targets.len() => Some(values),
                    _ => None,
                };
                match (values, value) {
                    (None, Some(value)) => self.bind_parts(targets, &|n| Binding::Part(value, at, n), at),
                    _ => {
                        for (i, target) in targets.iter().enumerate() {
                            self.bind_target(target, values.map(|values| &values[i]), at);
                        }
                    }
                }
            }
            _ => self.bind_as(target, binding, at),
        }
    }

    /// Targets that get the parts of something.
    fn bind_parts(&mut self, targets: &'a [Expr], part: &dyn Fn(usize) -> Binding<'a>, at: At) {
        let is_starred = |target: &Expr| matches!(target.plain().kind, ExprKind::Starred(_));
        let is_known = !targets.iter().any(is_starred);
        for (n, target) in targets.iter().enumerate() {
            match target.plain().kind {
                ExprKind::Name(_) | ExprKind::Attribute { .. } if is_known => {
                    self.bind_as(target, part(n), at);
                }
                _ => self.bind_target(target, None, at),
            }
        }
    }

    fn bind_as(&mut self, target: &'a Expr, binding: Binding<'a>, at: At) {
        match &target.plain().kind {
            ExprKind::Name(name) => self.bind(*name, binding, at),
            ExprKind::Attribute {
                value: object, name, ..
            } => match self.class_of_self(object, at) {
                Some(class) => {
                    let known = self.attributes.entry((address(class), *name));
                    known.or_default().push(binding);
                }
                None => {
                    self.assigned_elsewhere.insert(*name);
                }
            },
            _ => {}
        }
    }

    /// What is assigned to something of the library is no longer what the library has there.
    fn note_patches(&mut self) {
        let targets = self.stmts.iter().filter_map(|(stmt, at)| match &stmt.kind {
            StmtKind::Assign { targets, .. } => Some((targets, *at)),
            _ => None,
        });
        let patched: Vec<String> = targets
            .flat_map(|(targets, at)| targets.iter().map(move |target| (target, at)))
            .filter(|(target, _)| matches!(target.plain().kind, ExprKind::Attribute { .. }))
            .filter_map(|(target, at)| match self.meaning(target, at) {
                Meaning::Library(path) => Some(path),
                _ => None,
            })
            .collect();
        self.patched.extend(patched);
    }
}

/// The names of the errors that `except kind` catches; empty for all.
fn error_names(kind: Option<&Expr>) -> Vec<&'static str> {
    match kind.map(|kind| &kind.plain().kind) {
        None => vec![],
        Some(ExprKind::Tuple(kinds)) => kinds.iter().map(last_name).collect(),
        Some(_) => vec![kind.map_or("", last_name)],
    }
}

fn last_name(expr: &Expr) -> &'static str {
    match expr.plain().kind {
        ExprKind::Name(name) | ExprKind::Attribute { name, .. } => name.text(),
        _ => "",
    }
}

/// The errors of `with suppress(…)`, `with self.assertRaises(…)`.
fn suppressed(context: &Expr) -> Option<Vec<&'static str>> {
    let ExprKind::Call { func, args } = &context.plain().kind else {
        return None;
    };
    matches!(
        last_name(func),
        "suppress" | "assertRaises" | "assertRaisesRegex" | "raises"
    )
    .then(|| args.iter().map(|arg| last_name(arg.value())).collect())
}

fn pattern_names(pattern: &Pattern, names: &mut Vec<Symbol>) {
    match &pattern.kind {
        PatternKind::Value(_) | PatternKind::Singleton(_) => {}
        PatternKind::As { pattern, name } => {
            names.extend(name);
            if let Some(pattern) = pattern {
                pattern_names(pattern, names);
            }
        }
        PatternKind::Or(patterns) | PatternKind::Sequence(patterns) => {
            patterns.iter().for_each(|pattern| pattern_names(pattern, names));
        }
        PatternKind::Star(name) => names.extend(name),
        PatternKind::Mapping { patterns, rest, .. } => {
            patterns.iter().for_each(|pattern| pattern_names(pattern, names));
            names.extend(rest);
        }
        PatternKind::Class {
            patterns, keywords, ..
        } => {
            patterns.iter().for_each(|pattern| pattern_names(pattern, names));
            keywords
                .iter()
                .for_each(|(_, pattern)| pattern_names(pattern, names));
        }
    }
}
