//! `random`: numbers that look as if by chance; from the same seed the same ones as CPython's.

mod choose;
mod distribution;
mod seed;
mod twister;

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_of, named_class};
use crate::interp::{attribute, call, descriptor, iterate, subscript, text};
use crate::library::builtins::{self, method, static_method};
use crate::source::{Symbol, name};
use crate::value::*;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::ToPrimitive;
use std::cell::{Cell, RefCell};
use twister::Twister;

/// A generator of random numbers: what a `Random` object holds.
struct Generator {
    source: Source,
    /// The second of the two numbers that `gauss` makes at a time.
    spare: Cell<Option<f64>>,
}

enum Source {
    Twister(Box<RefCell<Twister>>),
    /// The system's: `SystemRandom`.
    System,
}

fn this(value: &Value) -> Res<&Generator> {
    value
        .opaque()
        .ok_or_else(|| wrong_self("random", "Random", value))
}

/// What an object calls in the place of a built-in method: an attribute of its own, or its script class's method.
fn own_method(value: &Value, method: &str) -> Option<Value> {
    if let Value::Opaque(object) = value
        && !object.attrs.is_empty()
        && let Some(own) = object.attrs.get(Symbol::new(method))
    {
        return Some(own);
    }
    class_method(value, method).map(|method| descriptor::method(&method, value))
}

/// A script class's own method in the place of a built-in one.
fn class_method(value: &Value, method: &str) -> Option<Value> {
    let class = class_of(value);
    if !class.is_script {
        return None;
    }
    class
        .lookup(Symbol::new(method))
        .filter(|m| !matches!(m, Value::Native(_)))
}

/// A float in [0, 1).
fn unit(value: &Value) -> Res<f64> {
    if let Some(own) = own_method(value, "random") {
        return real(&call::call(&own, &[])?);
    }
    own_unit(value)
}

/// The same, whatever a script class makes of `random()`.
fn own_unit(value: &Value) -> Res<f64> {
    match &this(value)?.source {
        Source::Twister(twister) => Ok(twister.borrow_mut().unit()),
        Source::System => {
            let bytes = super::os::random_bytes(7)?;
            let n = bytes.iter().fold(0u64, |n, &byte| n << 8 | u64::from(byte)) >> 3;
            Ok(n as f64 / (1u64 << 53) as f64)
        }
    }
}

/// An int of so many random bits.
fn bits(value: &Value, count: u64) -> Res<BigUint> {
    match &this(value)?.source {
        Source::Twister(twister) => Ok(twister.borrow_mut().bits(count)),
        Source::System => {
            let bytes = super::os::random_bytes(count.div_ceil(8) as usize)?;
            Ok(BigUint::from_bytes_be(&bytes) >> (bytes.len() as u64 * 8 - count))
        }
    }
}

/// An int from 0 to below `n`, which is above 0.
fn below(value: &Value, n: u64) -> Res<u64> {
    if class_method(value, "random").is_some() && class_method(value, "getrandbits").is_none() {
        return below_by_floats(value, n);
    }
    let count = u64::from(64 - n.leading_zeros());
    if own_method(value, "getrandbits").is_none()
        && let Source::Twister(twister) = &this(value)?.source
    {
        let mut twister = twister.borrow_mut();
        return Ok(loop {
            let r = twister.small_bits(count as u32);
            if r < n {
                break r;
            }
        });
    }
    let wide = big_below(value, &BigUint::from(n))?;
    Ok(wide.to_u64().unwrap_or(0))
}

/// For classes that have a `random` of their own, but no `getrandbits`.
fn below_by_floats(value: &Value, n: u64) -> Res<u64> {
    const MOST: u64 = 1 << 53;
    let next = || unit(value);
    if n >= MOST {
        return Ok((next()? * n as f64) as u64);
    }
    let limit = (MOST - MOST % n) as f64 / MOST as f64;
    loop {
        let r = next()?;
        if r < limit {
            return Ok((r * MOST as f64) as u64 % n);
        }
    }
}

/// The same, by the `getrandbits` of a script class that has its own.
fn given_bits(value: &Value, count: u64) -> Res<BigUint> {
    let Some(own) = own_method(value, "getrandbits") else {
        return bits(value, count);
    };
    let made = call::call(&own, &[Value::Int(count as i64)])?;
    Ok(as_bigint(&made).unwrap_or_default().magnitude().clone())
}

fn big_below(value: &Value, n: &BigUint) -> Res<BigUint> {
    loop {
        let r = given_bits(value, n.bits())?;
        if r < *n {
            return Ok(r);
        }
    }
}

/// The class `random.Random` of this thread.
fn class() -> Ref<Class> {
    let class = named_class("random.Random");
    if class.own(name::NEW).is_none() {
        builtins::add(&class, METHODS);
        for table in [METHODS_IN_PYTHON, choose::METHODS, distribution::METHODS] {
            class.add(ClassPart::InPython(table, "random"));
        }
        class.has_dict.set(true);
        class.set(Symbol::new("VERSION"), Value::Int(3));
    }
    class
}

fn system_class() -> Ref<Class> {
    let base = class();
    let order = base.linear();
    let class = Ref::new(Class::new(
        Symbol::new("SystemRandom"),
        vec![base],
        order,
        Layout::Opaque,
        false,
    ));
    *class.module.borrow_mut() = Value::from("random");
    builtins::add(&class, SYSTEM);
    class.has_dict.set(true);
    class
}

/// Seeds a generator; None takes a seed that nobody can guess.
fn seed(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    let Source::Twister(twister) = &generator.source else {
        return Ok(Value::None);
    };
    let version = if args[2].is_unset() { 2 } else { small(&args[2])? };
    let number = seed::number(&args[1], version)?;
    generator.spare.set(None);
    twister.replace(Twister::seeded(&number.to_u32_digits()));
    Ok(Value::None)
}

fn init(args: &[Value]) -> Res {
    let given = if args[1].is_unset() {
        Value::None
    } else {
        args[1].clone()
    };
    match own_method(&args[0], "seed") {
        Some(own) => call::call(&own, &[given])?,
        None => seed(&[args[0].clone(), given, Value::Unset])?,
    };
    Ok(Value::None)
}

fn new(args: &[Value], source: Source) -> Res {
    let Some(of) = as_class(&args[0]) else {
        return Err(type_error("Random.__new__(X): X is not a type object"));
    };
    Ok(Opaque::value(
        of.clone(),
        Generator {
            source,
            spare: Cell::new(None),
        },
    ))
}

fn get_random_bits(args: &[Value]) -> Res {
    let count =
        u64::try_from(small(&args[1])?).map_err(|_| value_error("number of bits must be non-negative"))?;
    if count > 1 << 36 {
        return Err(raise_empty(Type::MemoryError));
    }
    let n = if count == 0 {
        BigUint::default()
    } else {
        bits(&args[0], count)?
    };
    Ok(Value::from(BigInt::from_biguint(Sign::Plus, n)))
}

fn get_state(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    let Source::Twister(twister) = &generator.source else {
        return Err(no_state());
    };
    let words = twister
        .borrow()
        .state()
        .iter()
        .map(|&word| Value::Int(i64::from(word)))
        .collect::<Vec<_>>();
    let spare = generator.spare.get().map_or(Value::None, Value::float);
    Ok(Value::tuple([Value::Int(3), Value::tuple(words), spare]))
}

fn set_state(args: &[Value]) -> Res {
    let generator = this(&args[0])?;
    let Source::Twister(twister) = &generator.source else {
        return Err(no_state());
    };
    let version = subscript::get_item(&args[1], &Value::Int(0))?;
    if as_small(&version) != Some(3) {
        return Err(value_error(format!(
            "state with version {} passed to Random.setstate() of version 3",
            text::str(&version)?
        )));
    }
    let parts = iterate::unpack(&args[1], 3)?;
    let Some(words) = as_tuple(&parts[1]) else {
        return Err(type_error("state vector must be a tuple"));
    };
    let mut state = Vec::with_capacity(words.items.len());
    for word in &words.items {
        state.push(small(word)? as u32);
    }
    let Some(restored) = Twister::restored(&state) else {
        return Err(value_error(if state.len() == 625 {
            "invalid state"
        } else {
            "state vector is the wrong size"
        }));
    };
    generator.spare.set(parts[2].given().map(real).transpose()?);
    twister.replace(restored);
    Ok(Value::None)
}

fn no_state() -> Raised {
    raise(
        Type::NotImplementedError,
        "System entropy source does not have state.",
    )
}

const METHODS: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Create and return a new object.",
        |args| {
            new(
                args,
                Source::Twister(Box::new(RefCell::new(Twister::seeded(&[0])))),
            )
        },
    ),
    method("random", "(self, /)", "Return a float in [0, 1).", |args| {
        own_unit(&args[0]).map(Value::float)
    }),
    method(
        "getrandbits",
        "(self, k, /)",
        "Return an int of k random bits.",
        get_random_bits,
    ),
];

const METHODS_IN_PYTHON: &[NativeDef] = &[
    method("__init__", "(self, x=None)", "Take a seed.", init),
    method(
        "seed",
        "(self, a=None, version=2)",
        "Begin anew from a seed.",
        seed,
    ),
    method(
        "getstate",
        "(self)",
        "Return where the generator stands.",
        get_state,
    ),
    method(
        "setstate",
        "(self, state)",
        "Go on from where a generator stood.",
        set_state,
    ),
    method(
        "__getstate__",
        "(self)",
        "Return where the generator stands.",
        get_state,
    ),
    method(
        "__setstate__",
        "(self, state)",
        "Go on from where a generator stood.",
        set_state,
    ),
    method("__reduce__", "(self)", "Return how to make its like.", |args| {
        let class = class_of(&args[0]).into();
        Ok(Value::tuple([class, Value::tuple([]), get_state(args)?]))
    }),
    method(
        "_randbelow",
        "(self, n, /)",
        "Return an int from 0 to below n.",
        |args| {
            let n = as_bigint(&index(&args[1])?).unwrap_or_default();
            if n.sign() != Sign::Plus {
                return Err(value_error("n must be above 0"));
            }
            Ok(Value::from(BigInt::from_biguint(
                Sign::Plus,
                big_below(&args[0], n.magnitude())?,
            )))
        },
    ),
];

const SYSTEM: &[NativeDef] = &[
    static_method(
        "__new__",
        "(cls, /, *args, **kwargs)",
        "Create and return a new object.",
        |args| new(args, Source::System),
    ),
    method(
        "seed",
        "(self, *args, **kwds)",
        "Does nothing: there is no seed.",
        |_| Ok(Value::None),
    )
    .in_python("random"),
];

/// Methods that are functions of the module, too, of a generator of its own.
const SHARED: &[&str] = &[
    "seed",
    "random",
    "uniform",
    "triangular",
    "randint",
    "choice",
    "randrange",
    "sample",
    "shuffle",
    "choices",
    "normalvariate",
    "lognormvariate",
    "expovariate",
    "vonmisesvariate",
    "gammavariate",
    "gauss",
    "betavariate",
    "binomialvariate",
    "paretovariate",
    "weibullvariate",
    "getstate",
    "setstate",
    "getrandbits",
    "randbytes",
];

/// So many random bits make a float in [0, 1).
const BITS_OF_FLOATS: u32 = 53;

pub fn module() -> Vec<(Symbol, Value)> {
    let class = class();
    let mut names = vec![
        (Symbol::new("Random"), class.clone().into()),
        (Symbol::new("SystemRandom"), system_class().into()),
    ];
    let public = ["Random", "SystemRandom"].iter().chain(SHARED);
    let mut public: Vec<&str> = public.copied().collect();
    public.sort_unstable();
    let public = public.into_iter().map(Value::from).collect::<Vec<_>>();
    names.push((Symbol::new("__all__"), Value::list(public)));
    // What the distributions are reckoned with.
    let (half, wide) = ((-0.5f64).exp(), f64::from(BITS_OF_FLOATS));
    let constants = [
        ("NV_MAGICCONST", 4.0 * half / 2f64.sqrt()),
        ("LOG4", 4f64.ln()),
        ("SG_MAGICCONST", 1.0 + 4.5f64.ln()),
        ("TWOPI", std::f64::consts::TAU),
        ("RECIP_BPF", (-wide).exp2()),
    ];
    names.extend(constants.map(|(name, value)| (Symbol::new(name), Value::float(value))));
    names.push((Symbol::new("BPF"), Value::Int(i64::from(BITS_OF_FLOATS))));
    // Making a generator of the built-in class runs no script.
    let shared = call::call(&class.into(), &[]).map_err(|raised| drop(raised.take()));
    if let Ok(shared) = shared {
        for name in SHARED {
            let symbol = Symbol::new(name);
            if let Ok(method) = attribute::get(&shared, symbol).map_err(|raised| drop(raised.take())) {
                names.push((symbol, method));
            }
        }
        names.push((Symbol::new("_inst"), shared));
    }
    names
}
