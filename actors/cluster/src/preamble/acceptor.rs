//! The handshake of the side that answers, step by step and without I/O.

use super::dialler::differ;
use super::{
    ANSWER_BYTES, Answer, HELLO_BYTES, HandshakeError, Hello, Kind, NONCE_BYTES, PROOF_BYTES, Side,
    VERSION_MAX, VERSION_MIN, WELCOME_BYTES, Welcome, prove, verify,
};
use crate::cookie::Cookie;
use crate::{Refusal, SelfIdentity};

/// The machine between hello and proof.
#[derive(Debug)]
pub struct AcceptorHandshake {
    peer: SelfIdentity,
    hello: [u8; HELLO_BYTES],
    answer: [u8; ANSWER_BYTES],
    welcome: [u8; WELCOME_BYTES],
}

/// What a hello led to.
#[derive(Debug)]
pub struct Heard {
    /// The machine that waits for the proof.
    pub handshake: AcceptorHandshake,
    /// What is sent: an answer and a welcome.
    pub reply: [u8; ANSWER_BYTES + WELCOME_BYTES],
}

impl AcceptorHandshake {
    /// Takes a hello. `nonce` is never used again; `is_mine` says whether a
    /// nonce is of a hello that this very process has sent.
    ///
    /// A `RefusedHere` is to be sent as an answer, a `Garbled` is not answered.
    pub fn hear(
        me: SelfIdentity,
        hello: [u8; HELLO_BYTES],
        nonce: [u8; NONCE_BYTES],
        cookie: &Cookie,
        is_mine: impl FnOnce(&[u8; NONCE_BYTES]) -> bool,
    ) -> Result<Heard, HandshakeError> {
        let Hello { version_min, version_max, kind, identity: peer, nonce: theirs } =
            Hello::decode(&hello)?;
        let refused = |refusal| Err(HandshakeError::RefusedHere(refusal));
        let version = version_max.min(VERSION_MAX);
        if version < version_min || version < VERSION_MIN {
            return refused(Refusal::NoCommonVersion);
        }
        if kind == Kind::Bulk {
            return refused(Refusal::BulkNotServed);
        }
        if differ(me.cluster, peer.cluster) {
            return refused(Refusal::OtherCluster);
        }
        if me.store == peer.store {
            return refused(if is_mine(&theirs) { Refusal::Itself } else { Refusal::SameStore });
        }
        let answer = Answer::GoOn(version).encode();
        let mut introduction = Welcome { identity: me, nonce, proof: [0; PROOF_BYTES] };
        let unproven = introduction.encode();
        introduction.proof = prove(cookie, Side::Acceptor, &hello, &answer, &unproven);
        let welcome = introduction.encode();
        let mut reply = [0; ANSWER_BYTES + WELCOME_BYTES];
        reply[..ANSWER_BYTES].copy_from_slice(&answer);
        reply[ANSWER_BYTES..].copy_from_slice(&welcome);
        Ok(Heard { handshake: AcceptorHandshake { peer, hello, answer, welcome }, reply })
    }

    /// Who the dialler says it is.
    pub fn claimed(&self) -> SelfIdentity {
        self.peer
    }

    /// Takes the proof; returns who the dialler is, proven, and the answer that
    /// lets it in.
    pub fn proven(
        &self,
        proof: &[u8; PROOF_BYTES],
        cookie: &Cookie,
    ) -> Result<(SelfIdentity, [u8; ANSWER_BYTES]), HandshakeError> {
        let AcceptorHandshake { peer, hello, answer, welcome } = self;
        if !verify(cookie, Side::Dialler, hello, answer, welcome, proof) {
            return Err(HandshakeError::RefusedHere(Refusal::WrongCookie));
        }
        Ok((*peer, *answer))
    }
}
