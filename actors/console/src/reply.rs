//! Errors as replies: a status for machines, a code for programs, a message for
//! people.

use crate::api::{ErrorBody, ErrorReply};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pyralog_model::ApiError;
use pyralog_model::{ErrorCode, Remedy};

/// An error on its way out.
#[derive(Debug)]
pub struct Refusal {
    /// What the document says.
    pub error: ApiError,
    /// The HTTP status, where the code alone does not tell it.
    status: Option<StatusCode>,
}

impl Refusal {
    /// With a code and a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Refusal {
        Refusal { error: ApiError { code, message: message.into() }, status: None }
    }

    /// A request that cannot be understood.
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new(ErrorCode::RequestInvalid, message)
    }

    /// With another status than the code's own.
    pub fn with_status(self, status: StatusCode) -> Refusal {
        Refusal { status: Some(status), ..self }
    }

    /// With something in front of the message.
    pub fn prefixed(mut self, prefix: &str) -> Refusal {
        self.error.message = format!("{prefix}: {}", self.error.message);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| status(self.error.code))
    }

    /// The document that travels.
    pub fn body(&self) -> ErrorReply {
        let ApiError { code, message } = &self.error;
        let remedy = match code.remedy() {
            Remedy::Retry => "retry",
            Remedy::GoElsewhere => "go-elsewhere",
            Remedy::Refresh => "refresh",
            Remedy::GiveUp => "give-up",
            Remedy::Repair => "repair",
        };
        let error =
            ErrorBody { code: code.to_string(), message: message.clone(), remedy: remedy.into() };
        ErrorReply { error }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Refusal {
        Refusal { error, status: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Json(self.body())).into_response()
    }
}

/// The HTTP status nearest to a code.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::LogNotFound
        | ErrorCode::PartitionNotFound
        | ErrorCode::ActorNotFound
        | ErrorCode::GroupNotFound
        | ErrorCode::CounterNotFound
        | ErrorCode::KeyNotFound => StatusCode::NOT_FOUND,
        ErrorCode::LogExists
        | ErrorCode::CounterExists
        | ErrorCode::NodeNameTaken
        | ErrorCode::NodeCopied
        | ErrorCode::GroupNotEmpty
        | ErrorCode::SequenceGap
        | ErrorCode::SequenceDuplicate
        | ErrorCode::ProducerFenced
        | ErrorCode::KeyIndexOff
        | ErrorCode::Fenced => StatusCode::CONFLICT,
        ErrorCode::OffsetOutOfRange => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorCode::RecordTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::DiskFull | ErrorCode::CountersExhausted => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::QueryOutOfMemory | ErrorCode::QueryFailed => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::Timeout | ErrorCode::QueryOutOfTime => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Unavailable
        | ErrorCode::ObeliskAway
        | ErrorCode::LanesExhausted
        | ErrorCode::DirectoryDiverged
        | ErrorCode::StorageFailed => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::PeerRefused => StatusCode::FORBIDDEN,
        ErrorCode::Elsewhere => StatusCode::MISDIRECTED_REQUEST,
        ErrorCode::StorageCorrupt | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::NotSupported => StatusCode::NOT_IMPLEMENTED,
        ErrorCode::DebugDisabled | ErrorCode::QueryReadOnly => StatusCode::FORBIDDEN,
        ErrorCode::LogNameInvalid
        | ErrorCode::SettingInvalid
        | ErrorCode::PartitionsInvalid
        | ErrorCode::ReplicationInvalid
        | ErrorCode::RecordCorrupt
        | ErrorCode::FormatUnsupported
        | ErrorCode::KeyMissing
        | ErrorCode::ProducerUnknown
        | ErrorCode::CounterNameInvalid
        | ErrorCode::ClockAhead
        | ErrorCode::SchemaInvalid
        | ErrorCode::GroupNameInvalid
        | ErrorCode::QueryInvalid
        | ErrorCode::RequestInvalid => StatusCode::BAD_REQUEST,
    }
}
