//! Program text, places in it, and interned names.
//!
//! Always true: a [`Span`] is a range of byte offsets into the text of the [`Source`] it came
//! from; two [`Symbol`]s of one thread are equal exactly if their texts are.

use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// A range of byte offsets, end excluded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Span {
        Span {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Whether the other one lies in it.
    pub fn holds(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// A program's text under the name that reports show.
pub struct Source {
    /// File name as given, `<stdin>`, `<string>` …
    pub name: String,
    pub text: String,
    /// It is the text of functions that the library makes for a class, as those of a dataclass.
    is_made: bool,
    /// Offset of the first byte of each line.
    line_starts: Vec<u32>,
}

impl Source {
    /// Whether it is a module of the library, or made by one: nobody has written it who could see it.
    pub fn is_library(&self) -> bool {
        self.is_made || self.is_library_module()
    }

    /// Whether it is a module of the library.
    pub fn is_library_module(&self) -> bool {
        self.name.starts_with("<library ")
    }

    /// Whether it is a module of the library that CPython has built in: tracebacks leave its frames out.
    pub fn is_built_in(&self) -> bool {
        self.name == "<library io>" || self.name.starts_with("<library _io_")
    }

    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Rc<Source> {
        Rc::new(Source::of(name.into(), text.into()))
    }

    /// The text of functions that the library makes; it is called as CPython calls such texts.
    pub fn made(text: String) -> Rc<Source> {
        let is_made = true;
        Rc::new(Source {
            is_made,
            ..Source::of("<string>".into(), text)
        })
    }

    fn of(name: String, text: String) -> Source {
        let mut line_starts = vec![0];
        let bytes = text.as_bytes();
        for (i, &b) in bytes.iter().enumerate() {
            if b == b'\n' || (b == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
                line_starts.push(i as u32 + 1);
            }
        }
        Source {
            name,
            text,
            is_made: false,
            line_starts,
        }
    }

    /// The line (from 1) that holds the offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|&s| s <= offset) as u32
    }

    /// The offset at which a line (from 1) begins.
    pub fn line_start(&self, line: u32) -> u32 {
        self.line_starts[line as usize - 1]
    }

    /// Line (from 1) and column (characters, from 0) of an offset.
    pub fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.line(offset);
        let start = self.line_starts[line as usize - 1] as usize;
        let upto = (offset as usize).min(self.text.len());
        let column = self.text.get(start..upto).map_or(0, |t| t.chars().count());
        (line, column as u32)
    }

    /// The text of a line (from 1) without its newline; empty past the end.
    pub fn line_text(&self, line: u32) -> &str {
        let Some(&start) = self.line_starts.get((line as usize).wrapping_sub(1)) else {
            return "";
        };
        let end = self
            .line_starts
            .get(line as usize)
            .map_or(self.text.len(), |&e| e as usize);
        self.text[start as usize..end].trim_end_matches(['\n', '\r'])
    }

    /// How many lines the text has.
    pub fn lines(&self) -> u32 {
        self.line_starts.len() as u32
    }

    /// What of a span stands on its first line: of a loop, its head.
    pub fn on_first_line(&self, span: Span) -> Span {
        let line = self.line(span.start);
        let end = self.line_start(line) as usize + self.line_text(line).trim_end().len();
        Span::new(span.start as usize, end.min(span.end as usize))
    }

    pub fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }
}

/// An interned name. Compared and hashed by number; its text never goes away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(pub u32);

struct Interner {
    numbers: FxHashMap<&'static str, u32>,
    texts: Vec<&'static str>,
}

impl Interner {
    fn new() -> Interner {
        let texts = name::ALL_NAMES.to_vec();
        let numbers = texts
            .iter()
            .zip(0..)
            .map(|(&text, number)| (text, number))
            .collect();
        Interner { numbers, texts }
    }
}

thread_local! {
    static INTERNER: RefCell<Interner> = RefCell::new(Interner::new());
}

impl Symbol {
    /// The symbol of a name. Each distinct name is stored once, for the life of the process.
    pub fn new(text: &str) -> Symbol {
        INTERNER.with_borrow_mut(|interner| {
            if let Some(&number) = interner.numbers.get(text) {
                return Symbol(number);
            }
            let kept: &'static str = Box::leak(text.into());
            let number = interner.texts.len() as u32;
            interner.texts.push(kept);
            interner.numbers.insert(kept, number);
            Symbol(number)
        })
    }

    pub fn text(self) -> &'static str {
        INTERNER.with_borrow(|interner| interner.texts[self.0 as usize])
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Names the interpreter itself looks up, interned before all others.
pub mod name {
    use super::Symbol;

    macro_rules! names {
        ($($id:ident $text:literal)*) => {
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            enum Number { $($id,)* }
            $(pub const $id: Symbol = Symbol(Number::$id as u32);)*
            pub(super) const ALL_NAMES: &[&str] = &[$($text),*];
        };
    }

    names! {
        INIT "__init__"
        AT "_at"
        US "_us"
        ZONE "_zone"
        OFFSET "_offset"
        NEW "__new__"
        CALL "__call__"
        GETATTR "__getattr__"
        GETATTRIBUTE "__getattribute__"
        SETATTR "__setattr__"
        DELATTR "__delattr__"
        CLASS "__class__"
        SUPER "super"
        DICT "__dict__"
        NAME "__name__"
        QUALNAME "__qualname__"
        MODULE "__module__"
        DOC "__doc__"
        ENTER "__enter__"
        EXIT "__exit__"
        AENTER "__aenter__"
        AEXIT "__aexit__"
        AWAIT "__await__"
        AITER "__aiter__"
        ANEXT "__anext__"
        ITER "__iter__"
        NEXT "__next__"
        LEN "__len__"
        GETITEM "__getitem__"
        SETITEM "__setitem__"
        DELITEM "__delitem__"
        CONTAINS "__contains__"
        BOOL "__bool__"
        EQ "__eq__"
        NE "__ne__"
        LT "__lt__"
        LE "__le__"
        GT "__gt__"
        GE "__ge__"
        HASH "__hash__"
        REPR "__repr__"
        STR "__str__"
        FORMAT "__format__"
        GET "__get__"
        SET "__set__"
        DELETE "__delete__"
        SET_NAME "__set_name__"
        INIT_SUBCLASS "__init_subclass__"
        CLASS_GETITEM "__class_getitem__"
        ANNOTATIONS "__annotations__"
        DEL "__del__"
        FILE "__file__"
        ALL "__all__"
        MATCH_ARGS "__match_args__"
        MRO_ENTRIES "__mro_entries__"
        BUILTINS "__builtins__"
        SELF "self"
        SEND "send"
        THROW "throw"
        CLOSE "close"
        VALUE "value"
        MISSING "__missing__"
        INDEX "__index__"
        ABSTRACT "__abstractmethods__"
        PREPARE "__prepare__"
        NOTES "__notes__"
        MODULE_BUILTINS "builtins"
        GETNEWARGS "__getnewargs__"
        SLOTS "__slots__"
        PATH "__path__"
        MAIN "__main__"
        ADD "__add__"
        RADD "__radd__"
        IADD "__iadd__"
        SUB "__sub__"
        RSUB "__rsub__"
        ISUB "__isub__"
        MUL "__mul__"
        RMUL "__rmul__"
        IMUL "__imul__"
        MATMUL "__matmul__"
        RMATMUL "__rmatmul__"
        IMATMUL "__imatmul__"
        TRUEDIV "__truediv__"
        RTRUEDIV "__rtruediv__"
        ITRUEDIV "__itruediv__"
        FLOORDIV "__floordiv__"
        RFLOORDIV "__rfloordiv__"
        IFLOORDIV "__ifloordiv__"
        MOD "__mod__"
        RMOD "__rmod__"
        IMOD "__imod__"
        DIVMOD "__divmod__"
        RDIVMOD "__rdivmod__"
        POW "__pow__"
        RPOW "__rpow__"
        IPOW "__ipow__"
        LSHIFT "__lshift__"
        RLSHIFT "__rlshift__"
        ILSHIFT "__ilshift__"
        RSHIFT "__rshift__"
        RRSHIFT "__rrshift__"
        IRSHIFT "__irshift__"
        OR "__or__"
        ROR "__ror__"
        IOR "__ior__"
        XOR "__xor__"
        RXOR "__rxor__"
        IXOR "__ixor__"
        AND "__and__"
        RAND "__rand__"
        IAND "__iand__"
        NEG "__neg__"
        POS "__pos__"
        INVERT "__invert__"
        ABS "__abs__"
        LENGTH_HINT "__length_hint__"
        REVERSED "__reversed__"
        BYTES "__bytes__"
        INT "__int__"
        FLOAT "__float__"
        TRUNC "__trunc__"
        ROUND "__round__"
        FLOOR "__floor__"
        CEIL "__ceil__"
        DIR "__dir__"
        INSTANCECHECK "__instancecheck__"
        SUBCLASSCHECK "__subclasscheck__"
        BASES "__bases__"
        KEYS "keys"
        CODE "code"
        ERRNO "errno"
        STRERROR "strerror"
        FILENAME "filename"
        FILENAME2 "filename2"
        MSG "msg"
        PATH_ATTR "path"
        NAME_ATTR "name"
        ARGS "args"
        FUNC "func"
        KEYWORDS "keywords"
        NAME_FROM "name_from"
        OBJ "obj"
        MESSAGE "message"
        EXCEPTIONS "exceptions"
        DERIVE "derive"
        STDIN "stdin"
        STDOUT "stdout"
        STDERR "stderr"
        WRITE "write"
        FLUSH "flush"
        ENCODING "encoding"
        OBJECT "object"
        START "start"
        END "end"
        REASON "reason"
    }
}
