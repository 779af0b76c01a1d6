//! The quiet time: no more trouble, and then everything must be in order.

use super::GroupWorld;
use super::client::Doing;
use crate::judge::Verdict;
use std::collections::{BTreeMap, BTreeSet};

impl GroupWorld {
    /// Trouble ends; stalled links end when they would. Of two that live under one
    /// instance the younger stays.
    pub(super) fn calm_down(&mut self) {
        self.is_quiet = true;
        let mut seen = BTreeSet::new();
        for client in self.clients.iter_mut().rev().filter(|client| client.alive) {
            client.paused_until = client.paused_until.min(self.now);
            client.busy_until = client.busy_until.min(self.now);
            if let Some(instance) = &client.instance {
                client.alive = seen.insert(instance.clone());
            }
        }
        if !self.clients.iter().any(|client| client.alive) {
            self.arrive(None);
        }
    }

    /// Everybody reads, every partition has one reader, and all is committed.
    pub(super) fn check_quiet(&mut self) -> Verdict {
        self.judge.verdict()?;
        let mut owners: BTreeMap<u32, usize> = BTreeMap::new();
        for (who, client) in self.clients.iter().enumerate().filter(|(_, client)| client.alive) {
            if client.doing != Doing::Reading {
                return Err(format!("STUCK: client {who} is still {:?}", client.doing));
            }
            for partition in &client.owned {
                if let Some(other) = owners.insert(*partition, who) {
                    return Err(format!("GROUP: {who} and {other} both read {partition}"));
                }
            }
        }
        for (partition, end) in (0_u32..).zip(&self.ends) {
            if !owners.contains_key(&partition) {
                return Err(format!("STUCK: nobody reads partition {partition}"));
            }
            self.judge.everything_is_read(partition, *end)?;
        }
        Ok(())
    }
}
