//! Requests and answers as they stand on the wire, and errors as each protocol has them.

use std::io;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request, read whole.
pub(crate) struct Request {
    /// The lines of its head.
    lines: Vec<String>,
    pub(crate) body: Vec<u8>,
}

/// How a server says that it cannot.
enum Protocol {
    S3,
    Json,
    Http,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.lines.iter().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The operation that a service which speaks JSON is asked for.
    pub(crate) fn action(&self) -> Option<String> {
        let target = self.header("x-amz-target")?;
        target.rsplit('.').next().map(str::to_owned)
    }

    /// What is asked for, without what differs from run to run: names that are made of the time, ids of uploads.
    pub(crate) fn identity(&self) -> String {
        if let Some(action) = self.action() {
            return action;
        }
        let mut words = self.lines[0].split(' ');
        let (method, target) = (words.next(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path: Vec<&str> = path
            .split('/')
            .filter(|part| !part.starts_with("20"))
            .collect();
        let mut names: Vec<&str> = query
            .split('&')
            .map(|pair| pair.split('=').next().unwrap_or_default())
            .filter(|name| *name != "x-id")
            .collect();
        names.sort_unstable();
        format!(
            "{} {} {}",
            method.unwrap_or_default(),
            path.join("/"),
            names.join("&")
        )
        .trim_end()
        .to_owned()
    }

    fn protocol(&self) -> Protocol {
        let scope = self.header("authorization").unwrap_or_default();
        if scope.contains("/s3/aws4_request") {
            Protocol::S3
        } else if self.header("x-amz-target").is_some() {
            Protocol::Json
        } else {
            Protocol::Http
        }
    }

    /// The answer of a server that is asked too much.
    pub(crate) fn throttled(&self) -> Answer {
        let target = self.header("x-amz-target").unwrap_or_default();
        match self.protocol() {
            Protocol::S3 => self.failed(503, "SlowDown"),
            Protocol::Json if target.starts_with("DynamoDB") => {
                self.failed(400, "ProvisionedThroughputExceededException")
            }
            Protocol::Json => self.failed(400, "ThrottlingException"),
            Protocol::Http => self.failed(429, "too many requests"),
        }
    }

    /// The answer of a server that fails.
    pub(crate) fn failed(&self, status: u16, code: &str) -> Answer {
        match self.protocol() {
            // An answer to HEAD has no body.
            _ if self.lines[0].starts_with("HEAD ") => Answer::made(status, "application/xml", ""),
            Protocol::S3 => {
                let body = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
                     <Message>the plan wants it</Message><RequestId>0</RequestId></Error>"
                );
                Answer::made(status, "application/xml", &body)
            }
            Protocol::Json => {
                let body = json!({"__type": format!("com.amazonaws#{code}"), "message": "the plan wants it"});
                Answer::json(status, &body)
            }
            Protocol::Http => Answer::made(status, "text/plain", code),
        }
    }

    /// The same request with another body, which no server of the tests checks the signature of.
    pub(crate) fn with_body(&self, document: &Value) -> Request {
        Request {
            lines: self.lines.clone(),
            body: document.to_string().into_bytes(),
        }
    }

    /// The request as it is passed on: on a connection of its own.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let is_replaced = |line: &&String| {
            let name = line.split(':').next().unwrap_or_default();
            ["content-length", "connection", "expect"]
                .iter()
                .any(|replaced| name.eq_ignore_ascii_case(replaced))
        };
        let mut head: Vec<&str> = self
            .lines
            .iter()
            .filter(|line| !is_replaced(line))
            .map(String::as_str)
            .collect();
        let length = format!("content-length: {}", self.body.len());
        if self.header("content-length").is_some() {
            head.push(&length);
        }
        head.push("connection: close");
        let mut bytes = (head.join("\r\n") + "\r\n\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Reads a request.
pub(crate) async fn read_request(stream: &mut TcpStream) -> io::Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = end_of_head(&bytes) {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let body = bytes.split_off(end);
    let head = String::from_utf8_lossy(&bytes);
    let lines = head.trim_end().split("\r\n").map(str::to_owned).collect();
    let mut request = Request { lines, body };
    if request.header("transfer-encoding").is_some() {
        return Err(io::Error::other("no client of the tests sends chunks"));
    }
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let length = request
        .header("content-length")
        .and_then(|length| length.parse().ok());
    let length: usize = length.unwrap_or(0);
    while request.body.len() < length {
        if stream.read_buf(&mut request.body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(request)
}

/// Where the head of a message ends, its empty line included.
pub(crate) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    end.map(|end| end + 4)
}

/// An answer, whole.
pub(crate) struct Answer(Vec<u8>);

impl Answer {
    /// What a server answered before it closed the connection.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Answer(bytes)
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Answer::made(status, "application/x-amz-json-1.0", &body.to_string())
    }

    fn made(status: u16, kind: &str, body: &str) -> Self {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} of the plan\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        );
        Answer(answer.into_bytes())
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// The body of an answer that is a success, as JSON.
    pub(crate) fn document(&self) -> Option<Value> {
        let is_success = self.0.starts_with(b"HTTP/1.1 200");
        let body = &self.0[end_of_head(&self.0)?..];
        is_success.then(|| serde_json::from_slice(body).ok())?
    }

    pub(crate) async fn write_to(&self, client: &mut TcpStream) -> io::Result<()> {
        client.write_all(&self.0).await?;
        client.shutdown().await
    }
}
