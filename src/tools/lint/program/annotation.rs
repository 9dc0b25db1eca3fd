//! What annotations say of values.

use super::container::Items;
use super::outcome::is_none;
use super::*;

impl<'a> Program<'a> {
    /// What a value is that is declared with an annotation: `Lock`, `Queue[int]`, `"Client"`, `Event | None`.
    pub(super) fn annotated(&self, annotation: &'a Expr, at: At, left: u32) -> Kind<'a> {
        let Some(left) = left.checked_sub(1) else {
            return Kind::Unknown;
        };
        match &annotation.plain().kind {
            ExprKind::Constant(Constant::Str(text)) => self.annotated_by_text(text, at),
            ExprKind::Binary {
                op: BinaryOp::BitOr,
                left: one,
                right: other,
            } => match (is_none(one), is_none(other)) {
                (true, _) => self.annotated(other, at, left),
                (_, true) => self.annotated(one, at, left),
                _ => Kind::any_of([one, other].map(|part| self.annotated(part, at, left))),
            },
            ExprKind::Subscript { value, index } => match self.meaning_within(value, at, left) {
                Meaning::Library(path) if path == "typing.Optional" => self.annotated(index, at, left),
                meaning => instance_of(meaning),
            },
            _ => instance_of(self.meaning_within(annotation, at, left)),
        }
    }

    /// What is in a container that is declared with an annotation: `list[Job]`, `dict[str, Job]`, `Queue[Job]`.
    pub(super) fn declared_inside(
        &self,
        annotation: &'a Expr,
        at: At,
        by: By,
        left: u32,
    ) -> Option<Items<'a>> {
        let left = self.go_on(left, 1)?;
        let (value, index) = match &annotation.plain().kind {
            ExprKind::Binary {
                op: BinaryOp::BitOr,
                left: one,
                right: other,
            } => match (is_none(one), is_none(other)) {
                (true, _) => return self.declared_inside(other, at, by, left),
                (_, true) => return self.declared_inside(one, at, by, left),
                _ => return None,
            },
            ExprKind::Subscript { value, index } => (value, index.plain()),
            _ => return None,
        };
        let Meaning::Library(path) = self.meaning_within(value, at, left) else {
            return None;
        };
        let item = match (path.rsplit('.').next()?, &index.kind, by) {
            ("Optional", ..) => return self.declared_inside(index, at, by, left),
            ("tuple" | "Tuple", ExprKind::Tuple(items), _) => match &items[..] {
                [item, rest] if matches!(rest.plain().kind, ExprKind::Constant(Constant::Ellipsis)) => item,
                _ => return None,
            },
            (
                "dict" | "Dict" | "defaultdict" | "DefaultDict" | "OrderedDict" | "Mapping"
                | "MutableMapping",
                ExprKind::Tuple(items),
                by,
            ) => match (&items[..], by) {
                ([key, _], By::Loop) => key,
                ([_, value], By::Index) => value,
                _ => return None,
            },
            (
                "list" | "List" | "set" | "Set" | "frozenset" | "FrozenSet" | "deque" | "Deque" | "Sequence"
                | "MutableSequence" | "Collection" | "Iterable" | "Iterator" | "Queue" | "LifoQueue"
                | "PriorityQueue" | "SimpleQueue",
                ..,
            ) => index,
            _ => return None,
        };
        Some(vec![Item {
            of: Of::Declared,
            expr: item,
            at,
        }])
    }

    /// The same of a variable: what its only binding declares.
    pub(super) fn declared_in(&self, bindings: &[Binding<'a>], by: By, left: u32) -> Option<Items<'a>> {
        match bindings {
            [Binding::Declared(annotation, _, at)] => self.declared_inside(annotation, *at, by, left),
            [Binding::Param(Callable::Function(function), param)] => {
                let at = *self.defined.get(&address(*function))?;
                self.declared_inside(param.annotation.as_ref()?, at, by, left)
            }
            _ => None,
        }
    }

    /// The same for an annotation that is written as a string: a name, dotted or not, perhaps with parameters.
    fn annotated_by_text(&self, text: &str, at: At) -> Kind<'a> {
        let parts = text.split('|').map(str::trim).filter(|part| *part != "None");
        Kind::any_of(parts.map(|part| {
            let path = part.split('[').next().unwrap_or_default().trim();
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            let name = Symbol::new(name);
            let meaning = match self
                .names
                .owner(self.names.top(at.scope), name)
                .map(|owner| (owner, name))
            {
                Some(key) => match self.bindings.get(&key).map(Vec::as_slice) {
                    Some([Binding::Library(path)]) => self.library(path.clone(), LONGEST_CHAIN),
                    Some([Binding::Class(class)]) => Meaning::Class(class),
                    _ => Meaning::Unknown,
                },
                None => Meaning::Library(library::free_name(name.text())),
            };
            match meaning {
                Meaning::Library(path) if !rest.is_empty() => {
                    instance_of(Meaning::Library(format!("{path}.{rest}")))
                }
                Meaning::Class(_) if !rest.is_empty() => Kind::Unknown,
                meaning => instance_of(meaning),
            }
        }))
    }
}

/// What an object of a class is.
fn instance_of(class: Meaning) -> Kind {
    match class {
        Meaning::Library(path) => match library::class(&path) {
            Some("asyncio.Task") => Kind::Task,
            Some("asyncio.Future") => Kind::Future,
            Some(class) => Kind::Object(class),
            None => Kind::Unknown,
        },
        Meaning::Class(class) => Kind::Instance(class),
        _ => Kind::Unknown,
    }
}
