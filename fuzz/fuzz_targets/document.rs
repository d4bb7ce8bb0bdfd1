#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    testing::properties::a_document_keeps_its_meaning(&String::from_utf8_lossy(bytes));
});
