//! AWS on loopback: MiniStack, which emulates all that Prospector uses, and dynalite, a second DynamoDB.
//!
//! There is one server of each kind to a test binary, started when it is first asked for. Tests share it, so each
//! uses table and queue names of its own. A shell stands between the binary and the server and holds a pipe to the
//! binary: when that closes, however the binary came to its end, the shell stops the server and what it started.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use engine::aws::{Credentials, Region, SdkConfig, config_loader};

const MAX_START: Duration = Duration::from_secs(60);
/// Another program may take the free port that was found before the server does.
const MAX_STARTS: u32 = 3;
/// Starts "$@" in the background, waits for the end of standard input, stops the process group, and removes the
/// folder $0.
const KEEPER: &str = r#"
    "$@" </dev/null & server=$!
    cat >/dev/null
    trap '' TERM
    kill -TERM 0
    { sleep 5; kill -KILL $server; } & wait $server
    rm -rf "$0"
    kill -KILL 0
"#;

/// A server on loopback.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its address.
    pub(crate) url: String,
    /// Holds the pipe, and is never dropped.
    _keeper: Child,
}

impl Server {
    /// Settings for clients, with nothing of this machine's AWS environment.
    pub(crate) async fn config(&self) -> SdkConfig {
        config(&self.url).await
    }

    /// Asks DynamoDB without a client of its own, for tests that have none.
    pub(crate) fn dynamodb(&self, operation: &str, body: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\
             content-type: application/x-amz-json-1.0\r\nx-amz-target: DynamoDB_20120810.{operation}\r\n\
             x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/\
             dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(host).expect("a server");
        let timeout = Some(Duration::from_secs(30));
        stream.set_read_timeout(timeout).expect("a timeout");
        stream
            .write_all(request.as_bytes())
            .expect("it takes a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{operation}: {answer}");
        answer
    }
}

/// Settings for clients of the server at `url`.
pub(crate) async fn config(url: &str) -> SdkConfig {
    config_loader()
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url)
        .load()
        .await
}

/// The emulator of all services.
pub(crate) fn ministack() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        build("python", &["-c", ""]);
        start("python", "/_ministack/health", |port, folder| {
            let path = |name: &str| folder.join(name).display().to_string();
            let port = port.to_string();
            let url = format!("http://127.0.0.1:{port}");
            let variables = [
                ("GATEWAY_PORT", port),
                ("AWS_ENDPOINT_URL", url),
                ("STATE_DIR", path("state")),
                ("S3_DATA_DIR", path("s3")),
            ];
            let fixed = [
                ("BIND_HOST", "127.0.0.1"),
                ("MINISTACK_HOST", "127.0.0.1"),
                ("MINISTACK_REGION", "us-east-1"),
                ("MINISTACK_ACCOUNT_ID", "000000000000"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("SFTP_ENABLED", "0"),
                ("IOT_MTLS_ENABLED", "0"),
                ("DOCKER_HOST", "unix:///nonexistent.sock"),
                ("LAMBDA_EXECUTOR", "local"),
                ("S3_PERSIST", "0"),
                ("PERSIST_STATE", "0"),
                ("LOG_LEVEL", "WARNING"),
                ("AUTH", "false"),
            ];
            let fixed = fixed.map(|(name, value)| (name, value.to_owned()));
            let arguments = ["-m", "ministack"].map(str::to_owned).to_vec();
            (arguments, variables.into_iter().chain(fixed).collect())
        })
    })
}

/// A second opinion on DynamoDB.
pub(crate) fn dynalite() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        build("npm-tool", &["dynalite", "--help"]);
        start("npm-tool", "/", |port, _| {
            let line = format!(
                "dynalite --port {port} --createTableMs 20 --deleteTableMs 20 --host 127.0.0.1"
            );
            (line.split(' ').map(str::to_owned).collect(), Vec::new())
        })
    })
}

/// A name that no other test of this binary has.
pub(crate) fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Runs a tool once, so that its environment is built: with this machine's settings, as building needs them.
fn build(tool: &str, arguments: &[&str]) {
    let output = Command::new(path(tool)).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("aws-tests/{tool} cannot be run: {error}"));
    assert!(output.status.success(), "aws-tests/{tool}: {output:?}");
}

fn path(tool: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../aws-tests")
        .join(tool)
}

type Environment = Vec<(&'static str, String)>;

/// Starts a tool by the arguments and variables that `of` makes of a port and a folder, and waits until it answers.
fn start(
    tool: &str,
    health: &str,
    of: impl Fn(u16, &Path) -> (Vec<String>, Environment),
) -> Server {
    let mut last_log = String::new();
    for _ in 0..MAX_STARTS {
        let port = free_port();
        let folder = tempfile::Builder::new()
            .prefix("prospector-")
            .tempdir()
            .expect("a folder")
            .keep();
        let (arguments, environment) = of(port, &folder);
        let log = folder.join("log");
        let log_file = || File::create(&log).expect("a log");
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .args([&folder, &path(tool)])
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(["HOME", "TMPDIR"].map(|name| (name, &folder)))
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(log_file())
            .stderr(log_file())
            .process_group(0)
            .spawn()
            .expect("a shell");
        if answers(port, health) {
            return Server {
                url: format!("http://127.0.0.1:{port}"),
                _keeper: keeper,
            };
        }
        last_log = fs::read_to_string(&log).unwrap_or_default();
        drop(keeper.stdin.take());
        let _ = keeper.wait();
    }
    panic!("{tool} does not answer: {last_log}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn answers(port: u16, path: &str) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    let begun = Instant::now();
    while begun.elapsed() < MAX_START {
        if ask().unwrap_or(false) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}
