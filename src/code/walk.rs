//! Walks over lowered code: what stands directly inside a tree, a statement, a terminator.
//!
//! Always true: children come in the order in which they are evaluated.

use super::*;

impl Argument {
    pub fn value(&self) -> &Tree {
        match self {
            Argument::Positional(tree)
            | Argument::Star(tree)
            | Argument::Keyword(_, tree)
            | Argument::DoubleStar(tree) => tree,
        }
    }
}

impl Element {
    pub fn value(&self) -> &Tree {
        match self {
            Element::One(tree) | Element::Star(tree) => tree,
        }
    }
}

fn each_part<'a>(parts: &'a [Part], f: &mut dyn FnMut(&'a Tree)) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Field { value, spec, .. } => {
                f(value);
                each_part(spec.as_deref().unwrap_or(&[]), f);
            }
        }
    }
}

impl Tree {
    /// Calls `f` with each tree directly inside this one.
    pub fn each_child<'a>(&'a self, f: &mut dyn FnMut(&'a Tree)) {
        match &self.kind {
            TreeKind::Constant(_) | TreeKind::Load(_) | TreeKind::Take(_) | TreeKind::Peek(_) => {}
            TreeKind::Walrus { value, .. } => f(value),
            TreeKind::Binary { left, right, .. } | TreeKind::InPlace { left, right, .. } => {
                f(left);
                f(right);
            }
            TreeKind::Unary { operand, .. } => f(operand),
            TreeKind::BoolOp { values, .. } => values.iter().for_each(f),
            TreeKind::Compare { left, rest } => {
                f(left);
                rest.iter().for_each(|(_, tree)| f(tree));
            }
            TreeKind::IfElse { test, body, orelse } => {
                f(test);
                f(body);
                f(orelse);
            }
            TreeKind::Call { func, args } => {
                f(func);
                args.iter().for_each(|arg| f(arg.value()));
            }
            TreeKind::Attribute { object, .. } => f(object),
            TreeKind::Subscript { object, index } => {
                f(object);
                f(index);
            }
            TreeKind::Slice { lower, upper, step } => {
                for part in [lower, upper, step].into_iter().flatten() {
                    f(part);
                }
            }
            TreeKind::Tuple(elements) | TreeKind::List(elements) | TreeKind::Set(elements) => {
                elements.iter().for_each(|element| f(element.value()));
            }
            TreeKind::Dict(items) => {
                for (key, value) in items {
                    if let Some(key) = key {
                        f(key);
                    }
                    f(value);
                }
            }
            TreeKind::FString(parts) => each_part(parts, f),
            TreeKind::Comprehension(comprehension) => {
                for clause in &comprehension.clauses {
                    f(&clause.iter);
                    clause.target.each_tree(f);
                    clause.conditions.iter().for_each(&mut *f);
                }
                if let Some(key) = &comprehension.key {
                    f(key);
                }
                f(&comprehension.element);
            }
            TreeKind::Function(function) => {
                function.defaults.iter().for_each(&mut *f);
                function.kwdefaults.iter().for_each(|(_, tree)| f(tree));
                function.annotations.iter().for_each(|(_, tree)| f(tree));
            }
            TreeKind::Class(class) => class.args.iter().for_each(|arg| f(arg.value())),
            TreeKind::Iter(value) | TreeKind::AsyncIter(value) => f(value),
            TreeKind::Enter { context, .. } => f(context),
            TreeKind::Exit { .. } | TreeKind::ExceptStarRest { .. } => {}
            TreeKind::ExceptMatch { kind, .. } | TreeKind::ExceptStarMatch { kind, .. } => f(kind),
            TreeKind::Match { pattern, .. } => pattern.each_tree(f),
        }
    }

    /// The places that this tree itself (not what is inside it) reads or writes, and whether it
    /// writes.
    pub fn each_place(&self, f: &mut dyn FnMut(Place, bool)) {
        match &self.kind {
            TreeKind::Load(place) => f(*place, false),
            TreeKind::Walrus { place, .. } => f(*place, true),
            TreeKind::Function(function) => function.captures.iter().for_each(|&place| f(place, false)),
            TreeKind::Class(class) => class.captures.iter().for_each(|&place| f(place, false)),
            TreeKind::Comprehension(comprehension) => {
                comprehension
                    .clauses
                    .iter()
                    .for_each(|clause| clause.target.each_place(f));
            }
            TreeKind::Match { pattern, .. } => pattern.each_place(&mut |place| f(place, true)),
            _ => {}
        }
    }
}

impl Target {
    /// Calls `f` with each tree in the target: objects and indexes.
    pub fn each_tree<'a>(&'a self, f: &mut dyn FnMut(&'a Tree)) {
        match &self.kind {
            TargetKind::Place(_) => {}
            TargetKind::Attribute { object, .. } => f(object),
            TargetKind::Subscript { object, index } => {
                f(object);
                f(index);
            }
            TargetKind::Unpack { targets, .. } => targets.iter().for_each(|target| target.each_tree(f)),
        }
    }

    /// The variables that assigning to the target writes.
    pub fn each_place(&self, f: &mut dyn FnMut(Place, bool)) {
        match &self.kind {
            TargetKind::Place(place) => f(*place, true),
            TargetKind::Attribute { .. } | TargetKind::Subscript { .. } => {}
            TargetKind::Unpack { targets, .. } => targets.iter().for_each(|target| target.each_place(f)),
        }
    }
}

impl Pattern {
    /// Calls `f` with each value, key and class the pattern compares with.
    pub fn each_tree<'a>(&'a self, f: &mut dyn FnMut(&'a Tree)) {
        match &self.kind {
            PatternKind::Value(tree) => f(tree),
            PatternKind::Singleton(_) | PatternKind::Wildcard | PatternKind::Star(_) => {}
            PatternKind::Capture { pattern, .. } => pattern.iter().for_each(|p| p.each_tree(f)),
            PatternKind::Or(patterns) | PatternKind::Sequence { patterns, .. } => {
                patterns.iter().for_each(|p| p.each_tree(f));
            }
            PatternKind::Mapping { keys, patterns, .. } => {
                keys.iter().for_each(&mut *f);
                patterns.iter().for_each(|p| p.each_tree(f));
            }
            PatternKind::Class {
                cls,
                patterns,
                keywords,
            } => {
                f(cls);
                patterns.iter().for_each(|p| p.each_tree(f));
                keywords.iter().for_each(|(_, p)| p.each_tree(f));
            }
        }
    }

    /// The variables the pattern binds.
    pub fn each_place(&self, f: &mut dyn FnMut(Place)) {
        match &self.kind {
            PatternKind::Value(_) | PatternKind::Singleton(_) | PatternKind::Wildcard => {}
            PatternKind::Star(place) => place.iter().for_each(|&p| f(p)),
            PatternKind::Capture { pattern, place } => {
                pattern.iter().for_each(|p| p.each_place(f));
                f(*place);
            }
            PatternKind::Or(patterns) | PatternKind::Sequence { patterns, .. } => {
                patterns.iter().for_each(|p| p.each_place(f));
            }
            PatternKind::Mapping { patterns, rest, .. } => {
                patterns.iter().for_each(|p| p.each_place(f));
                rest.iter().for_each(|&p| f(p));
            }
            PatternKind::Class {
                patterns, keywords, ..
            } => {
                patterns.iter().for_each(|p| p.each_place(f));
                keywords.iter().for_each(|(_, p)| p.each_place(f));
            }
        }
    }
}

impl Statement {
    /// Calls `f` with each tree of the statement itself, not of the statements inside it.
    pub fn each_tree<'a>(&'a self, f: &mut dyn FnMut(&'a Tree)) {
        match &self.kind {
            StatementKind::Eval(tree) | StatementKind::Show(tree) => f(tree),
            StatementKind::Assign { targets, value } => {
                f(value);
                targets.iter().for_each(|target| target.each_tree(f));
            }
            StatementKind::AugAssign { target, value, .. } => {
                target.each_tree(f);
                f(value);
            }
            StatementKind::Delete(target) => target.each_tree(f),
            StatementKind::Annotate { value, .. } => f(value),
            StatementKind::Assert { test, message } => {
                f(test);
                message.iter().for_each(f);
            }
            StatementKind::If { test, .. } | StatementKind::While { test, .. } => f(test),
            StatementKind::For { target, iter, .. } => {
                f(iter);
                target.each_tree(f);
            }
            StatementKind::Try(try_) => {
                try_.handlers
                    .iter()
                    .filter_map(|handler| handler.kind.as_ref())
                    .for_each(f);
            }
            StatementKind::With { context, target, .. } => {
                f(context);
                target.iter().for_each(|target| target.each_tree(f));
            }
            StatementKind::Return(value) => value.iter().for_each(f),
            StatementKind::Raise { exc, cause } => {
                exc.iter().for_each(&mut *f);
                cause.iter().for_each(f);
            }
            StatementKind::Collect { key, element, .. } => {
                key.iter().for_each(&mut *f);
                f(element);
            }
            StatementKind::Import { .. }
            | StatementKind::ImportFrom { .. }
            | StatementKind::Break
            | StatementKind::Continue
            | StatementKind::Goto(_)
            | StatementKind::MakeCell(_)
            | StatementKind::Clear(_)
            | StatementKind::EnterHandler(_)
            | StatementKind::LeaveHandler => {}
        }
    }

    /// Calls `f` with each block of statements inside this one.
    pub fn each_block<'a>(&'a self, f: &mut dyn FnMut(&'a [Statement])) {
        match &self.kind {
            StatementKind::If { body, orelse, .. }
            | StatementKind::While { body, orelse, .. }
            | StatementKind::For { body, orelse, .. } => {
                f(body);
                f(orelse);
            }
            StatementKind::With { body, .. } => f(body),
            StatementKind::Try(try_) => {
                f(&try_.body);
                try_.handlers.iter().for_each(|handler| f(&handler.body));
                f(&try_.orelse);
                f(&try_.finalbody);
            }
            _ => {}
        }
    }

    /// Calls `f` with each state that the statement, or one inside it, leaves for.
    pub fn each_goto(&self, f: &mut dyn FnMut(StateId)) {
        match &self.kind {
            StatementKind::Goto(state) => f(*state),
            _ => self.each_block(&mut |block| block.iter().for_each(|statement| statement.each_goto(f))),
        }
    }
}

impl Terminator {
    /// Of a suspension: the slot for what it is resumed with, and the state that goes on.
    pub fn resumption(&self) -> Option<(Option<SlotId>, StateId)> {
        match self {
            Terminator::Await { into, resume, .. }
            | Terminator::Yield { into, resume, .. }
            | Terminator::YieldFrom { into, resume, .. } => Some((*into, *resume)),
            Terminator::AsyncNext { into, body, .. } => Some((Some(*into), *body)),
            _ => None,
        }
    }

    pub fn each_tree<'a>(&'a self, f: &mut dyn FnMut(&'a Tree)) {
        match self {
            Terminator::Branch { test, .. } => f(test),
            Terminator::Next { target, .. } => target.each_tree(f),
            Terminator::Await { value, .. }
            | Terminator::Yield { value, .. }
            | Terminator::YieldFrom { value, .. } => f(value),
            Terminator::Return(value) => value.iter().for_each(f),
            Terminator::Raise { exc, cause } => {
                exc.iter().for_each(&mut *f);
                cause.iter().for_each(f);
            }
            Terminator::Goto(_)
            | Terminator::AsyncNext { .. }
            | Terminator::Reraise(_)
            | Terminator::Dispatch { .. } => {}
        }
    }

    /// Calls `f` with each state this leads to, in order of the text.
    pub fn each_successor(&self, f: &mut dyn FnMut(StateId)) {
        match self {
            Terminator::Goto(state) => f(*state),
            Terminator::Branch { then, orelse, .. } => {
                f(*then);
                f(*orelse);
            }
            Terminator::Next { body, done, .. } | Terminator::AsyncNext { body, done, .. } => {
                f(*body);
                f(*done);
            }
            Terminator::Await { resume, .. }
            | Terminator::Yield { resume, .. }
            | Terminator::YieldFrom { resume, .. } => f(*resume),
            Terminator::Return(_) | Terminator::Raise { .. } | Terminator::Reraise(_) => {}
            Terminator::Dispatch { ways, .. } => {
                for way in ways {
                    if let Onward::Goto(state) = way {
                        f(*state);
                    }
                }
            }
        }
    }

    /// Whether the frame may be left here and resumed later.
    pub fn suspends(&self) -> bool {
        matches!(
            self,
            Terminator::Await { .. }
                | Terminator::AsyncNext { .. }
                | Terminator::Yield { .. }
                | Terminator::YieldFrom { .. }
        )
    }
}

impl State {
    /// Calls `f` with each state that control may go to from here, the handler last.
    pub fn each_successor(&self, f: &mut dyn FnMut(StateId)) {
        self.body.iter().for_each(|statement| statement.each_goto(f));
        self.end.each_successor(f);
        if let Some(handler) = self.handler {
            f(handler.target);
        }
    }
}

impl Code {
    /// Calls `f` with each tree of all states, what is inside of one before it.
    pub fn every_tree<'a>(&'a self, f: &mut dyn FnMut(&'a Tree)) {
        for state in &self.states {
            in_block(&state.body, f);
            state.end.each_tree(&mut |tree| in_tree(tree, f));
        }
    }

    /// The expression with a place, or what is awaited there.
    pub fn tree_at(&self, place: Span) -> Option<&Tree> {
        let mut found = None;
        self.every_tree(&mut |tree| {
            // The innermost is come to first; what has the same place is made of that alone.
            if tree.span == place {
                found = found.or(Some(tree));
            }
        });
        found.or_else(|| {
            let mut states = self.states.iter();
            states.find_map(|state| match &state.end {
                Terminator::Await { value, .. } if state.end_span == place => Some(value),
                _ => None,
            })
        })
    }

    /// Calls `f` with each statement of all states, what stands in a block of one after it.
    pub fn each_statement<'a>(&'a self, f: &mut dyn FnMut(&'a Statement)) {
        for state in &self.states {
            each_statement(&state.body, f);
        }
    }

    /// The names of module variables, builtins and attributes that it reads, in order of the text.
    pub fn names_read(&self) -> Vec<Symbol> {
        let mut names = Vec::new();
        self.every_tree(&mut |tree| match &tree.kind {
            TreeKind::Load(Place::Global(name) | Place::ClassName(name)) => names.push(*name),
            TreeKind::Attribute { name, .. } => names.push(*name),
            _ => {}
        });
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(*name));
        names
    }

    /// How often a variable is read; `len(variable)`, which does not look at what is in it, does not
    /// count. A module variable may be read by the functions within, too.
    pub fn looks_at(&self, variable: Place) -> usize {
        let is_it = |tree: &Tree| match tree.kind {
            TreeKind::Load(place) => {
                place == variable
                    || matches!((place, variable), (Place::ClassName(a), Place::Global(b)) if a == b)
            }
            _ => false,
        };
        let is_global = matches!(variable, Place::Global(_));
        let (mut reads, mut lengths) = (0, 0);
        self.every_tree(&mut |tree| {
            reads += usize::from(is_it(tree));
            match &tree.kind {
                TreeKind::Call { func, args } => {
                    let is_len =
                        matches!(func.kind, TreeKind::Load(Place::Global(name)) if name.text() == "len");
                    let is_of_it = matches!(&args[..], [Argument::Positional(arg)] if is_it(arg));
                    lengths += usize::from(is_len && is_of_it);
                }
                TreeKind::Function(made) if is_global => reads += made.code.looks_at(variable),
                TreeKind::Class(made) if is_global => reads += made.code.looks_at(variable),
                _ => {}
            }
        });
        reads - lengths
    }

    /// Whether what a slot holds is read, and only to be returned, perhaps by way of another slot.
    pub fn only_returns(&self, slot: SlotId) -> bool {
        self.only_returns_within(slot, self.slots.len())
    }

    fn only_returns_within(&self, slot: SlotId, left: usize) -> bool {
        let Some(left) = left.checked_sub(1) else {
            return false;
        };
        let is_slot = |tree: &Tree| match tree.kind {
            TreeKind::Load(Place::Local(read)) | TreeKind::Take(read) | TreeKind::Peek(read) => read == slot,
            _ => false,
        };
        let (mut reads, mut returns) = (0, 0);
        self.every_tree(&mut |tree| reads += u32::from(is_slot(tree)));
        let mut hand_on = |to: HandedTo| {
            returns += u32::from(match to {
                HandedTo::Caller(tree) => is_slot(tree),
                HandedTo::Slot(other, tree) => is_slot(tree) && self.only_returns_within(other, left),
            });
        };
        for state in &self.states {
            each_handed_on(&state.body, &mut hand_on);
            if let Terminator::Return(Some(tree)) = &state.end {
                hand_on(HandedTo::Caller(tree));
            }
        }
        returns > 0 && reads == returns
    }
}

/// Where a value goes as it is.
enum HandedTo<'a> {
    Caller(&'a Tree),
    Slot(SlotId, &'a Tree),
}

fn each_handed_on(block: &[Statement], f: &mut dyn FnMut(HandedTo)) {
    for statement in block {
        match &statement.kind {
            StatementKind::Return(Some(tree)) => f(HandedTo::Caller(tree)),
            StatementKind::Assign { targets, value } => {
                if let [target] = &targets[..]
                    && let TargetKind::Place(Place::Local(slot)) = target.kind
                {
                    f(HandedTo::Slot(slot, value));
                }
            }
            _ => {}
        }
        statement.each_block(&mut |block| each_handed_on(block, f));
    }
}

fn each_statement<'a>(block: &'a [Statement], f: &mut dyn FnMut(&'a Statement)) {
    for statement in block {
        f(statement);
        statement.each_block(&mut |block| each_statement(block, f));
    }
}

fn in_block<'a>(block: &'a [Statement], f: &mut dyn FnMut(&'a Tree)) {
    for statement in block {
        statement.each_tree(&mut |tree| in_tree(tree, f));
        statement.each_block(&mut |block| in_block(block, f));
    }
}

fn in_tree<'a>(tree: &'a Tree, f: &mut dyn FnMut(&'a Tree)) {
    tree.each_child(&mut |child| in_tree(child, f));
    f(tree);
}
