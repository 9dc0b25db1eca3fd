//! `sys.get_coroutine_origin_tracking_depth` and `set_coroutine_origin_tracking_depth`.

use crate::interp::error::*;
use crate::interp::{origin, payload};
use crate::value::*;

pub const FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        name: "get_coroutine_origin_tracking_depth",
        signature: "()",
        doc: "How many of the calls that run a new coroutine remembers.",
        role: NativeRole::Function,
        body: NativeBody::Plain(|_| Ok(Value::Int(origin::depth() as i64))),
        module: None,
    },
    NativeDef {
        name: "set_coroutine_origin_tracking_depth",
        signature: "(depth)",
        doc: "Set how many of the calls that run a new coroutine remembers.",
        role: NativeRole::Function,
        body: NativeBody::Plain(set),
        module: None,
    },
];

fn set(args: &[Value]) -> Res {
    let too_large = || overflow_error("Python int too large to convert to C int");
    let depth = payload::index_or(&args[0], too_large)?;
    let depth = i32::try_from(depth).map_err(|_| too_large())?;
    let depth = usize::try_from(depth).map_err(|_| value_error("depth must be >= 0"))?;
    origin::set_depth(depth);
    Ok(Value::None)
}
