//! The links' part of the supervision tree.
//!
//! ```text
//!   links      one_for_one
//!   ├─ router      answers the peers' calls
//!   ├─ server      ractor_cluster: sessions over connections
//!   ├─ peers       dynamic: a dialler an endpoint, a guest an accepted link
//!   ├─ dialling    starts the diallers
//!   └─ door        accepts connections (when there is a listener)
//! ```
//!
//! Everything they share is in the handle, so each can be killed by itself: a
//! dead router is replaced while the links stand, a dead server takes the links
//! with it and the diallers make new ones.

use crate::Peer;
use crate::dialler::{Dialler, DiallerArguments, DiallerMessage};
use crate::dialling::{Dialling, DiallingArguments, DiallingMessage};
use crate::door::{LinkDoor, LinkDoorArguments, LinkDoorMessage, Places};
use crate::links::{Links, Shared};
use crate::router::{Router, RouterArguments, RouterMessage};
use crate::server::{LinkServer, LinkServerArguments, LinkServerMessage};
use pyralog_behaviour::{ChildContext, ChildSpec, Intensity, SupervisorSpec};
use ractor::Actor;
use std::net::TcpListener;
use std::sync::Arc;

/// The dynamic supervisor, an earlier sibling of those who start its children.
pub(crate) const PEERS: &str = "peers";

/// What the links' subtree needs.
pub struct LinkArguments {
    /// The handle.
    pub links: Links,
    /// Bound and listening; none for a node that only dials. The door clones
    /// it at every start, so that no peer is refused while it is restarted.
    pub listener: Option<Arc<TcpListener>>,
}

/// The child `links`, a supervisor.
pub fn link_child(arguments: LinkArguments) -> ChildSpec {
    let LinkArguments { links, listener } = arguments;
    let places = Arc::new(Places::default());
    ChildSpec::supervisor("links", move |_| {
        let shared = links.shared.clone();
        let mut children = vec![
            router(shared.clone()),
            server(shared.clone()),
            peers(shared.clone()),
            dialling(shared.clone()),
        ];
        children.extend(listener.clone().map(|listener| door(shared, listener, places.clone())));
        // A link that cannot be had is a state: nothing that is stored here needs one.
        SupervisorSpec::one_for_one(children).intensity(Intensity::unlimited())
    })
}

fn router(shared: Arc<Shared>) -> ChildSpec {
    ChildSpec::new::<RouterMessage, _, _>("router", "link-router", move |context| {
        let arguments = RouterArguments { shared: shared.clone(), vitals: context.vitals() };
        async move { Actor::spawn_linked(None, Router, arguments, context.supervisor()).await }
    })
}

fn server(shared: Arc<Shared>) -> ChildSpec {
    ChildSpec::new::<LinkServerMessage, _, _>("server", "link-server", move |context| {
        let arguments = LinkServerArguments { shared: shared.clone(), vitals: context.vitals() };
        async move { Actor::spawn_linked(None, LinkServer, arguments, context.supervisor()).await }
    })
}

/// A supervisor that was restarted begins with the peers that are known: nobody
/// else would ask for them again.
fn peers(shared: Arc<Shared>) -> ChildSpec {
    ChildSpec::supervisor(PEERS, move |_| {
        let known = shared.peers().into_iter().map(|peer| dialler(shared.clone(), peer));
        SupervisorSpec { children: known.collect(), ..SupervisorSpec::dynamic() }
            .intensity(Intensity::unlimited())
    })
}

pub(crate) fn dialler(shared: Arc<Shared>, peer: Peer) -> ChildSpec {
    // A path is made of ids, so an id has no slash.
    let id = format!("to-{}", peer.endpoint().replace('/', "_"));
    ChildSpec::new::<DiallerMessage, _, _>(id, "link-dialler", move |context: ChildContext| {
        let (shared, peer, vitals) = (shared.clone(), peer.clone(), context.vitals());
        let arguments = DiallerArguments { shared, peer, vitals };
        async move { Actor::spawn_linked(None, Dialler, arguments, context.supervisor()).await }
    })
}

fn dialling(shared: Arc<Shared>) -> ChildSpec {
    ChildSpec::new::<DiallingMessage, _, _>("dialling", "link-dialling", move |context| {
        let supervisor = context.supervisor();
        let arguments = DiallingArguments { shared: shared.clone(), context };
        async move { Actor::spawn_linked(None, Dialling, arguments, supervisor).await }
    })
}

fn door(shared: Arc<Shared>, listener: Arc<TcpListener>, places: Arc<Places>) -> ChildSpec {
    ChildSpec::new::<LinkDoorMessage, _, _>("door", "link-door", move |context| {
        let (shared, listener, places) = (shared.clone(), listener.clone(), places.clone());
        let supervisor = context.supervisor();
        let arguments = LinkDoorArguments { listener, shared, places, context };
        async move { Actor::spawn_linked(None, LinkDoor, arguments, supervisor).await }
    })
}
