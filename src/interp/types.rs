//! The built-in classes: which there are, and which class a value is of.

use crate::source::Symbol;
use crate::value::class::linearise;
use crate::value::*;
use std::cell::RefCell;

macro_rules! types {
    ($($id:ident $name:literal $layout:ident ($($base:ident),*) $(keeps $kept:literal)?;)*) => {
        /// A built-in class.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        pub enum Type { $($id,)* }

        /// Name, layout and bases of each, bases before what inherits from them.
        const TYPES: &[(&str, Layout, &[Type])] = &[
            $(($name, Layout::$layout, &[$(Type::$base),*]),)*
        ];

        /// Exceptions that keep more in their objects than the class above them does, and what.
        pub const WIDER: &[(Type, &str)] = &[$($((Type::$id, $kept),)?)*];
    };
}

types! {
    Object "object" Object ();
    Class "type" Class (Object);
    NoneType "NoneType" Closed (Object);
    NotImplementedType "NotImplementedType" Closed (Object);
    Ellipsis "ellipsis" Closed (Object);
    Int "int" Int (Object);
    Bool "bool" Closed (Int);
    Float "float" Float (Object);
    Str "str" Str (Object);
    Bytes "bytes" Bytes (Object);
    ByteArray "bytearray" ByteArray (Object);
    List "list" List (Object);
    Tuple "tuple" Tuple (Object);
    Dict "dict" Dict (Object);
    Set "set" Set (Object);
    FrozenSet "frozenset" FrozenSet (Object);
    Range "range" Closed (Object);
    Slice "slice" Closed (Object);
    Cell "cell" Closed (Object);
    Function "function" Closed (Object);
    Method "method" Closed (Object);
    BuiltinFunction "builtin_function_or_method" Closed (Object);
    MethodDescriptor "method_descriptor" Closed (Object);
    GetSetDescriptor "getset_descriptor" Closed (Object);
    MemberDescriptor "member_descriptor" Closed (Object);
    ClassMethodDescriptor "classmethod_descriptor" Closed (Object);
    WrapperDescriptor "wrapper_descriptor" Closed (Object);
    MethodWrapper "method-wrapper" Closed (Object);
    Module "module" Opaque (Object);
    Generator "generator" Closed (Object);
    Coroutine "coroutine" Closed (Object);
    AsyncGenerator "async_generator" Closed (Object);
    Code "code" Closed (Object);
    FrameType "frame" Closed (Object);
    Traceback "traceback" Closed (Object);
    MappingProxy "mappingproxy" Closed (Object);
    DictKeys "dict_keys" Closed (Object);
    DictValues "dict_values" Closed (Object);
    DictItems "dict_items" Closed (Object);
    OrderedKeys "odict_keys" Closed (DictKeys);
    OrderedValues "odict_values" Closed (DictValues);
    OrderedItems "odict_items" Closed (DictItems);
    Property "property" Opaque (Object);
    ClassMethod "classmethod" Opaque (Object);
    StaticMethod "staticmethod" Opaque (Object);
    Super "super" Super (Object);
    Enumerate "enumerate" Opaque (Object);
    Zip "zip" Opaque (Object);
    Map "map" Opaque (Object);
    Filter "filter" Opaque (Object);
    Reversed "reversed" Opaque (Object);
    GenericAlias "GenericAlias" Closed (Object);
    Union "UnionType" Closed (Object);
    ContextVar "ContextVar" Closed (Object);
    ContextToken "Token" Closed (Object);
    Context "Context" Closed (Object);
    Future "Future" Future (Object);
    Task "Task" Future (Future);
    AbstractEventLoop "AbstractEventLoop" Opaque (Object);
    BaseEventLoop "BaseEventLoop" Opaque (AbstractEventLoop);
    BaseSelectorEventLoop "BaseSelectorEventLoop" Opaque (BaseEventLoop);
    EventLoop "_UnixSelectorEventLoop" Opaque (BaseSelectorEventLoop);
    Handle "Handle" Opaque (Object);
    TimerHandle "TimerHandle" Opaque (Handle);
    CoroutineWrapper "coroutine_wrapper" Closed (Object);
    AsyncGenAsend "async_generator_asend" Closed (Object);
    AsyncGenAthrow "async_generator_athrow" Closed (Object);
    AnextAwaitable "anext_awaitable" Closed (Object);
    FutureIter "FutureIter" Closed (Object);
    Lock "lock" Closed (Object);
    RLock "RLock" Opaque (Object);

    BaseException "BaseException" Exception (Object) keeps "args";
    BaseExceptionGroup "BaseExceptionGroup" Exception (BaseException) keeps "message, exceptions";
    Exception "Exception" Exception (BaseException);
    GeneratorExit "GeneratorExit" Exception (BaseException);
    KeyboardInterrupt "KeyboardInterrupt" Exception (BaseException);
    SystemExit "SystemExit" Exception (BaseException) keeps "code";
    ArithmeticError "ArithmeticError" Exception (Exception);
    FloatingPointError "FloatingPointError" Exception (ArithmeticError);
    OverflowError "OverflowError" Exception (ArithmeticError);
    ZeroDivisionError "ZeroDivisionError" Exception (ArithmeticError);
    AssertionError "AssertionError" Exception (Exception);
    AttributeError "AttributeError" Exception (Exception) keeps "name, obj";
    BufferError "BufferError" Exception (Exception);
    EOFError "EOFError" Exception (Exception);
    ImportError "ImportError" Exception (Exception) keeps "msg, name, path";
    ModuleNotFoundError "ModuleNotFoundError" Exception (ImportError);
    LookupError "LookupError" Exception (Exception);
    IndexError "IndexError" Exception (LookupError);
    KeyError "KeyError" Exception (LookupError);
    MemoryError "MemoryError" Exception (Exception);
    NameError "NameError" Exception (Exception) keeps "name";
    UnboundLocalError "UnboundLocalError" Exception (NameError);
    OSError "OSError" Exception (Exception) keeps "errno, strerror, filename, filename2";
    BlockingIOError "BlockingIOError" Exception (OSError);
    ChildProcessError "ChildProcessError" Exception (OSError);
    ConnectionError "ConnectionError" Exception (OSError);
    BrokenPipeError "BrokenPipeError" Exception (ConnectionError);
    ConnectionAbortedError "ConnectionAbortedError" Exception (ConnectionError);
    ConnectionRefusedError "ConnectionRefusedError" Exception (ConnectionError);
    ConnectionResetError "ConnectionResetError" Exception (ConnectionError);
    FileExistsError "FileExistsError" Exception (OSError);
    FileNotFoundError "FileNotFoundError" Exception (OSError);
    InterruptedError "InterruptedError" Exception (OSError);
    IsADirectoryError "IsADirectoryError" Exception (OSError);
    NotADirectoryError "NotADirectoryError" Exception (OSError);
    PermissionError "PermissionError" Exception (OSError);
    ProcessLookupError "ProcessLookupError" Exception (OSError);
    TimeoutError "TimeoutError" Exception (OSError);
    ReferenceError "ReferenceError" Exception (Exception);
    RuntimeError "RuntimeError" Exception (Exception);
    NotImplementedError "NotImplementedError" Exception (RuntimeError);
    PythonFinalizationError "PythonFinalizationError" Exception (RuntimeError);
    RecursionError "RecursionError" Exception (RuntimeError);
    StopAsyncIteration "StopAsyncIteration" Exception (Exception);
    StopIteration "StopIteration" Exception (Exception) keeps "value";
    SyntaxError "SyntaxError" Exception (Exception) keeps "msg, filename, lineno, offset, text";
    IndentationError "IndentationError" Exception (SyntaxError);
    TabError "TabError" Exception (IndentationError);
    SystemError "SystemError" Exception (Exception);
    TypeError "TypeError" Exception (Exception);
    ValueError "ValueError" Exception (Exception);
    UnicodeError "UnicodeError" Exception (ValueError);
    UnicodeDecodeError "UnicodeDecodeError" Exception (UnicodeError) keeps "encoding, object, start, end, reason";
    UnicodeEncodeError "UnicodeEncodeError" Exception (UnicodeError) keeps "encoding, object, start, end, reason";
    UnicodeTranslateError "UnicodeTranslateError" Exception (UnicodeError) keeps "object, start, end, reason";
    Warning "Warning" Exception (Exception);
    BytesWarning "BytesWarning" Exception (Warning);
    DeprecationWarning "DeprecationWarning" Exception (Warning);
    EncodingWarning "EncodingWarning" Exception (Warning);
    FutureWarning "FutureWarning" Exception (Warning);
    ImportWarning "ImportWarning" Exception (Warning);
    PendingDeprecationWarning "PendingDeprecationWarning" Exception (Warning);
    ResourceWarning "ResourceWarning" Exception (Warning);
    RuntimeWarning "RuntimeWarning" Exception (Warning);
    SyntaxWarning "SyntaxWarning" Exception (Warning);
    UnicodeWarning "UnicodeWarning" Exception (Warning);
    UserWarning "UserWarning" Exception (Warning);
    ExceptionGroup "ExceptionGroup" Exception (BaseExceptionGroup, Exception);
    CancelledError "CancelledError" Exception (BaseException);
    InvalidStateError "InvalidStateError" Exception (Exception);
}

/// Classes that live in a module of their own rather than in `builtins`.
const MODULES: &[(Type, &str)] = &[
    (Type::Future, "_asyncio"),
    (Type::Task, "_asyncio"),
    (Type::FutureIter, "_asyncio"),
    (Type::AbstractEventLoop, "asyncio.events"),
    (Type::BaseEventLoop, "asyncio.base_events"),
    (Type::BaseSelectorEventLoop, "asyncio.selector_events"),
    (Type::EventLoop, "asyncio.unix_events"),
    (Type::Handle, "asyncio.events"),
    (Type::TimerHandle, "asyncio.events"),
    (Type::CancelledError, "asyncio.exceptions"),
    (Type::InvalidStateError, "asyncio.exceptions"),
    (Type::ContextVar, "_contextvars"),
    (Type::ContextToken, "_contextvars"),
    (Type::Context, "_contextvars"),
    (Type::Lock, "_thread"),
    (Type::RLock, "_thread"),
    (Type::GenericAlias, "types"),
    (Type::Union, "types"),
];

thread_local! {
    static CLASSES: RefCell<Vec<Ref<Class>>> = const { RefCell::new(Vec::new()) };
}

/// Makes the built-in classes of this thread, without their methods. Does nothing the second time.
pub fn make_classes() {
    CLASSES.with_borrow_mut(|classes| {
        if !classes.is_empty() {
            return;
        }
        for (name, layout, bases) in TYPES {
            let bases: Vec<_> = bases.iter().map(|&b| classes[b as usize].clone()).collect();
            let mro = linearise(&bases).expect("the built-in classes have an order");
            let class = Ref::new(Class::new(Symbol::new(name), bases, mro, *layout, false));
            *class.module.borrow_mut() = Value::from("builtins");
            class.list();
            classes.push(class);
        }
        for &(id, module) in MODULES {
            *classes[id as usize].module.borrow_mut() = Value::from(module);
        }
    })
}

/// The names of the classes that are builtins: all but those of other modules and the nameless.
pub fn builtin_classes() -> Vec<(Symbol, Value)> {
    let hidden = [
        Type::NoneType,
        Type::NotImplementedType,
        Type::Ellipsis,
        Type::Cell,
        Type::Function,
        Type::Method,
        Type::BuiltinFunction,
        Type::MethodDescriptor,
        Type::GetSetDescriptor,
        Type::MemberDescriptor,
        Type::ClassMethodDescriptor,
        Type::WrapperDescriptor,
        Type::MethodWrapper,
        Type::Module,
        Type::Generator,
        Type::Coroutine,
        Type::AsyncGenerator,
        Type::Code,
        Type::FrameType,
        Type::Traceback,
        Type::MappingProxy,
        Type::DictKeys,
        Type::DictValues,
        Type::DictItems,
        Type::OrderedKeys,
        Type::OrderedValues,
        Type::OrderedItems,
        Type::GenericAlias,
        Type::Union,
        Type::CoroutineWrapper,
        Type::AsyncGenAsend,
        Type::AsyncGenAthrow,
        Type::AnextAwaitable,
    ];
    CLASSES.with_borrow(|classes| {
        let shown = |i: &usize| {
            !hidden.iter().any(|&h| h as usize == *i) && !MODULES.iter().any(|&(m, _)| m as usize == *i)
        };
        (0..classes.len())
            .filter(shown)
            .map(|i| (Symbol::new(TYPES[i].0), classes[i].clone().into()))
            .collect()
    })
}

/// A built-in class.
#[inline]
pub fn class(id: Type) -> Ref<Class> {
    CLASSES.with_borrow(|classes| classes[id as usize].clone())
}

thread_local! {
    static NAMED: RefCell<rustc_hash::FxHashMap<&'static str, Ref<Class>>> = RefCell::default();
}

/// The class of a built-in object that has no [`Type`] of its own (iterators and the like), made
/// when first asked for.
pub fn named_class(name: &'static str) -> Ref<Class> {
    let known = match name {
        "enumerate" => Some(Type::Enumerate),
        "zip" => Some(Type::Zip),
        "map" => Some(Type::Map),
        "filter" => Some(Type::Filter),
        "reversed" => Some(Type::Reversed),
        _ => None,
    };
    if let Some(id) = known {
        return class(id);
    }
    if let Some(class) = NAMED.with_borrow(|named| named.get(name).cloned()) {
        return class;
    }
    let object = class(Type::Object);
    let (module, short) = name.rsplit_once('.').unwrap_or(("builtins", name));
    let made = Ref::new(Class::new(
        Symbol::new(short),
        vec![object.clone()],
        vec![object],
        Layout::Opaque,
        false,
    ));
    *made.module.borrow_mut() = Value::from(module);
    NAMED.with_borrow_mut(|named| named.insert(name, made.clone()));
    made
}

/// The class of a value: `type(value)`.
pub fn class_of(value: &Value) -> Ref<Class> {
    class(match value {
        Value::Unset | Value::None => Type::NoneType,
        Value::NotImplemented => Type::NotImplementedType,
        Value::Ellipsis => Type::Ellipsis,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) | Value::Big(_) => Type::Int,
        Value::Float(_) => Type::Float,
        Value::Str(_) => Type::Str,
        Value::Bytes(_) => Type::Bytes,
        Value::ByteArray(_) => Type::ByteArray,
        Value::List(_) => Type::List,
        Value::Tuple(_) => Type::Tuple,
        Value::Dict(_) => Type::Dict,
        Value::Set(_) => Type::Set,
        Value::FrozenSet(_) => Type::FrozenSet,
        Value::Range(_) => Type::Range,
        Value::Slice(_) => Type::Slice,
        Value::Cell(_) => Type::Cell,
        Value::Function(_) => Type::Function,
        Value::Method(method) if matches!(&method.func, Value::Native(n) if n.in_python()) => Type::Method,
        // A bound built-in method is, to scripts, a built-in function.
        Value::Method(method) if matches!(&method.func, Value::Native(n) if n.is_slot()) => {
            Type::MethodWrapper
        }
        Value::Method(method) if matches!(method.func, Value::Native(_)) => Type::BuiltinFunction,
        Value::Method(_) => Type::Method,
        Value::Native(native) => match native.role {
            NativeRole::Method | NativeRole::Function if native.in_python() => Type::Function,
            NativeRole::Method if native.is_slot() => Type::WrapperDescriptor,
            NativeRole::Method => Type::MethodDescriptor,
            NativeRole::ClassMethod => Type::ClassMethodDescriptor,
            NativeRole::Member => Type::MemberDescriptor,
            NativeRole::Getter | NativeRole::Setter | NativeRole::ReadOnly => Type::GetSetDescriptor,
            _ if matches!(native.body, NativeBody::Coroutine(_)) => Type::Function,
            _ => Type::BuiltinFunction,
        },
        Value::Class(class) => {
            return class
                .metaclass
                .borrow()
                .clone()
                .unwrap_or_else(|| self::class(Type::Class));
        }
        Value::Instance(instance) => return instance.class(),
        Value::Exception(exception) => return exception.class(),
        Value::Module(_) => Type::Module,
        Value::Generator(generator) => match generator.kind {
            GeneratorKind::Generator => Type::Generator,
            GeneratorKind::Coroutine => Type::Coroutine,
            GeneratorKind::AsyncGenerator => Type::AsyncGenerator,
            GeneratorKind::Awaitable(kind) => match kind {
                Awaitable::Asend => Type::AsyncGenAsend,
                Awaitable::Athrow => Type::AsyncGenAthrow,
                Awaitable::Anext => Type::AnextAwaitable,
                Awaitable::Wrapper => Type::CoroutineWrapper,
                Awaitable::FutureIter => Type::FutureIter,
            },
        },
        Value::Iterator(iterator) => return named_class(iterator.type_name),
        Value::Future(future) => match future.class() {
            Some(class) => return class.clone(),
            None if future.task.is_some() => Type::Task,
            None => Type::Future,
        },
        Value::Opaque(object) => return object.class.clone(),
    })
}

/// What messages call the class of a value: its name, with the module before it for the classes
/// where CPython's messages have it.
pub fn class_name(value: &Value) -> &'static str {
    shown_name(&class_of(value))
}

/// A built-in class's name, given the short one, as [`class_name`] has it.
pub fn full_name(short: &'static str) -> &'static str {
    let listed = CLASSES.with_borrow(|classes| classes.iter().find(|c| c.name() == short).cloned());
    let named = || NAMED.with_borrow(|named| named.values().find(|c| c.name() == short).cloned());
    listed.or_else(named).map_or(short, |class| shown_name(&class))
}

/// See [`class_name`].
pub fn shown_name(class: &Ref<Class>) -> &'static str {
    const WITH_MODULE: [&str; 19] = [
        "_asyncio",
        "_collections",
        "_contextvars",
        "_io",
        "_queue",
        "_thread",
        "collections",
        "datetime",
        "functools",
        "itertools",
        "operator",
        "os",
        "posix",
        "re",
        "sys",
        "time",
        "types",
        "typing",
        "weakref",
    ];
    // These classes are written in aio, and in C in CPython.
    let is_in_c = || match &*class.module.borrow() {
        Value::Str(module) => matches!(
            (&*module.text, class.name()),
            ("_io" | "datetime" | "time", _)
                | ("_queue", "SimpleQueue")
                | ("_thread", "_local")
                | ("collections", "OrderedDict")
                | ("functools", "partial")
                | ("types", "SimpleNamespace")
                | (
                    "typing",
                    "ParamSpec" | "TypeAliasType" | "TypeVar" | "TypeVarTuple"
                )
                | ("weakref", "ProxyType" | "CallableProxyType")
        ),
        _ => false,
    };
    if (class.is_script && !is_in_c()) || matches!(class.layout, Layout::Exception | Layout::Int) {
        return class.name();
    }
    match &*class.module.borrow() {
        Value::Str(module) if WITH_MODULE.contains(&&*module.text) => {
            Symbol::new(&format!("{}.{}", module.text, class.name())).text()
        }
        _ => class.name(),
    }
}

/// `isinstance(value, class)` for one class.
pub fn is_instance(value: &Value, class: &Ref<Class>) -> bool {
    class_of(value).is_subclass(class)
}

/// Whether the value is an exception of a built-in class.
pub fn is_exception(exception: &Ref<Exception>, id: Type) -> bool {
    exception.is_instance(&class(id))
}
