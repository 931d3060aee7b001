//! What the tests of the program share: run it in a folder of its own and look at what it did.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The items on standard output.
    pub(crate) fn items(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).expect("an item is a line of JSON");
        self.stdout.lines().map(parse).collect()
    }
}

/// An empty folder in which the program runs.
pub(crate) struct Folder {
    folder: TempDir,
    /// What the program finds in its environment beside what every one has.
    environment: Vec<(&'static str, String)>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self::with_environment(Vec::new())
    }

    pub(crate) fn with_environment(environment: Vec<(&'static str, String)>) -> Self {
        Folder {
            folder: TempDir::new().expect("a temporary folder"),
            environment,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file in the temporary folder");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Another folder with the same in it, where the program finds `environment`.
    pub(crate) fn copy(&self, environment: Vec<(&'static str, String)>) -> Self {
        let copy = Folder::with_environment(environment);
        for file in self.files() {
            let path = copy.path(&file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of ours");
            std::fs::copy(self.path(&file), path).expect("a file of ours");
        }
        copy
    }

    /// The names of all files below the folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of ours") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path
                        .strip_prefix(self.folder.path())
                        .expect("below the folder");
                    files.push(name.to_string_lossy().into_owned());
                }
            }
        }
        files.sort();
        files
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prospector"));
        command
            .current_dir(self.folder.path())
            .args(args)
            .env_remove("PROSPECTOR_STORE")
            .env_remove("PROSPECTOR_DATABASE")
            // Servers of the tests are on loopback.
            .env("NO_PROXY", "127.0.0.1")
            .envs(self.environment.iter().cloned());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with_input(args, b"")
    }

    /// Runs the program with `input` on standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self.start(args);
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let input = input.to_vec();
        // A program that fails early does not read to the end.
        let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("the program ends");
        writing.join().expect("the writing thread ends");
        Ran::of(output)
    }

    /// Runs the program with standard input redirected from `file`.
    pub(crate) fn run_from_file(&self, args: &[&str], file: &str) -> Ran {
        let file = std::fs::File::open(file).expect("a file");
        let output = self.command(args).stdin(file).output();
        Ran::of(output.expect("the program ends"))
    }

    /// Starts the program with pipes to all its streams.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }

    /// Runs the program, which must succeed.
    #[track_caller]
    pub(crate) fn done(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        ran
    }
}

/// The path of one of the project's recorded inputs.
pub(crate) fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../data")
        .join(name);
    path.to_str().expect("a path of UTF-8").to_owned()
}
