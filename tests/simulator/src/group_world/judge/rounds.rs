//! What the judge knows of generations and of members that are over.

use crate::judge::Verdict;
use pyralog_groups::{CommitOffsets, GroupError, Joined};
use std::collections::{BTreeMap, BTreeSet};

/// Generations as they were told to clients. A member is known by its instance, if it
/// has one: that outlives its ids.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    highest: i32,
    /// Whom the leader was told of.
    rosters: BTreeMap<i32, BTreeSet<String>>,
    told: BTreeMap<i32, BTreeSet<String>>,
    owners: BTreeMap<(i32, u32), String>,
    given: BTreeMap<(i32, String), Vec<u32>>,
    /// Members that were told that they are out. A coordinator that starts again may
    /// not know: it begins with the last generation.
    put_out: BTreeSet<String>,
    /// Members whose instance is another's, for ever.
    replaced: BTreeSet<String>,
    /// The id under which an instance was last told a generation.
    holders: BTreeMap<String, String>,
}

impl Rounds {
    /// True if this is the first that is heard of the generation.
    pub(super) fn joined(
        &mut self,
        instance: Option<&str>,
        joined: &Joined,
    ) -> Result<bool, String> {
        let generation = joined.generation;
        if generation < self.highest {
            return Err(format!("GROUP: generation {generation} after {}", self.highest));
        }
        let first = generation > self.highest;
        self.highest = generation;
        if let Some(instance) = instance {
            let before = self.holders.insert(instance.to_owned(), joined.member.clone());
            self.replaced.extend(before.filter(|before| *before != joined.member));
        }
        let who = instance.unwrap_or(&joined.member).to_owned();
        self.told.entry(generation).or_default().insert(who);
        self.check_roster(joined)?;
        Ok(first)
    }

    fn check_roster(&mut self, joined: &Joined) -> Verdict {
        let generation = joined.generation;
        if !joined.members.is_empty() {
            let names = joined.members.iter();
            let names = names.map(|m| m.instance.clone().unwrap_or_else(|| m.member.clone()));
            let roster: BTreeSet<String> = names.collect();
            let known = self.rosters.entry(generation).or_insert_with(|| roster.clone());
            if *known != roster {
                return Err(format!(
                    "GROUP: generation {generation} was of {known:?} and is of {roster:?}"
                ));
            }
        }
        let Some(roster) = self.rosters.get(&generation) else { return Ok(()) };
        let stranger = self.told[&generation].iter().find(|who| !roster.contains(*who));
        match stranger {
            Some(who) => Err(format!(
                "GROUP: {who} was told of generation {generation}, which is of {roster:?}"
            )),
            None => Ok(()),
        }
    }

    pub(super) fn synced(&mut self, generation: i32, who: &str, partitions: &[u32]) -> Verdict {
        let key = (generation, who.to_owned());
        let given = self.given.entry(key).or_insert_with(|| partitions.to_vec());
        if given != partitions {
            return Err(format!(
                "GROUP: {who} was given {given:?} and {partitions:?} in generation {generation}"
            ));
        }
        for partition in partitions {
            let owner = self.owners.entry((generation, *partition));
            let owner = owner.or_insert_with(|| who.to_owned());
            if owner != who {
                return Err(format!(
                    "GROUP: {partition} is {owner}'s and {who}'s in generation {generation}"
                ));
            }
        }
        Ok(())
    }

    /// Why a commit that arrives now must not be taken.
    pub(super) fn doom(&self, commit: &CommitOffsets) -> Option<String> {
        if commit.generation < 0 {
            return None;
        }
        if commit.generation < self.highest {
            return Some(format!("of {} in {}", commit.generation, self.highest));
        }
        let member = &commit.member;
        let over = self.put_out.contains(member) || self.replaced.contains(member);
        over.then(|| format!("of {}, which is out", commit.member))
    }

    /// A commit is acknowledged: nobody has been told of a later generation.
    pub(super) fn commits(&self, commit: &CommitOffsets) -> Verdict {
        if commit.generation >= 0 && commit.generation != self.highest {
            return Err(format!(
                "ZOMBIE: a commit of {} is acknowledged in {}",
                commit.generation, self.highest
            ));
        }
        Ok(())
    }

    pub(super) fn crashed(&mut self) {
        self.put_out.clear();
    }

    pub(super) fn refused(&mut self, member: &str, error: &GroupError) {
        if matches!(error, GroupError::UnknownMember | GroupError::FencedInstance) {
            self.put_out.insert(member.to_owned());
        }
    }
}
