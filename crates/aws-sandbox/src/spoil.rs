//! Answers that arrive spoilt: broken off in the middle, or not what the service speaks.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use hyper::body::Frame;

use crate::connection::HangUp;

/// The answer with its whole length announced and half of its body; then the connection ends.
pub(crate) async fn truncated(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = body.slice(..body.len() / 2);
    Response::from_parts(head, Body::new(Half { rest: Some(half), flushed: false }))
}

/// The answer with a body that is neither XML nor JSON.
pub(crate) fn malformed(response: Response) -> Response {
    let (head, _) = response.into_parts();
    Response::from_parts(head, Body::from("<{ this is not what the service answered"))
}

/// Bytes, and then the end of the connection instead of the end of the body.
struct Half {
    rest: Option<Bytes>,
    flushed: bool,
}

impl HttpBody for Half {
    type Data = Bytes;
    type Error = HangUp;

    /// Between the bytes and the error it is pending once: the connection is flushed only then.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HangUp>>> {
        if let Some(bytes) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if self.flushed {
            return Poll::Ready(Some(Err(HangUp::Close)));
        }
        self.flushed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
