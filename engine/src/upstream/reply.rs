//! What a server's answer means by its status, and what the server says of an error.

use std::time::{Duration, SystemTime};

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use url::Url;

use super::coding::Coding;
use super::error::Problem;
use super::transfer::Transfer;
use crate::content::page_text;

/// How much of an error's body is read, decoded.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// How many characters of it people are shown.
const MAX_SAID_CHARS: usize = 200;

/// How long is waited for an error's body, which only explains.
const MAX_ERROR_WAIT: Duration = Duration::from_secs(5);

/// Passes on the answer whose body is the document.
///
/// # Errors
/// What any other answer means. Part of a document is no success where the whole was asked for, nor is none.
pub(super) async fn check(
    transfer: &Transfer,
    url: &Url,
    response: Response,
) -> Result<Response, Problem> {
    let status = response.status().as_u16();
    if matches!(status, 200 | 203) {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers(), SystemTime::now());
    let said = said(response).await;
    if status == 403 {
        let host = url.host_str().unwrap_or_default().to_owned();
        return Err(Problem::Blocked { host, said });
    }
    match retry_after {
        Some(wait) if wait > transfer.client.inner.options.max_retry_after => {
            Err(Problem::ComeBackLater {
                status,
                said,
                at: in_future(wait),
            })
        }
        _ => Err(Problem::Status {
            status,
            said,
            retry_after,
        }),
    }
}

/// The time that lies so far ahead, in whole seconds.
fn in_future(wait: Duration) -> Timestamp {
    let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
    let second = Timestamp::now()
        .as_second()
        .saturating_add(1)
        .saturating_add(seconds);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// The header Retry-After: a number of seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// The first words of an error's body, as far as they arrive soon.
async fn said(response: Response) -> String {
    let Ok(coding) = Coding::of(response.headers()) else {
        return String::new();
    };
    let broken = |source| Problem::NoAnswer { source };
    let mut decoded = coding.decode(response.bytes_stream().map_err(broken).boxed());
    let mut body = Vec::new();
    let read = async {
        while let Some(Ok(piece)) = decoded.next().await {
            body.extend_from_slice(&piece);
            if body.len() >= MAX_ERROR_BYTES {
                break;
            }
        }
    };
    // An explanation that is late or broken explains as far as it goes.
    let _ = tokio::time::timeout(MAX_ERROR_WAIT, read).await;
    body.truncate(MAX_ERROR_BYTES);
    words(&body)
}

/// What an error's body says: the message of JPL's API, or the words of a page or text.
fn words(body: &[u8]) -> String {
    let message = serde_json::from_slice(body)
        .ok()
        .and_then(|document: Value| Some(document.get("message")?.as_str()?.to_owned()));
    let text = match &message {
        Some(message) => page_text(message.as_bytes(), MAX_SAID_CHARS),
        None => page_text(body, MAX_SAID_CHARS),
    };
    // What a server says must not be able to steer a terminal.
    text.replace(char::is_control, "")
}
