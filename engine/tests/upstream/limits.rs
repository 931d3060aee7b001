//! Limits against hostile servers, and consideration for friendly ones.

use super::*;

/// Fetches the document and expects that it is too large.
async fn too_large(server: &Server) -> Arc<Told> {
    let (client, told) = client(options());
    let error = fetch_with(&client, server).await.unwrap_err();
    let limit = Problem::TooLarge { max_bytes: 1 << 20 };
    assert_eq!(error.problem.to_string(), limit.to_string());
    assert!(!error.is_retryable());
    assert_eq!(server.requests().len(), 1);
    told
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_begun() {
    let server = serve([Answer::ok(vec![b' '; (1 << 20) + 1])]);
    assert_eq!(too_large(&server).await.bytes_received(), 0);
    let server = serve([Answer::ok(vec![b' '; 1 << 20])]);
    assert_eq!(fetch(&server).await.unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_limit() {
    let endless = vec![b' '; 64 << 20];
    let server = serve([Answer::ok(&endless).chunked()]);
    let received = too_large(&server).await.bytes_received();
    assert!(received < 2 << 20, "{received}");
    let server = serve([Answer::ok(&endless).until_close()]);
    too_large(&server).await;
    assert!(server.bytes_sent() < 64 << 20);
}

#[tokio::test]
async fn a_decompression_bomb_is_decoded_no_further_than_the_limit() {
    let zeros = vec![0; 64 << 20];
    for (coding, bomb) in [
        // 16 GiB in 256 members, and 64 MiB in one.
        ("gzip", gzip(&zeros).repeat(256)),
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("zstd", zstd(&zeros).repeat(10_000)),
        // Compressed well, 1 MiB is far less than this.
        ("zstd", zstd(&zeros)),
    ] {
        let answer = Answer::ok(&bomb)
            .chunked()
            .header("Content-Encoding", coding);
        let server = serve([answer]);
        let (client, told) = client(options());
        let (decoded, error) = stream(&client, &server).await;
        let problem = error.unwrap().problem;
        assert!(matches!(problem, Problem::TooLarge { .. }), "{problem:?}");
        assert!(decoded.len() <= 1 << 20);
        // What gives 1 MiB decoded is read, and what was read ahead of it.
        let received = told.bytes_received();
        assert!(received < 600_000, "{coding}: {received}");
    }
}

#[tokio::test]
async fn what_decodes_to_nothing_does_not_come_for_ever() {
    let empty_members = gzip(b"").repeat(100_000);
    let answer = Answer::ok(&empty_members).header("Content-Encoding", "gzip");
    let server = serve([answer.chunked()]);
    let received = too_large(&server).await.bytes_received();
    assert!(received < empty_members.len() as u64, "{received}");
}

#[tokio::test]
async fn a_coding_that_was_not_asked_for_is_refused() {
    for coding in ["br", "gzip, gzip", "compress"] {
        let server = serve([Answer::ok("?").header("Content-Encoding", coding)]);
        let error = fetch(&server).await.unwrap_err();
        assert!(error.to_string().contains(coding), "{error}");
        assert!(matches!(error.problem, Problem::UnknownCoding { .. }));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn gzip_that_is_none_is_said_to_be_none() {
    for coding in ["gzip", "zstd"] {
        let server = serve([Answer::ok(document()).header("Content-Encoding", coding)]);
        let error = fetch(&server).await.unwrap_err();
        assert!(error.to_string().contains(coding), "{error}");
        assert!(matches!(error.problem, Problem::FalseCoding { .. }));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_few_redirects_on_the_same_server_are_followed() {
    let number = |query: &str| query.parse::<u32>().unwrap_or(0);
    let hop = |index: u32| {
        Route::new("/document", [Answer::redirect(&format!("?{}", index + 1))])
            .when_query(move |query| number(query) == index)
    };
    let last = Route::new("/document", [Answer::ok("text")]);
    let server = Server::start((0..5).map(hop).chain([last]));
    assert_eq!(fetch(&server).await.unwrap(), b"text");
    assert_eq!(server.requests().len(), 6);

    let circle = serve([Answer::redirect("/document")]);
    let error = fetch(&circle).await.unwrap_err();
    assert!(matches!(error.problem, Problem::TooManyRedirects { .. }));
    assert_eq!(circle.requests().len(), 6);
}

#[tokio::test]
async fn a_redirect_elsewhere_is_not_followed() {
    let elsewhere = serve([Answer::ok("text")]);
    let port = elsewhere.address.port();
    for (location, to) in [
        (elsewhere.url("/document"), elsewhere.url("")),
        (
            format!("http://localhost:{port}/document"),
            format!("http://localhost:{port}"),
        ),
        ("ftp://127.0.0.1/".to_owned(), "ftp://127.0.0.1".to_owned()),
    ] {
        let server = serve([Answer::redirect(&location)]);
        let error = fetch(&server).await.unwrap_err();
        let is_elsewhere = matches!(error.problem, Problem::RedirectElsewhere { .. });
        assert!(is_elsewhere && !error.is_retryable(), "{error:?}");
        for place in [server.url(""), to] {
            assert!(error.to_string().contains(&place), "{error}");
        }
        assert_eq!(server.requests().len(), 1);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn an_address_with_a_password_is_refused_and_not_shown() {
    let server = serve([Answer::ok("text")]);
    let url = format!("http://me:secret@{}/document", server.address);
    for url in [&url, "ftp://127.0.0.1/document"] {
        let error = soon(client(options()).0.fetch(&request(url)))
            .await
            .unwrap_err();
        assert!(
            matches!(error.problem, Problem::Address { .. }),
            "{error:?}"
        );
        assert!(!error.is_retryable() && !format!("{error}{error:?}").contains("secret"));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_host_is_asked_for_one_thing_at_a_time() {
    let slow = |body: &str| {
        Answer::ok(body)
            .slow_start(Duration::from_millis(10))
            .chunked()
    };
    let server = Server::start([
        Route::new("/document", [Answer::status(500, ""), slow("one")]),
        Route::new("/other", [slow("other")]),
    ]);
    let (client, _) = client(options());
    let downloads = (0..8).map(|index| {
        let path = ["/document", "/other"][index % 2];
        let (client, request) = (client.clone(), request(&server.url(path)));
        async move { client.fetch(&request).await.unwrap() }
    });
    soon(futures::future::join_all(downloads)).await;
    assert_eq!(server.requests().len(), 9);
    assert_eq!(server.peak(), 1);
}

#[tokio::test]
async fn other_hosts_do_not_wait() {
    let (busy, free) = (serve([Answer::ok("busy")]), serve([Answer::ok("free")]));
    let (client, _) = client(options());
    let held = soon(client.open(&request(&busy.url("/document"))))
        .await
        .unwrap();
    assert_eq!(fetch_with(&client, &free).await.unwrap(), b"free");
    drop(held);
    assert_eq!(fetch_with(&client, &busy).await.unwrap(), b"busy");
}

#[tokio::test]
async fn a_download_that_has_ended_lets_the_next_one_begin() {
    let server = serve([Answer::ok("text")]);
    let (client, _) = client(options());
    let mut ended = soon(client.open(&request(&server.url("/document"))))
        .await
        .unwrap();
    while soon(ended.next()).await.is_some() {}
    assert_eq!(fetch_with(&client, &server).await.unwrap(), b"text");
    drop(ended);
}

#[tokio::test]
async fn whoever_loses_interest_closes_the_connection() {
    let server = Server::start([
        Route::new("/document", [Answer::ok(document()).stall_after(10)]),
        Route::new("/silence", [Answer::silence()]),
    ]);
    let (client, _) = client(options());
    let mut download = soon(client.open(&request(&server.url("/document"))))
        .await
        .unwrap();
    assert!(soon(download.next()).await.unwrap().is_ok());
    assert_eq!(server.num_active(), 1);
    drop(download);
    let is_idle = async || {
        while server.num_active() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon(is_idle()).await;

    let request = request(&server.url("/silence"));
    let is_asked = async {
        while server.num_active() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        result = client.open(&request) => panic!("{result:?}"),
        () = soon(is_asked) => {}
    }
    soon(is_idle()).await;
}
