//! A coordinator from what its log says. Sessions begin anew: nobody is put out for
//! the time in which there was no coordinator.

use super::Coordinator;
use super::desk::Desk;
use super::group::Group;
use super::input::Moment;
use super::member::Member;
use super::timers::{Timer, Timers};
use crate::kept::{Kept, KeptEntry};
use crate::mutation::Planted;
use crate::protocol::GroupState;
use crate::settings::GroupSettings;
use pyralog_env::{Entropy, WallMillis};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

impl Coordinator {
    /// The coordinator of the groups in `kept`.
    pub fn new(
        settings: Arc<GroupSettings>,
        entropy: Arc<dyn Entropy>,
        kept: Kept,
        now: Moment,
    ) -> Coordinator {
        let mut desk = Desk {
            now,
            settings,
            entropy,
            timers: Timers::default(),
            writes: BTreeMap::new(),
            records_on_their_way: 0,
            token_next: 0,
            effects: Vec::new(),
            planted: Planted::default(),
        };
        let groups = kept.groups().map(|(name, entry)| (name.clone(), loaded(name, entry)));
        let mut groups: BTreeMap<String, Group> = groups.collect();
        groups.values_mut().for_each(|group| group.begin_again(&mut desk));
        desk.set_timer(Timer::Retention, desk.settings.retention_look);
        Coordinator { groups, kept, fetches: VecDeque::new(), desk, timers_taken: 0 }
    }

    /// Plants a bug.
    #[cfg(any(test, feature = "mutants"))]
    pub fn with_mutation(mut self, mutation: Option<crate::Mutation>) -> Coordinator {
        self.desk.planted = Planted::new(mutation);
        self
    }
}

fn loaded(name: &str, entry: &KeptEntry) -> Group {
    let mut group = Group::new(name, WallMillis(0));
    let Some(kept) = &entry.group else { return group };
    group.since = WallMillis(kept.since_ms);
    group.generation = kept.generation;
    group.protocol_type = kept.protocol_type.clone();
    group.protocol = kept.protocol.clone();
    group.leader = kept.leader.clone();
    for member in &kept.members {
        if let Some(instance) = &member.instance {
            group.instances.insert(instance.clone(), member.member.clone());
        }
        group.members.insert(member.member.clone(), Member::of(member));
    }
    group.state = match (kept.members.is_empty(), kept.assigned) {
        (true, _) => GroupState::Empty,
        (false, true) => GroupState::Stable,
        (false, false) => GroupState::CompletingRebalance,
    };
    group
}

impl Group {
    fn begin_again(&mut self, desk: &mut Desk) {
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in &ids {
            self.begin_session(desk, id);
        }
        match self.state {
            GroupState::CompletingRebalance => {
                let patience = self.rebalance_timeout(desk);
                self.await_syncs(desk, patience);
            }
            // Who has asked already is not known: nobody is put out for not asking.
            GroupState::Stable => self.members.values_mut().for_each(|m| m.synced = true),
            _ => {}
        }
    }
}
