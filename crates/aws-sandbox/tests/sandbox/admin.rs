use std::time::Duration;

use aws_sandbox::{Config, NewRole, Reads, Sandbox, router};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn ask(sandbox: &Sandbox, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let response = router(sandbox.clone()).oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_call_log_is_read_and_cleared_and_does_not_count_admin_calls() {
    let sandbox = Sandbox::new(Config::default());
    ask(&sandbox, "GET", "/inference-profiles/us.amazon.nova-lite-v1:0", None).await;
    ask(&sandbox, "GET", "/_sandbox/health", None).await;
    let expected = json!([{
        "service": "bedrock", "operation": "GetInferenceProfile", "region": "us-east-1",
        "target": "us.amazon.nova-lite-v1:0", "outcome": "Ok",
    }]);
    assert_eq!(ask(&sandbox, "GET", "/_sandbox/calls", None).await, (StatusCode::OK, expected));
    assert_eq!(ask(&sandbox, "DELETE", "/_sandbox/calls", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ask(&sandbox, "GET", "/_sandbox/calls", None).await.1, json!([]));
}

#[tokio::test]
async fn faults_are_armed_listed_and_cleared() {
    let sandbox = Sandbox::new(Config::default());
    let fault =
        json!({"service": "bedrock", "operation": "GetInferenceProfile", "kind": "Throttle", "times": 2});
    assert_eq!(ask(&sandbox, "POST", "/_sandbox/faults", Some(fault)).await.0, StatusCode::NO_CONTENT);
    let (status, error) = ask(&sandbox, "GET", "/inference-profiles/us.amazon.nova-lite-v1:0", None).await;
    assert_eq!((status, &error["__type"]), (StatusCode::TOO_MANY_REQUESTS, &json!("ThrottlingException")));
    assert_eq!(ask(&sandbox, "GET", "/_sandbox/faults", None).await.1[0]["times"], 1);
    ask(&sandbox, "DELETE", "/_sandbox/faults", None).await;
    assert_eq!(
        ask(&sandbox, "GET", "/inference-profiles/us.amazon.nova-lite-v1:0", None).await.0,
        StatusCode::OK
    );
    let unknown = json!({"kind": "Throttle", "operatoin": "x"});
    assert_eq!(
        ask(&sandbox, "POST", "/_sandbox/faults", Some(unknown)).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test(start_paused = true)]
async fn every_answer_of_aws_waits_as_long_as_it_is_told() {
    let sandbox = Sandbox::new(Config::default());
    let seconds = async || {
        let started = tokio::time::Instant::now();
        ask(&sandbox, "GET", "/inference-profiles/us.amazon.nova-lite-v1:0", None).await;
        started.elapsed().as_secs()
    };
    let latency = "/_sandbox/latency";
    assert_eq!(seconds().await, 0);
    let minute = json!({"milliseconds": 60_000});
    assert_eq!(ask(&sandbox, "PUT", latency, Some(minute.clone())).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ask(&sandbox, "GET", latency, None).await, (StatusCode::OK, minute));
    assert_eq!(seconds().await, 60);
    assert_eq!(ask(&sandbox, "DELETE", latency, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(seconds().await, 0);
}

#[tokio::test]
async fn profiles_and_models_are_changed_and_removed() {
    let sandbox = Sandbox::new(Config::default());
    let profile = "/_sandbox/profiles/us-east-1/us.amazon.nova-lite-v1:0";
    let route = json!({"destinations": ["us-east-1", "us-east-2"]});
    assert_eq!(ask(&sandbox, "PUT", profile, Some(route.clone())).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ask(&sandbox, "GET", profile, None).await, (StatusCode::OK, route));
    let (_, answer) = ask(&sandbox, "GET", "/inference-profiles/us.amazon.nova-lite-v1:0", None).await;
    assert_eq!(answer["models"].as_array().map(Vec::len), Some(2));
    ask(&sandbox, "DELETE", profile, None).await;
    assert_eq!(ask(&sandbox, "GET", profile, None).await.0, StatusCode::NOT_FOUND);

    let model = "/_sandbox/models/us-east-1/amazon.nova-lite-v1:0";
    ask(&sandbox, "PUT", model, Some(json!({"inferenceTypes": ["PROVISIONED"]}))).await;
    let (_, answer) = ask(&sandbox, "GET", "/foundation-models/amazon.nova-lite-v1:0", None).await;
    assert_eq!(answer["modelDetails"]["inferenceTypesSupported"], json!(["PROVISIONED"]));
    ask(&sandbox, "DELETE", model, None).await;
    assert_eq!(
        ask(&sandbox, "GET", "/foundation-models/amazon.nova-lite-v1:0", None).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn application_profiles_and_tagged_resources_are_declared_tagged_and_removed() {
    let sandbox = Sandbox::new(Config::default());
    let application = "/_sandbox/application-profiles/us-east-1/a1b2c3d4e5f6";
    let body =
        json!({"name": "billing", "modelArns": ["arn:aws:bedrock:::foundation-model/m"], "tags": {"k": "a"}});
    assert_eq!(ask(&sandbox, "PUT", application, Some(body)).await.0, StatusCode::NO_CONTENT);
    let (_, answer) = ask(&sandbox, "GET", "/inference-profiles/a1b2c3d4e5f6", None).await;
    assert_eq!(answer["models"], json!([{"modelArn": "arn:aws:bedrock:::foundation-model/m"}]));
    let resource = "arn:aws:bedrock:us-east-1:111122223333:imported-model/abcdefghijkl";
    let declare = format!("/_sandbox/resources/{resource}");
    let body = json!({"tags": {"k": "a"}});
    assert_eq!(ask(&sandbox, "PUT", &declare, Some(body)).await.0, StatusCode::NO_CONTENT);

    let profile = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6";
    let listed = async |arn: &str| {
        ask(&sandbox, "POST", "/listTagsForResource", Some(json!({"resourceARN": arn}))).await
    };
    let route = |arn: &str| format!("/_sandbox/tags/{}", arn.replace('/', "%2F"));
    let tags = |value: &str| Some(json!({"tags": {"k": value}}));
    for arn in [resource, profile] {
        assert_eq!(listed(arn).await, (StatusCode::OK, json!({"tags": [{"key": "k", "value": "a"}]})));
        assert_eq!(ask(&sandbox, "PUT", &route(arn), tags("b")).await.0, StatusCode::NO_CONTENT);
        assert_eq!(
            ask(&sandbox, "GET", &route(arn), None).await,
            (StatusCode::OK, json!({"tags": {"k": "b"}}))
        );
        assert_eq!(listed(arn).await.1, json!({"tags": [{"key": "k", "value": "b"}]}));
    }
    for path in [application, &declare] {
        assert_eq!(ask(&sandbox, "DELETE", path, None).await.0, StatusCode::NO_CONTENT);
    }
    for arn in [resource, profile] {
        assert_eq!(ask(&sandbox, "PUT", &route(arn), tags("c")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask(&sandbox, "GET", &route(arn), None).await.0, StatusCode::NOT_FOUND);
        assert_eq!(listed(arn).await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_history_of_a_role_is_read() {
    let sandbox = Sandbox::new(Config::default());
    sandbox.create_role(NewRole::new("r").policy("p", "{}"));
    sandbox.delete_role_policy("r", "p");
    let expected = json!([{"policy": "p", "document": "{}"}, {"policy": "p", "document": null}]);
    assert_eq!(ask(&sandbox, "GET", "/_sandbox/history/r", None).await, (StatusCode::OK, expected));
    let expected = json!([{"p": "{}"}, {}]);
    assert_eq!(ask(&sandbox, "GET", "/_sandbox/history/r/states", None).await, (StatusCode::OK, expected));
    assert_eq!(ask(&sandbox, "GET", "/_sandbox/nothing", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_reads_see_is_set_and_the_clock_is_moved() {
    let sandbox = Sandbox::new(Config::default());
    let (reads, clock) = ("/_sandbox/reads", "/_sandbox/clock");
    assert_eq!(ask(&sandbox, "GET", reads, None).await, (StatusCode::OK, json!({"lagMilliseconds": 0})));
    let flapping = json!({"lagMilliseconds": 5000, "flappingSeed": 3});
    assert_eq!(ask(&sandbox, "PUT", reads, Some(flapping.clone())).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ask(&sandbox, "GET", reads, None).await.1, flapping);
    assert_eq!(sandbox.reads(), Reads::Flapping { lag: Duration::from_secs(5), seed: 3 });

    ask(&sandbox, "PUT", reads, Some(json!({"lagMilliseconds": 60_000}))).await;
    assert_eq!(sandbox.reads(), Reads::Lagging(Duration::from_mins(1)));
    sandbox.create_role("r");
    let get_role = async || {
        let request = Request::post("/").body(Body::from("Action=GetRole&Version=2010-05-08&RoleName=r"));
        router(sandbox.clone()).oneshot(request.unwrap()).await.unwrap().status()
    };
    assert_eq!(get_role().await, StatusCode::NOT_FOUND);
    let minute = json!({"milliseconds": 60_000});
    assert_eq!(ask(&sandbox, "POST", clock, Some(minute)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(get_role().await, StatusCode::OK);
    ask(&sandbox, "DELETE", reads, None).await;
    assert_eq!(sandbox.reads(), Reads::Newest);
}
