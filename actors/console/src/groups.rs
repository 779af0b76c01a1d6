//! `/v1/groups`: list, describe, reset, delete.

mod assignment;
mod description;
mod refusing;
mod reset;

pub use reset::reset;

use crate::api::{GroupDescription, GroupList, GroupSummary};
use crate::reply::Refusal;
use crate::request::NameInPath;
use crate::routes::Context;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use pyralog_groups::{FetchOffsets, GroupState, Groups};
use pyralog_model::ErrorCode;
use pyralog_partition::Shen;
use refusing::{missing, refusal};

/// What the handlers of groups can reach.
pub struct GroupContext {
    /// The handle of the groups.
    groups: Groups,
    /// The façade of the logs that they read.
    shen: Shen,
}

/// Refuses on a node that has no groups.
pub struct InGroups(pub GroupContext);

impl FromRequestParts<Context> for InGroups {
    type Rejection = Refusal;

    async fn from_request_parts(_: &mut Parts, context: &Context) -> Result<InGroups, Refusal> {
        match (context.groups.clone(), context.shen.clone()) {
            (Some(groups), Some(shen)) => Ok(InGroups(GroupContext { groups, shen })),
            _ => {
                let message = "this node is an Obelisk and has no groups; ask a Pyramid";
                Err(Refusal::new(ErrorCode::NotSupported, message))
            }
        }
    }
}

/// `GET /v1/groups`.
pub async fn list(InGroups(context): InGroups) -> Result<Json<GroupList>, Refusal> {
    let groups = context.groups.list().await.map_err(|error| refusal("", error))?;
    let mut groups: Vec<_> = groups.into_iter().map(description::summary).collect();
    groups.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(GroupList { groups }))
}

/// `GET /v1/groups/{name}`.
pub async fn describe(
    InGroups(context): InGroups,
    NameInPath(name): NameInPath,
) -> Result<Json<GroupDescription>, Refusal> {
    let group = found(&context, &name).await?;
    let fetch = FetchOffsets { group: name.clone(), partitions: None };
    let offsets = context.groups.fetch(fetch).await.map_err(|error| refusal(&name, error))?;
    Ok(Json(description::description(&context, group, offsets)))
}

/// `DELETE /v1/groups/{name}`.
pub async fn delete(
    InGroups(context): InGroups,
    NameInPath(name): NameInPath,
) -> Result<Json<GroupSummary>, Refusal> {
    let group = found(&context, &name).await?;
    context.groups.delete(&name).await.map_err(|error| refusal(&name, error))?;
    Ok(Json(description::summary(group.summary)))
}

/// The group of this name, or a refusal that says it is not there.
async fn found(
    context: &GroupContext,
    name: &str,
) -> Result<pyralog_groups::GroupDescription, Refusal> {
    let group = context.groups.describe(name).await.map_err(|error| refusal(name, error))?;
    match group.summary.state {
        GroupState::Dead => Err(missing(name)),
        _ => Ok(group),
    }
}
