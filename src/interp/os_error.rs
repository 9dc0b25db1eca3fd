//! OSError and its subclasses, chosen by error number.

use super::types::{Type, class};
use crate::source::name;
use crate::value::*;

/// Which class stands for an error number (https://docs.python.org/3/library/exceptions.html#os-exceptions).
pub fn class_for(errno: i64) -> Type {
    match errno {
        1 | 13 => Type::PermissionError,
        2 => Type::FileNotFoundError,
        3 => Type::ProcessLookupError,
        4 => Type::InterruptedError,
        10 => Type::ChildProcessError,
        11 | 114 | 115 => Type::BlockingIOError,
        17 => Type::FileExistsError,
        20 => Type::NotADirectoryError,
        21 => Type::IsADirectoryError,
        32 | 108 => Type::BrokenPipeError,
        103 => Type::ConnectionAbortedError,
        104 => Type::ConnectionResetError,
        110 => Type::TimeoutError,
        111 => Type::ConnectionRefusedError,
        _ => Type::OSError,
    }
}

/// Takes the arguments of an OSError apart: `(errno, strerror[, filename[, winerror[, filename2]]])`.
pub fn set_parts(exception: &Exception, args: &[Value]) {
    if !(2..=5).contains(&args.len()) {
        return;
    }
    exception.parts.set(name::ERRNO, args[0].clone());
    exception.parts.set(name::STRERROR, args[1].clone());
    if let Some(file) = args.get(2).filter(|file| !file.is_none()) {
        exception.parts.set(name::FILENAME, file.clone());
        if let Some(other) = args.get(4).filter(|other| !other.is_none()) {
            exception.parts.set(name::FILENAME2, other.clone());
        }
        exception.args.set(Value::tuple(args[..2].to_vec()));
    }
}

/// The exception for an error number, its message and the file it is about.
pub fn exception(errno: i64, message: &str, file: Option<Value>) -> Ref<Exception> {
    let mut args = vec![Value::Int(errno), Value::from(message)];
    args.extend(file);
    let exception = Exception::new(class(class_for(errno)), args.clone());
    set_parts(&exception, &args);
    exception
}

/// The exception for an error of the operating system.
pub fn of_io(error: &std::io::Error, file: Option<Value>) -> Ref<Exception> {
    let text = error.to_string();
    match error.raw_os_error() {
        // Rust writes "No such file or directory (os error 2)".
        Some(errno) => {
            let message = text
                .rsplit_once(" (os error")
                .map_or(&*text, |(message, _)| message);
            exception(i64::from(errno), message, file)
        }
        None => super::error::exception(Type::OSError, text),
    }
}

/// The error for an argument that the system refuses.
#[cold]
pub fn invalid_argument() -> Raised {
    Raised::new(exception(22, "Invalid argument", None))
}
