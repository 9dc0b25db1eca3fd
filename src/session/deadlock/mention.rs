//! What the program's texts do: which methods they name, of what, and how objects come from one name to another.

use super::super::outline::{self, Node, Outline, Way, last_name};
use crate::source::{Source, Span, Symbol};
use crate::syntax::ast::*;
use std::rc::Rc;

/// So long is what a method is named of, as far as it is told.
const LONGEST_RECEIVER: usize = 60;
/// From so many names to the next one an object is followed.
const LONGEST_CHAIN: usize = 4;

/// `queue.put`, whether it is called there or handed on.
pub struct Mention {
    pub source: Rc<Source>,
    pub place: Span,
    /// The whole call, if it is called there.
    pub call: Span,
    pub receiver: Expr,
    pub method: Symbol,
    /// The header of the function it stands in, and its name; none in the module itself.
    pub function: Option<(Span, Symbol)>,
    /// The loops of that function around it.
    pub loops: Vec<Span>,
    /// It is not called there, but left to a pool of threads: `pool.submit(event.set)`.
    pub is_left: bool,
}

impl Mention {
    pub fn line(&self) -> u32 {
        self.source.line(self.place.start)
    }

    /// The last name of what the method is named of.
    pub fn name(&self) -> Option<Symbol> {
        last_name(&self.receiver)
    }

    /// `queue.put()`
    pub fn text(&self) -> String {
        let receiver = self.source.slice(self.receiver.span);
        let is_short = receiver.len() <= LONGEST_RECEIVER && !receiver.contains('\n');
        match self.name().filter(|_| !is_short) {
            Some(name) => format!("{}.{}()", name.text(), self.method.text()),
            None => format!("{receiver}.{}()", self.method.text()),
        }
    }
}

/// What was found in all texts of a program.
#[derive(Default)]
pub struct Texts {
    mentions: Vec<Mention>,
    /// Names of what a `with` block takes, and releases at its end.
    pub entered: Vec<Symbol>,
    /// What is entered by a `with`, and the whole block.
    blocks: Vec<(Rc<Source>, Span, Span)>,
    /// An object with the first name may be met under the second.
    moves: Vec<(Symbol, Symbol)>,
}

impl Texts {
    pub fn of(sources: &[Rc<Source>]) -> Texts {
        let mut texts = Texts::default();
        let outlines: Vec<Outline> = sources.iter().filter_map(Outline::of).collect();
        let functions = functions(&outlines);
        for outline in &outlines {
            outline.each(&mut |way| texts.note(way, &outline.source, &functions));
        }
        texts
    }

    /// Where one of the methods is named, in order of the text.
    pub fn mentions_of(&self, methods: &[&str]) -> impl Iterator<Item = &Mention> {
        let is_it = |mention: &&Mention| methods.contains(&mention.method.text());
        self.mentions.iter().filter(is_it)
    }

    /// The names under which objects with these names may be met.
    pub fn reached_from(&self, names: &[Symbol]) -> Vec<Symbol> {
        let mut reached = names.to_vec();
        for _ in 0..LONGEST_CHAIN {
            for (from, to) in &self.moves {
                if reached.contains(from) && !reached.contains(to) {
                    reached.push(*to);
                }
            }
        }
        reached
    }

    fn note(&mut self, way: &Way, source: &Rc<Source>, functions: &[&Function]) {
        match way.last() {
            Some(Node::Expr(expr)) => {
                self.note_mention(way, expr, source);
                self.note_handing(expr, functions);
            }
            Some(Node::Stmt(stmt)) => self.note_stmt(stmt, source),
            None => {}
        }
    }

    fn note_mention(&mut self, way: &Way, expr: &Expr, source: &Rc<Source>) {
        let ExprKind::Attribute { value, name, .. } = &expr.kind else {
            return;
        };
        let function = outline::function(way);
        let inner = &way[function.map_or(0, |(place, _)| place + 1)..];
        let loops = inner.iter().filter(|node| is_loop(node)).map(Node::span);
        self.mentions.push(Mention {
            source: source.clone(),
            place: expr.span,
            call: call_of(way).unwrap_or(expr.span),
            receiver: Expr::clone(value),
            method: *name,
            function: function.map(|(_, function)| (function.header, function.name)),
            loops: loops.collect(),
            is_left: is_left_to_pool(way),
        });
    }

    /// The whole `with` block of what is entered in a place.
    pub fn block(&self, source: &Rc<Source>, entered: Span) -> Span {
        let is_it =
            |(of, context, _): &&(Rc<Source>, Span, Span)| Rc::ptr_eq(of, source) && *context == entered;
        self.blocks
            .iter()
            .find(is_it)
            .map_or(entered, |(.., block)| *block)
    }

    fn note_stmt(&mut self, stmt: &Stmt, source: &Rc<Source>) {
        match &stmt.kind {
            StmtKind::With { items, .. } => {
                for item in items {
                    let context = item.context.plain().span;
                    self.blocks.push((source.clone(), context, stmt.span));
                    let mut names = Vec::new();
                    each_name(&item.context, &mut names);
                    self.entered.extend(names);
                    if let Some(target) = &item.target {
                        self.note_move(&item.context, target);
                    }
                }
            }
            StmtKind::Assign { targets, value } => {
                targets.iter().for_each(|target| self.note_move(value, target));
            }
            StmtKind::AnnAssign {
                target,
                value: Some(value),
                ..
            } => self.note_move(value, target),
            StmtKind::For { target, iter, .. } => self.note_move(iter, target),
            _ => {}
        }
    }

    /// What is given to a container or to a function: `waiting.append(future)`, `answer(future)`.
    fn note_handing(&mut self, expr: &Expr, functions: &[&Function]) {
        match &expr.kind {
            ExprKind::Call { func, args } => {
                let given = args.iter().map(Arg::value);
                if let ExprKind::Attribute { value, name, .. } = &func.plain().kind
                    && matches!(
                        name.text(),
                        "append" | "appendleft" | "add" | "insert" | "put" | "put_nowait" | "setdefault"
                    )
                {
                    given.for_each(|given| self.note_move(given, value));
                    return;
                }
                let called = |function: &&&Function| last_name(func) == Some(function.name);
                for function in functions.iter().filter(called) {
                    self.note_arguments(args, function, is_method(func));
                }
                // `call_soon(answer, future)`, `Thread(target=answer, args=(future,))`
                for (place, left) in args.iter().enumerate() {
                    let func = left.value();
                    let is_left = |function: &&&Function| last_name(func) == Some(function.name);
                    for function in functions.iter().filter(is_left) {
                        self.note_arguments(&args[place + 1..], function, is_method(func));
                    }
                }
            }
            ExprKind::Comprehension(comprehension) => {
                for clause in &comprehension.clauses {
                    self.note_move(&clause.iter, &clause.target);
                }
            }
            _ => {}
        }
    }

    fn note_arguments(&mut self, args: &[Arg], function: &Function, is_method: bool) {
        let params = function.params.posonly.iter().chain(&function.params.args);
        let places: Vec<Symbol> = params
            .skip(usize::from(is_method))
            .map(|param| param.name)
            .collect();
        for (place, arg) in args.iter().enumerate() {
            let to = match arg {
                Arg::Positional(_) => places.get(place).copied(),
                Arg::Keyword { name, value, .. } if name.text() == "args" => {
                    if let ExprKind::Tuple(items) | ExprKind::List(items) = &value.plain().kind {
                        let given = items.iter().zip(&places);
                        given.for_each(|(item, place)| self.note_moves_to(item, *place));
                    }
                    None
                }
                Arg::Keyword { name, .. } => Some(*name),
                _ => None,
            };
            if let Some(to) = to {
                self.note_moves_to(arg.value(), to);
            }
        }
    }

    fn note_move(&mut self, value: &Expr, target: &Expr) {
        match &target.plain().kind {
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                items.iter().for_each(|item| self.note_move(value, item));
            }
            ExprKind::Starred(item) => self.note_move(value, item),
            _ => {
                if let Some(to) = last_name(target) {
                    self.note_moves_to(value, to);
                }
            }
        }
    }

    fn note_moves_to(&mut self, value: &Expr, to: Symbol) {
        let mut from = Vec::new();
        held_names(value, &mut from);
        for from in from {
            if from != to && !self.moves.contains(&(from, to)) {
                self.moves.push((from, to));
            }
        }
    }
}

fn is_method(func: &Expr) -> bool {
    matches!(func.plain().kind, ExprKind::Attribute { .. })
}

/// The functions and methods that the texts define.
fn functions(outlines: &[Outline]) -> Vec<&Function> {
    let mut found = Vec::new();
    for outline in outlines {
        outline.each(&mut |way| {
            if let Some(Node::Stmt(stmt)) = way.last()
                && let StmtKind::Function(function) = &stmt.kind
            {
                found.push(&**function);
            }
        });
    }
    found
}

fn is_loop(node: &Node) -> bool {
    match node {
        Node::Stmt(stmt) => matches!(stmt.kind, StmtKind::While { .. } | StmtKind::For { .. }),
        Node::Expr(_) => false,
    }
}

/// The call of a method that is named.
fn call_of(way: &Way) -> Option<Span> {
    match way {
        [.., Node::Expr(around), Node::Expr(method)] => match &around.kind {
            ExprKind::Call { func, .. } if func.span == method.span => Some(around.span),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a method is an argument of a call that leaves it to a pool of threads.
fn is_left_to_pool(way: &Way) -> bool {
    let [.., Node::Expr(around), Node::Expr(method)] = way else {
        return false;
    };
    match &around.kind {
        ExprKind::Call { func, .. } => {
            let pool = last_name(func).filter(|_| func.span != method.span);
            pool.is_some_and(|name| matches!(name.text(), "submit" | "run_in_executor" | "to_thread"))
        }
        _ => false,
    }
}

/// All names in an expression.
fn each_name(expr: &Expr, names: &mut Vec<Symbol>) {
    if let ExprKind::Name(name) | ExprKind::Attribute { name, .. } = &expr.kind {
        names.push(*name);
    }
    expr.each_child(&mut |child| each_name(child, names));
}

/// The names of what an expression may give, or holds.
fn held_names(expr: &Expr, names: &mut Vec<Symbol>) {
    match &expr.plain().kind {
        ExprKind::Name(name) | ExprKind::Attribute { name, .. } => names.push(*name),
        ExprKind::Subscript { value, .. } | ExprKind::Await(value) | ExprKind::Starred(value) => {
            held_names(value, names);
        }
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Set(items) => {
            items.iter().for_each(|item| held_names(item, names));
        }
        ExprKind::Dict(items) => {
            for item in items {
                let (DictItem::Pair(_, value) | DictItem::Unpack(value)) = item;
                held_names(value, names);
            }
        }
        ExprKind::IfElse { body, orelse, .. } => {
            held_names(body, names);
            held_names(orelse, names);
        }
        ExprKind::BoolOp { values, .. } => values.iter().for_each(|value| held_names(value, names)),
        // What is taken out of a container: `waiting.pop(key)`, `list(waiting)`.
        ExprKind::Call { func, args } => match &func.plain().kind {
            ExprKind::Attribute { value, name, .. } => {
                if matches!(
                    name.text(),
                    "pop"
                        | "popleft"
                        | "popitem"
                        | "get"
                        | "get_nowait"
                        | "setdefault"
                        | "values"
                        | "items"
                        | "copy"
                ) {
                    held_names(value, names);
                }
            }
            ExprKind::Name(name) => {
                if matches!(
                    name.text(),
                    "list" | "tuple" | "sorted" | "reversed" | "enumerate" | "zip" | "iter" | "next"
                ) {
                    args.iter().for_each(|arg| held_names(arg.value(), names));
                }
            }
            _ => {}
        },
        _ => {}
    }
}
