use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request};
use tower::{BoxError, Layer, Service};

use crate::fence::Fence;

/// Holds back every request but GET and HEAD while the fence is closed.
#[derive(Clone)]
pub(super) struct Fencing(pub(super) Fence);

#[derive(Clone)]
pub(super) struct Fenced<S> {
    inner: S,
    fence: Fence,
}

impl<S> Layer<S> for Fencing {
    type Service = Fenced<S>;

    fn layer(&self, inner: S) -> Fenced<S> {
        Fenced { inner, fence: self.0.clone() }
    }
}

impl<S, B> Service<Request<B>> for Fenced<S>
where
    S: Service<Request<B>>,
    S::Response: Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return self.inner.call(request).map(|answer| answer.map_err(Into::into)).boxed();
        }
        if let Err(closed) = self.fence.check() {
            return futures::future::err(closed.into()).boxed();
        }
        let (fence, sending) = (self.fence.clone(), self.inner.call(request));
        async move { fence.guard(sending).await?.map_err(Into::into) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use http::Response;
    use kube::client::{Body, ClientBuilder};
    use kube::{Api, Client};
    use tokio::time::{Instant, advance, sleep};

    use super::*;
    use bedrock_access_api::v1alpha1::BedrockAccess;

    const SECOND: Duration = Duration::from_secs(1);

    /// A client behind a fence that is open for a second, and how many requests reach the server, each after `delay`.
    fn client(delay: Duration) -> (Client, Arc<AtomicUsize>) {
        let fence = Fence::default();
        fence.open_until(Instant::now() + SECOND);
        let sent = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&sent);
        let server = tower::service_fn(move |_: Request<Body>| {
            let counted = Arc::clone(&counted);
            async move {
                sleep(delay).await;
                counted.fetch_add(1, Ordering::Relaxed);
                let body = Body::from(br#"{"kind":"Status","status":"Success"}"#.to_vec());
                Ok::<_, Infallible>(Response::new(body))
            }
        });
        let client = ClientBuilder::new(server, "team-a").with_layer(&Fencing(fence)).build();
        (client, sent)
    }

    async fn delete(client: &Client) -> Result<(), kube::Error> {
        let objects: Api<BedrockAccess> = Api::default_namespaced(client.clone());
        objects.delete("assistant", &kube::api::DeleteParams::default()).await.map(drop)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_held_back_from_the_deadline_on_and_a_read_is_not() {
        let (client, sent) = client(Duration::ZERO);
        delete(&client).await.unwrap();
        advance(SECOND).await;
        let refused = delete(&client).await.unwrap_err();
        assert_eq!(refused.to_string(), "ServiceError: this instance does not hold the lease");
        assert_eq!(sent.load(Ordering::Relaxed), 1);
        client.request_text(Request::get("/version").body(Vec::new()).unwrap()).await.unwrap();
        assert_eq!(sent.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_still_waits_for_its_connection_at_the_deadline_is_not_sent() {
        let (client, sent) = client(2 * SECOND);
        delete(&client).await.unwrap_err();
        sleep(5 * SECOND).await;
        assert_eq!(sent.load(Ordering::Relaxed), 0);
    }
}
