//! A proxy before any HTTP/1.1 server of the tests that does harm by a seeded plan.
//!
//! It answers one request on a connection, takes requests and answers whole, and passes them on as they are: whatever
//! is signed, the `Host` too, stays as it was. Which protocol is spoken it tells from the request: S3 by the scope of
//! its signature, the services that speak JSON by the operation that they name, and everything else is plain HTTP.
//! Bytes are dealt with as they stand on the wire, because half of what it does no library for HTTP would do.
#![allow(dead_code, reason = "every test uses a part of it")]

#[path = "fault_plan.rs"]
pub(crate) mod plan;
#[path = "fault_wire.rs"]
mod wire;

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use plan::{Fault, Plan, delay};
use wire::{Answer, Request};

/// A running proxy. Dropped, it ends.
pub(crate) struct Proxy {
    pub(crate) url: String,
    _accepting: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts a proxy before the server at `url`. Several may share a plan.
    pub(crate) async fn start(url: &str, plan: &Arc<Plan>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own_url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let plan = Arc::clone(plan);
        let accept = async move {
            // Connections end with the proxy.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (server, plan) = (server.clone(), Arc::clone(&plan));
                connections.spawn(async move {
                    // A client that hangs up is no fault of the proxy's.
                    let _ = serve(stream, &server, &plan).await;
                });
            }
        };
        Proxy {
            url: own_url,
            _accepting: AbortOnDropHandle::new(tokio::spawn(accept)),
        }
    }
}

async fn serve(mut client: TcpStream, server: &str, plan: &Plan) -> io::Result<()> {
    let request = wire::read_request(&mut client).await?;
    let action = request.action().unwrap_or_default();
    let Some((fault, random)) = plan.next(&request.identity(), &action) else {
        let answer = send(server, &request).await?;
        return answer.write_to(&mut client).await;
    };
    let answer = match fault {
        Fault::Delay => {
            tokio::time::sleep(delay(random)).await;
            send(server, &request).await?
        }
        Fault::Throttle => request.throttled(),
        Fault::Error => request.failed(500, "InternalError"),
        Fault::Unavailable => request.failed(503, "ServiceUnavailable"),
        Fault::Reset => return reset(client),
        Fault::Truncate => {
            let bytes = send(server, &request).await?.bytes();
            let head = wire::end_of_head(&bytes).unwrap_or(bytes.len());
            let body = (bytes.len() - head) as u64;
            let cut = head + usize::try_from(random % body.max(1)).expect("it fits");
            // What has no body is cut in its head.
            let cut = if body == 0 { head / 2 } else { cut };
            client.write_all(&bytes[..cut]).await?;
            client.flush().await?;
            return reset(client);
        }
        Fault::DropAnswer => {
            send(server, &request).await?;
            return reset(client);
        }
        Fault::HalfDone => half_done(server, &request, &action).await?,
        Fault::SendTwice => {
            send(server, &request).await?;
            send(server, &request).await?
        }
        Fault::Duplicate | Fault::Reorder => {
            let answer = send(server, &request).await?;
            match answer.document() {
                Some(document) => Answer::json(200, &redelivered(document, fault)),
                None => answer,
            }
        }
    };
    answer.write_to(&mut client).await
}

/// Ends a connection by a reset.
fn reset(client: TcpStream) -> io::Result<()> {
    client.set_zero_linger()
}

async fn send(server: &str, request: &Request) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&request.bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(Answer::new(bytes))
}

/// Has the first half of a batch done, and gives back the second one as the protocol does.
async fn half_done(server: &str, request: &Request, action: &str) -> io::Result<Answer> {
    let Ok(mut document) = serde_json::from_slice::<Value>(&request.body) else {
        return send(server, request).await;
    };
    if action == "SendMessageBatch" {
        let left = second_half(&mut document["Entries"]);
        let answer = send(server, &request.with_body(&document)).await?;
        let Some(mut answered) = answer.document() else {
            return Ok(answer);
        };
        let failed = left.iter().map(|entry| {
            json!({"Id": entry["Id"], "SenderFault": false, "Code": "InternalError", "Message": "no"})
        });
        append(&mut answered, "Failed", failed.collect());
        return Ok(Answer::json(200, &answered));
    }
    let tables = document["RequestItems"].as_object_mut();
    let Some((table, writes)) = tables.and_then(|tables| tables.iter_mut().next()) else {
        return send(server, request).await;
    };
    let (table, left) = (table.clone(), second_half(writes));
    let answer = send(server, &request.with_body(&document)).await?;
    let Some(mut answered) = answer.document() else {
        return Ok(answer);
    };
    if !answered["UnprocessedItems"].is_object() {
        answered["UnprocessedItems"] = json!({});
    }
    append(&mut answered["UnprocessedItems"], &table, left);
    Ok(Answer::json(200, &answered))
}

/// Takes the second half of a list out of it; the first one is never empty.
fn second_half(list: &mut Value) -> Vec<Value> {
    let list = list.as_array_mut();
    list.map(|list| list.split_off(list.len().div_ceil(2)))
        .unwrap_or_default()
}

fn append(document: &mut Value, name: &str, mut more: Vec<Value>) {
    match document[name].as_array_mut() {
        Some(list) => list.append(&mut more),
        None if more.is_empty() => {}
        None => document[name] = Value::Array(more),
    }
}

fn redelivered(mut document: Value, fault: Fault) -> Value {
    if let Some(messages) = document["Messages"].as_array_mut() {
        match fault {
            Fault::Duplicate => messages.extend_from_within(..),
            _ => messages.reverse(),
        }
    }
    document
}
