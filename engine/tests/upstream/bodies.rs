//! Bodies that arrive whole, in every form, and what is known of them.

use super::*;

#[tokio::test]
async fn a_body_arrives_in_every_coding_and_framing() {
    let body = document();
    for (coding, encoded) in [
        (None, body.clone()),
        (Some("identity"), body.clone()),
        (Some("gzip"), gzip(&body)),
        (
            Some("x-gzip"),
            [gzip(&body[..7_000]), gzip(&body[7_000..])].concat(),
        ),
        (Some("deflate"), zlib(&body)),
        (Some("zstd"), zstd(&body)),
    ] {
        let mut answer = Answer::ok(&encoded);
        if let Some(coding) = coding {
            answer = answer.header("Content-Encoding", coding);
        }
        let num_encoded = encoded.len() as u64;
        for (answer, total) in [
            (answer.clone(), Some(num_encoded)),
            (answer.clone().chunked(), None),
            (answer.until_close(), None),
        ] {
            let server = serve([answer]);
            let (client, told) = client(options());
            assert!(
                fetch_with(&client, &server).await.unwrap() == body,
                "{coding:?}"
            );
            assert_eq!(told.bytes_received(), num_encoded, "{coding:?}");
            let received = told.received.lock().unwrap();
            assert!(received.iter().all(|(_, of)| *of == total), "{coding:?}");
            assert_eq!(server.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_slow_start_is_waited_for() {
    let server = serve([Answer::ok("late").slow_start(Duration::from_millis(200))]);
    assert_eq!(fetch(&server).await.unwrap(), b"late");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_body_may_come_one_byte_at_a_time() {
    let body = &document()[..2_000];
    for answer in [
        Answer::ok(body),
        Answer::ok(body).chunked(),
        Answer::ok(gzip(body)).header("Content-Encoding", "gzip"),
        Answer::ok(zstd(body)).header("Content-Encoding", "zstd"),
    ] {
        let server = serve([answer.one_byte_at_a_time()]);
        assert_eq!(fetch(&server).await.unwrap(), body);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_empty_body_is_whole_unless_it_is_said_to_be_encoded() {
    assert_eq!(fetch(&serve([Answer::ok("")])).await.unwrap(), b"");
    let server = serve([Answer::ok("").header("Content-Encoding", "gzip")]);
    let (_, problem) = gave_up(fetch(&server).await.unwrap_err());
    assert!(matches!(problem, Problem::Damaged { .. }), "{problem:?}");
}

#[tokio::test]
async fn the_request_names_the_project_and_what_it_can_decode() {
    let server = serve([Answer::ok("")]);
    fetch(&server).await.unwrap();
    let requests = server.requests();
    let [request] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("GET", "/document")
    );
    let agent = request.header("user-agent").unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        agent.starts_with(&format!("prospector/{version}")),
        "{agent}"
    );
    assert_eq!(
        request.header("accept-encoding"),
        Some("zstd, gzip, deflate")
    );
    assert_eq!(request.header("range"), None);
    assert_eq!(request.header("referer"), None);
}

#[tokio::test]
async fn the_origin_is_described() {
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let answer = Answer::ok(gzip(b"text"))
        .header("Content-Encoding", "gzip")
        .header("ETag", "W/\"1\"")
        .header("Last-Modified", date);
    let server = Server::start([
        Route::new("/document", [Answer::redirect("moved?fields=a,b")]),
        Route::new("/moved", [answer]).when_query(|query| query == "fields=a,b"),
    ]);
    let before = jiff::Timestamp::now();
    let request = request(&server.url("/document"));
    let (origin, body) = soon(client(options()).0.fetch(&request)).await.unwrap();
    assert_eq!(&body[..], b"text");
    assert_eq!(origin.url, server.url("/moved?fields=a,b"));
    assert_eq!(origin.etag.as_deref(), Some("W/\"1\""));
    assert_eq!(origin.last_modified.as_deref(), Some(date));
    assert_eq!(origin.content_length, Some(gzip(b"text").len() as u64));
    assert!(origin.fetched_at >= before);
}

#[tokio::test]
async fn a_page_with_status_200_is_for_the_reader_of_the_document_to_judge() {
    let page = "<html><title>Down for maintenance</title></html>";
    let server = serve([Answer::ok(page).header("Content-Type", "text/html")]);
    assert_eq!(fetch(&server).await.unwrap(), page.as_bytes());
}

#[tokio::test]
async fn what_follows_the_announced_length_is_not_part_of_the_body() {
    let raw = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext and more";
    assert_eq!(fetch(&serve([Answer::raw(raw)])).await.unwrap(), b"text");

    // Where the body is encoded, it shows that the announced length was too short.
    let encoded = gzip(b"text and more");
    let length = encoded.len() - 3;
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n");
    let server = serve([Answer::raw([head.as_bytes(), &encoded].concat())]);
    let (_, problem) = gave_up(fetch(&server).await.unwrap_err());
    assert!(matches!(problem, Problem::Damaged { .. }), "{problem:?}");
}

#[tokio::test]
async fn two_lengths_are_no_answer() {
    let raw = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ntexts";
    let (_, problem) = gave_up(fetch(&serve([Answer::raw(raw)])).await.unwrap_err());
    assert!(matches!(problem, Problem::NoAnswer { .. }), "{problem:?}");
}

/// Stages run on a runtime of several threads.
#[test]
fn downloads_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let (client, _) = client(options());
    let request = request("http://127.0.0.1:1/document");
    is_send(&client.open(&request));
    is_send(&client.fetch(&request));
    is_send(&async {
        let whole = client.retry("the test document", async || {
            let mut download = client.open(&request).await?;
            while let Some(piece) = download.next().await {
                piece?;
            }
            Ok::<_, UpstreamError>(download.origin)
        });
        whole.await
    });
}
