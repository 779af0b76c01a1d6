//! The router's protocol, in this process and on the wire.
//!
//! On the wire the arguments are the service's number, two bytes big-endian,
//! and the body. Written by hand: there is nothing in it that hostile bytes
//! could make grow or panic.

use pyralog_behaviour::{Observe, Snapshot};
use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{Message, RpcReplyPort};

/// What the router is told.
pub(crate) enum RouterMessage {
    /// A request; the reply begins with a status byte.
    Call { service: u16, body: Vec<u8>, reply: RpcReplyPort<Vec<u8>> },
    /// A request without an answer.
    #[allow(dead_code, reason = "peers may send it; this version does not")]
    Cast { service: u16, body: Vec<u8> },
    /// Describe yourself. Never travels.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for RouterMessage {
    fn from(observe: Observe) -> RouterMessage {
        RouterMessage::Observe(observe.0)
    }
}

impl Message for RouterMessage {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        let variant = String::new();
        match self {
            RouterMessage::Call { service, body, reply } => {
                let args = join(service, &body);
                Ok(SerializedMessage::Call { variant, args, reply, metadata: None })
            }
            RouterMessage::Cast { service, body } => {
                let args = join(service, &body);
                Ok(SerializedMessage::Cast { variant, args, metadata: None })
            }
            RouterMessage::Observe(_) => Err(BoxedDowncastErr),
        }
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        match message {
            SerializedMessage::Call { args, reply, .. } => {
                let (service, body) = part(args)?;
                Ok(RouterMessage::Call { service, body, reply })
            }
            SerializedMessage::Cast { args, .. } => {
                let (service, body) = part(args)?;
                Ok(RouterMessage::Cast { service, body })
            }
            SerializedMessage::CallReply(..) => Err(BoxedDowncastErr),
        }
    }
}

fn join(service: u16, body: &[u8]) -> Vec<u8> {
    let mut args = Vec::with_capacity(2 + body.len());
    args.extend_from_slice(&service.to_be_bytes());
    args.extend_from_slice(body);
    args
}

fn part(mut args: Vec<u8>) -> Result<(u16, Vec<u8>), BoxedDowncastErr> {
    let service = *args.first_chunk().ok_or(BoxedDowncastErr)?;
    args.drain(..2);
    Ok((u16::from_be_bytes(service), args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_survive_and_rubbish_is_no_message() {
        let cast = RouterMessage::Cast { service: 0x1234, body: vec![5, 6] };
        let Ok(RouterMessage::Cast { service, body }) =
            RouterMessage::deserialize(cast.serialize().unwrap())
        else {
            panic!("a cast comes back as a cast");
        };
        assert_eq!((service, body), (0x1234, vec![5, 6]));
        for args in [vec![], vec![1]] {
            let cast = SerializedMessage::Cast { variant: "x".into(), args, metadata: None };
            assert!(RouterMessage::deserialize(cast).is_err());
        }
        assert!(RouterMessage::deserialize(SerializedMessage::CallReply(1, vec![])).is_err());
    }
}
