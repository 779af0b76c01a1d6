//! `/v1/ids` and `/v1/timestamps`: unique ids ordered by time, from the node's
//! own lane, or from an Obelisk where it has none.

use crate::api::{
    CausalRequest, Decimal, IDS_LISTED_MAX, IDS_MAX, IdsReply, IdsRequest, TimestampReply,
    UniqueRequest,
};
use crate::reply::Refusal;
use crate::request::OptionalDocument;
use crate::routes::Context;
use axum::Json;
use axum::extract::State;
use pyralog_model::ScarabId;

/// `POST /v1/ids`.
pub async fn take(
    State(context): State<Context>,
    OptionalDocument(IdsRequest { count }): OptionalDocument<IdsRequest>,
) -> Result<Json<IdsReply>, Refusal> {
    if !(1..=IDS_MAX).contains(&count) {
        let message = format!("count is {count}; ask for 1 to {IDS_MAX} at a time");
        return Err(Refusal::invalid(message));
    }
    let first = context.pharaoh.ids(count).await?;
    Ok(Json(listed(first, count)))
}

/// `POST /v1/timestamps/unique`.
pub async fn unique(
    State(context): State<Context>,
    OptionalDocument(UniqueRequest {}): OptionalDocument<UniqueRequest>,
) -> Result<Json<TimestampReply>, Refusal> {
    Ok(Json(timestamp(context.pharaoh.ids(1).await?)))
}

/// `POST /v1/timestamps/causal`.
pub async fn causal(
    State(context): State<Context>,
    OptionalDocument(CausalRequest { after }): OptionalDocument<CausalRequest>,
) -> Result<Json<TimestampReply>, Refusal> {
    let after = after.map(|Decimal(id)| ScarabId(id));
    Ok(Json(timestamp(context.pharaoh.causal(after).await?)))
}

fn listed(first: ScarabId, count: u32) -> IdsReply {
    let id = |index: u32| Decimal(first.nth(u64::from(index)).0);
    let ids = (count <= IDS_LISTED_MAX).then(|| (0..count).map(id).collect());
    IdsReply { count, first: id(0), last: id(count - 1), ids }
}

fn timestamp(id: ScarabId) -> TimestampReply {
    TimestampReply { id: Decimal(id.0), unix_ms: id.clock().unix_ms() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_model::{Lane, LogicalClock};

    #[test]
    fn a_block_is_listed_as_it_carries_over_the_lane() {
        let first = ScarabId::compose(LogicalClock(8_191), Lane::new(5).unwrap());
        let reply = listed(first, 3);
        let ids = reply.ids.unwrap();
        assert_eq!((ids[0], ids[2]), (reply.first, reply.last));
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids[1].0 - ids[0].0 > 1, "the lane lies between");
        assert_eq!(listed(first, IDS_LISTED_MAX + 1).ids, None);
    }
}
