//! `sys.get_asyncgen_hooks` and `set_asyncgen_hooks` (PEP 525): who is told of async generators.

use crate::interp::attribute;
use crate::interp::call::is_callable;
use crate::interp::error::*;
use crate::interp::types::class_name;
use crate::library::modules::struct_sequence;
use crate::runtime::asyncgen::{ScriptHooks, script_hooks, set_script_hooks};
use crate::runtime::current;
use crate::source::Symbol;
use crate::value::*;

pub const FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        name: "get_asyncgen_hooks",
        signature: "()",
        doc: "Return what is called with async generators that begin, and that are dropped.",
        role: NativeRole::Function,
        body: NativeBody::Plain(get),
        module: None,
    },
    NativeDef {
        name: "set_asyncgen_hooks",
        signature: "(firstiter=None, finalizer=None)",
        doc: "Set what is called with async generators that begin, and that are dropped.",
        role: NativeRole::Function,
        body: NativeBody::Plain(set),
        module: None,
    },
];

/// The script's hooks, else those of the running loop.
fn in_force() -> Res<ScriptHooks> {
    if let Some(hooks) = script_hooks() {
        return Ok(hooks);
    }
    let Some(event_loop) = current::running() else {
        return Ok(ScriptHooks {
            first: Value::None,
            last: Value::None,
        });
    };
    Ok(ScriptHooks {
        first: attribute::get(&event_loop, Symbol::new("_asyncgen_firstiter_hook"))?,
        last: attribute::get(&event_loop, Symbol::new("_asyncgen_finalizer_hook"))?,
    })
}

fn get(_: &[Value]) -> Res {
    let hooks = in_force()?;
    let class = struct_sequence::class("builtins", "asyncgen_hooks", &["firstiter", "finalizer"]);
    Ok(struct_sequence::value(&class, vec![hooks.first, hooks.last]))
}

fn set(args: &[Value]) -> Res {
    let mut hooks = in_force()?;
    for (given, hook, name) in [
        (&args[1], &mut hooks.last, "finalizer"),
        (&args[0], &mut hooks.first, "firstiter"),
    ] {
        match given {
            Value::Unset => {}
            given if given.is_none() || is_callable(given) => *hook = given.clone(),
            other => {
                let kind = class_name(other);
                return Err(type_error(format!("callable {name} expected, got {kind}")));
            }
        }
    }
    set_script_hooks(hooks);
    Ok(Value::None)
}
