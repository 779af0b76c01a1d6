//! IncrementalAlterConfigs: the settings that are named are changed, the others stay.

use crate::handlers::changing::{Refusal, refusal, repeated};
use crate::handlers::configs::{facts_of, kind_is_list, log_to_change, write_altered};
use crate::kafka_errors::{INVALID_CONFIG, INVALID_REQUEST};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Writer;
use kafka_protocol::messages::IncrementalAlterConfigsRequest;
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use pyralog_model::LogSettings;

/// What is to be done to a setting, in Kafka's numbers.
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// Changes one resource after the other; each as a whole or not at all.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question: IncrementalAlterConfigsRequest = request.decode()?;
    let name = |one: &AlterConfigsResource| (one.resource_type, one.resource_name.clone());
    let twice = repeated(question.resources.iter().map(name));
    let mut out = Writer::new(request.is_flexible(), 64 + 2 * request.body.len());
    out.i32(0); // throttle time
    out.count(question.resources.len());
    for resource in &question.resources {
        let altered = match twice.contains(&name(resource)) {
            true => Err((INVALID_REQUEST, "the request names this more than once".into())),
            false => alter(service, resource, question.validate_only).await,
        };
        write_altered((resource.resource_type, &resource.resource_name), altered, &mut out);
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

async fn alter(
    service: &Service,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Refusal> {
    let log = log_to_change(service, (resource.resource_type, &resource.resource_name))?;
    if let Some(key) = repeated(resource.configs.iter().map(|config| &*config.name)).first() {
        return Err((INVALID_REQUEST, format!("'{key}' is changed more than once")));
    }
    let changes = resource.configs.iter().map(|config| change(&log.settings, config));
    let changes = changes.collect::<Result<_, _>>()?;
    let altered = service.shen.alter_settings(log.number, changes, validate_only).await;
    altered.map(|_| ()).map_err(refusal)
}

/// A key and its new value; none puts the default back.
fn change(
    present: &LogSettings,
    config: &AlterableConfig,
) -> Result<(String, Option<String>), Refusal> {
    let key = config.name.to_string();
    let value = || match &config.value {
        Some(value) => Ok(value.to_string()),
        None => Err((INVALID_CONFIG, format!("'{key}' has no value"))),
    };
    let value = match config.config_operation {
        SET => Some(value()?),
        DELETE => None,
        operation @ (APPEND | SUBTRACT) => {
            if !facts_of(&key).is_some_and(kind_is_list) {
                let message = format!("'{key}' is no list: set it, do not append or subtract");
                return Err((INVALID_CONFIG, message));
            }
            let rows = present.rows();
            let list = rows.iter().find(|row| row.key == key).map_or("", |row| row.value.as_str());
            Some(changed_list(list, &value()?, operation == APPEND))
        }
        other => return Err((INVALID_REQUEST, format!("there is no operation {other}"))),
    };
    Ok((key, value))
}

/// A list with elements more, or without them.
fn changed_list(list: &str, elements: &str, append: bool) -> String {
    let elements: Vec<&str> = elements.split(',').map(str::trim).collect();
    let present = list.split(',').filter(|one| append || !elements.contains(one));
    let mut changed: Vec<&str> = present.collect();
    if append {
        let new = elements.iter().filter(|one| !list.split(',').any(|present| present == **one));
        changed.extend(new);
    }
    changed.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_and_shrink() {
        assert_eq!(changed_list("delete", "compact, delete", true), "delete,compact");
        assert_eq!(changed_list("delete,compact", " compact", false), "delete");
        assert_eq!(changed_list("delete", "compact", false), "delete");
        assert_eq!(changed_list("delete", "delete", false), "");
    }
}
