//! Modules: finding them, running them once, and names from them
//! (https://docs.python.org/3/reference/import.html).
//!
//! A module is looked for among those already imported, then in the library, then beside the
//! importing script as `NAME.aio` or `NAME/__init__.aio`.

use super::attribute;
use super::call;
use super::error::*;
use super::stack::{self, Window};
use super::suggest;
use super::types::{self, Type, class};
use super::unit::Unit;
use crate::code::{Code, CodeKind};
use crate::lower;
use crate::source::{Source, Symbol, name};
use crate::syntax::{self, SyntaxErrorKind, SyntaxWarning};
use crate::value::*;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What the library knows of a module name.
pub enum Found {
    /// A module made in Rust, and what makes the rest of its names on demand.
    Native(Vec<(Symbol, Value)>, Option<MakeName>),
    /// A module written in aio.
    Source(&'static str),
}

/// Makes a name of a module when it is first asked for.
pub type MakeName = fn(&Module, Symbol) -> Res<Option<Value>>;

/// How the library is asked for modules.
#[derive(Clone, Copy)]
pub struct Library {
    pub find: fn(&str) -> Option<Found>,
    /// Names of all of its modules, for "did you mean".
    pub names: fn() -> Vec<&'static str>,
    /// A word on modules of Python that are not part of aio.
    pub advice: fn(&str) -> Option<&'static str>,
    /// The names of a module that are made when they are first asked for.
    pub late: fn(&str) -> Vec<&'static str>,
}

thread_local! {
    static LIBRARY: Cell<Option<Library>> = const { Cell::new(None) };
    static MODULES: RefCell<IndexMap<Symbol, Value, FxBuildHasher>> = RefCell::default();
    /// Where sibling modules are looked for.
    static FOLDERS: RefCell<Vec<PathBuf>> = RefCell::default();
    /// Modules whose code is running for its import, outermost first, and the threads that run it.
    static INITIALIZING: RefCell<Vec<(Symbol, u64)>> = RefCell::default();
    /// Threads that wait for another one's import of a module.
    static WAITING: RefCell<Vec<(u64, Symbol)>> = RefCell::default();
    static THREADS: Cell<Option<Threads>> = const { Cell::new(None) };
}

/// What imports ask of script threads, which may import the same module.
#[derive(Clone, Copy)]
pub struct Threads {
    /// The number of the thread that runs.
    pub current: fn() -> u64,
    /// Blocks it until it is woken, or has reason to look again.
    pub block: fn() -> Res<()>,
    /// Wakes one that is blocked.
    pub wake: fn(u64),
}

pub fn set_threads(threads: Threads) {
    THREADS.set(Some(threads));
}

/// Whether a module's code has not run to its end: circular imports meet such modules.
pub fn is_initializing(module: &Module) -> bool {
    importer(module.name).is_some()
}

/// The thread that runs a module's code for its import.
fn importer(module: Symbol) -> Option<u64> {
    INITIALIZING.with_borrow(|all| all.iter().find(|(name, _)| *name == module).map(|(_, by)| *by))
}

/// Waits until no other thread is in the middle of importing a module, unless that one waits for
/// us: then we take the module as it is.
fn wait_for_other_thread(module: Symbol) -> Res<()> {
    if INITIALIZING.with_borrow(Vec::is_empty) {
        return Ok(());
    }
    let Some(threads) = THREADS.get() else {
        return Ok(());
    };
    let me = (threads.current)();
    while importer(module).is_some_and(|by| by != me) && !waits_for(importer(module), me) {
        WAITING.with_borrow_mut(|all| all.push((me, module)));
        let woken = (threads.block)();
        WAITING.with_borrow_mut(|all| all.retain(|(thread, _)| *thread != me));
        woken?;
    }
    Ok(())
}

/// Whether a thread waits for an import of `whom`, or for one that waits for it.
fn waits_for(thread: Option<u64>, whom: u64) -> bool {
    let mut next = thread;
    while let Some(thread) = next {
        if thread == whom {
            return true;
        }
        let wanted = WAITING.with_borrow(|all| all.iter().find(|(by, _)| *by == thread).map(|(_, m)| *m));
        next = wanted.and_then(importer);
    }
    false
}

/// Runs a module's code; other threads that import the module wait for it.
fn initialize(module: Symbol, run: impl FnOnce() -> Res) -> Res {
    let threads = THREADS.get();
    let me = threads.map_or(0, |threads| (threads.current)());
    INITIALIZING.with_borrow_mut(|all| all.push((module, me)));
    let result = run();
    INITIALIZING.with_borrow_mut(|all| all.retain(|(name, _)| *name != module));
    if let Some(threads) = threads {
        let waiting = WAITING.with_borrow(Clone::clone);
        let waiting = waiting.iter().filter(|(_, wanted)| *wanted == module);
        waiting.for_each(|(thread, _)| (threads.wake)(*thread));
    }
    result
}

pub fn set_library(library: Library) {
    LIBRARY.set(Some(library));
}

pub fn add_folder(folder: PathBuf) {
    FOLDERS.with_borrow_mut(|f| f.insert(0, folder));
}

/// `sys.modules`
pub fn loaded() -> Vec<(Symbol, Value)> {
    MODULES.with_borrow(|m| m.iter().map(|(&n, v)| (n, v.clone())).collect())
}

pub fn register(name: Symbol, module: Value) {
    let old = MODULES.with_borrow_mut(|m| m.insert(name, module));
    drop(old);
}

/// An entry of `sys.modules`.
pub fn loaded_module(name: Symbol) -> Option<Value> {
    MODULES.with_borrow(|m| m.get(&name).cloned())
}

/// Takes an entry out of `sys.modules`; false if there is none.
pub fn forget(name: Symbol) -> bool {
    let old = MODULES.with_borrow_mut(|m| m.shift_remove(&name));
    old.is_some()
}

/// Whether importing the name would find something in the library.
pub fn is_known_module(name: Symbol) -> bool {
    LIBRARY.get().is_some_and(|l| (l.names)().contains(&name.text()))
}

/// The names that a module of the library makes when they are first asked for.
pub fn late_names(module: &Module) -> Vec<&'static str> {
    match LIBRARY.get() {
        Some(library) if module.on_missing.is_some() => (library.late)(module.name.text()),
        _ => Vec::new(),
    }
}

/// `import a.b.c`: the first module, or the last one if it is given a name.
pub fn import(dotted: Symbol, asname: bool, from: &Ref<Module>) -> Res {
    let module = find(Some(dotted), 0, from)?;
    match dotted.text().split_once('.') {
        Some((first, _)) if !asname => load(Symbol::new(first), from),
        _ => Ok(module),
    }
}

/// The module that `from MODULE import …` names; `level` counts leading dots.
pub fn find(module: Option<Symbol>, level: u32, from: &Ref<Module>) -> Res {
    if level == 0 {
        let dotted = module.expect("an absolute import names a module");
        let mut name = String::new();
        let mut found = Value::None;
        for part in dotted.text().split('.') {
            let parent = found;
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(part);
            found = load(Symbol::new(&name), from)?;
            if let Value::Module(parent) = &parent
                && parent.get(Symbol::new(part)).is_none()
            {
                parent.set(Symbol::new(part), found.clone());
            }
        }
        return Ok(found);
    }
    let package = match &from.get(Symbol::new("__package__")) {
        Some(Value::Str(package)) => package.text.to_string(),
        _ => String::new(),
    };
    if package.is_empty() {
        return Err(raise(
            Type::ImportError,
            "attempted relative import with no known parent package",
        ));
    }
    let mut parts: Vec<&str> = package.split('.').collect();
    if level as usize > parts.len() {
        return Err(raise(
            Type::ImportError,
            "attempted relative import beyond top-level package",
        ));
    }
    parts.truncate(parts.len() + 1 - level as usize);
    let mut name = parts.join(".");
    if let Some(module) = module {
        name = format!("{name}.{module}");
    }
    find(Some(Symbol::new(&name)), 0, from)
}

/// A module of the library by its dotted name, for the library's own use.
pub fn by_name(dotted: &str) -> Res {
    let nobody = Ref::new(Module::new(name::BUILTINS));
    find(Some(Symbol::new(dotted)), 0, &nobody)
}

/// The file of a module that is looked for in a folder, and whether it is a package.
pub fn beside(folder: &Path, module: &str) -> Option<(PathBuf, bool)> {
    let relative = module.replace('.', "/");
    let package = folder.join(&relative).join("__init__.aio");
    let file = folder.join(format!("{relative}.aio"));
    let files = [(package, true), (file, false)];
    files.into_iter().find(|(path, _)| path.is_file())
}

/// Whether a module is one of the library's, which no file takes the place of.
pub fn is_library(module: &str) -> bool {
    LIBRARY
        .get()
        .is_some_and(|library| (library.names)().contains(&module))
}

/// A module by its full name, run if it was not before.
fn load(name: Symbol, from: &Ref<Module>) -> Res {
    if let Some(module) = loaded_module(name) {
        // If its import fails there, it is taken as far as it got: so CPython has it.
        wait_for_other_thread(name)?;
        if module.is_none() {
            return Err(missing(
                name,
                format!("import of {name} halted; None in sys.modules"),
            ));
        }
        return Ok(module);
    }
    if let Some(library) = LIBRARY.get()
        && let Some(found) = (library.find)(name.text())
    {
        return match found {
            Found::Native(names, on_missing) => {
                let mut module = Module::new(name);
                module.on_missing = on_missing;
                let module = Ref::new(module);
                module.set(name::NAME, name.into());
                for (n, v) in names {
                    module.set(n, v);
                }
                let value = Value::from(module);
                register(name, value.clone());
                Ok(value)
            }
            Found::Source(text) => {
                let source = Source::new(format!("<library {name}>"), text);
                run_module(name, source, None, name.text())
            }
        };
    }
    let relative = name.text().replace('.', "/");
    let folders = FOLDERS.with_borrow(|f| f.clone());
    if let Some((path, is_package)) = folders.iter().find_map(|folder| beside(folder, name.text())) {
        let shown = path.to_string_lossy().into_owned();
        let text = std::fs::read(&path)
            .map_err(|e| raise(Type::ImportError, format!("cannot read {shown}: {e}")))?;
        let text = String::from_utf8(text)
            .map_err(|_| raise(Type::SyntaxError, format!("{shown} is not UTF-8 text")))?;
        let parent = name.text().rsplit_once('.').map_or("", |(p, _)| p);
        let package = if is_package { name.text() } else { parent };
        return run_module(name, Source::new(shown.clone(), text), Some(shown), package);
    }
    // A folder without `__init__.aio` is a package, too.
    if FOLDERS.with_borrow(|f| f.iter().any(|folder| folder.join(&relative).is_dir())) && !relative.is_empty()
    {
        let module = Ref::new(Module::new(name));
        module.set(name::NAME, name.into());
        module.set(Symbol::new("__package__"), name.into());
        let value = Value::from(module);
        register(name, value.clone());
        return Ok(value);
    }
    let _ = from;
    Err(not_found(name))
}

#[cold]
fn not_found(module: Symbol) -> Raised {
    let text = match module.text().rsplit_once('.') {
        Some((parent, _))
            if MODULES.with_borrow(|m| m.contains_key(&Symbol::new(parent))) && !has_path(parent) =>
        {
            format!("No module named '{module}'; '{parent}' is not a package")
        }
        _ => format!("No module named '{module}'"),
    };
    let raised = missing(module, text);
    let Some(library) = LIBRARY.get() else {
        return raised;
    };
    if let Some(advice) = (library.advice)(module.text()) {
        return raised.help(format!("`{module}` is not part of aio: {advice}"));
    }
    match suggest::closest(module.text(), (library.names)().into_iter()) {
        Some(close) => raised.help(format!("did you mean `{close}`?")),
        None => raised.help(format!(
            "`{module}` is not part of aio, and there is no {}.aio beside the script",
            module.text().replace('.', "/")
        )),
    }
}

#[cold]
fn missing(module: Symbol, message: String) -> Raised {
    let exception = exception(Type::ModuleNotFoundError, message);
    exception.parts.set(Symbol::new("name"), module.into());
    exception
        .parts
        .set(name::MSG, exception.arg(0).unwrap_or(Value::None));
    Raised::new(exception)
}

fn has_path(module: &str) -> bool {
    let found = MODULES.with_borrow(|m| m.get(&Symbol::new(module)).cloned());
    match &found {
        Some(Value::Module(m)) => {
            m.get(name::PATH).is_some()
                || matches!(&m.get(Symbol::new("__package__")), Some(Value::Str(p)) if &*p.text == module)
        }
        _ => false,
    }
}

/// Parses and lowers a text; a mistake in it is raised as SyntaxError.
pub fn compile(source: &Rc<Source>) -> Res<Rc<Code>> {
    let options = lower::Options { interactive: false };
    let lowered = syntax::parse(source).and_then(|module| {
        let code = lower::lower(&module, source, &options)?;
        Ok((code, module.warnings))
    });
    let (code, warnings) = match lowered {
        Ok(lowered) => lowered,
        Err(error) => return Err(mistake(&error, source)?),
    };
    warn_of(&warnings, source)?;
    Ok(code)
}

/// The exception for a text that is no program.
#[cold]
fn mistake(error: &syntax::SyntaxError, source: &Source) -> Res<Raised> {
    let id = match error.kind {
        SyntaxErrorKind::Syntax => Type::SyntaxError,
        SyntaxErrorKind::Indentation => Type::IndentationError,
        SyntaxErrorKind::Tab => Type::TabError,
    };
    let (line, offset, text, end_line, end_offset) = error.place(source);
    let details = [
        Value::from(&*source.name),
        Value::Int(i64::from(line)),
        Value::Int(offset),
        Value::from(text.as_str()),
        Value::Int(i64::from(end_line)),
        Value::Int(end_offset),
    ];
    let message = Value::from(error.message.as_str());
    let made = call::call(&class(id).into(), &[message, Value::tuple(details)])?;
    Ok(match &made {
        Value::Exception(exception) => Raised::new(exception.clone()),
        _ => raise(id, error.message.as_str()),
    })
}

/// Tells what is hardly meant in a text, as the filters of `warnings` will have it.
pub fn warn_of(warnings: &[SyntaxWarning], source: &Source) -> Res<()> {
    for SyntaxWarning { message, span } in warnings {
        let (file, line) = (
            Value::from(&*source.name),
            Value::Int(i64::from(source.line(span.start))),
        );
        let args = [
            message.as_str().into(),
            class(Type::SyntaxWarning).into(),
            file,
            line,
        ];
        call::call_method(&by_name("warnings")?, Symbol::new("warn_explicit"), &args)?;
    }
    Ok(())
}

fn run_module(module_name: Symbol, source: Rc<Source>, file: Option<String>, package: &str) -> Res {
    let code = compile(&source)?;
    let module = Ref::new(Module::new(module_name));
    prepare(&module, &code, module_name, file.as_deref(), package);
    let value = Value::from(module.clone());
    register(module_name, value.clone());
    let result = if code.kind == CodeKind::AsyncModule {
        Err(raise(
            Type::SyntaxError,
            "'await' outside function (an imported module cannot wait)",
        ))
    } else {
        // Threads import the library's modules unknowingly, by a call of `open`.
        initialize(module_name, || match code.source.is_library() {
            true => stack::undisturbed(|| run(&code, &module)),
            false => run(&code, &module),
        })
    };
    if let Err(raised) = result {
        let old = MODULES.with_borrow_mut(|m| m.shift_remove(&module_name));
        drop(old);
        return Err(raised);
    }
    Ok(MODULES
        .with_borrow(|m| m.get(&module_name).cloned())
        .unwrap_or(value))
}

/// Sets the names that every module has.
pub fn prepare(module: &Ref<Module>, code: &Code, name: Symbol, file: Option<&str>, package: &str) {
    module.set(name::NAME, name.into());
    module.set(name::DOC, code.doc.as_deref().map_or(Value::None, Value::from));
    module.set(Symbol::new("__package__"), package.into());
    if code.annotates {
        module.set(name::ANNOTATIONS, Value::from(Ref::new(Dict::default())));
    }
    if let Some(file) = file {
        module.set(name::FILE, file.into());
    }
}

/// A module's code as a function without parameters.
pub fn module_function(code: &Rc<Code>, module: &Ref<Module>) -> Ref<Function> {
    function_of(Unit::new(code.clone(), module.clone()), Box::new([]))
}

/// A function of a unit without defaults.
pub fn function_of(unit: Rc<Unit>, closure: Box<[Ref<VariableCell>]>) -> Ref<Function> {
    Ref::new(Function {
        code: unit.code().clone(),
        module: unit.module().clone(),
        program: ProgramRef::new(unit.clone()),
        closure,
        defaults: RefCell::new(Rc::new([])),
        kwdefaults: RefCell::new(Rc::new([])),
        names: RefCell::new(None),
        annotations: ValueCell::default(),
        attrs: Attrs::default(),
        is_awaitable: Cell::new(false),
        shape: unit.shape(),
    })
}

/// Runs a module's code: to its end, or to the coroutine that a module with `await` is.
pub fn run(code: &Rc<Code>, module: &Ref<Module>) -> Res {
    let func = module_function(code, module);
    let window = Window::open();
    window.push(Value::Unset)?;
    call::call_function(&func, &window, 1, 0, &[])
}

/// Whether an import went wrong because there is no such module, or nothing that it could be in.
fn is_missing(raised: &Raised, module: Symbol) -> bool {
    let error = raised.peek();
    let holds = |name: &str| {
        let rest = module.text().strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    error.is_instance(&types::class(Type::ModuleNotFoundError))
        && matches!(&error.parts.get(Symbol::new("name")), Some(Value::Str(name)) if holds(&name.text))
}

/// `from module import name`
pub fn name_from(module: &Value, name: Symbol) -> Res {
    if let Some(value) = attribute::find(module, name)? {
        return Ok(value);
    }
    if let Value::Module(m) = module {
        let full = format!("{}.{name}", m.name);
        let full = Symbol::new(&full);
        match find(Some(full), 0, m) {
            Ok(sub) => return Ok(sub),
            // What goes wrong within the submodule is told as it is.
            Err(raised) if !is_missing(&raised, full) => return Err(raised),
            Err(raised) => drop(raised.take()),
        }
        let file = m.get(name::FILE).unwrap_or(Value::None);
        let place = match &file {
            Value::Str(file) => &*file.text,
            _ => "unknown location",
        };
        let message = match is_initializing(m) && !file.is_none() {
            true => format!(
                "cannot import name '{name}' from partially initialized module '{}' \
                 (most likely due to a circular import) ({place})",
                m.name
            ),
            false => format!("cannot import name '{name}' from '{}' ({place})", m.name),
        };
        let raised = no_such_name(message, m.name.into(), file, name);
        let names = m.entries();
        return Err(
            match suggest::closest(name.text(), names.iter().map(|(n, _)| n.text())) {
                Some(close) => raised.hint(
                    format!("did you mean `{close}`?"),
                    format!(". Did you mean: '{close}'?"),
                ),
                None => raised,
            },
        );
    }
    // Whatever a script has put into `sys.modules`.
    let own = attribute::find(module, name::NAME)?.unwrap_or(Value::None);
    let shown = match &own {
        Value::Str(own) => &*own.text,
        _ => "<unknown module name>",
    };
    let message = format!("cannot import name '{name}' from '{shown}' (unknown location)");
    Err(no_such_name(message, own.clone(), Value::None, name))
}

#[cold]
fn no_such_name(message: String, module: Value, file: Value, name: Symbol) -> Raised {
    let error = exception(Type::ImportError, message.clone());
    error.parts.set(name::MSG, message.into());
    error.parts.set(name::PATH_ATTR, file);
    error.parts.set(Symbol::new("name"), module);
    error.parts.set(Symbol::new("name_from"), name.into());
    Raised::new(error)
}

/// `from module import *`
pub fn star(module: &Value, into: &Ref<Module>) -> Res<()> {
    let Value::Module(from) = module else {
        return Ok(());
    };
    let names: Vec<Symbol> = match from.get(name::ALL) {
        Some(all) => super::iterate::collect(&all)?
            .into_iter()
            .filter_map(|n| match &n {
                Value::Str(s) => Some(s.symbol()),
                _ => None,
            })
            .collect(),
        None => from
            .entries()
            .into_iter()
            .map(|(n, _)| n)
            .chain(late_names(from).into_iter().map(Symbol::new))
            .filter(|n| !n.text().starts_with('_'))
            .collect(),
    };
    for name in names {
        into.set(name, name_from(module, name)?);
    }
    Ok(())
}

/// The main module: `__main__`.
pub fn main_module() -> Ref<Module> {
    let module = Ref::new(Module::new(name::MAIN));
    register(name::MAIN, module.clone().into());
    module
}
