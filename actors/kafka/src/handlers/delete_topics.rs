//! DeleteTopics: logs go, by name or by id.

use crate::handlers::changing::{Refusal, deadline, within};
use crate::kafka_errors::{INVALID_REQUEST, NONE, UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Writer;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use pyralog_partition::LogEntry;
use std::sync::Arc;
use uuid::Uuid;

/// Deletes the logs one after the other.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question: DeleteTopicsRequest = request.decode()?;
    let deadline = deadline(question.timeout_ms);
    // Up to version 5 there are only names.
    let named = |name| DeleteTopicState::default().with_name(Some(name));
    let names = question.topic_names.len();
    let by_name = question.topic_names.into_iter().map(named);
    let count = names + question.topics.len();
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    out.i32(0); // throttle time
    out.count(count);
    for topic in by_name.chain(question.topics) {
        let log = find(service, &topic);
        let result = match &log {
            Ok(log) => within(deadline, service.shen.delete_log(log.number)).await,
            Err(refusal) => Err(refusal.clone()),
        };
        out.structure(request.version, &answer(topic, log.ok(), result))?;
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

fn find(service: &Service, topic: &DeleteTopicState) -> Result<Arc<LogEntry>, Refusal> {
    let log = match &topic.name {
        Some(_) if !topic.topic_id.is_nil() => {
            return Err((INVALID_REQUEST, "give a name or an id, not both".into()));
        }
        Some(name) => service
            .shen
            .log(name)
            .ok_or((UNKNOWN_TOPIC_OR_PARTITION, "no log has this name".into()))?,
        None => service
            .shen
            .log_by_topic_id(topic.topic_id.into_bytes())
            .ok_or((UNKNOWN_TOPIC_ID, "no log has this id".into()))?,
    };
    match log.internal {
        true => Err((INVALID_REQUEST, "internal logs belong to the cluster".into())),
        false => Ok(log),
    }
}

fn answer(
    topic: DeleteTopicState,
    log: Option<Arc<LogEntry>>,
    result: Result<(), Refusal>,
) -> DeletableTopicResult {
    let name_of = |log: &LogEntry| TopicName(StrBytes::from_string(log.name.to_string()));
    let id = log.as_ref().map_or(topic.topic_id, |log| Uuid::from_bytes(log.topic_id));
    let name = topic.name.or(log.as_deref().map(name_of));
    let answer = DeletableTopicResult::default().with_name(name).with_topic_id(id);
    match result {
        Ok(()) => answer.with_error_code(NONE),
        Err((code, message)) => {
            answer.with_error_code(code).with_error_message(Some(StrBytes::from_string(message)))
        }
    }
}
