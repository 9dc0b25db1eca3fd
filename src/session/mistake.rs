//! The mistakes in the texts of a program: in its own, and in those of the modules beside it that it imports.

use super::{decode, report};
use crate::interp::import;
use crate::lower;
use crate::source::Source;
use crate::syntax::{self, SyntaxError};
use crate::tools::lint::{self, Finding, Imported};
use std::path::Path;
use std::rc::Rc;

/// So many modules beside a program are looked into.
const MOST_MODULES: usize = 100;

/// The mistakes that are seen in a program's text and in those of the modules that it imports, or why it is no
/// program. Call on a session thread.
pub fn lint(name: &str, bytes: Vec<u8>) -> Result<Vec<Finding>, String> {
    let source = Source::new(name, decode(bytes, name)?);
    let render = |error: SyntaxError| report::render(&error.diagnostic(&source));
    let program = parsed(main_name(name), &source).map_err(render)?;
    find(program, Path::new(name).parent()).map_err(render)
}

/// The mistakes in a parsed program, and in the modules that it imports from a folder.
pub fn find(program: Imported, folder: Option<&Path>) -> Result<Vec<Finding>, SyntaxError> {
    let mut texts = vec![program];
    let mut wanted = 0;
    while let Some(text) = texts.get(wanted).filter(|_| texts.len() < MOST_MODULES) {
        for name in lint::imports(&text.module) {
            if texts.iter().all(|known| known.name != name) {
                texts.extend(folder.and_then(|folder| module(folder, name)));
            }
        }
        wanted += 1;
    }
    let mut findings = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        let others = texts.iter().enumerate().filter(|(n, _)| *n != i);
        let others: Vec<&Imported> = others.map(|(_, other)| other).collect();
        findings.extend(lint::lint(&text.module, &text.source, &others)?);
    }
    Ok(findings)
}

/// The name by which a module may import the program itself.
pub fn main_name(file: &str) -> String {
    let stem = Path::new(file).file_stem();
    stem.map_or(String::new(), |stem| stem.to_string_lossy().into_owned())
}

fn parsed(name: String, source: &Rc<Source>) -> Result<Imported, SyntaxError> {
    let module = syntax::parse(source)?;
    lower::lower(&module, source, &lower::Options { interactive: false })?;
    Ok(Imported {
        name,
        source: source.clone(),
        module,
    })
}

/// A module beside a program, if it is one that can be read.
fn module(folder: &Path, name: String) -> Option<Imported> {
    let (path, _) = import::beside(folder, &name).filter(|_| !import::is_library(&name))?;
    let text = String::from_utf8(std::fs::read(&path).ok()?).ok()?;
    parsed(name, &Source::new(path.to_string_lossy(), text)).ok()
}
