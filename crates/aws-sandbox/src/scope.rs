//! The Region of a signed request.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// The Region of the `SigV4` credential scope, `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
pub(crate) fn region(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    let scope = credential.split([',', ' ']).next()?;
    scope.split('/').nth(2).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(authorization: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, authorization.parse().unwrap())])
    }

    #[test]
    fn the_region_is_read_from_the_credential_scope() {
        let headers = signed(
            "AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/bedrock/aws4_request, SignedHeaders=host, Signature=00",
        );
        assert_eq!(region(&headers), Some("eu-west-1"));
    }

    #[test]
    fn an_unsigned_or_differently_signed_request_has_no_region() {
        assert_eq!(region(&HeaderMap::new()), None);
        assert_eq!(region(&signed("Bearer abc")), None);
        assert_eq!(region(&signed("AWS4-HMAC-SHA256 Credential=AKID")), None);
    }
}
