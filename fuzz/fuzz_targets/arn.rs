#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    testing::properties::an_arn_is_written_as_it_was_read(&String::from_utf8_lossy(bytes));
});
