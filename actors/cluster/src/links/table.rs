//! The links of this process: one per peer and start of it.
//!
//! When two nodes dial each other at once, the connection that the lower store
//! dialled stays; both sides decide so by themselves.

use crate::link::Link;
use crate::pulse::{Pulse, Standing};
use crate::{PeerIdentity, Refusal};
use pyralog_env::Clock;
use pyralog_model::{Boot, StoreId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Links in all; past it nobody new is let in.
pub(crate) const LINKS_MAX: usize = 1_024;

/// A link that a peer wants to replace, and that was quiet for so long, is
/// dead: heartbeats come twice as often.
const QUIET: Duration = Duration::from_secs(1);

type Rows = HashMap<(StoreId, Boot), Arc<Link>>;

pub(crate) struct Table {
    me: StoreId,
    clock: Arc<dyn Clock>,
    numbers: AtomicU64,
    rows: Mutex<Rows>,
}

impl Table {
    pub(crate) fn new(me: StoreId, clock: Arc<dyn Clock>) -> Table {
        Table { me, clock, numbers: AtomicU64::new(1), rows: Mutex::default() }
    }

    /// A link to this peer, if it may have one more.
    pub(crate) fn claim(&self, peer: PeerIdentity, dialled: bool) -> Result<Arc<Link>, Refusal> {
        let mut rows = self.rows();
        rows.retain(|_, link| link.pulse.standing() != Standing::Ended);
        if rows.len() >= LINKS_MAX {
            return Err(Refusal::TooManyConnections);
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let fresh = || Arc::new(Link::new(number, dialled, peer, Pulse::new(self.clock.clone())));
        match rows.entry((peer.store, peer.boot)) {
            Entry::Vacant(place) => Ok(place.insert(fresh()).clone()),
            Entry::Occupied(mut place) => {
                self.dispute(place.get(), peer, dialled)?;
                let link = fresh();
                place.insert(link.clone());
                Ok(link)
            }
        }
    }

    /// Whether a new connection may take the place of `old`.
    fn dispute(&self, old: &Link, peer: PeerIdentity, dialled: bool) -> Result<(), Refusal> {
        let opening = match old.pulse.standing() {
            Standing::Ended => return Ok(()),
            Standing::Opening => true,
            Standing::Up | Standing::Silent => false,
        };
        let lower_dialled = if dialled { self.me < peer.store } else { peer.store < self.me };
        let same_direction = old.dialled == dialled;
        if opening && (same_direction || lower_dialled) {
            // The dialler has given up the old one, or both dialled at once.
            old.close();
            return Ok(());
        }
        let quiet = self.clock.monotonic().since(old.pulse.heard()) > QUIET;
        if !opening && quiet && !dialled {
            // Its session must be gone before the next begins: the peer comes again.
            old.close();
        }
        Err(Refusal::AlreadyLinked)
    }

    /// The link to this start of this store.
    pub(crate) fn find(&self, store: StoreId, boot: Boot) -> Option<Arc<Link>> {
        self.rows().get(&(store, boot)).cloned()
    }

    /// The link of this label.
    pub(crate) fn labelled(&self, label: &str) -> Option<Arc<Link>> {
        let number: u64 = label.strip_prefix("link-")?.parse().ok()?;
        self.rows().values().find(|link| link.number == number).cloned()
    }

    /// Forgets a link that nobody looks after any more, and closes it if it has
    /// not ended. While its session winds up it keeps its row, so that the next
    /// session with the same peer begins only afterwards.
    pub(crate) fn forget(&self, link: &Link) {
        if !link.close() {
            return;
        }
        let PeerIdentity { store, boot, .. } = link.identity();
        let mut rows = self.rows();
        if rows.get(&(store, boot)).is_some_and(|row| row.number == link.number) {
            rows.remove(&(store, boot));
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<Link>> {
        self.rows().values().cloned().collect()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        // Every change is complete before anything could panic.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_directory::Roles;
    use pyralog_env::WallMillis;
    use pyralog_env::sim::SimClock;

    fn peer(store: u128) -> PeerIdentity {
        PeerIdentity {
            cluster: None,
            node: None,
            store: StoreId(store),
            boot: Boot(1),
            roles: Roles { obelisk: true, pyramid: false },
            address: "127.0.0.1:1".parse().unwrap(),
        }
    }

    fn table(me: u128) -> (Table, Arc<SimClock>) {
        let clock = Arc::new(SimClock::new(WallMillis(0)));
        (Table::new(StoreId(me), clock.clone()), clock)
    }

    #[test]
    fn nodes_that_dial_each_other_at_once_keep_the_same_connection() {
        for order in [[true, false], [false, true]] {
            let (low, _) = table(1);
            let (high, _) = table(2);
            // "mine" was dialled by the low node, "yours" by the high one.
            let mut kept = Vec::new();
            for (table, me, other) in [(&low, 1, 2), (&high, 2, 1)] {
                for by_low in order {
                    let _ = table.claim(peer(other), by_low == (me == 1));
                }
                let left = table.find(StoreId(other), Boot(1)).unwrap();
                kept.push(left.dialled == (me == 1));
                assert!(!left.pulse.closed());
            }
            assert_eq!(kept, [true, true], "both keep what the low one dialled");
        }
    }

    #[test]
    fn a_standing_link_is_kept_until_it_is_quiet() {
        let (table, clock) = table(1);
        let first = table.claim(peer(2), false).unwrap();
        first.ready(1);
        assert_eq!(table.claim(peer(2), false).err(), Some(Refusal::AlreadyLinked));
        assert!(!first.pulse.closed());
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(table.claim(peer(2), false).err(), Some(Refusal::AlreadyLinked));
        assert!(first.pulse.closed(), "it makes room for the next attempt");
        first.pulse.stand(Standing::Ended);
        assert!(table.claim(peer(2), false).is_ok());
    }

    #[test]
    fn links_are_bounded_and_forgotten() {
        let (table, _) = table(1);
        let links: Vec<_> =
            (0..LINKS_MAX as u128).map(|n| table.claim(peer(n + 2), false).unwrap()).collect();
        assert_eq!(table.claim(peer(9_999), false).err(), Some(Refusal::TooManyConnections));
        table.forget(&links[0]);
        assert!(table.claim(peer(9_999), false).is_ok());
        links[1].pulse.stand(Standing::Ended);
        assert!(table.claim(peer(10_000), false).is_ok(), "an ended link is no link");
    }

    #[test]
    fn labels_lead_to_links() {
        let (table, _) = table(1);
        let link = table.claim(peer(2), true).unwrap();
        assert_eq!(table.labelled(&link.label()).unwrap().number, link.number);
        for label in ["link-", "link-99", "127.0.0.1:5", "link-1x", ""] {
            assert!(table.labelled(label).is_none(), "{label}");
        }
    }
}
