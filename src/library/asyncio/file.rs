//! Open files that a loop watches, as scripts name them: `loop.add_reader` and its like.

use super::natives;
use crate::interp::error::{matches, value_error};
use crate::interp::types::Type;
use crate::interp::{call, payload, text};
use crate::library::modules::os::descriptor;
use crate::runtime::event_loop::expect;
use crate::runtime::handle::Handle;
use crate::runtime::watch::{self, Way};
use crate::source::Symbol;
use crate::value::context;
use crate::value::*;

pub const FILES: &[NativeDef] = natives! {
    Method Plain "add_reader" "(self, fd, callback, *args)" "Call it whenever there is something to read."
        |args| add(args, Way::Read);
    Method Plain "remove_reader" "(self, fd)" "Forget it; tells whether there was one."
        |args| remove(args, Way::Read);
    Method Plain "add_writer" "(self, fd, callback, *args)" "Call it whenever there is room to write."
        |args| add(args, Way::Write);
    Method Plain "remove_writer" "(self, fd)" "Forget it; tells whether there was one."
        |args| remove(args, Way::Write);
};

fn add(args: &[Value], way: Way) -> Res {
    let number = number(&args[1])?;
    expect(&args[0])?.check_closed()?;
    let file = descriptor::watchable(&Value::Int(number))?;
    let handle = Handle::value(&args[0], &args[2], &args[3], context::snapshot(), Value::Unset);
    watch::add(&args[0], number, way, &file, handle)?;
    Ok(Value::None)
}

fn remove(args: &[Value], way: Way) -> Res {
    let number = number(&args[1])?;
    expect(&args[0])?;
    Ok(watch::remove(&args[0], number, way)?.into())
}

/// The number of an open file, or of an object with a `fileno()`.
fn number(file: &Value) -> Res<i64> {
    let number = match payload::as_small(file) {
        Some(number) => number,
        None => match call::call_method(file, Symbol::new("fileno"), &[]).and_then(|n| payload::small(&n)) {
            Ok(number) => number,
            Err(raised) => {
                let is_expected = [Type::AttributeError, Type::TypeError, Type::ValueError];
                if !is_expected.iter().any(|&kind| matches(&raised, kind)) {
                    return Err(raised);
                }
                let shown = text::repr(file)?;
                return Err(value_error(format!("Invalid file object: {shown}")));
            }
        },
    };
    if number < 0 {
        return Err(value_error(format!("Invalid file descriptor: {number}")));
    }
    Ok(number)
}
