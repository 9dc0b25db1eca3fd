//! What the tests share: running the `aio` binary, finding scripts, and comparing with a file.

#![allow(dead_code, clippy::disallowed_methods)] // tests wait for real processes in real time

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

pub const AIO: &str = env!("CARGO_BIN_EXE_aio");

/// No script of the tests may take longer.
pub const LIMIT: Duration = Duration::from_secs(20);

/// The status of a run that had to be ended.
pub const TOO_LATE: i32 = 124;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a process left behind.
pub struct Run {
    /// The exit status; a negative signal number; [`TOO_LATE`].
    pub status: i32,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

impl Run {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

/// The binary, in a folder, without colours and without the settings of whoever runs the tests.
pub fn aio(folder: &Path) -> Command {
    let mut command = Command::new(AIO);
    command
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("FORCE_COLOR")
        .env_remove("COLUMNS");
    command
}

/// Run to the end, or to [`LIMIT`], with `input` on stdin.
pub fn run(command: &mut Command, input: &[u8]) -> Run {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_vec();
    thread::spawn(move || drop(stdin.write_all(&input)));
    let out = collect(child.stdout.take().expect("stdout is piped"));
    let err = collect(child.stderr.take().expect("stderr is piped"));
    let status = wait(&mut child, LIMIT);
    let rest = Duration::from_secs(5);
    Run {
        status,
        out: out.recv_timeout(rest).unwrap_or_default(),
        err: err.recv_timeout(rest).unwrap_or_default(),
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = send.send(bytes);
    });
    receive
}

/// The exit status of a child, which is killed when it takes too long.
pub fn wait(child: &mut Child, limit: Duration) -> i32 {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            return status.code().unwrap_or_else(|| -signal(status));
        }
        if start.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            return TOO_LATE;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(unix)]
fn signal(status: std::process::ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

#[cfg(not(unix))]
fn signal(_: std::process::ExitStatus) -> i32 {
    0
}

/// All scripts in a folder and the folders below it, in order of their names.
pub fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = files(folder);
    found.retain(|path| path.extension().is_some_and(|e| e == "aio"));
    found
}

/// All files in a folder and the folders below it, in order of their names.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What the first lines of a script say about how to run it.
pub struct Directions {
    /// `# clock: real`
    pub is_real: bool,
    /// `# args: …`: the script's own arguments.
    pub args: Vec<String>,
    /// `# options: …`: options of aio, before the script's name.
    pub options: Vec<String>,
}

impl Directions {
    pub fn of(path: &Path) -> Directions {
        let text = fs::read(path).expect("a script can be read");
        let text = String::from_utf8_lossy(&text);
        let head: Vec<&str> = text.lines().take(10).map(str::trim).collect();
        let words = |key: &str| -> Vec<String> {
            let line = head.iter().find_map(|line| line.strip_prefix(key));
            line.unwrap_or("").split_whitespace().map(str::to_owned).collect()
        };
        Directions {
            is_real: head.contains(&"# clock: real"),
            args: words("# args: "),
            options: words("# options: "),
        }
    }
}

/// Run a script in its folder, as its directions say.
pub fn run_script(path: &Path) -> Run {
    let directions = Directions::of(path);
    let mut command = aio(path.parent().expect("a script stands in a folder"));
    command.arg("run");
    if !directions.is_real {
        command.args(["--clock", "virtual"]);
    }
    command.args(&directions.options);
    command
        .arg(path.file_name().expect("a script has a name"))
        .args(&directions.args);
    run(&mut command, b"")
}

/// Whether the expectations of our own words are to be written anew.
pub fn blessing() -> bool {
    std::env::var_os("AIO_BLESS").is_some_and(|v| v == "1")
}

/// `Err` tells the first line in which a text differs from what a file says; under `AIO_BLESS=1`
/// the file is written instead.
pub fn compare_with_file(file: &Path, got: &str) -> Result<(), String> {
    if blessing() {
        return fs::write(file, got).map_err(|e| e.to_string());
    }
    let want = fs::read_to_string(file)
        .map_err(|e| format!("{}: {e}; AIO_BLESS=1 writes it, then read it", file.display()))?;
    compare(&want, got).map_err(|difference| format!("{difference}\n--- the whole text ---\n{got}"))
}

/// `Err` tells the first line in which two texts differ.
pub fn compare(want: &str, got: &str) -> Result<(), String> {
    if want == got {
        return Ok(());
    }
    let (mut wanted, mut gotten) = (want.lines(), got.lines());
    for number in 1.. {
        match (wanted.next(), gotten.next()) {
            (None, None) => break,
            (want, got) if want == got => {}
            (want, got) => {
                let show = |line: Option<&str>| line.map_or("the end".to_owned(), |l| format!("{l:?}"));
                return Err(format!("line {number}: want {}, got {}", show(want), show(got)));
            }
        }
    }
    Err("the texts differ in their ends of lines".to_owned())
}
