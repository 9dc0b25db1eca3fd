//! Any text is parsed and lowered, or refused with a report that can be rendered.
#![no_main]

use aio::lower::{Options, lower};
use aio::source::Source;
use aio::syntax::{parse, parse_line};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Source::new("fuzz.aio", text);
    for interactive in [false, true] {
        let lowered = parse(&source).and_then(|module| lower(&module, &source, &Options { interactive }));
        if let Err(error) = lowered {
            assert!(!error.diagnostic(&source).render(false, 80).is_empty());
        }
    }
    parse_line(&source);
});
