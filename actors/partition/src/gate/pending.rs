//! An append on its way to the disk.

use pyralog_log::{Completion, LogError};
use pyralog_model::{ApiError, Durability, ErrorCode, Offset};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Where an acknowledged append lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offset of its first record.
    pub base_offset: Offset,
    /// The first offset that the partition keeps.
    pub log_start: Offset,
    /// What the acknowledgement promises.
    pub durability: Durability,
}

/// An append that is queued; resolves when it is durable. Dropping it does not
/// undo the append.
#[derive(Debug)]
pub struct PendingAppend {
    answer: Answer,
    log_start: Offset,
    durability: Durability,
    _admitted: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Answer {
    /// The committer will say.
    Queued(oneshot::Receiver<Completion>),
    /// It was durable before: a retry.
    Stored(Offset),
}

impl PendingAppend {
    pub(super) fn queued(
        answer: oneshot::Receiver<Completion>,
        (log_start, durability): (Offset, Durability),
        admitted: OwnedSemaphorePermit,
    ) -> PendingAppend {
        PendingAppend { answer: Answer::Queued(answer), log_start, durability, _admitted: admitted }
    }

    pub(super) fn stored(
        base_offset: Offset,
        (log_start, durability): (Offset, Durability),
        admitted: OwnedSemaphorePermit,
    ) -> PendingAppend {
        PendingAppend {
            answer: Answer::Stored(base_offset),
            log_start,
            durability,
            _admitted: admitted,
        }
    }

    fn appended(&self, base_offset: Offset) -> Appended {
        let (log_start, durability) = (self.log_start, self.durability);
        Appended { base_offset, log_start, durability }
    }
}

impl Future for PendingAppend {
    type Output = Result<Appended, ApiError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match &mut self.answer {
            Answer::Stored(base_offset) => {
                let base_offset = *base_offset;
                return Poll::Ready(Ok(self.appended(base_offset)));
            }
            Answer::Queued(answer) => std::task::ready!(Pin::new(answer).poll(context)),
        };
        Poll::Ready(match answer {
            Ok(Completion::Appended(appended)) => Ok(self.appended(appended.into_inner().base)),
            Ok(Completion::Accepted(accepted)) => Ok(self.appended(accepted.base)),
            // Fenced: an append before this one was refused. Nothing was stored.
            Ok(Completion::Refused(LogError::Fenced { .. })) => Err(ApiError::new(
                ErrorCode::Overloaded,
                "an earlier append was refused, and this one with it; send it again",
            )),
            Ok(Completion::Refused(error)) => Err(error.into()),
            Ok(other) => unreachable!("an Append was answered by {other:?}"),
            Err(_) => Err(ApiError::new(
                ErrorCode::Timeout,
                "the store closed before it answered; the append may or may not be stored",
            )),
        })
    }
}
