//! `_abc`: the checks of abstract base classes, and what they have found out before.
//!
//! As in CPython, a class that was once found to be a subclass stays one, and one that was found to
//! be none is asked again only after something was registered.

use crate::interp::error::type_error;
use crate::interp::operator::truth;
use crate::interp::types::class_of;
use crate::interp::{call, isinstance, special};
use crate::library::asyncio::natives;
use crate::source::{Symbol, name};
use crate::value::*;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};

pub fn module() -> Vec<(Symbol, Value)> {
    let native = |def: &NativeDef| (Symbol::new(def.name), Native::of(def, OWNER).into());
    NATIVES.iter().map(native).collect()
}

const OWNER: &str = "ABCMeta";

/// What was answered, and when.
struct Answer {
    is_subclass: bool,
    registered: u64,
}

thread_local! {
    /// By the first shapes of the abstract class and the other, which are never freed.
    static ANSWERS: RefCell<FxHashMap<[usize; 2], Answer>> = RefCell::default();
    /// How often a class was registered anywhere.
    static REGISTERED: Cell<u64> = const { Cell::new(0) };
}

const NATIVES: &[NativeDef] = natives! {
    Method Plain "__instancecheck__" "(cls, instance, /)" "Whether an object is an instance of the class." |args| {
        let answer = is_of_kind(&args[0], class_of(&args[1]))?;
        match (truth(&answer)?, isinstance::claimed_class(&args[1])?) {
            (false, Some(claimed)) => is_of_kind(&args[0], claimed),
            _ => Ok(answer),
        }
    };
    Method Plain "__subclasscheck__" "(cls, subclass, /)" "Whether a class is a subclass of the class."
        |args| subclass_check(&args[0], &args[1]);
    Function Plain "get_cache_token" "()" "A number that changes whenever a class is registered somewhere."
        |_| Ok(Value::Int(REGISTERED.get() as i64));
    Function Plain "registered" "()" "A class was registered: what was denied may be true now." |_| {
        REGISTERED.set(REGISTERED.get() + 1);
        Ok(Value::None)
    };
};

/// Whether a class is a subclass, as the class says itself.
fn is_of_kind(class: &Value, kind: Ref<Class>) -> Res {
    if is_own(class) {
        return subclass_check(class, &kind.into());
    }
    match special::call(class, name::SUBCLASSCHECK, &[kind.into()]) {
        Some(answer) => answer,
        None => Ok(Value::FALSE),
    }
}

/// Whether no subclass of the metaclass has a say of its own.
fn is_own(class: &Value) -> bool {
    let Value::Class(class) = class else { return false };
    let metaclass = class.metaclass.borrow();
    let check = metaclass.as_ref().and_then(|m| m.lookup(name::SUBCLASSCHECK));
    matches!(&check, Some(Value::Native(native)) if native.owner == OWNER)
}

fn subclass_check(class: &Value, other: &Value) -> Res {
    let (Value::Class(of), Value::Class(this)) = (class, other) else {
        return Err(type_error("issubclass() arg 1 must be a class"));
    };
    // Other than its address, its shape is a class's own for good.
    let key = [of, this].map(|class| std::ptr::from_ref(class.root_shape).addr());
    let registered = REGISTERED.get();
    let known = ANSWERS.with_borrow(|answers| {
        let answer = answers.get(&key)?;
        (answer.is_subclass || answer.registered == registered).then_some(answer.is_subclass)
    });
    if let Some(known) = known {
        return Ok(known.into());
    }
    let answer = call::call_method(class, Symbol::new("_abc_ask"), std::slice::from_ref(other))?;
    let is_subclass = truth(&answer)?;
    let answer = Answer {
        is_subclass,
        registered,
    };
    ANSWERS.with_borrow_mut(|answers| answers.insert(key, answer));
    Ok(is_subclass.into())
}
