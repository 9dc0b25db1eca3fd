//! The module `asyncio`, as far as it is hot or native by nature; the rest is written in aio.

mod event_loop;
mod file;
mod function;
mod future;
mod group;
mod lock;
mod queue;
mod timeout;
mod wait;

use crate::interp::types::{Type, class};
use crate::source::Symbol;
use crate::value::class::linearise;
use crate::value::*;

/// A table of built-ins: role, kind of body, name, signature, doc and body of each, together.
macro_rules! natives {
    ($($role:ident $kind:ident $name:literal $signature:literal $doc:literal $body:expr;)*) => {
        &[$(crate::value::NativeDef {
            name: $name,
            signature: $signature,
            doc: $doc,
            role: crate::value::NativeRole::$role,
            body: crate::value::NativeBody::$kind($body),
            module: None,
        }),*]
    };
}
pub(crate) use natives;

/// A class of the library whose objects are Rust data.
pub(crate) fn make_class(
    name: &str,
    module: &str,
    bases: Vec<Ref<Class>>,
    layout: Layout,
    part: ClassPart,
) -> Ref<Class> {
    let mro = linearise(&bases).expect("the library's classes have an order");
    let class = Ref::new(Class::new(Symbol::new(name), bases, mro, layout, false));
    *class.module.borrow_mut() = Value::from(module);
    class.add(part);
    class
}

/// A class that CPython has in Python: its objects take any attributes.
pub(crate) fn open_class(
    name: &str,
    module: &'static str,
    bases: Vec<Ref<Class>>,
    layout: Layout,
    table: &'static [NativeDef],
) -> Ref<Class> {
    let class = make_class(name, module, bases, layout, ClassPart::InPython(table, module));
    class.has_dict.set(true);
    class
}

/// A class of exceptions.
pub(crate) fn exception_class(name: &str, module: &str, base: Type) -> Ref<Class> {
    make_class(
        name,
        module,
        vec![class(base)],
        Layout::Exception,
        ClassPart::Table(&[]),
    )
}

/// The class named by the first argument of `__new__`.
pub(crate) fn class_argument(args: &[Value]) -> Res<Ref<Class>> {
    match &args[0] {
        Value::Class(class) => Ok(Ref::clone(class)),
        other => Err(crate::interp::error::type_error(format!(
            "X is not a type object ({})",
            crate::interp::types::class_name(other)
        ))),
    }
}

/// The entry of a `**kwargs` dict.
pub(crate) fn keyword(kwargs: &Value, name: &str) -> Option<Value> {
    match kwargs {
        Value::Dict(dict) => {
            let name = Symbol::new(name);
            dict.symbol_entries()
                .into_iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| value)
        }
        _ => None,
    }
}

/// The value of a parameter whose default is None.
pub(crate) fn none_if_unset(value: &Value) -> Value {
    if value.is_unset() {
        Value::None
    } else {
        value.clone()
    }
}

/// The positional arguments of a `*args` tuple.
pub(crate) fn rest(args: &Value) -> &[Value] {
    match args {
        Value::Tuple(tuple) => &tuple.items,
        _ => &[],
    }
}

/// Gives the built-in classes of this floor their methods. Once for each OS thread.
pub fn install_types() {
    future::install();
    event_loop::install();
    crate::library::modules::thread::install_types();
}

/// What the native part of the module holds.
pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = function::names();
    let types = [
        ("Future", Type::Future),
        ("Task", Type::Task),
        ("Handle", Type::Handle),
        ("TimerHandle", Type::TimerHandle),
        ("EventLoop", Type::EventLoop),
        ("SelectorEventLoop", Type::EventLoop),
        ("AbstractEventLoop", Type::AbstractEventLoop),
        ("BaseEventLoop", Type::BaseEventLoop),
        ("CancelledError", Type::CancelledError),
        ("InvalidStateError", Type::InvalidStateError),
        ("TimeoutError", Type::TimeoutError),
    ];
    names.extend(types.map(|(name, id)| (Symbol::new(name), class(id).into())));
    names.extend(lock::names());
    names.extend(queue::names());
    names.extend(timeout::names());
    names.extend(group::names());
    names
}

/// A word of the prelude that asyncio itself does not have: `spawn`, `wait`, `run_in_executor`.
pub fn prelude(name: &str) -> Option<Value> {
    function::prelude(name)
}
