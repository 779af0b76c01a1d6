//! One group, with what its members read and how far behind they are.

use super::GroupContext;
use super::assignment;
use crate::api::{GroupDescription, GroupMember, GroupOffset, GroupSummary};
use pyralog_groups as groups;
use pyralog_groups::CommittedOffset;
use pyralog_model::PartitionId;
use std::collections::BTreeMap;

/// What is known of one partition: what was committed, and who reads it.
#[derive(Default)]
struct Known {
    committed: Option<CommittedOffset>,
    member: Option<String>,
}

/// The summary of a group.
pub fn summary(group: groups::GroupSummary) -> GroupSummary {
    GroupSummary {
        name: group.group,
        state: group.state.as_str().to_owned(),
        protocol_type: group.protocol_type,
        member_count: group.members,
    }
}

/// A group from what its coordinator says and from where its logs end now.
pub fn description(
    context: &GroupContext,
    group: groups::GroupDescription,
    offsets: Vec<groups::PartitionOffset>,
) -> GroupDescription {
    let members: Vec<GroupMember> = group.members.into_iter().map(member).collect();
    let mut known: BTreeMap<(String, u32), Known> = BTreeMap::new();
    for groups::PartitionOffset { partition, committed } in offsets {
        known.entry((partition.topic, partition.partition)).or_default().committed = committed;
    }
    for member in &members {
        for assigned in &member.assigned {
            for partition in &assigned.partitions {
                let known = known.entry((assigned.log.clone(), *partition)).or_default();
                known.member = Some(member.member.clone());
            }
        }
    }
    let offset = |((log, partition), known)| offset(context, log, partition, known);
    GroupDescription {
        summary: summary(group.summary),
        generation: group.generation,
        assignor: group.protocol,
        leader: group.leader,
        members,
        offsets: known.into_iter().map(offset).collect(),
    }
}

fn member(member: groups::DescribedMember) -> GroupMember {
    GroupMember {
        assigned: assignment::read(&member.assignment).unwrap_or_default(),
        member: member.member,
        instance: member.instance,
        client_id: member.client_id,
        client_host: member.client_host,
    }
}

fn offset(context: &GroupContext, log: String, partition: u32, known: Known) -> GroupOffset {
    let entry = context.shen.log(&log).filter(|entry| partition < entry.partitions);
    let watermarks = entry.and_then(|entry| {
        context.shen.watermarks(PartitionId::new(entry.number.0, partition)).ok()
    });
    let end = watermarks.map(|watermarks| watermarks.high.0);
    let Known { committed, member } = known;
    let (committed, metadata) = match committed {
        Some(committed) => (Some(committed.offset), committed.metadata),
        None => (None, String::new()),
    };
    let lag =
        committed.zip(end).map(|(committed, end)| end.saturating_sub(committed.max(0) as u64));
    GroupOffset { log, partition, committed, metadata, end, lag, member }
}
