//! `sys._getframe`: what scripts want to know of whoever called them.
//!
//! The caller itself is known; of the frames below it, only that the program began with the main
//! module, whose names they are taken to see.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class};
use crate::interp::{import, namespace};
use crate::library::builtins::functions;
use crate::source::{Symbol, name};
use crate::value::descriptor::TracebackFrame;
use crate::value::function::Frame;
use crate::value::*;
use std::rc::Rc;

pub const FUNCTIONS: &[NativeDef] = &[NativeDef {
    name: "_getframe",
    signature: "(depth=0, /)",
    doc: "Return the frame of the caller, or one below it.",
    role: NativeRole::Function,
    body: NativeBody::Frame(get_frame),
}];

fn get_frame(frame: &mut Frame, args: &[Value]) -> Res {
    let depth = if args[0].is_unset() { 0 } else { small(&args[0])? };
    if depth > i64::from(crate::interp::stack::depth()) {
        return Err(value_error("call stack is not deep enough"));
    }
    let main = import::loaded_module(name::MAIN);
    let module = match (&main, depth > 0) {
        (Some(Value::Module(main)), true) => Ref::clone(main),
        _ => frame.func.module.clone(),
    };
    let code = frame.func.code.clone();
    let entry = TraceEntry {
        span: code.span,
        code,
        next: None,
    };
    let made = Opaque::new(class(Type::FrameType), TracebackFrame(Rc::new(entry)));
    let globals = namespace::of_module(&module);
    made.attrs.set(
        Symbol::new("f_locals"),
        if depth > 0 {
            globals.clone()
        } else {
            functions::locals(frame)
        },
    );
    made.attrs.set(Symbol::new("f_globals"), globals);
    Ok(Ref::new(made).into())
}
