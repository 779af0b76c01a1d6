//! Who may come in: so many connections in all, and so many from one address.

use crate::settings::KafkaSettings;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places of a door. They outlive it, as its connections do.
#[derive(Debug)]
pub(crate) struct Places {
    all_max: usize,
    per_address_max: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
    turned_away: u64,
}

/// One connection's place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    pub(crate) fn new(settings: &KafkaSettings) -> Places {
        Places {
            all_max: settings.connections_max,
            per_address_max: settings.connections_per_address_max,
            counts: Mutex::default(),
        }
    }

    /// A place for a client at `address`, or `None` if there is none left.
    pub(crate) fn take(self: &Arc<Places>, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut counts = self.counts();
        let here = counts.by_address.get(&address).copied().unwrap_or(0);
        if counts.all >= self.all_max || here >= self.per_address_max {
            counts.turned_away += 1;
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, here + 1);
        Some(Place { places: self.clone(), address })
    }

    /// Connections that have a place.
    pub(crate) fn taken(&self) -> usize {
        self.counts().all
    }

    /// Connections that were closed for want of one.
    pub(crate) fn turned_away(&self) -> u64 {
        self.counts().turned_away
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Every change is complete before anything could panic.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
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
        let settings = KafkaSettings {
            connections_max: 3,
            connections_per_address_max: 2,
            ..KafkaSettings::default()
        };
        let places = Arc::new(Places::new(&settings));
        let [a, b]: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        let first = places.take(a).unwrap();
        let second = places.take(mapped).unwrap();
        assert!(places.take(a).is_none(), "two from one address, however it is written");
        let third = places.take(b).unwrap();
        assert!(places.take(b).is_none(), "three in all");
        assert_eq!((places.taken(), places.turned_away()), (3, 2));
        drop((first, second, third));
        assert_eq!(places.taken(), 0);
        assert!(places.counts().by_address.is_empty());
    }
}
