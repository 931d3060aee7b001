//! A proxy before a DynamoDB server that counts, and does what the emulators never do: it throttles, leaves items
//! unprocessed, fails and denies. It answers one request on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The server answers.
    None,
    /// Half of a batch's items, rounded up, are written; the others are left unprocessed.
    HalfDone,
    /// All of a batch's items are left unprocessed.
    NothingDone,
    Throttled,
    Failed,
    Denied,
}

/// A running proxy. Dropped, it ends.
pub(crate) struct Proxy {
    pub(crate) url: String,
    counts: Arc<Counts>,
    _accepting: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicUsize,
    max_items: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy before the server at `url`. The trouble goes by the number of the request, from 0.
    pub(crate) async fn start(url: &str, trouble: fn(usize) -> Trouble) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own_url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = url.trim_start_matches("http://").to_owned();
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        let accept = async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (server, counts) = (server.clone(), Arc::clone(&counted));
                connections.spawn(async move {
                    // A client that hangs up is no fault.
                    let _ = serve(stream, &server, &counts, trouble).await;
                });
            }
        };
        Proxy {
            url: own_url,
            counts,
            _accepting: AbortOnDropHandle::new(tokio::spawn(accept)),
        }
    }

    /// Requests that came.
    pub(crate) fn num_requests(&self) -> usize {
        self.counts.requests.load(Ordering::Relaxed)
    }

    /// The most items that one request had.
    pub(crate) fn max_items(&self) -> usize {
        self.counts.max_items.load(Ordering::Relaxed)
    }
}

async fn serve(
    mut client: TcpStream,
    server: &str,
    counts: &Counts,
    trouble: fn(usize) -> Trouble,
) -> std::io::Result<()> {
    let (head, body) = read_request(&mut client).await?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let trouble = trouble(counts.requests.fetch_add(1, Ordering::Relaxed));
    let exception = |name: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "no"});
    let (status, answer) = match trouble {
        Trouble::None => {
            let answer = forward(server, &head, &body).await?;
            client.write_all(&answer).await?;
            return client.shutdown().await;
        }
        Trouble::Throttled => (400, exception("ProvisionedThroughputExceededException")),
        Trouble::Failed => (500, exception("InternalServerError")),
        Trouble::Denied => (400, exception("AccessDeniedException")),
        Trouble::NothingDone => (200, json!({"UnprocessedItems": body["RequestItems"]})),
        Trouble::HalfDone => {
            let (table, items) = batch(&body);
            counts.max_items.fetch_max(items.len(), Ordering::Relaxed);
            let (done, left) = items.split_at(items.len().div_ceil(2));
            forward(server, &head, &json!({"RequestItems": {&table: done}})).await?;
            let left = match left {
                [] => json!({}),
                left => json!({&table: left}),
            };
            (200, json!({"UnprocessedItems": left}))
        }
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} status\r\ncontent-type: application/x-amz-json-1.0\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

/// The table and the requests of a `BatchWriteItem`.
fn batch(body: &Value) -> (String, Vec<Value>) {
    let tables = body["RequestItems"].as_object().expect("a batch");
    let (table, items) = tables.iter().next().expect("a table");
    (table.clone(), items.as_array().expect("items").clone())
}

/// Reads the head, without its end, and the body.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let mut body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let len = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    });
    while body.len() < len.unwrap_or(0) {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok((head, body))
}

/// Sends the request to the server with this body, and returns its answer, which is a success.
async fn forward(server: &str, head: &str, body: &Value) -> std::io::Result<Vec<u8>> {
    let body = body.to_string();
    let is_replaced = |line: &&str| {
        let name = line
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        ["content-length", "connection"].contains(&name.as_str())
    };
    let lines: Vec<&str> = head.lines().filter(|line| !is_replaced(line)).collect();
    let request = format!(
        "{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        lines.join("\r\n"),
        body.len()
    );
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    Ok(answer)
}
