//! Log lines on standard error, where they do not mix with output.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging. `PYRALOG_LOG` decides what is logged (`debug`,
/// `pyralog_store=trace,info`), else `default`.
pub fn start(default: &str) {
    let filter = EnvFilter::try_from_env("PYRALOG_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // A second start in one process (tests) keeps the first.
    let _ = subscriber.try_init();
}
