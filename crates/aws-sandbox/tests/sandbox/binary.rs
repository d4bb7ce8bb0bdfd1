use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Ends with the test, also after a panic.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn started(arguments: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aws-sandbox"));
    Running(command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

#[tokio::test]
async fn it_prints_and_writes_where_it_listens_and_ends_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let port_file = file(&format!("{signal}.port"));
        let mut sandbox = started(&["--port-file", port_file.to_str().unwrap()]);
        let mut line = String::new();
        BufReader::new(sandbox.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = std::fs::read_to_string(&port_file).unwrap();
        assert_eq!(line, format!("aws-sandbox: listening on http://127.0.0.1:{port}"));
        let kill = Command::new("kill").args(["-s", signal, &sandbox.0.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert!(sandbox.0.wait().unwrap().success(), "SIG{signal} is the ordinary end");
        std::fs::remove_file(port_file).unwrap();
    }
}

#[test]
fn a_malformed_seed_is_refused_with_its_place() {
    let seed = file("seed.json");
    std::fs::write(&seed, "{\n  \"rolls\": []\n}").unwrap();
    let mut sandbox = started(&["--seed", seed.to_str().unwrap()]);
    let mut message = String::new();
    sandbox.0.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert!(!sandbox.0.wait().unwrap().success());
    assert!(message.contains("unknown field `rolls`") && message.contains("line 2"), "{message}");
    std::fs::remove_file(seed).unwrap();
}

#[test]
fn the_example_seed_of_the_readme_is_read() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let seed: aws_sandbox::Seed = serde_json::from_str(example).unwrap();
    assert!(!seed.roles.is_empty() && !seed.profiles.is_empty() && !seed.models.is_empty());
    let sandbox = aws_sandbox::Sandbox::new(aws_sandbox::Config { seed, ..Default::default() });
    assert!(sandbox.role("AWSReservedSSO_Admin_0123456789abcdef").unwrap().is_protected());
    assert!(sandbox.role_policy("assistant", "someone-elses").unwrap().starts_with(r#"{"Statement""#));
}
