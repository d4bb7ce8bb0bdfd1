use std::io::ErrorKind;
use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, Outcome, Sandbox, Server, Service};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clients::{bedrock, iam, served, sts};

const PATIENCE: Duration = Duration::from_secs(10);
const PUT: &str = "Action=PutRolePolicy&Version=2010-05-08&RoleName=r&PolicyName=p&PolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";

/// A connection on which the form has just been posted.
async fn posted(server: &Server, form: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: sandbox\r\ncontent-length: {}\r\n\r\n", form.len());
    stream.write_all((head + form).as_bytes()).await.unwrap();
    stream
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection ends")?;
    Ok(answer)
}

fn outcomes(sandbox: &Sandbox) -> Vec<Outcome> {
    sandbox.calls().into_iter().map(|call| call.outcome).collect()
}

#[tokio::test]
async fn a_reset_ends_the_connection_without_an_answer_and_without_an_effect() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    sandbox.fault(Fault::new(FaultKind::Reset).of(Service::Iam, "PutRolePolicy").times(1));
    let error = read(&mut posted(&server, PUT).await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(sandbox.role_policies("r").is_empty());
    assert_eq!(outcomes(&sandbox), [Outcome::Reset]);
}

#[tokio::test]
async fn a_lost_reply_closes_the_connection_after_the_effect() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    sandbox.fault(Fault::new(FaultKind::LostReply).of(Service::Iam, "PutRolePolicy").times(1));
    assert_eq!(read(&mut posted(&server, PUT).await).await.unwrap(), b"");
    assert_eq!(sandbox.role_policies("r"), ["p"]);
    assert_eq!(outcomes(&sandbox), [Outcome::LostReply]);
}

#[tokio::test]
async fn a_hanging_call_is_never_answered_and_has_no_effect() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    sandbox.fault(Fault::new(FaultKind::Hang).of(Service::Iam, "PutRolePolicy"));
    let mut stream = posted(&server, PUT).await;
    let hung = async {
        while outcomes(&sandbox) != [Outcome::Hang] {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, hung).await.expect("the call arrives");
    sandbox.clear_faults();
    iam(&server).get_role().role_name("r").send().await.expect("others are answered meanwhile");
    let nothing = stream.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    assert!(sandbox.role_policies("r").is_empty());
    drop(server);
    assert_eq!(read(&mut stream).await.unwrap_or_default(), b"", "the end of the server ends the connection");
}

#[tokio::test]
async fn a_call_that_hangs_after_its_effect_is_never_answered() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    sandbox.fault(Fault::new(FaultKind::HangAfter).of(Service::Iam, "PutRolePolicy").times(1));
    let mut stream = posted(&server, PUT).await;
    let hung = async {
        while outcomes(&sandbox) != [Outcome::HangAfter] {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, hung).await.expect("the call arrives");
    assert_eq!(sandbox.role_policies("r"), ["p"]);
    assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(server);
    assert_eq!(read(&mut stream).await.unwrap_or_default(), b"", "the end of the server ends the connection");
}

#[tokio::test]
async fn a_truncated_answer_announces_its_length_and_breaks_off_after_the_effect() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    sandbox.fault(Fault::new(FaultKind::TruncatedBody).of(Service::Iam, "PutRolePolicy").times(1));
    let answer = String::from_utf8(read(&mut posted(&server, PUT).await).await.unwrap()).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body.len(), announced.parse::<usize>().unwrap() / 2);
    assert!(body.starts_with("<PutRolePolicyResponse"), "{body}");
    assert_eq!(sandbox.role_policies("r"), ["p"]);
    assert_eq!(outcomes(&sandbox), [Outcome::TruncatedBody]);
}

/// The SDK tells a body that it cannot read from one that ends early: the former is an error without a code.
fn assert_unreadable<E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(
    kind: FaultKind,
    error: &SdkError<E, R>,
) {
    let expected = match kind {
        FaultKind::TruncatedBody => matches!(error, SdkError::ResponseError(_)),
        _ => matches!(error, SdkError::ServiceError(error) if error.err().code().is_none()),
    };
    assert!(expected, "{kind:?}: {error:?}");
}

#[tokio::test]
async fn the_sdk_can_read_neither_half_an_answer_nor_a_malformed_one() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    let (iam, bedrock) = (iam(&server), bedrock(&server, "us-east-1"));
    let role = iam.get_role().role_name("r");
    let profile = bedrock.get_inference_profile().inference_profile_identifier("us.amazon.nova-2-lite-v1:0");
    for kind in [FaultKind::TruncatedBody, FaultKind::MalformedBody] {
        sandbox.fault(Fault::new(kind).of(Service::Iam, "GetRole").times(1));
        sandbox.fault(Fault::new(kind).of(Service::Bedrock, "GetInferenceProfile").times(1));
        assert_unreadable(kind, &role.clone().send().await.unwrap_err());
        assert_unreadable(kind, &profile.clone().send().await.unwrap_err());
        role.clone().send().await.expect("the fault is used up");
        profile.clone().send().await.expect("the fault is used up");
    }
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_back_with_its_state_when_it_resumes() {
    let (sandbox, server) = served().await;
    let other = Server::start(sandbox.clone()).await.unwrap();
    sandbox.create_role("r");
    let mut kept = posted(&server, PUT).await;
    kept.readable().await.unwrap();
    for _ in 0..2 {
        server.refuse().await;
        let refused = TcpStream::connect(server.address()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let error = iam(&server).get_role().role_name("r").send().await.unwrap_err();
        assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    }
    let answered = read(&mut kept).await.unwrap_or_default();
    assert!(answered.starts_with(b"HTTP/1.1 200 OK"), "a connection ends, too");
    iam(&other).get_role().role_name("r").send().await.expect("another server of the sandbox goes on");
    for _ in 0..2 {
        server.resume().await.unwrap();
        let policies = iam(&server).list_role_policies().role_name("r").send().await.unwrap();
        assert_eq!(policies.policy_names(), ["p"]);
    }
    server.refuse().await;
    assert_eq!(TcpStream::connect(server.address()).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn the_sdk_sees_a_dropped_connection_as_no_answer() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    for kind in [FaultKind::Reset, FaultKind::LostReply] {
        sandbox.fault(Fault::new(kind).times(1));
        let error = iam(&server).get_role().role_name("r").send().await.unwrap_err();
        assert!(matches!(error, SdkError::DispatchFailure(_)), "{kind:?}: {error:?}");
    }
    iam(&server).get_role().role_name("r").send().await.expect("the faults are used up");
}

#[tokio::test]
async fn each_service_fails_with_its_own_codes() {
    let (sandbox, server) = served().await;
    sandbox.create_role("r");
    for (kind, on_iam, on_sts, on_bedrock) in [
        (FaultKind::Throttle, (400, "Throttling"), (400, "Throttling"), (429, "ThrottlingException")),
        (
            FaultKind::Internal,
            (500, "ServiceFailure"),
            (500, "InternalFailure"),
            (500, "InternalServerException"),
        ),
        (
            FaultKind::Unavailable,
            (503, "ServiceUnavailable"),
            (503, "ServiceUnavailable"),
            (503, "ServiceUnavailableException"),
        ),
        (
            FaultKind::AccessDenied,
            (403, "AccessDenied"),
            (403, "AccessDenied"),
            (403, "AccessDeniedException"),
        ),
    ] {
        sandbox.fault(Fault::new(kind).times(3));
        let error = iam(&server).get_role().role_name("r").send().await.unwrap_err();
        assert_eq!((error.raw_response().unwrap().status().as_u16(), error.code().unwrap()), on_iam);
        let error = sts(&server).get_caller_identity().send().await.unwrap_err();
        assert_eq!((error.raw_response().unwrap().status().as_u16(), error.code().unwrap()), on_sts);
        let client = bedrock(&server, "us-east-1");
        let error =
            client.get_inference_profile().inference_profile_identifier("us.x").send().await.unwrap_err();
        assert_eq!((error.raw_response().unwrap().status().as_u16(), error.code().unwrap()), on_bedrock);
    }
    iam(&server).get_role().role_name("r").send().await.expect("the faults are used up");
}

#[tokio::test]
async fn a_denied_call_names_caller_action_and_resource() {
    let (sandbox, server) = served().await;
    sandbox.fault(Fault::new(FaultKind::AccessDenied));
    let client = bedrock(&server, "eu-west-1");
    let error =
        client.get_inference_profile().inference_profile_identifier("eu.m-v1:0").send().await.unwrap_err();
    assert_eq!(
        error.message().unwrap(),
        "User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: bedrock:GetInferenceProfile on \
         resource: arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.m-v1:0 because no identity-based \
         policy allows the bedrock:GetInferenceProfile action"
    );
}
