//! The accept loop, which can end a connection without an answer as no ordinary server does.

use std::io;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt;

/// As an extension of a response: do not send it, end the connection instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HangUp {
    /// Close it (TCP FIN).
    #[error("the connection is closed without an answer")]
    Close,
    /// Reset it (TCP RST).
    #[error("the connection is reset without an answer")]
    Reset,
}

/// Serves until the listener fails. Dropping the future ends every connection.
pub(crate) async fn accept(router: Router, listener: TcpListener) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(router.clone(), stream));
                }
                Err(error) if ended_before_accept(&error) => {}
                Err(error) => return Err(error),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(router: Router, stream: TcpStream) {
    // A small answer must not wait for the client's acknowledgement; without the option it is only slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let answer = router.clone().oneshot(request.map(Body::new));
        Box::pin(async move {
            let Ok(response) = answer.await;
            match response.extensions().get::<HangUp>() {
                Some(&hang_up) => Err(hang_up),
                None => Ok(response),
            }
        })
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else {
        return;
    };
    let hang_up = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<HangUp>());
    if hang_up == Some(&HangUp::Reset) {
        let stream = connection.into_parts().io.into_inner();
        // Where the option fails the connection is closed instead of reset, still without an answer.
        let _ = stream.set_zero_linger();
    }
}

fn ended_before_accept(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
