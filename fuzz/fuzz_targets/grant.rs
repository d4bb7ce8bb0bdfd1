#![no_main]

#[path = "../../crates/bedrock-iam/tests/properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    properties::grants_are_exact_and_settle(&String::from_utf8_lossy(bytes));
});
