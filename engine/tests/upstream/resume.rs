//! Bodies that break and are taken up again where they broke, or begun again, but never mixed.

use super::*;

const TAG: &str = "\"version 1\"";

/// The document with ranges.
fn version_1() -> Answer {
    Answer::ok(document()).with_ranges(TAG)
}

/// The ranges that were asked for after the first request, each with the version it must be of.
fn resumptions(server: &Server) -> Vec<usize> {
    let offset = |request: &misbehaving_server::Recorded| {
        assert_eq!(request.header("if-range"), Some(TAG));
        let range = request.header("range").unwrap();
        let offset = range.strip_prefix("bytes=").unwrap().strip_suffix('-');
        offset.unwrap().parse().unwrap()
    };
    server.requests().iter().skip(1).map(offset).collect()
}

/// Answers a resumption at 50,000 by hand.
fn part(content_range: &str, more_headers: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: {content_range}\r\n{more_headers}\
         Content-Length: {length}\r\n\r\n"
    );
    Answer::raw([head.as_bytes(), body].concat())
}

#[tokio::test]
async fn a_body_goes_on_where_it_broke() {
    let body = document();
    let encoded = zstd(&body);
    let as_zstd = || {
        Answer::ok(&encoded)
            .with_ranges(TAG)
            .header("Content-Encoding", "zstd")
    };
    for (broken, whole) in [
        (version_1().reset_after(50_000), version_1()),
        (version_1().cut_after(50_000), version_1()),
        (version_1().cut_after(0), version_1()),
        (
            version_1().chunked().cut_after(50_000),
            version_1().chunked(),
        ),
        (version_1().chunked().reset_after(50_000), version_1()),
        (as_zstd().reset_after(20_000), as_zstd()),
        (as_zstd().cut_after(1), as_zstd().chunked()),
    ] {
        let server = serve([broken, whole]);
        let (client, told) = client(options());
        let (received, error) = stream(&client, &server).await;
        assert!(error.is_none() && received == body, "{error:?}");
        assert!(matches!(resumptions(&server)[..], [0..=50_000]));
        assert_eq!(told.delays().len(), 1);
        let coded = server.requests().len() == 2 && told.bytes_received() < body.len() as u64;
        assert!(coded || told.bytes_received() == body.len() as u64);
    }
}

#[tokio::test]
async fn a_stalled_body_goes_on_where_it_stalled() {
    let server = serve([version_1().stall_after(50_000), version_1()]);
    let (received, error) = stream(&client(impatient()).0, &server).await;
    assert!(error.is_none() && received == document(), "{error:?}");
    assert_eq!(resumptions(&server)[0], 50_000);
}

#[tokio::test]
async fn a_date_of_change_is_a_version_too() {
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let strong = version_1().header("Last-Modified", date);
    // Weak tags do not promise the same bytes.
    let weak = Answer::ok(document())
        .with_ranges("W/\"1\"")
        .header("Last-Modified", date);
    for (answer, version) in [(strong, TAG), (weak, date)] {
        let server = serve([answer.clone().cut_after(50_000), answer]);
        let (received, error) = stream(&client(options()).0, &server).await;
        assert!(error.is_none() && received == document(), "{error:?}");
        assert_eq!(server.requests()[1].header("if-range"), Some(version));
    }
}

#[tokio::test]
async fn a_body_may_break_any_number_of_times_while_it_gets_on() {
    let server = serve([version_1().cut_after(9_000)]);
    let (received, error) = stream(&client(options()).0, &server).await;
    assert!(error.is_none() && received == document(), "{error:?}");
    let expected: Vec<usize> = (1..12).map(|part| part * 9_000).collect();
    assert_eq!(resumptions(&server), expected);
}

#[tokio::test]
async fn a_body_that_does_not_get_on_is_given_up() {
    let server = serve([version_1().cut_after(50_000), version_1().cut_after(0)]);
    let (_, error) = stream(&client(options()).0, &server).await;
    let (attempts, problem) = gave_up(error.unwrap());
    assert!(matches!(problem, Problem::Broken { .. }), "{problem:?}");
    assert_eq!((attempts, resumptions(&server)), (3, vec![50_000; 2]));
}

#[tokio::test]
async fn a_server_that_fails_meanwhile_is_asked_again() {
    let busy = Answer::status(503, "");
    let script = [
        version_1().cut_after(50_000),
        busy,
        Answer::hang_up(),
        version_1(),
    ];
    let server = serve(script);
    let (client, _) = client(ClientOptions {
        max_attempts: 4,
        ..options()
    });
    let (received, error) = stream(&client, &server).await;
    assert!(error.is_none() && received == document(), "{error:?}");
    assert_eq!(resumptions(&server), [50_000; 3]);
}

#[tokio::test]
async fn a_refusal_meanwhile_is_the_end() {
    let server = serve([version_1().cut_after(50_000), Answer::status(403, "")]);
    let (_, error) = stream(&client(options()).0, &server).await;
    let error = error.unwrap();
    assert!(
        matches!(error.problem, Problem::Blocked { .. }),
        "{error:?}"
    );
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_part_may_be_followed_by_another_part() {
    let body = document();
    let middle = part("bytes 50000-59999/*", "", &body[50_000..60_000]);
    let server = serve([version_1().cut_after(50_000), middle, version_1()]);
    let (received, error) = stream(&client(options()).0, &server).await;
    assert!(error.is_none() && received == body, "{error:?}");
    assert_eq!(resumptions(&server), [50_000, 60_000]);
}

#[tokio::test]
async fn what_does_not_go_on_where_it_broke_must_begin_again() {
    let body = document();
    let rest = &body[50_000..];
    let gone = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n";
    for other in [
        // The whole of the same version, and of another one.
        Answer::ok(&body),
        Answer::ok(&body).with_ranges("\"version 2\""),
        Answer::raw(gone),
        part("bytes 49999-99999/100000", "", &body[49_999..]),
        part("bytes 50000-99999/100001", "", rest),
        part("bytes 50000-99999/100000", "ETag: \"version 2\"\r\n", rest),
        part(
            "bytes 50000-99999/100000",
            "Content-Encoding: gzip\r\n",
            rest,
        ),
        part("rows 50000-99999/100000", "", rest),
    ] {
        let server = serve([version_1().cut_after(50_000), other.clone()]);
        let (received, error) = stream(&client(options()).0, &server).await;
        let error = error.unwrap();
        let is_restart = matches!(
            error.problem,
            Problem::Restart {
                received: 50_000,
                ..
            }
        );
        assert!(is_restart && error.is_retryable(), "{other:?}: {error:?}");
        assert!(received == body[..50_000]);

        // A small document begins again by itself.
        let server = serve([version_1().cut_after(50_000), other, Answer::ok("new")]);
        assert_eq!(fetch(&server).await.unwrap(), b"new");
        assert_eq!(server.requests()[2].header("range"), None);
    }
}

#[tokio::test]
async fn a_document_that_changes_is_never_a_mixture() {
    let new = vec![b'!'; 100_000];
    let version_2 = Answer::ok(&new).with_ranges("\"version 2\"");
    let server = serve([version_1().cut_after(50_000), version_2]);
    assert!(fetch(&server).await.unwrap() == new);
}

#[tokio::test]
async fn a_server_without_versions_or_ranges_is_not_asked_for_a_part() {
    for answer in [
        Answer::ok(document()),
        Answer::ok(document()).header("Accept-Ranges", "bytes"),
        Answer::ok(document()).header("ETag", "W/\"1\""),
        Answer::ok(document())
            .header("ETag", TAG)
            .header("Accept-Ranges", "none"),
    ] {
        let server = serve([answer.cut_after(50_000)]);
        let (_, error) = stream(&client(options()).0, &server).await;
        let error = error.unwrap();
        assert!(matches!(error.problem, Problem::Broken { .. }), "{error:?}");
        assert_eq!(server.requests().len(), 1);
    }
}
