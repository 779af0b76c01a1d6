//! `pyralog debug`: faults on purpose.

use crate::cli::DebugCommand;
use crate::client::{Client, block_on};
use crate::failure::Failure;
use crate::output;
use pyralog_console::api::KillRequest;
use serde_json::Value;

/// Runs one of them.
pub fn run(command: DebugCommand) -> Result<(), Failure> {
    match command {
        DebugCommand::Kill { path, server } => {
            let client = Client::new(&server.server)?;
            let request = KillRequest { path: path.clone() };
            block_on(client.post::<Value>("/v1/debug/kill", &request))?;
            output::line(format!("killed {path}"))
        }
    }
}
