#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    testing::properties::grants_are_exact_and_settle(&String::from_utf8_lossy(bytes));
});
