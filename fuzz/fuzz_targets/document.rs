#![no_main]

#[path = "../../crates/bedrock-iam/tests/properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    properties::a_document_keeps_its_meaning(&String::from_utf8_lossy(bytes));
});
