use http::Request;
use kube::Client;
use kube::client::Body;

/// Objects in one answer to a list. Each may be as large as etcd takes (1.5 MiB), whoever made it, and an answer is held twice while
/// it is read.
pub(crate) const PAGE: u32 = 16;

/// Asks for the pages of a list that follow its first one by a client of their own: however many there are, it is one list.
pub(crate) fn by_page(following: Client, others: Client) -> Client {
    let namespace = others.default_namespace().to_owned();
    let send = move |request: Request<Body>| {
        let client = if follows(&request) { following.clone() } else { others.clone() };
        async move { client.send(request).await }
    };
    Client::new(tower::service_fn(send), namespace)
}

fn follows(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|parameter| parameter.starts_with("continue="))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::Response;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;
    use kube::api::ListParams;

    use super::*;

    /// An API server that says in each list who asked it.
    fn known_as(name: &'static str) -> Client {
        let answer = move |_: Request<Body>| async move {
            let list = format!(r#"{{"metadata": {{"resourceVersion": "{name}"}}, "items": []}}"#);
            Ok::<_, Infallible>(Response::new(Body::from(list.into_bytes())))
        };
        Client::new(tower::service_fn(answer), "default")
    }

    #[tokio::test]
    async fn the_pages_of_a_list_after_the_first_wait_for_nothing_else() {
        let api: Api<ConfigMap> = Api::all(by_page(known_as("following"), known_as("others")));
        let first = ListParams::default().limit(PAGE);
        let asked =
            async |page: &ListParams| api.list(page).await.unwrap().metadata.resource_version.unwrap();
        assert_eq!(asked(&first).await, "others");
        assert_eq!(asked(&first.continue_token("next")).await, "following");
    }
}
