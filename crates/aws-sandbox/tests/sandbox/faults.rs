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
