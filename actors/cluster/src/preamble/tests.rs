//! Good handshakes, and every byte of them changed.

use super::*;
use crate::{Cookie, SelfIdentity};
use proptest::prelude::*;
use pyralog_directory::Roles;
use pyralog_model::{Boot, ClusterId, NodeNumber, StoreId};

fn node(store: u128) -> SelfIdentity {
    SelfIdentity {
        cluster: Some(ClusterId(7)),
        node: Some(NodeNumber(store as u32)),
        store: StoreId(store),
        boot: Boot(3),
        roles: Roles { obelisk: store == 1, pyramid: true },
    }
}

fn cookie(byte: u8) -> Cookie {
    Cookie::from_bytes([byte; 32])
}

/// Changes a message on its way: which of the four, and how.
type Meddle<'a> = &'a dyn Fn(usize, &mut [u8]);

/// What the acceptor and the dialler make of each other.
type Ends = (Result<SelfIdentity, HandshakeError>, Result<SelfIdentity, HandshakeError>);

fn meet(dialler: (SelfIdentity, u8), acceptor: (SelfIdentity, u8), meddle: Meddle<'_>) -> Ends {
    let unheard = HandshakeError::Garbled("nothing came");
    let mut machine = DiallerHandshake::new(dialler.0, [1; 16]);
    let mut hello = machine.hello();
    meddle(0, &mut hello);
    let heard = AcceptorHandshake::hear(acceptor.0, hello, [2; 16], &cookie(acceptor.1), |_| false);
    let (handshake, mut reply) = match heard {
        Ok(heard) => (heard.handshake, heard.reply),
        Err(error @ HandshakeError::RefusedHere(refusal)) => {
            let answer = Answer::Refused(refusal).encode();
            return (Err(error), Err(machine.answered(answer).unwrap_err()));
        }
        Err(error) => return (Err(error), Err(unheard)),
    };
    meddle(1, &mut reply);
    let answered = machine.answered(reply[..ANSWER_BYTES].try_into().unwrap());
    let welcomed = answered.and_then(|()| {
        machine.welcomed(reply[ANSWER_BYTES..].try_into().unwrap(), &cookie(dialler.1))
    });
    let (identity, mut proof) = match welcomed {
        Ok(welcomed) => welcomed,
        Err(error) => {
            let end = handshake.proven(&[0; 32], &cookie(acceptor.1)).map(|(peer, _)| peer);
            return (end, Err(error));
        }
    };
    meddle(2, &mut proof);
    match handshake.proven(&proof, &cookie(acceptor.1)) {
        Ok((peer, mut answer)) => {
            meddle(3, &mut answer);
            (Ok(peer), machine.finished(&answer).map(|()| identity))
        }
        Err(error) => {
            let answer = Answer::Refused(error.refusal().unwrap()).encode();
            (Err(error), Err(machine.finished(&answer).unwrap_err()))
        }
    }
}

fn refusals(ends: Ends) -> (Option<Refusal>, Option<Refusal>) {
    let of = |end: Result<SelfIdentity, HandshakeError>| end.unwrap_err().refusal();
    (of(ends.0), of(ends.1))
}

#[test]
fn two_nodes_with_the_same_cookie_know_each_other() {
    let ends = meet((node(2), 9), (node(1), 9), &|_, _| ());
    assert_eq!(ends, (Ok(node(2)), Ok(node(1))));
    let fresh = SelfIdentity { cluster: None, node: None, ..node(3) };
    let ends = meet((fresh, 9), (node(1), 9), &|_, _| ());
    assert_eq!(ends, (Ok(fresh), Ok(node(1))), "a fresh node learns its cluster");
}

#[test]
fn both_sides_hear_why_a_link_is_refused() {
    let both = |refusal| (Some(refusal), Some(refusal));
    let ends = meet((node(2), 9), (node(1), 8), &|_, _| ());
    assert_eq!(refusals(ends), both(Refusal::WrongCookie));
    let stranger = SelfIdentity { cluster: Some(ClusterId(8)), ..node(2) };
    let ends = meet((stranger, 9), (node(1), 9), &|_, _| ());
    assert_eq!(refusals(ends), both(Refusal::OtherCluster));
    let ends = meet((node(1), 9), (node(1), 9), &|_, _| ());
    assert_eq!(refusals(ends), both(Refusal::SameStore));
    let newer = |at: usize, bytes: &mut [u8]| {
        if at == 0 {
            bytes[8..12].copy_from_slice(&[0, 2, 0, 9]);
        }
    };
    let ends = meet((node(2), 9), (node(1), 9), &newer);
    assert_eq!(refusals(ends), both(Refusal::NoCommonVersion));
    let bulk = |at: usize, bytes: &mut [u8]| {
        if at == 0 {
            bytes[12] = 2;
        }
    };
    assert_eq!(refusals(meet((node(2), 9), (node(1), 9), &bulk)), both(Refusal::BulkNotServed));
}

#[test]
fn a_process_knows_its_own_hello() {
    let hello = DiallerHandshake::new(node(1), [5; 16]).hello();
    let heard =
        AcceptorHandshake::hear(node(1), hello, [2; 16], &cookie(9), |nonce| *nonce == [5; 16]);
    assert_eq!(heard.unwrap_err().refusal(), Some(Refusal::Itself));
}

#[test]
fn a_proof_cannot_be_reflected_or_replayed() {
    let hello = DiallerHandshake::new(node(2), [1; 16]).hello();
    let hear =
        |nonce| AcceptorHandshake::hear(node(1), hello, nonce, &cookie(9), |_| false).unwrap();
    let first = hear([2; 16]);
    let reflected = first.reply[ANSWER_BYTES + WELCOME_PROVEN_BYTES..].try_into().unwrap();
    assert!(first.handshake.proven(&reflected, &cookie(9)).is_err());
    let mut dialler = DiallerHandshake::new(node(2), [1; 16]);
    dialler.answered(first.reply[..ANSWER_BYTES].try_into().unwrap()).unwrap();
    let welcome = first.reply[ANSWER_BYTES..].try_into().unwrap();
    let (_, proof) = dialler.welcomed(&welcome, &cookie(9)).unwrap();
    assert!(first.handshake.proven(&proof, &cookie(9)).is_ok());
    assert!(hear([3; 16]).handshake.proven(&proof, &cookie(9)).is_err(), "another nonce");
}

#[test]
fn no_bit_of_a_proven_message_can_be_changed() {
    for (message, bytes) in [(0, HELLO_BYTES), (1, ANSWER_BYTES + WELCOME_BYTES), (2, PROOF_BYTES)]
    {
        for bit in 0..bytes * 8 {
            let flip = |at: usize, bytes: &mut [u8]| {
                if at == message {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            };
            let (acceptor, dialler) = meet((node(2), 9), (node(1), 9), &flip);
            assert!(acceptor.is_err(), "message {message} bit {bit}: {acceptor:?}");
            assert!(dialler.is_err(), "message {message} bit {bit}: {dialler:?}");
        }
    }
}

#[test]
fn the_bytes_are_as_drawn() {
    let hello = DiallerHandshake::new(node(2), [0xaa; 16]).hello();
    assert_eq!(&hello[..16], b"PYRALINK\0\x01\0\x01\x01\x02\0\0");
    assert_eq!(hello[31], 7, "cluster");
    assert_eq!(hello[35], 2, "node");
    assert_eq!(hello[51], 2, "store");
    assert_eq!(hello[59], 3, "boot");
    assert_eq!(hello[64..], [0xaa; 16]);
    assert_eq!(Answer::Refused(Refusal::WrongCookie).encode(), *b"PYRALINK\x02\0\0\0");
    assert_eq!(Answer::GoOn(1).encode(), *b"PYRALINK\0\0\0\x01");
}

proptest! {
    #[test]
    fn rubbish_never_panics(hello in prop::array::uniform32(any::<u8>()), tail in prop::array::uniform32(any::<u8>())) {
        let mut bytes = [0u8; HELLO_BYTES];
        bytes[..32].copy_from_slice(&hello);
        bytes[32..64].copy_from_slice(&tail);
        let _ = Hello::decode(&bytes);
        bytes[..8].copy_from_slice(&MAGIC);
        let _ = AcceptorHandshake::hear(node(1), bytes, [2; 16], &cookie(9), |_| false);
        let mut welcome = [0u8; WELCOME_BYTES];
        welcome[..32].copy_from_slice(&hello);
        welcome[32..64].copy_from_slice(&tail);
        let _ = DiallerHandshake::new(node(2), [1; 16]).welcomed(&welcome, &cookie(9));
        let _ = Answer::decode(hello[..12].try_into().unwrap());
    }
}
