//! The command line as a shell sees it: exit statuses, streams, odd files, and interruption.

#![allow(clippy::disallowed_methods)] // tests wait for real processes in real time

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{Run, aio, root, run};

/// A folder for one test's files, empty at the start and removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("aio-cli-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a scratch folder can be made");
        Scratch(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), text).expect("a script can be written");
    }

    fn aio(&self, args: &[&str]) -> Run {
        run(aio(&self.0).args(args), b"")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `aio ARGS` with an input, in the root of the repository.
fn call(args: &[&str], input: &str) -> Run {
    run(aio(root()).args(args), input.as_bytes())
}

/// `aio -c TEXT`
fn text(text: &str) -> Run {
    call(&["-c", text], "")
}

#[track_caller]
fn expect(run: &Run, status: i32, out: &str) {
    assert_eq!(
        (run.status, run.out().as_str()),
        (status, out),
        "stderr:\n{}",
        run.err()
    );
}

/// The run failed with these words in stderr, and without a word of Rust's.
#[track_caller]
fn expect_error(run: &Run, status: i32, words: &str) {
    let err = run.err();
    assert_eq!(run.status, status, "stderr:\n{err}");
    assert!(err.contains(words), "stderr lacks {words:?}:\n{err}");
    assert!(
        !err.contains("panicked") && !err.contains("RUST_BACKTRACE"),
        "stderr:\n{err}"
    );
}

// ---- how a program is named

#[test]
fn a_file_runs_with_and_without_the_word_run() {
    let scratch = Scratch::new("file");
    scratch.write("a.aio", "import sys\nprint(sys.argv)\n");
    expect(
        &scratch.aio(&["run", "a.aio", "x", "--clock", "-y"]),
        0,
        "['a.aio', 'x', '--clock', '-y']\n",
    );
    expect(&scratch.aio(&["a.aio", "x"]), 0, "['a.aio', 'x']\n");
}

#[test]
fn a_minus_runs_what_comes_on_stdin() {
    expect(&call(&["run", "-"], "print('from stdin')\n"), 0, "from stdin\n");
    expect(
        &call(
            &["run", "--clock", "virtual", "-"],
            "await sleep(3600)\nprint('woke')\n",
        ),
        0,
        "woke\n",
    );
}

#[test]
fn a_text_runs_with_c() {
    expect(&text("print(1 + 1)"), 0, "2\n");
    expect(&text("await sleep(0)\nprint('top level')"), 0, "top level\n");
    expect(
        &call(&["-c", "import sys; print(sys.argv)", "x"], ""),
        0,
        "['-c', 'x']\n",
    );
}

#[test]
fn the_version_and_the_help_go_to_stdout() {
    let version = call(&["--version"], "");
    expect(&version, 0, &format!("aio {}\n", env!("CARGO_PKG_VERSION")));
    let help = call(&["--help"], "");
    assert_eq!((help.status, help.err().as_str()), (0, ""));
    for word in ["run", "states", "lint", "explain", "--clock", "--warn", "-c"] {
        assert!(help.out().contains(word), "{word} in\n{}", help.out());
    }
}

// ---- exit statuses

#[test]
fn a_wrong_option_is_status_2() {
    expect_error(&call(&["--wrong"], ""), 2, "--wrong");
    expect_error(&call(&["run", "--clock", "sundial", "x.aio"], ""), 2, "sundial");
    expect_error(&call(&["run"], ""), 2, "FILE");
}

#[test]
fn a_missing_file_is_status_2_and_one_line() {
    for args in [
        &["run", "no_such.aio"][..],
        &["no_such.aio"],
        &["states", "no_such.aio"],
    ] {
        let run = call(args, "");
        expect_error(&run, 2, "no_such.aio");
        assert_eq!(run.err().lines().count(), 1, "{}", run.err());
    }
    let folder = call(&["run", "examples"], "");
    expect_error(&folder, 2, "examples");
    assert_eq!(folder.err().lines().count(), 1, "{}", folder.err());
}

#[test]
fn an_uncaught_exception_is_status_1() {
    expect_error(&text("raise ValueError('no')"), 1, "ValueError: no");
    expect_error(
        &text("await sleep(0)\nraise ValueError('no')"),
        1,
        "ValueError: no",
    );
}

#[test]
fn a_syntax_error_is_status_1_and_runs_nothing() {
    let run = text("print('never')\nx = (1,\n");
    expect_error(&run, 1, "'(' was never closed");
    assert_eq!(run.out(), "");
}

#[test]
fn sys_exit_says_the_status() {
    for (argument, status) in [
        ("", 0),
        ("None", 0),
        ("0", 0),
        ("7", 7),
        ("True", 1),
        ("256 + 3", 3),
    ] {
        let run = text(&format!("import sys\nprint('before')\nsys.exit({argument})"));
        expect(&run, status, "before\n");
        assert_eq!(run.err(), "");
    }
    let run = text("import sys\nsys.exit('a last word')");
    expect(&run, 1, "");
    assert_eq!(run.err(), "a last word\n");
    let run = text("import sys\nasync def main():\n    sys.exit(4)\nasyncio.run(main())");
    expect(&run, 4, "");
    let run = text("raise SystemExit(5)");
    expect(&run, 5, "");
}

#[test]
fn a_deadlock_is_status_13_and_names_the_task() {
    let run =
        text("async def hang():\n    await asyncio.Event().wait()\nawait spawn(hang(), name='the waiter')");
    expect_error(&run, 13, "the waiter");
}

// ---- streams

#[test]
fn stdin_can_be_read() {
    let run = call(
        &[
            "-c",
            "print(input('name? ').upper())\nimport sys\nprint(sys.stdin.read())",
        ],
        "ada\nrest",
    );
    expect(&run, 0, "name? ADA\nrest\n");
}

#[test]
fn stdout_and_stderr_stay_apart_and_in_order() {
    let run = text("import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('more')");
    expect(&run, 0, "out\nmore\n");
    assert_eq!(run.err(), "err\n");
}

#[test]
fn output_is_seen_while_the_loop_waits() {
    let mut child = aio(root())
        .args(["-c", "print('early', end='')\nawait sleep(60)"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut seen = [0; 5];
    child
        .stdout
        .take()
        .expect("stdout is piped")
        .read_exact(&mut seen)
        .expect("five bytes come");
    child.kill().expect("the child can be ended");
    child.wait().expect("the child ends");
    assert_eq!(&seen, b"early");
}

#[test]
fn output_before_an_abrupt_end_is_kept() {
    expect(&text("print('kept', end='')\nraise SystemExit(3)"), 3, "kept");
    let run = text("print('kept')\nawait asyncio.Event().wait()");
    assert_eq!((run.status, run.out().as_str()), (13, "kept\n"), "{}", run.err());
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut child = aio(root())
        .args(["-c", "i = 0\nwhile True:\n    print('line', i)\n    i += 1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
    out.read_line(&mut line).expect("a line comes");
    drop(out);
    let status = support::wait(&mut child, Duration::from_secs(20));
    let mut err = String::new();
    child
        .stderr
        .take()
        .expect("stderr is piped")
        .read_to_string(&mut err)
        .expect("stderr is text");
    assert_eq!((line.as_str(), err.as_str()), ("line 0\n", ""));
    assert_ne!(status, support::TOO_LATE);
}

// ---- odd files

#[test]
fn a_byte_order_mark_and_a_first_line_for_the_shell_are_skipped() {
    let scratch = Scratch::new("bom");
    scratch.write("bom.aio", "\u{feff}print('bom')\n");
    scratch.write("shell.aio", "#!/usr/bin/env aio\nprint('shell')\n");
    scratch.write("both.aio", "\u{feff}#!/usr/bin/env aio\r\nprint('both')\r\n");
    expect(&scratch.aio(&["bom.aio"]), 0, "bom\n");
    expect(&scratch.aio(&["shell.aio"]), 0, "shell\n");
    expect(&scratch.aio(&["both.aio"]), 0, "both\n");
}

#[test]
fn an_empty_file_does_nothing() {
    let scratch = Scratch::new("empty");
    for (name, text) in [
        ("none.aio", ""),
        ("lines.aio", "\n\n"),
        ("comment.aio", "# only a comment"),
    ] {
        scratch.write(name, text);
        let run = scratch.aio(&["run", name]);
        expect(&run, 0, "");
        assert_eq!(run.err(), "");
    }
}

#[test]
fn bytes_that_are_no_text_are_an_error_with_a_place() {
    let scratch = Scratch::new("bytes");
    scratch.write("latin.aio", b"print('one')\nprint('caf\xe9')\n");
    let run = scratch.aio(&["run", "latin.aio"]);
    expect_error(&run, 1, "latin.aio");
    assert!(
        run.err().contains("UTF-8") || run.err().contains("utf-8"),
        "{}",
        run.err()
    );
    assert_eq!(run.out(), "");
    scratch.write("nul.aio", b"print('one')\0\n");
    expect_error(&scratch.aio(&["run", "nul.aio"]), 1, "null byte");
}

#[test]
fn ten_megabytes_of_script_run() {
    let scratch = Scratch::new("big");
    let line = "total = total + 1  # one line of very many that are all the same and rather long, so that they add up\n";
    let count = (10 << 20) / line.len() + 1;
    scratch.write(
        "big.aio",
        format!("total = 0\n{}print(total)\n", line.repeat(count)),
    );
    expect(&scratch.aio(&["run", "big.aio"]), 0, &format!("{count}\n"));
}

// ---- what must not end in a crash

#[test]
fn recursion_without_end_is_an_error_that_can_be_caught() {
    let endless = "def f(n):\n    return f(n + 1)\n";
    expect_error(
        &text(&format!("{endless}f(0)")),
        1,
        "RecursionError: maximum recursion depth exceeded",
    );
    let caught = format!("{endless}try:\n    f(0)\nexcept RecursionError as e:\n    print('caught')\n");
    expect(&text(&format!("{caught}{caught}")), 0, "caught\ncaught\n");
    expect(
        &text(&format!("def low():\n{}low()", indent(&caught))),
        0,
        "caught\n",
    );
    let coroutine = "async def f():\n    return await f()\ntry:\n    await f()\nexcept RecursionError:\n    print('caught')";
    expect(&text(coroutine), 0, "caught\n");
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn recursion_in_a_thread_is_an_error_that_can_be_caught() {
    let script = "def f():\n    return f()\nasync def main():\n    try:\n        await asyncio.to_thread(f)\n    \
                  except RecursionError:\n        print('caught')\nasyncio.run(main())";
    expect(&text(script), 0, "caught\n");
}

#[test]
fn brackets_and_calls_nested_deep_are_a_syntax_error() {
    let deep = |open: &str, close: &str, n: usize| format!("x = {}1{}\n", open.repeat(n), close.repeat(n));
    let scratch = Scratch::new("nested");
    for (open, close) in [
        ("abs(", ")"),
        ("[", "]"),
        ("(", ")"),
        ("{1: ", "}"),
        ("(lambda: ", ")"),
        ("-", ""),
    ] {
        scratch.write("deep.aio", deep(open, close, 5_000));
        expect_error(&scratch.aio(&["run", "deep.aio"]), 1, "too many nested");
    }
    scratch.write(
        "blocks.aio",
        (0..200)
            .map(|n| format!("{}if 1:\n", " ".repeat(n)))
            .collect::<String>(),
    );
    expect_error(
        &scratch.aio(&["run", "blocks.aio"]),
        1,
        "too many levels of indentation",
    );
}

#[test]
fn a_list_nested_a_million_deep_is_built_compared_printed_and_dropped() {
    let script = "def nest():\n    a = []\n    for _ in range(1_000_000):\n        a = [a]\n    return a\n\
                  a, b = nest(), nest()\n\
                  for ask in (lambda: a == b, lambda: repr(a), lambda: print(a)):\n    \
                      try:\n        ask()\n    except RecursionError:\n        print('too deep')\n\
                  del a, b\nprint('dropped')";
    expect(&text(script), 0, "too deep\ntoo deep\ntoo deep\ndropped\n");
}

#[test]
fn a_chain_of_a_million_objects_is_dropped() {
    let script = "class Node:\n    def __init__(self, next):\n        self.next = next\n\
                  head = None\nfor _ in range(1_000_000):\n    head = Node(head)\ndel head\nprint('dropped')";
    expect(&text(script), 0, "dropped\n");
}

#[test]
fn iterators_over_a_million_iterators_are_an_error() {
    let script = "import threading
def nest():
    for wrap in (enumerate, zip, lambda it: map(abs, it), lambda it: filter(None, it)):
        it = iter([1])
        for _ in range(1_000_000):
            it = wrap(it)
        try:
            for a, b in it: pass
        except RecursionError:
            print('too deep')
thread = threading.Thread(target=nest)
thread.start()
thread.join()
print('dropped')";
    expect(
        &text(script),
        0,
        "too deep\ntoo deep\ntoo deep\ntoo deep\ndropped\n",
    );
}

#[test]
fn sizes_no_machine_has_are_errors() {
    for expression in [
        "'x' * (1 << 62)",
        "[0] * (1 << 62)",
        "bytes(1 << 62)",
        "1 << (1 << 70)",
    ] {
        let run = text(&format!(
            "try:\n    {expression}\nexcept Exception as e:\n    print('caught')"
        ));
        expect(&run, 0, "caught\n");
    }
}

// ---- interruption

/// Start a text, wait for its first line, send it a signal, and let it end.
#[cfg(unix)]
fn interrupted(text: &str) -> (i32, String, String) {
    let mut child = aio(root())
        .args(["-c", text])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut first = String::new();
    out.read_line(&mut first).expect("a line comes");
    assert_eq!(first, "ready\n");
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill is there");
    assert!(sent.success());
    let status = support::wait(&mut child, Duration::from_secs(20));
    let (mut rest, mut err) = (String::new(), String::new());
    out.read_to_string(&mut rest).expect("stdout is text");
    child
        .stderr
        .take()
        .expect("stderr is piped")
        .read_to_string(&mut err)
        .expect("stderr is text");
    (status, rest, err)
}

#[cfg(unix)]
#[test]
fn ctrl_c_runs_finally_and_is_status_130() {
    let waits = [
        "import asyncio\nasync def main():\n    try:\n        print('ready', flush=True)\n        \
         await asyncio.sleep(60)\n    finally:\n        print('cleaned up')\nasyncio.run(main())",
        "try:\n    print('ready', flush=True)\n    await sleep(60)\nfinally:\n    print('cleaned up')",
        "try:\n    print('ready', flush=True)\n    while True:\n        pass\nfinally:\n    print('cleaned up')",
        "import time\ntry:\n    print('ready', flush=True)\n    time.sleep(60)\nfinally:\n    print('cleaned up')",
    ];
    for script in waits {
        let (status, out, err) = interrupted(script);
        assert_eq!(
            (status, out.as_str()),
            (130, "cleaned up\n"),
            "{script}\nstderr:\n{err}"
        );
        assert!(err.contains("KeyboardInterrupt"), "{err}");
        if script.contains("while True") {
            assert!(err.contains("    while True:\n          ^^^^\n"), "{err}");
        }
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_can_be_caught() {
    let script = "import time\ntry:\n    print('ready', flush=True)\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    \
                  print('caught')";
    let (status, out, err) = interrupted(script);
    assert_eq!((status, out.as_str(), err.as_str()), (0, "caught\n", ""));
}

// ---- mistakes told early

const FORGOTTEN: &str = "async def work():\n    print('work')\n\nwork()\nawait sleep(0)\nprint('done')\n";

#[test]
fn lint_prints_findings_and_says_by_its_status_whether_there_are_any() {
    let scratch = Scratch::new("lint");
    scratch.write("bad.aio", FORGOTTEN);
    scratch.write("good.aio", "await sleep(0)\n");
    scratch.write("broken.aio", "x = (\n");
    let message = "the coroutine 'work' is never awaited: nothing of it runs";
    expect(
        &scratch.aio(&["lint", "good.aio", "bad.aio"]),
        1,
        &format!("bad.aio:4:1: A001 {message}\n    work()\n    ^^^^^^\n"),
    );
    expect(
        &scratch.aio(&["lint", "--format", "json", "bad.aio"]),
        1,
        &format!(
            "{{\"file\": \"bad.aio\", \"line\": 4, \"column\": 1, \"end_line\": 4, \"end_column\": 7, \
             \"number\": \"A001\", \"message\": \"{message}\"}}\n"
        ),
    );
    expect(&scratch.aio(&["lint", "good.aio"]), 0, "");
    expect_error(&scratch.aio(&["lint", "broken.aio"]), 1, "was never closed");
    expect_error(&scratch.aio(&["lint", "missing.aio"]), 2, "there is no such file");
    expect_error(&scratch.aio(&["lint"]), 2, "FILE");
}

#[test]
fn a_mistake_is_told_once_on_stderr_and_only_with_warn() {
    let scratch = Scratch::new("warn");
    scratch.write("bad.aio", FORGOTTEN);
    let run = scratch.aio(&["run", "--warn", "bad.aio"]);
    expect(&run, 0, "done\n");
    assert_eq!(run.err().matches("never awaited").count(), 1, "{}", run.err());
    assert!(run.err().starts_with("bad.aio:4:1: A001 "), "{}", run.err());
    let run = scratch.aio(&["run", "bad.aio"]);
    expect(&run, 0, "done\n");
    assert!(!run.err().contains("A001"), "{}", run.err());
    let both = scratch.aio(&["run", "--warn", "--trace", "bad.aio"]);
    assert!(
        both.err().contains("A001") && both.err().contains("(Task-1): begins"),
        "{}",
        both.err()
    );
}

#[test]
fn explain_tells_all_numbers_or_one() {
    let list = call(&["explain"], "");
    assert_eq!(list.status, 0);
    assert!(
        list.out().contains("A001  a coroutine is never awaited\n"),
        "{}",
        list.out()
    );
    let page = call(&["explain", "a001"], "");
    assert_eq!(page.status, 0);
    for part in [
        "A001: a coroutine is never awaited\n",
        "Wrong:",
        "Right:",
        "# <- here",
    ] {
        assert!(page.out().contains(part), "{part} in\n{}", page.out());
    }
    let unknown = call(&["explain", "A999"], "");
    assert_eq!((unknown.status, unknown.out().as_str()), (2, ""));
    assert_eq!(
        unknown.err(),
        "aio: there is no number 'A999'; `aio explain` lists them\n"
    );
}

// ---- the clock

#[test]
fn a_year_on_the_virtual_clock_takes_no_time() {
    let script =
        "loop = asyncio.get_running_loop()\nprint(loop.time())\nawait sleep(365 * 86400)\nprint(loop.time())";
    expect(
        &call(&["--clock", "virtual", "-c", script], ""),
        0,
        "0.0\n31536000.0\n",
    );
}

/// `aio -c TEXT` where the system gives so many KiB of memory.
#[cfg(target_os = "linux")]
fn limited(kib: usize, text: &str) -> Run {
    let mut command = Command::new("sh");
    let script = format!("ulimit -v {kib}; exec \"$0\" -c \"$1\"");
    run(
        command.args(["-c", &script, env!("CARGO_BIN_EXE_aio"), text]),
        b"",
    )
}

#[test]
#[cfg(target_os = "linux")]
fn little_memory_is_enough_to_run() {
    let run = limited(200_000, "def f(n): return n and 1 + f(n - 1)\nprint(f(900))");
    expect(&run, 0, "900\n");
}

#[test]
#[cfg(target_os = "linux")]
fn when_memory_runs_out_nothing_that_was_printed_is_lost() {
    let forever = "print('first')\nkept = []\nwhile True: kept.append([len(kept)])";
    for kib in [200_000, 800_000] {
        let run = limited(kib, forever);
        expect(&run, 1, "first\n");
        assert!(run.err().starts_with("MemoryError: "), "{}", run.err());
    }
}
