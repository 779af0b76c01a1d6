//! The clients' assignor: ranges of partitions, over members sorted by instance or id.
//! Members for whom nothing is left are not named at all.

use super::PARTITIONS;
use bytes::Bytes;
use pyralog_groups::JoinedMember;

/// Who gets what.
pub(super) fn assign(members: &[JoinedMember]) -> Vec<(String, Bytes)> {
    let mut members: Vec<&JoinedMember> = members.iter().collect();
    members.sort_by_key(|member| (member.instance.is_none(), &member.instance, &member.member));
    let (count, mut next) = (members.len() as u32, 0);
    let mut assigned = Vec::new();
    for (place, member) in (0..).zip(members) {
        let share = PARTITIONS / count + u32::from(place < PARTITIONS % count);
        let range: Vec<u8> = (next..next + share).map(|partition| partition as u8).collect();
        next += share;
        if !range.is_empty() {
            assigned.push((member.member.clone(), Bytes::from(range)));
        }
    }
    assigned
}

/// The partitions of an assignment.
pub(super) fn partitions(assignment: &[u8]) -> Vec<u32> {
    assignment.iter().map(|partition| u32::from(*partition)).collect()
}
