//! AlterConfigs, the old way: the settings that are named hold, and all others get
//! their defaults.

use crate::handlers::changing::{Refusal, refusal, repeated};
use crate::handlers::configs::{log_to_change, write_altered};
use crate::kafka_errors::INVALID_REQUEST;
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Writer;
use kafka_protocol::messages::AlterConfigsRequest;
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;

/// Changes one resource after the other; each as a whole or not at all.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question: AlterConfigsRequest = request.decode()?;
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
        return Err((INVALID_REQUEST, format!("'{key}' is set more than once")));
    }
    let settings = resource.configs.iter().map(|config| {
        let value = config.value.as_ref().map(|value| value.to_string());
        (config.name.to_string(), value)
    });
    let settings = settings.collect();
    let altered = service.shen.replace_settings(log.number, settings, validate_only).await;
    altered.map(|_| ()).map_err(refusal)
}
