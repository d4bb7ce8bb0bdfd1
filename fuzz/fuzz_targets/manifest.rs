#![no_main]

// The API alone: with the rest of the operator, the SDKs of AWS would be built and watched for nothing.
#[allow(dead_code, unused_imports, reason = "only reading a manifest is of interest")]
#[path = "../../src"]
mod operator {
    pub(crate) mod api;
}
#[allow(dead_code, reason = "the seeded test looks at how far a manifest came")]
#[path = "../../tests/hostile/manifest.rs"]
mod manifest;

use operator::api;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    manifest::text_grants_exactly_or_nothing(&String::from_utf8_lossy(bytes));
});
