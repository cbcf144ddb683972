#![no_main]

#[path = "../../tests/fuzz/bodies/mod.rs"]
mod bodies;
#[path = "../../tests/common/mod.rs"]
mod common;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bodies::text::run(bytes);
});
