//! How a command ends: with a status that scripts can rely on and a message
//! that says what happened, why, and what to do.

use pyralog_model::{ErrorCode, Remedy};
use std::fmt;
use std::process::ExitCode;

/// The exit statuses of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It failed, and will fail again.
    Failed = 1,
    /// The command or the configuration is wrong.
    Usage = 2,
    /// What was asked for is not there.
    NotFound = 3,
    /// It may work later, or elsewhere.
    Retryable = 4,
    /// The store failed and the node stopped itself.
    StorageFailed = 74,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// What the process exits with.
    pub status: Status,
    /// The code a server gave, if one did.
    pub code: Option<ErrorCode>,
    message: String,
    help: Option<String>,
    quiet: bool,
}

impl Failure {
    /// A failure with a message.
    pub fn new(status: Status, message: impl Into<String>) -> Failure {
        Failure { status, code: None, message: message.into(), help: None, quiet: false }
    }

    /// The status of [`Status::Failed`].
    pub fn failed(message: impl fmt::Display) -> Failure {
        Failure::new(Status::Failed, message.to_string())
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// With its message in other words.
    pub fn reworded(self, reword: impl FnOnce(&str) -> String) -> Failure {
        Failure { message: reword(&self.message), ..self }
    }

    /// True when it has advice.
    pub fn has_help(&self) -> bool {
        self.help.is_some()
    }

    /// The failure a server reported.
    pub fn from_server(code: &str, message: &str) -> Failure {
        let known = ErrorCode::ALL.iter().find(|known| known.as_str() == code);
        let status = match known {
            Some(
                ErrorCode::LogNotFound
                | ErrorCode::PartitionNotFound
                | ErrorCode::ActorNotFound
                | ErrorCode::GroupNotFound
                | ErrorCode::KeyNotFound
                | ErrorCode::CounterNotFound,
            ) => Status::NotFound,
            Some(code) => match code.remedy() {
                Remedy::Retry | Remedy::GoElsewhere | Remedy::Refresh => Status::Retryable,
                Remedy::GiveUp | Remedy::Repair => Status::Failed,
            },
            None => Status::Failed,
        };
        let failure = Failure::new(status, format!("{message} ({code})"));
        Failure { code: known.copied(), ..failure }
    }

    /// Nobody reads our output any more: `| head` has what it wanted. No error
    /// of anybody's, and nobody to tell.
    pub fn reader_left() -> Failure {
        Failure { quiet: true, ..Failure::new(Status::Failed, "") }
    }

    /// True when the reader of our output is gone.
    pub fn is_reader_left(&self) -> bool {
        self.quiet
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> ExitCode {
        if self.quiet { ExitCode::SUCCESS } else { ExitCode::from(self.status as u8) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    /// Of writing to standard output; other I/O gets a message of its own.
    fn from(error: std::io::Error) -> Failure {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::reader_left(),
            _ => Failure::failed(format!("cannot write the output: {error}")),
        }
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Failure {
        Failure::new(Status::Usage, error.to_string())
    }
}

impl From<crate::data_directory::DataDirectoryError> for Failure {
    fn from(error: crate::data_directory::DataDirectoryError) -> Failure {
        Failure::failed(error)
    }
}
