//! What is tried again, how often, when, and what is said when it is not.

use super::*;

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for trouble in [
        Answer::status(500, ""),
        Answer::status(502, ""),
        Answer::status(503, "<html>Service unavailable</html>"),
        Answer::status(408, ""),
        Answer::status(429, ""),
        Answer::hang_up(),
        Answer::raw("no HTTP at all\r\n\r\n"),
    ] {
        let server = serve([trouble.clone(), Answer::ok("text")]);
        let (client, told) = client(options());
        assert_eq!(
            fetch_with(&client, &server).await.unwrap(),
            b"text",
            "{trouble:?}"
        );
        assert_eq!(server.requests().len(), 2);
        assert_eq!(told.delays().len(), 1);
    }
}

#[tokio::test]
async fn silence_is_not_waited_for_without_end() {
    let server = serve([Answer::silence(), Answer::ok("text")]);
    let (client, told) = client(impatient());
    assert_eq!(fetch_with(&client, &server).await.unwrap(), b"text");
    assert!(!told.delays().is_empty());
}

#[tokio::test]
async fn after_the_last_attempt_it_is_given_up() {
    let server = serve([Answer::status(500, "<p>Oh no</p>")]);
    let error = fetch(&server).await.unwrap_err();
    assert!(chain(&error).contains("Oh no"), "{}", chain(&error));
    assert!(chain(&error).contains("500 Internal Server Error"));
    let (attempts, problem) = gave_up(error);
    assert_eq!((attempts, server.requests().len()), (3, 3));
    assert!(matches!(problem, Problem::Status { status: 500, .. }));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap();
    let request = request(&format!("http://{address}/document?fields=many"));
    let error = soon(client(options()).0.fetch(&request)).await.unwrap_err();
    let text = chain(&error);
    assert!(text.contains("the test document"), "{text}");
    assert!(
        text.contains(&format!("http://{address}/document")),
        "{text}"
    );
    assert!(!text.contains("fields=many"), "{text}");
    let (attempts, problem) = gave_up(error);
    assert!(
        matches!(problem, Problem::Unreachable { .. }),
        "{problem:?}"
    );
    assert_eq!(attempts, 3);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_cannot_be_reached_by_https() {
    let server = serve([Answer::ok("text")]);
    let request = request(&format!("https://{}/document", server.address));
    let error = soon(client(impatient()).0.fetch(&request))
        .await
        .unwrap_err();
    let (_, problem) = gave_up(error);
    assert!(
        matches!(problem, Problem::Unreachable { .. }),
        "{problem:?}"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_server_says_in_seconds_when_to_come_back() {
    let busy = Answer::status(429, "").header("Retry-After", "1");
    let server = serve([busy, Answer::ok("text")]);
    let (client, told) = client(options());
    assert_eq!(fetch_with(&client, &server).await.unwrap(), b"text");
    assert_eq!(told.delays(), [Duration::from_secs(1)]);
}

#[tokio::test]
async fn a_date_to_come_back_that_is_past_is_now() {
    let busy = Answer::status(503, "").header("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT");
    let server = serve([busy, Answer::ok("text")]);
    let (client, told) = client(options());
    assert_eq!(fetch_with(&client, &server).await.unwrap(), b"text");
    assert!(told.delays()[0] <= options().max_delay);
}

#[tokio::test]
async fn who_is_asked_to_stay_away_for_long_is_told_until_when() {
    let in_an_hour = std::time::SystemTime::now() + Duration::from_secs(3_600);
    let date = httpdate::fmt_http_date(in_an_hour);
    for value in ["3600", &date] {
        let busy = Answer::status(503, "Closed").header("Retry-After", value);
        let server = serve([busy]);
        let error = fetch(&server).await.unwrap_err();
        let Problem::ComeBackLater { at, .. } = error.problem else {
            panic!("{error:?}")
        };
        // An HTTP date is in whole seconds.
        let least = jiff::Timestamp::try_from(in_an_hour).unwrap().as_second() - 1;
        assert!((least..least + 120).contains(&at.as_second()), "{error}");
        assert!(error.to_string().contains(&at.to_string()), "{error}");
        assert!(error.retry_after() > Some(Duration::from_secs(3_000)));
        assert!(!error.is_retryable());
        assert_eq!(server.requests().len(), 1);
    }
    let busy = Answer::status(503, "").header("Retry-After", "99999999999999999999");
    let error = fetch(&serve([busy])).await.unwrap_err();
    assert!(matches!(error.problem, Problem::ComeBackLater { .. }));
}

#[tokio::test]
async fn refusals_are_not_tried_again() {
    for status in [400, 401, 404, 405, 410, 204, 206, 304] {
        let server = serve([Answer::status(status, "")]);
        let error = fetch(&server).await.unwrap_err();
        assert!(!error.is_retryable());
        assert!(
            matches!(error.problem, Problem::Status { status: other, .. } if other == status),
            "{error:?}"
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_403_says_what_it_may_mean_and_what_to_do() {
    let server = serve([Answer::status(403, "<h1>Forbidden</h1>")]);
    let error = fetch(&server).await.unwrap_err();
    assert!(matches!(error.problem, Problem::Blocked { .. }));
    let text = error.to_string();
    for words in [
        "403",
        "127.0.0.1 may have blocked",
        "leave it alone",
        "Forbidden",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!error.is_retryable());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_server_s_own_words_are_in_the_error() {
    let message = r#"{"code":"400","message":"one or more \u001b[31m fields: foo","moreInfo":""}"#;
    let page = "<html><title>400 Bad\n request</title></html>";
    for (answer, words) in [
        (Answer::status(400, message), "one or more [31m fields: foo"),
        (Answer::status(400, page), "400 Bad request"),
        (Answer::status(400, page).chunked().cut_after(20), "400 Ba"),
        (
            Answer::status(400, gzip(page.as_bytes())).header("Content-Encoding", "gzip"),
            "400 Bad request",
        ),
        (Answer::status(400, "x".repeat(1 << 20)), "xxx"),
        (
            Answer::status(400, "?").header("Content-Encoding", "br"),
            "400",
        ),
    ] {
        let error = fetch(&serve([answer])).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(words), "{text}");
        assert!(text.chars().count() < 400, "{text}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_begun_again() {
    let body = document();
    let encoded = gzip(&body);
    let as_gzip = |bytes: &[u8]| Answer::ok(bytes).header("Content-Encoding", "gzip");
    let mut damaged = encoded.clone();
    damaged[5_000] ^= 1;
    for broken in [
        Answer::ok(&body).reset_after(50_000),
        Answer::ok(&body).cut_after(50_000),
        Answer::ok(&body).cut_after(0),
        Answer::ok(&body).chunked().reset_after(50_000),
        Answer::ok(&body).chunked().cut_after(50_000),
        // All is there but the last chunk, which says so.
        Answer::ok(&body).chunked().cut_after(body.len()),
        as_gzip(&encoded).cut_after(5_000),
        as_gzip(&encoded).until_close().cut_after(5_000),
        as_gzip(&encoded[..encoded.len() - 1]).until_close(),
        as_gzip(&damaged),
        as_gzip(&[&encoded[..], b"more"].concat()),
    ] {
        let server = serve([broken, Answer::ok(&body)]);
        assert!(fetch(&server).await.unwrap() == body);
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_stalled_body_is_begun_again() {
    let body = document();
    let server = serve([Answer::ok(&body).stall_after(50_000), Answer::ok(&body)]);
    let (client, _) = client(impatient());
    assert!(fetch_with(&client, &server).await.unwrap() == body);
}

#[tokio::test]
async fn a_broken_stream_ends_in_an_error_that_is_worth_another_try() {
    let body = document();
    let stalled = Answer::ok(&body).stall_after(50_000);
    for (broken, is_broken) in [
        (Answer::ok(&body).reset_after(50_000), true),
        (Answer::ok(&body).cut_after(50_000), true),
        (Answer::ok(&body).chunked().cut_after(50_000), true),
        (stalled, false),
    ] {
        let server = serve([broken]);
        let (client, _) = client(if is_broken { options() } else { impatient() });
        let (start, error) = stream(&client, &server).await;
        let error = error.expect("a cut body is no end");
        assert!(error.is_retryable(), "{error:?}");
        match error.problem {
            Problem::Broken { received, .. } => assert_eq!(received, start.len() as u64),
            Problem::Stalled { .. } if !is_broken => {}
            other => panic!("{other:?}"),
        }
        assert!(body.starts_with(&start) && start.len() <= 50_000);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_time_for_everything_ends_even_what_trickles() {
    for answer in [
        Answer::ok(document()).one_byte_at_a_time(),
        Answer::silence(),
        Answer::ok(document()).with_ranges("\"1\"").stall_after(10),
    ] {
        let server = serve([answer.slow_start(Duration::from_millis(50))]);
        let request = Request {
            total_timeout: Duration::from_millis(150),
            ..request(&server.url("/document"))
        };
        let error = soon(client(options()).0.fetch(&request)).await.unwrap_err();
        assert!(
            matches!(error.problem, Problem::TimedOut { .. }),
            "{error:?}"
        );
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn no_attempt_is_waited_for_that_would_come_too_late() {
    let server = serve([Answer::status(503, "").header("Retry-After", "9")]);
    let request = Request {
        total_timeout: Duration::from_secs(8),
        ..request(&server.url("/document"))
    };
    let (client, told) = client(options());
    let (attempts, problem) = gave_up(soon(client.fetch(&request)).await.unwrap_err());
    assert_eq!(attempts, 1);
    assert_eq!(problem.retry_after(), Some(Duration::from_secs(9)));
    assert!(told.delays().is_empty());
}

#[tokio::test]
async fn whoever_stores_a_body_begins_again_with_the_same_patience() {
    let body = document();
    let broken = Answer::ok(&body).reset_after(50_000);
    let server = serve([broken.clone(), broken.clone(), Answer::ok(&body)]);
    let (patient, told) = client(options());
    let store = async |client: &Client| {
        let whole = client.retry("the test document", async || {
            match stream(client, &server).await {
                (body, None) => Ok(body),
                (_, Some(error)) => Err(error),
            }
        });
        whole.await
    };
    assert!(store(&patient).await.unwrap() == body);
    assert_eq!(told.delays().len(), 2);
    assert_eq!(server.requests().len(), 3);

    let hopeless = serve([broken]);
    let error = patient
        .retry("the test document", async || {
            match stream(&patient, &hopeless).await {
                (_, Some(error)) => Err::<(), _>(error),
                (_, None) => panic!("it never comes whole"),
            }
        })
        .await
        .unwrap_err();
    assert_eq!(hopeless.requests().len(), 3);
    assert!(matches!(error.problem, Problem::Broken { .. }), "{error:?}");

    // What has had its attempts inside is not tried again outside.
    let down = serve([Answer::status(500, "")]);
    let request = request(&down.url("/document"));
    let open = patient.retry("the test document", async || patient.open(&request).await);
    gave_up(soon(open).await.unwrap_err());
    assert_eq!(down.requests().len(), 3);
}
