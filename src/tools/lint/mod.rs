//! The mistakes that are easily made with coroutines: found in a program's text (`rule`) and in its
//! run (`watch`), each with a number that `aio explain` tells more about (`catalog`, `pages`).

pub mod catalog;
pub mod explain;
mod handed;
mod library;
mod program;
mod results;
mod rule;
pub mod watch;

use crate::source::{Source, Span};
use crate::syntax::SyntaxError;
use crate::syntax::ast::{Module, Stmt, StmtKind};
use catalog::Lint;
pub use program::Imported;
use program::Program;
use std::rc::Rc;

/// A mistake at a place of a program.
pub struct Finding {
    pub lint: &'static Lint,
    pub source: Rc<Source>,
    pub span: Span,
    /// What is wrong here, in one sentence.
    pub message: String,
    /// Where the object that it is about is made, if not here.
    pub made: Vec<Span>,
}

impl Finding {
    /// `FILE:LINE:COLUMN: NUMBER message` (`NUMBER note: message`), and below it the line with the place marked.
    pub fn text(&self) -> String {
        let (line, column) = self.source.position(self.span.start);
        let mut text = format!(
            "{}:{line}:{}: {} {}{}\n",
            self.source.name,
            column + 1,
            self.lint.number,
            if self.lint.is_note { "note: " } else { "" },
            self.message
        );
        let shown = self.source.line_text(line);
        if shown.trim().is_empty() {
            return text;
        }
        let (end_line, end_column) = self.source.position(self.span.end);
        let length = shown.trim_end().chars().count();
        let end = match end_line == line {
            true => (end_column as usize).min(length),
            false => length,
        };
        let cut = shown.chars().take_while(|c| c.is_whitespace()).count();
        let start = (column as usize).saturating_sub(cut);
        let marked = end.saturating_sub(cut).saturating_sub(start).max(1);
        text.push_str(&format!(
            "    {}\n    {}{}\n",
            shown.trim(),
            " ".repeat(start),
            "^".repeat(marked)
        ));
        text
    }

    /// The same as an object of JSON on one line.
    pub fn json(&self) -> String {
        let (line, column) = self.source.position(self.span.start);
        let (end_line, end_column) = self.source.position(self.span.end);
        format!(
            "{{\"file\": {}, \"line\": {line}, \"column\": {}, \"end_line\": {end_line}, \
             \"end_column\": {}, \"number\": \"{}\", \"message\": {}}}",
            quoted(&self.source.name),
            column + 1,
            end_column + 1,
            self.lint.number,
            quoted(&self.message)
        )
    }

    pub fn line(&self) -> u32 {
        self.source.line(self.span.start)
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The mistakes that can be seen in a program's text, in order of their places; `imported` tells what the
/// modules beside it that it imports hold.
pub fn lint(
    module: &Module,
    source: &Rc<Source>,
    imported: &[&Imported],
) -> Result<Vec<Finding>, SyntaxError> {
    let program = Program::new(module, source, imported)?;
    let mut findings: Vec<Finding> = Vec::new();
    for &lint in catalog::ALL {
        let Some(rule) = lint.rule else { continue };
        rule(&program, &mut |span, message| {
            let is_new = findings
                .iter()
                .all(|found| found.span != span || !std::ptr::eq(found.lint, lint));
            if is_new {
                findings.push(Finding {
                    lint,
                    source: source.clone(),
                    span,
                    message,
                    made: program.made_in(span),
                });
            }
        });
    }
    findings.sort_by_key(|found| (found.span.start, found.lint.number));
    Ok(findings)
}

/// The names of the modules that a module may import, wherever in it that stands.
pub fn imports(module: &Module) -> Vec<String> {
    let mut names = Vec::new();
    imports_of(&module.body, &mut names);
    names
}

fn imports_of(body: &[Stmt], names: &mut Vec<String>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Import(aliases) => {
                for alias in aliases {
                    let dots = alias.name.text().match_indices('.').map(|(at, _)| at);
                    let ends = dots.chain([alias.name.text().len()]);
                    names.extend(ends.map(|end| alias.name.text()[..end].to_string()));
                }
            }
            StmtKind::ImportFrom {
                module: Some(module),
                names: parts,
                level: 0,
            } => {
                names.push(module.to_string());
                names.extend(parts.iter().map(|part| format!("{module}.{}", part.name)));
            }
            StmtKind::Function(function) => imports_of(&function.body, names),
            StmtKind::Class(class) => imports_of(&class.body, names),
            _ => stmt
                .blocks()
                .into_iter()
                .for_each(|block| imports_of(block, names)),
        }
    }
}
