use std::fs;
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::workdir::Workdir;
use crate::{Error, Result};

pub(super) const SERVICE_ACCOUNT_PRIVATE_KEY: &str = "service-account.key";
pub(super) const SERVICE_ACCOUNT_PUBLIC_KEY: &str = "service-account.pub";
pub(super) const SERVING_CERTIFICATE: &str = "apiserver.crt";
pub(super) const TOKENS: &str = "tokens.csv";

const PEM_LINE: usize = 64;

/// Writes the keys and the token file that the API server is started with, and gives the administrator's token.
pub(super) fn create(dir: &Workdir) -> Result<String> {
    let (private, public) = service_account_keys()?;
    dir.write(SERVICE_ACCOUNT_PRIVATE_KEY, &private)?;
    dir.write(SERVICE_ACCOUNT_PUBLIC_KEY, &public)?;
    let mut secret = [0; 24];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| cannot_make_keys())?;
    let token = URL_SAFE_NO_PAD.encode(secret);
    dir.write(TOKENS, &format!("{token},admin,admin,system:masters\n"))?;
    Ok(token)
}

/// A kubeconfig (JSON, which is YAML) for a bearer token at the API server on `port`.
pub(super) fn kubeconfig(dir: &Path, port: u16, token: &str, namespace: &str) -> Result<String> {
    let path = dir.join(SERVING_CERTIFICATE);
    let certificate = fs::read(&path).map_err(Error::io(format!("cannot read {}", path.display())))?;
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority-data": STANDARD.encode(certificate),
        }}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "user", "namespace": namespace}}],
        "current-context": "local",
    });
    Ok(config.to_string())
}

fn service_account_keys() -> Result<(String, String)> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| cannot_make_keys())?;
    let private = pair.to_pkcs8v1().map_err(|_| cannot_make_keys())?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| cannot_make_keys())?;
    Ok((pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref())))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        (0..text.len()).step_by(PEM_LINE).map(|at| &text[at..text.len().min(at + PEM_LINE)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn cannot_make_keys() -> Error {
    Error::Unexpected { what: "the random source".to_owned(), text: "no key could be made".to_owned() }
}
