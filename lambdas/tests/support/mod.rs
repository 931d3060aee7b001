//! What the tests of the functions share: a bucket, and a function run on an event by `lambdas/invoke`, as people do.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::s3_server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY};

/// One of the project's recorded inputs.
pub(crate) fn recorded(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../data")
        .join(name);
    std::fs::read(path).expect("a recorded input")
}

/// A bucket on loopback, and what it runs on.
pub(crate) struct Bucket {
    server: S3Server,
    _runtime: Runtime,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("threads");
        Bucket {
            server: runtime.block_on(S3Server::start()),
            _runtime: runtime,
        }
    }

    /// The environment of a function that has this bucket.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("BUCKET", BUCKET.to_owned()),
            ("AWS_ENDPOINT_URL_S3", self.server.url.clone()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ]
    }

    /// An object's bytes, if it is there.
    pub(crate) fn read(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.server.directory.path().join(BUCKET).join(key)).ok()
    }

    /// An object that is JSON.
    pub(crate) fn json(&self, key: &str) -> Value {
        let bytes = self.read(key).unwrap_or_else(|| panic!("no {key}"));
        serde_json::from_slice(&bytes).expect("JSON")
    }
}

/// What a function answered, and what it logged.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) is_result: bool,
    pub(crate) body: Value,
    pub(crate) logs: String,
}

impl Answer {
    /// The result, which it has to be.
    #[track_caller]
    pub(crate) fn result(self) -> Value {
        assert!(self.is_result, "{}\n{}", self.body, self.logs);
        self.body
    }

    /// The name and the message of the failure, which it has to be.
    #[track_caller]
    pub(crate) fn failure(&self) -> (&str, &str) {
        assert!(!self.is_result, "{}", self.body);
        let text = |field: &str| self.body[field].as_str().expect("a text");
        (text("errorType"), text("errorMessage"))
    }

    /// The lines of the log, the counts among them.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).ok();
        self.logs.lines().filter_map(parse).collect()
    }
}

/// Runs the function `program` on `event`, with nothing in its environment but what is given.
#[track_caller]
pub(crate) fn invoke(
    program: &str,
    environment: &[(&'static str, String)],
    event: &Value,
) -> Answer {
    invoke_for(program, environment, event, 120.0)
}

/// The same, with the time in seconds after which Lambda would end it.
#[track_caller]
pub(crate) fn invoke_for(
    program: &str,
    environment: &[(&'static str, String)],
    event: &Value,
    timeout: f64,
) -> Answer {
    let ran = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("invoke"))
        .args([
            program,
            &event.to_string(),
            "--timeout",
            &timeout.to_string(),
        ])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("Python 3");
    let logs = String::from_utf8_lossy(&ran.stderr).into_owned();
    let body = serde_json::from_slice(&ran.stdout);
    Answer {
        is_result: ran.status.success(),
        body: body.unwrap_or_else(|error| panic!("no answer: {error}\n{logs}")),
        logs,
    }
}
