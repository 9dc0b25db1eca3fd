//! `sys.stdin`, `sys.stdout`, `sys.stderr`: text streams over the console.

use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::{Type, class_name, named_class};
use crate::interp::{attribute, call, import, iterate, operator, os_error};
use crate::library::builtins::{self, getter, method};
use crate::runtime::{console, input};
use crate::source::{Symbol, name};
use crate::value::*;
use std::io::IsTerminal;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    In,
    Out,
    Error,
}

/// The bytes below a stream: `sys.stdout.buffer`.
struct Buffer(Stream);

/// stdin, stdout and stderr.
pub fn standard() -> [Value; 3] {
    let class = named_class("_io.TextIOWrapper");
    builtins::add(&class, METHODS);
    builtins::add(&class, COMMON);
    for name in ["_io.BufferedWriter", "_io.BufferedReader"] {
        builtins::add(&named_class(name), BUFFER);
        builtins::add(&named_class(name), COMMON);
    }
    [Stream::In, Stream::Out, Stream::Error].map(|stream| Opaque::value(class.clone(), stream))
}

/// Whether the value is the stream of this name that the program began with.
pub fn is_standard(value: &Value, name: Symbol) -> bool {
    matches!(
        (value.opaque(), name),
        (Some(Stream::In), name::STDIN)
            | (Some(Stream::Out), name::STDOUT)
            | (Some(Stream::Error), name::STDERR)
    )
}

fn stream(value: &Value) -> Res<Stream> {
    match (value.opaque::<Stream>(), value.opaque::<Buffer>()) {
        (Some(stream), _) => Ok(*stream),
        (None, Some(buffer)) => Ok(buffer.0),
        (None, None) => Err(wrong_self("write", "_io.TextIOWrapper", value)),
    }
}

/// `io.UnsupportedOperation`, which is both an OSError and a ValueError.
#[cold]
fn unsupported(what: &str) -> Raised {
    let made = import::by_name("io")
        .and_then(|io| attribute::get(&io, Symbol::new("UnsupportedOperation")))
        .and_then(|class| call::call(&class, &[Value::from(what)]));
    match &made {
        Ok(Value::Exception(exception)) => Raised::new(Ref::clone(exception)),
        Ok(_) => raise(Type::OSError, what),
        Err(_) => made.err().unwrap_or_else(|| raise(Type::OSError, what)),
    }
}

fn readable(value: &Value) -> Res<()> {
    if stream(value)? == Stream::In {
        Ok(())
    } else {
        Err(unsupported("not readable"))
    }
}

fn put(stream: Stream, text: &str) -> Res<()> {
    match stream {
        Stream::In => return Err(unsupported("not writable")),
        Stream::Out => console::write(text),
        Stream::Error => console::write_error(text),
    }
    Ok(())
}

fn write(args: &[Value]) -> Res {
    let to = stream(&args[0])?;
    let Some(text) = as_str(&args[1]) else {
        return Err(type_error(format!(
            "write() argument must be str, not {}",
            class_name(&args[1])
        )));
    };
    put(to, &text.text)?;
    Ok(Value::from(text.chars))
}

fn failed(error: std::io::Error) -> Raised {
    Raised::new(os_error::of_io(&error, None))
}

/// What a script gets of a read.
fn came(read: input::Read<Vec<u8>>) -> Res<Vec<u8>> {
    read?.map_err(failed)
}

/// A size argument; none for all there is.
fn size(value: &Value) -> Res<Option<usize>> {
    let size = value.given().map(small).transpose()?;
    Ok(size.and_then(|n| usize::try_from(n).ok()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

fn text_line(most: Option<usize>) -> Res<String> {
    came(input::read_line(most)).map(|line| text(&line))
}

/// All that is left, or at most so many characters.
fn read(args: &[Value]) -> Res {
    readable(&args[0])?;
    let bytes = match size(&args[1])? {
        Some(most) => input::read_text(most),
        None => input::read(None),
    };
    Ok(Value::from(text(&came(bytes)?)))
}

fn lines(args: &[Value]) -> Res {
    readable(&args[0])?;
    let mut all = Vec::new();
    loop {
        let line = text_line(None)?;
        if line.is_empty() {
            return Ok(Value::list(all));
        }
        all.push(Value::from(line));
    }
}

const METHODS: &[NativeDef] = &[
    method(
        "write",
        "(self, text, /)",
        "Write text and return its length.",
        write,
    ),
    method(
        "writelines",
        "(self, lines, /)",
        "Write each of the texts.",
        |args| {
            iterate::for_each(&args[1], |line| write(&[args[0].clone(), line]).map(drop))?;
            Ok(Value::None)
        },
    ),
    method(
        "read",
        "(self, size=-1, /)",
        "Read all that is left, or size characters.",
        read,
    ),
    method("readline", "(self, size=-1, /)", "Read one line.", |args| {
        readable(&args[0])?;
        text_line(size(&args[1])?).map(Value::from)
    }),
    method("readlines", "(self, hint=-1, /)", "Read all lines.", lines),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        readable(&args[0])?;
        let line = text_line(None)?;
        if line.is_empty() {
            Err(stop_iteration(Value::None))
        } else {
            Ok(Value::from(line))
        }
    }),
    method(
        "reconfigure",
        "(self, **options)",
        "Take options that have no effect.",
        |_| Ok(Value::None),
    ),
    method("__repr__", "(self, /)", "Return repr(self).", |args| {
        let (name, mode) = match stream(&args[0])? {
            Stream::In => ("<stdin>", "r"),
            Stream::Out => ("<stdout>", "w"),
            Stream::Error => ("<stderr>", "w"),
        };
        Ok(Value::from(format!(
            "<_io.TextIOWrapper name='{name}' mode='{mode}' encoding='utf-8'>"
        )))
    }),
    getter("buffer", "The stream of bytes below.", |args| {
        let stream = stream(&args[0])?;
        let class = if stream == Stream::In {
            "_io.BufferedReader"
        } else {
            "_io.BufferedWriter"
        };
        Ok(Opaque::value(named_class(class), Buffer(stream)))
    }),
    getter("encoding", "How text becomes bytes.", |_| {
        Ok(Value::from("utf-8"))
    }),
    getter("errors", "What happens to text that cannot be encoded.", |args| {
        Ok(Value::from(if stream(&args[0])? == Stream::Error {
            "backslashreplace"
        } else {
            "strict"
        }))
    }),
    getter("newlines", "Which newlines were read.", |_| Ok(Value::None)),
    getter(
        "line_buffering",
        "Whether each line is written at once.",
        |args| {
            Ok(Value::bool(
                stream(&args[0])? == Stream::Error || std::io::stdout().is_terminal(),
            ))
        },
    ),
    getter("write_through", "Whether nothing is kept back.", |_| {
        Ok(Value::FALSE)
    }),
];

const COMMON: &[NativeDef] = &[
    method(
        "flush",
        "(self, /)",
        "Let the reader see what was written.",
        |args| {
            if stream(&args[0])? != Stream::In {
                console::flush();
            }
            Ok(Value::None)
        },
    ),
    method(
        "isatty",
        "(self, /)",
        "Tell whether a person sits at the other end.",
        |args| {
            Ok(Value::bool(match stream(&args[0])? {
                Stream::In => std::io::stdin().is_terminal(),
                Stream::Out => std::io::stdout().is_terminal(),
                Stream::Error => std::io::stderr().is_terminal(),
            }))
        },
    ),
    method(
        "fileno",
        "(self, /)",
        "The number of the file descriptor.",
        |args| {
            Ok(Value::Int(match stream(&args[0])? {
                Stream::In => 0,
                Stream::Out => 1,
                Stream::Error => 2,
            }))
        },
    ),
    method("readable", "(self, /)", "Tell whether it can be read.", |args| {
        Ok(Value::bool(stream(&args[0])? == Stream::In))
    }),
    method(
        "writable",
        "(self, /)",
        "Tell whether it can be written to.",
        |args| Ok(Value::bool(stream(&args[0])? != Stream::In)),
    ),
    method(
        "seekable",
        "(self, /)",
        "Tell whether it has places to go to.",
        |_| Ok(Value::FALSE),
    ),
    method(
        "close",
        "(self, /)",
        "Flush; the standard streams stay open.",
        |_| {
            console::flush();
            Ok(Value::None)
        },
    ),
    method("__iter__", "(self, /)", "Implement iter(self).", |args| {
        Ok(args[0].clone())
    }),
    method(
        "__enter__",
        "(self, /)",
        "The stream.",
        |args| Ok(args[0].clone()),
    ),
    method("__exit__", "(self, /, *exc)", "Flush.", |_| {
        console::flush();
        Ok(Value::None)
    }),
    getter("closed", "Whether it was closed.", |_| Ok(Value::FALSE)),
    getter("name", "What it is called.", |args| {
        Ok(Value::from(match stream(&args[0])? {
            Stream::In => "<stdin>",
            Stream::Out => "<stdout>",
            Stream::Error => "<stderr>",
        }))
    }),
    getter("mode", "Whether it is for reading or writing.", |args| {
        Ok(Value::from(if stream(&args[0])? == Stream::In {
            "r"
        } else {
            "w"
        }))
    }),
];

const BUFFER: &[NativeDef] = &[
    method(
        "write",
        "(self, bytes, /)",
        "Write bytes and return how many.",
        |args| {
            let to = stream(&args[0])?;
            let Some(bytes) = bytes_of(&args[1]) else {
                return Err(type_error(format!(
                    "a bytes-like object is required, not '{}'",
                    class_name(&args[1])
                )));
            };
            match to {
                Stream::Out => console::write_bytes(&bytes),
                other => put(other, &String::from_utf8_lossy(&bytes))?,
            }
            Ok(Value::from(bytes.len()))
        },
    ),
    method(
        "read",
        "(self, size=-1, /)",
        "Read all that is left, or size bytes.",
        |args| {
            readable(&args[0])?;
            let bytes = came(input::read(size(&args[1])?))?;
            Ok(Ref::new(Bytes(bytes.into())).into())
        },
    ),
    method("readline", "(self, size=-1, /)", "Read one line.", |args| {
        readable(&args[0])?;
        Ok(Ref::new(Bytes(came(input::read_line(size(&args[1])?))?.into())).into())
    }),
    method("__next__", "(self, /)", "Implement next(self).", |args| {
        readable(&args[0])?;
        let line = Value::from(Ref::new(Bytes(came(input::read_line(None))?.into())));
        if operator::truth(&line)? {
            Ok(line)
        } else {
            Err(stop_iteration(Value::None))
        }
    }),
];
