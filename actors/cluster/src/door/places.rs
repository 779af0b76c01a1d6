//! Who may be in the handshake: so many in all, and so many from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections in their handshake.
pub(crate) const ALL_MAX: usize = 256;
/// Of these from one address.
pub(crate) const PER_ADDRESS_MAX: usize = 64;

/// The places of the door. They outlive it.
#[derive(Default)]
pub(crate) struct Places(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
    turned_away: u64,
}

/// One connection's place, given back when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    /// A place for a node at `address`, or `None` if there is none left.
    pub(crate) fn take(self: &Arc<Places>, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut counts = self.counts();
        let here = counts.by_address.get(&address).copied().unwrap_or(0);
        if counts.all >= ALL_MAX || here >= PER_ADDRESS_MAX {
            counts.turned_away += 1;
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, here + 1);
        Some(Place { places: self.clone(), address })
    }

    pub(crate) fn taken(&self) -> usize {
        self.counts().all
    }

    pub(crate) fn turned_away(&self) -> u64 {
        self.counts().turned_away
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Every change is complete before anything could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.counts();
        counts.all -= 1;
        let here = counts.by_address.get(&self.address).copied().unwrap_or(0);
        match here {
            0 | 1 => drop(counts.by_address.remove(&self.address)),
            _ => drop(counts.by_address.insert(self.address, here - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let places = Arc::new(Places::default());
        let mut taken = Vec::new();
        for n in 0..8u8 {
            let address = IpAddr::from([10, 0, 0, n]);
            taken.extend((0..100).filter_map(|_| places.take(address)));
            assert_eq!(taken.len(), (usize::from(n) + 1).min(4) * PER_ADDRESS_MAX);
        }
        assert_eq!((places.taken(), places.turned_away()), (ALL_MAX, 800 - 256));
        taken.clear();
        assert_eq!(places.taken(), 0);
        assert!(places.counts().by_address.is_empty());
    }
}
