//! `sys.groups` and `sys.group_members`: consumer groups and who is in them.

use super::SystemSources;
use super::table::{Row, Rows, Table, Wanted, number};
use super::words::Kind::{Number, Text};
use datafusion::common::ScalarValue;
use futures::{StreamExt, TryStreamExt, stream};
use pyralog_groups::{GroupDescription, GroupError, GroupSummary, Groups};
use pyralog_model::{ApiError, ErrorCode};

/// Groups that are asked for at once.
pub const ASKED_AT_ONCE: usize = 16;

pub static GROUPS: Table = Table {
    name: "groups",
    meaning: "the consumer groups",
    columns: &[
        ("group_name", Text, "the group"),
        ("state", Text, "Empty, PreparingRebalance, CompletingRebalance or Stable"),
        ("kind", Text, "consumer, or another kind; NULL if it only has offsets"),
        ("members", Number, "how many there are"),
        ("generation", Number, "raised by every rebalance"),
        ("assignor", Text, "how the partitions are shared out; NULL without members"),
        ("leader", Text, "the member that shares them out"),
    ],
    read: groups,
};

pub static GROUP_MEMBERS: Table = Table {
    name: "group_members",
    meaning: "the members of the consumer groups",
    columns: &[
        ("group_name", Text, "the group"),
        ("member", Text, "the member's id"),
        ("instance", Text, "its group.instance.id, if it has one"),
        ("client", Text, "what the client calls itself"),
        ("host", Text, "where it comes from"),
    ],
    read: members,
};

/// Every group, in the order of their names.
pub async fn listed(groups: &Groups) -> Result<Vec<GroupSummary>, ApiError> {
    let mut list = groups.list().await.map_err(refused)?;
    list.sort_by(|a, b| a.group.cmp(&b.group));
    Ok(list)
}

/// Why a group did not answer, as a query says it.
pub fn refused(error: GroupError) -> ApiError {
    match error {
        GroupError::Unavailable(error) => error,
        other => ApiError::new(ErrorCode::Unavailable, format!("consumer groups: {other}")),
    }
}

fn groups(sources: SystemSources, wanted: Wanted) -> Rows {
    let more = ["generation", "assignor", "leader"].iter().any(|column| wanted.has(column));
    if more {
        return described(sources.groups, |group| vec![group_row(&group.summary, Some(&group))]);
    }
    let list = async move { listed(&sources.groups).await };
    let rows = |list: Vec<GroupSummary>| {
        stream::iter(list.into_iter().map(|group| Ok(group_row(&group, None))))
    };
    stream::once(list).map_ok(rows).try_flatten().boxed()
}

fn group_row(group: &GroupSummary, more: Option<&GroupDescription>) -> Row {
    vec![
        group.group.as_str().into(),
        group.state.as_str().into(),
        filled(&group.protocol_type),
        number(group.members),
        more.map_or(ScalarValue::Int64(None), |more| number(more.generation)),
        more.map_or(ScalarValue::Utf8(None), |more| filled(&more.protocol)),
        more.and_then(|more| more.leader.clone()).into(),
    ]
}

fn members(sources: SystemSources, _: Wanted) -> Rows {
    described(sources.groups, |group| {
        let members = group.members.iter();
        let row = |member: &pyralog_groups::DescribedMember| {
            vec![
                group.summary.group.as_str().into(),
                member.member.as_str().into(),
                member.instance.clone().into(),
                member.client_id.as_str().into(),
                member.client_host.as_str().into(),
            ]
        };
        members.map(row).collect()
    })
}

/// The rows of each group, described. One that was deleted meanwhile has none.
fn described(groups: Groups, rows: fn(GroupDescription) -> Vec<Row>) -> Rows {
    let list = {
        let groups = groups.clone();
        async move { listed(&groups).await }
    };
    let each = move |list: Vec<GroupSummary>| {
        let groups = groups.clone();
        let asked = stream::iter(list).map(move |summary| {
            let groups = groups.clone();
            async move {
                match groups.describe(&summary.group).await {
                    Ok(group) if group.summary.state != pyralog_groups::GroupState::Dead => {
                        Ok(stream::iter(rows(group).into_iter().map(Ok)))
                    }
                    Ok(_) | Err(GroupError::NotFound) => {
                        Ok(stream::iter(Vec::new().into_iter().map(Ok)))
                    }
                    Err(error) => Err(refused(error)),
                }
            }
        });
        asked.buffered(ASKED_AT_ONCE).try_flatten()
    };
    stream::once(list).map_ok(each).try_flatten().boxed()
}

/// Text, or NULL for none.
fn filled(text: &str) -> ScalarValue {
    Some(text).filter(|text| !text.is_empty()).into()
}
