//! A server that speaks as much of SQS's JSON protocol as `SendMessageBatch` needs, and fails where a test wants
//! it to.
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that this serves tests only"
)]

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// How long a call takes, so that calls side by side are seen to be.
const CALL: Duration = Duration::from_millis(20);

/// What goes wrong with a call.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The entries at these places fail with this code; the others are taken.
    Entries(Vec<usize>, &'static str),
    /// The entry at this place is said to be the sender's fault.
    SenderFault(usize),
    /// 503.
    Unavailable,
    /// Too many requests.
    Throttled,
    /// Access is denied.
    Denied,
    /// Everything is taken, and the connection closes before the answer.
    LostAnswer,
}

/// A running server. Dropped, it ends.
pub(crate) struct SqsServer {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    _accepting: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct State {
    /// Of the calls to come.
    faults: VecDeque<Fault>,
    calls: Vec<Vec<String>>,
    stored: BTreeSet<String>,
    num_in_flight: usize,
    peak_in_flight: usize,
}

impl SqsServer {
    /// Starts a server whose first calls meet `faults`, one each.
    pub(crate) async fn start(faults: Vec<Fault>) -> Self {
        let state = Arc::new(Mutex::new(State {
            faults: faults.into(),
            ..State::default()
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            // Connections end with the server.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                connections.spawn(async move {
                    // A client that goes away is the client's business.
                    let _ = serve(socket, &state).await;
                });
            }
        });
        SqsServer {
            url,
            state,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The messages of each call, in the order that calls came.
    pub(crate) fn calls(&self) -> Vec<Vec<String>> {
        self.state().calls.clone()
    }

    /// The messages that were taken.
    pub(crate) fn stored(&self) -> BTreeSet<String> {
        self.state().stored.clone()
    }

    pub(crate) fn peak_calls_in_flight(&self) -> usize {
        self.state().peak_in_flight
    }
}

/// Serves one request and closes the connection.
async fn serve(socket: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        if socket.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let header = line.trim_end().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    let request: Value = serde_json::from_slice(&body).unwrap();
    {
        let mut state = state.lock().unwrap();
        state.num_in_flight += 1;
        state.peak_in_flight = state.peak_in_flight.max(state.num_in_flight);
    }
    tokio::time::sleep(CALL).await;
    let answer = {
        let mut state = state.lock().unwrap();
        state.num_in_flight -= 1;
        state.answer(request["Entries"].as_array().unwrap())
    };
    let Some((status, answer)) = answer else {
        return Ok(());
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    );
    socket.write_all((head + &answer).as_bytes()).await?;
    socket.shutdown().await
}

impl State {
    /// Takes a call; there is no answer where it gets lost.
    fn answer(&mut self, entries: &[Value]) -> Option<(&'static str, Value)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let bodies = entries.iter().map(|entry| text(&entry["MessageBody"]));
        self.calls.push(bodies.collect());
        let fault = self.faults.pop_front();
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (place, entry) in entries.iter().enumerate() {
            let refused = match &fault {
                Some(Fault::Entries(places, code)) if places.contains(&place) => {
                    Some((*code, false, "try again"))
                }
                Some(Fault::SenderFault(refused)) if *refused == place => {
                    Some(("InvalidMessageContents", true, "it has a NUL"))
                }
                Some(Fault::Unavailable) => return Some(("503 Service Unavailable", json!({}))),
                Some(Fault::Throttled) => return error("RequestThrottled"),
                Some(Fault::Denied) => return error("AccessDeniedException"),
                _ => None,
            };
            let id = &entry["Id"];
            match refused {
                Some((code, sender_fault, message)) => failed.push(json!({
                    "Id": id, "Code": code, "SenderFault": sender_fault, "Message": message,
                })),
                None => {
                    self.stored.insert(text(&entry["MessageBody"]));
                    successful.push(json!({"Id": id, "MessageId": "m", "MD5OfMessageBody": "0"}));
                }
            }
        }
        let answer = json!({"Successful": successful, "Failed": failed});
        (!matches!(fault, Some(Fault::LostAnswer))).then_some(("200 OK", answer))
    }
}

fn error(code: &str) -> Option<(&'static str, Value)> {
    let kind = format!("com.amazonaws.sqs#{code}");
    Some(("400 Bad Request", json!({"__type": kind, "message": "no"})))
}
