//! The `pyralog` binary.

use std::process::ExitCode;

/// Record buffers come and go in sizes that fragment the system's allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    pyralog::cli::main(std::env::args_os())
}
