//! `bedrock-access`: see `bedrock-access --help`.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// glibc's keeps what was freed, in several arenas: docs/benchmarks.md has the difference. `.cargo/config.toml` sets it up.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    // Two libraries bring TLS, each with its own provider in mind: one is chosen for the whole process. It can only fail
    // when one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    bedrock_access::cli::main()
}
