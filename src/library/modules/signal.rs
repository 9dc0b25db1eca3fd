//! The module `_signal`: what signals do, and the timer that sends one. The names with their numbers
//! stand in the aio part.

use crate::interp::error::{raise_empty, type_error, value_error};
use crate::interp::types::Type;
use crate::interp::{call, os_error, payload};
use crate::library::asyncio::natives;
use crate::library::modules::time::seconds_given;
use crate::runtime::handle::Handle;
use crate::runtime::signal::{self, Action, SIGINT};
use crate::runtime::{alarm, thread};
use crate::source::Symbol;
use crate::value::*;
use std::cell::RefCell;

/// The numbers of `SIG_DFL` and `SIG_IGN`.
const DEFAULT: i64 = 0;
const IGNORE: i64 = 1;

thread_local! {
    /// `default_int_handler`, the same object each time.
    static INTERRUPT: RefCell<Option<Value>> = const { RefCell::new(None) };
}

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("_signal", &[FUNCTIONS]);
    names.push((Symbol::new("SIG_DFL"), Value::Int(DEFAULT)));
    names.push((Symbol::new("SIG_IGN"), Value::Int(IGNORE)));
    names.push((Symbol::new("default_int_handler"), interrupt_handler()));
    names
}

/// What Ctrl-C does in a program that says nothing else.
fn interrupt_handler() -> Value {
    INTERRUPT.with_borrow_mut(|made| {
        let make = || {
            Native::closure("default_int_handler", "(signalnum, frame, /)", |_| {
                Err(raise_empty(Type::KeyboardInterrupt))
            })
        };
        made.get_or_insert_with(make).clone()
    })
}

fn number(value: &Value) -> Res<i32> {
    let number = payload::small(value)?;
    i32::try_from(number)
        .ok()
        .filter(|n| (1..65).contains(n))
        .ok_or_else(|| value_error("signal number out of range"))
}

fn action_of(number: i32, handler: &Value) -> Res<Action> {
    if handler.is(&interrupt_handler()) {
        return Ok(Action::Default);
    }
    match payload::as_small(handler) {
        Some(IGNORE) => return Ok(Action::Ignore),
        // The system's own way, which for Ctrl-C is not Python's.
        Some(DEFAULT) => {
            return Ok(if number == SIGINT {
                Action::End
            } else {
                Action::Default
            });
        }
        _ => {}
    }
    if !call::is_callable(handler) {
        let message = "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object";
        return Err(type_error(message));
    }
    Ok(Action::Call(handler.clone()))
}

fn handler_of(number: i32, action: Option<Action>) -> Value {
    match action {
        Some(Action::Call(handler)) => handler,
        Some(Action::Ignore) => Value::Int(IGNORE),
        Some(Action::End) => Value::Int(DEFAULT),
        Some(Action::Loop { handle, .. }) => {
            let called = handle.opaque::<Handle>().and_then(Handle::call);
            called.map_or(Value::None, |(callback, _)| callback)
        }
        Some(Action::Default) | None if number == SIGINT => interrupt_handler(),
        Some(Action::Default) | None => Value::Int(DEFAULT),
    }
}

/// Only the timer of real time is there.
fn real_timer(which: &Value) -> Res<()> {
    match payload::small(which)? {
        0 => Ok(()),
        _ => Err(os_error::invalid_argument()),
    }
}

fn timer((left, interval): (f64, f64)) -> Value {
    Value::tuple([Value::float(left), Value::float(interval)])
}

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "signal" "(signalnum, handler, /)" "Set what a signal does; gives what it did." |args| {
        let number = number(&args[0])?;
        if !thread::current().is_main() {
            return Err(value_error("signal only works in main thread of the main interpreter"));
        }
        let action = action_of(number, &args[1])?;
        let before = handler_of(number, signal::action(number));
        match signal::set_action(number, action) {
            Ok(_) => Ok(before),
            Err(_) => Err(os_error::invalid_argument()),
        }
    };
    Function Plain "alarm" "(seconds, /)" "Have SIGALRM come; gives the seconds that the last had left." |args| {
        let seconds = payload::small(&args[0])?.max(0);
        let (left, _) = alarm::set(seconds as f64, 0.0);
        Ok(Value::Int(left.ceil() as i64))
    };
    Function Plain "setitimer" "(which, seconds, interval=0.0, /)"
        "Have SIGALRM come, and again after each interval; gives what was set before." |args| {
        real_timer(&args[0])?;
        let interval = args[2].given().map_or(Ok(0.0), seconds_given)?;
        let seconds = seconds_given(&args[1])?;
        if seconds < 0.0 || interval < 0.0 {
            return Err(os_error::invalid_argument());
        }
        Ok(timer(alarm::set(seconds, interval)))
    };
    Function Plain "getitimer" "(which, /)" "The seconds that are left, and the interval." |args| {
        real_timer(&args[0])?;
        Ok(timer(alarm::left()))
    };
    Function Plain "getsignal" "(signalnum, /)" "What a signal does." |args| {
        let number = number(&args[0])?;
        Ok(handler_of(number, signal::action(number)))
    };
    Function Plain "raise_signal" "(signalnum, /)" "Send this process a signal." |args| {
        let number = i32::try_from(payload::small(&args[0])?).map_err(|_| os_error::invalid_argument())?;
        signal::send_self(number)?;
        Ok(Value::None)
    };
};
