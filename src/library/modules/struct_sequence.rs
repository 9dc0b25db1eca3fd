//! Tuples whose items have names: `sys.version_info`, `os.stat_result` and the like.

use crate::interp::payload::*;
use crate::interp::text;
use crate::interp::types::{self, Type};
use crate::library::builtins::method;
use crate::source::Symbol;
use crate::value::*;
use std::rc::Rc;

/// A class of named tuples: its module and name, and the names of the items.
pub fn class(module: &str, name: &str, fields: &'static [&'static str]) -> Ref<Class> {
    let tuple = types::class(Type::Tuple);
    let class = Class::new(
        Symbol::new(name),
        vec![tuple.clone()],
        tuple.linear(),
        Layout::Tuple,
        false,
    );
    let class = Ref::new(class);
    *class.module.borrow_mut() = Value::from(module);
    for (i, field) in fields.iter().enumerate() {
        let item = move |args: &[Value]| match as_tuple(&args[0]).and_then(|t| t.items.get(i)) {
            Some(item) => Ok(item.clone()),
            None => Err(wrong_self(field, "tuple", &args[0])),
        };
        let getter = NativeDef {
            name: field,
            signature: "(self, /)",
            doc: "One of the items by its name.",
            role: NativeRole::Getter,
            body: NativeBody::Closure(Rc::new(item)),
            module: None,
        };
        class.set(Symbol::new(field), Native::of(&getter, class.name()).into());
    }
    let path = match module {
        "builtins" => name.to_string(),
        _ => format!("{module}.{name}"),
    };
    let repr = move |args: &[Value]| {
        let items = as_tuple(&args[0]).map(|t| t.items.to_vec()).unwrap_or_default();
        let mut out = format!("{path}(");
        for (i, (field, item)) in fields.iter().zip(&items).enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            out.push_str(&format!("{field}={}", text::repr(item)?));
        }
        out.push(')');
        Ok(Value::from(out))
    };
    let mut def = method("__repr__", "(self, /)", "Return repr(self).", |_| Ok(Value::None));
    def.body = NativeBody::Closure(Rc::new(repr));
    class.set(def.key(), Native::of(&def, class.name()).into());
    class.set(Symbol::new("n_fields"), Value::from(fields.len()));
    class
}

/// A tuple of such a class.
pub fn value(class: &Ref<Class>, items: Vec<Value>) -> Value {
    Ref::new(Instance::new(class.clone(), Value::tuple(items))).into()
}
