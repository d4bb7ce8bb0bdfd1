//! `bedrock-access`: see `bedrock-access --help`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// glibc's keeps what was freed: 10,000 objects took a sixth more memory, and gave none back (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // Two libraries bring TLS, each with its own provider in mind: one is chosen for the whole process. It can only fail
    // when one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    bedrock_access::cli::main()
}
