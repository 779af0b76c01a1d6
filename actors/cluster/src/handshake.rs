//! The preamble over a socket: the pure machines and the bytes around them.

use crate::attending::Attendance;
use crate::links::Shared;
use crate::preamble::{
    ANSWER_BYTES, AcceptorHandshake, Answer, DiallerHandshake, HELLO_BYTES, HandshakeError,
    PROOF_BYTES, WELCOME_BYTES,
};
use crate::{PeerIdentity, Refusal, SelfIdentity};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For everything from the first byte to the last answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShakeError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("the handshake took longer than {} s", PATIENCE.as_secs())]
    Late,
    /// The link that the two nodes have already, as far as this one knows it.
    #[error("the two nodes have a link already")]
    AlreadyLinked(Box<PeerIdentity>),
}

impl ShakeError {
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self {
            ShakeError::Handshake(error) => error.refusal(),
            ShakeError::AlreadyLinked(_) => Some(Refusal::AlreadyLinked),
            ShakeError::Io(_) | ShakeError::Late => None,
        }
    }
}

/// The dialler's part. The link is in the table when this succeeds.
pub(crate) async fn dial(
    shared: &Arc<Shared>,
    stream: &mut TcpStream,
    address: SocketAddr,
) -> Result<Attendance, ShakeError> {
    timeout(PATIENCE, dial_inner(shared, stream, address)).await.unwrap_or(Err(ShakeError::Late))
}

async fn dial_inner(
    shared: &Arc<Shared>,
    stream: &mut TcpStream,
    address: SocketAddr,
) -> Result<Attendance, ShakeError> {
    let nonce = shared.nonce();
    let _under_way = shared.nonces.send(nonce);
    let mut machine = DiallerHandshake::new(shared.identity.get(), nonce);
    stream.write_all(&machine.hello()).await?;
    machine.answered(read::<ANSWER_BYTES>(stream).await?)?;
    let welcome = read::<WELCOME_BYTES>(stream).await?;
    let (peer, proof) = match machine.welcomed(&welcome, &shared.cookie) {
        Ok(welcomed) => welcomed,
        Err(error) => {
            // So that the other side can say it too; it learns nothing from it.
            let _ = stream.write_all(&[0; PROOF_BYTES]).await;
            return Err(error.into());
        }
    };
    stream.write_all(&proof).await?;
    let peer = known_as(peer, address);
    let finished = machine.finished(&read::<ANSWER_BYTES>(stream).await?);
    if finished == Err(HandshakeError::RefusedByPeer(Refusal::AlreadyLinked)) {
        return Err(ShakeError::AlreadyLinked(Box::new(peer)));
    }
    finished?;
    claim(shared, peer, true)
}

/// The acceptor's part. The link is in the table when this succeeds.
pub(crate) async fn accept(
    shared: &Arc<Shared>,
    stream: &mut TcpStream,
    address: SocketAddr,
) -> Result<Attendance, ShakeError> {
    let shaken = timeout(PATIENCE, accept_inner(shared, stream, address)).await;
    let shaken = shaken.unwrap_or(Err(ShakeError::Late));
    if let Err(ShakeError::Handshake(HandshakeError::RefusedHere(refusal))) = &shaken {
        refuse(stream, *refusal).await;
    }
    shaken
}

async fn accept_inner(
    shared: &Arc<Shared>,
    stream: &mut TcpStream,
    address: SocketAddr,
) -> Result<Attendance, ShakeError> {
    let hello = read::<HELLO_BYTES>(stream).await?;
    let (me, nonce) = (shared.identity.get(), shared.nonce());
    let is_mine = |nonce: &[u8; 16]| shared.nonces.holds(nonce);
    let heard = AcceptorHandshake::hear(me, hello, nonce, &shared.cookie, is_mine)?;
    stream.write_all(&heard.reply).await?;
    let proof = read::<PROOF_BYTES>(stream).await?;
    let (peer, answer) = heard.handshake.proven(&proof, &shared.cookie)?;
    let link = claim(shared, known_as(peer, address), false);
    let link = link.map_err(|error| match error.refusal() {
        Some(refusal) => HandshakeError::RefusedHere(refusal).into(),
        None => error,
    })?;
    stream.write_all(&answer).await?;
    Ok(link)
}

fn claim(
    shared: &Arc<Shared>,
    peer: PeerIdentity,
    dialled: bool,
) -> Result<Attendance, ShakeError> {
    let link = shared.table.claim(peer, dialled).map_err(|refusal| match refusal {
        Refusal::AlreadyLinked => ShakeError::AlreadyLinked(Box::new(peer)),
        refusal => ShakeError::from(HandshakeError::RefusedHere(refusal)),
    })?;
    Ok(Attendance::new(shared.clone(), link))
}

/// Says why, as far as the peer still listens.
pub(crate) async fn refuse(stream: &mut TcpStream, refusal: Refusal) {
    let answer = Answer::Refused(refusal).encode();
    let said = stream.write_all(&answer);
    let _ = timeout(Duration::from_secs(1), said).await;
    let _ = stream.shutdown().await;
}

fn known_as(peer: SelfIdentity, address: SocketAddr) -> PeerIdentity {
    let SelfIdentity { cluster, node, store, boot, roles } = peer;
    PeerIdentity { cluster, node, store, boot, roles, address }
}

async fn read<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
