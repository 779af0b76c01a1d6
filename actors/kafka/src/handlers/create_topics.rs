//! CreateTopics: new logs, each for itself. One that cannot be made says why
//! and leaves the others alone.

use crate::handlers::changing::{Refusal, deadline, repeated, within};
use crate::handlers::configs::{Row, log_rows};
use crate::kafka_errors::{
    INVALID_CONFIG, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR,
    INVALID_REQUEST, INVALID_TOPIC,
};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Writer;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use pyralog_model::LogName;
use pyralog_partition::{CreateLog, LogEntry};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;
use uuid::Uuid;

/// Settings are told back to requests of at most so many topics: they are many
/// times as long as a name.
const CONFIGS_TOPICS_MAX: usize = 16;

/// Creates the logs one after the other.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question: CreateTopicsRequest = request.decode()?;
    let deadline = deadline(question.timeout_ms);
    let twice = repeated(question.topics.iter().map(|topic| topic.name.clone()));
    let names = question.topics.iter().map(|topic| &topic.name);
    let distinct = names.collect::<BTreeSet<&TopicName>>().len();
    let with_configs = distinct <= CONFIGS_TOPICS_MAX;
    let mut answered_twice = BTreeSet::new();
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    out.i32(0); // throttle time
    out.count(distinct);
    for topic in question.topics {
        let name = topic.name.clone();
        let result = match twice.contains(&name) {
            false => create(service, topic, question.validate_only, deadline).await,
            // Answered at its first mention.
            true if !answered_twice.insert(name.clone()) => continue,
            true => Err((INVALID_REQUEST, "the request names this topic more than once".into())),
        };
        let configs = |log: &LogEntry| with_configs.then(|| configs(service, log));
        out.structure(request.version, &answer(name, result, configs))?;
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

async fn create(
    service: &Service,
    topic: CreatableTopic,
    validate_only: bool,
    deadline: Instant,
) -> Result<Arc<LogEntry>, Refusal> {
    let create = read(service, topic, validate_only)?;
    within(deadline, service.shen.create_log(create)).await
}

fn read(
    service: &Service,
    topic: CreatableTopic,
    validate_only: bool,
) -> Result<CreateLog, Refusal> {
    let name =
        LogName::for_user(&topic.name).map_err(|error| (INVALID_TOPIC, error.to_string()))?;
    if !topic.assignments.is_empty() {
        let message = "replicas are placed by the cluster; leave out the assignment";
        return Err((INVALID_REPLICA_ASSIGNMENT, message.into()));
    }
    let replication_factor = match topic.replication_factor {
        -1 => None,
        1 => Some(1),
        other => {
            let message = format!("{other} replicas cannot be had: this cluster has one node");
            return Err((INVALID_REPLICATION_FACTOR, message));
        }
    };
    let partitions_max = service.settings.partitions_per_log_max;
    let partitions = match topic.num_partitions {
        -1 => service.settings.default_partitions,
        count if (1..=i64::from(partitions_max)).contains(&i64::from(count)) => count as u32,
        count => {
            let message = format!("{count} partitions; a log has 1 to {partitions_max} here");
            return Err((INVALID_PARTITIONS, message));
        }
    };
    let settings = topic.configs.into_iter().map(setting).collect::<Result<_, _>>()?;
    let partitions = Some(partitions);
    let schema = None;
    Ok(CreateLog { name, partitions, replication_factor, settings, schema, validate_only })
}

fn setting(config: CreatableTopicConfig) -> Result<(String, String), Refusal> {
    match config.value {
        Some(value) => Ok((config.name.to_string(), value.to_string())),
        None => Err((INVALID_CONFIG, format!("{} has no value", &*config.name))),
    }
}

fn answer(
    name: TopicName,
    result: Result<Arc<LogEntry>, Refusal>,
    configs: impl FnOnce(&LogEntry) -> Option<Vec<CreatableTopicConfigs>>,
) -> CreatableTopicResult {
    let answer = CreatableTopicResult::default().with_name(name);
    match result {
        Ok(log) => answer
            .with_error_message(None)
            .with_topic_id(Uuid::from_bytes(log.topic_id))
            .with_num_partitions(log.partitions as i32)
            .with_replication_factor(log.replication_factor as i16)
            .with_configs(configs(&log)),
        Err((code, message)) => answer
            .with_error_code(code)
            .with_error_message(Some(StrBytes::from_string(message)))
            .with_num_partitions(-1)
            .with_replication_factor(-1)
            .with_configs(Some(Vec::new())),
    }
}

fn configs(service: &Service, log: &LogEntry) -> Vec<CreatableTopicConfigs> {
    let rows = log_rows(service, log).into_iter();
    let config = |row: Row| {
        CreatableTopicConfigs::default()
            .with_name(StrBytes::from_string(row.key))
            .with_value(Some(StrBytes::from_string(row.value)))
            .with_read_only(row.read_only)
            .with_config_source(row.source)
    };
    rows.map(config).collect()
}
