//! `itemgetter`, `attrgetter` and `methodcaller`: functions that look something up in their argument.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{class_of, named_class};
use crate::interp::{attribute, call, import, subscript, text};
use crate::library::asyncio::natives;
use crate::library::builtins;
use crate::source::{Symbol, name};
use crate::value::opaque::{self, Container};
use crate::value::*;

/// What one of them looks up.
enum Getter {
    Items(Vec<Value>),
    /// Each as it was given, and as the names between its dots.
    Attributes(Vec<(Value, Vec<Symbol>)>),
    Method {
        name: Symbol,
        args: Vec<Value>,
        keywords: Vec<(Symbol, Value)>,
    },
}

impl Container for Getter {
    fn parts(&self, each: &mut dyn FnMut(&Value)) {
        match self {
            Getter::Items(items) => items.iter().for_each(each),
            Getter::Attributes(_) => {}
            Getter::Method { args, keywords, .. } => {
                args.iter().for_each(&mut *each);
                keywords.iter().for_each(|(_, value)| each(value));
            }
        }
    }
}

impl Getter {
    fn call(&self, value: &Value) -> Res {
        match self {
            Getter::Items(items) => all(items, |item| subscript::get_item(value, item)),
            Getter::Attributes(paths) => all(paths, |(_, path)| {
                let mut found = value.clone();
                for &name in path {
                    found = attribute::get(&found, name)?;
                }
                Ok(found)
            }),
            Getter::Method { name, args, keywords } => {
                let method = attribute::get(value, *name)?;
                call::call_kw(&method, args, keywords)
            }
        }
    }

    /// The arguments that it was made with.
    fn given(&self) -> Vec<Value> {
        match self {
            Getter::Items(items) => items.clone(),
            Getter::Attributes(paths) => paths.iter().map(|(given, _)| given.clone()).collect(),
            Getter::Method { name, args, .. } => {
                let mut given = vec![Value::from(*name)];
                given.extend(args.iter().cloned());
                given
            }
        }
    }

    fn keywords(&self) -> &[(Symbol, Value)] {
        match self {
            Getter::Method { keywords, .. } => keywords,
            Getter::Items(_) | Getter::Attributes(_) => &[],
        }
    }
}

/// What is found for each, as a tuple if there are several.
fn all<T>(keys: &[T], find: impl Fn(&T) -> Res) -> Res {
    match keys {
        [one] => find(one),
        several => Ok(Value::tuple(several.iter().map(find).collect::<Res<Vec<_>>>()?)),
    }
}

pub fn classes() -> Vec<(Symbol, Value)> {
    let class = |whole: &'static str, name: &str, table: &'static [NativeDef]| {
        let class = named_class(whole);
        if class.own(name::NEW).is_none() {
            builtins::add(&class, table);
            builtins::add(&class, COMMON);
            class.is_final.set(true);
            opaque::look_into::<Getter>();
        }
        (Symbol::new(name), class.into())
    };
    vec![
        class("operator.itemgetter", "itemgetter", ITEMS),
        class("operator.attrgetter", "attrgetter", ATTRIBUTES),
        class("operator.methodcaller", "methodcaller", METHOD),
    ]
}

const ITEMS: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, /, *args, **kwargs)" "A function that gives one item of its argument, or several as a tuple." |args| {
        refuse_keywords("itemgetter", &args[2])?;
        made(args, Getter::Items(at_least_one("itemgetter", &args[1])?))
    };
};

const ATTRIBUTES: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, /, *args, **kwargs)"
        "A function that gives one attribute of its argument, or several as a tuple; names may be dotted."
        |args| {
            refuse_keywords("attrgetter", &args[2])?;
            let path = |given: Value| match text_of(&given) {
                Some(text) => {
                    let path = text.split('.').map(Symbol::new).collect();
                    Ok((given, path))
                }
                None => Err(type_error("attribute name must be a string")),
            };
            let given = at_least_one("attrgetter", &args[1])?;
            made(args, Getter::Attributes(given.into_iter().map(path).collect::<Res<_>>()?))
        };
};

const METHOD: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, /, *args, **kwargs)" "A function that calls a method of its argument." |args| {
        let given = positional(&args[1]);
        let Some((method, args_of_it)) = given.split_first() else {
            return Err(type_error("methodcaller needs at least one argument, the method name"));
        };
        let Some(method) = text_of(method) else {
            return Err(type_error("method name must be a string"));
        };
        let getter = Getter::Method {
            name: Symbol::new(method),
            args: args_of_it.to_vec(),
            keywords: as_dict(&args[2]).map_or_else(Vec::new, |given| given.symbol_entries()),
        };
        made(args, getter)
    };
};

const COMMON: &[NativeDef] = natives! {
    Method Given "__call__" "(self, obj, /)" "What is found in obj." |args, names| {
        if args.is_empty() {
            return Err(type_error("descriptor '__call__' needs an argument"));
        }
        let getter = this(args)?;
        match &args[1..] {
            [obj] if names.is_empty() => getter.call(obj),
            given => {
                let is_method = matches!(getter, Getter::Method { .. });
                let name = class_of(&args[0]).name();
                Err(wrong_call(name, given.len() - names.len(), !is_method && !names.is_empty()))
            }
        }
    };
    Method Plain "__repr__" "(self, /)" "Return repr(self)." |args| {
        let getter = this(args)?;
        let mut shown = getter.given().iter().map(text::repr).collect::<Res<Vec<_>>>()?;
        for (name, value) in getter.keywords() {
            shown.push(format!("{name}={}", text::repr(value)?));
        }
        let name = class_of(&args[0]).name();
        Ok(Value::from(format!("operator.{name}({})", shown.join(", "))))
    };
    Method Plain "__reduce__" "(self, /)" "How a copy is made." |args| {
        let getter = this(args)?;
        let class = Value::from(class_of(&args[0]));
        let keywords = getter.keywords();
        if keywords.is_empty() {
            return Ok(Value::tuple([class, Value::tuple(getter.given())]));
        }
        let mut given = getter.given();
        let rest = given.split_off(1);
        let partial = attribute::get(&import::by_name("functools")?, Symbol::new("partial"))?;
        let first = [class, given.swap_remove(0)];
        let made = call::call_kw(&partial, &first, keywords)?;
        Ok(Value::tuple([made, Value::tuple(rest)]))
    };
};

fn this(args: &[Value]) -> Res<&Getter> {
    args[0]
        .opaque()
        .ok_or_else(|| wrong_self("__call__", "operator.itemgetter", &args[0]))
}

fn positional(given: &Value) -> &[Value] {
    as_tuple(given).map_or(&[], |given| &given.items[..])
}

fn at_least_one(name: &str, given: &Value) -> Res<Vec<Value>> {
    match positional(given) {
        [] => Err(type_error(format!("{name} expected 1 argument, got 0"))),
        given => Ok(given.to_vec()),
    }
}

fn refuse_keywords(name: &str, given: &Value) -> Res<()> {
    match as_dict(given) {
        Some(given) if !given.table.borrow().is_empty() => {
            Err(type_error(format!("{name}() takes no keyword arguments")))
        }
        _ => Ok(()),
    }
}

/// The error for a call with other arguments than one.
#[cold]
fn wrong_call(name: &str, given: usize, by_name_first: bool) -> Raised {
    match given == 1 || by_name_first {
        false => type_error(format!("{name} expected 1 argument, got {given}")),
        true => type_error(format!("{name}() takes no keyword arguments")),
    }
}

fn made(args: &[Value], getter: Getter) -> Res {
    match as_class(&args[0]) {
        Some(of) => Ok(Opaque::value(of.clone(), getter)),
        None => Err(type_error("__new__(X): X is not a type object")),
    }
}
