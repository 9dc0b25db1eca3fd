//! `sys._getframe`: who called.

use crate::interp::error::*;
use crate::interp::frame_object;
use crate::interp::payload::*;
use crate::value::*;

pub const FUNCTIONS: &[NativeDef] = &[NativeDef {
    name: "_getframe",
    signature: "(depth=0, /)",
    doc: "Return the frame of the caller, or one below it.",
    role: NativeRole::Function,
    body: NativeBody::Plain(get_frame),
    module: None,
}];

fn get_frame(args: &[Value]) -> Res {
    let depth = if args[0].is_unset() {
        0
    } else {
        small(&args[0])?.max(0)
    };
    frame_object::running(depth as usize).ok_or_else(|| value_error("call stack is not deep enough"))
}
