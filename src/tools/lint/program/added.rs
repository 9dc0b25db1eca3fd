//! What is put into containers where they are mentioned: `items.append(x)`, `handlers[name].append(f)`.
//!
//! Always true: a mention that may do something else with the container makes nothing known of it.

use super::container::{Item, Items};
use super::*;

/// Who holds a container.
#[derive(Clone, Copy)]
pub(super) struct Holder {
    what: Held,
    /// How many containers are around it: the variable holds those, each in the one before.
    depth: u32,
}

/// A variable, or all attributes of a name.
#[derive(Clone, Copy)]
enum Held {
    Name(Scope, Symbol),
    Attribute(Symbol),
}

/// Containers in containers are followed so far.
const DEEPEST: u32 = 3;

impl Holder {
    pub fn name(owner: Scope, name: Symbol) -> Holder {
        Holder {
            what: Held::Name(owner, name),
            depth: 0,
        }
    }

    pub fn attribute(name: Symbol) -> Holder {
        Holder {
            what: Held::Attribute(name),
            depth: 0,
        }
    }

    /// The variable or attribute, perhaps an item of it, that an expression is.
    pub fn of(program: &Program, expr: &Expr, at: At) -> Option<Holder> {
        match &expr.plain().kind {
            ExprKind::Name(name) => Some(Holder::name(program.names.owner(at.scope, *name)?, *name)),
            ExprKind::Attribute { name, .. } => Some(Holder::attribute(*name)),
            ExprKind::Subscript { value, .. } => Some(Holder::of(program, value, at)?.items()),
            ExprKind::Call { func, .. } => match &func.plain().kind {
                ExprKind::Attribute { value, name, .. } if name.text() == "values" => {
                    Holder::of(program, value, at)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The same of the containers in it.
    pub fn items(self) -> Holder {
        Holder {
            depth: self.depth + 1,
            ..self
        }
    }

    fn deeper_by(self, depth: u32) -> Holder {
        Holder {
            depth: self.depth + depth,
            ..self
        }
    }
}

impl<'a> Program<'a> {
    /// Finds what is added to a container wherever a variable is mentioned that holds it; none if more may
    /// become of it there.
    pub(super) fn added_to(&self, holder: Holder, left: u32, found: &mut Items<'a>) -> Option<()> {
        let left = self.go_on(left, 1 + self.exprs.len() / 64)?;
        if holder.depth > DEEPEST
            || matches!(holder.what, Held::Name(owner, _) if self.names.is_imported(owner))
        {
            return None; // what others do with it by its module is not looked for
        }
        let is_it = |expr: &Expr, at: At| match (&expr.kind, holder.what) {
            (ExprKind::Name(name), Held::Name(owner, wanted)) => {
                *name == wanted && self.names.owner(at.scope, *name) == Some(owner)
            }
            (ExprKind::Attribute { name, .. }, Held::Attribute(wanted)) => *name == wanted,
            _ => false,
        };
        let mut mentions = self.all_exprs().filter(|(expr, at)| is_it(expr, *at));
        mentions.try_for_each(|(expr, _)| self.added_at(expr, holder.depth, left, found))
    }

    /// What is added to a container, or to those so deep in it, where it is mentioned.
    fn added_at(&self, mention: &'a Expr, depth: u32, left: u32, found: &mut Items<'a>) -> Option<()> {
        let mut inner = mention;
        let Place { at, mut around, .. } = *self.places.get(&address(mention))?;
        while let Some(paren) = around.filter(|around| matches!(around.kind, ExprKind::Paren(_))) {
            inner = paren;
            around = self.around(paren);
        }
        let Some(around) = around else {
            return self.added_by_statement(mention, inner, at, depth, left, found);
        };
        if let Some(deeper) = depth.checked_sub(1)
            && let Some(item) = self.item_asked(inner, around)
        {
            return self.added_at(item, deeper, left, found);
        }
        match &around.kind {
            ExprKind::Attribute { name, .. } => {
                let call = self.around(around);
                let args = match call.map(|call| &call.kind) {
                    Some(ExprKind::Call { func, args }) if std::ptr::eq(&**func, around) => args,
                    _ => return is_removal(name.text()).then_some(()),
                };
                match (name.text(), &args[..]) {
                    (
                        "append" | "add" | "appendleft" | "put" | "put_nowait",
                        [Arg::Positional(value), ..],
                    )
                    | ("insert" | "setdefault", [_, Arg::Positional(value)]) => {
                        if depth == 0 {
                            found.push(Item::value(value, at));
                        }
                        Some(())
                    }
                    // Those in it may get other names.
                    ("values", []) if depth > 0 => {
                        let call = call?;
                        self.added_by_statement(call, call, at, depth, left, found)
                    }
                    ("items" | "pop" | "popleft" | "copy", _) if depth > 0 => None,
                    (name, _) => (is_look(name) || is_removal(name)).then_some(()),
                }
            }
            ExprKind::Subscript { value, index } if std::ptr::eq(&**value, inner) => {
                if self.around(around).is_some() {
                    return Some(());
                }
                match &self.owners.get(&address(around))?.kind {
                    StmtKind::Assign { targets, value } if !std::ptr::eq(value, around) => {
                        let is_item = targets.iter().any(|target| std::ptr::eq(target, around))
                            && !matches!(index.plain().kind, ExprKind::Slice { .. });
                        if is_item && depth == 0 {
                            found.push(Item::value(value, at));
                        }
                        is_item.then_some(())
                    }
                    StmtKind::AugAssign { target, .. } if std::ptr::eq(target, around) => None,
                    StmtKind::For { target, .. } if std::ptr::eq(target, around) => None,
                    _ => Some(()),
                }
            }
            ExprKind::Call { func, args } if !std::ptr::eq(&**func, inner) => {
                if self.param_given(around, inner, at, left).is_some() {
                    return self.added_by_callee(around, inner, at, depth, left, found);
                }
                match (&self.callee_within(func, at, left)?[..], &args[..]) {
                    ("heapq.heappush", [_, Arg::Positional(value)])
                    | ("bisect.insort", [_, Arg::Positional(value), ..]) => {
                        if depth == 0 {
                            found.push(Item::value(value, at));
                        }
                        Some(())
                    }
                    ("functools.partial", _) => None,
                    _ => (depth == 0).then_some(()),
                }
            }
            ExprKind::Comprehension(made) => {
                let mut clauses = made.clauses.iter();
                (depth == 0 && clauses.any(|clause| std::ptr::eq(&clause.iter, inner))).then_some(())
            }
            ExprKind::Tuple(_) if self.is_target(around) => Some(()),
            // `Thread(target=f, args=(items,))`
            ExprKind::Tuple(_) | ExprKind::List(_) => {
                self.added_by_callee(self.around(around)?, inner, at, depth, left, found)
            }
            ExprKind::Compare { .. } | ExprKind::Unary { .. } | ExprKind::FString(_) => Some(()),
            ExprKind::Starred(_) | ExprKind::Binary { .. } => (depth == 0).then_some(()),
            _ => None,
        }
    }

    /// The same where the mention is the whole of an expression of a statement.
    fn added_by_statement(
        &self,
        mention: &Expr,
        inner: &Expr,
        at: At,
        depth: u32,
        left: u32,
        found: &mut Items<'a>,
    ) -> Option<()> {
        // What gets the container as another name, and how deep in that they are.
        let (target, depth) = match &self.owners.get(&address(inner))?.kind {
            StmtKind::Assign { targets, value } if std::ptr::eq(value, inner) => match &targets[..] {
                [target] => (target, depth),
                _ => return None,
            },
            StmtKind::AnnAssign {
                target,
                value: Some(value),
                ..
            } if std::ptr::eq(value, inner) => (target, depth),
            StmtKind::For { target, iter, .. } if depth > 0 && std::ptr::eq(iter, inner) => {
                (target, depth - 1)
            }
            StmtKind::AugAssign { .. } | StmtKind::With { .. } | StmtKind::Match { .. } => return None,
            StmtKind::Return(_) if depth > 0 || !matches!(mention.kind, ExprKind::Name(_)) => return None,
            _ => return Some(()),
        };
        self.added_to(Holder::of(self, target, at)?.deeper_by(depth), left, found)
    }

    /// The same by what a call calls, which is given the container.
    fn added_by_callee(
        &self,
        call: &Expr,
        given: &Expr,
        at: At,
        depth: u32,
        left: u32,
        found: &mut Items<'a>,
    ) -> Option<()> {
        let (callable, param) = self.param_given(call, given, at, left)?;
        let owner = match callable {
            Callable::Function(function) => self.names.opened_by(function)?,
            Callable::Lambda(lambda) => self.names.opened_by(lambda)?,
        };
        self.added_to(Holder::name(owner, param.name).deeper_by(depth), left, found)
    }

    /// The expression that asks a container for one of its items: `items[0]`, `items.get(name)`.
    fn item_asked(&self, container: &Expr, around: &'a Expr) -> Option<&'a Expr> {
        match &around.kind {
            ExprKind::Subscript { value, index } if std::ptr::eq(&**value, container) => {
                let is_set = self.around(around).is_none()
                    && match &self.owners.get(&address(around))?.kind {
                        StmtKind::Assign { value, .. } => !std::ptr::eq(value, around),
                        StmtKind::Del(_) => true,
                        _ => false,
                    };
                (!is_set && !matches!(index.plain().kind, ExprKind::Slice { .. })).then_some(around)
            }
            ExprKind::Attribute { name, .. } if matches!(name.text(), "get" | "setdefault") => {
                let call = self.around(around)?;
                matches!(&call.kind, ExprKind::Call { func, .. } if std::ptr::eq(&**func, around))
                    .then_some(call)
            }
            _ => None,
        }
    }
}

fn is_removal(method: &str) -> bool {
    matches!(
        method,
        "remove" | "discard" | "pop" | "popleft" | "clear" | "get" | "get_nowait"
    )
}

/// Whether a method changes nothing of what a container holds.
fn is_look(method: &str) -> bool {
    matches!(
        method,
        "index"
            | "count"
            | "copy"
            | "items"
            | "keys"
            | "values"
            | "sort"
            | "reverse"
            | "task_done"
            | "join"
            | "qsize"
            | "empty"
            | "full"
            | "shutdown"
    )
}
