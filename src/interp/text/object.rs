//! Functions, classes, modules and other objects as text.

use super::{address, pending, repr, text_of, view_items, within};
use crate::interp::attribute;
use crate::interp::traceback::TracebackObject;
use crate::interp::types::{class_name, class_of, full_name};
use crate::source::Symbol;
use crate::value::context::ContextVar;
use crate::value::descriptor::{
    BigRange, CodeObject, DictView, GenericAlias, MappingProxy, TracebackFrame, Union,
};
use crate::value::*;

/// The modules that CPython carries within itself as code, and shows so.
const FROZEN: &[&str] = &["abc", "io", "os", "posixpath"];

/// The repr of an object that is neither a number, text nor a container.
pub fn write_repr(value: &Value, out: &mut String) -> Res<()> {
    let text = match value {
        Value::Function(function) => format!(
            "<function {} at {}>",
            name_text(&function.names().qualname),
            address(value)
        ),
        Value::Method(method) => return write_method(value, method, out),
        Value::Native(native) => native_repr(value, native),
        Value::Class(class) => format!("<class '{}'>", class_path(class)),
        Value::Module(module) => match module.get(crate::source::name::FILE) {
            Some(file) => format!("<module '{}' from {}>", module.name, repr(&file)?),
            None if FROZEN.contains(&module.name.text()) => format!("<module '{}' (frozen)>", module.name),
            None if crate::interp::import::is_known_module(module.name) => {
                format!("<module '{}' (built-in)>", module.name)
            }
            None => format!("<module '{}'>", module.name),
        },
        Value::Generator(generator) => {
            let kind = class_name(value);
            if generator.kind.is_awaitable() {
                out.push_str(&default_repr(value));
                return Ok(());
            }
            format!(
                "<{kind} object {} at {}>",
                generator_qualname(generator),
                address(value)
            )
        }
        Value::Cell(_) => format!("<cell at {}>", address(value)),
        Value::Future(future) => return pending::write_repr(future, out),
        Value::Opaque(_) => return write_opaque(value, out),
        Value::Iterator(_) => match class_of(value).own(crate::source::name::REPR) {
            // An iterator that shows where it stands: `count(3)`.
            Some(own) => {
                let made = crate::interp::call::call_unbound(&own, value, &[])?;
                name_text(&made)
            }
            None => default_repr(value),
        },
        _ => default_repr(value),
    };
    out.push_str(&text);
    Ok(())
}

/// `<module.Class object at 0x…>`: what `object.__repr__` gives.
pub fn default_repr(value: &Value) -> String {
    format!("<{} object at {}>", class_path(&class_of(value)), address(value))
}

/// The class with its module, unless that is `builtins`.
pub fn class_path(class: &Ref<Class>) -> String {
    let qualname = class.qualname.borrow();
    let module = match class.own(crate::source::name::MODULE) {
        Some(module) => module,
        None => class.module.borrow().clone(),
    };
    match text_of(&module) {
        Some("builtins") => qualname.to_string(),
        Some(module) => format!("{module}.{qualname}"),
        None => class.name().to_string(),
    }
}

fn name_text(name: &Value) -> String {
    text_of(name).unwrap_or("?").to_string()
}

/// The qualified name of a generator or coroutine.
pub fn generator_qualname(generator: &Ref<Generator>) -> String {
    if let Some(names) = generator.names() {
        return name_text(&names.1);
    }
    match &generator.func {
        Value::Function(function) => name_text(&function.names().qualname),
        Value::Native(native) => native_qualname(native),
        _ => "?".to_string(),
    }
}

/// `Class.name` of a built-in method, `name` of a function.
pub fn native_qualname(native: &Native) -> String {
    match native.role {
        NativeRole::Function => native.name.to_string(),
        _ if native.owner.is_empty() => native.name.to_string(),
        _ => format!("{}.{}", native.owner_name(), native.name),
    }
}

fn native_repr(value: &Value, native: &Ref<Native>) -> String {
    let name = native.name;
    let is_function = matches!(native.role, NativeRole::Function | NativeRole::Method);
    if matches!(native.body, NativeBody::Coroutine(_)) || native.in_python() && is_function {
        return format!("<function {} at {}>", native_qualname(native), address(value));
    }
    let is_slot = native.is_slot();
    match native.role {
        NativeRole::Function => format!("<built-in function {name}>"),
        NativeRole::Method if is_slot => {
            format!("<slot wrapper '{name}' of '{}' objects>", full_name(native.owner))
        }
        NativeRole::Method => format!("<method '{name}' of '{}' objects>", full_name(native.owner)),
        NativeRole::ClassMethod => format!("<method '{name}' of '{}' objects>", full_name(native.owner)),
        NativeRole::Static if native.owner.is_empty() => format!("<built-in function {name}>"),
        NativeRole::Static => format!("<built-in method {name} of type object at {}>", address(value)),
        NativeRole::Member => format!("<member '{name}' of '{}' objects>", full_name(native.owner)),
        NativeRole::Getter | NativeRole::Setter | NativeRole::ReadOnly => {
            format!("<attribute '{name}' of '{}' objects>", full_name(native.owner))
        }
    }
}

fn write_method(value: &Value, method: &Ref<Method>, out: &mut String) -> Res<()> {
    let this = &method.this;
    let text = match &method.func {
        Value::Native(native) if native.is_slot() && !native.in_python() => {
            format!(
                "<method-wrapper '{}' of {} object at {}>",
                native.name,
                class_name(this),
                address(this)
            )
        }
        Value::Native(native) if !native.in_python() => match this {
            Value::Class(_) => format!(
                "<built-in method {} of type object at {}>",
                native.name,
                address(this)
            ),
            _ => {
                format!(
                    "<built-in method {} of {} object at {}>",
                    native.name,
                    class_name(this),
                    address(this)
                )
            }
        },
        func => {
            let name = match func {
                Value::Function(function) => name_text(&function.names().qualname),
                other => {
                    let found = crate::interp::attribute::find(other, Symbol::new("__qualname__"))?;
                    found.map_or_else(|| "?".to_string(), |name| name_text(&name))
                }
            };
            return within(value, "<bound method ...>", out, |out| {
                out.push_str(&format!("<bound method {name} of "));
                super::write_repr(this, out)?;
                out.push('>');
                Ok(())
            });
        }
    };
    out.push_str(&text);
    Ok(())
}

fn write_opaque(value: &Value, out: &mut String) -> Res<()> {
    if let Some(view) = value.opaque::<DictView>() {
        let kind = class_name(value);
        return within(&Value::from(view.dict.clone()), "...", out, |out| {
            out.push_str(kind);
            out.push('(');
            super::write_repr(&view_items(value)?, out)?;
            out.push(')');
            Ok(())
        });
    }
    if let Some(proxy) = value.opaque::<MappingProxy>() {
        out.push_str("mappingproxy(");
        super::write_repr(&proxy.0, out)?;
        out.push(')');
        return Ok(());
    }
    if let Some(range) = value.opaque::<BigRange>() {
        out.push_str(&range.repr());
        return Ok(());
    }
    if let Some(alias) = value.opaque::<GenericAlias>() {
        if alias.is_starred {
            out.push('*');
        }
        out.push_str(&type_form(&alias.origin)?);
        out.push('[');
        if let Value::Tuple(args) = &alias.args {
            let shown = args.items.iter().map(type_form).collect::<Res<Vec<_>>>()?;
            out.push_str(&match shown.split_last() {
                None => "()".to_string(),
                Some((given, taken)) if lists_parameters(alias) => format!("[{}], {given}", taken.join(", ")),
                Some(_) => shown.join(", "),
            });
        }
        out.push(']');
        return Ok(());
    }
    if let Some(union) = value.opaque::<Union>() {
        let part = |arg: &Value| match arg {
            Value::Class(class) if class.name() == "NoneType" => Ok("None".to_string()),
            arg => type_form(arg),
        };
        let parts = union.args.iter().map(part).collect::<Res<Vec<_>>>()?;
        out.push_str(&parts.join(" | "));
        return Ok(());
    }
    if let Some(var) = value.opaque::<std::rc::Rc<ContextVar>>() {
        out.push_str("<ContextVar name=");
        super::write_repr(&var.name, out)?;
        if !var.default.is_unset() {
            out.push_str(" default=");
            super::write_repr(&var.default, out)?;
        }
        out.push_str(&format!(" at {}>", address(value)));
        return Ok(());
    }
    if let Some(member) = value.opaque::<super::super::slot::Member>() {
        out.push_str(&format!(
            "<member '{}' of '{}' objects>",
            member.name,
            member.owner.name()
        ));
        return Ok(());
    }
    if let Some(it) = value.opaque::<crate::interp::attribute::SuperObject>() {
        out.push_str(&format!("<super: <class '{}'>, ", it.this.name()));
        out.push_str(&match &it.object {
            Value::Unset => "NULL>".to_string(),
            Value::Class(class) => format!("<{} object>>", class.name()),
            object => format!("<{} object>>", class_of(object).name()),
        });
        return Ok(());
    }
    if let Some(code) = value.opaque::<CodeObject>() {
        let (file, line) = (&code.0.source.name, code.0.first_line);
        out.push_str(&format!(
            "<code object {} at {}, file \"{file}\", line {line}>",
            code.0.name,
            address(value)
        ));
        return Ok(());
    }
    if let Some(frame) = value.opaque::<TracebackFrame>() {
        let code = &frame.row.code;
        let line = code.source.line(super::super::frame_object::place(frame).start);
        out.push_str(&format!(
            "<frame at {}, file '{}', line {line}, code {}>",
            address(value),
            code.source.name,
            code.name
        ));
        return Ok(());
    }
    if value.opaque::<TracebackObject>().is_some() {
        out.push_str(&format!("<traceback object at {}>", address(value)));
        return Ok(());
    }
    out.push_str(&default_repr(value));
    Ok(())
}

/// Whether it is a `Callable` that is shown with its parameters in brackets of their own.
fn lists_parameters(alias: &GenericAlias) -> bool {
    let Value::Tuple(args) = &alias.args else {
        return false;
    };
    let is_whole = |arg: &Value| {
        let class = class_of(arg);
        let kind = class.name();
        matches!(arg, Value::Ellipsis | Value::List(_) | Value::Tuple(_))
            || matches!(kind, "ParamSpec" | "_ConcatenateAlias")
    };
    let is_callable =
        matches!(&alias.origin, Value::Class(class) if class_path(class) == "collections.abc.Callable");
    is_callable && !(args.items.len() == 2 && is_whole(&args.items[0]))
}

/// A type as it is written in annotations.
pub fn type_form(value: &Value) -> Res<String> {
    match value {
        Value::Class(class) => Ok(class_path(class)),
        Value::Function(function) => {
            let names = function.names();
            let (module, qualname) = (name_text(&names.module), name_text(&names.qualname));
            Ok(format!("{module}.{qualname}"))
        }
        Value::Ellipsis => Ok("...".to_string()),
        Value::List(list) => {
            let mut parts = Vec::new();
            let mut i = 0;
            while let Some(item) = list.get(i) {
                parts.push(type_form(&item)?);
                i += 1;
            }
            Ok(format!("[{}]", parts.join(", ")))
        }
        other => Ok(match named_form(other)? {
            Some(name) => name,
            None => repr(other)?,
        }),
    }
}

/// How something else that has a module and a qualified name is shown: functions in Rust, and what has both.
fn named_form(value: &Value) -> Res<Option<String>> {
    let find = |attr: &str| attribute::find(value, Symbol::new(attr));
    if find("__origin__")?.is_some() && find("__args__")?.is_some() {
        return Ok(None);
    }
    let (Some(qualname), Some(module)) = (find("__qualname__")?, find("__module__")?) else {
        return Ok(None);
    };
    Ok(match text_of(&module) {
        None => None,
        Some("builtins") => Some(super::str(&qualname)?),
        Some(module) => Some(format!("{module}.{}", super::str(&qualname)?)),
    })
}
