//! CreatePartitions: logs get more partitions, each for itself. The number that is
//! asked for is the one they have afterwards.

use crate::handlers::changing::{Refusal, deadline, repeated, within};
use crate::kafka_errors::{
    INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST, NONE,
    UNKNOWN_TOPIC_OR_PARTITION,
};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Writer;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeSet;
use tokio::time::Instant;

/// Adds partitions to one log after the other.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question: CreatePartitionsRequest = request.decode()?;
    let deadline = deadline(question.timeout_ms);
    let twice = repeated(question.topics.iter().map(|topic| topic.name.clone()));
    let distinct: BTreeSet<&TopicName> = question.topics.iter().map(|topic| &topic.name).collect();
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    out.i32(0); // throttle time
    out.count(distinct.len());
    let mut answered = BTreeSet::new();
    for topic in &question.topics {
        if !answered.insert(&topic.name) {
            continue;
        }
        let result = match twice.contains(&topic.name) {
            true => Err((INVALID_REQUEST, "the request names this topic more than once".into())),
            false => add(service, topic, question.validate_only, deadline).await,
        };
        out.structure(request.version, &answer(topic.name.clone(), result))?;
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

async fn add(
    service: &Service,
    topic: &CreatePartitionsTopic,
    validate_only: bool,
    deadline: Instant,
) -> Result<(), Refusal> {
    let log = service.shen.log(&topic.name);
    let log = log.ok_or((UNKNOWN_TOPIC_OR_PARTITION, "no log has this name".to_owned()))?;
    // Some clients send an empty list where they mean none.
    if topic.assignments.as_ref().is_some_and(|assignments| !assignments.is_empty()) {
        let message = "replicas are placed by the cluster; leave out the assignments";
        return Err((INVALID_REPLICA_ASSIGNMENT, message.to_owned()));
    }
    let total = u32::try_from(topic.count).map_err(|_| {
        (INVALID_PARTITIONS, format!("a log cannot have {} partitions", topic.count))
    })?;
    within(deadline, service.shen.add_partitions(log.number, total, validate_only)).await
}

fn answer(name: TopicName, result: Result<(), Refusal>) -> CreatePartitionsTopicResult {
    let (code, message) = match result {
        Ok(()) => (NONE, None),
        Err((code, message)) => (code, Some(StrBytes::from_string(message))),
    };
    CreatePartitionsTopicResult::default()
        .with_name(name)
        .with_error_code(code)
        .with_error_message(message)
}
