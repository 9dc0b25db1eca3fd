//! Code in a form for people: the states of a function as text, or as a diagram.
//!
//! Trees are written as the Python they stand for. What only lowering writes reads as a call:
//! `enter(lock, exit=t0)`. Emptying a temporary is not shown.

use super::liveness::across_suspensions;
use super::phrase::Phrases;
use super::*;
use std::fmt::Write;

/// How to show the states of a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For a terminal.
    Text,
    /// A Mermaid `stateDiagram-v2`.
    Mermaid,
    /// A Graphviz `digraph`.
    Dot,
}

/// The module and all codes nested in it, in order of the text.
pub fn functions(module: &Rc<Code>) -> Vec<Rc<Code>> {
    let mut found = vec![module.clone()];
    let mut at = 0;
    while at < found.len() {
        let code = found[at].clone();
        for state in &code.states {
            nested_in(&state.body, &mut found);
            state.end.each_tree(&mut |tree| nested_in_tree(tree, &mut found));
        }
        at += 1;
    }
    found[1..].sort_by_key(|code| (code.span.start, std::cmp::Reverse(code.span.end)));
    found
}

fn nested_in(block: &[Statement], found: &mut Vec<Rc<Code>>) {
    for statement in block {
        statement.each_tree(&mut |tree| nested_in_tree(tree, found));
        statement.each_block(&mut |block| nested_in(block, found));
    }
}

fn nested_in_tree(tree: &Tree, found: &mut Vec<Rc<Code>>) {
    let code = match &tree.kind {
        TreeKind::Function(function) => Some(&function.code),
        TreeKind::Class(class) => Some(&class.code),
        _ => None,
    };
    if let Some(code) = code
        && !found.iter().any(|known| Rc::ptr_eq(known, code))
    {
        found.push(code.clone());
    }
    tree.each_child(&mut |child| nested_in_tree(child, found));
}

/// The states of one code, nested ones not included.
pub fn render(code: &Code, format: Format) -> String {
    match format {
        Format::Text => text(code),
        Format::Mermaid => mermaid(code),
        Format::Dot => dot(code),
    }
}

impl CodeKind {
    /// What a person calls it.
    pub fn noun(self) -> &'static str {
        match self {
            CodeKind::Module => "module",
            CodeKind::AsyncModule => "async module",
            CodeKind::Class => "class",
            CodeKind::Function => "function",
            CodeKind::Generator => "generator",
            CodeKind::Coroutine => "coroutine",
            CodeKind::AsyncGenerator => "async generator",
        }
    }
}

/// `coroutine main(url, *, retries)`
fn title(code: &Code) -> String {
    let mut title = format!("{} {}", code.kind.noun(), code.qualname);
    if matches!(code.kind, CodeKind::Module | CodeKind::AsyncModule) {
        title = format!("{} {}", code.kind.noun(), code.source.name);
    } else if code.kind != CodeKind::Class {
        let _ = write!(title, "({})", parameters(&code.params));
    }
    title
}

fn parameters(params: &Params) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut names = params.names.iter().map(|name| name.to_string());
    let mut take = |n: u32| names.by_ref().take(n as usize).collect::<Vec<_>>();
    shown.extend(take(params.posonly));
    if params.posonly > 0 && !params.names[0].text().starts_with('.') {
        shown.push("/".to_owned());
    }
    shown.extend(take(params.positional - params.posonly));
    let kwonly = take(params.kwonly);
    let vararg = take(u32::from(params.has_vararg));
    if let [name] = &vararg[..] {
        shown.push(format!("*{name}"));
    } else if !kwonly.is_empty() {
        shown.push("*".to_owned());
    }
    shown.extend(kwonly);
    shown.extend(
        take(u32::from(params.has_kwarg))
            .iter()
            .map(|name| format!("**{name}")),
    );
    shown.join(", ")
}

/// The lines that a state comes from: `line 3`, `lines 3-5`.
fn lines(code: &Code, state: &State) -> Option<String> {
    let mut span: Option<Span> = None;
    let mut add = |more: Span| {
        if more.end > more.start {
            span = Some(span.map_or(more, |span| span.to(more)));
        }
    };
    state.body.iter().for_each(|statement| add(statement.span));
    // A jump's place is that of the whole statement that makes it.
    match &state.end {
        Terminator::Goto(_) | Terminator::Reraise(_) | Terminator::Dispatch { .. } => {}
        Terminator::Next { target, .. } => add(target.span),
        Terminator::Return(None) => {}
        // The place of an `async for` is the whole statement: its first line says it.
        Terminator::AsyncNext { .. } => {
            let start = state.end_span.start as usize;
            add(Span::new(start, start + 1));
        }
        end => {
            let mut own = None;
            end.each_tree(&mut |tree| own = Some(own.map_or(tree.span, |span: Span| span.to(tree.span))));
            add(own.unwrap_or(state.end_span));
        }
    }
    let span = span?;
    let (first, last) = (
        code.source.line(span.start),
        code.source.line(span.end.saturating_sub(1)),
    );
    Some(if first == last {
        format!("line {first}")
    } else {
        format!("lines {first}-{last}")
    })
}

fn text(code: &Code) -> String {
    let phrases = Phrases::of(code);
    let live = across_suspensions(code);
    let mut out = title(code);
    let line = code.source.line(code.span.start);
    if !matches!(code.kind, CodeKind::Module | CodeKind::AsyncModule) {
        let _ = write!(out, "  ({}:{line})", code.source.name);
    }
    out.push('\n');
    if !code.free.is_empty() {
        let _ = writeln!(out, "  from around it: {}", names(&code.free));
    }
    for (number, state) in code.states.iter().enumerate() {
        let mut head = format!("  state {number}");
        if let Some(lines) = lines(code, state) {
            let _ = write!(head, "  {lines}");
        }
        if let Some(handler) = state.handler {
            let slot = phrases.slot(handler.slot);
            let _ = write!(head, "  on exception: {slot}, state {}", handler.target);
        }
        let _ = writeln!(out, "{head}");
        for line in phrases.body(&state.body) {
            let _ = writeln!(out, "    {line}");
        }
        let _ = writeln!(out, "    {}", phrases.terminator(&state.end));
        if let Some(live) = &live[number]
            && !live.is_empty()
        {
            let _ = writeln!(out, "      lives across: {}", names(live));
        }
    }
    out
}

fn names(names: &[Symbol]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.text()).collect();
    names.join(", ")
}

/// Where a state leads: label, target (none: out of the code), and whether by an exception.
struct Edge {
    label: String,
    target: Option<StateId>,
    exception: bool,
}

fn edges(phrases: &Phrases, state: &State) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut add = |label: String, target: Option<StateId>| {
        edges.push(Edge {
            label,
            target,
            exception: false,
        });
    };
    state.body.iter().for_each(|statement| {
        statement.each_goto(&mut |target| add(String::new(), Some(target)));
    });
    let arrow =
        |into: &Option<SlotId>| into.map_or(String::new(), |slot| format!(" -> {}", phrases.slot(slot)));
    match &state.end {
        Terminator::Goto(target) => add(String::new(), Some(*target)),
        Terminator::Branch { test, then, orelse } => {
            let test = phrases.tree(test);
            add(test, Some(*then));
            add("else".to_owned(), Some(*orelse));
        }
        Terminator::Next {
            iter,
            target,
            body,
            done,
        } => {
            add(
                format!("next {} from {}", phrases.target(target), phrases.slot(*iter)),
                Some(*body),
            );
            add("at the end".to_owned(), Some(*done));
        }
        Terminator::AsyncNext {
            iter,
            into,
            body,
            done,
        } => {
            let item = phrases.slot(*into);
            add(
                format!("await next {item} from {}", phrases.slot(*iter)),
                Some(*body),
            );
            add("at the end".to_owned(), Some(*done));
        }
        Terminator::Await { value, into, resume } => {
            add(
                format!("await {}{}", phrases.tree(value), arrow(into)),
                Some(*resume),
            );
        }
        Terminator::Yield { value, into, resume } => {
            add(
                format!("yield {}{}", phrases.tree(value), arrow(into)),
                Some(*resume),
            );
        }
        Terminator::YieldFrom { value, into, resume } => {
            add(
                format!("yield from {}{}", phrases.tree(value), arrow(into)),
                Some(*resume),
            );
        }
        Terminator::Return(_) => add(phrases.terminator(&state.end), None),
        Terminator::Raise { .. } | Terminator::Reraise(_) => {
            let label = phrases.terminator(&state.end);
            let target = state.handler.map(|handler| handler.target);
            edges.push(Edge {
                label,
                target,
                exception: true,
            });
            return edges;
        }
        Terminator::Dispatch { why, ways } => {
            for (number, way) in ways.iter().enumerate() {
                let test = format!("{} = {number}", phrases.slot(*why));
                match way {
                    Onward::Goto(target) => add(test, Some(*target)),
                    Onward::Reraise(_) | Onward::Return(_) => {
                        add(format!("{test}: {}", phrases.onward(way)), None);
                    }
                }
            }
        }
    }
    if let Some(handler) = state.handler {
        let label = format!("on exception: {}", phrases.slot(handler.slot));
        edges.push(Edge {
            label,
            target: Some(handler.target),
            exception: true,
        });
    }
    edges
}

fn mermaid(code: &Code) -> String {
    let phrases = Phrases::of(code);
    let mut out = format!(
        "---\ntitle: \"{}\"\n---\nstateDiagram-v2\n    [*] --> s0\n",
        title(code).replace('"', "'")
    );
    for (number, state) in code.states.iter().enumerate() {
        let mut shown = vec![match lines(code, state) {
            Some(lines) => format!("state {number}, {lines}"),
            None => format!("state {number}"),
        }];
        shown.extend(phrases.body(&state.body));
        let shown: Vec<String> = shown.iter().map(|line| escape_mermaid(line)).collect();
        let _ = writeln!(out, "    s{number}: {}", shown.join("<br/>"));
        for edge in edges(&phrases, state) {
            let target = edge
                .target
                .map_or("[*]".to_owned(), |target| format!("s{target}"));
            let _ = write!(out, "    s{number} --> {target}");
            if !edge.label.is_empty() {
                let _ = write!(out, ": {}", escape_mermaid(&edge.label));
            }
            out.push('\n');
        }
    }
    out
}

/// Mermaid takes no escapes but entities.
fn escape_mermaid(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let indent = text.len() - text.trim_start().len();
    escaped.push_str(&"#nbsp;".repeat(indent));
    for c in text.trim_start().chars() {
        match c {
            '#' | ':' | ';' | '"' | '<' | '>' | '{' | '}' | '\\' | '`' | '%' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            '-' if escaped.ends_with('-') => escaped.push_str("#45;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn dot(code: &Code) -> String {
    let phrases = Phrases::of(code);
    let mut out = format!("digraph {} {{\n", quoted(&code.qualname));
    let _ = writeln!(
        out,
        "    label={}; labelloc=t; fontname=monospace;",
        quoted(&title(code))
    );
    out.push_str("    node [shape=box, fontname=monospace];\n    edge [fontname=monospace];\n");
    out.push_str("    start [shape=point]; start -> s0;\n");
    for (number, state) in code.states.iter().enumerate() {
        let mut shown = vec![match lines(code, state) {
            Some(lines) => format!("state {number}, {lines}"),
            None => format!("state {number}"),
        }];
        shown.extend(phrases.body(&state.body));
        // `\l` ends a line that is flush left.
        let label: String = shown
            .iter()
            .map(|line| format!("{}\\l", escape_dot(line)))
            .collect();
        let _ = writeln!(out, "    s{number} [label=\"{label}\"];");
        for (way, edge) in edges(&phrases, state).into_iter().enumerate() {
            let target = match edge.target {
                Some(target) => format!("s{target}"),
                None => {
                    let _ = writeln!(out, "    end{number}_{way} [shape=point];");
                    format!("end{number}_{way}")
                }
            };
            let style = if edge.exception { ", style=dashed" } else { "" };
            let _ = writeln!(
                out,
                "    s{number} -> {target} [label={}{style}];",
                quoted(&edge.label)
            );
        }
    }
    out.push_str("}\n");
    out
}

fn escape_dot(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escape_dot(text))
}
