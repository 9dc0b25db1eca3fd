//! Calling things: from the arguments on the value stack to the callee's frame.
//!
//! Always true: arguments stand in a [`Window`] as `[room for self] positional… keyword values…`,
//! so that a method call needs no copying and a script function's arguments already are its first
//! slots.

use super::argument;
use super::attribute;
use super::bind::{bind_arguments, default_of};
use super::bind_native::bind_native;
use super::class_body;
use super::error::*;
use super::origin;
use super::stack::{self, Window};
use super::types::{Type, class, class_of, shown_name};
use crate::code::{Code, CodeKind};
use crate::source::{Symbol, name};
use crate::value::native::{FEW, ParamKind};
use crate::value::running::Running;
use crate::value::*;

/// `func(*args)`
pub fn call(func: &Value, args: &[Value]) -> Res {
    match func {
        Value::Function(f) if f.shape.simple as usize == args.len() => {
            let window = Window::open();
            for arg in args {
                window.push(arg.clone())?;
            }
            run_function(f, &window, 0)
        }
        _ => call_kw(func, args, &[]),
    }
}

/// `func(*args, **kwargs)`
pub fn call_kw(func: &Value, args: &[Value], kwargs: &[(Symbol, Value)]) -> Res {
    let window = Window::open();
    window.push(Value::Unset)?;
    for arg in args {
        window.push(arg.clone())?;
    }
    if kwargs.is_empty() {
        return invoke(func, &window, args.len(), &[]);
    }
    let mut names = Vec::with_capacity(kwargs.len());
    for (name, value) in kwargs {
        names.push(*name);
        window.push(value.clone())?;
    }
    invoke(func, &window, args.len(), &names)
}

/// `object.name(args)`, raising AttributeError if there is no such method.
pub fn call_method(object: &Value, name: Symbol, args: &[Value]) -> Res {
    let method = attribute::get(object, name)?;
    call(&method, args)
}

/// Calls the special method `name` of the object's class; none if the class does not have it.
pub fn call_special(object: &Value, name: Symbol, args: &[Value]) -> Option<Res> {
    let method = special(object, name)?;
    Some(call_unbound(&method, object, args))
}

/// The special method of the object's class, unbound; a class that sets it to None does not
/// have it.
pub fn special(object: &Value, name: Symbol) -> Option<Value> {
    class_of(object).lookup(name).filter(|m| !m.is_none())
}

/// Calls what a class holds under a name as a method of the object.
pub fn call_unbound(method: &Value, object: &Value, args: &[Value]) -> Res {
    if let Value::Native(native) = method
        && let Some(result) = call_as_given(native, object, args)
    {
        return result;
    }
    match method {
        Value::Function(_) | Value::Native(_) => {
            let window = Window::open();
            window.push(object.clone())?;
            for arg in args {
                window.push(arg.clone())?;
            }
            match method {
                Value::Function(f) => call_function(f, &window, 0, args.len() + 1, &[]),
                Value::Native(n) => call_native(n, &window, 0, args.len() + 1, &[], None),
                _ => unreachable!("matched above"),
            }
        }
        other => call(&attribute::bind(other, object, &class_of(object))?, args),
    }
}

/// Calls a built-in method that takes so few arguments as they are, as most special methods do.
#[inline]
fn call_as_given(native: &Native, object: &Value, args: &[Value]) -> Option<Res> {
    let params = native.few_params(args.len() + 1)?;
    let body: &dyn Fn(&[Value]) -> Res = match &native.body {
        NativeBody::Plain(body) => body,
        NativeBody::Closure(body) => &**body,
        NativeBody::Pair(body) => return Some(body(object, args.first()?)),
        _ => return None,
    };
    if params == 1 {
        return Some(body(std::slice::from_ref(object)));
    }
    let mut laid_out = [const { Value::Unset }; FEW];
    laid_out[0] = object.clone();
    for (place, arg) in laid_out[1..].iter_mut().zip(args) {
        *place = arg.clone();
    }
    Some(body(&laid_out[..params]))
}

pub fn is_callable(object: &Value) -> bool {
    match object {
        Value::Function(_) | Value::Method(_) | Value::Class(_) => true,
        Value::Native(n) => !matches!(
            n.role,
            NativeRole::Getter | NativeRole::Member | NativeRole::Setter | NativeRole::ReadOnly
        ),
        _ => special(object, name::CALL).is_some(),
    }
}

/// Calls with the arguments in the window: `npos` positional ones from 1 on, then one value for
/// each of `names`.
#[inline]
pub fn invoke(func: &Value, window: &Window, npos: usize, names: &[Symbol]) -> Res {
    match func {
        Value::Function(f) => call_function(f, window, 1, npos, names),
        Value::Native(n) => {
            if n.role == NativeRole::Method {
                argument::check_receiver(n, &window.values(1)[..npos])?;
            }
            call_native(n, window, 1, npos, names, None)
        }
        Value::Method(m) => {
            window.set(0, m.this.clone());
            match &m.func {
                Value::Function(f) => call_function(f, window, 0, npos + 1, names),
                Value::Native(n) => call_native(n, window, 0, npos + 1, names, None),
                func => again(func, window, 0, npos + 1, names),
            }
        }
        Value::Class(c) => construct(c, window, npos, names),
        other => call_object(other, window, npos, names),
    }
}

/// Calls with arguments that begin at `start`, in a window of their own.
#[cold]
fn again(func: &Value, window: &Window, start: usize, npos: usize, names: &[Symbol]) -> Res {
    let inner = Window::open();
    inner.push(Value::Unset)?;
    let from = start;
    for i in 0..npos + names.len() {
        inner.push(window.values(from)[i].clone())?;
    }
    invoke(func, &inner, npos, names)
}

/// The name of a module that has a function of its name.
fn own_function(object: &Value) -> Res<Option<Symbol>> {
    let Value::Module(module) = object else {
        return Ok(None);
    };
    let Some(name) = module
        .get(name::NAME)
        .and_then(|name| super::payload::as_str(&name).map(|name| name.symbol()))
    else {
        return Ok(None);
    };
    let found = attribute::find(object, name)?;
    Ok(found.filter(is_callable).map(|_| name))
}

#[cold]
fn call_object(object: &Value, window: &Window, npos: usize, names: &[Symbol]) -> Res {
    let Some(method) = special(object, name::CALL) else {
        let hint = match object {
            Value::Generator(g) if g.kind == GeneratorKind::Coroutine => "a coroutine is awaited, not called",
            Value::Module(_) => "call one of the module's functions: `module.function(...)`",
            _ => "",
        };
        let raised = type_error(format!(
            "'{}' object is not callable{}",
            super::types::class_name(object),
            own_function(object)?.map_or(String::new(), |name| format!(
                ". Did you mean: '{name}.{name}(...)'?"
            ))
        ));
        return Err(if hint.is_empty() {
            raised
        } else {
            raised.help(hint)
        });
    };
    match &method {
        Value::Function(f) => {
            window.set(0, object.clone());
            call_function(f, window, 0, npos + 1, names)
        }
        Value::Native(n) => {
            window.set(0, object.clone());
            call_native(n, window, 0, npos + 1, names, None)
        }
        other => {
            stack::check_native(" while calling a Python object")?;
            let bound = attribute::bind(other, object, &class_of(object))?;
            again(&bound, window, 1, npos, names)
        }
    }
}

/// Calls a script function whose arguments begin at `start`.
#[inline]
pub fn call_function(
    func: &Ref<Function>,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
) -> Res {
    if npos == func.shape.simple as usize && names.is_empty() {
        return run_function(func, window, start);
    }
    let code = &*func.code;
    let params = &code.params;
    if params.names.len() != npos || params.positional as usize != npos || !names.is_empty() {
        bind_arguments(func, window, start, npos, names)?;
        if func.shape.simple != u32::MAX {
            return run_function(func, window, start);
        }
    }
    run_bound(func, window, start)
}

/// Runs a function whose parameters are bound from `start` on.
fn run_bound(func: &Ref<Function>, window: &Window, start: usize) -> Res {
    let code = &*func.code;
    if code.kind.is_resumable() {
        return Ok(make_generator(make_frame(func, window, start)));
    }
    for &slot in &code.cells {
        if (slot as usize) < code.params.names.len() {
            share(window, start + slot as usize);
        }
    }
    run_function(func, window, start)
}

/// Runs the function of a built-in written in aio, whose arguments were bound by the signature: what
/// was not given has its default.
#[inline(never)]
fn call_written(func: &Ref<Function>, window: &Window, start: usize) -> Res {
    let params = &func.code.params;
    let positional = params.positional as usize;
    for (place, name) in params.names.iter().enumerate() {
        if !window.values(start)[place].is_unset() {
            continue;
        }
        let default = if place < positional {
            default_of(&func.defaults.borrow(), place, positional).cloned()
        } else {
            let defaults = func.kwdefaults.borrow();
            let default = defaults.iter().find(|(known, _)| known == name);
            default.map(|(_, value)| value.clone())
        };
        window.set(start + place, default.unwrap_or_default());
    }
    run_bound(func, window, start)
}

/// Runs a synchronous function whose parameters are bound from `start` on.
#[inline(always)]
pub fn run_function(func: &Ref<Function>, window: &Window, start: usize) -> Res {
    stack::enter_call()?;
    window.push_unset(func.shape.locals as usize)?;
    if func.shape.simple == u32::MAX {
        new_cells(&func.code, window, start);
    }
    // SAFETY: from `start` the window holds one value for each slot of the code, and nothing else
    // uses them while the frame runs.
    let (slots, running) = unsafe {
        let slots = window.base().add(start);
        (slots, Running::new(func, slots, std::ptr::null()))
    };
    let entered = running.enter();
    // SAFETY: as above.
    let mut frame = unsafe { function::Frame::new(func, slots, &running) };
    let result = func.program.call(&mut frame);
    drop(entered);
    stack::leave_call();
    match result {
        Ok(value) => Ok(value),
        Err(raised) => Err(leave_frame(raised, func, window, start)),
    }
}

/// An exception leaves the frame of a function whose slots begin at `start`.
#[cold]
#[inline(never)]
fn leave_frame(raised: Raised, func: &Ref<Function>, window: &Window, start: usize) -> Raised {
    raised.leave_frame(func, |slot| window.take(start + slot))
}

/// Fresh cells for the locals that nested functions share; parameters have theirs already.
#[cold]
#[inline(never)]
fn new_cells(code: &Code, window: &Window, start: usize) {
    for &slot in &code.cells {
        if slot as usize >= code.params.names.len() {
            window.set(start + slot as usize, Ref::new(VariableCell::default()).into());
        }
    }
}

/// Moves the value at a place of the window into a new cell there.
#[cold]
fn share(window: &Window, index: usize) {
    let cell = Ref::new(VariableCell::default());
    let place = window.values(index)[0].clone();
    cell.value.set(place);
    window.set(index, cell.into());
}

/// A frame that has not begun, from bound parameters, which are moved out of the window.
pub fn make_frame(func: &Ref<Function>, window: &Window, start: usize) -> FrameBox {
    let mut frame = FrameBox::new(func.clone());
    let slots = frame.slots();
    window.move_to(start, slots);
    if !func.code.cells.is_empty() {
        share_all(&func.code, slots);
    }
    frame
}

/// Moves the values that nested functions share into cells.
#[inline(never)]
fn share_all(code: &Code, slots: &mut [Value]) {
    for &slot in &code.cells {
        let cell = Ref::new(VariableCell::default());
        cell.value.set(std::mem::take(&mut slots[slot as usize]));
        slots[slot as usize] = cell.into();
    }
}

/// The generator or coroutine of a frame that has not begun.
pub fn make_generator(frame: FrameBox) -> Value {
    let func = frame.func.clone();
    let kind = match func.code.kind {
        CodeKind::Generator => GeneratorKind::Generator,
        CodeKind::AsyncGenerator => GeneratorKind::AsyncGenerator,
        _ => GeneratorKind::Coroutine,
    };
    origin::noted(|| Generator::new(kind, func.into(), Activation::Script(frame)))
}

/// Binds the arguments of `await func(…)` and gives the callee's frame, if `func` is a script
/// coroutine function.
pub fn coroutine_frame(
    func: &Value,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
) -> Res<Option<FrameBox>> {
    let (func, start, npos) = match func {
        Value::Function(f) => (f, start, npos),
        Value::Method(m) => match &m.func {
            Value::Function(f) => {
                window.set(0, m.this.clone());
                (f, 0, npos + 1)
            }
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    if func.code.kind != CodeKind::Coroutine {
        return Ok(None);
    }
    let params = &func.code.params;
    if params.names.len() != npos || params.positional as usize != npos || !names.is_empty() {
        bind_arguments(func, window, start, npos, names)?;
    }
    Ok(Some(make_frame(func, window, start)))
}

/// Calls a plain built-in with positional arguments that fit its parameters.
#[inline(always)]
pub fn call_plain(
    native: &Native,
    body: fn(&[Value]) -> Res,
    window: &Window,
    start: usize,
    npos: usize,
) -> Res {
    window.push_unset(native.signature.params.len() - npos)?;
    body(window.values(start))
}

/// Calls a built-in whose arguments begin at `start`; `frame` is the caller's, if there is one.
#[inline]
pub fn call_native(
    native: &Ref<Native>,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
    frame: Option<&mut function::Frame>,
) -> Res {
    if let NativeBody::Given(body) = native.body {
        return body(&window.values(start)[..npos + names.len()], names);
    }
    bind_native(native, window, start, npos, names)?;
    let args = window.values(start);
    let done = match &native.body {
        NativeBody::Plain(body) => body(args),
        NativeBody::Closure(body) => body(args),
        NativeBody::Pair(body) => body(&args[0], &args[1]),
        NativeBody::Given(_) => unreachable!("called above, with its arguments as they are"),
        NativeBody::Written(func) => call_written(func, window, start),
        NativeBody::Frame(body) => match frame {
            Some(frame) => body(frame, args),
            None => Err(runtime_error(format!("{}() needs a calling frame", native.name))),
        },
        NativeBody::Coroutine(_) => {
            let args: Box<[Value]> = args.into();
            let first = Activation::Start(Box::new((native.clone(), args)));
            let kind = GeneratorKind::Coroutine;
            let func = native.clone();
            Ok(origin::noted(|| Generator::new(kind, func.into(), first)))
        }
    };
    if native.signature.has_rest() {
        release_rest(&mut window.take(start + native.signature.before_rest));
    }
    done
}

/// Arguments go in their order, also those of a `*args`, unless their tuple is kept.
pub fn release_rest(rest: &mut Value) {
    if let Value::Tuple(rest) = rest
        && let Some(rest) = rest.get_mut()
    {
        rest.items.iter_mut().for_each(|item| drop(std::mem::take(item)));
    }
}

/// Whether the call is to a built-in coroutine function: then its arguments are bound and it is
/// begun at once.
pub fn begin_native(
    func: &Value,
    window: &Window,
    start: usize,
    npos: usize,
    names: &[Symbol],
) -> Res<Option<Step>> {
    let (native, start, npos) = match func {
        Value::Native(n) => (n, start, npos),
        Value::Method(m) => match &m.func {
            Value::Native(n) => {
                window.set(0, m.this.clone());
                (n, 0, npos + 1)
            }
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let NativeBody::Coroutine(body) = &native.body else {
        return Ok(None);
    };
    bind_native(native, window, start, npos, names)?;
    body(window.values(start)).map(Some)
}

/// `Class(…)`: `__new__`, then `__init__`
/// (https://docs.python.org/3/reference/datamodel.html#basic-customization).
pub fn construct(made: &Ref<Class>, window: &Window, npos: usize, names: &[Symbol]) -> Res {
    if let Some(meta) = made.metaclass.borrow().clone()
        && let Some(call) = meta.lookup(name::CALL)
        && let Value::Function(f) = &call
    {
        window.set(0, made.clone().into());
        return call_function(f, window, 0, npos + 1, names);
    }
    construct_plainly(made, window, npos, names)
}

/// `type.__call__(Class, …)`: the same, whatever the metaclass makes of it.
pub fn construct_with(made: &Ref<Class>, args: &[Value], kwargs: &[(Symbol, Value)]) -> Res {
    let window = Window::open();
    window.push(Value::Unset)?;
    for arg in args.iter().chain(kwargs.iter().map(|(_, value)| value)) {
        window.push(arg.clone())?;
    }
    let names: Vec<Symbol> = kwargs.iter().map(|(name, _)| *name).collect();
    construct_plainly(made, &window, args.len(), &names)
}

/// The keyword arguments that a built-in half of construction gets while a script's class has the
/// other half: none if it takes none, they are meant for that other half then.
fn keywords_for<'a>(native: &Native, names: &'a [Symbol]) -> &'a [Symbol] {
    let mut params = native.signature.params.iter();
    match params.all(|param| matches!(param.kind, ParamKind::PositionalOnly | ParamKind::Args)) {
        true => &[],
        false => names,
    }
}

#[cold]
fn takes_no_arguments(made: &Class) -> Raised {
    type_error(format!("{}() takes no arguments", made.name()))
}

fn construct_plainly(made: &Ref<Class>, window: &Window, npos: usize, names: &[Symbol]) -> Res {
    if !made.is_script && made.is(&class(Type::Class)) && npos == 1 && names.is_empty() {
        return Ok(class_of(&window.values(1)[0]).into());
    }
    let [new, init] = [name::NEW, name::INIT].map(|half| made.lookup(half));
    let is_objects = |half: &Option<Value>| matches!(half, Some(Value::Native(n)) if n.owner == "object");
    let object = match &new {
        Some(Value::Native(n)) if made.layout == Layout::Object && n.owner == "object" => {
            // Before there is an object that a finaliser could see.
            if npos + names.len() > 0 && is_objects(&init) {
                return Err(takes_no_arguments(made));
            }
            if made.is_script
                && let Some(missing) = class_body::abstract_methods(made)
            {
                return Err(type_error(missing));
            }
            Ref::new(Instance::new(made.clone(), Value::Unset)).into()
        }
        Some(Value::Native(n)) if !made.is_script && n.owner == "object" => {
            return Err(type_error(format!(
                "cannot create '{}' instances",
                shown_name(made)
            )));
        }
        Some(Value::Native(n)) => {
            let names = match &init {
                Some(Value::Function(_)) => keywords_for(n, names),
                _ => names,
            };
            let inner = Window::open();
            inner.push(made.clone().into())?;
            for i in 0..npos + names.len() {
                inner.push(window.values(1)[i].clone())?;
            }
            let object = call_native(n, &inner, 0, npos + 1, names, None)?;
            if !made.is_script && is_objects(&init) {
                return Ok(object); // nothing is left to do
            }
            object
        }
        Some(other) => {
            let func = attribute::bind_to_class(other, made)?;
            let inner = Window::open();
            inner.push(Value::Unset)?;
            inner.push(made.clone().into())?;
            for i in 0..npos + names.len() {
                inner.push(window.values(1)[i].clone())?;
            }
            invoke(&func, &inner, npos + 1, names)?
        }
        None => return Err(type_error(format!("cannot create '{}' instances", made.name()))),
    };
    let kind = class_of(&object);
    if !kind.is_subclass(made) {
        return Ok(object);
    }
    match &kind.lookup(name::INIT) {
        Some(Value::Function(init)) => {
            window.set(0, object.clone());
            let result = call_function(init, window, 0, npos + 1, names)?;
            if !result.is_none() {
                let kind = class_of(&result).name();
                return Err(type_error(format!("__init__() should return None, not '{kind}'")));
            }
        }
        Some(Value::Native(init)) if init.owner == "object" => {
            let is_refused = npos + names.len() > 0 && is_objects(&new);
            if is_refused {
                return Err(takes_no_arguments(made));
            }
        }
        Some(Value::Native(init)) => {
            window.set(0, object.clone());
            // A set refuses them always.
            let has_own_new = !matches!(new, Some(Value::Native(_)));
            let wanted = match init.owner {
                "list" if has_own_new => keywords_for(init, names),
                _ => names,
            };
            if wanted.len() < names.len() {
                drop(window.drain(1 + npos));
            }
            call_native(init, window, 0, npos + 1, wanted, None)?;
        }
        Some(other) => {
            let bound = attribute::bind(other, &object, made)?;
            again(&bound, window, 1, npos, names)?;
        }
        None => {}
    }
    Ok(object)
}

/// `super()` and `super(cls, object)`
/// (https://docs.python.org/3/library/functions.html#super).
pub fn call_super(frame: &mut function::Frame, window: &Window, npos: usize, names: &[Symbol]) -> Res {
    if !names.is_empty() {
        return Err(type_error("super() takes no keyword arguments"));
    }
    if npos == 0 {
        let (this, object) = own_super(frame)?;
        return bound_super(&this, object);
    }
    if npos > 2 {
        return Err(type_error(format!(
            "super() expected at most 2 arguments, got {npos}"
        )));
    }
    let args = window.values(1);
    match &args[0] {
        Value::Class(this) => bound_super(this, args.get(1).cloned().unwrap_or_default()),
        other => Err(not_a_class(other)),
    }
}

/// What `super()` means in a frame: the class that its function was written in, and the object.
pub fn own_super(frame: &function::Frame) -> Res<(Ref<Class>, Value)> {
    let code = &frame.func.code;
    let cell = code.free.iter().position(|n| *n == name::CLASS);
    if code.params.positional == 0 {
        return Err(runtime_error("super(): no arguments"));
    }
    let Some(this) = cell.map(|i| frame.func.closure[i].value.get()) else {
        return Err(runtime_error("super(): __class__ cell not found"));
    };
    let object = match frame.local(0) {
        Value::Cell(cell) => cell.value.get(),
        value => value.clone(),
    };
    if object.is_unset() {
        return Err(runtime_error("super(): arg[0] deleted"));
    }
    match &this {
        Value::Class(this) => Ok((Ref::clone(this), object)),
        Value::Unset => Err(runtime_error("super(): empty __class__ cell")),
        other => Err(not_a_class(other)),
    }
}

#[cold]
fn not_a_class(value: &Value) -> Raised {
    type_error(format!(
        "super() argument 1 must be a type, not {}",
        class_of(value).name()
    ))
}

/// `super(this, object)`; unset: `super(this)`.
pub fn bound_super(this: &Ref<Class>, object: Value) -> Res {
    let object = object.given().cloned().unwrap_or_default();
    let fits = match &object {
        Value::Unset => true, // `super(cls)`: bound to nothing
        Value::Class(c) => c.is_subclass(this) || class_of(&object).is_subclass(this),
        other => class_of(other).is_subclass(this),
    };
    if !fits {
        let what = match &object {
            Value::Class(class) => format!("type {}", class.name()),
            object => format!("instance of {}", class_of(object).name()),
        };
        return Err(type_error(format!(
            "super(type, obj): obj ({what}) is not an instance or subtype of type ({}).",
            this.name()
        )));
    }
    Ok(Opaque::value(
        class(Type::Super),
        attribute::SuperObject {
            this: Ref::clone(this),
            object,
        },
    ))
}
