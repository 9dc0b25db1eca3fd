//! The flags of a pattern, as its repr shows them; the enumeration that scripts know is written in aio.

/// The flags by name, in the order in which a pattern shows them.
const FLAGS: &[(&str, i64)] = &[
    ("IGNORECASE", 2),
    ("LOCALE", 4),
    ("MULTILINE", 8),
    ("DOTALL", 16),
    ("UNICODE", 32),
    ("VERBOSE", 64),
    ("DEBUG", 128),
    ("ASCII", 256),
];

/// `re.IGNORECASE|re.MULTILINE`
pub fn of_pattern(bits: i64) -> String {
    let mut rest = bits;
    let mut parts = Vec::new();
    for (name, flag) in FLAGS {
        if rest & flag != 0 {
            parts.push(format!("re.{name}"));
            rest &= !flag;
        }
    }
    if rest != 0 {
        parts.push(format!("0x{rest:x}"));
    }
    parts.join("|")
}
