//! Replies: a status byte, then the service's bytes.

use crate::peer::{BODY_BYTES_MAX, CallError};
use ractor::RpcReplyPort;

/// The first byte of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ok = 0,
    Overloaded = 1,
    NoSuchService = 2,
    /// The service panicked: nobody knows what it did.
    Failed = 3,
    /// The service did its work, but the answer does not fit a frame.
    TooLarge = 4,
}

/// Where a reply goes. Dropped unanswered, it says that the service failed.
pub(crate) struct Reply(Option<RpcReplyPort<Vec<u8>>>);

impl Reply {
    pub(crate) fn new(port: RpcReplyPort<Vec<u8>>) -> Reply {
        Reply(Some(port))
    }

    /// For casts.
    pub(crate) fn nowhere() -> Reply {
        Reply(None)
    }

    pub(crate) fn send(mut self, status: Status, body: &[u8]) {
        self.put(status, body);
    }

    fn put(&mut self, status: Status, body: &[u8]) {
        let Some(port) = self.0.take() else { return };
        let (status, body) = match body.len() {
            0..=BODY_BYTES_MAX => (status, body),
            _ => (Status::TooLarge, &[][..]),
        };
        let mut frame = Vec::with_capacity(1 + body.len());
        frame.push(status as u8);
        frame.extend_from_slice(body);
        // Whoever asked may have stopped waiting.
        let _ = port.send(frame);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.put(Status::Failed, &[]);
    }
}

/// What a reply means to the caller.
pub(crate) fn read_reply(mut frame: Vec<u8>) -> Result<Vec<u8>, CallError> {
    match frame.first() {
        Some(0) => {
            frame.drain(..1);
            Ok(frame)
        }
        Some(1) => Err(CallError::Overloaded),
        Some(2) => Err(CallError::NoSuchService),
        // Failed, too large, or of a later version: it may have been done.
        _ => Err(CallError::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_reply_says_so() {
        let (sender, mut receiver) = ractor::concurrency::oneshot();
        drop(Reply::new(sender.into()));
        assert_eq!(receiver.try_recv().unwrap(), [Status::Failed as u8]);
        let (sender, mut receiver) = ractor::concurrency::oneshot();
        Reply::new(sender.into()).send(Status::Ok, &vec![1; BODY_BYTES_MAX + 1]);
        assert_eq!(receiver.try_recv().unwrap(), [Status::TooLarge as u8]);
    }

    #[test]
    fn replies_are_read() {
        assert_eq!(read_reply(vec![0, 7]), Ok(vec![7]));
        assert_eq!(read_reply(vec![1]), Err(CallError::Overloaded));
        assert_eq!(read_reply(vec![2]), Err(CallError::NoSuchService));
        for frame in [vec![], vec![3], vec![4], vec![99, 1]] {
            assert_eq!(read_reply(frame), Err(CallError::Unknown));
        }
    }
}
