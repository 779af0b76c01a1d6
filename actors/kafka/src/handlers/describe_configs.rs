//! DescribeConfigs: the settings of logs and of this node. What is asked twice is
//! answered once, else few bytes could ask for many.

use crate::handlers::changing::Refusal;
use crate::handlers::configs::{
    BROKER, Resource, Row, TOPIC, find_log, log_rows, node_rows, unknown_kind,
};
use crate::kafka_errors::{INVALID_REQUEST, NONE};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Writer;
use kafka_protocol::messages::DescribeConfigsRequest;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::protocol::StrBytes;
use std::collections::BTreeSet;

/// About what the settings of one thing take, told with everything.
const SETTINGS_BYTES: usize = 6 * 1024;

/// What a client wants to know beside keys and values.
#[derive(Clone, Copy)]
struct Wishes {
    synonyms: bool,
    documentation: bool,
}

/// Tells of every resource that is named.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question: DescribeConfigsRequest = request.decode()?;
    let wishes = Wishes {
        synonyms: question.include_synonyms,
        documentation: question.include_documentation,
    };
    let mut seen = BTreeSet::new();
    let mut resources: Vec<&DescribeConfigsResource> = question.resources.iter().collect();
    resources.retain(|one| seen.insert(resource(one)));
    let there = resources.iter().filter(|one| is_there(service, resource(one))).count();
    let permit = service.admit_response(there * SETTINGS_BYTES).await;
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    out.i32(0); // throttle time
    out.count(resources.len());
    for one in resources {
        let rows = rows(service, resource(one));
        out.structure(request.version, &answer(one, rows, wishes))?;
    }
    out.no_tags();
    let mut reply = Reply::of_pieces(request, vec![out.cut()]);
    reply.permit = Some(permit);
    Ok(reply)
}

fn resource(asked: &DescribeConfigsResource) -> Resource<'_> {
    (asked.resource_type, &asked.resource_name)
}

/// True if there is much to tell.
fn is_there(service: &Service, (kind, name): Resource<'_>) -> bool {
    kind == BROKER || service.shen.log(name).is_some()
}

fn rows(service: &Service, (kind, name): Resource<'_>) -> Result<Vec<Row>, Refusal> {
    match kind {
        TOPIC => Ok(log_rows(service, &*find_log(service, name)?)),
        // The settings that would hold for all nodes at once: there are none.
        BROKER if name.is_empty() => Ok(Vec::new()),
        BROKER if name == service.shen.node().0.to_string() => Ok(node_rows(service)),
        BROKER => Err((INVALID_REQUEST, format!("this is not node '{name}'; ask that one"))),
        kind => Err(unknown_kind(kind)),
    }
}

fn answer(
    asked: &DescribeConfigsResource,
    rows: Result<Vec<Row>, Refusal>,
    wishes: Wishes,
) -> DescribeConfigsResult {
    let (code, message, mut rows) = match rows {
        Ok(rows) => (NONE, None, rows),
        Err((code, message)) => (code, Some(StrBytes::from_string(message)), Vec::new()),
    };
    // An empty list of keys asks for all, as null does.
    if let Some(keys) = asked.configuration_keys.as_ref().filter(|keys| !keys.is_empty()) {
        let keys: BTreeSet<&str> = keys.iter().map(|key| &**key).collect();
        rows.retain(|row| keys.contains(row.key.as_str()));
    }
    DescribeConfigsResult::default()
        .with_error_code(code)
        .with_error_message(message)
        .with_resource_type(asked.resource_type)
        .with_resource_name(asked.resource_name.clone())
        .with_configs(rows.into_iter().map(|row| config(row, wishes)).collect())
}

fn config(row: Row, wishes: Wishes) -> DescribeConfigsResourceResult {
    let synonym = |(key, value, source): (String, String, i8)| {
        DescribeConfigsSynonym::default()
            .with_name(StrBytes::from_string(key))
            .with_value(Some(StrBytes::from_string(value)))
            .with_source(source)
    };
    let synonyms = if wishes.synonyms { row.synonyms } else { Vec::new() };
    let documentation = wishes.documentation.then(|| StrBytes::from_static_str(row.documentation));
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_string(row.key))
        .with_value(Some(StrBytes::from_string(row.value)))
        .with_read_only(row.read_only)
        .with_config_source(row.source)
        .with_synonyms(synonyms.into_iter().map(synonym).collect())
        .with_config_type(row.kind)
        .with_documentation(documentation)
}
