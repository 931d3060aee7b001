//! An HTTP/1.1 server on loopback that does what it is told to: answers as it should, slowly, or not at all,
//! breaks off, refuses, redirects and lies.
//!
//! It lives on a thread of its own, so that a test without a runtime that starts the real program can use it, and
//! is gone when it is dropped. It answers one request on a connection and speaks of nothing but its script: a
//! route's answers are given one after the other, the last one again and again.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How a body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    ContentLength,
    Chunked,
    /// The end of the connection is the end of the body.
    Close,
}

/// What happens to an answer on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    OneByteAtATime,
    /// The connection is reset after so many bytes of the body.
    Reset(usize),
    /// The connection is closed after so many bytes of the body, as if that were all.
    Cut(usize),
    /// Nothing more comes after so many bytes of the body, and the connection stays open.
    Stall(usize),
    /// Nothing comes at all, not even headers.
    Silence,
    /// The connection is closed without an answer.
    HangUp,
}

/// One answer to one request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Arc<[u8]>,
    framing: Framing,
    trouble: Trouble,
    takes_ranges: bool,
    delay: Duration,
    /// Sent in place of everything else.
    raw: Option<Arc<[u8]>>,
}

impl Answer {
    /// Status 200 with this body and its length.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::status(200, body)
    }

    /// Any status with this body and its length.
    pub(crate) fn status(status: u16, body: impl AsRef<[u8]>) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: body.as_ref().into(),
            framing: Framing::ContentLength,
            trouble: Trouble::None,
            takes_ranges: false,
            delay: Duration::ZERO,
            raw: None,
        }
    }

    /// Status 302 to `location`.
    pub(crate) fn redirect(location: &str) -> Self {
        Self::status(302, "").header("Location", location)
    }

    /// These bytes, and then the end of the connection.
    pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Answer {
            raw: Some(bytes.as_ref().into()),
            ..Self::ok("")
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Marks the version, and serves ranges of it: `If-Range` with another mark gets the whole body.
    pub(crate) fn with_ranges(mut self, etag: &str) -> Self {
        self.takes_ranges = true;
        self.header("ETag", etag).header("Accept-Ranges", "bytes")
    }

    /// Sends the body in chunks.
    pub(crate) fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// Shows the end of the body by the end of the connection alone.
    pub(crate) fn until_close(mut self) -> Self {
        self.framing = Framing::Close;
        self
    }

    /// Waits before anything is sent.
    pub(crate) fn slow_start(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends every byte of the body by itself.
    pub(crate) fn one_byte_at_a_time(self) -> Self {
        self.trouble(Trouble::OneByteAtATime)
    }

    /// Resets the connection after so many bytes of the body.
    pub(crate) fn reset_after(self, num_bytes: usize) -> Self {
        self.trouble(Trouble::Reset(num_bytes))
    }

    /// Closes the connection after so many bytes of the body, in the middle of what its framing announced.
    pub(crate) fn cut_after(self, num_bytes: usize) -> Self {
        self.trouble(Trouble::Cut(num_bytes))
    }

    /// Sends so many bytes of the body and then nothing, for ever.
    pub(crate) fn stall_after(self, num_bytes: usize) -> Self {
        self.trouble(Trouble::Stall(num_bytes))
    }

    /// Sends nothing, for ever.
    pub(crate) fn silence() -> Self {
        Self::ok("").trouble(Trouble::Silence)
    }

    /// Closes the connection instead of answering.
    pub(crate) fn hang_up() -> Self {
        Self::ok("").trouble(Trouble::HangUp)
    }

    fn trouble(mut self, trouble: Trouble) -> Self {
        self.trouble = trouble;
        self
    }
}

/// A path, which queries of it, and what is answered.
pub(crate) struct Route {
    path: String,
    takes_query: Box<dyn Fn(&str) -> bool + Send + Sync>,
    script: Vec<Answer>,
    num_answered: Mutex<usize>,
}

impl Route {
    /// Gives these answers one after the other, the last one again and again.
    pub(crate) fn new(path: &str, script: impl IntoIterator<Item = Answer>) -> Self {
        let script: Vec<Answer> = script.into_iter().collect();
        assert!(!script.is_empty(), "{path} needs an answer");
        Route {
            path: path.to_owned(),
            takes_query: Box::new(|_| true),
            script,
            num_answered: Mutex::new(0),
        }
    }

    /// Answers only the queries (without the question mark, as they are sent) for which `predicate` holds.
    pub(crate) fn when_query(
        mut self,
        predicate: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.takes_query = Box::new(predicate);
        self
    }

    fn next(&self) -> Answer {
        let mut num_answered = self.num_answered.lock().expect("no test panics here");
        let index = (*num_answered).min(self.script.len() - 1);
        *num_answered += 1;
        self.script[index].clone()
    }
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Without the question mark; empty where there is none.
    pub(crate) query: String,
    /// The names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

impl Recorded {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let is_it = |(other, _): &&(String, String)| other == name;
        let (_, value) = self.headers.iter().find(is_it)?;
        Some(value)
    }
}

/// What happened so far.
#[derive(Debug, Default)]
struct Log {
    requests: Vec<Recorded>,
    num_active: usize,
    peak: usize,
    bytes_sent: u64,
}

struct Shared {
    routes: Vec<Route>,
    log: Mutex<Log>,
}

impl Shared {
    fn log<T>(&self, change: impl FnOnce(&mut Log) -> T) -> T {
        change(&mut self.log.lock().expect("no test panics here"))
    }
}

/// A server at work until it is dropped.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port; whatever no route takes is answered with 404.
    pub(crate) fn start(routes: impl IntoIterator<Item = Route>) -> Self {
        let shared = Arc::new(Shared {
            routes: routes.into_iter().collect(),
            log: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let (send_address, address) = mpsc::sync_channel(1);
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be built");
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await;
                let listener = listener.expect("loopback has a free port");
                let address = listener.local_addr().expect("it is bound");
                send_address.send(address).expect("the test waits for it");
                tokio::select! {
                    () = accept(listener, for_thread) => {}
                    _ = stopped => {}
                }
            });
        });
        Server {
            address: address.recv().expect("the server starts"),
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The address of a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far, in order.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.log(|log| log.requests.clone())
    }

    /// How many requests were being answered at once, at most.
    pub(crate) fn peak(&self) -> usize {
        self.shared.log(|log| log.peak)
    }

    /// How many requests are being answered now.
    pub(crate) fn num_active(&self) -> usize {
        self.shared.log(|log| log.num_active)
    }

    /// How many bytes were handed to the system for sending.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.shared.log(|log| log.bytes_sent)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Dropping the sender tells the thread as well.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.expect("loopback accepts");
                let connection = Connection { stream, shared: Arc::clone(&shared), is_active: false };
                // That a client goes away is no failure.
                connections.spawn(async move { let _ = connection.serve().await; });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, which takes one request.
struct Connection {
    stream: TcpStream,
    shared: Arc<Shared>,
    is_active: bool,
}

impl Connection {
    async fn serve(mut self) -> io::Result<()> {
        let Some(request) = self.read_request().await? else {
            return Ok(());
        };
        let takes =
            |route: &&Route| route.path == request.path && (route.takes_query)(&request.query);
        let answer = match self.shared.routes.iter().find(takes) {
            Some(route) => route.next(),
            None => Answer::status(404, "no such route"),
        };
        self.shared.log(|log| {
            log.requests.push(request.clone());
            log.num_active += 1;
            log.peak = log.peak.max(log.num_active);
        });
        self.is_active = true;
        tokio::time::sleep(answer.delay).await;
        match (&answer.raw, answer.trouble) {
            (Some(raw), _) => self.send_last(raw).await,
            (None, Trouble::Silence) => self.wait_for_the_end().await,
            (None, Trouble::HangUp) => Ok(()),
            (None, _) => self.answer(&request, &answer).await,
        }
    }

    async fn read_request(&mut self) -> io::Result<Option<Recorded>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read_u8().await {
                Ok(byte) => head.push(byte),
                // An idle connection that the client closes.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let head = String::from_utf8_lossy(&head);
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Ok(Some(Recorded {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: lines.filter_map(header).collect(),
        }))
    }

    async fn answer(&mut self, request: &Recorded, answer: &Answer) -> io::Result<()> {
        let range = wanted_range(request, answer);
        let mut head = String::new();
        let status = if range.is_some() { 206 } else { answer.status };
        head += &format!("HTTP/1.1 {status} As told\r\nConnection: close\r\n");
        if let Some(range) = &range {
            let (start, end, total) = (range.start, range.end - 1, answer.body.len());
            head += &format!("Content-Range: bytes {start}-{end}/{total}\r\n");
        }
        for (name, value) in &answer.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let body = &answer.body[range.unwrap_or(0..answer.body.len())];
        match answer.framing {
            Framing::ContentLength => head += &format!("Content-Length: {}\r\n", body.len()),
            Framing::Chunked => head += "Transfer-Encoding: chunked\r\n",
            Framing::Close => {}
        }
        head += "\r\n";
        if body.is_empty() && answer.framing == Framing::ContentLength {
            return self.send_last(head.as_bytes()).await;
        }
        self.send(head.as_bytes()).await?;
        self.send_body(body, answer).await
    }

    async fn send_body(&mut self, body: &[u8], answer: &Answer) -> io::Result<()> {
        let (sent, piece_bytes) = match answer.trouble {
            Trouble::Reset(after) | Trouble::Cut(after) | Trouble::Stall(after) => {
                (&body[..after.min(body.len())], 16 * 1024)
            }
            Trouble::OneByteAtATime => (body, 1),
            Trouble::None | Trouble::Silence | Trouble::HangUp => (body, 16 * 1024),
        };
        if answer.trouble == Trouble::OneByteAtATime {
            self.stream.set_nodelay(true)?;
        }
        let is_whole = matches!(answer.trouble, Trouble::None | Trouble::OneByteAtATime);
        let mut pieces = sent.chunks(piece_bytes).peekable();
        while let Some(piece) = pieces.next() {
            let framed = match answer.framing {
                Framing::Chunked => {
                    [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()
                }
                Framing::ContentLength | Framing::Close => piece.to_vec(),
            };
            let is_last = is_whole && pieces.peek().is_none();
            if is_last && answer.framing != Framing::Chunked {
                self.send_last(&framed).await?;
            } else {
                self.send(&framed).await?;
            }
        }
        match answer.trouble {
            Trouble::Stall(_) => self.wait_for_the_end().await,
            Trouble::Reset(_) => self.reset().await,
            _ if is_whole && answer.framing == Framing::Chunked => {
                self.send_last(b"0\r\n\r\n").await
            }
            _ => Ok(()),
        }
    }

    /// Closes the connection in such a way that the client's system reports a reset.
    async fn reset(&mut self) -> io::Result<()> {
        // What was sent is lost with the connection unless the client has taken it by then.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.stream.set_zero_linger()
    }

    /// Waits until the client closes the connection.
    async fn wait_for_the_end(&mut self) -> io::Result<()> {
        let mut buffer = [0; 64];
        while self.stream.read(&mut buffer).await? > 0 {}
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.shared.log(|log| log.bytes_sent += bytes.len() as u64);
        Ok(())
    }

    /// Sends the last bytes. The client may begin its next request as soon as it has them, so this one is over
    /// before that.
    async fn send_last(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.is_over();
        self.send(bytes).await
    }

    fn is_over(&mut self) {
        if std::mem::take(&mut self.is_active) {
            self.shared.log(|log| log.num_active -= 1);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.is_over();
    }
}

/// The part of the body that is asked for, where this answer serves parts and is still of the asked version.
fn wanted_range(request: &Recorded, answer: &Answer) -> Option<Range<usize>> {
    if !answer.takes_ranges || answer.status != 200 {
        return None;
    }
    let start = request.header("range")?.strip_prefix("bytes=")?;
    let start: usize = start.strip_suffix('-')?.parse().ok()?;
    let is_version = |(name, value): &(String, String)| {
        ["ETag", "Last-Modified"].contains(&name.as_str())
            && request
                .header("if-range")
                .is_none_or(|version| version == value)
    };
    let is_same = answer.headers.iter().any(is_version);
    (is_same && start < answer.body.len()).then_some(start..answer.body.len())
}
