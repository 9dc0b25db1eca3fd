//! Trees, statements and terminators in words, most of them Python's.

use super::spelling::{Tightness, binary, compare, constant_text, next};
use super::*;

/// Writes the parts of one code.
pub(super) struct Phrases<'a> {
    code: &'a Code,
    /// `t` unless a variable has such a name.
    temporary: &'static str,
}

impl<'a> Phrases<'a> {
    pub(super) fn of(code: &'a Code) -> Phrases<'a> {
        let is_like_temporary = |name: &Symbol| {
            let digits = name.text().strip_prefix('t');
            digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        };
        let temporary = if code.slots.iter().any(is_like_temporary) {
            "$"
        } else {
            "t"
        };
        Phrases { code, temporary }
    }

    pub(super) fn slot(&self, slot: SlotId) -> String {
        let name = self.code.slots[slot as usize].text();
        match name.strip_prefix('$') {
            Some(number) => format!("{}{number}", self.temporary),
            None => name.to_owned(),
        }
    }

    fn place(&self, place: Place) -> String {
        match place {
            Place::Local(slot) | Place::Cell(slot) => self.slot(slot),
            Place::Free(n) => self.code.free[n as usize].to_string(),
            Place::Global(name) | Place::ClassName(name) | Place::ClassFree(name, _) => name.to_string(),
        }
    }

    // Statements.

    /// The lines of a state's body. Clearing is shown only where nothing else is done.
    pub(super) fn body(&self, body: &[Statement]) -> Vec<String> {
        let lines = self.block(body);
        if !lines.is_empty() || body.is_empty() {
            return lines;
        }
        let cleared = body.iter().filter_map(|statement| match statement.kind {
            StatementKind::Clear(slot) => Some(self.slot(slot)),
            _ => None,
        });
        vec![format!("clear {}", join(cleared))]
    }

    /// The lines of a block, blocks inside it indented.
    pub(super) fn block(&self, block: &[Statement]) -> Vec<String> {
        let mut lines = Vec::new();
        for statement in block {
            self.statement(&statement.kind, &mut lines);
        }
        lines
    }

    fn suite(&self, head: String, block: &[Statement], lines: &mut Vec<String>) {
        let inner = self.block(block);
        lines.push(format!("{head}:"));
        if inner.is_empty() {
            lines.push("    pass".to_owned());
        }
        lines.extend(inner.into_iter().map(|line| format!("    {line}")));
    }

    fn optional_suite(&self, head: &str, block: &[Statement], lines: &mut Vec<String>) {
        if !self.block(block).is_empty() {
            self.suite(head.to_owned(), block, lines);
        }
    }

    fn statement(&self, kind: &StatementKind, lines: &mut Vec<String>) {
        let line = match kind {
            StatementKind::Eval(tree) => self.tree(tree),
            StatementKind::Show(tree) => format!("show {}", self.tree(tree)),
            StatementKind::Assign { targets, value } => {
                let targets: String = targets
                    .iter()
                    .map(|target| format!("{} = ", self.target(target)))
                    .collect();
                format!("{targets}{}", self.open_tree(value))
            }
            StatementKind::AugAssign { target, op, value } => {
                format!(
                    "{} {}= {}",
                    self.target(target),
                    binary(*op).0,
                    self.open_tree(value)
                )
            }
            StatementKind::Delete(target) => format!("del {}", self.target(target)),
            StatementKind::Annotate { name, value } => {
                format!("__annotations__['{name}'] = {}", self.tree(value))
            }
            StatementKind::Assert { test, message } => {
                let message = message
                    .as_ref()
                    .map_or(String::new(), |m| format!(", {}", self.tree(m)));
                format!("assert {}{message}", self.tree(test))
            }
            StatementKind::Import {
                module,
                asname,
                place,
            } => {
                let asname = if *asname {
                    format!(" as {}", self.place(*place))
                } else {
                    String::new()
                };
                format!("import {module}{asname}")
            }
            StatementKind::ImportFrom {
                module,
                level,
                names,
                star,
            } => {
                let dots = ".".repeat(*level as usize);
                let module = module.map_or("", |module| module.text());
                let name = |&(name, place): &(Symbol, Place)| {
                    let bound = self.place(place);
                    if bound == name.text() {
                        bound
                    } else {
                        format!("{name} as {bound}")
                    }
                };
                let names = if *star {
                    "*".to_owned()
                } else {
                    join(names.iter().map(name))
                };
                format!("from {dots}{module} import {names}")
            }
            StatementKind::If { test, body, orelse } => {
                self.suite(format!("if {}", self.tree(test)), body, lines);
                return self.else_of_if(orelse, lines);
            }
            StatementKind::While { test, body, orelse } => {
                self.suite(format!("while {}", self.tree(test)), body, lines);
                return self.optional_suite("else", orelse, lines);
            }
            StatementKind::For {
                target,
                iter,
                body,
                orelse,
            } => {
                self.suite(
                    format!("for {} in {}", self.target(target), self.open_tree(iter)),
                    body,
                    lines,
                );
                return self.optional_suite("else", orelse, lines);
            }
            StatementKind::Try(try_) => {
                self.suite("try".to_owned(), &try_.body, lines);
                for handler in &try_.handlers {
                    let star = if try_.is_star { "*" } else { "" };
                    let kind = handler
                        .kind
                        .as_ref()
                        .map_or(String::new(), |kind| format!(" {}", self.tree(kind)));
                    let name = handler
                        .name
                        .map_or(String::new(), |name| format!(" as {}", self.place(name)));
                    self.suite(format!("except{star}{kind}{name}"), &handler.body, lines);
                }
                self.optional_suite("else", &try_.orelse, lines);
                return self.optional_suite("finally", &try_.finalbody, lines);
            }
            StatementKind::With {
                context,
                target,
                body,
            } => {
                let target = target
                    .as_ref()
                    .map_or(String::new(), |t| format!(" as {}", self.target(t)));
                return self.suite(format!("with {}{target}", self.tree(context)), body, lines);
            }
            StatementKind::Break => "break".to_owned(),
            StatementKind::Continue => "continue".to_owned(),
            StatementKind::Goto(state) => format!("goto state {state}"),
            StatementKind::Return(value) => self.return_(value.as_ref()),
            StatementKind::Raise { exc, cause } => self.raise(exc.as_ref(), cause.as_ref()),
            // Neither does anything that a reader would miss.
            StatementKind::MakeCell(_) | StatementKind::Clear(_) => return,
            StatementKind::EnterHandler(slot) => format!("handle {}", self.slot(*slot)),
            StatementKind::LeaveHandler => "end of handling".to_owned(),
            StatementKind::Collect {
                into,
                kind,
                key,
                element,
            } => {
                let into = self.slot(*into);
                let element = self.tree(element);
                match (kind, key) {
                    (ComprehensionKind::Dict, Some(key)) => format!("{into}[{}] = {element}", self.tree(key)),
                    (ComprehensionKind::Set, _) => format!("{into}.add({element})"),
                    _ => format!("{into}.append({element})"),
                }
            }
        };
        lines.push(line);
    }

    fn else_of_if(&self, orelse: &[Statement], lines: &mut Vec<String>) {
        if let [
            Statement {
                kind: StatementKind::If { test, body, orelse },
                ..
            },
        ] = orelse
        {
            self.suite(format!("elif {}", self.tree(test)), body, lines);
            return self.else_of_if(orelse, lines);
        }
        self.optional_suite("else", orelse, lines);
    }

    fn return_(&self, value: Option<&Tree>) -> String {
        value.map_or("return".to_owned(), |value| {
            format!("return {}", self.open_tree(value))
        })
    }

    fn raise(&self, exc: Option<&Tree>, cause: Option<&Tree>) -> String {
        let exc = exc.map_or(String::new(), |exc| format!(" {}", self.tree(exc)));
        let cause = cause.map_or(String::new(), |cause| format!(" from {}", self.tree(cause)));
        format!("raise{exc}{cause}")
    }

    pub(super) fn terminator(&self, end: &Terminator) -> String {
        let arrow =
            |into: &Option<SlotId>| into.map_or(String::new(), |slot| format!(" -> {}", self.slot(slot)));
        match end {
            Terminator::Goto(state) => format!("goto state {state}"),
            Terminator::Branch { test, then, orelse } => {
                format!("branch {}: state {then} else state {orelse}", self.tree(test))
            }
            Terminator::Next {
                iter,
                target,
                body,
                done,
            } => {
                let (iter, target) = (self.slot(*iter), self.target(target));
                format!("next of {iter} -> {target}: state {body}, at its end: state {done}")
            }
            Terminator::AsyncNext {
                iter,
                into,
                body,
                done,
            } => {
                let (iter, into) = (self.slot(*iter), self.slot(*into));
                format!("await next of {iter} -> {into}, then state {body}, at its end: state {done}")
            }
            Terminator::Await { value, into, resume } => {
                format!("await {}{}, then state {resume}", self.tight(value), arrow(into))
            }
            Terminator::Yield { value, into, resume } => {
                format!(
                    "yield {}{}, then state {resume}",
                    self.open_tree(value),
                    arrow(into)
                )
            }
            Terminator::YieldFrom { value, into, resume } => {
                format!(
                    "yield from {}{}, then state {resume}",
                    self.tree(value),
                    arrow(into)
                )
            }
            Terminator::Return(value) => self.return_(value.as_ref()),
            Terminator::Raise { exc, cause } => self.raise(exc.as_ref(), cause.as_ref()),
            Terminator::Reraise(slot) => format!("raise {} again", self.slot(*slot)),
            Terminator::Dispatch { why, ways } => {
                let ways = ways
                    .iter()
                    .enumerate()
                    .map(|(n, way)| format!("{n} {}", self.onward(way)));
                format!("by {}: {}", self.slot(*why), join(ways))
            }
        }
    }

    pub(super) fn onward(&self, way: &Onward) -> String {
        match way {
            Onward::Goto(state) => format!("state {state}"),
            Onward::Reraise(slot) => format!("raise {} again", self.slot(*slot)),
            Onward::Return(slot) => format!("return {}", self.slot(*slot)),
        }
    }

    pub(super) fn target(&self, target: &Target) -> String {
        match &target.kind {
            TargetKind::Place(place) => self.place(*place),
            TargetKind::Attribute { object, name } => format!("{}.{name}", self.tight(object)),
            TargetKind::Subscript { object, index } => {
                format!("{}[{}]", self.tight(object), self.index(index))
            }
            TargetKind::Unpack { targets, star } => {
                let one = |(at, target): (u32, &Target)| {
                    let nested = matches!(target.kind, TargetKind::Unpack { .. });
                    let text = self.target(target);
                    let text = if nested { format!("({text})") } else { text };
                    if *star == Some(at) {
                        format!("*{text}")
                    } else {
                        text
                    }
                };
                let all = join((0u32..).zip(targets).map(one));
                if targets.len() == 1 {
                    format!("{all},")
                } else if targets.is_empty() {
                    "()".to_owned()
                } else {
                    all
                }
            }
        }
    }

    // Trees.

    pub(super) fn tree(&self, tree: &Tree) -> String {
        self.at(tree, Tightness::Conditional)
    }

    fn tight(&self, tree: &Tree) -> String {
        self.at(tree, Tightness::Primary)
    }

    /// Where a tuple needs no parentheses.
    fn open_tree(&self, tree: &Tree) -> String {
        match &tree.kind {
            TreeKind::Tuple(elements) if elements.len() > 1 => self.elements(elements),
            _ => self.tree(tree),
        }
    }

    fn index(&self, index: &Tree) -> String {
        match &index.kind {
            TreeKind::Tuple(elements) if elements.len() > 1 => self.elements(elements),
            _ => self.tree(index),
        }
    }

    fn at(&self, tree: &Tree, place: Tightness) -> String {
        let (text, tightness) = self.expression(tree);
        if tightness < place {
            format!("({text})")
        } else {
            text
        }
    }

    fn expression(&self, tree: &Tree) -> (String, Tightness) {
        use Tightness as T;
        match &tree.kind {
            TreeKind::Constant(constant) => (constant_text(constant), T::Primary),
            TreeKind::Load(place) => (self.place(*place), T::Primary),
            TreeKind::Take(slot) | TreeKind::Peek(slot) => (self.slot(*slot), T::Primary),
            TreeKind::Walrus { place, value } => (
                format!("{} := {}", self.place(*place), self.tree(value)),
                T::Walrus,
            ),
            TreeKind::Binary { op, left, right } => {
                let (sign, tightness) = binary(*op);
                // Powers group to the right, all else to the left.
                let (l, r) = match op {
                    BinaryOp::Pow => (T::Primary, T::Sign),
                    _ => (tightness, next(tightness)),
                };
                (
                    format!("{} {sign} {}", self.at(left, l), self.at(right, r)),
                    tightness,
                )
            }
            TreeKind::InPlace { op, left, right } => {
                let (left, right) = (self.tree(left), self.tree(right));
                (format!("{left} {}= {right}", binary(*op).0), T::Walrus)
            }
            TreeKind::Unary { op, operand } => match op {
                UnaryOp::Not => (format!("not {}", self.at(operand, T::Not)), T::Not),
                UnaryOp::Neg => (format!("-{}", self.at(operand, T::Sign)), T::Sign),
                UnaryOp::Pos => (format!("+{}", self.at(operand, T::Sign)), T::Sign),
                UnaryOp::Invert => (format!("~{}", self.at(operand, T::Sign)), T::Sign),
            },
            TreeKind::BoolOp { op, values } => {
                let (word, tightness) = match op {
                    BoolOp::And => (" and ", T::And),
                    BoolOp::Or => (" or ", T::Or),
                };
                let values: Vec<String> = values
                    .iter()
                    .map(|value| self.at(value, next(tightness)))
                    .collect();
                (values.join(word), tightness)
            }
            TreeKind::Compare { left, rest } => {
                let mut text = self.at(left, T::BitOr);
                for (op, operand) in rest {
                    text += &format!(" {} {}", compare(*op), self.at(operand, T::BitOr));
                }
                (text, T::Comparison)
            }
            TreeKind::IfElse { test, body, orelse } => {
                let (body, test) = (self.at(body, T::Or), self.at(test, T::Or));
                (
                    format!("{body} if {test} else {}", self.tree(orelse)),
                    T::Conditional,
                )
            }
            TreeKind::Call { func, args } => (
                format!("{}({})", self.tight(func), self.arguments(args)),
                T::Primary,
            ),
            TreeKind::Attribute { object, name } => (format!("{}.{name}", self.tight(object)), T::Primary),
            TreeKind::Subscript { object, index } => (
                format!("{}[{}]", self.tight(object), self.index(index)),
                T::Primary,
            ),
            TreeKind::Slice { lower, upper, step } => {
                let part = |part: &Option<Box<Tree>>| part.as_ref().map_or(String::new(), |p| self.tree(p));
                let step = step
                    .as_ref()
                    .map_or(String::new(), |step| format!(":{}", self.tree(step)));
                (format!("{}:{}{step}", part(lower), part(upper)), T::Primary)
            }
            TreeKind::Tuple(elements) => {
                let comma = if elements.len() == 1 { "," } else { "" };
                (format!("({}{comma})", self.elements(elements)), T::Primary)
            }
            TreeKind::List(elements) => (format!("[{}]", self.elements(elements)), T::Primary),
            TreeKind::Set(elements) if elements.is_empty() => ("set()".to_owned(), T::Primary),
            TreeKind::Set(elements) => (format!("{{{}}}", self.elements(elements)), T::Primary),
            TreeKind::Dict(items) => {
                let item = |(key, value): &(Option<Tree>, Tree)| match key {
                    Some(key) => format!("{}: {}", self.tree(key), self.tree(value)),
                    None => format!("**{}", self.at(value, T::BitOr)),
                };
                (format!("{{{}}}", join(items.iter().map(item))), T::Primary)
            }
            TreeKind::FString(parts) => (format!("f'{}'", self.parts(parts)), T::Primary),
            TreeKind::Comprehension(comprehension) => (self.comprehension(comprehension), T::Primary),
            TreeKind::Function(function) => (self.function(function), T::Primary),
            TreeKind::Class(class) => {
                let args = self.arguments(&class.args);
                let args = if args.is_empty() {
                    args
                } else {
                    format!("({args})")
                };
                (format!("class {}{args}", class.name), T::Primary)
            }
            TreeKind::Iter(value) => (format!("iter({})", self.tree(value)), T::Primary),
            TreeKind::AsyncIter(value) => (format!("aiter({})", self.tree(value)), T::Primary),
            TreeKind::Enter { context, exit, .. } => (
                format!("enter({}, exit={})", self.tree(context), self.slot(*exit)),
                T::Primary,
            ),
            TreeKind::Exit { exit, exc } => {
                let exc = exc.map_or(String::new(), |exc| format!(", {}", self.slot(exc)));
                (format!("exit({}{exc})", self.slot(*exit)), T::Primary)
            }
            TreeKind::ExceptMatch { exc, kind } => (
                format!("{} matches {}", self.slot(*exc), self.at(kind, T::BitOr)),
                T::Comparison,
            ),
            TreeKind::ExceptStarMatch { rest, matched, kind } => {
                let (rest, matched) = (self.slot(*rest), self.slot(*matched));
                (
                    format!("{matched} := {rest}.split({})", self.tree(kind)),
                    T::Conditional,
                )
            }
            TreeKind::ExceptStarRest { raised, rest, .. } => (
                format!("group({}, {})", self.slot(*raised), self.slot(*rest)),
                T::Primary,
            ),
            TreeKind::Match { subject, pattern } => (
                format!("{} matches {}", self.slot(*subject), self.pattern(pattern)),
                T::Comparison,
            ),
        }
    }

    fn arguments(&self, args: &[Argument]) -> String {
        join(args.iter().map(|arg| match arg {
            Argument::Positional(value) => self.tree(value),
            Argument::Star(value) => format!("*{}", self.at(value, Tightness::BitOr)),
            Argument::Keyword(name, value) => format!("{name}={}", self.tree(value)),
            Argument::DoubleStar(value) => format!("**{}", self.at(value, Tightness::BitOr)),
        }))
    }

    fn elements(&self, elements: &[Element]) -> String {
        join(elements.iter().map(|element| match element {
            Element::One(value) => self.tree(value),
            Element::Star(value) => format!("*{}", self.at(value, Tightness::BitOr)),
        }))
    }

    fn parts(&self, parts: &[Part]) -> String {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(plain) => {
                    let escaped: String = plain.chars().flat_map(|c| c.escape_debug()).collect();
                    text += &escaped
                        .replace('{', "{{")
                        .replace('}', "}}")
                        .replace("\\\"", "\"");
                }
                Part::Field {
                    value,
                    conversion,
                    spec,
                    ..
                } => {
                    let conversion = match conversion {
                        None => "",
                        Some(Conversion::Str) => "!s",
                        Some(Conversion::Repr) => "!r",
                        Some(Conversion::Ascii) => "!a",
                    };
                    let spec = spec
                        .as_ref()
                        .map_or(String::new(), |spec| format!(":{}", self.parts(spec)));
                    text += &format!("{{{}{conversion}{spec}}}", self.tree(value));
                }
            }
        }
        text
    }

    fn comprehension(&self, comprehension: &Comprehension) -> String {
        let mut text = match &comprehension.key {
            Some(key) => format!("{}: {}", self.tree(key), self.tree(&comprehension.element)),
            None => self.tree(&comprehension.element),
        };
        for clause in &comprehension.clauses {
            let iter = self.at(&clause.iter, Tightness::Or);
            text += &format!(" for {} in {iter}", self.target(&clause.target));
            for condition in &clause.conditions {
                text += &format!(" if {}", self.at(condition, Tightness::Or));
            }
        }
        match comprehension.kind {
            ComprehensionKind::List => format!("[{text}]"),
            ComprehensionKind::Set | ComprehensionKind::Dict => format!("{{{text}}}"),
            ComprehensionKind::Generator => format!("({text})"),
        }
    }

    /// `function f(b=1)`; what has no name of its own is known by its kind: `<genexpr>`.
    fn function(&self, function: &MakeFunction) -> String {
        let params = &function.code.params;
        let positional = params.positional as usize - function.defaults.len();
        let defaults = params.names[positional..].iter().zip(&function.defaults);
        let kwdefaults = function.kwdefaults.iter().map(|(name, value)| (name, value));
        let given = join(
            defaults
                .chain(kwdefaults)
                .map(|(name, value)| format!("{name}={}", self.tree(value))),
        );
        let name = function.code.name.text();
        let name = if name.starts_with('<') {
            name.to_owned()
        } else {
            format!("function {name}")
        };
        if given.is_empty() {
            name
        } else {
            format!("{name}({given})")
        }
    }

    fn pattern(&self, pattern: &Pattern) -> String {
        let all = |patterns: &[Pattern]| join(patterns.iter().map(|p| self.pattern(p)));
        match &pattern.kind {
            PatternKind::Value(value) => self.tree(value),
            PatternKind::Singleton(constant) => constant_text(constant),
            PatternKind::Wildcard => "_".to_owned(),
            PatternKind::Capture { pattern: None, place } => self.place(*place),
            PatternKind::Capture {
                pattern: Some(inner),
                place,
            } => {
                format!("{} as {}", self.pattern(inner), self.place(*place))
            }
            PatternKind::Or(patterns) => {
                let patterns: Vec<String> = patterns.iter().map(|p| self.pattern(p)).collect();
                patterns.join(" | ")
            }
            PatternKind::Sequence { patterns, .. } => format!("[{}]", all(patterns)),
            PatternKind::Star(place) => {
                format!("*{}", place.map_or("_".to_owned(), |place| self.place(place)))
            }
            PatternKind::Mapping { keys, patterns, rest } => {
                let items = keys.iter().zip(patterns);
                let items = items.map(|(key, p)| format!("{}: {}", self.tree(key), self.pattern(p)));
                let rest = rest.map(|place| format!("**{}", self.place(place)));
                format!("{{{}}}", join(items.chain(rest)))
            }
            PatternKind::Class {
                cls,
                patterns,
                keywords,
            } => {
                let positional = patterns.iter().map(|p| self.pattern(p));
                let keywords = keywords
                    .iter()
                    .map(|(name, p)| format!("{name}={}", self.pattern(p)));
                format!("{}({})", self.tight(cls), join(positional.chain(keywords)))
            }
        }
    }
}

fn join(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}
