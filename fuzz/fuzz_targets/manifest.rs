#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    testing::manifest::text_grants_exactly_or_nothing(&String::from_utf8_lossy(bytes));
});
