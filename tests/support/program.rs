//! Random programs: valid, finite, and the same in every run.
//!
//! Always true: functions call only those before them, loops are bounded, calls draw on a budget,
//! and what is kept is cut when it grows, so that every program comes to its end. Nothing is
//! written whose order CPython leaves to chance, so a program can be compared with it.

use std::fmt::Write;

/// Where the choices come from: bytes; when they are used up, the first choice is always taken,
/// so fewer bytes make a simpler program.
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Choices<'a> {
        Choices { bytes }
    }

    /// A number below `n`.
    fn below(&mut self, n: usize) -> usize {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                usize::from(*first) % n
            }
            None => 0,
        }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// What every program begins with.
const OPENING: &str = r#"budget = [200]
lock = asyncio.Lock()
queue = asyncio.Queue()

def spend():
    budget[0] -= 1
    if budget[0] < 0:
        raise RuntimeError("the budget is spent")

def cap(x):
    return x if len(repr(x)) < 60 else 0

def now():
    return asyncio.get_running_loop().time()

class Box:
    def __init__(self, held):
        self.held = held
    def __repr__(self):
        return f"Box({self.held!r})"
    def __eq__(self, other):
        return isinstance(other, Box) and self.held == other.held
    def __hash__(self):
        return 1
    def __add__(self, other):
        return Box(cap(self.held + other))
    def __enter__(self):
        print("enter", self)
        return self.held
    def __exit__(self, kind, error, traceback):
        print("exit", self, kind and kind.__name__)
        return self.held == 1
    async def __aenter__(self):
        await sleep(0.25)
        return self.__enter__()
    async def __aexit__(self, kind, error, traceback):
        await sleep(0.25)
        return self.__exit__(kind, error, traceback)
"#;

/// What every program ends with: each function runs, and what is left over is told.
const ENDING: &str = r#"
async def main():
    for work in WORKS:
        try:
            print(await asyncio.wait_for(work(1, "s"), 50))
        except Exception as e:
            print("main caught", type(e).__name__, e)
    print("end", now(), queue.qsize(), lock.locked(), len(asyncio.all_tasks()))

asyncio.run(main())
"#;

/// The kinds of function.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Generator,
    Coroutine,
    AsyncGenerator,
}

/// A program made of choices.
pub fn program(choices: &mut Choices) -> String {
    let mut writer = Writer {
        choices,
        out: OPENING.to_owned(),
        indent: 0,
        kinds: Vec::new(),
        kind: Kind::Plain,
        temps: 0,
    };
    let count = 2 + writer.choices.below(4);
    let mut works = Vec::new();
    for n in 0..count {
        // The last one runs in any case.
        let kinds = [
            Kind::Coroutine,
            Kind::Plain,
            Kind::Generator,
            Kind::AsyncGenerator,
        ];
        let kind = if n + 1 == count {
            Kind::Coroutine
        } else {
            writer.choices.pick(&kinds)
        };
        writer.function(n, kind);
        if kind == Kind::Coroutine {
            works.push(format!("f{n}"));
        }
    }
    let mut out = writer.out;
    let _ = write!(out, "\nWORKS = [{}]\n", works.join(", "));
    out.push_str(ENDING);
    out
}

struct Writer<'a, 'b> {
    choices: &'a mut Choices<'b>,
    out: String,
    indent: usize,
    /// The kinds of the functions so far; `f0` is the first.
    kinds: Vec<Kind>,
    /// The kind of the one that is being written.
    kind: Kind,
    temps: usize,
}

/// Every function has these; the first two are its parameters.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

impl Writer<'_, '_> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{}{text}", "    ".repeat(self.indent));
    }

    fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 1;
        write(self);
        self.indent -= 1;
    }

    fn function(&mut self, n: usize, kind: Kind) {
        self.kind = kind;
        let word = if matches!(kind, Kind::Coroutine | Kind::AsyncGenerator) {
            "async def"
        } else {
            "def"
        };
        self.line("");
        let signature = self
            .choices
            .pick(&["(a, b=2)", "(a, /, b='t')", "(a, *b)", "(a, b=None, **rest)"]);
        self.line(&format!("{word} f{n}{signature}:"));
        self.indented(|w| {
            w.line("spend()");
            w.line("c, d, i, j = 3, [a], 1, 10");
            if matches!(kind, Kind::Generator | Kind::AsyncGenerator) {
                w.line("yield a");
            }
            w.block(0, false);
            w.block(0, false);
            match kind {
                Kind::AsyncGenerator => w.line("yield d"),
                _ => {
                    let value = w.expression(2);
                    w.line(&format!("return cap({value})"));
                }
            }
        });
        self.kinds.push(kind);
    }

    fn is_async(&self) -> bool {
        matches!(self.kind, Kind::Coroutine | Kind::AsyncGenerator)
    }

    fn block(&mut self, depth: usize, in_loop: bool) {
        for _ in 0..1 + self.choices.below(3) {
            // Errors end most of what is random too soon: some are kept where they come up.
            if depth < 2 && self.choices.below(2) == 1 {
                self.line("try:");
                self.indented(|w| w.statement(depth, in_loop));
                self.line("except Exception as e:");
                self.indented(|w| w.line("print(type(e).__name__, e)"));
            } else {
                self.statement(depth, in_loop);
            }
        }
    }

    fn inner(&mut self, depth: usize, in_loop: bool) {
        self.indented(|w| w.block(depth + 1, in_loop));
    }

    fn temp(&mut self, word: &str) -> String {
        self.temps += 1;
        format!("{word}{}", self.temps)
    }

    /// An earlier function of this kind.
    fn earlier(&mut self, kind: Kind) -> Option<String> {
        let those: Vec<usize> = (0..self.kinds.len()).filter(|&n| self.kinds[n] == kind).collect();
        (!those.is_empty()).then(|| format!("f{}", self.choices.pick(&those)))
    }

    fn call(&mut self, kind: Kind) -> Option<String> {
        let callee = self.earlier(kind)?;
        let (x, y) = (self.expression(1), self.expression(1));
        Some(match self.choices.below(4) {
            0 => format!("{callee}({x})"),
            1 => format!("{callee}({x}, {y})"),
            2 => format!("{callee}(*[{x}, {y}])"),
            _ => format!("{callee}({x}, b={y})"),
        })
    }

    /// A number of seconds, exact in binary.
    fn seconds(&mut self) -> &'static str {
        self.choices.pick(&["0", "0.25", "0.5", "1", "2", "3"])
    }

    fn statement(&mut self, depth: usize, in_loop: bool) {
        let simple = depth >= 3 || self.choices.is_over();
        let last = match (simple, self.is_async()) {
            (true, _) => 6,
            (false, false) => 13,
            (false, true) => 21,
        };
        match self.choices.below(last) {
            0 => {
                let value = self.expression(2);
                self.line(&format!("print({value})"));
            }
            1 if self.choices.below(2) == 1 => {
                let (name, value) = (self.choices.pick(&["i", "j"]), self.number(3));
                self.line(&format!("{name} = cap({value})"));
            }
            1 => {
                let (name, value) = (self.choices.pick(&NAMES), self.expression(3));
                self.line(&format!("{name} = cap({value})"));
            }
            2 if self.choices.below(2) == 1 => {
                let (name, value) = (self.choices.pick(&["i", "j"]), self.number(1));
                let op = self.choices.pick(&["+=", "-=", "|=", "^="]);
                self.line(&format!("{name} {op} {value}"));
            }
            2 => {
                let name = self.choices.pick(&NAMES);
                let change = self.choices.pick(&[
                    "+= 1", "+= 's'", "+= [1]", "-= 2", "*= 1", "//= 2", "%= 3", "|= 4",
                ]);
                self.line(&format!("{name} {change}"));
            }
            3 if in_loop => {
                let (test, word) = (self.expression(1), self.choices.pick(&["break", "continue"]));
                self.line(&format!("if {test}: {word}"));
            }
            3 => {
                let (x, y) = (self.expression(1), self.expression(1));
                self.line(&format!(
                    "{}, *{} = cap({x}), *[{y}]",
                    self.names().0,
                    self.names().1
                ));
            }
            4 => {
                let (test, error) = (self.number(1), self.error());
                self.line(&format!("if {test} == j: raise {error}"));
            }
            5 if matches!(self.kind, Kind::Generator | Kind::AsyncGenerator) => {
                let value = self.expression(2);
                let name = self.choices.pick(&NAMES);
                self.line(&format!("{name} = yield cap({value})"));
            }
            5 => {
                let (test, value) = (self.number(1), self.expression(1));
                self.line(
                    &format!("if (w := {test}) > 5 or w == i: return cap({value})").replace(
                        "return cap",
                        if self.kind == Kind::Plain || self.kind == Kind::Coroutine {
                            "return cap"
                        } else {
                            "print"
                        },
                    ),
                );
            }
            6 => {
                let test = self.expression(2);
                self.line(&format!("if {test}:"));
                self.inner(depth, in_loop);
                if self.choices.below(2) == 1 {
                    self.line("else:");
                    self.inner(depth, in_loop);
                }
            }
            7 => {
                let name = self.choices.pick(&NAMES);
                let name = if self.choices.below(2) == 1 { "i" } else { name };
                let count = self.choices.below(4);
                self.line(&format!("for {name} in range({count}):"));
                self.loop_body(depth);
            }
            8 => {
                let counter = self.temp("n");
                self.line(&format!("{counter} = {}", self.indent % 3 + 1));
                self.line(&format!("while {counter}:"));
                self.indented(|w| {
                    w.line(&format!("{counter} -= 1"));
                    w.block(depth + 1, true);
                });
                self.loop_else(depth);
            }
            9 => self.guard(depth, in_loop),
            10 => {
                let (value, name) = (self.expression(1), self.choices.pick(&NAMES));
                self.line(&format!("with Box(cap({value})) as {name}:"));
                self.inner(depth, in_loop);
            }
            11 => {
                if let Some(call) = self.call(Kind::Generator) {
                    let name = self.choices.pick(&NAMES);
                    self.line(&format!("for {name} in {call}:"));
                    self.loop_body(depth);
                } else {
                    self.line("print(sorted({3: 1, 2: 2}), {**{'k': c}}, b'x' * 2)");
                }
            }
            12 => self.inner_function(depth),
            13 | 14 => {
                let (name, seconds, value) = (self.choices.pick(&NAMES), self.seconds(), self.expression(1));
                self.line(&format!("{name} = await sleep({seconds}, cap({value}))"));
            }
            15 => {
                if let Some(call) = self.call(Kind::Coroutine) {
                    let (name, value) = (self.choices.pick(&NAMES), self.expression(1));
                    self.line(&format!("{name} = cap([{value}, await {call}, c])"));
                } else {
                    self.line("print('at', now())");
                }
            }
            16 => {
                let calls: Vec<String> = (0..3).filter_map(|_| self.call(Kind::Coroutine)).collect();
                let name = self.choices.pick(&NAMES);
                self.line(&format!(
                    "{name} = cap(await gather({}))",
                    calls
                        .into_iter()
                        .chain(["sleep(1, 'slept')".into(), "return_exceptions=True".into()])
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
            }
            17 => self.background(depth),
            18 => {
                let (seconds, word) = (self.seconds(), self.choices.pick(&["timeout", "wait"]));
                self.line("try:");
                self.indented(|w| match w.call(Kind::Coroutine) {
                    Some(call) if word == "wait" => {
                        w.line(&format!("c = await asyncio.wait_for({call}, {seconds})"))
                    }
                    _ => {
                        w.line(&format!("async with asyncio.timeout({seconds}):"));
                        w.inner(depth + 1, false);
                    }
                });
                self.line("except TimeoutError:");
                self.indented(|w| w.line("print('too late', now())"));
            }
            19 => {
                let value = self.expression(1);
                match self.choices.below(3) {
                    0 => self.line("async with lock:"),
                    1 => self.line(&format!("async with Box(cap({value})) as d:")),
                    _ => self.line(&format!("async with lock, Box(cap({value})):")),
                }
                // A lock that is held is not taken again: only simple statements inside.
                self.indented(|w| w.block(3, in_loop));
            }
            _ => {
                if let Some(call) = self.call(Kind::AsyncGenerator) {
                    let name = self.choices.pick(&NAMES);
                    self.line(&format!("async for {name} in {call}:"));
                    self.loop_body(depth);
                } else {
                    self.line("queue.put_nowait(c); print(await queue.get())");
                }
            }
        }
    }

    fn names(&self) -> (&'static str, &'static str) {
        if self.indent.is_multiple_of(2) {
            ("c", "d")
        } else {
            ("d", "c")
        }
    }

    fn loop_body(&mut self, depth: usize) {
        self.inner(depth, true);
        self.loop_else(depth);
    }

    fn loop_else(&mut self, depth: usize) {
        if self.choices.below(3) == 2 {
            self.line("else:");
            self.inner(depth, false);
        }
    }

    fn guard(&mut self, depth: usize, in_loop: bool) {
        self.line("try:");
        self.inner(depth, in_loop);
        let shape = self.choices.below(4);
        if shape != 1 {
            let class = self.choices.pick(&[
                "Exception",
                "(ValueError, TypeError)",
                "ZeroDivisionError",
                "KeyError",
            ]);
            self.line(&format!("except {class} as e:"));
            self.indented(|w| {
                w.line("print(type(e).__name__, e, type(e.__context__).__name__)");
                match w.choices.below(4) {
                    1 => w.line("raise"),
                    2 => w.line("raise LookupError('again') from e"),
                    _ => {}
                }
            });
        }
        if shape == 2 {
            self.line("else:");
            self.inner(depth, in_loop);
        }
        if shape == 1 || shape == 3 {
            self.line("finally:");
            self.indented(|w| {
                w.line("print('finally', c)");
                w.block(3, false);
            });
        }
    }

    /// A task in the background, waited for whatever happens.
    fn background(&mut self, depth: usize) {
        let Some(call) = self.call(Kind::Coroutine) else {
            return self.line("pass");
        };
        let task = self.temp("task");
        self.line(&format!("{task} = spawn({call}, name='{task}')"));
        self.line("try:");
        self.inner(depth, false);
        self.line("finally:");
        let is_cancelled = self.choices.below(2) == 1;
        self.indented(|w| {
            if is_cancelled {
                w.line(&format!("print({task}.cancel('enough'))"));
            }
            w.line(&format!(
                "print(cap(await gather({task}, return_exceptions=True)), {task}.cancelled())"
            ));
        });
    }

    fn inner_function(&mut self, depth: usize) {
        let (name, value) = (self.temp("inner"), self.expression(2));
        match self.choices.below(3) {
            0 => self.line(&format!("{name} = lambda x, y=c: cap([x, y, {value}])")),
            1 => {
                self.line(&format!("def {name}(x):"));
                self.indented(|w| {
                    w.line("nonlocal c");
                    w.line("c = cap([x, c])");
                    w.line("return c");
                });
            }
            _ => {
                self.line(&format!("def {name}(x):"));
                self.indented(|w| w.line(&format!("return cap([x for x in (x, c) if x != {value}])")));
            }
        }
        let _ = depth;
        self.line(&format!("print({name}(d), {name}(1))"));
    }

    fn error(&mut self) -> &'static str {
        self.choices.pick(&[
            "ValueError('no')",
            "TypeError",
            "KeyError('k')",
            "LookupError(c)",
            "ZeroDivisionError()",
        ])
    }

    /// Mostly numbers, which seldom fail; now and then anything, which often does.
    fn expression(&mut self, depth: usize) -> String {
        if self.choices.below(6) > 0 {
            self.number(depth)
        } else {
            self.anything(depth)
        }
    }

    /// An int, whatever the names hold but `i` and `j`, which always hold ints.
    fn number(&mut self, depth: usize) -> String {
        if depth == 0 || self.choices.is_over() {
            return self
                .choices
                .pick(&["i", "j", "1", "0", "7", "-3", "True", "10**20", "len(d)"])
                .replace("len(d)", "len([*'abc'])");
        }
        let (x, y) = (self.number(depth - 1), self.number(depth - 1));
        match self.choices.below(10) {
            0 => x,
            1 | 2 => format!("({x} {} {y})", self.choices.pick(&["+", "-", "&", "|", "^"])),
            3 => format!("({x} {} ({y} or 5))", self.choices.pick(&["//", "%"])),
            4 => format!("({x} * {})", self.choices.pick(&["2", "0", "-1"])),
            5 => format!(
                "({x} {} {y})",
                self.choices.pick(&["==", "!=", "<", ">=", "<= 5 <="])
            ),
            6 => format!("({x} {} {y})", self.choices.pick(&["and", "or"])),
            7 => format!("({x} if {y} else {})", self.number(depth - 1)),
            8 => format!("sum(n * 2 for n in ({x}, {y}) if n)"),
            _ => format!("len([{x}, *range({y} % 3)])"),
        }
    }

    fn anything(&mut self, depth: usize) -> String {
        if depth == 0 || self.choices.is_over() {
            return match self.choices.below(3) {
                0 => self.choices.pick(&NAMES).to_owned(),
                _ => self
                    .choices
                    .pick(&[
                        "1", "0", "7", "-3", "2.5", "True", "None", "'s'", "'äé'", "[]", "(1, 2)", "{1: 2}",
                        "10**20", "''",
                    ])
                    .to_owned(),
            };
        }
        let depth = depth - 1;
        let x = self.expression(depth);
        match self.choices.below(14) {
            0 => x,
            1 => {
                let op = self.choices.pick(&["+", "-", "//", "%", "&", "|", "^", "/"]);
                format!("({x} {op} {})", self.expression(depth))
            }
            2 => format!("({x} * {})", self.choices.pick(&["2", "0", "-1"])),
            3 => {
                let op = self
                    .choices
                    .pick(&["==", "!=", "<", ">=", "is", "is not", "in", "not in"]);
                // `is` only where identity is not the interpreter's own affair.
                let y = if op.starts_with("is") {
                    "None".to_owned()
                } else {
                    self.expression(depth)
                };
                format!("({x} {op} {y})")
            }
            4 => format!(
                "({x} {} {})",
                self.choices.pick(&["and", "or"]),
                self.expression(depth)
            ),
            5 => format!("(not {x})"),
            6 => format!(
                "({x} if {} else {})",
                self.expression(depth),
                self.expression(depth)
            ),
            7 => format!("[{x}, {}]", self.expression(depth)),
            8 => format!("f'<{{{}!r:>4}}>'", self.choices.pick(&NAMES)),
            9 => format!("[i for i in ({x}, {}) if i]", self.expression(depth)),
            10 => format!(
                "{}({x})",
                self.choices.pick(&[
                    "str", "repr", "bool", "len", "list", "Box", "type(c)", "abs", "int"
                ])
            ),
            11 => format!("[{x}, 's'][{}]", self.choices.pick(&["0", "-1", "1:", "::-1"])),
            12 => match self.call(Kind::Plain) {
                Some(call) => format!("cap({call})"),
                None => format!("[{x}][0]"),
            },
            _ => match self.call(Kind::Generator) {
                Some(call) => format!("cap(list({call}))"),
                None => format!("{{'k': {x}}}"),
            },
        }
    }
}
