//! The program's text as a tree again, for reports that tell what stands around a place in it.
//!
//! It is parsed anew when a report asks for it: a program that ends well keeps no tree.

use crate::source::{Source, Span, Symbol};
use crate::syntax;
use crate::syntax::ast::*;
use std::rc::Rc;

/// A text with its tree.
pub struct Outline {
    pub source: Rc<Source>,
    module: Module,
}

/// A statement or expression.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    Stmt(&'a Stmt),
    Expr(&'a Expr),
}

impl<'a> Node<'a> {
    pub fn stmt(&self) -> Option<&'a Stmt> {
        match self {
            Node::Stmt(stmt) => Some(stmt),
            Node::Expr(_) => None,
        }
    }

    pub fn span(&self) -> Span {
        match self {
            Node::Stmt(stmt) => stmt.span,
            Node::Expr(expr) => expr.span,
        }
    }
}

/// A node below those that it stands in, outermost first.
pub type Way<'a> = [Node<'a>];

impl Outline {
    /// The outline of a text, unless it is none of a whole program.
    pub fn of(source: &Rc<Source>) -> Option<Outline> {
        let module = syntax::parse(source).ok()?;
        Some(Outline {
            source: source.clone(),
            module,
        })
    }

    /// Calls `f` with the way to each statement and expression, in order of the text.
    pub fn each<'a>(&'a self, f: &mut dyn FnMut(&Way<'a>)) {
        in_block(&self.module.body, &mut Vec::new(), f);
    }

    /// The way to the innermost node that holds a place.
    pub fn way_to(&self, place: Span) -> Vec<Node<'_>> {
        let mut way = Vec::new();
        self.each(&mut |to| {
            let is_around = to.last().is_some_and(|node| node.span().holds(place));
            if is_around && to.len() >= way.len() {
                way = to.to_vec();
            }
        });
        way
    }
}

fn in_block<'a>(block: &'a [Stmt], way: &mut Vec<Node<'a>>, f: &mut dyn FnMut(&Way<'a>)) {
    for stmt in block {
        way.push(Node::Stmt(stmt));
        f(way);
        stmt.each_expr(&mut |expr| in_expr(expr, way, f));
        for block in stmt.blocks() {
            in_block(block, way, f);
        }
        match &stmt.kind {
            StmtKind::Function(function) => in_block(&function.body, way, f),
            StmtKind::Class(class) => in_block(&class.body, way, f),
            _ => {}
        }
        way.pop();
    }
}

fn in_expr<'a>(expr: &'a Expr, way: &mut Vec<Node<'a>>, f: &mut dyn FnMut(&Way<'a>)) {
    way.push(Node::Expr(expr));
    f(way);
    expr.each_child(&mut |child| in_expr(child, way, f));
    match &expr.kind {
        ExprKind::Comprehension(comprehension) => {
            comprehension.each_inner(&mut |child| in_expr(child, way, f));
        }
        ExprKind::Lambda(lambda) => in_expr(&lambda.body, way, f),
        _ => {}
    }
    way.pop();
}

/// The function around a node, and where on the way it stands.
pub fn function<'a>(way: &Way<'a>) -> Option<(usize, &'a Function)> {
    let above = way.split_last().map_or(way, |(_, above)| above);
    above
        .iter()
        .enumerate()
        .rev()
        .find_map(|(place, node)| match node {
            Node::Stmt(Stmt {
                kind: StmtKind::Function(function),
                ..
            }) => Some((place, &**function)),
            _ => None,
        })
}

/// What a function is called from outside, as its `__qualname__` has it.
pub fn qualname(way: &Way) -> String {
    let mut name = String::new();
    for node in way {
        let Node::Stmt(stmt) = node else { continue };
        let (own, is_function) = match &stmt.kind {
            StmtKind::Function(function) => (function.name, true),
            StmtKind::Class(class) => (class.name, false),
            _ => continue,
        };
        if name.ends_with("()") {
            name.replace_range(name.len() - 2.., ".<locals>");
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(own.text());
        if is_function {
            name.push_str("()");
        }
    }
    name.strip_suffix("()").map_or(name.clone(), String::from)
}

/// Whether a statement itself gives a variable a value, blocks in it left out.
pub fn binds(stmt: &Stmt, name: Symbol) -> bool {
    let is_it = |target: &Expr| is_target(target, name);
    match &stmt.kind {
        StmtKind::Assign { targets, .. } => targets.iter().any(is_it),
        StmtKind::AugAssign { target, .. } | StmtKind::For { target, .. } => is_it(target),
        StmtKind::AnnAssign { target, value, .. } => value.is_some() && is_it(target),
        StmtKind::With { items, .. } => items.iter().filter_map(|item| item.target.as_ref()).any(is_it),
        StmtKind::Function(function) => function.name == name,
        StmtKind::Class(class) => class.name == name,
        _ => false,
    }
}

fn is_target(target: &Expr, name: Symbol) -> bool {
    match &target.plain().kind {
        ExprKind::Name(own) => *own == name,
        ExprKind::Starred(inner) => is_target(inner, name),
        ExprKind::Tuple(items) | ExprKind::List(items) => items.iter().any(|item| is_target(item, name)),
        _ => false,
    }
}

/// The last name in what leads to an object: `queue` in `self.queue` and in `self.queue[0]`.
pub fn last_name(expr: &Expr) -> Option<Symbol> {
    match &expr.plain().kind {
        ExprKind::Name(name) | ExprKind::Attribute { name, .. } => Some(*name),
        ExprKind::Subscript { value, .. } => last_name(value),
        _ => None,
    }
}
