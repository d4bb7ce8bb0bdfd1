//! Who stays connected, and for how long: whoever reaches the port can open connections and say nothing.

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Of a request's line and headers; what a client sends beyond it is not read.
const LONGEST_HEAD: usize = 16 * 1024;

/// What clients may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Open at once, of all clients together.
    connections: usize,
    /// Until a request's headers are complete.
    head: Duration,
    /// From connecting until the answer is read.
    whole: Duration,
}

/// A probe takes milliseconds, and Prometheus gives a scrape ten seconds.
pub(super) const LIMITS: Limits =
    Limits { connections: 64, head: Duration::from_secs(5), whole: Duration::from_secs(10) };

/// Answers every client by the router, for as long as this is polled.
pub(super) async fn answer_all(mut listener: TcpListener, router: Router, limits: Limits) {
    let mut open = Vec::new();
    loop {
        // Waits while there is no file descriptor to be had.
        let (stream, peer) = Listener::accept(&mut listener).await;
        make_room(&mut open, limits.connections);
        let connection = tokio::spawn(answer(stream, router.clone(), limits));
        open.push((peer.ip(), connection.abort_handle()));
    }
}

/// One request and its answer: who asks again connects again, so that nobody holds a place for later.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router, limits: Limits) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(LONGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A client that goes away, or is cut off, concerns nobody else.
    let _ = timeout(limits.whole, connection).await;
}

/// Makes room for one more among connections that stand in the order in which they came.
fn make_room(open: &mut Vec<(IpAddr, AbortHandle)>, most: usize) {
    open.retain(|(_, connection)| !connection.is_finished());
    if open.len() >= most {
        let peers: Vec<IpAddr> = open.iter().map(|(peer, _)| *peer).collect();
        if let Some(place) = gives_way(&peers) {
            let (_, connection) = open.remove(place);
            connection.abort();
        }
    }
}

/// Which connection is closed for another: the oldest of the client that has the most, so that one which floods the port drives
/// out itself, and never the kubelet.
fn gives_way(peers: &[IpAddr]) -> Option<usize> {
    let of = |peer: &IpAddr| peers.iter().filter(|other| *other == peer).count();
    let oldest_last = peers.iter().enumerate().rev();
    oldest_last.max_by_key(|(_, peer)| of(peer)).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use futures::StreamExt;
    use futures::stream::FuturesUnordered;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::net::{TcpSocket, TcpStream};

    use super::*;

    const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nhost: operator\r\n\r\n";

    /// So long that a test would rather hang.
    const PATIENCE: Duration = Duration::from_mins(1);

    fn router() -> Router {
        Router::new().route("/livez", get(async || "ok\n")).route("/long", get(async || "x".repeat(1 << 16)))
    }

    async fn listening(limits: Limits) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(answer_all(listener, router(), limits));
        address
    }

    async fn connect(from: &str, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
        socket.connect(to).await.unwrap()
    }

    /// All that the other side sends until it closes; a connection that is reset ends like one that is closed.
    async fn received(stream: &mut (impl AsyncRead + Unpin)) -> String {
        let mut bytes = Vec::new();
        let reading = timeout(PATIENCE, stream.read_to_end(&mut bytes));
        let _ = reading.await.expect("the connection is closed");
        String::from_utf8(bytes).unwrap()
    }

    fn answering() -> DuplexStream {
        let (client, server) = duplex(1024);
        tokio::spawn(answer(server, router(), LIMITS));
        client
    }

    #[tokio::test]
    async fn probes_are_answered_while_300_connections_with_unfinished_headers_are_open() {
        // Nothing is closed for the time that it takes.
        let patient = Limits { head: PATIENCE * 10, whole: PATIENCE * 10, ..LIMITS };
        let address = listening(patient).await;
        let mut early = connect("127.0.0.1", address).await;
        early.write_all(&REQUEST[..20]).await.unwrap();
        let mut flood = Vec::new();
        for _ in 0..300 {
            let mut connection = connect("127.0.0.2", address).await;
            // Its place may be gone already.
            let _ = connection.write_all(b"GET /livez HTTP/1.1\r\nunfinished: ").await;
            flood.push(connection);
        }

        early.write_all(&REQUEST[20..]).await.unwrap();
        let mut late = connect("127.0.0.1", address).await;
        late.write_all(REQUEST).await.unwrap();
        for probe in [&mut early, &mut late] {
            assert!(received(probe).await.starts_with("HTTP/1.1 200 OK"));
        }
        let driven_out: FuturesUnordered<_> =
            flood.iter_mut().map(async |connection| received(connection).await).collect();
        let first = driven_out.take(300 - LIMITS.connections).count();
        assert_eq!(first.await, 300 - LIMITS.connections);
    }

    #[test]
    fn the_oldest_connection_of_the_client_with_the_most_gives_way() {
        let peers = |ends: &[u8]| ends.iter().map(|end| IpAddr::from([10, 0, 0, *end])).collect::<Vec<_>>();
        assert_eq!(gives_way(&peers(&[1, 2, 3, 2])), Some(1));
        assert_eq!(gives_way(&peers(&[1, 2, 3])), Some(0), "the oldest, where all have as many");
        assert_eq!(gives_way(&[]), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_or_not_all_is_cut_off() {
        for said in [&b""[..], &REQUEST[..20]] {
            let mut client = answering();
            client.write_all(said).await.unwrap();
            assert_eq!(received(&mut client).await, "");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_its_answer_is_cut_off() {
        let mut client = answering();
        client.write_all(b"GET /long HTTP/1.1\r\nhost: operator\r\n\r\n").await.unwrap();
        tokio::time::sleep(2 * LIMITS.whole).await;
        let received = received(&mut client).await;
        assert!(received.starts_with("HTTP/1.1 200 OK") && received.len() <= 1024, "{}", received.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_of_more_than_16_kib_is_refused() {
        let (mut reading, mut writing) = tokio::io::split(answering());
        let head = format!("GET /livez HTTP/1.1\r\nlong: {}\r\n\r\n", "x".repeat(LONGEST_HEAD));
        // Not all of it is read.
        let (_, answer) = tokio::join!(writing.write_all(head.as_bytes()), received(&mut reading));
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_good_for_one_request() {
        let mut client = answering();
        client.write_all(REQUEST).await.unwrap();
        let received = received(&mut client).await;
        assert!(received.contains("connection: close") && received.ends_with("ok\n"), "{received}");
    }
}
