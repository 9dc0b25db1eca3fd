//! The built-in functions and the methods of the built-in types, a file for each type.
//!
//! A method is a [`NativeDef`] in its type's table: name, signature, doc and body stand together.

pub mod bytes;
pub mod bytes_make;
pub mod dict;
pub mod exception;
pub mod float;
pub mod function_object;
pub mod functions;
pub mod generator;
pub mod group;
pub mod int;
pub mod iterators;
pub mod list;
pub mod module;
pub mod object;
pub mod operators;
pub mod print;
pub mod property;
pub mod range_slice;
pub mod set;
pub mod sort;
pub mod str;
pub mod str_make;
pub mod template;
pub mod tuple;
pub mod type_form;

use crate::interp::error::type_error;
use crate::interp::slot::Member;
use crate::interp::types::{Type, class, class_name, named_class};
use crate::source::{Symbol, name};
use crate::value::*;

/// The body of a built-in.
pub type Body = fn(&[Value]) -> Res;

const fn def(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    role: NativeRole,
    body: Body,
) -> NativeDef {
    NativeDef {
        name,
        signature,
        doc,
        role,
        body: NativeBody::Plain(body),
        module: None,
    }
}

/// A built-in function of a module.
pub const fn function(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    body: Body,
) -> NativeDef {
    def(name, signature, doc, NativeRole::Function, body)
}

/// A function that needs to know who calls it.
pub const fn framed(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    body: fn(&mut crate::value::function::Frame, &[Value]) -> Res,
) -> NativeDef {
    NativeDef {
        name,
        signature,
        doc,
        role: NativeRole::Function,
        body: NativeBody::Frame(body),
        module: None,
    }
}

/// A method: its first parameter is `self`.
pub const fn method(name: &'static str, signature: &'static str, doc: &'static str, body: Body) -> NativeDef {
    def(name, signature, doc, NativeRole::Method, body)
}

/// A class method: its first parameter is `cls`.
pub const fn class_method(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    body: Body,
) -> NativeDef {
    def(name, signature, doc, NativeRole::ClassMethod, body)
}

/// A static method; also `__new__`, whose first parameter is `cls`.
pub const fn static_method(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    body: Body,
) -> NativeDef {
    def(name, signature, doc, NativeRole::Static, body)
}

/// An attribute that is computed on reading.
pub const fn getter(name: &'static str, doc: &'static str, body: Body) -> NativeDef {
    def(name, "(self, /)", doc, NativeRole::Getter, body)
}

/// An attribute that CPython reads straight from its place in the object.
pub const fn member(name: &'static str, doc: &'static str, body: Body) -> NativeDef {
    def(name, "(self, /)", doc, NativeRole::Member, body)
}

/// What assigning to the attribute does; stands beside its getter.
pub const fn setter(name: &'static str, body: Body) -> NativeDef {
    def(
        name,
        "(self, value, /)",
        "Sets the attribute.",
        NativeRole::Setter,
        body,
    )
}

/// What assigning to the attribute does, and deleting it: then the value is unset.
pub const fn setter_deleter(name: &'static str, body: Body) -> NativeDef {
    const DOC: &str = "Sets or deletes the attribute.";
    def(name, "(self, value=None, /)", DOC, NativeRole::Setter, body)
}

/// Refuses assignment to the attribute whose getter it stands beside, in the words for data that
/// a class only shows.
pub const fn readonly(name: &'static str) -> NativeDef {
    const DOC: &str = "Refuses to set the attribute.";
    def(name, "(self, value, /)", DOC, NativeRole::ReadOnly, |args| {
        let message = "readonly attribute";
        Err(crate::interp::error::attribute_error(
            message,
            &args[0],
            Symbol::new(""),
        ))
    })
}

/// Adds built-ins to a class.
pub fn add(to: &Ref<Class>, defs: &'static [NativeDef]) {
    to.add(ClassPart::Table(defs));
}

/// Instances have no hash.
pub const UNHASHABLE: ClassPart = ClassPart::Made(|| vec![(name::HASH, Value::None)]);

/// The doc of a class that scripts make no objects of in the usual way.
macro_rules! described {
    ($doc:literal) => {
        crate::value::ClassPart::Made(|| vec![(crate::source::name::DOC, $doc.into())])
    };
}
pub(super) use described;

/// Fills the built-in classes.
pub fn install() {
    let tables: &[(Type, &[&[NativeDef]])] = &[
        (Type::Object, &[object::METHODS]),
        (Type::Class, &[object::TYPE]),
        (Type::Int, &[int::METHODS]),
        (Type::Bool, &[int::BOOL]),
        (Type::Float, &[float::METHODS]),
        (Type::Str, &[str_make::METHODS, str::METHODS]),
        (
            Type::Bytes,
            &[bytes_make::COMMON, bytes_make::BYTES, bytes::METHODS],
        ),
        (
            Type::ByteArray,
            &[bytes_make::COMMON, bytes_make::BYTEARRAY, bytes::METHODS],
        ),
        (Type::List, &[list::METHODS]),
        (Type::Tuple, &[tuple::METHODS]),
        (Type::Dict, &[dict::METHODS]),
        (Type::DictKeys, &[dict::VIEW, dict::SET_VIEW]),
        (Type::DictItems, &[dict::VIEW, dict::SET_VIEW]),
        (Type::DictValues, &[dict::VIEW]),
        (Type::MappingProxy, &[dict::PROXY]),
        (Type::Set, &[set::COMMON, set::METHODS]),
        (Type::FrozenSet, &[set::COMMON, set::FROZEN]),
        (Type::Range, &[range_slice::RANGE]),
        (Type::Slice, &[range_slice::SLICE]),
        (Type::Module, &[module::MODULE]),
        (Type::Property, &[property::PROPERTY]),
        (Type::Super, &[object::SUPER]),
        (Type::ClassMethod, &[property::CLASS_METHOD]),
        (Type::StaticMethod, &[property::STATIC_METHOD]),
        (Type::Enumerate, &[iterators::ENUMERATE]),
        (Type::Zip, &[iterators::ZIP]),
        (Type::Map, &[iterators::MAP]),
        (Type::Filter, &[iterators::FILTER]),
        (Type::Reversed, &[iterators::REVERSED]),
        (
            Type::Generator,
            &[generator::COMMON, generator::RESUMED, generator::GENERATOR],
        ),
        (
            Type::Coroutine,
            &[generator::COMMON, generator::RESUMED, generator::COROUTINE],
        ),
        (
            Type::AsyncGenerator,
            &[generator::COMMON, generator::ASYNC_GENERATOR],
        ),
        (
            Type::AsyncGenAsend,
            &[generator::RESUMED, generator::AWAITED, generator::STEPPED],
        ),
        (
            Type::AsyncGenAthrow,
            &[generator::RESUMED, generator::AWAITED, generator::STEPPED],
        ),
        (
            Type::AnextAwaitable,
            &[generator::RESUMED, generator::AWAITED, generator::STEPPED],
        ),
        (Type::CoroutineWrapper, &[generator::RESUMED, generator::STEPPED]),
        (Type::FutureIter, &[generator::RESUMED, generator::STEPPED]),
        (Type::Function, &[function_object::FUNCTION]),
        (Type::Method, &[function_object::METHOD]),
        (Type::BuiltinFunction, &[function_object::NATIVE]),
        (Type::MethodDescriptor, &[function_object::NATIVE]),
        (Type::WrapperDescriptor, &[function_object::NATIVE]),
        (Type::ClassMethodDescriptor, &[function_object::NATIVE]),
        (Type::MethodWrapper, &[function_object::NATIVE]),
        (Type::MemberDescriptor, &[property::MEMBER]),
        (Type::GetSetDescriptor, &[function_object::NATIVE]),
        (Type::Cell, &[function_object::CELL]),
        (Type::Code, &[function_object::CODE]),
        (Type::FrameType, &[exception::FRAME]),
        (Type::Traceback, &[exception::TRACEBACK]),
        (Type::GenericAlias, &[type_form::ALIAS]),
        (Type::Union, &[type_form::UNION]),
        (Type::BaseException, &[exception::METHODS]),
        (Type::BaseExceptionGroup, &[group::METHODS]),
        (Type::OSError, &[exception::OS_ERROR, exception::OS_ATTRIBUTES]),
        (
            Type::ImportError,
            &[exception::IMPORT_ERROR, exception::IMPORT_ATTRIBUTES],
        ),
        (
            Type::AttributeError,
            &[exception::ATTRIBUTE_ERROR, exception::ATTRIBUTE_ATTRIBUTES],
        ),
        (
            Type::NameError,
            &[exception::NAME_ERROR, exception::NAME_ATTRIBUTES],
        ),
        (Type::StopIteration, &[exception::STOP_ITERATION]),
        (Type::SystemExit, &[exception::SYSTEM_EXIT]),
        (
            Type::SyntaxError,
            &[exception::SYNTAX_ERROR, exception::SYNTAX_ATTRIBUTES],
        ),
        (
            Type::UnicodeDecodeError,
            &[exception::UNICODE_ERROR, exception::UNICODE_ATTRIBUTES],
        ),
        (
            Type::UnicodeEncodeError,
            &[exception::UNICODE_ERROR, exception::UNICODE_ATTRIBUTES],
        ),
        (
            Type::UnicodeTranslateError,
            &[exception::UNICODE_ERROR, exception::UNICODE_ATTRIBUTES],
        ),
        (Type::NoneType, &[object::NONE]),
        (Type::Ellipsis, &[object::ELLIPSIS]),
        (Type::NotImplementedType, &[object::NOT_IMPLEMENTED]),
    ];
    for (id, parts) in tables {
        parts.iter().for_each(|defs| add(&class(*id), defs));
    }
    for id in [Type::ClassMethod, Type::StaticMethod] {
        class(id).has_dict.set(true);
    }
    for id in type_form::GENERIC {
        add(&class(*id), type_form::CLASS_GETITEM);
    }
    for (id, doc) in [
        (
            Type::Super,
            described!("Looks attributes up behind a class in the order of an object's class."),
        ),
        (Type::Code, described!("The code of a function.")),
        (Type::Union, described!("A type that is one of several.")),
    ] {
        class(id).add(doc);
    }
    opaque::look_into::<descriptor::Property>();
    opaque::look_into::<descriptor::ClassMethod>();
    opaque::look_into::<descriptor::StaticMethod>();
    opaque::look_into::<descriptor::MappingProxy>();
    opaque::look_into::<Member>();
    operators::install();
    iterators::install();
    add(&named_class("builtins.module_dict"), module::NAMESPACE);
    crate::interp::text::SHOW.set(Some(print::show));
    instance::FINALISE.set(Some(crate::interp::finalise::run));
}

/// The built-in functions.
pub fn functions() -> Vec<(Symbol, Value)> {
    let tables = [
        functions::FUNCTIONS,
        functions::OBJECTS,
        print::FUNCTIONS,
        iterators::FUNCTIONS,
        generator::FUNCTIONS,
    ];
    let of = |def: &NativeDef| (Symbol::new(def.name), Value::from(Native::of(def, "")));
    tables.into_iter().flatten().map(of).collect()
}

/// The error for an argument of the wrong type: `f() argument must be str, not int`. `what` is the
/// function's name, or names the argument too: `f() argument 2`.
#[cold]
pub fn wrong_argument(what: &str, wanted: &str, value: &Value) -> Raised {
    let what = if what.contains(" argument") {
        what.to_string()
    } else {
        format!("{what} argument")
    };
    let kind = if value.is_none() {
        "None"
    } else {
        class_name(value)
    };
    type_error(format!("{what} must be {wanted}, not {kind}"))
}
