//! The handshake of the side that dials, step by step and without I/O.

use super::{
    ANSWER_BYTES, Answer, HELLO_BYTES, HandshakeError, Hello, Kind, NONCE_BYTES, PROOF_BYTES, Side,
    VERSION_MAX, VERSION_MIN, WELCOME_BYTES, Welcome, prove, verify,
};
use crate::cookie::Cookie;
use crate::{Refusal, SelfIdentity};

/// The machine: `hello` → `answered` → `welcomed` → `finished`.
#[derive(Debug)]
pub struct DiallerHandshake {
    me: SelfIdentity,
    hello: [u8; HELLO_BYTES],
    answer: [u8; ANSWER_BYTES],
}

impl DiallerHandshake {
    /// A handshake for a control link, with a nonce that is never used again.
    pub fn new(me: SelfIdentity, nonce: [u8; NONCE_BYTES]) -> DiallerHandshake {
        let hello = Hello {
            version_min: VERSION_MIN,
            version_max: VERSION_MAX,
            kind: Kind::Control,
            identity: me,
            nonce,
        };
        DiallerHandshake { me, hello: hello.encode(), answer: [0; ANSWER_BYTES] }
    }

    /// What is sent first.
    pub fn hello(&self) -> [u8; HELLO_BYTES] {
        self.hello
    }

    /// Takes the first answer; when it is good, a welcome follows.
    pub fn answered(&mut self, answer: [u8; ANSWER_BYTES]) -> Result<(), HandshakeError> {
        self.answer = answer;
        go_on(&answer)
    }

    /// Takes the welcome and returns who the acceptor is, proven, and what is
    /// sent to it. Also when this fails with a refusal: then 32 zeros.
    pub fn welcomed(
        &self,
        welcome: &[u8; WELCOME_BYTES],
        cookie: &Cookie,
    ) -> Result<(SelfIdentity, [u8; PROOF_BYTES]), HandshakeError> {
        let Welcome { identity, proof, .. } = Welcome::decode(welcome)?;
        if !verify(cookie, Side::Acceptor, &self.hello, &self.answer, welcome, &proof) {
            return Err(HandshakeError::RefusedHere(Refusal::WrongCookie));
        }
        if identity.store == self.me.store {
            return Err(HandshakeError::RefusedHere(Refusal::SameStore));
        }
        if differ(self.me.cluster, identity.cluster) {
            return Err(HandshakeError::RefusedHere(Refusal::OtherCluster));
        }
        let proof = prove(cookie, Side::Dialler, &self.hello, &self.answer, welcome);
        Ok((identity, proof))
    }

    /// Takes the last answer.
    pub fn finished(&self, answer: &[u8; ANSWER_BYTES]) -> Result<(), HandshakeError> {
        go_on(answer)
    }
}

fn go_on(answer: &[u8; ANSWER_BYTES]) -> Result<(), HandshakeError> {
    match Answer::decode(answer)? {
        Answer::GoOn(version) if (VERSION_MIN..=VERSION_MAX).contains(&version) => Ok(()),
        Answer::GoOn(_) => Err(HandshakeError::RefusedHere(Refusal::NoCommonVersion)),
        Answer::Refused(refusal) => Err(HandshakeError::RefusedByPeer(refusal)),
    }
}

/// Whether both are known and not the same.
pub(super) fn differ<T: PartialEq>(ours: Option<T>, theirs: Option<T>) -> bool {
    ours.zip(theirs).is_some_and(|(ours, theirs)| ours != theirs)
}
